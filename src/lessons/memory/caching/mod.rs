//! Caching: the database is slow. What is worth remembering?

mod model;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{Caching, Settings};

use engine::{Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Statistic, Time};

/// The lesson.
pub struct Remembering;

/// What the model measures, as numbers of [`Lesson::PROBES`].
mod probe {
    /// Per cent of the users' last reads that the cache answered.
    pub(super) const HIT_RATIO: usize = 0;
    /// The same by theory; not a number where there is none.
    pub(super) const EXPECTED: usize = 1;
    pub(super) const QUERIES: usize = 2;
    pub(super) const STALE: usize = 3;
    pub(super) const FAILED: usize = 4;
    pub(super) const LATENCY: usize = 5;
    pub(super) const WRITE_LATENCY: usize = 6;
}

const fn line(id: &'static str, probe: usize, statistic: Statistic, ink: Ink, area: bool) -> Line {
    Line {
        id,
        probe,
        statistic,
        ink,
        area,
    }
}

impl Lesson for Remembering {
    type Model = Caching;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Caching> = Sheet {
        actions: model::Break::SPECS,
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Count,
            Probe::Count,
            Probe::Count,
            Probe::Spread,
            Probe::Spread,
        ],
        plots: &[
            Plot {
                id: "hits",
                lines: &[
                    line("ratio", probe::HIT_RATIO, Statistic::Mean, Ink::Hit, true),
                    line(
                        "expected",
                        probe::EXPECTED,
                        Statistic::Mean,
                        Ink::Secondary,
                        false,
                    ),
                ],
                scale: 1.0,
                top_min: 100.0,
            },
            Plot {
                id: "database",
                lines: &[
                    line(
                        "queries",
                        probe::QUERIES,
                        Statistic::Mean,
                        Ink::Accent,
                        true,
                    ),
                    line("stale", probe::STALE, Statistic::Mean, Ink::Warn, false),
                    line("failed", probe::FAILED, Statistic::Mean, Ink::Bad, false),
                ],
                scale: 1.0,
                top_min: 30.0,
            },
            Plot {
                id: "latency",
                lines: &[
                    line(
                        "p99",
                        probe::LATENCY,
                        Statistic::Quantile(0.99),
                        Ink::Warn,
                        false,
                    ),
                    line(
                        "p50",
                        probe::LATENCY,
                        Statistic::Quantile(0.5),
                        Ink::Secondary,
                        false,
                    ),
                    line(
                        "writes",
                        probe::WRITE_LATENCY,
                        Statistic::Quantile(0.5),
                        Ink::Accent,
                        false,
                    ),
                ],
                scale: 0.001,
                top_min: 200.0,
            },
        ],
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Secondary),
            (Glyph::Response, Ink::Hit),
            (Glyph::Response, Ink::Ok),
            (Glyph::Message, Ink::Warn),
            (Glyph::Message, Ink::Hit),
            (Glyph::Replica, Ink::Accent),
            (Glyph::Replica, Ink::Hit),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        speed: 0.15,
        twin: ("policy", 1.0),
        still: Time::ms(2_400),
        warm_up: Time::s(5),
        ..Sheet::usual(
            Card {
                slug: "caching",
                chapter: "memory",
                tables: &[
                    "cache_policies",
                    "cache_write_policies",
                    "cache_hit_ratio_zipf",
                ],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/cache.rs",
            region: "get",
            marks: &[
                ("hit", "Lookup::Hit("),
                ("miss", "Lookup::Miss"),
                ("expired", "Lookup::Expired"),
            ],
        },
        Code {
            file: "algorithms/cache.rs",
            region: "put",
            marks: &[
                ("kept", "Put::Stored {"),
                ("evicted", "self.eviction.evict()"),
                ("evicted", "Put::Evicted {"),
            ],
        },
        Code {
            file: "algorithms/eviction.rs",
            region: "evict",
            marks: &[
                ("evicted", "self.next_victim()"),
                ("evicted", "self.on_remove(victim)"),
            ],
        },
    ];
}
