//! The story, its two predictions, and things to try.

use super::model::{
    CHECKOUT, Design, SERVICES_MAX, Shop, TOPIC, USERS, dead_part, queue_part, service_part,
};
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const IN_TURN: f64 = 0.0;
const PARALLEL: f64 = 1.0;
/// What the queues are compared with.
pub(super) const PUSH: f64 = 2.0;
const QUEUE: f64 = 3.0;
/// E-mail goes down, SMS gets slow, Inventory meets poison.
const EMAIL: usize = 0;
const SMS: usize = 1;
const INVENTORY: usize = 2;
/// Long enough for somebody to call it slow.
const SLOW: Time = Time::s(1);

fn wait_at_least(model: &Shop, wait: Time) -> bool {
    model.watch.waits.back().is_some_and(|last| *last >= wait)
}

fn all_up(model: &Shop) -> bool {
    model.services.iter().all(|service| service.down.is_none())
}

pub(super) const STORY: &[Beat<Shop>] = &[
    Beat {
        id: "meet",
        setup: &[],
        when: |_| true,
        points: &[],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "in-turn",
        setup: &[
            Setup::Set("services", 3.0),
            Setup::Set("service-1", 150.0),
            Setup::Set("service-2", 250.0),
            Setup::Set("service-3", 100.0),
            Setup::Set("workers", 3.0),
            Setup::Set("load", 6.0),
            Setup::Set("places", 32.0),
            Setup::Set("visibility", 2.0),
            Setup::Set("receives", 3.0),
            Setup::Set("design", IN_TURN),
        ],
        when: |model| model.design == Design::InTurn && wait_at_least(model, Time::ms(400)),
        points: &[USERS, CHECKOUT],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "parallel",
        setup: &[Setup::Set("design", PARALLEL)],
        // When users wait for the work of SMS, and not for a line that has formed there by chance.
        when: |model| {
            model.design == Design::Parallel
                && model.watch.answered >= 5
                && all_up(model)
                && model.wait().is_some_and(|wait| wait <= Time::ms(320))
        },
        points: &[USERS, service_part(SMS)],
        shows: &[],
        predict: Some(Prediction {
            id: "slow",
            options: &["same", "second", "more"],
            hides: &[],
            truth: |model| {
                let slow = model.means[SMS] >= SLOW && model.services.len() > SMS;
                let wait = *model.watch.waits.back()?;
                if !slow || !model.design.calls() {
                    return None;
                }
                // The first waits are short of what is to come, so only a good many settle it the other way.
                match wait {
                    _ if wait >= Time::ms(1_500) => Some(2),
                    _ if model.watch.answered >= 40 => Some(usize::from(wait >= Time::ms(600))),
                    _ => None,
                }
            },
        }),
    },
    Beat {
        id: "slow",
        setup: &[
            Setup::Set("design", PARALLEL),
            Setup::Set("service-2", 1_000.0),
        ],
        when: |model| {
            model.means[SMS] >= SLOW
                && model.wait().is_some_and(|wait| wait >= Time::ms(1_400))
                && wait_at_least(model, Time::ms(1_500))
        },
        points: &[
            USERS,
            service_part(SMS),
            PartId::nth("copy", SMS as u16 + 1),
        ],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "push",
        setup: &[Setup::Set("service-2", 250.0), Setup::Set("design", PUSH)],
        when: |model| {
            model.design == Design::Push
                && model.watch.answered >= 4
                && model.orders().all(|order| order.design == Design::Push)
        },
        points: &[USERS, TOPIC],
        shows: &[],
        predict: Some(Prediction {
            id: "down",
            options: &["kept", "gone", "elsewhere"],
            hides: &[],
            truth: |model| {
                let email = model.services.get(EMAIL)?;
                email.down?;
                // What happened, not what the story expects: with queues the answer is another.
                match (email.lost_in_outage, email.backlog()) {
                    (5.., _) => Some(1),
                    (_, 5..) => Some(0),
                    _ => None,
                }
            },
        }),
    },
    Beat {
        id: "lost",
        setup: &[Setup::Set("design", PUSH), Setup::Act("down", EMAIL)],
        when: |model| {
            model
                .services
                .get(EMAIL)
                .is_some_and(|email| email.down.is_some() && email.lost_in_outage >= 8)
        },
        points: &[service_part(EMAIL), PartId::nth("copy", EMAIL as u16 + 1)],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "kept",
        setup: &[
            Setup::Twin("design", PUSH),
            Setup::Set("design", QUEUE),
            Setup::Act("down", EMAIL),
        ],
        when: |model| {
            model
                .services
                .get(EMAIL)
                .is_some_and(|email| email.down.is_some() && email.backlog() >= 10)
        },
        points: &[queue_part(EMAIL), service_part(EMAIL)],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "again",
        setup: &[
            Setup::Alone,
            Setup::Set("design", QUEUE),
            Setup::Act("up", EMAIL),
            Setup::Act("miss", EMAIL),
        ],
        when: |model| {
            model.services.get(EMAIL).is_some_and(|email| {
                email.down.is_none() && email.counts.again >= 1 && email.backlog() <= 2
            })
        },
        points: &[queue_part(EMAIL), service_part(EMAIL)],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "poison",
        setup: &[
            Setup::Set("design", QUEUE),
            // Three time-outs take six seconds.
            Setup::Speed(0.5),
            Setup::Act("poison", INVENTORY),
        ],
        when: |model| {
            model
                .services
                .get(INVENTORY)
                .is_some_and(|inventory| !inventory.dead.is_empty())
        },
        points: &[queue_part(INVENTORY), dead_part(INVENTORY)],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "yours",
        setup: &[Setup::Set("design", QUEUE), Setup::Act("burst", 0)],
        when: |model| {
            model.watch.burst.is_some() && model.burst_left == 0 && model.backlog() >= 1_000
        },
        points: &[
            USERS,
            queue_part(EMAIL),
            queue_part(SMS),
            queue_part(INVENTORY),
        ],
        shows: &[],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<Shop>] = &[
    Challenge {
        id: "quick",
        progress: |model, _| {
            Progress::all({
                model
                    .watch
                    .quick_since
                    .is_some_and(|since| model.now.since(since) >= Time::s(10))
            })
        },
        solution: &[],
    },
    Challenge {
        id: "pair",
        progress: |model, _| Progress::all(model.watch.pair_survived),
        solution: &[],
    },
    Challenge {
        id: "drain",
        progress: |model, _| Progress::all(model.watch.burst_drained),
        solution: &[],
    },
    Challenge {
        id: "twice",
        progress: |model, _| {
            Progress::all({
                let again = |i: usize| model.services.get(i).map_or(0, |s| s.counts.again);
                (0..SERVICES_MAX).any(|i| again(i) >= 10)
            })
        },
        solution: &[],
    },
    Challenge {
        id: "overrun",
        progress: |model, _| Progress::all(model.watch.overrun >= 50),
        solution: &[],
    },
];
