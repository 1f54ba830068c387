//! Bars of shares: what became of something, told apart by filling as well as by colour.

use super::label::fitting;
use super::panel;
use engine::scene::{Pencil, Rect, pt};
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

/// How one kind of thing is filled: its ink, which of an outline is the line's, and the ground under an outline or hatches.
pub type Style = (Fill, Ink, Ink);

/// A panel with bars of shares of the same kinds, the first of which counts most.
pub struct Shares<'a> {
    /// Where it stands; 48 units of height for title and names, 14 for the first bar and 12 for each other.
    pub rect: Rect,
    /// What is shared.
    pub title: String,
    /// How each kind is filled.
    pub styles: &'a [Style],
    /// What each bar is about, and its shares by kind, from 0 to 1.
    pub bars: &'a [(String, Vec<f64>)],
    /// Kinds that are named, as far as there is room, and their names.
    pub names: Vec<(usize, String)>,
}

impl Shares<'_> {
    /// Draws it.
    pub fn draw(self, pencil: &mut Pencil<'_>) {
        let r = self.rect;
        panel(pencil, r, fitting(&[self.title], 12.0, true, r.w - 20.0));
        let label = |bar: &(String, _)| text::width(&bar.0, 11.0, false);
        let wide = self.bars.iter().map(label).fold(0.0, f32::max);
        let left = r.x + 10.0 + if wide > 0.0 { wide + 8.0 } else { 0.0 };
        let (mut y, mut h) = (r.y + 26.0, 14.0);
        for (label, shares) in self.bars {
            let bar = Rect::new(left, y, r.x + r.w - 10.0 - left, h);
            pencil.text(
                pt(r.x + 10.0, y + h / 2.0 + 4.0),
                11.0,
                Ink::Secondary,
                label.as_str(),
            );
            pencil.filled(bar, 3.0, Ink::Rail);
            let mut x = bar.x;
            for (share, style) in shares.iter().zip(self.styles) {
                let w = bar.w * *share as f32;
                if w >= 1.0 {
                    fill(pencil, Rect::new(x, y, w, h), *style);
                }
                x += w;
            }
            (y, h) = (y + h + 6.0, 7.0);
        }
        let (mut x, base) = (r.x + 10.0, r.y + r.h - 10.0);
        for (kind, name) in self.names {
            let w = text::width(&name, 11.5, false);
            if x + 14.0 + w > r.x + r.w - 8.0 {
                break;
            }
            if let Some(style) = self.styles.get(kind) {
                fill(pencil, Rect::new(x, base - 8.5, 9.0, 9.0), *style);
            }
            pencil.text(pt(x + 14.0, base), 11.5, Ink::Ink, name);
            x += w + 28.0;
        }
    }
}

fn fill(pencil: &mut Pencil<'_>, rect: Rect, (fill, ink, ground): Style) {
    match fill {
        Fill::Full => pencil.filled(rect, 2.0, ink),
        Fill::Outline => pencil.bordered(rect.grown(-0.5), 2.0, ground, ink, 1.5),
        Fill::Hatched => pencil.filled(rect, 2.0, ground).filled(rect, 2.0, ink),
    };
}
