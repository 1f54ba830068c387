//! WebSocket on the wire: the answer to the opening handshake, and frames.
//!
//! Source: RFC 6455. A client masks what it sends, a server never does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// What the server appends to the client's key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Most bytes of a control frame's payload, and of a payload whose length fits the second byte.
pub const SHORT_MAX: usize = 125;

/// `Sec-WebSocket-Key` of a client: 16 random bytes, so that no old answer fits.
pub fn key(random: [u8; 16]) -> String {
    STANDARD.encode(random)
}

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`: proof that the server speaks the protocol.
pub fn accept(key: &str) -> String {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    STANDARD.encode(digest)
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// More of the message before it.
    Continuation = 0x0,
    /// Text in UTF-8.
    Text = 0x1,
    /// Bytes.
    Binary = 0x2,
    /// The end of the connection.
    Close = 0x8,
    /// Are you there?
    Ping = 0x9,
    /// I am.
    Pong = 0xA,
}

impl Opcode {
    fn is_control(self) -> bool {
        self as u8 >= Opcode::Close as u8
    }

    fn from_bits(bits: u8) -> Option<Opcode> {
        Some(match bits {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xA => Opcode::Pong,
            _ => return None,
        })
    }
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether it is the last of its message.
    pub fin: bool,
    /// What it is.
    pub opcode: Opcode,
    /// The client's mask.
    pub mask: Option<[u8; 4]>,
    /// What it carries, unmasked.
    pub payload: Vec<u8>,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// A reserved bit is set, or the opcode is not defined.
    Reserved,
    /// A control frame that is in pieces or longer than [`SHORT_MAX`].
    Control,
    /// A length that is not written as shortly as can be, or has its highest bit set.
    Length,
}

impl Frame {
    /// An unmasked frame that is a message of its own.
    pub fn new(opcode: Opcode, payload: impl Into<Vec<u8>>) -> Frame {
        Frame {
            fin: true,
            opcode,
            mask: None,
            payload: payload.into(),
        }
    }

    /// A message in pieces; one empty frame if there are none.
    pub fn fragments(opcode: Opcode, pieces: &[&[u8]]) -> Vec<Frame> {
        let pieces = if pieces.is_empty() {
            &[&[][..]]
        } else {
            pieces
        };
        let piece = |(i, piece): (usize, &&[u8])| Frame {
            fin: i + 1 == pieces.len(),
            opcode: if i == 0 { opcode } else { Opcode::Continuation },
            ..Frame::new(opcode, *piece)
        };
        pieces.iter().enumerate().map(piece).collect()
    }

    /// The bytes before the payload: 2 to 14.
    pub fn header(&self) -> Vec<u8> {
        let masked = u8::from(self.mask.is_some()) << 7;
        let mut bytes = vec![u8::from(self.fin) << 7 | self.opcode as u8];
        let length = self.payload.len();
        if length <= SHORT_MAX {
            bytes.push(masked | length as u8);
        } else if let Ok(length) = u16::try_from(length) {
            bytes.push(masked | 126);
            bytes.extend(length.to_be_bytes());
        } else {
            bytes.push(masked | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
        bytes.extend(self.mask.iter().flatten());
        bytes
    }

    /// The frame as it is sent.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.header();
        let masked = (self.payload.iter().enumerate()).map(|(i, byte)| match self.mask {
            Some(mask) => byte ^ mask[i % 4],
            None => *byte,
        });
        bytes.extend(masked);
        bytes
    }

    /// The frame at the start of these bytes and how many it takes; `None` if it is not complete.
    ///
    /// # Errors
    /// [`FrameError`] if no byte that may follow can make it a frame.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Frame, usize)>, FrameError> {
        let &[first, second, ..] = bytes else {
            return Ok(None);
        };
        let opcode = Opcode::from_bits(first & 0x0F).ok_or(FrameError::Reserved)?;
        if first & 0x70 != 0 {
            return Err(FrameError::Reserved);
        }
        let (fin, short) = (first & 0x80 != 0, usize::from(second & 0x7F));
        if opcode.is_control() && (!fin || short > SHORT_MAX) {
            return Err(FrameError::Control);
        }
        let mut at = 2_usize;
        let mut take = |count: usize| {
            let taken = bytes.get(at..at.checked_add(count)?)?;
            at += count;
            Some(taken)
        };
        // How many bytes more the length takes, and the least that needs them.
        let (wide, least) = match short {
            126 => (2, SHORT_MAX as u64 + 1),
            127 => (8, u64::from(u16::MAX) + 1),
            _ => (0, 0),
        };
        let Some(extended) = take(wide) else {
            return Ok(None);
        };
        let length = match wide {
            0 => short as u64,
            _ => extended
                .iter()
                .fold(0, |all, &byte| all << 8 | u64::from(byte)),
        };
        if length < least || length >> 63 != 0 {
            return Err(FrameError::Length);
        }
        let mask = if second & 0x80 == 0 {
            None
        } else {
            match take(4) {
                Some(&[a, b, c, d]) => Some([a, b, c, d]),
                _ => return Ok(None),
            }
        };
        let length = usize::try_from(length).map_err(|_| FrameError::Length)?;
        let Some(payload) = take(length) else {
            return Ok(None);
        };
        let mut frame = Frame {
            fin,
            opcode,
            mask,
            payload: payload.to_vec(),
        };
        if let Some(mask) = mask {
            for (byte, key) in frame.payload.iter_mut().zip(mask.iter().cycle()) {
                *byte ^= key;
            }
        }
        Ok(Some((frame, at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_come_back() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536] {
            for mask in [None, Some([0x37, 0xFA, 0x21, 0x3D])] {
                let frame = Frame {
                    mask,
                    ..Frame::new(Opcode::Binary, vec![7; length])
                };
                let bytes = frame.encode();
                assert_eq!(Frame::decode(&bytes), Ok(Some((frame, bytes.len()))));
                for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
                    assert_eq!(Frame::decode(&bytes[..cut]), Ok(None));
                }
            }
        }
        let masked = Frame {
            mask: Some([0x37, 0xFA, 0x21, 0x3D]),
            ..Frame::new(Opcode::Text, *b"Hello")
        };
        let wire = [
            0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
        ];
        assert_eq!(masked.encode(), wire);
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_base_64() {
        assert_eq!(key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for (bytes, error) in [
            (&[0xC1, 0][..], FrameError::Reserved),
            (&[0x83, 0], FrameError::Reserved),
            (&[0x09, 0], FrameError::Control),
            (&[0x88, 126, 0, 126], FrameError::Control),
            (&[0x82, 126, 0, 125], FrameError::Length),
            (&[0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255], FrameError::Length),
            (&[0x82, 127, 128, 0, 0, 0, 0, 0, 0, 0], FrameError::Length),
        ] {
            assert_eq!(Frame::decode(bytes), Err(error));
        }
        let far = [0x82, 127, 127, 255, 255, 255, 255, 255, 255, 255];
        assert!(matches!(
            Frame::decode(&far),
            Ok(None) | Err(FrameError::Length)
        ));
        assert_eq!(
            Frame::fragments(Opcode::Text, &[]),
            [Frame::new(Opcode::Text, [])]
        );
    }
}
