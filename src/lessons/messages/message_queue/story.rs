//! The story, its predictions, and things to try.

use super::figure::{ASKS, LATELY, OUT, TOOK};
use super::{Killed, QUEUE as NODE, Seen, asked, deliveries, is_fresh};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Scale, Setup, Time};
use kit::system::{Count, System};

const USERS: PartId = PartId::one("users");
const APP: PartId = PartId::one("app");
const QUEUE: PartId = PartId::one("queue");

const SHORT: f64 = 0.0;
const LONG: f64 = 1.0;
const OFF: f64 = 0.0;
const ON: f64 = 1.0;
/// Beats that wait for something run faster.
const FAST: f64 = 4.0;

fn seen(system: &System) -> &Seen {
    system.own()
}

/// The last kill, if that worker had an order and the order was lent again.
fn again(system: &System) -> Option<(Killed, Time)> {
    let killed = seen(system).killed?;
    killed.again.map(|at| (killed, at.since(killed.at)))
}

/// How long it is since a knob was turned.
fn settled(system: &System) -> Time {
    system.now.since(system.turned)
}

/// How many e-mails the order had that was put aside last, once nobody works on it any more.
fn sent_of_buried(system: &System) -> Option<u32> {
    let (number, at) = seen(system).buried?;
    let over = at >= system.turned && system.now.since(at) >= Time::ms(1_500);
    let order = seen(system).order(number).filter(|_| over);
    order.map(|order| order.sent)
}

fn burst_done(system: &System) -> Option<Time> {
    let (at, done) = seen(system).burst?;
    done.map(|done| done.since(at))
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[APP, QUEUE],
        shows: &[
            figure(QUEUE, "visible").at_most(3.0),
            figure(QUEUE, "dead").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "lent",
        setup: &[Setup::Speed(0.2)],
        when: is_fresh,
        points: &[QUEUE],
        shows: &[figure(QUEUE, "lent").at_least(1.0)],
        predict: Some(Prediction {
            id: "back",
            options: &["at-once", "clock", "never"],
            truth: |system| {
                let killed = seen(system).killed?;
                let waited = system.now.since(killed.at);
                match again(system) {
                    Some((_, after)) if after < Time::s(1) => Some(0),
                    Some(_) => Some(1),
                    None => (waited > Time::s(90)).then_some(2),
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "back",
        setup: &[Setup::Act("kill", 0), Setup::Speed(1.0)],
        when: |system| again(system).is_some() && is_fresh(system),
        points: &[QUEUE, TOOK],
        shows: &[
            figure(QUEUE, "deliveries").at_least(2.0),
            figure(TOOK, "s").within(3.0, 4.1),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "compare",
        setup: &[
            Setup::Twin("clock", 20.0),
            Setup::Act("kill", 0),
            Setup::Speed(FAST),
            Setup::Wait(Time::s(22)),
        ],
        when: |system| again(system).is_some(),
        points: &[TOOK],
        shows: &[figure(TOOK, "s").within(3.0, 4.1)],
        predict: Some(Prediction {
            id: "slow",
            options: &["once", "twice", "thrice"],
            truth: |system| {
                let sent = sent_of_buried(system)?;
                Some(sent.clamp(1, 3) as usize - 1)
            },
            hides: &[],
        }),
    },
    Beat {
        id: "slow",
        setup: &[
            Setup::Alone,
            Setup::Set("work", 5.0),
            Setup::Set("orders", 0.2),
            Setup::Speed(5.0),
        ],
        when: |system| sent_of_buried(system) == Some(3) && is_fresh(system),
        points: &[OUT, QUEUE],
        shows: &[
            figure(OUT, "most").is(3.0),
            figure(QUEUE, "dead").at_least(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "heartbeat",
        setup: &[
            Setup::Set("heartbeat", ON),
            Setup::Set("orders", 0.5),
            Setup::Act("kill", 0),
            Setup::Speed(6.0),
            Setup::Wait(Time::s(40)),
        ],
        when: |system| {
            let lately = seen(system).twice_lately(LATELY, system.now);
            again(system).is_some() && lately == 0 && is_fresh(system)
        },
        points: &[OUT, TOOK],
        shows: &[
            figure(OUT, "twice lately").is(0.0),
            figure(TOOK, "s").at_most(5.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "twice",
        setup: &[
            Setup::Set("work", 0.4),
            Setup::Set("heartbeat", OFF),
            Setup::Set("orders", 1.0),
            Setup::Act("lose", 0),
            Setup::Speed(2.0),
        ],
        when: |system| {
            let order = seen(system).order(seen(system).lost);
            order.is_some_and(|order| order.sent >= 2)
        },
        points: &[OUT],
        shows: &[figure(OUT, "most").at_least(2.0)],
        predict: Some(Prediction {
            id: "polls",
            options: &["half", "nine", "nearly"],
            truth: |system| {
                let known = seen(system).short && settled(system) >= Time::s(80);
                let (_, empty) = asked(system, system.now).filter(|_| known)?;
                Some(match empty {
                    x if x < 0.7 => 0,
                    x if x < 0.95 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "polls",
        setup: &[
            Setup::Set("polling", SHORT),
            Setup::Set("orders", 0.1),
            Setup::Speed(12.0),
            Setup::Wait(Time::s(84)),
        ],
        points: &[ASKS],
        shows: &[
            figure(ASKS, "per minute").within(255.0, 285.0),
            figure(ASKS, "empty %").at_least(95.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "poison",
        setup: &[
            Setup::Set("polling", LONG),
            Setup::Set("orders", 4.0),
            Setup::Act("poison", 0),
            Setup::Speed(2.0),
        ],
        when: |system| seen(system).poison.is_some_and(|(_, buried)| buried),
        points: &[QUEUE],
        shows: &[figure(QUEUE, "dead").at_least(1.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "burst",
        setup: &[Setup::Act("burst", 0), Setup::Speed(8.0)],
        when: |system| {
            let came = seen(system).burst.map(|(at, _)| at);
            came.is_some_and(|at| system.now.since(at) >= Time::s(30))
        },
        points: &[USERS, QUEUE],
        shows: &[figure(QUEUE, "visible").within(740.0, 880.0)],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "in-effect",
        progress: |system, _| {
            let refused = seen(system).orders.iter();
            let refused = refused.filter(|it| it.done > 1 && it.sent == 1).count();
            Progress::of(refused as f64, 10.0)
        },
        solution: &[
            Setup::Set("key", ON),
            Setup::Set("work", 5.0),
            Setup::Set("orders", 0.2),
            Setup::Wait(Time::s(120)),
        ],
    },
    Challenge {
        id: "forgive",
        progress: |system, now| {
            let slow = seen(system).work >= Time::s(5);
            let quick = again(system).is_some_and(|(killed, after)| {
                let since = now.since(killed.at) + Time::s(5);
                let once = seen(system).twice_lately(since, now) == 0;
                after <= Time::s(3) && once && killed.at >= system.turned
            });
            Progress::all(slow && quick)
        },
        solution: &[
            Setup::Set("clock", 2.0),
            Setup::Set("heartbeat", ON),
            Setup::Set("work", 5.0),
            Setup::Set("orders", 0.8),
            Setup::Wait(Time::s(30)),
            Setup::Act("kill", 0),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "minute",
        progress: |system, _| {
            let quick = burst_done(system).is_some_and(|took| took <= Time::s(60));
            Progress::all(quick)
        },
        solution: &[
            Setup::Set("work", 0.1),
            Setup::Act("burst", 0),
            Setup::Wait(Time::s(60)),
        ],
    },
    Challenge {
        id: "lose-one",
        progress: |system, _| {
            let expired = system.row(NODE).of(Count::Expired);
            Progress::of(f64::from(expired), 1.0)
        },
        solution: &[
            Setup::Set("workers", 1.0),
            Setup::Set("work", 10.0),
            Setup::Set("retention", 60.0),
            Setup::Wait(Time::s(90)),
        ],
    },
    Challenge {
        id: "greedy",
        progress: |system, _| {
            let (first, again) = deliveries(system);
            let patient = seen(system).work < seen(system).clock;
            let share = f64::from(again) / f64::from(first.max(1));
            Progress::of(if patient && first >= 50 { share } else { 0.0 }, 0.5)
        },
        solution: &[
            Setup::Set("batch", 10.0),
            Setup::Set("work", 1.0),
            Setup::Set("orders", 6.0),
            Setup::Wait(Time::s(90)),
        ],
    },
];

/// Which numbers mean which answer.
pub(super) const SCALES: &[Scale] = &[Scale {
    question: "polls",
    range: [0.0, 100.0, 1.0],
    unit: "%",
    answers: &[(0.0, 0), (70.0, 1), (95.0, 2)],
}];
