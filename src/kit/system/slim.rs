//! Slim cards: a line for each worker of a member, so that many members fit one under another.

use super::System;
use super::cells::{Said, Whose};
use super::state::Live;
use crate::figures::label::{ending, fitting};
use crate::figures::{DOT, sockets};
use engine::scene::{Rect, pt};
use engine::{Glyph, Ink, Scene, text};

/// How wide a card is.
pub(super) const WIDTH: f32 = 160.0;
/// The height of a line, and what is left between two.
const LINE: f32 = 30.0;
/// From one card to the next.
pub(super) const GAP: f32 = 5.0;
/// What a card is short of on both sides.
const INSET: f32 = 10.0;

/// How high the card of one member is: as high as the cards of as many members with one worker each.
pub(super) fn height(live: &Live) -> f32 {
    live.workers().max(1) as f32 * (LINE + GAP) - GAP
}

/// Draws the card of a member. A worker that waits for somebody's answer is told apart from one that works.
pub(super) fn draw(
    (live, member, part): Whose<'_>,
    system: &System,
    said: Said,
    card: Rect,
    scene: &mut Scene,
) {
    let pool = &member.own.pool;
    let (held, queued) = (pool.held.len(), pool.queue.len());
    let places = live.service().map_or(0, |service| service.places as usize);
    let workers = live.workers();
    let name = scene.name(part);
    let name_w = text::width(&name, 12.5, true);
    let spoken = [Some(said.spoken), said.line.clone(), said.died.clone()];
    let spoken: Vec<String> = spoken.into_iter().flatten().collect();
    let frames = || pool.held.iter().filter_map(|key| system.frame(*key));
    let stuck = frames().filter(|frame| frame.pending > 0).count();
    let row = member.own.row;
    let dead = member.down.is_some();
    let place = |i: usize| {
        let x = card.x + card.w - 16.0;
        pt(x, card.y + LINE / 2.0 + (LINE + GAP) * i as f32)
    };
    let mut pencil = scene.thing(part, card, spoken.join(", "));
    pencil
        .figure("busy", held as f64 / workers.max(1) as f64)
        .figure("stuck", stuck as f64)
        .figure("waiting", queued as f64)
        .figure("failed", f64::from(row.of(super::Count::Failed)))
        .figure("done", f64::from(row.of(super::Count::Done)));
    let border = if said.border == Ink::LineStrong {
        1.5
    } else {
        2.0
    };
    pencil.bordered(card, 10.0, Ink::Card, said.border, border);
    pencil.bold(pt(card.x + INSET, card.y + 19.5), 12.5, Ink::Ink, name);
    // What is wrong stands in place of the queue, which says nothing new then.
    let tall = card.h > 2.0 * LINE;
    let (x, y) = match tall {
        true => (card.x + INSET, card.y + 38.0),
        false => (card.x + INSET + name_w + 10.0, card.y + 19.0),
    };
    let right = card.x + card.w - if dead { 6.0 } else { 28.0 };
    let well = said.ink == Ink::Secondary;
    let trouble = match said.died {
        // Why says more than how many, where there is no room for both.
        Some(died) if !dead => Some(([Some(died), said.why], Ink::Bad)),
        _ => (!well).then_some(([Some(said.status), None], said.ink)),
    };
    let meter = Rect::new(x, y - 7.0, (right - x).max(0.0), 6.0);
    if let Some((words, ink)) = trouble {
        let words: Vec<String> = words.into_iter().flatten().collect();
        let words = fitting(&words, 11.0, true, right - x);
        if tall {
            pencil.bold(pt(x, y), 11.0, ink, words);
        } else {
            ending(&mut pencil, pt(right, y), 11.0, true, ink, words);
        }
        if dead && tall {
            let below = Rect::new(x, y + 10.0, card.w - 2.0 * INSET, 6.0);
            pencil.meter(below, 1.0, Ink::Bad, true);
        }
    } else {
        let share = queued as f32 / places.max(1) as f32;
        let ink = if share > 0.99 { Ink::Warn } else { Ink::Accent };
        pencil.meter(meter, share.min(1.0), ink, false);
    }
    if let Some(line) = said.line.filter(|_| tall) {
        let line = fitting(&[line], 11.0, false, right - x);
        pencil.text(pt(x, y + 18.0), 11.0, Ink::Secondary, line);
    }
    if dead {
        return;
    }
    sockets(&mut pencil, (0..workers).map(place));
    for (i, frame) in frames().take(workers).enumerate() {
        let ink = match (system.is_for_nobody(frame), frame.pending > 0) {
            (true, _) => Ink::Mark,
            (false, true) => Ink::Warn,
            (false, false) => Ink::Accent,
        };
        scene.particle(place(i), DOT - 0.5, Glyph::Request, ink, frame.number);
    }
}
