//! Zipf popularity and what it does to a cache: sampling, and hit ratios by formula.
//!
//! Popularity follows `1 / rank^exponent` (Breslau et al., INFOCOM 1999, found exponents of 0.6 to 0.8 for web
//! pages). Under independent references the hit ratio of LRU follows from Che's approximation (Che, Tung, Wang
//! 2002), of FIFO and random from its variant by Martina, Garetto and Leonardi (2014), and of LRU exactly from
//! King (1971).

use rand::{Rng, RngExt};
use std::sync::Arc;

/// A Zipf distribution over `items` ranks; a clone shares the table.
///
/// A sample is one uniform number and a binary search of the cumulative table: as fast as a lesson needs, and the
/// same on every target, because the table comes from `libm` alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zipf {
    cumulative: Arc<[f64]>,
}

impl Zipf {
    /// Ranks `0..items` with weights `(rank + 1)^-exponent`. An exponent of 0 is uniform.
    ///
    /// 0 items count as 1; an exponent that is negative or not finite counts as 0.
    pub fn new(items: usize, exponent: f64) -> Self {
        let exponent = if exponent.is_finite() {
            exponent.max(0.0)
        } else {
            0.0
        };
        let mut cumulative = Vec::with_capacity(items.max(1));
        let mut sum = 0.0;
        for rank in 1..=items.max(1) {
            sum += libm::pow(rank as f64, -exponent);
            cumulative.push(sum);
        }
        for value in &mut cumulative {
            *value /= sum;
        }
        Self {
            cumulative: cumulative.into(),
        }
    }

    /// The number of ranks.
    pub fn items(&self) -> usize {
        self.cumulative.len()
    }

    /// The probability of `rank` (0 is the most popular); 0 beyond the last.
    pub fn probability(&self, rank: usize) -> f64 {
        let below = if rank == 0 {
            0.0
        } else {
            self.cumulative.get(rank - 1).copied().unwrap_or(1.0)
        };
        self.cumulative.get(rank).map_or(0.0, |upto| upto - below)
    }

    /// All probabilities, the most popular first.
    pub fn probabilities(&self) -> Vec<f64> {
        (0..self.items())
            .map(|rank| self.probability(rank))
            .collect()
    }

    /// Draws a rank in `0..items`.
    pub fn sample(&self, rng: &mut impl Rng) -> usize {
        self.rank_at(rng.random())
    }

    /// The rank at quantile `u` of `[0, 1)`: the inverse of the cumulative distribution.
    pub fn rank_at(&self, u: f64) -> usize {
        self.cumulative
            .partition_point(|upto| *upto <= u)
            .min(self.items() - 1)
    }
}

/// Che's characteristic time of LRU, in requests: how long an item stays cached after its last use.
///
/// Solves `Σ (1 - exp(-p t)) = capacity`. Infinite if everything that is ever asked for fits.
pub fn che_time(probabilities: &[f64], capacity: usize) -> f64 {
    solve(probabilities, capacity, |x| -libm::expm1(-x))
}

/// Hit ratio of LRU by Che's approximation: `Σ p (1 - exp(-p t))`.
pub fn lru_hit_ratio(probabilities: &[f64], capacity: usize) -> f64 {
    hit_ratio(probabilities, che_time(probabilities, capacity), |x| {
        -libm::expm1(-x)
    })
}

/// Hit ratio of FIFO and of random eviction, which agree: `Σ p · p t / (1 + p t)` with `t` from the same sum.
pub fn fifo_hit_ratio(probabilities: &[f64], capacity: usize) -> f64 {
    let occupancy = |x: f64| x / (1.0 + x);
    hit_ratio(
        probabilities,
        solve(probabilities, capacity, occupancy),
        occupancy,
    )
}

/// Hit ratio of LRU by Che's approximation where a missed item takes `fetch` requests' time to arrive, and everyone
/// who asks meanwhile misses too ("delayed hits", Atre, Sherry, Wang, Berger, SIGCOMM 2020).
///
/// By renewal: between two losses an item of popularity p misses `1 + p fetch` times and then hits `e^(p t) - 1` times.
/// A `fetch` of 0 gives [`lru_hit_ratio`]; one that is negative or not finite counts as 0.
pub fn lru_hit_ratio_delayed(probabilities: &[f64], capacity: usize, fetch: f64) -> f64 {
    let fetch = sane(fetch);
    delayed(probabilities, capacity, |p, t| {
        let gone = libm::exp(-p * t);
        (1.0 - gone) / (1.0 + p * fetch * gone)
    })
}

/// As [`lru_hit_ratio_delayed`], for FIFO and random eviction: a stay of `t` brings `p t` hits.
pub fn fifo_hit_ratio_delayed(probabilities: &[f64], capacity: usize, fetch: f64) -> f64 {
    let fetch = sane(fetch);
    delayed(probabilities, capacity, |p, t| {
        p * t / (1.0 + p * t + p * fetch)
    })
}

fn sane(fetch: f64) -> f64 {
    if fetch.is_finite() {
        fetch.max(0.0)
    } else {
        0.0
    }
}

fn delayed(probabilities: &[f64], capacity: usize, held: impl Fn(f64, f64) -> f64) -> f64 {
    let time = solve_for(probabilities, capacity, &held);
    if time.is_infinite() {
        return probabilities.iter().sum();
    }
    probabilities.iter().map(|p| p * held(*p, time)).sum()
}

/// Hit ratio of a cache that holds the `capacity` most popular items for good: what LFU comes to in the long run.
pub fn static_hit_ratio(probabilities: &[f64], capacity: usize) -> f64 {
    let mut sorted = probabilities.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.iter().take(capacity).sum()
}

/// Most items that [`lru_hit_ratio_exact`] takes: its table doubles with each.
pub const EXACT_ITEMS_MAX: usize = 20;

/// The exact hit ratio of LRU (King 1971), or `None` beyond [`EXACT_ITEMS_MAX`] items.
///
/// The cached items are the `capacity` most recent distinct ones; the chance that these are just the set S is
/// found set by set: `f(S) = Σ f(S without i) · p_i / (1 - p(S without i))` over i in S.
pub fn lru_hit_ratio_exact(probabilities: &[f64], capacity: usize) -> Option<f64> {
    let items = probabilities.len();
    if items > EXACT_ITEMS_MAX {
        return None;
    }
    if capacity >= items {
        return Some(if items == 0 { 0.0 } else { 1.0 });
    }
    let mut held = vec![0.0; 1 << items];
    let mut chance = vec![0.0; 1 << items];
    chance[0] = 1.0;
    let mut ratio = 0.0;
    for set in 0..1usize << items {
        let size = set.count_ones() as usize;
        if size > capacity {
            continue;
        }
        for item in (0..items).filter(|item| set & (1 << item) != 0) {
            let without = set & !(1 << item);
            held[set] = held[without] + probabilities[item];
            // What is never asked for adds nothing; without the test a sure item would divide by zero.
            if probabilities[item] > 0.0 {
                chance[set] += chance[without] * probabilities[item] / (1.0 - held[without]);
            }
        }
        if size == capacity {
            ratio += chance[set] * held[set];
        }
    }
    Some(ratio)
}

fn hit_ratio(probabilities: &[f64], time: f64, occupancy: impl Fn(f64) -> f64) -> f64 {
    if time.is_infinite() {
        return probabilities.iter().sum();
    }
    probabilities.iter().map(|p| p * occupancy(p * time)).sum()
}

/// Finds the time at which the expected number of cached items is the capacity; the sum grows with time.
fn solve(probabilities: &[f64], capacity: usize, occupancy: impl Fn(f64) -> f64) -> f64 {
    solve_for(probabilities, capacity, |p, time| occupancy(p * time))
}

/// The same where occupancy depends on popularity and time apart.
fn solve_for(probabilities: &[f64], capacity: usize, held: impl Fn(f64, f64) -> f64) -> f64 {
    let asked_for = probabilities.iter().filter(|p| **p > 0.0).count();
    if capacity >= asked_for {
        return f64::INFINITY;
    }
    let cached = |time: f64| -> f64 { probabilities.iter().map(|p| held(*p, time)).sum() };
    let target = capacity as f64;
    let mut high = 1.0;
    while cached(high) < target && high < f64::MAX / 4.0 {
        high *= 2.0;
    }
    let mut low = 0.0;
    // Halving until neighbouring numbers: at most about 1100 rounds, in practice some 60.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if cached(middle) < target {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg32;

    #[test]
    fn probabilities_sum_to_one_and_fall_as_the_exponent_says() {
        for exponent in [0.0, 0.8, 1.0, 2.5] {
            let zipf = Zipf::new(500, exponent);
            assert!((zipf.probabilities().iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let ratio = zipf.probability(0) / zipf.probability(9);
            assert!(
                (ratio - libm::pow(10.0, exponent)).abs() < 1e-9 * ratio,
                "{exponent}: {ratio}"
            );
        }
    }

    #[test]
    fn samples_follow_the_probabilities() {
        let zipf = Zipf::new(50, 1.0);
        let mut rng = Pcg32::seed_from_u64(2);
        let mut seen = [0f64; 50];
        for _ in 0..100_000 {
            seen[zipf.sample(&mut rng)] += 1.0;
        }
        let chi_square: f64 = (0..50)
            .map(|rank| {
                let expected = zipf.probability(rank) * 100_000.0;
                (seen[rank] - expected) * (seen[rank] - expected) / expected
            })
            .sum();
        // 49 degrees of freedom: one seed in 100,000 is beyond 105.
        assert!(chi_square < 105.0, "{chi_square}");
    }

    #[test]
    fn quantiles_reach_every_rank_and_no_further() {
        let zipf = Zipf::new(3, 0.0);
        assert_eq!(
            [0.0, 0.3, 0.4, 0.7, 0.999_999, 1.0, 2.0].map(|u| zipf.rank_at(u)),
            [0, 0, 1, 2, 2, 2, 2]
        );
    }

    #[test]
    fn nonsense_is_taken_for_the_nearest_sense() {
        assert_eq!(Zipf::new(0, 1.0).items(), 1);
        assert_eq!(Zipf::new(4, f64::NAN), Zipf::new(4, 0.0));
        assert_eq!(Zipf::new(4, -3.0), Zipf::new(4, 0.0));
        assert_eq!(Zipf::new(4, 1e9).probability(0), 1.0);
    }

    #[test]
    fn a_cache_for_everything_hits_always_and_none_hits_never() {
        let p = Zipf::new(10, 1.0).probabilities();
        for ratio in [lru_hit_ratio, fifo_hit_ratio, static_hit_ratio] {
            assert!((ratio(&p, 10) - 1.0).abs() < 1e-12);
            assert!(ratio(&p, 0) < 1e-12);
        }
        assert_eq!(lru_hit_ratio_exact(&p, 10), Some(1.0));
        assert_eq!(lru_hit_ratio_exact(&p, 0), Some(0.0));
        assert_eq!(lru_hit_ratio_exact(&[0.1; 21], 3), None);
    }

    #[test]
    fn without_a_delay_the_delayed_ratios_are_the_plain_ones() {
        let p = Zipf::new(60, 1.0).probabilities();
        for fetch in [0.0, -1.0, f64::NAN] {
            assert!((lru_hit_ratio_delayed(&p, 9, fetch) - lru_hit_ratio(&p, 9)).abs() < 1e-12);
            assert!((fifo_hit_ratio_delayed(&p, 9, fetch) - fifo_hit_ratio(&p, 9)).abs() < 1e-12);
        }
        assert_eq!(lru_hit_ratio_delayed(&p, 60, 5.0), p.iter().sum::<f64>());
    }

    #[test]
    fn a_simulated_lru_with_slow_fetches_agrees_with_the_delayed_ratio() {
        use crate::cache::Cache;
        use crate::eviction::Policy;
        use std::collections::{BTreeSet, VecDeque};
        let (zipf, fetch, capacity) = (Zipf::new(200, 0.9), 80_u64, 20);
        let mut rng = Pcg32::seed_from_u64(8);
        let mut cache = Cache::new(Policy::Lru, capacity);
        let (mut coming, mut asked) = (VecDeque::new(), BTreeSet::new());
        for now in 0..200_000_u64 {
            while let Some((_, key)) = coming.pop_front_if(|(at, _)| *at <= now) {
                cache.put(key, (), now, None, &mut rng);
                asked.remove(&key);
            }
            let key = zipf.sample(&mut rng);
            if cache.get(&key, now).hit().is_none() && asked.insert(key) {
                coming.push_back((now + fetch, key));
            }
        }
        let expected = lru_hit_ratio_delayed(&zipf.probabilities(), capacity, fetch as f64);
        // 200,000 reads have a deviation of 0.001; Che's approximation itself is good to about 0.01 at this size.
        assert!((cache.counts().hit_ratio() - expected).abs() < 0.01);
        assert!(expected < lru_hit_ratio(&zipf.probabilities(), capacity) - 0.02);
    }

    #[test]
    fn equal_popularity_makes_every_policy_alike() {
        let p = Zipf::new(12, 0.0).probabilities();
        for ratio in [lru_hit_ratio, fifo_hit_ratio, static_hit_ratio] {
            assert!((ratio(&p, 3) - 0.25).abs() < 1e-12);
        }
        assert!((lru_hit_ratio_exact(&p, 3).unwrap_or(0.0) - 0.25).abs() < 1e-12);
    }
}
