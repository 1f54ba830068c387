//! The store: accounts with locks and versions, and what a worker does to them operation by operation.

use super::settings::Way;
use algorithms::lock_table::{Answer, LockTable, Mode, Row};
use algorithms::versioned::{Seen, Table};
use engine::Time;
use kit::bench::{Craft, Verdict};

/// What is on each account at first.
pub(super) const BALANCE: i64 = 100;
/// So long somebody is away for a coffee.
pub(super) const COFFEE: Time = Time::s(5);

/// What a worker does; each operation is one step, and the commit none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Reads the account of this place in its list.
    Read(usize),
    /// Is away, with all that it has.
    Coffee,
    /// Computes, on a processor.
    Compute,
    /// Writes all accounts of its list.
    Write,
    /// What is written holds, or is refused.
    Commit,
}

/// A transfer, or another job on some accounts.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Jobs are numbered as they begin; the lower number is the older job, however often it is tried again.
    pub(super) number: u32,
    /// The accounts in the order in which they are read, and what is added to each.
    pub(super) changes: Vec<(Row, i64)>,
    pub(super) compute: Time,
    /// How many operations are over, and how often it began.
    pub(super) at: usize,
    pub(super) tries: u32,
    pub(super) seen: Vec<Seen>,
    /// What this try has cost in work.
    pub(super) spent: Time,
    pub(super) since: Time,
    /// Whether a try is under way.
    pub(super) open: bool,
    /// An account on which it wrote over a change.
    pub(super) overwrote: Option<Row>,
}

impl Job {
    pub(super) fn next(&self) -> Op {
        match self.at.checked_sub(self.changes.len()) {
            None => Op::Read(self.at),
            Some(0) => Op::Compute,
            Some(1) => Op::Write,
            Some(_) => Op::Commit,
        }
    }

    /// Whether it has computed, and will end by itself.
    pub(super) fn writes(&self) -> bool {
        self.at > self.changes.len()
    }
}

/// The accounts, and who is at what.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) way: Way,
    pub(super) table: Table,
    pub(super) locks: LockTable,
    /// The job of each hand.
    pub(super) jobs: Vec<Option<Job>>,
    pub(super) processors: usize,
    pub(super) statement: Time,
    /// Who computes, and then who waits for a processor.
    pub(super) computes: Vec<usize>,
    /// The account that made the last refusal, as it is.
    pub(super) newer: Option<Seen>,
    /// What ought to be on all accounts together, as long as nobody writes over a change.
    pub(super) books: i64,
}

impl Store {
    /// A step of reading is over: what was read is what is there now.
    pub(super) fn read(&mut self, hand: usize, place: usize) {
        if let Some(job) = &mut self.jobs[hand]
            && let Some(seen) = self.table.read(job.changes[place].0)
        {
            job.seen.push(seen);
        }
    }

    /// A hand lets go of everything. Returns who has what it waited for.
    pub(super) fn let_go(&mut self, hand: usize) -> Vec<usize> {
        self.computes.retain(|one| *one != hand);
        self.locks.release(hand)
    }

    pub(super) fn age(&self, hand: usize) -> u64 {
        let job = self.jobs[hand].as_ref();
        job.map_or(u64::MAX, |job| job.number.into())
    }

    fn commit(&mut self, hand: usize) -> Verdict {
        let Some(job) = &mut self.jobs[hand] else {
            return Verdict::Refused;
        };
        let changes = job.seen.iter().zip(&job.changes);
        let writes: Vec<(Row, i64)> = changes
            .map(|(seen, (row, more))| (*row, seen.data.value + more))
            .collect();
        if self.way == Way::Later {
            self.newer = self.table.commit(&job.seen, &writes).err();
            if self.newer.is_some() {
                return Verdict::Refused;
            }
        } else {
            let mut seen = job.seen.iter();
            let stale = seen.find(|seen| self.table.is_stale(seen));
            job.overwrote = stale.map(|seen| seen.row);
            self.table.write(&writes);
        }
        self.books += job.changes.iter().map(|(_, more)| more).sum::<i64>();
        if job.overwrote.is_some() {
            // Money has come or gone: from here on the books follow the accounts.
            self.books = self.table.rows().iter().map(|row| row.value).sum();
        }
        Verdict::Done
    }
}

impl Craft for Store {
    type Op = Op;
    type Step = Op;

    // region: run
    fn run(&mut self, hand: usize, op: &Op, trace: &mut dyn FnMut(Op)) -> Verdict {
        match *op {
            Op::Commit => return self.commit(hand),
            Op::Read(place) if self.way == Way::Ask => {
                let row = self.jobs[hand].as_ref().map(|job| job.changes[place].0);
                let asked = row.map(|row| self.locks.ask(hand, row, Mode::Exclusive));
                if asked != Some(Answer::Granted) {
                    return Verdict::Waits;
                }
            }
            Op::Compute => {
                if !self.computes.contains(&hand) {
                    self.computes.push(hand);
                }
                let mut first = self.computes.iter().take(self.processors);
                if !first.any(|one| *one == hand) {
                    return Verdict::Waits;
                }
            }
            Op::Read(_) | Op::Coffee | Op::Write => {}
        }
        trace(*op);
        Verdict::Done
    }
    // endregion

    fn begin(&mut self, hand: usize, step: Op) -> Time {
        match step {
            Op::Read(_) | Op::Write => self.statement,
            Op::Coffee => COFFEE,
            Op::Compute => self.jobs[hand]
                .as_ref()
                .map_or(Time::ZERO, |job| job.compute),
            Op::Commit => Time::ZERO,
        }
    }
}
