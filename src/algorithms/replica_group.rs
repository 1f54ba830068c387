//! A primary and the machines that follow its log, as one: appends, streams, replays in order, answers, failovers.
//!
//! It has no clock and no network: whoever runs it says what arrives where and what is done. Its parts are those of
//! [`crate::replication`]. Semantics after PostgreSQL's streaming replication and Patroni: who has received most is promoted,
//! replays that, and then takes writes; what nobody else had is gone, and an old primary comes back as a replica.

use crate::replication::{Appliers, CommitRule, Log, Position, Replica, promote};
use std::collections::VecDeque;

/// A machine of the group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Machine {
    /// What it has; of the primary, all.
    replica: Replica,
    appliers: Appliers,
    /// What the primary has heard of it.
    known: Replica,
}

/// What a failover or a handing over did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion<T> {
    /// Who was primary.
    pub old: usize,
    /// The log ends here now, …
    pub head: Position,
    /// … and ended here before.
    pub tail: Position,
    /// Answered writes that are gone.
    pub lost: u64,
    /// Writes that are gone and that nobody was told of.
    pub unanswered: u64,
    /// Writes that waited for their answer, gone or not: nobody will give it.
    pub waited: Vec<T>,
}

/// A primary and its replicas. `T` stands for a write that waits for its answer.
#[derive(Clone, Debug)]
pub struct Group<T> {
    log: Log,
    machines: Vec<Machine>,
    primary: usize,
    catches_up: Option<Position>,
    waiting: VecDeque<(Position, T)>,
}

impl<T> Default for Group<T> {
    fn default() -> Group<T> {
        Group {
            log: Log::default(),
            machines: Vec::new(),
            primary: 0,
            catches_up: None,
            waiting: VecDeque::new(),
        }
    }
}

impl<T> Group<T> {
    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The newest position.
    pub fn head(&self) -> Position {
        self.log.head()
    }

    /// Which machine is the primary.
    pub fn primary(&self) -> usize {
        self.primary
    }

    /// How many machines there are.
    pub fn len(&self) -> usize {
        self.machines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.machines.is_empty()
    }

    /// The position up to which a promoted machine must replay before it takes writes.
    pub fn catches_up(&self) -> Option<Position> {
        self.catches_up
    }

    /// Writes that the primary has and has not answered, by position.
    pub fn waiting(&self) -> impl ExactSizeIterator<Item = &(Position, T)> {
        self.waiting.iter()
    }

    /// What a read at a machine sees; 0 for one that is not there.
    pub fn shown(&self, machine: usize) -> Position {
        self.machines
            .get(machine)
            .map_or(0, |it| it.replica.shown())
    }

    /// What a machine has received; 0 for one that is not there.
    pub fn received(&self, machine: usize) -> Position {
        self.machines
            .get(machine)
            .map_or(0, |it| it.replica.received())
    }

    /// How old the data of a machine is, in ticks; see [`Log::age`].
    pub fn age(&self, machine: usize, now: u64) -> u64 {
        self.log.age(now, self.shown(machine))
    }

    /// There are so many machines: new ones are copies of the primary as it is, the last ones go.
    pub fn resize(&mut self, machines: usize) {
        let copy = Replica::known(self.head(), self.head());
        self.machines.resize(
            machines,
            Machine {
                replica: copy.clone(),
                appliers: Appliers::default(),
                known: copy,
            },
        );
    }

    /// Copies a replica anew from the primary as it is.
    pub fn copy_anew(&mut self, machine: usize) {
        let head = self.head();
        if let Some(it) = self.machines.get_mut(machine) {
            it.replica = Replica::known(head, head);
            it.appliers.stop(&it.replica);
        }
    }

    /// Forgets the times of positions up to this one.
    pub fn forget(&mut self, up_to: Position) {
        self.log.forget(up_to);
    }

    /// The primary appends a write and returns its position.
    ///
    /// # Errors
    /// Gives the write back while a promoted primary has not caught up, or if there is no machine.
    pub fn append(&mut self, now: u64, write: T) -> Result<Position, T> {
        let Some(primary) = self.machines.get_mut(self.primary) else {
            return Err(write);
        };
        if self.catches_up.is_some() {
            return Err(write);
        }
        let position = self.log.append(now);
        primary.replica = Replica::known(position, position);
        self.waiting.push_back((position, write));
        Ok(position)
    }

    /// A replica receives all up to a position, as far as that is still in the log.
    pub fn receive(&mut self, machine: usize, up_to: Position) {
        let up_to = up_to.min(self.head());
        if machine != self.primary
            && let Some(it) = self.machines.get_mut(machine)
        {
            it.replica.receive_up_to(up_to);
        }
    }

    /// A free one of a machine's appliers takes its next record; a primary replays only until it has caught up.
    pub fn take(&mut self, machine: usize, appliers: usize) -> Option<Position> {
        let replays = machine != self.primary || self.catches_up.is_some();
        let it = self.machines.get_mut(machine).filter(|_| replays)?;
        it.appliers.take(&it.replica, appliers)
    }

    /// A machine has replayed a record. Returns whether it shows more than before.
    pub fn replayed(&mut self, machine: usize, position: Position) -> bool {
        let Some(it) = self.machines.get_mut(machine) else {
            return false;
        };
        let before = it.replica.shown();
        it.appliers.finish(position, &mut it.replica);
        it.replica.shown() > before
    }

    /// Whether a promoted primary has caught up just now: from here on it takes writes.
    pub fn takes_over(&mut self) -> bool {
        let shown = self.shown(self.primary);
        self.catches_up.take_if(|up_to| shown >= *up_to).is_some()
    }

    /// The primary hears what a replica has received and shows. What it knew before stays known.
    pub fn acknowledge(&mut self, machine: usize, received: Position, shown: Position) {
        let head = self.head();
        if let Some(it) = self.machines.get_mut(machine) {
            let received = it.known.received().max(received.min(head));
            let shown = it.known.shown().max(shown.min(head));
            it.known = Replica::known(received, shown);
        }
    }

    /// The writes that may be answered, no longer waiting. `rule` is made of how many replicas `count`.
    pub fn answer(
        &mut self,
        counts: impl Fn(usize) -> bool,
        rule: impl Fn(usize) -> CommitRule,
    ) -> Vec<T> {
        let others = self.machines.iter().enumerate();
        let known: Vec<Replica> = others
            .filter(|(machine, _)| *machine != self.primary && counts(*machine))
            .map(|(_, it)| it.known.clone())
            .collect();
        let answered = rule(known.len()).answered(&known);
        let may = |(position, _): &(Position, T)| answered.is_none_or(|all| *position <= all);
        let many = self.waiting.iter().take_while(|it| may(it)).count();
        self.waiting.drain(..many).map(|(_, write)| write).collect()
    }

    /// A write is answered whoever has it.
    pub fn give_up(&mut self, position: Position) -> Option<T> {
        let place = self.waiting.iter().position(|it| it.0 == position)?;
        self.waiting.remove(place).map(|(_, write)| write)
    }

    /// A machine goes down: what it was replaying begins anew.
    pub fn crash(&mut self, machine: usize) {
        if let Some(it) = self.machines.get_mut(machine) {
            it.appliers.stop(&it.replica);
        }
    }

    /// Whom to promote: of the replicas that can be, who has received most, of equals the lowest number.
    pub fn candidate(&self, can: impl Fn(usize) -> bool) -> Option<usize> {
        let machines = 0..self.len();
        let can: Vec<usize> = machines
            .filter(|it| *it != self.primary && can(*it))
            .collect();
        let received: Vec<Position> = can.iter().map(|it| self.received(*it)).collect();
        promote(&received).map(|best| can[best])
    }

    // region: promote
    /// Makes a replica the primary. The log ends with what it has received; all that is beyond is gone everywhere.
    pub fn promote(&mut self, machine: usize) -> Promotion<T> {
        let (old, head, tail) = (self.primary, self.received(machine), self.head());
        self.log.truncate(head);
        let beyond = self.waiting.iter().filter(|(position, _)| *position > head);
        let unanswered = beyond.count() as u64;
        for it in &mut self.machines {
            if it.replica.received() > head {
                it.replica.truncate(head);
                it.appliers.stop(&it.replica);
            }
            it.known = Replica::default();
        }
        self.primary = machine;
        self.catches_up = Some(head).filter(|head| self.shown(machine) < *head);
        Promotion {
            old,
            head,
            tail,
            lost: (tail - head).saturating_sub(unanswered),
            unanswered,
            waited: self.waiting.drain(..).map(|(_, write)| write).collect(),
        }
    }
    // endregion

    /// The primary hands its part over to a replica, with all that it has: nothing is lost.
    pub fn hand_over(&mut self, machine: usize) -> Promotion<T> {
        self.receive(machine, self.head());
        self.promote(machine)
    }

    /// Whether all have a part of one log: shown within received within the log, and the primary shows all that it may.
    ///
    /// # Errors
    /// What is not so.
    pub fn sound(&self) -> Result<(), String> {
        let head = self.head();
        for (machine, it) in self.machines.iter().enumerate() {
            let (received, shown) = (it.replica.received(), it.replica.shown());
            if shown > received || received > head || it.known.received() > head {
                return Err(format!(
                    "machine {machine}: {shown} of {received} of {head}"
                ));
            }
        }
        let all = self.is_empty() || self.shown(self.primary) == head;
        if all != self.catches_up.is_none() {
            return Err(format!("the primary shows all: {all}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three machines, of which two have received 4 and 2 of 5 writes, and the first of these has replayed 3.
    fn group() -> Group<u64> {
        let mut group = Group::default();
        group.resize(3);
        for write in 1..=5 {
            assert_eq!(group.append(10 * write, write), Ok(write));
        }
        group.receive(1, 4);
        group.receive(2, 2);
        for position in 1..=3 {
            assert_eq!(group.take(1, 1), Some(position));
            assert_eq!(group.take(1, 1), None, "one at a time");
            assert!(group.replayed(1, position));
        }
        group.sound().unwrap();
        group
    }

    #[test]
    fn writes_are_answered_by_the_rule_that_holds() {
        let mut group = group();
        let all = |_: usize| true;
        assert!(group.answer(all, CommitRule::Received).is_empty());
        group.acknowledge(1, 4, 3);
        group.acknowledge(2, 2, 0);
        assert_eq!(group.answer(all, CommitRule::Received), [1, 2]);
        assert!(group.answer(all, CommitRule::Shown).is_empty());
        assert_eq!(group.answer(|it| it == 1, CommitRule::Shown), [3]);
        assert_eq!(group.give_up(5), Some(5));
        assert_eq!(group.answer(all, |_| CommitRule::Received(1)), [4]);
        assert_eq!(group.waiting().len(), 0);
        group.append(60, 6).unwrap();
        assert_eq!(group.answer(all, |_| CommitRule::Primary), [6]);
    }

    #[test]
    fn who_has_received_most_is_promoted_and_replays_that_first() {
        let mut group = group();
        group.acknowledge(1, 4, 3);
        assert_eq!(
            group.answer(|_| true, |_| CommitRule::Received(1)),
            [1, 2, 3, 4]
        );
        assert_eq!(
            (group.candidate(|_| true), group.candidate(|it| it == 2)),
            (Some(1), Some(2))
        );
        let done = group.promote(1);
        assert_eq!((done.old, done.head, done.tail), (0, 4, 5));
        assert_eq!((done.lost, done.unanswered, done.waited), (0, 1, vec![5]));
        assert_eq!((group.catches_up(), group.append(70, 7)), (Some(4), Err(7)));
        group.sound().unwrap();
        assert!(!group.takes_over());
        assert_eq!(group.take(1, 4), Some(4));
        assert!(group.replayed(1, 4) && group.takes_over() && !group.takes_over());
        assert_eq!(group.append(80, 8), Ok(5));
        group.receive(0, 9);
        assert_eq!((group.received(0), group.age(0, 90)), (5, 10));
        group.sound().unwrap();
    }

    #[test]
    fn asynchronous_answers_are_lost_and_a_handing_over_loses_none() {
        let mut lossy = group();
        lossy.answer(|_| true, |_| CommitRule::Primary);
        let done = lossy.promote(2);
        assert_eq!((done.head, done.lost, done.unanswered), (2, 3, 0));
        assert_eq!((lossy.received(1), lossy.shown(1)), (2, 2));
        lossy.sound().unwrap();
        let mut orderly = group();
        let done = orderly.hand_over(2);
        assert_eq!((done.head, done.lost, done.unanswered), (5, 0, 0));
        orderly.resize(4);
        assert_eq!((orderly.shown(3), orderly.catches_up()), (5, Some(5)));
        orderly.copy_anew(1);
        assert_eq!(orderly.shown(1), 5);
    }

    #[test]
    fn a_crash_begins_replays_anew() {
        let mut group = group();
        assert_eq!(group.take(1, 2), Some(4));
        group.crash(1);
        assert!(!group.replayed(1, 4), "nobody works on it any more");
        assert_eq!(group.take(1, 2), Some(4));
    }
}
