//! The subject held against theory.

use super::{ARCHIVE, ARCHIVE_PRICE, THUMBNAILS, TOPIC, Template};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Run, Show, Time, knobs};
use kit::system::{Count, MONTH_HOURS, Money, System, Values};

fn run(settings: &[(&str, f64)], s: u64) -> Run<System> {
    let mut first = Values::first(&Template);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    let mut run = Run::with_knobs(sheet::<Template>(), 1, first);
    run.run(Time::s(s), Watch::Nothing, u64::MAX);
    run.audit().unwrap();
    run
}

#[test]
fn a_copy_that_may_be_tried_four_times_is_given_up_when_all_four_fail() {
    // A try succeeds if neither the copy nor the answer is lost.
    let fails = 1.0 - 0.7_f64 * 0.7;
    for (tries, lost) in [(1.0, fails), (4.0, fails * fails * fails * fails)] {
        let settings = [("loss", 30.0), ("tries", tries), ("load", 30.0)];
        let row = run(&settings, 200).model().row(TOPIC);
        // As many copies go to the archive as are published.
        let share = f64::from(row.of(Count::Buried)) / f64::from(row.of(Count::Done));
        assert!((share - lost).abs() < 0.02, "{tries}: {share} of {lost}");
    }
}

#[test]
fn an_hour_of_the_archive_costs_its_share_of_a_month_and_functions_what_they_do() {
    let run = run(&[], 3_600);
    let (model, at) = (run.model(), Time::s(3_606));
    let hour = model.cost(ARCHIVE, at);
    assert_eq!(hour, Money(ARCHIVE_PRICE.month.0 / MONTH_HOURS));
    let done = f64::from(model.row(THUMBNAILS).of(Count::Done));
    let each = model.cost(THUMBNAILS, at).dollars() / done;
    // 0.4 s of work, and now and then 0.8 s to build an instance, of half a GB.
    let least = 0.4 * 0.5 * 16.6667e-6 + 0.2e-6;
    assert!(each > 0.98 * least && each < 1.5 * least, "{each}");
    assert_eq!(
        model.cost_of_all(at),
        [hour, model.cost(THUMBNAILS, at)].into_iter().sum()
    );
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("load", "how many come")];
    let compared = kit::system::trial::every_design(sheet::<Template>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        compared.requests >= 3_420 && compared.works >= 4_500,
        "{compared:?}"
    );
}
