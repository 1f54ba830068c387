//! Locks that are asked for: circles in the graph of waiting, rules by age, and the check of versions.

use crate::table::{Case, run};
use algorithms::lock_table::{Answer, LockTable, Mode, Row, Rule, Tx};
use algorithms::versioned::{Seen, Table, Versioned};
use serde_json::{Value, json};

const SSI: &str = "serializable snapshots: algorithms::isolation passes it";

#[test]
fn deadlock_locking() {
    let not_applicable = [
        ("SSI write skew permutation: rwx1 c1 rwx2 c2", SSI),
        ("SSI write skew permutation: rwx1 rwx2 c1 c2", SSI),
        ("SSI write skew permutation: rwx1 rwx2 c2 c1", SSI),
        ("SSI write skew permutation: rwx2 rwx1 c1 c2", SSI),
        ("SSI write skew permutation: rwx2 rwx1 c2 c1", SSI),
        ("SSI write skew permutation: rwx2 c2 rwx1 c1", SSI),
    ];
    run(
        include_str!("deadlock_locking.json"),
        &not_applicable,
        &[],
        |case| {
            Some(match case {
                case if case.takes(&["edges"]) => circles(case),
                case if case.takes(&["requests"]) => ages(case),
                case => versions(case),
            })
        },
    );
}

fn number(name: &Value) -> Tx {
    let name = name.as_str().expect("a name");
    name[1..].parse().expect("T and a number")
}

/// Whom somebody waits for shares a row, which that one wants alone.
fn circles(case: &Case<'_>) -> Value {
    let mut table = LockTable::default();
    let edges = case.input["edges"].as_array().expect("edges");
    let edges: Vec<(Tx, Tx)> = edges
        .iter()
        .map(|edge| (number(&edge[0]), number(&edge[1])))
        .collect();
    for (from, to) in &edges {
        table.ask(*to, *from as Row, Mode::Shared);
    }
    for (from, _) in &edges {
        table.ask(*from, *from as Row, Mode::Exclusive);
    }
    let members: Vec<String> = (1..9)
        .filter(|tx| table.circle(*tx).is_some())
        .map(|tx| format!("T{tx}"))
        .collect();
    json!({"deadlock": !members.is_empty(), "cycle_members": members})
}

fn ages(case: &Case<'_>) -> Value {
    let rule = match case.name.starts_with("wound-wait") {
        true => Rule::WoundWait,
        false => Rule::WaitDie,
    };
    let requests = case.input["requests"].as_array().expect("requests");
    let actions = requests.iter().map(|request| {
        let (by, holder) = (number(&request["by"]), number(&request["held_by"]));
        let mut table = LockTable::default();
        table.ask(holder, 1, Mode::Exclusive);
        assert_eq!(table.ask(by, 1, Mode::Exclusive), Answer::Waits);
        let age = |tx: Tx| {
            let age = case.input["ts"][format!("T{tx}")].as_u64();
            age.expect("a time stamp")
        };
        match table.victim(rule, by, age, |_| false) {
            Some(victim) => format!("T{victim} aborts"),
            None => format!("T{by} waits"),
        }
    });
    json!({"actions": actions.collect::<Vec<_>>()})
}

fn versions(case: &Case<'_>) -> Value {
    let mut table = Table::new(1, 0);
    let version = case.need("version");
    table.put(0, Versioned { value: 0, version });
    let updates = case.input["updates"].as_array().expect("updates");
    let results = updates.iter().map(|update| {
        let version = update["expects"].as_u64().expect("a version");
        let data = Versioned { value: 0, version };
        match table.commit(&[Seen { row: 0, data }], &[(0, 1)]) {
            Ok(()) => format!("ok -> {}", table.rows()[0].version),
            Err(_) => "conflict".to_owned(),
        }
    });
    json!({"results": results.collect::<Vec<_>>()})
}
