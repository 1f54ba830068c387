//! Copies with a life against the table of write policies: the races between a reader and a writer, what a life bounds, what a
//! layer costs.

use super::{Case, cases};
use algorithms::copies::Copies;
use serde_json::{Value, json};

const WRITES: &str = include_str!("cache_write_policies.json");

/// Cases that say nothing about copies, each with the reason.
const NOT_APPLICABLE: &[(&str, &str)] = &[
    ("write-through", "nothing writes through copies"),
    (
        "write-back crash before flush",
        "nothing writes to copies first",
    ),
    (
        "write-around",
        "an empty layer that misses once says nothing about copies",
    ),
];

const S: u64 = 1_000_000;
/// Longer than anything here lasts.
const LONG: u64 = 1_000 * S;

/// One layer in front of a database, and a reader who may stand still between reading and storing.
struct Layer {
    cache: Copies<u64>,
    database: u64,
    read: Option<u64>,
}

impl Layer {
    fn step(&mut self, what: &str, now: u64) {
        let value = |text: &str| text.rsplit('=').next().and_then(|it| it.parse().ok());
        match what {
            "reader misses x" => assert!(self.cache.get(1, LONG, now).is_none()),
            "writer deletes cache x" => _ = self.cache.purge(|key| key == 1),
            "reader misses, reads db x=1, fills cache" => {
                assert!(self.cache.get(1, LONG, now).is_none());
                self.cache.put(1, self.database, (now, LONG), None, now);
            }
            _ if what.starts_with("reader reads db") => {
                assert_eq!(value(what), Some(self.database));
                self.read = Some(self.database);
            }
            _ if what.starts_with("reader sets cache") => {
                let read = self.read.take().expect("it has read");
                assert_eq!(value(what), Some(read));
                self.cache.put(1, read, (now, LONG), None, now);
            }
            _ if what.starts_with("writer sets db") => {
                self.database = value(what).expect("a value");
            }
            _ => panic!("{what}?"),
        }
    }
}

fn race(case: &Case) {
    let mut layer = Layer {
        cache: Copies::new(),
        database: 1,
        read: None,
    };
    let order = case.input["order"].as_array().expect("a list");
    for (at, step) in (1..).zip(order) {
        layer.step(step.as_str().expect("a text"), at * S);
    }
    let kept = layer.cache.get(1, LONG, 10 * S).expect("it was stored");
    for (key, value) in &case.expected {
        let ours = match key.as_str() {
            "cache" => json!({ "x": kept.value }),
            "db" => json!({ "x": layer.database }),
            "stale" => json!(kept.value != layer.database),
            _ => panic!("{}: {key}?", case.name),
        };
        assert_eq!(&ours, value, "{}: {key}", case.name);
    }
}

fn life(case: &Case) {
    let s = |key: &str| case.input[key].as_u64().expect("seconds");
    let (life, fill, change) = (s("ttl_s"), s("fill_t"), s("db_change_t"));
    let mut cache = Copies::new();
    let mut read = |at: u64| match cache.get(1, life * S, at * S) {
        Some(copy) => copy.value,
        None => {
            let value = if at < change { "old" } else { "new" };
            cache.put(1, value, (at * S, life * S), None, at * S);
            value
        }
    };
    assert_eq!(read(fill), "old");
    let reads = case.input["reads_t"].as_array().expect("a list");
    let values: Vec<&str> = reads.iter().map(|at| read(at.as_u64().unwrap())).collect();
    assert_eq!(json!(values), case.expected["values"], "{}", case.name);
    // The last moment at which the old value may be told is just before the life ends.
    let longest = fill + life - change;
    assert_eq!(json!(longest), case.expected["max_staleness_s"]);
}

/// A thousand reads, of which the share that the table names find a copy.
fn costs(case: &Case) {
    let number = |value: &Value| value.as_f64().expect("a number");
    let [ratio, layer_ms, database_ms] =
        ["hit_ratio", "cache_ms", "db_ms"].map(|key| number(&case.input[key]));
    let every = (1.0 / (1.0 - ratio)).round() as u64;
    let (mut cache, mut waited, mut misses) = (Copies::new(), 0.0, 0.0);
    for nth in 0..1_000_u64 {
        // Its life is over after so many reads.
        let life = every * S;
        waited += layer_ms;
        if cache.get(1, life, nth * S).is_none() {
            cache.put(1, (), (nth * S, life), None, nth * S);
            waited += database_ms;
            misses += 1.0;
        }
    }
    let ours = [
        ("mean_ms", waited / 1_000.0),
        ("db_load_fraction", misses / 1_000.0),
    ];
    for (key, ours) in ours {
        let known = number(&case.expected[key]);
        assert!((ours - known).abs() < 1e-9, "{}: {key}: {ours}", case.name);
    }
}

#[test]
fn copies_race_age_and_cost_as_defined() {
    for case in cases(WRITES, NOT_APPLICABLE) {
        if case.input.contains_key("order") {
            race(&case);
        } else if case.input.contains_key("ttl_s") {
            life(&case);
        } else {
            costs(&case);
        }
    }
}
