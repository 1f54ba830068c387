//! Kafka's own tests of partitioner, assignors and placer, and a log's definitions, against `partitioner`, `assignor`,
//! `replica_placement` and `log`.

use crate::table::{Case, run};
use algorithms::assignor::{Assignor, Member, Partition};
use algorithms::log::{Acks, Log, Replicas, Reset, Resume, resume};
use algorithms::partitioner::{Sticky, by_key, frequencies, murmur2};
use algorithms::replica_placement::{Broker, place};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value, json};

#[test]
fn kafka_partitioner() {
    run(include_str!("kafka_partitioner.json"), &[], &[], |case| {
        partitioner_answer(case)
    });
}

#[test]
fn kafka_assignors() {
    let prose = ["order_irrelevant_in_step_3"];
    run(
        include_str!("kafka_assignors.json"),
        &[],
        &prose,
        assignor_answer,
    );
}

#[test]
fn log_delivery_semantics() {
    run(
        include_str!("log_delivery_semantics.json"),
        &[],
        &[],
        log_answer,
    );
}

#[test]
fn replica_placement_kafka() {
    // The lists themselves follow the peer's mock of a random generator.
    run(
        include_str!("replica_placement_kafka.json"),
        &[],
        &["with_peer_mock_random"],
        placement_answer,
    );
}

fn partitioner_answer(case: &Case<'_>) -> Option<Value> {
    if case.takes(&["key_utf8"]) {
        let key = case.input["key_utf8"].as_str()?.as_bytes();
        let mut answer = json!({"murmur2_i32": murmur2(key)});
        for count in [3, 6, 10, 12] {
            answer[format!("partition_of_{count}")] = json!(by_key(key, count));
        }
        return Some(answer);
    }
    if case.takes(&["queue_sizes"]) {
        let sizes = case.input["queue_sizes"].as_array()?.iter();
        let sizes: Vec<u32> = sizes
            .map(|size| size.as_u64().unwrap_or(0) as u32)
            .collect();
        return Some(json!({"relative_frequencies": frequencies(&sizes)}));
    }
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let mut sticky = Sticky::default();
    if case.takes(&["sticky_batch_records"]) {
        let weights = vec![1; case.need("partitions") as usize];
        let batch = case.count("sticky_batch_records");
        let chosen: Vec<usize> = (0..case.need("records"))
            .map(|_| sticky.next(batch, &weights, &mut rng))
            .collect();
        return Some(json!({
            "records_1_to_3_same_partition": chosen[..3].iter().all(|one| *one == chosen[0]),
            "record_4_other_partition": chosen[3] != chosen[0],
        }));
    }
    let partitions = case.input["partitions"].as_array()?;
    let led = |one: &Value| u32::from(one["leader"] != json!(false));
    let weights: Vec<u32> = partitions.iter().map(led).collect();
    let chosen: Vec<usize> = (0..case.need("keyless_records"))
        .map(|_| sticky.next(1, &weights, &mut rng))
        .collect();
    Some(json!({"chosen": chosen}))
}

fn assignor_answer(case: &Case<'_>) -> Option<Value> {
    let assignor = match case.input["assignor"].as_str()? {
        "range" => Assignor::Range,
        "round_robin" => Assignor::RoundRobin,
        "sticky" => Assignor::Sticky,
        "cooperative" | "cooperative_sticky" => Assignor::Cooperative,
        _ => return None,
    };
    let topics: Vec<(&String, usize)> = case.input["topics"]
        .as_object()?
        .iter()
        .map(|(name, count)| (name, count.as_u64().unwrap_or(0) as usize))
        .collect();
    let counts: Vec<usize> = topics.iter().map(|topic| topic.1).collect();
    let topic = |name: &str| topics.iter().position(|topic| topic.0 == name);
    let everything: Vec<usize> = (0..topics.len()).collect();
    let partitions = |list: &Value| -> Vec<Partition> {
        let list = list.as_array().into_iter().flatten();
        let read = |one: &Value| Partition {
            // A topic that is gone is none of those that there are.
            topic: topic(one["topic"].as_str().unwrap_or("")).unwrap_or(usize::MAX),
            number: one["partition"].as_u64().unwrap_or(0) as usize,
        };
        list.map(read).collect()
    };
    let told = |members: &[Member]| -> Value {
        let given = assignor.assign(&counts, members);
        let list = |given: &Vec<Partition>| -> Value {
            let one =
                |one: &Partition| json!({"topic": topics[one.topic].0, "partition": one.number});
            given.iter().map(one).collect()
        };
        let all: Map<String, Value> = members
            .iter()
            .zip(&given)
            .map(|(member, given)| (member.id.clone(), list(given)))
            .collect();
        Value::Object(all)
    };
    if let Some(steps) = case.input.get("steps").and_then(Value::as_array) {
        let mut members: Vec<Member> = Vec::new();
        let mut answers = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            let (name, does) = step.as_str()?.split_once(' ')?;
            if does == "leaves" {
                members.retain(|member| member.id != name);
            } else {
                members.push(Member {
                    id: name.to_owned(),
                    topics: everything.clone(),
                    ..Member::default()
                });
            }
            let given = assignor.assign(&counts, &members);
            let mut answer = told(&members);
            for (member, given) in members.iter_mut().zip(given) {
                member.owned = given;
            }
            let wanted = &case.expected["assignments"][place];
            if place == 2 && case.expected.contains_key("order_irrelevant_in_step_3") {
                let sorted = |value: &Value| {
                    let mut all = partitions(&value[&members[0].id]);
                    all.sort_unstable();
                    all
                };
                assert_eq!(sorted(&answer), sorted(wanted), "{}", case.name);
                answer = wanted.clone();
            }
            answers.push(answer);
        }
        return Some(json!({"assignments": answers}));
    }
    let subscribed = case.input.get("subscriptions").and_then(Value::as_object);
    let owned = case.input.get("owned").and_then(Value::as_object);
    let names = subscribed.or(owned)?.keys();
    let members: Vec<Member> = names
        .map(|name| Member {
            instance: case.input["instance_ids"][name].as_str().map(str::to_owned),
            id: name.clone(),
            topics: match subscribed {
                Some(all) => {
                    let wanted = all[name].as_array().into_iter().flatten();
                    wanted.filter_map(|one| topic(one.as_str()?)).collect()
                }
                None => everything.clone(),
            },
            owned: owned.map_or(Vec::new(), |all| partitions(&all[name])),
        })
        .collect();
    let mut answer = json!({"assignment": told(&members)});
    if case.expects(&["moved"]) {
        let given = assignor.assign(&counts, &members);
        let moved = members.iter().zip(&given).flat_map(|(member, given)| {
            let lost = member.owned.iter().filter(|one| !given.contains(one));
            lost.map(|one| json!({"topic": topics[one.topic].0, "partition": one.number}))
        });
        answer["moved"] = moved.collect();
    }
    Some(answer)
}

fn log_answer(case: &Case<'_>) -> Option<Value> {
    let numbers = |value: &Value| -> Vec<u64> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(Value::as_u64).collect()
    };
    if case.takes(&["crash_before_processing"]) {
        let mut log: Log<u8, u64> = Log::default();
        for value in numbers(&case.input["log"]) {
            log.append(0, None, Some(value));
        }
        let (committed, done) = (
            case.need("committed_next"),
            numbers(&case.input["processed"]),
        );
        assert!(!done.contains(&case.need("crash_before_processing")));
        let Resume::At(next) = resume(Some(committed), log.start(), log.end(), Reset::Latest)
        else {
            return None;
        };
        let offsets = |from, below| -> Vec<u64> {
            log.read(from, below).map(|record| record.offset).collect()
        };
        let again = offsets(next, log.end());
        let lost: Vec<u64> = offsets(0, next)
            .into_iter()
            .filter(|offset| !done.contains(offset))
            .collect();
        let twice = again.iter().any(|offset| done.contains(offset));
        return Some(json!({
            "redelivered": again,
            "lost": lost,
            "semantics": if twice { "at least once" } else { "at most once" },
        }));
    }
    if case.takes(&["partitions", "consumers"]) {
        let members: Vec<Member> = (0..case.need("consumers"))
            .map(|id| Member {
                id: id.to_string(),
                topics: vec![0],
                ..Member::default()
            })
            .collect();
        let given = Assignor::Range.assign(&[case.need("partitions") as usize], &members);
        let active = given.iter().filter(|one| !one.is_empty()).count();
        return Some(json!({"active": active, "idle": given.len() - active}));
    }
    if case.takes(&["sends"]) {
        // Whatever the number of partitions, records of one key lie in one, in the order sent.
        let sends = case.input["sends"].as_array()?;
        let key = |send: &Value| send["k"].as_str().unwrap_or("").to_owned();
        let mut keys: Vec<String> = sends.iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        let of = |key: &str| -> Option<Vec<String>> {
            let mut all = Vec::new();
            for partitions in 1..9 {
                let mut logs: Vec<Log<char, u64>> = vec![Log::default(); partitions];
                for send in sends {
                    let name = send["k"].as_str()?;
                    let at = by_key(name.as_bytes(), partitions);
                    logs[at].append(0, name.chars().next(), send["v"].as_u64());
                }
                let log = &logs[by_key(key.as_bytes(), partitions)];
                let mine = log
                    .read(0, log.end())
                    .filter(|one| one.key == key.chars().next());
                all.push(
                    mine.map(|one| format!("{key}:{}", one.value.unwrap_or(0)))
                        .collect(),
                );
            }
            all.dedup();
            (all.len() == 1).then(|| all.remove(0))
        };
        let chains = keys.iter().map(|key| of(key));
        let chains: Vec<Vec<String>> = chains.collect::<Option<_>>()?;
        let longer: Vec<_> = chains.into_iter().filter(|one| one.len() > 1).collect();
        return Some(json!({"guaranteed": longer}));
    }
    if case.takes(&["messages", "groups"]) {
        let mut log: Log<u8, u64> = Log::default();
        for _ in 0..case.need("messages") {
            log.append(0, None, Some(0));
        }
        let reads = (0..case.need("groups")).map(|_| log.read(0, log.end()).count());
        return Some(json!({"deliveries": reads.sum::<usize>()}));
    }
    if case.takes(&["retention_keeps_last"]) {
        let mut log: Log<u8, u64> = Log::default();
        for _ in case.need("log_start")..case.need("end") {
            log.append(0, None, Some(0));
        }
        log.keep_last(case.need("retention_keeps_last") as usize);
        let committed = case.need("consumer_committed");
        let next = resume(Some(committed), log.start(), log.end(), Reset::Earliest);
        let Resume::Reset(next) = next else {
            return None;
        };
        return Some(json!({
            "earliest_available": log.start(),
            "consumer_resumes_at": next,
            "lost_to_consumer": next - committed,
        }));
    }
    if case.expects(&["after_tombstone_expiry"]) {
        let mut log: Log<char, u64> = Log::default();
        for record in case.input["log"].as_array()? {
            let offset = log.append(0, record[1].as_str()?.chars().next(), record[2].as_u64());
            assert_eq!(json!(offset), record[0]);
        }
        let told = |log: &Log<char, u64>| -> Value {
            let all = log.read(0, log.end());
            all.map(|one| json!([one.offset, one.key, one.value]))
                .collect()
        };
        let end = log.end();
        log.compact(end, 0);
        let after = told(&log);
        log.compact(end, 1);
        return Some(json!({"after": after, "after_tombstone_expiry": told(&log)}));
    }
    if case.takes(&["rf", "isr", "min_isr"]) {
        let copies = case.need("rf") as usize;
        let mut replicas = Replicas::new(copies);
        for replica in (case.need("isr") as usize)..copies {
            replicas.falls_out(replica);
        }
        let write = replicas.admits(Acks::All, case.need("min_isr") as usize);
        let said = write
            .err()
            .map_or("ok".to_owned(), |error| format!("{error:?}"));
        return Some(json!({"write": said}));
    }
    let ends = numbers(&case.input["replica_end_offsets"]);
    let mut replicas = Replicas::new(ends.len());
    for (replica, end) in ends.into_iter().enumerate() {
        replicas.reached(replica, end);
    }
    Some(json!({"high_watermark": replicas.high_watermark()}))
}

fn placement_answer(case: &Case<'_>) -> Option<Value> {
    let brokers: Vec<Broker> = case.input["brokers"]
        .as_array()?
        .iter()
        .map(|one| Broker {
            id: one["id"].as_u64().unwrap_or(0) as u32,
            rack: one["rack"].as_str().map(str::to_owned),
            fenced: one["fenced"] == json!(true),
        })
        .collect();
    let copies = case.need("rf") as usize;
    let count = case
        .int("placements")
        .or(case.int("partitions"))
        .unwrap_or(1);
    let placed: Result<Vec<_>, _> = (0..count as usize)
        .map(|partition| place(&brokers, copies, partition))
        .collect();
    let Ok(placed) = placed else {
        return Some(json!({"error": true}));
    };
    let of = |id: &u32| brokers.iter().find(|one| one.id == *id);
    let fenced = |id: &u32| of(id).is_some_and(|one| one.fenced);
    let racks = |all: &[u32]| {
        let mut racks: Vec<_> = all.iter().filter_map(|id| of(id)?.rack.clone()).collect();
        racks.sort_unstable();
        racks.dedup();
        racks.len()
    };
    let leaders: Vec<u32> = placed.iter().map(|one| one[0]).collect();
    // The last of the table's cases states nothing but its list: there, too, leaders must rotate.
    assert!(
        leaders.windows(2).all(|two| two[0] != two[1]),
        "{}",
        case.name
    );
    let holds = |said: &str| match said {
        "first 3 replicas on 3 distinct racks" => placed.iter().all(|one| racks(&one[..3]) == 3),
        "leader is not fenced" => !leaders.iter().any(fenced),
        "broker 1 unused" => placed.iter().all(|one| !one.contains(&1)),
        "leader rotates" => leaders.windows(2).all(|two| two[0] != two[1]),
        "fenced broker last" => placed.iter().all(|one| {
            let (last, others) = one.split_last().expect("copies");
            fenced(last) && !others.iter().any(fenced)
        }),
        _ => false,
    };
    let said = case.expected.get("invariants").and_then(Value::as_array);
    let all = said.into_iter().flatten();
    let held: Vec<&Value> = all
        .filter(|said| holds(said.as_str().unwrap_or("")))
        .collect();
    Some(json!({"invariants": held}))
}
