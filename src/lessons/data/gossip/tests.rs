//! Gossip against what was computed for it.

use super::state::{Village, deed};
use super::*;
use engine::show::Watch;
use engine::{Act, Run, Show, lesson::sheet};

fn run(knobs: &[(&'static str, f64)], seed: u32) -> Run<Village> {
    let mut run = Run::new(sheet::<Gossip>(), seed);
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

fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / of.len() as f64
}

#[test]
fn probe_all() {
    // rounds
    for (n, telling, fan) in [
        (32., 0., 1.),
        (32., 0., 2.),
        (32., 0., 3.),
        (32., 1., 1.),
        (32., 2., 1.),
        (32., 2., 3.),
        (100., 0., 1.),
        (100., 2., 1.),
        (100., 2., 2.),
        (100., 2., 3.),
    ] {
        let (mut rounds, mut half, mut calls, mut news) = (vec![], vec![], vec![], vec![]);
        for seed in 1..=60 {
            let mut run = run(
                &[
                    ("nodes", n - 1.0),
                    ("nodes", n),
                    ("telling", telling),
                    ("fan-out", fan),
                    ("exchange", 0.0),
                ],
                seed,
            );
            until(&mut run, 10);
            act(&mut run, deed::TELL, 0);
            until(&mut run, 8_000);
            let it = run.model().news.unwrap();
            if let Some(all) = it.all {
                rounds.push(f64::from(all));
            }
            half.push(f64::from(it.half.unwrap()));
            calls.push(f64::from(it.calls));
            news.push(f64::from(it.fresh));
        }
        println!(
            "n {n} telling {telling} fan {fan}: rounds {:.2} ({}) half {:.2} calls {:.0} news {:.0}",
            mean(&rounds),
            rounds.len(),
            mean(&half),
            mean(&calls),
            mean(&news)
        );
    }
    for n in [8., 32., 96.] {
        let (mut first, mut dead) = (vec![], vec![]);
        for seed in 1..=60 {
            let mut run = run(&[("nodes", n - 1.0), ("nodes", n), ("fan-out", 3.0)], seed);
            until(&mut run, 1_000 + 37 * u64::from(seed));
            act(&mut run, deed::CRASH, 3);
            until(&mut run, 25_000);
            let it = run.model().ordeal.unwrap();
            first.push(it.first.unwrap().since(it.since).as_s());
            dead.push(it.dead.unwrap().since(it.since).as_s());
        }
        dead.sort_by(f64::total_cmp);
        println!(
            "n {n}: first {:.2} dead {:.2} 95% {:.2}",
            mean(&first),
            mean(&dead),
            dead[57]
        );
    }
    for naps in [1, 2] {
        let (mut suspected, mut dead, mut back) = (0, 0, 0);
        for seed in 1..=100 {
            let mut run = run(&[("nodes", 31.0), ("nodes", 32.0), ("fan-out", 3.0)], seed);
            until(&mut run, 1_000 + 37 * u64::from(seed));
            for _ in 0..naps {
                act(&mut run, deed::SLEEP, 3);
            }
            until(&mut run, 28_000);
            let it = run.model().ordeal.unwrap();
            suspected += i32::from(it.first.is_some());
            dead += i32::from(it.called_dead);
            back += i32::from(it.back.is_some());
        }
        println!("naps {naps}: suspected {suspected} dead {dead} back {back}");
    }
    for helpers in [0., 1., 3.] {
        let mut n = vec![];
        for seed in 1..=5 {
            let mut run = run(
                &[
                    ("nodes", 31.0),
                    ("nodes", 32.0),
                    ("fan-out", 3.0),
                    ("loss", 10.0),
                    ("helpers", helpers),
                ],
                seed,
            );
            until(&mut run, 60_000);
            n.push(f64::from(run.model().accused));
        }
        println!("helpers {helpers}: {:?}", n);
    }
    for seed in 1..=5 {
        let mut run = run(&[("nodes", 31.0), ("nodes", 32.0), ("fan-out", 3.0)], seed);
        until(&mut run, 1000);
        act(&mut run, deed::SLOW, 8);
        until(&mut run, 61_000);
        println!(
            "slow: {} of {} called dead {}",
            run.model().keenest().1,
            run.model().accused,
            run.model().ordeal.unwrap().called_dead
        );
    }
    for (fan, call) in [(1., 0.), (3., 0.), (3., 1.)] {
        let (mut worlds, mut whole30, mut spans) = (0, 0, vec![]);
        for seed in 1..=30 {
            let mut run = run(&[("nodes", 31.0), ("nodes", 32.0), ("fan-out", fan)], seed);
            until(&mut run, 1000);
            act(&mut run, deed::CUT, 8);
            until(&mut run, 21_000);
            worlds += i32::from(run.model().two_worlds());
            run.set_knob("call-dead", call).unwrap();
            let mut at = 21_000;
            while at < 51_000 && !run.model().is_whole() {
                at += 100;
                until(&mut run, at);
            }
            if run.model().is_whole() {
                whole30 += 1;
                spans.push((at - 21_000) as f64 / 1000.0);
            }
        }
        println!(
            "cut fan {fan} call {call}: worlds {worlds} of 30, whole within 30 s {whole30}, mean {:.1} {:?}",
            mean(&spans),
            spans
        );
    }
    for at in [60, 180] {
        let mut alive = vec![];
        for seed in 1..=10 {
            let mut run = run(
                &[
                    ("nodes", 31.0),
                    ("nodes", 32.0),
                    ("fan-out", 3.0),
                    ("forgets", 1.0),
                ],
                seed,
            );
            until(&mut run, 1000);
            act(&mut run, deed::CRASH, 8);
            until(&mut run, at * 1000);
            alive.push(run.model().column(9).alive);
        }
        println!("alone after {at}: {alive:?}");
    }
}
