//! What the lesson says of search, held against reading every page and against theory.

use super::InvertedIndex;
use super::corpus::{self, Corpus};
use super::model::Search;
use super::searcher::{Asked, Cost, Searcher};
use super::settings::{Ending, Find, Meaning, Pages, Query, Rank, Settings};
use super::story::FEW;
use algorithms::text_analysis::words;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Choice, Refusal, Run, Show, Time};

fn built(settings: &Settings) -> Searcher {
    let mut craft = Searcher::new(7, settings);
    craft.build(1, craft.corpus.count, &mut |_| {});
    craft.sound().unwrap();
    craft
}

fn ask(craft: &Searcher, text: &'static str) -> Asked {
    let mut last = Cost::default();
    let asked = craft.ask(text, false, &mut |step| {
        assert!(step.cost.compared >= last.compared, "costs only grow");
        last = step.cost;
    });
    assert_eq!(last, asked.cost, "the last step knows the whole cost");
    asked
}

fn found(settings: Settings, query: Query) -> Vec<u32> {
    ask(&built(&settings), corpus::text(query)).found
}

/// Reads every page and knows no index.
fn brute(craft: &Searcher, text: &str) -> Vec<u32> {
    let settings = &craft.settings;
    let wanted = craft.gates.terms(text);
    let fits = |page: &u32| {
        let has = craft.gates.terms(&craft.corpus.text(*page));
        let one = |term: &str| has.iter().any(|(_, own)| own == term);
        if let Some(start) = text.strip_suffix('*') {
            return has.iter().any(|(_, own)| own.starts_with(start));
        }
        match settings.meaning {
            _ if wanted.is_empty() => false,
            Meaning::All => wanted.iter().all(|(_, term)| one(term)),
            Meaning::Any => wanted.iter().any(|(_, term)| one(term)),
            Meaning::Phrase => {
                // All rows of positions whose distances fit.
                let mut ends: Vec<u32> = Vec::new();
                for (n, (offset, term)) in wanted.iter().enumerate() {
                    let own = has.iter().filter(|(_, own)| own == term).map(|(at, _)| *at);
                    ends = match n.checked_sub(1).map(|before| offset - wanted[before].0) {
                        None => own.collect(),
                        Some(gap) => own
                            .filter(|at| {
                                ends.iter().any(|end| {
                                    (end + gap..=end + gap + settings.slack).contains(at)
                                })
                            })
                            .collect(),
                    };
                }
                !ends.is_empty()
            }
        }
    };
    (1..=craft.corpus.count).filter(fits).collect()
}

#[test]
fn whatever_is_set_the_index_finds_what_reading_finds() {
    let library: &[&'static str] = &[
        "the fox",
        "the of and",
        "fox news summer",
        "of the",
        "in",
        "zebra",
        "jumped over",
    ];
    for (_, pages) in Pages::OPTIONS {
        for (_, stem) in Ending::OPTIONS {
            for stop in [false, true] {
                let settings = Settings {
                    pages: *pages,
                    stem: *stem,
                    stop,
                    size: 500.0,
                    ..Settings::default()
                };
                let mut craft = built(&settings);
                for (_, meaning) in Meaning::OPTIONS {
                    for find in [Find::Lists, Find::Bits] {
                        for slack in [0, 2] {
                            craft.settings = Settings {
                                meaning: *meaning,
                                find,
                                slack,
                                ..settings.clone()
                            };
                            let queries =
                                Query::OPTIONS.iter().map(|(_, query)| corpus::text(*query));
                            for text in queries.chain(library.iter().copied()) {
                                let found = ask(&craft, text).found;
                                assert_eq!(
                                    found,
                                    brute(&craft, text),
                                    "{text}: {:?}",
                                    craft.settings
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The laws above can fail: queries that meet other gates than pages did find something else, and an index that was cut short
/// or says too little of itself is no sound one.
#[test]
fn what_breaks_the_rules_is_found() {
    let mut craft = built(&Settings {
        pages: Pages::Eight,
        ..Settings::default()
    });
    craft.stale = true;
    assert_ne!(ask(&craft, "jumped").found, brute(&craft, "jumped"));
    craft.stale = false;
    assert_eq!(ask(&craft, "jumped").found, brute(&craft, "jumped"));
    craft.indexed = 4;
    assert!(craft.sound().is_err());
}

/// A stop word that was left out leaves its gap: "over the lazy" is a phrase, "over lazy" is one on another page.
#[test]
fn a_gap_stays_where_a_stop_word_was() {
    let craft = built(&Settings {
        meaning: Meaning::Phrase,
        ..Settings::default()
    });
    assert_eq!(ask(&craft, "over the lazy dog").found, [1]);
    assert_eq!(ask(&craft, "over lazy dogs").found, [2]);
    assert_eq!(ask(&craft, "jumped over the bridge").found, [3]);
}

#[test]
fn a_phrase_is_among_all_words_and_those_among_any() {
    let mut craft = built(&Settings {
        pages: Pages::Library,
        stop: false,
        ..Settings::default()
    });
    for text in ["the of", "the fox", "in the", "of the time"] {
        let mut sets = Vec::new();
        for meaning in [Meaning::Phrase, Meaning::All, Meaning::Any] {
            craft.settings.meaning = meaning;
            sets.push(ask(&craft, text).found);
        }
        assert!(sets[0].iter().all(|page| sets[1].contains(page)));
        assert!(sets[1].iter().all(|page| sets[2].contains(page)));
        assert!(sets[0].len() < sets[1].len() && sets[1].len() < sets[2].len());
    }
}

#[test]
fn the_notes_pages_as_the_story_tells_them() {
    let eight = Settings {
        pages: Pages::Eight,
        ..Settings::default()
    };
    let porter2 = Settings {
        stem: Ending::Porter2,
        ..Settings::default()
    };
    assert_eq!(found(Settings::default(), Query::Quick), [1, 2]);
    assert_eq!(found(porter2, Query::Quick), [1, 2, 3]);
    assert_eq!(
        found(
            Settings {
                meaning: Meaning::Phrase,
                ..eight.clone()
            },
            Query::BrownFox
        ),
        [1, 2]
    );
    assert_eq!(found(eight.clone(), Query::BrownFox), [1, 2, 4, 8]);
    assert!(found(eight.clone(), Query::ToBe).is_empty());
    assert_eq!(
        found(
            Settings {
                stop: false,
                ..eight.clone()
            },
            Query::ToBe
        ),
        [5]
    );
    assert_eq!(found(eight.clone(), Query::University), [6]);
    assert_eq!(found(eight.clone(), Query::Jum), [1, 3]);
    assert_eq!(found(eight.clone(), Query::Foxes), [1, 2, 3, 4, 8]);
    let craft = built(&eight);
    assert!(craft.ask("Foxes", true, &mut |_| {}).found.is_empty());
    // The notes' own index, corrected.
    let of = |term: &str| {
        craft
            .index
            .find(term)
            .map(|at| craft.index.list(at).clone())
    };
    assert_eq!(of("quick").unwrap().on(1), [2]);
    assert_eq!(of("bridg").unwrap().on(3), [7]);
    assert_eq!(of("jump").unwrap().pages(), [1, 3]);
    // LIKE finds the letters inside longer words.
    let scan = Settings {
        find: Find::Scan,
        ..Settings::default()
    };
    assert_eq!(found(scan, Query::Quick), [1, 2, 3]);
}

#[test]
fn terms_grow_slower_than_words() {
    let terms = |size| {
        let craft = built(&Settings {
            pages: Pages::Library,
            size,
            stop: false,
            stem: Ending::None,
            ..Settings::default()
        });
        (
            craft.index.tokens() as f64,
            craft.index.terms().len() as f64,
        )
    };
    // Of 800 words all are known in the end; Heaps' exponent is measured where most are still to come.
    let craft = |pages: u32| {
        let mut craft = Searcher::new(
            7,
            &Settings {
                pages: Pages::Library,
                stop: false,
                stem: Ending::None,
                ..Settings::default()
            },
        );
        craft.build(1, pages, &mut |_| {});
        (
            craft.index.tokens() as f64,
            craft.index.terms().len() as f64,
        )
    };
    let (few, many) = (craft(20), craft(120));
    let (words, terms_of) = (many.0 / few.0, many.1 / few.1);
    let power = |x: f64, n: usize| (0..n).fold(1.0, |product, _| product * x);
    // words^0.5 < terms < words^0.9
    assert!(power(terms_of, 2) > words, "{terms_of} {words}");
    assert!(power(terms_of, 10) < power(words, 9), "{terms_of} {words}");
    assert!(terms(5_000.0).1 < 1.3 * terms(500.0).1);
}

#[test]
fn leaps_answer_the_fox_with_few_comparisons_for_each_page_with_fox() {
    for seed in 1..=10 {
        let settings = Settings {
            pages: Pages::Library,
            stop: false,
            ..Settings::default()
        };
        let mut craft = Searcher::new(seed, &settings);
        craft.build(1, craft.corpus.count, &mut |_| {});
        let asked = ask(&craft, "the fox");
        let length = |at: usize| craft.index.list(asked.lists[at]).pages().len() as u32;
        let (fox, the) = (length(0), length(1));
        assert!(fox >= 20 && the > 8 * fox, "{fox} {the}");
        assert!(
            asked.cost.compared <= FEW * fox,
            "{} for {fox} and {the}",
            asked.cost.compared
        );
        assert!(asked.cost.compared < the / 2);
    }
}

#[test]
fn rare_words_weigh_more_and_spam_gains_little() {
    let mut craft = built(&Settings {
        pages: Pages::Eight,
        meaning: Meaning::Any,
        rank: Rank::Bm25,
        ..Settings::default()
    });
    craft.corpus.count += 1;
    craft.corpus.spam = Some(9);
    craft.build(9, 9, &mut |_| {});
    assert_eq!(
        craft
            .index
            .list(craft.index.find("quick").unwrap())
            .on(9)
            .len(),
        50
    );
    let asked = ask(&craft, "quick brown fox");
    let score = |page| {
        asked
            .top
            .iter()
            .find(|(other, _)| *other == page)
            .map_or(0.0, |(_, score)| *score)
    };
    assert!(
        asked.top[0].0 == 1 || asked.top[0].0 == 4,
        "{:?}",
        asked.top
    );
    assert!(score(9) < asked.top[0].1);
    craft.deleted = Some(asked.top[0].0);
    assert!(
        !ask(&craft, "quick brown fox")
            .found
            .contains(&asked.top[0].0)
    );
}

#[test]
fn a_page_of_the_library_is_the_same_in_small_and_large_ones() {
    let (small, large) = (
        Corpus::new(3, Pages::Library, 500.0),
        Corpus::new(3, Pages::Library, 5_000.0),
    );
    for page in [1, 9, 400] {
        assert_eq!(small.text(page), large.text(page));
        assert!(small.links(page).iter().all(|to| *to <= small.count));
    }
    assert_eq!(words(&small.text(44)).count(), 12);
    assert_ne!(Corpus::new(4, Pages::Library, 500.0).text(9), small.text(9));
}

#[test]
fn pages_that_are_crawled_are_indexed_once_each_by_any_number_of_spiders() {
    for spiders in [1, 4] {
        let mut run: Run<Search> = Run::with_knobs(
            sheet::<InvertedIndex>(),
            5,
            Settings {
                spiders,
                ..Settings::default()
            },
        );
        assert!(run.act(Act { spec: 4, target: 0 }));
        run.run(Time::s(40), Watch::Nothing, u64::MAX);
        let search = run.model();
        assert_eq!((search.craft.indexed, search.fetched), (503, 503));
        assert_eq!(search.craft.index.pages().len(), 503);
        search.craft.sound().unwrap();
        assert!(search.last.is_some() || search.asked().is_some());
    }
}

const OWN: Act = Act { spec: 5, target: 0 };
const WRITE: Act = Act { spec: 6, target: 0 };

/// Goes on until the present query is answered.
fn answered(run: &mut Run<Search>, text: &str) -> Asked {
    while run
        .model()
        .last
        .as_ref()
        .is_none_or(|last| last.text != text)
    {
        run.run(Time::s(100), Watch::Any, 1);
    }
    run.audit().unwrap();
    run.model().last.as_deref().unwrap().clone()
}

#[test]
fn a_written_page_is_found_by_its_words_and_a_typed_query_asks_for_them() {
    let mut run: Run<Search> = Run::new(sheet::<InvertedIndex>(), 1);
    run.type_in(WRITE, "Penguins never jumped over naïve 狐")
        .unwrap();
    run.run(Time::s(30), Watch::Nothing, u64::MAX);
    assert_eq!(run.model().craft.indexed, 4);
    for (query, found) in [
        ("penguin", &[4][..]),
        ("PENGUINS", &[4]),
        ("jumping", &[1, 3, 4]),
        ("penguin fox", &[]),
        ("naïve", &[4]),
        ("狐", &[4]),
        ("Peng*", &[4]),
        ("the", &[]),
        ("brown foxes", &[1, 2]),
    ] {
        run.type_in(OWN, query).unwrap();
        assert_eq!(answered(&mut run, query).found, found, "{query}");
    }
    // Other pages come and go; what was written stays, behind them.
    run.set_knob("pages", 1.0).unwrap();
    run.type_in(OWN, "penguins").unwrap();
    assert_eq!(answered(&mut run, "penguins").found, [9]);
}

#[test]
fn what_has_no_word_is_refused_and_there_is_an_end_to_writing() {
    let mut run: Run<Search> = Run::new(sheet::<InvertedIndex>(), 1);
    for text in ["42", "*", "<b>", "👍", "https://example.org"] {
        for act in [OWN, WRITE] {
            assert_eq!(
                run.type_in(act, text),
                Err(Refusal::Because("no-word")),
                "{text}"
            );
        }
    }
    let mut pages = 0;
    while run.type_in(WRITE, "One fox more").is_ok() {
        pages += 1;
    }
    assert_eq!(pages, 12);
    assert_eq!(run.type_in(WRITE, "fox"), Err(Refusal::Because("enough")));
}

#[test]
fn a_typed_query_gives_way_to_the_lessons_own() {
    let mut run: Run<Search> = Run::new(sheet::<InvertedIndex>(), 1);
    run.type_in(OWN, "bridge").unwrap();
    answered(&mut run, "bridge");
    run.set_knob("query", 1.0).unwrap();
    assert_eq!(answered(&mut run, "quick").text, "quick");
    run.type_in(OWN, "bridge").unwrap();
    run.run(Time::s(90), Watch::Nothing, u64::MAX);
    assert_eq!(run.model().asked().map(|asked| asked.text), Some("quick"));
}
