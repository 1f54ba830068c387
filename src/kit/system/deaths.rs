//! What died at a part lately: counted by reason, told by the second.

use super::frame::Reason;
use engine::Time;

/// Deaths are told for so long, and their number rests as long.
const SECOND: Time = Time::s(1);

/// Deaths at one member or on one way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deaths {
    /// By reason: since this second began, and in the one before.
    counts: [[u16; Reason::ALL.len()]; 2],
    began: Time,
    last: Time,
}

impl Deaths {
    pub(super) fn add(&mut self, reason: Reason, now: Time) {
        if now.since(self.last) >= SECOND {
            *self = Deaths {
                began: now,
                ..Deaths::default()
            };
        } else if now.since(self.began) >= SECOND {
            (self.counts, self.began) = ([Default::default(), self.counts[0]], now);
        }
        let count = &mut self.counts[0][reason as usize];
        *count = count.saturating_add(1);
        self.last = now;
    }

    /// The reason that most died of, and how many did: in the last whole second, so that the number rests; in the first one, until now.
    pub(super) fn told(&self, at: Time) -> Option<(Reason, u32)> {
        if at.since(self.last) >= SECOND {
            return None;
        }
        let most = |second: &[u16; Reason::ALL.len()]| {
            let all = Reason::ALL.into_iter().zip(second);
            let (reason, count) = all.rev().max_by_key(|(_, count)| **count)?;
            (*count > 0).then_some((reason, u32::from(*count)))
        };
        most(&self.counts[1]).or_else(|| most(&self.counts[0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deaths_are_told_by_the_second_and_by_what_most_died_of() {
        let mut deaths = Deaths::default();
        assert_eq!(deaths.told(Time::ZERO), None);
        // In turns, twice as often of one thing as of the other.
        for nth in 0..250_u64 {
            let reason = match nth % 3 {
                0 => Reason::Full,
                _ => Reason::TimedOut,
            };
            let now = Time::ms(1_000 + 10 * nth);
            deaths.add(reason, now);
            let (told, count) = deaths.told(now).unwrap();
            match nth {
                0 => assert_eq!((told, count), (Reason::Full, 1)),
                // In the first second the number grows, then it rests.
                4..100 => assert_eq!((told, u64::from(count)), (Reason::TimedOut, nth - nth / 3)),
                100..200 => assert_eq!((told, count), (Reason::TimedOut, 66)),
                200.. => assert_eq!((told, count), (Reason::TimedOut, 67)),
                _ => {}
            }
        }
        let last = Time::ms(1_000 + 2_490);
        assert!(deaths.told(last + Time::ms(999)).is_some());
        assert_eq!(deaths.told(last + SECOND), None);
    }
}
