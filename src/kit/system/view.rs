//! The stage of a system: columns from who asks to who answers, or rows where it is narrow; then dots, and the lesson's figure.

use super::frame::{Frame, Place, Reason};
use super::plan::{Arrivals, Kind, NodeId, Wire};
use super::script::Values;
use super::shelf::{Pulling, Tells};
use super::shelves;
use super::state::{Live, LiveWire, Part};
use super::switch::{self, Guarded};
use super::{System, WireId, cache, cells, died, slim, tiles};
use crate::figures::{self, DOT, LANE, NodeCard as Card, Urgency};
use crate::flow::Member;
use algorithms::balancer::Policy;
use engine::scene::{Curve, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use std::f32::consts::FRAC_PI_2;

/// Height of a node's card: name, status, a line of the lesson's, a meter.
const CARD_H: f32 = 82.0;
/// Height of a gate's card.
const GATE_H: f32 = 62.0;
/// Height of the card of a worker that pulls: name, status, a meter.
const PULL_H: f32 = 70.0;
/// From one card of a column to the next.
const GAP: f32 = 8.0;
/// Two rows of dots under a card, where there is no room beside it.
const STRIP: f32 = 30.0;
/// Beside a member of the last column, where a stage is not roomy: its queue, or what is wrong with it.
const SIDE_W: f32 = 92.0;
/// The same where it is roomy.
const SIDE_ROOMY_W: f32 = 122.0;
/// The shortest way between two columns, and the shortest one with a place for a breaker.
const WAY_MIN: f32 = 36.0;
const GUARDED_MIN: f32 = 68.0;
/// The shortest one on a roomy stage.
const WAY_ROOMY: f32 = 48.0;
/// A way down that has one.
const GUARDED_H: f32 = 56.0;
/// The card of those who flood a service, and the way from there.
const FLOOD: (f32, f32) = (138.0, 46.0);
const FLOOD_WAY: f32 = 26.0;
/// Up to so many workers a member says how many of them are busy.
const COUNTED_MAX: usize = 400;
/// The radius of a dot with a letter, and of how many people each has one.
const FACE: f32 = 8.5;
const FACES_MAX: u16 = 8;
/// The row of little boxes above a gate that says whose turn it is.
const TURNS_H: f32 = 42.0;

/// A policy's name on the stage.
pub const fn policy_word(policy: Policy) -> &'static str {
    match policy {
        Policy::Random => "policy.random",
        Policy::RoundRobin => "policy.round-robin",
        Policy::WeightedRoundRobin => "policy.weighted",
        Policy::LeastConnections => "policy.least-connections",
        Policy::PowerOfTwoChoices => "policy.two-choices",
        Policy::IpHash => "policy.ip-hash",
    }
}

/// Where the members of one node stand.
struct Spot {
    node: u16,
    cards: Vec<Rect>,
    narrow: bool,
    /// Beside or under each card: its queue, or what is wrong with it.
    sides: Vec<Rect>,
    /// The grid that all of them stand in, if they do.
    block: Option<Rect>,
}

impl Spot {
    /// The members of a node in a grid.
    fn grid(live: &Live, block: Rect, narrow: bool) -> Spot {
        let place = |i| tiles::place(block, i);
        let cards: Vec<Rect> = (0..live.members.len()).map(place).collect();
        Spot {
            node: live.node.id.0,
            narrow,
            sides: cards.clone(),
            cards,
            block: Some(block),
        }
    }
}

/// Where everything stands.
struct Layout {
    spots: Vec<Spot>,
    /// By wire and member: the way there.
    ways: Vec<Vec<Curve>>,
    narrow: bool,
    bottom: f32,
}

impl Layout {
    fn of(system: &System, scene: &Scene) -> Layout {
        let mut columns = columns(system);
        for column in &mut columns {
            column.retain(|node| !is_beside(system, *node));
        }
        columns.retain(|column| !column.is_empty());
        let mut layout = if scene.narrow() || least_width(system, &columns) > scene.width {
            narrow(system, &columns, scene.width)
        } else {
            wide(system, &columns, scene.width)
        };
        layout.ways = system
            .wires
            .iter()
            .map(|live| layout.ways_of(live.as_ref(), system))
            .collect();
        layout
    }

    fn spot(&self, node: NodeId) -> Option<&Spot> {
        self.spots.iter().find(|spot| spot.node == node.0)
    }

    fn ways_of(&self, live: Option<&LiveWire>, system: &System) -> Vec<Curve> {
        let Some(live) = live else { return Vec::new() };
        let (from, to) = ends(&live.wire, system);
        let (Some(from), Some(to)) = (self.spot(from), self.spot(to)) else {
            return Vec::new();
        };
        let Some(start) = from.cards.get(from.cards.len() / 2) else {
            return Vec::new();
        };
        let way = |card: &Rect| {
            if to.block.is_some() {
                let (from, to) = match self.narrow {
                    true => (pt(start.x + 48.0, start.y + start.h), card.top()),
                    false => (start.right(), card.left()),
                };
                Curve::straight(from, to)
            } else if live.watched.is_some() && self.narrow {
                let x = start.x.max(card.x) + 48.0;
                Curve::straight(pt(x, start.y + start.h), pt(x, card.y))
            } else if system.plan.is_spare(live.wire.id) {
                self.spare_way(start, card)
            } else {
                self.way(start, card)
            }
        };
        to.cards.iter().map(way).collect()
    }

    /// Beside the way for which it stands in.
    fn spare_way(&self, from: &Rect, to: &Rect) -> Curve {
        if !self.narrow {
            return Curve::across(pt(from.x + from.w, from.y + from.h - 16.0), to.left());
        }
        let trunk = pt(from.x + 14.0, from.y + from.h);
        let corner = pt(trunk.x, to.left().y);
        Curve::cubic(trunk, corner, corner, to.left())
    }

    fn way(&self, from: &Rect, to: &Rect) -> Curve {
        if to.y + to.h <= from.y && to.x < from.x + from.w && from.x < to.x + to.w {
            let x = from.x + from.w / 2.0;
            return Curve::straight(pt(x, from.y), pt(x, to.y + to.h));
        }
        if !self.narrow && from.y + from.h <= to.y && from.right().x > to.x {
            let x = to.x + to.w / 2.0;
            return Curve::straight(pt(x, from.y + from.h), pt(x, to.y));
        }
        if !self.narrow {
            return if (from.right().y - to.left().y).abs() < 1.0 {
                Curve::straight(from.right(), to.left())
            } else {
                Curve::across(from.right(), to.left())
            };
        }
        if to.x > from.x {
            let trunk = pt(from.x + 24.0, from.y + from.h);
            let corner = pt(trunk.x, to.left().y);
            return Curve::cubic(trunk, corner, corner, to.left());
        }
        let x = from.x + 48.0;
        Curve::straight(pt(x, from.y + from.h), pt(x, to.y))
    }

    fn curve(&self, wire: WireId, member: usize) -> Option<&Curve> {
        self.ways.get(usize::from(wire.0))?.get(member)
    }
}

/// The nodes by how far they are from those who ask.
fn columns(system: &System) -> Vec<Vec<u16>> {
    let mut depth = vec![0_usize; system.nodes.len()];
    // A plan has no circles longer than it has nodes; more rounds than that change nothing.
    for _ in 0..system.nodes.len() {
        for wire in system.wires.iter().flatten() {
            let (from, to) = ends(&wire.wire, system);
            let (from, to) = (usize::from(from.0), usize::from(to.0));
            // Who goes keeps its place until the last answer has come back through it.
            let goes = |node: usize| system.nodes[node].as_ref().is_some_and(|it| it.gone);
            let leads = !wire.gone || goes(from) || goes(to);
            if leads && from != to && depth[from] < system.nodes.len() {
                depth[to] = depth[to].max(depth[from] + 1).min(system.nodes.len());
            }
        }
    }
    let mut columns: Vec<Vec<u16>> = Vec::new();
    for (id, live) in system.nodes.iter().enumerate() {
        let Some(live) = live else { continue };
        if live.members.is_empty() {
            continue;
        }
        columns.resize(columns.len().max(depth[id] + 1), Vec::new());
        columns[depth[id]].push(id as u16);
    }
    columns.retain(|column| !column.is_empty());
    columns
}

/// Nodes beside the columns: those who flood a service, and those who are asked only when another is not to be had.
fn is_beside(system: &System, node: u16) -> bool {
    let spare = |live: &Live| {
        let mut inward = live.inward.iter();
        !live.inward.is_empty() && inward.all(|wire| system.plan.is_spare(WireId(*wire)))
    };
    system
        .live(node)
        .is_some_and(|live| live.floods() || spare(live))
}

/// Whom a crowd calls.
fn called(system: &System, node: u16) -> Option<u16> {
    let mut wires = system.wires.iter().flatten();
    let wire = wires.find(|live| !live.gone && live.wire.from.0 == node)?;
    Some(wire.wire.to.0)
}

/// Whether a way that leaves a node has a place for a breaker.
fn guarded(system: &System, node: u16) -> bool {
    let mut wires = system.wires.iter().flatten();
    wires.any(|live| !live.gone && live.wire.from.0 == node && live.watched.is_some())
}

/// Workers that pull have no queue of their own to speak of, so that their cards are lower.
fn service_h(live: &Live) -> f32 {
    if live.pulls().is_some() {
        PULL_H
    } else {
        CARD_H
    }
}

/// The height of a card of cells that is `w` wide.
fn height_of_cells(live: &Live, w: f32, system: &System) -> f32 {
    system
        .gear
        .cells
        .map_or(CARD_H, |cells| (cells.height)(live, w))
}

fn card_size(live: &Live, system: &System, roomy: bool) -> (f32, f32) {
    match live.node.kind {
        Kind::Crowd(_) if live.floods() => FLOOD,
        Kind::Service(_) if live.node.cells => {
            let w = if roomy { 150.0 } else { 128.0 };
            (w, height_of_cells(live, w, system))
        }
        Kind::Crowd(_) => (112.0, CARD_H),
        Kind::Gate(_) => (134.0, GATE_H),
        Kind::Service(_) if live.node.slim => (slim::WIDTH, slim::height(live)),
        Kind::Service(_) if live.node.tiles > 0 => {
            let w = if roomy { tiles::ROOMY_W } else { tiles::WIDTH };
            (w, tiles::height(live, w))
        }
        Kind::Service(_) => (if roomy { 158.0 } else { 136.0 }, service_h(live)),
        Kind::Queue(_) => (if roomy { 228.0 } else { 200.0 }, shelves::HEIGHT),
        Kind::Cache(_) => (cache::WIDTH, cache::HEIGHT),
        Kind::Topic(_) | Kind::Function(_) => {
            let w = if roomy { 228.0 } else { 200.0 };
            (w, height_of_kept(live, w, system))
        }
    }
}

/// The height of the card of a topic or a function that is `w` wide.
fn height_of_kept(live: &Live, w: f32, system: &System) -> f32 {
    match live.node.kind {
        Kind::Topic(_) => (system.topics().height)(live),
        _ => (system.functions().height)(live, w),
    }
}

/// From where to where a wire leads on the stage: what workers pull comes to them.
fn ends(wire: &Wire, system: &System) -> (NodeId, NodeId) {
    if is_pulled(wire, system) {
        (wire.to, wire.from)
    } else {
        (wire.from, wire.to)
    }
}

fn is_pulled(wire: &Wire, system: &System) -> bool {
    let pulls = system.live(wire.from.0).and_then(Live::pulls);
    pulls.is_some_and(|pull| pull.over == wire.id)
}

/// How wide a stage must be for columns side by side, with ways between them that can be seen.
fn least_width(system: &System, columns: &[Vec<u16>]) -> f32 {
    let column = |column: &Vec<u16>| {
        let widths = column.iter().filter_map(|node| system.live(*node));
        widths
            .map(|live| card_size(live, system, false).0)
            .fold(0.0, f32::max)
    };
    let way = |column: &Vec<u16>| match column.iter().any(|node| guarded(system, *node)) {
        true => GUARDED_MIN,
        false => WAY_MIN,
    };
    let ways: f32 = columns[..columns.len().saturating_sub(1)]
        .iter()
        .map(way)
        .sum();
    let side_w = if has_side(system, columns) {
        SIDE_W
    } else {
        0.0
    };
    24.0 + side_w + ways + columns.iter().map(column).sum::<f32>()
}

/// Whether something may stand beside the last column.
fn has_side(system: &System, columns: &[Vec<u16>]) -> bool {
    let mut last = columns.last().into_iter().flatten();
    let none = |live: &Live| live.node.cells || live.node.tiles > 0;
    last.any(|node| system.live(*node).is_none_or(|live| !none(live)))
}

/// From here on cards are wide and what stands beside them, too, and ways can still be followed.
fn roomy_width(system: &System, columns: &[Vec<u16>]) -> f32 {
    let column = |column: &Vec<u16>| {
        let widths = column.iter().filter_map(|node| system.live(*node));
        widths
            .map(|live| card_size(live, system, true).0)
            .fold(0.0, f32::max)
    };
    let way = |column: &Vec<u16>| match column.iter().any(|node| guarded(system, *node)) {
        true => GUARDED_MIN,
        false => WAY_ROOMY,
    };
    let ways = columns.iter().rev().skip(1).map(way);
    let side_w = if has_side(system, columns) {
        SIDE_ROOMY_W
    } else {
        0.0
    };
    24.0 + side_w + ways.sum::<f32>() + columns.iter().map(column).sum::<f32>()
}

fn wide(system: &System, columns: &[Vec<u16>], width: f32) -> Layout {
    let roomy = width >= 760.0 && width >= roomy_width(system, columns);
    let side_w = match (has_side(system, columns), roomy) {
        (false, _) => 0.0,
        (true, false) => SIDE_W,
        (true, true) => SIDE_ROOMY_W,
    };
    let last = columns.len().saturating_sub(1);
    let size = |node: &u16| {
        system
            .live(*node)
            .map_or((0.0, 0.0), |live| card_size(live, system, roomy))
    };
    let heights = |column: usize| -> f32 {
        let node = |node: &u16| {
            let strip = if column != last && system.live(*node).is_some_and(has_strip) {
                STRIP
            } else {
                0.0
            };
            let gap = gap_of(system, *node);
            let count = match system.live(*node) {
                Some(live) if live.node.tiles > 0 => 1,
                _ => system.members(usize::from(*node)),
            };
            count as f32 * (size(node).1 + strip + gap)
        };
        let last = columns[column].last();
        let below = last.map_or(0.0, |node| more_than_gap(system, *node));
        columns[column].iter().map(node).sum::<f32>() - below
    };
    let widths: Vec<f32> = columns
        .iter()
        .map(|column| column.iter().map(|node| size(node).0).fold(0.0, f32::max))
        .collect();
    let nodes = || columns.iter().flatten();
    let dense = |it: &Live| it.node.cells || it.node.tiles > 0;
    let is_dense = nodes().any(|node| system.live(*node).is_some_and(dense));
    let least = if is_dense { 0.0 } else { 220.0 };
    let height = (0..columns.len()).map(heights).fold(least, f32::max) + 40.0;
    let floods = beside(system).any(|node| system.live(node).is_some_and(Live::floods));
    let lift = if floods {
        FLOOD.1 + FLOOD_WAY - 20.0
    } else {
        0.0
    };
    let weight = |column: &Vec<u16>| match column.iter().any(|node| guarded(system, *node)) {
        true => 2.0,
        false => 1.0,
    };
    let weights: Vec<f32> = columns[..last].iter().map(weight).collect();
    let free = (width - 24.0 - side_w - widths.iter().sum::<f32>()).max(0.0);
    let gap = free / weights.iter().sum::<f32>().max(1.0);
    let mut spots = Vec::new();
    let mut x = 12.0;
    for (i, column) in columns.iter().enumerate() {
        let pitch_all = heights(i);
        let mut y = lift + (height - pitch_all) / 2.0 + GAP / 2.0;
        for node in column {
            let (w, h) = size(node);
            let strip = i != last && system.live(*node).is_some_and(has_strip);
            if let Some(live) = system.live(*node).filter(|live| live.node.tiles > 0) {
                let block = Rect::new(x + (widths[i] - w) / 2.0, y, w, h);
                spots.push(Spot::grid(live, block, false));
                y += h + GAP;
                continue;
            }
            let mut spot = Spot {
                node: *node,
                cards: Vec::new(),
                narrow: false,
                sides: Vec::new(),
                block: None,
            };
            for _ in 0..system.members(usize::from(*node)) {
                let card = Rect::new(x + (widths[i] - w) / 2.0, y, w, h);
                spot.cards.push(card);
                spot.sides.push(if strip {
                    Rect::new(card.x, card.y + h + 3.0, w, STRIP - 3.0)
                } else {
                    Rect::new(card.x + w + 12.0, card.y, side_w - 12.0, h)
                });
                y += h + gap_of(system, *node) + if strip { STRIP } else { 0.0 };
            }
            spots.push(spot);
        }
        x += widths[i] + weights.get(i).map_or(0.0, |weight| gap * weight);
    }
    let mut bottom = lift + height;
    for node in beside(system) {
        let (w, h) = size(&node);
        let live = system.live(node);
        let floods = live.is_some_and(Live::floods);
        // Over whom it floods, or under the last that stands in its column.
        let under = spots.iter().rfind(|spot| match floods {
            true => called(system, node) == Some(spot.node),
            false => true,
        });
        let Some(card) = under.and_then(|spot| spot.cards.last()) else {
            continue;
        };
        let y = if floods {
            card.y - FLOOD_WAY - h
        } else {
            card.y + card.h + 24.0
        };
        let rect = Rect::new(card.x + (card.w - w) / 2.0, y, w, h);
        bottom = bottom.max(y + h + 22.0);
        spots.push(Spot {
            node,
            cards: vec![rect],
            narrow: false,
            sides: vec![Rect::new(rect.x + w, y, 0.0, h)],
            block: None,
        });
    }
    Layout {
        spots,
        ways: Vec::new(),
        narrow: false,
        bottom,
    }
}

/// The nodes beside the columns.
fn beside(system: &System) -> impl Iterator<Item = u16> + '_ {
    let all = 0..system.nodes.len() as u16;
    all.filter(|node| system.members(usize::from(*node)) > 0 && is_beside(system, *node))
}

/// Whether the queue of a node's members stands under their cards where there is no room beside them.
fn has_strip(live: &Live) -> bool {
    let is_service = matches!(live.node.kind, Kind::Service(_));
    is_service && !live.node.cells && !live.node.slim && live.node.tiles == 0
}

/// From one member's card to the next.
fn gap_of(system: &System, node: u16) -> f32 {
    match system.live(node) {
        Some(live) if live.node.slim => slim::GAP,
        Some(live) if died::is_outside(&live.node.kind) => died::GAP,
        _ => GAP,
    }
}

/// What is left between two members beyond the usual; nothing of it is left under the last.
fn more_than_gap(system: &System, node: u16) -> f32 {
    (gap_of(system, node) - GAP).max(0.0)
}

fn narrow(system: &System, columns: &[Vec<u16>], width: f32) -> Layout {
    let side_w = if width < 340.0 { 76.0 } else { 98.0 };
    let mut spots: Vec<Spot> = Vec::new();
    let mut y = 10.0;
    // Those who flood a node stand under it, and those who stand in for one under all.
    let floods_it = |node: &u16| {
        let node = *node;
        let floods = beside(system).filter(move |it| called(system, *it) == Some(node));
        std::iter::once(node).chain(floods)
    };
    let spare = |node: &u16| system.live(*node).is_some_and(|live| !live.floods());
    let last = beside(system).filter(spare);
    for node in columns.iter().flatten().flat_map(floods_it).chain(last) {
        let node = &node;
        let Some(live) = system.live(*node) else {
            continue;
        };
        if live.floods() {
            let under = spots.last().and_then(|spot| spot.cards.last().copied());
            let under = under.unwrap_or(Rect::new(12.0, 0.0, FLOOD.0, 0.0));
            let card = Rect::new(
                under.x + under.w - FLOOD.0,
                under.y + under.h + FLOOD_WAY,
                FLOOD.0,
                FLOOD.1,
            );
            y = card.y + card.h + 12.0;
            spots.push(Spot {
                node: *node,
                cards: vec![card],
                narrow: true,
                sides: vec![card],
                block: None,
            });
            continue;
        }
        if live.node.tiles > 0 {
            let w = (width - 24.0).min(tiles::ROOMY_W);
            let block = Rect::new(12.0, y, w, tiles::height(live, w));
            y += block.h + 8.0;
            spots.push(Spot::grid(live, block, true));
            continue;
        }
        let from = system
            .wires
            .iter()
            .flatten()
            .filter(|wire| !wire.gone)
            .map(|wire| ends(&wire.wire, system))
            .find(|(from, to)| to.0 == *node && from.0 != *node)
            .map(|(from, _)| from);
        let before = from.and_then(|from| spots.iter().find(|spot| spot.node == from.0));
        let siblings = |from: NodeId| {
            let all = system.wires.iter().flatten();
            all.filter(move |other| !other.gone && ends(&other.wire, system).0 == from)
        };
        let shares = from.is_some_and(|from| siblings(from).count() > 1);
        let has_spare =
            from.is_some_and(|from| siblings(from).any(|it| system.plan.is_spare(it.wire.id)));
        let left = before
            .and_then(|spot| spot.cards.first())
            .map_or(12.0, |card| card.x);
        let x = if has_spare {
            // The way to who stands in goes past its left edge.
            left + 30.0
        } else if live.node.counted || shares {
            left + 58.0
        } else {
            left
        };
        let is_service = matches!(live.node.kind, Kind::Service(_));
        let (w, h) = match live.node.kind {
            Kind::Crowd(_) => (112.0, CARD_H),
            Kind::Gate(_) => (128.0, GATE_H),
            Kind::Service(_) if live.node.cells => {
                let w = (width - x - 12.0).min(460.0);
                (w, height_of_cells(live, w, system))
            }
            Kind::Service(_) if live.node.slim => {
                ((width - x - 30.0).min(240.0), slim::height(live))
            }
            Kind::Service(_) => ((width - x - side_w - 10.0).min(240.0), service_h(live)),
            Kind::Queue(_) => ((width - x - 12.0).min(300.0), shelves::HEIGHT),
            Kind::Cache(_) => ((width - x - 12.0).min(240.0), cache::HEIGHT),
            Kind::Topic(_) | Kind::Function(_) => {
                let w = (width - x - 12.0).min(300.0);
                (w, height_of_kept(live, w, system))
            }
        };
        let mut spot = Spot {
            node: *node,
            cards: Vec::new(),
            narrow: true,
            sides: Vec::new(),
            block: None,
        };
        for _ in 0..live.members.len() {
            let card = Rect::new(x, y, w, h);
            spot.sides.push(Rect::new(x + w + 8.0, y, side_w - 8.0, h));
            spot.cards.push(card);
            y += h + gap_of(system, *node);
        }
        y -= more_than_gap(system, *node);
        y += match (guarded(system, *node), is_service) {
            (true, _) => GUARDED_H,
            (false, true) => 8.0,
            (false, false) => 24.0,
        };
        spots.push(spot);
    }
    Layout {
        spots,
        ways: Vec::new(),
        narrow: true,
        bottom: y,
    }
}

/// Draws a system at `at`, as [`engine::Sheet::draw`] wants it.
pub fn draw(system: &System, knobs: &Values, at: Time, scene: &mut Scene) {
    let layout = Layout::of(system, scene);
    scene.height = layout.bottom;
    for live in system.wires.iter().flatten() {
        links(live, system, &layout, at, scene);
    }
    for spot in &layout.spots {
        let Some(live) = system.live(spot.node) else {
            continue;
        };
        match &live.node.kind {
            Kind::Service(_) => {
                if let (Some(block), Some(gear)) = (spot.block, system.gear.tiles) {
                    (gear.ground)(usize::from(live.node.tiles), block, scene);
                }
                for member in 0..live.members.len() {
                    service(live, member, system, spot, at, scene);
                }
            }
            _ => {
                for (member, card) in spot.cards.iter().enumerate() {
                    plain(live, member, system, (*card, &layout), at, scene);
                }
            }
        }
    }
    for live in system.wires.iter().flatten() {
        checks(live, at, &layout, scene);
        lost(live, system, at, &layout, scene);
    }
    pulls(system, at, &layout, scene);
    let faces = has_faces(system);
    for (_, frame) in system.frames() {
        dot(frame, system, at, &layout, faces, scene);
    }
    let area = Rect::new(0.0, layout.bottom, scene.width, 0.0);
    scene.height += system.script.aside(system, knobs, at, area, scene);
}

/// Draws the card of a member that is no service, and what died there.
fn plain(
    live: &Live,
    member: usize,
    system: &System,
    (card, layout): (Rect, &Layout),
    at: Time,
    scene: &mut Scene,
) {
    match &live.node.kind {
        Kind::Crowd(_) => crowd(live, system, card, scene),
        Kind::Gate(gate) => {
            // Whose turn it is stands at the first of several.
            let wire = gate.routes.first().filter(|_| member == 0);
            let wire = wire.and_then(|wire| system.wire(*wire));
            self::gate((live, member), wire, system, card, layout, scene);
        }
        Kind::Queue(_) => (system.queues().draw)(live, card, at, scene),
        Kind::Cache(_) => (system.caching().draw)(live, member, (card, at), scene),
        Kind::Topic(_) => (system.topics().draw)(live, system, card, at, scene),
        Kind::Function(_) => (system.functions().draw)(live, system, card, at, scene),
        Kind::Service(_) => {}
    }
    if died::is_outside(&live.node.kind) {
        died::draw((live, member), (card, layout.narrow), at, scene);
    }
}

fn crowd(live: &Live, system: &System, rect: Rect, scene: &mut Scene) {
    let part = live.node.part_of(0);
    let load = system.load_per_s(live.node.id);
    // Those who wait for their answer before they ask again have no rate of their own.
    let status = match &live.node.kind {
        Kind::Crowd(crowd) => match crowd.arrivals {
            Arrivals::Closed { users, .. } => scene.say("callers", &[Arg::Count(i64::from(users))]),
            _ => scene.say("load", &[Arg::Number(load)]),
        },
        _ => String::new(),
    };
    let (ink, border) = if live.surge.is_on() || live.refresh.is_on() {
        (Ink::Warn, Ink::Warn)
    } else {
        (Ink::Secondary, Ink::LineStrong)
    };
    let (name, line) = (
        scene.name(part),
        system.script.line(live.node.id, 0, system, scene),
    );
    let mut pencil = scene.thing(part, rect, status.clone());
    pencil.figure("load", load);
    Card {
        ink,
        border,
        ..Card::plain(rect, name, status)
    }
    .draw(&mut pencil);
    if let Some(line) = line {
        pencil.text(pt(rect.x + 14.0, rect.y + 64.0), 12.0, Ink::Secondary, line);
    }
}

/// A gate, and whom it would choose next or chose last.
fn gate(
    (live, member): (&Live, usize),
    wire: Option<&LiveWire>,
    system: &System,
    card: Rect,
    layout: &Layout,
    scene: &mut Scene,
) {
    let part = live.node.part_of(member);
    let name = scene.name(part);
    let turns = wire.filter(|wire| {
        system
            .live(wire.wire.to.0)
            .is_some_and(|to| to.node.counted && to.node.tiles == 0)
    });
    let Some(wire) = turns else {
        let value = system
            .script
            .line(live.node.id, member, system, scene)
            .unwrap_or_default();
        let mut pencil = scene.thing(part, card, value.clone());
        Card::plain(card, name, value).draw(&mut pencil);
        return;
    };
    let policy = wire.wire.policy;
    let (label, chosen) = match policy {
        Policy::RoundRobin => ("next", wire.balancer.next_in_turn()),
        Policy::WeightedRoundRobin => ("next", preview(wire, policy)),
        Policy::LeastConnections => ("fewest", preview(wire, policy)),
        Policy::PowerOfTwoChoices => ("of-two", wire.last),
        Policy::Random | Policy::IpHash => ("last", wire.last),
    };
    let label = scene.say(label, &[]);
    let status = scene.say(policy_word(policy), &[]);
    let target = system.live(wire.wire.to.0);
    let value = match (chosen, target) {
        (Some(i), Some(to)) => format!("{status}, {label}: {}", scene.name(to.node.part_of(i))),
        _ => format!("{status}, {}", scene.say("nobody", &[])),
    };
    let count = wire.balancer.len();
    let turn = if layout.narrow || scene.width < 760.0 {
        22.0
    } else {
        26.0
    };
    let (turns, per_row) = if layout.narrow {
        let per_row = ((scene.width - 172.0) / turn).floor().clamp(1.0, 8.0);
        let rows = (count as f32 / per_row).ceil().max(1.0);
        let w = turn * per_row.min(count as f32);
        (
            Rect::new(card.x + card.w + 16.0, card.y + 2.0, w, 18.0 + rows * 24.0),
            per_row as usize,
        )
    } else {
        let w = turn * count as f32;
        let x = card.centre().x - w / 2.0;
        (
            Rect::new(x, card.y - TURNS_H - 8.0, w, TURNS_H),
            count.max(1),
        )
    };
    let label_w = text::width(&label, 12.0, false);
    let (left, right) = if layout.narrow {
        (
            card.x,
            (turns.x + turns.w.max(label_w)).max(card.x + card.w),
        )
    } else {
        let half = (turns.w.max(label_w).max(card.w)) / 2.0;
        (card.centre().x - half, card.centre().x + half)
    };
    let top = card.y.min(turns.y);
    let frame = Rect::new(
        left,
        top,
        right - left,
        (card.y + card.h).max(turns.y + turns.h) - top,
    );
    let mut pencil = scene.thing(part, frame, value);
    Card::plain(card, name, status).draw(&mut pencil);
    if layout.narrow {
        pencil.text(pt(turns.x, turns.y + 11.0), 12.0, Ink::Secondary, label);
    } else {
        pencil.centred(
            pt(turns.centre().x, turns.y + 11.0),
            12.0,
            false,
            Ink::Secondary,
            label,
        );
    }
    for i in 0..count {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let b = Rect::new(
            turns.x + turn * column + 1.0,
            turns.y + 18.0 + 24.0 * row,
            turn - 3.0,
            22.0,
        );
        let mark = if policy == Policy::LeastConnections {
            wire.balancer.peers()[i].active.min(99).to_string()
        } else {
            (i + 1).to_string()
        };
        let at = pt(b.centre().x, b.y + 15.5);
        let beaten = policy == Policy::PowerOfTwoChoices
            && wire
                .looked_at
                .is_some_and(|(one, other)| i == one || i == other);
        let away = wire.out(i)
            || target.is_some_and(|to| to.members.get(i).is_some_and(|member| member.leaving));
        if chosen == Some(i) {
            pencil
                .filled(b, 6.0, Ink::Accent)
                .centred(at, 12.0, true, Ink::OnAccent, mark);
        } else if beaten {
            pencil
                .bordered(b, 6.0, Ink::AccentSoft, Ink::Accent, 1.5)
                .centred(at, 12.0, false, Ink::Ink, mark);
        } else if away {
            pencil
                .dashed(b, 6.0, Ink::None, Ink::LineStrong, 1.0)
                .centred(at, 12.0, false, Ink::Secondary, "–");
        } else {
            pencil
                .bordered(b, 6.0, Ink::Card, Ink::LineStrong, 1.0)
                .centred(at, 12.0, false, Ink::Secondary, mark);
        }
    }
}

/// Whom a policy without dice would choose now: asks a copy.
fn preview(wire: &LiveWire, policy: Policy) -> Option<usize> {
    let mut dice = super::frame::Dice::new(super::Draw::default(), 0);
    wire.balancer.clone().pick(policy, [0; 4], &mut dice)
}

fn links(live: &LiveWire, system: &System, layout: &Layout, at: Time, scene: &mut Scene) {
    let Some(to) = system.live(ends(&live.wire, system).1.0) else {
        return;
    };
    if live.gone {
        return;
    }
    if to.node.tiles > 0 {
        return link_to_grid(live, to, system, layout, scene);
    }
    for (member, one) in to.members.iter().enumerate() {
        let Some(curve) = layout.curve(live.wire.id, member) else {
            continue;
        };
        let id = link_part(&live.wire, to, member);
        let place = system
            .plan
            .guarded()
            .find(|(_, wire)| *wire == live.wire.id);
        if let Some((place, _)) = place {
            let breaker = system.guard(place);
            let narrow = layout.narrow;
            let guarded = Guarded {
                live,
                curve,
                id,
                place,
                breaker,
                narrow,
            };
            if let Some(gear) = system.gear.breakers {
                (gear.draw)(&guarded, at, scene);
            }
            continue;
        }
        if system.plan.is_spare(live.wire.id) {
            let on = |(_, frame): (_, &Frame)| frame.leg.on == live.wire.id;
            let used = system.frames().any(on);
            let value = scene.say(if used { "link.alive" } else { "link.spare" }, &[]);
            let mut pencil = scene.link(id, curve.frame(), value);
            match used {
                true => pencil.line(curve.d(), Ink::Hit, 1.5),
                false => pencil.dashed_line(curve.d(), Ink::LineStrong, 1.5),
            };
            continue;
        }
        let pulled = is_pulled(&live.wire, system);
        let cut = live.is_cut(if pulled { 0 } else { member });
        let starts = one.own.starting.is_some_and(|starting| starting.first);
        let down = one.down.is_some();
        let away = one.leaving || starts || (!pulled && live.out(member));
        let word = match (down || away, cut) {
            (_, true) => "link.cut",
            (true, _) => "link.dead",
            _ => "link.alive",
        };
        let mut value = scene.say(word, &[]);
        let loses = live.loss > 0.0 || !live.lost.is_empty();
        if let Some(losses) = system.gear.losses.filter(|_| loses) {
            value = (losses.spoken)(live, member, value, at, scene);
        }
        let mut pencil = scene.link(id, curve.frame(), value);
        match (down || cut, away) {
            (true, false) => pencil.dashed_line(curve.d(), Ink::Bad, 2.0),
            (_, true) => pencil.dashed_line(curve.d(), Ink::Mark, 1.5),
            (false, false) => pencil.line(curve.d(), Ink::Mark, 1.5),
        };
    }
    fan_in(live, system, layout, scene);
    remark(live, system, layout, scene);
}

/// One way to a whole grid.
fn link_to_grid(live: &LiveWire, to: &Live, system: &System, layout: &Layout, scene: &mut Scene) {
    let block = layout.spot(to.node.id).and_then(|spot| spot.block);
    let (Some(block), Some(way)) = (block, layout.curve(live.wire.id, 0)) else {
        return;
    };
    let from = way.at(0.0);
    let end = match layout.narrow {
        true => pt(from.x, block.y),
        false => block.left(),
    };
    let curve = Curve::straight(from, end);
    let value = scene.say("link.alive", &[]);
    let mut pencil = scene.link(link_part(&live.wire, to, 0), curve.frame(), value);
    pencil.line(curve.d(), Ink::Mark, 1.5);
    remark(live, system, layout, scene);
}

/// The ways from those of several callers whose call is not drawn on the one way that a wire has.
fn fan_in(live: &LiveWire, system: &System, layout: &Layout, scene: &mut Scene) {
    let (from, to) = ends(&live.wire, system);
    let (Some(callers), Some(from), Some(to)) =
        (system.live(from.0), layout.spot(from), layout.spot(to))
    else {
        return;
    };
    let drawn = from.cards.len() / 2;
    let mut pencil = scene.background();
    for (member, caller) in callers.members.iter().enumerate() {
        let Some(card) = from.cards.get(member).filter(|_| member != drawn) else {
            continue;
        };
        for callee in &to.cards {
            let d = layout.way(card, callee).d();
            match caller.takes() {
                true => pencil.line(d, Ink::Line, 1.0),
                false => pencil.dashed_line(d, Ink::Line, 1.0),
            };
        }
    }
}

/// What a script remarks about a wire, under it, or beside it where it leads down.
fn remark(live: &LiveWire, system: &System, layout: &Layout, scene: &mut Scene) {
    let lines = system.script.remark(live.wire.id, scene);
    let (Some(curve), false) = (layout.curve(live.wire.id, 0), lines.is_empty()) else {
        return;
    };
    let (from, to, middle) = (curve.at(0.0), curve.at(1.0), curve.at(0.5));
    let mut pencil = scene.background();
    if layout.narrow {
        pencil.text(
            pt(from.x + 30.0, middle.y + 4.0),
            11.0,
            Ink::Secondary,
            lines.join(" "),
        );
        return;
    }
    let room = to.x - from.x;
    let wide = lines
        .iter()
        .map(|line| text::width(line, 11.0, false))
        .fold(0.0, f32::max);
    // Without room under the wire it stands under the card that the wire begins at, and under what died there.
    let at = if wide + 8.0 <= room {
        pt(middle.x, middle.y + 32.0)
    } else {
        pt(from.x - 56.0, from.y + CARD_H / 2.0 + died::GAP + 12.0)
    };
    for (i, line) in lines.into_iter().enumerate() {
        let y = at.y + 14.0 * i as f32;
        pencil.centred(pt(at.x, y), 11.0, false, Ink::Secondary, line);
    }
}

fn link_part(wire: &Wire, to: &Live, member: usize) -> PartId {
    to.node.numbered(wire.part, member)
}

/// The wire whose health checks watch a node, if there is one.
fn watcher(system: &System, node: NodeId) -> Option<&LiveWire> {
    let watches =
        |live: &&LiveWire| !live.gone && live.wire.to == node && live.wire.health.is_some();
    system.wires.iter().flatten().find(watches)
}

/// What a member's card says about it.
struct Condition {
    status: String,
    ink: Ink,
    border: Ink,
    spoken: String,
}

/// What a worker that pulls does, as a word for the stage.
const fn pulling(doing: Pulling) -> &'static str {
    match doing {
        Pulling::Rests => "pulling.rests",
        Pulling::Pauses => "pulling.pauses",
        Pulling::Asks => "pulling.asks",
        Pulling::Waits => "pulling.waits",
        Pulling::Gets => "pulling.gets",
        Pulling::Works => "pulling.works",
    }
}

/// How far the work is that a member does for a message, and whether the clock of that has ended.
fn progress(live: &Live, index: usize, system: &System, at: Time) -> Option<(f32, bool)> {
    let part = &live.members.get(index)?.own;
    let frame = system.frame(*part.pool.held.first()?)?;
    let (amount, since) = frame.work;
    let done = at.since(since).0 as f64 * live.speed(index) / amount.max(1) as f64;
    let share = if amount == 0 {
        0.0
    } else {
        done.min(1.0) as f32
    };
    frame.message.then(|| (share, system.is_for_nobody(frame)))
}

fn condition(
    live: &Live,
    member: &Member<Part>,
    out: Option<bool>,
    at: Time,
    scene: &Scene,
) -> Condition {
    let pool = &member.own.pool;
    let busy = [
        Arg::Count(pool.held.len() as i64),
        Arg::Count(live.workers() as i64),
    ];
    // More workers than anybody counts are as good as no bound: what matters is how much is under way.
    let now = if live.workers() > COUNTED_MAX {
        scene.say("open", &busy)
    } else {
        scene.say("busy", &busy)
    };
    let now = match member.own.pullers.as_slice() {
        [puller] if live.workers() == 1 => {
            let number = puller.at.map_or(0, |loan| loan.letter.number);
            scene.say(pulling(puller.doing), &[Arg::Count(i64::from(number))])
        }
        _ => now,
    };
    let waiting = scene.say("waiting", &[Arg::Count(pool.queue.len() as i64)]);
    if let Some(starting) = member.own.starting {
        let left = starting.until.since(at);
        let status = scene.say("starting", &[figures::tenths(left)]);
        return Condition {
            spoken: status.clone(),
            status,
            ink: if starting.first { Ink::Warn } else { Ink::Bad },
            border: if starting.first { Ink::Warn } else { Ink::Bad },
        };
    }
    if let Some(since) = member.down {
        let status = scene.say("crashed", &[figures::tenths(at.since(since))]);
        let spoken = match out {
            Some(out) => format!(
                "{status}, {}",
                scene.say(if out { "out" } else { "still-in" }, &[])
            ),
            None => status.clone(),
        };
        return Condition {
            spoken,
            status,
            ink: Ink::Bad,
            border: Ink::Bad,
        };
    }
    let (status, ink, border) = if out == Some(true) {
        (scene.say("not-trusted", &[]), Ink::Warn, Ink::Warn)
    } else if member.leaving {
        (scene.say("leaving", &[]), Ink::Warn, Ink::LineStrong)
    } else if member.own.rate < 1.0 {
        (scene.say("slow", &busy), Ink::Warn, Ink::Warn)
    } else {
        (now.clone(), Ink::Secondary, Ink::LineStrong)
    };
    let spoken = if status == now && live.pulls().is_some() {
        now
    } else if status == now {
        format!("{now}, {waiting}")
    } else {
        format!("{now}, {status}, {waiting}")
    };
    Condition {
        spoken,
        status,
        ink,
        border,
    }
}

fn service(live: &Live, index: usize, system: &System, spot: &Spot, at: Time, scene: &mut Scene) {
    let Some(member) = live.members.get(index) else {
        return;
    };
    let (card, side) = (spot.cards[index], spot.sides[index]);
    let below_card = side.y > card.y + 1.0;
    let part = live.node.part_of(index);
    let watch = watcher(system, live.node.id);
    let out = watch.map(|wire| wire.out(index));
    let now = condition(live, member, out, at, scene);
    if live.node.cells || live.node.slim || live.node.tiles > 0 {
        let said = cells::Said {
            status: now.status,
            ink: now.ink,
            border: now.border,
            spoken: now.spoken,
            died: died::died(member, at, scene),
            why: died::why(member, at, scene),
            line: system.script.line(live.node.id, index, system, scene),
        };
        let ink = |frame: &Frame| ink_of(frame, system);
        let place = (card, spot.narrow);
        if let (Some(_), Some(tiles)) = (spot.block, system.gear.tiles) {
            return (tiles.draw)((live, member, part), system, said, (card, at), scene);
        }
        if let (true, Some(slim)) = (live.node.slim, system.gear.slim) {
            return (slim.draw)((live, member, part), system, said, card, scene);
        }
        if let Some(cells) = system.gear.cells {
            return (cells.draw)((live, member, part), system, said, place, scene, &ink);
        }
        return;
    }
    let working = progress(live, index, system, at);
    let note = match working {
        Some((_, true)) => Some((scene.say("clock-over", &[]), scene.say("lent-on", &[]))),
        _ => watch.and_then(|wire| side_note(wire, index, member, at, scene)),
    };
    let (held, queued) = (member.own.pool.held.len(), member.own.pool.queue.len());
    let waiting = scene.say("waiting", &[Arg::Count(queued as i64)]);
    // The frame ends where what stands beside the card ends: at the callout, or at the longest row of the queue.
    let mut frame = card;
    if below_card {
        if queued > 0 {
            frame.h += STRIP;
        }
    } else {
        let right = match (&note, queued) {
            (Some(_), _) => side.x + side.w,
            (None, 0) => card.x + card.w,
            (None, queued) => {
                let dots = (queued as f32 * figures::PITCH).min(side.w);
                side.x + dots.max(text::width(&waiting, 12.0, false))
            }
        };
        frame.w = right - card.x;
    }
    let workers = live.workers();
    let share = held as f32 / workers.max(1) as f32;
    let pulled = live.pulls().is_some();
    let full = if pulled {
        working.map_or(0.0, |(share, _)| share)
    } else {
        share
    };
    let in_vain = working.is_some_and(|(_, in_vain)| in_vain);
    let dead = member.down.is_some();
    let (line, line_ink) = match died::died(member, at, scene) {
        Some(died) => (Some(died), Ink::Bad),
        None => (
            system.script.line(live.node.id, index, system, scene),
            Ink::Secondary,
        ),
    };
    let spoken = match &line {
        Some(line) => format!("{}, {line}", now.spoken),
        None => now.spoken,
    };
    let face = Card {
        rect: card,
        name: scene.name(part),
        status: now.status,
        ink: now.ink,
        border: now.border,
        meter: Some((
            full,
            if (full > 0.99 && !pulled) || in_vain {
                Ink::Warn
            } else {
                Ink::Accent
            },
            dead || in_vain,
        )),
    };
    let slots = face.slots(workers).filter(|_| !dead);
    let mut pencil = scene.thing(part, frame, spoken);
    let row = member.own.row;
    pencil
        .figure("busy", f64::from(share))
        .figure("waiting", queued as f64)
        .figure("failed", f64::from(row.of(super::Count::Failed)))
        .figure("done", f64::from(row.of(super::Count::Done)));
    face.draw(&mut pencil);
    if let Some(line) = line.filter(|_| !pulled) {
        let at = pt(card.x + 14.0, card.y + 61.0);
        if line_ink == Ink::Bad {
            pencil.bold(at, 12.0, line_ink, line);
        } else {
            pencil.text(at, 12.0, line_ink, line);
        }
    }
    if let Some(slot) = &slots {
        figures::sockets(&mut pencil, (0..workers).map(slot));
    }
    // A member out of rotation may still have a queue: its dots then stand in one row under the callout.
    let row = figures::PITCH;
    let (side, below) = match (&note, queued) {
        _ if below_card => (side, side),
        (None, _) => (
            side,
            Rect::new(side.x, side.y + 20.0, side.w, side.h - 20.0),
        ),
        (Some(_), 0) => (side, side),
        (Some(_), _) => (
            Rect::new(side.x, side.y, side.w, side.h - row - 3.0),
            Rect::new(side.x, side.y + side.h - row, side.w, row),
        ),
    };
    match note {
        Some((heading, detail)) if !below_card => {
            let urgency = if dead && out == Some(false) {
                Urgency::Bad
            } else {
                Urgency::Warn
            };
            figures::callout(&mut pencil, &heading, &detail, side, urgency);
        }
        None if queued > 0 && !below_card => {
            pencil.text(pt(side.x, side.y + 13.0), 12.0, Ink::Secondary, waiting);
        }
        _ => {}
    }
    if let Some(slot) = &slots {
        for (j, key) in member.own.pool.held.iter().take(workers).enumerate() {
            if let Some(frame) = system.frame(*key) {
                let glyph = if frame.message || frame.copy {
                    Glyph::Message
                } else {
                    Glyph::Request
                };
                scene.particle(
                    slot(j),
                    DOT - 0.5,
                    glyph,
                    ink_of(frame, system),
                    frame.number,
                );
            }
        }
    }
    let queue = member
        .own
        .pool
        .queue
        .iter()
        .filter_map(|key| system.frame(*key));
    let numbers = queue.map(|frame| frame.number);
    figures::queue(scene, below, Glyph::Request, Ink::Accent, numbers);
}

/// The short note beside a member that is in trouble: heading and detail.
fn side_note(
    wire: &LiveWire,
    index: usize,
    member: &Member<Part>,
    at: Time,
    scene: &Scene,
) -> Option<(String, String)> {
    let next = wire.dogs.get(index)?.check_at;
    let check = scene.say("check-in", &[figures::tenths(next.since(at))]);
    match (member.down.is_some(), wire.out(index)) {
        (true, false) => Some((scene.say("still-in", &[]), check)),
        (_, true) => Some((scene.say("out", &[]), check)),
        (false, false) => None,
    }
}

/// What got lost on a wire lately, where it died.
fn lost(live: &LiveWire, system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let Some(losses) = system.gear.losses else {
        return;
    };
    let spot = layout.spot(ends(&live.wire, system).1);
    for member in 0..live.lost.len() {
        let card = spot.and_then(|spot| spot.cards.get(member));
        if let (Some(way), Some(card)) = (layout.curve(live.wire.id, member), card) {
            (losses.draw)(live, (member, way, *card), layout.narrow, at, scene);
        }
    }
}

/// Health checks on their way to members or back.
fn checks(live: &LiveWire, at: Time, layout: &Layout, scene: &mut Scene) {
    let travel = live.wire.travel;
    for (member, dog) in live.dogs.iter().enumerate() {
        let (Some((left, found)), Some(curve)) = (dog.check, layout.curve(live.wire.id, member))
        else {
            continue;
        };
        let there = left + travel;
        let (share, ink) = match found {
            None => (at.progress(left, there), Ink::Secondary),
            Some(true) => (1.0 - at.progress(there, there + travel), Ink::Ok),
            Some(false) => (1.0 - at.progress(there, there + travel), Ink::Bad),
        };
        let lane = if layout.narrow {
            pt(LANE, 0.0)
        } else {
            pt(0.0, LANE)
        };
        let p = curve.at(share);
        scene.particle(
            pt(p.x - lane.x, p.y - lane.y),
            6.0,
            Glyph::Heartbeat,
            ink,
            0,
        );
    }
}

/// What workers ask, get and tell, on its way.
fn pulls(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    for live in system.nodes.iter().flatten() {
        for (member, one) in live.members.iter().enumerate() {
            for puller in &one.own.pullers {
                let Some(curve) = layout.curve(puller.leg.on, member) else {
                    continue;
                };
                let share = puller.leg.share(at);
                match puller.doing {
                    Pulling::Asks => {
                        let p = back_lane(curve, 1.0 - share, layout);
                        scene.particle(p, DOT - 1.5, Glyph::Request, Ink::Mark, 0);
                    }
                    Pulling::Gets => match puller.batch.front() {
                        Some(loan) => {
                            let number = loan.letter.number;
                            scene.particle(
                                curve.at(share),
                                DOT,
                                Glyph::Message,
                                Ink::Accent,
                                number,
                            );
                        }
                        None => {
                            let p = back_lane(curve, share, layout);
                            scene.particle(p, DOT - 1.5, Glyph::Response, Ink::Mark, 0);
                        }
                    },
                    Pulling::Rests | Pulling::Pauses | Pulling::Waits | Pulling::Works => {}
                }
            }
        }
    }
    for errand in system.errands() {
        let member = usize::from(errand.loan.to.member);
        let Some(curve) = layout.curve(errand.leg.on, member) else {
            continue;
        };
        let p = back_lane(curve, 1.0 - errand.leg.share(at), layout);
        let (glyph, ink, number) = match errand.tells {
            Tells::Delete => (Glyph::Response, Ink::Ok, errand.loan.letter.number),
            Tells::Extend => (Glyph::Heartbeat, Ink::Secondary, 0),
        };
        scene.particle(p, DOT, glyph, ink, number);
    }
}

/// A place on the lane beside a way.
fn back_lane(curve: &Curve, share: f32, layout: &Layout) -> Point {
    let lane = if layout.narrow {
        pt(LANE, 0.0)
    } else {
        pt(0.0, LANE)
    };
    figures::on(curve, share, lane)
}

fn ink_of(frame: &Frame, system: &System) -> Ink {
    if system.is_for_nobody(frame) {
        Ink::Mark
    } else if frame.is_probe() || system.is_flood(frame) {
        Ink::Warn
    } else {
        Ink::Accent
    }
}

/// Whether it matters whose a request is, and there are few enough to tell apart: then dots have their letter.
fn has_faces(system: &System) -> bool {
    let mut wires = system.wires.iter().flatten();
    let mut nodes = system.nodes.iter().flatten();
    wires.any(|live| !live.gone && live.wire.policy == Policy::IpHash)
        && nodes.any(|live| match &live.node.kind {
            Kind::Crowd(crowd) => crowd.people <= FACES_MAX,
            _ => false,
        })
}

/// The letter of one of few people.
pub fn face(person: u16) -> char {
    char::from(b'A' + (person % FACES_MAX) as u8)
}

/// A call or its answer on a wire.
fn dot(frame: &Frame, system: &System, at: Time, layout: &Layout, faces: bool, scene: &mut Scene) {
    if !matches!(frame.place, Place::Travels | Place::Bounces) || frame.number == 0 {
        return;
    }
    let member = if frame.place == Place::Bounces {
        0
    } else {
        usize::from(frame.hop().1)
    };
    let Some(curve) = layout.curve(frame.leg.on, member) else {
        return;
    };
    let (share, back) = match (frame.place, frame.failed) {
        (Place::Bounces, Some(Reason::Open)) => switch::bounce(frame, at),
        (Place::Bounces, _) => (0.12, true),
        _ => (frame.leg.share(at), frame.leg.back),
    };
    let (glyph, ink) = match (back, frame.failed.is_some()) {
        (false, _) if frame.copy => (Glyph::Message, ink_of(frame, system)),
        (false, _) => (Glyph::Request, ink_of(frame, system)),
        (true, false) if frame.partial || frame.spare => (Glyph::Replica, Ink::Hit),
        (true, false) => (Glyph::Response, Ink::Ok),
        (true, true) => (Glyph::Failure, Ink::Bad),
    };
    let r = match (faces, frame.is_probe()) {
        (true, _) => FACE,
        (false, true) => DOT + 2.0,
        (false, false) => DOT,
    };
    let bends = layout.narrow && (curve.at(0.0).x - curve.at(1.0).x).abs() > 1.0;
    let lane: Point = match (back, layout.narrow) {
        (false, _) => pt(0.0, 0.0),
        // On a narrow stage a way turns from down to right, and the lane beside it turns too; else answers would begin on
        // the card's words.
        (true, true) if bends => {
            let (sin, cos) = libm::sincosf(share * FRAC_PI_2);
            pt(LANE * cos, -LANE * sin)
        }
        (true, true) => pt(LANE, 0.0),
        (true, false) => pt(0.0, LANE),
    };
    let p = figures::on(curve, share, lane);
    scene.particle(p, r, glyph, ink, frame.number);
    match glyph {
        _ if !faces => {}
        Glyph::Request => scene.letter(p, face(frame.draw.person), Ink::OnAccent),
        Glyph::Response => scene.letter(p, face(frame.draw.person), ink),
        _ => {}
    }
}
