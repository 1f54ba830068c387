//! A log-linear histogram after HdrHistogram: any value to so many digits, merging, and correction for coordinated omission.
//!
//! Values are whole numbers in any unit, such as µs. Each power of two is cut into equal buckets, at least 10^digits of them, so that a
//! bucket is never wider than its values' last digit kept. After G. Tene's HdrHistogram (public domain), whose rules for
//! buckets and for corrected values these are; percentiles are by nearest rank.

/// Digits that can be kept.
pub const DIGITS_MAX: u32 = 5;

/// How often each value came, to so many digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Buckets of one power of two, as an exponent of two.
    half: u32,
    /// By bucket; as long as the highest one that was met.
    counts: Vec<u32>,
    total: u64,
    sum: u64,
    max: u64,
}

impl Histogram {
    /// Nothing yet; values will be kept to `digits` significant digits, 1 to [`DIGITS_MAX`].
    pub fn new(digits: u32) -> Histogram {
        let least = 10_u64.pow(digits.clamp(1, DIGITS_MAX));
        Histogram {
            half: least.next_power_of_two().trailing_zeros(),
            counts: Vec::new(),
            total: 0,
            sum: 0,
            max: 0,
        }
    }

    // region: record
    /// The bucket of a value: below twice the buckets of a power of two each value has its own, above they double in width.
    fn bucket(&self, value: u64) -> usize {
        let bits = u64::BITS - value.leading_zeros();
        let shift = bits.saturating_sub(self.half + 1);
        ((u64::from(shift) << self.half) + (value >> shift)) as usize
    }

    /// Records a value that came so often.
    pub fn record_many(&mut self, value: u64, times: u32) {
        if times == 0 {
            return;
        }
        let bucket = self.bucket(value);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] = self.counts[bucket].saturating_add(times);
        self.total += u64::from(times);
        self.sum = self
            .sum
            .saturating_add(value.saturating_mul(u64::from(times)));
        self.max = self.max.max(value);
    }

    /// Records a value.
    pub fn record(&mut self, value: u64) {
        self.record_many(value, 1);
    }

    /// Records a value of one who measures every `interval` and waits for each answer before the next: while it took longer, those
    /// that should have been asked then are recorded, too, each `interval` shorter than the one before. Without an interval
    /// (0) nothing is added.
    pub fn record_corrected(&mut self, value: u64, interval: u64) {
        self.record(value);
        let mut missing = value;
        while interval > 0 && missing >= interval.saturating_mul(2) {
            missing -= interval;
            self.record(missing);
        }
    }
    // endregion

    /// The least and the greatest value of a bucket.
    fn values(&self, bucket: usize) -> (u64, u64) {
        let bucket = bucket as u64;
        let shift = (bucket >> self.half).saturating_sub(1);
        let least = (bucket - (shift << self.half)) << shift;
        (least, least + ((1 << shift) - 1))
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The greatest value, exactly; none without values.
    pub fn max(&self) -> Option<u64> {
        (self.total > 0).then_some(self.max)
    }

    /// The mean, exactly; none without values.
    pub fn mean(&self) -> Option<f64> {
        (self.total > 0).then(|| self.sum as f64 / self.total as f64)
    }

    // region: rank
    /// The value that so many of a thousand do not exceed, by nearest rank: of 600 values the 594th is the 990th of a thousand. As
    /// the greatest value of its bucket, or the greatest at all. None without values.
    pub fn at_per_mille(&self, per_mille: u32) -> Option<u64> {
        let rank = (self.total * u64::from(per_mille.min(1_000))).div_ceil(1_000);
        let mut left = rank.max(1);
        for (bucket, count) in self.counts.iter().enumerate() {
            let count = u64::from(*count);
            if left <= count {
                return Some(self.values(bucket).1.min(self.max));
            }
            left -= count;
        }
        None
    }
    // endregion

    /// Adds all values of another one.
    ///
    /// # Panics
    /// If that keeps other digits.
    pub fn merge(&mut self, other: &Histogram) {
        assert_eq!(self.half, other.half, "histograms of the same digits");
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, more) in self.counts.iter_mut().zip(&other.counts) {
            *mine = mine.saturating_add(*more);
        }
        self.total += other.total;
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// A copy that is corrected afterwards, as [`Histogram::record_corrected`] would have; from each bucket's greatest value.
    #[must_use]
    pub fn corrected(&self, interval: u64) -> Histogram {
        let mut copy = self.clone();
        for (value, times) in self.buckets() {
            let mut missing = value;
            while interval > 0 && missing >= interval.saturating_mul(2) {
                missing -= interval;
                copy.record_many(missing, times);
            }
        }
        copy
    }

    /// The greatest value of each bucket that holds any, and how many it holds, in order.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        let met = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        met.map(|(bucket, count)| (self.values(bucket).1.min(self.max), *count))
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.counts.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::Histogram as Theirs;
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg32;

    /// Values of all sizes, many of them small.
    fn values(seed: u64, count: usize) -> Vec<u64> {
        let mut rng = Pcg32::seed_from_u64(seed);
        let value = |rng: &mut Pcg32| {
            let bits = rng.next_u32() % 34;
            1 + rng.next_u64() % (1 << bits)
        };
        (0..count).map(|_| value(&mut rng)).collect()
    }

    fn of(digits: u32, values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new(digits);
        values.iter().for_each(|value| histogram.record(*value));
        histogram
    }

    #[test]
    fn it_answers_as_hdrhistogram_does() {
        for (seed, digits) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4)] {
            let values = values(seed, 3_000);
            let mut theirs = Theirs::<u64>::new(digits).unwrap();
            values
                .iter()
                .for_each(|value| theirs.record(*value).unwrap());
            let ours = of(u32::from(digits), &values);
            let max = ours.max().unwrap();
            assert_eq!(theirs.highest_equivalent(max), theirs.max());
            for per_mille in 1..=1_000 {
                // Floats may miss a rank that is met exactly, so theirs is asked between two.
                let rank = (values.len() * per_mille as usize).div_ceil(1_000);
                let quantile = (rank as f64 - 0.5) / values.len() as f64;
                let value = theirs.value_at_quantile(quantile).min(max);
                assert_eq!(
                    ours.at_per_mille(per_mille),
                    Some(value),
                    "{digits}, {per_mille}"
                );
            }
        }
    }

    #[test]
    fn corrected_values_are_hdrhistogram_s() {
        let values: Vec<u64> = values(9, 400).iter().map(|value| value % 300_000).collect();
        let mut theirs = Theirs::<u64>::new(3).unwrap();
        let mut ours = Histogram::new(3);
        for value in values.iter().filter(|value| **value > 0) {
            theirs.record_correct(*value, 900).unwrap();
            ours.record_corrected(*value, 900);
        }
        assert_eq!(ours.total(), theirs.len());
        let max = ours.max().unwrap();
        for per_mille in [1, 100, 500, 950, 990, 999] {
            let value = theirs
                .value_at_quantile(f64::from(per_mille) / 1_000.0)
                .min(max);
            assert_eq!(ours.at_per_mille(per_mille), Some(value));
        }
        // Small values have buckets of their own, so that it is the same before and after.
        let small = [3, 40, 900, 12, 900];
        let mut at_once = Histogram::new(3);
        small
            .iter()
            .for_each(|value| at_once.record_corrected(*value, 10));
        assert_eq!(of(3, &small).corrected(10), at_once);
        assert_eq!(of(3, &small).corrected(0), of(3, &small));
    }

    #[test]
    fn percentiles_are_by_nearest_rank_up_to_the_digits() {
        for count in [1, 2, 99, 100, 101, 600] {
            let mut sorted = values(count, count as usize);
            sorted.sort_unstable();
            let histogram = of(3, &sorted);
            for per_mille in [1, 10, 500, 950, 990, 999, 1_000] {
                let rank = (sorted.len() * per_mille as usize).div_ceil(1_000).max(1);
                let (exact, ours) = (sorted[rank - 1], histogram.at_per_mille(per_mille).unwrap());
                assert!(
                    ours >= exact && ours - exact <= exact / 1_000,
                    "{exact}, {ours}"
                );
            }
        }
    }

    #[test]
    fn merging_is_as_if_both_had_been_one() {
        let all = values(3, 2_000);
        for split in [0, 1, 700, 1_999, 2_000] {
            let (left, right) = all.split_at(split);
            let mut merged = of(3, left);
            merged.merge(&of(3, right));
            assert_eq!(merged, of(3, &all), "{split}");
            let mut other = of(3, right);
            other.merge(&of(3, left));
            assert_eq!(other, merged);
        }
    }

    #[test]
    fn the_mean_and_the_greatest_are_exact_and_nothing_has_neither() {
        let empty = Histogram::new(3);
        assert_eq!(
            (empty.mean(), empty.max(), empty.at_per_mille(990)),
            (None, None, None)
        );
        let some = of(3, &[1_234_567, 1, 2]);
        assert_eq!(some.max(), Some(1_234_567));
        assert_eq!(some.mean(), Some(411_523.333_333_333_3));
        assert_eq!(some.buckets().map(|(_, count)| count).sum::<u32>(), 3);
        let greatest = of(3, &[u64::MAX]);
        assert_eq!(greatest.at_per_mille(500), Some(u64::MAX));
    }
}
