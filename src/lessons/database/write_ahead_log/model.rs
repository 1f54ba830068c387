//! The system: writers, a table in memory, and the log that it can be rebuilt from.

use super::probe;
use super::settings::{KEYS, Logs, Settings, Snapshot, Sync};
use algorithms::wal::{Kind, Policy, Record, Stop, Wal};
use algorithms::zipf::Zipf;
use engine::random::below;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone, Typed};
use kit::flow::{Balance, Holds, Key, Leg, Recently, Slab, Source};
use std::collections::VecDeque;
use std::ops::Range;

pub(super) const CLIENTS: PartId = PartId::one("clients");
pub(super) const LINK: PartId = PartId::one("link");
pub(super) const MEMORY: PartId = PartId::one("memory");
pub(super) const CACHE: PartId = PartId::one("cache");
pub(super) const SYNC: PartId = PartId::one("sync");
pub(super) const DISK: PartId = PartId::one("disk");
pub(super) const PROMISES: PartId = PartId::one("promises");

/// One way between a writer and the store, stretched so that it can be seen.
pub(super) const HOP: Time = Time::ms(60);
/// The background's rhythm.
const SECOND: Time = Time::s(1);
/// What the disk has room for, bytes.
const ROOM: usize = 128 << 10;
/// A log is rewritten once it has doubled, and has so many records.
pub(super) const SMALL: usize = 40;
/// A sync to be torn begins no earlier than this.
const TEARS_AFTER: Time = Time::ms(400);
/// The largest value that a learner may type.
const OWN_MAX: i64 = 9_999;
/// A plug that is pulled before the second is over leaves at least so much of one.
const HALF: Time = Time::ms(500);

const WRITERS: Stream = Stream::named("writes");
pub(super) const FAULTS: Stream = Stream::named("faults");
const REPLAYS: Stream = Stream::named("replay");

/// What a write asks for; its value, where it sets one, is random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Set(i64),
    /// What a learner typed, which no replay makes anything else of.
    Own(i64),
    Add,
    Delete,
}

impl Op {
    /// What it makes of a value.
    pub(super) fn on(self, value: Option<i64>) -> Option<i64> {
        match self {
            Op::Set(value) | Op::Own(value) => Some(value),
            Op::Add => Some(value.unwrap_or(0) + 1),
            Op::Delete => None,
        }
    }
}

/// Where a write is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Asks(Leg<()>),
    /// The store is at another one's sync.
    Queues,
    /// In memory and in the log; it is answered when this record is on the disk.
    Waits,
    /// Told ok, or that it failed.
    Hears(Leg<()>, bool),
}

#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) number: u32,
    pub(super) key: usize,
    pub(super) op: Op,
    pub(super) place: Place,
    pub(super) cause: NoteId,
}

/// How a store stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The power goes.
    Plug,
    /// The process dies.
    Kill,
    /// It stops by itself because what the cache says is worth nothing any more.
    Stop,
}

/// A record of the log, as the audience knows it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) sequence: u64,
    pub(super) number: u32,
    pub(super) key: usize,
    pub(super) kind: Kind,
    pub(super) op: Op,
    /// What the key was worth after it when it was written.
    pub(super) value: Option<i64>,
    /// Its writer has been told ok.
    pub(super) answered: bool,
    /// An honest disk has said that it has it.
    pub(super) kept: bool,
    pub(super) bytes: Range<usize>,
    pub(super) at: Time,
    pub(super) cause: NoteId,
}

/// What the store does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    Up,
    /// Since then; whether the power is off too.
    Dark {
        since: Time,
        power: bool,
    },
    /// It has read so many records.
    Reads {
        since: Time,
        read: usize,
    },
    /// It has found one that it cannot trust.
    Cuts {
        since: Time,
    },
}

/// A sync under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syncing {
    /// The snapshot's file is synced, else the log.
    pub(super) fresh: bool,
    pub(super) upto: usize,
    pub(super) from: Time,
    pub(super) to: Time,
}

/// A snapshot that is written: it holds what had been done when this record was the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rewriting {
    pub(super) sequence: u64,
    pub(super) unlogged: u32,
    pub(super) since: Time,
    pub(super) ready: bool,
    pub(super) cause: NoteId,
}

/// How the last crash went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Crash {
    pub(super) power: bool,
    /// Answered writes before it, and how many of them are gone.
    pub(super) answered: u32,
    pub(super) lost: u32,
    /// Records read, and why no more.
    pub(super) read: usize,
    pub(super) stop: Option<Stop>,
    /// So many were on the disk behind the first that could not be trusted, that one included.
    pub(super) untrusted: usize,
    /// How long the reading took.
    pub(super) took: Option<Time>,
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next write, if the source's turn is still this one.
    Arrive(u32),
    /// A write is at the end of its way.
    Due(Key),
    /// A second is over.
    Second,
    /// The sync of this number is over; its snapshot is renamed.
    Synced(u32),
    Renamed(u32),
    /// The disk has written what it said it had of this file.
    Drained(u32, usize),
    /// A snapshot's file is written.
    Written(u32),
    /// The store starts, reads on, or is up, in this life.
    Boots(u32),
    Reads(u32),
    Opens(u32),
    /// The power is to go: now, or when half a record is on the disk.
    Plug(u32),
    Tear(u32),
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) writes: Slab<Write>,
    pub(super) gone: u64,
    pub(super) source: Source,
    pub(super) zipf: Zipf,
    pub(super) queue: VecDeque<Key>,
    /// Who waits for a sync, with the record that it must reach.
    pub(super) waiting: VecDeque<(u64, Key)>,
    pub(super) table: [Option<i64>; KEYS],
    /// What the table would be if each record had the value that it had.
    pub(super) truth: [Option<i64>; KEYS],
    pub(super) changed: [Time; KEYS],
    pub(super) wal: Wal,
    pub(super) entries: VecDeque<Entry>,
    /// What the last power cut took from above the disk, and what on the disk is not trusted.
    pub(super) ghosts: Vec<Entry>,
    pub(super) tail: Vec<Entry>,
    pub(super) sequence: u64,
    pub(super) phase: Phase,
    pub(super) syncing: Option<Syncing>,
    pub(super) syncs: u32,
    pub(super) rewriting: Option<Rewriting>,
    pub(super) wants_snapshot: bool,
    /// Records of the log when it was last rewritten, and how often that was.
    pub(super) base: usize,
    pub(super) rewrites: u32,
    /// When that was last, and how many records it made of how many.
    pub(super) shrunk: Option<(Time, usize, usize)>,
    /// Which life of the process it is, and which file: events of an earlier one are stale.
    pub(super) life: u32,
    pub(super) file: u32,
    pub(super) plugs: u32,
    pub(super) fails: Option<NoteId>,
    pub(super) tears: Option<(Time, NoteId)>,
    pub(super) torn: bool,
    /// Where the disk has something else than was written.
    pub(super) holes: u32,
    pub(super) rotten: Option<u64>,
    pub(super) answered: u32,
    pub(super) refused: u32,
    pub(super) lost: u32,
    pub(super) done: u32,
    /// Answered without a record, and answered with a value in a snapshot.
    pub(super) unlogged: u32,
    pub(super) folded: u32,
    pub(super) came_back: u32,
    /// What [`Store::at_risk`] says, kept so that it need not be counted at each event.
    pub(super) risk: u32,
    pub(super) crash: Option<Crash>,
    pub(super) plugged: Option<Crash>,
    pub(super) killed: Option<Crash>,
    pub(super) rate: Recently<1>,
    /// For challenges: fast at 20 ms a sync, and a plug after that which lost nothing; restarts; values nobody wrote.
    pub(super) fast: Holds,
    pub(super) fast_and_safe: bool,
    pub(super) soon: bool,
    pub(super) betrayed: u32,
    pub(super) wrong: usize,
    pub(super) begun: Time,
    pub(super) fault: Option<&'static str>,
    pub(super) knobs: Settings,
    pub(super) now: Time,
    pub(super) why: NoteId,
}

pub(super) type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

impl Store {
    fn next(&mut self, cx: Cx<'_, '_>) {
        let per_s = f64::from(self.knobs.writes);
        let gap = Source::poisson(per_s, cx.random(WRITERS));
        let turn = self.source.next(per_s, gap, cx.now());
        cx.schedule(gap, Event::Arrive(turn));
    }

    /// A write sets out. All that is random about it is drawn here, so that twins meet the same.
    fn arrive(&mut self, cx: Cx<'_, '_>) {
        let rng = cx.random(WRITERS);
        let key = self.zipf.sample(rng);
        let op = match below(rng, 10) {
            0 => Op::Delete,
            1 | 2 => Op::Add,
            _ => Op::Set(0),
        };
        let value = 100 + below(rng, 900) as i64;
        let op = if let Op::Set(_) = op {
            Op::Set(value)
        } else {
            op
        };
        cx.because(NoteId::NONE);
        self.set_out(Note::new("asks"), key, op, cx);
    }

    /// A write sets out, and this says so.
    fn set_out(&mut self, note: Note, key: usize, op: Op, cx: Cx<'_, '_>) {
        let number = self.writes.born() + 1;
        let note = note.with(count(number)).with(count(key + 1));
        let cause = cx.say(note.about(CLIENTS).dot(number));
        let key = self.writes.insert(Write {
            number,
            key,
            op,
            place: Place::Asks(Leg::new((), cx.now(), HOP, false)),
            cause,
        });
        cx.schedule(HOP, Event::Due(key));
    }

    fn due(&mut self, key: Key, cx: Cx<'_, '_>) {
        match self.writes.get(key).map(|write| write.place) {
            Some(Place::Asks(_)) if self.phase != Phase::Up => self.fail(key, "refused", cx),
            Some(Place::Asks(_)) if self.is_full() => self.fail(key, "disk-full", cx),
            Some(Place::Asks(_)) => {
                self.put(key, Place::Queues);
                self.queue.push_back(key);
                self.admit(cx);
                if self.queue.contains(&key) {
                    let note = self.note(key, "queues");
                    cx.say(note.with(count(self.queue.len())).about(CLIENTS));
                }
            }
            Some(Place::Hears(..)) => {
                self.writes.remove(key);
                self.gone += 1;
            }
            _ => {}
        }
    }

    fn is_full(&self) -> bool {
        self.knobs.sync != Sync::NoLog && self.wal.file.written() + 64 > ROOM
    }

    fn put(&mut self, key: Key, place: Place) {
        if let Some(write) = self.writes.get_mut(key) {
            write.place = place;
        }
    }

    /// A note about a write.
    fn note(&self, key: Key, word: &'static str) -> Note {
        let number = self.writes.get(key).map_or(0, |write| write.number);
        Note::new(word).with(count(number)).dot(number)
    }

    fn answer_leg(&mut self, key: Key, ok: bool, cx: Cx<'_, '_>) {
        let leg = Leg::new((), cx.now(), HOP, true);
        self.put(key, Place::Hears(leg, ok));
        cx.schedule(HOP, Event::Due(key));
    }

    /// A writer gets no ok.
    pub(super) fn fail(&mut self, key: Key, word: &'static str, cx: Cx<'_, '_>) {
        if word != "disk-full" {
            cx.because(self.why);
        }
        let note = self.note(key, word).about(CLIENTS);
        cx.say(note);
        self.refused += 1;
        cx.sample(probe::REFUSED, 1.0);
        self.answer_leg(key, false, cx);
    }

    /// A writer is told ok; `sequence` is its record's number, if it has one.
    pub(super) fn answer(&mut self, key: Key, sequence: Option<u64>, cx: Cx<'_, '_>) {
        let trusted = self.wal.file.trusted();
        let entry = sequence.and_then(|sequence| self.entry_mut(sequence));
        let above = match (entry, sequence) {
            (Some(entry), _) => {
                entry.answered = true;
                entry.bytes.end > trusted
            }
            (None, Some(_)) => {
                self.folded += 1;
                false
            }
            (None, None) => {
                self.unlogged += 1;
                true
            }
        };
        self.risk += u32::from(above);
        self.answered += 1;
        self.rate.add(0, cx.now());
        cx.sample(probe::ANSWERED, 1.0);
        let note = self.note(key, "answered").about(CLIENTS);
        cx.say(note);
        self.answer_leg(key, true, cx);
    }

    fn entry_mut(&mut self, sequence: u64) -> Option<&mut Entry> {
        let entries = self.entries.iter_mut().rev();
        let mut entries = entries.take_while(|entry| entry.kind != Kind::Base);
        entries.find(|entry| entry.sequence == sequence)
    }

    /// Writes whose turn it is go into memory and into the log.
    pub(super) fn admit(&mut self, cx: Cx<'_, '_>) {
        while self.phase == Phase::Up {
            let policy = self.knobs.sync.policy();
            if policy.is_some_and(|policy| !policy.admits(self.syncing.is_some())) {
                return;
            }
            let Some(key) = self.queue.pop_front() else {
                return;
            };
            let sequence = self.execute(key, cx);
            if policy.is_none_or(Policy::answers_first) {
                self.answer(key, sequence, cx);
            } else if let Some(sequence) = sequence {
                self.put(key, Place::Waits);
                self.waiting.push_back((sequence, key));
            }
            self.sync(false, cx);
        }
    }

    /// Does a write in memory and logs it; the record's number, if there is a log.
    fn execute(&mut self, key: Key, cx: Cx<'_, '_>) -> Option<u64> {
        let write = self.writes.get(key)?.clone();
        cx.because(write.cause);
        let place = write.key;
        let value = write.op.on(self.table[place]);
        (self.table[place], self.truth[place]) = (value, value);
        self.changed[place] = cx.now();
        if self.wrong > 0 {
            self.compare();
        }
        self.done += 1;
        let note = match value {
            Some(value) => self
                .note(key, "sets")
                .with(count(place + 1))
                .with(count(value)),
            None => self.note(key, "deletes").with(count(place + 1)),
        };
        cx.say(note.about(MEMORY));
        if self.knobs.sync == Sync::NoLog {
            return None;
        }
        self.sequence += 1;
        let (kind, text) = match (self.knobs.logs, write.op, value) {
            (Logs::Statement, Op::Set(_), _) => (Kind::Statement, "random".to_owned()),
            (Logs::Statement, Op::Add, _) => (Kind::Statement, "add".to_owned()),
            (_, _, Some(value)) => (Kind::Put, value.to_string()),
            (_, _, None) => (Kind::Delete, String::new()),
        };
        let bytes = self.wal.append(&Record {
            sequence: self.sequence,
            transaction: 0,
            kind,
            key: vec![place as u8],
            value: text.into_bytes(),
        });
        let note = Note::new("appended").with(count(self.sequence));
        let cause = cx.say(
            note.with(count(write.number))
                .about(CACHE)
                .dot(write.number),
        );
        if let Some(write) = self.writes.get_mut(key) {
            write.cause = cause;
        }
        self.entries.push_back(Entry {
            sequence: self.sequence,
            number: write.number,
            key: place,
            kind,
            op: write.op,
            value,
            answered: false,
            kept: false,
            bytes,
            at: cx.now(),
            cause,
        });
        let doubled = self.entries.len() >= SMALL.max(2 * self.base);
        if doubled && self.knobs.snapshot == Snapshot::Doubled {
            self.snapshot(cx);
        }
        Some(self.sequence)
    }

    /// How long a restart would read, at the speed that is set.
    pub(super) fn restart(&self) -> Time {
        Time(self.knobs.reading().0 * self.entries.len() as u64)
    }

    /// Answers a second, lately.
    pub(super) fn answers_per_s(&self) -> f64 {
        self.rate.per_s(0, SECOND, self.now)
    }

    /// When the background syncs next.
    pub(super) fn next_second(&self, at: Time) -> Time {
        Time(SECOND.0 - at.0 % SECOND.0)
    }

    /// Everything anew: each key has a value, and a snapshot of them is all there is.
    fn begin(&mut self, cause: NoteId, cx: Cx<'_, '_>) {
        self.queue.clear();
        self.waiting.clear();
        // Answers to writes of the store that was are nobody's any more.
        let old: Vec<Key> = self.writes.iter().map(|(key, _)| key).collect();
        for key in old {
            self.gone += u64::from(self.writes.forget(key));
        }
        self.fill();
        self.wal = Wal::default();
        self.entries.clear();
        (self.answered, self.refused, self.lost, self.done) = (0, 0, 0, 0);
        (self.unlogged, self.folded, self.came_back) = (0, 0, 0);
        self.ghosts.clear();
        self.tail.clear();
        (self.crash, self.fails, self.tears) = (None, None, None);
        (self.torn, self.wants_snapshot, self.wrong) = (false, false, 0);
        (self.rewrites, self.shrunk) = (0, None);
        self.rate.restart(cx.now());
        self.fast = Holds::default();
        self.log_begins(cause, cx.now());
        self.plugs += 1;
        (self.phase, self.begun, self.why) = (Phase::Up, cx.now(), cause);
        for part in [CACHE, DISK, MEMORY, CLIENTS] {
            cx.because(cause);
            cx.say(Note::new("as-new").with(Arg::Part(part)).about(part));
        }
    }

    /// Each key has its hundred.
    fn fill(&mut self) {
        self.table = std::array::from_fn(|key| {
            (key < self.knobs.keys as usize).then_some(100 * (key as i64 % 9 + 1))
        });
        self.truth = self.table;
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        self.now = now;
        cx.sample(probe::RISK, f64::from(self.risk));
        cx.sample(probe::ANSWERS, self.knobs.answers_per_s());
        let risk = self.knobs.risk().unwrap_or(f64::from(self.risk));
        cx.sample(probe::MEAN_RISK, risk);
        cx.sample(probe::LENGTH, self.entries.len() as f64);
        cx.sample(probe::RESTART, self.restart().as_s());
        let fast = self.knobs.fsync >= 20.0 && self.answers_per_s() >= 190.0;
        self.fast.set(fast && self.phase == Phase::Up, now);
    }

    /// The store is up again.
    pub(super) fn opens(&mut self, cx: Cx<'_, '_>) {
        self.phase = Phase::Up;
        if self.wants_snapshot {
            self.snapshot(cx);
        }
        self.go_on(cx);
    }
}

impl Model for Store {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Store {
        let mut store = Store {
            writes: Slab::default(),
            gone: 0,
            source: Source::default(),
            zipf: Zipf::new(knobs.keys as usize, knobs.skew),
            queue: VecDeque::new(),
            waiting: VecDeque::new(),
            table: [None; KEYS],
            truth: [None; KEYS],
            changed: [Time::ZERO; KEYS],
            wal: Wal::default(),
            entries: VecDeque::new(),
            ghosts: Vec::new(),
            tail: Vec::new(),
            sequence: 0,
            phase: Phase::Up,
            syncing: None,
            syncs: 0,
            rewriting: None,
            wants_snapshot: false,
            base: 0,
            rewrites: 0,
            shrunk: None,
            life: 0,
            file: 0,
            plugs: 0,
            fails: None,
            tears: None,
            torn: false,
            holes: 0,
            rotten: None,
            answered: 0,
            refused: 0,
            lost: 0,
            done: 0,
            unlogged: 0,
            folded: 0,
            came_back: 0,
            risk: 0,
            crash: None,
            plugged: None,
            killed: None,
            rate: Recently::new(cx.now()),
            fast: Holds::default(),
            fast_and_safe: false,
            soon: false,
            betrayed: 0,
            wrong: 0,
            begun: Time::ZERO,
            fault: None,
            knobs: knobs.clone(),
            now: cx.now(),
            why: NoteId::NONE,
        };
        store.fill();
        store.log_begins(NoteId::NONE, cx.now());
        cx.schedule(SECOND, Event::Second);
        store.next(cx);
        store
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        let light = matches!(event, Event::Arrive(_) | Event::Due(_));
        match event {
            Event::Arrive(turn) if self.source.is_due(turn) => {
                self.arrive(cx);
                self.next(cx);
            }
            Event::Due(key) => self.due(key, cx),
            Event::Second => {
                cx.schedule(SECOND, Event::Second);
                let patience = Time::s(u64::from(self.knobs.flush));
                let synced = self.wal.file.synced();
                let mut entries = self.entries.iter();
                let oldest = entries.find(|entry| entry.bytes.end > synced);
                let old = oldest.is_some_and(|entry| cx.now().since(entry.at) >= patience);
                let on = self.phase == Phase::Up && self.knobs.sync == Sync::EachSecond;
                self.sync(on || old, cx);
            }
            Event::Synced(sync) if sync == self.syncs => self.synced(cx),
            Event::Renamed(sync) if sync == self.syncs => self.renamed(cx),
            Event::Drained(file, upto) if file == self.file => self.wal.file.keep(upto),
            Event::Written(life) if life == self.life => {
                if let Some(rewriting) = &mut self.rewriting {
                    rewriting.ready = true;
                }
                self.sync(false, cx);
            }
            Event::Boots(life) if life == self.life => self.boots(cx),
            Event::Reads(life) if life == self.life => self.reads(cx),
            Event::Opens(life) if life == self.life => self.is_up(cx),
            Event::Plug(plug) if plug == self.plugs => self.pull(cx.cause(), cx),
            Event::Tear(sync) if sync == self.syncs => self.tear(cx),
            Event::Tear(0) if self.syncing.is_some_and(|sync| !sync.fresh) => self.tear(cx),
            Event::Tear(0) if self.tears.is_some() => self.sync(true, cx),
            _ => {}
        }
        if !light {
            self.risk = self.at_risk();
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let old = std::mem::replace(&mut self.knobs, knobs.clone());
        if (old.keys, old.skew) != (knobs.keys, knobs.skew) {
            self.zipf = Zipf::new(knobs.keys as usize, knobs.skew);
        }
        if old.sync == Sync::NoLog && knobs.sync != Sync::NoLog && self.phase == Phase::Up {
            let note = Note::new("log-begins").about(DISK);
            let begins = cx.say(note);
            self.log_begins(begins, cx.now());
        }
        self.fast.restart(cx.now());
        if let Some((gap, turn)) = self.source.turn(f64::from(knobs.writes), cx.now()) {
            cx.schedule(gap, Event::Arrive(turn));
        }
        self.go_on(cx);
        self.risk = self.at_risk();
        self.look(cx);
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        let did = |word| Note::new(word).mark(Tone::Learner);
        match act.spec {
            0 => {
                let plug = cx.say(did("you-plug").about(PROMISES));
                self.pull(plug, cx);
            }
            1 => {
                let now = cx.now();
                let left = self.next_second(now);
                let left = if left < HALF { left + SECOND } else { left };
                let left = left - Time::ms(10);
                self.plugs += 1;
                cx.say(did("you-late").with(Arg::Span(left)).about(PROMISES));
                cx.schedule(left, Event::Plug(self.plugs));
            }
            2 => {
                let kill = cx.say(did("you-kill").about(MEMORY));
                self.crash(How::Kill, 0, kill, cx);
            }
            3 => {
                let tear = cx.say(did("you-tear").about(DISK));
                self.tears = Some((cx.now() + TEARS_AFTER, tear));
                cx.schedule(TEARS_AFTER, Event::Tear(0));
            }
            4 => {
                let rot = cx.say(did("you-rot").about(DISK));
                self.rot(rot, cx);
            }
            5 => self.fails = Some(cx.say(did("you-fail").about(DISK))),
            6 => {
                cx.say(did("you-snapshot").about(DISK));
                self.wants_snapshot = true;
                self.snapshot(cx);
                self.sync(false, cx);
            }
            7 => {
                let begin = cx.say(did("you-begin").about(PROMISES));
                self.begin(begin, cx);
            }
            _ => {}
        }
        self.risk = self.at_risk();
        self.look(cx);
    }

    fn refuses(&self, _: Act, text: &str) -> Option<&'static str> {
        let Some((key, value)) = own_write(text) else {
            return Some("no-write");
        };
        if !(1..=self.knobs.keys as usize).contains(&key) {
            Some("no-key")
        } else if value > OWN_MAX {
            Some("no-value")
        } else {
            None
        }
    }

    fn on_typed(&mut self, _: Act, text: Typed, _: &Settings, cx: Cx<'_, '_>) {
        if let Some((key, value)) = own_write(text.text()) {
            let note = Note::new("you-write").mark(Tone::Learner);
            self.set_out(note.with(Arg::Typed(text)), key - 1, Op::Own(value), cx);
        }
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        let powered = !matches!(self.phase, Phase::Dark { power: true, .. });
        match act.spec {
            0 | 1 => powered,
            2 => !matches!(self.phase, Phase::Dark { .. }),
            3 => powered && self.tears.is_none() && self.knobs.sync != Sync::NoLog,
            4 => powered && self.rotten.is_none() && self.middle().is_some(),
            5 => self.fails.is_none(),
            6 => self.rewriting.is_none() && !self.wants_snapshot,
            _ => true,
        }
    }

    fn bytes(&self) -> usize {
        self.wal.file.bytes().len() + self.entries.len() * size_of::<Entry>() + self.writes.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        if let Some(law) = self.fault {
            return Err(law.to_owned());
        }
        let mut balance = Balance::default();
        balance.claim("the queue", self.queue.iter().copied());
        balance.claim("the log", self.waiting.iter().map(|(_, key)| *key));
        balance.check(&self.writes, self.gone, |_, write| match write.place {
            Place::Queues => Some("the queue"),
            Place::Waits => Some("the log"),
            Place::Asks(_) | Place::Hears(..) => None,
        })?;
        let all = self.entries.iter().chain(&self.tail);
        let logged = all.filter(|entry| entry.answered).count() as u32;
        let told = self.lost + self.folded + self.unlogged + logged;
        if told != self.answered {
            return Err(format!("{} answered, {told} accounted for", self.answered));
        }
        if self.risk != self.at_risk() {
            return Err(format!("{} at risk, not {}", self.at_risk(), self.risk));
        }
        let end = self.entries.back().map_or(0, |entry| entry.bytes.end);
        let file = self.wal.file.bytes().len();
        if end != file && !matches!(self.phase, Phase::Dark { .. }) {
            return Err(format!("the log ends at {file}, its records at {end}"));
        }
        Ok(())
    }
}

/// A key, counted from 1, and its value, as in `k7 = 512`.
fn own_write(text: &str) -> Option<(usize, i64)> {
    let (key, value) = text.split_once('=')?;
    let key = key.trim();
    let key = key.strip_prefix(['k', 'K']).unwrap_or(key);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let value = value.trim();
    let known = digits(key) && digits(value) && !value.is_empty();
    // Only too many digits can fail now: they are a key, or a value, that is too large.
    known.then(|| {
        (
            key.parse()
                .unwrap_or(usize::from(!key.is_empty()) * usize::MAX),
            value.parse().unwrap_or(i64::MAX),
        )
    })
}

/// What random() gives when a statement is done again.
pub(super) fn another(cx: Cx<'_, '_>) -> i64 {
    100 + below(cx.random(REPLAYS), 900) as i64
}
