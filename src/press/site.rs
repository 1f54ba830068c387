//! All that the site says, as read from its words and lessons.

use crate::catalogue::{self, Chapter};
use crate::code::Region;
use crate::opening::Opening;
use crate::words::Texts;
use std::collections::BTreeMap;

/// A step of the story that is printed: its words, and its pictures, two where runs are compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Its place in the story, from 1.
    pub number: usize,
    /// The id of its caption.
    pub beat: &'static str,
    /// The stage, as files of their own.
    pub pictures: Vec<String>,
}

/// What is asked and what can be tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// Questions with the ids of their answers.
    pub predictions: Vec<(&'static str, Vec<&'static str>)>,
    /// Challenges by id.
    pub challenges: Vec<&'static str>,
}

/// One lesson that exists.
#[derive(Clone, Debug, Default)]
pub struct LessonPage {
    /// Its address.
    pub slug: String,
    /// Its words and prose.
    pub texts: Texts,
    /// The outside tables that its algorithms pass.
    pub tables: Vec<String>,
    /// The code that it shows.
    pub code: Vec<Region>,
    /// Its still as a file of its own.
    pub still: String,
    /// The lesson as it opens, as parts of a page.
    pub opening: Opening,
    /// The card that a link to it unfolds to, as markup.
    pub card: String,
    /// What it asks of a learner and how long it takes, as a few words.
    pub facts: String,
    /// How high it wishes to be in the frame that an oEmbed answer gives, in CSS pixels.
    pub height: u32,
    /// The steps of its story that its hand-out shows.
    pub steps: Vec<Step>,
    /// What its hand-out asks.
    pub asked: Asked,
}

/// All that the site says.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The words of the pages around the lessons.
    pub texts: Texts,
    /// Title, question and summary of the catalogue.
    pub about: Texts,
    /// The catalogue.
    pub chapters: Vec<Chapter>,
    /// Ways through it.
    pub paths: Vec<catalogue::Path>,
    /// The lessons that exist.
    pub lessons: Vec<LessonPage>,
    /// The card that a link to the catalogue unfolds to, as markup.
    pub card: String,
    /// Where the site will stand, such as `https://example.org/loadlab/`, if that is known: previews in
    /// other sites want absolute addresses, and nothing else does.
    pub home: Option<String>,
    /// The site's words in other languages than English, by tag.
    pub translations: BTreeMap<String, Translation>,
}

/// The words of the site in another language.
#[derive(Clone, Debug, Default)]
pub struct Translation {
    /// The words of the pages around the lessons.
    pub texts: Texts,
    /// The words of those lessons that have some, by slug.
    pub lessons: BTreeMap<String, Texts>,
}
