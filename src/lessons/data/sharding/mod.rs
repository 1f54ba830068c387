//! A lesson on `kit::system`: what happens when more come than one server can do?

mod story;

#[cfg(test)]
mod tests;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, PartId, Plot, Sheet, Time};
use kit::system::{
    Call, Crowd, Deed, Dial, Kind, Node, NodeId, Plan, Script, Service, Spread, System, Values,
    Wire, WireId, draw, probe,
};

/// The lesson.
pub struct Sharding;

/// Who asks.
pub const USERS: NodeId = NodeId(0);
/// Who answers.
pub const SERVER: NodeId = NodeId(1);
const LINK: WireId = WireId(0);
/// One way along the wire, stretched so that it can be seen.
const HOP: Time = Time::ms(80);
/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(6);

const DIALS: &[Dial] = &[
    Dial::slider("load", [1.0, 60.0, 1.0], "req/s", 10.0),
    Dial::whole("workers", [1, 8], 2),
    Dial::whole("queue", [0, 40], 20),
    Dial::slider("work", [20.0, 500.0, 10.0], "ms", 100.0),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("crash"),
    ActionSpec::whole("recover"),
    ActionSpec::whole("flash"),
];

const DEEDS: &[Deed] = &[
    Deed::Crash(SERVER),
    Deed::Recover(SERVER),
    Deed::Surge(USERS, 5.0, Time::s(5)),
];

impl Script for Sharding {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let call = Call {
            timeout: Some(Time::s(2)),
            ..Call::over(LINK)
        };
        let server = Service::new(
            knobs.whole("workers"),
            knobs.whole("queue"),
            knobs.ms("work"),
            Spread::Fixed,
        );
        Plan {
            nodes: vec![
                Node::one(
                    USERS,
                    "users",
                    Kind::Crowd(Crowd::poisson(knobs.get("load"), call)),
                ),
                Node::one(SERVER, "server", Kind::Service(server)),
            ],
            wires: vec![Wire::new(LINK, USERS, SERVER, "link", HOP)],
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }
}

/// How many requests a second the server can answer.
#[cfg(test)]
fn capacity(knobs: &Values) -> f64 {
    f64::from(knobs.whole("workers")) / knobs.ms("work").as_s()
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "answers",
        &[
            Line::mean("answered", probe::DONE, Ink::Ok).filled(),
            Line::mean("failed", probe::FAILED, Ink::Bad),
        ],
        30.0,
    ),
    Plot::of(
        "waiting",
        &[Line::mean("waiting", probe::WAITING, Ink::Hit).filled()],
        20.0,
    ),
];

impl Lesson for Sharding {
    type Model = System;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &probe::ALL,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        twin: ("workers", 4.0),
        stands_for: &[(PartId::one("users"), PartId::one("server"))],
        still: Time::s(4),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "sharding",
                chapter: "data",
                tables: &[],
            },
            || Values::first(&Sharding),
            draw,
        )
    };
    const CODE: &'static [Code] = &[Code {
        file: "kit/flow/pool.rs",
        region: "offer",
        marks: &[("waits", "Offer::Waits("), ("overflow", "Offer::Full")],
    }];
}
