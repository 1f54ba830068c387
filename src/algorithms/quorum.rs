//! Quorums: who may answer when only some of the replicas can be reached.
//!
//! With N replicas, a write acknowledged by W and a read answered by R share a replica whenever
//! R + W > N. A site that insists on a majority never contradicts the other side of a partition; a
//! site that answers alone may. Source: Gilbert and Lynch, "Brewer's conjecture" (2002); Gifford,
//! "Weighted voting for replicated data" (1979).

use std::collections::BTreeSet;
use std::fmt;

/// A number of replicas that makes no sense: zero, or more than there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("number of replicas out of range")
    }
}

impl std::error::Error for OutOfRange {}

/// The least number of replicas that is more than half.
pub fn majority(nodes: u32) -> u32 {
    nodes / 2 + 1
}

/// What the system gives up while it is partitioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// CP: answer only with a majority, and so always right.
    Consistency,
    /// AP: always answer, and reconcile later.
    Availability,
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteAnswer {
    /// Taken, for good.
    Accepted,
    /// Taken here; another site may take a contradicting one.
    AcceptedMayConflict,
    /// Turned away.
    Refused,
}

/// What a read gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAnswer {
    /// The latest accepted write.
    Latest,
    /// What this site has; there may be a later write elsewhere.
    PossiblyStale,
    /// Turned away.
    Refused,
}

/// What a client gets from a site that can reach `reachable` of `nodes` replicas, itself included.
///
/// # Errors
/// [`OutOfRange`] unless `reachable` is 1 to `nodes`.
pub fn answer(
    choice: Choice,
    nodes: u32,
    reachable: u32,
) -> Result<(WriteAnswer, ReadAnswer), OutOfRange> {
    if !(1..=nodes).contains(&reachable) {
        return Err(OutOfRange);
    }
    Ok(match choice {
        Choice::Availability => (WriteAnswer::AcceptedMayConflict, ReadAnswer::PossiblyStale),
        Choice::Consistency if reachable >= majority(nodes) => {
            (WriteAnswer::Accepted, ReadAnswer::Latest)
        }
        Choice::Consistency => (WriteAnswer::Refused, ReadAnswer::Refused),
    })
}

/// How many of N replicas a read and a write wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    nodes: u32,
    read: u32,
    write: u32,
}

impl Quorum {
    /// N, R and W.
    ///
    /// # Errors
    /// [`OutOfRange`] unless R and W are 1 to N.
    pub fn new(nodes: u32, read: u32, write: u32) -> Result<Self, OutOfRange> {
        let fits = (1..=nodes).contains(&read) && (1..=nodes).contains(&write);
        if fits {
            Ok(Self { nodes, read, write })
        } else {
            Err(OutOfRange)
        }
    }

    /// N: all replicas.
    pub fn nodes(&self) -> u32 {
        self.nodes
    }

    /// R: replicas a read waits for.
    pub fn read(&self) -> u32 {
        self.read
    }

    /// W: replicas a write waits for.
    pub fn write(&self) -> u32 {
        self.write
    }

    /// Whether every read meets the latest write in some replica: R + W > N.
    pub fn is_strict(&self) -> bool {
        u64::from(self.read) + u64::from(self.write) > u64::from(self.nodes)
    }

    /// Whether two writes always meet in some replica: 2 W > N.
    pub fn writes_overlap(&self) -> bool {
        2 * u64::from(self.write) > u64::from(self.nodes)
    }

    /// How many replicas may be lost before reads stop.
    pub fn read_survives(&self) -> u32 {
        self.nodes - self.read
    }

    /// How many replicas may be lost before writes stop.
    pub fn write_survives(&self) -> u32 {
        self.nodes - self.write
    }
}

/// Counts the answers to one request sent to all replicas until enough have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    nodes: u32,
    needed: u32,
    answered: BTreeSet<u32>,
    lost: BTreeSet<u32>,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Enough replicas may still answer.
    Waiting,
    /// Enough have answered.
    Reached,
    /// Too many cannot answer.
    Impossible,
}

impl Tally {
    /// No answers yet; `needed` of `nodes` must come.
    ///
    /// # Errors
    /// [`OutOfRange`] unless `needed` is 1 to `nodes`.
    pub fn new(nodes: u32, needed: u32) -> Result<Self, OutOfRange> {
        if !(1..=nodes).contains(&needed) {
            return Err(OutOfRange);
        }
        Ok(Self {
            nodes,
            needed,
            answered: BTreeSet::new(),
            lost: BTreeSet::new(),
        })
    }

    /// A replica answered; answering twice counts once.
    pub fn answered(&mut self, node: u32) -> Outcome {
        self.lost.remove(&node);
        self.answered.insert(node);
        self.outcome()
    }

    /// A replica will not answer: it is down, cut off or timed out.
    pub fn lost(&mut self, node: u32) -> Outcome {
        if !self.answered.contains(&node) {
            self.lost.insert(node);
        }
        self.outcome()
    }

    /// The replicas that answered.
    pub fn nodes_answered(&self) -> impl Iterator<Item = u32> {
        self.answered.iter().copied()
    }

    // region: tally
    /// How the request stands.
    pub fn outcome(&self) -> Outcome {
        let count = |set: &BTreeSet<u32>| u32::try_from(set.len()).unwrap_or(u32::MAX);
        if count(&self.answered) >= self.needed {
            Outcome::Reached
        } else if self.nodes.saturating_sub(count(&self.lost)) < self.needed {
            Outcome::Impossible
        } else {
            Outcome::Waiting
        }
    }
    // endregion
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sides_of_a_partition_never_both_have_a_majority() {
        for nodes in 1..=12 {
            for left in 1..nodes {
                let accepts = |reachable| {
                    let (write, read) = answer(Choice::Consistency, nodes, reachable).unwrap();
                    assert_eq!(write == WriteAnswer::Refused, read == ReadAnswer::Refused);
                    write == WriteAnswer::Accepted
                };
                assert!(!(accepts(left) && accepts(nodes - left)));
            }
        }
    }

    #[test]
    fn strict_means_every_read_set_meets_every_write_set() {
        for nodes in 1..=5_u32 {
            let sets = |size| (0..1_u32 << nodes).filter(move |set| set.count_ones() == size);
            for (r, w) in (1..=nodes).flat_map(|r| (1..=nodes).map(move |w| (r, w))) {
                let quorum = Quorum::new(nodes, r, w).unwrap();
                let meet = sets(r).all(|read| sets(w).all(|write| read & write != 0));
                assert_eq!(quorum.is_strict(), meet);
                let writes_meet = sets(w).all(|a| sets(w).all(|b| a & b != 0));
                assert_eq!(quorum.writes_overlap(), writes_meet);
            }
        }
    }

    #[test]
    fn a_tally_counts_each_replica_once() {
        let mut tally = Tally::new(3, 2).unwrap();
        assert_eq!(tally.answered(1), Outcome::Waiting);
        assert_eq!(tally.answered(1), Outcome::Waiting);
        assert_eq!(tally.lost(2), Outcome::Waiting);
        assert_eq!(tally.lost(0), Outcome::Impossible);
        assert_eq!(
            tally.answered(0),
            Outcome::Reached,
            "a late answer still counts"
        );
    }

    #[test]
    fn impossible_numbers_are_errors() {
        assert!(Quorum::new(3, 0, 1).is_err());
        assert!(Quorum::new(3, 1, 4).is_err());
        assert!(Tally::new(0, 0).is_err());
        assert!(answer(Choice::Availability, 5, 0).is_err());
        assert!(answer(Choice::Availability, 5, 6).is_err());
    }
}
