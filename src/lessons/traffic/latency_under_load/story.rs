//! The story, its predictions, and things to try.

use super::figure::{AT_WORK, CHART, FELT, LINE, REPORTED};
use super::measure::{MINUTE, MINUTES, Measure};
use super::{CONSTANT, EXPONENTIAL, FROM_USERS, NO_PAUSE, ON_SCHEDULE, PACES, Seen, UNEVEN, USERS};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};
use kit::system::{Frame, Place, System};

fn seen(system: &System) -> &Seen {
    system.own()
}

/// The mean of what is measured now, in means of the work, from so many answers on.
fn times(system: &System, answers: u64) -> Option<f64> {
    let measure = &seen(system).measure;
    let mean = measure
        .times
        .mean()
        .filter(|_| measure.times.total() >= answers)?;
    Some(mean / 1e6 / work_s(system))
}

/// A knob, as it was last looked at.
fn knob(system: &System, id: &str) -> f64 {
    let dials = super::DIALS.iter();
    let mut values = dials.zip(&seen(system).settings.0);
    let found = values.find(|(dial, _)| dial.knob.id == id);
    found.map_or(0.0, |(_, value)| *value)
}

fn work_s(system: &System) -> f64 {
    (knob(system, "work") / 1e3).max(1e-6)
}

/// When a standstill was forgotten, after its beginning.
fn forgotten(system: &System) -> Option<Time> {
    let stall = seen(system).stall?;
    Some(stall.over?.since(stall.began))
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        when: |system| times(system, 1_000).is_some(),
        points: &[LINE, CHART],
        shows: &[
            figure(CHART, "mean 50").within(17.0, 23.5),
            figure(CHART, "mean 10").at_most(13.0),
        ],
        predict: Some(Prediction {
            id: "eighty",
            options: &["little", "share", "more"],
            truth: |system| {
                let mean = times(system, 12_000)?;
                (knob(system, "busy") == 80.0).then_some(match mean {
                    x if x < 2.9 => 0,
                    x if x < 4.1 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "eighty",
        setup: &[
            Setup::Set("busy", 80.0),
            Setup::Speed(40.0),
            Setup::Wait(Time::s(300)),
        ],
        when: |system| times(system, 12_000).is_some(),
        points: &[CHART],
        shows: &[
            figure(CHART, "mean 80").within(42.0, 60.0),
            figure(CHART, "mean 50").within(17.0, 23.5),
            figure(CHART, "p99").at_least(150.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "climb",
        setup: &[
            Setup::Set("busy", 90.0),
            Setup::Speed(40.0),
            Setup::Wait(Time::s(310)),
        ],
        when: |system| times(system, 12_000).is_some(),
        points: &[CHART],
        shows: &[
            figure(CHART, "mean 90").within(72.0, 140.0),
            figure(CHART, "mean 80").within(42.0, 60.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "minute",
        setup: &[
            Setup::Set("busy", 95.0),
            Setup::Act("minute", 0),
            Setup::Speed(40.0),
            Setup::Wait(Time::s(186)),
        ],
        when: |system| {
            let minutes = seen(system).minutes.as_ref();
            minutes.is_some_and(|minutes| minutes.points.len() == MINUTES)
        },
        points: &[CHART],
        shows: &[
            figure(CHART, "minutes").is(3.0),
            figure(CHART, "largest over smallest").at_least(1.1),
        ],
        predict: Some(Prediction {
            id: "spread",
            options: &["same", "fifth", "twice"],
            truth: |system| {
                let mean = times(system, 12_000)?;
                let uneven = knob(system, "law") == UNEVEN && knob(system, "busy") == 80.0;
                uneven.then_some(match mean {
                    x if x < 5.5 => 0,
                    x if x < 7.5 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "spread",
        setup: &[
            Setup::Set("law", UNEVEN),
            Setup::Set("busy", 80.0),
            Setup::Speed(40.0),
            Setup::Wait(Time::s(240)),
        ],
        when: |system| {
            let long = |call: &Frame| {
                let takes = system.work_of(call).unwrap_or(Time::ZERO);
                call.place == Place::Held && takes.as_s() >= 4.0 * work_s(system)
            };
            let big = system
                .frames()
                .any(|(_, call)| !call.is_request() && long(call));
            times(system, 12_000).is_some() && system.waiting() >= 8 && big
        },
        points: &[LINE, CHART],
        shows: &[
            figure(CHART, "mean").within(75.0, 160.0),
            figure(LINE, "waiting").at_least(8.0),
        ],
        predict: Some(Prediction {
            id: "workers",
            options: &["ten", "five", "one"],
            truth: |system| {
                let mean = times(system, 10_000)?;
                (knob(system, "workers") == 100.0).then_some(match mean {
                    x if x > 7.0 => 0,
                    x if x > 2.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "workers",
        setup: &[
            Setup::Set("law", EXPONENTIAL),
            Setup::Set("work", 50.0),
            Setup::Set("workers", 100.0),
            Setup::Set("busy", 90.0),
            Setup::Speed(4.0),
            Setup::Wait(Time::s(25)),
        ],
        when: |system| times(system, 10_000).is_some(),
        points: &[AT_WORK, CHART],
        shows: &[
            figure(CHART, "mean").within(48.0, 56.0),
            figure(AT_WORK, "busy lately %").within(86.0, 94.0),
        ],
        predict: Some(Prediction {
            id: "stall",
            options: &["two", "four", "ten"],
            truth: |system| {
                let over = forgotten(system).filter(|_| knob(system, "law") == CONSTANT)?;
                Some(match over.as_s() {
                    x if x < 3.0 => 0,
                    x if x < 7.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "stall",
        setup: &[
            Setup::Set("law", CONSTANT),
            Setup::Set("arrivals", 1.0),
            Setup::Set("workers", 1.0),
            Setup::Set("work", 10.0),
            Setup::Set("busy", 80.0),
            Setup::Act("trial", 0),
            Setup::Speed(5.0),
            Setup::Wait(Time::s(26)),
        ],
        when: |system| forgotten(system).is_some(),
        points: &[LINE, AT_WORK],
        shows: &[figure(LINE, "felt s").within(9.9, 10.1)],
        predict: Some(Prediction {
            id: "tester",
            options: &["plan", "some", "none"],
            truth: |system| {
                let seen = seen(system);
                seen.tried(system.now)?;
                let p99 = Time(seen.measure.times.at_per_mille(990)?).as_s();
                (knob(system, "sends") == PACES).then_some(match p99 / work_s(system) {
                    x if x > 100.0 => 0,
                    x if x > 2.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "omission",
        setup: &[
            Setup::Twin("sends", ON_SCHEDULE),
            Setup::Set("sends", PACES),
            Setup::Set("busy", 50.0),
            Setup::Act("trial", 0),
            Setup::Speed(10.0),
            Setup::Wait(Time::s(65)),
        ],
        when: |system| seen(system).tried(system.now).is_some(),
        points: &[FELT, REPORTED],
        shows: &[
            figure(REPORTED, "p99").within(9.9, 10.1),
            figure(FELT, "p99").at_least(1_000.0),
            figure(REPORTED, "missed").is(100.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "closed",
        setup: &[
            Setup::Alone,
            Setup::Set("sends", NO_PAUSE),
            Setup::Set("connections", 50.0),
            Setup::Set("law", EXPONENTIAL),
            Setup::Speed(5.0),
            Setup::Wait(Time::s(30)),
        ],
        when: |system| times(system, 1_000).is_some(),
        points: &[REPORTED, LINE],
        shows: &[
            figure(REPORTED, "mean").within(460.0, 540.0),
            figure(LINE, "waiting").is(49.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "bound",
        setup: &[
            Setup::Set("sends", FROM_USERS),
            Setup::Set("arrivals", 0.0),
            Setup::Set("busy", 120.0),
            Setup::Set("bound", 1.0),
            Setup::Set("places", 5.0),
            Setup::Speed(10.0),
            Setup::Wait(Time::s(60)),
        ],
        when: |system| times(system, 3_000).is_some(),
        points: &[LINE, REPORTED],
        shows: &[
            figure(REPORTED, "refused %").within(23.0, 31.0),
            figure(REPORTED, "mean").within(30.0, 38.0),
        ],
        ..Beat::at_once()
    },
];

/// How long something has been measured of a minute, while everything is `set` and `holds` says of what is measured that it
/// is as wanted. Asked after every event, so it counts nothing out before it must.
fn minute(system: &System, now: Time, set: bool, holds: impl Fn(&Measure) -> bool) -> Progress {
    let seen = seen(system);
    let measure = &seen.measure;
    let held = set && seen.sender == USERS && seen.trial.is_none() && holds(measure);
    let over = if held { measure.span(now).as_s() } else { 0.0 };
    Progress::of(over, MINUTE.as_s())
}

/// Whether the mean time, in times of the work, is known and at most this.
fn mean_within(system: &System, most: f64) -> bool {
    times(system, 200).is_some_and(|mean| mean <= most)
}

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "calm",
        progress: |system, now| {
            let set = knob(system, "busy") >= 80.0 && knob(system, "workers") == 1.0;
            minute(system, now, set, |_| mean_within(system, 1.6))
        },
        solution: &[
            Setup::Set("busy", 80.0),
            Setup::Set("law", CONSTANT),
            Setup::Set("arrivals", 1.0),
            Setup::Wait(Time::s(70)),
        ],
    },
    Challenge {
        id: "hot",
        progress: |system, now| {
            let set = knob(system, "busy") >= 90.0 && knob(system, "law") != CONSTANT;
            let set = set && knob(system, "arrivals") == 0.0;
            minute(system, now, set, |_| mean_within(system, 1.2))
        },
        solution: &[
            Setup::Set("busy", 90.0),
            Setup::Set("work", 100.0),
            Setup::Set("workers", 50.0),
            Setup::Wait(Time::s(70)),
        ],
    },
    Challenge {
        id: "promise",
        progress: |system, now| {
            let set = knob(system, "busy") >= 120.0;
            let work = work_s(system);
            minute(system, now, set, |measure| {
                let p99 = || measure.times.at_per_mille(990).unwrap_or(u64::MAX);
                measure.loss() <= 1.0 / 3.0 && Time(p99()).as_s() <= 12.0 * work
            })
        },
        solution: &[
            Setup::Set("busy", 120.0),
            Setup::Set("bound", 1.0),
            Setup::Set("places", 5.0),
            Setup::Wait(Time::s(70)),
        ],
    },
    Challenge {
        id: "forget",
        progress: |system, _| {
            let stall = seen(system).stall;
            let long = stall.is_some_and(|it| it.until.since(it.began) >= Time::s(2));
            let over = forgotten(system).filter(|_| long);
            Progress::all(over.is_some_and(|over| over <= Time::ms(4_500)))
        },
        solution: &[
            Setup::Set("busy", 30.0),
            Setup::Wait(Time::s(5)),
            Setup::Act("stall", 0),
            Setup::Wait(Time::s(6)),
        ],
    },
    Challenge {
        id: "own",
        progress: |system, _| {
            let closed = knob(system, "sends") == NO_PAUSE;
            let mean = times(system, 200).filter(|_| closed);
            Progress::of(mean.unwrap_or(0.0).min(40.0), 40.0)
        },
        solution: &[
            Setup::Set("sends", NO_PAUSE),
            Setup::Set("connections", 50.0),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "lie",
        progress: |system, now| {
            let seen = seen(system);
            let stood = seen.tried(now).is_some_and(|span| span >= Time::s(2));
            let p99 = || seen.measure.times.at_per_mille(990);
            let p99 = stood.then(p99).flatten();
            let p99 = p99.map(|us| Time(us).as_s() / work_s(system));
            Progress::all(p99.is_some_and(|p99| p99 <= 1.2))
        },
        solution: &[
            Setup::Set("sends", PACES),
            Setup::Set("law", CONSTANT),
            Setup::Act("trial", 0),
            Setup::Wait(Time::s(70)),
        ],
    },
];
