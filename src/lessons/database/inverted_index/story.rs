//! The story, its predictions, and things to try.

use super::corpus;
use super::model::{GATES, INDEX, PAGES, QUERY, RESULTS, Search};
use super::searcher::Asked;
use super::settings::{Find, Meaning, Pages, Query, Rank};
use algorithms::text_analysis::words;
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

/// The answer to this query, by the index, once it is there.
fn answer(search: &Search, query: Query, meaning: Meaning) -> Option<&Asked> {
    let last = search.last.as_deref()?;
    let fits = last.text == corpus::text(query) && last.settings.meaning == meaning;
    (fits && !last.raw && last.settings.find == Find::Lists).then_some(last)
}

fn phrase(search: &Search) -> Option<&Asked> {
    answer(search, Query::BrownFox, Meaning::Phrase)
        .filter(|_| search.craft.settings.pages == Pages::Eight)
}

fn to_be(search: &Search) -> Option<&Asked> {
    answer(search, Query::ToBe, Meaning::All)
}

pub(super) const STORY: &[Beat<Search>] = &[
    Beat {
        id: "meet",
        points: &[GATES, INDEX],
        shows: &[
            figure(INDEX, "terms").is(7.0),
            figure(INDEX, "postings").is(7.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "built",
        when: |search| search.craft.indexed == 3 && !search.indexing(),
        points: &[INDEX],
        shows: &[
            figure(INDEX, "terms").is(11.0),
            figure(QUERY, "read").is(0.0),
        ],
        predict: Some(Prediction {
            id: "stem",
            options: &["two", "three", "one"],
            truth: |search| {
                let last = answer(search, Query::Quick, Meaning::All)?;
                Some(match last.found.as_slice() {
                    [1, 2] => 0,
                    [1] => 2,
                    _ => 1,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "stem",
        setup: &[Setup::Set("query", 1.0)],
        when: |search| answer(search, Query::Quick, Meaning::All).is_some(),
        points: &[INDEX, RESULTS],
        shows: &[figure(RESULTS, "found").is(2.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "and",
        setup: &[Setup::Set("query", 0.0)],
        when: |search| answer(search, Query::QuickBrownFox, Meaning::All).is_some(),
        points: &[QUERY],
        shows: &[
            figure(QUERY, "compared").within(3.0, 6.0),
            figure(QUERY, "letters").is(0.0),
            figure(RESULTS, "found").is(2.0),
        ],
        predict: Some(Prediction {
            id: "phrase",
            options: &["all", "first", "one"],
            truth: |search| {
                Some(match phrase(search)?.found.as_slice() {
                    [1, 2] => 1,
                    [1] => 2,
                    _ => 0,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "phrase",
        setup: &[
            Setup::Set("pages", 1.0),
            Setup::Set("meaning", 2.0),
            Setup::Set("query", 2.0),
        ],
        when: |search| phrase(search).is_some(),
        points: &[QUERY, RESULTS],
        shows: &[figure(RESULTS, "found").is(2.0)],
        predict: Some(Prediction {
            id: "stop",
            options: &["five", "many", "nothing"],
            truth: |search| {
                Some(match to_be(search)?.found.len() {
                    0 => 2,
                    1 => 0,
                    _ => 1,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "stop",
        setup: &[Setup::Set("meaning", 0.0), Setup::Set("query", 4.0)],
        when: |search| to_be(search).is_some(),
        points: &[GATES, QUERY],
        shows: &[
            figure(RESULTS, "found").is(0.0),
            figure(GATES, "dropped").is(6.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "prefix",
        setup: &[Setup::Set("pages", 2.0), Setup::Set("query", 3.0)],
        when: |search| answer(search, Query::Jum, Meaning::All).is_some(),
        points: &[INDEX],
        shows: &[
            figure(INDEX, "begin").at_least(3.0),
            figure(RESULTS, "found").at_least(20.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "same-gates",
        setup: &[Setup::Act("raw", 0)],
        when: |search| search.last.as_ref().is_some_and(|last| last.raw),
        points: &[GATES, RESULTS],
        shows: &[
            figure(RESULTS, "found").is(0.0),
            figure(GATES, "past").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "twin",
        setup: &[Setup::Set("query", 0.0), Setup::Twin("find", 2.0)],
        when: |search| answer(search, Query::QuickBrownFox, Meaning::All).is_some(),
        points: &[QUERY, PAGES],
        shows: &[
            figure(QUERY, "letters").is(0.0),
            figure(QUERY, "compared").at_least(20.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Alone,
            Setup::Set("pages", 1.0),
            Setup::Set("meaning", 1.0),
            Setup::Set("rank", 2.0),
        ],
        when: |search| {
            search
                .last
                .as_ref()
                .is_some_and(|last| last.settings.rank == Rank::Linked)
        },
        points: &[RESULTS],
        shows: &[figure(RESULTS, "found").at_least(4.0)],
        ..Beat::at_once()
    },
];

/// Whether a page that was found does not have the word that was asked for.
fn stranger(search: &Search) -> bool {
    search.last.as_ref().is_some_and(|last| {
        let [(word, _)] = last.words.as_slice() else {
            return false;
        };
        let small = word.to_ascii_lowercase();
        let lacks = |page: &u32| {
            let text = search.craft.corpus.text(*page).to_ascii_lowercase();
            // Neither holds the other: foxes and fox are no strangers.
            let mut own = words(&text).filter(|own| own.len() > 2);
            !own.any(|own| own.contains(&small) || small.contains(own))
        };
        last.found.iter().any(lacks)
    })
}

/// Comparisons for each page with fox that are few.
pub(super) const FEW: u32 = 8;

pub(super) const CHALLENGES: &[Challenge<Search>] = &[
    Challenge {
        id: "third",
        progress: |search, _| {
            let last = answer(search, Query::Quick, Meaning::All);
            let found = last.map_or(0, |last| {
                (1..=3).filter(|page| last.found.contains(page)).count()
            });
            Progress::of(found as f64, 3.0)
        },
        solution: &[
            Setup::Set("query", 1.0),
            Setup::Set("stem", 2.0),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "hamlet",
        progress: |search, _| {
            let last = search
                .last
                .as_ref()
                .filter(|last| last.text == corpus::text(Query::ToBe));
            let only =
                last.is_some_and(|last| last.found == [5] && last.settings.find != Find::Scan);
            Progress::all(only)
        },
        solution: &[
            Setup::Set("pages", 1.0),
            Setup::Set("query", 4.0),
            Setup::Set("stop", 0.0),
            Setup::Set("meaning", 2.0),
            Setup::Wait(Time::s(14)),
        ],
    },
    Challenge {
        id: "friend",
        progress: |search, _| Progress::all(stranger(search)),
        solution: &[
            Setup::Set("pages", 1.0),
            Setup::Set("query", 5.0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "few",
        progress: |search, _| {
            let last = answer(search, Query::TheFox, Meaning::All);
            let done = last
                .filter(|last| last.lists.len() == 2)
                .is_some_and(|last| {
                    let fox = search.craft.index.list(last.lists[0]).pages().len() as u32;
                    fox >= 20 && last.cost.compared <= FEW * fox
                });
            Progress::all(done)
        },
        solution: &[
            Setup::Set("pages", 2.0),
            Setup::Set("query", 7.0),
            Setup::Set("stop", 0.0),
            Setup::Wait(Time::s(14)),
        ],
    },
];
