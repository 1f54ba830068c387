//! Event streams: many readers, one log. Who has read how far?

mod group;
mod lane;
mod model;
mod readers;
mod settings;
mod story;
mod trials;
mod view;

#[cfg(test)]
mod tests;

pub use model::Streams;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct EventStreams;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Records that are not committed, of Search and of Counter.
    pub(super) const LAG_SEARCH: usize = 0;
    pub(super) const LAG_COUNTER: usize = 1;
    /// How old the oldest of them is, s.
    pub(super) const AGE_SEARCH: usize = 2;
    pub(super) const AGE_COUNTER: usize = 3;
    /// How long records are kept, s.
    pub(super) const KEPT: usize = 4;
    /// Clicks a second: written, done by Search, done again.
    pub(super) const WRITTEN: usize = 5;
    pub(super) const DONE: usize = 6;
    pub(super) const AGAIN: usize = 7;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "lag",
        &[
            Line::mean("search", probe::LAG_SEARCH, Ink::MemberA).filled(),
            Line::mean("counter", probe::LAG_COUNTER, Ink::MemberB),
        ],
        40.0,
    ),
    Plot::of(
        "age",
        &[
            Line::mean("search", probe::AGE_SEARCH, Ink::MemberA),
            Line::mean("counter", probe::AGE_COUNTER, Ink::MemberB),
            Line::mean("kept", probe::KEPT, Ink::Bad),
        ],
        10.0,
    ),
    Plot::of(
        "clicks",
        &[
            Line::mean("written", probe::WRITTEN, Ink::Accent),
            Line::mean("done", probe::DONE, Ink::Ok).filled(),
            Line::mean("again", probe::AGAIN, Ink::Bad),
        ],
        20.0,
    ),
];

impl Lesson for EventStreams {
    type Model = Streams;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Streams> = Sheet {
        actions: &[
            ActionSpec::aimed("kill", "consumer"),
            ActionSpec::aimed("hang", "consumer"),
            ActionSpec::whole("sleep"),
            ActionSpec::whole("rewind"),
            ActionSpec::aimed("kill-broker", "broker"),
            ActionSpec::aimed("revive", "broker"),
            ActionSpec::whole("celebrity"),
            ActionSpec::whole("compact"),
            ActionSpec::whole("forget"),
            ActionSpec::whole("begin"),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Count,
            Probe::Count,
            Probe::Count,
        ],
        plots: PLOTS,
        key: &[(Glyph::Message, Ink::Accent)],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("lanes", 1.0),
        still: Time::s(4),
        warm_up: Time::s(12),
        ..Sheet::usual(
            Card {
                slug: "event-streams",
                chapter: "messages",
                tables: &[
                    "kafka_partitioner",
                    "kafka_assignors",
                    "log_delivery_semantics",
                    "replica_placement_kafka",
                ],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/log.rs",
            region: "append",
            marks: &[("appended", "self.records.push_back(Record {")],
        },
        Code {
            file: "algorithms/partitioner.rs",
            region: "by_key",
            marks: &[("clicks", "positive as usize % partitions.max(1)")],
        },
        Code {
            file: "algorithms/log.rs",
            region: "resume",
            marks: &[("out-of-range", "_ => Resume::Reset(match reset {")],
        },
        Code {
            file: "lessons/messages/event_streams/readers.rs",
            region: "commit",
            marks: &[
                ("commits", "self.groups[g].commit(c, worked)"),
                ("refused", "Note::new(\"refused\")"),
            ],
        },
        Code {
            file: "lessons/messages/event_streams/readers.rs",
            region: "rebalance",
            marks: &[("stops", "group.release_all(c, cx.now())")],
        },
        Code {
            file: "lessons/messages/event_streams/model.rs",
            region: "cut-off",
            marks: &[("gone", "self.lanes[l].log.truncate(end)")],
        },
    ];
}
