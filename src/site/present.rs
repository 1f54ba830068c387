//! Lecture mode: the stage as large as the screen allows, caption and Next large, everything else away. A room votes by hands,
//! which whoever presents counts on number keys; a question is answered with what most hands were for.

use crate::desk::Desk;
use crate::live::{live, rarely};
use crate::place::{self, Listener};
use crate::texts::{t, tf};
use engine::{Arg, Player};
use js_sys::{Function, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::PointerEvent;

/// So much larger are type and stage.
const ZOOM: f32 = 1.5;

/// What lecture mode shows; nothing of it is kept when it ends.
#[derive(Clone, Copy)]
pub(crate) struct Lecture {
    pub(crate) on: RwSignal<bool>,
    /// Knobs, actions and the rest beside the stage.
    panels: RwSignal<bool>,
    blank: RwSignal<bool>,
    /// Where the pointer's light is, in CSS pixels of the window.
    light: RwSignal<Option<(i32, i32)>>,
    /// Hands for each answer of a beat's question.
    hands: RwSignal<(usize, Vec<u32>)>,
}

impl Lecture {
    pub(crate) fn new() -> Lecture {
        Lecture {
            on: RwSignal::new(false),
            panels: RwSignal::new(false),
            blank: RwSignal::new(false),
            light: RwSignal::new(None),
            hands: RwSignal::default(),
        }
    }
}

/// Begins or ends lecture mode. `full` asks for the whole screen, which only a press may.
pub(crate) fn turn(desk: Desk, on: bool, full: bool) {
    let lecture = desk.lecture;
    if on == lecture.on.get_untracked() {
        return;
    }
    lecture.on.set(on);
    lecture.panels.set(false);
    lecture.blank.set(false);
    lecture.light.set(None);
    place::mark("present", on);
    place::mark("panels", false);
    desk.zoom(if on { ZOOM } else { 1.0 });
    place::focus(&["next", "play"]);
    if full {
        screen(desk, on);
    }
    desk.speak(&t(if on { "present.begun" } else { "present.ended" }));
}

/// Asks the browser for the whole screen, or gives it back. Where it may not be had, lecture mode fills what the page has.
fn screen(desk: Desk, whole: bool) {
    let Some(document) = place::document() else {
        return;
    };
    let call = |this: &JsValue, name: &str| {
        let call = Reflect::get(this, &name.into()).ok()?;
        let call = call.dyn_ref::<Function>()?.call0(this).ok()?;
        call.dyn_into::<Promise>().ok()
    };
    let asked = match (whole, document.fullscreen_element()) {
        (true, _) => document
            .document_element()
            .and_then(|html| call(&html, "requestFullscreen")),
        (false, Some(_)) => call(&document, "exitFullscreen"),
        (false, None) => return,
    };
    wasm_bindgen_futures::spawn_local(async move {
        let had = match asked {
            Some(promise) => JsFuture::from(promise).await.is_ok(),
            None => false,
        };
        if whole && !had {
            desk.notice.set(Some(t("present.no-screen")));
        }
    });
}

/// Who leaves the whole screen by the browser's own key ends lecture mode too.
pub(crate) fn watch(desk: Desk) -> [Listener; 2] {
    ["fullscreenchange", "pointermove"].map(|name| {
        place::listen(name, move |event| {
            if desk.lecture.on.get_untracked() {
                hear(desk, &event);
            }
        })
    })
}

fn hear(desk: Desk, event: &web_sys::Event) {
    if let Some(pointer) = event.dyn_ref::<PointerEvent>() {
        if desk.lecture.light.with_untracked(Option::is_some) {
            let to = (pointer.client_x(), pointer.client_y());
            desk.lecture.light.set(Some(to));
        }
    } else if place::document().is_none_or(|document| document.fullscreen_element().is_none()) {
        turn(desk, false, false);
    }
}

/// A key of lecture mode; false if it is none. Presenters' clickers send the keys of pages.
pub(crate) fn press(desk: Desk, key: &str) -> bool {
    let lecture = desk.lecture;
    if lecture.blank.get_untracked() {
        lecture.blank.set(false);
        return true;
    }
    match key {
        "PageDown" => next(desk),
        "PageUp" => desk.tell_story(Player::back),
        "Escape" | "p" => turn(desk, false, true),
        "b" | "." => {
            lecture.blank.set(true);
            desk.speak(&t("present.blank"));
        }
        "l" => {
            let on = lecture.light.with_untracked(Option::is_some);
            lecture.light.set((!on).then_some((-100, -100)));
        }
        "k" => {
            let shown = !lecture.panels.get_untracked();
            lecture.panels.set(shown);
            place::mark("panels", shown);
        }
        key => match key.parse::<usize>() {
            Ok(answer) if answer >= 1 => return count(desk, answer - 1),
            _ => return false,
        },
    }
    true
}

/// Goes on; a question for which hands were counted is answered first, with what most were for.
pub(crate) fn next(desk: Desk) {
    let beat = desk.story.with_untracked(|story| story.beat);
    let asks = desk.story.with_untracked(|story| story.ask.is_some());
    let (of, hands) = desk.lecture.hands.get_untracked();
    let most = hands.iter().max().filter(|_| asks && of == beat).copied();
    let answer = most.and_then(|most| hands.iter().position(|hands| *hands == most));
    match answer {
        Some(answer) => desk.guess(answer),
        None => desk.tell_story(Player::next),
    }
}

/// One hand more for an answer of the question that is asked; false if none is.
fn count(desk: Desk, answer: usize) -> bool {
    let (beat, answers) = desk.story.with_untracked(|story| {
        let asked = story.ask.as_ref().filter(|ask| ask.scale.is_none());
        (story.beat, asked.map_or(0, |ask| ask.answers.len()))
    });
    if answer >= answers {
        return false;
    }
    desk.lecture.hands.update(|(of, hands)| {
        if *of != beat || hands.len() != answers {
            (*of, *hands) = (beat, vec![0; answers]);
        }
        hands[answer] += 1;
    });
    true
}

/// How many hands there are while a question is asked, and for what they were once it is answered.
pub(crate) fn vote(desk: Desk) -> impl IntoView {
    let hands = move || {
        let (of, hands) = desk.lecture.hands.get();
        let here = desk.lecture.on.get() && of == desk.story.with(|story| story.beat);
        (here && !hands.is_empty()).then_some(hands)
    };
    rarely(hands, move |hands| tally(desk, &hands))
}

fn tally(desk: Desk, hands: &[u32]) -> AnyView {
    let counted = hands.iter().sum::<u32>().max(1);
    let total = tf("present.hands", &[Arg::Count(counted.into())]);
    if desk.story.with(|story| story.result.is_none()) {
        return view! { <p class="hands" role="status">{total}</p> }.into_any();
    }
    let bars = hands.iter().zip(1_i64..).map(|(hands, number)| {
        let fill = format!("{}%", hands * 100 / counted);
        let text = tf(
            "present.for",
            &[Arg::Count(number), Arg::Count((*hands).into())],
        );
        view! { <li><span>{text}</span><div class="bar" style=("--fill", fill)></div></li> }
    });
    view! { <ul class="hands" aria-label=total>{bars.collect_view()}</ul> }.into_any()
}

/// What lies over the page: nothing but black, or the pointer's light.
pub(crate) fn veil(desk: Desk) -> impl IntoView {
    let lecture = desk.lecture;
    let over = move || match (lecture.blank.get(), lecture.light.get()) {
        (true, _) => Some(None),
        (false, light) => light.map(Some),
    };
    rarely(over, move |light| over_all(desk, light))
}

fn over_all(desk: Desk, light: Option<(i32, i32)>) -> AnyView {
    match light {
        None => {
            let wake = move |_| desk.lecture.blank.set(false);
            view! { <div class="blank" on:click=wake></div> }.into_any()
        }
        Some((x, y)) => {
            let place = format!("left:{x}px;top:{y}px");
            view! { <div class="light" aria-hidden="true" style=live(move || place.clone())></div> }
                .into_any()
        }
    }
}
