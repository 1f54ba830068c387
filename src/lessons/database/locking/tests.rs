//! The subject held against theory: what each way carries, how often circles close, who is undone.

use super::model::{LONG, account, worker};
use super::settings::{Deadlocks, Way};
use super::{Bank, Locking, Settings};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time};

fn run(seed: u32, first: Settings) -> Run<Bank> {
    Run::with_knobs(sheet::<Locking>(), seed, first)
}

fn after(run: &mut Run<Bank>, ms: u64) -> &Bank {
    let at = run.position().at + Time::ms(ms);
    run.run(at, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
    run.model()
}

fn act(run: &mut Run<Bank>, id: &str, target: usize) -> bool {
    let spec = run.actions().iter().position(|action| action.id == id);
    let spec = spec.unwrap();
    run.act(Act { spec, target })
}

/// What is set for a way and a rule, with so many accounts and processors.
fn set(way: Way, deadlocks: Deadlocks, accounts: u32, processors: u32) -> Settings {
    Settings {
        way,
        deadlocks,
        accounts,
        processors,
        ..Settings::default()
    }
}

fn in_order(settings: Settings) -> Settings {
    Settings {
        order: true,
        ..settings
    }
}

/// Transfers a second, and tries undone for each that was done, over some minutes.
fn carried(first: &Settings) -> (f64, f64) {
    let (mut done, mut undone) = (0, 0);
    for seed in 1..=4 {
        let mut run = run(seed, first.clone());
        let ledger = after(&mut run, 55_600).ledger;
        (done, undone) = (done + ledger.done, undone + ledger.undone);
    }
    (f64::from(done) / 240.0, f64::from(undone) / f64::from(done))
}

fn close(what: &str, measured: f64, expected: f64, share: f64) {
    assert!(
        (measured - expected).abs() <= share * expected,
        "{what}: {measured:.1}, not {expected:.1}"
    );
}

/// A simulation written apart from this one, from the same rules, gave these; but it undid those in line behind a circle, too, which
/// helps nobody, and so had 2.4 and 8.2 a second where circles stand all the time.
#[test]
fn each_way_carries_what_was_computed() {
    let ask = |rule| move |accounts| set(Way::Ask, rule, accounts, 8);
    let accounts = [4, 8, 16, 32, 64];
    let mut table: Vec<(&str, Vec<f64>, [f64; 5])> = Vec::new();
    let mut row = |name, settings: &dyn Fn(u32) -> Settings, expected| {
        let measured = accounts.map(|accounts| carried(&settings(accounts)).0);
        table.push((name, measured.to_vec(), expected));
    };
    row(
        "at once",
        &ask(Deadlocks::AtOnce),
        [13.6, 21.8, 41.0, 64.0, 81.0],
    );
    row(
        "after 1 s",
        &ask(Deadlocks::AfterWait),
        [1.0, 7.4, 28.0, 60.0, 79.0],
    );
    let order = |accounts| in_order(set(Way::Ask, Deadlocks::Nobody, accounts, 8));
    row("in order", &order, [15.9, 26.0, 45.0, 66.0, 81.0]);
    row(
        "wound-wait",
        &ask(Deadlocks::WoundWait),
        [16.4, 27.0, 45.0, 65.0, 81.0],
    );
    let later = |accounts| set(Way::Later, Deadlocks::Nobody, accounts, 8);
    row("later", &later, [18.0, 29.0, 44.0, 60.0, 74.0]);
    let two = |accounts| set(Way::Ask, Deadlocks::AtOnce, accounts, 2);
    row("two, at once", &two, [13.6, 22.0, 35.0, 40.0, 40.0]);
    let two_later = |accounts| set(Way::Later, Deadlocks::Nobody, accounts, 2);
    row("two, later", &two_later, [6.9, 11.0, 17.0, 23.0, 29.0]);
    for (name, measured, expected) in table {
        for (measured, expected) in measured.into_iter().zip(expected) {
            close(name, measured, expected, 0.08);
        }
    }
}

#[test]
fn two_accounts_in_order_carry_one_at_a_time_and_no_lock_all_that_fits() {
    let two = in_order(set(Way::Ask, Deadlocks::Nobody, 2, 8));
    close("one at a time", carried(&two).0, 12.5, 0.02);
    let free = set(Way::NoLock, Deadlocks::Nobody, 16, 8);
    close("no lock", carried(&free).0, 100.0, 0.02);
}

/// A try is right if none of the seven others changed one of its accounts in the 60 and 70 ms from its reads to its commit:
/// with probability p, where all commit 100 p a second.
#[test]
fn checking_later_succeeds_as_often_as_meeting_at_random_says() {
    for accounts in [16, 32, 64] {
        let (_, undone) = carried(&set(Way::Later, Deadlocks::Nobody, accounts, 8));
        let rate = 100.0 * 7.0 / 8.0 * 2.0 / f64::from(accounts) * 0.13;
        let mut p = 0.5;
        for _ in 0..60 {
            p = 0.5 * (p + exponential(-rate * p));
        }
        close("tries that succeed", 1.0 / (1.0 + undone), p, 0.15);
    }
}

/// e to the x, by its series: x is small.
fn exponential(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..40 {
        term *= x / f64::from(n);
        sum += term;
    }
    sum
}

/// Deadlocks grow with the square of the load (Gray 1996): twice as many workers, more than twice as many for each transfer.
#[test]
fn circles_grow_faster_than_the_work() {
    let circles = |workers| {
        let first = Settings {
            rows: 4,
            workers,
            accounts: 64,
            compute: 0.0,
            statement: 2.0,
            ..set(Way::Ask, Deadlocks::AtOnce, 64, 8)
        };
        let (per_s, undone) = carried(&first);
        per_s * undone
    };
    let (eight, sixteen) = (circles(8), circles(16));
    assert!(sixteen > 3.0 * eight, "{sixteen} against {eight}");
}

#[test]
fn without_locks_three_of_four_overwrite_a_change() {
    let (mut lost, mut done) = (0, 0);
    for seed in 1..=4 {
        let ledger = after(
            &mut run(seed, set(Way::NoLock, Deadlocks::Nobody, 16, 8)),
            58_000,
        )
        .ledger;
        (lost, done) = (lost + ledger.lost, done + ledger.done);
    }
    close(
        "lost",
        100.0 * f64::from(lost) / f64::from(done),
        77.0,
        0.05,
    );
}

/// The table's case by the learner's hand: the older waits, the younger is undone.
#[test]
fn by_hand_the_older_waits_and_the_younger_dies() {
    let first = Settings {
        workers: 2,
        accounts: 2,
        ..set(Way::Ask, Deadlocks::WaitDie, 2, 8)
    };
    let mut run = run(1, first);
    let mut died = false;
    for press in 0..400 {
        act(&mut run, "step", press % 2);
        let bank = after(&mut run, 200);
        let ages = [0, 1].map(|hand| bank.store.age(hand));
        for hand in [0, 1] {
            if bank.waits_for(hand).is_some() {
                assert!(ages[hand] < ages[1 - hand], "the younger waits");
            }
        }
        died |= bank.ledger.undone > 0;
    }
    assert!(died, "nobody died");
    assert!(act(&mut run, "go", 0));
    let before = run.model().ledger.done;
    assert!(after(&mut run, 2_000).ledger.done > before + 10);
}

#[test]
fn two_who_add_to_one_account() {
    for (way, value, version) in [(Way::NoLock, 16, 4), (Way::Ask, 19, 4), (Way::Later, 19, 4)] {
        let mut run = run(1, set(way, Deadlocks::AtOnce, 16, 8));
        assert!(act(&mut run, "pair", 0));
        let data = after(&mut run, 400).store.table.rows()[2];
        assert_eq!((data.value, data.version), (value, version), "{way:?}");
        assert!(
            after(&mut run, 3_000).ledger.done > 50,
            "{way:?}: they go on"
        );
    }
}

#[test]
fn a_circle_stops_everyone_until_somebody_looks_and_a_new_rule_at_once() {
    for (seed, rule) in (1..=10).zip(
        [Deadlocks::AtOnce, Deadlocks::WoundWait]
            .into_iter()
            .cycle(),
    ) {
        let mut run = run(seed, set(Way::Ask, Deadlocks::Nobody, 16, 8));
        act(&mut run, "circle", 0);
        let bank = after(&mut run, 100);
        assert!(bank.in_circle(2) && bank.in_circle(5), "seed {seed}");
        let bank = after(&mut run, 5_000);
        assert!(
            (0..8).all(|hand| bank.waits(hand)),
            "seed {seed}: nobody looks"
        );
        let at_once = Deadlocks::AtOnce as usize as f64;
        let value = if rule == Deadlocks::AtOnce {
            at_once
        } else {
            5.0
        };
        run.set_knob("deadlocks", value).unwrap();
        let bank = after(&mut run, 1_000);
        assert!(bank.ledger.done > 20, "seed {seed}, {rule:?}");
    }
}

#[test]
fn a_long_job_gets_there_by_asking_and_not_by_checking() {
    let mut took = Vec::new();
    for seed in 1..=10 {
        let mut run = run(seed, in_order(set(Way::Ask, Deadlocks::Nobody, 16, 8)));
        after(&mut run, 1_000);
        act(&mut run, "long", 0);
        let long = after(&mut run, 3_000).long.unwrap();
        took.push(long.took.unwrap().as_s());
    }
    let mean = took.iter().sum::<f64>() / 10.0;
    close("in order", mean, 1.08, 0.15);
    let mut run = run(1, set(Way::Later, Deadlocks::Nobody, 16, 8));
    act(&mut run, "long", 0);
    let bank = after(&mut run, 30_000);
    assert!(bank.store.jobs[LONG].is_some() && bank.long.unwrap().tries > 45);
}

#[test]
fn behind_a_coffee_everyone_stands() {
    let mut stood = Vec::new();
    for seed in 1..=20 {
        let mut run = run(seed, set(Way::Ask, Deadlocks::AtOnce, 16, 8));
        act(&mut run, "coffee", 0);
        let mut at = None;
        for ms in 0..300 {
            let bank = after(&mut run, 10);
            let begun = bank.coffee.map(|(since, _)| bank.now.since(since).as_s());
            if (1..8).all(|hand| bank.waits(hand)) && at.is_none() {
                at = begun;
            }
            assert!(ms < 299 || at.is_some(), "seed {seed}");
        }
        stood.extend(at);
        // With versions nobody waits, and who was away is refused.
        let mut run = self::run(seed, set(Way::Later, Deadlocks::AtOnce, 16, 8));
        act(&mut run, "coffee", 0);
        let before = run.model().ledger.done;
        assert!(
            after(&mut run, 5_000).ledger.done > before + 150,
            "seed {seed}"
        );
    }
    let mean = stood.iter().sum::<f64>() / stood.len() as f64;
    close("mean until all stand", mean, 0.47, 0.3);
}

#[test]
fn parts_are_numbered_as_they_are_called() {
    assert!(worker(2).is("worker-3") && account(2).is("account-3") && worker(LONG).is("long"));
}
