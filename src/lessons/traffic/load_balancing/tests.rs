//! Tests of load balancing: theory, conservation, the points that the story makes.

use super::{Balancing, SERVERS, Seen};
use algorithms::queueing;
use engine::lesson::sheet;
use engine::player::Happening;
use engine::random::{Streams, below, unit};
use engine::show::{Picked, Watch};
use engine::tape::NoteId;
use engine::{Act, Player, Run, Scene, Show, Stream, Time, knobs};
use kit::system::{Count, System, Values};

fn run(seed: u32, settings: &[(&str, f64)], s: u64) -> Run<System> {
    let mut first = Values::first(&Balancing);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    let mut run = Run::with_knobs(sheet::<Balancing>(), seed, first);
    run.run(Time::s(s), Watch::Nothing, u64::MAX);
    run
}

/// Requests that servers answered, and their mean time there in seconds.
fn served(seed: u32, settings: &[(&str, f64)], s: u64) -> (f64, f64) {
    let row = run(seed, settings, s).model().row(SERVERS);
    (f64::from(row.of(Count::Done)), row.mean().as_s())
}

/// Mean latency in seconds over seeds, weighted by requests.
fn latency_mean_s(settings: &[(&str, f64)], seeds: u32, s: u64) -> f64 {
    let all: Vec<(f64, f64)> = (1..=seeds).map(|seed| served(seed, settings, s)).collect();
    all.iter().map(|(n, mean)| n * mean).sum::<f64>() / all.iter().map(|(n, _)| n).sum::<f64>()
}

#[test]
fn one_worker_is_an_m_m_1_queue() {
    let settings = [
        ("servers", 1.0),
        ("workers", 1.0),
        ("load", 7.0),
        ("queue", 60.0),
        ("timeout", 10.0),
    ];
    let measured = latency_mean_s(&settings, 24, 600);
    let theory = queueing::mm1(7.0, 10.0).unwrap().time_in_system;
    // About 100,000 requests whose waits are correlated: the standard error is near 1.3 %.
    assert!(
        (measured / theory - 1.0).abs() < 0.05,
        "measured {measured}, theory {theory}"
    );
}

#[test]
fn several_workers_are_an_m_m_c_queue() {
    for (workers, load) in [(2, 15.0), (4, 32.0)] {
        let settings = [
            ("servers", 1.0),
            ("workers", f64::from(workers)),
            ("load", load),
            ("queue", 60.0),
            ("timeout", 10.0),
        ];
        let measured = latency_mean_s(&settings, 24, 400);
        let theory = queueing::mmc(load, 10.0, workers)
            .unwrap()
            .means
            .time_in_system;
        assert!(
            (measured / theory - 1.0).abs() < 0.05,
            "c = {workers}: measured {measured}, theory {theory}"
        );
    }
}

#[test]
fn fixed_service_times_halve_the_wait() {
    let settings = [
        ("servers", 1.0),
        ("workers", 1.0),
        ("load", 8.0),
        ("spread", 0.0),
        ("queue", 60.0),
        ("timeout", 10.0),
    ];
    let measured = latency_mean_s(&settings, 24, 600);
    let theory = queueing::md1(8.0, 0.1).unwrap().time_in_system;
    assert!(
        (measured / theory - 1.0).abs() < 0.05,
        "measured {measured}, theory {theory}"
    );
}

#[test]
fn every_policy_sees_the_same_traffic() {
    let came = |policy: f64| {
        let run = run(3, &[("policy", policy)], 60);
        run.model().total().of(Count::Came)
    };
    let came: Vec<u32> = (0..6).map(|policy| came(f64::from(policy))).collect();
    assert!(came.iter().all(|n| *n == came[0]), "{came:?}");
}

#[test]
fn looking_at_the_servers_beats_not_looking() {
    let wait = |policy: f64| {
        latency_mean_s(
            &[("policy", policy), ("servers", 8.0), ("load", 130.0)],
            6,
            120,
        )
    };
    let [random, round_robin, _, least, two, _] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0].map(wait);
    assert!(
        least < two && two < round_robin && round_robin < random,
        "{least} {two} {round_robin} {random}"
    );
}

#[test]
fn weights_share_by_size() {
    let run = run(2, &[("policy", 2.0), ("speed-1", 2.0), ("load", 40.0)], 60);
    let picked = [0, 1].map(|i| run.model().member_row(SERVERS, i).of(Count::Came));
    let ratio = f64::from(picked[0]) / f64::from(picked[1]);
    assert!((ratio - 2.0).abs() < 0.02, "{picked:?}");
}

#[test]
fn a_crash_fails_its_share_until_it_is_noticed() {
    let mut run = run(5, &[], 10);
    let before = run.model().total().of(Count::Failed);
    assert_eq!(before, 0);
    run.act(Act { spec: 0, target: 1 });
    run.run(Time::s(30), Watch::Nothing, u64::MAX);
    let crash = run.model().own::<Seen>().crash.unwrap();
    let took = crash.noticed.unwrap().since(crash.at);
    // Two failed checks, one second apart, each 160 ms on its way there and back.
    assert!((Time::s(1)..=Time::ms(2_200)).contains(&took), "{took:?}");
    let share = f64::from(crash.picked_dead) / f64::from(crash.picked);
    assert!((share - 1.0 / 3.0).abs() < 0.03, "{share}");
    let after_notice = run.model().total().of(Count::Failed);
    run.run(Time::s(60), Watch::Nothing, u64::MAX);
    assert_eq!(
        run.model().total().of(Count::Failed),
        after_notice,
        "once noticed, nothing fails"
    );
}

#[test]
fn nothing_is_lost_or_made_up_whatever_the_learner_does() {
    for seed in 1..=12 {
        let mut streams = Streams::new(seed);
        let rng = streams.get(Stream::named("fuzz"));
        let mut run = Run::new(sheet::<Balancing>(), seed);
        for step in 0..120 {
            match below(rng, 4) {
                0 => {
                    let list = run.knobs();
                    let (knob, _) = list[below(rng, list.len())];
                    let _ = run.set_knob(knob.id, unit(rng) * 300.0 - 50.0);
                }
                1 => {
                    run.act(Act {
                        spec: below(rng, 6),
                        target: below(rng, 9),
                    });
                }
                2 => run.seek(Time::from_s(run.position().at.as_s() * unit(rng))),
                _ => {}
            }
            let until = run.position().at + Time::from_ms(unit(rng) * 400.0);
            while run.run(until, Watch::Any, u64::MAX) == engine::show::Ran::Stopped {
                if let Err(fault) = run.audit() {
                    panic!("seed {seed}, step {step}: {fault}");
                }
            }
        }
    }
}

#[test]
fn the_story_reaches_every_beat_on_any_seed() {
    for seed in 1..=8 {
        let mut player = Player::new(Box::new(Run::new(sheet::<Balancing>(), seed)));
        let last = player.beats().len() - 1;
        for beat in 1..=last {
            let from = player.main().position().at;
            if player.beats()[player.beat()].predict.is_some() {
                assert_eq!(
                    player.main().truth(player.beat()),
                    None,
                    "seed {seed}: asked before it is settled"
                );
                player.guess(0);
            }
            let happened = player.jump(beat);
            assert!(
                happened.contains(&Happening::Beat(beat)),
                "seed {seed}, beat {beat}: {happened:?}"
            );
            let took = player.main().position().at.since(from);
            assert!(
                took <= Time::s(25),
                "seed {seed}, beat {beat} took {took:?}"
            );
        }
        let settled: Vec<_> = player
            .guesses()
            .iter()
            .map(|guess| guess.settled.map(|(_, truth)| truth))
            .collect();
        assert_eq!(settled, [Some(0), Some(1)], "seed {seed}");
        assert!(
            player.done().iter().all(|done| !done),
            "seed {seed}: the story does the learner's work"
        );
    }
}

#[test]
fn no_beat_takes_longer_than_it_should_and_everything_answers_why() {
    let mut wrong = Vec::new();
    for seed in 1..=10 {
        let mut player = Player::new(Box::new(Run::new(sheet::<Balancing>(), seed)));
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

/// Plays with these knobs, does the actions at their seconds, and returns the challenges reached.
fn reached(settings: &[(&str, f64)], acts: &[(u64, &str)], s: u64) -> Vec<bool> {
    let mut player = Player::new(Box::new(Run::new(sheet::<Balancing>(), 1)));
    for (id, value) in settings {
        player.set_knob(id, *value).unwrap();
    }
    player.set_speed(16.0);
    player.set_playing(true);
    let mut acts = acts.iter().peekable();
    while player.main().position().at < Time::s(s) {
        player.frame(0.05);
        while let Some((_, id)) =
            acts.next_if(|(at, _)| player.main().position().at >= Time::s(*at))
        {
            assert!(player.act_by_id(id, None), "{id}");
        }
    }
    player.done().to_vec()
}

#[test]
fn each_challenge_can_be_reached_and_none_is_free() {
    assert_eq!(reached(&[], &[], 60), [false; 5]);
    let big = [("servers", 8.0), ("load", 110.0), ("policy", 3.0)];
    assert!(reached(&big, &[], 30)[0]);
    let watchful = [
        ("servers", 8.0),
        ("load", 60.0),
        ("check", 0.5),
        ("fall", 1.0),
        ("policy", 1.0),
    ];
    assert!(reached(&watchful, &[(5, "crash")], 40)[1]);
    let least = [("servers", 5.0), ("load", 40.0), ("policy", 3.0)];
    assert!(reached(&least, &[(2, "slow")], 40)[2]);
    assert!(reached(&[("policy", 3.0), ("load", 50.0)], &[(5, "crash")], 20)[3]);
    assert!(reached(&[("policy", 5.0)], &[], 60)[4]);
}

#[test]
fn round_robin_drowns_the_slow_server_and_least_connections_does_not() {
    let mut main = run(1, &[("policy", 3.0)], 1);
    main.act(Act { spec: 1, target: 1 });
    let mut twin = main.twin("policy", 1.0).unwrap();
    main.run(Time::s(20), Watch::Nothing, u64::MAX);
    twin.run(Time::s(20), Watch::Nothing, u64::MAX);
    let waiting = |model: &System| model.waiting_at(SERVERS, 1);
    assert!(waiting(main.model()) <= 3);
    let mut scene = Scene::new(884.0, std::rc::Rc::default());
    twin.draw(&mut scene);
    let last = |run: &dyn Show| *run.tape().line(4).last().unwrap();
    assert!(
        last(&*twin) >= 15.0 && last(&main) <= 5.0,
        "{} and {}",
        last(&*twin),
        last(&main)
    );
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("load", "how many come")];
    let compared = kit::system::trial::every_design(sheet::<Balancing>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        compared.requests >= 97_200 && compared.works >= 61_200,
        "{compared:?}"
    );
}
