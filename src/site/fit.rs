//! How a stage fits its room: the scene's width and scale, and, where that does not suffice, which part of it shows.

use crate::place;
use crate::stage::{Emphasis, names};
use engine::scene::{PartId, Role, Scene, Shape};
use engine::text::tenths;
use std::slice;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// No text of a scene may become smaller than this, in CSS pixels.
const LEAST_PX: f32 = 11.0;
/// Texts of scenes are at least this large, in units, however few a scene has.
const TEXT_MIN: f32 = 11.0;
const TEXT_MAX: f32 = 12.0;
/// Scales that are tried, from the one at which a unit is a pixel.
const SCALES: [f32; 3] = [1.0, 0.96, 0.92];
/// In an embed with room to spare a scene is drawn so many times larger at most.
const LARGE: f32 = 1.5;
/// A scene that is drawn larger than usual keeps so many units of width.
const WIDE: f32 = 760.0;
/// So much room is left above what is pointed at and higher than the room, in CSS pixels.
const MARGIN: f32 = 6.0;
/// What is to be seen whole may come so near to the edges of the room, both together: a border and what rounding takes.
const EDGE: f32 = 4.0;

/// A room, a beat, the part that has the focus, and the parts aimed at that are on the stage.
type Aim = ((f32, f32), Option<usize>, Option<PartId>, Vec<PartId>);

/// How the scene was fitted into its room, kept so that it does not jump from frame to frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fitted {
    /// For which room, and at which beat.
    room: (f32, f32),
    beat: Option<usize>,
    /// Which of [`SCALES`].
    scale: usize,
    /// How many times larger than usual the room lets the scene be.
    large: f32,
    /// What was last written: width and height of the scene in pixels, and whether it is narrow.
    size: (f32, f32, bool),
    /// For what it was last scrolled.
    aim: Aim,
}

impl Fitted {
    /// Draws a scene that fits `room`, so many times larger than usual, and gives it its size in `frame`. Between beats it stays at the scale that it
    /// has, unless it no longer fits.
    pub(crate) fn draw(
        &mut self,
        frame: &HtmlElement,
        (room, zoom): ((f32, f32), f32),
        beat: Option<usize>,
        emphasis: &Emphasis,
        draw: impl Fn(f32) -> Scene,
    ) -> Scene {
        let (w, h) = room;
        // No larger than lets the scene keep its wide shape.
        let most = (w / WIDE).max(1.0);
        if self.room != room || (beat.is_some() && self.beat != beat) {
            self.scale = 0;
            self.large = 1.0;
            if most > 1.0 && place::told("page").as_deref() == Some("embed") {
                self.large = (h / draw(w).height).clamp(1.0, LARGE);
            }
        }
        (self.room, self.beat) = (room, beat.or(self.beat));
        let zoom = zoom.max(self.large).min(most);
        let (scene, scale) = loop {
            let scene = draw(w / SCALES[self.scale] / zoom);
            let across = w / scene.width;
            let least = least(&scene).min(across);
            let scale = across.min(h / scene.height);
            let last = self.scale + 1 >= SCALES.len();
            if scale >= least || last || SCALES[self.scale + 1] < LEAST_PX / smallest(&scene) {
                break (scene, scale.max(least));
            }
            self.scale += 1;
        };
        let size = (scene.width * scale, scene.height * scale, scene.narrow());
        let fresh = self.size != size;
        if fresh {
            self.size = size;
            let style = frame.style();
            let natural = scene.height * (w / scene.width).min(1.0);
            for (name, value) in [("--w", size.0), ("--h", size.1), ("--natural", natural)] {
                let _ = style.set_property(name, &format!("{}px", tenths(value)));
            }
            let shape = if scene.narrow() { "narrow" } else { "wide" };
            let _ = frame.dataset().set("shape", shape);
            crate::frame::measure();
        }
        // What a beat points at may come on the stage later than the beat: then there is something new to show.
        let aims = aims(emphasis);
        let present = scene.parts().iter().map(|part| part.id);
        let present = present.filter(|id| names(aims, *id)).collect();
        let aim = (room, beat, emphasis.focused, present);
        if fresh || self.aim != aim {
            self.aim = aim;
            if size.1 > h + 1.0 {
                glide(frame, h, &scene, scale, aims);
            }
        }
        scene
    }
}

impl Fitted {
    /// How large a unit of the scene is as it was drawn last, in CSS pixels.
    pub(crate) fn scale_of(&self, scene: &Scene) -> f32 {
        self.size.1 / scene.height.max(1.0)
    }
}

/// The smallest text of a scene, in units.
fn smallest(scene: &Scene) -> f32 {
    let parts = scene.parts().iter().flat_map(|part| &part.shapes);
    let sizes = parts
        .chain(scene.backdrop())
        .filter_map(|shape| match shape {
            Shape::Text { size, .. } => Some(*size),
            _ => None,
        });
    sizes.fold(TEXT_MAX, f32::min).max(TEXT_MIN)
}

/// The least scale at which every text of a scene can be read.
fn least(scene: &Scene) -> f32 {
    LEAST_PX / smallest(scene)
}

/// What has the focus, or what the story points at.
fn aims(emphasis: &Emphasis) -> &[PartId] {
    match &emphasis.focused {
        Some(focused) => slice::from_ref(focused),
        None => &emphasis.points,
    }
}

/// Scrolls a scene that is higher than its room to what has the focus, or to what the story points at: the first of
/// those wholly, and as many of the others as there is room for.
fn glide(frame: &HtmlElement, room: f32, scene: &Scene, scale: f32, aims: &[PartId]) {
    let mut shown: Option<(f32, f32)> = None;
    // Links lead to things, so they are seen with them.
    for role in [Role::Thing, Role::Link] {
        for aim in aims {
            let parts = scene.parts().iter().filter(|part| part.role == role);
            for part in parts.filter(|part| names(&[*aim], part.id)) {
                let (top, bottom) = (part.frame.y, part.frame.y + part.frame.h);
                let both = shown.map_or((top, bottom), |(a, b)| (a.min(top), b.max(bottom)));
                // The margin gives way before a part does.
                if shown.is_none() || (both.1 - both.0) * scale <= room - EDGE {
                    shown = Some(both);
                }
            }
        }
    }
    let Some((top, bottom)) = shown else {
        return;
    };
    let (top, bottom) = (top * scale, bottom * scale);
    let under = covered(frame);
    // What is higher than the room shows from its top.
    let to = if bottom - top <= room - under - EDGE {
        (top + bottom - room - under) / 2.0
    } else if bottom - top <= room - EDGE {
        (top + bottom - room) / 2.0
    } else {
        top - MARGIN
    };
    frame.scroll_to_with_x_and_y(0.0, f64::from(to.max(0.0)));
}

/// How much of the top of a stage its own heading covers, in CSS pixels: in small frames the headings of a comparison lie over it.
fn covered(frame: &HtmlElement) -> f32 {
    let heading = frame.previous_element_sibling();
    let heading = heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok());
    let heading = heading.map_or(0, |heading| heading.offset_height());
    (heading - frame.offset_top()).max(0) as f32
}
