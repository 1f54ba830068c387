//! Stills: the picture of a lesson at the moment that it names for it.

use engine::{Scene, Words, svg};
use lessons::Entry;
use std::rc::Rc;

/// The width of a stage in a page at its full size, in units of the scene.
const WIDTH: f32 = 884.0;
/// The seed that a lesson opens with, so that the still shows what the learner will see.
const SEED: u32 = 1;

/// The scene of a lesson at its moment.
pub fn scene(lesson: &Entry, words: &Rc<Words>) -> Scene {
    let mut show = (lesson.open)(SEED);
    show.seek(show.still());
    let mut scene = Scene::new(WIDTH, Rc::clone(words));
    show.draw(&mut scene);
    scene
}

/// The scene as a picture that stands alone, for cards and previews.
pub fn document(scene: &Scene, title: &str) -> String {
    svg::document(scene, title)
}

/// The scene as part of a page, whose sheets give it the colours of the theme; `label` is what it shows, in words.
pub fn inline(scene: &Scene, label: &str) -> String {
    let mut writer = svg::Writer::default();
    svg::body(scene, &mut writer);
    format!(
        "<svg class=\"stage-svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}{}</svg>",
        scene.width,
        scene.height,
        svg::escape(label),
        svg::HATCH,
        writer.finish()
    )
}
