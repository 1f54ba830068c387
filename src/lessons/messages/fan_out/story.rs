//! The story, its two predictions, and things to try.

use super::model::{
    BURST, CHECKOUT, Design, PILE, SERVICES_MAX, Shop, TOPIC, USERS, dead_part, queue_part,
    service_part,
};
use engine::claim::{Figure, figure, line};
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

/// What the last user answered waited, in ms, on the stage and in the plot.
const WAIT: Figure = figure(USERS, "wait");
const PLOTTED: Figure = line("wait", "latest");
/// How many users wait for work to be done.
const WAITING: Figure = figure(PILE, "waiting");

const fn of_service(service: usize, name: &'static str) -> Figure {
    figure(service_part(service), name)
}

const fn waiting_in(queue: usize) -> Figure {
    figure(queue_part(queue), "waiting")
}

pub(super) const STORY: &[Beat<Shop>] = &[
    Beat {
        id: "meet",
        shows: &[WAIT.is(5.0), WAITING.at_most(1.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "in-turn",
        setup: &[
            Setup::Speed(0.4),
            Setup::Set("services", 3.0),
            Setup::Set("service-1", 150.0),
            Setup::Set("service-2", 250.0),
            Setup::Set("service-3", 100.0),
            Setup::Set("workers", 4.0),
            Setup::Set("load", 6.0),
            Setup::Set("places", 32.0),
            Setup::Set("visibility", 2.0),
            Setup::Set("receives", 3.0),
            Setup::Set("design", IN_TURN),
        ],
        when: |model| model.only(Design::InTurn) && model.steady(Time::ms(500), Time::ms(510)),
        points: &[USERS, CHECKOUT],
        shows: &[WAIT.within(500.0, 510.0), PLOTTED.within(500.0, 510.0)],
        predict: None,
    },
    Beat {
        id: "parallel",
        setup: &[Setup::Speed(0.4), Setup::Set("design", PARALLEL)],
        // When users wait for the work of SMS, and not for a line that has formed there by chance.
        when: |model| model.only(Design::Parallel) && model.steady(Time::ms(250), Time::ms(255)),
        points: &[USERS, service_part(SMS)],
        shows: &[
            WAIT.within(250.0, 255.0),
            PLOTTED.within(250.0, 255.0),
            of_service(SMS, "workers").is(4.0),
        ],
        predict: Some(Prediction {
            id: "slow",
            options: &["same", "second", "more"],
            hides: &[],
            truth: |model| {
                let slow = model.means[SMS] >= SLOW && model.services.len() > SMS;
                let wait = model.latest()?.wait;
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
            Setup::Speed(0.8),
            Setup::Set("design", PARALLEL),
            Setup::Set("service-2", 1_000.0),
        ],
        when: |model| {
            model.means[SMS] >= SLOW
                && model.steady(Time::ms(1_500), Time::s(60))
                && model
                    .services
                    .get(SMS)
                    .is_some_and(|sms| sms.memory.len() >= 2)
        },
        points: &[
            USERS,
            service_part(SMS),
            PartId::nth("copy", SMS as u16 + 1),
        ],
        shows: &[
            WAIT.at_least(1_500.0),
            PLOTTED.at_least(1_500.0),
            WAITING.at_least(6.0),
            of_service(SMS, "memory").at_least(2.0),
            of_service(SMS, "busy").same(of_service(SMS, "workers"), 0.0),
            of_service(EMAIL, "memory").is(0.0),
            of_service(INVENTORY, "memory").is(0.0),
        ],
        predict: None,
    },
    Beat {
        id: "push",
        setup: &[
            Setup::Speed(0.4),
            Setup::Set("service-2", 250.0),
            Setup::Set("design", PUSH),
        ],
        when: |model| model.only(Design::Push) && model.steady(Time::ms(5), Time::ms(5)),
        points: &[USERS, TOPIC],
        shows: &[WAIT.is(5.0), PLOTTED.within(4.9, 5.1), WAITING.at_most(1.0)],
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
        setup: &[
            Setup::Speed(0.3),
            Setup::Set("design", PUSH),
            Setup::Act("down", EMAIL),
        ],
        when: |model| {
            let down = |email: &&super::model::Service| email.down.is_some();
            let email = model.services.get(EMAIL).filter(down);
            email.is_some_and(|email| email.lost_in_outage >= 8)
        },
        points: &[service_part(EMAIL), PartId::nth("copy", EMAIL as u16 + 1)],
        shows: &[
            of_service(EMAIL, "lost").at_least(8.0),
            of_service(SMS, "lost").is(0.0),
            of_service(INVENTORY, "lost").is(0.0),
            WAIT.is(5.0),
        ],
        predict: None,
    },
    Beat {
        id: "kept",
        setup: &[
            Setup::Speed(0.4),
            Setup::Set("design", QUEUE),
            // Both sides see the whole outage.
            Setup::Act("up", EMAIL),
            Setup::Twin("design", PUSH),
            Setup::Act("down", EMAIL),
        ],
        when: |model| {
            model
                .services
                .get(EMAIL)
                .is_some_and(|email| email.down.is_some() && email.backlog() >= 10)
        },
        points: &[queue_part(EMAIL), service_part(EMAIL)],
        shows: &[waiting_in(EMAIL).at_least(10.0), WAIT.is(5.0)],
        predict: None,
    },
    Beat {
        id: "again",
        setup: &[
            Setup::Alone,
            Setup::Speed(0.4),
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
        shows: &[
            of_service(EMAIL, "again").at_least(1.0),
            waiting_in(EMAIL).at_most(2.0),
        ],
        predict: None,
    },
    Beat {
        id: "poison",
        setup: &[
            Setup::Set("design", QUEUE),
            // Three time-outs take six seconds.
            Setup::Speed(1.0),
            Setup::Act("poison", INVENTORY),
        ],
        when: |model| {
            model
                .services
                .get(INVENTORY)
                .is_some_and(|inventory| !inventory.dead.is_empty())
        },
        points: &[queue_part(INVENTORY), dead_part(INVENTORY)],
        shows: &[
            figure(dead_part(INVENTORY), "count").at_least(1.0),
            waiting_in(INVENTORY).at_most(3.0),
        ],
        predict: None,
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Speed(0.2),
            Setup::Set("design", QUEUE),
            Setup::Act("burst", 0),
        ],
        // When the last user of the burst has an answer.
        when: |model| {
            model.watch.burst.is_some()
                && model.burst_left == 0
                && model.backlog() >= 1_000
                && model.travelling() <= 3
        },
        points: &[
            USERS,
            queue_part(EMAIL),
            queue_part(SMS),
            queue_part(INVENTORY),
        ],
        shows: &[
            WAIT.is(5.0),
            PLOTTED.within(4.9, 5.1),
            waiting_in(EMAIL).at_least(900.0),
            waiting_in(SMS).at_least(900.0),
            waiting_in(INVENTORY).at_least(900.0),
        ],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<Shop>] = &[
    Challenge {
        id: "quick",
        progress: |model, at| Progress::held(model.watch.quick_since, at, 10.0),
        solution: &[
            Setup::Set("service-2", 1_000.0),
            Setup::Set("workers", 6.0),
            Setup::Set("load", 4.0),
            Setup::Wait(Time::s(14)),
        ],
    },
    Challenge {
        id: "pair",
        // Two halves: both down for long enough, and both caught up again.
        progress: |model, at| match model.watch.pair {
            _ if model.watch.pair_survived => Progress::of(10.0, 10.0),
            Some((since, false, false)) => Progress::of(at.since(since).as_s().min(5.0), 10.0),
            Some((_, true, false)) => Progress::of(5.0, 10.0),
            _ => Progress::of(0.0, 10.0),
        },
        solution: &[
            Setup::Act("down", EMAIL),
            Setup::Act("down", SMS),
            Setup::Wait(Time::s(6)),
            Setup::Act("up", EMAIL),
            Setup::Act("up", SMS),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "drain",
        progress: |model, _| {
            let all = f64::from(BURST) * model.services.len() as f64;
            match model.watch.burst {
                _ if model.watch.burst_drained => Progress::of(all, all),
                // While orders still come in, nothing of the burst is behind them.
                Some((_, true)) if model.burst_left == 0 => {
                    Progress::of((all - model.backlog().max(10) as f64).max(0.0), all)
                }
                _ => Progress::of(0.0, all),
            }
        },
        solution: &[
            Setup::Set("workers", 6.0),
            Setup::Set("service-2", 150.0),
            Setup::Act("burst", 0),
            Setup::Wait(Time::s(50)),
        ],
    },
    Challenge {
        id: "twice",
        progress: |model, _| {
            let again = |i: usize| model.services.get(i).map_or(0, |s| s.counts.again);
            let most = (0..SERVICES_MAX).map(again).max().unwrap_or(0);
            Progress::of(most as f64, 10.0)
        },
        solution: &[
            Setup::Set("visibility", 0.5),
            Setup::Set("service-1", 900.0),
            Setup::Set("workers", 6.0),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "overrun",
        progress: |model, _| Progress::of(f64::from(model.watch.overrun), 50.0),
        solution: &[
            Setup::Set("design", PUSH),
            Setup::Set("service-1", 1_500.0),
            Setup::Wait(Time::s(60)),
        ],
    },
];
