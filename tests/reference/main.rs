//! Outside tables: inputs and outputs that others published, run through our algorithms.

mod autoscaling;
mod bitmaps;
mod cache_layers;
mod caching;
mod circuit_breaker;
mod client_server;
mod consistency;
mod consistent_hashing;
mod dns;
mod elections;
mod indexes;
mod isolation;
mod kubernetes;
mod load_balancing;
mod locking;
mod membership;
mod merkle;
mod messaging;
mod placement;
mod probabilistic;
mod queueing;
mod rate_limiting;
mod replication;
mod retry;
mod routing;
mod scaling;
mod search;
mod serverless;
mod service_mesh;
mod sharding;
mod short_codes;
mod streams;
mod table;
mod transactions;
mod wal;

use serde_json::{Map, Value};

/// One row of a table.
struct Case {
    name: String,
    input: Map<String, Value>,
    expected: Map<String, Value>,
}

/// All cases of a table but those listed as not applicable, each of which must exist.
fn cases(table: &str, not_applicable: &[(&str, &str)]) -> Vec<Case> {
    let table: Value = serde_json::from_str(table).unwrap();
    let object = |value: &Value| value.as_object().unwrap().clone();
    let all: Vec<Case> = table["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| Case {
            name: case["name"].as_str().unwrap().to_owned(),
            input: object(&case["input"]),
            expected: object(&case["expected"]),
        })
        .collect();
    for (name, _) in not_applicable {
        assert!(
            all.iter().any(|case| case.name == *name),
            "no case is called {name}"
        );
    }
    all.into_iter()
        .filter(|case| not_applicable.iter().all(|(name, _)| case.name != *name))
        .collect()
}
