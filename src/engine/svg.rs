//! SVG: one way to turn shapes into elements, used by the page, the stills and the tests.

use crate::scene::{Anchor, Glyph, Ink, Letter, Part, PartId, Point, Role, Scene, Shape};
use crate::text::tenths;
use std::fmt::Write;

/// Receives elements: a string writer natively, a patcher of live elements in the browser.
pub trait Sink {
    /// Begins an element.
    fn open(&mut self, tag: &'static str);
    /// Sets an attribute of the open element.
    fn attr(&mut self, name: &'static str, value: &str);
    /// Sets the text of the open element.
    fn text(&mut self, text: &str);
    /// Ends the open element.
    fn close(&mut self);
}

/// Sends one shape as one element.
pub fn shape(shape: &Shape, sink: &mut dyn Sink) {
    match shape {
        Shape::Box {
            rect,
            radius,
            fill,
            stroke,
            width,
            dashed,
        } => {
            sink.open("rect");
            sink.attr("x", &tenths(rect.x));
            sink.attr("y", &tenths(rect.y));
            sink.attr("width", &tenths(rect.w.max(0.0)));
            sink.attr("height", &tenths(rect.h.max(0.0)));
            sink.attr("rx", &tenths(*radius));
            paint(sink, *fill, *stroke, *width, *dashed);
        }
        Shape::Text {
            at,
            size,
            bold,
            ink,
            anchor,
            text,
        } => {
            sink.open("text");
            sink.attr("x", &tenths(at.x));
            sink.attr("y", &tenths(at.y));
            sink.attr("font-size", &tenths(*size));
            let (class, weight) = (ink.name(), if *bold { " t-600" } else { "" });
            sink.attr("class", &format!("f-{class}{weight}"));
            sink.attr(
                "text-anchor",
                match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                },
            );
            sink.text(text);
        }
        Shape::Path {
            d,
            fill,
            stroke,
            width,
            dashed,
        } => {
            sink.open("path");
            sink.attr("d", d);
            paint(sink, *fill, *stroke, *width, *dashed);
        }
        Shape::Mark { glyph, at, r, ink } => {
            sink.open("path");
            sink.attr("d", &glyph_path(*glyph, *at, *r));
            let (fill, stroke) = if *glyph == Glyph::Response {
                (Ink::Card, *ink)
            } else {
                (*ink, Ink::None)
            };
            paint(sink, fill, stroke, 2.0, false);
        }
    }
    sink.close();
}

fn paint(sink: &mut dyn Sink, fill: Ink, stroke: Ink, width: f32, dashed: bool) {
    sink.attr("class", &format!("f-{} s-{}", fill.name(), stroke.name()));
    sink.attr("stroke-width", &tenths(width));
    sink.attr("stroke-dasharray", if dashed { "5 4" } else { "none" });
}

/// The outline of a glyph around a point.
pub fn glyph_path(glyph: Glyph, at: Point, r: f32) -> String {
    let (x, y, n) = (at.x, at.y, tenths);
    match glyph {
        Glyph::Request | Glyph::Response => {
            let r = if glyph == Glyph::Response { r - 1.0 } else { r };
            format!(
                "M{} {}a{a} {a} 0 1 0 {} 0a{a} {a} 0 1 0 {} 0Z",
                n(x - r),
                n(y),
                n(2.0 * r),
                n(-2.0 * r),
                a = n(r)
            )
        }
        Glyph::Failure => {
            format!(
                "M{} {}L{} {}L{} {}Z",
                n(x),
                n(y - r),
                n(x + r),
                n(y + 0.8 * r),
                n(x - r),
                n(y + 0.8 * r)
            )
        }
        Glyph::Message => format!(
            "M{} {}h{s}v{s}h-{s}Z",
            n(x - 0.85 * r),
            n(y - 0.85 * r),
            s = n(1.7 * r)
        ),
        Glyph::Replica => {
            let r = 1.15 * r;
            format!(
                "M{} {}L{} {}L{} {}L{} {}Z",
                n(x),
                n(y - r),
                n(x + r),
                n(y),
                n(x),
                n(y + r),
                n(x - r),
                n(y)
            )
        }
        Glyph::Heartbeat => format!("M{} {}h2v{}h-2Z", n(x - 1.0), n(y - r), n(2.0 * r)),
    }
}

/// Writes elements as text.
#[derive(Default)]
pub struct Writer {
    out: String,
    open: Vec<&'static str>,
    pending: bool,
}

impl Writer {
    /// What was written.
    pub fn finish(self) -> String {
        self.out
    }

    fn end_tag(&mut self) {
        if std::mem::take(&mut self.pending) {
            self.out.push('>');
        }
    }
}

impl Sink for Writer {
    fn open(&mut self, tag: &'static str) {
        self.end_tag();
        let _ = write!(self.out, "<{tag}");
        self.open.push(tag);
        self.pending = true;
    }
    fn attr(&mut self, name: &'static str, value: &str) {
        let _ = write!(self.out, " {name}=\"{}\"", escape(value));
    }
    fn text(&mut self, text: &str) {
        self.end_tag();
        self.out.push_str(&escape(text));
    }
    fn close(&mut self) {
        let tag = self.open.pop().unwrap_or("g");
        if std::mem::take(&mut self.pending) {
            self.out.push_str("/>");
        } else {
            let _ = write!(self.out, "</{tag}>");
        }
    }
}

/// A text as it may stand in markup.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The class names of a part's group.
pub fn part_class(part: &Part) -> &'static str {
    match part.role {
        Role::Thing => "part",
        Role::Link => "part link",
    }
}

/// Whether a part is among those named; one without a number stands for all of its kind.
pub fn names(named: &[PartId], id: PartId) -> bool {
    let same = |p: &PartId| *p == id || (p.number == 0 && p.kind == id.kind);
    named.iter().any(same)
}

/// The inside of an `<svg>` element: backdrop, links, things, moving things. Links come first so that cards cover their ends.
pub fn body(scene: &Scene, sink: &mut dyn Sink) {
    marked(scene, sink, &|_| Some(""));
}

/// As [`body`]; `mark` says what each part's class ends with, which tells how it is emphasised, and by none which are left out.
pub fn marked(scene: &Scene, sink: &mut dyn Sink, mark: &dyn Fn(&Part) -> Option<&'static str>) {
    for backdrop in scene.backdrop() {
        shape(backdrop, sink);
    }
    for role in [Role::Link, Role::Thing] {
        for part in scene.parts().iter().filter(|part| part.role == role) {
            let Some(mark) = mark(part) else { continue };
            let class = part_class(part);
            sink.open("g");
            match mark {
                "" => sink.attr("class", class),
                mark => sink.attr("class", &format!("{class} {mark}")),
            }
            for drawn in &part.shapes {
                shape(drawn, sink);
            }
            sink.close();
        }
    }
    for p in scene.particles() {
        shape(
            &Shape::Mark {
                glyph: p.glyph,
                at: Point { x: p.x, y: p.y },
                r: p.r,
                ink: p.ink,
            },
            sink,
        );
    }
    for on in scene.letters() {
        let text = Shape::Text {
            // Half the height of a capital below the middle.
            at: Point {
                x: on.at.x,
                y: on.at.y + Letter::SIZE * 0.36,
            },
            size: Letter::SIZE,
            bold: true,
            ink: on.ink,
            anchor: Anchor::Middle,
            text: on.letter.to_string(),
        };
        shape(&text, sink);
    }
}

/// Colours of the light theme for pictures that stand alone, as (role, value).
pub const LIGHT: &[(Ink, &str)] = &[
    (Ink::Paper, "#FAF9F6"),
    (Ink::Card, "#FFFFFF"),
    (Ink::Ink, "#1A1D23"),
    (Ink::Secondary, "#565D6B"),
    (Ink::Line, "#E3E1DA"),
    (Ink::LineStrong, "#CFCCC3"),
    (Ink::Mark, "#85847D"),
    (Ink::Rail, "#CFCCC3"),
    (Ink::Accent, "#2457C5"),
    (Ink::Ok, "#0A7D63"),
    (Ink::Bad, "#C43D17"),
    (Ink::Warn, "#9A6400"),
    (Ink::Hit, "#6B46C1"),
    (Ink::AccentSoft, "#E7EDFA"),
    (Ink::OkSoft, "#E2F2ED"),
    (Ink::BadSoft, "#FBE9E3"),
    (Ink::WarnSoft, "#F7EEDC"),
    (Ink::HitSoft, "#EEE9F8"),
    (Ink::OnAccent, "#FFFFFF"),
    (Ink::OnBad, "#FFFFFF"),
    (Ink::MemberA, "#0E7490"),
    (Ink::MemberB, "#B0287A"),
    (Ink::MemberC, "#6B7A00"),
    (Ink::MemberD, "#7A4A2B"),
];

/// Colours of the dark theme.
pub const DARK: &[(Ink, &str)] = &[
    (Ink::Paper, "#0F1216"),
    (Ink::Card, "#171B21"),
    (Ink::Ink, "#E8EAED"),
    (Ink::Secondary, "#A4ABB8"),
    (Ink::Line, "#262B33"),
    (Ink::LineStrong, "#363D48"),
    (Ink::Mark, "#717B8A"),
    (Ink::Rail, "#363D48"),
    (Ink::Accent, "#7AA7FF"),
    (Ink::Ok, "#3CCBA4"),
    (Ink::Bad, "#FF7A52"),
    (Ink::Warn, "#E7B04A"),
    (Ink::Hit, "#B39BFF"),
    (Ink::AccentSoft, "#1B2740"),
    (Ink::OkSoft, "#12302A"),
    (Ink::BadSoft, "#3A2019"),
    (Ink::WarnSoft, "#33290F"),
    (Ink::HitSoft, "#272140"),
    (Ink::OnAccent, "#0F1216"),
    (Ink::OnBad, "#0F1216"),
    (Ink::MemberA, "#5CC8DE"),
    (Ink::MemberB, "#F58BC4"),
    (Ink::MemberC, "#BFCB4F"),
    (Ink::MemberD, "#D9A27C"),
];

/// The hatching that [`Ink::BadHatch`] refers to.
pub const HATCH: &str = "<defs><pattern id=\"hatch-bad\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
    patternTransform=\"rotate(45)\"><rect width=\"2\" height=\"6\" class=\"f-bad\"/></pattern></defs>";

/// A picture that stands alone, in the light theme and, where the viewer asks for it, the dark one.
/// `title` names it for those who cannot see it.
pub fn document(scene: &Scene, title: &str) -> String {
    let mut writer = Writer::default();
    body(scene, &mut writer);
    let rules = |theme: &[(Ink, &str)]| {
        let mut css = String::new();
        for (ink, value) in theme {
            let _ = write!(
                css,
                ".f-{n}{{fill:{value}}}.s-{n}{{stroke:{value}}}",
                n = ink.name()
            );
        }
        css
    };
    let (w, h) = (scene.width, scene.height);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" role=\"img\"><title>{title}</title>\
         <style>text{{font-family:Inter,system-ui,sans-serif;font-variant-numeric:tabular-nums}}.t-600{{font-weight:600}}\
         .f-none{{fill:none}}.s-none{{stroke:none}}.f-hatch-bad{{fill:url(#hatch-bad)}}{light}\
         @media(prefers-color-scheme:dark){{{dark}}}</style>{HATCH}<rect width=\"{w}\" height=\"{h}\" class=\"f-paper\"/>{body}</svg>\n",
        title = escape(title),
        light = rules(LIGHT),
        dark = rules(DARK),
        body = writer.finish(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Rect, pt};
    use std::rc::Rc;

    #[test]
    fn a_scene_is_well_formed_markup() {
        let mut scene = Scene::new(300.0, Rc::default());
        scene
            .thing(
                PartId::one("a"),
                Rect::new(0.0, 0.0, 90.0, 40.0),
                "ok".into(),
            )
            .meter(Rect::new(4.0, 4.0, 40.0, 6.0), 0.5, Ink::Accent, false)
            .text(pt(4.0, 20.0), 12.0, Ink::Ink, "a < b & \"c\"");
        scene.particle(pt(5.0, 5.0), 4.0, Glyph::Failure, Ink::Bad, 1);
        let svg = document(&scene, "A & B");
        assert!(
            svg.contains("a &lt; b &amp; &quot;c&quot;")
                && svg.contains("<title>A &amp; B</title>")
        );
        assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(tenths(1.0 / 3.0), "0.3");
        assert_eq!(tenths(-0.01), "0");
        assert_eq!(tenths(12.0), "12");
    }
}
