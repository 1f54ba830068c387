//! The story, its predictions, and things to try.

use super::model::{LOGINS, MEMORY, PLATFORM, REGISTER, RESULT, STRIP, Visits, row};
use super::people::{FAR, LISTED, REGISTERED};
use super::settings::{Ids, PEOPLE, Platform, Question};
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

/// Which of three numbers an answer is nearest to, from the largest to the smallest.
fn nearest(answer: u32) -> usize {
    match answer {
        40_000.. => 0,
        13_000.. => 1,
        _ => 2,
    }
}

pub(super) const STORY: &[Beat<Visits>] = &[
    Beat {
        id: "meet",
        points: &[LOGINS, STRIP, row(0)],
        shows: &[
            figure(LOGINS, "users").within(2_900.0, 3_500.0),
            figure(LOGINS, "logins").above(figure(LOGINS, "users")),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "count",
        when: |visits| visits.answered(Question::Today) && visits.query.count >= 1_000,
        points: &[row(0), RESULT, MEMORY],
        shows: &[
            figure(RESULT, "count").same(figure(LOGINS, "users"), 0.0),
            figure(RESULT, "rows").is(1.0),
            figure(MEMORY, "bitmap").within(8_000.0, 8_192.0),
        ],
        predict: Some(Prediction {
            id: "week",
            options: &["sum", "some", "same"],
            truth: |visits| visits.answers[Question::Any as usize].map(nearest),
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "week",
        setup: &[
            Setup::Set("question", 1.0),
            Setup::Set("days", 7.0),
            Setup::Set("platform", 0.0),
            Setup::Set("ids", 0.0),
            Setup::Set("share", 100.0),
        ],
        when: |visits| visits.answered(Question::Any),
        points: &[RESULT],
        shows: &[
            figure(RESULT, "rows").is(7.0),
            figure(RESULT, "count").within(22_700.0, 24_100.0),
            figure(RESULT, "mistaken").within(55_500.0, 57_100.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "every",
        setup: &[Setup::Set("question", 2.0)],
        when: |visits| visits.answered(Question::Every),
        points: &[RESULT],
        shows: &[
            figure(RESULT, "rows").is(7.0),
            figure(RESULT, "count").within(1_120.0, 1_400.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "platform",
        setup: &[Setup::Set("question", 0.0), Setup::Set("platform", 2.0)],
        when: |visits| visits.answered(Question::Today) && visits.query.count >= 100,
        points: &[row(0), PLATFORM, RESULT],
        shows: &[
            figure(RESULT, "rows").is(2.0),
            figure(row(0), "count").above(figure(RESULT, "count")),
            figure(RESULT, "count").at_least(100.0),
        ],
        predict: Some(Prediction {
            id: "zeros",
            options: &["all", "fewer", "more"],
            truth: |visits| {
                let inactive = visits.answers[Question::Inactive as usize]?;
                let zeros = visits.query.mistaken?;
                Some(match inactive {
                    _ if inactive == zeros => 0,
                    _ if inactive < zeros => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "zeros",
        setup: &[Setup::Set("question", 4.0), Setup::Set("platform", 0.0)],
        when: |visits| visits.answered(Question::Inactive),
        points: &[REGISTER, row(0), RESULT],
        shows: &[
            figure(RESULT, "mistaken").above(figure(RESULT, "count")),
            figure(REGISTER, "count").is(REGISTERED as f64),
        ],
        predict: Some(Prediction {
            id: "far",
            options: &["little", "far", "refused"],
            truth: |visits| {
                let grown = visits.today.bytes(Ids::Counted) == FAR / 8 + 1;
                (visits.growths > 0 && grown).then_some(1)
            },
            hides: &[],
        }),
    },
    Beat {
        id: "far",
        setup: &[
            Setup::Set("store", 0.0),
            Setup::Act("far", 0),
            Setup::Speed(0.02),
        ],
        when: |visits| visits.growths > 0 && visits.stall.is_none(),
        points: &[MEMORY, LOGINS],
        shows: &[
            figure(MEMORY, "bitmap").is((FAR / 8 + 1) as f64),
            figure(LOGINS, "waited").at_least(40.0),
            figure(LOGINS, "span").within(74.0, 76.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "twin",
        setup: &[
            Setup::Set("question", 0.0),
            Setup::Twin("ids", 2.0),
            Setup::Act("midnight", 0),
            Setup::Speed(2.0),
        ],
        when: |visits| {
            let counted = visits.answered(Question::Today) && visits.query.count >= 2_000;
            counted && !visits.today.far
        },
        points: &[MEMORY],
        shows: &[
            figure(MEMORY, "bitmap").within(8_000.0, 8_192.0),
            figure(MEMORY, "list").at_least(12_000.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[Setup::Alone, Setup::Speed(1.0)],
        when: |visits| visits.answered(Question::Today) && visits.query.count >= 1_000,
        points: &[MEMORY, RESULT],
        shows: &[
            figure(MEMORY, "list").above(figure(MEMORY, "bitmap")),
            figure(RESULT, "done").is(1.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Visits>] = &[
    Challenge {
        id: "back",
        progress: |visits, _| {
            let asked = visits.query.asked;
            let right = asked.question == Question::Fresh && asked.platform == Platform::Phone;
            let found = if right && visits.query.done {
                visits.query.count
            } else {
                0
            };
            Progress::of(found.into(), 1_000.0)
        },
        solution: &[
            Setup::Set("question", 3.0),
            Setup::Set("platform", 1.0),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "cheaper",
        progress: |visits, _| {
            let Some(day) = visits.days.front().filter(|day| day.whole && !day.far) else {
                return Progress::of(0.0, 1.0);
            };
            let people = u64::from(day.count);
            let bitmap = if people >= 1_000 && visits.knobs.ids == Ids::Counted {
                day.bytes(Ids::Counted)
            } else {
                0
            };
            Progress::of(bitmap as f64, (LISTED * people).max(1) as f64)
        },
        solution: &[Setup::Set("share", 20.0), Setup::Wait(Time::s(1))],
    },
    Challenge {
        id: "queue",
        progress: |visits, _| {
            // One that waits less is a step nearer.
            let near = visits
                .least
                .map_or(0.0, |least| 3.0 / f64::from(least.max(1)));
            Progress::of(near.min(1.0), 1.0)
        },
        solution: &[
            Setup::Set("pieces", 8.0),
            Setup::Act("billion", 0),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "nobody",
        progress: |visits, _| {
            let asked = visits.query.asked;
            let busy = visits
                .days
                .iter()
                .all(|day| day.whole && day.count >= 4_000);
            let right = asked.question == Question::Every && asked.platform == Platform::All;
            let missing = if right && busy && visits.query.done {
                PEOPLE.saturating_sub(visits.query.count)
            } else {
                0
            };
            Progress::of(missing.into(), (PEOPLE - 10).into())
        },
        solution: &[
            Setup::Set("question", 2.0),
            Setup::Set("days", 10.0),
            Setup::Set("share", 60.0),
            Setup::Wait(Time::s(4)),
        ],
    },
];
