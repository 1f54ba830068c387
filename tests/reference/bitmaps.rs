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

/// The containers of Roaring bitmaps are another structure; here stands what a row of bits for each value of a column is.
#[test]
fn roaring_bitmap_index() {
    let containers = "containers of Roaring bitmaps";
    let others = [
        "run 11..15",
        "container type threshold",
        "container sizes",
        "split into containers 0,1,2,65535,65536,131072",
        "smallest container for 100 contiguous values",
        "smallest container for 2000 contiguous values",
        "smallest container for 4096 contiguous values",
        "smallest container for 5000 contiguous values",
        "smallest container for 65536 contiguous values",
    ]
    .map(|name| (name, containers));
    run(
        include_str!("roaring_bitmap_index.json"),
        &others,
        &[],
        |case| {
            let column = case.input["column"].as_array()?;
            let of = |value: &str| {
                let mut row = Bitmap::default();
                for (place, other) in column.iter().enumerate() {
                    row.set(place as u64, other == value);
                }
                row
            };
            let written = |row: &Bitmap| -> String {
                let places = 0..column.len() as u64;
                places
                    .map(|at| if row.get(at) { '1' } else { '0' })
                    .collect()
            };
            let [blue, green, red] = ["blue", "green", "red"].map(of);
            let either = Bitmap::combine(Operation::Or, &[&red, &green]);
            Some(json!({
                "bitmaps_row0_first": {
                    "blue": written(&blue), "green": written(&green), "red": written(&red),
                },
                "red_or_green": written(&either),
                "count_red": red.count(),
            }))
        },
    );
}
