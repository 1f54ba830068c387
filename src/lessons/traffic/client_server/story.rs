//! The story, its questions, and things to try.

use super::model::{Browsing, Post};
use super::state::{
    BROWSER, Hears, LADDER, Mark, NEWS, PAGE, SERVER, Settings, Tls, Way, pipe, row,
};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

/// News that a mean needs before it says something.
const ENOUGH: u32 = 5;

fn done(office: &Browsing) -> bool {
    office.page.done.is_some()
}

/// How long a fresh, clean page took under these conditions.
fn took(office: &Browsing, way: Way, conditions: &Settings) -> Option<Time> {
    let fits = |mark: &&Mark| {
        mark.way == way && mark.fresh && mark.clean && mark.conditions == *conditions
    };
    office.marks.iter().find(fits).map(|mark| mark.total)
}

/// What an instant server left of the page's time: half, four fifths, or hardly less. Told once both were loaded.
fn far(office: &Browsing) -> Option<usize> {
    let instant = office.knobs.conditions();
    if instant.server > 0.0 {
        return None;
    }
    let with = took(office, Way::NewForEach, &instant)?;
    let slower = office.marks.iter().find(|mark| {
        let like = Settings {
            server: 0.0,
            ..mark.conditions.clone()
        };
        mark.way == Way::NewForEach && mark.conditions.server > 0.0 && like == instant
    });
    let share = with.as_s() / slower?.total.as_s();
    Some(match share {
        ..0.65 => 0,
        0.65..0.87 => 1,
        _ => 2,
    })
}

pub(super) const STORY: &[Beat<Browsing>] = &[
    Beat {
        id: "meet",
        points: &[BROWSER, pipe(0), SERVER],
        shows: &[
            figure(SERVER, "rtt").is(100.0),
            figure(SERVER, "server").is(20.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "empty",
        setup: &[],
        when: |office| office.page.answered() >= 1,
        points: &[pipe(0), row(0)],
        shows: &[
            figure(row(0), "took").is(0.32),
            figure(PAGE, "empty").is(2.0),
            figure(PAGE, "trips").is(3.0),
        ],
        predict: Some(Prediction {
            id: "far",
            options: &["half", "fifth", "hardly"],
            truth: far,
            hides: &[],
        }),
    },
    Beat {
        id: "whole",
        setup: &[Setup::Speed(0.5)],
        when: done,
        points: &[PAGE],
        shows: &[
            figure(PAGE, "total").is(3.2),
            figure(PAGE, "trips").is(30.0),
            figure(PAGE, "empty").is(20.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "far",
        setup: &[Setup::Set("server", 0.0)],
        when: |office| done(office) && office.knobs.server == 0.0,
        points: &[PAGE],
        shows: &[
            figure(PAGE, "total").is(3.0),
            figure(PAGE, "trips").is(30.0),
            figure(SERVER, "server").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "kept",
        setup: &[
            Setup::Set("server", 20.0),
            Setup::Set("design", 1.0),
            Setup::Speed(0.25),
        ],
        when: done,
        points: &[PAGE, LADDER],
        shows: &[
            figure(PAGE, "total").is(1.4),
            figure(PAGE, "trips").is(12.0),
            figure(PAGE, "empty").is(2.0),
            figure(LADDER, "new").is(3.2),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "all",
        setup: &[Setup::Set("design", 3.0), Setup::Twin("design", 2.0)],
        when: done,
        points: &[PAGE, row(1)],
        shows: &[
            figure(PAGE, "total").is(0.44),
            figure(PAGE, "empty").is(2.0),
            figure(row(7), "took").is(0.12),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "blocked",
        setup: &[Setup::Act("lose", 0)],
        when: |office| done(office) && office.page.losses > 0,
        points: &[PAGE, row(1)],
        shows: &[
            figure(PAGE, "losses").is(1.0),
            figure(PAGE, "behind").is(8.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "race",
        setup: &[
            Setup::Alone,
            Setup::Set("idle", 1.0),
            Setup::Set("design", 1.0),
            Setup::Act("race", 0),
            Setup::Speed(0.5),
        ],
        when: |office| office.post == Post::Failed,
        points: &[BROWSER, pipe(0)],
        shows: &[figure(BROWSER, "failed").is(1.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "poll",
        setup: &[
            Setup::Set("idle", 60.0),
            Setup::Set("every", 1.0),
            Setup::Set("news", 1.0),
            Setup::Speed(3.0),
        ],
        when: |office| office.ages.1 >= 2 * ENOUGH && office.knobs.hears == Hears::Poll,
        points: &[NEWS],
        shows: &[
            figure(NEWS, "seen").at_least(10.0),
            figure(NEWS, "age").within(1.2, 4.0),
        ],
        predict: Some(Prediction {
            id: "push",
            options: &["same", "half", "trip"],
            truth: |office| {
                if office.knobs.hears != Hears::WebSocket || office.ages.1 < 3 {
                    return None;
                }
                let trip = office.knobs.round_trip().as_s();
                Some(match office.age_mean()? / trip {
                    ..2.0 => 2,
                    ..20.0 => 1,
                    _ => 0,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "yours",
        setup: &[Setup::Set("news", 3.0), Setup::Speed(1.0)],
        when: |office| office.ages.1 >= 3 && office.knobs.hears == Hears::WebSocket,
        points: &[NEWS],
        shows: &[
            figure(NEWS, "age").within(0.05, 0.051),
            figure(NEWS, "seen").at_least(3.0),
        ],
        ..Beat::at_once()
    },
];

/// A page of ten or more, loaded from nothing over a link of 100 ms or more with TLS, in 450 ms.
fn quick(office: &Browsing) -> bool {
    office.marks.iter().any(|mark| {
        let c = &mark.conditions;
        let hard = c.files >= 10 && c.rtt >= 100.0 && c.first && c.tls != Tls::None;
        hard && mark.fresh && mark.total <= Time::ms(450)
    })
}

/// Two pages that differ in the design alone: the six connections' time less HTTP/2's, in ms.
fn gains(office: &Browsing, all: bool) -> impl Iterator<Item = f64> {
    let of = |way: Way| office.marks.iter().filter(move |mark| mark.way == way);
    of(Way::KeptSix).flat_map(move |six| {
        let pairs = of(Way::Http2).filter(move |two| {
            let like = two.conditions == six.conditions && two.fresh == six.fresh;
            like && six.conditions.files >= 10 && (all || (two.clean && six.clean && two.fresh))
        });
        pairs.map(|two| six.total.as_ms() - two.total.as_ms())
    })
}

pub(super) const CHALLENGES: &[Challenge<Browsing>] = &[
    Challenge {
        id: "quick",
        progress: |office, _| Progress::all(quick(office)),
        solution: &[Setup::Set("design", 3.0), Setup::Wait(Time::s(1))],
    },
    Challenge {
        id: "worthless",
        progress: |office, _| Progress::all(gains(office, false).any(|ms| ms < 60.0)),
        solution: &[
            Setup::Set("rtt", 10.0),
            Setup::Set("design", 2.0),
            Setup::Wait(Time::s(1)),
            Setup::Set("design", 3.0),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "live",
        progress: |office, _| {
            let polls = matches!(office.knobs.hears, Hears::Poll | Hears::LongPoll);
            let fresh = office.age_mean().is_some_and(|age| age <= 0.3);
            let well = polls && fresh && office.asked_per_min() <= 40.0;
            Progress::of(if well { f64::from(office.ages.1) } else { 0.0 }, 10.0)
        },
        solution: &[Setup::Set("news", 2.0), Setup::Wait(Time::s(80))],
    },
    Challenge {
        id: "six",
        progress: |office, _| Progress::all(gains(office, true).any(|ms| ms < 0.0)),
        solution: &[
            Setup::Set("document", 0.0),
            Setup::Set("size", 100.0),
            Setup::Set("design", 2.0),
            Setup::Wait(Time::s(2)),
            Setup::Set("design", 3.0),
            Setup::Wait(Time::s(2)),
        ],
    },
];
