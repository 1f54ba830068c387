//! The story, its predictions, and things to try.

use super::model::{Delivery, ORIGIN, WORK, edge, viewers};
use super::settings::{EDGES, EUROPE, INDIA, TRIP_MS};
use super::view::waits;
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const MUMBAI: PartId = edge(INDIA);
const FRANKFURT: PartId = edge(EUROPE);
const IN_INDIA: PartId = viewers(INDIA);
const THEIR_WAITS: PartId = waits(INDIA);
/// How long the twins are seen after the purge.
const AFTER_PURGE: Time = Time::s(6);

/// What a viewer in India waits without edges, at an idle origin in Virginia.
fn direct() -> Time {
    Time::ms(3 * TRIP_MS[INDIA][0]) + WORK
}

pub(super) const STORY: &[Beat<Delivery>] = &[
    Beat {
        id: "meet",
        points: &[ORIGIN, IN_INDIA, MUMBAI],
        shows: &[
            figure(ORIGIN, "rate").is(0.0),
            figure(MUMBAI, "copies").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "drown",
        setup: &[Setup::Set("edges", 0.0), Setup::Speed(0.75)],
        when: |model| {
            let asked = model.origin_per_s(model.now) >= 60.0;
            model.count() == 0 && model.pool.queue.len() >= 30 && asked
        },
        points: &[ORIGIN, IN_INDIA],
        shows: &[
            figure(ORIGIN, "queue").at_least(30.0),
            figure(ORIGIN, "rate").at_least(60.0),
            figure(ORIGIN, "capacity").is(30.0),
            figure(IN_INDIA, "rate").is(20.0),
            figure(IN_INDIA, "trip").is(190.0),
        ],
        predict: Some(Prediction {
            id: "first",
            options: &["longer", "same", "half"],
            truth: |model| {
                let wait = model.first?.as_s() / direct().as_s();
                Some(match wait {
                    1.1.. => 0,
                    0.75.. => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "first",
        setup: &[
            Setup::Set("edges", 2.0),
            Setup::Set("rate", 4.0),
            Setup::Speed(0.25),
        ],
        when: |model| model.first.is_some(),
        points: &[MUMBAI, THEIR_WAITS],
        shows: &[
            figure(THEIR_WAITS, "last").is(320.0),
            figure(MUMBAI, "copies").at_least(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "second",
        setup: &[Setup::Set("rate", 8.0), Setup::Speed(0.5)],
        when: |model| model.first.is_some() && model.hit.is_some(),
        points: &[MUMBAI, THEIR_WAITS],
        shows: &[figure(THEIR_WAITS, "last").is(30.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "climb",
        setup: &[
            Setup::Set("rate", 20.0),
            Setup::Speed(12.0),
            Setup::Wait(Time::s(80)),
        ],
        when: |model| model.hit_share(model.now) >= 0.8,
        points: &[MUMBAI, ORIGIN],
        shows: &[
            figure(MUMBAI, "hits").at_least(0.75),
            figure(ORIGIN, "rate").within(4.0, 18.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "route",
        setup: &[Setup::Act("astray", 0), Setup::Speed(0.25)],
        when: |model| model.detours >= 20,
        points: &[IN_INDIA, FRANKFURT, MUMBAI],
        shows: &[
            figure(IN_INDIA, "trip").is(110.0),
            figure(IN_INDIA, "abroad").is(1.0),
        ],
        predict: Some(Prediction {
            id: "eight",
            options: &["half", "same", "more"],
            truth: |model| {
                let change = model.change.filter(|_| model.count() == EDGES)?;
                Some(match change.after? / change.before.max(1.0) {
                    1.2.. => 2,
                    0.75.. => 1,
                    _ => 0,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "eight",
        setup: &[Setup::Set("edges", 3.0), Setup::Speed(15.0)],
        when: |model| {
            model.count() == EDGES && model.change.is_some_and(|change| change.after.is_some())
        },
        points: &[ORIGIN, MUMBAI, edge(INDIA + EDGES / 2)],
        shows: &[figure(ORIGIN, "after").above(figure(ORIGIN, "before"))],
        ..Beat::at_once()
    },
    Beat {
        id: "purge",
        setup: &[
            Setup::Twin("protection", 2.0),
            Setup::Act("purge", 0),
            Setup::Speed(1.0),
        ],
        when: |model| {
            model
                .purged
                .is_some_and(|purged| model.now.since(purged.at) >= AFTER_PURGE)
        },
        points: &[ORIGIN, THEIR_WAITS],
        shows: &[
            figure(ORIGIN, "refused").at_least(1.0),
            figure(ORIGIN, "queue").at_least(60.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "version",
        setup: &[
            Setup::Alone,
            Setup::Set("edges", 2.0),
            Setup::Act("publish", 0),
            Setup::Speed(4.0),
            Setup::Wait(Time::s(16)),
        ],
        when: |model| {
            let lately =
                |at: &Option<Time>| at.is_some_and(|at| model.now.since(at) < Time::ms(500));
            model.given.iter().all(lately)
        },
        points: &[ORIGIN, MUMBAI],
        shows: &[
            figure(ORIGIN, "version").is(1.0),
            figure(MUMBAI, "old").at_least(10.0),
            figure(MUMBAI, "good").at_least(10.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        points: &[ORIGIN],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Delivery>] = &[
    Challenge {
        id: "near",
        progress: |model, now| Progress::held(model.near, now, 10.0),
        solution: &[
            Setup::Set("edges", 1.0),
            Setup::Set("connections", 1.0),
            Setup::Wait(Time::s(25)),
        ],
    },
    Challenge {
        id: "small",
        progress: |model, now| Progress::held(model.small, now, 10.0),
        solution: &[
            Setup::Set("slots", 40.0),
            Setup::Set("skew", 1.2),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "campaign",
        progress: |model, now| Progress::held(model.lucky, now, 15.0),
        solution: &[
            Setup::Set("key", 1.0),
            Setup::Wait(Time::s(40)),
            Setup::Act("campaign", 0),
            Setup::Wait(Time::s(19)),
        ],
    },
    Challenge {
        id: "release",
        progress: |model, now| {
            let purged = model.purged.filter(|purged| !purged.over);
            Progress::held(purged.and_then(|purged| purged.doors), now, 10.0)
        },
        solution: &[
            Setup::Set("rate", 1.0),
            Setup::Wait(Time::s(6)),
            Setup::Act("purge", 0),
            Setup::Wait(Time::s(1)),
            Setup::Act("ahead", 0),
            Setup::Wait(Time::s(6)),
            Setup::Set("rate", 10.0),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "unharmed",
        progress: |model, now| {
            let calm = model.purged.and_then(|purged| purged.calm);
            Progress::held(calm, now, 20.0)
        },
        solution: &[
            Setup::Set("purge", 1.0),
            Setup::Set("expired", 1.0),
            Setup::Set("protection", 2.0),
            Setup::Wait(Time::s(60)),
            Setup::Act("purge", 0),
            Setup::Wait(Time::s(22)),
        ],
    },
];
