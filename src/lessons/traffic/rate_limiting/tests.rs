//! What each limiter promises, held against what its row lets through.

use super::{COUNTER, FIXED, LEAKY, LIMITERS, LOG, Limiting, ROWS, Seen, TOKEN};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time, knobs};
use kit::system::{Count, System, Values};

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Limiting);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Limiting>(), seed, first)
}

fn act(run: &mut Run<System>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

fn go(run: &mut Run<System>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

/// The most in a window, by row.
fn most(run: &Run<System>) -> [u32; ROWS] {
    let seen = run.model().own::<Seen>();
    std::array::from_fn(|row| seen.most(row, run.model().now).1)
}

#[test]
fn the_worst_client_gets_what_each_limiter_really_promises() {
    for (limit, burst) in [
        (5.0, 5.0),
        (3.0, 3.0),
        (10.0, 10.0),
        (5.0, 1.0),
        (5.0, 12.0),
    ] {
        let settings = [("load", 0.0), ("limit", limit), ("burst", burst)];
        let mut run = run(1, &settings);
        act(&mut run, "worst");
        go(&mut run, Time::ms(3_600));
        let (limit, burst) = (limit as u32, burst as u32);
        let most = most(&run);
        assert_eq!(
            [most[FIXED], most[LOG], most[LEAKY]],
            [2 * limit, limit, limit.min(most[LEAKY])]
        );
        assert!(
            most[COUNTER] >= 2 * limit - 1 && most[COUNTER] <= 2 * limit,
            "{most:?}"
        );
        assert!(
            most[TOKEN] <= burst + limit && most[TOKEN] + 1 >= burst.min(limit) + limit - 1,
            "{most:?}"
        );
    }
}

#[test]
fn no_window_of_random_traffic_holds_more_than_promised() {
    for seed in 1..=10 {
        let mut run = run(seed, &[("load", 12.0), ("refused", 1.0)]);
        for _ in 0..60 {
            go(&mut run, Time::ms(500));
            let most = most(&run);
            for (row, bound) in [
                (FIXED, 10),
                (LOG, 5),
                (COUNTER, 10),
                (TOKEN, 10),
                (LEAKY, 5),
            ] {
                assert!(most[row] <= bound, "seed {seed}, row {row}: {most:?}");
            }
        }
    }
}

#[test]
fn a_meter_and_a_token_bucket_decide_alike() {
    for seed in 1..=10 {
        let mut run = run(
            seed,
            &[
                ("load", 9.0),
                ("leaky", 1.0),
                ("refused", 2.0),
                ("burst", 3.0),
            ],
        );
        go(&mut run, Time::s(40));
        let row = |row: usize| {
            let row = run.model().row(LIMITERS[row]);
            [Count::Came, Count::Done, Count::Refused].map(|count| row.of(count))
        };
        assert_eq!(row(TOKEN), row(LEAKY), "seed {seed}");
        assert!(row(TOKEN)[2] > 20);
    }
}

#[test]
fn every_row_is_asked_about_every_request_and_answers_it() {
    let mut run = run(4, &[("load", 0.0)]);
    go(&mut run, Time::s(3));
    let row = |run: &Run<System>, id| run.model().row(id);
    let before = LIMITERS.map(|id| row(&run, id));
    let requests = run.model().total().of(Count::Came);
    assert!(run.set_knob("load", 7.0).is_ok());
    go(&mut run, Time::s(30));
    // Nothing new for long enough that all has come home.
    assert!(run.set_knob("load", 0.0).is_ok());
    go(&mut run, Time::s(5));
    let came = run.model().total().of(Count::Came) - requests;
    assert!(came > 150);
    for (id, before) in LIMITERS.into_iter().zip(before) {
        let row = row(&run, id).since(&before);
        assert_eq!(row.of(Count::Came), came);
        assert_eq!(came, row.of(Count::Done) + row.of(Count::Refused));
    }
}

#[test]
fn who_hammers_gets_the_rate_and_no_more() {
    let mut run = run(2, &[("load", 20.0), ("refused", 1.0)]);
    let before = LIMITERS.map(|id| run.model().row(id).of(Count::Done));
    go(&mut run, Time::s(60));
    for (row, id) in LIMITERS.iter().enumerate() {
        let passed = run.model().row(*id).of(Count::Done) - before[row];
        assert!((285..=315).contains(&passed), "row {row}: {passed}");
    }
}

#[test]
fn who_is_told_when_to_come_asks_less_often_and_gets_as_much() {
    let after = |refused: f64| {
        let mut run = run(1, &[("load", 0.0), ("refused", refused)]);
        act(&mut run, "twenty");
        go(&mut run, Time::s(8));
        LIMITERS.map(|id| {
            let row = run.model().row(id);
            (row.of(Count::Came), row.of(Count::Done))
        })
    };
    let (again, told) = (after(1.0), after(2.0));
    for row in 0..ROWS {
        assert!(
            told[row].1 >= again[row].1 && told[row].0 < again[row].0,
            "row {row}"
        );
    }
}

#[test]
fn jitter_spreads_those_who_were_told_the_same() {
    let herd = |jitter: f64| {
        let settings = [("load", 10.0), ("refused", 2.0), ("jitter", jitter)];
        let mut run = run(6, &settings);
        let mut most = 0;
        for _ in 0..200 {
            go(&mut run, Time::ms(100));
            let now = run.model().now;
            most = most.max(run.model().own::<Seen>().rows[FIXED].together(Time::s(1), now));
        }
        most
    };
    let (none, half) = (herd(0.0), herd(50.0));
    assert!(none >= 10 && half <= 2, "{none} and {half}");
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("load", "how many come")];
    let compared = kit::system::trial::every_design(sheet::<Limiting>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(compared.requests >= 4_230, "{compared:?}");
}
