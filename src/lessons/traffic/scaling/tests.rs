//! The model held against queueing theory, and the prices and sessions against what they should be.

use super::{MACHINES, OUT, Scaling, Seen, UP, bill};
use algorithms::queueing::closed_loop;
use algorithms::scaling::usl;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time, knobs};
use kit::system::{Count, System, Values};

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Scaling);
    for (id, value) in [("grow", 0.0), ("load", 250.0)].iter().chain(settings) {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Scaling>(), seed, first)
}

fn act(run: &mut Run<System>, id: &str, target: usize) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target }), "{id}");
}

fn go(run: &mut Run<System>, s: u64) {
    let until = run.position().at + Time::s(s);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

/// Requests a second that saturated machines serve, over some seeds.
fn served(way: f64, cores: u32, law: f64) -> f64 {
    let (seeds, s) = (3, 40);
    let of = |seed| {
        let settings = [("way", way), ("cores", f64::from(cores)), ("law", law)];
        let mut run = run(seed, &settings);
        go(&mut run, 2);
        let before = run.model().row(MACHINES).of(Count::Done);
        go(&mut run, s);
        f64::from(run.model().row(MACHINES).of(Count::Done) - before) / s as f64
    };
    (1..=seeds).map(of).sum::<f64>() / f64::from(seeds)
}

/// What a request computes, a session's look-up included, and what it holds the stock for; in seconds.
const COMPUTES: f64 = 0.041;
fn holds(way: f64, cores: u32) -> f64 {
    let others = if way == OUT { cores - 1 } else { 0 };
    0.004 + 0.001_5 * f64::from(others)
}

#[test]
fn with_exponential_times_the_machines_are_the_repairman_s() {
    for (way, cores) in [(OUT, 1), (OUT, 4), (OUT, 8), (UP, 4)] {
        let theory = closed_loop(cores, COMPUTES, holds(way, cores), 1).unwrap();
        let (run, theory) = (served(way, cores, 2.0), theory.throughput);
        assert!(
            (run / theory - 1.0).abs() < 0.02,
            "{way}, {cores}: {run} against {theory}"
        );
    }
}

#[test]
fn with_constant_times_it_is_the_lower_of_two_bounds() {
    for (way, cores) in [(OUT, 2), (OUT, 8), (UP, 3)] {
        let h = holds(way, cores);
        let bound = (f64::from(cores) / (COMPUTES + h)).min(1.0 / h);
        let run = served(way, cores, 1.0);
        assert!(
            (run / bound - 1.0).abs() < 0.01,
            "{way}, {cores}: {run} against {bound}"
        );
    }
}

#[test]
fn it_lies_between_the_universal_law_and_its_bounds() {
    let all = COMPUTES + 0.004;
    for cores in [3, 6] {
        let law = usl(0.004 / all, 0.001_5 / all, f64::from(cores)).unwrap() / all;
        let most = (f64::from(cores) / COMPUTES).min(1.0 / holds(OUT, cores));
        let run = served(OUT, cores, 0.0);
        assert!(
            run > law * 0.98 && run < most * 1.02,
            "{cores}: {law}, {run}, {most}"
        );
    }
}

#[test]
fn up_restarts_and_out_does_not() {
    let gap = |way| {
        let mut run = run(7, &[("way", way), ("cores", 2.0), ("load", 30.0)]);
        go(&mut run, 3);
        run.set_knob("cores", 2.0).unwrap();
        run.set_knob("cores", 4.0).unwrap();
        let before = run.model().total();
        go(&mut run, 8);
        run.model().total().since(&before).of(Count::Failed)
    };
    // Six seconds of 30 a second, and what the machine held.
    assert!(gap(UP) >= 150, "{}", gap(UP));
    assert_eq!(gap(OUT), 0);
}

#[test]
fn machines_come_one_at_a_time() {
    let mut run = run(1, &[("grow", 1.0)]);
    for cores in 1..=8 {
        // The next one is bought at the end of each stretch, and boots for half a second.
        let at = Time::ms(2_500 * (cores - 1) + 2_400);
        run.run(at, Watch::Nothing, u64::MAX);
        let expected = (cores + 2).min(8) as usize;
        assert_eq!(run.model().own::<Seen>().shop.cores, expected);
    }
}

#[test]
fn users_are_logged_out_with_the_machine_that_keeps_their_session() {
    let logged = |sessions: f64| {
        let mut run = run(5, &[("sessions", sessions), ("cores", 6.0), ("load", 60.0)]);
        go(&mut run, 10);
        assert_eq!(run.model().own::<Seen>().logged_out, 0);
        act(&mut run, "crash", 2);
        go(&mut run, 10);
        run.model().own::<Seen>().logged_out
    };
    let (machine, store) = (logged(0.0), logged(1.0));
    // About a sixth of 200 people.
    assert!((15..=60).contains(&machine), "{machine}");
    assert_eq!(store, 0);
}

#[test]
fn a_crash_past_the_peak_helps_and_before_it_hurts() {
    let change = |cores: f64| {
        let mut run = run(3, &[("cores", cores)]);
        go(&mut run, 10);
        let before = run.model().own::<Seen>().rate.unwrap();
        act(&mut run, "crash", 0);
        go(&mut run, 10);
        run.model().own::<Seen>().rate.unwrap() / before
    };
    assert!(change(8.0) > 1.06 && change(3.0) < 0.75);
}

#[test]
fn a_big_machine_costs_the_same_by_the_core_or_is_steep() {
    let close = |x: f64, y: f64| assert!((x - y).abs() < 1e-9, "{x}, {y}");
    let bill = |way, cores, price| {
        let knobs = [("way", way), ("cores", cores), ("price", price)];
        bill(run(1, &knobs).model())
    };
    close(bill(UP, 4.0, 0.0), 0.20);
    close(bill(UP, 4.0, 1.0), 0.05 * 2.6 * 2.6);
    close(bill(OUT, 4.0, 0.0), 0.23);
    close(bill(OUT, 4.0, 1.0), 0.23);
    close(bill(UP, 1.0, 1.0), 0.05);
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("load", "how many come")];
    let compared = kit::system::trial::every_design(sheet::<Scaling>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        compared.requests >= 292_500 && compared.works >= 34_200,
        "{compared:?}"
    );
}
