//! A lesson on `kit::cluster`: who is silent too long is taken for dead.

mod model;
mod story;
mod view;
mod watch;

#[cfg(test)]
mod tests;

pub use model::{Group, Settings};

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct DistributedLocks;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Nodes that are taken for dead, by each of those that live.
    pub(super) const MISSED: usize = 0;
    /// Of these, nodes that live.
    pub(super) const WRONGLY: usize = 1;
}

const PLOTS: &[Plot] = &[Plot::of(
    "missed",
    &[
        Line::mean("missed", probe::MISSED, Ink::Warn).filled(),
        Line::mean("wrongly", probe::WRONGLY, Ink::Bad),
    ],
    4.0,
)];

impl Lesson for DistributedLocks {
    type Model = Group;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Group> = Sheet {
        actions: &[
            ActionSpec::aimed("crash", "node"),
            ActionSpec::aimed("restart", "node"),
            ActionSpec::on_dot("lose"),
        ],
        probes: &[Probe::Level, Probe::Level],
        plots: PLOTS,
        key: &[(Glyph::Heartbeat, Ink::Accent), (Glyph::Failure, Ink::Bad)],
        story: story::STORY,
        challenges: story::CHALLENGES,
        twin: ("patience", 3_000.0),
        still: Time::ms(3_100),
        warm_up: Time::s(2),
        ..Sheet::usual(
            Card {
                slug: "distributed-locks",
                chapter: "data",
                tables: &[],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[Code {
        file: "lessons/data/distributed_locks/watch.rs",
        region: "silence",
        marks: &[
            ("beats", "out.send(id, ());"),
            ("misses", "node.missed |= 1 << id"),
            ("hears-again", "node.missed &= !(1 << from);"),
        ],
    }];
}
