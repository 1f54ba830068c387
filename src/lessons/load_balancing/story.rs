//! The story, its two predictions, and things to try.

use super::model::{BALANCER, CLIENTS_PART, LoadBalancing, server_part};
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const ROUND_ROBIN: f64 = 1.0;
const LEAST_CONNECTIONS: f64 = 3.0;
/// The server that everything happens to: the second.
const VICTIM: usize = 1;
const VICTIM_PART: PartId = server_part(VICTIM);
const VICTIM_LINK: PartId = PartId::nth("link", 2);

fn waiting_at(model: &LoadBalancing, server: usize) -> usize {
    model
        .servers
        .get(server)
        .map_or(0, |server| server.queue.len())
}

pub(super) const STORY: &[Beat<LoadBalancing>] = &[
    Beat {
        id: "meet",
        setup: &[],
        when: |_| true,
        points: &[],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "drown",
        setup: &[
            Setup::Set("policy", ROUND_ROBIN),
            Setup::Set("load", 30.0),
            Setup::Set("service", 100.0),
            Setup::Set("servers", 1.0),
        ],
        when: |model| model.servers.len() == 1 && waiting_at(model, 0) >= 18,
        points: &[server_part(0), PartId::nth("link", 1)],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "second",
        setup: &[Setup::Set("servers", 2.0)],
        when: |model| model.servers.len() == 2 && model.waiting() <= 2,
        points: &[server_part(0), server_part(1)],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "third",
        setup: &[
            Setup::Set("servers", 3.0),
            Setup::Set("policy", ROUND_ROBIN),
        ],
        // Long enough to see the turns go round several times.
        when: |model| model.servers.len() == 3 && model.servers[2].served >= 10,
        points: &[BALANCER, PartId::one("server")],
        shows: &[],
        predict: Some(Prediction {
            id: "slow",
            options: &["same", "fewer", "none"],
            hides: &[],
            truth: |model| {
                let slow = model.servers.get(VICTIM)?;
                (slow.slow && slow.queue.len() >= 8).then_some(0)
            },
        }),
    },
    Beat {
        id: "blind",
        setup: &[
            Setup::Set("policy", ROUND_ROBIN),
            Setup::Set("load", 30.0),
            Setup::Act("slow", VICTIM),
        ],
        when: |model| {
            model.servers.get(VICTIM).is_some_and(|server| server.slow)
                && waiting_at(model, VICTIM) >= 8
        },
        points: &[VICTIM_PART, VICTIM_LINK],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "route-around",
        setup: &[
            Setup::Twin("policy", ROUND_ROBIN),
            Setup::Set("policy", LEAST_CONNECTIONS),
        ],
        when: |model| waiting_at(model, VICTIM) <= 1 && model.watch.picks.iter().sum::<u32>() >= 60,
        points: &[VICTIM_PART],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "healthy",
        setup: &[
            Setup::Alone,
            Setup::Act("recover", VICTIM),
            Setup::Set("policy", ROUND_ROBIN),
            Setup::Set("check", 1.0),
            Setup::Set("fall", 2.0),
        ],
        when: |model| {
            let well = |server: &super::model::Server| {
                !server.slow && server.crashed.is_none() && !server.out()
            };
            let rounds = model.watch.picks.iter().sum::<u32>() >= 36;
            model.servers.iter().all(well) && model.waiting() <= 2 && rounds
        },
        points: &[BALANCER, VICTIM_PART],
        shows: &[],
        predict: Some(Prediction {
            id: "crash",
            options: &["all", "share", "none"],
            hides: &[],
            truth: |model| {
                let crash = model.watch.crash.filter(|crash| crash.server == VICTIM)?;
                crash.noticed?;
                // What happened, not what the story expects: with another policy the answer may differ.
                Some(match crash.picked_dead * 100 / crash.picked.max(1) {
                    60.. => 0,
                    5.. => 1,
                    _ => 2,
                })
            },
        }),
    },
    Beat {
        id: "unnoticed",
        setup: &[Setup::Act("crash", VICTIM)],
        when: |model| {
            model
                .watch
                .crash
                .is_some_and(|crash| crash.server == VICTIM && crash.picked_dead >= 7)
        },
        points: &[VICTIM_PART, VICTIM_LINK],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "noticed",
        setup: &[],
        // A moment later, when what was on its way has failed and nothing new does.
        when: |model| {
            let noticed = model.watch.crash.and_then(|crash| crash.noticed);
            let out = |server: &super::model::Server| server.crashed.is_some() && server.out();
            model.servers.get(VICTIM).is_some_and(out)
                && noticed.is_some_and(|at| model.now.since(at) >= Time::ms(600))
        },
        points: &[BALANCER, VICTIM_PART, VICTIM_LINK],
        shows: &[],
        predict: None,
    },
    Beat {
        id: "yours",
        setup: &[Setup::Act("recover", VICTIM)],
        when: |model| {
            model
                .servers
                .get(VICTIM)
                .is_some_and(|server| server.crashed.is_none() && !server.out())
        },
        points: &[CLIENTS_PART, BALANCER, VICTIM_PART],
        shows: &[],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<LoadBalancing>] = &[
    // `clean_since` also moves while the load is below 100 req/s.
    Challenge {
        id: "steady",
        progress: |model, _| Progress::all(model.now.since(model.watch.clean_since) >= Time::s(10)),
        solution: &[],
    },
    Challenge {
        id: "survive",
        progress: |model, _| {
            Progress::all({
                model.watch.crash.is_some_and(|crash| {
                    let all = crash.served + crash.failed;
                    crash.alone
                        && crash.load_per_s >= 30.0
                        && crash.noticed.is_some()
                        && model.now.since(crash.at) >= Time::s(8)
                        && all >= 200
                        && crash.failed * 100 < all
                })
            })
        },
        solution: &[],
    },
    Challenge {
        id: "calm",
        progress: |model, _| {
            Progress::all({
                model
                    .watch
                    .calm_since
                    .is_some_and(|since| model.now.since(since) >= Time::s(8))
            })
        },
        solution: &[],
    },
    Challenge {
        id: "black-hole",
        progress: |model, _| {
            Progress::all({
                model.watch.crash.is_some_and(|crash| {
                    let fair = crash.picked as usize / model.servers.len().max(1);
                    crash.picked_dead >= 10 && crash.picked_dead as usize >= 2 * fair
                })
            })
        },
        solution: &[],
    },
    Challenge {
        id: "lopsided",
        progress: |model, _| {
            Progress::all({
                let healthy = model.servers.len() >= 3
                    && model
                        .servers
                        .iter()
                        .all(|server| !server.slow && !server.out() && server.crashed.is_none());
                let all: u32 = model.watch.picks.iter().sum();
                let most = model.watch.picks.iter().copied().max().unwrap_or(0);
                let least = model
                    .watch
                    .picks
                    .iter()
                    .take(model.servers.len())
                    .copied()
                    .min()
                    .unwrap_or(0);
                healthy && all >= 150 && most >= 2 * least.max(1)
            })
        },
        solution: &[],
    },
];
