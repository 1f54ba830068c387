//! The output buffer of one subscriber of a push channel, and what is done when the subscriber reads slower than is written.
//!
//! Sources: Redis, `client-output-buffer-limit` (redis.conf) and `checkClientOutputBufferLimits` (networking.c): a client
//! is cut off once its buffer reaches the hard limit, or once it has been at the soft limit or above for some seconds
//! without a break, and the buffer goes with it. NATS, "slow consumers": a client's pending limit drops what comes last.
//! Conflation, the latest of each key, is what market-data feeds do. Times are microseconds; the buffer has no clock.

use std::collections::VecDeque;

/// When a buffer counts as too long. Lengths are items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A buffer that reaches this length is full; at least 1.
    pub hard: usize,
    /// A buffer of this length or more may stay so for [`Limits::soft_for_us`].
    pub soft: usize,
    /// How long a buffer may stay at the soft limit, µs.
    pub soft_for_us: u64,
}

/// What happens when a buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The subscriber is cut off and everything that waits for it is dropped; the soft limit counts, too.
    CutOff,
    /// What comes is dropped.
    DropNewest,
    /// What has waited longest is dropped.
    DropOldest,
    /// A newer item takes the place of one with the same key, full or not; of keys there are fewer than places.
    KeepLatest,
    /// The publisher must wait: what comes is handed back.
    Wait,
}

/// What became of an item that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed<T> {
    /// It waits.
    Kept,
    /// It waits in the place of an older one, which is given out.
    Replaced(T),
    /// It waits, and the oldest is given out for it.
    Displaced(T),
    /// It does not fit and is given back.
    Refused(T),
    /// It was one too many: all that waited is given out, the new one last, and the subscriber is to be disconnected.
    Cut(Vec<T>),
}

/// What waits for one subscriber, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputBuffer<T> {
    items: VecDeque<(u32, T)>,
    /// Since when it has been at the soft limit or above, µs.
    over_since_us: Option<u64>,
}

impl<T> Default for OutputBuffer<T> {
    fn default() -> Self {
        OutputBuffer {
            items: VecDeque::new(),
            over_since_us: None,
        }
    }
}

impl<T> OutputBuffer<T> {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What waits, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().map(|(_, item)| item)
    }

    /// Since when it has been at the soft limit or above without a break, µs.
    pub fn over_since_us(&self) -> Option<u64> {
        self.over_since_us
    }

    /// Takes in an item of a key at `now_us`.
    // region: push
    pub fn push(
        &mut self,
        now_us: u64,
        key: u32,
        item: T,
        rule: WhenFull,
        limits: Limits,
    ) -> Pushed<T> {
        let full = self.items.len() >= limits.hard.max(1);
        let pushed = match rule {
            WhenFull::KeepLatest => {
                if let Some((_, older)) = self.items.iter_mut().find(|(other, _)| *other == key) {
                    return Pushed::Replaced(std::mem::replace(older, item));
                }
                Pushed::Kept
            }
            WhenFull::DropNewest | WhenFull::Wait if full => return Pushed::Refused(item),
            WhenFull::DropOldest if full => match self.items.pop_front() {
                Some((_, oldest)) => Pushed::Displaced(oldest),
                None => Pushed::Kept,
            },
            _ => Pushed::Kept,
        };
        self.items.push_back((key, item));
        self.clock(now_us, limits);
        if rule == WhenFull::CutOff && self.is_too_long(now_us, limits) {
            return Pushed::Cut(self.cut());
        }
        pushed
    }

    /// Whether its subscriber is to be cut off at `now_us`, if that is the rule.
    pub fn is_too_long(&self, now_us: u64, limits: Limits) -> bool {
        let over = self.over_since_us;
        self.items.len() >= limits.hard.max(1)
            || over.is_some_and(|since| now_us.saturating_sub(since) >= limits.soft_for_us)
    }
    // endregion

    /// The stopwatch of the soft limit: it starts at the limit and stops as soon as the buffer is below it.
    fn clock(&mut self, now_us: u64, limits: Limits) {
        self.over_since_us = match self.over_since_us {
            _ if self.items.len() < limits.soft.max(1) => None,
            Some(since) => Some(since),
            None => Some(now_us),
        };
    }

    /// When a subscriber is cut off if nothing changes, µs; none while its buffer is below the soft limit.
    pub fn cut_due_us(&self, limits: Limits) -> Option<u64> {
        Some(self.over_since_us?.saturating_add(limits.soft_for_us))
    }

    /// The limits have changed.
    pub fn turned(&mut self, now_us: u64, limits: Limits) {
        self.clock(now_us, limits);
    }

    /// Gives out what has waited longest.
    pub fn pop(&mut self, now_us: u64, limits: Limits) -> Option<T> {
        let (_, item) = self.items.pop_front()?;
        self.clock(now_us, limits);
        Some(item)
    }

    /// Gives out everything, and forgets how long it was: a buffer that is cut counts from nothing
    /// (redis/redis#3893 kept the old fill level).
    pub fn cut(&mut self) -> Vec<T> {
        self.over_since_us = None;
        self.items.drain(..).map(|(_, item)| item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000;
    const LIMITS: Limits = Limits {
        hard: 8,
        soft: 4,
        soft_for_us: 6 * S,
    };

    fn push(buffer: &mut OutputBuffer<u32>, now_us: u64, item: u32, rule: WhenFull) -> Pushed<u32> {
        buffer.push(now_us, item % 3, item, rule, LIMITS)
    }

    #[test]
    fn the_hard_limit_cuts_at_once_and_everything_is_gone() {
        let mut buffer = OutputBuffer::default();
        for item in 1..8 {
            assert_eq!(push(&mut buffer, 0, item, WhenFull::CutOff), Pushed::Kept);
        }
        let cut = push(&mut buffer, 0, 8, WhenFull::CutOff);
        assert_eq!(cut, Pushed::Cut((1..=8).collect()));
        assert!(buffer.is_empty());
        // The old fill level is not counted again.
        assert_eq!(buffer.over_since_us(), None);
        assert_eq!(push(&mut buffer, 1, 9, WhenFull::CutOff), Pushed::Kept);
    }

    #[test]
    fn the_soft_limit_cuts_only_what_stays_there_without_a_break() {
        let mut buffer = OutputBuffer::default();
        for item in 0..4 {
            push(&mut buffer, S, item, WhenFull::CutOff);
        }
        assert_eq!(buffer.cut_due_us(LIMITS), Some(7 * S));
        assert!(!buffer.is_too_long(7 * S - 1, LIMITS));
        assert!(buffer.is_too_long(7 * S, LIMITS));
        // One instant below it, and the stopwatch starts anew.
        assert_eq!(buffer.pop(6 * S, LIMITS), Some(0));
        assert_eq!(buffer.cut_due_us(LIMITS), None);
        push(&mut buffer, 6 * S, 9, WhenFull::CutOff);
        assert_eq!(buffer.cut_due_us(LIMITS), Some(12 * S));
        assert!(matches!(
            push(&mut buffer, 12 * S, 10, WhenFull::CutOff),
            Pushed::Cut(all) if all == [1, 2, 3, 9, 10]
        ));
    }

    #[test]
    fn each_rule_gives_up_another_one() {
        let full = |rule| {
            let mut buffer = OutputBuffer::default();
            for item in 0..8 {
                push(&mut buffer, 0, item, rule);
            }
            buffer
        };
        let mut newest = full(WhenFull::DropNewest);
        assert_eq!(
            push(&mut newest, 0, 8, WhenFull::DropNewest),
            Pushed::Refused(8)
        );
        let mut oldest = full(WhenFull::DropOldest);
        assert_eq!(
            push(&mut oldest, 0, 8, WhenFull::DropOldest),
            Pushed::Displaced(0)
        );
        assert_eq!(
            oldest.iter().copied().collect::<Vec<_>>(),
            [1, 2, 3, 4, 5, 6, 7, 8]
        );
        let mut waits = full(WhenFull::Wait);
        assert_eq!(push(&mut waits, 0, 8, WhenFull::Wait), Pushed::Refused(8));
        assert_eq!(waits.len(), 8);
    }

    #[test]
    fn the_latest_of_each_key_stands_where_the_older_one_stood() {
        let mut buffer = OutputBuffer::default();
        for item in 0..3 {
            push(&mut buffer, 0, item, WhenFull::KeepLatest);
        }
        for item in 3..9 {
            let older = push(&mut buffer, 0, item, WhenFull::KeepLatest);
            assert_eq!(older, Pushed::Replaced(item - 3));
        }
        assert_eq!(buffer.iter().copied().collect::<Vec<_>>(), [6, 7, 8]);
    }

    /// From empty at `r` in and `m` out a second, as the closed form says: soft / (r − m), and the soft limit's time.
    #[test]
    fn the_first_cut_comes_when_arithmetic_says_so() {
        let limits = Limits {
            hard: 64,
            soft: 16,
            soft_for_us: 6 * S,
        };
        let mut buffer = OutputBuffer::default();
        let (mut next_in, mut next_out) = (0, S / 8);
        let cut_us = loop {
            if next_out < next_in {
                buffer.pop(next_out, limits);
                next_out += S / 8;
                continue;
            }
            if let Pushed::Cut(lost) = buffer.push(next_in, 0, (), WhenFull::CutOff, limits) {
                // What was over the soft limit, and what came more than went since.
                assert!((27..=30).contains(&lost.len()), "{}", lost.len());
                break next_in;
            }
            next_in += S / 10;
        };
        assert!(cut_us.abs_diff(14 * S) <= S, "{cut_us}");
    }
}
