//! Locking: two want the same row. Do you ask first, or check later?

mod model;
mod settings;
mod store;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Bank;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Locking;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Transfers that committed, and tries that were thrown away.
    pub(super) const DONE: usize = 0;
    pub(super) const UNDONE: usize = 1;
    /// Workers that wait.
    pub(super) const WAITING: usize = 2;
    /// The share of all work that was thrown away since a knob was turned, %.
    pub(super) const THROWN: usize = 3;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "transfers",
        &[
            Line::mean("done", probe::DONE, Ink::Ok).filled(),
            Line::mean("undone", probe::UNDONE, Ink::Bad),
        ],
        100.0,
    ),
    Plot::of(
        "waiting",
        &[Line::mean("waiting", probe::WAITING, Ink::Warn).filled()],
        8.0,
    ),
    Plot::of(
        "thrown",
        &[Line::mean("thrown", probe::THROWN, Ink::Bad).filled()],
        100.0,
    ),
];

impl Lesson for Locking {
    type Model = Bank;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Bank> = Sheet {
        actions: &[
            ActionSpec::whole("circle"),
            ActionSpec::aimed("coffee", "worker"),
            ActionSpec::whole("long"),
            ActionSpec::whole("everyone"),
            ActionSpec::whole("pair"),
            ActionSpec::aimed("step", "worker"),
            ActionSpec::whole("go"),
        ],
        probes: &[Probe::Count, Probe::Count, Probe::Level, Probe::Level],
        plots: PLOTS,
        key: &[(Glyph::Response, Ink::Hit), (Glyph::Request, Ink::Accent)],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.1,
        twin: ("way", 2.0),
        still: Time::ms(1_000),
        stands_for: &[(view::LANES, model::RATE), (view::WORK, model::RATE)],
        // A little before two wait for each other, at the usual seed.
        warm_up: Time::ms(4_400),
        ..Sheet::usual(
            Card {
                slug: "locking",
                chapter: "database",
                tables: &["deadlock_locking"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/lock_table.rs",
            region: "ask",
            marks: &[
                ("locks", "true => Answer::Granted"),
                ("waits", "false => Answer::Waits"),
            ],
        },
        Code {
            file: "algorithms/lock_table.rs",
            region: "waits-for",
            marks: &[],
        },
        Code {
            file: "algorithms/lock_table.rs",
            region: "circle",
            marks: &[("circle", "return Some(found)")],
        },
        Code {
            file: "algorithms/lock_table.rs",
            region: "rules",
            marks: &[
                ("found", "Rule::AtOnce =>"),
                ("dies", "Rule::WaitDie =>"),
                ("wounded", "Rule::WoundWait =>"),
                ("looked", "Rule::AfterWait => self"),
                ("gives-up", "Rule::GiveUp => self"),
            ],
        },
        Code {
            file: "algorithms/versioned.rs",
            region: "check",
            marks: &[
                ("refused", "return Err("),
                ("commits", "self.write(writes);"),
            ],
        },
        Code {
            file: "lessons/database/locking/store.rs",
            region: "run",
            marks: &[],
        },
    ];
}
