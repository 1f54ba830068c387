//! The subject held against theory.

use super::{SERVER, Template, capacity};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Run, Show, Time, knobs};
use kit::system::{Count, Values};

#[test]
fn an_overloaded_server_answers_what_it_can() {
    let mut first = Values::first(&Template);
    knobs::set(&mut first, "load", 40.0).unwrap();
    let can = capacity(&first);
    let mut run = Run::with_knobs(sheet::<Template>(), 1, first);
    run.run(Time::s(60), Watch::Nothing, u64::MAX);
    let done = f64::from(run.model().row(SERVER).of(Count::Done)) / 60.0;
    assert!(
        (done - can).abs() < 0.02 * can,
        "{done} answers a second of {can}"
    );
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("load", "how many come")];
    let compared = kit::system::trial::every_design(sheet::<Template>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        compared.requests >= 9_000 && compared.works >= 4_500,
        "{compared:?}"
    );
}
