//! Eviction policies over numbered slots: which slot must give way when a full cache takes something new.
//!
//! The policies know slots only, never keys or values, so that [`crate::cache`] stays one small map.
//! LRU, LFU and FIFO order the slots by a rank; CLOCK (Corbató 1968) and SIEVE (Zhang et al.,
//! NSDI 2024) sweep a hand over a ring and spare marked slots; random draws its victim ahead of time,
//! so that every policy can show what goes next.

use rand::{Rng, RngExt};
use std::collections::BTreeSet;

/// How a full cache chooses the slot to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Least recently used.
    Lru,
    /// Least frequently used since it was loaded; ties go to the least recently used.
    Lfu,
    /// First in, first out: age alone decides.
    Fifo,
    /// Any slot, all equally likely.
    Random,
    /// Second chance: a hand goes round the slots and takes the first whose reference bit is clear.
    Clock,
    /// A hand goes from the oldest to the newest, spares visited ones where they stand, and stays there.
    Sieve,
}

impl Policy {
    /// Every policy, in the order in which a choice would list them.
    pub const ALL: [Policy; 6] = [
        Policy::Lru,
        Policy::Lfu,
        Policy::Fifo,
        Policy::Random,
        Policy::Clock,
        Policy::Sieve,
    ];
}

/// What the policies remember of one occupied slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Sequence number of the load: smaller is older.
    pub loaded: u64,
    /// Sequence number of the latest use (the load counts as one).
    pub used: u64,
    /// Uses since the load, the load included.
    pub uses: u64,
    /// Reference bit of CLOCK, visited bit of SIEVE; kept for every policy, read by those two.
    pub referenced: bool,
}

/// The bookkeeping of one cache: a mark per slot and the order in which slots would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    policy: Policy,
    marks: Vec<Option<Mark>>,
    /// Occupied slots by rank, so that the smallest is found in O(log n).
    order: BTreeSet<(u64, u64, usize)>,
    sequence: u64,
    /// First rank the sweep looks at; `None` starts it at the lowest.
    hand: Option<u64>,
    /// The victim of [`Policy::Random`], drawn while the cache was filled.
    drawn: usize,
}

impl Eviction {
    /// Bookkeeping for `capacity` empty slots.
    pub fn new(policy: Policy, capacity: usize) -> Self {
        Self {
            policy,
            marks: vec![None; capacity],
            order: BTreeSet::new(),
            sequence: 0,
            hand: None,
            drawn: 0,
        }
    }

    /// The policy in force.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Changes the policy; what is known of each slot is kept, the hand starts anew.
    ///
    /// [`Policy::Random`] draws at each load, so until the next load its victim is no fresh draw.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
        self.hand = None;
        self.order = (0..self.marks.len())
            .filter_map(|slot| self.marks[slot].map(|mark| rank(policy, slot, &mark)))
            .collect();
    }

    /// The mark of a slot, or `None` if it is empty or out of range.
    pub fn mark(&self, slot: usize) -> Option<&Mark> {
        self.marks.get(slot)?.as_ref()
    }

    /// Where the sweep of CLOCK or SIEVE stands: the slot it would look at first.
    pub fn hand(&self) -> Option<usize> {
        match self.policy {
            Policy::Clock | Policy::Sieve => self.sweep().next(),
            _ => None,
        }
    }

    /// Notes that `slot` was filled. Call it for an empty slot; a filled one is replaced.
    pub fn on_load(&mut self, slot: usize, rng: &mut impl Rng) {
        self.load(slot);
        if self.policy == Policy::Random {
            // A fixed-width draw keeps 32-bit and 64-bit targets alike.
            self.drawn = rng.random_range(0..self.order.len().max(1) as u64) as usize;
        }
    }

    fn load(&mut self, slot: usize) {
        self.on_remove(slot);
        if slot >= self.marks.len() {
            return;
        }
        self.sequence += 1;
        let mark = Mark {
            loaded: self.sequence,
            used: self.sequence,
            uses: 1,
            // CLOCK loads with the bit set; SIEVE makes a newcomer earn it.
            referenced: self.policy != Policy::Sieve,
        };
        self.order.insert(rank(self.policy, slot, &mark));
        self.marks[slot] = Some(mark);
    }

    /// Notes a use of a filled slot; an empty one is left alone.
    pub fn on_use(&mut self, slot: usize) {
        let Some(Some(mark)) = self.marks.get_mut(slot) else {
            return;
        };
        let before = rank(self.policy, slot, mark);
        self.sequence += 1;
        mark.used = self.sequence;
        mark.uses += 1;
        mark.referenced = true;
        let after = rank(self.policy, slot, mark);
        if before != after {
            self.order.remove(&before);
            self.order.insert(after);
        }
    }

    /// Notes that `slot` was emptied by something other than eviction.
    pub fn on_remove(&mut self, slot: usize) {
        let Some(mark) = self.marks.get_mut(slot).and_then(Option::take) else {
            return;
        };
        let gone = rank(self.policy, slot, &mark);
        self.order.remove(&gone);
        if self.hand == Some(gone.0) {
            self.hand = self.first_from(gone.0);
        }
    }

    // region: evict
    /// Empties the next victim's slot and names it, or `None` if nothing is loaded.
    pub fn evict(&mut self) -> Option<usize> {
        let victim = self.next_victim()?;
        if matches!(self.policy, Policy::Clock | Policy::Sieve) {
            // Everything the hand passes on its way loses its mark: that was its second chance.
            let spared: Vec<usize> = self
                .sweep()
                .take_while(|&slot| self.is_referenced(slot))
                .collect();
            for slot in spared {
                if let Some(mark) = &mut self.marks[slot] {
                    mark.referenced = false;
                }
            }
            if let Some(mark) = self.marks[victim] {
                self.hand = Some(rank(self.policy, victim, &mark).0);
            }
        }
        self.on_remove(victim);
        Some(victim)
    }
    // endregion

    /// The slot that [`Eviction::evict`] would empty now.
    pub fn next_victim(&self) -> Option<usize> {
        match self.policy {
            Policy::Lru | Policy::Lfu | Policy::Fifo => self.order.first().map(|entry| entry.2),
            Policy::Random => {
                // Ranks are slot numbers here; removals may have left fewer than were drawn from.
                let count = self.order.len();
                self.order
                    .iter()
                    .nth(self.drawn % count.max(1))
                    .map(|entry| entry.2)
            }
            Policy::Clock | Policy::Sieve => self
                .sweep()
                .find(|&slot| !self.is_referenced(slot))
                .or_else(|| self.sweep().next()),
        }
    }

    /// Occupied slots, the next victim first, as they would go if nothing were used or loaded meanwhile.
    ///
    /// Under [`Policy::Random`] only the first is decided; the rest follow in slot order.
    pub fn order(&self) -> Vec<usize> {
        match self.policy {
            Policy::Lru | Policy::Lfu | Policy::Fifo => {
                self.order.iter().map(|entry| entry.2).collect()
            }
            Policy::Random => {
                let victim = self.next_victim();
                let rest = self
                    .order
                    .iter()
                    .map(|entry| entry.2)
                    .filter(|&slot| Some(slot) != victim);
                victim.into_iter().chain(rest).collect()
            }
            Policy::Clock | Policy::Sieve => {
                let (spared, bare): (Vec<usize>, Vec<usize>) =
                    self.sweep().partition(|&slot| self.is_referenced(slot));
                bare.into_iter().chain(spared).collect()
            }
        }
    }

    fn is_referenced(&self, slot: usize) -> bool {
        self.marks[slot].is_some_and(|mark| mark.referenced)
    }

    /// Occupied slots once round, from the hand.
    fn sweep(&self) -> impl Iterator<Item = usize> + '_ {
        let start = (self.hand.unwrap_or(0), 0, 0);
        self.order
            .range(start..)
            .chain(self.order.range(..start))
            .map(|entry| entry.2)
    }

    fn first_from(&self, rank: u64) -> Option<u64> {
        self.order.range((rank, 0, 0)..).next().map(|entry| entry.0)
    }
}

/// Ranks are unique per slot: loads and uses are numbered, and the two ring-by-place policies use the slot itself.
fn rank(policy: Policy, slot: usize, mark: &Mark) -> (u64, u64, usize) {
    match policy {
        Policy::Lru => (mark.used, 0, slot),
        Policy::Lfu => (mark.uses, mark.used, slot),
        Policy::Fifo | Policy::Sieve => (mark.loaded, 0, slot),
        Policy::Random | Policy::Clock => (slot as u64, 0, slot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg32;

    fn filled(policy: Policy, capacity: usize) -> (Eviction, Pcg32) {
        let mut rng = Pcg32::seed_from_u64(7);
        let mut eviction = Eviction::new(policy, capacity);
        for slot in 0..capacity {
            eviction.on_load(slot, &mut rng);
        }
        (eviction, rng)
    }

    #[test]
    fn the_order_begins_with_the_victim_and_holds_every_slot_once() {
        for policy in Policy::ALL {
            let (mut eviction, mut rng) = filled(policy, 8);
            for step in 0..2_000u32 {
                let slot = rng.random_range(0..8u32) as usize;
                match step % 4 {
                    0 | 1 => eviction.on_use(slot),
                    2 => eviction.on_remove(slot),
                    _ => eviction.on_load(slot, &mut rng),
                }
                let order = eviction.order();
                assert_eq!(order.first().copied(), eviction.next_victim(), "{policy:?}");
                let mut sorted = order.clone();
                sorted.sort_unstable();
                let occupied: Vec<usize> = (0..8)
                    .filter(|&slot| eviction.mark(slot).is_some())
                    .collect();
                assert_eq!(sorted, occupied, "{policy:?}");
            }
        }
    }

    #[test]
    fn the_foretold_order_is_the_order_of_eviction() {
        for policy in [
            Policy::Lru,
            Policy::Lfu,
            Policy::Fifo,
            Policy::Clock,
            Policy::Sieve,
        ] {
            let (mut eviction, mut rng) = filled(policy, 9);
            for _ in 0..20 {
                eviction.on_use(rng.random_range(0..9u32) as usize);
            }
            eviction.evict();
            let foretold = eviction.order();
            let happened: Vec<usize> = std::iter::from_fn(|| eviction.evict()).collect();
            assert_eq!(foretold, happened, "{policy:?}");
        }
    }

    #[test]
    fn sieve_follows_the_figure_of_its_paper() {
        // Oldest to newest A..G in slots 0..7 with A, B and G visited, hand at the oldest.
        let (mut eviction, mut rng) = filled(Policy::Sieve, 7);
        for slot in [0, 1, 6] {
            eviction.on_use(slot);
        }
        assert_eq!(eviction.evict(), Some(2), "A and B are spared, C goes");
        eviction.on_load(2, &mut rng); // H joins at the head.
        eviction.on_use(0);
        assert_eq!(eviction.hand(), Some(3), "the hand stays where it stopped");
        assert_eq!(eviction.evict(), Some(3));
        assert_eq!(
            eviction.mark(0).map(|mark| mark.referenced),
            Some(true),
            "behind the hand, A keeps its mark"
        );
    }

    #[test]
    fn random_takes_each_slot_about_equally_often() {
        let (mut eviction, mut rng) = filled(Policy::Random, 10);
        let mut taken = [0u32; 10];
        for _ in 0..20_000 {
            let slot = eviction.evict().expect("the cache is full");
            taken[slot] += 1;
            eviction.on_load(slot, &mut rng);
        }
        // Binomial with mean 2000 has a deviation of 42: five of them.
        assert!(
            taken.iter().all(|&count| count.abs_diff(2_000) < 212),
            "{taken:?}"
        );
    }

    #[test]
    fn slots_out_of_range_and_no_slots_are_harmless() {
        let mut rng = Pcg32::seed_from_u64(1);
        for policy in Policy::ALL {
            let mut eviction = Eviction::new(policy, 0);
            eviction.on_load(3, &mut rng);
            eviction.on_use(3);
            eviction.on_remove(3);
            assert_eq!(eviction.evict(), None);
            assert!(eviction.order().is_empty());
        }
    }
}
