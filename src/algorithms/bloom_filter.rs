//! Bloom filter: a few bits per element that say "surely not here" or "probably here".
//!
//! It never forgets an element; how often it takes a stranger for one is a matter of size. Sources: Bloom
//! (1970); Pei Cao, "Bloom Filters: the math", whose table Cassandra carries; Kirsch and Mitzenmacher
//! (2006: two hashes stand for all); Guava's `BloomFilter` (Murmur3, strategy MITZ_64).

/// The rate of false positives of `bits` bits, `hashes` hash functions and `elements` elements, by the
/// usual approximation `(1 − e^(−kn/m))^k`.
pub fn false_positive_rate(bits: f64, hashes: u32, elements: f64) -> f64 {
    per_element(bits / elements, hashes)
}

/// The same by bits per element.
pub fn per_element(bits_per_element: f64, hashes: u32) -> f64 {
    let hashes = f64::from(hashes);
    if bits_per_element.is_nan() || bits_per_element <= 0.0 {
        return 1.0;
    }
    libm::pow(-libm::expm1(-hashes / bits_per_element), hashes)
}

/// The share of bits that are expected to be set: `1 − (1 − 1/m)^(kn)`. No bits count as all set.
pub fn expected_fill(bits: u64, hashes: u32, elements: u64) -> f64 {
    let throws = f64::from(hashes) * elements as f64;
    match bits {
        0 => 1.0,
        1 => f64::from(u8::from(throws > 0.0)),
        _ => -libm::expm1(throws * libm::log1p(-1.0 / bits as f64)),
    }
}

/// The rate that this fill makes: that all bits of a stranger are set.
pub fn rate_of_fill(fill: f64, hashes: u32) -> f64 {
    libm::pow(fill, f64::from(hashes))
}

/// The bits, not rounded, that hold so many elements at this rate (above 0, below 1): `−n·ln p ÷ (ln 2)²`.
/// `None` for rates out of range.
pub fn optimal_bits(elements: f64, rate: f64) -> Option<f64> {
    (rate > 0.0 && rate < 1.0 && elements >= 0.0)
        .then(|| -elements * libm::log(rate) / (core::f64::consts::LN_2 * core::f64::consts::LN_2))
}

/// The hash functions, not rounded, that are best for so many bits per element: `m/n · ln 2`, at which
/// half the bits are set.
pub fn optimal_hashes(bits_per_element: f64) -> f64 {
    bits_per_element * core::f64::consts::LN_2
}

/// How many elements a filter seems to hold whose bits are set to this share: `−m/k · ln(1 − fill)`.
/// Infinite if all are set.
pub fn estimated_elements(bits: u64, hashes: u32, fill: f64) -> f64 {
    -(bits as f64) / f64::from(hashes) * libm::log1p(-fill)
}

/// MurmurHash3's 128-bit variant for 64-bit machines, as its two halves.
pub fn murmur3_x64_128(bytes: &[u8], seed: u32) -> (u64, u64) {
    const C1: u64 = 0x87C3_7B91_1142_53D5;
    const C2: u64 = 0x4CF5_AD43_2745_937F;
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    };
    let mix1 = |k: u64| k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let mix2 = |k: u64| k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    let (mut h1, mut h2) = (u64::from(seed), u64::from(seed));
    let mut blocks = bytes.chunks_exact(16);
    for block in &mut blocks {
        h1 = (h1 ^ mix1(word(&block[..8])))
            .rotate_left(27)
            .wrapping_add(h2);
        h1 = h1.wrapping_mul(5).wrapping_add(0x52DC_E729);
        h2 = (h2 ^ mix2(word(&block[8..])))
            .rotate_left(31)
            .wrapping_add(h1);
        h2 = h2.wrapping_mul(5).wrapping_add(0x3849_5AB5);
    }
    let tail = blocks.remainder();
    h1 ^= mix1(word(&tail[..tail.len().min(8)]));
    h2 ^= mix2(word(tail.get(8..).unwrap_or(&[])));
    let length = bytes.len() as u64;
    (h1, h2) = (h1 ^ length, h2 ^ length);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    let finish = |mut k: u64| {
        k = (k ^ (k >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        k = (k ^ (k >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        k ^ (k >> 33)
    };
    (h1, h2) = (finish(h1), finish(h2));
    h1 = h1.wrapping_add(h2);
    (h1, h2.wrapping_add(h1))
}

/// Where a key's bits are in a filter of so many bits: `(h1 + i·h2)` for each hash function, without its sign, modulo the
/// size. Two of them may fall together.
pub fn places((h1, h2): (u64, u64), bits: u64, hashes: u32) -> impl Iterator<Item = u64> {
    (0..u64::from(hashes)).map(move |i| {
        let hash = h1.wrapping_add(i.wrapping_mul(h2));
        (hash & (u64::MAX >> 1)) % bits.max(1)
    })
}

/// A filter. Its keys are given as bytes, or as their two hashes by [`murmur3_x64_128`] with seed 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BloomFilter {
    words: Vec<u64>,
    bits: u64,
    hashes: u32,
}

impl BloomFilter {
    /// An empty filter of so many bits and hash functions, at least one of each.
    pub fn new(bits: u64, hashes: u32) -> BloomFilter {
        let bits = bits.max(1);
        BloomFilter {
            words: vec![0; bits.div_ceil(64) as usize],
            bits,
            hashes: hashes.max(1),
        }
    }

    /// The size that Guava would choose: bits in whole words, hash functions to the nearest number. Rates
    /// out of range count as the nearest that is not.
    pub fn for_rate(elements: u64, rate: f64) -> BloomFilter {
        let rate = if rate > 0.0 {
            rate.min(1.0 - f64::EPSILON)
        } else {
            f64::MIN_POSITIVE
        };
        let elements = elements.max(1) as f64;
        let bits = optimal_bits(elements, rate).unwrap_or(1.0) as u64;
        let hashes = libm::round(-libm::log(rate) / core::f64::consts::LN_2);
        BloomFilter::new(bits.max(1).div_ceil(64) * 64, hashes as u32)
    }

    /// Bits.
    pub fn bits(&self) -> u64 {
        self.bits
    }

    /// Hash functions.
    pub fn hashes(&self) -> u32 {
        self.hashes
    }

    /// The bits of a key.
    pub fn places(&self, key: &[u8]) -> impl Iterator<Item = u64> + use<> {
        places(murmur3_x64_128(key, 0), self.bits, self.hashes)
    }

    /// Whether a bit is set; one beyond the end is not.
    pub fn bit(&self, place: u64) -> bool {
        let word = self.words.get((place / 64) as usize);
        word.is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Makes a bit 0, as rot would, or as somebody would who wants to take a key out and does not know better: every other
    /// key that has this bit is then denied. Beyond the end nothing happens.
    pub fn clear(&mut self, place: u64) {
        if let Some(word) = self.words.get_mut((place / 64) as usize) {
            *word &= !(1 << (place % 64));
        }
    }

    /// Puts a key in. Returns whether that set any bit: if not, it seemed to be there before.
    pub fn insert(&mut self, key: &[u8]) -> bool {
        self.insert_hash(murmur3_x64_128(key, 0))
    }

    // region: insert
    /// Puts the key of these hashes in.
    pub fn insert_hash(&mut self, hash: (u64, u64)) -> bool {
        let mut fresh = false;
        for place in places(hash, self.bits, self.hashes) {
            fresh |= !self.bit(place);
            self.words[(place / 64) as usize] |= 1 << (place % 64);
        }
        fresh
    }
    // endregion

    /// Whether the key may be in. `false` is certain.
    pub fn may_contain(&self, key: &[u8]) -> bool {
        self.proof(murmur3_x64_128(key, 0)).is_none()
    }

    // region: ask
    /// The first bit of a key that is not set: proof that the key was never put in. None if it may have been.
    pub fn proof(&self, hash: (u64, u64)) -> Option<u64> {
        let mut places = places(hash, self.bits, self.hashes);
        places.find(|place| !self.bit(*place))
    }
    // endregion

    /// How many bits are set.
    pub fn ones(&self) -> u64 {
        let ones = self.words.iter().map(|word| u64::from(word.count_ones()));
        ones.sum()
    }

    /// The share of bits that are set.
    pub fn fill(&self) -> f64 {
        self.ones() as f64 / self.bits as f64
    }

    /// Takes in all that another filter holds. Returns `false`, changing nothing, if they differ in size
    /// or hash functions.
    pub fn union(&mut self, other: &BloomFilter) -> bool {
        let alike = (self.bits, self.hashes) == (other.bits, other.hashes);
        if alike {
            for (word, others) in self.words.iter_mut().zip(&other.words) {
                *word |= others;
            }
        }
        alike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur_gives_its_published_values() {
        assert_eq!(murmur3_x64_128(b"", 0), (0, 0));
        let fox = b"The quick brown fox jumps over the lazy dog";
        let (h1, h2) = murmur3_x64_128(fox, 0);
        assert_eq!((h1, h2), (0xE34B_BC7B_BC07_1B6C, 0x7A43_3CA9_C49A_9347));
    }

    #[test]
    fn nothing_put_in_is_ever_missed() {
        let mut filter = BloomFilter::for_rate(1_000, 0.01);
        for i in 0..1_000_u32 {
            filter.insert(&i.to_le_bytes());
        }
        assert!((0..1_000_u32).all(|i| filter.may_contain(&i.to_le_bytes())));
        let strangers = (1_000..101_000_u32).filter(|i| filter.may_contain(&i.to_le_bytes()));
        let rate = strangers.count() as f64 / 100_000.0;
        assert!((rate - 0.01).abs() < 0.003, "{rate}");
        assert!((filter.fill() - 0.5).abs() < 0.02);
        let seems = estimated_elements(filter.bits(), filter.hashes(), filter.fill());
        assert!((seems - 1_000.0).abs() < 40.0, "{seems}");
        assert!(!filter.insert(&7_u32.to_le_bytes()));
    }

    #[test]
    fn a_union_holds_both() {
        let (mut a, mut b) = (BloomFilter::new(256, 3), BloomFilter::new(256, 3));
        a.insert(b"a");
        b.insert(b"b");
        assert!(a.union(&b) && a.may_contain(b"a") && a.may_contain(b"b"));
        assert!(!a.union(&BloomFilter::new(256, 4)));
    }

    #[test]
    fn a_cleared_bit_denies_all_that_share_it() {
        let mut filter = BloomFilter::new(64, 3);
        let keys: Vec<String> = (0..20).map(|i| i.to_string()).collect();
        for key in &keys {
            filter.insert(key.as_bytes());
        }
        let place = filter.places(b"7").next().unwrap();
        filter.clear(place);
        filter.clear(1_000);
        for key in &keys {
            let shares = filter.places(key.as_bytes()).any(|other| other == place);
            assert_eq!(filter.may_contain(key.as_bytes()), !shares, "{key}");
        }
        assert_eq!(filter.proof(murmur3_x64_128(b"7", 0)), Some(place));
    }

    #[test]
    fn the_empty_key_is_a_key_and_twice_is_once() {
        let mut filter = BloomFilter::new(8, 12);
        assert!(!filter.may_contain(b"") && filter.insert(b""));
        let once = filter.clone();
        assert!(!filter.insert(b"") && filter == once && filter.may_contain(b""));
        // Both halves of its hash are 0, so all twelve places are the first.
        assert_eq!(filter.fill(), 1.0 / 8.0);
    }

    #[test]
    fn sizes_out_of_range_are_answered() {
        assert_eq!(
            (
                BloomFilter::new(0, 0).bits(),
                BloomFilter::new(0, 0).hashes()
            ),
            (1, 1)
        );
        assert_eq!(optimal_bits(9.0, 0.0), None);
        assert_eq!(optimal_bits(9.0, 1.0), None);
        assert_eq!(per_element(0.0, 3), 1.0);
        assert_eq!(
            (
                expected_fill(0, 3, 1),
                expected_fill(1, 3, 1),
                expected_fill(1, 3, 0)
            ),
            (1.0, 1.0, 0.0)
        );
        assert!(BloomFilter::for_rate(0, 7.0).bits() >= 64);
        assert!(BloomFilter::for_rate(3, f64::NAN).hashes() > 100);
        assert_eq!(rate_of_fill(0.5, 2), 0.25);
    }
}
