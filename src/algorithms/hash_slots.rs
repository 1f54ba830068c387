//! Hash slots: keys hash to a fixed number of slots, and slots, not keys, are dealt to nodes (Redis Cluster).

use std::ops::RangeInclusive;

use crate::hash::crc16_xmodem;

/// How many slots a Redis Cluster has.
pub const SLOTS: u16 = 16_384;

/// The slot of a key: the CRC-16 of its [`hash_tag`], modulo [`SLOTS`].
pub fn slot_of(key: &[u8]) -> u16 {
    crc16_xmodem(hash_tag(key)) % SLOTS
}

/// The part of a key that is hashed: what stands between its first `{` and the next `}`, so that
/// keys with the same tag share a slot. The whole key, if there is no such part or it is empty.
pub fn hash_tag(key: &[u8]) -> &[u8] {
    let tag = key.iter().position(|&byte| byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|&byte| byte == b'}')?;
        Some(&rest[..close])
    });
    tag.filter(|tag| !tag.is_empty()).unwrap_or(key)
}

/// Deals all slots to `masters` nodes in ranges as equal as they can be, as `redis-cli --cluster
/// create` does. Empty for no masters; of more than [`SLOTS`] masters the excess gets none.
pub fn even_ranges(masters: u16) -> Vec<RangeInclusive<u16>> {
    let (masters, slots) = (u32::from(masters.min(SLOTS)), u32::from(SLOTS));
    // The end of the first n ranges, rounded to the nearest slot.
    let end = |n: u32| ((2 * n * slots + masters) / (2 * masters)) as u16;
    (0..masters)
        .map(|master| end(master)..=end(master + 1) - 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        let tags = [
            ("plain", "plain"),
            ("{user}.a", "user"),
            ("a{user}", "user"),
            ("{}{user}", "{}{user}"),
            ("{{user}}", "{user"),
            ("}{a", "}{a"),
            ("a{b}{c}", "b"),
        ];
        for (key, tag) in tags {
            assert_eq!(hash_tag(key.as_bytes()), tag.as_bytes(), "{key}");
        }
    }

    #[test]
    fn ranges_cover_every_slot_once_and_evenly() {
        for masters in [1, 2, 3, 5, 7, 100, 1_000, SLOTS, u16::MAX] {
            let ranges = even_ranges(masters);
            let mut next = 0;
            for range in &ranges {
                assert_eq!(*range.start(), next);
                next = range.end() + 1;
            }
            assert_eq!(next, SLOTS);
            let sizes: Vec<usize> = ranges.iter().map(|range| range.len()).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        }
        assert!(even_ranges(0).is_empty());
    }
}
