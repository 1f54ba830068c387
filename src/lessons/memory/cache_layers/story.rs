//! The story, its predictions, and things to try.

use super::author::Rule;
use super::parts::{BROWSER_PART, DB_PART, INDIA, OLDEST, REDIS_PART, SHARES, US, WHO};
use super::seen::Seen;
use super::{BROWSER, DB, EDGE, HOT, PEOPLE, REDIS, seat};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};
use kit::system::{NodeId, Seat, System};

const AFTER: f64 = 1.0;
const OUTWARD: f64 = 3.0;
const INWARD: f64 = 4.0;
const NOTHING: f64 = 0.0;
const CARRIED: f64 = 0.0;
const ANEW: f64 = 1.0;

/// So long after a knob was turned nothing is left of what held before.
const SETTLED: Time = Time::s(120);
/// A minute and a little more: a window full of what was set.
const MINUTE: Time = Time::s(62);
/// Posts that are followed before anything is said about all.
const POSTS: u32 = 7;
/// Forty seconds after a post.
const LATER: Time = Time::s(40);
/// The story of four clocks: four lives of 60 s and what visits take.
const FOUR: Time = Time::s(241);

fn seen(system: &System) -> &Seen {
    system.own()
}

/// How long it is since a knob was turned.
fn settled(system: &System) -> Time {
    system.now.since(system.turned)
}

/// Whether a member of a cache has the page, in an older version than the table.
fn old(node: NodeId, member: usize, system: &System) -> bool {
    let key = seen(system).author.name_of(HOT);
    let copy = system.copy_of(Seat { node, member }, 0, key, system.now);
    copy.is_some_and(|(kept, age)| kept.version < system.version(DB, HOT) && age < Time::s(60))
}

/// How long ago the author posted on the page that is followed, since the last turn of a knob.
fn posted(system: &System) -> Option<Time> {
    let last = seen(system).author.last?;
    (last >= system.turned).then(|| system.now.since(last))
}

/// How many browsers would answer with an old page.
fn old_browsers(system: &System) -> usize {
    let key = seen(system).author.name_of(HOT);
    let newest = system.version(DB, HOT);
    let old = |person: &u16| {
        let copy = system.copy_of(seat(BROWSER), *person, key, system.now);
        copy.is_some_and(|(kept, age)| kept.version < newest && age < Time::s(30))
    };
    (0..PEOPLE).filter(old).count()
}

/// The share of old answers of the last seconds.
fn old_share(system: &System) -> f64 {
    seen(system).old(system.now)[0]
}

/// What a share is among none, a quarter and three quarters.
fn quarter(share: f64) -> usize {
    match share {
        x if x < 0.1 => 0,
        x if x < 0.5 => 1,
        _ => 2,
    }
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[BROWSER_PART, PartId::one("edge"), REDIS_PART, DB_PART, WHO],
        shows: &[figure(SHARES, "cdn %").within(60.0, 92.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "redis",
        setup: &[
            Setup::Set("browser", 0.0),
            Setup::Set("cdn", 0.0),
            Setup::Speed(12.0),
            Setup::Wait(MINUTE),
        ],
        points: &[REDIS_PART, SHARES],
        shows: &[figure(SHARES, "redis hits %").within(91.0, 97.0)],
        predict: Some(Prediction {
            id: "stacked",
            options: &["same", "half", "none"],
            truth: |system| {
                let lately = seen(system).lately(system.now);
                let known = settled(system) >= Time::s(100) && lately.by[0] > 0;
                known.then(|| match lately.hits(3) {
                    x if x > 0.75 => 0,
                    x if x > 0.2 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "stacked",
        setup: &[
            Setup::Set("browser", 30.0),
            Setup::Set("cdn", 60.0),
            Setup::Speed(20.0),
            Setup::Wait(SETTLED),
        ],
        points: &[SHARES],
        shows: &[
            figure(SHARES, "redis hits %").within(36.0, 57.0),
            figure(SHARES, "table %").within(3.0, 8.0),
            figure(SHARES, "redis %").within(2.0, 7.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "who",
        setup: &[
            Setup::Act("post", 0),
            Setup::Speed(10.0),
            Setup::Wait(Time::s(2)),
        ],
        when: |system| {
            seen(system).numbers(system.now) >= 2
                && posted(system).is_some()
                && (0.1..=0.9).contains(&old_share(system))
        },
        points: &[WHO],
        shows: &[
            figure(WHO, "numbers").at_least(2.0),
            figure(WHO, "old %").within(10.0, 90.0),
        ],
        predict: Some(Prediction {
            id: "deleted",
            options: &["nobody", "quarter", "most"],
            truth: |system| {
                let author = &seen(system).author;
                let known = author.rule == Rule::After && author.judged >= POSTS;
                known.then(|| quarter(author.share(0).unwrap_or(0.0)))
            },
            hides: &[],
        }),
    },
    Beat {
        id: "deleted",
        setup: &[
            Setup::Set("author", AFTER),
            Setup::Set("changes", 0.4),
            Setup::Speed(24.0),
            Setup::Wait(Time::s(70)),
        ],
        when: |system| {
            let edges = old(EDGE, 0, system) || old(EDGE, 1, system);
            seen(system).author.judged >= POSTS
                && edges
                && !old(REDIS, 0, system)
                && old_share(system) >= 0.5
        },
        points: &[PartId::one("edge"), REDIS_PART],
        shows: &[
            figure(REDIS_PART, "old").is(0.0),
            figure(WHO, "old %").at_least(50.0),
        ],
        predict: Some(Prediction {
            id: "sum",
            options: &["sixty", "double", "four"],
            truth: |system| {
                let seen = seen(system);
                let known = seen.limit >= Time::s(240) && settled(system) >= Time::s(238);
                known.then(|| match seen.oldest.as_s() {
                    x if x < 90.0 => 0,
                    x if x < 200.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "sum",
        setup: &[
            Setup::Set("author", NOTHING),
            Setup::Set("changes", 0.2),
            Setup::Set("browser", 60.0),
            Setup::Set("balancer", 60.0),
            Setup::Set("age", ANEW),
            Setup::Twin("age", CARRIED),
            Setup::Act("worst", 0),
            Setup::Speed(40.0),
            Setup::Wait(FOUR),
        ],
        points: &[OLDEST],
        shows: &[
            figure(OLDEST, "oldest s").within(235.0, 240.0),
            figure(OLDEST, "limit s").is(240.0),
        ],
        predict: Some(Prediction {
            id: "order",
            options: &["none", "some", "most"],
            truth: |system| {
                let inward = seen(system).author.rule == Rule::Inward;
                let known = inward && posted(system)? >= LATER;
                known.then(|| match old_share(system) {
                    x if x < 0.05 => 0,
                    x if x < 0.6 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "order",
        setup: &[
            Setup::Alone,
            Setup::Set("browser", 30.0),
            Setup::Set("balancer", 0.0),
            Setup::Set("age", CARRIED),
            Setup::Set("changes", 0.0),
            Setup::Set("step", 2.0),
            Setup::Set("author", INWARD),
            Setup::Twin("author", OUTWARD),
            Setup::Act("bad", 0),
            Setup::Speed(30.0),
            Setup::Wait(Time::s(15)),
        ],
        when: |system| posted(system).is_some_and(|since| since >= LATER),
        points: &[PartId::one("edge"), WHO],
        shows: &[
            figure(WHO, "old %").at_least(40.0),
            figure(REDIS_PART, "old").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "browser",
        setup: &[
            Setup::Alone,
            Setup::Set("changes", 1.5),
            Setup::Set("step", 0.15),
            Setup::Set("author", OUTWARD),
            Setup::Act("post", 0),
            Setup::Speed(10.0),
        ],
        when: |system| {
            let edges = old(EDGE, 0, system) || old(EDGE, 1, system);
            let late = posted(system).is_some_and(|since| since >= Time::s(4));
            late && !edges && old_browsers(system) >= 8
        },
        points: &[BROWSER_PART, WHO],
        shows: &[
            figure(BROWSER_PART, "old").at_least(5.0),
            figure(US, "old").is(0.0),
            figure(INDIA, "old").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "less",
        setup: &[
            Setup::Set("author", NOTHING),
            Setup::Set("changes", 0.2),
            Setup::Set("redis", 0.0),
            Setup::Twin("redis", 60.0),
            Setup::Speed(20.0),
            Setup::Wait(Time::s(130)),
        ],
        points: &[SHARES, OLDEST],
        shows: &[
            figure(OLDEST, "oldest s").at_most(61.0),
            figure(SHARES, "queries/s").within(3.5, 6.5),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "counter",
        setup: &[
            Setup::Alone,
            Setup::Set("redis", 60.0),
            Setup::Set("posts", 1.0),
            Setup::Act("lose", 0),
            Setup::Act("post", 0),
            Setup::Speed(0.5),
            Setup::Wait(Time::s(2)),
        ],
        points: &[DB_PART],
        shows: &[figure(DB_PART, "lost").is(1.0)],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "old",
        progress: |system, _| Progress::of(seen(system).oldest.as_s(), 200.0),
        solution: &[
            Setup::Set("browser", 60.0),
            Setup::Set("balancer", 60.0),
            Setup::Set("age", ANEW),
            Setup::Act("worst", 0),
            Setup::Wait(FOUR),
        ],
    },
    Challenge {
        id: "two",
        progress: |system, now| Progress::held(seen(system).frugal.since(), now, 60.0),
        solution: &[
            Setup::Set("browser", 0.0),
            Setup::Set("redis", 0.0),
            Setup::Wait(Time::s(190)),
        ],
    },
    Challenge {
        id: "second",
        progress: |system, _| Progress::of(f64::from(seen(system).author.clean), 5.0),
        solution: &[
            Setup::Set("browser", 0.0),
            Setup::Set("author", OUTWARD),
            Setup::Act("post", 0),
            Setup::Wait(Time::s(13)),
            Setup::Act("post", 0),
            Setup::Wait(Time::s(13)),
            Setup::Act("post", 0),
            Setup::Wait(Time::s(13)),
            Setup::Act("post", 0),
            Setup::Wait(Time::s(13)),
            Setup::Act("post", 0),
            Setup::Wait(Time::s(13)),
        ],
    },
    Challenge {
        id: "race",
        progress: |system, _| Progress::all(seen(system).author.raced()),
        solution: &[
            Setup::Set("author", AFTER),
            Setup::Act("unlucky", 0),
            Setup::Wait(Time::s(3)),
        ],
    },
];
