//! Serverless: no server, some waiting. Who waits, and who pays?

mod bill;
mod model;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Cloud;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Serverless;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Instances that are being built, at work and idle, and how many there may be.
    pub(super) const BUILDING: usize = 0;
    pub(super) const BUSY: usize = 1;
    pub(super) const FROZEN: usize = 2;
    pub(super) const LIMIT: usize = 3;
    /// Answers a second, and what there was instead.
    pub(super) const WARM: usize = 4;
    pub(super) const WAITED: usize = 5;
    pub(super) const REFUSED: usize = 6;
    pub(super) const FAILED: usize = 7;
    /// Dollars a month at this pace, and of one server.
    pub(super) const MONTH: usize = 8;
    pub(super) const SERVER: usize = 9;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "instances",
        &[
            Line::mean("busy", probe::BUSY, Ink::Accent).filled(),
            Line::mean("building", probe::BUILDING, Ink::Warn),
            Line::mean("frozen", probe::FROZEN, Ink::Hit),
            Line::mean("limit", probe::LIMIT, Ink::Secondary),
        ],
        50.0,
    ),
    Plot::of(
        "answers",
        &[
            Line::mean("warm", probe::WARM, Ink::Accent).filled(),
            Line::mean("waited", probe::WAITED, Ink::Warn),
            Line::mean("refused", probe::REFUSED, Ink::Bad),
            Line::mean("failed", probe::FAILED, Ink::MemberA),
        ],
        10.0,
    ),
    Plot::of(
        "money",
        &[
            Line::mean("functions", probe::MONTH, Ink::Warn).filled(),
            Line::mean("server", probe::SERVER, Ink::Secondary),
        ],
        40.0,
    ),
];

impl Lesson for Serverless {
    type Model = Cloud;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Cloud> = Sheet {
        actions: &[
            ActionSpec::whole("click"),
            ActionSpec::whole("twenty"),
            ActionSpec::whole("sixty"),
            ActionSpec::whole("deploy"),
            ActionSpec::whole("slow"),
            ActionSpec::whole("bot"),
            ActionSpec::whole("silence"),
            ActionSpec::whole("calm"),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Count,
            Probe::Count,
            Probe::Count,
            Probe::Count,
            Probe::Level,
            Probe::Level,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Response, Ink::Warn),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Heartbeat, Ink::Hit),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 1.0,
        twin: ("runs", 1.0),
        still: Time::ms(7_150),
        stands_for: &[(view::ANSWERS, model::USERS), (view::BILL, model::FUNCTION)],
        ..Sheet::usual(
            Card {
                slug: "serverless",
                chapter: "compute",
                tables: &["serverless_cold_start"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/functions.rs",
            region: "place",
            marks: &[
                ("warm", "Placement::Warm(id)"),
                ("joins", "Placement::Joined(id)"),
                ("limit", "return Placement::Limit;"),
                ("growth", "return Placement::Allowance;"),
                ("cold", "let id = self.build(now_us, false);"),
            ],
        },
        Code {
            file: "algorithms/functions.rs",
            region: "expire",
            marks: &[("gone", "self.instances.remove(id);")],
        },
        Code {
            file: "algorithms/functions.rs",
            region: "deploy",
            marks: &[("deploy", "self.version += 1;")],
        },
    ];
}
