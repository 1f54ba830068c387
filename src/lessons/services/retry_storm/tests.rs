//! The edge of the storm, budgets and layers, held against arithmetic.

use super::{SAVED, SERVICE, Seen, Storm, USERS};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time, knobs};
use kit::system::{Count, System, Values};

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Storm);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Storm>(), seed, first)
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

/// The share of users who get an answer `s` seconds after a hiccup, over the last five.
fn after_hiccup(seed: u32, settings: &[(&str, f64)], s: u64) -> f64 {
    let mut run = run(seed, settings);
    act(&mut run, "hiccup");
    go(&mut run, 3 + s);
    let now = run.model().now;
    run.model().own::<Seen>().answered(now).unwrap_or(0.0)
}

#[test]
fn the_storm_sustains_itself_just_above_the_edge() {
    // Users times tries against what the service can do: 4 × 15 = 60. A sixth to either side decides.
    for seed in 1..=20 {
        let below = after_hiccup(seed, &[("load", 12.0), ("longest", 0.5)], 40);
        let above = after_hiccup(seed, &[("load", 19.0), ("longest", 0.5)], 40);
        assert!(
            below >= 0.9 && above <= 0.5,
            "seed {seed}: {below} and {above}"
        );
    }
}

#[test]
fn a_short_hiccup_passes() {
    for seed in 1..=5 {
        assert!(
            after_hiccup(seed, &[("hiccup", 0.5)], 15) >= 0.9,
            "seed {seed}"
        );
    }
}

#[test]
fn backoff_moves_retries_and_removes_none() {
    for seed in 1..=5 {
        let rate = |settings: &[(&str, f64)]| {
            let mut run = run(seed, settings);
            act(&mut run, "hiccup");
            go(&mut run, 60);
            let before = run.model().row(SERVICE).of(Count::Came);
            go(&mut run, 20);
            f64::from(run.model().row(SERVICE).of(Count::Came) - before) / 20.0
        };
        let (none, full) = (
            rate(&[("backoff", 0.0)]),
            rate(&[("backoff", 2.0), ("longest", 8.0)]),
        );
        assert!(
            (none / full - 1.0).abs() < 0.15 && full > 120.0,
            "{none} and {full}"
        );
    }
}

#[test]
fn a_budget_pays_for_every_retry() {
    let mut run = run(3, &[("budget", 10.0)]);
    let before = run.model().since("start").unwrap().node(USERS);
    assert_eq!(before.of(Count::Came), 0);
    act(&mut run, "hiccup");
    for _ in 0..40 {
        go(&mut run, 1);
        let row = run.model().row(USERS);
        let most = f64::from(SAVED) + 0.1 * f64::from(row.of(Count::Came)) + 8.0;
        assert!(f64::from(row.of(Count::Retried)) <= most, "{row:?}");
    }
    let now = run.model().now;
    assert!(run.model().own::<Seen>().answered(now).unwrap() >= 0.9);
}

#[test]
fn layers_multiply() {
    let fast = [
        ("timeout", 0.2),
        ("base", 10.0),
        ("longest", 0.1),
        ("load", 15.0),
    ];
    for (layers, most) in [(1.0, 4), (2.0, 16), (3.0, 64)] {
        let mut settings = fast.to_vec();
        settings.extend([("layers", layers), ("hiccup", 10.0)]);
        let mut run = run(1, &settings);
        act(&mut run, "hiccup");
        let mut seen = 0;
        for _ in 0..45 {
            go(&mut run, 1);
            seen = seen.max(run.model().own::<Seen>().most);
        }
        assert!(
            seen <= most && seen * 10 >= most * 9,
            "{layers}: {seen} of {most}"
        );
    }
}

#[test]
fn twins_meet_the_same_users() {
    let mut main = run(5, &[]);
    let mut twin = main.twin("budget", 10.0).unwrap();
    act(&mut main, "hiccup");
    twin.act(Act { spec: 0, target: 0 });
    go(&mut main, 20);
    twin.run(Time::s(20), Watch::Nothing, u64::MAX);
    let mut scenes = [&main as &dyn Show, &*twin].map(|run| {
        let mut scene = engine::Scene::new(884.0, std::rc::Rc::default());
        run.draw(&mut scene);
        run.tape().line(0).len()
    });
    scenes.sort_unstable();
    assert_eq!(scenes[0], scenes[1]);
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [
        ("load", "how many come"),
        (
            "callers",
            "whether users wait for answers before they ask again",
        ),
    ];
    let compared = kit::system::trial::every_design(sheet::<Storm>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        compared.requests >= 65_700 && compared.works >= 48_600,
        "{compared:?}"
    );
}
