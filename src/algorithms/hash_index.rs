//! Hash index: a table of buckets, each a page with a chain of further pages behind it. One key's rows are found in one bucket; keys that
//! follow each other are scattered.
//!
//! Static hashing with overflow pages, as in Knuth, "The Art of Computer Programming", vol. 3, 6.4 ("bucket addressing"); the bucket
//! of a key is FNV-1a of its eight bytes, taken by the number of buckets, a power of two. It is built anew with twice the buckets when
//! there are more entries than places in the buckets' first pages (load factor 1).

use crate::hash::fnv1a_32;
use crate::trace::{Step, Trace};

/// An entry: the key, and the row that it leads to.
pub type Entry = (u64, u32);

/// The index.
#[derive(Clone, Debug)]
pub struct HashIndex {
    /// The pages of each bucket: its number, and what it holds.
    chains: Vec<Vec<(u32, Vec<Entry>)>>,
    pages: u32,
    room: usize,
    len: usize,
}

impl HashIndex {
    /// An index of these entries, with so many places a page; at least 1.
    pub fn of(entries: &[Entry], room: usize) -> HashIndex {
        let mut index = HashIndex::with_room_for(entries.len(), room);
        for entry in entries {
            index.put(*entry, &mut |_| {});
        }
        index
    }

    /// An empty index with as many buckets as one of so many entries has.
    pub fn with_room_for(entries: usize, room: usize) -> HashIndex {
        let room = room.max(1);
        let buckets = entries.div_ceil(room).next_power_of_two();
        HashIndex {
            chains: (0..buckets).map(|n| vec![(n as u32, Vec::new())]).collect(),
            pages: buckets as u32,
            room,
            len: 0,
        }
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pages of each bucket, by their numbers, and how many entries each holds.
    pub fn chains(&self) -> impl Iterator<Item = impl Iterator<Item = (u32, usize)>> {
        let chains = self.chains.iter();
        chains.map(|chain| chain.iter().map(|(page, held)| (*page, held.len())))
    }

    /// How many buckets it has.
    pub fn buckets(&self) -> usize {
        self.chains.len()
    }

    /// How many pages it has.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Places a page.
    pub fn room(&self) -> usize {
        self.room
    }

    // region: bucket
    /// The bucket of a key.
    pub fn bucket(&self, key: u64) -> usize {
        fnv1a_32(&key.to_le_bytes()) as usize & (self.chains.len() - 1)
    }

    /// The rows of a key: all pages of its bucket are read.
    pub fn find(&self, key: u64, trace: Trace<'_>) -> Vec<u32> {
        let mut rows = Vec::new();
        for (page, held) in &self.chains[self.bucket(key)] {
            trace(Step::Reads(*page));
            let those = held.iter().filter(|entry| entry.0 == key);
            rows.extend(those.map(|entry| entry.1));
        }
        rows
    }
    // endregion

    /// Puts an entry in. True if the index had to be built anew for it.
    pub fn insert(&mut self, entry: Entry, trace: Trace<'_>) -> bool {
        self.put(entry, trace);
        let full = self.len > self.chains.len() * self.room;
        if full {
            let held = self.chains.iter().flatten();
            let entries: Vec<Entry> = held.flat_map(|(_, held)| held.iter().copied()).collect();
            *self = HashIndex::of(&entries, self.room);
        }
        full
    }

    fn put(&mut self, entry: Entry, trace: Trace<'_>) {
        let bucket = self.bucket(entry.0);
        let chain = &mut self.chains[bucket];
        self.len += 1;
        for (page, held) in chain.iter_mut() {
            trace(Step::Reads(*page));
            if held.len() < self.room {
                held.push(entry);
                trace(Step::Writes(*page));
                return;
            }
        }
        chain.push((self.pages, vec![entry]));
        trace(Step::Writes(self.pages));
        self.pages += 1;
    }

    /// Takes an entry out. False if it has none such.
    pub fn remove(&mut self, entry: Entry, trace: Trace<'_>) -> bool {
        let bucket = self.bucket(entry.0);
        for (page, held) in &mut self.chains[bucket] {
            trace(Step::Reads(*page));
            if let Some(place) = held.iter().position(|other| *other == entry) {
                held.swap_remove(place);
                trace(Step::Writes(*page));
                self.len -= 1;
                return true;
            }
        }
        false
    }
}

/// How many pages the bucket of a key has that is there, of `n` keys: how many others are with it has a Poisson distribution (Knuth,
/// 6.4).
pub fn expected_pages(n: f64, room: usize) -> f64 {
    let buckets = (n as usize).div_ceil(room).next_power_of_two();
    let mean = (n - 1.0) / buckets as f64;
    let (mut share, mut pages) = (libm::exp(-mean), 0.0);
    for others in 0..8 * room {
        pages += share * (1 + others / room) as f64;
        share *= mean / (others + 1) as f64;
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::untold;

    fn entries(n: u64) -> Vec<Entry> {
        (1..=n).map(|key| (key, key as u32 * 10)).collect()
    }

    #[test]
    fn every_key_leads_to_its_rows_and_no_other_does() {
        let index = HashIndex::of(&entries(512), 8);
        assert_eq!((index.len(), index.buckets()), (512, 64));
        for key in 1..=512 {
            assert_eq!(index.find(key, &mut untold), [key as u32 * 10]);
        }
        assert!(index.find(513, &mut untold).is_empty());
    }

    #[test]
    fn equal_keys_share_a_bucket_and_are_all_found() {
        let mut index = HashIndex::of(&[], 4);
        for row in 0..10 {
            index.insert((7, row), &mut untold);
        }
        let mut read = Vec::new();
        let rows = index.find(7, &mut |step| read.push(step));
        assert_eq!(rows, (0..10).collect::<Vec<u32>>());
        // Ten entries of four a page lie on three pages, however many buckets there are.
        assert_eq!(read.len(), 3);
    }

    #[test]
    fn a_full_index_is_built_anew_with_twice_the_buckets() {
        let mut index = HashIndex::of(&entries(64), 8);
        assert_eq!(index.buckets(), 8);
        assert!(index.insert((65, 1), &mut untold));
        assert_eq!((index.buckets(), index.len()), (16, 65));
        assert_eq!(index.find(65, &mut untold), [1]);
        assert!(!index.insert((66, 1), &mut untold));
    }

    #[test]
    fn what_is_taken_out_is_gone_and_its_neighbours_stay() {
        let mut index = HashIndex::of(&entries(100), 8);
        for key in (1..=100).step_by(2) {
            assert!(index.remove((key, key as u32 * 10), &mut untold));
        }
        assert!(!index.remove((1, 10), &mut untold));
        for key in 1..=100 {
            assert_eq!(
                index.find(key, &mut untold).len(),
                usize::from(key % 2 == 0)
            );
        }
        assert_eq!(index.len(), 50);
    }

    #[test]
    fn pages_have_numbers_of_their_own() {
        let index = HashIndex::of(&entries(4_096), 8);
        let mut seen: Vec<u32> = index.chains().flatten().map(|(page, _)| page).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..index.pages()).collect::<Vec<u32>>());
    }
}
