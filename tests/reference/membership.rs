//! Who is there and who holds what: SWIM, failure detectors, locks and their tokens.

use crate::table::{Case, run};
use algorithms::fencing::Protected;
use algorithms::lease_lock::{self, Command, Order, Outcome, Poll, Table};
use algorithms::lease_registry::Preservation;
use algorithms::phi_accrual::{self, History, PhiAccrual, Settings};
use algorithms::swim::{self, Mode, Suspicion};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

#[test]
fn gossip_swim() {
    let table = include_str!("gossip_swim.json");
    run(table, &[], &["formula", "std_error"], swim_answer);
}

#[test]
fn failure_detector_registry() {
    let table = include_str!("failure_detector_registry.json");
    let prose = &["tolerance", "self_preservation_when"];
    run(table, &[], prose, detector_answer);
}

#[test]
fn distributed_lock_fencing() {
    let table = include_str!("distributed_lock_fencing.json");
    run(table, &[], &[], lock_answer);
}

/// What the table wants, if it is as near as it says; else what came out.
fn near(wanted: &Value, is: f64, within: f64) -> Value {
    let near = wanted
        .as_f64()
        .is_some_and(|wanted| (wanted - is).abs() <= within);
    if near { wanted.clone() } else { json!(is) }
}

fn strings(value: &Value) -> Vec<&str> {
    let list = value.as_array().expect("a list");
    list.iter().map(|it| it.as_str().expect("a name")).collect()
}

fn swim_answer(case: &Case<'_>) -> Option<Value> {
    let input = case.input;
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    if case.takes(&["mult", "interval_ms"]) {
        let (mult, n, interval) = (
            case.count("mult"),
            case.count("n"),
            case.need("interval_ms"),
        );
        return Some(json!({
            "timeout_ms": swim::suspicion_ms(mult, n, interval),
            "per_mult_ms": swim::suspicion_ms(1, n, interval),
        }));
    }
    if case.takes(&["mult"]) {
        let limit = swim::retransmissions(case.count("mult"), case.count("n"));
        return Some(json!({ "limit": limit }));
    }
    if case.takes(&["interval_s"]) {
        let interval = swim::push_pull_interval(case.count("n"), case.need("interval_s"));
        return Some(json!({ "interval_s": interval }));
    }
    if case.takes(&["elapsed_ms"]) {
        let (confirmations, k) = (case.count("confirmations"), case.count("k"));
        let [elapsed, min, max] = ["elapsed_ms", "min_ms", "max_ms"].map(|field| case.need(field));
        let left = swim::suspicion_left_ms(confirmations, k, elapsed, min, max);
        return Some(json!({ "remaining_ms": left }));
    }
    if case.takes(&["from", "confirmations"]) {
        // Members are told apart by number.
        let names = ["me", "foo", "bar", "baz", "zoo"];
        let number = |name: &str| {
            names
                .iter()
                .position(|known| *known == name)
                .map(|at| at as u32)
        };
        let (min, max) = (case.need("min_ms"), case.need("max_ms"));
        let from = number(input["from"].as_str()?)?;
        let mut suspicion = Suspicion::new(from, case.count("k"), min, max);
        for name in strings(&input["confirmations"]) {
            suspicion.confirm(number(name)?);
        }
        // Where the case comes from, a timer may be so far off.
        let (wanted, fudge) = (&case.expected["fires_at_ms"], 25.0);
        return Some(json!({
            "fires_at_ms": near(wanted, suspicion.ends_ms() as f64, fudge),
            "counted": suspicion.confirmations(),
        }));
    }
    if case.takes(&["nodes", "exclude"]) {
        let own = input["exclude"].as_str()?;
        let names: Vec<String> = (0..case.need("nodes"))
            .map(|i| format!("test{i}"))
            .collect();
        let alive: Vec<&str> = match input.get("alive") {
            Some(alive) => strings(alive),
            None => names.iter().step_by(3).map(String::as_str).collect(),
        };
        let eligible: Vec<&str> = alive.iter().copied().filter(|name| *name != own).collect();
        let mut chosen = swim::peers(&eligible, case.count("k") as usize, &mut rng);
        chosen.sort_unstable();
        let all_alive = chosen
            .iter()
            .all(|name| alive.contains(name) && *name != own);
        return Some(json!({ "size": chosen.len(), "all_alive": all_alive, "set": chosen }));
    }
    if case.takes(&["protocol_period_s"]) {
        return Some(json!({ "periods": swim::periods_until_asked(None) }));
    }
    if case.takes(&["live_probers"]) {
        return Some(json!({ "periods": swim::periods_until_asked(Some(case.count("n"))) }));
    }
    if case.takes(&["fanout", "mode"]) {
        let (n, fanout) = (case.count("n"), case.count("fanout"));
        let mode = match input["mode"].as_str()? {
            "push" => Mode::Push,
            _ => Mode::PushPull,
        };
        let runs = 400;
        let all: Vec<f64> = (0..runs)
            .map(|_| f64::from(swim::rounds(n, fanout, mode, &mut rng)))
            .collect();
        let mean = all.iter().sum::<f64>() / f64::from(runs);
        let variance =
            all.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>() / f64::from(runs);
        // Both means are measured: theirs and ours err.
        let theirs = case.expected["std_error"].as_f64()?;
        let error = (variance / f64::from(runs) + theirs * theirs).sqrt();
        let about = match case.expected["asymptotic"].is_null() {
            true => Value::Null,
            false => json!(swim::rounds_about(n)),
        };
        return Some(json!({
            "mean_rounds": near(&case.expected["mean_rounds"], mean, 4.0 * error),
            "asymptotic": about,
        }));
    }
    None
}

fn detector_answer(case: &Case<'_>) -> Option<Value> {
    let input = case.input;
    if case.takes(&["elapsed", "mean", "stddev"]) {
        let [elapsed, mean, deviation] = ["elapsed", "mean", "stddev"].map(|it| case.number(it));
        let phi = phi_accrual::phi(elapsed, mean, deviation);
        let within = case.expected["tolerance"].as_f64()?;
        let not_late = 1.0 - 10_f64.powf(-phi);
        let wanted = |field: &str| case.expected.get(field).cloned().unwrap_or_default();
        return Some(json!({
            "phi": near(&wanted("phi"), phi, within),
            "one_minus_10_pow_minus_phi": near(&wanted("one_minus_10_pow_minus_phi"), not_late, within),
        }));
    }
    if case.takes(&["heartbeats_at", "check_at"]) {
        let mut settings = Settings::default();
        if let Some(threshold) = input["threshold"].as_f64() {
            settings.threshold = threshold;
        }
        if let Some(deviation) = input["min_stddev"].as_f64() {
            settings.deviation_min = deviation;
        }
        if let Some(pause) = input["acceptable_pause"].as_f64() {
            settings.pause = pause;
        }
        let times = |field: &str| -> Vec<u64> {
            let list = input[field].as_array().into_iter().flatten();
            list.map(|it| it.as_u64().expect("a time")).collect()
        };
        let mut detector = PhiAccrual::new(settings);
        for at in times("heartbeats_at") {
            detector.hear(at);
        }
        let checks = times("check_at");
        let mut available: Vec<bool> = checks.iter().map(|at| detector.is_available(*at)).collect();
        if let (Some(beat), Some(check)) = (case.int("then_heartbeat"), case.int("check2_at")) {
            detector.hear(beat);
            available.push(detector.is_available(check));
        }
        return Some(json!({ "available": available }));
    }
    if case.takes(&["samples"]) {
        let most = case.int("max_samples").unwrap_or(100);
        let mut history = History::new(most as usize);
        for sample in input["samples"].as_array()? {
            history.push(sample.as_f64()?);
        }
        return Some(json!({
            "mean": near(&case.expected["mean"], history.mean(), 1e-6),
            "variance": near(&case.expected["variance"], history.variance(), 1e-6),
        }));
    }
    if case.takes(&["renewal_interval_s"]) {
        let (instances, interval) = (case.count("instances"), case.count("renewal_interval_s"));
        let rule = Preservation {
            renew_us: u64::from(interval) * 1_000_000,
            window_us: 60_000_000,
            share: case.number("percent"),
        };
        return Some(json!({
            "renews_per_min_expected": rule.expected(instances as usize),
            "threshold": rule.threshold(instances as usize),
        }));
    }
    None
}

/// Follows an order at a store that counts its own tokens.
fn lock_does(table: &mut Table, value: u64, order: Order, now: u64) -> Option<u64> {
    let command = Command {
        place: 0,
        value,
        order,
    };
    table.apply(command, table.given + 1, now)
}

fn lock_answer(case: &Case<'_>) -> Option<Value> {
    let input = case.input;
    let acquire = |ttl: u64| Order::Acquire { ttl, delay: 0 };
    let mut lock = Table::of(&[1]);
    if case.takes(&["events"]) {
        // As the case tells it, with a lease of a second.
        let mut store = Protected::open();
        let first = lock_does(&mut lock, 1, acquire(1_000), 0)?;
        let second = lock_does(&mut lock, 2, acquire(1_000), 2_000)?;
        assert!(store.write(second, "B"));
        let late = store.write(first, "A");
        let held = lock.held(0, 2_500)?;
        return Some(json!({
            "final": store.value,
            "mutual_exclusion_violated": late && held.value == 2,
        }));
    }
    if case.takes(&["N", "locked"]) {
        let (stores, locked) = (case.count("N"), case.count("locked"));
        let (elapsed, ttl) = (case.need("elapsed_ms"), case.need("ttl_ms"));
        let acquired = lease_lock::redlock(stores, locked, elapsed, ttl).is_some();
        // The client that the lesson runs says the same, answer by answer.
        let mut poll = Poll::of(stores, lease_lock::majority(stores), 0, ttl);
        let mut held = false;
        for store in 0..stores {
            let given = (store < locked).then_some(0);
            let outcome = poll.answer(store, given, elapsed);
            held |= matches!(outcome, Outcome::Held { .. });
        }
        assert_eq!(held, acquired, "{}", case.name);
        return Some(json!({ "acquired": acquired, "unlock_all": !acquired }));
    }
    if case.takes(&["N"]) {
        return Some(json!({ "majority": lease_lock::majority(case.count("N")) }));
    }
    if case.takes(&["set_by", "release_by"]) {
        // A value is its client's own, so it says who asks as well.
        let value = |field: &str| input[field].as_str().map(|text| u64::from(text == "b1"));
        lock_does(&mut lock, value("key_value")?, acquire(30_000), 0)?;
        let deleted = lock_does(&mut lock, value("value")?, Order::Release, 10).is_some();
        return Some(json!({ "deleted": deleted }));
    }
    if case.takes(&["ops"]) {
        let mut acquired = Vec::new();
        for op in input["ops"].as_array()? {
            let value = u64::from(op["client"] == "B");
            let (now, ttl) = (op["t"].as_u64()?, op["ttl"].as_u64()?);
            acquired.push(lock_does(&mut lock, value, acquire(ttl), now).is_some());
        }
        return Some(json!({ "acquired": acquired }));
    }
    None
}

/// The table has no case with fencing; Kleppmann's own figure is one: 33 waits, 34 writes, 33 is refused.
#[test]
fn a_late_write_is_refused_by_its_token() {
    let (mut lock, mut store) = (Table::of(&[1]), Protected::fenced());
    lock.given = 32;
    let order = Order::Acquire {
        ttl: 1_000,
        delay: 0,
    };
    let first = lock_does(&mut lock, 1, order, 0).expect("free");
    let second = lock_does(&mut lock, 2, order, 2_000).expect("ended");
    assert_eq!((first, second), (33, 34));
    assert!(store.write(second, "B") && !store.write(first, "A"));
    assert_eq!(store.value, Some("B"));
}
