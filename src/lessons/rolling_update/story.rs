//! The story, its two predictions, and things to try.

use super::knobs::How;
use super::model::{CHART, DEPLOYMENT, Kind, Release, RollingUpdate, SERVICE};
use super::pods::{GLIDE, Pod};
use algorithms::self_healing::Phase;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const RECREATE: f64 = 0.0;
const ROLLING: f64 = 1.0;
const CANARY: f64 = 3.0;
/// All pods.
const PODS: PartId = PartId::one("pod");

/// Whether no card is on its way.
fn at_rest(model: &RollingUpdate) -> bool {
    let rest = |pod: &Pod| model.now.since(pod.moved) >= GLIDE + Time::ms(30);
    model.pods.iter().all(rest)
}

/// Pods that have been told to stop and still hold requests.
fn draining(model: &RollingUpdate) -> usize {
    let stopping = |pod: &&Pod| matches!(pod.core.phase, Phase::Terminating { .. });
    let held = |pod: &&Pod| !pod.routed && pod.held() > 0;
    model.pods.iter().filter(stopping).filter(held).count()
}

/// Ready pods of the version asked for.
fn ready_new(model: &RollingUpdate) -> usize {
    let ready = |pod: &&Pod| pod.version == model.wanted && pod.core.is_ready();
    model.pods.iter().filter(ready).count()
}

fn running(model: &RollingUpdate, how: How) -> bool {
    model.release.how == how && model.release.done.is_none()
}

fn complete(model: &RollingUpdate, how: How) -> bool {
    model.release.how == how && model.release.done.is_some() && !model.release.aborted
}

pub(super) const STORY: &[Beat<RollingUpdate>] = &[
    Beat {
        id: "meet",
        setup: &[],
        when: |_| true,
        points: &[],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "gap",
        setup: &[
            Setup::Set("replicas", 6.0),
            Setup::Set("load", 30.0),
            Setup::Set("ready", 2.0),
            Setup::Set("strategy", RECREATE),
            Setup::Act("ship", 0),
        ],
        when: |model| {
            let starting = |pod: &&Pod| pod.core.phase == Phase::Starting;
            running(model, How::Recreate)
                && model.gap.is_some()
                && model.release.failed >= 12
                && model.pods.iter().filter(starting).count() >= 3
        },
        points: &[SERVICE, CHART],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "back",
        setup: &[],
        when: |model| complete(model, How::Recreate) && at_rest(model),
        points: &[CHART],
        shows: &[],
        predict: Some(Prediction {
            id: "fewest",
            options: &["six", "five", "three", "none"],
            hides: &[],
            truth: |model| {
                let release = model
                    .finished
                    .filter(|release| release.how == How::Rolling)?;
                let missing = release.replicas.saturating_sub(release.ready_min);
                (model.release.done.is_some() && !model.release.aborted).then_some(match missing {
                    0 => 0,
                    1 => 1,
                    _ if release.ready_min > 0 => 2,
                    _ => 3,
                })
            },
        }),
    },
    Beat {
        id: "roll",
        setup: &[
            Setup::Set("replicas", 6.0),
            Setup::Set("load", 30.0),
            Setup::Set("ready", 2.0),
            Setup::Set("surge", 2.0),
            Setup::Set("unavailable", 1.0),
            Setup::Set("pre-stop", 0.5),
            Setup::Set("strategy", ROLLING),
            Setup::Act("ship", 0),
        ],
        when: |model| {
            let starting = model
                .pods
                .iter()
                .filter(|pod| pod.version == model.wanted && pod.core.phase == Phase::Starting);
            let seen = model.now.since(model.release.since) >= Time::ms(1_200);
            running(model, How::Rolling) && starting.count() >= 3 && at_rest(model) && seen
        },
        points: &[DEPLOYMENT, PODS],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "drain",
        setup: &[Setup::Speed(0.25)],
        when: |model| {
            running(model, How::Rolling)
                && ready_new(model) >= 2
                && draining(model) >= 1
                && at_rest(model)
        },
        // Nothing stands out but the pods that drain, by their colour: pointing elsewhere would dim them.
        points: &[],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "even",
        setup: &[Setup::Speed(0.5)],
        when: |model| complete(model, How::Rolling) && at_rest(model),
        points: &[CHART, DEPLOYMENT],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "compare",
        setup: &[Setup::Twin("strategy", RECREATE), Setup::Act("ship", 0)],
        when: |model| complete(model, How::Rolling) && at_rest(model),
        points: &[CHART],
        shows: &[],
        predict: Some(Prediction {
            id: "dead",
            options: &["stops", "replaces", "undoes"],
            hides: &[],
            truth: |model| {
                let release = &model.release;
                (release.kind == Kind::Dead && release.stalled.is_some()).then(|| {
                    if model.gap.is_some() {
                        1
                    } else if model.wanted != release.version {
                        2
                    } else {
                        0
                    }
                })
            },
        }),
    },
    Beat {
        id: "stall",
        setup: &[
            Setup::Alone,
            Setup::Set("deadline", 6.0),
            Setup::Act("ship-dead", 0),
        ],
        when: |model| model.release.kind == Kind::Dead && model.release.stalled.is_some(),
        points: &[DEPLOYMENT, PODS],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "undo",
        setup: &[Setup::Act("roll-back", 0)],
        when: |model| model.release.back && model.release.done.is_some() && at_rest(model),
        points: &[DEPLOYMENT, PODS],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Set("canary", 20.0),
            Setup::Set("limit", 5.0),
            Setup::Set("faulty", 50.0),
            Setup::Set("strategy", CANARY),
            Setup::Act("ship-faulty", 0),
        ],
        when: |model| model.release.kind == Kind::Faulty && model.release.aborted && at_rest(model),
        points: &[DEPLOYMENT, SERVICE],
        shows: &[],
        predict: None,
    },
];

/// The last finished release, if it brought a good new version and no knob was turned on the way.
fn clean(model: &RollingUpdate) -> Option<Release> {
    let release = model.finished?;
    let fits = release.kind == Kind::Good && !release.back && !release.touched;
    (fits && release.done.is_some()).then_some(release)
}

pub(super) const CHALLENGES: &[Challenge<RollingUpdate>] = &[
    Challenge {
        id: "whole",
        progress: |model, _| {
            Progress::all({
                clean(model).is_some_and(|release| {
                    release.ready_min >= release.replicas && release.failed == 0
                })
            })
        },
        solution: &[],
    },
    Challenge {
        id: "thrifty",
        progress: |model, _| {
            Progress::all({
                clean(model).is_some_and(|release| {
                    release.pods_max <= release.replicas && release.failed == 0
                })
            })
        },
        solution: &[],
    },
    Challenge {
        id: "leak",
        progress: |model, _| {
            Progress::all({
                clean(model).is_some_and(|release| {
                    release.enough && !release.node_lost && release.refused >= 3
                })
            })
        },
        solution: &[],
    },
    Challenge {
        id: "instant",
        progress: |model, _| {
            Progress::all({
                let release = &model.release;
                let took = release.done.map(|done| done.since(release.since));
                model.fled_from == Some((Kind::Faulty, true))
                    && took.is_some_and(|took| took <= Time::s(1))
            })
        },
        solution: &[],
    },
    Challenge {
        id: "node",
        progress: |model, _| {
            Progress::all({
                clean(model).is_some_and(|release| {
                    let all = release.served + release.failed;
                    release.node_lost && all >= 100 && release.failed * 20 < all
                })
            })
        },
        solution: &[],
    },
];
