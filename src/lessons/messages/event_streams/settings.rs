//! What the learner sets.

use algorithms::assignor::Assignor;
use algorithms::log;
use engine::{Time, choices};

/// When a group commits how far it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commit {
    Before,
    After,
}
choices!(Commit { "before" => Commit::Before, "after" => Commit::After });

/// Who of Search gets which lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assign {
    Range,
    RoundRobin,
    Sticky,
    Cooperative,
}
choices!(Assign {
    "range" => Assign::Range,
    "round-robin" => Assign::RoundRobin,
    "sticky" => Assign::Sticky,
    "cooperative" => Assign::Cooperative,
});

impl Assign {
    pub(super) fn rule(self) -> Assignor {
        match self {
            Assign::Range => Assignor::Range,
            Assign::RoundRobin => Assignor::RoundRobin,
            Assign::Sticky => Assignor::Sticky,
            Assign::Cooperative => Assignor::Cooperative,
        }
    }
}

/// What a click's lane is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyOf {
    User,
    Nothing,
}
choices!(KeyOf { "user" => KeyOf::User, "none" => KeyOf::Nothing });

/// Where a group goes on whose place is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Latest,
    Earliest,
}
choices!(Start { "latest" => Start::Latest, "earliest" => Start::Earliest });

impl Start {
    pub(super) fn rule(self) -> log::Reset {
        match self {
            Start::Latest => log::Reset::Latest,
            Start::Earliest => log::Reset::Earliest,
        }
    }
}

/// When Shop is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acks {
    Leader,
    All,
}
choices!(Acks { "leader" => Acks::Leader, "all" => Acks::All });

impl Acks {
    pub(super) fn rule(self) -> log::Acks {
        match self {
            Acks::Leader => log::Acks::Leader,
            Acks::All => log::Acks::All,
        }
    }
}

/// How lanes are kept short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CleanUp {
    Delete,
    Compact,
}
choices!(CleanUp { "delete" => CleanUp::Delete, "compact" => CleanUp::Compact });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// Lanes of the log; there are never fewer than before.
        lanes: whole "lanes" [1, 12] "" = 3,
        /// Consumers of Search.
        consumers: whole "consumers" [0, 8] "" = 3,
        /// Clicks a second.
        clicks: whole "clicks" [0, 40] "/s" = 12,
        /// What a click costs a consumer of Search, ms.
        work: slider "work" [20.0, 2000.0, 20.0] "ms" = 200.0,
        /// When a batch is committed.
        commit: choice Commit "commit" = Commit::After,
        /// Who gets which lane.
        assignor: choice Assign "assignor" = Assign::Range,
        /// How much more popular users click: the exponent of their ranks.
        skew: slider "skew" [0.0, 1.5, 0.1] "" = 0.0,
        /// What a click's lane is chosen by.
        key: choice KeyOf "key" = KeyOf::User,
        /// The most records that a poll brings.
        batch: whole "batch" [1, 50] "" = 10,
        /// Who does not poll for so long is put out, s.
        poll: whole "poll" [1, 30] "s" = 6,
        /// Who is silent for so long is put out, s.
        session: slider "session" [0.5, 10.0, 0.5] "s" = 4.5,
        /// So long records are kept, s.
        retention: whole "retention" [10, 120] "s" = 60,
        /// Where a group goes on whose place is gone.
        reset: choice Start "reset" = Start::Latest,
        /// When Shop is answered.
        acks: choice Acks "acks" = Acks::All,
        /// So many must be in sync for a write with all.
        in_sync: whole "in-sync" [1, 3] "" = 2,
        /// How far followers are behind their leader, s.
        behind: slider "behind" [0.0, 2.0, 0.1] "s" = 0.3,
        /// How lanes are kept short.
        clean_up: choice CleanUp "clean-up" = CleanUp::Delete,
        /// What a click costs Counter, ms.
        counter: slider "counter" [5.0, 500.0, 5.0] "ms" = 20.0,
    }
}

impl Settings {
    /// What a click costs a consumer of this group.
    pub(super) fn work_of(&self, group: usize) -> Time {
        Time::from_ms(if group == 0 { self.work } else { self.counter })
    }

    pub(super) fn poll_limit(&self) -> Time {
        Time::s(u64::from(self.poll))
    }

    pub(super) fn kept_for(&self) -> Time {
        Time::s(u64::from(self.retention))
    }
}
