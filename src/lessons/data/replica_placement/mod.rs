//! Replica placement: three copies of everything. On which three machines?
//!
//! A model of its own on `kit::flow`, not a protocol on `kit::cluster`: a placement is a function, and repair is traffic.

mod model;
mod placer;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Fleet;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct ReplicaPlacement;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Copies that are to be made.
    pub(super) const SHORT: usize = 0;
    /// Sets of machines that hold all copies of something.
    pub(super) const FATAL: usize = 1;
    /// Copies made.
    pub(super) const COPIED: usize = 2;
    /// Partitions without a majority.
    pub(super) const STUCK: usize = 3;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "short",
        &[
            Line::mean("short", probe::SHORT, Ink::Warn).filled(),
            Line::mean("stuck", probe::STUCK, Ink::Bad),
        ],
        256.0,
    ),
    Plot::of(
        "fatal",
        &[Line::mean("fatal", probe::FATAL, Ink::Bad).filled()],
        220.0,
    ),
    Plot::of(
        "copied",
        &[Line::mean("copied", probe::COPIED, Ink::Hit).filled()],
        12.0,
    ),
];

impl Lesson for ReplicaPlacement {
    type Model = Fleet;
    const LEVEL: Level = Level::Advanced;
    const SHEET: Sheet<Fleet> = Sheet {
        actions: &[
            ActionSpec::aimed("kill", "machine"),
            ActionSpec::whole("several"),
            ActionSpec::aimed("dark", "zone"),
            ActionSpec::whole("light"),
            ActionSpec::aimed("fence", "machine"),
            ActionSpec::whole("anew"),
            ActionSpec::whole("add"),
            ActionSpec::whole("each"),
        ],
        probes: &[Probe::Level, Probe::Level, Probe::Count, Probe::Level],
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Message, Ink::Accent),
            (Glyph::Replica, Ink::Hit),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 4.0,
        twin: ("placement", 4.0),
        stands_for: &[(model::RISKS, model::SETS), (model::LOADS, model::SETS)],
        still: Time::s(2),
        ..Sheet::usual(
            Card {
                slug: "replica-placement",
                chapter: "data",
                tables: &["replica_placement_kafka", "hdfs_block_placement"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/hash_ring.rs",
            region: "copies",
            marks: &[("placed-clockwise", "nodes.push(point.node);")],
        },
        Code {
            file: "algorithms/replica_placement.rs",
            region: "zones",
            marks: &[("placed-zones", "passed.push(machine);")],
        },
        Code {
            file: "algorithms/replica_placement.rs",
            region: "striped",
            marks: &[("placed-striped", "self.offset += 1;")],
        },
        Code {
            file: "algorithms/block_placement.rs",
            region: "block",
            marks: &[("placed-hdfs", "Some(writer)")],
        },
        Code {
            file: "algorithms/copysets.rs",
            region: "groups",
            marks: &[("placed-copysets", "groups.push(group);")],
        },
    ];
}
