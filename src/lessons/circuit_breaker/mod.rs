//! Circuit breaker: one service is failing. How do you stop it taking the others down?

mod model;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{CircuitBreaker, Settings};

use engine::{Card, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Statistic, Time};

/// The lesson.
pub struct Breaking;

/// What the model measures, as numbers of [`Lesson::PROBES`].
mod probe {
    pub(super) const FRESH: usize = 0;
    pub(super) const STAND_IN: usize = 1;
    pub(super) const ERRORS: usize = 2;
    pub(super) const REQUESTS: usize = 3;
    pub(super) const CALLS: usize = 4;
    /// M1's; M2's is the next.
    pub(super) const THREADS: usize = 5;
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

impl Lesson for Breaking {
    type Model = CircuitBreaker;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<CircuitBreaker> = Sheet {
        actions: model::Break::SPECS,
        probes: &[
            Probe::Count,
            Probe::Count,
            Probe::Count,
            Probe::Count,
            Probe::Count,
            Probe::Level,
            Probe::Level,
        ],
        plots: &[
            Plot {
                id: "users",
                lines: &[
                    line("fresh", probe::FRESH, Ink::Ok, true),
                    line("stand-in", probe::STAND_IN, Ink::Hit, false),
                    line("errors", probe::ERRORS, Ink::Bad, false),
                ],
                scale: 1.0,
                top_min: 12.0,
            },
            Plot {
                id: "calls",
                lines: &[
                    line("calls", probe::CALLS, Ink::Warn, true),
                    line("requests", probe::REQUESTS, Ink::Secondary, false),
                ],
                scale: 1.0,
                top_min: 20.0,
            },
            Plot {
                id: "threads",
                lines: &[
                    line("m1", probe::THREADS, Ink::Accent, false),
                    line("m2", probe::THREADS + 1, Ink::Hit, false),
                ],
                scale: 1.0,
                top_min: 24.0,
            },
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.3,
        twin: ("breakers", 0.0),
        still: Time::ms(1_200),
        ..Sheet::usual(
            Card {
                slug: "circuit-breaker",
                chapter: "services",
                tables: &[
                    "circuit_breaker_gobreaker",
                    "circuit_breaker_resilience4j",
                    "retry_backoff_jitter",
                ],
            },
            Settings::default,
            view::draw,
        )
    };
}
