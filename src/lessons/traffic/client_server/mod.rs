//! Client and server: what happens between a click and a page?

mod heads;
mod model;
mod news;
mod state;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Browsing;
pub use state::Settings;

use engine::{
    ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Statistic, Time,
};
use state::{BROWSER, LADDER, PAGE};

/// The lesson.
pub struct ClientServer;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Connections that are opening or open.
    pub(super) const OPEN: usize = 0;
    /// Requests that have left and are not answered.
    pub(super) const FLYING: usize = 1;
    /// Bytes of set-ups and heads.
    pub(super) const HEADS: usize = 2;
    /// Bytes that were asked for.
    pub(super) const BYTES: usize = 3;
    /// Age of news when they are seen, µs.
    pub(super) const AGE: usize = 4;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "open",
        &[
            Line::mean("open", probe::OPEN, Ink::Warn).filled(),
            Line::mean("flying", probe::FLYING, Ink::Accent),
        ],
        6.0,
    ),
    Plot::of(
        "bytes",
        &[
            Line::mean("heads", probe::HEADS, Ink::Warn),
            Line::mean("bytes", probe::BYTES, Ink::Ok).filled(),
        ],
        8_000.0,
    ),
    Plot::ms(
        "age",
        &[Line {
            statistic: Statistic::Mean,
            ..Line::mean("age", probe::AGE, Ink::Hit)
        }],
        500.0,
    ),
];

impl Lesson for ClientServer {
    type Model = Browsing;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Browsing> = Sheet {
        actions: &[
            ActionSpec::whole("click"),
            ActionSpec::whole("lose"),
            ActionSpec::whole("race"),
            ActionSpec::whole("restart"),
            ActionSpec::turning("away", "rtt", 200.0),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Count,
            Probe::Count,
            Probe::Spread,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Message, Ink::Warn),
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Replica, Ink::Hit),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        twin: ("design", 3.0),
        still: Time::ms(3_300),
        stands_for: &[(LADDER, PAGE), (LADDER, BROWSER), (PAGE, BROWSER)],
        ..Sheet::usual(
            Card {
                slug: "client-server",
                chapter: "traffic",
                tables: &["http_connections_websocket"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/http_exchange.rs",
            region: "choose",
            marks: &[
                ("opens", "most.max(1) => Choice::Open"),
                ("sends", "Some(first_free) => Choice::On(first_free)"),
                ("waits", "Design::NewForEach(_) => Choice::Waits"),
            ],
        },
        Code {
            file: "algorithms/http_exchange.rs",
            region: "timeout",
            marks: &[
                ("lost", "Some(round_trip) => round_trip"),
                ("setup-lost", "None => FIRST_TIMEOUT_US"),
                ("held-back", "same_answer || !over_quic"),
            ],
        },
        Code {
            file: "algorithms/http_exchange.rs",
            region: "again",
            marks: &[
                ("again", "Method::Get => true"),
                ("post-failed", "Method::Post => false"),
            ],
        },
        Code {
            file: "lessons/traffic/client_server/news.rs",
            region: "push",
            marks: &[("pushes", "Frame::new(Opcode::Text")],
        },
    ];
}
