//! What the learner sets.

use algorithms::constraints::OnDelete;
use engine::choices;

/// How the statements of a program belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Design {
    /// Each is a transaction of its own.
    Each,
    /// All are one.
    One,
    /// Two databases, and a transaction in each.
    TwoBanks,
    /// Two databases that agree first.
    TwoPhase,
}
choices!(Design { "each" => Design::Each, "one" => Design::One, "two" => Design::TwoBanks, "agree" => Design::TwoPhase });

impl Design {
    /// How many databases there are.
    pub(super) fn banks(self) -> usize {
        match self {
            Design::Each | Design::One => 1,
            Design::TwoBanks | Design::TwoPhase => 2,
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// From A to B, and a fee.
    Transfer,
    /// A post, and its author's count.
    Post,
    /// A customer goes, and the count of customers.
    Close,
}
choices!(Program { "transfer" => Program::Transfer, "post" => Program::Post, "close" => Program::Close });

/// What an error leaves of its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterError {
    /// It has failed: nothing more is taken, COMMIT takes all back.
    Fails,
    /// Only the statement is undone.
    Undone,
}
choices!(AfterError { "fails" => AfterError::Fails, "undone" => AfterError::Undone });

/// When pages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Never,
    Random,
    AtOnce,
}
choices!(Writer { "never" => Writer::Never, "random" => Writer::Random, "at-once" => Writer::AtOnce });

/// What becomes of the accounts of a customer who goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Children {
    Restrict,
    Cascade,
    SetNull,
}
choices!(Children { "restrict" => Children::Restrict, "cascade" => Children::Cascade, "set-null" => Children::SetNull });

impl Children {
    pub(super) fn rule(self) -> OnDelete {
        match self {
            Children::Restrict => OnDelete::Restrict,
            Children::Cascade => OnDelete::Cascade,
            Children::SetNull => OnDelete::SetNull,
        }
    }
}

/// When the e-mail goes that says it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mail {
    None,
    /// Between two statements.
    Middle,
    /// A row says that it is to be sent; it is sent once that row is committed.
    Outbox,
}
choices!(Mail { "none" => Mail::None, "middle" => Mail::Middle, "outbox" => Mail::Outbox });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// What belongs together.
        design: choice Design "design" = Design::Each,
        /// What is done.
        program: choice Program "program" = Program::Transfer,
        /// What is taken from A.
        amount: whole "amount" [1, 20] "" = 5,
        /// What an error leaves.
        error: choice AfterError "error" = AfterError::Fails,
        /// A savepoint before the deposit.
        savepoint: switch "savepoint" = false,
        /// When pages are written.
        writer: choice Writer "writer" = Writer::Random,
        /// What becomes of rows whose parent is deleted.
        children: choice Children "children" = Children::Cascade,
        /// Whether rules are declared.
        rules: switch "rules" = true,
        /// How long the coordinator waits for votes, s.
        patience: whole "patience" [1, 10] "s" = 2,
        /// An e-mail about it.
        mail: choice Mail "mail" = Mail::None,
        /// Transactions in a run.
        transfers: whole "transfers" [1, 4] "" = 1,
    }
}
