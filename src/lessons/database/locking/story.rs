//! The story, its predictions, and things to try.

use super::model::{Bank, LONG, LONG_TIME, PAIR, RATE, account, worker};
use super::settings::{Deadlocks, Way};
use super::view::{LANES, WORK};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const ACCOUNT: PartId = PartId::one("account");
/// The account that two are sent to.
const THREE: PartId = account(PAIR);

/// Ways and rules, as their knobs have them.
const NO_LOCK: Setup = Setup::Set("way", 0.0);
const ASK: Setup = Setup::Set("way", 1.0);
const LATER: Setup = Setup::Set("way", 2.0);
const AFTER_WAIT: Setup = Setup::Set("deadlocks", 1.0);
const AT_ONCE: Setup = Setup::Set("deadlocks", 2.0);

fn tries(bank: &Bank) -> u32 {
    bank.long.map_or(0, |long| long.tries)
}

/// Who still works of those who have not gone for a coffee.
fn busy_beside_coffee(bank: &Bank) -> usize {
    let others = bank.team().filter(|hand| !bank.workers[*hand].coffee);
    others.filter(|hand| !bank.waits(*hand)).count()
}

pub(super) const STORY: &[Beat<Bank>] = &[
    Beat {
        id: "meet",
        points: &[ACCOUNT],
        shows: &[figure(RATE, "done").at_least(10.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "version",
        setup: &[
            NO_LOCK,
            Setup::Twin("way", 2.0),
            Setup::Act("pair", 0),
            Setup::Speed(0.1),
            Setup::Wait(Time::ms(400)),
        ],
        when: |bank| bank.pair == Some(2),
        points: &[THREE],
        shows: &[
            figure(THREE, "value").is(16.0),
            figure(THREE, "version").is(4.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "circle",
        setup: &[
            Setup::Alone,
            ASK,
            AFTER_WAIT,
            Setup::Act("circle", 0),
            Setup::Speed(0.1),
            Setup::Wait(Time::ms(100)),
        ],
        when: |bank| bank.in_circle(2) && bank.in_circle(5),
        points: &[worker(2), worker(5)],
        shows: &[
            figure(worker(2), "waits").is(1.0),
            figure(worker(5), "waits").is(1.0),
            figure(LANES, "circle").at_least(2.0),
        ],
        predict: Some(Prediction {
            id: "notice",
            options: &["all", "half", "none"],
            truth: |bank| {
                bank.worked_on.map(|n| match n {
                    0..=1 => 2,
                    2..=4 => 1,
                    _ => 0,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "notice",
        setup: &[Setup::Speed(0.25)],
        when: |bank| {
            let broken = bank.circles.iter().filter_map(|circle| circle.until);
            let mut ago = broken.map(|until| bank.now.since(until));
            bank.worked_on.is_some() && ago.any(|ago| ago >= Time::ms(100))
        },
        points: &[LANES],
        shows: &[figure(RATE, "undone").at_least(1.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "twin",
        setup: &[
            AT_ONCE,
            Setup::Twin("deadlocks", 1.0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(10)),
        ],
        when: |bank| bank.knobs.deadlocks == Deadlocks::AtOnce,
        points: &[RATE],
        shows: &[figure(RATE, "per_s").within(34.0, 50.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "order",
        setup: &[Setup::Alone, Setup::Set("order", 1.0), Setup::Speed(1.0)],
        when: |bank| bank.knobs.order && bank.ledger.done >= 200,
        points: &[RATE],
        shows: &[
            figure(RATE, "undone").is(0.0),
            figure(LANES, "circle").is(0.0),
        ],
        predict: Some(Prediction {
            id: "later",
            options: &["tenth", "quarter", "half"],
            truth: |bank| {
                let over = bank.knobs.way == Way::Later && bank.ledger.done >= 200;
                over.then(|| match bank.ledger.thrown_share() {
                    share if share < 0.15 => 0,
                    share if share < 0.4 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "later",
        setup: &[Setup::Set("order", 0.0), LATER, Setup::Speed(1.0)],
        when: |bank| bank.knobs.way == Way::Later && bank.ledger.done >= 200,
        points: &[WORK, RATE],
        shows: &[
            figure(WORK, "thrown").within(50.0, 64.0),
            figure(LANES, "waiting").is(0.0),
            figure(RATE, "per_s").within(37.0, 53.0),
        ],
        predict: Some(Prediction {
            id: "cores",
            options: &["forty", "half", "ten"],
            truth: |bank| {
                let two = bank.knobs.processors == 2 && bank.knobs.way == Way::Later;
                let per_s = bank
                    .per_s(bank.last_commit)
                    .filter(|_| two && bank.ledger.done >= 150);
                per_s.map(|per_s| match per_s {
                    n if n >= 30.0 => 0,
                    n if n >= 13.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "cores",
        setup: &[
            Setup::Set("processors", 2.0),
            Setup::Twin("way", 1.0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(10)),
        ],
        when: |bank| bank.knobs.processors == 2 && bank.ledger.done >= 150,
        points: &[RATE, WORK],
        shows: &[figure(RATE, "per_s").within(13.0, 22.0)],
        predict: Some(Prediction {
            id: "coffee",
            options: &["two", "half", "all"],
            truth: |bank| {
                let (since, _) = bank.coffee?;
                let busy = busy_beside_coffee(bank);
                let over = busy == 0 || bank.now.since(since) >= Time::ms(1_200);
                over.then(|| match bank.knobs.workers as usize - 1 - busy {
                    0..=2 => 0,
                    3..=5 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "coffee",
        setup: &[
            Setup::Alone,
            Setup::Set("processors", 8.0),
            ASK,
            Setup::Act("coffee", 0),
            Setup::Speed(0.3),
        ],
        when: |bank| bank.coffee.is_some() && busy_beside_coffee(bank) == 0,
        points: &[worker(0), LANES],
        shows: &[figure(LANES, "waiting").is(7.0)],
        predict: Some(Prediction {
            id: "long",
            options: &["first", "third", "never"],
            truth: |bank| {
                let long = bank.long.filter(|_| bank.knobs.way == Way::Later)?;
                match (long.took, long.tries) {
                    (Some(_), 1) => Some(0),
                    (Some(_), _) => Some(1),
                    (None, tries) => (tries >= 30).then_some(2),
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "long",
        setup: &[LATER, Setup::Act("long", 0), Setup::Speed(3.0)],
        when: |bank| tries(bank) >= 30,
        points: &[worker(LONG)],
        shows: &[figure(worker(LONG), "tries").at_least(30.0)],
        ..Beat::at_once()
    },
];

/// So many, if nothing but this was set.
fn so_many(n: f64, goal: f64, is: bool) -> Progress {
    Progress::of(if is { n } else { 0.0 }, goal)
}

pub(super) const CHALLENGES: &[Challenge<Bank>] = &[
    Challenge {
        id: "no-circle",
        progress: |bank, _| {
            let is = bank.knobs.way == Way::Ask && bank.ledger.undone == 0;
            let busy = bank.knobs.workers >= 8 && bank.knobs.accounts <= 16 && bank.knobs.rows >= 2;
            so_many(bank.ledger.done.into(), 400.0, is && busy)
        },
        solution: &[Setup::Set("order", 1.0), Setup::Wait(Time::s(12))],
    },
    Challenge {
        id: "coffee-proof",
        progress: |bank, _| {
            let done = bank
                .coffee
                .map_or(0, |coffee| bank.ledger.done.saturating_sub(coffee.1));
            let busy = bank.knobs.accounts <= 16 && bank.workers.iter().any(|one| one.coffee);
            so_many(done.into(), 150.0, busy && bank.knobs.way != Way::NoLock)
        },
        solution: &[
            Setup::Set("way", 2.0),
            Setup::Act("coffee", 0),
            Setup::Wait(Time::s(6)),
        ],
    },
    Challenge {
        id: "two-processors",
        progress: |bank, at| {
            let knobs = &bank.knobs;
            let same = (knobs.processors, knobs.accounts, knobs.compute) == (2, 16, 50.0);
            let is = same && knobs.rows >= 2 && knobs.way != Way::NoLock && bank.is_settled(at);
            so_many(bank.per_s(at).unwrap_or(0.0), 30.0, is)
        },
        solution: &[
            Setup::Set("processors", 2.0),
            Setup::Set("order", 1.0),
            Setup::Wait(Time::s(13)),
        ],
    },
    Challenge {
        id: "long-and-short",
        progress: |bank, _| {
            let done = bank
                .long
                .filter(|long| long.took.is_some_and(|took| took <= LONG_TIME));
            let is = bank.knobs.way != Way::NoLock;
            so_many(done.map_or(0.0, |long| long.others.into()), 12.0, is)
        },
        solution: &[
            Setup::Set("order", 1.0),
            Setup::Wait(Time::s(1)),
            Setup::Act("long", 0),
            Setup::Wait(Time::s(3)),
        ],
    },
    Challenge {
        id: "standstill",
        progress: |bank, at| {
            let sleeps = bank.by_hand || bank.knobs.compute >= 200.0;
            let still = at.since(bank.last_commit).as_s();
            so_many(still, 5.0, !sleeps)
        },
        solution: &[Setup::Set("deadlocks", 0.0), Setup::Wait(Time::s(30))],
    },
];
