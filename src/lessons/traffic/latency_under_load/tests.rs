//! The run held against queueing theory and its table, and testers against what they plan.

use super::*;
use algorithms::histogram::Histogram;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Run, Show, knobs};
use kit::system::Count;
use kit::system::trial::{every_design_weighed, pair};

/// The lesson with loads between whole percent.
struct Finely;

const FINE: [Dial; DIALS.len()] = {
    let mut dials = [DIALS[0]; DIALS.len()];
    let mut i = 1;
    while i < DIALS.len() {
        dials[i] = DIALS[i];
        i += 1;
    }
    dials[0] = Dial::slider("busy", [1.0, 120.0, 0.01], "%", 50.0);
    dials
};

impl Script for Finely {
    fn dials(&self) -> &'static [Dial] {
        &FINE
    }
    fn gear(&self) -> Gear {
        LatencyUnderLoad.gear()
    }
    fn plan(&self, knobs: &Values) -> Plan {
        LatencyUnderLoad.plan(knobs)
    }
    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }
    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen {
            // Nothing climbs before time zero.
            opened: true,
            ..Seen::new()
        })
    }
    fn start(&self, _: &mut System) {}
    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        LatencyUnderLoad.act(act, system, knobs, cx);
    }
    fn timer(&self, number: u32, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        LatencyUnderLoad.timer(number, system, knobs, cx);
    }
    fn heard(&self, note: &Note, system: &mut System) {
        LatencyUnderLoad.heard(note, system);
    }
    fn taken(&self, what: Key, system: &mut System, now: Time) {
        LatencyUnderLoad.taken(what, system, now);
    }
    fn weighs(&self, call: Key, work: Time, system: &mut System, now: Time) -> Time {
        LatencyUnderLoad.weighs(call, work, system, now)
    }
    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        LatencyUnderLoad.over(request, system, now);
    }
    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        LatencyUnderLoad.look(system, knobs, now);
    }
    fn report(&self, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        LatencyUnderLoad.report(system, knobs, cx);
    }
}

impl Lesson for Finely {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        ..Sheet::usual(
            sheet::<LatencyUnderLoad>().card,
            || Values::first(&Finely),
            figure::draw,
        )
    };
}

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Finely);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Finely>(), seed, first)
}

fn act(run: &mut Run<System>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

fn go(run: &mut Run<System>, s: f64) {
    let until = run.position().at + Time::from_s(s);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn seen(run: &Run<System>) -> &Seen {
    run.model().own()
}

/// Times of answers in means of the work.
fn per_mille(run: &Run<System>, per_mille: u32) -> f64 {
    let us = seen(run).measure.times.at_per_mille(per_mille).unwrap();
    us as f64 / 1e3 / run.knobs_now().get("work")
}

/// So many answers, at least: their mean lies within three of its own standard errors of what theory says.
fn agrees(seed: u32, settings: &[(&str, f64)], answers: f64, theory: f64) -> Run<System> {
    let mut run = run(seed, settings);
    let rate = per_s(run.knobs_now().get("busy"), run.knobs_now());
    go(&mut run, 5.0 + answers / rate);
    let point = seen(&run).measure.point(0.0).unwrap();
    let work = run.knobs_now().ms("work").as_s();
    let (mean, error) = (point.mean / work, point.error.unwrap() / work);
    assert!(
        (mean - theory).abs() <= 3.0 * error,
        "{settings:?}: {mean} ± {error}, not {theory}"
    );
    // The error itself is not so large that anything would do.
    assert!(error < 0.12 * theory, "{settings:?}: ± {error} of {theory}");
    run
}

#[test]
fn one_worker_is_as_the_table_has_it() {
    for (busy, answers) in [(10.0, 2e4), (30.0, 2e4), (90.0, 6e4), (95.0, 1.5e5)] {
        let rho = busy / 100.0;
        let mean = queueing::mm1(rho, 1.0).unwrap().time_in_system;
        let run = agrees(3, &[("busy", busy)], answers, mean);
        // Percentiles of one exponential time go with its mean, and so does what this sample is off by.
        let measure = &seen(&run).measure;
        let off = measure.times.mean().unwrap() / 1e4 / mean;
        for (at, quantile) in [(500, 0.5), (950, 0.95), (990, 0.99)] {
            let theory = queueing::mm1_sojourn_quantile(rho, 1.0, quantile).unwrap();
            let ratio = per_mille(&run, at) / theory / off;
            assert!((ratio - 1.0).abs() < 0.1, "{busy} %, {quantile}: {ratio}");
        }
    }
    for (busy, answers) in [(50.0, 2e4), (90.0, 4e4), (95.0, 1e5)] {
        let mean = queueing::md1(busy / 100.0, 1.0).unwrap().time_in_system;
        agrees(4, &[("busy", busy), ("law", CONSTANT)], answers, mean);
    }
    for (busy, uneven, answers) in [(50.0, 4.0, 3e4), (90.0, 2.0, 1.2e5)] {
        let mean = queueing::mg1(busy / 100.0, 1.0, uneven).unwrap();
        let settings = [("busy", busy), ("law", UNEVEN), ("uneven", uneven)];
        agrees(5, &settings, answers, mean.time_in_system);
    }
}

#[test]
fn workers_with_one_line_are_as_the_table_has_it_and_a_line_each_is_no_better_than_one() {
    for (workers, busy, answers) in [(5.0, 90.0, 8e4), (10.0, 95.0, 2e5), (100.0, 90.0, 4e4)] {
        let rate = workers * busy / 100.0;
        let mean = queueing::mmc(rate, 1.0, workers as u32).unwrap().means;
        let settings = [("busy", busy), ("workers", workers), ("work", 50.0)];
        agrees(6, &settings, answers, mean.time_in_system);
    }
    let each = [("busy", 80.0), ("workers", 5.0), ("lines", 1.0)];
    agrees(7, &each, 6e4, 5.0);
}

#[test]
fn a_bound_turns_away_as_many_as_erlang_says() {
    let loss = |seed, settings: &[(&str, f64)], answers: f64| {
        let mut run = run(seed, settings);
        let rate = per_s(run.knobs_now().get("busy"), run.knobs_now());
        go(&mut run, 5.0 + answers / rate);
        let measure = &seen(&run).measure;
        (measure.loss(), measure.times.mean().unwrap() / 1e4)
    };
    let close = |loss: f64, theory: f64, answers: f64, what: &str| {
        // Who comes after one that was turned away is more likely to be turned away: as if there were a tenth of them.
        let error = (theory * (1.0 - theory) / answers * 10.0).sqrt();
        assert!(
            (loss - theory).abs() <= 3.0 * error,
            "{what}: {loss}, not {theory}"
        );
    };
    for (workers, busy) in [
        (1.0, 50.0),
        (2.0, 50.0),
        (10.0, 50.84),
        (20.0, 60.15),
        (30.0, 67.8),
        (100.0, 84.06),
    ] {
        let settings = [
            ("busy", busy),
            ("workers", workers),
            ("bound", 1.0),
            ("places", workers),
        ];
        let theory = queueing::erlang_b(workers as u32, workers * busy / 100.0).unwrap();
        let (loss, mean) = loss(8, &settings, 4e4);
        close(loss, theory, 4e4, &format!("{workers} workers"));
        assert!(
            (mean - 1.0).abs() < 0.03,
            "who gets in does not wait: {mean}"
        );
    }
    for (places, busy) in [(5.0, 80.0), (10.0, 100.0), (10.0, 120.0)] {
        let theory = queueing::mm1k(busy / 100.0, 1.0, places as u32).unwrap();
        let settings = [("busy", busy), ("bound", 1.0), ("places", places)];
        let (loss, mean) = loss(9, &settings, 4e4);
        close(loss, theory.loss, 4e4, &format!("{places} places"));
        let expected = theory.means.time_in_system;
        assert!(
            (mean / expected - 1.0).abs() < 0.05,
            "{mean}, not {expected}"
        );
    }
}

#[test]
fn the_chart_s_lines_are_theory_s() {
    let knobs = |settings: &[(&str, f64)]| {
        let mut values = Values::first(&Finely);
        for (id, value) in settings {
            knobs::set(&mut values, id, *value).unwrap();
        }
        values
    };
    let ms = |settings: &[(&str, f64)], busy| {
        let mean = theory(busy, &knobs(settings))?;
        Some((mean * 1e4).round() / 10.0)
    };
    assert_eq!(ms(&[], 80.0), Some(50.0));
    assert_eq!(ms(&[], 100.0), None);
    assert_eq!(ms(&[("law", CONSTANT)], 80.0), Some(30.0));
    assert_eq!(ms(&[("law", UNEVEN)], 80.0), Some(110.0));
    assert_eq!(
        ms(&[("law", CONSTANT), ("arrivals", 1.0)], 99.0),
        Some(10.0)
    );
    assert_eq!(ms(&[("workers", 100.0)], 90.0), Some(10.2));
    assert_eq!(ms(&[("workers", 5.0), ("lines", 1.0)], 90.0), Some(100.0));
    assert_eq!(ms(&[("bound", 1.0), ("places", 5.0)], 120.0), Some(33.6));
    let nowhere = [("sends", NO_PAUSE), ("law", CONSTANT)];
    assert_eq!(ms(&nowhere, 50.0), None);
    let (first, means) = phases(4.0);
    let mean = first * means[0] + (1.0 - first) * means[1];
    assert!((mean - 1.0).abs() < 1e-9 && (first - 0.887).abs() < 1e-3);
}

#[test]
fn even_and_constant_nobody_waits_and_a_standstill_is_felt_for_its_length_over_the_idle_share() {
    let plain = [("law", CONSTANT), ("arrivals", 1.0)];
    for busy in [50.0, 80.0, 99.0, 100.0] {
        let mut run = run(1, &[&plain[..], &[("busy", busy)]].concat());
        go(&mut run, 30.0);
        let times = &seen(&run).measure.times;
        assert_eq!((times.mean(), times.max()), (Some(10_000.0), Some(10_000)));
    }
    for (busy, felt) in [(50.0, 4.0), (80.0, 10.0), (90.0, 20.0), (95.0, 40.0)] {
        let mut run = run(1, &[&plain[..], &[("busy", busy)]].concat());
        go(&mut run, 3.0);
        act(&mut run, "stall");
        go(&mut run, felt + 1.0);
        let stall = seen(&run).stall.unwrap();
        let over = stall.over.unwrap().since(stall.began).as_s();
        // Within the time of a few requests.
        assert!((over - felt).abs() <= 0.04, "{busy} %: {over}");
    }
}

#[test]
fn a_tester_who_waits_writes_down_one_bad_time_and_one_on_schedule_all() {
    let settings = [
        ("work", 50.0),
        ("law", CONSTANT),
        ("sends", PACES),
        ("busy", 50.0),
    ];
    let trial = |more: &[(&str, f64)]| {
        let mut run = run(1, &[&settings[..], more].concat());
        go(&mut run, 1.0);
        act(&mut run, "trial");
        go(&mut run, 70.0);
        assert_eq!(seen(&run).tried(run.model().now), Some(Time::s(2)));
        run
    };
    let ms = |run: &Run<System>, at| seen(run).measure.times.at_per_mille(at).unwrap() / 1_000;
    let slow = |run: &Run<System>| {
        let slow = seen(run).measure.times.buckets();
        slow.filter(|(us, _)| *us > 51_000)
            .map(|(_, count)| count)
            .sum::<u32>()
    };
    let paced = trial(&[]);
    let measure = &seen(&paced).measure;
    assert_eq!((measure.times.total(), measure.missed), (580, 20));
    assert!(measure.times.max().unwrap().abs_diff(2_050_000) <= 2);
    assert_eq!((ms(&paced, 990), slow(&paced)), (50, 1));
    let planned = trial(&[("sends", ON_SCHEDULE)]);
    assert_eq!(seen(&planned).measure.times.total(), 600);
    assert_eq!(slow(&planned), 40);
    // Each that was caught is 50 ms better off than the one before: the sixth worst of 600 takes 2.05 - 0.3 s or so.
    assert!(
        (1_745..=1_752).contains(&ms(&planned, 990)),
        "{}",
        ms(&planned, 990)
    );
    let corrected = trial(&[("corrected", 1.0)]);
    assert_eq!(seen(&corrected).measure.times.total(), 599);
    assert_eq!(slow(&corrected), 20);
    assert!((1_545..=1_552).contains(&ms(&corrected, 990)));
}

#[test]
fn a_closed_tester_measures_his_own_number() {
    for (connections, pause) in [(10.0, 0.0), (50.0, 0.0), (10.0, 0.5), (1.0, 0.1)] {
        let settings = [
            ("sends", NO_PAUSE),
            ("connections", connections),
            ("pause", pause),
        ];
        let mut run = run(2, &settings);
        go(&mut run, 10.0);
        let before = run.model().total().of(Count::Done);
        let s = 400.0;
        go(&mut run, s);
        let rate = f64::from(run.model().total().of(Count::Done) - before) / s;
        let mean = seen(&run).measure.times.mean().unwrap() / 1e6;
        let customers = queueing::closed_customers(rate, mean, pause).unwrap();
        assert!(
            (customers / connections - 1.0).abs() < 0.03,
            "{settings:?}: {customers}"
        );
        let theory = queueing::closed_loop(connections as u32, pause, 0.01, 1).unwrap();
        assert!(
            (rate / theory.throughput - 1.0).abs() < 0.03,
            "{settings:?}: {rate}"
        );
    }
}

#[test]
fn as_many_are_inside_as_little_says() {
    let mut run = run(11, &[("busy", 80.0)]);
    go(&mut run, 5.0);
    let (mut inside, mut looks) = (0.0, 0.0);
    while run.position().at < Time::s(600) {
        go(&mut run, 0.05);
        let waiting = f64::from(run.model().waiting());
        inside += waiting + f64::from(u8::from(at_work(run.model()) > 0));
        looks += 1.0;
    }
    let measure = &seen(&run).measure;
    let rate = measure.times.total() as f64 / measure.span(run.model().now).as_s();
    let little = queueing::little(rate, measure.times.mean().unwrap() / 1e6);
    assert!(
        (inside / looks / little - 1.0).abs() < 0.04,
        "{inside} in {looks}, {little}"
    );
}

#[test]
fn the_slowest_of_a_hundred_is_as_the_table_has_it() {
    // Each part draws its own, and the parts are merged.
    let mut all = Histogram::new(3);
    for part in 0..8_u64 {
        let mut one = Histogram::new(3);
        for nth in 0..4_000_u64 {
            let draw = Draw {
                dice: mix64(part << 32 | nth),
                ..Draw::default()
            };
            let longest = (0..100).map(|of| -libm::log(draw.unit(of)));
            one.record((longest.fold(0.0, f64::max) * 1e6) as u64);
        }
        all.merge(&one);
    }
    let p99 = all.at_per_mille(990).unwrap() as f64 / 1e6;
    let theory = -libm::log1p(-libm::pow(0.99, 0.01));
    assert!((p99 / theory - 1.0).abs() < 0.03, "{p99}, not {theory}");
}

#[test]
fn what_came_was_answered_or_turned_away_or_is_inside() {
    let mut run = run(12, &[("busy", 110.0)]);
    go(&mut run, 30.0);
    act(&mut run, "fifty");
    act(&mut run, "giant");
    go(&mut run, 5.0);
    let before = run.model().waiting();
    assert!(before > 60, "{before}");
    // A bound below the number inside lets nobody in, and turns nobody out.
    run.set_knob("bound", 1.0).unwrap();
    run.set_knob("places", 5.0).unwrap();
    assert_eq!(run.model().waiting(), before);
    assert_eq!(seen(&run).measure.times.total(), 0);
    go(&mut run, 2.0);
    let total = run.model().total();
    assert!(run.model().waiting() < before && total.of(Count::Refused) > 0);
    let inside = run.model().waiting() + at_work(run.model()) as u32;
    let gone = total.of(Count::Done) + total.of(Count::Failed);
    assert_eq!(total.of(Count::Came), gone + inside);
}

#[test]
fn a_standstill_within_a_standstill_is_one_that_lasts_longer() {
    let mut run = run(13, &[("law", CONSTANT), ("arrivals", 1.0)]);
    go(&mut run, 1.0);
    act(&mut run, "trial");
    // The trial's own comes 20 s after its beginning; the one before is under way then.
    go(&mut run, 23.5);
    act(&mut run, "stall");
    go(&mut run, 6.0);
    let stall = seen(&run).stall.unwrap();
    let span = stall.until.since(stall.began).as_s();
    assert!(span > 2.2 && span < 4.0, "{span}");
    assert!(!stands(run.model()));
}

#[test]
fn a_giant_takes_two_seconds_whatever_the_law() {
    for law in [CONSTANT, EXPONENTIAL, UNEVEN] {
        let mut run = run(14, &[("busy", 5.0), ("law", law)]);
        go(&mut run, 6.0);
        act(&mut run, "giant");
        go(&mut run, 4.0);
        let most = seen(&run).measure.times.max().unwrap() as f64 / 1e6;
        assert!((1.99..2.3).contains(&most), "{most}");
        assert!(seen(&run).giants.is_empty());
    }
}

#[test]
fn the_opening_has_points_of_lower_loads_and_a_climb_adds_higher_ones() {
    let mut run = Run::new(sheet::<LatencyUnderLoad>(), 1);
    let loads = |run: &Run<System>| -> Vec<f64> {
        let points = &seen(run).curve.points;
        points.iter().map(|point| point.busy).collect()
    };
    assert_eq!(loads(&run), [10.0, 20.0, 30.0, 40.0, 50.0]);
    act(&mut run, "climb");
    go(&mut run, 335.0);
    let all: Vec<f64> = (1..=11).map(|ten| f64::from(ten) * 10.0).collect();
    assert_eq!(loads(&run), all);
    assert!(seen(&run).climb.is_none());
    assert_eq!(run.model().load_per_s(USERS), 50.0);
}

#[test]
fn minutes_differ_and_their_percentiles_are_not_the_percentile_of_all() {
    let mut run = run(15, &[("busy", 90.0)]);
    go(&mut run, 1.0);
    act(&mut run, "minute");
    go(&mut run, 190.0);
    let minutes = seen(&run).minutes.as_ref().unwrap();
    assert_eq!(minutes.points.len(), MINUTES);
    assert!(minutes.ratio() > 1.05, "{}", minutes.ratio());
    let all = minutes.all.point(90.0).unwrap();
    assert!((all.p99 / minutes.mean_p99() - 1.0).abs() > 0.01);
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [
        ("busy", "how many come"),
        ("workers", "how many come, since workers are to be as busy"),
        ("work", "how many come, since workers are to be as busy"),
        ("arrivals", "whether they come evenly"),
        ("sends", "who sends"),
    ];
    // Which of two phases of uneven work a request meets is its class: how long it takes, not what it asks.
    let compared = every_design_weighed(sheet::<LatencyUnderLoad>(), &crowd, |_| 0);
    let compared = compared.unwrap_or_else(|faults| panic!("{faults}"));
    let enough = compared.requests >= 10_000 && compared.works >= 10_000;
    assert!(enough, "{compared:?}");
    // Who waits for answers asks at other moments, but for the same; a plan has its moments whatever comes back.
    let sends = |way: f64, law: f64| [("sends", way), ("law", law), ("connections", 3.0)];
    for (one, other) in [
        (sends(1.0, 0.0), sends(1.0, 1.0)),
        (sends(2.0, 1.0), sends(3.0, 1.0)),
        (sends(3.0, 0.0), sends(3.0, 1.0)),
    ] {
        for seed in 1..=3 {
            pair(sheet::<LatencyUnderLoad>(), [&one, &other], seed).unwrap();
        }
    }
}
