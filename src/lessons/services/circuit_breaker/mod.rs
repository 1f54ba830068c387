//! Circuit breaker: one service is failing. How do you stop it taking the others down?

mod figure;
mod story;

#[cfg(test)]
mod tests;

use algorithms::circuit_breaker::{State, counting, rates};
use algorithms::retry::{Backoff, Jitter};
use engine::scene::Rect;
use engine::{
    ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe, Scene,
    Sheet, Time, Tone,
};
use kit::flow::{Holds, Key, Recently};
use kit::system::{
    BREAKERS, CELLS, Call, Crowd, Cx, Deed, Dial, Frame, Gear, Guard, Hurry, Kind, Node, NodeId,
    Otherwise, Own, Plan, Reason, Retry, Script, Service, Spread, Step, System, Upon, Values, Wire,
    WireId, breaker_part, draw, probe,
};

/// The lesson.
pub struct Breaking;

/// Who asks.
const USERS: NodeId = NodeId(0);
/// M1, M2 and M3.
const CHAIN: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];
const M3: NodeId = CHAIN[2];
/// Who answers in place of M3.
const BACKUP: NodeId = NodeId(4);
/// Who overloads M3.
const OTHERS: NodeId = NodeId(5);
/// The wires to M1, M2 and M3.
const WIRES: [WireId; 3] = [WireId(0), WireId(1), WireId(2)];
const SPARE: WireId = WireId(3);
const FLOOD: WireId = WireId(4);
/// The place of the breaker in M2; the one in M1 has 0.
const INNER: u8 = 1;

/// One way along one link. Stretched, so that calls can be seen travelling.
const HOP: Time = Time::ms(100);
/// Callers that wait for a free thread of M1 or M2; further ones are turned away.
const ACCEPT: u32 = 16;
/// The queue of the backup, and how long one of its answers takes.
const BACKUP_DOES: (u32, Time) = (12, Time::ms(200));
/// An overload: calls a second, and how long.
const OVERLOAD: (f64, Time) = (40.0, Time::s(3));
/// How long after an overload it is judged what became of the users.
const AFTERMATH: Time = Time::s(5);
const HURRY: Hurry = Hurry {
    span: Time::s(6),
    patience: Time::s(2),
    reloads: (4, Time::ms(300)),
};
/// What users got now is what they got in this span, and lately in that.
const NOW: Time = Time::s(2);
const LATELY: Time = Time::s(10);
/// For how long the chain runs before anybody looks.
const WARM_UP: Time = Time::s(12);

/// The part of a service by its place in the chain, from 0.
const fn service(place: usize) -> PartId {
    PartId::nth("service", place as u16 + 1)
}

const DIALS: &[Dial] = &[
    Dial::choice("breakers", &["none", "m2", "both"], 2),
    Dial::slider("fail", [0.0, 100.0, 5.0], "%", 0.0),
    Dial::slider("delay", [50.0, 3_000.0, 50.0], "ms", 250.0),
    Dial::whole("retries", [0, 5], 4),
    Dial::choice("fallback", &["error", "last-good", "backup"], 1),
    Dial::slider("open", [0.5, 30.0, 0.5], "s", 4.0),
    Dial::choice("rule", &["share", "row"], 0),
    Dial::slider("threshold", [10.0, 100.0, 10.0], "%", 50.0),
    Dial::slider("window", [2.0, 30.0, 1.0], "calls", 10.0),
    Dial::whole("row", [1, 20], 5),
    Dial::slider("slow", [100.0, 2_000.0, 50.0], "ms", 2_000.0),
    Dial::whole("probes", [1, 10], 2),
    Dial::slider("load", [1.0, 40.0, 1.0], "req/s", 8.0),
    Dial::slider("timeout", [0.3, 5.0, 0.1], "s", 1.0),
    Dial::slider("timeout-outer", [0.5, 30.0, 0.5], "s", 6.0),
    Dial::slider("backoff", [0.0, 1_000.0, 50.0], "ms", 0.0),
    Dial::slider("patience", [1.0, 30.0, 0.5], "s", 8.0),
    Dial::whole("threads-1", [2, 40], 24).of(service(0)),
    Dial::whole("threads-2", [2, 40], 24).of(service(1)),
    Dial::whole("workers", [1, 12], 4).of(service(2)),
    Dial::whole("queue", [0, 48], 24).of(service(2)),
    Dial::whole("backup-workers", [1, 12], 3).of(PartId::one("backup")),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("overload"),
    ActionSpec::turning("fail", "fail", 50.0),
    ActionSpec::turning("heal", "fail", -100.0),
    ActionSpec::whole("restart"),
    ActionSpec::whole("refresh"),
];

const DEEDS: &[Deed] = &[
    Deed::Surge(OTHERS, 1.0, OVERLOAD.1),
    Deed::Turn,
    Deed::Turn,
    Deed::Flush(M3),
    Deed::Refresh(USERS, HURRY),
];

/// What a user got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Fresh,
    LastGood,
    Backup,
    Error,
}

/// The lesson's own probes, after those of every system.
mod own_probe {
    use super::probe::OWN;
    pub(super) const FRESH: usize = OWN;
    pub(super) const STAND_IN: usize = OWN + 1;
    /// Calls that M2 sent to M3.
    pub(super) const CALLS: usize = OWN + 2;
    /// Busy threads of M1; those of M2 are the next.
    pub(super) const THREADS: usize = OWN + 3;
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
struct Seen {
    /// What users got, by [`Got`].
    got: Recently<4>,
    /// Requests that users sent, reloads among them.
    asked: Recently<1>,
    /// Calls to M3 for each request: its number, how many, and whether M1 or its user is done with it; when both are, it is
    /// the last.
    tries: Vec<(u32, u32, bool)>,
    last: u32,
    /// What users have got that is not told yet: number, after how long, calls to M3.
    untold: Vec<(Got, u32, Time, u32)>,
    /// The most for one request since a knob was turned.
    most: u32,
    turned: Time,
    /// What users get in place of a fresh page while a breaker is open, as the knob has it.
    stand_in: Got,
    /// The share of calls that M3 fails on purpose, in per cent; and since when it fails none.
    fails: f64,
    mended: Option<Time>,
    /// Failures that open a breaker.
    to_open: u32,
    flood: Option<Flood>,
    /// Probes and refusals of the last half-open time of M2's breaker that is over.
    half_open: Option<(u32, u32)>,
    /// A breaker has opened though M3 answers at least four calls of five.
    false_alarm: bool,
    /// No user gets an error at full load though M3 fails every call.
    unharmed: Holds,
    /// The chain hung without a breaker, and nobody has restarted M3 or set one since; it has come out of that.
    hung: bool,
    unhung: bool,
    /// What [`Script::report`] has yet to measure, and the busy threads and full pools that it has told of.
    measured: Vec<usize>,
    busy: [usize; 2],
    full: [bool; 2],
}

/// An overload and what came of it.
#[derive(Clone, Copy, Debug)]
struct Flood {
    began: Time,
    until: Time,
    /// M3 was restarted in it, or after it.
    cut: bool,
    load_per_s: f64,
    /// Answers to users until some seconds after its end, and how many were fresh.
    answers: u32,
    fresh: u32,
}

impl Flood {
    /// Whether it is judged now.
    fn is_over(&self, now: Time) -> bool {
        now.since(self.until) >= AFTERMATH
    }
}

impl Seen {
    fn new(now: Time) -> Seen {
        Seen {
            got: Recently::new(now),
            asked: Recently::new(now),
            tries: Vec::new(),
            last: 1,
            untold: Vec::new(),
            most: 0,
            turned: now,
            stand_in: Got::LastGood,
            fails: 0.0,
            mended: Some(now),
            to_open: 0,
            flood: None,
            half_open: None,
            false_alarm: false,
            unharmed: Holds::default(),
            hung: false,
            unhung: false,
            measured: Vec::new(),
            busy: [0; 2],
            full: [false; 2],
        }
    }

    /// The share of users who got this within the last span; 0 if nobody got anything.
    fn share(&self, got: Got, span: Time, at: Time) -> f64 {
        self.got.share(got as usize, span, at).unwrap_or(0.0)
    }

    /// Most calls to M3 for one request, of those under way and the last that ended.
    fn calls_of_one(&self) -> u32 {
        let under_way = self.tries.iter().map(|(_, tries, _)| *tries);
        under_way.fold(self.last, u32::max)
    }

    /// M1, or the user, is done with a request; tells how many calls it has caused. Services are not told when a user leaves,
    /// so M1 may be the last.
    fn done(&mut self, number: u32) -> u32 {
        let Some(place) = self.tries.iter().position(|it| it.0 == number) else {
            return 0;
        };
        let tries = self.tries[place].1;
        if std::mem::replace(&mut self.tries[place].2, true) {
            self.tries.swap_remove(place);
            self.last = tries;
        }
        tries
    }
}

/// Failed calls of the window, or in a row, that open a breaker.
fn to_open(knobs: &Values) -> u32 {
    match knobs.whole("rule") {
        // In thousandths, so that a share that is met exactly is not missed by rounding.
        0 => (knobs.whole("window") * (knobs.get("threshold") * 10.0) as u32).div_ceil(1_000),
        _ => knobs.whole("row"),
    }
}

fn rule(knobs: &Values, slow_after_us: u64) -> Guard {
    let (probes, open_us) = (knobs.whole("probes"), knobs.s("open").0);
    match knobs.whole("rule") {
        0 => Guard::Rates(rates::Settings {
            failure_percent_min: knobs.get("threshold"),
            slow_percent_min: knobs.get("threshold"),
            slow_after_us,
            window: rates::Span::Calls(knobs.whole("window")),
            calls_min: knobs.whole("window"),
            half_open_calls: probes,
            open_us,
            ..rates::Settings::default()
        }),
        _ => Guard::Counting(counting::Settings {
            requests_max: probes,
            timeout_us: open_us,
            trip: counting::Trip::ConsecutiveFailures {
                more_than: knobs.whole("row") - 1,
            },
            ..counting::Settings::default()
        }),
    }
}

impl Script for Breaking {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let (breakers, fallback) = (knobs.whole("breakers"), knobs.whole("fallback"));
        let mut backoff = Backoff::IMMEDIATE;
        if knobs.get("backoff") > 0.0 {
            backoff = Backoff {
                base_us: knobs.ms("backoff").0,
                cap_us: Time::s(2).0,
                multiplier: 2.0,
                jitter: Jitter::Full,
            };
        }
        let retry = Retry {
            retries: knobs.whole("retries") as u8,
            backoff,
            budget: None,
            heeds: None,
        };
        let call = |place: usize, timeout: &str, backup: Otherwise| Call {
            timeout: Some(knobs.s(timeout)),
            retry: Some(retry),
            guard: Some(place as u8),
            otherwise: match fallback {
                0 => Otherwise::Fail,
                1 => Otherwise::Copy,
                _ => backup,
            },
            upon: Upon::Refusal,
            ..Call::over(WIRES[place + 1])
        };
        let caller = |threads: &str, call: Call| {
            let mut caller = Service::new(knobs.whole(threads), ACCEPT, Time::ZERO, Spread::Fixed);
            caller.programs = vec![vec![Step::Call(call)]];
            Kind::Service(caller)
        };
        let mut users = Crowd::poisson(knobs.get("load"), Call::over(WIRES[0]));
        users.patience = Some(knobs.s("patience"));
        let mut others = Crowd::poisson(OVERLOAD.0, Call::over(FLOOD));
        others.floods = true;
        let (workers, queue) = (knobs.whole("workers"), knobs.whole("queue"));
        let mut last = Service::new(workers, queue, knobs.ms("delay"), Spread::Fixed);
        (last.fails, last.fails_fast) = (knobs.get("fail") / 100.0, true);
        let spare = match fallback {
            2 => Otherwise::Call(SPARE),
            _ => Otherwise::Fail,
        };
        let outer = caller("threads-1", call(0, "timeout-outer", Otherwise::Fail));
        let inner = caller("threads-2", call(1, "timeout", spare));
        let mut nodes = vec![
            Node::one(USERS, "users", Kind::Crowd(users)),
            Node::nth(CHAIN[0], "service", 1, outer),
            Node::nth(CHAIN[1], "service", 2, inner),
            Node::nth(M3, "service", 3, Kind::Service(last)),
            Node::one(OTHERS, "others", Kind::Crowd(others)),
        ];
        let link = |place: usize, from, to| Wire::new(WIRES[place], from, to, "link", HOP);
        let mut wires = vec![
            link(0, USERS, CHAIN[0]),
            link(1, CHAIN[0], CHAIN[1]),
            link(2, CHAIN[1], M3),
            Wire::new(FLOOD, OTHERS, M3, "flood", HOP),
        ];
        if fallback == 2 {
            let (places, work) = BACKUP_DOES;
            let workers = knobs.whole("backup-workers");
            let backup = Service::new(workers, places, work, Spread::Fixed);
            nodes.push(Node::one(BACKUP, "backup", Kind::Service(backup)));
            wires.push(Wire::new(SPARE, CHAIN[1], BACKUP, "spare", HOP));
        }
        for node in &mut nodes {
            node.cells = matches!(node.kind, Kind::Service(_));
        }
        Plan {
            nodes,
            wires,
            guards: vec![
                // Calls to M2 hold all of its tries, so only those to M3 are judged by their time.
                (breakers == 2).then(|| rule(knobs, u64::MAX)),
                (breakers > 0).then(|| rule(knobs, knobs.ms("slow").0)),
            ],
            ..Plan::default()
        }
    }

    fn gear(&self) -> Gear {
        Gear {
            breakers: Some(&BREAKERS),
            cells: Some(&CELLS),
            ..Gear::NONE
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen::new(WARM_UP))
    }

    fn start(&self, system: &mut System) {
        let now = system.now;
        let seen = system.own_mut::<Seen>();
        // Windows stay full, and requests that are under way go on being counted.
        *seen = Seen {
            got: seen.got.clone(),
            asked: seen.asked.clone(),
            tries: std::mem::take(&mut seen.tries),
            busy: seen.busy,
            full: seen.full,
            ..Seen::new(now)
        };
    }

    fn heard(&self, note: &Note, system: &mut System) {
        let now = system.now;
        let probed = system.guard(INNER).and_then(|breaker| breaker.before);
        let load_per_s = system.load_per_s(USERS);
        let seen = system.own_mut::<Seen>();
        let inner = note.part == Some(breaker_part(INNER));
        match note.word {
            "breaker-opens" | "breaker-reopens" | "breaker-closes" if inner => {
                let half_open = probed.filter(|before| before.state == State::HalfOpen);
                seen.half_open = half_open.map(|before| (before.passed, before.refused));
            }
            "breaker-tries" if inner => seen.half_open = None,
            "answered" | "fails-too" | "overflow" if note.part == Some(service(0)) => {
                seen.done(note.dot);
            }
            "flushed" => {
                seen.hung = false;
                if let Some(flood) = &mut seen.flood {
                    flood.cut |= !flood.is_over(now);
                }
            }
            "spike" => {
                seen.flood = Some(Flood {
                    began: now,
                    until: now + OVERLOAD.1,
                    cut: false,
                    load_per_s,
                    answers: 0,
                    fresh: 0,
                });
            }
            _ => {}
        }
        let opens = matches!(note.word, "breaker-opens" | "breaker-reopens");
        let calm = seen.flood.is_none_or(|flood| now > flood.until);
        let mild = seen.fails > 0.0 && seen.fails <= 20.0;
        seen.false_alarm |= opens && mild && calm;
    }

    fn sent(&self, call: Key, system: &mut System, now: Time) {
        let Some(call) = system.frame(call).copied() else {
            return;
        };
        let seen = system.own_mut::<Seen>();
        if call.leg.on == WIRES[0] {
            seen.asked.add(0, now);
            seen.tries.push((call.number, 0, false));
        } else if call.leg.on == WIRES[2] {
            seen.measured.push(own_probe::CALLS);
            let mut known = seen.tries.iter_mut();
            if let Some((_, tries, _)) = known.find(|it| it.0 == call.number) {
                *tries += 1;
                seen.most = seen.most.max(*tries);
            }
        }
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        if request.at().0 != USERS {
            return;
        }
        let seen = system.own_mut::<Seen>();
        let got = match (request.failed, request.partial) {
            (Some(_), _) => Got::Error,
            (None, false) => Got::Fresh,
            (None, true) if seen.stand_in == Got::Backup => Got::Backup,
            (None, true) => Got::LastGood,
        };
        seen.got.add(got as usize, now);
        let calls = seen.done(request.number);
        if request.failed != Some(Reason::Left) {
            let took = now.since(request.asked);
            seen.untold.push((got, request.number, took, calls));
        }
        match got {
            Got::Fresh => seen.measured.push(own_probe::FRESH),
            Got::LastGood | Got::Backup => seen.measured.push(own_probe::STAND_IN),
            Got::Error => seen.unharmed.restart(now),
        }
        if let Some(flood) = seen.flood.as_mut().filter(|flood| !flood.is_over(now)) {
            flood.answers += 1;
            flood.fresh += u32::from(got == Got::Fresh);
        }
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let turned = system.turned;
        let seen = system.own_mut::<Seen>();
        if seen.turned != turned {
            (seen.turned, seen.most) = (turned, 0);
            seen.unharmed.restart(now);
        }
        let [fails, load] = ["fail", "load"].map(|id| knobs.get(id));
        seen.fails = fails;
        seen.mended = seen.mended.or(Some(now)).filter(|_| fails == 0.0);
        seen.to_open = to_open(knobs);
        seen.stand_in = match knobs.whole("fallback") {
            0 => Got::Error,
            1 => Got::LastGood,
            _ => Got::Backup,
        };
        seen.unharmed.set(fails >= 100.0 && load >= 8.0, now);
        let calm_since = seen.flood.map_or(Time::ZERO, |flood| flood.until);
        let calm_since = seen.mended.map(|mended| mended.max(calm_since));
        let calm = calm_since.is_some_and(|since| now >= since + Time::s(3));
        let bare = knobs.whole("breakers") == 0;
        let errors = seen.got.share(Got::Error as usize, NOW, now);
        seen.hung = bare && (seen.hung || (calm && errors.is_some_and(|share| share >= 0.8)));
        let fresh = seen.got.share(Got::Fresh as usize, NOW + NOW, now);
        seen.unhung |= seen.hung && fresh.is_some_and(|share| share >= 0.9);
    }

    fn report(&self, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        for probe in std::mem::take(&mut system.own_mut::<Seen>().measured) {
            cx.sample(probe, 1.0);
        }
        for (got, number, took, calls) in std::mem::take(&mut system.own_mut::<Seen>().untold) {
            let word = match got {
                Got::Fresh => "user-fresh",
                Got::LastGood => "user-last-good",
                Got::Backup => "user-backup",
                Got::Error => "user-error",
            };
            let note = Note::new(word)
                .with(Arg::Count(i64::from(number)))
                .with(Arg::Span(took))
                .with(Arg::Count(i64::from(calls)));
            system.say(note.about(PartId::one("users")).dot(number), cx);
        }
        for (i, id) in ["threads-1", "threads-2"].into_iter().enumerate() {
            let (busy, size) = (held(system, CHAIN[i]), knobs.whole(id) as usize);
            let seen = system.own_mut::<Seen>();
            if busy != seen.busy[i] {
                seen.busy[i] = busy;
                cx.sample(own_probe::THREADS + i, busy as f64);
            }
            let was_full = seen.full[i];
            // Said again only after it has been well below.
            seen.full[i] = busy >= size || (was_full && busy * 3 >= size * 2);
            if seen.full[i] == was_full {
                continue;
            }
            let (word, tone) = match was_full {
                false => ("full", Tone::Bad),
                true => ("free", Tone::Ok),
            };
            let note = Note::new(word).with(Arg::Count(size as i64));
            let note = note.with(Arg::Part(service(i))).about(service(i));
            system.say(note.mark(tone), cx);
        }
    }

    fn line(&self, node: NodeId, _: usize, system: &System, scene: &Scene) -> Option<String> {
        let seen = system.own::<Seen>();
        let place = CHAIN.iter().position(|it| *it == node);
        let Some(place) = place else {
            let reloads = node == USERS && system.node(USERS)?.refresh.is_on();
            let per_s = seen.asked.per_s(0, NOW, system.now).round();
            return reloads.then(|| scene.say("reloading", &[Arg::Number(per_s)]));
        };
        let nobody = for_nobody(system, node);
        let breaker = system.guard(place as u8);
        if breaker.is_some_and(|it| it.state != State::Closed) || nobody == 0 {
            let fresh = WIRES.get(place + 1).and_then(|wire| system.wire(*wire));
            let copy = fresh.and_then(|live| live.fresh());
            if let (Some(at), Some(_), Got::LastGood) = (copy, breaker, seen.stand_in) {
                let age = Arg::Tenths((system.now.since(at).as_s() * 10.0) as u32);
                let roomy = scene.narrow() || scene.width >= 760.0;
                return Some(scene.say(if roomy { "copy" } else { "copy-short" }, &[age]));
            }
        }
        let fails = [Arg::Share(seen.fails / 100.0)];
        match (nobody, node == M3 && seen.fails > 0.0) {
            (0, true) => Some(scene.say("fails", &fails)),
            (0, false) => None,
            (nobody, _) => Some(scene.say("nobody", &[Arg::Count(nobody as i64)])),
        }
    }

    fn aside(&self, s: &System, k: &Values, at: Time, area: Rect, scene: &mut Scene) -> f32 {
        figure::draw(s, k, at, area, scene)
    }
}

/// Calls that a service works on.
fn held(system: &System, node: NodeId) -> usize {
    let live = system.node(node).and_then(|live| live.members.get(0));
    live.map_or(0, |member| member.own.pool.held.len())
}

/// Calls that it works on or that wait there, and that nobody waits for.
fn for_nobody(system: &System, node: NodeId) -> usize {
    let live = system.node(node).and_then(|live| live.members.get(0));
    let calls = live.into_iter().flat_map(|member| {
        let pool = &member.own.pool;
        pool.held.iter().chain(&pool.queue)
    });
    let frames = calls.filter_map(|key| system.frame(*key));
    frames.filter(|frame| system.is_for_nobody(frame)).count()
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "users",
        &[
            Line::mean("fresh", own_probe::FRESH, Ink::Ok).filled(),
            Line::mean("stand-in", own_probe::STAND_IN, Ink::Hit),
            Line::mean("errors", probe::FAILED, Ink::Bad),
        ],
        12.0,
    ),
    Plot::of(
        "calls",
        &[
            Line::mean("calls", own_probe::CALLS, Ink::Warn).filled(),
            Line::mean("requests", probe::CAME, Ink::Secondary),
        ],
        20.0,
    ),
    Plot::of(
        "threads",
        &[
            Line::mean("m1", own_probe::THREADS, Ink::Accent),
            Line::mean("m2", own_probe::THREADS + 1, Ink::Hit),
        ],
        24.0,
    ),
];

const PROBES: [Probe; probe::OWN + 5] = {
    let mut probes = [Probe::Count; probe::OWN + 5];
    let mut i = 0;
    while i < probe::OWN {
        probes[i] = probe::ALL[i];
        i += 1;
    }
    probes[own_probe::THREADS] = Probe::Level;
    probes[own_probe::THREADS + 1] = Probe::Level;
    probes
};

impl Lesson for Breaking {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Mark),
            (Glyph::Request, Ink::Warn),
            (Glyph::Response, Ink::Ok),
            (Glyph::Replica, Ink::Hit),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        speed: 0.3,
        twin: ("breakers", 0.0),
        stands_for: figure::STANDS_FOR,
        still: Time::ms(1_200),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "circuit-breaker",
                chapter: "services",
                tables: &[
                    "circuit_breaker_gobreaker",
                    "circuit_breaker_resilience4j",
                    "retry_backoff_jitter",
                ],
            },
            || Values::first(&Breaking),
            draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/circuit_breaker/rates.rs",
            region: "acquire",
            marks: &[
                ("breaker-refuses", "self.not_permitted +="),
                ("breaker-tries", "self.enter(State::HalfOpen"),
                ("breaker-probes", "self.take_permit()"),
            ],
        },
        Code {
            file: "algorithms/circuit_breaker/rates.rs",
            region: "record",
            marks: &[
                ("breaker-opens", "self.enter(State::Open"),
                ("breaker-reopens", "self.enter(State::Open"),
                ("breaker-closes", "self.enter(State::Closed"),
            ],
        },
        Code {
            file: "algorithms/circuit_breaker/counting.rs",
            region: "allow",
            marks: &[],
        },
        Code {
            file: "algorithms/circuit_breaker/counting.rs",
            region: "done",
            marks: &[],
        },
    ];
}
