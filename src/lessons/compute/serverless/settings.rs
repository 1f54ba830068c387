//! What the learner sets.

use algorithms::functions::{self, Allowance};
use engine::{Time, choices};

/// What answers the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    Functions,
    /// One machine that is always on.
    Server,
}
choices!(Runs { "functions" => Runs::Functions, "server" => Runs::Server });

/// How instances reach the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connections {
    /// Each has a connection of its own, from its start to its end.
    Own,
    /// They share some, for a query at a time.
    Pooler,
}
choices!(Connections { "own" => Connections::Own, "pooler" => Connections::Pooler });

/// How fast instances may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    Now,
    Before,
}
choices!(Growth { "now" => Growth::Now, "before" => Growth::Before });

/// How long work takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    Fixed,
    Exponential,
}
choices!(Spread { "fixed" => Spread::Fixed, "exponential" => Spread::Exponential });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// Requests a second.
        rate: slider "rate" [0.0, 60.0, 0.02] "/s" = 5.0,
        /// What a request takes, ms.
        work: slider "work" [20.0, 5000.0, 10.0] "ms" = 200.0,
        /// How long an instance is built, ms: what providers call its init.
        cold: slider "cold" [50.0, 10000.0, 50.0] "ms" = 800.0,
        /// How long an idle instance is kept, s: about ten times as long where it is real.
        kept: whole "kept" [1, 120] "s" = 30,
        /// Instances that are built ahead and never end.
        provisioned: whole "provisioned" [0, 40] "" = 0,
        /// What answers.
        runs: choice Runs "runs" = Runs::Functions,
        /// Most instances in use at once: 50 stand for Lambda's 1,000.
        limit: whole "limit" [10, 200] "" = 50,
        /// Requests that one instance works on at once.
        at_once: whole "at-once" [1, 80] "" = 1,
        /// A ping comes so often, s; 0 for never.
        ping: whole "ping" [0, 60] "s" = 0,
        /// Pings that come at once.
        pings: whole "pings" [1, 30] "" = 1,
        /// How instances reach the database.
        connections: choice Connections "connections" = Connections::Own,
        /// Connections that the database takes.
        slots: whole "slots" [10, 200] "" = 60,
        /// How fast instances may be added.
        growth: choice Growth "growth" = Growth::Now,
        /// Memory of an instance, MB.
        memory: slider "memory" [128.0, 3008.0, 64.0] "MB" = 512.0,
        /// Whether the first million requests and 400,000 GB-seconds of a month are free.
        free: switch "free" = false,
        /// How long work takes.
        spread: choice Spread "spread" = Spread::Fixed,
    }
}

impl Settings {
    /// The rules of the function. 50 instances in 10 s stand for Lambda's 1,000, 25 and 25 a minute for its 500 and 500 before
    /// November 2023.
    pub(super) fn rules(&self) -> functions::Settings {
        let allowance = match self.growth {
            Growth::Now => Allowance {
                burst: 50,
                step: 50,
                ..Allowance::PER_FUNCTION
            },
            Growth::Before => Allowance {
                step: 25,
                ..Allowance::per_region(25)
            },
        };
        functions::Settings {
            limit: self.limit as usize,
            kept_us: self.kept().0,
            at_once: self.at_once as usize,
            allowance,
            provisioned: self.provisioned as usize,
        }
    }

    pub(super) fn kept(&self) -> Time {
        Time::s(u64::from(self.kept))
    }

    pub(super) fn memory_mb(&self) -> u64 {
        self.memory as u64
    }
}
