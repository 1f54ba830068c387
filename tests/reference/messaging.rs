//! Amazon's documented queue and topic semantics against `message_queue` and `topic`.

use crate::cases;
use crate::table::{Case, run};
use algorithms::feed::{Boxes, Graph};
use algorithms::message_queue::{self as mq, Kind, LongPoll, MessageQueue, PollOutcome};
use algorithms::message_queue::{QueueError, SECOND_US, SendOptions, Settings};
use algorithms::topic::{self, AfterFailure, Attributes, Backoff, Cidr, Comparison};
use algorithms::topic::{FilterPolicy, RetryPolicy, Rule, Scalar, SubscriptionSettings, Topic};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const DAY_US: u64 = 86_400 * SECOND_US;

#[test]
fn message_queue_sqs() {
    run(
        include_str!("message_queue_sqs.json"),
        &[],
        &["rule"],
        queue_answer,
    );
}

#[test]
fn pubsub_sns() {
    run(include_str!("pubsub_sns.json"), &[], &[], topic_answer);
}

/// Copies to followers are deliveries to subscribers; filters, retries and limits have no like in feeds.
#[test]
fn feeds_copy_each_post_to_each_follower() {
    let mut many = 0;
    for case in cases(include_str!("pubsub_sns.json"), &[]) {
        let number = |key: &str| case.input.get(key).and_then(Value::as_u64);
        let (Some(posts), Some(followers)) = (number("published"), number("subscribers")) else {
            continue;
        };
        let posts = posts as u32;
        let mut sizes = vec![0; 1 + followers as usize];
        sizes[0] = followers as usize;
        let graph = Graph::draw(&sizes, 1);
        let mut inboxes = Boxes::new(graph.users(), posts as usize);
        let put = (1..=posts).flat_map(|post| graph.followers(0).iter().map(move |it| (*it, post)));
        let copies = put.filter(|(reader, post)| inboxes.put(*reader, *post));
        let expected = &case.expected["deliveries"];
        assert_eq!(json!(copies.count()), *expected, "{}", case.name);
        many += 1;
    }
    assert_eq!(many, 3);
}

fn s(time_us: u64) -> Value {
    assert_eq!(time_us % SECOND_US, 0, "the table speaks of whole seconds");
    json!(time_us / SECOND_US)
}

fn queue(kind: Kind, change: impl FnOnce(&mut Settings)) -> MessageQueue<u32> {
    let mut settings = Settings::new(kind);
    change(&mut settings);
    MessageQueue::new(settings).expect("settings in range")
}

fn visible_at_us(queue: &MessageQueue<u32>) -> u64 {
    queue.messages().next().expect("one message").visible_at_us
}

/// The moment at which a consumer that asks all the time gets the message, and which receive it is.
fn next_receive(queue: &mut MessageQueue<u32>, now_us: u64) -> (u64, u32) {
    let at_us = queue.next_visible_at_us(now_us).unwrap_or(now_us);
    // At time 0 nothing is earlier.
    if let Some(before_us) = at_us.checked_sub(1) {
        let early = queue.receive(before_us, 1, None).expect("in range");
        assert!(early.is_empty(), "too early");
    }
    let batch = queue.receive(at_us, 1, None).expect("in range");
    (at_us, batch[0].receive_count)
}

fn queue_answer(case: &Case<'_>) -> Option<Value> {
    let time_us = |field: &str| case.int(field).map(|seconds| seconds * SECOND_US);
    if case.takes(&["change_at", "new_timeout_s"]) {
        let mut queue = queue(Kind::Standard, |settings| {
            if let Some(timeout_us) = time_us("queue_visibility_s") {
                settings.visibility_timeout_us = timeout_us;
            }
        });
        queue.send(0, 0, SendOptions::default()).ok()?;
        let lent = queue
            .receive(time_us("receive_t")?, 1, None)
            .ok()?
            .remove(0);
        queue
            .change_visibility(
                time_us("change_at")?,
                lent.receipt,
                time_us("new_timeout_s")?,
            )
            .ok()?;
        let first_us = visible_at_us(&queue);
        let mut answer = json!({"visible_again_at": s(first_us)});
        if let Some(second_us) = time_us("second_receive_t") {
            queue.receive(second_us, 1, None).ok()?;
            answer["visible_again_after_second_receive_at"] = s(visible_at_us(&queue));
        }
        return Some(answer);
    }
    if case.takes(&["extend_each"]) {
        let mut queue = queue(Kind::Standard, |_| ());
        queue.send(0, 0, SendOptions::default()).ok()?;
        let receipt = queue.receive(0, 1, None).ok()?[0].receipt;
        let mut set = |now_us, timeout_s: u64| match queue.change_visibility(
            now_us,
            receipt,
            timeout_s * SECOND_US,
        ) {
            Ok(()) => "works",
            Err(QueueError::VisibilityTooLong) => "fails",
            Err(other) => panic!("unexpected: {other}"),
        };
        // Any call comes a moment after the receive it extends.
        let (full, nearly) = (set(1, 43_200), set(1, 43_195));
        let mut now_us = 1;
        while set(now_us + 30 * SECOND_US, 60) == "works" {
            now_us += 30 * SECOND_US;
        }
        assert!(visible_at_us(&queue) <= mq::VISIBILITY_MAX_US);
        return Some(json!({
            "max_total_s": s(mq::VISIBILITY_MAX_US),
            "setting_43200_right_after_receive": full,
            "setting_43195": nearly,
        }));
    }
    if case.takes(&["initial_s", "extend_by_s", "every_s"]) {
        let mut queue = queue(Kind::Standard, |_| ());
        queue.send(0, 0, SendOptions::default()).ok()?;
        let receipt = queue.receive(0, 1, time_us("initial_s")).ok()?[0].receipt;
        let mut hidden = true;
        for beat in 1..=100 {
            let now_us = beat * time_us("every_s")?;
            hidden &= queue.receive(now_us, 1, None).ok()?.is_empty();
            hidden &= queue
                .change_visibility(now_us, receipt, time_us("extend_by_s")?)
                .is_ok();
        }
        return Some(json!({"stays_invisible_while_working": hidden}));
    }
    if case.takes(&["max_receive_count", "visibility_s"]) {
        let mut queue = queue(Kind::Standard, |settings| {
            settings.visibility_timeout_us = time_us("visibility_s").expect("given");
            settings.max_receive_count = Some(case.count("max_receive_count"));
        });
        queue.send(0, 0, SendOptions::default()).ok()?;
        let (mut receives, mut now_us) = (Vec::new(), 0);
        while !queue.receive(now_us, 1, None).ok()?.is_empty() {
            receives.push(s(now_us));
            now_us = queue.next_visible_at_us(now_us)?;
        }
        let moved = queue.take_dead_letters().len() == 1;
        return Some(json!({"receives_at": receives, "moved_to_dlq_at": moved.then(|| s(now_us))}));
    }
    if case.takes(&["visibility_s", "receive_t"]) {
        let mut queue = queue(Kind::Standard, |settings| {
            settings.visibility_timeout_us = time_us("visibility_s").expect("given");
        });
        let received_us = time_us("receive_t")?;
        queue.send(received_us, 0, SendOptions::default()).ok()?;
        queue.receive(received_us, 1, None).ok()?;
        let (again_us, receive_count) = next_receive(&mut queue, received_us);
        return Some(json!({
            "receivable_at": s(again_us),
            "approximate_receive_count_second_time": receive_count,
        }));
    }
    if case.takes(&["wait_s", "message_arrives_at"]) {
        let mut queue = queue(Kind::Standard, |_| ());
        let poll = LongPoll::new(0, time_us("wait_s")?).ok()?;
        let arrives_us = time_us("message_arrives_at");
        let mut now_us = 0;
        loop {
            if arrives_us == Some(now_us) {
                queue.send(now_us, 0, SendOptions::default()).ok()?;
            }
            match poll.look(now_us, &mut queue, 10).ok()? {
                PollOutcome::Done(batch) => {
                    return Some(json!({"returns_at": s(now_us), "messages": batch.len()}));
                }
                PollOutcome::Waiting { until_us } => {
                    let next_us = arrives_us.filter(|&at_us| at_us > now_us);
                    now_us = next_us.unwrap_or(u64::MAX).min(until_us);
                }
            }
        }
    }
    if case.takes(&["timer_s"]) {
        let mut queue = queue(Kind::Standard, |settings| {
            settings.delay_us = time_us("queue_delay_s").unwrap_or(0);
        });
        let timer = || SendOptions {
            timer_us: time_us("timer_s"),
            ..SendOptions::default()
        };
        queue
            .send(time_us("sent_t").unwrap_or(0), 0, timer())
            .ok()?;
        let ids = SendOptions {
            group: Some("g".into()),
            deduplication_id: Some("d".into()),
            ..timer()
        };
        let mut fifo = self::queue(Kind::Fifo, |_| ());
        let (visible_us, first_receive) = next_receive(&mut queue, 0);
        assert_eq!(first_receive, 1);
        return Some(json!({
            "visible_at": s(visible_us),
            "fifo_supports_timer": fifo.send(0, 0, ids) != Err(QueueError::TimerOnFifo),
        }));
    }
    if let Some(sends) = case.input["sends"].as_array() {
        let mut queue = queue(Kind::Fifo, |_| ());
        for send in sends {
            let options = SendOptions {
                group: Some("g".into()),
                deduplication_id: send["id"].as_str().map(str::to_owned),
                ..SendOptions::default()
            };
            queue
                .send(send["t"].as_u64()? * SECOND_US, 0, options)
                .expect("accepted");
        }
        return Some(json!({"delivered": queue.receive(1000 * SECOND_US, 10, None).ok()?.len()}));
    }
    if case.takes(&["source_age_days", "dlq_retention_days"]) {
        let kind = match case.input["queue"].as_str() {
            Some("fifo" | "FIFO") => Kind::Fifo,
            _ => Kind::Standard,
        };
        let moved_us = case.need("source_age_days") * DAY_US;
        let ids = SendOptions {
            group: (kind == Kind::Fifo).then(|| "g".into()),
            deduplication_id: (kind == Kind::Fifo).then(|| "d".into()),
            ..SendOptions::default()
        };
        let mut source = queue(kind, |settings| {
            settings.max_receive_count = Some(1);
            settings.retention_us = mq::RETENTION_MAX_US;
        });
        let mut dead = queue(kind, |settings| {
            settings.retention_us = case.need("dlq_retention_days") * DAY_US;
        });
        source.send(0, 0, ids).ok()?;
        source.receive(0, 1, None).ok()?;
        assert!(source.receive(moved_us, 1, None).ok()?.is_empty());
        let letter = source
            .take_dead_letters()
            .pop()
            .expect("received too often");
        dead.accept_dead_letter(moved_us, letter).ok()?;
        let mut now_us = moved_us;
        while dead.expire(now_us) == 0 {
            now_us += DAY_US / 24;
        }
        return Some(
            json!({"deleted_from_dlq_after_days": (now_us - moved_us) as f64 / DAY_US as f64}),
        );
    }
    if case.takes(&["arrival_per_s", "wait_s"]) {
        return Some(polling(case));
    }
    if case.name.starts_with("quota") {
        return Some(json!({
            "message_size_bytes": mq::MESSAGE_BYTES_MAX,
            "retention_default_days": mq::RETENTION_DEFAULT_US / DAY_US,
            "retention_min_s": s(mq::RETENTION_MIN_US),
            "retention_max_days": mq::RETENTION_MAX_US / DAY_US,
            "retention_max_s": s(mq::RETENTION_MAX_US),
            "delay_max_s": s(mq::DELAY_MAX_US),
            "visibility_max_s": s(mq::VISIBILITY_MAX_US),
            "long_poll_max_s": s(mq::WAIT_MAX_US),
            "batch_max": mq::BATCH_MAX,
            "batch_size": mq::BATCH_MAX,
            "in_flight_standard": mq::IN_FLIGHT_MAX_STANDARD,
            "in_flight_fifo": mq::IN_FLIGHT_MAX_FIFO,
            "inflight_standard": mq::IN_FLIGHT_MAX_STANDARD,
            "inflight_fifo": mq::IN_FLIGHT_MAX_FIFO,
            "dedup_interval_s": s(mq::DEDUPLICATION_INTERVAL_US),
        }));
    }
    if case.name.contains("visibility timeout") {
        let beyond = Settings {
            visibility_timeout_us: mq::VISIBILITY_MAX_US + 1,
            ..Settings::new(Kind::Standard)
        };
        assert!(MessageQueue::<u32>::new(beyond).is_err());
        return Some(json!({
            "default_s": s(Settings::new(Kind::Standard).visibility_timeout_us),
            "min_s": 0,
            "max_s": s(mq::VISIBILITY_MAX_US),
        }));
    }
    if case.name.contains("delay queue") {
        let retroactive = |kind| {
            let mut queue = queue(kind, |_| ());
            let ids = SendOptions {
                group: (kind == Kind::Fifo).then(|| "g".into()),
                deduplication_id: (kind == Kind::Fifo).then(|| "d".into()),
                ..SendOptions::default()
            };
            queue.send(0, 0, ids).expect("accepted");
            queue.set_delay(mq::DELAY_MAX_US).expect("in range");
            assert!(queue.set_delay(mq::DELAY_MAX_US + 1).is_err());
            visible_at_us(&queue) == mq::DELAY_MAX_US
        };
        return Some(json!({
            "default_s": s(Settings::new(Kind::Standard).delay_us),
            "min_s": 0,
            "max_s": s(mq::DELAY_MAX_US),
            "standard_setting_change_retroactive": retroactive(Kind::Standard),
            "fifo_setting_change_retroactive": retroactive(Kind::Fifo),
        }));
    }
    None
}

/// Polls a queue fed by a Poisson stream; the closed forms must agree with what really happens.
fn polling(case: &Case<'_>) -> Value {
    let (rate, wait_s) = (case.number("arrival_per_s"), case.number("wait_s"));
    let interval_s = case.input["poll_every_s"].as_f64();
    let wait_us = (wait_s * SECOND_US as f64) as u64;
    let mut rng = Pcg64Mcg::seed_from_u64(20);
    let mut gap_us = || (-libm::log(1.0 - rng.random::<f64>()) / rate * SECOND_US as f64) as u64;
    let mut queue = queue(Kind::Standard, |_| ());
    let (polls, mut now_us, mut empty, mut waited_us) = (10_000_u32, 0, 0_u32, 0);
    let mut arrives_us = gap_us();
    for _ in 0..polls {
        if let Some(interval_s) = interval_s {
            now_us += (interval_s * SECOND_US as f64) as u64;
        }
        let poll = LongPoll::new(now_us, wait_us).expect("in range");
        let begun_us = now_us;
        let mut batch = loop {
            while arrives_us <= now_us {
                queue
                    .send(arrives_us, 0, SendOptions::default())
                    .expect("accepted");
                arrives_us += gap_us().max(1);
            }
            match poll
                .look(now_us, &mut queue, mq::BATCH_MAX)
                .expect("in range")
            {
                PollOutcome::Done(batch) => break batch,
                PollOutcome::Waiting { until_us } => now_us = until_us.min(arrives_us),
            }
        };
        waited_us += now_us - begun_us;
        empty += u32::from(batch.is_empty());
        // The theory has each poll take all there is; what one batch cannot hold is fetched at once.
        while !batch.is_empty() {
            for lent in batch {
                queue.delete(now_us, lent.receipt).expect("latest receipt");
            }
            batch = queue
                .receive(now_us, mq::BATCH_MAX, None)
                .expect("in range");
        }
    }
    let polls = f64::from(polls);
    let share = mq::empty_receive_share(rate, interval_s.unwrap_or(wait_s));
    // Four standard errors of a share over independent polls.
    let share_tolerance = 4.0 * (share * (1.0 - share) / polls).sqrt();
    let share_seen = f64::from(empty) / polls;
    assert!(
        (share_seen - share).abs() < share_tolerance,
        "{}: {share_seen}",
        case.name
    );
    let mean_s = mq::long_poll_mean_s(rate, wait_s);
    let mean_seen_s = waited_us as f64 / SECOND_US as f64 / polls;
    // A wait lies between 0 and wait_s, so its standard deviation is at most half of that.
    let mean_tolerance_s = 4.0 * wait_s / 2.0 / polls.sqrt();
    assert!(
        (mean_seen_s - mean_s).abs() <= mean_tolerance_s,
        "{}: {mean_seen_s} s",
        case.name
    );
    let request_s = interval_s.unwrap_or(mean_s);
    json!({
        "empty_fraction": share,
        "mean_request_s": mean_s,
        "requests_per_hour": 3600.0 / request_s,
        "empty_per_hour": 3600.0 / request_s * share,
    })
}

fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Bool(bool) => Scalar::Bool(*bool),
        Value::Number(number) => Scalar::Number(number.as_f64().expect("a finite number")),
        Value::String(text) => Scalar::Text(text.clone()),
        _ => Scalar::Null,
    }
}

fn scalars(value: &Value) -> Vec<Scalar> {
    match value {
        Value::Array(values) => values.iter().map(scalar).collect(),
        one => vec![scalar(one)],
    }
}

fn rule(value: &Value) -> Rule {
    let Some((keyword, argument)) = value.as_object().and_then(|object| object.iter().next())
    else {
        return Rule::Exactly(scalar(value));
    };
    let text = || argument.as_str().expect("a string").to_owned();
    match keyword.as_str() {
        "anything-but" => {
            let part = |name| {
                argument
                    .get(name)
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            };
            match (part("prefix"), part("suffix")) {
                (Some(prefix), _) => Rule::AnythingButPrefix(prefix),
                (_, Some(suffix)) => Rule::AnythingButSuffix(suffix),
                _ => Rule::AnythingBut(scalars(argument)),
            }
        }
        "cidr" => Rule::Cidr(Cidr::parse(&text()).expect("a network")),
        "prefix" => Rule::Prefix(text()),
        "suffix" => Rule::Suffix(text()),
        "equals-ignore-case" => Rule::EqualsIgnoreCase(text()),
        "exists" => Rule::Exists(argument.as_bool().expect("true or false")),
        "numeric" => {
            let pairs = argument
                .as_array()
                .expect("operators and numbers")
                .chunks(2);
            Rule::Numeric(
                pairs
                    .map(|pair| {
                        let comparison = match pair[0].as_str() {
                            Some("=") => Comparison::Equal,
                            Some("<") => Comparison::Less,
                            Some("<=") => Comparison::AtMost,
                            Some(">") => Comparison::Greater,
                            Some(">=") => Comparison::AtLeast,
                            other => panic!("no such operator: {other:?}"),
                        };
                        (comparison, pair[1].as_f64().expect("a number"))
                    })
                    .collect(),
            )
        }
        other => panic!("no such keyword: {other}"),
    }
}

/// A filter policy as it is written in JSON.
fn policy_of(policy: &Map<String, Value>) -> FilterPolicy {
    let rules = policy.iter().filter(|(name, _)| *name != "$or");
    let rules = rules.map(|(name, rules)| {
        let rules = rules.as_array().expect("a list of rules");
        (name.clone(), rules.iter().map(rule).collect())
    });
    let filter = FilterPolicy::new(rules.collect()).expect("within the limits");
    match policy.get("$or").and_then(Value::as_array) {
        None => filter,
        Some(policies) => {
            let policies = policies
                .iter()
                .map(|policy| policy_of(policy.as_object().expect("a policy")));
            filter.or(policies.collect()).expect("within the limits")
        }
    }
}

fn topic_answer(case: &Case<'_>) -> Option<Value> {
    if let (Some(policy), Some(attributes)) = (
        case.input["policy"].as_object(),
        case.input["attributes"].as_object(),
    ) {
        let filter = policy_of(policy);
        let attributes: Attributes = attributes
            .iter()
            .map(|(name, value)| (name.clone(), scalars(value)))
            .collect();
        // Through a topic, so that its fan-out and its filter are what is tested.
        let mut topic = Topic::new();
        let settings = SubscriptionSettings {
            filter: Some(filter),
            ..Default::default()
        };
        topic.subscribe(settings).expect("in range");
        return Some(json!({"accepted": topic.publish(0, &(), &attributes).len() == 1}));
    }
    if let Some(counts) = case.input["values_per_key"].as_array() {
        let rules: BTreeMap<_, _> = (0..)
            .zip(counts)
            .map(|(i, n)| {
                (
                    format!("key{i}"),
                    vec![Rule::Exists(true); n.as_u64().unwrap() as usize],
                )
            })
            .collect();
        // A policy that is refused has no number to give; that of the input must then be beyond a limit.
        let product = counts.iter().filter_map(Value::as_u64).product();
        let found = FilterPolicy::new(rules).map(|policy| policy.combinations() as u64);
        let beyond = product > topic::FILTER_COMBINATIONS_MAX as u64
            || counts.len() > topic::FILTER_KEYS_MAX;
        assert_eq!(found.ok(), (!beyond).then_some(product), "{}", case.name);
        return Some(json!({
            "combinations": product,
            "limit": topic::FILTER_COMBINATIONS_MAX,
            "max_keys": topic::FILTER_KEYS_MAX,
            "accepted": found.is_ok(),
        }));
    }
    if case.takes(&["maxReceivesPerSecond", "inbound_per_s", "seconds"]) {
        return Some(throttled(case));
    }
    if case.takes(&["published", "subscribers"]) {
        let mut topic = Topic::new();
        for _ in 0..case.need("subscribers") {
            topic.subscribe(SubscriptionSettings::default()).ok()?;
        }
        let publish = |_| topic.publish(0, &(), &Attributes::new()).len();
        return Some(
            json!({"deliveries": (0..case.need("published")).map(publish).sum::<usize>()}),
        );
    }
    if case.expects(&["numRetries", "backoff_retries", "backoff_phase_retries"]) {
        return Some(retry_policy(case));
    }
    if case.takes(&["dlq"]) {
        let after = |dead_letters| {
            let mut topic = Topic::new();
            let settings = SubscriptionSettings {
                dead_letters,
                ..Default::default()
            };
            let id = topic.subscribe(settings).expect("in range");
            topic.publish(0, &(), &Attributes::new());
            let mut last = None;
            while let Some(now_us) = topic.next_due_at_us() {
                let push = topic.begin_push(now_us, id).expect("due");
                last = topic.failed(now_us, id, push.id);
            }
            let kept = topic
                .subscription_mut(id)
                .expect("subscribed")
                .take_dead_letters()
                .len();
            match (last, kept) {
                (Some(AfterFailure::DeadLettered), 1) => "goes to the subscription's DLQ",
                (Some(AfterFailure::Discarded), 0) => "discarded",
                other => panic!("unexpected: {other:?}"),
            }
        };
        let message = match case.input["dlq"].as_str() {
            Some("attached") => format!("{}, else {}", after(true), after(false)),
            _ => after(false).to_owned(),
        };
        return Some(json!({"message": message}));
    }
    None
}

/// The retry policy of the input, defaults for what it leaves out.
fn retry_policy(case: &Case<'_>) -> Value {
    let mut policy = RetryPolicy::default();
    let set = |field: &mut u32, name: &str| {
        if let Some(value) = case.int(name) {
            *field = u32::try_from(value).expect("a small count");
        }
    };
    set(&mut policy.retries, "numRetries");
    set(&mut policy.retries_no_delay, "numNoDelayRetries");
    set(&mut policy.retries_delay_min, "numMinDelayRetries");
    set(&mut policy.retries_delay_max, "numMaxDelayRetries");
    policy.delay_min_s = case.input["minDelayTarget"]
        .as_f64()
        .unwrap_or(policy.delay_min_s);
    policy.delay_max_s = case.input["maxDelayTarget"]
        .as_f64()
        .unwrap_or(policy.delay_max_s);
    policy.backoff = match case.input["backoffFunction"].as_str() {
        None | Some("linear") => Backoff::Linear,
        Some("arithmetic") => Backoff::Arithmetic,
        Some("geometric") => Backoff::Geometric,
        Some("exponential") => Backoff::Exponential,
        Some(other) => panic!("no such function: {other}"),
    };
    policy.validate().expect("within the documented ranges");
    json!({
        "minDelayTarget": policy.delay_min_s,
        "maxDelayTarget": policy.delay_max_s,
        "numRetries": policy.retries,
        "numNoDelayRetries": policy.retries_no_delay,
        "numMinDelayRetries": policy.retries_delay_min,
        "numMaxDelayRetries": policy.retries_delay_max,
        "backoffFunction": format!("{:?}", policy.backoff).to_lowercase(),
        "max_total_s": topic::RETRY_TOTAL_MAX_S,
        "backoff_retries": policy.retries_backoff(),
        "backoff_phase_retries": policy.retries_backoff(),
    })
}

/// A subscription that gets more than it lets through.
fn throttled(case: &Case<'_>) -> Value {
    let mut topic = Topic::new();
    let settings = SubscriptionSettings {
        receives_per_s_max: Some(case.count("maxReceivesPerSecond")),
        ..Default::default()
    };
    let id = topic.subscribe(settings).expect("in range");
    let inbound = case.need("inbound_per_s");
    let end_us = case.need("seconds") * SECOND_US;
    let mut published = 0;
    loop {
        let arrives_us = published * SECOND_US / inbound;
        let now_us = arrives_us.min(topic.next_due_at_us().unwrap_or(u64::MAX));
        if now_us >= end_us {
            break;
        }
        if arrives_us == now_us {
            topic.publish(now_us, &(), &Attributes::new());
            published += 1;
        }
        if let Some(push) = topic.begin_push(now_us, id) {
            assert!(topic.succeeded(id, push.id));
        }
    }
    let subscription = topic.subscription(id).expect("subscribed");
    json!({"delivered": subscription.totals().delivered, "backlog": subscription.pending().len()})
}
