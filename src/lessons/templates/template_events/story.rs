//! The story, its prediction, and things to try.

use super::{ARCHIVE, THUMBNAILS, TO_ARCHIVE, TOPIC};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};
use kit::system::{Count, System};

const USERS_PART: PartId = PartId::one("users");
const TOPIC_PART: PartId = PartId::one("topic");
const ARCHIVE_PART: PartId = PartId::one("archive");
const THUMBNAILS_PART: PartId = PartId::one("thumbnails");
/// So many tries tell what becomes of copies.
const ENOUGH: u32 = 8;

/// What came of the topic, the archive or the function since the last turn of a knob.
fn since(system: &System, node: kit::system::NodeId, count: Count) -> u32 {
    let since = system.since("you-set");
    since.map_or(0, |since| since.node(node).of(count))
}

/// Copies for the archive that wait for another try.
fn waiting(system: &System) -> usize {
    let fan = system.node(TOPIC).and_then(|live| live.fan());
    fan.map_or(0, |fan| fan.waiting(TO_ARCHIVE))
}

/// Posts that the archive has worked on more often than once, as far as it is told that it has: few are on their way when a knob turns.
fn twice(system: &System) -> bool {
    let fan = system.node(TOPIC).and_then(|live| live.fan());
    let pending = fan.map_or(0, |fan| fan.pending(TO_ARCHIVE)) as u32;
    let (posted, done) = (
        since(system, TOPIC, Count::Done),
        since(system, ARCHIVE, Count::Done),
    );
    done + pending > posted + 5
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[USERS_PART, TOPIC_PART],
        shows: &[
            figure(USERS_PART, "load").is(4.0),
            figure(ARCHIVE_PART, "failed").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "rush",
        setup: &[Setup::Set("load", 30.0), Setup::Speed(0.5)],
        when: |system| since(system, THUMBNAILS, Count::Cold) >= 2,
        points: &[THUMBNAILS_PART],
        shows: &[
            figure(USERS_PART, "load").is(30.0),
            figure(THUMBNAILS_PART, "cold").at_least(2.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "lossy",
        setup: &[Setup::Set("load", 16.0), Setup::Set("loss", 30.0)],
        when: |system| waiting(system) >= 2,
        points: &[TOPIC_PART, ARCHIVE_PART],
        shows: &[
            figure(USERS_PART, "load").is(16.0),
            figure(TOPIC_PART, "waiting").at_least(2.0),
        ],
        predict: Some(Prediction {
            id: "twice",
            options: &["fewer", "same", "more"],
            truth: |system| {
                let given_up = since(system, TOPIC, Count::Buried) > 0;
                match (twice(system), given_up) {
                    _ if since(system, TOPIC, Count::Retried) < ENOUGH => None,
                    (true, _) => Some(2),
                    (false, true) => Some(0),
                    (false, false) => None,
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "twice",
        setup: &[Setup::Speed(1.0)],
        when: |system| since(system, TOPIC, Count::Retried) >= ENOUGH && twice(system),
        points: &[TOPIC_PART, ARCHIVE_PART],
        shows: &[figure(TOPIC_PART, "waiting").at_least(0.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "once",
        setup: &[Setup::Twin("tries", 4.0), Setup::Set("tries", 1.0)],
        when: |system| since(system, TOPIC, Count::Buried) >= 5,
        points: &[TOPIC_PART],
        shows: &[figure(TOPIC_PART, "dead").at_least(5.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Alone,
            Setup::Set("tries", 4.0),
            Setup::Set("load", 4.0),
            Setup::Set("loss", 0.0),
            Setup::Wait(Time::s(2)),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "dead",
        progress: |system, _| Progress::of(f64::from(since(system, TOPIC, Count::Buried)), 20.0),
        solution: &[
            Setup::Set("loss", 60.0),
            Setup::Set("load", 30.0),
            Setup::Set("tries", 1.0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "warm",
        progress: |system, _| {
            let cold = since(system, THUMBNAILS, Count::Cold);
            let done = since(system, THUMBNAILS, Count::Done);
            let fleet = system.node(THUMBNAILS).and_then(|live| live.fleet());
            let mut all = fleet.into_iter().flat_map(|fleet| fleet.instances());
            let ready = cold == 0 && all.any(|(_, it)| it.provisioned);
            Progress::of(if ready { f64::from(done) } else { 0.0 }, 30.0)
        },
        solution: &[
            Setup::Set("load", 4.0),
            Setup::Set("provisioned", 8.0),
            Setup::Wait(Time::s(25)),
        ],
    },
    Challenge {
        id: "many",
        progress: |system, _| {
            let fleet = system.node(THUMBNAILS).and_then(|live| live.fleet());
            let all = fleet.map_or(0, |fleet| fleet.instances().count());
            Progress::of(all as f64, 15.0)
        },
        solution: &[
            Setup::Set("load", 30.0),
            Setup::Set("build", 2000.0),
            Setup::Wait(Time::s(8)),
        ],
    },
];
