//! Template of a lesson on topics and functions of `kit::system`, on a way that loses: how does one message reach several?

mod story;

#[cfg(test)]
mod tests;

use algorithms::topic::RetryPolicy;
use engine::{
    ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, PartId, Plot, Scene, Sheet, Time,
};
use kit::system::{
    Call, Crowd, Deed, Dial, FUNCTIONS, Function, Gear, Kind, LOSSES, Money, Node, NodeId, PRICES,
    Plan, Price, Script, Service, Spread, Subscription, System, TOPICS, Topic, Values, Wire,
    WireId, draw, probe,
};

/// The lesson.
pub struct Template;

/// Who posts.
pub const USERS: NodeId = NodeId(0);
/// What copies each post.
pub const TOPIC: NodeId = NodeId(1);
/// Who wants all posts.
pub const ARCHIVE: NodeId = NodeId(2);
/// What wants photos alone.
pub const THUMBNAILS: NodeId = NodeId(3);
const LINK: WireId = WireId(0);
/// The way that loses.
pub const TO_ARCHIVE: WireId = WireId(1);
const TO_THUMBNAILS: WireId = WireId(2);
/// The class of posts with a photo; the others have none.
const PHOTO: u8 = 0;
/// One way along a wire, stretched so that it can be seen.
const HOP: Time = Time::ms(150);
/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(6);
/// What the archive costs.
const ARCHIVE_PRICE: Price = Price::a_month(Money::cents(3_000));

const DIALS: &[Dial] = &[
    Dial::slider("load", [1.0, 30.0, 1.0], "/s", 4.0),
    Dial::slider("loss", [0.0, 60.0, 5.0], "%", 0.0),
    Dial::whole("tries", [1, 4], 4),
    Dial::slider("build", [100.0, 2000.0, 100.0], "ms", 800.0),
    Dial::slider("kept", [1.0, 30.0, 1.0], "s", 6.0),
    Dial::whole("provisioned", [0, 8], 0),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("crash"),
    ActionSpec::whole("recover"),
    ActionSpec::whole("flash"),
    ActionSpec::whole("deploy"),
];

const DEEDS: &[Deed] = &[
    Deed::Crash(ARCHIVE),
    Deed::Recover(ARCHIVE),
    Deed::Surge(USERS, 5.0, Time::s(5)),
    Deed::Deploy(THUMBNAILS),
];

impl Script for Template {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn gear(&self) -> Gear {
        Gear {
            losses: Some(&LOSSES),
            prices: Some(&PRICES),
            topics: Some(&TOPICS),
            functions: Some(&FUNCTIONS),
            ..Gear::NONE
        }
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let mut users = Crowd::poisson(knobs.get("load"), Call::over(LINK));
        users.classes = vec![1.0, 1.0];
        let pushed = |over| Subscription {
            timeout: Time::s(1),
            retry: RetryPolicy {
                delay_min_s: 1.0,
                delay_max_s: 1.0,
                retries: knobs.whole("tries") - 1,
                ..RetryPolicy::none()
            },
            dead_letters: true,
            ..Subscription::to(over)
        };
        let photos = Subscription {
            classes: vec![PHOTO],
            timeout: Time::s(15),
            ..pushed(TO_THUMBNAILS)
        };
        let topic = Topic {
            subscriptions: vec![pushed(TO_ARCHIVE), photos],
        };
        let archive = Service::new(8, 100, Time::ms(60), Spread::Fixed);
        let thumbnails = Function {
            build: knobs.ms("build"),
            kept: knobs.s("kept"),
            provisioned: knobs.whole("provisioned"),
            limit: 30,
            ..Function::new(Time::ms(400), Spread::Exponential)
        };
        Plan {
            nodes: vec![
                Node::one(USERS, "users", Kind::Crowd(users)),
                Node::one(TOPIC, "topic", Kind::Topic(topic)),
                Node {
                    price: ARCHIVE_PRICE,
                    ..Node::one(ARCHIVE, "archive", Kind::Service(archive))
                },
                Node {
                    price: Price::LAMBDA,
                    ..Node::one(THUMBNAILS, "thumbnails", Kind::Function(thumbnails))
                },
            ],
            wires: vec![
                Wire::new(LINK, USERS, TOPIC, "link", HOP),
                Wire {
                    loss: knobs.get("loss") / 100.0,
                    ..Wire::new(TO_ARCHIVE, TOPIC, ARCHIVE, "to-archive", HOP)
                },
                Wire::new(TO_THUMBNAILS, TOPIC, THUMBNAILS, "to-thumbnails", HOP),
            ],
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn line(&self, node: NodeId, _: usize, system: &System, scene: &Scene) -> Option<String> {
        if node != ARCHIVE && node != THUMBNAILS {
            return None;
        }
        let micro = system.cost(node, system.now).0 / 1_000_000;
        Some(scene.say("cost", &[Arg::Count(micro as i64)]))
    }
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "posts",
        &[
            Line::mean("posted", probe::DONE, Ink::Ok).filled(),
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

const USERS_PART: PartId = PartId::one("users");
const TOPIC_PART: PartId = PartId::one("topic");

impl Lesson for Template {
    type Model = System;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &probe::ALL,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Message, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        twin: ("tries", 1.0),
        stands_for: &[(USERS_PART, TOPIC_PART)],
        still: Time::s(4),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "template-events",
                chapter: "messages",
                tables: &[],
            },
            || Values::first(&Template),
            draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/topic.rs",
            region: "publish",
            marks: &[("published", "subscription.pending.insert")],
        },
        Code {
            file: "algorithms/functions.rs",
            region: "place",
            marks: &[
                ("warm", "Placement::Warm(id)"),
                ("cold", "Placement::Cold(id)"),
            ],
        },
    ];
}
