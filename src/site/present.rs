//! Lecture mode: the stage as large as the screen allows, caption and Next large, everything else away. A room votes by hands,
//! which whoever presents counts on number keys; a question is answered with what most hands were for.

use crate::desk::Desk;
use crate::icons::{self, icon};
use crate::live::rarely;
use crate::place::{self, Listener};
use crate::texts::{t, tf};
use engine::{Arg, Player};
use js_sys::{Function, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlElement, PointerEvent};

/// Type and stage are at most so much larger.
const ZOOM: f32 = 1.5;

/// What the page follows of lecture mode.
#[derive(Clone, Copy)]
pub(crate) struct Lecture {
    pub(crate) on: RwSignal<bool>,
    /// How many hands were counted for the question that was asked last.
    counted: RwSignal<u32>,
}

impl Lecture {
    pub(crate) fn new() -> Lecture {
        Lecture {
            on: RwSignal::new(false),
            counted: RwSignal::new(0),
        }
    }
}

/// What lies on the lectern; nothing of it is kept when lecture mode ends.
#[derive(Debug, Default)]
pub(crate) struct Lectern {
    /// Whether knobs, actions and the rest stand beside the stage.
    panels: bool,
    /// What blackens the screen.
    blank: Option<HtmlElement>,
    /// The light at the pointer.
    light: Option<HtmlElement>,
    /// A beat, and the hands for each answer of its question.
    hands: (usize, Vec<u32>),
}

impl Lectern {
    fn clear(&mut self) {
        for thing in [self.blank.take(), self.light.take()].into_iter().flatten() {
            thing.remove();
        }
        self.panels = false;
    }
}

/// Begins or ends lecture mode. `full` asks for the whole screen, which only a press may.
pub(crate) fn turn(desk: Desk, on: bool, full: bool) {
    let lecture = desk.lecture;
    if on == lecture.on.get_untracked() {
        return;
    }
    lecture.on.set(on);
    desk.lectern(Lectern::clear);
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
        let to = (pointer.client_x(), pointer.client_y());
        desk.lectern(|lectern| {
            if let Some(light) = &lectern.light {
                place::put(light, to);
            }
        });
    } else if place::document().is_none_or(|document| document.fullscreen_element().is_none()) {
        turn(desk, false, false);
    }
}

/// A key of lecture mode; false if it is none. Presenters' clickers send the keys of pages.
pub(crate) fn press(desk: Desk, key: &str) -> bool {
    let blank = desk.lectern(|lectern| lectern.blank.take()).flatten();
    if let Some(blank) = blank {
        blank.remove();
        return true;
    }
    match key {
        "PageDown" => next(desk),
        "PageUp" => desk.tell_story(Player::back),
        "Escape" | "p" => turn(desk, false, true),
        "b" | "." => {
            desk.lectern(|lectern| lectern.blank = place::lay("blank"));
            desk.speak(&t("present.blank"));
        }
        "l" => {
            desk.lectern(|lectern| match lectern.light.take() {
                Some(light) => light.remove(),
                None => lectern.light = place::lay("light"),
            });
        }
        "k" => {
            let shown = desk.lectern(|lectern| {
                lectern.panels = !lectern.panels;
                lectern.panels
            });
            place::mark("panels", shown == Some(true));
        }
        key => match key.parse::<usize>() {
            // A stray press leads nowhere in front of a class.
            Ok(answer) => count(desk, answer),
            Err(_) => return false,
        },
    }
    true
}

/// A button that ends it, for those who have no keys.
pub(crate) fn end(desk: Desk) -> impl IntoView {
    rarely(
        move || desk.lecture.on.get().then_some(()),
        move |()| {
            let end = move |_| turn(desk, false, true);
            view! {
                <button class="icon-btn end-lecture" type="button" aria-label=t("present.end") title=t("present.end")
                    on:click=end>{icon(icons::CLOSE)}</button>
            }
            .into_any()
        },
    )
}

/// Brings knobs, actions and the rest beside the stage of a lecture.
pub(crate) fn show_panels(desk: Desk) {
    if desk.lecture.on.get_untracked() {
        desk.lectern(|lectern| lectern.panels = true);
        place::mark("panels", true);
    }
}

/// Goes on; a question for which hands were counted is answered first, with what most were for.
pub(crate) fn next(desk: Desk) {
    match favourite(desk).filter(|_| desk.lecture.on.get_untracked()) {
        Some(answer) => desk.guess(answer),
        None => desk.tell_story(Player::next),
    }
}

/// The answer that most hands are for, while its question is asked.
fn favourite(desk: Desk) -> Option<usize> {
    let asked = desk
        .story
        .with_untracked(|story| story.ask.as_ref().map(|_| story.beat))?;
    desk.lectern(|lectern| {
        let (beat, hands) = &lectern.hands;
        let most = hands.iter().max().filter(|_| *beat == asked)?;
        hands.iter().position(|hands| hands == most)
    })?
}

/// One hand more for an answer, counted from 1, of the question that is asked. One that asks for a number takes no hands.
fn count(desk: Desk, answer: usize) {
    let asked = desk.story.with_untracked(|story| {
        let ask = story.ask.as_ref().filter(|ask| ask.scale.is_none())?;
        Some((story.beat, ask.answers.len()))
    });
    let Some((beat, answers)) = asked.filter(|(_, answers)| (1..=*answers).contains(&answer))
    else {
        return;
    };
    let counted = desk.lectern(|lectern| {
        let (of, hands) = &mut lectern.hands;
        if *of != beat || hands.len() != answers {
            (*of, *hands) = (beat, vec![0; answers]);
        }
        hands[answer - 1] += 1;
        hands.iter().sum()
    });
    desk.lecture.counted.set(counted.unwrap_or_default());
}

/// How many hands there are while a question is asked, and for what they were once it is answered.
pub(crate) fn vote(desk: Desk) -> impl IntoView {
    let Lecture { on, counted } = desk.lecture;
    rarely(
        move || Some(counted.get()).filter(|counted| *counted > 0 && on.get()),
        move |counted| tally(desk, counted),
    )
}

fn tally(desk: Desk, counted: u32) -> AnyView {
    let (of, hands) = desk
        .lectern(|lectern| lectern.hands.clone())
        .unwrap_or_default();
    let (beat, known) = desk
        .story
        .with(|story| (story.beat, story.result.is_some()));
    // A question is asked at one beat, and what happened is told at the next.
    if !(of..=of + 1).contains(&beat) {
        return ().into_any();
    }
    let total = tf("present.hands", &[Arg::Count(counted.into())]);
    if !known {
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
