//! The pages that are searched: the notes' three, five traps, and a library that is made from a seed.
//!
//! These are data, English in every language: what stemmers and stop words do to them is the subject.

use super::settings::{Pages, Query};
use algorithms::zipf::Zipf;
use engine::random::{Streams, below};
use engine::{Stream, Typed};
use std::sync::Arc;

const LIBRARY: Stream = Stream::named("library");
const LINKS: Stream = Stream::named("links");
/// Different words of the library.
const VOCABULARY: usize = 800;
const WORDS_A_PAGE: usize = 12;
/// So many pages a learner may write.
const OWN_MAX: usize = 12;
/// The most pages there can be.
pub(super) const PAGES_MAX: u32 = 5_600;

const NOTES: [&str; 8] = [
    "The quick brown fox jumped over the lazy dog",
    "Quick brown fox leap over lazy dogs in Summer",
    "The fox quickly jumped over the bridge",
    "A fox, brown and quick",
    "To be or not to be",
    "The universe is large",
    "Troubled times, troubling news, trouble",
    "Foxes in summer, brown and lazy",
];

/// The commonest words, by rank; then come words that mean nothing.
const COMMON: &str = "the of and to in a is that for it as was with be by on not he this are or his from at which but have an had \
they you were their one all we can her has there been if more when will would who so no fox brown news time summer dog over large \
bridge quick lazy trouble jump jumped quickly universe university jumper jumbo jumble";

/// What is asked by a query; an asterisk stands for any end.
pub(super) fn text(query: Query) -> &'static str {
    match query {
        Query::QuickBrownFox => "quick brown fox",
        Query::Quick => "quick",
        Query::BrownFox => "brown fox",
        Query::Jum => "jum*",
        Query::ToBe => "to be or not to be",
        Query::University => "university",
        Query::Trouble => "trouble",
        Query::TheFox => "the fox",
        Query::Foxes => "Foxes",
    }
}

/// All pages, numbered from 1.
#[derive(Clone, Debug)]
pub(super) struct Corpus {
    pub(super) seed: u32,
    zipf: Zipf,
    vocabulary: Arc<[String]>,
    /// How many of [`NOTES`] come first.
    notes: u32,
    /// How many there are.
    pub(super) count: u32,
    /// A page with "quick" 50 times.
    pub(super) spam: Option<u32>,
    /// Pages that a learner wrote, the last of all as they came.
    own: Vec<(u32, Typed)>,
}

impl Corpus {
    pub(super) fn new(seed: u32, pages: Pages, size: f64) -> Corpus {
        let notes = if pages == Pages::Three { 3 } else { 8 };
        let more = if pages == Pages::Library {
            size as u32
        } else {
            0
        };
        Corpus {
            seed,
            zipf: Zipf::new(VOCABULARY, 1.0),
            vocabulary: vocabulary(),
            notes,
            count: notes + more,
            spam: None,
            own: Vec::new(),
        }
    }

    /// Whether a page is one of those that are read word by word.
    pub(super) fn by_hand(&self, page: u32) -> bool {
        page <= self.notes || self.spam == Some(page) || self.own(page).is_some()
    }

    /// Whether there is room for one more page.
    pub(super) fn has_room(&self) -> bool {
        self.own.len() < OWN_MAX && self.count < PAGES_MAX
    }

    /// A page of the learner's own.
    pub(super) fn write(&mut self, text: Typed) {
        self.count += 1;
        self.own.push((self.count, text));
    }

    /// The same written pages, behind other ones.
    pub(super) fn take_over(&mut self, was: &Corpus) {
        was.own.iter().for_each(|(_, text)| self.write(*text));
    }

    fn own(&self, page: u32) -> Option<Typed> {
        let at = self.own.binary_search_by_key(&page, |(own, _)| *own);
        at.ok().map(|at| self.own[at].1)
    }

    /// What stands on a page: the same whenever it is asked, so that nothing has to be kept.
    pub(super) fn text(&self, page: u32) -> String {
        if self.spam == Some(page) {
            return format!("Brown fox {}", "quick ".repeat(50));
        }
        if let Some(own) = self.own(page) {
            return own.text().to_owned();
        }
        if page <= self.notes {
            return NOTES[page.saturating_sub(1) as usize].to_owned();
        }
        let mut streams = Streams::new(self.seed);
        let random = streams.get(LIBRARY.nth(u64::from(page)));
        let mut text = String::with_capacity(80);
        for _ in 0..WORDS_A_PAGE {
            text.push_str(&self.vocabulary[self.zipf.sample(random)]);
            text.push(' ');
        }
        text.pop();
        text
    }

    /// The pages that a page leads to: two that nobody else has named before, and two of the older ones, of which the oldest
    /// are named most.
    pub(super) fn links(&self, page: u32) -> Vec<u32> {
        let mut streams = Streams::new(self.seed);
        let random = streams.get(LINKS.nth(u64::from(page)));
        let mut links: Vec<u32> = [2 * page, 2 * page + 1].into();
        for _ in 0..2 {
            let newest = below(random, page as usize) + 1;
            links.push(below(random, newest) as u32 + 1);
        }
        links.retain(|to| *to <= self.count && *to != page);
        links
    }
}

/// The library's words by rank.
fn vocabulary() -> Arc<[String]> {
    let syllable = |n: usize, word: &mut String| {
        word.push(char::from(b"bdfgklmnprtvz"[n % 13]));
        word.push(char::from(b"aeiou"[n / 13 % 5]));
    };
    let made = |rank: usize| {
        let mut word = String::with_capacity(5);
        syllable(rank / 25, &mut word);
        syllable(rank % 25 * 11, &mut word);
        word.push(char::from(b"nrtkm"[rank % 5]));
        word
    };
    let common: Vec<String> = COMMON.split(' ').map(str::to_owned).collect();
    let rest = common.len()..VOCABULARY;
    common.into_iter().chain(rest.map(made)).collect()
}
