//! The stage under stress: a lesson's scene with thousands of requests in flight, drawn by the site's own stage.

use crate::stage::{Emphasis, StageView};
use engine::scene::{Glyph, Ink, pt};
use engine::{Scene, Show, Time, Words};
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Element, HtmlCanvasElement};

/// What a dot's radius is in the lessons.
const RADIUS: f32 = 5.0;
/// Paths that the dots travel on.
const LANES: u32 = 40;

/// A stage and the lesson whose scene lies under the crowd.
#[wasm_bindgen]
pub struct Crowd {
    view: StageView,
    run: Box<dyn Show>,
    words: Rc<Words>,
    count: u32,
}

#[wasm_bindgen]
impl Crowd {
    /// Takes over the elements of a stage; none if there is no such lesson.
    pub fn open(slug: &str, svg: Element, canvas: HtmlCanvasElement, count: u32) -> Option<Crowd> {
        let mut run = (lessons::find(slug)?.open)(1);
        run.seek(Time::s(10));
        let room = svg.parent_element()?;
        Some(Crowd {
            view: StageView::new(svg, canvas, room, || {}),
            run,
            words: Rc::new(Words::default()),
            count,
        })
    }

    /// Draws the crowd as it is after `s` seconds, in an area of `width` by `height`, and returns how many it drew.
    pub fn draw(&mut self, s: f32, width: f32, height: f32) -> usize {
        let mut scene = Scene::new(width, self.words.clone());
        self.run.draw(&mut scene);
        scene.height = height;
        for dot in 0..self.count {
            let (x, y) = place(dot, s, width, height);
            // The other half are failures on their way back.
            let (glyph, ink) = match dot % 2 {
                0 => (Glyph::Request, Ink::Accent),
                _ => (Glyph::Failure, Ink::Bad),
            };
            scene.particle(pt(x, y), RADIUS, glyph, ink, dot + 1);
        }
        self.view.render(&scene, &Emphasis::default());
        scene.particles().len()
    }
}

/// Where a dot is: the same rule stands in crowd.page.mjs.
fn place(dot: u32, s: f32, width: f32, height: f32) -> (f32, f32) {
    let lane = dot % LANES;
    let speed = 0.1 + 0.01 * lane as f32;
    let way = (dot as f32 * 0.618_034 + s * speed) % 1.0;
    let x = 10.0
        + (width - 20.0)
            * if dot.is_multiple_of(2) {
                way
            } else {
                1.0 - way
            };
    let y = 10.0 + (height - 20.0) * (lane as f32 + way) / LANES as f32;
    (x, y)
}
