//! What a learner can do to the system.

use crate::desk::Desk;
use crate::live::{live, memo, rarely};
use crate::texts::t;
use crate::typing;
use leptos::prelude::*;

/// The panel of actions.
#[component]
pub(crate) fn Actions(desk: Desk) -> impl IntoView {
    let specs = desk
        .ask(|player| player.main().actions())
        .unwrap_or_default();
    // The action whose field is open.
    let open = RwSignal::new(None::<&'static str>);
    let buttons = specs.iter().enumerate().map(|(spec, action)| {
        let text = desk.word(&format!("action.{}", action.id));
        let offer = memo(move || desk.offers.with(|offers| offers.get(spec).copied()));
        let (id, typed) = (action.id, action.field.is_some());
        let shown = move || typed.then(|| if open.get() == Some(id) { "true" } else { "false" });
        let act = move |_| {
            if typed {
                open.update(|open| *open = Some(id).filter(|_| *open != Some(id)));
            } else if let Some(offer) = offer.get_untracked().filter(|offer| offer.can) {
                desk.offer(offer);
            }
        };
        view! {
            <button class="btn" type="button" id=typed.then(|| typing::button(id)) aria-expanded=live(shown) aria-disabled=live(move || (!offer.get().is_some_and(|offer| offer.can)).to_string())
                on:click=act>
                {text}
            </button>
        }
    });
    (!specs.is_empty()).then(|| {
        view! {
            <section class="panel" data-panel="actions" aria-labelledby="actions-title">
                <h2 class="panel-title" id="actions-title">{t("panel.actions")}</h2>
                <div class="actions">{buttons.collect_view()}{rarely(move || open.get(), move |id| typing::field(desk, open, id))}</div>
            </section>
        }
    })
}
