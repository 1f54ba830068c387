//! Transactions over several databases: outcomes, messages and forced writes, recovery by log.

use crate::table::{Case, run};
use algorithms::two_phase_commit::{self, Back, Entry};
use serde_json::{Value, json};

#[test]
fn two_phase_commit() {
    run(include_str!("two_phase_commit.json"), &[], &[], answer);
}

fn answer(case: &Case<'_>) -> Option<Value> {
    if case.takes(&["votes"]) {
        let votes = case.input["votes"].as_array().into_iter().flatten();
        let votes: Vec<Option<bool>> = votes.map(Value::as_bool).collect();
        assert_eq!(
            case.input["coordinator_crashes_before_decision"],
            json!(false)
        );
        let committed = two_phase_commit::run(&votes).committed;
        let outcome = if committed { "commit" } else { "abort" };
        return Some(json!({"outcome": outcome}));
    }
    if case.takes(&["participants"]) {
        let n = case.count("participants") as usize;
        let costs = two_phase_commit::run(&vec![Some(true); n]);
        assert!(costs.committed);
        // The table says it in words.
        assert_eq!(costs.forced, n + n + 1);
        return Some(json!({
            "prepare": costs.prepare,
            "vote": costs.vote,
            "decision": costs.decision,
            "ack": costs.ack,
            "total": costs.prepare + costs.vote + costs.decision + costs.ack,
            // One round for each kind of message; the client is answered after the first two.
            "message_delays": 4,
            "client_visible_delays": 2,
            "forced_log_writes": "n prepares + n decisions + 1 coordinator",
        }));
    }
    let log = case.input["log"].as_array()?;
    let log: Vec<Entry> = log
        .iter()
        .map(|entry| match entry.as_str() {
            Some("prepare") => Entry::Prepare,
            Some("ready") => Entry::Ready,
            other => panic!("{}: {other:?}", case.name),
        })
        .collect();
    let action = match two_phase_commit::back(&log) {
        Back::Aborts if log.is_empty() => "abort",
        Back::Aborts => "abort on recovery",
        Back::Asks => "ask coordinator (in doubt)",
        Back::Knows(_) => "done",
    };
    Some(json!({"action": action}))
}

/// Other cases of the same rules.
#[test]
fn two_phase_commit_beyond_its_table() {
    for (votes, committed) in [
        (vec![Some(true); 4], true),
        // A vote that is missing counts as no.
        (vec![Some(true), None], false),
        (vec![Some(false); 2], false),
    ] {
        assert_eq!(two_phase_commit::run(&votes).committed, committed);
    }
    let decided = [Entry::Ready, Entry::Decided(true)];
    assert_eq!(two_phase_commit::back(&decided), Back::Knows(true));
}
