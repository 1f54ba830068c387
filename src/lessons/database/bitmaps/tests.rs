//! The subject held against theory.

use super::{Settings, Bitmaps};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Run, Show, Time};

#[test]
fn an_overloaded_server_answers_what_it_can() {
    let first = Settings {
        load: 40.0,
        ..Settings::default()
    };
    let can = f64::from(first.workers) / Time::from_ms(first.work).as_s();
    let mut run = Run::with_knobs(sheet::<Bitmaps>(), 1, first);
    run.run(Time::s(60), Watch::Nothing, u64::MAX);
    run.audit().unwrap();
    let done = f64::from(run.model().done) / 60.0;
    assert!(
        (done - can).abs() < 0.02 * can,
        "{done} answers a second of {can}"
    );
}
