//! The inspector: what was picked, how it is, and why.

use crate::desk::{Cause, Desk};
use crate::icons::{self, icon};
use crate::knobs::LessonKnob;
use crate::texts::t;
use engine::Arg;
use leptos::prelude::*;

/// Shown while something is picked.
#[component]
pub(crate) fn Inspector(desk: Desk) -> impl IntoView {
    let found = desk.inspection;
    let shown = Memo::new(move |_| found.with(Option::is_some));
    let title = Memo::new(move |_| {
        found.with(|found| {
            found
                .as_ref()
                .map(|found| found.title.clone())
                .unwrap_or_default()
        })
    });
    let value = Memo::new(move |_| {
        found.with(|found| {
            found
                .as_ref()
                .map(|found| found.value.clone())
                .unwrap_or_default()
        })
    });
    let chain = Memo::new(move |_| {
        found.with(|found| {
            found
                .as_ref()
                .map(|found| found.chain.clone())
                .unwrap_or_default()
        })
    });
    let part = Memo::new(move |_| found.with(|found| found.as_ref().and_then(|found| found.part)));
    let causes = move || {
        chain
            .get()
            .into_iter()
            .map(|cause| view! { <Link desk cause/> })
            .collect_view()
    };
    let knobs = move || {
        let part = part.get();
        let knobs = desk.knobs.get_untracked();
        let own = knobs
            .into_iter()
            .filter(|(knob, _)| knob.part.is_some() && knob.part == part);
        own.map(|(knob, _)| view! { <LessonKnob desk knob/> })
            .collect_view()
    };
    let fitting = Memo::new(move |_| {
        let picked = desk.offers.get();
        picked
            .into_iter()
            .filter(|offer| offer.picked)
            .collect::<Vec<_>>()
    });
    let actions = move || {
        let name = part.get().map(|part| [Arg::Part(part)]);
        let buttons = fitting.get().into_iter().map(|offer| {
            let text = desk.fill(&format!("action.{}.part", offer.id), name.as_ref().map_or(&[], |name| &name[..]));
            view! {
                <button class="btn" type="button" disabled=!offer.can on:click=move |_| desk.offer(offer)>{text}</button>
            }
        });
        buttons.collect_view()
    };
    view! {
        <Show when=move || shown.get()>
            <section class="panel inspector" aria-labelledby="inspector-title">
                <div class="inspector-head">
                    <div>
                        <h2 id="inspector-title">{move || title.get()}</h2>
                        <p>{move || value.get()}</p>
                    </div>
                    <button class="icon-btn btn-quiet" type="button" aria-label=t("ui.close") title=t("ui.close")
                        on:click=move |_| desk.pick(None)>{icon(icons::CLOSE)}</button>
                </div>
                <h3>{t("why.title")}</h3>
                <Show when=move || !chain.with(Vec::is_empty) fallback=|| view! { <p><small>{t("why.nothing")}</small></p> }>
                    <ol class="chain">{causes}</ol>
                </Show>
                <div class="actions">{actions}</div>
                {knobs}
            </section>
        </Show>
    }
}

#[component]
fn Link(desk: Desk, cause: Cause) -> impl IntoView {
    let Cause { text, tone, at } = cause;
    let here = Memo::new(move |_| desk.now.get() == at);
    let time = format!("{:.2} s", at.as_s());
    view! {
        <li>
            <button type="button" aria-current=move || here.get().then_some("step")
                on:click=move |_| desk.happen(|player| { player.set_playing(false); player.seek(at) })>
                {icons::tone(tone)}
                <span>{text}</span>
                <time>{time}</time>
            </button>
        </li>
    }
}
