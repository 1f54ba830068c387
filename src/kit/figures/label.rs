//! Short texts: what fits, pills around a point, lines that end at one, legends.

use engine::scene::{Anchor, Pencil, Point, Rect, Shape, pt};
use engine::{Ink, text};

/// The first of these texts that fits into `room`; if none does, the beginning of the last one with an ellipsis, so that
/// a longer language loses letters and never a whole statement.
pub fn fitting(texts: &[String], size: f32, bold: bool, room: f32) -> String {
    let fits = |t: &str| text::width(t, size, bold) <= room;
    if let Some(whole) = texts.iter().find(|t| fits(t)) {
        return whole.clone();
    }
    let mut cut = texts.last().cloned().unwrap_or_default();
    while cut.pop().is_some() {
        let short = format!("{}…", cut.trim_end());
        if fits(&short) && !cut.is_empty() {
            return short;
        }
    }
    cut
}

/// A line of text that ends at its point.
pub fn ending(
    pencil: &mut Pencil<'_>,
    at: Point,
    size: f32,
    bold: bool,
    ink: Ink,
    text: impl Into<String>,
) {
    pencil.shape(Shape::Text {
        at,
        size,
        bold,
        ink,
        anchor: Anchor::End,
        text: text.into(),
    });
}

/// A small tinted label around its point, 20 units high.
pub fn pill(pencil: &mut Pencil<'_>, at: Point, label: String, ground: Ink, ink: Ink) {
    let w = text::width(&label, 12.0, true) + 16.0;
    let b = Rect::new(at.x - w / 2.0, at.y - 10.0, w, 20.0);
    pencil.filled(b, 10.0, ground);
    pencil.centred(pt(at.x, at.y + 4.5), 12.0, true, ink, label);
}

/// How a legend shows what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// A thick line, its text bold in its ink.
    Main,
    /// A line.
    Line,
    /// A dashed line.
    Dashed,
    /// A filled square.
    Ground,
}

/// Draws the entries that fit on a line, from `at` on to at most `right`, and gives where the next one would begin. What
/// does not fit is left out from there on: its text must be part of the spoken value.
pub fn legend(
    pencil: &mut Pencil<'_>,
    at: Point,
    right: f32,
    entries: impl IntoIterator<Item = (Sample, Ink, String)>,
) -> f32 {
    let mut x = at.x;
    for (sample, ink, said) in entries {
        let bold = sample == Sample::Main;
        let w = 21.0 + text::width(&said, 12.0, bold);
        if x + w > right {
            break;
        }
        let line = format!("M{} {}h16", text::tenths(x), text::tenths(at.y - 4.0));
        match sample {
            Sample::Main => pencil.line(line, ink, 2.5),
            Sample::Line => pencil.line(line, ink, 1.5),
            Sample::Dashed => pencil.dashed_line(line, ink, 1.5),
            Sample::Ground => {
                let swatch = Rect::new(x + 3.0, at.y - 9.5, 11.0, 11.0);
                pencil.bordered(swatch, 2.5, ink, Ink::Mark, 0.75)
            }
        };
        let p = pt(x + 21.0, at.y);
        if bold {
            pencil.bold(p, 12.0, ink, said);
        } else {
            pencil.text(p, 12.0, Ink::Secondary, said);
        }
        x += w + 16.0;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{PartId, Scene};
    use std::rc::Rc;

    #[test]
    fn the_first_text_that_fits_is_taken_and_the_last_is_cut() {
        let texts = ["a long sentence".to_owned(), "short words".to_owned()];
        assert_eq!(fitting(&texts, 12.0, true, 500.0), "a long sentence");
        assert_eq!(fitting(&texts, 12.0, true, 80.0), "short words");
        let cut = fitting(&texts, 12.0, true, 50.0);
        assert!(cut.starts_with("sh") && cut.ends_with('…'), "{cut}");
        assert!(text::width(&cut, 12.0, true) <= 50.0);
        assert_eq!(fitting(&texts, 12.0, true, 1.0), "");
        assert_eq!(fitting(&[], 12.0, true, 100.0), "");
    }

    #[test]
    fn a_legend_stays_left_of_its_end_even_with_longer_labels() {
        for stretch in ["", " and some more"] {
            let mut scene = Scene::new(400.0, Rc::default());
            let area = Rect::new(0.0, 0.0, 300.0, 20.0);
            let entries = ["11 ready", "load needs 5.2", "floor 5", "v3"];
            let entries = entries.map(|said| (Sample::Line, Ink::Ink, format!("{said}{stretch}")));
            let mut pencil = scene.thing(PartId::one("a"), area, "x".into());
            legend(&mut pencil, pt(0.0, 14.0), 300.0, entries);
            let faults = scene.faults();
            assert!(faults.iter().all(|f| f.contains("no name")), "{faults:?}");
        }
    }
}
