//! Short codes for long links: cut from a hash, with what theory says of collisions, and the table that decides who has a code.
//!
//! Sources: MD5, RFC 1321; the birthday bound, Knuth, The Art of Computer Programming 3, § 6.4. Links count as different texts.

use crate::base62::codes;
use crate::hash::md5;
use std::collections::BTreeMap;

// region: cut
/// The first `length` digits (1 to 16) of a link's MD5 in hexadecimal, as a number below 16^length.
pub fn hex_digits(link: &str, length: u32) -> u64 {
    let digest = u128::from_be_bytes(md5(link.as_bytes()));
    (digest >> (128 - 4 * length)) as u64
}

/// A link's MD5 as one number, modulo 62^length (1 to 10): all of the alphabet is used.
pub fn modulo_62(link: &str, length: u32) -> u64 {
    let digest = u128::from_be_bytes(md5(link.as_bytes()));
    (digest % u128::from(codes(62, length))) as u64
}
// endregion

/// What is hashed at the `attempt`-th attempt, from 0: the link, then the link with `#1`, `#2`, … behind it.
pub fn attempt(link: &str, attempt: u32) -> String {
    match attempt {
        0 => link.to_owned(),
        _ => format!("{link}#{attempt}"),
    }
}

/// After how many random codes, on average, two are the same: √(πN/2).
pub fn first_collision(codes: f64) -> f64 {
    libm::sqrt(std::f64::consts::FRAC_PI_2 * codes)
}

/// How many pairs of `n` random codes are the same, on average: n(n − 1)/2N.
pub fn pairs(n: f64, codes: f64) -> f64 {
    n * (n - 1.0) / (2.0 * codes)
}

/// The chance that any two of `n` random codes are the same: 1 − e^(−n(n − 1)/2N), good for n well below N.
pub fn chance(n: f64, codes: f64) -> f64 {
    -libm::expm1(-pairs(n, codes))
}

/// What is done when a code is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insert {
    /// Whatever stood under the code is gone.
    Overwrite,
    /// Refused if another link stands under the code: a unique key.
    Unique,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written<L> {
    /// The code was free.
    New,
    /// The same link stood there.
    Same,
    /// This one stood there, and is gone.
    Over(L),
    /// This one stands there, and stays.
    Refused(L),
}

/// Links by code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table<L> {
    rows: BTreeMap<u64, L>,
}

impl<L: Copy + PartialEq> Table<L> {
    /// An empty one.
    pub fn new() -> Table<L> {
        Table {
            rows: BTreeMap::new(),
        }
    }

    // region: write
    /// Writes a link under a code. Looking and writing are one step here: nobody comes between.
    pub fn write(&mut self, code: u64, link: L, rule: Insert) -> Written<L> {
        match self.rows.get(&code).copied() {
            Some(there) if there == link => Written::Same,
            Some(there) if rule == Insert::Unique => Written::Refused(there),
            there => {
                self.rows.insert(code, link);
                there.map_or(Written::New, Written::Over)
            }
        }
    }
    // endregion

    /// Writes a link under the first of its codes that is free or has it already, with a unique key. Gives the code and how many were
    /// refused; none if all `codes` were.
    pub fn write_first(&mut self, codes: impl Iterator<Item = u64>, link: L) -> Option<(u64, u32)> {
        for (refused, code) in (0..).zip(codes) {
            if !matches!(self.write(code, link, Insert::Unique), Written::Refused(_)) {
                return Some((code, refused));
            }
        }
        None
    }

    /// What stands under a code.
    pub fn get(&self, code: u64) -> Option<L> {
        self.rows.get(&code).copied()
    }

    /// Takes out what stands under a code.
    pub fn remove(&mut self, code: u64) -> Option<L> {
        self.rows.remove(&code)
    }

    /// How many codes are taken.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none is taken.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(code: impl Fn(&str) -> u64) -> (usize, usize) {
        let mut table = Table::new();
        (0..)
            .find_map(|i| {
                match table.write(code(&format!("https://example.com/{i}")), i, Insert::Unique) {
                    Written::Refused(there) => Some((there, i)),
                    _ => None,
                }
            })
            .unwrap()
    }

    #[test]
    fn first_collisions_of_cut_hashes() {
        let hex = [4, 5, 7].map(|length| first(|link| hex_digits(link, length)));
        assert_eq!(hex, [(91, 130), (608, 877), (1548, 2133)]);
        let all = [2, 3, 4, 5].map(|length| first(|link| modulo_62(link, length)));
        assert_eq!(all, [(60, 131), (373, 420), (2009, 2375), (7290, 17134)]);
    }

    #[test]
    fn they_come_at_the_square_root_of_the_space() {
        for (length, space) in [(3, 4_096.0), (4, 65_536.0)] {
            let runs = 400;
            let until = |site: u32| {
                let mut table = Table::new();
                let mut refused = |i: &u32| {
                    let code = hex_digits(&format!("https://{site}.example/{i}"), length);
                    matches!(table.write(code, *i, Insert::Unique), Written::Refused(_))
                };
                f64::from((0..).find(|i| refused(i)).unwrap() + 1)
            };
            let counts: Vec<f64> = (0..runs).map(until).collect();
            let mean = counts.iter().sum::<f64>() / f64::from(runs);
            let theory = first_collision(space);
            assert!((mean - theory).abs() < 0.1 * theory, "{mean} for {theory}");
            // Half of all runs are over at 1.1774 √N.
            let half = counts.iter().filter(|n| **n <= 1.1774 * libm::sqrt(space));
            let share = half.count() as f64 / f64::from(runs);
            assert!((share - 0.5).abs() < 0.08, "{share}");
        }
    }

    #[test]
    fn a_unique_key_with_retries_loses_nobody() {
        let mut table = Table::new();
        let mut refused = 0;
        for i in 0..2_000_u32 {
            let link = format!("https://example.com/{i}");
            let codes = (0..50).map(|n| hex_digits(&attempt(&link, n), 3));
            refused += table.write_first(codes, i).unwrap().1;
        }
        assert_eq!(table.len(), 2_000);
        assert!(refused > 500, "{refused}");
        // The same without the key: the checker can fail.
        let mut careless = Table::new();
        for i in 0..2_000_u32 {
            let code = hex_digits(&format!("https://example.com/{i}"), 3);
            careless.write(code, i, Insert::Overwrite);
        }
        assert!(careless.len() < 1_700);
    }

    #[test]
    fn the_same_link_twice_has_one_row() {
        let mut table = Table::new();
        assert_eq!(table.write(7, 'a', Insert::Unique), Written::New);
        assert_eq!(table.write(7, 'a', Insert::Unique), Written::Same);
        // Whoever of its two users deletes it deletes it for both.
        assert_eq!(table.remove(7), Some('a'));
        assert!(table.is_empty());
    }
}
