//! The story, its predictions, and things to try.

use super::control::{Brake, Seen};
use super::figure::{BILL, CHART, GOT};
use super::{ARRIVING, AUTOSCALER, CPU, DAY, PATIENCE, SPIKE_FOR};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Scale, Setup, Time};
use kit::system::System;

const USERS: PartId = PartId::one("users");
const POD: PartId = PartId::nth("pod", 1);
/// The fixed pods that a day is compared with, in pod-seconds.
const FIXED: f64 = 20.0 * 80.0;

fn seen(system: &System) -> &Seen {
    system.own()
}

fn so_long(system: &System, s: u64) -> bool {
    system.now.since(seen(system).tally.since) >= Time::s(s)
}

fn surging(system: &System) -> bool {
    let users = system.node(super::USERS);
    users.is_some_and(|users| users.surge.is_on())
}

/// In a spike, as many pods are ready as are needed, and all that waited for them are gone.
fn caught_up(system: &System) -> bool {
    let tally = &seen(system).tally;
    let after = |at: Time| system.now.since(at) >= PATIENCE;
    tally.rush == Some(SPIKE_FOR) && tally.caught_up.is_some_and(after)
}

pub(super) const SCALES: &[Scale] = &[
    Scale {
        question: "spike",
        range: [1.0, 20.0, 1.0],
        unit: "s",
        answers: &[(1.0, 0), (3.0, 1), (8.0, 2)],
    },
    Scale {
        question: "hunt",
        range: [10.0, 30.0, 1.0],
        unit: "",
        answers: &[(10.0, 0), (12.0, 1), (22.0, 2)],
    },
];

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[AUTOSCALER, CHART],
        shows: &[
            figure(USERS, "load").is(15.0),
            figure(AUTOSCALER, "metric").within(59.0, 61.0),
            figure(AUTOSCALER, "set").is(5.0),
        ],
        predict: Some(Prediction {
            id: "spike",
            options: &["check", "start", "long"],
            truth: |system| {
                let tally = &seen(system).tally;
                let took = tally.last_hurt.since(tally.since).as_s();
                caught_up(system).then_some(match took {
                    x if x < 3.0 => 0,
                    x if x < 8.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "spike",
        setup: &[
            Setup::Act("calm", 0),
            Setup::Act("spike", 0),
            Setup::Speed(3.0),
        ],
        when: caught_up,
        points: &[AUTOSCALER, CHART],
        shows: &[
            figure(CHART, "hurt").at_least(400.0),
            figure(CHART, "ready").is(14.0),
            figure(CHART, "wanted").is(23.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "down",
        setup: &[Setup::Speed(4.0)],
        when: |system| {
            let over = seen(system).tally.since + SPIKE_FOR + Time::s(6);
            !surging(system) && system.now >= over && seen(system).brake == Brake::Keeps
        },
        points: &[AUTOSCALER, CHART],
        shows: &[
            figure(USERS, "load").is(15.0),
            figure(AUTOSCALER, "keeps").is(1.0),
            figure(CHART, "ready").at_least(20.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "arrives",
        setup: &[
            Setup::Act("calm", 0),
            Setup::Twin("metric", CPU),
            Setup::Set("metric", ARRIVING),
            Setup::Act("spike", 0),
            Setup::Speed(3.0),
        ],
        when: |system| caught_up(system) && so_long(system, 15),
        points: &[AUTOSCALER, CHART],
        shows: &[
            figure(CHART, "hurt").within(150.0, 300.0),
            figure(CHART, "highest").is(20.0),
        ],
        predict: Some(Prediction {
            id: "hunt",
            options: &["ten", "some", "all"],
            truth: |system| {
                let seen = seen(system);
                let hunts = seen.tally.doubled && seen.rules.starting == 1;
                let settled = seen.tally.highest >= seen.rules.most || so_long(system, 25);
                (hunts && settled).then_some(match seen.tally.highest {
                    0..=11 => 0,
                    12..=21 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "hunt",
        setup: &[
            Setup::Alone,
            Setup::Set("metric", CPU),
            Setup::Set("starting", 1.0),
            Setup::Act("calm", 0),
            Setup::Act("twice", 0),
            Setup::Speed(1.5),
        ],
        when: |system| seen(system).tally.highest >= 30,
        points: &[AUTOSCALER, CHART],
        shows: &[
            figure(CHART, "highest").is(30.0),
            figure(CHART, "needed").is(6.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "flap",
        setup: &[
            Setup::Set("starting", 0.0),
            Setup::Set("load", 15.0),
            Setup::Act("calm", 0),
            Setup::Set("shape", 2.0),
            Setup::Twin("keep", 30.0),
            Setup::Set("keep", 0.0),
            Setup::Speed(12.0),
        ],
        when: |system| seen(system).rules.shape == 2 && so_long(system, 72),
        points: &[CHART, BILL],
        shows: &[
            figure(CHART, "hurt %").at_least(30.0),
            figure(CHART, "started").at_least(30.0),
        ],
        predict: Some(Prediction {
            id: "deaf",
            options: &["one", "doubles", "nothing"],
            truth: |system| {
                let seen = seen(system);
                let asked = seen.tally.doubled && seen.rules.target > 91.0;
                (asked && so_long(system, 6)).then_some(match seen.tally.started {
                    0 => 2,
                    1..=3 => 0,
                    _ => 1,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "deaf",
        setup: &[
            Setup::Alone,
            Setup::Set("shape", 0.0),
            Setup::Set("keep", 30.0),
            Setup::Set("target", 95.0),
            Setup::Act("calm", 0),
            Setup::Act("twice", 0),
            Setup::Speed(2.0),
        ],
        when: |system| seen(system).tally.doubled && so_long(system, 12),
        points: &[AUTOSCALER, POD],
        shows: &[
            figure(AUTOSCALER, "metric").is(100.0),
            figure(AUTOSCALER, "close").is(1.0),
            figure(CHART, "started").is(0.0),
            figure(GOT, "in time %").at_most(20.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "flash",
        setup: &[
            Setup::Set("target", 60.0),
            Setup::Set("load", 15.0),
            Setup::Set("metric", ARRIVING),
            Setup::Act("calm", 0),
            Setup::Act("flash", 0),
            Setup::Speed(2.5),
        ],
        when: |system| seen(system).tally.rush.is_some() && so_long(system, 10),
        points: &[CHART, BILL],
        shows: &[
            figure(CHART, "hurt").within(200.0, 260.0),
            figure(CHART, "ready").is(20.0),
            figure(CHART, "needed").is(3.0),
            figure(USERS, "load").is(15.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "ahead",
        setup: &[
            Setup::Act("calm", 0),
            Setup::Set("ahead", 4.0),
            Setup::Act("spike", 0),
            Setup::Speed(3.0),
        ],
        when: |system| seen(system).tally.rush == Some(SPIKE_FOR) && so_long(system, 12),
        points: &[AUTOSCALER, CHART],
        shows: &[
            figure(CHART, "hurt").is(0.0),
            figure(CHART, "ready").is(20.0),
            figure(USERS, "load").is(60.0),
        ],
        predict: Some(Prediction {
            id: "tide",
            options: &["same", "third", "fifth"],
            truth: |system| {
                let seen = seen(system);
                let share = seen.tally.pod_us as f64 / 1e6 / FIXED;
                (seen.rules.shape == 1 && so_long(system, 80)).then_some(match share {
                    x if x > 0.85 => 0,
                    x if x > 0.45 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "tide",
        setup: &[
            Setup::Set("ahead", 0.0),
            Setup::Set("keep", 10.0),
            Setup::Set("shape", 1.0),
            Setup::Act("calm", 0),
            Setup::Speed(12.0),
        ],
        when: |system| seen(system).rules.shape == 1 && so_long(system, DAY.as_s() as u64),
        points: &[CHART, BILL],
        shows: &[
            figure(BILL, "pod-s").within(1_040.0, 1_200.0),
            figure(CHART, "hurt %").at_most(1.0),
        ],
        ..Beat::at_once()
    },
];

/// The load that a spike must multiply, so that it counts.
const LOAD: f64 = 15.0;

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "unannounced",
        progress: |system, now| {
            let seen = seen(system);
            let counts = seen.tally.rush == Some(SPIKE_FOR)
                && seen.tally.hurt == 0
                && seen.rules.ahead == 0.0
                && seen.rules.load >= LOAD;
            Progress::held(counts.then_some(seen.tally.since), now, 32.0)
        },
        solution: &[
            Setup::Set("least", 12.0),
            Setup::Act("calm", 0),
            Setup::Act("spike", 0),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "nothing",
        progress: |system, now| {
            let seen = seen(system);
            let counts = seen.rules.auto
                && seen.tally.doubled
                && seen.tally.started == 0
                && seen.sum.set < seen.rules.most;
            Progress::held(seen.tally.full.since().filter(|_| counts), now, 20.0)
        },
        solution: &[
            Setup::Act("calm", 0),
            Setup::Set("target", 91.0),
            Setup::Act("twice", 0),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "waves",
        progress: |system, now| {
            let seen = seen(system);
            let short = seen.rules.keep <= 15.0;
            Progress::held(seen.calm.since().filter(|_| short), now, 60.0)
        },
        solution: &[
            Setup::Set("shape", 2.0),
            Setup::Set("keep", 15.0),
            Setup::Wait(Time::s(150)),
        ],
    },
    Challenge {
        id: "day",
        progress: |system, now| {
            let seen = seen(system);
            let counts = seen.rules.shape == 1
                && seen.tally.hurt == 0
                && seen.tally.pod_us < 1_000_000_000
                && seen.rules.load >= LOAD;
            Progress::held(counts.then_some(seen.tally.since), now, 80.0)
        },
        solution: &[
            Setup::Set("target", 72.0),
            Setup::Set("keep", 10.0),
            Setup::Set("shape", 1.0),
            Setup::Act("calm", 0),
            Setup::Wait(Time::s(85)),
        ],
    },
    Challenge {
        id: "slow",
        progress: |system, now| {
            let seen = seen(system);
            let counts = seen.tally.doubled && seen.rules.start >= 12.0 && seen.tally.hurt < 20;
            Progress::held(counts.then_some(seen.tally.since), now, 30.0)
        },
        solution: &[
            Setup::Set("least", 10.0),
            Setup::Act("calm", 0),
            Setup::Set("start", 12.0),
            Setup::Wait(Time::s(15)),
            Setup::Act("twice", 0),
            Setup::Wait(Time::s(35)),
        ],
    },
    Challenge {
        id: "room",
        progress: |system, _| {
            let seen = seen(system);
            let counts = seen.tally.rush == Some(SPIKE_FOR)
                && seen.rules.start <= 3.0
                && seen.rules.load <= LOAD;
            let hurt = if counts { seen.tally.hurt } else { 0 };
            Progress::of(f64::from(hurt), 700.0)
        },
        solution: &[
            Setup::Act("calm", 0),
            Setup::Set("free", 8.0),
            Setup::Act("spike", 0),
            Setup::Wait(Time::s(40)),
        ],
    },
];
