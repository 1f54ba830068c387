//! Priority levels and outlier detection against what Envoy documents and its own tests expect.

use crate::table::{self, Case};
use algorithms::outlier::{Detector, Finding, Settings, line, span};
use algorithms::priority_load::{Level, PANIC_THRESHOLD, shares};
use serde_json::{Value, json};

const TABLE: &str = include_str!("service_mesh_failover_outlier.json");

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().expect("a list");
    all.iter()
        .map(|it| it.as_f64().expect("a number"))
        .collect()
}

fn load(case: &Case<'_>) -> Value {
    assert_eq!(case.number("overprovisioning_factor"), 1.4);
    let levels: Vec<Level> = numbers(&case.input["healthy_percent_per_priority"])
        .into_iter()
        .map(|healthy| Level {
            healthy: healthy as u32,
            hosts: 100,
        })
        .collect();
    let shares = shares(&levels, PANIC_THRESHOLD);
    let load: Vec<u32> = shares.iter().map(|share| share.load).collect();
    json!({ "load_percent": load })
}

fn outliers(case: &Case<'_>) -> Value {
    let rates = numbers(&case.input["host_success_rates"]);
    let mean = line(rates.iter().copied(), 0.0);
    let threshold = line(rates.iter().copied(), case.number("stdev_factor"));
    let odd = |it: &(usize, &f64)| *it.1 < threshold;
    let ejected: Vec<usize> = rates
        .iter()
        .enumerate()
        .filter(odd)
        .map(|it| it.0)
        .collect();
    json!({ "mean": mean, "threshold": threshold, "ejected_index": ejected })
}

fn ejection(case: &Case<'_>) -> Value {
    let second = 1_000_000;
    let settings = Settings {
        base_us: case.need("base_ejection_s") * second,
        max_us: case.need("max_ejection_s") * second,
        max_percent: 100,
        ..Settings::default()
    };
    // Put aside so many times, each time as soon as it is back.
    let (mut detector, mut now, mut out) = (Detector::default(), 0, 0);
    detector.follow([true]);
    for _ in 0..case.need("times_ejected") {
        let found = (0..5).filter_map(|_| detector.report(0, false, &settings, now));
        let Some(Finding::Aside { span_us, times, .. }) = found.last() else {
            panic!("{}: not put aside", case.name)
        };
        assert_eq!(span_us, span(times, &settings));
        out = span_us;
        now += span_us;
        detector.sweep(&settings, now);
    }
    json!({ "ejected_for_s": out / second })
}

#[test]
fn levels_lines_and_times_are_as_envoy_has_them() {
    table::run(TABLE, &[], &["formula"], |case| {
        if case.takes(&["healthy_percent_per_priority"]) {
            Some(load(case))
        } else if case.takes(&["host_success_rates"]) {
            Some(outliers(case))
        } else if case.takes(&["base_ejection_s"]) {
            Some(ejection(case))
        } else {
            None
        }
    });
}
