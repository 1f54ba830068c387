//! Tests of rolling update: conservation, the promises of the controller, and the points that the story makes.

use super::model::{Kind, Release, RollingUpdate, USERS};
use super::{Rolling, Settings};
use algorithms::rollout::Progress;
use engine::lesson::sheet;
use engine::player::Happening;
use engine::random::{Streams, below, unit};
use engine::show::{Picked, Ran, Watch};
use engine::tape::NoteId;
use engine::{Act, Player, Run, Scene, Show, Stream, Time, Words, knobs};
use std::rc::Rc;

const WIDTHS: [f32; 7] = [884.0, 740.0, 700.0, 560.0, 436.0, 366.0, 288.0];
const RECREATE: f64 = 0.0;
const BLUE_GREEN: f64 = 2.0;
const CANARY: f64 = 3.0;

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<RollingUpdate> {
    let mut first = Settings::default();
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Rolling>(), seed, first)
}

fn until(run: &mut Run<RollingUpdate>, s: f64) {
    run.run(Time::from_s(s), Watch::Nothing, u64::MAX);
}

fn act(run: &mut Run<RollingUpdate>, id: &str, target: usize) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    run.act(Act { spec, target });
}

/// The first release, which the team ships by itself.
fn first_release(settings: &[(&str, f64)], s: f64) -> Release {
    let mut run = run(1, settings);
    until(&mut run, s);
    run.model().finished.expect("the release is over by then")
}

fn words() -> Rc<Words> {
    let mut section = String::new();
    let mut texts = Vec::new();
    for line in include_str!("en.md").lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut section);
        } else if line.starts_with("# ") {
            section.clear();
        } else if let Some((id, text)) = line.strip_prefix("- ").and_then(|l| l.split_once(": ")) {
            texts.push((format!("{section}.{id}"), text.to_owned()));
        }
    }
    Rc::new(Words::new(texts))
}

fn sound(run: &dyn Show, words: &Rc<Words>, where_: &str) {
    run.audit().unwrap();
    for width in WIDTHS {
        let mut scene = Scene::new(width, words.clone());
        run.draw(&mut scene);
        let faults = scene.faults();
        assert!(faults.is_empty(), "{width}, {where_}: {faults:?}");
    }
}

#[test]
fn a_rolling_update_keeps_both_promises_at_every_event() {
    for (seed, replicas, surge, unavailable) in [
        (1, 6, 2, 1),
        (2, 6, 1, 0),
        (3, 8, 0, 3),
        (4, 5, 6, 8),
        (5, 3, 0, 0),
        (6, 1, 1, 0),
    ] {
        let mut run = run(
            seed,
            &[
                ("replicas", f64::from(replicas)),
                ("surge", f64::from(surge)),
                ("unavailable", f64::from(unavailable)),
                ("load", 4.0),
            ],
        );
        // Both zero would leave no room to move, so that becomes one unavailable.
        let down = if surge + unavailable == 0 {
            1
        } else {
            unavailable
        };
        let least = u32::saturating_sub(replicas, down);
        while run.run(Time::s(40), Watch::Any, u64::MAX) == Ran::Stopped {
            run.audit().unwrap();
            let model = run.model();
            let active = model.pods.iter().filter(|pod| pod.core.is_active()).count();
            let ready = model.pods.iter().filter(|pod| pod.core.is_ready()).count();
            assert!(
                active <= (replicas + surge) as usize,
                "seed {seed}: {active} pods"
            );
            assert!(ready >= least as usize, "seed {seed}: {ready} ready");
        }
        let release = run.model().finished.unwrap();
        assert_eq!(release.version, 2, "seed {seed}");
        assert!(
            least == 0 || release.failed == 0,
            "seed {seed}: {}",
            release.failed
        );
        assert_eq!(run.model().rollouts[0].progress(), Progress::Complete);
    }
}

#[test]
fn recreate_has_a_gap_and_rolling_has_none_under_the_same_requests() {
    for seed in 1..=5 {
        let mut main = run(seed, &[]);
        let mut twin = run(seed, &[("strategy", RECREATE)]);
        until(&mut main, 12.0);
        until(&mut twin, 12.0);
        let (rolling, recreate) = (main.model(), twin.model());
        assert_eq!(
            rolling.totals().0,
            recreate.totals().0,
            "seed {seed}: other traffic"
        );
        let (a, b) = (rolling.finished.unwrap(), recreate.finished.unwrap());
        assert_eq!((a.failed, a.ready_min), (0, 5), "seed {seed}");
        assert_eq!(b.ready_min, 0, "seed {seed}");
        // Stopping, fetching and starting take about 3.3 s, less half a second in which stopping pods still
        // answer: some 80 requests.
        assert!((50..120).contains(&b.failed), "seed {seed}: {}", b.failed);
    }
}

#[test]
fn every_strategy_sees_the_same_traffic() {
    let born: Vec<u64> = (0..4)
        .map(|how| {
            let mut run = run(3, &[("strategy", f64::from(how))]);
            until(&mut run, 60.0);
            run.model().totals().0
        })
        .collect();
    assert!(born.iter().all(|n| *n == born[0]), "{born:?}");
}

#[test]
fn no_strategy_but_recreate_fails_a_request_of_a_good_release() {
    for (how, failed) in [
        (0.0, false),
        (1.0, true),
        (BLUE_GREEN, true),
        (CANARY, true),
    ] {
        let release = first_release(&[("strategy", how)], 30.0);
        assert_eq!(
            release.failed == 0,
            failed,
            "strategy {how}: {}",
            release.failed
        );
        assert!(!release.aborted, "strategy {how}");
    }
}

#[test]
fn too_few_pods_for_the_load_fail_requests() {
    let release = first_release(
        &[("unavailable", 5.0), ("ready", 8.0), ("surge", 0.0)],
        60.0,
    );
    assert!(release.ready_min == 1 && release.failed > 50, "{release:?}");
}

#[test]
fn a_version_that_never_gets_ready_stalls_and_harms_nobody() {
    for seed in 1..=5 {
        let mut run = run(seed, &[]);
        act(&mut run, "ship-dead", 0);
        until(&mut run, 30.0);
        let model = run.model();
        assert!(
            model.release.stalled.is_some() && model.release.failed == 0,
            "seed {seed}"
        );
        let ready = model.pods.iter().filter(|pod| pod.core.is_ready());
        assert_eq!(ready.count(), 5, "seed {seed}");
        assert!(matches!(
            model.rollouts[0].progress(),
            Progress::DeadlineExceeded { .. }
        ));
        act(&mut run, "roll-back", 0);
        until(&mut run, 40.0);
        let model = run.model();
        assert!(model.pods.iter().all(|pod| pod.version == 1), "seed {seed}");
        assert!(
            model.release.back && model.release.done.is_some(),
            "seed {seed}"
        );
        assert_eq!(model.totals().2, 0, "seed {seed}");
    }
}

#[test]
fn a_faulty_version_gets_through_except_past_a_canary() {
    let faulty = |how: f64| {
        let mut run = run(2, &[("strategy", how)]);
        act(&mut run, "ship-faulty", 0);
        until(&mut run, 20.0);
        let model = run.model();
        let current = model.pods.iter().map(|pod| pod.version).max().unwrap();
        (current, model.totals().2)
    };
    let (rolled, many) = faulty(1.0);
    let (canaried, few) = faulty(CANARY);
    assert_eq!((rolled, canaried), (2, 1));
    assert!(few * 10 < many, "{few} and {many}");
}

#[test]
fn blue_green_goes_back_at_once() {
    let mut run = run(1, &[("strategy", BLUE_GREEN), ("keep", 20.0)]);
    act(&mut run, "ship-faulty", 0);
    until(&mut run, 6.0);
    assert_eq!(run.model().active, 1);
    act(&mut run, "roll-back", 0);
    until(&mut run, 6.5);
    assert_eq!(run.model().active, 0);
    assert!(run.model().release.done.is_some());
}

#[test]
fn a_lost_node_costs_requests_until_it_is_noticed_and_its_pods_come_back_elsewhere() {
    let mut run = run(4, &[]);
    until(&mut run, 12.0);
    act(&mut run, "kill", 1);
    until(&mut run, 15.0);
    let failed = run.model().totals().2;
    // Two of six pods, for at most 2.5 s, of 30 requests a second; and those that they held.
    assert!((8..=35).contains(&failed), "{failed}");
    until(&mut run, 25.0);
    let model = run.model();
    assert!(
        model.totals().2 <= failed + 1,
        "once noticed, nothing fails"
    );
    let well = model
        .pods
        .iter()
        .filter(|pod| pod.core.is_ready() && !model.dark(pod));
    assert_eq!(well.count(), 6);
    act(&mut run, "revive", 1);
    until(&mut run, 27.0);
    assert_eq!(
        run.model().pods.len(),
        6,
        "stuck pods end when their node is back"
    );
}

#[test]
fn nothing_is_lost_or_made_up_whatever_the_learner_does() {
    for seed in 1..=10 {
        let mut streams = Streams::new(seed);
        let rng = streams.get(Stream::named("fuzz"));
        let mut run = Run::new(sheet::<Rolling>(), seed);
        for step in 0..120 {
            match below(rng, 4) {
                0 => {
                    let list = run.knobs();
                    let (knob, _) = list[below(rng, list.len())];
                    let _ = run.set_knob(knob.id, unit(rng) * 120.0 - 10.0);
                }
                1 => {
                    run.act(Act {
                        spec: below(rng, 6),
                        target: below(rng, 4),
                    });
                }
                2 => run.seek(Time::from_s(run.position().at.as_s() * unit(rng))),
                _ => {}
            }
            let until = run.position().at + Time::from_ms(unit(rng) * 900.0);
            while run.run(until, Watch::Any, u64::MAX) == Ran::Stopped {
                if let Err(fault) = run.audit() {
                    panic!("seed {seed}, step {step}: {fault}");
                }
            }
        }
    }
}

#[test]
fn the_story_reaches_every_beat_on_any_seed() {
    let words = words();
    for seed in 1..=5 {
        let mut player = Player::new(Box::new(Run::new(sheet::<Rolling>(), seed)));
        // Some learners watch for a while first, into the team's own release or past it.
        player.seek(Time::s(u64::from(seed - 1) * 3));
        for beat in 1..player.beats().len() {
            let from = player.main().position().at;
            if player.beats()[player.beat()].predict.is_some() {
                assert_eq!(player.main().truth(player.beat()), None, "seed {seed}");
                player.guess(0);
            }
            let happened = player.jump(beat);
            let there = happened.contains(&Happening::Beat(beat));
            assert!(there, "seed {seed}, beat {beat}: {happened:?}");
            let took = player.main().position().at.since(from);
            assert!(
                took <= Time::s(12),
                "seed {seed}, beat {beat} took {took:?}"
            );
            if seed == 1 {
                sound(player.main(), &words, player.beats()[beat].id);
            }
        }
        let truths: Vec<_> = player
            .guesses()
            .iter()
            .map(|guess| guess.settled.map(|(_, truth)| truth))
            .collect();
        assert_eq!(truths, [Some(1), Some(0)], "seed {seed}");
        assert!(
            player.done().iter().all(|done| !done),
            "seed {seed}: the story does it all"
        );
    }
}

#[test]
fn no_beat_takes_longer_than_it_should_and_everything_answers_why() {
    let mut wrong = Vec::new();
    for seed in 1..=10 {
        let mut player = Player::new(Box::new(Run::new(sheet::<Rolling>(), seed)));
        for beat in 0..player.beats().len() {
            let id = player.beats()[beat].id;
            let from = player.main().position().at;
            if beat > 0 {
                player.jump(beat);
            }
            let took = player.main().position().at.since(from).as_s() / player.speed();
            if took > 8.0 || player.stuck().is_some() {
                wrong.push(format!("seed {seed}, {id}: {took:.1} s"));
            }
            let mut scene = Scene::new(884.0, std::rc::Rc::default());
            player.main().draw(&mut scene);
            for part in scene.parts() {
                let chain = player.main_mut().why(Picked::Part(part.id), 24);
                if !chain.iter().any(|note| note.cause == NoteId::NONE) {
                    let said: Vec<&str> = chain.iter().map(|note| note.word).collect();
                    wrong.push(format!("seed {seed}, {id}: {} answers {said:?}", part.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_got_nothing_in_the_gap_learns_that_nobody_was_ready_and_why() {
    let mut player = Player::new(Box::new(Run::new(sheet::<Rolling>(), 1)));
    player.jump(1);
    let chain = player.main_mut().why(Picked::Part(USERS), 12);
    let said: Vec<&str> = chain.iter().map(|note| note.word).collect();
    assert!(
        said.starts_with(&["failing", "nobody", "nobody-ready"]) && said.contains(&"shipped"),
        "{said:?}"
    );
}

#[test]
fn pictures_are_sound_after_every_action_under_every_strategy() {
    let words = words();
    for how in 0..4 {
        for action in ["ship", "ship-dead", "ship-faulty", "kill"] {
            for replicas in [1.0, 6.0, 8.0] {
                let settings = [("strategy", f64::from(how)), ("replicas", replicas)];
                let mut run = run(1, &settings);
                until(&mut run, 4.0);
                act(&mut run, action, 1);
                for ms in [0, 90, 700, 1_600, 4_000, 9_000] {
                    until(&mut run, 4.0 + f64::from(ms) / 1e3);
                    sound(
                        &run,
                        &words,
                        &format!("{action} with {how}, {replicas} replicas"),
                    );
                }
            }
        }
    }
}

#[test]
fn every_card_has_room_for_its_word() {
    let words = words();
    let states: Vec<&str> = words
        .ids()
        .filter(|id| id.starts_with("stage.pod."))
        .collect();
    assert!(states.len() >= 10);
    for id in states {
        let w = engine::text::width(words.get(id), 11.0, true);
        assert!(w <= 46.0, "{id} is {w} wide");
    }
}

/// Plays with these knobs, does the actions at their times, and returns the challenges reached.
fn reached(settings: &[(&str, f64)], acts: &[(f64, &str)], s: u64) -> Vec<bool> {
    let mut player = Player::new(Box::new(Run::new(sheet::<Rolling>(), 1)));
    for (id, value) in settings {
        player.set_knob(id, *value).unwrap();
    }
    player.set_speed(16.0);
    player.set_playing(true);
    let mut acts = acts.iter().peekable();
    while player.main().position().at < Time::s(s) {
        player.frame(0.005);
        while let Some((_, id)) =
            acts.next_if(|(at, _)| player.main().position().at >= Time::from_s(*at))
        {
            assert!(player.act_by_id(id, None), "{id}");
        }
    }
    player.done().to_vec()
}

#[test]
fn each_challenge_can_be_reached_and_none_is_free() {
    assert_eq!(reached(&[], &[], 40), [false; 5]);
    assert!(reached(&[("unavailable", 0.0)], &[], 20)[0]);
    assert!(reached(&[("surge", 0.0)], &[], 30)[1]);
    assert!(reached(&[("pre-stop", 0.0), ("lag", 300.0)], &[], 30)[2]);
    let blue_green = [("strategy", BLUE_GREEN), ("keep", 20.0)];
    assert!(reached(&blue_green, &[(0.5, "ship-faulty"), (6.0, "roll-back")], 12)[3]);
    let roomy = [
        ("replicas", 8.0),
        ("ready", 4.0),
        ("node-grace", 1.0),
        ("load", 20.0),
    ];
    assert!(reached(&roomy, &[(2.2, "kill")], 40)[4]);
}

#[test]
fn a_stopping_pod_that_ends_before_the_service_hears_refuses_requests() {
    let settings = [("pre-stop", 0.0), ("lag", 300.0)];
    let leaky = first_release(&settings, 30.0);
    assert!(leaky.enough && leaky.refused >= 3, "{leaky:?}");
    assert_eq!(leaky.kind, Kind::Good);
    assert_eq!(
        first_release(&[("pre-stop", 0.6), ("lag", 300.0)], 30.0).failed,
        0
    );
}

#[test]
fn the_past_is_kept_no_longer_than_it_is_shown() {
    let mut run = run(1, &[]);
    until(&mut run, 200.0);
    let model: &RollingUpdate = run.model();
    assert!(model.past.len() < 200);
}

#[test]
fn shares_round_surge_up_and_unavailable_down() {
    // 30 % and 10 % of 6 pods: two above, none below.
    let settings = [("unit", 1.0), ("surge", 3.0), ("unavailable", 1.0)];
    let release = first_release(&settings, 40.0);
    assert_eq!((release.ready_min, release.pods_max), (6, 8));
}

#[test]
fn min_ready_seconds_slow_a_rollout_down() {
    let took = |settings: &[(&str, f64)]| {
        let release = first_release(settings, 90.0);
        release.done.unwrap().since(release.since)
    };
    let (plain, careful) = (took(&[]), took(&[("min-ready", 3.0), ("deadline", 20.0)]));
    // Two rounds of new pods, each watched for three seconds longer.
    assert!(
        careful.as_s() - plain.as_s() >= 5.5,
        "{plain:?} and {careful:?}"
    );
}
