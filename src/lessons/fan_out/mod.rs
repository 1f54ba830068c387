//! Fan-out: one event, many reactions. Who waits for whom?

mod model;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{Settings, Shop};

use engine::{Card, Ink, Lesson, Line, Plot, Probe, Scene, Statistic, Time};

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

    const CARD: Card = Card {
        slug: "fan-out",
        chapter: "messages",
        tables: &["message_queue_sqs", "pubsub_sns"],
    };

    const PROBES: &'static [Probe] = &[Probe::Spread, Probe::Level, Probe::Count, Probe::Count];

    const PLOTS: &'static [Plot] = &[
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
    ];

    const STORY: &'static [engine::Beat<Shop>] = story::STORY;
    const CHALLENGES: &'static [engine::Challenge<Shop>] = story::CHALLENGES;
    const SPEED: f64 = 0.2;
    const TWIN: (&'static str, f64) = ("design", story::PUSH);
    const STILL: Time = Time::ms(2_150);

    fn draw(model: &Shop, knobs: &Settings, at: Time, scene: &mut Scene) {
        view::draw(model, knobs, at, scene);
    }
}
