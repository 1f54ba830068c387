//! Who is there, who says so, and who believes it: copies, the registry, callers and their lists.

mod deeds;
mod talk;

use super::{BY_ITSELF, CALLERS, ROOM, STOCK, WARM_UP, caller_part, stock_part};
use algorithms::hash::mix64;
use algorithms::health::HealthCheck;
use algorithms::lease_registry::{Kept, Lease, Preservation, Registry};
use algorithms::phi_accrual::{PhiAccrual, Settings};
use engine::tape::NoteId;
use engine::{Arg, Note, PartId, Time};
use kit::flow::Recently;
use kit::system::{Cx, Deed, Door, Frame, System, Values};

/// One way between anybody and the registry; really under 1 ms.
pub(super) const TRIP: Time = Time::ms(100);
/// Eureka counts renewals by the minute; time is pressed ten to one.
pub(super) const WINDOW: Time = Time::s(6);
/// The share of renewals below which nothing expires, as in Eureka.
const SHARE: f64 = 0.85;
/// A copy that is asked must have answered so soon.
const ANSWER: Time = Time::ms(500);
/// Good answers in a row that list a copy.
const RISE: u32 = 2;
/// Intervals that the detector remembers, and the least deviation that it believes in, in ms.
const REMEMBERS: usize = 100;
const DEVIATION: f64 = 100.0;
/// A storm delays beats so far, for so long.
pub(super) const STORM: Time = Time::s(3);
pub(super) const STORM_FOR: Time = Time::s(30);
/// By then the worst of delays is over at the first settings: a lease, a sweep, a list.
pub(super) const LATE: Time = Time::s(19);
/// Half a step of a deployment: a new copy comes, then an old one goes.
const STEP: Time = Time::s(2);
/// With sweeps at once, a detector without an end of its own is looked at so often.
const LOOK: Time = Time::ms(100);

/// The registry's row in the matrix of beliefs, and the first caller's.
pub(super) const REGISTRY_ROW: usize = 0;
pub(super) const ROWS: usize = 1 + CALLERS;
pub(super) const REGISTRY: PartId = PartId::one("registry");
/// The caller that stands for all of them: the gateway.
pub(super) const GATEWAY: usize = CALLERS;

/// Knobs of the control plane.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rules {
    pub(super) beat: Time,
    pub(super) lease: Time,
    /// Zero where lists are pushed.
    pub(super) lists: Time,
    pub(super) asks: bool,
    /// 0 gives up, 1 tries the next, 2 fetches the list, too.
    pub(super) fails: u32,
    pub(super) preserves: bool,
    pub(super) gateway: bool,
    pub(super) sweep: Time,
    pub(super) phi: bool,
    pub(super) threshold: f64,
    pub(super) pause: f64,
    pub(super) lost: f64,
    pub(super) spread: Time,
    pub(super) copies: usize,
    pub(super) load: f64,
    pub(super) stays: Time,
    pub(super) silent: Time,
    pub(super) ask: Time,
    pub(super) misses: u32,
}

impl Rules {
    pub(super) fn of(knobs: &Values) -> Rules {
        Rules {
            beat: knobs.s("beat"),
            lease: knobs.s("lease"),
            lists: knobs.s("lists"),
            asks: knobs.whole("tells") == 1,
            fails: knobs.whole("fails"),
            preserves: knobs.on("preserves"),
            gateway: knobs.whole("looks") == 1,
            sweep: knobs.s("sweep"),
            phi: knobs.whole("detector") == 1,
            threshold: knobs.get("phi"),
            pause: knobs.get("pause"),
            lost: knobs.get("lost") / 100.0,
            spread: knobs.s("spread"),
            copies: knobs.whole("copies") as usize,
            load: knobs.get("load"),
            stays: knobs.s("stays"),
            silent: knobs.s("silent"),
            ask: knobs.s("ask"),
            misses: knobs.whole("misses"),
        }
    }

    fn preservation(&self) -> Preservation {
        Preservation {
            renew_us: self.beat.0,
            window_us: WINDOW.0,
            share: SHARE,
        }
    }

    fn detector(&self) -> PhiAccrual {
        let beat = self.beat.as_s() * 1e3;
        PhiAccrual::new(Settings {
            threshold: self.threshold,
            samples_max: REMEMBERS,
            deviation_min: DEVIATION,
            pause: self.pause * beat,
            first: beat,
        })
    }
}

/// How a copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// There is none at this place, or it has ended.
    #[default]
    Absent,
    Up,
    /// It has signed off and answers until it ends.
    Leaves,
    /// It takes calls and answers none; its heart beats.
    Hung,
    /// Its process is dead, its machine says so.
    Killed,
    /// Its machine has no power.
    Gone,
}

/// A place for a copy.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) state: State,
    pub(super) since: Time,
    /// The note that told of it.
    note: NoteId,
    /// Nothing passes between it and the registry.
    pub(super) cut: bool,
    beat_at: Time,
    beats: u32,
    end_at: Time,
    ask_at: Time,
    asks: u32,
    /// The question that it must still answer, and until when.
    asked: Option<(u32, Time)>,
    /// The registry knows its address and asks it.
    known: bool,
    pub(super) health: HealthCheck,
    detector: PhiAccrual,
}

impl Copy {
    /// Whether it answers calls.
    pub(super) fn serves(&self) -> bool {
        matches!(self.state, State::Up | State::Leaves)
    }

    fn beats(&self) -> bool {
        matches!(self.state, State::Up | State::Hung)
    }

    pub(super) fn phi(&self, at: Time) -> f64 {
        self.detector.phi(at.0 / 1_000)
    }
}

/// What a caller has copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// A bit for each copy.
    pub(super) list: u16,
    pub(super) version: u64,
    /// When the registry made it.
    pub(super) made: Time,
    /// The note that told of its last change.
    pub(super) note: NoteId,
    fetch_at: Time,
    /// A list is asked for out of turn.
    hurries: bool,
}

const FRESH: Caller = Caller {
    list: 0,
    version: 0,
    made: Time::ZERO,
    note: NoteId::NONE,
    fetch_at: Time::NEVER,
    hurries: false,
};

/// What travels between copies, registry and callers. The number is the copy's or the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Register,
    Beat,
    SignOff,
    /// The registry does not know who beats.
    Unknown,
    Ask(u32),
    Answer(u32),
    Fetch,
    List {
        list: u16,
        version: u64,
        made: Time,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    pub(super) word: Word,
    pub(super) who: usize,
    pub(super) left: Time,
    pub(super) comes: Time,
    /// It gets lost on its way.
    pub(super) lost: bool,
    cause: NoteId,
}

/// A deployment: the copies that must still go, and when the next step is.
#[derive(Clone, Debug, Default)]
struct Deploy {
    olds: Vec<usize>,
    /// A new one stands for the first of them already.
    relieved: bool,
    step_at: Time,
}

/// What is counted since the last thing that anybody did.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) since: Time,
    /// The copy that it was done to.
    pub(super) column: Option<usize>,
    /// When each row of the matrix came to agree with what is so of that copy.
    pub(super) turned: [Option<Time>; ROWS],
    /// Calls that went to copies that do not answer.
    pub(super) ghosts: u32,
    /// Copies that were struck out although up.
    pub(super) wrongly: u32,
    pub(super) struck: u32,
    /// Requests that are over since, and those of them that failed.
    pub(super) over: u32,
    pub(super) failed: u32,
    /// The same of requests that came when all lists had long been fetched anew.
    pub(super) late: (u32, u32),
    /// The shortest list that any caller has had.
    pub(super) shortest: u32,
    /// What was done.
    pub(super) deed: &'static str,
    /// When a deployment was done.
    pub(super) replaced: Option<Time>,
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
pub(super) struct World {
    salt: u64,
    pub(super) begun: bool,
    pub(super) rules: Rules,
    pub(super) copies: Vec<Copy>,
    pub(super) registry: Registry,
    /// The notes by which the registry came to its list.
    registry_notes: [NoteId; ROOM],
    pub(super) running: bool,
    pub(super) registry_since: Time,
    /// It answers nobody before this.
    pub(super) silent_until: Time,
    pub(super) kept: Option<Kept>,
    pub(super) sweep_at: Time,
    pub(super) callers: [Caller; CALLERS + 1],
    pub(super) letters: Vec<Letter>,
    pub(super) storm_until: Time,
    deploy: Deploy,
    /// When each cell of the matrix last turned; the truth is the last row.
    pub(super) turns: Vec<[Time; ROOM]>,
    cells: Vec<u16>,
    pub(super) tally: Tally,
    /// Beats, questions, registrations and lists that reached the registry or left it, by the second.
    pub(super) talk: Recently<1>,
    /// Of these, not told to the plot yet.
    pub(super) talked: u32,
    /// Requests answered and failed, by the second.
    pub(super) fates: Recently<2>,
    /// Copies whose doors in the system are not what they should be.
    doors: Vec<(usize, State)>,
    /// Calls to ghosts that are still to be told: caller, copy, number.
    pub(super) untold: Vec<(usize, usize, u32)>,
    /// Stock 3 loses its power by itself, if nobody does anything.
    pub(super) by_itself: Time,
    /// The knobs as they were last heeded.
    pub(super) knobs: Vec<f64>,
}

/// Purposes of draws.
mod draws {
    pub(super) const BEAT: u64 = 1;
    pub(super) const FETCH: u64 = 2;
    pub(super) const SWEEP: u64 = 3;
    pub(super) const ASK: u64 = 4;
    pub(super) const LOST: u64 = 5;
    pub(super) const DELAY: u64 = 6;
    pub(super) const ORDER: u64 = 7;
}

impl World {
    pub(super) fn new() -> World {
        let rules = Rules {
            beat: Time::s(3),
            copies: 6,
            ..Rules::default()
        };
        let copy = Copy {
            state: State::Absent,
            since: Time::ZERO,
            note: NoteId::NONE,
            cut: false,
            beat_at: Time::NEVER,
            beats: 0,
            end_at: Time::NEVER,
            ask_at: Time::NEVER,
            asks: 0,
            asked: None,
            known: false,
            health: HealthCheck::new(3, RISE),
            detector: rules.detector(),
        };
        let mut world = World {
            salt: 0,
            begun: false,
            rules,
            copies: vec![copy; ROOM],
            registry: Registry::new(0),
            registry_notes: [NoteId::NONE; ROOM],
            running: true,
            registry_since: Time::ZERO,
            silent_until: Time::ZERO,
            kept: None,
            sweep_at: Time::NEVER,
            callers: [FRESH; CALLERS + 1],
            letters: Vec::new(),
            storm_until: Time::ZERO,
            deploy: Deploy::default(),
            turns: vec![[Time::ZERO; ROOM]; ROWS + 1],
            cells: vec![0; ROWS + 1],
            tally: Tally::default(),
            talk: Recently::new(Time::ZERO),
            talked: 0,
            fates: Recently::new(Time::ZERO),
            doors: Vec::new(),
            untold: Vec::new(),
            by_itself: Time::NEVER,
            knobs: Vec::new(),
        };
        for copy in &mut world.copies[..6] {
            copy.state = State::Up;
        }
        for caller in &mut world.callers {
            caller.list = 0b11_1111;
        }
        world
    }

    /// An even draw from 0 to 1 for a purpose: the same whatever the knobs say.
    fn unit(&self, purpose: u64, who: usize, nth: u32) -> f64 {
        let key = (purpose << 56) | ((who as u64) << 40) | u64::from(nth);
        (mix64(self.salt ^ mix64(key)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn within(&self, span: Time, purpose: u64, who: usize, nth: u32) -> Time {
        Time((span.0 as f64 * self.unit(purpose, who, nth)) as u64)
    }

    /// The callers that look up: each one, or the gateway.
    pub(super) fn lookers(&self) -> std::ops::Range<usize> {
        match self.rules.gateway {
            true => GATEWAY..GATEWAY + 1,
            false => 0..CALLERS,
        }
    }

    /// Whose list a caller goes by.
    pub(super) fn list_of(&self, caller: usize) -> &Caller {
        &self.callers[if self.rules.gateway { GATEWAY } else { caller }]
    }

    /// The registry's list, a bit for each copy.
    pub(super) fn listed(&self) -> u16 {
        bits(self.registry.leases().iter().map(|it| it.instance as usize))
    }

    /// The copies that are up: what should be listed.
    pub(super) fn up(&self) -> u16 {
        let is_up = |i: &usize| self.copies[*i].state == State::Up;
        bits((0..ROOM).filter(is_up))
    }

    /// The copies that answer calls.
    pub(super) fn serving(&self) -> u16 {
        bits((0..ROOM).filter(|i| self.copies[*i].serves()))
    }

    /// What a row of the matrix lists; past the registry and the callers, what is so.
    pub(super) fn row(&self, row: usize) -> u16 {
        match row {
            REGISTRY_ROW => self.listed(),
            ROWS => self.up(),
            _ => self.list_of(row - 1).list,
        }
    }

    /// The rows that believe something of their own.
    pub(super) fn rows(&self) -> std::ops::Range<usize> {
        0..if self.rules.gateway { 2 } else { ROWS }
    }

    /// Cells that list who does not answer, and cells that do not list who is up.
    pub(super) fn wrong(&self) -> (u32, u32) {
        let (up, serving) = (self.up(), self.serving());
        let rows = self.rows().map(|row| self.row(row));
        let (mut ghosts, mut strangers) = (0, 0);
        for list in rows {
            ghosts += (list & !serving).count_ones();
            strangers += (up & !list).count_ones();
        }
        (ghosts, strangers)
    }

    /// The time of a copy's lease that is left, as a share; below 0 once it is over.
    pub(super) fn lease_left(&self, copy: usize, at: Time) -> Option<f64> {
        let lease = self.registry.lease(copy as u32)?;
        let gone = at.since(Time(lease.renewed_us)).as_s();
        Some(1.0 - gone / self.rules.lease.as_s().max(1e-3))
    }

    /// Counting begins anew.
    fn count(&mut self, deed: &'static str, column: Option<usize>, now: Time) {
        self.tally = Tally {
            since: now,
            column,
            deed,
            shortest: ROOM as u32,
            ..Tally::default()
        };
        self.by_itself = Time::NEVER;
        self.judge(now);
    }

    /// The run begins: everybody is there, and says so once, so that each part can say what it is for.
    pub(super) fn begin(&mut self, knobs: &Values, salt: u64, cx: Cx<'_, '_>) {
        (self.begun, self.salt, self.rules) = (true, salt, Rules::of(knobs));
        self.knobs = knobs.all().to_vec();
        let note = cx.say(Note::new("registry-lists").about(REGISTRY));
        for caller in 0..=GATEWAY {
            cx.because(NoteId::NONE);
            let part = caller_part(caller);
            cx.say(Note::new("looks-up").with(Arg::Part(part)).about(part));
        }
        for copy in 0..ROOM {
            let state = self.copies[copy].state;
            self.doors.push((copy, state));
            if state == State::Up {
                cx.because(NoteId::NONE);
                let part = stock_part(copy);
                let note = cx.say(Note::new("beats").with(Arg::Part(part)).about(part));
                self.copies[copy].note = note;
            }
        }
        cx.because(note);
        self.settle(cx);
        cx.because(NoteId::NONE);
        self.wake(WARM_UP + BY_ITSELF, cx);
    }

    /// Time zero: counting begins, and soon something happens by itself.
    pub(super) fn open(&mut self, now: Time) {
        self.count("", None, now);
        self.by_itself = now + BY_ITSELF;
    }

    /// A caller has called a copy.
    pub(super) fn called(&mut self, caller: usize, copy: usize, number: u32) {
        if !self.copies[copy].serves() {
            self.tally.ghosts += 1;
            self.untold.push((caller, copy, number));
        }
    }

    /// A user's request is over.
    pub(super) fn over(&mut self, request: &Frame, now: Time) {
        let failed = request.failed.is_some();
        self.fates.add(usize::from(failed), now);
        if request.asked >= self.tally.since {
            self.tally.over += 1;
            self.tally.failed += u32::from(failed);
            if request.asked >= self.tally.since + LATE {
                self.tally.late.0 += 1;
                self.tally.late.1 += u32::from(failed);
            }
        }
    }

    /// Knobs have turned: clocks go on by the new rules.
    pub(super) fn heed(&mut self, rules: Rules, cx: Cx<'_, '_>) {
        let now = cx.now();
        if rules == self.rules {
            return;
        }
        let old = std::mem::replace(&mut self.rules, rules);
        self.count("turned", None, now);
        if (old.beat, old.pause, old.threshold) != (rules.beat, rules.pause, rules.threshold) {
            self.renew_detectors(now);
        }
        for i in 0..ROOM {
            if old.beat != rules.beat && self.copies[i].beats() {
                let soon = now + self.within(rules.beat, draws::BEAT, i, 0);
                self.copies[i].beat_at = soon;
                self.wake(soon, cx);
            }
            if (old.asks, old.ask, old.misses) != (rules.asks, rules.ask, rules.misses) {
                self.acquaint(i, cx);
            }
        }
        if (old.lists, old.gateway) != (rules.lists, rules.gateway) {
            if old.gateway != rules.gateway {
                let latest = self.callers[0];
                self.callers[GATEWAY] = latest;
            }
            for caller in self.lookers() {
                self.next_fetch(caller, cx);
                if rules.lists == Time::ZERO {
                    self.push(caller, cx);
                }
            }
        }
        if old.sweep != rules.sweep || old.phi != rules.phi {
            self.sweep_at = now + self.within(rules.sweep, draws::SWEEP, 0, 0);
            self.wake(self.sweep_at, cx);
        }
        if old.copies != rules.copies {
            self.follow(cx);
        }
    }

    /// As many copies as the knob says: more start, the last ones sign off.
    fn follow(&mut self, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let there = |copy: &Copy| !matches!(copy.state, State::Absent | State::Leaves);
        while self.copies.iter().filter(|it| there(it)).count() < self.rules.copies {
            cx.because(cause);
            let Some(free) = self.free() else { break };
            self.start(free, cx);
            self.count("start", Some(free), cx.now());
        }
        while self.copies.iter().filter(|it| there(it)).count() > self.rules.copies {
            cx.because(cause);
            let Some(last) = self.copies.iter().rposition(there) else {
                break;
            };
            self.sign_off(last, cx);
        }
    }

    /// Detectors as if beats had long come as they do now.
    fn renew_detectors(&mut self, now: Time) {
        let rules = self.rules;
        for i in 0..ROOM {
            let phase = self.within(rules.beat, draws::BEAT, i, 0);
            let last = Time(now.0 + phase.0 + TRIP.0);
            let mut detector = rules.detector();
            for nth in (1..=12).rev() {
                let at = last.0.saturating_sub(nth * rules.beat.0) / 1_000;
                detector.hear(at);
            }
            self.copies[i].detector = detector;
        }
    }

    /// All is as if nobody had ever done anything: as many copies as the knob says are up, and everybody knows.
    pub(super) fn settle(&mut self, cx: Cx<'_, '_>) {
        let (now, rules) = (cx.now(), self.rules);
        let cause = cx.cause();
        self.letters.clear();
        self.storm_until = Time::ZERO;
        self.deploy = Deploy::default();
        (self.running, self.registry_since) = (true, now);
        (self.silent_until, self.kept) = (Time::ZERO, None);
        self.untold.clear();
        let mut leases = Vec::new();
        self.renew_detectors(now);
        for i in 0..ROOM {
            let state = if i < rules.copies {
                State::Up
            } else {
                State::Absent
            };
            if self.copies[i].state != state {
                self.set(i, state, cause, now);
            }
            let phase = self.within(rules.beat, draws::BEAT, i, 0);
            let copy = &mut self.copies[i];
            (copy.cut, copy.asked, copy.known) = (false, None, state == State::Up);
            copy.beat_at = if state == State::Up {
                now + phase
            } else {
                Time::NEVER
            };
            copy.health = HealthCheck::new(rules.misses, RISE);
            self.acquaint(i, cx);
            self.wake(self.copies[i].beat_at, cx);
            if state == State::Up {
                let before = (now + phase + TRIP).0.saturating_sub(rules.beat.0);
                leases.push(Lease {
                    instance: i as u32,
                    since_us: 0,
                    renewed_us: before.min(now.0),
                });
            }
        }
        // The windows of renewals go with the sweeps, as in Eureka, where both are a minute from the start.
        self.sweep_at = now + self.within(rules.sweep, draws::SWEEP, 0, 0);
        self.wake(self.sweep_at, cx);
        let windows = self.sweep_at.since(now).0.div_ceil(WINDOW.0);
        let began = self.sweep_at.0.checked_sub(windows * WINDOW.0);
        let began = began.unwrap_or(self.sweep_at.0 % WINDOW.0);
        let since = |lease: &Lease| {
            let span = lease.renewed_us.saturating_sub(began);
            (span / rules.beat.0 + u64::from(lease.renewed_us > began)) as u32
        };
        let came = leases.iter().map(since).sum();
        self.registry = self
            .registry
            .settled((began, came), leases, &rules.preservation());
        self.registry_notes = [cause; ROOM];
        let (list, version) = (self.listed(), self.registry.version());
        for caller in 0..=GATEWAY {
            let it = &mut self.callers[caller];
            (it.list, it.version, it.note, it.hurries) = (list, version, cause, false);
            it.made = now;
            self.next_fetch(caller, cx);
            if rules.lists > Time::ZERO {
                let age = rules.lists.since(self.callers[caller].fetch_at.since(now));
                self.callers[caller].made = Time(now.0.saturating_sub(age.0));
            }
        }
        self.judge(now);
    }

    /// What cells have turned, and which rows have come to agree with what is so.
    fn judge(&mut self, now: Time) {
        for row in 0..=ROWS {
            let list = self.row(row);
            let turned = list ^ self.cells[row];
            for i in (0..ROOM).filter(|i| turned & (1 << i) != 0) {
                self.turns[row][i] = now;
            }
            self.cells[row] = list;
        }
        let lists = self.lookers().map(|it| self.callers[it].list.count_ones());
        let shortest = lists.min().unwrap_or(0);
        self.tally.shortest = self.tally.shortest.min(shortest);
        let Some(column) = self.tally.column else {
            return;
        };
        let bit = 1 << column;
        let so = self.up() & bit;
        for row in self.rows() {
            if self.row(row) & bit == so && self.tally.turned[row].is_none() {
                self.tally.turned[row] = Some(now);
            }
        }
    }
}

/// A bit for each of these.
pub(super) fn bits(copies: impl Iterator<Item = usize>) -> u16 {
    copies.fold(0, |bits, i| bits | (1 << i))
}

/// Makes the system's members what the copies are.
pub(super) fn apply(system: &mut System, cx: Cx<'_, '_>) {
    let doors = std::mem::take(&mut super::world_mut(system).doors);
    for (copy, state) in doors {
        cx.because(super::world(system).copies[copy].note);
        let member = |system: &System| {
            let live = system.node(STOCK)?;
            let member = live.members.get(copy)?;
            Some((member.down.is_some(), member.own.rate))
        };
        let Some((down, rate)) = member(system) else {
            continue;
        };
        let door = match state {
            State::Absent => Door::Shut,
            State::Hung | State::Gone => Door::Dark,
            State::Up | State::Leaves | State::Killed => Door::Open,
        };
        system.set_door(STOCK, copy, door);
        match state {
            State::Hung => system.deed(Deed::Slow(STOCK, 0.0), copy, cx),
            State::Gone | State::Killed if !down => system.deed(Deed::Crash(STOCK), copy, cx),
            State::Up if down || rate < 1.0 => system.deed(Deed::Recover(STOCK), copy, cx),
            _ => {}
        }
    }
}
