//! The story, its predictions, and things to try.

use super::model::{CACHE, CLIENTS, Crash, DISK, MEMORY, PROMISES, Phase, SYNC, Store};
use super::settings::Sync;
use algorithms::wal::Stop;
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Scale, Setup, Time};

/// So long after a crash it is told: who was answered has heard it by then.
const TOLD: Time = Time::ms(250);

/// The store has been dark for a moment.
fn dark(store: &Store, of_power: bool) -> bool {
    match store.phase {
        Phase::Dark { since, power } => power == of_power && store.now.since(since) >= TOLD,
        _ => false,
    }
}

/// What a crash took: nothing, some of what had been answered, or all of it.
fn took(crash: Option<Crash>) -> Option<usize> {
    let crash = crash?;
    Some(match crash.lost {
        0 => 0,
        lost if lost < crash.answered => 1,
        _ => 2,
    })
}

/// The store reads no further, for this reason, and has read all before it.
fn stopped(store: &Store, torn: bool) -> bool {
    let stop = store.crash.and_then(|crash| crash.stop);
    matches!(store.phase, Phase::Cuts { .. }) && (stop == Some(Stop::Torn)) == torn
}

pub(super) const SCALES: &[Scale] = &[Scale {
    question: "group",
    range: [0.0, 240.0, 10.0],
    unit: "/s",
    answers: &[(0.0, 0), (40.0, 1), (100.0, 2)],
}];

/// Whether some share the sync that is under way.
fn shares(store: &Store) -> bool {
    let synced = store.wal.file.synced();
    let above = store.entries.iter().rev();
    let above = above.take_while(|entry| entry.bytes.end > synced);
    store.syncing.is_some() && above.count() >= 3
}

pub(super) const STORY: &[Beat<Store>] = &[
    Beat {
        id: "meet",
        points: &[MEMORY, CACHE, DISK],
        shows: &[
            figure(CACHE, "told").at_least(8.0),
            figure(DISK, "records").at_least(20.0),
            figure(PROMISES, "lost").is(0.0),
        ],
        predict: Some(Prediction {
            id: "plug",
            options: &["none", "some", "all"],
            truth: |store| took(store.plugged),
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "plug",
        setup: &[Setup::Act("late", 0), Setup::Speed(0.25)],
        when: |store| dark(store, true),
        points: &[CACHE, PROMISES],
        shows: &[
            figure(CACHE, "told").at_least(8.0),
            figure(PROMISES, "lost").at_least(8.0),
            figure(MEMORY, "dark").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "replay",
        setup: &[Setup::Speed(1.2)],
        when: |store| store.phase == Phase::Up && store.risk >= 12,
        points: &[MEMORY, DISK],
        shows: &[
            figure(MEMORY, "dark").is(0.0),
            figure(MEMORY, "keys").at_least(6.0),
            figure(PROMISES, "back").at_least(10.0),
        ],
        predict: Some(Prediction {
            id: "kill",
            options: &["none", "some", "all"],
            truth: |store| took(store.killed),
            hides: &[],
        }),
    },
    Beat {
        id: "kill",
        setup: &[Setup::Act("kill", 0), Setup::Speed(0.25)],
        when: |store| dark(store, false),
        points: &[MEMORY, CACHE],
        shows: &[
            figure(MEMORY, "dark").is(1.0),
            figure(CACHE, "records").at_least(6.0),
            figure(PROMISES, "lost-now").is(0.0),
        ],
        predict: Some(Prediction {
            id: "group",
            options: &["fewer", "fifty", "all"],
            truth: |store| {
                let asked = store.knobs.fsync >= 20.0 && store.knobs.sync == Sync::Group;
                let full = store.now.since(store.begun) >= Time::ms(1_300);
                (asked && full).then_some(match store.answers_per_s() {
                    ..40.0 => 0,
                    ..100.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "group",
        setup: &[
            Setup::Set("sync", 3.0),
            Setup::Set("fsync", 20.0),
            Setup::Set("writes", 200.0),
            Setup::Act("begin", 0),
            Setup::Twin("sync", 4.0),
            Setup::Speed(0.2),
            Setup::Wait(Time::ms(1_350)),
        ],
        when: shares,
        points: &[CLIENTS, SYNC],
        shows: &[
            figure(CLIENTS, "rate").within(140.0, 260.0),
            figure(CLIENTS, "queue").is(0.0),
            figure(CLIENTS, "load").is(200.0),
            figure(CACHE, "records").at_least(3.0),
            figure(PROMISES, "risk").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "torn",
        setup: &[
            Setup::Alone,
            Setup::Set("writes", 30.0),
            Setup::Act("begin", 0),
            Setup::Act("tear", 0),
            Setup::Speed(0.5),
        ],
        when: |store| stopped(store, true),
        points: &[DISK],
        shows: &[
            figure(DISK, "torn").is(1.0),
            figure(PROMISES, "lost").is(0.0),
        ],
        predict: Some(Prediction {
            id: "rot",
            options: &["one", "before", "none"],
            truth: |store| {
                let crash = store.crash.filter(|crash| crash.took.is_some())?;
                let rotten = crash.stop == Some(Stop::Checksum) && crash.power;
                rotten.then_some(match (crash.read, crash.untrusted) {
                    (0, _) => 2,
                    (_, 1) => 0,
                    _ => 1,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "rot",
        setup: &[
            Setup::Act("rot", 0),
            Setup::Act("plug", 0),
            Setup::Speed(0.5),
        ],
        when: |store| stopped(store, false),
        points: &[DISK],
        shows: &[
            figure(DISK, "bad").is(1.0),
            figure(DISK, "unread").at_least(1.0),
            figure(PROMISES, "lost").at_least(2.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "snapshot",
        setup: &[
            Setup::Set("fsync", 5.0),
            Setup::Set("snapshot", 1.0),
            Setup::Speed(0.4),
        ],
        when: |store| store.rewrites > 0,
        points: &[DISK],
        shows: &[
            figure(DISK, "before").at_least(40.0),
            figure(DISK, "records").at_most(26.0),
            figure(DISK, "restart").at_most(1.3),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "twin",
        setup: &[
            Setup::Set("snapshot", 0.0),
            Setup::Set("sync", 2.0),
            Setup::Act("begin", 0),
            Setup::Twin("sync", 3.0),
            Setup::Act("late", 0),
            Setup::Speed(0.25),
        ],
        when: |store| dark(store, true),
        points: &[CACHE, PROMISES],
        shows: &[
            figure(PROMISES, "lost").at_least(6.0),
            figure(CACHE, "told").at_least(6.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "lie",
        setup: &[
            Setup::Alone,
            Setup::Set("sync", 3.0),
            Setup::Set("failed", 1.0),
            Setup::Act("begin", 0),
            Setup::Act("fail", 0),
            Setup::Speed(0.25),
        ],
        when: |store| store.holes > 0 && store.risk >= 6,
        points: &[DISK, PROMISES],
        shows: &[
            figure(DISK, "missing").at_least(1.0),
            figure(PROMISES, "risk").at_least(6.0),
            figure(PROMISES, "safe").is(0.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Store>] = &[
    Challenge {
        id: "fast",
        progress: |store, now| {
            let held = store.fast.since().map_or(0.0, |at| now.since(at).as_s());
            let done = f64::from(u8::from(store.fast_and_safe));
            Progress::of((held.min(3.0)).max(3.0 * done) + done, 4.0)
        },
        solution: &[
            Setup::Set("sync", 3.0),
            Setup::Set("fsync", 20.0),
            Setup::Set("writes", 300.0),
            Setup::Wait(Time::ms(5_000)),
            Setup::Act("plug", 0),
            Setup::Wait(Time::ms(200)),
        ],
    },
    Challenge {
        id: "soon",
        progress: |store, _| {
            let done = f64::from(u8::from(store.soon));
            let written = f64::from(store.done.min(200));
            Progress::of(written.max(200.0 * done) + done, 201.0)
        },
        solution: &[
            Setup::Set("writes", 100.0),
            Setup::Wait(Time::ms(2_500)),
            Setup::Set("writes", 10.0),
            Setup::Wait(Time::ms(100)),
            Setup::Act("snapshot", 0),
            Setup::Wait(Time::ms(200)),
            Setup::Act("kill", 0),
            Setup::Wait(Time::ms(3_000)),
        ],
    },
    Challenge {
        id: "betrayed",
        progress: |store, _| Progress::of(f64::from(store.betrayed), 20.0),
        solution: &[
            Setup::Set("disk", 1.0),
            Setup::Set("sync", 4.0),
            Setup::Set("writes", 60.0),
            Setup::Wait(Time::ms(3_000)),
            Setup::Act("plug", 0),
            Setup::Wait(Time::s(2)),
        ],
    },
    Challenge {
        id: "past",
        progress: |store, _| Progress::of(store.wrong as f64, 3.0),
        solution: &[
            Setup::Set("logs", 1.0),
            Setup::Wait(Time::ms(2_000)),
            Setup::Act("kill", 0),
            Setup::Wait(Time::s(9)),
        ],
    },
];
