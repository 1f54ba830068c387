//! Speeds: simulated seconds a second, those that a lesson offers and how they are written.

use crate::text::{fixed, trim_number};

/// Offered to every lesson but the slowest; the speeds of a lesson that counts in microseconds are times its own.
const OFFERED: [f64; 4] = [0.1, 0.25, 1.0, 4.0];
const SLOWEST: f64 = 0.001;

/// The speeds that a lesson offers which opens at `own`, the slowest first. Its own is among them.
pub fn offered(own: f64) -> Vec<f64> {
    let offered = match own < SLOWEST {
        // Faster than this nobody sees a step any more.
        true => vec![own / 5.0, own * 4.0, own * 20.0],
        false => OFFERED.to_vec(),
    };
    let mut speeds = offered.clone();
    if !offered.contains(&own) {
        let place = offered.iter().take_while(|speed| **speed < own).count();
        speeds.insert(place, own);
    }
    speeds
}

/// A speed as it is shown: `0.25×`, slow motion in as many digits as it takes.
pub fn factor(speed: f64) -> String {
    let number = match speed {
        speed if speed < SLOWEST => fixed(speed, 5),
        speed if speed < 0.01 => fixed(speed, 3),
        speed => trim_number(speed),
    };
    number + "×"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_speed_is_offered_in_its_place() {
        assert_eq!(offered(1.0), [0.1, 0.25, 1.0, 4.0]);
        assert_eq!(offered(0.5), [0.1, 0.25, 0.5, 1.0, 4.0]);
        assert_eq!(offered(0.02), [0.02, 0.1, 0.25, 1.0, 4.0]);
        assert_eq!(offered(0.0005), [0.0001, 0.0005, 0.002, 0.01]);
    }

    #[test]
    fn slow_motion_is_written_in_as_many_digits_as_it_takes() {
        let written: Vec<_> = [0.0005, 0.005, 0.25, 4.0].map(factor).to_vec();
        assert_eq!(written, ["0.00050×", "0.005×", "0.25×", "4×"]);
    }
}
