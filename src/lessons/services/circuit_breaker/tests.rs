//! Tries to the power of two, independent tries, Little's law, both rules, every fallback, the relapse, and the twin.

use super::*;
use algorithms::retry::{amplification, attempts_mean, success_probability};
use engine::lesson::sheet;
use engine::show::{Picked, Ran, Watch};
use engine::{Act, Player, Run, Show, knobs};
use kit::system::Count;

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Breaking);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Breaking>(), seed, first)
}

fn go(run: &mut Run<System>, s: f64) {
    let until = run.position().at + Time::from_s(s);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn overload(run: &mut Run<System>) {
    assert!(run.act(Act { spec: 0, target: 0 }));
}

fn state(run: &Run<System>, place: u8) -> Option<State> {
    run.model().guard(place).map(|breaker| breaker.state)
}

fn share(run: &Run<System>, got: Got, span: Time) -> f64 {
    let now = run.model().now;
    run.model().own::<Seen>().share(got, span, now)
}

/// Calls that have come to M3.
fn came(run: &Run<System>) -> u32 {
    run.model().row(M3).of(Count::Came)
}

#[test]
fn an_open_breaker_lets_nothing_pass() {
    for seed in 1..=6 {
        let mut run = run(seed, &[("fail", 60.0), ("open", 1.0)]);
        let (mut before, mut seen_open) = ((None, 0), 0);
        let sent = |run: &Run<System>| run.model().wire(WIRES[2]).map_or(0, |it| it.sent[0]);
        while run.run(Time::s(20), Watch::Any, 1) == Ran::Stopped {
            let after = (state(&run, INNER), sent(&run));
            if before.0 == Some(State::Open) && after.0 == before.0 {
                assert_eq!(before.1, after.1, "seed {seed}");
                seen_open += 1;
            }
            before = after;
        }
        assert!(seen_open > 100, "seed {seed}: {seen_open}");
    }
}

#[test]
fn a_failing_m3_gets_tries_to_the_power_of_two() {
    for retries in [0_u32, 1, 4, 5] {
        let tries = ("retries", f64::from(retries));
        let mut run = run(1, &[("breakers", 0.0), ("fail", 100.0), tries]);
        go(&mut run, 20.0);
        let most = u64::from(run.model().own::<Seen>().most);
        assert_eq!(most, amplification(2, retries), "{retries} retries");
    }
}

#[test]
fn calls_and_successes_are_those_of_independent_tries() {
    let (p, tries) = (0.5, 2);
    let mut run = run(3, &[("breakers", 0.0), ("fail", 50.0), ("retries", 1.0)]);
    let figures = |run: &Run<System>| {
        let all = run.model().total();
        [all.of(Count::Came), all.of(Count::Done), came(run)].map(f64::from)
    };
    go(&mut run, 5.0);
    let before = figures(&run);
    go(&mut run, 500.0);
    let after = figures(&run);
    let [all, fresh, calls] = [0, 1, 2].map(|i| after[i] - before[i]);
    let hop = 1.0 - success_probability(p, tries);
    let expected = attempts_mean(p, tries) * attempts_mean(hop, tries);
    let calls = calls / all;
    assert!(
        (calls / expected - 1.0).abs() < 0.05,
        "{calls} calls a request, {expected} expected; five standard errors of 4,000 requests are 4 %"
    );
    let expected = success_probability(hop, tries);
    let fresh = fresh / all;
    assert!(
        (fresh - expected).abs() < 0.02,
        "{fresh} fresh, {expected} expected; five standard errors are 0.019"
    );
}

#[test]
fn busy_threads_follow_littles_law() {
    let mut run = run(5, &[]);
    go(&mut run, 300.0);
    let mean = |line: usize| {
        let samples = run.tape().line(line);
        samples.iter().map(|v| f64::from(*v)).sum::<f64>() / samples.len() as f64
    };
    // Load times the time a thread is held: the links beyond it there and back, and the work of M3.
    for (line, held_s) in [(5, 0.4 + 0.25), (6, 0.2 + 0.25)] {
        let (busy, expected) = (mean(line), 8.0 * held_s);
        assert!(
            (busy / expected - 1.0).abs() < 0.12,
            "{busy} busy, {expected} expected: 2,400 Poisson arrivals vary by 2 %, waiting at M3 adds a few"
        );
    }
}

#[test]
fn pages_come_for_two_seconds_and_then_no_more() {
    for seed in 1..=10 {
        let mut run = run(seed, &[("breakers", 0.0), ("fail", 100.0)]);
        go(&mut run, 8.0);
        run.set_knob("fail", 0.0).unwrap();
        let mut best = 0.0_f64;
        for _ in 0..15 {
            go(&mut run, 0.2);
            best = best.max(share(&run, Got::Fresh, Time::s(1)));
        }
        go(&mut run, 7.0);
        let later = share(&run, Got::Error, NOW);
        assert!(
            best >= 0.6 && later >= 0.9,
            "seed {seed}: {best}, then {later}"
        );
    }
}

#[test]
fn without_breakers_the_chain_stays_down_under_the_same_traffic() {
    for seed in 1..=5 {
        let [with, without] = [2.0, 0.0].map(|breakers| {
            let mut run = run(seed, &[("breakers", breakers)]);
            go(&mut run, 2.0);
            overload(&mut run);
            go(&mut run, 13.0);
            (
                run.model().total().of(Count::Came),
                share(&run, Got::Fresh, NOW),
            )
        });
        assert_eq!(with.0, without.0, "seed {seed}: the users differ");
        assert!(
            with.1 >= 0.9 && without.1 <= 0.2,
            "seed {seed}: {with:?}, {without:?}"
        );
    }
}

#[test]
fn both_rules_and_all_fallbacks_do_what_they_say() {
    for rule in [0.0, 1.0] {
        for (fallback, got) in [(0.0, Got::Error), (1.0, Got::LastGood), (2.0, Got::Backup)] {
            let mut run = run(2, &[("rule", rule), ("fallback", fallback)]);
            go(&mut run, 2.0);
            run.set_knob("fail", 100.0).unwrap();
            go(&mut run, 2.5);
            assert_eq!(state(&run, INNER), Some(State::Open), "rule {rule}");
            assert!(share(&run, got, Time::s(1)) >= 0.9, "{got:?}");
            // Only errors travel up the chain and open the next breaker.
            let upper = state(&run, 0) == Some(State::Open);
            assert_eq!(upper, got == Got::Error, "{got:?}");
            run.set_knob("fail", 0.0).unwrap();
            go(&mut run, 12.0);
            assert_eq!(state(&run, INNER), Some(State::Closed), "rule {rule}");
        }
    }
}

#[test]
fn slow_calls_open_it_before_any_call_fails() {
    let mut run = run(2, &[("slow", 700.0), ("delay", 300.0), ("timeout", 3.0)]);
    go(&mut run, 3.0);
    assert_eq!(state(&run, INNER), Some(State::Closed));
    run.set_knob("delay", 900.0).unwrap();
    go(&mut run, 3.0);
    assert_eq!(state(&run, INNER), Some(State::Open));
    assert_eq!(run.model().total().of(Count::Failed), 0);
}

#[test]
fn every_beat_comes_within_eight_seconds_of_the_learner() {
    for seed in 1..=10 {
        let mut player = Player::new(Box::new(Run::new(sheet::<Breaking>(), seed)));
        for beat in 1..player.beats().len() {
            let from = player.main().position().at;
            player.jump(beat);
            let took = player.main().position().at.since(from).as_s() / player.speed();
            let id = player.beats()[beat].id;
            assert!(took <= 8.0, "seed {seed}: {id} takes {took:.1} s");
        }
    }
}

#[test]
fn every_part_answers_for_its_state_at_every_beat() {
    let mut player = Player::new(Box::new(Run::new(sheet::<Breaking>(), 1)));
    for beat in 0..player.beats().len() {
        player.jump(beat);
        let mut scene = engine::Scene::new(884.0, std::rc::Rc::default());
        player.main().draw(&mut scene);
        for part in scene.parts().iter().map(|part| part.id) {
            // Nothing has happened to others before they flood M3.
            let silent = ["others", "flood"].contains(&part.kind);
            let chain = player.main_mut().why(Picked::Part(part), 40);
            let root = chain.last().map(|note| note.word);
            let id = player.beats()[beat].id;
            assert!(silent || root.is_some(), "{id}: {part} has nothing to say");
        }
    }
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("load", "how many come")];
    let compared = kit::system::trial::every_design(sheet::<Breaking>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        compared.requests >= 24_300 && compared.works >= 14_400,
        "{compared:?}"
    );
}
