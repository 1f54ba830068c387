//! Fencing: whatever a lock protects compares two numbers, and refuses who is late.
//!
//! A token grows with every lock that is given, and each write carries its writer's. What is written to remembers the highest
//! that it has seen, so it needs to know neither clocks nor who was paused: Kleppmann, "How to do distributed locking" (2016);
//! Chubby's *sequencers* (Burrows 2006) are the same.

/// Grows with every lock that is given; 0 where locks have none.
pub type Token = u64;

/// The highest token that was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fence {
    /// It.
    pub seen: Token,
}

impl Fence {
    // region: fence
    /// Looks at the token of a write, and tells whether none was higher before.
    pub fn admits(&mut self, token: Token) -> bool {
        let admits = token >= self.seen;
        self.seen = self.seen.max(token);
        admits
    }
    // endregion
}

/// One thing behind a lock, which either takes every write or looks at tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protected<T> {
    /// What stands in it.
    pub value: Option<T>,
    fence: Option<Fence>,
}

impl<T> Protected<T> {
    /// One that refuses tokens lower than it has seen.
    pub fn fenced() -> Protected<T> {
        Protected {
            value: None,
            fence: Some(Fence::default()),
        }
    }

    /// One that takes what comes.
    pub fn open() -> Protected<T> {
        Protected {
            value: None,
            fence: None,
        }
    }

    /// Writes, and tells whether it did.
    pub fn write(&mut self, token: Token, value: T) -> bool {
        let admits = self.fence.as_mut().is_none_or(|fence| fence.admits(token));
        if admits {
            self.value = Some(value);
        }
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kleppmann's figure: 33 is paused, 34 writes, 33 wakes.
    #[test]
    fn a_paused_holder_writes_late_unless_it_is_fenced() {
        for (mut file, last) in [
            (Protected::open(), "late"),
            (Protected::fenced(), "in time"),
        ] {
            assert!(file.write(34, "in time"));
            assert_eq!(file.write(33, "late"), last == "late");
            assert_eq!(file.value, Some(last));
            assert!(file.write(34, last));
        }
    }

    /// Fencing begins with the first higher token: what comes late but before it is taken.
    #[test]
    fn a_late_write_before_the_next_holders_first_is_taken() {
        let mut file = Protected::fenced();
        assert!(file.write(33, "late") && file.write(34, "next"));
        assert_eq!(file.value, Some("next"));
    }
}
