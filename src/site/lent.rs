//! Notes in an address: one's own where they are asked for, and those that somebody's address brought. The latter are shown as
//! what they are, and are among one's own once they are kept; none of one's own is lost or changed by them.
//!
//! They stand behind `#`, which no server is told, packed by `assets/notes.js`.

use crate::desk::Desk;
use crate::jottings::{self, Jotting, NOTES_MAX};
use crate::live::live;
use crate::place;
use crate::texts::{t, tf, tx};
use contract::snippet;
use engine::{Arg, Time};
use js_sys::Reflect;
use leptos::prelude::*;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// What the end of an address begins with that brings notes.
const MARK: &str = "#notes=";
/// An address with notes has at most so many characters, which is what RFC 9110 (4.1) asks everybody to take.
const ADDRESS_MAX: usize = 8_000;

/// Lets the script pack or unpack a text, and does something with its answer: none where the script could not be fetched,
/// an empty one where it could make nothing of the text.
fn ask(what: &str, text: &str, answer: impl FnOnce(Option<String>) + 'static) {
    let answer: Box<dyn FnOnce(Option<String>)> = Box::new(answer);
    let answer = Rc::new(Cell::new(Some(answer)));
    let begun = || -> Option<()> {
        let document = place::document()?;
        let script = document.create_element("script").ok()?;
        for event in ["told", "error", "load"] {
            let answer = answer.clone();
            let asked = script.clone();
            let hear = Closure::once_into_js(move |event: JsValue| {
                // A script that is at work will tell. Where a host has a page in its place, nobody is.
                if asked.has_attribute("data-taken")
                    && Reflect::get(&event, &"type".into()).is_ok_and(|kind| kind == "load")
                {
                    return;
                }
                let told = Reflect::get(&event, &"detail".into()).ok();
                if let Some(answer) = answer.take() {
                    answer(told.and_then(|told| told.as_string()));
                }
            });
            // An element takes any listener and any attribute.
            let _ = script.add_event_listener_with_callback(event, hear.unchecked_ref());
        }
        let source = format!("{}notes.js{}", place::root(), place::version());
        let _ = script.set_attribute(&format!("data-{what}"), text);
        let _ = script.set_attribute("src", &source);
        document.body()?.append_child(&script).ok()?;
        Some(())
    };
    if begun().is_none()
        && let Some(answer) = answer.take()
    {
        answer(None);
    }
}

/// The choice to take one's own notes along in an address, which is shown with them then; none where there are none.
pub(crate) fn choice(desk: Desk, plain: String, shown: RwSignal<String>) -> Option<AnyView> {
    let notes = desk.jotted();
    // A lesson that is a file by itself has no script to fetch.
    if notes.is_empty() || place::alone().is_some() {
        return None;
    }
    let wanted = RwSignal::new(false);
    let said = RwSignal::new(String::new());
    let label = tf("share.notes", &[Arg::Count(notes.len() as i64)]);
    let change = move |event| {
        wanted.set(event_target_checked(&event));
        said.set(String::new());
        shown.set(plain.clone());
        if !wanted.get_untracked() {
            return;
        }
        let plain = plain.clone();
        ask("pack", &jottings::written(&notes), move |packed| {
            // Meanwhile the reader may have thought better of it, or closed the dialog.
            if wanted.try_get_untracked() != Some(true) {
                return;
            }
            let address = packed.map(|packed| format!("{plain}{MARK}{packed}"));
            let fits = address.filter(|address| !address.ends_with('='));
            said.set(match fits {
                None => t("boot.unreachable"),
                Some(address) if address.len() > ADDRESS_MAX => {
                    let sizes = [address.len(), ADDRESS_MAX].map(|size| Arg::Count(size as i64));
                    tf("share.notes-long", &sizes)
                }
                Some(address) => {
                    shown.set(address);
                    t("share.notes-told")
                }
            });
        });
    };
    let choice = view! {
        <div class="field">
            <label class="check"><input type="checkbox" on:change=change/>" "{label}</label>
            <p role="status">{live(move || said.get())}</p>
        </div>
    };
    Some(choice.into_any())
}

/// Takes up the notes that the address of the page brings, if it brings some.
// Few addresses do: kept whole, it is no part of what a start fetches.
#[cold]
#[inline(never)]
pub(crate) fn take_up(desk: Desk) {
    let hash = place::hash();
    let Some(packed) = hash.strip_prefix(MARK).filter(|_| place::alone().is_none()) else {
        return;
    };
    if packed.len() > ADDRESS_MAX {
        desk.later(move || desk.notice.set(Some(t("jot.lent-long"))));
        return;
    }
    ask("unpack", packed, move |text| {
        desk.later(move || desk.lend(text));
    });
}

impl Desk {
    /// Shows notes that came with the address.
    fn lend(self, text: Option<String>) {
        let Some(text) = text else {
            self.notice.set(Some(t("jot.lent-missed")));
            return;
        };
        let (mut lent, faulty) = jottings::read(&text);
        for note in &mut lent {
            // Somebody else wrote the address too: only what an address may ask for is left of it.
            note.query = note
                .query
                .take()
                .map(|query| contract::parse(&query).query());
        }
        let own = self.jotted();
        if faulty {
            let word = if lent.is_empty() {
                "jot.lent-bad"
            } else {
                "jot.lent-some"
            };
            self.notice.set(Some(t(word)));
        }
        lent.retain(|note| !own.iter().any(|own| own.says_as(note)));
        if lent.is_empty() {
            return;
        }
        let came = tf("jot.lent-came", &[Arg::Count(lent.len() as i64)]);
        self.with(|core| core.lent = lent);
        self.mark_jottings(&own);
        self.jotting.set(true);
        self.flash(came.clone());
        self.speak(&came);
    }

    /// Where a note leads.
    pub(crate) fn run_of(self, note: &Jotting) -> String {
        let query = note.query.clone();
        let query = query.unwrap_or_else(|| format!("at={}", Time(note.at).as_s()));
        snippet::page(&place::root(), "l", self.slug, &query)
    }
}

/// The notes that came with the address, above one's own. `keep` takes some of them among these.
pub(crate) fn panel(desk: Desk, keep: impl Fn(Vec<Jotting>) + Clone + 'static) -> Option<AnyView> {
    let lent = desk.with(|core| core.lent.clone())?;
    if lent.is_empty() {
        return None;
    }
    let note = |note: &Jotting| {
        let at = Time(note.at);
        let go = move |_| {
            desk.happen(|player| {
                player.set_playing(false);
                player.seek(at)
            });
        };
        let open = desk.links().then(|| {
            view! { <a href=desk.run_of(note) target="_blank" rel="noopener">{t("jot.open")}</a> }
        });
        view! {
            <li class="jotting">
                <button class="link num" type="button" on:click=go>{desk.told(at)}</button>
                <p class="jot-text">{note.text.clone()}</p>
                <div class="actions">{open}</div>
            </li>
        }
    };
    let notes = lent.iter().map(note).collect_view();
    let end = move |kept: bool| {
        let mut left = desk
            .with(|core| std::mem::take(&mut core.lent))
            .unwrap_or_default();
        if kept {
            let room = NOTES_MAX.saturating_sub(desk.jotted().len());
            let taken: Vec<_> = left.drain(..room.min(left.len())).collect();
            let said = match left.is_empty() {
                true => t("jot.lent-kept"),
                false => tf("jot.lent-room", &[Arg::Count(taken.len() as i64)]),
            };
            desk.with(|core| core.lent = left);
            keep(taken);
            desk.flash(said.clone());
            desk.speak(&said);
        } else {
            desk.mark_jottings(&desk.jotted());
            desk.speak(&t("jot.lent-left"));
        }
        // What is left of them is shown anew.
        desk.jotting.set(true);
        request_animation_frame(|| place::focus(&["jot-text"]));
    };
    let leave = end.clone();
    let panel = view! {
        <section class="lent" aria-labelledby="lent-title">
            <h3 id="lent-title">{t("jot.lent")}</h3>
            <p><small>{t("jot.lent-what")}</small></p>
            <ol class="jotted">{notes}</ol>
            <div class="actions">
                <button class="btn btn-primary" type="button" on:click=move |_| end(true)>{t("jot.lent-keep")}</button>
                <button class="btn" type="button" on:click=move |_| leave(false)>{t("jot.lent-leave")}</button>
            </div>
        </section>
    };
    Some(panel.into_any())
}

/// What a note from the address says on the tape.
pub(crate) fn mark(note: &Jotting) -> (Time, String) {
    (Time(note.at), tx("jot.lent-mark", &note.text))
}
