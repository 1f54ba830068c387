//! Load balancing: nginx, HAProxy and LVS picks, the supermarket model and balls into bins.

use std::collections::BTreeMap;

use algorithms::balancer::{Balancer, IP_HASH_START, Policy, ip_hash};
use algorithms::hash_ring::NginxContinuum;
use algorithms::health::PassiveCheck;
use algorithms::queueing;
use algorithms::weighted_round_robin::{LvsWeightedRoundRobin, NaiveWeightedRoundRobin};
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg32;
use serde_json::{Map, Value};

use crate::cases;

const ANYONE: [u8; 4] = [0; 4];

/// Nothing is left out: every case of these tables is run.
const NOT_APPLICABLE: &[(&str, &str)] = &[];

#[test]
fn smooth_weighted_round_robin() {
    for case in cases(
        include_str!("lb_smooth_weighted_round_robin.json"),
        NOT_APPLICABLE,
    ) {
        let (names, weights) = names_and_weights(&case.input["weights"]);
        let mut balancer = Balancer::with_weights(&weights);
        let cycle = weights.iter().sum::<u32>() as usize;
        let picks = case
            .input
            .get("picks")
            .and_then(Value::as_u64)
            .map_or(cycle, |picks| picks as usize);
        let picked = pick_many(&mut balancer, Policy::WeightedRoundRobin, picks);
        let sequence: Vec<&str> = picked.iter().map(|&peer| names[peer].as_str()).collect();
        for (key, expected) in &case.expected {
            let context = format!("{}: {key}", case.name);
            match key.as_str() {
                "sequence" => assert_eq!(sequence, strings(expected), "{context}"),
                "not_sequence" => assert_ne!(sequence, strings(expected), "{context}"),
                "final_current_weights" => {
                    let current: Vec<_> = balancer
                        .peers()
                        .iter()
                        .map(|peer| peer.current_weight)
                        .collect();
                    assert_eq!(Value::from(current), *expected, "{context}");
                }
                "counts_per_cycle" => {
                    assert_eq!(picks, cycle, "{context}");
                    assert_eq!(counts(&sequence), *expected, "{context}");
                }
                _ => panic!("{context}: unknown expectation"),
            }
        }
    }
}

#[test]
fn nginx_balancers() {
    for case in cases(
        include_str!("lb_round_robin_least_conn_hash.json"),
        NOT_APPLICABLE,
    ) {
        let input = &case.input;
        let name = &case.name;
        match input["algorithm"].as_str().unwrap() {
            "round_robin" => {
                // nginx's round robin is the smooth weighted one; with equal weights the plain one
                // must agree.
                let requests = input["requests"].as_u64().unwrap() as usize;
                let (names, weights) = names_and_weights(&input["servers"]);
                for policy in [Policy::RoundRobin, Policy::WeightedRoundRobin] {
                    let mut balancer = Balancer::with_weights(&weights);
                    let picked = named(&pick_many(&mut balancer, policy, requests), &names);
                    assert_eq!(counts(&picked), case.expected["counts"], "{name}");
                }
            }
            "least_conn" => {
                // Of two concurrent requests one stays open on the first server and the other ends.
                let (names, weights) = names_and_weights(&input["servers"]);
                let mut balancer = Balancer::with_weights(&weights);
                for expected in [0, 1] {
                    let picked = pick_many(&mut balancer, Policy::LeastConnections, 1)[0];
                    assert_eq!(picked, expected, "{name}");
                    balancer.opened(picked);
                }
                balancer.closed(1);
                let mut picked = Vec::new();
                for _ in 0..input["then_sequential_requests"].as_u64().unwrap() {
                    let peer = pick_many(&mut balancer, Policy::LeastConnections, 1)[0];
                    balancer.opened(peer);
                    balancer.closed(peer);
                    picked.push(names[peer].as_str());
                }
                assert_eq!(counts(&picked), case.expected["counts"], "{name}");
            }
            "hash" if input.contains_key("same_key_requests") => {
                let (_, weights) = names_and_weights(&input["servers"]);
                let mut balancer = Balancer::with_weights(&weights);
                let mut picked: Vec<_> = (0..input["same_key_requests"].as_u64().unwrap())
                    .map(|_| balancer.pick_by_key(b"the same key").unwrap())
                    .collect();
                picked.dedup();
                assert_eq!(picked.len(), case.expected["distinct_servers"], "{name}");
            }
            "hash" => {
                let (names, weights) = names_and_weights(&input["servers"]);
                let mut balancer = Balancer::with_weights(&weights);
                for (peer, server) in names.iter().enumerate() {
                    balancer.set_eligible(peer, server != "dead");
                }
                let picked: Vec<&str> = strings(&input["keys"])
                    .iter()
                    .map(|key| names[balancer.pick_by_key(key.as_bytes()).unwrap()].as_str())
                    .collect();
                assert_eq!(counts(&picked), case.expected["counts"], "{name}");
            }
            "hash (not consistent)" => assert_moves(&case.input, &case.expected, |servers, key| {
                let weights: Vec<u32> = servers.iter().map(|server| server.1).collect();
                Balancer::with_weights(&weights)
                    .pick_by_key(key.as_bytes())
                    .unwrap()
            }),
            "hash consistent" => assert_moves(&case.input, &case.expected, |servers, key| {
                NginxContinuum::new(servers)
                    .owner(key.as_bytes(), |_| true)
                    .unwrap() as usize
            }),
            other => panic!("{name}: unknown algorithm {other}"),
        }
    }
}

/// nginx-tests upstream.t, "failures": of 30 requests over two servers of which the first drops every
/// third, it answers 6 and is out after its third failure; all others, retried, reach the second.
#[test]
fn nginx_passive_failures() {
    let mut balancer = Balancer::with_weights(&[1, 1]);
    let mut checks = [PassiveCheck::new(3, 10_000); 2];
    let (mut reached_first, mut answered) = (0, [0; 2]);
    for request in 0..30 {
        let now_ms = 1_000_000 + request;
        let mut tried = [false; 2];
        loop {
            for peer in 0..2 {
                let available = checks[peer].is_available(now_ms) && !tried[peer];
                balancer.set_eligible(peer, available);
            }
            let peer = pick_many(&mut balancer, Policy::WeightedRoundRobin, 1)[0];
            checks[peer].picked(now_ms);
            reached_first += usize::from(peer == 0);
            if peer == 0 && reached_first % 3 == 0 {
                checks[peer].failed(now_ms);
                tried[peer] = true;
                continue;
            }
            checks[peer].succeeded();
            answered[peer] += 1;
            break;
        }
    }
    assert_eq!(answered, [6, 24]);
}

#[test]
fn haproxy_and_lvs_round_robin() {
    for case in cases(
        include_str!("lb_round_robin_haproxy_lvs.json"),
        NOT_APPLICABLE,
    ) {
        let input = &case.input;
        let name = &case.name;
        if let Some(removed) = input.get("removed").and_then(Value::as_str) {
            let (mut names, weights) = names_and_weights(&input["servers"]);
            let mut balancer = Balancer::with_weights(&weights);
            let before = strings(&input["sequence_before"]);
            let picked = pick_many(&mut balancer, Policy::RoundRobin, before.len());
            assert_eq!(named(&picked, &names), before, "{name}");
            let gone = names.iter().position(|server| server == removed).unwrap();
            balancer.remove_peer(gone);
            names.remove(gone);
            let next = input["next"].as_u64().unwrap() as usize;
            let picked = pick_many(&mut balancer, Policy::RoundRobin, next);
            let expected = strings(&case.expected["sequence_after"]);
            assert_eq!(named(&picked, &names), expected, "{name}");
        } else if input.contains_key("weights") {
            let (names, weights) = names_and_weights(&input["weights"]);
            let expected = strings(&case.expected["sequence"]);
            let mut pick: Box<dyn FnMut() -> Option<usize>> = if name.starts_with("LVS") {
                let mut lvs = LvsWeightedRoundRobin::new(weights);
                Box::new(move || lvs.pick())
            } else {
                assert!(name.starts_with("naive"), "{name}: unknown scheduler");
                let mut naive = NaiveWeightedRoundRobin::new(weights);
                Box::new(move || naive.pick())
            };
            let picked: Vec<_> = expected.iter().map(|_| pick().unwrap()).collect();
            assert_eq!(named(&picked, &names), expected, "{name}");
        } else {
            let (names, weights) = names_and_weights(&input["servers"]);
            let mut balancer = Balancer::with_weights(&weights);
            let requests = input["requests"].as_u64().unwrap() as usize;
            let picked = pick_many(&mut balancer, Policy::RoundRobin, requests);
            match (case.expected.get("sequence"), case.expected.get("counts")) {
                (Some(sequence), None) => {
                    assert_eq!(named(&picked, &names), strings(sequence), "{name}");
                }
                (None, Some(expected)) => {
                    assert_eq!(
                        Value::from(tally(&picked, names.len())),
                        *expected,
                        "{name}"
                    );
                }
                _ => panic!("{name}: unknown expectation"),
            }
        }
    }
}

#[test]
fn nginx_ip_hash() {
    for case in cases(include_str!("lb_ip_hash.json"), NOT_APPLICABLE) {
        let name = &case.name;
        let pick = |weights: &[u32], address: &str| {
            let mut rng = Pcg32::seed_from_u64(0);
            Balancer::with_weights(weights)
                .pick(Policy::IpHash, octets(address), &mut rng)
                .unwrap()
        };
        if let Some(addresses) = case.input.get("addresses") {
            let weights = vec![1; case.input["peers"].as_u64().unwrap() as usize];
            let picked: Vec<_> = strings(addresses)
                .into_iter()
                .map(|address| pick(&weights, address))
                .collect();
            let expected = &case.expected["counts"];
            assert_eq!(
                Value::from(tally(&picked, weights.len())),
                *expected,
                "{name}"
            );
            continue;
        }
        let address = case.input["address"].as_str().unwrap();
        for (key, expected) in &case.expected {
            let actual = match key.as_str() {
                "hash_mod_6271" => ip_hash(IP_HASH_START, octets(address)) as usize,
                "peer_of_2" => pick(&[1, 1], address),
                "peer_of_3" => pick(&[1, 1, 1], address),
                "peer_weights_1_2_3" => pick(&[1, 2, 3], address),
                _ => panic!("{name}: unknown expectation {key}"),
            };
            assert_eq!(actual, *expected, "{name}: {key}");
        }
    }
}

#[test]
fn power_of_two_choices() {
    for case in cases(include_str!("power_of_two_choices.json"), NOT_APPLICABLE) {
        let (input, expected, name) = (&case.input, &case.expected, &case.name);
        let number = |key: &str| input.get(key).and_then(Value::as_f64);
        let choices = number("choices").map_or(0, |choices| choices as u32);
        if let Some(balls) = number("balls") {
            let trials = number("trials").unwrap();
            let shares = maximum_shares(choices, balls as u32, number("bins").unwrap() as u32);
            assert_shares(name, &shares, &expected["fraction_of_trials"], 1.0, trials);
            let mean: f64 = shares
                .iter()
                .map(|(load, share)| *load as f64 * share)
                .sum();
            let published = expected["mean_max"].as_f64().unwrap();
            // The maximum moves by about half a ball between trials; five standard errors of the
            // smaller of the two samples.
            let tolerance = 5.0 * 0.5 / f64::from(TRIALS).min(trials).sqrt();
            assert_near(name, mean, published, tolerance);
        } else if let Some(n) = number("n") {
            for (choices, key) in [(1, "percent_1_choice"), (2, "percent_2_choices")] {
                let shares = maximum_shares(choices, n as u32, n as u32);
                // The source's sample was 100 trials.
                assert_shares(name, &shares, &expected[key], 100.0, 100.0);
            }
        } else {
            let load = number("lambda_per_server").unwrap();
            let theory = queueing::supermarket(choices, load).unwrap();
            match number("servers") {
                None => {
                    let published = expected["mean_time_in_system"].as_f64().unwrap();
                    assert_near(name, theory, published, 1e-9 * published);
                }
                Some(servers) => {
                    if let Some(prediction) = expected.get("prediction") {
                        // Published to four decimals.
                        assert_near(name, theory, prediction.as_f64().unwrap(), 6e-5);
                    }
                    let published = expected
                        .get("simulation")
                        .or(expected.get("mean_time_in_system"))
                        .and_then(Value::as_f64)
                        .unwrap();
                    let measured = supermarket_time(servers as u32, choices, load);
                    // The source's runs stray by 1.5 % from their mean; allow as much again for ours.
                    assert_near(name, measured, published, 0.025 * published);
                    // Finitely many queues are longer than infinitely many, by far for few.
                    assert!(servers > 50.0 || measured > theory, "{name}: {measured}");
                }
            }
        }
    }
}

const TRIALS: u32 = 120;

/// How often the fullest bin ends up with how many balls, as shares of [`TRIALS`].
fn maximum_shares(choices: u32, balls: u32, bins: u32) -> BTreeMap<u32, f64> {
    let mut shares = BTreeMap::new();
    for trial in 0..TRIALS {
        let mut rng = Pcg32::seed_from_u64(u64::from(trial));
        let mut balancer = Balancer::with_weights(&vec![1; bins as usize]);
        let mut maximum = 0;
        for _ in 0..balls {
            let bin = balancer.pick_least_of(choices, &mut rng).unwrap();
            balancer.opened(bin);
            maximum = maximum.max(balancer.peers()[bin].active);
        }
        *shares.entry(maximum).or_insert(0.0) += 1.0 / f64::from(TRIALS);
    }
    shares
}

/// Every maximum, published or measured, has about the published share.
fn assert_shares(
    name: &str,
    measured: &BTreeMap<u32, f64>,
    published: &Value,
    published_unit: f64,
    published_trials: f64,
) {
    let mut maxima: Vec<u32> = measured.keys().copied().collect();
    maxima.extend(
        published
            .as_object()
            .unwrap()
            .keys()
            .map(|key| key.parse::<u32>().unwrap()),
    );
    for maximum in maxima {
        let measured = measured.get(&maximum).copied().unwrap_or(0.0);
        let published = published[maximum.to_string()].as_f64().unwrap_or(0.0) / published_unit;
        // Five standard deviations of the difference of two binomial shares, plus two trials of
        // slack where the share itself is nearly 0.
        let share = (measured + published) / 2.0;
        let trials = 1.0 / f64::from(TRIALS) + 1.0 / published_trials;
        let tolerance = 5.0 * (share * (1.0 - share) * trials).sqrt() + 2.0 * trials;
        assert_near(
            &format!("{name}: maximum {maximum}"),
            measured,
            published,
            tolerance,
        );
    }
}

/// Mean time in system, in mean service times, of a simulated supermarket.
///
/// The chain is uniformised: each step is an arrival or, at the rate of all servers together, a
/// service that counts only if its server is busy. Its mean population is then the plain mean over
/// steps, and Little's law turns that into time.
fn supermarket_time(servers: u32, choices: u32, load: f64) -> f64 {
    const STEPS: u32 = 1_600_000;
    let mut rng = Pcg32::seed_from_u64(7);
    let mut balancer = Balancer::with_weights(&vec![1; servers as usize]);
    let (mut inside, mut sum, mut counted) = (0_u64, 0_u64, 0_u64);
    let arrivals = (load / (1.0 + load) * f64::from(u32::MAX)) as u32;
    for step in 0..STEPS {
        if rng.next_u32() < arrivals {
            let server = balancer.pick_least_of(choices, &mut rng).unwrap();
            balancer.opened(server);
            inside += 1;
        } else {
            let server = rng.random_range(0..servers) as usize;
            if balancer.peers()[server].active > 0 {
                balancer.closed(server);
                inside -= 1;
            }
        }
        // The empty start is not the long run.
        if step >= STEPS / 10 {
            sum += inside;
            counted += 1;
        }
    }
    sum as f64 / counted as f64 / (load * f64::from(servers))
}

/// Runs all keys before and after servers leave and compares the owners of those that stayed.
fn assert_moves(
    input: &Map<String, Value>,
    expected: &Map<String, Value>,
    owner: impl Fn(&[(&str, u32)], &str) -> usize,
) {
    let read = |key: &str| {
        let (names, weights) = names_and_weights(&input[key]);
        names.into_iter().zip(weights).collect::<Vec<_>>()
    };
    let (before, after) = (read("servers_before"), read("servers_after"));
    let borrow = |servers: &[(String, u32)], key: &str| {
        let borrowed: Vec<(&str, u32)> = servers
            .iter()
            .map(|(server, weight)| (server.as_str(), *weight))
            .collect();
        borrowed[owner(&borrowed, key)].0.to_owned()
    };
    let mut moved_needlessly = 0;
    let mut moved = 0;
    for key in strings(&input["keys"]) {
        let (old, new) = (borrow(&before, key), borrow(&after, key));
        moved += usize::from(old != new);
        let survived = after.iter().any(|(server, _)| *server == old);
        moved_needlessly += usize::from(survived && old != new);
    }
    let unchanged = expected["keys_not_on_s2_unchanged"].as_bool().unwrap();
    assert_eq!(moved_needlessly == 0, unchanged, "{moved} keys moved");
}

fn pick_many(balancer: &mut Balancer, policy: Policy, picks: usize) -> Vec<usize> {
    let mut rng = Pcg32::seed_from_u64(0);
    (0..picks)
        .map(|_| balancer.pick(policy, ANYONE, &mut rng).unwrap())
        .collect()
}

/// Reads `["a", "b"]`, `{"a": 5, "b": 1}` or a mere number of servers.
fn names_and_weights(servers: &Value) -> (Vec<String>, Vec<u32>) {
    match servers {
        Value::Object(weights) => weights
            .iter()
            .map(|(name, weight)| (name.clone(), weight.as_u64().unwrap() as u32))
            .unzip(),
        Value::Array(names) => names
            .iter()
            .map(|name| (name.as_str().unwrap().to_owned(), 1))
            .unzip(),
        count => (0..count.as_u64().unwrap())
            .map(|index| (index.to_string(), 1))
            .unzip(),
    }
}

fn named<'a>(picked: &[usize], names: &'a [String]) -> Vec<&'a str> {
    picked.iter().map(|&peer| names[peer].as_str()).collect()
}

fn tally(picked: &[usize], peers: usize) -> Vec<u64> {
    let mut tally = vec![0; peers];
    for &peer in picked {
        tally[peer] += 1;
    }
    tally
}

fn counts(picked: &[&str]) -> Value {
    let mut counts = BTreeMap::new();
    for &name in picked {
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }
    counts
        .into_iter()
        .map(|(name, count)| (name, Value::from(count)))
        .collect::<Map<_, _>>()
        .into()
}

fn strings(value: &Value) -> Vec<&str> {
    let values = value.as_array().unwrap();
    values.iter().map(|value| value.as_str().unwrap()).collect()
}

fn octets(address: &str) -> [u8; 4] {
    address.parse::<std::net::Ipv4Addr>().unwrap().octets()
}

fn assert_near(name: &str, actual: f64, expected: f64, tolerance: f64) {
    assert!(
        (actual - expected).abs() <= tolerance,
        "{name}: {actual} is not within {tolerance} of {expected}"
    );
}
