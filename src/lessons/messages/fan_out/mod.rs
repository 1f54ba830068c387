//! Fan-out: one event, many reactions. Who waits for whom?

mod model;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{Settings, Shop};

use engine::{Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct FanOut;

/// What the model measures, as numbers of [`Lesson::PROBES`].
mod probe {
    pub(super) const WAIT: usize = 0;
    pub(super) const BACKLOG: usize = 1;
    pub(super) const DONE: usize = 2;
    pub(super) const GONE: usize = 3;
}

impl Lesson for FanOut {
    type Model = Shop;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Shop> = Sheet {
        actions: model::Break::SPECS,
        probes: &[Probe::Level, Probe::Level, Probe::Count, Probe::Count],
        plots: &[
            // Not a percentile: over the few answers of some seconds it would lag behind what the stage shows.
            Plot::ms(
                "wait",
                &[Line::mean("latest", probe::WAIT, Ink::Warn)],
                600.0,
            ),
            Plot::of(
                "backlog",
                &[Line::mean("backlog", probe::BACKLOG, Ink::Hit).filled()],
                12.0,
            ),
            Plot::of(
                "reactions",
                &[
                    Line::mean("done", probe::DONE, Ink::Accent).filled(),
                    Line::mean("gone", probe::GONE, Ink::Bad),
                ],
                24.0,
            ),
        ],
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Message, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.2,
        twin: ("design", story::PUSH),
        still: Time::ms(2_150),
        warm_up: Time::s(5),
        ..Sheet::usual(
            Card {
                slug: "fan-out",
                chapter: "messages",
                tables: &["message_queue_sqs", "pubsub_sns"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/topic.rs",
            region: "publish",
            marks: &[
                ("topic-copies", "subscription.pending.insert(id, delivery)"),
                ("topic-pushes", "subscription.pending.insert(id, delivery)"),
            ],
        },
        Code {
            file: "algorithms/message_queue.rs",
            region: "receive",
            marks: &[
                ("lent", "message.visible_at_us = now_us"),
                ("lent-again", "message.receive_count += 1"),
                ("lent-again", "message.visible_at_us = now_us"),
                ("buried", "self.dead_letters.extend(letter)"),
            ],
        },
        Code {
            file: "algorithms/message_queue.rs",
            region: "delete",
            marks: &[
                ("acknowledged", "self.remove(receipt.message)"),
                ("ack-stale", "QueueError::StaleReceipt"),
                ("ack-needless", "return Ok(())"),
            ],
        },
    ];
}
