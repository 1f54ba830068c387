//! The story, its predictions, and things to try.

use super::model::{Answer, INDEX, LADDER, Library, PILE, QUESTION, TABLE};
use super::settings::{Ids, Kind};
use super::store::{Op, ladder};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

const BILLION: u64 = 1_000_000_000;
/// A full scan takes 1.6 ms: at this speed half a dozen seconds.
const SLOW: Setup = Setup::Speed(0.000_25);

/// The last answer, if it is of this kind and through this index.
fn answer(library: &Library, kind: Kind, is: fn(Op) -> bool) -> Option<Answer> {
    let last = library.last?;
    (library.store.kind == kind && is(last.op)).then_some(last)
}

fn row(op: Op) -> bool {
    matches!(op, Op::Row(_))
}

fn range(op: Op) -> bool {
    matches!(op, Op::Range(_))
}

fn open(op: Op) -> bool {
    op == Op::Open
}

/// An answer by the index on a table of which much is open.
fn much(library: &Library) -> Option<Answer> {
    answer(library, Kind::Tree, open).filter(|last| last.plan.by_index && last.plan.rows >= 100)
}

fn grown(library: &Library) -> bool {
    library.ids() == Ids::Random && library.grown.rows >= 2 * PILE
}

pub(super) const STORY: &[Beat<Library>] = &[
    Beat {
        id: "meet",
        points: &[TABLE],
        shows: &[
            figure(TABLE, "rows").is(512.0),
            figure(TABLE, "pages").is(64.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "scan",
        setup: &[SLOW],
        when: |library| answer(library, Kind::None, row).is_some(),
        points: &[TABLE, QUESTION],
        shows: &[figure(QUESTION, "read").within(1.0, 64.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "tree",
        setup: &[Setup::Set("index", 3.0)],
        when: |library| answer(library, Kind::Tree, row).is_some(),
        points: &[INDEX, QUESTION],
        shows: &[
            figure(QUESTION, "read").is(4.0),
            figure(INDEX, "levels").is(3.0),
        ],
        predict: Some(Prediction {
            id: "billion",
            options: &["five", "thirty", "millions"],
            truth: |library| {
                answer(library, Kind::Avl, row)?;
                Some(match ladder(Kind::Tree, BILLION) {
                    0..=8 => 0,
                    9..=1_000 => 1,
                    _ => 2,
                })
            },
            hides: &[LADDER],
        }),
    },
    Beat {
        id: "avl",
        setup: &[Setup::Set("index", 2.0)],
        when: |library| answer(library, Kind::Avl, row).is_some(),
        points: &[INDEX, LADDER],
        shows: &[
            figure(QUESTION, "read").within(2.0, 11.0),
            figure(LADDER, "avl").is(31.0),
            figure(LADDER, "tree").is(5.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "hash",
        setup: &[Setup::Set("index", 1.0)],
        when: |library| answer(library, Kind::Hash, row).is_some(),
        points: &[INDEX, QUESTION],
        shows: &[figure(QUESTION, "read").within(2.0, 4.0)],
        predict: Some(Prediction {
            id: "range",
            options: &["two", "forty", "all"],
            truth: |library| {
                let last = answer(library, Kind::Hash, range)?;
                Some(match last.cost.read() {
                    0..=8 => 0,
                    read if read < last.pages => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "scattered",
        setup: &[Setup::Set("question", 1.0), Setup::Speed(0.000_5)],
        when: |library| answer(library, Kind::Hash, range).is_some(),
        points: &[INDEX, TABLE],
        shows: &[
            figure(QUESTION, "read").is(64.0),
            figure(TABLE, "pages").is(64.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "chain",
        setup: &[Setup::Set("index", 3.0), SLOW],
        when: |library| answer(library, Kind::Tree, range).is_some(),
        points: &[INDEX, QUESTION],
        shows: &[figure(QUESTION, "read").within(9.0, 15.0)],
        predict: Some(Prediction {
            id: "much",
            options: &["index", "scan", "same"],
            truth: |library| {
                let last = much(library)?;
                Some(match last.cost.read().cmp(&last.pages) {
                    std::cmp::Ordering::Less => 0,
                    std::cmp::Ordering::Greater => 1,
                    std::cmp::Ordering::Equal => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "planner",
        setup: &[
            Setup::Set("open", 40.0),
            Setup::Set("question", 2.0),
            Setup::Set("planner", 1.0),
            Setup::Speed(0.004),
        ],
        when: |library| much(library).is_some(),
        points: &[QUESTION, TABLE],
        shows: &[
            figure(QUESTION, "read").within(170.0, 240.0),
            figure(TABLE, "pages").is(64.0),
        ],
        predict: Some(Prediction {
            id: "random",
            options: &["fuller", "emptier", "same"],
            truth: |library| {
                let fill = library.fill().filter(|_| grown(library))?;
                // Counted ids leave leaves nine tenths full.
                Some(match fill {
                    fill if fill > 0.95 => 0,
                    fill if fill < 0.8 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "twin",
        setup: &[
            Setup::Set("planner", 0.0),
            Setup::Set("question", 0.0),
            Setup::Set("open", 2.0),
            Setup::Twin("ids", 0.0),
            Setup::Set("ids", 1.0),
            Setup::Speed(0.015),
            Setup::Act("insert", 0),
            Setup::Act("insert", 0),
        ],
        when: grown,
        points: &[INDEX],
        shows: &[
            figure(INDEX, "splits").at_least(24.0),
            figure(INDEX, "percent").at_most(75.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[Setup::Alone, Setup::Set("ids", 0.0), SLOW],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Library>] = &[
    Challenge {
        id: "warm",
        progress: |library, _| Progress::of(f64::from(library.quick), 5.0),
        solution: &[
            Setup::Set("index", 3.0),
            Setup::Set("ram", 64.0),
            Setup::Wait(Time::ms(300)),
        ],
    },
    Challenge {
        id: "shallow",
        progress: |library, _| {
            let levels = match &library.store.by_id {
                super::store::Index::Tree(tree) => tree.levels(),
                _ => u32::MAX,
            };
            Progress::all(library.store.live() >= 4_096 && levels <= 3)
        },
        solution: &[
            Setup::Set("index", 3.0),
            Setup::Set("rows", 4_096.0),
            Setup::Set("keys", 32.0),
            Setup::Wait(Time::ms(1)),
        ],
    },
    Challenge {
        id: "calm",
        progress: |library, _| {
            let tree = library.store.kind == Kind::Tree && library.ids() == Ids::Random;
            let calm = tree && library.pile.splits < 10;
            let rows = if calm { library.pile.rows } else { 0 };
            Progress::of(f64::from(rows), f64::from(PILE))
        },
        solution: &[
            Setup::Set("index", 3.0),
            Setup::Set("ids", 1.0),
            Setup::Set("rows", 4_096.0),
            Setup::Set("keys", 32.0),
            Setup::Act("insert", 0),
            Setup::Wait(Time::ms(100)),
        ],
    },
    Challenge {
        id: "loses",
        progress: |library, _| {
            let last = library.last.filter(|last| last.plan.by_index);
            let times = last.map_or(0.0, |last| {
                f64::from(last.cost.read()) / f64::from(last.pages)
            });
            Progress::of(times, 5.0)
        },
        solution: &[
            Setup::Set("index", 3.0),
            Setup::Set("open", 60.0),
            Setup::Set("question", 2.0),
            Setup::Set("planner", 1.0),
            Setup::Set("ram", 0.0),
            Setup::Wait(Time::ms(60)),
        ],
    },
];
