//! Theme and motion: chosen by the address, the learner or the system.

use crate::{place, store};
use leptos::prelude::*;

pub(crate) use contract::parameter::THEMES;

/// What the page looks like now.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// The chosen theme, an index into [`THEMES`].
    pub(crate) theme: RwSignal<usize>,
    /// Changes whenever the colours may have.
    pub(crate) epoch: RwSignal<u32>,
    /// Whether nothing may travel.
    pub(crate) reduced: RwSignal<bool>,
    /// Whether the address or the page around asks for it; the system may ask too.
    asked: RwSignal<bool>,
}

/// The system's wish for less motion.
const LESS_MOTION: &str = "(prefers-reduced-motion: reduce)";

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
            reduced: RwSignal::new(false),
            asked: RwSignal::new(false),
        };
        look.apply();
        look.set_reduce(reduce);
        for query in [
            "(prefers-color-scheme: dark)",
            "(prefers-contrast: more)",
            "(forced-colors: active)",
        ] {
            on_change(query, move |_| look.epoch.update(|epoch| *epoch += 1));
        }
        on_change(LESS_MOTION, move |now| {
            look.reduced.set(now || look.asked.get_untracked());
        });
        look
    }

    /// Takes a theme for as long as the page is shown.
    pub(crate) fn set(self, theme: usize) {
        self.theme.set(theme % THEMES.len());
        self.apply();
        self.epoch.update(|epoch| *epoch += 1);
    }

    /// Asks for less motion, or leaves that to the system.
    pub(crate) fn set_reduce(self, reduce: bool) {
        self.asked.set(reduce);
        self.reduced.set(reduce || matches(LESS_MOTION));
        if let Some(html) = place::html() {
            if reduce {
                let _ = html.dataset().set("motion", "reduce");
            } else {
                html.dataset().delete("motion");
            }
        }
    }

    /// Takes the next theme.
    pub(crate) fn turn(self) {
        self.set(self.theme.get_untracked() + 1);
        store::set("theme", self.name());
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
