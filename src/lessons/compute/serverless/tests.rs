//! The subject held against theory: cold starts, concurrency, limits, connections, and the bill to the picodollar.

use super::Serverless;
use super::bill::{Meter, break_even, dollars};
use super::model::{Cloud, Tally};
use super::settings::{Connections, Growth, Runs, Settings};
use algorithms::functions::{cold_chance, concurrency};
use algorithms::queueing::erlang_b;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time};

fn go_on(run: &mut Run<Cloud>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn act(run: &mut Run<Cloud>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id);
    let spec = spec.expect("the action exists");
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

/// A run with nothing in it, and the users' traffic on its way.
fn from_nothing(seed: u32, first: Settings) -> Run<Cloud> {
    let mut run = Run::with_knobs(sheet::<Serverless>(), seed, first);
    run.run(Time::s(4), Watch::Nothing, u64::MAX);
    act(&mut run, "calm");
    run
}

fn quiet() -> Settings {
    Settings {
        rate: 0.0,
        ..Settings::default()
    }
}

/// One instance: a request finds it gone with e^(−λ · kept). The table's times, ten times as short.
#[test]
fn the_chance_of_a_cold_start_is_that_of_a_gap() {
    for (rate, kept) in [(0.166_7, 30), (0.016_67, 30), (0.002_78, 30), (0.05, 10)] {
        let (mut cold, mut all) = (0.0, 0.0);
        for seed in 1..=6 {
            let first = Settings {
                rate,
                kept,
                work: 1.0,
                cold: 1.0,
                ..Settings::default()
            };
            let mut run = from_nothing(seed, first);
            go_on(&mut run, Time::s(7_000));
            let tally = run.model().tally;
            cold += f64::from(tally.waited);
            all += f64::from(tally.all());
        }
        let theory = cold_chance(rate, f64::from(kept));
        let error = 3.0 * libm::sqrt(theory * (1.0 - theory) / all) + 2.0 / all;
        assert!(
            (cold / all - theory).abs() <= error,
            "{rate}: {cold} of {all}, {theory}"
        );
    }
}

/// Instances at work are rate times duration; the share of cold starts in steady traffic falls with the time they are kept.
#[test]
fn busy_is_rate_times_duration() {
    for (rate, work, limit) in [(20.0, 200.0, 50), (20.0, 3_000.0, 200), (5.0, 200.0, 50)] {
        let first = Settings {
            rate,
            work,
            limit,
            slots: 200,
            ..Settings::default()
        };
        let mut run = from_nothing(1, first);
        go_on(&mut run, Time::s(30));
        let (mut busy, steps) = (0.0, 20_000);
        for _ in 0..steps {
            go_on(&mut run, Time::ms(170));
            busy += f64::from(run.model().counts.busy);
        }
        let theory = concurrency(rate, work / 1_000.0);
        let busy = busy / f64::from(steps);
        assert!((busy / theory - 1.0).abs() < 0.03, "{busy} of {theory}");
    }
    for (kept, least, most) in [(5, 0.02, 0.042), (30, 0.002, 0.007), (120, 0.0, 0.002)] {
        let mut share = 0.0;
        for seed in 1..=5 {
            let mut run = from_nothing(
                seed,
                Settings {
                    kept,
                    ..Settings::default()
                },
            );
            go_on(&mut run, Time::s(200));
            let before = run.model().tally;
            go_on(&mut run, Time::s(1_000));
            let after = run.model().tally;
            let cold = f64::from(after.waited - before.waited);
            share += cold / f64::from(after.all() - before.all()) / 5.0;
        }
        assert!((least..=most).contains(&share), "{kept} s: {share}");
    }
}

/// Instances that are there at once, as many as may be: a loss system, M/D/c/c, whatever the work's spread.
#[test]
fn refusals_at_the_limit_are_erlangs() {
    let first = Settings {
        rate: 20.0,
        work: 1_000.0,
        limit: 20,
        provisioned: 20,
        slots: 200,
        ..Settings::default()
    };
    let mut run = from_nothing(3, first);
    go_on(&mut run, Time::s(20_000));
    let tally = run.model().tally;
    let share = f64::from(tally.refused) / f64::from(tally.all());
    let theory = erlang_b(20, 20.0).unwrap();
    assert!((share - theory).abs() < 0.006, "{share} of {theory}");
    assert_eq!((tally.waited, tally.failed), (0, 0));
}

/// From silence: 60 of 50 leave ten refused; before November 2023, half of 50 at once and no more for a minute.
#[test]
fn what_comes_at_once_is_served_up_to_limit_and_allowance() {
    let burst = |first: Settings, id: &str| {
        let mut run = from_nothing(1, first);
        act(&mut run, id);
        go_on(&mut run, Time::s(3));
        let model = run.model();
        assert!(
            model.counts.building + model.counts.busy + model.counts.frozen <= model.knobs.limit
        );
        (model.burst.tally, model.burst.unmet)
    };
    let tally = |warm, waited, refused, failed| Tally {
        warm,
        waited,
        refused,
        failed,
    };
    assert_eq!(burst(quiet(), "sixty"), (tally(0, 50, 10, 0), 50));
    let before = Settings {
        growth: Growth::Before,
        ..quiet()
    };
    assert_eq!(burst(before, "sixty").0, tally(0, 25, 35, 0));
    let shared = Settings {
        at_once: 80,
        ..quiet()
    };
    assert_eq!(burst(shared, "sixty"), (tally(0, 60, 0, 0), 60));
    let few = Settings {
        slots: 12,
        ..quiet()
    };
    assert_eq!(burst(few.clone(), "twenty"), (tally(0, 12, 0, 8), 20));
    let pooled = Settings {
        connections: Connections::Pooler,
        ..few
    };
    assert_eq!(burst(pooled, "twenty").0, tally(0, 20, 0, 0));
    let ready = Settings {
        provisioned: 60,
        limit: 30,
        ..quiet()
    };
    assert_eq!(burst(ready, "twenty"), (tally(20, 0, 0, 0), 0));
    let server = Settings {
        runs: Runs::Server,
        ..quiet()
    };
    assert_eq!(burst(server, "sixty").0, tally(10, 50, 0, 0));
}

/// The bill is requests and spans times memory times price, in whole picodollars, and nothing is charged for refusals.
#[test]
fn the_bill_adds_up_to_the_picodollar() {
    let mut run = from_nothing(1, quiet());
    let before = run.model().meter;
    act(&mut run, "sixty");
    go_on(&mut run, Time::s(5));
    act(&mut run, "click");
    go_on(&mut run, Time::s(5));
    let meter = run.model().meter;
    let used = 512 * (50 * 1_000_000 + 200_000);
    assert_eq!(meter.requests - before.requests, 51);
    assert_eq!(meter.used - before.used, used);
    let one = Meter {
        requests: 1_000_000,
        used: 1_000_000 * 512 * 200_000,
        ..Meter::default()
    };
    assert_eq!(one.price(), 1_866_670_000_000, "$1.87 a million");
    assert!((break_even(512, Time::ms(200)) - 6.19).abs() < 0.01);
    let all = Meter {
        requests: 3_000_000,
        used: 400_000 * 1_024 * 1_000_000,
        ..Meter::default()
    };
    let month = Time::s(730 * 3_600);
    let free = all.month(&Meter::default(), month, true);
    assert_eq!(free, 2 * 200_000_000_000, "two million requests, no time");
    // Twenty-three kept for a month.
    let first = Settings {
        provisioned: 23,
        ..quiet()
    };
    let mut run = from_nothing(1, first);
    go_on(&mut run, Time::s(20));
    let kept = dollars(run.model().month(run.model().now).unwrap());
    let theory = 23.0 * 0.5 * 0.000_004_166_7 * 730.0 * 3_600.0;
    assert!((kept - theory).abs() < 0.01, "{kept} of {theory}");
}

#[test]
fn old_versions_lie_frozen_with_their_connections_and_a_lower_limit_ends_nobody() {
    let mut run = from_nothing(1, quiet());
    act(&mut run, "twenty");
    // The version changes while they are built: each still serves its request.
    go_on(&mut run, Time::ms(500));
    act(&mut run, "deploy");
    go_on(&mut run, Time::s(2));
    let model = run.model();
    assert_eq!(model.burst.tally.waited, 20);
    assert_eq!((model.counts.old, model.slots_taken().len()), (20, 20));
    // A lower limit ends nobody, and what lies frozen is not in use.
    run.set_knob("limit", 10.0).unwrap();
    act(&mut run, "twenty");
    go_on(&mut run, Time::s(3));
    assert_eq!(run.model().burst.tally.refused, 10);
    assert_eq!(run.model().counts.frozen, 30);
    go_on(&mut run, Time::s(40));
    assert_eq!(run.model().slots_taken().len(), 0);
    run.set_knob("work", 5_000.0).unwrap();
    run.set_knob("limit", 30.0).unwrap();
    act(&mut run, "twenty");
    go_on(&mut run, Time::s(2));
    run.set_knob("limit", 10.0).unwrap();
    act(&mut run, "click");
    go_on(&mut run, Time::s(1));
    assert_eq!(run.model().burst.tally.refused, 1);
    assert_eq!(run.model().counts.busy, 20);
    go_on(&mut run, Time::s(40));
    run.set_knob("work", 200.0).unwrap();
    // A ping keeps one; five at once keep five.
    for (pings, cold) in [(1.0, 4), (5.0, 0)] {
        run.set_knob("limit", 50.0).unwrap();
        run.set_knob("pings", pings).unwrap();
        run.set_knob("ping", 10.0).unwrap();
        act(&mut run, "silence");
        go_on(&mut run, Time::s(43));
        assert_eq!(run.model().burst.tally.waited, cold);
    }
}
