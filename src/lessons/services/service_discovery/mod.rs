//! Service discovery: where is everyone today, and who still believes yesterday?

mod story;
mod view;
mod world;

#[cfg(test)]
mod tests;

use algorithms::retry::Backoff;
use engine::tape::NoteId;
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Sheet, Stream, Time,
};
use kit::flow::Key;
use kit::system::{
    Call, Crowd, Cx, Deed, Dial, Draw, Frame, Gate, Kind, Node, NodeId, Own, Plan, Retry, Script,
    Service, Spread, System, Values, Wire, WireId, probe,
};
use std::collections::VecDeque;
use world::{Rules, State, TRIP, World};

/// The lesson.
pub struct ServiceDiscovery;

/// Callers that look the service up.
const CALLERS: usize = 3;
/// The most copies there is room for.
const ROOM: usize = 12;
/// Who wants something of each caller.
const USERS: [NodeId; CALLERS] = [NodeId(0), NodeId(1), NodeId(2)];
/// What chooses a copy for each.
const GATES: [NodeId; CALLERS] = [NodeId(3), NodeId(4), NodeId(5)];
const GATEWAY: NodeId = NodeId(6);
/// The service: all places for copies, whether there is one or not.
const STOCK: NodeId = NodeId(7);
const IN: [WireId; CALLERS] = [WireId(0), WireId(1), WireId(2)];
const OUT: [WireId; CALLERS] = [WireId(3), WireId(4), WireId(5)];
const TO_GATEWAY: [WireId; CALLERS] = [WireId(6), WireId(7), WireId(8)];
const FROM_GATEWAY: WireId = WireId(9);

/// A caller waits so long for each try.
const PATIENCE: Time = Time::ms(1_500);
/// Tries after the first, each of another copy.
const RETRIES: u8 = 2;
/// Work on a call is even between 0.2 and 0.6 s: slow, so that it can be seen.
const WORK: Time = Time::ms(400);
const WORKERS: u32 = 2;
const PLACES: u32 = 3;
/// Requests whose tries are remembered, so that each goes to another copy.
const TRIED: usize = 64;
/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(14);
/// When Stock 3 loses its power if nobody does anything.
const BY_ITSELF: Time = Time::ms(1_200);
const SALT: Stream = Stream::named("discovery");

fn stock_part(copy: usize) -> PartId {
    PartId::nth("stock", copy as u16 + 1)
}

/// The callers as parts, and the gateway after them.
const CALLER_PARTS: [&str; CALLERS + 1] = ["caller-a", "caller-b", "caller-c", "gateway"];

fn caller_part(caller: usize) -> PartId {
    PartId::one(CALLER_PARTS[caller.min(CALLERS)])
}

const DIALS: &[Dial] = &[
    Dial::slider("beat", [0.2, 10.0, 0.1], "s", 3.0),
    Dial::slider("lease", [0.5, 30.0, 0.5], "s", 9.0),
    Dial::slider("lists", [0.0, 10.0, 0.1], "s", 3.0),
    Dial::choice("tells", &["copy", "asked"], 0),
    Dial::choice("fails", &["gives-up", "next", "fetches"], 0),
    Dial::switch("preserves", false),
    Dial::choice("looks", &["callers", "gateway"], 0),
    Dial::slider("sweep", [0.0, 10.0, 0.1], "s", 6.0),
    Dial::choice("detector", &["lease", "phi"], 0),
    Dial::slider("phi", [1.0, 12.0, 0.5], "", 8.0),
    Dial::slider("pause", [0.0, 3.0, 0.5], "", 1.0),
    Dial::slider("lost", [0.0, 50.0, 1.0], "%", 0.0),
    Dial::slider("spread", [0.0, 3.0, 0.1], "s", 0.0),
    Dial::whole("copies", [2, ROOM as u32], 6),
    Dial::slider("load", [0.0, 40.0, 1.0], "req/s", 18.0),
    Dial::slider("stays", [0.0, 10.0, 0.5], "s", 0.0),
    Dial::slider("silent", [0.0, 10.0, 0.1], "s", 0.0),
    Dial::slider("ask", [0.2, 10.0, 0.1], "s", 1.0),
    Dial::whole("misses", [1, 5], 3),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::aimed("power", "stock"),
    ActionSpec::aimed("kill", "stock"),
    ActionSpec::aimed("hang", "stock"),
    ActionSpec::aimed("revive", "stock"),
    ActionSpec::turning("start", "copies", 1.0),
    ActionSpec::whole("cut"),
    ActionSpec::whole("mend"),
    ActionSpec::whole("stop"),
    ActionSpec::whole("restart"),
    ActionSpec::whole("deploy"),
    ActionSpec::whole("storm"),
    ActionSpec::whole("calm"),
];
const DEEDS: &[Deed] = &[
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Turn,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
];

/// What the script keeps beside the control plane: which copies a request has tried.
#[derive(Clone, Debug)]
struct Seen {
    world: World,
    tried: VecDeque<(u64, u16)>,
}

impl Script for ServiceDiscovery {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let by_gateway = knobs.whole("looks") == 1;
        let retry = Retry {
            retries: RETRIES,
            backoff: Backoff::IMMEDIATE,
            budget: None,
            heeds: None,
        };
        let users = |i: usize| {
            let call = Call {
                timeout: Some(PATIENCE),
                retry: (knobs.whole("fails") > 0).then_some(retry),
                ..Call::over(IN[i])
            };
            let crowd = Crowd::poisson(knobs.get("load") / CALLERS as f64, call);
            Node::one(USERS[i], CALLER_PARTS[i], Kind::Crowd(crowd))
        };
        let gate = |i: usize| {
            let gate = Gate {
                routes: vec![if by_gateway { TO_GATEWAY[i] } else { OUT[i] }],
                filters: !by_gateway,
                ..Gate::default()
            };
            Node::one(GATES[i], CALLER_PARTS[i], Kind::Gate(gate))
        };
        let gateway = Gate {
            routes: vec![FROM_GATEWAY],
            filters: true,
            ..Gate::default()
        };
        let mut stock = Service::new(WORKERS, PLACES, WORK, Spread::Uniform);
        stock.skips_left = true;
        let mut nodes: Vec<Node> = (0..CALLERS).map(users).collect();
        nodes.extend((0..CALLERS).map(gate));
        nodes.push(Node::one(GATEWAY, "gateway", Kind::Gate(gateway)));
        nodes.push(Node::many(STOCK, "stock", Kind::Service(stock), ROOM));
        let mut wires = vec![Wire::new(FROM_GATEWAY, GATEWAY, STOCK, "call", TRIP)];
        for i in 0..CALLERS {
            wires.push(Wire::new(IN[i], USERS[i], GATES[i], "inside", Time::ZERO));
            wires.push(Wire::new(OUT[i], GATES[i], STOCK, "call", TRIP));
            wires.push(Wire::new(TO_GATEWAY[i], GATES[i], GATEWAY, "inward", TRIP));
        }
        Plan {
            nodes,
            wires,
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen {
            world: World::new(),
            tried: VecDeque::new(),
        })
    }

    fn start(&self, system: &mut System) {
        // Who is there and who believes what stays: the system has run.
        let now = system.now;
        world_mut(system).open(now);
    }

    fn can(&self, act: Act, system: &System) -> bool {
        let world = world(system);
        let state = world.copies.get(act.target).map(|it| it.state);
        match ACTIONS.get(act.spec).map(|it| it.id) {
            Some("power") => matches!(state, Some(State::Up | State::Hung | State::Killed)),
            Some("kill") => matches!(state, Some(State::Up | State::Hung)),
            Some("hang") => state == Some(State::Up),
            Some("revive") => matches!(state, Some(State::Gone | State::Hung | State::Killed)),
            Some("cut") => !world.is_cut(),
            Some("mend") => world.is_cut(),
            Some("stop") => world.running,
            Some("deploy") => !world.deploys(),
            Some("storm") => world.storm_until <= system.now,
            _ => true,
        }
    }

    fn act(&self, act: Act, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        let (copy, world) = (act.target, world_mut(system));
        match ACTIONS.get(act.spec).map(|it| it.id) {
            Some("power") => world.kill(copy, State::Gone, cx),
            Some("kill") => world.kill(copy, State::Killed, cx),
            Some("hang") => world.kill(copy, State::Hung, cx),
            Some("revive") => world.revive(copy, cx),
            Some("cut") => world.cut(cx),
            Some("mend") => world.mend(cx),
            Some("stop") => world.stop(cx),
            Some("restart") => world.restart(cx),
            Some("deploy") => world.deploy(cx),
            Some("storm") => world.storm(cx),
            _ => world.calm(cx),
        }
    }

    fn allowed(&self, over: WireId, draw: &Draw, member: usize, system: &System) -> bool {
        let seen = system.own::<Seen>();
        let caller = OUT.iter().position(|it| *it == over).unwrap_or(CALLERS);
        let list = seen.world.callers[caller].list;
        let tried = seen.tried.iter().find(|it| it.0 == draw.dice);
        let left = list & !tried.map_or(0, |it| it.1);
        // Who has tried all that are listed begins again.
        let left = if left == 0 { list } else { left };
        left & (1 << member) != 0
    }

    fn because(&self, _: &Wire, _: &Draw, _: &System) -> &'static str {
        "because.turn"
    }

    fn sent(&self, call: Key, system: &mut System, _: Time) {
        let Some((frame, caller)) = system.frame(call).copied().zip(system.caller(call)) else {
            return;
        };
        let (node, copy) = frame.at();
        let caller = usize::from(caller.at().0.0);
        if node != STOCK || caller >= CALLERS {
            return;
        }
        let seen = system.own_mut::<Seen>();
        match seen.tried.iter_mut().find(|it| it.0 == frame.draw.dice) {
            Some(tried) => tried.1 |= 1 << copy,
            None => {
                if seen.tried.len() == TRIED {
                    seen.tried.pop_front();
                }
                seen.tried.push_back((frame.draw.dice, 1 << copy));
            }
        }
        seen.world.called(caller, copy, frame.number);
    }

    fn heard(&self, note: &Note, system: &mut System) {
        let caller = |part: PartId| CALLER_PARTS.iter().position(|it| *it == part.kind);
        if let ("tries-again", Some(caller)) = (note.word, note.part.and_then(caller)) {
            world_mut(system).hurry(caller);
        }
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        world_mut(system).over(request, now);
    }

    fn report(&self, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let world = world_mut(system);
        if !world.begun {
            let salt = engine::random::unit(cx.random(SALT)).to_bits();
            cx.because(NoteId::NONE);
            world.begin(knobs, salt, cx);
        } else if world.knobs != knobs.all() {
            world.knobs = knobs.all().to_vec();
            world.heed(Rules::of(knobs), cx);
        }
        world.fetch_now(cx);
        tell(system, cx);
    }

    fn timer(&self, _: u32, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        world_mut(system).ring(cx);
        tell(system, cx);
    }
}

fn world(system: &System) -> &World {
    &system.own::<Seen>().world
}

fn world_mut(system: &mut System) -> &mut World {
    &mut system.own_mut::<Seen>().world
}

/// Says what calls went to ghosts, opens and shuts the doors of copies that have come or gone, and measures.
fn tell(system: &mut System, cx: Cx<'_, '_>) {
    world::apply(system, cx);
    let now = cx.now();
    let world = world_mut(system);
    for (caller, copy, number) in std::mem::take(&mut world.untold) {
        let (part, gone) = (caller_part(caller), &world.copies[copy]);
        cx.because(world.list_of(caller).note);
        let note = Note::new("calls-ghost")
            .with(Arg::Part(part))
            .with(Arg::Part(stock_part(copy)))
            .with(Arg::Span(now.since(gone.since)));
        cx.say(note.about(part).dot(number));
        cx.sample(TO_GHOSTS, 1.0);
    }
    let (ghosts, strangers) = world.wrong();
    cx.sample(GHOSTS, f64::from(ghosts));
    cx.sample(STRANGERS, f64::from(strangers));
    for _ in 0..std::mem::take(&mut world.talked) {
        cx.sample(TALK, 1.0);
    }
}

/// Probes of the lesson's own.
const GHOSTS: usize = probe::OWN;
const STRANGERS: usize = probe::OWN + 1;
const TO_GHOSTS: usize = probe::OWN + 2;
const TALK: usize = probe::OWN + 3;
const PROBES: [Probe; probe::OWN + 4] = {
    let mut all = [Probe::Level; probe::OWN + 4];
    let mut i = 0;
    while i < probe::OWN {
        all[i] = probe::ALL[i];
        i += 1;
    }
    (all[TO_GHOSTS], all[TALK]) = (Probe::Count, Probe::Count);
    all
};

const PLOTS: &[Plot] = &[
    Plot::of(
        "wrong",
        &[
            Line::mean("ghosts", GHOSTS, Ink::Bad).filled(),
            Line::mean("strangers", STRANGERS, Ink::Accent),
        ],
        6.0,
    ),
    Plot::of(
        "calls",
        &[
            Line::mean("answered", probe::DONE, Ink::Ok).filled(),
            Line::mean("failed", probe::FAILED, Ink::Warn),
            Line::mean("to-ghosts", TO_GHOSTS, Ink::Bad),
        ],
        20.0,
    ),
    Plot::of(
        "talk",
        &[Line::mean("talk", TALK, Ink::Accent).filled()],
        6.0,
    ),
];

impl Lesson for ServiceDiscovery {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Warn),
            (Glyph::Request, Ink::Mark),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Heartbeat, Ink::Secondary),
            (Glyph::Heartbeat, Ink::Bad),
            (Glyph::Response, Ink::Mark),
            (Glyph::Message, Ink::Hit),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        stands_for: view::STANDS_FOR,
        speed: 1.0,
        twin: ("fails", 1.0),
        // The registry and one caller know, two do not.
        still: Time::ms(10_400),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "service-discovery",
                chapter: "services",
                tables: &["failure_detector_registry"],
            },
            || Values::first(&ServiceDiscovery),
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/lease_registry.rs",
            region: "sweep",
            marks: &[
                ("struck-out", "self.cancel(lease.instance);"),
                ("keeps", "if !over.is_empty() && came <= threshold {"),
            ],
        },
        Code {
            file: "algorithms/lease_registry.rs",
            region: "register",
            marks: &[
                ("registers", "self.leases.insert(place, lease);"),
                ("unknown", "return false;"),
            ],
        },
        Code {
            file: "algorithms/phi_accrual.rs",
            region: "phi",
            marks: &[("suspected", "-libm::log10(late)")],
        },
    ];
}
