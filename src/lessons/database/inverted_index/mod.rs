//! Inverted index: how does search find a word in a billion pages without reading them?

mod corpus;
mod model;
mod searcher;
mod settings;
mod story;
mod terms;
mod view;
mod walk;

#[cfg(test)]
mod tests;

pub use model::Search;
pub use settings::Settings;

use engine::{
    ActionSpec, Card, Code, Field, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time,
};

/// The lesson.
pub struct InvertedIndex;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Different terms, and words indexed.
    pub(super) const TERMS: usize = 0;
    pub(super) const TOKENS: usize = 1;
    /// Comparisons of a query by the index, letters read by a scan.
    pub(super) const COMPARED: usize = 2;
    pub(super) const LETTERS: usize = 3;
    /// Bytes of page numbers alone, with positions, and as rows of bits.
    pub(super) const POSTINGS: usize = 4;
    pub(super) const POSITIONS: usize = 5;
    pub(super) const BITS: usize = 6;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "work",
        &[
            Line::mean("compared", probe::COMPARED, Ink::Accent).filled(),
            Line::mean("letters", probe::LETTERS, Ink::Warn),
        ],
        20.0,
    ),
    Plot::of(
        "terms",
        &[
            Line::mean("terms", probe::TERMS, Ink::Hit).filled(),
            Line::mean("tokens", probe::TOKENS, Ink::Secondary),
        ],
        30.0,
    ),
    Plot {
        scale: 0.001,
        ..Plot::of(
            "size",
            &[
                Line::mean("postings", probe::POSTINGS, Ink::Hit).filled(),
                Line::mean("positions", probe::POSITIONS, Ink::Accent),
                Line::mean("bits", probe::BITS, Ink::Secondary),
            ],
            0.2,
        )
    },
];

const OWN_QUERY: &Field = &Field {
    most: 60,
    refusals: &["no-word"],
    samples: &["summer fox", "Foxes", "brow*", "of the", "penguin"],
};
const OWN_PAGE: &Field = &Field {
    most: 120,
    refusals: &["no-word", "enough"],
    samples: &[
        "Two brown foxes sleep while a lazy dog keeps watch",
        "To be quick is not to be hasty",
    ],
};

impl Lesson for InvertedIndex {
    type Model = Search;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Search> = Sheet {
        actions: &[
            ActionSpec::whole("raw"),
            ActionSpec::whole("stale"),
            ActionSpec::whole("delete"),
            ActionSpec::whole("spam"),
            ActionSpec::whole("crawl"),
            ActionSpec::typed("ask-own", OWN_QUERY),
            ActionSpec::typed("write", OWN_PAGE),
        ],
        probes: &[
            Probe::Level,
            Probe::Level,
            Probe::Spread,
            Probe::Spread,
            Probe::Level,
            Probe::Level,
            Probe::Level,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Message, Ink::Accent),
            (Glyph::Failure, Ink::Warn),
            (Glyph::Request, Ink::Accent),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 1.0,
        twin: ("find", 2.0),
        still: Time::ms(9_400),
        ..Sheet::usual(
            Card {
                slug: "inverted-index",
                chapter: "database",
                tables: &["inverted_index", "porter_stemmer"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/text_analysis.rs",
            region: "gates",
            marks: &[
                ("left-out", "let dropped"),
                ("asked-left-out", "let dropped"),
            ],
        },
        Code {
            file: "algorithms/inverted_index.rs",
            region: "add",
            marks: &[("posting", ".push(page, *position);")],
        },
        Code {
            file: "algorithms/inverted_index.rs",
            region: "merge",
            marks: &[("moves", "i += "), ("equal", "both.push(")],
        },
        Code {
            file: "algorithms/inverted_index.rs",
            region: "gallop",
            marks: &[],
        },
        Code {
            file: "algorithms/inverted_index.rs",
            region: "phrase",
            marks: &[("position", "trace(word, *position);")],
        },
        Code {
            file: "algorithms/inverted_index.rs",
            region: "prefix",
            marks: &[("looks", "trace(middle);")],
        },
        Code {
            file: "algorithms/stemmer.rs",
            region: "porter",
            marks: &[],
        },
        Code {
            file: "lessons/database/inverted_index/searcher.rs",
            region: "scan",
            marks: &[("reads", "horspool::find(")],
        },
        Code {
            file: "algorithms/relevance.rs",
            region: "bm25",
            marks: &[],
        },
    ];
}
