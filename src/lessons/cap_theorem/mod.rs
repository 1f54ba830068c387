//! The CAP theorem: the cable is cut. Do you answer, or do you stay right?

mod model;
mod replica;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{Partition, Settings};

use engine::{Card, Ink, Lesson, Line, Plot, Probe, Sheet, Statistic, Time};

/// The lesson.
pub struct Cap;

/// What the model measures, as numbers of [`Lesson::PROBES`].
mod probe {
    pub(super) const ANSWERED: usize = 0;
    pub(super) const OLD: usize = 1;
    pub(super) const REFUSED: usize = 2;
    pub(super) const ANA: usize = 3;
    pub(super) const BEN: usize = 4;
    pub(super) const APART: usize = 5;
    pub(super) const LOST: usize = 6;
}

const fn mean(id: &'static str, probe: usize, ink: Ink, area: bool) -> Line {
    Line {
        id,
        probe,
        statistic: Statistic::Mean,
        ink,
        area,
    }
}

const fn median(id: &'static str, probe: usize, ink: Ink) -> Line {
    Line {
        id,
        probe,
        statistic: Statistic::Quantile(0.5),
        ink,
        area: false,
    }
}

impl Lesson for Cap {
    type Model = Partition;
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
            Plot {
                id: "answers",
                lines: &[
                    mean("answered", probe::ANSWERED, Ink::Accent, true),
                    mean("old", probe::OLD, Ink::Warn, false),
                    mean("refused", probe::REFUSED, Ink::Bad, false),
                ],
                scale: 1.0,
                top_min: 5.0,
            },
            Plot {
                id: "wait",
                lines: &[
                    median("ana", probe::ANA, Ink::Secondary),
                    median("ben", probe::BEN, Ink::Accent),
                ],
                scale: 0.001,
                top_min: 1_000.0,
            },
            Plot {
                id: "apart",
                lines: &[
                    mean("apart", probe::APART, Ink::Hit, true),
                    mean("lost", probe::LOST, Ink::Bad, false),
                ],
                scale: 1.0,
                top_min: 5.0,
            },
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        twin: ("choice", 1.0),
        still: Time::ms(2_400),
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
}
