//! Text analysis: what becomes of a text before it is indexed, and of a query before it is looked up.
//!
//! Four gates, in this order: only words pass (runs of letters; tags between `<` and `>` and addresses with `://` are noise),
//! capitals become small, stop words are left out, and a stemmer cuts endings. Positions count words from 1, and the gap
//! that a stop word leaves stays, as in Lucene. Only ASCII letters have
//! a lower case here. Source: Manning, Raghavan, Schütze, *Introduction to Information Retrieval*, 2008, ch. 2.

use crate::stemmer;

/// Lucene's 33 English stop words, and five more: I, me, my, must, you.
pub const STOP_WORDS: [&str; 38] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "i", "if", "in", "into", "is",
    "it", "me", "must", "my", "no", "not", "of", "on", "or", "such", "that", "the", "their",
    "then", "there", "these", "they", "this", "to", "was", "will", "with", "you",
];

/// What the last gate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// Nothing.
    None,
    /// Porter's stemmer of 1980.
    Porter,
    /// Porter's second stemmer.
    Porter2,
    /// A list of forms.
    Lemma,
}

/// The gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates {
    /// Whether capitals become small.
    pub lower: bool,
    /// Whether stop words are left out.
    pub stop: bool,
    /// What becomes of endings.
    pub stem: Stem,
}

impl Gates {
    /// All is let through as it is.
    pub const OPEN: Gates = Gates {
        lower: false,
        stop: false,
        stem: Stem::None,
    };

    // region: gates
    /// A word's way through the gates.
    pub fn pass(&self, word: &str) -> Passage {
        let small = match self.lower {
            true => word.to_ascii_lowercase(),
            false => word.to_owned(),
        };
        let dropped = self.stop && STOP_WORDS.contains(&small.as_str());
        let term = match self.stem {
            _ if dropped => String::new(),
            Stem::None => small.clone(),
            Stem::Porter => stemmer::porter(&small),
            Stem::Porter2 => stemmer::porter2(&small),
            Stem::Lemma => stemmer::lemma(&small).to_owned(),
        };
        Passage {
            small,
            dropped,
            term,
        }
    }
    // endregion

    /// The terms of a text with their positions, which count from 1.
    pub fn terms(&self, text: &str) -> Vec<(u32, String)> {
        let passed = words(text).zip(1..).map(|(word, at)| (at, self.pass(word)));
        let stay = passed.filter(|(_, passage)| !passage.dropped);
        stay.map(|(at, passage)| (at, passage.term)).collect()
    }
}

/// What a word is after the gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// After the second gate.
    pub small: String,
    /// Whether the third gate kept it.
    pub dropped: bool,
    /// After the last gate; empty if it was dropped.
    pub term: String,
}

/// The words of a text, in order.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(|c: char| c.is_alphabetic() || c == '<')?;
            rest = &rest[start..];
            if rest.starts_with('<') {
                // A tag that does not end is no tag.
                rest = rest.find('>').map_or(&rest[1..], |end| &rest[end + 1..]);
                continue;
            }
            let end = rest
                .find(|c: char| !c.is_alphabetic())
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if after.starts_with("://") {
                rest = after.find(' ').map_or("", |end| &after[end..]);
                continue;
            }
            rest = after;
            return Some(word);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Gates = Gates {
        lower: true,
        stop: true,
        stem: Stem::Porter,
    };

    #[test]
    fn noise_is_no_word() {
        let text = "<p class='x'>The fox,</p> see http://a.b/c?d=1 <b>twice</b>: 3 < 4 dogs";
        let found: Vec<&str> = words(text).collect();
        assert_eq!(found, ["The", "fox", "see", "twice", "dogs"]);
        assert_eq!(words(" … 12 à").collect::<Vec<_>>(), ["à"]);
        assert_eq!(words("<").count() + words("").count(), 0);
    }

    #[test]
    fn stop_words_leave_a_gap() {
        let terms = ALL.terms("The quick brown fox jumped over the lazy dog");
        let terms: Vec<(u32, &str)> = terms
            .iter()
            .map(|(at, term)| (*at, term.as_str()))
            .collect();
        let expected = [
            (2, "quick"),
            (3, "brown"),
            (4, "fox"),
            (5, "jump"),
            (6, "over"),
            (8, "lazi"),
            (9, "dog"),
        ];
        assert_eq!(terms, expected);
        assert!(ALL.terms("To be or not to be").is_empty());
    }

    #[test]
    fn each_gate_can_stand_open() {
        assert_eq!(Gates::OPEN.terms("The Foxes")[1], (2, "Foxes".to_owned()));
        let stem = |stem| Gates { stem, ..ALL }.pass("Quickly").term;
        assert_eq!(
            [Stem::None, Stem::Porter, Stem::Porter2].map(stem),
            ["quickly", "quickli", "quick"]
        );
        assert_eq!(
            Gates {
                stem: Stem::Lemma,
                ..ALL
            }
            .pass("Troubling")
            .term,
            "trouble"
        );
        assert!(STOP_WORDS.is_sorted());
    }
}
