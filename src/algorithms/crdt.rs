//! Replicated values that any side may change while cut off and that always merge to the same result.
//!
//! Merging is commutative, associative and idempotent, so copies agree once all have heard of all
//! changes, in whatever order and however often. Source: Shapiro et al., "A comprehensive study of
//! convergent and commutative replicated data types" (2011); for the bounded counter, Balegas et al.,
//! "Extending eventually consistent cloud databases for enforcing numeric invariants" (2015).

use std::collections::BTreeMap;

/// A value of which only the latest write survives; time ties go to the larger replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LwwRegister<N, V> {
    /// When it was written, by the writer's clock.
    pub at_us: u64,
    /// Who wrote it.
    pub by: N,
    /// What.
    pub value: V,
}

impl<N: Ord + Clone, V: Clone + PartialEq> LwwRegister<N, V> {
    /// A first write.
    pub fn new(at_us: u64, by: N, value: V) -> Self {
        Self { at_us, by, value }
    }

    /// Takes in another copy. Returns the value thrown away, if the two differed: an acknowledged
    /// write that no reader will see again.
    pub fn merge(&mut self, other: &Self) -> Option<V> {
        if (self.at_us, &self.by) == (other.at_us, &other.by) {
            return None;
        }
        if (self.at_us, &self.by) < (other.at_us, &other.by) {
            let lost = std::mem::replace(self, other.clone());
            return Some(lost.value);
        }
        Some(other.value.clone())
    }
}

/// A counter that only grows: each replica counts its own additions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GCounter<N: Ord> {
    counts: BTreeMap<N, u64>,
}

impl<N: Ord> Default for GCounter<N> {
    fn default() -> Self {
        Self {
            counts: BTreeMap::new(),
        }
    }
}

impl<N: Ord> FromIterator<(N, u64)> for GCounter<N> {
    fn from_iter<I: IntoIterator<Item = (N, u64)>>(counts: I) -> Self {
        Self {
            counts: counts.into_iter().collect(),
        }
    }
}

impl<N: Ord + Clone> GCounter<N> {
    /// Zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds at this replica.
    pub fn add(&mut self, node: &N, amount: u64) {
        let count = self.counts.entry(node.clone()).or_default();
        *count = count.saturating_add(amount);
    }

    /// What this replica has added.
    pub fn get(&self, node: &N) -> u64 {
        self.counts.get(node).copied().unwrap_or(0)
    }

    /// Every replica's additions.
    pub fn iter(&self) -> impl Iterator<Item = (&N, u64)> {
        self.counts.iter().map(|(node, count)| (node, *count))
    }

    /// All additions together.
    pub fn value(&self) -> u64 {
        self.counts.values().copied().fold(0, u64::saturating_add)
    }

    /// Takes in another copy: per replica the larger count, for a count only grows.
    pub fn merge(&mut self, other: &Self) {
        for (node, count) in &other.counts {
            let own = self.counts.entry(node.clone()).or_default();
            *own = (*own).max(*count);
        }
    }
}

/// A counter that grows and shrinks: two growing ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PnCounter<N: Ord> {
    added: GCounter<N>,
    taken: GCounter<N>,
}

impl<N: Ord> Default for PnCounter<N> {
    fn default() -> Self {
        Self {
            added: GCounter::default(),
            taken: GCounter::default(),
        }
    }
}

impl<N: Ord + Clone> PnCounter<N> {
    /// Zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or, if negative, takes at this replica.
    pub fn add(&mut self, node: &N, amount: i64) {
        let side = if amount < 0 {
            &mut self.taken
        } else {
            &mut self.added
        };
        side.add(node, amount.unsigned_abs());
    }

    /// Additions less takings; may be negative.
    pub fn value(&self) -> i128 {
        i128::from(self.added.value()) - i128::from(self.taken.value())
    }

    /// Takes in another copy.
    pub fn merge(&mut self, other: &Self) {
        self.added.merge(&other.added);
        self.taken.merge(&other.taken);
    }
}

/// A replica asked to take more than it has the right to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RightsMissing {
    /// What it may still take on its own.
    pub rights: u64,
}

impl std::fmt::Display for RightsMissing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "only {} may be taken here without asking another replica",
            self.rights
        )
    }
}

impl std::error::Error for RightsMissing {}

/// A counter that never falls below zero, not even while cut off: the right to take is money in the
/// pocket of one replica, earned by adding there or given by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundedCounter<N: Ord> {
    /// Rights given from one replica to another; to itself is what it added.
    given: GCounter<(N, N)>,
    taken: GCounter<N>,
}

impl<N: Ord> Default for BoundedCounter<N> {
    fn default() -> Self {
        Self {
            given: GCounter::default(),
            taken: GCounter::default(),
        }
    }
}

impl<N: Ord + Clone> BoundedCounter<N> {
    /// Zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds at this replica, which may later take as much.
    pub fn add(&mut self, node: &N, amount: u64) {
        self.given.add(&(node.clone(), node.clone()), amount);
    }

    /// What this replica may take on its own, as far as this copy knows.
    pub fn rights(&self, node: &N) -> u64 {
        let (mut earned, mut spent) = (0_u64, self.taken.get(node));
        for ((from, to), amount) in self.given.iter() {
            if to == node {
                earned = earned.saturating_add(amount);
            } else if from == node {
                spent = spent.saturating_add(amount);
            }
        }
        earned.saturating_sub(spent)
    }

    /// Takes at this replica.
    ///
    /// # Errors
    /// [`RightsMissing`] if it may not take so much on its own.
    pub fn take(&mut self, node: &N, amount: u64) -> Result<(), RightsMissing> {
        let rights = self.rights(node);
        if amount > rights {
            return Err(RightsMissing { rights });
        }
        self.taken.add(node, amount);
        Ok(())
    }

    /// Gives rights of one replica to another; call it at the giver's copy.
    ///
    /// # Errors
    /// [`RightsMissing`] if the giver has not so many.
    pub fn give(&mut self, from: &N, to: &N, amount: u64) -> Result<(), RightsMissing> {
        let rights = self.rights(from);
        if amount > rights {
            return Err(RightsMissing { rights });
        }
        if from != to {
            self.given.add(&(from.clone(), to.clone()), amount);
        }
        Ok(())
    }

    /// What was added less what was taken.
    pub fn value(&self) -> u64 {
        let own = self.given.iter().filter(|((from, to), _)| from == to);
        let added = own.fold(0_u64, |sum, (_, amount)| sum.saturating_add(amount));
        added.saturating_sub(self.taken.value())
    }

    /// Takes in another copy.
    pub fn merge(&mut self, other: &Self) {
        self.given.merge(&other.given);
        self.taken.merge(&other.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_writer_wins_whichever_side_merges() {
        let a = LwwRegister::new(10, 'a', "old");
        let b = LwwRegister::new(10, 'b', "tie");
        let (mut left, mut right) = (a.clone(), b.clone());
        assert_eq!(left.merge(&b), Some("old"));
        assert_eq!(right.merge(&a), Some("old"));
        assert_eq!(left, right);
        assert_eq!(
            left.merge(&right),
            None,
            "the same write twice loses nothing"
        );
    }

    #[test]
    fn likes_from_both_sides_are_all_counted() {
        let mut left = PnCounter::new();
        left.add(&'a', 5);
        let mut right = left.clone();
        left.add(&'a', 2);
        right.add(&'b', 4);
        right.add(&'b', -1);
        let before = left.clone();
        left.merge(&right);
        right.merge(&before);
        right.merge(&before);
        assert_eq!((left.value(), right.value()), (10, 10));
    }

    #[test]
    fn a_balance_never_goes_negative_however_long_the_sides_are_cut_off() {
        let mut left = BoundedCounter::new();
        left.add(&'a', 100);
        left.give(&'a', &'b', 40).unwrap();
        let mut right = left.clone();
        assert_eq!(left.take(&'a', 61), Err(RightsMissing { rights: 60 }));
        left.take(&'a', 60).unwrap();
        right.take(&'b', 40).unwrap();
        assert_eq!(right.take(&'b', 1), Err(RightsMissing { rights: 0 }));
        left.merge(&right);
        right.merge(&left);
        assert_eq!((left.value(), right.value()), (0, 0));
        right.add(&'b', 7);
        assert_eq!((right.rights(&'b'), right.rights(&'a')), (7, 0));
    }
}
