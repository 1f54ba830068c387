//! The story, its predictions, and things to try.

use super::copies::{Answered, LATELY, LOG};
use super::figure::{RELOADS, ROUTER_PART, SHARE, WRITES};
use super::readers::Flag;
use super::{Seen, busy, lags, replicas};
use engine::claim::{figure, line};
use engine::{Beat, Challenge, PartId, Prediction, Progress, Scale, Setup, Time};
use kit::system::System;

const USERS: PartId = PartId::one("users");
const PRIMARY: PartId = PartId::nth("db", 1);
const REPLICA: PartId = PartId::nth("db", 2);

const ANY: f64 = 1.0;
const TIMER: f64 = 3.0;
const TOKEN: f64 = 4.0;
const PRIMARY_HAS_IT: f64 = 0.0;
const ONE_RECEIVED: f64 = 1.0;
const ALL_RECEIVED: f64 = 2.0;
const ALL_REPLAYED: f64 = 3.0;
/// Beats that measure run faster: nothing happens in them that has not been seen.
const FAST: f64 = 3.0;
/// Beats that measure wait so long; what was asked is known a little earlier.
const SETTLED: Time = Time::s(20);
const KNOWN: Time = Time::s(19);

fn seen(system: &System) -> &Seen {
    system.own()
}

/// How long it is since a knob was turned.
fn settled(system: &System) -> Time {
    system.now.since(system.turned)
}

/// A reload was taken just now that is too early.
fn just_missed(system: &System) -> bool {
    let fresh = |flag: &Flag| flag.misses() && system.now.since(flag.at) < Time::ms(250);
    seen(system).readers.flag.as_ref().is_some_and(fresh)
}

/// The lag of the replica that is most behind, in seconds.
fn lag_s(system: &System) -> f64 {
    lags(system, system.now).map_or(0.0, |(most, _)| most.as_s())
}

/// The mean share of the replicas' workers that was busy lately.
fn copies_busy(system: &System) -> f64 {
    let each = replicas(system).map(|member| busy(member, system, system.now));
    let (sum, count) = each.fold((0.0, 0), |(sum, count), [reads, writes]| {
        (sum + reads + writes, count + 1)
    });
    sum / f64::from(count.max(1))
}

/// The failover that a cut since the last turn of a knob has led to.
fn failed_over(system: &System) -> Option<Time> {
    let failover = seen(system).copies.failover?;
    (failover.at >= system.turned).then_some(failover.at)
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[PRIMARY, REPLICA],
        shows: &[
            figure(USERS, "load").is(60.0),
            figure(REPLICA, "busy %").within(45.0, 90.0),
            figure(PRIMARY, "busy %").at_most(26.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "missing",
        when: |system| {
            let (all, _) = seen(system).readers.last_reloads(40, Time::ZERO);
            all >= 40 && just_missed(system) && lag_s(system) < 0.5
        },
        points: &[LOG, RELOADS],
        shows: &[
            figure(RELOADS, "of ten").within(2.0, 6.5),
            figure(LOG, "saved at").above(figure(LOG, "stood at")),
        ],
        predict: Some(Prediction {
            id: "lag",
            options: &["near", "settle", "grow"],
            truth: |system| {
                let known = seen(system).rules.share >= 0.3 && settled(system) >= KNOWN;
                known.then(|| match lag_s(system) {
                    x if x < 0.5 => 0,
                    x if x < 2.5 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "behind",
        setup: &[
            Setup::Set("writes", 30.0),
            Setup::Speed(FAST),
            Setup::Wait(SETTLED),
        ],
        points: &[LOG, REPLICA],
        shows: &[
            figure(LOG, "behind s").within(3.0, 9.5),
            figure(REPLICA, "busy %").at_most(85.0),
            figure(PRIMARY, "busy %").at_most(60.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "threads",
        setup: &[
            Setup::Set("appliers", 4.0),
            Setup::Speed(FAST),
            Setup::Wait(Time::s(8)),
        ],
        when: |system| lag_s(system) < 0.35 && system.waiting() < 20,
        points: &[LOG],
        shows: &[figure(LOG, "behind s").at_most(0.5)],
        ..Beat::at_once()
    },
    Beat {
        id: "timer",
        setup: &[
            Setup::Set("writes", 10.0),
            Setup::Set("appliers", 1.0),
            Setup::Set("reads", TIMER),
            Setup::Act("long", 0),
            Setup::Speed(1.0),
        ],
        when: |system| {
            let missing = seen(system).readers.tally.missing;
            missing >= 5 && lag_s(system) >= 2.5 && just_missed(system)
        },
        points: &[RELOADS, ROUTER_PART],
        shows: &[
            figure(RELOADS, "missing").at_least(5.0),
            figure(LOG, "behind s").at_least(2.0),
            figure(SHARE, "primary %").at_least(15.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "position",
        setup: &[
            Setup::Set("reads", TOKEN),
            Setup::Speed(FAST),
            Setup::Wait(Time::s(12)),
        ],
        when: |system| lag_s(system) < 0.4,
        points: &[RELOADS, SHARE],
        shows: &[
            figure(RELOADS, "missing").is(0.0),
            figure(RELOADS, "back").is(0.0),
            figure(SHARE, "primary %").within(3.0, 85.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "cut",
        setup: &[
            Setup::Set("reads", ANY),
            Setup::Twin("answered", ONE_RECEIVED),
            Setup::Act("cut", 0),
            Setup::Speed(0.5),
        ],
        when: |system| failed_over(system).is_some_and(|at| system.now.since(at) >= Time::ms(500)),
        points: &[WRITES],
        shows: &[figure(WRITES, "lost").at_least(3.0)],
        predict: Some(Prediction {
            id: "received",
            options: &["none", "half", "most"],
            truth: |system| {
                let known = seen(system).rules.answered == Answered::AllReceived;
                let known = known && settled(system) >= KNOWN;
                let (all, missed) = seen(system).readers.last_reloads(20, system.turned);
                (known && all >= 20).then_some(match missed {
                    0..5 => 0,
                    5..15 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "received",
        setup: &[
            Setup::Alone,
            Setup::Act("heal", 0),
            Setup::Set("writes", 30.0),
            Setup::Set("answered", ALL_RECEIVED),
            Setup::Speed(FAST),
            Setup::Wait(SETTLED),
        ],
        points: &[RELOADS, LOG],
        shows: &[figure(RELOADS, "of ten").at_least(8.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "replayed",
        setup: &[
            Setup::Set("answered", ALL_REPLAYED),
            Setup::Speed(FAST),
            Setup::Wait(SETTLED),
        ],
        points: &[WRITES, SHARE],
        shows: &[
            line("reads", "stale").is(0.0),
            figure(SHARE, "stale %").is(0.0),
            figure(WRITES, "s").at_least(4.0),
        ],
        predict: Some(Prediction {
            id: "share",
            options: &["forty", "fifty", "seventy"],
            truth: |system| {
                let six = replicas(system).count() == 6 && seen(system).rules.share >= 0.5;
                let known = six && settled(system) >= Time::s(28);
                known.then(|| match copies_busy(system) {
                    x if x < 0.47 => 0,
                    x if x < 0.61 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "share",
        setup: &[
            Setup::Set("answered", PRIMARY_HAS_IT),
            Setup::Set("writes", 50.0),
            Setup::Set("appliers", 4.0),
            Setup::Set("replicas", 6.0),
            Setup::Speed(4.0),
            Setup::Wait(Time::s(30)),
        ],
        points: &[PartId::one("db")],
        shows: &[
            figure(PartId::nth("db", 4), "busy %").within(58.0, 82.0),
            figure(PartId::nth("db", 4), "writes %").within(48.0, 72.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "own",
        progress: |system, now| {
            let tally = seen(system).readers.tally;
            let since = seen(system).copies.long.map(|(_, at, _)| at);
            let since = since.filter(|at| *at >= system.turned && tally.missing == 0);
            let spared = tally.at_primary * 2 < tally.reads;
            let held = since.map_or(0.0, |at| now.since(at).as_s());
            Progress::of(held.min(if spared { 30.0 } else { 29.0 }), 30.0)
        },
        solution: &[
            Setup::Set("reads", TOKEN),
            Setup::Wait(Time::s(2)),
            Setup::Act("long", 0),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "many",
        progress: |system, now| Progress::held(seen(system).quick.since(), now, 10.0),
        solution: &[
            Setup::Set("replicas", 6.0),
            Setup::Set("appliers", 2.0),
            Setup::Set("load", 150.0),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "promise",
        progress: |system, _| {
            let cut = seen(system).copies.cut;
            let failover = seen(system).copies.failover;
            let tally = seen(system).readers.tally;
            let quick = tally.write_time.0 <= u64::from(tally.writes) * 500_000;
            Progress::all(failover.is_some_and(|it| {
                let cut = cut.is_some_and(|at| it.at > at);
                cut && quick && it.lost == 0 && it.unanswered > 0 && tally.writes > 0
            }))
        },
        solution: &[
            Setup::Set("answered", ONE_RECEIVED),
            Setup::Wait(Time::s(5)),
            Setup::Act("cut", 0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "back",
        progress: |system, _| Progress::of(f64::from(seen(system).readers.tally.back), 10.0),
        solution: &[Setup::Set("last", 10.0), Setup::Wait(Time::s(40))],
    },
    Challenge {
        id: "stops",
        progress: |system, now| Progress::held(seen(system).stopped.since(), now, 9.0),
        solution: &[
            Setup::Set("answered", ALL_RECEIVED),
            Setup::Act("crash", 1),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "stampede",
        progress: |system, now| Progress::held(seen(system).slow.since(), now, 3.0),
        solution: &[
            Setup::Set("skip", 2.0),
            Setup::Set("writes", 30.0),
            Setup::Wait(Time::s(60)),
        ],
    },
];

/// Which numbers mean which answer.
pub(super) const SCALES: &[Scale] = &[Scale {
    question: "share",
    range: [20.0, 75.0, 5.0],
    unit: "%",
    answers: &[(20.0, 0), (47.0, 1), (61.0, 2)],
}];

/// What is told of machines is told over less than what is waited for.
const _: () = assert!(LATELY.0 < SETTLED.0);
