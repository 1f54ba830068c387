//! The CAP theorem: the cable is cut. Do you answer, or do you stay right?

mod model;
mod replica;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{Partition, Settings};

use engine::{Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Cap;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    pub(super) const ANSWERED: usize = 0;
    pub(super) const OLD: usize = 1;
    pub(super) const REFUSED: usize = 2;
    pub(super) const ANA: usize = 3;
    pub(super) const BEN: usize = 4;
    pub(super) const APART: usize = 5;
    pub(super) const LOST: usize = 6;
}

impl Lesson for Cap {
    type Model = Partition;
    const LEVEL: Level = Level::Advanced;
    const SHEET: Sheet<Partition> = Sheet {
        actions: model::Break::SPECS,
        probes: &[
            Probe::Count,
            Probe::Count,
            Probe::Count,
            Probe::Spread,
            Probe::Spread,
            Probe::Level,
            Probe::Level,
        ],
        plots: &[
            Plot::of(
                "answers",
                &[
                    Line::mean("answered", probe::ANSWERED, Ink::Accent).filled(),
                    Line::mean("old", probe::OLD, Ink::Warn),
                    Line::mean("refused", probe::REFUSED, Ink::Bad),
                ],
                5.0,
            ),
            Plot::ms(
                "wait",
                &[
                    Line::quantile("ana", probe::ANA, 0.5, Ink::Secondary),
                    Line::quantile("ben", probe::BEN, 0.5, Ink::Accent),
                ],
                1_000.0,
            ),
            Plot::of(
                "apart",
                &[
                    Line::mean("apart", probe::APART, Ink::Hit).filled(),
                    Line::mean("lost", probe::LOST, Ink::Bad),
                ],
                5.0,
            ),
        ],
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Message, Ink::Hit),
            (Glyph::Replica, Ink::Accent),
            (Glyph::Heartbeat, Ink::Secondary),
            (Glyph::Failure, Ink::Warn),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        twin: ("choice", 1.0),
        still: Time::ms(2_400),
        warm_up: Time::s(5),
        ..Sheet::usual(
            Card {
                slug: "cap-theorem",
                chapter: "data",
                tables: &["cap_partition_conflict", "quorum_pbs_staleness"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/quorum.rs",
            region: "tally",
            marks: &[
                ("no-majority", "Outcome::Impossible"),
                ("writes-account", "Outcome::Reached"),
                ("writes-photo", "Outcome::Reached"),
            ],
        },
        Code {
            file: "lessons/data/cap_theorem/replica.rs",
            region: "accept",
            marks: &[
                ("accepts-account", "voter.version = version.clone()"),
                ("accepts-photo", "voter.version = version.clone()"),
            ],
        },
    ];
}
