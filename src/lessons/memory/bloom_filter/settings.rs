//! What the learner sets.

use engine::choices;

/// How many bits the filter has; counters, of a filter that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bits(pub(super) u64);
choices!(Bits {
    "8" => Bits(8),
    "64" => Bits(64),
    "128" => Bits(128),
    "256" => Bits(256),
    "512" => Bits(512),
    "1024" => Bits(1_024),
});

/// What a place of the filter is, and what happens when it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bits; nothing happens.
    Plain,
    /// Counters of four bits, so that one can take out again.
    Counting,
    /// Bits; another filter of twice the size is put on top.
    Stacked,
}
choices!(Kind { "plain" => Kind::Plain, "counting" => Kind::Counting, "stacked" => Kind::Stacked });

/// What is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyOf {
    /// The reel, in a filter of this user's own.
    Reel,
    /// User and reel, in one filter for all.
    Pair,
}
choices!(KeyOf { "reel" => KeyOf::Reel, "pair" => KeyOf::Pair });

impl KeyOf {
    /// The bytes that are hashed, as text.
    pub(super) fn text(self, reel: &str) -> String {
        match self {
            KeyOf::Reel => reel.to_owned(),
            KeyOf::Pair => format!("user-7:{reel}"),
        }
    }
}

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// Bits.
        bits: choice Bits "bits" = Bits(128),
        /// Hash functions.
        hashes: whole "hashes" [1, 12] "" = 3,
        /// How many of the reels that come were watched before, %.
        watched: whole "watched" [0, 90] "%" = 20,
        /// Whether the database is asked when the filter says maybe.
        ask: switch "ask" = true,
        /// What kind of filter it is.
        kind: choice Kind "kind" = Kind::Plain,
        /// Reels that come, a second.
        rate: whole "rate" [1, 20] "/s" = 8,
        /// The error that a rebuilt filter is sized for, %.
        error: slider "error" [0.1, 10.0, 0.1] "%" = 1.0,
        /// What the database takes for a question, ms.
        database: whole "database" [5, 40] "ms" = 20,
        /// What is hashed.
        key: choice KeyOf "key" = KeyOf::Reel,
    }
}
