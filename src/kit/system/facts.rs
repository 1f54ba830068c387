//! Facts: what answers say, what caches keep of that, and what a system with caches keeps beside frames and members.

use super::parcel::Seat;
use super::plan::NodeId;
use crate::flow::Key;
use engine::Time;

/// What an answer says of what it is about, and where that comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The store in which it was read.
    pub store: NodeId,
    /// Which version that had then.
    pub version: u32,
    /// When that was.
    pub read: Time,
    /// Who gave the answer: the store itself, or a cache.
    pub by: Seat,
    /// The age that it says it has.
    pub age: Time,
}

/// What a cache keeps of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The store in which it was read.
    pub store: NodeId,
    /// Which version that had then.
    pub version: u32,
    /// When that was.
    pub read: Time,
}

/// Whose copy of what, as the algorithm counts keys.
pub(super) const fn place(owner: u16, key: u32) -> u64 {
    ((owner as u64) << 32) | key as u64
}

/// What a name is a name of: a thing may be given a new one by another number in the upper half of its key.
pub const fn thing(key: u32) -> u32 {
    key & 0xffff
}

/// The versions that a store has of everything, as far as they are not the first.
#[derive(Clone, Debug)]
pub(super) struct Versions {
    pub(super) store: u16,
    pub(super) of: Vec<u32>,
}

/// What a system with caches keeps beside frames and members.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    /// What is said to whom: in place of its slot, to whom, so that a later tenant finds nothing.
    pub(super) said: Vec<(Key, Answer)>,
    pub(super) stores: Vec<Versions>,
    /// What the request that is over was told.
    pub(super) told: Option<Answer>,
    /// Calls that each cache held at time zero, when the ledger began anew.
    pub(super) carried: Vec<(u16, u32)>,
}
