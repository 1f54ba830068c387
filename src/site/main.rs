//! The page: starts the app, routes addresses to the catalogue and to lessons.

#![allow(
    unreachable_pub,
    reason = "the component macro writes public items for private components"
)]

mod actions;
mod catalogue;
mod challenges;
mod compare;
mod desk;
mod dialogs;
mod drawers;
mod embedding;
mod export;
mod frame;
mod header;
mod icons;
mod inspector;
mod keys;
mod knobs;
mod lesson;
mod line;
mod machine;
mod notes;
mod opening;
mod place;
mod plots;
mod sharing;
mod sight;
mod speech;
mod stage;
mod stages;
mod store;
mod story;
mod tape;
mod texts;
mod theme;
mod views;

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;
use theme::Look;
use wasm_bindgen::JsCast;

fn main() {
    std::panic::set_hook(Box::new(|panic| place::failed(&panic.to_string())));
    // Addresses that name the file mean its folder; routes know folders only.
    if let Some(window) = web_sys::window()
        && let Ok(path) = window.location().pathname()
        && let Some(folder) = path.strip_suffix("index.html")
        && let Ok(history) = window.history()
    {
        let search = window.location().search().unwrap_or_default();
        let url = format!("{folder}{search}{}", place::hash());
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&url));
    }
    place::root();
    place::pin_links();
    // Which words are read depends on the language.
    place::speak(contract::parse(&place::query()).lang.as_deref());
    // The framework's own executor starts with the first mount; until then the browser's will do.
    wasm_bindgen_futures::spawn_local(async {
        if let Err(fault) = texts::load_site().await {
            place::failed(&fault);
            return;
        }
        let app = place::document().and_then(|document| document.get_element_by_id("app"));
        match app.and_then(|app| app.dyn_into().ok()) {
            Some(app) => mount_to(app, App).forget(),
            None => place::failed("#app"),
        }
    });
}

#[component]
fn App() -> impl IntoView {
    let asked = contract::parse(&place::query());
    provide_context(Look::new(asked.theme, asked.reduce));
    let lesson = || view! { <lesson::LessonPage embed=false/> };
    let embed = || view! { <lesson::LessonPage embed=true/> };
    let top = move || match place::alone() {
        Some(_) => lesson().into_any(),
        None => view! { <catalogue::Catalogue/> }.into_any(),
    };
    view! {
        <Router base=place::base()>
            <Routes fallback=catalogue::Catalogue>
                <Route path=path!("/") view=top/>
                <Route path=path!("/l/:slug") view=lesson/>
                <Route path=path!("/embed/:slug") view=embed/>
            </Routes>
        </Router>
    }
}
