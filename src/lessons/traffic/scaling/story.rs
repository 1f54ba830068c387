//! The story, its predictions, and things to try.

use super::figure::{BILL, CHART, GOT};
use super::{Fate, MOST, OUT, Seen, UP};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};
use kit::system::System;

const USERS: PartId = PartId::one("users");
const STOCK: PartId = PartId::one("stock");
const FIRST: PartId = PartId::nth("machine", 1);

fn seen(system: &System) -> &Seen {
    system.own()
}

/// Measured with so many machines since the last change of them.
fn measured(system: &System, cores: usize) -> bool {
    let seen = seen(system);
    seen.shop.out && seen.shop.cores == cores && seen.rate.is_some()
}

/// What is served after a crash, against before; none until it is measured.
fn after_crash(system: &System) -> Option<f64> {
    let seen = seen(system);
    let (cores, before) = seen.before?;
    let fewer = seen.shop.cores < cores;
    seen.rate.filter(|_| fewer).map(|rate| rate / before)
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        when: |system| measured(system, 2),
        points: &[FIRST, CHART],
        shows: &[
            figure(CHART, "out 1").within(20.0, 25.0),
            figure(CHART, "out 2").within(39.0, 47.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "four",
        setup: &[],
        when: |system| measured(system, 4),
        points: &[CHART],
        shows: &[figure(CHART, "out 4").within(71.0, 81.0)],
        predict: Some(Prediction {
            id: "eight",
            options: &["twice", "some", "same", "fewer"],
            truth: |system| {
                let eight = seen(system).point(true, MOST)?;
                let four = seen(system).point(true, 4)?;
                Some(match eight / four {
                    x if x >= 1.7 => 0,
                    x if x >= 1.2 => 1,
                    x if x >= 1.0 => 2,
                    _ => 3,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "peak",
        when: |system| measured(system, MOST),
        points: &[CHART, GOT],
        shows: &[
            figure(CHART, "out 8").within(68.0, 70.0),
            figure(CHART, "out 5").above(figure(CHART, "out 8")),
            figure(CHART, "out 4").above(figure(CHART, "out 8")),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "why",
        setup: &[Setup::Speed(0.1), Setup::Wait(Time::ms(400))],
        when: |system| system.waiting_at(super::STOCK, 0) >= 5,
        points: &[STOCK],
        shows: &[
            figure(STOCK, "waiting").at_least(5.0),
            figure(STOCK, "busy").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "up",
        setup: &[
            Setup::Set("grow", 0.0),
            Setup::Set("way", UP),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(9)),
        ],
        when: |system| !seen(system).shop.out && seen(system).rate.is_some(),
        points: &[FIRST, CHART],
        shows: &[
            figure(CHART, "up 8").within(162.0, 178.0),
            figure(CHART, "out 8").within(68.0, 70.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "compare",
        setup: &[
            Setup::Twin("way", UP),
            Setup::Set("way", OUT),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(9)),
        ],
        when: |system| measured(system, MOST),
        points: &[CHART, GOT],
        shows: &[figure(CHART, "out 8").within(68.0, 70.0)],
        predict: Some(Prediction {
            id: "crash",
            options: &["none", "less", "more"],
            truth: |system| {
                let change = after_crash(system)?;
                Some(match change {
                    x if x < 0.5 => 0,
                    x if x < 1.03 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "crash",
        setup: &[Setup::Act("crash", 0), Setup::Speed(1.0)],
        when: |system| after_crash(system).is_some(),
        points: &[FIRST, CHART],
        shows: &[
            figure(CHART, "out 7").within(75.5, 78.5),
            figure(CHART, "out 8").within(68.0, 70.0),
            figure(CHART, "out 7").above(figure(CHART, "out 8")),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "free",
        setup: &[
            Setup::Alone,
            Setup::Act("mend", 0),
            Setup::Set("shared", 0.0),
            Setup::Set("telling", 0.0),
            Setup::Set("load", 250.0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(3)),
        ],
        when: |system| measured(system, MOST),
        points: &[CHART],
        shows: &[figure(CHART, "out 8").within(187.0, 203.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "room",
        setup: &[
            Setup::Set("shared", 4.0),
            Setup::Set("telling", 1.5),
            Setup::Set("load", 70.0),
            Setup::Set("cores", 4.0),
            Setup::Act("crash", 0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(8)),
        ],
        when: |system| {
            let got = |fate| seen(system).share(fate, system.now);
            got(Fate::Refused) >= 0.08 && got(Fate::Late) + got(Fate::Lost) < 0.03
        },
        points: &[FIRST, GOT],
        shows: &[
            figure(GOT, "refused %").at_least(8.0),
            figure(USERS, "load").is(70.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Act("mend", 0),
            Setup::Set("load", 200.0),
            Setup::Set("way", OUT),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(3)),
        ],
        points: &[BILL, USERS],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "hundred",
        progress: |system, now| Progress::held(seen(system).hundred.since(), now, 10.0),
        solution: &[
            Setup::Set("grow", 0.0),
            Setup::Set("telling", 0.4),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "survive",
        progress: |system, now| Progress::held(seen(system).survives.since(), now, 20.0),
        solution: &[
            Setup::Set("grow", 0.0),
            Setup::Set("load", 70.0),
            Setup::Set("cores", 5.0),
            Setup::Wait(Time::s(20)),
            Setup::Act("crash", 0),
            Setup::Wait(Time::s(25)),
        ],
    },
    Challenge {
        id: "no-gap",
        progress: |system, now| Progress::held(seen(system).grown.since(), now, 3.0),
        solution: &[
            Setup::Set("grow", 0.0),
            Setup::Set("load", 35.0),
            Setup::Set("cores", 2.0),
            Setup::Wait(Time::s(20)),
            Setup::Set("cores", 4.0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "stay-in",
        progress: |system, now| Progress::held(seen(system).shrunk.since(), now, 5.0),
        solution: &[
            Setup::Set("grow", 0.0),
            Setup::Set("cores", 6.0),
            Setup::Wait(Time::s(4)),
            Setup::Act("fewer", 0),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "cheapest",
        progress: |system, now| {
            let seen = seen(system);
            let done = seen.thrift.iter().filter(|done| **done).count();
            let open = !seen.thrift[usize::from(seen.steep)];
            let since = seen.cheap.since().filter(|_| open);
            let held = since.map_or(0.0, |since| now.since(since).as_s().min(9.9));
            Progress::of(10.0 * done as f64 + held, 20.0)
        },
        solution: &[
            Setup::Set("grow", 0.0),
            Setup::Set("way", UP),
            Setup::Set("cores", 4.0),
            Setup::Wait(Time::s(30)),
            Setup::Set("price", 1.0),
            Setup::Set("way", OUT),
            Setup::Wait(Time::s(30)),
        ],
    },
];
