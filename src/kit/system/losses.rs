//! What is seen of wires that lose: a share, and a label where something died.

use super::state::LiveWire;
use crate::figures::DOT;
use engine::scene::{Curve, pt};
use engine::{Arg, Glyph, Ink, Scene, Time, text};

/// What is told of the way to a member beside its state: the share that is lost, and what was lost lately.
pub(super) fn spoken(
    live: &LiveWire,
    member: usize,
    state: String,
    at: Time,
    scene: &Scene,
) -> String {
    let share = (live.loss > 0.0).then(|| scene.say("link.lossy", &[Arg::Share(live.loss)]));
    let all = [Some(state), share, died(live, member, at, scene)];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Why things died on the way to a member within the last second or so, and how many.
fn died(live: &LiveWire, member: usize, at: Time, scene: &Scene) -> Option<String> {
    let (reason, count) = live.lost.get(member)?.told(at)?;
    let died = [Arg::Count(i64::from(count)), Arg::Word(reason.label())];
    Some(scene.say("died", &died))
}

/// Draws a cross half-way where something died lately, and how many of them there were.
pub(super) fn draw(
    live: &LiveWire,
    (member, way): (usize, &Curve),
    narrow: bool,
    at: Time,
    scene: &mut Scene,
) {
    let Some(died) = died(live, member, at, scene) else {
        return;
    };
    let (from, middle, to) = (way.at(0.0), way.at(0.5), way.at(1.0));
    scene.particle(middle, DOT, Glyph::Failure, Ink::Bad, 0);
    let wide = text::width(&died, 12.0, true);
    let mut pencil = scene.background();
    if narrow {
        pencil.bold(pt(middle.x + 16.0, middle.y + 4.0), 12.0, Ink::Bad, died);
    } else if wide <= (to.x - from.x).abs() {
        let at = pt(middle.x, middle.y - 14.0);
        pencil.centred(at, 12.0, true, Ink::Bad, died);
    } else {
        // There is only room for the number: the reason is spoken, and stands in the note.
        let count = live.lost.get(member).and_then(|it| it.told(at));
        let count = count.map_or(0, |(_, count)| count);
        let at = pt(middle.x, middle.y - 14.0);
        pencil.centred(at, 12.0, true, Ink::Bad, count.to_string());
    }
}
