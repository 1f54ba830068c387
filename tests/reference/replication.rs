//! Read replicas: waits for acknowledgements, what reads see, and what a failover loses.

use crate::table::{Case, run};
use algorithms::replication::{self, CommitRule, Log, Replica, Session, shown_write, steady_lag};
use algorithms::scaling;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

#[test]
fn replication_lag() {
    run(include_str!("replication_lag.json"), &[], &[], answer);
}

fn numbers(value: &Value) -> Vec<u64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|n| n.as_u64().expect("a count")).collect()
}

fn answer(case: &Case<'_>) -> Option<Value> {
    if case.takes(&["replicas", "acks"]) {
        let (replicas, acks) = (case.count("replicas"), case.count("acks"));
        let mean = replication::commit_mean(acks, replicas, 1.0)?;
        played(replicas, acks, mean);
        return Some(json!({
            "mean": mean,
            "fastest": scaling::order_mean(1, replicas),
            "slowest": scaling::order_mean(replicas, replicas),
        }));
    }
    if case.takes(&["writes", "replica_lag_ms"]) {
        let writes = case.input["writes"].as_array()?;
        let times: Vec<u64> = writes
            .iter()
            .map(|write| write["t"].as_u64().expect("t"))
            .collect();
        let reads = numbers(&case.input["reads_on_replica_at"]);
        let lag = case.need("replica_lag_ms");
        let shown = |&now: &u64| shown_write(&times, lag, now);
        let value = |now: &u64| shown(now).map(|i| writes[i]["v"].clone());
        let stale = |now: &u64| shown(now) != shown_write(&times, 0, *now);
        return Some(json!({
            "values": reads.iter().map(value).collect::<Vec<_>>(),
            "stale": reads.iter().map(stale).collect::<Vec<_>>(),
        }));
    }
    if case.takes(&["lag_ms", "reads"]) {
        let write = &case.input["write"];
        let (mut session, mut violation) = (Session::default(), false);
        let reads = case.input["reads"].as_array()?.iter().map(|read| {
            let replica = read["replica"].as_str().expect("a name");
            let lag = case.input["lag_ms"][replica].as_u64().expect("a lag");
            let now = read["t"].as_u64().expect("a time");
            let seen = shown_write(&[write["t"].as_u64().expect("a time")], lag, now);
            let position = seen.map_or(0, |i| i as u64 + 1);
            violation |= session.goes_back(position);
            session.saw(position);
            seen.map(|_| write["v"].clone())
        });
        let values: Vec<_> = reads.collect();
        return Some(json!({"values": values, "violation": violation}));
    }
    if case.takes(&["primary_lsn", "replica_lsn"]) {
        let received = numbers(&case.input["replica_lsn"]);
        let primary = case.need("primary_lsn");
        let promoted = received[replication::promote(&received)?];
        return Some(json!({
            "new_primary_lsn": promoted,
            "lost_entries": replication::lost(primary, promoted),
        }));
    }
    if case.takes(&["acked_by_some_replica"]) {
        let acked = case.need("acked_by_some_replica");
        let mut replicas = [Replica::default(), Replica::default()];
        for position in 1..=acked {
            assert!(replicas[1].receive(position));
        }
        let answered = CommitRule::Received(1).answered(&replicas)?;
        let received = replicas.map(|replica| replica.received());
        let promoted = received[replication::promote(&received)?];
        assert_eq!(answered, case.need("primary_lsn"));
        return Some(json!({
            "lost_after_failover_to_that_replica": replication::lost(answered, promoted),
        }));
    }
    if case.takes(&["write_rate", "apply_rate", "duration_s"]) {
        let (write, apply) = (case.number("write_rate"), case.number("apply_rate"));
        let lag = steady_lag(write, apply, case.number("duration_s"))?;
        counted(case, lag.entries, lag.age);
        return Some(json!({
            "lag_entries_at_end": lag.entries,
            "catch_up_seconds_at_end": lag.catch_up,
            "age_seconds_at_end": lag.age,
            // The name that the table gave to the time to catch up.
            "lag_seconds_at_end": lag.catch_up,
        }));
    }
    None
}

/// Commits that wait for real exponential acknowledgements take the computed time on average.
fn played(replicas: u32, acks: u32, mean: f64) {
    let mut rng = Pcg64Mcg::seed_from_u64(3);
    let rounds = 20_000;
    let mut total = 0.0;
    for _ in 0..rounds {
        let mut times: Vec<f64> = (0..replicas)
            .map(|_| -libm::log(1.0 - rng.random::<f64>()))
            .collect();
        times.sort_by(f64::total_cmp);
        total += times[acks as usize - 1];
    }
    // The variance of an order statistic of exponentials is below that of the largest, π² ÷ 6.
    let tolerance = 4.0 * (1.65 / f64::from(rounds)).sqrt();
    let seen = total / f64::from(rounds);
    assert!((seen - mean).abs() < tolerance, "{seen} is not {mean}");
}

/// Writes and replays one by one at even intervals leave the computed lag, within a record.
fn counted(case: &Case<'_>, entries: f64, age_s: f64) {
    const US_PER_S: u64 = 1_000_000;
    let (write, apply) = (case.need("write_rate"), case.need("apply_rate"));
    let end_us = case.need("duration_s") * US_PER_S;
    let (mut log, mut replica) = (Log::default(), Replica::default());
    let mut free_us = 0;
    for i in 0..end_us * write / US_PER_S {
        let now_us = i * US_PER_S / write;
        let position = log.append(now_us);
        assert!(replica.receive(position));
        free_us = now_us.max(free_us) + US_PER_S / apply;
        if free_us <= end_us {
            assert!(replica.replay(position));
        }
    }
    let behind = (log.head() - replica.shown()) as f64;
    assert!(
        (behind - entries).abs() <= 1.0,
        "{behind} behind, not {entries}"
    );
    let age_seen_s = log.age(end_us, replica.shown()) as f64 / US_PER_S as f64;
    assert!(
        (age_seen_s - age_s).abs() <= 2.0 / write as f64,
        "{age_seen_s} s old"
    );
}
