//! What a learner types: a bounded text that is answered when it is bad, and that travels as a plain copy.
//!
//! An [`crate::Act`], an input and a note are plain copies, and so is the text that comes with them: each different one is kept
//! once for the life of the program, as compilers keep names. How many are kept is bounded, as is the length of each.

use crate::text;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// No field takes more characters than this.
pub const MOST: usize = 200;
/// So many different texts are kept; who types more is told so.
const KEPT_MAX: usize = 4_096;

static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// What an action takes that is done with a text.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// At most so many characters.
    pub most: usize,
    /// Why the model may refuse a text; the words `refused.<id>`.
    pub refusals: &'static [&'static str],
    /// What may well be typed. The first is the field's example, and tests type them all.
    pub samples: &'static [&'static str],
}

/// A text that was typed: neither empty, nor too long, nor with characters that nobody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Typed(&'static str);

/// Why a text is not taken; nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is nothing in it.
    Empty,
    /// It has more characters than this.
    Long(usize),
    /// It has characters that control a terminal, break a line or turn the direction of all that follows.
    Unreadable,
    /// More different texts were typed than the program keeps.
    Full,
    /// The action takes no text, or makes no sense now.
    Now,
    /// The model's own reason, the word `refused.<id>`.
    Because(&'static str),
}

impl Refusal {
    /// Its name in messages, and that of its word: `refused.<name>`, of the lesson for its own reasons, of the site for all others.
    pub const fn name(self) -> &'static str {
        match self {
            Refusal::Empty => "empty",
            Refusal::Long(_) => "long",
            Refusal::Unreadable => "unreadable",
            Refusal::Full => "full",
            Refusal::Now => "now",
            Refusal::Because(id) => id,
        }
    }
}

impl Typed {
    /// Takes a text of at most `most` characters; blanks around it do not count.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn new(text: &str, most: usize) -> Result<Typed, Refusal> {
        let text = text.trim();
        let most = most.min(MOST);
        if text.is_empty() {
            return Err(Refusal::Empty);
        }
        // A flood is not counted to its end.
        if text.chars().nth(most).is_some() {
            return Err(Refusal::Long(most));
        }
        if text.chars().any(is_unreadable) {
            return Err(Refusal::Unreadable);
        }
        // Nothing that could fail is done while it is locked.
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(text) {
            return Ok(Typed(known));
        }
        if kept.len() >= KEPT_MAX {
            return Err(Refusal::Full);
        }
        let text: &'static str = Box::leak(text.into());
        kept.insert(text);
        Ok(Typed(text))
    }

    /// The text.
    pub const fn text(self) -> &'static str {
        self.0
    }

    /// The text as a sentence quotes it; one that is read from the right does not turn the sentence around it.
    pub fn quoted(self) -> String {
        match self.0.chars().any(text::from_right) {
            true => format!("“\u{2068}{}\u{2069}”", self.0),
            false => format!("“{}”", self.0),
        }
    }
}

/// Whether a character is a control, or one that embeds, overrides or isolates a direction (Unicode Standard Annex 9).
fn is_unreadable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_writes_is_taken_as_it_is() {
        for text in [
            "fox",
            "naïve café",
            "e\u{301}",
            "👩‍👩‍👧‍👦",
            "שלום",
            "مرحبا fox",
            "狐",
            "<b>&amp;\"'",
            "=1+1",
        ] {
            let typed = Typed::new(text, 60).expect(text);
            assert_eq!(typed.text(), text);
        }
        assert_eq!(Typed::new("  fox \n", 3).map(Typed::text), Ok("fox"));
        assert_eq!(Typed::new("fox", 60), Typed::new(" fox", 60));
    }

    #[test]
    fn what_cannot_be_shown_is_answered() {
        for (text, why) in [
            ("", Refusal::Empty),
            (" \t\u{3000}", Refusal::Empty),
            ("12345678901", Refusal::Long(10)),
            ("a\0b", Refusal::Unreadable),
            ("a\nb", Refusal::Unreadable),
            ("a\u{202e}b", Refusal::Unreadable),
        ] {
            assert_eq!(Typed::new(text, 10), Err(why), "{text:?}");
        }
        let flood = "x".repeat(1 << 20);
        assert_eq!(Typed::new(&flood, usize::MAX), Err(Refusal::Long(MOST)));
    }

    #[test]
    fn a_sentence_is_not_turned_by_what_it_quotes() {
        let quoted = |text| Typed::new(text, 10).map(Typed::quoted).unwrap();
        assert_eq!(quoted("fox"), "“fox”");
        assert_eq!(quoted("שלום"), "“\u{2068}שלום\u{2069}”");
    }
}
