//! What died at a part lately: counted by reason and told by the second, in a short label where it happened.

use super::frame::Reason;
use super::plan::Kind;
use super::state::{Live, Part};
use crate::figures::label::fitting;
use crate::flow::Member;
use engine::scene::{Anchor, Rect, Shape, pt};
use engine::{Arg, Ink, Scene, Time, text};

/// What the label under a card takes, and so what is left between two cards that may have one.
pub(super) const GAP: f32 = 20.0;
/// A label is told for so long, and its number rests as long.
const SECOND: Time = Time::s(1);
/// Where a way leads down from the card, the label begins behind it.
const BEHIND_WAY: f32 = 62.0;

/// Deaths at one member or on one way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deaths {
    /// By reason: since this second began, and in the one before.
    counts: [[u16; Reason::ALL.len()]; 2],
    began: Time,
    last: Time,
}

impl Deaths {
    pub(super) fn add(&mut self, reason: Reason, now: Time) {
        if now.since(self.last) >= SECOND {
            *self = Deaths {
                began: now,
                ..Deaths::default()
            };
        } else if now.since(self.began) >= SECOND {
            (self.counts, self.began) = ([Default::default(), self.counts[0]], now);
        }
        let count = &mut self.counts[0][reason as usize];
        *count = count.saturating_add(1);
        self.last = now;
    }

    /// The reason that most died of, and how many did: in the last whole second, so that the number rests; in the first one, until now.
    pub(super) fn told(&self, at: Time) -> Option<(Reason, u32)> {
        if at.since(self.last) >= SECOND {
            return None;
        }
        let most = |second: &[u16; Reason::ALL.len()]| {
            let all = Reason::ALL.into_iter().zip(second);
            let (reason, count) = all.rev().max_by_key(|(_, count)| **count)?;
            (*count > 0).then_some((reason, u32::from(*count)))
        };
        most(&self.counts[1]).or_else(|| most(&self.counts[0]))
    }
}

/// What died at a member within the last second or so: how many, and why most of them. The words are `stage.died` and `loss.<…>`.
pub fn died(member: &Member<Part>, at: Time, scene: &Scene) -> Option<String> {
    Some(said(member.own.dying(at)?, scene))
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
    let label = fitting(&[died.clone()], 12.0, true, width - at.x - 4.0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deaths_are_told_by_the_second_and_by_what_most_died_of() {
        let mut deaths = Deaths::default();
        assert_eq!(deaths.told(Time::ZERO), None);
        // In turns, twice as often of one thing as of the other.
        for nth in 0..250_u64 {
            let reason = match nth % 3 {
                0 => Reason::Full,
                _ => Reason::TimedOut,
            };
            let now = Time::ms(1_000 + 10 * nth);
            deaths.add(reason, now);
            let (told, count) = deaths.told(now).unwrap();
            match nth {
                0 => assert_eq!((told, count), (Reason::Full, 1)),
                // In the first second the number grows, then it rests.
                4..100 => assert_eq!((told, u64::from(count)), (Reason::TimedOut, nth - nth / 3)),
                100..200 => assert_eq!((told, count), (Reason::TimedOut, 66)),
                200.. => assert_eq!((told, count), (Reason::TimedOut, 67)),
                _ => {}
            }
        }
        let last = Time::ms(1_000 + 2_490);
        assert!(deaths.told(last + Time::ms(999)).is_some());
        assert_eq!(deaths.told(last + SECOND), None);
    }
}
