//! What the learner sets.

use algorithms::isolation::programs::Setting;
use algorithms::isolation::scenarios::{Fix, Scenario, setting};
use algorithms::isolation::{Database, Level};
use engine::choices;

/// What the two do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    Withdrawals,
    Report,
    Twice,
    NewRow,
    RolledBack,
    Doctors,
}
choices!(Pair {
    "withdrawals" => Pair::Withdrawals,
    "report" => Pair::Report,
    "twice" => Pair::Twice,
    "new-row" => Pair::NewRow,
    "rolled-back" => Pair::RolledBack,
    "doctors" => Pair::Doctors,
});

/// The level; [`Level`] with names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    Uncommitted,
    Committed,
    Repeatable,
    Serializable,
}
choices!(Rung {
    "read-uncommitted" => Rung::Uncommitted,
    "read-committed" => Rung::Committed,
    "repeatable-read" => Rung::Repeatable,
    "serializable" => Rung::Serializable,
});

impl Rung {
    pub(super) fn level(self) -> Level {
        Level::ALL[self as usize]
    }
}

/// Whose behaviour it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Postgres,
    Mysql,
}
choices!(Base { "postgresql" => Base::Postgres, "mysql" => Base::Mysql });

impl Base {
    pub(super) fn database(self) -> Database {
        match self {
            Base::Postgres => Database::Postgres,
            Base::Mysql => Database::Mysql,
        }
    }
}

/// What the programmer does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    None,
    OneStatement,
    ForUpdate,
    Version,
}
choices!(Care {
    "none" => Care::None,
    "one-statement" => Care::OneStatement,
    "for-update" => Care::ForUpdate,
    "version" => Care::Version,
});

impl Care {
    pub(super) fn fix(self) -> Fix {
        match self {
            Care::None => Fix::None,
            Care::OneStatement => Fix::OneStatement,
            Care::ForUpdate => Fix::ForUpdate,
            Care::Version => Fix::VersionCheck,
        }
    }
}

/// What becomes of a program that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Out,
    Again,
}
choices!(Refused { "out" => Refused::Out, "again" => Refused::Again });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// What the two do.
        scenario: choice Pair "scenario" = Pair::Withdrawals,
        /// How much they may see of each other.
        level: choice Rung "level" = Rung::Committed,
        /// Whose behaviour it is.
        database: choice Base "database" = Base::Postgres,
        /// Which order of the steps, from 1, lexicographically.
        order: whole "order" [1, 20] "" = 6,
        /// What the programmer does about it.
        fix: choice Care "fix" = Care::None,
        /// What becomes of who is refused.
        refused: choice Refused "refused" = Refused::Out,
        /// What each withdraws.
        amount: whole "amount" [1, 40] "" = 10,
        /// What is moved between accounts while the report reads.
        moved: whole "moved" [1, 90] "" = 50,
        /// Whether T1 rolls back at its end.
        aborts: switch "aborts" = false,
        /// How many of the crowd withdraw at once.
        crowd: whole "crowd" [2, 20] "" = 4,
        /// Over how many accounts they are spread.
        accounts: whole "accounts" [1, 50] "" = 10,
    }
}

impl Settings {
    /// The two programs and their rows.
    pub(super) fn setting(&self) -> Setting {
        let scenario = Scenario::ALL[self.scenario as usize];
        let amount = match self.scenario {
            Pair::Report => self.moved,
            _ => self.amount,
        };
        let again = self.refused == Refused::Again;
        setting(scenario, self.fix.fix(), amount.into(), self.aborts, again)
    }
}
