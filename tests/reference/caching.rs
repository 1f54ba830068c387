//! Caches against published reference strings, write-policy races and hit-ratio formulas.

use algorithms::cache::{Cache, Put};
use algorithms::cache_optimal::{self, Step};
use algorithms::cache_write::{self, CachedStore, Source, WritePolicy};
use algorithms::eviction::Policy;
use algorithms::zipf::{self, Zipf};
use rand::SeedableRng;
use rand_pcg::Pcg32;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const POLICIES: &str = include_str!("cache_policies.json");
const WRITES: &str = include_str!("cache_write_policies.json");
const HIT_RATIOS: &str = include_str!("cache_hit_ratio_zipf.json");

/// Cases that say nothing about our algorithms, each with the reason.
const NOT_APPLICABLE: &[(&str, &str)] = &[];

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

fn policy(name: &str) -> Option<Policy> {
    Some(match name {
        "LRU" => Policy::Lru,
        "LFU" => Policy::Lfu,
        "FIFO" => Policy::Fifo,
        "RANDOM" => Policy::Random,
        "CLOCK" => Policy::Clock,
        "SIEVE" => Policy::Sieve,
        _ => return None,
    })
}

/// What a replay came to, in the words of the table.
#[derive(Default)]
struct Tally {
    pattern: String,
    results: Vec<Value>,
    evicted: Vec<u64>,
}

impl Tally {
    fn named(&self, key: &str) -> Value {
        let count = |letter| json!(self.pattern.matches(letter).count());
        match key {
            "hits" => count('h'),
            "faults" | "misses" => count('m'),
            "hit_pattern" => json!(self.pattern),
            "evictions" => json!(self.evicted.len()),
            "evicted_in_order" => json!(self.evicted),
            "results" => json!(self.results),
            _ => panic!("the table expects an unknown {key}"),
        }
    }
}

fn replay_references(name: &str, policy_name: &str, capacity: usize, references: &[u64]) -> Tally {
    let mut tally = Tally::default();
    if let Some(policy) = policy(policy_name) {
        let mut rng = Pcg32::seed_from_u64(0);
        let mut cache = Cache::new(policy, capacity);
        for key in references {
            let hit = cache.get(key, 0).hit().is_some();
            tally.pattern.push(if hit { 'h' } else { 'm' });
            if !hit && let Put::Evicted { victim, .. } = cache.put(*key, (), 0, None, &mut rng) {
                tally.evicted.push(victim.key);
            }
        }
        return tally;
    }
    let bypass = match policy_name {
        "OPT" => false,
        "OPT with bypass" => true,
        _ => panic!("{name}: unknown policy {policy_name}"),
    };
    for step in cache_optimal::replay(capacity, references, bypass) {
        match step {
            Step::Hit => tally.pattern.push('h'),
            Step::Miss { evicted } => {
                tally.pattern.push('m');
                tally.evicted.extend(evicted);
            }
        }
    }
    tally
}

fn replay_script(name: &str, policy_name: &str, capacity: usize, script: &[Value]) -> Tally {
    let policy =
        policy(policy_name).unwrap_or_else(|| panic!("{name}: unknown policy {policy_name}"));
    let mut tally = Tally::default();
    let mut rng = Pcg32::seed_from_u64(0);
    let mut cache = Cache::new(policy, capacity);
    for line in script {
        let (verb, key) = line
            .as_str()
            .and_then(|line| line.split_once(' '))
            .expect("a verb and a key");
        let key: u64 = key.parse().expect("keys are numbers");
        match verb {
            "put" => {
                if let Put::Evicted { victim, .. } = cache.put(key, (), 0, None, &mut rng) {
                    tally.evicted.push(victim.key);
                }
                tally.results.push(Value::Null);
            }
            "get" => {
                let hit = cache.get(&key, 0).hit().is_some();
                tally.pattern.push(if hit { 'h' } else { 'm' });
                tally.results.push(json!(if hit { "hit" } else { "miss" }));
            }
            _ => panic!("{name}: unknown verb {verb}"),
        }
    }
    tally
}

#[test]
fn eviction_policies_hit_and_miss_as_published() {
    each_case(POLICIES, |name, input, expected| {
        let policy = input["policy"].as_str().expect("a policy");
        let capacity = input["capacity"].as_u64().expect("a capacity") as usize;
        let tally = if input["script"].is_array() {
            replay_script(name, policy, capacity, list(&input["script"]))
        } else {
            let references: Vec<u64> = list(&input["references"])
                .iter()
                .map(|key| key.as_u64().expect("keys are numbers"))
                .collect();
            assert!(!references.is_empty(), "{name}: nothing to replay");
            replay_references(name, policy, capacity, &references)
        };
        for (key, value) in expected {
            assert_eq!(&tally.named(key), value, "{name}: {key}");
        }
    });
}

type Store = CachedStore<String, u64>;

fn new_store(policy: WritePolicy, database: &Value, ttl_us: Option<u64>) -> Store {
    let database = database.as_object().into_iter().flatten();
    let database = database
        .map(|(key, value)| (key.clone(), value.as_u64().expect("values are numbers")))
        .collect();
    CachedStore::new(policy, Policy::Lru, 16, ttl_us, database)
}

fn assignment(text: &str) -> (String, u64) {
    let (key, value) = text.split_once('=').expect("key=value");
    (key.to_string(), value.parse().expect("values are numbers"))
}

/// Plays the steps of two clients in the order told. A value read before anyone wrote it was there from the start.
fn race(name: &str, order: &[Value]) -> Store {
    let clauses: Vec<(&str, &str)> = order
        .iter()
        .flat_map(|line| {
            let (actor, rest) = line
                .as_str()
                .and_then(|line| line.split_once(' '))
                .expect("an actor and its deed");
            rest.split(", ").map(move |clause| (actor, clause))
        })
        .collect();
    let mut first = Map::new();
    for (_, clause) in &clauses {
        if let Some((key, value)) = clause.strip_prefix("reads db ").map(assignment) {
            first.entry(key).or_insert(json!(value));
        }
    }
    let mut rng = Pcg32::seed_from_u64(0);
    let mut store = new_store(WritePolicy::Aside, &Value::Object(first), None);
    let mut read: BTreeMap<&str, (String, u64)> = BTreeMap::new();
    for (actor, clause) in clauses {
        if clause.starts_with("misses") {
            let key = clause.strip_prefix("misses ").unwrap_or("x").to_string();
            assert_eq!(store.look_up(&key, 0).hit(), None, "{name}: {clause}");
        } else if let Some((key, value)) = clause.strip_prefix("reads db ").map(assignment) {
            assert_eq!(store.read_database(&key), Some(value), "{name}: {clause}");
            read.insert(actor, (key, value));
        } else if let Some((key, value)) = clause.strip_prefix("sets db ").map(assignment) {
            store.write_database(key, value);
        } else if let Some(key) = clause.strip_prefix("deletes cache ") {
            store.invalidate(&key.to_string());
        } else if let Some((key, value)) = clause.strip_prefix("sets cache ").map(assignment) {
            store.fill(key, value, 0, &mut rng);
        } else if clause == "fills cache" {
            let (key, value) = read.get(actor).cloned().expect("something was read");
            store.fill(key, value, 0, &mut rng);
        } else {
            panic!("{name}: unknown step {clause}");
        }
    }
    store
}

fn write_policy(name: &str) -> WritePolicy {
    let table = [
        ("write-through", WritePolicy::Through),
        ("write-back", WritePolicy::Back),
        ("write-behind", WritePolicy::Back),
        ("write-around", WritePolicy::Around),
        ("delete-before-write", WritePolicy::AsideDeleteFirst),
        ("cache-aside", WritePolicy::Aside),
        ("ahead", WritePolicy::Ahead),
    ];
    let found = table.iter().find(|(word, _)| name.contains(word));
    found.unwrap_or_else(|| panic!("{name}: no policy named")).1
}

/// Runs operations by one client and returns the store with what each operation answered.
fn run_operations(name: &str, input: &Value) -> (Store, Vec<Value>) {
    let mut rng = Pcg32::seed_from_u64(0);
    let mut store = new_store(write_policy(name), &input["db"], None);
    let mut results = Vec::new();
    for line in list(&input["ops"]) {
        let line = line.as_str().expect("operations are text");
        let words: Vec<&str> = line.split(' ').collect();
        let result = match words[..] {
            ["set", key, value] => {
                store.write(
                    &key.to_string(),
                    value.parse().expect("values are numbers"),
                    0,
                    &mut rng,
                );
                Value::Null
            }
            ["get", key] => json!(store.read(&key.to_string(), 0, &mut rng).value),
            ["flush"] => {
                store.flush(usize::MAX);
                Value::Null
            }
            ["CRASH"] => {
                store.crash();
                Value::Null
            }
            _ => panic!("{name}: unknown operation {line}"),
        };
        results.push(result);
    }
    (store, results)
}

/// The stores a writer waits for, in order, in the words of the table.
fn write_path(policy: WritePolicy) -> String {
    let places: Vec<&str> = policy
        .steps()
        .iter()
        .map(|step| if step.is_database() { "db" } else { "cache" })
        .collect();
    places.join(" + ")
}

fn cached_values(store: &Store) -> Value {
    let entries = store.cache().slots().iter().flatten();
    Value::Object(
        entries
            .map(|entry| (entry.key.clone(), json!(entry.value.value)))
            .collect(),
    )
}

#[test]
fn write_policies_leave_cache_and_database_as_defined() {
    each_case(WRITES, |name, input, expected| {
        if input["order"].is_array() || input["ops"].is_array() {
            let (store, results) = if input["order"].is_array() {
                (race(name, list(&input["order"])), Vec::new())
            } else {
                run_operations(name, input)
            };
            for (key, value) in expected {
                let ours = match key.as_str() {
                    "cache" => cached_values(&store),
                    "db" => json!(store.database()),
                    "stale" => {
                        let mut entries = store.cache().slots().iter().flatten();
                        json!(entries.any(|entry| store.is_stale(&entry.key)))
                    }
                    "results" => json!(results),
                    "db_writes" => json!(store.trips().database_writes),
                    "db_reads" => json!(store.trips().database_reads),
                    "lost_writes" => json!(store.trips().lost_writes),
                    "cache_misses" => json!(store.cache().counts().misses),
                    "cache_hits" => json!(store.cache().counts().hits),
                    "write_latency" => json!(write_path(store.write_policy)),
                    _ => panic!("{name}: the table expects an unknown {key}"),
                };
                assert_eq!(&ours, value, "{name}: {key}");
            }
        } else if input["ttl_s"].is_u64() {
            time_to_live(name, input, expected);
        } else {
            let [hit_ratio, cache_ms, db_ms] = ["hit_ratio", "cache_ms", "db_ms"]
                .map(|key| input[key].as_f64().expect("a number"));
            for (key, value) in expected {
                let ours = match key.as_str() {
                    "mean_ms" => cache_write::mean_read_time(hit_ratio, cache_ms, db_ms),
                    "db_load_fraction" => cache_write::database_load(hit_ratio),
                    _ => panic!("{name}: the table expects an unknown {key}"),
                };
                // The same three operations in the same order leave no more than a rounding between them.
                assert!(
                    (ours - value.as_f64().expect("a number")).abs() < 1e-12,
                    "{name}: {key}: {ours}"
                );
            }
        }
    });
}

/// An entry is filled, the database changes behind its back, and reads follow.
fn time_to_live(name: &str, input: &Value, expected: &Map<String, Value>) {
    let us = |key: &str| input[key].as_u64().expect("seconds") * 1_000_000;
    let (old, new) = (1, 2);
    let key = "x".to_string();
    let mut rng = Pcg32::seed_from_u64(0);
    let mut store = new_store(WritePolicy::Around, &json!({ "x": old }), Some(us("ttl_s")));
    store.read(&key, us("fill_t"), &mut rng);
    store.write(&key, new, us("db_change_t"), &mut rng);
    let expires_us = store
        .cache()
        .peek(&key)
        .and_then(|entry| entry.expires_us)
        .expect("it was filled");
    let mut values = Vec::new();
    for at in list(&input["reads_t"]) {
        let read = store.read(&key, at.as_u64().expect("seconds") * 1_000_000, &mut rng);
        assert_eq!(
            read.source == Source::Database,
            read.value == Some(new) && !values.contains(&json!("new"))
        );
        values.push(json!(if read.value == Some(old) {
            "old"
        } else {
            "new"
        }));
    }
    for (key, value) in expected {
        let ours = match key.as_str() {
            "values" => json!(values),
            "max_staleness_s" => json!((expires_us - us("db_change_t")) / 1_000_000),
            _ => panic!("{name}: the table expects an unknown {key}"),
        };
        assert_eq!(&ours, value, "{name}: {key}");
    }
}

fn simulated_hit_ratio(policy: Policy, capacity: usize, zipf: &Zipf, requests: u32) -> f64 {
    let mut rng = Pcg32::seed_from_u64(42);
    let mut cache = Cache::new(policy, capacity);
    for _ in 0..requests {
        let key = zipf.sample(&mut rng);
        if cache.get(&key, 0).hit().is_none() {
            cache.put(key, (), 0, None, &mut rng);
        }
    }
    cache.counts().hit_ratio()
}

#[test]
fn hit_ratios_under_zipf_agree_with_formula_and_simulation() {
    // A ratio near one half over this many requests has a standard deviation of 0.0011, and the table's own of
    // 0.0008; the table allows 0.004, three times the two together.
    const REQUESTS: u32 = 200_000;
    each_case(HIT_RATIOS, |name, input, expected| {
        let items = input["items"].as_u64().expect("items") as usize;
        let capacity = input["capacity"].as_u64().expect("a capacity") as usize;
        let zipf = Zipf::new(items, input["alpha"].as_f64().expect("an exponent"));
        let p = zipf.probabilities();
        let tolerance = expected
            .get("tolerance_abs")
            .and_then(Value::as_f64)
            .unwrap_or(0.004);
        let mut checked = 0;
        for (key, value) in expected {
            let value = value.as_f64().expect("a number");
            // Formulas agree to the last digits that two summation orders leave.
            let (ours, allowed) = match key.as_str() {
                "lru_hit_ratio_che" => (zipf::lru_hit_ratio(&p, capacity), 1e-9),
                "lru_characteristic_time" => (zipf::che_time(&p, capacity), 1e-9 * value),
                "fifo_or_random_hit_ratio" => (zipf::fifo_hit_ratio(&p, capacity), 1e-9),
                "perfect_lfu_static_top_C" | "static_top_C" => {
                    (zipf::static_hit_ratio(&p, capacity), 1e-9)
                }
                "lru_hit_ratio_exact" => {
                    let simulated = simulated_hit_ratio(Policy::Lru, capacity, &zipf, REQUESTS);
                    assert!(
                        (simulated - value).abs() <= tolerance,
                        "{name}: simulated {simulated}"
                    );
                    (
                        zipf::lru_hit_ratio_exact(&p, capacity).expect("few items"),
                        1e-9,
                    )
                }
                "lru_monte_carlo" => (
                    simulated_hit_ratio(Policy::Lru, capacity, &zipf, REQUESTS),
                    tolerance,
                ),
                "fifo_monte_carlo" => {
                    // Random and FIFO have the same hit ratio (Gelenbe 1973), so the one value checks both.
                    let random = simulated_hit_ratio(Policy::Random, capacity, &zipf, REQUESTS);
                    assert!(
                        (random - value).abs() <= tolerance,
                        "{name}: random {random}, the table {value}"
                    );
                    (
                        simulated_hit_ratio(Policy::Fifo, capacity, &zipf, REQUESTS),
                        tolerance,
                    )
                }
                "monte_carlo_requests" | "tolerance_abs" => continue,
                _ => panic!("{name}: the table expects an unknown {key}"),
            };
            assert!(
                (ours - value).abs() <= allowed,
                "{name}: {key}: ours {ours}, the table {value}"
            );
            checked += 1;
        }
        assert!(checked > 0, "{name}: nothing was checked");
    });
}
