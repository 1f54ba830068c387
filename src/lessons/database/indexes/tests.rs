//! What the lesson says of indexes, held against theory and against a plain list of rows.

use super::Indexes;
use super::model::{Library, PILE};
use super::settings::{Ids, Kind, Planner, Question, Settings};
use super::store::{Cost, Of, Op, Step, Store};
use engine::lesson::sheet;
use engine::show::{Ran, Watch};
use engine::{Act, Refusal, Run, Show, Time};
use kit::bench::{Craft, Verdict};

const INDEXES: [Kind; 4] = [Kind::None, Kind::Hash, Kind::Avl, Kind::Tree];

fn with(index: Kind) -> Settings {
    Settings {
        index,
        ..Settings::default()
    }
}

/// Runs an operation with all its steps: those, what they cost, and how long they take.
fn play(store: &mut Store, op: Op) -> (Vec<Step>, Cost, Time) {
    let mut steps = Vec::new();
    let verdict = store.run(0, &op, &mut |step| steps.push(step));
    assert_eq!(verdict, Verdict::Done);
    let took = steps
        .iter()
        .fold(Time::ZERO, |sum, step| sum + store.begin(0, *step));
    store.finish();
    store.sound().unwrap();
    (steps, store.cost, took)
}

fn run(seed: u32, first: Settings, span: Time) -> Run<Library> {
    let mut run = Run::with_knobs(sheet::<Indexes>(), seed, first);
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
    run
}

#[test]
fn a_question_for_one_row_reads_what_theory_says() {
    for index in INDEXES {
        let mut store = Store::new(&with(index));
        let rows = store.rows.len() as u32;
        let mut read = 0;
        for row in 0..rows {
            let (_, cost, _) = play(&mut store, Op::Row(row));
            read += cost.read();
            match index {
                // It stops where the row is.
                Kind::None => assert_eq!(cost.read(), row / 8 + 1),
                // A chain of one page, seldom two, and the row's page.
                Kind::Hash => assert!((2..=3).contains(&cost.read())),
                Kind::Avl => assert!((2..=11).contains(&cost.read())),
                Kind::Tree => assert_eq!(cost.read(), 4),
            }
        }
        let mean = f64::from(read) / f64::from(rows);
        let expected = match index {
            Kind::None => 32.5,
            Kind::Hash => 2.0,
            // The mean depth of a nearly whole binary tree of 512 keys, and the row's page.
            Kind::Avl => 9.0,
            Kind::Tree => 4.0,
        };
        assert!((mean - expected).abs() < 0.15, "{index:?}: {mean}");
    }
}

#[test]
fn every_way_finds_the_same_rows() {
    for ids in [Ids::Counted, Ids::Random] {
        for index in INDEXES {
            for planner in [Planner::Always, Planner::Never] {
                let mut store = Store::new(&Settings {
                    ids,
                    planner,
                    open: 10,
                    ..with(index)
                });
                store.delete();
                for op in [Op::Row(40), Op::Row(41), Op::Range(100), Op::Open] {
                    let (steps, ..) = play(&mut store, op);
                    let pages: Vec<u32> = steps
                        .iter()
                        .filter_map(|step| match step {
                            Step::Read((Of::Table, page)) => Some(*page),
                            _ => None,
                        })
                        .collect();
                    // The page of each row that matches has been read.
                    for row in store.matches(op) {
                        assert!(pages.contains(&(row / 8)), "{ids:?} {index:?} {op:?} {row}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_planner_turns_at_about_three_per_cent() {
    let plan = |open| {
        let mut store = Store::new(&Settings {
            open,
            ..with(Kind::Tree)
        });
        play(&mut store, Op::Open);
        store.plan
    };
    // Root, branch and leaf from anywhere, and a page a row: 4 each. A scan is 64 in sequence.
    let few = plan(2);
    assert_eq!((few.rows, few.index, few.scan), (10, Some(52.0), 64.0));
    assert!(few.by_index && !plan(4).by_index);
}

#[test]
fn what_is_in_ram_costs_a_hundredth() {
    let mut store = Store::new(&with(Kind::Tree));
    let (_, cold, slow) = play(&mut store, Op::Row(7));
    let (_, warm, fast) = play(&mut store, Op::Row(7));
    assert_eq!((cold.disk, cold.ram, warm.disk, warm.ram), (4, 0, 0, 4));
    assert_eq!((slow, fast), (Time::us(400), Time::us(4)));
    // A scan: the first page from anywhere, the others in sequence.
    let mut store = Store::new(&with(Kind::None));
    let (_, cost, took) = play(&mut store, Op::Open);
    assert_eq!((cost.disk, took), (64, Time::us(100 + 63 * 25)));
}

#[test]
fn rows_of_both_kinds_of_ids_are_the_same_rows() {
    let of = |ids| {
        Store::new(&Settings {
            ids,
            rows: 4_096.0,
            ..Settings::default()
        })
    };
    let (counted, random) = (of(Ids::Counted), of(Ids::Random));
    let mut seen: Vec<u64> = random.rows.iter().map(|row| row.id).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 4_096, "no id twice");
    assert!(seen.last().is_some_and(|id| *id < 1_000_000));
    for (a, b) in counted.rows.iter().zip(&random.rows) {
        let same = super::store::Row { id: a.id, ..*b };
        assert_eq!(*a, same);
    }
}

#[test]
fn counted_ids_fill_pages_and_random_ones_split_them() {
    let grow = |ids| {
        let mut store = Store::new(&Settings {
            ids,
            ..with(Kind::Tree)
        });
        let splits: u32 = (0..PILE)
            .map(|_| {
                let (steps, ..) = play(&mut store, Op::Insert);
                let split = |step: &&Step| matches!(step, Step::Split((Of::Id, _), _));
                steps.iter().filter(split).count() as u32
            })
            .sum();
        splits
    };
    let (counted, random) = (grow(Ids::Counted), grow(Ids::Random));
    assert!((6..=9).contains(&counted), "{counted}");
    assert!((12..=28).contains(&random), "{random}");
}

/// A picture shows the tree before the insert or after it, and the change comes with the first page that is written.
#[test]
fn between_two_steps_the_index_is_the_old_one_or_the_new_one() {
    let mut store = Store::new(&with(Kind::Tree));
    let mut steps = Vec::new();
    store.run(0, &Op::Insert, &mut |step| steps.push(step));
    let mut lens = Vec::new();
    for step in &steps {
        store.begin(0, *step);
        store.sound().unwrap();
        lens.push((*step, store.by_id.len()));
    }
    let first = lens
        .iter()
        .position(|(step, _)| matches!(step, Step::Write((Of::Id, _))));
    let first = first.expect("the index is written");
    assert!(lens[..first].iter().all(|(_, len)| *len == Some(512)));
    assert!(lens[first..].iter().all(|(_, len)| *len == Some(513)));
}

#[test]
fn twins_are_asked_the_same() {
    let asked = |index| {
        let first = Settings {
            question: Question::Mixed,
            ..with(index)
        };
        let mut run = run(3, first, Time::ZERO);
        let mut asked = Vec::new();
        while asked.len() < 40 {
            let at = run.position().at + Time::us(50);
            run.run(at, Watch::Nothing, u64::MAX);
            let ops = run.model().ops as usize;
            if ops > asked.len() {
                asked.extend(run.model().op());
            }
        }
        asked
    };
    let scanned = asked(Kind::None);
    for index in [Kind::Hash, Kind::Avl, Kind::Tree] {
        assert_eq!(asked(index), scanned);
    }
}

#[test]
fn whatever_is_inserted_and_deleted_the_indexes_have_every_row() {
    for seed in 1..=3 {
        for index in INDEXES {
            let first = Settings {
                inserts: 10,
                further: 2,
                ids: Ids::Random,
                question: Question::Mixed,
                ..with(index)
            };
            let mut run = run(seed, first, Time::ms(20));
            for spec in [4, 3, 4, 3] {
                assert!(run.act(Act { spec, target: 0 }));
                let until = run.position().at + Time::ms(150);
                run.run(until, Watch::Nothing, u64::MAX);
                run.audit().unwrap();
            }
            assert!(run.model().grown.rows > PILE);
        }
    }
}

#[test]
fn a_typed_id_goes_the_way_of_any_other() {
    const ASK: Act = Act { spec: 6, target: 0 };
    const PUT: Act = Act { spec: 7, target: 0 };
    for index in INDEXES {
        for ids in [Ids::Counted, Ids::Random] {
            let first = Settings { ids, ..with(index) };
            let mut run = run(1, first, Time::ms(2));
            let go = |run: &mut engine::Run<_>| {
                let until = run.position().at + Time::ms(12);
                run.run(until, Watch::Nothing, u64::MAX);
                run.audit().unwrap();
            };
            for (act, text, why) in [
                (ASK, "fox", "no-id"),
                (ASK, "-1", "no-id"),
                (ASK, "+1", "no-id"),
                (ASK, "0", "no-id"),
                (ASK, "1234567890", "no-id"),
                (PUT, "42", "small"),
            ] {
                assert_eq!(run.type_in(act, text), Err(Refusal::Because(why)));
            }
            run.type_in(PUT, "7654321").unwrap();
            assert_eq!(run.type_in(PUT, "7654321"), Err(Refusal::Because("taken")));
            go(&mut run);
            let row = run
                .model()
                .store
                .rows
                .iter()
                .position(|row| row.id == 7_654_321);
            assert!(row.is_some(), "it was inserted");
            for (text, rows) in [("7654321", 1), ("7654322", 0)] {
                run.type_in(ASK, text).unwrap();
                let asked = text.parse().map(Op::Id).ok();
                while run.model().last.map(|last| last.op) != asked {
                    assert_eq!(run.run(Time::s(1), Watch::Say, u64::MAX), Ran::Stopped);
                }
                assert_eq!(run.model().last.map(|last| last.plan.rows), Some(rows));
            }
        }
    }
}

#[test]
fn indexes_of_a_million_keys_cost_what_theory_says() {
    let growth = &super::growth::GROWTH;
    let mut survey = engine::growth::Survey::new(growth);
    assert!(survey.work(|| true));
    for (line, points) in growth.lines.iter().zip(survey.points()) {
        assert_eq!(points.last().map(|(size, _)| *size), Some(1_000_000));
        for (size, cost) in points {
            let theory = (line.theory)(*size as f64);
            let apart = match line.id {
                // Every leaf is as deep as the others, so levels are whole.
                "tree" | "real" => (-0.35..1.0).contains(&(cost - theory)),
                "hash" => (cost - theory).abs() < 0.12,
                _ => (cost - theory).abs() < 0.6,
            };
            assert!(apart, "{}: {cost} of {size} keys, theory {theory}", line.id);
        }
    }
}
