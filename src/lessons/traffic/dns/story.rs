//! The story, its predictions, and things to try.

use super::model::{NS1, Naming, QUIET, RESOLVERS, ns, resolver, users};
use super::resolver::Addr;
use super::view::{LED, MOVE};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const A: PartId = resolver(0);
const B: PartId = resolver(1);
const PUBLIC: PartId = resolver(2);
const ROOT: PartId = ns(0);
const COM: PartId = ns(1);
const SHOP: PartId = ns(NS1);

/// How the resolvers turned to the new address: at once, all at one time, one after another, or over a day.
fn turned(naming: &Naming) -> Option<usize> {
    if !naming.settled() {
        return None;
    }
    let turned = naming.resolvers.iter().filter_map(|one| one.turned);
    let (first, last) = (turned.clone().min()?, turned.max()?);
    Some(match last.since(first) {
        _ if naming.slowest(naming.now) < Time::s(1) => 0,
        spread if spread < Time::s(1) => 1,
        _ if naming.slowest(naming.now) < Time::s(3_600) => 2,
        _ => 3,
    })
}

/// No resolver gives the old address any more, and each has a copy again.
fn all_new(naming: &Naming) -> bool {
    let holds = |i: usize| naming.resolvers[i].gives(naming.now) == Some(naming.published());
    naming.settled() && (0..RESOLVERS).all(holds)
}

pub(super) const STORY: &[Beat<Naming>] = &[
    Beat {
        id: "meet",
        points: &[users(0), A, ROOT],
        shows: &[figure(ROOT, "asked").is(0.0), figure(A, "copies").is(0.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "cold",
        when: |naming| naming.passed,
        points: &[ROOT, COM, SHOP, A],
        shows: &[
            figure(ROOT, "asked").is(1.0),
            figure(COM, "asked").is(1.0),
            figure(SHOP, "asked").is(1.0),
            figure(A, "left").at_least(19.0),
        ],
        predict: Some(Prediction {
            id: "second",
            options: &["three", "one", "nobody"],
            truth: |naming| {
                naming.second.map(|questions| match questions {
                    0 => 2,
                    1 => 1,
                    _ => 0,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "warm",
        setup: &[Setup::Speed(1.0)],
        when: |naming| naming.second.is_some(),
        points: &[A],
        shows: &[
            figure(A, "fetches").is(1.0),
            figure(A, "copies").at_least(1.0),
            figure(A, "left").at_least(2.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "again",
        setup: &[Setup::Speed(3.0)],
        when: |naming| naming.resolvers[0].fetches >= 2 && naming.full(),
        points: &[A, SHOP],
        shows: &[
            figure(A, "fetches").is(2.0),
            figure(ROOT, "asked").is(3.0),
            figure(COM, "asked").is(3.0),
            figure(SHOP, "asked").at_least(4.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "move",
        setup: &[Setup::Act("move", 0), Setup::Speed(2.0)],
        when: |naming| naming.moved.is_some(),
        points: &[SHOP, A, B, PUBLIC],
        shows: &[
            figure(MOVE, "old").is(3.0),
            figure(A, "old").is(1.0),
            figure(B, "old").is(1.0),
            figure(PUBLIC, "old").is(1.0),
        ],
        predict: Some(Prediction {
            id: "when",
            options: &["at-once", "together", "one-by-one", "days"],
            truth: turned,
            hides: &[],
        }),
    },
    Beat {
        id: "moved",
        setup: &[Setup::Speed(5.0)],
        when: all_new,
        points: &[MOVE, A, B, PUBLIC],
        shows: &[
            figure(MOVE, "old").is(0.0),
            figure(MOVE, "slowest").within(5.0, 20.2),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "compare",
        setup: &[
            Setup::Twin("ttl", 2.0),
            Setup::Act("move", 0),
            Setup::Speed(5.0),
        ],
        when: |naming| naming.moves >= 2 && all_new(naming),
        points: &[MOVE],
        shows: &[
            figure(MOVE, "old").is(0.0),
            figure(MOVE, "slowest").within(15.0, 20.2),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "too-soon",
        setup: &[Setup::Alone, Setup::Act("soon", 0), Setup::Speed(0.5)],
        when: |naming| naming.told_late > 0 && naming.soon.is_some_and(|soon| soon.got[1]),
        points: &[A, B],
        shows: &[
            figure(A, "no-left").within(11.0, 15.0),
            figure(A, "soon-left").is(0.0),
            figure(B, "soon-left").at_least(15.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "silent",
        setup: &[Setup::Set("answers", 0.0), Setup::Speed(4.0)],
        when: |naming| naming.forgot > 0,
        points: &[SHOP, A, B, PUBLIC],
        shows: &[figure(SHOP, "silent").is(1.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "stale",
        setup: &[
            Setup::Set("stale", 1.0),
            Setup::Speed(3.0),
            Setup::Wait(Time::s(14)),
        ],
        when: |naming| naming.given_stale >= 10,
        points: &[A, B, PUBLIC, LED],
        shows: &[
            figure(SHOP, "silent").is(1.0),
            figure(LED, "old").is(0.0),
            figure(LED, "new").at_least(0.8),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Naming>] = &[
    Challenge {
        id: "refused",
        progress: |naming, _| {
            let whole = naming.longest_s >= 60 && naming.moved.is_some() && naming.refused == 0;
            let served = if whole { naming.since_off } else { 0 };
            Progress::of(f64::from(served), 20.0)
        },
        solution: &[
            Setup::Set("ttl", 60.0),
            Setup::Wait(Time::s(40)),
            Setup::Set("ttl", 10.0),
            Setup::Wait(Time::s(62)),
            Setup::Act("move", 0),
            Setup::Wait(Time::s(70)),
        ],
    },
    Challenge {
        id: "ride",
        progress: |naming, now| {
            let busy = naming.knobs.rate >= 0.5;
            let since = naming.silent.filter(|_| naming.failed_since == 0 && busy);
            Progress::held(since.map(|(at, _)| at), now, 60.0)
        },
        solution: &[
            Setup::Set("stale", 1.0),
            Setup::Wait(Time::s(15)),
            Setup::Set("answers", 0.0),
            Setup::Wait(Time::s(62)),
        ],
    },
    Challenge {
        id: "quiet",
        progress: |naming, now| {
            let (since, questions, lookups) = naming.quiet;
            let few = questions <= QUIET && naming.knobs.answers;
            let lasted = now.since(since).as_s().min(60.0);
            let share = f64::from(lookups.min(60));
            Progress::of(if few { lasted.min(share) } else { 0.0 }, 60.0)
        },
        solution: &[Setup::Set("ttl", 60.0), Setup::Wait(Time::s(70))],
    },
    Challenge {
        id: "slip",
        progress: |naming, now| {
            let wrong = |i: &usize| naming.resolvers[*i].gives(naming.now) == Some(Addr::Wrong);
            let after = naming.slipped.filter(|_| !naming.slip);
            let lasted = after.map_or(0.0, |at| now.since(at).as_s().min(10.0));
            let held = (0..RESOLVERS).filter(wrong).count() as f64;
            Progress::of(held * lasted, 30.0)
        },
        solution: &[
            Setup::Set("ttl", 0.0),
            Setup::Set("rate", 5.0),
            Setup::Wait(Time::s(6)),
            Setup::Set("ttl", 60.0),
            Setup::Act("slip", 0),
            Setup::Wait(Time::s(12)),
        ],
    },
];
