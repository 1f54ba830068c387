//! Priority levels and panic: how Envoy shares load among groups of hosts, of which the first is used before the next.
//!
//! A level counts as healthier than it is, by the over-provisioning factor: the hosts that are left are trusted with some of the
//! load of those that are not. What the first level cannot carry goes to the next. If all levels together are not healthy enough,
//! a level under the panic threshold uses all its hosts, healthy or not: its list of sick ones is no longer believed.
//!
//! Source: Envoy, *Priority levels* and *Panic threshold* (`docs/root/intro/arch_overview/upstream/load_balancing`), with the whole
//! numbers of `recalculatePerPriorityState` and `recalculatePerPriorityPanic`. Where its documentation rounds otherwise than its
//! code, this does as the code: what rounding leaves over goes to the first level that has any health.

/// How much healthier than it is a level counts, in per cent.
pub const OVERPROVISIONING: u32 = 140;
/// Below so many per cent of healthy hosts Envoy panics unless told otherwise.
pub const PANIC_THRESHOLD: u32 = 50;

/// The hosts of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Hosts that are believed to be well.
    pub healthy: u32,
    /// All of them.
    pub hosts: u32,
}

/// What a level gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Its share of the load in whole per cent. All shares sum to 100, unless there is nobody to send to.
    pub load: u32,
    /// It uses all its hosts, healthy or not.
    pub panics: bool,
}

impl Level {
    /// Its health in whole per cent, from 0 to 100.
    pub fn health(self) -> u32 {
        (OVERPROVISIONING * self.healthy)
            .checked_div(self.hosts)
            .map_or(0, |health| health.min(100))
    }

    /// Whether a smaller share of its hosts than the threshold is healthy.
    fn is_below(self, threshold: u32) -> bool {
        100 * self.healthy < threshold * self.hosts.max(1)
    }
}

// region: shares
/// The share of each level, the first before the next. A threshold of 0 never panics: with no healthy host nobody gets anything.
pub fn shares(levels: &[Level], panic_threshold: u32) -> Vec<Share> {
    let total = levels.iter().map(|level| level.health()).sum::<u32>();
    let total = total.min(100);
    let mut left = if total > 0 { 100 } else { 0 };
    let mut shares: Vec<Share> = levels
        .iter()
        .map(|level| {
            let wanted = (level.health() * 100).checked_div(total).unwrap_or(0);
            let load = wanted.min(left);
            left -= load;
            let panics = total < 100 && level.is_below(panic_threshold.min(100));
            Share { load, panics }
        })
        .collect();
    if !shares.is_empty() && shares.iter().all(|share| share.panics) {
        // Nobody is believed: what counts is how many hosts there are.
        let hosts = levels.iter().map(|level| level.hosts).sum::<u32>();
        left = if hosts > 0 { 100 } else { 0 };
        for (share, level) in shares.iter_mut().zip(levels) {
            share.load = (100 * level.hosts).checked_div(hosts).unwrap_or(0);
            left -= share.load;
        }
        let any = levels.iter().position(|level| level.hosts > 0);
        any.into_iter().for_each(|first| shares[first].load += left);
    } else if let Some(first) = levels.iter().position(|level| level.health() > 0) {
        shares[first].load += left;
    }
    shares
}
// endregion

/// The level that a draw from 0 to 99 falls to; none if nobody has any load.
pub fn choose(shares: &[Share], draw: u32) -> Option<usize> {
    let mut sum = 0;
    shares.iter().position(|share| {
        sum += share.load;
        draw < sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(levels: &[(u32, u32)], threshold: u32) -> Vec<(u32, bool)> {
        let level = |(healthy, hosts): &(u32, u32)| Level {
            healthy: *healthy,
            hosts: *hosts,
        };
        let levels: Vec<Level> = levels.iter().map(level).collect();
        let shares = shares(&levels, threshold);
        shares.iter().map(|it| (it.load, it.panics)).collect()
    }

    #[test]
    fn five_of_ten_keep_seventy_per_cent_and_one_of_five_less_keeps_all() {
        assert_eq!(of(&[(5, 10), (10, 10)], 50), [(70, false), (30, false)]);
        assert_eq!(of(&[(4, 5), (5, 5)], 50), [(100, false), (0, false)]);
        assert_eq!(of(&[(3, 5), (5, 5)], 50), [(84, false), (16, false)]);
        assert_eq!(of(&[(2, 5), (5, 5)], 50), [(56, false), (44, false)]);
    }

    #[test]
    fn panic_needs_levels_that_together_cannot_carry_the_load() {
        // The rows of Envoy's documentation of the panic threshold.
        assert_eq!(of(&[(72, 100), (72, 100)], 50), [(100, false), (0, false)]);
        assert_eq!(of(&[(71, 100), (71, 100)], 50), [(99, false), (1, false)]);
        assert_eq!(of(&[(50, 100), (60, 100)], 50), [(70, false), (30, false)]);
        assert_eq!(of(&[(25, 100), (100, 100)], 50), [(35, false), (65, false)]);
        assert_eq!(of(&[(25, 100), (25, 100)], 50), [(50, true), (50, true)]);
        // There it says 7 and 93; the code gives what rounding left over to the first level.
        assert_eq!(of(&[(5, 100), (65, 100)], 50), [(8, true), (92, false)]);
    }

    #[test]
    fn one_level_gets_everything_and_panics_below_the_threshold() {
        assert_eq!(of(&[(3, 5)], 50), [(100, false)]);
        assert_eq!(of(&[(2, 5)], 50), [(100, true)]);
        assert_eq!(of(&[(0, 5)], 50), [(100, true)]);
        assert_eq!(of(&[(2, 5)], 0), [(100, false)]);
        assert_eq!(of(&[(5, 10)], 50), [(100, false)]);
    }

    #[test]
    fn with_nobody_healthy_and_no_panic_nobody_gets_anything() {
        assert_eq!(of(&[(0, 5), (0, 5)], 0), [(0, false), (0, false)]);
        assert_eq!(of(&[(0, 0)], 50), [(0, true)]);
        assert_eq!(of(&[], 50), []);
        let none = shares(
            &[Level {
                healthy: 0,
                hosts: 5,
            }],
            0,
        );
        assert_eq!(choose(&none, 0), None);
    }

    #[test]
    fn shares_sum_to_a_hundred_and_draws_fall_as_they_say() {
        for a in 0..=10 {
            for b in 0..=10 {
                for threshold in [10, 50, 100] {
                    let levels =
                        [(a, 10), (b, 10)].map(|(healthy, hosts)| Level { healthy, hosts });
                    let shares = shares(&levels, threshold);
                    let sum: u32 = shares.iter().map(|share| share.load).sum();
                    assert_eq!(sum, 100, "{a} and {b} of ten, {threshold}");
                    for level in 0..2 {
                        let drawn = (0..100).filter(|draw| choose(&shares, *draw) == Some(level));
                        assert_eq!(drawn.count() as u32, shares[level].load);
                    }
                }
            }
        }
    }
}
