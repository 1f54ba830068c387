//! The story, its predictions, and things to try.

use super::model::{CAPACITY, CODES, DATABASE, MAP, SOURCE, Shortener, VISITORS, server};
use super::settings::Way;
use algorithms::base62::codes;
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const S1: PartId = server(0);
const S2: PartId = server(1);

pub(super) const STORY: &[Beat<Shortener>] = &[
    Beat {
        id: "meet",
        points: &[MAP, CODES],
        shows: &[
            figure(MAP, "rows").within(1.0, 60.0),
            figure(MAP, "clashes").is(0.0),
        ],
        predict: Some(Prediction {
            id: "when",
            options: &["hundreds", "thousands", "most"],
            truth: |it| {
                let links = it.count.first_clash;
                (links > 0).then_some(match links {
                    ..2_000 => 0,
                    2_000..30_000 => 1,
                    _ => 2,
                })
            },
            hides: &[CAPACITY],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "rain",
        setup: &[Setup::Speed(2.0)],
        when: |it| it.count.clashes > 0,
        points: &[MAP],
        shows: &[
            figure(MAP, "first").is(131.0),
            figure(MAP, "clashes").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "overwritten",
        setup: &[Setup::Speed(0.5)],
        when: |it| it.misled.is_some(),
        points: &[VISITORS, DATABASE],
        shows: &[
            figure(DATABASE, "overwritten").at_least(1.0),
            figure(VISITORS, "misled").is(1.0),
        ],
        predict: Some(Prediction {
            id: "alphabet",
            options: &["trillions", "millions", "ten"],
            truth: |it| {
                (it.knobs.length == 7).then(|| match codes(16, 7) {
                    1_000_000_000.. => 0,
                    100_000_000.. => 1,
                    _ => 2,
                })
            },
            hides: &[CAPACITY],
        }),
    },
    Beat {
        id: "alphabet",
        setup: &[
            Setup::Set("code", 2.0),
            Setup::Set("length", 7.0),
            Setup::Speed(1.0),
            Setup::Wait(Time::s(2)),
        ],
        points: &[CAPACITY],
        shows: &[
            figure(CAPACITY, "hex").is(268_435_456.0),
            figure(CAPACITY, "times").within(13_000.0, 13_200.0),
        ],
        predict: Some(Prediction {
            id: "check",
            options: &["sees", "both", "refuses"],
            truth: |it| it.pair_ended,
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "check",
        setup: &[
            Setup::Set("insert", 1.0),
            Setup::Act("both", 0),
            Setup::Speed(0.3),
        ],
        when: |it| it.pair_ended.is_some(),
        points: &[S1, S2, DATABASE, MAP],
        shows: &[
            figure(S1, "saw-free").is(1.0),
            figure(S2, "saw-free").is(1.0),
            figure(DATABASE, "overwritten").is(1.0),
            figure(DATABASE, "retries").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "counter",
        setup: &[
            Setup::Set("code", 3.0),
            Setup::Set("length", 4.0),
            Setup::Set("insert", 0.0),
            Setup::Set("load", 40.0),
            Setup::Speed(1.0),
            Setup::Wait(Time::s(4)),
        ],
        points: &[SOURCE, MAP],
        shows: &[
            figure(MAP, "clashes").is(0.0),
            figure(SOURCE, "questions").within(0.85, 1.0),
        ],
        predict: Some(Prediction {
            id: "failover",
            options: &["new", "twice", "skipped"],
            truth: |it| {
                let told = it.count.failovers > 0 && it.count.since_failover >= 30;
                told.then_some(usize::from(it.count.again > 0))
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "failover",
        setup: &[Setup::Act("failover", 0), Setup::Speed(0.7)],
        when: |it| it.count.since_failover >= 30 && it.count.overwritten >= 3,
        points: &[SOURCE, DATABASE],
        shows: &[
            figure(SOURCE, "again").at_least(3.0),
            figure(DATABASE, "overwritten").at_least(3.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "twin",
        setup: &[
            Setup::Twin("code", 2.0),
            Setup::Set("code", 5.0),
            Setup::Set("length", 2.0),
            Setup::Set("insert", 2.0),
            Setup::Set("load", 120.0),
            Setup::Act("restart", 0),
            Setup::Speed(1.5),
            Setup::Wait(Time::s(9)),
        ],
        points: &[MAP, SOURCE, DATABASE],
        shows: &[
            figure(MAP, "clashes").is(0.0),
            figure(DATABASE, "retries").is(0.0),
            figure(SOURCE, "questions").at_most(0.05),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "range",
        setup: &[
            Setup::Alone,
            Setup::Set("load", 40.0),
            Setup::Act("crash", 1),
            Setup::Speed(0.5),
            Setup::Wait(Time::ms(1_500)),
        ],
        when: |it| it.count.wasted > 0,
        points: &[S2, MAP],
        shows: &[
            figure(S2, "down").is(1.0),
            figure(SOURCE, "wasted").within(1.0, 200.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "scan",
        setup: &[Setup::Act("scan", 0), Setup::Speed(0.5)],
        when: |it| it.scan.is_some_and(|(_, guesses, _)| guesses >= 20),
        points: &[VISITORS, MAP],
        shows: &[figure(VISITORS, "hits").at_least(11.0)],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Shortener>] = &[
    Challenge {
        id: "outlive",
        progress: |it, _| {
            let count = &it.count;
            let well = it.knobs.length == 3
                && it.knobs.way != Way::Snowflake
                && count.overwritten + count.retries + count.refused == 0;
            Progress::of(if well { f64::from(count.stored) } else { 0.0 }, 2_000.0)
        },
        solution: &[
            Setup::Set("length", 3.0),
            Setup::Set("code", 5.0),
            Setup::Set("load", 200.0),
            Setup::Wait(Time::s(14)),
        ],
    },
    Challenge {
        id: "twice",
        progress: |it, _| {
            let turns = it.knobs.way == Way::Stride;
            Progress::all(turns && it.count.again > 0)
        },
        solution: &[
            Setup::Set("code", 4.0),
            Setup::Wait(Time::s(3)),
            Setup::Act("third", 0),
            Setup::Wait(Time::s(3)),
        ],
    },
    Challenge {
        id: "waste",
        progress: |it, _| {
            let lost = it.count.wasted as f64;
            let most = lost * 2.0 > it.tokens.next() as f64;
            Progress::of(if most { lost } else { 0.0 }, 15_000.0)
        },
        solution: &[
            Setup::Set("size", 10_000.0),
            Setup::Set("code", 5.0),
            Setup::Wait(Time::s(3)),
            Setup::Act("crash", 0),
            Setup::Act("crash", 1),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "uncounted",
        progress: |it, _| {
            let enough = it.visits.all >= 5_000.0;
            let gone = 1.0 - it.visits.counted_share();
            Progress::of(if enough { gone } else { 0.0 }, 0.5)
        },
        solution: &[Setup::Set("redirect", 0.0), Setup::Wait(Time::s(25))],
    },
];
