//! Theme and motion: chosen by the address, the learner or the system.

use crate::{place, store};
use leptos::prelude::*;

/// The themes in the order of the button.
pub(crate) const THEMES: [&str; 4] = ["auto", "light", "dark", "contrast"];

/// What the page looks like now.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// The chosen theme, an index into [`THEMES`].
    pub(crate) theme: RwSignal<usize>,
    /// Changes whenever the colours may have.
    pub(crate) epoch: RwSignal<u32>,
    /// Whether nothing may travel.
    pub(crate) reduced: RwSignal<bool>,
}

impl Look {
    /// Reads the choice and follows the system. `theme` and `reduce` are those of the address; it wins over memory.
    pub(crate) fn new(theme: Option<usize>, reduce: bool) -> Look {
        let kept = || {
            let kept = store::get("theme")?;
            THEMES.iter().position(|theme| *theme == kept)
        };
        let look = Look {
            theme: RwSignal::new(theme.or_else(kept).unwrap_or(0)),
            epoch: RwSignal::new(0),
            reduced: RwSignal::new(reduce || matches("(prefers-reduced-motion: reduce)")),
        };
        look.apply();
        if reduce && let Some(html) = place::html() {
            let _ = html.dataset().set("motion", "reduce");
        }
        for query in [
            "(prefers-color-scheme: dark)",
            "(prefers-contrast: more)",
            "(forced-colors: active)",
        ] {
            on_change(query, move |_| look.epoch.update(|epoch| *epoch += 1));
        }
        on_change("(prefers-reduced-motion: reduce)", move |now| {
            look.reduced.set(reduce || now);
        });
        look
    }

    /// Takes the next theme.
    pub(crate) fn turn(self) {
        self.theme
            .update(|theme| *theme = (*theme + 1) % THEMES.len());
        store::set("theme", self.name());
        self.apply();
        self.epoch.update(|epoch| *epoch += 1);
    }

    /// The name of the chosen theme.
    pub(crate) fn name(self) -> &'static str {
        THEMES[self.theme.get_untracked() % THEMES.len()]
    }

    fn apply(self) {
        if let Some(html) = place::html() {
            let _ = html.dataset().set("theme", self.name());
        }
    }
}

fn matches(query: &str) -> bool {
    let list = web_sys::window().and_then(|window| window.match_media(query).ok()?);
    list.is_some_and(|list| list.matches())
}

// The listeners live as long as the page, like the look itself.
fn on_change(query: &'static str, change: impl Fn(bool) + 'static) {
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    let list = web_sys::window().and_then(|window| window.match_media(query).ok()?);
    if let Some(list) = list {
        let listener = Closure::<dyn Fn()>::new(move || change(matches(query)));
        let _ = list.add_event_listener_with_callback("change", listener.as_ref().unchecked_ref());
        listener.forget();
    }
}
