//! What a learner can do to the system.

use crate::desk::Desk;
use crate::live::{live, memo};
use crate::texts::t;
use leptos::prelude::*;

/// The panel of actions.
#[component]
pub(crate) fn Actions(desk: Desk) -> impl IntoView {
    let specs = desk
        .ask(|player| player.main().actions())
        .unwrap_or_default();
    let buttons = specs.iter().enumerate().map(|(spec, action)| {
        let text = desk.word(&format!("action.{}", action.id));
        let offer = memo(move || desk.offers.with(|offers| offers.get(spec).copied()));
        let act = move |_| {
            if let Some(offer) = offer.get_untracked().filter(|offer| offer.can) {
                desk.offer(offer);
            }
        };
        view! {
            <button class="btn" type="button" aria-disabled=live(move || (!offer.get().is_some_and(|offer| offer.can)).to_string())
                on:click=act>
                {text}
            </button>
        }
    });
    (!specs.is_empty()).then(|| {
        view! {
            <section class="panel" data-panel="actions" aria-labelledby="actions-title">
                <h2 class="panel-title" id="actions-title">{t("panel.actions")}</h2>
                <div class="actions">{buttons.collect_view()}</div>
            </section>
        }
    })
}
