//! What the learner sets.

use algorithms::dns_cache::{self, NEGATIVE_TTL_MAX_S, Stale};
use engine::{Time, choices};

/// Which resolver keeps copies for longer than it is told.
pub(super) const KEEPER: usize = 1;
/// How long expired answers are given, and the TTL that they carry, both in seconds: CoreDNS's hour, RFC 8767's half minute.
const STALE_UP_TO_S: u32 = 3_600;
const STALE_TTL_S: u32 = 30;

/// When expired copies are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serve {
    Off,
    /// At once; a fresh one is fetched behind.
    AtOnce,
    /// If the name server, asked first, does not answer in time.
    Verify,
}
choices!(Serve { "off" => Serve::Off, "at-once" => Serve::AtOnce, "verify" => Serve::Verify });

/// The longest that a copy is kept, whatever its TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Longest {
    Minute,
    Hour,
    Day,
    /// What BIND does unless told otherwise.
    Week,
}
choices!(Longest {
    "minute" => Longest::Minute,
    "hour" => Longest::Hour,
    "day" => Longest::Day,
    "week" => Longest::Week,
});

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// TTL of the shop's address, s.
        ttl: whole "ttl" [0, 60] "s" = 20,
        /// How often the users of one resolver want the shop, a second.
        rate: slider "rate" [0.1, 5.0, 0.1] "/s" = 0.5,
        /// Last field of the zone's SOA record: how long a "no" is kept, s.
        negative: whole "negative" [0, 60] "s" = 15,
        /// When expired copies are given.
        stale: choice Serve "stale" = Serve::Off,
        /// The shortest that Provider B keeps an address, s.
        minimum: whole "minimum" [0, 60] "s" = 0,
        /// Whether the shop's name server answers.
        answers: switch "answers" = true,
        /// How long users keep an address themselves, whatever its TTL, s.
        own: whole "own" [0, 60] "s" = 0,
        /// The longest that a resolver keeps a copy.
        longest: choice Longest "longest" = Longest::Week,
        /// A question without an answer is given up after so long, s.
        timeout: slider "timeout" [1.0, 5.0, 0.1] "s" = 1.5,
        /// One way between two machines, ms.
        travel: slider "travel" [20.0, 300.0, 10.0] "ms" = 150.0,
        /// How long a resolver remembers that nobody answered, s.
        failure: whole "failure" [0, 30] "s" = 5,
    }
}

impl Settings {
    /// One way between two machines.
    pub(super) fn hop(&self) -> Time {
        Time::from_ms(self.travel)
    }

    /// The rules of one resolver's cache.
    pub(super) fn cache(&self, resolver: usize) -> dns_cache::Settings {
        let (up_to_s, ttl_s) = (STALE_UP_TO_S, STALE_TTL_S);
        dns_cache::Settings {
            min_s: if resolver == KEEPER { self.minimum } else { 0 },
            max_s: match self.longest {
                Longest::Minute => 60,
                Longest::Hour => 3_600,
                Longest::Day => 86_400,
                Longest::Week => 604_800,
            },
            negative_max_s: NEGATIVE_TTL_MAX_S,
            failure_s: self.failure,
            stale: match self.stale {
                Serve::Off => Stale::Never,
                Serve::AtOnce => Stale::AtOnce { up_to_s, ttl_s },
                Serve::Verify => Stale::Verify { up_to_s, ttl_s },
            },
            keeps_ttl: false,
        }
    }

    /// The share of lookups that a resolver answers from its copy by theory: hits last a TTL, after a fetch of a round trip.
    pub(super) fn expected(&self) -> f64 {
        let hits = self.rate * f64::from(self.ttl);
        hits / (1.0 + hits + self.rate * 2.0 * self.hop().as_s())
    }
}
