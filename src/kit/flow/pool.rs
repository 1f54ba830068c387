//! Workers that hold things, and the queue in front of them.

use super::slab::Key;
use engine::Time;
use std::collections::VecDeque;

/// What became of a thing that was offered to a [`Pool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// A worker has it.
    AtOnce,
    /// It waits; its place in the queue, from 1.
    Waits(usize),
    /// No worker and no place in the queue is free: the pool does not have it.
    Full,
}

/// A share of the last second, exactly: how much of its places was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Busy {
    /// Taken places times µs: of the last whole second, and of the running one.
    areas: [u64; 2],
    second: u64,
    since: Time,
}

/// What [`Busy`] looks back over.
const WINDOW: Time = Time::s(1);

impl Busy {
    /// Counts `taken` places from the last call until now.
    #[inline]
    pub fn count(&mut self, taken: usize, now: Time) {
        let second = now.0 / WINDOW.0;
        if second != self.second {
            // The part of this stretch that lies in seconds gone by.
            let begun = Time(second * WINDOW.0);
            let closed = if second == self.second + 1 {
                self.areas[1] + taken as u64 * begun.since(self.since).0
            } else {
                taken as u64 * WINDOW.0
            };
            self.areas = [closed, 0];
            self.second = second;
            self.since = begun;
        }
        self.areas[1] += taken as u64 * now.since(self.since).0;
        self.since = now;
    }

    /// The mean of taken places over the last second, if `taken` have been since the last count. What part of the second before
    /// the running one still counts is taken as even.
    pub fn mean(&self, taken: usize, at: Time) -> f64 {
        let mut then = *self;
        then.count(taken, at);
        let into = (at.0 % WINDOW.0) as f64 / WINDOW.0 as f64;
        (then.areas[0] as f64 * (1.0 - into) + then.areas[1] as f64) / WINDOW.0 as f64
    }
}

/// Workers and their queue. How many workers and places there are comes in with each call, because knobs turn.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// What workers hold, in no order.
    pub held: Vec<Key>,
    /// What waits, the next one first.
    pub queue: VecDeque<Key>,
    /// So many at the front of the queue are urgent: they go first, whatever else the rule is.
    urgent: usize,
    busy: Busy,
}

impl Pool {
    // region: offer
    /// Gives a thing to a free worker, or else a place in the queue.
    pub fn offer(&mut self, thing: Key, workers: usize, places: usize, now: Time) -> Offer {
        if self.held.len() < workers && self.queue.is_empty() {
            self.hold(thing, now);
            Offer::AtOnce
        } else if self.queue.len() < places {
            self.queue.push_back(thing);
            Offer::Waits(self.queue.len())
        } else {
            Offer::Full
        }
    }
    // endregion

    /// Gives an urgent thing to a free worker, or a place before all that is not urgent, of which there are always enough.
    /// Says whether a worker has it.
    pub fn offer_urgent(&mut self, thing: Key, workers: usize, now: Time) -> bool {
        let at_once = self.held.len() < workers && self.urgent == 0;
        if at_once {
            self.hold(thing, now);
        } else {
            self.queue.insert(self.urgent, thing);
            self.urgent += 1;
        }
        at_once
    }

    /// The thing that has waited longest, of those that are not urgent.
    #[inline]
    pub fn oldest(&self) -> Option<Key> {
        self.queue.get(self.urgent).copied()
    }

    /// A worker takes a thing, whether it waited or not.
    #[inline]
    pub fn hold(&mut self, thing: Key, now: Time) {
        self.busy.count(self.held.len(), now);
        self.held.push(thing);
    }

    /// A free worker takes the next thing that waits: the oldest, or the newest if so wished.
    #[inline]
    pub fn next(&mut self, workers: usize, newest_first: bool, now: Time) -> Option<Key> {
        if self.held.len() >= workers {
            return None;
        }
        let next = if newest_first && self.urgent == 0 {
            self.queue.pop_back()
        } else {
            self.urgent = self.urgent.saturating_sub(1);
            self.queue.pop_front()
        }?;
        self.hold(next, now);
        Some(next)
    }

    /// A worker lets go; false if none held it.
    #[inline]
    pub fn release(&mut self, thing: Key, now: Time) -> bool {
        let place = self.held.iter().position(|held| *held == thing);
        if let Some(place) = place {
            self.busy.count(self.held.len(), now);
            self.held.swap_remove(place);
        }
        place.is_some()
    }

    /// A thing leaves the queue from wherever it stands; false if it did not wait.
    pub fn leave(&mut self, thing: Key) -> bool {
        let place = self.queue.iter().position(|waits| *waits == thing);
        let Some(place) = place else { return false };
        self.urgent -= usize::from(place < self.urgent);
        self.queue.remove(place).is_some()
    }

    /// Everything goes: what waited, then what was held.
    pub fn drop_all(&mut self, now: Time) -> Vec<Key> {
        self.busy.count(self.held.len(), now);
        self.urgent = 0;
        self.queue.drain(..).chain(self.held.drain(..)).collect()
    }

    /// Whether it holds nothing and nothing waits.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.queue.is_empty()
    }

    /// The share of `workers` that was busy over the last second, 0 to 1.
    pub fn busy_lately(&self, workers: usize, at: Time) -> f64 {
        (self.busy.mean(self.held.len(), at) / workers.max(1) as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Slab;
    use super::*;

    #[test]
    fn a_worker_then_a_place_then_nothing() {
        let mut slab = Slab::default();
        let [a, b, c] = [0; 3].map(|_| slab.insert(()));
        let mut pool = Pool::default();
        let now = Time::ZERO;
        assert_eq!(pool.offer(a, 1, 1, now), Offer::AtOnce);
        assert_eq!(pool.offer(b, 1, 1, now), Offer::Waits(1));
        assert_eq!(pool.offer(c, 1, 1, now), Offer::Full);
        assert_eq!(pool.next(1, false, now), None);
        assert!(pool.release(a, now) && !pool.release(a, now));
        assert_eq!(pool.next(1, false, now), Some(b));
        assert_eq!(pool.drop_all(now), [b]);
        assert!(pool.is_empty());
    }

    #[test]
    fn the_newest_may_come_first_and_anyone_may_leave() {
        let mut slab = Slab::default();
        let keys = [0; 3].map(|_| slab.insert(()));
        let mut pool = Pool::default();
        for key in keys {
            pool.offer(key, 0, 9, Time::ZERO);
        }
        assert!(pool.leave(keys[2]) && !pool.leave(keys[2]));
        assert_eq!(pool.next(1, true, Time::ZERO), Some(keys[1]));
    }

    #[test]
    fn what_is_urgent_goes_first_in_its_own_order() {
        let mut slab = Slab::default();
        let [a, b, c, d] = [0; 4].map(|_| slab.insert(()));
        let mut pool = Pool::default();
        let now = Time::ZERO;
        assert!(pool.offer_urgent(a, 1, now));
        assert_eq!(pool.offer(b, 1, 9, now), Offer::Waits(1));
        assert!(!pool.offer_urgent(c, 1, now) && !pool.offer_urgent(d, 1, now));
        assert_eq!(pool.oldest(), Some(b));
        assert!(pool.leave(c) && pool.release(a, now));
        assert_eq!(pool.next(1, true, now), Some(d));
        pool.release(d, now);
        assert_eq!(pool.next(1, true, now), Some(b));
    }

    #[test]
    fn busy_lately_is_a_share_of_the_last_second() {
        let mut slab = Slab::default();
        let key = slab.insert(());
        let mut pool = Pool::default();
        pool.offer(key, 2, 0, Time::ms(500));
        let close = |pool: &Pool, ms, share: f64| {
            let lately = pool.busy_lately(2, Time::ms(ms));
            assert!((lately - share).abs() < 1e-9, "at {ms} ms: {lately}");
        };
        close(&pool, 500, 0.0);
        close(&pool, 1_000, 0.25);
        close(&pool, 2_000, 0.5);
        close(&pool, 90_000, 0.5);
        pool.release(key, Time::s(3));
        close(&pool, 3_500, 0.25);
        close(&pool, 5_000, 0.0);
    }
}
