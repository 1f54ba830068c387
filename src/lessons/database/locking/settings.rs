//! What the learner sets.

use algorithms::lock_table::Rule;
use engine::{Time, choices};

/// How workers keep out of each other's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Not at all.
    NoLock,
    /// They ask for each row before they touch it.
    Ask,
    /// They look at the end whether somebody was faster.
    Later,
}
choices!(Way { "no-lock" => Way::NoLock, "ask" => Way::Ask, "later" => Way::Later });

/// [`Rule`] with names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deadlocks {
    Nobody,
    AfterWait,
    AtOnce,
    GiveUp,
    WaitDie,
    WoundWait,
}
choices!(Deadlocks {
    "nobody" => Deadlocks::Nobody,
    "after-wait" => Deadlocks::AfterWait,
    "at-once" => Deadlocks::AtOnce,
    "give-up" => Deadlocks::GiveUp,
    "wait-die" => Deadlocks::WaitDie,
    "wound-wait" => Deadlocks::WoundWait,
});

impl Deadlocks {
    pub(super) fn rule(self) -> Rule {
        match self {
            Deadlocks::Nobody => Rule::Nobody,
            Deadlocks::AfterWait => Rule::AfterWait,
            Deadlocks::AtOnce => Rule::AtOnce,
            Deadlocks::GiveUp => Rule::GiveUp,
            Deadlocks::WaitDie => Rule::WaitDie,
            Deadlocks::WoundWait => Rule::WoundWait,
        }
    }
}

/// When who was undone tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    AtOnce,
    Soon,
    Later,
}
choices!(Again { "at-once" => Again::AtOnce, "soon" => Again::Soon, "later" => Again::Later });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// How workers keep out of each other's way.
        way: choice Way "way" = Way::Ask,
        /// What is done about circles of waiting.
        deadlocks: choice Deadlocks "deadlocks" = Deadlocks::AfterWait,
        /// Whether each asks for the account with the lower number first.
        order: switch "order" = false,
        /// How many accounts there are.
        accounts: whole "accounts" [2, 64] "" = 16,
        /// How long a transfer is computed, on average.
        compute: slider "compute" [0.0, 500.0, 10.0] "ms" = 50.0,
        /// How many can compute at once.
        processors: whole "processors" [1, 8] "" = 8,
        /// After how long somebody looks, or gives up.
        wait: slider "wait" [50.0, 5_000.0, 50.0] "ms" = 1_000.0,
        /// How many work.
        workers: whole "workers" [2, 16] "" = 8,
        /// How many accounts a transfer changes.
        rows: whole "rows" [1, 4] "" = 2,
        /// When who was undone tries again.
        again: choice Again "again" = Again::AtOnce,
        /// How many transfers change account 1.
        hot: slider "hot" [0.0, 90.0, 10.0] "%" = 0.0,
        /// How long a read or a write takes.
        statement: slider "statement" [1.0, 50.0, 1.0] "ms" = 10.0,
    }
}

impl Settings {
    /// The longest pause before a try; in wait-die nobody asks again in the moment in which it was undone.
    pub(super) fn pause(&self) -> Time {
        match self.again {
            Again::Later => Time::ms(200),
            Again::Soon => Time::ms(50),
            Again::AtOnce if self.way == Way::Ask && self.deadlocks == Deadlocks::WaitDie => {
                Time::ms(50)
            }
            Again::AtOnce => Time::ZERO,
        }
    }

    /// Transfers a second if nobody ever met anybody.
    pub(super) fn alone_per_s(&self) -> f64 {
        let ms = f64::from(self.rows + 1) * self.statement + self.compute;
        let by_workers = 1_000.0 * f64::from(self.workers) / ms;
        let by_processors = 1_000.0 * f64::from(self.processors) / self.compute.max(1e-3);
        by_workers.min(by_processors)
    }

    /// Whether what is set in place of `before` lets all begin anew: what is under way would follow neither.
    pub(super) fn begins_anew(&self, before: &Settings) -> bool {
        let what = |one: &Settings| (one.way, one.order, one.accounts, one.workers, one.rows);
        what(self) != what(before)
    }
}
