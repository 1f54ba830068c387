//! Where everything stands: two streets with pods on both sides, lanes from left to right where it is wide.

use super::model::{CHART, DEPLOYMENT, NODES, SERVICE, USERS, node_part, street_part};
use super::pods::{Lane, Place};
use engine::Scene;
use engine::scene::{Point, Rect, pt};
use kit::layout::{Placed, Slot, Span, Way, lay, part, space};

/// Stages narrower than this have streets without lanes.
const LANES_MIN: f32 = 740.0;
/// Height of the road between two rows of pods.
pub(super) const CHANNEL: f32 = 22.0;
/// How far from the middle of its way a thing travels: requests on one side, answers on the other.
pub(super) const SIDE: f32 = 5.5;
/// Height of the label above a street.
const LABEL: f32 = 18.0;
const GAP: f32 = 6.0;
/// Extra distance between lanes.
const LANE_GAP: f32 = 14.0;
/// Columns of a street with lanes.
const COLUMNS: usize = 9;
/// Radius of the corners of roads.
const CORNER: f32 = 8.0;

/// Where everything stands.
pub(super) struct Layout {
    pub(super) placed: Placed,
    /// Whether the parts of a pod's life are lanes.
    pub(super) lanes: bool,
    pub(super) door: Way,
    streets: [Rect; 2],
    pitch: f32,
    columns: [usize; 3],
    /// The upright road from the Service to the streets, where it begins, and where the streets end.
    spine: f32,
    exit: Point,
    end: f32,
}

impl Layout {
    pub(super) fn of(scene: &mut Scene, replicas: u32) -> Layout {
        let lanes = scene.width >= LANES_MIN;
        let wide = |least: f32| Span::rest(least, 1.0);
        let nodes = |w: Span, h: (f32, f32)| {
            let cards = (0..NODES).flat_map(|i| [space(GAP), part(node_part(i), w, h)]);
            cards.skip(1).collect()
        };
        let streets = |gap: f32| {
            let street = |i| part(street_part(i), wide(200.0), (97.0, 130.0));
            Slot::Column(vec![street(0), space((2.0, gap)), street(1)])
        };
        let chart = part(CHART, wide(200.0), (38.0, 86.0));
        let gap = || space((2.0, 10.0));
        let stage = if lanes {
            let node = if scene.width >= 800.0 { 84.0 } else { 74.0 };
            let card = (46.0, 54.0);
            let head = vec![
                part(DEPLOYMENT, wide(200.0), card),
                space(12.0),
                Slot::Row(nodes(node.into(), card)),
            ];
            Slot::Row(vec![
                Slot::Column(vec![
                    part(USERS, 112.0, 54.0),
                    space(wide(20.0)),
                    part(SERVICE, 112.0, 80.0),
                    space(Span::rest(20.0, 1.7)),
                ]),
                space(34.0),
                Slot::Column(vec![Slot::Row(head), gap(), streets(8.0), gap(), chart]),
            ])
        } else {
            let ends = vec![
                part(USERS, 112.0, 54.0),
                space(wide(40.0)),
                part(SERVICE, (112.0, 170.0), 54.0),
            ];
            Slot::Column(vec![
                part(DEPLOYMENT, wide(200.0), 54.0),
                gap(),
                Slot::Row(ends),
                gap(),
                Slot::Row(vec![streets(10.0), space(26.0)]),
                gap(),
                chart,
                gap(),
                Slot::Row(nodes(wide(60.0), (40.0, 46.0))),
            ])
        };
        let placed = lay(scene, &stage);
        let streets = [0, 1].map(|i| placed.of(street_part(i)));
        let service = placed.of(SERVICE);
        let (left, right) = (streets[0].x, streets[0].x + streets[0].w);
        let (pitch, columns, spine, exit, end) = if lanes {
            let ready = (replicas as usize).div_ceil(2).clamp(3, 4);
            let pitch = (streets[0].w + GAP - 2.0 * LANE_GAP) / COLUMNS as f32;
            let columns = [3, ready, COLUMNS - 3 - ready];
            (pitch, columns, left - 17.0, service.right(), right)
        } else {
            // Eight columns hold all pods of a street; more would only make the cards small.
            let columns = ((streets[0].w + GAP) / 60.0).floor().clamp(1.0, 8.0);
            let spine = right + 16.0;
            let exit = pt(spine, service.y + service.h);
            let pitch = (streets[0].w + GAP) / columns;
            (pitch, [columns as usize, 0, 0], spine, exit, left)
        };
        Layout {
            door: placed.way(USERS, SERVICE).lanes(-SIDE, SIDE),
            placed,
            lanes,
            streets,
            pitch,
            columns,
            spine,
            exit,
            end,
        }
    }

    fn lane(lane: Lane) -> usize {
        match lane {
            Lane::Coming => 0,
            Lane::Ready => 1,
            Lane::Going => 2,
        }
    }

    /// The line above a street.
    pub(super) fn label(&self, street: usize) -> Rect {
        let h = LABEL - 2.0;
        Rect {
            h,
            ..self.streets[street % 2]
        }
    }

    /// Column (from 0) and row (0 above the road, 1 below) of a place, if there is one for it.
    fn cell(&self, place: &Place) -> Option<(usize, usize)> {
        let (lane, seat) = if self.lanes {
            (Layout::lane(place.lane), usize::from(place.seat))
        } else {
            (0, usize::from(place.home))
        };
        let before: usize = self.columns[..lane].iter().sum();
        (seat < 2 * self.columns[lane]).then_some((before + seat / 2, seat % 2))
    }

    /// Height of a pod's card.
    fn pod(&self) -> f32 {
        (self.streets[0].h - LABEL - CHANNEL) / 2.0
    }

    fn rect(&self, street: u8, (column, row): (usize, usize)) -> Rect {
        let area = self.streets[usize::from(street) % 2];
        let pod = self.pod();
        let y = area.y + LABEL + row as f32 * (pod + CHANNEL);
        Rect::new(self.x(column), y, self.pitch - GAP, pod)
    }

    /// The left edge of a column; the lanes before it push it to the right.
    fn x(&self, column: usize) -> f32 {
        let [coming, ready, _] = self.columns;
        let before = usize::from(column >= coming) + usize::from(column >= coming + ready);
        let push = if self.lanes {
            before as f32 * LANE_GAP
        } else {
            0.0
        };
        self.streets[0].x + column as f32 * self.pitch + push
    }

    /// The card of a pod, if there is room for it.
    pub(super) fn seat(&self, place: &Place) -> Option<Rect> {
        self.cell(place).map(|cell| self.rect(place.street, cell))
    }

    /// The card of a pod, or the last one of its lane.
    pub(super) fn spot(&self, place: &Place) -> Rect {
        let lane = if self.lanes {
            Layout::lane(place.lane)
        } else {
            0
        };
        let upto: usize = self.columns[..=lane].iter().sum();
        let last = (upto.saturating_sub(1), 1);
        self.rect(place.street, self.cell(place).unwrap_or(last))
    }

    /// The ground under the ready pods of a street, where it has lanes.
    pub(super) fn ready_zone(&self, street: usize) -> Option<Rect> {
        let x = self.heading_x(Lane::Ready)?;
        let w = self.columns[1] as f32 * self.pitch - GAP;
        let area = self.streets[street % 2];
        Some(Rect::new(x - 7.0, area.y - 2.0, w + 14.0, area.h + 5.0))
    }

    /// Where the heading of a lane begins.
    pub(super) fn heading_x(&self, lane: Lane) -> Option<f32> {
        let before: usize = self.columns[..Layout::lane(lane)].iter().sum();
        self.lanes.then(|| self.x(before))
    }

    /// The middle of a street's road.
    fn road_y(&self, street: usize) -> f32 {
        self.streets[street % 2].y + LABEL + self.pod() + CHANNEL / 2.0
    }

    fn trunk(&self, y: f32, further: &[Point]) -> Way {
        let start = [self.exit, pt(self.spine, self.exit.y), pt(self.spine, y)];
        Way::through(&[&start, further].concat(), CORNER)
    }

    /// The way of a request from the Service to a card around `target`.
    pub(super) fn way(&self, street: u8, target: Point) -> Way {
        let y = self.road_y(usize::from(street));
        // Things travel beside the middle of their way, so they stop short of the card's edge.
        let reach = CHANNEL / 2.0 - 5.0;
        let edge = if target.y < y { y - reach } else { y + reach };
        let last = [pt(target.x, y), pt(target.x, edge)];
        self.trunk(y, &last).lanes(-SIDE, SIDE)
    }

    /// The road from the Service along a street, as far as new requests take it.
    pub(super) fn road(&self, street: usize) -> Way {
        let zone = self.ready_zone(street);
        let end = zone.map_or(self.end, |zone| zone.x + zone.w);
        let y = self.road_y(street);
        self.trunk(y, &[pt(end, y)])
    }

    /// The part of a street's road that only answers of stopping pods take: from the last ready pod on.
    pub(super) fn exit_road(&self, street: usize) -> Option<Way> {
        let (zone, y) = (self.ready_zone(street)?, self.road_y(street));
        Some(Way::straight(pt(zone.x + zone.w, y), pt(self.end, y)))
    }

    /// The rectangle around a street's road.
    pub(super) fn road_frame(&self, street: usize) -> Rect {
        let y = self.road_y(street);
        let (a, b) = (self.spine.min(self.end), self.spine.max(self.end));
        Rect::new(a, y - CHANNEL / 2.0, b - a, CHANNEL)
    }
}
