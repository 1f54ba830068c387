//! The story, its predictions, and things to try.

use super::bill::{SERVER_MONTH, dollars};
use super::model::{Cloud, DATABASE, DOOR, FUNCTION, USERS, part};
use super::settings::Connections;
use super::view::{ANSWERS, BILL};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

/// As many as come at once.
const PEAK: u32 = 20;

fn lasts(cloud: &Cloud, s: u64) -> bool {
    cloud.now.since(cloud.since) >= Time::s(s)
}

/// None, one or a few, or more than half of those who came at once had to wait.
fn waited(cloud: &Cloud, size: u32) -> Option<usize> {
    let cold = cloud.burst.tally.waited;
    cloud.burst.settled(size).then_some(match cold {
        0 => 0,
        _ if 2 * cold <= size => 1,
        _ => 2,
    })
}

pub(super) const STORY: &[Beat<Cloud>] = &[
    Beat {
        id: "meet",
        points: &[FUNCTION],
        shows: &[
            figure(FUNCTION, "alive").is(0.0),
            figure(BILL, "month").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "cold",
        setup: &[
            Setup::Set("rate", 0.0),
            Setup::Act("calm", 0),
            Setup::Act("click", 0),
            Setup::Speed(0.3),
        ],
        when: |cloud| cloud.burst.settled(1),
        points: &[part(0), ANSWERS],
        shows: &[
            figure(FUNCTION, "alive").is(1.0),
            figure(ANSWERS, "waited").is(1.0),
            figure(ANSWERS, "last").within(0.99, 1.01),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "again",
        setup: &[Setup::Set("rate", 5.0), Setup::Speed(3.0)],
        when: |cloud| {
            let warm = cloud
                .answers
                .back()
                .is_some_and(|one| one.took <= Time::ms(200));
            lasts(cloud, 15) && warm && cloud.counts.frozen >= 2 && cloud.counts.in_use >= 1
        },
        points: &[FUNCTION, ANSWERS],
        shows: &[
            figure(USERS, "rate").is(5.0),
            figure(ANSWERS, "warm").at_least(30.0),
            figure(ANSWERS, "last").within(0.19, 0.21),
            figure(FUNCTION, "frozen").at_least(2.0),
        ],
        predict: Some(Prediction {
            id: "peak",
            options: &["none", "one", "most"],
            truth: |cloud| waited(cloud, PEAK),
            hides: &[],
        }),
    },
    Beat {
        id: "burst",
        setup: &[Setup::Act("twenty", 0), Setup::Speed(0.3)],
        when: |cloud| cloud.burst.settled(PEAK),
        points: &[FUNCTION, ANSWERS],
        shows: &[
            figure(ANSWERS, "burst").is(20.0),
            figure(ANSWERS, "burst-unmet").within(11.0, 19.0),
            figure(FUNCTION, "alive").at_least(20.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "deploy",
        setup: &[
            Setup::Act("deploy", 0),
            Setup::Act("twenty", 0),
            Setup::Speed(0.3),
        ],
        when: |cloud| cloud.burst.settled(PEAK),
        points: &[FUNCTION, ANSWERS],
        shows: &[
            figure(FUNCTION, "old").at_least(20.0),
            figure(ANSWERS, "burst-unmet").is(20.0),
        ],
        predict: Some(Prediction {
            id: "ping",
            options: &["none", "one", "most"],
            truth: |cloud| waited(cloud, 5).filter(|_| cloud.burst.pinged),
            hides: &[],
        }),
    },
    Beat {
        id: "ping",
        setup: &[
            Setup::Set("ping", 10.0),
            Setup::Act("silence", 0),
            Setup::Speed(8.0),
        ],
        when: |cloud| cloud.burst.settled(5),
        points: &[FUNCTION, ANSWERS],
        shows: &[
            figure(ANSWERS, "burst").is(5.0),
            figure(ANSWERS, "burst-unmet").is(4.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "slow",
        setup: &[
            Setup::Act("calm", 0),
            Setup::Set("ping", 0.0),
            Setup::Set("rate", 20.0),
            Setup::Act("slow", 0),
            Setup::Speed(2.0),
        ],
        when: |cloud| {
            let full = cloud.counts.in_use >= cloud.knobs.limit;
            full && cloud.is_slow() && lasts(cloud, 9) && cloud.tally.refused >= 10
        },
        points: &[FUNCTION, DOOR, BILL],
        shows: &[
            figure(FUNCTION, "needed").within(59.0, 61.0),
            figure(FUNCTION, "in-use").is(50.0),
            figure(DOOR, "refused").at_least(10.0),
            figure(BILL, "month").at_least(300.0),
        ],
        predict: Some(Prediction {
            id: "connect",
            options: &["served", "errors", "wait"],
            truth: |cloud| {
                let knobs = &cloud.knobs;
                let asked = knobs.slots <= 10 && knobs.connections == Connections::Own;
                let tally = cloud.burst.tally;
                (asked && cloud.burst.settled(PEAK)).then_some(match tally.failed {
                    0 if tally.refused == 0 => 0,
                    0 => 2,
                    _ => 1,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "database",
        setup: &[
            Setup::Act("calm", 0),
            Setup::Set("rate", 5.0),
            Setup::Set("slots", 10.0),
            Setup::Twin("connections", 1.0),
            Setup::Act("twenty", 0),
            Setup::Speed(0.3),
        ],
        // Until B's last are served, too.
        when: |cloud| {
            let past = cloud.now.since(cloud.burst.at) >= Time::ms(1_500);
            cloud.burst.settled(PEAK) && past
        },
        points: &[DATABASE, ANSWERS],
        shows: &[
            figure(DATABASE, "open").is(10.0),
            figure(ANSWERS, "burst-failed").is(10.0),
        ],
        predict: Some(Prediction {
            id: "bill",
            options: &["third", "same", "three"],
            truth: |cloud| {
                let asked = !cloud.is_server() && cloud.knobs.rate >= 19.0 && cloud.paced(9);
                let month = cloud.month(cloud.now).filter(|_| asked)?;
                Some(match dollars(month) / dollars(SERVER_MONTH) {
                    x if x < 0.6 => 0,
                    x if x < 1.7 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "bill",
        setup: &[
            Setup::Alone,
            Setup::Act("calm", 0),
            Setup::Set("slots", 60.0),
            Setup::Set("rate", 20.0),
            Setup::Twin("runs", 1.0),
            Setup::Speed(2.0),
        ],
        when: |cloud| lasts(cloud, 14),
        points: &[BILL, FUNCTION],
        shows: &[
            figure(BILL, "times").within(2.5, 4.2),
            figure(BILL, "even").within(6.0, 6.5),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "provisioned",
        setup: &[
            Setup::Alone,
            Setup::Act("calm", 0),
            Setup::Set("rate", 5.0),
            Setup::Set("provisioned", 25.0),
            Setup::Act("twenty", 0),
            Setup::Speed(1.5),
        ],
        when: |cloud| cloud.burst.settled(PEAK) && lasts(cloud, 9),
        points: &[FUNCTION, ANSWERS, BILL],
        shows: &[
            figure(ANSWERS, "burst-unmet").is(0.0),
            figure(ANSWERS, "waited").is(0.0),
            figure(BILL, "times").within(4.7, 5.7),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Cloud>] = &[
    Challenge {
        id: "peak",
        progress: |cloud, at| {
            let burst = cloud.burst;
            let first = burst.at.since(burst.after) >= Time::s(60) && cloud.knobs.kept <= 30;
            let whole = first && burst.size >= PEAK && !cloud.is_server();
            let cheap = cloud.month(at).is_some_and(|month| dollars(month) < 80.0);
            let bad = burst.tally.all() - burst.tally.warm;
            let served = if whole && cheap && bad <= 1 {
                burst.tally.all()
            } else {
                0
            };
            Progress::of(f64::from(served.min(PEAK)), f64::from(PEAK))
        },
        solution: &[
            Setup::Set("pings", 25.0),
            Setup::Set("ping", 25.0),
            Setup::Wait(Time::s(70)),
            Setup::Act("twenty", 0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "cheap",
        progress: |cloud, at| {
            let lasted = at.since(cloud.since).as_s();
            let answered = f64::from(cloud.tally.warm + cloud.tally.waited);
            let cheap = dollars(cloud.month_since(at)) < 20.0 && !cloud.knobs.free;
            let busy = answered + 3.0 >= 3.0 * lasted && !cloud.is_server();
            Progress::of(if cheap && busy { lasted.min(60.0) } else { 0.0 }, 60.0)
        },
        solution: &[Setup::Set("memory", 128.0), Setup::Wait(Time::s(70))],
    },
    Challenge {
        id: "half",
        progress: |cloud, _| {
            let tally = cloud.tally;
            let alone = cloud.knobs.rate <= 20.0 && !cloud.is_attacked() && !cloud.is_server();
            let share = f64::from(tally.refused) / f64::from(tally.all().max(100));
            Progress::of(if alone { share } else { 0.0 }, 0.5)
        },
        solution: &[
            Setup::Set("rate", 20.0),
            Setup::Set("work", 5_000.0),
            Setup::Set("limit", 40.0),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "quick",
        progress: |cloud, at| {
            let well = cloud.slow_since == 0 && cloud.knobs.rate >= 5.0;
            Progress::held(Some(cloud.emptied).filter(|_| well), at, 30.0)
        },
        solution: &[
            Setup::Set("provisioned", 10.0),
            Setup::Act("calm", 0),
            Setup::Wait(Time::s(32)),
        ],
    },
    Challenge {
        id: "starve",
        progress: |cloud, _| Progress::of(f64::from(cloud.starved), 10.0),
        solution: &[
            Setup::Set("slots", 10.0),
            Setup::Act("twenty", 0),
            Setup::Wait(Time::s(4)),
            Setup::Act("deploy", 0),
            Setup::Wait(Time::s(25)),
        ],
    },
];
