//! Belady's optimal replacement (1966): the best any cache could do, knowing every reference in advance.

use std::collections::{BTreeMap, BTreeSet};

/// What one reference did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<K> {
    /// It was there.
    Hit,
    /// It was fetched; `evicted` gave way to it, if anything had to.
    Miss {
        /// The key that left. With bypass this may be the newcomer itself.
        evicted: Option<K>,
    },
}

/// Replays `references` through a cache of `capacity` that always gives up the key needed furthest in the future.
///
/// With `bypass` the newcomer itself may be that key, and then never enters (Caffeine's clairvoyant policy);
/// without it every miss is loaded, as a page must be. Of keys never needed again the longest unused goes.
/// A capacity of 0 misses everything and evicts nothing.
pub fn replay<K: Ord + Clone>(capacity: usize, references: &[K], bypass: bool) -> Vec<Step<K>> {
    // For each reference, when its key comes next: as large as possible if never.
    let mut next_use = vec![usize::MAX; references.len()];
    let mut seen: BTreeMap<&K, usize> = BTreeMap::new();
    for (at, key) in references.iter().enumerate().rev() {
        if let Some(next) = seen.insert(key, at) {
            next_use[at] = next;
        }
    }
    let mut resident: BTreeMap<&K, usize> = BTreeMap::new();
    // Furthest next use last; ties, all of them never, by oldest use last.
    let mut by_next_use: BTreeSet<(usize, std::cmp::Reverse<usize>, &K)> = BTreeSet::new();
    let mut steps = Vec::with_capacity(references.len());
    for (at, key) in references.iter().enumerate() {
        let newcomer = (next_use[at], std::cmp::Reverse(at), key);
        if let Some(&before) = resident.get(key) {
            by_next_use.remove(&(at, std::cmp::Reverse(before), key));
            by_next_use.insert(newcomer);
            resident.insert(key, at);
            steps.push(Step::Hit);
            continue;
        }
        let mut evicted = None;
        if capacity > 0 {
            if resident.len() < capacity {
                by_next_use.insert(newcomer);
                resident.insert(key, at);
            } else if let Some(&victim) = by_next_use.last() {
                if bypass && newcomer.0 >= victim.0 {
                    evicted = Some(key.clone());
                } else {
                    by_next_use.remove(&victim);
                    resident.remove(victim.2);
                    by_next_use.insert(newcomer);
                    resident.insert(key, at);
                    evicted = Some(victim.2.clone());
                }
            }
        }
        steps.push(Step::Miss { evicted });
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::eviction::Policy;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg32;

    #[test]
    fn no_policy_beats_it() {
        let mut rng = Pcg32::seed_from_u64(11);
        let references: Vec<u32> = (0..2_000)
            .map(|_| rng.random_range(0..40u32).min(rng.random_range(0..40)))
            .collect();
        for capacity in [1, 3, 10] {
            let best = replay(capacity, &references, false)
                .iter()
                .filter(|step| **step == Step::Hit)
                .count();
            for policy in Policy::ALL {
                let mut cache = Cache::new(policy, capacity);
                for key in &references {
                    if cache.get(key, 0).hit().is_none() {
                        cache.put(*key, (), 0, None, &mut rng);
                    }
                }
                assert!(
                    cache.counts().hits as usize <= best,
                    "{policy:?} at {capacity}"
                );
            }
            let bypassing = replay(capacity, &references, true)
                .iter()
                .filter(|step| **step == Step::Hit)
                .count();
            assert!(bypassing >= best);
        }
    }

    #[test]
    fn no_room_is_all_misses() {
        assert_eq!(replay(0, &[1, 1], false), [Step::Miss { evicted: None }; 2]);
    }
}
