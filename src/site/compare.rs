//! The comparison's panel: in what, and by how much, the twin differs.

use crate::desk::Desk;
use crate::knobs::{Control, Turn};
use crate::live::{live, memo, part};
use crate::place;
use crate::second;
use crate::texts::t;
use leptos::prelude::*;
use std::sync::Arc;

/// Shown while there is a twin.
#[component]
pub(crate) fn ComparePanel(desk: Desk) -> impl IntoView {
    let id = memo(move || desk.twin.get().map(|(id, _)| id));
    let shown = memo(move || id.get().is_some());
    let choose = move |event| {
        let wanted = event_target_value(&event);
        let known = desk.knobs.get_untracked();
        if let Some((knob, _)) = known.iter().find(|(knob, _)| knob.id == wanted) {
            desk.compare_with(knob.id, desk.other(knob.id));
        }
    };
    // Only the control changes with the knob: the list that it is chosen from keeps the focus.
    let control = move || {
        let knobs = desk.knobs.get_untracked();
        let found = knobs
            .iter()
            .find(|(knob, _)| Some(knob.id) == id.get())
            .map(|(knob, _)| *knob);
        found.map(|knob| {
            let value = memo(move || desk.twin.get().map_or(0.0, |(_, value)| value));
            let turn: Turn = Arc::new(move |value| desk.compare_with(knob.id, value));
            let name = format!("twin-{}", knob.id);
            view! { <Control desk knob name label=t("compare.in-b") value turn/> }
        })
    };
    let end = move |_| {
        place::focus(&["compare", "play"]);
        desk.compare();
    };
    let options = move || {
        let knobs = desk.knobs.get_untracked();
        let options = knobs.iter().map(|(knob, _)| {
            let (option, text) = (knob.id, desk.word(&format!("knob.{}", knob.id)));
            view! { <option value=option prop:selected=live(move || id.get() == Some(option))>{text}</option> }
        });
        options.collect_view()
    };
    view! {
        <Show when=move || shown.get()>
            <section class="panel" aria-labelledby="compare-title">
                <h2 class="panel-title" id="compare-title">{t("compare.title")}</h2>
                <div class="field">
                    <label class="visually-hidden" for="compare-knob">{t("compare.knob")}</label>
                    <select class="input" id="compare-knob" on:change=choose>{options()}</select>
                </div>
                {part(control)}
                {second::panel(desk)}
                <div class="actions">
                    <button class="btn" type="button" on:click=end>{t("compare.end")}</button>
                </div>
            </section>
        </Show>
    }
}
