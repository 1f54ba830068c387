//! What is due next: pending events ordered by (time, sequence number).

use crate::tape::NoteId;
use crate::time::Time;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// One pending event, and the note that led to it.
#[derive(Clone, Debug)]
pub struct Due<E> {
    /// When it happens.
    pub at: Time,
    /// Breaks ties: of two events at one time, the one scheduled first happens first.
    pub sequence: u64,
    /// The last note said before it was scheduled, for the chain of causes.
    pub cause: NoteId,
    /// What happens.
    pub event: E,
}

impl<E> PartialEq for Due<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<E> Eq for Due<E> {}
impl<E> PartialOrd for Due<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Due<E> {
    // Reversed, because the standard heap gives its greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

/// The pending events of a run.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    heap: BinaryHeap<Due<E>>,
    scheduled: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Agenda {
            heap: BinaryHeap::new(),
            scheduled: 0,
        }
    }
}

impl<E> Agenda<E> {
    /// Adds an event; equal times keep the order of scheduling.
    #[inline]
    pub fn schedule(&mut self, at: Time, cause: NoteId, event: E) {
        self.heap.push(Due {
            at,
            sequence: self.scheduled,
            cause,
            event,
        });
        self.scheduled += 1;
    }

    /// Takes the next event if it is due at or before `until`.
    #[inline]
    pub fn next_until(&mut self, until: Time) -> Option<Due<E>> {
        if self.heap.peek()?.at <= until {
            self.heap.pop()
        } else {
            None
        }
    }

    /// When the next event is due, or [`Time::NEVER`].
    #[inline]
    pub fn next_at(&self) -> Time {
        self.heap.peek().map_or(Time::NEVER, |due| due.at)
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_then_by_order_of_scheduling() {
        let mut agenda = Agenda::default();
        for (at, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (1, 'b')] {
            agenda.schedule(Time(at), NoteId::NONE, event);
        }
        let order: Vec<char> = std::iter::from_fn(|| agenda.next_until(Time::NEVER))
            .map(|due| due.event)
            .collect();
        assert_eq!(order, ['a', 'b', 'c', 'd']);
    }

    #[test]
    fn nothing_comes_before_its_time() {
        let mut agenda = Agenda::default();
        agenda.schedule(Time(7), NoteId::NONE, ());
        assert!(agenda.next_until(Time(6)).is_none());
        assert_eq!(agenda.next_at(), Time(7));
        assert!(agenda.next_until(Time(7)).is_some());
        assert_eq!(agenda.next_at(), Time::NEVER);
    }
}
