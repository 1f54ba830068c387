//! Gossip: nobody keeps the list. How does everyone find out?

mod model;
mod settings;
mod state;
mod story;
mod tell;
mod view;

#[cfg(test)]
mod tests;

pub use settings::Settings;
pub use state::Village;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Gossip;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Shares of lists: that know the news, that suspect the watched member, that hold it for dead; 0 to 100.
    pub(super) const KNOW: usize = 0;
    pub(super) const SUSPECT: usize = 1;
    pub(super) const DEAD: usize = 2;
    /// Messages.
    pub(super) const MESSAGES: usize = 3;
    /// Accusations, and those of members that live.
    pub(super) const ACCUSED: usize = 4;
    pub(super) const FALSELY: usize = 5;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "lists",
        &[
            Line::mean("know", probe::KNOW, Ink::Accent).filled(),
            Line::mean("suspect", probe::SUSPECT, Ink::Warn),
            Line::mean("dead", probe::DEAD, Ink::Bad),
        ],
        100.0,
    ),
    Plot::of(
        "messages",
        &[Line::mean("messages", probe::MESSAGES, Ink::Accent).filled()],
        300.0,
    ),
    Plot::of(
        "accused",
        &[
            Line::mean("accused", probe::ACCUSED, Ink::Warn).filled(),
            Line::mean("falsely", probe::FALSELY, Ink::Bad),
        ],
        5.0,
    ),
];

impl Lesson for Gossip {
    type Model = Village;
    const LEVEL: Level = Level::Advanced;
    const SHEET: Sheet<Village> = Sheet {
        actions: &[
            ActionSpec::whole("join"),
            ActionSpec::aimed("crash", "node"),
            ActionSpec::aimed("sleep", "node"),
            ActionSpec::aimed("slow", "node"),
            ActionSpec::whole("cut"),
            ActionSpec::whole("heal"),
            ActionSpec::whole("tell"),
            ActionSpec::on_dot("lose"),
            ActionSpec::on_dot("hold").pulled(),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Count,
            Probe::Count,
            Probe::Count,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Message, Ink::Accent),
            (Glyph::Request, Ink::Mark),
            (Glyph::Response, Ink::Mark),
            (Glyph::Replica, Ink::Hit),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.2,
        sample: Time::ms(100),
        twin: ("telling", 2.0),
        still: Time::ms(5_115),
        warm_up: Time::s(1),
        ..Sheet::usual(
            Card {
                slug: "gossip",
                chapter: "data",
                tables: &["gossip_swim"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/membership.rs",
            region: "round",
            marks: &[("round", "for _ in 0..self.fan_out {")],
        },
        Code {
            file: "algorithms/membership.rs",
            region: "learn",
            marks: &[
                ("hears-join", "*slot = Some(belief);"),
                ("hears-news", "*slot = Some(belief);"),
                ("hears-suspect", "Health::Suspect =>"),
            ],
        },
        Code {
            file: "algorithms/membership.rs",
            region: "ping",
            marks: &[("suspects", "node.changes.push(Change::Accuses(about));")],
        },
        Code {
            file: "algorithms/membership.rs",
            region: "help",
            marks: &[("asks", "Word::Help { of, number }")],
        },
        Code {
            file: "algorithms/membership.rs",
            region: "object",
            marks: &[("objects", "incarnation: heard.incarnation + 1,")],
        },
    ];
}
