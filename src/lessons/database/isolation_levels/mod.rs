//! Isolation levels: two transactions at once. Is the result one that some order could have given?

mod crowd;
mod model;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Meeting;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct IsolationLevels;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Orders that came out so, at the level that is set, of those that are shown.
    pub(super) const RIGHT: usize = 0;
    pub(super) const WRONG: usize = 1;
    pub(super) const REFUSED: usize = 2;
    /// Turns of this play that passed while somebody waited.
    pub(super) const WAITED: usize = 3;
    /// Versions on the stage.
    pub(super) const VERSIONS: usize = 4;
    /// Withdrawals of the crowd that left no trace, a second.
    pub(super) const LOST: usize = 5;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "orders",
        &[
            Line::mean("right", probe::RIGHT, Ink::Ok).filled(),
            Line::mean("wrong", probe::WRONG, Ink::Bad),
            Line::mean("refused", probe::REFUSED, Ink::Warn),
        ],
        20.0,
    ),
    Plot::of(
        "versions",
        &[
            Line::mean("versions", probe::VERSIONS, Ink::Hit).filled(),
            Line::mean("waited", probe::WAITED, Ink::Warn),
        ],
        4.0,
    ),
    Plot::of("crowd", &[Line::mean("lost", probe::LOST, Ink::Bad)], 2.0),
];

impl Lesson for IsolationLevels {
    type Model = Meeting;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Meeting> = Sheet {
        actions: &[
            ActionSpec::whole("all"),
            ActionSpec::whole("next-1"),
            ActionSpec::whole("next-2"),
            ActionSpec::whole("roll-back"),
            ActionSpec::whole("reader"),
            ActionSpec::whole("again"),
            ActionSpec::on_dot("play"),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Count,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Hit),
            (Glyph::Request, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Response, Ink::Warn),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 1.0,
        twin: ("level", 2.0),
        still: Time::ms(17_400),
        stands_for: &[(view::ORDER, model::MATRIX)],
        warm_up: Time::s(2),
        ..Sheet::usual(
            Card {
                slug: "isolation-levels",
                chapter: "database",
                tables: &["isolation_anomalies_hermitage", "deadlock_locking"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/isolation.rs",
            region: "snapshot",
            marks: &[("reads", "true => *transaction.snapshot.get_or_insert(now)")],
        },
        Code {
            file: "algorithms/isolation.rs",
            region: "locking",
            marks: &[
                ("waits", "self.lock(tx, Wanted::Row(id, mode))?;"),
                (
                    "refused-changed",
                    "return Err(Stop::Refuse(Reason::Changed));",
                ),
            ],
        },
        Code {
            file: "algorithms/isolation.rs",
            region: "write",
            marks: &[("writes", "row.versions.push(version);")],
        },
        Code {
            file: "algorithms/isolation/locks.rs",
            region: "lock",
            marks: &[(
                "refused-deadlock",
                "return Err(Stop::Refuse(Reason::Deadlock));",
            )],
        },
        Code {
            file: "algorithms/isolation/conflicts.rs",
            region: "dangerous",
            marks: &[(
                "refused-circle",
                "self.transactions[pivot].doomed |= dangerous;",
            )],
        },
        Code {
            file: "algorithms/isolation/programs.rs",
            region: "verdict",
            marks: &[
                ("wrong", "(false, _) => Verdict::Wrong,"),
                ("right", "(true, true) => Verdict::Right,"),
                ("one-refused", "(true, false) => Verdict::Refused,"),
            ],
        },
    ];
}
