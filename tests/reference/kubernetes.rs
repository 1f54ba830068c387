//! The Kubernetes controllers' own test tables against `rollout` and `self_healing`.

use crate::table::{Case, run};
use algorithms::rollout::{self, Deployment, DeploymentStatus, IntOrPercent, Observed};
use algorithms::rollout::{ReplicaSet, Strategy};
use algorithms::self_healing::{self, Phase, Pod, Probe, ProbeSettings, RestartBackoff, SECOND_US};
use serde_json::{Value, json};

#[test]
fn k8s_rolling_update() {
    run(
        include_str!("k8s_rolling_update.json"),
        &[],
        &[],
        rollout_answer,
    );
}

#[test]
fn k8s_self_healing() {
    run(
        include_str!("k8s_self_healing.json"),
        &[],
        &["rule"],
        healing_answer,
    );
}

/// A setting as the API has it: absent, a number, or a string that must be a percentage.
fn setting(value: &Value) -> Result<Option<IntOrPercent>, rollout::InvalidIntOrPercent> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => text.parse().map(Some),
        number => Ok(Some(IntOrPercent::Int(small(number)))),
    }
}

fn small(value: &Value) -> u32 {
    let number = value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is not a count"));
    u32::try_from(number).expect("a small count")
}

fn deployment(
    replicas: u32,
    max_surge: &Value,
    max_unavailable: &Value,
) -> Result<Deployment, rollout::InvalidIntOrPercent> {
    let strategy = Strategy::RollingUpdate {
        max_surge: setting(max_surge)?,
        max_unavailable: setting(max_unavailable)?,
    };
    Ok(Deployment {
        replicas,
        strategy,
        progress_deadline_s: None,
    })
}

/// A set with this many wanted and available pods; sets are created in order of template.
fn set(template: u32, replicas: u32, available: u32) -> ReplicaSet {
    ReplicaSet {
        replicas,
        observed: Observed {
            replicas,
            ready: available,
            available,
            terminating: 0,
        },
        ..ReplicaSet::new(template, u64::from(template), u64::from(template))
    }
}

fn rollout_answer(case: &Case<'_>) -> Option<Value> {
    let input = case.input;
    let rolling = |replicas| deployment(replicas, &input["max_surge"], &input["max_unavailable"]);
    if case.takes(&["desired"]) && !case.takes(&["updated"]) {
        let Ok(deployment) = rolling(case.count("desired")) else {
            return Some(json!({"error": true}));
        };
        let Strategy::RollingUpdate {
            max_surge,
            max_unavailable,
        } = deployment.strategy
        else {
            return None;
        };
        let posts = rollout::resolve_fenceposts(max_surge, max_unavailable, deployment.replicas);
        return Some(json!({
            "error": false,
            "surge": posts.surge,
            "unavailable": posts.unavailable,
            "max_total_pods": deployment.max_total(),
            "min_available": deployment.min_available(),
        }));
    }
    if case.takes(&["all_rs_total", "new_rs_replicas"]) {
        let mut deployment = rolling(case.count("deployment_replicas")).ok()?;
        if input["strategy"] == "Recreate" {
            deployment.strategy = Strategy::Recreate;
        }
        let (all, new) = (case.count("all_rs_total"), case.count("new_rs_replicas"));
        let size = rollout::new_replica_set_size(&deployment, all, new);
        return Some(json!({"new_rs_replicas": size}));
    }
    if case.takes(&["max_cleanup", "ready"]) {
        let replicas = case.count("old_replicas");
        let deployment = deployment(10, &json!(2), &json!(2)).ok()?;
        let mut old = [set(1, replicas, case.count("ready"))];
        let cleaned = rollout::cleanup_unhealthy(&deployment, &mut old, case.count("max_cleanup"));
        assert_eq!(old[0].replicas, replicas - cleaned);
        return Some(json!({"cleaned": cleaned}));
    }
    if case.takes(&["deployment_replicas", "old_replicas", "ready"]) {
        let deployment = rolling(case.count("deployment_replicas")).ok()?;
        let mut old = [set(1, case.count("old_replicas"), case.count("ready"))];
        let taken = rollout::scale_down_old(&deployment, None, &mut old);
        return Some(json!({"scaled": taken > 0, "old_replicas": old[0].replicas}));
    }
    if case.takes(&["deployment_replicas", "old_replicas", "new_replicas"]) {
        let deployment = rolling(case.count("deployment_replicas")).ok()?;
        let ready = |field| {
            case.int(field)
                .map_or(0, |ready| u32::try_from(ready).unwrap())
        };
        let mut old = [set(1, case.count("old_replicas"), ready("ready_old"))];
        let mut new = set(2, case.count("new_replicas"), ready("ready_new"));
        let scaled = if case.takes(&["ready_old"]) {
            rollout::reconcile_old(&deployment, &new, &mut old)
        } else {
            rollout::reconcile_new(&deployment, &mut new, &old)
        };
        return Some(json!({
            "scaled": scaled,
            "new_replicas": new.replicas,
            "old_replicas": old[0].replicas,
        }));
    }
    if case.takes(&["replicas_now", "old_rs_newest_first"]) {
        return Some(proportional(case));
    }
    if case.takes(&["current", "updated", "available"]) {
        let status = status(input);
        return Some(json!({"complete": status.complete(case.count("desired"))}));
    }
    if case.takes(&["before", "after"]) {
        let (before, after) = (status(&input["before"]), status(&input["after"]));
        return Some(json!({"progressing": after.progressed_since(&before)}));
    }
    if case.takes(&["deadline_s", "elapsed_s"]) {
        let deadline_s = case.int("deadline_s").map(|s| u32::try_from(s).unwrap());
        let idle_us = case.need("elapsed_s") * rollout::SECOND_US;
        return Some(json!({"timed_out": rollout::deadline_missed(deadline_s, idle_us)}));
    }
    if case.expects(&["max_unavailable"]) {
        let replicas = case
            .int("replicas")
            .map_or(1, |replicas| u32::try_from(replicas).unwrap());
        let mut deployment = rolling(replicas).ok()?;
        if input["strategy"] == "Recreate" {
            deployment.strategy = Strategy::Recreate;
        }
        return Some(json!({"max_unavailable": deployment.max_unavailable()}));
    }
    None
}

fn status(value: &Value) -> DeploymentStatus {
    DeploymentStatus {
        replicas: small(&value["current"]),
        updated: small(&value["updated"]),
        ready: value.get("ready").map_or(0, small),
        available: small(&value["available"]),
    }
}

fn proportional(case: &Case<'_>) -> Value {
    let input = case.input;
    let surge_now = &input["max_surge_now"];
    let surge_before = input.get("max_surge_before").unwrap_or(surge_now);
    let now = deployment(
        case.count("replicas_now"),
        surge_now,
        &input["max_unavailable"],
    )
    .expect("a valid surge");
    let before = deployment(case.count("replicas_before"), surge_before, &Value::Null)
        .expect("a valid surge");
    let sized = |template, replicas: &Value, available| ReplicaSet {
        desired_replicas: Some(before.replicas),
        max_replicas: Some(before.max_total()),
        ..set(template, small(replicas), available)
    };
    let sizes = input["old_rs_newest_first"].as_array().expect("a list");
    let mut old: Vec<ReplicaSet> = (0..)
        .zip(sizes.iter().rev())
        .map(|(i, size)| sized(i, size, 0))
        .collect();
    let available = input.get("new_available").map_or(0, small);
    let newest = u32::try_from(sizes.len()).unwrap();
    let mut new = input
        .get("new_rs")
        .filter(|size| !size.is_null())
        .map(|size| sized(newest, size, available));
    rollout::rescale(&now, new.as_mut(), &mut old);
    let old: Vec<u32> = old.iter().rev().map(|set| set.replicas).collect();
    json!({"new_rs": new.map(|set| set.replicas), "old_rs_newest_first": old})
}

fn healing_answer(case: &Case<'_>) -> Option<Value> {
    let time_us = |field: &str| case.need(field) * SECOND_US;
    if case.takes(&["first_s", "factor", "cap_s", "crashes"]) {
        let factor = case.count("factor");
        let backoff = RestartBackoff::new(time_us("first_s"), factor, time_us("cap_s"), None);
        let delays = delays_s(backoff, case.need("crashes"));
        if (case.need("first_s"), factor, case.need("cap_s")) == (10, 2, 300) {
            assert_eq!(
                delays,
                delays_s(RestartBackoff::container(), case.need("crashes"))
            );
        }
        return Some(json!({"delays_s": delays}));
    }
    if case.input["kind"] == "Job" {
        return Some(json!({"delays_s": delays_s(RestartBackoff::job(), case.need("failures"))}));
    }
    if case.takes(&["ran_ok_s"]) {
        let mut backoff = RestartBackoff::container();
        for _ in 0..8 {
            backoff.failed(0);
        }
        return Some(json!({"next_delay_s": backoff.failed(time_us("ran_ok_s")) / SECOND_US}));
    }
    if case.takes(&["period_s", "failure_threshold", "container_hangs_at_s"]) {
        let settings = ProbeSettings {
            initial_delay_us: time_us("initial_delay_s"),
            period_us: time_us("period_s"),
            timeout_us: time_us("timeout_s"),
            failure_threshold: case.count("failure_threshold"),
            ..ProbeSettings::default()
        };
        let (least_us, most_us) = settings.detection_us();
        // The bounds must hold, and be reached to within a step, wherever the hang falls in a period.
        let step_us = SECOND_US / 10;
        let mut seen = (u64::MAX, 0);
        for phase in 0..settings.period_us / step_us {
            for fails_after_us in [0, settings.timeout_us] {
                let hang_us = time_us("container_hangs_at_s") + phase * step_us;
                let detected_us = detected_at_us(settings, hang_us, fails_after_us) - hang_us;
                seen = (seen.0.min(detected_us), seen.1.max(detected_us));
            }
        }
        assert!(least_us <= seen.0 && seen.1 <= most_us, "{seen:?}");
        assert!(
            seen.0 - least_us <= step_us && most_us - seen.1 <= step_us,
            "{seen:?}"
        );
        let bounds_s = [least_us / SECOND_US, most_us / SECOND_US];
        return Some(json!({"restart_within_s_of_hang": bounds_s}));
    }
    if case.takes(&["desired", "running"]) {
        let running = (0..case.count("running")).map(|id| Pod {
            id,
            created_at_us: 0,
            node: Some(0),
            phase: Phase::Ready { since_us: 0 },
            restarts: 0,
        });
        let plan = self_healing::reconcile(case.count("desired"), &running.collect::<Vec<_>>());
        return Some(json!({"create": plan.create, "delete": plan.delete.len()}));
    }
    if case.name == "probe defaults" {
        let settings = ProbeSettings::default();
        return Some(json!({
            "period_s": settings.period_us / SECOND_US,
            "timeout_s": settings.timeout_us / SECOND_US,
            "failure_threshold": settings.failure_threshold,
            "success_threshold": settings.success_threshold,
            "initial_delay_s": settings.initial_delay_us / SECOND_US,
        }));
    }
    None
}

fn delays_s(mut backoff: RestartBackoff, failures: u64) -> Vec<u64> {
    (0..failures)
        .map(|_| backoff.failed(0) / SECOND_US)
        .collect()
}

/// When a liveness probe gives a container up that hangs at `hang_us` and answers at once until then.
fn detected_at_us(settings: ProbeSettings, hang_us: u64, fails_after_us: u64) -> u64 {
    let mut probe = Probe::new(settings, true);
    for index in 0.. {
        let sent_us = settings.sent_at_us(0, index);
        if probe.record(sent_us < hang_us) == Some(false) {
            return sent_us + fails_after_us;
        }
    }
    unreachable!("a container that hangs is given up")
}
