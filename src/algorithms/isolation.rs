//! Isolation levels: what transactions that run at once may see of each other, as PostgreSQL and InnoDB do it.
//!
//! Rows are stacks of versions, each stamped with the transaction that wrote it. A statement is one call of [`Db::run`]: it is done,
//! or it waits for others, or its transaction is refused and rolled back. Whoever waited and may go on is in [`Db::take_woken`], and
//! is asked again with the same statement.
//!
//! * **PostgreSQL**: read committed takes a snapshot for each statement; a writer waits for the row and checks its condition again on
//!   the newest version. Repeatable read keeps the snapshot of the first statement, and refuses to write a row that changed since
//!   (first updater wins). Serializable adds serializable snapshot isolation ([`conflicts`]). Read uncommitted is read committed.
//! * **InnoDB**: read uncommitted reads the newest versions; read committed and repeatable read (snapshot at the first plain read) do
//!   so for plain reads only: writes act on the newest committed version, and nobody is refused. Serializable turns reads into shared
//!   locks (strict two-phase locking). From repeatable read on, the condition of a statement that locks is itself a lock on all that
//!   would match it, in place of locks on gaps.
//! * Locks ([`locks`]) are granted first come first served, rows are locked in the order of their ids. In a circle of waiting
//!   InnoDB refuses the lightest (rows changed and locks held), PostgreSQL whoever closed it.
//!
//! Sources: PostgreSQL manual, chapter 13, and src/backend/storage/lmgr/predicate.c; MySQL manual, 17.7; Berenson et al., "A critique of
//! ANSI SQL isolation levels" (1995); Cahill et al., "Serializable isolation for snapshot databases" (2008); Ports and Grittner,
//! "Serializable snapshot isolation in PostgreSQL" (2012).

mod conflicts;
mod locks;
pub mod programs;
pub mod scenarios;
#[cfg(test)]
mod tests;

use locks::{Locks, Mode, Wanted};

/// A transaction, numbered from 0 in the order of [`Db::begin`].
pub type Tx = usize;
/// A row's key. Keys of new rows are never used twice.
pub type Id = u32;

/// Whose behaviour it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// Versions and refusals.
    Postgres,
    /// InnoDB: versions for reads, locks for writes.
    Mysql,
}

/// The levels of the SQL standard, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What others have not committed may be read.
    ReadUncommitted,
    /// Each statement sees what is committed when it begins.
    ReadCommitted,
    /// All statements see what the first saw.
    RepeatableRead,
    /// As if one transaction came after the other.
    Serializable,
}

impl Level {
    /// All of them.
    pub const ALL: [Level; 4] = [
        Level::ReadUncommitted,
        Level::ReadCommitted,
        Level::RepeatableRead,
        Level::Serializable,
    ];
}

/// What a row holds: a value, and how often it has been written, which programs may check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// The value.
    pub value: i64,
    /// Grows by one with each write.
    pub version: u32,
}

/// Which rows a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// All rows.
    All,
    /// The row with this key.
    Id(Id),
    /// Rows with keys up to this one.
    UpTo(Id),
    /// The row with this key, if it is still at this version.
    At(Id, u32),
    /// Rows with this value.
    Value(i64),
    /// Rows whose value can be divided by this number, which is not 0.
    Multiple(i64),
}

impl Where {
    /// Whether a row meets the condition.
    pub fn matches(self, id: Id, data: Data) -> bool {
        match self {
            Where::All => true,
            Where::Id(one) => id == one,
            Where::UpTo(last) => id <= last,
            Where::At(one, version) => id == one && data.version == version,
            Where::Value(value) => data.value == value,
            Where::Multiple(of) => data.value % of == 0,
        }
    }

    fn meets(self, id: Id, data: Option<Data>) -> bool {
        data.is_some_and(|data| self.matches(id, data))
    }
}

/// What a row is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// This value.
    To(i64),
    /// So much more than it has.
    Add(i64),
}

/// One statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// `SELECT`.
    Read(Where),
    /// `SELECT … FOR UPDATE`.
    ReadForUpdate(Where),
    /// `UPDATE`.
    Update(Where, Set),
    /// `DELETE`.
    Delete(Where),
    /// `INSERT`.
    Insert(Id, i64),
}

/// Why a transaction was refused and rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A row changed since its snapshot: PostgreSQL's error 40001 at a write.
    Changed,
    /// It read what one overwrote and overwrote what another read: PostgreSQL's error 40001 of serializable.
    Dependencies,
    /// It waited in a circle: PostgreSQL's error 40P01, InnoDB's 1213.
    Deadlock,
    /// It is over already.
    Over,
}

/// Rows that were read or written, as they are now; deleted ones as they were.
pub type Rows = Vec<(Id, Data)>;

/// What becomes of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done(Rows),
    /// It waits for these.
    Waits(Vec<Tx>),
    /// Its transaction is rolled back.
    Refused(Reason),
}

/// A version of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Who wrote it; none for what was there before all.
    pub by: Option<Tx>,
    /// What it holds; none where the row was deleted.
    pub data: Option<Data>,
}

/// A row: its versions, oldest first.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its key.
    pub id: Id,
    /// Oldest first.
    pub versions: Vec<Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Active,
    /// As so many-th.
    Committed(u64),
    Aborted(Option<Reason>),
}

/// A statement that waits: what it saw when it began, and how far it is.
#[derive(Clone, Debug)]
struct Pending {
    snapshot: u64,
    from: Id,
    /// By its condition it has locked what lies before `from`, and no more yet.
    scans: bool,
    /// The row that it has locked, or waits for, without having held it before.
    fresh: Option<Id>,
    rows: Rows,
}

#[derive(Clone, Debug)]
struct Transaction {
    state: State,
    /// Commits that it sees; none before its first statement, or where each statement has its own.
    snapshot: Option<u64>,
    pending: Option<Pending>,
    /// Conditions that it has read by, as far as they count: for the order of reads and writes, or as locks.
    conditions: Vec<Where>,
    /// Rows changed so far.
    changed: usize,
    /// It must not commit: PostgreSQL tells it at its next call.
    doomed: bool,
}

/// A database in the middle of its transactions.
#[derive(Clone, Debug)]
pub struct Db {
    database: Database,
    level: Level,
    rows: Vec<Row>,
    transactions: Vec<Transaction>,
    commits: u64,
    locks: Locks,
    /// Who read what whom wrote over: reader before writer in any serial order.
    conflicts: Vec<(Tx, Tx)>,
    woken: Vec<Tx>,
}

impl Db {
    /// A database with these rows, all of whose transactions run at one level.
    pub fn new(database: Database, level: Level, rows: &[(Id, i64)]) -> Db {
        let row = |&(id, value)| Row {
            id,
            versions: vec![Version {
                by: None,
                data: Some(Data { value, version: 1 }),
            }],
        };
        Db {
            database,
            level,
            rows: rows.iter().map(row).collect(),
            transactions: Vec::new(),
            commits: 0,
            locks: Locks::default(),
            conflicts: Vec::new(),
            woken: Vec::new(),
        }
    }

    /// A new transaction. Its snapshot is taken by its first statement.
    pub fn begin(&mut self) -> Tx {
        self.transactions.push(Transaction {
            state: State::Active,
            snapshot: None,
            pending: None,
            conditions: Vec::new(),
            changed: 0,
            doomed: false,
        });
        self.transactions.len() - 1
    }

    /// Runs a statement, or goes on with it: who waits is asked again with the same.
    pub fn run(&mut self, tx: Tx, statement: Statement) -> Answer {
        if let Err(reason) = self.alive(tx) {
            return Answer::Refused(reason);
        }
        let mut pending = match self.transactions[tx].pending.take() {
            Some(pending) => pending,
            None => self.start(tx, statement),
        };
        let done = match statement {
            Statement::Insert(id, value) => self.insert(tx, id, value),
            Statement::Read(on) if !self.locks_reads() => self.read(tx, on, &mut pending),
            _ => self.locking(tx, statement, &mut pending),
        };
        match done {
            Ok(()) => {
                if let Statement::Insert(id, value) = statement {
                    pending.rows.push((id, Data { value, version: 1 }));
                }
                Answer::Done(pending.rows)
            }
            Err(Stop::Wait(whom)) => {
                self.transactions[tx].pending = Some(pending);
                Answer::Waits(whom)
            }
            Err(Stop::Refuse(reason)) => {
                self.end(tx, State::Aborted(Some(reason)));
                Answer::Refused(reason)
            }
        }
    }

    /// Commits.
    ///
    /// # Errors
    /// Why it is rolled back instead.
    pub fn commit(&mut self, tx: Tx) -> Result<(), Reason> {
        self.alive(tx)?;
        if self.is_ssi() {
            self.commits_first(tx);
        }
        self.commits += 1;
        self.end(tx, State::Committed(self.commits));
        Ok(())
    }

    /// Rolls back; nothing of it is left.
    pub fn abort(&mut self, tx: Tx) {
        if self.transactions[tx].state == State::Active {
            self.end(tx, State::Aborted(None));
        }
    }

    /// Who waited and is to be asked again, in the order in which they may go on; empties the list.
    pub fn take_woken(&mut self) -> Vec<Tx> {
        std::mem::take(&mut self.woken)
    }

    /// For whom a transaction waits.
    pub fn waits_for(&self, tx: Tx) -> Vec<Tx> {
        match self.locks.wanted(tx) {
            Some(wanted) => self.blockers(tx, wanted),
            None => Vec::new(),
        }
    }

    /// The rows, by key.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The committed values by key.
    pub fn values(&self) -> Vec<(Id, i64)> {
        let value = |row: &Row| {
            let data = self.committed(row)?.data?;
            Some((row.id, data.value))
        };
        self.rows.iter().filter_map(value).collect()
    }

    /// Which version of a row a plain read of this transaction would see now.
    pub fn sees(&self, tx: Tx, row: &Row) -> Option<usize> {
        if self.transactions[tx].state != State::Active {
            return None;
        }
        let snapshot = self.transactions[tx].snapshot.unwrap_or(self.commits);
        if self.reads_newest() {
            return row.versions.len().checked_sub(1);
        }
        (0..row.versions.len())
            .rev()
            .find(|n| self.is_visible(tx, snapshot, &row.versions[*n]))
    }

    /// Whether all statements of a transaction see what its first saw, and it has begun.
    pub fn has_snapshot(&self, tx: Tx) -> bool {
        self.transactions[tx].snapshot.is_some()
    }

    /// Whether who wrote a version has committed.
    pub fn is_committed(&self, version: &Version) -> bool {
        self.stamp(version).is_some()
    }

    /// Who holds a lock on a row.
    pub fn holders(&self, id: Id) -> Vec<Tx> {
        self.locks.holders(id)
    }

    fn is_ssi(&self) -> bool {
        self.database == Database::Postgres && self.level == Level::Serializable
    }

    /// Reads lock what they read.
    fn locks_reads(&self) -> bool {
        self.database == Database::Mysql && self.level == Level::Serializable
    }

    fn reads_newest(&self) -> bool {
        let weakest = self.level == Level::ReadUncommitted;
        self.database == Database::Mysql && (weakest || self.locks_reads())
    }

    fn alive(&mut self, tx: Tx) -> Result<(), Reason> {
        match self.transactions[tx].state {
            State::Active if self.transactions[tx].doomed => {
                self.end(tx, State::Aborted(Some(Reason::Dependencies)));
                Err(Reason::Dependencies)
            }
            State::Active => Ok(()),
            State::Aborted(Some(reason)) => Err(reason),
            _ => Err(Reason::Over),
        }
    }

    // region: snapshot
    /// A statement begins: which commits does it see?
    fn start(&mut self, tx: Tx, statement: Statement) -> Pending {
        // InnoDB's snapshot is taken by the first plain read, PostgreSQL's by any statement.
        let plain = matches!(statement, Statement::Read(_));
        let keeps = self.level >= Level::RepeatableRead
            && (self.database == Database::Postgres || plain)
            && !self.locks_reads();
        let now = self.commits;
        let transaction = &mut self.transactions[tx];
        let snapshot = match keeps {
            true => *transaction.snapshot.get_or_insert(now),
            false => now,
        };
        let counts = self.level == Level::Serializable
            || self.level == Level::RepeatableRead && self.database == Database::Mysql && !plain;
        let condition = statement.condition().filter(|_| counts);
        transaction.conditions.extend(condition);
        Pending {
            snapshot,
            from: 0,
            scans: condition.is_some(),
            fresh: None,
            rows: Vec::new(),
        }
    }
    // endregion

    /// As so many-th it was committed; none if it was not.
    fn stamp(&self, version: &Version) -> Option<u64> {
        match version.by {
            None => Some(0),
            Some(by) => match self.transactions[by].state {
                State::Committed(stamp) => Some(stamp),
                _ => None,
            },
        }
    }

    fn is_visible(&self, tx: Tx, snapshot: u64, version: &Version) -> bool {
        version.by == Some(tx) || self.stamp(version).is_some_and(|stamp| stamp <= snapshot)
    }

    fn visible(&self, tx: Tx, snapshot: u64, row: &Row) -> Option<Data> {
        let mut newest = row.versions.iter().rev();
        newest
            .find(|version| self.is_visible(tx, snapshot, version))?
            .data
    }

    fn committed<'a>(&self, row: &'a Row) -> Option<&'a Version> {
        let mut newest = row.versions.iter().rev();
        newest.find(|version| self.is_committed(version))
    }

    fn read(&mut self, tx: Tx, on: Where, pending: &mut Pending) -> Result<(), Stop> {
        for n in 0..self.rows.len() {
            self.reads_over(tx, n, on, pending.snapshot)?;
            let row = &self.rows[n];
            let data = match self.reads_newest() {
                true => row.versions.last().and_then(|version| version.data),
                false => self.visible(tx, pending.snapshot, row),
            };
            if let Some(data) = data.filter(|data| on.matches(row.id, *data)) {
                pending.rows.push((row.id, data));
            }
        }
        Ok(())
    }

    fn insert(&mut self, tx: Tx, id: Id, value: i64) -> Result<(), Stop> {
        let data = Data { value, version: 1 };
        self.place(tx, id, data)?;
        self.locks.take(tx, id, Mode::Exclusive);
        let at = self.rows.partition_point(|row| row.id < id);
        let versions = Vec::new();
        self.rows.insert(at, Row { id, versions });
        self.write(tx, id, None, Some(data))
    }

    /// A statement that locks what it finds, row by row: writes, reads for update, all reads of InnoDB's serializable.
    fn locking(&mut self, tx: Tx, statement: Statement, pending: &mut Pending) -> Result<(), Stop> {
        let Some(on) = statement.condition() else {
            return Ok(());
        };
        let mode = match statement {
            Statement::Read(_) => Mode::Shared,
            _ => Mode::Exclusive,
        };
        // By key: while it takes a lock others may be rolled back, and rows of theirs be gone.
        while let Some((n, id)) = self.next_row(pending.from) {
            self.reads_over(tx, n, on, pending.snapshot)?;
            if self.may_meet(tx, on, n, pending.snapshot)
                && let Some(data) = self.lock_row(tx, on, id, mode, pending)?
            {
                let changed = statement.changes(data);
                if let Some(new) = changed {
                    if let Some(new) = new {
                        self.place(tx, id, new)?;
                    }
                    self.write(tx, id, Some(data), new)?;
                }
                pending.rows.push((id, changed.flatten().unwrap_or(data)));
            }
            pending.from = id + 1;
        }
        Ok(())
    }

    /// Whether a statement that locks has to look at a row.
    fn may_meet(&self, tx: Tx, on: Where, n: usize, snapshot: u64) -> bool {
        let row = &self.rows[n];
        match self.database {
            Database::Postgres => on.meets(row.id, self.visible(tx, snapshot, row)),
            // The newest committed version counts, and so may one that is not committed yet.
            Database::Mysql => {
                let committed = self.committed(row).and_then(|version| version.data);
                let newest = row.versions.last().and_then(|version| version.data);
                on.meets(row.id, newest) || on.meets(row.id, committed)
            }
        }
    }

    // region: locking
    /// Locks a row, and looks at it again: it may have changed while others held it.
    fn lock_row(
        &mut self,
        tx: Tx,
        on: Where,
        id: Id,
        mode: Mode,
        pending: &mut Pending,
    ) -> Result<Option<Data>, Stop> {
        let held = self.locks.holds(tx, id, mode) && pending.fresh != Some(id);
        pending.from = id;
        pending.fresh = (!held).then_some(id);
        self.lock(tx, Wanted::Row(id, mode))?;
        // Whoever wrote it before has committed or is gone.
        let newest = self.row(id).and_then(|row| row.versions.last()).copied();
        let changed = newest.is_some_and(|newest| {
            let stamp = self.stamp(&newest);
            newest.by != Some(tx) && stamp.is_some_and(|at| at > pending.snapshot)
        });
        let repeatable = self.level >= Level::RepeatableRead;
        if changed && repeatable && self.database == Database::Postgres {
            return Err(Stop::Refuse(Reason::Changed));
        }
        let data = newest.and_then(|newest| newest.data);
        let data = data.filter(|data| on.matches(id, *data));
        let keeps = repeatable && self.database == Database::Mysql;
        if data.is_none() && !held && !keeps {
            self.locks.give(tx, id);
            self.grant();
        }
        Ok(data)
    }
    // endregion

    /// The first row from a key on: its place and key.
    fn next_row(&self, from: Id) -> Option<(usize, Id)> {
        let n = self.rows.partition_point(|row| row.id < from);
        self.rows.get(n).map(|row| (n, row.id))
    }

    /// The row with this key.
    pub fn row(&self, id: Id) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    // region: write
    /// Puts a version on top.
    fn write(&mut self, tx: Tx, id: Id, old: Option<Data>, new: Option<Data>) -> Result<(), Stop> {
        let version = Version {
            by: Some(tx),
            data: new,
        };
        if let Some(row) = self.rows.iter_mut().find(|row| row.id == id) {
            row.versions.push(version);
        }
        self.transactions[tx].changed += 1;
        self.writes_over(tx, id, old, new)
    }
    // endregion

    /// What a transaction puts somewhere must not meet what others have locked by a condition.
    fn place(&mut self, tx: Tx, id: Id, data: Data) -> Result<(), Stop> {
        match self.database == Database::Mysql && self.level >= Level::RepeatableRead {
            true => self.lock(tx, Wanted::Place(id, data)),
            false => Ok(()),
        }
    }

    fn end(&mut self, tx: Tx, state: State) {
        let transaction = &mut self.transactions[tx];
        transaction.state = state;
        transaction.pending = None;
        if let State::Aborted(_) = state {
            for row in &mut self.rows {
                row.versions.retain(|version| version.by != Some(tx));
            }
            self.rows.retain(|row| !row.versions.is_empty());
            self.conflicts.retain(|(r, w)| *r != tx && *w != tx);
        }
        self.locks.release(tx);
        self.grant();
    }
}

impl Statement {
    /// What it makes of a row: a new version, one that says that the row is deleted, or none.
    fn changes(self, data: Data) -> Option<Option<Data>> {
        let version = data.version + 1;
        match self {
            Statement::Update(_, Set::To(value)) => Some(Some(Data { value, version })),
            Statement::Update(_, Set::Add(more)) => {
                let value = data.value.saturating_add(more);
                Some(Some(Data { value, version }))
            }
            Statement::Delete(_) => Some(None),
            _ => None,
        }
    }

    /// By which condition it reads, if it reads.
    fn condition(self) -> Option<Where> {
        match self {
            Statement::Read(on)
            | Statement::ReadForUpdate(on)
            | Statement::Update(on, _)
            | Statement::Delete(on) => Some(on),
            Statement::Insert(..) => None,
        }
    }
}

/// Why a statement does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stop {
    Wait(Vec<Tx>),
    Refuse(Reason),
}
