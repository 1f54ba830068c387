//! Redis' own tests of BITCOUNT, BITPOS and BITOP.

use crate::table::{Case, bytes, hex, run};
use algorithms::bitmap::{Bitmap, Operation, Unit};
use serde_json::{Value, json};

#[test]
fn bitmaps_redis() {
    run(include_str!("bitmaps_redis.json"), &[], &[], answer);
}

fn bitmap(hex: &Value) -> Bitmap {
    Bitmap::from(bytes(hex.as_str().expect("hex")))
}

fn operation(name: &str) -> Operation {
    match name.to_lowercase().as_str() {
        "and" => Operation::And,
        "or" => Operation::Or,
        "xor" => Operation::Xor,
        "not" => Operation::Not,
        "diff" => Operation::Diff,
        "diff1" => Operation::Diff1,
        "andor" => Operation::AndOr,
        "one" => Operation::One,
        _ => panic!("no such operation: {name}"),
    }
}

fn answer(case: &Case<'_>) -> Option<Value> {
    if let Some(names) = case.input["op"].as_str() {
        let bitmaps: Vec<Bitmap> = case.input["hex"].as_array()?.iter().map(bitmap).collect();
        let operands: Vec<&Bitmap> = bitmaps.iter().collect();
        let mut results = names
            .split('|')
            .map(|name| Bitmap::combine(operation(name), &operands));
        let first = results.next()?;
        assert!(results.all(|other| other == first), "{}", case.name);
        return Some(json!({"hex": hex(first.bytes())}));
    }
    let map = bitmap(&case.input["hex"]);
    let unit = match case.input["unit"].as_str() {
        Some("bit") => Unit::Bit,
        _ => Unit::Byte,
    };
    if case.expects(&["bitcount"]) {
        let place = |field: &str| case.input[field].as_i64();
        let count = match place("start") {
            Some(start) => map.count_in(start, place("end").unwrap_or(-1), unit),
            None => map.count(),
        };
        return Some(json!({"bitcount": count}));
    }
    if let Some(bit) = case.int("bit") {
        let (range, unit) = match case.input["range_bits"].as_array() {
            Some(range) => (Some(range), Unit::Bit),
            None => (case.input["range_bytes"].as_array(), unit),
        };
        let range = range.into_iter().flatten();
        let range: Vec<i64> = range.filter_map(Value::as_i64).collect();
        let start = range.first().copied().unwrap_or(0);
        let found = map.position(bit == 1, start, range.get(1).copied(), unit);
        return Some(json!({"pos": found.map_or(-1, |place| place as i64)}));
    }
    None
}
