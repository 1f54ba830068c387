//! Bloom filter: can a few bits remember whether you have seen something, and when do they lie?

mod growth;
mod model;
mod seen;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Shop;
pub use settings::Settings;

use engine::{
    ActionSpec, Card, Code, Field, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time,
};
use model::{GRID, UNSEEN};

/// The lesson.
pub struct BloomFilter;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Of a thousand names never watched, those that draw a maybe, %; and what theory expects.
    pub(super) const LIES: usize = 0;
    pub(super) const EXPECTED: usize = 1;
    /// Bits set, %; and the half, at which a filter is of most use.
    pub(super) const FILL: usize = 2;
    pub(super) const HALF: usize = 3;
    /// Questions that the database was spared, a second.
    pub(super) const SAVED: usize = 4;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "lies",
        &[
            Line::mean("tried", probe::LIES, Ink::Warn).filled(),
            Line::mean("theory", probe::EXPECTED, Ink::Secondary),
        ],
        20.0,
    ),
    Plot::of(
        "fill",
        &[
            Line::mean("set", probe::FILL, Ink::Hit).filled(),
            Line::mean("half", probe::HALF, Ink::Secondary),
        ],
        100.0,
    ),
    Plot::of(
        "saved",
        &[Line::mean("saved", probe::SAVED, Ink::Ok).filled()],
        10.0,
    ),
];

const OWN: &Field = &Field {
    most: 40,
    refusals: &["enough"],
    samples: &["cats on skateboards", "7", "reel-12", "Moon landing"],
};

impl Lesson for BloomFilter {
    type Model = Shop;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Shop> = Sheet {
        actions: &[
            ActionSpec::whole("watch-more"),
            ActionSpec::whole("forget"),
            ActionSpec::whole("ask-new"),
            ActionSpec::whole("sift"),
            ActionSpec::whole("rebuild"),
            ActionSpec::whole("flip"),
            ActionSpec::whole("new-user"),
            ActionSpec::typed("ask-own", OWN),
            ActionSpec::typed("watch-own", OWN),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Count,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Warn),
            (Glyph::Response, Ink::Ok),
            (Glyph::Response, Ink::Secondary),
            (Glyph::Failure, Ink::Warn),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        // Slow enough for an eye to follow each reel.
        speed: 0.35,
        twin: ("hashes", 10.0),
        stands_for: &[(UNSEEN, GRID)],
        still: Time::ms(2_700),
        growth: Some(&growth::GROWTH),
        ..Sheet::usual(
            Card {
                slug: "bloom-filter",
                chapter: "memory",
                tables: &["bloom_filter"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/bloom_filter.rs",
            region: "ask",
            marks: &[
                ("no", "places.find(|place| !self.bit(*place))"),
                ("wrong-no", "places.find(|place| !self.bit(*place))"),
                ("maybe", "places.find(|place| !self.bit(*place))"),
            ],
        },
        Code {
            file: "algorithms/bloom_filter.rs",
            region: "insert",
            marks: &[
                ("shown", "|= 1 << (place % 64)"),
                ("lie", "|= 1 << (place % 64)"),
            ],
        },
        Code {
            file: "algorithms/counting_bloom_filter.rs",
            region: "remove",
            marks: &[("counted-down", "self.put(place, count.saturating_sub(1))")],
        },
    ];
}
