//! The story, its two predictions, and things to try.

use super::knobs::How;
use super::model::{CHART, DEPLOYMENT, Kind, Release, RollingUpdate, SERVICE, USERS, street_part};
use super::pods::{GLIDE, Pod};
use algorithms::self_healing::Phase;
use engine::claim::{figure, line};
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const RECREATE: f64 = 0.0;
const ROLLING: f64 = 1.0;
const BLUE_GREEN: f64 = 2.0;
const CANARY: f64 = 3.0;
/// All pods.
const PODS: PartId = PartId::one("pod");
/// The row of v1, v3 and v5, and that of v2 and v4.
const OLD_ROW: PartId = street_part(0);
const NEW_ROW: PartId = street_part(1);

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
        points: &[SERVICE, PODS],
        shows: &[
            figure(SERVICE, "pods").is(6.0),
            figure(OLD_ROW, "ready").is(6.0),
            figure(USERS, "failed").is(0.0),
        ],
        ..Beat::at_once()
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
        // Long enough that the last answers are home and the plot of those served lies at zero.
        when: |model| {
            let starting = |pod: &&Pod| pod.core.phase == Phase::Starting;
            running(model, How::Recreate)
                && model
                    .gap
                    .is_some_and(|since| model.now.since(since) >= Time::ms(2_500))
                && model.release.failed >= 12
                && model.pods.iter().filter(starting).count() >= 3
        },
        points: &[SERVICE, CHART],
        shows: &[
            figure(SERVICE, "nobody s").at_least(2.0),
            figure(CHART, "ready").is(0.0),
            figure(USERS, "failed").at_least(12.0),
            line("answers", "served").at_most(3.0),
        ],
        predict: None,
    },
    Beat {
        id: "back",
        setup: &[],
        when: |model| complete(model, How::Recreate) && at_rest(model),
        points: &[CHART, USERS],
        shows: &[
            figure(SERVICE, "pods").is(6.0),
            figure(CHART, "ready").is(6.0),
            figure(DEPLOYMENT, "fewest").is(0.0),
            figure(USERS, "failed").at_least(50.0),
        ],
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
        shows: &[
            figure(OLD_ROW, "coming").is(3.0),
            figure(NEW_ROW, "ready").is(5.0),
            figure(SERVICE, "pods").is(5.0),
            figure(USERS, "failed").is(0.0),
        ],
        predict: None,
    },
    Beat {
        id: "drain",
        setup: &[Setup::Speed(0.3)],
        when: |model| {
            running(model, How::Rolling)
                && ready_new(model) >= 2
                && draining(model) >= 1
                && at_rest(model)
        },
        // Nothing stands out but the pods that drain, by their colour: pointing elsewhere would dim them.
        points: &[],
        shows: &[
            figure(NEW_ROW, "draining").at_least(1.0),
            figure(OLD_ROW, "ready").at_least(2.0),
            figure(USERS, "failed").is(0.0),
        ],
        predict: None,
    },
    Beat {
        id: "even",
        setup: &[Setup::Speed(0.5)],
        when: |model| complete(model, How::Rolling) && at_rest(model),
        points: &[CHART, DEPLOYMENT],
        shows: &[
            figure(CHART, "ready").is(6.0),
            figure(CHART, "floor").is(5.0),
            figure(DEPLOYMENT, "fewest").is(5.0),
            figure(USERS, "failed").is(0.0),
        ],
        predict: None,
    },
    Beat {
        id: "compare",
        setup: &[
            Setup::Speed(0.8),
            Setup::Twin("strategy", RECREATE),
            Setup::Act("ship", 0),
        ],
        when: |model| complete(model, How::Rolling) && at_rest(model),
        points: &[CHART, USERS],
        shows: &[
            figure(DEPLOYMENT, "fewest").is(5.0),
            figure(USERS, "failed").is(0.0),
        ],
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
            Setup::Speed(1.0),
            Setup::Set("deadline", 6.0),
            Setup::Act("ship-dead", 0),
        ],
        when: |model| model.release.kind == Kind::Dead && model.release.stalled.is_some(),
        points: &[DEPLOYMENT, PODS],
        shows: &[
            figure(DEPLOYMENT, "stuck s").is(6.0),
            figure(SERVICE, "pods").is(5.0),
            figure(OLD_ROW, "coming").is(3.0),
            figure(USERS, "failed").is(0.0),
        ],
        predict: None,
    },
    Beat {
        id: "undo",
        setup: &[Setup::Speed(0.5), Setup::Act("roll-back", 0)],
        when: |model| model.release.back && model.release.done.is_some() && at_rest(model),
        points: &[DEPLOYMENT, PODS],
        shows: &[
            figure(SERVICE, "pods").is(6.0),
            figure(DEPLOYMENT, "fewest").is(5.0),
            figure(USERS, "failed").is(0.0),
        ],
        predict: None,
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Speed(0.8),
            Setup::Set("canary", 20.0),
            Setup::Set("limit", 5.0),
            Setup::Set("faulty", 50.0),
            Setup::Set("strategy", CANARY),
            Setup::Act("ship-faulty", 0),
        ],
        when: |model| model.release.kind == Kind::Faulty && model.release.aborted && at_rest(model),
        points: &[DEPLOYMENT, SERVICE],
        shows: &[
            figure(DEPLOYMENT, "withdrawn").is(6.0),
            figure(SERVICE, "pods").at_least(6.0),
            figure(USERS, "failed").within(1.0, 25.0),
        ],
        predict: None,
    },
];

/// The last finished release, if it brought a good new version and no knob was turned on the way.
fn clean(model: &RollingUpdate) -> Option<Release> {
    let release = model.finished?;
    let fits = release.kind == Kind::Good && !release.back && !release.touched;
    (fits && release.done.is_some()).then_some(release)
}

/// How far the running release is: pods that are new, of all and the last one's end.
fn on_the_way(model: &RollingUpdate, holds: bool) -> Progress {
    let release = &model.release;
    let goal = f64::from(release.replicas.max(1)) + 1.0;
    let counts = holds && release.done.is_none() && release.kind == Kind::Good && !release.back;
    let new = ready_new(model) as f64;
    Progress::of(if counts { new.min(goal - 1.0) } else { 0.0 }, goal)
}

/// Reached if the last finished release was clean and as wanted, else as far as the running one is.
fn released(model: &RollingUpdate, fits: fn(&Release) -> bool) -> Progress {
    if clean(model).is_some_and(|release| fits(&release)) {
        Progress::all(true)
    } else {
        on_the_way(model, fits(&model.release) && !model.release.touched)
    }
}

pub(super) const CHALLENGES: &[Challenge<RollingUpdate>] = &[
    Challenge {
        id: "whole",
        progress: |model, _| {
            released(model, |release| {
                release.ready_min >= release.replicas && release.failed == 0
            })
        },
        solution: &[Setup::Set("unavailable", 0.0), Setup::Wait(Time::s(20))],
    },
    Challenge {
        id: "thrifty",
        progress: |model, _| {
            released(model, |release| {
                release.pods_max <= release.replicas && release.failed == 0
            })
        },
        solution: &[Setup::Set("surge", 0.0), Setup::Wait(Time::s(30))],
    },
    Challenge {
        id: "leak",
        progress: |model, _| {
            let fits = |release: &Release| release.enough && !release.node_lost;
            if clean(model).is_some_and(|release| fits(&release) && release.refused >= 3) {
                return Progress::all(true);
            }
            let release = &model.release;
            let open = release.done.is_none() && fits(release);
            // The third counts when the release is through.
            let refused = if open { release.refused.min(2) } else { 0 };
            Progress::of(f64::from(refused), 3.0)
        },
        solution: &[
            Setup::Set("pre-stop", 0.0),
            Setup::Set("lag", 300.0),
            Setup::Wait(Time::s(30)),
        ],
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
        solution: &[
            Setup::Set("strategy", BLUE_GREEN),
            Setup::Set("keep", 20.0),
            Setup::Act("ship-faulty", 0),
            Setup::Wait(Time::s(6)),
            Setup::Act("roll-back", 0),
            Setup::Wait(Time::s(3)),
        ],
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
        solution: &[
            Setup::Set("replicas", 8.0),
            Setup::Set("ready", 4.0),
            Setup::Set("node-grace", 1.0),
            Setup::Set("load", 20.0),
            Setup::Wait(Time::ms(2_200)),
            Setup::Act("kill", 1),
            Setup::Wait(Time::s(40)),
        ],
    },
];
