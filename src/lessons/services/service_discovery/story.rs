//! The story, its predictions, and things to try.

use super::view::{LATELY, ROW_PARTS, ROW_UP, SCORE};
use super::world;
use super::world::{REGISTRY, REGISTRY_ROW, Tally, World};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};
use kit::system::System;

const ROW_REGISTRY: PartId = ROW_PARTS[REGISTRY_ROW];
const VICTIM: usize = 2;
const VICTIM_PART: PartId = PartId::nth("stock", 3);
/// The first part of those whose line is cut.
const CUT_PART: PartId = PartId::nth("stock", 1);

fn tally(system: &System) -> &Tally {
    &world(system).tally
}

fn for_s(system: &System, s: f64) -> bool {
    let since = system.now.since(tally(system).since).as_s();
    since >= s
}

/// Something of this name was done, so many seconds ago at least.
fn did(system: &System, deed: &str, s: f64) -> bool {
    tally(system).deed == deed && for_s(system, s)
}

fn all_know(world: &World) -> bool {
    world.rows().all(|row| world.tally.turned[row].is_some())
}

/// The share of requests answered lately.
fn fine(system: &System) -> f64 {
    let share = world(system).fates.share(0, LATELY, system.now);
    share.unwrap_or(1.0)
}

/// The share of requests answered once all lists are as they will be.
fn in_the_end(system: &System) -> f64 {
    let (over, failed) = tally(system).late;
    1.0 - f64::from(failed) / f64::from(over.max(1))
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[REGISTRY, ROW_REGISTRY],
        shows: &[
            figure(ROW_UP, "up").is(6.0),
            figure(ROW_REGISTRY, "listed").is(6.0),
            figure(SCORE, "wrong").is(0.0),
        ],
        predict: Some(Prediction {
            id: "dead",
            options: &["beat", "lease", "sweep"],
            truth: |system| {
                let struck = tally(system).turned[REGISTRY_ROW]?;
                if tally(system).deed != "loses-power" {
                    return None;
                }
                // By what decides: the lease runs out six to nine seconds after the death, and nothing happens before a sweep.
                Some(match struck.since(tally(system).since).as_s() {
                    x if x < 5.0 => 0,
                    _ if world(system).rules.sweep == Time::ZERO => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "dead",
        setup: &[
            Setup::Act("calm", 0),
            Setup::Act("power", VICTIM),
            Setup::Speed(2.0),
        ],
        when: |system| did(system, "loses-power", 1.0) && tally(system).struck > 0,
        points: &[VICTIM_PART, ROW_REGISTRY],
        shows: &[
            figure(ROW_REGISTRY, "after").within(5.9, 15.2),
            figure(ROW_REGISTRY, "listed").is(5.0),
            figure(ROW_UP, "up").is(5.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "gone",
        setup: &[Setup::Speed(1.0)],
        when: |system| did(system, "loses-power", 1.0) && all_know(world(system)),
        points: &[VICTIM_PART, SCORE],
        shows: &[
            figure(SCORE, "last").within(5.9, 18.3),
            figure(SCORE, "to-ghosts").within(15.0, 60.0),
            figure(SCORE, "wrong").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "next",
        setup: &[
            Setup::Act("calm", 0),
            Setup::Twin("fails", 0.0),
            Setup::Set("fails", 1.0),
            Setup::Act("power", VICTIM),
            Setup::Speed(1.5),
        ],
        when: |system| did(system, "loses-power", 5.5) && tally(system).ghosts >= 10,
        points: &[SCORE, VICTIM_PART],
        shows: &[
            figure(SCORE, "to-ghosts").at_least(10.0),
            figure(SCORE, "failed").at_most(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "storm",
        setup: &[
            Setup::Alone,
            Setup::Set("fails", 0.0),
            Setup::Set("beat", 0.5),
            Setup::Set("lease", 1.5),
            Setup::Set("sweep", 0.5),
            Setup::Set("lists", 0.5),
            Setup::Act("calm", 0),
            Setup::Twin("detector", 1.0),
            Setup::Act("storm", 0),
            Setup::Speed(4.5),
        ],
        when: |system| {
            let world = world(system);
            let missing = world.up() & !world.listed() != 0;
            let many = tally(system).wrongly >= 4;
            did(system, "storm", 15.0) && many && missing || did(system, "storm", 32.0)
        },
        points: &[ROW_REGISTRY, SCORE],
        shows: &[
            figure(SCORE, "wrongly").at_least(3.0),
            figure(SCORE, "talk/s").within(8.0, 32.0),
        ],
        predict: Some(Prediction {
            id: "cut",
            options: &["all", "most", "half"],
            truth: |system| {
                did(system, "cut", 40.0).then(|| match in_the_end(system) {
                    x if x > 0.98 => 0,
                    x if x > 0.65 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "cut",
        setup: &[
            Setup::Alone,
            Setup::Set("beat", 3.0),
            Setup::Set("lease", 9.0),
            Setup::Set("sweep", 6.0),
            Setup::Set("lists", 3.0),
            Setup::Act("calm", 0),
            Setup::Twin("preserves", 1.0),
            Setup::Act("cut", 0),
            Setup::Speed(6.0),
        ],
        when: |system| did(system, "cut", 40.0),
        points: &[ROW_REGISTRY, CUT_PART, SCORE],
        shows: &[
            figure(ROW_REGISTRY, "listed").is(3.0),
            figure(ROW_UP, "up").is(6.0),
            figure(SCORE, "failed").at_least(20.0),
        ],
        predict: Some(Prediction {
            id: "keep",
            options: &["fifteen", "thirty", "never"],
            truth: |system| {
                if tally(system).deed != "loses-power" || !world(system).rules.preserves {
                    return None;
                }
                match tally(system).turned[REGISTRY_ROW] {
                    Some(at) if at.since(tally(system).since) < Time::s(20) => Some(0),
                    Some(_) => Some(1),
                    None => for_s(system, 32.0).then_some(2),
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "keep",
        setup: &[
            Setup::Alone,
            Setup::Set("preserves", 1.0),
            Setup::Act("calm", 0),
            Setup::Act("power", VICTIM),
            Setup::Speed(5.0),
        ],
        when: |system| did(system, "loses-power", 32.0) && world(system).kept.is_some(),
        points: &[ROW_REGISTRY, REGISTRY],
        shows: &[
            figure(REGISTRY, "expected").is(12.0),
            figure(REGISTRY, "came").is(10.0),
            figure(REGISTRY, "threshold").is(10.0),
            figure(ROW_REGISTRY, "ghosts").is(1.0),
        ],
        predict: Some(Prediction {
            id: "silent",
            options: &["fail", "on", "sixth"],
            truth: |system| {
                let world = world(system);
                let settled = !world.running && did(system, "loses-power", 9.0);
                settled.then(|| match fine(system) {
                    x if x < 0.5 => 0,
                    x if x > 0.95 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "silent",
        setup: &[
            Setup::Set("preserves", 0.0),
            Setup::Act("calm", 0),
            Setup::Act("stop", 0),
            Setup::Act("power", VICTIM),
            Setup::Speed(3.0),
        ],
        when: |system| !world(system).running && did(system, "loses-power", 20.0),
        points: &[REGISTRY, ROW_PARTS[1], VICTIM_PART],
        shows: &[
            figure(SCORE, "fine %").within(72.0, 92.0),
            figure(ROW_PARTS[1], "ghosts").is(1.0),
            figure(ROW_PARTS[2], "ghosts").is(1.0),
            figure(ROW_PARTS[3], "ghosts").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "hung",
        setup: &[
            Setup::Act("calm", 0),
            Setup::Twin("tells", 0.0),
            Setup::Set("tells", 1.0),
            Setup::Act("hang", VICTIM),
            Setup::Speed(1.5),
        ],
        when: |system| did(system, "hangs", 5.0) && all_know(world(system)),
        points: &[VICTIM_PART, ROW_REGISTRY],
        shows: &[
            figure(ROW_REGISTRY, "after").within(2.0, 5.0),
            figure(ROW_REGISTRY, "listed").is(5.0),
        ],
        predict: Some(Prediction {
            id: "deploy",
            options: &["none", "some", "sixth"],
            truth: |system| {
                let tally = tally(system);
                let share = f64::from(tally.failed) / f64::from(tally.over.max(1));
                deployed(system).then_some(match share {
                    x if x < 0.01 => 0,
                    x if x < 0.12 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "deploy",
        setup: &[
            Setup::Alone,
            Setup::Set("tells", 0.0),
            Setup::Act("calm", 0),
            Setup::Twin("stays", 3.5),
            Setup::Act("deploy", 0),
            Setup::Speed(4.0),
        ],
        when: deployed,
        points: &[SCORE, ROW_PARTS[1]],
        shows: &[
            figure(SCORE, "to-ghosts").at_least(6.0),
            figure(SCORE, "failed").at_least(6.0),
            figure(SCORE, "wrong").at_least(1.0),
            figure(ROW_UP, "up").is(6.0),
        ],
        ..Beat::at_once()
    },
];

/// The last copy of a deployment has gone, and some caller still believes in it, or would if it had not fetched its list.
fn deployed(system: &System) -> bool {
    let Some(at) = tally(system).replaced else {
        return false;
    };
    let gone = system.now.since(at);
    let (ghosts, _) = world(system).wrong();
    gone >= Time::ms(300) && (ghosts > 0 || gone >= Time::s(4))
}

/// Since when something holds of what has been done, if it does.
fn since(system: &System, holds: bool) -> Option<Time> {
    holds.then_some(tally(system).since)
}

/// The load and the copies that a challenge is about, at least.
fn in_earnest(world: &World) -> bool {
    world.rules.load >= 15.0 && world.rules.copies <= 6
}

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "nobody",
        progress: |system, now| {
            let (world, tally) = (world(system), tally(system));
            let counts = tally.deed == "loses-power" && tally.failed == 0 && in_earnest(world);
            let enough = f64::from(tally.over.min(300)) / 300.0;
            let held = Progress::held(since(system, counts), now, 20.0).share();
            Progress::of((enough.min(held) * 300.0).floor(), 300.0)
        },
        solution: &[
            Setup::Set("fails", 1.0),
            Setup::Act("power", VICTIM),
            Setup::Wait(Time::s(25)),
        ],
    },
    Challenge {
        id: "kept",
        progress: |system, now| {
            let (world, tally) = (world(system), tally(system));
            let counts = tally.deed == "cut"
                && tally.struck == 0
                && tally.failed == 0
                && world.rules.load >= 15.0;
            Progress::held(since(system, counts), now, 20.0)
        },
        solution: &[
            Setup::Set("preserves", 1.0),
            Setup::Act("cut", 0),
            Setup::Wait(Time::s(25)),
        ],
    },
    Challenge {
        id: "clean",
        progress: |system, now| {
            let (world, tally) = (world(system), tally(system));
            let counts = tally.deed == "deploy"
                && tally.failed == 0
                && world.rules.fails == 0
                && world.rules.copies >= 6
                && world.rules.load >= 15.0;
            Progress::held(tally.replaced.filter(|_| counts), now, 6.0)
        },
        solution: &[
            Setup::Set("stays", 3.5),
            Setup::Act("deploy", 0),
            Setup::Wait(Time::s(36)),
        ],
    },
    Challenge {
        id: "quick",
        progress: |system, now| {
            let (world, tally) = (world(system), tally(system));
            let within = |at: &Option<Time>| {
                let soon = |at: Time| at.since(tally.since) <= Time::s(6);
                at.is_none_or(soon) && (at.is_some() || now.since(tally.since) <= Time::s(6))
            };
            let rows = world.rows();
            let counts = tally.deed == "loses-power"
                && world.rules.lost >= 0.2
                && !world.rules.asks
                && tally.wrongly == 0
                && tally.turned[rows].iter().all(within);
            Progress::held(since(system, counts), now, 30.0)
        },
        solution: &[
            Setup::Set("lost", 20.0),
            Setup::Set("beat", 0.5),
            Setup::Set("lease", 4.0),
            Setup::Set("sweep", 0.5),
            Setup::Set("lists", 0.5),
            Setup::Act("power", VICTIM),
            Setup::Wait(Time::s(35)),
        ],
    },
    Challenge {
        id: "morning",
        progress: |system, now| {
            let (world, tally) = (world(system), tally(system));
            let counts = tally.deed == "restart"
                && world.running
                && tally.shortest >= 6
                && world.listed().count_ones() >= 6
                && now >= world.silent_until
                && world.rules.lists <= Time::s(3)
                && world.rules.beat >= Time::s(3)
                && !world.rules.asks;
            Progress::held(since(system, counts), now, 10.0)
        },
        solution: &[
            Setup::Set("silent", 3.5),
            Setup::Act("restart", 0),
            Setup::Wait(Time::s(14)),
        ],
    },
];
