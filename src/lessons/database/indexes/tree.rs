//! The picture of an index: where each of its pages stands, and what it holds.

use super::store::{Index, levels};
use algorithms::avl::Avl;
use algorithms::btree::{BTree, Page};
use algorithms::hash_index::HashIndex;
use engine::Ink;
use engine::scene::{Pencil, Rect};
use engine::text::tenths;

/// A page of an index and its place.
pub(super) type Stand = (u32, Rect);

/// Levels of a binary tree whose nodes are drawn one by one; what lies deeper is a strip.
const DOTS: u32 = 6;

/// Draws an index in its area and says where its pages stand.
pub(super) fn draw(index: &Index, area: Rect, pencil: &mut Pencil<'_>) -> Vec<Stand> {
    match index {
        Index::None => Vec::new(),
        Index::Hash(index) => buckets(index, area, pencil),
        Index::Avl(tree) => binary(tree, area, pencil),
        Index::Tree(tree) => pages(tree, area, pencil),
    }
}

/// Adds a rectangle to path data.
pub(super) fn boxed(d: &mut String, r: Rect) {
    let (w, h) = (tenths(r.w), tenths(r.h));
    d.push_str(&format!("M{} {}h{w}v{h}h-{w}Z", tenths(r.x), tenths(r.y)));
}

fn stroke(d: &mut String, from: (f32, f32), to: (f32, f32)) {
    let (a, b) = (tenths(from.0), tenths(from.1));
    d.push_str(&format!("M{a} {b}L{} {}", tenths(to.0), tenths(to.1)));
}

/// A B+-tree: a row of boxes a level, leaves filled from below as far as they are full.
fn pages(tree: &BTree, area: Rect, pencil: &mut Pencil<'_>) -> Vec<Stand> {
    let levels = levels(tree);
    let leaves = levels.last().map_or(1, Vec::len);
    let pitch = area.w / leaves as f32;
    let leaf_h = (area.h * 0.26).min(44.0);
    let step = match levels.len() {
        1 => 0.0,
        n => (area.h - leaf_h) / (n - 1) as f32,
    };
    let branch_h = (step * 0.5).clamp(8.0, 24.0);
    let mut stands: Vec<Stand> = Vec::new();
    // From the leaves up: a branch stands over the middle of what it leads to.
    let mut below: Vec<Stand> = Vec::new();
    let (mut lines, mut boxes, mut held, mut ticks) =
        (String::new(), String::new(), String::new(), String::new());
    for (depth, level) in levels.iter().enumerate().rev() {
        let mut row: Vec<Stand> = Vec::with_capacity(level.len());
        for (place, number) in level.iter().enumerate() {
            match tree.page(*number) {
                Some(Page::Branch { children, bounds }) => {
                    let under: Vec<Rect> = children
                        .iter()
                        .filter_map(|child| find(&below, *child))
                        .collect();
                    let (Some(first), Some(last)) = (under.first(), under.last()) else {
                        continue;
                    };
                    let middle = (first.x + last.x + last.w) / 2.0;
                    let w = ((last.x + last.w - first.x) * 0.8).clamp(pitch.min(10.0), 84.0);
                    let y = area.y + step * depth as f32;
                    let r = Rect::new(middle - w / 2.0, y, w, branch_h);
                    for child in &under {
                        let to = (child.x + child.w / 2.0, child.y);
                        stroke(&mut lines, (middle, r.y + r.h), to);
                    }
                    for bound in 1..=bounds.len() {
                        let x = r.x + r.w * bound as f32 / (bounds.len() + 1) as f32;
                        stroke(&mut ticks, (x, r.y + 2.0), (x, r.y + r.h - 2.0));
                    }
                    boxed(&mut boxes, r);
                    row.push((*number, r));
                }
                Some(page) => {
                    let w = (pitch * 0.82).min(40.0);
                    let x = area.x + pitch * place as f32 + (pitch - w) / 2.0;
                    let r = Rect::new(x, area.y + area.h - leaf_h, w, leaf_h);
                    let full = page.len() as f32 / tree.room() as f32;
                    let h = leaf_h * full.min(1.0);
                    boxed(&mut held, Rect::new(x, r.y + leaf_h - h, w, h));
                    boxed(&mut boxes, r);
                    row.push((*number, r));
                }
                None => {}
            }
        }
        stands.extend(&below);
        below = row;
    }
    stands.extend(&below);
    pencil
        .line(lines, Ink::Line, 1.0)
        .area(held, Ink::HitSoft)
        .line(boxes, Ink::LineStrong, 1.0)
        .line(ticks, Ink::Line, 1.0);
    stands
}

pub(super) fn find(stands: &[Stand], page: u32) -> Option<Rect> {
    let it = stands.iter().find(|(number, _)| *number == page);
    it.map(|(_, rect)| *rect)
}

/// A binary tree: dots at the upper levels, below them a tick a node.
fn binary(tree: &Avl, area: Rect, pencil: &mut Pencil<'_>) -> Vec<Stand> {
    let height = u32::from(tree.height()).max(1);
    let step = area.h / height as f32;
    let mut stands = Vec::with_capacity(tree.len());
    let (mut lines, mut dots, mut ticks) = (String::new(), String::new(), String::new());
    // Which node, how deep it lies, where across, and where the one above it stands.
    let mut ahead = Vec::new();
    ahead.extend(tree.root().map(|root| (root, 0, 0.5, None)));
    while let Some((number, depth, share, above)) = ahead.pop() {
        let (x, y) = (
            area.x + area.w * share,
            area.y + step * (depth as f32 + 0.5),
        );
        let deep = depth >= DOTS;
        let r = if deep { 1.5 } else { (step * 0.3).min(5.0) };
        stands.push((number, Rect::new(x - r, y - r, 2.0 * r, 2.0 * r)));
        if let Some(above) = above.filter(|_| depth <= DOTS) {
            stroke(&mut lines, above, (x, y));
        }
        if deep {
            stroke(&mut ticks, (x, y - 1.5), (x, y + 1.5));
        } else {
            let d = tenths(2.0 * r);
            let r = tenths(r);
            dots.push_str(&format!(
                "M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0Z",
                tenths(x - (step * 0.3).min(5.0)),
                tenths(y)
            ));
        }
        let half = 0.25 / (1u32 << depth) as f32;
        let [left, right] = tree.below(number);
        ahead.extend(left.map(|child| (child, depth + 1, share - half, Some((x, y)))));
        ahead.extend(right.map(|child| (child, depth + 1, share + half, Some((x, y)))));
    }
    pencil
        .line(lines, Ink::Line, 1.0)
        .line(ticks, Ink::LineStrong, 1.0)
        .area(dots, Ink::LineStrong);
    stands
}

/// A hash index: a cell a bucket, filled as far as its first page is full; pages behind it are tabs at its right.
fn buckets(index: &HashIndex, area: Rect, pencil: &mut Pencil<'_>) -> Vec<Stand> {
    let n = index.buckets();
    // As square as the area allows.
    let columns = (1..=n)
        .find(|columns| {
            let rows = n.div_ceil(*columns);
            area.w / *columns as f32 <= 1.6 * area.h / rows as f32
        })
        .unwrap_or(n)
        .next_power_of_two();
    let rows = n.div_ceil(columns);
    let (w, h) = (area.w / columns as f32, (area.h / rows as f32).min(46.0));
    let gap = (w * 0.16).min(4.0);
    let mut stands = Vec::with_capacity(index.pages() as usize);
    let (mut boxes, mut held, mut tabs) = (String::new(), String::new(), String::new());
    for (bucket, chain) in index.chains().enumerate() {
        let (column, row) = ((bucket % columns) as f32, (bucket / columns) as f32);
        let cell = Rect::new(area.x + w * column, area.y + h * row, w - gap, h - gap);
        for (place, (page, entries)) in chain.enumerate() {
            let full = entries as f32 / index.room() as f32;
            if place == 0 {
                let fill = (cell.h * full).min(cell.h);
                let inside = Rect::new(cell.x, cell.y + cell.h - fill, cell.w * 0.78, fill);
                boxed(&mut held, inside);
                let first = Rect {
                    w: cell.w * 0.78,
                    ..cell
                };
                boxed(&mut boxes, first);
                stands.push((page, first));
            } else {
                // Three tabs are drawn; those behind lie on the third.
                let nth = place.min(3) as f32 - 1.0;
                let tab = Rect::new(
                    cell.x + cell.w * 0.82,
                    cell.y + cell.h * nth / 3.0,
                    cell.w * 0.18,
                    cell.h * 0.26,
                );
                if place <= 3 {
                    boxed(&mut tabs, tab);
                }
                stands.push((page, tab));
            }
        }
    }
    pencil
        .area(held, Ink::HitSoft)
        .line(boxes, Ink::LineStrong, 1.0)
        .area(tabs, Ink::Hit);
    stands
}
