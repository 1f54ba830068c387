//! What stories, challenges and marks need to know of the last seconds.

use engine::Time;

/// Something that begins and ends, such as a spike. Each time it begins it gets the next number, so that the end of an earlier
/// one does not end this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Episode {
    number: u32,
    until: Option<Time>,
}

impl Episode {
    /// Begins now and is to end at `until`; returns its number, for the event that ends it.
    pub fn begin(&mut self, until: Time) -> u32 {
        self.number += 1;
        self.until = Some(until);
        self.number
    }

    /// Ends the episode of this number; false if it is over already.
    pub fn end(&mut self, number: u32) -> bool {
        self.number == number && self.until.take().is_some()
    }

    /// When the running one is to end.
    pub fn until(&self) -> Option<Time> {
        self.until
    }

    /// Whether one is running.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// How many have begun.
    pub fn count(&self) -> u32 {
        self.number
    }
}

/// Lets one mark a second through, so that a thousand failures are not a thousand marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    last: Option<Time>,
}

impl Marks {
    /// Whether a mark may stand here; if so, the next one may a second later.
    #[inline]
    pub fn due(&mut self, now: Time) -> bool {
        let due = self.last.is_none_or(|last| now.since(last) >= Time::s(1));
        if due {
            self.last = Some(now);
        }
        due
    }
}

/// Since when something has been so without a break.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    since: Option<Time>,
}

impl Holds {
    /// It is so now, or it is not.
    #[inline]
    pub fn set(&mut self, holds: bool, now: Time) {
        match (holds, self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(_)) => self.since = None,
            _ => {}
        }
    }

    /// The count begins again: whatever was so must last from now on.
    pub fn restart(&mut self, now: Time) {
        self.since = self.since.map(|_| now);
    }

    /// Whether it has been so for at least `span`.
    pub fn lasts(&self, span: Time, now: Time) -> bool {
        self.since.is_some_and(|since| now.since(since) >= span)
    }

    /// Since when it has been so.
    pub fn since(&self) -> Option<Time> {
        self.since
    }
}

/// Length of a slot of [`Recently`].
const SLOT: Time = Time::ms(250);
/// Slots that are remembered: ten seconds and the running one.
const SLOTS: u64 = 41;

/// Counts of `K` kinds over the last seconds, at most ten, in slots of a quarter second.
#[derive(Clone, Debug)]
pub struct Recently<const K: usize> {
    slots: Box<[[u32; K]; SLOTS as usize]>,
    newest: u64,
    /// Nothing is known from before.
    since: Time,
}

impl<const K: usize> Recently<K> {
    /// Nothing counted yet.
    pub fn new(now: Time) -> Recently<K> {
        Recently {
            slots: Box::new([[0; K]; SLOTS as usize]),
            newest: now.0 / SLOT.0,
            since: now,
        }
    }

    /// Counts one of this kind; kinds from `K` on are not counted.
    pub fn add(&mut self, kind: usize, now: Time) {
        let slot = now.0 / SLOT.0;
        let from = (self.newest + 1).max((slot + 1).saturating_sub(SLOTS));
        for between in from..=slot {
            self.slots[(between % SLOTS) as usize] = [0; K];
        }
        self.newest = self.newest.max(slot);
        if let Some(count) = self.slots[(slot % SLOTS) as usize].get_mut(kind) {
            *count += 1;
        }
    }

    /// Forgets everything: what is counted from now on belongs to another rule.
    pub fn restart(&mut self, now: Time) {
        *self = Recently::new(now);
    }

    /// How many there were in the last `span`, rounded up to whole slots before the running one.
    pub fn sum(&self, kind: usize, span: Time, at: Time) -> u32 {
        let slot = at.0 / SLOT.0;
        let back = (span.0 / SLOT.0).min(SLOTS - 1);
        let oldest = slot
            .saturating_sub(back)
            .max((self.newest + 1).saturating_sub(SLOTS));
        (oldest..=slot.min(self.newest))
            .map(|slot| {
                self.slots[(slot % SLOTS) as usize]
                    .get(kind)
                    .copied()
                    .unwrap_or(0)
            })
            .sum()
    }

    /// The span that [`Recently::sum`] looks over, shorter while there is no more past.
    pub fn span(&self, span: Time, at: Time) -> Time {
        let slots = Time((span.0 / SLOT.0).min(SLOTS - 1) * SLOT.0 + at.0 % SLOT.0);
        Time(slots.0.min(at.since(self.since).0))
    }

    /// How many there were a second over the last `span`; 0 at the very beginning.
    pub fn per_s(&self, kind: usize, span: Time, at: Time) -> f64 {
        let over = self.span(span, at).as_s();
        if over > 0.0 {
            f64::from(self.sum(kind, span, at)) / over
        } else {
            0.0
        }
    }

    /// What share of all kinds this one was in the last `span`; none if there was nothing.
    pub fn share(&self, kind: usize, span: Time, at: Time) -> Option<f64> {
        let all: u32 = (0..K).map(|kind| self.sum(kind, span, at)).sum();
        (all > 0).then(|| f64::from(self.sum(kind, span, at)) / f64::from(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_earlier_episode_does_not_end_this_one() {
        let mut spike = Episode::default();
        let first = spike.begin(Time::s(5));
        let second = spike.begin(Time::s(7));
        assert!(!spike.end(first) && spike.is_on());
        assert!(spike.end(second) && !spike.end(second));
    }

    #[test]
    fn one_mark_a_second() {
        let mut marks = Marks::default();
        let let_through = (0..35).filter(|tenth| marks.due(Time::ms(100 * tenth)));
        assert_eq!(let_through.collect::<Vec<u64>>(), [0, 10, 20, 30]);
    }

    #[test]
    fn what_holds_must_hold_without_a_break() {
        let mut calm = Holds::default();
        calm.set(true, Time::s(1));
        calm.set(true, Time::s(2));
        assert!(calm.lasts(Time::s(2), Time::s(3)));
        calm.restart(Time::s(2));
        assert!(!calm.lasts(Time::s(2), Time::s(3)));
        calm.set(false, Time::s(3));
        calm.set(true, Time::s(4));
        assert_eq!(calm.since(), Some(Time::s(4)));
    }

    #[test]
    fn counts_leave_after_their_span() {
        let mut counts = Recently::<2>::new(Time::ZERO);
        for tenth in 0..100 {
            counts.add(0, Time::ms(100 * tenth));
        }
        counts.add(1, Time::ms(9_900));
        let at = Time::ms(9_999);
        assert_eq!(counts.per_s(0, Time::s(2), at).round(), 10.0);
        assert_eq!(counts.sum(1, Time::s(1), at), 1);
        assert_eq!(
            counts.share(1, Time::ZERO, at).map(|share| share > 0.2),
            Some(true)
        );
        assert_eq!(counts.sum(0, Time::s(10), Time::s(19)), 10);
        assert_eq!(counts.sum(0, Time::s(10), Time::s(60)), 0);
        counts.add(0, Time::s(60));
        assert_eq!(counts.sum(0, Time::s(10), Time::s(60)), 1);
    }

    #[test]
    fn the_first_second_is_not_taken_for_a_whole_one() {
        let mut counts = Recently::<1>::new(Time::s(5));
        for tenth in 0..5 {
            counts.add(0, Time::s(5) + Time::ms(100 * tenth));
        }
        assert_eq!(counts.per_s(0, Time::s(2), Time::ms(5_500)), 10.0);
        assert_eq!(counts.per_s(0, Time::s(2), Time::s(5)), 0.0);
    }
}
