//! What is seen of wires that lose: a share, and a label where something died.

use super::died::said;
use super::state::LiveWire;
use crate::figures::DOT;
use engine::scene::{Curve, Rect, pt};
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
    Some(said(live.lost.get(member)?.told(at)?, scene))
}

/// Draws a cross half-way where something died lately, and why: over the way, or over the card that it leads to where the way bends
/// down to it.
pub(super) fn draw(
    live: &LiveWire,
    (member, way, card): (usize, &Curve, Rect),
    narrow: bool,
    at: Time,
    scene: &mut Scene,
) {
    let Some(died) = died(live, member, at, scene) else {
        return;
    };
    let (from, middle, to) = (way.at(0.0), way.at(0.5), way.at(1.0));
    scene.particle(middle, DOT, Glyph::Failure, Ink::Bad, 0);
    let mut pencil = scene.background();
    if narrow {
        let bends = (to.x - from.x).abs() > 1.0;
        let at = match bends {
            true => pt(card.x + 4.0, card.y - 4.0),
            false => pt(middle.x + 16.0, middle.y + 4.0),
        };
        pencil.bold(at, 11.0, Ink::Bad, died);
        return;
    }
    let lines = wrapped(&died, (to.x - from.x).abs() - 16.0);
    let top = middle.y - 14.0 * lines.len() as f32;
    for (i, line) in lines.into_iter().enumerate() {
        let at = pt(middle.x, top + 14.0 * i as f32);
        pencil.centred(at, 12.0, true, Ink::Bad, line);
    }
}

/// A label in lines that are no wider than there is room, as far as words can be parted.
fn wrapped(label: &str, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in label.split(' ') {
        match lines.last_mut() {
            Some(line) if text::width(&format!("{line} {word}"), 12.0, true) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_takes_as_many_lines_as_it_needs() {
        let label = "10 × lost on the way";
        assert_eq!(wrapped(label, 500.0), [label]);
        assert_eq!(wrapped(label, 90.0).join(" "), label);
        assert!(wrapped(label, 90.0).len() == 2 && wrapped(label, 1.0).len() == 6);
    }
}
