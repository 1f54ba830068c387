//! A small storage engine that keeps transactions whole: write-ahead log, buffer pool, and recovery by ARIES, shortened.
//!
//! *Steal*: a page may be written before its transaction commits. *No-force*: it need not be written at commit. So a restart has to
//! redo and to undo: it repeats history, what is not committed included, wherever a page is older than the log, and then takes
//! back what the losers did, newest first, each step with a compensation record that is itself never undone. Commit is the flush
//! of the log up to the commit record. Log before page: no page reaches the disk ahead of the records that changed it.
//!
//! Left out of ARIES: checkpoints and the dirty page table (redo begins with the first record; the page's LSN alone decides), latches
//! and fine locks, records that change several rows.
//!
//! Source: Mohan, Haderle, Lindsay, Pirahesh, Schwarz, *ARIES: A Transaction Recovery Method Supporting Fine-Granularity Locking and
//! Partial Rollbacks Using Write-Ahead Logging*, ACM TODS 17(1), 1992; Haerder, Reuter, *Principles of Transaction-Oriented
//! Database Recovery*, 1983 (steal, force, redo, undo).

/// Number of a log record, from 1; 0 stands for none.
pub type Lsn = usize;
/// Number of a transaction, from 1.
pub type Tx = u16;
/// Table and number of a row.
pub type Key = (u8, u8);

/// What a row holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// A balance, or a count.
    pub value: i64,
    /// The row of the table above that it belongs to; none is SQL's NULL.
    pub of: Option<u8>,
    /// Whether it is an account that has been closed.
    pub closed: bool,
}

impl Row {
    /// A row that holds a value and belongs to none.
    pub const fn of(value: i64) -> Row {
        Row {
            value,
            of: None,
            closed: false,
        }
    }
}

/// What a log record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A row was one thing and is another: none before it is inserted, none after it is deleted.
    Change {
        /// Which row.
        key: Key,
        /// Before image.
        before: Option<Row>,
        /// After image.
        after: Option<Row>,
    },
    /// A change was taken back: a compensation record.
    Undo {
        /// Which row.
        key: Key,
        /// What it is again.
        after: Option<Row>,
        /// The record that is to be taken back next; 0 if there is none.
        next: Lsn,
    },
    /// The transaction is prepared: it can be committed, and can be taken back, whatever fails.
    Prepare,
    /// The transaction is committed.
    Commit,
    /// The transaction is taken back, all of it.
    Abort,
}

/// A log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub tx: Tx,
    /// The record before it of the same transaction; 0 if it is the first.
    pub prev: Lsn,
    /// What happened.
    pub what: What,
}

/// A page: some rows, and the last record that changed them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The last record whose change it holds.
    pub lsn: Lsn,
    /// Its rows, by key.
    pub rows: Vec<(Key, Row)>,
}

impl Page {
    /// A row.
    pub fn get(&self, key: Key) -> Option<Row> {
        let found = self.rows.iter().find(|(other, _)| *other == key);
        found.map(|(_, row)| *row)
    }

    fn put(&mut self, key: Key, after: Option<Row>, lsn: Lsn) {
        let place = self.rows.partition_point(|(other, _)| *other < key);
        let there = self.rows.get(place).is_some_and(|(other, _)| *other == key);
        match (after, there) {
            (Some(row), true) => self.rows[place].1 = row,
            (Some(row), false) => self.rows.insert(place, (key, row)),
            (None, true) => {
                self.rows.remove(place);
            }
            (None, false) => {}
        }
        self.lsn = lsn;
    }
}

/// A transaction that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Which.
    pub tx: Tx,
    /// Its last record; 0 if it has written nothing.
    pub last: Lsn,
    /// Whether it has promised to do what it is told.
    pub prepared: bool,
    /// Its commit record, which is not on disk yet; 0 if there is none.
    pub commit: Lsn,
    /// Its savepoints: a name, and the last record at that time.
    savepoints: Vec<(u8, Lsn)>,
}

/// A step of a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// The log was read: so many transactions are losers.
    Analysed(usize),
    /// A record was held against its page: it was repeated, or the page had it already.
    Redone(Lsn, bool),
    /// A change of a loser was taken back.
    Undone(Lsn),
    /// A loser is taken back to its beginning.
    Ended(Tx),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Down,
    Redo(Lsn),
    Undo,
    Up,
}

/// The engine: log and pages on disk, pages in memory, transactions that are not over.
#[derive(Clone, Debug)]
pub struct Engine {
    /// All records, also those that are in memory only.
    pub log: Vec<Record>,
    /// The last record that is on disk.
    pub flushed: Lsn,
    /// Pages as they are in memory; a buffer pool with room for all.
    pub memory: Vec<Page>,
    /// Pages as they are on disk.
    pub disk: Vec<Page>,
    /// Transactions that are not over.
    pub open: Vec<Open>,
    page_of: fn(Key) -> usize,
    next: Tx,
    phase: Phase,
}

impl Engine {
    /// An engine with these rows, all on disk; `page_of` says on which page a row lies, of so many.
    pub fn new(rows: &[(Key, Row)], pages: usize, page_of: fn(Key) -> usize) -> Engine {
        let mut disk = vec![Page::default(); pages];
        for (key, row) in rows {
            disk[page_of(*key)].put(*key, Some(*row), 0);
        }
        Engine {
            log: Vec::new(),
            flushed: 0,
            memory: disk.clone(),
            disk,
            open: Vec::new(),
            page_of,
            next: 1,
            phase: Phase::Up,
        }
    }

    /// A row as it is in memory.
    pub fn get(&self, key: Key) -> Option<Row> {
        self.memory[(self.page_of)(key)].get(key)
    }

    /// All rows in memory.
    pub fn rows(&self) -> impl Iterator<Item = (Key, Row)> + '_ {
        self.memory
            .iter()
            .flat_map(|page| page.rows.iter().copied())
    }

    /// Whether it is at work, and not down or restarting.
    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Whether a page in memory differs from the one on disk.
    pub fn is_dirty(&self, page: usize) -> bool {
        self.memory[page].lsn != self.disk[page].lsn
    }

    /// Whether a transaction that is not over has changed a row: nobody else may.
    pub fn is_locked(&self, key: Key) -> bool {
        self.first_change(key).is_some()
    }

    /// A row as others may see it: without what is not committed.
    pub fn seen(&self, key: Key) -> Option<Row> {
        self.first_change(key).unwrap_or_else(|| self.get(key))
    }

    /// What a row was before a transaction that is not over changed it; none if there is no such change.
    fn first_change(&self, key: Key) -> Option<Option<Row>> {
        let changes = self.open.iter().flat_map(|open| self.chain(open.last));
        let before = changes.filter_map(|record| match record.what {
            What::Change {
                key: of, before, ..
            } if of == key => Some(before),
            _ => None,
        });
        before.last()
    }

    /// The records of a transaction, newest first, from one on.
    fn chain(&self, from: Lsn) -> impl Iterator<Item = Record> + '_ {
        let mut at = from;
        std::iter::from_fn(move || {
            let record = *self.log.get(at.checked_sub(1)?)?;
            at = record.prev;
            Some(record)
        })
    }

    /// A transaction begins. That alone is not logged.
    pub fn begin(&mut self) -> Tx {
        let tx = self.next;
        self.next += 1;
        self.reopen(tx, 0);
        tx
    }

    fn reopen(&mut self, tx: Tx, last: Lsn) {
        self.open.push(Open {
            tx,
            last,
            prepared: false,
            commit: 0,
            savepoints: Vec::new(),
        });
    }

    /// What is known of a transaction that is not over.
    pub fn state(&self, tx: Tx) -> Option<&Open> {
        self.open.iter().find(|open| open.tx == tx)
    }

    fn state_mut(&mut self, tx: Tx) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.tx == tx)
    }

    fn append(&mut self, tx: Tx, what: What) -> Lsn {
        let prev = self.state(tx).map_or(0, |open| open.last);
        self.log.push(Record { tx, prev, what });
        let lsn = self.log.len();
        if let Some(open) = self.state_mut(tx) {
            open.last = lsn;
        }
        lsn
    }

    // region: change
    /// A row is inserted, changed or deleted: first the record, with what it was and what it is; then the page in memory.
    pub fn put(&mut self, tx: Tx, key: Key, after: Option<Row>) -> Lsn {
        let before = self.get(key);
        let lsn = self.append(tx, What::Change { key, before, after });
        self.memory[(self.page_of)(key)].put(key, after, lsn);
        lsn
    }

    /// The log reaches the disk: what has its commit record there is committed, and lets go of its rows.
    pub fn flush(&mut self) {
        self.flushed = self.log.len();
        self.open.retain(|open| open.commit == 0);
    }

    /// A page reaches the disk, committed or not; never ahead of the log.
    pub fn write_page(&mut self, page: usize) {
        if self.memory[page].lsn > self.flushed {
            self.flush();
        }
        self.disk[page] = self.memory[page].clone();
    }

    /// The commit record. Committed is what it ends only once it is flushed. False if there is nothing to commit: a
    /// transaction that wrote nothing leaves nothing in the log.
    pub fn commit(&mut self, tx: Tx) -> bool {
        let wrote = self.state(tx).is_some_and(|open| open.last > 0);
        if wrote {
            let lsn = self.append(tx, What::Commit);
            if let Some(open) = self.state_mut(tx) {
                open.commit = lsn;
            }
        } else {
            self.open.retain(|open| open.tx != tx);
        }
        wrote
    }
    // endregion

    /// The record by which a transaction gives its fate away, for two-phase commit. It counts once it is flushed.
    pub fn prepare(&mut self, tx: Tx) {
        self.append(tx, What::Prepare);
        if let Some(open) = self.state_mut(tx) {
            open.prepared = true;
        }
    }

    /// A place to fall back to; of two with the same name the newer counts.
    pub fn savepoint(&mut self, tx: Tx, name: u8) {
        if let Some(open) = self.state_mut(tx) {
            let last = open.last;
            open.savepoints.push((name, last));
        }
    }

    /// How far back a savepoint lies; none if there is none of this name. Those made after it are forgotten.
    pub fn fall_back(&mut self, tx: Tx, name: u8) -> Option<Lsn> {
        let open = self.state_mut(tx)?;
        let place = open
            .savepoints
            .iter()
            .rposition(|(other, _)| *other == name)?;
        open.savepoints.truncate(place + 1);
        Some(open.savepoints[place].1)
    }

    // region: undo
    /// Takes back the newest change of a transaction that lies after `until`: the old value returns, and a compensation
    /// record says so and where to go on. None if there is no such change.
    pub fn undo(&mut self, tx: Tx, until: Lsn) -> Option<Lsn> {
        let mut at = self.state(tx)?.last;
        while at > until {
            let record = self.log[at - 1];
            match record.what {
                What::Change { key, before, .. } => {
                    let after = before;
                    let next = record.prev;
                    let lsn = self.append(tx, What::Undo { key, after, next });
                    self.memory[(self.page_of)(key)].put(key, after, lsn);
                    return Some(at);
                }
                // What it took back is not taken back once more.
                What::Undo { next, .. } => at = next,
                _ => at = record.prev,
            }
        }
        None
    }
    // endregion

    /// A transaction is over, after all its changes have been taken back.
    pub fn abort(&mut self, tx: Tx) {
        if self.state(tx).is_some_and(|open| open.last > 0) {
            self.append(tx, What::Abort);
        }
        self.open.retain(|open| open.tx != tx);
    }

    /// Takes back a transaction at once.
    pub fn roll_back(&mut self, tx: Tx) {
        while self.undo(tx, 0).is_some() {}
        self.abort(tx);
    }

    /// The power fails: what is in memory only is gone.
    pub fn crash(&mut self) {
        self.log.truncate(self.flushed);
        self.memory.clone_from(&self.disk);
        self.open.clear();
        self.phase = Phase::Down;
    }

    /// The next step of a restart; none once all is done. The power may fail between any two.
    pub fn restart(&mut self) -> Option<Restart> {
        match self.phase {
            Phase::Up => None,
            Phase::Down => {
                // Analysis: who has neither committed nor been taken back?
                for at in 0..self.log.len() {
                    let record = self.log[at];
                    if self.state(record.tx).is_none() {
                        self.reopen(record.tx, 0);
                    }
                    if let Some(open) = self.state_mut(record.tx) {
                        open.last = at + 1;
                        open.prepared |= record.what == What::Prepare;
                    }
                    if matches!(record.what, What::Commit | What::Abort) {
                        self.open.retain(|open| open.tx != record.tx);
                    }
                    self.next = self.next.max(record.tx + 1);
                }
                self.phase = Phase::Redo(1);
                Some(Restart::Analysed(self.open.len()))
            }
            // region: restart
            Phase::Redo(lsn) => {
                // Redo: whatever a page lacks, losers' changes included.
                let Some(record) = self.log.get(lsn - 1) else {
                    self.phase = Phase::Undo;
                    return self.restart();
                };
                self.phase = Phase::Redo(lsn + 1);
                let (What::Change { key, after, .. } | What::Undo { key, after, .. }) = record.what
                else {
                    return Some(Restart::Redone(lsn, false));
                };
                let page = &mut self.memory[(self.page_of)(key)];
                let lacks = page.lsn < lsn;
                if lacks {
                    page.put(key, after, lsn);
                }
                Some(Restart::Redone(lsn, lacks))
            }
            Phase::Undo => {
                // Undo: the newest change of any loser, one after the other. Who is prepared is in doubt, and waits.
                let losers = self.open.iter().filter(|open| !open.prepared);
                let Some(tx) = losers.max_by_key(|open| open.last).map(|open| open.tx) else {
                    self.phase = Phase::Up;
                    return None;
                };
                Some(match self.undo(tx, 0) {
                    Some(lsn) => Restart::Undone(lsn),
                    None => {
                        self.abort(tx);
                        Restart::Ended(tx)
                    }
                })
                // endregion
            }
        }
    }

    /// Whether every page on disk is covered by the log on disk: log before page.
    ///
    /// # Errors
    /// Which page is ahead.
    pub fn sound(&self) -> Result<(), String> {
        for (number, page) in self.disk.iter().enumerate() {
            if page.lsn > self.flushed {
                return Err(format!("page {number} is ahead of the log"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Key = (0, 0);
    const B: Key = (0, 1);

    fn page_of(key: Key) -> usize {
        usize::from(key.1)
    }

    fn bank() -> Engine {
        Engine::new(&[(A, Row::of(10)), (B, Row::of(0))], 2, page_of)
    }

    fn balances(engine: &Engine) -> [i64; 2] {
        [A, B].map(|key| engine.get(key).map_or(0, |row| row.value))
    }

    fn transfer(engine: &mut Engine, amount: i64) -> Tx {
        let tx = engine.begin();
        let [a, b] = balances(engine);
        engine.put(tx, A, Some(Row::of(a - amount)));
        engine.put(tx, B, Some(Row::of(b + amount)));
        tx
    }

    fn restart(engine: &mut Engine) -> Vec<Restart> {
        std::iter::from_fn(|| engine.restart()).collect()
    }

    /// The next number of a small generator: enough to pick schedules.
    fn roll(state: &mut u32, below: u32) -> u32 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*state >> 8) % below
    }

    #[test]
    fn a_flushed_commit_is_repeated_and_all_else_is_taken_back() {
        let mut engine = bank();
        let tx = transfer(&mut engine, 5);
        engine.write_page(0);
        assert!(engine.commit(tx));
        engine.flush();
        let loser = transfer(&mut engine, 3);
        engine.write_page(1);
        assert!(engine.is_locked(A) && engine.state(loser).is_some());
        engine.crash();
        let steps = restart(&mut engine);
        assert_eq!(balances(&engine), [5, 5]);
        assert!(steps.contains(&Restart::Redone(2, false)), "{steps:?}");
        assert!(steps.contains(&Restart::Redone(4, true)), "{steps:?}");
        assert!(steps.contains(&Restart::Undone(5)), "{steps:?}");
        assert!(engine.is_up() && !engine.is_locked(A));
    }

    #[test]
    fn savepoints_of_one_name_and_locks() {
        let mut engine = bank();
        let tx = engine.begin();
        engine.savepoint(tx, 7);
        engine.put(tx, A, Some(Row::of(5)));
        engine.savepoint(tx, 7);
        engine.put(tx, B, Some(Row::of(4)));
        let until = engine.fall_back(tx, 7).unwrap();
        while engine.undo(tx, until).is_some() {}
        // The newer one counts; what was locked before it stays so.
        assert_eq!(balances(&engine), [5, 0]);
        assert!(engine.is_locked(A));
        assert_eq!(engine.fall_back(tx, 8), None);
        engine.roll_back(tx);
        assert_eq!(balances(&engine), [10, 0]);
    }

    #[test]
    fn nothing_written_nothing_logged() {
        let mut engine = bank();
        let tx = engine.begin();
        assert!(!engine.commit(tx));
        assert!(engine.log.is_empty() && engine.open.is_empty());
    }

    #[test]
    fn prepared_is_in_doubt_until_somebody_decides() {
        let mut engine = bank();
        let tx = transfer(&mut engine, 5);
        engine.prepare(tx);
        engine.flush();
        engine.crash();
        restart(&mut engine);
        assert!(engine.is_up() && engine.is_locked(A));
        assert!(engine.state(tx).is_some_and(|open| open.prepared));
        engine.roll_back(tx);
        assert_eq!(balances(&engine), [10, 0]);
    }

    /// Random transfers, page writes, flushes, rollbacks and crashes, also during recovery: after each restart the balances are
    /// those of the transactions whose commit was flushed, and one more restart changes nothing.
    #[test]
    fn recovery_is_exact_and_idempotent() {
        for seed in 0..2_000_u32 {
            let mut random = seed;
            let mut engine = bank();
            // What the disk promises, and what is committed and waits for a flush.
            let (mut safe, mut soon) = ([10, 0], Vec::<(Lsn, [i64; 2])>::new());
            for _ in 0..40 {
                match roll(&mut random, 6) {
                    0 | 1 => {
                        let amount = i64::from(roll(&mut random, 4));
                        let tx = transfer(&mut engine, amount);
                        if roll(&mut random, 3) == 0 {
                            engine.write_page(roll(&mut random, 2) as usize);
                        }
                        if roll(&mut random, 4) == 0 {
                            engine.roll_back(tx);
                        } else if roll(&mut random, 5) > 0 {
                            engine.commit(tx);
                            soon.push((engine.log.len(), balances(&engine)));
                        } else {
                            engine.crash();
                        }
                    }
                    2 => engine.flush(),
                    3 => engine.write_page(roll(&mut random, 2) as usize),
                    4 => engine.crash(),
                    _ => {}
                }
                engine.sound().unwrap();
                soon.retain(|(lsn, after)| {
                    let done = *lsn <= engine.flushed;
                    if done {
                        safe = *after;
                    }
                    !done
                });
                if !engine.is_up() {
                    soon.clear();
                    for _ in 0..roll(&mut random, 8) {
                        engine.restart();
                        if roll(&mut random, 3) == 0 {
                            engine.write_page(roll(&mut random, 2) as usize);
                        }
                    }
                    if roll(&mut random, 2) == 0 {
                        engine.crash();
                    }
                    restart(&mut engine);
                    assert_eq!(balances(&engine), safe, "seed {seed}");
                    let pages = engine.memory.clone();
                    engine.flush();
                    engine.crash();
                    restart(&mut engine);
                    assert_eq!(engine.memory, pages, "seed {seed}");
                }
            }
        }
    }

    /// The same checker notices where the rule is broken: a page that reaches the disk ahead of the log cannot be taken back.
    #[test]
    fn a_page_ahead_of_the_log_is_caught() {
        let mut engine = bank();
        transfer(&mut engine, 5);
        engine.disk[0] = engine.memory[0].clone();
        assert!(engine.sound().is_err());
        engine.crash();
        restart(&mut engine);
        assert_eq!(balances(&engine), [5, 0], "half a transfer");
    }

    /// "Redo only committed" is right without steal; with it, what is not committed must be undone too.
    #[test]
    fn what_steal_leaves_on_disk_has_to_be_undone() {
        let mut engine = bank();
        transfer(&mut engine, 5);
        engine.write_page(0);
        engine.crash();
        assert_eq!(engine.disk[0].get(A), Some(Row::of(5)));
        // Only the first two phases.
        while engine.restart() != Some(Restart::Redone(2, true)) {}
        assert_eq!(balances(&engine), [5, 5]);
        restart(&mut engine);
        assert_eq!(balances(&engine), [10, 0]);
    }
}
