//! CDN: why is a video near you fast, and what does the origin feel?

mod edge;
mod map;
mod model;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Delivery;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Cdn;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// What is asked of the origin, and what it can do, a second.
    pub(super) const ORIGIN: usize = 0;
    pub(super) const CAPACITY: usize = 1;
    /// What viewers waited, µs.
    pub(super) const WAIT: usize = 2;
    /// What theory expects of the share of hits, in per cent.
    pub(super) const EXPECTED: usize = 3;
    /// 100 for an answer from a copy, 0 for any other: one for each region.
    pub(super) const HITS: usize = 4;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "origin",
        &[
            Line::mean("asked", probe::ORIGIN, Ink::Accent).filled(),
            Line::mean("capacity", probe::CAPACITY, Ink::Secondary),
        ],
        40.0,
    ),
    Plot::of(
        "hits",
        &[
            Line::mean("us", probe::HITS, Ink::MemberA),
            Line::mean("europe", probe::HITS + 1, Ink::MemberB),
            Line::mean("india", probe::HITS + 2, Ink::MemberC),
            Line::mean("australia", probe::HITS + 3, Ink::MemberD),
            Line::mean("expected", probe::EXPECTED, Ink::Secondary),
        ],
        100.0,
    ),
    Plot::ms(
        "wait",
        &[
            Line::quantile("p50", probe::WAIT, 0.5, Ink::Accent),
            Line::quantile("p99", probe::WAIT, 0.99, Ink::Warn),
        ],
        700.0,
    ),
];

impl Lesson for Cdn {
    type Model = Delivery;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Delivery> = Sheet {
        actions: &[
            ActionSpec::whole("purge"),
            ActionSpec::whole("publish"),
            ActionSpec::whole("ahead"),
            ActionSpec::aimed("down", "edge"),
            ActionSpec::whole("astray"),
            ActionSpec::whole("campaign"),
        ],
        probes: &[
            Probe::Count,
            Probe::Level,
            Probe::Spread,
            Probe::Level,
            Probe::Spread,
            Probe::Spread,
            Probe::Spread,
            Probe::Spread,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Heartbeat, Ink::Secondary),
            (Glyph::Request, Ink::Accent),
            (Glyph::Replica, Ink::Hit),
            (Glyph::Response, Ink::Hit),
            (Glyph::Response, Ink::Ok),
            (Glyph::Response, Ink::Warn),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Message, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.1,
        twin: ("edges", 0.0),
        still: Time::ms(680),
        stands_for: &[
            (view::waits(0), model::viewers(0)),
            (view::waits(1), model::viewers(1)),
            (view::waits(2), model::viewers(2)),
            (view::waits(3), model::viewers(3)),
        ],
        ..Sheet::usual(
            Card {
                slug: "cdn",
                chapter: "traffic",
                tables: &["cache_hit_ratio_zipf", "http_connections_websocket"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "lessons/traffic/cdn/edge.rs",
            region: "consult",
            marks: &[
                ("hit", "Use::Fresh =>"),
                ("stale", "Use::WhileRevalidate =>"),
                ("misses", "return Found::Nothing"),
            ],
        },
        Code {
            file: "algorithms/http_freshness.rs",
            region: "use",
            marks: &[
                ("hit", "return Use::Fresh"),
                ("stale", "Use::WhileRevalidate"),
            ],
        },
        Code {
            file: "algorithms/single_flight.rs",
            region: "join",
            marks: &[("joins", "flight.waiting.push(caller)")],
        },
    ];
}
