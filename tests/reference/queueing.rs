//! Latency under load: the closed formulas of queueing theory.

use algorithms::queueing::{self, Means};
use serde_json::Value;

use crate::cases;

/// Nothing is left out: every case of this table is run.
const NOT_APPLICABLE: &[(&str, &str)] = &[];

#[test]
fn queueing_latency() {
    for case in cases(include_str!("queueing_latency.json"), NOT_APPLICABLE) {
        let input = |key: &str| {
            case.input
                .get(key)
                .and_then(Value::as_f64)
                .unwrap_or_else(|| panic!("{}: no {key}", case.name))
        };
        let model = case.input.get("model").and_then(Value::as_str);
        for (key, expected) in &case.expected {
            if key == "tolerance" {
                continue;
            }
            let unknown = || panic!("{}: {key} of {model:?} is unknown", case.name);
            let from_means = |means: Means| match key.as_str() {
                "L" => means.in_system,
                "Lq" => means.in_queue,
                "W" => means.time_in_system,
                "Wq" => means.time_in_queue,
                _ => unknown(),
            };
            let actual = match model {
                Some("M/M/1") => {
                    let (arrivals, services) = (input("lambda"), input("mu"));
                    match key.as_str() {
                        "P0" => queueing::mm1_idle(arrivals, services).unwrap(),
                        _ => match key.strip_prefix("sojourn_p") {
                            Some(percent) => queueing::mm1_sojourn_quantile(
                                arrivals,
                                services,
                                percent.parse::<f64>().unwrap() / 100.0,
                            )
                            .unwrap(),
                            None => from_means(queueing::mm1(arrivals, services).unwrap()),
                        },
                    }
                }
                Some("M/D/1") => {
                    let (arrivals, service) = (input("lambda"), input("service"));
                    let means = queueing::md1(arrivals, service).unwrap();
                    let exponential = queueing::mm1(arrivals, 1.0 / service).unwrap();
                    match key.as_str() {
                        "ratio_to_MM1_Wq" => means.time_in_queue / exponential.time_in_queue,
                        _ => from_means(means),
                    }
                }
                Some("M/G/1") => from_means(
                    queueing::mg1(input("lambda"), input("mean_service"), input("cv2")).unwrap(),
                ),
                Some("M/M/c") => {
                    let servers = input("servers") as u32;
                    let queue = queueing::mmc(input("lambda"), input("mu"), servers).unwrap();
                    match key.as_str() {
                        "rho" => queue.utilisation,
                        "offered_erlangs" => queue.offered_erlangs,
                        "erlang_c" => queue.wait_probability,
                        _ => match key.split_once("_p") {
                            Some((time, percent)) => {
                                let of = match time {
                                    "wait" => queueing::mmc_wait_quantile,
                                    "sojourn" => queueing::mmc_sojourn_quantile,
                                    _ => panic!("{}: {key} is unknown", case.name),
                                };
                                let quantile = percent.parse::<f64>().unwrap() / 100.0;
                                of(input("lambda"), input("mu"), servers, quantile).unwrap()
                            }
                            None => from_means(queue.means),
                        },
                    }
                }
                Some("M/M/c/c") => match key.as_str() {
                    "blocking" => {
                        queueing::erlang_b(input("servers") as u32, input("erlangs")).unwrap()
                    }
                    _ => unknown(),
                },
                Some("M/M/1/K") => {
                    let capacity = input("K") as u32;
                    let queue = queueing::mm1k(input("lambda"), input("mu"), capacity).unwrap();
                    match key.as_str() {
                        "loss" => queue.loss,
                        "throughput" => queue.throughput,
                        _ => from_means(queue.means),
                    }
                }
                Some("closed") => {
                    let (customers, think) = (input("customers"), input("think"));
                    let (service, servers) = (input("service"), input("servers") as u32);
                    let closed =
                        queueing::closed_loop(customers as u32, think, service, servers).unwrap();
                    let (throughput, response) = (closed.throughput, closed.means.time_in_system);
                    match key.as_str() {
                        "throughput" | "X" => throughput,
                        "utilisation" | "rho" => closed.utilisation,
                        "customers_by_law" => {
                            queueing::closed_customers(throughput, response, think).unwrap()
                        }
                        _ => from_means(closed.means),
                    }
                }
                None if case.input.contains_key("N") && case.input.contains_key("Z") => {
                    let (customers, think) = (input("N"), input("Z"));
                    match key.as_str() {
                        "W" => {
                            queueing::closed_response_time(customers, input("X"), think).unwrap()
                        }
                        "X" => queueing::closed_throughput(customers, input("W"), think).unwrap(),
                        _ => unknown(),
                    }
                }
                None => match key.as_str() {
                    "erlangs" => {
                        queueing::erlang_b_load(input("servers") as u32, input("blocking")).unwrap()
                    }
                    "L" => queueing::little(input("lambda"), input("W")),
                    _ => unknown(),
                },
                _ => unknown(),
            };
            let expected = expected.as_f64().unwrap();
            let tolerance = case
                .expected
                .get("tolerance")
                .and_then(Value::as_f64)
                .unwrap_or(1e-9 * expected.abs());
            assert!(
                (actual - expected).abs() <= tolerance,
                "{}: {key} is {actual}, not {expected}",
                case.name
            );
        }
    }
}
