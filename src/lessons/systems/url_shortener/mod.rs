//! URL shortener: seven characters for every page. How do two servers never hand out the same?

mod model;
mod settings;
mod story;
mod view;
mod visits;
mod web;

#[cfg(test)]
mod tests;

pub use model::Shortener;
pub use settings::Settings;

use engine::{
    ActionSpec, Card, Code, Field, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time,
};

/// The lesson.
pub struct UrlShortener;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Pairs of links that got one code, and as many as theory has of random codes.
    pub(super) const CLASHES: usize = 0;
    pub(super) const THEORY: usize = 1;
    /// Questions to the source, look-ups and retries, for each new link.
    pub(super) const QUESTIONS: usize = 2;
    pub(super) const LOOKS: usize = 3;
    /// Visits, and those that reach a server, a second.
    pub(super) const VISITS: usize = 4;
    pub(super) const COUNTED: usize = 5;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "clashes",
        &[
            Line::mean("clashes", probe::CLASHES, Ink::Bad),
            Line::mean("theory", probe::THEORY, Ink::Mark),
        ],
        2.0,
    ),
    Plot::of(
        "questions",
        &[
            Line::mean("questions", probe::QUESTIONS, Ink::Warn),
            Line::mean("looks", probe::LOOKS, Ink::Accent),
        ],
        1.2,
    ),
    Plot::of(
        "visits",
        &[
            Line::mean("visits", probe::VISITS, Ink::Accent),
            Line::mean("counted", probe::COUNTED, Ink::Ok).filled(),
        ],
        1_500.0,
    ),
];

const ADDRESS: &Field = &Field {
    most: 120,
    refusals: &["no-address", "enough"],
    samples: &["https://example.org/a-long-way/to?the=fox", "example.com/7"],
};
const CODE_OF_OWN: &Field = &Field {
    most: 12,
    refusals: &["no-link", "no-code", "same"],
    samples: &["f0c5", "00ff"],
};

impl Lesson for UrlShortener {
    type Model = Shortener;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Shortener> = Sheet {
        actions: &[
            ActionSpec::whole("both"),
            ActionSpec::aimed("crash", "server"),
            ActionSpec::whole("failover"),
            ActionSpec::whole("third"),
            ActionSpec::whole("set-back"),
            ActionSpec::whole("scan"),
            ActionSpec::whole("restart"),
            ActionSpec::typed("shorten", ADDRESS),
            ActionSpec::typed("alias", CODE_OF_OWN),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Count,
            Probe::Count,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Message, Ink::Accent),
            (Glyph::Request, Ink::Warn),
            (Glyph::Replica, Ink::Hit),
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 1.0,
        twin: ("code", 5.0),
        still: Time::s(12),
        stands_for: &[
            (model::MAP, model::DATABASE),
            (model::CODES, model::DATABASE),
        ],
        // Long enough for a few codes to be taken, and short of the first that is taken twice.
        warm_up: Time::s(2),
        ..Sheet::usual(
            Card {
                slug: "url-shortener",
                chapter: "systems",
                tables: &["snowflake_ids", "url_shortener"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/short_code.rs",
            region: "cut",
            marks: &[("gets-code", "(digest >> (128 - 4 * length)) as u64")],
        },
        Code {
            file: "algorithms/short_code.rs",
            region: "write",
            marks: &[
                ("stored", "self.rows.insert(code, link)"),
                ("overwrites", "Written::Over"),
                ("refused", "Written::Refused(there)"),
                ("same", "Written::Same"),
            ],
        },
        Code {
            file: "lessons/systems/url_shortener/model.rs",
            region: "check",
            marks: &[
                ("sees-free", "self.go(key, Step::Write, cx)"),
                ("sees-taken", "self.taken(key, there, \"sees-taken\", cx)"),
            ],
        },
        Code {
            file: "algorithms/counters.rs",
            region: "increment",
            marks: &[
                ("increments", "let number = self.next;"),
                ("again", "self.next = self.heard;"),
                ("takes-over", "self.next = self.heard;"),
            ],
        },
        Code {
            file: "algorithms/counters.rs",
            region: "hand-out",
            marks: &[("hands-out", "self.next += size;")],
        },
        Code {
            file: "algorithms/snowflake.rs",
            region: "next",
            marks: &[("clock-waits", "return Err(last.time_ms)")],
        },
    ];
}
