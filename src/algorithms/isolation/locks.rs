//! Locks on rows and on what conditions match, first come first served; circles of waiting.

use super::{Data, Database, Db, Id, Reason, State, Stop, Transaction, Tx};
use crate::waits_for::circle;

/// How a row is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// With others that only read.
    Shared,
    /// Alone.
    Exclusive,
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A row.
    Row(Id, Mode),
    /// To write something that conditions of others may match.
    Place(Id, Data),
}

/// Who holds what, and who waits, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Locks {
    held: Vec<(Id, Tx, Mode)>,
    queue: Vec<(Tx, Wanted)>,
}

impl Locks {
    pub(super) fn holds(&self, tx: Tx, id: Id, mode: Mode) -> bool {
        let mut held = self.held.iter();
        held.any(|(row, by, how)| *row == id && *by == tx && *how >= mode)
    }

    pub(super) fn take(&mut self, tx: Tx, id: Id, mode: Mode) {
        self.give(tx, id);
        self.held.push((id, tx, mode));
    }

    pub(super) fn give(&mut self, tx: Tx, id: Id) {
        self.held.retain(|(row, by, _)| *row != id || *by != tx);
    }

    pub(super) fn release(&mut self, tx: Tx) {
        self.held.retain(|(_, by, _)| *by != tx);
        self.queue.retain(|(by, _)| *by != tx);
    }

    pub(super) fn wanted(&self, tx: Tx) -> Option<Wanted> {
        let mut queue = self.queue.iter();
        queue.find(|(by, _)| *by == tx).map(|(_, wanted)| *wanted)
    }

    pub(super) fn holders(&self, id: Id) -> Vec<Tx> {
        let held = self.held.iter().filter(|(row, ..)| *row == id);
        held.map(|(_, by, _)| *by).collect()
    }

    fn held_by(&self, tx: Tx) -> usize {
        self.held.iter().filter(|(_, by, _)| *by == tx).count()
    }
}

impl Transaction {
    /// Whether what is put here would meet one of its conditions; of one that still scans, only where it has been.
    fn locked(&self, id: Id, data: Data) -> bool {
        let scans = self.pending.as_ref().filter(|pending| pending.scans);
        let whole = self.conditions.len() - usize::from(scans.is_some());
        let mut conditions = self.conditions.iter().enumerate();
        conditions.any(|(n, on)| {
            on.matches(id, data) && (n < whole || scans.is_some_and(|pending| id < pending.from))
        })
    }
}

impl Db {
    // region: lock
    /// Takes a lock, or waits for it. A circle of waiting is broken at once.
    pub(super) fn lock(&mut self, tx: Tx, wanted: Wanted) -> Result<(), Stop> {
        loop {
            let whom = self.blockers(tx, wanted);
            if whom.is_empty() {
                self.locks.queue.retain(|(by, _)| *by != tx);
                if let Wanted::Row(id, mode) = wanted
                    && !self.locks.holds(tx, id, mode)
                {
                    self.locks.take(tx, id, mode);
                }
                return Ok(());
            }
            if self.locks.wanted(tx).is_none() {
                self.locks.queue.push((tx, wanted));
            }
            let Some(circle) = circle(tx, |one| self.waits_for(one)) else {
                return Err(Stop::Wait(whom));
            };
            let victim = self.victim(tx, &circle);
            if victim == tx {
                return Err(Stop::Refuse(Reason::Deadlock));
            }
            self.woken.push(victim);
            self.end(victim, State::Aborted(Some(Reason::Deadlock)));
            // What that released may have been given to this one already.
            self.woken.retain(|one| *one != tx);
        }
    }
    // endregion

    /// Who must end, or get the row first, before somebody may go on.
    pub(super) fn blockers(&self, tx: Tx, wanted: Wanted) -> Vec<Tx> {
        let mut whom = Vec::new();
        match wanted {
            Wanted::Row(id, mode) => {
                if self.locks.holds(tx, id, mode) {
                    return whom;
                }
                let clash = |other: Mode| mode == Mode::Exclusive || other == Mode::Exclusive;
                for (row, by, how) in &self.locks.held {
                    if *row == id && *by != tx && clash(*how) {
                        whom.push(*by);
                    }
                }
                let before = self.locks.queue.iter().take_while(|(by, _)| *by != tx);
                for (by, other) in before {
                    if let Wanted::Row(row, how) = *other
                        && row == id
                        && clash(how)
                        && !whom.contains(by)
                    {
                        whom.push(*by);
                    }
                }
            }
            Wanted::Place(id, data) => {
                for (by, other) in self.transactions.iter().enumerate() {
                    let active = by != tx && other.state == State::Active;
                    if active && other.locked(id, data) {
                        whom.push(by);
                    }
                }
            }
        }
        whom
    }

    /// Somebody's locks are gone: who waits is served in the order in which they came.
    pub(super) fn grant(&mut self) {
        let mut n = 0;
        while let Some((tx, wanted)) = self.locks.queue.get(n).copied() {
            if !self.blockers(tx, wanted).is_empty() {
                n += 1;
                continue;
            }
            self.locks.queue.remove(n);
            if let Wanted::Row(id, mode) = wanted {
                self.locks.take(tx, id, mode);
            }
            self.woken.push(tx);
        }
    }

    fn victim(&self, closed_by: Tx, circle: &[Tx]) -> Tx {
        if self.database == Database::Postgres {
            return closed_by;
        }
        let weight = |tx: Tx| self.transactions[tx].changed + self.locks.held_by(tx);
        let mut lightest = closed_by;
        for tx in circle {
            if weight(*tx) < weight(lightest) {
                lightest = *tx;
            }
        }
        lightest
    }
}
