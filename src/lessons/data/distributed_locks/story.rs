//! The story, its predictions, and things to try.

use super::model::{LANES, Locks, SCORE, SEATS, file, server, worker_part};
use super::settings::Kept;
use algorithms::lease_lock::FOREVER;
use engine::claim::figure;
use engine::{Beat, Challenge, Prediction, Progress, Setup, Time};

const FIRST: usize = 0;

/// How long the last worker is dead, and whether another has its file.
fn death(locks: &Locks) -> Option<(Time, Option<Time>)> {
    let death = locks.death?;
    let back = death.back.map(|back| back.since(death.at));
    Some((locks.now.since(death.at), back))
}

/// Whether something happened at least so many ms ago: long enough to be seen.
fn seen(locks: &Locks, when: Option<Time>, ms: u64) -> bool {
    when.is_some_and(|when| locks.now.since(when) >= Time::ms(ms))
}

pub(super) const STORY: &[Beat<Locks>] = &[
    Beat {
        id: "none",
        points: &[file(1), SCORE],
        shows: &[
            figure(LANES, "most").at_least(4.0),
            figure(SCORE, "counted").is(2.0),
            figure(SCORE, "vain").is(6.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "lock",
        setup: &[Setup::Set("kept", 1.0), Setup::Speed(1.5)],
        when: |locks| locks.knobs().kept == Kept::One && locks.judge.tally.counted >= 6,
        points: &[server(1), SCORE],
        shows: &[
            figure(SCORE, "rate").within(34.0, 46.0),
            figure(SCORE, "vain").is(0.0),
            figure(LANES, "most").at_most(1.0),
            figure(server(1), "up").is(1.0),
        ],
        predict: Some(Prediction {
            id: "dead",
            options: &["at-once", "notices", "never"],
            truth: |locks| {
                let (since, back) = death(locks)?;
                match back {
                    Some(back) if back < Time::s(1) => Some(0),
                    Some(_) => Some(1),
                    None => (since >= Time::s(8)).then_some(2),
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "dead",
        setup: &[
            Setup::Set("lease", 0.0),
            Setup::Act("again", 0),
            Setup::Act("kill", FIRST),
            Setup::Speed(1.5),
        ],
        when: |locks| {
            death(locks).is_some_and(|(since, back)| since >= Time::s(8) && back.is_none())
        },
        points: &[worker_part(0), server(1)],
        shows: &[
            figure(worker_part(0), "dead").is(1.0),
            figure(server(1), "knows-first").is(1.0),
            figure(SCORE, "vacant").at_least(8.0),
        ],
        predict: Some(Prediction {
            id: "long",
            options: &["stopped", "second", "itself"],
            truth: |locks| {
                let long = locks.knobs().work >= 8.0 && locks.knobs().ttl() < FOREVER;
                let tally = &locks.judge.tally;
                match long {
                    true if tally.stopped > 0 => Some(0),
                    true if tally.overlaps > 0 => Some(1),
                    true if tally.renewed > 0 => Some(2),
                    _ => None,
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "long",
        setup: &[
            Setup::Set("lease", 5.0),
            Setup::Set("work", 8.0),
            Setup::Act("again", 0),
            Setup::Speed(1.0),
        ],
        when: |locks| locks.knobs().work >= 8.0 && seen(locks, locks.judge.two.since(), 1_800),
        points: &[LANES, worker_part(0), worker_part(3)],
        shows: &[
            figure(LANES, "most").is(2.0),
            figure(worker_part(0), "dead").is(0.0),
            figure(worker_part(0), "over").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "release",
        setup: &[Setup::Set("checked", 0.0), Setup::Speed(0.6)],
        when: |locks| locks.judge.most > 1 && seen(locks, locks.judge.tally.walked_in, 900),
        points: &[server(1), LANES],
        shows: &[
            figure(SCORE, "foreign").at_least(1.0),
            figure(LANES, "most").at_least(2.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "renew",
        setup: &[
            Setup::Set("checked", 1.0),
            Setup::Set("renew", 1.0),
            Setup::Act("again", 0),
            Setup::Act("kill", FIRST),
            Setup::Speed(1.5),
        ],
        when: |locks| {
            let back = locks.death.and_then(|death| death.back);
            seen(locks, back, 900) && locks.judge.tally.counted >= 2
        },
        points: &[server(1), LANES],
        shows: &[
            figure(SCORE, "renewed").at_least(6.0),
            figure(LANES, "most").at_most(1.0),
            figure(worker_part(0), "dead").is(1.0),
            figure(SCORE, "mixed").is(0.0),
        ],
        predict: Some(Prediction {
            id: "pause",
            options: &["locks", "check", "written"],
            truth: |locks| {
                let tally = &locks.judge.tally;
                match locks.knobs().kept {
                    Kept::Log if tally.refused > 0 => Some(0),
                    Kept::Log if tally.late > 0 => Some(2),
                    Kept::Log if tally.stopped > 0 => Some(1),
                    _ => None,
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "pause",
        setup: &[
            Setup::Set("work", 4.0),
            Setup::Set("kept", 4.0),
            Setup::Set("looks", 1.0),
            Setup::Act("again", 0),
            Setup::Act("freeze", FIRST),
            Setup::Speed(1.6),
        ],
        when: |locks| seen(locks, locks.judge.tally.first_late, 300),
        points: &[LANES, file(0)],
        shows: &[
            figure(LANES, "late").at_least(1.0),
            figure(SCORE, "refused").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "fence",
        setup: &[
            Setup::Set("fence", 1.0),
            Setup::Act("again", 0),
            Setup::Act("freeze", FIRST),
            Setup::Speed(1.6),
        ],
        when: |locks| seen(locks, locks.judge.tally.first_refused, 300),
        points: &[file(0), file(1), file(2)],
        shows: &[
            figure(SCORE, "refused").at_least(1.0),
            figure(SCORE, "late").is(0.0),
            figure(SCORE, "mixed").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "copy",
        setup: &[
            Setup::Set("kept", 2.0),
            Setup::Set("fence", 0.0),
            Setup::Set("looks", 0.0),
            Setup::Act("again", 0),
            Setup::Act("kill-after", 0),
            Setup::Twin("kept", 3.0),
            Setup::Speed(0.5),
        ],
        when: |locks| {
            let one = locks.knobs().kept == Kept::Copy && seen(locks, locks.judge.two.since(), 900);
            // The other side of the comparison is told by the same beat.
            one || locks.knobs().kept == Kept::Majority && locks.judge.tally.counted > 0
        },
        points: &[server(1), server(2), LANES],
        shows: &[
            figure(LANES, "most").is(2.0),
            figure(server(1), "up").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "permits",
        setup: &[
            Setup::Alone,
            Setup::Set("kept", 1.0),
            Setup::Set("permits", 2.0),
            Setup::Act("again", 0),
            Setup::Act("kill", FIRST),
            Setup::Speed(1.2),
        ],
        when: |locks| {
            let back = locks.death.and_then(|death| death.seat_back);
            locks.knobs().permits == 2 && seen(locks, back, 900)
        },
        points: &[SEATS, worker_part(0)],
        shows: &[
            figure(SEATS, "taken").is(2.0),
            figure(SEATS, "of").is(2.0),
            figure(SEATS, "dead").is(0.0),
            figure(worker_part(0), "dead").is(1.0),
        ],
        ..Beat::at_once()
    },
];

/// As far as it has gone if all is well, else nothing.
fn so_far(well: bool, now: f64, goal: f64) -> Progress {
    Progress::of(if well { now } else { 0.0 }, goal)
}

pub(super) const CHALLENGES: &[Challenge<Locks>] = &[
    Challenge {
        id: "death",
        progress: |locks, now| {
            let long = locks.knobs().work >= 8.0 && locks.judge.tally.overlaps == 0;
            let soon =
                death(locks).is_some_and(|(_, back)| back.is_some_and(|back| back <= Time::s(6)));
            let since = locks.death.map_or(now, |death| death.at);
            so_far(long && soon, now.since(since).as_s(), 30.0)
        },
        solution: &[
            Setup::Set("kept", 1.0),
            Setup::Set("work", 8.0),
            Setup::Set("renew", 1.0),
            Setup::Act("again", 0),
            Setup::Act("kill", FIRST),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "frozen",
        progress: |locks, _| {
            let tally = &locks.judge.tally;
            so_far(tally.late + tally.mixed == 0, tally.fenced.into(), 3.0)
        },
        solution: &[
            Setup::Set("kept", 1.0),
            Setup::Set("fence", 1.0),
            Setup::Act("again", 0),
            Setup::Act("freeze", 0),
            Setup::Wait(Time::s(16)),
            Setup::Act("freeze", 1),
            Setup::Wait(Time::s(16)),
            Setup::Act("freeze", 2),
            Setup::Wait(Time::s(20)),
        ],
    },
    Challenge {
        id: "wait",
        progress: |locks, _| {
            let tally = &locks.judge.tally;
            so_far(
                tally.late == 0 && !locks.knobs().fence,
                tally.delayed.into(),
                1.0,
            )
        },
        solution: &[
            Setup::Set("kept", 1.0),
            Setup::Set("delay", 10.0),
            Setup::Act("again", 0),
            Setup::Act("freeze", FIRST),
            Setup::Wait(Time::s(16)),
        ],
    },
    Challenge {
        id: "clocks",
        progress: |locks, _| {
            let well = locks.knobs().kept == Kept::Majority;
            so_far(well, locks.judge.tally.awake.into(), 1.0)
        },
        solution: &[
            Setup::Set("kept", 3.0),
            Setup::Act("again", 0),
            Setup::Wait(Time::s(1)),
            Setup::Act("jump", 0),
            Setup::Act("jump", 1),
            Setup::Act("jump", 2),
            Setup::Wait(Time::s(4)),
        ],
    },
    Challenge {
        id: "seat",
        progress: |locks, now| {
            let gone = locks
                .death
                .filter(|death| death.seat.is_some() && death.seat_back.is_none());
            let for_good = locks.knobs().ttl() == FOREVER && locks.knobs().permits > 1;
            let since = gone.map_or(now, |death| death.at);
            so_far(for_good, now.since(since).as_s(), 10.0)
        },
        solution: &[
            Setup::Set("kept", 1.0),
            Setup::Set("lease", 0.0),
            Setup::Set("permits", 2.0),
            Setup::Act("again", 0),
            Setup::Act("kill", FIRST),
            Setup::Wait(Time::s(18)),
        ],
    },
];
