//! Where everything stands: two streets with pods on both sides, lanes from left to right where it is wide.

use super::pods::{Lane, Place};
use engine::Scene;
use engine::scene::{Curve, Point, Rect, pt};
use engine::text::tenths;

/// Stages narrower than this have streets without lanes.
const LANES_MIN: f32 = 740.0;
/// Height of a pod's card, and of the road between two rows of them.
const POD: f32 = 45.0;
pub(super) const CHANNEL: f32 = 22.0;
/// Height of the label above a street.
const LABEL: f32 = 20.0;
const GAP: f32 = 6.0;
/// Extra distance between lanes.
const LANE_GAP: f32 = 14.0;
/// Columns of a street with lanes.
const COLUMNS: usize = 9;

/// Where everything stands.
pub(super) struct Layout {
    pub(super) height: f32,
    /// Whether the parts of a pod's life are lanes.
    pub(super) lanes: bool,
    pub(super) users: Rect,
    pub(super) service: Rect,
    pub(super) door: Curve,
    pub(super) deployment: Rect,
    pub(super) nodes: Vec<Rect>,
    pub(super) labels: [Rect; 2],
    pub(super) chart: Rect,
    /// Left edge of the pods, distance of two and how many stand beside each other.
    left: f32,
    pitch: f32,
    columns: [usize; 3],
    /// The upright road from the Service to the streets, and where the streets end.
    spine: f32,
    end: f32,
}

impl Layout {
    pub(super) fn of(scene: &Scene, replicas: u32) -> Layout {
        if scene.width >= LANES_MIN {
            Layout::wide(scene.width, replicas)
        } else {
            Layout::narrow(scene.width)
        }
    }

    fn wide(w: f32, replicas: u32) -> Layout {
        let (left, right, top) = (158.0, w - 12.0, 10.0);
        let users = Rect::new(12.0, top, 112.0, 54.0);
        let node_w = if w >= 800.0 { 84.0 } else { 74.0 };
        let nodes_x = right - 3.0 * node_w - 2.0 * GAP;
        let nodes = (0..3).map(|i| {
            let x = nodes_x + i as f32 * (node_w + GAP);
            Rect::new(x, top, node_w, 54.0)
        });
        let street = LABEL + 2.0 * POD + CHANNEL;
        let first = top + 54.0 + 8.0;
        let labels = [0.0, 1.0].map(|i| {
            let y = first + i * (street + 8.0);
            Rect::new(left, y, right - left, LABEL - 3.0)
        });
        let bottom = labels[1].y + street;
        let middle = f32::midpoint(labels[0].y, bottom);
        let service = Rect::new(12.0, middle - 40.0, 112.0, 80.0);
        let ready = (replicas as usize).div_ceil(2).clamp(3, 4);
        let chart = Rect::new(left, bottom + 8.0, right - left, 82.0);
        Layout {
            height: chart.y + chart.h + 10.0,
            lanes: true,
            // Dots end a little before the card, whose last line stands close to its edge.
            door: Curve::straight(pt(users.bottom().x, users.bottom().y + 6.0), service.top()),
            users,
            service,
            deployment: Rect::new(left, top, nodes_x - 12.0 - left, 54.0),
            nodes: nodes.collect(),
            labels,
            chart,
            left,
            pitch: (right - left + GAP - 2.0 * LANE_GAP) / COLUMNS as f32,
            columns: [3, ready, COLUMNS - 3 - ready],
            spine: left - 17.0,
            end: right,
        }
    }

    fn narrow(w: f32) -> Layout {
        let (left, right) = (12.0, w - 12.0);
        let deployment = Rect::new(left, 8.0, right - left, 54.0);
        let users = Rect::new(left, 72.0, 112.0, 54.0);
        let service_w = (w - 24.0 - 112.0 - 40.0).min(170.0);
        let service = Rect::new(right - service_w, 72.0, service_w, 54.0);
        let spine = w - 22.0;
        let pods_right = w - 38.0;
        // Eight columns hold all pods of a street; more would only make the cards small.
        let columns = ((pods_right - left + GAP) / 60.0).floor().clamp(1.0, 8.0) as usize;
        let street = LABEL + 2.0 * POD + CHANNEL;
        let labels = [0.0, 1.0].map(|i| {
            let y = 136.0 + i * (street + 10.0);
            Rect::new(left, y, pods_right - left, LABEL - 3.0)
        });
        let chart = Rect::new(left, labels[1].y + street + 10.0, right - left, 84.0);
        let node_w = (right - left - 2.0 * GAP) / 3.0;
        let nodes_y = chart.y + chart.h + 10.0;
        let nodes = (0..3).map(|i| {
            let x = left + i as f32 * (node_w + GAP);
            Rect::new(x, nodes_y, node_w, 46.0)
        });
        Layout {
            height: nodes_y + 46.0 + 10.0,
            lanes: false,
            door: Curve::straight(users.right(), service.left()),
            users,
            service,
            deployment,
            nodes: nodes.collect(),
            labels,
            chart,
            left,
            pitch: (pods_right - left + GAP) / columns as f32,
            columns: [columns, 0, 0],
            spine,
            end: left,
        }
    }

    fn lane(lane: Lane) -> usize {
        match lane {
            Lane::Coming => 0,
            Lane::Ready => 1,
            Lane::Going => 2,
        }
    }

    /// Column (from 0) and row (0 above the road, 1 below) of a place, if there is one for it.
    fn cell(&self, place: &Place) -> Option<(usize, usize)> {
        if !self.lanes {
            let seat = usize::from(place.home);
            return (seat < 2 * self.columns[0]).then_some((seat / 2, seat % 2));
        }
        let lane = Layout::lane(place.lane);
        let seat = usize::from(place.seat);
        let before: usize = self.columns[..lane].iter().sum();
        (seat < 2 * self.columns[lane]).then_some((before + seat / 2, seat % 2))
    }

    fn rect(&self, street: u8, (column, row): (usize, usize)) -> Rect {
        let label = self.labels[usize::from(street) % 2];
        let y = label.y + LABEL + row as f32 * (POD + CHANNEL);
        let x = self.left + column as f32 * self.pitch + self.lane_gap(column);
        Rect::new(x, y, self.pitch - GAP, POD)
    }

    /// How far the lanes before a column push it to the right.
    fn lane_gap(&self, column: usize) -> f32 {
        let [coming, ready, _] = self.columns;
        let before = usize::from(column >= coming) + usize::from(column >= coming + ready);
        if self.lanes {
            before as f32 * LANE_GAP
        } else {
            0.0
        }
    }

    /// The card of a pod, if there is room for it.
    pub(super) fn seat(&self, place: &Place) -> Option<Rect> {
        self.cell(place).map(|cell| self.rect(place.street, cell))
    }

    /// The card of a pod, or the last one of its lane.
    pub(super) fn spot(&self, place: &Place) -> Rect {
        let last = if self.lanes {
            let upto: usize = self.columns[..=Layout::lane(place.lane)].iter().sum();
            upto.saturating_sub(1)
        } else {
            self.columns[0] - 1
        };
        let cell = self.cell(place).unwrap_or((last, 1));
        self.rect(place.street, cell)
    }

    /// The ground under the ready pods of a street, where it has lanes.
    pub(super) fn ready_zone(&self, street: usize) -> Option<Rect> {
        let x = self.heading_x(Lane::Ready)?;
        let w = self.columns[1] as f32 * self.pitch - GAP;
        let y = self.labels[street].y;
        let h = LABEL + 2.0 * POD + CHANNEL;
        Some(Rect::new(x - 7.0, y - 2.0, w + 14.0, h + 7.0))
    }

    /// Where the heading of a lane begins.
    pub(super) fn heading_x(&self, lane: Lane) -> Option<f32> {
        let before: usize = self.columns[..Layout::lane(lane)].iter().sum();
        self.lanes
            .then_some(self.left + before as f32 * self.pitch + self.lane_gap(before))
    }

    /// Path data of the link between users and Service: from card to card, a little longer than the way of the dots.
    pub(super) fn doorway(&self) -> String {
        if self.lanes {
            Curve::straight(self.users.bottom(), self.service.top()).d()
        } else {
            self.door.d()
        }
    }

    /// The middle of a street's road.
    fn road_y(&self, street: usize) -> f32 {
        self.labels[street % 2].y + LABEL + POD + CHANNEL / 2.0
    }

    fn exit(&self) -> Point {
        if self.lanes {
            self.service.right()
        } else {
            pt(self.spine, self.service.y + self.service.h)
        }
    }

    /// The way of a request from the Service to a card around `target`.
    pub(super) fn way(&self, street: u8, target: Point) -> [Point; 5] {
        let y = self.road_y(usize::from(street));
        // Things travel beside the middle of their way, so they stop short of the card's edge.
        let reach = CHANNEL / 2.0 - 5.0;
        let edge = if target.y < y { y - reach } else { y + reach };
        let exit = self.exit();
        [
            exit,
            pt(self.spine, exit.y),
            pt(self.spine, y),
            pt(target.x, y),
            pt(target.x, edge),
        ]
    }

    /// Path data of the part of a street's road that only answers of stopping pods take: from the last ready pod on.
    pub(super) fn exit_road(&self, street: usize) -> Option<String> {
        let zone = self.ready_zone(street)?;
        let y = self.road_y(street);
        let (from, y, to) = (tenths(zone.x + zone.w), tenths(y), tenths(self.end));
        Some(format!("M{from} {y}H{to}"))
    }

    /// Path data of the road from the Service along a street, as far as new requests take it.
    pub(super) fn road(&self, street: usize) -> String {
        let (exit, y) = (self.exit(), self.road_y(street));
        let down = if y > exit.y { 8.0 } else { -8.0 };
        let on = if self.end > self.spine { 8.0 } else { -8.0 };
        let s = tenths(self.spine);
        let first = if self.lanes {
            format!(
                "H{}Q{s} {} {s} {}",
                tenths(self.spine - 8.0),
                tenths(exit.y),
                tenths(exit.y + down)
            )
        } else {
            String::new()
        };
        format!(
            "M{} {}{first}V{}Q{s} {y} {} {y}H{}",
            tenths(exit.x),
            tenths(exit.y),
            tenths(y - down),
            tenths(self.spine + on),
            tenths(
                self.ready_zone(street)
                    .map_or(self.end, |zone| zone.x + zone.w)
            ),
            y = tenths(y)
        )
    }

    /// The rectangle around a street's road.
    pub(super) fn road_frame(&self, street: usize) -> Rect {
        let y = self.road_y(street);
        let (a, b) = (self.spine.min(self.end), self.spine.max(self.end));
        Rect::new(a, y - CHANNEL / 2.0, b - a, CHANNEL)
    }
}
