//! Autoscaling: should capacity follow the load, or get there first?

mod control;
mod figure;
mod story;

#[cfg(test)]
mod tests;

use algorithms::balancer::Policy;
use control::{Seen, tick};
use engine::scene::Rect;
use engine::tape::NoteId;
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Scene, Sheet, Time, Tone,
};
use kit::flow::Key;
use kit::system::{
    Arrivals, Call, Crowd, Cx, Deed, Dial, Event, Frame, Gate, Gear, Kind, Life, Node, NodeId, Own,
    Plan, Script, Service, Spread, System, TILES, Values, Wire, WireId, draw, probe,
};

/// The lesson.
pub struct Autoscaling;

/// Who asks.
pub const USERS: NodeId = NodeId(0);
/// Who shares the requests out.
pub const BALANCER: NodeId = NodeId(1);
/// Who answers, as many as the autoscaler wants.
pub const PODS: NodeId = NodeId(2);
const TO_BALANCER: WireId = WireId(0);
const TO_POD: WireId = WireId(1);

/// Time is pressed ten to one: a second here is ten of Kubernetes.
const PRESSED: u64 = 10;
/// One way along a wire, stretched so that it can be seen.
const HOP: Time = Time::ms(60);
/// What a request takes of a pod, and how many a pod can so do in a second.
pub const WORK: Time = Time::ms(200);
const POD_PER_S: u64 = 5;
/// By this share requests differ from that, up or down; drawn for this purpose.
const DIFFERS: f64 = 0.05;
const DRAW: u64 = 101;
/// Requests that may wait at a pod.
const PLACES: u32 = 20;
/// A user leaves after so long, and has been answered in time within so long, both with the way there and back.
const PATIENCE: Time = Time(2_000_000 + 4 * HOP.0);
const IN_TIME: Time = Time(1_000_000 + 4 * HOP.0);
/// Pods that are there at the beginning.
const FIRST: usize = 5;
/// The most pods there is room for.
pub const ROOM: u32 = 30;
/// A pod for which there is no place waits so long for another machine before it starts.
const MACHINE: Time = Time::s(9);
/// How many times as much a spike brings, and for how long; a flash lasts shorter.
const SPIKE: f64 = 4.0;
const SPIKE_FOR: Time = Time::s(30);
const FLASH_FOR: Time = Time::s(5);
/// Both are announced at least so long before.
const LEAD: Time = Time::s(5);
/// It comes so long after a check.
const AFTER_CHECK: Time = Time::ms(100);
/// The first one comes so long after time zero.
const FIRST_SPIKE: Time = Time::ms(3_100);
/// What a plan for a spike wants at least.
const PLANNED: u32 = 20;
/// For so long metrics fall silent.
const SILENCE: Time = Time::s(10);
/// For how long the system runs before anybody looks: as long as the chart reaches back.
const WARM_UP: Time = Time::s(30);

/// The knob `metric`.
const CPU: f64 = 0.0;
/// See [`CPU`].
const ARRIVING: f64 = 1.0;

const DIALS: &[Dial] = &[
    Dial::choice("metric", &["cpu", "arriving", "inside"], 0),
    Dial::slider("target", [20.0, 100.0, 1.0], "%", 60.0),
    Dial::slider("start", [0.5, 30.0, 0.5], "s", 3.0),
    Dial::slider("keep", [0.0, 60.0, 1.0], "s", 30.0),
    Dial::whole("least", [1, 20], 2),
    Dial::slider("ahead", [0.0, 5.0, 1.0], "s", 0.0),
    Dial::choice("shape", &["steady", "day", "waves"], 0),
    Dial::slider("load", [2.0, 60.0, 1.0], "req/s", 15.0),
    Dial::choice("arrivals", &["even", "random"], 0),
    Dial::choice("starting", &["idle", "forgotten"], 0),
    Dial::slider("check", [0.5, 6.0, 0.5], "s", 1.5),
    Dial::slider("tolerance", [0.0, 30.0, 1.0], "%", 10.0),
    Dial::choice("up", &["double", "free"], 0),
    Dial::whole("most", [5, ROOM], ROOM),
    Dial::whole("free", [4, ROOM], ROOM),
    Dial::switch("auto", true),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("spike"),
    ActionSpec::whole("flash"),
    ActionSpec::turning("twice", "load", 15.0),
    ActionSpec::whole("silent"),
    ActionSpec::whole("half"),
    ActionSpec::turning("ends", "load", -60.0),
    ActionSpec::whole("calm"),
];
const DEEDS: &[Deed] = &[
    Deed::Own,
    Deed::Own,
    Deed::Turn,
    Deed::Own,
    Deed::Own,
    Deed::Turn,
    Deed::Own,
];
/// The places of the lesson's own deeds.
const DO_SPIKE: usize = 0;
const DO_FLASH: usize = 1;
const DO_SILENT: usize = 3;
const DO_HALF: usize = 4;

/// The autoscaler's part.
const AUTOSCALER: PartId = PartId::one("autoscaler");

impl Script for Autoscaling {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn gear(&self) -> Gear {
        Gear {
            tiles: Some(&TILES),
            ..Gear::NONE
        }
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let load = knobs.get("load");
        let mut users = Crowd::poisson(load, Call::over(TO_BALANCER));
        let even = knobs.whole("arrivals") == 0;
        users.arrivals = match (knobs.whole("shape"), even) {
            (1, _) => Arrivals::Day {
                low: load,
                high: SPIKE * load,
                period: DAY,
                even,
            },
            (2, _) => Arrivals::Day {
                low: load * 0.4,
                high: load * 3.0,
                period: WAVE,
                even,
            },
            (_, true) => Arrivals::Even { per_s: load },
            (_, false) => Arrivals::Poisson { per_s: load },
        };
        users.patience = Some(PATIENCE);
        let mut pod = Service::new(1, PLACES, WORK, Spread::Fixed);
        pod.skips_left = true;
        pod.weighs = true;
        let gate = Gate {
            routes: vec![TO_POD],
            ..Gate::default()
        };
        let pods = Node {
            tiles: ROOM as u16,
            life: Life {
                boot: knobs.s("start"),
                restart: Some(knobs.s("start")),
                ..Life::default()
            },
            ..Node::many(PODS, "pod", Kind::Service(pod), FIRST)
        };
        Plan {
            nodes: vec![
                Node::one(USERS, "users", Kind::Crowd(users)),
                Node::one(BALANCER, "balancer", Kind::Gate(gate)),
                pods,
            ],
            wires: vec![
                Wire::new(TO_BALANCER, USERS, BALANCER, "to-balancer", HOP),
                Wire {
                    policy: Policy::LeastConnections,
                    told: true,
                    ..Wire::new(TO_POD, BALANCER, PODS, "link", HOP)
                },
            ],
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen::new(Time::ZERO))
    }

    fn start(&self, system: &mut System) {
        // What was seen stays, so that the chart is full; the first spike is announced.
        let now = system.now;
        let seen = system.own_mut::<Seen>();
        seen.begin(now);
        seen.rush_at = Some((WARM_UP + FIRST_SPIKE, SPIKE_FOR));
    }

    fn can(&self, act: Act, system: &System) -> bool {
        match act.spec {
            DO_SPIKE | DO_FLASH => {
                let surge = system.node(USERS).and_then(|users| users.surge.until());
                let calm = surge.is_none_or(|until| until <= system.now);
                calm && system.own::<Seen>().rush_at.is_none()
            }
            DO_SILENT => !system.own::<Seen>().is_silent(system.now),
            DO_HALF => ready(system).count() > 1,
            _ => true,
        }
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let now = cx.now();
        match act.spec {
            DO_SPIKE | DO_FLASH => {
                let span = match act.spec {
                    DO_SPIKE => SPIKE_FOR,
                    _ => FLASH_FOR,
                };
                // Always just after a check, so that the stair is the same whenever it is asked for.
                let check = knobs.s("check").0;
                let soonest = now.0 + LEAD.0;
                let wait = Time(LEAD.0 + (AFTER_CHECK.0 + check - soonest % check) % check);
                system.own_mut::<Seen>().rush_at = Some((now + wait, span));
                let note = Note::new("announced")
                    .with(Arg::Span(wait))
                    .with(Arg::Span(span));
                let users = PartId::one("users");
                system.say(note.about(users).mark(Tone::Learner), cx);
            }
            DO_SILENT => {
                system.own_mut::<Seen>().silent_until = now + SILENCE;
                let note = Note::new("silent").with(Arg::Span(SILENCE));
                system.say(note.about(AUTOSCALER).mark(Tone::Bad), cx);
            }
            DO_HALF => {
                let up: Vec<usize> = ready(system).collect();
                let cause = cx.cause();
                for member in up.iter().step_by(2) {
                    cx.because(cause);
                    system.deed(Deed::Restart(PODS), *member, cx);
                }
            }
            _ => control::calm(system, knobs, cx),
        }
    }

    fn boots(&self, _: NodeId, member: usize, boot: Time, system: &System) -> Time {
        let free = system.own::<Seen>().free;
        boot + if member >= free { MACHINE } else { Time::ZERO }
    }

    fn sent(&self, call: Key, system: &mut System, now: Time) {
        if let Some(pod) = pod_of(call, system) {
            system.own_mut::<Seen>().trace(pod).came.push_back(now);
        }
    }

    /// Requests differ a little in their work.
    fn weighs(&self, call: Key, work: Time, system: &mut System, now: Time) -> Time {
        let Some(frame) = system.frame(call) else {
            return work;
        };
        let share = 1.0 + DIFFERS * (2.0 * frame.draw.unit(DRAW) - 1.0);
        let (work, pod) = (Time((work.0 as f64 * share) as u64), frame.at().1);
        let seen = system.own_mut::<Seen>();
        seen.trace(pod).worked.push_back((now, now + work));
        work
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        system.own_mut::<Seen>().over(request, now);
    }

    fn report(&self, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let turned = system.turned;
        let seen = system.own_mut::<Seen>();
        seen.free = knobs.whole("free") as usize;
        seen.heed(turned, knobs);
        if !seen.ticks {
            seen.ticks = true;
            cx.because(NoteId::NONE);
            let after = Time(control::TICK.0 - cx.now().0 % control::TICK.0);
            cx.schedule(after, Event::Timer(0));
        }
    }

    fn timer(&self, _: u32, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        tick(system, knobs, cx);
    }

    fn line(&self, node: NodeId, _: usize, system: &System, scene: &Scene) -> Option<String> {
        let seen = system.own::<Seen>();
        if node == BALANCER {
            return Some(scene.say("policy.least-connections", &[]));
        }
        if node != USERS {
            return None;
        }
        let live = system.node(USERS)?;
        let (word, at) = match (seen.rush_at, live.surge.until()) {
            (_, Some(until)) => ("rush-ends", until),
            (Some((at, _)), None) => ("rush-in", at),
            (None, None) => return None,
        };
        let left = kit::figures::tenths(at.since(system.now));
        Some(scene.say(word, &[left]))
    }

    fn aside(
        &self,
        system: &System,
        knobs: &Values,
        at: Time,
        area: Rect,
        scene: &mut Scene,
    ) -> f32 {
        figure::draw(system, knobs, at, area, scene)
    }
}

/// How long a day of the knob `shape` is, and a wave.
const DAY: Time = Time::s(80);
const WAVE: Time = Time::s(12);

type Pod = kit::flow::Member<kit::system::Part>;

fn pods(system: &System) -> impl Iterator<Item = &Pod> {
    let live = system.node(PODS).into_iter();
    live.flat_map(|live| live.members.iter())
}

/// The pods that take requests.
fn ready(system: &System) -> impl Iterator<Item = usize> + '_ {
    let all = pods(system).enumerate();
    all.filter(|(_, pod)| pod.takes()).map(|(i, _)| i)
}

/// The pod that a call is at or bound for.
fn pod_of(call: Key, system: &System) -> Option<usize> {
    let (node, member) = system.frame(call)?.at();
    (node == PODS).then_some(member)
}

/// Probes of the lesson's own.
const NEEDED: usize = probe::OWN;
const READY: usize = probe::OWN + 1;
const WANTED: usize = probe::OWN + 2;
const BUSY: usize = probe::OWN + 3;
const TARGET: usize = probe::OWN + 4;
const HURT: usize = probe::OWN + 5;
const PROBES: [Probe; probe::OWN + 6] = {
    let mut all = [Probe::Level; probe::OWN + 6];
    let mut i = 0;
    while i < probe::OWN {
        all[i] = probe::ALL[i];
        i += 1;
    }
    all[HURT] = Probe::Count;
    all
};

const PLOTS: &[Plot] = &[
    Plot::of(
        "pods",
        &[
            Line::mean("ready", READY, Ink::Accent).filled(),
            Line::mean("needed", NEEDED, Ink::Ink),
            Line::mean("wanted", WANTED, Ink::Warn),
        ],
        30.0,
    ),
    Plot::of("late", &[Line::mean("hurt", HURT, Ink::Bad).filled()], 40.0),
    Plot::of(
        "cpu",
        &[
            Line::mean("busy", BUSY, Ink::Accent).filled(),
            Line::mean("target", TARGET, Ink::Warn),
        ],
        100.0,
    ),
];

impl Lesson for Autoscaling {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Mark),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        stands_for: figure::STANDS_FOR,
        speed: 2.0,
        twin: ("metric", ARRIVING),
        still: Time(FIRST_SPIKE.0 + 4_500_000),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "autoscaling",
                chapter: "compute",
                tables: &["k8s_hpa"],
            },
            || Values::first(&Autoscaling),
            draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/autoscaler.rs",
            region: "replicas",
            marks: &[("scales", "let replicas = second.of(pods.len());")],
        },
        Code {
            file: "algorithms/autoscaler.rs",
            region: "stabilize",
            marks: &[("keeps", "let highest = ")],
        },
        Code {
            file: "algorithms/autoscaler.rs",
            region: "limit",
            marks: &[("limited", "wanted.min(most.max(current))")],
        },
    ];
}
