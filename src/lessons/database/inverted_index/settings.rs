//! What the learner sets.

use algorithms::text_analysis::{Gates, Stem};
use engine::choices;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Query {
    QuickBrownFox,
    Quick,
    BrownFox,
    Jum,
    ToBe,
    University,
    Trouble,
    TheFox,
    Foxes,
}
choices!(Query {
    "quick-brown-fox" => Query::QuickBrownFox, "quick" => Query::Quick, "brown-fox" => Query::BrownFox, "jum" => Query::Jum,
    "to-be" => Query::ToBe, "university" => Query::University, "trouble" => Query::Trouble, "the-fox" => Query::TheFox,
    "foxes" => Query::Foxes,
});

/// What several words mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    All,
    Any,
    Phrase,
}
choices!(Meaning { "all" => Meaning::All, "any" => Meaning::Any, "phrase" => Meaning::Phrase });

/// What the last gate does with endings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    None,
    Porter,
    Porter2,
    Lemma,
}
choices!(Ending { "none" => Ending::None, "porter" => Ending::Porter, "porter2" => Ending::Porter2, "lemma" => Ending::Lemma });

/// Which pages there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    Three,
    Eight,
    Library,
}
choices!(Pages { "three" => Pages::Three, "eight" => Pages::Eight, "library" => Pages::Library });

/// How pages are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Find {
    Lists,
    Bits,
    Scan,
}
choices!(Find { "lists" => Find::Lists, "bits" => Find::Bits, "scan" => Find::Scan });

/// In which order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    Matched,
    Bm25,
    Linked,
}
choices!(Rank { "matched" => Rank::Matched, "bm25" => Rank::Bm25, "linked" => Rank::Linked });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// What is asked, over and over.
        query: choice Query "query" = Query::QuickBrownFox,
        /// What several words mean.
        meaning: choice Meaning "meaning" = Meaning::All,
        /// What becomes of endings.
        stem: choice Ending "stem" = Ending::Porter,
        /// Whether stop words are left out.
        stop: switch "stop" = true,
        /// Which pages there are.
        pages: choice Pages "pages" = Pages::Three,
        /// How pages are found.
        find: choice Find "find" = Find::Lists,
        /// Pages of the library.
        size: slider "size" [500.0, 5000.0, 500.0] "" = 2000.0,
        /// Whether queries go past the gates.
        raw: switch "raw" = false,
        /// In which order pages are shown.
        rank: choice Rank "rank" = Rank::Matched,
        /// Who fetches pages.
        spiders: whole "spiders" [1, 4] "" = 1,
        /// So many words later each word of a phrase may come.
        slack: whole "slack" [0, 3] "" = 0,
    }
}

impl Settings {
    /// The gates of pages.
    pub(super) fn gates(&self) -> Gates {
        let stem = match self.stem {
            Ending::None => Stem::None,
            Ending::Porter => Stem::Porter,
            Ending::Porter2 => Stem::Porter2,
            Ending::Lemma => Stem::Lemma,
        };
        Gates {
            lower: true,
            stop: self.stop,
            stem,
        }
    }
}
