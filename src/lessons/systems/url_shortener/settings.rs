//! What the learner sets.

use algorithms::base62::codes;
use engine::choices;

/// Where codes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Drawn at random.
    Random,
    /// The first hexadecimal digits of the link's MD5.
    Hex,
    /// The link's MD5 as a number, in base 62.
    Base62,
    /// One counter that all ask.
    Counter,
    /// Counters that take turns.
    Stride,
    /// A range of numbers for each server.
    Ranges,
    /// Time, server and a count.
    Snowflake,
}
choices!(Way {
    "random" => Way::Random,
    "hex" => Way::Hex,
    "mod62" => Way::Base62,
    "counter" => Way::Counter,
    "stride" => Way::Stride,
    "ranges" => Way::Ranges,
    "snowflake" => Way::Snowflake,
});

impl Way {
    /// Whether a code says nothing of those before it, so that two may be the same.
    pub(super) fn is_scattered(self) -> bool {
        matches!(self, Way::Random | Way::Hex | Way::Base62)
    }

    /// How many characters the alphabet has.
    pub(super) fn base(self) -> u64 {
        if self == Way::Hex { 16 } else { 62 }
    }
}

/// How a code is put into the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Overwrite,
    CheckFirst,
    Unique,
}
choices!(Rule {
    "overwrite" => Rule::Overwrite,
    "check" => Rule::CheckFirst,
    "unique" => Rule::Unique,
});

/// What a visitor is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// For good: the browser remembers it.
    Permanent,
    /// For now.
    Found,
}
choices!(Redirect { "301" => Redirect::Permanent, "302" => Redirect::Found });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// Where codes come from.
        way: choice Way "code" = Way::Hex,
        /// Characters of a code.
        length: whole "length" [2, 8] "" = 4,
        /// How a code is put into the database.
        insert: choice Rule "insert" = Rule::Overwrite,
        /// New links a second.
        load: whole "load" [1, 200] "/s" = 12,
        /// Numbers in a range.
        size: slider "size" [10.0, 10_000.0, 10.0] "" = 100.0,
        /// What a visitor is answered.
        redirect: choice Redirect "redirect" = Redirect::Found,
        /// Servers.
        servers: whole "servers" [1, 5] "" = 3,
        /// The counter's replica hears of a number so much later, ms.
        lag: slider "lag" [0.0, 2_000.0, 50.0] "ms" = 300.0,
        /// Visits for each new link.
        visits: whole "visits" [1, 200] "" = 100,
        /// Codes that the cache holds.
        cache: whole "cache" [0, 500] "" = 200,
        /// What share of the links comes again, %.
        repeats: whole "repeats" [0, 50] "%" = 0,
        /// Whether counted numbers are scattered over all codes.
        scatter: switch "scatter" = false,
    }
}

impl Settings {
    /// How many codes there are.
    pub(super) fn space(&self) -> u64 {
        match self.way {
            Way::Snowflake => u64::MAX,
            way => codes(way.base(), self.length),
        }
    }
}
