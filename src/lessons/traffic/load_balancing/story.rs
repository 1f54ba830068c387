//! The story, its two predictions, and things to try.

use super::{BALANCER_PART as BALANCER, CLIENTS_PART, Seen, Server, sent, server, servers};
use engine::claim::{figure, line};
use engine::{Beat, Challenge, PartId, Prediction, Progress, Scale, Setup, Time};
use kit::system::{Count, System};

const ROUND_ROBIN: f64 = 1.0;
const LEAST_CONNECTIONS: f64 = 3.0;
const IP_HASH: f64 = 5.0;
/// The server that everything happens to: the second.
const VICTIM: usize = 1;
const VICTIM_PART: PartId = server_part(VICTIM);
const VICTIM_LINK: PartId = PartId::nth("link", 2);

const fn server_part(index: usize) -> PartId {
    PartId::nth("server", index as u16 + 1)
}

/// Whether this holds of a server.
fn is(system: &System, index: usize, so: impl FnOnce(Server) -> bool) -> bool {
    server(system, index).is_some_and(so)
}

fn waiting_at(system: &System, index: usize) -> usize {
    server(system, index).map_or(0, |server| server.waiting)
}

/// The server that is the victim was picked so often since it crashed; how often all were; when it was noticed.
fn victims_crash(system: &System) -> Option<(u32, u32, Option<Time>)> {
    let crash = system.own::<Seen>().crash?;
    (crash.server == VICTIM_PART).then_some((crash.picked_dead, crash.picked, crash.noticed))
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        shows: &[
            figure(CLIENTS_PART, "load").is(30.0),
            figure(server_part(0), "waiting").at_most(6.0),
            figure(server_part(2), "waiting").at_most(6.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "drown",
        setup: &[
            Setup::Speed(0.5),
            Setup::Set("policy", ROUND_ROBIN),
            Setup::Set("load", 30.0),
            Setup::Set("service", 100.0),
            Setup::Set("servers", 1.0),
        ],
        when: |model| servers(model) == 1 && waiting_at(model, 0) >= 18,
        points: &[server_part(0), PartId::nth("link", 1)],
        shows: &[
            figure(server_part(0), "busy").is(1.0),
            figure(server_part(0), "waiting").at_least(18.0),
        ],
        predict: None,
    },
    Beat {
        id: "second",
        setup: &[Setup::Speed(1.0), Setup::Set("servers", 2.0)],
        when: |model| servers(model) == 2 && model.waiting() <= 2,
        points: &[server_part(0), server_part(1)],
        shows: &[
            figure(server_part(0), "waiting").at_most(2.0),
            figure(server_part(1), "waiting").at_most(2.0),
            figure(server_part(1), "done").at_least(1.0),
        ],
        predict: None,
    },
    Beat {
        id: "third",
        setup: &[
            Setup::Speed(0.25),
            Setup::Set("servers", 3.0),
            Setup::Set("policy", ROUND_ROBIN),
        ],
        // Long enough to see the turns go round several times.
        when: |model| servers(model) == 3 && is(model, 2, |server| server.done >= 10),
        points: &[BALANCER, PartId::one("server")],
        shows: &[
            figure(CLIENTS_PART, "load").is(30.0),
            figure(server_part(2), "done").at_least(10.0),
        ],
        predict: Some(Prediction {
            id: "slow",
            options: &["same", "fewer", "none"],
            hides: &[],
            truth: |model| {
                let slow = server(model, VICTIM)?;
                let then = model.own::<Seen>().slowed?;
                let all = sent(model).saturating_sub(then.all);
                let here = slow.sent.saturating_sub(then.sent);
                // What happened, not what the story expects: with another policy the answer may differ.
                (slow.slow && slow.waiting >= 8 && all >= 12).then(|| match here * 100 / all {
                    22.. => 0,
                    5.. => 1,
                    _ => 2,
                })
            },
        }),
    },
    Beat {
        id: "blind",
        setup: &[
            Setup::Speed(0.4),
            Setup::Set("policy", ROUND_ROBIN),
            Setup::Set("load", 30.0),
            Setup::Act("slow", VICTIM),
        ],
        when: |model| is(model, VICTIM, |server| server.slow && server.waiting >= 8),
        points: &[VICTIM_PART, VICTIM_LINK],
        shows: &[figure(VICTIM_PART, "waiting").at_least(8.0)],
        predict: None,
    },
    Beat {
        id: "route-around",
        setup: &[
            Setup::Speed(0.6),
            Setup::Twin("policy", ROUND_ROBIN),
            Setup::Set("policy", LEAST_CONNECTIONS),
        ],
        when: |model| waiting_at(model, VICTIM) <= 1 && sent(model) >= 60,
        points: &[VICTIM_PART],
        shows: &[
            figure(VICTIM_PART, "waiting").at_most(1.0),
            line("latency", "p50").at_most(250.0),
            line("waiting", "waiting").at_most(8.0),
        ],
        predict: None,
    },
    Beat {
        id: "healthy",
        setup: &[
            Setup::Alone,
            Setup::Speed(0.25),
            Setup::Act("recover", VICTIM),
            Setup::Set("policy", ROUND_ROBIN),
            Setup::Set("check", 1.0),
            Setup::Set("fall", 2.0),
        ],
        when: |model| {
            let well = |server: Server| !server.ill && !server.out;
            let rounds = sent(model) >= 36;
            (0..servers(model)).all(|i| is(model, i, well)) && model.waiting() <= 2 && rounds
        },
        points: &[BALANCER, VICTIM_PART],
        shows: &[figure(VICTIM_PART, "waiting").at_most(2.0)],
        predict: Some(Prediction {
            id: "crash",
            options: &["all", "share", "none"],
            hides: &[],
            truth: |model| {
                let (dead, all, noticed) = victims_crash(model)?;
                noticed?;
                // What happened, not what the story expects: with another policy the answer may differ.
                Some(match dead * 100 / all.max(1) {
                    60.. => 0,
                    5.. => 1,
                    _ => 2,
                })
            },
        }),
    },
    Beat {
        id: "unnoticed",
        setup: &[Setup::Speed(0.25), Setup::Act("crash", VICTIM)],
        // Some of what was sent there has come back failed, and can be seen.
        when: |model| victims_crash(model).is_some_and(|(dead, _, _)| dead >= 7),
        points: &[VICTIM_PART, VICTIM_LINK],
        shows: &[figure(VICTIM_PART, "failed").at_least(1.0)],
        predict: None,
    },
    Beat {
        id: "noticed",
        setup: &[Setup::Speed(0.4)],
        // A moment later, when what was on its way has failed and nothing new does.
        when: |model| {
            let noticed = victims_crash(model).and_then(|(_, _, noticed)| noticed);
            is(model, VICTIM, |server| server.down && server.out)
                && noticed.is_some_and(|at| model.now.since(at) >= Time::ms(1_500))
        },
        points: &[BALANCER, VICTIM_PART, VICTIM_LINK],
        shows: &[line("served", "failed").is(0.0)],
        predict: None,
    },
    Beat {
        id: "yours",
        setup: &[Setup::Speed(0.4), Setup::Act("recover", VICTIM)],
        // It gets its turns again.
        when: |model| {
            is(model, VICTIM, |server| {
                !server.down && !server.out && server.sent >= 3
            })
        },
        points: &[CLIENTS_PART, BALANCER, VICTIM_PART],
        shows: &[line("served", "failed").is(0.0)],
        predict: None,
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "steady",
        progress: |model, now| Progress::held(model.own::<Seen>().clean.since(), now, 10.0),
        solution: &[
            Setup::Set("policy", LEAST_CONNECTIONS),
            Setup::Set("servers", 8.0),
            Setup::Set("load", 110.0),
            Setup::Wait(Time::s(25)),
        ],
    },
    Challenge {
        id: "survive",
        progress: |model, now| {
            let (crash, since) = (model.own::<Seen>().crash, model.since("crashed"));
            let (Some(crash), Some(since)) = (crash, since) else {
                return Progress::of(0.0, 200.0);
            };
            let row = since.all();
            let (done, failed) = (row.of(Count::Done), row.of(Count::Failed));
            let all = done + failed;
            let counts = crash.alone && crash.load_per_s >= 30.0 && failed * 100 < all;
            let settled = crash.noticed.is_some() && now.since(crash.at) >= Time::s(8);
            let far = if settled { all.min(200) } else { all.min(199) };
            Progress::of(if counts { f64::from(far) } else { 0.0 }, 200.0)
        },
        solution: &[
            Setup::Set("servers", 8.0),
            Setup::Set("load", 60.0),
            Setup::Set("check", 0.5),
            Setup::Set("fall", 1.0),
            Setup::Wait(Time::s(2)),
            Setup::Act("crash", VICTIM),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "calm",
        progress: |model, now| Progress::held(model.own::<Seen>().calm.since(), now, 8.0),
        solution: &[
            Setup::Set("policy", LEAST_CONNECTIONS),
            Setup::Set("servers", 5.0),
            Setup::Set("load", 40.0),
            Setup::Act("slow", VICTIM),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "black-hole",
        progress: |model, _| {
            let crash = model.own::<Seen>().crash;
            let Some(crash) = crash.filter(|crash| crash.picked_dead >= 10) else {
                return Progress::of(0.0, 2.0);
            };
            let fair = f64::from(crash.picked) / servers(model).max(1) as f64;
            Progress::of(f64::from(crash.picked_dead) / fair.max(1.0), 2.0)
        },
        solution: &[
            Setup::Set("policy", LEAST_CONNECTIONS),
            Setup::Set("load", 80.0),
            Setup::Set("check", 3.0),
            Setup::Wait(Time::s(2)),
            Setup::Act("crash", VICTIM),
            Setup::Wait(Time::s(5)),
        ],
    },
    Challenge {
        id: "lopsided",
        progress: |model, _| {
            let count = servers(model);
            let well = count >= 3 && (0..count).all(|i| is(model, i, |it| !it.ill && !it.out));
            let each = (0..count)
                .filter_map(|i| server(model, i))
                .map(|server| server.sent);
            let (most, least) = (each.clone().max().unwrap_or(0), each.min().unwrap_or(0));
            let counts = well && sent(model) >= 150;
            let times = f64::from(most) / f64::from(least.max(1));
            Progress::of(if counts { times } else { 0.0 }, 2.0)
        },
        solution: &[Setup::Set("policy", IP_HASH), Setup::Wait(Time::s(20))],
    },
];

/// Which numbers mean which answer.
pub(super) const SCALES: &[Scale] = &[Scale {
    question: "slow",
    range: [0.0, 15.0, 1.0],
    unit: "/s",
    answers: &[(0.0, 2), (2.0, 1), (7.0, 0)],
}];
