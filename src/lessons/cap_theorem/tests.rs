//! Conservation, theory, the story, the twin's point, the challenges and the layout of this lesson.

use super::replica::{Copy, Reconcile, Rule, Thing};
use super::{Cap, Partition};
use engine::lesson::sheet;
use engine::player::Happening;
use engine::show::Watch;
use engine::{Act, Arg, Player, Run, Scene, Show, Time, Words};
use std::rc::Rc;

const WIDTHS: [f32; 6] = [884.0, 700.0, 560.0, 436.0, 366.0, 288.0];

fn words() -> Rc<Words> {
    let (mut section, mut texts) = ("", Vec::new());
    for line in include_str!("en.md").lines() {
        if let Some(name) = line.strip_prefix("## ") {
            section = name;
        } else if let Some((id, text)) = line.strip_prefix("- ").and_then(|l| l.split_once(": ")) {
            texts.push((format!("{section}.{id}"), text.to_owned()));
        }
    }
    Rc::new(Words::new(texts))
}

fn run(seed: u32, knobs: &[(&str, f64)]) -> Run<Partition> {
    let mut run = Run::new(sheet::<Cap>(), seed);
    for (knob, value) in knobs {
        run.set_knob(knob, *value).expect("a knob of this lesson");
    }
    run
}

fn pass(run: &mut Run<Partition>, ms: u64) {
    let until = run.position().at + Time::ms(ms);
    run.run(until, Watch::Nothing, u64::MAX);
}

fn act(run: &mut Run<Partition>, id: &str, target: usize) -> bool {
    let spec = run.actions().iter().position(|spec| spec.id == id);
    let spec = spec.expect("an action of this lesson");
    run.act(Act { spec, target })
}

fn done(run: &Run<Partition>, id: &str) -> bool {
    let all = run.challenges();
    run.challenge_done(all.iter().position(|c| *c == id).expect("a challenge"))
}

/// A small generator for the tests' own choices.
struct Dice(u64);
impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn nothing_is_lost_or_made_up_whatever_happens() {
    let words = words();
    for seed in 0..24 {
        let mut dice = Dice(u64::from(seed) + 1);
        let mut run = run(seed, &[]);
        for step in 0..40 {
            if dice.below(3) == 0 {
                let knobs = run.knobs();
                let (knob, _) = knobs[dice.below(knobs.len() as u64) as usize];
                let value = knob.from_steps(dice.below(60) as u32);
                run.set_knob(knob.id, value).expect("in range");
            } else {
                let spec = dice.below(run.actions().len() as u64) as usize;
                let target = dice.below(9) as usize;
                run.act(Act { spec, target });
            }
            let until = run.position().at + Time::ms(dice.below(1_500));
            while run.run(until, Watch::Any, u64::MAX) == engine::show::Ran::Stopped {
                if let Err(fault) = run.audit() {
                    panic!(
                        "seed {seed}, step {step}, at {}: {fault}",
                        run.position().at
                    );
                }
            }
            let mut scene = Scene::new(WIDTHS[step % WIDTHS.len()], words.clone());
            run.draw(&mut scene);
            assert_eq!(
                scene.faults(),
                Vec::<String>::new(),
                "seed {seed}, step {step}"
            );
        }
    }
}

#[test]
fn a_majority_never_answers_old_and_never_loses() {
    for seed in 0..8 {
        let mut dice = Dice(u64::from(seed) + 77);
        let mut run = run(seed, &[("writes", 2.0), ("reads", 3.0)]);
        for _ in 0..30 {
            let spec = dice.below(run.actions().len() as u64) as usize;
            run.act(Act {
                spec,
                target: dice.below(5) as usize,
            });
            pass(&mut run, dice.below(2_000));
            let model = run.model();
            assert_eq!((model.lost(0), model.lost(1)), (0, 0), "seed {seed}");
            assert_eq!(
                model.clients.each_ref().map(|c| c.old),
                [0, 0],
                "seed {seed}"
            );
            assert!(!model.watch.overdrawn, "seed {seed}");
        }
    }
}

#[test]
fn two_sides_of_a_cut_never_both_write_by_majority() {
    for seed in 0..10 {
        for (west, east) in [(3.0, 2.0), (2.0, 3.0), (2.0, 2.0), (1.0, 4.0)] {
            let mut run = run(
                seed,
                &[("mumbai", west), ("virginia", east), ("writes", 3.0)],
            );
            pass(&mut run, 4_000);
            act(&mut run, "cut", 0);
            // What had half of the way behind it still counts on its old side.
            pass(&mut run, 3_000);
            let before = run.model().clients.each_ref().map(|c| c.answered);
            pass(&mut run, 6_000);
            let after = run.model().clients.each_ref().map(|c| c.answered);
            let more = [0, 1].map(|i| after[i] > before[i]);
            assert_eq!(
                more,
                [west > east, east > west],
                "seed {seed}, {west} and {east}"
            );
        }
    }
}

#[test]
fn copies_agree_again_after_every_cut() {
    for (rule, reconcile) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (2.0, 2.0)] {
        for seed in 0..6 {
            let mut run = run(
                seed,
                &[("choice", rule), ("reconcile", reconcile), ("writes", 2.0)],
            );
            pass(&mut run, 2_000);
            act(&mut run, "cut", 0);
            act(&mut run, "crash", 1);
            pass(&mut run, 3_000);
            act(&mut run, "crash", 3);
            pass(&mut run, 1_000);
            act(&mut run, "heal", 0);
            act(&mut run, "restart", 1);
            act(&mut run, "restart", 3);
            run.set_knob("writes", 0.0).expect("a knob");
            pass(&mut run, 12_000);
            let model = run.model();
            assert_eq!(
                model.apart(),
                0,
                "choice {rule}, rule {reconcile}, seed {seed}"
            );
            if reconcile == 2.0 && rule == 1.0 {
                let values = [0, 1].map(|i| model.replicas[4].copies[i].value());
                assert_eq!(
                    values, model.receipts,
                    "a counter counts every receipt, seed {seed}"
                );
            }
            if reconcile == 1.0 {
                let values = [0, 1].map(|i| model.replicas[4].copies[i].value());
                assert_eq!(
                    values, model.receipts,
                    "siblings keep every receipt, seed {seed}"
                );
                assert_eq!([model.lost(0), model.lost(1)], [0, 0]);
            }
        }
    }
}

#[test]
fn stale_reads_follow_the_poisson_law() {
    // One replica in each city. A read is old if the other city acknowledged a write to the same thing after what has
    // reached here was sent: within the cable's delay before the read arrives, less the hop of the read, as only
    // writes acknowledged before the question count. Writes of one thing: likes are 0.6 of 2/s, the account 0.4.
    let (mut reads, mut old) = (0, 0);
    for seed in 0..12 {
        let mut run = run(
            seed,
            &[
                ("choice", 1.0),
                ("reconcile", 2.0),
                ("mumbai", 1.0),
                ("virginia", 1.0),
                ("writes", 2.0),
                ("reads", 4.0),
                ("delay", 400.0),
            ],
        );
        let before = run.model().clients.each_ref().map(|c| c.old);
        pass(&mut run, 120_000);
        let after = run.model().clients.each_ref().map(|c| c.old);
        old += (after[0] + after[1]) - (before[0] + before[1]);
        reads += 2 * 4 * 120;
    }
    // The delay is a Pareto of shape 12 above 400 ms; the hop is 80 ms; a declined write is none, which is rare here.
    let window_s = 0.400 * 12.0 / 11.0 - 0.080;
    let missed = |rate: f64| 1.0 - libm::exp(-rate * window_s);
    let theory = (missed(2.0 * 0.6) + missed(2.0 * 0.4)) / 2.0;
    let share = f64::from(old) / f64::from(reads);
    // About 11,500 reads: one standard error is 0.0045; neighbouring reads see the same write, hence four of them
    // and a little more.
    assert!(
        (share - theory).abs() < 0.025,
        "{share} of reads are old, theory says {theory}"
    );
}

#[test]
fn latency_is_what_the_delays_add_up_to() {
    // Nothing but one write by hand: votes and writes cross the cable twice each for Ben, and stay near for Ana.
    let quiet = [("writes", 0.0), ("reads", 0.0)];
    for (id, hops_ms, spread_ms) in [("ana", 480, 1), ("ben", 960, 500)] {
        let mut run = run(3, &quiet);
        pass(&mut run, 4_000);
        let start = run.position().at;
        act(&mut run, id, 0);
        let site = usize::from(id == "ben");
        let before = run.model().clients[site].answered;
        while run.model().clients[site].answered == before {
            run.run(start + Time::s(5), Watch::Any, u64::MAX);
        }
        let took = run.position().at.since(start).as_ms() as u64;
        assert!(
            (hops_ms..=hops_ms + spread_ms).contains(&took),
            "{id}: {took} ms"
        );
    }
}

#[test]
fn the_twin_makes_the_point() {
    for seed in 1..=5 {
        let mut run = run(seed, &[]);
        pass(&mut run, 2_000);
        act(&mut run, "cut", 0);
        act(&mut run, "ana", 0);
        act(&mut run, "ben", 0);
        pass(&mut run, 8_000);
        act(&mut run, "heal", 0);
        pass(&mut run, 4_000);
        let (knob, value) = sheet::<Cap>().twin;
        let mut twin = run.twin(knob, value).expect("a knob");
        twin.run(run.position().at, Watch::Nothing, u64::MAX);
        let model = run.model();
        assert!(model.clients[1].failed >= 3, "seed {seed}: CP refuses Ben");
        assert_eq!(
            model.lost(0) + model.lost(1),
            0,
            "seed {seed}: CP loses nothing"
        );
        let mut scene = Scene::new(884.0, words());
        twin.draw(&mut scene);
        let ben = scene
            .parts()
            .iter()
            .find(|p| p.id.kind == "ben")
            .expect("Ben");
        assert!(
            ben.value.contains(" answered, 0 not"),
            "seed {seed}: AP answers: {}",
            ben.value
        );
        let receipts = scene
            .parts()
            .iter()
            .find(|p| p.id.kind == "receipts")
            .expect("receipts");
        assert!(
            receipts.value.contains("writes lost"),
            "seed {seed}: AP loses: {}",
            receipts.value
        );
        let mut again = self::run(seed, &[]);
        again.set_knob("choice", 1.0).expect("a knob");
        pass(&mut again, 2_000);
        act(&mut again, "cut", 0);
        act(&mut again, "ana", 0);
        act(&mut again, "ben", 0);
        pass(&mut again, 8_000);
        act(&mut again, "heal", 0);
        pass(&mut again, 4_000);
        assert_eq!(
            model.totals().0,
            again.model().totals().0,
            "seed {seed}: the same traffic"
        );
    }
}

#[test]
fn the_story_reaches_every_beat() {
    let words = words();
    for seed in 1..=12 {
        let mut player = Player::new(Box::new(Run::new(sheet::<Cap>(), seed)));
        let mut last = Time::ZERO;
        for beat in 0..player.beats().len() {
            let asked = player.main().truth(beat);
            assert_eq!(
                asked.filter(|_| player.beats()[beat].predict.is_some()),
                None,
                "seed {seed}"
            );
            let happened = player.jump(beat);
            assert!(
                !happened.iter().any(|h| matches!(h, Happening::Stuck(_))),
                "seed {seed}: beat {beat} is stuck"
            );
            assert_eq!(
                player.main().truth(beat),
                None,
                "seed {seed}: beat {beat} asks what is settled"
            );
            let at = player.main().position().at;
            assert!(
                at.since(last) <= Time::s(30),
                "seed {seed}: beat {beat} takes {}",
                at.since(last)
            );
            last = at;
            for width in WIDTHS {
                let mut scene = Scene::new(width, words.clone());
                player.main().draw(&mut scene);
                assert_eq!(
                    scene.faults(),
                    Vec::<String>::new(),
                    "seed {seed}, beat {beat}, {width}"
                );
            }
        }
        assert_eq!(
            player.done(),
            [false; 5],
            "seed {seed}: the story leaves the challenges"
        );
    }
}

#[test]
fn what_happens_settles_both_questions() {
    for seed in 1..=5 {
        let mut player = Player::new(Box::new(Run::new(sheet::<Cap>(), seed)));
        for (beat, asked) in [(2, 1), (7, 5)] {
            player.jump(beat);
            assert_eq!(
                player.main().truth(asked),
                Some(1),
                "seed {seed}, beat {beat}"
            );
        }
    }
}

#[test]
fn every_challenge_can_be_reached() {
    for challenge in Run::new(sheet::<Cap>(), 1).challenges() {
        assert!(
            !done(&Run::new(sheet::<Cap>(), 1), challenge),
            "{challenge} is open at first"
        );
    }
    let mut nobody = run(1, &[("mumbai", 2.0)]);
    act(&mut nobody, "cut", 0);
    pass(&mut nobody, 3_000);
    act(&mut nobody, "ana", 0);
    act(&mut nobody, "ben", 0);
    pass(&mut nobody, 3_000);
    assert!(done(&nobody, "nobody"));

    let mut quick = run(1, &[("mumbai", 1.0), ("virginia", 3.0)]);
    pass(&mut quick, 30_000);
    assert!(done(&quick, "quick"));

    let mut slow = run(1, &[("delay", 1_000.0)]);
    pass(&mut slow, 20_000);
    assert!(done(&slow, "slow"));

    let mut overdraw = run(1, &[("choice", 1.0), ("reconcile", 2.0)]);
    act(&mut overdraw, "cut", 0);
    for _ in 0..12 {
        act(&mut overdraw, "ana", 0);
        act(&mut overdraw, "ben", 0);
        pass(&mut overdraw, 200);
    }
    act(&mut overdraw, "heal", 0);
    pass(&mut overdraw, 3_000);
    assert!(done(&overdraw, "overdraw"));

    let mut each = run(1, &[("choice", 2.0), ("reconcile", 2.0)]);
    pass(&mut each, 1_000);
    act(&mut each, "cut", 0);
    act(&mut each, "likes", 0);
    act(&mut each, "ben", 0);
    pass(&mut each, 6_000);
    act(&mut each, "heal", 0);
    // Whether copies agree changes with every write, so it is looked at as often as on the page.
    let reached = (0..400).any(|_| {
        pass(&mut each, 20);
        done(&each, "each")
    });
    assert!(reached);
}

#[test]
fn why_leads_from_a_refusal_back_to_the_request() {
    let words = words();
    let mut player = Player::new(Box::new(Run::new(sheet::<Cap>(), 1)));
    player.jump(2);
    let ben = super::model::CLIENTS[1];
    let chain = player.main_mut().why(engine::show::Picked::Part(ben), 8);
    let said: Vec<String> = chain.iter().map(|note| words.note(note)).collect();
    assert!(
        said.iter().any(|line| line.contains("no majority")),
        "{said:#?}"
    );
    assert!(
        said.last().is_some_and(|line| line.contains("Ben")),
        "{said:#?}"
    );
}

#[test]
fn every_word_of_the_stage_exists() {
    let words = words();
    for id in [
        "say.done-account",
        "stage.reach.majority",
        "part.replica",
        "knob.choice.each",
    ] {
        assert!(words.has(id), "{id}");
    }
    assert_eq!(
        words.write(&Arg::Part(super::model::replica_part(2))),
        "Replica 3"
    );
}

#[test]
fn rules_turn_into_each_other_without_changing_an_undisputed_value() {
    let rules = [
        Rule::Majority,
        Rule::Alone(Reconcile::Last),
        Rule::Alone(Reconcile::Both),
        Rule::Alone(Reconcile::Counter),
    ];
    for from in &rules[1..] {
        for to in rules {
            let mut one = Copy::new(Thing::Account, *from);
            one.write_alone(1, -100, Time::s(1));
            one.write_alone(2, 30, Time::s(2));
            let mut two = one.clone();
            one.convert(to);
            two.convert(to);
            assert_eq!(one.values(), [530], "{from:?} to {to:?}");
            assert!(!two.merge(&one).news, "{from:?} to {to:?}");
            assert_eq!(two.values(), [530], "{from:?} to {to:?}");
            assert_eq!(one.lost(), 0);
        }
    }
}

#[test]
fn last_writer_wins_counts_what_it_loses() {
    let mut one = Copy::new(Thing::Account, Rule::Alone(Reconcile::Last));
    let mut two = one.clone();
    one.write_alone(1, -100, Time::s(1));
    one.write_alone(1, -10, Time::s(2));
    two.write_alone(2, -40, Time::s(3));
    let merged = one.merge(&two);
    assert_eq!(merged.thrown, Some((560, 490)));
    assert_eq!((one.value(), one.lost()), (560, 2));
    assert_eq!(
        one.merge(&two).thrown,
        None,
        "the same copy again loses nothing"
    );
}
