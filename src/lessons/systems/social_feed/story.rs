//! The story, its predictions, and things to try.

use super::feeds::{Feeds, MIXED, PAIR, READ, WRITE};
use super::figure::{COPIES, DELAYS, FIELD, MERGER, OUTBOXES, PAGE, WORK};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Scale, Setup, Time};
use kit::system::System;

const ON_WRITE: f64 = WRITE as f64;
const ON_READ: f64 = READ as f64;
const BOTH: f64 = MIXED as f64;
const BY_PAIR: f64 = PAIR as f64;
const FIRST_COME: f64 = 0.0;
const IN_TURNS: f64 = 1.0;
const COPIED: f64 = 0.0;
const SKIPPED: f64 = 1.0;

fn feeds(system: &System) -> &Feeds {
    system.own()
}

/// The star's post is in the last inbox.
fn star_done(system: &System) -> bool {
    feeds(system).beside.is_some() && feeds(system).star_done().is_some()
}

/// How long ago the star wrote.
fn star_age(system: &System) -> Option<Time> {
    let beside = feeds(system).beside?;
    Some(system.now.since(beside.at))
}

/// How late others were who wrote in the two seconds after the star, once all that is there.
fn others(system: &System) -> Option<Time> {
    let beside = feeds(system).beside?;
    let over = system.now.since(beside.at) >= Time::s(2) && beside.open == 0;
    beside.mean().filter(|_| over)
}

/// The rule holds for so long.
fn held(system: &System, span: Time) -> bool {
    system.now.since(feeds(system).since) >= span
}

fn work(system: &System, over: Time) -> [f64; 2] {
    feeds(system).work(over, system.now).0
}

pub(super) const SCALES: &[Scale] = &[Scale {
    question: "star",
    range: [0.0, 10.0, 0.5],
    unit: "s",
    answers: &[(0.0, 0), (0.5, 1), (2.0, 2), (7.0, 3)],
}];

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[FIELD, PAGE],
        shows: &[figure(MERGER, "look ms").within(4.5, 5.5)],
        ..Beat::at_once()
    },
    Beat {
        id: "star",
        setup: &[
            Setup::Act("fresh", 0),
            Setup::Act("star", 0),
            Setup::Speed(0.4),
        ],
        when: |system| {
            let post = feeds(system)
                .star_post()
                .filter(|_| star_age(system).is_some());
            post.is_some_and(|(_, post)| post.made >= 150)
        },
        points: &[COPIES, FIELD],
        shows: &[
            figure(COPIES, "star's").within(440.0, 450.0),
            figure(FIELD, "has it").within(150.0, 160.0),
        ],
        predict: Some(Prediction {
            id: "star",
            options: &["at-once", "second", "seconds", "long"],
            truth: |system| {
                let late = others(system).filter(|_| feeds(system).rule.design == WRITE)?;
                Some(match late.as_s() {
                    s if s < 0.5 => 0,
                    s if s < 2.0 => 1,
                    s if s < 7.0 => 2,
                    _ => 3,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "behind",
        setup: &[Setup::Speed(1.0)],
        when: |system| star_done(system) && others(system).is_some(),
        points: &[FIELD, COPIES, DELAYS],
        shows: &[
            figure(FIELD, "star s").within(3.9, 7.0),
            figure(DELAYS, "others s").within(2.0, 7.0),
            figure(FIELD, "has it").is(600.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "read",
        setup: &[
            Setup::Twin("design", ON_WRITE),
            Setup::Set("design", ON_READ),
            Setup::Act("fresh", 0),
            Setup::Speed(2.0),
        ],
        when: |system| held(system, Time::s(10)),
        points: &[WORK, MERGER],
        shows: &[
            figure(MERGER, "look ms").at_least(90.0),
            figure(WORK, "read").within(3.0, 4.2),
            figure(WORK, "write").at_most(0.05),
        ],
        predict: Some(Prediction {
            id: "mixed",
            options: &["five", "eleven", "hundred"],
            truth: |system| {
                let rule = feeds(system).rule.design == MIXED && held(system, Time::s(3));
                let took = feeds(system).look_time().filter(|_| rule)?;
                Some(match took.as_s() {
                    s if s < 0.007 => 0,
                    s if s < 0.05 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "mixed",
        setup: &[
            Setup::Alone,
            Setup::Set("design", BOTH),
            Setup::Act("fresh", 0),
            Setup::Act("star", 0),
            Setup::Speed(1.0),
        ],
        when: |system| held(system, Time::s(4)) && others(system).is_some(),
        points: &[OUTBOXES, MERGER, DELAYS],
        shows: &[
            figure(MERGER, "look ms").within(9.0, 14.0),
            figure(DELAYS, "others s").at_most(0.6),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "turns",
        setup: &[
            Setup::Set("design", ON_WRITE),
            Setup::Set("order", IN_TURNS),
            Setup::Act("fresh", 0),
            Setup::Act("star", 0),
            Setup::Speed(2.0),
        ],
        when: |system| {
            let late = star_age(system).is_some_and(|it| it >= Time::s(12));
            others(system).is_some() && (star_done(system) || late)
        },
        points: &[FIELD, COPIES, DELAYS],
        shows: &[
            figure(DELAYS, "others s").at_most(3.5),
            figure(FIELD, "star s").at_least(5.0),
        ],
        predict: Some(Prediction {
            id: "before",
            options: &["none", "few", "most"],
            truth: |system| {
                let answer = feeds(system).answer?;
                let post = feeds(system).post(answer.number)?;
                post.done?;
                Some(match (answer.early, answer.common) {
                    (0, _) => 0,
                    (early, common) if 2 * early < common => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "before",
        setup: &[
            Setup::Act("fresh", 0),
            Setup::Act("answer", 0),
            Setup::Speed(0.5),
        ],
        when: |system| {
            let feeds = feeds(system);
            let answer = feeds.answer.and_then(|it| feeds.post(it.number));
            answer.is_some_and(|post| post.done.is_some())
        },
        points: &[PAGE, FIELD],
        shows: &[
            figure(FIELD, "early").at_least(9.0),
            figure(FIELD, "both").is(17.0),
            figure(PAGE, "early").is(1.0),
        ],
        predict: Some(Prediction {
            id: "asleep",
            options: &["nothing", "fifth", "half"],
            truth: |system| {
                let rule = feeds(system).rule;
                let set = rule.skips && rule.design == WRITE && held(system, Time::s(8));
                let spared = feeds(system).spared().filter(|_| set)?;
                Some(match spared {
                    share if share < 0.05 => 0,
                    share if share < 0.4 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "asleep",
        setup: &[
            Setup::Set("order", FIRST_COME),
            Setup::Set("sleepers", SKIPPED),
            Setup::Act("fresh", 0),
            Setup::Act("sleeper", 0),
            Setup::Speed(2.0),
        ],
        when: |system| held(system, Time::s(10)) && feeds(system).back.is_some(),
        points: &[FIELD, MERGER, WORK],
        shows: &[
            figure(FIELD, "spared %").within(51.0, 70.0),
            figure(MERGER, "rebuilt from").within(25.0, 35.0),
            figure(WORK, "write theory").within(0.6, 0.9),
            figure(FIELD, "for nobody").is(0.0),
        ],
        predict: Some(Prediction {
            id: "rare",
            options: &["fetching", "same", "copying"],
            truth: |system| {
                let feeds = feeds(system);
                let every = feeds.rule.every.filter(|_| feeds.rule.design == MIXED)?;
                if !held(system, Time::s(5)) {
                    return None;
                }
                let span = system.now.since(feeds.since).as_s();
                let fetched = f64::from(feeds.star_fetched) / span * feeds.rule.fetch.as_s();
                let copied = feeds.star_readers() as f64 / every * feeds.rule.copy.as_s();
                Some(match copied / fetched.max(1e-9) {
                    share if share > 1.2 => 0,
                    share if share > 0.8 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "rare",
        setup: &[
            Setup::Twin("design", BY_PAIR),
            Setup::Set("design", BOTH),
            Setup::Set("every", 600.0),
            Setup::Act("fresh", 0),
            Setup::Speed(1.0),
        ],
        when: |system| held(system, Time::s(6)),
        points: &[OUTBOXES],
        shows: &[
            figure(OUTBOXES, "fetches between posts").within(14_000.0, 15_000.0),
            figure(OUTBOXES, "star fetches/s").within(23.0, 25.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Alone,
            Setup::Set("design", ON_WRITE),
            Setup::Set("every", 0.0),
            Setup::Set("sleepers", COPIED),
            Setup::Set("reshares", 50.0),
            Setup::Act("fresh", 0),
            Setup::Act("delete", 0),
            Setup::Speed(1.0),
        ],
        when: |system| feeds(system).thrown.deleted >= 10,
        points: &[PAGE, MERGER, FIELD],
        shows: &[
            figure(MERGER, "deleted").at_least(10.0),
            figure(FIELD, "has it").is(600.0),
            figure(PAGE, "left out").at_least(1.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "early",
        progress: |system, _| Progress::of(f64::from(feeds(system).early), 5.0),
        solution: &[
            Setup::Set("order", IN_TURNS),
            Setup::Act("answer", 0),
            Setup::Wait(Time::s(8)),
        ],
    },
    Challenge {
        id: "ask",
        progress: |system, _| {
            let feeds = feeds(system);
            let on_read = feeds.rule.design == READ;
            let [_, read] = work(system, Time::s(10));
            let cheap = on_read && read <= feeds.all_copied().iter().sum();
            Progress::held(cheap.then_some(feeds.since), system.now, 10.0)
        },
        solution: &[
            Setup::Set("design", ON_READ),
            Setup::Set("looks", 10.0),
            Setup::Wait(Time::s(15)),
        ],
    },
    Challenge {
        id: "on-time",
        progress: |system, _| {
            let Some(beside) = feeds(system).beside else {
                return Progress::of(0.0, 10.0);
            };
            let in_time = 100 * beside.late_10 <= beside.made_10;
            let fast = 100 * beside.slow <= beside.looks;
            let span = system.now.since(beside.at).as_s().min(10.0);
            let all = beside.open_10 == 0 || span < 10.0;
            let so_far = if all { span } else { 9.9 };
            Progress::of(if in_time && fast { so_far } else { 0.0 }, 10.0)
        },
        solution: &[
            Setup::Set("design", BOTH),
            Setup::Wait(Time::s(2)),
            Setup::Act("star", 0),
            Setup::Wait(Time::s(14)),
        ],
    },
    Challenge {
        id: "rush",
        progress: |system, _| {
            let Some((from, refused, slowest)) = feeds(system).surge else {
                return Progress::of(0.0, 10.0);
            };
            let well = refused == 0 && slowest <= Time::ms(100);
            let span = system.now.since(from).as_s().min(10.0);
            let usual = feeds(system).rule.looks >= 40.0;
            Progress::of(if well && usual { span } else { 0.0 }, 10.0)
        },
        solution: &[Setup::Act("rush", 0), Setup::Wait(Time::s(11))],
    },
    Challenge {
        id: "collector",
        progress: |system, _| {
            let feeds = feeds(system);
            let all = feeds.graph.follows(feeds.collector).len() > 900;
            let on_read = feeds.rule.design == READ && feeds.rule.looks >= 20.0;
            let took = feeds.collected.map(|it| it.1).filter(|it| *it > Time::ZERO);
            let fast = took.is_some_and(|it| it < Time::ms(150));
            Progress::all(all && on_read && fast)
        },
        solution: &[
            Setup::Set("design", ON_READ),
            Setup::Set("looks", 20.0),
            Setup::Set("lossy", 30.0),
            Setup::Wait(Time::s(1)),
            Setup::Act("collect", 0),
            Setup::Wait(Time::s(2)),
        ],
    },
    Challenge {
        id: "one",
        progress: |system, _| {
            let feeds = feeds(system);
            let usual = feeds.rule.looks >= 40.0 && feeds.rule.posts >= 2.0;
            let [write, read] = work(system, Time::s(30));
            let little = usual && write + read <= 0.9;
            Progress::held(little.then_some(feeds.since), system.now, 30.0)
        },
        solution: &[
            Setup::Set("design", BOTH),
            Setup::Set("sleepers", SKIPPED),
            Setup::Wait(Time::s(75)),
        ],
    },
];
