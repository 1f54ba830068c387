//! Pages against arithmetic, the door against its rules, and what becomes of calls that are left out.

use super::{
    CLASS_LOGIN, CLASS_NOTHING, CLASS_PAGE, DOOR, Fate, GATEWAY, Gateway, LATELY, ODD, ONCE,
    SERVICES, Seen, TURN, class_of,
};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time, knobs};
use kit::system::{Count, System, Values};

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Gateway);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Gateway>(), seed, first)
}

fn act(run: &mut Run<System>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

fn go(run: &mut Run<System>, s: u64) {
    let until = run.position().at + Time::s(s);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

/// The mean of the phone's pages in ms, over many seeds at a low load.
fn mean(settings: &[(&str, f64)]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for seed in 1..=20 {
        let mut all = settings.to_vec();
        all.push(("load", 2.0));
        let mut run = run(seed, &all);
        for _ in 0..20 {
            go(&mut run, 5);
            for took in &run.model().own::<Seen>().times {
                sum += took.as_s() * 1_000.0;
                count += 1.0;
            }
        }
    }
    sum / count
}

#[test]
fn pages_take_as_long_as_their_slowest_way() {
    // The slowest of seven exponential times is 30 · (1 + 1/2 + … + 1/7) on average; of five, to 1/5.
    let harmonic = |n: u32| (1..=n).map(|i| 1.0 / f64::from(i)).sum::<f64>();
    let who = |who: u32, steps: f64| mean(&[("who", f64::from(who)), ("steps", steps)]);
    let close = |measured: f64, theory: f64| {
        assert!(
            (measured / theory - 1.0).abs() < 0.03,
            "{measured} and {theory}"
        );
    };
    close(who(TURN, 1.0), 7.0 * 130.0);
    close(who(ONCE, 1.0), 100.0 + 30.0 * harmonic(7));
    close(who(DOOR, 1.0), 102.0 + 30.0 * harmonic(7));
    close(who(DOOR, 3.0), 104.0 + 30.0 * (2.0 + harmonic(5)));
    close(who(ONCE, 3.0), 300.0 + 30.0 * (2.0 + harmonic(5)));
}

#[test]
fn seven_calls_are_slow_seven_times_as_often() {
    let (mut slow, mut all) = (0, 0);
    for seed in 1..=10 {
        let mut run = run(
            seed,
            &[
                ("who", 2.0),
                ("slow", 1.0),
                ("load", 12.0),
                ("places", 200.0),
            ],
        );
        go(&mut run, 60);
        let seen = run.model().own::<Seen>();
        (slow, all) = (slow + seen.slow.0, all + seen.slow.1);
    }
    // 7,000 pages or so: three standard deviations are under a point.
    let share = f64::from(slow) / f64::from(all);
    let theory = 1.0 - libm::pow(0.99, 7.0);
    assert!((share - theory).abs() < 0.01, "{share} and {theory}");
}

#[test]
fn the_door_refuses_as_erlang_b_says() {
    let (mut came, mut refused, mut busy_s) = (0, 0, 0.0);
    for seed in 1..=10 {
        let mut run = run(seed, &[("who", 2.0), ("load", 40.0), ("places", 5.0)]);
        go(&mut run, 60);
        let door = run.model().row(GATEWAY);
        came += door.of(Count::Came);
        refused += door.of(Count::Refused);
        busy_s += door.time.as_s();
    }
    let mean_s = busy_s / f64::from(came - refused);
    let erlangs = f64::from(came) / 600.0 * mean_s;
    let theory = algorithms::queueing::erlang_b(5, erlangs).unwrap();
    let share = f64::from(refused) / f64::from(came);
    assert!((share / theory - 1.0).abs() < 0.05, "{share} and {theory}");
}

#[test]
fn cold_connections_cost_trips_and_large_answers_more() {
    // Two trips to greet, one to ask, and two more for 60 kB; 12 kB fit into the first window.
    for (answers, trips) in [(0.0, 5.0), (1.0, 3.0)] {
        let cold = [("who", 2.0), ("connections", 1.0), ("answers", answers)];
        let theory = 100.0 * trips + 2.0 + 77.8;
        let measured = mean(&cold);
        assert!(
            (measured / theory - 1.0).abs() < 0.03,
            "{measured} and {theory}"
        );
    }
}

#[test]
fn only_phones_that_call_by_themselves_miss_what_was_split() {
    for (who, missing) in [(TURN, true), (ONCE, true), (DOOR, false)] {
        let mut run = run(4, &[("who", f64::from(who)), ("split", 1.0)]);
        go(&mut run, 10);
        let now = run.model().now;
        let share = run
            .model()
            .own::<Seen>()
            .pages
            .share(Fate::Partial as usize, LATELY, now);
        assert_eq!(share, Some(f64::from(u8::from(missing))));
    }
}

#[test]
fn odd_paths_meet_the_rules_of_ingress() {
    let classes = ODD.map(class_of);
    let expected = [
        CLASS_NOTHING,
        CLASS_PAGE,
        CLASS_NOTHING,
        CLASS_NOTHING,
        CLASS_PAGE,
        CLASS_LOGIN,
        CLASS_NOTHING,
        CLASS_NOTHING,
    ];
    assert_eq!(classes, expected);
}

#[test]
fn a_call_that_is_left_out_still_runs_to_its_end() {
    let mut run = run(3, &[("who", 2.0), ("deadline", 0.2)]);
    act(&mut run, "hang");
    go(&mut run, 20);
    let reviews = run.model().row(SERVICES[3]);
    assert!(reviews.of(Count::ForNobody) > 20, "{reviews:?}");
    assert_eq!(run.model().row(GATEWAY).of(Count::Refused), 0);
    assert!(run.model().total().of(Count::Partial) > 60);
}

#[test]
fn whoever_needs_all_parts_gets_none_when_one_fails() {
    let mut run = run(3, &[("who", 2.0), ("deadline", 0.2), ("parts", 1.0)]);
    act(&mut run, "hang");
    go(&mut run, 20);
    let all = run.model().total();
    assert_eq!(all.of(Count::Partial), 0);
    assert!(all.of(Count::Failed) > 60);
}

#[test]
fn a_limit_holds_the_flood_and_nobody_else() {
    for (limit, held) in [(0.0, false), (5.0, true)] {
        let mut run = run(2, &[("who", 2.0), ("limit", limit)]);
        act(&mut run, "flood");
        go(&mut run, 9);
        let calm = run
            .model()
            .own::<Seen>()
            .flood
            .is_some_and(|(_, calm)| calm);
        assert_eq!(calm, held);
    }
}

#[test]
fn twins_meet_the_same_pages() {
    let requests = |who: u32| {
        let mut run = run(7, &[("who", f64::from(who))]);
        go(&mut run, 20);
        run.model().requests()
    };
    assert_eq!(requests(ONCE), requests(DOOR));
}

#[test]
fn turning_any_knob_under_way_loses_nothing() {
    for seed in 1..=6 {
        let mut run = run(seed, &[]);
        let mut dice = u64::from(seed);
        for _ in 0..60 {
            dice = algorithms::hash::mix64(dice);
            let at = run.position().at + Time::ms(dice % 400);
            run.run(at, Watch::Nothing, u64::MAX);
            run.audit().unwrap();
            let knobs = run.knobs();
            let (knob, _) = knobs[(dice >> 20) as usize % knobs.len()];
            run.set_knob(knob.id, knob.from_steps((dice >> 40) as u32 % 64))
                .unwrap();
            run.audit().unwrap();
            let spec = (dice >> 30) as usize % run.actions().len();
            run.act(Act { spec, target: 0 });
            run.audit().unwrap();
        }
    }
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("load", "how many come")];
    let compared = kit::system::trial::every_design(sheet::<Gateway>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        compared.requests >= 41_400 && compared.works >= 171_000,
        "{compared:?}"
    );
}
