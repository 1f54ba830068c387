//! Fan-out: one event, many reactions. Who waits for whom?

mod model;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{Settings, Shop};

use engine::{Card, Ink, Lesson, Line, Plot, Probe, Sheet, Statistic, Time};

/// The lesson.
pub struct FanOut;

/// What the model measures, as numbers of [`Lesson::PROBES`].
mod probe {
    pub(super) const WAIT: usize = 0;
    pub(super) const BACKLOG: usize = 1;
    pub(super) const DONE: usize = 2;
    pub(super) const GONE: usize = 3;
}

impl Lesson for FanOut {
    type Model = Shop;
    const SHEET: Sheet<Shop> = Sheet {
        actions: model::Break::SPECS,
        probes: &[Probe::Spread, Probe::Level, Probe::Count, Probe::Count],
        plots: &[
            Plot {
                id: "wait",
                lines: &[
                    Line {
                        id: "p99",
                        probe: probe::WAIT,
                        statistic: Statistic::Quantile(0.99),
                        ink: Ink::Warn,
                        area: false,
                    },
                    Line {
                        id: "p50",
                        probe: probe::WAIT,
                        statistic: Statistic::Quantile(0.5),
                        ink: Ink::Secondary,
                        area: false,
                    },
                ],
                scale: 0.001,
                top_min: 600.0,
            },
            Plot {
                id: "backlog",
                lines: &[Line {
                    id: "backlog",
                    probe: probe::BACKLOG,
                    statistic: Statistic::Mean,
                    ink: Ink::Hit,
                    area: true,
                }],
                scale: 1.0,
                top_min: 12.0,
            },
            Plot {
                id: "reactions",
                lines: &[
                    Line {
                        id: "done",
                        probe: probe::DONE,
                        statistic: Statistic::Mean,
                        ink: Ink::Accent,
                        area: true,
                    },
                    Line {
                        id: "gone",
                        probe: probe::GONE,
                        statistic: Statistic::Mean,
                        ink: Ink::Bad,
                        area: false,
                    },
                ],
                scale: 1.0,
                top_min: 24.0,
            },
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.2,
        twin: ("design", story::PUSH),
        still: Time::ms(2_150),
        ..Sheet::usual(
            Card {
                slug: "fan-out",
                chapter: "messages",
                tables: &["message_queue_sqs", "pubsub_sns"],
            },
            Settings::default,
            view::draw,
        )
    };
}
