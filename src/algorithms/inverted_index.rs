//! An inverted index: for each term the pages that have it, and where on each page it stands.
//!
//! Terms lie in byte order, the pages of each in rising order, positions on a page too. So two lists are intersected by
//! walking both once, at most m + n comparisons; where one is much shorter, by leaps that double (Bentley and Yao 1976),
//! about 2 m log₂(n ÷ m); and all terms with one beginning lie side by side. Page numbers are the caller's and must rise.
//! Sources: Manning, Raghavan, Schütze, *Introduction to Information Retrieval*, 2008, ch. 1, 2 and 5; Baeza-Yates, *A Fast Set
//! Intersection Algorithm for Sorted Sequences*, 2004.

use std::cmp::Ordering;
use std::ops::Range;

/// Where one list is so many times as long as the other, it is walked by leaps.
pub const LEAPS_FROM: usize = 8;

/// The pages of a term and its positions on each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Postings {
    pages: Vec<u32>,
    /// Where the positions on each page end.
    ends: Vec<u32>,
    positions: Vec<u32>,
}

impl Postings {
    /// The pages, rising.
    pub fn pages(&self) -> &[u32] {
        &self.pages
    }

    /// The positions on the page at a place of [`Postings::pages`], rising.
    pub fn positions(&self, place: usize) -> &[u32] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.positions[start as usize..self.ends[place] as usize]
    }

    /// The positions on a page; none if the term is not there.
    pub fn on(&self, page: u32) -> &[u32] {
        match self.pages.binary_search(&page) {
            Ok(place) => self.positions(place),
            Err(_) => &[],
        }
    }

    /// How many positions it has on all pages.
    pub fn count(&self) -> usize {
        self.positions.len()
    }

    fn push(&mut self, page: u32, position: u32) {
        if self.pages.last() != Some(&page) {
            self.pages.push(page);
            self.ends.push(self.positions.len() as u32);
        }
        self.positions.push(position);
        if let Some(end) = self.ends.last_mut() {
            *end += 1;
        }
    }
}

/// The index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    terms: Vec<String>,
    lists: Vec<Postings>,
    /// The pages and how many terms each has.
    pages: Vec<u32>,
    lengths: Vec<u32>,
}

impl Index {
    /// All terms in order.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// The list of the term at a place of [`Index::terms`].
    pub fn list(&self, place: usize) -> &Postings {
        &self.lists[place]
    }

    /// The place of a term.
    pub fn find(&self, term: &str) -> Option<usize> {
        self.terms
            .binary_search_by(|own| own.as_str().cmp(term))
            .ok()
    }

    /// The pages, rising.
    pub fn pages(&self) -> &[u32] {
        &self.pages
    }

    /// How many terms a page has, each as often as it stands there.
    pub fn length(&self, page: u32) -> u32 {
        self.pages
            .binary_search(&page)
            .map_or(0, |place| self.lengths[place])
    }

    /// How many positions all lists have together.
    pub fn tokens(&self) -> usize {
        self.lengths.iter().map(|length| *length as usize).sum()
    }

    // region: add
    /// Adds a page. Its number must be above all before; false, and nothing is done, if it is not: the page is known.
    pub fn add(&mut self, page: u32, terms: &[(u32, String)]) -> bool {
        if self.pages.last().is_some_and(|last| *last >= page) {
            return false;
        }
        for (position, term) in terms {
            let place = match self.terms.binary_search(term) {
                Ok(place) => place,
                Err(place) => {
                    self.terms.insert(place, term.clone());
                    self.lists.insert(place, Postings::default());
                    place
                }
            };
            self.lists[place].push(page, *position);
        }
        self.pages.push(page);
        self.lengths.push(terms.len() as u32);
        true
    }
    // endregion

    // region: prefix
    /// The places of all terms that begin so, by two binary searches; `trace` is told of each term looked at.
    pub fn prefix(&self, start: &str, trace: &mut dyn FnMut(usize)) -> Range<usize> {
        let mut bound = |from: usize, below: &dyn Fn(&str) -> bool| {
            let (mut low, mut high) = (from, self.terms.len());
            while low < high {
                let middle = low + (high - low) / 2;
                trace(middle);
                match below(&self.terms[middle]) {
                    true => low = middle + 1,
                    false => high = middle,
                }
            }
            low
        };
        let first = bound(0, &|term| term < start);
        first..bound(first, &|term| term < start || term.starts_with(start))
    }
    // endregion
}

/// A comparison of two lists: the places compared, and how they stood.
pub type Compared = (usize, usize, Ordering);

// region: merge
/// What two rising lists share, by walking both: the smaller moves on, equals are hits.
pub fn merge(a: &[u32], b: &[u32], trace: &mut dyn FnMut(Compared)) -> Vec<u32> {
    let (mut i, mut j, mut both) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        let order = a[i].cmp(&b[j]);
        trace((i, j, order));
        if order == Ordering::Equal {
            both.push(a[i]);
        }
        i += usize::from(order != Ordering::Greater);
        j += usize::from(order != Ordering::Less);
    }
    both
}
// endregion

// region: gallop
/// The same by leaps: for each of the short list's, ahead in the long one by 1, 2, 4, … and back by halves.
pub fn gallop(short: &[u32], long: &[u32], trace: &mut dyn FnMut(Compared)) -> Vec<u32> {
    let (mut from, mut both) = (0, Vec::new());
    for (i, wanted) in short.iter().enumerate() {
        let mut probe = |j: usize| {
            let order = wanted.cmp(&long[j]);
            trace((i, j, order));
            order
        };
        let (mut leap, mut high, mut found) = (1, from, false);
        while high < long.len() {
            match probe(high) {
                Ordering::Greater => from = high + 1,
                order => {
                    found = order == Ordering::Equal;
                    break;
                }
            }
            high += leap;
            leap *= 2;
        }
        if found {
            from = high;
        }
        let mut until = high.min(long.len());
        while from < until {
            let middle = from + (until - from) / 2;
            match probe(middle) {
                Ordering::Greater => from = middle + 1,
                Ordering::Less => until = middle,
                Ordering::Equal => (from, until, found) = (middle, middle, true),
            }
        }
        if found {
            both.push(*wanted);
            from += 1;
        }
        if from >= long.len() {
            break;
        }
    }
    both
}
// endregion

/// What two rising lists share, by leaps where the second is much longer.
pub fn and(a: &[u32], b: &[u32], leaps: bool, trace: &mut dyn FnMut(Compared)) -> Vec<u32> {
    match leaps && b.len() > LEAPS_FROM * a.len() {
        true => gallop(a, b, trace),
        false => merge(a, b, trace),
    }
}

/// What is in either of two rising lists.
pub fn or(a: &[u32], b: &[u32], trace: &mut dyn FnMut(Compared)) -> Vec<u32> {
    let (mut i, mut j) = (0, 0);
    let mut either = Vec::with_capacity(a.len() + b.len());
    while i < a.len() && j < b.len() {
        let order = a[i].cmp(&b[j]);
        trace((i, j, order));
        either.push(a[i].min(b[j]));
        i += usize::from(order != Ordering::Greater);
        j += usize::from(order != Ordering::Less);
    }
    either.extend(&a[i..]);
    either.extend(&b[j..]);
    either
}

/// What is in the first of two rising lists and not in the second.
pub fn not(a: &[u32], b: &[u32], trace: &mut dyn FnMut(Compared)) -> Vec<u32> {
    let mut both = merge(a, b, trace).into_iter().peekable();
    let stays = |page: &u32| both.next_if_eq(page).is_none();
    a.iter().copied().filter(stays).collect()
}

/// A row of bits, one for each page from 0 to `last`: set where the list has it.
pub fn bits(list: &[u32], last: u32) -> Vec<u64> {
    let mut row = vec![0; last as usize / 64 + 1];
    for page in list.iter().filter(|page| **page <= last) {
        row[*page as usize / 64] |= 1 << (page % 64);
    }
    row
}

/// The pages whose bits are set, rising.
pub fn set_bits(row: &[u64]) -> Vec<u32> {
    let words = row.iter().zip(0_u32..);
    let set = words.flat_map(|(word, at)| {
        (0..64)
            .filter(move |bit| word >> bit & 1 == 1)
            .map(move |bit| at * 64 + bit)
    });
    set.collect()
}

/// Where on one page words follow one another: a position for each, the first such row. `lists` has each word's positions, and
/// `offsets` where it stands in the phrase, so that a stop word left out leaves its gap; each may come up to `slack` later than
/// that. `trace` is told which word's position was looked at.
pub fn follow(
    lists: &[&[u32]],
    offsets: &[u32],
    slack: u32,
    trace: &mut dyn FnMut(usize, u32),
) -> Option<Vec<u32>> {
    let mut found = Vec::with_capacity(lists.len());
    step(lists, offsets, slack, &mut found, trace).then_some(found)
}

// region: phrase
/// The words from here on, each within reach of the one before.
fn step(
    lists: &[&[u32]],
    offsets: &[u32],
    slack: u32,
    found: &mut Vec<u32>,
    trace: &mut dyn FnMut(usize, u32),
) -> bool {
    let word = found.len();
    if word == lists.len() {
        return word > 0;
    }
    // From where to where this word may stand after the one before.
    let (least, most) = match found.last() {
        None => (0, u32::MAX),
        Some(last) => {
            let wanted = last + offsets[word].saturating_sub(offsets[word - 1]);
            (wanted, wanted + slack)
        }
    };
    for position in lists[word] {
        trace(word, *position);
        if *position > most {
            break;
        }
        if *position >= least {
            found.push(*position);
            if step(lists, offsets, slack, found, trace) {
                return true;
            }
            found.pop();
        }
    }
    false
}
// endregion

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;
    use rand_pcg::Pcg32;

    fn list(rng: &mut Pcg32, most: usize, below: u32) -> Vec<u32> {
        let n = rng.random_range(0..=most);
        let mut list: Vec<u32> = (0..n).map(|_| rng.random_range(0..below)).collect();
        list.sort_unstable();
        list.dedup();
        list
    }

    #[test]
    fn lists_are_combined_as_sets_are_and_within_the_bounds() {
        let mut rng = Pcg32::new(1, 1);
        for round in 0..crate::schedules(3_000) {
            let most = if round % 2 == 0 { 6 } else { 400 };
            let (a, b) = (list(&mut rng, most, 500), list(&mut rng, 400, 500));
            let both: Vec<u32> = a.iter().copied().filter(|page| b.contains(page)).collect();
            let mut compared = 0;
            assert_eq!(merge(&a, &b, &mut |_| compared += 1), both);
            assert!(compared <= a.len() + b.len());
            let mut leaps = 0.0;
            assert_eq!(gallop(&a, &b, &mut |_| leaps += 1.0), both);
            let (m, n) = (a.len() as f64, b.len() as f64);
            if m > 0.0 && n > 8.0 * m {
                let bound = 2.0 * m * (1.0 + libm::log2(n / m));
                assert!(leaps <= bound, "{leaps} of {bound}: {a:?} in {n}");
            }
            let mut either = [a.clone(), b.clone()].concat();
            either.sort_unstable();
            either.dedup();
            assert_eq!(or(&a, &b, &mut |_| {}), either);
            let rest: Vec<u32> = a.iter().copied().filter(|page| !b.contains(page)).collect();
            assert_eq!(not(&a, &b, &mut |_| {}), rest);
            assert_eq!(set_bits(&bits(&a, 500)), a);
        }
    }

    #[test]
    fn a_page_comes_once_and_lists_rise() {
        let mut index = Index::default();
        let terms = |text: &str| -> Vec<(u32, String)> {
            (1..).zip(text.split(' ').map(str::to_owned)).collect()
        };
        assert!(index.add(1, &terms("to be or not to be")));
        assert!(index.add(4, &terms("be quick")));
        assert!(!index.add(4, &terms("be quick")) && !index.add(2, &terms("late")));
        assert_eq!(index.terms(), ["be", "not", "or", "quick", "to"]);
        let be = index.list(0);
        assert_eq!(
            (be.pages(), be.positions(0), be.on(4)),
            (&[1, 4][..], &[2, 6][..], &[1][..])
        );
        assert_eq!((be.on(3), be.count(), index.tokens()), (&[][..], 3, 8));
        assert_eq!(
            (index.find("or"), index.find("fox"), index.length(1)),
            (Some(2), None, 6)
        );
    }

    #[test]
    fn a_beginning_is_a_stretch_of_the_terms() {
        let mut index = Index::default();
        let words = ["jam", "jump", "jumped", "jumper", "just", "zoo"];
        let terms: Vec<_> = (1..).zip(words.map(str::to_owned)).collect();
        index.add(1, &terms);
        for start in ["jum", "j", "", "z", "a", "zz", "jumped"] {
            let mut looked = 0;
            let range = index.prefix(start, &mut |_| looked += 1);
            let brute: Vec<usize> = (0..6).filter(|at| words[*at].starts_with(start)).collect();
            assert_eq!(range.clone().collect::<Vec<_>>(), brute, "{start}");
            assert!(looked <= 6);
        }
    }

    #[test]
    fn words_follow_each_other_in_order_with_gaps_and_repeats() {
        let on = |lists: &[&[u32]], offsets: &[u32], slack| {
            follow(lists, offsets, slack, &mut |_, _| {})
        };
        let (to, be, or, not): (&[u32], &[u32], &[u32], &[u32]) = (&[1, 5], &[2, 6], &[3], &[4]);
        let all = [to, be, or, not, to, be];
        assert_eq!(
            on(&all, &[1, 2, 3, 4, 5, 6], 0),
            Some(vec![1, 2, 3, 4, 5, 6])
        );
        assert_eq!(on(&[be, to], &[1, 2], 0), None);
        // "leap over the lazy": the gap of the stop word is kept.
        assert_eq!(on(&[&[4], &[6]], &[2, 4], 0), Some(vec![4, 6]));
        assert_eq!(on(&[&[4], &[6]], &[2, 3], 0), None);
        assert_eq!(on(&[&[4], &[6]], &[2, 3], 1), Some(vec![4, 6]));
        // The first that fits leads nowhere, the second does.
        assert_eq!(
            on(&[&[1], &[2, 3], &[5]], &[1, 2, 3], 1),
            Some(vec![1, 3, 5])
        );
        assert_eq!(on(&[], &[], 0), None);
    }
}
