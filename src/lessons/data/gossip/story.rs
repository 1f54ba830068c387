//! The story, its predictions, and things to try.

use super::state::{ACCUSED, CALLS, LISTS, Village, node};
use algorithms::membership::RUMOUR;
use algorithms::swim::Health;
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const NINE: PartId = node(9);
/// The sleeper of the story.
const SLEEPER: usize = 24;

fn all_know(model: &Village) -> bool {
    model.news.is_some_and(|news| news.all.is_some())
}

fn first_suspicion(model: &Village) -> Option<Time> {
    let ordeal = model.ordeal?;
    Some(ordeal.first?.since(ordeal.since))
}

/// Whom nobody missed by so long after it fell asleep is awake, and was not suspected: one sleep of 25 goes unnoticed.
const UNNOTICED: Time = Time::s(7);

fn is_back(model: &Village) -> bool {
    model.ordeal.is_some_and(|ordeal| {
        let unnoticed = ordeal.first.is_none() && model.now.since(ordeal.since) >= UNNOTICED;
        ordeal.back.is_some() || unnoticed
    })
}

pub(super) const STORY: &[Beat<Village>] = &[
    Beat {
        id: "meet",
        points: &[LISTS],
        shows: &[
            figure(LISTS, "know").is(2.0),
            figure(LISTS, "unknown").is(31.0),
        ],
        predict: Some(Prediction {
            id: "rounds",
            options: &["five", "nine", "many"],
            truth: |model| {
                let rounds = model.news?.all?;
                // Nearest of 5, 9 and 32.
                Some(usize::from(rounds >= 7) + usize::from(rounds >= 20))
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "curve",
        setup: &[Setup::Speed(0.35)],
        when: all_know,
        points: &[LISTS, CALLS],
        shows: &[
            figure(CALLS, "half").at_least(2.0),
            figure(CALLS, "rounds").at_least(6.0),
            figure(CALLS, "idle").at_least(40.0),
            figure(CALLS, "calls").shown(),
            figure(LISTS, "unknown").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "both",
        setup: &[
            Setup::Act("heal", 0),
            Setup::Twin("telling", 2.0),
            Setup::Act("tell", 0),
            Setup::Speed(0.4),
        ],
        when: all_know,
        points: &[CALLS, LISTS],
        shows: &[
            figure(CALLS, "rounds").at_least(5.0),
            figure(LISTS, "unknown").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "tired",
        setup: &[
            Setup::Alone,
            Setup::Set("told", 1.0),
            Setup::Act("tell", 0),
            Setup::Speed(0.4),
        ],
        when: Village::is_quiet,
        points: &[LISTS],
        shows: &[
            figure(LISTS, "unknown").at_least(1.0),
            figure(LISTS, "quiet").is(1.0),
        ],
        predict: Some(Prediction {
            id: "size",
            options: &["later", "as-soon", "sooner"],
            truth: |model| {
                let first = first_suspicion(model).filter(|_| model.knobs.nodes == 96)?;
                Some(usize::from(first < Time::s(5)))
            },
            hides: &[],
        }),
    },
    Beat {
        id: "noticed",
        setup: &[
            Setup::Set("told", 4.0),
            Setup::Set("fan-out", 3.0),
            Setup::Set("nodes", 96.0),
            Setup::Act("crash", 8),
            Setup::Speed(1.0),
        ],
        when: |model| {
            let column = model.ordeal.map(|ordeal| model.column(ordeal.of));
            column.is_some_and(|column| 2 * column.suspect >= column.lists())
        },
        points: &[LISTS, NINE],
        shows: &[
            figure(LISTS, "first").at_most(6.0),
            figure(LISTS, "suspect").at_least(48.0),
            figure(NINE, "up").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "suspect",
        setup: &[
            Setup::Set("nodes", 32.0),
            Setup::Act("crash", 8),
            Setup::Speed(2.0),
        ],
        when: |model| model.ordeal.is_some_and(|ordeal| ordeal.dead.is_some()),
        points: &[LISTS, NINE],
        shows: &[
            figure(LISTS, "verdict").within(6.0, 16.0),
            figure(LISTS, "dead").is(31.0),
        ],
        predict: Some(Prediction {
            id: "sleep",
            options: &["out", "back", "unnoticed"],
            truth: |model| {
                let ordeal = model.ordeal.filter(|it| it.slept > Time::ZERO)?;
                match () {
                    () if ordeal.called_dead => Some(0),
                    () if ordeal.back.is_some() => Some(1),
                    () if is_back(model) => Some(2),
                    () => None,
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "refute",
        setup: &[
            Setup::Act("heal", 0),
            Setup::Act("sleep", SLEEPER),
            Setup::Speed(1.0),
        ],
        when: is_back,
        points: &[LISTS],
        shows: &[
            figure(LISTS, "number").at_least(1.0),
            figure(LISTS, "suspect").is(0.0),
            figure(LISTS, "dead").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "helpers",
        setup: &[
            Setup::Act("heal", 0),
            Setup::Set("loss", 10.0),
            Setup::Set("helpers", 0.0),
            Setup::Twin("helpers", 3.0),
            Setup::Speed(4.0),
        ],
        when: |model| model.now.since(model.since) >= Time::s(30),
        points: &[ACCUSED],
        shows: &[figure(ACCUSED, "accused").within(100.0, 260.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "accuser",
        setup: &[
            Setup::Alone,
            Setup::Set("loss", 0.0),
            Setup::Set("helpers", 3.0),
            Setup::Act("slow", 8),
            Setup::Speed(2.5),
        ],
        when: |model| model.accused >= 20,
        points: &[ACCUSED, LISTS],
        shows: &[
            figure(ACCUSED, "who").is(9.0),
            figure(ACCUSED, "keenest").within(6.0, 15.0),
        ],
        predict: Some(Prediction {
            id: "cut",
            options: &["one", "minute", "two"],
            truth: |model| {
                let healed = model.healed.filter(|_| model.half > 0)?;
                let long = model.now.since(healed) >= Time::s(20);
                match () {
                    () if model.is_whole() => Some(1),
                    () if long => Some(2),
                    () => None,
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "cut",
        setup: &[
            Setup::Act("heal", 0),
            Setup::Act("cut", 0),
            Setup::Speed(6.0),
        ],
        when: |model| {
            model
                .healed
                .is_some_and(|healed| model.now.since(healed) >= Time::s(20))
        },
        points: &[LISTS],
        shows: &[figure(LISTS, "worlds").is(1.0)],
        ..Beat::at_once()
    },
];

/// How long somebody slept that no list took for dead, and that all hold for alive again, in s.
fn slept_well(model: &Village, now: Time) -> f64 {
    let Some(ordeal) = model
        .ordeal
        .filter(|it| !it.called_dead && it.back.is_some())
    else {
        return 0.0;
    };
    let calm = ordeal.back.map_or(Time::ZERO, |back| now.since(back));
    if calm > Time::ZERO {
        ordeal.slept.as_s()
    } else {
        0.0
    }
}

pub(super) const CHALLENGES: &[Challenge<Village>] = &[
    Challenge {
        id: "second",
        progress: |model, _| {
            let news = model.news.filter(|_| model.size >= 100);
            let done = news.is_some_and(|news| {
                let quick = news
                    .all
                    .is_some_and(|rounds| f64::from(rounds) * model.knobs.round <= 1_000.0);
                quick && news.about == RUMOUR && news.calls <= CALLS_MAX
            });
            Progress::all(done)
        },
        solution: &[
            Setup::Set("nodes", 100.0),
            Setup::Set("telling", 2.0),
            Setup::Set("fan-out", 2.0),
            Setup::Act("tell", 0),
            Setup::Wait(Time::s(2)),
        ],
    },
    Challenge {
        id: "sleep",
        progress: |model, now| Progress::of(slept_well(model, now), 12.0),
        solution: &[
            Setup::Set("suspicion", 12.0),
            Setup::Wait(Time::s(1)),
            Setup::Act("sleep", 8),
            Setup::Act("sleep", 8),
            Setup::Act("sleep", 8),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "dubio",
        progress: |model, now| {
            let lossy = model.knobs.loss >= 10.0 && model.size >= 32 && model.accused <= 30;
            let held = now.since(model.since).as_s().min(60.0);
            Progress::of(if lossy { held } else { 0.0 }, 60.0)
        },
        solution: &[Setup::Set("loss", 10.0), Setup::Wait(Time::s(61))],
    },
    Challenge {
        id: "ghost",
        progress: |model, now| {
            let dead = model.ordeal.filter(|it| !model.cluster.is_up(it.of));
            let ghost = dead.filter(|it| {
                let alive = |list| model.health(list, it.of) == Some(Health::Alive);
                model.ids().any(alive)
            });
            let since = ghost.map(|it| it.since);
            Progress::of(
                since.map_or(0.0, |since| now.since(since).as_s().min(60.0)),
                60.0,
            )
        },
        solution: &[
            Setup::Set("forgets", 1.0),
            Setup::Act("crash", 8),
            Setup::Wait(Time::s(90)),
        ],
    },
    Challenge {
        id: "worlds",
        progress: |model, now| {
            let healed = model.healed.filter(|_| model.two_worlds());
            Progress::held(healed, now, 60.0)
        },
        solution: &[
            Setup::Set("fan-out", 3.0),
            Setup::Act("cut", 0),
            Setup::Wait(Time::s(90)),
        ],
    },
];

/// So many calls may bring a rumour to a hundred.
const CALLS_MAX: u32 = 500;
