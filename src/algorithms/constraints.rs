//! Declared rules of a database, checked at the end of each statement: CHECK, NOT NULL, primary key, foreign key with restrict, cascade
//! or set null. A statement that would break one changes nothing.
//!
//! "Money is neither made nor lost" is none of them: no rule here speaks of several rows at once, as in almost every database.
//!
//! Source: ISO/IEC 9075-2 (SQL), table constraints and referential actions; PostgreSQL manual, ch. 5.5.

use crate::aries::{Key, Row};

/// What becomes of the rows that belong to one that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion is refused.
    Restrict,
    /// They are deleted with it.
    Cascade,
    /// They belong to none.
    SetNull,
}

/// The rules of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// CHECK (value >= 0).
    pub from_zero: bool,
    /// CHECK (value = 0 OR NOT closed).
    pub closed_is_empty: bool,
    /// `of` refers to a row of this table.
    pub parent: Option<u8>,
    /// `of` is NOT NULL.
    pub not_null: bool,
}

impl Table {
    /// A table without rules.
    pub const FREE: Table = Table {
        from_zero: false,
        closed_is_empty: false,
        parent: None,
        not_null: false,
    };
}

/// What changes data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// UPDATE … SET value = value + so much.
    Add(Key, i64),
    /// INSERT.
    Insert(Key, Row),
    /// DELETE.
    Delete(Key),
}

/// A rule that a statement would break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A CHECK.
    Check(Key),
    /// NOT NULL.
    Null(Key),
    /// The primary key: there is such a row.
    Double(Key),
    /// A foreign key: there is no such parent, or it still has children.
    Parent(Key),
}

/// Rows that change, and what they are then; none if they are deleted.
pub type Changes = Vec<(Key, Option<Row>)>;

/// What a statement changes, in order.
///
/// # Errors
/// The rule that it would break; then nothing changes.
pub fn changes(
    statement: Statement,
    tables: &[Table],
    on_delete: OnDelete,
    rows: &[(Key, Row)],
) -> Result<Changes, Broken> {
    let get = |key: Key| {
        rows.iter()
            .find(|(other, _)| *other == key)
            .map(|(_, row)| *row)
    };
    let mut changes = Changes::new();
    match statement {
        // A row that is not there is not updated, and that is no error.
        Statement::Add(key, by) => {
            if let Some(row) = get(key) {
                let value = row.value + by;
                changes.push((key, Some(Row { value, ..row })));
            }
        }
        Statement::Insert(key, row) => {
            if get(key).is_some() {
                return Err(Broken::Double(key));
            }
            changes.push((key, Some(row)));
        }
        Statement::Delete(key) if get(key).is_some() => changes.push((key, None)),
        Statement::Delete(_) => {}
    }
    // region: cascade
    // Whoever belongs to a deleted row follows it, level by level.
    let mut at = 0;
    while at < changes.len() {
        let (gone, after) = changes[at];
        at += 1;
        if after.is_some() {
            continue;
        }
        for (key, row) in rows {
            let rules = tables[usize::from(key.0)];
            if rules.parent != Some(gone.0) || row.of != Some(gone.1) {
                continue;
            }
            match on_delete {
                OnDelete::Restrict => return Err(Broken::Parent(gone)),
                OnDelete::Cascade => changes.push((*key, None)),
                OnDelete::SetNull => changes.push((*key, Some(Row { of: None, ..*row }))),
            }
        }
    }
    // endregion
    // region: rules
    for (key, after) in &changes {
        let (rules, Some(row)) = (tables[usize::from(key.0)], after) else {
            continue;
        };
        if rules.from_zero && row.value < 0 || rules.closed_is_empty && row.closed && row.value != 0
        {
            return Err(Broken::Check(*key));
        }
        match (rules.parent, row.of) {
            (Some(_), None) if rules.not_null => return Err(Broken::Null(*key)),
            (Some(table), Some(id)) if get((table, id)).is_none() => {
                return Err(Broken::Parent(*key));
            }
            _ => {}
        }
    }
    // endregion
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Table = Table {
        from_zero: true,
        closed_is_empty: true,
        ..Table::FREE
    };

    fn child(of: u8) -> Table {
        Table {
            parent: Some(of),
            ..Table::FREE
        }
    }

    #[test]
    fn checks_hold() {
        let closed = Row {
            closed: true,
            ..Row::of(0)
        };
        let rows = [((0, 0), Row::of(10)), ((0, 1), closed)];
        let run = |statement| changes(statement, &[ACCOUNT], OnDelete::Restrict, &rows);
        assert_eq!(run(Statement::Add((0, 0), -11)), Err(Broken::Check((0, 0))));
        assert_eq!(
            run(Statement::Add((0, 0), -10)),
            Ok(vec![((0, 0), Some(Row::of(0)))])
        );
        assert_eq!(run(Statement::Add((0, 1), 4)), Err(Broken::Check((0, 1))));
        assert_eq!(run(Statement::Add((0, 7), 4)), Ok(vec![]));
        let again = Statement::Insert((0, 0), Row::of(1));
        assert_eq!(run(again), Err(Broken::Double((0, 0))));
    }

    #[test]
    fn parents_must_be_there() {
        let rows = [((0, 1), Row::of(0))];
        let run = |of, not_null| {
            let row = Row { of, ..Row::of(0) };
            let rules = Table {
                not_null,
                ..child(0)
            };
            changes(
                Statement::Insert((1, 1), row),
                &[Table::FREE, rules],
                OnDelete::Restrict,
                &rows,
            )
        };
        assert!(run(Some(1), true).is_ok() && run(None, false).is_ok());
        assert_eq!(run(Some(2), true), Err(Broken::Parent((1, 1))));
        assert_eq!(run(None, true), Err(Broken::Null((1, 1))));
    }

    /// Random forests of four tables: a cascade deletes the closure, found by brute force; set null frees the children; restrict
    /// changes nothing where there are any.
    #[test]
    fn a_cascade_is_the_closure() {
        let tables = [Table::FREE, child(0), child(1), child(2)];
        let mut random = 1_u32;
        let mut roll = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) % below
        };
        for _ in 0..500 {
            let rows: Vec<(Key, Row)> = (0..24_u8)
                .map(|n| {
                    let of = Some(roll(6) as u8);
                    ((n / 6, n % 6), Row { of, ..Row::of(0) })
                })
                .collect();
            let root = (0, roll(6) as u8);
            let mut gone = vec![root];
            loop {
                let more = rows.iter().filter(|(key, row)| {
                    let parent = key
                        .0
                        .checked_sub(1)
                        .and_then(|table| Some((table, row.of?)));
                    parent.is_some_and(|parent| gone.contains(&parent)) && !gone.contains(key)
                });
                let more: Vec<Key> = more.map(|(key, _)| *key).collect();
                if more.is_empty() {
                    break;
                }
                gone.extend(more);
            }
            let run = |on_delete| changes(Statement::Delete(root), &tables, on_delete, &rows);
            let mut cascaded: Vec<Key> = run(OnDelete::Cascade)
                .unwrap()
                .iter()
                .map(|(key, _)| *key)
                .collect();
            cascaded.sort_unstable();
            gone.sort_unstable();
            assert_eq!(cascaded, gone);
            let children = rows
                .iter()
                .filter(|(key, row)| key.0 == 1 && row.of == Some(root.1))
                .count();
            assert_eq!(run(OnDelete::Restrict).is_err(), children > 0);
            let freed = run(OnDelete::SetNull).unwrap();
            assert_eq!(freed.len(), 1 + children);
        }
    }
}
