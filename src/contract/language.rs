//! Language tags: which of the languages there are suits best.

/// The language that every lesson has words in.
pub const FALLBACK: &str = "en";

/// A tag in plain form: lower case, parted by `-`. None if it is not well-formed.
pub fn tidy(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-").to_ascii_lowercase();
    let mut parts = tag.split('-');
    let first = parts.next()?;
    let letters = (2..=8).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_lowercase());
    let rest = parts.all(|part| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    (letters && rest && tag.len() <= 35).then_some(tag)
}

/// The first of `wanted` that one of `known` serves, by ever shorter prefixes; else the fallback.
pub fn pick<'a>(wanted: &[String], known: &[&'a str]) -> &'a str {
    for tag in wanted.iter().filter_map(|tag| tidy(tag)) {
        let mut prefix = tag.as_str();
        loop {
            if let Some(found) = known.iter().find(|name| name.eq_ignore_ascii_case(prefix)) {
                return found;
            }
            match prefix.rsplit_once('-') {
                Some((shorter, _)) => prefix = shorter,
                None => break,
            }
        }
    }
    FALLBACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_tidied_or_refused() {
        assert_eq!(tidy("pt_BR").as_deref(), Some("pt-br"));
        assert_eq!(tidy("zh-Hant-TW").as_deref(), Some("zh-hant-tw"));
        for odd in [
            "",
            "e",
            "en--us",
            "12",
            "en-",
            "en us",
            "ä",
            "toolonglanguage",
            "\0",
        ] {
            assert_eq!(tidy(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn languages_fall_back_by_prefix() {
        let known = ["en", "pt", "pt-br"];
        let pick = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(|&tag| tag.to_owned()).collect();
            super::pick(&wanted, &known)
        };
        assert_eq!(pick(&["pt_BR"]), "pt-br");
        assert_eq!(pick(&["pt-PT-x-old"]), "pt");
        assert_eq!(pick(&["xx", "pt"]), "pt");
        assert_eq!(pick(&["de-CH", "EN_us"]), "en");
        assert_eq!(pick(&["xx", "?"]), "en");
    }
}
