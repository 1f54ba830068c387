//! Layers of caches: one page, five places that may know it; who answered me?

mod acts;
mod author;
mod figure;
mod parts;
mod seen;
mod story;

#[cfg(test)]
mod tests;

use algorithms::zipf::Zipf;
use engine::{
    Act, ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time,
};
use kit::flow::Key;
use kit::system::{
    CACHES, Cache, Call, Crowd, Cx, Deed, Dial, Frame, Gear, Kind, Node, NodeId, Own, Plan, Script,
    Seat, Service, Spread, Step, System, Values, Wire, WireId, probe, thing,
};
use seen::Seen;

/// The lesson.
pub struct CacheLayers;

/// Who visits pages.
pub const VISITORS: NodeId = NodeId(0);
/// The caches on their way: a browser for each of them.
pub const BROWSER: NodeId = NodeId(1);
/// Two edges of a CDN, one for each region.
pub const EDGE: NodeId = NodeId(2);
/// The balancer's own cache.
pub const BALANCER: NodeId = NodeId(3);
/// The app, with its Redis.
pub const REDIS: NodeId = NodeId(4);
/// The table that all of them copy.
pub const DB: NodeId = NodeId(5);
/// Who writes it.
pub const AUTHOR: NodeId = NodeId(6);

const OPENS: WireId = WireId(0);
const NEAR: WireId = WireId(1);
const FAR: WireId = WireId(2);
const INSIDE: WireId = WireId(3);
const QUERY: WireId = WireId(4);
const WRITE: WireId = WireId(5);
const JOB: WireId = WireId(6);

/// One way from a browser to its edge, on to the balancer, on to the app: 20, 171 and 172 ms there and back.
const WAYS: [Time; 3] = [Time::ms(10), Time::us(75_500), Time::us(500)];
/// What the database does at a time.
const WORKERS: u32 = 4;
/// A page shows how many posts its author has: to count them, to read a column that is kept, to write.
const COUNT_POSTS: Time = Time::ms(40);
const READ_COLUMN: Time = Time::ms(5);
const WRITING: Time = Time::ms(5);
/// A reader with bad luck stands still for so long between reading and storing.
const PAUSE: Time = Time::ms(400);

/// Who they are, half of them in each region.
const PEOPLE: u16 = 100;
/// The page that is followed: the one that is asked for most.
pub const HOT: u32 = 0;
/// A page that nobody asks for but the action that needs one.
const QUIET: u32 = 60_000;

/// Classes of what is asked of the database: a page, a write, a page by an unlucky reader, and a write whose +1 is lost.
const PAGE: u8 = 0;
const POST: u8 = 1;
const UNLUCKY: u8 = 2;
const LOSES: u8 = 3;
/// Of the author: the app's own job reads a page.
const APP_JOB: u8 = 4;

const DIALS: &[Dial] = &[
    Dial::slider("browser", [0.0, 300.0, 5.0], "s", 30.0),
    Dial::slider("cdn", [0.0, 300.0, 5.0], "s", 60.0),
    Dial::slider("balancer", [0.0, 300.0, 5.0], "s", 0.0),
    Dial::slider("redis", [0.0, 300.0, 5.0], "s", 60.0),
    Dial::choice("age", &["carried", "anew"], 0),
    Dial::choice(
        "author",
        &["nothing", "after", "before", "outward", "inward", "address"],
        0,
    ),
    Dial::choice("posts", &["counted", "kept"], 0),
    Dial::slider("skew", [0.0, 1.4, 0.1], "", 1.0),
    Dial::slider("pages", [20.0, 2_000.0, 20.0], "", 200.0),
    Dial::slider("visits", [10.0, 100.0, 5.0], "/s", 50.0),
    Dial::slider("changes", [0.0, 5.0, 0.1], "/s", 0.2),
    Dial::slider("roaming", [0.0, 100.0, 5.0], "%", 20.0),
    Dial::slider("step", [0.05, 2.0, 0.05], "s", 0.15),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("post"),
    ActionSpec::whole("bad"),
    ActionSpec::whole("unlucky"),
    ActionSpec::whole("worst"),
    ActionSpec::whole("lose"),
    ActionSpec::whole("recount"),
    ActionSpec::whole("flush"),
];
const DEEDS: &[Deed] = &[Deed::Own; ACTIONS.len()];
const ACT_POST: usize = 0;
const ACT_BAD: usize = 1;
const ACT_UNLUCKY: usize = 2;
const ACT_WORST: usize = 3;
const ACT_LOSE: usize = 4;
const ACT_RECOUNT: usize = 5;

/// Probes of the lesson's own: visits answered by each layer, old answers about the hot page and about all, queries, waiting.
const BY: usize = probe::OWN;
const OLD_HOT: usize = probe::OWN + 5;
const OLD_ALL: usize = probe::OWN + 6;
const QUERIES: usize = probe::OWN + 7;

const PROBES: [Probe; probe::OWN + 8] = [
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Spread,
    Probe::Level,
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Level,
    Probe::Level,
    Probe::Count,
];

/// A cache on the way, by its place: browser 0, edge 1, balancer 2, Redis 3.
const CACHE_NODES: [NodeId; 4] = [BROWSER, EDGE, BALANCER, REDIS];

/// The only member of a node, or the first.
const fn seat(node: NodeId) -> Seat {
    Seat { node, member: 0 }
}

/// The edge that a visitor asks: her region's, or either of them if she roams.
fn edge_of(person: u16, dice: f64, roaming: f64) -> usize {
    let home = usize::from(person % 2);
    // Spread over the people: every 37th, so to say.
    let roams = f64::from(person * 37 % PEOPLE) < roaming;
    if roams { usize::from(dice < 0.5) } else { home }
}

impl Script for CacheLayers {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let anew = knobs.whole("age") == 1;
        let keys = Zipf::new(knobs.whole("pages") as usize, knobs.get("skew"));
        let mut visitors = Crowd::poisson(knobs.get("visits"), Call::over(OPENS));
        visitors.people = PEOPLE;
        visitors.keys = Some(keys.clone());
        let mut author = Crowd::poisson(knobs.get("changes"), Call::over(WRITE));
        author.people = 1;
        author.keys = Some(keys);
        author.classes = vec![0.0, 1.0];
        let write = vec![Step::Call(Call::over(WRITE))];
        author.programs = vec![
            write.clone(),
            write.clone(),
            write.clone(),
            write,
            vec![Step::Call(Call::over(JOB))],
        ];
        let cache = |id: &str, over: WireId| Cache {
            reads_age: !anew,
            ..Cache::over(Call::over(over), knobs.s(id))
        };
        let browser = Cache {
            private: true,
            ..cache("browser", NEAR)
        };
        // What the app makes of a copy in Redis looks new to whoever gets it.
        let redis = Cache {
            tells_age: false,
            ..cache("redis", QUERY)
        };
        let work = match knobs.whole("posts") {
            0 => COUNT_POSTS,
            _ => READ_COLUMN,
        };
        let mut table = Service::new(WORKERS, 10_000, work, Spread::Fixed);
        let page = vec![Step::Read, Step::Work(work)];
        table.programs = vec![
            page.clone(),
            vec![Step::Work(WRITING), Step::Write],
            vec![Step::Read, Step::Work(PAUSE)],
            vec![Step::Work(WRITING)],
            page,
        ];
        Plan {
            nodes: vec![
                Node::one(VISITORS, "visitors", Kind::Crowd(visitors)),
                Node::one(BROWSER, "browser", Kind::Cache(browser)),
                Node::many(EDGE, "edge", Kind::Cache(cache("cdn", FAR)), 2),
                Node::one(BALANCER, "balancer", Kind::Cache(cache("balancer", INSIDE))),
                Node::one(REDIS, "redis", Kind::Cache(redis)),
                Node::one(DB, "db", Kind::Service(table)),
                Node::one(AUTHOR, "author", Kind::Crowd(author)),
            ],
            wires: vec![
                Wire::new(OPENS, VISITORS, BROWSER, "link", Time::ZERO),
                Wire {
                    mapped: true,
                    ..Wire::new(NEAR, BROWSER, EDGE, "link", WAYS[0])
                },
                Wire::new(FAR, EDGE, BALANCER, "link", WAYS[1]),
                Wire::new(INSIDE, BALANCER, REDIS, "link", WAYS[2]),
                Wire::new(QUERY, REDIS, DB, "link", Time::ZERO),
                Wire::new(WRITE, AUTHOR, DB, "link", Time::ZERO),
                Wire::new(JOB, AUTHOR, REDIS, "link", Time::ZERO),
            ],
            ..Plan::default()
        }
    }

    fn gear(&self) -> Gear {
        Gear {
            caches: Some(&CACHES),
            ..Gear::NONE
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen::new(&Values::first(&CacheLayers)))
    }

    /// What lies in caches is older than time zero, and so is what is known of it.
    fn start(&self, _system: &mut System) {}

    fn first_version(&self) -> u32 {
        38
    }

    fn name_of(&self, thing: u32, system: &System) -> u32 {
        system.own::<Seen>().author.name_of(thing)
    }

    fn picks(&self, _over: WireId, call: &Frame, system: &System) -> Option<usize> {
        let roaming = system.own::<Seen>().roaming;
        let draw = &call.draw;
        // The last two of the people are the actions' own: they know where they go.
        Some(match draw.class {
            UNLUCKY => 0,
            _ if thing(draw.key) == QUIET => usize::from(draw.person % 2),
            _ => edge_of(draw.person, draw.unit(90), roaming),
        })
    }

    fn because(&self, _wire: &Wire, draw: &kit::system::Draw, system: &System) -> &'static str {
        let roaming = system.own::<Seen>().roaming;
        let edge = edge_of(draw.person, draw.unit(90), roaming);
        match edge == usize::from(draw.person % 2) {
            true => "because.home",
            false => "because.roams",
        }
    }

    fn sent(&self, call: Key, system: &mut System, now: Time) {
        let Some(frame) = system.frame(call) else {
            return;
        };
        let (number, key, class, to) =
            (frame.number, frame.draw.key, frame.draw.class, frame.at().0);
        if to == DB && matches!(class, POST | LOSES) {
            acts::begins(number, key, system, now);
        }
    }

    fn can(&self, act: Act, system: &System) -> bool {
        let author = &system.own::<Seen>().author;
        match act.spec {
            ACT_BAD => author.bad.is_none(),
            ACT_LOSE => author.keeps && !author.loses,
            ACT_RECOUNT => author.lost > 0,
            _ => true,
        }
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        acts::act(act.spec, system, knobs, cx);
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let from = request.at().0;
        if from == AUTHOR {
            return acts::written(request, system, now);
        }
        if let (VISITORS, Some(answer)) = (from, system.was_told()) {
            seen::visited(request, answer, system, now);
        }
    }

    fn timer(&self, number: u32, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        acts::timer(number, system, cx);
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let turned = system.turned;
        let seen = system.own_mut::<Seen>();
        // Several knobs may turn at one moment.
        if seen.turned != Some(turned) || turned == now {
            seen.turned = Some(turned);
            seen.turns(knobs, now);
        }
    }

    fn report(&self, system: &mut System, _knobs: &Values, cx: Cx<'_, '_>) {
        acts::report(system, cx);
        seen::report(system, cx);
    }
}

/// For how long the system runs before anybody looks: until every copy has been renewed, and a minute more.
const WARM_UP: Time = Time::s(130);

const PLOTS: &[Plot] = &[
    Plot::of(
        "answered",
        &[
            Line::mean("cdn", BY + 1, Ink::Accent).filled(),
            Line::mean("browser", BY, Ink::Ok),
            Line::mean("balancer", BY + 2, Ink::MemberB),
            Line::mean("redis", BY + 3, Ink::Hit),
            Line::mean("db", BY + 4, Ink::Bad),
        ],
        50.0,
    ),
    Plot::of(
        "old",
        &[
            Line::mean("hot", OLD_HOT, Ink::Warn).filled(),
            Line::mean("all", OLD_ALL, Ink::Accent),
        ],
        100.0,
    ),
    Plot::of(
        "queries",
        &[Line::mean("queries", QUERIES, Ink::Bad).filled()],
        10.0,
    ),
];

impl Lesson for CacheLayers {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Response, Ink::Warn),
            (Glyph::Message, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        stands_for: figure::STANDS_FOR,
        speed: 0.5,
        twin: ("author", 3.0),
        still: Time::s(4),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "cache-layers",
                chapter: "memory",
                tables: &["cache_write_policies"],
            },
            || Values::first(&CacheLayers),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/copies.rs",
            region: "fresh",
            marks: &[
                ("answers", "Some(copy)"),
                ("answers-old", "copy.used_us = now_us"),
            ],
        },
        Code {
            file: "algorithms/copies.rs",
            region: "arrives",
            marks: &[("keeps", "self.asked_us.saturating_sub")],
        },
        Code {
            file: "lessons/memory/cache_layers/author.rs",
            region: "orders",
            marks: &[("posted", "let after = match self.rule")],
        },
    ];
}
