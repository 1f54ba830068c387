//! The story, its two predictions, and things to try.

use super::model::{CABLE_PART, CLIENTS, Cut, Partition, RECEIPTS, VERSIONS, Want, replica_part};
use super::replica::{Reconcile, Rule};
use engine::claim::{Figure, figure};
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const CP: f64 = 0.0;
const AP: f64 = 1.0;
const EACH: f64 = 2.0;
const LAST: f64 = 0.0;
const BOTH: f64 = 1.0;
const COUNTER: f64 = 2.0;
/// The account among the things.
const ACCOUNT: usize = 0;
const PHOTO: usize = 1;
const ANA: usize = 0;
const BEN: usize = 1;
/// All replicas.
const REPLICAS: PartId = PartId::one("replica");
/// The first replica of each city, as the first knobs have them.
const MUMBAI: PartId = replica_part(0);
const VIRGINIA: PartId = replica_part(3);
/// What all receipts add up to, and how many writes are in no copy.
const SUM: Figure = figure(RECEIPTS, "balance");
const LOST: Figure = figure(RECEIPTS, "lost");
const APART: Figure = figure(RECEIPTS, "apart");

fn alone(model: &Partition) -> bool {
    model.rule(ACCOUNT) != Rule::Majority
}

/// The cut that lasts.
fn cut(model: &Partition) -> Option<Cut> {
    model.watch.cut.filter(|cut| cut.healed.is_none())
}

/// The last cut, once it is over and all replicas agree again.
fn healed(model: &Partition) -> Option<Cut> {
    let over = |cut: &Cut| cut.healed.is_some() && model.in_step();
    model.watch.cut.filter(over)
}

/// Whether the last that Ben heard is that his withdrawal has no majority.
fn ben_is_refused(model: &Partition) -> bool {
    model.clients[BEN]
        .last
        .is_some_and(|(_, want, ending, ..)| {
            ending.failed() && matches!(want, Want::Change(change) if change < -20)
        })
}

/// Whether both clients changed the account while the cable was cut.
fn both_wrote(cut: &Cut) -> bool {
    cut.wrote[ACCOUNT].iter().all(|wrote| *wrote > 0)
}

/// Whether the last answer of both clients came without a vote.
fn both_quick(model: &Partition) -> bool {
    model.clients.iter().all(|client| {
        let quick = |took: Time| took < Time::ms(200);
        client.answered > 0 && client.last.is_some_and(|(.., took)| quick(took))
    })
}

pub(super) const STORY: &[Beat<Partition>] = &[
    Beat {
        id: "meet",
        shows: &[
            figure(MUMBAI, "balance").at_least(1.0),
            figure(VIRGINIA, "balance").at_least(1.0),
            LOST.is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "vote",
        setup: &[
            Setup::Speed(0.5),
            Setup::Set("choice", CP),
            Setup::Act("heal", 0),
            Setup::Act("ben", 0),
        ],
        when: |model| model.watch.by_hand[BEN] >= 1,
        points: &[CLIENTS[BEN], CABLE_PART],
        shows: &[
            figure(CLIENTS[BEN], "wait").at_least(0.8),
            figure(CLIENTS[BEN], "failed").is(0.0),
        ],
        predict: Some(Prediction {
            id: "cut",
            options: &["both", "ana", "nobody"],
            hides: &[],
            truth: |model| {
                let cut = model.watch.cut.filter(|cut| !cut.alone)?;
                let tried = |site: usize| cut.wrote[ACCOUNT][site] + cut.refused[ACCOUNT][site] > 0;
                if !(tried(ANA) && tried(BEN)) {
                    return None;
                }
                Some(match cut.wrote[ACCOUNT].map(|wrote| wrote > 0) {
                    [true, true] => 0,
                    [false, false] => 2,
                    _ => 1,
                })
            },
        }),
    },
    Beat {
        id: "refuse",
        setup: &[
            // A vote waits two seconds for its majority.
            Setup::Speed(0.5),
            Setup::Set("choice", CP),
            Setup::Act("cut", 0),
            Setup::Act("ana", 0),
            Setup::Act("ben", 0),
        ],
        when: |model| {
            let split = |cut: Cut| cut.wrote[ACCOUNT][ANA] > 0 && cut.refused[ACCOUNT][BEN] > 0;
            ben_is_refused(model) && cut(model).is_some_and(split)
        },
        points: &[CLIENTS[BEN], VIRGINIA, replica_part(4)],
        shows: &[
            figure(CLIENTS[ANA], "failed").is(0.0),
            figure(CLIENTS[BEN], "failed").at_least(1.0),
            figure(MUMBAI, "behind").is(0.0),
            figure(VIRGINIA, "behind").at_least(1.0),
        ],
        predict: None,
    },
    Beat {
        id: "compare",
        setup: &[
            Setup::Speed(0.25),
            Setup::Twin("choice", AP),
            Setup::Wait(Time::ms(800)),
        ],
        when: |model| model.clients[BEN].failed > 0 && cut(model).is_some(),
        points: &[CLIENTS[BEN], REPLICAS],
        shows: &[
            figure(CLIENTS[BEN], "failed").at_least(1.0),
            figure(VIRGINIA, "behind").at_least(1.0),
        ],
        predict: None,
    },
    Beat {
        id: "heal",
        setup: &[Setup::Alone, Setup::Speed(0.5), Setup::Act("heal", 0)],
        when: |model| {
            let asked_before = |cut: Cut| {
                let healed = cut.healed.unwrap_or(model.now);
                model.requests.values().any(|one| one.issued < healed)
            };
            let answered = model.clients[BEN]
                .last
                .is_some_and(|(_, _, ending, at, _)| {
                    !ending.failed() && model.watch.cut.is_some_and(|cut| cut.healed <= Some(at))
                });
            answered && healed(model).is_some_and(|cut| !asked_before(cut))
        },
        points: &[CLIENTS[BEN], VIRGINIA, replica_part(4)],
        shows: &[
            LOST.is(0.0),
            APART.is(0.0),
            SUM.same(figure(VIRGINIA, "balance"), 0.0),
        ],
        predict: None,
    },
    Beat {
        id: "alone",
        setup: &[
            Setup::Alone,
            Setup::Speed(0.5),
            Setup::Set("choice", AP),
            Setup::Set("reconcile", LAST),
        ],
        when: |model| {
            let whole = alone(model) && model.cut.is_none();
            whole && model.watch.alone >= 1 && both_quick(model) && model.in_step()
        },
        points: &[CLIENTS[ANA], CLIENTS[BEN]],
        shows: &[
            figure(CLIENTS[ANA], "wait").at_most(0.2),
            figure(CLIENTS[BEN], "wait").at_most(0.2),
            APART.is(0.0),
        ],
        predict: Some(Prediction {
            id: "merge",
            options: &["both", "one", "none"],
            hides: &[],
            truth: |model| {
                let cut = healed(model).filter(|cut| cut.alone && both_wrote(cut))?;
                Some(usize::from(model.lost(ACCOUNT) > cut.lost[ACCOUNT]))
            },
        }),
    },
    Beat {
        id: "apart",
        setup: &[
            Setup::Speed(0.25),
            Setup::Act("cut", 0),
            Setup::Act("ana", 0),
            Setup::Act("ben", 0),
        ],
        when: |model| {
            // A moment later, when both have their money and each city agrees with itself.
            let settled = |cut: Cut| both_wrote(&cut) && model.now.since(cut.at) >= Time::ms(600);
            alone(model) && cut(model).is_some_and(settled)
        },
        points: &[MUMBAI, VIRGINIA],
        shows: &[
            figure(VIRGINIA, "balance").above(figure(MUMBAI, "balance")),
            figure(MUMBAI, "behind").at_least(1.0),
            figure(VIRGINIA, "behind").at_least(1.0),
        ],
        predict: None,
    },
    Beat {
        id: "lost",
        setup: &[Setup::Act("heal", 0)],
        // A moment after the cable is whole, so that the copies have been seen to cross it.
        when: |model| {
            let crossed = |whole: Time| model.now.since(whole) >= Time::s(1);
            healed(model).is_some_and(|cut| {
                model.lost(ACCOUNT) > cut.lost[ACCOUNT] && cut.healed.is_some_and(crossed)
            })
        },
        points: &[RECEIPTS, REPLICAS],
        shows: &[
            LOST.at_least(1.0),
            figure(MUMBAI, "balance").above(SUM),
            figure(MUMBAI, "balance").same(figure(VIRGINIA, "balance"), 0.0),
        ],
        predict: None,
    },
    Beat {
        id: "both",
        setup: &[
            // The copies cross in a fifth of a second: slower, so that they are seen to meet.
            Setup::Speed(0.1),
            Setup::Set("choice", AP),
            Setup::Set("reconcile", BOTH),
            Setup::Act("ana", 0),
            Setup::Act("ben", 0),
        ],
        when: |model| {
            // Not before all replicas show both values.
            let all = (0..model.replicas.len()).all(|index| model.keeps_both(index, ACCOUNT));
            all && model.rule(ACCOUNT) == Rule::Alone(Reconcile::Both)
        },
        points: &[VERSIONS, REPLICAS],
        shows: &[
            figure(VERSIONS, "values").at_least(2.0),
            figure(MUMBAI, "values").at_least(2.0),
            figure(VIRGINIA, "values").at_least(2.0),
            LOST.is(0.0),
        ],
        predict: None,
    },
    Beat {
        id: "yours",
        setup: &[Setup::Speed(0.25), Setup::Act("ana", 0)],
        when: |model| !model.in_conflict(ACCOUNT) && model.in_step(),
        points: &[RECEIPTS, VERSIONS],
        shows: &[
            LOST.is(0.0),
            figure(VERSIONS, "values").is(1.0),
            SUM.same(figure(MUMBAI, "balance"), 0.0),
            SUM.same(figure(VIRGINIA, "balance"), 0.0),
        ],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<Partition>] = &[
    Challenge {
        id: "nobody",
        progress: |model, _| {
            let nobody = |cut: &Cut| !cut.alone && cut.wrote[ACCOUNT] == [0, 0];
            let cities = model.watch.cut.filter(nobody).map_or(0, |cut| {
                let refused = cut.refused[ACCOUNT].iter();
                refused.filter(|refused| **refused > 0).count()
            });
            Progress::of(cities as f64, 2.0)
        },
        solution: &[
            Setup::Set("mumbai", 2.0),
            Setup::Act("cut", 0),
            Setup::Wait(Time::s(3)),
            Setup::Act("ana", 0),
            Setup::Act("ben", 0),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "quick",
        progress: |model, _| Progress::of(f64::from(model.watch.quick), 4.0),
        solution: &[
            Setup::Set("mumbai", 1.0),
            Setup::Set("virginia", 3.0),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "slow",
        progress: |model, _| Progress::all(model.watch.refused_whole >= 1),
        solution: &[Setup::Set("delay", 1_000.0), Setup::Wait(Time::s(20))],
    },
    Challenge {
        id: "overdraw",
        // In dollars that are gone of those that the account opened with.
        progress: |model, _| match model.watch.overdrawn {
            true => Progress::all(true),
            false => Progress::of((600 - model.watch.least).clamp(0, 600) as f64, 601.0),
        },
        solution: &[
            Setup::Set("choice", AP),
            Setup::Set("reconcile", COUNTER),
            Setup::Act("cut", 0),
            Setup::Act("ana", 0),
            Setup::Act("ana", 0),
            Setup::Act("ana", 0),
            Setup::Act("ana", 0),
            Setup::Act("ana", 0),
            Setup::Act("ben", 0),
            Setup::Act("ben", 0),
            Setup::Act("ben", 0),
            Setup::Act("ben", 0),
            Setup::Act("ben", 0),
            Setup::Act("ben", 0),
            Setup::Wait(Time::s(1)),
            Setup::Act("heal", 0),
            Setup::Wait(Time::s(3)),
        ],
    },
    Challenge {
        id: "each",
        // The five seconds of the cut, and one for having healed it with all in step.
        progress: |model, _| {
            let kept = |cut: &Cut| {
                !both_wrote(cut)
                    && cut.refused[PHOTO] == [0, 0]
                    && model.lost(PHOTO) == cut.lost[PHOTO]
            };
            let seconds = model.watch.cut.filter(kept).map_or(0.0, |cut| {
                let lasted = cut.healed.unwrap_or(model.now).since(cut.at);
                let over = healed(model).is_some()
                    && cut.refused[ACCOUNT] != [0, 0]
                    && cut.wrote[PHOTO].iter().all(|wrote| *wrote >= 2);
                lasted.as_s().min(5.0) + f64::from(u8::from(over))
            });
            Progress::of(seconds, 6.0)
        },
        solution: &[
            Setup::Set("choice", EACH),
            Setup::Set("reconcile", COUNTER),
            Setup::Wait(Time::s(1)),
            Setup::Act("cut", 0),
            Setup::Act("likes", 0),
            Setup::Act("ben", 0),
            Setup::Wait(Time::s(6)),
            Setup::Act("heal", 0),
            Setup::Wait(Time::s(8)),
        ],
    },
];
