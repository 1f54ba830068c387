//! Shard maps: a key space cut into pieces, each with one owner; how pieces are split, moved and shared out.
//!
//! Range sharding keeps keys in their order: pieces are ranges of keys, and a piece that has grown is split at its median key.
//! Hash sharding cuts the space of hash slots instead ([`crate::hash_slots`]), so that neighbours among keys are strangers.
//! Either way few machines own many pieces, and a machine that joins is given whole pieces. That is how MongoDB's chunks,
//! CockroachDB's ranges, TiKV's regions and Redis Cluster's slots work. A map knows no rows: who keeps them says where
//! the median is. Sources: the MongoDB manual ("Sharded cluster balancer", "Hashed sharding"), the specification of Redis
//! Cluster, and M. Kleppmann, *Designing Data-Intensive Applications*, chapter 6.

use std::ops::Range;

/// A piece of the key space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<K> {
    /// Its number: what is cut off keeps none of an earlier piece.
    pub id: u32,
    /// Its first key; it ends where the next piece begins. The first piece takes what is below, too.
    pub from: K,
    /// The shard that keeps it.
    pub owner: usize,
}

/// Who owns what. Pieces lie in order and cover all keys without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardMap<K> {
    pieces: Vec<Piece<K>>,
    ids: u32,
}

impl<K: Ord + Copy> ShardMap<K> {
    /// Pieces that begin at these keys, in ascending order, the first of them at the beginning of the space; each with its owner.
    ///
    /// # Panics
    /// If there is none, or they do not ascend.
    pub fn new(pieces: impl IntoIterator<Item = (K, usize)>) -> ShardMap<K> {
        let numbered = (1..).zip(pieces);
        let pieces: Vec<_> = numbered
            .map(|(id, (from, owner))| Piece { id, from, owner })
            .collect();
        assert!(
            !pieces.is_empty() && pieces.is_sorted_by(|one, next| one.from < next.from),
            "pieces ascend"
        );
        let ids = pieces.len() as u32;
        ShardMap { pieces, ids }
    }

    /// All pieces in the order of their keys.
    pub fn pieces(&self) -> &[Piece<K>] {
        &self.pieces
    }

    // region: place
    /// The place of the piece that a key belongs to.
    pub fn place_of(&self, key: K) -> usize {
        let after = self.pieces.partition_point(|piece| piece.from <= key);
        after.saturating_sub(1)
    }

    /// The shard that keeps a key.
    pub fn owner_of(&self, key: K) -> usize {
        self.pieces[self.place_of(key)].owner
    }
    // endregion

    /// The place of the piece of this number.
    pub fn find(&self, id: u32) -> Option<usize> {
        self.pieces.iter().position(|piece| piece.id == id)
    }

    /// Where the keys of a piece begin, and where they end, if it is not the last.
    pub fn bounds(&self, place: usize) -> (K, Option<K>) {
        let end = self.pieces.get(place + 1).map(|next| next.from);
        (self.pieces[place].from, end)
    }

    /// The places that a query for the keys from `first` to `last` must look at, both included.
    pub fn places(&self, first: K, last: K) -> Range<usize> {
        self.place_of(first)..self.place_of(last) + 1
    }

    /// How many pieces each of so many shards has.
    pub fn counts(&self, shards: usize) -> Vec<usize> {
        let of = |shard| self.pieces.iter().filter(|it| it.owner == shard).count();
        (0..shards).map(of).collect()
    }

    // region: split
    /// Cuts a piece in two before a key, which must lie within it. Both halves stay where they are; the upper one is a piece
    /// of a new number. Says whether it could.
    pub fn split(&mut self, place: usize, at: K) -> bool {
        let (from, end) = self.bounds(place);
        if at <= from || end.is_some_and(|end| at >= end) {
            return false;
        }
        self.ids += 1;
        let upper = Piece {
            id: self.ids,
            from: at,
            ..self.pieces[place]
        };
        self.pieces.insert(place + 1, upper);
        true
    }
    // endregion

    /// The next piece takes over the keys of this one, which has no rows to move. Says whether there was a next one.
    pub fn join_next(&mut self, place: usize) -> bool {
        let there = place + 1 < self.pieces.len();
        if there {
            let below = self.pieces.remove(place);
            self.pieces[place].from = below.from;
        }
        there
    }

    /// Gives a piece another owner.
    pub fn give(&mut self, place: usize, owner: usize) {
        self.pieces[place].owner = owner;
    }

    // region: move
    /// The next piece that moves, and to which shard, so that in the end each of the first `shards` has as many as any other or
    /// one more, and no other has any. None once that is so.
    pub fn next_move(&self, shards: usize) -> Option<(usize, usize)> {
        let counts = self.counts(shards);
        let least = (0..shards).min_by_key(|shard| counts[*shard])?;
        let stray = self.pieces.iter().position(|it| it.owner >= shards);
        if let Some(place) = stray {
            return Some((place, least));
        }
        let most = (0..shards).rev().max_by_key(|shard| counts[*shard])?;
        let last = self.pieces.iter().rposition(|it| it.owner == most)?;
        (counts[most] > counts[least] + 1).then_some((last, least))
    }
    // endregion
}

/// The key at which a piece with these keys, in ascending order, is split: the median, so that the upper half is not the smaller
/// one; the nearest other key if the median is the first. None if there is but one key: that cannot be cut.
pub fn median<K: Ord + Copy>(keys: &[K]) -> Option<K> {
    let first = *keys.first()?;
    let upper = &keys[keys.len() / 2..];
    upper.iter().find(|key| **key > first).copied()
}

/// The part of a compound key that is hashed: what stands before its first `#`. All keys with one prefix lie together.
pub fn partition_key(key: &[u8]) -> &[u8] {
    let end = key.iter().position(|byte| *byte == b'#');
    &key[..end.unwrap_or(key.len())]
}

/// A sub-key of a key that is too hot for one place: `cust42#3`. Who reads the key asks for all of its sub-keys.
pub fn salted(key: &[u8], salt: u32) -> Vec<u8> {
    [key, b"#", salt.to_string().as_bytes()].concat()
}

/// The share of all operations that each sub-key has, of a key with this share that is written under so many.
pub fn salted_share(share: f64, salts: u32) -> f64 {
    share / f64::from(salts.max(1))
}

/// The share of all operations that the busiest shard does. `alone` is the share of requests that one shard answers,
/// `busiest` the busiest shard's part of these; all others ask every shard.
pub fn busiest_share(alone: f64, busiest: f64) -> f64 {
    alone * busiest + (1.0 - alone)
}

/// How many requests a second all shards together carry, if one does `each` operations a second and the busiest has
/// this share of all.
pub fn carried(each: f64, busiest_share: f64) -> f64 {
    each / busiest_share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix64;

    fn even(pieces: u32, shards: usize) -> ShardMap<u32> {
        let owner = |piece: u32| piece as usize * shards / pieces as usize;
        ShardMap::new((0..pieces).map(|piece| (piece * 100, owner(piece))))
    }

    #[test]
    fn every_key_has_one_piece() {
        let map = even(4, 4);
        assert_eq!(
            [0, 99, 100, 399, 400].map(|key| map.place_of(key)),
            [0, 0, 1, 3, 3]
        );
        assert_eq!(map.places(99, 200), 0..3);
        assert_eq!(
            (map.bounds(1), map.bounds(3)),
            ((100, Some(200)), (300, None))
        );
    }

    #[test]
    fn a_split_leaves_two_halves_that_are_not_empty() {
        let mut map = even(1, 1);
        assert!(!map.split(0, 0), "the lower half would be empty");
        assert!(map.split(0, 50) && !map.split(0, 50) && !map.split(0, 60));
        assert!(map.split(1, 70));
        let ids: Vec<u32> = map.pieces().iter().map(|it| it.id).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert_eq!(median(&[7, 7, 7]), None);
        assert_eq!(median(&[7, 7, 7, 9]), Some(9));
        assert_eq!(median(&[7, 9]), Some(9));
        assert_eq!(median::<u32>(&[]), None);
    }

    #[test]
    fn a_fifth_shard_takes_six_of_thirty_two_and_nothing_else_moves() {
        let mut map = even(32, 4);
        let mut moved = Vec::new();
        while let Some((place, to)) = map.next_move(5) {
            assert_eq!(to, 4);
            moved.push(place);
            map.give(place, to);
        }
        assert_eq!(moved.len(), 6);
        assert_eq!(map.counts(5), [6, 6, 7, 7, 6]);
    }

    #[test]
    fn who_leaves_gives_away_all_that_it_has() {
        let mut map = even(32, 5);
        let mut moves = 0;
        while let Some((place, to)) = map.next_move(4) {
            map.give(place, to);
            moves += 1;
        }
        assert!(map.counts(4).iter().all(|count| *count == 8));
        assert_eq!(moves, 6);
        assert_eq!(even(4, 4).next_move(16), None, "fewer pieces than shards");
    }

    #[test]
    fn whatever_happens_each_key_has_one_owner() {
        for seed in 1..=50 {
            let (mut map, mut dice) = (even(4, 4), seed);
            for _ in 0..200 {
                dice = mix64(dice);
                let (key, place) = (
                    (dice % 1_000) as u32,
                    map.place_of((dice >> 32) as u32 % 1_000),
                );
                match (dice >> 20) % 4 {
                    0 => _ = map.split(place, key),
                    1 => _ = map.join_next(place),
                    2 => map.give(place, (dice >> 50) as usize % 4),
                    _ => {
                        if let Some((place, to)) = map.next_move(4) {
                            map.give(place, to);
                        }
                    }
                }
                assert!(map.pieces().is_sorted_by(|one, next| one.from < next.from));
                assert_eq!(map.pieces()[0].from, 0, "no gap at the beginning");
                let mut ids: Vec<u32> = map.pieces().iter().map(|it| it.id).collect();
                ids.sort_unstable();
                assert!(
                    ids.is_sorted_by(|one, next| one < next),
                    "a number is used twice"
                );
            }
        }
    }

    #[test]
    fn a_tenth_that_asks_all_costs_more_the_more_there_are() {
        let times = |n: u32| carried(1.0, busiest_share(0.9, 1.0 / f64::from(n)));
        assert!((times(4) - 3.08).abs() < 0.01 && (times(16) - 6.4).abs() < 0.01);
        assert_eq!(partition_key(b"cust42#order9"), b"cust42");
        assert_eq!(salted(b"cust42", 3), b"cust42#3");
    }
}
