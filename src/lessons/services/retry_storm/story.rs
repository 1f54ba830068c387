//! The story, its predictions, and things to try.

use super::figure::{GOT, JAR, LANES, QUEUE, RATE_PART};
use super::{HERD, Seen, stalled};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Scale, Setup, Time};
use kit::system::System;

const USERS: PartId = PartId::one("users");
const SERVICE: PartId = PartId::one("service");

const NONE: f64 = 0.0;
const EXPONENTIAL: f64 = 1.0;
const FULL: f64 = 2.0;
const SAME: f64 = 1.0;
const NEW: f64 = 0.0;
/// Beats that measure run faster: nothing happens in them that has not been seen.
const FAST: f64 = 2.0;

fn seen(system: &System) -> &Seen {
    system.own()
}

/// Calls a second now.
fn calls_per_s(system: &System) -> f64 {
    let (first, again) = seen(system).per_s(system.now);
    first + again
}

fn answered(system: &System) -> f64 {
    seen(system).answered(system.now).unwrap_or(1.0)
}

/// How long ago the last hiccup ended.
fn well_for(system: &System) -> Option<Time> {
    let healed = seen(system).healed?;
    (!stalled(system)).then(|| system.now.since(healed))
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[USERS, SERVICE],
        shows: &[
            figure(RATE_PART, "calls/s").at_most(60.0),
            figure(GOT, "errors %").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "helps",
        setup: &[
            Setup::Set("chance", 10.0),
            Setup::Speed(FAST),
            Setup::Wait(Time::s(8)),
        ],
        points: &[GOT, LANES],
        shows: &[
            figure(GOT, "retried %").within(2.0, 22.0),
            figure(GOT, "errors %").at_most(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "jam",
        setup: &[
            Setup::Set("chance", 0.0),
            Setup::Speed(0.5),
            Setup::Act("hiccup", 0),
        ],
        when: |system| stalled(system) && calls_per_s(system) >= 90.0,
        points: &[RATE_PART, LANES],
        shows: &[figure(RATE_PART, "calls/s").above(figure(RATE_PART, "capacity/s"))],
        predict: Some(Prediction {
            id: "healed",
            options: &["at-once", "backlog", "never"],
            truth: |system| {
                let well = well_for(system)?;
                (well >= Time::s(10)).then(|| match answered(system) {
                    x if x >= 0.9 && well < Time::s(11) && system.waiting() < 20 => 1,
                    x if x >= 0.5 => 0,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "healed",
        setup: &[Setup::Speed(FAST)],
        when: |system| well_for(system).is_some_and(|well| well >= Time::s(10)),
        points: &[SERVICE, QUEUE, GOT],
        shows: &[
            figure(GOT, "answered %").at_most(10.0),
            figure(QUEUE, "for-nobody %").at_least(50.0),
        ],
        predict: Some(Prediction {
            id: "backoff",
            options: &["users", "capacity", "same"],
            truth: |system| {
                let waits = system.since("you-set")?;
                let settled = seen(system).longest >= Time::s(8)
                    && system.now.since(waits.at()) >= Time::s(15);
                settled.then(|| match calls_per_s(system) {
                    x if x < 50.0 => 0,
                    x if x < 90.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "backoff",
        setup: &[
            Setup::Set("base", 1_000.0),
            Setup::Set("longest", 8.0),
            Setup::Speed(4.0),
            Setup::Wait(Time::s(20)),
        ],
        points: &[LANES, RATE_PART],
        shows: &[
            figure(RATE_PART, "calls/s").at_least(100.0),
            figure(GOT, "answered %").at_most(30.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "budget",
        setup: &[
            Setup::Set("base", 100.0),
            Setup::Set("longest", 2.0),
            Setup::Set("budget", 10.0),
            Setup::Speed(4.0),
            Setup::Wait(Time::s(6)),
        ],
        when: |system| answered(system) >= 0.95,
        points: &[JAR, RATE_PART, GOT],
        shows: &[
            figure(RATE_PART, "calls/s").at_most(62.0),
            figure(GOT, "answered %").at_least(90.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "same",
        setup: &[
            Setup::Set("budget", 0.0),
            Setup::Set("callers", SAME),
            Setup::Set("base", 1_000.0),
            Setup::Set("longest", 8.0),
            Setup::Twin("backoff", NONE),
            Setup::Speed(8.0),
            Setup::Act("hiccup", 0),
            Setup::Wait(Time::s(16)),
        ],
        when: |system| well_for(system).is_some() && answered(system) >= 0.9,
        points: &[LANES, GOT],
        shows: &[figure(GOT, "answered %").at_least(85.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "herd",
        setup: &[
            Setup::Alone,
            Setup::Set("callers", NEW),
            Setup::Set("load", 5.0),
            Setup::Set("queue", 20.0),
            Setup::Set("base", 100.0),
            Setup::Set("longest", 2.0),
            Setup::Set("backoff", EXPONENTIAL),
            Setup::Speed(0.5),
            Setup::Act("restart", 0),
            Setup::Act("herd", 0),
        ],
        when: |system| {
            let came = seen(system).herd.map(|herd| (herd.came, herd.wave));
            came.is_some_and(|(came, wave)| wave >= 2 && system.now.since(came) >= Time::ms(1_300))
        },
        points: &[LANES, SERVICE],
        shows: &[figure(LANES, "pausing").at_least(60.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "layers",
        setup: &[
            Setup::Set("backoff", FULL),
            Setup::Set("queue", 200.0),
            Setup::Set("load", 15.0),
            Setup::Set("layers", 3.0),
            Setup::Set("timeout", 0.2),
            Setup::Set("base", 10.0),
            Setup::Set("longest", 0.1),
            Setup::Speed(4.0),
            Setup::Act("restart", 0),
            Setup::Act("hiccup", 0),
        ],
        when: |system| seen(system).most >= 64,
        points: &[USERS, SERVICE],
        shows: &[figure(RATE_PART, "most").is(64.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Set("layers", 1.0),
            Setup::Set("timeout", 1.0),
            Setup::Set("base", 100.0),
            Setup::Set("longest", 2.0),
            Setup::Set("load", 40.0),
            Setup::Speed(FAST),
            Setup::Act("restart", 0),
            Setup::Wait(Time::s(4)),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "way-out",
        progress: |system, now| {
            let mended = seen(system).jam_with_retries;
            Progress::held(seen(system).well.since().filter(|_| mended), now, 5.0)
        },
        solution: &[
            Setup::Act("hiccup", 0),
            Setup::Wait(Time::s(12)),
            Setup::Set("budget", 10.0),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "edge",
        progress: |system, now| {
            let since = seen(system).survived.since();
            Progress::held(
                since.filter(|_| seen(system).bare && seen(system).long),
                now,
                3.0,
            )
        },
        solution: &[
            Setup::Set("load", 12.0),
            Setup::Act("hiccup", 0),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "short-queue",
        progress: |system, now| {
            let since = seen(system).survived.since();
            Progress::held(
                since.filter(|_| seen(system).bare && seen(system).busy),
                now,
                3.0,
            )
        },
        solution: &[
            Setup::Set("queue", 30.0),
            Setup::Act("hiccup", 0),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "tame",
        progress: |system, _| {
            let herd = seen(system).herd;
            let done = herd.filter(|herd| {
                let took = herd.done.map(|done| done.since(herd.came));
                took.is_some_and(|took| took <= Time::s(12)) && herd.calls < 900
            });
            let over = herd.map_or(0, |herd| HERD - herd.open);
            match done {
                Some(_) => Progress::of(f64::from(HERD), f64::from(HERD)),
                None => Progress::of(f64::from(over.min(HERD - 1)), f64::from(HERD)),
            }
        },
        solution: &[
            Setup::Set("load", 5.0),
            Setup::Set("queue", 20.0),
            Setup::Set("retries", 5.0),
            Setup::Set("base", 500.0),
            Setup::Set("longest", 16.0),
            Setup::Act("herd", 0),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "sixty-four",
        progress: |system, _| Progress::of(f64::from(seen(system).most), 64.0),
        solution: &[
            Setup::Set("layers", 3.0),
            Setup::Set("load", 15.0),
            Setup::Set("timeout", 0.2),
            Setup::Set("base", 10.0),
            Setup::Set("longest", 0.1),
            Setup::Act("hiccup", 0),
            Setup::Wait(Time::s(60)),
        ],
    },
];

/// Which numbers mean which answer.
pub(super) const SCALES: &[Scale] = &[Scale {
    question: "backoff",
    range: [0.0, 200.0, 5.0],
    unit: "/s",
    answers: &[(0.0, 0), (50.0, 1), (100.0, 2)],
}];
