//! Pairs of small programs, each of which shows what goes wrong when two transactions meet.

use super::programs::{Setting, Step};
use super::{Id, Set, Statement, Where};

/// What two programs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Both read a balance and write what they computed: lost updates.
    Withdrawals,
    /// One reads two rows, the other moves money from the second to the first: read skew.
    Report,
    /// One reads a row twice, the other writes it: reads that do not repeat.
    Twice,
    /// One counts twice, the other adds a row: phantoms.
    NewRow,
    /// One writes and undoes it, the other reads: dirty reads.
    RolledBack,
    /// Each leaves if both are there: write skew.
    Doctors,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Scenario; 6] = [
        Scenario::Withdrawals,
        Scenario::Report,
        Scenario::Twice,
        Scenario::NewRow,
        Scenario::RolledBack,
        Scenario::Doctors,
    ];
}

/// What a programmer does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Nothing.
    None,
    /// The database does the arithmetic: `set balance = balance - 10`. Where there is none, nothing changes.
    OneStatement,
    /// `SELECT … FOR UPDATE`.
    ForUpdate,
    /// `where version = 7`, and who finds another rolls back.
    VersionCheck,
}

/// The row that most scenarios are about, and the second one.
pub const FIRST: Id = 1;
/// See [`FIRST`].
pub const SECOND: Id = 2;
/// The row that is new.
pub const NEW: Id = 3;

/// What is in an account at first.
pub const BALANCE: i64 = 100;

/// Withdraws from an account: reads, writes what it computed, commits.
pub fn withdraw(id: Id, fix: Fix, amount: i64) -> Vec<Step> {
    match fix {
        // What is left is read back, so that there are three steps as before.
        Fix::OneStatement => vec![
            add(id, -amount),
            Step::Run(Statement::Read(Where::Id(id))),
            Step::Commit,
        ],
        _ => vec![
            read(Where::Id(id), fix),
            Step::Put {
                id,
                add: -amount,
                checked: fix == Fix::VersionCheck,
            },
            Step::Commit,
        ],
    }
}

fn read(on: Where, fix: Fix) -> Step {
    Step::Run(match fix {
        Fix::ForUpdate => Statement::ReadForUpdate(on),
        _ => Statement::Read(on),
    })
}

fn add(id: Id, more: i64) -> Step {
    Step::Run(Statement::Update(Where::Id(id), Set::Add(more)))
}

/// The programs of a scenario. `amount` is withdrawn or moved; the first program rolls back at its end if it `aborts`.
pub fn setting(scenario: Scenario, fix: Fix, amount: i64, aborts: bool, again: bool) -> Setting {
    let read = |on: Where| read(on, fix);
    let withdraw = || withdraw(FIRST, fix, amount);
    let leaves = |id: Id| {
        vec![
            read(Where::Value(1)),
            Step::Leave { id, least: 2 },
            Step::Commit,
        ]
    };
    let twice = |on: Where| vec![read(on), read(on), Step::Commit];
    let one = vec![(FIRST, BALANCE)];
    let two = vec![(FIRST, BALANCE), (SECOND, BALANCE)];
    let (rows, mut programs) = match scenario {
        Scenario::Withdrawals => (one, vec![withdraw(), withdraw()]),
        Scenario::Report => {
            let report = vec![
                read(Where::Id(FIRST)),
                read(Where::Id(SECOND)),
                Step::Commit,
            ];
            let moves = vec![add(FIRST, amount), add(SECOND, -amount), Step::Commit];
            (two, vec![report, moves])
        }
        Scenario::Twice => {
            let writes = vec![add(FIRST, -amount), Step::Commit];
            (one, vec![twice(Where::Id(FIRST)), writes])
        }
        Scenario::NewRow => {
            let adds = vec![Step::Run(Statement::Insert(NEW, BALANCE)), Step::Commit];
            (two, vec![twice(Where::All), adds])
        }
        Scenario::RolledBack => {
            let undone = vec![add(FIRST, -amount), Step::Abort];
            (
                one,
                vec![undone, vec![read(Where::Id(FIRST)), Step::Commit]],
            )
        }
        Scenario::Doctors => (
            vec![(FIRST, 1), (SECOND, 1)],
            vec![leaves(FIRST), leaves(SECOND)],
        ),
    };
    if aborts && let Some(last) = programs[0].last_mut() {
        *last = Step::Abort;
    }
    Setting {
        rows,
        programs,
        again,
    }
}
