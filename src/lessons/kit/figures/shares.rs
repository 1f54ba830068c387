//! Bars of shares: what became of something, told apart by filling as well as by colour.

use engine::scene::{Pencil, Rect};
use engine::{Ink, text};

/// How a share is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// In full.
    Full,
    /// In a soft ground with an outline.
    Outline,
    /// In hatches.
    Hatched,
}

/// One share of a bar.
#[derive(Clone, Debug)]
pub struct Share {
    /// From 0 to 1.
    pub share: f64,
    /// Its ink; of an outline, that of the line.
    pub ink: Ink,
    /// The ground under it, for an outline or hatches.
    pub ground: Ink,
    /// How it is filled; hatches have inks of their own.
    pub fill: Fill,
}

impl Share {
    /// All of a rectangle.
    pub fn fill(&self, pencil: &mut Pencil<'_>, rect: Rect) {
        match self.fill {
            Fill::Full => pencil.filled(rect, 2.0, self.ink),
            Fill::Outline => pencil.bordered(rect.grown(-0.5), 2.0, self.ground, self.ink, 1.5),
            Fill::Hatched => pencil
                .filled(rect, 2.0, self.ground)
                .filled(rect, 2.0, self.ink),
        };
    }
}

/// Draws shares side by side in `bar`; what is left of it stays empty.
pub fn shares<'a>(pencil: &mut Pencil<'_>, bar: Rect, shares: impl Iterator<Item = &'a Share>) {
    pencil.filled(bar, 3.0, Ink::Rail);
    let mut x = bar.x;
    for one in shares {
        let w = bar.w * one.share as f32;
        if w >= 1.0 {
            one.fill(pencil, Rect::new(x, bar.y, w, bar.h));
        }
        x += w;
    }
}

/// A share in whole per cent.
pub fn percent(share: f64) -> String {
    format!("{} %", text::fixed(share * 100.0, 0))
}
