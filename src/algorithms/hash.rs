//! The hash functions that shards, rings and filters are built on, each exactly as published.

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
        for &byte in bytes {
            let index = (self.0 ^ u32::from(byte)) & 0xff;
            self.0 = CRC32_TABLE[index as usize] ^ (self.0 >> 8);
        }
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

const CRC32_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

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
