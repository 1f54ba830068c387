//! Kubernetes' replica calculator and scaling behaviour.

use crate::table::{Case, run};
use algorithms::autoscaler::{self, Autoscaler, Behavior, Limit, Phase, Pod, Policy};
use algorithms::autoscaler::{Recommendation, Rules, Select, Tolerance};
use serde_json::{Value, json};

const SECOND_US: u64 = 1_000_000;

#[test]
fn k8s_hpa() {
    run(include_str!("k8s_hpa.json"), &[], &[], answer);
}

fn numbers(value: &Value) -> Vec<u64> {
    let list = value.as_array().into_iter().flatten();
    list.map(|n| n.as_u64().expect("a count")).collect()
}

/// The pods of a case: as many as are told of, in whatever field.
fn pods(case: &Case<'_>, usage: &[u64]) -> Vec<Pod> {
    let list = |field: &str| case.input[field].as_array().cloned().unwrap_or_default();
    let (ready, started) = (list("ready"), list("started_recently"));
    let told_deleting = ["deleting", "deletion_timestamp", "being_deleted"].map(list);
    let deleting = told_deleting.concat();
    let (phases, requests) = (
        list("phase"),
        numbers(&case.input["requests_milli_per_container"]),
    );
    let current = case.need("current_replicas") as usize;
    let told = [ready.len(), phases.len(), requests.len()]
        .into_iter()
        .max()
        .unwrap_or(0);
    let count = if told == 0 { current } else { told };
    (0..count)
        .map(|i| {
            let is_ready = ready.get(i).and_then(Value::as_bool).unwrap_or(true);
            let young = started.get(i).and_then(Value::as_bool).unwrap_or(false);
            Pod {
                phase: match phases.get(i).and_then(Value::as_str) {
                    Some("Pending") => Phase::Pending,
                    Some("Failed") => Phase::Failed,
                    _ => Phase::Running,
                },
                deleting: deleting.get(i).and_then(Value::as_bool) == Some(true),
                ready: is_ready,
                usage: usage.get(i).copied(),
                cpu_counts: is_ready && !young,
                request: requests.get(i).copied().unwrap_or(0),
            }
        })
        .collect()
}

fn tolerance(case: &Case<'_>) -> Tolerance {
    let tolerance = case.input["tolerance"].as_f64();
    Tolerance::both(tolerance.map_or(autoscaler::TOLERANCE_MILLI, |t| {
        (t * 1_000.0).round() as u64
    }))
}

fn rules(value: &Value, otherwise: Rules) -> Rules {
    let Some(policies) = value["policies"].as_array() else {
        return otherwise;
    };
    let policy = |policy: &Value| {
        let number = policy["value"].as_u64().expect("a count") as u32;
        Policy {
            limit: match policy["type"].as_str() {
                Some("Pods") => Limit::Pods(number),
                _ => Limit::Percent(number),
            },
            period_us: policy["period_s"].as_u64().expect("seconds") * SECOND_US,
        }
    };
    Rules {
        stabilization_us: value["stabilization_s"].as_u64().expect("seconds") * SECOND_US,
        policies: policies.iter().map(policy).collect(),
        select: match value["select"].as_str() {
            Some("Min") => Select::Min,
            Some("Disabled") => Select::Disabled,
            _ => Select::Max,
        },
    }
}

fn answer(case: &Case<'_>) -> Option<Value> {
    let current = case.int("current_replicas").map(|n| n as u32);
    if let Some(checks) = case.input["checks"].as_array() {
        let bounds = (case.count("min"), case.count("max"));
        let behavior = Behavior {
            up: rules(&case.input["up"], Rules::up()),
            down: rules(&case.input["down"], Rules::down()),
            ..Behavior::new(bounds.0, bounds.1)
        };
        let (mut scaler, mut replicas) = (Autoscaler::default(), current?);
        let after = checks.iter().map(|check| {
            let now_us = check["t_s"].as_u64().expect("seconds") * SECOND_US;
            let wanted = check["wanted"].as_u64().map(|n| n as u32);
            replicas = scaler.check(now_us, replicas, wanted, &behavior).replicas;
            replicas
        });
        return Some(json!({"replicas": after.collect::<Vec<_>>()}));
    }
    if let Some(metric) = case.input["metric"].as_str() {
        let (current, tolerance) = (current?, tolerance(case));
        let values = numbers(&case.input["values_milli"]);
        let total: u64 = values.iter().sum();
        let answer = match metric {
            "cpu" | "memory" | "resource" => {
                let usage = numbers(&case.input["usage_milli_per_container"]);
                let pods = pods(case, &usage);
                let target = case.need("target_utilization");
                let is_cpu = metric == "cpu";
                autoscaler::by_utilization(&pods, current, target, tolerance, is_cpu)
            }
            "pods" => {
                let pods = pods(case, &values);
                autoscaler::by_pod_mean(&pods, current, case.need("target_milli"), tolerance, false)
            }
            "object" | "external" => {
                let ready = autoscaler::pods_ready(&pods(case, &[]));
                autoscaler::by_value(total, ready, current, case.need("target_milli"), tolerance)
            }
            "object per pod" | "external per pod" => {
                let target = case.need("target_milli");
                autoscaler::by_value_per_pod(total, current, target, tolerance)
            }
            _ => return None,
        };
        // Without a sample nothing is changed.
        let Recommendation { replicas, metric } = answer.unwrap_or(Recommendation {
            replicas: current,
            metric: 0,
        });
        return Some(json!({
            "replicas": replicas, "utilization": metric, "metric_value": metric,
        }));
    }
    if case.takes(&["current_metric", "desired_metric"]) {
        let (metric, target) = (case.need("current_metric"), case.need("desired_metric"));
        let replicas = autoscaler::formula(current?, metric, target, tolerance(case));
        return Some(json!({"ratio": metric as f64 / target as f64, "replicas": replicas}));
    }
    if case.expects(&["sync_period_s"]) {
        return Some(json!({
            "sync_period_s": autoscaler::SYNC_PERIOD_US / SECOND_US,
            "tolerance": autoscaler::TOLERANCE_MILLI as f64 / 1_000.0,
            "downscale_stabilization_s": autoscaler::DOWN_STABILIZATION_US / SECOND_US,
            "initial_readiness_delay_s": autoscaler::INITIAL_READINESS_DELAY_US / SECOND_US,
            "cpu_initialization_period_s": autoscaler::CPU_INITIALIZATION_US / SECOND_US,
        }));
    }
    None
}
