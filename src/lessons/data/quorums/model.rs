//! The system: five replicas, a writer and two readers in one cluster, a judge beside them, and what a learner breaks.

use super::face::{READERS, Store, WRITER, dot, hint_dot};
use super::judge::{Judge, Verdict};
use super::probe;
use super::settings::{Copies, NODES, Settings};
use algorithms::protocol::Id;
use algorithms::replicated::{Ask, Cell, KEYS, Node, Request, State, Why, Word, bit};
use engine::random::below;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use kit::cluster::{self, Cluster, Spur, Turn, aimed_at};
use kit::flow::{Key, Marks, Source, aim};

pub(super) const WRITER_PART: PartId = PartId::one("writer");
pub(super) const MATRIX: PartId = PartId::one("matrix");
pub(super) const WAITS: PartId = PartId::one("waits");
pub(super) const READS: PartId = PartId::one("reads");
/// The first write leaves so late that one has just left when somebody first looks: 0.6 ms before the warm-up is over.
const FIRST: Time = Time::us(9_400);
/// A slow write: its copies to all homes but A take so long.
const SLOW: Time = Time::ms(20);
/// A request that a learner holds up stands still for so long.
const HELD_UP: Time = SLOW;
/// The places of actions in the sheet's list.
const LOSE: usize = 7;
const HOLD: usize = 8;
/// Readers follow a write for no longer than this, and so many reads where it failed.
const CHASE: Time = Time::ms(60);
const CHASE_READS: u32 = 10;
/// C misses a write so often, and comes back so long after the last.
const MISS_EVERY: Time = Time::ms(5);
const MISS_END: Time = Time::ms(60);
/// So long the writer rests afterwards.
const REST: Time = Time::s(5);
/// The node that misses, and the side of the cut that the writer is on.
const MISSES: Id = 3;
const SIDE: [Id; 4] = [WRITER, 3, 4, 5];

const GAPS: Stream = Stream::named("reads");
const KEYS_READ: Stream = Stream::named("keys");
const PICKS: Stream = Stream::named("picks");

pub(super) const fn node(id: Id) -> PartId {
    PartId::nth("node", id as u16)
}

pub(super) const fn reader(at: usize) -> PartId {
    PartId::nth("reader", at as u16 + 1)
}

/// The part of a node.
pub(super) const fn part(id: Id) -> PartId {
    match id {
        WRITER => WRITER_PART,
        7.. => reader(id as usize - 7),
        _ => node(id),
    }
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Something in the cluster.
    Net(cluster::Event),
    /// The writer writes, if its source's turn is still this one.
    Write(u32),
    /// A reader reads any key.
    Read(u32),
    /// A reader reads what was just answered.
    Follow(u8),
    /// Readers go on following a write, if it is still this one.
    Chase(u32),
    /// Another write that C misses; C comes back.
    Miss,
    Back,
}

impl From<cluster::Event> for Event {
    fn from(event: cluster::Event) -> Event {
        Event::Net(event)
    }
}

/// What a read has come to, for its reader's card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) version: u32,
    pub(super) verdict: Verdict,
    pub(super) back: Option<u32>,
    /// Its write has failed.
    pub(super) ghost: bool,
}

/// A read that is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub(super) reader: Id,
    pub(super) number: u32,
    /// What each replica has answered.
    pub(super) told: [Option<u32>; NODES as usize],
    /// Whose answers counted, as bits, once there were enough.
    pub(super) counted: u8,
    pub(super) ended: Option<Ended>,
}

/// What edges of cards show: the last request, a read together with the newest write of its key.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Focus {
    pub(super) key: u8,
    pub(super) version: u32,
    pub(super) read: Option<Look>,
}

/// Readers that read one key again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Chase {
    pub(super) key: u8,
    pub(super) version: u32,
    /// Only A hears of the write.
    pub(super) failing: bool,
    pub(super) on: bool,
    /// A reader reads.
    reading: bool,
    from: Time,
    pub(super) reads: u32,
    /// Of these, that gave the new version, and that went back.
    pub(super) new: u32,
    pub(super) back: u32,
    /// Reads that waited for a repair.
    pub(super) mended: u32,
    /// How many such actions there were.
    pub(super) count: u32,
}

/// The running system.
#[derive(Clone)]
pub struct Group {
    pub(super) cluster: Cluster<Store>,
    pub(super) judge: Judge,
    pub(super) focus: Focus,
    /// The last write, and whether the one that ended last has failed.
    pub(super) write: Option<Request>,
    pub(super) fails: bool,
    /// The last read of each reader that has ended, and its key.
    pub(super) last: [Option<(u8, Ended)>; 2],
    pub(super) chase: Chase,
    writes: Source,
    reads: Source,
    /// The next key, and the next reader.
    key: u8,
    turn: u32,
    /// Writes that C has still to miss; whether it is down for that.
    miss: u32,
    pub(super) missing: bool,
    /// How often C came back from it, and until when the writer rests.
    pub(super) missed: u32,
    pub(super) rests: Time,
    /// Hints that each home has taken since it took the first of them.
    homed: [u32; NODES as usize],
    marks: [Marks; 2],
    pub(super) knobs: Settings,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn key_arg(key: u8) -> Arg {
    Arg::Count(i64::from(key) + 1)
}

fn count(n: u32) -> Arg {
    Arg::Count(i64::from(n))
}

/// A note about a part.
fn note(word: &'static str, part: PartId, args: &[Arg]) -> Note {
    let whole = args
        .iter()
        .fold(Note::new(word), |note, arg| note.with(*arg));
    whole.about(part)
}

impl Group {
    pub(super) fn rests(&self, now: Time) -> bool {
        self.chase.on || self.missing || now < self.rests
    }

    /// What a node has of a key.
    pub(super) fn cell(&self, id: Id, key: u8) -> Cell {
        let node = self.cluster.node(id);
        let cell = node.and_then(|node| node.disk.cells.get(usize::from(key)).copied());
        cell.unwrap_or_default()
    }

    /// Cells of homes that are older than what was answered.
    pub(super) fn behind(&self) -> u32 {
        let mut behind = 0;
        for id in 1..=self.knobs.n as Id {
            behind += self.behind_of(id);
        }
        behind
    }

    /// Cells of a node that are older than what was answered; none while it is down.
    pub(super) fn behind_of(&self, id: Id) -> u32 {
        let Some(node) = self.cluster.node(id) else {
            return 0;
        };
        let pairs = node.disk.cells.iter().zip(&self.judge.answered);
        pairs
            .filter(|(cell, newest)| cell.version < **newest)
            .count() as u32
    }

    /// Homes that are down.
    pub(super) fn down(&self) -> usize {
        let homes = 1..=self.knobs.n as Id;
        homes.filter(|id| !self.cluster.is_up(*id)).count()
    }

    /// What a node has done: it is told, judged and carried.
    fn take(&mut self, turn: Turn<Store>, cx: Cx<'_, '_>) {
        let id = turn.at;
        if let Spur::Heard(from, word) = turn.spur {
            self.heard(id, from, word, cx);
        }
        let node = self.cluster.node(id);
        let done = node.map_or(Vec::new(), |node| node.done.clone());
        for one in done {
            if one.read {
                self.read_ends(id, one, cx);
            } else {
                self.write_ends(one, cx);
            }
        }
        // What it sends to copies that are behind, and what it keeps for those that did not acknowledge.
        for (to, word) in &turn.out.sent {
            if let Word::Store(_, cell, Why::Repair(number)) = *word {
                self.judge.tally.mended += 1;
                self.chase.mended += u32::from(self.chase.on);
                let told = [
                    Arg::Part(part(id)),
                    Arg::Part(part(*to)),
                    count(cell.version),
                ];
                cx.say(note("repairs", part(id), &told).dot(dot(id, number)));
            }
        }
        let kept = self.cluster.node(id).map_or(0, |node| node.disk.kept);
        if id == WRITER && kept > turn.was.unwrap_or(kept) {
            let told = [count(kept - turn.was.unwrap_or(kept))];
            cx.say(note("keeps", WRITER_PART, &told));
        }
        if let Some(write) = &mut self.write
            && let Some(node) = self.cluster.node(WRITER)
        {
            let mut known = node.done.iter().chain(node.requests.iter().rev());
            *write = *known
                .find(|one| one.number == write.number)
                .unwrap_or(write);
        }
        self.cluster.carry(turn, cx);
    }

    /// What of a message is worth a note.
    fn heard(&mut self, id: Id, from: Id, word: Word, cx: Cx<'_, '_>) {
        let who = Arg::Part(part(id));
        match word {
            Word::Store(key, cell, why) => {
                let stored = self.cell(id, key).version == cell.version;
                let told = [who, key_arg(key), count(cell.version)];
                let (said, dot) = match why {
                    Why::Write(number, home) if home != id => ("stands-in", dot(from, number)),
                    Why::Write(number, _) => ("stores", dot(from, number)),
                    Why::Repair(number) => ("repaired", dot(from, number)),
                    Why::Hint => ("takes", hint_dot(key, cell.version)),
                };
                let said = if stored { said } else { "too-old" };
                cx.say(note(said, part(id), &told).dot(dot));
                let chase = self.chase;
                let first =
                    !chase.failing && id == 1 && (key, cell.version) == (chase.key, chase.version);
                if chase.on && first && chase.reads == 0 {
                    cx.schedule(Time::us(1), Event::Chase(self.chase.count));
                }
                cx.sample(probe::BEHIND, f64::from(self.behind()));
            }
            Word::Got(_, cell, number) => {
                let read = self.focus.read.as_mut();
                if let Some(read) = read.filter(|read| (read.reader, read.number) == (id, number))
                    && let Some(told) = read.told.get_mut(usize::from(from) - 1)
                {
                    *told = Some(cell.version);
                }
            }
            Word::Stored(_, _, Why::Hint) => {
                let at = usize::from(from) - 1;
                self.homed[at] += 1;
                let keeper = self.cluster.node(id);
                if keeper.is_some_and(|node| node.disk.hints.iter().all(|hint| hint.home != from)) {
                    let home = [
                        Arg::Part(part(from)),
                        count(std::mem::take(&mut self.homed[at])),
                        who,
                    ];
                    cx.say(note("home", part(from), &home).mark(Tone::Plain));
                }
            }
            Word::Stored(..) | Word::Get(..) => {}
        }
    }

    fn write_ends(&mut self, one: Request, cx: Cx<'_, '_>) {
        let (key, version) = (one.key, one.cell.version);
        let span = cx.now().since(Time(one.at));
        let chased = (key, version) == (self.chase.key, self.chase.version) && self.chase.on;
        self.fails = one.state == State::Failed;
        if self.fails {
            self.judge.tally.unwritten += 1;
            let told = [key_arg(key), count(version), count(one.heard.count_ones())];
            let note = note("failed", WRITER_PART, &told).dot(dot(WRITER, one.number));
            let marked = self.marks[0].due(cx.now());
            cx.say(if marked { note.mark(Tone::Bad) } else { note });
        } else {
            self.judge.written(key, version, Time(one.at));
            self.judge.tally.written += 1;
            self.judge.took(1, span);
            cx.sample_asked(probe::WRITE, span.0 as f64, Time(one.at));
            let told = [key_arg(key), count(version), Arg::Span(span)];
            cx.say(note("answered", WRITER_PART, &told).dot(dot(WRITER, one.number)));
            cx.sample(probe::BEHIND, f64::from(self.behind()));
            if !self.chase.on {
                cx.schedule(Time::ms(self.knobs.after.into()), Event::Follow(key));
            }
        }
        if chased && self.chase.failing {
            cx.schedule(Time::us(1), Event::Chase(self.chase.count));
        }
    }

    fn read_ends(&mut self, id: Id, one: Request, cx: Cx<'_, '_>) {
        let (key, version) = (one.key, one.cell.version);
        let span = cx.now().since(Time(one.at));
        let failed = one.state == State::Failed;
        // Whether the version may still be answered.
        let alive = |write: &Request| {
            (write.read, write.key, write.cell.version) == (false, key, version)
                && write.state == State::Waits
        };
        let writer = self.cluster.node(WRITER);
        let lives = writer.is_some_and(|node| node.requests.iter().any(alive));
        let given = (!failed).then_some(version);
        let ended = self.judge.ends(
            id,
            one.number,
            given,
            self.knobs.quorum(),
            self.knobs.overlaps(),
        );
        let Some((verdict, back)) = ended else {
            return;
        };
        let (word, third) = match verdict {
            Verdict::Failed => ("read-failed", key_arg(key)),
            _ if back.is_some() => ("back", count(back.unwrap_or(0))),
            Verdict::Old(behind) => ("old", count(behind)),
            Verdict::Early if lives => ("early", key_arg(key)),
            Verdict::Early => ("ghost", key_arg(key)),
            Verdict::Fresh => ("fresh", key_arg(key)),
        };
        let told = [Arg::Part(part(id)), count(version), third];
        let said = note(word, part(id), &told).dot(dot(id, one.number));
        let marked = back.is_some() && self.marks[1].due(cx.now());
        cx.say(if marked { said.mark(Tone::Warn) } else { said });
        if !failed {
            self.judge.took(0, span);
            cx.sample_asked(probe::READ, span.0 as f64, Time(one.at));
            if let Some([old, went_back]) = self.judge.lately() {
                cx.sample(probe::FRESH, 100.0 - old);
                cx.sample(probe::OLD, old);
                cx.sample(probe::BACK, went_back);
            }
        }
        let ended = Ended {
            version,
            verdict,
            back,
            ghost: verdict == Verdict::Early && !lives,
        };
        if let Some(last) = self.last.get_mut(usize::from(id - READERS[0])) {
            *last = Some((key, ended));
        }
        let read = self.focus.read.as_mut();
        if let Some(read) = read.filter(|read| (read.reader, read.number) == (id, one.number)) {
            (read.counted, read.ended) = (one.counted, Some(ended));
        }
        let chase = &mut self.chase;
        if chase.on && chase.key == key {
            chase.reading = false;
            chase.reads += 1;
            chase.new += u32::from(version == chase.version);
            chase.back += u32::from(back.is_some());
            cx.schedule(Time::us(1), Event::Chase(self.chase.count));
        }
    }

    /// The writer writes the next key.
    fn write(&mut self, cx: Cx<'_, '_>) -> Option<Turn<Store>> {
        let key = self.key;
        self.key = (self.key + 1) % KEYS as u8;
        let only = (self.knobs.copies == Copies::OnlyW).then(|| self.pick(cx));
        let value = cx.now().0 as u32;
        let (_, turn) = self
            .cluster
            .ask(WRITER, Ask::Write(key, value, only, cx.now().0))?;
        let write = self
            .cluster
            .node(WRITER)
            .and_then(|node| node.requests.back())
            .copied()?;
        self.write = Some(write);
        self.focus = Focus {
            key,
            version: write.cell.version,
            read: None,
        };
        let told = [
            key_arg(key),
            count(write.cell.version),
            count(write.asked.count_ones()),
        ];
        cx.say(note("writes", WRITER_PART, &told).dot(dot(WRITER, write.number)));
        Some(turn)
    }

    /// W of the N homes, by chance.
    fn pick(&mut self, cx: Cx<'_, '_>) -> u8 {
        let mut homes: Vec<Id> = (1..=self.knobs.n as Id).collect();
        let mut only = 0;
        for _ in 0..self.knobs.quorum().1 {
            only |= bit(homes.swap_remove(below(cx.random(PICKS), homes.len())));
        }
        only
    }

    fn write_and_carry(&mut self, cx: Cx<'_, '_>) {
        if let Some(turn) = self.write(cx) {
            self.take(turn, cx);
        }
    }

    /// The next reader reads a key.
    fn read(&mut self, key: u8, paired: bool, cx: Cx<'_, '_>) {
        let at = self.turn as usize % READERS.len();
        let id = READERS[at];
        self.turn = self.turn.wrapping_add(1);
        let Some((_, turn)) = self.cluster.ask(id, Ask::Read(key, cx.now().0)) else {
            return;
        };
        let number = self.cluster.node(id).map_or(0, |node: &Node| node.next - 1);
        self.judge.begins(id, number, key, paired);
        self.focus = Focus {
            key,
            version: self.cell(WRITER, key).version,
            read: Some(Look {
                reader: id,
                number,
                told: [None; NODES as usize],
                counted: 0,
                ended: None,
            }),
        };
        let told = [Arg::Part(part(id)), key_arg(key)];
        cx.say(note("asks", part(id), &told).dot(dot(id, number)));
        self.take(turn, cx);
    }

    /// Readers read on, one after another, while there is something to see.
    fn chase(&mut self, cx: Cx<'_, '_>) {
        let chase = self.chase;
        if !chase.on {
            return;
        }
        let homes = 1..=self.knobs.n as Id;
        let lacks =
            |id: Id| self.cluster.is_up(id) && self.cell(id, chase.key).version < chase.version;
        let mixed = chase.new > 0 && chase.new < chase.reads;
        let over = if chase.failing {
            chase.reads >= CHASE_READS && (mixed || chase.reads >= 4 * CHASE_READS)
        } else {
            !homes.into_iter().any(lacks) || cx.now().since(chase.from) > CHASE
        };
        if over {
            self.chase.on = false;
            let told = [count(chase.reads), count(chase.new), count(chase.back)];
            cx.say(note("chased", READS, &told));
        } else if !chase.reading {
            self.chase.reading = true;
            self.read(chase.key, false, cx);
        }
    }

    /// The next key of which all that are up have a version that was answered.
    fn calm_key(&self) -> u8 {
        let calm = |key: &u8| {
            let answered = self.judge.answered[usize::from(*key)];
            let homes = (1..=self.knobs.n as Id).chain([WRITER]);
            let mut up = homes.filter(|id| self.cluster.is_up(*id));
            up.all(|id| self.cell(id, *key).version == answered)
        };
        let mut keys = (0..KEYS as u8).map(|more| (self.key + more) % KEYS as u8);
        keys.find(calm).unwrap_or(self.key)
    }

    /// A write whose copy to A is quick, and whose others are slow or lost.
    fn begin_chase(&mut self, failing: bool, cx: Cx<'_, '_>) {
        let (key, version) = (self.key, self.cell(WRITER, self.key).version + 1);
        self.chase = Chase {
            key,
            version,
            failing,
            on: true,
            from: cx.now(),
            count: self.chase.count + 1,
            ..Chase::default()
        };
        self.cluster.protocol.hurry = (key, version);
        // In case A never gets it.
        let late = if failing { self.knobs.timeout } else { 0.0 };
        cx.schedule(
            Time::from_ms(late) + CHASE + CHASE,
            Event::Chase(self.chase.count),
        );
        let Some(turn) = self.write(cx) else { return };
        let homes = 2..=NODES;
        for to in homes.clone().filter(|_| failing) {
            self.cluster.net.block(WRITER, to, true);
        }
        self.take(turn, cx);
        if failing {
            for to in homes {
                self.cluster.net.block(WRITER, to, false);
            }
            return;
        }
        let slow: Vec<Key> = self
            .cluster
            .flights()
            .filter_map(|(key, flight)| {
                let mine = flight.leaves == cx.now() && flight.from == WRITER && flight.to > 1;
                mine.then_some(key)
            })
            .collect();
        for key in slow {
            self.cluster.delay(key, SLOW.since(Time::ms(1)), cx);
        }
    }

    /// C misses another write, or comes back when it has missed enough.
    fn miss(&mut self, cx: Cx<'_, '_>) {
        self.write_and_carry(cx);
        self.miss -= 1;
        if self.miss > 0 {
            cx.schedule(MISS_EVERY, Event::Miss);
        } else {
            cx.schedule(MISS_END, Event::Back);
        }
    }

    fn restart(&mut self, id: Id, tone: Tone, cx: Cx<'_, '_>) {
        if let Some(turn) = self.cluster.boot(id) {
            let back = note("restarts", part(id), &[Arg::Part(part(id))]).mark(tone);
            cx.say(back.ends("down", id.into()));
            self.take(turn, cx);
            cx.sample(probe::BEHIND, f64::from(self.behind()));
        }
    }

    fn crash(&mut self, id: Id, word: &'static str, cx: Cx<'_, '_>) {
        self.cluster.crash(id, cx.now());
        let down = note(word, part(id), &[Arg::Part(part(id))]).mark(Tone::Bad);
        cx.say(down.begins("down", id.into()));
    }

    fn next_write(&mut self, gap: Time, cx: Cx<'_, '_>) {
        let per_s = f64::from(self.knobs.writes);
        let turn = self.writes.next(per_s, gap, cx.now());
        if per_s > 0.0 {
            cx.schedule(gap, Event::Write(turn));
        }
    }

    fn next_read(&mut self, cx: Cx<'_, '_>) {
        let per_s = self.knobs.reads;
        let gap = Source::poisson(per_s, cx.random(GAPS));
        let turn = self.reads.next(per_s, gap, cx.now());
        if per_s > 0.0 {
            cx.schedule(gap, Event::Read(turn));
        }
    }
}

impl Model for Group {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Group {
        let store = Store {
            rules: knobs.rules(),
            wars: knobs.wars(),
            hurry: (0, 0),
        };
        let size = usize::from(READERS[1]);
        let mut group = Group {
            cluster: Cluster::new(store, size),
            judge: Judge::default(),
            focus: Focus::default(),
            write: None,
            fails: false,
            last: [None; 2],
            chase: Chase::default(),
            writes: Source::default(),
            reads: Source::default(),
            key: 0,
            turn: 0,
            miss: 0,
            missing: false,
            missed: 0,
            rests: Time::ZERO,
            homed: [0; NODES as usize],
            marks: Default::default(),
            knobs: knobs.clone(),
            now: cx.now(),
        };
        for id in 1..=size as Id {
            cx.because(NoteId::NONE);
            let word = match id {
                WRITER => "begins",
                7.. => "follows",
                _ if u32::from(id) > knobs.n => "waits",
                _ => "home-of",
            };
            cx.say(note(word, part(id), &[Arg::Part(part(id))]));
            if let Some(turn) = group.cluster.boot(id) {
                group.take(turn, cx);
            }
        }
        cx.because(NoteId::NONE);
        cx.say(note("judges", READS, &[]));
        cx.because(NoteId::NONE);
        group.next_write(FIRST, cx);
        group.next_read(cx);
        group
    }

    fn on_start(&mut self, _: &Settings, cx: Cx<'_, '_>) {
        self.last = [None; 2];
        self.judge.turned(true, cx.now());
        cx.empty_windows();
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Net(event) => {
                if let Some(turn) = self.cluster.on_event(event, cx) {
                    self.take(turn, cx);
                }
            }
            Event::Write(turn) if self.writes.is_due(turn) => {
                cx.because(NoteId::NONE);
                if !self.rests(cx.now()) {
                    self.write_and_carry(cx);
                }
                cx.because(NoteId::NONE);
                self.next_write(Time::from_s(1.0 / f64::from(self.knobs.writes.max(1))), cx);
            }
            Event::Read(turn) if self.reads.is_due(turn) => {
                cx.because(NoteId::NONE);
                if !self.chase.on {
                    let key = below(cx.random(KEYS_READ), KEYS) as u8;
                    self.read(key, false, cx);
                }
                cx.because(NoteId::NONE);
                self.next_read(cx);
            }
            Event::Write(_) | Event::Read(_) => {}
            Event::Follow(key) => {
                if !self.chase.on {
                    self.read(key, true, cx);
                }
            }
            Event::Chase(count) if count == self.chase.count => self.chase(cx),
            Event::Chase(_) => {}
            Event::Miss => self.miss(cx),
            Event::Back => {
                self.missing = false;
                self.missed += 1;
                self.rests = cx.now() + REST;
                self.judge.anew();
                self.restart(MISSES, Tone::Plain, cx);
            }
        }
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let old = std::mem::replace(&mut self.knobs, knobs.clone());
        if knobs.writes != old.writes {
            self.rests = Time::ZERO;
        }
        let (writes, reads) = (f64::from(knobs.writes), knobs.reads);
        if let Some((gap, turn)) = self.writes.turn(writes, cx.now()) {
            cx.schedule(gap, Event::Write(turn));
        }
        if let Some((gap, turn)) = self.reads.turn(reads, cx.now()) {
            cx.schedule(gap, Event::Read(turn));
        }
        if knobs.chart != old.chart {
            return; // Only the picture is another.
        }
        self.cluster.protocol.rules = knobs.rules();
        self.cluster.protocol.wars = knobs.wars();
        let shares = |of: &Settings| {
            let delays = (of.n, of.delays, of.after, of.timeout.to_bits());
            (delays, of.repair, of.stand_ins, of.copies)
        };
        self.fails = false;
        self.judge.turned(shares(knobs) != shares(&old), cx.now());
        cx.empty_windows();
        cx.sample(probe::BEHIND, f64::from(self.behind()));
    }

    fn can(&self, act: Act) -> bool {
        let id = aimed_at(act.target);
        match act.spec {
            0 => id <= NODES && self.cluster.is_up(id),
            1 => id <= NODES && !self.cluster.is_up(id) && !(self.missing && id == MISSES),
            2 => !self.cluster.net.is_parted(),
            3 => self.cluster.net.is_parted(),
            4 | 5 => {
                !self.missing
                    && self.knobs.n > 1
                    && self.cluster.is_up(1)
                    && !self.cluster.net.is_parted()
            }
            LOSE | HOLD => self.cluster.has_dot(act.target as u32),
            _ => !self.missing && self.knobs.n >= MISSES.into() && self.cluster.is_up(MISSES),
        }
    }

    fn aim(&self, spec: usize) -> usize {
        if spec == LOSE || spec == HOLD {
            return self.cluster.newest_dot().unwrap_or_default() as usize;
        }
        aim(MISSES as usize - 1, NODES.into(), |target| {
            self.can(Act { spec, target })
        })
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        (self.rests, self.fails) = (Time::ZERO, false);
        self.judge.anew();
        let id = aimed_at(act.target);
        match act.spec {
            0 => self.crash(id, "crashes", cx),
            1 => self.restart(id, Tone::Learner, cx),
            2 => {
                self.cluster.part(&SIDE, cx.now());
                let cut = note("cut", WRITER_PART, &[]).mark(Tone::Learner);
                cx.say(cut.begins("cut", 0));
            }
            3 => {
                self.cluster.net.heal();
                let heals = note("heals", WRITER_PART, &[]).mark(Tone::Learner);
                cx.say(heals.ends("cut", 0));
            }
            4 | 5 => {
                let failing = act.spec == 5;
                self.key = self.calm_key();
                let word = if failing { "will-fail" } else { "slow" };
                cx.say(note(word, WRITER_PART, &[key_arg(self.key)]).mark(Tone::Learner));
                self.begin_chase(failing, cx);
            }
            LOSE | HOLD => {
                let (dot, hold) = (act.target as u32, (act.spec == HOLD).then_some(HELD_UP));
                if let Some((count, _, to)) = self.cluster.by_hand(dot, hold, cx) {
                    let word = if hold.is_some() {
                        "held-up"
                    } else {
                        "lost-by-hand"
                    };
                    let told = [Arg::Count(count as i64), Arg::Span(HELD_UP)];
                    cx.say(note(word, part(to), &told).dot(dot).mark(Tone::Learner));
                }
            }
            _ => {
                (self.missing, self.miss) = (true, KEYS as u32);
                self.crash(MISSES, "misses", cx);
                cx.schedule(Time::us(1), Event::Miss);
            }
        }
    }

    fn bytes(&self) -> usize {
        self.cluster.bytes() + 12_000
    }

    fn audit(&self) -> Result<(), String> {
        self.judge.audit()?;
        self.cluster.audit()
    }
}
