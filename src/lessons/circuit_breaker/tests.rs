//! Conservation, agreement with theory, the story on several seeds, the twin's point, and the layout.

use super::Breaking;
use super::model::{Breakers, CircuitBreaker, Kind, Settings};
use algorithms::circuit_breaker::State;
use algorithms::retry::{amplification, attempts_mean, success_probability};
use engine::knobs::Kind as KnobKind;
use engine::lesson::sheet;
use engine::player::Happening;
use engine::random::{Streams, below};
use engine::show::Watch;
use engine::{Act, Player, Run, Scene, Show, Stream, Time, Words};
use std::rc::Rc;

fn run(seed: u32, knobs: &[(&str, f64)]) -> Run<CircuitBreaker> {
    let mut run = Run::new(sheet::<Breaking>(), seed);
    for (id, value) in knobs {
        run.set_knob(id, *value).expect("the knob exists");
    }
    run
}

fn go(run: &mut Run<CircuitBreaker>, s: f64) {
    let until = run.position().at + Time::from_s(s);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().expect("conserved");
}

fn act(run: &mut Run<CircuitBreaker>, id: &str) -> bool {
    let spec = run.actions().iter().position(|spec| spec.id == id);
    run.act(Act {
        spec: spec.expect("the action exists"),
        target: 0,
    })
}

fn state(model: &CircuitBreaker, which: usize) -> Option<State> {
    model.guards[which].as_ref().map(|guard| guard.state)
}

#[test]
fn nothing_is_lost_or_made_up_and_an_open_breaker_lets_nothing_pass() {
    for seed in 1..=12_u32 {
        let mut streams = Streams::new(seed);
        let dice = streams.get(Stream::named("fuzz"));
        let mut run = Run::new(sheet::<Breaking>(), seed);
        let knobs = run.knobs();
        for round in 0..40 {
            let (knob, _) = knobs[below(dice, knobs.len())];
            let steps = match knob.kind {
                KnobKind::Slider { min, max, step } => ((max - min) / step) as usize + 1,
                KnobKind::Choice(options) => options.len(),
                KnobKind::Switch => 2,
            };
            let value = knob.from_steps(below(dice, steps) as u32);
            run.set_knob(knob.id, value).expect("the knob exists");
            if round % 2 == 0 {
                let spec = below(dice, run.actions().len());
                run.act(Act { spec, target: 0 });
            }
            let until = run.position().at + Time::ms(400);
            // One event at a time.
            loop {
                let before = (state(run.model(), 1), run.model().calls_to_m3());
                let ran = run.run(until, Watch::Any, 1);
                run.audit()
                    .unwrap_or_else(|off| panic!("seed {seed}, round {round}: {off}"));
                let after = (state(run.model(), 1), run.model().calls_to_m3());
                if before.0 == Some(State::Open) && after.0 == Some(State::Open) {
                    assert_eq!(
                        before.1, after.1,
                        "seed {seed}: a call passed an open breaker"
                    );
                }
                if ran != engine::show::Ran::Stopped && run.position().at >= until {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_failing_m3_gets_tries_to_the_power_of_two() {
    for retries in [0_u32, 1, 4, 5] {
        let mut run = Run::with_knobs(
            sheet::<Breaking>(),
            1,
            Settings {
                breakers: Breakers::None,
                fail_percent: 100.0,
                retries,
                ..Settings::default()
            },
        );
        go(&mut run, 20.0);
        let most = u64::from(run.model().watch.calls_most);
        assert_eq!(most, amplification(2, retries), "{retries} retries");
    }
}

#[test]
fn calls_and_successes_are_those_of_independent_tries() {
    let (p, tries) = (0.5, 2);
    let mut run = run(
        3,
        &[
            ("breakers", 0.0),
            ("fail", 50.0),
            ("retries", 1.0),
            ("load", 8.0),
        ],
    );
    go(&mut run, 5.0);
    let (sent, got, calls) = count(&run);
    go(&mut run, 500.0);
    let (sent_after, got_after, calls_after) = count(&run);
    let all = (sent_after - sent) as f64;
    let hop = 1.0 - success_probability(p, tries);
    let calls = (calls_after - calls) as f64 / all;
    let expected = attempts_mean(p, tries) * attempts_mean(hop, tries);
    assert!(
        (calls / expected - 1.0).abs() < 0.05,
        "{calls} calls a request, {expected} expected; five standard errors of 4,000 requests are 4 %"
    );
    let fresh = (got_after - got) as f64 / all;
    let expected = success_probability(hop, tries);
    assert!(
        (fresh - expected).abs() < 0.02,
        "{fresh} fresh, {expected} expected; five standard errors are 0.019"
    );
}

fn count(run: &Run<CircuitBreaker>) -> (u64, u64, u64) {
    let (sent, got) = run.model().totals();
    (sent, got[Kind::Fresh as usize], run.model().calls_to_m3())
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
fn the_story_reaches_every_beat_on_any_seed() {
    for seed in 1..=5 {
        let mut player = Player::new(Box::new(Run::new(sheet::<Breaking>(), seed)));
        let beats = player.beats().len();
        let mut settled = Vec::new();
        for beat in 1..beats {
            if player.beats()[beat - 1].predict.is_some() {
                assert_eq!(
                    player.main().truth(beat - 1),
                    None,
                    "seed {seed}: known before"
                );
                let right = if player.beats()[beat - 1].id == "storm" {
                    2
                } else {
                    1
                };
                assert!(player.guess(right));
            }
            let from = player.main().position().at;
            let happened = player.jump(beat);
            assert!(
                happened.contains(&Happening::Beat(beat)),
                "seed {seed}: beat {beat} is stuck"
            );
            let took = player.main().position().at.since(from);
            assert!(
                took <= Time::s(12),
                "seed {seed}: beat {beat} took {took:?}"
            );
            player.main().audit().expect("conserved");
            settled.extend(
                happened
                    .into_iter()
                    .filter_map(|happening| match happening {
                        Happening::Settled { beat, right } => Some((beat, right)),
                        _ => None,
                    }),
            );
        }
        assert_eq!(settled, [(2, true), (5, true)], "seed {seed}");
        assert!(
            player.done().iter().all(|done| !done),
            "seed {seed}: the story reaches a challenge by itself: {:?}",
            player.done()
        );
    }
}

#[test]
fn the_twin_without_breakers_stays_down_under_the_same_traffic() {
    for seed in 1..=5 {
        let [with, without] = [2.0, 0.0].map(|breakers| {
            let mut run = run(seed, &[("breakers", breakers)]);
            go(&mut run, 2.0);
            assert!(act(&mut run, "overload"));
            go(&mut run, 13.0);
            let (sent, _) = run.model().totals();
            (
                sent,
                run.model().lately.sum(Kind::Error, 8, Time::s(15)),
                run.model().lately.fresh_share(8, Time::s(15)),
            )
        });
        assert_eq!(with.0, without.0, "seed {seed}: the users differ");
        assert!(
            with.1 == 0 && with.2 >= Some(0.9),
            "seed {seed}: with breakers {with:?}"
        );
        assert!(
            without.1 >= 15 && without.2 <= Some(0.2),
            "seed {seed}: without {without:?}"
        );
    }
}

#[test]
fn both_rules_and_all_fallbacks_do_what_they_say() {
    for rule in [0.0, 1.0] {
        for (fallback, kind) in [
            (0.0, Kind::Error),
            (1.0, Kind::LastGood),
            (2.0, Kind::Backup),
        ] {
            let mut run = run(2, &[("rule", rule), ("fallback", fallback)]);
            go(&mut run, 2.0);
            run.set_knob("fail", 100.0).expect("the knob exists");
            go(&mut run, 2.5);
            let now = run.position().at;
            assert_eq!(state(run.model(), 1), Some(State::Open), "rule {rule}");
            assert!(run.model().lately.sum(kind, 2, now) >= 4, "{kind:?}");
            // Only errors travel up the chain and open the next breaker.
            let upper = state(run.model(), 0);
            assert_eq!(
                upper == Some(State::Open),
                kind == Kind::Error,
                "{kind:?}: {upper:?}"
            );
            run.set_knob("fail", 0.0).expect("the knob exists");
            go(&mut run, 12.0);
            assert_eq!(
                state(run.model(), 1),
                Some(State::Closed),
                "rule {rule}, {kind:?}"
            );
        }
    }
}

#[test]
fn slow_calls_open_it_before_any_call_fails() {
    let mut run = run(2, &[("slow", 700.0), ("delay", 300.0), ("timeout", 3.0)]);
    go(&mut run, 3.0);
    assert_eq!(state(run.model(), 1), Some(State::Closed));
    run.set_knob("delay", 900.0).expect("the knob exists");
    go(&mut run, 5.0);
    assert!(run.model().watch.opened > 0);
}

/// What a learner does: seconds to wait, then knobs and actions (an empty value).
type Inputs = &'static [(f64, &'static str, Option<f64>)];

const SOLUTIONS: &[(&str, Inputs, f64)] = &[
    (
        "storm",
        &[
            (0.0, "breakers", Some(0.0)),
            (0.0, "retries", Some(5.0)),
            (0.0, "fail", Some(100.0)),
        ],
        20.0,
    ),
    (
        "fresh",
        &[
            (0.0, "queue", Some(4.0)),
            (0.0, "open", Some(0.5)),
            (1.0, "overload", None),
        ],
        10.0,
    ),
    ("unharmed", &[(1.0, "fail", Some(100.0))], 20.0),
    (
        "false-alarm",
        &[(0.0, "window", Some(2.0)), (0.0, "fail", Some(20.0))],
        20.0,
    ),
    (
        "unhang",
        &[
            (0.0, "breakers", Some(0.0)),
            (0.0, "overload", None),
            (9.0, "retries", Some(0.0)),
        ],
        20.0,
    ),
];

#[test]
fn every_challenge_can_be_reached() {
    let challenges = Run::new(sheet::<Breaking>(), 1).challenges();
    let solved: Vec<&str> = SOLUTIONS.iter().map(|solution| solution.0).collect();
    assert_eq!(challenges, solved);
    for (i, (id, inputs, then_s)) in SOLUTIONS.iter().enumerate() {
        for seed in 1..=3 {
            let mut player = Player::new(Box::new(Run::new(sheet::<Breaking>(), seed)));
            assert!(
                !player.main().challenge_done(i),
                "{id} is done at time zero"
            );
            player.set_speed(1.0);
            let wait = |player: &mut Player, s: f64| {
                player.set_playing(true);
                (0..(s * 10.0) as u32).for_each(|_| drop(player.frame(0.1)));
            };
            for (after, what, value) in *inputs {
                wait(&mut player, *after);
                match value {
                    Some(value) => drop(player.set_knob(what, *value).expect("the knob exists")),
                    None => assert!(player.act_by_id(what, None)),
                }
            }
            wait(&mut player, *then_s);
            assert!(player.done()[i], "{id} is not reached with seed {seed}");
        }
    }
}

#[test]
fn every_picture_is_sound() {
    let words = Rc::new(words());
    let look = |player: &Player, tag: &str| {
        for width in [884.0, 700.0, 560.0, 436.0, 366.0, 288.0] {
            let mut scene = Scene::new(width, words.clone());
            player.main().draw(&mut scene);
            let faults = scene.faults();
            assert!(faults.is_empty(), "{tag} at {width}: {faults:#?}");
            let mut still = scene.clone();
            still.rest();
            let faults = still.faults();
            assert!(faults.is_empty(), "{tag} at {width}, at rest: {faults:#?}");
            if width >= 560.0 {
                assert!(scene.height <= 430.0, "{tag} at {width}: {}", scene.height);
            }
        }
    };
    let mut player = Player::new(Box::new(Run::new(sheet::<Breaking>(), 1)));
    for beat in 0..player.beats().len() {
        player.jump(beat);
        look(&player, player.beats()[beat].id);
    }
    let turns: [&[(&str, f64)]; 6] = [
        &[("breakers", 1.0), ("fallback", 2.0)],
        &[
            ("rule", 1.0),
            ("row", 20.0),
            ("probes", 10.0),
            ("open", 30.0),
        ],
        &[
            ("rule", 0.0),
            ("window", 30.0),
            ("open", 0.5),
            ("slow", 100.0),
        ],
        &[("threads-1", 40.0), ("threads-2", 2.0), ("queue", 48.0)],
        &[("workers", 12.0), ("backup-workers", 12.0), ("load", 40.0)],
        &[
            ("breakers", 0.0),
            ("queue", 0.0),
            ("retries", 5.0),
            ("workers", 1.0),
        ],
    ];
    let actions: Vec<&str> = player.main().actions().iter().map(|spec| spec.id).collect();
    for turn in turns {
        for (id, value) in turn {
            player.set_knob(id, *value).expect("the knob exists");
        }
        for action in &actions {
            player.act_by_id(action, None);
            for _ in 0..6 {
                player.seek(player.main().position().at + Time::ms(430));
                look(&player, &format!("{turn:?} {action}"));
            }
        }
    }
}

/// The words of this lesson, read as far as a picture needs them.
fn words() -> Words {
    let mut section = "";
    let mut texts = Vec::new();
    for line in include_str!("en.md").lines() {
        if let Some(name) = line.strip_prefix("## ") {
            section = name;
        } else if line.starts_with("# ") {
            section = "";
        } else if let Some((id, text)) = line.strip_prefix("- ").and_then(|l| l.split_once(": ")) {
            texts.push((format!("{section}.{id}"), text.to_owned()));
        }
    }
    Words::new(texts)
}
