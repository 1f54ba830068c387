//! The subject held against what the algorithm and queueing theory say.

use super::Autoscaling;
use super::control::Seen;
use crate::kit::system::{System, Values};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time, knobs};

fn run(settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Autoscaling);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Autoscaling>(), 1, first)
}

fn seen(run: &Run<System>) -> &Seen {
    run.model().own()
}

fn act(run: &mut Run<System>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

fn go(run: &mut Run<System>, ms: u64) {
    let until = run.position().at + Time::ms(ms);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

#[test]
fn look() {
    for metric in [0.0, 1.0, 2.0] {
        let mut run = run(&[("metric", metric)]);
        let mut stair = vec![];
        for i in 0..400 {
            go(&mut run, 200);
            let s = seen(&run);
            if stair.last().is_none_or(|(_, x)| *x != s.sum.set) {
                stair.push((run.position().at.as_s(), s.sum.set));
            }
            if i % 10 == 0 {
                println!(
                    "{} {:?} {:?} hurt {}/{} last {}",
                    run.position().at.as_s(),
                    s.sum,
                    s.brake,
                    s.tally.hurt,
                    s.tally.came,
                    s.tally.last_hurt.since(s.tally.since).as_s()
                );
            }
        }
        println!("metric {metric}: {stair:?} {:?}", seen(&run).tally);
    }
}
