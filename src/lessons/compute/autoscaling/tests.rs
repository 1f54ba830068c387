//! The subject held against what the algorithm and queueing theory say.

use super::control::Seen;
use super::{Autoscaling, pods, ready};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Model, Run, Show, Time, knobs};
use kit::system::{System, Values};

fn run(settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Autoscaling);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Autoscaling>(), 1, first)
}

fn seen(run: &Run<System>) -> &Seen {
    run.model().own()
}

fn act(run: &mut Run<System>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

fn go(run: &mut Run<System>, ms: u64) {
    let until = run.position().at + Time::ms(ms);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

/// The numbers of pods that are set within so long, each once.
fn stair(run: &mut Run<System>, s: u64) -> Vec<u32> {
    let mut stair = vec![seen(run).sum.set];
    for _ in 0..s * 10 {
        go(run, 100);
        let set = seen(run).sum.set;
        if stair.last() != Some(&set) {
            stair.push(set);
        }
    }
    stair
}

#[test]
fn the_stair_climbs_by_what_cpu_can_say_and_by_twice_otherwise() {
    assert_eq!(stair(&mut run(&[]), 20), [5, 8, 14, 23, 28]);
    assert_eq!(stair(&mut run(&[("metric", 1.0)]), 20), [5, 10, 20]);
    assert_eq!(stair(&mut run(&[("metric", 2.0)]), 20), [5, 10, 20, 30]);
    for target in [40.0, 60.0, 75.0] {
        let mut run = run(&[("target", target), ("up", 1.0)]);
        let stair = stair(&mut run, 25);
        for step in stair.windows(2) {
            let most = (f64::from(step[0]) * 100.0 / target).ceil() as u32;
            assert!(step[1] <= most, "{target}: {stair:?}");
        }
    }
}

#[test]
fn the_first_spike_hurts_as_many_as_the_caption_says() {
    let hurt = |metric| {
        let mut run = run(&[("metric", metric)]);
        go(&mut run, 30_000);
        let tally = seen(&run).tally;
        (tally.hurt, tally.last_hurt.since(tally.since).as_s())
    };
    let (cpu, arriving) = (hurt(0.0), hurt(1.0));
    assert!(
        (500..=585).contains(&cpu.0) && (11.0..13.0).contains(&cpu.1),
        "{cpu:?}"
    );
    assert!((220..=300).contains(&arriving.0), "{arriving:?}");
}

#[test]
fn what_starts_counts_as_idle_or_is_started_again() {
    let highest = |starting| {
        let mut run = run(&[("starting", starting)]);
        act(&mut run, "calm");
        act(&mut run, "twice");
        go(&mut run, 30_000);
        seen(&run).tally.highest
    };
    assert!((12..=15).contains(&highest(0.0)), "{}", highest(0.0));
    assert_eq!(highest(1.0), 30);
}

#[test]
fn a_target_too_near_to_full_is_never_far_enough() {
    let started = |target, tolerance| {
        let mut run = run(&[("target", target), ("tolerance", tolerance)]);
        act(&mut run, "calm");
        act(&mut run, "twice");
        go(&mut run, 60_000);
        seen(&run).tally.started
    };
    assert_eq!(
        [91.0, 95.0, 100.0].map(|target| started(target, 10.0)),
        [0; 3]
    );
    assert!(started(88.0, 10.0) > 0 && started(95.0, 2.0) > 0);
}

#[test]
fn a_plan_helps_as_soon_as_it_is_a_start_ahead() {
    let hurt = |ahead| {
        let mut run = run(&[("ahead", ahead)]);
        act(&mut run, "calm");
        act(&mut run, "spike");
        go(&mut run, 36_000);
        seen(&run).tally.hurt
    };
    assert_eq!([3.0, 4.0, 5.0].map(hurt), [0; 3]);
    assert!(hurt(1.0) > 0 && hurt(0.0) > hurt(1.0));
}

#[test]
fn an_even_load_settles_within_the_tolerance() {
    for load in [6.0, 15.0, 24.0, 37.0, 50.0] {
        for metric in [0.0, 1.0] {
            let mut run = run(&[("metric", metric), ("load", load), ("keep", 5.0)]);
            act(&mut run, "calm");
            run.set_knob("load", load).unwrap();
            go(&mut run, 60_000);
            let busy = load * 0.2 / 0.6;
            let (least, most) = ((busy / 1.1).floor(), (busy / 0.9).ceil() + 1.0);
            let set = f64::from(seen(&run).sum.set);
            assert!((least..=most).contains(&set), "{load}, {metric}: {set}");
        }
    }
}

#[test]
fn after_a_fall_the_highest_of_the_window_stays() {
    let mut run = run(&[]);
    go(&mut run, 33_500);
    let (high, fell) = (seen(&run).sum.set, run.position().at);
    assert!(high >= 20);
    let mut stayed = 0.0;
    while seen(&run).sum.set == high {
        go(&mut run, 100);
        stayed = run.position().at.since(fell).as_s();
    }
    // What was wanted in the spike was wanted for the last time some checks before its end.
    assert!((10.0..=30.0).contains(&stayed), "{stayed}");
    go(&mut run, 30_000);
    assert_eq!(seen(&run).sum.set, 5);
}

#[test]
fn waves_are_ridden_at_their_crests_or_missed() {
    let waves = |keep| {
        let mut run = run(&[("shape", 2.0), ("keep", keep)]);
        go(&mut run, 40_000);
        run.set_knob("tolerance", 11.0).unwrap();
        run.set_knob("tolerance", 10.0).unwrap();
        go(&mut run, 60_000);
        seen(&run).tally
    };
    let (flaps, calm) = (waves(0.0), waves(30.0));
    assert!(
        flaps.hurt * 3 > flaps.came && flaps.started >= 30,
        "{flaps:?}"
    );
    assert_eq!((calm.hurt, calm.started), (0, 0));
}

#[test]
fn without_a_metric_nothing_is_scaled() {
    let mut run = run(&[]);
    go(&mut run, 8_000);
    let before = seen(&run).sum.set;
    act(&mut run, "silent");
    go(&mut run, 9_000);
    assert_eq!(seen(&run).sum.set, before);
    go(&mut run, 6_000);
    assert!(seen(&run).sum.set > before);
}

#[test]
fn the_most_win_over_the_least_and_a_turn_leaves_the_number() {
    let mut run = run(&[]);
    run.set_knob("least", 20.0).unwrap();
    go(&mut run, 2_000);
    assert_eq!(seen(&run).sum.set, 20);
    run.set_knob("load", 16.0).unwrap();
    assert_eq!(pods(run.model()).filter(|pod| !pod.leaving).count(), 20);
    run.set_knob("most", 6.0).unwrap();
    go(&mut run, 3_000);
    assert_eq!(seen(&run).sum.set, 6);
}

#[test]
fn pod_seconds_are_the_lives_of_pods() {
    let mut run = run(&[("auto", 0.0), ("least", 5.0)]);
    go(&mut run, 20_000);
    run.set_knob("least", 7.0).unwrap();
    let before = seen(&run).tally.pod_us;
    go(&mut run, 10_000);
    let spent = (seen(&run).tally.pod_us - before) as f64 / 1e6;
    // A check passes until there are seven.
    assert!((67.0..=70.0).contains(&spent), "{spent}");
}

#[test]
fn a_pod_without_a_place_waits_for_a_machine() {
    let mut run = run(&[("metric", 1.0), ("free", 12.0)]);
    go(&mut run, 15_000);
    let up = |run: &Run<System>| ready(run.model()).count();
    assert_eq!((seen(&run).sum.set, up(&run)), (20, 12));
    go(&mut run, 5_000);
    assert_eq!(up(&run), 20);
}

#[test]
fn one_pod_with_random_users_is_the_queue_that_theory_knows() {
    let settings = [
        ("auto", 0.0),
        ("least", 1.0),
        ("load", 3.0),
        ("arrivals", 1.0),
    ];
    let mut run = run(&settings);
    act(&mut run, "calm");
    go(&mut run, 3_000_000);
    let work = 0.2;
    let busy = 3.0 * work;
    let theory = work + busy * work / (2.0 * (1.0 - busy));
    let mean = run.model().total().mean().as_s();
    assert!(
        (mean / theory - 1.0).abs() < 0.05,
        "{mean} against {theory}"
    );
}

#[test]
fn crashed_pods_are_missed_as_the_calculator_misses_them() {
    let mut run = run(&[]);
    act(&mut run, "calm");
    run.set_knob("load", 60.0).unwrap();
    go(&mut run, 40_000);
    let before = seen(&run).sum.set;
    act(&mut run, "half");
    go(&mut run, 1_600);
    let sum = seen(&run).sum;
    // Those that are down have no metric: as idle, they speak against more.
    assert_eq!((sum.set, sum.pods), (before, before));
    let mut all = self::run(&[]);
    go(&mut all, 2_000);
    for _ in 0..3 {
        let spec = all.actions().iter().position(|spec| spec.id == "half");
        let act = Act {
            spec: spec.unwrap(),
            target: 0,
        };
        if all.model().can(act) {
            all.act(act);
        }
    }
    go(&mut all, 60_000);
    assert!(ready(all.model()).count() >= 5);
}

#[test]
fn calm_leaves_only_the_pods_that_are_needed() {
    for metric in [0.0, 1.0, 2.0] {
        let mut run = run(&[("metric", metric)]);
        // The spike is over, and nobody waits.
        go(&mut run, 40_300);
        act(&mut run, "calm");
        for _ in 0..60 {
            go(&mut run, 100);
            let set = seen(&run).sum.set;
            assert!((5..=6).contains(&set), "{metric}: {set}");
        }
    }
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [
        ("shape", "how the load moves"),
        ("load", "how many come"),
        ("arrivals", "whether they come evenly"),
    ];
    let compared = kit::system::trial::every_design(sheet::<Autoscaling>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(compared.requests >= 54_000, "{compared:?}");
}
