//! Copies of everything on several nodes, with tunable quorums: a write is answered once W of N have stored it, a read once R have
//! told what they have, and the newest of these is taken.
//!
//! After Gifford, "Weighted voting for replicated data" (SOSP 1979), and DeCandia et al., "Dynamo" (SOSP 2007): hinted handoff
//! and stand-ins (sloppy quorums). A read that repairs before it answers is that of Attiya, Bar-Noy and Dolev, "Sharing memory
//! robustly in message-passing systems" (JACM 1995), as Cassandra and ScyllaDB have it: only the R that were asked are repaired.
//!
//! There is one writer, so versions of a key are 1, 2, 3 and so on, and nothing conflicts. Nodes 1 to [`Replicated::replicas`]
//! stand on a ring and store; the first N of them are home to every key. Nodes above coordinate what their client asks, as a
//! client's library does in Dynamo and Voldemort. Nodes know no time: an [`Ask`] says when it is asked, in the unit of the settings.

use crate::protocol::{Id, OutOf, Protocol, Wind};
use std::collections::VecDeque;

/// So many keys a node has room for.
pub const KEYS: usize = 12;
/// The most replicas there may be.
pub const REPLICAS_MAX: usize = 5;

/// What a node has of a key; version 0 is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// A later version replaces an earlier one.
    pub version: u32,
    /// What was written.
    pub value: u32,
}

/// What a read does about copies that it finds behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Nothing.
    Off,
    /// It answers, and sends them the newest afterwards; late answers are compared, too.
    Behind,
    /// It sends those of the R that are behind the newest and answers when they have it.
    First,
}

/// Whom a stored copy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A write, and the node whose copy it is: another than the receiver if that one stands in.
    Write(u32, Id),
    /// A read that repairs.
    Repair(u32),
    /// A hint that comes home.
    Hint,
}

/// What nodes tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Store this.
    Store(u8, Cell, Why),
    /// It is stored, or was older than what is.
    Stored(u8, u32, Why),
    /// What is your copy of this key? With the number of the read.
    Get(u8, u32),
    /// This.
    Got(u8, Cell, u32),
}

/// The clocks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The next request is out of time.
    Late,
    /// Hints are offered again.
    Offer,
    /// This node is tried again.
    Again(Id),
}

/// What clients ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Write a value; to these nodes only, as bits, if any are named.
    Write(u8, u32, Option<u8>, u64),
    /// Read a key.
    Read(u8, u64),
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for enough answers.
    Waits,
    /// A read waits for its repairs to be stored.
    Repairs,
    /// It was answered; what still comes may be of use.
    Answered,
    /// It was out of time. Nothing is undone.
    Failed,
}

/// A request that a node coordinates. Sets of nodes are bits: that of node 1 is the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number at its coordinator.
    pub number: u32,
    /// Whether it reads.
    pub read: bool,
    /// Its key.
    pub key: u8,
    /// What is written, or the newest that was heard of.
    pub cell: Cell,
    /// So many answers are needed.
    pub needs: u32,
    /// Who was asked, who has answered, and whose answers counted.
    pub asked: u8,
    /// See `asked`.
    pub heard: u8,
    /// See `asked`.
    pub counted: u8,
    /// How far it is.
    pub state: State,
    /// When it was asked.
    pub at: u64,
    until: u64,
    /// For whom each node was asked.
    home: [Id; REPLICAS_MAX],
    told: [u32; REPLICAS_MAX],
    mending: u8,
}

/// A copy that is kept for a node that did not acknowledge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// For whom.
    pub home: Id,
    /// The key.
    pub key: u8,
    /// What it missed.
    pub cell: Cell,
    /// So many more times it is offered.
    left: u64,
    /// It was sent since it was last offered.
    sent: bool,
}

/// What outlives a crash: cells, hints, and what became of hints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// The cells; at a writer what it has last written.
    pub cells: [Cell; KEYS],
    /// What is kept for others.
    pub hints: Vec<Hint>,
    /// Hints ever kept.
    pub kept: u32,
    /// Hints that were taken.
    pub taken: u32,
    /// Hints that were given up, or of which a newer one is kept.
    pub dropped: u32,
}

/// A node that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which.
    pub me: Id,
    /// What it has written.
    pub disk: Disk,
    /// What it coordinates, in the order of asking.
    pub requests: VecDeque<Request>,
    /// Nodes that it passes over.
    pub passed: u8,
    /// Requests that its last step has answered or failed.
    pub done: Vec<Request>,
    /// The number of its next request.
    pub next: u32,
    /// When its clock for late requests ends; 0 if it stands still.
    late: u64,
}

/// The settings of a group. Spans are in one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replicated {
    /// Nodes that store; at most [`REPLICAS_MAX`].
    pub replicas: Id,
    /// Copies of each key.
    pub n: Id,
    /// A write waits for so many.
    pub w: Id,
    /// A read waits for so many.
    pub r: Id,
    /// What reads repair.
    pub repair: Repair,
    /// Whether a coordinator keeps what was not acknowledged in time.
    pub hints: bool,
    /// Whether the next on the ring takes the place of a home that does not answer, and counts.
    pub stand_ins: bool,
    /// A request fails after so long.
    pub timeout: u64,
    /// A hint is offered so often.
    pub offer: u64,
    /// A hint is kept so long.
    pub keep: u64,
    /// A home that missed a time-out is passed over for so long.
    pub pass: u64,
}

/// The bit of a node in a set.
pub const fn bit(id: Id) -> u8 {
    if id == 0 || id as usize > REPLICAS_MAX {
        return 0;
    }
    1 << (id - 1)
}

fn members(set: u8) -> impl Iterator<Item = Id> {
    (1..=REPLICAS_MAX as Id).filter(move |id| set & bit(*id) != 0)
}

impl Node {
    /// A request that is not yet forgotten.
    pub fn request(&mut self, number: u32) -> Option<&mut Request> {
        let first = self.requests.front()?.number;
        self.requests.get_mut(number.checked_sub(first)? as usize)
    }

    /// A later version replaces an earlier one; a late copy of an old one changes nothing.
    fn store(&mut self, key: u8, cell: Cell) {
        if let Some(mine) = self.disk.cells.get_mut(usize::from(key))
            && mine.version < cell.version
        {
            *mine = cell;
        }
    }

    /// The hint for this home and key is over if it is no newer than that.
    fn unhint(&mut self, home: Id, key: u8, version: u32) -> bool {
        let old =
            |hint: &Hint| hint.home == home && hint.key == key && hint.cell.version <= version;
        let found = self.disk.hints.iter().position(old);
        found.map(|at| self.disk.hints.remove(at)).is_some()
    }
}

impl Replicated {
    /// Nodes to be asked, each with the home that it is asked for.
    fn plan(&self, node: &Node) -> [(Id, Id); REPLICAS_MAX] {
        let mut plan = [(0, 0); REPLICAS_MAX];
        let mut spare = self.n + 1;
        for home in 1..=self.n.min(self.replicas) {
            let mut to = home;
            if self.stand_ins && node.passed & bit(home) != 0 {
                while spare <= self.replicas && node.passed & bit(spare) != 0 {
                    spare += 1;
                }
                if spare <= self.replicas {
                    to = spare;
                    spare += 1;
                }
            }
            plan[usize::from(home) - 1] = (to, home);
        }
        plan
    }

    // region: write
    /// All copies leave at once; the answer waits for the W-th acknowledgement.
    fn acknowledged(node: &mut Node, from: Id, number: u32) {
        let Some(write) = node.request(number) else {
            return; // Too late: what has failed stays failed, and the copy stays, too.
        };
        write.heard |= bit(from);
        if write.state == State::Waits && write.heard.count_ones() >= write.needs {
            (write.state, write.counted) = (State::Answered, write.heard);
            let done = *write;
            node.done.push(done);
        }
    }
    // endregion

    // region: read
    /// The newest of the first R answers is taken.
    fn told(&self, node: &mut Node, from: Id, cell: Cell, number: u32, out: &mut OutOf<Self>) {
        let Some(read) = node.request(number) else {
            return;
        };
        read.heard |= bit(from);
        if read.state == State::Repairs {
            return; // What it will answer stands.
        }
        if let Some(told) = read.told.get_mut(usize::from(from) - 1) {
            *told = cell.version;
        }
        let late = read.state != State::Waits;
        if cell.version > read.cell.version && !(late && self.repair != Repair::Behind) {
            read.cell = cell;
        }
        if !late && read.heard.count_ones() >= read.needs {
            read.counted = read.heard;
            if self.repair == Repair::First {
                Self::mend(read, out);
            }
            read.state = if read.mending == 0 {
                State::Answered
            } else {
                State::Repairs
            };
            if read.state == State::Answered {
                let done = *read;
                node.done.push(done);
            }
        }
        if self.repair == Repair::Behind
            && let Some(read) = node.request(number)
            && read.state == State::Answered
        {
            Self::mend(read, out);
        }
    }
    // endregion

    // region: repair
    /// Whoever has answered with an older version is sent the newest.
    fn mend(read: &mut Request, out: &mut OutOf<Self>) {
        for id in members(read.heard) {
            let told = &mut read.told[usize::from(id) - 1];
            if *told < read.cell.version {
                *told = read.cell.version;
                read.mending |= bit(id);
                let why = Why::Repair(read.number);
                out.send(id, Word::Store(read.key, read.cell, why));
            }
        }
    }

    /// A repair is stored; a read that waited for it answers with the last of them.
    fn mended(node: &mut Node, from: Id, number: u32) {
        let Some(read) = node.request(number) else {
            return;
        };
        read.mending &= !bit(from);
        if read.state == State::Repairs && read.mending == 0 {
            read.state = State::Answered;
            let done = *read;
            node.done.push(done);
        }
    }
    // endregion

    // region: late
    /// A request is out of time: it fails unless it was answered; what was missed is kept as hints.
    fn give_up(&self, node: &mut Node, mut request: Request, out: &mut OutOf<Self>) {
        let missed = request.asked & !request.heard;
        for id in members(missed) {
            if !request.read && self.hints {
                let home = request.home[usize::from(id) - 1];
                self.hint(node, home, request.key, request.cell, out);
            }
            if self.stand_ins {
                node.passed |= bit(id);
                out.wind(Timer::Again(id), Wind::After(self.pass));
            }
        }
        if matches!(request.state, State::Waits | State::Repairs) {
            request.state = State::Failed;
            request.counted = request.heard;
            node.done.push(request);
        }
    }
    // endregion

    /// Keeps a copy for a home, the newest of each key.
    fn hint(&self, node: &mut Node, home: Id, key: u8, cell: Cell, out: &mut OutOf<Self>) {
        let left = self.keep / self.offer.max(1);
        let disk = &mut node.disk;
        disk.kept += 1;
        let mut same = disk.hints.iter_mut();
        match same.find(|hint| hint.home == home && hint.key == key) {
            Some(hint) => {
                disk.dropped += 1;
                if hint.cell.version < cell.version {
                    (hint.cell, hint.left) = (cell, left);
                }
            }
            None => {
                if disk.hints.is_empty() {
                    out.wind(Timer::Offer, Wind::After(self.offer));
                }
                disk.hints.push(Hint {
                    home,
                    key,
                    cell,
                    left,
                    sent: false,
                });
            }
        }
    }
    /// One hint for each home is offered; those that have been offered often enough are given up.
    fn offer(&self, node: &mut Node, out: &mut OutOf<Self>) {
        let before = node.disk.hints.len();
        node.disk.hints.retain(|hint| hint.left > 0);
        node.disk.dropped += (before - node.disk.hints.len()) as u32;
        let mut offered = 0;
        for hint in &mut node.disk.hints {
            hint.left -= 1;
            hint.sent = offered & bit(hint.home) == 0;
            if hint.sent {
                offered |= bit(hint.home);
                out.send(hint.home, Word::Store(hint.key, hint.cell, Why::Hint));
            }
        }
        if !node.disk.hints.is_empty() {
            out.wind(Timer::Offer, Wind::After(self.offer));
        }
    }

    /// A home has taken a hint, so it is back: it is sent all others at once.
    fn taken(&self, node: &mut Node, home: Id, key: u8, version: u32, out: &mut OutOf<Self>) {
        if !node.unhint(home, key, version) {
            return;
        }
        node.disk.taken += 1;
        if node.me > self.n
            && let Some(mine) = node.disk.cells.get_mut(usize::from(key))
            && node.me <= self.replicas
            && mine.version <= version
        {
            *mine = Cell::default(); // It stood in; the copy is home.
        }
        node.passed &= !bit(home);
        let others = node.disk.hints.iter_mut();
        for hint in others.filter(|hint| hint.home == home && !hint.sent) {
            hint.sent = true;
            out.send(home, Word::Store(hint.key, hint.cell, Why::Hint));
        }
    }

    /// Forgets requests of which nothing more can come, from the oldest on.
    fn tidy(&self, node: &mut Node) {
        while let Some(first) = node.requests.front() {
            let waits_on = match first.read {
                true => self.repair == Repair::Behind || self.stand_ins,
                false => self.hints || self.stand_ins,
            };
            let over = match first.state {
                State::Waits | State::Repairs => false,
                State::Answered => !waits_on || first.heard == first.asked,
                State::Failed => true,
            };
            if !over {
                break;
            }
            node.requests.pop_front();
        }
    }

    /// The clock for late requests ends no later than that.
    fn watch(node: &mut Node, now: u64, until: u64, out: &mut OutOf<Self>) {
        if node.late == 0 || until < node.late {
            node.late = until.max(now + 1);
            out.wind(Timer::Late, Wind::After(node.late - now));
        }
    }
}

impl Protocol for Replicated {
    type Node = Node;
    type Disk = Disk;
    type Word = Word;
    type Timer = Timer;
    type Ask = Ask;

    fn boot(&self, me: Id, disk: Option<Disk>, out: &mut OutOf<Self>) -> Node {
        let disk = disk.unwrap_or_default();
        if !disk.hints.is_empty() {
            out.wind(Timer::Offer, Wind::After(self.offer));
        }
        Node {
            me,
            disk,
            requests: VecDeque::new(),
            passed: 0,
            done: Vec::new(),
            next: 0,
            late: 0,
        }
    }

    fn hear(&self, node: &mut Node, from: Id, word: Word, out: &mut OutOf<Self>) {
        node.done.clear();
        match word {
            Word::Store(key, cell, why) => {
                node.store(key, cell);
                if let Why::Write(_, home) = why
                    && home != node.me
                {
                    self.hint(node, home, key, cell, out);
                }
                out.send(from, Word::Stored(key, cell.version, why));
            }
            Word::Stored(key, version, Why::Write(number, _)) => {
                // A hint may have been kept for what comes only now.
                node.disk.taken += u32::from(node.unhint(from, key, version));
                Self::acknowledged(node, from, number);
            }
            Word::Stored(_, _, Why::Repair(number)) => Self::mended(node, from, number),
            Word::Stored(key, version, Why::Hint) => self.taken(node, from, key, version, out),
            Word::Get(key, number) => {
                let cell = node.disk.cells.get(usize::from(key)).copied();
                out.send(from, Word::Got(key, cell.unwrap_or_default(), number));
            }
            Word::Got(_, cell, number) => self.told(node, from, cell, number, out),
        }
        self.tidy(node);
    }

    fn ring(&self, node: &mut Node, timer: Timer, out: &mut OutOf<Self>) {
        node.done.clear();
        match timer {
            Timer::Late => {
                let now = std::mem::take(&mut node.late);
                for at in 0..node.requests.len() {
                    let request = node.requests[at];
                    if request.until <= now && request.state != State::Failed {
                        self.give_up(node, request, out);
                        node.requests[at].state = State::Failed;
                    }
                }
                self.tidy(node);
                let left = node.requests.iter().filter(|one| one.until > now);
                if let Some(until) = left.map(|one| one.until).min() {
                    Self::watch(node, now, until, out);
                }
            }
            Timer::Offer => self.offer(node, out),
            Timer::Again(id) => node.passed &= !bit(id),
        }
    }

    fn ask(&self, node: &mut Node, what: Ask, out: &mut OutOf<Self>) -> bool {
        node.done.clear();
        let (read, key, at) = match what {
            Ask::Write(key, _, _, now) => (false, key, now),
            Ask::Read(key, now) => (true, key, now),
        };
        let Some(last) = node.disk.cells.get_mut(usize::from(key)) else {
            return false;
        };
        let mut cell = Cell::default();
        let mut only = u8::MAX;
        if let Ask::Write(_, value, to, _) = what {
            cell = Cell {
                version: last.version + 1,
                value,
            };
            *last = cell;
            only = to.unwrap_or(only);
        }
        let number = node.next;
        node.next += 1;
        let needs = if read { self.r } else { self.w };
        let mut request = Request {
            number,
            read,
            key,
            cell,
            needs: u32::from(needs.clamp(1, self.n)),
            asked: 0,
            heard: 0,
            counted: 0,
            state: State::Waits,
            at,
            until: at + self.timeout,
            home: [0; REPLICAS_MAX],
            told: [0; REPLICAS_MAX],
            mending: 0,
        };
        for (to, home) in self.plan(node) {
            if to == 0 || only & bit(to) == 0 {
                continue;
            }
            request.asked |= bit(to);
            request.home[usize::from(to) - 1] = home;
            out.send(
                to,
                if read {
                    Word::Get(key, number)
                } else {
                    Word::Store(key, cell, Why::Write(number, home))
                },
            );
        }
        node.requests.push_back(request);
        Self::watch(node, at, at + self.timeout, out);
        true
    }

    fn disk(&self, node: &Node) -> Disk {
        node.disk.clone()
    }

    /// Nobody has a version that was never written; what was answered had enough answers; no hint is made up or forgotten.
    fn sound(&self, nodes: &[Option<&Node>]) -> Result<(), String> {
        for node in nodes.iter().copied().flatten() {
            let (disk, me) = (&node.disk, node.me);
            if disk.kept != disk.taken + disk.dropped + disk.hints.len() as u32 {
                return Err(format!("{me}: hints {disk:?}"));
            }
            let few = |one: &&Request| {
                one.state == State::Answered && one.counted.count_ones() < one.needs
            };
            if let Some(one) = node.requests.iter().find(few) {
                return Err(format!("{me}: answered too soon: {one:?}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
