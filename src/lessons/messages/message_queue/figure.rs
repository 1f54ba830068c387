//! The lesson's own figure: what went out, what the queue was asked, and when a killed worker's order was tried again.

use super::{BURST, Seen, asked};
use engine::scene::{Rect, pt};
use engine::{Arg, Ink, PartId, Scene, Time};
use kit::figures::label::fitting;
use kit::figures::tenths;
use kit::system::{System, Values};

/// E-mails that went out, by order.
pub(super) const OUT: PartId = PartId::one("out");
/// Requests to the queue.
pub(super) const ASKS: PartId = PartId::one("asks");
/// How long something took: a killed worker's order, or a thousand orders.
pub(super) const TOOK: PartId = PartId::one("took");

/// Whose chain of causes answers for what is drawn here, and for users as long as none of them has left.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (OUT, PartId::one("queue")),
    (ASKS, PartId::one("queue")),
    (TOOK, PartId::one("queue")),
    (PartId::one("users"), PartId::one("app")),
];

/// Orders shown at most.
const SHOWN: usize = 20;
const CELL: f32 = 24.0;
const PAD: f32 = 12.0;
/// What is told of e-mails lately looks so far back.
pub(super) const LATELY: Time = Time::s(20);

/// Draws all of it under the parts and returns its height.
pub(super) fn draw(
    system: &System,
    knobs: &Values,
    at: Time,
    area: Rect,
    scene: &mut Scene,
) -> f32 {
    let y = area.y + 4.0;
    let w = area.w - 2.0 * PAD;
    let (out, asks, took) = if area.w >= 560.0 {
        let left = (w - PAD) * 0.58;
        let x = PAD + left + PAD;
        let right = w - left - PAD;
        (
            Rect::new(PAD, y, left, 62.0),
            Rect::new(x, y, right, 27.0),
            Rect::new(x, y + 35.0, right, 27.0),
        )
    } else {
        (
            Rect::new(PAD, y, w, 62.0),
            Rect::new(PAD, y + 70.0, w, 27.0),
            Rect::new(PAD, y + 105.0, w, 27.0),
        )
    };
    self::out(system, knobs, at, out, scene);
    self::asks(system, at, asks, scene);
    self::took(system, at, took, scene);
    took.y + took.h + 8.0 - area.y
}

/// The last orders that were worked on, a square each, with how many e-mails each has had.
fn out(system: &System, knobs: &Values, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let fit = (((rect.w - 20.0) / CELL).floor().max(1.0) as usize).min(SHOWN);
    let skipped = seen.orders.len().saturating_sub(fit);
    let shown: Vec<(u32, u32)> = seen
        .orders
        .iter()
        .skip(skipped)
        .map(|order| (order.sent, order.done))
        .collect();
    let most = shown.iter().map(|(sent, _)| *sent).max().unwrap_or(0);
    let refused = shown.iter().filter(|(sent, done)| done > sent).count();
    let args = seen.sent.map(|n| Arg::Count(i64::from(n)));
    let word = if knobs.on("key") { "out.key" } else { "out" };
    let (title, short) = (scene.say(word, &args), scene.say("out.short", &args));
    let times: Vec<String> = shown
        .iter()
        .map(|(sent, _)| scene.say("times", &[Arg::Count(i64::from(*sent))]))
        .collect();
    let mut pencil = scene.thing(OUT, rect, title.clone());
    pencil
        .figure("sent", f64::from(seen.sent[0]))
        .figure("again", f64::from(seen.sent[1]))
        .figure("most", f64::from(most))
        .figure("refused", refused as f64)
        .figure("twice lately", seen.twice_lately(LATELY, at) as f64);
    pencil.bordered(rect, 10.0, Ink::Card, Ink::Line, 1.0);
    pencil.bold(
        pt(rect.x + 10.0, rect.y + 17.0),
        12.0,
        Ink::Secondary,
        fitting(&[title, short], 12.0, true, rect.w - 20.0),
    );
    for (i, ((sent, done), times)) in shown.into_iter().zip(times).enumerate() {
        let x = rect.x + 10.0 + i as f32 * CELL;
        let cell = Rect::new(x, rect.y + 28.0, CELL - 3.0, 22.0);
        let middle = pt(cell.centre().x, cell.y + 15.5);
        if sent > 1 {
            pencil.filled(cell, 4.0, Ink::Bad);
            pencil.centred(middle, 12.0, true, Ink::OnBad, times);
        } else if done > sent {
            // The provider has refused it once more.
            pencil.bordered(cell, 4.0, Ink::OkSoft, Ink::Ok, 3.0);
        } else {
            pencil.bordered(cell, 4.0, Ink::OkSoft, Ink::Ok, 1.0);
        }
    }
}

/// What the queue was asked within the last minute.
fn asks(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let found = asked(system, at);
    let (per_minute, empty) = found.unwrap_or((0.0, 0.0));
    let share = Arg::Share((empty * 100.0).round() / 100.0);
    let args = [Arg::Count(per_minute.round() as i64), share];
    let (line, short) = match found {
        Some(_) => (scene.say("asks", &args), scene.say("asks.short", &args)),
        None => (scene.say("asks.soon", &[]), scene.say("asks.soon", &[])),
    };
    let mut pencil = scene.thing(ASKS, rect, line.clone());
    pencil
        .figure("per minute", per_minute.round())
        .figure("empty %", (empty * 100.0).round());
    pencil.bordered(rect, 8.0, Ink::Card, Ink::Line, 1.0);
    let text = fitting(&[line, short], 12.0, false, rect.w - 20.0);
    pencil.text(pt(rect.x + 10.0, rect.y + 18.0), 12.0, Ink::Ink, text);
}

/// How long the last thing took that the learner did: a killed worker's order until it was lent again, or many orders until
/// they were done.
fn took(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let burst = seen.burst.map(|(came, done)| (came, done, true));
    let killed = seen.killed.filter(|killed| killed.number > 0);
    let killed = killed.map(|killed| (killed.at, killed.again, false));
    let last = [burst, killed]
        .into_iter()
        .flatten()
        .max_by_key(|(from, ..)| *from);
    let span = last.map_or(Time::ZERO, |(from, to, _)| to.unwrap_or(at).since(from));
    let burst = Arg::Count(i64::from(BURST));
    let (line, ink) = match last {
        None => (scene.say("took.nothing", &[]), Ink::Secondary),
        Some((_, Some(_), false)) => (scene.say("took.again", &[tenths(span)]), Ink::Ink),
        Some((_, None, false)) => (scene.say("took.sleeps", &[tenths(span)]), Ink::Warn),
        Some((_, Some(_), true)) => (scene.say("took.done", &[burst, tenths(span)]), Ink::Ink),
        Some((_, None, true)) => (scene.say("took.drains", &[burst, tenths(span)]), Ink::Warn),
    };
    let mut pencil = scene.thing(TOOK, rect, line.clone());
    pencil.figure("s", span.as_s());
    pencil.bordered(rect, 8.0, Ink::Card, Ink::Line, 1.0);
    let text = fitting(&[line], 12.0, false, rect.w - 20.0);
    pencil.text(pt(rect.x + 10.0, rect.y + 18.0), 12.0, ink, text);
}
