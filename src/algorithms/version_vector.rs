//! Version vectors: telling a newer value from one written without knowing of it.
//!
//! Each replica counts its own writes. A vector that has seen everything another has, and more, is
//! after it; two that each saw something the other did not are concurrent, and both values are kept
//! as siblings until somebody who has seen both writes again. Source: Parker et al., "Detection of
//! mutual inconsistency" (1983); Preguiça et al., "Dotted version vectors" (2010).

use std::collections::BTreeMap;

/// How one vector relates to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It has seen less.
    Before,
    /// It has seen more.
    After,
    /// Both have seen the same.
    Equal,
    /// Each has seen something the other has not.
    Concurrent,
}

/// How many writes of each replica have been seen; replicas not named have none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionVector<N: Ord> {
    counts: BTreeMap<N, u64>,
}

impl<N: Ord> Default for VersionVector<N> {
    fn default() -> Self {
        Self {
            counts: BTreeMap::new(),
        }
    }
}

impl<N: Ord> FromIterator<(N, u64)> for VersionVector<N> {
    fn from_iter<I: IntoIterator<Item = (N, u64)>>(counts: I) -> Self {
        Self {
            counts: counts.into_iter().filter(|(_, count)| *count > 0).collect(),
        }
    }
}

impl<N: Ord + Clone> VersionVector<N> {
    /// Has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many writes of this replica have been seen.
    pub fn get(&self, node: &N) -> u64 {
        self.counts.get(node).copied().unwrap_or(0)
    }

    /// Every replica seen, with how many of its writes.
    pub fn iter(&self) -> impl Iterator<Item = (&N, u64)> {
        self.counts.iter().map(|(node, count)| (node, *count))
    }

    /// Counts one more write of this replica and returns its number.
    pub fn increment(&mut self, node: &N) -> u64 {
        let count = self.counts.entry(node.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// Whether it has seen everything the other has.
    pub fn dominates(&self, other: &Self) -> bool {
        other
            .counts
            .iter()
            .all(|(node, count)| self.get(node) >= *count)
    }

    /// How it relates to the other.
    pub fn relation(&self, other: &Self) -> Relation {
        match (self.dominates(other), other.dominates(self)) {
            (true, true) => Relation::Equal,
            (true, false) => Relation::After,
            (false, true) => Relation::Before,
            (false, false) => Relation::Concurrent,
        }
    }

    /// Sees everything the other has as well.
    pub fn merge(&mut self, other: &Self) {
        for (node, count) in &other.counts {
            let seen = self.counts.entry(node.clone()).or_default();
            *seen = (*seen).max(*count);
        }
    }
}

/// Names one write: the replica that took it and its number there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dot<N> {
    /// The replica.
    pub node: N,
    /// Its count, from 1.
    pub count: u64,
}

/// One replica's copy of a value that may have been written on several sides at once.
///
/// Each sibling carries the dot of its own write and the copy one vector of all it has seen, so that
/// two clients of the same replica never hide each other's writes and siblings never multiply by
/// being written back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Siblings<N: Ord, V> {
    seen: VersionVector<N>,
    values: BTreeMap<Dot<N>, V>,
}

impl<N: Ord, V> Default for Siblings<N, V> {
    fn default() -> Self {
        Self {
            seen: VersionVector::default(),
            values: BTreeMap::new(),
        }
    }
}

impl<N: Ord + Clone, V: Clone> Siblings<N, V> {
    /// Never written.
    pub fn new() -> Self {
        Self::default()
    }

    /// All values nobody has replaced yet; more than one is a conflict.
    pub fn values(&self) -> impl ExactSizeIterator<Item = (&Dot<N>, &V)> {
        self.values.iter()
    }

    /// What this copy has seen: a reader hands it back with its next write.
    pub fn context(&self) -> &VersionVector<N> {
        &self.seen
    }

    /// Takes a write at replica `node` from a client that had read `context`. It replaces what that
    /// client had seen and stands beside what it had not.
    pub fn write(&mut self, node: &N, context: &VersionVector<N>, value: V) -> Dot<N> {
        self.values
            .retain(|dot, _| dot.count > context.get(&dot.node));
        self.seen.merge(context);
        let dot = Dot {
            node: node.clone(),
            count: self.seen.increment(node),
        };
        self.values.insert(dot.clone(), value);
        dot
    }

    /// Takes in another replica's copy. A value that one side has and the other has seen but no
    /// longer has was replaced there, so it goes.
    pub fn merge(&mut self, other: &Self) {
        self.values.retain(|dot, _| {
            other.values.contains_key(dot) || dot.count > other.seen.get(&dot.node)
        });
        for (dot, value) in &other.values {
            if dot.count > self.seen.get(&dot.node) {
                self.values.insert(dot.clone(), value.clone());
            }
        }
        self.seen.merge(&other.seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(counts: &[(char, u64)]) -> VersionVector<char> {
        counts.iter().copied().collect()
    }

    fn values(siblings: &Siblings<char, u32>) -> Vec<u32> {
        siblings.values().map(|(_, value)| *value).collect()
    }

    #[test]
    fn relations_mirror_and_zero_is_absence() {
        let (a, b) = (vector(&[('a', 2)]), vector(&[('a', 1), ('b', 0)]));
        assert_eq!(a.relation(&b), Relation::After);
        assert_eq!(b.relation(&a), Relation::Before);
        assert_eq!(b, vector(&[('a', 1)]));
        assert_eq!(
            VersionVector::<char>::new().relation(&vector(&[('z', 0)])),
            Relation::Equal
        );
    }

    #[test]
    fn merge_is_the_least_upper_bound() {
        let counts = 0..3_u64;
        let all: Vec<_> = counts
            .clone()
            .flat_map(|a| counts.clone().map(move |b| vector(&[('a', a), ('b', b)])))
            .collect();
        for x in &all {
            for y in &all {
                let mut merged = x.clone();
                merged.merge(y);
                assert!(merged.dominates(x) && merged.dominates(y));
                for bound in all.iter().filter(|z| z.dominates(x) && z.dominates(y)) {
                    assert!(bound.dominates(&merged));
                }
                let mut other_way = y.clone();
                other_way.merge(x);
                assert_eq!(merged, other_way);
            }
        }
    }

    #[test]
    fn a_partition_leaves_siblings_and_a_later_write_resolves_them() {
        let mut left = Siblings::new();
        left.write(&'a', &VersionVector::new(), 1);
        let mut right = left.clone();
        left.write(&'a', &left.context().clone(), 2);
        right.write(&'b', &right.context().clone(), 3);
        left.merge(&right);
        right.merge(&left);
        assert_eq!(left, right);
        assert_eq!(values(&left), [2, 3]);
        left.write(&'a', &left.context().clone(), 5);
        right.merge(&left);
        assert_eq!(values(&right), [5]);
    }

    #[test]
    fn clients_of_one_replica_do_not_hide_each_other_nor_multiply() {
        let mut copy = Siblings::new();
        for round in 0..50 {
            // Both clients read, then both write: neither has seen the other's write of this round,
            // and both have seen everything before it.
            let (mine, yours) = (copy.context().clone(), copy.context().clone());
            copy.write(&'a', &mine, round);
            copy.write(&'a', &yours, 100 + round);
            assert_eq!(values(&copy), [round, 100 + round]);
        }
    }

    #[test]
    fn merging_an_old_copy_brings_nothing_back() {
        let mut copy = Siblings::new();
        copy.write(&'a', &VersionVector::new(), 1);
        let old = copy.clone();
        copy.write(&'a', &copy.context().clone(), 2);
        let before = copy.clone();
        copy.merge(&old);
        assert_eq!(copy, before);
    }
}
