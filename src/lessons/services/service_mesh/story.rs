//! The story, its predictions, and things to try.

use super::figure::{COST, GOT, MATRIX, PLANE};
use super::{Got, Ill, Seen, THIRD, host_part, web_part};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Scale, Setup, Time};
use kit::system::System;

const MESH: f64 = 1.0;
const EACH: f64 = 0.0;
const IN_A_ROW: f64 = 1.0;
const SUCCESS_RATE: f64 = 2.0;
const THIRD_PART: PartId = host_part(THIRD);
const SIXTH: PartId = PartId::nth("host", 6);
const WEBS: PartId = PartId::one("web");

fn seen(system: &System) -> &Seen {
    system.own()
}

/// How long the host has been ill that fell ill last.
fn ill_for(system: &System) -> Option<Time> {
    let lesson = seen(system).lesson?;
    Some(system.now.since(lesson.since))
}

fn ill_at_least(system: &System, s: u64) -> bool {
    ill_for(system).is_some_and(|it| it >= Time::s(s))
}

/// Every proxy has the last order.
fn obeyed(system: &System) -> bool {
    let seen = seen(system);
    let has = |it: &super::Proxy| it.order == seen.ordered && it.coming.is_empty();
    seen.ordered.is_some() && seen.live().iter().all(has)
}

/// The share of users who fail, lately.
fn failed(system: &System) -> f64 {
    let (seen, now) = (seen(system), system.now);
    seen.share(Got::Error, now) + seen.share(Got::Refusal, now)
}

/// Which of three shares is nearest.
fn nearest(share: f64, options: [f64; 3]) -> usize {
    let off = |i: &usize| ((options[*i] - share).abs() * 1_000.0) as u64;
    (0..3).min_by_key(off).unwrap_or(0)
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[WEBS],
        shows: &[figure(GOT, "failed %").is(0.0)],
        predict: Some(Prediction {
            id: "forgotten",
            options: &["fifth", "most", "all"],
            hides: &[],
            truth: |system| {
                let hangs = matches!(seen(system).ills[THIRD], Some(Ill::Hangs(_)));
                let alone = !seen(system).mesh && hangs && ill_at_least(system, 22);
                alone.then(|| nearest(failed(system), [0.2, 0.6, 1.0]))
            },
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "forgotten",
        setup: &[Setup::Act("hang", 0), Setup::Speed(3.5)],
        when: |system| ill_at_least(system, 22),
        points: &[web_part(1), web_part(3), GOT],
        shows: &[
            figure(web_part(1), "busy").is(20.0),
            figure(web_part(3), "busy").is(20.0),
            figure(web_part(0), "busy").at_most(12.0),
            figure(GOT, "failed %").within(50.0, 70.0),
        ],
        predict: None,
    },
    Beat {
        id: "mesh",
        setup: &[
            Setup::Set("who", MESH),
            Setup::Set("timeout", 1.0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(13)),
        ],
        when: obeyed,
        points: &[PLANE, GOT],
        shows: &[
            figure(PLANE, "have").is(4.0),
            figure(web_part(1), "busy").at_most(12.0),
            figure(GOT, "failed %").within(12.0, 29.0),
        ],
        predict: None,
    },
    Beat {
        id: "alone",
        setup: &[
            Setup::Act("heal", 0),
            Setup::Set("aside", IN_A_ROW),
            Setup::Set("most", 20.0),
            Setup::Act("fail", 0),
            Setup::Speed(0.8),
        ],
        when: |system| seen(system).lesson.is_some_and(|it| it.known.is_some()),
        points: &[MATRIX, COST],
        shows: &[
            figure(THIRD_PART, "aside").is(4.0),
            figure(COST, "errors").is(20.0),
        ],
        predict: Some(Prediction {
            id: "callers",
            options: &["five", "twenty", "sixty"],
            hides: &[],
            truth: |system| {
                let lesson = seen(system).lesson?;
                let all = lesson.known.is_some() && lesson.callers == 12;
                all.then(|| nearest(f64::from(lesson.errors), [5.0, 20.0, 60.0]))
            },
        }),
    },
    Beat {
        id: "again",
        setup: &[
            Setup::Act("heal", 0),
            Setup::Set("callers", 12.0),
            Setup::Act("fail", 0),
            Setup::Speed(8.0),
        ],
        when: |system| {
            let seen = seen(system);
            let twice = |it: &&super::Proxy| {
                it.has_aside(THIRD) && it.detector.host(THIRD).is_some_and(|it| it.times >= 2)
            };
            seen.lesson.is_some_and(|it| it.known.is_some())
                && seen.live().iter().filter(twice).count() >= 6
        },
        points: &[MATRIX, COST],
        shows: &[
            figure(COST, "errors").is(60.0),
            figure(THIRD_PART, "times").is(2.0),
        ],
        predict: Some(Prediction {
            id: "percent",
            options: &["one", "two", "none"],
            hides: &[],
            truth: |system| {
                let spared = seen(system).spared >= 4 && ill_at_least(system, 12);
                spared.then(|| match seen(system).aside(THIRD) {
                    0 => 2,
                    _ => 0,
                })
            },
        }),
    },
    Beat {
        id: "percent",
        setup: &[
            Setup::Act("heal", 0),
            Setup::Set("callers", 4.0),
            // Every pod starts again, so that none goes on by an older order.
            Setup::Set("who", EACH),
            Setup::Set("most", 10.0),
            Setup::Set("who", MESH),
            Setup::Act("fail", 0),
            Setup::Speed(3.0),
        ],
        when: |system| seen(system).spared >= 8 && ill_at_least(system, 12),
        points: &[MATRIX, GOT],
        shows: &[
            figure(MATRIX, "aside").is(0.0),
            figure(GOT, "failed %").within(12.0, 29.0),
        ],
        predict: Some(Prediction {
            id: "panic",
            options: &["none", "forty", "sixty"],
            hides: &[],
            truth: |system| {
                let since = seen(system).panics.since()?;
                let long = system.now.since(since) >= Time::s(11);
                long.then(|| nearest(failed(system), [0.0, 0.4, 0.6]))
            },
        }),
    },
    Beat {
        id: "panic",
        setup: &[
            Setup::Set("most", 100.0),
            Setup::Act("more", 0),
            Setup::Act("more", 0),
            Setup::Speed(3.0),
        ],
        when: |system| {
            let since = seen(system).panics.since();
            since.is_some_and(|it| system.now.since(it) >= Time::s(11))
        },
        points: &[MATRIX, GOT],
        shows: &[
            figure(MATRIX, "aside").is(12.0),
            figure(MATRIX, "panics").is(4.0),
            figure(GOT, "failed %").within(50.0, 70.0),
        ],
        predict: None,
    },
    Beat {
        id: "zones",
        setup: &[
            Setup::Set("zone", 1.0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(13)),
        ],
        when: obeyed,
        points: &[MATRIX, GOT],
        shows: &[
            figure(MATRIX, "zone A %").is(56.0),
            figure(MATRIX, "zone B %").is(44.0),
            figure(GOT, "failed %").at_most(4.0),
        ],
        predict: None,
    },
    Beat {
        id: "hide",
        setup: &[
            Setup::Act("heal", 0),
            Setup::Set("zone", 0.0),
            Setup::Set("aside", SUCCESS_RATE),
            Setup::Set("most", 40.0),
            Setup::Set("load", 150.0),
            Setup::Set("sweep", 20.0),
            Setup::Act("fifth", 0),
            Setup::Act("more", 0),
            Setup::Speed(7.0),
        ],
        when: |system| {
            let judged = |it: &super::Proxy| it.distances.get(THIRD).is_some_and(Option::is_some);
            ill_at_least(system, 42) && seen(system).live().iter().all(judged)
        },
        points: &[THIRD_PART, MATRIX],
        shows: &[
            figure(THIRD_PART, "deviations").within(0.9, 1.6),
            figure(MATRIX, "aside").is(0.0),
        ],
        predict: None,
    },
    Beat {
        id: "control",
        setup: &[
            Setup::Act("heal", 0),
            Setup::Set("aside", IN_A_ROW),
            Setup::Set("load", 60.0),
            Setup::Act("kill", 0),
            Setup::Act("add", 0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(12)),
        ],
        when: |system| seen(system).down && seen(system).there[0] >= 6,
        points: &[PLANE, SIXTH, GOT],
        shows: &[
            figure(PLANE, "down").is(1.0),
            figure(SIXTH, "calls").is(0.0),
            figure(GOT, "failed %").at_most(1.0),
        ],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "unnoticed",
        progress: |system, now| Progress::held(seen(system).unnoticed.since(), now, 60.0),
        solution: &[
            Setup::Set("who", MESH),
            Setup::Set("retries", 2.0),
            Setup::Set("aside", IN_A_ROW),
            Setup::Set("most", 20.0),
            Setup::Wait(Time::s(3)),
            Setup::Act("fail", 0),
            Setup::Wait(Time::s(62)),
        ],
    },
    Challenge {
        id: "five",
        progress: |system, _| {
            let lesson = seen(system).lesson;
            Progress::all(lesson.is_some_and(|it| it.known.is_some() && it.errors <= 5))
        },
        solution: &[
            Setup::Set("who", MESH),
            Setup::Set("callers", 1.0),
            Setup::Set("aside", IN_A_ROW),
            Setup::Set("most", 20.0),
            Setup::Wait(Time::s(3)),
            Setup::Act("fail", 0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "sixth",
        progress: |system, _| {
            let (share, calls) = seen(system).second();
            let goal = super::CALLS as f64;
            // Anything else than a sixth is not on the way.
            let on_the_way =
                seen(system).mesh && (calls < super::CALLS || (0.1..=0.2).contains(&share));
            Progress::of(
                if on_the_way && share > 0.05 {
                    calls as f64
                } else {
                    0.0
                },
                goal,
            )
        },
        solution: &[
            Setup::Set("who", MESH),
            Setup::Set("zone", 1.0),
            Setup::Set("aside", IN_A_ROW),
            Setup::Set("most", 20.0),
            Setup::Wait(Time::s(3)),
            Setup::Act("fail", 0),
            Setup::Act("more", 0),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "outcast",
        progress: |system, _| Progress::all(seen(system).outcast),
        solution: &[
            Setup::Set("who", MESH),
            Setup::Set("aside", SUCCESS_RATE),
            Setup::Set("errors", 1.0),
            Setup::Set("volume", 20.0),
            Setup::Set("most", 20.0),
            Setup::Wait(Time::s(120)),
        ],
    },
];

/// Which numbers mean which answer.
pub(super) const SCALES: &[Scale] = &[Scale {
    question: "callers",
    range: [5.0, 80.0, 5.0],
    unit: "",
    answers: &[(5.0, 0), (15.0, 1), (40.0, 2)],
}];
