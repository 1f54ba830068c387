//! Gossip against what was computed for it by another program (3,000 runs), and what no loss, cut or crash may do.

use super::state::{Village, deed};
use super::*;
use algorithms::protocol::Id;
use algorithms::swim::{Belief, Health};
use engine::show::Watch;
use engine::{Act, Run, Show, lesson::sheet};

/// A group that begins anew with these knobs, all of whom know each other.
fn run(nodes: f64, knobs: &[(&'static str, f64)], seed: u32) -> Run<Village> {
    let mut run = Run::new(sheet::<Gossip>(), seed);
    for (knob, value) in [("nodes", 101.0 - nodes), ("nodes", nodes)] {
        run.set_knob(knob, value).unwrap();
    }
    for (knob, value) in knobs {
        run.set_knob(knob, *value).unwrap();
    }
    run
}

fn until(run: &mut Run<Village>, ms: u64) {
    run.run(Time::ms(ms), Watch::Nothing, u64::MAX);
}

fn act(run: &mut Run<Village>, spec: usize, target: usize) {
    assert!(run.act(Act { spec, target }), "{spec} {target}");
}

fn near(measured: &[f64], wanted: f64, within: f64, what: &str) {
    let mean = measured.iter().sum::<f64>() / measured.len() as f64;
    assert!(
        (mean - wanted).abs() <= within,
        "{what}: {mean}, not {wanted}"
    );
}

#[test]
fn rumours_take_as_many_rounds_as_computed() {
    // Nodes, telling, fan-out, rounds; their standard deviations are 0.6 to 1.3, so 60 runs err by 0.17 at most. The last
    // three are of the table.
    for (n, telling, fan_out, rounds) in [
        (32.0, 0.0, 1.0, 9.3),
        (32.0, 0.0, 2.0, 5.6),
        (32.0, 0.0, 3.0, 4.4),
        (32.0, 1.0, 1.0, 7.6),
        (32.0, 2.0, 1.0, 5.1),
        (32.0, 2.0, 3.0, 3.0),
        (100.0, 0.0, 1.0, 12.3),
        (100.0, 2.0, 1.0, 6.5),
        (100.0, 2.0, 3.0, 3.9),
        (16.0, 0.0, 1.0, 7.4),
        (64.0, 0.0, 3.0, 5.2),
        (64.0, 2.0, 1.0, 6.0),
    ] {
        let (mut all, mut calls) = (Vec::new(), Vec::new());
        let knobs = [
            ("telling", telling),
            ("fan-out", fan_out),
            ("for-ever", 1.0),
            ("exchange", 0.0),
        ];
        for seed in 1..=60 {
            let mut run = run(n, &knobs, seed);
            act(&mut run, deed::TELL, 0);
            until(&mut run, 6_000);
            let news = run.model().news.unwrap();
            all.push(f64::from(news.all.unwrap()));
            calls.push(f64::from(news.calls));
            assert_eq!(f64::from(news.fresh), n - 1.0);
        }
        near(&all, rounds, 0.55, "rounds");
        if (n, telling, fan_out) == (32.0, 0.0, 1.0) {
            near(&calls, 139.0, 8.0, "calls");
        }
    }
}

#[test]
fn who_stops_early_leaves_some_who_never_hear() {
    let mut never = Vec::new();
    for seed in 1..=60 {
        let mut run = run(32.0, &[("told", 1.0), ("exchange", 0.0)], seed);
        act(&mut run, deed::TELL, 0);
        until(&mut run, 6_000);
        assert!(run.model().is_quiet());
        never.push(run.model().column(0).unknown as f64);
    }
    near(&never, 6.1, 1.0, "never");
}

#[test]
fn a_death_is_noticed_as_soon_in_any_group() {
    for (n, first, dead) in [(8.0, 1.9, 6.4), (32.0, 1.9, 8.0), (96.0, 1.9, 10.0)] {
        let (mut firsts, mut deads) = (Vec::new(), Vec::new());
        for seed in 1..=40 {
            let mut run = run(n, &[("fan-out", 3.0)], seed);
            until(&mut run, 1_000 + 37 * u64::from(seed));
            act(&mut run, deed::CRASH, 3);
            until(&mut run, 25_000);
            let ordeal = run.model().ordeal.unwrap();
            firsts.push(ordeal.first.unwrap().since(ordeal.since).as_s());
            deads.push(ordeal.dead.unwrap().since(ordeal.since).as_s());
        }
        near(&firsts, first, 0.45, "first");
        near(&deads, dead, 0.7, "dead");
    }
}

#[test]
fn who_sleeps_is_suspected_and_objects() {
    for (naps, least, most) in [(1, 0, 0), (2, 55, 90)] {
        let (mut suspected, mut dead) = (0, 0);
        for seed in 1..=100 {
            let mut run = run(32.0, &[("fan-out", 3.0)], seed);
            until(&mut run, 1_000 + 37 * u64::from(seed));
            for _ in 0..naps {
                act(&mut run, deed::SLEEP, 3);
            }
            until(&mut run, 28_000);
            let ordeal = run.model().ordeal.unwrap();
            suspected += u32::from(ordeal.first.is_some());
            dead += u32::from(ordeal.called_dead);
            assert_eq!(ordeal.back.is_some(), ordeal.first.is_some());
            assert!(run.model().is_whole(), "seed {seed}");
        }
        assert!(
            suspected >= 90 && (least..=most).contains(&dead),
            "{suspected} {dead}"
        );
    }
}

#[test]
fn helpers_spare_the_living_and_a_slow_node_accuses_half() {
    for (helpers, wanted, within) in [(0.0, 354.0, 30.0), (1.0, 123.0, 15.0), (3.0, 15.0, 5.0)] {
        let knobs = [("fan-out", 3.0), ("loss", 10.0), ("helpers", helpers)];
        let mut accused = Vec::new();
        for seed in 1..=6 {
            let mut run = run(32.0, &knobs, seed);
            until(&mut run, 60_000);
            accused.push(f64::from(run.model().accused));
        }
        near(&accused, wanted, within, "accused");
    }
    let mut own = Vec::new();
    for seed in 1..=6 {
        let mut run = run(32.0, &[("fan-out", 3.0)], seed);
        act(&mut run, deed::SLOW, 8);
        until(&mut run, 60_000);
        let (who, count) = run.model().keenest();
        assert_eq!(who, 9);
        own.push(100.0 * f64::from(count) / f64::from(run.model().accused));
    }
    near(&own, 50.0, 5.0, "own share");
}

#[test]
fn halves_find_each_other_only_if_somebody_calls_the_dead() {
    for seed in 1..=20 {
        for call_dead in [0.0, 1.0] {
            let mut run = run(32.0, &[("fan-out", 3.0)], seed);
            act(&mut run, deed::CUT, 0);
            until(&mut run, 20_500);
            assert!(run.model().two_worlds(), "seed {seed}");
            run.set_knob("call-dead", call_dead).unwrap();
            until(&mut run, 50_500);
            assert_eq!(run.model().is_whole(), call_dead > 0.0, "seed {seed}");
        }
    }
}

#[test]
fn a_death_that_nobody_tells_is_undone_for_ever() {
    for seed in 1..=10 {
        let mut run = run(32.0, &[("fan-out", 3.0), ("forgets", 1.0)], seed);
        act(&mut run, deed::CRASH, 8);
        for at in [60_000, 180_000] {
            until(&mut run, at);
            let alive = run.model().column(9).alive;
            assert!((8..=28).contains(&alive), "seed {seed}: {alive}");
        }
    }
}

#[test]
fn few_nodes_and_odd_moments() {
    // One pings nobody; of two, one has no helper and still notices.
    let mut one = run(1.0, &[], 1);
    until(&mut one, 5_000);
    assert_eq!(one.model().accused, 0);
    let mut two = run(2.0, &[], 1);
    act(&mut two, deed::CRASH, 1);
    until(&mut two, 12_000);
    assert_eq!(two.model().column(2).dead, 1);
    // Started again with number 0, it learns of its death, and exceeds it.
    act(&mut two, deed::HEAL, 0);
    until(&mut two, 14_000);
    let own = two.model().cluster.node(2).and_then(|node| node.belief(2));
    assert!(own.unwrap().incarnation > 0 && two.model().is_whole());
    // Who is to be asked is down: the next one that runs is.
    let mut dead_seed = run(8.0, &[("fan-out", 3.0)], 1);
    act(&mut dead_seed, deed::CRASH, 3);
    act(&mut dead_seed, deed::JOIN, 0);
    until(&mut dead_seed, 3_000);
    assert_eq!(dead_seed.model().column(9).unknown, 0);
}

#[test]
fn no_list_goes_back_and_only_the_member_raises_its_number() {
    let at = |belief: Belief| (belief.incarnation, belief.health);
    for seed in 1..=12_u32 {
        let knobs = [("fan-out", 3.0), ("loss", 20.0), ("call-dead", 1.0)];
        let mut run = run(12.0, &knobs, seed);
        let mut before = vec![(0, Health::Alive); 13 * 13];
        for step in 1..=400_u64 {
            until(&mut run, 100 * step);
            match step {
                50 => act(&mut run, deed::SLEEP, (seed % 12) as usize),
                120 => act(&mut run, deed::CUT, 0),
                _ => {}
            }
            let model = run.model();
            for list in 1..=12 as Id {
                for of in 1..=12 as Id {
                    let Some(belief) = model.cluster.node(list).and_then(|it| it.belief(of)) else {
                        continue;
                    };
                    let own = model.cluster.node(of).and_then(|it| it.belief(of));
                    assert!(belief.incarnation <= own.unwrap().incarnation);
                    let known = &mut before[usize::from(list) * 13 + usize::from(of)];
                    assert!(at(belief) >= *known, "seed {seed}: {list} of {of}");
                    *known = at(belief);
                }
            }
            run.audit().unwrap();
        }
        // Nothing is lost any more: all lists end equal.
        run.set_knob("loss", 0.0).unwrap();
        until(&mut run, 90_000);
        assert!(run.model().is_whole(), "seed {seed}");
    }
}

#[test]
fn a_node_sends_as_much_in_any_group() {
    let sent = |n: f64| {
        let mut run = run(n, &[], 1);
        until(&mut run, 10_000);
        run.model().recent.per_s(0, Time::s(5), run.model().now) / n
    };
    let (few, many) = (sent(32.0), sent(96.0));
    assert!((few / 2.0 - 1.0).abs() < 0.1 && (many / few - 1.0).abs() < 0.1);
}
