//! The subject held against theory: counts of orders, money, how often a crowd loses, who waits for whom.

use super::settings::{Base, Care, Pair, Rung};
use super::{IsolationLevels, Meeting, Settings};
use algorithms::isolation::Level;
use algorithms::isolation::programs::{Phase, Verdict};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Player, Run, Show, Time};

fn run(seed: u32, first: Settings) -> Run<Meeting> {
    Run::with_knobs(sheet::<IsolationLevels>(), seed, first)
}

fn after(run: &mut Run<Meeting>, ms: u64) -> &Meeting {
    let at = run.position().at + Time::ms(ms);
    run.run(at, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
    run.model()
}

fn act(run: &mut Run<Meeting>, id: &str) -> bool {
    let spec = run.actions().iter().position(|action| action.id == id);
    run.act(Act {
        spec: spec.unwrap(),
        target: 0,
    })
}

#[test]
fn ten_seconds_without_a_touch_show_eighteen_of_twenty_wrong() {
    let mut run = run(1, Settings::default());
    let meeting = after(&mut run, 10_000);
    assert!(meeting.all_shown());
    let at = |level: Level| {
        [Verdict::Right, Verdict::Wrong, Verdict::Refused].map(|one| meeting.count(level, one))
    };
    assert_eq!(at(Level::ReadCommitted), [2, 18, 0]);
    assert_eq!(at(Level::RepeatableRead), [2, 0, 18]);
    assert_eq!(at(Level::Serializable), [2, 0, 18]);
    assert_eq!(meeting.value(1), Some(90));
}

/// Each order played step by step ends as the sweep says, and money = 100 - 10 for each commit unless it is wrong.
#[test]
fn what_is_played_is_what_is_counted() {
    for database in [Base::Postgres, Base::Mysql] {
        for level in [
            Rung::Uncommitted,
            Rung::Committed,
            Rung::Repeatable,
            Rung::Serializable,
        ] {
            for order in 1..=20 {
                let first = Settings {
                    database,
                    level,
                    order,
                    ..Settings::default()
                };
                let mut run = run(1, first);
                let mut ms = 0;
                while run.model().verdict.is_none() {
                    after(&mut run, 500);
                    ms += 500;
                    assert!(ms < 9_000, "order {order} at {level:?} does not end");
                }
                let meeting = run.model();
                let verdict = meeting.verdict.unwrap();
                let counted = meeting.verdicts[level.level() as usize][order as usize - 1];
                assert_eq!(verdict, counted, "{database:?} {level:?} {order}");
                let sessions = meeting.play.sessions.iter();
                let commits = sessions.filter(|one| one.phase == Phase::Committed).count();
                let agrees = meeting.value(1) == Some(100 - 10 * commits as i64);
                assert_eq!(agrees, verdict != Verdict::Wrong, "{level:?} {order}");
            }
        }
    }
}

/// Two of a crowd meet on one of k accounts with probability 1/k, and then 18 of 20 orders lose a withdrawal.
#[test]
fn the_crowd_loses_as_often_as_counting_says() {
    for accounts in [1, 4] {
        let (mut rounds, mut lost) = (0.0, 0.0);
        for seed in 1..=8 {
            let first = Settings {
                crowd: 2,
                accounts,
                ..Settings::default()
            };
            let mut run = run(seed, first);
            let crowd = after(&mut run, 300_000).crowd;
            rounds += f64::from(crowd.done) / 2.0;
            lost += f64::from(crowd.lost);
        }
        let theory = 0.9 / f64::from(accounts);
        let sigma = (theory * (1.0 - theory) / rounds).sqrt();
        let measured = lost / rounds;
        assert!(
            (measured - theory).abs() < 4.0 * sigma,
            "{accounts} accounts: {measured} lost a round, {theory} by counting"
        );
    }
}

#[test]
fn no_money_is_lost_where_the_database_computes_or_orders() {
    for (level, fix) in [
        (Rung::Committed, Care::OneStatement),
        (Rung::Committed, Care::ForUpdate),
        (Rung::Committed, Care::Version),
        (Rung::Serializable, Care::None),
    ] {
        for database in [Base::Postgres, Base::Mysql] {
            let first = Settings {
                level,
                database,
                fix,
                crowd: 8,
                accounts: 3,
                ..Settings::default()
            };
            let crowd = after(&mut run(3, first), 60_000).crowd;
            assert_eq!(crowd.lost, 0, "{level:?} {fix:?} {database:?}");
            let sure = matches!(fix, Care::OneStatement | Care::ForUpdate);
            assert_eq!(crowd.refused == 0, sure, "{level:?} {fix:?} {database:?}");
        }
    }
}

/// A third reader waits where reads lock, and nowhere else.
#[test]
fn a_reader_waits_for_a_writer_only_where_reads_lock() {
    for (database, waits) in [(Base::Postgres, false), (Base::Mysql, true)] {
        let first = Settings {
            database,
            level: Rung::Serializable,
            scenario: Pair::Twice,
            order: 10,
            ..Settings::default()
        };
        let mut run = run(1, first);
        act(&mut run, "again");
        // T2 has written and not committed.
        after(&mut run, 700);
        assert!(act(&mut run, "reader"));
        let reader = &after(&mut run, 600).play.sessions[2];
        assert_eq!(reader.phase == Phase::Waits, waits, "{database:?}");
        let meeting = after(&mut run, 9_000);
        assert!(meeting.verdict.is_some(), "{database:?}");
    }
}

#[test]
fn an_order_by_hand_is_found_among_the_twenty() {
    let mut run = run(1, Settings::default());
    act(&mut run, "again");
    for id in ["next-1", "next-1", "next-1", "next-2", "next-2", "next-2"] {
        assert!(act(&mut run, id), "{id}");
    }
    let meeting = run.model();
    assert_eq!(
        (meeting.known(), meeting.verdict),
        (Some(0), Some(Verdict::Right))
    );
    assert_eq!(meeting.value(1), Some(80));
    // A press more begins anew.
    assert!(act(&mut run, "next-2"));
    assert_eq!(run.model().taken, [1]);
}

#[test]
fn rolling_back_leaves_what_the_other_computed_from_it() {
    let first = Settings {
        database: Base::Mysql,
        level: Rung::Uncommitted,
        aborts: true,
        // T1 writes before T2 reads.
        order: 3,
        ..Settings::default()
    };
    let mut run = run(1, first);
    let meeting = after(&mut run, 4_000);
    assert_eq!(meeting.value(1), Some(80));
    assert_eq!(meeting.verdict, Some(Verdict::Wrong));
}

/// Who has watched all orders being played before the story begins is asked about them all the same.
#[test]
fn the_first_question_comes_before_its_answer() {
    let mut player = Player::new(Box::new(run(1, Settings::default())));
    player.seek(Time::s(14));
    player.jump(1);
    assert_eq!((player.beat(), player.main().truth(1)), (1, None));
}
