//! Upright bars beside each other, such as keys by popularity; told apart by filling as well as by colour.

use engine::Ink;
use engine::scene::{Pencil, Rect};

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Its height as a share of the plot's, from 0 to 1; what is no number counts as 0.
    pub share: f32,
    /// Its colour.
    pub ink: Ink,
    /// Whether it is filled; else it is an outline.
    pub full: bool,
}

/// Draws bars on the lower edge of `plot`, `pitch` units apart. The lowest are 3 units high, so that none is lost.
pub fn bars(pencil: &mut Pencil<'_>, plot: Rect, pitch: f32, bars: impl Iterator<Item = Bar>) {
    let w = pitch * 0.76;
    for (i, bar) in bars.enumerate() {
        let h = (plot.h * bar.share.max(0.0)).clamp(3.0, plot.h.max(3.0));
        let x = plot.x + pitch * i as f32;
        let r = Rect::new(x, plot.y + plot.h - h, w, h);
        if bar.full {
            pencil.filled(r, 2.0, bar.ink);
        } else {
            // The border lies inside, so that both kinds are as wide.
            pencil.bordered(r.grown(-0.5), 1.5, Ink::Card, bar.ink, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::scene::Shape;
    use engine::{PartId, Scene};
    use std::rc::Rc;

    #[test]
    fn bars_stay_in_their_plot_and_differ_without_colour() {
        let mut scene = Scene::new(400.0, Rc::default());
        let plot = Rect::new(10.0, 10.0, 100.0, 40.0);
        let drawn = [1.0, 0.5, 0.0, 7.0, f32::NAN].map(|share| Bar {
            share,
            ink: Ink::Hit,
            full: share > 0.6,
        });
        let mut pencil = scene.thing(PartId::one("a"), plot, "x".into());
        bars(&mut pencil, plot, 20.0, drawn.into_iter());
        let fills: Vec<Ink> = scene.parts()[0]
            .shapes
            .iter()
            .map(|shape| {
                let Shape::Box { rect, fill, .. } = shape else {
                    panic!("{shape:?} is no box");
                };
                assert!(plot.holds(rect) && rect.h >= 2.0);
                *fill
            })
            .collect();
        let (on, off) = (Ink::Hit, Ink::Card);
        assert_eq!(fills, [on, off, off, on, off]);
    }
}
