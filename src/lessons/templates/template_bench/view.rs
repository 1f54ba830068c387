//! The stage: what is looked for, and the row of numbers.

use super::model::{Desk, HAND, ROW, Settings, Step};
use engine::scene::{Rect, pt};
use engine::text::tenths;
use engine::{Arg, Glyph, Ink, Scene, Time};
use kit::figures::{DOT, NodeCard, panel};
use kit::layout::{Slot, Span, lay, part, space};

pub(super) fn draw(desk: &Desk, _: &Settings, at: Time, scene: &mut Scene) {
    let stage = Slot::Spine(vec![
        part(HAND, (150.0, 180.0), 72.0),
        space(16.0),
        part(ROW, Span::rest(240.0, 1.0), (150.0, 210.0)),
    ]);
    let placed = lay(scene, &stage);
    let count = |n: u32| Arg::Count(i64::from(n));

    let hand = desk.bench.hand(0);
    let looks = hand.begun().len() as u32;
    let name = match desk.wanted {
        Some(wanted) => scene.say("wanted", &[count(wanted + 1)]),
        None => scene.name(HAND),
    };
    let status = scene.say("looks", &[count(looks)]);
    let card = NodeCard::plain(placed.of(HAND), name.clone(), status.clone());
    let mut pencil = scene.thing(HAND, placed.of(HAND), format!("{name}: {status}"));
    pencil.figure("looks", f64::from(looks));
    card.draw(&mut pencil);

    let r = placed.of(ROW);
    let numbers = desk.craft.count;
    let says = scene.say("numbers", &[count(numbers)]);
    let mut pencil = scene.thing(ROW, r, says.clone());
    pencil.figure("numbers", f64::from(numbers));
    panel(&mut pencil, r, says);
    let columns = if numbers > 64 { 32 } else { 16 };
    let rows = numbers.div_ceil(columns);
    let (w, h) = (
        (r.w - 24.0) / columns as f32,
        ((r.h - 44.0) / rows as f32).min(36.0),
    );
    let cell = |at: u32| {
        let (x, y) = ((at % columns) as f32, (at / columns) as f32);
        let corner = (r.x + 12.0 + w * x, r.y + 32.0 + h * y);
        Rect::new(corner.0, corner.1, w * 0.86, h - 2.0)
    };
    let mut d = String::new();
    for at in 0..numbers {
        let c = cell(at);
        let (w, h) = (tenths(c.w), tenths(c.h));
        d.push_str(&format!("M{} {}h{w}v{h}h-{w}Z", tenths(c.x), tenths(c.y)));
    }
    pencil.area(d, Ink::Rail);
    let looked = hand.begun().iter().filter(|step| step.0 < numbers);
    for Step(at) in looked {
        pencil.filled(cell(*at), 2.0, Ink::AccentSoft);
    }
    if let Some(Step(here)) = hand.step() {
        let from = hand.begun().iter().rev().nth(1).map_or(here, |step| step.0);
        let (from, to) = (cell(from).centre(), cell(here).centre());
        let share = hand.share(at);
        let p = pt(
            from.x + (to.x - from.x) * share,
            from.y + (to.y - from.y) * share,
        );
        scene.particle(p, DOT, Glyph::Request, Ink::Accent, desk.asked);
    }
}
