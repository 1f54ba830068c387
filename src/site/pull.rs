//! Pulling a dot: what a lesson offers for it is done, once more for every stretch that the dot is pulled.
//!
//! Nobody pulls at a start, so nearly all of it is late code: one function hears whatever pointers do, and what it shows it puts
//! into the document by itself.

use crate::desk::Desk;
use crate::place::{self, Listener};
use engine::show::Picked;
use engine::{Act, Arg};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, PointerEvent};

/// So little is a click with an unsteady hand, CSS pixels.
const CLICK: f64 = 8.0;
/// So far does it once more, CSS pixels.
const ONCE: f64 = 36.0;
/// No more often than this.
const MOST: u32 = 10;

/// A dot that a pointer holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pull {
    side: usize,
    act: Act,
    /// Where it was taken and where the pointer is, in CSS pixels of the window.
    from: (i32, i32),
    to: (i32, i32),
    /// Once it has been pulled further than a click: whether the run played before.
    played: Option<bool>,
    /// What is going to happen, beside the pointer.
    tip: Option<HtmlElement>,
}

impl Pull {
    /// How often it will be done; not at all where it is a click still.
    fn times(&self) -> u32 {
        let (dx, dy) = (self.to.0 - self.from.0, self.to.1 - self.from.1);
        let far = f64::from(dx * dx + dy * dy).sqrt();
        if far < CLICK {
            0
        } else {
            (1 + (far / ONCE) as u32).min(MOST)
        }
    }
}

/// Listens to pointers, where the lesson has something that is pulled.
pub(crate) fn watch(desk: Desk) -> Vec<Listener> {
    let specs = desk.ask(|player| player.main().actions());
    let pulls = specs.is_some_and(|specs| specs.iter().any(|action| action.pull));
    let names: &[&'static str] = match pulls && desk.shows("actions") {
        true => &[
            "pointerdown",
            "pointermove",
            "pointerup",
            "pointercancel",
            "click",
        ],
        false => &[],
    };
    let listen = |name: &&'static str| place::listen(name, move |event| hear(desk, &event));
    names.iter().map(listen).collect()
}

fn hear(desk: Desk, event: &Event) {
    let Some(pointer) = event.dyn_ref::<PointerEvent>() else {
        return;
    };
    let to = (pointer.client_x(), pointer.client_y());
    let kind = event.type_();
    if kind == "pointerdown" {
        let pull = take(desk, pointer, to);
        desk.pull(pull);
        return;
    }
    let Some(mut pull) = desk.pull(None) else {
        return;
    };
    match kind.as_str() {
        "pointermove" if pointer.buttons() != 0 => {
            pull.to = to;
            if pull.times() > 0 && pull.played.is_none() {
                // Time stands still while somebody holds a part of it.
                pull.played = Some(desk.playing.get_untracked());
                desk.act(|player| player.set_playing(false));
            }
            tell(desk, &mut pull);
            desk.pull(Some(pull));
        }
        "pointerup" => {
            pull.to = to;
            desk.pull(Some(pull));
        }
        // The click tells that a pull has ended, after the pointer has; it is no click on what lies there.
        "click" if pull.played.is_some() => {
            event.stop_propagation();
            let times = pull.times();
            end(desk, &pull, times);
        }
        // The browser needs the pointer for something else, or it was let go where this page hears nothing.
        _ => end(desk, &pull, 0),
    }
}

/// The dot under a pointer that has come down.
fn take(desk: Desk, pointer: &PointerEvent, at: (i32, i32)) -> Option<Pull> {
    let target = pointer.target()?.dyn_into::<Element>().ok()?;
    let stage = target.closest(".stage").ok()??;
    let side = usize::from(stage.get_attribute("data-side").as_deref() == Some("b"));
    let Picked::Dot(dot) = desk.dot_at(side, pointer)? else {
        return None;
    };
    let specs = desk.ask(|player| player.main().actions())?;
    let spec = specs.iter().position(|action| action.pull)?;
    let target = dot as usize;
    (pointer.button() == 0).then_some(Pull {
        side,
        act: Act { spec, target },
        from: at,
        to: at,
        played: None,
        tip: None,
    })
}

/// Says beside the pointer what will happen.
fn tell(desk: Desk, pull: &mut Pull) {
    let times = pull.times();
    if times == 0 {
        forget(pull.tip.take());
        return;
    }
    if pull.tip.is_none() {
        pull.tip = place::lay("pull-tip");
    }
    let specs = desk
        .ask(|player| player.main().actions())
        .unwrap_or_default();
    let id = specs.get(pull.act.spec).map_or("", |action| action.id);
    if let Some(tip) = &pull.tip {
        let count = [Arg::Count(times.into())];
        tip.set_text_content(Some(&desk.fill(&format!("action.{id}.pull"), &count)));
        place::put(tip, pull.to);
    }
}

fn forget(tip: Option<HtmlElement>) {
    if let Some(tip) = tip {
        tip.remove();
    }
}

/// The dot is let go, and what was told is done so often; none if it was put back.
fn end(desk: Desk, pull: &Pull, times: u32) {
    forget(pull.tip.clone());
    let Some(played) = pull.played else {
        return;
    };
    desk.act(|player| {
        for _ in 0..times {
            player.act(pull.act);
        }
        player.set_playing(played);
    });
    if times > 0 {
        desk.pick(Some((pull.side, Picked::Dot(pull.act.target as u32))));
    }
}
