//! The copies: the primary's log, what each machine has of it, whose word answers a write, and who is primary.

use super::{DB, LONG, REPLAY, Seen};
use algorithms::replica_group::{Group, Promotion};
use algorithms::replication::{CommitRule, Position};
use engine::tape::NoteId;
use engine::{Arg, Note, PartId, Time, Tone};
use kit::flow::{Key, Recently};
use kit::system::Cx;
use kit::system::{Draw, Event, Frame, Parcel, Reason, Seat, System, Values};
use std::collections::VecDeque;

/// The log on the stage.
pub(super) const LOG: PartId = PartId::one("log");
/// How long writes take, and what a failover lost.
pub(super) const TAIL: PartId = PartId::one("writes");
/// Positions that the log remembers. A replica that lacks more is copied anew, as from a backup.
pub(super) const KEPT: u64 = 2_048;
/// Positions that a page's last change is looked for in.
const LOOKED_AT: u64 = 400;
/// A manager that finds nobody to promote looks again after so long.
const LOOKS: Time = Time::ms(500);
/// The lag that is worth a note, and then each time that it has doubled.
const BEHIND: Time = Time::s(1);
/// What a machine was busy with is told over this span.
pub(super) const LATELY: Time = Time::s(8);
/// Kinds of what a machine does.
pub(super) const READS: usize = 0;
pub(super) const WRITES: usize = 1;
/// Kinds of parcels: records of the log, and what a replica says of itself.
pub(super) const RECORDS: u8 = 0;
const RECEIVED: u8 = 1;
const SHOWN: u8 = 2;
/// Draws of how long a record is on its way, one for each machine.
const FEED: u64 = 300;
/// Timers: the number, and one of these.
const KINDS: u32 = 2;
const MISSED: u32 = 0;
const GIVE_UP: u32 = 1;

/// Where reads go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    Primary,
    Any,
    Same,
    Timer,
    Token,
}

/// When a write is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Primary,
    OneReceived,
    AllReceived,
    AllReplayed,
}

/// What the knobs say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rules {
    /// Requests a second, and the share of them that writes.
    pub(super) load: f64,
    pub(super) share: f64,
    pub(super) reads: Reads,
    pub(super) answered: Answered,
    pub(super) appliers: usize,
    pub(super) write: Time,
    feed: Time,
    exponential: bool,
    /// How many times as long the feed of the last machine takes.
    last: f64,
    pub(super) sticky: Time,
    pub(super) skip: Option<Time>,
    give_up: Option<Time>,
    manager: Time,
}

impl Rules {
    pub(super) fn of(knobs: &Values) -> Rules {
        let reads = [
            Reads::Primary,
            Reads::Any,
            Reads::Same,
            Reads::Timer,
            Reads::Token,
        ];
        let answered = [
            Answered::Primary,
            Answered::OneReceived,
            Answered::AllReceived,
            Answered::AllReplayed,
        ];
        let some = |id| Some(knobs.s(id)).filter(|span| *span > Time::ZERO);
        Rules {
            load: knobs.get("load"),
            share: knobs.get("writes") / 100.0,
            reads: reads[knobs.whole("reads") as usize],
            answered: answered[knobs.whole("answered") as usize],
            appliers: knobs.whole("appliers") as usize,
            write: knobs.ms("work"),
            feed: knobs.ms("feed"),
            exponential: knobs.whole("feeds") == 1,
            last: knobs.get("last"),
            sticky: knobs.s("sticky"),
            skip: some("skip"),
            give_up: some("give-up"),
            manager: knobs.s("manager"),
        }
    }
}

/// What is kept of a machine beside its part of the log.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// The primary streams to it.
    fed: bool,
    /// Reads, and writes and replays, that a worker took.
    pub(super) took: Recently<2>,
    /// The lag that was told last.
    told: Time,
}

/// A record of the log, beside its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// Whose page it changes.
    pub(super) page: u16,
    /// The request that wrote it.
    pub(super) number: u32,
    /// Of that request, for what chance decides on the way.
    dice: u64,
    /// What said that it was appended.
    note: NoteId,
}

/// A write that the primary has and has not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    call: Key,
    since: Time,
}

/// The last failover.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failover {
    pub(super) at: Time,
    /// Answered writes that nobody has any more, and unanswered ones.
    pub(super) lost: u64,
    pub(super) unanswered: u64,
    /// Who was primary, and the positions that it alone had: after the first, up to the second.
    pub(super) old: usize,
    pub(super) tail: (Position, Position),
}

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Copies {
    group: Group<Waiting>,
    /// Of the last positions, the newest last.
    records: VecDeque<Record>,
    pub(super) machines: Vec<Machine>,

    /// Writes that came to a promoted machine too early.
    early: Vec<Key>,
    /// Since when the manager misses the primary.
    missed: Option<Time>,
    misses: u32,
    /// The next write takes long to replay, as this note says; and the last one that does.
    pub(super) long_next: Option<NoteId>,
    pub(super) long: Option<(Position, Time, NoteId)>,
    pub(super) failover: Option<Failover>,
    /// When the primary was last cut off.
    pub(super) cut: Option<Time>,
}

impl Copies {
    pub(super) fn new() -> Copies {
        Copies {
            group: Group::default(),
            records: VecDeque::new(),
            machines: Vec::new(),

            early: Vec::new(),
            missed: None,
            misses: 0,
            long_next: None,
            long: None,
            failover: None,
            cut: None,
        }
    }

    /// The machines' parts of the log.
    pub(super) fn group(&self) -> &Group<Waiting> {
        &self.group
    }

    /// Which machine is the primary.
    pub(super) fn primary(&self) -> usize {
        self.group.primary()
    }

    /// What was lost at the last failover, for as long as no new position stands in its place.
    pub(super) fn tail(&self) -> Option<&Failover> {
        let failover = self.failover.as_ref()?;
        let (after, last) = failover.tail;
        let visible = after < last && self.group.head() < last && self.primary() != failover.old;
        visible.then_some(failover)
    }

    /// The position that a machine shows.
    pub(super) fn shown(&self, member: usize) -> Position {
        self.group.shown(member)
    }

    /// Why whoever shows no more than this is late: a long transaction, or the first record that is not shown.
    pub(super) fn cause(&self, shown: Position) -> NoteId {
        match self.long {
            Some((long, _, note)) if long > shown => note,
            _ => self
                .record(shown + 1)
                .map_or(NoteId::NONE, |record| record.note),
        }
    }

    /// How old what a machine shows is.
    pub(super) fn age(&self, member: usize, at: Time) -> Time {
        Time(self.group.age(member, at.0))
    }

    /// A record that is remembered.
    pub(super) fn record(&self, position: Position) -> Option<&Record> {
        let back = self.group.head().checked_sub(position)?;
        let place = self.records.len().checked_sub(1 + back as usize)?;
        self.records.get(place)
    }

    /// The newest position up to this one that changed a page, if that is not long ago.
    pub(super) fn version(&self, page: u16, shown: Position) -> Option<Position> {
        let oldest = shown.saturating_sub(LOOKED_AT);
        let mut positions = (oldest + 1..=shown).rev();
        positions.find(|it| self.record(*it).is_some_and(|record| record.page == page))
    }

    /// What a machine was busy with lately: the shares of its workers that read, and that wrote or replayed.
    pub(super) fn busy(
        &self,
        member: usize,
        work: [Time; 2],
        workers: usize,
        at: Time,
    ) -> [f64; 2] {
        let Some(machine) = self.machines.get(member) else {
            return [0.0; 2];
        };
        let share = |kind| {
            let per_s = machine.took.per_s(kind, LATELY, at);
            let work: Time = work[kind];
            (per_s * work.as_s() / workers as f64).min(1.0)
        };
        [share(READS), share(WRITES)]
    }
}

pub(super) fn seat(member: usize) -> Seat {
    Seat { node: DB, member }
}

pub(super) fn part(member: usize) -> PartId {
    PartId::nth("db", member as u16 + 1)
}

fn count(n: u64) -> Arg {
    Arg::Count(n as i64)
}

/// Whether a machine is up, stays, and hears the others.
pub(super) fn hears(system: &System, member: usize) -> bool {
    let live = system.node(DB);
    let it = live.and_then(|live| live.members.get(member));
    it.is_some_and(|it| it.down.is_none() && !it.leaving && !it.own.isolated)
}

/// Whether a machine is there and is to stay.
fn stays(system: &System, member: usize) -> bool {
    let live = system.node(DB);
    let it = live.and_then(|live| live.members.get(member));
    it.is_some_and(|it| !it.leaving)
}

fn copies(system: &mut System) -> &mut Copies {
    &mut system.own_mut::<Seen>().copies
}

/// A write is done at a machine, but for its answer.
pub(super) fn written(call: Key, system: &mut System, cx: Cx<'_, '_>) {
    let Some(frame) = system.frame(call) else {
        return;
    };
    let (number, member) = (frame.number, frame.at().1);
    let all = copies(system);
    if member != all.primary() {
        let note = Note::new("fenced").with(Arg::Count(i64::from(number)));
        let note = note.with(Arg::Part(part(member))).about(part(member));
        system.say(note.dot(number), cx);
        return system.unpark(call, Some(Reason::Lost), cx);
    }
    if all.group.catches_up().is_some() {
        return all.early.push(call);
    }
    append(call, system, cx);
}

/// The primary appends a write to its log and sends it on.
fn append(call: Key, system: &mut System, cx: Cx<'_, '_>) {
    let Some(frame) = system.frame(call) else {
        return;
    };
    let (number, draw, now) = (frame.number, frame.draw, cx.now());
    let all = copies(system);
    let since = now;
    let Ok(position) = all.group.append(now.0, Waiting { call, since }) else {
        return;
    };
    let page = draw.person;
    let note = NoteId::NONE;
    let dice = draw.dice;
    all.records.push_back(Record {
        page,
        number,
        dice,
        note,
    });
    if all.records.len() as u64 > KEPT {
        all.records.pop_front();
        let kept = position - KEPT;
        all.group.forget(kept);
    }
    if let Some(note) = all.long_next.take() {
        all.long = Some((position, now, note));
    }
    let primary = all.primary();
    let note = Note::new("appended").with(Arg::Count(i64::from(number)));
    let note = note.with(Arg::Part(part(primary))).with(count(position));
    let note = system.say(note.about(part(primary)).dot(number), cx);
    if let Some(record) = copies(system).records.back_mut() {
        record.note = note;
    }
    system.own_mut::<Seen>().readers.appended(number, position);
    for member in 0..copies(system).machines.len() {
        if member != primary && copies(system).machines[member].fed {
            feed(member, system, cx);
        }
    }
    settle(system, cx);
    let rules = system.own::<Seen>().rules;
    let mut waiting = copies(system).group.waiting();
    let waits = waiting.any(|it| it.0 == position);
    if waits && let Some(span) = rules.give_up {
        cx.schedule(span, Event::Timer(position as u32 * KINDS + GIVE_UP));
    }
}

/// Sends a replica all that the primary has.
fn feed(member: usize, system: &mut System, cx: Cx<'_, '_>) {
    let rules = system.own::<Seen>().rules;
    let all = copies(system);
    let (head, primary) = (all.group.head(), all.primary());
    let last = all.machines.len() - 1;
    let record = all.record(head).copied();
    let factor = match record {
        Some(record) if rules.exponential => {
            let draw = Draw {
                dice: record.dice,
                ..Draw::default()
            };
            -libm::log(draw.unit(FEED + member as u64))
        }
        _ => 1.0,
    };
    let slow = if member == last { rules.last } else { 1.0 };
    let travel = Time((rules.feed.0 as f64 * factor * slow) as u64);
    let number = record.map_or(0, |record| record.number);
    let ends = [seat(primary), seat(member)];
    system.post(ends, (RECORDS, head), number, travel, cx);
}

/// A replica tells the primary what it has, if the primary wants to know.
fn tell(member: usize, system: &mut System, cx: Cx<'_, '_>) {
    let rules = system.own::<Seen>().rules;
    let all = copies(system);
    let primary = all.primary();
    let (received, shown) = (all.group.received(member), all.shown(member));
    let word = match rules.answered {
        _ if member == primary => return,
        Answered::Primary => return,
        Answered::OneReceived | Answered::AllReceived => (RECEIVED, received),
        Answered::AllReplayed => (SHOWN, shown),
    };
    let number = all.record(word.1).map_or(0, |record| record.number);
    let slow = if member + 1 == all.machines.len() {
        rules.last
    } else {
        1.0
    };
    let travel = Time((rules.feed.0 as f64 * slow) as u64);
    system.post([seat(member), seat(primary)], word, number, travel, cx);
}

/// What was posted has arrived.
pub(super) fn arrived(parcel: &Parcel, system: &mut System, cx: Cx<'_, '_>) {
    let all = copies(system);
    let (from, to) = (parcel.from.member, parcel.to.member);
    if parcel.kind == RECORDS {
        if from == all.primary() && to != from {
            all.group.receive(to, parcel.value);
            apply(to, system, cx);
            if system.own::<Seen>().rules.answered != Answered::AllReplayed {
                tell(to, system, cx);
            }
        }
    } else if to == all.primary() {
        let shown = if parcel.kind == SHOWN {
            parcel.value
        } else {
            0
        };
        all.group.acknowledge(from, parcel.value, shown);
        settle(system, cx);
    }
}

/// The primary answers all writes that it may.
fn settle(system: &mut System, cx: Cx<'_, '_>) {
    let rules = system.own::<Seen>().rules;
    let there: Vec<bool> = (0..copies(system).machines.len())
        .map(|member| stays(system, member))
        .collect();
    let rule = |replicas| match rules.answered {
        Answered::Primary => CommitRule::Primary,
        Answered::OneReceived => CommitRule::Received(1),
        Answered::AllReceived => CommitRule::Received(replicas),
        Answered::AllReplayed => CommitRule::Shown(replicas),
    };
    let answered = copies(system).group.answer(|member| there[member], rule);
    for it in answered {
        system.unpark(it.call, None, cx);
    }
}

/// Free appliers of a machine take the next records.
fn apply(member: usize, system: &mut System, cx: Cx<'_, '_>) {
    loop {
        let rules = system.own::<Seen>().rules;
        let all = copies(system);
        let Some(position) = all.group.take(member, rules.appliers) else {
            return;
        };
        let long = all.long.is_some_and(|(long, ..)| long == position);
        let record = all.record(position);
        let number = record.map_or(0, |record| record.number);
        let draw = Draw {
            class: if long { LONG } else { REPLAY },
            key: position as u32,
            ..Draw::default()
        };
        if system.begin_job(seat(member), draw, number, cx).is_none() {
            return;
        }
    }
}

/// A machine has replayed a record.
pub(super) fn replayed(job: &Frame, system: &mut System, cx: Cx<'_, '_>) {
    let (member, position) = (job.at().1, Position::from(job.draw.key));
    let all = copies(system);
    let more = all.group.replayed(member, position);
    let shown = all.shown(member);
    if more {
        let note = Note::new("replayed").with(Arg::Part(part(member)));
        let note = note.with(count(shown)).about(part(member));
        system.say(note.dot(job.number), cx);
    }
    apply(member, system, cx);
    let all = copies(system);
    if member != all.primary() {
        if system.own::<Seen>().rules.answered == Answered::AllReplayed {
            tell(member, system, cx);
        }
    } else if all.group.takes_over() {
        take_over(system, cx);
    }
}

/// A promoted machine has replayed all that it had received: it takes writes.
fn take_over(system: &mut System, cx: Cx<'_, '_>) {
    let all = copies(system);
    let early = std::mem::take(&mut all.early);
    let primary = part(all.primary());
    let note = Note::new("takes-over").with(Arg::Part(primary));
    system.say(note.about(primary).mark(Tone::Ok), cx);
    for call in early {
        append(call, system, cx);
    }
}

/// A machine went down: what it was replaying begins anew.
pub(super) fn crashed(member: usize, system: &mut System) {
    copies(system).group.crash(member);
}

/// A timer rings.
pub(super) fn timer(number: u32, system: &mut System, cx: Cx<'_, '_>) {
    let rules = system.own::<Seen>().rules;
    let all = copies(system);
    let value = number / KINDS;
    if number % KINDS == MISSED {
        if all.missed.is_some() && all.misses == value {
            fail_over(system, cx);
        }
        return;
    }
    let now = cx.now();
    let gives_up = |it: &Waiting| {
        let span = rules.give_up;
        span.is_some_and(|span| now.since(it.since) >= span)
    };
    let position = Position::from(value);
    let due = all
        .group
        .waiting()
        .any(|(at, it)| *at == position && gives_up(it));
    let Some(it) = due.then(|| all.group.give_up(position)).flatten() else {
        return;
    };
    let request = system.frame(it.call).map_or(0, |frame| frame.number);
    let note = Note::new("answered-anyway").with(Arg::Count(i64::from(request)));
    let note = note.with(Arg::Span(now.since(it.since)));
    system.say(note.dot(request), cx);
    system.unpark(it.call, None, cx);
}

/// The manager promotes the replica that has received most.
fn fail_over(system: &mut System, cx: Cx<'_, '_>) {
    let all = copies(system);
    let (there, number) = (all.group.len(), all.misses * KINDS + MISSED);
    let can: Vec<bool> = (0..there).map(|member| hears(system, member)).collect();
    match copies(system).group.candidate(|member| can[member]) {
        Some(best) => {
            let done = copies(system).group.promote(best);
            promoted(best, done, system, cx);
        }
        None => cx.schedule(LOOKS, Event::Timer(number)),
    }
}

/// A machine has become the primary: what is beyond its log is gone, and who waits for an answer hears so.
fn promoted(member: usize, done: Promotion<Waiting>, system: &mut System, cx: Cx<'_, '_>) {
    let (head, lost, unanswered) = (done.head, done.lost, done.unanswered);
    let gone = (done.tail - head) as usize;
    let all = copies(system);
    let keep = all.records.len().saturating_sub(gone);
    all.records.truncate(keep);
    for machine in &mut all.machines {
        machine.fed = false;
    }
    all.missed = None;
    all.failover = Some(Failover {
        at: cx.now(),
        lost,
        unanswered,
        old: done.old,
        tail: (head, done.tail),
    });
    let early = std::mem::take(&mut all.early);
    system.own_mut::<Seen>().readers.truncate(head);
    let note = Note::new("promoted").with(Arg::Part(part(member)));
    let note = note.with(count(head)).with(count(lost));
    let tone = if lost > 0 { Tone::Bad } else { Tone::Warn };
    let promoted = system.say(note.about(part(member)).mark(tone), cx);
    cx.because(promoted);
    if gone > 0 {
        let note = Note::new("tail-gone").with(count(lost));
        let note = note.with(count(unanswered)).with(Arg::Part(part(done.old)));
        system.say(note.about(TAIL), cx);
    }
    let waited = done.waited.into_iter().map(|it| it.call);
    for call in waited.chain(early) {
        system.unpark(call, Some(Reason::Lost), cx);
    }
    apply(member, system, cx);
    if copies(system).group.catches_up().is_none() {
        take_over(system, cx);
    }
}

/// Machines come and go, feeds begin where they can, and the manager looks.
pub(super) fn follow(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let there = system.node(DB).map_or(0, |live| live.members.len());
    let all = copies(system);
    all.group.resize(there);
    let new = || Machine {
        fed: false,
        took: Recently::new(now),
        told: Time::ZERO,
    };
    all.machines.resize_with(there, new);
    let primary = all.primary();
    if !stays(system, primary) {
        // One that is to go hands over all that it has.
        let heir = (0..there).find(|member| *member != primary && hears(system, *member));
        if let Some(heir) = heir {
            let done = copies(system).group.hand_over(heir);
            promoted(heir, done, system, cx);
        }
    }
    let primary = copies(system).primary();
    let sends = hears(system, primary) && copies(system).group.catches_up().is_none();
    for member in 0..copies(system).machines.len() {
        let up = hears(system, member);
        let fed = sends && member != primary && up;
        let all = copies(system);
        let lacks = all.group.head() - all.shown(member);
        if member != primary && lacks >= KEPT && up {
            all.group.copy_anew(member);
            let note = Note::new("copied-anew").with(Arg::Part(part(member)));
            system.say(note.about(part(member)).mark(Tone::Warn), cx);
        }
        let all = copies(system);
        let begins = fed && !std::mem::replace(&mut all.machines[member].fed, fed);
        if begins {
            if all.group.received(member) < all.group.head() {
                feed(member, system, cx);
            }
            tell(member, system, cx);
        }
        // Whoever was down goes on with what it has, whether anybody feeds it or not.
        if up {
            apply(member, system, cx);
        }
    }
    manage(system, cx);
    late(system, cx);
}

/// The rules have changed: what was waited for may be there, and more may replay.
pub(super) fn renew(system: &mut System, cx: Cx<'_, '_>) {
    for member in 0..copies(system).machines.len() {
        if hears(system, member) {
            apply(member, system, cx);
            tell(member, system, cx);
        }
    }
    settle(system, cx);
}

/// The manager misses the primary, or sees it again.
fn manage(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let rules = system.own::<Seen>().rules;
    let primary = copies(system).primary();
    let well = hears(system, primary);
    let all = copies(system);
    if well {
        all.missed = None;
    } else if all.missed.is_none() {
        all.missed = Some(now);
        all.misses += 1;
        let number = all.misses * KINDS + MISSED;
        let note = Note::new("missed").with(Arg::Part(part(primary)));
        let note = note.with(Arg::Span(rules.manager)).about(part(primary));
        let note = system.say(note.mark(Tone::Warn), cx);
        cx.because(note);
        cx.schedule(rules.manager, Event::Timer(number));
    }
}

/// Says that a machine is far behind, each time that its lag has doubled.
fn late(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    for member in 0..copies(system).machines.len() {
        let all = copies(system);
        let age = all.age(member, now);
        let machine = &mut all.machines[member];
        if age < BEHIND {
            machine.told = Time::ZERO;
        } else if age >= BEHIND.max(Time(machine.told.0 * 2)) {
            machine.told = age;
            let lacks = all.group.head() - all.shown(member);
            let before = cx.cause();
            cx.because(all.cause(all.shown(member)));
            let note = Note::new("behind").with(Arg::Part(part(member)));
            let note = note.with(Arg::Span(Time(age.0 / 100_000 * 100_000)));
            let note = note.with(count(lacks)).about(LOG);
            system.say(note.mark(Tone::Warn), cx);
            cx.because(before);
        }
    }
}
