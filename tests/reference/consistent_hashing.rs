//! Consistent hashing: hash functions, ketama and Maglev, jump hash, Redis Cluster slots, and how even a ring is.

use algorithms::hash::{self, cache_memcached, crc32};
use algorithms::hash_ring::{
    HashRing, KETAMA_DIGESTS, RING, ketama_points, scattered_points, unevenness_expected,
};
use algorithms::hash_slots::{even_ranges, slot_of};
use algorithms::jump::jump_hash;
use algorithms::maglev::Preference;
use algorithms::mod_n;
use serde_json::Value;

use crate::cases;

/// Nothing is left out: every case of these tables is run.
const NOT_APPLICABLE: &[(&str, &str)] = &[];

#[test]
fn hash_functions() {
    for case in cases(include_str!("hash_functions.json"), NOT_APPLICABLE) {
        let bytes = case.input["utf8"].as_str().unwrap().as_bytes();
        for (function, expected) in &case.expected {
            let actual = match function.as_str() {
                "fnv1_32" => Value::from(format!("{:08x}", hash::fnv1_32(bytes))),
                "fnv1a_32" => Value::from(format!("{:08x}", hash::fnv1a_32(bytes))),
                "fnv1_64" => Value::from(format!("{:016x}", hash::fnv1_64(bytes))),
                "fnv1a_64" => Value::from(format!("{:016x}", hash::fnv1a_64(bytes))),
                "crc32" => Value::from(format!("{:08x}", crc32(bytes))),
                "crc32_shift16_and_7fff" => Value::from(cache_memcached(crc32(bytes))),
                _ => panic!("{}: unknown function {function}", case.name),
            };
            assert_eq!(actual, *expected, "{}: {function}", case.name);
        }
    }
}

#[test]
fn ketama() {
    for case in cases(include_str!("consistent_hash_ketama.json"), NOT_APPLICABLE) {
        let (input, name) = (&case.input, &case.name);
        if let Some(node) = input.get("node").and_then(Value::as_str) {
            let rep = input["rep"].as_u64().unwrap() as usize;
            let points: Vec<u32> = ketama_points(node, KETAMA_DIGESTS).collect();
            let four = &points[4 * rep..][..4];
            let digested = format!("{node}-{rep}");
            assert_eq!(case.expected["md5_of"], digested, "{name}");
            assert_eq!(hash::ketama_quarters(digested.as_bytes()), four, "{name}");
            assert_eq!(case.expected["points"], Value::from(four), "{name}");
            assert_eq!(case.expected["points_per_node"], points.len(), "{name}");
            continue;
        }
        let mut ring = HashRing::new();
        if let Some(nodes) = input.get("nodes") {
            for (number, node) in (0..).zip(nodes.as_array().unwrap()) {
                ring.add_node(
                    number,
                    ketama_points(node.as_str().unwrap(), KETAMA_DIGESTS),
                );
            }
        }
        if let Some(point) = input.get("max_point") {
            assert_eq!(ring.points().last().unwrap().position, *point, "{name}");
        }
        let hash_of = |key: &Value| hash::ketama(key.as_str().unwrap().as_bytes());
        for (key, expected) in &case.expected {
            match key.as_str() {
                "hash" | "hash_u32" => assert_eq!(hash_of(&input["key"]), *expected, "{name}"),
                "node_index" => {
                    let owner = ring.owner(hash_of(&input["key"])).unwrap();
                    assert_eq!(owner, *expected, "{name}");
                }
                "node_of_key" => {
                    let owners = input["keys"].as_array().unwrap().iter().map(|key| {
                        let owner = ring.owner(hash_of(key)).unwrap();
                        input["nodes"][owner as usize].clone()
                    });
                    assert_eq!(Value::from_iter(owners), *expected, "{name}");
                }
                _ => panic!("{name}: unknown expectation {key}"),
            }
        }
    }
}

#[test]
fn jump_consistent_hash() {
    for case in cases(include_str!("jump_consistent_hash.json"), NOT_APPLICABLE) {
        let (input, name) = (&case.input, &case.name);
        if let Some(key) = input.get("key_u64") {
            let key: u64 = key.as_str().unwrap().parse().unwrap();
            let actual = match &input["buckets"] {
                Value::Array(range) => {
                    let (first, last) = (small(&range[0]), small(&range[1]));
                    let buckets = first..=last;
                    Value::from_iter(buckets.map(|buckets| jump_hash(key, buckets)))
                }
                buckets => Value::from(jump_hash(key, small(buckets))),
            };
            assert_eq!(actual, case.expected["bucket"], "{name}");
            continue;
        }
        let keys = u64::from(small(&input["keys"][0]))..=u64::from(small(&input["keys"][1]));
        let count = keys.clone().count() as f64;
        let (from, to) = (small(&input["from"]), small(&input["to"]));
        let moved: Vec<_> = keys
            .filter_map(|key| {
                let after = jump_hash(key, to);
                (jump_hash(key, from) != after).then_some(after)
            })
            .collect();
        assert_eq!(moved.len(), case.expected["moved"], "{name}");
        for after in &moved {
            assert_eq!(
                Value::from(*after),
                case.expected["all_moved_go_to"],
                "{name}"
            );
        }
        // Four standard deviations of a binomial share.
        let share = case.expected["expected_fraction"].as_f64().unwrap();
        let tolerance = 4.0 * (share * (1.0 - share) / count).sqrt();
        assert_near(name, moved.len() as f64 / count, share, tolerance);
    }
}

#[test]
fn redis_cluster_slots() {
    for case in cases(
        include_str!("hash_slots_redis_cluster.json"),
        NOT_APPLICABLE,
    ) {
        let (actual, expected) = match case.input.get("masters") {
            Some(masters) => {
                let ranges = even_ranges(small(masters) as u16);
                let ends = ranges
                    .iter()
                    .map(|range| vec![*range.start(), *range.end()]);
                (Value::from_iter(ends), &case.expected["ranges"])
            }
            None => {
                let key = case.input["key"].as_str().unwrap();
                (Value::from(slot_of(key.as_bytes())), &case.expected["slot"])
            }
        };
        assert_eq!(actual, *expected, "{}", case.name);
    }
}

#[test]
fn ring_balance() {
    for case in cases(include_str!("consistent_hash_balance.json"), NOT_APPLICABLE) {
        let (input, name) = (&case.input, &case.name);
        let expected = |key: &str| case.expected[key].as_f64().unwrap();
        if let Some(from) = input.get("from") {
            let (from, to) = (small(from), small(&input["to"]));
            let modulo = mod_n::moved_share(from, to).unwrap();
            assert_near(name, modulo, expected("fraction_moved_modulo"), 1e-12);
            let least = mod_n::moved_share_least(from, to).unwrap();
            assert_near(name, least, expected("fraction_moved_consistent"), 1e-12);
            // A ring of many points comes close to the least, by its unevenness.
            let mut ring = HashRing::new();
            for node in 0..from.min(to) {
                ring.add_node(node, scattered_points(1, node, 2_000));
            }
            let before = ring.clone();
            for node in from.min(to)..from.max(to) {
                ring.add_node(node, scattered_points(1, node, 2_000));
            }
            let moved = ring.moved_since(&before);
            let length: u64 = moved.iter().map(|moved| moved.arc.length()).sum();
            let tolerance = 4.0 * unevenness_expected(to, 2_000) * least;
            assert_near(name, length as f64 / RING as f64, least, tolerance);
            continue;
        }
        let (nodes, virtual_nodes) = (small(&input["nodes"]), small(&input["virtual_nodes"]));
        let formula = unevenness_expected(nodes, virtual_nodes);
        assert_near(name, formula, expected("cv_of_load_formula"), 1e-12);

        // Fewer trials where the points are many, as each then says the same.
        let trials = 200_000 / (nodes * virtual_nodes);
        let trials = trials.clamp(60, 600);
        let (mut unevenness, mut maximum) = (0.0, 0.0);
        for seed in 0..trials {
            let mut points = HashRing::new();
            for node in 0..nodes {
                points.add_node(node, scattered_points(u64::from(seed), node, virtual_nodes));
            }
            let mean = RING as f64 / f64::from(nodes);
            let shares = points.lengths();
            let shares = shares.values().map(|&length| length as f64 / mean);
            let variance: f64 = shares.clone().map(|share| (share - 1.0).powi(2)).sum();
            unevenness += (variance / f64::from(nodes)).sqrt() / f64::from(trials);
            maximum += shares.fold(0.0, f64::max) / f64::from(trials);
        }
        // One ring's unevenness strays from the mean by about 1/√(2n) of it; four standard errors of
        // that, doubled for the source's own sample.
        let error = 4.0 * 2.0 / f64::from(2 * nodes * trials).sqrt();
        let published = expected("cv_of_load_monte_carlo");
        assert_near(name, unevenness, published, error * published);
        // The fullest node strays by about as much, as a share of its excess over the mean.
        let published = expected("mean_max_over_mean");
        let tolerance = 2.0 * error * (published - 1.0);
        assert_near(name, maximum, published, tolerance);
    }
}

#[test]
fn maglev() {
    for case in cases(include_str!("maglev_table.json"), NOT_APPLICABLE) {
        let size = small(&case.input["M"]);
        let preference = Preference {
            offset: small(&case.input["offset"]),
            skip: small(&case.input["skip"]),
        };
        let slots = preference.slots(size).take(size as usize);
        assert_eq!(
            Value::from_iter(slots),
            case.expected["permutation"],
            "{}",
            case.name
        );
    }
}

fn small(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn assert_near(name: &str, actual: f64, expected: f64, tolerance: f64) {
    assert!(
        (actual - expected).abs() <= tolerance,
        "{name}: {actual} is not within {tolerance} of {expected}"
    );
}
