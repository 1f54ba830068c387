//! Which brokers keep the copies of a partition.
//!
//! Striped: partition after partition, leaders go round all racks and, within a rack, round its brokers, so that each leads
//! as many as the others. The copies of one partition go to as many racks as there are before any rack has two. Fenced
//! brokers, of which the keeper has not heard, never lead and come last. Source: Apache Kafka, `StripedReplicaPlacer`, which
//! begins each stripe at a random place: [`Striped`]. In [`place`] the first partition begins at the first rack, and nothing is random.
//!
//! On a ring the copies of a key go to the next machines clockwise, or to the next that stand in zones of their own: [`across_zones`].

/// A broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    /// Its number.
    pub id: u32,
    /// The rack that it stands in; brokers without one stand in one of their own together.
    pub rack: Option<String>,
    /// It is known, but not alive.
    pub fenced: bool,
}

/// More copies are wanted than there are brokers, or nobody is there who could lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFew;

/// The brokers of `partition`, from 0, the leader first.
///
/// # Errors
/// There are fewer brokers than copies, or all are fenced.
pub fn place(brokers: &[Broker], copies: usize, partition: usize) -> Result<Vec<u32>, TooFew> {
    if copies == 0 || brokers.len() < copies {
        return Err(TooFew);
    }
    let mut racks: Vec<Option<&str>> = brokers.iter().map(|one| one.rack.as_deref()).collect();
    racks.sort_unstable();
    racks.dedup();
    // Only racks with somebody who could lead are places to begin at.
    let leads = |rack: &Option<&str>| {
        let mut there = brokers.iter().filter(|one| one.rack.as_deref() == *rack);
        there.any(|one| !one.fenced)
    };
    let begins: Vec<usize> = (0..racks.len()).filter(|at| leads(&racks[*at])).collect();
    if begins.is_empty() {
        return Err(TooFew);
    }
    let (begin, round) = (begins[partition % begins.len()], partition / begins.len());
    // What each rack still has, in the order of this round.
    let mut left: Vec<Vec<u32>> = Vec::new();
    let mut fenced: Vec<Vec<u32>> = Vec::new();
    for step in 0..racks.len() {
        let rack = racks[(begin + step) % racks.len()];
        let of = |fenced: bool| {
            let mut there: Vec<u32> = brokers
                .iter()
                .filter(|one| one.rack.as_deref() == rack && one.fenced == fenced)
                .map(|one| one.id)
                .collect();
            there.sort_unstable();
            let turn = round % there.len().max(1);
            there.rotate_left(turn);
            // Taken from the end.
            there.reverse();
            there
        };
        left.push(of(false));
        fenced.push(of(true));
    }
    let mut chosen = Vec::with_capacity(copies);
    while chosen.len() < copies {
        let before = chosen.len();
        for rack in &mut left {
            if chosen.len() < copies {
                chosen.extend(rack.pop());
            }
        }
        if chosen.len() == before {
            std::mem::swap(&mut left, &mut fenced);
        }
    }
    Ok(chosen)
}

/// The brokers of one rack that are alive, or those that are not, and where the next stripe begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ring {
    brokers: Vec<u32>,
    /// Given out in this partition.
    given: usize,
    offset: usize,
    round: usize,
}

impl Ring {
    fn next(&mut self, round: usize) -> Option<u32> {
        let size = self.brokers.len();
        if self.round != round && size > 0 {
            (self.round, self.given) = (round, 0);
            self.offset = (self.offset + 1) % size;
        }
        let broker = (self.given < size).then(|| self.brokers[(self.given + self.offset) % size]);
        self.given += usize::from(broker.is_some());
        broker
    }
}

/// Kafka's striped placer with all its state: stripes begin at a random place, and as soon as there have been as many partitions as
/// living brokers, each rack's brokers are shuffled, so that the same machines do not share their partitions again and again.
///
/// `below(n)` gives a random number below `n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Striped {
    /// For each rack, by name: the living, and the fenced.
    racks: Vec<[Ring; 2]>,
    living: usize,
    all: usize,
    round: usize,
    offset: usize,
}

impl Striped {
    /// The placer of these brokers.
    pub fn new(brokers: &[Broker], below: &mut dyn FnMut(usize) -> usize) -> Striped {
        let mut names: Vec<Option<&str>> = brokers.iter().map(|one| one.rack.as_deref()).collect();
        names.sort_unstable();
        names.dedup();
        let ring = |rack: Option<&str>, fenced: bool, below: &mut dyn FnMut(usize) -> usize| {
            let there = brokers.iter().filter(|one| one.rack.as_deref() == rack);
            let there = there.filter(|one| one.fenced == fenced).map(|one| one.id);
            let mut brokers: Vec<u32> = there.collect();
            brokers.sort_unstable();
            let offset = if brokers.is_empty() {
                0
            } else {
                below(brokers.len())
            };
            Ring {
                brokers,
                offset,
                ..Ring::default()
            }
        };
        let mut racks = Vec::with_capacity(names.len());
        for name in names {
            let fenced = ring(name, true, below);
            racks.push([ring(name, false, below), fenced]);
        }
        let offset = if racks.is_empty() {
            0
        } else {
            below(racks.len())
        };
        Striped {
            racks,
            living: brokers.iter().filter(|one| !one.fenced).count(),
            all: brokers.len(),
            round: 0,
            offset,
        }
    }

    // region: striped
    /// The brokers of the next partition, the leader first.
    ///
    /// # Errors
    /// There are fewer brokers than copies, or all are fenced.
    pub fn next(
        &mut self,
        copies: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Result<Vec<u32>, TooFew> {
        if copies == 0 || self.all < copies || self.living == 0 {
            return Err(TooFew);
        }
        if self.round == self.living && self.living > 1 {
            self.shuffle(below);
            self.round = 0;
        }
        let racks = self.racks.len();
        let round = self.round;
        self.offset %= racks;
        // The leader is alive: from the next rack that has somebody who is.
        let mut leads = self.offset;
        let mut chosen = Vec::with_capacity(copies);
        while chosen.is_empty() {
            match self.racks[leads][0].next(round) {
                Some(broker) => chosen.push(broker),
                None => leads = (leads + 1) % racks,
            }
        }
        // The leader's rack is passed over once.
        let (mut rack, mut passed) = (self.offset, false);
        while chosen.len() < copies {
            if rack == leads && !passed {
                passed = true;
            } else {
                let [living, fenced] = &mut self.racks[rack];
                chosen.extend(living.next(round).or_else(|| fenced.next(round)));
            }
            rack = (rack + 1) % racks;
        }
        self.round += 1;
        self.offset += 1;
        Ok(chosen)
    }
    // endregion

    /// Fisher and Yates, from the end, as Java does it.
    fn shuffle(&mut self, below: &mut dyn FnMut(usize) -> usize) {
        for [living, fenced] in &mut self.racks {
            for ring in [fenced, living] {
                for left in (2..=ring.brokers.len()).rev() {
                    ring.brokers.swap(left - 1, below(left));
                }
            }
        }
    }
}

// region: zones
/// The first `copies` machines of a preference list that stand in different zones: one whose zone has a copy is passed over until
/// every zone has one; then those passed over take what is left, in order. `zone` gives the zone of a machine.
///
/// Source: Apache Cassandra, `NetworkTopologyStrategy` within one data centre, versions 1.2 to 3.11.
pub fn across_zones(order: &[u32], zone: impl Fn(u32) -> u32, copies: usize) -> Vec<u32> {
    let mut chosen: Vec<u32> = Vec::with_capacity(copies);
    let mut passed = Vec::new();
    for &machine in order {
        if chosen.iter().all(|one| zone(*one) != zone(machine)) {
            chosen.push(machine);
        } else {
            passed.push(machine);
        }
    }
    chosen.extend(passed);
    chosen.truncate(copies);
    chosen
}
// endregion

#[cfg(test)]
mod tests {
    use super::*;

    fn brokers(count: u32) -> Vec<Broker> {
        let broker = |id| Broker {
            id,
            ..Broker::default()
        };
        (0..count).map(broker).collect()
    }

    #[test]
    fn leaders_and_copies_go_round() {
        let three: Vec<_> = (0..4).map(|p| place(&brokers(3), 3, p).unwrap()).collect();
        assert_eq!(three, [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]);
        let mut leads = [0; 4];
        for partition in 0..20 {
            leads[place(&brokers(4), 2, partition).unwrap()[0] as usize] += 1;
        }
        assert_eq!(leads, [5; 4]);
    }

    #[test]
    fn nobody_leads_who_is_fenced_and_nobody_has_two_copies() {
        for count in 1..7_u32 {
            for fence in 0..1_u32 << count {
                let mut all = brokers(count);
                for one in &mut all {
                    one.fenced = fence & (1 << one.id) != 0;
                    one.rack = Some((one.id % 3).to_string());
                }
                for copies in 1..=count as usize {
                    let Ok(placed) = place(&all, copies, 3) else {
                        assert_eq!(fence, (1 << count) - 1, "somebody could lead");
                        continue;
                    };
                    assert!(!all[placed[0] as usize].fenced);
                    let mut ids = placed.clone();
                    ids.sort_unstable();
                    ids.dedup();
                    assert_eq!(ids.len(), copies, "{placed:?}");
                }
            }
        }
        assert_eq!(place(&brokers(2), 3, 0), Err(TooFew));
        let mut first = |_: usize| 0;
        let mut few = Striped::new(&brokers(2), &mut first);
        assert_eq!(few.next(3, &mut first), Err(TooFew));
        assert_eq!(place(&[], 0, 0), Err(TooFew));
    }

    #[test]
    fn stripes_give_each_rack_one_before_any_has_two_and_lead_in_turn() {
        let mut state = 7;
        let mut below = |n: usize| {
            state = crate::hash::mix64(state);
            state as usize % n
        };
        for fence in 0..1_u32 << 6 {
            let mut all = brokers(6);
            for one in &mut all {
                one.fenced = fence & (1 << one.id) != 0;
                one.rack = Some((one.id % 3).to_string());
            }
            let mut placer = Striped::new(&all, &mut below);
            let living = 6 - fence.count_ones() as usize;
            let mut leads = [0; 6];
            for _ in 0..living {
                for copies in 1..=6 {
                    let mut placer = placer.clone();
                    let Ok(placed) = placer.next(copies, &mut below) else {
                        panic!("somebody could lead");
                    };
                    let mut racks: Vec<u32> = placed.iter().map(|id| id % 3).collect();
                    racks.truncate(3);
                    racks.sort_unstable();
                    racks.dedup();
                    assert_eq!(racks.len(), copies.min(3), "{placed:?}, {fence:b}");
                }
                leads[placer.next(3, &mut below).unwrap()[0] as usize] += 1;
            }
            assert!((0..6).all(|id| !all[id].fenced || leads[id] == 0));
            if fence == 0 {
                assert_eq!(leads, [1; 6]);
            }
        }
    }

    #[test]
    fn a_zone_has_two_only_where_all_have_one() {
        let zone = |machine: u32| machine / 2;
        assert_eq!(across_zones(&[0, 1, 2, 3, 4, 5], zone, 3), [0, 2, 4]);
        assert_eq!(across_zones(&[0, 1, 2, 3], zone, 3), [0, 2, 1]);
        assert_eq!(across_zones(&[1, 0], zone, 3), [1, 0]);
        assert!(across_zones(&[], zone, 3).is_empty());
    }
}
