//! The system: users, a chain of three services with bounded pools of threads, retries, and a breaker at each call.

use super::probe;
use algorithms::circuit_breaker::{State, counting, rates};
use algorithms::hash::mix64;
use algorithms::retry::{Backoff, Jitter, Retries};
use engine::random::{exponential, unit};
use engine::tape::NoteId;
use engine::{
    Act, Action, ActionSpec, Arg, Context, Knobs, Model, Note, PartId, Stream, Time, Tone, Visit,
    choices,
};
use std::collections::VecDeque;

/// One way along one link. Stretched, so that calls can be seen travelling.
pub(super) const HOP: Time = Time::ms(100);
/// A refused call needs this long to the breaker and back; really it takes no time at all.
pub(super) const BOUNCE: Time = Time::ms(80);
/// Callers that wait for a free thread of M1 or M2; further ones are turned away.
const ACCEPT_MAX: usize = 16;
/// What the backup can do: its queue, and how long one answer takes.
const BACKUP: (usize, Time) = (12, Time::ms(200));
/// An overload: how long it lasts and how many calls a second it brings.
pub(super) const OVERLOAD: (Time, f64) = (Time::s(3), 40.0);
/// Refresh-happy users: how long, and how long they wait before they reload.
const REFRESH: (Time, Time) = (Time::s(6), Time::s(2));
/// A user who sees an error in that time reloads after this pause, at most so many times.
const RELOAD: (Time, u8) = (Time::ms(300), 4);
/// Users who get errors share one mark on the tape within this span.
const ERROR_MARKS: Time = Time::s(2);
/// How long after the overload it is judged what became of the users.
const AFTERMATH: Time = Time::s(5);

const ARRIVALS: Stream = Stream::named("arrivals");
const WORK: Stream = Stream::named("work");
const FATES: Stream = Stream::named("fates");
const OTHERS: Stream = Stream::named("others");
const JITTER: Stream = Stream::named("jitter");

/// Where breakers stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breakers {
    None,
    M2,
    Both,
}
choices!(Breakers {
    "none" => Breakers::None,
    "m2" => Breakers::M2,
    "both" => Breakers::Both,
});

/// What a caller answers while its breaker refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    Error,
    LastGood,
    Backup,
}
choices!(Fallback {
    "error" => Fallback::Error,
    "last-good" => Fallback::LastGood,
    "backup" => Fallback::Backup,
});

/// What makes a breaker open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A share of the last calls, as resilience4j.
    Share,
    /// Failures in a row, as gobreaker.
    Row,
}
choices!(Rule {
    "share" => Rule::Share,
    "row" => Rule::Row,
});

/// The knobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(super) breakers: Breakers,
    pub(super) fail_percent: f64,
    pub(super) delay_ms: f64,
    pub(super) retries: u32,
    pub(super) fallback: Fallback,
    pub(super) open_s: f64,
    pub(super) rule: Rule,
    pub(super) threshold_percent: f64,
    pub(super) window: u32,
    pub(super) row: u32,
    pub(super) slow_ms: f64,
    pub(super) probes: u32,
    pub(super) load_per_s: f64,
    pub(super) timeout_s: f64,
    pub(super) timeout_outer_s: f64,
    pub(super) backoff_ms: f64,
    pub(super) patience_s: f64,
    pub(super) threads: [f64; 2],
    pub(super) workers: f64,
    pub(super) queue: f64,
    pub(super) backup_workers: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            breakers: Breakers::Both,
            fail_percent: 0.0,
            delay_ms: 250.0,
            retries: 4,
            fallback: Fallback::LastGood,
            open_s: 4.0,
            rule: Rule::Share,
            threshold_percent: 50.0,
            window: 10,
            row: 5,
            slow_ms: 2_000.0,
            probes: 2,
            load_per_s: 8.0,
            timeout_s: 1.0,
            timeout_outer_s: 6.0,
            backoff_ms: 0.0,
            patience_s: 8.0,
            threads: [24.0; 2],
            workers: 4.0,
            queue: 24.0,
            backup_workers: 3.0,
        }
    }
}

impl Knobs for Settings {
    fn visit(&mut self, v: &mut dyn Visit) {
        v.choice("breakers", &mut self.breakers);
        v.slider("fail", [0.0, 100.0, 5.0], "%", &mut self.fail_percent);
        v.slider("delay", [50.0, 3_000.0, 50.0], "ms", &mut self.delay_ms);
        v.whole("retries", [0, 5], "", &mut self.retries);
        v.choice("fallback", &mut self.fallback);
        v.slider("open", [0.5, 30.0, 0.5], "s", &mut self.open_s);
        v.choice("rule", &mut self.rule);
        v.slider(
            "threshold",
            [10.0, 100.0, 10.0],
            "%",
            &mut self.threshold_percent,
        );
        v.whole("window", [2, 30], "calls", &mut self.window);
        v.whole("row", [1, 20], "", &mut self.row);
        v.slider("slow", [100.0, 2_000.0, 50.0], "ms", &mut self.slow_ms);
        v.whole("probes", [1, 10], "", &mut self.probes);
        v.slider("load", [1.0, 40.0, 1.0], "req/s", &mut self.load_per_s);
        v.slider("timeout", [0.3, 5.0, 0.1], "s", &mut self.timeout_s);
        v.slider(
            "timeout-outer",
            [0.5, 30.0, 0.5],
            "s",
            &mut self.timeout_outer_s,
        );
        v.slider("backoff", [0.0, 1_000.0, 50.0], "ms", &mut self.backoff_ms);
        v.slider("patience", [1.0, 30.0, 0.5], "s", &mut self.patience_s);
        for (i, id) in ["threads-1", "threads-2"].into_iter().enumerate() {
            v.part_slider(
                id,
                service_part(i),
                [2.0, 40.0, 1.0],
                "",
                &mut self.threads[i],
            );
        }
        v.part_slider("workers", M3, [1.0, 12.0, 1.0], "", &mut self.workers);
        v.part_slider("queue", M3, [0.0, 48.0, 1.0], "", &mut self.queue);
        v.part_slider(
            "backup-workers",
            BACKUP_PART,
            [1.0, 12.0, 1.0],
            "",
            &mut self.backup_workers,
        );
    }
}

impl Settings {
    /// Places at work in a pool.
    pub(super) fn size(&self, pool: usize) -> usize {
        match pool {
            0 | 1 => self.threads[pool] as usize,
            THIRD => self.workers as usize,
            _ => self.backup_workers as usize,
        }
    }

    fn queue_max(&self, pool: usize) -> usize {
        match pool {
            0 | 1 => ACCEPT_MAX,
            THIRD => self.queue as usize,
            _ => BACKUP.0,
        }
    }

    fn timeout(&self, level: usize) -> Time {
        Time::from_s(if level == OUTER {
            self.timeout_outer_s
        } else {
            self.timeout_s
        })
    }

    fn has_breaker(&self, which: usize) -> bool {
        match self.breakers {
            Breakers::None => false,
            Breakers::M2 => which == 1,
            Breakers::Both => true,
        }
    }

    /// Failed calls of the window, or in a row, that open a breaker.
    pub(super) fn failures_to_open(&self) -> u32 {
        match self.rule {
            // In thousandths, so that a share that is met exactly is not missed by rounding.
            Rule::Share => (self.window * (self.threshold_percent * 10.0) as u32).div_ceil(1_000),
            Rule::Row => self.row,
        }
    }

    fn machine(&self, which: usize, now: Time) -> Machine {
        match self.rule {
            Rule::Share => Machine::Rates(rates::Breaker::new(
                rates::Settings {
                    failure_percent_min: self.threshold_percent,
                    slow_percent_min: self.threshold_percent,
                    // Calls to M2 hold all of its tries, so only those to M3 are judged by their time.
                    slow_after_us: if which == 1 {
                        Time::from_ms(self.slow_ms).0
                    } else {
                        u64::MAX
                    },
                    window: rates::Span::Calls(self.window),
                    calls_min: self.window,
                    half_open_calls: self.probes,
                    open_us: Time::from_s(self.open_s).0,
                    ..rates::Settings::default()
                },
                now.0,
            )),
            Rule::Row => Machine::Counting(counting::Breaker::new(
                counting::Settings {
                    requests_max: self.probes,
                    timeout_us: Time::from_s(self.open_s).0,
                    trip: counting::Trip::ConsecutiveFailures {
                        more_than: self.row - 1,
                    },
                    ..counting::Settings::default()
                },
                now.0,
            )),
        }
    }
}

/// What a learner can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Other callers flood M3 for a few seconds.
    Overload,
    /// M3 fails more, or not at all: turns the knob.
    Turn,
    /// M3 starts again with nothing in hand, and the overload ends.
    Restart,
    /// For a few seconds, users who wait or see an error reload.
    Refresh,
}

impl Break {
    /// What a learner can do, in the order of the buttons.
    pub(super) const SPECS: &'static [ActionSpec] = &[
        ActionSpec::whole("overload"),
        ActionSpec::turning("fail", "fail", 50.0),
        ActionSpec::turning("heal", "fail", -100.0),
        ActionSpec::whole("restart"),
        ActionSpec::whole("refresh"),
    ];
}

impl Action for Break {
    fn from_act(act: Act) -> Option<Break> {
        match act.spec {
            0 => Some(Break::Overload),
            1 | 2 => Some(Break::Turn),
            3 => Some(Break::Restart),
            4 => Some(Break::Refresh),
            _ => None,
        }
    }
}

/// Levels of calls: others to M3, users to M1, M1 to M2, M2 to M3, M2 to the backup.
pub(super) const OTHER: usize = 0;
/// Users to M1.
pub(super) const USER: usize = 1;
/// M1 to M2.
pub(super) const OUTER: usize = 2;
/// M2 to M3.
pub(super) const INNER: usize = 3;
/// M2 to the backup.
pub(super) const SPARE: usize = 4;
const LEVELS: usize = 5;
/// The pool of M3; M1 and M2 have 0 and 1, the backup has 3.
pub(super) const THIRD: usize = 2;
const POOLS: usize = 4;

/// The pool that answers calls of a level.
const fn pool_of(level: usize) -> usize {
    match level {
        USER => 0,
        OUTER => 1,
        SPARE => 3,
        _ => THIRD,
    }
}

/// Where a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    /// On its way to the callee.
    Going,
    /// In the callee's queue.
    Waiting,
    /// It has a thread of the callee.
    Held,
    /// Its answer is on the way back.
    Back,
    /// On its way to the breaker, which refuses it.
    Refused,
}

/// What a caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Fresh,
    LastGood,
    Backup,
    Error,
}

/// The permission of a breaker for one call.
#[derive(Clone, Copy, Debug)]
struct Permit {
    /// Which breaker gave it: one that has been replaced wants to hear nothing.
    life: u32,
    /// A counting breaker's ticket.
    ticket: Option<counting::Ticket>,
    probe: bool,
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Unique among all calls; 0 for a free slot.
    serial: u32,
    /// The user's request that it serves, shown as a dot; 0 for other callers.
    pub(super) number: u32,
    pub(super) level: usize,
    pub(super) leg: Leg,
    /// When it reaches the end of the link that it travels on.
    pub(super) arrives: Time,
    /// The caller waits no longer.
    pub(super) left: bool,
    pub(super) answer: Answer,
    sent: Time,
    parent: Option<u32>,
    child: Option<u32>,
    permit: Option<Permit>,
    retries: Retries,
    /// Drawn on arrival: decides which of its calls M3 would fail, the same for every policy.
    dice: u64,
    /// Drawn on arrival: its work in shares of the usual.
    work: f64,
    /// Which try of its caller this is, from 0.
    nth: u32,
    /// Calls to M3 made for it so far (kept by a user's request).
    calls: u32,
    /// The user's request it serves: slot and serial.
    root: (u32, u32),
    reloads: u8,
    note: NoteId,
}

impl Call {
    /// Whether a half-open breaker let it through.
    pub(super) fn is_probe(&self) -> bool {
        self.permit.is_some_and(|permit| permit.probe)
    }
}

/// Threads of a service: the calls they hold, and the calls that wait for one.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    pub(super) held: Vec<u32>,
    pub(super) queue: VecDeque<u32>,
    /// Said to be full; said again only after it has been well below.
    full: bool,
}

/// The breaker itself.
#[derive(Clone, Debug)]
pub(super) enum Machine {
    Counting(counting::Breaker),
    Rates(rates::Breaker),
}

impl Machine {
    fn state(&mut self, now: Time) -> State {
        match self {
            Machine::Counting(breaker) => breaker.state(now.0),
            Machine::Rates(breaker) => breaker.state(now.0),
        }
    }

    /// The end of the open time.
    pub(super) fn open_until(&self) -> Option<Time> {
        match self {
            Machine::Counting(breaker) => breaker.expiry_us().map(Time),
            Machine::Rates(breaker) => breaker.open_until_us().map(Time),
        }
    }
}

/// A breaker in its place, and what it did lately.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) machine: Machine,
    /// As of the last call: an open breaker notices that its time is over when somebody calls.
    pub(super) state: State,
    pub(super) since: Time,
    life: u32,
    /// Probes let through, and calls refused, since it went half-open.
    pub(super) probes: u32,
    pub(super) refused: u32,
    /// Probes that came back well.
    pub(super) probes_ok: u32,
}

/// Kinds of things counted lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fresh,
    LastGood,
    Backup,
    Error,
    CallsToM2,
    CallsToM3,
    Sent,
}
const KINDS: usize = 7;
/// Half-second slots that are remembered, ten seconds.
pub(super) const SLOTS: u64 = 20;
const SLOT: Time = Time::ms(500);

/// Counts of the last ten seconds in half-second slots.
#[derive(Clone, Debug)]
pub(super) struct Lately {
    slots: [[u32; KINDS]; SLOTS as usize],
    newest: u64,
}

impl Lately {
    /// Before time zero each slot held these counts.
    fn new(before: [u32; KINDS]) -> Lately {
        let mut lately = Lately {
            slots: [before; SLOTS as usize],
            newest: SLOTS,
        };
        lately.slots[0] = [0; KINDS];
        lately
    }

    fn slot_at(at: Time) -> u64 {
        at.0 / SLOT.0 + SLOTS
    }

    fn add(&mut self, kind: Kind, now: Time) {
        let slot = Lately::slot_at(now);
        while self.newest < slot {
            self.newest += 1;
            self.slots[(self.newest % SLOTS) as usize] = [0; KINDS];
        }
        self.slots[(slot % SLOTS) as usize][kind as usize] += 1;
    }

    /// How many there were in the running slot and the `back` slots before it.
    pub(super) fn sum(&self, kind: Kind, back: u64, at: Time) -> u32 {
        let slot = Lately::slot_at(at);
        let oldest = slot.saturating_sub(back).max(slot + 1 - SLOTS);
        (oldest..=slot.min(self.newest))
            .map(|slot| self.slots[(slot % SLOTS) as usize][kind as usize])
            .sum()
    }

    /// How many there were a second, over about two seconds.
    pub(super) fn per_s(&self, kind: Kind, at: Time) -> f64 {
        let span = (3 * SLOT.0 + at.0 % SLOT.0) as f64 / 1e6;
        f64::from(self.sum(kind, 3, at)) / span
    }

    /// The share of users' answers of the last `back` slots that were fresh; none if there were none.
    pub(super) fn fresh_share(&self, back: u64, at: Time) -> Option<f64> {
        let all: u32 = [Kind::Fresh, Kind::LastGood, Kind::Backup, Kind::Error]
            .into_iter()
            .map(|kind| self.sum(kind, back, at))
            .sum();
        (all > 0).then(|| f64::from(self.sum(Kind::Fresh, back, at)) / f64::from(all))
    }
}

/// What is due; calls are named by slot and serial, so that nothing happens to a later one in the same slot.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next user's request leaves.
    Arrive,
    /// The next call of the overload leaves, if it is still this overload.
    OtherArrive(u32),
    /// A call reaches its callee.
    Reach(u32, u32),
    /// Its work is done.
    Done(u32, u32),
    /// Its answer reaches the caller.
    Return(u32, u32),
    /// The caller has waited long enough.
    TimeOut(u32, u32),
    /// The pause before the next try is over.
    Retry(u32, u32),
    /// A refused call is back at its caller.
    Bounced(u32, u32),
    /// The user has waited long enough.
    Patience(u32, u32),
    /// A refresh-happy user has waited long enough.
    Impatient(u32, u32),
    /// A user who saw an error reloads: dice, reloads so far.
    Reload(u64, u8),
    /// The overload of this number ends.
    OverloadEnd(u32),
    /// Time to judge what became of the users.
    Aftermath(u32),
    /// The refreshing of this number ends.
    RefreshEnd(u32),
}

/// What the story and the challenges look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// Most calls to M3 that one request has caused.
    pub(super) calls_most: u32,
    /// Since when M3 fails no call on purpose.
    pub(super) mended: Option<Time>,
    /// The last overload, and what users got since it began.
    pub(super) overload: Option<Overload>,
    /// Probes and refusals of M2's last half-open time that is over.
    pub(super) half_open: Option<(u32, u32)>,
    /// Times that M2's breaker has opened and closed.
    pub(super) opened: u32,
    pub(super) closed: u32,
    /// Set when a breaker opens though M3 is well and answers at least four calls of five.
    pub(super) false_alarm: bool,
    /// Since when users at full load got no error while M3 failed every call.
    pub(super) unharmed_since: Option<Time>,
    /// The chain hung without a breaker, and since then nobody restarted M3 or set a breaker.
    pub(super) hung: bool,
    /// The chain has come out of that.
    pub(super) unhung: bool,
}

/// An overload and what came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overload {
    pub(super) until: Time,
    /// The learner ended it early.
    pub(super) cut: bool,
    pub(super) answers: u32,
    pub(super) fresh: u32,
    /// The judgement some seconds after its end: answers until then, and how many were fresh.
    pub(super) verdict: Option<(u32, u32)>,
    pub(super) load_per_s: f64,
}

/// The simulated system.
#[derive(Clone)]
pub struct CircuitBreaker {
    calls: Vec<Call>,
    free: Vec<u32>,
    pub(super) pools: [Pool; POOLS],
    pub(super) guards: [Option<Guard>; 2],
    /// When M1 and M2 last got a fresh answer: how old the copy is that they could answer with.
    pub(super) last_good: [Option<Time>; 2],
    pub(super) lately: Lately,
    pub(super) overload: Option<Time>,
    overloads: u32,
    pub(super) refreshing: Option<Time>,
    refreshings: u32,
    /// Calls to M3 for the last request that ended.
    calls_last: u32,
    serials: u32,
    numbers: u32,
    lives: u32,
    pub(super) now: Time,
    born: [u64; LEVELS],
    gone: [u64; LEVELS],
    calls_made: u64,
    sent: u64,
    got: [u64; 4],
    error_marked: Option<Time>,
    /// M3 fails some calls, but at most one in five.
    mild: bool,
    pub(super) watch: Watch,
}

/// The users.
pub(super) const USERS: PartId = PartId::one("users");
/// M3.
pub(super) const M3: PartId = service_part(2);
/// The backup.
pub(super) const BACKUP_PART: PartId = PartId::one("backup");

/// The part of a service by its index.
pub(super) const fn service_part(index: usize) -> PartId {
    PartId::nth("service", index as u16 + 1)
}

/// The part of the breaker in a service by its index.
pub(super) const fn breaker_part(index: usize) -> PartId {
    PartId::nth("breaker", index as u16 + 1)
}

/// The part of a pool.
const fn pool_part(pool: usize) -> PartId {
    if pool == 3 {
        BACKUP_PART
    } else {
        service_part(pool)
    }
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

impl Model for CircuitBreaker {
    type Knobs = Settings;
    type Event = Event;
    type Action = Break;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> CircuitBreaker {
        let mut before = [0; KINDS];
        let per_slot = (knobs.load_per_s * SLOT.as_s() + 0.5) as u32;
        for kind in [Kind::Fresh, Kind::CallsToM2, Kind::CallsToM3, Kind::Sent] {
            before[kind as usize] = per_slot;
        }
        let mut model = CircuitBreaker {
            calls: Vec::new(),
            free: Vec::new(),
            pools: Default::default(),
            guards: [None, None],
            last_good: [Some(Time::ZERO); 2],
            lately: Lately::new(before),
            overload: None,
            overloads: 0,
            refreshing: None,
            refreshings: 0,
            calls_last: 1,
            serials: 0,
            numbers: 0,
            lives: 0,
            now: Time::ZERO,
            born: [0; LEVELS],
            gone: [0; LEVELS],
            calls_made: 0,
            sent: 0,
            got: [0; 4],
            error_marked: None,
            mild: false,
            watch: Watch::default(),
        };
        model.set_guards(knobs, cx);
        // Calls were made before the learner came: the windows are full of good ones.
        for guard in model.guards.iter_mut().flatten() {
            for _ in 0..knobs.window {
                match &mut guard.machine {
                    Machine::Rates(breaker) => {
                        breaker.try_acquire(0);
                        breaker.record(rates::Outcome::Success, 0, 0);
                    }
                    Machine::Counting(breaker) => {
                        if let Ok(ticket) = breaker.allow(0) {
                            breaker.done(ticket, counting::Outcome::Success, 0);
                        }
                    }
                }
            }
        }
        // Traffic was flowing, too: each request stands where it would be if nothing had held it up.
        let mut ago = Time(6 * HOP.0) + Time::from_ms(knobs.delay_ms);
        loop {
            let gap = exponential(cx.random(ARRIVALS), Time::from_s(1.0 / knobs.load_per_s));
            if gap >= ago {
                cx.schedule(gap - ago, Event::Arrive);
                break;
            }
            ago = ago - gap;
            let user = model.arrive(knobs, cx);
            model.place(user, ago, knobs, cx);
        }
        model.watch.mended = (knobs.fail_percent == 0.0).then_some(Time::ZERO);
        model.measure(0, cx);
        model.measure(1, cx);
        model
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Arrive => {
                let mean = Time::from_s(1.0 / knobs.load_per_s);
                let gap = exponential(cx.random(ARRIVALS), mean);
                cx.schedule(gap, Event::Arrive);
                let user = self.arrive(knobs, cx);
                self.travel(user, HOP, cx);
            }
            Event::OtherArrive(number) => self.other(number, cx),
            Event::Reach(slot, serial) if self.is(slot, serial) => self.reach(slot, knobs, cx),
            Event::Done(slot, serial) if self.is(slot, serial) => self.done(slot, knobs, cx),
            Event::Return(slot, serial) if self.is(slot, serial) => self.came_back(slot, knobs, cx),
            Event::TimeOut(slot, serial) if self.is(slot, serial) => {
                self.time_out(slot, knobs, cx);
            }
            Event::Retry(slot, serial) if self.is(slot, serial) => self.attempt(slot, knobs, cx),
            Event::Bounced(slot, serial) if self.is(slot, serial) => self.bounced(slot, knobs, cx),
            Event::Patience(slot, serial) if self.is(slot, serial) => {
                self.leave(slot, Time::from_s(knobs.patience_s), cx);
            }
            Event::Impatient(slot, serial)
                if self.is(slot, serial) && self.refreshing.is_some() =>
            {
                self.reload_waiting(slot, knobs, cx);
            }
            Event::Reload(dice, reloads) => self.reload(dice, reloads, knobs, cx),
            Event::OverloadEnd(number) if number == self.overloads => self.end_overload(cx),
            Event::Aftermath(number) if number == self.overloads => {
                if let Some(overload) = &mut self.watch.overload {
                    overload.verdict = Some((overload.answers, overload.fresh));
                }
            }
            Event::RefreshEnd(number) if number == self.refreshings => {
                self.refreshing = None;
                cx.say(
                    Note::new("refresh-over")
                        .about(USERS)
                        .mark(Tone::Ok)
                        .ends("refresh", 0),
                );
            }
            // Meant for a call that is over, or for an episode that was cut short.
            _ => {}
        }
        self.look(knobs);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.set_guards(knobs, cx);
        for pool in 0..POOLS {
            self.pull(pool, knobs, cx);
        }
        match (knobs.fail_percent == 0.0, self.watch.mended) {
            (true, None) => self.watch.mended = Some(cx.now()),
            (false, Some(_)) => self.watch.mended = None,
            _ => {}
        }
        self.watch.unharmed_since = None;
        self.watch.calls_most = 0;
        if knobs.breakers != Breakers::None {
            self.watch.hung = false;
        }
    }

    fn can(&self, action: Break) -> bool {
        match action {
            Break::Overload => self.overload.is_none(),
            Break::Turn => true,
            Break::Restart => {
                self.overload.is_some()
                    || !self.pools[THIRD].held.is_empty()
                    || !self.pools[THIRD].queue.is_empty()
            }
            Break::Refresh => self.refreshing.is_none(),
        }
    }

    fn on_action(&mut self, action: Break, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match action {
            Break::Overload => {
                self.overloads += 1;
                self.overload = Some(cx.now() + OVERLOAD.0);
                self.watch.overload = Some(Overload {
                    until: cx.now() + OVERLOAD.0,
                    cut: false,
                    answers: 0,
                    fresh: 0,
                    verdict: None,
                    load_per_s: knobs.load_per_s,
                });
                cx.say(
                    Note::new("overload")
                        .with(Arg::Number(OVERLOAD.1))
                        .with(Arg::Part(M3))
                        .about(M3)
                        .mark(Tone::Warn)
                        .begins("overload", 0),
                );
                cx.schedule(OVERLOAD.0, Event::OverloadEnd(self.overloads));
                cx.schedule(OVERLOAD.0 + AFTERMATH, Event::Aftermath(self.overloads));
                cx.schedule(Time::ZERO, Event::OtherArrive(self.overloads));
            }
            Break::Turn => {}
            Break::Restart => self.restart(knobs, cx),
            Break::Refresh => {
                self.refreshings += 1;
                self.refreshing = Some(cx.now() + REFRESH.0);
                cx.say(
                    Note::new("refresh")
                        .with(Arg::Span(REFRESH.1))
                        .about(USERS)
                        .mark(Tone::Warn)
                        .begins("refresh", 0),
                );
                cx.schedule(REFRESH.0, Event::RefreshEnd(self.refreshings));
                let waiting: Vec<(u32, u32)> = self
                    .live()
                    .filter(|(_, call)| call.level == USER && !call.left)
                    .map(|(slot, call)| (slot, call.serial))
                    .collect();
                for (slot, serial) in waiting {
                    let waited = cx.now().since(self.at(slot).sent);
                    cx.schedule(REFRESH.1.since(waited), Event::Impatient(slot, serial));
                }
            }
        }
        self.look(knobs);
    }

    fn audit(&self) -> Result<(), String> {
        let mut present = [0_u64; LEVELS];
        let mut held = [0_usize; POOLS];
        let mut queued = [0_usize; POOLS];
        let mut users = 0;
        for (slot, call) in self.live() {
            present[call.level] += 1;
            users += u64::from(call.level == USER && !call.left);
            let pool = pool_of(call.level);
            match call.leg {
                Leg::Held => held[pool] += 1,
                Leg::Waiting => queued[pool] += 1,
                Leg::Going | Leg::Back | Leg::Refused => {}
            }
            let listed = (
                self.pools[pool].held.contains(&slot),
                self.pools[pool].queue.contains(&slot),
            );
            if listed != (call.leg == Leg::Held, call.leg == Leg::Waiting) {
                return Err(format!(
                    "call {} is {:?} but its pool says {listed:?}",
                    call.serial, call.leg
                ));
            }
            if let Some(child) = call.child
                && (self.at(child).serial == 0 || self.at(child).parent != Some(slot))
            {
                return Err(format!("call {} waits for nothing", call.serial));
            }
            let awaited = call
                .parent
                .is_some_and(|parent| self.at(parent).child == Some(slot));
            if call.level > USER && awaited == call.left {
                return Err(format!(
                    "call {}: left {} but awaited {awaited}",
                    call.serial, call.left
                ));
            }
        }
        for pool in 0..POOLS {
            let lists = (self.pools[pool].held.len(), self.pools[pool].queue.len());
            if lists != (held[pool], queued[pool]) {
                return Err(format!(
                    "pool {pool} holds {lists:?}, its calls say ({}, {})",
                    held[pool], queued[pool]
                ));
            }
        }
        let balance = self.born.iter().zip(&self.gone).zip(present);
        for (level, ((born, gone), present)) in balance.enumerate() {
            if *born != gone + present {
                return Err(format!(
                    "level {level}: {born} began, {gone} ended and {present} are here"
                ));
            }
        }
        let got: u64 = self.got.iter().sum();
        if self.sent != got + users {
            return Err(format!(
                "users sent {}, got {got}, and {users} wait",
                self.sent
            ));
        }
        Ok(())
    }
}

impl CircuitBreaker {
    fn live(&self) -> impl Iterator<Item = (u32, &Call)> {
        self.calls
            .iter()
            .enumerate()
            .filter(|(_, call)| call.serial > 0)
            .map(|(slot, call)| (slot as u32, call))
    }

    /// Calls that are somewhere.
    pub(super) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.live().map(|(_, call)| call)
    }

    /// The call in a slot that a pool holds.
    pub(super) fn at(&self, slot: u32) -> &Call {
        &self.calls[slot as usize]
    }

    /// Calls of a pool, held or queued, that nobody waits for.
    pub(super) fn for_nobody(&self, pool: usize) -> usize {
        let pool = &self.pools[pool];
        pool.held
            .iter()
            .chain(&pool.queue)
            .filter(|slot| self.at(**slot).left)
            .count()
    }

    /// Users' requests sent, and what they got: fresh, last good, backup, errors.
    #[cfg(test)]
    pub(super) fn totals(&self) -> (u64, [u64; 4]) {
        (self.sent, self.got)
    }

    /// Calls that M2 sent to M3 in all; a refused one is none of them.
    #[cfg(test)]
    pub(super) fn calls_to_m3(&self) -> u64 {
        self.calls_made
    }

    /// Most calls to M3 that one request has caused, of those under way and the last that ended.
    pub(super) fn calls_of_one(&self) -> u32 {
        self.calls()
            .filter(|call| call.level == USER)
            .map(|call| call.calls)
            .fold(self.calls_last, u32::max)
    }

    fn is(&self, slot: u32, serial: u32) -> bool {
        self.calls
            .get(slot as usize)
            .is_some_and(|call| call.serial == serial)
    }

    fn call(&mut self, slot: u32) -> &mut Call {
        &mut self.calls[slot as usize]
    }

    /// Makes the breakers follow the knobs; one whose settings changed starts anew, closed.
    fn set_guards(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        for which in 0..2 {
            let wanted = knobs
                .has_breaker(which)
                .then(|| knobs.machine(which, cx.now()));
            let same = match (&self.guards[which], &wanted) {
                (Some(guard), Some(wanted)) => match (&guard.machine, wanted) {
                    (Machine::Counting(a), Machine::Counting(b)) => a.settings() == b.settings(),
                    (Machine::Rates(a), Machine::Rates(b)) => a.settings() == b.settings(),
                    _ => false,
                },
                (None, None) => true,
                _ => false,
            };
            if same {
                continue;
            }
            if cx.now() > Time::ZERO {
                let was_open = self.guards[which]
                    .as_ref()
                    .is_some_and(|guard| guard.state != State::Closed);
                let word = if wanted.is_some() {
                    "breaker-new"
                } else {
                    "breaker-gone"
                };
                let note = Note::new(word)
                    .with(Arg::Part(service_part(which)))
                    .about(breaker_part(which));
                cx.say(if was_open {
                    note.mark(Tone::Plain).ends("open", which as u16 + 1)
                } else {
                    note
                });
            }
            self.lives += 1;
            self.guards[which] = wanted.map(|machine| Guard {
                machine,
                state: State::Closed,
                since: cx.now(),
                life: self.lives,
                probes: 0,
                refused: 0,
                probes_ok: 0,
            });
        }
    }

    /// A new call; where it is, is up to the caller.
    fn spawn(&mut self, call: Call) -> u32 {
        self.serials += 1;
        self.born[call.level] += 1;
        let call = Call {
            serial: self.serials,
            ..call
        };
        match self.free.pop() {
            Some(slot) => {
                self.calls[slot as usize] = call;
                slot
            }
            None => {
                self.calls.push(call);
                self.calls.len() as u32 - 1
            }
        }
    }

    fn release(&mut self, slot: u32) {
        let call = self.call(slot);
        call.serial = 0;
        call.child = None;
        call.parent = None;
        let level = call.level;
        self.gone[level] += 1;
        self.free.push(slot);
    }

    fn blank(level: usize, cx: &Context<'_, Event>) -> Call {
        Call {
            serial: 0,
            number: 0,
            level,
            leg: Leg::Going,
            arrives: cx.now(),
            left: false,
            answer: Answer::Error,
            sent: cx.now(),
            parent: None,
            child: None,
            permit: None,
            retries: Retries::new(Backoff::IMMEDIATE, 1),
            dice: 0,
            work: 1.0,
            nth: 0,
            calls: 0,
            root: (0, 0),
            reloads: 0,
            note: NoteId::NONE,
        }
    }

    /// Fresh retries for a call that has just got its thread.
    fn retries(knobs: &Settings) -> Retries {
        let backoff = if knobs.backoff_ms > 0.0 {
            Backoff {
                base_us: Time::from_ms(knobs.backoff_ms).0,
                cap_us: Time::s(2).0,
                multiplier: 2.0,
                jitter: Jitter::Full,
            }
        } else {
            Backoff::IMMEDIATE
        };
        Retries::new(backoff, knobs.retries + 1)
    }

    /// A user's request begins.
    fn arrive(&mut self, knobs: &Settings, cx: Cx<'_, '_>) -> u32 {
        let work = work(unit(cx.random(WORK)));
        let dice = mix64((unit(cx.random(FATES)) * 4e9) as u64);
        self.user(dice, work, 0, knobs, cx)
    }

    fn user(&mut self, dice: u64, work: f64, reloads: u8, knobs: &Settings, cx: Cx<'_, '_>) -> u32 {
        self.numbers += 1;
        self.sent += 1;
        self.lately.add(Kind::Sent, cx.now());
        cx.sample(probe::REQUESTS, 1.0);
        let slot = self.spawn(Call {
            number: self.numbers,
            dice,
            work,
            reloads,
            ..CircuitBreaker::blank(USER, cx)
        });
        let serial = self.at(slot).serial;
        self.call(slot).root = (slot, serial);
        cx.schedule(
            Time::from_s(knobs.patience_s),
            Event::Patience(slot, serial),
        );
        if self.refreshing.is_some() {
            cx.schedule(REFRESH.1, Event::Impatient(slot, serial));
        }
        slot
    }

    /// Puts a request of time zero where it would be after `ago` of an undisturbed way.
    fn place(&mut self, user: u32, ago: Time, knobs: &Settings, cx: Cx<'_, '_>) {
        let work = Time::from_ms(knobs.delay_ms * self.at(user).work);
        let mut left = ago;
        if left < HOP {
            return self.travel(user, HOP - left, cx);
        }
        left = left - HOP;
        if left >= Time(4 * HOP.0) + work {
            self.call(user).answer = Answer::Fresh;
            self.call(user).calls = 1;
            self.call(user).leg = Leg::Back;
            let rest = (Time(5 * HOP.0) + work).since(left);
            return self.travel(user, rest.min(HOP), cx);
        }
        self.take(user, knobs);
        let outer = self.child(user, OUTER, None, cx);
        if left < HOP {
            return self.travel(outer, HOP - left, cx);
        }
        left = left - HOP;
        if left >= Time(2 * HOP.0) + work {
            self.call(outer).answer = Answer::Fresh;
            self.call(outer).leg = Leg::Back;
            return self.travel(outer, (Time(3 * HOP.0) + work).since(left).min(HOP), cx);
        }
        self.take(outer, knobs);
        let inner = self.child(outer, INNER, None, cx);
        if left < HOP {
            return self.travel(inner, HOP - left, cx);
        }
        left = left - HOP;
        if left >= work {
            self.call(inner).answer = Answer::Fresh;
            self.call(inner).leg = Leg::Back;
            return self.travel(inner, (HOP + work).since(left).min(HOP), cx);
        }
        if self.pools[THIRD].held.len() < knobs.size(THIRD) {
            self.call(inner).leg = Leg::Held;
            self.pools[THIRD].held.push(inner);
            let serial = self.at(inner).serial;
            cx.schedule(work - left, Event::Done(inner, serial));
        } else {
            self.call(inner).leg = Leg::Waiting;
            self.pools[THIRD].queue.push_back(inner);
        }
    }

    /// Gives a call of time zero its thread, without making it do anything with it.
    fn take(&mut self, slot: u32, knobs: &Settings) {
        let level = self.at(slot).level;
        self.call(slot).retries = CircuitBreaker::retries(knobs);
        self.call(slot).leg = Leg::Held;
        self.pools[pool_of(level)].held.push(slot);
    }

    /// A call of `level` for `parent`, which now waits for it.
    fn child(&mut self, parent: u32, level: usize, permit: Option<Permit>, cx: Cx<'_, '_>) -> u32 {
        let above = self.at(parent).clone();
        let slot = self.spawn(Call {
            number: above.number,
            parent: Some(parent),
            permit,
            // The upper call's try counts eightfold, so that every pair of tries has a number of its own.
            dice: above.dice,
            nth: above.nth * 8 + above.retries.failures(),
            work: above.work,
            root: above.root,
            note: above.note,
            ..CircuitBreaker::blank(level, cx)
        });
        self.call(parent).child = Some(slot);
        if level == OUTER {
            self.lately.add(Kind::CallsToM2, cx.now());
        }
        if level == INNER {
            let (root, serial) = above.root;
            if self.is(root, serial) {
                self.call(root).calls += 1;
                let calls = self.at(root).calls;
                self.watch.calls_most = self.watch.calls_most.max(calls);
            }
            self.calls_made += 1;
            self.lately.add(Kind::CallsToM3, cx.now());
            cx.sample(probe::CALLS, 1.0);
        }
        slot
    }

    /// Sends a call on its way there or back, to arrive after `rest`.
    fn travel(&mut self, slot: u32, rest: Time, cx: Cx<'_, '_>) {
        let call = self.call(slot);
        call.arrives = cx.now() + rest;
        let event = match call.leg {
            Leg::Back => Event::Return(slot, call.serial),
            Leg::Refused => Event::Bounced(slot, call.serial),
            _ => Event::Reach(slot, call.serial),
        };
        cx.schedule(rest, event);
    }

    /// The next call of an overload.
    fn other(&mut self, number: u32, cx: Cx<'_, '_>) {
        if self.overload.is_none() || number != self.overloads {
            return;
        }
        let gap = exponential(cx.random(OTHERS), Time::from_s(1.0 / OVERLOAD.1));
        let work = work(unit(cx.random(OTHERS)));
        cx.schedule(gap, Event::OtherArrive(number));
        let slot = self.spawn(Call {
            work,
            ..CircuitBreaker::blank(OTHER, cx)
        });
        self.travel(slot, HOP, cx);
    }

    fn end_overload(&mut self, cx: Cx<'_, '_>) {
        if self.overload.take().is_some() {
            if let Some(overload) = &mut self.watch.overload {
                overload.until = cx.now();
            }
            cx.say(
                Note::new("overload-over")
                    .with(Arg::Part(M3))
                    .with(Arg::Count(self.pools[THIRD].queue.len() as i64))
                    .about(M3)
                    .mark(Tone::Ok)
                    .ends("overload", 0),
            );
        }
    }

    fn restart(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        if let Some(overload) = self.watch.overload.as_mut() {
            overload.cut = true;
        }
        self.watch.hung = false;
        self.end_overload(cx);
        let lost: Vec<u32> = self.pools[THIRD]
            .held
            .drain(..)
            .chain(self.pools[THIRD].queue.drain(..))
            .collect();
        let note = Note::new("restarted")
            .with(Arg::Part(M3))
            .with(count(lost.len()))
            .about(M3)
            .mark(Tone::Ok);
        let restarted = cx.say(note);
        for slot in lost {
            cx.because(restarted);
            self.call(slot).note = restarted;
            self.go_back(slot, Answer::Error, cx);
        }
        self.pull(THIRD, knobs, cx);
    }

    /// A call arrives at its callee.
    fn reach(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let call = self.at(slot);
        let (level, number) = (call.level, call.number);
        let pool = pool_of(level);
        let part = pool_part(pool);
        if level == INNER && fate(call.dice, call.nth) < knobs.fail_percent / 100.0 {
            let note = Note::new("fails")
                .with(Arg::Part(part))
                .with(Arg::Count(i64::from(number)));
            let note = cx.say(note.about(part).dot(number));
            self.call(slot).note = note;
            self.go_back(slot, Answer::Error, cx);
            return;
        }
        if self.pools[pool].held.len() < knobs.size(pool) {
            self.hold(slot, knobs, cx);
        } else if self.pools[pool].queue.len() < knobs.queue_max(pool) {
            self.call(slot).leg = Leg::Waiting;
            self.pools[pool].queue.push_back(slot);
            if level != OTHER {
                let note = Note::new("waits")
                    .with(Arg::Count(i64::from(number)))
                    .with(Arg::Part(part))
                    .with(count(self.pools[pool].queue.len()));
                self.call(slot).note = cx.say(note.about(part).dot(number));
            }
        } else {
            if level != OTHER {
                let note = Note::new("turned-away")
                    .with(Arg::Part(part))
                    .with(Arg::Count(i64::from(number)));
                self.call(slot).note = cx.say(note.about(part).dot(number));
            }
            self.go_back(slot, Answer::Error, cx);
        }
    }

    /// A call gets a thread of its callee.
    fn hold(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let (level, serial, factor) = {
            let call = self.at(slot);
            (call.level, call.serial, call.work)
        };
        let pool = pool_of(level);
        self.call(slot).leg = Leg::Held;
        self.pools[pool].held.push(slot);
        self.measure(pool, cx);
        let before = cx.cause();
        cx.because(self.at(slot).note);
        match level {
            USER | OUTER => {
                self.call(slot).retries = CircuitBreaker::retries(knobs);
                self.notice_full(pool, knobs, cx);
                self.attempt(slot, knobs, cx);
            }
            SPARE => cx.schedule(
                Time((BACKUP.1.0 as f64 * factor) as u64),
                Event::Done(slot, serial),
            ),
            _ => cx.schedule(
                Time::from_ms(knobs.delay_ms * factor),
                Event::Done(slot, serial),
            ),
        }
        cx.because(before);
    }

    fn notice_full(&mut self, pool: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let (busy, size) = (self.pools[pool].held.len(), knobs.size(pool));
        if busy >= size && !self.pools[pool].full {
            self.pools[pool].full = true;
            cx.say(
                Note::new("full")
                    .with(count(size))
                    .with(Arg::Part(service_part(pool)))
                    .about(service_part(pool))
                    .mark(Tone::Bad),
            );
        }
    }

    /// Gives waiting calls to free threads.
    fn pull(&mut self, pool: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        while self.pools[pool].held.len() < knobs.size(pool) {
            let Some(slot) = self.pools[pool].queue.pop_front() else {
                break;
            };
            self.hold(slot, knobs, cx);
        }
        if self.pools[pool].held.len() * 3 < knobs.size(pool) * 2 {
            self.pools[pool].full = false;
        }
    }

    /// A held call makes the next try of the call that it needs.
    fn attempt(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let call = self.at(slot);
        if call.leg != Leg::Held || call.child.is_some() {
            return;
        }
        let (level, number, tries) = (call.level + 1, call.number, call.retries.failures() + 1);
        let which = level - OUTER;
        let (me, it) = (service_part(which), service_part(which + 1));
        match self.ask(which, cx) {
            Ok(permit) => {
                let probe = permit.is_some_and(|permit| permit.probe);
                let note = if probe {
                    Note::new("probes")
                        .with(Arg::Part(me))
                        .with(Arg::Part(it))
                        .with(Arg::Count(i64::from(number)))
                } else if tries > 1 {
                    Note::new("tries-again")
                        .with(Arg::Part(me))
                        .with(Arg::Part(it))
                        .with(Arg::Count(i64::from(tries)))
                } else {
                    Note::new("calls")
                        .with(Arg::Part(me))
                        .with(Arg::Part(it))
                        .with(Arg::Count(i64::from(number)))
                };
                let note = cx.say(
                    note.about(if probe { breaker_part(which) } else { me })
                        .dot(number),
                );
                self.call(slot).note = note;
                let child = self.child(slot, level, permit, cx);
                let serial = self.at(child).serial;
                self.travel(child, HOP, cx);
                cx.schedule(knobs.timeout(level), Event::TimeOut(child, serial));
            }
            Err(()) => {
                let note = Note::new("refused")
                    .with(Arg::Part(me))
                    .with(Arg::Count(i64::from(number)))
                    .with(Arg::Part(it));
                self.call(slot).note = cx.say(note.about(breaker_part(which)).dot(number));
                // A refused call never happens: it is drawn, but it is none of the calls that are counted.
                let above = self.at(slot).clone();
                let child = self.spawn(Call {
                    number,
                    leg: Leg::Refused,
                    parent: Some(slot),
                    root: above.root,
                    note: above.note,
                    ..CircuitBreaker::blank(level, cx)
                });
                self.call(slot).child = Some(child);
                self.travel(child, BOUNCE, cx);
            }
        }
    }

    /// Asks a breaker to let a call through.
    fn ask(&mut self, which: usize, cx: Cx<'_, '_>) -> Result<Option<Permit>, ()> {
        let now = cx.now();
        let Some(guard) = &mut self.guards[which] else {
            return Ok(None);
        };
        let asked = match &mut guard.machine {
            Machine::Counting(breaker) => breaker.allow(now.0).map(Some).map_err(|_| ()),
            Machine::Rates(breaker) => breaker.try_acquire(now.0).then_some(None).ok_or(()),
        };
        let life = guard.life;
        self.follow(which, cx);
        let Some(guard) = &mut self.guards[which] else {
            return Ok(None);
        };
        let probe = guard.state == State::HalfOpen;
        if probe {
            guard.probes += u32::from(asked.is_ok());
            guard.refused += u32::from(asked.is_err());
        }
        asked.map(|ticket| {
            Some(Permit {
                life,
                ticket,
                probe,
            })
        })
    }

    /// Tells a breaker how a call ended.
    fn tell(&mut self, which: usize, permit: Option<Permit>, ok: bool, took: Time, cx: Cx<'_, '_>) {
        let now = cx.now();
        let (Some(guard), Some(permit)) = (&mut self.guards[which], permit) else {
            return;
        };
        if guard.life != permit.life {
            return;
        }
        if guard.state == State::HalfOpen && permit.probe && ok {
            guard.probes_ok += 1;
        }
        match (&mut guard.machine, permit.ticket) {
            (Machine::Rates(breaker), _) => {
                let outcome = if ok {
                    rates::Outcome::Success
                } else {
                    rates::Outcome::Failure
                };
                breaker.record(outcome, took.0, now.0);
            }
            (Machine::Counting(breaker), Some(ticket)) => {
                let outcome = if ok {
                    counting::Outcome::Success
                } else {
                    counting::Outcome::Failure
                };
                breaker.done(ticket, outcome, now.0);
            }
            (Machine::Counting(_), None) => {}
        }
        self.follow(which, cx);
    }

    /// Notices that a breaker has changed its state.
    fn follow(&mut self, which: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(guard) = &mut self.guards[which] else {
            return;
        };
        let (old, new) = (guard.state, guard.machine.state(now));
        if old == new {
            return;
        }
        let probed = (guard.probes, guard.refused);
        guard.state = new;
        guard.since = now;
        (guard.probes, guard.refused, guard.probes_ok) = (0, 0, 0);
        let (me, it) = (
            Arg::Part(service_part(which)),
            Arg::Part(service_part(which + 1)),
        );
        let number = which as u16 + 1;
        let note = match (old, new) {
            (State::HalfOpen, State::Open) => {
                Note::new("reopens").with(me).with(it).mark(Tone::Bad)
            }
            (_, State::Open) => Note::new("opens")
                .with(me)
                .with(it)
                .mark(Tone::Bad)
                .begins("open", number),
            (_, State::HalfOpen) => Note::new("half-opens").with(me).with(it).mark(Tone::Warn),
            (_, State::Closed) => Note::new("closes")
                .with(me)
                .with(it)
                .mark(Tone::Ok)
                .ends("open", number),
        };
        cx.say(note.about(breaker_part(which)));
        if which == 1 {
            match new {
                State::Open => {
                    self.watch.opened += u32::from(old == State::Closed);
                    self.watch.half_open = (old == State::HalfOpen).then_some(probed);
                }
                State::HalfOpen => self.watch.half_open = None,
                State::Closed => {
                    self.watch.closed += 1;
                    self.watch.half_open = Some(probed);
                }
            }
        }
        if new == State::Open {
            self.watch.false_alarm |=
                self.watch.mended.is_none() && self.overload.is_none() && self.mild;
        }
    }

    /// A thread's own work is done.
    fn done(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let call = self.at(slot);
        if call.leg != Leg::Held {
            return;
        }
        let part = Arg::Part(pool_part(pool_of(call.level)));
        let (level, number, left) = (call.level, call.number, call.left);
        if level != OTHER {
            let word = if left { "for-nobody" } else { "answers" };
            let note = Note::new(word)
                .with(part)
                .with(Arg::Count(i64::from(number)));
            let note = cx.say(note.about(pool_part(pool_of(level))).dot(number));
            self.call(slot).note = note;
        }
        let answer = if level == SPARE {
            Answer::Backup
        } else {
            Answer::Fresh
        };
        self.finish(slot, answer, knobs, cx);
    }

    /// A held call gives its thread back and answers.
    fn finish(&mut self, slot: u32, answer: Answer, knobs: &Settings, cx: Cx<'_, '_>) {
        let level = self.at(slot).level;
        let pool = pool_of(level);
        self.pools[pool].held.retain(|held| *held != slot);
        if level == USER {
            self.calls_last = self.at(slot).calls;
        }
        self.go_back(slot, answer, cx);
        self.pull(pool, knobs, cx);
        self.measure(pool, cx);
    }

    /// An answer sets out for its caller, if anybody still waits for it.
    fn go_back(&mut self, slot: u32, answer: Answer, cx: Cx<'_, '_>) {
        let call = self.call(slot);
        call.answer = answer;
        call.leg = Leg::Back;
        if call.left || call.level == OTHER {
            self.release(slot);
        } else {
            self.travel(slot, HOP, cx);
        }
    }

    /// An answer reaches its caller.
    fn came_back(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let call = self.at(slot).clone();
        if call.level == USER {
            if call.left {
                self.release(slot);
            } else {
                self.deliver(slot, call.answer, cx);
            }
            return;
        }
        let Some(parent) = call.parent else {
            return;
        };
        self.call(parent).child = None;
        self.call(parent).note = cx.cause();
        self.release(slot);
        let ok = call.answer != Answer::Error;
        if call.level != SPARE {
            let which = call.level - OUTER;
            let took = cx.now().since(call.sent);
            self.tell(which, call.permit, ok, took, cx);
            if call.answer == Answer::Fresh {
                self.last_good[which] = Some(cx.now());
            }
        }
        if ok || call.level == SPARE {
            self.finish(parent, call.answer, knobs, cx);
        } else {
            self.failed_try(parent, knobs, cx);
        }
    }

    /// The caller waits no longer for a call; the callee does not learn of it.
    fn time_out(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let call = self.at(slot).clone();
        let Some(parent) = call.parent.filter(|_| !call.left) else {
            return;
        };
        self.call(slot).left = true;
        self.call(slot).parent = None;
        self.call(parent).child = None;
        let (me, it) = if call.level == SPARE {
            (service_part(1), BACKUP_PART)
        } else {
            let which = call.level - OUTER;
            (service_part(which), service_part(which + 1))
        };
        if call.leg == Leg::Back {
            self.release(slot);
        }
        let note = Note::new("timed-out")
            .with(Arg::Part(me))
            .with(Arg::Part(it))
            .with(Arg::Span(cx.now().since(call.sent)));
        let note = cx.say(note.about(it).dot(call.number));
        self.call(parent).note = note;
        if call.level == SPARE {
            self.finish(parent, Answer::Error, knobs, cx);
        } else {
            let took = cx.now().since(call.sent);
            self.tell(call.level - OUTER, call.permit, false, took, cx);
            self.failed_try(parent, knobs, cx);
        }
    }

    /// A try failed: another one, or an error for whoever waits.
    fn failed_try(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let mut retries = self.at(slot).retries;
        let wait = retries.wait_us(cx.random(JITTER));
        self.call(slot).retries = retries;
        let (level, number, serial) = {
            let call = self.at(slot);
            (call.level, call.number, call.serial)
        };
        match wait {
            Some(us) => cx.schedule(Time(us), Event::Retry(slot, serial)),
            None => {
                let me = service_part(level - USER);
                let note = Note::new("gives-up")
                    .with(Arg::Part(me))
                    .with(Arg::Count(i64::from(number)))
                    .with(Arg::Count(i64::from(retries.failures())));
                self.call(slot).note = cx.say(note.about(me).dot(number));
                self.finish(slot, Answer::Error, knobs, cx);
            }
        }
    }

    /// A refused call is back: the caller answers without it.
    fn bounced(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let call = self.at(slot).clone();
        let Some(parent) = call.parent else {
            return;
        };
        let which = call.level - OUTER;
        self.call(parent).child = None;
        self.release(slot);
        let number = Arg::Count(i64::from(call.number));
        let me = service_part(which);
        let (note, answer) = match (knobs.fallback, self.last_good[which]) {
            (Fallback::Backup, _) if which == 1 => {
                let note = Note::new("asks-backup")
                    .with(Arg::Part(me))
                    .with(Arg::Part(BACKUP_PART))
                    .with(number);
                self.call(parent).note = cx.say(note.about(me).dot(call.number));
                let child = self.child(parent, SPARE, None, cx);
                let serial = self.at(child).serial;
                self.travel(child, HOP, cx);
                cx.schedule(knobs.timeout(SPARE), Event::TimeOut(child, serial));
                return;
            }
            (Fallback::LastGood, Some(at)) => {
                let note = Note::new("answers-last-good")
                    .with(Arg::Part(me))
                    .with(number)
                    .with(Arg::Span(cx.now().since(at)));
                (note, Answer::LastGood)
            }
            _ => {
                let note = Note::new("answers-error").with(Arg::Part(me)).with(number);
                (note, Answer::Error)
            }
        };
        self.call(parent).note = cx.say(note.about(me).dot(call.number));
        self.finish(parent, answer, knobs, cx);
    }

    /// A user gets an answer.
    fn deliver(&mut self, slot: u32, answer: Answer, cx: Cx<'_, '_>) {
        let call = self.at(slot).clone();
        self.release(slot);
        let number = Arg::Count(i64::from(call.number));
        let took = Arg::Span(cx.now().since(call.sent));
        let word = match answer {
            Answer::Fresh => "user-fresh",
            Answer::LastGood => "user-last-good",
            Answer::Backup => "user-backup",
            Answer::Error => "user-error",
        };
        let note = Note::new(word)
            .with(number)
            .with(took)
            .with(Arg::Count(i64::from(call.calls)));
        cx.say(note.about(USERS).dot(call.number));
        self.tally(answer, call.number, cx);
        if answer == Answer::Error && self.refreshing.is_some() && call.reloads < RELOAD.1 {
            cx.schedule(RELOAD.0, Event::Reload(call.dice, call.reloads + 1));
        }
    }

    /// Counts what a user got.
    fn tally(&mut self, answer: Answer, number: u32, cx: Cx<'_, '_>) {
        let (kind, probe) = match answer {
            Answer::Fresh => (Kind::Fresh, probe::FRESH),
            Answer::LastGood => (Kind::LastGood, probe::STAND_IN),
            Answer::Backup => (Kind::Backup, probe::STAND_IN),
            Answer::Error => (Kind::Error, probe::ERRORS),
        };
        self.got[kind as usize] += 1;
        self.lately.add(kind, cx.now());
        cx.sample(probe, 1.0);
        let is_error = answer == Answer::Error;
        if let Some(overload) = &mut self.watch.overload {
            overload.answers += 1;
            overload.fresh += u32::from(answer == Answer::Fresh);
        }
        if !is_error {
            return;
        }
        if self.watch.unharmed_since.is_some() {
            self.watch.unharmed_since = Some(cx.now());
        }
        if self
            .error_marked
            .is_none_or(|marked| cx.now().since(marked) >= ERROR_MARKS)
        {
            self.error_marked = Some(cx.now());
            cx.say(
                Note::new("users-fail")
                    .about(USERS)
                    .dot(number)
                    .mark(Tone::Bad),
            );
        }
    }

    /// A user leaves without an answer; nobody in the chain learns of it.
    fn leave(&mut self, slot: u32, waited: Time, cx: Cx<'_, '_>) {
        let call = self.call(slot);
        if call.left {
            return;
        }
        call.left = true;
        let number = call.number;
        cx.because(call.note);
        let note = Note::new("user-leaves")
            .with(Arg::Count(i64::from(number)))
            .with(Arg::Span(waited));
        cx.say(note.about(USERS).dot(number));
        self.tally(Answer::Error, number, cx);
    }

    /// A refresh-happy user has waited long enough: leaves and asks anew.
    fn reload_waiting(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let call = self.at(slot);
        if call.left || call.reloads >= RELOAD.1 {
            return;
        }
        let (dice, reloads, waited) = (call.dice, call.reloads, cx.now().since(call.sent));
        self.leave(slot, waited, cx);
        self.reload(dice, reloads + 1, knobs, cx);
    }

    fn reload(&mut self, dice: u64, reloads: u8, knobs: &Settings, cx: Cx<'_, '_>) {
        // New dice from the old, so that reloads take nothing from the streams of first requests.
        let dice = mix64(dice);
        let work = work((dice >> 40) as f64 / (1_u64 << 24) as f64);
        let slot = self.user(dice, work, reloads, knobs, cx);
        let number = self.at(slot).number;
        let note = Note::new("reloads")
            .with(Arg::Count(i64::from(reloads)))
            .with(Arg::Count(i64::from(number)));
        self.call(slot).note = cx.say(note.about(USERS).dot(number));
        self.travel(slot, HOP, cx);
    }

    fn measure(&mut self, pool: usize, cx: Cx<'_, '_>) {
        if pool < 2 {
            let busy = self.pools[pool].held.len() as f64;
            cx.sample(probe::THREADS + pool, busy);
        }
    }

    /// Keeps what the story and the challenges look at up to date.
    fn look(&mut self, knobs: &Settings) {
        self.mild = knobs.fail_percent > 0.0 && knobs.fail_percent <= 20.0;
        if knobs.fail_percent >= 100.0 && knobs.load_per_s >= 8.0 {
            self.watch.unharmed_since.get_or_insert(self.now);
        } else {
            self.watch.unharmed_since = None;
        }
        if knobs.breakers != Breakers::None {
            self.watch.hung = false;
            return;
        }
        let quiet = knobs.fail_percent == 0.0 && self.overload.is_none();
        let settled =
            |since: Option<Time>| since.is_some_and(|since| self.now.since(since) >= Time::s(3));
        let calm = quiet
            && settled(self.watch.mended)
            && settled(Some(self.watch.overload.map_or(Time::ZERO, |o| o.until)));
        let fresh = self.lately.fresh_share(4, self.now);
        if calm && fresh.is_some_and(|share| share <= 0.2) {
            self.watch.hung = true;
        }
        if self.watch.hung
            && self
                .lately
                .fresh_share(8, self.now)
                .is_some_and(|share| share >= 0.9)
        {
            self.watch.unhung = true;
        }
    }
}

/// The work of a request as a factor: evenly from 0.6 to 1.4, so that a healthy M3 stays within its time-out.
fn work(unit: f64) -> f64 {
    0.6 + 0.8 * unit
}

/// Whether M3 would fail this try of a request: a number from 0 up to 1, the same for every policy.
fn fate(dice: u64, nth: u32) -> f64 {
    (mix64(dice ^ mix64(u64::from(nth) + 1)) >> 40) as f64 / (1_u64 << 24) as f64
}

fn count(n: usize) -> Arg {
    Arg::Count(n as i64)
}
