//! The indexes of the stage grown to a million keys: pages read for one look-up, counted, beside what theory expects.

use super::store::A_PAGE;
use algorithms::avl::{self, Avl};
use algorithms::btree::{self, BTree, Rule};
use algorithms::hash::mix64;
use algorithms::hash_index::{self, HashIndex};
use algorithms::trace::{Step, Trace, untold};
use engine::Ink;
use engine::growth::{Grower, Growth, Measured};

/// Entries a page of the tree as it opens on the stage, and as a real page of 8 kB has them.
const SMALL: usize = 16;
const REAL: usize = 400;

pub(super) const GROWTH: Growth = Growth {
    lines: &[
        line(
            "avl",
            Ink::Warn,
            || Box::new(Nodes(Avl::new())),
            avl::expected_nodes,
        ),
        line(
            "tree",
            Ink::Accent,
            || tree(SMALL),
            |n| btree::expected_levels(n, SMALL),
        ),
        line(
            "real",
            Ink::MemberA,
            || tree(REAL),
            |n| btree::expected_levels(n, REAL),
        ),
        line(
            "hash",
            Ink::Hit,
            || Box::new(Buckets(HashIndex::of(&[], A_PAGE))),
            |n| hash_index::expected_pages(n, A_PAGE),
        ),
    ],
    most: 1_000_000,
    powers_from: None,
};

const fn line(
    id: &'static str,
    ink: Ink,
    begin: fn() -> Box<dyn Grower>,
    theory: fn(f64) -> f64,
) -> Measured {
    Measured {
        id,
        ink,
        samples: 1_000,
        begin,
        theory,
    }
}

/// Keys come in no order.
fn key(number: u64) -> u64 {
    mix64(number + 1)
}

/// The key of an operation: any that is there.
fn asked(number: u64, keys: u64) -> u64 {
    key(mix64(number) % keys)
}

fn reads(find: impl FnOnce(Trace<'_>)) -> f64 {
    let mut pages = 0.0;
    find(&mut |step| {
        if let Step::Reads(_) = step {
            pages += 1.0;
        }
    });
    pages
}

struct Nodes(Avl);

impl Grower for Nodes {
    fn add(&mut self, number: u64) {
        self.0.insert(key(number), number as u32, &mut untold);
    }
    fn cost(&mut self, number: u64, keys: u64) -> f64 {
        reads(|trace| _ = self.0.find(asked(number, keys), trace))
    }
}

fn tree(room: usize) -> Box<dyn Grower> {
    Box::new(Pages(BTree::new(room, Rule::Growing)))
}

struct Pages(BTree);

impl Grower for Pages {
    fn add(&mut self, number: u64) {
        self.0.insert((key(number), number as u32), &mut untold);
    }
    fn cost(&mut self, number: u64, keys: u64) -> f64 {
        reads(|trace| _ = self.0.find(asked(number, keys), trace))
    }
}

/// Doubling the buckets of a large index takes longer than a page may stand still, so for each size it is filled anew, with as
/// many buckets as growing would have given it.
struct Buckets(HashIndex);

impl Grower for Buckets {
    fn aim(&mut self, keys: u64, _: u64) -> u64 {
        self.0 = HashIndex::with_room_for(keys as usize, A_PAGE);
        0
    }
    fn add(&mut self, number: u64) {
        self.0.insert((key(number), number as u32), &mut untold);
    }
    fn cost(&mut self, number: u64, keys: u64) -> f64 {
        reads(|trace| _ = self.0.find(asked(number, keys), trace))
    }
}
