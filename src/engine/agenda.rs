//! What is due next: pending events ordered by (time, sequence number).

use crate::tape::NoteId;
use crate::time::Time;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// So many bits of a ticket tell the slot; the others count.
const SLOT_BITS: u32 = 24;

/// One event that is due, and the note that led to it.
#[derive(Clone, Debug)]
pub struct Due<E> {
    /// When it happens.
    pub at: Time,
    /// The last note said before it was scheduled, for the chain of causes.
    pub cause: NoteId,
    /// What happens.
    pub event: E,
}

/// The pending events of a run. Of two at one time the one scheduled first happens first.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    order: Order,
    /// The events by slot; a free slot still holds the event that was taken from it.
    slots: Vec<(NoteId, E)>,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Agenda {
            order: Order::default(),
            slots: Vec::new(),
        }
    }
}

impl<E> Agenda<E> {
    /// Adds an event; equal times keep the order of scheduling.
    pub fn schedule(&mut self, at: Time, cause: NoteId, event: E) {
        match self.order.push(at) {
            slot if slot < self.slots.len() => self.slots[slot] = (cause, event),
            _ => self.slots.push((cause, event)),
        }
    }

    /// Takes the next event if it is due at or before `until`.
    pub fn next_until(&mut self, until: Time) -> Option<Due<E>>
    where
        E: Clone,
    {
        let (at, slot) = self.order.pop_until(until)?;
        let (cause, event) = self.slots[slot].clone();
        Some(Due { at, cause, event })
    }

    /// When the next event is due, or [`Time::NEVER`].
    #[inline]
    pub fn next_at(&self) -> Time {
        self.order.next_at()
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.order.pending
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.order.pending == 0
    }
}

/// Many events are due a fixed span after they are scheduled: the length of a wire, a time-out. Those of one span come in
/// order, so they stand in a lane behind each other; a heap, which so stays small, sorts what finds none.
const LANES: usize = 3;

/// The order of the events, apart from the events themselves: this part is the same code for all lessons, and what is
/// moved about is small.
#[derive(Clone, Debug, Default)]
struct Order {
    /// Time and ticket. A ticket is a sequence number and, in its last bits, a slot.
    heap: BinaryHeap<Reverse<(Time, u64)>>,
    lanes: [Lane; LANES],
    free: Vec<u32>,
    pending: usize,
    scheduled: u64,
    /// When the last event was due that was taken.
    now: Time,
}

/// Events of one span, in their order.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// Of those that are in it; an empty lane is free for any.
    span: Time,
    queue: VecDeque<(Time, u64)>,
}

impl Order {
    /// Gives a slot to an event that is due at this time; a slot never given before comes next after all others.
    fn push(&mut self, at: Time) -> usize {
        let slot = self.free.pop().unwrap_or(self.pending as u32);
        debug_assert!(slot >> SLOT_BITS == 0, "too many pending events");
        let ticket = self.scheduled << SLOT_BITS | u64::from(slot);
        let span = at.since(self.now);
        let fits = |lane: &&mut Lane| match lane.queue.back() {
            Some(&(back, _)) => lane.span == span && back <= at,
            None => true,
        };
        match self.lanes.iter_mut().find(fits) {
            Some(lane) => {
                lane.span = span;
                lane.queue.push_back((at, ticket));
            }
            None => self.heap.push(Reverse((at, ticket))),
        }
        self.pending += 1;
        self.scheduled += 1;
        slot as usize
    }

    /// What is next, and the lane in which it stands; beyond the last one is the heap.
    #[inline]
    fn first(&self) -> Option<((Time, u64), usize)> {
        let mut first = self.heap.peek().map(|Reverse(next)| (*next, LANES));
        for (at, lane) in self.lanes.iter().enumerate() {
            if let Some(next) = lane.queue.front()
                && first.is_none_or(|(first, _)| *next < first)
            {
                first = Some((*next, at));
            }
        }
        first
    }

    /// The time and slot of the next event if it is due at or before `until`; the slot is free then.
    fn pop_until(&mut self, until: Time) -> Option<(Time, usize)> {
        let ((at, ticket), lane) = self.first()?;
        if at > until {
            return None;
        }
        match self.lanes.get_mut(lane) {
            Some(lane) => drop(lane.queue.pop_front()),
            None => drop(self.heap.pop()),
        }
        let slot = ticket as u32 & ((1 << SLOT_BITS) - 1);
        self.free.push(slot);
        self.pending -= 1;
        self.now = at;
        Some((at, slot as usize))
    }

    #[inline]
    fn next_at(&self) -> Time {
        self.first().map_or(Time::NEVER, |((at, _), _)| at)
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
    fn slots_are_used_again_and_their_order_does_not_show() {
        let mut agenda = Agenda::default();
        let mut told = Vec::new();
        for round in 0..100_u64 {
            for of in 0..3 {
                agenda.schedule(Time(round + 5 - of), NoteId(round as u32), (round, of));
            }
            told.extend(std::iter::from_fn(|| agenda.next_until(Time(round))));
            let pending = agenda.len();
            assert!(
                pending <= 16 && agenda.slots.len() <= 16,
                "{pending} pending"
            );
        }
        told.extend(std::iter::from_fn(|| agenda.next_until(Time::NEVER)));
        assert_eq!(told.len(), 300);
        assert!(
            told.iter()
                .all(|due| due.at == Time(due.event.0 + 5 - due.event.1))
        );
        assert!(
            told.iter()
                .all(|due| due.cause == NoteId(due.event.0 as u32))
        );
        assert!(told.is_sorted_by_key(|due| (due.at, due.event.0)));
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
