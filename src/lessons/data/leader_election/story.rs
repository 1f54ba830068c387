//! The story, its predictions, and things to try.

use super::settings::Method;
use super::state::{COUNTS, LADDER, Orchestra, State, node, server};
use super::view::RUNNING;
use algorithms::protocol::Id;
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const NODES: &[PartId] = &[node(1), node(2), node(3), node(4), node(5)];
const S2: PartId = server(1);
/// A group that has not found a leader in so many elections shows that it will not.
const IN_VAIN: u32 = 5;

fn calm(model: &Orchestra) -> bool {
    let all_run = model.servers.iter().all(|one| one.state == State::Runs);
    model.charge.is_some() && all_run
}

/// Orders that a node has and that do not count.
fn hollow(model: &Orchestra, id: Id) -> bool {
    let Some(node) = model.cluster.node(id) else {
        return false;
    };
    let commit = model.brief(id).map_or(0, |brief| brief.commit) as usize;
    let after = node.log().iter().skip(commit);
    after.clone().any(|entry| entry.command.is_some())
}

/// One is in charge, and another still believes it, with an order that nobody carries out.
fn two_lead(model: &Orchestra) -> bool {
    let mut leaders = model.leaders().into_iter();
    calm(model) && leaders.any(|(id, _)| model.charge != Some(id) && hollow(model, id))
}

/// The votes that the node got which had missed orders: none, or some.
fn answers(model: &Orchestra) -> Option<usize> {
    let misses = model.misses.filter(|misses| misses.yes + misses.no >= 2)?;
    Some(if misses.yes > 0 { 0 } else { 1 })
}

pub(super) const STORY: &[Beat<Orchestra>] = &[
    Beat {
        id: "meet",
        points: NODES,
        shows: &[
            figure(LADDER, "leaders").is(1.0),
            figure(LADDER, "votes").at_least(3.0),
            figure(COUNTS, "vacant").is(0.0),
        ],
        predict: Some(Prediction {
            id: "who",
            options: &["highest", "first", "nobody"],
            truth: |model| model.successor.map(|(_, first)| if first { 1 } else { 0 }),
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "elect",
        setup: &[
            Setup::Act("revive", 0),
            Setup::Act("kill-server", 1),
            Setup::Act("kill-leader", 0),
            Setup::Speed(0.12),
        ],
        when: |model| model.successor.is_some() && calm(model),
        points: &[LADDER, S2],
        shows: &[
            figure(LADDER, "leader").at_least(1.0),
            figure(COUNTS, "gap").at_least(100.0),
            figure(S2, "started").is(1.0),
        ],
        predict: Some(Prediction {
            id: "equal",
            options: &["sooner", "later", "never"],
            truth: |model| match model.successor {
                Some(_) if model.knobs.spread == 0.0 => Some(1),
                None if model.knobs.spread == 0.0 && model.in_vain >= IN_VAIN => Some(2),
                _ => None,
            },
            hides: &[],
        }),
    },
    Beat {
        id: "split",
        setup: &[
            Setup::Set("spread", 0.0),
            Setup::Act("kill-leader", 0),
            Setup::Speed(0.2),
        ],
        when: |model| model.in_vain >= IN_VAIN,
        points: &[LADDER],
        shows: &[
            figure(LADDER, "vain").at_least(5.0),
            figure(LADDER, "leaders").is(0.0),
            figure(COUNTS, "vacant").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "chance",
        setup: &[Setup::Set("spread", 50.0), Setup::Speed(0.2)],
        when: |model| model.charge.is_some(),
        points: &[LADDER],
        shows: &[
            figure(LADDER, "votes").at_least(3.0),
            figure(COUNTS, "vacant").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "hasty",
        setup: &[
            Setup::Act("revive", 0),
            Setup::Set("least", 40.0),
            Setup::Set("spread", 20.0),
            Setup::Speed(0.4),
        ],
        when: |model| model.now.since(model.set) >= Time::s(2) && model.charge.is_some(),
        points: &[COUNTS, LADDER],
        shows: &[figure(COUNTS, "fallen").at_least(5.0)],
        predict: Some(Prediction {
            id: "two",
            options: &["none", "one", "two"],
            truth: |model| model.counted.map(|leaders| leaders.min(2)),
            hides: &[],
        }),
    },
    Beat {
        id: "two",
        setup: &[
            Setup::Set("least", 150.0),
            Setup::Set("spread", 150.0),
            Setup::Act("cut", 0),
            Setup::Act("kill-server", 1),
            Setup::Speed(0.15),
        ],
        when: |model| model.counted.is_some() && two_lead(model),
        points: &[LADDER, node(1), node(2), node(3), node(4), node(5)],
        shows: &[
            figure(LADDER, "leaders").is(2.0),
            figure(LADDER, "votes").at_least(3.0),
            figure(RUNNING, "twice").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "bully",
        setup: &[
            Setup::Twin("method", 1.0),
            Setup::Act("heal", 0),
            Setup::Act("cut", 0),
            Setup::Act("kill-server", 1),
            Setup::Speed(0.15),
        ],
        when: |model| model.counted.is_some() && calm(model),
        points: &[RUNNING, S2],
        shows: &[
            figure(RUNNING, "twice").is(0.0),
            figure(RUNNING, "running").is(3.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "few",
        setup: &[
            Setup::Alone,
            Setup::Act("heal", 0),
            Setup::Act("kill", 0),
            Setup::Act("kill", 1),
            Setup::Act("kill", 2),
            Setup::Wait(Time::ms(900)),
            Setup::Speed(0.2),
        ],
        when: |model| model.charge.is_none(),
        points: &[node(4), LADDER, node(5), COUNTS],
        shows: &[
            figure(COUNTS, "vacant").is(1.0),
            figure(node(4), "up").is(1.0),
            figure(node(5), "up").is(1.0),
            figure(node(1), "up").is(0.0),
            figure(node(2), "up").is(0.0),
            figure(node(3), "up").is(0.0),
        ],
        predict: Some(Prediction {
            id: "behind",
            options: &["vote", "refuse", "repair"],
            truth: answers,
            hides: &[],
        }),
    },
    Beat {
        id: "behind",
        setup: &[
            Setup::Act("revive", 0),
            Setup::Act("miss", 0),
            Setup::Speed(0.2),
        ],
        when: |model| answers(model).is_some(),
        points: NODES,
        shows: &[
            figure(LADDER, "yes").is(0.0),
            figure(LADDER, "no").at_least(2.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "back",
        setup: &[Setup::Act("alone", 0), Setup::Speed(0.5)],
        when: |model| model.alone.is_some_and(|alone| alone.fell),
        points: &[LADDER, COUNTS],
        shows: &[
            figure(LADDER, "counted").at_least(5.0),
            figure(COUNTS, "fallen").at_least(1.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Orchestra>] = &[
    Challenge {
        id: "quick",
        progress: |model, now| {
            let mut gaps: Vec<Time> = model.quick.iter().copied().collect();
            gaps.sort_unstable();
            let quick = gaps.len() >= 5 && gaps[gaps.len() / 2] <= Time::ms(120);
            let calm = now.since(model.last_fall.max(model.set)).as_s().min(10.0);
            Progress::of(if quick { calm } else { 0.0 }, 10.0)
        },
        solution: &[
            Setup::Set("least", 75.0),
            Setup::Set("spread", 75.0),
            Setup::Wait(Time::ms(600)),
            Setup::Act("kill-leader", 0),
            Setup::Wait(Time::ms(500)),
            Setup::Act("revive", 0),
            Setup::Wait(Time::ms(300)),
            Setup::Act("kill-leader", 0),
            Setup::Wait(Time::ms(500)),
            Setup::Act("revive", 0),
            Setup::Wait(Time::ms(300)),
            Setup::Act("kill-leader", 0),
            Setup::Wait(Time::ms(500)),
            Setup::Act("revive", 0),
            Setup::Wait(Time::ms(300)),
            Setup::Act("kill-leader", 0),
            Setup::Wait(Time::ms(500)),
            Setup::Act("revive", 0),
            Setup::Wait(Time::ms(300)),
            Setup::Act("kill-leader", 0),
            Setup::Wait(Time::ms(500)),
            Setup::Act("revive", 0),
            Setup::Wait(Time::ms(300)),
            Setup::Wait(Time::s(11)),
        ],
    },
    Challenge {
        id: "for-ever",
        progress: |model, _| {
            let whole =
                !model.cut && model.method() == Method::Raft && !model.cluster.net.is_parted();
            Progress::of(if whole { f64::from(model.in_vain) } else { 0.0 }, 12.0)
        },
        solution: &[
            Setup::Wait(Time::ms(600)),
            Setup::Set("spread", 0.0),
            Setup::Act("kill-leader", 0),
            Setup::Wait(Time::s(3)),
        ],
    },
    Challenge {
        id: "twice",
        progress: |model, _| Progress::of(f64::from(model.replaced_twice), 1.0),
        solution: &[
            Setup::Set("method", 1.0),
            Setup::Wait(Time::ms(600)),
            Setup::Act("cut", 0),
            Setup::Wait(Time::ms(600)),
            Setup::Act("kill-server", 1),
            Setup::Wait(Time::ms(800)),
        ],
    },
    Challenge {
        id: "quiet",
        progress: |model, now| {
            let well = model.alone.filter(|alone| !alone.fell);
            let back = well.and_then(|alone| alone.back);
            Progress::held(back, now, 0.5)
        },
        solution: &[
            Setup::Set("pre-vote", 1.0),
            Setup::Wait(Time::ms(600)),
            Setup::Act("alone", 0),
            Setup::Wait(Time::s(4)),
        ],
    },
    Challenge {
        id: "four",
        progress: |model, _| {
            let won = model
                .rungs
                .back()
                .filter(|rung| rung.leader.is_some() && rung.sent() == 4);
            Progress::all(won.is_some() && model.method() == Method::Bully && model.size() == 5)
        },
        solution: &[
            Setup::Set("method", 1.0),
            Setup::Wait(Time::ms(600)),
            Setup::Act("kill", 4),
            Setup::Act("expire", 3),
            Setup::Wait(Time::ms(300)),
        ],
    },
];
