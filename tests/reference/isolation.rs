//! Transactions at once: schedules of Hermitage on both engines, the matrix of anomalies, circles of waiting, SSI.

use crate::table::{Case, run};
use algorithms::isolation::programs::{Phase, Play, Step};
use algorithms::isolation::{Answer, Database, Db, Id, Level, Reason, Set, Statement, Tx, Where};
use algorithms::waits_for::circle;
use serde_json::{Map, Value, json};

const OTHERS: &str = "another database, whose rules the lesson does not have";

#[test]
fn isolation_anomalies_hermitage() {
    let not_applicable = [
        ("Oracle DB / read committed", OTHERS),
        ("Oracle DB / serializable", OTHERS),
        ("MS SQL Server / read committed (snapshot)", OTHERS),
        ("MS SQL Server / repeatable read", OTHERS),
        ("MS SQL Server / snapshot", OTHERS),
        ("MS SQL Server / serializable", OTHERS),
        ("FDB SQL Layer / serializable", OTHERS),
        ("CockroachDB / repeatable read", OTHERS),
        ("CockroachDB / serializable", OTHERS),
        ("YugabyteDB / read committed", OTHERS),
        ("Memgraph / snapshot isolation", OTHERS),
        ("Memgraph / read committed", OTHERS),
        ("Memgraph / read uncommitted", OTHERS),
    ];
    // Whether the anomaly occurs is what the values read and the final ones say.
    let prose = ["actual_level", "anomaly", "occurs"];
    let table = include_str!("isolation_anomalies_hermitage.json");
    run(table, &not_applicable, &prose, |case| {
        if case.takes(&["schedule"]) {
            return Some(schedule(case));
        }
        if case.takes(&["database"]) {
            return Some(matrix(case));
        }
        Some(phenomena(case))
    });
}

fn level(name: &str) -> Level {
    match name {
        "read uncommitted" => Level::ReadUncommitted,
        "read committed" => Level::ReadCommitted,
        "repeatable read" => Level::RepeatableRead,
        _ => Level::Serializable,
    }
}

fn condition(written: &str) -> Where {
    let number = |text: &str| text.parse().expect("a number");
    if written == "*" {
        Where::All
    } else if let Some(id) = written.strip_prefix("id<=") {
        Where::UpTo(number(id) as Id)
    } else if let Some(id) = written.strip_prefix("id=") {
        Where::Id(number(id) as Id)
    } else if let Some(of) = written.strip_prefix("value%") {
        Where::Multiple(number(of.strip_suffix("=0").expect("a multiple")))
    } else {
        Where::Value(number(written.strip_prefix("value=").expect("a value")))
    }
}

fn statement(step: &Value) -> Option<Statement> {
    let on = || match step["where"].as_str() {
        Some(written) => condition(written),
        None => step["id"]
            .as_u64()
            .map_or(Where::All, |id| Where::Id(id as Id)),
    };
    let set = || match step["value"].as_str() {
        Some(more) => Set::Add(more.trim_start_matches('+').parse().expect("a number")),
        None => Set::To(step["value"].as_i64().expect("a value")),
    };
    match step["op"].as_str().expect("an operation") {
        "read" => Some(Statement::Read(on())),
        "write" | "writeall" => Some(Statement::Update(on(), set())),
        "delete" => Some(Statement::Delete(on())),
        "insert" => {
            let (id, value) = (step["id"].as_u64(), step["value"].as_i64());
            Some(Statement::Insert(id? as Id, value?))
        }
        _ => None,
    }
}

/// One who types statements, transaction after transaction.
#[derive(Default)]
struct Client {
    tx: Option<Tx>,
    /// What it waits with, and what that is to see.
    waits: Option<(Statement, Value)>,
    refused: Option<Reason>,
}

fn sees(answer: &Answer, expected: &Value, what: &str) {
    if let (Answer::Done(rows), Some(expected)) = (answer, expected.as_object()) {
        let seen: Map<String, Value> = rows
            .iter()
            .map(|(id, data)| (id.to_string(), json!(data.value)))
            .collect();
        assert_eq!(&seen, expected, "{what}");
    }
}

/// Who waited and may go on does; tells who was let through and who was refused.
fn wake(db: &mut Db, clients: &mut [Client; 3], what: &str) -> (Vec<String>, Vec<String>) {
    let (mut on, mut refused) = (Vec::new(), Vec::new());
    loop {
        let woken = db.take_woken();
        if woken.is_empty() {
            return (on, refused);
        }
        for tx in woken {
            let Some(who) = clients.iter().position(|client| client.tx == Some(tx)) else {
                continue;
            };
            let Some((statement, expected)) = clients[who].waits.take() else {
                continue;
            };
            let answer = db.run(tx, statement);
            sees(&answer, &expected, what);
            let name = format!("T{}", who + 1);
            match answer {
                Answer::Done(_) => on.push(name),
                Answer::Waits(_) => clients[who].waits = Some((statement, expected)),
                Answer::Refused(reason) => {
                    clients[who].refused = Some(reason);
                    refused.push(name);
                }
            }
        }
    }
}

fn schedule(case: &Case<'_>) -> Value {
    let engine = case.input["engine"].as_str().expect("an engine");
    let database = match engine {
        "mvcc" => Database::Postgres,
        _ => Database::Mysql,
    };
    let mut values = Value::Null;
    for name in case.input["levels"].as_array().expect("levels") {
        let initial = case.input["initial"].as_object().expect("rows");
        let rows: Vec<(Id, i64)> = initial
            .iter()
            .map(|(id, value)| (id.parse().expect("a key"), value.as_i64().expect("a value")))
            .collect();
        let mut db = Db::new(database, level(name.as_str().expect("a level")), &rows);
        let mut clients: [Client; 3] = Default::default();
        for (n, step) in case.input["schedule"]
            .as_array()
            .expect("steps")
            .iter()
            .enumerate()
        {
            let what = format!("{}, step {}: {step}", case.name, n + 1);
            let name = step["tx"].as_str().expect("a transaction");
            let who: usize = name[1..].parse::<usize>().expect("a number") - 1;
            let text = |field: &str| step[field].as_str();
            let tx = match clients[who].tx {
                Some(tx) => tx,
                None => db.begin(),
            };
            clients[who].tx = Some(tx);
            let mut error = None;
            let mut blocks = false;
            match (statement(step), text("op")) {
                (Some(statement), _) => {
                    let answer = db.run(tx, statement);
                    sees(&answer, &step["sees"], &what);
                    match answer {
                        Answer::Done(_) => {}
                        Answer::Waits(_) => {
                            blocks = true;
                            clients[who].waits = Some((statement, step["sees"].clone()));
                        }
                        Answer::Refused(reason) => error = Some(reason),
                    }
                }
                (None, Some("commit")) => {
                    error = db.commit(tx).err();
                    clients[who] = Client::default();
                }
                _ => {
                    db.abort(tx);
                    clients[who] = Client::default();
                }
            }
            assert_eq!(blocks, step["blocks"] == true, "{what}");
            let error = error.map(|reason| match reason {
                Reason::Deadlock => "deadlock",
                _ => "serialization failure",
            });
            assert_eq!(error, text("error"), "{what}");
            let (on, refused) = wake(&mut db, &mut clients, &what);
            assert_eq!(
                refused.first().map(String::as_str),
                text("aborts"),
                "{what}"
            );
            // A refused transaction is let go of its waiting too.
            let let_go = on
                .iter()
                .chain(&refused)
                .map(String::as_str)
                .collect::<Vec<_>>();
            match text("unblocks") {
                Some(name) => assert!(let_go.contains(&name), "{what}: {let_go:?}"),
                None => assert!(on.is_empty(), "{what}: {on:?}"),
            }
        }
        values = db
            .values()
            .into_iter()
            .map(|(id, value)| (id.to_string(), json!(value)))
            .collect::<Map<String, Value>>()
            .into();
    }
    json!({"final": values})
}

/// Programs whose turns come in this order, on rows 1: 10 and 2: 20.
fn play(database: Database, level: Level, programs: &[Vec<Step>], order: &[usize]) -> Play {
    let mut play = Play::new(database, level, &[(1, 10), (2, 20)], programs, false);
    let mut deeds = Vec::new();
    for who in order {
        play.turn(*who - 1, &mut deeds);
    }
    play.finish(&mut deeds);
    play
}

fn read(on: Where) -> Step {
    Step::Run(Statement::Read(on))
}

fn write(id: Id, value: i64) -> Step {
    Step::Run(Statement::Update(Where::Id(id), Set::To(value)))
}

const DONE: Step = Step::Commit;

/// The n-th read of a program that committed, from 1; none if it did not.
fn found(play: &Play, who: usize, nth: usize) -> Option<Vec<(Id, i64)>> {
    let session = &play.sessions[who - 1];
    let read = session.reads.get(nth - 1)?;
    (session.phase == Phase::Committed).then(|| read.1.clone())
}

fn all_commit(play: &Play) -> bool {
    let mut sessions = play.sessions.iter();
    sessions.all(|session| session.phase == Phase::Committed)
}

/// Which anomalies are possible, by trying a schedule of each.
fn matrix(case: &Case<'_>) -> Value {
    let database = match case.input["database"].as_str().expect("a database") {
        "PostgreSQL" => Database::Postgres,
        _ => Database::Mysql,
    };
    let level = level(case.input["level"].as_str().expect("a level"));
    let go = |programs: &[Vec<Step>], order: &[usize]| play(database, level, programs, order);
    let word = |possible: bool| if possible { "possible" } else { "prevented" };
    // Only the kind with reads, only that with writes, or both.
    let two = |reads: bool, writes: bool| match (reads, writes) {
        (false, true) => "prevented only read-only",
        _ => word(reads),
    };
    let mixed = go(
        &[
            vec![write(1, 11), write(2, 21), DONE],
            vec![write(1, 12), write(2, 22), DONE],
        ],
        &[1, 2, 1, 1, 2, 2],
    );
    let g0 = matches!(
        mixed.db.values()[..],
        [(_, 11), (_, 22)] | [(_, 12), (_, 21)]
    );
    let one = |value| Some(vec![(1, value)]);
    let undone = [
        vec![write(1, 101), Step::Abort],
        vec![read(Where::Id(1)), DONE],
    ];
    let g1a = found(&go(&undone, &[1, 2, 1, 2]), 2, 1) == one(101);
    let between = [
        vec![write(1, 101), write(1, 11), DONE],
        vec![read(Where::Id(1)), DONE],
    ];
    let g1b = found(&go(&between, &[1, 2, 1, 1, 2]), 2, 1) == one(101);
    let circular = go(
        &[
            vec![write(1, 11), read(Where::Id(2)), DONE],
            vec![write(2, 22), read(Where::Id(1)), DONE],
        ],
        &[1, 2, 1, 2, 1, 2],
    );
    let g1c = found(&circular, 1, 1) == Some(vec![(2, 22)]) && found(&circular, 2, 1) == one(11);
    let vanishes = go(
        &[
            vec![write(1, 11), write(2, 19), DONE],
            vec![write(1, 12), write(2, 18), DONE],
            vec![read(Where::Id(1)), read(Where::Id(2)), DONE],
        ],
        &[1, 1, 2, 1, 3, 3, 2, 2, 3],
    );
    let otv = found(&vanishes, 3, 1) == one(12) && found(&vanishes, 3, 2) == Some(vec![(2, 19)]);
    let new = Step::Run(Statement::Insert(3, 30));
    let phantom = go(
        &[
            vec![read(Where::Value(30)), read(Where::Multiple(3)), DONE],
            vec![new, DONE],
        ],
        &[1, 2, 2, 1, 1],
    );
    let pmp = found(&phantom, 1, 2).is_some_and(|rows| !rows.is_empty());
    let more = Step::Run(Statement::Update(Where::All, Set::Add(10)));
    let delete = Step::Run(Statement::Delete(Where::Value(20)));
    let deleted = go(
        &[vec![more, DONE], vec![read(Where::Value(20)), delete, DONE]],
        &[1, 2, 2, 1, 2],
    );
    // What was read was not what was deleted.
    let pmp_write =
        found(&deleted, 2, 1) == Some(vec![(2, 20)]) && deleted.db.values().contains(&(2, 30));
    let lost = go(
        &[
            vec![read(Where::Id(1)), write(1, 11), DONE],
            vec![read(Where::Id(1)), write(1, 12), DONE],
        ],
        &[1, 2, 1, 2, 1, 2],
    );
    let moves = vec![read(Where::All), write(1, 12), write(2, 18), DONE];
    let skew = |last| {
        let programs = [vec![read(Where::Id(1)), last, DONE], moves.clone()];
        go(&programs, &[1, 2, 2, 2, 2, 1, 1])
    };
    let read_skew = skew(read(Where::Id(2)));
    let single =
        found(&read_skew, 1, 1) == one(10) && found(&read_skew, 1, 2) == Some(vec![(2, 18)]);
    // It saw the old row 1, committed, and its delete did not meet the old row 2.
    let write_skew = skew(delete);
    let single_write =
        found(&write_skew, 1, 1) == one(10) && write_skew.db.values().contains(&(2, 18));
    let items = go(
        &[
            vec![read(Where::UpTo(2)), write(1, 11), DONE],
            vec![read(Where::UpTo(2)), write(2, 21), DONE],
        ],
        &[1, 2, 1, 2, 1, 2],
    );
    let other = Step::Run(Statement::Insert(4, 42));
    let predicates = go(
        &[
            vec![read(Where::Multiple(3)), new, DONE],
            vec![read(Where::Multiple(3)), other, DONE],
        ],
        &[1, 2, 1, 2, 1, 2],
    );
    json!({
        "G0": word(g0),
        "G1a": word(g1a),
        "G1b": word(g1b),
        "G1c": word(g1c),
        "OTV": word(otv),
        "PMP": two(pmp, pmp_write),
        "P4": word(all_commit(&lost)),
        "G-single": two(single, single_write),
        "G2-item": word(all_commit(&items)),
        "G2": word(all_commit(&predicates)),
    })
}

/// P1 to P3 of the standard at a level, in either engine.
fn phenomena(case: &Case<'_>) -> Value {
    let level = level(case.input["level"].as_str().expect("a level"));
    let [pg, my] = [Database::Postgres, Database::Mysql].map(|database| {
        let go = |programs: &[Vec<Step>], order: &[usize]| play(database, level, programs, order);
        let one = read(Where::Id(1));
        let dirty = go(&[vec![write(1, 11), DONE], vec![one, DONE]], &[1, 2, 1, 2]);
        let twice = go(
            &[vec![one, one, DONE], vec![write(1, 11), DONE]],
            &[1, 2, 2, 1, 1],
        );
        let all = read(Where::All);
        let new = Step::Run(Statement::Insert(3, 30));
        let phantom = go(&[vec![all, all, DONE], vec![new, DONE]], &[1, 2, 2, 1, 1]);
        json!({
            "dirty_read_possible": found(&dirty, 2, 1) == Some(vec![(1, 11)]),
            "non_repeatable_read_possible": found(&twice, 1, 1) != found(&twice, 1, 2),
            "phantom_possible": found(&phantom, 1, 1) != found(&phantom, 1, 2),
        })
    });
    assert_eq!(pg, my, "{}", case.name);
    pg
}

#[test]
fn deadlock_locking() {
    let neither = "neither engine does: both look for circles";
    let not_applicable = [
        ("wait-die: older waits, younger dies", neither),
        ("wound-wait: older wounds, younger waits", neither),
    ];
    run(
        include_str!("deadlock_locking.json"),
        &not_applicable,
        &[],
        |case| {
            if case.takes(&["edges"]) {
                return Some(circles(case));
            }
            if case.takes(&["order"]) {
                return Some(permutation(case));
            }
            Some(versions(case))
        },
    );
}

fn circles(case: &Case<'_>) -> Value {
    let number = |name: &Value| name.as_str().and_then(|name| name[1..].parse().ok());
    let edges: Vec<(Tx, Tx)> = case.input["edges"]
        .as_array()
        .expect("edges")
        .iter()
        .map(|edge| (number(&edge[0]).expect("T1"), number(&edge[1]).expect("T1")))
        .collect();
    let waits_for = |tx: Tx| {
        let from = edges.iter().filter(|(from, _)| *from == tx);
        from.map(|(_, to)| *to).collect()
    };
    let mut members: Vec<Tx> = (1..9)
        .filter_map(|tx| circle(tx, waits_for))
        .flatten()
        .collect();
    members.sort_unstable();
    members.dedup();
    let names: Vec<String> = members.iter().map(|tx| format!("T{tx}")).collect();
    json!({"deadlock": !names.is_empty(), "cycle_members": names})
}

/// Apples are 1, pears are 0.
fn permutation(case: &Case<'_>) -> Value {
    let change = |from, to| Step::Run(Statement::Update(Where::Value(from), Set::To(to)));
    let programs = [vec![change(0, 1), DONE], vec![change(1, 0), DONE]];
    let rows = [(1, 1), (2, 0), (3, 1), (4, 0)];
    let mut play = Play::new(
        Database::Postgres,
        Level::Serializable,
        &rows,
        &programs,
        false,
    );
    let mut deeds = Vec::new();
    for step in case.input["order"].as_array().expect("an order") {
        let first = step.as_str().expect("a step").ends_with('1');
        play.turn(usize::from(!first), &mut deeds);
    }
    let refused = play
        .sessions
        .iter()
        .position(|session| matches!(session.phase, Phase::Refused(_)));
    json!({"aborted_at_commit": refused.map(|who| format!("T{}", who + 1))})
}

fn versions(case: &Case<'_>) -> Value {
    let mut db = Db::new(Database::Postgres, Level::ReadCommitted, &[(1, 10)]);
    // Versions are counted from 1.
    for _ in 1..case.need("version") {
        let tx = db.begin();
        db.run(tx, Statement::Update(Where::Id(1), Set::Add(1)));
        db.commit(tx).expect("nobody else is there");
    }
    let results: Vec<String> = case.input["updates"]
        .as_array()
        .expect("updates")
        .iter()
        .map(|update| {
            let expected = update["expects"].as_u64().expect("a version") as u32;
            let tx = db.begin();
            let answer = db.run(tx, Statement::Update(Where::At(1, expected), Set::Add(1)));
            let Answer::Done(rows) = answer else {
                panic!("{answer:?}");
            };
            db.commit(tx).expect("nobody else is there");
            match rows.first() {
                Some((_, data)) => format!("ok -> {}", data.version),
                None => "conflict".to_owned(),
            }
        })
        .collect();
    json!({"results": results})
}
