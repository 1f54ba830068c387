//! The story, its prediction, and things to try.

use super::model::{Group, node};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

fn all_well(group: &Group) -> bool {
    group.ids().all(|id| group.missed_by(id) == 0)
}

pub(super) const STORY: &[Beat<Group>] = &[
    Beat {
        id: "meet",
        points: &[node(1), node(2), node(3), node(4)],
        shows: &[
            figure(node(2), "up").is(1.0),
            figure(node(2), "missed").is(0.0),
        ],
        predict: Some(Prediction {
            id: "when",
            options: &["at-once", "after", "never"],
            truth: |group| {
                let after = group.known_after?;
                Some(usize::from(after >= Time::ms(300)))
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "silent",
        setup: &[Setup::Act("crash", 1), Setup::Speed(0.5)],
        when: |group| group.known_after.is_some(),
        points: &[node(2)],
        shows: &[
            figure(node(2), "up").is(0.0),
            figure(node(2), "missed").is(3.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "back",
        setup: &[Setup::Act("restart", 1), Setup::Speed(0.5)],
        when: all_well,
        points: &[node(2)],
        shows: &[
            figure(node(2), "up").is(1.0),
            figure(node(2), "missed").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "mistaken",
        setup: &[Setup::Set("loss", 60.0), Setup::Speed(2.0)],
        when: |group| group.mistakes >= 3,
        points: &[node(1), node(2), node(3), node(4)],
        ..Beat::at_once()
    },
    Beat {
        id: "patient",
        setup: &[
            Setup::Twin("patience", 1_200.0),
            Setup::Set("patience", 5_000.0),
            Setup::Wait(Time::s(8)),
            Setup::Speed(2.0),
        ],
        when: |group| group.now.since(group.since) >= Time::s(8),
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Alone,
            Setup::Set("loss", 0.0),
            Setup::Set("patience", 1_200.0),
            Setup::Wait(Time::s(2)),
        ],
        when: all_well,
        shows: &[figure(node(1), "missed").is(0.0)],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Group>] = &[
    Challenge {
        id: "quick",
        progress: |group, _| {
            Progress::all(
                group
                    .known_after
                    .is_some_and(|after| after <= Time::ms(650)),
            )
        },
        solution: &[
            Setup::Set("every", 200.0),
            Setup::Set("patience", 300.0),
            Setup::Wait(Time::s(2)),
            Setup::Act("crash", 1),
            Setup::Wait(Time::s(2)),
        ],
    },
    Challenge {
        id: "wrong",
        progress: |group, _| Progress::of(f64::from(group.mistakes), 200.0),
        solution: &[
            Setup::Set("loss", 80.0),
            Setup::Set("patience", 400.0),
            Setup::Wait(Time::s(120)),
        ],
    },
    Challenge {
        id: "calm",
        progress: |group, now| {
            let lossy = group.cluster.net.loss >= 0.5 && group.mistakes == 0;
            let since = if lossy {
                now.since(group.since).as_s()
            } else {
                0.0
            };
            Progress::of(since.min(60.0), 60.0)
        },
        solution: &[
            Setup::Set("every", 200.0),
            Setup::Set("patience", 5_000.0),
            Setup::Wait(Time::s(3)),
            Setup::Set("loss", 50.0),
            Setup::Wait(Time::s(62)),
        ],
    },
];
