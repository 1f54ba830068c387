//! Schedules that were tried on real databases, counts over every order, and laws over random programs.

use super::programs::{Did, Phase, Play, Setting, Step, Verdict};
use super::scenarios::{Fix, Scenario, setting};
use super::*;
use rand::RngExt;
use rand_pcg::Pcg32;

const BOTH: [Database; 2] = [Database::Postgres, Database::Mysql];

fn counts(setting: &Setting, database: Database, level: Level) -> (usize, usize, usize) {
    let sweep = setting.sweep(database, level);
    let of = |one: Verdict| sweep.iter().filter(|verdict| **verdict == one).count();
    (of(Verdict::Right), of(Verdict::Wrong), of(Verdict::Refused))
}

fn plain(scenario: Scenario) -> Setting {
    setting(scenario, Fix::None, 10, false, false)
}

#[test]
fn every_order_counted() {
    use Database::{Mysql, Postgres};
    use Level::{ReadCommitted, ReadUncommitted, RepeatableRead};
    let pinned = [
        (Scenario::Withdrawals, Mysql, ReadUncommitted, (8, 12, 0)),
        (Scenario::Withdrawals, Mysql, ReadCommitted, (2, 18, 0)),
        (Scenario::Withdrawals, Postgres, ReadCommitted, (2, 18, 0)),
        (Scenario::Withdrawals, Postgres, RepeatableRead, (2, 0, 18)),
        (Scenario::Withdrawals, Mysql, RepeatableRead, (2, 18, 0)),
        (Scenario::Doctors, Mysql, ReadUncommitted, (8, 12, 0)),
        (Scenario::Doctors, Mysql, ReadCommitted, (2, 18, 0)),
        (Scenario::Doctors, Postgres, RepeatableRead, (2, 18, 0)),
        (Scenario::Report, Mysql, ReadUncommitted, (14, 6, 0)),
        (Scenario::Report, Postgres, ReadCommitted, (17, 3, 0)),
        (Scenario::Report, Postgres, RepeatableRead, (20, 0, 0)),
    ];
    for (scenario, database, level, expected) in pinned {
        let found = counts(&plain(scenario), database, level);
        assert_eq!(found, expected, "{scenario:?} {database:?} {level:?}");
    }
}

#[test]
fn orders_are_counted_by_the_binomial() {
    let steps = |setting: &Setting| (setting.programs[0].len(), setting.programs[1].len());
    for scenario in Scenario::ALL {
        let setting = plain(scenario);
        let (m, n) = steps(&setting);
        let binomial = (1..=m).fold(1, |all, k| all * (n + k) / k);
        assert_eq!(setting.orders().len(), binomial, "{scenario:?}");
    }
    let orders = plain(Scenario::Withdrawals).orders();
    assert_eq!(orders[5], [0, 1, 0, 1, 0, 1]);
    assert_eq!(orders[9], [0, 1, 1, 1, 0, 0]);
}

#[test]
fn fixes_and_what_they_cost() {
    use Database::{Mysql, Postgres};
    use Level::{ReadCommitted, RepeatableRead, Serializable};
    let right = [
        (Scenario::Withdrawals, Fix::OneStatement),
        (Scenario::Withdrawals, Fix::ForUpdate),
        (Scenario::Doctors, Fix::ForUpdate),
    ];
    for (scenario, fix) in right {
        for database in BOTH {
            let setting = setting(scenario, fix, 10, false, false);
            let found = counts(&setting, database, ReadCommitted);
            assert_eq!(found, (20, 0, 0), "{scenario:?} {fix:?} {database:?}");
        }
    }
    let checked = setting(Scenario::Withdrawals, Fix::VersionCheck, 10, false, false);
    assert_eq!(counts(&checked, Postgres, ReadCommitted), (2, 0, 18));
    // A check of one's own row says nothing of the other's.
    let doctors = setting(Scenario::Doctors, Fix::VersionCheck, 10, false, false);
    assert_eq!(counts(&doctors, Postgres, RepeatableRead), (2, 18, 0));
    // What is not there can be locked by InnoDB only.
    let new = setting(Scenario::NewRow, Fix::ForUpdate, 10, false, false);
    assert_eq!(counts(&new, Mysql, RepeatableRead), (10, 0, 0));
    assert_eq!(counts(&new, Postgres, ReadCommitted), (8, 2, 0));
    // Who is refused and tries again gets through.
    for scenario in Scenario::ALL {
        for database in BOTH {
            let again = setting(scenario, Fix::None, 10, false, true);
            let (right, wrong, refused) = counts(&again, database, Serializable);
            let orders = again.orders().len();
            assert_eq!((right, wrong, refused), (orders, 0, 0), "{scenario:?}");
        }
    }
}

/// Every order of every scenario under every fix at serializable, in both engines.
#[test]
fn serializable_is_never_wrong() {
    for scenario in Scenario::ALL {
        for fix in [
            Fix::None,
            Fix::OneStatement,
            Fix::ForUpdate,
            Fix::VersionCheck,
        ] {
            for (aborts, database) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
                let setting = setting(scenario, fix, 10, aborts, false);
                let (_, wrong, _) = counts(&setting, BOTH[database], Level::Serializable);
                assert_eq!(
                    wrong, 0,
                    "{scenario:?} {fix:?} {aborts} {:?}",
                    BOTH[database]
                );
            }
        }
    }
}

/// Money = 100 - 10 for each that committed, wherever no order is wrong.
#[test]
fn money_agrees_with_commits_where_no_order_is_wrong() {
    for fix in [
        Fix::None,
        Fix::OneStatement,
        Fix::ForUpdate,
        Fix::VersionCheck,
    ] {
        for (database, level) in BOTH
            .iter()
            .flat_map(|db| Level::ALL.map(|level| (*db, level)))
        {
            let setting = setting(Scenario::Withdrawals, fix, 10, false, false);
            let (_, wrong, _) = counts(&setting, database, level);
            for order in setting.orders() {
                let play = setting.run(database, level, &order);
                let committed = |s: &&super::programs::Session| s.phase == Phase::Committed;
                let commits = play.sessions.iter().filter(committed).count() as i64;
                let agrees = play.db.values() == [(1, 100 - 10 * commits)];
                assert!(
                    agrees || wrong > 0,
                    "{fix:?} {database:?} {level:?} {order:?}"
                );
            }
        }
    }
}

fn random_program(rng: &mut Pcg32, who: u32) -> Vec<Step> {
    let on = |rng: &mut Pcg32| match rng.random_range(0..6) {
        0 => Where::All,
        1 => Where::UpTo(rng.random_range(1..4)),
        2 => Where::Value(rng.random_range(0..4)),
        3 => Where::Multiple(rng.random_range(2..4)),
        _ => Where::Id(rng.random_range(1..4)),
    };
    let mut program: Vec<Step> = (0..rng.random_range(1..4))
        .map(|n| match rng.random_range(0..10) {
            0 | 1 => Step::Run(Statement::Update(on(rng), Set::To(rng.random_range(0..6)))),
            2 => Step::Run(Statement::Update(on(rng), Set::Add(1))),
            3 => Step::Run(Statement::Delete(on(rng))),
            4 => Step::Run(Statement::Insert(10 + 4 * who + n, rng.random_range(0..6))),
            5 => Step::Put {
                id: rng.random_range(1..4),
                add: 1,
                checked: false,
            },
            6 => Step::Run(Statement::ReadForUpdate(on(rng))),
            _ => Step::Run(Statement::Read(on(rng))),
        })
        .collect();
    program.push(if rng.random_range(0..8) == 0 {
        Step::Abort
    } else {
        Step::Commit
    });
    program
}

/// Random programs in a random order of turns; how many came out wrong.
fn wrong_of(tries: u64, programs: u32, database: Database, level: Level) -> u64 {
    let mut wrong = 0;
    for seed in 0..tries {
        let mut rng = Pcg32::new(seed, 7);
        let setting = Setting {
            rows: vec![(1, 1), (2, 2), (3, 3)],
            programs: (0..programs)
                .map(|who| random_program(&mut rng, who))
                .collect(),
            again: false,
        };
        let mut order: Vec<usize> = Vec::new();
        for (who, program) in setting.programs.iter().enumerate() {
            for _ in program {
                let at = rng.random_range(0..=order.len());
                order.insert(at, who);
            }
        }
        let play = setting.run(database, level, &order);
        assert!(
            play.is_over(),
            "{database:?} {seed}: somebody waits for ever"
        );
        for row in play.db.rows() {
            // A refused transaction leaves no version.
            assert!(
                row.versions.iter().all(|one| play.db.is_committed(one)),
                "{seed}"
            );
        }
        let is_wrong = setting.judge(&play) == Verdict::Wrong;
        assert!(
            !is_wrong || level < Level::Serializable,
            "{database:?}, seed {seed}, order {order:?}:\n{:?}\n{:?}",
            setting.programs,
            play.sessions
        );
        wrong += u64::from(is_wrong);
    }
    wrong
}

#[test]
fn random_programs_are_serializable() {
    for database in BOTH {
        wrong_of(crate::schedules(10_000), 2, database, Level::Serializable);
        wrong_of(crate::schedules(5_000), 3, database, Level::Serializable);
    }
}

/// The judge can fail: weaker levels are found out by the same programs.
#[test]
fn random_programs_find_the_weaker_levels_out() {
    for database in BOTH {
        for level in [Level::ReadCommitted, Level::RepeatableRead] {
            assert!(
                wrong_of(800, 2, database, level) > 20,
                "{database:?} {level:?}"
            );
        }
    }
}

fn turns(play: &mut Play, order: &[usize]) -> Vec<Did> {
    let mut deeds = Vec::new();
    for who in order {
        play.turn(*who, &mut deeds);
    }
    deeds.into_iter().map(|deed| deed.did).collect()
}

#[test]
fn own_writes_are_always_seen() {
    let write = Step::Run(Statement::Update(Where::Id(1), Set::Add(5)));
    let read = Step::Run(Statement::Read(Where::Id(1)));
    for database in BOTH {
        for level in Level::ALL {
            let program = vec![read, write, read, Step::Commit];
            let mut play = Play::new(database, level, &[(1, 10)], &[program], false);
            turns(&mut play, &[0; 4]);
            let reads = &play.sessions[0].reads;
            assert_eq!(reads[1].1, [(1, 15)], "{database:?} {level:?}");
        }
    }
}

/// Fekete, O'Neil and O'Neil, "A read-only transaction anomaly under snapshot isolation" (2004): a report that sees a deposit but
/// not the withdrawal before it.
#[test]
fn the_anomaly_of_a_transaction_that_only_reads() {
    let read = |on| Step::Run(Statement::Read(on));
    let write = |id, value| Step::Run(Statement::Update(Where::Id(id), Set::To(value)));
    let programs = [
        vec![read(Where::Id(2)), write(2, 20), Step::Commit],
        vec![read(Where::All), write(1, -11), Step::Commit],
        vec![read(Where::All), Step::Commit],
    ];
    let order = [1, 0, 0, 0, 2, 2, 1, 1];
    let mut play = Play::new(
        Database::Postgres,
        Level::RepeatableRead,
        &[(1, 0), (2, 0)],
        &programs,
        false,
    );
    turns(&mut play, &order);
    assert!(
        play.sessions
            .iter()
            .all(|one| one.phase == Phase::Committed)
    );
    let mut play = Play::new(
        Database::Postgres,
        Level::Serializable,
        &[(1, 0), (2, 0)],
        &programs,
        false,
    );
    turns(&mut play, &order);
    let refused = Phase::Refused(Some(Reason::Dependencies));
    assert_eq!(play.sessions[1].phase, refused);
}

/// Jepsen, "MySQL 8.0.34" (2023): an update shows what the snapshot hid.
#[test]
fn innodb_breaks_its_own_snapshot_by_an_update() {
    let read = Step::Run(Statement::Read(Where::Id(1)));
    let add = Step::Run(Statement::Update(Where::Id(1), Set::Add(1)));
    let programs = [
        vec![read, read, add, read, Step::Commit],
        vec![add, Step::Commit],
    ];
    let rows = [(1, 10)];
    let mut play = Play::new(
        Database::Mysql,
        Level::RepeatableRead,
        &rows,
        &programs,
        false,
    );
    turns(&mut play, &[0, 1, 1, 0, 0, 0, 0]);
    let reads: Vec<i64> = play.sessions[0]
        .reads
        .iter()
        .map(|one| one.1[0].1)
        .collect();
    assert_eq!(reads, [10, 10, 12]);
}
