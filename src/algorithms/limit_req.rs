//! nginx's `limit_req`: the leaky bucket in thousandths of a request and whole milliseconds.
//!
//! Source: `ngx_http_limit_req_module.c`. Several zones may hold at once: a request that one of them
//! refuses is counted by none, and of the delays the longest is kept.

use crate::limiter::{Limiter, Verdict};

/// Thousandths that one request takes.
const REQUEST_MILLI: u64 = 1_000;
const US_PER_MS: u64 = 1_000;
/// A clock set back by more than this counts as one that went on by a millisecond.
const CLOCK_SET_BACK_MS: i128 = -60_000;

/// One `limit_req` directive with the zone that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Thousandths of a request per second; nginx knows whole requests a second or a minute.
    pub rate_milli_per_s: u64,
    /// Requests that may be in excess.
    pub burst: u64,
    /// Requests in excess that are not delayed: 0 by default, all of them with `nodelay`.
    pub undelayed: u64,
}

impl Zone {
    /// `rate=…r/s`, everything in excess delayed.
    pub fn per_s(rate: u64, burst: u64) -> Zone {
        Zone {
            rate_milli_per_s: rate.saturating_mul(REQUEST_MILLI),
            burst,
            undelayed: 0,
        }
    }

    /// `rate=…r/m`. nginx rounds it down to thousandths a second.
    pub fn per_min(rate: u64, burst: u64) -> Zone {
        Zone {
            rate_milli_per_s: rate.saturating_mul(REQUEST_MILLI) / 60,
            burst,
            undelayed: 0,
        }
    }

    /// The parameter `delay=`.
    pub fn delay(self, undelayed: u64) -> Zone {
        Zone { undelayed, ..self }
    }

    /// The parameter `nodelay`.
    pub fn nodelay(self) -> Zone {
        self.delay(u64::MAX)
    }
}

/// What one zone found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    excess_milli: u64,
    last_ms: u64,
}

/// The zones of one location and what each remembers of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitReq {
    zones: Vec<(Zone, Option<Node>)>,
}

/// What nginx does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Handled at once.
    Pass {
        /// The excess it was let through with, in thousandths.
        excess_milli: u64,
    },
    /// Handled after a delay.
    Delay {
        /// The excess that causes the delay.
        excess_milli: u64,
        /// For how long.
        delay_ms: u64,
    },
    /// Answered with 503, or what `limit_req_status` says.
    Reject {
        /// The excess that it would have been, which is not kept.
        excess_milli: u64,
    },
}

impl LimitReq {
    /// Zones in the order of the configuration, of a client not seen before.
    pub fn new(zones: &[Zone]) -> LimitReq {
        LimitReq {
            zones: zones.iter().map(|&zone| (zone, None)).collect(),
        }
    }

    /// Handles one request.
    pub fn request(&mut self, now_ms: u64) -> Outcome {
        let found: Vec<u64> = (self.zones.iter())
            .map(|(zone, node)| excess_milli(*zone, *node, now_ms))
            .collect();
        // The first zone that refuses decides, and no zone counts the request.
        for ((zone, _), &excess_milli) in self.zones.iter().zip(&found) {
            if excess_milli > zone.burst.saturating_mul(REQUEST_MILLI) {
                return Outcome::Reject { excess_milli };
            }
        }
        let mut outcome = Outcome::Pass {
            excess_milli: found.last().copied().unwrap_or(0),
        };
        let mut longest_ms = 0;
        // From the last zone back, as nginx does: of equal delays the later zone's is reported.
        for ((zone, node), &excess_milli) in self.zones.iter_mut().zip(&found).rev() {
            let last_ms = match node {
                // A clock that stands still or was set back a little leaves the old time in place.
                Some(node) if elapsed_ms(node.last_ms, now_ms) == 0 => node.last_ms,
                _ => now_ms,
            };
            *node = Some(Node {
                excess_milli,
                last_ms,
            });
            let waits_milli =
                excess_milli.saturating_sub(zone.undelayed.saturating_mul(REQUEST_MILLI));
            let delay_ms = (waits_milli.saturating_mul(1_000))
                .checked_div(zone.rate_milli_per_s)
                .unwrap_or(if waits_milli > 0 { u64::MAX } else { 0 });
            if delay_ms > longest_ms {
                longest_ms = delay_ms;
                outcome = Outcome::Delay {
                    excess_milli,
                    delay_ms,
                };
            }
        }
        outcome
    }
}

fn elapsed_ms(last_ms: u64, now_ms: u64) -> u64 {
    let elapsed = i128::from(now_ms) - i128::from(last_ms);
    if elapsed < CLOCK_SET_BACK_MS {
        return 1;
    }
    u64::try_from(elapsed).unwrap_or(0)
}

fn excess_milli(zone: Zone, node: Option<Node>, now_ms: u64) -> u64 {
    let Some(node) = node else { return 0 };
    let elapsed_ms = u128::from(elapsed_ms(node.last_ms, now_ms));
    let leaked = u128::from(zone.rate_milli_per_s) * elapsed_ms / 1_000;
    let excess = u128::from(node.excess_milli) + u128::from(REQUEST_MILLI);
    crate::limiter::saturate(excess.saturating_sub(leaked))
}

impl Limiter for LimitReq {
    /// Times are microseconds. A request costs one, whatever `cost` says: nginx knows no other.
    fn ask(&mut self, now_us: u64, _cost: u64) -> Verdict {
        let now_ms = now_us / US_PER_MS;
        match self.request(now_ms) {
            Outcome::Pass { .. } => Verdict::Allowed,
            Outcome::Delay { delay_ms, .. } => Verdict::Delayed(delay_ms.saturating_mul(US_PER_MS)),
            Outcome::Reject { .. } => {
                let wait_us = |(zone, node): &(Zone, Option<Node>)| {
                    let burst_milli = zone.burst.saturating_mul(REQUEST_MILLI);
                    let over = excess_milli(*zone, *node, now_ms).saturating_sub(burst_milli);
                    let last_ms = node.map_or(now_ms, |node| node.last_ms);
                    let leaked = node.map_or(0, |node| {
                        let full = node.excess_milli.saturating_add(REQUEST_MILLI);
                        full.saturating_sub(burst_milli)
                    });
                    match (over, zone.rate_milli_per_s) {
                        (0, _) => Some(0),
                        (_, 0) => None,
                        // The leak since `last` is rounded as a whole, so it is counted from there.
                        (_, rate) => {
                            let ms = (u128::from(leaked) * 1_000).div_ceil(u128::from(rate));
                            let at_ms = u128::from(last_ms) + ms;
                            let at_us = crate::limiter::saturate(at_ms * u128::from(US_PER_MS));
                            Some(at_us.saturating_sub(now_us))
                        }
                    }
                };
                Verdict::Refused {
                    retry_after: (self.zones.iter())
                        .try_fold(0, |longest, zone| Some(wait_us(zone)?.max(longest))),
                }
            }
        }
    }

    /// nginx takes 128 bytes a client and zone on 64-bit machines.
    fn memory_bytes(&self) -> usize {
        self.zones.len() * 128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_refused_by_one_zone_is_counted_by_none() {
        let zones = [Zone::per_s(1, 1).nodelay(), Zone::per_min(1, 0)];
        let mut limits = LimitReq::new(&zones);
        assert_eq!(limits.request(0), Outcome::Pass { excess_milli: 0 });
        for _ in 0..5 {
            assert!(matches!(limits.request(1), Outcome::Reject { .. }));
        }
        assert_eq!(limits.zones[0].1.unwrap().excess_milli, 0);
    }

    #[test]
    fn retry_after_is_exact_to_the_millisecond() {
        for (rate, burst) in [(3, 0), (7, 1), (900, 2)] {
            let zone = Zone {
                rate_milli_per_s: rate * 77,
                ..Zone::per_s(1, burst).nodelay()
            };
            let mut limits = LimitReq::new(&[zone]);
            for now_us in (0..4_000_000).step_by(37_300) {
                if let Verdict::Refused { retry_after } = limits.clone().ask(now_us, 1) {
                    let at_us = now_us + retry_after.unwrap();
                    assert!(limits.clone().ask(at_us, 1).passes());
                    assert!(!limits.clone().ask(at_us - 1, 1).passes());
                } else {
                    limits.ask(now_us, 1);
                }
            }
        }
    }

    #[test]
    fn clocks_that_run_back_and_rates_of_zero_are_answered() {
        let mut limits = LimitReq::new(&[Zone::per_s(1, 2)]);
        limits.request(100_000);
        assert_eq!(
            limits.request(90_000),
            Outcome::Delay {
                excess_milli: 1_000,
                delay_ms: 1_000
            }
        );
        assert!(matches!(
            limits.request(0),
            Outcome::Delay {
                delay_ms: 1_999,
                ..
            }
        ));
        let mut none = LimitReq::new(&[Zone::per_s(0, 0)]);
        assert_eq!(none.ask(0, 1), Verdict::Allowed);
        assert_eq!(
            none.ask(u64::MAX, 1),
            Verdict::Refused { retry_after: None }
        );
        assert_eq!(LimitReq::new(&[]).ask(0, 1), Verdict::Allowed);
    }
}
