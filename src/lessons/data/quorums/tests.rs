//! The run against the computed values of the paper's model, and what learners break against what it must come to.

use super::Quorums;
use super::Settings;
use super::model::Group;
use super::settings::{Copies, Delays, Repair};
use algorithms::quorum::Quorum;
use algorithms::staleness::miss_probability;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time};

const CRASH: usize = 0;
const CUT: usize = 2;
const HEAL: usize = 3;
const SLOW: usize = 4;
const FAIL: usize = 5;
const MISS: usize = 6;

fn first(r: u32, w: u32) -> Settings {
    let timeout = 1_000.0;
    Settings {
        r,
        w,
        timeout,
        ..Settings::default()
    }
}

fn start(settings: Settings, seed: u32) -> Run<Group> {
    Run::with_knobs(sheet::<Quorums>(), seed, settings)
}

fn go(run: &mut Run<Group>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
}

/// Goes on until a state holds.
fn wait(run: &mut Run<Group>, holds: impl Fn(&Group) -> bool) {
    for _ in 0..20_000 {
        if holds(run.model()) {
            return;
        }
        go(run, Time::us(500));
    }
    panic!("it never comes");
}

fn act(run: &mut Run<Group>, spec: usize, target: usize) {
    assert!(run.act(Act { spec, target }), "action {spec}");
}

/// The share of reads right after a write that are not old, over so many seconds of 100 writes each.
fn fresh(settings: Settings, seconds: u64) -> f64 {
    let (r, w) = settings.quorum();
    let mut run = start(settings, 5);
    go(&mut run, Time::s(seconds));
    run.audit().unwrap();
    let (all, fresh) = run.model().judge.matrix[r - 1][w - 1];
    assert!(u64::from(all) > 98 * seconds, "{all} reads");
    f64::from(fresh) / f64::from(all)
}

fn near(value: f64, wanted: f64, tolerance: f64, what: &str) {
    let off = (value - wanted).abs();
    assert!(
        off <= tolerance,
        "{what}: {value}, not {wanted} ± {tolerance}"
    );
}

/// Computed from the paper's model; 10,000 reads each.
#[test]
fn reads_at_once_are_as_fresh_as_computed() {
    for r in 1..=3 {
        for w in 1..=3 {
            let share = fresh(first(r, w), 100);
            let (wanted, tolerance) = match (r, w) {
                (1, 1) => (0.436, 0.012),
                (2, 1) => (0.763, 0.012),
                (1, 2) => (0.712, 0.012),
                _ => (1.0, 0.0),
            };
            near(share, wanted, tolerance, &format!("R {r}, W {w}"));
        }
    }
    for (r, w, wanted) in [(1, 1, 0.321), (2, 2, 0.79)] {
        let share = fresh(
            Settings {
                n: 5,
                ..first(r, w)
            },
            100,
        );
        near(share, wanted, 0.012, &format!("N 5, R {r}, W {w}"));
    }
}

/// The published cases (VLDB 2012, and the demo), and the waits for 90, 99 and 99.9 % on disks.
#[test]
fn the_published_cases_come_out() {
    let cases = [
        (Delays::Ssd, 0, 0.974),
        (Delays::Disk, 0, 0.439),
        (Delays::Disk, 10, 0.925),
        (Delays::Ymmr, 0, 0.893),
    ];
    for (delays, after, wanted) in cases {
        let share = fresh(
            Settings {
                delays,
                after,
                ..first(1, 1)
            },
            600,
        );
        near(share, wanted, 0.006, &format!("{delays:?}, {after} ms"));
    }
    for (after, wanted) in [(8, 0.897), (22, 0.99), (52, 0.999)] {
        let share = fresh(
            Settings {
                after,
                ..first(1, 1)
            },
            100,
        );
        near(share, wanted, 0.008, &format!("{after} ms"));
    }
}

#[test]
fn copies_to_only_w_follow_the_closed_form() {
    let cases = [
        (3, 1, 1),
        (3, 1, 2),
        (3, 2, 1),
        (3, 2, 2),
        (5, 1, 1),
        (5, 2, 2),
        (5, 1, 3),
    ];
    for (n, r, w) in cases {
        let wanted = 1.0 - miss_probability(Quorum::new(n, r, w).unwrap());
        let settings = Settings {
            n,
            copies: Copies::OnlyW,
            after: 100,
            ..first(r, w)
        };
        near(
            fresh(settings, 100),
            wanted,
            0.015,
            &format!("N {n}, R {r}, W {w}"),
        );
    }
}

/// The mean of the 99th percentiles of ten times a thousand.
#[test]
fn somebody_waits_for_the_slowest() {
    let reads = [0.56, 0.91, 2.7];
    let writes = [6.7, 14.0, 34.0];
    for i in 0..3_u32 {
        let mut run = start(first(i + 1, i + 1), 3);
        let mut p99 = [0.0; 2];
        for _ in 0..10 {
            go(&mut run, Time::s(10));
            for (kind, sum) in p99.iter_mut().enumerate() {
                *sum += run.model().judge.waits(kind).1[1] / 10.0;
            }
        }
        let i = i as usize;
        near(p99[0], reads[i], 0.15 * reads[i], "read");
        near(p99[1], writes[i], 0.15 * writes[i], "write");
    }
}

#[test]
fn reads_go_back_while_a_write_travels_unless_they_repair_first() {
    let mut sums = [0.0; 2];
    for seed in 0..60 {
        for repair in [Repair::Off, Repair::Before] {
            let mut run = start(
                Settings {
                    repair,
                    ..first(2, 2)
                },
                seed,
            );
            go(&mut run, Time::ms(300));
            act(&mut run, SLOW, 0);
            wait(&mut run, |group| !group.chase.on);
            let chase = run.model().chase;
            if repair == Repair::Before {
                assert_eq!(chase.back, 0, "seed {seed}");
            } else {
                assert!(chase.back > 0, "seed {seed}: {chase:?}");
                sums[0] += f64::from(chase.reads) / 60.0;
                sums[1] += f64::from(chase.back) / 60.0;
            }
        }
    }
    near(sums[0], 38.0, 4.0, "reads");
    near(sums[1], 11.0, 2.0, "went back");
}

#[test]
fn a_failed_write_is_found_by_two_reads_in_three() {
    let [mut reads, mut new] = [0.0; 2];
    for seed in 0..60 {
        let mut run = start(
            Settings {
                hints: false,
                timeout: 50.0,
                ..first(2, 2)
            },
            seed,
        );
        go(&mut run, Time::ms(300));
        act(&mut run, FAIL, 0);
        wait(&mut run, |group| !group.chase.on);
        let group = run.model();
        assert_eq!(group.judge.tally.unwritten, 1);
        let (key, version) = (group.chase.key, group.chase.version);
        assert_eq!(
            [1, 2, 3].map(|id| group.cell(id, key).version == version),
            [true, false, false]
        );
        reads += f64::from(group.chase.reads);
        new += f64::from(group.chase.new);
    }
    near(new / reads, 2.0 / 3.0, 0.06, "share");
}

#[test]
fn what_c_missed_makes_a_third_of_the_reads_old_until_it_is_repaired() {
    let back = |r: u32, repair: Repair, seed: u32| {
        let mut run = start(
            Settings {
                hints: false,
                reads: 500.0,
                repair,
                ..first(r, 2)
            },
            seed,
        );
        go(&mut run, Time::ms(300));
        act(&mut run, MISS, 0);
        wait(&mut run, |group| group.missed > 0);
        run
    };
    for (r, wanted) in [(1, 1.0 / 3.0), (2, 0.0)] {
        let mut run = back(r, Repair::Off, 1);
        assert_eq!(run.model().behind(), 12);
        go(&mut run, Time::s(4));
        let tally = run.model().judge.tally;
        assert!(tally.reads() > 1_800);
        near(tally.old_share(), wanted, 0.04, &format!("R {r}"));
    }
    // Each key is mended when it is read: the coupon collector's 12 (1 + 1/2 + … + 1/12) = 37 reads.
    let mut reads = 0.0;
    for seed in 0..60 {
        let mut run = back(1, Repair::Off, seed);
        run.set_knob("reads", 50.0).unwrap();
        run.set_knob("repair", 1.0).unwrap();
        wait(&mut run, |group| group.behind() == 0);
        reads += f64::from(run.model().judge.tally.asked) / 60.0;
    }
    near(reads, 37.2, 4.0, "reads until all are mended");
}

/// A quorum survives N − R and N − W crashes, and not one more.
#[test]
fn so_many_may_be_down() {
    for (n, r, w) in [(3, 2, 2), (3, 1, 3), (3, 3, 1), (5, 2, 4)] {
        for down in 0..n {
            let quick = Settings {
                n,
                timeout: 20.0,
                reads: 100.0,
                delays: Delays::Ssd,
                ..first(r, w)
            };
            let mut run = start(quick, 2);
            for target in 0..down {
                act(&mut run, CRASH, target as usize);
            }
            go(&mut run, Time::s(2));
            let ever = run.model().judge.tally;
            let what = format!("N {n}, R {r}, W {w}, {down} down: {ever:?}");
            assert_eq!(ever.written > 150, down <= n - w, "{what}");
            assert_eq!(ever.reads() > 150, down <= n - r, "{what}");
        }
    }
}

#[test]
fn stand_ins_give_the_overlap_away_and_hints_come_home() {
    for stand_ins in [false, true] {
        let mut run = start(
            Settings {
                stand_ins,
                ..Settings {
                    r: 2,
                    w: 2,
                    ..Settings::default()
                }
            },
            4,
        );
        go(&mut run, Time::ms(300));
        act(&mut run, CUT, 0);
        go(&mut run, Time::ms(700));
        let group = run.model();
        assert_eq!(
            group.judge.in_spite > 0,
            stand_ins,
            "{:?}",
            group.judge.tally
        );
        assert_eq!(group.judge.tally.written > 10, stand_ins);
        act(&mut run, HEAL, 0);
        go(&mut run, Time::ms(600));
        let group = run.model();
        assert!(group.cluster.nodes().any(|(_, node)| node.disk.taken > 0));
        assert_eq!(
            group
                .cluster
                .nodes()
                .map(|(_, node)| node.disk.hints.len())
                .sum::<usize>(),
            0
        );
        run.audit().unwrap();
    }
}

/// Knobs that ask for more than there are copies, and rules that change while requests are under way.
#[test]
fn more_answers_than_copies_are_cut_to_what_there_is() {
    let mut run = start(first(3, 3), 6);
    go(&mut run, Time::ms(100));
    run.set_knob("n", 1.0).unwrap();
    go(&mut run, Time::ms(500));
    let group = run.model();
    assert_eq!(group.knobs.quorum(), (1, 1));
    assert!(group.judge.tally.written > 40 && group.judge.tally.unwritten == 0);
    run.set_knob("n", 5.0).unwrap();
    go(&mut run, Time::ms(500));
    run.audit().unwrap();
    assert_eq!(
        run.model().judge.in_spite,
        0,
        "what was answered under other rules is no proof"
    );
}

/// Which of two settings a copy is sent under does not change how long it travels.
#[test]
fn twins_meet_the_same_delays() {
    let [one, other] = [(1, 1), (1, 3)].map(|(r, w)| {
        let mut run = start(first(r, w), 9);
        run.set_knob("writes", 50.0).unwrap();
        let mut seen = Vec::new();
        for _ in 0..200 {
            go(&mut run, Time::ms(1));
            let writes = run
                .model()
                .cluster
                .flights()
                .filter(|(_, flight)| flight.from == 6);
            seen.push(
                writes
                    .map(|(_, flight)| (flight.to, flight.leaves, flight.arrives))
                    .collect::<Vec<_>>(),
            );
        }
        seen
    });
    let writes = |mut seen: Vec<_>| {
        seen.sort_by_key(|(to, leaves, _): &(u8, Time, Time)| (*to, *leaves));
        seen
    };
    for (one, other) in one.into_iter().zip(other) {
        assert_eq!(writes(one), writes(other));
    }
}

/// Whatever becomes of a write that readers follow, the writer goes on afterwards.
#[test]
fn the_writer_never_rests_for_good() {
    for (spec, then, target) in [
        (SLOW, CRASH, 0),
        (FAIL, CRASH, 0),
        (SLOW, CUT, 0),
        (FAIL, CUT, 0),
        (MISS, CUT, 0),
        (SLOW, MISS, 0),
    ] {
        let mut run = start(
            Settings {
                r: 2,
                w: 2,
                ..Settings::default()
            },
            8,
        );
        go(&mut run, Time::ms(300));
        act(&mut run, spec, 0);
        go(&mut run, Time::us(300));
        act(&mut run, then, target);
        go(&mut run, Time::s(11));
        let asked = |run: &Run<Group>| run.model().write.map_or(0, |write| write.number);
        let before = asked(&run);
        go(&mut run, Time::ms(200));
        assert!(
            asked(&run) > before + 10,
            "{spec}, then {then}: {:?}",
            run.model().chase
        );
        run.audit().unwrap();
    }
}
