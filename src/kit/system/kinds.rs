//! What theory says of wires that lose, topics and functions.

use super::*;
use algorithms::functions::Allowance;
use algorithms::topic::RetryPolicy;
use engine::show::Watch;
use engine::{Act, Card, Note, Run, Sheet, Show, Time};
use std::collections::BTreeMap;

const FROM: NodeId = NodeId(0);
const TO: NodeId = NodeId(1);
const QUEUE: NodeId = NodeId(2);
const WIRE: WireId = WireId(0);

/// Users who ask over a wire that may lose.
struct Lossy;

/// By request: what got lost for it, in order.
type Lost = BTreeMap<u32, Vec<&'static str>>;

impl Script for Lossy {
    fn dials(&self) -> &'static [Dial] {
        const DIALS: &[Dial] = &[
            Dial::slider("loss", [0.0, 1.0, 0.01], "", 0.3),
            Dial::slider("timeout", [0.0, 5.0, 0.1], "s", 1.0),
            Dial::whole("workers", [1, 100], 100),
        ];
        DIALS
    }
    fn plan(&self, knobs: &Values) -> Plan {
        let timeout = knobs.s("timeout");
        let call = Call {
            timeout: (timeout > Time::ZERO).then_some(timeout),
            ..Call::over(WIRE)
        };
        let service = Service::new(knobs.whole("workers"), 100, Time::ms(50), Spread::Fixed);
        Plan {
            nodes: vec![
                Node::one(FROM, "users", Kind::Crowd(Crowd::poisson(20.0, call))),
                Node::one(TO, "service", Kind::Service(service)),
            ],
            wires: vec![Wire {
                loss: knobs.get("loss"),
                ..Wire::new(WIRE, FROM, TO, "link", Time::ms(20))
            }],
            ..Plan::default()
        }
    }
    fn gear(&self) -> Gear {
        Gear {
            losses: Some(&LOSSES),
            ..Gear::NONE
        }
    }
    fn deeds(&self) -> &'static [Deed] {
        &[Deed::Lose(WIRE, 0.0)]
    }
    fn own(&self) -> Box<dyn Own> {
        Box::new(Lost::new())
    }
    fn heard(&self, note: &Note, system: &mut System) {
        if matches!(note.word, "strays" | "answer-strays") {
            let lost = system.own_mut::<Lost>();
            lost.entry(note.dot).or_default().push(note.word);
        }
    }
}

fn run(
    script: &'static dyn Script,
    open: fn() -> Values,
    set: &[(&str, f64)],
    s: u64,
) -> Run<System> {
    const SPECS: &[engine::ActionSpec] = &[engine::ActionSpec::whole("deed")];
    let card = Card {
        slug: "test",
        chapter: "test",
        tables: &[],
    };
    let sheet: &'static Sheet<System> = Box::leak(Box::new(Sheet {
        actions: &SPECS[..script.deeds().len()],
        probes: &probe::WITH_QUEUES,
        ..Sheet::usual(card, open, |_, _, _, _| {})
    }));
    let mut first = open();
    for (id, value) in set {
        engine::knobs::set(&mut first, id, *value).unwrap();
    }
    let mut run = Run::with_knobs(sheet, 7, first);
    run.run(Time::s(s), Watch::Nothing, u64::MAX);
    run.audit().unwrap();
    run
}

fn lossy(set: &[(&str, f64)], s: u64) -> Run<System> {
    run(&Lossy, || Values::first(&Lossy), set, s)
}

#[test]
fn who_sends_learns_of_a_loss_by_the_time_out_or_when_the_network_gives_up() {
    let lost = lossy(&[("loss", 1.0)], 60);
    let row = lost.model().total();
    assert!(row.of(Count::Strayed) > 1_000 && row.of(Count::Done) == 0);
    assert_eq!(row.of(Count::Failed), row.of(Count::TimedOut));
    // Without a time-out each waits as long as a network does.
    let patient = lossy(&[("loss", 1.0), ("timeout", 0.0)], 60);
    let row = patient.model().total();
    let waits = row.of(Count::Came) - row.of(Count::Failed);
    assert!((170..=230).contains(&waits), "{waits} of 20 a second wait");
    assert_eq!(row.of(Count::TimedOut), 0);
    let why = patient.model().frames().find_map(|(_, frame)| frame.failed);
    assert_eq!(why, Some(Reason::Strayed));
}

#[test]
fn both_ways_lose_the_same_share_and_a_deed_ends_it() {
    let mut run = lossy(&[], 300);
    let row = run.model().total();
    let well = f64::from(row.of(Count::Done)) / f64::from(row.of(Count::Came));
    assert!((well - 0.49).abs() < 0.02, "{well}");
    let came = f64::from(run.model().row(TO).of(Count::Came)) / f64::from(row.of(Count::Came));
    assert!((came - 0.7).abs() < 0.02, "{came}");
    assert!(run.act(Act { spec: 0, target: 0 }));
    run.run(Time::s(302), Watch::Nothing, u64::MAX);
    let before = run.model().total();
    run.run(Time::s(330), Watch::Nothing, u64::MAX);
    let since = run.model().total().since(&before);
    assert_eq!((since.of(Count::Strayed), since.of(Count::Failed)), (0, 0));
}

#[test]
fn twins_lose_the_same_requests_on_the_same_way() {
    let of = |set| lossy(set, 30).model().own::<Lost>().clone();
    let (one, other) = (of(&[]), of(&[("timeout", 3.0), ("workers", 1.0)]));
    assert!(one.len() > 200);
    // One worker turns some away, whose answers are as any other: so none is told apart by its fate.
    let until = |lost: &Lost| {
        lost.range(..500)
            .map(|(k, v)| (*k, v.clone()))
            .collect::<Lost>()
    };
    assert_eq!(until(&one), until(&other));
}

/// Users who post to a topic, with two who subscribe: a queue for one class, and a function.
struct Posts;

impl Script for Posts {
    fn dials(&self) -> &'static [Dial] {
        const DIALS: &[Dial] = &[
            Dial::slider("pause", [0.1, 20.0, 0.1], "s", 0.1),
            Dial::slider("kept", [1.0, 60.0, 1.0], "s", 5.0),
            Dial::whole("limit", [1, 100], 100),
            Dial::whole("provisioned", [0, 10], 0),
            Dial::slider("work", [100.0, 5000.0, 100.0], "ms", 200.0),
        ];
        DIALS
    }
    fn plan(&self, knobs: &Values) -> Plan {
        let mut users = Crowd::poisson(1.0, Call::over(WIRE));
        users.arrivals = Arrivals::Even {
            per_s: 1.0 / knobs.get("pause"),
        };
        users.classes = vec![1.0, 1.0];
        let queue = Queue {
            ordered: false,
            visibility: Time::s(30),
            delay: Time::ZERO,
            retention: Time::s(3_600),
            deliveries: None,
            places: None,
        };
        let function = Function {
            kept: knobs.s("kept"),
            limit: knobs.whole("limit"),
            provisioned: knobs.whole("provisioned"),
            allowance: Allowance::PER_FUNCTION,
            ..Function::new(knobs.ms("work"), Spread::Fixed)
        };
        let [to_queue, to_function] = [WireId(1), WireId(2)];
        let topic = Topic {
            subscriptions: vec![
                Subscription {
                    classes: vec![1],
                    ..Subscription::to(to_queue)
                },
                Subscription {
                    retry: RetryPolicy::none(),
                    ..Subscription::to(to_function)
                },
            ],
        };
        let function_id = NodeId(3);
        Plan {
            nodes: vec![
                Node::one(FROM, "users", Kind::Crowd(users)),
                Node::one(TO, "topic", Kind::Topic(topic)),
                Node::one(QUEUE, "queue", Kind::Queue(queue)),
                Node {
                    price: Price::LAMBDA,
                    ..Node::one(function_id, "function", Kind::Function(function))
                },
            ],
            wires: vec![
                Wire::new(WIRE, FROM, TO, "link", Time::ms(10)),
                Wire::new(to_queue, TO, QUEUE, "link", Time::ms(10)),
                Wire::new(to_function, TO, function_id, "link", Time::ms(10)),
            ],
            ..Plan::default()
        }
    }
    fn gear(&self) -> Gear {
        Gear {
            queues: Some(&QUEUES),
            topics: Some(&TOPICS),
            functions: Some(&FUNCTIONS),
            prices: Some(&PRICES),
            ..Gear::NONE
        }
    }
}

fn posts(set: &[(&str, f64)], s: u64) -> Run<System> {
    run(&Posts, || Values::first(&Posts), set, s)
}

#[test]
fn each_who_subscribes_gets_a_copy_of_what_it_wants() {
    let run = posts(&[], 60);
    let (topic, queue) = (run.model().row(TO), run.model().row(QUEUE));
    let posted = topic.of(Count::Done);
    assert!(posted > 590);
    assert_eq!(
        topic.of(Count::Copied) + topic.of(Count::Filtered),
        2 * posted
    );
    let wanted = posted - topic.of(Count::Filtered);
    assert!(wanted.abs_diff(posted / 2) < 60);
    assert!(queue.of(Count::Came).abs_diff(wanted) <= 1);
    assert_eq!(topic.of(Count::Retried) + topic.of(Count::Dropped), 0);
}

#[test]
fn what_is_pushed_once_without_acknowledgement_is_gone_if_nobody_takes_it() {
    let run = posts(&[("limit", 1.0), ("work", 1000.0)], 60);
    let (topic, function) = (run.model().row(TO), run.model().row(NodeId(3)));
    let refused = function.of(Count::Refused);
    assert!(refused > 500, "{refused}");
    assert!(topic.of(Count::Dropped).abs_diff(refused) <= 1);
    assert_eq!(topic.of(Count::Retried), 0);
}

#[test]
fn an_instance_that_is_kept_longer_than_the_pause_is_built_once_and_else_each_time() {
    let cold = |kept: f64, provisioned: f64| {
        let set = [
            ("pause", 10.0),
            ("kept", kept),
            ("provisioned", provisioned),
        ];
        let run = posts(&set, 205);
        let row = run.model().row(NodeId(3));
        assert!((19..=21).contains(&row.of(Count::Done)));
        (row.of(Count::Cold), row.of(Count::Came))
    };
    let (each, came) = cold(5.0, 0.0);
    assert_eq!(each, came);
    assert_eq!((cold(15.0, 0.0).0, cold(5.0, 1.0).0), (1, 0));
}

#[test]
fn a_function_costs_what_its_instances_had_to_do() {
    let run = posts(&[("pause", 10.0)], 205);
    let (model, at) = (run.model(), Time::s(205));
    let done = f64::from(model.row(NodeId(3)).of(Count::Done));
    // Half a GB, 0.5 s to build and 0.2 s of work.
    let each = 0.7 * 0.5 * 16.6667e-6 + 0.2e-6;
    let cost = model.cost(NodeId(3), at).dollars();
    assert!(
        (cost - done * each).abs() < 1e-10,
        "{cost} of {}",
        done * each
    );
    // One that is kept ready costs its time, and its work less.
    let run = posts(&[("pause", 10.0), ("provisioned", 1.0)], 205);
    let cost = run.model().cost(NodeId(3), at).dollars();
    let kept = 205.0 * 0.5 * 4.1667e-6 + done * (0.2 * 0.5 * 9.7222e-6 + 0.2e-6);
    assert!((cost - kept).abs() < 1e-9, "{cost} of {kept}");
}

/// Users of three regions before a gate that is near to the first; a service is near to the gate, another one far from it.
struct Regions;

const NEAR: NodeId = NodeId(2);
const FAR: NodeId = NodeId(3);
/// From a region to the gate, and from there to the services.
const TO_GATE: [Time; 3] = [Time::ms(10), Time::ms(60), Time::ms(120)];
const ON: [Time; 2] = [Time::ms(5), Time::ms(90)];
const SHARES: [f64; 3] = [6.0, 3.0, 1.0];

/// Of each request that is over: whose it was, its region, and how long it took.
type Trips = Vec<(u16, u8, Time)>;

impl Script for Regions {
    fn dials(&self) -> &'static [Dial] {
        const DIALS: &[Dial] = &[
            Dial::switch("regional", true),
            Dial::choice("arrivals", &["open", "closed", "paced"], 0),
        ];
        DIALS
    }
    fn plan(&self, knobs: &Values) -> Plan {
        let mut users = Crowd::poisson(200.0, Call::over(WIRE));
        users.regions = SHARES.to_vec();
        let think = Time::ms(100);
        match knobs.whole("arrivals") {
            1 => users.arrivals = Arrivals::Closed { users: 200, think },
            2 => {
                users.arrivals = Arrivals::Paced {
                    per_s: 200.0,
                    connections: 200,
                    skips: false,
                }
            }
            _ => {}
        }
        let gate = Gate {
            routes: vec![WireId(1), WireId(2)],
            regional: knobs.on("regional"),
            ..Gate::default()
        };
        let service = || Kind::Service(Service::new(500, 0, Time::ms(20), Spread::Fixed));
        let to_gate = Wire {
            by_region: TO_GATE[..2].to_vec(),
            ..Wire::new(WIRE, FROM, TO, "link", TO_GATE[2])
        };
        Plan {
            nodes: vec![
                Node::one(FROM, "users", Kind::Crowd(users)),
                Node::one(TO, "gate", Kind::Gate(gate)),
                Node::one(NEAR, "near", service()),
                Node::one(FAR, "far", service()),
            ],
            wires: vec![
                to_gate,
                Wire::new(WireId(1), TO, NEAR, "link", ON[0]),
                Wire::new(WireId(2), TO, FAR, "link", ON[1]),
            ],
            ..Plan::default()
        }
    }
    fn gear(&self) -> Gear {
        Gear {
            paced: Some(&PACED),
            ..Gear::NONE
        }
    }
    fn own(&self) -> Box<dyn Own> {
        Box::new(Trips::new())
    }
    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let Draw { person, region, .. } = request.draw;
        let trip = (person, region, now.since(request.asked));
        system.own_mut::<Trips>().push(trip);
    }
}

fn regions(set: &[(&str, f64)], s: u64) -> Run<System> {
    run(&Regions, || Values::first(&Regions), set, s)
}

#[test]
fn who_is_far_waits_longer_and_a_regional_gate_sends_each_to_its_own() {
    for arrivals in 0..3 {
        let run = regions(&[("arrivals", f64::from(arrivals))], 60);
        let trips = run.model().own::<Trips>();
        assert!(trips.len() > 6_000);
        for (region, to_gate) in TO_GATE.into_iter().enumerate() {
            let ours = trips.iter().filter(|trip| usize::from(trip.1) == region);
            let on = ON[region.min(1)];
            let way = Time(2 * (to_gate + on).0) + Time::ms(20);
            let mut count = 0;
            for trip in ours {
                assert_eq!(trip.2, way, "region {region}");
                count += 1;
            }
            assert!(count > 0);
        }
        // Of open arrivals each is drawn, of users who wait for answers, and of connections, each once.
        let homes: BTreeMap<u16, u8> = trips.iter().map(|it| (it.0, it.1)).collect();
        let drawn: Vec<u8> = match arrivals {
            0 => trips.iter().map(|trip| trip.1).collect(),
            _ => homes.values().copied().collect(),
        };
        for (region, share) in SHARES.into_iter().enumerate() {
            let ours = drawn.iter().filter(|it| usize::from(**it) == region);
            let found = ours.count() as f64 / drawn.len() as f64;
            let off = if arrivals == 0 { 0.02 } else { 0.1 };
            assert!((found - share / 10.0).abs() < off, "{region}: {found}");
        }
        let (near, far) = (run.model().row(NEAR), run.model().row(FAR));
        let first = trips.iter().filter(|trip| trip.1 == 0).count();
        assert!(near.of(Count::Done) as usize >= first && far.of(Count::Done) > 0);
        if arrivals > 0 {
            assert!(trips.iter().all(|trip| homes[&trip.0] == trip.1));
        }
    }
}

#[test]
fn twins_ask_from_the_same_regions_whatever_the_routes() {
    let sheet: &'static Sheet<System> = Box::leak(Box::new(Sheet {
        probes: &probe::ALL,
        ..Sheet::usual(
            Card {
                slug: "test",
                chapter: "test",
                tables: &[],
            },
            || Values::first(&Regions),
            |_, _, _, _| {},
        )
    }));
    for arrivals in 0..3 {
        let set = |regional: f64| [("regional", regional), ("arrivals", f64::from(arrivals))];
        let compared = trial::pair(sheet, [&set(0.0), &set(1.0)], 5).unwrap();
        assert!(compared.requests > 5_000, "{compared:?}");
    }
}
