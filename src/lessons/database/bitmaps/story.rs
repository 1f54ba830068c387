//! The story, its prediction, and things to try.

use super::model::{Office, SERVER, USERS};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

/// Whoever has waited this long for a full queue has seen that it does not fill.
const ENOUGH: Time = Time::s(30);

fn waiting(office: &Office) -> usize {
    office.pool.queue.len()
}

pub(super) const STORY: &[Beat<Office>] = &[
    Beat {
        id: "meet",
        points: &[USERS, SERVER],
        shows: &[
            figure(USERS, "load").is(10.0),
            figure(SERVER, "refused").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "busy",
        setup: &[Setup::Set("load", 18.0)],
        when: |office| waiting(office) >= 2,
        points: &[SERVER],
        shows: &[
            figure(USERS, "load").is(18.0),
            figure(SERVER, "waiting").at_least(2.0),
        ],
        predict: Some(Prediction {
            id: "queue",
            options: &["settles", "fills", "hardly"],
            truth: |office| {
                let turned = office.turned?;
                match waiting(office) {
                    20.. => Some(1),
                    _ if office.load_per_s < 30.0 => None,
                    waits => (office.now.since(turned) >= ENOUGH).then_some(if waits < 3 {
                        2
                    } else {
                        0
                    }),
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "over",
        setup: &[Setup::Set("load", 30.0), Setup::Speed(0.5)],
        when: |office| waiting(office) >= 18,
        points: &[SERVER],
        shows: &[
            figure(SERVER, "busy").is(1.0),
            figure(SERVER, "waiting").at_least(18.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "full",
        when: |office| office.refused > 0,
        points: &[SERVER],
        shows: &[figure(SERVER, "refused").at_least(1.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "compare",
        setup: &[Setup::Twin("workers", 2.0), Setup::Set("workers", 4.0)],
        when: |office| waiting(office) <= 2,
        points: &[SERVER],
        shows: &[figure(SERVER, "waiting").at_most(2.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Alone,
            Setup::Set("workers", 2.0),
            Setup::Set("load", 10.0),
            Setup::Wait(Time::s(2)),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Office>] = &[
    Challenge {
        id: "long",
        progress: |office, _| Progress::of(waiting(office) as f64, 40.0),
        solution: &[
            Setup::Set("queue", 40.0),
            Setup::Set("load", 60.0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "refuse",
        progress: |office, _| Progress::of(f64::from(office.refused), 200.0),
        solution: &[
            Setup::Set("workers", 1.0),
            Setup::Set("load", 60.0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "rush",
        progress: |office, _| {
            let well = office.load_per_s >= 40.0 && office.refused == 0;
            Progress::of(if well { f64::from(office.done) } else { 0.0 }, 300.0)
        },
        solution: &[
            Setup::Set("workers", 8.0),
            Setup::Set("load", 40.0),
            Setup::Wait(Time::s(12)),
        ],
    },
];
