//! Reads an outside table and holds what an algorithm answers against what the table expects.

use serde_json::{Map, Value};

/// One case of a table.
pub(crate) struct Case<'a> {
    /// Its name, unique in the table.
    pub(crate) name: &'a str,
    /// What goes in.
    pub(crate) input: &'a Value,
    /// What should come out.
    pub(crate) expected: &'a Map<String, Value>,
}

impl Case<'_> {
    /// Whether the input has all these fields.
    pub(crate) fn takes(&self, fields: &[&str]) -> bool {
        fields.iter().all(|field| self.input.get(field).is_some())
    }

    /// Whether any of these fields is expected.
    pub(crate) fn expects(&self, fields: &[&str]) -> bool {
        fields
            .iter()
            .any(|field| self.expected.contains_key(*field))
    }

    /// A whole number of the input, or `None` if it is absent or null.
    pub(crate) fn int(&self, field: &str) -> Option<u64> {
        let value = self.input.get(field).filter(|value| !value.is_null())?;
        Some(
            value
                .as_u64()
                .unwrap_or_else(|| panic!("{}: {field} is {value}", self.name)),
        )
    }

    /// A whole number that must be there.
    pub(crate) fn need(&self, field: &str) -> u64 {
        self.int(field)
            .unwrap_or_else(|| panic!("{}: no {field}", self.name))
    }

    /// The same for counts.
    pub(crate) fn count(&self, field: &str) -> u32 {
        u32::try_from(self.need(field)).expect("a small count")
    }

    /// A number that must be there.
    pub(crate) fn number(&self, field: &str) -> f64 {
        self.input[field]
            .as_f64()
            .unwrap_or_else(|| panic!("{}: no {field}", self.name))
    }
}

/// Bytes as a table writes them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that a table writes so.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("hex");
        u8::from_str_radix(pair, 16).expect("hex")
    };
    hex.as_bytes().chunks(2).map(byte).collect()
}

/// Runs every case through `answer`, which returns the fields it computed. Fails, naming them all,
/// on cases that differ, that `answer` does not know, or that are listed as not applicable in vain.
/// Fields named in `prose` explain a case in words and are not compared.
pub(crate) fn run(
    table: &str,
    not_applicable: &[(&str, &str)],
    prose: &[&str],
    answer: impl Fn(&Case<'_>) -> Option<Value>,
) {
    let table: Value = serde_json::from_str(table).expect("a JSON table");
    let cases = table["cases"].as_array().expect("cases");
    let mut listed: Vec<&str> = not_applicable.iter().map(|(name, _)| *name).collect();
    let mut failures = Vec::new();
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        if let Some(i) = listed.iter().position(|listed| *listed == name) {
            listed.remove(i);
            continue;
        }
        let expected = case["expected"].as_object().expect("expected fields");
        let case = Case {
            name,
            input: &case["input"],
            expected,
        };
        let Some(actual) = answer(&case) else {
            failures.push(format!("{name}: neither run nor listed as not applicable"));
            continue;
        };
        for (field, wanted) in expected {
            if !prose.contains(&field.as_str()) && !same(wanted, &actual[field]) {
                failures.push(format!(
                    "{name}: {field} is {} instead of {wanted}",
                    actual[field]
                ));
            }
        }
    }
    for name in listed {
        failures.push(format!(
            "{name}: listed as not applicable but not in the table"
        ));
    }
    assert!(
        !cases.is_empty() && failures.is_empty(),
        "\n{}",
        failures.join("\n")
    );
}

/// Equality of JSON in which 1 and 1.0 are the same and floats may differ in their last digits.
fn same(wanted: &Value, actual: &Value) -> bool {
    match (wanted, actual) {
        (Value::Number(wanted), Value::Number(actual)) => {
            let (wanted, actual) = (wanted.as_f64(), actual.as_f64());
            wanted
                .zip(actual)
                .is_some_and(|(w, a)| (w - a).abs() <= 1e-9 * w.abs().max(1.0))
        }
        (Value::Array(wanted), Value::Array(actual)) => {
            wanted.len() == actual.len() && wanted.iter().zip(actual).all(|(w, a)| same(w, a))
        }
        (Value::Object(wanted), Value::Object(actual)) => {
            wanted.len() == actual.len()
                && wanted
                    .iter()
                    .all(|(k, w)| actual.get(k).is_some_and(|a| same(w, a)))
        }
        _ => wanted == actual,
    }
}

#[test]
#[should_panic(expected = "b: x is 2.0 instead of 1")]
fn a_wrong_answer_is_found() {
    let table = r#"{"cases": [{"name": "a", "input": {}, "expected": {"x": 2}},
                              {"name": "b", "input": {}, "expected": {"x": 1, "why": "so"}}]}"#;
    run(table, &[], &["why"], |_| {
        Some(serde_json::json!({"x": 2.0}))
    });
}

#[test]
#[should_panic(expected = "a: neither run nor listed")]
fn an_unknown_case_is_found() {
    run(
        r#"{"cases": [{"name": "a", "input": {}, "expected": {}}]}"#,
        &[],
        &[],
        |_| None,
    );
}
