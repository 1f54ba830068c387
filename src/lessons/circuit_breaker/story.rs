//! The story, its two predictions, and things to try.

use super::model::{CircuitBreaker, Kind, M3, THIRD, USERS, breaker_part, service_part};
use algorithms::circuit_breaker::State;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const NO_BREAKER: f64 = 0.0;
const BOTH: f64 = 2.0;
const ERROR: f64 = 0.0;
const LAST_GOOD: f64 = 1.0;
const M1: PartId = service_part(0);
const M2: PartId = service_part(1);
const BREAKER: PartId = breaker_part(1);
const STATES: PartId = PartId::one("states");
const GOT: PartId = PartId::one("got");
const LAST_LINK: PartId = PartId::nth("link", 3);

fn state(model: &CircuitBreaker, which: usize) -> Option<State> {
    model.guards[which].as_ref().map(|guard| guard.state)
}

/// How long M3 has failed no call on purpose.
fn mended_for(model: &CircuitBreaker) -> Option<Time> {
    Some(model.now.since(model.watch.mended?))
}

/// The share of users of the last two seconds or so who got a fresh answer.
fn fresh(model: &CircuitBreaker) -> f64 {
    model.lately.fresh_share(4, model.now).unwrap_or(0.0)
}

pub(super) const STORY: &[Beat<CircuitBreaker>] = &[
    Beat {
        id: "meet",
        setup: &[],
        when: |_| true,
        points: &[USERS, M1, M2, M3],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "pile",
        setup: &[
            Setup::Set("breakers", NO_BREAKER),
            Setup::Set("retries", 4.0),
            Setup::Set("load", 8.0),
            Setup::Set("fail", 100.0),
        ],
        when: |model| model.pools[0].held.len() >= 20 && model.pools[1].held.len() >= 14,
        points: &[M1, M2, M3],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "storm",
        setup: &[],
        when: |model| model.watch.calls_most >= 25,
        points: &[LAST_LINK, M3],
        shows: &[],
        predict: Some(Prediction {
            id: "mended",
            options: &["at-once", "slowly", "never"],
            hides: &[],
            truth: |model| {
                if mended_for(model)? < Time::s(5) {
                    return None;
                }
                Some(match fresh(model) {
                    0.9.. => 0,
                    0.3..0.9 => 1,
                    _ => 2,
                })
            },
        }),
    },
    Beat {
        id: "stuck",
        setup: &[Setup::Set("fail", 0.0)],
        when: |model| {
            mended_for(model).is_some_and(|span| span >= Time::s(5))
                && fresh(model) <= 0.2
                && model.for_nobody(THIRD) >= 8
        },
        points: &[M3, LAST_LINK],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "trip",
        setup: &[
            Setup::Set("fallback", LAST_GOOD),
            Setup::Set("breakers", BOTH),
        ],
        // A moment later, when the first calls have been seen to turn back at the switch.
        when: |model| {
            model.guards[1].as_ref().is_some_and(|guard| {
                guard.state == State::Open && model.now.since(guard.since) >= Time::ms(600)
            })
        },
        points: &[BREAKER, STATES],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "spare",
        setup: &[],
        when: |model| {
            let third = &model.pools[THIRD];
            state(model, 1) == Some(State::Open) && third.held.is_empty() && third.queue.is_empty()
        },
        points: &[M3, BREAKER, GOT],
        shows: &[],
        predict: Some(Prediction {
            id: "probes",
            options: &["all", "few", "none"],
            hides: &[],
            truth: |model| {
                let (probes, refused) = model.watch.half_open?;
                // What happened: with other knobs there may be nobody to refuse.
                Some(match (probes, refused) {
                    (0, _) => 2,
                    (11.., 0) => 0,
                    _ => 1,
                })
            },
        }),
    },
    Beat {
        id: "probe",
        setup: &[],
        when: |model| {
            state(model, 1) == Some(State::HalfOpen) && model.calls().any(|call| call.is_probe())
        },
        points: &[BREAKER, STATES, LAST_LINK],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "closed",
        setup: &[],
        when: |model| {
            state(model, 1) == Some(State::Closed)
                && model.watch.closed > 0
                && model.lately.fresh_share(1, model.now) >= Some(0.8)
        },
        points: &[BREAKER, STATES, M3],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "compare",
        setup: &[
            Setup::Twin("breakers", NO_BREAKER),
            Setup::Act("overload", 0),
        ],
        when: |model| {
            model
                .watch
                .overload
                .is_some_and(|overload| overload.verdict.is_some())
                && state(model, 1) == Some(State::Closed)
                && fresh(model) >= 0.7
        },
        points: &[M3, GOT],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Alone,
            Setup::Set("fallback", ERROR),
            Setup::Act("overload", 0),
            Setup::Act("refresh", 0),
        ],
        // At least twice the requests of before: the reloads have begun to count.
        when: |model| {
            state(model, 0) == Some(State::Open)
                && state(model, 1) == Some(State::Open)
                && model.lately.sum(Kind::Sent, 2, model.now) >= 24
        },
        points: &[USERS, breaker_part(0), BREAKER],
        shows: &[],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<CircuitBreaker>] = &[
    // Since the knobs last changed, so that a storm of before does not count.
    Challenge {
        id: "storm",
        progress: |model, _| Progress::all(model.watch.calls_most >= 36),
        solution: &[],
    },
    Challenge {
        id: "fresh",
        progress: |model, _| {
            Progress::all({
                model.watch.overload.is_some_and(|overload| {
                    !overload.cut
                        && overload.load_per_s >= 8.0
                        && overload
                            .verdict
                            .is_some_and(|(all, fresh)| all >= 40 && fresh * 2 >= all)
                })
            })
        },
        solution: &[],
    },
    Challenge {
        id: "unharmed",
        progress: |model, _| {
            Progress::all({
                model
                    .watch
                    .unharmed_since
                    .is_some_and(|since| model.now.since(since) >= Time::s(10))
            })
        },
        solution: &[],
    },
    Challenge {
        id: "false-alarm",
        progress: |model, _| Progress::all(model.watch.false_alarm),
        solution: &[],
    },
    Challenge {
        id: "unhang",
        progress: |model, _| Progress::all(model.watch.unhung),
        solution: &[],
    },
];
