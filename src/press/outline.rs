//! Outlines: turns text into paths in the site's own font, so that pictures need no font where they are drawn.

use engine::svg::{Sink, Writer};
use rustybuzz::ttf_parser::{OutlineBuilder, Tag};
use rustybuzz::{Face, Feature, UnicodeBuffer};
use std::fmt::Write;

/// The weights of the page: text, and what stands out.
const WEIGHTS: [f32; 2] = [400.0, 600.0];

/// The site's font, unpacked.
#[derive(Clone, Debug)]
pub struct Font {
    bytes: Vec<u8>,
}

/// Text as a path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// The path data.
    pub d: String,
    /// How far the text reaches, in the units of its size.
    pub width: f32,
}

impl Font {
    /// Unpacks a font as it travels on the web (WOFF2, W3C Recommendation).
    ///
    /// # Errors
    /// The bytes are no font in this format.
    pub fn unpack(woff2: &[u8]) -> Result<Self, String> {
        let bytes = wuff::decompress_woff2(woff2).map_err(|error| format!("font: {error:?}"))?;
        match Face::from_slice(&bytes, 0) {
            Some(_) => Ok(Self { bytes }),
            None => Err("font: no face in it".to_owned()),
        }
    }

    /// The outline of one line that begins at (`x`, `y`) of the baseline.
    pub fn outline(&self, text: &str, (x, y): (f32, f32), size: f32, bold: bool) -> Outline {
        let mut out = Outline::default();
        let Some(mut face) = Face::from_slice(&self.bytes, 0) else {
            return out;
        };
        face.set_variations(&[rustybuzz::Variation {
            tag: Tag::from_bytes(b"wght"),
            value: WEIGHTS[usize::from(bold)],
        }]);
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        // Figures are tabular on the page.
        let tabular = Feature::new(Tag::from_bytes(b"tnum"), 1, ..);
        let shaped = rustybuzz::shape(&face, &[tabular], buffer);
        let mut pen = Pen {
            d: String::new(),
            scale: size / units(&face),
            x,
            y,
        };
        for (glyph, at) in shaped.glyph_infos().iter().zip(shaped.glyph_positions()) {
            // Glyph ids of a font fit 16 bits.
            let id = u16::try_from(glyph.glyph_id).unwrap_or_default();
            face.outline_glyph(rustybuzz::ttf_parser::GlyphId(id), &mut pen);
            pen.x += small(at.x_advance) * pen.scale;
        }
        out.width = pen.x - x;
        out.d = pen.d;
        out
    }
}

fn units(face: &Face<'_>) -> f32 {
    small(face.units_per_em()).max(1.0)
}

/// Font units are far below where `f32` loses whole numbers.
fn small(value: i32) -> f32 {
    f32::from(i16::try_from(value).unwrap_or(i16::MAX))
}

struct Pen {
    d: String,
    scale: f32,
    x: f32,
    y: f32,
}

impl Pen {
    fn draw(&mut self, command: char, points: &[(f32, f32)]) {
        self.d.push(command);
        for (x, y) in points {
            let (x, y) = (self.x + x * self.scale, self.y - y * self.scale);
            let _ = write!(self.d, "{x:.2} {y:.2} ");
        }
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.draw('M', &[(x, y)]);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.draw('L', &[(x, y)]);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.draw('Q', &[(x1, y1), (x, y)]);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.draw('C', &[(x1, y1), (x2, y2), (x, y)]);
    }
    fn close(&mut self) {
        self.d.push('Z');
    }
}

/// Writes elements as markup, each text as the path of its outline.
pub struct Outliner<'a> {
    font: &'a Font,
    out: Writer,
    text: Option<Text>,
}

#[derive(Default)]
struct Text {
    x: f32,
    y: f32,
    size: f32,
    class: String,
    anchor: String,
    text: String,
}

impl<'a> Outliner<'a> {
    /// Nothing written yet.
    pub fn new(font: &'a Font) -> Self {
        Self {
            font,
            out: Writer::default(),
            text: None,
        }
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.out.finish()
    }
}

impl Sink for Outliner<'_> {
    fn open(&mut self, tag: &'static str) {
        if tag == "text" {
            self.text = Some(Text::default());
        } else {
            self.out.open(tag);
        }
    }

    fn attr(&mut self, name: &'static str, value: &str) {
        let Some(text) = &mut self.text else {
            self.out.attr(name, value);
            return;
        };
        let number = || value.parse().unwrap_or_default();
        match name {
            "x" => text.x = number(),
            "y" => text.y = number(),
            "font-size" => text.size = number(),
            "class" => value.clone_into(&mut text.class),
            "text-anchor" => value.clone_into(&mut text.anchor),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        match &mut self.text {
            Some(open) => open.text.push_str(text),
            None => self.out.text(text),
        }
    }

    fn close(&mut self) {
        let Some(text) = self.text.take() else {
            self.out.close();
            return;
        };
        let bold = text.class.contains("t-600");
        let line = |x| self.font.outline(&text.text, (x, text.y), text.size, bold);
        let at_start = line(text.x);
        let outline = match text.anchor.as_str() {
            "middle" => line(text.x - at_start.width / 2.0),
            "end" => line(text.x - at_start.width),
            _ => at_start,
        };
        self.out.open("path");
        self.out
            .attr("class", text.class.trim_end_matches(" t-600"));
        self.out.attr("d", &outline.d);
        self.out.close();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn font() -> Font {
        Font::unpack(include_bytes!("../../assets/fonts/inter-latin-wght.woff2"))
            .expect("the site's font")
    }

    #[test]
    fn lines_are_as_wide_as_the_layout_thinks() {
        let font = font();
        for (text, bold) in [
            ("Server 1", false),
            ("Load balancing", true),
            ("120 ms", false),
        ] {
            let drawn = font.outline(text, (0.0, 0.0), 100.0, bold).width;
            let laid_out = engine::text::width(text, 100.0, bold);
            assert!(
                (drawn - laid_out).abs() < 0.03 * laid_out,
                "{text}: {drawn} against {laid_out}"
            );
        }
    }

    #[test]
    fn bold_is_another_outline_and_spaces_draw_nothing() {
        let font = font();
        let line = |bold| font.outline("a", (0.0, 0.0), 10.0, bold).d;
        assert_ne!(line(false), line(true));
        let space = font.outline(" ", (0.0, 0.0), 10.0, false);
        assert!(space.d.is_empty() && space.width > 2.0);
    }

    #[test]
    fn texts_become_paths_at_their_anchor() {
        let font = font();
        let mut sink = Outliner::new(&font);
        sink.open("g");
        for anchor in ["start", "end"] {
            sink.open("text");
            sink.attr("x", "50");
            sink.attr("y", "9");
            sink.attr("font-size", "10");
            sink.attr("class", "f-ink t-600");
            sink.attr("text-anchor", anchor);
            sink.text("iii");
            sink.close();
        }
        sink.close();
        let markup = sink.finish();
        assert!(
            markup.starts_with("<g><path class=\"f-ink\" d=\"M5"),
            "{markup}"
        );
        assert!(markup.contains("<path class=\"f-ink\" d=\"M4") && markup.ends_with("</g>"));
        assert!(!markup.contains("<text"));
    }

    #[test]
    fn junk_is_no_font() {
        assert!(Font::unpack(b"wOF2 but not really").is_err());
        assert!(Font::unpack(b"").is_err());
    }
}
