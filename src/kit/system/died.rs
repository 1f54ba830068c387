//! What died at a part lately, in a short label where it happened.

use super::frame::Reason;
use super::plan::Kind;
use super::state::{Live, Part};
use crate::figures::label::fitting;
use crate::flow::Member;
use engine::scene::{Anchor, Rect, Shape, pt};
use engine::{Arg, Ink, Scene, Time, text};

/// What the label under a card takes, and so what is left between two cards that may have one.
pub(super) const GAP: f32 = 20.0;
/// Where a way leads down from the card, the label begins behind it.
const BEHIND_WAY: f32 = 62.0;

/// What died at a member within the last second or so: how many, and why most of them. The words are `stage.died` and `loss.<…>`.
pub fn died(member: &Member<Part>, at: Time, scene: &Scene) -> Option<String> {
    Some(said(member.own.dying(at)?, scene))
}

/// Why most of what died at a member lately did, for where there is no room for how many.
pub(super) fn why(member: &Member<Part>, at: Time, scene: &Scene) -> Option<String> {
    let (reason, _) = member.own.dying(at)?;
    Some(scene.words().get(reason.label()).to_owned())
}

pub(super) fn said((reason, count): (Reason, u32), scene: &Scene) -> String {
    let died = [Arg::Count(i64::from(count)), Arg::Word(reason.label())];
    scene.say("died", &died)
}

/// Whether what dies at a node stands outside its card, which has no line for it.
pub(super) fn is_outside(kind: &Kind) -> bool {
    !matches!(kind, Kind::Service(_) | Kind::Function(_))
}

/// Adds to the card that was drawn last what died at its member: under the card, or on a narrow stage where no way leads down.
pub(super) fn draw(
    (live, member): (&Live, usize),
    (card, narrow): (Rect, bool),
    at: Time,
    scene: &mut Scene,
) {
    let member = live.members.get(member);
    let Some(died) = member.and_then(|member| self::died(member, at, scene)) else {
        return;
    };
    let width = scene.width;
    let Some(part) = scene.last() else { return };
    let frame = &mut part.frame;
    let (right, bottom) = (frame.x + frame.w, frame.y + frame.h);
    let at = match (narrow, &live.node.kind) {
        (true, Kind::Crowd(_)) => pt(card.x + card.w + 8.0, card.y + 26.0),
        (true, _) => pt(card.x + BEHIND_WAY, bottom + 14.0),
        (false, _) => pt(card.x + 14.0, bottom + 14.0),
    };
    let label = fitting(std::slice::from_ref(&died), 12.0, true, width - at.x - 4.0);
    frame.w = right.max(at.x + text::width(&label, 12.0, true) + 1.0) - frame.x;
    frame.h = bottom.max(at.y + 5.0) - frame.y;
    part.value = format!("{}, {died}", part.value);
    part.shapes.push(Shape::Text {
        at,
        size: 12.0,
        bold: true,
        ink: Ink::Bad,
        anchor: Anchor::Start,
        text: label,
    });
}
