//! Random legal plans under random use: nothing lost, nothing twice, no panic; and what theory says of simple ones.

use super::*;
use crate::flow::Key;
use algorithms::balancer::Policy;
use algorithms::circuit_breaker::{counting, rates};
use algorithms::functions::Allowance;
use algorithms::retry::{Backoff, Jitter};
use algorithms::topic::RetryPolicy;
use algorithms::zipf::Zipf;
use engine::random::{Streams, below, unit};
use engine::show::{Ran, Watch};
use engine::{Act, Card, Run, Sheet, Show, Stream, Time};
use rand::Rng;

const CARD: Card = Card {
    slug: "test",
    chapter: "test",
    tables: &[],
};

/// Any legal plan: the knob says which.
struct Any;

const PLANS: f64 = 4_294_967_295.0;
const ANY_DIALS: &[Dial] = &[Dial::slider("plan", [0.0, PLANS, 1.0], "", 0.0)];
const ANY_DEEDS: &[Deed] = &[
    Deed::Crash(NodeId(2)),
    Deed::Crash(NodeId(3)),
    Deed::Crash(NodeId(4)),
    Deed::Recover(NodeId(2)),
    Deed::Recover(NodeId(3)),
    Deed::Recover(NodeId(4)),
    Deed::Restart(NodeId(3)),
    Deed::Slow(NodeId(3), 0.2),
    Deed::Slow(NodeId(4), 0.0),
    Deed::Surge(NodeId(0), 5.0, Time::s(1)),
    Deed::Cut(WireId(1)),
    Deed::Heal(WireId(1)),
    Deed::Flush(NodeId(3)),
    Deed::Crash(NodeId(1)),
    Deed::Recover(NodeId(1)),
    Deed::Surge(NodeId(5), 1.0, Time::s(1)),
    Deed::Refresh(
        NodeId(0),
        Hurry {
            span: Time::s(1),
            patience: Time::ms(300),
            reloads: (3, Time::ms(50)),
        },
    ),
    Deed::Crash(NodeId(6)),
    Deed::Recover(NodeId(6)),
    Deed::Crash(NodeId(7)),
    Deed::Recover(NodeId(7)),
    Deed::Slow(NodeId(7), 0.1),
    Deed::Flush(NodeId(6)),
    Deed::Flush(NodeId(7)),
    Deed::Redrive(NodeId(6)),
    Deed::LoseReceipt(NodeId(6)),
    Deed::Cut(WireId(9)),
    Deed::Heal(WireId(9)),
    Deed::Isolate(NodeId(3)),
    Deed::Rejoin(NodeId(3)),
    Deed::Crash(NodeId(11)),
    Deed::Recover(NodeId(11)),
    Deed::Slow(NodeId(11), 0.0),
    Deed::Flush(NodeId(11)),
    Deed::Flush(NodeId(13)),
    Deed::Cut(WireId(21)),
    Deed::Heal(WireId(21)),
    Deed::Lose(WireId(1), 0.5),
    Deed::Lose(WireId(1), 0.0),
    Deed::Lose(WireId(9), 0.3),
    Deed::Lose(WireId(15), 0.8),
    Deed::Crash(NodeId(8)),
    Deed::Recover(NodeId(8)),
    Deed::Flush(NodeId(8)),
    Deed::Crash(NodeId(9)),
    Deed::Crash(NodeId(9)),
    Deed::Crash(NodeId(9)),
    Deed::Recover(NodeId(9)),
    Deed::Slow(NodeId(9), 0.3),
    Deed::Flush(NodeId(9)),
    Deed::Deploy(NodeId(9)),
];

/// Two crowds (0, 5), a gate (1), three services (2, 3, 4) that may call those behind them, a queue (6) that some of them feed,
/// a service (7) that pulls from it, a topic (8) that pushes to the queue, a service and a function (9), which others call, too; and a crowd (12) that asks two caches (11, 13) in a row before one of the services.
fn any_plan(seed: u32) -> Plan {
    let mut streams = Streams::new(seed);
    let rng = streams.get(Stream::named("plan"));
    let rng = &mut *rng;
    let span = |rng: &mut dyn FnMut() -> f64, ms: f64| Time::from_ms(rng() * ms);
    let mut draw = || unit(rng);
    let policies = Policy::ALL;
    let mut wires = Vec::new();
    for (id, from, to) in [
        (0, 0, 1),
        (1, 1, 2),
        (2, 2, 3),
        (3, 2, 4),
        (4, 3, 4),
        (5, 5, 3),
        (6, 1, 3),
        (7, 0, 2),
        (8, 2, 6),
        (9, 7, 6),
        (10, 7, 4),
        (11, 5, 6),
        (20, 12, 11),
        (21, 11, 13),
        (22, 13, 3),
        (23, 2, 11),
        (12, 2, 8),
        (13, 8, 6),
        (14, 8, 9),
        (15, 8, 3),
        (16, 5, 9),
        (17, 9, 4),
        (18, 5, 8),
    ] {
        let mut wire = Wire::new(
            WireId(id),
            NodeId(from),
            NodeId(to),
            "wire",
            span(&mut draw, 60.0),
        );
        wire.policy = policies[(draw() * 5.999) as usize];
        wire.health = (draw() < 0.5).then_some(Health {
            every: Time::from_ms(50.0 + draw() * 900.0),
            fall: 1 + (draw() * 3.0) as u32,
            rise: 1 + (draw() * 3.0) as u32,
        });
        if draw() < 0.2 {
            wire.loss = draw() * 0.4;
        }
        let far = if draw() < 0.5 { draw() * 4.0 } else { 0.0 };
        wire.by_region = (0..far as usize).map(|_| span(&mut draw, 120.0)).collect();
        wires.push(wire);
    }
    let jitters = [
        Jitter::None,
        Jitter::Full,
        Jitter::Equal,
        Jitter::Decorrelated,
        Jitter::Randomized(0.5),
    ];
    let call = |draw: &mut dyn FnMut() -> f64, over: u16, spare: Option<u16>| Call {
        over: WireId(over),
        timeout: (draw() < 0.7).then(|| Time::from_ms(draw() * 800.0)),
        retry: (draw() < 0.5).then(|| Retry {
            retries: (draw() * 4.0) as u8,
            backoff: Backoff {
                base_us: (draw() * 200_000.0) as u64,
                cap_us: 1_000_000,
                multiplier: 2.0,
                jitter: jitters[(draw() * 4.999) as usize],
            },
            budget: (draw() < 0.5).then_some((draw() * 2.999) as u8),
            heeds: (draw() < 0.5).then(&mut *draw),
        }),
        guard: (draw() < 0.5).then_some((draw() * 2.999) as u8),
        otherwise: match (draw() * 4.0) as u8 {
            0 => Otherwise::Fail,
            1 => Otherwise::Without,
            2 => Otherwise::Copy,
            _ => spare.map_or(Otherwise::Fail, |wire| Otherwise::Call(WireId(wire))),
        },
        upon: if draw() < 0.5 {
            Upon::Failure
        } else {
            Upon::Refusal
        },
    };
    let service = |draw: &mut dyn FnMut() -> f64, wires: &[u16]| {
        let spreads = [
            Spread::Fixed,
            Spread::Exponential,
            Spread::HeavyTailed,
            Spread::Uniform,
        ];
        let mut service = Service::new(
            (draw() * 6.0) as u32,
            (draw() * 12.0) as u32,
            Time::ZERO,
            spreads[(draw() * 3.999) as usize],
        );
        service.patience = (draw() < 0.4).then(|| Time::from_ms(draw() * 900.0));
        service.skips_left = draw() < 0.5;
        service.newest_first = draw() < 0.5;
        service.fails = if draw() < 0.5 { draw() * 0.5 } else { 0.0 };
        service.fails_fast = draw() < 0.3;
        if draw() < 0.3 {
            service.drags = (draw(), span(draw, 900.0));
        }
        service.programs.clear();
        for _ in 0..(draw() * 3.0) as usize {
            let mut program = Vec::new();
            for _ in 0..(draw() * 4.0) as usize {
                let pick = |draw: &mut dyn FnMut() -> f64| {
                    wires[(draw() * 0.999 * wires.len() as f64) as usize]
                };
                program.push(match (draw() * 7.0) as u8 {
                    0 if !wires.is_empty() => {
                        let (over, spare) = (pick(draw), pick(draw));
                        Step::Call(call(draw, over, Some(spare)))
                    }
                    1 if !wires.is_empty() => {
                        let many = (draw() * 4.0) as usize;
                        Step::All(
                            (0..many)
                                .map(|_| {
                                    let over = pick(draw);
                                    call(draw, over, None)
                                })
                                .collect(),
                        )
                    }
                    2 => Step::Answer,
                    3 if !wires.is_empty() => {
                        let over = pick(draw);
                        Step::Publish(call(draw, over, None))
                    }
                    4 if draw() < 0.2 => Step::Fail,
                    5 if draw() < 0.7 => Step::Park,
                    6 if draw() < 0.4 => Step::Read,
                    6 if draw() < 0.2 => Step::Write,
                    _ => Step::Work(Time::from_ms(draw() * 120.0)),
                });
            }
            if draw() < 0.25 {
                program.push(Step::Park);
            }
            service.programs.push(program);
        }
        Kind::Service(service)
    };
    let two = service(&mut draw, &[2, 3, 8, 12, 23]);
    let three = service(&mut draw, &[4]);
    let four = service(&mut draw, &[]);
    let crowd = |draw: &mut dyn FnMut() -> f64, wires: &[u16]| {
        let per_s = draw() * 60.0;
        let mut crowd = Crowd::poisson(per_s, Call::over(WireId(wires[0])));
        crowd.arrivals = match (draw() * 5.0) as u8 {
            3 => Arrivals::Paced {
                per_s,
                connections: (draw() * 20.0) as u16,
                skips: draw() < 0.5,
            },
            0 => Arrivals::Even { per_s },
            1 => Arrivals::Closed {
                users: (draw() * 30.0) as u16,
                think: Time::from_ms(draw() * 500.0),
            },
            2 => Arrivals::Day {
                low: 0.0,
                high: per_s,
                period: Time::from_ms(1.0 + draw() * 4_000.0),
                even: draw() < 0.5,
            },
            _ => Arrivals::Poisson { per_s },
        };
        crowd.classes = (0..(draw() * 4.0) as usize).map(|_| draw()).collect();
        crowd.regions = (0..(draw() * 4.0) as usize).map(|_| draw()).collect();
        crowd.patience = (draw() < 0.4).then(|| Time::from_ms(draw() * 1_500.0));
        crowd.reloads = ((draw() * 3.0) as u8, Time::from_ms(draw() * 300.0));
        crowd.floods = wires.len() > 2 && draw() < 0.2;
        crowd.programs = (0..1 + (draw() * 2.0) as usize)
            .map(|_| {
                let mut steps = Vec::new();
                for wire in wires {
                    steps.push(if draw() < 0.5 {
                        Step::Call(call(draw, *wire, None))
                    } else {
                        Step::All(vec![call(draw, *wire, None), call(draw, *wire, None)])
                    });
                }
                steps
            })
            .collect();
        Kind::Crowd(crowd)
    };
    let first = crowd(&mut draw, &[0, 7]);
    let second = crowd(&mut draw, &[5, 11, 16, 18]);
    let queue = Queue {
        ordered: draw() < 0.3,
        visibility: span(&mut draw, 600.0),
        delay: if draw() < 0.3 {
            span(&mut draw, 300.0)
        } else {
            Time::ZERO
        },
        retention: Time::s(60),
        deliveries: (draw() < 0.7).then(|| 1 + (draw() * 4.0) as u32),
        places: (draw() < 0.3).then(|| 1 + (draw() * 20.0) as u32),
    };
    let mut pulls = service(&mut draw, &[10]);
    if let Kind::Service(service) = &mut pulls {
        service.pulls = Some(Pull {
            over: WireId(9),
            wait: if draw() < 0.5 {
                Time::ZERO
            } else {
                span(&mut draw, 900.0)
            },
            every: span(&mut draw, 200.0),
            batch: 1 + (draw() * 4.0) as u8,
            heartbeat: draw() < 0.5,
        });
    }
    let mut nodes = vec![
        Node::one(NodeId(0), "users", first),
        Node::many(
            NodeId(1),
            "gate",
            Kind::Gate(Gate {
                routes: if draw() < 0.9 {
                    vec![WireId(1), WireId(6)]
                } else {
                    Vec::new()
                },
                regional: draw() < 0.5,
                limits: draw() < 0.5,
                filters: draw() < 0.5,
            }),
            1 + (draw() * 2.0) as usize,
        ),
        Node::many(NodeId(2), "two", two, (draw() * 4.0) as usize),
        Node::many(NodeId(3), "three", three, (draw() * 5.0) as usize),
        Node::one(NodeId(4), "four", four),
    ];
    nodes[3].sizes = vec![2.0, 0.5];
    nodes.push(Node::one(NodeId(6), "queue", Kind::Queue(queue)));
    nodes.push(Node::many(
        NodeId(7),
        "puller",
        pulls,
        (draw() * 4.0) as usize,
    ));
    let mut subscriptions = Vec::new();
    for over in [13, 14, 15] {
        if draw() < 0.3 {
            continue;
        }
        subscriptions.push(Subscription {
            classes: (0..(draw() * 3.0) as u8).collect(),
            timeout: span(&mut draw, 900.0),
            retry: RetryPolicy {
                delay_min_s: 1.0,
                delay_max_s: 1.0 + draw(),
                retries: 2 + (draw() * 3.0) as u32,
                retries_no_delay: (draw() * 3.0) as u32,
                ..RetryPolicy::none()
            },
            per_s: (draw() < 0.3).then(|| 1 + (draw() * 20.0) as u32),
            dead_letters: draw() < 0.5,
            ..Subscription::to(WireId(over))
        });
    }
    let topic = Kind::Topic(Topic { subscriptions });
    nodes.push(Node::one(NodeId(8), "topic", topic));
    let mut function = Function::new(Time::ZERO, Spread::Fixed);
    if let Kind::Service(each) = service(&mut draw, &[17]) {
        function.each = each;
        for program in &mut function.each.programs {
            program.insert(0, Step::Work(span(&mut draw, 200.0)));
        }
    }
    function.limit = 1 + (draw() * 8.0) as u32;
    function.kept = span(&mut draw, 900.0);
    function.at_once = 1 + (draw() * 2.0) as u32;
    function.allowance = Allowance {
        burst: 1 + (draw() * 5.0) as u64,
        step: 1 + (draw() * 5.0) as u64,
        every_us: 1 + (draw() * 500_000.0) as u64,
        evenly: draw() < 0.5,
    };
    function.provisioned = (draw() * 3.0) as u32;
    function.build = span(&mut draw, 300.0);
    nodes.push(Node::one(NodeId(9), "function", Kind::Function(function)));
    if draw() < 0.7 {
        nodes.push(Node::one(NodeId(5), "others", second));
    } else {
        wires.retain(|wire| wire.from != NodeId(5));
    }
    for node in &mut nodes {
        if draw() < 0.5 {
            node.price = Price {
                month: Money::cents((draw() * 1e6) as u64),
                ..Price::LAMBDA
            };
        }
    }
    if draw() < 0.85 {
        let cache = |draw: &mut dyn FnMut() -> f64, over: u16| {
            let life = if draw() < 0.2 {
                Time::ZERO
            } else {
                span(draw, 4_000.0)
            };
            let asks = call(draw, over, None);
            let mut cache = Cache::over(asks, life);
            cache.reads_age = draw() < 0.5;
            cache.tells_age = draw() < 0.5;
            cache.private = draw() < 0.3;
            cache.room = (draw() < 0.4).then(|| (draw() * 6.0) as u32);
            // Some ask on in ways of their own.
            if draw() < 0.25
                && let Kind::Service(service) = service(draw, &[over])
            {
                cache.programs = service.programs;
                for program in &mut cache.programs {
                    program.retain(|step| *step != Step::Answer);
                }
            }
            Kind::Cache(cache)
        };
        // What they ask knows versions, mostly, and some who ask it write.
        nodes[3].members = nodes[3].members.max(1);
        if let Kind::Service(service) = &mut nodes[3].kind {
            service.workers = service.workers.max(1);
            if service.programs.is_empty() {
                service.programs.push(Vec::new());
            }
            for program in &mut service.programs {
                if draw() < 0.4 {
                    program.insert(0, Step::Write);
                }
                if draw() < 0.8 {
                    program.insert(0, Step::Read);
                }
            }
        }
        let near = cache(&mut draw, 21);
        let far = cache(&mut draw, 22);
        let mut asks = crowd(&mut draw, &[20]);
        if let Kind::Crowd(crowd) = &mut asks {
            crowd.keys = Some(Zipf::new(1 + (draw() * 12.0) as usize, draw() * 1.5));
            crowd.people = 4;
        }
        let members = 1 + (draw() * 3.0) as usize;
        nodes.push(Node::many(NodeId(11), "near", near, members));
        nodes.push(Node::one(NodeId(12), "readers", asks));
        nodes.push(Node::one(NodeId(13), "far", far));
    } else {
        wires.retain(|wire| !(20..=23).contains(&wire.id.0));
        for node in &mut nodes {
            if let Kind::Service(service) = &mut node.kind {
                let near = |call: &Call| call.over == WireId(23);
                for program in &mut service.programs {
                    program.retain(|step| !step.calls().iter().any(near));
                    for step in program {
                        if let Step::Call(call) = step {
                            call.otherwise = match call.otherwise {
                                Otherwise::Call(WireId(23)) => Otherwise::Fail,
                                other => other,
                            };
                        }
                    }
                }
            }
        }
    }
    for node in &mut nodes {
        if matches!(node.kind, Kind::Service(_)) && draw() < 0.5 {
            node.life = Life {
                boot: span(&mut draw, 300.0),
                stagger: if draw() < 0.5 {
                    span(&mut draw, 200.0)
                } else {
                    Time::ZERO
                },
                restart: (draw() < 0.5).then(|| span(&mut draw, 300.0)),
            };
        }
    }
    for wire in &mut wires {
        wire.told = draw() < 0.3;
    }
    Plan {
        nodes,
        wires,
        guards: vec![
            (draw() < 0.8).then_some(Guard::Rates(rates::Settings {
                window: rates::Span::Calls(10),
                calls_min: 5,
                half_open_calls: 2,
                open_us: 300_000,
                ..rates::Settings::default()
            })),
            Some(Guard::Counting(counting::Settings {
                requests_max: 2,
                timeout_us: 200_000,
                trip: counting::Trip::ConsecutiveFailures { more_than: 3 },
                ..counting::Settings::default()
            })),
        ],
        budgets: vec![
            Budget {
                saved_max: 10,
                ratio: 0.1,
                per_s: 0,
            },
            Budget {
                saved_max: 1,
                ratio: 1.0,
                per_s: 1,
            },
        ],
    }
}

impl Script for Any {
    fn dials(&self) -> &'static [Dial] {
        ANY_DIALS
    }
    fn plan(&self, knobs: &Values) -> Plan {
        any_plan(knobs.whole("plan"))
    }
    fn gear(&self) -> Gear {
        Gear {
            queues: Some(&QUEUES),
            breakers: Some(&BREAKERS),
            cells: Some(&CELLS),
            stores: Some(&STORES),
            paced: Some(&PACED),
            caches: Some(&CACHES),
            losses: Some(&LOSSES),
            prices: Some(&PRICES),
            topics: Some(&TOPICS),
            functions: Some(&FUNCTIONS),
            ..Gear::NONE
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        ANY_DEEDS
    }
    fn name_of(&self, thing: u32, system: &System) -> u32 {
        // Now and then everything gets a new name.
        thing | ((system.requests() / 200) << 16)
    }
    fn over(&self, request: &Frame, system: &mut System, _now: Time) {
        let key = request.draw.key;
        if request.draw.unit(93) < 0.1 {
            let seat = Seat {
                node: NodeId(11),
                member: 0,
            };
            let gone = system.purge_key(seat, key) as u32;
            system.own_mut::<Befell>().0[3] += gone;
        }
        let read = system.was_told().is_some();
        let befell = &mut system.own_mut::<Befell>().0;
        befell[4] += u32::from(read);
        befell[7] += u32::from(request.draw.region > 0);
    }
    fn heard(&self, note: &engine::Note, system: &mut System) {
        let opens = note.word == "breaker-opens";
        system.own_mut::<Befell>().0[6] += u32::from(opens);
    }
    fn admits(&self, _: NodeId, call: &Frame, system: &mut System, _: Cx<'_, '_>) -> Admission {
        let after = Time::from_ms(call.draw.unit(98) * 300.0);
        system.own_mut::<Befell>().0[5] += u32::from(call.draw.unit(99) >= 0.6);
        match call.draw.unit(99) {
            x if x < 0.6 => Admission::Passes,
            x if x < 0.8 => Admission::Waits(after),
            x => Admission::Refused {
                why: "limit",
                after: (x < 0.9).then_some(after),
            },
        }
    }
    fn allowed(&self, _over: WireId, draw: &Draw, member: usize, _system: &System) -> bool {
        draw.person as usize % 3 != member % 3
    }
    fn parked(&self, call: Key, system: &mut System, cx: Cx<'_, '_>) {
        // Some are answered at once, one fails at once, some wait for a parcel, some for ever.
        let Some(frame) = system.frame(call) else {
            return;
        };
        let (draw, number, (node, member)) = (frame.draw, frame.number, frame.at());
        let seat = |member| Seat { node, member };
        match draw.unit(97) {
            x if x < 0.3 => system.unpark(call, None, cx),
            x if x < 0.4 => system.unpark(call, Some(Reason::Limited), cx),
            x => {
                let to = (member + 1) % 4;
                for nth in 0..3_u64 {
                    let travel = Time::from_ms(draw.unit(96 - nth) * 200.0);
                    system.post([seat(member), seat(to)], (0, nth), number, travel, cx);
                }
                if x < 0.8 {
                    system.begin_job(seat(to), draw, number, cx);
                }
            }
        }
    }
    fn job_done(&self, job: &Frame, system: &mut System, cx: Cx<'_, '_>) {
        let (node, member) = job.at();
        // Now and then a controller wants another number of members than the plan.
        if job.draw.unit(95) < 0.1 {
            let members = (job.draw.unit(94) * 5.0) as usize;
            system.scale(NodeId(2 + (job.number % 2) as u16), members, cx);
            system.own_mut::<Befell>().0[2] += 1;
        }
        if job.draw.key < 2 {
            let again = Draw {
                key: job.draw.key + 1,
                ..job.draw
            };
            system.begin_job(Seat { node, member }, again, job.number, cx);
        }
    }
    fn delivered(&self, parcel: &Parcel, system: &mut System, cx: Cx<'_, '_>) {
        let live = system.node(parcel.from.node);
        let sender = live.and_then(|live| live.members.get(parcel.from.member));
        let first = sender.and_then(|sender| sender.own.parked.first().copied());
        if let Some(call) = first {
            system.unpark(call, None, cx);
        }
        let stores = &mut system.own_mut::<Befell>().0;
        stores[0] += 1;
    }
    fn own(&self) -> Box<dyn Own> {
        Box::new(Befell::default())
    }
    fn boots(&self, _: NodeId, member: usize, boot: Time, _: &System) -> Time {
        boot + Time::ms(20 * member as u64)
    }
    fn taken(&self, what: Key, system: &mut System, _now: Time) {
        let job = system.frame(what).is_some_and(Frame::is_job);
        system.own_mut::<Befell>().0[1] += u32::from(job);
    }
}

/// Parcels that arrived, jobs that a worker took, numbers of members that were set, copies that were purged, requests that were told
/// a version, calls that a limiter held back or refused, breakers that opened, requests from another region than the first.
#[derive(Clone, Debug, Default)]
struct Befell([u32; 8]);

/// What a plan may have, and whether that did what it is there for.
fn did(model: &System) -> [(&'static str, bool); 12] {
    let of = |node: u16, count: Count| model.row(NodeId(node)).of(count) > 0;
    let befell = model.own::<Befell>().0;
    [
        ("crowd", model.total().of(Count::Done) > 0),
        ("gate", of(1, Count::Came)),
        (
            "service",
            [2, 3, 4].into_iter().any(|it| of(it, Count::Done)),
        ),
        ("store", befell[4] > 0),
        ("queue", of(6, Count::Lent) && of(6, Count::Deleted)),
        ("topic", of(8, Count::Delivered)),
        ("function", of(9, Count::Cold) && of(9, Count::Done)),
        ("cache", of(11, Count::Hit)),
        ("replicas", befell[0] > 0),
        ("limiter", befell[5] > 0),
        ("breaker", befell[6] > 0),
        ("regions", befell[7] > 0),
    ]
}

fn any_sheet() -> Sheet<System> {
    const SPECS: &[engine::ActionSpec] = &[engine::ActionSpec::whole("deed"); ANY_DEEDS.len()];
    Sheet {
        actions: SPECS,
        probes: &probe::WITH_QUEUES,
        ..Sheet::usual(CARD, || Values::first(&Any), |_, _, _, _| {})
    }
}

/// How many plans are drawn; `PLANS=10000 cargo test any_legal_plan` draws more.
fn plans() -> u32 {
    std::env::var("PLANS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(400)
}

#[test]
fn any_legal_plan_loses_nothing_and_makes_nothing_up() {
    let sheet: &'static Sheet<System> = Box::leak(Box::new(any_sheet()));
    let mut events = 0;
    let befalls = [
        Count::Empty,
        Count::Again,
        Count::Deleted,
        Count::Buried,
        Count::Lost,
    ];
    let mut befell = befalls.map(|_| 0);
    let mut stores = [0; 8];
    let mut plans_that = std::collections::BTreeMap::new();
    let mut cached = [0; 3];
    let copies = [
        Count::Copied,
        Count::Filtered,
        Count::Delivered,
        Count::Retried,
        Count::Dropped,
        Count::Buried,
    ];
    let mut copied = copies.map(|_| 0);
    let calls = [Count::Cold, Count::Done, Count::Refused, Count::Lost];
    let mut called = calls.map(|_| 0);
    let (mut strayed, mut cost) = (0, Money::ZERO);
    for seed in 1..=plans() {
        let mut streams = Streams::new(seed);
        let rng = streams.get(Stream::named("use"));
        let mut first = Values::first(&Any);
        engine::knobs::set(&mut first, "plan", f64::from(seed)).unwrap();
        assert!(
            any_plan(seed).faults().is_empty(),
            "{:?}",
            any_plan(seed).faults()
        );
        let mut run = Run::with_knobs(sheet, seed, first);
        for step in 0..16 {
            match below(rng, 8) {
                0 => _ = run.set_knob("plan", f64::from(rng.next_u32())),
                1 => run.seek(Time::from_s(run.position().at.as_s() * unit(rng))),
                _ => {
                    let act = Act {
                        spec: below(rng, ANY_DEEDS.len()),
                        target: below(rng, 4),
                    };
                    run.act(act);
                }
            }
            let until = run.position().at + Time::from_ms(unit(rng) * 400.0);
            while run.run(until, Watch::Any, u64::MAX) == Ran::Stopped {
                events += 1;
                if let Err(fault) = run.audit() {
                    panic!(
                        "plan {seed}, step {step}, at {:?}: {fault}",
                        run.position().at
                    );
                }
            }
        }
        let row = run.model().row(NodeId(6));
        for (sum, count) in befell.iter_mut().zip(befalls) {
            *sum += row.of(count);
        }
        let near = run.model().row(NodeId(11));
        for (sum, count) in cached
            .iter_mut()
            .zip([Count::Came, Count::Hit, Count::Stale])
        {
            *sum += near.of(count);
        }
        let model = run.model();
        for (sum, count) in copied.iter_mut().zip(copies) {
            *sum += model.row(NodeId(8)).of(count);
        }
        for (sum, count) in called.iter_mut().zip(calls) {
            *sum += model.row(NodeId(9)).of(count);
        }
        strayed += model.total().of(Count::Strayed);
        let all = (0..14).map(|node| model.cost(NodeId(node), model.now));
        assert_eq!(model.cost_of_all(model.now), all.clone().sum());
        cost = [cost].into_iter().chain(all).sum();
        for (sum, count) in stores.iter_mut().zip(run.model().own::<Befell>().0) {
            *sum += count;
        }
        for (kind, did) in did(run.model()) {
            *plans_that.entry(kind).or_insert(0) += u32::from(did);
        }
    }
    assert!(
        plans_that.values().all(|count| *count >= plans() / 5),
        "too few of {} plans have each kind: {plans_that:?}",
        plans()
    );
    assert!(
        stores[..2].iter().all(|sum| *sum >= plans()) && stores[2] >= plans() / 12,
        "too little befalls stores: {stores:?}"
    );
    let enough = |sums: &[u32]| sums.iter().all(|sum| *sum >= plans() / 40);
    assert!(
        enough(&copied),
        "too little befalls copies: {copied:?} of {copies:?}"
    );
    assert!(
        enough(&called),
        "too little befalls functions: {called:?} of {calls:?}"
    );
    assert!(
        strayed >= plans() && cost > Money::ZERO,
        "too little gets lost ({strayed}) or costs ({cost:?})"
    );
    assert!(
        stores[3] >= plans() / 20 && stores[4] >= plans(),
        "too little is purged or told: {stores:?}"
    );
    let [came, hit, stale] = cached;
    assert!(
        came >= 10 * plans() && hit >= plans() / 2 && stale >= plans() / 40,
        "too little befalls caches: {cached:?}"
    );
    assert!(
        befell.iter().all(|sum| *sum >= plans() / 20),
        "too little befalls messages: {befell:?} of {befalls:?}"
    );
    assert!(
        events > u64::from(plans()) * 100,
        "only {events} events: the plans do nothing"
    );
}

/// Users who try again, and one service that can do 60 a second.
struct Storm;

const STORM_DIALS: &[Dial] = &[
    Dial::slider("load", [1.0, 100.0, 1.0], "", 40.0),
    Dial::whole("retries", [0, 5], 3),
    Dial::slider("budget", [0.0, 100.0, 1.0], "%", 0.0),
    Dial::switch("newest", false),
];
const STORM_DEEDS: &[Deed] = &[Deed::Slow(NodeId(1), 0.0), Deed::Recover(NodeId(1))];

impl Script for Storm {
    fn dials(&self) -> &'static [Dial] {
        STORM_DIALS
    }
    fn plan(&self, knobs: &Values) -> Plan {
        let ratio = knobs.get("budget") / 100.0;
        let call = Call {
            timeout: Some(Time::s(1)),
            retry: Some(Retry {
                retries: knobs.whole("retries") as u8,
                backoff: Backoff {
                    base_us: 100_000,
                    cap_us: 2_000_000,
                    multiplier: 2.0,
                    jitter: Jitter::Full,
                },
                budget: (ratio > 0.0).then_some(0),
                heeds: None,
            }),
            ..Call::over(WireId(0))
        };
        let mut service = Service::new(4, 200, Time::us(66_667), Spread::Fixed);
        service.newest_first = knobs.on("newest");
        let users = Crowd::poisson(knobs.get("load"), call);
        Plan {
            nodes: vec![
                Node::one(NodeId(0), "users", Kind::Crowd(users)),
                Node::one(NodeId(1), "service", Kind::Service(service)),
            ],
            wires: vec![Wire::new(
                WireId(0),
                NodeId(0),
                NodeId(1),
                "link",
                Time::ZERO,
            )],
            budgets: vec![Budget {
                saved_max: 10,
                ratio,
                per_s: 0,
            }],
            ..Plan::default()
        }
    }
    fn gear(&self) -> Gear {
        Gear {
            queues: Some(&QUEUES),
            breakers: Some(&BREAKERS),
            cells: Some(&CELLS),
            ..Gear::NONE
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        STORM_DEEDS
    }
}

/// The share of requests that are answered between 15 and 20 s after a silence of three seconds.
fn answered_after(settings: &[(&str, f64)], seed: u32) -> f64 {
    const SPECS: &[engine::ActionSpec] = &[engine::ActionSpec::whole("deed"); 2];
    let sheet = Sheet {
        actions: SPECS,
        probes: &probe::ALL,
        warm_up: Time::s(5),
        ..Sheet::usual(CARD, || Values::first(&Storm), |_, _, _, _| {})
    };
    let sheet: &'static Sheet<System> = Box::leak(Box::new(sheet));
    let mut first = Values::first(&Storm);
    for (id, value) in settings {
        engine::knobs::set(&mut first, id, *value).unwrap();
    }
    let mut run = Run::with_knobs(sheet, seed, first);
    let to = |run: &mut Run<System>, s: u64| {
        run.run(Time::s(s), Watch::Nothing, u64::MAX);
        run.audit().unwrap();
        run.model().total()
    };
    assert!(
        to(&mut run, 5).of(Count::Failed) == 0,
        "well before the silence"
    );
    run.act(Act { spec: 0, target: 0 });
    to(&mut run, 8);
    run.act(Act { spec: 1, target: 0 });
    let before = to(&mut run, 23);
    let since = to(&mut run, 28).since(&before);
    f64::from(since.of(Count::Done)) / f64::from(since.of(Count::Came))
}

#[test]
fn a_storm_of_retries_outlives_its_cause_unless_tries_are_fewer_than_what_can_be_done() {
    for seed in 1..=4 {
        // 40 users a second make up to 160 calls, 60 can be done.
        let jam = answered_after(&[], seed);
        assert!(jam < 0.05, "seed {seed}: {jam}");
        // 10 make at most 40; a budget of a tenth lets 40 make 44; the newest first serves whom it still can.
        for out in [
            [("load", 10.0)],
            [("budget", 10.0)],
            [("retries", 0.0)],
            [("newest", 1.0)],
        ] {
            let well = answered_after(&out, seed);
            assert!(well > 0.9, "seed {seed}, {out:?}: {well}");
        }
    }
}

#[test]
fn twins_meet_the_same_requests_whatever_the_design() {
    let drawn = |retries: f64| {
        let mut values = Values::first(&Storm);
        engine::knobs::set(&mut values, "retries", retries).unwrap();
        let sheet: &'static Sheet<System> = Box::leak(Box::new(Sheet {
            probes: &probe::ALL,
            ..Sheet::usual(CARD, || Values::first(&Storm), |_, _, _, _| {})
        }));
        let mut run = Run::with_knobs(sheet, 3, values);
        let mut draws = std::collections::BTreeMap::new();
        for ms in 0..4_000 {
            run.run(Time::ms(ms), Watch::Nothing, u64::MAX);
            for (_, frame) in run.model().frames().filter(|(_, frame)| frame.is_request()) {
                draws.insert(frame.number, (frame.draw, frame.asked));
            }
        }
        draws
    };
    let (some, none) = (drawn(3.0), drawn(0.0));
    assert!(some.len() > 100 && some == none);
}

/// A tester with one connection who asks ten times a second what takes 50 ms.
struct Tester;

impl Script for Tester {
    fn dials(&self) -> &'static [Dial] {
        const DIALS: &[Dial] = &[
            Dial::switch("skips", true),
            Dial::whole("connections", [1, 4], 1),
        ];
        DIALS
    }
    fn plan(&self, knobs: &Values) -> Plan {
        let mut tester = Crowd::poisson(10.0, Call::over(WireId(0)));
        tester.arrivals = Arrivals::Paced {
            per_s: 10.0,
            connections: knobs.whole("connections") as u16,
            skips: knobs.on("skips"),
        };
        let service = Service::new(1, 200, Time::ms(50), Spread::Fixed);
        let (from, to) = (NodeId(0), NodeId(1));
        Plan {
            nodes: vec![
                Node::one(from, "tester", Kind::Crowd(tester)),
                Node::one(to, "service", Kind::Service(service)),
            ],
            wires: vec![Wire::new(WireId(0), from, to, "link", Time::ZERO)],
            ..Plan::default()
        }
    }
    fn gear(&self) -> Gear {
        Gear {
            paced: Some(&PACED),
            ..Gear::NONE
        }
    }
    fn deeds(&self) -> &'static [Deed] {
        const DEEDS: &[Deed] = &[Deed::Slow(NodeId(1), 0.0), Deed::Recover(NodeId(1))];
        DEEDS
    }
    fn own(&self) -> Box<dyn Own> {
        Box::new(Vec::<Time>::new())
    }
    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        system.own_mut::<Vec<Time>>().push(now.since(request.asked));
    }
}

/// What a tester writes down in a minute, in which the service stands still for two seconds from 20 s on.
fn written(settings: &[(&str, f64)]) -> Vec<u64> {
    const SPECS: &[engine::ActionSpec] = &[engine::ActionSpec::whole("deed"); 2];
    let sheet: &'static Sheet<System> = Box::leak(Box::new(Sheet {
        actions: SPECS,
        probes: &probe::ALL,
        ..Sheet::usual(CARD, || Values::first(&Tester), |_, _, _, _| {})
    }));
    let mut first = Values::first(&Tester);
    for (id, value) in settings {
        engine::knobs::set(&mut first, id, *value).unwrap();
    }
    let mut run = Run::with_knobs(sheet, 1, first);
    for (s, spec) in [(20, 0), (22, 1)] {
        run.run(Time::s(s), Watch::Nothing, u64::MAX);
        run.act(Act { spec, target: 0 });
    }
    run.run(Time::ms(60_070), Watch::Nothing, u64::MAX);
    run.audit().unwrap();
    let times = run.model().own::<Vec<Time>>();
    times.iter().map(|time| time.0 / 1_000).collect()
}

#[test]
fn a_tester_who_waits_for_answers_misses_the_worst_and_one_who_counts_from_the_plan_does_not() {
    let skips = written(&[]);
    // The one of 20 s, which takes 2.05 s, is under way at 20.1 to 22.0 s.
    assert_eq!(skips.len(), 580);
    let slow: Vec<_> = skips.iter().filter(|ms| **ms > 50).collect();
    assert_eq!(slow, [&2_050]);
    let plan = written(&[("skips", 0.0)]);
    assert_eq!(plan.len(), 600);
    let slow: Vec<_> = plan.into_iter().filter(|ms| *ms > 50).collect();
    let caught: Vec<u64> = (0..40).map(|k| 2_050 - 50 * k).collect();
    assert_eq!(slow, caught);
    // With more connections the plan is the same, and each that is caught is caught once.
    let four = written(&[("connections", 4.0)]);
    assert_eq!(four.iter().filter(|ms| **ms > 1_000).count(), 4);
    assert_eq!(written(&[("connections", 4.0), ("skips", 0.0)]).len(), 600);
}

/// Ten a second, each half a second of work, by callers who wait a second; the door of the service can be shut and darkened.
struct Doors;

impl Script for Doors {
    fn dials(&self) -> &'static [Dial] {
        &[]
    }

    fn plan(&self, _: &Values) -> Plan {
        let call = Call {
            timeout: Some(Time::s(1)),
            ..Call::over(WireId(0))
        };
        let mut users = Crowd::poisson(10.0, call);
        users.arrivals = Arrivals::Even { per_s: 10.0 };
        let service = Service::new(8, 8, Time::ms(500), Spread::Fixed);
        let wire = Wire::new(WireId(0), NodeId(0), NodeId(1), "link", Time::ms(10));
        Plan {
            nodes: vec![
                Node::one(NodeId(0), "users", Kind::Crowd(users)),
                Node::one(NodeId(1), "service", Kind::Service(service)),
            ],
            wires: vec![wire],
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        &[Deed::Own, Deed::Own, Deed::Crash(NodeId(1))]
    }

    fn act(&self, act: Act, system: &mut System, _: &Values, _: Cx<'_, '_>) {
        let door = [Door::Shut, Door::Dark][act.spec];
        system.set_door(NodeId(1), 0, door);
    }
}

/// What has become of users' requests half a second and two seconds after these deeds.
fn after(deeds: &[usize]) -> [Row; 2] {
    const SPECS: &[engine::ActionSpec] = &[engine::ActionSpec::whole("deed"); 3];
    let sheet: &'static Sheet<System> = Box::leak(Box::new(Sheet {
        actions: SPECS,
        probes: &probe::ALL,
        ..Sheet::usual(CARD, || Values::first(&Doors), |_, _, _, _| {})
    }));
    let mut run = Run::with_knobs(sheet, 1, Values::first(&Doors));
    run.run(Time::ms(5_050), Watch::Nothing, u64::MAX);
    for spec in deeds {
        run.act(Act {
            spec: *spec,
            target: 0,
        });
    }
    let before = run.model().total();
    [5_580, 7_050].map(|ms| {
        run.run(Time::ms(ms), Watch::Nothing, u64::MAX);
        run.audit().unwrap();
        run.model().total().since(&before)
    })
}

#[test]
fn who_shuts_its_door_finishes_what_it_has_and_from_the_dark_nothing_comes() {
    let [soon, later] = after(&[0]);
    assert_eq!((soon.of(Count::Done), later.of(Count::Done)), (5, 5));
    // Who comes is refused at once; none who was inside is.
    assert!(soon.of(Count::Failed) >= 4 && later.of(Count::Failed) == 20);
    let [soon, later] = after(&[1, 2]);
    assert_eq!(soon.of(Count::Done) + soon.of(Count::Failed), 0);
    // All wait as long as they care to, those inside and those who come.
    assert_eq!(later.of(Count::Done), 0);
    assert!((14..=16).contains(&later.of(Count::Failed)), "{later:?}");
}

/// Users ask a service that keeps a map: a request goes to none, one or several members, be they up or not there at all.
struct Mapped;

const MAPPED_DEEDS: &[Deed] = &[Deed::Crash(NodeId(2)), Deed::Recover(NodeId(2))];

impl Script for Mapped {
    fn dials(&self) -> &'static [Dial] {
        const DIALS: &[Dial] = &[Dial::whole("members", [1, 4], 4)];
        DIALS
    }
    fn plan(&self, knobs: &Values) -> Plan {
        let call = Call {
            timeout: Some(Time::ms(400)),
            ..Call::over(WireId(0))
        };
        let mut keeper = Service::new(50, 0, Time::ZERO, Spread::Fixed);
        keeper.programs = vec![vec![Step::Each(Call::over(WireId(1)))]];
        let member = Service::new(1, 5, Time::ms(40), Spread::Exponential);
        let members = knobs.whole("members") as usize;
        Plan {
            nodes: vec![
                Node::one(NodeId(0), "users", Kind::Crowd(Crowd::poisson(40.0, call))),
                Node::one(NodeId(1), "keeper", Kind::Service(keeper)),
                Node::many(NodeId(2), "member", Kind::Service(member), members),
            ],
            wires: vec![
                Wire::new(WireId(0), NodeId(0), NodeId(1), "link", Time::ms(5)),
                Wire {
                    mapped: true,
                    ..Wire::new(WireId(1), NodeId(1), NodeId(2), "link", Time::ms(20))
                },
            ],
            ..Plan::default()
        }
    }
    fn deeds(&self) -> &'static [Deed] {
        MAPPED_DEEDS
    }
    fn spreads(&self, key: Key, system: &mut System, _cx: Cx<'_, '_>) -> u8 {
        let asks = system.frame(key).map(|frame| frame.draw.unit(90) * 4.0);
        asks.unwrap_or(0.0) as u8
    }
    fn picks(&self, _over: WireId, call: &Frame, _system: &System) -> Option<usize> {
        let unit = call.draw.unit(91) * 0.7;
        (unit < 0.65).then_some((unit * 4.0) as usize + call.branch())
    }
}

#[test]
fn what_a_map_sends_to_some_none_or_nobody_is_neither_lost_nor_made_up() {
    const SPECS: &[engine::ActionSpec] = &[engine::ActionSpec::aimed("deed", "member"); 2];
    let sheet = Sheet {
        actions: SPECS,
        probes: &probe::ALL,
        ..Sheet::usual(CARD, || Values::first(&Mapped), |_, _, _, _| {})
    };
    let sheet: &'static Sheet<System> = Box::leak(Box::new(sheet));
    for seed in 1..=30 {
        let mut streams = Streams::new(seed);
        let rng = streams.get(Stream::named("use"));
        let mut run = Run::new(sheet, seed);
        for _ in 0..12 {
            match below(rng, 4) {
                0 => _ = run.set_knob("members", 1.0 + below(rng, 4) as f64),
                spec => {
                    let target = below(rng, 4);
                    run.act(Act {
                        spec: spec % 2,
                        target,
                    });
                }
            }
            let until = run.position().at + Time::from_ms(unit(rng) * 600.0);
            while run.run(until, Watch::Any, u64::MAX) == Ran::Stopped {
                run.audit()
                    .unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
            }
        }
        let total = run.model().total();
        assert!(total.of(Count::Done) > 5 && total.of(Count::Failed) > 5);
    }
}
