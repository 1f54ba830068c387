//! Transactions: all or nothing. What is left when the power fails in the middle?

mod agree;
mod model;
mod program;
mod settings;
mod story;
mod view;
mod world;

#[cfg(test)]
mod tests;

pub use model::Bank;
pub use settings::Settings;

use engine::{
    ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, PartId, Plot, Probe, Sheet, Time,
};

/// The lesson.
pub struct Transactions;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// What lies on the balance, and what ought to.
    pub(super) const THERE: usize = 0;
    pub(super) const OUGHT: usize = 1;
    /// Pages and log records that are in memory only.
    pub(super) const DIRTY: usize = 2;
    pub(super) const RECORDS: usize = 3;
    /// For how long a row has been locked, s.
    pub(super) const LOCKED: usize = 4;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "sum",
        &[
            Line::mean("there", probe::THERE, Ink::Accent).filled(),
            Line::mean("ought", probe::OUGHT, Ink::Secondary),
        ],
        12.0,
    ),
    Plot::of(
        "unsaved",
        &[
            Line::mean("pages", probe::DIRTY, Ink::Warn).filled(),
            Line::mean("records", probe::RECORDS, Ink::Hit),
        ],
        4.0,
    ),
    Plot::of(
        "locked",
        &[Line::mean("locked", probe::LOCKED, Ink::Bad).filled()],
        4.0,
    ),
];

/// A place that has nothing to tell yet is asked about as the whole strip.
const PLACES: [(PartId, PartId); model::MOST] = {
    let mut all = [(model::STRIP, model::STRIP); model::MOST];
    let mut at = 0;
    while at < model::MOST {
        all[at].0 = model::place(at);
        at += 1;
    }
    all
};

impl Lesson for Transactions {
    type Model = Bank;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Bank> = Sheet {
        actions: &[
            ActionSpec::whole("plug"),
            ActionSpec::whole("every"),
            ActionSpec::whole("close"),
            ActionSpec::whole("kill"),
            ActionSpec::whole("cut"),
            ActionSpec::whole("mend"),
            ActionSpec::whole("rollback"),
            ActionSpec::whole("run"),
            ActionSpec::aimed("crash", "place"),
        ],
        probes: &[Probe::Level; 5],
        plots: PLOTS,
        key: &[(Glyph::Message, Ink::Accent), (Glyph::Request, Ink::Ok)],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("design", 1.0),
        still: Time::ms(1_750),
        stands_for: &PLACES,
        ..Sheet::usual(
            Card {
                slug: "transactions",
                chapter: "database",
                tables: &["two_phase_commit"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/aries.rs",
            region: "change",
            marks: &[
                ("logs", "self.append(tx, What::Change"),
                ("flushes", "self.flushed = self.log.len();"),
                ("commit-logged", "self.append(tx, What::Commit);"),
                (
                    "writes-page",
                    "self.disk[page] = self.memory[page].clone();",
                ),
            ],
        },
        Code {
            file: "algorithms/aries.rs",
            region: "restart",
            marks: &[("repeats", "page.put(key, after, lsn);")],
        },
        Code {
            file: "algorithms/aries.rs",
            region: "undo",
            marks: &[("takes-back", "self.append(tx, What::Undo")],
        },
        Code {
            file: "algorithms/constraints.rs",
            region: "cascade",
            marks: &[],
        },
        Code {
            file: "algorithms/constraints.rs",
            region: "rules",
            marks: &[("refused", "return Err(Broken::Check(*key));")],
        },
        Code {
            file: "algorithms/two_phase_commit.rs",
            region: "participant",
            marks: &[("ready", "self.log.push(Entry::Ready);")],
        },
        Code {
            file: "algorithms/two_phase_commit.rs",
            region: "decide",
            marks: &[
                ("decides-commit", "self.decided = Some(true);"),
                ("gives-up", "get_or_insert(false)"),
            ],
        },
        Code {
            file: "lessons/database/transactions/world.rs",
            region: "judge",
            marks: &[("place-torn", "whole.then_some(done)")],
        },
    ];
}
