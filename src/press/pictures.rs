//! Pictures of pixels: the card that a link to a lesson unfolds to, and the icons of the installed site.

use crate::offline::digest;
use crate::outline::{Font, Outliner};
use crate::stills;
use engine::svg;
use engine::{Scene, text};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Width and height of a card, in pixels: what Open Graph readers ask for.
pub const CARD: (u32, u32) = (1200, 630);
/// The widths that a lesson is laid out for; its card shows the one whose parts come out largest.
pub const CARD_STAGES: [f32; 4] = [480.0, 560.0, 640.0, 760.0];
/// The sizes of the icons, in pixels, that the web app manifest offers.
pub const ICONS: [u32; 2] = [192, 512];

/// Where the column of words begins and how wide it is.
const COLUMN: (f32, f32) = (60.0, 384.0);
/// Where the panel with the picture begins; it runs off the right edge.
const PANEL: f32 = 484.0;
/// Room between the panel's edges and what is drawn in it.
const PADDING: f32 = 44.0;
/// The most that a picture is enlarged: beyond this its parts look coarse beside the title.
const ENLARGED_MAX: f32 = 1.7;

/// The sign of the site as shapes in a square of 22: a door and the three ways behind it.
const SIGN: &str = "<path fill=\"none\" stroke=\"INK\" stroke-width=\"1.8\" d=\"M4 11h14M11 11l7-7M11 11l7 7\"/>\
    <circle fill=\"DOOR\" cx=\"4\" cy=\"11\" r=\"3\"/><circle fill=\"INK\" cx=\"18\" cy=\"4\" r=\"2.6\"/>\
    <circle fill=\"INK\" cx=\"18\" cy=\"11\" r=\"2.6\"/><circle fill=\"INK\" cx=\"18\" cy=\"18\" r=\"2.6\"/>";

/// What a card says beside its picture.
#[derive(Clone, Copy, Debug)]
pub struct Saying<'a> {
    /// The name of the site.
    pub brand: &'a str,
    /// What stands opposite the brand, such as the chapter.
    pub corner: &'a str,
    /// The large line.
    pub title: &'a str,
    /// The line below it.
    pub question: &'a str,
}

/// A card as markup: brand, title and question on the left, the scene in a panel on the right. Of the
/// `scenes`, which show the same moment at different widths, the one that can be drawn largest is taken.
pub fn card(font: &Font, saying: Saying<'_>, scenes: &[Scene]) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1200 630\"><style>{}</style>{}\
         <rect width=\"1200\" height=\"630\" class=\"f-paper\"/>",
        rules(),
        svg::HATCH,
    );
    panel(&mut out, font, scenes);
    let (left, room) = COLUMN;
    let _ = write!(
        out,
        "<g transform=\"translate({} 54) scale(1.7)\">{}</g>",
        left - 2.0,
        sign("#1A1D23", "#2457C5")
    );
    let mut line = |text: &str, x: f32, y: f32, size: f32, bold: bool, ink: &str| {
        let outline = font.outline(text, (x, y), size, bold);
        let _ = write!(out, "<path class=\"f-{ink}\" d=\"{}\"/>", outline.d);
    };
    line(saying.brand, left + 48.0, 83.0, 28.0, true, "ink");
    // The title and the question stand together, a little above the middle of what the brand leaves.
    let (title, question) = (
        Lines::fit(saying.title, 64.0, true, room, 3),
        Lines::fit(saying.question, 31.0, false, room, 5),
    );
    let gap = 30.0;
    let mut y = 330.0 - (title.height() + gap + question.height()) / 2.0;
    for (lines, bold, ink) in [(&title, true, "ink"), (&question, false, "secondary")] {
        for text in &lines.lines {
            y += lines.leading();
            // Large letters carry more space at their left side.
            let x = left - 0.05 * lines.size * f32::from(u8::from(bold));
            line(text, x, y - 0.26 * lines.size, lines.size, bold, ink);
        }
        y += gap;
    }
    line(saying.corner, left, 574.0, 24.0, true, "accent");
    out + "</svg>"
}

/// A text broken into lines of one size.
struct Lines {
    lines: Vec<String>,
    size: f32,
}

impl Lines {
    /// The largest size up to `most` at which the text fits into `room` and into so many lines.
    fn fit(text: &str, most: f32, bold: bool, room: f32, lines_max: usize) -> Self {
        let mut size = most;
        loop {
            // Kerning and rounding may add a little to what the table says.
            let limit = 0.98 * room;
            let lines = text::wrap(text, size, bold, limit);
            let fits = lines.len() <= lines_max
                && lines
                    .iter()
                    .all(|line| text::width(line, size, bold) <= limit);
            if fits || size < 12.0 {
                return Self { lines, size };
            }
            size *= 0.95;
        }
    }

    fn leading(&self) -> f32 {
        (if self.size > 40.0 { 1.12 } else { 1.36 }) * self.size
    }

    fn height(&self) -> f32 {
        self.lines.iter().map(|_| self.leading()).sum()
    }
}

/// How much larger a scene can be drawn in the panel.
fn enlarged(scene: &Scene) -> f32 {
    let drawn = stills::bounds(scene);
    let (wide, high) = (1200.0 - PANEL - 2.0 * PADDING, 630.0 - 2.0 * PADDING);
    (wide / drawn.w.max(1.0))
        .min(high / drawn.h.max(1.0))
        .min(ENLARGED_MAX)
}

/// The scene, as large as its panel allows, upon the dots of the stage.
fn panel(out: &mut String, font: &Font, scenes: &[Scene]) {
    let _ = write!(
        out,
        "<defs><pattern id=\"dots\" width=\"22\" height=\"22\" patternUnits=\"userSpaceOnUse\">\
         <circle cx=\"11\" cy=\"11\" r=\"1.4\" fill=\"#E3E1DA\"/></pattern></defs>"
    );
    for paint in [
        "fill=\"#FDFCFA\"",
        "fill=\"url(#dots)\" stroke=\"#CFCCC3\" stroke-width=\"1.5\"",
    ] {
        let _ = write!(
            out,
            "<rect x=\"{PANEL}\" y=\"-2\" width=\"800\" height=\"634\" {paint}/>"
        );
    }
    let Some(scene) = scenes
        .iter()
        .max_by(|a, b| enlarged(a).total_cmp(&enlarged(b)))
    else {
        return;
    };
    let (scale, centre) = (enlarged(scene), stills::bounds(scene).centre());
    let (x, y) = (
        f32::midpoint(1200.0, PANEL) - centre.x * scale,
        315.0 - centre.y * scale,
    );
    let mut sink = Outliner::new(font);
    svg::body(scene, &mut sink);
    let _ = write!(
        out,
        "<g transform=\"translate({x:.2} {y:.2}) scale({scale:.4})\">{}</g>",
        sink.finish()
    );
}

fn rules() -> String {
    let mut css =
        ".f-none{fill:none}.s-none{stroke:none}.f-hatch-bad{fill:url(#hatch-bad)}".to_owned();
    for (ink, value) in svg::LIGHT {
        let _ = write!(
            css,
            ".f-{n}{{fill:{value}}}.s-{n}{{stroke:{value}}}",
            n = ink.name()
        );
    }
    css
}

fn sign(ink: &str, door: &str) -> String {
    SIGN.replace("INK", ink).replace("DOOR", door)
}

/// The icon of the installed site: the sign upon a tile that fills the square, with the margin that
/// maskable icons want (the inner 80 % always shows).
pub fn icon() -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 44 44\"><rect width=\"44\" height=\"44\" fill=\"#FAF9F6\"/>\
         <g transform=\"translate(9.2 9.2) scale(1.164)\">{}</g></svg>",
        sign("#1A1D23", "#2457C5")
    )
}

/// Like [`png`], but keeps what it drew in `folder`, so that an edit draws only what it changed. A folder that cannot
/// be read or written is as good as an empty one.
///
/// # Errors
/// The markup is no picture, or it has no size.
pub fn png_kept(folder: &Path, markup: &str, width: u32) -> Result<Vec<u8>, String> {
    let drawer = env!("CARGO_PKG_VERSION");
    let name = digest(format!("{drawer} {width} {markup}").as_bytes());
    let kept = folder.join(name + ".png");
    if let Ok(bytes) = fs::read(&kept) {
        return Ok(bytes);
    }
    let bytes = png(markup, width)?;
    let _ = fs::create_dir_all(folder).and_then(|()| fs::write(&kept, &bytes));
    Ok(bytes)
}

/// Draws markup into a PNG of `width` pixels, its height following from its shape.
///
/// # Errors
/// The markup is no picture, or it has no size.
pub fn png(markup: &str, width: u32) -> Result<Vec<u8>, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("picture: {what}");
    let tree = Tree::from_str(markup, &Options::default()).map_err(|error| wrong(&error))?;
    let size = tree
        .size()
        .to_int_size()
        .scale_to_width(width)
        .ok_or_else(|| wrong(&"no size"))?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or_else(|| wrong(&"no size"))?;
    let scale = |to: u32, from: f32| f32::from(u16::try_from(to).unwrap_or(u16::MAX)) / from;
    resvg::render(
        &tree,
        Transform::from_scale(
            scale(size.width(), tree.size().width()),
            scale(size.height(), tree.size().height()),
        ),
        &mut pixels.as_mut(),
    );
    pixels.encode_png().map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outline::tests::font;
    use crate::sources;
    use std::rc::Rc;

    /// Width and height as a PNG states them (W3C PNG, section 11.2.1).
    fn size(png: &[u8]) -> (u32, u32) {
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let number =
            |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
        (number(16), number(20))
    }

    #[test]
    fn every_lesson_has_a_card_of_the_size_that_readers_ask_for() {
        let font = font();
        for entry in lessons::CATALOGUE {
            let slug = entry.card.slug;
            let texts = sources::read(&sources::project(), &sources::lesson_file(slug))
                .expect("well formed");
            let words = Rc::new(texts.to_words());
            let scenes = CARD_STAGES.map(|width| stills::scene(entry, &words, width));
            let saying = Saying {
                brand: "Loadlab",
                corner: "Chapter",
                title: texts.get("title"),
                question: texts.get("question"),
            };
            let markup = card(&font, saying, &scenes);
            assert!(!markup.contains("<text"), "{slug}: text needs a font");
            let png = png(&markup, CARD.0).expect("a picture");
            assert_eq!(size(&png), CARD, "{slug}");
            assert!(png.len() > 15_000, "{slug}: {} bytes say little", png.len());
            assert!(png.len() < 300_000, "{slug}: {} bytes", png.len());
            if let Some(folder) = std::env::var_os("LOADLAB_CARDS") {
                let file = std::path::Path::new(&folder).join(format!("{slug}.png"));
                std::fs::write(file, &png).expect("written");
            }
        }
    }

    #[test]
    fn long_texts_shrink_to_fit() {
        let short = Lines::fit("Short", 64.0, true, 384.0, 3);
        assert!((short.size - 64.0).abs() < 1e-3 && short.lines.len() == 1);
        let text =
            "A very long question that goes on and on until nobody remembers how it ever began";
        let long = Lines::fit(text, 64.0, true, 384.0, 3);
        assert!(long.size < 50.0 && long.lines.len() <= 3);
        assert_eq!(long.lines.join(" "), text);
        let endless = Lines::fit(&"x".repeat(500), 64.0, true, 384.0, 3);
        assert!(endless.size > 10.0, "gives up before nothing can be read");
    }

    #[test]
    fn icons_are_square() {
        for px in ICONS {
            assert_eq!(size(&png(&icon(), px).expect("a picture")), (px, px));
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(png("<p>", 10).is_err());
    }
}
