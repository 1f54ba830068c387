//! The story, its predictions, and things to try.

use super::group::{COUNTER, SEARCH, SEARCH_CARD, account, reader};
use super::lane::{broker, lane};
use super::model::{SHOP, Streams};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const LANES: PartId = PartId::one("lane");
const CONSUMERS: PartId = PartId::one("consumer");
const COUNTER_CARD: PartId = reader(COUNTER, 0);
const SEARCHED: PartId = account(SEARCH);
const COUNTED: PartId = account(COUNTER);

/// Lanes are assigned, and have been for so long.
fn settled(streams: &Streams, members: usize, span: Time) -> bool {
    let search = &streams.groups[SEARCH];
    let there = search
        .consumers
        .iter()
        .filter(|one| one.member && one.is_up());
    search.phase == super::group::Phase::Stable
        && there.count() == members
        && streams.now.since(search.assigned_at) >= span
}

pub(super) const STORY: &[Beat<Streams>] = &[
    Beat {
        id: "meet",
        when: |streams| streams.groups.iter().all(|group| group.done >= 20),
        points: &[LANES],
        shows: &[
            figure(SEARCHED, "done").at_least(20.0),
            figure(COUNTED, "done").at_least(20.0),
            figure(SEARCHED, "lag").above(figure(COUNTED, "lag")),
        ],
        predict: Some(Prediction {
            id: "again",
            options: &["taken", "same", "error"],
            truth: |streams| (streams.groups[COUNTER].again > 0).then_some(1),
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "readers",
        setup: &[Setup::Act("rewind", 0), Setup::Speed(0.8)],
        when: |streams| streams.groups[COUNTER].again >= 60 && streams.lag(COUNTER) < 20,
        points: &[COUNTER_CARD, LANES, COUNTED],
        shows: &[
            figure(COUNTED, "again").at_least(60.0),
            figure(SEARCHED, "again").is(0.0),
            figure(SHOP, "pending").is(0.0),
        ],
        predict: Some(Prediction {
            id: "idle",
            options: &["twice", "all", "same"],
            truth: |streams| {
                let rate = streams.groups[SEARCH]
                    .rate
                    .per_s(0, Time::s(8), streams.now);
                settled(streams, 6, Time::s(8)).then_some(match rate {
                    24.0.. => 0,
                    16.5.. => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "idle",
        setup: &[
            Setup::Set("clicks", 18.0),
            Setup::Set("consumers", 6.0),
            Setup::Speed(4.0),
        ],
        when: |streams| settled(streams, 6, Time::s(8)) && streams.lag(SEARCH) >= 50,
        points: &[CONSUMERS, SEARCH_CARD],
        shows: &[
            figure(SEARCH_CARD, "readers").is(3.0),
            figure(SEARCH_CARD, "idle").is(3.0),
            figure(SEARCH_CARD, "rate").within(12.5, 16.0),
        ],
        predict: Some(Prediction {
            id: "order",
            options: &["kept", "broken"],
            truth: |streams| {
                let search = &streams.groups[SEARCH];
                let through = streams.moved > 0 && streams.lag(SEARCH) < 30;
                match search.overtaken {
                    0 => through.then_some(0),
                    _ => Some(1),
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "order",
        setup: &[
            Setup::Set("reset", 1.0),
            Setup::Set("lanes", 6.0),
            Setup::Speed(1.5),
        ],
        when: |streams| streams.groups[SEARCH].overtaken >= 8,
        points: &[LANES, SEARCHED],
        shows: &[
            figure(SHOP, "moved").is(11.0),
            figure(SEARCHED, "overtaken").at_least(8.0),
        ],
        predict: Some(Prediction {
            id: "slow",
            options: &["180", "60", "0"],
            truth: |streams| {
                let (at, committed) = streams.stuck?;
                let more = streams.committed(SEARCH).saturating_sub(committed);
                let seen =
                    streams.now.since(at) >= Time::s(5) && streams.groups[SEARCH].again >= 10;
                seen.then_some(match more {
                    90.. => 0,
                    16.. => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "slow",
        setup: &[
            Setup::Set("lanes", 3.0),
            Setup::Set("consumers", 3.0),
            Setup::Set("clicks", 12.0),
            Setup::Set("work", 1_000.0),
            Setup::Set("reset", 0.0),
            Setup::Act("begin", 0),
            Setup::Speed(5.0),
        ],
        when: |streams| {
            let search = &streams.groups[SEARCH];
            let since = streams.stuck.map(|(at, _)| streams.now.since(at));
            search.again >= 10 && since.is_some_and(|since| since >= Time::s(5))
        },
        points: &[CONSUMERS, SEARCHED],
        shows: &[
            figure(SEARCHED, "again").at_least(10.0),
            figure(SEARCHED, "stuck").at_most(3.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "crash",
        setup: &[
            Setup::Set("work", 200.0),
            Setup::Set("lanes", 6.0),
            Setup::Set("clicks", 24.0),
            Setup::Set("session", 2.0),
            Setup::Act("begin", 0),
            Setup::Twin("commit", 0.0),
            Setup::Act("kill", 1),
            Setup::Speed(1.8),
        ],
        when: |streams| {
            let search = &streams.groups[SEARCH];
            search.again >= 2
        },
        points: &[SEARCHED, CONSUMERS],
        shows: &[
            figure(SEARCHED, "again").at_least(2.0),
            figure(SEARCHED, "lost").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "rebalance",
        setup: &[
            Setup::Alone,
            Setup::Set("session", 4.5),
            Setup::Act("begin", 0),
            Setup::Twin("assignor", 3.0),
            Setup::Set("consumers", 4.0),
            Setup::Speed(1.5),
            Setup::Wait(Time::s(8)),
        ],
        when: |streams| settled(streams, 4, Time::s(1)),
        points: &[SEARCH_CARD, CONSUMERS],
        shows: &[
            figure(SEARCH_CARD, "stood").is(6.0),
            figure(SEARCH_CARD, "longest").within(0.3, 2.6),
        ],
        predict: Some(Prediction {
            id: "late",
            options: &["none", "ten", "thirty"],
            truth: |streams| {
                let search = &streams.groups[SEARCH];
                let awake = streams.trials.awake.is_some() && search.lost > 0;
                awake.then_some(match search.lost {
                    0 => 0,
                    240.. => 2,
                    _ => 1,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "late",
        setup: &[
            Setup::Alone,
            Setup::Set("lanes", 3.0),
            Setup::Set("consumers", 3.0),
            Setup::Set("clicks", 12.0),
            Setup::Set("retention", 20.0),
            Setup::Act("begin", 0),
            Setup::Act("sleep", 0),
            Setup::Speed(5.0),
        ],
        when: |streams| streams.trials.awake.is_some() && streams.groups[SEARCH].done >= 5,
        points: &[SEARCHED, LANES],
        shows: &[figure(SEARCHED, "lost").within(280.0, 450.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "leader",
        setup: &[
            Setup::Set("retention", 60.0),
            Setup::Set("acks", 0.0),
            Setup::Set("behind", 1.0),
            Setup::Set("clicks", 18.0),
            Setup::Act("begin", 0),
            Setup::Act("kill-broker", 0),
            Setup::Speed(0.8),
        ],
        when: |streams| streams.gone > 0 && streams.lanes[0].led_by() == Some(1),
        points: &[lane(0), broker(0), SHOP],
        shows: &[
            figure(SHOP, "gone").within(1.0, 20.0),
            figure(broker(0), "up").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Set("acks", 1.0),
            Setup::Set("behind", 0.3),
            Setup::Set("clicks", 12.0),
            Setup::Act("begin", 0),
            Setup::Speed(1.0),
            Setup::Wait(Time::s(5)),
        ],
        points: &[LANES],
        shows: &[figure(SHOP, "gone").is(0.0)],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Streams>] = &[
    Challenge {
        id: "catch-up",
        progress: |streams, _| {
            let search = &streams.groups[SEARCH];
            let lag = streams.lag(SEARCH);
            let asked = streams.knobs.clicks >= 18 && search.lost == 0 && streams.deepest >= 120;
            Progress::of(if asked { 120.0 - lag as f64 } else { 0.0 }, 100.0)
        },
        solution: &[
            Setup::Set("clicks", 40.0),
            Setup::Wait(Time::s(7)),
            Setup::Set("clicks", 18.0),
            Setup::Set("work", 100.0),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "celebrity",
        progress: |streams, now| Progress::held(streams.trials.level.since(), now, 20.0),
        solution: &[
            Setup::Set("skew", 1.0),
            Setup::Set("clicks", 15.0),
            Setup::Set("key", 1.0),
            Setup::Set("lanes", 6.0),
            Setup::Set("consumers", 6.0),
            Setup::Wait(Time::s(60)),
        ],
    },
    Challenge {
        id: "slow-but-sure",
        progress: |streams, now| {
            let (trials, search) = (&streams.trials, &streams.groups[SEARCH]);
            let done = search.done.saturating_sub(trials.sure_from.0);
            let since = trials.sure.since().filter(|_| done >= 20);
            Progress::held(since, now, 30.0)
        },
        solution: &[
            Setup::Set("batch", 5.0),
            Setup::Set("clicks", 2.0),
            Setup::Wait(Time::s(2)),
            Setup::Set("work", 1_000.0),
            Setup::Wait(Time::s(50)),
        ],
    },
    Challenge {
        id: "not-one-lost",
        progress: |streams, now| Progress::held(streams.trials.down.since(), now, 5.0),
        solution: &[
            Setup::Set("in-sync", 1.0),
            Setup::Act("kill-broker", 0),
            Setup::Wait(Time::s(6)),
            Setup::Act("kill-broker", 1),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "sleep",
        progress: |streams, now| {
            let whole = streams.groups[SEARCH].lost == 0 && streams.knobs.retention <= 40;
            Progress::held(streams.trials.awake.filter(|_| whole), now, 10.0)
        },
        solution: &[
            Setup::Set("retention", 40.0),
            Setup::Act("sleep", 0),
            Setup::Wait(Time::s(45)),
        ],
    },
];
