//! The story, its predictions, and things to try.

use super::model::{
    BARS, COPY, COUNT, Copies, End, INNERS, LEAVES, ROOTS, SEAL, SOURCE, inner, leaves, root,
};
use super::settings::{How, Trust};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Scale, Setup, Time};

const ROOT: PartId = root(COPY);
const FOUND: PartId = leaves(COPY);

pub(super) const SCALES: &[Scale] = &[Scale {
    question: "hashes",
    range: [1.0, 31.0, 1.0],
    unit: "",
    answers: &[(1.0, 0), (8.0, 1), (11.0, 2), (24.0, 3)],
}];

/// Which of the scale's answers a number of hashes is.
fn on_scale(hashes: u32) -> usize {
    SCALES[0].answer(f64::from(hashes))
}

pub(super) const STORY: &[Beat<Copies>] = &[
    Beat {
        id: "build",
        points: &[INNERS, LEAVES],
        shows: &[
            figure(COUNT, "nodes").is(31.0),
            figure(FOUND, "blocks").is(16.0),
            figure(COUNT, "read").is(1_024.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "same",
        setup: &[Setup::Set("bad", 0.0)],
        when: |copies| copies.ended(End::Same),
        points: &[ROOTS],
        shows: &[
            figure(ROOT, "equal").is(1.0),
            figure(COUNT, "hashes").is(1.0),
        ],
        predict: Some(Prediction {
            id: "hashes",
            options: &["few", "pairs", "list", "all"],
            truth: |copies| {
                let one = copies.has(16) && copies.differed == 1;
                let found = one && copies.has_found();
                found.then(|| on_scale(copies.sync.hashes))
            },
            hides: &[],
        }),
    },
    Beat {
        id: "path",
        setup: &[Setup::Act("flip", 0)],
        when: Copies::has_found,
        points: &[INNERS, LEAVES],
        shows: &[
            figure(COUNT, "hashes").is(9.0),
            figure(COUNT, "rounds").is(5.0),
            figure(FOUND, "differ").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "repair",
        setup: &[Setup::Speed(1.0)],
        when: |copies| copies.ended(End::Mended),
        points: &[BARS, ROOTS],
        shows: &[
            figure(COUNT, "mb").is(64.0),
            figure(ROOT, "equal").is(1.0),
            figure(BARS, "whole").is(1_024.0),
        ],
        predict: Some(Prediction {
            id: "many",
            options: &["tree", "list", "same"],
            truth: |copies| {
                let three = copies.differed == 3 && copies.has_found();
                let [_, list, tree, _] = copies.costs.map(|cost| cost.hashes);
                three.then_some(match () {
                    () if tree < list => 0,
                    () if tree > list => 1,
                    () => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "many",
        setup: &[Setup::Act("three", 0), Setup::Speed(0.05)],
        when: Copies::has_found,
        points: &[BARS, COUNT, INNERS],
        shows: &[
            figure(COUNT, "hashes").is(19.0),
            figure(BARS, "list-hashes").is(16.0),
        ],
        predict: Some(Prediction {
            id: "shift",
            options: &["one", "two", "all"],
            truth: |copies| {
                let found = copies.shifted && copies.has_found();
                found.then_some(match copies.sync.differ.len() {
                    1 => 0,
                    2 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "shift",
        setup: &[Setup::Act("fresh", 0), Setup::Act("front", 0)],
        when: Copies::has_found,
        points: &[LEAVES],
        shows: &[figure(FOUND, "differ").is(16.0)],
        predict: Some(Prediction {
            id: "forge",
            options: &["nobody", "itself", "function"],
            truth: |copies| {
                let forged = copies.forged == Some(COPY);
                forged.then(|| usize::from(!copies.sides[COPY].fits_itself()))
            },
            hides: &[],
        }),
    },
    Beat {
        id: "forge",
        setup: &[
            Setup::Set("trust", 1.0),
            Setup::Act("forge", COPY),
            Setup::Wait(Time::ms(120)),
        ],
        when: |copies| copies.sync.rounds > 0,
        points: &[SEAL, ROOT],
        shows: &[
            figure(ROOT, "fits").is(1.0),
            figure(SEAL, "copy").is(0.0),
            figure(SEAL, "source").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "odd",
        setup: &[
            Setup::Set("trust", 0.0),
            Setup::Set("blocks", 1.0),
            Setup::Set("odd", 1.0),
            Setup::Act("double", 0),
        ],
        when: |copies| copies.ended(End::Fooled),
        points: &[ROOTS, LEAVES],
        shows: &[
            figure(ROOT, "equal").is(1.0),
            figure(FOUND, "blocks").is(6.0),
            figure(leaves(SOURCE), "blocks").is(5.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "twin",
        setup: &[
            Setup::Set("odd", 0.0),
            Setup::Set("blocks", 7.0),
            Setup::Set("bad", 1.0),
            Setup::Twin("method", 1.0),
            Setup::Speed(0.1),
        ],
        when: Copies::has_found,
        points: &[COUNT, inner(COPY)],
        shows: &[
            figure(COUNT, "hashes").is(21.0),
            figure(COUNT, "rounds").is(11.0),
            figure(BARS, "list-hashes").is(1_024.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[Setup::Alone, Setup::Set("blocks", 5.0), Setup::Speed(0.05)],
        when: Copies::has_found,
        points: &[LEAVES, COUNT],
        shows: &[
            figure(COUNT, "nodes").is(127.0),
            figure(COUNT, "block-mb").is(16.0),
        ],
        ..Beat::at_once()
    },
];

/// One bad block was found by asking for nodes of the tree.
fn by_tree(copies: &Copies) -> bool {
    let tree = matches!(copies.knobs.method, How::Tree | How::Two);
    tree && copies.has_found() && copies.differed == 1
}

pub(super) const CHALLENGES: &[Challenge<Copies>] = &[
    Challenge {
        id: "six-rounds",
        progress: |copies, _| {
            let few = copies.sync.hashes <= 21 && copies.sync.rounds <= 6;
            Progress::all(copies.has(1_024) && by_tree(copies) && few)
        },
        solution: &[
            Setup::Set("blocks", 7.0),
            Setup::Set("method", 3.0),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "half-second",
        progress: |copies, _| {
            let waited = copies.found.map(|found| found.since(copies.begun));
            let soon = waited.is_some_and(|waited| waited < Time::ms(500));
            let slow = copies.knobs.rtt >= 100.0 && copies.has(16);
            Progress::all(slow && soon && by_tree(copies) && copies.sync.hashes <= 9)
        },
        solution: &[
            Setup::Set("rtt", 100.0),
            Setup::Set("method", 3.0),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "list-wins",
        progress: |copies, _| {
            let counts = copies.has(64) && matches!(copies.knobs.method, How::Tree | How::Two);
            let hashes = if counts { copies.sync.hashes } else { 0 };
            Progress::of(f64::from(hashes), 65.0)
        },
        solution: &[
            Setup::Set("blocks", 5.0),
            Setup::Set("bad", 16.0),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "fooled",
        progress: |copies, _| {
            let many = copies.sides[SOURCE].blocks() >= 7;
            Progress::all(many && copies.ended(End::Fooled))
        },
        solution: &[
            Setup::Set("odd", 1.0),
            Setup::Set("blocks", 3.0),
            Setup::Set("bad", 0.0),
            Setup::Act("double", 0),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "swallowed",
        progress: |copies, _| {
            let believes = copies.knobs.trust == Trust::Other;
            let forged = copies.forged == Some(SOURCE);
            Progress::all(believes && forged && copies.ended(End::Mended))
        },
        solution: &[
            Setup::Set("bad", 0.0),
            Setup::Act("forge", SOURCE),
            Setup::Wait(Time::s(7)),
        ],
    },
];
