//! Stills: the picture of a lesson at the moment that it names for it.

use engine::scene::{Part, Rect};
use engine::{Scene, Words, svg};
use lessons::Entry;
use std::rc::Rc;

/// The width of a stage in a page at its full size, in units of the scene.
pub const WIDE: f32 = 884.0;
/// The width of a stage on a telephone.
pub const NARROW: f32 = 320.0;
/// The seed that a lesson opens with, so that the still shows what the learner will see.
const SEED: u32 = 1;
/// Width over height of a card's picture.
const CARD: f32 = 16.0 / 9.0;
/// Room around what is drawn, in units of the scene.
const MARGIN: f32 = 24.0;

/// The scene of a lesson at its moment, laid out for a stage of `width`.
pub fn scene(lesson: &Entry, words: &Rc<Words>, width: f32) -> Scene {
    let mut show = (lesson.open)(SEED);
    show.seek(show.still());
    let mut scene = Scene::new(width, Rc::clone(words));
    show.draw(&mut scene);
    scene
}

/// The scene as a picture that stands alone, for cards: cut to what is drawn, in the shape of a card.
pub fn document(scene: &Scene, title: &str) -> String {
    let drawn = bounds(scene).grown(MARGIN);
    let (mut w, mut h) = (drawn.w.max(1.0), drawn.h.max(1.0));
    if w / h < CARD {
        w = h * CARD;
    } else {
        h = w / CARD;
    }
    let centre = drawn.centre();
    let (x, y) = (centre.x - w / 2.0, centre.y - h / 2.0);
    let (width, height) = (scene.width, scene.height);
    svg::document(scene, title)
        .replacen(
            &format!("viewBox=\"0 0 {width} {height}\""),
            &format!("viewBox=\"{x:.1} {y:.1} {w:.1} {h:.1}\""),
            1,
        )
        .replacen(
            &format!("<rect width=\"{width}\" height=\"{height}\" class=\"f-paper\"/>"),
            &format!("<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" class=\"f-paper\"/>"),
            1,
        )
}

/// What the things of a scene cover together; the whole scene if there are none.
pub fn bounds(scene: &Scene) -> Rect {
    scene
        .parts()
        .iter()
        .map(|part| part.frame)
        .reduce(|a, b| {
            let (x, y) = (a.x.min(b.x), a.y.min(b.y));
            let (right, bottom) = ((a.x + a.w).max(b.x + b.w), (a.y + a.h).max(b.y + b.h));
            Rect::new(x, y, right - x, bottom - y)
        })
        .unwrap_or(Rect::new(0.0, 0.0, scene.width, scene.height))
}

/// The scene laid out for several widths as part of a page, whose sheets show the one that fits and give it the
/// colours of the theme; `label` is what it shows, in words, and `mark` how a part of a scene is emphasised.
pub fn inline(
    scenes: &[(&str, Scene)],
    label: &str,
    mark: impl Fn(&Scene, &Part) -> &'static str,
) -> String {
    // A pattern inside a picture that is not shown would not be drawn in the other one.
    let mut out = format!(
        "<svg class=\"visually-hidden\" aria-hidden=\"true\">{}</svg>",
        svg::HATCH
    );
    for (name, scene) in scenes {
        let mut writer = svg::Writer::default();
        svg::marked(scene, &mut writer, &|part| Some(mark(scene, part)));
        out += &format!(
            "<svg class=\"stage-svg still-{name}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            scene.width,
            scene.height,
            svg::escape(label),
            writer.finish()
        );
    }
    out
}
