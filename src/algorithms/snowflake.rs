//! Snowflake: numbers that no two machines give out twice, without asking anybody.
//!
//! 41 bits of milliseconds since an epoch, 10 bits for the machine, 12 bits that count within a millisecond. Source: Twitter's Snowflake
//! (2010) and github.com/bwmarrin/snowflake. What keeps it right is that a machine's clock never gives a millisecond twice: where the clock
//! goes back, it waits until it is where it was (Twitter's refused instead).

/// Twitter's epoch, 4 November 2010, ms since 1970.
pub const TWITTER_EPOCH_MS: u64 = 1_288_834_974_657;
const NODE_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 12;
const SEQUENCE_MAX: u16 = (1 << SEQUENCE_BITS) - 1;
const NODE_MAX: u16 = (1 << NODE_BITS) - 1;
const TIME_MAX: u64 = (1 << 41) - 1;

/// What a number is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Milliseconds since 1970.
    pub time_ms: u64,
    /// The machine, 0 to 1,023.
    pub node: u16,
    /// Which one of this millisecond, 0 to 4,095.
    pub sequence: u16,
}

impl Parts {
    /// The number; times before the epoch count as the epoch, and what does not fit its bits is cut.
    pub fn number(self, epoch_ms: u64) -> u64 {
        let time = self.time_ms.saturating_sub(epoch_ms) & TIME_MAX;
        let node = u64::from(self.node & NODE_MAX);
        (time << (NODE_BITS + SEQUENCE_BITS))
            | (node << SEQUENCE_BITS)
            | u64::from(self.sequence & SEQUENCE_MAX)
    }

    /// The parts of a number.
    pub fn of(number: u64, epoch_ms: u64) -> Parts {
        Parts {
            time_ms: (number >> (NODE_BITS + SEQUENCE_BITS)) + epoch_ms,
            node: (number >> SEQUENCE_BITS) as u16 & NODE_MAX,
            sequence: number as u16 & SEQUENCE_MAX,
        }
    }
}

/// One machine that gives out numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snowflake {
    epoch_ms: u64,
    node: u16,
    /// The last number given out.
    last: Option<Parts>,
}

impl Snowflake {
    /// A machine that has given out none.
    pub fn new(epoch_ms: u64, node: u16) -> Snowflake {
        Snowflake {
            epoch_ms,
            node,
            last: None,
        }
    }

    // region: next
    /// The next number, by the machine's clock.
    ///
    /// # Errors
    /// The millisecond to wait for: the clock went back, or this millisecond's 4,096 numbers are given out.
    pub fn next(&mut self, now_ms: u64) -> Result<u64, u64> {
        let sequence = match self.last {
            Some(last) if now_ms < last.time_ms => return Err(last.time_ms),
            Some(last) if now_ms == last.time_ms => match last.sequence {
                SEQUENCE_MAX => return Err(now_ms + 1),
                sequence => sequence + 1,
            },
            _ => 0,
        };
        let parts = Parts {
            time_ms: now_ms,
            node: self.node,
            sequence,
        };
        self.last = Some(parts);
        Ok(parts.number(self.epoch_ms))
    }
    // endregion
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn a_clock_that_goes_back_is_waited_for() {
        let mut machine = Snowflake::new(TWITTER_EPOCH_MS, 3);
        let first = machine.next(NOW).unwrap();
        assert_eq!(machine.next(NOW - 5_000), Err(NOW));
        assert_eq!(machine.next(NOW - 1), Err(NOW));
        // Where it is where it was, it counts on.
        assert_eq!(machine.next(NOW), Ok(first + 1));
    }

    #[test]
    fn the_4097th_of_a_millisecond_waits_for_the_next() {
        let mut machine = Snowflake::new(TWITTER_EPOCH_MS, 3);
        for _ in 0..4_096 {
            assert!(machine.next(NOW).is_ok());
        }
        assert_eq!(machine.next(NOW), Err(NOW + 1));
        assert_eq!(machine.next(NOW), Err(NOW + 1), "asking does not help");
        let next = machine.next(NOW + 1).unwrap();
        assert_eq!(Parts::of(next, TWITTER_EPOCH_MS).sequence, 0);
    }

    /// Machines whose clocks jump at random: nobody gives out a number twice, and each one's numbers rise.
    #[test]
    fn no_number_twice_whatever_clocks_do() {
        let mut given = std::collections::BTreeSet::new();
        let mut machines = [0, 1, 2].map(|node| Snowflake::new(TWITTER_EPOCH_MS, node));
        let (mut last, mut seed) = ([0; 3], 1);
        let mut clocks = [NOW; 3];
        for _ in 0..30_000 {
            seed = crate::hash::mix64(seed);
            let i = (seed % 3) as usize;
            clocks[i] = match seed >> 32 & 63 {
                0 => clocks[i] - (seed >> 40) % 50,
                1..17 => clocks[i] + (seed >> 40) % 20,
                _ => clocks[i],
            };
            if let Ok(number) = machines[i].next(clocks[i]) {
                assert!(given.insert(number) && number > last[i]);
                last[i] = number;
            }
        }
        assert!(given.len() > 10_000);
    }
}
