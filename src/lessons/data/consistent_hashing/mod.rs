//! Consistent hashing: a server joins. How many keys have to move?

mod model;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{ConsistentHashing, Settings};

use engine::{Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Hashing;

/// What the model measures, as numbers of [`Lesson::PROBES`].
mod probe {
    pub(super) const OUT_OF_PLACE: usize = 0;
    pub(super) const MISSES: usize = 1;
    pub(super) const FAILED: usize = 2;
    pub(super) const UNEVEN_KEYS: usize = 3;
    pub(super) const UNEVEN_LOAD: usize = 4;
}

impl Lesson for Hashing {
    type Model = ConsistentHashing;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<ConsistentHashing> = Sheet {
        actions: model::Break::SPECS,
        probes: &[
            Probe::Level,
            Probe::Count,
            Probe::Count,
            Probe::Level,
            Probe::Level,
        ],
        plots: &[
            Plot::of(
                "moving",
                &[Line::mean("moving", probe::OUT_OF_PLACE, Ink::Hit).filled()],
                48.0,
            ),
            Plot::of(
                "misses",
                &[
                    Line::mean("misses", probe::MISSES, Ink::Warn).filled(),
                    Line::mean("failed", probe::FAILED, Ink::Bad),
                ],
                10.0,
            ),
            Plot::of(
                "uneven",
                &[
                    Line::mean("keys", probe::UNEVEN_KEYS, Ink::Hit),
                    Line::mean("load", probe::UNEVEN_LOAD, Ink::Accent),
                ],
                2.0,
            ),
        ],
        key: &[
            (Glyph::Request, Ink::MemberC),
            (Glyph::Response, Ink::Ok),
            (Glyph::Message, Ink::MemberA),
            (Glyph::Replica, Ink::MemberA),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("scheme", 1.0),
        still: Time::ms(1_200),
        // Longer than rates look back and than any request travels.
        warm_up: Time::s(5),
        ..Sheet::usual(
            Card {
                slug: "consistent-hashing",
                chapter: "data",
                tables: &[
                    "consistent_hash_ketama",
                    "jump_consistent_hash",
                    "consistent_hash_balance",
                    "hash_functions",
                    "hash_slots_redis_cluster",
                ],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/hash_ring.rs",
            region: "owner",
            marks: &[
                ("walks", "self.clockwise(position).next()"),
                ("retries", "self.clockwise(position).next()"),
            ],
        },
        Code {
            file: "algorithms/hash_ring.rs",
            region: "join",
            marks: &[
                ("joined", "self.points.extend(points)"),
                ("returned", "self.points.extend(points)"),
                ("left", "self.points.retain"),
                ("noticed", "self.points.retain"),
            ],
        },
        Code {
            file: "algorithms/hash_ring.rs",
            region: "moved",
            marks: &[
                ("moves", "from != now"),
                ("placed", "from != now"),
                ("joined", "from != now"),
                ("left", "from != now"),
                ("points", "from != now"),
            ],
        },
    ];
}
