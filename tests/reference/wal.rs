//! LevelDB's checksums and log format, recovery and merging by definition, against `wal` and `hash::crc32c`.

use crate::table::{Case, bytes, run};
use algorithms::hash::crc32c;
use algorithms::wal::{Fragment, Kind, Record, Wal, fragment, frame, merge, redo};
use serde_json::{Map, Value, json};

#[test]
fn wal_recovery_compaction() {
    run(
        include_str!("wal_recovery_compaction.json"),
        &[],
        &[],
        answer,
    );
}

fn record(sequence: u64, key: &str, value: &Value) -> Record {
    Record {
        sequence,
        transaction: 0,
        kind: if value.is_null() {
            Kind::Delete
        } else {
            Kind::Put
        },
        key: key.as_bytes().to_vec(),
        value: value.to_string().into_bytes(),
    }
}

/// What replaying these records leaves.
fn state<'a>(records: impl Iterator<Item = &'a Record>) -> Value {
    let mut state = Map::new();
    for record in records {
        let key = String::from_utf8_lossy(&record.key).into_owned();
        match serde_json::from_slice(&record.value) {
            Ok(value) if record.kind == Kind::Put => state.insert(key, value),
            _ => state.remove(&key),
        };
    }
    Value::Object(state)
}

fn recovered(wal: &mut Wal) -> Vec<Record> {
    let records = wal.recover().records.into_iter();
    records.map(|(record, _)| record).collect()
}

fn pairs(list: &Value, from: u64) -> Vec<Record> {
    let pairs = list.as_array().into_iter().flatten();
    pairs
        .zip(from..)
        .map(|(pair, sequence)| record(sequence, pair[0].as_str().unwrap_or(""), &pair[1]))
        .collect()
}

fn answer(case: &Case<'_>) -> Option<Value> {
    let hex = |crc: u32| Value::from(format!("{crc:08x}"));
    if case.takes(&["hex"]) {
        let text = bytes(case.input["hex"].as_str()?);
        return Some(json!({"crc32c": hex(crc32c(0, &text))}));
    }
    if case.takes(&["parts"]) {
        let parts = case.input["parts"].as_array()?.iter();
        let parts: Vec<&str> = parts.filter_map(Value::as_str).collect();
        let piecewise = parts
            .iter()
            .fold(0, |crc, part| crc32c(crc, part.as_bytes()));
        let whole = crc32c(0, parts.concat().as_bytes());
        return Some(json!({
            "crc32c_of_concatenation_equals_extend": piecewise == whole,
            "crc32c": hex(whole),
        }));
    }
    if case.takes(&["record_lengths"]) {
        return fragments(case);
    }
    if case.takes(&["records"]) {
        return first_bad(case);
    }
    if case.takes(&["records_written"]) {
        return torn(case);
    }
    if case.takes(&["segments"]) {
        let mut from = 1;
        let mut segments = Vec::new();
        for list in case.input["segments"].as_array()? {
            segments.push(pairs(list, from));
            from += segments.last()?.len() as u64;
        }
        let segments: Vec<&[Record]> = segments.iter().map(Vec::as_slice).collect();
        let merged = merge(&segments, true);
        return Some(json!({"merged": state(merged.iter())}));
    }
    if case.expects(&["compacted"]) {
        let log = pairs(&case.input["log"], 1);
        let compacted = merge(&[&log], true);
        return Some(json!({
            "compacted": state(compacted.iter()),
            "records_before": log.len(),
            "records_after": compacted.len(),
        }));
    }
    committed(case)
}

fn fragments(case: &Case<'_>) -> Option<Value> {
    let (mut file, mut at) = (Vec::new(), 0);
    let mut records = Vec::new();
    for length in case.input["record_lengths"].as_array()? {
        frame(&mut file, &vec![1; length.as_u64()? as usize]);
        let mut pieces = Vec::new();
        while let Ok((kind, payload, end)) = fragment(&file, at) {
            let name = match kind {
                Fragment::Full => "FULL",
                Fragment::First => "FIRST",
                Fragment::Middle => "MIDDLE",
                Fragment::Last => "LAST",
            };
            pieces.push(json!({"type": name, "payload": payload.len()}));
            at = end;
        }
        records.push(Value::from(pieces));
    }
    Some(json!({"fragments": records}))
}

fn first_bad(case: &Case<'_>) -> Option<Value> {
    let mut wal = Wal::default();
    let mut rotten = Vec::new();
    for (one, sequence) in case.input["records"].as_array()?.iter().zip(1..) {
        let range = wal.append(&record(sequence, one["k"].as_str()?, &one["v"]));
        if one["ok"] == json!(false) {
            rotten.push(range.end - 1);
        }
    }
    let end = wal.file.written();
    wal.file.sync(end);
    wal.file.keep(end);
    for at in rotten {
        wal.file.rot(at);
    }
    wal.power_cut(0);
    let records = recovered(&mut wal);
    Some(json!({
        "state": state(records.iter()),
        "truncated_at_record": records.len(),
    }))
}

fn torn(case: &Case<'_>) -> Option<Value> {
    let mut wal = Wal::default();
    let mut last = 0..0;
    for sequence in 1..=case.need("records_written") {
        wal.file.sync(last.end);
        wal.file.keep(last.end);
        last = wal.append(&record(sequence, "a", &json!(sequence)));
    }
    wal.power_cut(last.len() / 2);
    Some(json!({"recovered": recovered(&mut wal).len()}))
}

fn committed(case: &Case<'_>) -> Option<Value> {
    let mut wal = Wal::default();
    let mut begun = Vec::new();
    let mut sequence = 0;
    for line in case.input["log"].as_array()? {
        let line = line.as_str()?;
        let number = |name: &str| name.trim_start_matches('T').parse::<u32>().ok();
        let (kind, transaction, key, value) = match line.split_once(' ') {
            None => break,
            Some(("begin", name)) => {
                begun.push(name);
                continue;
            }
            Some(("commit", name)) => (Kind::Commit, number(name)?, "", ""),
            Some((name, set)) => {
                let (key, value) = set.split_once('=')?;
                (Kind::Put, number(name)?, key, value)
            }
        };
        sequence += 1;
        wal.append(&Record {
            sequence,
            transaction,
            kind,
            key: key.as_bytes().to_vec(),
            value: value.as_bytes().to_vec(),
        });
    }
    wal.kill();
    let records = recovered(&mut wal);
    let done: Vec<&Record> = redo(&records).collect();
    let lost = begun.into_iter().filter(|name| {
        let number = name.trim_start_matches('T').parse().ok();
        !done.iter().any(|one| Some(one.transaction) == number)
    });
    let lost: Vec<&str> = lost.collect();
    Some(json!({"state": state(done.into_iter()), "lost": lost}))
}
