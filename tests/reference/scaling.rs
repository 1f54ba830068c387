//! Laws of scale, the tail of fan-out and the arithmetic of availability.

use crate::table::{Case, run};
use algorithms::scaling;
use serde_json::{Value, json};

/// Cases that say nothing about an algorithm, each with the reason.
const NOT_APPLICABLE: &[(&str, &str)] = &[
    (
        "hedged requests: BigTable 1000 keys over 100 servers",
        "measured by Dean and Barroso in one of Google's clusters",
    ),
    (
        "leaf latency table",
        "measured by Dean and Barroso in one of Google's services",
    ),
];

#[test]
fn scaling_tail_availability() {
    let table = include_str!("scaling_tail_availability.json");
    run(table, NOT_APPLICABLE, &["note"], answer);
}

fn answer(case: &Case<'_>) -> Option<Value> {
    let number = |field| case.number(field);
    if case.takes(&["fanout", "p_slow"]) {
        let chance = scaling::any_slow(case.count("fanout"), number("p_slow"))?;
        let digits = (chance * 100.0).round() / 100.0;
        return Some(json!({"p": chance, "exact": chance, "p_user_slow": digits}));
    }
    if case.takes(&["parallel_fraction", "n"]) {
        let share = number("parallel_fraction");
        return Some(json!({
            "speedup": scaling::amdahl(share, number("n")),
            "limit": scaling::amdahl_limit(share),
            "gustafson": scaling::gustafson(share, number("n")),
        }));
    }
    if case.takes(&["sigma", "kappa", "N"]) {
        let (sigma, kappa) = (number("sigma"), number("kappa"));
        return Some(json!({
            "relative_capacity": scaling::usl(sigma, kappa, number("N")),
            "peak_N": scaling::usl_peak(sigma, kappa),
        }));
    }
    if case.takes(&["node", "need", "nodes"]) {
        let up = scaling::k_of_n(number("node"), case.count("need"), case.count("nodes"));
        return Some(json!({"availability": up}));
    }
    if let Some(parts) = case.input["parts"].as_array() {
        let parts: Vec<f64> = parts
            .iter()
            .map(|part| part.as_f64().expect("a share"))
            .collect();
        let up = match case.input["need"].as_str() {
            Some("any") => scaling::in_parallel(&parts),
            _ => scaling::in_series(&parts),
        };
        return Some(json!({"availability": up}));
    }
    let named = |names: [&str; 3]| names.into_iter().find_map(|name| case.input[name].as_f64());
    if let (Some(each), Some(parts)) = (
        named(["each", "node", "part"]),
        named(["services", "components", "in_series"]),
    ) {
        let up = scaling::in_series(&vec![each; parts as usize]);
        return Some(json!({"availability": up}));
    }
    if case.takes(&["availability"]) {
        let seconds = scaling::downtime_year_s(number("availability"))?;
        return Some(json!({
            "seconds": seconds, "minutes": seconds / 60.0, "hours": seconds / 3600.0,
        }));
    }
    if case.takes(&["n"]) {
        let n = case.count("n");
        let mut answer = json!({"mean": scaling::order_mean(n, n)});
        for field in case.expected.keys() {
            if let Some(digits) = field.strip_prefix('p') {
                // p999 is 99.9 %.
                let quantile: f64 = format!("0.{digits}").parse().expect("a percentile");
                answer[field] = json!(scaling::slowest_quantile(n, quantile));
            }
        }
        return Some(answer);
    }
    None
}
