//! The story, its two predictions, and things to try.

use super::model::{CABLE_PART, CLIENTS, Cut, Partition, RECEIPTS, replica_part};
use super::replica::{Reconcile, Rule};
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const CP: f64 = 0.0;
const AP: f64 = 1.0;
const LAST: f64 = 0.0;
const BOTH: f64 = 1.0;
/// The account among the things.
const ACCOUNT: usize = 0;
const PHOTO: usize = 1;
const ANA: usize = 0;
const BEN: usize = 1;
/// All replicas.
const REPLICAS: PartId = PartId::one("replica");

fn alone(model: &Partition) -> bool {
    model.rule(ACCOUNT) != Rule::Majority
}

/// The cut that lasts.
fn cut(model: &Partition) -> Option<Cut> {
    model.watch.cut.filter(|cut| cut.healed.is_none())
}

/// The last cut, once it is over and all replicas agree again.
fn healed(model: &Partition) -> Option<Cut> {
    model
        .watch
        .cut
        .filter(|cut| cut.healed.is_some() && model.in_step())
}

/// Whether the last that a client heard is that there is no answer.
fn told_no(model: &Partition, site: usize) -> bool {
    model.clients[site]
        .last
        .is_some_and(|(_, _, ending, ..)| ending.failed())
}

/// Whether both clients changed the account while the cable was cut.
fn both_wrote(cut: &Cut) -> bool {
    cut.wrote[ACCOUNT].iter().all(|wrote| *wrote > 0)
}

pub(super) const STORY: &[Beat<Partition>] = &[
    Beat {
        id: "meet",
        setup: &[],
        when: |_| true,
        points: &[],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "vote",
        setup: &[
            Setup::Set("choice", CP),
            Setup::Act("heal", 0),
            Setup::Act("ben", 0),
        ],
        when: |model| model.watch.by_hand[BEN] >= 1,
        points: &[CLIENTS[BEN], CABLE_PART],
        shows: &[],
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
            Setup::Set("choice", CP),
            Setup::Act("cut", 0),
            Setup::Act("ana", 0),
            Setup::Act("ben", 0),
        ],
        when: |model| {
            let split = |cut: Cut| cut.wrote[ACCOUNT][ANA] > 0 && cut.refused[ACCOUNT][BEN] > 0;
            told_no(model, BEN) && cut(model).is_some_and(split)
        },
        points: &[CLIENTS[BEN], replica_part(3), replica_part(4)],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "compare",
        setup: &[Setup::Twin("choice", AP)],
        when: |model| {
            told_no(model, BEN)
                && cut(model)
                    .is_some_and(|cut| cut.refused[ACCOUNT][BEN] + cut.refused[PHOTO][BEN] >= 4)
        },
        points: &[CLIENTS[BEN], REPLICAS],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "heal",
        setup: &[Setup::Act("heal", 0)],
        when: |model| healed(model).is_some(),
        points: &[CABLE_PART, REPLICAS],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "alone",
        setup: &[
            Setup::Alone,
            Setup::Set("choice", AP),
            Setup::Set("reconcile", LAST),
        ],
        when: |model| {
            alone(model) && model.cut.is_none() && model.watch.alone >= 2 && model.in_step()
        },
        points: &[CLIENTS[ANA], CLIENTS[BEN]],
        shows: &[],
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
            Setup::Act("cut", 0),
            Setup::Act("ana", 0),
            Setup::Act("ben", 0),
        ],
        when: |model| {
            // A moment later, when both have their money and each city agrees with itself.
            let settled = |cut: Cut| both_wrote(&cut) && model.now.since(cut.at) >= Time::ms(600);
            alone(model) && cut(model).is_some_and(settled)
        },
        points: &[replica_part(0), replica_part(3)],
        shows: &[],
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
        points: &[RECEIPTS],
        shows: &[],
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
            // Not before both cities show both values.
            let shown = |city: usize| {
                let mut own = model
                    .replicas
                    .iter()
                    .enumerate()
                    .filter(|(_, r)| r.site == city);
                own.any(|(i, _)| model.keeps_both(i, ACCOUNT))
            };
            model.rule(ACCOUNT) == Rule::Alone(Reconcile::Both) && shown(ANA) && shown(BEN)
        },
        points: &[REPLICAS],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "yours",
        setup: &[Setup::Speed(0.25)],
        when: |model| !model.in_conflict(ACCOUNT),
        points: &[],
        shows: &[],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<Partition>] = &[
    Challenge {
        id: "nobody",
        progress: |model, _| {
            Progress::all({
                model.watch.cut.is_some_and(|cut| {
                    !cut.alone
                        && cut.refused[ACCOUNT].iter().all(|refused| *refused > 0)
                        && cut.wrote[ACCOUNT] == [0, 0]
                })
            })
        },
        solution: &[],
    },
    Challenge {
        id: "quick",
        progress: |model, _| Progress::all(model.watch.quick >= 4),
        solution: &[],
    },
    Challenge {
        id: "slow",
        progress: |model, _| Progress::all(model.watch.refused_whole >= 1),
        solution: &[],
    },
    Challenge {
        id: "overdraw",
        progress: |model, _| Progress::all(model.watch.overdrawn),
        solution: &[],
    },
    Challenge {
        id: "each",
        progress: |model, _| {
            Progress::all({
                healed(model).is_some_and(|cut| {
                    cut.healed
                        .is_some_and(|healed| healed.since(cut.at) >= Time::s(5))
                        && cut.refused[ACCOUNT] != [0, 0]
                        && !both_wrote(&cut)
                        && cut.refused[PHOTO] == [0, 0]
                        && cut.wrote[PHOTO].iter().all(|wrote| *wrote >= 2)
                        && model.lost(PHOTO) == cut.lost[PHOTO]
                })
            })
        },
        solution: &[],
    },
];
