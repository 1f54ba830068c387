//! Tiles: the members of a node in a grid, for more of them than there is room for cards.

use super::System;
use super::cells::{Said, Whose};
use super::state::Live;
use crate::figures::sockets;
use engine::scene::{Rect, pt};
use engine::{Glyph, Ink, Scene, Time, text};

/// Tiles beside each other, and where there is little room.
const ACROSS: (usize, usize) = (10, 6);
/// The height of a tile, and what is left between two.
const HIGH: f32 = 36.0;
const GAP: f32 = 4.0;
/// A tile less wide than that has room for its number and a dot.
const TIGHT: f32 = 36.0;
/// How wide a grid is where a stage is not roomy, and where it is.
pub(super) const WIDTH: f32 = 376.0;
pub(super) const ROOMY_W: f32 = 446.0;

fn across(w: f32) -> usize {
    if w < 320.0 { ACROSS.1 } else { ACROSS.0 }
}

/// How high the grid of a node is that is so wide.
pub(super) fn height(live: &Live, w: f32) -> f32 {
    let places = usize::from(live.node.tiles).max(live.members.len());
    places.div_ceil(across(w)) as f32 * (HIGH + GAP) - GAP
}

/// Where a member stands in its grid.
pub(super) fn place(grid: Rect, member: usize) -> Rect {
    let across = across(grid.w);
    let pitch = (grid.w + GAP) / across as f32;
    let (column, row) = ((member % across) as f32, (member / across) as f32);
    let y = grid.y + (HIGH + GAP) * row;
    Rect::new(grid.x + pitch * column, y, pitch - GAP, HIGH)
}

/// Draws the places, empty ones too.
pub(super) fn ground(places: usize, grid: Rect, scene: &mut Scene) {
    let mut pencil = scene.background();
    for i in 0..places {
        pencil.bordered(place(grid, i).grown(-0.5), 6.0, Ink::None, Ink::Line, 1.0);
    }
}

/// Draws the tile of a member: its number, its workers as one meter, and how full its queue is; dashed with a clock while it
/// starts, dashed while it finishes what it has.
pub(super) fn draw(
    (live, member, part): Whose<'_>,
    system: &System,
    said: Said,
    (tile, at): (Rect, Time),
    scene: &mut Scene,
) {
    let pool = &member.own.pool;
    let (held, queued) = (pool.held.len(), pool.queue.len());
    let places = live.service().map_or(1, |service| service.places.max(1));
    let row = member.own.row;
    let spoken = [Some(said.spoken), said.line, said.died];
    let spoken: Vec<String> = spoken.into_iter().flatten().collect();
    let mut pencil = scene.thing(part, tile, spoken.join(", "));
    pencil
        .figure("busy", held as f64 / live.workers().max(1) as f64)
        .figure("waiting", queued as f64)
        .figure("failed", f64::from(row.of(super::Count::Failed)))
        .figure("done", f64::from(row.of(super::Count::Done)));
    let number = part.number.to_string();
    let name = pt(tile.x + 3.5, tile.y + 14.0);
    let low = pt(tile.x + 3.5, tile.y + tile.h - 6.0);
    let frame = tile.grown(-0.75);
    if let Some(starting) = member.own.starting {
        let left = text::fixed(starting.until.since(at).as_s(), 1);
        pencil
            .dashed(frame, 6.0, Ink::Paper, Ink::Warn, 1.5)
            .text(name, 11.0, Ink::Secondary, number)
            .bold(low, 11.0, Ink::Warn, left);
        return;
    }
    if member.down.is_some() {
        pencil
            .bordered(frame, 6.0, Ink::BadSoft, Ink::Bad, 2.0)
            .text(name, 11.0, Ink::Bad, number);
        return;
    }
    if member.leaving {
        pencil.dashed(frame, 6.0, Ink::Card, Ink::Mark, 1.5);
    } else {
        let full = said.border == Ink::LineStrong;
        let width = if full { 1.5 } else { 2.0 };
        pencil.bordered(frame, 6.0, Ink::Card, said.border, width);
    }
    // The queue rises from the bottom.
    let share = (queued as f32 / places as f32).min(1.0);
    if queued > 0 {
        let h = (frame.h - 3.0) * share.max(0.08);
        let (x, y) = (frame.x + 2.0, frame.y + frame.h - 2.0);
        let level = format!(
            "M{} {}v-{}h{}v{}Z",
            text::tenths(x),
            text::tenths(y),
            text::tenths(h),
            text::tenths(frame.w - 4.0),
            text::tenths(h)
        );
        let ink = if share > 0.9 {
            Ink::BadSoft
        } else {
            Ink::WarnSoft
        };
        pencil.area(level, ink);
        pencil.bold(low, 11.0, Ink::Ink, queued.to_string());
    }
    let ink = if member.leaving {
        Ink::Secondary
    } else {
        Ink::Ink
    };
    pencil.text(name, 11.0, ink, number);
    // Where there is little room, who works stands beside the number without a place of its own.
    let tight = tile.w < TIGHT;
    let (aside, r) = if tight { (6.0, 4.0) } else { (8.0, 4.5) };
    let socket = pt(tile.x + tile.w - aside, tile.y + 10.5);
    if !tight {
        sockets(&mut pencil, std::iter::once(socket));
    }
    let working = pool.held.first().and_then(|key| system.frame(*key));
    if let Some(frame) = working {
        let ink = match system.is_for_nobody(frame) {
            true => Ink::Mark,
            false => Ink::Accent,
        };
        scene.particle(socket, r, Glyph::Request, ink, frame.number);
    }
}
