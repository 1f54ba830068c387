//! The stage of a topic: who subscribes, what is on its way to each, what waits for another try.

use super::System;
use super::state::Live;
use crate::figures::label::fitting;
use engine::scene::{Rect, pt};
use engine::{Arg, Glyph, Ink, Scene, Time};

/// Name and status, and one who subscribes.
const HEAD_H: f32 = 56.0;
const ROW_H: f32 = 42.0;
/// Distance between copies that wait.
const PITCH: f32 = 13.0;

/// How high the card is.
pub(super) fn height(live: &Live) -> f32 {
    let rows = live.fan().map_or(0, |fan| fan.subscribers().len());
    HEAD_H + ROW_H * rows as f32
}

/// Draws it.
pub(super) fn draw(live: &Live, system: &System, card: Rect, at: Time, scene: &mut Scene) {
    let (Some(fan), Some(member)) = (live.fan(), live.members.get(0)) else {
        return;
    };
    let part = live.node.part_of(0);
    let count = |n: usize| Arg::Count(n as i64);
    let pending: usize = fan
        .subscribers()
        .iter()
        .map(|it| fan.pending(it.rule.over))
        .sum();
    let down = member.down.map(|since| {
        let span = crate::figures::tenths(at.since(since));
        scene.say("crashed", &[span])
    });
    let border = match down {
        Some(_) => Ink::Bad,
        None => Ink::LineStrong,
    };
    let status = down.unwrap_or_else(|| scene.say("copies", &[count(pending)]));
    let rows: Vec<[String; 2]> = fan
        .subscribers()
        .iter()
        .map(|it| {
            let over = it.rule.over;
            let to = system.wire(over).and_then(|wire| {
                let to = system.node(wire.wire.to)?;
                Some(scene.name(to.node.part_of(0)))
            });
            let mut name = to.unwrap_or_default();
            if !it.rule.classes.is_empty() {
                name = format!("{name} · {}", scene.say("filter", &[]));
            }
            let waiting = fan.waiting(over);
            let args = [
                count(fan.pending(over) - waiting),
                count(waiting),
                count(it.dead.len()),
            ];
            [name, scene.say("subscription", &args)]
        })
        .collect();
    let spoken = rows.iter().map(|[name, state]| format!("{name}: {state}"));
    let spoken = std::iter::once(status.clone()).chain(spoken);
    let spoken = spoken.collect::<Vec<_>>().join("; ");
    let name = scene.name(part);
    let inner = card.w - 28.0;
    let x = card.x + 14.0;
    let mut pencil = scene.thing(part, card, spoken);
    pencil
        .figure("copies", pending as f64)
        .figure(
            "waiting",
            fan.subscribers()
                .iter()
                .map(|it| fan.waiting(it.rule.over))
                .sum::<usize>() as f64,
        )
        .figure(
            "dead",
            fan.subscribers()
                .iter()
                .map(|it| it.dead.len())
                .sum::<usize>() as f64,
        );
    pencil.bordered(card, 12.0, Ink::Card, border, 1.5);
    let fits = |text: String| fitting(&[text], 12.0, false, inner);
    pencil.bold(pt(x, card.y + 24.0), 14.5, Ink::Ink, name);
    pencil.text(pt(x, card.y + 45.0), 12.0, Ink::Secondary, fits(status));
    for (i, [name, state]) in rows.into_iter().enumerate() {
        let y = card.y + HEAD_H + ROW_H * i as f32;
        pencil.line(format!("M{x} {y}h{inner}"), Ink::Line, 1.0);
        pencil.text(pt(x, y + 17.0), 12.0, Ink::Ink, fits(name));
        pencil.text(pt(x, y + 34.0), 12.0, Ink::Secondary, fits(state));
    }
    for (i, subscriber) in fan.subscribers().iter().enumerate() {
        let y = card.y + HEAD_H + ROW_H * i as f32 + 12.0;
        let letters = fan.letters(subscriber);
        for (j, number) in letters.take(4).enumerate() {
            let p = pt(card.x + card.w - 16.0 - PITCH * j as f32, y);
            scene.particle(p, 4.5, Glyph::Message, Ink::Warn, number);
        }
    }
}
