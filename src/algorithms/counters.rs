//! Numbers that are counted: one counter with a copy, several that take turns, and ranges that are handed out.
//!
//! Sources: Redis replication (asynchronous: a copy that takes over may not have the last increments, redis/redis#4819); Flickr, "Ticket
//! Servers: Distributed Unique Primary Keys on the Cheap" (2010) and MySQL's `auto_increment_increment` and `_offset`; token services that
//! hand out ranges with `UPDATE … SET next = next + size` in a transaction.

use std::collections::VecDeque;

/// One counter, and a copy that hears of each increment a while later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicatedCounter {
    next: u64,
    /// What the copy knows.
    heard: u64,
    /// When each increment was made that the copy may not know, µs, and the next number after it.
    on_the_way: VecDeque<(u64, u64)>,
}

impl ReplicatedCounter {
    // region: increment
    /// Gives out the next number; the answer does not wait for the copy.
    pub fn increment(&mut self, now_us: u64, lag_us: u64) -> u64 {
        self.arrive(now_us, lag_us);
        let number = self.next;
        self.next += 1;
        self.on_the_way.push_back((now_us, self.next));
        number
    }

    /// The counter is gone and the copy takes over, with what it has heard. Says how many numbers it will give out again.
    pub fn fail_over(&mut self, now_us: u64, lag_us: u64) -> u64 {
        self.arrive(now_us, lag_us);
        self.on_the_way.clear();
        let forgotten = self.next - self.heard;
        self.next = self.heard;
        forgotten
    }
    // endregion

    fn arrive(&mut self, now_us: u64, lag_us: u64) {
        while let Some((made, next)) = self.on_the_way.front()
            && made + lag_us <= now_us
        {
            self.heard = *next;
            self.on_the_way.pop_front();
        }
    }

    /// The number that comes next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The number that the copy would give out next.
    pub fn heard(&self, now_us: u64, lag_us: u64) -> u64 {
        let arrived = |(made, _): &&(u64, u64)| made + lag_us <= now_us;
        let last = self.on_the_way.iter().take_while(arrived).last();
        last.map_or(self.heard, |(_, next)| *next)
    }
}

/// One of several counters that take turns: it gives out every `stride`-th number from its offset on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stride {
    next: u64,
    stride: u64,
}

impl Stride {
    /// A counter that begins at its offset; `stride` is at least 1.
    pub fn new(offset: u64, stride: u64) -> Stride {
        Stride {
            next: offset,
            stride: stride.max(1),
        }
    }

    /// Gives out its next number.
    pub fn take(&mut self) -> u64 {
        let number = self.next;
        self.next += self.stride;
        number
    }

    /// The number that comes next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// There are more counters now: it goes on with the first number of its new series that is not below the next of its old one. That
    /// keeps one counter from repeating itself. It does not keep a counter that begins at its offset from repeating others.
    pub fn turn(&mut self, offset: u64, stride: u64) {
        self.stride = stride.max(1);
        let behind = self.next.saturating_sub(offset);
        self.next = offset + behind.div_ceil(self.stride) * self.stride;
    }
}

/// Numbers from `next` to `end`, of which the last is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The first that is not used.
    pub next: u64,
    /// The first beyond.
    pub end: u64,
}

impl Range {
    /// Uses up one.
    pub fn take(&mut self) -> Option<u64> {
        let number = self.next;
        (number < self.end).then(|| {
            self.next += 1;
            number
        })
    }

    /// How many are left.
    pub fn left(&self) -> u64 {
        self.end - self.next
    }
}

/// Hands out ranges: one row in a table, which is moved on in a transaction before the answer goes out. An answer that is lost wastes its
/// range and doubles none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenService {
    next: u64,
}

impl TokenService {
    // region: hand-out
    /// Commits `next = next + size`, then answers with what lies between.
    pub fn hand_out(&mut self, size: u64) -> Range {
        let next = self.next;
        self.next += size;
        Range {
            next,
            end: self.next,
        }
    }
    // endregion

    /// Where the next range begins; as many numbers have been handed out.
    pub fn next(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_copy_repeats_exactly_what_it_has_not_heard_of() {
        let mut counter = ReplicatedCounter::default();
        for ms in 0..10 {
            assert_eq!(counter.increment(100_000 * ms, 300_000), ms);
        }
        // At 0.95 s the copy has heard of what was made up to 0.65 s: 0 to 6.
        assert_eq!(counter.heard(950_000, 300_000), 7);
        assert_eq!(counter.fail_over(950_000, 300_000), 3);
        assert_eq!(counter.increment(960_000, 300_000), 7);
        let mut at_once = ReplicatedCounter::default();
        for us in 0..10 {
            at_once.increment(us, 0);
        }
        assert_eq!(
            at_once.fail_over(9, 0),
            0,
            "a copy without lag forgets nothing"
        );
    }

    #[test]
    fn odd_and_even_never_meet_and_a_third_from_the_start_does() {
        let mut counters = [Stride::new(1, 2), Stride::new(2, 2)];
        let mut given = BTreeSet::new();
        for turn in 0..100 {
            assert!(given.insert(counters[turn % 2].take()));
        }
        for (i, counter) in counters.iter_mut().enumerate() {
            let before = counter.next();
            counter.turn(i as u64 + 1, 3);
            assert!(counter.next() >= before && counter.next() % 3 == i as u64 + 1);
        }
        for turn in 0..100 {
            assert!(given.insert(counters[turn % 2].take()), "those go on");
        }
        assert!(
            !given.insert(Stride::new(3, 3).take()),
            "3 was given long ago"
        );
    }

    /// Servers take ranges, use some of them, and crash at random, also while an answer is on its way.
    #[test]
    fn whatever_crashes_no_number_is_used_twice_and_all_are_accounted_for() {
        for seed in 1..=200_u64 {
            let (mut dice, mut service) = (seed, TokenService::default());
            let mut servers = [Range::default(); 3];
            let (mut used, mut wasted) = (BTreeSet::new(), 0);
            for _ in 0..300 {
                dice = crate::hash::mix64(dice);
                let (server, size) = (&mut servers[(dice % 3) as usize], 1 + (dice >> 16) % 20);
                match dice >> 32 & 15 {
                    0 => wasted += std::mem::take(server).left(),
                    1 => wasted += service.hand_out(size).left(),
                    _ => {
                        if server.left() == 0 {
                            *server = service.hand_out(size);
                        }
                        assert!(used.insert(server.take().unwrap()));
                    }
                }
                let left: u64 = servers.iter().map(Range::left).sum();
                assert_eq!(service.next(), used.len() as u64 + left + wasted);
            }
        }
    }
}
