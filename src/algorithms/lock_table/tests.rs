//! The lock table against a plain list of wishes, the search for circles against reachability, and what each rule promises.

use super::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;

const X: Mode = Mode::Exclusive;
const S: Mode = Mode::Shared;

#[test]
fn a_row_is_given_first_come_first_served() {
    let mut table = LockTable::default();
    assert_eq!(table.ask(1, 7, X), Answer::Granted);
    assert_eq!(table.ask(2, 7, X), Answer::Waits);
    assert_eq!(table.ask(3, 7, X), Answer::Waits);
    // Four rows with a duplicate wish: what one has it is given again.
    assert_eq!(table.ask(1, 7, X), Answer::Granted);
    assert_eq!(table.waits_for(3), [1, 2]);
    // Asking again keeps the place in the line.
    assert_eq!(table.ask(2, 7, X), Answer::Waits);
    assert_eq!(table.release(1), [2]);
    assert_eq!((table.holder(7), table.waits_for(3)), (Some(2), vec![2]));
    // Who waits may leave.
    assert!(table.release(3).is_empty() && table.line().is_empty());
}

#[test]
fn readers_share_and_an_upgrade_goes_before_the_line() {
    let mut table = LockTable::default();
    assert_eq!(table.ask(1, 7, S), Answer::Granted);
    assert_eq!(table.ask(2, 7, S), Answer::Granted);
    assert_eq!(table.ask(3, 7, X), Answer::Waits);
    // A reader behind a writer waits, so that writers are not kept out for ever.
    assert_eq!(table.ask(4, 7, S), Answer::Waits);
    assert_eq!(table.ask(1, 7, X), Answer::Waits);
    assert_eq!(table.waits_for(1), [2]);
    assert_eq!(table.release(2), [1]);
    assert_eq!(table.release(1), [3]);
    assert_eq!(table.release(3), [4]);
}

#[test]
fn two_readers_who_both_want_to_write_wait_for_each_other() {
    let mut table = LockTable::default();
    for tx in [1, 2] {
        table.ask(tx, 7, S);
    }
    table.ask(1, 7, X);
    assert_eq!(table.circle(1), None);
    table.ask(2, 7, X);
    assert_eq!(table.circle(2), Some(vec![2, 1]));
}

#[test]
fn who_stands_in_line_behind_a_circle_is_not_in_it() {
    let mut table = LockTable::default();
    for (tx, row) in [(1, 10), (2, 20), (3, 10), (2, 10), (1, 20)] {
        table.ask(tx, row, X);
    }
    // 2 waits for 3, who came before it, and 3 for 1; but without 3 nothing would be better.
    assert_eq!(table.waits_for(2), [1, 3]);
    assert_eq!(table.circle(3), None);
    assert_eq!(table.circle(1), Some(vec![1, 2]));
    // A reader behind a writer in the line is kept waiting by it alone.
    let mut table = LockTable::default();
    for (tx, row, mode) in [(1, 10, S), (2, 20, X), (3, 10, X), (2, 10, S), (1, 20, X)] {
        table.ask(tx, row, mode);
    }
    assert_eq!(table.circle(3), Some(vec![3, 1, 2]));
}

#[test]
fn of_a_circle_the_lightest_is_undone_and_one_arrow_may_close_two() {
    let mut table = LockTable::default();
    let victim = |table: &LockTable, tx| table.victim(Rule::AtOnce, tx, |_| 0, |_| false);
    for (tx, row) in [(1, 10), (2, 20), (3, 30), (2, 21), (3, 31), (1, 11)] {
        table.ask(tx, row, if row == 11 { S } else { X });
    }
    table.ask(4, 11, S);
    table.ask(2, 10, X);
    table.ask(4, 20, X);
    assert_eq!(victim(&table, 4), None);
    // 1 waits for 2, who waits for 1; all but 4 have two locks, but 4 is in no circle: who closed it goes.
    table.ask(1, 21, X);
    assert_eq!(victim(&table, 1), Some(1));
    table.release(1);
    assert_eq!(victim(&table, 1), None);
    // Two circles through the arrow from 5: both holders of 40 wait for it.
    for tx in [6, 7] {
        table.ask(tx, 40, S);
    }
    table.ask(5, 50, X);
    table.ask(6, 50, X);
    table.ask(7, 50, X);
    table.ask(5, 40, X);
    let first = victim(&table, 5);
    assert_eq!(first, Some(5));
    table.release(5);
    assert_eq!(victim(&table, 5), None);
}

#[test]
fn a_wait_ends_by_the_rule_and_not_otherwise() {
    let mut table = LockTable::default();
    table.ask(1, 10, X);
    table.ask(2, 20, X);
    table.ask(2, 10, X);
    let undone = |table: &LockTable| {
        [Rule::Nobody, Rule::AfterWait, Rule::AtOnce, Rule::GiveUp]
            .map(|rule| table.gives_up(rule, 2))
    };
    // Blindly: it only stands in line.
    assert_eq!(undone(&table), [false, false, false, true]);
    table.ask(1, 20, X);
    assert_eq!(undone(&table), [false, true, false, true]);
    // It was given the row in the moment of its look.
    table.release(1);
    assert_eq!(undone(&table), [false; 4]);
}

#[test]
fn age_decides_who_may_wait() {
    let age = |tx: Tx| tx as u64;
    let mut table = LockTable::default();
    table.ask(1, 10, X);
    table.ask(2, 20, X);
    table.ask(1, 20, X);
    let victim = |table: &LockTable, rule, writes: bool| table.victim(rule, 1, age, |_| writes);
    assert_eq!(victim(&table, Rule::WaitDie, false), None);
    assert_eq!(victim(&table, Rule::WoundWait, false), Some(2));
    assert_eq!(victim(&table, Rule::WoundWait, true), None);
    table.release(1);
    table.ask(1, 10, X);
    table.ask(2, 10, X);
    assert_eq!(victim(&table, Rule::WaitDie, false), Some(2));
    assert_eq!(victim(&table, Rule::WoundWait, false), None);
}

/// Every wish as it came, with whether it is granted: told from the words of the rule alone.
#[derive(Default)]
struct Plain(Vec<(Lock, bool)>);

impl Plain {
    fn settle(&mut self) {
        for at in 0..self.0.len() {
            let (wish, granted) = self.0[at];
            let same = |other: &Lock| (other.tx, other.row) == (wish.tx, wish.row);
            let had = |tx, row| {
                let mut all = self.0.iter();
                all.any(|(lock, has)| *has && (lock.tx, lock.row) == (tx, row))
            };
            let upgrades = had(wish.tx, wish.row);
            let in_the_way = self.0.iter().enumerate().any(|(place, (other, has))| {
                // Of those that wait, upgrades come first; among equals who came first.
                let before = match (had(other.tx, other.row), upgrades) {
                    (true, false) => true,
                    (false, true) => false,
                    _ => place < at,
                };
                let clash = other.row == wish.row && other.mode.clashes(wish.mode);
                !same(other) && clash && (*has || before)
            });
            if !granted && !in_the_way {
                self.0[at].1 = true;
                let mut place = 0;
                self.0.retain(|(other, _)| {
                    place += 1;
                    place - 1 == at || !same(other)
                });
                return self.settle();
            }
        }
    }

    fn ask(&mut self, wish: Lock) -> bool {
        let has = |lock: &Lock| lock.tx == wish.tx && lock.row == wish.row;
        let granted = |all: &[(Lock, bool)]| {
            let mut all = all.iter();
            all.any(|(lock, granted)| has(lock) && *granted && lock.mode >= wish.mode)
        };
        let waits = (wish, false);
        if !granted(&self.0) && !self.0.contains(&waits) {
            self.0
                .retain(|(lock, granted)| lock.tx != wish.tx || *granted);
            self.0.push(waits);
            self.settle();
        }
        granted(&self.0)
    }

    fn release(&mut self, tx: Tx) {
        self.0.retain(|(lock, _)| lock.tx != tx);
        self.settle();
    }
}

fn sorted(mut locks: Vec<Lock>) -> Vec<Lock> {
    locks.sort_by_key(|lock| (lock.row, lock.tx));
    locks
}

#[test]
fn random_wishes_end_as_a_plain_list_has_them() {
    let (mut steps, mut waited) = (0, 0);
    for seed in 0..2_000 {
        let mut rng = Pcg32::seed_from_u64(seed);
        let (mut table, mut plain) = (LockTable::default(), Plain::default());
        for _ in 0..40 {
            let (tx, row) = (rng.random_range(0..5), rng.random_range(0..4));
            if rng.random_range(0..4) == 0 {
                let before = table.held.len();
                let woken = table.release(tx);
                plain.release(tx);
                assert!(woken.len() <= before + 4, "{seed}");
            } else {
                let mode = if rng.random() { X } else { S };
                let wish = Lock { tx, row, mode };
                let granted = table.ask(tx, row, mode) == Answer::Granted;
                assert_eq!(granted, plain.ask(wish), "seed {seed}: {wish:?}");
                waited += u32::from(!granted);
            }
            table.audit().unwrap();
            let part = |granted| {
                let all = plain.0.iter().filter(|(_, has)| *has == granted);
                sorted(all.map(|(lock, _)| *lock).collect())
            };
            assert_eq!(sorted(table.held.clone()), part(true), "seed {seed}");
            assert_eq!(sorted(table.line.clone()), part(false), "seed {seed}");
            // A circle is where somebody reaches itself.
            let mut reaches = [[false; 5]; 5];
            for (from, row) in reaches.iter_mut().enumerate() {
                for to in table.waits_for(from) {
                    row[to] = true;
                }
            }
            for by in 0..5 {
                for from in 0..5 {
                    for to in 0..5 {
                        reaches[from][to] |= reaches[from][by] && reaches[by][to];
                    }
                }
            }
            let circles: Vec<_> = (0..5).filter_map(|tx| table.circle(tx)).collect();
            let stands = (0..5).any(|tx| reaches[tx][tx]);
            assert_eq!(!circles.is_empty(), stands, "seed {seed}");
            for circle in circles {
                let next = circle.iter().cycle().skip(1);
                for (from, to) in circle.iter().zip(next) {
                    assert!(table.waits_for(*from).contains(to), "seed {seed}");
                }
            }
            steps += 1;
        }
    }
    assert!(steps == 80_000 && waited > 10_000, "{steps} {waited}");
}

/// What random programs do under a rule; says how many were undone.
fn programs(seed: u64, rule: Rule, in_order: bool) -> u32 {
    let mut rng = Pcg32::seed_from_u64(seed);
    let count = rng.random_range(2..7);
    let rows = rng.random_range(2..7);
    let wishes: Vec<Vec<(Row, Mode)>> = (0..count)
        .map(|_| {
            let wish = |_| (rng.random_range(0..rows), if rng.random() { X } else { S });
            let mut wishes: Vec<_> = (0..3).map(wish).collect();
            if in_order {
                // An upgrade is a second lock on what one has: in order, one asks for the most at once.
                wishes.iter_mut().for_each(|wish| wish.1 = X);
                wishes.sort_unstable();
            }
            wishes
        })
        .collect();
    let (mut table, mut at, mut undone) = (LockTable::default(), vec![0; count], 0);
    for _ in 0..10_000 {
        let ready: Vec<Tx> = (0..count)
            .filter(|tx| at[*tx] <= 3 && table.wish(*tx).is_none())
            .collect();
        let Some(&tx) = ready.get(rng.random_range(0..ready.len().max(1))) else {
            break;
        };
        if at[tx] == 3 {
            table.release(tx);
            at[tx] = 4;
        } else {
            let (row, mode) = wishes[tx][at[tx]];
            at[tx] += 1;
            if table.ask(tx, row, mode) == Answer::Waits {
                while let Some(victim) = table.victim(rule, tx, |tx| tx as u64, |_| false) {
                    assert!(
                        rule == Rule::AtOnce || victim > 0,
                        "seed {seed}: the oldest is undone"
                    );
                    table.release(victim);
                    at[victim] = 0;
                    undone += 1;
                }
            }
        }
        table.audit().unwrap();
        for tx in 0..count {
            assert_eq!(table.circle(tx), None, "seed {seed}, {rule:?}");
        }
    }
    assert!(
        at.iter().all(|at| *at == 4),
        "seed {seed}, {rule:?}: {at:?}"
    );
    undone
}

#[test]
fn no_circle_ever_stands_and_everyone_ends() {
    for rule in [Rule::AtOnce, Rule::WaitDie, Rule::WoundWait] {
        let undone: u32 = (0..10_000).map(|seed| programs(seed, rule, false)).sum();
        assert!(undone > 1_000, "{rule:?}: {undone}");
    }
    let undone: u32 = (0..10_000)
        .map(|seed| programs(seed, Rule::Nobody, true))
        .sum();
    assert_eq!(undone, 0);
}
