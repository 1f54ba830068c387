//! Stacked (scalable) Bloom filter: when a filter is as full as is good for it, another is put on top.
//!
//! Source: Almeida, Baquero, Preguiça and Hutchison, "Scalable Bloom Filters" (2007), with Redis' factors (`BF.RESERVE`:
//! expansion 2, tightening one half): each filter has twice the bits of the one before and half its error, which is one more
//! hash function. All errors together stay below twice the first one's, however many come.

use crate::bloom_filter::{BloomFilter, optimal_hashes};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Layer {
    filter: BloomFilter,
    held: u64,
}

impl Layer {
    fn new(bits: u64, hashes: u32) -> Layer {
        let filter = BloomFilter::new(bits, hashes);
        Layer { filter, held: 0 }
    }

    /// How many keys it takes until half its bits are expected to be set: `m/k · ln 2`, at least one.
    fn capacity(&self) -> u64 {
        let hashes = f64::from(self.filter.hashes());
        (optimal_hashes(self.filter.bits() as f64) / hashes).max(1.0) as u64
    }
}

/// The stack. Its keys are given as their two hashes by [`crate::bloom_filter::murmur3_x64_128`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackedBloomFilter {
    layers: Vec<Layer>,
}

impl StackedBloomFilter {
    /// One empty filter of so many bits and hash functions, at least one of each.
    pub fn new(bits: u64, hashes: u32) -> StackedBloomFilter {
        StackedBloomFilter {
            layers: vec![Layer::new(bits, hashes)],
        }
    }

    /// The filters with the number of keys that went into each, the oldest first.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = (&BloomFilter, u64)> {
        self.layers.iter().map(|layer| (&layer.filter, layer.held))
    }

    /// Puts a key in; returns whether another filter was put on top for it. As in Redis, a key that seems to be in already
    /// is not put in again.
    pub fn insert(&mut self, hash: (u64, u64)) -> bool {
        if self.holder(hash).is_some() {
            return false;
        }
        let top = self.top();
        let grows = top.held >= top.capacity();
        if grows {
            let (bits, hashes) = (top.filter.bits(), top.filter.hashes());
            self.layers
                .push(Layer::new(bits.saturating_mul(2), hashes + 1));
        }
        let top = self.top();
        top.filter.insert_hash(hash);
        top.held += 1;
        grows
    }

    fn top(&mut self) -> &mut Layer {
        self.layers.last_mut().expect("a stack is never empty")
    }

    /// The newest filter that may hold the key, counted from the oldest, 0. None if all are sure that they do not.
    pub fn holder(&self, hash: (u64, u64)) -> Option<usize> {
        let mut layers = self.layers.iter();
        layers.rposition(|layer| layer.filter.proof(hash).is_none())
    }

    /// Whether a bit of one filter is set; one that is not there is not.
    pub fn bit(&self, layer: usize, place: u64) -> bool {
        let layer = self.layers.get(layer);
        layer.is_some_and(|layer| layer.filter.bit(place))
    }

    /// Makes a bit of one filter 0, as rot would.
    pub fn clear(&mut self, layer: usize, place: u64) {
        if let Some(layer) = self.layers.get_mut(layer) {
            layer.filter.clear(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bloom_filter::murmur3_x64_128;

    fn hash(key: u32) -> (u64, u64) {
        murmur3_x64_128(&key.to_le_bytes(), 0)
    }

    #[test]
    fn it_grows_by_two_and_never_denies() {
        let mut stack = StackedBloomFilter::new(128, 5);
        let grew = (0..2_000).filter(|key| stack.insert(hash(*key))).count();
        assert!((0..2_000).all(|key| stack.holder(hash(key)).is_some()));
        let shapes: Vec<_> = stack
            .layers()
            .map(|(one, _)| (one.bits(), one.hashes()))
            .collect();
        assert_eq!((grew, shapes.len()), (7, 8));
        for (i, shape) in shapes.iter().enumerate() {
            assert_eq!(*shape, (128 << i, 5 + i as u32));
        }
    }

    #[test]
    fn all_errors_together_stay_below_twice_the_first_ones() {
        for hashes in [3, 5, 7] {
            let mut stack = StackedBloomFilter::new(4_096, hashes);
            (0..20_000).for_each(|key| _ = stack.insert(hash(key)));
            let full = stack.layers().len() - 1;
            assert!(stack.layers().take(full).all(|(one, _)| one.fill() < 0.56));
            let lies = (1_000_000..1_020_000).filter(|key| stack.holder(hash(*key)).is_some());
            let (rate, first) = (
                lies.count() as f64 / 20_000.0,
                libm::pow(0.5, f64::from(hashes)),
            );
            assert!(rate > first && rate < 2.2 * first, "{hashes}: {rate}");
        }
    }

    #[test]
    fn what_seems_to_be_in_is_not_put_in_again() {
        let mut stack = StackedBloomFilter::new(1, 1);
        assert!(!stack.insert(hash(1)));
        let once = stack.clone();
        // Its only bit is set: whatever comes seems to be in, and no second filter is ever made.
        assert!(!stack.insert(hash(2)) && stack == once);
        assert!(stack.bit(0, 0) && !stack.bit(1, 0));
        stack.clear(0, 0);
        stack.clear(9, 0);
        assert_eq!(stack.holder(hash(1)), None);
    }
}
