//! Copysets: the groups of machines of which each holds all copies of something, and how to have few of them.
//!
//! Where copies go to machines by chance, nearly every group holds all copies of some partition, so that almost any few machines
//! that die together take something with them. Copyset replication cuts permutations of the machines into groups and places
//! each partition within one: data are lost seldom, and then much at once. On average the same is lost. Sources: Cidon and
//! others, "Copysets: Reducing the Frequency of Data Loss in Cloud Storage", USENIX ATC 2013; Chun and others, "Efficient Replica
//! Maintenance for Distributed Storage Systems", NSDI 2006, for scatter width.

/// A permutation is drawn anew so often if two groups would share two machines.
const TRIES: usize = 400;

/// How many permutations a scatter width asks for: in each a machine meets `copies − 1` others.
pub fn permutations(width: usize, copies: usize) -> usize {
    width.div_ceil(copies.max(2) - 1).max(1)
}

/// Groups of `copies` machines, of which `width ÷ (copies − 1)` rounds give each machine at least one a round. `zones` gives the
/// zone of each machine: a group has two of a zone only once it has one of each. Where zones differ in size, machines of the
/// small ones stand in more groups. `below(n)` gives a random number below `n`.
///
/// Rounds are drawn again while groups share two machines, as far as a few hundred draws find better ones.
pub fn groups(
    zones: &[u32],
    copies: usize,
    width: usize,
    below: &mut dyn FnMut(usize) -> usize,
) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    if copies == 0 || zones.len() < copies {
        return all;
    }
    for _ in 0..permutations(width, copies) {
        let mut best: Option<(usize, Vec<Vec<usize>>)> = None;
        for _ in 0..TRIES {
            let round = round(zones, copies, below);
            let shared = shared(&all, &round);
            if best.as_ref().is_none_or(|(least, _)| shared < *least) {
                best = Some((shared, round));
            }
            if shared == 0 {
                break;
            }
        }
        all.extend(best.map(|(_, round)| round).unwrap_or_default());
    }
    all
}

// region: groups
/// One permutation, cut into groups.
fn round(zones: &[u32], copies: usize, below: &mut dyn FnMut(usize) -> usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..zones.len()).collect();
    for left in (2..=order.len()).rev() {
        order.swap(left - 1, below(left));
    }
    let mut used = vec![0; zones.len()];
    let mut groups = Vec::new();
    while used.contains(&0) {
        let mut group: Vec<usize> = Vec::with_capacity(copies);
        while group.len() < copies {
            let same = |one: usize| {
                group
                    .iter()
                    .filter(|held| zones[**held] == zones[one])
                    .count()
            };
            let left = |one: usize| {
                let there = order.iter().filter(|other| zones[**other] == zones[one]);
                there.filter(|other| used[**other] == 0).count()
            };
            // From the zone with the fewest in this group, then the most that stand in none, whoever stands in the fewest.
            let next = order.iter().copied().filter(|one| !group.contains(one));
            let next = next.min_by_key(|one| (same(*one), zones.len() - left(*one), used[*one]));
            let Some(next) = next else { break };
            group.push(next);
        }
        for one in &group {
            used[*one] += 1;
        }
        groups.push(group);
    }
    groups
}
// endregion

/// How many pairs of groups share two machines or more.
fn shared(one: &[Vec<usize>], other: &[Vec<usize>]) -> usize {
    let both = |a: &[usize], b: &[usize]| a.iter().filter(|held| b.contains(held)).count() >= 2;
    let with = |a: &Vec<usize>| other.iter().filter(|b| both(a, b)).count();
    one.iter().map(with).sum()
}

/// A set of machines, numbered from 0: bit by bit.
pub type Set = u16;

/// The set of these machines.
pub fn set(machines: impl IntoIterator<Item = u8>) -> Set {
    machines.into_iter().fold(0, |set, one| set | 1 << one)
}

/// All sets of `size` of `machines` machines, at most 16, in the order of their smallest members.
pub fn sets(machines: u8, size: u8) -> Vec<Set> {
    fn grow(from: u8, machines: u8, size: u8, held: Set, all: &mut Vec<Set>) {
        if size == 0 {
            all.push(held);
            return;
        }
        for one in from..(machines + 1).saturating_sub(size) {
            grow(one + 1, machines, size - 1, held | 1 << one, all);
        }
    }
    let mut all = Vec::new();
    grow(0, machines.min(16), size, 0, &mut all);
    all
}

/// In how many ways `k` of `n` can be chosen.
pub fn ways(n: u32, k: u32) -> f64 {
    if k > n {
        return 0.0;
    }
    (0..k).fold(1.0, |all, i| all * f64::from(n - i) / f64::from(i + 1))
}

/// How many of `all` sets hold something if `partitions` are placed by chance: `all · (1 − e^(−partitions ÷ all))`.
pub fn fatal_by_chance(all: f64, partitions: f64) -> f64 {
    all * (1.0 - libm::exp(-partitions / all))
}

/// How many fatal sets are hit on average where `dead` of `machines` die at once: `fatal · C(dead, copies) ÷ C(machines, copies)`.
/// Where that is small, it is the probability that data are lost.
pub fn hits(fatal: f64, machines: u32, dead: u32, copies: u32) -> f64 {
    // Factor by factor: both numbers of ways may be larger than a float holds exactly.
    (0..copies.min(machines)).fold(fatal, |left, i| {
        left * f64::from(dead.saturating_sub(i)) / f64::from(machines - i)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(mut state: u64) -> impl FnMut(usize) -> usize {
        move |n| {
            state = crate::hash::mix64(state);
            state as usize % n
        }
    }

    #[test]
    fn everybody_is_in_a_group_each_round_and_zones_differ() {
        let layouts: [&[u32]; 5] = [&[4, 4, 4], &[3, 3, 3, 3], &[6, 3, 3], &[10, 1, 1], &[6, 6]];
        for sizes in layouts {
            let zones: Vec<u32> = (0..)
                .zip(sizes)
                .flat_map(|(zone, size)| vec![zone; *size as usize])
                .collect();
            for copies in 1..=4 {
                for width in 2..=6 {
                    let all = groups(&zones, copies, width, &mut random(width as u64));
                    for one in 0..zones.len() {
                        let held = all.iter().filter(|group| group.contains(&one)).count();
                        assert!(
                            held >= permutations(width, copies),
                            "{sizes:?} {one}: {held}"
                        );
                    }
                    for group in &all {
                        let mut there: Vec<u32> = group.iter().map(|one| zones[*one]).collect();
                        there.sort_unstable();
                        there.dedup();
                        assert_eq!(there.len(), copies.min(sizes.len()), "{sizes:?} {group:?}");
                        assert_eq!(group.len(), copies);
                    }
                }
            }
        }
        assert!(groups(&[0, 1], 3, 4, &mut random(1)).is_empty());
    }

    #[test]
    fn width_counts_whom_a_machine_shares_with() {
        let zones: Vec<u32> = (0..12).map(|one| one % 3).collect();
        for seed in 1..=50 {
            for (width, count) in [(2, 4), (4, 8)] {
                let all = groups(&zones, 3, width, &mut random(seed));
                assert_eq!(all.len(), count);
                for one in 0..12 {
                    let mine = all.iter().filter(|group| group.contains(&one)).flatten();
                    let mut others: Vec<usize> =
                        mine.copied().filter(|other| *other != one).collect();
                    others.sort_unstable();
                    others.dedup();
                    assert_eq!(others.len(), width, "seed {seed}");
                }
            }
        }
    }

    #[test]
    fn sets_are_counted_and_listed() {
        for (n, k, count) in [
            (12, 3, 220),
            (12, 4, 495),
            (6, 3, 20),
            (12, 1, 12),
            (3, 4, 0),
        ] {
            assert_eq!(sets(n, k).len(), count);
            assert_eq!(ways(n.into(), k.into()), count as f64);
        }
        assert_eq!(sets(4, 2), [0b11, 0b101, 0b1001, 0b110, 0b1010, 0b1100]);
        assert_eq!(set([0, 3]), 0b1001);
    }

    #[test]
    fn what_cidon_and_others_computed() {
        // 5,000 machines, 1 % of them dead, three copies: groups of one permutation are hit once in 600 power failures.
        let fatal = 5_000.0 / 3.0;
        let seldom = hits(fatal, 5_000, 50, 3);
        assert!((seldom - 0.0016).abs() < 0.0001, "{seldom}");
        // By chance, 8,000 chunks a machine: nearly always.
        let all = ways(5_000, 3);
        let fatal = fatal_by_chance(all, 5_000.0 * 8_000.0 / 3.0);
        let lost = 1.0 - libm::exp(-hits(fatal, 5_000, 50, 3));
        assert!(lost > 0.9999, "{lost}");
        assert_eq!(fatal_by_chance(220.0, 256.0).round(), 151.0);
        assert_eq!(hits(4.0, 12, 2, 3), 0.0);
    }
}
