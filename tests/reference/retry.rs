//! Backoff and jitter against the AWS backoff simulator and resilience4j's interval functions.

use algorithms::retry::{self, Backoff, Jitter, Retries};
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value, json};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const TABLE: &str = include_str!("retry_backoff_jitter.json");

/// Cases that say nothing about our algorithms, each with the reason.
const NOT_APPLICABLE: &[(&str, &str)] = &[];

const MS: u64 = 1_000;

/// Checks one case, given its name, its input and what it expects.
type Check = fn(&str, &Value, &Map<String, Value>);

fn us(value: &Value) -> u64 {
    value.as_u64().expect("milliseconds") * MS
}

/// The waiting time of one message, `abs(normal(10, 2))` ms, by Box and Muller.
fn network_us(rng: &mut impl Rng) -> u64 {
    let radius = (-2.0 * libm::log(1.0 - rng.random::<f64>())).sqrt();
    let normal = radius * libm::cos(std::f64::consts::TAU * rng.random::<f64>());
    ((10.0 + 2.0 * normal).abs() * MS as f64) as u64
}

/// What reaches the server.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Message {
    Read,
    Write { version: u64 },
}

/// Clients that each must win one conditional write; returns when the last has heard so, and the writes it took.
fn contention(clients: usize, backoff: Backoff, rng: &mut impl Rng) -> (f64, f64) {
    let mut retries = vec![Retries::new(backoff, u32::MAX); clients];
    let mut queue = BinaryHeap::new();
    for client in 0..clients {
        queue.push(Reverse((network_us(rng), client, Message::Read)));
    }
    let (mut version_now, mut writes, mut end_us) = (0, 0, 0);
    while let Some(Reverse((now_us, client, message))) = queue.pop() {
        let heard_us = now_us + network_us(rng);
        let next = match message {
            Message::Read => (
                heard_us + network_us(rng),
                client,
                Message::Write {
                    version: version_now,
                },
            ),
            Message::Write { version } => {
                writes += 1;
                if version == version_now {
                    version_now += 1;
                    end_us = end_us.max(heard_us);
                    continue;
                }
                let wait_us = retries[client].wait_us(rng).expect("attempts without end");
                (heard_us + network_us(rng) + wait_us, client, Message::Read)
            }
        };
        queue.push(Reverse(next));
    }
    (end_us as f64 / MS as f64, f64::from(writes))
}

fn mean_and_error(samples: &[f64]) -> (f64, f64) {
    let count = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / count;
    let variance = samples.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

fn check_contention(name: &str, input: &Value, expected: &Map<String, Value>) {
    // Fewer trials than the table's keep this quick; the tolerance takes our larger error into account.
    const TRIALS: usize = 40;
    let jitter = match input["backoff"].as_str().expect("a variant") {
        "none" => None,
        "expo" => Some(Jitter::None),
        "full" => Some(Jitter::Full),
        "equal" => Some(Jitter::Equal),
        "decorrelated" => Some(Jitter::Decorrelated),
        other => panic!("{name}: unknown variant {other}"),
    };
    let backoff = jitter.map_or(Backoff::IMMEDIATE, |jitter| Backoff {
        base_us: us(&input["base_ms"]),
        cap_us: us(&input["cap_ms"]),
        multiplier: 2.0,
        jitter,
    });
    assert_eq!(
        input["network_delay"], "abs(normal(10,2)) ms per message",
        "{name}"
    );
    let clients = input["clients"].as_u64().expect("clients") as usize;
    let mut rng = Pcg64Mcg::seed_from_u64(2015);
    let (times, calls): (Vec<f64>, Vec<f64>) = (0..TRIALS)
        .map(|_| contention(clients, backoff, &mut rng))
        .unzip();
    let pairs = [
        ("mean_completion_ms", "se_completion", times),
        ("mean_write_calls", "se_calls", calls),
    ];
    for (mean_key, error_key, samples) in &pairs {
        let (mean, error) = mean_and_error(samples);
        let theirs = expected[*mean_key].as_f64().expect("a mean");
        let their_error = expected[*error_key].as_f64().expect("an error");
        // Four standard errors of the difference: by chance alone one comparison in 16,000 would fail.
        let allowed = 4.0 * (error * error + their_error * their_error).sqrt();
        assert!(
            (mean - theirs).abs() <= allowed,
            "{name}: {mean_key}: {mean} ± {error}, the table {theirs}"
        );
    }
    let is_known = |key: &String| pairs.iter().any(|pair| pair.0 == key || pair.1 == key);
    assert!(
        expected.keys().all(is_known),
        "{name}: the table expects something unknown"
    );
}

/// The AWS simulator's functions of the number of failures, a unit taken as a millisecond.
fn check_attempt(name: &str, input: &Value, expected: &Map<String, Value>) {
    let attempt = input["attempt"].as_u64().expect("an attempt") as u32;
    let backoff = |jitter| Backoff {
        base_us: us(&input["base"]),
        cap_us: us(&input["cap"]),
        multiplier: 2.0,
        jitter,
    };
    let mut rng = Pcg64Mcg::seed_from_u64(7);
    for (key, value) in expected {
        let jitter = match key.as_str() {
            "expo" => {
                assert_eq!(
                    backoff(Jitter::None).ceiling_us(attempt),
                    us(value),
                    "{name}"
                );
                continue;
            }
            "full_jitter_range" => Jitter::Full,
            "equal_jitter_range" => Jitter::Equal,
            _ => panic!("{name}: the table expects an unknown {key}"),
        };
        let [low, high] = [0, 1].map(|end| value[end].as_f64().expect("a range") * MS as f64);
        let waits: Vec<f64> = (0..2_000)
            .map(|_| backoff(jitter).wait_us(attempt, 0, &mut rng) as f64)
            .collect();
        assert!(
            waits.iter().all(|wait| (low..=high).contains(wait)),
            "{name}: {key}"
        );
        // Of 2000 uniform draws none lies in the last hundredth with a chance of 2 in 10⁹.
        let reach = (high - low) / 100.0;
        assert!(
            waits.iter().any(|wait| *wait <= low + reach),
            "{name}: {key} never gets near its low end"
        );
        assert!(
            waits.iter().any(|wait| *wait >= high - reach),
            "{name}: {key} never gets near its high end"
        );
    }
}

/// resilience4j's interval function: the first attempt waits the initial interval.
fn check_interval(name: &str, input: &Value, expected: &Map<String, Value>) {
    let backoff = Backoff {
        base_us: us(&input["initial_ms"]),
        cap_us: input["max_ms"].as_u64().map_or(u64::MAX, |ms| ms * MS),
        multiplier: input["multiplier"].as_f64().expect("a multiplier"),
        jitter: Jitter::None,
    };
    let wait_ms = |attempt: u32| backoff.ceiling_us(attempt - 1) / MS;
    for (key, value) in expected {
        if key == "note" {
            continue;
        } else if key == "strictly_increasing_until" {
            let last = value.as_u64().expect("an attempt") as u32;
            assert!(
                (1..last).all(|attempt| wait_ms(attempt) < wait_ms(attempt + 1)),
                "{name}"
            );
            assert_eq!(wait_ms(last), wait_ms(last + 1), "{name}");
        } else if let Some(range) = key.strip_prefix("attempts_") {
            let (from, to) = range.split_once("_to_").expect("from and to");
            let waits: Vec<u64> = (from.parse().expect("a number")..=to.parse().expect("a number"))
                .map(wait_ms)
                .collect();
            assert_eq!(json!(waits), *value, "{name}");
        } else if let Some(attempt) = key.strip_prefix("attempt_") {
            assert_eq!(
                json!(wait_ms(attempt.parse().expect("a number"))),
                *value,
                "{name}"
            );
        } else {
            panic!("{name}: the table expects an unknown {key}");
        }
    }
}

fn check_attempts_mean(name: &str, input: &Value, expected: &Map<String, Value>) {
    let failure = input["p_fail"].as_f64().expect("a probability");
    let attempts_max = input["max_attempts"].as_u64().expect("attempts") as u32;
    for (key, value) in expected {
        let ours = match key.as_str() {
            "expected_attempts" => retry::attempts_mean(failure, attempts_max),
            "success" => retry::success_probability(failure, attempts_max),
            _ => panic!("{name}: the table expects an unknown {key}"),
        };
        assert!(
            (ours - value.as_f64().expect("a number")).abs() < 1e-12,
            "{name}: {key}: {ours}"
        );
    }
}

fn check_amplification(name: &str, input: &Value, expected: &Map<String, Value>) {
    assert_eq!(input["all_fail"], true, "{name}");
    let [layers, retries] =
        ["layers", "retries_per_layer"].map(|key| input[key].as_u64().expect("a number") as u32);
    assert_eq!(
        json!(retry::amplification(layers, retries)),
        expected["calls_at_bottom"],
        "{name}"
    );
    assert_eq!(
        expected.len(),
        1,
        "{name}: the table expects something unknown"
    );
}

#[test]
fn retries_wait_and_multiply_as_published() {
    let table: Value = serde_json::from_str(TABLE).expect("the table is JSON");
    let cases = table["cases"].as_array().expect("a table has cases");
    assert!(!cases.is_empty());
    for case in cases {
        let name = case["name"].as_str().expect("a case has a name");
        if NOT_APPLICABLE.iter().any(|(skipped, _)| *skipped == name) {
            continue;
        }
        let input = &case["input"];
        let shapes: [(&str, Check); 5] = [
            ("clients", check_contention),
            ("attempt", check_attempt),
            ("initial_ms", check_interval),
            ("p_fail", check_attempts_mean),
            ("layers", check_amplification),
        ];
        let shape = shapes.iter().find(|(key, _)| !input[*key].is_null());
        let (_, check) = shape.unwrap_or_else(|| panic!("{name}: unknown shape"));
        check(
            name,
            input,
            case["expected"]
                .as_object()
                .expect("a case expects something"),
        );
    }
}
