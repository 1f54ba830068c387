//! What members post to each other without any request: a feed from one to another keeps its order, and a cut breaks it.

use super::plan::NodeId;
use engine::Time;

/// A member of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The node.
    pub node: NodeId,
    /// Which of its members.
    pub member: usize,
}

/// Something on its way from one member to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Who posted it.
    pub from: Seat,
    /// Whom it is for.
    pub to: Seat,
    /// What it is, by the script's own count.
    pub kind: u8,
    /// What it says.
    pub value: u64,
    /// A request that it has to do with, as a dot; 0 for none.
    pub number: u32,
    /// When it was posted.
    pub left: Time,
    /// When it arrives.
    pub due: Time,
    /// The lives of both when it was posted: what is on its way dies with either.
    pub(super) lives: [u32; 2],
}

impl Parcel {
    /// The share of the way that is behind it, 0 to 1.
    pub fn share(&self, at: Time) -> f32 {
        at.progress(self.left, self.due)
    }
}

/// What is known of the feed from one member to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feed {
    pub(super) from: Seat,
    pub(super) to: Seat,
    /// The last one posted on it arrives then: none comes before one that was posted earlier.
    pub(super) last: Time,
}

/// How many parcels there were, and how many jobs: what began is over, lost or somewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tallies {
    pub(super) posted: u64,
    pub(super) delivered: u64,
    pub(super) strayed: u64,
    pub(super) jobs: u64,
    pub(super) jobs_done: u64,
    pub(super) jobs_lost: u64,
}
