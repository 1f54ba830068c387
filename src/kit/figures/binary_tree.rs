//! A binary tree over a row of leaves: the root at the top or, upside down, at the bottom. Where a level has more nodes than
//! can be told apart it is a thin row, and all below it too: together they are a strip.

use engine::scene::{Point, Rect, pt};
use engine::text::tenths;

/// The height of a node, and of a level in the strip.
pub const NODE: f32 = 16.0;
const THIN: f32 = 8.0;
/// The broadest that a node is, and the least that lies between two.
const BROAD: f32 = 24.0;
const GAP: f32 = 2.0;
/// So many nodes beside each other can be told apart.
const ACROSS: usize = 20;

/// Where the nodes of a tree stand; levels count from the leaves, at 0, and nodes of a level from the left.
#[derive(Clone, Copy, Debug)]
pub struct BinaryTree {
    /// Where it stands.
    pub area: Rect,
    /// How many leaves it has; at least 1.
    pub leaves: usize,
    /// For how many leaves there is room, so that two trees can be compared; at least as many.
    pub room: usize,
    /// Whether the root is at the bottom.
    pub upside_down: bool,
}

impl BinaryTree {
    /// The level of the root.
    pub fn depth(&self) -> u8 {
        self.leaves.max(1).next_power_of_two().trailing_zeros() as u8
    }

    /// How many nodes a level has.
    pub fn width(&self, level: u8) -> usize {
        self.leaves.div_ceil(1 << level)
    }

    /// How many levels are thin rows: those with too many nodes, from the leaves up.
    pub fn thin(&self) -> u8 {
        let crowded = |level: &u8| self.width(*level) > ACROSS;
        (0..self.depth()).take_while(crowded).count() as u8
    }

    /// The height below which its rows would run into each other.
    pub fn height_min(&self) -> f32 {
        let rows = f32::from(self.depth() - self.thin());
        let strip = f32::from(self.thin()) * THIN;
        let half = if self.thin() > 0 { 0.5 } else { 0.0 };
        (rows + half) * (NODE + GAP) + NODE + strip
    }

    fn pitch(&self) -> f32 {
        self.area.w / self.room.max(self.leaves).max(1) as f32
    }

    /// The leaves under a node.
    fn span(&self, level: u8, index: usize) -> (usize, usize) {
        let from = index << level;
        (from, (from + (1 << level)).min(self.leaves).max(from + 1))
    }

    /// The upper and the lower edge of a level.
    fn row(&self, level: u8) -> (f32, f32) {
        let (thin, depth) = (self.thin(), self.depth());
        let strip = f32::from(thin) * THIN;
        let high = self.area.h - strip - NODE;
        let rows = f32::from(depth - thin);
        // From the root's edge on: half a step lies between the last node and the strip.
        let (from, h) = if level < thin {
            let below = f32::from(thin - 1 - level) * THIN;
            (self.area.h - strip + below, THIN)
        } else {
            let steps = if thin > 0 { rows + 0.5 } else { rows };
            let up = f32::from(depth - level);
            (high * up / steps.max(1.0), NODE)
        };
        let y = if self.upside_down {
            self.area.y + self.area.h - from - h
        } else {
            self.area.y + from
        };
        (y, y + h)
    }

    /// Where a node stands: a box, or a piece of a thin row, at least 2 units wide.
    pub fn at(&self, level: u8, index: usize) -> Rect {
        let (top, bottom) = self.row(level);
        let (from, to) = self.span(level, index);
        let x = self.area.x + self.pitch() * (from + to) as f32 / 2.0;
        let own = self.pitch() * (to - from) as f32;
        let (w, inset) = if level < self.thin() {
            (own.max(2.0), 1.5)
        } else {
            ((own - GAP).clamp(2.0, BROAD), 0.0)
        };
        let left = (x - w / 2.0).clamp(self.area.x, self.area.x + self.area.w - w);
        Rect::new(left, top + inset, w, bottom - top - 2.0 * inset)
    }

    /// The whole of a level, as far as there are leaves.
    pub fn level(&self, level: u8) -> Rect {
        let (top, bottom) = self.row(level);
        let w = self.pitch() * self.leaves as f32;
        Rect::new(self.area.x, top, w, bottom - top)
    }

    /// The middle of the side of a node that faces the leaves, or the root.
    pub fn side(&self, level: u8, index: usize, to_leaves: bool) -> Point {
        let node = self.at(level, index);
        let low = to_leaves != self.upside_down;
        pt(
            node.x + node.w / 2.0,
            if low { node.y + node.h } else { node.y },
        )
    }

    /// Path data from a node to its child. One that has moved up some levels hangs straight down from there.
    pub fn edge(&self, from: (u8, usize), to: (u8, usize)) -> String {
        let a = self.side(from.0, from.1, true);
        let b = self.side(to.0, to.1, false);
        let [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map(tenths);
        if to.0 + 1 < from.0 {
            let next = self.level(from.0 - 1).centre().y;
            return format!("M{ax} {ay}L{bx} {}V{by}", tenths(next));
        }
        format!("M{ax} {ay}L{bx} {by}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_lie_in_their_area_beside_each_other() {
        let area = Rect::new(10.0, 20.0, 380.0, 220.0);
        for leaves in (1..=24).chain([63, 64, 100, 256, 1_024]) {
            for (upside_down, low) in [(false, false), (true, false), (false, true), (true, true)] {
                let mut tree = BinaryTree {
                    area,
                    leaves,
                    room: leaves,
                    upside_down,
                };
                if low {
                    tree.area.h = tree.height_min();
                }
                let area = tree.area;
                for level in 0..=tree.depth() {
                    let row: Vec<Rect> =
                        (0..tree.width(level)).map(|i| tree.at(level, i)).collect();
                    assert!(
                        row.iter().all(|node| area.grown(0.01).holds(node)),
                        "{leaves}"
                    );
                    if level >= tree.thin() {
                        assert!(
                            row.is_sorted_by(|a, b| a.x + a.w <= b.x),
                            "{leaves}, {level}"
                        );
                        assert!(row.len() <= ACROSS);
                    }
                    let above = level.checked_sub(1).map(|below| tree.level(below));
                    let apart = |below: Rect| {
                        let (low, high) = if upside_down {
                            (below, tree.level(level))
                        } else {
                            (tree.level(level), below)
                        };
                        low.y + low.h <= high.y + 0.01
                    };
                    assert!(above.is_none_or(apart), "{leaves}, {level}");
                }
            }
        }
    }

    #[test]
    fn a_parent_stands_over_the_middle_of_its_leaves() {
        let tree = BinaryTree {
            area: Rect::new(0.0, 0.0, 160.0, 100.0),
            leaves: 8,
            room: 8,
            upside_down: false,
        };
        assert_eq!(tree.at(1, 0).centre().x, 20.0);
        assert_eq!(tree.at(3, 0).centre(), pt(80.0, 8.0));
        assert_eq!(tree.edge((1, 0), (0, 1)), "M20 72L30 84");
        let turned = BinaryTree {
            upside_down: true,
            ..tree
        };
        assert_eq!(turned.at(3, 0).centre(), pt(80.0, 92.0));
    }
}
