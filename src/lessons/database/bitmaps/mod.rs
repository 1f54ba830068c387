//! Bitmaps: which of a billion users were active, and on which days?

mod model;
mod people;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Visits;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Bitmaps;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Users of today, and the last answers for any and for every day.
    pub(super) const TODAY: usize = 0;
    pub(super) const ANY: usize = 1;
    pub(super) const EVERY: usize = 2;
    /// What today takes, in bytes: as a bitmap, a list, a hash set.
    pub(super) const BITMAP: usize = 3;
    pub(super) const LIST: usize = 4;
    pub(super) const SET: usize = 5;
    /// Logins that wait for the thread.
    pub(super) const WAITING: usize = 6;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "users",
        &[
            Line::mean("today", probe::TODAY, Ink::Hit).filled(),
            Line::mean("any", probe::ANY, Ink::Accent),
            Line::mean("every", probe::EVERY, Ink::Secondary),
        ],
        10_000.0,
    ),
    Plot {
        scale: 0.001,
        ..Plot::of(
            "memory",
            &[
                Line::mean("bitmap", probe::BITMAP, Ink::Hit).filled(),
                Line::mean("list", probe::LIST, Ink::Accent),
                Line::mean("set", probe::SET, Ink::Secondary),
            ],
            100.0,
        )
    },
    Plot::of(
        "waiting",
        &[Line::quantile("longest", probe::WAITING, 1.0, Ink::Warn).filled()],
        20.0,
    ),
];

impl Lesson for Bitmaps {
    type Model = Visits;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Visits> = Sheet {
        actions: &[
            ActionSpec::whole("billion"),
            ActionSpec::whole("far"),
            ActionSpec::whole("everyone"),
            ActionSpec::whole("seven"),
            ActionSpec::whole("midnight"),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Spread,
        ],
        plots: PLOTS,
        key: &[(Glyph::Request, Ink::Accent)],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 1.0,
        twin: ("ids", 2.0),
        still: Time::ms(1_900),
        warm_up: Time::ms(4_400),
        stands_for: &[
            (model::STRIP, model::row(0)),
            (model::MEMORY, model::row(0)),
        ],
        ..Sheet::usual(
            Card {
                slug: "bitmaps",
                chapter: "database",
                tables: &["bitmaps_redis", "roaring_bitmap_index"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/bitmap.rs",
            region: "set",
            marks: &[
                ("sets", "self.bytes[byte] |= mask"),
                ("again", "let before = self.get(place)"),
                ("grows", "self.bytes.resize(byte + 1, 0)"),
            ],
        },
        Code {
            file: "algorithms/bitmap.rs",
            region: "combine",
            marks: &[
                ("any", "Operation::Or => rest.fold"),
                ("every", "Operation::And => rest.fold"),
                ("inactive", "Operation::Diff => head"),
                ("fresh", "Operation::Diff => head"),
            ],
        },
        Code {
            file: "algorithms/bitmap.rs",
            region: "count",
            marks: &[("counted", "popcount(word)")],
        },
        Code {
            file: "algorithms/bitmap.rs",
            region: "popcount",
            marks: &[("billion-counted", "bytes.wrapping_mul")],
        },
    ];
}
