//! Quorums: three copies of everything. How many must answer before you may believe it?

mod face;
mod judge;
mod model;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Group;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Quorums;

/// Unseen before time zero, so that each key has been written and a write is under way when somebody first looks.
const WARM_UP: Time = Time::ms(140);

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Shares of the last reads, in per cent.
    pub(super) const FRESH: usize = 0;
    pub(super) const OLD: usize = 1;
    pub(super) const BACK: usize = 2;
    /// From asking to the answer, µs.
    pub(super) const READ: usize = 3;
    pub(super) const WRITE: usize = 4;
    /// Cells of homes that are older than what was answered.
    pub(super) const BEHIND: usize = 5;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "shares",
        &[
            Line::mean("fresh", probe::FRESH, Ink::Ok).filled(),
            Line::mean("old", probe::OLD, Ink::Warn),
            Line::mean("back", probe::BACK, Ink::Bad),
        ],
        100.0,
    ),
    Plot::ms(
        "waits",
        &[
            Line::quantile("write-most", probe::WRITE, 0.99, Ink::Accent),
            Line::quantile("write-half", probe::WRITE, 0.5, Ink::Accent),
            Line::quantile("read-most", probe::READ, 0.99, Ink::Hit),
            Line::quantile("read-half", probe::READ, 0.5, Ink::Hit),
        ],
        10.0,
    ),
    Plot::of(
        "behind",
        &[Line::mean("behind", probe::BEHIND, Ink::Warn).filled()],
        5.0,
    ),
];

impl Lesson for Quorums {
    type Model = Group;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Group> = Sheet {
        actions: &[
            ActionSpec::aimed("crash", "node"),
            ActionSpec::aimed("restart", "node"),
            ActionSpec::whole("cut"),
            ActionSpec::whole("heal"),
            ActionSpec::whole("slow"),
            ActionSpec::whole("fail"),
            ActionSpec::whole("miss"),
            ActionSpec::on_dot("lose"),
            ActionSpec::on_dot("hold").pulled(),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Spread,
            Probe::Spread,
            Probe::Level,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Replica, Ink::Accent),
            (Glyph::Response, Ink::Accent),
            (Glyph::Request, Ink::Hit),
            (Glyph::Response, Ink::Hit),
            (Glyph::Replica, Ink::Hit),
            (Glyph::Replica, Ink::Warn),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.002,
        sample: Time::ms(20),
        warm_up: WARM_UP,
        twin: ("w", 3.0),
        still: Time::us(802_000),
        stands_for: &[(model::MATRIX, model::READS), (model::WAITS, model::READS)],
        ..Sheet::usual(
            Card {
                slug: "quorums",
                chapter: "data",
                tables: &["quorum_pbs_staleness"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/replicated.rs",
            region: "write",
            marks: &[("answered", "write.state == State::Waits")],
        },
        Code {
            file: "algorithms/replicated.rs",
            region: "read",
            marks: &[
                ("fresh", "read.cell = cell"),
                ("old", "read.heard.count_ones() >= read.needs"),
                ("back", "read.heard.count_ones() >= read.needs"),
            ],
        },
        Code {
            file: "algorithms/replicated.rs",
            region: "repair",
            marks: &[("repairs", "*told < read.cell.version")],
        },
        Code {
            file: "algorithms/replicated.rs",
            region: "late",
            marks: &[
                ("failed", "request.state = State::Failed"),
                ("keeps", "self.hint(node, home"),
            ],
        },
    ];
}
