//! How many bytes requests, answers and set-ups cost beside what they carry.

use algorithms::hpack;

/// Fields of a browser's request, as it sends them with each one.
const FIELDS: [(&str, &str); 11] = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "shop.example"),
    (":path", "/assets/picture-04.webp"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (
        "accept",
        "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
    ),
    ("accept-language", "en-GB,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://shop.example/"),
    (
        "cookie",
        "session=7f3c0a41d9e84b0c8a5e2f6b9d1c4e70; theme=dark",
    ),
    ("priority", "u=4, i"),
];
/// Bytes of the head of a frame of HTTP/2 or 3.
const FRAME: usize = 9;
/// The first number that HPACK gives to a field that was sent before (RFC 7541, appendix A).
const DYNAMIC: u64 = 62;
/// About what an answer's head takes.
pub(super) const ANSWER_BYTES: usize = 180;
/// About what a round trip of a set-up takes, both ways together.
pub(super) const SETUP_BYTES: usize = 1_200;

/// Bytes of a request's head: written out each time with HTTP/1.1; with streams a field that was sent before on this
/// connection is a number (HPACK without Huffman's code).
pub(super) fn request_bytes(streams: bool, sent_before: u32) -> usize {
    if !streams {
        return FIELDS
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4)
            .sum();
    }
    let text = |text: &str| hpack::encode_integer(text.len() as u64, 7).len() + text.len();
    let written = |(name, value): &(&str, &str)| 1 + text(name) + text(value);
    let known = |i: usize| hpack::encode_integer(DYNAMIC + i as u64, 7).len();
    let field = |(i, field): (usize, &(&str, &str))| {
        // The path differs from file to file; its name is in the static table.
        match (sent_before, field.0) {
            (0, _) => written(field),
            (_, ":path") => 1 + text(field.1),
            _ => known(i),
        }
    };
    FRAME + FIELDS.iter().enumerate().map(field).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::request_bytes;

    #[test]
    fn what_was_sent_before_costs_a_byte_a_field() {
        let plain = request_bytes(false, 0);
        assert_eq!(plain, request_bytes(false, 9));
        assert!((400..600).contains(&plain), "{plain}");
        assert_eq!(request_bytes(true, 1), 9 + 10 + 1 + 1 + 23);
        assert!(request_bytes(true, 0) > plain - 50);
    }
}
