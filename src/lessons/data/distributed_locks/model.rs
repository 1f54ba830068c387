//! The system: lock servers, workers and a store in one cluster, a judge beside them, and what a learner breaks.

use super::face::{
    BLOCKS, CONVERTER, Did, FILES, File, Hold, House, Role, SERVERS, STORE, Server, Timer, WORKERS,
    Word, Worker, dot, of, worker, worker_at,
};
use super::judge::{Block, Judge};
use super::probe;
use super::settings::{Kept, Settings};
use algorithms::lease_lock::{Command, FOREVER, Held, Order, Value};
use algorithms::protocol::{Id, Wind};
use algorithms::raft;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Time, Tone};
use kit::cluster::{self, Cluster, Spur, Turn, aimed_at};
use kit::flow::{Key, Marks, aim};

pub(super) const SEATS: PartId = PartId::one("seats");
pub(super) const SCORE: PartId = PartId::one("score");
pub(super) const LANES: PartId = PartId::one("lanes");

pub(super) const fn worker_part(at: usize) -> PartId {
    PartId::nth("worker", at as u16 + 1)
}

pub(super) const fn server(id: Id) -> PartId {
    PartId::nth("server", id as u16)
}

pub(super) const fn file(at: u8) -> PartId {
    PartId::nth("file", at as u16 + 1)
}

/// What a lock is for.
pub(super) const fn place(at: u8) -> PartId {
    if at == CONVERTER { SEATS } else { file(at) }
}

/// A frozen worker sleeps so long.
const SLEEP: Time = Time::s(8);
/// A worker is struck once it has written so many blocks, or after so long.
const STRUCK_AT: u8 = 5;
const STRUCK_BY: Time = Time::ms(4_500);
/// A copy takes over so long after the death of the server.
const TAKES_OVER: Time = Time::s(1);
/// What a learner holds up stands still for so long.
const HELD_UP: Time = Time::ms(500);
/// A slow block takes so much longer; a clock jumps by so much, ms.
const SLOW: Time = Time::s(6);
const JUMP: u64 = 10_000;

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Something in the cluster.
    Net(cluster::Event),
    /// A lease ends.
    Look,
    /// A worker is struck, whatever it does, if it still is to be.
    Strike(u8, u32),
    /// A frozen worker wakes.
    Wake(u8, u32),
    /// The copy takes over, if the other one is still dead.
    TakeOver(u32),
}

impl From<cluster::Event> for Event {
    fn from(event: cluster::Event) -> Event {
        Event::Net(event)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    Freezes,
    Dies,
}

/// What a learner has done to a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    /// What is to happen to it in the middle of its work.
    pub(super) blow: Option<Blow>,
    /// Counts blows, so that a later one is not mistaken for this.
    count: u32,
    /// When it wakes.
    pub(super) wakes: Option<Time>,
    /// Cut off from the lock servers.
    pub(super) cut: bool,
    note: NoteId,
}

/// The last worker that died with a lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Death {
    pub(super) worker: usize,
    pub(super) at: Time,
    file: u8,
    /// When somebody had its file again.
    pub(super) back: Option<Time>,
    /// Its permit, if it had one, and when another had that again.
    pub(super) seat: Option<Value>,
    pub(super) seat_back: Option<Time>,
}

/// A holder that slept: its lock, whether its lease ended, whether it is awake again, whether a block of it was late since.
#[derive(Clone, Copy, Debug)]
struct Sleeper {
    value: Value,
    lost: bool,
    awake: bool,
    late: bool,
}

/// The running system.
#[derive(Clone)]
pub struct Locks {
    pub(super) cluster: Cluster<House>,
    pub(super) judge: Judge,
    pub(super) fates: [Fate; WORKERS],
    pub(super) death: Option<Death>,
    sleeper: Option<Sleeper>,
    /// The server that gives the next lock dies of it; the next block is slow.
    pub(super) doomed: bool,
    slow: bool,
    /// The note of the last trouble with a server, and how often there was some.
    trouble: NoteId,
    troubles: u32,
    marks: Marks,
    /// When the ends of leases are looked at.
    due: [u64; FILES],
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn note(word: &'static str, part: PartId, args: &[Arg]) -> Note {
    let whole = args
        .iter()
        .fold(Note::new(word), |note, arg| note.with(*arg));
    whole.about(part)
}

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

/// The worker of a value, as a word.
fn whose(value: Value) -> Arg {
    Arg::Part(worker_part(worker_at(of(value).0)))
}

impl Locks {
    pub(super) fn knobs(&self) -> &Settings {
        &self.cluster.protocol.knobs
    }

    pub(super) fn worker(&self, at: usize) -> Option<&Worker> {
        match &self.cluster.node(worker(at))?.role {
            Role::Worker(worker) => Some(worker),
            _ => None,
        }
    }

    pub(super) fn server(&self, id: Id) -> Option<&Server> {
        match &self.cluster.node(id)?.role {
            Role::Server(server) => Some(server),
            _ => None,
        }
    }

    pub(super) fn files(&self) -> [File; FILES] {
        match self.cluster.node(STORE).map(|node| &node.role) {
            Some(Role::Store(files)) => **files,
            _ => [File::default(); FILES],
        }
    }

    /// Who orders the log: the leader of the latest term; without one, who has followed most of it.
    pub(super) fn leader(&self) -> Id {
        let rank = |id: &Id| {
            let server = self.server(*id)?;
            let raft = server.raft.as_ref()?;
            let leads = raft.role == raft::Role::Leader;
            Some((
                leads,
                if leads {
                    raft.disk.term
                } else {
                    server.applied
                },
            ))
        };
        (1..=SERVERS).rev().max_by_key(rank).unwrap_or(1)
    }

    /// The server whose word counts, where one's does.
    pub(super) fn authority(&self) -> Id {
        match self.knobs().kept {
            Kept::Copy => self.cluster.protocol.primary,
            Kept::Log => self.leader(),
            _ => 1,
        }
    }

    /// What a server says of a lock, its lease by the true clock.
    fn told(&self, id: Id, place: u8) -> impl Iterator<Item = Held> + '_ {
        let house = &self.cluster.protocol;
        let ahead = house.clock(id) - house.ms();
        let leases = self
            .server(id)
            .map_or(&[][..], |server| server.table.place(place));
        leases.iter().filter_map(move |lease| {
            let mut held = lease.held(house.clock(id))?;
            held.until = held.until.saturating_sub(ahead);
            Some(held)
        })
    }

    /// Who holds a lock, as the service says: by its one voice, or by as many as it needs.
    pub(super) fn says(&self, place: u8) -> Vec<Held> {
        if self.knobs().kept == Kept::Nobody {
            return Vec::new();
        }
        if self.knobs().kept != Kept::Majority {
            return self.told(self.authority(), place).collect();
        }
        let needs = self.cluster.protocol.needs(place) as usize;
        let all: Vec<Held> = (1..=SERVERS).flat_map(|id| self.told(id, place)).collect();
        let mut says: Vec<Held> = Vec::new();
        for held in &all {
            // It is held for as long as enough of them say so: until the last moment at which that many do.
            let same = || all.iter().filter(|other| other.value == held.value);
            let lasts = |until: u64| same().filter(|other| other.until >= until).count() >= needs;
            let until = same()
                .map(|held| held.until)
                .filter(|until| lasts(*until))
                .max();
            let known = says.iter().any(|known| known.value == held.value);
            if let Some(until) = until.filter(|_| !known) {
                says.push(Held { until, ..*held });
            }
        }
        says
    }

    /// Everybody begins anew, with no lock held and no clock wrong.
    fn begin(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.cluster.clear(cx.now());
        self.cluster.net.heal();
        let house = &mut self.cluster.protocol;
        *house = House::of(knobs);
        house.now = cx.now();
        // What was due before is not mistaken for what will be.
        let (counts, troubles) = (self.fates.map(|fate| fate.count), self.troubles);
        *self = Locks::of(self.cluster.clone(), cx.now());
        self.troubles = troubles + 1;
        for (fate, count) in self.fates.iter_mut().zip(counts) {
            fate.count = count + 1;
        }
        let (begins, again) = (cx.cause(), cx.cause() != NoteId::NONE);
        let say = |word, part: PartId, cx: Cx<'_, '_>| {
            cx.because(begins);
            let said = note(word, part, &[Arg::Part(part)]);
            // Whatever befell it before explains nothing any more.
            cx.say(if again { said.mark(Tone::Plain) } else { said });
        };
        for (word, part) in [("judges", SCORE), ("watched", LANES), ("converts", SEATS)] {
            say(word, part, cx);
        }
        for at in 0..FILES as u8 {
            say("waits", file(at), cx);
        }
        for id in 1..=knobs.servers() {
            say("serves", server(id), cx);
            let turn = self.cluster.boot(id);
            self.take(turn, cx);
        }
        if knobs.kept == Kept::Log {
            // One clock ends first, so that there is a leader at once.
            self.cluster
                .wind(1, Timer::Raft(raft::Timer::Election), Wind::After(1), cx);
        }
        let turn = self.cluster.boot(STORE);
        self.take(turn, cx);
        for at in 0..knobs.workers as usize {
            say("starts", worker_part(at), cx);
            let turn = self.cluster.boot(worker(at));
            self.take(turn, cx);
        }
        cx.empty_windows();
    }

    fn of(cluster: Cluster<House>, now: Time) -> Locks {
        let fate = Fate {
            blow: None,
            count: 0,
            wakes: None,
            cut: false,
            note: NoteId::NONE,
        };
        Locks {
            cluster,
            judge: Judge::new(now),
            fates: [fate; WORKERS],
            death: None,
            sleeper: None,
            doomed: false,
            slow: false,
            trouble: NoteId::NONE,
            troubles: 0,
            marks: Marks::default(),
            due: [0; FILES],
            now,
        }
    }

    /// A node has done something: it is told, judged and carried.
    fn take(&mut self, turn: Option<Turn<House>>, cx: Cx<'_, '_>) {
        let Some(turn) = turn else { return };
        let id = turn.at;
        let did = self
            .cluster
            .node(id)
            .map_or(Vec::new(), |node| node.did.clone());
        let mut gave = false;
        for one in did {
            gave |= matches!(
                one,
                Did::Order(
                    Command {
                        order: Order::Acquire { .. },
                        ..
                    },
                    Some(_),
                    _
                )
            );
            self.tell(id, one, cx);
        }
        let looked = matches!(turn.spur, Spur::Rang(Timer::Look));
        let block = turn
            .out
            .sent
            .iter()
            .position(|(_, word)| matches!(word, Word::Block(..)));
        let dots = self.cluster.carry(turn, cx);
        let block = block.filter(|_| self.slow).and_then(|at| {
            let mut flights = self.cluster.flights();
            flights.find(|(key, _)| key.serial() == dots[at])
        });
        if let Some(key) = block.map(|(key, _)| key) {
            self.slow = false;
            self.cluster.delay(key, SLOW, cx);
            cx.say(note(
                "slow-block",
                worker_part(worker_at(id)),
                &[Arg::Part(worker_part(worker_at(id)))],
            ));
        }
        if looked
            && self
                .worker(worker_at(id))
                .is_some_and(|worker| worker.blocks >= STRUCK_AT)
        {
            self.strike(worker_at(id), cx);
        }
        if gave && self.doomed && id == self.authority() {
            self.doomed = false;
            self.kill_server(id, "dies-of-it", cx);
        }
    }

    /// Says what somebody did, and what the judge makes of it.
    fn tell(&mut self, id: Id, did: Did, cx: Cx<'_, '_>) {
        let me = if id > SERVERS {
            worker_part(worker_at(id))
        } else {
            server(id)
        };
        let (word, at, value) = match did {
            Did::Order(command, token, before) => {
                return self.ordered(id, command, token.is_some(), before, cx);
            }
            Did::Gets(hold) => return self.gets(worker_at(id), hold, cx),
            Did::Wrote(at, block, value, token, by_token) => {
                // Where there are no locks there is no later holder.
                let known = token > 0 || self.knobs().kept == Kept::Nobody;
                return self.wrote(at, block, value, known.then_some(by_token), cx);
            }
            Did::Refused(at, value, token, seen) => {
                return self.refused(at, value, [token, seen], cx);
            }
            Did::Leads | Did::Copied => {
                let word = if did == Did::Leads { "leads" } else { "copied" };
                cx.say(note(word, me, &[Arg::Part(me)]));
                return;
            }
            Did::Asks(at, value) => {
                cx.because(NoteId::NONE);
                ("asks", at, value)
            }
            Did::Misses(at, value) => ("misses", at, value),
            Did::NoAnswer(at, value) => {
                let fate = self.fates[worker_at(id)];
                cx.because(if fate.cut { fate.note } else { self.trouble });
                ("no-answer", at, value)
            }
            Did::Begins(at, value) => {
                if self.knobs().kept == Kept::Nobody {
                    cx.because(NoteId::NONE);
                }
                self.judge.begins(value);
                ("begins", at, value)
            }
            Did::Done(at, value) => {
                let lane = &self.judge.lanes[worker_at(id)];
                let began = lane.believes().map_or(self.now, |bar| bar.from);
                let counts = self.judge.done(at, began, cx.now());
                self.cluster.protocol.order = self.judge.order();
                self.sample(cx);
                (if counts { "done" } else { "done-in-vain" }, at, value)
            }
            Did::Stops(at, value, by_store) => {
                self.judge.tally.stopped += u32::from(!by_store);
                (
                    if by_store {
                        "stops-refused"
                    } else {
                        "stops-clock"
                    },
                    at,
                    value,
                )
            }
            Did::Renewed(at, value) => {
                self.judge.tally.renewed += 1;
                if at != CONVERTER {
                    self.judge.lanes[worker_at(id)].renewed.push_back(cx.now());
                }
                ("more-time", at, value)
            }
            Did::NotRenewed(at, value) => ("no-more-time", at, value),
        };
        let said = note(word, me, &[Arg::Part(me), Arg::Part(place(at))]).dot(dot(value));
        let warns = word == "no-more-time";
        cx.say(if warns { said.mark(Tone::Warn) } else { said });
    }

    /// The store has refused a block: its token, and the highest that was seen.
    fn refused(&mut self, at: u8, value: Value, tokens: [u64; 2], cx: Cx<'_, '_>) {
        let writer = worker_at(of(value).0);
        let tally = &mut self.judge.tally;
        tally.refused += 1;
        tally.first_refused.get_or_insert(cx.now());
        if let Some(sleeper) = self.sleeper.filter(|one| one.awake && one.value == value) {
            tally.fenced += u32::from(!sleeper.late);
            self.sleeper = None;
        }
        self.judge.lanes[writer]
            .blocks
            .push_back((cx.now(), Block::Refused));
        cx.because(self.judge.places[usize::from(at)].grant);
        let [token, seen] = tokens.map(|token| Arg::Count(token as i64));
        let told = [token, seen, Arg::Part(worker_part(writer))];
        cx.say(
            note("store-refuses", file(at), &told)
                .dot(dot(value))
                .mark(Tone::Ok),
        );
    }

    /// A lock server has followed an order, or not.
    fn ordered(
        &mut self,
        id: Id,
        command: Command,
        done: bool,
        before: Option<Held>,
        cx: Cx<'_, '_>,
    ) {
        let (at, value) = (command.place, command.value);
        let held_by = before.map_or(value, |held| held.value);
        let (word, third) = match (command.order, done) {
            (Order::Acquire { .. }, true) => ("gives", whose(value)),
            (Order::Acquire { .. }, false) => match before {
                Some(held) => {
                    if let Some(place) = self.judge.places.get(usize::from(at)) {
                        // Its holder's death explains more than how it got it.
                        let holder = worker_at(of(held.value).0);
                        let dead = self.worker(holder).is_none();
                        cx.because(if dead {
                            self.fates[holder].note
                        } else {
                            place.grant
                        });
                    }
                    ("is-taken", whose(held.value))
                }
                None => ("is-closed", whose(value)),
            },
            (Order::Renew { .. }, true) => ("renews", whose(value)),
            (Order::Renew { .. }, false) => ("renews-not", whose(value)),
            (Order::Delete, true) if held_by != value => ("deletes", whose(held_by)),
            (Order::Release | Order::Delete, true) => ("frees", whose(value)),
            (Order::Release, false) if held_by != value => ("keeps", whose(held_by)),
            (Order::Release | Order::Delete, false) => return,
        };
        let told = [Arg::Part(server(id)), Arg::Part(place(at)), third];
        let mut said = note(
            word,
            if at == CONVERTER { SEATS } else { server(id) },
            &told,
        )
        .dot(dot(value));
        if word == "deletes" && id == self.authority() {
            self.judge.tally.foreign += 1;
            said = said.mark(Tone::Bad);
        }
        let note = cx.say(said);
        if word == "deletes"
            && let Some(place) = self.judge.places.get_mut(usize::from(at))
        {
            place.ended = note;
        }
    }

    /// A worker has a lock.
    fn gets(&mut self, at: usize, hold: Hold, cx: Cx<'_, '_>) {
        let Hold { value, token, .. } = hold;
        let (me, what) = (worker_part(at), Arg::Part(place(hold.place)));
        if hold.place == CONVERTER {
            cx.say(note("gets-seat", me, &[Arg::Part(me), what]).dot(dot(value)));
            let gone = |seat: &Value| self.says(CONVERTER).iter().all(|held| held.value != *seat);
            let lost = self
                .death
                .and_then(|death| death.seat)
                .is_some_and(|seat| gone(&seat));
            if let Some(death) = self.death.as_mut().filter(|_| lost) {
                death.seat_back.get_or_insert(cx.now());
            }
            return;
        }
        let others: Vec<usize> = self
            .judge
            .believers(hold.place)
            .filter(|other| *other != at)
            .collect();
        let told = [Arg::Part(me), what, Arg::Count(token as i64)];
        let word = match (token, others.is_empty()) {
            (0, true) => "gets-random",
            (0, false) => "gets-random-too",
            (_, true) => "gets",
            (_, false) => "gets-too",
        };
        let mut said = note(word, me, &told).dot(dot(value));
        let ended = self.judge.places[usize::from(hold.place)].ended;
        if !others.is_empty() {
            let lease = self.knobs().ttl();
            let short = Time::from_s(self.knobs().work).0 / 1_000 < lease;
            // Who waits for a permit spends its lease.
            let limited = self.knobs().limited();
            let asleep = others
                .iter()
                .any(|other| !self.cluster.runs(worker(*other)));
            let tally = &mut self.judge.tally;
            tally.overlaps += 1;
            tally.awake += u32::from(!asleep && short && !limited);
            if tally.foreign > 0 {
                tally.walked_in.get_or_insert(cx.now());
            }
            said = said.mark(Tone::Bad);
            cx.because(if ended == NoteId::NONE {
                self.trouble
            } else {
                ended
            });
        }
        let note = cx.say(said);
        self.judge.places[usize::from(hold.place)].grant = note;
        if let Some(death) = &mut self.death
            && (death.file, death.worker != at) == (hold.place, true)
        {
            death.back.get_or_insert(cx.now());
        }
    }

    /// The store has taken a block.
    fn wrote(&mut self, at: u8, block: u8, value: Value, by_token: Option<bool>, cx: Cx<'_, '_>) {
        let writer = worker_at(of(value).0);
        let late = self.judge.wrote(at, value, by_token);
        let kind = if late { Block::Late } else { Block::Wrote };
        self.judge.lanes[writer].blocks.push_back((cx.now(), kind));
        let told = [
            count(block),
            Arg::Part(worker_part(writer)),
            Arg::Part(file(at)),
        ];
        let said = if late {
            self.judge.tally.first_late.get_or_insert(cx.now());
            cx.because(self.judge.places[usize::from(at)].grant);
            note("lands-late", file(at), &told).dot(dot(value))
        } else {
            note("writes", file(at), &told).dot(dot(value))
        };
        let marked = late && self.marks.due(cx.now());
        cx.say(if marked { said.mark(Tone::Bad) } else { said });
        let mixed = self.files()[usize::from(at)].is_mixed();
        self.judge.tally.mixed += u32::from(block == BLOCKS && mixed);
        if let Some(sleeper) = self.sleeper.as_mut().filter(|one| one.value == value) {
            sleeper.late |= late;
            if block == BLOCKS {
                let harmless = sleeper.awake && sleeper.lost && !sleeper.late;
                self.judge.tally.delayed += u32::from(harmless);
                self.sleeper = None;
            }
        }
    }

    fn sample(&mut self, cx: Cx<'_, '_>) {
        let tally = self.judge.tally;
        for (probe, passes) in [(probe::COUNTED, tally.counted), (probe::VAIN, tally.vain)] {
            if let Some(rate) = tally.a_minute(passes) {
                cx.sample(probe, rate);
            }
        }
    }

    /// What everybody believes and what the service says, compared with what was.
    fn watch(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        for at in 0..WORKERS {
            let believes = self.worker(at).and_then(|worker| {
                let held = worker.holds.first().map(|hold| (hold.place, hold.value));
                held.or(worker.writes)
            });
            self.judge.believes(at, believes, now);
        }
        let mut says = [None; FILES];
        let mut vacant = 0;
        for (at, says) in says.iter_mut().enumerate() {
            let held = self.says(at as u8).first().copied();
            let was = self.judge.places[at].says;
            if let Some(was) = was.filter(|was| held.is_none_or(|held| held.value != was.value)) {
                self.ends(at as u8, was, cx);
            }
            if let Some(held) =
                held.filter(|held| held.until < FOREVER && held.until != self.due[at])
            {
                self.due[at] = held.until;
                let end = Time(held.until * 1_000);
                cx.schedule(end.since(now), Event::Look);
            }
            let orphan = held.is_some_and(|held| {
                let (id, number) = of(held.value);
                self.worker(worker_at(id))
                    .is_none_or(|worker| number <= worker.born)
            });
            vacant += u32::from(orphan || held.is_none() && self.is_closed(at as u8));
            *says = held;
        }
        self.judge.says(says, |value| worker_at(of(value).0), now);
        self.judge.passes_time(vacant, now);
        cx.sample(probe::VACANT, self.judge.vacant);
        let most = (0..FILES as u8)
            .map(|file| self.judge.believers(file).count())
            .max();
        let most = most.unwrap_or(0);
        self.judge.two.set(most > 1, now);
        if most != self.judge.most {
            self.judge.most = most;
            cx.sample(probe::HOLDERS, most as f64);
        }
    }

    /// Whether nobody gets a file because its last lease was lost.
    pub(super) fn is_closed(&self, at: u8) -> bool {
        let id = self.authority();
        let now = self.cluster.protocol.clock(id);
        let leases = self
            .server(id)
            .map_or(&[][..], |server| server.table.place(at));
        leases.iter().any(|lease| lease.closed(now).is_some())
    }

    /// The service does not say any more that this one holds a file.
    fn ends(&mut self, at: u8, was: Held, cx: Cx<'_, '_>) {
        if was.until * 1_000 > cx.now().0 {
            return; // It was released, or forgotten.
        }
        let holder = worker_at(of(was.value).0);
        let place = &self.judge.places[usize::from(at)];
        let believes = self.judge.believers(at).any(|other| other == holder);
        let dead = self.worker(holder).is_none();
        let told = [Arg::Part(file(at)), whose(was.value)];
        let part = server(self.authority());
        let fate = self.fates[holder];
        cx.because(match fate.note {
            NoteId::NONE => place.grant,
            note => note,
        });
        if let Some(sleeper) = self.sleeper.as_mut().filter(|one| one.value == was.value) {
            sleeper.lost = true;
        }
        if believes {
            let said = note("ends-unknown", part, &told).dot(dot(was.value));
            self.judge.places[usize::from(at)].ended = cx.say(said.mark(Tone::Warn));
        } else if dead {
            let said = note("ends-dead", part, &told).dot(dot(was.value));
            self.judge.places[usize::from(at)].ended = cx.say(said.mark(Tone::Plain));
        }
    }

    // ---- what a learner breaks ----

    /// What was to happen to a worker happens.
    fn strike(&mut self, at: usize, cx: Cx<'_, '_>) {
        let Some(blow) = self.fates[at].blow.take() else {
            return;
        };
        let (id, part) = (worker(at), worker_part(at));
        let holds = self
            .worker(at)
            .map(|worker| (worker.holds.clone(), worker.writes));
        let (holds, writes) = holds.unwrap_or_default();
        cx.because(self.fates[at].note);
        match blow {
            Blow::Freezes => {
                if !self.cluster.pause(id, cx.now()) {
                    return;
                }
                self.fates[at].wakes = Some(cx.now() + SLEEP);
                self.judge.lanes[at].frozen.push_back((cx.now(), None));
                let said = note("freezes", part, &[Arg::Part(part)]).mark(Tone::Bad);
                self.fates[at].note = cx.say(said.begins("frozen", at as u16));
                cx.schedule(SLEEP, Event::Wake(at as u8, self.fates[at].count));
                self.sleeper = writes.map(|(_, value)| Sleeper {
                    value,
                    lost: false,
                    awake: false,
                    late: false,
                });
            }
            Blow::Dies => {
                if !self.cluster.crash(id, cx.now()) {
                    return;
                }
                self.wake(at, cx.now());
                let said = note("dies", part, &[Arg::Part(part)]).mark(Tone::Bad);
                self.fates[at].note = cx.say(said.begins("dead", at as u16));
                let seat = holds.iter().find(|hold| hold.place == CONVERTER);
                self.death = holds.first().map(|hold| Death {
                    worker: at,
                    at: cx.now(),
                    file: hold.place,
                    back: None,
                    seat: seat.map(|hold| hold.value),
                    seat_back: None,
                });
            }
        }
    }

    /// The end of a worker's sleep.
    fn wake(&mut self, at: usize, now: Time) {
        self.fates[at].wakes = None;
        let frozen = self.judge.lanes[at].frozen.back_mut();
        if let Some((_, to)) = frozen.filter(|(_, to)| to.is_none()) {
            *to = Some(now);
        }
    }

    fn kill_server(&mut self, id: Id, word: &'static str, cx: Cx<'_, '_>) {
        if !self.cluster.crash(id, cx.now()) {
            return;
        }
        // What it had not sent yet dies with it: a copy's lag is the time before.
        let copies: Vec<Key> = self
            .cluster
            .flights()
            .filter(|(_, flight)| flight.from == id && matches!(flight.word, Word::Copy(..)))
            .map(|(key, _)| key)
            .collect();
        for key in copies {
            self.cluster.lose(key, cx.now());
        }
        self.troubles += 1;
        let said = note(word, server(id), &[Arg::Part(server(id))]).mark(Tone::Bad);
        self.trouble = cx.say(said.begins("down", id.into()));
        if self.knobs().kept == Kept::Copy && id == self.cluster.protocol.primary {
            cx.schedule(TAKES_OVER, Event::TakeOver(self.troubles));
        }
    }

    fn take_over(&mut self, cx: Cx<'_, '_>) {
        let primary = self.cluster.protocol.primary;
        let other = 3 - primary;
        if !self.cluster.is_up(primary) && self.cluster.is_up(other) {
            self.cluster.protocol.primary = other;
            cx.because(self.trouble);
            let said = note("takes-over", server(other), &[Arg::Part(server(other))]);
            self.trouble = cx.say(said.mark(Tone::Plain));
        }
    }

    fn restart_server(&mut self, id: Id, cx: Cx<'_, '_>) {
        let turn = self.cluster.boot(id);
        let said =
            note("server-restarts", server(id), &[Arg::Part(server(id))]).mark(Tone::Learner);
        self.trouble = cx.say(said.ends("down", id.into()));
        self.take(turn, cx);
        if self.knobs().kept == Kept::Copy {
            self.take_over(cx);
            let primary = self.cluster.protocol.primary;
            if primary != id
                && let Some((_, turn)) = self.cluster.ask(primary, id)
            {
                self.take(Some(turn), cx);
            }
        }
    }

    /// Whether an action can be done to a part.
    #[cfg(test)]
    pub(super) fn can_act(&self, spec: usize, target: usize) -> bool {
        self.can(Act { spec, target })
    }

    /// Who holds the first file, or else anybody.
    fn holder(&self) -> usize {
        self.judge.believers(0).next().unwrap_or(0)
    }
}

/// The actions, in the order of the buttons.
pub(super) mod deed {
    pub(crate) const FREEZE: usize = 0;
    pub(crate) const KILL: usize = 1;
    pub(crate) const RESTART: usize = 2;
    pub(crate) const KILL_SERVER: usize = 3;
    pub(crate) const RESTART_SERVER: usize = 4;
    pub(crate) const KILL_AFTER: usize = 5;
    pub(crate) const JUMP: usize = 6;
    pub(crate) const SLOW: usize = 7;
    pub(crate) const CUT: usize = 8;
    pub(crate) const HEAL: usize = 9;
    pub(crate) const LOSE: usize = 11;
    pub(crate) const HOLD: usize = 12;
}

impl Model for Locks {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Locks {
        let cluster = Cluster::new(House::of(knobs), usize::from(STORE));
        let mut locks = Locks::of(cluster, cx.now());
        locks.begin(knobs, cx);
        locks
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.cluster.protocol.now = cx.now();
        match event {
            Event::Net(event) => {
                let turn = self.cluster.on_event(event, cx);
                self.take(turn, cx);
            }
            Event::Look => {}
            Event::Strike(at, count) => {
                if self.fates[usize::from(at)].count == count {
                    self.strike(at.into(), cx);
                }
            }
            Event::Wake(at, count) => {
                let at = usize::from(at);
                if self.fates[at].count == count && self.cluster.resume(worker(at)) {
                    self.wake(at, cx.now());
                    if let Some(sleeper) = &mut self.sleeper {
                        sleeper.awake = true;
                    }
                    let said = note("wakes", worker_part(at), &[Arg::Part(worker_part(at))]);
                    self.fates[at].note = cx.say(said.mark(Tone::Plain).ends("frozen", at as u16));
                    while let Some(turn) = self.cluster.next_held(worker(at), cx) {
                        self.take(Some(turn), cx);
                    }
                }
            }
            Event::TakeOver(count) if count == self.troubles => self.take_over(cx),
            Event::TakeOver(_) => {}
        }
        self.watch(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let anew = |of: &Settings| (of.kept, of.workers, of.permits);
        if anew(knobs) != anew(self.knobs()) {
            self.begin(knobs, cx);
        } else {
            self.cluster.protocol.set(knobs);
            self.cluster.protocol.now = cx.now();
            self.judge.turned(cx.now());
        }
        self.watch(cx);
    }

    fn can(&self, act: Act) -> bool {
        let at = act.target;
        let there = at < self.knobs().workers as usize;
        let id = aimed_at(at);
        let serves = id <= self.knobs().servers();
        let locks = self.knobs().kept != Kept::Nobody;
        match act.spec {
            deed::FREEZE => there && self.cluster.runs(worker(at)) && self.fates[at].blow.is_none(),
            deed::KILL => there && self.cluster.is_up(worker(at)) && self.fates[at].blow.is_none(),
            deed::RESTART => there && !self.cluster.is_up(worker(at)),
            deed::KILL_SERVER => serves && self.cluster.is_up(id),
            deed::RESTART_SERVER => serves && !self.cluster.is_up(id),
            deed::KILL_AFTER => locks && !self.doomed && self.cluster.is_up(self.authority()),
            deed::JUMP => serves && self.cluster.is_up(id),
            deed::SLOW => !self.slow,
            deed::CUT => there && locks && !self.fates[at].cut,
            deed::HEAL => self.fates.iter().any(|fate| fate.cut),
            deed::LOSE | deed::HOLD => self.cluster.has_dot(at as u32),
            _ => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let favourite = match spec {
            deed::KILL_SERVER | deed::JUMP => usize::from(self.authority()) - 1,
            deed::RESTART_SERVER => 0,
            deed::LOSE | deed::HOLD => {
                return self.cluster.newest_dot().unwrap_or_default() as usize;
            }
            _ => self.holder(),
        };
        aim(favourite, WORKERS, |target| self.can(Act { spec, target }))
    }

    fn on_action(&mut self, act: Act, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.cluster.protocol.now = cx.now();
        let (at, id) = (act.target, aimed_at(act.target));
        let part = if at < WORKERS { worker_part(at) } else { SCORE };
        let does = |word, part: PartId, cx: Cx<'_, '_>| {
            cx.because(NoteId::NONE);
            cx.say(note(word, part, &[Arg::Part(part)]).mark(Tone::Learner))
        };
        match act.spec {
            deed::FREEZE | deed::KILL => {
                let (word, blow) = match act.spec {
                    deed::FREEZE => ("will-freeze", Blow::Freezes),
                    _ => ("will-die", Blow::Dies),
                };
                let note = does(word, part, cx);
                let fate = &mut self.fates[at];
                (fate.blow, fate.count, fate.note) = (Some(blow), fate.count + 1, note);
                let count = fate.count;
                cx.schedule(STRUCK_BY, Event::Strike(at as u8, count));
                // Who is frozen writes nothing more.
                if !self.cluster.runs(worker(at)) {
                    self.strike(at, cx);
                }
            }
            deed::RESTART => {
                cx.because(NoteId::NONE);
                let said = note("restarts", part, &[Arg::Part(part)]).mark(Tone::Learner);
                cx.say(said.ends("dead", at as u16));
                self.fates[at].note = NoteId::NONE;
                let turn = self.cluster.boot(worker(at));
                self.take(turn, cx);
            }
            deed::KILL_SERVER => {
                cx.because(NoteId::NONE);
                self.kill_server(id, "server-dies", cx);
            }
            deed::RESTART_SERVER => {
                cx.because(NoteId::NONE);
                self.restart_server(id, cx);
            }
            deed::KILL_AFTER => {
                self.doomed = true;
                does("will-die-of-it", server(self.authority()), cx);
            }
            deed::JUMP => {
                self.cluster.protocol.ahead[at] += JUMP;
                self.trouble = does("jumps", server(id), cx);
            }
            deed::LOSE | deed::HOLD => {
                let hold = (act.spec == deed::HOLD).then_some(HELD_UP);
                let dot = at as u32;
                if let Some((count, ..)) = self.cluster.by_hand(dot, hold, cx) {
                    let word = if hold.is_some() {
                        "held-up"
                    } else {
                        "lost-by-hand"
                    };
                    let told = [Arg::Count(count as i64), Arg::Span(HELD_UP)];
                    cx.say(note(word, SCORE, &told).dot(dot).mark(Tone::Learner));
                }
            }
            deed::SLOW => {
                self.slow = true;
                does("slow", SCORE, cx);
            }
            deed::CUT => {
                for server in 1..=SERVERS {
                    self.cluster.cut_link(worker(at), server, true, cx.now());
                }
                self.fates[at].cut = true;
                self.fates[at].note = does("cut", part, cx);
            }
            deed::HEAL => {
                self.cluster.net.heal();
                for fate in &mut self.fates {
                    fate.cut = false;
                }
                does("heals", SCORE, cx);
            }
            _ => {
                does("again", SCORE, cx);
                self.begin(knobs, cx);
            }
        }
        self.watch(cx);
    }

    fn bytes(&self) -> usize {
        let log = |id: Id| {
            let raft = self.server(id)?.raft.as_ref()?;
            Some(size_of_val(raft.disk.log.entries()))
        };
        self.cluster.bytes() + 24_000 + (1..=SERVERS).filter_map(log).sum::<usize>()
    }

    fn audit(&self) -> Result<(), String> {
        self.judge.audit()?;
        self.cluster.audit()
    }
}
