//! The stage of a queue: what waits, what is lent with the clocks that run, what was put aside, and who asks.

use super::shelf::Loan;
use super::state::Live;
use crate::figures::label::fitting;
use algorithms::message_queue::State;
use engine::scene::{Pencil, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, Scene, Time};
use std::f32::consts::TAU;

/// Height of a queue's card.
pub(super) const HEIGHT: f32 = 212.0;
/// Distance between messages that wait.
const PITCH: f32 = 13.0;
/// Rows of them.
const ROWS: usize = 2;
/// A clock: its radius, and how far one is from the next.
const CLOCK: f32 = 11.0;
const CLOCK_PITCH: f32 = 29.0;

/// Draws it.
pub(super) fn draw(live: &Live, card: Rect, at: Time, scene: &mut Scene) {
    let (Some(shelf), Some(member)) = (live.shelf.as_ref(), live.members.get(0)) else {
        return;
    };
    let part = live.node.part_of(0);
    let down = member.down.is_some();
    let visible: Vec<u32> = shelf
        .queue()
        .messages()
        .filter(|message| message.state(at.0) == State::Visible)
        .map(|message| message.body.number)
        .collect();
    let delayed = shelf.queue().count(State::Delayed, at.0);
    let (loans, dead) = (shelf.loans(), shelf.dead());
    let count = |n: usize| [Arg::Count(n as i64)];
    let mut title = scene.say("visible", &count(visible.len()));
    if delayed > 0 {
        title = format!("{title}, {}", scene.say("delayed", &count(delayed)));
    }
    let lent = scene.say("lent", &count(loans.len()));
    let buried = scene.say("dead", &count(dead.len()));
    let asking = scene.say("asking", &count(shelf.asking().count()));
    let name = scene.name(part);
    let spoken = [&title, &lent, &buried, &asking]
        .map(String::as_str)
        .join(", ");
    let inner = card.w - 28.0;
    let x = card.x + 14.0;
    let over = |n: usize| scene.say("more", &count(n));
    let per_row = (inner / PITCH).floor().max(1.0) as usize;
    let shown = visible.len().min(per_row * ROWS - 4);
    let more = over(visible.len() - shown);
    let clocks = 2 * (inner / CLOCK_PITCH).floor().max(1.0) as usize;
    let more_lent = over(loans.len().saturating_sub(clocks - 1));
    let mut pencil = scene.thing(part, card, spoken);
    pencil
        .figure("visible", visible.len() as f64)
        .figure("lent", loans.len() as f64)
        .figure("dead", dead.len() as f64)
        .figure("asking", shelf.asking().count() as f64)
        .figure("oldest s", shelf.oldest(at).unwrap_or(Time::ZERO).as_s())
        .figure(
            "deliveries",
            f64::from(loans.iter().map(|loan| loan.deliveries).max().unwrap_or(0)),
        );
    let border = if down { Ink::Bad } else { Ink::LineStrong };
    pencil.bordered(card, 12.0, Ink::Card, border, 1.5);
    let y = |dy: f32| card.y + dy;
    pencil.bold(pt(x, y(24.0)), 14.5, Ink::Ink, name);
    let fits = |text: String| fitting(&[text], 12.0, false, inner);
    pencil.text(pt(x, y(45.0)), 12.0, Ink::Secondary, fits(title));
    let place = |i: usize| {
        let (row, column) = ((i / per_row) as f32, (i % per_row) as f32);
        // The front, which goes next, is at the right.
        pt(
            card.x + card.w - 19.0 - column * PITCH,
            y(58.0) + row * PITCH,
        )
    };
    if visible.len() > shown {
        pencil.text(pt(x, y(75.5)), 12.0, Ink::Secondary, more);
    } else {
        // Free places show that it is a shelf.
        for p in (shown..per_row * ROWS).map(place) {
            let socket = Rect::new(p.x - 2.0, p.y - 2.0, 4.0, 4.0);
            pencil.filled(socket, 2.0, Ink::Rail);
        }
    }
    pencil.line(format!("M{x} {}h{inner}", y(83.0)), Ink::Line, 1.0);
    pencil.text(pt(x, y(99.0)), 12.0, Ink::Secondary, fits(lent));
    let per_row = clocks / 2;
    let clock = |i: usize| {
        let (row, column) = ((i / per_row) as f32, (i % per_row) as f32);
        pt(x + CLOCK + column * CLOCK_PITCH, y(119.0) + row * 27.0)
    };
    for i in loans.len()..per_row {
        let p = clock(i);
        let socket = Rect::new(p.x - CLOCK, p.y - CLOCK, 2.0 * CLOCK, 2.0 * CLOCK);
        pencil.bordered(socket, CLOCK, Ink::None, Ink::Rail, 1.5);
    }
    let all = loans.len() <= clocks;
    for (i, loan) in loans
        .iter()
        .enumerate()
        .take(if all { clocks } else { clocks - 1 })
    {
        ring(&mut pencil, clock(i), loan, at);
    }
    if !all {
        let p = clock(clocks - 1);
        pencil.text(pt(p.x - CLOCK, p.y + 4.0), 12.0, Ink::Secondary, more_lent);
    }
    pencil.line(format!("M{x} {}h{inner}", y(164.0)), Ink::Line, 1.0);
    let buried_at = pt(x, y(180.0));
    if dead.is_empty() {
        pencil.text(buried_at, 12.0, Ink::Secondary, fits(buried));
    } else {
        pencil.bold(buried_at, 12.0, Ink::Bad, fits(buried));
    }
    pencil.text(pt(x, y(200.0)), 12.0, Ink::Secondary, fits(asking));
    for (i, number) in visible.iter().take(shown).enumerate() {
        scene.particle(place(i), 4.5, Glyph::Message, Ink::Accent, *number);
    }
    let graves = dead.messages().map(|letter| letter.body.number);
    for (i, number) in graves.take(5).enumerate() {
        let p = pt(card.x + card.w - 19.0 - i as f32 * PITCH, y(176.0));
        scene.particle(p, 4.5, Glyph::Message, Ink::Bad, number);
    }
}

/// A message that is lent: what is left of its clock, and how often it has been lent.
fn ring(pencil: &mut Pencil<'_>, at: Point, loan: &Loan, now: Time) {
    let left = 1.0 - now.progress(loan.since, loan.until);
    let square = Rect::new(at.x - CLOCK, at.y - CLOCK, 2.0 * CLOCK, 2.0 * CLOCK);
    let again = loan.deliveries > 1;
    let ground = if again {
        Ink::WarnSoft
    } else {
        Ink::AccentSoft
    };
    pencil.bordered(square, CLOCK, ground, Ink::Rail, 2.5);
    let ink = if left < 0.2 || again {
        Ink::Warn
    } else {
        Ink::Accent
    };
    // A whole circle would be an arc from a point to itself.
    let angle = left.clamp(0.0, 0.999) * TAU;
    let (sin, cos) = libm::sincosf(angle);
    let end = pt(at.x + CLOCK * sin, at.y - CLOCK * cos);
    let large = u8::from(angle > TAU / 2.0);
    if left > 0.0 {
        let arc = format!(
            "M{} {}A{CLOCK} {CLOCK} 0 {large} 1 {} {}",
            at.x,
            at.y - CLOCK,
            end.x,
            end.y
        );
        pencil.line(arc, ink, 2.5);
    }
    let number = loan.deliveries.to_string();
    pencil.centred(pt(at.x, at.y + 4.0), 12.0, again, Ink::Ink, number);
}
