//! Merkle tree: one block of a gigabyte is broken. How few hashes find it?

mod model;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Copies;
pub use settings::Settings;

use model::SOURCE;

use engine::{
    ActionSpec, Card, Code, Field, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time,
};

/// The lesson.
pub struct MerkleTree;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Blocks and hashes that were sent, MB.
    pub(super) const BLOCKS: usize = 0;
    pub(super) const HASHES: usize = 1;
    /// Hashes asked for; those of the list, of the whole tree, and what theory expects for damage at random places.
    pub(super) const ASKED: usize = 2;
    pub(super) const LIST: usize = 3;
    pub(super) const NODES: usize = 4;
    pub(super) const EXPECTED: usize = 5;
    /// What both sides have read to build their trees, GB.
    pub(super) const READ: usize = 6;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "asked",
        &[
            Line::mean("asked", probe::ASKED, Ink::Accent).filled(),
            Line::mean("expected", probe::EXPECTED, Ink::Hit),
            Line::mean("list", probe::LIST, Ink::Warn),
            Line::mean("nodes", probe::NODES, Ink::Secondary),
        ],
        32.0,
    ),
    Plot::of(
        "sent",
        &[
            Line::mean("blocks", probe::BLOCKS, Ink::Hit).filled(),
            Line::mean("hashes", probe::HASHES, Ink::Accent),
        ],
        100.0,
    ),
    Plot::of(
        "read",
        &[Line::mean("read", probe::READ, Ink::Warn).filled()],
        4.0,
    ),
];

const OWN: &Field = &Field {
    most: model::CHUNK,
    refusals: &["no-room", "there", "enough"],
    samples: &["an entry of mine", "fox"],
};

impl Lesson for MerkleTree {
    type Model = Copies;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Copies> = Sheet {
        actions: &[
            ActionSpec::whole("flip"),
            ActionSpec::whole("three"),
            ActionSpec::whole("front"),
            ActionSpec::aimed("forge", "leaves"),
            ActionSpec::whole("double"),
            ActionSpec::whole("write"),
            ActionSpec::whole("prove"),
            ActionSpec::whole("fresh"),
            ActionSpec::typed("own", OWN),
        ],
        probes: &[Probe::Level; 7],
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Message, Ink::Hit),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        speed: 0.05,
        twin: ("method", 1.0),
        still: Time::ms(270),
        stands_for: &[
            (model::inner(SOURCE), model::root(SOURCE)),
            (model::leaves(SOURCE), model::root(SOURCE)),
            (model::BARS, model::COUNT),
            (model::LINE, model::COUNT),
        ],
        sample: Time::ms(10),
        ..Sheet::usual(
            Card {
                slug: "merkle-tree",
                chapter: "database",
                tables: &["merkle_rfc6962"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/merkle_sync.rs",
            region: "hear",
            marks: &[
                ("told", "let equal ="),
                ("asks", "self.ask(shape)"),
                ("found", "self.fetch()"),
            ],
        },
        Code {
            file: "algorithms/merkle_tree.rs",
            region: "marks",
            marks: &[
                ("hashed", ".chain_update([0])"),
                ("paired", ".chain_update([1])"),
            ],
        },
        Code {
            file: "algorithms/merkle_tree.rs",
            region: "odd",
            marks: &[("fooled", "self.node(child, child)")],
        },
    ];
}
