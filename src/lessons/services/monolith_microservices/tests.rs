//! Borders, links and writers, held against arithmetic.

use super::shop::Seen;
use super::{
    BOXES, MODULES, MONOLITH, MonolithMicroservices, ONE_DATABASE, ORDER, OWN_DATA, PAYMENT,
    PRODUCT, SEARCH, SHARED,
};
use algorithms::queueing::md1;
use algorithms::scaling::{availability, in_series};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time, knobs};
use kit::system::{Count, NodeId, System, Values};

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&MonolithMicroservices);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<MonolithMicroservices>(), seed, first)
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

fn seen(run: &Run<System>) -> &Seen {
    run.model().own()
}

fn seconds(run: &mut Run<System>, s: u64, mut look: impl FnMut(&Seen)) {
    for _ in 0..s {
        go(run, 1);
        look(seen(run));
    }
}

fn rate(settings: &[(&str, f64)], node: NodeId) -> f64 {
    let mut run = run(2, settings);
    go(&mut run, 20);
    let before = run.model().row(node).of(Count::Done);
    go(&mut run, 200);
    f64::from(run.model().row(node).of(Count::Done) - before) / 200.0
}

fn down(run: &Run<System>, node: NodeId) -> usize {
    let members = run.model().node(node).unwrap().members.iter();
    members.filter(|it| it.down.is_some()).count()
}

fn near(measured: f64, theory: f64, tolerance: f64) {
    assert!(
        (measured / theory - 1.0).abs() <= tolerance,
        "{measured} and {theory}"
    );
}

#[test]
fn a_call_that_leaves_its_process_costs_two_hops() {
    let quiet = [
        ("leak", 0.0),
        ("copies", 5.0),
        ("workers", 8.0),
        ("browse", 3.0),
    ];
    let mut sums = Vec::new();
    for design in [MONOLITH, OWN_DATA] {
        let mut all = quiet.to_vec();
        all.push(("design", f64::from(design)));
        let mut run = run(1, &all);
        let (mut sum, mut count) = (0.0, 0.0);
        for _ in 0..20 {
            go(&mut run, 10);
            for (kind, hops) in [(0, 2), (1, 4)] {
                for (took, links) in &seen(&run).answers[kind] {
                    let hops = if design == MONOLITH { 0 } else { hops };
                    assert_eq!(links.0, hops * 30_000, "kind {kind}, {took:?}");
                    sum += if kind == 0 { took.as_s() } else { 0.0 };
                    count += if kind == 0 { 1.0 } else { 0.0 };
                }
            }
        }
        sums.push(sum / count);
    }
    near(sums[0], 0.5, 0.02);
    near(sums[1], 0.56, 0.02);
}

#[test]
fn what_a_row_can_do_follows_from_what_its_workers_are_held_for() {
    let browse = [("leak", 0.0), ("buy", 0.0), ("browse", 20.0)];
    near(rate(&browse, BOXES), 3.0 * 2.0 / 0.5, 0.05);
    let services = |more: &[(&'static str, f64)]| {
        let mut all = browse.to_vec();
        all.push(("design", f64::from(OWN_DATA)));
        all.extend(more);
        all
    };
    near(rate(&services(&[]), SEARCH), 6.0 / 0.56, 0.05);
    let fast = services(&[("more", 1.0), ("hop", 1.0)]);
    near(rate(&fast, SEARCH), 8.0 / 0.502, 0.05);
    // Order is held for its work, Product, its write, and Payment with another write.
    let buys = services(&[("browse", 0.0), ("buy", 20.0), ("write", 10.0)]);
    near(rate(&buys, ORDER), 6.0 / (0.2 + 0.16 + 0.005 + 0.265), 0.05);
}

#[test]
fn one_writer_is_a_queue_of_its_own() {
    let boxes = |buy: f64| {
        [
            ("leak", 0.0),
            ("browse", 0.0),
            ("copies", 5.0),
            ("workers", 8.0),
            ("buy", buy),
        ]
    };
    near(rate(&boxes(12.0), SHARED), 1.0 / 0.15, 0.01);
    let mut run = run(5, &boxes(4.0));
    go(&mut run, 1_500);
    let theory = md1(4.0, 0.15).unwrap().time_in_system;
    near(run.model().row(SHARED).mean().as_s(), theory, 0.06);
    let mut own = boxes(12.0).to_vec();
    own.extend([("design", f64::from(OWN_DATA)), ("hop", 1.0)]);
    near(rate(&own, PAYMENT), 12.0, 0.06);
}

#[test]
fn who_needs_product_is_up_as_often_as_product() {
    let mut run = run(4, &[("leak", 0.0), ("design", f64::from(OWN_DATA))]);
    for _ in 0..40 {
        act(&mut run, "kill-product");
        go(&mut run, 20);
    }
    let model = run.model();
    let ok =
        f64::from(model.row(SEARCH).of(Count::Done)) / f64::from(model.row(SEARCH).of(Count::Came));
    near(ok, availability(15.0, 5.0).unwrap(), 0.05);
    // A caller learns at once that its callee has died, not after its time-out.
    assert_eq!(model.row(ORDER).of(Count::TimedOut), 0);
    let chain = in_series(&[0.99; 3]).unwrap();
    assert!((chain - 0.9703).abs() < 1e-4, "{chain}");
}

#[test]
fn an_order_is_paid_or_half_or_under_way() {
    for design in [MONOLITH, OWN_DATA, ONE_DATABASE] {
        let mut run = run(3, &[("design", f64::from(design)), ("buy", 5.0)]);
        for _ in 0..30 {
            act(&mut run, "crash-payment");
            seconds(&mut run, 3, |seen| {
                let open = seen.open.len() as u32;
                assert_eq!(seen.orders, seen.paid + seen.half + open);
                assert!(design == OWN_DATA || seen.half + open == 0);
            });
        }
        assert_eq!(seen(&run).half > 5, design == OWN_DATA);
    }
}

#[test]
fn borders_move_and_nobody_inside_is_hurt() {
    let mut run = run(7, &[("leak", 0.0)]);
    for design in [1.0, 0.0, 2.0, 1.0, 0.0] {
        go(&mut run, 2);
        run.set_knob("design", design).unwrap();
    }
    go(&mut run, 5);
    let total = run.model().total();
    assert_eq!(total.of(Count::Failed), 0, "{total:?}");
    assert!(total.of(Count::Done) > 70);
}

#[test]
fn leaks_can_take_all_boxes_and_a_deploy_heals() {
    let mut run = run(1, &[("leak", 16.0)]);
    let mut most = 0;
    for _ in 0..20 {
        go(&mut run, 1);
        most = most.max(down(&run, BOXES));
    }
    assert_eq!(most, 3);
    assert!(run.model().row(BOXES).of(Count::Done) < run.model().total().of(Count::Came) * 9 / 10);
    for design in [MONOLITH, OWN_DATA] {
        run.set_knob("design", f64::from(design)).unwrap();
        act(&mut run, "fresh");
        act(&mut run, "deploy");
        let mut lasts = 0;
        seconds(&mut run, 90, |seen| {
            lasts += u32::from(seen.deploy.is_some())
        });
        assert!(lasts < 80, "{lasts}");
        let killed = seen(&run).killed;
        go(&mut run, 30);
        assert_eq!(seen(&run).killed, killed);
    }
}

#[test]
fn a_history_asks_once_or_twenty_times() {
    for (design, rows, calls, least, most) in [
        (MONOLITH, 0.0, 0, 50, 60),
        (OWN_DATA, 0.0, 20, 1_350, 2_000),
        (OWN_DATA, 1.0, 1, 130, 300),
        (ONE_DATABASE, 0.0, 0, 50, 60),
    ] {
        let mut run = run(
            2,
            &[
                ("leak", 0.0),
                ("design", f64::from(design)),
                ("rows", rows),
                ("copies", 5.0),
            ],
        );
        act(&mut run, "history");
        go(&mut run, 5);
        let history = seen(&run).history.unwrap();
        let ms = history.took.unwrap().0 / 1_000;
        assert_eq!(history.calls, calls);
        assert!((least..=most).contains(&ms), "{design}: {ms}");
    }
    assert_eq!(MODULES[1], PRODUCT);
}

#[test]
fn the_same_searches_take_a_column_and_a_cell() {
    for seed in 1..=12 {
        let runs = [MONOLITH, OWN_DATA].map(|design| {
            let mut run = run(seed, &[("design", f64::from(design))]);
            act(&mut run, "fresh");
            run
        });
        let [mut boxes, mut cells] = runs;
        let mut at = Time::ZERO;
        while down(&boxes, BOXES) == 0 {
            at += Time::ms(100);
            boxes.run(at, Watch::Nothing, u64::MAX);
        }
        at += Time::ms(700);
        boxes.run(at, Watch::Nothing, u64::MAX);
        cells.run(at, Watch::Nothing, u64::MAX);
        assert_eq!(
            (down(&boxes, BOXES), down(&cells, SEARCH)),
            (1, 1),
            "{seed}"
        );
        let buys_failed = seen(&cells).share(1, 2, cells.model().now);
        assert_eq!(buys_failed, 0.0, "seed {seed}");
    }
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("browse", "how many look around"), ("buy", "how many buy")];
    let compared = kit::system::trial::every_design(sheet::<MonolithMicroservices>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        compared.requests >= 10_800 && compared.works >= 1_260,
        "{compared:?}"
    );
}
