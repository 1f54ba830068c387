//! AVL tree: a binary search tree in which the heights of a node's two subtrees differ by at most one.
//!
//! Georgy Adelson-Velsky and Evgenii Landis, "An algorithm for the organization of information", 1962. Nodes stand in one list and
//! have numbers, so that who watches can tell one from another; each number is free again once its node is removed.

use crate::trace::{Step, Trace};

/// No node.
const NONE: u32 = u32::MAX;

/// A node: a key and the number of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is found by.
    pub key: u64,
    /// The row that it leads to.
    pub row: u32,
    left: u32,
    right: u32,
    height: u8,
}

/// The tree. Of equal keys the last row counts.
#[derive(Clone, Debug, Default)]
pub struct Avl {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: Option<u32>,
}

impl Avl {
    /// An empty one.
    pub fn new() -> Avl {
        Avl::default()
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// How many nodes lie on the longest way down.
    pub fn height(&self) -> u8 {
        self.height_of(self.root.unwrap_or(NONE))
    }

    /// The node of this number, if there is one.
    pub fn node(&self, number: u32) -> Option<&Node> {
        self.nodes.get(number as usize)
    }

    /// The number of the topmost node.
    pub fn root(&self) -> Option<u32> {
        self.root
    }

    /// The nodes below one, left and right.
    pub fn below(&self, number: u32) -> [Option<u32>; 2] {
        let of = |child: u32| (child != NONE).then_some(child);
        let node = self.node(number);
        node.map_or([None, None], |node| [of(node.left), of(node.right)])
    }

    /// The row of a key.
    pub fn find(&self, key: u64, trace: Trace<'_>) -> Option<u32> {
        let mut at = self.root.unwrap_or(NONE);
        while let Some(node) = self.node(at) {
            trace(Step::Reads(at));
            at = match key.cmp(&node.key) {
                std::cmp::Ordering::Less => node.left,
                std::cmp::Ordering::Greater => node.right,
                std::cmp::Ordering::Equal => return Some(node.row),
            };
        }
        None
    }

    /// Keys and rows from the one to the other, both of them too, in order.
    pub fn range(&self, from: u64, to: u64, trace: Trace<'_>) -> Vec<(u64, u32)> {
        let mut found = Vec::new();
        self.walk(self.root.unwrap_or(NONE), (from, to), &mut found, trace);
        found
    }

    fn walk(&self, at: u32, (from, to): (u64, u64), found: &mut Vec<(u64, u32)>, trace: Trace<'_>) {
        let Some(node) = self.node(at) else { return };
        trace(Step::Reads(at));
        if from < node.key {
            self.walk(node.left, (from, to), found, trace);
        }
        if (from..=to).contains(&node.key) {
            found.push((node.key, node.row));
        }
        if to > node.key {
            self.walk(node.right, (from, to), found, trace);
        }
    }

    /// Keys from the root down, each before those below it, left before right.
    pub fn preorder(&self) -> Vec<u64> {
        let (mut keys, mut ahead) = (Vec::new(), vec![self.root.unwrap_or(NONE)]);
        while let Some(at) = ahead.pop() {
            if let Some(node) = self.node(at) {
                keys.push(node.key);
                ahead.extend([node.right, node.left]);
            }
        }
        keys
    }

    // region: avl
    /// Puts a key in.
    pub fn insert(&mut self, key: u64, row: u32, trace: Trace<'_>) {
        self.root = Some(self.insert_below(self.root.unwrap_or(NONE), key, row, trace));
    }

    fn insert_below(&mut self, at: u32, key: u64, row: u32, trace: Trace<'_>) -> u32 {
        if at == NONE {
            return self.put(key, row, trace);
        }
        trace(Step::Reads(at));
        let Node {
            key: here,
            left,
            right,
            ..
        } = self.nodes[at as usize];
        match key.cmp(&here) {
            std::cmp::Ordering::Less => {
                self.nodes[at as usize].left = self.insert_below(left, key, row, trace);
            }
            std::cmp::Ordering::Greater => {
                self.nodes[at as usize].right = self.insert_below(right, key, row, trace);
            }
            std::cmp::Ordering::Equal => {
                self.nodes[at as usize].row = row;
                trace(Step::Writes(at));
            }
        }
        self.balance(at, trace)
    }

    /// Turns a node whose sides differ by two, once or twice. The node that now stands there.
    fn balance(&mut self, at: u32, trace: Trace<'_>) -> u32 {
        let Node { left, right, .. } = self.nodes[at as usize];
        let lean = i16::from(self.height_of(left)) - i16::from(self.height_of(right));
        if lean > 1 {
            if self.leans_right(left) {
                self.nodes[at as usize].left = self.turn(left, true, trace);
            }
            return self.turn(at, false, trace);
        }
        if lean < -1 {
            if self.leans_left(right) {
                self.nodes[at as usize].right = self.turn(right, false, trace);
            }
            return self.turn(at, true, trace);
        }
        self.measure(at);
        at
    }

    /// Turns a node down to the left or right; its other child comes up in its place.
    fn turn(&mut self, at: u32, to_left: bool, trace: Trace<'_>) -> u32 {
        let Node { left, right, .. } = self.nodes[at as usize];
        let up = if to_left { right } else { left };
        if to_left {
            self.nodes[at as usize].right = self.nodes[up as usize].left;
            self.nodes[up as usize].left = at;
        } else {
            self.nodes[at as usize].left = self.nodes[up as usize].right;
            self.nodes[up as usize].right = at;
        }
        self.measure(at);
        self.measure(up);
        trace(Step::Turns(at, up));
        up
    }
    // endregion

    /// Takes a key out. False if it has none such.
    pub fn remove(&mut self, key: u64, trace: Trace<'_>) -> bool {
        let before = self.len();
        if let Some(root) = self.root {
            let root = self.remove_below(root, key, trace);
            self.root = (root != NONE).then_some(root);
        }
        self.len() < before
    }

    fn remove_below(&mut self, at: u32, key: u64, trace: Trace<'_>) -> u32 {
        let Some(&Node {
            key: here,
            left,
            right,
            ..
        }) = self.node(at)
        else {
            return NONE;
        };
        trace(Step::Reads(at));
        match key.cmp(&here) {
            std::cmp::Ordering::Less => {
                self.nodes[at as usize].left = self.remove_below(left, key, trace);
            }
            std::cmp::Ordering::Greater => {
                self.nodes[at as usize].right = self.remove_below(right, key, trace);
            }
            std::cmp::Ordering::Equal if left == NONE || right == NONE => {
                self.free.push(at);
                trace(Step::Frees(at));
                return if left == NONE { right } else { left };
            }
            std::cmp::Ordering::Equal => {
                // The next greater key takes its place.
                let mut heir = right;
                while self.nodes[heir as usize].left != NONE {
                    heir = self.nodes[heir as usize].left;
                }
                let Node { key, row, .. } = self.nodes[heir as usize];
                let right = self.remove_below(right, key, trace);
                let node = &mut self.nodes[at as usize];
                (node.key, node.row, node.right) = (key, row, right);
                trace(Step::Writes(at));
            }
        }
        self.balance(at, trace)
    }

    fn put(&mut self, key: u64, row: u32, trace: Trace<'_>) -> u32 {
        let node = Node {
            key,
            row,
            left: NONE,
            right: NONE,
            height: 1,
        };
        let at = match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        };
        trace(Step::Writes(at));
        at
    }

    fn height_of(&self, at: u32) -> u8 {
        self.node(at).map_or(0, |node| node.height)
    }

    fn measure(&mut self, at: u32) {
        let Node { left, right, .. } = self.nodes[at as usize];
        self.nodes[at as usize].height = 1 + self.height_of(left).max(self.height_of(right));
    }

    fn leans_right(&self, at: u32) -> bool {
        let node = self.nodes[at as usize];
        self.height_of(node.right) > self.height_of(node.left)
    }

    fn leans_left(&self, at: u32) -> bool {
        let node = self.nodes[at as usize];
        self.height_of(node.left) > self.height_of(node.right)
    }

    /// What must hold: keys in order, heights right, no two sides that differ by more than one.
    ///
    /// # Errors
    /// What does not hold.
    pub fn sound(&self) -> Result<(), String> {
        let root = self.root.unwrap_or(NONE);
        let mut count = 0;
        self.sound_below(root, None, None, &mut count)?;
        if count == self.len() {
            Ok(())
        } else {
            Err(format!("{count} nodes are reached of {}", self.len()))
        }
    }

    fn sound_below(
        &self,
        at: u32,
        least: Option<u64>,
        most: Option<u64>,
        count: &mut usize,
    ) -> Result<u8, String> {
        let Some(node) = self.node(at) else {
            return Ok(0);
        };
        *count += 1;
        let key = node.key;
        if least.is_some_and(|least| key <= least) || most.is_some_and(|most| key >= most) {
            return Err(format!("{key} stands on the wrong side"));
        }
        let left = self.sound_below(node.left, least, Some(key), count)?;
        let right = self.sound_below(node.right, Some(key), most, count)?;
        if left.abs_diff(right) > 1 || node.height != 1 + left.max(right) {
            return Err(format!("{key}: {left} and {right}, said {}", node.height));
        }
        Ok(node.height)
    }
}

/// The least number of nodes that a tree of this height has, counted in nodes on its longest way.
pub fn least_nodes(height: u32) -> u64 {
    let (mut this, mut next) = (0_u64, 1_u64);
    for _ in 0..height {
        (this, next) = (next, this.saturating_add(next).saturating_add(1));
    }
    this
}

/// How many nodes are looked at for a key that is there, of `n` put in in no order: for one that is not there it is about
/// lg n + 0.25 (Knuth, "The Art of Computer Programming", vol. 3, 6.2.3), and one that is there is found about one earlier.
pub fn expected_nodes(n: f64) -> f64 {
    (libm::log2(n) - 0.75).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::untold;
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg32;
    use std::collections::BTreeMap;

    #[test]
    fn it_holds_what_a_plain_map_holds_and_stays_low() {
        for seed in 0..20 {
            let mut rng = Pcg32::seed_from_u64(seed);
            let (mut tree, mut plain) = (Avl::new(), BTreeMap::new());
            for row in 0..600 {
                let key = u64::from(rng.next_u32() % 200);
                if rng.next_u32() % 3 == 0 {
                    assert_eq!(tree.remove(key, &mut untold), plain.remove(&key).is_some());
                } else {
                    tree.insert(key, row, &mut untold);
                    plain.insert(key, row);
                }
                tree.sound().unwrap();
                assert_eq!(tree.len(), plain.len());
            }
            let all: Vec<_> = plain.iter().map(|(key, row)| (*key, *row)).collect();
            assert_eq!(tree.range(0, u64::MAX, &mut untold), all);
            for key in 0..200 {
                assert_eq!(tree.find(key, &mut untold), plain.get(&key).copied());
            }
            assert!(least_nodes(tree.height().into()) <= tree.len() as u64);
        }
    }

    #[test]
    fn a_question_reads_no_more_nodes_than_the_tree_is_high() {
        let mut tree = Avl::new();
        for key in 0..1_000 {
            tree.insert(key, key as u32, &mut untold);
        }
        let mut reads = 0;
        tree.find(777, &mut |step| {
            reads += u32::from(matches!(step, Step::Reads(_)))
        });
        assert!((1..=tree.height().into()).contains(&reads));
        // 1.44 log2(n + 2) - 0.33 (Knuth, The Art of Computer Programming 3, 6.2.3).
        assert!(tree.height() <= 14);
    }
}
