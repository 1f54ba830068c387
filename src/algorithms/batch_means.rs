//! Batch means: how far a mean may be off when each value resembles the one before, as waits in a queue do.
//!
//! Values in their order are cut into batches; if these are long enough, their means are almost independent, and how much they
//! differ tells the standard error of the whole mean. Batches double in length as values come, so that there are always 10 to 20.
//! After Schmeiser, *Batch size effects in the analysis of simulation output* (1982), who finds 10 to 30 batches best.

/// Where pairs of batches become one.
const BATCHES_MAX: usize = 20;

/// The running mean of values and of their batches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchMeans {
    /// Sums of whole batches.
    sums: Vec<f64>,
    /// Values in a batch; 0 until the first one comes.
    length: u64,
    /// The sum of the batch that is not whole yet, and how many it has.
    open: (f64, u64),
    all: (f64, u64),
}

impl BatchMeans {
    /// Takes the next value.
    pub fn add(&mut self, value: f64) {
        self.length = self.length.max(1);
        self.all = (self.all.0 + value, self.all.1 + 1);
        self.open = (self.open.0 + value, self.open.1 + 1);
        if self.open.1 < self.length {
            return;
        }
        self.sums.push(self.open.0);
        self.open = (0.0, 0);
        if self.sums.len() == BATCHES_MAX {
            self.sums = self.sums.chunks(2).map(|pair| pair.iter().sum()).collect();
            self.length *= 2;
        }
    }

    /// How many values came.
    pub fn count(&self) -> u64 {
        self.all.1
    }

    /// The mean of all; none without values.
    pub fn mean(&self) -> Option<f64> {
        (self.all.1 > 0).then(|| self.all.0 / self.all.1 as f64)
    }

    /// The standard error of the mean, from at least ten whole batches; none before there are.
    pub fn standard_error(&self) -> Option<f64> {
        let count = self.sums.len() as f64;
        if self.sums.len() < BATCHES_MAX / 2 {
            return None;
        }
        let means = || self.sums.iter().map(|sum| sum / self.length as f64);
        let mean = means().sum::<f64>() / count;
        let spread: f64 = means().map(|one| (one - mean) * (one - mean)).sum();
        Some((spread / (count - 1.0) / count).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg32;

    fn unit(rng: &mut Pcg32) -> f64 {
        f64::from(rng.next_u32()) / f64::from(u32::MAX)
    }

    #[test]
    fn of_independent_values_it_is_the_textbook_s() {
        let mut rng = Pcg32::seed_from_u64(1);
        let mut means = BatchMeans::default();
        assert_eq!((means.mean(), means.standard_error()), (None, None));
        (0..40_000).for_each(|_| means.add(unit(&mut rng)));
        let theory = (1.0_f64 / 12.0 / 40_000.0).sqrt();
        let ours = means.standard_error().unwrap();
        assert!((ours / theory - 1.0).abs() < 0.5, "{ours}, {theory}");
        assert!((means.mean().unwrap() - 0.5).abs() < 4.0 * theory);
    }

    #[test]
    fn of_values_that_hang_together_it_is_larger() {
        // Each value stays for a hundred: so many are as good as a hundredth of them.
        let mut rng = Pcg32::seed_from_u64(2);
        let mut means = BatchMeans::default();
        for _ in 0..400 {
            let value = unit(&mut rng);
            (0..100).for_each(|_| means.add(value));
        }
        let theory = (1.0_f64 / 12.0 / 400.0).sqrt();
        let ours = means.standard_error().unwrap();
        assert!((ours / theory - 1.0).abs() < 0.5, "{ours}, {theory}");
    }

    #[test]
    fn there_are_always_ten_to_twenty_batches_that_hold_all_but_the_last() {
        let mut means = BatchMeans::default();
        for count in 1..=5_000_u64 {
            means.add(1.0);
            let whole = means.sums.len() as u64 * means.length;
            assert_eq!(whole + means.open.1, count);
            assert_eq!(means.standard_error().is_some(), count >= 10, "{count}");
            assert!(means.sums.len() < BATCHES_MAX);
        }
        assert_eq!(
            (means.mean(), means.standard_error()),
            (Some(1.0), Some(0.0))
        );
    }
}
