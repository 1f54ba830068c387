//! The story, its predictions, and things to try.

use super::model::{MATRIX, Meeting, lane, row};
use super::settings::{Base, Pair, Rung};
use super::view::ORDER;
use algorithms::isolation::Reason;
use algorithms::isolation::programs::{Phase, Verdict};
use algorithms::isolation::scenarios::{FIRST, SECOND};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup};

const T1: PartId = lane(0);
const T2: PartId = lane(1);
const A: PartId = row(FIRST);
const B: PartId = row(SECOND);

/// All was played to the end under these settings.
fn played(meeting: &Meeting, scenario: Pair, level: Rung) -> bool {
    meeting.is_played() && meeting.knobs.scenario == scenario && meeting.knobs.level == level
}

/// So many of twenty orders came out so, all of them played after the last turn of a knob.
fn swept(meeting: &Meeting, is: bool, verdict: Verdict, goal: f64) -> Progress {
    let now = match meeting.swept && is {
        true => meeting.here(verdict) as f64,
        false => 0.0,
    };
    Progress::of(now, goal)
}

pub(super) const STORY: &[Beat<Meeting>] = &[
    Beat {
        id: "meet",
        points: &[T1, T2],
        shows: &[figure(T1, "read").is(100.0), figure(T2, "read").is(100.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "lost",
        setup: &[Setup::Act("again", 0), Setup::Speed(1.0)],
        when: |meeting| played(meeting, Pair::Withdrawals, Rung::Committed),
        points: &[A, ORDER],
        shows: &[
            figure(A, "value").is(90.0),
            figure(T1, "committed").is(1.0),
            figure(T2, "committed").is(1.0),
            figure(ORDER, "wrong").is(1.0),
        ],
        predict: Some(Prediction {
            id: "how-many",
            options: &["two", "ten", "eighteen"],
            truth: |meeting| {
                let rule = meeting.knobs.level == Rung::Committed;
                (rule && meeting.all_shown()).then(|| match meeting.here(Verdict::Right) {
                    0..=5 => 0,
                    6..=14 => 1,
                    _ => 2,
                })
            },
            hides: &[MATRIX],
        }),
    },
    Beat {
        id: "sweep",
        setup: &[Setup::Act("all", 0), Setup::Speed(1.0)],
        when: |meeting| meeting.swept,
        points: &[MATRIX],
        shows: &[
            figure(MATRIX, "right").is(2.0),
            figure(MATRIX, "wrong").is(18.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "snapshot",
        setup: &[Setup::Set("level", 2.0), Setup::Speed(1.0)],
        when: |meeting| played(meeting, Pair::Withdrawals, Rung::Repeatable),
        points: &[T2, A],
        shows: &[
            figure(T2, "refused").is(1.0),
            figure(T1, "committed").is(1.0),
            figure(A, "value").is(90.0),
        ],
        predict: Some(Prediction {
            id: "same-name",
            options: &["eighty", "ninety", "refused"],
            truth: |meeting| {
                let mysql = meeting.knobs.database == Base::Mysql;
                let over = mysql && played(meeting, Pair::Withdrawals, Rung::Repeatable);
                let refused = meeting.play.sessions.iter().any(|one| one.refused > 0);
                over.then(|| match meeting.value(FIRST) {
                    _ if refused => 2,
                    Some(80) => 0,
                    _ => 1,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "name",
        setup: &[
            Setup::Twin("database", 0.0),
            Setup::Set("database", 1.0),
            Setup::Act("again", 0),
            Setup::Speed(1.0),
        ],
        when: |meeting| {
            meeting.knobs.database == Base::Mysql
                && played(meeting, Pair::Withdrawals, Rung::Repeatable)
        },
        points: &[A, T2],
        shows: &[
            figure(A, "value").is(90.0),
            figure(T1, "committed").is(1.0),
            figure(T2, "committed").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "report",
        setup: &[
            Setup::Set("database", 0.0),
            Setup::Set("scenario", 1.0),
            Setup::Set("order", 10.0),
            Setup::Twin("level", 2.0),
            Setup::Set("level", 1.0),
            Setup::Act("again", 0),
            Setup::Speed(1.0),
        ],
        when: |meeting| played(meeting, Pair::Report, Rung::Committed),
        points: &[T1, B],
        shows: &[
            figure(T1, "sum").is(150.0),
            figure(A, "value").is(150.0),
            figure(B, "value").is(50.0),
        ],
        predict: Some(Prediction {
            id: "doctors",
            options: &["one", "none", "luck"],
            truth: |meeting| {
                let over = played(meeting, Pair::Doctors, Rung::Repeatable);
                let on = [FIRST, SECOND].map(|id| meeting.value(id) == Some(1));
                over.then(|| usize::from(!on.contains(&true)))
            },
            hides: &[],
        }),
    },
    Beat {
        id: "skew",
        setup: &[
            Setup::Alone,
            Setup::Set("level", 2.0),
            Setup::Set("order", 6.0),
            Setup::Set("scenario", 5.0),
            Setup::Speed(1.0),
        ],
        when: |meeting| played(meeting, Pair::Doctors, Rung::Repeatable),
        points: &[A, B],
        shows: &[
            figure(A, "value").is(0.0),
            figure(B, "value").is(0.0),
            figure(T1, "committed").is(1.0),
            figure(T2, "committed").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "serial",
        setup: &[
            Setup::Set("level", 3.0),
            Setup::Act("all", 0),
            Setup::Speed(1.0),
        ],
        when: |meeting| meeting.swept,
        points: &[MATRIX],
        shows: &[
            figure(MATRIX, "wrong").is(0.0),
            figure(MATRIX, "refused").is(18.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "fix",
        setup: &[
            Setup::Set("level", 1.0),
            Setup::Set("scenario", 0.0),
            Setup::Set("fix", 1.0),
            Setup::Act("all", 0),
            Setup::Speed(1.0),
        ],
        when: |meeting| meeting.swept,
        points: &[MATRIX, T1],
        shows: &[
            figure(MATRIX, "right").is(20.0),
            figure(MATRIX, "wrong").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[Setup::Set("fix", 0.0), Setup::Speed(1.0)],
        points: &[ORDER, MATRIX],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Meeting>] = &[
    Challenge {
        id: "green",
        progress: |meeting, _| {
            let knobs = &meeting.knobs;
            let default = knobs.database == Base::Mysql && knobs.level == Rung::Repeatable;
            let is = default && knobs.scenario == Pair::Withdrawals;
            swept(meeting, is, Verdict::Right, 20.0)
        },
        solution: &[
            Setup::Set("database", 1.0),
            Setup::Set("level", 2.0),
            Setup::Set("fix", 2.0),
            Setup::Act("all", 0),
            Setup::Wait(engine::Time::s(6)),
        ],
    },
    Challenge {
        id: "three",
        progress: |meeting, _| {
            let twenty = meeting.orders.len() == 20;
            Progress::all(meeting.swept && twenty && meeting.here(Verdict::Wrong) == 3)
        },
        solution: &[
            Setup::Set("scenario", 1.0),
            Setup::Set("level", 1.0),
            Setup::Act("all", 0),
            Setup::Wait(engine::Time::s(6)),
        ],
    },
    Challenge {
        id: "nobody",
        progress: |meeting, _| {
            let is = meeting.knobs.scenario == Pair::Doctors;
            swept(meeting, is, Verdict::Right, 20.0)
        },
        solution: &[
            Setup::Set("scenario", 5.0),
            Setup::Set("fix", 2.0),
            Setup::Act("all", 0),
            Setup::Wait(engine::Time::s(6)),
        ],
    },
    Challenge {
        id: "deadlock",
        progress: |meeting, _| {
            let refused = |reason| meeting.play.sessions.iter().any(|one| one.phase == reason);
            let circle = refused(Phase::Refused(Some(Reason::Deadlock)));
            Progress::all(meeting.deadlock && circle)
        },
        solution: &[
            Setup::Set("scenario", 5.0),
            Setup::Set("database", 1.0),
            Setup::Set("level", 3.0),
            Setup::Wait(engine::Time::s(8)),
        ],
    },
];
