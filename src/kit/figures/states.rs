//! State machines: pills for states, arrows for what leads from one to another, and a breaker as the switch it is named after.

use engine::scene::{Anchor, Curve, Pencil, Point, Rect, Shape, pt};
use engine::text::tenths;
use engine::{Ink, text};

/// Where the lever of a [`switch`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lever {
    /// Down: current passes.
    Closed,
    /// Nearly down.
    HalfOpen,
    /// Up: nothing passes.
    Open,
}

/// A switch in a box.
pub fn switch(pencil: &mut Pencil<'_>, rect: Rect, lever: Lever, soft: Ink, strong: Ink) {
    pencil.bordered(rect, 10.0, soft, strong, 2.0);
    let c = rect.centre();
    let half = (rect.w * 0.24).min(rect.h * 0.45);
    let (left, right) = (pt(c.x - half, c.y + 4.0), pt(c.x + half, c.y + 4.0));
    let tip = match lever {
        Lever::Closed => right,
        Lever::HalfOpen => pt(c.x + half * 0.8, c.y + 4.0 - half * 0.6),
        Lever::Open => pt(c.x + half * 0.55, c.y + 4.0 - half * 1.2),
    };
    let d = format!(
        "M{} {y}H{}M{} {y}H{}M{} {y}L{} {}",
        tenths(rect.x + 4.0),
        tenths(left.x),
        tenths(right.x),
        tenths(rect.x + rect.w - 4.0),
        tenths(left.x),
        tenths(tip.x),
        tenths(tip.y),
        y = tenths(left.y),
    );
    pencil.line(d, strong, 3.0);
    for p in [left, right] {
        pencil.filled(Rect::new(p.x - 3.5, p.y - 3.5, 7.0, 7.0), 3.5, strong);
    }
}

/// A state: its name, and a second line.
pub struct Pill {
    /// Where it stands; 48 units of height hold both lines.
    pub rect: Rect,
    /// What it is called.
    pub name: String,
    /// What that means.
    pub detail: String,
    /// If the machine is in this state: ground and ink.
    pub here: Option<(Ink, Ink)>,
    /// There is no machine: what could be is dashed.
    pub off: bool,
}

impl Pill {
    /// Draws it.
    pub fn draw(self, pencil: &mut Pencil<'_>) {
        let (r, round) = (self.rect, self.rect.h / 2.0);
        let (name, detail) = match (self.here, self.off) {
            (Some((soft, strong)), _) => {
                pencil.bordered(r, round, soft, strong, 2.5);
                (strong, Ink::Ink)
            }
            (None, false) => {
                pencil.bordered(r, round, Ink::Card, Ink::LineStrong, 1.5);
                (Ink::Secondary, Ink::Secondary)
            }
            (None, true) => {
                pencil.dashed(r, round, Ink::Card, Ink::LineStrong, 1.5);
                (Ink::Secondary, Ink::Secondary)
            }
        };
        let x = r.centre().x;
        pencil.centred(pt(x, r.y + 20.0), 14.0, true, name, self.name);
        let size = if text::width(&self.detail, 12.0, false) > r.w - 18.0 {
            11.0
        } else {
            12.0
        };
        pencil.centred(pt(x, r.y + 36.0), size, false, detail, self.detail);
    }
}

/// A curve with an arrow head in the direction in which it ends.
pub fn transition(pencil: &mut Pencil<'_>, curve: &Curve, ink: Ink) {
    let (before, tip) = (curve.at(0.9), curve.at(1.0));
    let (dx, dy) = (tip.x - before.x, tip.y - before.y);
    let length = (dx * dx + dy * dy).sqrt().max(0.01);
    let way = pt(dx / length, dy / length);
    let back = pt(tip.x - 9.0 * way.x, tip.y - 9.0 * way.y);
    let side = pt(-way.y * 4.5, way.x * 4.5);
    pencil.line(curve.d(), ink, 1.5);
    pencil.area(
        format!(
            "M{} {}L{} {}L{} {}Z",
            tenths(tip.x),
            tenths(tip.y),
            tenths(back.x + side.x),
            tenths(back.y + side.y),
            tenths(back.x - side.x),
            tenths(back.y - side.y)
        ),
        ink,
    );
}

/// What leads from one state to another, in small letters.
pub fn cause(pencil: &mut Pencil<'_>, at: Point, anchor: Anchor, text: String) {
    pencil.shape(Shape::Text {
        at,
        size: 12.0,
        bold: false,
        ink: Ink::Secondary,
        anchor,
        text,
    });
}
