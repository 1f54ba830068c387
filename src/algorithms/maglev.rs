//! Maglev hashing: a lookup table that backends fill in turns, each by its own order of preference (Eisenbud et al. 2016).

use crate::hash::mix64;

/// A backend's order of preference over the slots of a table of prime size: from `offset` in steps of
/// `skip`, round the end. As the size is prime, the steps visit every slot once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preference {
    /// The slot it wants most, below the size.
    pub offset: u32,
    /// How far on its next wish is, from 1 to below the size.
    pub skip: u32,
}

impl Preference {
    /// The preference of a backend for a table of `size` slots, from two hashes of its number.
    pub fn of(seed: u64, backend: u32, size: u32) -> Preference {
        let first = mix64(seed ^ mix64(u64::from(backend)));
        let below = |hash: u64, limit: u32| hash.checked_rem(u64::from(limit)).unwrap_or(0) as u32;
        Preference {
            offset: below(first, size),
            skip: below(mix64(first), size.saturating_sub(1)) + 1,
        }
    }

    /// The slots in order of preference, without end: after `size` slots they repeat.
    pub fn slots(self, size: u32) -> impl Iterator<Item = u32> {
        let (skip, size) = (u64::from(self.skip), u64::from(size));
        let mut next = u64::from(self.offset).checked_rem(size);
        std::iter::from_fn(move || {
            let slot = next?;
            next = (slot + skip).checked_rem(size);
            Some(slot as u32)
        })
    }
}

/// Fills a table of `size` slots: the backends take turns, each taking the slot it likes best among
/// those left. The answer holds the index of each slot's backend, and a packet goes to the backend in
/// the slot of its hash modulo `size`.
///
/// None if `size` is not prime, if there are no backends, or if a backend's skip is a multiple of
/// `size` and so leads nowhere.
pub fn lookup_table(backends: &[Preference], size: u32) -> Option<Vec<usize>> {
    let steps = |backend: &Preference| !backend.skip.is_multiple_of(size);
    if !is_prime(size) || backends.is_empty() || !backends.iter().all(steps) {
        return None;
    }
    let mut wishes: Vec<_> = (backends.iter())
        .map(|backend| backend.slots(size))
        .collect();
    let mut table: Vec<Option<usize>> = vec![None; size as usize];
    let turns = (0..backends.len()).cycle().take(size as usize);
    for backend in turns {
        let free = wishes[backend].find(|&slot| table[slot as usize].is_none())?;
        table[free as usize] = Some(backend);
    }
    table.into_iter().collect()
}

fn is_prime(number: u32) -> bool {
    number > 1
        && (2..)
            .take_while(|&divisor: &u32| u64::from(divisor).pow(2) <= u64::from(number))
            .all(|divisor| !number.is_multiple_of(divisor))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 1 of the paper: three backends, seven slots, before and after B1 leaves.
    #[test]
    fn the_papers_example() {
        let b0 = Preference { offset: 3, skip: 4 };
        let b1 = Preference { offset: 0, skip: 2 };
        let b2 = Preference { offset: 3, skip: 1 };
        assert_eq!(
            lookup_table(&[b0, b1, b2], 7).unwrap(),
            [1, 0, 1, 0, 2, 2, 0]
        );
        assert_eq!(lookup_table(&[b0, b2], 7).unwrap(), [0, 0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn shares_differ_by_one_slot_at_most() {
        let backends: Vec<_> = (0..10).map(|b| Preference::of(1, b, 1_009)).collect();
        let table = lookup_table(&backends, 1_009).unwrap();
        for backend in 0..10 {
            let slots = table.iter().filter(|&&held| held == backend).count();
            assert!((100..=101).contains(&slots));
        }
    }

    #[test]
    fn what_cannot_be_filled_is_refused() {
        let any = Preference { offset: 9, skip: 1 };
        assert_eq!(lookup_table(&[], 7), None);
        assert_eq!(lookup_table(&[any], 0), None);
        assert_eq!(lookup_table(&[any], 8), None);
        assert_eq!(lookup_table(&[Preference { offset: 0, skip: 7 }], 7), None);
        assert_eq!(lookup_table(&[any], 2).unwrap(), [0, 0]);
        assert_eq!(any.slots(0).next(), None);
    }
}
