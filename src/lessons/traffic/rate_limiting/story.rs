//! The story, its predictions, and things to try.

use super::{BOUNDARY, COUNTER, FIXED, LEAKY, LOG, PARTS, ROWS, Seen, TOKEN, TWENTY, WORST};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};
use kit::system::System;

const CLIENT: PartId = PartId::one("client");
const FIXED_ROW: PartId = PartId::one(PARTS[FIXED]);
const LOG_ROW: PartId = PartId::one(PARTS[LOG]);
const COUNTER_ROW: PartId = PartId::one(PARTS[COUNTER]);
const TOKEN_ROW: PartId = PartId::one(PARTS[TOKEN]);
const LEAKY_ROW: PartId = PartId::one(PARTS[LEAKY]);

const WAITS: f64 = 0.0;
const REFUSES: f64 = 1.0;
const LEAVE: f64 = 0.0;
const AGAIN: f64 = 1.0;
const TOLD: f64 = 2.0;
/// Decisions after which two limiters have shown that they agree.
const MIRRORED: u32 = 20;
/// Refusals among decisions on which all agree.
const REFUSED: u32 = 5;

fn seen(system: &System) -> &Seen {
    system.own()
}

/// The most that a row let through in a window on the stage.
fn most(system: &System, row: usize) -> u32 {
    seen(system).most(row, system.now).1
}

/// What a row refused on the stage.
fn refused(system: &System, row: usize) -> u32 {
    let seen = seen(system);
    let since = seen.since(system.now);
    seen.rows[row].tally(since, system.now).1
}

/// The last burst is of this kind, all of it is decided, and its last request was so long ago.
fn over(system: &System, spec: usize, since: Time) -> bool {
    let burst = seen(system).over(spec);
    burst.is_some_and(|burst| system.now.since(burst.until) >= since)
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[CLIENT, FIXED_ROW, LEAKY_ROW],
        shows: &[figure(CLIENT, "load").is(4.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "bunch",
        setup: &[Setup::Speed(2.0), Setup::Wait(Time::s(2))],
        when: |system| {
            let refused = |row| refused(system, row);
            refused(LOG) >= 3 && refused(LOG) > refused(TOKEN) + 1
        },
        points: &[LOG_ROW, TOKEN_ROW],
        shows: &[
            figure(LOG_ROW, "refused").at_least(2.0),
            figure(LOG_ROW, "refused").above(figure(TOKEN_ROW, "refused")),
        ],
        predict: Some(Prediction {
            id: "promise",
            options: &["one", "two", "four", "all"],
            truth: |system| {
                let settled = over(system, WORST, Time::ms(100));
                let keep = (0..ROWS).filter(|row| seen(system).keeps(*row, system.now));
                settled.then(|| match keep.count() {
                    0 | 1 => 0,
                    2 => 1,
                    3 | 4 => 2,
                    _ => 3,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "worst",
        setup: &[
            Setup::Set("load", 0.0),
            Setup::Act("worst", 0),
            Setup::Speed(0.5),
        ],
        when: |system| over(system, WORST, Time::ms(100)),
        points: &[FIXED_ROW, LOG_ROW, COUNTER_ROW, TOKEN_ROW, LEAKY_ROW],
        shows: &[
            figure(FIXED_ROW, "most").is(10.0),
            figure(LOG_ROW, "most").is(5.0),
            figure(COUNTER_ROW, "most").is(10.0),
            figure(TOKEN_ROW, "most").is(9.0),
            figure(LEAKY_ROW, "most").is(5.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "boundary",
        setup: &[Setup::Act("boundary", 0)],
        when: |system| over(system, BOUNDARY, Time::ms(100)),
        points: &[FIXED_ROW, COUNTER_ROW],
        shows: &[
            figure(FIXED_ROW, "most").is(10.0),
            figure(COUNTER_ROW, "most").at_most(6.0),
            figure(COUNTER_ROW, "refused").at_least(4.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "tokens",
        setup: &[Setup::Act("hammer", 0), Setup::Wait(Time::ms(2_300))],
        when: |system| most(system, TOKEN) >= 9,
        points: &[TOKEN_ROW],
        shows: &[
            figure(TOKEN_ROW, "most").within(9.0, 10.0),
            figure(LOG_ROW, "most").is(5.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "smooth",
        setup: &[Setup::Act("twenty", 0)],
        when: |system| {
            let waiting = seen(system).rows[LEAKY].waiting(system.now);
            over(system, TWENTY, Time::ZERO) && waiting == 2
        },
        points: &[LEAKY_ROW, LOG_ROW],
        shows: &[
            figure(LEAKY_ROW, "waiting").is(2.0),
            figure(LEAKY_ROW, "most").is(3.0),
            figure(LOG_ROW, "megabytes").above(figure(TOKEN_ROW, "megabytes")),
            figure(LOG_ROW, "refused").is(15.0),
        ],
        predict: Some(Prediction {
            id: "mirror",
            options: &["fewer", "more", "same"],
            truth: |system| {
                let seen = seen(system);
                let settled = seen.limiters.rule.meter && seen.mirrored >= MIRRORED;
                let since = seen.since(system.now);
                let passed = |row: usize| seen.rows[row].tally(since, system.now).0;
                settled.then(|| match passed(LEAKY).cmp(&passed(TOKEN)) {
                    std::cmp::Ordering::Less => 0,
                    std::cmp::Ordering::Greater => 1,
                    std::cmp::Ordering::Equal => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "mirror",
        setup: &[Setup::Set("leaky", REFUSES), Setup::Set("load", 8.0)],
        when: |system| {
            let seen = seen(system);
            let all_spoke = seen.vote.heard == ROWS as u32;
            seen.mirrored >= MIRRORED && all_spoke && refused(system, TOKEN) >= 2
        },
        points: &[TOKEN_ROW, LEAKY_ROW],
        shows: &[
            figure(LEAKY_ROW, "passed").same(figure(TOKEN_ROW, "passed"), 0.0),
            figure(LEAKY_ROW, "refused").same(figure(TOKEN_ROW, "refused"), 0.0),
            figure(TOKEN_ROW, "refused").at_least(2.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "again",
        setup: &[
            Setup::Set("leaky", WAITS),
            Setup::Set("load", 0.0),
            Setup::Set("refused", AGAIN),
            Setup::Speed(1.0),
            Setup::Act("twenty", 0),
            Setup::Wait(Time::ms(4_600)),
        ],
        points: &[CLIENT, LOG_ROW],
        shows: &[
            figure(CLIENT, "tries").at_least(5.0),
            figure(LOG_ROW, "passed").at_most(19.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "herd",
        setup: &[
            Setup::Set("refused", TOLD),
            Setup::Twin("jitter", 50.0),
            Setup::Speed(0.5),
            Setup::Act("twenty", 0),
        ],
        when: |system| {
            let seen = seen(system);
            let herd = seen.rows[FIXED].herd;
            herd.is_some_and(|(came, _)| came >= seen.from) && over(system, TWENTY, Time::ms(1_100))
        },
        points: &[FIXED_ROW],
        shows: &[figure(FIXED_ROW, "together").at_least(10.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Alone,
            Setup::Set("refused", LEAVE),
            Setup::Set("load", 4.0),
            Setup::Wait(Time::s(4)),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "keeps",
        progress: |system, _| {
            let seen = seen(system);
            let over = over(system, WORST, Time::ZERO);
            let limit = seen.limiters.rule.limit as u32;
            let passed = seen.over(WORST).map_or(0, |burst| burst.passed[TOKEN]);
            Progress::all(over && seen.keeps(TOKEN, system.now) && passed >= limit)
        },
        solution: &[
            Setup::Set("burst", 1.0),
            Setup::Act("worst", 0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "shop",
        progress: |system, _| Progress::of(f64::from(seen(system).shopped), 3.0),
        solution: &[
            Setup::Set("load", 0.0),
            Setup::Set("burst", 20.0),
            Setup::Wait(Time::s(4)),
            Setup::Act("twenty", 0),
            Setup::Wait(Time::s(4)),
            Setup::Act("twenty", 0),
            Setup::Wait(Time::s(4)),
            Setup::Act("twenty", 0),
            Setup::Wait(Time::s(4)),
        ],
    },
    Challenge {
        id: "lock-out",
        progress: |system, _| {
            let seen = seen(system);
            let locked = (0..ROWS).filter_map(|row| {
                let asked = seen.rows[row].past.back()?.at;
                Some(asked.since(seen.locked[row].since()?).as_s())
            });
            Progress::of(locked.fold(0.0, f64::max), 5.0)
        },
        solution: &[
            Setup::Set("logs-refused", 1.0),
            Setup::Set("refused", AGAIN),
            Setup::Set("load", 10.0),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "one-mind",
        progress: |system, _| {
            let (agreed, refused) = seen(system).agreed;
            let enough = if refused >= REFUSED {
                MIRRORED
            } else {
                MIRRORED - 1
            };
            Progress::of(f64::from(agreed.min(enough)), f64::from(MIRRORED))
        },
        solution: &[
            Setup::Set("load", 0.0),
            Setup::Wait(Time::s(2)),
            Setup::Act("twenty", 0),
            Setup::Wait(Time::s(4)),
        ],
    },
];
