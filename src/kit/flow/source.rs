//! Where things come from, and how far they have come.

use engine::Time;
use engine::random::exponential;
use rand::Rng;

/// A way along one link that is being gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg<P> {
    /// The link.
    pub on: P,
    /// When it was entered.
    pub from: Time,
    /// When its end is reached.
    pub to: Time,
    /// Against the link's own direction.
    pub back: bool,
}

impl<P: Copy> Leg<P> {
    /// Sets out now.
    pub fn new(on: P, now: Time, span: Time, back: bool) -> Leg<P> {
        Leg {
            on,
            from: now,
            to: now + span,
            back,
        }
    }

    /// How far along the link it is, from 0 at the link's beginning to 1 at its end, whichever way it goes.
    pub fn share(&self, at: Time) -> f32 {
        let gone = at.progress(self.from, self.to);
        if self.back { 1.0 - gone } else { gone }
    }

    /// Whether the end is reached.
    pub fn is_over(&self, at: Time) -> bool {
        at >= self.to
    }
}

/// Arrivals at a rate that can change while the next one is due.
///
/// Each turn of the rate gives it another number, so that an arrival that was due at the old rate is known to be stale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Source {
    /// Which event is the valid one.
    turn: u32,
    /// When the next is due, at the rate that holds.
    due: Time,
    /// Per second; 0 for none.
    per_s: f64,
}

impl Source {
    /// A random gap of this rate (Poisson arrivals); [`Time::NEVER`] for a rate of 0.
    pub fn poisson(per_s: f64, rng: &mut impl Rng) -> Time {
        if per_s > 0.0 {
            exponential(rng, Time::from_s(1.0 / per_s))
        } else {
            Time::NEVER
        }
    }

    /// The next arrival comes after `gap`, drawn at `per_s`; returns the number that its event must carry.
    pub fn next(&mut self, per_s: f64, gap: Time, now: Time) -> u32 {
        self.per_s = per_s;
        self.due = now + gap;
        self.turn = self.turn.wrapping_add(1);
        self.turn
    }

    /// Whether an event of this number is the one that is due.
    pub fn is_due(&self, turn: u32) -> bool {
        self.turn == turn
    }

    /// The rate has changed: what was left of the gap is stretched to the new one, which for random arrivals is the same as
    /// drawing anew but draws nothing, so that twins stay together. Returns the span and the number of the new event; none if
    /// nothing changes or the rate is 0.
    pub fn turn(&mut self, per_s: f64, now: Time) -> Option<(Time, u32)> {
        if per_s == self.per_s {
            return None;
        }
        let left = self.due.since(now);
        let old = std::mem::replace(&mut self.per_s, per_s);
        self.turn = self.turn.wrapping_add(1);
        if per_s <= 0.0 || old <= 0.0 {
            self.due = if per_s <= 0.0 { Time::NEVER } else { now };
            return (per_s > 0.0).then_some((Time::ZERO, self.turn));
        }
        let left = Time((left.0 as f64 * old / per_s) as u64);
        self.due = now + left;
        Some((left, self.turn))
    }

    /// Arrivals of the last `reach`, oldest first, as if the source had run before the model began: `gap` draws, `born` takes
    /// how long ago one left. Returns what is left of the gap to the next. A model with a warm-up does not need it.
    pub fn before(reach: Time, mut gap: impl FnMut() -> Time, mut born: impl FnMut(Time)) -> Time {
        let mut ago = reach;
        loop {
            let next = gap();
            if next >= ago {
                return next - ago;
            }
            ago = ago - next;
            born(ago);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_is_gone_both_ways() {
        let leg = Leg::new('a', Time::s(1), Time::s(4), false);
        assert_eq!(leg.share(Time::s(2)), 0.25);
        let back = Leg { back: true, ..leg };
        assert_eq!(back.share(Time::s(2)), 0.75);
        assert!(!leg.is_over(Time::ms(4_999)) && leg.is_over(Time::s(5)));
    }

    #[test]
    fn a_turned_rate_stretches_what_is_left() {
        let mut source = Source::default();
        let first = source.next(10.0, Time::ms(100), Time::ZERO);
        assert_eq!(source.turn(10.0, Time::ms(50)), None);
        let (left, second) = source.turn(20.0, Time::ms(50)).unwrap();
        assert_eq!(left, Time::ms(25));
        assert!(!source.is_due(first) && source.is_due(second));
        assert_eq!(source.turn(0.0, Time::ms(60)), None);
        assert!(!source.is_due(second));
        assert!(source.turn(5.0, Time::ms(70)).is_some());
    }

    #[test]
    fn links_are_full_at_time_zero() {
        let mut born = Vec::new();
        let left = Source::before(Time::ms(250), || Time::ms(100), |ago| born.push(ago));
        assert_eq!(born, [Time::ms(150), Time::ms(50)]);
        assert_eq!(left, Time::ms(50));
    }
}
