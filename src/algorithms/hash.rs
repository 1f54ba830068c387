//! The hash functions that shards, rings and filters are built on, each exactly as published.

use md5::{Digest, Md5};

/// CRC-32 (IEEE 802.3, reflected, polynomial 0xEDB88320), fed piece by piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crc32(u32);

impl Crc32 {
    /// The checksum of nothing.
    pub fn new() -> Crc32 {
        Crc32(!0)
    }

    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0 = crc_reflected(&CRC32_TABLE, self.0, bytes);
    }

    /// The checksum of all bytes so far.
    pub fn finish(self) -> u32 {
        !self.0
    }
}

impl Default for Crc32 {
    fn default() -> Crc32 {
        Crc32::new()
    }
}

static CRC32_TABLE: [u32; 256] = crc_table(0xedb8_8320);
static CRC32C_TABLE: [u32; 256] = crc_table(0x82f6_3b78);

/// What each byte does to a reflected CRC of this polynomial.
const fn crc_table(polynomial: u32) -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (polynomial & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

fn crc_reflected(table: &[u32; 256], crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, &byte| {
        table[((crc ^ u32::from(byte)) & 0xff) as usize] ^ (crc >> 8)
    })
}

/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41, here reflected), with which iSCSI, ext4, LevelDB and PostgreSQL check what they
/// read. `crc` is the checksum of what came before, 0 for nothing, so that a text can be checked piece by piece.
pub fn crc32c(crc: u32, bytes: &[u8]) -> u32 {
    !crc_reflected(&CRC32C_TABLE, !crc, bytes)
}

/// CRC-32 of a whole byte string.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    crc.update(bytes);
    crc.finish()
}

/// The 15 bits of a CRC-32 that Cache::Memcached, libmemcached and nginx's `hash` use.
pub fn cache_memcached(crc32: u32) -> u32 {
    (crc32 >> 16) & 0x7fff
}

/// CRC-16/XMODEM (polynomial 0x1021, starting from 0), with which Redis Cluster finds a key's slot.
pub fn crc16_xmodem(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        let index = (crc >> 8) ^ u16::from(byte);
        CRC16_TABLE[usize::from(index)] ^ (crc << 8)
    })
}

const CRC16_TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc << 1) ^ (0x1021 & (crc >> 15).wrapping_neg());
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

const FNV_OFFSET_32: u32 = 0x811c_9dc5;
const FNV_PRIME_32: u32 = 0x0100_0193;
const FNV_OFFSET_64: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME_64: u64 = 0x0000_0100_0000_01b3;

/// FNV-1, 32 bits (Fowler, Noll and Vo; RFC 9923): multiplies, then mixes in each byte.
pub fn fnv1_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(FNV_OFFSET_32, |hash, &byte| {
        hash.wrapping_mul(FNV_PRIME_32) ^ u32::from(byte)
    })
}

/// FNV-1a, 32 bits (RFC 9923): mixes in each byte, then multiplies, which spreads the last byte too.
pub fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(FNV_OFFSET_32, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(FNV_PRIME_32)
    })
}

/// FNV-1, 64 bits (RFC 9923).
pub fn fnv1_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(FNV_OFFSET_64, |hash, &byte| {
        hash.wrapping_mul(FNV_PRIME_64) ^ u64::from(byte)
    })
}

/// FNV-1a, 64 bits (RFC 9923).
pub fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(FNV_OFFSET_64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME_64)
    })
}

/// The four numbers that ketama reads from an MD5 digest, each from four bytes, lowest first.
pub fn ketama_quarters(bytes: &[u8]) -> [u32; 4] {
    let digest: [u8; 16] = Md5::digest(bytes).into();
    let mut quarters = [0; 4];
    for (quarter, four) in quarters.iter_mut().zip(digest.chunks_exact(4)) {
        *quarter = four
            .iter()
            .rev()
            .fold(0, |number, &byte| (number << 8) | u32::from(byte));
    }
    quarters
}

/// Where ketama puts a key on the ring: the first quarter of its MD5 digest.
pub fn ketama(key: &[u8]) -> u32 {
    ketama_quarters(key)[0]
}

/// Scatters numbers: neighbours in, strangers out, and no two inputs share an output. This is the
/// finaliser of SplitMix64 (Steele, Lea and Flood 2014), good for keys that are already numbers.
pub fn mix64(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_of_the_published_catalogues() {
        // The customary check input, with the values of the CRC catalogue.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc16_xmodem(b"123456789"), 0x31c3);
        // RFC 9923, appendix of test vectors.
        assert_eq!(fnv1a_32(b"a"), 0xe40c_292c);
        assert_eq!(fnv1a_64(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(fnv1_64(b"a"), 0xaf63_bd4c_8601_b7be);
        // The first output of SplitMix64 seeded with 0.
        assert_eq!(mix64(0), 0xe220_a839_7b1d_cdaf);
        // MD5 of nothing is d41d8cd98f00b204e9800998ecf8427e (RFC 1321).
        assert_eq!(
            ketama_quarters(b""),
            [0xd98c_1dd4, 0x04b2_008f, 0x9809_80e9, 0x7e42_f8ec]
        );
    }

    #[test]
    fn a_crc_may_be_fed_in_pieces() {
        let mut crc = Crc32::new();
        crc.update(b"1234");
        crc.update(b"");
        crc.update(b"56789");
        assert_eq!(crc.finish(), crc32(b"123456789"));
    }
}
