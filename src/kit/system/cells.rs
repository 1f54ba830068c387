//! Cards of services that show each worker and each place of the queue.

use super::System;
use super::state::{Live, Part};
use crate::figures::NodeCard;
use crate::figures::cells::Cells;
use crate::figures::label::{ending, fitting};
use crate::flow::Member;
use engine::scene::{Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene};

/// Rows of workers, and how far apart they are at most.
const WORKERS: (usize, f32) = (3, 13.0);
/// The same of places to wait in.
const PLACES: (usize, f32) = (2, 9.0);
/// Where the workers begin, under name and status.
const HEAD: f32 = 56.0;
/// The lesson's line.
const FOOT: f32 = 25.0;
/// What a card is short of on both sides.
const INSET: f32 = 14.0;

/// How high such a card is.
pub(super) fn height(live: &Live, width: f32) -> f32 {
    let Some(service) = live.service() else {
        return 0.0;
    };
    let rows = |count: usize, (rows, pitch): (usize, f32)| {
        let fit = (((width - 2.0 * INSET) / pitch) as usize).max(1);
        count.div_ceil(fit).min(rows) as f32 * pitch
    };
    let (workers, places) = (service.workers as usize, service.places as usize);
    HEAD + rows(workers, WORKERS) + rows(places, PLACES) + 4.0 + FOOT
}

/// What the card of a member says, apart from what can be seen in it.
pub(super) struct Said {
    pub(super) status: String,
    pub(super) ink: Ink,
    pub(super) border: Ink,
    pub(super) spoken: String,
    /// What died here lately, if anything did.
    pub(super) died: Option<String>,
    /// Why, without how many.
    pub(super) why: Option<String>,
    /// The lesson's line.
    pub(super) line: Option<String>,
}

/// A member, its node and its name.
pub(super) type Whose<'a> = (&'a Live, &'a Member<Part>, PartId);

/// Draws the card of a member; `ink_of` colours a call by its key.
pub(super) fn draw(
    (live, member, part): Whose<'_>,
    system: &System,
    said: Said,
    (card, narrow): (Rect, bool),
    scene: &mut Scene,
    ink_of: &dyn Fn(&super::Frame) -> Ink,
) {
    let pool = &member.own.pool;
    let (held, queued) = (pool.held.len(), pool.queue.len());
    let (workers, places) = live.service().map_or((0, 0), |service| {
        (service.workers as usize, service.places as usize)
    });
    let width = card.w - 2.0 * INSET;
    let area = |y: f32, h: f32| Rect::new(card.x + INSET, y, width, h);
    let high = |rows: (usize, f32)| rows.0 as f32 * rows.1;
    let all = workers.max(held);
    let top = card.y + HEAD;
    let at_work = Cells::of(area(top, high(WORKERS)), all, WORKERS.0, WORKERS.1);
    let rows = (all.div_ceil(((width / WORKERS.1) as usize).max(1))).min(WORKERS.0);
    let below = top + rows as f32 * WORKERS.1 + 4.0;
    let waits = Cells::of(
        area(below, high(PLACES)),
        places.max(queued),
        PLACES.0,
        PLACES.1,
    );
    let calls = || pool.held.iter().chain(&pool.queue);
    let nobody = calls()
        .filter_map(|key| system.frame(*key))
        .filter(|frame| system.is_for_nobody(frame))
        .count();
    // On a wide stage there is room under a card, on a narrow one beside its name.
    let mut frame = card;
    if said.died.is_some() && !narrow {
        frame.h += 19.0;
    }
    let full = held >= workers && queued > 0;
    let face = NodeCard {
        rect: card,
        name: scene.name(part),
        status: if full && member.down.is_none() {
            scene.say("full", &[Arg::Count(queued as i64)])
        } else {
            said.status
        },
        ink: if full { Ink::Bad } else { said.ink },
        border: if full { Ink::Bad } else { said.border },
        meter: None,
    };
    let spoken = [Some(said.spoken), said.line.clone(), said.died.clone()];
    let spoken: Vec<String> = spoken.into_iter().flatten().collect();
    let row = member.own.row;
    let mut pencil = scene.thing(part, frame, spoken.join(", "));
    pencil
        .figure("busy", held as f64 / workers.max(1) as f64)
        .figure("held", held as f64)
        .figure("waiting", queued as f64)
        .figure("for-nobody", nobody as f64)
        .figure("failed", f64::from(row.of(super::Count::Failed)))
        .figure("done", f64::from(row.of(super::Count::Done)));
    face.draw(&mut pencil);
    at_work.sockets(&mut pencil, all);
    waits.pips(&mut pencil, places);
    if let Some(line) = said.line {
        let at = pt(card.x + INSET, card.y + card.h - 9.0);
        pencil.text(at, 12.0, Ink::Ink, fitting(&[line], 12.0, false, width));
    }
    if let Some(died) = said.died {
        let at = if narrow {
            pt(card.x + card.w - INSET, card.y + 25.0)
        } else {
            pt(card.x + card.w, card.y + card.h + 14.0)
        };
        ending(&mut pencil, at, 12.0, true, Ink::Bad, died);
    }
    let blocks = [(&at_work, held), (&waits, queued)];
    let places = blocks
        .into_iter()
        .flat_map(|(cells, count)| (0..count).map(move |i| (cells.at(i), cells.r)));
    for ((at, r), key) in places.zip(calls()) {
        if let Some(frame) = system.frame(*key) {
            scene.particle(at, r, Glyph::Request, ink_of(frame), frame.number);
        }
    }
}
