//! Serverless functions: how many instances may run, how many requests need, how often one is cold.

use crate::table::{Case, run};
use algorithms::functions::{self, Allowance, Functions, Placement, Settings};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

const SECOND_US: u64 = 1_000_000;

#[test]
fn serverless_cold_start() {
    run(include_str!("serverless_cold_start.json"), &[], &[], answer);
}

fn settings() -> Settings {
    Settings {
        limit: 1_000_000,
        kept_us: 300 * SECOND_US,
        at_once: 1,
        allowance: Allowance {
            burst: 1_000_000,
            ..Allowance::PER_FUNCTION
        },
        provisioned: 0,
    }
}

/// How many run if all that is allowed is used at each of these moments.
fn grown(allowance: Allowance, quota: u64, moments_us: &[u64]) -> Vec<u64> {
    let mut functions = Functions::new(
        0,
        Settings {
            limit: quota as usize,
            allowance,
            ..settings()
        },
    );
    let last_us = moments_us.iter().copied().max().unwrap_or(0);
    // An allowance is not saved up, so it must be used as it comes.
    let mut ticks: Vec<u64> = (0..=last_us).step_by(SECOND_US as usize).collect();
    ticks.extend(moments_us);
    ticks.sort_unstable();
    let mut numbers = Vec::new();
    for now_us in ticks {
        while let Placement::Cold(_) = functions.place(now_us) {}
        numbers.push((now_us, functions.instances().count() as u64));
    }
    let at = |now_us: &u64| numbers.iter().rfind(|(at_us, _)| at_us == now_us);
    moments_us
        .iter()
        .filter_map(at)
        .map(|(_, number)| *number)
        .collect()
}

fn answer(case: &Case<'_>) -> Option<Value> {
    let moments = |field: &str, unit_us: u64| -> Option<Vec<u64>> {
        let list = case.input[field].as_array()?.iter();
        list.map(|n| Some((n.as_f64()? * unit_us as f64) as u64))
            .collect()
    };
    if case.takes(&["burst", "quota"]) {
        let (allowance, moments_us) = match moments("minute", 60 * SECOND_US) {
            Some(moments_us) => (Allowance::per_region(case.need("burst")), moments_us),
            None => {
                let allowance = Allowance {
                    burst: case.need("burst"),
                    step: case.need("step"),
                    every_us: case.need("every_s") * SECOND_US,
                    evenly: true,
                };
                (allowance, moments("second", SECOND_US)?)
            }
        };
        let quota = case.need("quota");
        let computed: Vec<u64> = moments_us
            .iter()
            .map(|&at_us| allowance.concurrency_max(at_us, quota))
            .collect();
        let seen: Vec<u64> = grown(allowance, quota, &moments_us);
        assert_eq!(seen, computed, "{}", case.name);
        return Some(json!({"max_concurrency": seen}));
    }
    if case.expects(&["us-east-1"]) {
        let mut answer = json!({});
        for region in case.expected.keys() {
            answer[region] = json!(functions::burst_of_region(region));
        }
        return Some(answer);
    }
    if case.takes(&["demand_concurrency", "available"]) {
        let (demand, available) = (case.need("demand_concurrency"), case.need("available"));
        let mut functions = Functions::new(
            0,
            Settings {
                limit: available as usize,
                ..settings()
            },
        );
        let refused = |_: &u64| functions.place(0) == Placement::Limit;
        let seen = (0..demand).filter(refused).count() as u64;
        assert_eq!(seen, functions::throttled(demand, available));
        return Some(json!({"throttled": seen, "status": functions::THROTTLED_STATUS}));
    }
    if case.takes(&["rps", "duration_s"]) {
        let needed = functions::concurrency(case.number("rps"), case.number("duration_s"));
        return Some(json!({"concurrency": needed}));
    }
    if case.takes(&["rate", "keep_alive_s"]) {
        let (rate, kept_s) = (case.number("rate"), case.number("keep_alive_s"));
        let chance = functions::cold_chance(rate, kept_s);
        let tolerance = 4.0 * (chance * (1.0 - chance) / f64::from(REQUESTS)).sqrt();
        let seen = cold_share(rate, kept_s);
        assert!(
            (seen - chance).abs() <= tolerance + 1e-4,
            "{seen} is not {chance}"
        );
        return Some(json!({"p_cold": chance}));
    }
    None
}

const REQUESTS: u32 = 40_000;

/// Requests that take no time, at an instance that takes none to start.
fn cold_share(rate: f64, kept_s: f64) -> f64 {
    let mut functions = Functions::new(
        0,
        Settings {
            kept_us: (kept_s * SECOND_US as f64) as u64,
            ..settings()
        },
    );
    let mut rng = Pcg64Mcg::seed_from_u64(5);
    let (mut now_us, mut cold) = (0, 0);
    for _ in 0..REQUESTS {
        let gap_s = -libm::log(1.0 - rng.random::<f64>()) / rate;
        now_us += (gap_s * SECOND_US as f64) as u64;
        let id = match functions.place(now_us) {
            Placement::Cold(id) => {
                cold += 1;
                functions.started(now_us, id);
                id
            }
            Placement::Warm(id) => id,
            other => panic!("{other:?}"),
        };
        functions.finished(now_us, id);
    }
    f64::from(cold) / f64::from(REQUESTS)
}
