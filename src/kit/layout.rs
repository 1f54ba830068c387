//! Where things stand: rows and columns that shrink from their best to their least size, and the ways between them.
//!
//! A lesson describes its stage once. [`lay`] gives every part a rectangle: widths from the outside in, then heights.
//! Where there is less room than the best sizes ask for, all spans shrink alike, gaps and cards, down to their least; where
//! there is more, what grows takes it. That is all: no solver and no wrapping but that of a grid.

use engine::scene::{Curve, Point, Rect, pt};
use engine::{PartId, Scene};

/// Free units between a scene's edge and what stands in it.
pub const MARGIN: f32 = 12.0;
/// Least units between the upper or lower edge and what stands in the scene.
const BRIM: f32 = 8.0;
/// Answers travel this far beside the requests, so that both can be told apart.
pub const LANE: f32 = 11.0;
/// Radius of the bends of a way that turns corners.
pub const BEND: f32 = 16.0;

/// A length that gives way, in units of the scene.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    /// Never shorter, even if the scene is too small; the scene's faults then tell.
    pub least: f32,
    /// Its length where there is room; at least `least`.
    pub best: f32,
    /// Its part of the room that nobody asks for, in relation to its neighbours; 0 for none.
    pub grow: f32,
}

impl Span {
    /// A length that takes what is left, `weight` parts of it, and is never shorter than `least`.
    pub const fn rest(least: f32, weight: f32) -> Span {
        Span {
            least,
            best: least,
            grow: weight,
        }
    }

    fn and(self, other: Span) -> Span {
        Span {
            least: self.least + other.least,
            best: self.best + other.best,
            grow: self.grow + other.grow,
        }
    }

    fn or(self, other: Span) -> Span {
        Span {
            least: self.least.max(other.least),
            best: self.best.max(other.best),
            grow: self.grow.max(other.grow),
        }
    }

    /// Its length where only itself fills `room`.
    fn within(self, room: f32) -> f32 {
        if self.grow > 0.0 {
            room.max(self.least)
        } else {
            room.min(self.best).max(self.least)
        }
    }
}

impl From<f32> for Span {
    /// A length that never gives way.
    fn from(length: f32) -> Span {
        (length, length).into()
    }
}

impl From<(f32, f32)> for Span {
    /// From the least to the best length.
    fn from((least, best): (f32, f32)) -> Span {
        Span {
            least,
            best: best.max(least),
            grow: 0.0,
        }
    }
}

/// Width and height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Width.
    pub w: Span,
    /// Height.
    pub h: Span,
}

/// One place of a description, or several.
#[derive(Clone, Debug, PartialEq)]
pub enum Slot {
    /// A thing of this size. Names that no part of the scene has are fine: they keep room free.
    Part(PartId, Size),
    /// From left to right, each in the middle of the row's height.
    Row(Vec<Slot>),
    /// From top to bottom, each from the column's left.
    Column(Vec<Slot>),
    /// The way that data flows: a row on wide stages, a column on narrow ones.
    Spine(Vec<Slot>),
    /// Cells of one size, as many beside each other as fit at their least width.
    Grid {
        /// The name of the whole.
        of: PartId,
        /// How many cells.
        n: usize,
        /// The size of each.
        cell: Size,
        /// Units between two columns, and between two rows.
        gap: (f32, f32),
        /// The fewest and the most columns; at least 1.
        columns: (u16, u16),
    },
    /// A thing that holds others: their room, its head above, its foot below and `side` units to the left and right.
    Around {
        /// Its name.
        of: PartId,
        /// Above.
        head: Span,
        /// Below.
        foot: Span,
        /// At each side.
        side: f32,
        /// What it holds.
        inner: Box<Slot>,
    },
    /// Nothing, so many units along the row or column that it stands in.
    Space(Span),
}

/// A part of this width and height: a number, (least, best) or a [`Span`].
pub fn part(id: PartId, w: impl Into<Span>, h: impl Into<Span>) -> Slot {
    let (w, h) = (w.into(), h.into());
    Slot::Part(id, Size { w, h })
}

/// Room for nothing: a number, (least, best) or a [`Span`].
pub fn space(along: impl Into<Span>) -> Slot {
    Slot::Space(along.into())
}

/// Divides `room` among spans.
fn split(spans: &[Span], room: f32) -> Vec<f32> {
    let all = spans.iter().copied().fold(Span::default(), Span::and);
    let spare = (room - all.best).max(0.0);
    let share = if all.best > all.least {
        ((room - all.least) / (all.best - all.least)).clamp(0.0, 1.0)
    } else {
        1.0
    };
    let lengths = spans.iter().map(|span| {
        let more = if all.grow > 0.0 {
            spare * span.grow / all.grow
        } else {
            0.0
        };
        span.least + (span.best - span.least) * share + more
    });
    lengths.collect()
}

impl Slot {
    /// The children of a row or column, and whether it is a row.
    fn line(&self, narrow: bool) -> Option<(&[Slot], bool)> {
        match self {
            Slot::Row(slots) => Some((slots, true)),
            Slot::Column(slots) => Some((slots, false)),
            Slot::Spine(slots) => Some((slots, !narrow)),
            _ => None,
        }
    }

    fn width(&self, along: bool, narrow: bool) -> Span {
        if let Some((slots, row)) = self.line(narrow) {
            let widths = slots.iter().map(|slot| slot.width(row, narrow));
            return widths.fold(Span::default(), if row { Span::and } else { Span::or });
        }
        match self {
            Slot::Part(_, size) => size.w,
            Slot::Grid {
                cell,
                gap,
                columns: range,
                ..
            } => {
                let wide = |columns: u16, w: f32| f32::from(columns.max(1)) * (w + gap.0) - gap.0;
                // Cells go to another row before the grid outgrows its place.
                Span {
                    least: wide(range.0, cell.w.least),
                    best: wide(range.1, cell.w.best),
                    grow: cell.w.grow * wide(range.1, 1.0),
                }
            }
            Slot::Around { side, inner, .. } => inner.width(along, narrow).and((2.0 * side).into()),
            Slot::Space(span) if along => *span,
            _ => Span::default(),
        }
    }

    /// The heights that it can have where it is `w` wide.
    fn height(&self, w: f32, along: bool, narrow: bool) -> Span {
        if let Some((slots, row)) = self.line(narrow) {
            let widths: Vec<Span> = slots.iter().map(|slot| slot.width(row, narrow)).collect();
            let widths = if row {
                split(&widths, w)
            } else {
                widths.iter().map(|width| width.within(w)).collect()
            };
            let heights = slots.iter().zip(widths);
            let heights = heights.map(|(slot, w)| slot.height(w, !row, narrow));
            return heights.fold(Span::default(), if row { Span::or } else { Span::and });
        }
        match self {
            Slot::Part(_, size) => size.h,
            Slot::Grid {
                n,
                cell,
                gap,
                columns: range,
                ..
            } => {
                let rows = n.div_ceil(columns(*cell, gap.0, *range, w)).max(1) as f32;
                let tall = |h: f32| (rows * (h + gap.1) - gap.1).max(0.0);
                Span {
                    least: tall(cell.h.least),
                    best: tall(cell.h.best),
                    grow: cell.h.grow,
                }
            }
            Slot::Around {
                head,
                foot,
                side,
                inner,
                ..
            } => inner
                .height(w - 2.0 * side, along, narrow)
                .and(*head)
                .and(*foot),
            Slot::Space(span) if along => *span,
            _ => Span::default(),
        }
    }

    fn place(&self, area: Rect, narrow: bool, placed: &mut Placed) {
        if let Some((slots, row)) = self.line(narrow) {
            let widths: Vec<Span> = slots.iter().map(|slot| slot.width(row, narrow)).collect();
            if row {
                let mut x = area.x;
                for (slot, w) in slots.iter().zip(split(&widths, area.w)) {
                    let h = slot.height(w, false, narrow).within(area.h);
                    let y = area.y + (area.h - h) / 2.0;
                    slot.place(Rect::new(x, y, w, h), narrow, placed);
                    x += w;
                }
            } else {
                let widths: Vec<f32> = widths.iter().map(|width| width.within(area.w)).collect();
                let heights = slots.iter().zip(&widths);
                let heights: Vec<Span> = heights
                    .map(|(slot, w)| slot.height(*w, true, narrow))
                    .collect();
                let mut y = area.y;
                for ((slot, w), h) in slots.iter().zip(widths).zip(split(&heights, area.h)) {
                    slot.place(Rect::new(area.x, y, w, h), narrow, placed);
                    y += h;
                }
            }
            return;
        }
        match self {
            Slot::Part(id, _) => placed.put(*id, area),
            Slot::Grid {
                of,
                n,
                cell,
                gap,
                columns: range,
                ..
            } => {
                let columns = columns(*cell, gap.0, *range, area.w);
                let rows = n.div_ceil(columns).max(1);
                let across = (area.w + gap.0) / columns as f32 - gap.0;
                let down = (area.h + gap.1) / rows as f32 - gap.1;
                placed.put(*of, area);
                placed.grids.push(Cells {
                    of: *of,
                    columns,
                    cell: (cell.w.within(across), cell.h.within(down)),
                    gap: *gap,
                });
            }
            Slot::Around {
                of,
                head,
                foot,
                side,
                inner,
            } => {
                let w = area.w - 2.0 * side;
                let heights = [*head, inner.height(w, true, narrow), *foot];
                let heights = split(&heights, area.h);
                placed.put(*of, area);
                let inside = Rect::new(area.x + side, area.y + heights[0], w, heights[1]);
                inner.place(inside, narrow, placed);
            }
            _ => {}
        }
    }
}

/// How many columns of a grid fit.
fn columns(cell: Size, gap: f32, range: (u16, u16), w: f32) -> usize {
    let fewest = usize::from(range.0.max(1));
    // A hair of width lost in rounding must not cost a column.
    let fit = (w + gap + 0.01) / (cell.w.least + gap).max(1.0);
    (fit as usize).clamp(fewest, usize::from(range.1).max(fewest))
}

/// Gives every part of a description its place and the scene its height: as high as is best, or as `scene.room` has
/// room for, but never lower than the least heights.
pub fn lay(scene: &mut Scene, root: &Slot) -> Placed {
    let narrow = scene.narrow();
    let w = scene.width - 2.0 * MARGIN;
    let height = root.height(w, true, narrow);
    let h = match scene.room {
        Some(room) => (room - 2.0 * BRIM).min(height.best).max(height.least),
        None => height.best,
    };
    let mut placed = Placed::default();
    root.place(Rect::new(MARGIN, BRIM, w, h), narrow, &mut placed);
    scene.height = h + 2.0 * BRIM;
    placed
}

/// The cells of a grid.
#[derive(Clone, Debug)]
struct Cells {
    of: PartId,
    columns: usize,
    cell: (f32, f32),
    gap: (f32, f32),
}

/// Where everything stands.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    parts: Vec<(PartId, Rect)>,
    grids: Vec<Cells>,
}

impl Placed {
    /// The place of a part; without area for one that was not in the description.
    pub fn of(&self, part: PartId) -> Rect {
        let found = self.parts.iter().find(|(id, _)| *id == part);
        found.map(|(_, rect)| *rect).unwrap_or_default()
    }

    /// Puts a part somewhere else, or one more somewhere.
    pub fn put(&mut self, part: PartId, rect: Rect) {
        match self.parts.iter_mut().find(|(id, _)| *id == part) {
            Some((_, old)) => *old = rect,
            None => self.parts.push((part, rect)),
        }
    }

    /// The cell of a grid, counted from 0, row by row; without area where there is no such grid. Cells beyond the last
    /// one lie in further rows.
    pub fn cell(&self, of: PartId, place: usize) -> Rect {
        let Some(cells) = self.grids.iter().find(|cells| cells.of == of) else {
            return Rect::default();
        };
        let area = self.of(of);
        let (column, row) = (place % cells.columns, place / cells.columns);
        Rect::new(
            area.x + column as f32 * (cells.cell.0 + cells.gap.0),
            area.y + row as f32 * (cells.cell.1 + cells.gap.1),
            cells.cell.0,
            cells.cell.1,
        )
    }

    /// How many columns a grid has; 0 for none.
    pub fn columns(&self, of: PartId) -> usize {
        let cells = self.grids.iter().find(|cells| cells.of == of);
        cells.map_or(0, |cells| cells.columns)
    }

    /// The way between two parts, from the sides that face each other: straight where both share a height or a breadth,
    /// else an S.
    pub fn way(&self, from: PartId, to: PartId) -> Way {
        Way::between(self.of(from), self.of(to))
    }
}

/// Which way a thing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// From the first end to the second.
    There,
    /// From the second to the first, in a lane of its own.
    Back,
}

/// A link that things travel along at constant speed, there and back.
#[derive(Clone, Debug)]
pub struct Way {
    legs: Vec<Curve>,
    /// How far to the right of its middle, as seen going there, things travel there and back.
    lanes: (f32, f32),
}

impl Way {
    fn of(legs: Vec<Curve>) -> Way {
        Way {
            legs,
            lanes: (0.0, LANE),
        }
    }

    /// A straight way.
    pub fn straight(from: Point, to: Point) -> Way {
        Way::of(vec![Curve::straight(from, to)])
    }

    /// From one rectangle to another, from the sides that face each other.
    pub fn between(a: Rect, b: Rect) -> Way {
        // The middle of what two stretches share, if that is enough to stand on.
        let shared = |a: (f32, f32), b: (f32, f32)| {
            let (from, to) = (a.0.max(b.0), (a.0 + a.1).min(b.0 + b.1));
            (to - from > 2.0 * LANE).then_some(f32::midpoint(from, to))
        };
        let beside = b.x >= a.x + a.w || a.x >= b.x + b.w;
        if beside {
            let (from, to) = if b.x >= a.x + a.w {
                (a.right(), b.left())
            } else {
                (a.left(), b.right())
            };
            match shared((a.y, a.h), (b.y, b.h)) {
                Some(y) => Way::straight(pt(from.x, y), pt(to.x, y)),
                None => Way::of(vec![Curve::across(from, to)]),
            }
        } else {
            let (from, to) = if b.y >= a.y {
                (a.bottom(), b.top())
            } else {
                (a.top(), b.bottom())
            };
            match shared((a.x, a.w), (b.x, b.w)) {
                Some(x) => Way::straight(pt(x, from.y), pt(x, to.y)),
                None => Way::of(vec![Curve::down(from, to)]),
            }
        }
    }

    /// The way through these points; inner corners are rounded with this radius, or less where a run is short.
    pub fn through(points: &[Point], bend: f32) -> Way {
        let toward = |corner: Point, other: Point| {
            let (dx, dy) = (other.x - corner.x, other.y - corner.y);
            let length = (dx * dx + dy * dy).sqrt().max(f32::MIN_POSITIVE);
            let share = (bend / length).min(0.5);
            pt(corner.x + dx * share, corner.y + dy * share)
        };
        let mut legs = Vec::new();
        let mut from = points.first().copied().unwrap_or_default();
        for (i, point) in points.iter().enumerate().skip(1) {
            match points.get(i + 1) {
                Some(next) => {
                    let (before, after) = (toward(*point, points[i - 1]), toward(*point, *next));
                    legs.push(Curve::straight(from, before));
                    legs.push(Curve::cubic(before, *point, *point, after));
                    from = after;
                }
                None => legs.push(Curve::straight(from, *point)),
            }
        }
        Way::of(legs)
    }

    /// A branch of a trunk: level from `from` to the upright trunk at `trunk`, along it, and level on to `to`.
    pub fn branch(from: Point, trunk: f32, to: Point) -> Way {
        Way::through(&[from, pt(trunk, from.y), pt(trunk, to.y), to], BEND)
    }

    /// The same way with other lanes: so many units to the right of its middle, as seen going there.
    #[must_use]
    pub fn lanes(self, there: f32, back: f32) -> Way {
        let lanes = (there, back);
        Way { lanes, ..self }
    }

    /// Its length.
    pub fn length(&self) -> f32 {
        self.legs.iter().map(Curve::length).sum()
    }

    /// Where a thing is that has gone a share, from 0 to 1, of its course.
    pub fn at(&self, share: f32, course: Course) -> Point {
        let (share, lane) = match course {
            Course::There => (share, self.lanes.0),
            Course::Back => (1.0 - share, self.lanes.1),
        };
        let p = self.middle(share);
        if lane == 0.0 {
            return p;
        }
        // The direction of the way around this point, over a stretch short enough for every bend.
        let near = 2.0 / self.length().max(4.0);
        let (a, b) = (self.middle(share - near), self.middle(share + near));
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let length = (dx * dx + dy * dy).sqrt();
        if length <= f32::MIN_POSITIVE {
            return p;
        }
        pt(p.x - dy / length * lane, p.y + dx / length * lane)
    }

    fn middle(&self, share: f32) -> Point {
        let mut left = share.clamp(0.0, 1.0) * self.length();
        for leg in &self.legs {
            if left <= leg.length() {
                return leg.at(left / leg.length().max(f32::MIN_POSITIVE));
            }
            left -= leg.length();
        }
        self.legs.last().map_or(Point::default(), |leg| leg.at(1.0))
    }

    /// Its path data.
    pub fn d(&self) -> String {
        self.legs.iter().map(Curve::d).collect()
    }

    /// The rectangle that holds its middle.
    pub fn frame(&self) -> Rect {
        let frames = self.legs.iter().map(Curve::frame);
        frames.reduce(around).unwrap_or_default()
    }
}

/// The smallest rectangle around two.
pub fn around(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let right = (a.x + a.w).max(b.x + b.w);
    let bottom = (a.y + a.h).max(b.y + b.h);
    Rect::new(x, y, right - x, bottom - y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    const A: PartId = PartId::one("a");
    const B: PartId = PartId::one("b");
    const CELLS: PartId = PartId::one("cells");
    const CHART: PartId = PartId::one("chart");

    fn stage() -> Slot {
        Slot::Column(vec![
            Slot::Spine(vec![
                part(A, (80.0, 120.0), (44.0, 72.0)),
                space(Span {
                    grow: 1.0,
                    ..(20.0, 60.0).into()
                }),
                Slot::Around {
                    of: B,
                    head: (30.0, 60.0).into(),
                    foot: 10.0.into(),
                    side: 10.0,
                    inner: Box::new(Slot::Grid {
                        of: CELLS,
                        n: 12,
                        cell: Size {
                            w: (40.0, 60.0).into(),
                            h: (30.0, 50.0).into(),
                        },
                        gap: (6.0, 6.0),
                        columns: (3, 6),
                    }),
                },
            ]),
            space((8.0, 30.0)),
            part(CHART, Span::rest(200.0, 1.0), (50.0, 90.0)),
        ])
    }

    fn laid(width: f32, room: Option<f32>) -> (Scene, Placed) {
        let mut scene = Scene::new(width, Rc::default());
        scene.room = room;
        let placed = lay(&mut scene, &stage());
        (scene, placed)
    }

    #[test]
    fn nothing_overlaps_or_leaves_the_scene_at_any_width_or_height() {
        for width in [288.0, 320.0, 366.0, 436.0, 559.0, 560.0, 700.0, 1000.0] {
            for room in [None, Some(400.0), Some(300.0), Some(100.0)] {
                let (mut scene, placed) = laid(width, room);
                for id in [A, B, CHART] {
                    scene.thing(id, placed.of(id), "x".into());
                    assert!(placed.of(id).w > 0.0);
                }
                let faults = scene.faults();
                let faults: Vec<_> = faults.iter().filter(|f| !f.contains("no name")).collect();
                assert!(faults.is_empty(), "{width} {room:?}: {faults:?}");
                let grid = placed.of(CELLS);
                let mut before: Vec<Rect> = Vec::new();
                for i in 0..12 {
                    let cell = placed.cell(CELLS, i);
                    assert!(grid.holds(&cell) && placed.of(B).holds(&cell));
                    assert!(cell.w >= 40.0 && cell.h >= 30.0);
                    assert!(before.iter().all(|other| !other.overlaps(&cell)));
                    before.push(cell);
                }
            }
        }
    }

    #[test]
    fn a_spine_turns_and_what_is_beside_a_grid_stands_in_the_middle() {
        let (_, wide) = laid(884.0, None);
        assert!(wide.of(B).x > wide.of(A).x + wide.of(A).w);
        assert_eq!(wide.of(A).centre().y, wide.of(B).centre().y);
        let (_, narrow) = laid(366.0, None);
        assert!(narrow.of(B).y > narrow.of(A).y + narrow.of(A).h);
        assert_eq!(narrow.of(A).x, narrow.of(B).x);
    }

    #[test]
    fn where_height_is_scarce_all_give_way_and_no_more_than_they_can() {
        let (best, placed) = laid(884.0, None);
        assert_eq!(placed.of(CHART).h, 90.0);
        let (tight, placed) = laid(884.0, Some(best.height - 40.0));
        assert_eq!(tight.height, best.height - 40.0);
        assert!(placed.of(CHART).h < 90.0 && placed.of(CHART).h > 50.0);
        let (least, placed) = laid(884.0, Some(10.0));
        assert!(least.height > 10.0);
        assert_eq!(placed.of(CHART).h, 50.0);
        let (roomy, _) = laid(884.0, Some(2_000.0));
        assert_eq!(roomy.height, best.height, "room is a bound, not a wish");
    }

    #[test]
    fn a_part_can_be_put_and_an_unknown_one_has_no_area() {
        let (_, mut placed) = laid(884.0, None);
        let rect = Rect::new(1.0, 2.0, 3.0, 4.0);
        placed.put(A, rect);
        assert_eq!(placed.of(A), rect);
        assert_eq!(placed.of(PartId::one("z")), Rect::default());
        assert_eq!(placed.cell(A, 3), Rect::default());
        assert_eq!((placed.columns(CELLS), placed.columns(A)), (6, 0));
    }

    #[test]
    fn ways_are_straight_where_they_can_be() {
        let card = |x: f32, y: f32| Rect::new(x, y, 100.0, 60.0);
        let level = Way::between(card(0.0, 0.0), card(200.0, 10.0));
        assert_eq!((level.length(), level.frame().h), (100.0, 0.0));
        let s = Way::between(card(0.0, 0.0), card(200.0, 200.0));
        assert_eq!(s.at(0.0, Course::There), pt(100.0, 30.0));
        assert_eq!(s.at(1.0, Course::There), pt(200.0, 230.0));
        let up = Way::between(card(0.0, 200.0), card(10.0, 0.0));
        assert_eq!((up.length(), up.frame().w), (140.0, 0.0));
        let left = Way::between(card(200.0, 0.0), card(0.0, 0.0));
        assert_eq!(left.at(0.0, Course::There), pt(200.0, 30.0));
    }

    #[test]
    fn there_and_back_keep_apart_around_every_corner() {
        let ways = [
            Way::straight(pt(0.0, 0.0), pt(200.0, 0.0)),
            Way::branch(pt(0.0, 0.0), 60.0, pt(200.0, 90.0)),
            Way::through(
                &[pt(0.0, 0.0), pt(0.0, 80.0), pt(300.0, 80.0), pt(300.0, 0.0)],
                BEND,
            ),
        ];
        for way in ways {
            for i in 0..=40 {
                let share = i as f32 / 40.0;
                let (p, q) = (
                    way.at(share, Course::There),
                    way.at(1.0 - share, Course::Back),
                );
                let apart = libm::hypotf(p.x - q.x, p.y - q.y);
                assert!((apart - LANE).abs() < 0.01, "{apart} at {share}");
            }
            let step = |i: usize| {
                let (a, b) = (
                    way.at(i as f32 / 50.0, Course::There),
                    way.at((i + 1) as f32 / 50.0, Course::There),
                );
                libm::hypotf(a.x - b.x, a.y - b.y)
            };
            let mean = way.length() / 50.0;
            for i in 0..50 {
                assert!(step(i) < 1.06 * mean, "step {i} is {} of {mean}", step(i));
            }
        }
    }

    #[test]
    fn lanes_lie_to_the_right_of_the_direction() {
        let way = Way::straight(pt(0.0, 0.0), pt(100.0, 0.0)).lanes(-4.0, 4.0);
        assert_eq!(way.at(0.5, Course::There), pt(50.0, -4.0));
        assert_eq!(way.at(0.25, Course::Back), pt(75.0, 4.0));
        assert_eq!(
            Way::through(&[], BEND).at(0.5, Course::Back),
            Point::default()
        );
    }
}
