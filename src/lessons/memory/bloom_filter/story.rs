//! The story, its predictions, and things to try.

use super::model::{DATABASE, GRID, MAYBES, Phase, Shop, UNSEEN};
use super::settings::Bits;
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Scale, Setup, Time};

/// At this moment the filter tells the reel in hand apart.
fn told_new(shop: &Shop) -> bool {
    let hand = &shop.hand;
    hand.phase == Phase::Told && hand.proof.is_some() && !hand.watched
}

/// It says maybe to a reel that was watched.
fn told_maybe(shop: &Shop) -> bool {
    let hand = &shop.hand;
    hand.phase == Phase::Told && hand.proof.is_none() && hand.watched
}

/// It denies one that was watched.
fn told_wrong(shop: &Shop) -> bool {
    let hand = &shop.hand;
    hand.phase == Phase::Told && hand.proof.is_some() && hand.watched
}

/// At this moment the database gives a lie away, each of whose bits was set by another reel.
fn lie_found(shop: &Shop) -> bool {
    let found = shop.verdict.as_ref().filter(|verdict| verdict.lie);
    found.is_some_and(|lie| {
        let of_others =
            |i: &usize| lie.owners[*i] > 0 && !lie.owners[..*i].contains(&lie.owners[*i]);
        lie.at == shop.now && (0..lie.owners.len()).filter(of_others).count() >= 3
    })
}

pub(super) const STORY: &[Beat<Shop>] = &[
    Beat {
        id: "meet",
        points: &[GRID],
        shows: &[
            figure(GRID, "reels").is(3.0),
            figure(GRID, "fingers").is(3.0),
            figure(GRID, "set").within(6.0, 9.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "no",
        setup: &[Setup::Speed(0.25)],
        when: told_new,
        points: &[GRID],
        shows: &[figure(GRID, "empty").at_least(1.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "maybe",
        setup: &[Setup::Speed(0.5)],
        when: told_maybe,
        points: &[GRID, DATABASE],
        shows: &[
            figure(GRID, "empty").is(0.0),
            figure(GRID, "fingers").is(3.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "lie",
        setup: &[Setup::Speed(1.0)],
        when: lie_found,
        points: &[GRID, DATABASE],
        shows: &[figure(GRID, "tags").is(3.0)],
        predict: Some(Prediction {
            id: "hashes",
            options: &["rarer", "same", "more"],
            truth: |shop| {
                let ready = shop.knobs.hashes == 10
                    && shop.knobs.bits == Bits(256)
                    && shop.watched.len() >= 64;
                ready.then(|| {
                    let before = shop.seen.rate_with(3, &shop.watched);
                    match shop.seen.rate() - before {
                        less if less < -0.02 => 0,
                        more if more > 0.02 => 2,
                        _ => 1,
                    }
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "hashes",
        setup: &[
            Setup::Twin("hashes", 3.0),
            Setup::Set("bits", 3.0),
            Setup::Set("hashes", 10.0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(2)),
        ],
        when: |shop| shop.watched.len() >= 64,
        points: &[UNSEEN, GRID],
        shows: &[
            figure(GRID, "hashes").is(10.0),
            figure(GRID, "fill").at_least(85.0),
            figure(UNSEEN, "lies").at_least(30.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "full",
        setup: &[
            Setup::Alone,
            Setup::Set("bits", 2.0),
            Setup::Set("hashes", 3.0),
            Setup::Act("watch-more", 0),
            Setup::Speed(0.5),
            Setup::Wait(Time::s(1)),
        ],
        points: &[GRID, UNSEEN],
        shows: &[
            figure(GRID, "fill").at_least(85.0),
            figure(UNSEEN, "lies").at_least(65.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "size",
        setup: &[
            Setup::Set("rate", 2.0),
            Setup::Act("rebuild", 0),
            Setup::Wait(Time::ms(500)),
        ],
        points: &[GRID, UNSEEN],
        shows: &[
            figure(GRID, "per-reel").within(9.0, 10.0),
            figure(GRID, "hashes").is(7.0),
            figure(UNSEEN, "lies").within(0.4, 2.0),
        ],
        predict: Some(Prediction {
            id: "base",
            options: &["few", "half", "nearly-all"],
            truth: |shop| {
                shop.sifted?;
                Some(match shop.false_maybes() {
                    ..0.2 => 0,
                    ..0.8 => 1,
                    _ => 2,
                })
            },
            hides: &[MAYBES],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "base",
        setup: &[
            Setup::Set("watched", 1.0),
            Setup::Act("sift", 0),
            Setup::Wait(Time::ms(500)),
        ],
        points: &[MAYBES],
        shows: &[
            figure(UNSEEN, "lies").within(0.4, 2.0),
            figure(MAYBES, "lies").within(25.0, 75.0),
        ],
        predict: Some(Prediction {
            id: "forget",
            options: &["nothing", "others", "more"],
            truth: |shop| {
                (shop.counts.forgotten > 0).then_some(match shop.denied().next() {
                    None if shop.counts.wrong_noes == 0 => 0,
                    _ => 1,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "forget",
        setup: &[Setup::Act("forget", 0)],
        when: told_wrong,
        points: &[GRID],
        shows: &[
            figure(GRID, "empty").at_least(1.0),
            figure(GRID, "wrong-noes").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Set("watched", 20.0),
            Setup::Set("rate", 8.0),
            Setup::Act("new-user", 0),
            Setup::Wait(Time::s(2)),
        ],
        points: &[DATABASE],
        shows: &[figure(DATABASE, "saved").at_least(5.0)],
        ..Beat::at_once()
    },
];

pub(super) const SCALES: &[Scale] = &[Scale {
    question: "base",
    range: [0.0, 100.0, 1.0],
    unit: "%",
    answers: &[(0.0, 0), (25.0, 1), (76.0, 2)],
}];

/// Bits of the filter, counters counted four times.
fn memory(shop: &Shop) -> u64 {
    shop.seen.bits() * if shop.seen.counts() { 4 } else { 1 }
}

pub(super) const CHALLENGES: &[Challenge<Shop>] = &[
    Challenge {
        id: "eight",
        progress: |shop, _| {
            let eight = shop.seen.bits() == 8 && shop.seen.shape.hashes == 2;
            Progress::of(if eight { shop.seen.rate() * 100.0 } else { 0.0 }, 50.0)
        },
        solution: &[
            Setup::Set("bits", 0.0),
            Setup::Set("hashes", 2.0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "useless",
        progress: |shop, _| {
            let early = shop.watched.len() <= 60 && shop.counts.wrong_noes == 0;
            Progress::of(if early { shop.seen.rate() * 100.0 } else { 0.0 }, 95.0)
        },
        solution: &[
            Setup::Set("bits", 1.0),
            Setup::Set("hashes", 8.0),
            Setup::Act("watch-more", 0),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "one-per-cent",
        progress: |shop, _| {
            let well = memory(shop) <= 1_024 && shop.seen.rate() <= 0.015;
            let names = shop.watched.len().min(100) as f64;
            Progress::of(if well { names } else { 0.0 }, 100.0)
        },
        solution: &[
            Setup::Set("bits", 5.0),
            Setup::Set("hashes", 7.0),
            Setup::Act("watch-more", 0),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "safely",
        progress: |shop, _| {
            let tried = shop.counts.forgotten > 0 && shop.watched.len() >= 50;
            Progress::all(tried && shop.counts.wrong_noes == 0 && shop.denied().next().is_none())
        },
        solution: &[
            Setup::Set("kind", 1.0),
            Setup::Act("watch-more", 0),
            Setup::Act("forget", 0),
            Setup::Wait(Time::s(1)),
        ],
    },
];
