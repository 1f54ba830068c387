//! DNS: how does a name become an address, and why do some still get the old one?

mod model;
mod resolver;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Naming;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Dns;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Requests at the server that has the shop, and at the one that it has left.
    pub(super) const NEW: usize = 0;
    pub(super) const OLD: usize = 1;
    /// Users who did not get there.
    pub(super) const FAILED: usize = 2;
    /// Questions at shop.com's name server.
    pub(super) const ASKED: usize = 3;
    /// 100 for an answer from a copy, 0 for any other; and what theory expects of their mean.
    pub(super) const COPY: usize = 4;
    pub(super) const EXPECTED: usize = 5;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "led",
        &[
            Line::mean("new", probe::NEW, Ink::Ok).filled(),
            Line::mean("old", probe::OLD, Ink::Warn),
            Line::mean("failed", probe::FAILED, Ink::Bad),
        ],
        3.0,
    ),
    Plot::of(
        "asked",
        &[Line::mean("asked", probe::ASKED, Ink::Accent).filled()],
        1.0,
    ),
    Plot::of(
        "copy",
        &[
            Line::mean("copy", probe::COPY, Ink::Hit).filled(),
            Line::mean("expected", probe::EXPECTED, Ink::Secondary),
        ],
        100.0,
    ),
];

impl Lesson for Dns {
    type Model = Naming;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Naming> = Sheet {
        actions: &[
            ActionSpec::whole("move"),
            ActionSpec::whole("slip"),
            ActionSpec::turning("vanish", "answers", -1.0),
            ActionSpec::turning("return", "answers", 1.0),
            ActionSpec::whole("soon"),
            ActionSpec::aimed("empty", "resolver"),
            ActionSpec::turning("lower", "ttl", -18.0),
        ],
        probes: &[
            Probe::Count,
            Probe::Count,
            Probe::Count,
            Probe::Count,
            Probe::Spread,
            Probe::Level,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Message, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Response, Ink::Warn),
            (Glyph::Response, Ink::Bad),
            (Glyph::Replica, Ink::Ok),
            (Glyph::Replica, Ink::Warn),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("ttl", 2.0),
        still: Time::ms(12_400),
        stands_for: &[
            (view::LED, model::ns(model::NS1)),
            (view::MOVE, model::ns(model::NS1)),
        ],
        ..Sheet::usual(
            Card {
                slug: "dns",
                chapter: "traffic",
                tables: &["dns_ttl_cache"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/dns_cache.rs",
            region: "look",
            marks: &[
                ("from-copy", "return Found::Fresh {"),
                ("stale", "=> Found::Stale {"),
                ("ends", "if left_s > 0 {"),
            ],
        },
        Code {
            file: "algorithms/dns_cache.rs",
            region: "lifetime",
            marks: &[
                ("keeps", "clamp_ttl(ttl_s, self.min_s, self.max_s)"),
                ("keeps-no", "negative_ttl(ttl_s, minimum_s)"),
                ("gives-up", "self.failure_s.min(FAILURE_TTL_MAX_S)"),
            ],
        },
        Code {
            file: "lessons/traffic/dns/resolver.rs",
            region: "closest",
            marks: &[("walks", "let knows =")],
        },
        Code {
            file: "algorithms/single_flight.rs",
            region: "join",
            marks: &[("joins", "flight.waiting.push(caller)")],
        },
    ];
}
