//! Pub-sub: push to everyone, now. What if someone cannot keep up?

mod address;
mod model;
mod settings;
mod story;
mod subscriber;
mod view;

#[cfg(test)]
mod tests;

pub use model::Market;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct PubSub;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Prices that wait for Alerts.
    pub(super) const WAITING_ALERTS: usize = 0;
    /// Prices that wait for Phone.
    pub(super) const WAITING_PHONE: usize = 1;
    /// From publishing to handled, µs, of Alerts and of Screen.
    pub(super) const AGE_ALERTS: usize = 2;
    pub(super) const AGE_SCREEN: usize = 3;
    /// Copies handled and lost, a second.
    pub(super) const HANDLED: usize = 4;
    pub(super) const LOST: usize = 5;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "waiting",
        &[
            Line::mean("alerts", probe::WAITING_ALERTS, Ink::Warn).filled(),
            Line::mean("phone", probe::WAITING_PHONE, Ink::Hit),
        ],
        32.0,
    ),
    Plot::ms(
        "age",
        &[
            Line::mean("alerts", probe::AGE_ALERTS, Ink::Warn),
            Line::mean("screen", probe::AGE_SCREEN, Ink::Accent),
        ],
        2_000.0,
    ),
    Plot::of(
        "copies",
        &[
            Line::mean("handled", probe::HANDLED, Ink::Ok).filled(),
            Line::mean("lost", probe::LOST, Ink::Bad),
        ],
        40.0,
    ),
];

/// Before time zero: long enough for rates and links to be full, and no longer, for Alerts falls behind from the first.
const WARM_UP: Time = Time::s(3);

impl Lesson for PubSub {
    type Model = Market;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Market> = Sheet {
        actions: &[
            ActionSpec::aimed("away", "subscriber"),
            ActionSpec::aimed("slow", "subscriber"),
            ActionSpec::whole("burst"),
            ActionSpec::whole("join"),
            ActionSpec::whole("restart"),
            ActionSpec::aimed("lose-answer", "subscriber"),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Spread,
            Probe::Spread,
            Probe::Count,
            Probe::Count,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Message, Ink::Hit),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("hard", 256.0),
        still: Time::s(9),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "pub-sub",
                chapter: "messages",
                tables: &["pubsub_sns"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/output_buffer.rs",
            region: "push",
            marks: &[
                ("waits", "self.items.push_back((key, item))"),
                ("dropped", "return Pushed::Refused(item)"),
                ("cut", "return Pushed::Cut(self.cut())"),
                ("soft", "self.clock(now_us, limits)"),
            ],
        },
        Code {
            file: "algorithms/topic.rs",
            region: "publish",
            marks: &[("copies", "copies.push((subscription_id, id))")],
        },
        Code {
            file: "lessons/messages/pub_sub/model.rs",
            region: "copy",
            marks: &[("must-wait", "return self.block(slowest, cx)")],
        },
    ];
}
