//! The learner's own notes at moments of the tape: kept in this browser, marked on the tape, taken along as text.

use crate::desk::Desk;
use crate::icons::{self, icon};
use crate::live::{live, memo, rarely};
use crate::sharing::copy;
use crate::texts::{t, tx};
use crate::{export, lent, opening, place, present, store};
use contract::Address;
use engine::Time;
use leptos::html;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The version written. What an earlier one wrote is converted in [`read`].
const VERSION: u32 = 1;
/// So many notes are kept for a lesson, of so many characters each.
pub(crate) const NOTES_MAX: usize = 200;
const TEXT_MAX: usize = 2_000;

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Jotting {
    /// Its number, which stays while others come and go.
    #[serde(default)]
    id: u32,
    /// The moment, in microseconds.
    pub(crate) at: u64,
    /// What it says.
    pub(crate) text: String,
    /// The query that opens the run that it was written at; none where that run was too long for an address.
    #[serde(default)]
    pub(crate) query: Option<String>,
}

impl Jotting {
    /// Whether another says the same about the same moment.
    pub(crate) fn says_as(&self, other: &Jotting) -> bool {
        (self.at, &self.text) == (other.at, &other.text)
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    notes: Vec<Jotting>,
}

/// Under this name they are kept.
pub(crate) fn key(slug: &str) -> String {
    format!("notes.{slug}")
}

/// What is kept, and whether something had to be left out.
pub(crate) fn read(text: &str) -> (Vec<Jotting>, bool) {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return (Vec::new(), true);
    };
    let later = value["version"].as_u64() > Some(VERSION.into());
    let found = value["notes"].as_array().cloned().unwrap_or_default();
    let of = found.len();
    let notes = found
        .into_iter()
        .filter_map(|note| serde_json::from_value::<Jotting>(note).ok());
    let end = engine::tape::END.0;
    let notes = notes.filter(|note| !note.text.trim().is_empty() && note.at <= end);
    let mut notes: Vec<_> = notes.take(NOTES_MAX).collect();
    for (id, note) in (1..).zip(&mut notes) {
        note.id = id;
        note.text = note.text.chars().take(TEXT_MAX).collect();
    }
    let whole = notes.len() == of && value["notes"].is_array() && !later;
    (notes, !whole)
}

/// Notes as they are kept.
pub(crate) fn written(notes: &[Jotting]) -> String {
    let kept = Kept {
        version: VERSION,
        notes: notes.to_vec(),
    };
    // Numbers and texts always can be written.
    serde_json::to_string(&kept).unwrap_or_default()
}

impl Desk {
    /// Takes up the notes of earlier visits. What cannot be read is set aside, and said.
    pub(crate) fn recall_jottings(self, kept: &str) {
        let (notes, faulty) = read(kept);
        if faulty {
            store::set(&format!("{}.aside", key(self.slug)), kept);
            self.keep(&notes);
            self.later(move || self.notice.set(Some(t("jot.aside"))));
        }
        self.mark_jottings(&notes);
    }

    /// Shows the notes, ready to be written, or shows them no longer.
    pub(crate) fn jot(self) {
        let show = !self.jotting.get_untracked();
        if show {
            // A note is about a moment, so that moment stays.
            self.act(|player| player.set_playing(false));
        } else {
            place::focus(&["jottings", "play"]);
        }
        self.later(move || self.show_jottings(show));
    }

    fn show_jottings(self, show: bool) {
        self.jotting.set(show);
        if show {
            present::show_panels(self);
            request_animation_frame(|| place::focus(&["jot-text"]));
        }
    }

    pub(crate) fn jotted(self) -> Vec<Jotting> {
        store::get(&key(self.slug)).map_or_else(Vec::new, |kept| read(&kept).0)
    }

    fn keep(self, notes: &[Jotting]) {
        store::set(&key(self.slug), &written(notes));
    }

    /// Puts them on the tape, with those that came with the address.
    pub(crate) fn mark_jottings(self, notes: &[Jotting]) {
        let marks = notes.iter().map(|note| (Time(note.at), note.text.clone()));
        self.with(|core| core.jotted = marks.chain(core.lent.iter().map(lent::mark)).collect());
        self.refresh();
    }

    /// A moment as the clock of the lesson tells it.
    pub(crate) fn told(self, at: Time) -> String {
        let speed = self.ask(|player| player.main().speed());
        at.at_speed(speed.unwrap_or(1.0))
    }
}

/// All notes as a text: a heading, then each with its moment and a link to it.
fn markdown(title: &str, notes: &[Jotting], link: impl Fn(&Jotting) -> (String, String)) -> String {
    let entries = notes.iter().map(|note| {
        let (at, url) = link(note);
        let text = note.text.trim().replace('\n', "\n  ");
        format!("- [{at}]({url}): {text}\n")
    });
    format!("# {title}\n\n{}", entries.collect::<String>())
}

/// The panel, while it is shown.
pub(crate) fn panel(desk: Desk) -> impl IntoView {
    rarely(
        move || desk.jotting.get().then_some(()),
        move |()| build(desk),
    )
}

fn build(desk: Desk) -> AnyView {
    let notes = RwSignal::new(desk.jotted());
    let editing = RwSignal::new(None::<u32>);
    let area = NodeRef::<html::Textarea>::new();
    let put = move |change: &dyn Fn(&mut Vec<Jotting>)| {
        notes.update(|notes| {
            change(notes);
            notes.sort_by_key(|note| (note.at, note.id));
        });
        let now = notes.get_untracked();
        desk.keep(&now);
        desk.mark_jottings(&now);
    };
    let label = move || tx("jot.at", &desk.told(desk.now.get()));
    let write = move || {
        let Some(area) = area.get_untracked() else {
            return;
        };
        let text: String = area.value().trim().chars().take(TEXT_MAX).collect();
        if text.is_empty() || notes.with_untracked(Vec::len) >= NOTES_MAX {
            desk.flash(t(if text.is_empty() {
                "jot.empty"
            } else {
                "jot.full"
            }));
            return;
        }
        area.set_value("");
        desk.settle();
        let asked = desk.asked(Address::clone).unwrap_or_default();
        let here = desk.ask(|player| {
            let at = player.main().position().at.0;
            (
                at,
                opening::shortest(player, &asked).map(|asked| asked.query()),
            )
        });
        let (at, query) = here.unwrap_or_default();
        let id = notes.with_untracked(|notes| notes.iter().map(|note| note.id).max());
        let id = id.unwrap_or_default() + 1;
        put(&|notes| {
            notes.push(Jotting {
                id,
                at,
                text: text.clone(),
                query: query.clone(),
            });
        });
        desk.speak(&tx("jot.kept", &desk.told(Time(at))));
    };
    // As in a chat, Control and Enter send what was written.
    let key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            write();
        } else if event.key() == "Escape" {
            desk.jot();
        }
    };
    let link = move |note: &Jotting| (desk.told(Time(note.at)), desk.run_of(note));
    let text = move || markdown(&desk.word("title"), &notes.get(), link);
    let note = move |id: u32| {
        let found =
            memo(move || notes.with(|notes| notes.iter().find(|note| note.id == id).cloned()));
        let at = move || found.get().map_or(Time::ZERO, |note| Time(note.at));
        let go = move |_| {
            desk.happen(|player| {
                player.set_playing(false);
                player.seek(at())
            });
        };
        let delete = move |_| {
            place::focus(&["jot-text"]);
            put(&|notes| notes.retain(|note| note.id != id));
            desk.speak(&t("jot.deleted"));
        };
        let field = format!("jot-{id}");
        let name = field.clone();
        let change = move |event| {
            let text: String = event_target_value(&event)
                .trim()
                .chars()
                .take(TEXT_MAX)
                .collect();
            put(&|notes| {
                // A note that says nothing is no note, but it is not lost by a slip: it stays as it was.
                if let Some(note) = notes
                    .iter_mut()
                    .find(|note| note.id == id && !text.is_empty())
                {
                    note.text.clone_from(&text);
                }
            });
        };
        let edit = move |_| {
            let on = editing.get_untracked() != Some(id);
            editing.set(on.then_some(id));
            if on {
                let name = name.clone();
                request_animation_frame(move || place::focus(&[&name]));
            }
        };
        let body = move || {
            let text = found.get().map_or_else(String::new, |note| note.text);
            match editing.get() == Some(id) {
                true => view! {
                    <textarea class="input" id=field.clone() rows="3" maxlength=TEXT_MAX.to_string() aria-label=t("jot.edit")
                        prop:value=text on:change=change></textarea>
                }
                .into_any(),
                false => view! { <p class="jot-text">{text}</p> }.into_any(),
            }
        };
        let open = desk.links().then(|| {
            let href = found.get_untracked().map(|note| link(&note).1);
            view! { <a href=href target="_blank" rel="noopener">{t("jot.open")}</a> }
        });
        view! {
            <li class="jotting">
                <button class="link num" type="button" on:click=go>{live(move || desk.told(at()))}</button>
                {live_part(body)}
                <div class="actions">
                    <button class="link" type="button" aria-expanded=live(move || (editing.get() == Some(id)).to_string())
                        on:click=edit>{t("jot.edit")}</button>
                    <button class="link" type="button" on:click=delete>{t("jot.delete")}</button>
                    {open}
                </div>
            </li>
        }
    };
    let lent = lent::panel(desk, move |taken| {
        put(&|notes| {
            let last = notes.iter().map(|note| note.id).max().unwrap_or_default();
            let taken = taken.iter().zip(last + 1..);
            notes.extend(taken.map(|(note, id)| Jotting { id, ..note.clone() }));
        });
    });
    let failed = RwSignal::new(false);
    let save = move |_| {
        let saved = export::save_own(desk, "md", "text/markdown", &text());
        failed.set(saved.is_none());
    };
    let (copies, copied) = copy(move || untrack(text));
    let any = memo(move || notes.with(|notes| !notes.is_empty()));
    // Where nothing may be kept, the notes are gone with the page: whoever wants them takes them along.
    let forgets = (!store::keeps()).then(|| view! { <p><small>{t("jot.forgets")}</small></p> });
    let ids = move || notes.with(|notes| notes.iter().map(|note| note.id).collect::<Vec<_>>());
    view! {
        <section class="panel inspector" aria-labelledby="jot-title">
            <div class="inspector-head">
                <h2 id="jot-title">{t("jot.title")}</h2>
                <button class="icon-btn btn-quiet" type="button" aria-label=t("ui.close") title=t("ui.close")
                    on:click=move |_| desk.jot()>{icon(icons::CLOSE)}</button>
            </div>
            <div class="field">
                <label for="jot-text">{live(label)}</label>
                <textarea class="input" id="jot-text" rows="3" maxlength=TEXT_MAX.to_string() node_ref=area on:keydown=key></textarea>
            </div>
            <div class="actions"><button class="btn btn-primary" type="button" on:click=move |_| write()>{t("jot.keep")}</button></div>
            {forgets}
            {lent}
            <ol class="jotted"><For each=ids key=|id| *id let(id)>{note(id)}</For></ol>
            <Show when=move || any.get()>
                <details class="steps">
                    <summary>{t("jot.export")}</summary>
                    <textarea class="input" rows="6" readonly aria-label=t("jot.export") prop:value=live(text)></textarea>
                </details>
            </Show>
            <div class="actions" hidden=live(move || !any.get())>
                {copies}
                <button class="btn" type="button" on:click=save>{t("jot.save")}</button>
            </div>
            {copied}
            <p role="status">{live(move || failed.get().then(|| t("share.no-file")))}</p>
        </section>
    }
    .into_any()
}

/// A part that changes its kind.
fn live_part(look: impl Fn() -> AnyView + Send + 'static) -> crate::live::Live<AnyView> {
    Box::new(look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_as_far_as_they_can_be() {
        let note = |at, text: &str| Jotting {
            id: 1,
            at,
            text: text.to_owned(),
            query: None,
        };
        let kept = r#"{"version":1,"notes":[{"at":5,"text":"a"}]}"#;
        assert_eq!(read(kept), (vec![note(5, "a")], false));
        // Of what an earlier version or another hand wrote, what can be read stays.
        let odd = r#"{"notes":[{"at":-1,"text":"x"},{"at":7,"text":"b","more":1},3,{"at":9,"text":" "}]}"#;
        assert_eq!(read(odd), (vec![note(7, "b")], true));
        for bad in [
            "",
            "[]",
            "null",
            "{\"notes\":3}",
            "{\"version\":9,\"notes\":[]}",
            "\u{0}",
        ] {
            assert_eq!(read(bad), (Vec::new(), true), "{bad}");
        }
        let many = vec![note(1, &"é".repeat(TEXT_MAX + 9)); NOTES_MAX + 5];
        let text = serde_json::to_string(&Kept {
            version: 1,
            notes: many,
        })
        .unwrap();
        let (notes, cut) = read(&text);
        assert!(cut && notes.len() == NOTES_MAX);
        assert_eq!(notes[0].text.chars().count(), TEXT_MAX);
    }

    #[test]
    fn they_are_exported_as_markdown() {
        let notes = [Jotting {
            id: 1,
            at: 3_200_000,
            text: "Two lines\nof it".to_owned(),
            query: Some("beat=2".to_owned()),
        }];
        let link = |note: &Jotting| {
            let query = note.query.clone().unwrap_or_default();
            (
                Time(note.at).to_string(),
                format!("https://a.example/?{query}"),
            )
        };
        let text = markdown("Caching", &notes, link);
        assert_eq!(
            text,
            "# Caching\n\n- [00:03.20](https://a.example/?beat=2): Two lines\n  of it\n"
        );
    }
}
