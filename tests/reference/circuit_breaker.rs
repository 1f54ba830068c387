//! Circuit breakers against what gobreaker's and resilience4j's own tests expect.

use algorithms::circuit_breaker::{State, counting, rates};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const GOBREAKER: &str = include_str!("circuit_breaker_gobreaker.json");
const RESILIENCE4J: &str = include_str!("circuit_breaker_resilience4j.json");

/// Cases that say nothing about our algorithms, each with the reason.
const NOT_APPLICABLE: &[(&str, &str)] = &[];

const SECOND_US: u64 = 1_000_000;

/// Runs every case of a table that is not listed as not applicable.
fn each_case(table: &str, run: impl Fn(&str, &Value, &Map<String, Value>)) {
    let table: Value = serde_json::from_str(table).expect("the table is JSON");
    let cases = table["cases"].as_array().expect("a table has cases");
    assert!(!cases.is_empty());
    for case in cases {
        let name = case["name"].as_str().expect("a case has a name");
        if NOT_APPLICABLE.iter().all(|(skipped, _)| *skipped != name) {
            run(
                name,
                &case["input"],
                case["expected"]
                    .as_object()
                    .expect("a case expects something"),
            );
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn seconds_us(value: &Value) -> u64 {
    (value.as_f64().unwrap_or(0.0) * SECOND_US as f64).round() as u64
}

/// The numbers after `>=` or `>` in a rule, in order, and whether each sign was strict.
fn bounds(rule: &str) -> Vec<(f64, bool)> {
    let after = rule.split('>').skip(1);
    after
        .map(|text| {
            let is_strict = !text.starts_with('=');
            let number: String = text
                .trim_start_matches(['=', ' '])
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            (
                number.parse().expect("a rule compares with numbers"),
                is_strict,
            )
        })
        .collect()
}

fn trip(rule: &Value) -> counting::Trip {
    let Some(rule) = rule.as_str() else {
        return counting::Settings::default().trip;
    };
    match bounds(rule)[..] {
        [(count, is_strict)] if rule.contains("consecutive") => {
            counting::Trip::ConsecutiveFailures {
                more_than: count as u32 - u32::from(!is_strict),
            }
        }
        [(requests, is_strict), (ratio_min, false)] => counting::Trip::FailureRatio {
            requests_min: requests as u32 + u32::from(is_strict),
            ratio_min,
        },
        _ => panic!("unknown rule {rule}"),
    }
}

/// Writes repetitions out: `fail x2`, `(a,b) x2` and `2 x (a, b)`; a remark in brackets is dropped.
fn written_out(line: &str) -> Vec<&str> {
    let repeated = line
        .split_once(" x (")
        .and_then(|(count, body)| Some((count.parse::<usize>().ok()?, body)))
        .or_else(|| {
            line.rsplit_once(" x")
                .and_then(|(body, count)| Some((count.parse().ok()?, body)))
        });
    match repeated {
        Some((count, body)) => {
            let parts: Vec<&str> = body
                .trim_matches(['(', ')'])
                .split(',')
                .map(str::trim)
                .collect();
            parts.repeat(count)
        }
        None => vec![line.split(" (").next().unwrap_or(line)],
    }
}

/// Reads `90 s + 1 ns`, rounded up to whole microseconds, so that a moment later stays a later moment.
fn duration_us(text: &str) -> u64 {
    let ns = text.split(" + ").map(|term| {
        let (number, unit) = term.trim().split_once(' ').expect("a number and a unit");
        let scale = match unit {
            "s" => 1e9,
            "ms" => 1e6,
            "us" => 1e3,
            "ns" => 1.0,
            _ => panic!("unknown unit {unit}"),
        };
        (number.parse::<f64>().expect("a number") * scale).round() as u64
    });
    ns.sum::<u64>().div_ceil(1_000)
}

fn counting_outcome(word: &str) -> counting::Outcome {
    match word {
        _ if word.contains("succe") => counting::Outcome::Success,
        _ if word.contains("fail") || word.contains("panic") => counting::Outcome::Failure,
        _ if word.contains("exclu") => counting::Outcome::Excluded,
        _ => panic!("unknown outcome {word}"),
    }
}

fn count_named(counts: &counting::Counts, key: &str) -> u32 {
    match key {
        "requests" => counts.requests,
        "total_successes" => counts.total_successes,
        "total_failures" => counts.total_failures,
        "total_exclusions" => counts.total_exclusions,
        "consecutive_successes" => counts.consecutive_successes,
        "consecutive_failures" => counts.consecutive_failures,
        _ => panic!("the table expects an unknown {key}"),
    }
}

#[test]
fn counting_breaker_does_what_gobreaker_does() {
    each_case(GOBREAKER, |name, input, expected| {
        let settings = counting::Settings {
            requests_max: input["max_requests_half_open"].as_u64().unwrap_or(0) as u32,
            interval_us: seconds_us(&input["interval_s"]),
            bucket_period_us: seconds_us(&input["bucket_period_s"]),
            timeout_us: seconds_us(&input["timeout_s"]),
            trip: trip(&input["trip"]),
        };
        let mut now_us = 0;
        let mut breaker = counting::Breaker::new(settings, now_us);
        let mut under_way = BTreeMap::new();
        let mut checks = list(&expected["checks"]).iter();
        let lines = list(&input["script"])
            .iter()
            .flat_map(|line| written_out(line.as_str().expect("text")));
        for line in lines {
            if line == "advance past interval" {
                now_us = breaker.expiry_us().expect("an interval is running") + 1;
            } else if let Some(duration) = line.strip_prefix("advance ") {
                now_us += duration_us(duration);
            } else if line.starts_with("check") {
                let state = breaker.state(now_us);
                let check = checks
                    .next()
                    .unwrap_or_else(|| panic!("{name}: more checks than expected"));
                if let Some(expected_state) = check["state"].as_str() {
                    assert_eq!(state.name(), expected_state, "{name}: {check}");
                }
                let bare = if check["counts"].is_object() {
                    &check["counts"]
                } else {
                    check
                };
                for (key, value) in bare
                    .as_object()
                    .expect("counts")
                    .iter()
                    .filter(|(key, _)| *key != "state")
                {
                    let ours = count_named(&breaker.counts(), key);
                    assert_eq!(json!(ours), *value, "{name}: {key} of {check}");
                }
            } else if let Some(request) = line.strip_prefix("start ") {
                let ticket = breaker
                    .allow(now_us)
                    .unwrap_or_else(|why| panic!("{name}: {line}: {why:?}"));
                under_way.insert(request.to_string(), ticket);
            } else if let Some(request) = line.strip_suffix(" ends") {
                let ticket = under_way.remove(request).expect("it was started");
                breaker.done(ticket, counting_outcome(request), now_us);
            } else if line.ends_with(" refused") {
                assert!(breaker.allow(now_us).is_err(), "{name}: {line}");
            } else {
                let ticket = breaker
                    .allow(now_us)
                    .unwrap_or_else(|why| panic!("{name}: {line}: {why:?}"));
                breaker.done(ticket, counting_outcome(line), now_us);
            }
        }
        assert_eq!(checks.next(), None, "{name}: fewer checks than expected");
        assert!(
            expected.keys().all(|key| key == "checks"),
            "{name}: the table expects something unknown"
        );
    });
}

fn rates_settings(name: &str, config: &Map<String, Value>) -> rates::Settings {
    let mut settings = rates::Settings::default();
    for (key, value) in config {
        let number = value.as_f64().unwrap_or(0.0);
        match key.as_str() {
            "failure_rate_threshold" => settings.failure_percent_min = number,
            "slow_call_rate_threshold" => settings.slow_percent_min = number,
            "slow_call_duration_s" => settings.slow_after_us = seconds_us(value),
            "minimum_calls" => settings.calls_min = number as u32,
            "permitted_half_open" => settings.half_open_calls = number as u32,
            "wait_open_s" => settings.open_us = seconds_us(value),
            "max_wait_half_open_s" => settings.half_open_us_max = seconds_us(value),
            "automatic_transition" => settings.half_open_automatic = value == &json!(true),
            "window" => {
                let text = value.as_str().expect("a window is described");
                let size: String = text.chars().filter(char::is_ascii_digit).collect();
                let size = size.parse().expect("a window has a size");
                settings.window = if text.contains("time") {
                    rates::Span::Seconds(size)
                } else {
                    rates::Span::Calls(size)
                };
            }
            _ => panic!("{name}: unknown setting {key}"),
        }
    }
    settings
}

/// A call of the table: its outcome by name, its duration if told.
struct Call {
    outcome: rates::Outcome,
    is_slow: bool,
    duration_us: Option<u64>,
    advance_us: u64,
}

fn call(value: &Value) -> Call {
    let name = value.as_str().or(value["o"].as_str()).expect("an outcome");
    let (is_slow, outcome) = match name {
        "success" => (false, rates::Outcome::Success),
        "error" => (false, rates::Outcome::Failure),
        "slow_success" => (true, rates::Outcome::Success),
        "slow_error" => (true, rates::Outcome::Failure),
        _ => panic!("unknown outcome {name}"),
    };
    Call {
        outcome,
        is_slow,
        duration_us: value["ms"].as_u64().map(|ms| ms * 1_000),
        advance_us: value["advance_ms"].as_u64().unwrap_or(0) * 1_000,
    }
}

fn sum_named(sums: &rates::Sums, key: &str) -> Option<f64> {
    Some(match key {
        "failure_rate" | "failure_rates" => sums.failure_percent(),
        "slow_call_rate" | "slow_call_rates" => sums.slow_percent(),
        "total" | "totals" | "buffered" => sums.calls as f64,
        "successful" => sums.successful() as f64,
        "failed" => sums.failed as f64,
        "slow" => sums.slow as f64,
        "slow_failed" => sums.slow_failed as f64,
        "slow_successful" => (sums.slow - sums.slow_failed) as f64,
        "total_ms" => sums.duration_us as f64 / 1_000.0,
        "average_ms" => sums.duration_us_mean() / 1_000.0,
        _ => return None,
    })
}

fn assert_close(name: &str, key: &str, ours: f64, expected: &Value) {
    // resilience4j computes rates in single precision: seven digits.
    let expected = expected.as_f64().expect("a number");
    assert!(
        (ours - expected).abs() <= 1e-6 * expected.abs().max(1.0),
        "{name}: {key}: {ours}, not {expected}"
    );
}

fn check_window(name: &str, span: rates::Span, calls: &[Value], expected: &Map<String, Value>) {
    let mut window = rates::Window::new(span);
    // Any whole second will do for a start, but not the first of all time.
    let mut now_us = 1_000 * SECOND_US;
    let sums: Vec<rates::Sums> = calls
        .iter()
        .map(|value| {
            let call = call(value);
            now_us += call.advance_us;
            window.record(
                call.outcome,
                call.is_slow,
                call.duration_us.unwrap_or(0),
                now_us,
            )
        })
        .collect();
    for (key, value) in expected {
        let ours = |sums| {
            sum_named(sums, key)
                .unwrap_or_else(|| panic!("{name}: the table expects an unknown {key}"))
        };
        match value {
            Value::Array(values) => {
                assert_eq!(values.len(), sums.len(), "{name}: {key}");
                values
                    .iter()
                    .zip(&sums)
                    .for_each(|(value, sums)| assert_close(name, key, ours(sums), value));
            }
            value => assert_close(
                name,
                key,
                ours(sums.last().expect("calls were made")),
                value,
            ),
        }
    }
}

fn force(name: &str, breaker: &mut rates::Breaker, state: &str) {
    let step = match state {
        "closed" => return,
        "open" => breaker.transition(State::Open, 0),
        // From closed there is no way to half-open but through open.
        "half-open" => breaker
            .transition(State::Open, 0)
            .and_then(|()| breaker.transition(State::HalfOpen, 0)),
        "disabled" => return breaker.set_override(Some(rates::Override::Disabled), 0),
        "forced-open" | "forced open" => {
            return breaker.set_override(Some(rates::Override::ForcedOpen), 0);
        }
        "metrics-only" | "metrics only" => {
            return breaker.set_override(Some(rates::Override::MetricsOnly), 0);
        }
        _ => panic!("{name}: unknown state {state}"),
    };
    assert_eq!(step, Ok(()), "{name}");
}

fn check_breaker(name: &str, input: &Value, expected: &Map<String, Value>) {
    let settings = rates_settings(name, input["config"].as_object().expect("settings"));
    let mut breaker = rates::Breaker::new(settings, 0);
    force(
        name,
        &mut breaker,
        input["forced"].as_str().unwrap_or("closed"),
    );
    let mut now_us = 0;
    for value in list(&input["calls"]) {
        let call = call(value);
        now_us += call.advance_us;
        let slow_us = if call.is_slow {
            settings.slow_after_us + 1
        } else {
            0
        };
        assert!(breaker.try_acquire(now_us), "{name}: {value}");
        breaker.record(call.outcome, call.duration_us.unwrap_or(slow_us), now_us);
    }
    // Permissions are asked for first: they change what the rest looks at.
    for step in expected.get("permits").map_or(&[][..], list) {
        match step.as_bool() {
            Some(is_permitted) => assert_eq!(breaker.try_acquire(now_us), is_permitted, "{name}"),
            None if step == "release" => breaker.release(now_us),
            None => panic!("{name}: unknown step {step}"),
        }
    }
    for (key, value) in expected {
        let metrics = breaker.metrics(now_us);
        match key.as_str() {
            "state" => assert_eq!(json!(breaker.state(now_us).name()), *value, "{name}"),
            "permits" => {}
            "failure_rate" => {
                assert_close(name, key, metrics.failure_percent.unwrap_or(-1.0), value)
            }
            "slow_call_rate" => {
                assert_close(name, key, metrics.slow_percent.unwrap_or(-1.0), value)
            }
            "not_permitted" => assert_eq!(json!(metrics.not_permitted), *value, "{name}"),
            _ => {
                let ours = sum_named(&metrics.sums, key);
                let ours =
                    ours.unwrap_or_else(|| panic!("{name}: the table expects an unknown {key}"));
                assert_close(name, key, ours, value);
            }
        }
    }
}

#[test]
fn rates_breaker_does_what_resilience4j_does() {
    each_case(RESILIENCE4J, |name, input, expected| {
        let calls = ["outcomes", "calls", "steps"]
            .map(|key| list(&input[key]))
            .concat();
        if input["config"].is_object() {
            check_breaker(name, input, expected);
        } else if let Some(size) = input["window_size"].as_u64() {
            check_window(name, rates::Span::Calls(size as u32), &calls, expected);
        } else if let Some(size) = input["window_s"].as_u64() {
            check_window(name, rates::Span::Seconds(size as u32), &calls, expected);
        } else {
            panic!("{name}: unknown shape");
        }
    });
}
