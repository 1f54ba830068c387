//! Hadoop's own tests of its block placement, and Kafka's of its striped placer with Kafka's own source of chance, against
//! `block_placement` and `replica_placement`.

use crate::table::{Case, run};
use algorithms::block_placement::Topology;
use algorithms::hash::mix64;
use algorithms::replica_placement::{Broker, Striped};
use serde_json::{Value, json};

#[test]
fn hdfs_block_placement() {
    run(
        include_str!("hdfs_block_placement.json"),
        &[],
        &[],
        hdfs_answer,
    );
}

/// Each case on a thousand random choices: what must hold must hold for all.
fn hdfs_answer(case: &Case<'_>) -> Option<Value> {
    let machines: Vec<(&String, &str)> = case.input["topology"]
        .as_object()?
        .iter()
        .map(|(name, rack)| (name, rack.as_str().unwrap_or("")))
        .collect();
    let number = |name: &Value| {
        machines
            .iter()
            .position(|one| Some(one.0.as_str()) == name.as_str())
    };
    let listed = |field: &str| -> Vec<usize> {
        let names = case.input[field].as_array().into_iter().flatten();
        names.filter_map(number).collect()
    };
    let racks: Vec<u32> = machines
        .iter()
        .map(|one| {
            machines
                .iter()
                .position(|other| other.1 == one.1)
                .unwrap_or(0) as u32
        })
        .collect();
    let barred = [listed("excluded"), listed("no_space")].concat();
    let may: Vec<bool> = (0..racks.len()).map(|one| !barred.contains(&one)).collect();
    let topology = Topology {
        racks: &racks,
        may: &may,
    };
    let writer = number(&case.input["writer"])?;
    let mut state = 1;
    let mut below = |n: usize| {
        state = mix64(state);
        state as usize % n
    };
    let said = case.expected["invariants"].as_array()?;
    let (mut held, mut count) = (vec![true; said.len()], None);
    for _ in 0..1_000 {
        let mut t = listed("already_chosen");
        topology.choose(writer, &mut t, case.need("replicas") as usize, &mut below);
        assert!(count.is_none_or(|count| count == t.len()), "{}", case.name);
        count = Some(t.len());
        let rack = |i: usize| racks[t[i]];
        let name = |i: usize| machines[t[i]].0.as_str();
        for (held, said) in held.iter_mut().zip(said) {
            *held &= match said.as_str()? {
                "t[0]==dn0" => name(0) == "dn0",
                "t[0]==dn1" => name(0) == "dn1",
                "rack(t[0])!=r1" => rack(0) != racks[0],
                "rack(t[0])!=rack(t[1])" => rack(0) != rack(1),
                "rack(t[i])!=rack(t[0]) for i in 1..3" => (1..3).all(|i| rack(i) != rack(0)),
                "rack(t[1])==rack(t[2]) or rack(t[2])==rack(t[3])" => {
                    rack(1) == rack(2) || rack(2) == rack(3)
                }
                "rack(t[1])!=rack(t[3])" => rack(1) != rack(3),
                "dn2 in targets" => (0..t.len()).any(|i| name(i) == "dn2"),
                _ => false,
            };
        }
    }
    let holds = said.iter().zip(held).filter(|(_, held)| *held);
    let held: Vec<&Value> = holds.map(|(said, _)| said).collect();
    Some(json!({"count": count, "invariants": held}))
}

/// Kafka's `MockRandom`: a linear congruential generator behind `java.util.Random`, whose `nextInt(bound)` this is.
struct MockRandom(u64);

impl MockRandom {
    fn below(&mut self, bound: usize) -> usize {
        let bound = bound as i64;
        loop {
            self.0 = self
                .0
                .wrapping_mul(2_862_933_555_777_941_757)
                .wrapping_add(3_037_000_493);
            let bits = (self.0 >> 33) as i64;
            if bound & (bound - 1) == 0 {
                return ((bound * bits) >> 31) as usize;
            }
            let value = bits % bound;
            if bits - value + (bound - 1) < 1 << 31 {
                return value as usize;
            }
        }
    }
}

/// With the peer's own source of chance the very lists come out.
#[test]
fn replica_placement_kafka_lists() {
    run(
        include_str!("replica_placement_kafka.json"),
        &[],
        &["invariants"],
        |case| {
            let brokers: Vec<Broker> = case.input["brokers"]
                .as_array()?
                .iter()
                .map(|one| Broker {
                    id: one["id"].as_u64().unwrap_or(0) as u32,
                    rack: one["rack"].as_str().map(str::to_owned),
                    fenced: one["fenced"] == json!(true),
                })
                .collect();
            let mut random = MockRandom(17);
            let mut below = |n: usize| random.below(n);
            let mut placer = Striped::new(&brokers, &mut below);
            let count = case
                .int("placements")
                .or(case.int("partitions"))
                .unwrap_or(1);
            let copies = case.need("rf") as usize;
            let placed: Result<Vec<_>, _> = (0..count)
                .map(|_| placer.next(copies, &mut below))
                .collect();
            Some(match placed {
                Ok(lists) => json!({"with_peer_mock_random": lists}),
                Err(_) => json!({"error": true}),
            })
        },
    );
}
