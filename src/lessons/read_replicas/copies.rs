//! The copies: the primary's log, what each machine has of it, whose word answers a write, and who is primary.

use super::{DB, LONG, REPLAY, Seen};
use crate::kit::flow::{Key, Recently};
use crate::kit::system::Cx;
use crate::kit::system::{Draw, Event, Frame, Parcel, Reason, Seat, System, Values};
use algorithms::replication::{self, Appliers, CommitRule, Log, Position, Replica};
use engine::tape::NoteId;
use engine::{Arg, Note, PartId, Time, Tone};
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

/// A machine: what it has of the log.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// Of the primary, all.
    pub(super) replica: Replica,
    appliers: Appliers,
    /// What the primary has heard of it.
    known: Replica,
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
struct Waiting {
    position: Position,
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
    pub(super) log: Log,
    /// Of the last positions, the newest last.
    records: VecDeque<Record>,
    pub(super) machines: Vec<Machine>,
    pub(super) primary: usize,
    /// A promoted machine replays up to here before it takes writes.
    pub(super) catches_up: Option<Position>,
    waiting: VecDeque<Waiting>,
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
            log: Log::default(),
            records: VecDeque::new(),
            machines: Vec::new(),
            primary: 0,
            catches_up: None,
            waiting: VecDeque::new(),
            early: Vec::new(),
            missed: None,
            misses: 0,
            long_next: None,
            long: None,
            failover: None,
            cut: None,
        }
    }

    /// Writes that wait for their answer.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What was lost at the last failover, for as long as no new position stands in its place.
    pub(super) fn tail(&self) -> Option<&Failover> {
        let failover = self.failover.as_ref()?;
        let (after, last) = failover.tail;
        let visible = after < last && self.log.head() < last && self.primary != failover.old;
        visible.then_some(failover)
    }

    /// The position that a machine shows.
    pub(super) fn shown(&self, member: usize) -> Position {
        let machine = self.machines.get(member);
        machine.map_or(0, |machine| machine.replica.shown())
    }

    /// The longest part of the log that a machine has.
    pub(super) fn received(&self, member: usize) -> Position {
        let machine = self.machines.get(member);
        machine.map_or(0, |machine| machine.replica.received())
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
        Time(self.log.age(at.0, self.shown(member)))
    }

    /// A record that is remembered.
    pub(super) fn record(&self, position: Position) -> Option<&Record> {
        let back = self.log.head().checked_sub(position)?;
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
    if member != all.primary {
        let note = Note::new("fenced").with(Arg::Count(i64::from(number)));
        let note = note.with(Arg::Part(part(member))).about(part(member));
        system.say(note.dot(number), cx);
        return system.unpark(call, Some(Reason::Lost), cx);
    }
    if all.catches_up.is_some() {
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
    let position = all.log.append(now.0);
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
        all.log.forget(kept);
    }
    if let Some(note) = all.long_next.take() {
        all.long = Some((position, now, note));
    }
    let primary = all.primary;
    all.machines[primary].replica = Replica::known(position, position);
    let since = now;
    all.waiting.push_back(Waiting {
        position,
        call,
        since,
    });
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
    let waits = copies(system)
        .waiting
        .back()
        .is_some_and(|it| it.call == call);
    if waits && let Some(span) = rules.give_up {
        cx.schedule(span, Event::Timer(position as u32 * KINDS + GIVE_UP));
    }
}

/// Sends a replica all that the primary has.
fn feed(member: usize, system: &mut System, cx: Cx<'_, '_>) {
    let rules = system.own::<Seen>().rules;
    let all = copies(system);
    let (head, primary) = (all.log.head(), all.primary);
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
    let (primary, replica) = (all.primary, &all.machines[member].replica);
    let word = match rules.answered {
        _ if member == primary => return,
        Answered::Primary => return,
        Answered::OneReceived | Answered::AllReceived => (RECEIVED, replica.received()),
        Answered::AllReplayed => (SHOWN, replica.shown()),
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
    let value = parcel.value.min(all.log.head());
    if parcel.kind == RECORDS {
        let meant = from == all.primary && to != all.primary;
        if let Some(machine) = all.machines.get_mut(to).filter(|_| meant) {
            machine.replica.receive_up_to(value);
            apply(to, system, cx);
            if system.own::<Seen>().rules.answered != Answered::AllReplayed {
                tell(to, system, cx);
            }
        }
    } else if to == all.primary {
        if let Some(machine) = all.machines.get_mut(from) {
            let (received, shown) = match parcel.kind {
                RECEIVED => (value, machine.known.shown()),
                _ => (machine.known.received(), value),
            };
            machine.known = Replica::known(received, shown);
        }
        settle(system, cx);
    }
}

/// The primary answers all writes that it may.
fn settle(system: &mut System, cx: Cx<'_, '_>) {
    let rules = system.own::<Seen>().rules;
    let there: Vec<bool> = (0..copies(system).machines.len())
        .map(|member| stays(system, member))
        .collect();
    let all = copies(system);
    let others = all.machines.iter().zip(&there).enumerate();
    let known: Vec<Replica> = others
        .filter(|(member, (_, there))| *member != all.primary && **there)
        .map(|(_, (machine, _))| machine.known.clone())
        .collect();
    let rule = match rules.answered {
        Answered::Primary => CommitRule::Primary,
        Answered::OneReceived => CommitRule::Received(1),
        Answered::AllReceived => CommitRule::Received(known.len()),
        Answered::AllReplayed => CommitRule::Shown(known.len()),
    };
    let all = copies(system);
    let may = rule.answered(&known).unwrap_or(Position::MAX);
    let mut answered = Vec::new();
    all.waiting.retain(|it| {
        let waits = it.position > may;
        if !waits {
            answered.push(it.call);
        }
        waits
    });
    for call in answered {
        system.unpark(call, None, cx);
    }
}

/// Free appliers of a machine take the next records.
fn apply(member: usize, system: &mut System, cx: Cx<'_, '_>) {
    loop {
        let rules = system.own::<Seen>().rules;
        let all = copies(system);
        let replays = member != all.primary || all.catches_up.is_some();
        let Some(machine) = all.machines.get_mut(member).filter(|_| replays) else {
            return;
        };
        let Some(position) = machine.appliers.take(&machine.replica, rules.appliers) else {
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
    let Some(machine) = all.machines.get_mut(member) else {
        return;
    };
    let before = machine.replica.shown();
    machine.appliers.finish(position, &mut machine.replica);
    let shown = machine.replica.shown();
    if shown > before {
        let note = Note::new("replayed").with(Arg::Part(part(member)));
        let note = note.with(count(shown)).about(part(member));
        system.say(note.dot(job.number), cx);
    }
    apply(member, system, cx);
    let all = copies(system);
    if member != all.primary {
        if system.own::<Seen>().rules.answered == Answered::AllReplayed {
            tell(member, system, cx);
        }
    } else if all.catches_up.is_some_and(|up_to| shown >= up_to) {
        take_over(system, cx);
    }
}

/// A promoted machine has replayed all that it had received: it takes writes.
fn take_over(system: &mut System, cx: Cx<'_, '_>) {
    let all = copies(system);
    all.catches_up = None;
    let early = std::mem::take(&mut all.early);
    let primary = part(all.primary);
    let note = Note::new("takes-over").with(Arg::Part(primary));
    system.say(note.about(primary).mark(Tone::Ok), cx);
    for call in early {
        append(call, system, cx);
    }
}

/// A machine went down: what it was replaying begins anew.
pub(super) fn crashed(member: usize, system: &mut System) {
    let all = copies(system);
    if let Some(machine) = all.machines.get_mut(member) {
        machine.appliers.stop(&machine.replica);
    }
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
    let place = all.waiting.iter().position(|it| {
        let gives_up = rules
            .give_up
            .is_some_and(|span| now.since(it.since) >= span);
        gives_up && it.position == Position::from(value)
    });
    let Some(it) = place.and_then(|place| all.waiting.remove(place)) else {
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
    let old = copies(system).primary;
    let can = |system: &System, member| member != old && hears(system, member);
    let members: Vec<usize> = (0..copies(system).machines.len())
        .filter(|member| can(system, *member))
        .collect();
    let all = copies(system);
    let received: Vec<Position> = members
        .iter()
        .map(|member| all.machines[*member].replica.received())
        .collect();
    let Some(best) = replication::promote(&received) else {
        let number = all.misses * KINDS + MISSED;
        cx.schedule(LOOKS, Event::Timer(number));
        return;
    };
    promote(members[best], received[best], system, cx);
}

/// Makes a machine the primary of a log that ends at `head`.
fn promote(member: usize, head: Position, system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let all = copies(system);
    let (old, tail) = (all.primary, (head, all.log.head()));
    let gone = all.log.truncate(head);
    let unanswered = all.waiting.iter().filter(|it| it.position > head).count() as u64;
    let lost = gone - unanswered.min(gone);
    let keep = all.records.len().saturating_sub(gone as usize);
    all.records.truncate(keep);
    for machine in &mut all.machines {
        if machine.replica.received() > head {
            machine.replica.truncate(head);
            machine.appliers.stop(&machine.replica);
        }
        machine.known = Replica::known(0, 0);
        machine.fed = false;
    }
    all.primary = member;
    all.missed = None;
    all.catches_up = (all.shown(member) < head).then_some(head);
    all.failover = Some(Failover {
        at: now,
        lost,
        unanswered,
        old,
        tail,
    });
    let waited: Vec<Key> = all.waiting.drain(..).map(|it| it.call).collect();
    let waited: Vec<Key> = waited.into_iter().chain(all.early.drain(..)).collect();
    let seen = system.own_mut::<Seen>();
    seen.readers.truncate(head);
    let note = Note::new("promoted").with(Arg::Part(part(member)));
    let note = note.with(count(head)).with(count(lost));
    let tone = if lost > 0 { Tone::Bad } else { Tone::Warn };
    let promoted = system.say(note.about(part(member)).mark(tone), cx);
    cx.because(promoted);
    if gone > 0 {
        let note = Note::new("tail-gone")
            .with(count(lost))
            .with(count(unanswered));
        let note = note.with(Arg::Part(part(old))).about(TAIL);
        system.say(note, cx);
    }
    for call in waited {
        system.unpark(call, Some(Reason::Lost), cx);
    }
    apply(member, system, cx);
    if copies(system).catches_up.is_none() {
        take_over(system, cx);
    }
}

/// Machines come and go, feeds begin where they can, and the manager looks.
pub(super) fn follow(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let there = system.node(DB).map_or(0, |live| live.members.len());
    let all = copies(system);
    let head = all.log.head();
    while all.machines.len() < there {
        all.machines.push(Machine {
            replica: Replica::known(head, head),
            appliers: Appliers::default(),
            known: Replica::known(head, head),
            fed: false,
            took: Recently::new(now),
            told: Time::ZERO,
        });
    }
    all.machines.truncate(there);
    let primary = all.primary;
    if !stays(system, primary) {
        // One that is to go hands over all that it has.
        let heir = (0..there).find(|member| *member != primary && hears(system, *member));
        if let Some(heir) = heir {
            let all = copies(system);
            all.machines[heir].replica.receive_up_to(head);
            promote(heir, head, system, cx);
        }
    }
    let primary = copies(system).primary;
    let sends = hears(system, primary) && copies(system).catches_up.is_none();
    for member in 0..copies(system).machines.len() {
        let up = hears(system, member);
        let fed = sends && member != primary && up;
        let all = copies(system);
        let lacks = all.log.head() - all.machines[member].replica.shown();
        if member != primary && lacks >= KEPT && up {
            let head = all.log.head();
            let machine = &mut all.machines[member];
            machine.replica = Replica::known(head, head);
            machine.appliers.stop(&machine.replica);
            let note = Note::new("copied-anew").with(Arg::Part(part(member)));
            system.say(note.about(part(member)).mark(Tone::Warn), cx);
        }
        let all = copies(system);
        let begins = fed && !std::mem::replace(&mut all.machines[member].fed, fed);
        if begins {
            if all.machines[member].replica.received() < all.log.head() {
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
    let primary = copies(system).primary;
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
            let lacks = all.log.head() - all.shown(member);
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
