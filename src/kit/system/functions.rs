//! The stage of a function: its instances, built, busy, idle with what is left of their time, kept ready or old.

use super::System;
use super::function::Sandbox;
use super::state::Live;
use crate::figures::label::fitting;
use algorithms::functions::{Instance, State};
use engine::scene::{Pencil, Rect, pt};
use engine::{Arg, Glyph, Ink, Scene, Time};

/// Name, status and a line of the lesson's.
const HEAD_H: f32 = 70.0;
/// An instance, and from one to the next.
const CELL: f32 = 22.0;
const PITCH: f32 = 27.0;
/// Rows of them.
const ROWS: usize = 3;

fn across(w: f32) -> usize {
    ((w - 28.0 + PITCH - CELL) / PITCH).max(1.0) as usize
}

/// How high the card is.
pub(super) fn height(_: &Live, _: f32) -> f32 {
    HEAD_H + ROWS as f32 * PITCH + 10.0
}

/// Draws it.
pub(super) fn draw(live: &Live, system: &System, card: Rect, at: Time, scene: &mut Scene) {
    let (Some(fleet), Some(member)) = (live.fleet(), live.members.get(0)) else {
        return;
    };
    let part = live.node.part_of(0);
    let all: Vec<(Sandbox, Instance)> = fleet
        .instances()
        .map(|(it, instance)| (*it, instance.clone()))
        .collect();
    let of = |wanted: fn(&State) -> bool| {
        let states = all.iter().map(|(_, it)| it.state());
        states.filter(wanted).count()
    };
    let building = of(|it| matches!(it, State::Starting));
    let busy = of(|it| matches!(it, State::Busy));
    let idle = all.len() - building - busy;
    let count = |n: usize| Arg::Count(n as i64);
    let args = [count(building), count(busy), count(idle)];
    let down = member.down.map(|since| {
        let span = crate::figures::tenths(at.since(since));
        scene.say("crashed", &[span])
    });
    let border = match (&down, member.own.rate < 1.0) {
        (Some(_), _) => Ink::Bad,
        (None, true) => Ink::Warn,
        (None, false) => Ink::LineStrong,
    };
    let status = down.unwrap_or_else(|| scene.say("instances", &args));
    let died = super::died::died(member, at, scene);
    let ink = match died {
        Some(_) => Ink::Bad,
        None => Ink::Secondary,
    };
    let line = died.or_else(|| system.script.line(live.node.id, 0, system, scene));
    let spoken = [Some(status.clone()), line.clone()];
    let spoken = spoken.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let inner = card.w - 28.0;
    let x = card.x + 14.0;
    let per_row = across(card.w);
    let places = per_row * ROWS;
    let shown = match all.len() > places {
        true => places - 1,
        false => all.len(),
    };
    let more = scene.say("more", &[count(all.len() - shown)]);
    let name = scene.name(part);
    let row = member.own.row;
    let mut pencil = scene.thing(part, card, spoken);
    pencil
        .figure("building", building as f64)
        .figure("busy", busy as f64)
        .figure("idle", idle as f64)
        .figure("cold", f64::from(row.of(super::Count::Cold)))
        .figure("failed", f64::from(row.of(super::Count::Failed)))
        .figure("done", f64::from(row.of(super::Count::Done)));
    pencil.bordered(card, 12.0, Ink::Card, border, 1.5);
    let fits = |text: String| fitting(&[text], 12.0, false, inner);
    pencil.bold(pt(x, card.y + 24.0), 14.5, Ink::Ink, name);
    pencil.text(pt(x, card.y + 44.0), 12.0, Ink::Secondary, fits(status));
    if let Some(line) = line {
        pencil.text(pt(x, card.y + 61.0), 12.0, ink, fits(line));
    }
    let place = |i: usize| {
        let (row, column) = ((i / per_row) as f32, (i % per_row) as f32);
        let (x, y) = (x + PITCH * column, card.y + HEAD_H + PITCH * row);
        Rect::new(x, y, CELL, CELL)
    };
    for i in shown..places {
        pencil.bordered(place(i).grown(-0.5), 5.0, Ink::None, Ink::Rail, 1.0);
    }
    let rule = match &live.node.kind {
        super::Kind::Function(function) => function.kept,
        _ => Time::ZERO,
    };
    for (i, (it, instance)) in all.iter().enumerate().take(shown) {
        let old = instance.version < fleet.version();
        self::instance(&mut pencil, (it, instance, old), place(i), (rule, at));
    }
    if shown < all.len() {
        let p = place(shown);
        pencil.text(pt(p.x, p.y + 15.0), 12.0, Ink::Secondary, more);
    }
    for (i, (it, instance)) in all.iter().enumerate().take(shown) {
        let waits = !instance.started;
        let mut with = system
            .frames()
            .filter(|(key, _)| fleet.with(*key) == Some(it.id));
        if let Some((_, frame)) = with.next() {
            let ink = match (system.is_for_nobody(frame), waits) {
                (true, _) => Ink::Mark,
                (false, true) => Ink::Warn,
                (false, false) => Ink::Accent,
            };
            let centre = place(i).centre();
            let glyph = match frame.is_copy() {
                true => Glyph::Message,
                false => Glyph::Request,
            };
            scene.particle(centre, 5.0, glyph, ink, frame.number);
        }
    }
}

/// One instance: dashed and filling up while it is built, framed while it has work; while it is idle a line that runs down.
fn instance(
    pencil: &mut Pencil<'_>,
    (it, instance, old): (&Sandbox, &Instance, bool),
    cell: Rect,
    (kept, at): (Time, Time),
) {
    let frame = cell.grown(-0.75);
    let border = match (instance.provisioned, old) {
        (_, true) => Ink::Mark,
        (true, false) => Ink::Hit,
        (false, false) => Ink::LineStrong,
    };
    match instance.state() {
        State::Starting => {
            let share = at.progress(it.since, it.until);
            let h = (cell.h - 4.0) * share;
            let level = Rect::new(cell.x + 2.0, cell.y + cell.h - 2.0 - h, cell.w - 4.0, h);
            pencil.dashed(frame, 5.0, Ink::Paper, Ink::Warn, 1.5);
            if h > 1.0 {
                pencil.filled(level, 2.0, Ink::WarnSoft);
            }
        }
        State::Busy => _ = pencil.bordered(frame, 5.0, Ink::AccentSoft, border, 2.0),
        State::Idle { since_us } => {
            if old {
                pencil.dashed(frame, 5.0, Ink::Card, border, 1.5);
            } else {
                pencil.bordered(frame, 5.0, Ink::Card, border, 1.5);
            }
            if !instance.provisioned {
                let since = Time(since_us);
                let left = 1.0 - at.progress(since, since + kept);
                let w = (cell.w - 8.0) * left;
                let line = Rect::new(cell.x + 4.0, cell.y + cell.h - 6.0, w.max(1.0), 2.5);
                pencil.filled(line, 1.0, Ink::Secondary);
            }
        }
    }
}
