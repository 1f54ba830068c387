//! Rows with version numbers: nobody is kept waiting, and who was overtaken finds out when it commits.
//!
//! Who reads a row keeps the version that it read ([`Table::read`]). A commit names all of them: if each row still has that version, what
//! is new is written and gets the next version, in one step; if one has not, nothing is written ([`Table::commit`]). In SQL that is
//! `update … set …, version = 8 where id = 3 and version = 7`, and a look at how many rows that changed. It is the `lock_version` of
//! Rails, `@Version` of JPA, and `If-Match` of HTTP. A time stamp does as well only if no two writes fall into one of its ticks.
//!
//! Source: Kung and Robinson, "On optimistic methods for concurrency control", TODS 6 (1981); RFC 9110, 13.1.1.

/// Which row.
pub type Row = u32;

/// A row's value and how often it was written, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// What is in it.
    pub value: i64,
    /// Which version that is.
    pub version: u64,
}

/// A row as somebody read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which row.
    pub row: Row,
    /// What was read.
    pub data: Versioned,
}

/// Rows, numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Versioned>,
}

impl Table {
    /// So many rows of the same value, each in its first version.
    pub fn new(rows: usize, value: i64) -> Table {
        Table {
            rows: vec![Versioned { value, version: 1 }; rows],
        }
    }

    /// All rows.
    pub fn rows(&self) -> &[Versioned] {
        &self.rows
    }

    /// A row as it is now; none if there is no such row.
    pub fn read(&self, row: Row) -> Option<Seen> {
        let data = *self.rows.get(row as usize)?;
        Some(Seen { row, data })
    }

    /// Whether a row has changed since it was read.
    pub fn is_stale(&self, seen: &Seen) -> bool {
        self.read(seen.row)
            .is_none_or(|now| now.data.version != seen.data.version)
    }

    // region: check
    /// Writes all of this if all that was read is as it was; tests first, so that a refused commit leaves nothing.
    ///
    /// # Errors
    /// The first row of those that has another version now, as it is.
    pub fn commit(&mut self, seen: &[Seen], writes: &[(Row, i64)]) -> Result<(), Seen> {
        if let Some(stale) = seen.iter().find(|one| self.is_stale(one)) {
            return Err(self.read(stale.row).unwrap_or(*stale));
        }
        self.write(writes);
        Ok(())
    }
    // endregion

    /// Writes without a look at versions: whatever was there before is gone.
    pub fn write(&mut self, writes: &[(Row, i64)]) {
        for (row, value) in writes {
            if let Some(data) = self.rows.get_mut(*row as usize) {
                (data.value, data.version) = (*value, data.version + 1);
            }
        }
    }

    /// A row is this, from now on.
    pub fn put(&mut self, row: Row, data: Versioned) {
        if let Some(old) = self.rows.get_mut(row as usize) {
            *old = data;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_two_who_read_the_same_version_is_refused_and_writes_nothing() {
        let mut table = Table::new(2, 10);
        let one = [table.read(0).unwrap(), table.read(1).unwrap()];
        assert_eq!(table.commit(&one, &[(0, 9), (1, 11)]), Ok(()));
        let refused = table.commit(&one[..1], &[(0, 5), (1, 5)]);
        let (value, version) = (9, 2);
        let now = Versioned { value, version };
        assert_eq!(refused, Err(Seen { row: 0, data: now }));
        let values: Vec<i64> = table.rows().iter().map(|row| row.value).collect();
        assert_eq!(values, [9, 11]);
    }

    #[test]
    fn who_writes_without_a_look_leaves_the_other_without_a_trace() {
        let mut table = Table::new(1, 14);
        let [one, two] = [0; 2].map(|_| table.read(0).unwrap().data.value);
        table.write(&[(0, one + 3)]);
        table.write(&[(0, two + 2)]);
        assert_eq!(table.rows()[0].value, 16);
        assert!(table.commit(&[], &[(7, 1)]).is_ok());
    }
}
