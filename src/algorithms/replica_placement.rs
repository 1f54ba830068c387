//! Which brokers keep the copies of a partition.
//!
//! Striped: partition after partition, leaders go round all racks and, within a rack, round its brokers, so that each leads
//! as many as the others. The copies of one partition go to as many racks as there are before any rack has two. Fenced
//! brokers, of which the keeper has not heard, never lead and come last. Source: Apache Kafka, `StripedReplicaPlacer`, which
//! begins each stripe at a random place; here the first partition begins at the first rack.

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
        assert_eq!(place(&[], 0, 0), Err(TooFew));
    }
}
