//! What the learner sets.

use algorithms::merkle_sync::Method;
use algorithms::merkle_tree::Rule;
use engine::{Time, choices};

/// What all blocks hold together unless a block has a size of its own: 1.024 GB, the MB taken as 10⁶ bytes.
pub(super) const GIGABYTE: u64 = 1_024_000_000;
/// The size of a hash, bytes.
pub(super) const HASH: u64 = 32;

/// How the differing blocks are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Whole,
    List,
    Tree,
    Two,
}
choices!(How {
    "whole" => How::Whole,
    "list" => How::List,
    "tree" => How::Tree,
    "two" => How::Two,
});

impl How {
    pub(super) const ALL: [How; 4] = [How::Whole, How::List, How::Tree, How::Two];

    pub(super) fn method(self) -> Method {
        match self {
            How::Whole => Method::Whole,
            How::List => Method::List,
            How::Tree => Method::Tree(1),
            How::Two => Method::Tree(2),
        }
    }
}

/// How many blocks there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks(pub(super) usize);
choices!(Blocks {
    "4" => Blocks(4),
    "5" => Blocks(5),
    "7" => Blocks(7),
    "13" => Blocks(13),
    "16" => Blocks(16),
    "64" => Blocks(64),
    "256" => Blocks(256),
    "1024" => Blocks(1_024),
});

/// What happens to the last leaf where there is an odd number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    Up,
    Doubled,
}
choices!(Odd { "up" => Odd::Up, "doubled" => Odd::Doubled });

/// Whom Copy believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    Other,
    Seal,
}
choices!(Trust { "other" => Trust::Other, "seal" => Trust::Seal });

/// Where bad blocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// As far from each other as can be.
    Apart,
    /// Each anywhere.
    Random,
    /// One after another.
    Beside,
}
choices!(Spread { "apart" => Spread::Apart, "random" => Spread::Random, "beside" => Spread::Beside });

/// How large a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// All of them are a gigabyte.
    Whole,
    /// BitTorrent v2.
    Kb16,
    /// Dropbox.
    Mb4,
    /// The first versions of HDFS.
    Mb64,
}
choices!(Size {
    "whole" => Size::Whole,
    "16kb" => Size::Kb16,
    "4mb" => Size::Mb4,
    "64mb" => Size::Mb64,
});

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// How the differing blocks are looked for.
        method: choice How "method" = How::Tree,
        /// How many blocks there are.
        blocks: choice Blocks "blocks" = Blocks(16),
        /// How many of them are bad in the copy.
        bad: whole "bad" [0, 16] "" = 1,
        /// What happens to an odd leaf.
        odd: choice Odd "odd" = Odd::Up,
        /// Whom Copy believes.
        trust: choice Trust "trust" = Trust::Other,
        /// A question there and its answer back, ms.
        rtt: slider "rtt" [1.0, 300.0, 1.0] "ms" = 50.0,
        /// Where bad blocks are.
        spread: choice Spread "spread" = Spread::Apart,
        /// How large a block is.
        size: choice Size "size" = Size::Whole,
        /// What the line carries, Mbit/s.
        line: slider "line" [10.0, 10_000.0, 10.0] "Mbit/s" = 100.0,
        /// What is read from disk and hashed, MB/s.
        hashing: slider "hashing" [50.0, 5_000.0, 50.0] "MB/s" = 500.0,
    }
}

impl Settings {
    pub(super) fn rule(&self) -> Rule {
        match self.odd {
            Odd::Up => Rule::Rfc6962,
            Odd::Doubled => Rule::Bitcoin,
        }
    }

    /// The bytes that a block stands for.
    pub(super) fn block_bytes(&self) -> u64 {
        match self.size {
            Size::Whole => GIGABYTE / self.blocks.0 as u64,
            Size::Kb16 => 16_000,
            Size::Mb4 => 4_000_000,
            Size::Mb64 => 64_000_000,
        }
    }

    /// One way between the two sides.
    pub(super) fn hop(&self) -> Time {
        Time::from_ms(self.rtt / 2.0)
    }

    /// How long so many bytes take on the line.
    pub(super) fn on_line(&self, bytes: u64) -> Time {
        Time((bytes as f64 * 8.0 / self.line) as u64)
    }

    /// How long so many bytes take to be read and hashed.
    pub(super) fn hashed(&self, bytes: u64) -> Time {
        Time((bytes as f64 / self.hashing) as u64)
    }
}
