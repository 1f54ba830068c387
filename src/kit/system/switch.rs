//! How a wire with a place for a breaker looks: calls a second above it, and the switch in its middle.

use super::frame::Frame;
use super::guard::{Breaker, breaker_part};
use super::state::LiveWire;
use crate::figures::states::{Lever, switch};
use algorithms::circuit_breaker::State;
use engine::scene::{Anchor, Curve, Pencil, Rect, Shape, pt};
use engine::{Arg, Ink, PartId, Scene, Time};

/// Where on its wire a breaker stands.
const STANDS: f32 = 0.5;
/// A switch where there is room, and where there is less.
const ROOMY: (f32, f32) = (64.0, 48.0);
const TIGHT: (f32, f32) = (50.0, 40.0);

/// The ground and the ink of a breaker's state.
pub const fn state_inks(state: State) -> (Ink, Ink) {
    match state {
        State::Closed => (Ink::OkSoft, Ink::Ok),
        State::Open => (Ink::BadSoft, Ink::Bad),
        State::HalfOpen => (Ink::WarnSoft, Ink::Warn),
    }
}

/// The word for a breaker's state.
pub const fn state_word(state: State) -> &'static str {
    match state {
        State::Closed => "state.closed",
        State::Open => "state.open",
        State::HalfOpen => "state.half-open",
    }
}

/// A wire with a place for a breaker, as it is drawn.
pub(super) struct Guarded<'a> {
    pub(super) live: &'a LiveWire,
    pub(super) curve: &'a Curve,
    /// The part of the wire.
    pub(super) id: PartId,
    pub(super) place: u8,
    pub(super) breaker: Option<&'a Breaker>,
    /// It leads down.
    pub(super) narrow: bool,
}

impl Guarded<'_> {
    /// Draws wire and switch.
    pub(super) fn draw(&self, at: Time, scene: &mut Scene) {
        let (curve, narrow) = (self.curve, self.narrow);
        let (start, middle, end) = (curve.at(0.0), curve.at(STANDS), curve.at(1.0));
        let room = if narrow { 200.0 } else { end.x - start.x };
        let (w, h) = if room >= 96.0 && !narrow {
            ROOMY
        } else {
            TIGHT
        };
        let icon = Rect::new(middle.x - w / 2.0, middle.y - h / 2.0, w, h);
        let per_s = libm::round(self.live.calls_per_s(at).unwrap_or(0.0));
        let args = [Arg::Count(per_s as i64)];
        let rate = scene.say(if room >= 84.0 { "calls-per-s" } else { "per-s" }, &args);
        let state = self.breaker.map(|breaker| breaker.state);
        let refused = state == Some(State::Open);
        let value = scene.say(
            if refused {
                "link.refused"
            } else {
                "link.alive"
            },
            &[],
        );
        // With reduced motion what travels is counted in the middle of the frame, which lies where there is room: under the
        // switch and its words, or to the left of it.
        let frame = match (narrow, state) {
            (true, _) => Rect::new(4.0, start.y, (icon.x - 4.0).max(8.0), end.y - start.y),
            (false, Some(_)) => Rect::new(start.x, middle.y - 4.0, room, 2.0 * (h / 2.0 + 40.0)),
            (false, None) => curve.frame(),
        };
        let mut pencil = scene.link(self.id, frame, format!("{value}, {rate}"));
        pencil.figure("calls/s", per_s);
        if refused {
            pencil.line(Curve::straight(start, middle).d(), Ink::Mark, 1.5);
            pencil.dashed_line(Curve::straight(middle, end).d(), Ink::Bad, 1.5);
        } else {
            pencil.line(curve.d(), Ink::Mark, 1.5);
        }
        let (anchor, above, below) = if narrow {
            let x = icon.x + icon.w + 10.0;
            (Anchor::Start, pt(x, middle.y + 14.0), pt(x, middle.y - 3.0))
        } else {
            let above = pt(middle.x, icon.y - 7.0);
            (Anchor::Middle, above, pt(middle.x, icon.y + h + 16.0))
        };
        let text = |at, ink, text| Shape::Text {
            at,
            size: 12.5,
            bold: true,
            ink,
            anchor,
            text,
        };
        let rate_shape = text(above, Ink::Ink, rate.clone());
        let (Some(breaker), Some(state)) = (self.breaker, state) else {
            scene.background().shape(rate_shape);
            return;
        };
        let word = scene.say(state_word(state), &[]);
        let label = text(below, state_inks(state).1, word.clone());
        // With air around the words, so that an outline of the frame does not touch them.
        let mut frame = icon.grown(5.0);
        for words in [label.bounds(), rate_shape.bounds()] {
            frame = union(frame, words.grown(4.0));
        }
        if !narrow {
            let right = (frame.x + frame.w).min(end.x);
            frame.x = frame.x.max(start.x);
            frame.w = right - frame.x;
        }
        let mut pencil = scene.thing(breaker_part(self.place), frame, format!("{word}, {rate}"));
        self.tell(breaker, &mut pencil);
        let lever = match state {
            State::Closed => Lever::Closed,
            State::HalfOpen => Lever::HalfOpen,
            State::Open => Lever::Open,
        };
        let (soft, strong) = state_inks(state);
        switch(&mut pencil, icon, lever, soft, strong);
        pencil.shape(label).shape(rate_shape);
    }

    fn tell(&self, breaker: &Breaker, pencil: &mut Pencil<'_>) {
        let is = |state| f64::from(u8::from(breaker.state == state));
        pencil
            .figure("closed", is(State::Closed))
            .figure("open", is(State::Open))
            .figure("half-open", is(State::HalfOpen))
            .figure("passed", f64::from(breaker.passed))
            .figure("refused", f64::from(breaker.refused));
    }
}

/// How far a call that a breaker refuses is on its way to it and back: the share of the wire, and whether it is coming back.
pub(super) fn bounce(frame: &Frame, at: Time) -> (f32, bool) {
    let way = frame.leg.share(at);
    ((1.0 - (2.0 * way - 1.0).abs()) * (STANDS - 0.14), way > 0.5)
}

fn union(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let right = (a.x + a.w).max(b.x + b.w);
    let bottom = (a.y + a.h).max(b.y + b.h);
    Rect::new(x, y, right - x, bottom - y)
}
