//! The story, its two predictions, and things to try.

use super::model::{
    ConsistentHashing, DATABASE_PART, DIAL, NODES_MAX, Scheme, State, TALLY, What, index_of,
    node_part,
};
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const RING: f64 = 0.0;
const MOD_N: f64 = 1.0;
const OWNER: f64 = 0.0;
/// The node that joins in the story: the fourth.
const NEWCOMER: PartId = node_part(3);
/// All nodes.
const SHELVES: PartId = PartId::one("node");
/// The node that dies in the story: the second.
const VICTIM: usize = 1;

/// Whether the last change was of this kind and all its copies are made.
fn settled(model: &ConsistentHashing, what: What) -> bool {
    model
        .change
        .is_some_and(|change| change.what == what && change.settled.is_some())
}

fn joined(model: &ConsistentHashing, nodes: usize) -> bool {
    model.members().len() == nodes
        && model
            .change
            .is_some_and(|change| change.what == What::Joined)
}

pub(super) const STORY: &[Beat<ConsistentHashing>] = &[
    Beat {
        id: "meet",
        setup: &[],
        when: |_| true,
        points: &[DIAL],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "walk",
        setup: &[
            Setup::Set("scheme", RING),
            Setup::Set("nodes", 3.0),
            Setup::Set("points", 8.0),
            Setup::Set("keys", 48.0),
            Setup::Set("copies", 1.0),
            Setup::Set("load", 20.0),
            Setup::Set("reads", OWNER),
            Setup::Set("copy", 6.0),
        ],
        when: |model| model.served >= 30 && model.is_settled(),
        points: &[DIAL],
        shows: &[],
        predict: Some(Prediction {
            id: "join",
            options: &["most", "half", "quarter", "none"],
            hides: &[],
            truth: |model| {
                let change = model.change.filter(|change| change.what == What::Joined)?;
                change.settled?;
                Some(match change.moved_now() * 100 / change.keys.max(1) {
                    62.. => 0,
                    40.. => 1,
                    2.. => 2,
                    _ => 3,
                })
            },
        }),
    },
    Beat {
        id: "joining",
        setup: &[Setup::Set("nodes", 4.0)],
        // On a seed where the newcomer takes nothing there is no way to watch.
        when: |model| {
            let under_way = |since| model.now.since(since) >= Time::ms(900);
            joined(model, 4)
                && model
                    .change
                    .is_some_and(|change| under_way(change.at) || change.settled.is_some())
        },
        points: &[DIAL, NEWCOMER],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "joined",
        setup: &[],
        when: |model| joined(model, 4) && settled(model, What::Joined),
        points: &[SHELVES, TALLY],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "compare",
        setup: &[Setup::Twin("scheme", MOD_N), Setup::Set("nodes", 5.0)],
        when: |model| {
            joined(model, 5)
                && settled(model, What::Joined)
                && model
                    .change
                    .is_some_and(|change| model.now.since(change.at) >= Time::ms(2_600))
        },
        points: &[DIAL, TALLY],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "uneven",
        setup: &[Setup::Alone, Setup::Set("points", 1.0)],
        when: |model| {
            settled(model, What::Points) && model.ring.points().len() == model.members().len()
        },
        points: &[DIAL, SHELVES],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "smooth",
        setup: &[Setup::Set("points", 160.0)],
        when: |model| {
            settled(model, What::Points) && model.ring.points().len() >= 100 * model.members().len()
        },
        points: &[DIAL, SHELVES],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "copies",
        setup: &[Setup::Set("copies", 2.0)],
        when: |model| model.is_settled() && model.keys.iter().all(|key| key.held.count_ones() == 2),
        points: &[DIAL, node_part(VICTIM)],
        shows: &[],
        predict: Some(Prediction {
            id: "crash",
            options: &["lost", "slow", "next"],
            hides: &[],
            truth: |model| {
                let crash = model.watch.crash.filter(|crash| crash.noticed)?;
                let settled = model.change.filter(|change| change.what == What::Out)?;
                settled.settled?;
                // What happened, not what the story expects: the learner may have turned the copies off.
                Some(if crash.failed > crash.answered {
                    0
                } else if crash.missed * 2 > crash.answered {
                    1
                } else {
                    2
                })
            },
        }),
    },
    Beat {
        id: "crash",
        setup: &[Setup::Act("crash", VICTIM)],
        when: |model| {
            matches!(model.nodes[VICTIM].state, State::Crashed(_))
                && settled(model, What::Out)
                && model.watch.crash.is_some_and(|crash| crash.answered >= 3)
        },
        points: &[DIAL, node_part(VICTIM), DATABASE_PART],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "hot",
        setup: &[Setup::Set("load", 20.0), Setup::Act("hot", 0)],
        when: |model| model.hot.is_some() && model.watch.hot_failures >= 2,
        points: &[DIAL, SHELVES],
        shows: &[],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<ConsistentHashing>] = &[
    Challenge {
        id: "even",
        progress: |model, _| {
            Progress::all({
                model.members().len() == NODES_MAX
                    && model.keys.len() >= 200
                    && model.is_settled()
                    && model.out_of_place() == 0
                    && model.uneven_keys() <= 1.45
                    && model
                        .change
                        .is_some_and(|change| change.scheme == Scheme::Ring)
            })
        },
        solution: &[],
    },
    Challenge {
        id: "heavy",
        progress: |model, _| {
            Progress::all({
                let members = model.members();
                let mut owned: Vec<u32> = members.iter().map(|node| model.owned(*node)).collect();
                owned.sort_unstable();
                let twice = matches!(owned[..], [.., second, most] if most >= 2 * second.max(1));
                let weighted = model.watch.weights.iter().any(|weight| *weight >= 2.0);
                members.len() >= 3 && twice && weighted && settled(model, What::Points)
            })
        },
        solution: &[],
    },
    Challenge {
        id: "two-down",
        progress: |model, _| {
            Progress::all({
                let (Some(last), Some((before, lost))) =
                    (model.watch.crash, model.watch.crash_before)
                else {
                    return Progress::all(false);
                };
                last.at.since(before) <= Time::s(3)
                    && last.noticed
                    && last.lost + lost == 0
                    && settled(model, What::Out)
            })
        },
        solution: &[],
    },
    Challenge {
        id: "cool",
        progress: |model, _| {
            Progress::all({
                model
                    .watch
                    .cool_since
                    .is_some_and(|since| model.now.since(since) >= Time::s(7))
            })
        },
        solution: &[],
    },
    Challenge {
        id: "jump",
        progress: |model, _| {
            Progress::all({
                model.change.is_some_and(|change| {
                    change.scheme == Scheme::Jump
                        && change.what == What::Out
                        && change.moved[index_of(Scheme::Jump)] * 2 > change.keys
                })
            })
        },
        solution: &[],
    },
];
