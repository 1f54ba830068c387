//! What the learner sets.

use algorithms::lease_lock::FOREVER;
use engine::{Time, choices};

/// Who keeps the locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Nobody,
    /// One server.
    One,
    /// A server, and a copy that hears of each change a little later.
    Copy,
    /// Five servers that know nothing of each other: Redlock.
    Majority,
    /// Five servers with one log: Raft.
    Log,
}
choices!(Kept {
    "nobody" => Kept::Nobody,
    "one" => Kept::One,
    "copy" => Kept::Copy,
    "majority" => Kept::Majority,
    "log" => Kept::Log,
});

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// Who keeps the locks.
        kept: choice Kept "kept" = Kept::Nobody,
        /// How long a lock is given for, s; 0 for ever.
        lease: slider "lease" [0.0, 60.0, 1.0] "s" = 5.0,
        /// Whether a holder asks for more time at each third of it.
        renew: switch "renew" = false,
        /// Whether the store refuses tokens below the highest that it has seen.
        fence: switch "fence" = false,
        /// Work on a file, s.
        work: slider "work" [1.0, 20.0, 1.0] "s" = 4.0,
        /// So many may convert at a time; four is no limit.
        permits: whole "permits" [1, 4] "" = 4,
        /// How many workers there are.
        workers: whole "workers" [2, 5] "" = 4,
        /// Whether a release looks whose lock it is.
        checked: switch "checked" = true,
        /// The copy hears of a change after so long, ms.
        lag: slider "lag" [0.0, 2000.0, 100.0] "ms" = 300.0,
        /// A message takes so long, a quarter more or less, ms.
        way: slider "way" [5.0, 500.0, 5.0] "ms" = 50.0,
        /// Whether a worker looks at its lease before each block.
        looks: switch "looks" = false,
        /// After a lost lease nobody gets the lock for so long, s.
        delay: slider "delay" [0.0, 60.0, 1.0] "s" = 0.0,
        /// Whether a server that restarts still knows its locks.
        keeps: switch "keeps" = false,
        /// Whether a server that restarts gives nothing for the length of a lease.
        waits: switch "waits" = false,
    }
}

/// Seconds in ms.
fn ms(s: f64) -> u64 {
    Time::from_s(s).0 / 1_000
}

impl Settings {
    /// The lease, ms.
    pub(super) fn ttl(&self) -> u64 {
        match ms(self.lease) {
            0 => FOREVER,
            ttl => ttl,
        }
    }

    /// The lock delay, ms.
    pub(super) fn delay_ms(&self) -> u64 {
        ms(self.delay)
    }

    /// One way of a message, µs.
    pub(super) fn one_way(&self) -> u64 {
        Time::from_ms(self.way).0
    }

    /// How many servers keep the locks.
    pub(super) fn servers(&self) -> u8 {
        match self.kept {
            Kept::Nobody => 0,
            Kept::One => 1,
            Kept::Copy => 2,
            Kept::Majority | Kept::Log => 5,
        }
    }

    /// Whether a permit is needed to convert.
    pub(super) fn limited(&self) -> bool {
        self.permits < 4 && self.kept != Kept::Nobody
    }
}
