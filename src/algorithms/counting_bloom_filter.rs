//! Counting Bloom filter: small counters in place of bits, so that what was put in can be taken out again.
//!
//! Sources: Fan, Cao, Almeida and Broder, "Summary Cache" (2000), who find four bits a counter enough: a filter at its best
//! size has a counter above 15 with a probability of about 1.4·10⁻¹⁵ a counter. A counter that reaches 15 sticks there, for
//! one that wrapped or was counted down from an unknown height would deny keys that are in
//! (FastFilter/fastfilter_java#16, #20).

use crate::bloom_filter::places;

/// What a counter of four bits can hold at most; there it stays.
pub const COUNTER_MAX: u8 = 15;

/// A filter. Its keys are given as their two hashes by [`crate::bloom_filter::murmur3_x64_128`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountingBloomFilter {
    /// Two counters a byte, the even one in its lower half.
    pairs: Vec<u8>,
    counters: u64,
    hashes: u32,
}

impl CountingBloomFilter {
    /// An empty filter of so many counters and hash functions, at least one of each. It takes four bits a counter.
    pub fn new(counters: u64, hashes: u32) -> CountingBloomFilter {
        let counters = counters.max(1);
        CountingBloomFilter {
            pairs: vec![0; counters.div_ceil(2) as usize],
            counters,
            hashes: hashes.max(1),
        }
    }

    /// Counters.
    pub fn counters(&self) -> u64 {
        self.counters
    }

    /// Hash functions.
    pub fn hashes(&self) -> u32 {
        self.hashes
    }

    /// What a counter holds; 0 beyond the end.
    pub fn counter(&self, place: u64) -> u8 {
        let pair = self.pairs.get((place / 2) as usize);
        pair.map_or(0, |pair| pair >> (place % 2 * 4) & COUNTER_MAX)
    }

    fn put(&mut self, place: u64, count: u8) {
        let shift = place % 2 * 4;
        if let Some(pair) = self.pairs.get_mut((place / 2) as usize) {
            *pair = *pair & !(COUNTER_MAX << shift) | count << shift;
        }
    }

    /// Makes a counter 0, as rot would.
    pub fn clear(&mut self, place: u64) {
        self.put(place, 0);
    }

    /// Puts a key in, once more if it is in already.
    pub fn insert(&mut self, hash: (u64, u64)) {
        for place in places(hash, self.counters, self.hashes) {
            let count = self.counter(place);
            self.put(place, (count + 1).min(COUNTER_MAX));
        }
    }

    // region: remove
    /// Takes a key out that was put in. Returns `false`, changing nothing, for one that is surely not in; one that was
    /// never put in and only seems to be must not be taken out, for that would deny others.
    pub fn remove(&mut self, hash: (u64, u64)) -> bool {
        if self.proof(hash).is_some() {
            return false;
        }
        for place in places(hash, self.counters, self.hashes) {
            match self.counter(place) {
                // How many there really are is lost: it sticks.
                COUNTER_MAX => {}
                count => self.put(place, count.saturating_sub(1)),
            }
        }
        true
    }
    // endregion

    /// The first counter of a key that is 0: proof that the key is not in. None if it may be.
    pub fn proof(&self, hash: (u64, u64)) -> Option<u64> {
        let mut places = places(hash, self.counters, self.hashes);
        places.find(|place| self.counter(*place) == 0)
    }

    /// How many counters are above 0.
    pub fn above_zero(&self) -> u64 {
        let above = (0..self.counters).filter(|place| self.counter(*place) > 0);
        above.count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bloom_filter::{BloomFilter, murmur3_x64_128};

    fn hash(key: u32) -> (u64, u64) {
        murmur3_x64_128(&key.to_le_bytes(), 0)
    }

    #[test]
    fn without_removal_it_answers_as_a_plain_filter() {
        let (mut counting, mut plain) =
            (CountingBloomFilter::new(257, 4), BloomFilter::new(257, 4));
        for key in 0..40 {
            counting.insert(hash(key));
            plain.insert_hash(hash(key));
        }
        assert!((0..2_000).all(|key| counting.proof(hash(key)) == plain.proof(hash(key))));
        assert_eq!(counting.above_zero(), plain.ones());
    }

    /// Random insertions and removals of what is in; whatever is left must never be denied. `rule` removes.
    fn holds(rule: fn(&mut CountingBloomFilter, u32), counters: u64) -> bool {
        let mut filter = CountingBloomFilter::new(counters, 3);
        let (mut held, mut chance) = (Vec::new(), 1_u64);
        for step in 0..3_000_u32 {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let drawn = (chance >> 33) as usize;
            if held.len() < 40 || drawn.is_multiple_of(2) && held.len() < 200 {
                filter.insert(hash(step));
                held.push(step);
            } else {
                let key = held.swap_remove(drawn % held.len());
                rule(&mut filter, key);
            }
            if held.iter().any(|key| filter.proof(hash(*key)).is_some()) {
                return false;
            }
        }
        true
    }

    #[test]
    fn what_was_put_in_and_not_taken_out_is_never_denied() {
        // From roomy to so small that most counters stick.
        for counters in [4_096, 512, 64, 8] {
            let rule = |filter: &mut CountingBloomFilter, key| assert!(filter.remove(hash(key)));
            assert!(holds(rule, counters), "{counters}");
        }
    }

    #[test]
    fn a_counter_that_does_not_stick_is_found_out() {
        let wrong = |filter: &mut CountingBloomFilter, key| {
            for place in places(hash(key), filter.counters, filter.hashes) {
                filter.put(place, filter.counter(place).saturating_sub(1));
            }
        };
        assert!(!holds(wrong, 16));
    }

    #[test]
    fn taking_out_undoes_putting_in_unless_a_counter_is_full() {
        let mut filter = CountingBloomFilter::new(64, 5);
        let empty = filter.clone();
        assert!(!filter.remove(hash(1)) && filter == empty);
        // Places may fall together: then they are counted together, too.
        (0..6).for_each(|key| filter.insert(hash(key)));
        (0..6).for_each(|key| assert!(filter.remove(hash(key))));
        assert_eq!(filter, empty);
        (0..20).for_each(|_| filter.insert(hash(1)));
        let first = places(hash(1), 64, 5).next().unwrap();
        assert_eq!(filter.counter(first), COUNTER_MAX);
        (0..40).for_each(|_| assert!(filter.remove(hash(1))));
        assert_eq!((filter.counter(first), filter.proof(hash(1))), (15, None));
    }

    #[test]
    fn one_that_only_seems_to_be_in_denies_others_when_taken_out() {
        let mut filter = CountingBloomFilter::new(64, 3);
        (0..20).for_each(|key| filter.insert(hash(key)));
        let seems = (1_000..).find(|key| filter.proof(hash(*key)).is_none());
        assert!(filter.remove(hash(seems.unwrap())));
        assert!((0..20).any(|key| filter.proof(hash(key)).is_some()));
    }
}
