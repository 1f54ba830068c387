//! Load balancing: one door, many servers. Who gets the next request?

mod model;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{LoadBalancing, Settings, Totals};

use engine::{Card, Ink, Lesson, Line, Plot, Probe, Sheet, Statistic, Time};

/// The lesson.
pub struct Balancing;

/// What the model measures, as numbers of [`Lesson::PROBES`].
mod probe {
    pub(super) const SERVED: usize = 0;
    pub(super) const FAILED: usize = 1;
    pub(super) const LATENCY: usize = 2;
    pub(super) const WAITING: usize = 3;
}

impl Lesson for Balancing {
    type Model = LoadBalancing;
    const SHEET: Sheet<LoadBalancing> = Sheet {
        actions: model::Break::SPECS,
        probes: &[Probe::Count, Probe::Count, Probe::Spread, Probe::Level],
        plots: &[
            Plot {
                id: "served",
                lines: &[
                    Line {
                        id: "served",
                        probe: probe::SERVED,
                        statistic: Statistic::Mean,
                        ink: Ink::Accent,
                        area: true,
                    },
                    Line {
                        id: "failed",
                        probe: probe::FAILED,
                        statistic: Statistic::Mean,
                        ink: Ink::Bad,
                        area: false,
                    },
                ],
                scale: 1.0,
                top_min: 20.0,
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
                top_min: 200.0,
            },
            Plot {
                id: "waiting",
                lines: &[Line {
                    id: "waiting",
                    probe: probe::WAITING,
                    statistic: Statistic::Mean,
                    ink: Ink::Hit,
                    area: true,
                }],
                scale: 1.0,
                top_min: 10.0,
            },
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        twin: ("policy", 3.0),
        still: Time::ms(2_400),
        ..Sheet::usual(
            Card {
                slug: "load-balancing",
                chapter: "traffic",
                tables: &[
                    "lb_smooth_weighted_round_robin",
                    "lb_round_robin_least_conn_hash",
                    "lb_round_robin_haproxy_lvs",
                    "lb_ip_hash",
                    "power_of_two_choices",
                    "queueing_latency",
                ],
            },
            Settings::default,
            view::draw,
        )
    };
}
