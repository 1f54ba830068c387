//! Sharding: where keys go by range and by hash, what salt does to a hot one, and where a range is cut.

use crate::table::{Case, run};
use algorithms::hash::ketama_quarters;
use algorithms::shard_map::{self, ShardMap};
use algorithms::zipf::Zipf;
use serde_json::{Value, json};

#[test]
fn sharding_hotspots() {
    run(include_str!("sharding_hotspots.json"), &[], &[], answer);
}

/// The first 8 bytes of the MD5 of a key, the most significant first.
fn md5(key: &str) -> u64 {
    // Quarters are read with the least significant byte first.
    let [first, second, ..] = ketama_quarters(key.as_bytes()).map(u32::swap_bytes);
    u64::from(first) << 32 | u64::from(second)
}

fn answer(case: &Case<'_>) -> Option<Value> {
    if case.takes(&["split_points", "writes"]) {
        let texts = |field: &str| -> Option<Vec<&str>> {
            case.input[field]
                .as_array()?
                .iter()
                .map(Value::as_str)
                .collect()
        };
        let points = texts("split_points")?;
        let map = ShardMap::new([""].into_iter().chain(points).zip(0..));
        let shards: Vec<usize> = texts("writes")?
            .iter()
            .map(|key| map.owner_of(key))
            .collect();
        let of = |shard: usize| shards.iter().filter(|it| **it == shard).count();
        let hottest = (0..map.pieces().len()).map(of).max()?;
        let share = hottest as f64 / shards.len() as f64;
        return Some(json!({"shards": shards, "hot_shard_share": share}));
    }
    if case.takes(&["hash"]) {
        let (shards, keys) = (case.need("shards"), case.need("keys"));
        // Hash sharding as a map over the space of hashes modulo n: a piece for each remainder.
        let map = ShardMap::new((0..shards).map(|shard| (shard, shard as usize)));
        let mut loads = vec![0_u64; shards as usize];
        for key in 0..keys {
            loads[map.owner_of(md5(&format!("user:{key}")) % shards)] += 1;
        }
        let mean = keys as f64 / shards as f64;
        let most = *loads.iter().max()? as f64 / mean;
        return Some(json!({"loads": loads, "max_over_mean": (most * 1e4).round() / 1e4}));
    }
    if case.takes(&["alpha"]) {
        let (keys, shards) = (case.need("keys") as usize, case.number("shards"));
        let hottest = Zipf::new(keys, case.number("alpha")).probability(0);
        return Some(json!({
            "hottest_key_share": hottest,
            "hottest_shard_share_at_least": hottest,
            "fair_share": 1.0 / shards,
            "overload_factor_at_least": hottest * shards,
        }));
    }
    if case.takes(&["share", "salts"]) {
        let (share, salts) = (case.number("share"), case.count("salts"));
        let mut names: Vec<_> = (0..salts)
            .map(|salt| shard_map::salted(b"cust42", salt))
            .collect();
        names.sort();
        names.dedup();
        return Some(json!({
            "share_per_subkey": shard_map::salted_share(share, salts),
            "reads_must_query": names.len(),
        }));
    }
    if case.takes(&["range_covers_one_shard"]) {
        let shards = case.need("shards");
        let by_range = ShardMap::new((0..shards).map(|shard| (shard * 100, shard as usize)));
        // Neighbours among keys lie anywhere in the space of hashes: their range is all of it.
        let by_hash =
            ShardMap::new((0..shards).map(|shard| (u64::MAX / shards * shard, shard as usize)));
        return Some(json!({
            "range_sharding_shards_queried": by_range.places(310, 390).len(),
            "hash_sharding_shards_queried": by_hash.places(0, u64::MAX).len(),
        }));
    }
    if case.takes(&["keys"]) {
        let keys: Vec<u64> = serde_json::from_value(case.input["keys"].clone()).ok()?;
        let at = shard_map::median(&keys)?;
        let mut map = ShardMap::new([(keys[0], 0)]);
        assert!(map.split(0, at));
        let half = |place: usize| -> Vec<u64> {
            keys.iter()
                .copied()
                .filter(|key| map.place_of(*key) == place)
                .collect()
        };
        return Some(json!({"split_point": at, "left": half(0), "right": half(1)}));
    }
    if case.takes(&["key"]) {
        let key = case.input["key"].as_str()?;
        let partition = shard_map::partition_key(key.as_bytes());
        let other = shard_map::partition_key(b"cust42#order10");
        return Some(json!({
            "partition_key": std::str::from_utf8(partition).ok()?,
            "same_shard_as_other_orders": partition == other,
        }));
    }
    None
}
