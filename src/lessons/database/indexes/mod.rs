//! Indexes: how do you find one row in a billion, and how many pages must be read for it?

mod growth;
mod model;
mod settings;
mod store;
mod story;
mod tree;
mod view;

#[cfg(test)]
mod tests;

pub use model::Library;
pub use settings::Settings;

use engine::{
    ActionSpec, Card, Code, Field, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time,
};

/// The lesson.
pub struct Indexes;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Pages that a question read, and what a scan would have read.
    pub(super) const READ: usize = 0;
    pub(super) const SCAN: usize = 1;
    /// How full the leaves of the tree are, %.
    pub(super) const FILL: usize = 2;
    /// Pages that a new row changed.
    pub(super) const WROTE: usize = 3;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "read",
        &[
            Line::mean("read", probe::READ, Ink::Accent).filled(),
            Line::mean("scan", probe::SCAN, Ink::Secondary),
        ],
        80.0,
    ),
    Plot::of(
        "fill",
        &[Line::mean("fill", probe::FILL, Ink::Hit).filled()],
        100.0,
    ),
    Plot::of(
        "wrote",
        &[Line::mean("wrote", probe::WROTE, Ink::Warn).filled()],
        4.0,
    ),
];

impl Lesson for Indexes {
    type Model = Library;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Library> = Sheet {
        actions: &[
            ActionSpec::whole("row"),
            ActionSpec::whole("range"),
            ActionSpec::whole("open"),
            ActionSpec::whole("insert"),
            ActionSpec::whole("delete"),
            ActionSpec::whole("empty"),
            ActionSpec::typed(
                "ask-id",
                &Field {
                    most: 12,
                    refusals: &["no-id"],
                    samples: &["42", "7", "999999999"],
                },
            ),
            ActionSpec::typed(
                "put-id",
                &Field {
                    most: 12,
                    refusals: &["no-id", "small", "taken"],
                    samples: &["1234567", "42"],
                },
            ),
        ],
        probes: &[Probe::Spread, Probe::Spread, Probe::Level, Probe::Spread],
        plots: PLOTS,
        key: &[(Glyph::Request, Ink::Accent)],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.000_25,
        sample: Time::us(250),
        growth: Some(&growth::GROWTH),
        twin: ("index", 3.0),
        still: Time::us(1_200),
        stands_for: &[(model::LADDER, model::INDEX)],
        ..Sheet::usual(
            Card {
                slug: "indexes",
                chapter: "database",
                tables: &["btree_avl_range_index", "hash_functions"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "lessons/database/indexes/store.rs",
            region: "scan",
            marks: &[
                ("no-index", "for page in 0..pages"),
                ("by-scan", "for page in 0..pages"),
            ],
        },
        Code {
            file: "lessons/database/indexes/store.rs",
            region: "plan",
            marks: &[
                ("by-index", "Planner::Decides => index < scan"),
                ("reads-table", "read.push(page);"),
            ],
        },
        Code {
            file: "algorithms/btree.rs",
            region: "search",
            marks: &[("reads-index", "trace(Step::Reads(at));")],
        },
        Code {
            file: "algorithms/btree.rs",
            region: "split",
            marks: &[("splits", "trace(Step::Splits(at, right));")],
        },
        Code {
            file: "algorithms/hash_index.rs",
            region: "bucket",
            marks: &[],
        },
    ];
}
