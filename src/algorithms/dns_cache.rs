//! What a caching resolver keeps, for how long, and what TTL its answers carry.
//!
//! Sources: RFC 1034 and 1035 (TTL), 2181 section 5.2 (one TTL for a set of records), 2308 (negative
//! answers), 8767 (stale answers), 9520 (failures); CoreDNS's `cache` plugin for clamping, whole seconds
//! and serving stale; Jung et al. 2003 for hit ratios. TTLs are seconds, times microseconds that do not
//! run back.

use std::collections::BTreeMap;

const SECOND_US: u64 = 1_000_000;
/// How long CoreDNS keeps a failure unless told otherwise.
pub const FAILURE_TTL_S: u32 = 5;
/// Longest that RFC 9520 lets a failure be kept.
pub const FAILURE_TTL_MAX_S: u32 = 300;
/// Longest that BIND keeps a negative answer unless told otherwise (`max-ncache-ttl`).
pub const NEGATIVE_TTL_MAX_S: u32 = 10_800;

/// A TTL brought between a cache's own limits. If they contradict each other, the upper one holds.
pub fn clamp_ttl(ttl_s: u32, min_s: u32, max_s: u32) -> u32 {
    ttl_s.max(min_s).min(max_s)
}

/// The lifetime of an answer: that of its shortest-lived record; `None` for an answer without any.
pub fn records_ttl(ttls_s: &[u32]) -> Option<u32> {
    ttls_s.iter().copied().min()
}

/// How long the answer "there is none" is good (NXDOMAIN: no such name, NODATA: no such record): the
/// smaller of the SOA record's own TTL and its last field.
pub fn negative_ttl(soa_ttl_s: u32, soa_minimum_s: u32) -> u32 {
    soa_ttl_s.min(soa_minimum_s)
}

/// What an upstream said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// Records, with the TTL of each.
    Records {
        /// What they hold.
        data: T,
        /// The TTL of each record.
        ttls_s: Vec<u32>,
    },
    /// There is no such name, or no such record of it.
    Negative {
        /// The TTL of the SOA record that came along, and its last field; without one the answer is
        /// not kept.
        soa: Option<(u32, u32)>,
        /// What to answer.
        data: T,
    },
    /// The name server failed, or none answered.
    Failure(T),
}

/// Which expired answers are still given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// None.
    Never,
    /// At once, while a fresh one is fetched behind it.
    AtOnce {
        /// For how long after their end.
        up_to_s: u32,
        /// The TTL that such an answer carries.
        ttl_s: u32,
    },
    /// Only if the upstream, asked first, does not answer.
    Verify {
        /// For how long after their end.
        up_to_s: u32,
        /// The TTL that such an answer carries.
        ttl_s: u32,
    },
}

/// The rules of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Shortest lifetime of records: above 0 it breaks the promise of whoever set a shorter TTL.
    pub min_s: u32,
    /// Longest lifetime of records.
    pub max_s: u32,
    /// Longest lifetime of negative answers.
    pub negative_max_s: u32,
    /// How long failures are kept; 0 is not at all.
    pub failure_s: u32,
    /// Which expired answers are still given.
    pub stale: Stale,
    /// Whether answers carry the TTL that they came with instead of what is left of it.
    pub keeps_ttl: bool,
}

impl Default for Settings {
    /// CoreDNS's limits and BIND's for negative answers, nothing stale.
    fn default() -> Settings {
        Settings {
            min_s: 0,
            max_s: 3_600,
            negative_max_s: NEGATIVE_TTL_MAX_S,
            failure_s: FAILURE_TTL_S,
            stale: Stale::Never,
            keeps_ttl: false,
        }
    }
}

impl Settings {
    // region: lifetime
    /// How long an answer is kept, in seconds; 0 is used once and not kept.
    pub fn lifetime_s<T>(&self, answer: &Answer<T>) -> u32 {
        match answer {
            Answer::Records { ttls_s, .. } => records_ttl(ttls_s)
                .filter(|&ttl_s| ttl_s > 0 || self.min_s > 0)
                .map_or(0, |ttl_s| clamp_ttl(ttl_s, self.min_s, self.max_s)),
            Answer::Negative { soa, .. } => soa.map_or(0, |(ttl_s, minimum_s)| {
                negative_ttl(ttl_s, minimum_s).min(self.negative_max_s)
            }),
            Answer::Failure(_) => self.failure_s.min(FAILURE_TTL_MAX_S),
        }
    }
    // endregion
}

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Copy<T> {
    data: T,
    failure: bool,
    ttl_s: u32,
    stored_us: u64,
}

impl<T> Copy<T> {
    /// Whole seconds left, a begun one counted; 0 or less once it has ended, to the microsecond.
    fn left_s(&self, now_us: u64) -> i64 {
        let age_s = now_us.saturating_sub(self.stored_us) / SECOND_US;
        i64::from(self.ttl_s).saturating_sub_unsigned(age_s)
    }
}

/// A copy, whether it is good or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<'a, T> {
    /// What it holds.
    pub data: &'a T,
    /// Its whole lifetime, in seconds.
    pub ttl_s: u32,
    /// When it came.
    pub stored_us: u64,
}

impl<T> Held<'_, T> {
    /// The moment from which on it has ended.
    pub fn ends_us(&self) -> u64 {
        let lifetime_us = u64::from(self.ttl_s) * SECOND_US;
        self.stored_us.saturating_add(lifetime_us)
    }
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a, T> {
    /// A copy that is good.
    Fresh {
        /// What it holds.
        data: &'a T,
        /// The TTL that the answer carries.
        ttl_s: u32,
    },
    /// A copy that has ended, to be given at once, with a refresh behind it.
    Stale {
        /// What it holds.
        data: &'a T,
        /// The TTL that the answer carries.
        ttl_s: u32,
    },
    /// Nothing that may be given without asking.
    Miss,
}

/// The copies of one resolver, by name and kind of record or any other key.
#[derive(Clone, Debug)]
pub struct DnsCache<K, T> {
    settings: Settings,
    copies: BTreeMap<K, Copy<T>>,
}

impl<K: Ord, T> DnsCache<K, T> {
    /// An empty cache.
    pub fn new(settings: Settings) -> DnsCache<K, T> {
        DnsCache {
            settings,
            copies: BTreeMap::new(),
        }
    }

    /// Changes the rules for answers to come; copies keep the lifetime that they were stored with.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// The copy of this name as it was stored, ended or not, for who wants to see its clock.
    pub fn held(&self, key: &K) -> Option<Held<'_, T>> {
        self.copies.get(key).map(|copy| Held {
            data: &copy.data,
            ttl_s: copy.ttl_s,
            stored_us: copy.stored_us,
        })
    }

    // region: look
    /// Looks for an answer without asking anyone.
    pub fn look(&self, now_us: u64, key: &K) -> Found<'_, T> {
        let Some(copy) = self.copies.get(key) else {
            return Found::Miss;
        };
        let left_s = copy.left_s(now_us);
        if left_s > 0 {
            let ttl_s = if self.settings.keeps_ttl {
                copy.ttl_s
            } else {
                left_s as u32
            };
            return Found::Fresh {
                data: &copy.data,
                ttl_s,
            };
        }
        match self.settings.stale {
            Stale::AtOnce { up_to_s, ttl_s } if keeps(copy, left_s, up_to_s) => Found::Stale {
                data: &copy.data,
                ttl_s,
            },
            _ => Found::Miss,
        }
    }
    // endregion

    /// What to answer when the upstream, asked, did not: an expired copy with its TTL, if one may still
    /// be given.
    pub fn fall_back(&self, now_us: u64, key: &K) -> Option<(&T, u32)> {
        let copy = self.copies.get(key)?;
        let (Stale::AtOnce { up_to_s, ttl_s } | Stale::Verify { up_to_s, ttl_s }) =
            self.settings.stale
        else {
            return None;
        };
        keeps(copy, copy.left_s(now_us), up_to_s).then_some((&copy.data, ttl_s))
    }

    /// Stores an answer as of its arrival and returns its lifetime in seconds; 0 is not stored. A failure
    /// does not displace what may still be given stale: giving that does not renew it either.
    pub fn store(&mut self, now_us: u64, key: K, answer: Answer<T>) -> u32 {
        let ttl_s = self.settings.lifetime_s(&answer);
        let failure = matches!(answer, Answer::Failure(_));
        if failure && self.fall_back(now_us, &key).is_some() {
            return 0;
        }
        let (Answer::Records { data, .. } | Answer::Negative { data, .. } | Answer::Failure(data)) =
            answer;
        if ttl_s == 0 {
            // A fresh answer replaces what was known before even if it is not kept.
            if !failure {
                self.copies.remove(&key);
            }
            return 0;
        }
        let copy = Copy {
            data,
            failure,
            ttl_s,
            stored_us: now_us,
        };
        self.copies.insert(key, copy);
        ttl_s
    }

    /// Forgets a name.
    pub fn flush(&mut self, key: &K) -> bool {
        self.copies.remove(key).is_some()
    }

    /// Forgets everything.
    pub fn flush_all(&mut self) {
        self.copies.clear();
    }

    /// How many copies are held, ended ones included.
    pub fn len(&self) -> usize {
        self.copies.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.copies.is_empty()
    }
}

/// Whether an ended copy may still be given. A failure is never worth it.
fn keeps<T>(copy: &Copy<T>, left_s: i64, up_to_s: u32) -> bool {
    !copy.failure && left_s <= 0 && -left_s < i64::from(up_to_s)
}

/// The share of lookups that a cache answers by itself when they come as a Poisson stream: a cycle is one
/// miss, then a lifetime of hits. Negative inputs count as 0.
pub fn hit_ratio(rate_per_s: f64, ttl_s: f64) -> f64 {
    let hits = rate_per_s.max(0.0) * ttl_s.max(0.0);
    if hits.is_infinite() {
        1.0
    } else {
        hits / (1.0 + hits)
    }
}

/// Questions that it sends upstream a second.
pub fn upstream_rate(rate_per_s: f64, ttl_s: f64) -> f64 {
    rate_per_s.max(0.0) * (1.0 - hit_ratio(rate_per_s, ttl_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> u64 {
        seconds * SECOND_US
    }

    fn records(data: u32, ttl_s: u32) -> Answer<u32> {
        Answer::Records {
            data,
            ttls_s: vec![ttl_s, ttl_s + 9],
        }
    }

    fn cache(change: impl FnOnce(&mut Settings)) -> DnsCache<&'static str, u32> {
        let mut settings = Settings::default();
        change(&mut settings);
        DnsCache::new(settings)
    }

    #[test]
    fn a_copy_ends_exactly_at_its_end() {
        let mut cache = cache(|_| ());
        assert_eq!(cache.store(s(5), "a", records(1, 60)), 60);
        assert_eq!(cache.held(&"a").map(|held| held.ends_us()), Some(s(65)));
        let fresh = |ttl_s| Found::Fresh { data: &1, ttl_s };
        assert_eq!(cache.look(s(5), &"a"), fresh(60));
        assert_eq!(cache.look(s(15) + 1, &"a"), fresh(50));
        assert_eq!(cache.look(s(65) - 1, &"a"), fresh(1));
        assert_eq!(cache.look(s(65), &"a"), Found::Miss);
        assert_eq!(cache.store(s(70), "a", records(2, 0)), 0);
        assert_eq!(cache.look(s(70), &"a"), Found::Miss);
        assert_eq!(cache.look(0, &"b"), Found::Miss);
    }

    #[test]
    fn negative_answers_and_failures_have_their_own_times() {
        let mut cache = cache(|settings| settings.max_s = 10);
        let none = |soa| Answer::Negative { soa, data: 0 };
        assert_eq!(cache.store(0, "a", none(Some((1_800, 3_600)))), 1_800);
        assert_eq!(cache.store(0, "a", none(Some((90_000, 86_400)))), 10_800);
        assert_eq!(cache.store(0, "a", none(None)), 0);
        assert_eq!(cache.store(0, "a", Answer::Failure(7)), 5);
        cache.set(Settings {
            failure_s: 0,
            ..Settings::default()
        });
        assert_eq!(cache.store(0, "b", Answer::Failure(7)), 0);
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn a_stale_answer_is_not_renewed_by_being_given() {
        let stale = Stale::AtOnce {
            up_to_s: 3_600,
            ttl_s: 30,
        };
        let mut cache = cache(|settings| settings.stale = stale);
        cache.store(0, "a", records(1, 60));
        let given = Found::Stale {
            data: &1,
            ttl_s: 30,
        };
        assert_eq!(cache.look(s(60), &"a"), given);
        assert_eq!(cache.store(s(100), "a", Answer::Failure(9)), 0);
        assert_eq!(cache.look(s(3_659), &"a"), given);
        assert_eq!(cache.look(s(3_660), &"a"), Found::Miss);
        assert_eq!(cache.store(s(3_660), "a", Answer::Failure(9)), 5);
        assert_eq!(
            cache.fall_back(s(3_666), &"a"),
            None,
            "failures are not given stale"
        );
        cache.set(Settings {
            stale: Stale::Verify {
                up_to_s: 100,
                ttl_s: 45,
            },
            ..Settings::default()
        });
        cache.store(s(4_000), "a", records(3, 10));
        assert_eq!(cache.fall_back(s(4_009), &"a"), None, "it is fresh");
        assert_eq!(cache.look(s(4_010), &"a"), Found::Miss);
        assert_eq!(cache.fall_back(s(4_010), &"a"), Some((&3, 45)));
    }

    #[test]
    fn limits_and_extremes_hold() {
        assert_eq!(clamp_ttl(5, 300, 60), 60);
        assert_eq!(records_ttl(&[]), None);
        let mut cache = cache(|settings| {
            settings.min_s = 30;
            settings.max_s = u32::MAX;
            settings.keeps_ttl = true;
        });
        assert_eq!(cache.store(0, "a", records(1, 0)), 30);
        assert_eq!(
            cache.look(s(29), &"a"),
            Found::Fresh {
                data: &1,
                ttl_s: 30
            }
        );
        assert_eq!(cache.look(u64::MAX, &"a"), Found::Miss);
        assert_eq!(hit_ratio(f64::INFINITY, 1.0), 1.0);
        assert_eq!((hit_ratio(1.0, -1.0), upstream_rate(2.0, 0.0)), (0.0, 2.0));
    }
}
