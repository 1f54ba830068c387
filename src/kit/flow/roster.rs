//! Members that follow a count: they join, finish and leave, crash and come back in another life.

use engine::Time;

/// One member.
#[derive(Clone, Debug)]
pub struct Member<T> {
    /// What the model keeps of it.
    pub own: T,
    /// Since when it is down.
    pub down: Option<Time>,
    /// It gets nothing new and goes once it is empty.
    pub leaving: bool,
    /// When it joined.
    pub joined: Time,
    life: u32,
}

impl<T> Member<T> {
    /// Which of its lives this is: what was begun in an earlier one does not finish.
    #[inline]
    pub fn life(&self) -> u32 {
        self.life
    }

    /// Whether it can take something new.
    #[inline]
    pub fn takes(&self) -> bool {
        self.down.is_none() && !self.leaving
    }
}

/// What following a count changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new member stands at this index.
    Joined(usize),
    /// A member that was about to leave stays.
    Stays(usize),
    /// A member gets nothing new from now on.
    Leaves(usize),
}

/// Members by index. Only the last ones leave, so that an index means the same member for as long as it lives.
#[derive(Clone, Debug)]
pub struct Roster<T> {
    members: Vec<Member<T>>,
    lives: u32,
}

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Roster {
            members: Vec::new(),
            lives: 0,
        }
    }
}

impl<T> Roster<T> {
    /// Makes the number of members follow `wanted`; [`Roster::let_go`] removes those that leave once they are empty.
    pub fn follow(
        &mut self,
        wanted: usize,
        now: Time,
        mut make: impl FnMut(usize) -> T,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for (i, member) in self.members.iter_mut().enumerate() {
            match (i < wanted, member.leaving) {
                (true, true) => changes.push(Change::Stays(i)),
                (false, false) => changes.push(Change::Leaves(i)),
                _ => continue,
            }
            member.leaving = i >= wanted;
        }
        while self.members.len() < wanted {
            let i = self.members.len();
            self.lives += 1;
            self.members.push(Member {
                own: make(i),
                down: None,
                leaving: false,
                joined: now,
                life: self.lives,
            });
            changes.push(Change::Joined(i));
        }
        changes
    }

    /// Removes leaving members from the end for as long as they are `empty`; returns the last one's index if it went.
    pub fn let_go(&mut self, empty: impl FnOnce(usize, &T) -> bool) -> Option<usize> {
        let last = self.members.last()?;
        let index = self.members.len() - 1;
        if !last.leaving || !empty(index, &last.own) {
            return None;
        }
        self.members.pop();
        Some(index)
    }

    /// Takes a member down; false if it is down already or not there.
    pub fn crash(&mut self, index: usize, now: Time) -> bool {
        self.lives += 1;
        let life = self.lives;
        match self.members.get_mut(index) {
            Some(member) if member.down.is_none() => {
                member.down = Some(now);
                member.life = life;
                true
            }
            _ => false,
        }
    }

    /// Brings a member up; says since when it was down.
    pub fn recover(&mut self, index: usize) -> Option<Time> {
        self.members.get_mut(index)?.down.take()
    }

    /// A member, if it is there.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&Member<T>> {
        self.members.get(index)
    }

    /// A member to change, if it is there.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Member<T>> {
        self.members.get_mut(index)
    }

    /// All members by index.
    pub fn iter(&self) -> std::slice::Iter<'_, Member<T>> {
        self.members.iter()
    }

    /// All members, to change them.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Member<T>> {
        self.members.iter_mut()
    }

    /// How many there are, leaving ones too.
    #[inline]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_follow_a_count_and_leave_when_they_are_empty() {
        let mut roster = Roster::default();
        let now = Time::s(1);
        assert_eq!(
            roster.follow(2, now, |i| i),
            [Change::Joined(0), Change::Joined(1)]
        );
        assert_eq!(roster.follow(1, now, |i| i), [Change::Leaves(1)]);
        assert_eq!(roster.let_go(|_, _| false), None);
        assert_eq!(roster.follow(2, now, |i| i), [Change::Stays(1)]);
        assert_eq!(roster.let_go(|_, _| true), None);
        roster.follow(0, now, |i| i);
        assert_eq!(roster.let_go(|_, _| true), Some(1));
        assert_eq!(roster.let_go(|_, _| true), Some(0));
        assert!(roster.is_empty());
    }

    #[test]
    fn every_life_has_a_number_of_its_own() {
        let mut roster = Roster::default();
        roster.follow(1, Time::ZERO, |_| ());
        let first = roster.get(0).unwrap().life();
        assert!(roster.crash(0, Time::s(2)) && !roster.crash(0, Time::s(3)));
        assert_eq!(roster.recover(0), Some(Time::s(2)));
        let second = roster.get(0).unwrap().life();
        roster.follow(0, Time::s(4), |_| ());
        roster.let_go(|_, _| true);
        roster.follow(1, Time::s(5), |_| ());
        let third = roster.get(0).unwrap().life();
        assert!(first < second && second < third);
    }
}
