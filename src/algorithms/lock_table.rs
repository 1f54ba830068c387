//! A lock table: who holds which row, who stands in line for it, and what is done about those who wait in a circle.
//!
//! **Strict two-phase locking**: a transaction asks for each row before it touches it ([`LockTable::ask`]) and lets go of all of them
//! at once, when it commits or is undone ([`LockTable::release`]). A row is locked *shared*, with others that only read, or
//! *exclusive*, alone. It is given first come first served; only who holds it shared and now wants it alone (an *upgrade*) goes
//! before the rest of the line, which waits for that one in any case.
//!
//! Who waits for whom is a graph: from each who waits to those who hold the row in a mode that clashes, and to those before it in the
//! line who want it in one. A **deadlock** is a circle in it, and none of its members will ever let go by itself. [`Rule`] has what
//! databases do about it: look for circles, give up blindly, or let nobody wait who could close one.
//!
//! * PostgreSQL looks once somebody has waited for `deadlock_timeout` (1 s), and undoes who looks. InnoDB looks whenever somebody begins
//!   to wait, undoes who has done least, and takes a search of more than 200 for a circle. SQL Server looks every 5 s. All of them can
//!   give up after a wait as well (`lock_timeout`, `innodb_lock_wait_timeout`).
//! * *Wait-die* and *wound-wait* decide by age: an older transaction waits for a younger one, or undoes it. All arrows then go from old to
//!   young, or all from young to old, so no circle closes. The age must be kept when a transaction is tried again: the oldest is
//!   never undone, and so each one ends. Spanner uses wound-wait.
//!
//! Sources: Gray and Reuter, *Transaction Processing* (1993), ch. 7 and 8; Rosenkrantz, Stearns and Lewis, "System level concurrency
//! control for distributed database systems", TODS 3 (1978); PostgreSQL, src/backend/storage/lmgr/README and manual 20.12; MySQL manual
//! 17.7.5; Corbett et al., "Spanner" (2012).

#[cfg(test)]
mod tests;

use crate::waits_for::circle;

/// A transaction, or who runs one.
pub type Tx = usize;
/// What is locked.
pub type Row = u32;

/// How a row is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// With others that only read.
    Shared,
    /// Alone.
    Exclusive,
}

impl Mode {
    /// Whether two transactions cannot have the same row in these modes.
    pub fn clashes(self, other: Mode) -> bool {
        self == Mode::Exclusive || other == Mode::Exclusive
    }
}

/// A lock that somebody has, or wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Who.
    pub tx: Tx,
    /// What.
    pub row: Row,
    /// How.
    pub mode: Mode,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has the lock.
    Granted,
    /// It stands in line; [`LockTable::release`] tells when it has it.
    Waits,
}

/// What is done about circles of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Nothing: they stand for ever.
    Nobody,
    /// Who has waited for so long looks for a circle, and is undone if it is in one (PostgreSQL).
    AfterWait,
    /// Whoever begins to wait looks, and of a circle the one with fewest locks is undone (InnoDB).
    AtOnce,
    /// Who has waited for so long is undone, circle or not (lock time-outs).
    GiveUp,
    /// Who would wait for an older one is undone.
    WaitDie,
    /// Who keeps an older one waiting is undone.
    WoundWait,
}

/// Who holds what, and who stands in line.
#[derive(Clone, Debug, Default)]
pub struct LockTable {
    held: Vec<Lock>,
    line: Vec<Lock>,
}

impl LockTable {
    // region: ask
    /// Somebody wants a row. What it has it is given again; what it has shared it may want alone. Nobody waits for two rows: a
    /// second wish takes the place of the first.
    pub fn ask(&mut self, tx: Tx, row: Row, mode: Mode) -> Answer {
        let wish = Lock { tx, row, mode };
        if !self.has(wish) && self.wish(tx) != Some(wish) {
            self.line.retain(|one| one.tx != tx);
            let place = match self.upgrades(&wish) {
                true => self.first_that_does_not_upgrade(row),
                false => self.line.len(),
            };
            self.line.insert(place, wish);
            self.serve();
        }
        match self.has(wish) {
            true => Answer::Granted,
            false => Answer::Waits,
        }
    }
    // endregion

    /// A transaction is over: it lets go of everything and leaves the line. Returns who has what it waited for, in order.
    pub fn release(&mut self, tx: Tx) -> Vec<Tx> {
        self.held.retain(|one| one.tx != tx);
        self.line.retain(|one| one.tx != tx);
        self.serve()
    }

    /// Whoever waits for nobody gets its row, first come first served.
    fn serve(&mut self) -> Vec<Tx> {
        let (mut served, mut at) = (Vec::new(), 0);
        while let Some(wish) = self.line.get(at).copied() {
            if !self.waits_for(wish.tx).is_empty() {
                at += 1;
                continue;
            }
            self.line.remove(at);
            // An upgrade takes the place of what it was.
            self.held
                .retain(|one| (one.tx, one.row) != (wish.tx, wish.row));
            self.held.push(wish);
            served.push(wish.tx);
        }
        served
    }

    fn has(&self, wish: Lock) -> bool {
        let mut held = self.held.iter();
        held.any(|one| (one.tx, one.row) == (wish.tx, wish.row) && one.mode >= wish.mode)
    }

    fn upgrades(&self, wish: &Lock) -> bool {
        let mut held = self.held.iter();
        held.any(|one| (one.tx, one.row) == (wish.tx, wish.row))
    }

    fn first_that_does_not_upgrade(&self, row: Row) -> usize {
        let mut line = self.line.iter();
        let first = line.position(|one| one.row == row && !self.upgrades(one));
        first.unwrap_or(self.line.len())
    }

    /// Every lock that is held.
    pub fn held(&self) -> &[Lock] {
        &self.held
    }

    /// Every lock that is waited for, first come first.
    pub fn line(&self) -> &[Lock] {
        &self.line
    }

    /// Who holds a row alone, or the first who shares it.
    pub fn holder(&self, row: Row) -> Option<Tx> {
        let mut held = self.held.iter();
        held.find(|one| one.row == row).map(|one| one.tx)
    }

    /// What somebody stands in line for.
    pub fn wish(&self, tx: Tx) -> Option<Lock> {
        self.line.iter().find(|one| one.tx == tx).copied()
    }

    // region: waits-for
    /// For whom somebody waits: who has its row, and who stands before it in the line.
    pub fn waits_for(&self, tx: Tx) -> Vec<Tx> {
        let mut whom = self.waits_for_holders(tx);
        let Some(place) = self.line.iter().position(|one| one.tx == tx) else {
            return whom;
        };
        for other in self.in_the_way(&self.line[place], &self.line[..place]) {
            if !whom.contains(&other) {
                whom.push(other);
            }
        }
        whom
    }

    /// For whom somebody waits, of those who have its row.
    pub fn waits_for_holders(&self, tx: Tx) -> Vec<Tx> {
        let wish = self.line.iter().find(|one| one.tx == tx);
        wish.map_or_else(Vec::new, |wish| self.in_the_way(wish, &self.held).collect())
    }

    fn in_the_way(&self, wish: &Lock, others: &[Lock]) -> impl Iterator<Item = Tx> {
        let clashes = |other: &&Lock| {
            other.row == wish.row && other.mode.clashes(wish.mode) && other.tx != wish.tx
        };
        others.iter().filter(clashes).map(|other| other.tx)
    }
    // endregion

    // region: circle
    /// The circle of waiting that somebody is in, beginning with them. Who stands in line behind a circle of holders is not in it,
    /// though one of them may stand in line behind that one too: to undo it would help nobody.
    pub fn circle(&self, tx: Tx) -> Option<Vec<Tx>> {
        let among_holders = |one| circle(one, |one| self.waits_for_holders(one));
        if let Some(found) = among_holders(tx) {
            return Some(found);
        }
        let mut reached = vec![tx];
        let mut at = 0;
        while let Some(one) = reached.get(at).copied() {
            if among_holders(one).is_some() {
                return None;
            }
            for next in self.waits_for(one) {
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
            at += 1;
        }
        circle(tx, |one| self.waits_for(one))
    }
    // endregion

    // region: rules
    /// Whom a rule undoes when somebody has begun to wait, if anybody. To be asked again once that one is undone: one arrow may
    /// close two circles. `age` is smaller for who is older; who `writes` already is not wounded, for it ends soon by itself.
    pub fn victim(
        &self,
        rule: Rule,
        tx: Tx,
        age: impl Fn(Tx) -> u64,
        writes: impl Fn(Tx) -> bool,
    ) -> Option<Tx> {
        match rule {
            Rule::AtOnce => Some(self.lightest(&self.circle(tx)?, tx)),
            Rule::WaitDie => self.arrow(|from, to| (age(from) > age(to)).then_some(from)),
            Rule::WoundWait => {
                self.arrow(|from, to| (age(from) < age(to) && !writes(to)).then_some(to))
            }
            Rule::Nobody | Rule::AfterWait | Rule::GiveUp => None,
        }
    }

    /// Whether somebody is undone who has waited for as long as the rule says.
    pub fn gives_up(&self, rule: Rule, tx: Tx) -> bool {
        match rule {
            Rule::AfterWait => self.circle(tx).is_some(),
            Rule::GiveUp => self.wish(tx).is_some(),
            _ => false,
        }
    }
    // endregion

    /// What `choose` makes of the first arrow, from who waits to whom it waits for, that it makes something of.
    fn arrow(&self, choose: impl Fn(Tx, Tx) -> Option<Tx>) -> Option<Tx> {
        self.line.iter().find_map(|wish| {
            let whom = self.waits_for(wish.tx);
            whom.into_iter().find_map(|other| choose(wish.tx, other))
        })
    }

    /// Who of a circle has fewest locks; of equals who closed it.
    fn lightest(&self, circle: &[Tx], closed_by: Tx) -> Tx {
        let locks = |tx: Tx| self.held.iter().filter(|one| one.tx == tx).count();
        let lightest = circle
            .iter()
            .min_by_key(|tx| (locks(**tx), **tx != closed_by));
        lightest.copied().unwrap_or(closed_by)
    }

    /// Whether no two hold a row in modes that clash, and nobody waits for nobody.
    ///
    /// # Errors
    /// A sentence that says who does.
    pub fn audit(&self) -> Result<(), String> {
        for (at, one) in self.held.iter().enumerate() {
            let mut others = self.held[at + 1..].iter();
            if let Some(other) = others.find(|other| {
                other.row == one.row && (other.tx == one.tx || other.mode.clashes(one.mode))
            }) {
                return Err(format!("{one:?} and {other:?}"));
            }
        }
        let mut line = self.line.iter();
        match line.find(|wish| self.waits_for(wish.tx).is_empty()) {
            Some(wish) => Err(format!("{wish:?} waits for nobody")),
            None => Ok(()),
        }
    }
}
