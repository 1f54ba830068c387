//! The controller: what it measures of pods, what it makes of that at each check, and what the lesson remembers.

use super::{
    AUTOSCALER, BUSY, FIRST, HURT, IN_TIME, NEEDED, PLANNED, POD_PER_S, PODS, PRESSED, READY, ROOM,
    SPIKE, SPIKE_FOR, TARGET, USERS, WANTED, WORK, pods,
};
use algorithms::autoscaler::{
    self as hpa, Autoscaler, Behavior, Limit, Phase, Policy, Recommendation, Tolerance,
};
use engine::tape::NoteId;
use engine::{Arg, Note, Time, Tone};
use kit::flow::{Holds, Recently};
use kit::system::{Cx, Deed, Event, Frame, Reason, System, Values};
use std::collections::VecDeque;

/// How often figures are taken; all spans of the knobs are whole multiples of it.
pub(super) const TICK: Time = Time::ms(100);
/// Metrics are averaged over so long.
pub(super) const WINDOW: Time = Time::ms(1_500);
/// A change of so many pods counts against the limit for so long.
const PERIOD: Time = Time(hpa::SYNC_PERIOD_US / PRESSED);
/// From one moment of the chart to the next, and how many are kept: those of a day.
const EVERY: Time = Time::ms(500);
const KEPT: usize = 160;

/// Starts of pods that still count as calm.
const CALM: u32 = 4;

/// What became of a user's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    InTime,
    Late,
    GaveUp,
    Refused,
}

/// What keeps the autoscaler from setting what the plain formula says, or lets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Brake {
    #[default]
    Free,
    /// The ratio is close enough to 1.
    Tolerance,
    /// So many pods are not ready and count as idle.
    NotReady(u32),
    /// Only so many more at a time.
    Doubles,
    /// The highest recommendation of the window holds.
    Keeps,
    Most,
    Least,
    /// No metric.
    Silent,
    Off,
}

impl Brake {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Brake::Free => "brake.free",
            Brake::Tolerance => "brake.tolerance",
            Brake::NotReady(_) => "brake.not-ready",
            Brake::Doubles => "brake.doubles",
            Brake::Keeps => "brake.keeps",
            Brake::Most => "brake.most",
            Brake::Least => "brake.least",
            Brake::Silent => "brake.silent",
            Brake::Off => "brake.off",
        }
    }
}

/// The sum of a check: so many pods, times what is measured of each, over what it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) pods: u32,
    pub(super) metric: f64,
    pub(super) target: f64,
    pub(super) wanted: u32,
    /// The number of pods that is set.
    pub(super) set: u32,
}

/// What is known of one life of a pod.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    life: u32,
    /// When it last changed between ready and not ready.
    turned: Time,
    ready: bool,
    /// When requests were sent to it, and from when until when it works on them.
    pub(super) came: VecDeque<Time>,
    pub(super) worked: VecDeque<(Time, Time)>,
}

impl Trace {
    /// The share of the window in which it worked.
    fn busy(&self, now: Time) -> u64 {
        let from = Time(now.0.saturating_sub(WINDOW.0));
        let spans = self.worked.iter();
        let spans = spans.map(|(begin, end)| (*end).min(now).since((*begin).max(from)).0);
        spans.sum::<u64>().min(WINDOW.0)
    }
}

/// A moment of the chart, in pods.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Time,
    pub(super) needed: f32,
    pub(super) ready: u16,
    pub(super) wanted: u16,
}

/// What is counted since the last thing that anybody did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) since: Time,
    /// Users who came since and are gone again, and those of them who were not in time.
    pub(super) came: u32,
    pub(super) hurt: u32,
    /// When the last of these had come.
    pub(super) last_hurt: Time,
    /// Pods that were started, how often their number was raised, and the highest.
    pub(super) started: u32,
    pub(super) raised: u32,
    pub(super) highest: u32,
    /// Pods times time, in µs, from creation to the end of draining.
    pub(super) pod_us: u64,
    /// Since when all pods that are ready work all the time.
    pub(super) full: Holds,
    /// Since when as many are ready as are needed, after there were fewer.
    pub(super) caught_up: Option<Time>,
    short: bool,
    /// It began with a rush that lasts so long, or with twice the load for good.
    pub(super) rush: Option<Time>,
    pub(super) doubled: bool,
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) ticks: bool,
    scaler: Autoscaler,
    traces: Vec<Trace>,
    /// Requests at pods, tick by tick.
    inside: VecDeque<u32>,
    pub(super) checked: Time,
    pub(super) check: Time,
    /// When a rush comes, and how long it lasts.
    pub(super) rush_at: Option<(Time, Time)>,
    /// A plan holds a higher minimum.
    pub(super) planned: bool,
    pub(super) silent_until: Time,
    /// No check before that: the window still holds what was before all was calm.
    rests_until: Time,
    /// Places for pods on machines that run.
    pub(super) free: usize,
    pub(super) sum: Sum,
    pub(super) brake: Brake,
    pub(super) history: VecDeque<Moment>,
    pub(super) fates: Recently<4>,
    pub(super) tally: Tally,
    turned: Time,
    last: Time,
    /// Not told to the plot yet.
    untold: u32,
    pub(super) rules: Rules,
    /// Since when waves have been met with hardly anybody late and hardly a start of a pod, and how many starts since.
    pub(super) calm: Holds,
    calm_started: u32,
}

/// Knobs that the story and the challenges ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rules {
    pub(super) target: f64,
    pub(super) start: f64,
    pub(super) keep: f64,
    pub(super) ahead: f64,
    pub(super) load: f64,
    pub(super) shape: u32,
    pub(super) starting: u32,
    pub(super) free: u32,
    pub(super) most: u32,
    pub(super) auto: bool,
}

impl Seen {
    pub(super) fn new(now: Time) -> Seen {
        Seen {
            ticks: false,
            scaler: Autoscaler::default(),
            traces: Vec::new(),
            inside: VecDeque::new(),
            checked: now,
            check: WINDOW,
            rush_at: None,
            planned: false,
            silent_until: Time::ZERO,
            rests_until: Time::ZERO,
            free: ROOM as usize,
            sum: Sum {
                set: FIRST as u32,
                wanted: FIRST as u32,
                ..Sum::default()
            },
            brake: Brake::default(),
            history: VecDeque::new(),
            fates: Recently::new(now),
            tally: Tally::default(),
            turned: now,
            last: now,
            untold: 0,
            rules: Rules::default(),
            calm: Holds::default(),
            calm_started: 0,
        }
    }

    /// Counting begins anew.
    pub(super) fn begin(&mut self, now: Time) {
        self.tally = Tally {
            since: now,
            highest: self.sum.set,
            ..Tally::default()
        };
    }

    /// A knob was turned: what is counted belongs to other rules.
    pub(super) fn heed(&mut self, turned: Time, knobs: &Values) {
        let rules = Rules {
            target: knobs.get("target"),
            start: knobs.get("start"),
            keep: knobs.get("keep"),
            ahead: knobs.get("ahead"),
            load: knobs.get("load"),
            shape: knobs.whole("shape"),
            starting: knobs.whole("starting"),
            free: knobs.whole("free"),
            most: knobs.whole("most"),
            auto: knobs.on("auto"),
        };
        if rules == self.rules && turned == self.turned {
            return;
        }
        let before = std::mem::replace(&mut self.rules, rules).load;
        self.turned = turned;
        self.begin(turned);
        self.tally.doubled = before >= 15.0 && rules.load >= 2.0 * before;
    }

    pub(super) fn is_silent(&self, now: Time) -> bool {
        now < self.silent_until
    }

    pub(super) fn trace(&mut self, pod: usize) -> &mut Trace {
        if self.traces.len() <= pod {
            self.traces.resize_with(pod + 1, Trace::default);
        }
        &mut self.traces[pod]
    }

    /// A user's request is over.
    pub(super) fn over(&mut self, request: &Frame, now: Time) {
        let took = now.since(request.asked);
        let fate = match request.failed {
            None if took <= IN_TIME => Fate::InTime,
            None => Fate::Late,
            Some(Reason::Left | Reason::TimedOut) => Fate::GaveUp,
            Some(_) => Fate::Refused,
        };
        self.fates.add(fate as usize, now);
        let hurt = fate != Fate::InTime;
        self.untold += u32::from(hurt);
        if request.asked < self.tally.since {
            return;
        }
        self.tally.came += 1;
        if hurt {
            self.tally.hurt += 1;
            self.tally.last_hurt = self.tally.last_hurt.max(request.asked);
        }
    }

    pub(super) fn share(&self, fate: Fate, at: Time) -> f64 {
        let lately = Time::s(10);
        self.fates.share(fate as usize, lately, at).unwrap_or(0.0)
    }

    /// The mean of what pods that are ready worked in the window, from 0 to 1.
    fn busy(&self, system_ready: &[usize], now: Time) -> f64 {
        let all = system_ready.iter().filter_map(|i| self.traces.get(*i));
        let sum: u64 = all.map(|trace| trace.busy(now)).sum();
        sum as f64 / (system_ready.len().max(1) as u64 * WINDOW.0) as f64
    }
}

/// Pods that the load needs if they do nothing but work.
pub(super) fn needed(system: &System) -> f64 {
    system.load_per_s(USERS) * WORK.as_s()
}

/// The figures of a tick are taken, plans and spikes that are due begin, and the autoscaler checks if it is time.
pub(super) fn tick(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let now = cx.now();
    cx.because(NoteId::NONE);
    cx.schedule(TICK, Event::Timer(0));
    let count = pods(system).count() as u64;
    let states: Vec<(u32, bool)> = pods(system)
        .map(|pod| (pod.life(), pod.down.is_none()))
        .collect();
    let inside = pods(system).map(|pod| pod.own.pool.held.len() + pod.own.pool.queue.len());
    let inside = inside.sum::<usize>() as u32;
    let seen = system.own_mut::<Seen>();
    seen.tally.pod_us += count * now.since(seen.last).0;
    seen.last = now;
    seen.inside.push_back(inside);
    if seen.inside.len() as u64 > WINDOW.0 / TICK.0 {
        seen.inside.pop_front();
    }
    seen.traces.truncate(states.len());
    for (i, (life, ready)) in states.into_iter().enumerate() {
        let trace = seen.trace(i);
        if trace.life != life || trace.ready != ready {
            *trace = Trace {
                life,
                ready,
                turned: now,
                ..Trace::default()
            };
        }
        let old = |(_, end): &(Time, Time)| now.since(*end) > WINDOW;
        while trace.worked.front().is_some_and(old) {
            trace.worked.pop_front();
        }
        while trace
            .came
            .front()
            .is_some_and(|at| now.since(*at) >= WINDOW)
        {
            trace.came.pop_front();
        }
    }
    rush(system, knobs, cx);
    let check = knobs.s("check");
    let seen = system.own_mut::<Seen>();
    seen.check = check;
    if now.0 % check.0 == 0 && now >= seen.rests_until {
        cx.because(NoteId::NONE);
        self::check(system, knobs, cx);
    }
    measure(system, knobs, cx);
}

/// Spikes and plans for them.
fn rush(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let now = cx.now();
    let surging = system.node(USERS).is_some_and(|live| live.surge.is_on());
    let ahead = knobs.s("ahead");
    let seen = system.own_mut::<Seen>();
    if seen.planned && !surging && seen.rush_at.is_none() {
        seen.planned = false;
        let note = Note::new("plan-over").about(AUTOSCALER);
        system.say(note.mark(Tone::Ok), cx);
        return;
    }
    let Some((at, span)) = seen.rush_at else {
        return;
    };
    // A flash is in no calendar.
    let known = ahead > Time::ZERO && span == SPIKE_FOR;
    if !seen.planned && known && at <= now + ahead {
        seen.planned = true;
        let note = Note::new("plan").with(Arg::Count(i64::from(PLANNED)));
        let note = system.say(note.about(AUTOSCALER).mark(Tone::Warn), cx);
        cx.because(note);
        check(system, knobs, cx);
    }
    if at <= now {
        let seen = system.own_mut::<Seen>();
        seen.rush_at = None;
        seen.begin(now);
        seen.tally.rush = Some(span);
        cx.because(NoteId::NONE);
        system.deed(Deed::Surge(USERS, SPIKE, span), 0, cx);
    }
}

/// All is as if nobody had ever sent more: no spike, no memory of it, and only the pods that are needed.
pub(super) fn calm(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let note = Note::new("calm").about(AUTOSCALER).mark(Tone::Learner);
    let note = system.say(note, cx);
    cx.because(note);
    if system.node(USERS).is_some_and(|live| live.surge.is_on()) {
        // One that is over at once takes its place.
        system.deed(Deed::Surge(USERS, 1.0, Time::ZERO), 0, cx);
    }
    let target = knobs.get("target") / 100.0;
    let need = libm::ceil(needed(system) / target - 1e-9) as u32;
    let set = need.max(knobs.whole("least")).min(knobs.whole("most"));
    let now = cx.now();
    let seen = system.own_mut::<Seen>();
    seen.rush_at = None;
    seen.planned = false;
    seen.silent_until = now;
    seen.rests_until = now + WINDOW;
    seen.scaler = Autoscaler::default();
    seen.sum.set = set;
    seen.brake = Brake::default();
    seen.begin(now);
    cx.because(note);
    system.scale(PODS, set as usize, cx);
}

/// What the calculator may know of each pod.
fn samples(system: &System, knobs: &Values, now: Time) -> Vec<hpa::Pod> {
    let seen = system.own::<Seen>();
    let (cpu, silent) = (knobs.whole("metric") == 0, seen.is_silent(now));
    let pod = |(i, pod): (usize, &super::Pod)| {
        let trace = seen.traces.get(i);
        let starting = pod.own.starting;
        let waits = starting
            .is_some_and(|it| it.first && i >= seen.free && it.until.since(now) > knobs.s("start"));
        let ready = pod.down.is_none();
        let per_s = |trace: &Trace| trace.came.len() as u64 * 1_000_000_000 / WINDOW.0;
        let usage = match (ready, cpu) {
            (true, true) => trace.map(|trace| trace.busy(now) * 1_000 / WINDOW.0),
            (true, false) => trace.map(per_s),
            // A new pod is known to the metrics before it is ready; one that crashed is not.
            (false, true) if starting.is_some_and(|it| it.first) => Some(0),
            (false, _) => None,
        };
        let since = trace.map_or(now, |trace| trace.turned);
        let counts = hpa::cpu_counts(
            now.0,
            pod.joined.0,
            (ready, since.0),
            (now.0, WINDOW.0),
            (
                hpa::CPU_INITIALIZATION_US / PRESSED,
                hpa::INITIAL_READINESS_DELAY_US / PRESSED,
            ),
        );
        hpa::Pod {
            phase: if waits {
                Phase::Pending
            } else {
                Phase::Running
            },
            deleting: pod.leaving,
            ready,
            usage: usage.filter(|_| !silent),
            cpu_counts: counts,
            request: 1_000,
        }
    };
    pods(system).enumerate().map(pod).collect()
}

/// What the metric asks for, and the sum that says so.
fn ask(system: &System, knobs: &Values, now: Time) -> (Option<u32>, Sum, u32) {
    let pods: Vec<hpa::Pod> = samples(system, knobs, now)
        .into_iter()
        .filter(|pod| !pod.deleting)
        .collect();
    let current = pods.len() as u32;
    let percent = u64::from(knobs.whole("target"));
    let tolerance = Tolerance::both(u64::from(knobs.whole("tolerance")) * 10);
    let seen = system.own::<Seen>();
    let counted = |pod: &&hpa::Pod| pod.usage.is_some() && pod.cpu_counts;
    let mut sum = Sum {
        pods: current,
        ..Sum::default()
    };
    let mut unready = 0;
    let asked = match knobs.whole("metric") {
        0 => {
            let total: u64 = pods
                .iter()
                .filter(counted)
                .filter_map(|pod| pod.usage)
                .sum();
            let n = pods.iter().filter(counted).count() as u64;
            let mean = total / n.max(1);
            let forgets = knobs.whole("starting") == 1;
            let missing = |pod: &&hpa::Pod| pod.usage.is_none() && pod.phase == Phase::Running;
            let missing = pods.iter().filter(missing).count() as u64;
            // What is not known is guessed as the calculator does: as idle on the way up, as full on the way down.
            let (all, total) = match () {
                () if forgets => (n, total),
                () if mean > percent * 10 => (u64::from(current), total),
                () => (n + missing, total + missing * 10 * percent.max(100)),
            };
            sum.target = percent as f64;
            sum.metric = (total / (all.max(1) * 10)) as f64;
            if forgets {
                let asked = hpa::formula(current, mean, percent * 10, tolerance);
                asked.filter(|_| n > 0)
            } else {
                sum.pods = all as u32;
                unready = if mean > percent * 10 {
                    (all - n) as u32
                } else {
                    0
                };
                let answer = hpa::by_utilization(&pods, current, percent, tolerance, true);
                answer.map(|answer| answer.replicas)
            }
        }
        1 => {
            let target = percent * POD_PER_S * 10;
            let total: u64 = pods.iter().filter_map(|pod| pod.usage).sum();
            sum.target = target as f64 / 1e3;
            sum.metric = total as f64 / 1e3 / f64::from(current.max(1));
            let answer = hpa::by_pod_mean(&pods, current, target, tolerance, false);
            answer.map(|answer| answer.replicas)
        }
        _ => {
            let total: u64 = seen.inside.iter().map(|n| u64::from(*n) * 1_000).sum();
            let value = total / (seen.inside.len() as u64).max(1);
            let target = percent * 10;
            sum.target = target as f64 / 1e3;
            sum.metric = value as f64 / 1e3 / f64::from(current.max(1));
            let answer = hpa::by_value_per_pod(value, current, target, tolerance);
            let answer = answer.filter(|_| !seen.is_silent(now));
            answer.map(|Recommendation { replicas, .. }| replicas)
        }
    };
    (asked, sum, unready)
}

/// Bounds and behaviour by the knobs; all spans are pressed.
fn behavior(knobs: &Values, planned: bool) -> Behavior {
    let policy = |limit| Policy {
        limit,
        period_us: PERIOD.0,
    };
    let up = match knobs.whole("up") {
        0 => vec![policy(Limit::Pods(4)), policy(Limit::Percent(100))],
        _ => vec![policy(Limit::Pods(ROOM))],
    };
    let floor = if planned { PLANNED } else { 0 };
    let mut behavior = Behavior::new(knobs.whole("least").max(floor), knobs.whole("most"));
    behavior.up = hpa::Rules {
        policies: up,
        ..hpa::Rules::up()
    };
    behavior.down = hpa::Rules {
        stabilization_us: knobs.s("keep").0,
        policies: vec![policy(Limit::Percent(100))],
        ..hpa::Rules::down()
    };
    behavior
}

/// One check.
fn check(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let now = cx.now();
    let current = pods(system).filter(|pod| !pod.leaving).count() as u32;
    let (asked, mut sum, unready) = ask(system, knobs, now);
    let seen = system.own_mut::<Seen>();
    seen.checked = now;
    let (set, brake) = if knobs.on("auto") {
        let behavior = behavior(knobs, seen.planned);
        let decision = seen.scaler.check(now.0, current, asked, &behavior);
        sum.wanted = decision.wanted;
        (
            decision.replicas,
            brake(asked, current, unready, decision, &behavior),
        )
    } else {
        (knobs.whole("least").min(knobs.whole("most")), Brake::Off)
    };
    sum.set = set;
    let new = std::mem::discriminant(&brake) != std::mem::discriminant(&seen.brake);
    (seen.sum, seen.brake) = (sum, brake);
    if set > current {
        seen.tally.started += set - current;
        seen.calm_started += set - current;
        if seen.calm_started > CALM {
            seen.calm_started = 0;
            seen.calm.restart(now);
        }
        seen.tally.raised += 1;
        seen.tally.highest = seen.tally.highest.max(set);
    }
    let count = |n: u32| Arg::Count(i64::from(n));
    let mut note = None;
    if set != current {
        let word = match brake {
            Brake::Doubles => "limited",
            _ => "scales",
        };
        let args = Note::new(word).with(count(current)).with(count(set));
        let args = args.with(count(sum.wanted)).about(AUTOSCALER);
        let tone = if set > current { Tone::Warn } else { Tone::Ok };
        note = Some(system.say(args.mark(tone), cx));
    } else if new {
        let note = match brake {
            Brake::NotReady(n) => Note::new("not-ready").with(count(n)).with(count(set)),
            Brake::Keeps => Note::new("keeps").with(count(sum.wanted)).with(count(set)),
            Brake::Tolerance => Note::new("close").with(count(set)),
            _ => Note::new("stays")
                .with(count(set))
                .with(Arg::Word(brake.said())),
        };
        system.say(note.about(AUTOSCALER), cx);
    }
    if let Some(note) = note {
        cx.because(note);
    }
    system.scale(PODS, set as usize, cx);
}

impl Brake {
    /// As a word for the tape, of those that have no sentence of their own.
    const fn said(self) -> &'static str {
        match self {
            Brake::Most => "why.most",
            Brake::Least => "why.least",
            Brake::Silent => "why.silent",
            Brake::Off => "why.off",
            _ => "why.wanted",
        }
    }
}

/// What held a decision back.
fn brake(
    asked: Option<u32>,
    current: u32,
    unready: u32,
    decision: hpa::Decision,
    behavior: &Behavior,
) -> Brake {
    let hpa::Decision {
        wanted, replicas, ..
    } = decision;
    if asked.is_none() {
        return Brake::Silent;
    }
    if wanted > replicas {
        return match () {
            () if replicas >= behavior.max => Brake::Most,
            () => Brake::Doubles,
        };
    }
    if wanted < replicas {
        return match () {
            () if replicas <= behavior.min => Brake::Least,
            () => Brake::Keeps,
        };
    }
    match (replicas == current, unready) {
        (true, 0) => Brake::Tolerance,
        (true, n) => Brake::NotReady(n),
        (false, _) => Brake::Free,
    }
}

/// The chart and the plots.
fn measure(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let now = cx.now();
    let needed = needed(system);
    let up: Vec<usize> = super::ready(system).collect();
    let seen = system.own_mut::<Seen>();
    let busy = seen.busy(&up, now);
    let late = 1.0 - seen.share(Fate::InTime, now);
    let waves = seen.rules.shape == 2 && seen.rules.load >= 15.0 && seen.rules.auto;
    seen.calm.set(waves && late <= 0.01, now);
    if seen.calm.since().is_none() {
        seen.calm_started = 0;
    }
    let tally = &mut seen.tally;
    tally.full.set(busy >= 0.97, now);
    let short = (up.len() as f64) < needed;
    if short {
        (tally.short, tally.caught_up) = (true, None);
    } else if tally.short && tally.caught_up.is_none() {
        tally.caught_up = Some(now);
    }
    let wanted = seen.sum.set;
    if now.0 % EVERY.0 == 0 {
        if seen.history.len() == KEPT {
            seen.history.pop_front();
        }
        seen.history.push_back(Moment {
            at: now,
            needed: needed as f32,
            ready: up.len() as u16,
            wanted: wanted as u16,
        });
    }
    let hurt = std::mem::take(&mut seen.untold);
    cx.sample(NEEDED, needed);
    cx.sample(READY, up.len() as f64);
    cx.sample(WANTED, f64::from(wanted));
    cx.sample(BUSY, busy * 100.0);
    cx.sample(TARGET, knobs.get("target"));
    if hurt > 0 {
        cx.sample(HURT, f64::from(hurt));
    }
}
