//! The page: starts the app, routes addresses to the catalogue and to lessons.

#![allow(
    unreachable_pub,
    reason = "the component macro writes public items for private components"
)]

mod actions;
mod catalogue;
mod challenges;
mod code;
mod compare;
mod desk;
mod dialogs;
mod drawers;
mod embedding;
mod export;
mod film;
mod fit;
mod follow;
mod frame;
mod header;
mod icons;
mod inspector;
mod jottings;
mod keys;
mod knobs;
mod lent;
mod lesson;
mod line;
mod live;
mod machine;
mod measure;
mod notes;
mod opening;
mod place;
mod plots;
mod present;
mod pull;
mod route;
mod second;
mod sharing;
mod sight;
mod speech;
mod stage;
mod stages;
mod store;
mod story;
mod taking_back;
mod tape;
mod texts;
mod theme;
mod typing;
mod views;

use leptos::mount::mount_to;
use leptos::prelude::*;
use route::Page;
use std::cell::RefCell;
use std::rc::Rc;
use theme::Look;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;

fn main() {
    // Where in a package a panic arose is not kept.
    std::panic::set_hook(Box::new(|panic| {
        place::failed(&panic.to_string().replace(" at :0:0", ""));
    }));
    place::keep_rest();
}

/// Opens the page. The boot script calls it once it holds the program in its hands: from here on whatever the
/// program lacks can be asked for.
#[wasm_bindgen(js_name = openPage)]
pub fn open_page() {
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

/// The name of the catalogue's code among that of the lessons.
const CATALOGUE: &str = "catalogue";

/// A page with all that it needs.
enum Ready {
    Catalogue(catalogue::Page),
    Lesson(Box<lesson::Ready>),
}

impl Ready {
    async fn load(page: Page) -> Ready {
        match page {
            Page::Catalogue => {
                // The compiler must not see that only one function can be meant.
                let open = || std::hint::black_box(&catalogue::DOOR)();
                let page = match place::code(CATALOGUE).await {
                    Ok(()) => open().await,
                    Err(fault) => Err(fault),
                };
                match page {
                    Ok(page) => Ready::Catalogue(page),
                    Err(fault) => {
                        place::failed(&fault);
                        // The failure panel is the last that happens on this page.
                        std::future::pending().await
                    }
                }
            }
            Page::Lesson { slug, embed } => {
                Ready::Lesson(Box::new(lesson::Ready::load(slug, embed).await))
            }
        }
    }

    fn view(self) -> AnyView {
        match self {
            Ready::Catalogue(page) => page(),
            Ready::Lesson(ready) => ready.view(),
        }
    }
}

#[component]
fn App() -> impl IntoView {
    let asked = contract::parse(&place::query());
    provide_context(Look::new(asked.theme, asked.reduce));
    // The page before stays until the next one has all that it needs; of several that are on their way the last counts.
    let shown = RwSignal::new(0_u32);
    let next = StoredValue::new_local(None::<Ready>);
    let last = Rc::new(RefCell::new((0, None)));
    let go = move |from_top: bool| {
        let page = route::here();
        let call = {
            let mut last = last.borrow_mut();
            // Another place on the same page, or its own link.
            if last.1.as_ref() == Some(&page) {
                if from_top {
                    place::scroll_to_top();
                }
                return;
            }
            *last = (last.0 + 1, Some(page.clone()));
            last.0
        };
        let last = last.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let ready = Ready::load(page).await;
            if last.borrow().0 == call {
                next.set_value(Some(ready));
                shown.set(call);
                if from_top {
                    place::scroll_to_top();
                }
            }
        });
    };
    go(false);
    route::follow(go);
    live::part(move || {
        shown.track();
        let ready = next.try_update_value(Option::take).flatten();
        ready.map(Ready::view)
    })
}
