//! Retry storm: when does help become an attack?

mod figure;
mod story;

#[cfg(test)]
mod tests;

use algorithms::hash::mix64;
use algorithms::retry::{Backoff, Jitter};
use engine::scene::Rect;
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Scene,
    Sheet, Time, Tone,
};
use kit::flow::{Holds, Key, Recently};
use kit::system::{
    Arrivals, Budget, Call, Crowd, Cx, Deed, Dial, Draw, Event, Frame, Kind, Node, NodeId, Own,
    Plan, Retry, Script, Service, Spread, Step, System, Values, Wire, WireId, draw, probe,
};

/// The lesson.
pub struct Storm;

/// Who asks.
pub const USERS: NodeId = NodeId(0);
/// The layers between users and service, outermost first; a plan has as many as retry beside the users.
pub const LAYERS: [NodeId; 2] = [NodeId(1), NodeId(2)];
/// Who answers.
pub const SERVICE: NodeId = NodeId(3);
/// The layers and the wires to them on the stage.
const LAYER_PARTS: [&str; 2] = ["outer", "inner"];
const BETWEEN: [&str; 2] = ["to-outer", "to-inner"];
/// The wires to the layers and, last, to the service.
const WIRES: [WireId; 3] = [WireId(0), WireId(1), WireId(2)];

/// One way along one wire: stretched, within a data centre it takes under 1 ms. Waits leave it out.
const HOP: Time = Time::ms(80);
/// Workers of the service.
const WORKERS: u32 = 4;
/// What a layer can have open: more than there ever is, because layers are not what is short here.
const OPEN: u32 = 2_000;
/// Users of the crowd that is always the same, and their mean pause.
const SAME: (u16, Time) = (200, Time::s(4));
/// Users who come back together, as when a shared connection drops.
const HERD: u32 = 240;
/// Retries that a budget saves up.
pub const SAVED: u32 = 10;
/// What is told of users lately looks so far back.
pub const LATELY: Time = Time::s(5);
/// Calls a second are counted over this span.
pub const RATE: Time = Time::s(1);
/// The timer that ends a hiccup.
const WELL: u32 = 1;

const DIALS: &[Dial] = &[
    Dial::whole("retries", [0, 5], 3),
    Dial::choice(
        "backoff",
        &["none", "exponential", "full", "decorrelated"],
        2,
    ),
    Dial::slider("budget", [0.0, 100.0, 5.0], "%", 0.0),
    Dial::slider("load", [5.0, 60.0, 1.0], "req/s", 40.0),
    Dial::choice("callers", &["new", "same"], 0),
    Dial::whole("layers", [1, 3], 1),
    Dial::slider("base", [10.0, 2_000.0, 10.0], "ms", 100.0),
    Dial::slider("longest", [0.1, 20.0, 0.1], "s", 2.0),
    Dial::slider("timeout", [0.2, 5.0, 0.1], "s", 1.0),
    Dial::whole("queue", [10, 400], 200),
    Dial::choice("order", &["oldest", "newest"], 0),
    Dial::switch("skip", false),
    Dial::slider("capacity", [20.0, 200.0, 1.0], "req/s", 60.0),
    Dial::slider("hiccup", [0.5, 10.0, 0.5], "s", 3.0),
    Dial::slider("chance", [0.0, 50.0, 10.0], "%", 0.0),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("hiccup"),
    ActionSpec::whole("herd"),
    ActionSpec::whole("pause"),
    ActionSpec::whole("double"),
    ActionSpec::whole("restart"),
    ActionSpec::turning("unlucky", "chance", 10.0),
    ActionSpec::turning("lucky", "chance", -50.0),
];

const DEEDS: &[Deed] = &[
    Deed::Own,
    Deed::Own,
    Deed::Surge(USERS, 0.0, Time::s(5)),
    Deed::Surge(USERS, 2.0, Time::s(5)),
    Deed::Flush(SERVICE),
    Deed::Turn,
    Deed::Turn,
];

/// What became of a user's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    First,
    Retried,
    Error,
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
struct Seen {
    /// Calls that reached for the service: first tries, retries.
    calls: Recently<2>,
    /// Users' requests by [`Fate`].
    fates: Recently<3>,
    /// When the last hiccup ended, by the model's clock.
    healed: Option<Time>,
    /// The service works at full speed and nobody gets through.
    jammed: bool,
    /// At least 90 % of users have had an answer, for so long.
    well: Holds,
    /// A hiccup is over and all is well.
    survived: Holds,
    /// The service has been jammed, and 3 retries or more were allowed ever since; a restart does not count.
    jam_with_retries: bool,
    /// Three retries and no budget.
    bare: bool,
    /// A queue of at least 200.
    long: bool,
    /// At least 40 users a second.
    busy: bool,
    /// The longest wait before a retry.
    longest: Time,
    /// The herd: when it came, how many of it are still under way, and calls sent for it.
    herd: Option<Herd>,
    /// The most calls that one request under way has led to at the service.
    most: u32,
    /// Calls sent to the service for each request that is under way: its number, how many.
    tries: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Herd {
    came: Time,
    first: u32,
    /// Calls sent for it.
    calls: u32,
    /// Of these, which try the furthest is, from 0.
    wave: usize,
    /// Requests of it that are not over.
    open: u32,
    done: Option<Time>,
}

impl Seen {
    fn new(now: Time) -> Seen {
        Seen {
            calls: Recently::new(now),
            fates: Recently::new(now),
            healed: None,
            jammed: false,
            well: Holds::default(),
            survived: Holds::default(),
            jam_with_retries: false,
            bare: false,
            long: false,
            busy: false,
            longest: Time::ZERO,
            herd: None,
            most: 0,
            tries: Vec::new(),
        }
    }

    /// The share of users who got an answer lately; none if there were too few.
    fn answered(&self, at: Time) -> Option<f64> {
        let all: u32 = (0..3).map(|fate| self.fates.sum(fate, LATELY, at)).sum();
        let error = self.fates.share(Fate::Error as usize, LATELY, at)?;
        (all >= 10).then_some(1.0 - error)
    }

    fn per_s(&self, at: Time) -> (f64, f64) {
        (self.calls.per_s(0, RATE, at), self.calls.per_s(1, RATE, at))
    }

    fn in_herd(&self, number: u32) -> bool {
        let herd = |herd: Herd| (herd.first..herd.first + HERD).contains(&number);
        self.herd.is_some_and(herd)
    }
}

/// How a retry waits, by the knobs.
fn backoff(knobs: &Values) -> Backoff {
    let jitter = match knobs.whole("backoff") {
        0 => return Backoff::IMMEDIATE,
        1 => Jitter::None,
        2 => Jitter::Full,
        _ => Jitter::Decorrelated,
    };
    Backoff {
        base_us: knobs.ms("base").0,
        cap_us: knobs.s("longest").0.max(knobs.ms("base").0),
        multiplier: 2.0,
        jitter,
    }
}

impl Script for Storm {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let layers = knobs.whole("layers").clamp(1, 3) as usize;
        let retry = Retry {
            retries: knobs.whole("retries") as u8,
            backoff: backoff(knobs),
            budget: (knobs.get("budget") > 0.0).then_some(0),
            heeds: None,
        };
        // Whoever calls the service itself gives up after the time-out; the outer ones wait, so that counts are the maximum.
        let call = |caller: usize| Call {
            timeout: (caller + 1 == layers).then(|| knobs.s("timeout")),
            retry: Some(retry),
            ..Call::over(if caller + 1 == layers {
                WIRES[2]
            } else {
                WIRES[caller]
            })
        };
        let mut users = Crowd::poisson(knobs.get("load"), call(0));
        if knobs.whole("callers") == 1 {
            users.arrivals = Arrivals::Closed {
                users: SAME.0,
                think: SAME.1,
            };
        }
        let mut nodes = vec![Node::one(USERS, "users", Kind::Crowd(users))];
        let mut wires = Vec::new();
        for caller in 1..layers {
            let mut layer = Service::new(OPEN, 0, Time::ZERO, Spread::Fixed);
            layer.programs = vec![vec![Step::Call(call(caller))]];
            let id = LAYERS[caller - 1];
            nodes.push(Node::one(id, LAYER_PARTS[caller - 1], Kind::Service(layer)));
            let from = if caller == 1 {
                USERS
            } else {
                LAYERS[caller - 2]
            };
            wires.push(Wire::new(
                WIRES[caller - 1],
                from,
                id,
                BETWEEN[caller - 1],
                HOP,
            ));
        }
        let work = Time::from_s(f64::from(WORKERS) / knobs.get("capacity"));
        let mut service = Service::new(WORKERS, knobs.whole("queue"), work, Spread::Fixed);
        service.newest_first = knobs.whole("order") == 1;
        service.skips_left = knobs.on("skip");
        service.fails = knobs.get("chance") / 100.0;
        nodes.push(Node::one(SERVICE, "service", Kind::Service(service)));
        let last = if layers == 1 {
            USERS
        } else {
            LAYERS[layers - 2]
        };
        wires.push(Wire::new(WIRES[2], last, SERVICE, "link", HOP));
        let budget = Budget {
            saved_max: SAVED,
            ratio: knobs.get("budget") / 100.0,
            per_s: 0,
        };
        Plan {
            nodes,
            wires,
            budgets: if knobs.get("budget") > 0.0 {
                vec![budget]
            } else {
                Vec::new()
            },
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen::new(WARM_UP))
    }

    fn can(&self, act: Act, system: &System) -> bool {
        let seen = system.own::<Seen>();
        match act.spec {
            0 => !stalled(system),
            _ => seen.herd.is_none_or(|herd| herd.done.is_some()),
        }
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        if act.spec == 0 {
            system.deed(Deed::Slow(SERVICE, 0.0), 0, cx);
            let part = PartId::one("service");
            let span = knobs.s("hiccup");
            let note = Note::new("hiccup").with(Arg::Span(span)).about(part);
            system.say(note.mark(Tone::Bad).begins("hiccup", 0), cx);
            cx.schedule(span, Event::Timer(WELL));
            return;
        }
        let users = PartId::one("users");
        let note = Note::new("herd").with(Arg::Count(i64::from(HERD)));
        let herd = system.say(note.about(users).mark(Tone::Learner), cx);
        let first = system.requests() + 1;
        system.own_mut::<Seen>().herd = Some(Herd {
            came: cx.now(),
            first,
            calls: 0,
            wave: 0,
            open: HERD,
            done: None,
        });
        for i in 0..HERD {
            cx.because(herd);
            let draw = Draw {
                dice: mix64(u64::from(first) << 16 | u64::from(i)),
                ..Draw::default()
            };
            system.request(USERS.0, draw, 0, cx);
        }
    }

    fn timer(&self, _: u32, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        if !stalled(system) {
            return;
        }
        system.deed(Deed::Recover(SERVICE), 0, cx);
        let part = PartId::one("service");
        let note = Note::new("hiccup-over").about(part).mark(Tone::Ok);
        system.say(note.ends("hiccup", 0), cx);
        let now = cx.now();
        system.own_mut::<Seen>().healed = Some(now);
    }

    fn heard(&self, note: &Note, system: &mut System) {
        match note.word {
            "flushed" => {
                let seen = system.own_mut::<Seen>();
                seen.jam_with_retries = false;
                seen.healed = None;
            }
            "slowed" => system.own_mut::<Seen>().healed = None,
            _ => {}
        }
    }

    fn sent(&self, call: Key, system: &mut System, now: Time) {
        let Some(call) = system.frame(call).filter(|call| call.at().0 == SERVICE) else {
            return;
        };
        let (number, nth) = (call.number, call.nth);
        let seen = system.own_mut::<Seen>();
        let tries = match seen.tries.iter_mut().find(|(known, _)| *known == number) {
            Some((_, tries)) => {
                *tries += 1;
                *tries
            }
            None => {
                seen.tries.push((number, 1));
                1
            }
        };
        seen.calls.add(usize::from(tries > 1), now);
        let in_herd = seen.in_herd(number);
        if let Some(herd) = seen.herd.as_mut().filter(|_| in_herd) {
            herd.calls += 1;
            let wave = usize::from(nth);
            herd.wave = herd.wave.max(wave);
        }
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let seen = system.own_mut::<Seen>();
        let place = seen
            .tries
            .iter()
            .position(|(known, _)| *known == request.number);
        let tries = place.map_or(1, |place| seen.tries.swap_remove(place).1);
        let fate = match request.failed {
            Some(_) => Fate::Error,
            None if tries > 1 => Fate::Retried,
            None => Fate::First,
        };
        seen.fates.add(fate as usize, now);
        let in_herd = seen.in_herd(request.number);
        if let Some(herd) = seen.herd.as_mut().filter(|_| in_herd) {
            herd.open = herd.open.saturating_sub(1);
            if herd.open == 0 {
                herd.done = Some(now);
            }
        }
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let stalled = stalled(system);
        let seen = system.own_mut::<Seen>();
        let answered = seen.answered(now).unwrap_or(1.0);
        let (first, again) = seen.per_s(now);
        let late = seen.healed.is_some_and(|at| now.since(at) >= LATELY);
        seen.jammed = late && answered < 0.5 && first + again > knobs.get("capacity") && !stalled;
        let three = knobs.whole("retries") >= 3;
        seen.jam_with_retries = (seen.jam_with_retries || seen.jammed) && three;
        seen.bare = three && knobs.get("budget") == 0.0 && knobs.whole("callers") == 0;
        seen.long = knobs.whole("queue") >= 200;
        seen.busy = knobs.get("load") >= 40.0;
        seen.longest = knobs.s("longest");
        seen.most = seen
            .tries
            .iter()
            .map(|(_, tries)| *tries)
            .max()
            .unwrap_or(0);
        seen.well.set(answered >= 0.9 && !stalled, now);
        seen.survived.set(late && answered >= 0.9 && !stalled, now);
    }

    fn line(&self, node: NodeId, _: usize, system: &System, scene: &Scene) -> Option<String> {
        let most = system.own::<Seen>().most;
        if node == USERS && most > 5 {
            return Some(scene.say("most", &[Arg::Count(i64::from(most))]));
        }
        if node != SERVICE {
            return None;
        }
        if stalled(system) {
            return Some(scene.say("stalled", &[]));
        }
        let live = system.node(SERVICE)?.members.get(0)?;
        let left = live
            .own
            .pool
            .queue
            .iter()
            .filter_map(|key| system.frame(*key));
        let nobody = left.filter(|frame| system.is_for_nobody(frame)).count();
        let args = [Arg::Count(nobody as i64)];
        (nobody > 0).then(|| scene.say("for-nobody", &args))
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

/// Whether the service stands still.
fn stalled(system: &System) -> bool {
    let live = system.node(SERVICE).and_then(|live| live.members.get(0));
    live.is_some_and(|member| member.own.rate == 0.0)
}

/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(6);

const PLOTS: &[Plot] = &[
    Plot::of(
        "calls",
        &[
            Line::mean("calls", probe::CALLS, Ink::Accent).filled(),
            Line::mean("retries", probe::RETRIES, Ink::Warn),
        ],
        180.0,
    ),
    Plot::of(
        "answers",
        &[
            Line::mean("answered", probe::DONE, Ink::Ok).filled(),
            Line::mean("errors", probe::FAILED, Ink::Bad),
        ],
        50.0,
    ),
    Plot::of(
        "waiting",
        &[Line::mean("waiting", probe::WAITING, Ink::Hit).filled()],
        200.0,
    ),
];

impl Lesson for Storm {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &probe::ALL,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Warn),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("backoff", 0.0),
        stands_for: figure::STANDS_FOR,
        still: Time::s(16),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "retry-storm",
                chapter: "services",
                tables: &["retry_backoff_jitter"],
            },
            || Values::first(&Storm),
            draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/retry.rs",
            region: "wait",
            marks: &[("tries-again", "Jitter::")],
        },
        Code {
            file: "algorithms/retry.rs",
            region: "budget",
            marks: &[
                ("no-budget", "let is_enough"),
                ("tries-again", "self.balance_milli -= MILLI"),
            ],
        },
    ];
}
