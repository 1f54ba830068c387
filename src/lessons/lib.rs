//! The catalogue: every chapter's lessons in one list. A chapter is a crate of its own, so that a change to one lesson
//! compiles its neighbours and nobody else; a lesson is a folder in it.

pub use kit::listing::{About, Entry};

/// The lists of all chapters one after the other.
const fn joined<T: Copy, const N: usize>(lists: &[&[T]]) -> [T; N] {
    let (mut list, mut at) = (0, 0);
    while lists[list].is_empty() {
        list += 1;
    }
    let mut all = [lists[list][0]; N];
    while list < lists.len() {
        let mut of = 0;
        while of < lists[list].len() {
            all[at] = lists[list][of];
            (at, of) = (at + 1, of + 1);
        }
        list += 1;
    }
    all
}

/// Names the chapters, in the order of the catalogue.
macro_rules! chapters {
    ($($chapter:ident),+ $(,)?) => {
        const COUNT: usize = 0 $(+ $chapter::ABOUT.len())+;

        /// Every lesson that is built, in the order of the catalogue.
        pub static CATALOGUE: &[Entry] = &joined::<_, COUNT>(&[$($chapter::LESSONS),+]);

        /// What press tells of each, in the same order.
        const ABOUT: [About; COUNT] = joined(&[$($chapter::ABOUT),+]);
    };
}

chapters![
    traffic, services, messages, memory, data, database, compute, systems,
];

/// What `press new` copies, by the layer that it stands on. They are tested as every lesson is, and no page knows them.
pub static TEMPLATES: &[(&str, Entry)] = &[
    ("system", templates::LESSONS[0]),
    ("flow", templates::LESSONS[1]),
    ("cluster", templates::LESSONS[2]),
    ("bench", templates::LESSONS[3]),
    ("events", templates::LESSONS[4]),
];

/// What press tells of the lesson of this slug, be it built or a template.
pub fn about(slug: &str) -> Option<About> {
    let is = |entry: &Entry| entry.card.slug == slug;
    let template = || {
        let at = templates::LESSONS.iter().position(is);
        at.map(|at| templates::ABOUT[at])
    };
    let at = CATALOGUE.iter().position(is);
    at.map(|at| ABOUT[at]).or_else(template)
}

/// The lesson of this slug.
pub fn find(slug: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.card.slug == slug)
}

/// The folder of the lesson of this slug, from the top of the project; that of one that is not there is where the list is.
pub fn folder(slug: &str) -> String {
    let module = slug.replace('-', "_");
    let is = |entry: &&Entry| entry.card.slug == slug;
    let chapter = match templates::LESSONS.iter().any(|entry| is(&entry)) {
        true => Some("templates"),
        false => find(slug).map(|entry| entry.card.chapter),
    };
    chapter.map_or_else(
        || format!("src/lessons/{module}"),
        |chapter| format!("src/lessons/{chapter}/{module}"),
    )
}
