//! What a learner types: addresses of the web, and codes of their own choice.

use algorithms::base62::{DIGITS_LOWER_UPPER, encode};

/// An address of the web in full, if that is what the text is: `http` or `https` or no scheme, a host of at least two labels (RFC
/// 1123), perhaps a port, then anything without blanks. Names and passwords before the host are what fraud is made of, so they are
/// refused.
pub(super) fn address(text: &str) -> Option<String> {
    let split = text.split_once("://");
    let rest = match split {
        None => text,
        Some((scheme, rest)) => {
            let web = ["http", "https"]
                .iter()
                .any(|web| scheme.eq_ignore_ascii_case(web));
            web.then_some(rest)?
        }
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, port) = match rest[..end].split_once(':') {
        None => (&rest[..end], "80"),
        Some(parts) => parts,
    };
    let label = |label: &str| {
        let inner = |c: char| c.is_alphanumeric() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fine = host.len() <= 253
        && host.contains('.')
        && host.split('.').all(label)
        && port.bytes().all(|digit| digit.is_ascii_digit())
        && port.parse::<u16>().is_ok()
        && !text.contains(char::is_whitespace);
    fine.then(|| match split {
        None => format!("https://{text}"),
        Some(_) => text.to_owned(),
    })
}

/// The number of a code as it is written with `length` characters in base `base`, if that is what the text is.
pub(super) fn code(text: &str, base: u64, length: usize) -> Option<u64> {
    let digits = &DIGITS_LOWER_UPPER[..base as usize];
    let digit = |byte: u8| digits.iter().position(|one| *one == byte);
    let number = text.bytes().try_fold(0_u64, |number, byte| {
        number.checked_mul(base)?.checked_add(digit(byte)? as u64)
    })?;
    (encode(number, base, length, &DIGITS_LOWER_UPPER) == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_are_told_from_all_else() {
        for (text, full) in [
            ("example.org", "https://example.org"),
            (
                "HTTP://example.org:8080/a?b=c#d",
                "HTTP://example.org:8080/a?b=c#d",
            ),
            ("https://例え.テスト/ü", "https://例え.テスト/ü"),
            ("a.b?x", "https://a.b?x"),
        ] {
            assert_eq!(address(text).as_deref(), Some(full));
        }
        for text in [
            "fox",
            "javascript:alert(1)",
            "ftp://example.org",
            "https://",
            "https:///a.b",
            "user@example.org",
            "https://user:secret@example.org/",
            "example.org:99999",
            "example.org:",
            "example.org:+80",
            "-a.org",
            "a..b",
            ".org",
            "a b.org",
            "example.org/a b",
            "👩.org",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_is_what_the_source_could_have_made() {
        assert_eq!(code("00ff", 16, 4), Some(255));
        assert_eq!(
            code("fox7", 62, 4),
            Some(((15 * 62 + 24) * 62 + 33) * 62 + 7)
        );
        for (text, base, length) in [
            ("ff", 16, 4),
            ("000ff", 16, 4),
            ("00FF", 16, 4),
            ("fox", 16, 3),
            ("fö", 62, 2),
            ("zzzzzzzzzzzzzzzz", 62, 8),
            ("", 62, 2),
        ] {
            assert_eq!(code(text, base, length), None, "{text}");
        }
    }
}
