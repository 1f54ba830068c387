//! The code that runs: what the lesson shows of it, with the lines marked that made an event happen.

use crate::desk::Desk;
use crate::icons::{self, icon};
use crate::live::{follow, live, memo, rarely};
use crate::place;
use crate::texts::{t, tx};
use crate::views::{Found, Region};
use leptos::prelude::*;

/// Shown while the code is asked for.
#[component]
pub(crate) fn CodePanel(desk: Desk) -> impl IntoView {
    let shown = memo(move || desk.code.with(Option::is_some));
    let close = move |_| {
        place::focus(&["code", "play"]);
        desk.show_code(false);
    };
    let body = move |found: Found| match found {
        None => view! { <p><small>{t("code.loading")}</small></p> }.into_any(),
        Some(Err(fault)) => view! { <p>{tx("code.missing", &fault)}</p> }.into_any(),
        Some(Ok(regions)) => {
            let regions = regions
                .into_iter()
                .map(|region| view! { <Shown desk region/> });
            regions.collect_view().into_any()
        }
    };
    let event = move || {
        desk.happened.with(|happened| {
            let none = happened.text.is_empty();
            if none {
                t("code.none")
            } else {
                happened.text.clone()
            }
        })
    };
    // The first marked line comes into sight, within the panel only: the page stays where it is.
    follow(move || {
        desk.happened.track();
        if shown.get() {
            request_animation_frame(|| place::reveal_within("code-body", "[aria-current]"));
        }
    });
    view! {
        <Show when=move || shown.get()>
            <section class="panel inspector" data-panel="code" aria-labelledby="code-title">
                <div class="inspector-head">
                    <div>
                        <h2 id="code-title" tabindex="-1">{t("code.title")}</h2>
                        <p>{live(event)}</p>
                    </div>
                    <button class="icon-btn btn-quiet" type="button" aria-label=t("ui.close") title=t("ui.close")
                        on:click=close>{icon(icons::CLOSE)}</button>
                </div>
                <div class="code-body" id="code-body" role="region" tabindex="0" aria-label=t("code.title")>{rarely(move || desk.code.get(), body)}</div>
            </section>
        </Show>
    }
}

/// One region.
#[component]
fn Shown(desk: Desk, region: Region) -> impl IntoView {
    let title = desk.word(&format!("code.{}", region.name));
    let from = region.from;
    let file = format!("{}:{from}", region.file);
    let lines = region.lines.clone();
    let marked = memo(move || {
        desk.happened
            .with(|happened| region.marked(&happened.events))
    });
    let lines = lines.into_iter().enumerate().map(|(at, line)| {
        let current = move || marked.with(|lines| lines.contains(&at)).then_some("true");
        view! { <li aria-current=live(current)><code>{line}</code></li> }
    });
    view! {
        <h3>{title}</h3>
        <p class="code-file"><small>{file}</small></p>
        <ol class="code" start=from>{lines.collect_view()}</ol>
    }
}
