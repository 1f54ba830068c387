//! Programs that run as transactions at once, every order of their steps, and whether some order of the whole would have given the same.

use super::{Answer, Data, Database, Db, Id, Level, Reason, Rows, Set, Statement, Tx, Where};

/// One step of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A statement as it stands.
    Run(Statement),
    /// Writes a row: so much more than the last read found in it. If `checked`, only if the row's version is still the one read.
    Put {
        /// The row.
        id: Id,
        /// So much more.
        add: i64,
        /// Whether the version is checked; if it is another, the program rolls back.
        checked: bool,
    },
    /// Sets a row to 0 if the last read found at least so many rows.
    Leave {
        /// The row.
        id: Id,
        /// So many rows.
        least: usize,
    },
    /// Ends it for good.
    Commit,
    /// Undoes it.
    Abort,
}

/// Where a program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It can go on.
    Ready,
    /// Its step waits.
    Waits,
    /// Done and kept.
    Committed,
    /// Undone as it was meant.
    RolledBack,
    /// Undone by the database, or, without a reason, because a version was not the one read.
    Refused(Option<Reason>),
}

/// A program that runs.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its steps.
    pub program: Vec<Step>,
    /// The next of them, or the one that waits.
    pub at: usize,
    /// Where it is.
    pub phase: Phase,
    /// Its transaction; a program that tries again has a new one.
    pub tx: Tx,
    /// What its last read found.
    pub seen: Rows,
    /// Values that it has read, by step.
    pub reads: Vec<(usize, Vec<(Id, i64)>)>,
    /// What each of its steps so far did.
    pub did: Vec<Did>,
    /// Turns that came while it waited.
    pub owed: u32,
    /// How often it was refused.
    pub refused: u32,
}

impl Session {
    fn new(program: Vec<Step>, tx: Tx) -> Session {
        Session {
            program,
            at: 0,
            phase: Phase::Ready,
            tx,
            seen: Vec::new(),
            reads: Vec::new(),
            did: Vec::new(),
            owed: 0,
            refused: 0,
        }
    }

    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        !matches!(self.phase, Phase::Ready | Phase::Waits)
    }
}

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    /// Read these.
    Read(Rows),
    /// Wrote these; nothing if nothing was to be written.
    Wrote(Rows),
    /// Waits for these programs.
    Waits(Vec<usize>),
    /// Committed.
    Commits,
    /// Rolled back as it was meant.
    RollsBack,
    /// Was refused: see [`Phase::Refused`].
    Refused(Option<Reason>),
}

/// A step that was taken, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Which program.
    pub who: usize,
    /// Which of its steps.
    pub step: usize,
    /// What came of it.
    pub did: Did,
}

/// Programs on a database.
#[derive(Clone, Debug)]
pub struct Play {
    /// The database.
    pub db: Db,
    /// The programs.
    pub sessions: Vec<Session>,
    /// Whether a program that was refused tries again.
    pub again: bool,
    /// Whose each transaction is.
    owners: Vec<usize>,
}

/// A program that was refused so often in a row gives up.
const TRIES: u32 = 8;

impl Play {
    /// Nobody has begun.
    pub fn new(
        database: Database,
        level: Level,
        rows: &[(Id, i64)],
        programs: &[Vec<Step>],
        again: bool,
    ) -> Play {
        let mut play = Play {
            db: Db::new(database, level, rows),
            sessions: Vec::new(),
            again,
            owners: Vec::new(),
        };
        for program in programs {
            play.join(program.clone());
        }
        play
    }

    /// One more program.
    pub fn join(&mut self, program: Vec<Step>) {
        let tx = self.db.begin();
        self.owners.push(self.sessions.len());
        self.sessions.push(Session::new(program, tx));
    }

    /// Whose transaction it is.
    pub fn owner(&self, tx: Tx) -> usize {
        self.owners[tx]
    }

    /// Whether all are over.
    pub fn is_over(&self) -> bool {
        self.sessions.iter().all(Session::is_over)
    }

    /// A program's turn: its next step, and all that it sets going. A turn that comes while it waits is used when it wakes.
    pub fn turn(&mut self, who: usize, deeds: &mut Vec<Deed>) {
        match self.sessions[who].phase {
            Phase::Ready => self.step(who, deeds),
            Phase::Waits => self.sessions[who].owed += 1,
            _ => return,
        }
        self.wake(deeds);
    }

    /// Whoever waited and may go on does, and uses the turns that came meanwhile.
    fn wake(&mut self, deeds: &mut Vec<Deed>) {
        loop {
            let woken = self.db.take_woken();
            if woken.is_empty() {
                return;
            }
            for tx in woken {
                let who = self.owners[tx];
                if self.sessions[who].tx == tx && self.sessions[who].phase == Phase::Waits {
                    self.step(who, deeds);
                }
                while self.sessions[who].phase == Phase::Ready && self.sessions[who].owed > 0 {
                    self.sessions[who].owed -= 1;
                    self.step(who, deeds);
                }
            }
        }
    }

    /// Rolls a program back from outside.
    pub fn roll_back(&mut self, who: usize, deeds: &mut Vec<Deed>) {
        let session = &mut self.sessions[who];
        if session.is_over() {
            return;
        }
        session.phase = Phase::RolledBack;
        let step = session.at;
        self.db.abort(session.tx);
        let did = Did::RollsBack;
        deeds.push(Deed { who, step, did });
        self.wake(deeds);
    }

    /// Lets all that can go on go on, the first first, until nobody can.
    pub fn finish(&mut self, deeds: &mut Vec<Deed>) {
        while let Some(who) = self.next_ready() {
            self.turn(who, deeds);
        }
    }

    /// The first program that can go on.
    pub fn next_ready(&self) -> Option<usize> {
        let mut sessions = self.sessions.iter();
        sessions.position(|session| session.phase == Phase::Ready)
    }

    fn step(&mut self, who: usize, deeds: &mut Vec<Deed>) {
        let session = &self.sessions[who];
        let (tx, at) = (session.tx, session.at);
        let Some(step) = session.program.get(at).copied() else {
            return;
        };
        let seen = |id: Id| session.seen.iter().find(|(row, _)| *row == id);
        let (statement, checked) = match step {
            Step::Run(statement) => (Some(statement), false),
            Step::Put { id, add, checked } => match seen(id) {
                Some((_, data)) => {
                    let on = match checked {
                        true => Where::At(id, data.version),
                        false => Where::Id(id),
                    };
                    (
                        Some(Statement::Update(on, Set::To(data.value + add))),
                        checked,
                    )
                }
                None => (None, false),
            },
            Step::Leave { id, least } => {
                let leaves = session.seen.len() >= least;
                let write = Statement::Update(Where::Id(id), Set::To(0));
                (leaves.then_some(write), false)
            }
            Step::Commit | Step::Abort => (None, false),
        };
        let did = match (step, statement) {
            (Step::Commit, _) => match self.db.commit(tx) {
                Ok(()) => Did::Commits,
                Err(reason) => Did::Refused(Some(reason)),
            },
            (Step::Abort, _) => {
                self.db.abort(tx);
                Did::RollsBack
            }
            (_, None) => Did::Wrote(Vec::new()),
            (_, Some(statement)) => match self.db.run(tx, statement) {
                Answer::Done(rows) if checked && rows.is_empty() => {
                    self.db.abort(tx);
                    Did::Refused(None)
                }
                Answer::Done(rows) => match statement {
                    Statement::Read(_) | Statement::ReadForUpdate(_) => Did::Read(rows),
                    _ => Did::Wrote(rows),
                },
                Answer::Waits(whom) => {
                    let mut whom: Vec<usize> = whom.iter().map(|tx| self.owners[*tx]).collect();
                    whom.dedup();
                    Did::Waits(whom)
                }
                Answer::Refused(reason) => Did::Refused(Some(reason)),
            },
        };
        self.note(who, &did);
        deeds.push(Deed { who, step: at, did });
    }

    fn note(&mut self, who: usize, did: &Did) {
        let session = &mut self.sessions[who];
        let at = session.at;
        session.phase = match did {
            Did::Waits(_) => Phase::Waits,
            Did::Commits => Phase::Committed,
            Did::RollsBack => Phase::RolledBack,
            Did::Refused(reason) => Phase::Refused(*reason),
            Did::Read(rows) => {
                let value = |(id, data): &(Id, Data)| (*id, data.value);
                session.reads.push((at, rows.iter().map(value).collect()));
                session.seen.clone_from(rows);
                Phase::Ready
            }
            Did::Wrote(_) => Phase::Ready,
        };
        if !matches!(did, Did::Waits(_)) {
            session.at += 1;
            session.did.push(did.clone());
        }
        if let Did::Refused(_) = did {
            session.refused += 1;
            if self.again && session.refused < TRIES {
                let tx = self.db.begin();
                self.owners.push(who);
                session.tx = tx;
                (session.at, session.phase) = (0, Phase::Ready);
                session.seen.clear();
                session.reads.clear();
                session.did.clear();
            }
        }
    }
}

/// What came of it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As one after the other could have given.
    Right,
    /// So too, but not all were let through.
    Refused,
    /// As no order of the whole gives.
    Wrong,
}

/// What can be told of it from outside: the committed rows, and what each committed program read.
type Outcome = (Vec<(Id, i64)>, Vec<Vec<(usize, Vec<(Id, i64)>)>>);

fn outcome(play: &Play) -> Outcome {
    let reads = |session: &Session| match session.phase {
        Phase::Committed => session.reads.clone(),
        _ => Vec::new(),
    };
    let reads = play.sessions.iter().map(reads).collect();
    (play.db.values(), reads)
}

/// Programs that are to run at once, and how.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The rows that there are.
    pub rows: Vec<(Id, i64)>,
    /// The programs.
    pub programs: Vec<Vec<Step>>,
    /// Whether a refused program tries again.
    pub again: bool,
}

impl Setting {
    /// Nobody has begun.
    pub fn open(&self, database: Database, level: Level) -> Play {
        Play::new(database, level, &self.rows, &self.programs, self.again)
    }

    /// Runs them in an order of turns, and then to their ends.
    pub fn run(&self, database: Database, level: Level, order: &[usize]) -> Play {
        let (mut play, mut deeds) = (self.open(database, level), Vec::new());
        for who in order {
            play.turn(*who, &mut deeds);
        }
        play.finish(&mut deeds);
        play
    }

    // region: verdict
    /// Could some order of the programs that were let through, one after the other, have given the same?
    pub fn judge(&self, play: &Play) -> Verdict {
        let through = |session: &Session| !matches!(session.phase, Phase::Refused(_));
        let kept: Vec<usize> = (0..self.programs.len())
            .filter(|who| through(&play.sessions[*who]))
            .collect();
        let found = outcome(play);
        let serial = permutations(&kept).iter().any(|order| {
            let mut one = self.open(Database::Mysql, Level::ReadCommitted);
            let mut deeds = Vec::new();
            for who in order {
                while one.sessions[*who].phase == Phase::Ready {
                    one.turn(*who, &mut deeds);
                }
            }
            outcome(&one) == found
        });
        match (serial, kept.len() == self.programs.len()) {
            (false, _) => Verdict::Wrong,
            (true, false) => Verdict::Refused,
            (true, true) => Verdict::Right,
        }
    }
    // endregion

    /// Every order of the steps of two programs, lexicographically, as words of turns.
    pub fn orders(&self) -> Vec<Vec<usize>> {
        let left: Vec<usize> = self.programs.iter().map(Vec::len).collect();
        let mut orders = Vec::new();
        words(&mut left.clone(), &mut Vec::new(), &mut orders);
        orders
    }

    /// What becomes of each order.
    pub fn sweep(&self, database: Database, level: Level) -> Vec<Verdict> {
        let orders = self.orders();
        let verdict = |order: &Vec<usize>| self.judge(&self.run(database, level, order));
        orders.iter().map(verdict).collect()
    }
}

fn words(left: &mut [usize], word: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
    let mut done = true;
    for who in 0..left.len() {
        if left[who] > 0 {
            done = false;
            left[who] -= 1;
            word.push(who);
            words(left, word, all);
            word.pop();
            left[who] += 1;
        }
    }
    if done {
        all.push(word.clone());
    }
}

fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in of {
        let rest: Vec<usize> = of.iter().copied().filter(|one| one != first).collect();
        for mut order in permutations(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}
