//! Searching a text without an index: Boyer and Moore's algorithm as Horspool simplified it.
//!
//! The pattern is held against the text and compared from its end; where it does not fit, the text's letter under that end says
//! how far it can be moved. So a text of n letters takes about n ÷ m looks for a pattern of m. Source: R. N. Horspool, *Practical
//! fast searching in strings*, Software: Practice and Experience 10, 1980.

/// Where a pattern first stands in a text, and how many letters of the text were looked at.
pub fn find(pattern: &[u8], text: &[u8]) -> (Option<usize>, usize) {
    let (m, mut at, mut read) = (pattern.len(), 0, 0);
    // region: horspool
    while at + m <= text.len() {
        let same = (0..m)
            .rev()
            .take_while(|i| pattern[*i] == text[at + i])
            .count();
        read += (same + 1).min(m);
        if same == m {
            return (Some(at), read);
        }
        // Its last letter is moved under an equal one of the pattern, or past it.
        let under = text[at + m - 1];
        let shift = pattern[..m - 1]
            .iter()
            .rev()
            .position(|letter| *letter == under);
        at += shift.map_or(m, |back| back + 1);
    }
    // endregion
    (None, read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;
    use rand_pcg::Pcg32;

    #[test]
    fn it_finds_what_comparing_everywhere_finds() {
        let mut rng = Pcg32::new(5, 5);
        for _ in 0..crate::schedules(3_000) {
            let mut word = |most: usize| -> Vec<u8> {
                let n = rng.random_range(0..=most);
                (0..n).map(|_| b'a' + rng.random_range(0..3_u8)).collect()
            };
            let (pattern, text) = (word(4), word(30));
            let brute = (0..=text.len()).find(|at| text[*at..].starts_with(&pattern));
            assert_eq!(find(&pattern, &text).0, brute, "{pattern:?} in {text:?}");
        }
    }

    #[test]
    fn it_looks_at_a_fraction_of_the_letters() {
        let text = "the quick brown dog jumped over the lazy cat".repeat(20);
        let (found, read) = find(b"unicycle", text.as_bytes());
        assert_eq!(found, None);
        assert!(read < text.len() / 4, "{read} of {}", text.len());
    }
}
