//! The stages: one, or two side by side while comparing, each with its key and its hidden list of parts.

use crate::desk::{Desk, part_button};
use crate::follow;
use crate::icons;
use crate::live::{self, live, memo};
use crate::sight::knob_value;
use crate::taking_back;
use crate::texts::t;
use engine::scene::PartId;
use engine::show::Picked;
use leptos::prelude::*;
use leptos::{html, svg};
use wasm_bindgen::JsCast;

/// The stage, and the twin's while there is one.
#[component]
pub(crate) fn Stages(desk: Desk) -> impl IntoView {
    let twin = memo(move || desk.twin.get().is_some());
    view! {
        <div class="stages" data-twin=live(move || twin.get().then_some(""))>
            <Stage desk side=0/>
            <Show when=move || twin.get()><Stage desk side=1/></Show>
            {follow::chip(desk)}
            {taking_back::flashed(desk)}
        </div>
    }
}

/// What a stage shows while comparing: the value of the knob that differs, and a second difference where there is one.
fn heading(desk: Desk, side: usize) -> String {
    let Some((id, other)) = desk.twin.get() else {
        return String::new();
    };
    let first = desk.knobs.with(|knobs| {
        let found = knobs.iter().find(|(knob, _)| knob.id == id);
        found.map_or_else(String::new, |(knob, now)| {
            let value = if side == 0 { *now } else { other };
            let value = desk.value(knob, value);
            format!("{}: {value}", desk.word(&format!("knob.{id}")))
        })
    });
    let also = desk.also.with(|sides| sides.get(side).cloned());
    match also.filter(|also| !also.is_empty()) {
        Some(also) => [first, also].join(" · "),
        None => first,
    }
}

impl Desk {
    /// A knob's value as the learner reads it.
    pub(crate) fn value(self, knob: &engine::Knob, value: f64) -> String {
        self.with_words(|words| knob_value(knob, value, words))
    }
}

#[component]
fn Stage(desk: Desk, side: usize) -> impl IntoView {
    let drawing = NodeRef::<svg::Svg>::new();
    let dots = NodeRef::<html::Canvas>::new();
    let frame = NodeRef::<html::Div>::new();
    // Elements are handed over, no signal is written.
    live::follow(move || {
        if let (Some(drawing), Some(dots), Some(frame)) = (drawing.get(), dots.get(), frame.get()) {
            desk.mount_stage(side, drawing.unchecked_into(), dots, frame.unchecked_into());
        }
    });
    on_cleanup(move || desk.unmount_stage(side));
    let busy = memo(move || {
        let found = desk.busy.get().filter(|(at, _)| *at == side);
        found.map(|(_, share)| share)
    });
    let (tag, name) = if side == 0 { ("a", "A") } else { ("b", "B") };
    let ids = memo(move || {
        desk.parts[side].with(|parts| parts.iter().map(|part| part.id).collect::<Vec<_>>())
    });
    view! {
        <figure class="stage" data-side=tag>
            <figcaption class="stage-label">
                <span class="side-tag" data-side=tag>{name}</span>
                <strong>{live(move || heading(desk, side))}</strong>
            </figcaption>
            <div class="stage-view" tabindex="0" node_ref=frame on:click=move |event| desk.pick_at(side, &event)>
                <div class="stage-scene">
                    <svg class="stage-svg" role="img" aria-label=t("lesson.stage") node_ref=drawing></svg>
                    <canvas class="stage-dots" aria-hidden="true" node_ref=dots></canvas>
                </div>
                <Show when=move || busy.get().is_some()>
                    <progress class="catching-up" aria-label=t("tape.catching-up") max="100"
                        value=live(move || busy.get().flatten().map(|share| share.to_string()))></progress>
                </Show>
            </div>
            <ul class="stage-key" aria-label=t("lesson.key")>
                {desk.key.iter().map(|&(glyph, ink)| view! {
                    <li>{icons::moving(glyph, ink)}{desk.glyph((glyph, ink))}</li>
                }).collect_view()}
            </ul>
            <ul class="parts visually-hidden" aria-label=t("lesson.parts")>
                <For each=move || ids.get() key=ToString::to_string let(id)>
                    <PartButton desk side id/>
                </For>
            </ul>
        </figure>
    }
}

#[component]
fn PartButton(desk: Desk, side: usize, id: PartId) -> impl IntoView {
    let text = move || {
        desk.parts[side].with(|parts| {
            let found = parts.iter().find(|part| part.id == id);
            found.map_or_else(String::new, |part| part.text.clone())
        })
    };
    view! {
        <li>
            <button type="button" id=part_button(side, id) on:click=move |_| desk.pick(Some((side, Picked::Part(id))))
                on:focus=move |_| desk.focus(Some((side, id))) on:blur=move |_| desk.focus(None)>{live(text)}</button>
        </li>
    }
}
