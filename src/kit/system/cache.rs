//! Caches: what they keep, what answers say, and how their cards look.

use super::parcel::Seat;
use super::plan::{Kind, Node, NodeId};
use super::state::Live;
use super::{Count, System};
use crate::figures::{self, NodeCard};
use crate::flow::Key;
use algorithms::copies::Copies;
use engine::scene::{Rect, pt};
use engine::{Arg, Ink, Scene, Time};

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

/// The height of a cache's card.
pub(super) const HEIGHT: f32 = 62.0;
/// How wide it is where there is room.
pub(super) const WIDTH: f32 = 118.0;

/// Draws the card of one member: how many copies it has, and the share of what came that it answered.
pub(super) fn draw(live: &Live, member: usize, (card, at): (Rect, Time), scene: &mut Scene) {
    let Some(it) = live.members.get(member) else {
        return;
    };
    let part = live.node.part_of(member);
    let copies = it.own.copies.as_ref().map_or(0, |copies| copies.len());
    let row = it.own.row;
    let hits = f64::from(row.of(Count::Hit)) / f64::from(row.of(Count::Came).max(1));
    let off = is_off(&live.node);
    let down = it.down.is_some();
    let (status, ink) = if let Some(since) = it.down {
        let span = figures::tenths(at.since(since));
        (scene.say("crashed", &[span]), Ink::Bad)
    } else if off {
        (scene.say("cache-off", &[]), Ink::Secondary)
    } else {
        let args = [Arg::Count(copies as i64), Arg::Share(hits)];
        (scene.say("kept", &args), Ink::Secondary)
    };
    let name = scene.name(part);
    let mut pencil = scene.thing(part, card, status.clone());
    pencil
        .figure("copies", copies as f64)
        .figure("hits", hits)
        .figure("stale", f64::from(row.of(Count::Stale)));
    let border = if down { Ink::Bad } else { Ink::LineStrong };
    let face = NodeCard {
        ink,
        border,
        ..NodeCard::plain(card, name.clone(), status)
    };
    if off && !down {
        pencil.dashed(card, 12.0, Ink::None, Ink::Line, 1.5);
        pencil.bold(pt(card.x + 14.0, card.y + 26.0), 14.5, Ink::Secondary, name);
    } else {
        face.draw(&mut pencil);
    }
}

/// Whether a node is a cache that keeps nothing.
fn is_off(node: &Node) -> bool {
    matches!(&node.kind, Kind::Cache(cache) if cache.life == Time::ZERO)
}

/// What is read of caches and stores.
impl System {
    /// What the request that is just over was told, in [`super::Script::over`]; none without an answer from a store.
    pub fn was_told(&self) -> Option<Answer> {
        self.book.as_ref()?.told
    }

    /// The version of a thing that a store has now.
    pub fn version(&self, store: NodeId, key: u32) -> u32 {
        let first = self.script.first_version();
        let book = self.book.as_ref();
        let mine = book.and_then(|book| book.stores.iter().find(|it| it.store == store.0));
        mine.and_then(|it| it.of.get(thing(key) as usize))
            .map_or(first, |more| first + more)
    }

    /// The copies of one member of a cache; none before it has kept anything.
    pub fn copies(&self, seat: Seat) -> Option<&Copies<Fact>> {
        let live = self.node(seat.node)?;
        live.members.get(seat.member)?.own.copies.as_deref()
    }

    /// The copy that one member of a cache has of a name for a person, fresh or not: what it is and its age as the cache counts it.
    pub fn copy_of(&self, seat: Seat, person: u16, key: u32, at: Time) -> Option<(Fact, Time)> {
        let Kind::Cache(cache) = &self.node(seat.node)?.node.kind else {
            return None;
        };
        let owner = if cache.private { person } else { 0 };
        let copy = self.copies(seat)?.peek(place(owner, key))?;
        Some((copy.value, Time(copy.age_us(at.0))))
    }
}
