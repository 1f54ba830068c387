//! The protocol: lock servers, workers and a store that write to each other. One table of locks stands on one server or on several,
//! is copied, or is fed from a log; workers ask as many of them as it takes, always in the same way.

use super::settings::{Kept, Settings};
use algorithms::fencing::{Fence, Token};
use algorithms::lease_lock::{
    Command, FOREVER, Held, Order, Outcome, Poll, Table, Value, majority, quorum,
};
use algorithms::protocol::{Id, Out, OutOf, Protocol, Wind};
use algorithms::raft::{self, Raft};
use engine::random::unit;
use engine::{Glyph, Ink, Time};
use kit::cluster::{Dice, Face};

/// Lock servers are nodes 1 to 5, workers 6 to 10.
pub(super) const SERVERS: Id = 5;
pub(super) const WORKERS: usize = 5;
/// What workers write to.
pub(super) const STORE: Id = 11;
pub(super) const FILES: usize = 3;
/// The place of the converter among the locks, after the files.
pub(super) const CONVERTER: u8 = 3;
/// A file is written in so many blocks.
pub(super) const BLOCKS: u8 = 10;

/// Between a worker's look at its lease and the write, µs.
const LOOK: u64 = 1_000;
/// Who was refused asks again after so long, µs, and up to so much more.
const RETRY: (u64, u64) = (100_000, 200_000);
/// An answer that takes longer than so many one ways does not count.
const PATIENCE: u64 = 6;

/// The node of a worker, counted from 0.
pub(super) fn worker(at: usize) -> Id {
    SERVERS + 1 + at as Id
}

/// Which worker a node is, counted from 0.
pub(super) fn worker_at(id: Id) -> usize {
    usize::from(id.saturating_sub(SERVERS + 1))
}

/// Whose value it is, as a node, and its number there.
pub(super) fn of(value: Value) -> (Id, u32) {
    ((value >> 32) as Id, value as u32)
}

/// The dot of everything that belongs to one try for a lock.
pub(super) fn dot(value: Value) -> u32 {
    let (worker, number) = of(value);
    (number << 4) + u32::from(worker)
}

/// An entry of the log, stamped by the leader's clock, ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A worker's order, which it sent then.
    Do(Command, u64, u64),
    /// A new leader does not know how much of each lease is over: all are given anew, from then on for so long.
    Anew(u64, u64),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// An order, and when it was sent by the worker's clock, ms, by which it knows the answer.
    Ask(Command, u64),
    Told(Command, u64, Option<Token>),
    /// The server does not lead: who does, as far as it knows.
    Elsewhere(Command, u64, Option<Id>),
    /// The whole table, for the copy, and whose order has changed it.
    Copy(Table, Value),
    Raft(raft::Word<Entry>),
    /// Block so many of a file, by the holder of this lock.
    Block(u8, u8, Value, Token),
    /// The store has seen a higher token for this file.
    Refused(u8, Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Raft(raft::Timer),
    /// A worker looks for work.
    Seek,
    /// No answer in time.
    Late,
    /// It has the next block, and looks whether it may write it.
    Look,
    Write,
    Renew,
}

/// What somebody has just done that is worth a note.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Did {
    /// A server followed an order or refused it; who held the lock before.
    Order(Command, Option<Token>, Option<Held>),
    /// A server leads, and gives all leases anew.
    Leads,
    /// The copy has heard of a change.
    Copied,
    /// A worker asks for a lock.
    Asks(u8, Value),
    /// It has it.
    Gets(Hold),
    /// It was refused; it had no answer in time.
    Misses(u8, Value),
    NoAnswer(u8, Value),
    /// It begins to write, and has finished.
    Begins(u8, Value),
    Done(u8, Value),
    /// It stops: its own clock says that its lease is over, or the store has refused it.
    Stops(u8, Value, bool),
    /// It has more time; it has asked for it too late.
    Renewed(u8, Value),
    NotRenewed(u8, Value),
    /// The store took a block; whether it had seen a higher token before.
    Wrote(u8, u8, Value, Token, bool),
    /// It refused one: it has seen a token so high.
    Refused(u8, Value, Token, Token),
}

#[derive(Clone, Debug)]
pub(super) struct Server {
    me: Id,
    pub(super) table: Table,
    pub(super) raft: Option<raft::Node<Entry>>,
    /// Entries that the table has followed.
    pub(super) applied: u64,
}

/// A lock that a worker believes to have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hold {
    pub(super) place: u8,
    pub(super) value: Value,
    pub(super) token: Token,
    /// Until when, by its own clock, ms.
    pub(super) until: u64,
    renewal: Option<Poll>,
}

#[derive(Clone, Debug)]
pub(super) struct Worker {
    me: Id,
    /// Tries so far, and how many there were before it was started: numbers are not used twice.
    number: u32,
    pub(super) born: u32,
    /// How many files it has been refused since it began to look.
    round: usize,
    pub(super) asks: Option<(u8, Value, Poll)>,
    pub(super) holds: Vec<Hold>,
    /// The file it writes, under which lock, and the blocks that it has written.
    pub(super) writes: Option<(u8, Value)>,
    pub(super) blocks: u8,
    /// Whom it takes for the leader, and whom it took for it when it asked for more time.
    leader: Id,
    renewed_by: Id,
}

/// A file: who wrote each of its blocks, and the highest token that was seen for it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct File {
    pub(super) cells: [Option<Value>; BLOCKS as usize],
    pub(super) fence: Fence,
    /// It has refused somebody since it was written last.
    pub(super) refused: bool,
}

impl File {
    /// Whether more than one has written what stands in it.
    pub(super) fn is_mixed(&self) -> bool {
        let mut written = self.cells.iter().flatten();
        let first = written.next();
        written.any(|value| Some(value) != first)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Role {
    Server(Server),
    Worker(Worker),
    Store(Box<[File; FILES]>),
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) role: Role,
    /// What it did when it was last asked, heard or woken.
    pub(super) did: Vec<Did>,
}

/// What a crash leaves: a server's locks if it keeps them, and its log; a worker's count of tries.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    table: Option<Table>,
    log: raft::Disk<Entry>,
    number: u32,
}

/// The rules, and what everybody can look up.
#[derive(Clone, Debug)]
pub(super) struct House {
    pub(super) knobs: Settings,
    raft: Raft<Entry>,
    /// What time it is.
    pub(super) now: Time,
    /// So far are the servers' clocks ahead, ms.
    pub(super) ahead: [u64; SERVERS as usize],
    /// Of server and copy, who is asked.
    pub(super) primary: Id,
    /// The files, first the one that was finished longest ago.
    pub(super) order: [u8; FILES],
}

type Outs = OutOf<House>;

impl House {
    pub(super) fn of(knobs: &Settings) -> House {
        let mut house = House {
            knobs: knobs.clone(),
            raft: Raft::of(SERVERS),
            now: Time::ZERO,
            ahead: [0; SERVERS as usize],
            primary: 1,
            order: [0, 1, 2],
        };
        house.set(knobs);
        house
    }

    /// Clocks of an election are long beside the network: at 50 ms, 500 and up to 500 more.
    pub(super) fn set(&mut self, knobs: &Settings) {
        let way = knobs.one_way();
        (self.raft.least, self.raft.spread) = (10 * way, 10 * way);
        self.raft.heartbeat = 3 * way;
        self.knobs = knobs.clone();
    }

    /// A server's clock, ms.
    pub(super) fn clock(&self, server: Id) -> u64 {
        let at = usize::from(server).saturating_sub(1);
        self.ms() + self.ahead.get(at).copied().unwrap_or(0)
    }

    /// A worker's clock, ms.
    pub(super) fn ms(&self) -> u64 {
        self.now.0 / 1_000
    }

    fn table(&self) -> Table {
        Table::of(&[1, 1, 1, self.knobs.permits as usize])
    }

    /// How many servers must give a lock.
    pub(super) fn needs(&self, place: u8) -> u32 {
        match (self.knobs.kept, place) {
            (Kept::Majority, CONVERTER) => quorum(SERVERS.into(), self.knobs.permits),
            (Kept::Majority, _) => majority(SERVERS.into()),
            _ => 1,
        }
    }

    /// Whom a worker asks.
    fn asked(&self, worker: &Worker) -> std::ops::RangeInclusive<Id> {
        match self.knobs.kept {
            Kept::Nobody | Kept::One => 1..=1,
            Kept::Copy => self.primary..=self.primary,
            Kept::Majority => 1..=SERVERS,
            Kept::Log => worker.leader..=worker.leader,
        }
    }

    // ---- servers ----

    fn ordered(
        &self,
        server: &mut Server,
        from: Id,
        what: (Command, u64),
        node: &mut Vec<Did>,
        out: &mut Outs,
    ) {
        let (command, sent) = what;
        let (me, now) = (server.me, self.clock(server.me));
        let Some(raft) = &server.raft else {
            let next = server.table.given + 1;
            let token = follow(&mut server.table, command, next, now, node);
            out.send(from, Word::Told(command, sent, token));
            if token.is_some() && self.knobs.kept == Kept::Copy && me == self.primary {
                out.send(3 - me, Word::Copy(server.table.clone(), command.value));
            }
            return;
        };
        if raft.role != raft::Role::Leader {
            return out.send(from, Word::Elsewhere(command, sent, raft.leader));
        }
        // What its own table refuses need not be written down.
        let acquires = matches!(command.order, Order::Acquire { .. });
        let holder = server.table.held(command.place, now);
        if let (true, Some(holder), true) = (acquires, holder, command.place < CONVERTER) {
            node.push(Did::Order(command, None, Some(holder)));
            return out.send(from, Word::Told(command, sent, None));
        }
        self.raft(server, node, out, |rules, raft, out| {
            rules.ask(raft, Entry::Do(command, sent, now), out);
        });
    }

    /// Lets the log's protocol act, follows what it has committed, and begins as a leader if it has become one.
    fn raft(
        &self,
        server: &mut Server,
        did: &mut Vec<Did>,
        out: &mut Outs,
        act: impl FnOnce(&Raft<Entry>, &mut raft::Node<Entry>, &mut OutOf<Raft<Entry>>),
    ) {
        let now = self.clock(server.me);
        let Some(raft) = &mut server.raft else { return };
        let led = raft.role == raft::Role::Leader;
        let mut own = Out::default();
        act(&self.raft, raft, &mut own);
        let leads = raft.role == raft::Role::Leader;
        if leads && !led {
            did.push(Did::Leads);
            self.raft
                .ask(raft, Entry::Anew(now, self.knobs.ttl()), &mut own);
        }
        out.sent.extend(
            own.sent
                .into_iter()
                .map(|(to, word)| (to, Word::Raft(word))),
        );
        let wound = own.wound.into_iter();
        out.wound
            .extend(wound.map(|(timer, wind)| (Timer::Raft(timer), wind)));
        let committed = raft.disk.log.entries().iter().zip(1..);
        let fresh = committed
            .take(raft.commit as usize)
            .skip(server.applied as usize);
        for (entry, index) in fresh {
            match entry.command {
                // region: log
                Some(Entry::Do(command, sent, at)) => {
                    let mut told = Vec::new();
                    let token = follow(&mut server.table, command, index, at, &mut told);
                    if leads {
                        did.append(&mut told);
                        out.send(of(command.value).0, Word::Told(command, sent, token));
                    }
                }
                Some(Entry::Anew(at, ttl)) => server.table.anew(at, ttl),
                // endregion
                None => {}
            }
        }
        server.applied = raft.commit;
    }

    // ---- workers ----

    /// Sends an order to all who keep this lock.
    fn order(&self, worker: &Worker, command: Command, out: &mut Outs) {
        for to in self.asked(worker) {
            out.send(to, Word::Ask(command, self.ms()));
        }
    }

    fn poll(&self, worker: &Worker, place: u8) -> Poll {
        let stores = self.asked(worker).count() as u32;
        Poll::of(stores, self.needs(place), self.ms(), self.knobs.ttl())
    }

    fn seek(&self, worker: &mut Worker, did: &mut Vec<Did>, out: &mut Outs) {
        // Who has a file waits for the converter.
        let place = match worker.holds.is_empty() {
            false => CONVERTER,
            true => self.order[worker.round.min(FILES - 1)],
        };
        worker.number += 1;
        let value = (Value::from(worker.me) << 32) + Value::from(worker.number);
        if self.knobs.kept == Kept::Nobody {
            return self.begin(worker, (place, value), did, out);
        }
        did.push(Did::Asks(place, value));
        worker.asks = Some((place, value, self.poll(worker, place)));
        let (ttl, delay) = (self.knobs.ttl(), self.knobs.delay_ms());
        let order = Order::Acquire { ttl, delay };
        let command = Command {
            place,
            value,
            order,
        };
        self.order(worker, command, out);
        self.wait(out);
    }

    /// It gives an answer so long.
    fn wait(&self, out: &mut Outs) {
        let span = PATIENCE * self.knobs.one_way();
        out.wind(Timer::Late, Wind::After(span));
    }

    fn begin(&self, worker: &mut Worker, what: (u8, Value), did: &mut Vec<Did>, out: &mut Outs) {
        (worker.writes, worker.blocks, worker.round) = (Some(what), 0, 0);
        did.push(Did::Begins(what.0, what.1));
        out.wind(Timer::Look, Wind::After(self.block()));
    }

    /// From block to block, µs.
    fn block(&self) -> u64 {
        Time::from_s(self.knobs.work).0 / u64::from(BLOCKS) - LOOK
    }

    fn rest(out: &mut Outs) {
        let (least, spread) = RETRY;
        out.wind(Timer::Seek, Wind::Within { least, spread });
    }

    fn gets(&self, worker: &mut Worker, hold: Hold, did: &mut Vec<Did>, out: &mut Outs) {
        (worker.asks, worker.round) = (None, 0);
        out.wind(Timer::Late, Wind::Off);
        did.push(Did::Gets(hold));
        worker.holds.push(hold);
        if worker.holds.len() == 1 && self.knobs.renew && self.knobs.ttl() < FOREVER {
            out.wind(Timer::Renew, Wind::After(self.third()));
        }
        let file = worker.holds[0];
        if hold.place < CONVERTER && self.knobs.limited() {
            self.seek(worker, did, out);
        } else {
            self.begin(worker, (file.place, file.value), did, out);
        }
    }

    /// A third of the lease, µs.
    fn third(&self) -> u64 {
        self.knobs.ttl() * 1_000 / 3
    }

    /// It was refused, or has had no answer: every server is asked to free what it may have given.
    fn misses(&self, worker: &mut Worker, answered: bool, did: &mut Vec<Did>, out: &mut Outs) {
        let Some((place, value, poll)) = worker.asks.take() else {
            return;
        };
        out.wind(Timer::Late, Wind::Off);
        did.push(match answered {
            true => Did::Misses(place, value),
            false => Did::NoAnswer(place, value),
        });
        if poll.yes() > 0 || !answered {
            let order = Order::Release;
            self.order(
                worker,
                Command {
                    place,
                    value,
                    order,
                },
                out,
            );
        }
        if !answered && self.knobs.kept == Kept::Log {
            worker.leader = worker.leader % SERVERS + 1;
        }
        worker.round += 1;
        if answered && place < CONVERTER && worker.round < FILES {
            self.seek(worker, did, out);
        } else {
            worker.round = 0;
            House::rest(out);
        }
    }

    /// A server has answered.
    fn told(
        &self,
        worker: &mut Worker,
        from: Id,
        what: (Command, u64, Option<Token>),
        did: &mut Vec<Did>,
        out: &mut Outs,
    ) {
        let (command, sent, given) = what;
        let store = u32::from(from) - 1;
        let (place, value) = (command.place, command.value);
        match command.order {
            Order::Acquire { .. } => {
                let asks = worker.asks.as_mut().filter(|(_, asked, _)| *asked == value);
                let Some((_, _, poll)) = asks else {
                    // Of a try that is over: it needs it no more, unless this is one server more than it took.
                    let holds = worker.holds.iter().any(|hold| hold.value == value);
                    if given.is_some() && !holds {
                        let order = Order::Release;
                        out.send(
                            from,
                            Word::Ask(
                                Command {
                                    place,
                                    value,
                                    order,
                                },
                                self.ms(),
                            ),
                        );
                    }
                    return;
                };
                match poll.answer(store, given, self.ms()) {
                    Outcome::Open => {}
                    Outcome::Lost => self.misses(worker, true, did, out),
                    Outcome::Held { until, token } => {
                        let renewal = None;
                        let hold = Hold {
                            place,
                            value,
                            token,
                            until,
                            renewal,
                        };
                        self.gets(worker, hold, did, out);
                    }
                }
            }
            Order::Renew { .. } => {
                let mut holds = worker.holds.iter_mut();
                let Some(hold) = holds.find(|hold| hold.value == value) else {
                    return;
                };
                let Some(poll) = hold.renewal.as_mut().filter(|poll| poll.asked == sent) else {
                    return;
                };
                match poll.answer(store, given, self.ms()) {
                    Outcome::Open => return,
                    // The work is not told: it runs on beside the thread that renews.
                    Outcome::Lost => did.push(Did::NotRenewed(place, value)),
                    Outcome::Held { until, .. } => {
                        hold.until = until;
                        did.push(Did::Renewed(place, value));
                    }
                }
                hold.renewal = None;
            }
            Order::Release | Order::Delete => {}
        }
    }

    fn renew(&self, worker: &mut Worker, out: &mut Outs) {
        if !self.knobs.renew || self.knobs.ttl() == FOREVER {
            return;
        }
        // Who did not answer the last time leads no more, perhaps.
        let silent = worker.holds.iter().any(|hold| hold.renewal.is_some());
        if silent && self.knobs.kept == Kept::Log && worker.renewed_by == worker.leader {
            worker.leader = worker.leader % SERVERS + 1;
        }
        worker.renewed_by = worker.leader;
        for at in 0..worker.holds.len() {
            let Hold { place, value, .. } = worker.holds[at];
            worker.holds[at].renewal = Some(self.poll(worker, place));
            let order = Order::Renew {
                ttl: self.knobs.ttl(),
            };
            self.order(
                worker,
                Command {
                    place,
                    value,
                    order,
                },
                out,
            );
        }
        out.wind(Timer::Renew, Wind::After(self.third()));
    }

    /// It has no file any more, and gives back what it believes to have.
    fn leave(&self, worker: &mut Worker, out: &mut Outs) {
        (worker.writes, worker.blocks) = (None, 0);
        for hold in std::mem::take(&mut worker.holds).into_iter().rev() {
            let (place, value) = (hold.place, hold.value);
            // region: release
            let order = match self.knobs.checked || place == CONVERTER {
                true => Order::Release,
                false => Order::Delete,
            };
            self.order(
                worker,
                Command {
                    place,
                    value,
                    order,
                },
                out,
            );
            // endregion
        }
        for timer in [Timer::Renew, Timer::Look, Timer::Write] {
            out.wind(timer, Wind::Off);
        }
        House::rest(out);
    }

    // region: look
    /// It has the next block, and may look at the clock; whatever happens before it writes, it has looked.
    fn look(&self, worker: &mut Worker, did: &mut Vec<Did>, out: &mut Outs) {
        let Some((file, value)) = worker.writes else {
            return;
        };
        let over = worker.holds.iter().any(|hold| hold.until <= self.ms());
        if self.knobs.looks && over {
            did.push(Did::Stops(file, value, false));
            return self.leave(worker, out);
        }
        out.wind(Timer::Write, Wind::After(LOOK));
    }
    // endregion

    fn write(&self, worker: &mut Worker, did: &mut Vec<Did>, out: &mut Outs) {
        let Some((file, value)) = worker.writes else {
            return;
        };
        worker.blocks += 1;
        let token = worker.holds.first().map_or(0, |hold| hold.token);
        out.send(STORE, Word::Block(file, worker.blocks, value, token));
        if worker.blocks == BLOCKS {
            did.push(Did::Done(file, value));
            self.leave(worker, out);
        } else {
            out.wind(Timer::Look, Wind::After(self.block()));
        }
    }

    // ---- the store ----

    fn block_lands(
        &self,
        files: &mut [File; FILES],
        from: Id,
        what: (u8, u8, Value, Token),
        did: &mut Vec<Did>,
        out: &mut Outs,
    ) {
        let (at, block, value, token) = what;
        let file = &mut files[usize::from(at)];
        // region: store
        let seen = file.fence.seen;
        let late = !file.fence.admits(token);
        if late && self.knobs.fence {
            file.refused = true;
            did.push(Did::Refused(at, value, token, seen));
            return out.send(from, Word::Refused(at, value));
        }
        // endregion
        if block == 1 {
            (file.cells, file.refused) = ([None; BLOCKS as usize], false);
        }
        file.cells[usize::from(block) - 1] = Some(value);
        did.push(Did::Wrote(at, block, value, token, late));
    }
}

/// A table follows an order, and it is told who held the lock before.
fn follow(
    table: &mut Table,
    command: Command,
    next: Token,
    now: u64,
    did: &mut Vec<Did>,
) -> Option<Token> {
    let before = table.held(command.place, now);
    let token = table.apply(command, next, now);
    did.push(Did::Order(command, token, before));
    token
}

impl Protocol for House {
    type Node = Node;
    type Disk = Disk;
    type Word = Word;
    type Timer = Timer;
    /// The primary sends its whole table to the other one.
    type Ask = Id;

    fn boot(&self, me: Id, disk: Option<Disk>, out: &mut Outs) -> Node {
        let again = disk.is_some();
        let disk = disk.unwrap_or_default();
        let role = if me == STORE {
            Role::Store(Box::default())
        } else if me > SERVERS {
            // One after another, so that the first is there first.
            let turn = worker_at(me) as u64 * self.knobs.one_way() * 6 / 5;
            let elects = if self.knobs.kept == Kept::Log { 5 } else { 0 };
            out.wind(
                Timer::Seek,
                Wind::After(turn + elects * self.knobs.one_way()),
            );
            Role::Worker(Worker {
                me,
                number: disk.number,
                born: disk.number,
                round: 0,
                asks: None,
                holds: Vec::new(),
                writes: None,
                blocks: 0,
                leader: 1,
                renewed_by: 1,
            })
        } else {
            let mut table = disk.table.unwrap_or_else(|| self.table());
            if again && self.knobs.waits && self.knobs.ttl() < FOREVER {
                table.opens = self.clock(me) + self.knobs.ttl();
            }
            let mut server = Server {
                me,
                table,
                raft: None,
                applied: 0,
            };
            if self.knobs.kept == Kept::Log {
                let mut own = Out::default();
                server.raft = Some(self.raft.boot(me, Some(disk.log), &mut own));
                // Its log knows.
                server.table = self.table();
                out.wound.extend(
                    own.wound
                        .into_iter()
                        .map(|(timer, wind)| (Timer::Raft(timer), wind)),
                );
            }
            Role::Server(server)
        };
        let did = Vec::new();
        Node { role, did }
    }

    fn hear(&self, node: &mut Node, from: Id, word: Word, out: &mut Outs) {
        let did = &mut node.did;
        did.clear();
        match (&mut node.role, word) {
            (Role::Server(server), Word::Ask(command, sent)) => {
                self.ordered(server, from, (command, sent), did, out);
            }
            (Role::Server(server), Word::Copy(table, _)) => {
                server.table = table;
                did.push(Did::Copied);
            }
            (Role::Server(server), Word::Raft(word)) => {
                self.raft(server, did, out, |rules, raft, out| {
                    rules.hear(raft, from, word, out)
                });
            }
            (Role::Worker(worker), Word::Told(command, sent, given)) => {
                self.told(worker, from, (command, sent, given), did, out);
            }
            (Role::Worker(worker), Word::Elsewhere(command, sent, leader)) => {
                if let Some(leader) = leader.filter(|leader| *leader != from) {
                    worker.leader = leader;
                    out.send(leader, Word::Ask(command, sent));
                    if worker.asks.is_some() {
                        self.wait(out);
                    }
                }
            }
            (Role::Worker(worker), Word::Refused(_, value)) => {
                if let Some((file, _)) = worker.writes.filter(|(_, writes)| *writes == value) {
                    did.push(Did::Stops(file, value, true));
                    self.leave(worker, out);
                }
            }
            (Role::Store(files), Word::Block(file, block, value, token)) => {
                self.block_lands(files, from, (file, block, value, token), did, out);
            }
            _ => {}
        }
    }

    fn ring(&self, node: &mut Node, timer: Timer, out: &mut Outs) {
        let did = &mut node.did;
        did.clear();
        match (&mut node.role, timer) {
            (Role::Server(server), Timer::Raft(timer)) => {
                self.raft(server, did, out, |rules, raft, out| {
                    rules.ring(raft, timer, out)
                });
            }
            (Role::Worker(worker), Timer::Seek) => self.seek(worker, did, out),
            (Role::Worker(worker), Timer::Late) => self.misses(worker, false, did, out),
            (Role::Worker(worker), Timer::Look) => self.look(worker, did, out),
            (Role::Worker(worker), Timer::Write) => self.write(worker, did, out),
            (Role::Worker(worker), Timer::Renew) => self.renew(worker, out),
            _ => {}
        }
    }

    fn ask(&self, node: &mut Node, to: Id, out: &mut Outs) -> bool {
        node.did.clear();
        if let Role::Server(server) = &node.role {
            out.send(to, Word::Copy(server.table.clone(), 0));
        }
        true
    }

    fn disk(&self, node: &Node) -> Disk {
        match &node.role {
            Role::Server(server) => Disk {
                table: self.knobs.keeps.then(|| server.table.clone()),
                log: server
                    .raft
                    .as_ref()
                    .map(|raft| raft.disk.clone())
                    .unwrap_or_default(),
                number: 0,
            },
            Role::Worker(worker) => Disk {
                number: worker.number,
                ..Disk::default()
            },
            Role::Store(_) => Disk::default(),
        }
    }

    /// Raft's own; what the others promise is the judge's.
    fn sound(&self, nodes: &[Option<&Node>]) -> Result<(), String> {
        let raft = |node: &Option<&Node>| match &node.as_ref()?.role {
            Role::Server(server) => server.raft.as_ref().cloned(),
            _ => None,
        };
        let nodes: Vec<Option<raft::Node<Entry>>> = nodes.iter().map(raft).collect();
        let nodes: Vec<Option<&raft::Node<Entry>>> = nodes.iter().map(Option::as_ref).collect();
        self.raft.sound(&nodes)
    }
}

impl Face for House {
    type Brief = ();

    fn brief(&self, _: &Node) {}

    fn travel(&self, word: &Word, dice: &mut Dice) -> Time {
        let way = self.knobs.one_way() as f64 * (0.75 + 0.5 * unit(dice));
        match word {
            Word::Copy(..) => Time::from_ms(self.knobs.lag),
            _ => Time(way as u64),
        }
    }

    fn look(word: &Word) -> Option<(Glyph, Ink)> {
        match word {
            Word::Ask(..) => Some((Glyph::Request, Ink::Accent)),
            Word::Told(_, _, Some(_)) => Some((Glyph::Response, Ink::Ok)),
            Word::Told(_, _, None) | Word::Elsewhere(..) | Word::Refused(..) => {
                Some((Glyph::Failure, Ink::Warn))
            }
            Word::Copy(..) => Some((Glyph::Message, Ink::Hit)),
            // What only says that the leader is alive is not drawn.
            Word::Raft(raft::Word::Append { entries, .. }) if !entries.is_empty() => {
                Some((Glyph::Message, Ink::Hit))
            }
            Word::Raft(_) => None,
            Word::Block(..) => Some((Glyph::Replica, Ink::Accent)),
        }
    }

    /// Everything that comes of a try for a lock has one dot, also between servers.
    fn dot(_: (Id, Id), word: &Word, _: u32) -> u32 {
        let of_entry = |entry: &raft::Entry<Entry>| match entry.command {
            Some(Entry::Do(command, ..)) => Some(dot(command.value)),
            _ => None,
        };
        match word {
            Word::Ask(command, _) | Word::Told(command, _, _) | Word::Elsewhere(command, _, _) => {
                dot(command.value)
            }
            Word::Block(_, _, value, _) | Word::Refused(_, value) | Word::Copy(_, value) => {
                dot(*value)
            }
            Word::Raft(raft::Word::Append { entries, .. }) => {
                entries.iter().rev().find_map(of_entry).unwrap_or(0)
            }
            Word::Raft(_) => 0,
        }
    }
}
