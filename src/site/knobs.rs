//! Knobs: sliders, choices and switches, six in view and the rest behind a fold.

use crate::desk::Desk;
use crate::live::{follow, live, memo};
use crate::texts::{t, tf};
use contract::page::KNOBS_SHOWN;
use engine::knobs::Kind;
use engine::text::{fixed, trim_number};
use engine::{Arg, Knob};
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;

/// What a control does with a new value.
pub(crate) type Turn = Arc<dyn Fn(f64) + Send + Sync>;

/// The panel of the lesson's knobs.
#[component]
pub(crate) fn KnobPanel(desk: Desk) -> impl IntoView {
    let knobs = desk.knobs.get_untracked();
    let own: Vec<Knob> = knobs
        .iter()
        .filter(|(knob, _)| knob.part.is_none())
        .map(|(knob, _)| *knob)
        .collect();
    let control = move |knob: &Knob| view! { <LessonKnob desk knob=*knob/> };
    let shown = own.iter().take(KNOBS_SHOWN).map(control).collect_view();
    let more = own.iter().skip(KNOBS_SHOWN).map(control).collect_view();
    let folded = NodeRef::<html::Details>::new();
    let hidden: Vec<_> = own.iter().skip(KNOBS_SHOWN).map(|knob| knob.id).collect();
    let moved = memo(move || {
        desk.told
            .with(|told| told.iter().any(|id| hidden.contains(id)))
    });
    // What the story turns is not folded away.
    follow(move || {
        if let Some(folded) = folded.get().filter(|_| moved.get()) {
            folded.set_open(true);
        }
    });
    let seed = move || tf("knob.seed", &[Arg::Count(i64::from(desk.seed.get()))]);
    view! {
        <section class="panel knobs" data-panel="knobs" aria-labelledby="knobs-title">
            <h2 class="panel-title" id="knobs-title">{desk.word("group.knobs")}</h2>
            {shown}
            <details class="more" node_ref=folded>
                <summary>{t("knob.more")}</summary>
                {more}
                <div class="seed">
                    <span class="num">{live(seed)}</span>
                    <button class="btn" type="button" disabled=desk.locks("all") on:click=move |_| desk.new_seed()>{t("knob.new-seed")}</button>
                </div>
            </details>
        </section>
    }
}

/// A knob of the lesson, bound to both runs.
#[component]
pub(crate) fn LessonKnob(desk: Desk, knob: Knob) -> impl IntoView {
    let value = memo(move || {
        desk.knobs.with(|knobs| {
            let found = knobs.iter().find(|(known, _)| known.id == knob.id);
            found.map_or(0.0, |(_, value)| *value)
        })
    });
    let label = desk.word(&format!("knob.{}", knob.id));
    let turn: Turn = Arc::new(move |value| desk.turn(knob, value));
    let told = memo(move || desk.told.with(|told| told.contains(&knob.id)));
    view! {
        <div class="knob-place" data-told=live(move || told.get().then_some(""))>
            <Control desk knob name=knob.id.to_owned() label value turn/>
        </div>
    }
}

/// One control. `name` is unique in the page.
#[component]
pub(crate) fn Control(
    desk: Desk,
    knob: Knob,
    name: String,
    label: String,
    value: Memo<f64>,
    turn: Turn,
) -> impl IntoView {
    // A guess and what an author tries in a dialog are no knobs of the lesson.
    let locked = name == knob.id && desk.locks(knob.id);
    match knob.kind {
        Kind::Slider { min, max, step } => {
            let id = format!("knob-{name}");
            let text = memo(move || desk.value(&knob, value.get()));
            let fill = move || format!("{}%", fixed((value.get() - min) / (max - min) * 100.0, 2));
            let input = move |event| {
                if let Some(value) = engine::text::number(&event_target_value(&event)) {
                    turn(value);
                }
            };
            view! {
                <div class="knob">
                    <label for=id.clone()>{label}</label>
                    <output for=id.clone() aria-live="off">{live(move || text.get())}</output>
                    <input class="range" type="range" id=id disabled=locked min=trim_number(min) max=trim_number(max) step=trim_number(step)
                        style=("--fill", live(fill)) prop:value=live(move || trim_number(value.get()))
                        aria-valuetext=live(move || text.get()) on:input=input/>
                </div>
            }
            .into_any()
        }
        Kind::Choice(options) => {
            let options = options.iter().enumerate().map(|(index, option)| {
                let turn = turn.clone();
                let on = move || value.get() as usize == index;
                let text = desk.word(&format!("knob.{}.{option}", knob.id));
                view! {
                    <label>
                        <input type="radio" name=name.clone() disabled=locked prop:checked=live(on) on:change=move |_| turn(index as f64)/>
                        <span>{text}</span>
                    </label>
                }
            });
            view! {
                <fieldset class="knob">
                    <legend>{label}</legend>
                    <div class="segmented">{options.collect_view()}</div>
                </fieldset>
            }
            .into_any()
        }
        Kind::Switch => {
            let on = move || value.get() > 0.0;
            let change = move |event| turn(f64::from(u8::from(event_target_checked(&event))));
            view! {
                <label class="switch knob">
                    <span>{label}</span>
                    <input type="checkbox" role="switch" disabled=locked prop:checked=live(on) on:change=change/>
                </label>
            }
            .into_any()
        }
    }
}
