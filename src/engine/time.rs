//! Simulated time: whole microseconds since the start of a run.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A moment or a span of simulated time, in whole microseconds.
///
/// Integers make the order of events exact and the same on every target. Sums saturate, so no
/// input can make time run backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Time(pub u64);

impl Time {
    /// The start of every run.
    pub const ZERO: Time = Time(0);
    /// Later than anything that happens.
    pub const NEVER: Time = Time(u64::MAX);

    /// A span of whole microseconds.
    pub const fn us(us: u64) -> Time {
        Time(us)
    }

    /// A span of whole milliseconds.
    pub const fn ms(ms: u64) -> Time {
        Time(ms * 1_000)
    }

    /// A span of whole seconds.
    pub const fn s(s: u64) -> Time {
        Time(s * 1_000_000)
    }

    /// A span of `s` seconds, rounded to the microsecond; negative, infinite or not-a-number spans become zero.
    pub fn from_s(s: f64) -> Time {
        let us = s * 1e6;
        if us.is_finite() && us > 0.0 {
            Time((us + 0.5) as u64)
        } else {
            Time::ZERO
        }
    }

    /// A span of `ms` milliseconds; see [`Time::from_s`] for what happens to odd values.
    pub fn from_ms(ms: f64) -> Time {
        Time::from_s(ms / 1e3)
    }

    /// In seconds.
    pub fn as_s(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// In milliseconds.
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// The span since `earlier`, or zero if that lies in the future.
    pub fn since(self, earlier: Time) -> Time {
        Time(self.0.saturating_sub(earlier.0))
    }

    /// How far `self` has come on the way from `from` to `to`, clamped to 0 to 1.
    pub fn progress(self, from: Time, to: Time) -> f32 {
        if to <= from {
            return 1.0;
        }
        (self.since(from).0 as f64 / to.since(from).0 as f64).clamp(0.0, 1.0) as f32
    }
}

/// A lesson that opens at less than this many seconds a second is in slow motion: its moments are told in milliseconds.
pub const SLOW_MOTION: f64 = 0.1;

impl Time {
    /// As the transport of a lesson shows it that opens at this speed: `00:12.48`, or in slow motion `182.5 ms`.
    pub fn at_speed(self, speed: f64) -> String {
        if speed >= SLOW_MOTION {
            return self.to_string();
        }
        // In whole numbers: what writes floating-point ones exactly is large, and no other page needs it at once. As many
        // digits as tell frames apart, and hardly longer than minutes and seconds are.
        let slow = speed < 0.01;
        match self.0 {
            10_000_000.. => self.decimals(1_000_000, 3, "s"),
            1_000_000.. if slow => self.decimals(1_000_000, 4, "s"),
            1_000_000.. => self.decimals(1_000, 0, "ms"),
            ..100_000 if slow => self.decimals(1_000, 2, "ms"),
            _ => self.decimals(1_000, 1, "ms"),
        }
    }

    /// In a unit of so many microseconds, with so many decimals.
    fn decimals(self, unit: u64, digits: u32, name: &str) -> String {
        let parts = 10_u64.pow(digits);
        let count = (self.0 * parts + unit / 2) / unit;
        match digits {
            0 => format!("{count} {name}"),
            _ => {
                let width = digits as usize;
                format!("{}.{:0width$} {name}", count / parts, count % parts)
            }
        }
    }
}

impl Add for Time {
    type Output = Time;
    fn add(self, after: Time) -> Time {
        Time(self.0.saturating_add(after.0))
    }
}

impl AddAssign for Time {
    fn add_assign(&mut self, after: Time) {
        *self = *self + after;
    }
}

impl Sub for Time {
    type Output = Time;
    fn sub(self, before: Time) -> Time {
        self.since(before)
    }
}

impl fmt::Display for Time {
    /// Minutes, seconds and hundredths, as the transport shows them: `00:12.48`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.0 / 10_000;
        write!(
            f,
            "{:02}:{:02}.{:02}",
            hundredths / 6_000,
            hundredths / 100 % 60,
            hundredths % 100
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_spans_become_zero() {
        for s in [f64::NAN, f64::NEG_INFINITY, f64::INFINITY, -1.0, -0.0] {
            assert_eq!(Time::from_s(s), Time::ZERO);
        }
        assert_eq!(Time::from_ms(1.5), Time(1_500));
    }

    #[test]
    fn sums_saturate_and_progress_is_clamped() {
        assert_eq!(Time::NEVER + Time::s(1), Time::NEVER);
        assert_eq!(Time::s(1) - Time::s(2), Time::ZERO);
        assert_eq!(Time::s(3).progress(Time::s(2), Time::s(4)), 0.5);
        assert_eq!(Time::s(9).progress(Time::s(2), Time::s(4)), 1.0);
        assert_eq!(Time::s(9).progress(Time::s(4), Time::s(4)), 1.0);
    }

    #[test]
    fn the_transport_shows_hundredths() {
        assert_eq!(Time::ms(12_480).to_string(), "00:12.48");
        assert_eq!(Time::s(3_599).to_string(), "59:59.00");
        assert_eq!(Time::ms(12_480).at_speed(0.25), "00:12.48");
        assert_eq!(Time::us(182_460).at_speed(0.05), "182.5 ms");
        assert_eq!(Time::us(8_041_334).at_speed(0.05), "8041 ms");
        assert_eq!(Time::ms(12_345).at_speed(0.05), "12.345 s");
        assert_eq!(Time::us(8_041_334).at_speed(0.002), "8.0413 s");
        assert_eq!(Time::us(12_046).at_speed(0.002), "12.05 ms");
        assert_eq!(Time::us(999_970).at_speed(0.002), "1000.0 ms");
    }
}
