//! Rolling update: how do you replace a running app without anyone noticing?

mod knobs;
mod layout;
mod model;
mod pods;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use knobs::{Break, Settings};
pub use model::RollingUpdate;

use engine::{Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Statistic, Time};

/// The lesson.
pub struct Rolling;

/// What the model measures, as numbers of [`Lesson::PROBES`].
mod probe {
    pub(super) const SERVED: usize = 0;
    pub(super) const FAILED: usize = 1;
    pub(super) const CAPACITY: usize = 2;
    pub(super) const LOAD: usize = 3;
    pub(super) const LATENCY: usize = 4;
}

const fn line(id: &'static str, probe: usize, ink: Ink, area: bool) -> Line {
    Line {
        id,
        probe,
        statistic: Statistic::Mean,
        ink,
        area,
    }
}

impl Lesson for Rolling {
    type Model = RollingUpdate;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<RollingUpdate> = Sheet {
        actions: Break::SPECS,
        probes: &[
            Probe::Count,
            Probe::Count,
            Probe::Level,
            Probe::Level,
            Probe::Spread,
        ],
        plots: &[
            Plot {
                id: "answers",
                lines: &[
                    line("served", probe::SERVED, Ink::Accent, true),
                    line("failed", probe::FAILED, Ink::Bad, false),
                ],
                scale: 1.0,
                top_min: 40.0,
            },
            Plot {
                id: "capacity",
                lines: &[
                    line("capacity", probe::CAPACITY, Ink::Ok, true),
                    line("load", probe::LOAD, Ink::Secondary, false),
                ],
                scale: 1.0,
                top_min: 60.0,
            },
            Plot {
                id: "latency",
                lines: &[
                    Line {
                        id: "p99",
                        probe: probe::LATENCY,
                        statistic: Statistic::Quantile(0.99),
                        ink: Ink::Warn,
                        area: false,
                    },
                    Line {
                        id: "p50",
                        probe: probe::LATENCY,
                        statistic: Statistic::Quantile(0.5),
                        ink: Ink::Secondary,
                        area: false,
                    },
                ],
                scale: 0.001,
                top_min: 600.0,
            },
        ],
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Heartbeat, Ink::Secondary),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("strategy", 0.0),
        still: Time::ms(4_900),
        warm_up: Time::s(5),
        ..Sheet::usual(
            Card {
                slug: "rolling-update",
                chapter: "compute",
                tables: &["k8s_rolling_update", "k8s_self_healing"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/rollout.rs",
            region: "surge",
            marks: &[
                (
                    "grows",
                    "deployment.max_total().saturating_sub(all_replicas)",
                ),
                ("grows", "new.resize(size, deployment)"),
            ],
        },
        Code {
            file: "algorithms/rollout.rs",
            region: "reconcile-old",
            marks: &[
                ("shrinks", "let scale_down_max = i64"),
                ("stalled", "scale_down_max == 0"),
            ],
        },
        Code {
            file: "algorithms/rollout.rs",
            region: "scale-down",
            marks: &[("shrinks", "set.resize(set.replicas - take")],
        },
    ];
}
