//! The story, its predictions, and things to try.

use super::figure::{ASKED, CARRIES, GOTTEN, ROWS};
use super::moves;
use super::space::{By, DAY, Tally};
use super::{SPACE, Seen, shard_part};
use engine::claim::{figure, line};
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};
use kit::system::System;

const DATE: f64 = 0.0;
const CUSTOMER: f64 = 1.0;
const SALT: f64 = 3.0;
/// The shard that has the open range of dates, of four.
const LAST: PartId = shard_part(3);
/// The shards that have cust42's slot: of eight, and those of two of its sub-keys.
const ITS: PartId = shard_part(5);

/// So long after a crash it is known what it costs; the shard is still down.
const KNOWN: Time = Time::ms(6_900);

fn seen(system: &System) -> &Seen {
    system.own()
}

fn by(system: &System, by: By) -> bool {
    seen(system).rules.by == by
}

/// How long it is since a knob was turned.
fn settled(system: &System) -> Time {
    system.now.since(system.turned)
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "date",
        points: &[SPACE, LAST],
        shows: &[
            figure(SPACE, "hottest share").at_least(0.99),
            figure(LAST, "asked").at_least(20.5),
            figure(shard_part(0), "asked").is(0.0),
            figure(CARRIES, "carries").within(19.0, 21.0),
        ],
        predict: Some(Prediction {
            id: "split",
            options: &["half", "quarter", "stays"],
            truth: |system| {
                let cut = seen(system).moves.cuts >= 3 && settled(system) >= Time::ms(5_800);
                let known = cut && seen(system).hottest > 0.0;
                known.then(|| match seen(system).hottest {
                    x if x >= 0.85 => 2,
                    x if x >= 0.4 => 0,
                    _ => 1,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "split",
        setup: &[
            Setup::Set("split", 1.0),
            Setup::Speed(1.5),
            Setup::Wait(Time::s(6)),
        ],
        when: |system| {
            let busiest = seen(system).space.writes_of_busiest(system.now);
            seen(system).moves.cuts >= 3 && busiest.is_some_and(|share| share > 0.95)
        },
        points: &[SPACE],
        shows: &[
            figure(SPACE, "cuts").at_least(3.0),
            figure(SPACE, "pieces").at_least(6.0),
            figure(SPACE, "hottest").at_least(10.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "hash",
        setup: &[
            Setup::Set("split", 0.0),
            Setup::Set("by", CUSTOMER),
            Setup::Twin("by", DATE),
            Setup::Speed(1.0),
            Setup::Wait(Time::s(6)),
        ],
        points: &[SPACE],
        shows: &[
            figure(SPACE, "hottest").at_most(6.0),
            figure(shard_part(0), "asked").within(4.0, 17.0),
            figure(LAST, "asked").within(4.0, 17.0),
            line("fails", "failed").is(0.0),
        ],
        predict: Some(Prediction {
            id: "today",
            options: &["one", "two", "four"],
            truth: |system| {
                let rules = &seen(system).rules;
                let known = rules.today >= 0.2 && settled(system) >= Time::ms(2_800);
                let asked = Tally::asked(seen(system).space.tally.todays);
                let asked = asked.filter(|_| known && rules.by == By::Customer)?;
                Some(match asked {
                    x if x < 1.5 => 0,
                    x if x < 3.0 => 1,
                    _ => 2,
                })
            },
            hides: &[ASKED, ROWS],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "today",
        setup: &[
            Setup::Alone,
            Setup::Set("today", 20.0),
            Setup::Wait(Time::s(3)),
        ],
        // The day is old enough to have orders.
        when: |system| (3_000_000..9_500_000).contains(&(system.now.0 % DAY.0)),
        points: &[ASKED, ROWS],
        shows: &[
            figure(ASKED, "today").is(4.0),
            figure(ASKED, "one").is(1.0),
            figure(ROWS, "today on").is(4.0),
        ],
        predict: Some(Prediction {
            id: "more",
            options: &["four-times", "twice", "same"],
            truth: |system| {
                let (seen, many) = (seen(system), moves::shards(system) == 16);
                let known = many && settled(system) >= Time::s(12);
                known.then(|| match seen.space.tally.carries(seen.rules.each()) {
                    x if x >= 170.0 => 0,
                    x if x >= 80.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "more",
        setup: &[
            Setup::Set("today", 10.0),
            Setup::Set("load", 55.0),
            Setup::Set("shards", 16.0),
            Setup::Speed(3.0),
            Setup::Wait(Time::s(15)),
        ],
        points: &[CARRIES, SPACE],
        shows: &[
            figure(CARRIES, "carries").within(85.0, 128.0),
            figure(CARRIES, "theory").within(109.0, 111.0),
            figure(ASKED, "today").is(16.0),
            figure(SPACE, "all share").within(0.35, 0.85),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "celebrity",
        setup: &[
            Setup::Set("shards", 8.0),
            Setup::Set("load", 50.0),
            Setup::Act("famous", 0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(10)),
        ],
        when: |system| {
            let asked = seen(system).space.rate(5, system.now);
            asked >= 21.5 && system.waiting_at(super::SHARD, 5) >= 15
        },
        points: &[SPACE, ITS],
        shows: &[
            figure(ITS, "asked").at_least(20.0),
            figure(ITS, "waiting").at_least(15.0),
            figure(CARRIES, "carries").at_most(48.0),
            figure(CARRIES, "theory").within(41.0, 43.0),
            figure(ROWS, "cust42 on").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "salt",
        setup: &[
            Setup::Set("by", SALT),
            Setup::Speed(2.5),
            Setup::Wait(Time::s(8)),
        ],
        when: |system| system.waiting_at(super::SHARD, 5) <= 12,
        points: &[ROWS, ASKED],
        shows: &[
            figure(ROWS, "cust42 on").is(4.0),
            figure(ASKED, "one").at_least(1.5),
            figure(CARRIES, "carries").at_least(44.0),
            figure(CARRIES, "theory").at_least(55.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "grow",
        setup: &[
            Setup::Set("celebrity", 0.0),
            Setup::Set("by", CUSTOMER),
            Setup::Set("shards", 4.0),
            Setup::Set("load", 40.0),
            Setup::Act("add", 0),
            Setup::Speed(1.5),
        ],
        when: |system| seen(system).moves.moved >= 6 && seen(system).moves.now.is_none(),
        points: &[SPACE, shard_part(4)],
        shows: &[
            figure(SPACE, "moved").is(6.0),
            figure(shard_part(4), "pieces").is(6.0),
        ],
        predict: Some(Prediction {
            id: "dead",
            options: &["twenty", "thirty-six", "hundred"],
            truth: |system| {
                let crash = seen(system).crash.as_ref()?;
                let known = system.now.since(crash.at) >= KNOWN && crash.soon.0 >= 100;
                let share = f64::from(crash.soon.1) / f64::from(crash.soon.0.max(1));
                known.then_some(match share {
                    x if x < 0.23 => 0,
                    x if x < 0.6 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "dead",
        setup: &[
            Setup::Set("today", 20.0),
            Setup::Act("crash", 0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(7)),
        ],
        when: |system| seen(system).crash.is_some_and(|it| it.soon.0 >= 100),
        points: &[GOTTEN, SPACE],
        shows: &[
            figure(GOTTEN, "crash failed %").within(23.0, 50.0),
            figure(SPACE, "dead").at_least(6.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Act("recover", 0),
            Setup::Set("today", 10.0),
            Setup::Speed(0.5),
            Setup::Wait(Time::s(1)),
        ],
        when: |system| by(system, By::Customer),
        points: &[SPACE],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "history",
        progress: |system, _| {
            let seen = seen(system);
            let asks = seen.rules.today >= 0.5 && seen.rules.reads == 0.0;
            let many = moves::shards(system) >= 4;
            let streak = if asks && many { seen.streak } else { 0 };
            Progress::of(f64::from(streak), 20.0)
        },
        solution: &[
            Setup::Set("load", 12.0),
            Setup::Set("reads", 0.0),
            Setup::Set("today", 50.0),
            Setup::Wait(Time::s(25)),
        ],
    },
    Challenge {
        id: "seventy",
        progress: |system, now| Progress::held(seen(system).seventy.since(), now, 10.0),
        solution: &[
            Setup::Set("by", CUSTOMER),
            Setup::Set("shards", 8.0),
            Setup::Set("load", 70.0),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "famous",
        progress: |system, now| Progress::held(seen(system).famous.since(), now, 10.0),
        solution: &[
            Setup::Set("by", SALT),
            Setup::Set("shards", 16.0),
            Setup::Set("load", 60.0),
            Setup::Set("celebrity", 30.0),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "grow",
        progress: |system, _| {
            let seen = seen(system);
            let (all, right) = match seen.grew {
                Some((at, 4)) => {
                    let calm = seen.failed < at && seen.moves.moved <= 7;
                    let busy = seen.rules.load >= 45.0;
                    (f64::from(seen.moves.moved), calm && busy)
                }
                _ => (0.0, false),
            };
            Progress::of(if right { all.min(6.0) } else { 0.0 }, 6.0)
        },
        solution: &[
            Setup::Set("by", CUSTOMER),
            Setup::Set("load", 45.0),
            Setup::Wait(Time::s(5)),
            Setup::Act("add", 0),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "half",
        progress: |system, now| {
            let crash = seen(system).crash.filter(|it| it.rate >= 2.0);
            let over = crash.filter(|it| now.since(it.at) >= Time::s(12) && it.later.0 >= 50);
            let share = over.map_or(0.0, |it| {
                1.0 - f64::from(it.later.1) / f64::from(it.later.0)
            });
            Progress::of((share * 100.0).min(90.0), 90.0)
        },
        solution: &[
            Setup::Set("by", CUSTOMER),
            Setup::Set("copies", 1.0),
            Setup::Wait(Time::s(5)),
            Setup::Act("crash", 0),
            Setup::Wait(Time::s(14)),
        ],
    },
];
