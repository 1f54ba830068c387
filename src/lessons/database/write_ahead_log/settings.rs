//! What the learner sets.

use algorithms::wal::Policy;
use engine::{Time, choices};

/// Most keys of the table.
pub(super) const KEYS: usize = 24;

/// When what was logged is brought to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    NoLog,
    Never,
    EachSecond,
    Group,
    EachWrite,
}
choices!(Sync {
    "no-log" => Sync::NoLog,
    "never" => Sync::Never,
    "each-second" => Sync::EachSecond,
    "group" => Sync::Group,
    "each-write" => Sync::EachWrite,
});

impl Sync {
    /// The rule; none without a log.
    pub(super) fn policy(self) -> Option<Policy> {
        Some(match self {
            Sync::NoLog => return None,
            Sync::Never => Policy::Never,
            Sync::EachSecond => Policy::EachSecond,
            Sync::Group => Policy::Group,
            Sync::EachWrite => Policy::EachWrite,
        })
    }
}

/// When the log is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Snapshot {
    ByHand,
    Doubled,
}
choices!(Snapshot { "by-hand" => Snapshot::ByHand, "doubled" => Snapshot::Doubled });

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logs {
    Value,
    Statement,
}
choices!(Logs { "value" => Logs::Value, "statement" => Logs::Statement });

/// Whether the disk says "done" when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disk {
    Honest,
    /// It says so when its own cache has it.
    Volatile,
}
choices!(Disk { "honest" => Disk::Honest, "volatile" => Disk::Volatile });

/// What the store does when a sync fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    Stop,
    Retry,
}
choices!(Failed { "stop" => Failed::Stop, "retry" => Failed::Retry });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// When the log is synced.
        sync: choice Sync "sync" = Sync::EachSecond,
        /// Writes a second.
        writes: whole "writes" [5, 400] "/s" = 30,
        /// What a sync takes, ms.
        fsync: slider "fsync" [0.1, 20.0, 0.1] "ms" = 5.0,
        /// When the log is rewritten.
        snapshot: choice Snapshot "snapshot" = Snapshot::ByHand,
        /// What a record holds.
        logs: choice Logs "logs" = Logs::Value,
        /// Whether the disk is honest.
        disk: choice Disk "disk" = Disk::Honest,
        /// Keys of the table.
        keys: whole "keys" [4, 24] "" = 12,
        /// How much more often popular keys are written: the exponent of their ranks.
        skew: slider "skew" [0.0, 1.5, 0.1] "" = 1.0,
        /// Records read a second at a restart.
        replay: whole "replay" [5, 200] "/s" = 20,
        /// The system writes what is older than so many seconds by itself.
        flush: whole "flush" [5, 60] "s" = 30,
        /// What a failed sync leads to.
        failed: choice Failed "failed" = Failed::Stop,
    }
}

impl Settings {
    /// How long a sync takes.
    pub(super) fn sync_takes(&self) -> Time {
        Time::from_ms(self.fsync)
    }

    /// Answers a second by theory: all that come, and one for each sync at most where each write has its own.
    pub(super) fn answers_per_s(&self) -> f64 {
        let most = match self.sync {
            Sync::EachWrite => 1_000.0 / self.fsync,
            _ => f64::MAX,
        };
        f64::from(self.writes).min(most)
    }

    /// Answered writes that the disk lacks on average, by theory; none where nothing bounds them.
    pub(super) fn risk(&self) -> Option<f64> {
        let per_s = f64::from(self.writes);
        match (self.disk, self.sync) {
            (Disk::Honest, Sync::EachSecond) => Some(per_s * (0.5 + self.fsync / 1_000.0)),
            (Disk::Honest, Sync::Group | Sync::EachWrite) => Some(0.0),
            _ => None,
        }
    }

    /// From one record that is read to the next.
    pub(super) fn reading(&self) -> Time {
        Time::from_s(1.0 / f64::from(self.replay))
    }
}
