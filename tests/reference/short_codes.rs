//! Base 62, key spaces, MD5, first collisions and the birthday bound; the layout of Snowflake's numbers.

use crate::table::{Case, hex, run};
use algorithms::base62::{Alphabet, DIGITS_LOWER_UPPER, DIGITS_UPPER_LOWER, codes, decode, encode};
use algorithms::hash::md5;
use algorithms::short_code::{Insert, Table, Written, chance, first_collision, hex_digits, pairs};
use algorithms::snowflake::{Parts, TWITTER_EPOCH_MS};
use serde_json::{Value, json};

fn text<'a>(case: &'a Case<'_>, field: &str) -> Option<&'a str> {
    case.input[field].as_str()
}

fn shortener(case: &Case<'_>) -> Option<Value> {
    let write = |n: u64, alphabet: &Alphabet| encode(n, 62, 1, alphabet);
    if let Some(n) = text(case, "n") {
        let n: u64 = n.parse().ok()?;
        return Some(json!({
            "text": write(n, &DIGITS_LOWER_UPPER),
            "digits_lower_upper": write(n, &DIGITS_LOWER_UPPER),
            "digits_upper_lower": write(n, &DIGITS_UPPER_LOWER),
        }));
    }
    if let Some(written) = text(case, "text") {
        return Some(json!({"n": decode(written, &DIGITS_LOWER_UPPER)?.to_string()}));
    }
    if let Some(hashed) = text(case, "utf8") {
        return Some(json!({"md5": hex(&md5(hashed.as_bytes()))}));
    }
    if let Some(space) = text(case, "space") {
        let (n, space) = (case.number("n"), space.parse::<u64>().ok()? as f64);
        return Some(json!({
            "p_collision_approx": chance(n, space),
            "expected_colliding_pairs": pairs(n, space),
        }));
    }
    if let Some(template) = text(case, "template") {
        let length = case.count("prefix_hex_digits");
        let mut table = Table::new();
        let (i, j, code) = (case.need("i_from")..).find_map(|j| {
            let code = hex_digits(&template.replace("{i}", &j.to_string()), length);
            match table.write(code, j, Insert::Unique) {
                Written::Refused(i) => Some((i, j, code)),
                _ => None,
            }
        })?;
        return Some(json!({
            "i": i,
            "j": j,
            "prefix": encode(code, 16, length as usize, &DIGITS_LOWER_UPPER),
            "expected_order_sqrt_pi_N_2": first_collision(codes(16, length) as f64),
        }));
    }
    let length = case.int("length")?;
    Some(json!({"codes": codes(62, u32::try_from(length).ok()?).to_string()}))
}

#[test]
fn url_shortener() {
    run(include_str!("url_shortener.json"), &[], &[], shortener);
}

fn snowflake(case: &Case<'_>) -> Option<Value> {
    if let Some(id) = text(case, "id") {
        let parts = Parts::of(id.parse().ok()?, TWITTER_EPOCH_MS);
        return Some(json!({
            "timestamp_ms": parts.time_ms,
            "node": parts.node,
            "sequence": parts.sequence,
        }));
    }
    let short = |field: &str| u16::try_from(case.need(field)).ok();
    let parts = Parts {
        time_ms: case.int("timestamp_ms")?,
        node: short("node")?,
        sequence: short("sequence")?,
    };
    Some(json!({"id": parts.number(TWITTER_EPOCH_MS).to_string()}))
}

#[test]
fn snowflake_ids() {
    let other_writing =
        "how bwmarrin's library writes a number otherwise than in decimal; its parts are run below";
    run(
        include_str!("snowflake_ids.json"),
        &[
            ("big-endian bytes", other_writing),
            ("base36 string", other_writing),
            ("base64 of decimal string", other_writing),
        ],
        &[],
        snowflake,
    );
}
