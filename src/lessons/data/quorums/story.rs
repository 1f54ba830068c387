//! The story, its predictions, and things to try.

use super::model::{Group, MATRIX, READS, WAITS, WRITER_PART, node, reader};
use super::settings::{Copies, Delays, Repair};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const A: PartId = node(1);
const B: PartId = node(2);
const C: PartId = node(3);
const D: PartId = node(4);

/// Reads right after a write with R = W = 1, and the share of them that were not old.
fn at_once(group: &Group) -> (u32, f64) {
    let (all, fresh) = group.judge.matrix[0][0];
    (all, f64::from(fresh) / f64::from(all.max(1)))
}

/// Readers have followed a write to its end: a slow one, or one that failed.
fn chased(group: &Group, failing: bool) -> bool {
    let chase = &group.chase;
    chase.count > 0 && !chase.on && chase.failing == failing
}

pub(super) const STORY: &[Beat<Group>] = &[
    Beat {
        id: "meet",
        points: &[WRITER_PART, A, B, C, reader(0)],
        shows: &[
            figure(MATRIX, "count").is(0.0),
            figure(MATRIX, "overlap").is(0.0),
        ],
        predict: Some(Prediction {
            id: "at-once",
            options: &["all", "most", "half"],
            truth: |group| match at_once(group) {
                (..200, _) => None,
                (_, 0.9..) => Some(0),
                (_, 0.62..) => Some(1),
                _ => Some(2),
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "at-once",
        setup: &[Setup::Speed(2.0)],
        when: |group| at_once(group).0 >= 800,
        points: &[MATRIX],
        shows: &[
            figure(MATRIX, "share").within(0.36, 0.499),
            figure(MATRIX, "count").at_least(800.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "overlap",
        setup: &[
            Setup::Set("w", 2.0),
            Setup::Set("r", 2.0),
            Setup::Speed(0.006),
        ],
        when: |group| {
            let ended = group.focus.read.is_some_and(|read| read.ended.is_some());
            group.judge.tally.paired >= 3 && ended
        },
        points: &[A, B, C],
        shows: &[
            figure(READS, "both").at_least(1.0),
            figure(MATRIX, "share").is(1.0),
            figure(MATRIX, "overlap").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "cost",
        setup: &[
            Setup::Set("r", 1.0),
            Setup::Set("w", 3.0),
            Setup::Twin("swap", 1.0),
            Setup::Speed(1.0),
        ],
        when: |group| (0..2).all(|kind| group.judge.waited(kind) >= 300),
        points: &[WAITS, MATRIX],
        shows: &[
            figure(MATRIX, "share").is(1.0),
            figure(WAITS, "write").within(18.0, 99.0),
            figure(WAITS, "read").at_most(1.0),
        ],
        predict: Some(Prediction {
            id: "all",
            options: &["two", "fail", "wait"],
            truth: |group| {
                let tally = &group.judge.tally;
                let down = group.down() > 0;
                match (tally.unwritten, tally.written) {
                    (1.., _) if down => Some(1),
                    (_, 100..) if down => Some(0),
                    _ => None,
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "all",
        setup: &[
            Setup::Alone,
            Setup::Set("writes", 20.0),
            Setup::Act("crash", 2),
            Setup::Speed(0.02),
        ],
        when: |group| group.down() > 0 && group.judge.tally.unwritten > 0,
        points: &[C, WRITER_PART],
        shows: &[figure(WRITER_PART, "failed").at_least(1.0)],
        predict: Some(Prediction {
            id: "flicker",
            options: &["once", "first", "turns"],
            truth: |group| {
                let chase = &group.chase;
                match chase.back {
                    1.. => Some(2),
                    _ if !chased(group, false) => None,
                    _ => Some(u32::from(chase.new == chase.reads) as usize),
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "flicker",
        setup: &[
            Setup::Act("restart", 2),
            Setup::Set("w", 2.0),
            Setup::Set("r", 2.0),
            Setup::Act("slow", 0),
            Setup::Speed(0.003),
        ],
        when: |group| {
            let ended = group.focus.read.and_then(|read| read.ended);
            group.chase.back >= 2 && ended.is_some_and(|ended| ended.back.is_some())
        },
        points: &[A, reader(0), reader(1), READS],
        shows: &[
            figure(READS, "back").at_least(1.0),
            figure(READS, "old").is(0.0),
            figure(MATRIX, "overlap").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "repair",
        setup: &[
            Setup::Set("repair", 2.0),
            Setup::Act("slow", 0),
            Setup::Speed(0.004),
        ],
        when: |group| {
            let chase = &group.chase;
            let mends = group.knobs.repair == Repair::Before && chase.mended > 0;
            mends && (chase.new >= 4 || !chase.on)
        },
        points: &[READS, reader(0), reader(1)],
        shows: &[
            figure(READS, "back").is(0.0),
            figure(READS, "mended").at_least(1.0),
        ],
        predict: Some(Prediction {
            id: "failed",
            options: &["old", "new", "both"],
            truth: |group| {
                let chase = &group.chase;
                chased(group, true).then_some(match chase.new {
                    0 => 0,
                    new if new == chase.reads => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "failed",
        setup: &[
            Setup::Set("repair", 0.0),
            Setup::Set("hints", 0.0),
            Setup::Act("fail", 0),
            Setup::Speed(0.02),
        ],
        when: |group| chased(group, true),
        points: &[A, WRITER_PART, READS],
        shows: &[
            figure(A, "ahead").is(1.0),
            figure(WRITER_PART, "failed").at_least(1.0),
            figure(READS, "new").at_least(1.0),
            figure(READS, "chased").above(figure(READS, "new")),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "silent",
        setup: &[
            Setup::Set("r", 1.0),
            Setup::Set("reads", 50.0),
            Setup::Act("miss", 0),
            Setup::Speed(1.0),
        ],
        when: |group| group.missed > 0 && !group.missing && group.judge.tally.reads() >= 150,
        points: &[C, READS],
        shows: &[
            figure(C, "behind").within(11.0, 12.0),
            figure(READS, "old-share").within(0.2, 0.47),
        ],
        predict: Some(Prediction {
            id: "stand-in",
            options: &["no", "yes"],
            truth: |group| {
                let tried = group.cluster.net.is_parted() && group.knobs.stand_ins;
                match (group.judge.in_spite, group.judge.tally.written) {
                    (1.., _) if tried => Some(1),
                    (_, 200..) if tried => Some(0),
                    _ => None,
                }
            },
            hides: &[],
        }),
    },
    Beat {
        id: "stand-in",
        setup: &[
            Setup::Set("reads", 0.0),
            Setup::Set("writes", 100.0),
            Setup::Set("hints", 1.0),
            Setup::Set("stand-ins", 1.0),
            Setup::Set("r", 2.0),
            Setup::Act("cut", 0),
            Setup::Speed(0.02),
        ],
        when: |group| {
            let ended = group.focus.read.is_some_and(|read| read.ended.is_some());
            let has = |id| group.cell(id, group.focus.key).version >= group.focus.version;
            group.judge.in_spite > 0 && ended && has(3) && has(4)
        },
        points: &[A, B, C, D],
        shows: &[
            figure(READS, "old").at_least(1.0),
            figure(READS, "both").is(0.0),
            figure(C, "write").is(1.0),
            figure(D, "write").is(1.0),
            figure(A, "read").is(1.0),
            figure(B, "read").is(1.0),
            figure(MATRIX, "overlap").is(1.0),
        ],
        ..Beat::at_once()
    },
];

/// As far as it has gone if all is well, else nothing.
fn so_far(well: bool, now: u32, goal: u32) -> Progress {
    Progress::of(f64::from(if well { now } else { 0 }), f64::from(goal))
}

pub(super) const CHALLENGES: &[Challenge<Group>] = &[
    Challenge {
        id: "quick",
        progress: |group, _| {
            let (tally, knobs) = (&group.judge.tally, &group.knobs);
            let well = tally.paired_old == 0 && knobs.after == 0 && knobs.delays == Delays::Disk;
            let done = tally.paired >= 500;
            let quick = !done || group.judge.waits(0).1[1] <= 0.7;
            so_far(well && quick, tally.paired, 500)
        },
        solution: &[Setup::Set("w", 3.0), Setup::Wait(Time::ms(5_800))],
    },
    Challenge {
        id: "die",
        progress: |group, _| {
            let tally = &group.judge.tally;
            let well = tally.old + tally.failed + tally.unwritten == 0 && group.down() > 0;
            so_far(well, tally.written.min(tally.reads()), 200)
        },
        solution: &[
            Setup::Set("w", 2.0),
            Setup::Set("r", 2.0),
            Setup::Act("crash", 1),
            Setup::Wait(Time::ms(2_500)),
        ],
    },
    Challenge {
        id: "soon",
        progress: |group, _| {
            let knobs = &group.knobs;
            let simple = knobs.repair == Repair::Off && knobs.copies == Copies::All;
            let hard = knobs.n >= 3 && knobs.delays == Delays::Disk && simple;
            let (all, share) = at_once(group);
            let well = hard && knobs.quorum() == (1, 1) && knobs.after <= 20 && share >= 0.97;
            so_far(well, all, 300)
        },
        solution: &[Setup::Set("after", 20.0), Setup::Wait(Time::ms(3_500))],
    },
    Challenge {
        id: "spite",
        progress: |group, _| Progress::of(f64::from(group.judge.in_spite), 10.0),
        solution: &[
            Setup::Set("r", 2.0),
            Setup::Set("w", 2.0),
            Setup::Set("stand-ins", 1.0),
            Setup::Act("cut", 0),
            Setup::Wait(Time::s(2)),
        ],
    },
];
