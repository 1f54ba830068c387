//! Serializable snapshot isolation: nobody waits, but who read what one overwrote and overwrote what another read may be refused.
//!
//! A reader comes before the writer of what it did not see. Every circle that no serial order can have holds two such steps in a row,
//! *first → pivot → last*, of transactions that overlap, of which *last* commits first (Fekete et al. 2005). Of these one is refused,
//! the pivot if it can still be; PostgreSQL's rules, without those for transactions that are declared read only.

use super::{Data, Db, Id, Reason, State, Stop, Tx, Where};

impl Db {
    fn stamp_of(&self, tx: Tx) -> Option<u64> {
        match self.transactions[tx].state {
            State::Committed(stamp) => Some(stamp),
            _ => None,
        }
    }

    /// A transaction reads a row by a condition: whose newer versions does it not see?
    pub(super) fn reads_over(
        &mut self,
        tx: Tx,
        n: usize,
        on: Where,
        snapshot: u64,
    ) -> Result<(), Stop> {
        if !self.is_ssi() {
            return Ok(());
        }
        let row = &self.rows[n];
        let seen = on.meets(row.id, self.visible(tx, snapshot, row));
        let mut writers = Vec::new();
        for version in row.versions.iter().rev() {
            if self.is_visible(tx, snapshot, version) {
                break;
            }
            if let Some(by) = version.by
                && (seen || on.meets(row.id, version.data))
            {
                writers.push(by);
            }
        }
        for writer in writers {
            self.conflict(tx, writer, tx)?;
        }
        Ok(())
    }

    /// A transaction writes a row: whose conditions does it touch?
    pub(super) fn writes_over(
        &mut self,
        tx: Tx,
        id: Id,
        old: Option<Data>,
        new: Option<Data>,
    ) -> Result<(), Stop> {
        if !self.is_ssi() {
            return Ok(());
        }
        let snapshot = self.transactions[tx].snapshot.unwrap_or(self.commits);
        for reader in 0..self.transactions.len() {
            let other = &self.transactions[reader];
            let overlaps = match other.state {
                State::Active => reader != tx,
                State::Committed(stamp) => stamp > snapshot,
                State::Aborted(_) => false,
            };
            let touched = |on: &Where| on.meets(id, old) || on.meets(id, new);
            if overlaps && other.conditions.iter().any(touched) {
                self.conflict(reader, tx, tx)?;
            }
        }
        Ok(())
    }

    // region: dangerous
    /// A reader comes before a writer. Refuses whoever makes two such steps in a row, of which the last has committed first.
    fn conflict(&mut self, reader: Tx, writer: Tx, me: Tx) -> Result<(), Stop> {
        if reader == writer || self.conflicts.contains(&(reader, writer)) {
            return Ok(());
        }
        self.conflicts.push((reader, writer));
        let (read, wrote) = (self.stamp_of(reader), self.stamp_of(writer));
        // The writer is the pivot: somebody whom it did not see has committed before it and before the reader.
        let pivot = self.conflicts.iter().any(|&(from, last)| {
            from == writer
                && self.stamp_of(last).is_some_and(|last| {
                    read.is_none_or(|at| last <= at) && wrote.is_none_or(|at| last <= at)
                })
        });
        // The reader is the pivot: the writer has committed before those who did not see the reader.
        let last = wrote.is_some_and(|wrote| {
            self.conflicts.iter().any(|&(first, to)| {
                to == reader
                    && !self.transactions[first].doomed
                    && self.stamp_of(first).is_none_or(|at| at >= wrote)
            })
        });
        if !pivot && !last {
            return Ok(());
        }
        if me == writer || wrote.is_some() {
            return Err(Stop::Refuse(Reason::Dependencies));
        }
        self.transactions[writer].doomed = true;
        Ok(())
    }

    /// A transaction commits: the pivots of which it is the last are refused when they come next.
    pub(super) fn commits_first(&mut self, tx: Tx) {
        for n in 0..self.conflicts.len() {
            let (pivot, last) = self.conflicts[n];
            if last != tx || !self.is_open(pivot) {
                continue;
            }
            let mut steps = self.conflicts.iter();
            let dangerous =
                steps.any(|&(first, to)| to == pivot && (first == tx || self.is_open(first)));
            self.transactions[pivot].doomed |= dangerous;
        }
    }
    // endregion

    /// It is not over, and may still commit.
    fn is_open(&self, tx: Tx) -> bool {
        self.stamp_of(tx).is_none() && !self.transactions[tx].doomed
    }
}
