//! Numbers as short texts: base 62, as kare/base62 writes it.
//!
//! Source: github.com/kare/base62, `base62.go`. Digits come before small letters, and these before capitals; codes differ by case,
//! so a column that does not tell `a` from `A` merges them.

/// The 62 characters, smallest first.
pub type Alphabet = [u8; 62];

/// Digits, small letters, capitals: kare/base62.
pub const DIGITS_LOWER_UPPER: Alphabet =
    *b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Digits, capitals, small letters: what other libraries use. A code written in one and read in the other is another number.
pub const DIGITS_UPPER_LOWER: Alphabet =
    *b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many codes of `length` characters there are in an alphabet of `characters`; the greatest number where that is too many for 64 bits.
pub fn codes(characters: u64, length: u32) -> u64 {
    characters.saturating_pow(length)
}

// region: encode
/// Writes a number in base `base` (2 to 62) with at least `length` characters: zeros in front where it has fewer.
pub fn encode(mut number: u64, base: u64, length: usize, alphabet: &Alphabet) -> String {
    let mut reversed = Vec::new();
    while number > 0 || reversed.is_empty() || reversed.len() < length {
        reversed.push(alphabet[(number % base) as usize]);
        number /= base;
    }
    reversed
        .iter()
        .rev()
        .map(|byte| char::from(*byte))
        .collect()
}
// endregion

/// Reads what [`encode`] writes in base 62; none for other characters, for nothing, and for more than 64 bits.
pub fn decode(text: &str, alphabet: &Alphabet) -> Option<u64> {
    let digit = |byte: u8| alphabet.iter().position(|one| *one == byte);
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_u64, |number, byte| {
        number.checked_mul(62)?.checked_add(digit(byte)? as u64)
    })
}

/// Scatters counted numbers over all of `codes`, a power of 62, so that neighbours get codes far apart and no two the same: times an odd
/// number that 31 does not divide, modulo `codes`. It hides the order from people, not from somebody who knows the factor.
pub fn scatter(number: u64, codes: u64) -> u64 {
    /// Near the golden section of 62^7, so that neighbours lie far apart; neither even nor a multiple of 31.
    const FACTOR: u128 = 2_176_477_521_929;
    (u128::from(number) * FACTOR % u128::from(codes.max(1))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: u64, length: usize) -> String {
        encode(number, 62, length, &DIGITS_LOWER_UPPER)
    }

    #[test]
    fn edges() {
        assert_eq!([61, 62].map(|n| text(n, 1)), ["Z", "10"]);
        assert_eq!(text(codes(62, 7) - 1, 7), "ZZZZZZZ");
        assert_eq!(text(61, 7), "000000Z");
        assert_eq!(encode(0x6985, 16, 4, &DIGITS_LOWER_UPPER), "6985");
        assert_eq!(decode("", &DIGITS_LOWER_UPPER), None);
        assert_eq!(decode("a-b", &DIGITS_LOWER_UPPER), None);
        assert_eq!(decode("ZZZZZZZZZZZZ", &DIGITS_LOWER_UPPER), None);
        assert_ne!(
            decode("ab", &DIGITS_LOWER_UPPER),
            decode("AB", &DIGITS_LOWER_UPPER),
            "case counts"
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let mut number = 1_u64;
        for _ in 0..5_000 {
            number = crate::hash::mix64(number);
            let number = number >> (number % 60);
            for alphabet in [&DIGITS_LOWER_UPPER, &DIGITS_UPPER_LOWER] {
                let text = encode(number, 62, 4, alphabet);
                assert_eq!(decode(&text, alphabet), Some(number));
            }
        }
    }

    #[test]
    fn scattered_numbers_meet_nobody_and_have_no_neighbours() {
        for length in [2, 3] {
            let codes = codes(62, length);
            let mut seen = vec![false; codes as usize];
            for number in 0..codes {
                let code = scatter(number, codes) as usize;
                assert!(!std::mem::replace(&mut seen[code], true), "{number}");
            }
            let near = (1..codes).filter(|n| {
                let (a, b) = (scatter(*n, codes), scatter(n - 1, codes));
                a.abs_diff(b) <= 10
            });
            assert_eq!(near.count(), 0);
        }
    }
}
