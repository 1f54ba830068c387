//! The story, its prediction, and things to try.

use super::{SERVER, USERS};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};
use kit::system::{Count, System};

const USERS_PART: PartId = PartId::one("users");
const SERVER_PART: PartId = PartId::one("server");
/// Whoever has waited this long for a full queue has seen that it does not fill.
const ENOUGH: Time = Time::s(30);

/// How many the server has turned away since the last turn of a knob.
fn refused(system: &System) -> u32 {
    let since = system.since("you-set");
    since.map_or(0, |since| since.node(SERVER).of(Count::Refused))
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[USERS_PART, SERVER_PART],
        shows: &[
            figure(USERS_PART, "load").is(10.0),
            figure(SERVER_PART, "failed").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "busy",
        setup: &[Setup::Set("load", 18.0)],
        when: |system| system.waiting() >= 2,
        points: &[SERVER_PART],
        shows: &[
            figure(USERS_PART, "load").is(18.0),
            figure(SERVER_PART, "waiting").at_least(2.0),
        ],
        predict: Some(Prediction {
            id: "queue",
            options: &["settles", "fills", "hardly"],
            truth: |system| {
                let turned = system.since("you-set")?.at();
                match system.waiting() {
                    20.. => Some(1),
                    _ if system.load_per_s(USERS) < 30.0 => None,
                    waiting => (system.now.since(turned) >= ENOUGH).then_some(if waiting < 3 {
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
        when: |system| system.waiting() >= 18,
        points: &[SERVER_PART],
        shows: &[
            figure(SERVER_PART, "busy").is(1.0),
            figure(SERVER_PART, "waiting").at_least(18.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "full",
        when: |system| refused(system) > 0,
        points: &[SERVER_PART],
        shows: &[figure(SERVER_PART, "failed").at_least(1.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "compare",
        setup: &[Setup::Twin("workers", 2.0), Setup::Set("workers", 4.0)],
        when: |system| system.waiting() <= 2,
        points: &[SERVER_PART],
        shows: &[figure(SERVER_PART, "waiting").at_most(2.0)],
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

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "long",
        progress: |system, _| Progress::of(f64::from(system.waiting()), 40.0),
        solution: &[
            Setup::Set("queue", 40.0),
            Setup::Set("load", 60.0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "refuse",
        progress: |system, _| Progress::of(f64::from(refused(system)), 200.0),
        solution: &[
            Setup::Set("workers", 1.0),
            Setup::Set("load", 60.0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "rush",
        progress: |system, _| {
            let since = system.since("you-set");
            let done = since.filter(|_| system.load_per_s(USERS) >= 40.0);
            let all = done.map(|since| since.all());
            let well = all.filter(|all| all.of(Count::Failed) == 0);
            Progress::of(f64::from(well.map_or(0, |all| all.of(Count::Done))), 300.0)
        },
        solution: &[
            Setup::Set("workers", 8.0),
            Setup::Set("load", 40.0),
            Setup::Wait(Time::s(12)),
        ],
    },
];
