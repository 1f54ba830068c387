//! The story, its two predictions, and things to try.

use super::model::{APP, Caching, DATABASE, FAR_LINK, GRID, NEAR_LINK, STRIP, VICTIM};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Scale, Setup, Time};

const LRU: f64 = 0.0;
const LFU: f64 = 1.0;
const NEVER: f64 = 0.0;
const ASIDE: f64 = 0.0;
const AROUND: f64 = 1.0;
const BACK: f64 = 3.0;
/// The speed at which one request can be followed.
const SLOWLY: Setup = Setup::Speed(0.15);
/// Where something fills, drains or is measured, the story runs faster.
const FASTER: Setup = Setup::Speed(0.4);
const FASTEST: Setup = Setup::Speed(1.0);
/// Until the rate on the database's card is counted over what was set, its way there included.
const COUNTED: Setup = Setup::Wait(Time::ms(2_300));

fn calm(model: &Caching) -> bool {
    model.down.is_none() && model.queue.len() <= 3
}

/// Whether a cached key answers with what the database no longer says.
fn red(model: &Caching) -> bool {
    model.cached().any(|key| model.is_stale(key, model.now))
}

pub(super) const STORY: &[Beat<Caching>] = &[
    Beat {
        id: "meet",
        shows: &[
            figure(NEAR_LINK, "hit %").within(35.0, 72.0),
            figure(FAR_LINK, "miss %").within(28.0, 65.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "without",
        setup: &[
            FASTER,
            Setup::Set("load", 40.0),
            Setup::Set("query", 80.0),
            Setup::Set("connections", 2.0),
            Setup::Set("queue", 40.0),
            Setup::Set("capacity", 0.0),
            COUNTED,
        ],
        when: |model| model.store.cache().capacity() == 0 && model.queue.len() >= 12,
        points: &[DATABASE, FAR_LINK],
        shows: &[
            figure(FAR_LINK, "miss %").is(100.0),
            figure(DATABASE, "can/s").is(25.0),
            figure(DATABASE, "queries/s").above(figure(DATABASE, "can/s")),
            figure(DATABASE, "busy").is(2.0),
            figure(DATABASE, "waiting").at_least(12.0),
        ],
        predict: None,
    },
    Beat {
        id: "remember",
        setup: &[
            FASTEST,
            Setup::Set("load", 30.0),
            Setup::Set("policy", LRU),
            Setup::Set("ttl", NEVER),
            Setup::Set("skew", 1.0),
            Setup::Set("writes", 0.0),
            Setup::Set("capacity", 12.0),
            Setup::Wait(Time::ms(4_500)),
        ],
        when: |model| {
            let cache = model.store.cache();
            let ratio = model.recent.ratio();
            cache.len() == 12 && calm(model) && (0.45..=0.64).contains(&ratio)
        },
        points: &[GRID, NEAR_LINK, STRIP],
        shows: &[
            figure(GRID, "kept").is(12.0),
            figure(NEAR_LINK, "hit %").within(45.0, 64.0),
            figure(STRIP, "kept %").within(38.0, 72.0),
        ],
        predict: None,
    },
    Beat {
        id: "victim",
        setup: &[Setup::Speed(0.1)],
        // The next to leave was marked for a while, so that it can be watched, and has just left.
        when: |model| {
            let gone = model.watch.evicted.map(|(_, _, at)| model.now.since(at));
            gone.is_some_and(|gone| gone > Time::ZERO && gone < Time::ms(40))
                && model.watch.quiet >= Time::ms(100)
        },
        points: &[GRID],
        shows: &[
            figure(VICTIM, "left").at_least(1.0),
            figure(VICTIM, "came").at_least(1.0),
        ],
        predict: Some(Prediction {
            id: "scan",
            options: &["none", "some", "all"],
            hides: &[],
            truth: |model| {
                let scan = model.watch.scan?;
                // What happened, not what the story expects: with another policy the answer may differ.
                Some(match scan.kept? {
                    0..=2 => 0,
                    kept if kept + 2 <= scan.capacity as usize => 1,
                    _ => 2,
                })
            },
        }),
    },
    Beat {
        id: "scan",
        // With two connections more the database keeps up, so that the beat is about the slots alone.
        setup: &[
            Setup::Speed(0.5),
            Setup::Set("policy", LRU),
            Setup::Set("capacity", 12.0),
            Setup::Set("connections", 4.0),
            Setup::Twin("policy", LFU),
            Setup::Act("scan", 0),
        ],
        when: |model| model.watch.scan.is_some_and(|scan| scan.kept.is_some()),
        points: &[GRID, STRIP],
        shows: &[figure(STRIP, "cold").within(3.0, 10.0)],
        predict: None,
    },
    Beat {
        id: "stale",
        setup: &[
            Setup::Speed(0.6),
            Setup::Alone,
            Setup::Set("writing", AROUND),
            Setup::Set("writes", 20.0),
        ],
        when: |model| {
            let over = model.watch.scan.is_none_or(|scan| scan.over);
            over && model.watch.stale >= 3 && red(model) && calm(model)
        },
        points: &[GRID, APP],
        shows: &[
            figure(APP, "stale").at_least(3.0),
            figure(GRID, "stale").at_least(1.0),
        ],
        predict: None,
    },
    Beat {
        id: "aside",
        setup: &[
            FASTER,
            Setup::Set("writing", ASIDE),
            Setup::Act("flush", 0),
            Setup::Wait(Time::s(2)),
        ],
        // Full again, and a key is about to be dropped.
        when: |model| {
            !red(model) && calm(model) && model.drops() >= 1 && model.store.cache().len() >= 10
        },
        points: &[GRID, NEAR_LINK],
        shows: &[
            figure(GRID, "stale").is(0.0),
            figure(NEAR_LINK, "drops").at_least(1.0),
        ],
        predict: Some(Prediction {
            id: "stampede",
            options: &["one", "few", "many"],
            hides: &[],
            truth: |model| {
                let celebrity = model.watch.celebrity.filter(|c| c.filled)?;
                Some(match celebrity.queries {
                    0 | 1 => 0,
                    2..=4 => 1,
                    _ => 2,
                })
            },
        }),
    },
    Beat {
        id: "stampede",
        setup: &[
            SLOWLY,
            Setup::Set("writes", 0.0),
            Setup::Set("coalesce", 0.0),
            Setup::Set("load", 80.0),
            Setup::Act("celebrity", 0),
        ],
        when: |model| {
            let celebrity = model.watch.celebrity;
            celebrity.is_some_and(|c| c.filled && c.queries >= 5)
        },
        points: &[DATABASE, FAR_LINK],
        shows: &[figure(DATABASE, "same key").at_least(5.0)],
        predict: None,
    },
    Beat {
        id: "coalesce",
        setup: &[
            SLOWLY,
            Setup::Set("coalesce", 1.0),
            Setup::Act("celebrity", 0),
        ],
        when: |model| {
            let celebrity = model.watch.celebrity;
            // One question under way and a crowd that waits for it.
            let crowd = |key: u16| model.joined().any(|(of, who)| of == key && who.len() >= 6);
            celebrity.is_some_and(|c| c.queries == 1 && crowd(c.key))
        },
        points: &[APP, DATABASE],
        shows: &[
            figure(DATABASE, "same key").is(1.0),
            figure(APP, "waiting").at_least(6.0),
        ],
        predict: None,
    },
    Beat {
        id: "crash",
        setup: &[
            FASTEST,
            Setup::Set("coalesce", 0.0),
            Setup::Set("connections", 2.0),
            Setup::Set("load", 40.0),
            Setup::Act("crash", 0),
            COUNTED,
        ],
        when: |model| {
            let star = model.watch.celebrity.is_some_and(|star| star.active);
            model.down.is_some() && !star && model.queue.len() >= 12
        },
        points: &[GRID, DATABASE],
        shows: &[
            figure(FAR_LINK, "miss %").is(100.0),
            figure(DATABASE, "can/s").is(25.0),
            figure(DATABASE, "queries/s").above(figure(DATABASE, "can/s")),
            figure(DATABASE, "waiting").at_least(12.0),
        ],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<Caching>] = &[
    Challenge {
        id: "lean",
        progress: |model, _| {
            let (reads, hits) = model.watch.lean;
            let enough = hits * 100 >= reads * 54;
            let far = if enough {
                reads.min(120)
            } else {
                reads.min(119)
            };
            Progress::of(f64::from(far), 120.0)
        },
        solution: &[
            Setup::Set("policy", LFU),
            Setup::Set("capacity", 8.0),
            Setup::Wait(Time::s(60)),
        ],
    },
    Challenge {
        id: "scan-proof",
        progress: |model, _| {
            let Some(scan) = model.watch.scan else {
                return Progress::of(0.0, 60.0);
            };
            let counts =
                scan.capacity <= 12 && scan.skew <= 1.0 && scan.hits * 100 >= scan.reads * 55;
            let far = if scan.over {
                scan.reads
            } else {
                scan.reads.min(59)
            };
            Progress::of(if counts { f64::from(far.min(60)) } else { 0.0 }, 60.0)
        },
        solution: &[
            Setup::Set("policy", LFU),
            // What LFU counts must be learnt first.
            Setup::Wait(Time::s(20)),
            Setup::Act("scan", 0),
            Setup::Wait(Time::s(8)),
        ],
    },
    Challenge {
        id: "survive",
        progress: |model, now| {
            let outage = model
                .watch
                .outage
                .filter(|outage| outage.open && outage.failed == 0 && outage.load_per_s >= 60.0);
            Progress::held(outage.map(|outage| outage.at), now, 8.0)
        },
        solution: &[
            Setup::Set("load", 60.0),
            Setup::Set("connections", 8.0),
            Setup::Act("crash", 0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "lost",
        progress: |model, _| Progress::all(model.watch.lost_writes > 0),
        solution: &[
            Setup::Set("writing", BACK),
            Setup::Set("writes", 30.0),
            Setup::Set("flush", 10.0),
            Setup::Wait(Time::s(4)),
            Setup::Act("crash", 0),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "race",
        progress: |model, _| Progress::all(model.watch.stale_raced > 0),
        solution: &[
            Setup::Set("writes", 40.0),
            Setup::Set("skew", 2.0),
            Setup::Set("load", 60.0),
            Setup::Set("connections", 8.0),
            Setup::Wait(Time::s(40)),
        ],
    },
];

/// Which numbers mean which answer.
pub(super) const SCALES: &[Scale] = &[
    Scale {
        question: "scan",
        range: [0.0, 12.0, 1.0],
        unit: "",
        answers: &[(0.0, 0), (3.0, 1), (11.0, 2)],
    },
    Scale {
        question: "stampede",
        range: [1.0, 40.0, 1.0],
        unit: "",
        answers: &[(1.0, 0), (2.0, 1), (5.0, 2)],
    },
];
