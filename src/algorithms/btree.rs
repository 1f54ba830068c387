//! B+-tree: an index in pages. Branches say which way a key lies, leaves hold the entries, and leaves know the next one.
//!
//! Rudolf Bayer and Edward McCreight, "Organization and Maintenance of Large Ordered Indexes", 1972; Douglas Comer, "The Ubiquitous
//! B-Tree", 1979; deletion as in Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", ch. 18. Splits as PostgreSQL's
//! nbtree makes them: in half, but where the newest entry is the greatest of all the left page keeps nine tenths, so that keys that
//! only grow leave full pages behind. Equal keys are told apart by their rows, as there since version 12.

use crate::trace::{Step, Trace};

/// An entry: the key, and the row that it leads to.
pub type Entry = (u64, u32);

/// Where a full page splits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// In half, but behind nine tenths where the newest entry is the greatest.
    #[default]
    Growing,
    /// Always in half.
    Half,
}

/// A page of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Entries in order, and the leaf with the next greater ones.
    Leaf {
        /// The entries.
        entries: Vec<Entry>,
        /// The next leaf.
        next: Option<u32>,
    },
    /// One child more than there are entries: each entry is the least below the child to its right, or less than that and more than all
    /// to its left.
    Branch {
        /// What tells the children apart.
        bounds: Vec<Entry>,
        /// The pages below.
        children: Vec<u32>,
    },
}

impl Page {
    /// How many entries it holds.
    pub fn len(&self) -> usize {
        match self {
            Page::Leaf { entries, .. } => entries.len(),
            Page::Branch { bounds, .. } => bounds.len(),
        }
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The tree.
#[derive(Clone, Debug)]
pub struct BTree {
    pages: Vec<Page>,
    free: Vec<u32>,
    root: u32,
    levels: u32,
    len: usize,
    room: usize,
    rule: Rule,
}

/// What a split hands to the page above: the bound, and the new page to the right of it.
type Split = (Entry, u32);

impl BTree {
    /// An empty tree whose pages hold so many entries, 3 or more.
    pub fn new(room: usize, rule: Rule) -> BTree {
        let leaf = Page::Leaf {
            entries: Vec::new(),
            next: None,
        };
        BTree {
            pages: vec![leaf],
            free: Vec::new(),
            root: 0,
            levels: 1,
            len: 0,
            room: room.max(3),
            rule,
        }
    }

    /// Builds a tree of entries in order: leaves nine tenths full, branches seven tenths, as PostgreSQL's CREATE INDEX does.
    pub fn of(entries: &[Entry], room: usize, rule: Rule) -> BTree {
        let mut tree = BTree::new(room, rule);
        if entries.is_empty() {
            return tree;
        }
        tree.pages.clear();
        tree.len = entries.len();
        let mut level: Vec<(Entry, u32)> = Vec::new();
        let mut last = None;
        for entries in parts(entries, tree.room * 9 / 10) {
            let at = tree.pages.len() as u32;
            if let Some(Page::Leaf { next, .. }) = tree.pages.last_mut() {
                *next = Some(at);
            }
            level.push((between(last, entries[0]), at));
            last = entries.last().copied();
            tree.pages.push(Page::Leaf {
                entries: entries.to_vec(),
                next: None,
            });
        }
        while level.len() > 1 {
            tree.levels += 1;
            // A branch has a child more than bounds.
            let children = (tree.room * 7 / 10 + 1).max(2);
            let mut above = Vec::new();
            for below in parts(&level, children) {
                above.push((below[0].0, tree.pages.len() as u32));
                tree.pages.push(Page::Branch {
                    bounds: below[1..].iter().map(|(bound, _)| *bound).collect(),
                    children: below.iter().map(|(_, page)| *page).collect(),
                });
            }
            level = above;
        }
        tree.root = level[0].1;
        tree
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many pages lie on the way from the root to a leaf.
    pub fn levels(&self) -> u32 {
        self.levels
    }

    /// How many entries a page can hold.
    pub fn room(&self) -> usize {
        self.room
    }

    /// The topmost page.
    pub fn root(&self) -> u32 {
        self.root
    }

    /// A page, by its number.
    pub fn page(&self, number: u32) -> Option<&Page> {
        self.pages.get(number as usize)
    }

    /// The leaf with the least entries.
    pub fn first_leaf(&self) -> u32 {
        let mut at = self.root;
        while let Page::Branch { children, .. } = &self.pages[at as usize] {
            at = children[0];
        }
        at
    }

    /// The numbers of all leaves, in order.
    pub fn leaves(&self) -> Vec<u32> {
        let mut leaves = vec![self.first_leaf()];
        while let Some(Page::Leaf {
            next: Some(next), ..
        }) = leaves.last().and_then(|at| self.page(*at))
        {
            leaves.push(*next);
        }
        leaves
    }

    /// How full its leaves are, 0 to 1.
    pub fn fill(&self) -> f64 {
        self.len as f64 / (self.leaves().len() * self.room) as f64
    }

    // region: search
    /// The leaf in which an entry belongs, and the bound to the right of it; every page on the way is read.
    fn descend(&self, entry: Entry, trace: Trace<'_>) -> (u32, Option<Entry>) {
        let (mut at, mut high) = (self.root, None);
        loop {
            trace(Step::Reads(at));
            match &self.pages[at as usize] {
                Page::Leaf { .. } => return (at, high),
                Page::Branch { bounds, children } => {
                    let place = bounds.partition_point(|bound| *bound <= entry);
                    (at, high) = (children[place], bounds.get(place).copied().or(high));
                }
            }
        }
    }

    /// Entries with keys from the one to the other, both of them too, in order: down to the first leaf, then from leaf to leaf.
    pub fn range(&self, from: u64, to: u64, trace: Trace<'_>) -> Vec<Entry> {
        let mut found = Vec::new();
        let (mut at, mut high) = self.descend((from, 0), trace);
        while let Page::Leaf { entries, next } = &self.pages[at as usize] {
            let first = entries.partition_point(|entry| entry.0 < from);
            let inside = entries[first..].iter().take_while(|entry| entry.0 <= to);
            found.extend(inside);
            // Whether the next leaf has more: the bound says it, and else the last entry may.
            let ends = high
                .or(entries.last().copied())
                .is_some_and(|end| end.0 > to);
            match next.filter(|_| !ends) {
                Some(next) => {
                    (at, high) = (next, None);
                    trace(Step::Reads(at));
                }
                None => break,
            }
        }
        found
    }
    // endregion

    /// The rows of a key.
    pub fn find(&self, key: u64, trace: Trace<'_>) -> Vec<u32> {
        let found = self.range(key, key, trace);
        found.iter().map(|(_, row)| *row).collect()
    }

    /// Puts an entry in. False if it is there already.
    pub fn insert(&mut self, entry: Entry, trace: Trace<'_>) -> bool {
        let before = self.len;
        if let Some((bound, right)) = self.insert_below(self.root, entry, true, trace) {
            // The root has split: a new one stands above both, and all leaves are one level deeper.
            let root = self.put(Page::Branch {
                bounds: vec![bound],
                children: vec![self.root, right],
            });
            trace(Step::Writes(root));
            (self.root, self.levels) = (root, self.levels + 1);
        }
        self.len > before
    }

    /// `last`: no page of this level lies further right.
    fn insert_below(
        &mut self,
        at: u32,
        entry: Entry,
        last: bool,
        trace: Trace<'_>,
    ) -> Option<Split> {
        trace(Step::Reads(at));
        let (child, below) = match &mut self.pages[at as usize] {
            Page::Leaf { entries, .. } => {
                let place = entries.partition_point(|other| *other < entry);
                if entries.get(place) == Some(&entry) {
                    return None;
                }
                let greatest = last && place == entries.len();
                entries.insert(place, entry);
                self.len += 1;
                trace(Step::Writes(at));
                return self.split(at, greatest, trace);
            }
            Page::Branch { bounds, children } => {
                let place = bounds.partition_point(|bound| *bound <= entry);
                (place, children[place])
            }
        };
        let last = last && child == self.pages[at as usize].len();
        let (bound, right) = self.insert_below(below, entry, last, trace)?;
        if let Page::Branch { bounds, children } = &mut self.pages[at as usize] {
            bounds.insert(child, bound);
            children.insert(child + 1, right);
        }
        trace(Step::Writes(at));
        self.split(at, false, trace)
    }

    // region: split
    /// Splits a page that holds one entry too many.
    fn split(&mut self, at: u32, greatest: bool, trace: Trace<'_>) -> Option<Split> {
        let len = self.pages[at as usize].len();
        if len <= self.room {
            return None;
        }
        let stay = match self.rule {
            Rule::Growing if greatest => (self.room * 9 / 10).clamp(1, self.room),
            _ => len / 2,
        };
        let (bound, right) = match &mut self.pages[at as usize] {
            Page::Leaf { entries, next } => {
                let moved = entries.split_off(stay);
                let bound = between(entries.last().copied(), *moved.first()?);
                let page = Page::Leaf {
                    next: *next,
                    entries: moved,
                };
                (bound, page)
            }
            Page::Branch { bounds, children } => {
                let moved = bounds.split_off(stay + 1);
                let bound = bounds.pop()?;
                let page = Page::Branch {
                    bounds: moved,
                    children: children.split_off(stay + 1),
                };
                (bound, page)
            }
        };
        let right = self.put(right);
        trace(Step::Splits(at, right));
        // endregion
        if let Page::Leaf { next, .. } = &mut self.pages[at as usize] {
            *next = Some(right);
        }
        Some((bound, right))
    }

    /// Takes an entry out. False if it has none such.
    pub fn remove(&mut self, entry: Entry, trace: Trace<'_>) -> bool {
        let before = self.len;
        self.remove_below(self.root, entry, trace);
        if let Page::Branch { bounds, children } = &self.pages[self.root as usize]
            && bounds.is_empty()
        {
            let below = children[0];
            self.drop_page(self.root, trace);
            (self.root, self.levels) = (below, self.levels - 1);
        }
        self.len < before
    }

    fn remove_below(&mut self, at: u32, entry: Entry, trace: Trace<'_>) {
        trace(Step::Reads(at));
        let (child, below) = match &mut self.pages[at as usize] {
            Page::Leaf { entries, .. } => {
                if let Ok(place) = entries.binary_search(&entry) {
                    entries.remove(place);
                    self.len -= 1;
                    trace(Step::Writes(at));
                }
                return;
            }
            Page::Branch { bounds, children } => {
                let place = bounds.partition_point(|bound| *bound <= entry);
                (place, children[place])
            }
        };
        let before = self.len;
        self.remove_below(below, entry, trace);
        if self.len < before && self.pages[below as usize].len() < self.room / 2 {
            // With the one to its left, or else to its right.
            self.join(at, child.max(1) - 1, trace);
        }
    }

    /// Two children next to each other, the first at `place`, become one if they fit, or else share anew.
    fn join(&mut self, above: u32, place: usize, trace: Trace<'_>) {
        let Page::Branch { bounds, children } = &self.pages[above as usize] else {
            return;
        };
        let (bound, left, right) = (bounds[place], children[place], children[place + 1]);
        trace(Step::Reads(left));
        trace(Step::Reads(right));
        let taken = std::mem::replace(&mut self.pages[right as usize], empty());
        // What a bound of branches told apart, comes down between them.
        let (more, total) = match (&mut self.pages[left as usize], &taken) {
            (
                Page::Leaf { entries, next },
                Page::Leaf {
                    entries: more,
                    next: on,
                },
            ) => {
                entries.extend(more);
                *next = *on;
                (false, entries.len())
            }
            (
                Page::Branch { bounds, children },
                Page::Branch {
                    bounds: b,
                    children: c,
                },
            ) => {
                bounds.push(bound);
                bounds.extend(b);
                children.extend(c);
                (true, bounds.len())
            }
            // Siblings are of one kind.
            _ => return,
        };
        if total <= self.room {
            trace(Step::Merges(left, right));
            self.drop_page(right, trace);
            if let Page::Branch { bounds, children } = &mut self.pages[above as usize] {
                bounds.remove(place);
                children.remove(place + 1);
            }
            trace(Step::Writes(above));
            return;
        }
        let stay = if more { (total - 1) / 2 } else { total / 2 };
        let (bound, page) = match &mut self.pages[left as usize] {
            Page::Leaf { entries, next } => {
                let moved = entries.split_off(stay);
                let first = moved
                    .first()
                    .map(|first| between(entries.last().copied(), *first));
                let page = Page::Leaf {
                    entries: moved,
                    next: *next,
                };
                *next = Some(right);
                (first.unwrap_or(bound), page)
            }
            Page::Branch { bounds, children } => {
                let moved = bounds.split_off(stay + 1);
                let up = bounds.pop().unwrap_or(bound);
                let children = children.split_off(stay + 1);
                let page = Page::Branch {
                    bounds: moved,
                    children,
                };
                (up, page)
            }
        };
        self.pages[right as usize] = page;
        if let Page::Branch { bounds, .. } = &mut self.pages[above as usize] {
            bounds[place] = bound;
        }
        trace(Step::Shares(left, right));
        trace(Step::Writes(above));
    }

    fn put(&mut self, page: Page) -> u32 {
        match self.free.pop() {
            Some(at) => {
                self.pages[at as usize] = page;
                at
            }
            None => {
                self.pages.push(page);
                self.pages.len() as u32 - 1
            }
        }
    }

    fn drop_page(&mut self, at: u32, trace: Trace<'_>) {
        self.pages[at as usize] = empty();
        self.free.push(at);
        trace(Step::Frees(at));
    }

    /// What must hold: all leaves at one depth, entries in order and between their bounds, no page too full, the chain of leaves whole.
    ///
    /// # Errors
    /// What does not hold.
    pub fn sound(&self) -> Result<(), String> {
        let mut leaves = Vec::new();
        self.sound_below(self.root, (1, None, None), &mut leaves)?;
        if leaves != self.leaves() {
            return Err("the chain of leaves is another than the tree's".to_owned());
        }
        let entries: usize = leaves.iter().map(|at| self.pages[*at as usize].len()).sum();
        if entries == self.len {
            Ok(())
        } else {
            Err(format!("{entries} entries are reached of {}", self.len))
        }
    }

    fn sound_below(
        &self,
        at: u32,
        (depth, least, most): (u32, Option<Entry>, Option<Entry>),
        leaves: &mut Vec<u32>,
    ) -> Result<(), String> {
        let page = &self.pages[at as usize];
        let (Page::Leaf { entries: held, .. } | Page::Branch { bounds: held, .. }) = page;
        let inside = |entry: &Entry| {
            least.is_none_or(|least| *entry >= least) && most.is_none_or(|most| *entry < most)
        };
        if held.len() > self.room || !held.is_sorted_by(|a, b| a < b) || !held.iter().all(inside) {
            return Err(format!("page {at} holds {held:?}"));
        }
        match page {
            Page::Leaf { .. } if depth == self.levels => leaves.push(at),
            Page::Leaf { .. } => return Err(format!("leaf {at} is at level {depth}")),
            Page::Branch { bounds, children } => {
                if children.len() != bounds.len() + 1 {
                    return Err(format!("branch {at} has {} children", children.len()));
                }
                for (place, child) in children.iter().enumerate() {
                    let least = place
                        .checked_sub(1)
                        .map_or(least, |left| Some(bounds[left]));
                    let most = bounds.get(place).copied().or(most);
                    self.sound_below(*child, (depth + 1, least, most), leaves)?;
                }
            }
        }
        Ok(())
    }
}

fn empty() -> Page {
    Page::Leaf {
        entries: Vec::new(),
        next: None,
    }
}

/// What tells the entries up to `left` from those from `right` on. Where the keys differ the row is left out, as nbtree truncates what
/// a bound does not need: so the question for a key goes straight to its leaf.
fn between(left: Option<Entry>, right: Entry) -> Entry {
    match left {
        Some(left) if left.0 == right.0 => right,
        _ => (right.0, 0),
    }
}

/// A list in parts of at most so many, as even as can be, so that the last is no sliver.
fn parts<T>(list: &[T], most: usize) -> impl Iterator<Item = &[T]> {
    let count = list.len().div_ceil(most.max(1));
    (0..count).map(move |i| &list[list.len() * i / count..list.len() * (i + 1) / count])
}

/// The greatest height, counted in edges, of a B-tree of `n` keys whose pages but the root have at least `t` children (Cormen,
/// Leiserson, Rivest and Stein, theorem 18.1): the whole part of log_t((n + 1) / 2).
pub fn height_at_most(n: u64, t: u64) -> u32 {
    let (mut height, mut reach) = (0, 2_u128);
    while t > 1 && reach * u128::from(t) <= u128::from(n) + 1 {
        reach *= u128::from(t);
        height += 1;
    }
    height
}

/// How many levels an index of `n` entries has whose pages lead to `fan` pages each: what a question for one key reads of it.
pub fn levels(n: u64, fan: u64) -> u32 {
    let (mut levels, mut reach) = (1, u128::from(fan));
    while fan > 1 && reach < u128::from(n) {
        reach *= u128::from(fan);
        levels += 1;
    }
    levels
}

/// Levels of a tree of `n` keys put in in no order, as a curve through its steps: that leaves pages ln 2 full (Yao, "On random 2-3 trees",
/// Acta Informatica 9, 1978).
pub fn expected_levels(n: f64, room: usize) -> f64 {
    let held = std::f64::consts::LN_2 * room as f64;
    1.0 + (libm::log(n / held) / libm::log(held + 1.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::untold;
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg32;
    use std::collections::BTreeSet;

    #[test]
    fn it_holds_what_a_plain_set_holds_after_every_operation() {
        for seed in 0..40 {
            let mut rng = Pcg32::seed_from_u64(seed);
            let room = 3 + seed as usize % 14;
            let rule = [Rule::Growing, Rule::Half][seed as usize % 2];
            let first: Vec<Entry> = (0..seed as u32 * 7)
                .map(|i| (u64::from(i) * 3, i))
                .collect();
            let mut tree = BTree::of(&first, room, rule);
            let mut plain: BTreeSet<Entry> = first.into_iter().collect();
            tree.sound().unwrap();
            for step in 0..900 {
                // Equal keys among them, and phases in which more goes than comes.
                let entry = (u64::from(rng.next_u32() % 150), rng.next_u32() % 4);
                if rng.next_u32() % 10 < if step / 300 == 1 { 7 } else { 3 } {
                    assert_eq!(tree.remove(entry, &mut untold), plain.remove(&entry));
                } else {
                    assert_eq!(tree.insert(entry, &mut untold), plain.insert(entry));
                }
                if let Err(error) = tree.sound() {
                    panic!("seed {seed}, step {step}: {error}");
                }
                assert_eq!(tree.len(), plain.len());
            }
            for from in (0..170).step_by(13) {
                let want: Vec<Entry> = plain
                    .range((from, 0)..=(from + 20, u32::MAX))
                    .copied()
                    .collect();
                assert_eq!(tree.range(from, from + 20, &mut untold), want);
            }
            for entry in plain.clone() {
                assert!(tree.remove(entry, &mut untold));
            }
            tree.sound().unwrap();
            assert!(tree.is_empty() && tree.levels() == 1, "{tree:?}");
        }
    }

    fn filled(keys: impl Iterator<Item = u64>, rule: Rule) -> BTree {
        let mut tree = BTree::new(16, rule);
        for (key, row) in keys.zip(0..) {
            tree.insert((key, row), &mut untold);
        }
        tree
    }

    /// Andrew Yao, "On random 2-3 trees", 1978: random keys leave pages ln 2 full.
    #[test]
    fn random_keys_leave_pages_two_thirds_full_and_counted_ones_leave_them_full() {
        let mut rng = Pcg32::seed_from_u64(1);
        let random = filled((0..3_000).map(|_| rng.next_u64()), Rule::Growing);
        assert!((random.fill() - 0.693).abs() < 0.04, "{}", random.fill());
        let counted = filled(0..3_000, Rule::Growing);
        assert!((counted.fill() - 0.87).abs() < 0.02, "{}", counted.fill());
        let halved = filled(0..3_000, Rule::Half);
        assert!((halved.fill() - 0.5).abs() < 0.02, "{}", halved.fill());
    }

    #[test]
    fn a_question_reads_a_page_of_each_level_and_a_range_the_leaves_it_spans() {
        let entries: Vec<Entry> = (0..512).map(|i| (i, i as u32)).collect();
        let tree = BTree::of(&entries, 16, Rule::Growing);
        assert_eq!((tree.levels(), tree.leaves().len()), (3, 37));
        let mut reads = Vec::new();
        // Of every key, also of one that is the first of its leaf.
        for key in 0..512 {
            assert_eq!(tree.find(key, &mut |step| reads.push(step)), [key as u32]);
            assert_eq!(reads.len(), 3, "{key}");
            reads.clear();
        }
        assert_eq!(tree.range(300, 340, &mut |step| reads.push(step)).len(), 41);
        assert!((5..=6).contains(&reads.len()), "{reads:?}");
        // A billion keys: four levels.
        assert_eq!((levels(1_000_000_000, 366), levels(1_000, 366)), (4, 2));
    }

    #[test]
    fn only_a_split_that_climbs_makes_the_tree_higher() {
        let mut tree = BTree::new(4, Rule::Growing);
        let (mut splits, mut roots) = (0, 0);
        for key in 0..200 {
            let levels = tree.levels();
            tree.insert((key * 7_919 % 200, 0), &mut |step| {
                splits += u32::from(matches!(step, Step::Splits(..)));
            });
            roots += tree.levels() - levels;
        }
        let branches = tree.pages.len() as u32 - tree.leaves().len() as u32;
        // Each split makes a page, and so does each new root.
        assert_eq!(splits + roots + 1, tree.leaves().len() as u32 + branches);
        assert_eq!(tree.levels(), roots + 1);
    }
}
