//! The map: where regions, edges and the origin stand, and the ways between them, as long as their round trips.

use super::model::{Delivery, Viewer, region};
use super::settings::{EDGES, Protection, REGIONS};
use engine::scene::{Point, Rect, pt};
use kit::layout::Way;

/// Free units at the left and right edge.
const MARGIN: f32 = 12.0;
/// Bends of the long ways.
const BEND: f32 = 10.0;
/// From one long way to the next.
const LANE: f32 = 26.0;

/// Where everything stands. A way is seen from the origin: "along" leads away from it, "across" to the lanes of the long ways.
pub(super) struct Map {
    narrow: bool,
    /// The edges of each region together, and its viewers, who stand in their place while there is none.
    pub(super) sites: [Rect; REGIONS],
    pub(super) crowds: [Rect; REGIONS],
    pub(super) strips: [Rect; REGIONS],
    pub(super) origin: Rect,
    pub(super) shield: Option<Rect>,
    /// Which region has edges.
    has: [bool; REGIONS],
    /// Units for a millisecond of a round trip.
    pub(super) per_ms: f32,
    /// From the place of each region's edges to the origin, or the shield before it.
    pub(super) long: [Way; REGIONS],
    /// From its viewers to its edges.
    pub(super) short: [Way; REGIONS],
    pub(super) height: f32,
}

impl Map {
    /// Lays the map out for a stage of this width.
    pub(super) fn lay(delivery: &Delivery, width: f32, narrow: bool) -> Map {
        let knobs = &delivery.knobs;
        let home = knobs.at();
        let has = [0, 1, 2, 3].map(|i| i < delivery.count());
        let shield = knobs.protection == Protection::Shield && delivery.count() > 0;
        let inner = width - 2.0 * MARGIN;
        let trips = [0, 1, 2, 3].map(|i| knobs.to_origin(i).as_ms() as f32);
        let mut map = Map {
            narrow,
            sites: [Rect::default(); REGIONS],
            crowds: [Rect::default(); REGIONS],
            strips: [Rect::default(); REGIONS],
            origin: Rect::default(),
            shield: None,
            has,
            per_ms: 1.0,
            long: [(); REGIONS].map(|()| Way::straight(pt(0.0, 0.0), pt(0.0, 0.0))),
            short: [(); REGIONS].map(|()| Way::straight(pt(0.0, 0.0), pt(0.0, 0.0))),
            height: 0.0,
        };
        let trip = f32::from(knobs.trip as u16);
        if narrow {
            map.origin = Rect::new(MARGIN, 8.0, inner, 84.0);
            let (strip, crowd, gutter) = (0.23 * inner, 0.2 * inner, 42.0);
            // Rows from the origin down; its own region is the first.
            let row = |i: usize| if home == 0 { i } else { REGIONS - 1 - i } as f32;
            let pitch = 68.0;
            let far: f32 = (3.0 * pitch + 110.0) / 200.0;
            let gap = (10.0 * far).max(20.0);
            let link = (far * trip).clamp(12.0, 30.0);
            map.per_ms = far;
            for (i, has) in has.into_iter().enumerate() {
                let y = map.origin.y + map.origin.h + gap + pitch * row(i);
                let x = MARGIN + strip + 6.0;
                map.strips[i] = Rect::new(MARGIN, y, strip, 58.0);
                map.crowds[i] = Rect::new(x, y, crowd, 58.0);
                let x = x + crowd + link;
                map.sites[i] = Rect::new(x, y, width - MARGIN - gutter - x, 58.0);
                if !has {
                    map.crowds[i].w = map.sites[i].x + map.sites[i].w - map.crowds[i].x;
                }
            }
            map.height = map.origin.y + map.origin.h + gap + 3.0 * pitch + 66.0;
        } else {
            let pitch = (inner + 14.0) / REGIONS as f32;
            let column = |i: usize| Rect::new(MARGIN + pitch * i as f32, 0.0, pitch - 14.0, 0.0);
            let own = column(home);
            map.origin = Rect::new(own.x, 8.0, own.w, 90.0);
            // The region that is farthest on the map for its trip has the straightest way; the others have hooks.
            for (i, trip) in trips.into_iter().enumerate() {
                let across = pitch * i.abs_diff(home) as f32 - own.w / 2.0 + 110.0;
                map.per_ms = map.per_ms.max(across / trip.max(20.0));
            }
            let gap = (10.0 * map.per_ms).clamp(24.0, 40.0);
            let link = (map.per_ms * trip).clamp(14.0, 60.0);
            let top = map.origin.y + map.origin.h + gap;
            for (i, has) in has.into_iter().enumerate() {
                let column = column(i);
                let w = column.w.min(156.0);
                let x = column.centre().x - w / 2.0;
                map.sites[i] = Rect::new(x, top, w, 62.0);
                let below = if has { top + 62.0 + link } else { top };
                map.crowds[i] = Rect::new(x, below, w, 34.0);
                map.strips[i] = Rect::new(column.x, top + 62.0 + link + 40.0, column.w, 74.0);
                if delivery.count() == 0 {
                    map.strips[i].y = top + 44.0;
                }
            }
            map.height = map.strips[0].y + 82.0;
        }
        if shield {
            let o = &mut map.origin;
            let w = if narrow { 96.0 } else { 74.0 };
            o.w -= w + 10.0;
            let beside = if home == 0 || narrow {
                o.x + o.w + 10.0
            } else {
                o.x
            };
            map.shield = Some(Rect::new(beside, o.y, w, o.h));
            if beside == o.x {
                o.x += w + 10.0;
            }
        }
        for (i, trip) in trips.into_iter().enumerate() {
            map.long[i] = map.to_origin(i, home, trip);
            let (crowd, site) = (map.crowds[i], map.sites[i]);
            map.short[i] = if narrow {
                Way::straight(crowd.right(), site.left()).lanes(0.0, 0.0)
            } else {
                Way::straight(crowd.top(), site.bottom()).lanes(0.0, 0.0)
            };
        }
        map
    }

    /// Free units between two neighbouring regions on a wide stage.
    pub(super) fn between(&self) -> f32 {
        self.sites[1].x - self.sites[0].x - self.sites[0].w
    }

    /// The point so far along and across.
    fn point(&self, along: f32, across: f32) -> Point {
        if self.narrow {
            pt(across, along)
        } else {
            pt(along, across)
        }
    }

    /// Which lane the long way of a region has, the nearest to the origin innermost; along and across of the way's beginning.
    fn lane(&self, i: usize, home: usize) -> (f32, f32, f32) {
        let from = if self.has[i] {
            self.sites[i]
        } else {
            self.crowds[i]
        };
        let nearer = i.abs_diff(home).max(1) as f32 - 1.0;
        if self.narrow {
            let start = from.right();
            let outer = self.sites[i].x + self.sites[i].w + 10.0;
            (start.y, start.x, outer + 14.0 * nearer)
        } else {
            let start = from.top();
            (
                start.x,
                start.y,
                self.origin.y + 14.0 + LANE * (2.0 - nearer),
            )
        }
    }

    /// The way of a region to the origin. One that would be shorter than its round trip first leads away from it.
    fn to_origin(&self, i: usize, home: usize, trip_ms: f32) -> Way {
        let door = self.shield.unwrap_or(self.origin);
        let from = if self.has[i] {
            self.sites[i]
        } else {
            self.crowds[i]
        };
        if i == home {
            let low = if self.narrow {
                from.x + 0.75 * from.w
            } else {
                from.centre().x
            };
            let x = low.clamp(door.x + 12.0, door.x + door.w - 12.0);
            return Way::straight(pt(x, from.y), pt(x, door.y + door.h)).lanes(-4.0, -4.0);
        }
        let end = match (self.narrow, i > home) {
            (true, _) => door.y + door.h,
            (false, true) => door.x + door.w,
            (false, false) => door.x,
        };
        self.hooked(self.lane(i, home), end, trip_ms)
    }

    /// From the beginning across to its lane and along it to the end, with a hook away from the end as deep as the length needs.
    fn hooked(&self, (along, from, lane): (f32, f32, f32), end: f32, trip_ms: f32) -> Way {
        let away = if along > end { 1.0 } else { -1.0 };
        let plain = (along - end).abs() + (lane - from).abs();
        let depth = ((trip_ms * self.per_ms - plain) / 2.0).max(0.0);
        let out = from + (lane - from).signum() * if self.narrow { 6.0 } else { 15.0 };
        let mut points = vec![self.point(along, from)];
        if depth > 4.0 {
            points.push(self.point(along, out));
            points.push(self.point(along + away * depth, out));
            points.push(self.point(along + away * depth, lane));
        } else {
            points.push(self.point(along, lane));
        }
        points.push(self.point(end, lane));
        Way::through(&points, BEND).lanes(-4.0, -4.0)
    }

    /// The way of a region's viewers to the edges of another.
    pub(super) fn abroad(&self, from: usize, to: usize, trip_ms: f32) -> Way {
        let (crowd, site) = (self.crowds[from], self.sites[to]);
        let back = from > to;
        if self.narrow {
            // Down the outermost track of the gutter and in again.
            let track = site.x + site.w + 5.0 + 4.0 * from as f32;
            let start = if self.has[from] {
                vec![
                    crowd.bottom(),
                    pt(crowd.bottom().x, crowd.y + crowd.h + 5.0),
                    pt(track, crowd.y + crowd.h + 5.0),
                ]
            } else {
                vec![crowd.right(), pt(track, crowd.right().y)]
            };
            let end = [pt(track, site.right().y), site.right()];
            return Way::through(&[&start[..], &end].concat(), 4.0).lanes(-3.0, -3.0);
        }
        let side = |rect: Rect, right: bool| if right { rect.right() } else { rect.left() };
        let sign = if back { 1.0 } else { -1.0 };
        let end = side(site, back);
        let step = (self.between() / 6.0).min(10.0);
        let turns = if self.has[from] { 1 } else { from.max(1) };
        let last = end.x + sign * step * turns as f32;
        let (start, first) = if self.has[from] {
            let start = side(crowd, !back);
            (start, start.x - sign * step)
        } else {
            (crowd.top(), crowd.top().x)
        };
        let low = self.sites[from].y - 8.0;
        let plain = (start.x - end.x).abs() + (start.y - low) + (end.y - low);
        let rise = ((trip_ms * self.per_ms - plain) / 2.0)
            .clamp(0.0, (low - self.origin.y - 52.0).max(0.0));
        let lane = low - rise;
        Way::through(
            &[
                start,
                pt(first, start.y),
                pt(first, lane),
                pt(last, lane),
                pt(last, end.y),
                end,
            ],
            6.0,
        )
        .lanes(-4.0, -4.0)
    }

    /// The way that a viewer's request takes: to the next edge, to another region's, or to the origin.
    pub(super) fn way(&self, delivery: &Delivery, viewer: &Viewer) -> Way {
        match viewer.edge {
            None => self.long[viewer.of].clone(),
            Some((at, _)) if region(at) == viewer.of => self.short[viewer.of].clone(),
            Some((at, _)) => {
                self.abroad(viewer.of, region(at), delivery.trip(viewer).as_ms() as f32)
            }
        }
    }

    /// The place of an edge: all of its region's, or a half where there are two.
    pub(super) fn edge(&self, at: usize, count: usize) -> Rect {
        let site = self.sites[region(at)];
        let second = at / REGIONS;
        match (count == EDGES, self.narrow) {
            (false, _) => site,
            (true, true) => {
                let h = site.h / 2.0 - 1.0;
                Rect::new(site.x, site.y + (h + 2.0) * second as f32, site.w, h)
            }
            (true, false) => {
                let w = site.w / 2.0 - 2.0;
                Rect::new(site.x + (w + 4.0) * second as f32, site.y, w, site.h)
            }
        }
    }
}
