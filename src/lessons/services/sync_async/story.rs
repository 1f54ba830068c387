//! The story, its predictions, and things to try.

use super::figure::{BAR, ENCODERS, PAGES, PASSED, QUEUED, TABS, WEB_APP, WRITERS};
use super::uploads::{Fate, Job, Seen, State, User};
use super::{CAPTIONS, CROWD, DURABLE, FREE, MEMORY, QUEUE, WAIT, is_up, pool};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Scale, Setup, Time};
use kit::system::System;

const BY_WAITING: f64 = WAIT as f64;
const THREAD_FREE: f64 = FREE as f64;
const IN_MEMORY: f64 = MEMORY as f64;
const BY_QUEUE: f64 = DURABLE as f64;
const TOLD: f64 = 1.0;
/// The crowd, as a figure.
const ALL: f64 = CROWD as f64;
/// A page is fast as long as it takes no longer.
const FAST: Time = Time::ms(100);
/// The gateway has given up on whoever came with the crowd.
const GIVEN_UP: Time = Time::ms(10_300);

fn seen(system: &System) -> &Seen {
    system.own()
}

fn fate(system: &System, fate: Fate) -> u32 {
    seen(system).fates()[fate as usize]
}

/// How long ago the last crowd came; none if none did.
fn crowd_for(system: &System) -> Option<Time> {
    seen(system).crowd.map(|crowd| system.now.since(crowd.at))
}

fn crowd_over(system: &System, span: Time) -> bool {
    crowd_for(system).is_some_and(|since| since >= span)
}

/// How long the whole crowd's videos took; none before the last of them is there.
fn crowd_made(system: &System) -> Option<Time> {
    let crowd = seen(system).crowd?;
    (crowd.made == CROWD).then(|| crowd.last.since(crowd.at))
}

/// What became of the first upload whose tab was closed before an answer came.
fn closed(system: &System) -> Option<&Job> {
    let mut jobs = seen(system).jobs.iter();
    jobs.find(|job| job.user == User::Closed)
}

/// How many of its last uploads are at an error.
fn errors(system: &System) -> usize {
    let jobs = seen(system).jobs.iter();
    jobs.filter(|job| job.user == User::Error).count()
}

fn stuck(system: &System) -> bool {
    let lanes = &seen(system).lanes;
    lanes.count(0, State::Waits) == 6 && pool(super::APP, system).1 > 0
}

pub(super) const SCALES: &[Scale] = &[Scale {
    question: "tenth",
    range: [1.0, 40.0, 1.0],
    unit: "s",
    answers: &[(1.0, 0), (8.0, 1), (20.0, 2)],
}];

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[WEB_APP, ENCODERS],
        shows: &[figure(PAGES, "longest s").at_most(0.2)],
        ..Beat::at_once()
    },
    Beat {
        id: "crowd",
        setup: &[
            Setup::Act("fresh", 0),
            Setup::Set("uploads", 0.0),
            Setup::Act("crowd", 0),
            Setup::Speed(0.5),
            Setup::Wait(Time::ms(1_200)),
        ],
        when: stuck,
        points: &[WEB_APP],
        shows: &[
            figure(WEB_APP, "waiting").is(6.0),
            figure(WEB_APP, "working").is(0.0),
            figure(WEB_APP, "door").at_least(4.0),
        ],
        predict: Some(Prediction {
            id: "page",
            options: &["before", "next", "vain"],
            truth: |system| {
                let pages = seen(system).pages;
                let over = crowd_over(system, GIVEN_UP) && pages.errors > 0;
                (over || crowd_over(system, Time::s(15))).then_some(match pages.longest {
                    _ if pages.errors > 0 => 2,
                    x if x >= Time::s(1) => 1,
                    _ => 0,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "gone",
        setup: &[Setup::Speed(2.0)],
        when: |system| {
            let lanes = &seen(system).lanes;
            let gone = crowd_over(system, Time::s(12)) && seen(system).pages.errors > 0;
            gone && lanes.count(1, State::Nobody) == 3
        },
        points: &[TABS, ENCODERS],
        shows: &[
            figure(ENCODERS, "nobody").is(3.0),
            figure(TABS, "errors").is(7.0),
            figure(PAGES, "longest s").within(9.5, 10.1),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "free",
        setup: &[
            Setup::Set("way", THREAD_FREE),
            Setup::Act("crowd", 0),
            Setup::Speed(1.0),
        ],
        when: |system| crowd_over(system, Time::s(5)) && seen(system).pages.answered >= 10,
        points: &[WEB_APP, TABS],
        shows: &[
            figure(WEB_APP, "waiting").is(0.0),
            figure(WEB_APP, "parked").is(ALL),
            figure(TABS, "wait").is(ALL),
            figure(PAGES, "longest s").at_most(0.12),
        ],
        predict: Some(Prediction {
            id: "tenth",
            options: &["at-once", "half", "late"],
            truth: |system| {
                let made = crowd_made(system).filter(|_| seen(system).way == DURABLE)?;
                Some(match made.as_s() {
                    s if s < 8.0 => 0,
                    s if s < 20.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "handoff",
        setup: &[
            Setup::Set("way", BY_QUEUE),
            Setup::Act("crowd", 0),
            Setup::Speed(4.0),
        ],
        when: |system| crowd_made(system).is_some() && seen(system).way == DURABLE,
        points: &[BAR, QUEUED],
        shows: &[
            figure(BAR, "made").is(ALL),
            figure(BAR, "last s").within(25.0, 26.0),
            figure(BAR, "failed").is(0.0),
        ],
        predict: Some(Prediction {
            id: "tab",
            options: &["stops", "later", "nobody"],
            truth: |system| {
                let waits = seen(system).way == WAIT;
                let job = closed(system).filter(|_| waits)?;
                match job.fate() {
                    Fate::Nobody => Some(2),
                    Fate::Ready => Some(1),
                    Fate::Failed => Some(0),
                    _ => None,
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "tab",
        setup: &[
            Setup::Set("way", BY_WAITING),
            Setup::Act("crowd", 0),
            Setup::Act("close", 0),
            Setup::Speed(1.5),
        ],
        when: |system| closed(system).is_some_and(|job| job.fate() == Fate::Nobody),
        points: &[TABS, BAR],
        shows: &[
            figure(TABS, "closed").is(1.0),
            figure(BAR, "nobody").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "memory",
        setup: &[
            Setup::Set("way", IN_MEMORY),
            Setup::Act("crowd", 0),
            Setup::Act("restart", 0),
            Setup::Speed(1.5),
        ],
        when: |system| fate(system, Fate::Lost) > 0 && errors(system) == CROWD as usize,
        points: &[TABS, BAR],
        shows: &[
            figure(BAR, "lost").at_least(6.0),
            figure(TABS, "errors").is(ALL),
            figure(WEB_APP, "listed").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "compare",
        setup: &[
            Setup::Act("fresh", 0),
            Setup::Twin("way", IN_MEMORY),
            Setup::Set("way", BY_QUEUE),
            Setup::Act("crowd", 0),
            Setup::Act("restart", 0),
            Setup::Speed(4.0),
        ],
        when: |system| crowd_made(system).is_some() && seen(system).restarts > 0,
        points: &[BAR, TABS],
        shows: &[figure(BAR, "lost").is(0.0), figure(BAR, "made").is(ALL)],
        ..Beat::at_once()
    },
    Beat {
        id: "down",
        setup: &[
            Setup::Alone,
            Setup::Act("fresh", 0),
            Setup::Act("crowd", 0),
            Setup::Act("captions", 0),
            Setup::Speed(1.5),
        ],
        when: |system| {
            let crowd = seen(system).crowd;
            is_up(CAPTIONS, system) && crowd.is_some_and(|crowd| crowd.made >= 3)
        },
        points: &[WRITERS, BAR],
        shows: &[
            figure(BAR, "failed").is(0.0),
            figure(BAR, "lost").is(0.0),
            figure(BAR, "made").within(3.0, 4.0),
            figure(WRITERS, "down").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Act("fresh", 0),
            Setup::Set("uploads", 40.0),
            Setup::Speed(20.0),
        ],
        when: |system| {
            let span = system.now.since(seen(system).since);
            let visible = system
                .shelf(QUEUE)
                .map_or(0, |shelf| shelf.visible(system.now));
            span >= Time::s(30) && visible >= 10
        },
        points: &[QUEUED, PASSED],
        shows: &[figure(QUEUED, "visible").at_least(10.0)],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "readers",
        progress: |system, _| {
            let pages = seen(system).pages;
            let fast = pages.longest <= FAST && pages.errors == 0 && pages.answered >= 20;
            let waits = matches!(seen(system).way, WAIT | FREE);
            Progress::all(waits && fast && crowd_over(system, Time::s(8)))
        },
        solution: &[
            Setup::Set("way", THREAD_FREE),
            Setup::Act("crowd", 0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "nothing",
        progress: |system, _| {
            let fates = seen(system).fates();
            let made = fates[Fate::Seen as usize] + fates[Fate::Ready as usize];
            let hurt = seen(system).restarts > 0 && seen(system).deaths > 0;
            let all = fates.iter().sum::<u32>();
            Progress::all(hurt && made == all && all >= CROWD)
        },
        solution: &[
            Setup::Set("way", BY_QUEUE),
            Setup::Set("uploads", 0.0),
            Setup::Act("crowd", 0),
            Setup::Act("restart", 0),
            Setup::Wait(Time::s(5)),
            Setup::Act("die", 0),
            Setup::Wait(Time::s(50)),
        ],
    },
    Challenge {
        id: "full",
        progress: |system, _| Progress::of(f64::from(seen(system).full), 1.0),
        solution: &[
            Setup::Set("way", BY_QUEUE),
            Setup::Set("places", 10.0),
            Setup::Act("encoder", 0),
            Setup::Act("crowd", 0),
            Setup::Act("crowd", 0),
            Setup::Wait(Time::s(3)),
        ],
    },
    Challenge {
        id: "at-once",
        progress: |system, _| {
            let (sum, count) = seen(system).lag;
            let soon = sum.0 <= u64::from(count) * Time::ms(300).0;
            Progress::of(if soon { f64::from(count) } else { 0.0 }, ALL)
        },
        solution: &[
            Setup::Set("way", BY_QUEUE),
            Setup::Set("learns", TOLD),
            Setup::Act("crowd", 0),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "erlang",
        progress: |system, _| {
            let seen = seen(system);
            let right = |loss: f64| (0.014..0.016).contains(&loss);
            let right = seen.erlang.is_some_and(right);
            Progress::of(if right { f64::from(seen.came) } else { 0.0 }, 50.0)
        },
        solution: &[
            Setup::Act("fresh", 0),
            Setup::Set("pages", 0.0),
            Setup::Set("door", 0.0),
            Setup::Set("encoders", 6.0),
            Setup::Set("uploads", 18.0),
            Setup::Wait(Time::s(240)),
        ],
    },
];
