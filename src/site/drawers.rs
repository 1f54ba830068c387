//! What an embed keeps folded away, so that stage, story and transport fit the small frames of course pages.

use crate::desk::{Desk, Dialog};
use crate::live::{live, memo};
use crate::texts::t;
use crate::{challenges, place};
use contract::page::DRAWERS;
use leptos::prelude::*;

/// A frame at least so high as it opens, in CSS pixels, has room for the plots.
const ROOMY: f64 = 680.0;

/// Which drawer is open as the lesson opens. The frame's height is looked at this one time: the host may set it
/// from ours later, and must not open or close anything by that.
pub(crate) fn first() -> Option<&'static str> {
    (place::height() >= ROOMY).then_some("tape")
}

/// The row of an embed that opens its drawers, shares, and leads to the full page.
#[component]
pub(crate) fn Drawers(desk: Desk, open: RwSignal<Option<&'static str>>) -> impl IntoView {
    let has = |name: &str| match name {
        "actions" => desk.ask(|player| !player.main().actions().is_empty()),
        "challenges" => Some(!challenges::offered(desk).is_empty()),
        "code" => Some(desk.has_code()),
        _ => Some(true),
    };
    let drawers = DRAWERS
        .into_iter()
        .filter(|(name, _)| desk.shows(name) && has(name) == Some(true))
        .map(|(name, word)| {
            let on = memo(move || open.get() == Some(name));
            let click = move |_| {
                open.set((!on.get_untracked()).then_some(name));
                // What opened may lie below a frame that its host does not fit to it.
                request_animation_frame(move || {
                    if open.get_untracked() == Some(name) && name != "tape" {
                        place::scroll_to_end();
                    }
                });
            };
            view! {
                <button class="btn drawer" type="button" data-opens=name aria-expanded=live(move || on.get().to_string())
                    on:click=click>{t(word)}</button>
            }
        });
    let drawers: Vec<_> = drawers.collect();
    let share = desk.shows("share").then(|| {
        let open = move |_| desk.open_dialog(Dialog::Share);
        view! { <button class="btn btn-quiet" type="button" on:click=open>{t("ui.share")}</button> }
    });
    let link = desk.links().then(|| {
        let href = place::href(&format!("l/{}/", desk.slug));
        view! { <a href=href target="_blank" rel="noopener">{t("page.open-full")}</a> }
    });
    let empty = drawers.is_empty() && share.is_none() && link.is_none();
    (!empty).then(|| view! { <div class="drawers">{drawers}<span class="drawers-gap"></span>{share}{link}</div> })
}
