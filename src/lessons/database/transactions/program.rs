//! The programs: their rows, the rules of their tables, and the lines of their scripts.

use super::settings::{Design, Mail, Program, Settings};
use algorithms::aries::{Key, Row};
use algorithms::constraints::{Statement, Table};

/// All money.
pub(super) const MONEY: i64 = 10;
pub(super) const A: Key = (0, 0);
pub(super) const B: Key = (0, 1);
pub(super) const FEES: Key = (0, 2);
pub(super) const C: Key = (0, 3);
/// The author's count of posts, and the bank's count of customers.
pub(super) const COUNT: Key = (0, 0);
pub(super) const OUTBOX: Key = (4, 0);
/// Customers at first.
pub(super) const CUSTOMERS: u8 = 4;
/// Pages of a database; the last is the outbox.
pub(super) const PAGES: usize = 5;

/// A line of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Begin,
    Run(Statement),
    Savepoint,
    /// Back to the savepoint, if the line before failed.
    FallBack,
    /// Another try, if it did.
    Instead(Statement),
    /// COMMIT in one database.
    Commit(usize),
    /// COMMIT in both, by agreement.
    Agree,
    /// An e-mail leaves.
    Mail,
    /// What the outbox holds is sent.
    Send,
    /// The learner's.
    Rollback,
}

/// On which page a row lies.
pub(super) fn page_of(key: Key) -> usize {
    match key {
        (0, id) => usize::from(id),
        (table, _) => usize::from(table),
    }
}

fn row(value: i64, of: Option<u8>) -> Row {
    Row {
        of,
        ..Row::of(value)
    }
}

/// Rows at first.
pub(super) fn rows(knobs: &Settings, closed: bool) -> Vec<(Key, Row)> {
    match knobs.program {
        Program::Transfer => {
            let b = Row {
                closed,
                ..Row::of(0)
            };
            vec![
                (A, Row::of(MONEY)),
                (B, b),
                (FEES, Row::of(0)),
                (C, Row::of(0)),
            ]
        }
        Program::Post => vec![(COUNT, Row::of(0))],
        Program::Close => {
            let mut rows = vec![(COUNT, Row::of(i64::from(CUSTOMERS)))];
            for id in 0..CUSTOMERS {
                rows.push(((1, id), row(0, None)));
                // Two accounts each, and a card for the first of them.
                rows.push(((2, 2 * id), row(0, Some(id))));
                rows.push(((2, 2 * id + 1), row(0, Some(id))));
                rows.push(((3, id), row(0, Some(2 * id))));
            }
            rows
        }
    }
}

/// The tables' rules: accounts or counts, posts or customers, accounts of customers, cards of accounts, the outbox.
pub(super) fn tables(knobs: &Settings) -> [Table; PAGES] {
    let child = |of| Table {
        parent: Some(of),
        ..Table::FREE
    };
    let mut tables = [Table::FREE; PAGES];
    if knobs.rules {
        tables[0] = Table {
            from_zero: true,
            closed_is_empty: true,
            ..Table::FREE
        };
        if knobs.program == Program::Close {
            (tables[2], tables[3]) = (child(1), child(2));
        }
    }
    tables
}

/// The lines of a program.
pub(super) fn script(knobs: &Settings) -> Vec<Line> {
    let (mut lines, amount) = (Vec::new(), i64::from(knobs.amount));
    let whole = knobs.design != Design::Each;
    for number in 0..knobs.transfers as u8 {
        if whole {
            lines.push(Line::Begin);
        }
        match knobs.program {
            Program::Transfer => {
                lines.push(Line::Run(Statement::Add(A, -amount)));
                if knobs.mail == Mail::Middle {
                    lines.push(Line::Mail);
                }
                let saved = knobs.savepoint && whole;
                if saved {
                    lines.push(Line::Savepoint);
                }
                lines.push(Line::Run(Statement::Add(B, amount - 1)));
                if saved {
                    lines.push(Line::FallBack);
                    lines.push(Line::Instead(Statement::Add(C, amount - 1)));
                }
                lines.push(Line::Run(Statement::Add(FEES, 1)));
            }
            Program::Post => {
                lines.push(Line::Run(Statement::Insert((1, number), row(0, None))));
                if knobs.mail == Mail::Middle {
                    lines.push(Line::Mail);
                }
                lines.push(Line::Run(Statement::Add(COUNT, 1)));
            }
            Program::Close => {
                lines.push(Line::Run(Statement::Delete((1, number))));
                if knobs.mail == Mail::Middle {
                    lines.push(Line::Mail);
                }
                lines.push(Line::Run(Statement::Add(COUNT, -1)));
            }
        }
        if knobs.mail == Mail::Outbox {
            let mail = (OUTBOX.0, number);
            lines.push(Line::Run(Statement::Insert(mail, Row::of(0))));
        }
        match knobs.design {
            Design::Each => {}
            Design::One => lines.push(Line::Commit(0)),
            Design::TwoBanks => lines.extend([Line::Commit(0), Line::Commit(1)]),
            Design::TwoPhase => lines.push(Line::Agree),
        }
        if knobs.mail == Mail::Outbox {
            lines.push(Line::Send);
        }
    }
    lines
}

/// Which database holds a row.
pub(super) fn bank_of(knobs: &Settings, key: Key) -> usize {
    let first = match knobs.program {
        // A and the fees are in the first, B and C in the second.
        Program::Transfer => key == A || key == FEES || key.0 == OUTBOX.0,
        _ => key == COUNT || key.0 == OUTBOX.0,
    };
    usize::from(!first).min(knobs.design.banks() - 1)
}
