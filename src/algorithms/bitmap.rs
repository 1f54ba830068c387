//! Bitmaps as Redis has them: a string of bytes whose bits are counted, found and combined.
//!
//! Bit 0 is the most significant bit of byte 0. What lies beyond the end is 0; ranges are inclusive, and
//! negative places count from the end. Source: Redis' commands SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP.
//! A whole bitmap is counted a word of 64 bits at a time (Warren, Hacker's Delight, figure 5-2); the count is that of any
//! other width.

/// The largest place that Redis takes: a string has at most 512 MB.
pub const PLACE_MAX: u64 = (512 << 20) * 8 - 1;

/// The unit of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Byte,
    /// Bits.
    Bit,
}

/// How several bitmaps become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Set in all.
    And,
    /// Set in any.
    Or,
    /// Set in an odd number of them.
    Xor,
    /// Not set in the only one: others than the first are ignored.
    Not,
    /// Set in the first and in none of the others.
    Diff,
    /// Set in any of the others and not in the first.
    Diff1,
    /// Set in the first and in any of the others.
    AndOr,
    /// Set in exactly one.
    One,
}

/// How many bits of a word are set. Pairs of bits are added side by side, then fours, then bytes; a multiplication adds the
/// bytes up in the highest one. One instruction on most machines.
// region: popcount
pub const fn popcount(word: u64) -> u32 {
    let pairs = word - (word >> 1 & 0x5555_5555_5555_5555);
    let fours = (pairs & 0x3333_3333_3333_3333) + (pairs >> 2 & 0x3333_3333_3333_3333);
    let bytes = (fours + (fours >> 4)) & 0x0F0F_0F0F_0F0F_0F0F;
    (bytes.wrapping_mul(0x0101_0101_0101_0101) >> 56) as u32
}
// endregion

/// A bitmap, as long as its last byte ever set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    bytes: Vec<u8>,
}

impl From<Vec<u8>> for Bitmap {
    fn from(bytes: Vec<u8>) -> Bitmap {
        Bitmap { bytes }
    }
}

impl Bitmap {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The words, of which the last may be padded with zeros.
    pub fn words(&self) -> impl Iterator<Item = u64> {
        self.bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_be_bytes(word)
        })
    }

    /// How many words there are.
    pub fn word_count(&self) -> usize {
        self.bytes.len().div_ceil(8)
    }

    /// The largest place that is set.
    pub fn last(&self) -> Option<u64> {
        let byte = self.bytes.iter().rposition(|byte| *byte != 0)?;
        let place = 7 - self.bytes[byte].trailing_zeros();
        Some(byte as u64 * 8 + u64::from(place))
    }

    /// GETBIT.
    pub fn get(&self, place: u64) -> bool {
        let byte = usize::try_from(place / 8).ok();
        let byte = byte.and_then(|i| self.bytes.get(i));
        byte.is_some_and(|byte| byte & 0x80 >> (place % 8) != 0)
    }

    /// SETBIT: sets a bit and returns what it was. The bitmap grows as far as it must, even for a 0.
    /// `None` beyond [`PLACE_MAX`].
    // region: set
    pub fn set(&mut self, place: u64, bit: bool) -> Option<bool> {
        if place > PLACE_MAX {
            return None;
        }
        let before = self.get(place);
        let byte = (place / 8) as usize;
        if self.bytes.len() <= byte {
            self.bytes.resize(byte + 1, 0);
        }
        let mask = 0x80 >> (place % 8);
        if bit {
            self.bytes[byte] |= mask;
        } else {
            self.bytes[byte] &= !mask;
        }
        Some(before)
    }
    // endregion

    /// The bits that a range means, as first and last; `None` if it is empty.
    fn range(&self, start: i64, end: i64, unit: Unit) -> Option<(u64, u64)> {
        let bits = self.bytes.len() as i128 * 8;
        let scale = match unit {
            Unit::Byte => 8,
            Unit::Bit => 1,
        };
        let units = bits / scale;
        if units == 0 {
            return None;
        }
        let from_end = |place: i64| {
            let place = i128::from(place);
            (if place < 0 { place + units } else { place }).max(0)
        };
        let (start, end) = (from_end(start), from_end(end).min(units - 1));
        (start <= end).then(|| ((start * scale) as u64, (end * scale + scale - 1) as u64))
    }

    /// A byte with all bits outside of `first..=last` cleared.
    fn masked(&self, byte: usize, first: u64, last: u64) -> u8 {
        let begin = byte as u64 * 8;
        let mut mask = 0xFF;
        if first > begin {
            mask &= 0xFF_u8.checked_shr((first - begin) as u32).unwrap_or(0);
        }
        if last < begin + 7 {
            mask &= 0xFF << (begin + 7 - last);
        }
        self.bytes[byte] & mask
    }

    /// BITCOUNT of the whole bitmap.
    // region: count
    pub fn count(&self) -> u64 {
        self.words().map(|word| u64::from(popcount(word))).sum()
    }
    // endregion

    /// BITCOUNT of a range.
    pub fn count_in(&self, start: i64, end: i64, unit: Unit) -> u64 {
        // Both from the end and the wrong way round is empty before either is brought into range; BITPOS does not ask.
        if start < 0 && end < 0 && start > end {
            return 0;
        }
        let Some((first, last)) = self.range(start, end, unit) else {
            return 0;
        };
        let bytes = (first / 8) as usize..=(last / 8) as usize;
        bytes
            .map(|byte| u64::from(self.masked(byte, first, last).count_ones()))
            .sum()
    }

    /// BITPOS: the first place that has this bit, from `start` on and up to `end`.
    ///
    /// Without an end the bitmap counts as followed by zeros for ever, so a 0 is always found, if need be
    /// just behind it. With one, `None` if there is none in the range. An empty bitmap is all zeros: it has
    /// a 0 at place 0 whatever the range, and no 1.
    pub fn position(&self, bit: bool, start: i64, end: Option<i64>, unit: Unit) -> Option<u64> {
        if self.bytes.is_empty() {
            return (!bit).then_some(0);
        }
        let (first, last) = self.range(start, end.unwrap_or(-1), unit)?;
        for byte in (first / 8) as usize..=(last / 8) as usize {
            let begin = byte as u64 * 8;
            let wanted = if bit {
                self.bytes[byte]
            } else {
                !self.bytes[byte]
            };
            let in_range = Bitmap::from(vec![wanted]);
            let (low, high) = (first.max(begin) - begin, last.min(begin + 7) - begin);
            let found = in_range.masked(0, low, high);
            if found != 0 {
                return Some(begin + u64::from(found.leading_zeros()));
            }
        }
        (!bit && end.is_none()).then_some(last + 1)
    }

    /// BITOP: as long as the longest; shorter ones are padded with zeros. No bitmaps give an empty one.
    // region: combine
    pub fn combine(operation: Operation, bitmaps: &[&Bitmap]) -> Bitmap {
        let Some((first, others)) = bitmaps.split_first() else {
            return Bitmap::default();
        };
        let length = bitmaps.iter().map(|bitmap| bitmap.bytes.len()).max();
        let byte = |bitmap: &Bitmap, i: usize| bitmap.bytes.get(i).copied().unwrap_or(0);
        let combined = |i: usize| {
            let head = byte(first, i);
            let rest = others.iter().map(|bitmap| byte(bitmap, i));
            match operation {
                Operation::And => rest.fold(head, |all, byte| all & byte),
                Operation::Or => rest.fold(head, |all, byte| all | byte),
                Operation::Xor => rest.fold(head, |all, byte| all ^ byte),
                Operation::Not => !head,
                Operation::Diff => head & !rest.fold(0, |all, byte| all | byte),
                Operation::Diff1 => rest.fold(0, |all, byte| all | byte) & !head,
                Operation::AndOr => head & rest.fold(0, |all, byte| all | byte),
                Operation::One => {
                    let (once, _) = rest.fold((head, 0), |(once, twice), byte| {
                        let twice = twice | once & byte;
                        ((once | byte) & !twice, twice)
                    });
                    once
                }
            }
        };
        // NOT knows one bitmap only, and its length.
        let length = match operation {
            Operation::Not => first.bytes.len(),
            _ => length.unwrap_or(0),
        };
        Bitmap {
            bytes: (0..length).map(combined).collect(),
        }
    }
    // endregion
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(bitmap: &Bitmap) -> Vec<bool> {
        (0..bitmap.bytes.len() as u64 * 8)
            .map(|i| bitmap.get(i))
            .collect()
    }

    #[test]
    fn counts_and_positions_agree_with_looking_at_every_bit() {
        let bitmap = Bitmap::from(vec![0x00, 0xFF, 0x3C, 0x81, 0x00, 0xFE]);
        let all = bits(&bitmap);
        for (unit, units) in [(Unit::Byte, 6_i64), (Unit::Bit, 48)] {
            let scale = 48 / units;
            for start in -units - 2..units + 2 {
                for end in -units - 2..units + 2 {
                    let place = |p: i64| if p < 0 { (p + units).max(0) } else { p };
                    let (a, b) = (place(start), place(end).min(units - 1));
                    let range = a * scale..(b + 1) * scale;
                    let backwards = start < 0 && end < 0 && start > end;
                    let counted = if backwards { 0..0 } else { range.clone() };
                    let ones = counted.filter(|&i| all[i as usize]).count() as u64;
                    assert_eq!(
                        bitmap.count_in(start, end, unit),
                        ones,
                        "{start} {end} {unit:?}"
                    );
                    for bit in [false, true] {
                        let first = range.clone().find(|&i| all[i as usize] == bit);
                        let found = bitmap.position(bit, start, Some(end), unit);
                        assert_eq!(
                            found,
                            first.map(|i| i as u64),
                            "{start} {end} {unit:?} {bit}"
                        );
                    }
                }
            }
        }
    }

    /// As in Redis' `bitposCommand`, which lacks the check that `bitcountCommand` makes before places are brought into range.
    #[test]
    fn a_range_before_the_beginning_is_the_first_unit_to_bitpos_and_none_to_bitcount() {
        let bitmap = Bitmap::from(vec![0x0F, 0xFF]);
        for unit in [Unit::Byte, Unit::Bit] {
            assert_eq!(bitmap.count_in(-100, -200, unit), 0);
            assert_eq!(bitmap.position(false, -100, Some(-200), unit), Some(0));
        }
        let four = bitmap.position(true, -100, Some(-200), Unit::Byte);
        assert_eq!(
            (four, bitmap.count_in(-200, -100, Unit::Byte)),
            (Some(4), 4)
        );
        assert_eq!(bitmap.position(true, -1, Some(-2), Unit::Byte), None);
    }

    #[test]
    fn setting_grows_the_bitmap_and_tells_what_was() {
        let mut bitmap = Bitmap::default();
        assert_eq!(bitmap.set(7, true), Some(false));
        assert_eq!(bitmap.bytes(), [1]);
        assert_eq!(bitmap.set(7, false), Some(true));
        assert_eq!(bitmap.set(23, false), Some(false));
        assert_eq!(bitmap.bytes(), [0, 0, 0]);
        assert_eq!(bitmap.set(PLACE_MAX + 1, true), None);
        assert!(!bitmap.get(u64::MAX));
        assert_eq!(bitmap.count_in(i64::MIN, i64::MAX, Unit::Bit), 0);
    }

    #[test]
    fn words_count_as_bits_do_and_not_as_a_broken_rule() {
        let (mut word, mut seen) = (1_u64, 0);
        for _ in 0..2_000 {
            word = crate::hash::mix64(word);
            let ones = (0..64).filter(|bit| word >> bit & 1 == 1).count() as u32;
            assert_eq!(popcount(word), ones);
            // Without the mask between fours and bytes sums run into each other: the check would see it.
            let fours = word - (word >> 1 & 0x5555_5555_5555_5555);
            let broken = (fours.wrapping_mul(0x0101_0101_0101_0101) >> 56) as u32;
            seen += u32::from(broken != ones);
        }
        assert!(seen > 1_900, "{seen}");
        assert_eq!([popcount(0), popcount(u64::MAX)], [0, 64]);
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).map(|i| crate::hash::mix64(i) as u8).collect();
            let bitmap = Bitmap::from(bytes);
            assert_eq!(bitmap.count(), bitmap.count_in(0, -1, Unit::Bit));
            let not = Bitmap::combine(Operation::Not, &[&bitmap]);
            assert_eq!(bitmap.count() + not.count(), 8 * length);
            let last = (0..8 * length).rev().find(|place| bitmap.get(*place));
            assert_eq!(bitmap.last(), last);
        }
    }

    #[test]
    fn the_ends_of_what_a_string_can_hold() {
        // Only the first byte is held: a string of 512 MB for one bit is what the lesson is about, not this test.
        let mut bitmap = Bitmap::default();
        assert_eq!(bitmap.set(0, true), Some(false));
        assert_eq!(bitmap.bytes(), [0x80]);
        assert_eq!(bitmap.set(1 << 32, true), None);
        assert_eq!((PLACE_MAX + 1, bitmap.bytes().len()), (1 << 32, 1));
        // A row that is missing is zeros of full length.
        let row = Bitmap::from(vec![0xFF; 3]);
        let both = Bitmap::combine(Operation::And, &[&row, &Bitmap::default()]);
        assert_eq!(both.bytes(), [0; 3]);
        // NOT sets the padding of the last byte as well.
        let five = Bitmap::from(vec![0b1111_1000]);
        assert_eq!(Bitmap::combine(Operation::Not, &[&five]).count(), 3);
    }

    #[test]
    fn three_rows_of_seven_bits() {
        let rows = [0b001_0010, 0b010_1010, 0b111_1011].map(|row| Bitmap::from(vec![row << 1]));
        let any = |rows: &[&Bitmap]| Bitmap::combine(Operation::Or, rows).bytes()[0] >> 1;
        assert_eq!(any(&[&rows[0], &rows[1], &rows[2]]), 0b111_1011);
        assert_eq!(any(&[&rows[0], &rows[1]]), 0b011_1010);
    }

    #[test]
    fn an_empty_bitmap_is_zeros_without_end() {
        let none = Bitmap::default();
        assert_eq!(none.position(false, 5, Some(9), Unit::Byte), Some(0));
        assert_eq!(none.position(true, 0, None, Unit::Bit), None);
        let full = Bitmap::from(vec![0xFF; 2]);
        assert_eq!(full.position(false, 0, None, Unit::Byte), Some(16));
        assert_eq!(full.position(false, 0, Some(-1), Unit::Byte), None);
        assert_eq!(full.position(false, 9, None, Unit::Byte), None);
    }

    #[test]
    fn operations_follow_their_definitions() {
        let maps = [
            vec![0b1111_0000, 0xFF],
            vec![0b1100_1100],
            vec![0b1010_1010],
        ];
        let maps = maps.map(Bitmap::from);
        let of = |operation| {
            let operands: Vec<&Bitmap> = maps.iter().collect();
            Bitmap::combine(operation, &operands).bytes
        };
        assert_eq!(of(Operation::And), [0b1000_0000, 0]);
        assert_eq!(of(Operation::Or), [0b1111_1110, 0xFF]);
        assert_eq!(of(Operation::Xor), [0b1001_0110, 0xFF]);
        assert_eq!(of(Operation::Not), [0b0000_1111, 0]);
        assert_eq!(of(Operation::Diff), [0b0001_0000, 0xFF]);
        assert_eq!(of(Operation::Diff1), [0b0000_1110, 0]);
        assert_eq!(of(Operation::AndOr), [0b1110_0000, 0]);
        assert_eq!(of(Operation::One), [0b0001_0110, 0xFF]);
        assert_eq!(Bitmap::combine(Operation::Or, &[]), Bitmap::default());
    }
}
