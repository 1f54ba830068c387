//! Tests of fan-out: theory, conservation, the points that the story makes.

use super::model::{Design, Shop, User};
use super::story::PUSH;
use super::{FanOut, Settings};
use algorithms::queueing;
use engine::lesson::sheet;
use engine::random::{Streams, below, unit};
use engine::show::{Ran, Watch};
use engine::{Act, Player, Run, Show, Stream, Time, knobs};

const DOWN: usize = 0;
const UP: usize = 1;
const POISON: usize = 2;
const MISS: usize = 3;
const BURST: usize = 4;
const REDRIVE: usize = 5;

fn opened(seed: u32, settings: &[(&str, f64)]) -> Run<Shop> {
    let mut first = Settings::default();
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<FanOut>(), seed, first)
}

fn run(seed: u32, settings: &[(&str, f64)], s: u64) -> Run<Shop> {
    let mut run = opened(seed, settings);
    run.run(Time::s(s), Watch::Nothing, u64::MAX);
    run
}

fn go(run: &mut dyn Show, ms: u64) {
    let until = run.position().at + Time::ms(ms);
    run.run(until, Watch::Nothing, u64::MAX);
}

fn act(run: &mut dyn Show, spec: usize, target: usize) {
    assert!(run.act(Act { spec, target }), "action {spec} on {target}");
}

/// Mean of a plotted line after `skip` samples.
fn mean(run: &dyn Show, line: usize, skip: usize) -> f64 {
    let samples = &run.tape().line(line)[skip..];
    samples.iter().map(|x| f64::from(*x)).sum::<f64>() / samples.len() as f64
}

#[test]
fn orders_arrive_at_their_rate() {
    let born: u64 = (1..=10)
        .map(|seed| {
            run(seed, &[("load", 20.0)], 100).model().services[0]
                .counts
                .due
        })
        .sum();
    // 20,000 expected; five standard errors of a Poisson count are 707.
    assert!((19_300..=20_700).contains(&born), "{born}");
    let early: u64 = (1..=200)
        .map(|seed| run(seed, &[], 10).model().services[0].counts.due)
        .sum();
    // 60 each in 10 s, and some two that were open at time zero: 12,400; five standard errors are 550.
    assert!((11_850..=12_950).contains(&early), "{early}");
}

#[test]
fn a_queue_with_one_worker_is_an_m_d_1_queue() {
    let settings = [
        ("services", 1.0),
        ("workers", 1.0),
        ("load", 7.0),
        ("service-1", 100.0),
    ];
    // The backlog leaves out what is lent: the message with the worker, the one fetched ahead, those whose
    // receipt travels. So the work that waits is compared through the mean number in the system instead.
    let (mut area, mut samples) = (0.0, 0_u32);
    for seed in 1..=6 {
        let mut run = opened(seed, &settings);
        run.run(Time::s(10), Watch::Nothing, u64::MAX);
        for _ in 0..12_000 {
            go(&mut run, 20);
            let queue = &run.model().services[0].queue;
            area += queue.len() as f64;
            samples += 1;
        }
    }
    let measured = area / f64::from(samples);
    // By Little's law a message spends its time in the system plus two hops in its queue.
    let theory = queueing::md1(7.0, 0.1).unwrap().time_in_system;
    let expected = 7.0 * (theory + 0.12);
    assert!(
        (measured / expected - 1.0).abs() < 0.06,
        "measured {measured}, theory {expected}"
    );
}

#[test]
fn several_workers_are_an_m_m_c_queue() {
    let settings = [
        ("services", 1.0),
        ("workers", 3.0),
        ("load", 6.0),
        ("service-1", 400.0),
        ("spread", 1.0),
        ("visibility", 10.0),
    ];
    let (mut area, mut samples) = (0.0, 0_u32);
    for seed in 1..=10 {
        let mut run = opened(seed, &settings);
        run.run(Time::s(10), Watch::Nothing, u64::MAX);
        for _ in 0..6_000 {
            go(&mut run, 40);
            area += run.model().services[0].queue.len() as f64;
            samples += 1;
        }
    }
    let measured = area / f64::from(samples);
    let theory = queueing::mmc(6.0, 2.5, 3).unwrap().means.time_in_system;
    let expected = 6.0 * (theory + 0.12);
    // Work shorter than a hop costs a worker the hop, which adds a little to the wait.
    assert!(
        (measured / expected - 1.0).abs() < 0.12,
        "measured {measured}, theory {expected}"
    );
}

#[test]
fn the_user_waits_for_the_sum_the_slowest_or_nobody() {
    let wait = |design: f64| {
        let run = run(
            2,
            &[("design", design), ("load", 1.0), ("workers", 6.0)],
            30,
        );
        let answers = &run.model().watch.answers;
        answers.iter().map(|answer| answer.wait).min().unwrap()
    };
    assert_eq!(wait(0.0), Time::ms(500));
    assert_eq!(wait(1.0), Time::ms(250));
    assert_eq!(wait(PUSH), Time::ms(5));
    assert_eq!(wait(3.0), Time::ms(5));
}

#[test]
fn every_design_sees_the_same_orders() {
    let due: Vec<u64> = (0..4)
        .map(|design| {
            let settings = [("design", f64::from(design)), ("load", 2.0)];
            let run = run(3, &settings, 60);
            let counts = run.model().services[2].counts;
            counts.due
        })
        .collect();
    // What is open at the start, or on its way to the topic at the end, may differ by a few.
    let (least, most) = (due.iter().min().unwrap(), due.iter().max().unwrap());
    assert!(most - least <= 4, "{due:?}");
}

#[test]
fn the_queue_keeps_what_the_push_loses() {
    let mut main = run(1, &[], 3);
    let mut twin = main.twin("design", PUSH).unwrap();
    twin.run(Time::s(3), Watch::Nothing, u64::MAX);
    for run in [&mut main as &mut dyn Show, &mut *twin] {
        act(run, DOWN, 0);
        go(run, 5_000);
        act(run, UP, 0);
        go(run, 20_000);
    }
    let gone = |run: &dyn Show| mean(run, 3, 4) * run.position().at.as_s();
    let kept = main.model().services[0].counts;
    assert_eq!((kept.lost, kept.missed, kept.expired), (0, 0, 0));
    assert_eq!(gone(&main), 0.0);
    assert!(gone(&*twin) >= 15.0, "{}", gone(&*twin));
    assert!(kept.due - kept.done <= 4, "{kept:?}");
}

#[test]
fn a_lost_acknowledgement_does_the_work_twice_after_the_time_out() {
    let mut run = run(4, &[("load", 1.0)], 3);
    act(&mut run, MISS, 0);
    while run.model().services[0].counts.again == 0 {
        assert!(run.position().at < Time::s(20));
        go(&mut run, 10);
    }
    let said = |word: &str| {
        let mut notes = run.tape().notes().rev();
        notes
            .find(|note| note.word == word)
            .map(|note| note.at)
            .unwrap()
    };
    let (lent, again) = (said("ack-lost"), said("lent-again"));
    // Hidden for 2 s from the moment it was lent: a hop, 150 ms of work and a hop before the loss.
    assert_eq!(again.since(lent), Time::ms(2_000 - 60 - 150 - 60));
    go(&mut run, 1_000);
    assert_eq!(run.model().services[0].counts.again, 1);
}

#[test]
fn poison_is_put_aside_after_so_many_deliveries_and_a_redrive_does_it() {
    let mut run = run(4, &[("load", 2.0), ("receives", 4.0)], 3);
    act(&mut run, POISON, 2);
    go(&mut run, 15_000);
    let inventory = &run.model().services[2];
    assert_eq!((inventory.dead.len(), inventory.counts.dead), (1, 1));
    let deliveries = run.tape().notes();
    let again = deliveries.filter(|note| note.word == "lent-again").count();
    assert_eq!(again, 3, "four deliveries");
    act(&mut run, REDRIVE, 2);
    go(&mut run, 2_000);
    let inventory = &run.model().services[2];
    assert_eq!((inventory.dead.len(), inventory.counts.dead), (0, 0));
}

#[test]
fn queues_forget_after_their_retention() {
    let mut run = run(2, &[("load", 3.0)], 1);
    act(&mut run, DOWN, 1);
    go(&mut run, 320_000);
    let sms = &run.model().services[1];
    assert!(sms.counts.expired >= 30, "{:?}", sms.counts);
    run.audit().unwrap();
    act(&mut run, UP, 1);
    go(&mut run, 5_000);
    run.audit().unwrap();
}

#[test]
fn a_burst_leaves_users_alone_with_queues_and_not_with_calls() {
    for (design, failing) in [(1.0, true), (3.0, false)] {
        let mut run = run(1, &[("design", design)], 2);
        act(&mut run, BURST, 0);
        go(&mut run, 2_000);
        let errors = run.model().watch.answers.iter().any(|answer| answer.failed);
        assert_eq!(errors, failing, "design {design}");
        run.audit().unwrap();
    }
}

#[test]
fn nothing_is_lost_or_made_up_whatever_the_learner_does() {
    for seed in 1..=10 {
        let mut streams = Streams::new(seed);
        let rng = streams.get(Stream::named("fuzz"));
        let mut run = Run::new(sheet::<FanOut>(), seed);
        for step in 0..110 {
            match below(rng, 5) {
                0 => {
                    let list = run.knobs();
                    let (knob, _) = list[below(rng, list.len())];
                    let _ = run.set_knob(knob.id, unit(rng) * 300.0 - 50.0);
                }
                1 | 2 => {
                    // Bursts are dear to audit, so there are few.
                    let spec = [0, 0, 1, 1, 2, 3, 3, 5, 5, below(rng, 6)][below(rng, 10)];
                    run.act(Act {
                        spec,
                        target: below(rng, 6),
                    });
                }
                3 => {
                    let _ = run.set_knob("design", unit(rng) * 4.0 - 0.5);
                }
                _ => {}
            }
            let until = run.position().at + Time::from_ms(unit(rng) * 500.0);
            while run.run(until, Watch::Any, u64::MAX) == Ran::Stopped {
                if let Err(fault) = run.audit() {
                    panic!("seed {seed}, step {step}: {fault}");
                }
            }
        }
    }
}

#[test]
fn those_who_wait_are_as_many_as_little_says() {
    let (mut area, mut samples, mut wait) = (0.0, 0_u32, 0.0);
    for seed in 1..=3 {
        let mut run = opened(seed, &[("design", 0.0)]);
        for _ in 0..5_000 {
            go(&mut run, 20);
            let model = run.model();
            let waits = model
                .orders()
                .filter(|order| order.user == User::Waiting && order.waited(model.now).1);
            area += waits.count() as f64;
            wait += model.latest().map_or(0.0, |latest| latest.wait.as_s());
            samples += 1;
        }
    }
    let (measured, wait) = (area / f64::from(samples), wait / f64::from(samples));
    // 1,800 orders: five standard errors of their number are 12 %.
    assert!(
        (measured / (6.0 * wait) - 1.0).abs() < 0.12,
        "measured {measured}, wait {wait}"
    );
}

#[test]
fn no_beat_keeps_a_learner_waiting() {
    let mut longest = 0.0_f64;
    let mut spent = 0.0;
    for seed in 1..=8 {
        let mut player = Player::new(Box::new(Run::new(sheet::<FanOut>(), seed)));
        for beat in 1..player.beats().len() {
            let from = player.main().position().at;
            player.guess(0);
            player.jump(beat);
            let real = player.main().position().at.since(from).as_s() / player.speed();
            assert!(real <= 16.0, "seed {seed}, beat {beat}: {real} s");
            longest = longest.max(real);
            spent += real;
        }
        let settled: Vec<_> = player
            .guesses()
            .iter()
            .map(|guess| guess.settled.map(|(_, truth)| truth))
            .collect();
        assert_eq!(settled, [Some(2), Some(1)], "seed {seed}");
        assert!(
            player.done().iter().all(|done| !done),
            "seed {seed}: the story does the learner's work: {:?}",
            player.done()
        );
    }
    // Nine beats a seed, eight seconds each at most on the whole.
    assert!(
        spent / 72.0 <= 8.0,
        "{} s a beat, {longest} s at most",
        spent / 72.0
    );
}

#[test]
fn a_design_change_lets_open_work_finish() {
    let mut run = run(6, &[("design", 1.0), ("service-2", 2_000.0)], 5);
    for design in [3.0, 0.0, PUSH, 3.0, 1.0] {
        run.set_knob("design", design).unwrap();
        go(&mut run, 700);
        run.audit().unwrap();
    }
    run.set_knob("service-2", 60.0).unwrap();
    go(&mut run, 30_000);
    let stale = |model: &Shop| {
        let old = model.orders().filter(|o| o.design != Design::Parallel);
        old.count()
    };
    assert_eq!(stale(run.model()), 0);
}
