//! The story, its prediction, and things to try.

use super::model::{Desk, HAND, ROW, Way};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

fn halved(desk: &Desk) -> Option<u32> {
    desk.last.filter(|_| desk.craft.way == Way::Halves)
}

pub(super) const STORY: &[Beat<Desk>] = &[
    Beat {
        id: "meet",
        points: &[ROW],
        shows: &[figure(ROW, "numbers").is(64.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "each",
        when: |desk| desk.last.is_some(),
        points: &[HAND],
        shows: &[figure(HAND, "looks").within(1.0, 64.0)],
        predict: Some(Prediction {
            id: "most",
            options: &["seven", "sixteen", "half"],
            truth: |desk| {
                Some(match halved(desk)? {
                    0..=7 => 0,
                    8..=16 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "halves",
        setup: &[Setup::Set("way", 1.0)],
        when: |desk| halved(desk).is_some(),
        points: &[HAND, ROW],
        shows: &[figure(HAND, "looks").within(1.0, 7.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "more",
        setup: &[Setup::Set("numbers", 256.0)],
        when: |desk| halved(desk).is_some(),
        points: &[HAND, ROW],
        shows: &[
            figure(HAND, "looks").within(1.0, 9.0),
            figure(ROW, "numbers").is(256.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "compare",
        setup: &[Setup::Twin("way", 0.0), Setup::Set("numbers", 128.0)],
        when: |desk| desk.answers >= 3,
        points: &[HAND],
        shows: &[figure(HAND, "looks").within(1.0, 8.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[Setup::Alone, Setup::Set("numbers", 64.0)],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Desk>] = &[
    Challenge {
        id: "long",
        progress: |desk, _| Progress::of(f64::from(desk.last.unwrap_or(0)), 250.0),
        solution: &[
            Setup::Set("numbers", 256.0),
            Setup::Act("last", 0),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "quick",
        progress: |desk, _| Progress::of(f64::from(desk.quick), 20.0),
        solution: &[
            Setup::Set("way", 1.0),
            Setup::Set("numbers", 16.0),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "nine",
        progress: |desk, _| Progress::of(f64::from(halved(desk).unwrap_or(0)), 9.0),
        solution: &[
            Setup::Set("way", 1.0),
            Setup::Set("numbers", 256.0),
            Setup::Act("last", 0),
            Setup::Wait(Time::s(3)),
        ],
    },
];
