//! How stale a read from a partial quorum may be: probabilistically bounded staleness (PBS).
//!
//! Closed forms for a read long after the write, and a Monte Carlo of the WARS model for one shortly
//! after it: a write goes to all replicas and commits at the W-th acknowledgement; a read starts some
//! time later, goes to all replicas and uses the first R responses. Source: Bailis et al.,
//! "Probabilistically bounded staleness for practical partial quorums" (VLDB 2012). Times are
//! milliseconds as `f64`, for they are drawn from continuous distributions.

use crate::quorum::Quorum;
use rand::{Rng, RngExt};

/// Probability that R replicas chosen at random all miss a write that W of N have:
/// C(N-W, R) / C(N, R).
pub fn miss_probability(quorum: Quorum) -> f64 {
    let (n, r, w) = (quorum.nodes(), quorum.read(), quorum.write());
    if quorum.is_strict() {
        return 0.0;
    }
    (0..r)
        .map(|i| f64::from(n - w - i) / f64::from(n - i))
        .product()
}

/// Probability that a read returns one of the latest `versions` versions, each write having picked
/// its replicas independently.
pub fn within_versions_probability(quorum: Quorum, versions: u32) -> f64 {
    1.0 - libm::pow(miss_probability(quorum), f64::from(versions))
}

/// A distribution of one-way delays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    /// At least `scale_ms`, with a power-law tail; a smaller shape is heavier.
    Pareto {
        /// Least delay.
        scale_ms: f64,
        /// Exponent of the tail.
        shape: f64,
    },
    /// Memoryless.
    Exponential {
        /// One over the mean.
        rate_per_ms: f64,
    },
}

impl Tail {
    fn draw_ms(self, rng: &mut impl Rng) -> f64 {
        // From (0, 1], so that neither the logarithm nor the power meets zero.
        let u = 1.0 - rng.random::<f64>();
        match self {
            Self::Pareto { scale_ms, shape } => scale_ms * libm::pow(u, -1.0 / shape),
            Self::Exponential { rate_per_ms } => -libm::log(u) / rate_per_ms,
        }
    }
}

/// Usually a quick body, sometimes a slow tail: how the paper fits measured delays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// Share of delays drawn from `body`, 0 to 1.
    pub body_share: f64,
    /// The usual delay.
    pub body: Tail,
    /// The other delay.
    pub tail: Tail,
}

impl Latency {
    /// Draws one delay.
    pub fn draw_ms(&self, rng: &mut impl Rng) -> f64 {
        let from_body = rng.random::<f64>() < self.body_share;
        if from_body {
            self.body.draw_ms(rng)
        } else {
            self.tail.draw_ms(rng)
        }
    }
}

/// The four delays of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wars {
    /// W: the write on its way to a replica.
    pub write: Latency,
    /// A: the acknowledgement on its way back.
    pub ack: Latency,
    /// R: the read on its way to a replica.
    pub read: Latency,
    /// S: the response on its way back.
    pub response: Latency,
}

const fn pareto(scale_ms: f64, shape: f64) -> Tail {
    Tail::Pareto { scale_ms, shape }
}

const fn exponential(rate_per_ms: f64) -> Tail {
    Tail::Exponential { rate_per_ms }
}

const SSD: Latency = Latency {
    body_share: 0.9122,
    body: pareto(0.235, 10.0),
    tail: exponential(1.66),
};
const DISK_WRITE: Latency = Latency {
    body_share: 0.38,
    body: pareto(1.05, 1.51),
    tail: exponential(0.183),
};
const YMMR_WRITE: Latency = Latency {
    body_share: 0.939,
    body: pareto(3.0, 3.35),
    tail: exponential(0.0028),
};
const YMMR_OTHER: Latency = Latency {
    body_share: 0.982,
    body: pareto(1.5, 3.8),
    tail: exponential(0.0217),
};

impl Wars {
    /// LinkedIn's Voldemort on solid-state disks.
    pub const LNKD_SSD: Self = Self {
        write: SSD,
        ack: SSD,
        read: SSD,
        response: SSD,
    };
    /// LinkedIn's Voldemort on spinning disks: only the write waits for them.
    pub const LNKD_DISK: Self = Self {
        write: DISK_WRITE,
        ack: SSD,
        read: SSD,
        response: SSD,
    };
    /// Yammer's Riak.
    pub const YMMR: Self = Self {
        write: YMMR_WRITE,
        ack: YMMR_OTHER,
        read: YMMR_OTHER,
        response: YMMR_OTHER,
    };

    /// One write and one read.
    pub fn trial(&self, quorum: Quorum, rng: &mut impl Rng) -> Trial {
        let nodes = quorum.nodes() as usize;
        let mut acked_ms = Vec::with_capacity(nodes);
        let mut written_ms = Vec::with_capacity(nodes);
        let mut reads = Vec::with_capacity(nodes);
        for _ in 0..nodes {
            let write_ms = self.write.draw_ms(rng);
            written_ms.push(write_ms);
            acked_ms.push(write_ms + self.ack.draw_ms(rng));
            let read_ms = self.read.draw_ms(rng);
            reads.push((read_ms + self.response.draw_ms(rng), read_ms));
        }
        acked_ms.sort_by(f64::total_cmp);
        let commit_ms = acked_ms[quorum.write() as usize - 1];
        let mut order: Vec<usize> = (0..nodes).collect();
        order.sort_by(|&a, &b| reads[a].0.total_cmp(&reads[b].0));
        let used = &order[..quorum.read() as usize];
        // A replica answers with the write if the write reached it before the read did. Which
        // replicas answer first does not depend on when the read starts, so one trial tells for
        // every start at once.
        let consistent_after_ms = used
            .iter()
            .map(|&i| written_ms[i] - commit_ms - reads[i].1)
            .fold(f64::INFINITY, f64::min);
        let read_ms = used.last().map_or(0.0, |&i| reads[i].0);
        Trial {
            commit_ms,
            read_ms,
            consistent_after_ms,
        }
    }

    /// Many trials, ready to be asked.
    pub fn simulate(&self, quorum: Quorum, trials: usize, rng: &mut impl Rng) -> Staleness {
        let mut staleness = Staleness::default();
        for _ in 0..trials {
            let trial = self.trial(quorum, rng);
            staleness.commit_ms.push(trial.commit_ms);
            staleness.read_ms.push(trial.read_ms);
            staleness
                .consistent_after_ms
                .push(trial.consistent_after_ms);
        }
        for samples in [
            &mut staleness.commit_ms,
            &mut staleness.read_ms,
            &mut staleness.consistent_after_ms,
        ] {
            samples.sort_by(f64::total_cmp);
        }
        staleness
    }
}

/// What one write and one read came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// Latency of the write.
    pub commit_ms: f64,
    /// Latency of the read.
    pub read_ms: f64,
    /// A read that starts at least so long after the commit sees the write; not positive means even
    /// one that starts at once does.
    pub consistent_after_ms: f64,
}

/// Many trials, each quantity sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Staleness {
    commit_ms: Vec<f64>,
    read_ms: Vec<f64>,
    consistent_after_ms: Vec<f64>,
}

/// Share of the samples that are at most `limit`; 0 without samples.
fn share_at_most(sorted: &[f64], limit: f64) -> f64 {
    let below = sorted.partition_point(|&sample| sample <= limit);
    below as f64 / sorted.len().max(1) as f64
}

/// The least sample that at least `share` of the samples do not exceed.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = libm::ceil(share.clamp(0.0, 1.0) * sorted.len() as f64) as usize;
    sorted.get(rank.max(1) - 1).copied()
}

impl Staleness {
    /// Share of reads that see the write when they start `after_ms` after its commit.
    pub fn consistent_share(&self, after_ms: f64) -> f64 {
        share_at_most(&self.consistent_after_ms, after_ms)
    }

    /// How long after the commit a read must start for `share` of them to see the write, never
    /// negative; `None` without trials.
    pub fn consistent_after_ms(&self, share: f64) -> Option<f64> {
        quantile(&self.consistent_after_ms, share).map(|ms| ms.max(0.0))
    }

    /// Latency that `share` of the reads do not exceed; `None` without trials.
    pub fn read_latency_ms(&self, share: f64) -> Option<f64> {
        quantile(&self.read_ms, share)
    }

    /// Latency that `share` of the writes do not exceed; `None` without trials.
    pub fn write_latency_ms(&self, share: f64) -> Option<f64> {
        quantile(&self.commit_ms, share)
    }

    /// Share of reads that take at most `limit_ms`.
    pub fn read_share_within(&self, limit_ms: f64) -> f64 {
        share_at_most(&self.read_ms, limit_ms)
    }

    /// Share of writes that take at most `limit_ms`.
    pub fn write_share_within(&self, limit_ms: f64) -> f64 {
        share_at_most(&self.commit_ms, limit_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    fn quorum(n: u32, r: u32, w: u32) -> Quorum {
        Quorum::new(n, r, w).expect("in range")
    }

    #[test]
    fn a_strict_quorum_is_never_stale() {
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        for (n, r, w) in [(3, 2, 2), (3, 1, 3), (3, 3, 1), (5, 3, 3), (1, 1, 1)] {
            assert_eq!(miss_probability(quorum(n, r, w)), 0.0);
            for _ in 0..2000 {
                let trial = Wars::YMMR.trial(quorum(n, r, w), &mut rng);
                assert!(
                    trial.consistent_after_ms <= 0.0,
                    "N={n} R={r} W={w}: {trial:?}"
                );
            }
        }
    }

    #[test]
    fn the_closed_form_counts_the_subsets() {
        for n in 1..=7_u32 {
            for (r, w) in (1..=n).flat_map(|r| (1..=n).map(move |w| (r, w))) {
                let written = (1_u32 << w) - 1;
                let reads: Vec<u32> = (0..1_u32 << n)
                    .filter(|set| set.count_ones() == r)
                    .collect();
                let missed = reads.iter().filter(|&&set| set & written == 0).count();
                let share = missed as f64 / reads.len() as f64;
                assert!((miss_probability(quorum(n, r, w)) - share).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn delays_follow_their_distributions() {
        let mut rng = Pcg64Mcg::seed_from_u64(2);
        let mut mean =
            |tail: Tail| (0..200_000).map(|_| tail.draw_ms(&mut rng)).sum::<f64>() / 200_000.0;
        // Standard errors of these means are below 0.3 % of them; four of them are 1.2 %.
        assert!((mean(exponential(0.5)) / 2.0 - 1.0).abs() < 0.012);
        assert!((mean(pareto(3.0, 5.0)) / 3.75 - 1.0).abs() < 0.012);
    }

    #[test]
    fn quantiles_and_shares_are_inverse() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(
            [0.0, 0.25, 0.26, 1.0].map(|q| quantile(&sorted, q).unwrap()),
            [1.0, 1.0, 2.0, 4.0]
        );
        assert_eq!(share_at_most(&sorted, 2.5), 0.5);
        assert_eq!(Staleness::default().consistent_after_ms(0.5), None);
    }
}
