//! The story, its three predictions, and things to try.

use super::figure::{GOT, MOST, RECENT, STATES};
use super::{CHAIN, Got, INNER, NOW, Seen, WIRES, for_nobody, held, service};
use algorithms::circuit_breaker::State;
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Scale, Setup, Time};
use kit::system::{System, breaker_part};

const NO_BREAKER: f64 = 0.0;
const BOTH: f64 = 2.0;
const ERROR: f64 = 0.0;
const LAST_GOOD: f64 = 1.0;
const USERS: PartId = PartId::one("users");
const OTHERS: PartId = PartId::one("others");
const M1: PartId = service(0);
const M2: PartId = service(1);
const M3: PartId = service(2);
const BREAKER: PartId = breaker_part(INNER);
const LAST_LINK: PartId = PartId::nth("link", 3);
/// As it opens, and for what takes long and has been seen.
const SLOW: f64 = 0.3;
const FAST: f64 = 1.5;
/// So long after M3 is well it is told what users get.
const RELAPSE: Time = Time::s(10);

fn seen(system: &System) -> &Seen {
    system.own()
}

fn state(system: &System, place: u8) -> Option<State> {
    system.guard(place).map(|breaker| breaker.state)
}

/// How long M2's breaker has been in this state.
fn for_so_long(system: &System, wanted: State) -> Option<Time> {
    let breaker = system.guard(INNER)?;
    (breaker.state == wanted).then(|| system.now.since(breaker.since))
}

/// How long M3 has failed no call on purpose.
fn mended_for(system: &System) -> Option<Time> {
    Some(system.now.since(seen(system).mended?))
}

/// The share of users who get this now.
fn got(system: &System, got: Got) -> f64 {
    seen(system).share(got, NOW, system.now)
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[USERS, M1, M2, M3],
        shows: &[
            figure(GOT, "fresh %").is(100.0),
            figure(MOST, "calls").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "pile",
        setup: &[
            Setup::Set("breakers", NO_BREAKER),
            Setup::Set("retries", 4.0),
            Setup::Set("load", 8.0),
            Setup::Set("fail", 100.0),
            Setup::Speed(0.6),
        ],
        when: |system| {
            held(system, CHAIN[0]) >= 24
                && held(system, CHAIN[1]) >= 14
                && got(system, Got::Fresh) == 0.0
        },
        points: &[M1, M2, M3],
        shows: &[
            figure(M1, "busy").is(1.0),
            figure(M2, "held").at_least(14.0),
            figure(GOT, "fresh %").is(0.0),
        ],
        predict: Some(Prediction {
            id: "calls",
            options: &["five", "ten", "twenty-five"],
            hides: &[MOST],
            truth: |system| match seen(system).most {
                0..25 => None,
                _ => Some(2),
            },
        }),
    },
    Beat {
        id: "storm",
        when: |system| seen(system).most >= 25 && got(system, Got::Error) == 1.0,
        points: &[LAST_LINK, MOST],
        shows: &[
            figure(MOST, "calls").is(25.0),
            figure(LAST_LINK, "calls/s").at_least(40.0),
            figure(GOT, "errors %").is(100.0),
        ],
        predict: Some(Prediction {
            id: "mended",
            options: &["at-once", "backlog", "errors"],
            hides: &[],
            truth: |system| {
                if mended_for(system)? < RELAPSE {
                    return None;
                }
                Some(
                    match (got(system, Got::Error), for_nobody(system, CHAIN[2])) {
                        (0.5.., _) => 2,
                        (_, 1..) => 1,
                        _ => 0,
                    },
                )
            },
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "stuck",
        setup: &[Setup::Set("fail", 0.0), Setup::Speed(FAST)],
        when: |system| {
            mended_for(system).is_some_and(|span| span >= RELAPSE)
                && got(system, Got::Error) >= 0.9
                && for_nobody(system, CHAIN[2]) >= 12
        },
        points: &[M3, LAST_LINK, GOT],
        shows: &[
            figure(GOT, "errors %").at_least(90.0),
            figure(M3, "for-nobody").at_least(12.0),
            figure(M3, "busy").is(1.0),
            figure(LAST_LINK, "calls/s").at_least(17.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "trip",
        setup: &[
            Setup::Set("fallback", LAST_GOOD),
            Setup::Set("breakers", BOTH),
            Setup::Speed(SLOW),
        ],
        // A moment later, when the first calls have been seen to turn back at the switch.
        when: |system| for_so_long(system, State::Open).is_some_and(|it| it >= Time::ms(600)),
        points: &[BREAKER, RECENT],
        shows: &[
            figure(BREAKER, "open").is(1.0),
            figure(BREAKER, "refused").at_least(1.0),
            figure(RECENT, "failed").at_least(5.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "spare",
        setup: &[Setup::Speed(0.4)],
        when: |system| {
            state(system, INNER) == Some(State::Open)
                && system.waiting_at(CHAIN[2], 0) + held(system, CHAIN[2]) == 0
                && system
                    .wire(WIRES[2])
                    .and_then(|it| it.calls_per_s(system.now))
                    == Some(0.0)
                && got(system, Got::LastGood) >= 0.95
        },
        points: &[M3, BREAKER, GOT],
        shows: &[
            figure(LAST_LINK, "calls/s").is(0.0),
            figure(M3, "held").is(0.0),
            figure(M3, "waiting").is(0.0),
            figure(GOT, "stand-in %").at_least(95.0),
        ],
        predict: Some(Prediction {
            id: "probes",
            options: &["all", "few", "none"],
            hides: &[STATES],
            truth: |system| {
                let (probes, refused) = seen(system).half_open?;
                // What happened: with other knobs there may be nobody to refuse.
                Some(match (probes, refused) {
                    (0, _) => 2,
                    (11.., 0) => 0,
                    _ => 1,
                })
            },
        }),
    },
    Beat {
        id: "probe",
        setup: &[Setup::Speed(0.45)],
        when: |system| {
            state(system, INNER) == Some(State::HalfOpen)
                && system.guard(INNER).is_some_and(|it| it.passed >= 2)
                && system.frames().any(|(_, call)| call.is_probe())
        },
        points: &[BREAKER, STATES, LAST_LINK],
        shows: &[
            figure(BREAKER, "half-open").is(1.0),
            figure(BREAKER, "passed").is(2.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "closed",
        setup: &[Setup::Speed(0.6)],
        when: |system| {
            state(system, INNER) == Some(State::Closed) && got(system, Got::Fresh) >= 0.9
        },
        points: &[BREAKER, STATES, GOT],
        shows: &[
            figure(BREAKER, "closed").is(1.0),
            figure(GOT, "fresh %").at_least(90.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "compare",
        setup: &[
            Setup::Twin("breakers", NO_BREAKER),
            Setup::Act("overload", 0),
            Setup::Speed(FAST),
        ],
        when: |system| {
            let flood = seen(system).flood;
            flood.is_some_and(|flood| flood.is_over(system.now))
                && state(system, INNER) == Some(State::Closed)
                && got(system, Got::Fresh) >= 0.9
        },
        points: &[M3, GOT],
        shows: &[
            figure(BREAKER, "closed").is(1.0),
            figure(GOT, "fresh %").at_least(90.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Alone,
            Setup::Set("fallback", ERROR),
            Setup::Act("overload", 0),
            Setup::Act("refresh", 0),
            Setup::Speed(0.6),
        ],
        when: |system| {
            let open = |place| state(system, place) == Some(State::Open);
            let reload = seen(system).asked.per_s(0, NOW, system.now) >= 12.0;
            open(0) && open(INNER) && got(system, Got::Error) >= 0.5 && reload
        },
        points: &[OTHERS, breaker_part(0), BREAKER],
        shows: &[
            figure(breaker_part(0), "open").is(1.0),
            figure(BREAKER, "open").is(1.0),
            figure(GOT, "errors %").at_least(50.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    // Since the knobs last changed, so that a storm of before does not count.
    Challenge {
        id: "storm",
        progress: |system, _| Progress::of(f64::from(seen(system).most), 36.0),
        solution: &[
            Setup::Set("breakers", NO_BREAKER),
            Setup::Set("retries", 5.0),
            Setup::Set("fail", 100.0),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "fresh",
        progress: |system, now| {
            let flood = seen(system).flood.filter(|flood| {
                !flood.cut && flood.load_per_s >= 8.0 && flood.fresh * 2 >= flood.answers
            });
            Progress::held(flood.map(|flood| flood.began), now, 8.0)
        },
        solution: &[
            Setup::Set("queue", 4.0),
            Setup::Set("open", 0.5),
            Setup::Wait(Time::s(1)),
            Setup::Act("overload", 0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "unharmed",
        progress: |system, now| Progress::held(seen(system).unharmed.since(), now, 10.0),
        solution: &[
            Setup::Wait(Time::s(1)),
            Setup::Set("fail", 100.0),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "false-alarm",
        progress: |system, _| Progress::all(seen(system).false_alarm),
        solution: &[
            Setup::Set("window", 2.0),
            Setup::Set("fail", 20.0),
            Setup::Wait(Time::s(20)),
        ],
    },
    // First into the jam, then out of it.
    Challenge {
        id: "unhang",
        progress: |system, _| match (seen(system).hung, seen(system).unhung) {
            (_, true) => Progress::of(2.0, 2.0),
            (hung, _) => Progress::of(f64::from(u8::from(hung)), 2.0),
        },
        solution: &[
            Setup::Set("breakers", NO_BREAKER),
            Setup::Act("overload", 0),
            Setup::Wait(Time::s(9)),
            Setup::Set("retries", 0.0),
            Setup::Wait(Time::s(20)),
        ],
    },
];

/// Which numbers mean which answer.
pub(super) const SCALES: &[Scale] = &[Scale {
    question: "calls",
    range: [1.0, 30.0, 1.0],
    unit: "",
    answers: &[(1.0, 0), (8.0, 1), (18.0, 2)],
}];
