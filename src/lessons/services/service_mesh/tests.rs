//! Errors by caller, shares of users who fail, times aside, what nobody was told; against what can be computed.

use super::*;
use engine::lesson::sheet;
use engine::show::{Ran, Watch};
use engine::{Run, Show, knobs};
use kit::system::Count;

const MESH: (&str, f64) = ("who", 1.0);
const ROW: (&str, f64) = ("aside", 1.0);

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&ServiceMesh);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<ServiceMesh>(), seed, first)
}

fn go(run: &mut Run<System>, s: f64) {
    let until = run.position().at + Time::from_s(s);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn act(run: &mut Run<System>, spec: usize) {
    assert!(run.act(Act { spec, target: 0 }));
}

fn seen(run: &Run<System>) -> &Seen {
    run.model().own()
}

/// The share of users who failed within a span.
fn failed(run: &mut Run<System>, s: f64) -> f64 {
    let counts = |run: &Run<System>| {
        let all = run.model().total();
        [Count::Done, Count::Failed].map(|count| f64::from(all.of(count)))
    };
    let before = counts(run);
    go(run, s);
    let after = counts(run);
    let [done, failed] = [0, 1].map(|i| after[i] - before[i]);
    failed / (done + failed)
}

#[test]
fn each_caller_pays_five_errors_of_its_own() {
    for (callers, errors) in [(1.0, 5), (4.0, 20), (12.0, 60)] {
        for seed in 1..=5 {
            let mut run = run(seed, &[MESH, ROW, ("most", 20.0), ("callers", callers)]);
            go(&mut run, 3.0);
            act(&mut run, FAIL);
            go(&mut run, 25.0);
            let lesson = seen(&run).lesson.unwrap();
            assert!(lesson.known.is_some(), "{callers} callers, seed {seed}");
            assert_eq!(lesson.errors, errors, "{callers} callers, seed {seed}");
        }
    }
}

#[test]
fn a_host_aside_gets_no_calls_from_that_caller_unless_it_panics() {
    let mut run = run(2, &[MESH, ROW, ("most", 60.0), ("retries", 1.0)]);
    go(&mut run, 3.0);
    act(&mut run, FAIL);
    act(&mut run, MORE);
    let mut calls = 0;
    let end = run.position().at + Time::s(50);
    while run.run(end, Watch::Any, 1) == Ran::Stopped {
        let now = run.model().now;
        let seen = seen(&run);
        for it in seen.tries.iter().filter(|it| it.sent == now) {
            calls += 1;
            let proxy = &seen.proxies[it.web];
            let host = proxy.detector.host(it.place).unwrap();
            // Whoever was put aside in this very moment may just have been called.
            let aside = host.aside_since.is_some_and(|since| since < now.0);
            assert!(!aside, "{it:?}");
        }
    }
    assert!(calls > 2_000, "{calls}");
}

/// Settings, what befalls, seconds before the window, the share expected and how far from it.
type Case<'a> = (&'a [(&'a str, f64)], &'a [usize], f64, f64, f64);

#[test]
fn users_fail_as_often_as_computed() {
    let sick = |most: f64| [MESH, ROW, ("most", most)];
    let cases: [Case<'_>; 7] = [
        (&[], &[HANG], 25.0, 0.6, 0.03),
        (&[MESH, ("timeout", 1.0)], &[HANG], 15.0, 0.2, 0.03),
        (&[MESH, ("timeout", 0.0)], &[HANG], 25.0, 1.0, 0.0),
        (&sick(10.0), &[FAIL], 15.0, 0.2, 0.03),
        (&sick(100.0), &[FAIL, MORE, MORE], 15.0, 0.6, 0.03),
        (&sick(100.0), &[FAIL], 60.0, 0.02, 0.02),
        (&[MESH, ("retries", 2.0)], &[FAIL], 15.0, 0.0, 0.001),
    ];
    for (settings, acts, before, expected, off) in cases {
        let mut run = run(4, settings);
        go(&mut run, 3.0);
        acts.iter().for_each(|spec| act(&mut run, *spec));
        go(&mut run, before);
        let share = failed(&mut run, 40.0);
        assert!(
            (share - expected).abs() <= off,
            "{settings:?}, {acts:?}: {share}, expected {expected}; 2,400 requests vary by 1 %"
        );
    }
}

#[test]
fn the_second_zone_gets_what_the_first_cannot_carry() {
    for (more, load) in [(0, [100, 0]), (1, [84, 16]), (2, [56, 44]), (3, [28, 72])] {
        let mut run = run(3, &[MESH, ROW, ("most", 100.0), ("zone", 1.0)]);
        go(&mut run, 3.0);
        act(&mut run, FAIL);
        (0..more).for_each(|_| act(&mut run, MORE));
        // Less of the load reaches the last sick ones, so they are found out later.
        go(&mut run, 14.0);
        for proxy in seen(&run).live() {
            let loads: Vec<u32> = proxy.shares.iter().map(|share| share.load).collect();
            assert_eq!(loads, load, "{more} more");
            assert!(proxy.shares.iter().all(|share| !share.panics));
        }
    }
}

#[test]
fn without_panic_and_with_all_aside_there_is_no_host() {
    let mut run = run(
        1,
        &[MESH, ROW, ("most", 100.0), ("panic", 0.0), ("hosts", 3.0)],
    );
    go(&mut run, 3.0);
    act(&mut run, FAIL);
    act(&mut run, MORE);
    act(&mut run, MORE);
    go(&mut run, 8.0);
    assert_eq!(failed(&mut run, 10.0), 1.0);
    let nobody = run.tape().notes().any(|note| note.word == "nobody");
    assert!(nobody);
}

#[test]
fn a_dead_control_plane_keeps_calls_going_and_new_hosts_idle() {
    let mut run = run(1, &[MESH, ROW]);
    go(&mut run, 4.0);
    act(&mut run, KILL);
    run.set_knob("hosts", 6.0).unwrap();
    assert_eq!(failed(&mut run, 15.0), 0.0);
    let calls = |run: &Run<System>| run.model().member_row(ORDERS[0], 5).of(Count::Came);
    assert_eq!(calls(&run), 0);
    act(&mut run, RESTART);
    go(&mut run, 6.0);
    assert!(calls(&run) > 20);
}

#[test]
fn least_of_two_favours_who_fails_quickly() {
    // Spread evenly the sick host would get a fifth.
    let mut run = run(5, &[MESH, ("balance", 1.0), ("load", 300.0)]);
    go(&mut run, 3.0);
    act(&mut run, FAIL);
    go(&mut run, 5.0);
    let share = failed(&mut run, 60.0);
    assert!((0.22..0.33).contains(&share), "{share}");
}

#[test]
fn orders_arrive_one_by_one_within_two_seconds() {
    let mut run = run(1, &[MESH]);
    go(&mut run, 4.0);
    run.set_knob("timeout", 3.0).unwrap();
    let mut have = vec![];
    for _ in 0..22 {
        let seen = seen(&run);
        let count = seen
            .live()
            .iter()
            .filter(|it| it.order == seen.ordered)
            .count();
        have.push(count);
        go(&mut run, 0.1);
    }
    assert!(
        have.is_sorted() && have[0] == 0 && have[21] == 4,
        "{have:?}"
    );
    assert!(have.iter().any(|count| (1..4).contains(count)), "{have:?}");
}
