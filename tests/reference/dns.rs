//! What a resolver keeps and for how long: CoreDNS's cache, RFC 2308, and the renewal argument.

use crate::table::{Case, run};
use algorithms::dns_cache::{self, Answer, DnsCache, Found, Settings, Stale};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

const SECOND_US: u64 = 1_000_000;

#[test]
fn dns_ttl_cache() {
    run(include_str!("dns_ttl_cache.json"), &[], &[], answer);
}

fn settings() -> Settings {
    Settings {
        max_s: u32::MAX,
        ..Settings::default()
    }
}

fn records(ttls_s: Vec<u32>) -> Answer<()> {
    Answer::Records { data: (), ttls_s }
}

fn cache(settings: Settings) -> DnsCache<String, ()> {
    DnsCache::new(settings)
}

/// `1h verify, stale ttl 45`, perhaps with `keepttl`.
fn stale(text: &str, settings: &mut Settings) {
    let word_after = |marker: &str| {
        let rest = text.split(marker).nth(1)?.trim_start();
        rest.split([',', ' ']).next()?.parse().ok()
    };
    let first = text.split_whitespace().next().unwrap_or_default();
    let (number, unit) = first.split_at(first.len() - 1);
    let number: u32 = number.parse().expect("a duration");
    let up_to_s = number
        * match unit {
            "h" => 3_600,
            "m" => 60,
            _ => 1,
        };
    let ttl_s = word_after("stale ttl").unwrap_or(0);
    settings.stale = if text.contains("verify") {
        Stale::Verify { up_to_s, ttl_s }
    } else {
        Stale::AtOnce { up_to_s, ttl_s }
    };
    settings.keeps_ttl = text.contains("keepttl");
}

fn answer(case: &Case<'_>) -> Option<Value> {
    let key = || "cached.org.".to_owned();
    if case.takes(&["msg_ttl", "max_ttl"]) {
        let settings = Settings {
            min_s: case.int("min_ttl").unwrap_or(0) as u32,
            max_s: case.count("max_ttl"),
            ..settings()
        };
        let mut cache = cache(settings);
        let kept_s = cache.store(0, key(), records(vec![case.count("msg_ttl")]));
        let Found::Fresh { ttl_s, .. } = cache.look(0, &key()) else {
            panic!("{}: not kept", case.name)
        };
        return Some(json!({"ttl": kept_s, "answer_ttl": ttl_s}));
    }
    if let Some(ttls) = case.input["ttls"].as_array() {
        let ttls = ttls.iter().map(|ttl| ttl.as_u64().expect("a TTL") as u32);
        let kept_s = cache(settings()).store(0, key(), records(ttls.collect()));
        return Some(json!({"ttl": kept_s}));
    }
    if case.takes(&["soa_ttl", "soa_minimum"]) {
        let soa = Some((case.count("soa_ttl"), case.count("soa_minimum")));
        let settings = Settings {
            negative_max_s: u32::MAX,
            ..settings()
        };
        let kept_s = cache(settings).store(0, key(), Answer::Negative { soa, data: () });
        return Some(json!({"negative_ttl": kept_s}));
    }
    if case.input["rcode"].as_str() == Some("SERVFAIL") {
        let mut cache = cache(Settings {
            failure_s: case
                .int("fail_ttl")
                .map_or(dns_cache::FAILURE_TTL_S, |ttl| ttl as u32),
            ..settings()
        });
        let kept_s = cache.store(0, key(), Answer::Failure(()));
        let cached = cache.look(0, &key()) != Found::Miss;
        assert_eq!(cached, kept_s > 0);
        return Some(json!({"cached": cached, "ttl": kept_s}));
    }
    if case.takes(&["stale_up_to_s", "after_min"]) {
        let up_to_s = case.count("stale_up_to_s");
        let mut cache = cache(Settings {
            stale: Stale::AtOnce { up_to_s, ttl_s: 0 },
            ..settings()
        });
        let held = &case.input["cached"];
        let ttl_s = held["ttl"].as_u64()? as u32;
        cache.store(0, held["name"].as_str()?.to_owned(), records(vec![ttl_s]));
        let now_us = (case.number("after_min") * 60.0) as u64 * SECOND_US;
        let asked = case.input["query"].as_str()?.to_owned();
        let found = cache.look(now_us, &asked) != Found::Miss;
        return Some(json!({"answered": if found { "from cache" } else { "SERVFAIL" }}));
    }
    if case.takes(&["original_ttl", "advance_s"]) {
        let mut settings = settings();
        if let Some(text) = case.input["serve_stale"].as_str() {
            stale(text, &mut settings);
        }
        let mut cache = cache(settings);
        cache.store(0, key(), records(vec![case.count("original_ttl")]));
        let now_us = (case.number("advance_s") * SECOND_US as f64) as u64;
        let ttl_s = match cache.look(now_us, &key()) {
            Found::Fresh { ttl_s, .. } | Found::Stale { ttl_s, .. } => Some(ttl_s),
            // Verified first: the upstream of these cases is down.
            Found::Miss => cache.fall_back(now_us, &key()).map(|(_, ttl_s)| ttl_s),
        };
        return Some(json!({"answer_ttl": ttl_s}));
    }
    if case.takes(&["rate_per_s", "ttl_s"]) {
        let (rate, ttl_s) = (case.number("rate_per_s"), case.number("ttl_s"));
        played(rate, ttl_s);
        return Some(json!({
            "hit_ratio": dns_cache::hit_ratio(rate, ttl_s),
            "upstream_queries_per_s": dns_cache::upstream_rate(rate, ttl_s),
        }));
    }
    None
}

/// A cache that is really asked by a Poisson stream has the computed hit ratio.
fn played(rate: f64, ttl_s: f64) {
    let mut rng = Pcg64Mcg::seed_from_u64(4);
    let mut cache = cache(settings());
    let (lookups, mut hits, mut now_us) = (40_000, 0, 0);
    for _ in 0..lookups {
        let gap_s = -libm::log(1.0 - rng.random::<f64>()) / rate;
        now_us += (gap_s * SECOND_US as f64) as u64;
        match cache.look(now_us, &String::new()) {
            Found::Miss => drop(cache.store(now_us, String::new(), records(vec![ttl_s as u32]))),
            _ => hits += 1,
        }
    }
    let (ratio, seen) = (
        dns_cache::hit_ratio(rate, ttl_s),
        f64::from(hits) / f64::from(lookups),
    );
    // Four standard errors of independent lookups; the cycles here vary less.
    let tolerance = 4.0 * (0.25 / f64::from(lookups)).sqrt();
    assert!((seen - ratio).abs() < tolerance, "{seen} is not {ratio}");
}
