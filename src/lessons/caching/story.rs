//! The story, its two predictions, and things to try.

use super::model::{APP, Caching, DATABASE, FAR_LINK, GRID, NEAR_LINK, STRIP};
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

const LRU: f64 = 0.0;
const LFU: f64 = 1.0;
const NEVER: f64 = 0.0;
const FIVE_SECONDS: f64 = 3.0;
const TWO_SECONDS: f64 = 4.0;
const ASIDE: f64 = 0.0;
const AROUND: f64 = 1.0;

fn calm(model: &Caching) -> bool {
    model.down.is_none() && model.queue.len() <= 3
}

pub(super) const STORY: &[Beat<Caching>] = &[
    Beat {
        id: "meet",
        setup: &[],
        when: |_| true,
        points: &[],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "without",
        setup: &[
            Setup::Set("load", 30.0),
            Setup::Set("query", 80.0),
            Setup::Set("connections", 2.0),
            Setup::Set("queue", 40.0),
            Setup::Set("capacity", 0.0),
        ],
        when: |model| model.store.cache().capacity() == 0 && model.queue.len() >= 10,
        points: &[DATABASE, FAR_LINK],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "remember",
        setup: &[
            Setup::Set("policy", LRU),
            Setup::Set("ttl", NEVER),
            Setup::Set("skew", 1.0),
            Setup::Set("writes", 0.0),
            Setup::Set("capacity", 12.0),
        ],
        when: |model| {
            let cache = model.store.cache();
            cache.len() == 12 && calm(model) && model.recent.ratio() >= 0.45
        },
        points: &[GRID, NEAR_LINK, STRIP],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "victim",
        setup: &[Setup::Speed(0.05)],
        // The next to leave was marked for a while, so that it can be watched, and has just left.
        when: |model| {
            let gone = model.watch.evicted.map(|(_, _, at)| model.now.since(at));
            gone.is_some_and(|gone| gone > Time::ZERO && gone < Time::ms(40))
                && model.watch.quiet >= Time::ms(120)
        },
        points: &[GRID],
        shows: &[],
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
        setup: &[
            Setup::Speed(0.15),
            Setup::Set("policy", LRU),
            Setup::Set("capacity", 12.0),
            Setup::Twin("policy", LFU),
            Setup::Act("scan", 0),
        ],
        when: |model| model.watch.scan.is_some_and(|scan| scan.kept.is_some()),
        points: &[GRID, STRIP],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "stale",
        setup: &[
            Setup::Alone,
            Setup::Set("writing", AROUND),
            Setup::Set("ttl", FIVE_SECONDS),
            Setup::Set("writes", 20.0),
        ],
        when: |model| model.watch.stale >= 3,
        points: &[GRID, APP],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "calm",
        setup: &[
            Setup::Set("writes", 0.0),
            Setup::Set("writing", ASIDE),
            Setup::Set("ttl", TWO_SECONDS),
            Setup::Set("load", 20.0),
            Setup::Act("flush", 0),
        ],
        when: |model| {
            let scanning = model.watch.scan.is_some_and(|scan| !scan.over);
            calm(model)
                && !scanning
                && !model.watch.cold
                && model.clean()
                && model.recent.ratio() >= 0.4
        },
        points: &[GRID],
        shows: &[],
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
            Setup::Set("coalesce", 0.0),
            Setup::Set("ttl", NEVER),
            Setup::Set("load", 80.0),
            Setup::Act("celebrity", 0),
        ],
        when: |model| {
            let celebrity = model.watch.celebrity;
            celebrity.is_some_and(|c| c.filled && c.queries >= 5)
        },
        points: &[DATABASE, FAR_LINK],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "coalesce",
        setup: &[Setup::Set("coalesce", 1.0), Setup::Act("celebrity", 0)],
        when: |model| {
            let celebrity = model.watch.celebrity;
            // One question under way and a crowd that waits for it, while nobody asks for the key before it.
            let shown = |key: u16| {
                let hot = model.asking.values().any(|asking| *asking >= 4);
                let crowd = model.joined().any(|(of, who)| of == key && who.len() >= 6);
                crowd && !hot
            };
            celebrity.is_some_and(|c| c.queries == 1 && c.joined >= 6 && (shown(c.key) || c.filled))
        },
        points: &[APP, FAR_LINK],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "crash",
        setup: &[
            Setup::Set("load", 40.0),
            Setup::Set("coalesce", 0.0),
            Setup::Act("crash", 0),
        ],
        when: |model| {
            let outage = model.watch.outage.filter(|outage| outage.open);
            let long = |at: Time| model.now.since(at) >= Time::ms(800);
            outage.is_some_and(|outage| long(outage.at)) && model.queue.len() >= 12
        },
        points: &[GRID, DATABASE],
        shows: &[],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<Caching>] = &[
    Challenge {
        id: "lean",
        progress: |model, _| {
            Progress::all({
                let (reads, hits) = model.watch.lean;
                reads >= 120 && hits * 100 >= reads * 54
            })
        },
        solution: &[],
    },
    Challenge {
        id: "scan-proof",
        progress: |model, _| {
            Progress::all({
                model.watch.scan.is_some_and(|scan| {
                    scan.over
                        && scan.reads >= 60
                        && scan.capacity <= 12
                        && scan.skew <= 1.0
                        && scan.hits * 100 >= scan.reads * 55
                })
            })
        },
        solution: &[],
    },
    Challenge {
        id: "survive",
        progress: |model, _| {
            Progress::all({
                model.watch.outage.is_some_and(|outage| {
                    outage.open
                        && outage.failed == 0
                        && outage.load_per_s >= 60.0
                        && model.now.since(outage.at) >= Time::s(8)
                })
            })
        },
        solution: &[],
    },
    Challenge {
        id: "lost",
        progress: |model, _| Progress::all(model.watch.lost_writes > 0),
        solution: &[],
    },
    Challenge {
        id: "race",
        progress: |model, _| Progress::all(model.watch.stale_raced > 0),
        solution: &[],
    },
];
