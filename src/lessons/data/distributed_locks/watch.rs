//! Heartbeats: each node tells all others that it lives, and takes for dead whom it has not heard for too long.
//!
//! A protocol that others could use stands in `src/algorithms`, with its source and its table.

use algorithms::protocol::{Id, OutOf, Protocol, Wind};
use engine::{Glyph, Ink, Time};
use kit::cluster::{Dice, Face};

/// The rules, in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) size: Id,
    pub(super) every: u64,
    pub(super) patience: u64,
    pub(super) delay: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Beat,
    Silent(Id),
}

/// A node: whom it takes for dead, a bit each.
#[derive(Clone, Debug)]
pub(super) struct Node {
    me: Id,
    pub(super) missed: u32,
}

impl Watch {
    fn others(&self, me: Id) -> impl Iterator<Item = Id> + use<> {
        (1..=self.size).filter(move |id| *id != me)
    }
}

impl Protocol for Watch {
    type Node = Node;
    type Disk = ();
    type Word = ();
    type Timer = Timer;
    type Ask = ();

    fn boot(&self, me: Id, _: Option<()>, out: &mut OutOf<Self>) -> Node {
        out.wind(
            Timer::Beat,
            Wind::Within {
                least: 0,
                spread: self.every,
            },
        );
        for id in self.others(me) {
            out.wind(Timer::Silent(id), Wind::After(self.patience));
        }
        Node { me, missed: 0 }
    }

    // region: silence
    fn hear(&self, node: &mut Node, from: Id, (): (), out: &mut OutOf<Self>) {
        node.missed &= !(1 << from);
        out.wind(Timer::Silent(from), Wind::After(self.patience));
    }

    fn ring(&self, node: &mut Node, timer: Timer, out: &mut OutOf<Self>) {
        match timer {
            Timer::Beat => {
                for id in self.others(node.me) {
                    out.send(id, ());
                }
                out.wind(Timer::Beat, Wind::After(self.every));
            }
            Timer::Silent(id) => node.missed |= 1 << id,
        }
    }

    // endregion

    fn ask(&self, _: &mut Node, (): (), _: &mut OutOf<Self>) -> bool {
        false
    }

    fn disk(&self, _: &Node) {}

    fn sound(&self, nodes: &[Option<&Node>]) -> Result<(), String> {
        let blind = |node: &&Node| node.missed & (1 << node.me) != 0;
        match nodes.iter().flatten().copied().find(blind) {
            Some(node) => Err(format!("node {} takes itself for dead", node.me)),
            None => Ok(()),
        }
    }
}

impl Face for Watch {
    type Brief = u32;
    const UNIT: u64 = 1_000;

    fn brief(&self, node: &Node) -> u32 {
        node.missed
    }

    /// A tenth more or less, evenly.
    fn travel(&self, (): &(), dice: &mut Dice) -> Time {
        let jitter = engine::random::below(dice, 200) as u64;
        Time(self.delay * (900 + jitter))
    }

    fn look((): &()) -> Option<(Glyph, Ink)> {
        Some((Glyph::Heartbeat, Ink::Accent))
    }
}
