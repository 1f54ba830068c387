//! The story, its predictions, and things to try.

use super::model::{BEAM, Bank, COORDINATOR, SCRIPT, STRIP, disk, memory};
use super::program::{A, B, C};
use super::settings::{AfterError, Design, Program};
use super::world::Told;
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

/// A little faster than it opens.
const BRISK: Setup = Setup::Speed(0.75);
const NEVER: f64 = 0.0;
const AT_ONCE: f64 = 2.0;

fn value(bank: &Bank, key: (u8, u8)) -> i64 {
    bank.world.seen_row(key).map_or(0, |row| row.value)
}

/// The power has failed in this run, all have restarted, and what is left has been judged.
fn restarted(bank: &Bank) -> bool {
    bank.world.crashed && bank.judged().is_some()
}

fn swept(bank: &Bank) -> bool {
    bank.knobs.design == Design::One && bank.trying.is_none() && bank.torn().1 == bank.strip.len()
}

fn undone(bank: &Bank) -> bool {
    restarted(bank) && bank.undone() > 0
}

/// A transaction in which a statement failed was committed all the same, or not.
fn failed(bank: &Bank) -> bool {
    let broken = bank
        .world
        .told
        .iter()
        .any(|told| matches!(told, Told::Broken(_)));
    broken && bank.judged().is_some() && bank.knobs.design == Design::One
}

/// For how long a bank has been in doubt.
fn doubt(bank: &Bank) -> Time {
    let since = bank.world.doubt_since;
    since.map_or(Time::ZERO, |since| bank.world.now.since(since))
}

pub(super) const STORY: &[Beat<Bank>] = &[
    Beat {
        id: "meet",
        points: &[SCRIPT, BEAM],
        shows: &[
            figure(BEAM, "there").is(10.0),
            figure(memory(0), "p0").is(5.0),
            figure(memory(0), "p1").is(4.0),
            figure(memory(0), "p2").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "between",
        // Before the second statement reaches the database.
        setup: &[Setup::Set("writer", NEVER), Setup::Act("crash", 5)],
        when: restarted,
        points: &[BEAM, memory(0)],
        shows: &[
            figure(BEAM, "there").is(5.0),
            figure(memory(0), "p0").is(5.0),
            figure(memory(0), "p1").is(0.0),
            figure(SCRIPT, "failed").is(0.0),
        ],
        predict: Some(Prediction {
            id: "places",
            options: &["none", "one", "as-many"],
            truth: |bank| {
                swept(bank).then(|| match bank.torn().0 {
                    0 => 0,
                    1 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "sweep",
        setup: &[
            Setup::Set("design", 1.0),
            Setup::Speed(0.5),
            Setup::Act("every", 0),
        ],
        when: swept,
        points: &[STRIP],
        shows: &[
            figure(STRIP, "torn").is(0.0),
            figure(STRIP, "tried").is(16.0),
        ],
        predict: Some(Prediction {
            id: "undo",
            options: &["five", "ten", "unknown"],
            truth: |bank| {
                undone(bank).then(|| match value(bank, A) {
                    5 => 0,
                    10 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "undo",
        // Before the deposit reaches the database.
        setup: &[Setup::Set("writer", AT_ONCE), BRISK, Setup::Act("crash", 7)],
        when: undone,
        points: &[disk(0), memory(0)],
        shows: &[
            figure(disk(0), "d0").is(5.0),
            figure(memory(0), "p0").is(10.0),
            figure(disk(0), "undone").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "redo",
        // After all events of the run.
        setup: &[Setup::Set("writer", NEVER), BRISK, Setup::Act("crash", 15)],
        when: |bank| restarted(bank) && bank.redone() > 0 && bank.undone() == 0,
        points: &[disk(0), memory(0)],
        shows: &[
            figure(disk(0), "d0").is(10.0),
            figure(memory(0), "p0").is(5.0),
            figure(disk(0), "redone").is(3.0),
        ],
        predict: Some(Prediction {
            id: "error",
            options: &["ten", "five", "locked"],
            truth: |bank| {
                (failed(bank) && bank.knobs.error == AfterError::Fails).then(|| {
                    match (bank.world.banks[0].is_locked(A), value(bank, A)) {
                        (true, _) => 2,
                        (_, 10) => 0,
                        _ => 1,
                    }
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "error",
        setup: &[
            Setup::Twin("error", 1.0),
            BRISK,
            Setup::Act("close", 0),
            // Until the twin is through as well.
            Setup::Wait(Time::ms(2_200)),
        ],
        when: |bank| failed(bank) && value(bank, A) == 10,
        points: &[SCRIPT, BEAM],
        shows: &[
            figure(SCRIPT, "failed").is(1.0),
            figure(memory(0), "p0").is(10.0),
            figure(BEAM, "there").is(10.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "savepoint",
        setup: &[
            Setup::Alone,
            Setup::Set("savepoint", 1.0),
            BRISK,
            Setup::Act("close", 0),
        ],
        when: |bank| failed(bank) && value(bank, C) == 4,
        points: &[SCRIPT, memory(0)],
        shows: &[
            figure(memory(0), "p0").is(5.0),
            figure(memory(0), "p1").is(0.0),
            figure(memory(0), "p3").is(4.0),
            figure(BEAM, "there").is(10.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "rules",
        setup: &[
            Setup::Set("savepoint", 0.0),
            Setup::Set("program", 2.0),
            BRISK,
        ],
        when: |bank| {
            bank.knobs.program == Program::Close
                && bank.judged().is_some_and(|one| one.done == Some(1))
        },
        points: &[SCRIPT, memory(0)],
        shows: &[
            figure(memory(0), "p1").is(3.0),
            figure(memory(0), "p2").is(6.0),
            figure(memory(0), "p3").is(3.0),
            figure(BEAM, "there").is(3.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "two",
        // Before the second bank hears of COMMIT.
        setup: &[
            Setup::Set("program", 0.0),
            Setup::Twin("design", 2.0),
            Setup::Set("design", 3.0),
            Setup::Speed(1.0),
            Setup::Act("crash", 15),
            Setup::Wait(Time::ms(4_800)),
        ],
        when: |bank| bank.knobs.design == Design::TwoPhase && restarted(bank),
        points: &[BEAM],
        shows: &[
            figure(BEAM, "there").is(10.0),
            figure(memory(0), "p0").is(10.0),
            figure(memory(1), "p1").is(0.0),
        ],
        predict: Some(Prediction {
            id: "doubt",
            options: &["commit", "abort", "waits"],
            truth: |bank| {
                (doubt(bank) >= Time::s(3)).then(|| match bank.world.parts[0].decided() {
                    Some(true) => 0,
                    Some(false) => 1,
                    None => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "doubt",
        setup: &[Setup::Alone, Setup::Speed(1.0), Setup::Act("kill", 0)],
        when: |bank| doubt(bank) >= Time::s(3),
        points: &[COORDINATOR, memory(0), memory(1)],
        shows: &[
            figure(COORDINATOR, "doubt").at_least(3.0),
            figure(COORDINATOR, "up").is(0.0),
            figure(memory(0), "doubt").is(1.0),
            figure(memory(1), "doubt").is(1.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Bank>] = &[
    Challenge {
        id: "one",
        progress: |bank, _| {
            let torn = bank.judged().is_some_and(|one| one.done.is_none());
            let (there, ought) = bank.world.balance();
            let transfer = bank.knobs.program == Program::Transfer;
            Progress::all(torn && transfer && there == ought - 1)
        },
        solution: &[
            Setup::Set("writer", NEVER),
            Setup::Act("crash", 10),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "half",
        progress: |bank, _| {
            let torn = bank.judged().is_some_and(|one| one.done.is_none());
            let world = &bank.world;
            let closed = world.seen_row(B).is_some_and(|row| row.closed);
            Progress::all(torn && world.answered > 0 && !world.crashed && !closed)
        },
        solution: &[
            Setup::Set("design", 1.0),
            Setup::Set("program", 2.0),
            Setup::Set("children", 0.0),
            Setup::Set("error", 1.0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "both",
        progress: |bank, _| {
            let whole = bank.judged().and_then(|one| one.done).unwrap_or(0);
            let (redone, undone) = (bank.redone(), bank.undone());
            Progress::all(restarted(bank) && whole > 0 && redone > 0 && undone > 0)
        },
        solution: &[
            Setup::Set("transfers", 2.0),
            Setup::Set("writer", NEVER),
            Setup::Set("design", 1.0),
            Setup::Wait(Time::ms(2_300)),
            Setup::Set("writer", AT_ONCE),
            Setup::Wait(Time::ms(600)),
            Setup::Act("plug", 0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "stuck",
        progress: |bank, _| Progress::of(doubt(bank).as_s(), 10.0),
        solution: &[
            Setup::Set("design", 3.0),
            Setup::Act("kill", 0),
            Setup::Wait(Time::s(15)),
        ],
    },
];
