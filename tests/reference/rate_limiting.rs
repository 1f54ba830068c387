//! Rate limiters against the tests of Go, Bucket4j, nginx, Guava, throttled, resilience4j, and two RFCs.

use crate::table::{Case, run};
use algorithms::color_marker::{Color, SingleRateMarker, TwoRateMarker};
use algorithms::fixed_window::FixedWindow;
use algorithms::gcra::{Checked, Gcra};
use algorithms::limit_req::{LimitReq, Outcome, Zone};
use algorithms::limiter::{Limiter, Rate, Verdict};
use algorithms::reservation_bucket::ReservationBucket;
use algorithms::sliding_log::SlidingLog;
use algorithms::sliding_window_counter::{self, SlidingWindowCounter};
use algorithms::smooth_limiter::{Shape, SmoothLimiter};
use algorithms::token_bucket::{Bandwidth, Refill, TokenBucket};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NS_PER_S: u64 = 1_000_000_000;
const NS_PER_MS: u64 = 1_000_000;
const US_PER_S: f64 = 1e6;

fn whole(value: &Value, field: &str) -> u64 {
    value[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} of {value}"))
}

fn list<'a>(value: &'a Value, field: &str) -> Option<&'a Vec<Value>> {
    value.get(field).and_then(Value::as_array)
}

/// Seconds or milliseconds of one entry of a script, in nanoseconds.
fn at_ns(step: &Value) -> u64 {
    if let Some(ns) = step.get("t_ns").and_then(Value::as_u64) {
        return ns;
    }
    if let Some(ms) = step.get("t_ms").and_then(Value::as_f64) {
        return (ms * NS_PER_MS as f64).round() as u64;
    }
    let seconds = step.get("t_s").or_else(|| step.get("t"));
    (seconds.and_then(Value::as_f64).expect("a time") * NS_PER_S as f64).round() as u64
}

/// The most arrivals that a window `(t − length, t]` holds.
fn most_in(times: &[u64], length: u64) -> usize {
    let held = |&end: &u64| {
        let inside = |&&at: &&u64| at <= end && end - at < length;
        times.iter().filter(inside).count()
    };
    times.iter().map(held).max().unwrap_or(0)
}

/// The times of `{t_ms, count}` or of bare milliseconds.
fn arrivals_ms(list: &[Value]) -> Vec<u64> {
    let times = list.iter().flat_map(|entry| match entry.as_u64() {
        Some(at) => vec![at],
        None => vec![whole(entry, "t_ms"); whole(entry, "count") as usize],
    });
    times.collect()
}

#[test]
fn fixed_window() {
    run(include_str!("rate_fixed_window.json"), &[], &[], |case| {
        if case.takes(&["window_ms", "arrivals"]) {
            let (limit, window) = (case.need("limit"), case.need("window_ms"));
            let mut limiter = FixedWindow::new(Rate::new(limit, window));
            let mut times = arrivals_ms(list(case.input, "arrivals")?);
            times.retain(|&now| limiter.ask(now, 1).passes());
            let most = most_in(&times, window);
            return Some(json!({
                "allowed": times.len(),
                "max_in_any_60s": most,
                "ratio_to_limit": most as f64 / limit as f64,
            }));
        }
        let limit = case.need("limit_per_cycle");
        let mut limiter = FixedWindow::new(Rate::new(limit, case.need("cycle_ns")));
        let mut patience_ns = case.int("timeout_ns").unwrap_or(0);
        let state = |limiter: &FixedWindow, now| {
            (
                limiter.available(now),
                limiter.wait(now, 1).expect("a limit above 0"),
            )
        };
        if let Some(steps) = case.expected.get("steps").and_then(Value::as_array) {
            let answers = steps.iter().map(|step| {
                let now = at_ns(step);
                if let Some(limit) = step.get("set_limit").and_then(Value::as_u64) {
                    limiter.set_limit(limit);
                }
                if let Some(ns) = step.get("set_timeout_ns").and_then(Value::as_u64) {
                    patience_ns = ns;
                }
                if step.get("drain").is_some() {
                    limiter.drain(now);
                }
                let permits = step.get("permits").and_then(Value::as_u64).unwrap_or(1);
                let verdict = (step.get("ok").is_some() || step.get("reserve_ns").is_some())
                    .then(|| limiter.acquire(now, permits, patience_ns));
                let (available, ns_to_wait) = state(&limiter, now);
                let mut answer = step.clone();
                for (field, value) in [
                    ("ok", json!(verdict.is_some_and(Verdict::passes))),
                    (
                        "reserve_ns",
                        match verdict {
                            Some(Verdict::Allowed) => json!(0),
                            Some(Verdict::Delayed(ns)) => json!(ns),
                            _ => json!(-1),
                        },
                    ),
                    ("available", json!(available)),
                    ("ns_to_wait", json!(ns_to_wait)),
                ] {
                    if answer.get(field).is_some() {
                        answer[field] = value;
                    }
                }
                answer
            });
            return Some(json!({"steps": answers.collect::<Vec<_>>()}));
        }
        let (available, ns_to_wait) = state(&limiter, case.need("t_ns"));
        Some(json!({"available": available, "ns_to_wait": ns_to_wait}))
    });
}

#[test]
fn sliding_log() {
    const NOT_APPLICABLE: &[(&str, &str)] = &[(
        "invariant",
        "a property of every sequence; any_limiter's own tests hold it against random ones",
    )];
    run(
        include_str!("rate_sliding_log.json"),
        NOT_APPLICABLE,
        &[],
        |case| {
            let log_rejected = case.input.get("log_rejected").and_then(Value::as_bool);
            let rate = Rate::new(case.need("limit"), case.need("window_ms"));
            let mut log = SlidingLog::new(rate, log_rejected.unwrap_or(false));
            let times = arrivals_ms(list(case.input, "arrivals_ms")?);
            let allowed: Vec<bool> = times.iter().map(|&now| log.ask(now, 1).passes()).collect();
            let total = allowed.iter().filter(|&&passed| passed).count();
            Some(match case.expected.get("allowed")? {
                Value::Array(_) => json!({"allowed": allowed, "total": total}),
                Value::Object(_) => json!({"allowed": {"total": total}}),
                _ => json!({"allowed": total}),
            })
        },
    );
}

#[test]
fn sliding_window_counter() {
    const NOT_APPLICABLE: &[(&str, &str)] = &[(
        "Cloudflare production accuracy",
        "measured on Cloudflare's traffic of 2017, which nobody else has",
    )];
    let table = include_str!("rate_sliding_window_counter.json");
    run(table, NOT_APPLICABLE, &[], |case| {
        if case.takes(&["previous_window_count", "current_window_count"]) {
            let number = |field| case.number(field);
            let (previous, current) = (
                number("previous_window_count"),
                number("current_window_count"),
            );
            let (elapsed, window) = (number("elapsed"), number("window"));
            let estimate = sliding_window_counter::estimate(previous, current, elapsed, window);
            let Some(limit) = case.int("limit") else {
                return Some(json!({"estimate": estimate}));
            };
            // The counts are reached by asking, under a limit that leaves room for them.
            let window = case.need("window");
            let roomy = Rate::new(u64::MAX, window);
            let mut counter = SlidingWindowCounter::new(roomy);
            assert!(counter.ask(0, case.need("previous_window_count")).passes());
            let now = window + case.need("elapsed");
            assert!(counter.ask(now, case.need("current_window_count")).passes());
            let seen = counter.estimate(now);
            counter.set_rate(now, Rate::new(limit, window));
            let allowed = counter.ask(now, case.int("n").unwrap_or(1)).passes();
            return Some(json!({"estimate": seen, "allowed": allowed}));
        }
        let script = list(case.input, "script").or_else(|| list(case.input, "steps"))?;
        let window_ns = (case.number("window_s") * NS_PER_S as f64) as u64;
        let mut counter = SlidingWindowCounter::new(Rate::new(case.need("limit"), window_ns));
        let mut answer = json!({});
        let mut allowed = Vec::new();
        for step in script {
            let now = at_ns(step);
            let cost = step.get("n").and_then(Value::as_u64).unwrap_or(1);
            let requests = step.get("requests").and_then(Value::as_u64).unwrap_or(1);
            let passed: Vec<bool> = (0..requests)
                .map(|_| counter.ask(now, cost).passes())
                .collect();
            if let Some(seconds) = step.get("t_s") {
                let passed = passed.iter().filter(|&&passed| passed).count();
                answer[format!("allowed_at_t{seconds}")] = json!(passed);
            }
            allowed.extend(passed);
        }
        answer["allowed"] = json!(allowed);
        Some(answer)
    });
}

#[test]
fn token_bucket_go() {
    run(
        include_str!("rate_token_bucket_go.json"),
        &[],
        &[],
        |case| {
            let (rate, burst) = (case.number("rate_per_s"), case.need("burst"));
            let mut bucket = ReservationBucket::new(rate, burst);
            if case.takes(&["offer_every_ms", "duration_s"]) {
                let end_ns = case.need("duration_s") * NS_PER_S;
                let step_ns = (case.number("offer_every_ms") * NS_PER_MS as f64) as u64;
                let offers = (0..end_ns).step_by(step_ns as usize);
                let passed = offers.filter(|&now| bucket.allow(now, 1)).count() as u64;
                let bound = |field: &str| case.expected[field].as_u64().expect("a count");
                assert!((bound("allowed_min")..=bound("allowed_max")).contains(&passed));
                let ideal = burst as f64 + rate * case.number("duration_s");
                return Some(json!({
                    "ideal": ideal,
                    "allowed_min": bound("allowed_min"),
                    "allowed_max": bound("allowed_max"),
                }));
            }
            if let Some(requests) = case.int("requests") {
                let allowed: Vec<bool> = (0..requests).map(|_| bucket.allow(0, 1)).collect();
                return Some(json!({"allowed": allowed}));
            }
            let patience_ns = case.int("max_reserve_ms").map(|ms| ms * NS_PER_MS);
            let mut promises = BTreeMap::new();
            let mut answer = json!({});
            for (field, steps) in case.expected {
                let steps = steps.as_array()?.iter().map(|step| {
                    let now = at_ns(step);
                    let tokens = step.get("n").and_then(Value::as_u64).unwrap_or(1);
                    let mut out = step.clone();
                    if out.get("tokens_before").is_some() {
                        out["tokens_before"] = json!(bucket.tokens(now));
                    }
                    match step.get("op").and_then(Value::as_str) {
                        Some("cancel") => {
                            let id = step["id"].as_str().expect("the name of a promise");
                            if let Some(&promise) = promises.get(id) {
                                bucket.cancel(now, promise);
                            }
                        }
                        Some("set_limit" | "set_rate") => {
                            let rate = step["rate_per_s"].as_f64().expect("a rate");
                            bucket.set_rate(now, rate);
                        }
                        Some("set_burst") => bucket.set_burst(now, whole(step, "burst")),
                        None | Some("allow") if step.get("allowed").is_some() => {
                            out["allowed"] = json!(bucket.allow(now, tokens));
                        }
                        _ => {
                            let promise = match patience_ns {
                                Some(ns) => bucket.reserve_within(now, tokens, ns),
                                None => bucket.reserve(now, tokens),
                            };
                            if step.get("ok").is_some() {
                                out["ok"] = json!(promise.is_some());
                            }
                            if let Some(promise) = promise {
                                // The source rounds down to a nanosecond and compares more coarsely still.
                                let act_us = (promise.act_ns() + 500) / 1_000;
                                out["act_ms"] = json!(act_us as f64 / 1_000.0);
                                let id = step.get("id").and_then(Value::as_str);
                                promises.extend(id.map(|id| (id.to_owned(), promise)));
                            }
                        }
                    }
                    out
                });
                answer[field] = steps.collect();
            }
            Some(answer)
        },
    );
}

fn bandwidth(limit: &Value) -> Bandwidth {
    let capacity = whole(limit, "capacity");
    let rate = Rate::new(
        whole(limit, "refill_tokens"),
        whole(limit, "refill_period_ns"),
    );
    let initial = limit.get("initial_tokens").and_then(Value::as_u64);
    Bandwidth {
        capacity,
        rate,
        refill: match limit.get("refill").and_then(Value::as_str) {
            Some("intervally") => match limit.get("first_refill_ns").and_then(Value::as_u64) {
                Some(first) => Refill::IntervallyAligned {
                    first,
                    adaptive: limit["adaptive"] == json!(true),
                },
                None => Refill::Intervally,
            },
            _ => Refill::Greedy,
        },
        initial: initial.unwrap_or(capacity),
    }
}

#[test]
fn token_bucket_bucket4j() {
    let table = include_str!("rate_token_bucket_bucket4j.json");
    run(table, &[], &[], |case| {
        if case.takes(&["first_refill_ms"]) {
            let limit = Bandwidth {
                capacity: case.need("capacity"),
                rate: Rate::new(case.need("refill_tokens"), case.need("refill_period_ms")),
                refill: Refill::IntervallyAligned {
                    first: case.need("first_refill_ms"),
                    adaptive: true,
                },
                initial: case.int("initial_tokens").unwrap_or(case.need("capacity")),
            };
            // Asked at its making, before its first look at the clock could bring a batch.
            let now = case.need("now_ms");
            let mut bucket = TokenBucket::new(now, &[limit]);
            return Some(json!({"initial_tokens": bucket.available(now)}));
        }
        let limits: Vec<Bandwidth> = list(case.input, "limits")?.iter().map(bandwidth).collect();
        let made = case.int("created_ns").unwrap_or(0);
        let mut bucket = TokenBucket::new(made, &limits);
        let now = case.int("t_ns").unwrap_or(made);
        if let Some(tokens) = case.int("add") {
            bucket.add(now, tokens);
            return Some(json!({"available": bucket.available(now)}));
        }
        if let Some(tokens) = case.int("consume_anyway") {
            bucket.consume_anyway(now, tokens);
        }
        if let Some(tokens) = case.int("force_add") {
            bucket.force_add(now, tokens);
            return Some(json!({"available": bucket.available(now)}));
        }
        if let Some(tokens) = case.int("consume") {
            if case.expects(&["wait_ns"]) {
                return Some(json!({"wait_ns": bucket.wait(now, tokens)}));
            }
            let ok = bucket.consume(now, tokens);
            return Some(json!({"ok": ok, "available": bucket.available(now)}));
        }
        if case.expects(&["full_refill_ns"]) {
            return Some(json!({"full_refill_ns": bucket.wait_full(now)}));
        }
        let field = if case.expects(&["steps"]) {
            "steps"
        } else {
            "available"
        };
        let Some(steps) = case.expected.get(field).and_then(Value::as_array) else {
            return Some(json!({
                "available": bucket.available(now),
                "tokens": bucket.available(now),
                "rounding_error": bucket.remainder(now),
            }));
        };
        let steps = steps.iter().map(|step| {
            let now = at_ns(step);
            let mut out = step.clone();
            let tokens = |name: &str| step.get(name).and_then(Value::as_u64);
            if let Some(tokens) = tokens("consume") {
                out["ok"] = json!(bucket.consume(now, tokens));
            }
            if let Some(tokens) = tokens("add") {
                bucket.add(now, tokens);
            }
            if step.get("wait_ns").is_some() {
                let wanted = tokens("wait_for").or(tokens("consume")).unwrap_or(1);
                // Who asks to consume is told "never" of what does not fit, who only asks is not.
                let never = tokens("wait_for").is_none() && !bucket.fits(wanted);
                let wait_ns = bucket.wait(now, wanted).filter(|_| !never);
                out["wait_ns"] = json!(wait_ns.unwrap_or(i64::MAX as u64));
            }
            for name in ["tokens", "available"] {
                if step.get(name).is_some() {
                    out[name] = json!(bucket.available(now));
                }
            }
            out
        });
        let steps: Vec<Value> = steps.collect();
        Some(json!({ field: steps }))
    });
}

fn zone(zone: &Value) -> Zone {
    let burst = whole(zone, "burst");
    let made = match zone.get("rate_per_min").and_then(Value::as_u64) {
        Some(rate) => Zone::per_min(rate, burst),
        None => Zone {
            rate_milli_per_s: (zone["rate_per_s"].as_f64().expect("a rate") * 1e3).round() as u64,
            ..Zone::per_s(0, burst)
        },
    };
    match zone.get("delay").and_then(Value::as_u64) {
        Some(undelayed) => made.delay(undelayed),
        None if zone.get("nodelay").and_then(Value::as_bool) == Some(true) => made.nodelay(),
        None => made,
    }
}

#[test]
fn leaky_bucket_nginx() {
    run(
        include_str!("rate_leaky_bucket_nginx.json"),
        &[],
        &[],
        |case| {
            let zones: Vec<Zone> = match list(case.input, "zones") {
                Some(zones) => zones.iter().map(zone).collect(),
                None => vec![zone(case.input)],
            };
            let mut limits = LimitReq::new(&zones);
            let times = list(case.input, "arrivals_ms").or_else(|| list(case.input, "arrivals"))?;
            let times = arrivals_ms(times);
            let outcomes: Vec<_> = times.iter().map(|&now| limits.request(now)).collect();
            let rejected = case.int("reject_status").unwrap_or(503);
            let status = |outcome: &Outcome| match outcome {
                Outcome::Reject { .. } => rejected,
                _ => 200,
            };
            let result = |outcome: &Outcome| match outcome {
                Outcome::Pass { .. } => "200 not delayed".to_owned(),
                Outcome::Delay { .. } => "200 delayed".to_owned(),
                Outcome::Reject { .. } => rejected.to_string(),
            };
            let step = |(&t_ms, outcome): (&u64, &Outcome)| match outcome {
                Outcome::Pass { excess_milli } => {
                    json!({"t_ms": t_ms, "excess_milli": excess_milli, "result": "pass", "delay_ms": 0})
                }
                Outcome::Delay {
                    excess_milli,
                    delay_ms,
                } => json!({
                    "t_ms": t_ms, "excess_milli": excess_milli, "result": "delay", "delay_ms": delay_ms,
                }),
                Outcome::Reject { excess_milli } => {
                    json!({"t_ms": t_ms, "excess_milli": excess_milli, "result": "reject"})
                }
            };
            Some(json!({
                "status": outcomes.iter().map(status).collect::<Vec<_>>(),
                "result": outcomes.iter().map(result).collect::<Vec<_>>(),
                "steps": times.iter().zip(&outcomes).map(step).collect::<Vec<_>>(),
            }))
        },
    );
}

#[test]
fn gcra() {
    let table = include_str!("rate_gcra.json");
    let whole_table: Value = serde_json::from_str(table).expect("a JSON table");
    let config = &whole_table["config"];
    let rate = Rate::new(whole(config, "rate_per_s"), 1_000);
    let mut gcra = Gcra::new(rate, whole(config, "max_burst"));
    // One limiter is asked step by step, whatever the order of the cases.
    let mut steps: Vec<&Value> = whole_table["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .collect();
    steps.sort_by_key(|case| whole(&case["input"], "sequence_position"));
    let positions = steps
        .iter()
        .map(|case| whole(&case["input"], "sequence_position"));
    assert!(positions.eq(0..steps.len() as u64), "a step is missing");
    let answers: Vec<Checked> = steps
        .iter()
        .map(|case| {
            gcra.check(
                whole(&case["input"], "t_ms"),
                whole(&case["input"], "volume"),
            )
        })
        .collect();
    run(table, &[], &[], |case| {
        let answer = answers.get(case.need("sequence_position") as usize)?;
        assert_eq!(answer.limit, whole(config, "limit"));
        Some(json!({
            "limited": answer.limited,
            "remaining": answer.remaining,
            "reset_after_ms": answer.reset_after,
            "retry_after_ms": answer.retry_after,
        }))
    });
}

/// What a thread would see that calls a limiter and sleeps as long as it is told.
fn play(case: &Case<'_>) -> Option<Value> {
    let shape = match case.int("warmup_ms") {
        Some(warmup_ms) => Shape::WarmingUp {
            warmup_us: warmup_ms * 1_000,
            cold_factor: case
                .input
                .get("cold_factor")
                .and_then(Value::as_f64)
                .unwrap_or(3.0),
        },
        None => Shape::BURSTY,
    };
    let rate = |value: &Value| value.as_f64().unwrap_or(f64::INFINITY);
    let mut now_us = 0;
    let mut limiter = SmoothLimiter::new(now_us, rate(&case.input["rate_per_s"]), shape);
    let (mut events, mut waits, mut results) = (Vec::new(), Vec::new(), Vec::new());
    let seconds = |us: u64| us as f64 / US_PER_S;
    for step in list(case.input, "script")? {
        if let Some(permits) = step.get("acquire").and_then(Value::as_u64) {
            let wait_us = limiter.acquire(now_us, permits);
            now_us += wait_us;
            waits.push(seconds(wait_us));
            events.push(("wait", seconds(wait_us)));
        } else if let Some(permits) = step.get("try").and_then(Value::as_u64) {
            let patience_ms = step.get("timeout_ms").and_then(Value::as_i64).unwrap_or(0);
            let patience_us = u64::try_from(patience_ms).unwrap_or(0) * 1_000;
            let granted = limiter.try_acquire(now_us, permits, patience_us);
            results.push(granted.is_some());
            if let Some(wait_us) = granted {
                now_us += wait_us;
                events.push(("wait", seconds(wait_us)));
            }
        } else if let Some(ms) = step.get("idle_ms").and_then(Value::as_u64) {
            now_us += ms * 1_000;
            events.push(("idle", seconds(ms * 1_000)));
        } else if let Some(new) = step.get("set_rate") {
            limiter.set_rate(now_us, rate(new));
        } else {
            return None;
        }
    }
    let rounded_to = case.expected.get("rounded_to").and_then(Value::as_f64);
    // The source prints its waits; half a digit goes up.
    let shown = |s: f64| rounded_to.map_or(s, |unit| (s / unit + 1e-9).round() * unit);
    let event = |&(kind, s): &(&str, f64)| json!({"kind": kind, "s": shown(s)});
    Some(json!({
        "events": events.iter().map(event).collect::<Vec<_>>(),
        "waits_s": waits.iter().map(|&s| shown(s)).collect::<Vec<_>>(),
        "results": results,
        "rounded_to": rounded_to,
    }))
}

#[test]
fn smooth_limiter_guava() {
    run(include_str!("rate_limiter_guava.json"), &[], &[], play);
}

fn color(name: Option<&str>) -> Color {
    match name {
        Some("red") => Color::Red,
        Some("yellow") => Color::Yellow,
        _ => Color::Green,
    }
}

#[test]
fn color_markers() {
    let table = include_str!("rate_markers_rfc2697_2698.json");
    run(table, &[], &[], |case| {
        let field = |names: [&str; 2]| names.into_iter().find_map(|name| case.int(name));
        let committed = field(["CIR", "CIR_bytes_per_s"])?;
        let mut single = case
            .int("EBS")
            .map(|excess| SingleRateMarker::new(committed, case.need("CBS"), excess));
        let mut two = field(["PIR", "PIR_bytes_per_s"])
            .map(|peak| TwoRateMarker::new(committed, case.need("CBS"), peak, case.need("PBS")));
        let packets = list(case.input, "packets")?;
        let trace: Option<Vec<Value>> = packets
            .iter()
            .map(|packet| {
                let (now, bytes) = (at_ns(packet), whole(packet, "bytes"));
                let colored = color(packet.get("colour").and_then(Value::as_str));
                let (marked, levels, names) = if let Some(marker) = &mut single {
                    let marked = marker.mark(now, bytes, colored);
                    (marked, marker.levels(), ["Tc", "Te"])
                } else {
                    let marker = two.as_mut()?;
                    let marked = marker.mark(now, bytes, colored);
                    (marked, marker.levels(), ["Tc", "Tp"])
                };
                Some(json!({
                    "t": packet["t"],
                    "bytes": bytes,
                    "colour": format!("{marked:?}").to_lowercase(),
                    (names[0]): levels.0,
                    (names[1]): levels.1,
                }))
            })
            .collect();
        Some(json!({"trace": trace?}))
    });
}
