//! The story, its two predictions, and things to try.

use super::model::{
    Change, ConsistentHashing, DATABASE_PART, DIAL, Leg, NODES_MAX, Request, Scheme, State, TALLY,
    What, index_of, node_part,
};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Scale, Setup, Time};

const RING: f64 = 0.0;
const MOD_N: f64 = 1.0;
const JUMP: f64 = 2.0;
const OWNER: f64 = 0.0;
const ANY_COPY: f64 = 1.0;
/// The speed at which dots can be followed.
const SLOWLY: Setup = Setup::Speed(0.5);
/// Where many keys move, or a crash waits to be noticed, the story runs faster.
const FASTER: Setup = Setup::Speed(1.0);
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
        shows: &[figure(DIAL, "keys").is(48.0), figure(DIAL, "nodes").is(3.0)],
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
        when: |model| {
            let walks = |request: &Request| matches!(request.leg, Leg::Walking(_));
            model.now.since(model.watch.started) >= Time::ms(1_500)
                && model.is_settled()
                && model.requests().any(walks)
        },
        points: &[DIAL],
        shows: &[
            figure(DIAL, "walking").at_least(1.0),
            figure(DIAL, "nodes").is(3.0),
        ],
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
        setup: &[SLOWLY, Setup::Set("nodes", 4.0)],
        // On a seed where the newcomer takes nothing there is no way to watch.
        when: |model| {
            let under_way = |since| model.now.since(since) >= Time::ms(900);
            joined(model, 4)
                && model
                    .change
                    .is_some_and(|change| under_way(change.at) || change.settled.is_some())
        },
        points: &[DIAL, NEWCOMER],
        shows: &[
            figure(DIAL, "nodes").is(4.0),
            figure(DIAL, "moved").within(8.0, 16.0),
            figure(DIAL, "moved").above(figure(NEWCOMER, "keys")),
        ],
        predict: None,
    },
    Beat {
        id: "joined",
        setup: &[],
        when: |model| joined(model, 4) && settled(model, What::Joined),
        points: &[SHELVES, TALLY],
        shows: &[
            figure(NEWCOMER, "keys").same(figure(DIAL, "moved"), 0.0),
            figure(node_part(0), "before").above(figure(node_part(0), "keys")),
            figure(node_part(1), "before").above(figure(node_part(1), "keys")),
            figure(node_part(2), "before").above(figure(node_part(2), "keys")),
            figure(TALLY, "mod-n").at_least(28.0),
        ],
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
        shows: &[
            figure(TALLY, "mod-n").at_least(30.0),
            figure(TALLY, "ring").at_most(20.0),
        ],
        predict: None,
    },
    Beat {
        id: "uneven",
        setup: &[Setup::Alone, FASTER, Setup::Set("points", 1.0)],
        when: |model| {
            settled(model, What::Points) && model.ring.points().len() == model.members().len()
        },
        points: &[DIAL, SHELVES],
        shows: &[figure(DIAL, "fullest").at_least(1.5)],
        predict: None,
    },
    Beat {
        id: "smooth",
        setup: &[FASTER, Setup::Set("points", 160.0)],
        when: |model| {
            settled(model, What::Points) && model.ring.points().len() >= 100 * model.members().len()
        },
        points: &[DIAL, SHELVES],
        shows: &[figure(DIAL, "fullest").at_most(1.6)],
        predict: None,
    },
    Beat {
        id: "copies",
        setup: &[FASTER, Setup::Set("points", 8.0), Setup::Set("copies", 2.0)],
        when: |model| {
            model.is_settled()
                && model.ring.points().len() <= 10 * model.members().len()
                && model.keys.iter().all(|key| key.held.count_ones() == 2)
        },
        points: &[DIAL, node_part(VICTIM)],
        shows: &[
            figure(DIAL, "walks-on").is(1.0),
            figure(node_part(VICTIM), "keys").at_least(5.0),
        ],
        predict: Some(Prediction {
            id: "crash",
            options: &["one", "several", "database", "nobody"],
            hides: &[],
            truth: |model| {
                let crash = model.watch.crash.filter(|crash| crash.noticed)?;
                let settled = model.change.filter(|change| change.what == What::Out)?;
                settled.settled?;
                // What happened, not what the story expects: the learner may have turned the copies off.
                Some(if crash.failed > crash.answered {
                    3
                } else if crash.missed * 2 > crash.answered {
                    2
                } else {
                    usize::from(model.heirs() > 1)
                })
            },
        }),
    },
    Beat {
        id: "crash",
        setup: &[FASTER, Setup::Act("crash", VICTIM)],
        when: |model| {
            matches!(model.nodes[VICTIM].state, State::Crashed(_))
                && settled(model, What::Out)
                && model.watch.crash.is_some_and(|crash| crash.answered >= 3)
        },
        points: &[DIAL, node_part(VICTIM), DATABASE_PART],
        shows: &[
            figure(node_part(VICTIM), "answered").at_least(3.0),
            figure(node_part(VICTIM), "missed").is(0.0),
            figure(node_part(VICTIM), "failed").is(0.0),
            figure(DATABASE_PART, "misses").is(0.0),
        ],
        predict: None,
    },
    Beat {
        id: "hot",
        setup: &[
            SLOWLY,
            Setup::Set("load", 20.0),
            Setup::Act("recover", VICTIM),
            Setup::Act("hot", 0),
        ],
        when: |model| model.hot.is_some() && model.watch.hot_failures >= 2,
        points: &[DIAL, SHELVES],
        shows: &[figure(DIAL, "waiting").at_least(10.0)],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<ConsistentHashing>] = &[
    Challenge {
        id: "even",
        progress: |model, _| {
            let rules = model.members().len() == NODES_MAX
                && model.keys.len() >= 200
                && model.is_settled()
                && model.out_of_place() == 0
                && model
                    .change
                    .is_some_and(|change| change.scheme == Scheme::Ring);
            Progress::of(
                if rules {
                    1.45 / model.uneven_keys()
                } else {
                    0.0
                },
                1.0,
            )
        },
        solution: &[
            Setup::Set("keys", 240.0),
            Setup::Set("nodes", 8.0),
            Setup::Set("points", 160.0),
            Setup::Set("copy", 40.0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "heavy",
        progress: |model, _| {
            let mut owned: Vec<u32> = model
                .members()
                .iter()
                .map(|node| model.owned(*node))
                .collect();
            owned.sort_unstable();
            let weighted = model.watch.weights.iter().any(|weight| *weight >= 2.0);
            Progress::of(
                match owned[..] {
                    [_, .., second, most] if weighted && settled(model, What::Points) => {
                        f64::from(most) / f64::from(second.max(1))
                    }
                    _ => 0.0,
                },
                2.0,
            )
        },
        solution: &[
            Setup::Set("points", 40.0),
            Setup::Set("copy", 40.0),
            Setup::Set("weight-1", 4.0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "two-down",
        progress: |model, _| {
            let (Some(last), Some((before, lost))) = (model.watch.crash, model.watch.crash_before)
            else {
                return Progress::all(false);
            };
            let kept = last.at.since(before) <= Time::s(3) && last.lost + lost == 0;
            let done = f64::from(u8::from(last.noticed && settled(model, What::Out)));
            Progress::of(if kept { 1.0 + done } else { 0.0 }, 2.0)
        },
        solution: &[
            Setup::Set("nodes", 6.0),
            Setup::Set("copies", 3.0),
            Setup::Set("copy", 40.0),
            Setup::Wait(Time::s(10)),
            Setup::Act("crash", VICTIM),
            Setup::Wait(Time::s(2)),
            Setup::Act("crash", 4),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "cool",
        progress: |model, at| Progress::held(model.watch.cool_since, at, 7.0),
        solution: &[
            Setup::Set("nodes", 5.0),
            Setup::Set("copies", 3.0),
            Setup::Set("reads", ANY_COPY),
            Setup::Set("copy", 40.0),
            Setup::Wait(Time::s(8)),
            Setup::Act("hot", 0),
            Setup::Wait(Time::s(8)),
        ],
    },
    Challenge {
        id: "jump",
        progress: |model, _| {
            let crash = |change: &Change| change.scheme == Scheme::Jump && change.what == What::Out;
            let change = model.change.filter(crash);
            let share = change.map_or(0.0, |change| {
                f64::from(change.moved[index_of(Scheme::Jump)]) / f64::from(change.keys.max(1))
            });
            // More than half of 240 keys is at least this.
            Progress::of(share, 0.503)
        },
        solution: &[
            Setup::Set("scheme", JUMP),
            Setup::Set("nodes", 4.0),
            Setup::Wait(Time::s(6)),
            Setup::Act("crash", 0),
            Setup::Wait(Time::s(3)),
        ],
    },
];

/// Which numbers mean which answer.
pub(super) const SCALES: &[Scale] = &[Scale {
    question: "join",
    range: [0.0, 48.0, 1.0],
    unit: "",
    answers: &[(0.0, 3), (4.0, 2), (18.0, 1), (30.0, 0)],
}];
