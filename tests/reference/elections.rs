//! Elections: Raft's rules, and the messages of bully and ring.

use crate::table::{Case, run};
use algorithms::bully::{self, Bully};
use algorithms::protocol::{Id, Out, OutOf, Protocol, Wind};
use algorithms::raft::{
    self, Disk, Entry, Index, Log, Mark, Node, Raft, Role, Tally, Term, Timer, Word,
};
use algorithms::ring_election::{self, RingElection};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

#[test]
fn raft() {
    run(include_str!("raft.json"), &[], &["rounded_to"], raft_answer);
}

#[test]
fn bully_and_ring() {
    let table = include_str!("leader_election_bully_ring.json");
    run(table, &[], &["best_case"], election_answer);
}

fn numbers(value: &Value) -> Vec<u64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|n| n.as_u64().expect("a count")).collect()
}

fn log(terms: &Value) -> Log<u32> {
    let entry = |term| Entry {
        term,
        command: None,
    };
    Log::of(numbers(terms).into_iter().map(entry).collect())
}

fn terms(log: &Log<u32>) -> Vec<Term> {
    log.entries().iter().map(|entry| entry.term).collect()
}

fn state(node: &Node<u32>) -> &'static str {
    match node.role {
        Role::Follower => "follower",
        Role::Asking | Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

/// A node that comes up with this on its disk.
fn node(group: &Raft<u32>, me: Id, term: Term, voted_for: Option<Id>, log: Log<u32>) -> Node<u32> {
    let disk = Disk {
        term,
        voted_for,
        log,
    };
    group.boot(me, Some(disk), &mut Out::default())
}

/// Its clock ends: it asks for votes.
fn campaign(group: &Raft<u32>, node: &mut Node<u32>) -> OutOf<Raft<u32>> {
    let mut out = Out::default();
    group.ring(node, Timer::Election, &mut out);
    out
}

/// Delivers everything that is said, in order, until nobody says anything.
fn settle(group: &Raft<u32>, nodes: &mut [Option<Node<u32>>], from: Id, out: OutOf<Raft<u32>>) {
    let with = |from: Id| move |(to, word)| (from, to, word);
    let mut agenda: Vec<(Id, Id, Word<u32>)> = out.sent.into_iter().map(with(from)).collect();
    let mut next = 0;
    while let Some((from, to, word)) = agenda.get(next).cloned() {
        next += 1;
        let mut out = Out::default();
        if let Some(node) = &mut nodes[usize::from(to) - 1] {
            group.hear(node, from, word, &mut out);
            agenda.extend(out.sent.into_iter().map(with(to)));
        }
    }
}

/// What a node answers to a request for its vote.
fn granted(group: &Raft<u32>, node: &mut Node<u32>, from: Id, term: Term, last: Mark) -> bool {
    let (mut out, pre) = (Out::default(), false);
    group.hear(node, from, Word::Ask { term, last, pre }, &mut out);
    matches!(
        out.sent[..],
        [(to, Word::Vote { granted: true, .. })] if to == from
    )
}

/// What a node answers to a leader: the index, and where logs may agree if it refuses.
fn append(
    group: &Raft<u32>,
    node: &mut Node<u32>,
    term: Term,
    after: Mark,
    entries: Vec<Entry<u32>>,
    commit: Index,
) -> (Index, Option<Mark>) {
    let mut out = Out::default();
    let word = Word::Append {
        term,
        after,
        entries,
        commit,
    };
    group.hear(node, 2, word, &mut out);
    match out.sent[..] {
        [(2, Word::Appended { index, hint, .. })] => (index, hint),
        ref other => panic!("{other:?}"),
    }
}

fn raft_answer(case: &Case<'_>) -> Option<Value> {
    let input = case.input;
    let mark = |index: &str, term: &str| Mark {
        index: case.need(index),
        term: case.need(term),
    };
    if case.takes(&["acked_index"]) {
        let acked = input["acked_index"].as_array()?;
        let acked: Vec<Index> = acked.iter().map(|it| it.as_u64().unwrap_or(0)).collect();
        return Some(json!({ "committed": raft::majority_index(&acked) }));
    }
    if case.takes(&["voters", "votes"]) {
        let votes = input["votes"].as_array()?.iter().map(Value::as_bool);
        let result = match raft::tally(&votes.collect::<Vec<_>>()) {
            Tally::Won => "VoteWon",
            Tally::Lost => "VoteLost",
            Tally::Pending => "VotePending",
        };
        return Some(json!({ "result": result }));
    }
    if case.takes(&["cluster_size", "responses"]) {
        let group = Raft::of(case.count("cluster_size") as Id);
        let mut node = node(
            &group,
            case.count("candidate") as Id,
            0,
            None,
            Log::default(),
        );
        campaign(&group, &mut node);
        for (from, granted) in input["responses"].as_object()? {
            let word = Word::Vote {
                term: 1,
                granted: granted.as_bool()?,
                pre: false,
            };
            group.hear(&mut node, from.parse().ok()?, word, &mut Out::default());
        }
        return Some(json!({ "state": state(&node), "term": node.disk.term }));
    }
    if case.takes(&["request_from"]) {
        let (group, term) = (Raft::of(3), case.need("term"));
        let voted = case.int("already_voted_for").map(|id| id as Id);
        let mut node = node(&group, 1, term, voted, Log::default());
        let from = case.count("request_from") as Id;
        let granted = granted(&group, &mut node, from, term, Mark::default());
        return Some(json!({ "granted": granted }));
    }
    if case.takes(&["voter_log_terms_from_index_1"]) {
        let group = Raft::of(2);
        let log = log(&input["voter_log_terms_from_index_1"]);
        let mut node = node(&group, 1, 1, None, log);
        let last = mark("candidate_last_index", "candidate_last_term");
        let granted = granted(&group, &mut node, 2, case.need("request_term"), last);
        return Some(json!({ "granted": granted }));
    }
    if case.takes(&["same_term", "candidate_last_index"]) {
        let group = Raft::of(3);
        let log = log(&input["log_terms_from_index_1"]);
        let last = mark("candidate_last_index", "candidate_last_term");
        let term = last.term.max(log.last().term);
        let voted = case.int("voted_for").map(|id| id as Id);
        let mut node = node(&group, 1, term, voted, log);
        node.role = match input["state"].as_str()? {
            "leader" => Role::Leader,
            "candidate" => Role::Candidate,
            _ => Role::Follower,
        };
        let from = case.count("candidate") as Id;
        return Some(json!({ "granted": granted(&group, &mut node, from, term, last) }));
    }
    if case.takes(&["match_index_per_node_leader_first"]) {
        let log = log(&input["leader_log_terms_from_index_1"]);
        let matched = numbers(&input["match_index_per_node_leader_first"]);
        let commit = raft::commits(&log, &matched, case.need("leader_term"));
        return Some(json!({ "commit_index": commit }));
    }
    let follower = || log(&input["follower_log_terms_from_index_1"]);
    if case.takes(&["leader_commit", "entries"]) {
        let (group, term) = (Raft::of(2), case.need("follower_term"));
        let mut node = node(&group, 1, term, None, follower());
        let entries = input["entries"].as_array()?.iter();
        let entries = entries.map(|entry| Entry {
            term: entry["term"].as_u64().expect("a term"),
            command: None,
        });
        let after = mark("prev_log_index", "prev_log_term");
        let commit = case.need("leader_commit");
        let (_, hint) = append(&group, &mut node, term, after, entries.collect(), commit);
        return Some(json!({
            "last_index": node.disk.log.last().index,
            "commit_index": node.commit,
            "rejected": hint.is_some(),
        }));
    }
    if case.takes(&["new_terms"]) {
        let mut log = follower();
        let entries = numbers(&input["new_terms"]).into_iter();
        let entries: Vec<_> = entries
            .map(|term| Entry {
                term,
                command: None,
            })
            .collect();
        let after = mark("prev_log_index", "prev_log_term");
        assert_eq!(after.index + 1, case.need("first_new_index"));
        log.take(after, &entries);
        return Some(json!({ "log_terms_from_index_1": terms(&log) }));
    }
    if case.takes(&["commit_index", "prev_log_term"]) {
        let group = Raft::of(2);
        let mut node = node(&group, 1, 2, None, follower());
        node.commit = case.need("commit_index");
        let after = mark("prev_log_index", "prev_log_term");
        let (index, hint) = append(&group, &mut node, 2, after, Vec::new(), 0);
        return Some(json!({
            "reply_index": index,
            "rejected": hint.is_some(),
            "reject_hint_index": hint.map(|hint| hint.index),
        }));
    }
    if case.takes(&["leader_log_terms"]) {
        // Three nodes, the third of which only votes.
        let group = Raft::of(3);
        let term = case.need("leader_term_before");
        let mut leader = node(&group, 1, term, None, log(&input["leader_log_terms"]));
        let follower = log(&input["follower_log_terms"]);
        let mut nodes = [None, Some(node(&group, 2, term - 1, None, follower)), None];
        let mut out = campaign(&group, &mut leader);
        let word = Word::Vote {
            term: term + 1,
            granted: true,
            pre: false,
        };
        group.hear(&mut leader, 3, word, &mut out);
        group.ask(&mut leader, 1, &mut out);
        nodes[0] = Some(leader);
        settle(&group, &mut nodes, 1, out);
        let logs = nodes.iter().flatten().map(|node| &node.disk.log);
        let logs: Vec<_> = logs.collect();
        return Some(json!({
            "logs_identical": logs[0] == logs[1],
            "log_terms": terms(logs[1]),
        }));
    }
    if case.takes(&["election_timeout_ticks"]) {
        let least = case.need("election_timeout_ticks");
        let group = Raft::<u32> {
            least,
            spread: least - 1,
            ..Raft::of(5)
        };
        let mut out = Out::default();
        group.boot(1, None, &mut out);
        let [(Timer::Election, Wind::Within { least, spread })] = out.wound[..] else {
            panic!("{:?}", out.wound);
        };
        if let Some(elapsed) = case.int("elapsed_ticks") {
            let past = (least..=least + spread).filter(|end| *end <= elapsed);
            let share = past.count() as f64 / (spread + 1) as f64;
            return Some(json!({ "probability_past_timeout": (share * 10.0).round() / 10.0 }));
        }
        let (mut rng, rounds) = (Pcg64Mcg::seed_from_u64(1), case.need("rounds"));
        let conflicts = (0..rounds).filter(|_| {
            let mut ends: Vec<u64> = (0..case.need("nodes"))
                .map(|_| rng.random_range(least..=least + spread))
                .collect();
            ends.sort_unstable();
            ends[0] == ends[1]
        });
        let fraction = conflicts.count() as f64 / rounds as f64;
        let most = case.expected["conflict_fraction_at_most"].as_f64()?;
        assert!(fraction <= most, "{}: {fraction}", case.name);
        return Some(json!({ "conflict_fraction_at_most": most }));
    }
    if case.takes(&["nodes", "n"]) {
        let alive = input["nodes"].as_array()?;
        let group = Raft::of(alive.len() as Id);
        let one = |(it, id): (&Value, Id)| {
            let up = || node(&group, id, 0, None, Log::default());
            (it == "n").then(up)
        };
        let mut nodes: Vec<_> = alive.iter().zip(1..).map(one).collect();
        let out = campaign(&group, nodes[0].as_mut()?);
        settle(&group, &mut nodes, 1, out);
        let first = nodes[0].as_ref()?;
        return Some(json!({ "state": state(first), "term": first.disk.term }));
    }
    if case.takes(&["append_terms"]) {
        let group = Raft::of(3);
        let after = numbers(&input["append_terms"]).into_iter().map(|term| {
            let mut node = node(
                &group,
                1,
                case.need("candidate_term") - 1,
                None,
                Log::default(),
            );
            campaign(&group, &mut node);
            append(&group, &mut node, term, Mark::default(), Vec::new(), 0);
            (state(&node), node.disk.term)
        });
        let (states, terms): (Vec<_>, Vec<_>) = after.unzip();
        return Some(json!({ "state": states, "term": terms }));
    }
    None
}

/// How many messages of each kind a bully election takes, and who leads in the end.
fn bullied(members: Id, dead: &[Id], starter: Id) -> (Option<Id>, [u64; 3]) {
    let group = Bully {
        members,
        silence: 150,
        waits: 40,
        heartbeat: 50,
    };
    let node = |me| bully::Node {
        me,
        leader: None,
        electing: false,
    };
    let mut nodes: Vec<bully::Node> = (1..=members).map(node).collect();
    let (mut counts, mut said) = ([0; 3], Vec::new());
    // Whose wait for an answer runs.
    let mut waits = std::collections::BTreeSet::new();
    let mut start = Some(starter);
    loop {
        let (mut out, by) = (Out::default(), start.or_else(|| waits.pop_last()));
        if said.is_empty() && by.is_none() {
            break;
        }
        let me = if let Some(me) = start.take() {
            let me_at = usize::from(me) - 1;
            group.ring(&mut nodes[me_at], bully::Timer::Silence, &mut out);
            me
        } else if let Some((from, to, word)) = (!said.is_empty()).then(|| said.remove(0)) {
            waits.extend(by);
            if dead.contains(&to) {
                continue;
            }
            group.hear(&mut nodes[usize::from(to) - 1], from, word, &mut out);
            to
        } else {
            let me = by.expect("somebody waits");
            group.ring(
                &mut nodes[usize::from(me) - 1],
                bully::Timer::Answers,
                &mut out,
            );
            me
        };
        for (timer, wind) in out.wound {
            match (timer, wind) {
                (bully::Timer::Answers, Wind::Off) => drop(waits.remove(&me)),
                (bully::Timer::Answers, _) => drop(waits.insert(me)),
                _ => {}
            }
        }
        for (to, word) in out.sent {
            counts[match word {
                bully::Word::Election => 0,
                bully::Word::Answer => 1,
                bully::Word::Coordinator | bully::Word::Heartbeat => 2,
            }] += 1;
            said.push((me, to, word));
        }
    }
    (nodes[usize::from(starter) - 1].leader, counts)
}

/// How many messages carry numbers, and how many the result, where all nodes of a ring in this order begin at once.
fn round_the_ring(order: &[Id]) -> (u64, u64) {
    let group = RingElection {
        order: order.to_vec(),
        silence: 150,
        heartbeat: 50,
    };
    let boot = |me: &Id| group.boot(*me, None, &mut Out::default());
    let mut nodes: Vec<_> = order.iter().map(boot).collect();
    let (mut said, mut counts) = (Vec::new(), (0, 0));
    let put = |out: OutOf<RingElection>, said: &mut Vec<_>, counts: &mut (u64, u64)| {
        for (to, word) in out.sent {
            match word {
                ring_election::Word::Candidate(_) => counts.0 += 1,
                _ => counts.1 += 1,
            }
            said.push((to, word));
        }
    };
    for node in &mut nodes {
        let mut out = Out::default();
        group.ask(node, ring_election::Ask::Elect, &mut out);
        put(out, &mut said, &mut counts);
    }
    while !said.is_empty() {
        let (to, word) = said.remove(0);
        let node = nodes.iter_mut().find(|node| node.me == to);
        let mut out = Out::default();
        group.hear(node.expect("a member"), to, word, &mut out);
        put(out, &mut said, &mut counts);
    }
    let highest = order.iter().max().copied();
    assert!(nodes.iter().all(|node| node.leader == highest));
    counts
}

fn election_answer(case: &Case<'_>) -> Option<Value> {
    if case.takes(&["ids", "dead", "starter"]) {
        let members = case.input["ids"].as_array()?.len() as Id;
        let dead: Vec<Id> = numbers(&case.input["dead"])
            .iter()
            .map(|id| *id as Id)
            .collect();
        let (leader, counts) = bullied(members, &dead, case.count("starter") as Id);
        let [election, ok, coordinator] = counts;
        return Some(json!({
            "leader": leader,
            "messages": { "ELECTION": election, "OK": ok, "COORDINATOR": coordinator },
            "total": election + ok + coordinator,
        }));
    }
    if case.takes(&["recovers"]) {
        let alive = numbers(&case.input["alive"]);
        let me = case.count("recovers") as Id;
        let group = Bully {
            members: me,
            silence: 150,
            waits: 40,
            heartbeat: 50,
        };
        assert_eq!(alive.len() + 1, usize::from(me));
        let mut out = Out::default();
        let node = group.boot(me, None, &mut out);
        let count = |of| out.sent.iter().filter(|(_, word)| *word == of).count();
        return Some(json!({
            "leader": node.leader,
            "ELECTION": count(bully::Word::Election),
            "COORDINATOR": count(bully::Word::Coordinator),
        }));
    }
    let members = case.count("n") as Id;
    if case.expects(&["worst_election_plus_ok"]) {
        let (_, [election, ok, _]) = bullied(members, &[members], 1);
        let (_, [_, _, coordinator]) = bullied(members, &[members], members - 1);
        return Some(json!({
            "worst_election_plus_ok": election + ok,
            "best_coordinator_only": coordinator,
        }));
    }
    let ascending: Vec<Id> = (1..=members).collect();
    let descending: Vec<Id> = (1..=members).rev().collect();
    let (best, announce) = round_the_ring(&ascending);
    let (worst, again) = round_the_ring(&descending);
    assert_eq!(announce, again);
    Some(json!({
        "best_election_messages": best,
        "worst_election_messages": worst,
        "announce": announce,
    }))
}
