//! The story, its predictions, and things to try.

use super::figure::PAGE_PART;
use super::{DOOR, Fate, LATELY, MEDIAN_OF, ONCE, SLOW_PAGE, Seen, hangs, held};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};
use kit::system::{Count, System};

const PHONE: PartId = PartId::one("phone");
const WEB: PartId = PartId::one("web");
const PARTNER: PartId = PartId::one("partner");
const DOOR_PART: PartId = PartId::nth("gateway", 1);
const REVIEWS: PartId = PartId::one("reviews");
const SHIPPING: PartId = PartId::one("shipping");

/// Beats that measure thirty pages run faster.
const FAST: f64 = 1.0;
/// Times within which two medians are about the same.
const SAME: f64 = 0.75;
const HALF: f64 = 0.3;

fn seen(system: &System) -> &Seen {
    system.own()
}

/// Thirty pages are over since the design changed.
fn measured(system: &System) -> bool {
    seen(system).times.len() == MEDIAN_OF
}

/// The share of logins refused lately.
fn refused(system: &System) -> f64 {
    seen(system).refused(system.now).unwrap_or(0.0)
}

fn partial(system: &System) -> u32 {
    seen(system)
        .pages
        .sum(Fate::Partial as usize, LATELY, system.now)
}

/// Since a gateway crashed: when, how many requests have come and failed.
fn crashed(system: &System) -> Option<(Time, u32, u32)> {
    let (at, came, failed) = seen(system).crashed?;
    let all = system.total();
    Some((
        at,
        all.of(Count::Came) - came,
        all.of(Count::Failed) - failed,
    ))
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[PHONE, PAGE_PART],
        shows: &[
            figure(PHONE, "calls").is(7.0),
            figure(PAGE_PART, "median ms").within(780.0, 1_060.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "once",
        setup: &[Setup::Set("who", ONCE as f64), Setup::Speed(FAST)],
        when: measured,
        points: &[PHONE, PAGE_PART],
        shows: &[
            figure(PHONE, "calls").is(7.0),
            figure(PAGE_PART, "median ms").within(140.0, 220.0),
        ],
        predict: Some(Prediction {
            id: "gateway",
            options: &["seven", "half", "same"],
            truth: |system| {
                let [_, once, door] = seen(system).medians;
                let ratio = door?.as_s() / once?.as_s();
                Some(match ratio {
                    x if x < HALF => 0,
                    x if x < SAME => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "gateway",
        setup: &[Setup::Set("who", DOOR as f64), Setup::Speed(FAST)],
        when: measured,
        points: &[DOOR_PART, PAGE_PART],
        shows: &[
            figure(PHONE, "calls").is(1.0),
            figure(PAGE_PART, "median ms").within(140.0, 220.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "steps",
        setup: &[
            Setup::Set("steps", 3.0),
            Setup::Twin("who", ONCE as f64),
            Setup::Speed(FAST),
        ],
        when: measured,
        points: &[PAGE_PART, SHIPPING],
        shows: &[figure(PAGE_PART, "median ms").within(190.0, 280.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "slow",
        setup: &[
            Setup::Alone,
            Setup::Set("steps", 1.0),
            Setup::Set("slow", 1.0),
            Setup::Set("load", 12.0),
            Setup::Speed(8.0),
            Setup::Wait(Time::s(24)),
        ],
        when: |system| seen(system).last.is_some_and(|last| last.took > SLOW_PAGE),
        points: &[PAGE_PART],
        shows: &[figure(PAGE_PART, "slow %").within(3.0, 12.0)],
        predict: Some(Prediction {
            id: "logins",
            options: &["nothing", "longer", "refused"],
            truth: |system| {
                let hung = system.since("slowed").filter(|_| hangs(system))?;
                let late = system.now.since(hung.at()) >= Time::s(4);
                let refused = refused(system) > 0.1;
                (late || refused).then_some(if refused { 2 } else { 0 })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "full",
        setup: &[
            Setup::Set("slow", 0.0),
            Setup::Speed(FAST),
            Setup::Act("hang", 0),
        ],
        when: |system| refused(system) >= 0.3 && held(system) == seen(system).places,
        points: &[DOOR_PART, WEB, REVIEWS],
        shows: &[
            figure(DOOR_PART, "places").is(20.0),
            figure(WEB, "refused %").at_least(25.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "deadline",
        setup: &[
            Setup::Set("deadline", 0.3),
            // Pages from before the deadline hold their places a while longer.
            Setup::Speed(2.0),
            Setup::Wait(Time::s(5)),
        ],
        when: |system| {
            partial(system) >= 20
                && refused(system) == 0.0
                && held(system) <= seen(system).places / 2
        },
        points: &[DOOR_PART, PHONE, REVIEWS],
        shows: &[
            figure(DOOR_PART, "places").at_most(12.0),
            figure(WEB, "refused %").is(0.0),
            figure(PHONE, "partial %").at_least(60.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "insulate",
        setup: &[
            Setup::Act("mend", 0),
            Setup::Set("load", 6.0),
            Setup::Set("split", 1.0),
            Setup::Twin("who", ONCE as f64),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(6)),
        ],
        when: |system| seen(system).times.len() >= 10 && partial(system) == 0,
        points: &[PHONE, PartId::one("ratings"), DOOR_PART],
        shows: &[figure(PHONE, "partial %").is(0.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "door",
        setup: &[Setup::Alone, Setup::Speed(0.5), Setup::Act("crash", 0)],
        when: |system| {
            crashed(system)
                .is_some_and(|(at, _, failed)| system.now.since(at) >= Time::s(2) && failed >= 10)
        },
        points: &[DOOR_PART, PHONE, WEB],
        shows: &[
            figure(DOOR_PART, "down").is(1.0),
            figure(WEB, "refused %").at_least(20.0),
            figure(PHONE, "failed %").at_least(20.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Act("restart", 0),
            Setup::Act("odd", 0),
            Setup::Speed(FAST),
            Setup::Wait(Time::s(5)),
        ],
        points: &[PARTNER, DOOR_PART],
        shows: &[figure(DOOR_PART, "down").is(0.0)],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "quarter",
        progress: |system, _| {
            let seen = seen(system);
            let hard = seen.steps == 3 && seen.rtt >= Time::ms(100);
            let fast = seen
                .median()
                .is_some_and(|(median, _)| median <= Time::ms(250));
            let pages = seen.times.len().min(MEDIAN_OF - usize::from(!fast));
            Progress::of(if hard { pages as f64 } else { 0.0 }, MEDIAN_OF as f64)
        },
        solution: &[
            Setup::Set("who", DOOR as f64),
            Setup::Set("steps", 3.0),
            Setup::Wait(Time::s(15)),
        ],
    },
    Challenge {
        id: "nobody-cares",
        progress: |system, now| Progress::held(seen(system).calm.since(), now, 10.0),
        solution: &[
            Setup::Set("who", DOOR as f64),
            Setup::Set("load", 10.0),
            Setup::Set("deadline", 0.3),
            Setup::Wait(Time::s(3)),
            Setup::Act("hang", 0),
            Setup::Wait(Time::s(16)),
        ],
    },
    Challenge {
        id: "partner",
        progress: |system, now| {
            // More places would do it, too, until the next partner comes.
            let seen = seen(system);
            let few = seen.places <= 20 && seen.doors == 1;
            let calm = seen.flood.filter(|(_, calm)| *calm && few);
            Progress::held(calm.map(|(began, _)| began), now, 8.0)
        },
        solution: &[
            Setup::Set("who", DOOR as f64),
            Setup::Set("limit", 5.0),
            Setup::Wait(Time::s(1)),
            Setup::Act("flood", 0),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "cold",
        progress: |system, _| {
            let seen = seen(system);
            let hard = seen.door && seen.cold && seen.rtt >= Time::ms(100);
            let fast = seen
                .median()
                .is_some_and(|(median, _)| median <= Time::ms(450));
            let pages = seen.times.len().min(MEDIAN_OF - usize::from(!fast));
            Progress::of(if hard { pages as f64 } else { 0.0 }, MEDIAN_OF as f64)
        },
        solution: &[
            Setup::Set("who", DOOR as f64),
            Setup::Set("connections", 1.0),
            Setup::Set("answers", 1.0),
            Setup::Wait(Time::s(15)),
        ],
    },
    Challenge {
        id: "no-door-shut",
        progress: |system, now| {
            let Some((at, came, failed)) = crashed(system) else {
                return Progress::of(0.0, 10.0);
            };
            let few = failed * 10 <= came.max(60);
            Progress::held(Some(at).filter(|_| few && seen(system).door), now, 10.0)
        },
        solution: &[
            Setup::Set("who", DOOR as f64),
            Setup::Set("gateways", 3.0),
            Setup::Wait(Time::s(3)),
            Setup::Act("crash", 0),
            Setup::Wait(Time::s(12)),
        ],
    },
];
