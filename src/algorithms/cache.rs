//! A bounded cache with time to live: a fixed number of slots, an eviction policy, and answers that say what happened.

use crate::eviction::{Eviction, Mark, Policy};
use rand::Rng;
use std::collections::BTreeMap;

/// One occupied slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<K, V> {
    /// The key it answers for.
    pub key: K,
    /// What it remembers.
    pub value: V,
    /// When the value was stored.
    pub stored_us: u64,
    /// From this moment on the entry no longer answers; `None` never expires.
    pub expires_us: Option<u64>,
}

impl<K, V> Entry<K, V> {
    /// Whether the entry is past its time to live at `now_us` (its last moment is the one before).
    pub fn is_expired(&self, now_us: u64) -> bool {
        self.expires_us
            .is_some_and(|expires_us| now_us >= expires_us)
    }
}

/// The answer to a [`Cache::get`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<V> {
    /// The key was there and fresh.
    Hit(V),
    /// The key was not there.
    Miss,
    /// The key was there but past its time to live; it has been dropped, and this counts as a miss.
    Expired,
}

impl<V> Lookup<V> {
    /// The value of a hit.
    pub fn hit(self) -> Option<V> {
        match self {
            Lookup::Hit(value) => Some(value),
            Lookup::Miss | Lookup::Expired => None,
        }
    }
}

/// The answer to a [`Cache::put`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put<K, V> {
    /// A free slot took it.
    Stored {
        /// The slot that took it.
        slot: usize,
    },
    /// The key was there already; the old value is handed back.
    Updated {
        /// The slot that holds it.
        slot: usize,
        /// What it held before.
        old: V,
    },
    /// Another entry gave way.
    Evicted {
        /// The slot that changed hands.
        slot: usize,
        /// What had to go.
        victim: Entry<K, V>,
    },
    /// The cache has no slots at all; the value is handed back.
    Refused(V),
}

/// How often the cache answered, and what it cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads answered.
    pub hits: u64,
    /// Reads not answered, expired entries included.
    pub misses: u64,
    /// Entries that gave way to others.
    pub evictions: u64,
    /// Entries dropped because their time was up.
    pub expirations: u64,
}

impl Counts {
    /// Hits over reads, or 0 before the first read.
    pub fn hit_ratio(&self) -> f64 {
        let reads = self.hits + self.misses;
        if reads == 0 {
            0.0
        } else {
            self.hits as f64 / reads as f64
        }
    }
}

/// A cache of at most `capacity` entries whose slots keep their place, so that they can be drawn as a grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache<K, V> {
    slots: Vec<Option<Entry<K, V>>>,
    slot_of: BTreeMap<K, usize>,
    eviction: Eviction,
    counts: Counts,
}

impl<K: Ord + Clone, V: Clone> Cache<K, V> {
    /// An empty cache. A capacity of 0 remembers nothing and refuses every [`Cache::put`].
    pub fn new(policy: Policy, capacity: usize) -> Self {
        Self {
            slots: vec![None; capacity],
            slot_of: BTreeMap::new(),
            eviction: Eviction::new(policy, capacity),
            counts: Counts::default(),
        }
    }

    // region: get
    /// Reads `key` and counts the use.
    pub fn get(&mut self, key: &K, now_us: u64) -> Lookup<V> {
        let Some(&slot) = self.slot_of.get(key) else {
            self.counts.misses += 1;
            return Lookup::Miss;
        };
        match &self.slots[slot] {
            Some(entry) if !entry.is_expired(now_us) => {
                self.counts.hits += 1;
                self.eviction.on_use(slot);
                Lookup::Hit(entry.value.clone())
            }
            _ => {
                self.counts.misses += 1;
                self.counts.expirations += 1;
                self.take(slot);
                Lookup::Expired
            }
        }
    }
    // endregion

    /// Looks at an entry without counting a use, expired or not.
    pub fn peek(&self, key: &K) -> Option<&Entry<K, V>> {
        self.slot_of
            .get(key)
            .and_then(|&slot| self.slots[slot].as_ref())
    }

    /// Stores `value` for `ttl_us` from `now_us` (`None`: for good). Storing a known key counts as a use of it.
    ///
    /// `rng` is drawn from by [`Policy::Random`] alone.
    pub fn put(
        &mut self,
        key: K,
        value: V,
        now_us: u64,
        ttl_us: Option<u64>,
        rng: &mut impl Rng,
    ) -> Put<K, V> {
        let expires_us = ttl_us.map(|ttl_us| now_us.saturating_add(ttl_us));
        let entry = Entry {
            key: key.clone(),
            value,
            stored_us: now_us,
            expires_us,
        };
        if let Some(&slot) = self.slot_of.get(&key)
            && let Some(old) = self.slots[slot].replace(entry.clone())
        {
            self.eviction.on_use(slot);
            return Put::Updated {
                slot,
                old: old.value,
            };
        }
        // region: put
        let free = if self.len() < self.slots.len() {
            self.slots.iter().position(Option::is_none)
        } else {
            None
        };
        let mut victim = None;
        let slot = match free {
            Some(slot) => slot,
            None => {
                let Some(slot) = self.eviction.evict() else {
                    return Put::Refused(entry.value);
                };
                victim = self.take(slot);
                self.counts.evictions += 1;
                slot
            }
        };
        self.slots[slot] = Some(entry);
        self.slot_of.insert(key, slot);
        self.eviction.on_load(slot, rng);
        match victim {
            Some(victim) => Put::Evicted { slot, victim },
            None => Put::Stored { slot },
        }
        // endregion
    }

    /// Changes the value of `key` in place without counting a use; says whether it was there.
    pub fn update(&mut self, key: &K, change: impl FnOnce(&mut V)) -> bool {
        let entry = self
            .slot_of
            .get(key)
            .and_then(|&slot| self.slots[slot].as_mut());
        entry.map(|entry| change(&mut entry.value)).is_some()
    }

    /// Drops `key` and hands its entry back.
    pub fn remove(&mut self, key: &K) -> Option<Entry<K, V>> {
        let slot = *self.slot_of.get(key)?;
        self.take(slot)
    }

    /// Drops every entry past its time to live, in slot order; without this they wait until they are read.
    pub fn remove_expired(&mut self, now_us: u64) -> Vec<Entry<K, V>> {
        let expired: Vec<usize> = (0..self.slots.len())
            .filter(|&slot| {
                self.slots[slot]
                    .as_ref()
                    .is_some_and(|entry| entry.is_expired(now_us))
            })
            .collect();
        self.counts.expirations += expired.len() as u64;
        expired
            .into_iter()
            .filter_map(|slot| self.take(slot))
            .collect()
    }

    /// Empties every slot; the counts go on.
    pub fn clear(&mut self) {
        for slot in 0..self.slots.len() {
            self.take(slot);
        }
    }

    /// Changes the policy and keeps the entries with all that is known of their use.
    pub fn set_policy(&mut self, policy: Policy) {
        self.eviction.set_policy(policy);
    }

    /// Changes the number of slots. A smaller cache evicts until the rest fits, and hands the evicted back;
    /// the kept entries move up into the first slots, the next victim first, and their use is counted from here.
    pub fn resize(&mut self, capacity: usize, rng: &mut impl Rng) -> Vec<Entry<K, V>> {
        let mut evicted = Vec::new();
        while self.len() > capacity {
            let Some(entry) = self.eviction.evict().and_then(|slot| self.take(slot)) else {
                break;
            };
            self.counts.evictions += 1;
            evicted.push(entry);
        }
        let kept: Vec<Entry<K, V>> = self
            .eviction
            .order()
            .into_iter()
            .filter_map(|slot| self.slots[slot].take())
            .collect();
        self.slots = vec![None; capacity];
        self.slot_of.clear();
        self.eviction = Eviction::new(self.eviction.policy(), capacity);
        for (slot, entry) in kept.into_iter().enumerate() {
            self.slot_of.insert(entry.key.clone(), slot);
            self.slots[slot] = Some(entry);
            self.eviction.on_load(slot, rng);
        }
        evicted
    }

    fn take(&mut self, slot: usize) -> Option<Entry<K, V>> {
        let entry = self.slots[slot].take()?;
        self.slot_of.remove(&entry.key);
        self.eviction.on_remove(slot);
        Some(entry)
    }

    /// The policy in force.
    pub fn policy(&self) -> Policy {
        self.eviction.policy()
    }

    /// The number of slots.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The number of occupied slots.
    pub fn len(&self) -> usize {
        self.slot_of.len()
    }

    /// Whether no slot is occupied.
    pub fn is_empty(&self) -> bool {
        self.slot_of.is_empty()
    }

    /// The slots in their fixed places.
    pub fn slots(&self) -> &[Option<Entry<K, V>>] {
        &self.slots
    }

    /// The slot that holds `key`.
    pub fn slot_of(&self, key: &K) -> Option<usize> {
        self.slot_of.get(key).copied()
    }

    /// What the policy knows of a slot.
    pub fn mark(&self, slot: usize) -> Option<&Mark> {
        self.eviction.mark(slot)
    }

    /// Occupied slots, the next victim first.
    pub fn eviction_order(&self) -> Vec<usize> {
        self.eviction.order()
    }

    /// The slot that would give way to a newcomer if the cache were full now.
    pub fn next_victim(&self) -> Option<usize> {
        self.eviction.next_victim()
    }

    /// Where the hand of CLOCK or SIEVE points.
    pub fn hand(&self) -> Option<usize> {
        self.eviction.hand()
    }

    /// Hits, misses and departures so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg32;

    #[test]
    fn the_named_victim_is_the_one_that_goes() {
        let mut rng = Pcg32::seed_from_u64(3);
        for policy in Policy::ALL {
            let mut cache = Cache::new(policy, 5);
            for _ in 0..3_000 {
                let key = rng.random_range(0..12u32);
                if cache.get(&key, 0).hit().is_some() {
                    continue;
                }
                let named = cache.next_victim().filter(|_| cache.len() == 5);
                match cache.put(key, key, 0, None, &mut rng) {
                    Put::Evicted { slot, victim } => {
                        assert_eq!(named, Some(slot), "{policy:?}");
                        assert_ne!(victim.key, key);
                    }
                    Put::Stored { .. } => assert_eq!(named, None),
                    other => panic!("{policy:?}: {other:?}"),
                }
                assert!(
                    cache
                        .slots()
                        .iter()
                        .flatten()
                        .all(|entry| cache.peek(&entry.key) == Some(entry))
                );
            }
            assert_eq!(cache.len(), 5);
        }
    }

    #[test]
    fn an_entry_answers_until_the_moment_before_it_expires() {
        let mut rng = Pcg32::seed_from_u64(1);
        let mut cache = Cache::new(Policy::Lru, 2);
        cache.put("x", 1, 100, Some(60), &mut rng);
        assert_eq!(cache.get(&"x", 159), Lookup::Hit(1));
        assert_eq!(
            cache.get(&"x", 160),
            Lookup::Expired,
            "a read does not lengthen its life"
        );
        assert_eq!(cache.get(&"x", 160), Lookup::Miss);
        cache.put("y", 2, 200, Some(u64::MAX), &mut rng);
        cache.put("z", 3, 200, Some(1), &mut rng);
        assert_eq!(cache.remove_expired(201).len(), 1);
        assert_eq!(
            cache.counts(),
            Counts {
                hits: 1,
                misses: 2,
                evictions: 0,
                expirations: 2
            }
        );
    }

    #[test]
    fn shrinking_evicts_in_order_and_keeps_the_rest_in_order() {
        let mut rng = Pcg32::seed_from_u64(1);
        let mut cache = Cache::new(Policy::Lru, 4);
        for key in 0..4 {
            cache.put(key, (), 0, None, &mut rng);
        }
        cache.get(&0, 0);
        let evicted: Vec<i32> = cache
            .resize(2, &mut rng)
            .into_iter()
            .map(|entry| entry.key)
            .collect();
        assert_eq!(evicted, [1, 2]);
        assert!(
            matches!(cache.put(9, (), 0, None, &mut rng), Put::Evicted { victim, .. } if victim.key == 3)
        );
        assert!(cache.resize(6, &mut rng).is_empty());
        assert_eq!((cache.len(), cache.capacity()), (2, 6));
    }

    #[test]
    fn no_slots_remember_nothing() {
        let mut rng = Pcg32::seed_from_u64(1);
        let mut cache = Cache::new(Policy::Clock, 0);
        assert_eq!(cache.put(1, 'a', 0, None, &mut rng), Put::Refused('a'));
        assert_eq!(cache.get(&1, 0), Lookup::Miss);
    }

    #[test]
    fn a_scan_ruins_lru_and_not_lfu() {
        let mut rng = Pcg32::seed_from_u64(1);
        let hits_after_scan = |policy: Policy, rng: &mut Pcg32| {
            let mut cache = Cache::new(policy, 4);
            for key in [0, 1, 2, 3, 0, 1, 2, 3, 100, 101, 102, 103, 104] {
                if cache.get(&key, 0).hit().is_none() {
                    cache.put(key, (), 0, None, rng);
                }
            }
            (0..4).filter(|key| cache.peek(key).is_some()).count()
        };
        assert_eq!(hits_after_scan(Policy::Lru, &mut rng), 0);
        assert_eq!(hits_after_scan(Policy::Lfu, &mut rng), 3);
    }
}
