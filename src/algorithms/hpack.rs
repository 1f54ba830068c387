//! HPACK's whole numbers, the piece of header compression (RFC 7541, section 5.1) that is arithmetic.

/// A number in a prefix of so many bits (1 to 8, others are brought there) of the first byte, whose
/// other bits are 0 here, and as many bytes more as it needs.
pub fn encode_integer(number: u64, prefix_bits: u32) -> Vec<u8> {
    let full = full(prefix_bits);
    if number < full {
        return vec![number as u8];
    }
    let mut bytes = vec![full as u8];
    let mut rest = number - full;
    while rest >= 0x80 {
        bytes.push((rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// The number at the start of these bytes and how many it takes. `None` if bytes are missing or the
/// number does not fit.
pub fn decode_integer(bytes: &[u8], prefix_bits: u32) -> Option<(u64, usize)> {
    let full = full(prefix_bits);
    let (first, rest) = bytes.split_first()?;
    let mut number = u64::from(*first) & full;
    if number < full {
        return Some((number, 1));
    }
    for (i, &byte) in rest.iter().enumerate() {
        let part = u64::from(byte & 0x7F);
        let shift = u32::try_from(7 * i).ok()?;
        let shifted = if part == 0 {
            0
        } else {
            part.checked_shl(shift)?
        };
        // Bits that were shifted out would be lost silently.
        if part != 0 && shifted >> shift != part {
            return None;
        }
        number = number.checked_add(shifted)?;
        if byte & 0x80 == 0 {
            return Some((number, i + 2));
        }
    }
    None
}

fn full(prefix_bits: u32) -> u64 {
    (1 << prefix_bits.clamp(1, 8)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for prefix_bits in 1..=8 {
            for number in [0, 1, 30, 31, 127, 128, 254, 255, 256, 1_337, u64::MAX] {
                let bytes = encode_integer(number, prefix_bits);
                assert_eq!(
                    decode_integer(&bytes, prefix_bits),
                    Some((number, bytes.len()))
                );
                assert_eq!(decode_integer(&bytes[..bytes.len() - 1], prefix_bits), None);
            }
        }
        assert_eq!(
            decode_integer(&[0xEA], 5),
            Some((10, 1)),
            "other bits do not count"
        );
        let endless = [[0xFF; 1].as_slice(), &[0xFF; 10], &[0x01]].concat();
        assert_eq!(decode_integer(&endless, 8), None);
    }
}
