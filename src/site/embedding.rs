//! The Embed dialog: an author chooses what the lesson opens with and shows, sees it, and copies what to paste.

use crate::desk::Desk;
use crate::knobs::{Control, Turn};
use crate::live::{follow, live, memo};
use crate::sharing::copy;
use crate::story::step;
use crate::texts::{t, tf, tx};
use crate::theme::THEMES;
use crate::{opening, place};
use contract::Address;
use contract::snippet::{Embed, SIZE};
use engine::{Arg, Knob};
use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use std::sync::Arc;

/// What an embedded lesson can do without; title and prose it does not show anyway.
const HIDEABLE: [&str; 6] = ["story", "knobs", "tape", "actions", "challenges", "share"];
/// The preview follows this long after the last change, in milliseconds.
const PREVIEW_MS: u32 = 400;
/// Bounds of the frame's sides, in CSS pixels.
const SIDES: (u32, u32) = (200, 4_000);

/// Where the lesson opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At a step, from 0 and of the whole story.
    Beat(usize),
    Now,
}

/// What is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paste {
    Iframe,
    Jsx,
    Element,
    Address,
}

/// What the author chose.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    place: Place,
    /// The names of the lesson's steps.
    steps: Vec<&'static str>,
    /// The first and the last of them that the story tells, from 0.
    part: (usize, usize),
    theme: usize,
    knobs: Vec<(Knob, f64)>,
    lock: Vec<&'static str>,
    hide: Vec<&'static str>,
    size: (u32, u32),
    paste: Paste,
}

impl Choice {
    /// The query: `now` opens what is on screen, `first` are the lesson's own values of the knobs.
    fn query(&self, now: Option<&Address>, first: &[(Knob, f64)]) -> String {
        let opens = match (self.place, now) {
            (Place::Now, Some(now)) => now.clone(),
            (Place::Beat(beat), _) => {
                let turned = self
                    .knobs
                    .iter()
                    .zip(first)
                    .filter(|((_, now), (_, first))| now != first);
                let knobs = turned.map(|((knob, now), _)| (knob.id.to_owned(), knob.write(*now)));
                let (first, last) = self.part;
                Address {
                    beat: (beat > first && beat <= last).then_some(beat - first + 1),
                    knobs: knobs.collect(),
                    ..Address::default()
                }
            }
            _ => Address::default(),
        };
        let (first, last) = self.part;
        let name = |at: usize| self.steps.get(at).map(|id| (*id).to_owned());
        let all = !self.lock.is_empty() && self.lock.len() == self.knobs.len();
        let lock = if all { vec!["all"] } else { self.lock.clone() };
        let asked = Address {
            theme: (self.theme > 0).then_some(self.theme),
            lock: lock.into_iter().map(str::to_owned).collect(),
            hide: self.hide.clone(),
            from: name(first).filter(|_| first > 0),
            to: name(last).filter(|_| last + 1 < self.steps.len()),
            ..opens
        };
        asked.query()
    }
}

/// The number of a step, from 0, that an option counts from 1.
fn counted(option: &str) -> Option<usize> {
    option.parse::<usize>().ok()?.checked_sub(1)
}

/// Adds an entry to a list or takes it out.
fn toggle<T: PartialEq>(list: &mut Vec<T>, entry: T, on: bool) {
    list.retain(|other| *other != entry);
    if on {
        list.push(entry);
    }
}

/// The dialog's content.
#[component]
pub(crate) fn EmbedForm(desk: Desk) -> impl IntoView {
    desk.settle();
    let page = desk.asked(Clone::clone).unwrap_or_default();
    let now = desk
        .ask(|player| opening::shortest(player, &page))
        .flatten();
    let steps = desk.ask(|player| player.main().beats()).unwrap_or_default();
    let steps: Vec<_> = steps.iter().map(|beat| beat.id).collect();
    let place = |name: &Option<String>| {
        let name = name.as_deref()?;
        steps.iter().position(|id| *id == name)
    };
    let part = (
        place(&page.from).unwrap_or(0),
        place(&page.to).unwrap_or(steps.len().saturating_sub(1)),
    );
    let first = desk
        .ask(|player| player.main().fresh(1).knobs())
        .unwrap_or_default();
    let own = |knobs: Vec<(Knob, f64)>| -> Vec<(Knob, f64)> {
        let own = knobs.into_iter().filter(|(knob, _)| knob.part.is_none());
        own.collect()
    };
    let first = own(first);
    let choice = RwSignal::new(Choice {
        place: Place::Beat(part.0),
        steps,
        part,
        theme: 0,
        knobs: first.clone(),
        lock: Vec::new(),
        hide: Vec::new(),
        size: SIZE,
        paste: Paste::Iframe,
    });
    let able = now.is_some();
    let known = first.clone();
    let query = memo(move || choice.with(|choice| choice.query(now.as_ref(), &known)));
    let title = tx("embed.frame-title", &desk.word("title"));
    let code = memo(move || {
        let (size, paste) = choice.with(|choice| (choice.size, choice.paste));
        let (root, query) = (place::root(), query.get());
        let embed = Embed {
            root: &root,
            slug: desk.slug,
            query: &query,
            title: &title,
            size,
        };
        match paste {
            Paste::Iframe => embed.iframe(),
            Paste::Jsx => embed.jsx(),
            Paste::Element => embed.element(),
            Paste::Address => embed.address(),
        }
    });
    let (button, said) = copy(move || code.get_untracked());
    let paste = |paste: Paste, word: &'static str| {
        let on = move || choice.with(|choice| choice.paste == paste);
        let change = move |_| choice.update(|choice| choice.paste = paste);
        view! { <label><input type="radio" name="embed-paste" prop:checked=live(on) on:change=change/><span>{t(word)}</span></label> }
    };
    view! {
        <div class="dialog-body dialog-cols">
            <div>
                <Opening desk choice able/>
                <Looks choice/>
                <Settings desk choice first/>
            </div>
            <div>
                <div class="field">
                    <fieldset class="field">
                        <legend>{t("embed.paste")}</legend>
                        <div class="segmented">
                            {paste(Paste::Iframe, "embed.iframe")}
                            {paste(Paste::Jsx, "embed.jsx")}
                            {paste(Paste::Element, "embed.element")}
                            {paste(Paste::Address, "embed.plain")}
                        </div>
                    </fieldset>
                    <textarea class="input" id="embed-code" rows="6" readonly aria-label=t("embed.paste")
                        prop:value=live(move || code.get())></textarea>
                    <div class="actions">{button}</div>
                    {said}
                </div>
                <Preview desk query choice/>
                {place::alone().is_none().then(|| downloads(desk, query))}
            </div>
        </div>
    }
}

#[component]
fn Opening(desk: Desk, choice: RwSignal<Choice>, able: bool) -> impl IntoView {
    let count = choice.with_untracked(|choice| choice.steps.len());
    let now = tf("embed.now", &[Arg::Number(desk.told_s())]);
    let option = move |at: usize, chosen: bool| {
        view! { <option value=(at + 1).to_string() selected=chosen>{step(at, count)}</option> }
    };
    // A part of the story has at least one step, and it opens at one of its own.
    let pick = move |change: fn(&mut Choice, usize)| {
        move |event| {
            if let Some(at) = counted(&event_target_value(&event)) {
                choice.update(|choice| change(choice, at));
            }
        }
    };
    let from = pick(|choice, at| {
        choice.part = (at, choice.part.1.max(at));
        choice.place = Place::Beat(at);
    });
    let to = pick(|choice, at| {
        choice.part = (choice.part.0.min(at), at);
        choice.place = Place::Beat(choice.part.0);
    });
    let part = memo(move || choice.with(|choice| choice.part));
    let ends = move |id: &'static str, word: &'static str, end: fn((usize, usize)) -> usize| {
        let options = move || {
            let options = (0..count).map(|at| option(at, at == end(part.get())));
            options.collect_view()
        };
        (t(word), id, crate::live::part(options))
    };
    let (from_word, from_id, from_steps) = ends("embed-from", "embed.from", |part| part.0);
    let (to_word, to_id, to_steps) = ends("embed-to", "embed.to", |part| part.1);
    let change = move |event| {
        let value = event_target_value(&event);
        choice.update(|choice| choice.place = counted(&value).map_or(Place::Now, Place::Beat));
    };
    let places = move || {
        let (first, last) = part.get();
        let options = (first..=last).map(|at| option(at, at == first));
        let now = able.then(|| view! { <option value="now">{now.clone()}</option> });
        view! { {options.collect_view()}{now} }
    };
    view! {
        <div class="sides">
            <div class="field">
                <label for=from_id>{from_word}</label>
                <select class="input" id=from_id on:change=from>{from_steps}</select>
            </div>
            <div class="field">
                <label for=to_id>{to_word}</label>
                <select class="input" id=to_id on:change=to>{to_steps}</select>
            </div>
        </div>
        <div class="field">
            <label for="embed-at">{t("embed.open-at")}</label>
            <select class="input" id="embed-at" on:change=change>{crate::live::part(places)}</select>
        </div>
    }
}

#[component]
fn Looks(choice: RwSignal<Choice>) -> impl IntoView {
    let themes = THEMES.iter().enumerate().map(|(at, theme)| {
        view! { <option value=at.to_string()>{t(&format!("theme.{theme}"))}</option> }
    });
    let theme = move |event| {
        let value = event_target_value(&event).parse().unwrap_or(0);
        choice.update(|choice| choice.theme = value);
    };
    let hide = HIDEABLE.map(|part| {
        let change = move |event| {
            let on = event_target_checked(&event);
            choice.update(|choice| toggle(&mut choice.hide, part, on));
        };
        view! { <label><input type="checkbox" on:change=change/>" "{t(&format!("embed.part.{part}"))}</label> }
    });
    let side = move |id: &'static str, word: &'static str, wide: bool| {
        let pick = move |choice: &Choice| if wide { choice.size.0 } else { choice.size.1 };
        let change = move |event| {
            let Ok(value) = event_target_value(&event).parse::<u32>() else {
                return;
            };
            let value = value.clamp(SIDES.0, SIDES.1);
            choice.update(|choice| {
                if wide {
                    choice.size.0 = value;
                } else {
                    choice.size.1 = value;
                }
            });
        };
        view! {
            <div class="field">
                <label for=id>{t(word)}</label>
                <input class="input" type="number" id=id min=SIDES.0.to_string() max=SIDES.1.to_string()
                    prop:value=live(move || choice.with(pick).to_string()) on:change=change/>
            </div>
        }
    };
    view! {
        <div class="field">
            <label for="embed-theme">{t("embed.theme")}</label>
            <select class="input" id="embed-theme" on:change=theme>{themes.collect_view()}</select>
        </div>
        <div class="sides">
            {side("embed-width", "embed.width", true)}
            {side("embed-height", "embed.height", false)}
        </div>
        <fieldset class="field">
            <legend>{t("embed.hide")}</legend>
            <div class="checks">{hide.into_iter().collect_view()}</div>
        </fieldset>
    }
}

#[component]
fn Settings(desk: Desk, choice: RwSignal<Choice>, first: Vec<(Knob, f64)>) -> impl IntoView {
    let controls = first.iter().map(|(knob, _)| {
        let knob = *knob;
        let value = memo(move || {
            choice.with(|choice| {
                let found = choice.knobs.iter().find(|(known, _)| known.id == knob.id);
                found.map_or(0.0, |(_, value)| *value)
            })
        });
        let turn: Turn = Arc::new(move |value| {
            let Some(value) = knob.snap(value) else {
                return;
            };
            choice.update(|choice| {
                let mut knobs = choice.knobs.iter_mut();
                if let Some(entry) = knobs.find(|(known, _)| known.id == knob.id) {
                    entry.1 = value;
                }
            });
        });
        let label = desk.word(&format!("knob.{}", knob.id));
        let lock = tx("embed.lock", &label);
        let change = move |event| {
            let on = event_target_checked(&event);
            choice.update(|choice| toggle(&mut choice.lock, knob.id, on));
        };
        let name = format!("embed-{}", knob.id);
        view! {
            <Control desk knob name label value turn/>
            <label class="lock"><input type="checkbox" on:change=change/>" "{lock}</label>
        }
    });
    let controls = controls.collect_view();
    // What is on screen has its settings already.
    let now = memo(move || choice.with(|choice| choice.place == Place::Now));
    view! {
        <details class="more" hidden=live(move || now.get())>
            <summary>{t("embed.settings")}</summary>
            {controls}
        </details>
    }
}

/// The lesson as it will stand in the author's page.
#[component]
fn Preview(desk: Desk, query: Memo<String>, choice: RwSignal<Choice>) -> impl IntoView {
    let address =
        move |query: &str| contract::snippet::page(&place::root(), "embed", desk.slug, query);
    let shown = RwSignal::new(address(&query.get_untracked()));
    let waiting = StoredValue::new_local(None::<Timeout>);
    follow(move || {
        let next = address(&query.get());
        if shown.with_untracked(|shown| *shown == next) {
            return;
        }
        // The earlier wait ends when its handle is dropped.
        waiting.set_value(Some(Timeout::new(PREVIEW_MS, move || {
            shown.try_set(next);
        })));
    });
    let ratio = move || {
        let (width, height) = choice.with(|choice| choice.size);
        format!("{width} / {height}")
    };
    view! {
        <div class="field">
            <span>{t("embed.preview")}</span>
            <iframe class="preview" src=live(move || shown.get()) style:aspect-ratio=live(ratio) title=t("embed.preview")></iframe>
        </div>
    }
}

/// Files for a course: the script that packs them is fetched with the dialog, and fills the element.
fn downloads(desk: Desk, query: Memo<String>) -> AnyView {
    let failed = RwSignal::new(false);
    place::fetch_script("download.js", move || {
        // The dialog may be closed by then.
        failed.try_set(true);
    });
    let missing = tx("code.missing", "download.js");
    let said = move || failed.get().then(|| missing.clone());
    view! {
        <p role="status">{live(said)}</p>
        <loadlab-download data-root=place::root() data-slug=desk.slug data-missing=t("code.missing")
            data-query=live(move || query.get())></loadlab-download>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_holds_what_differs() {
        for entry in lessons::CATALOGUE {
            let first = (entry.open)(1).knobs();
            let mut choice = Choice {
                place: Place::Beat(0),
                steps: vec!["a", "b", "c", "d"],
                part: (0, 3),
                theme: 0,
                knobs: first.clone(),
                lock: Vec::new(),
                hide: Vec::new(),
                size: SIZE,
                paste: Paste::Iframe,
            };
            assert_eq!(choice.query(None, &first), "");
            choice.lock = first.iter().map(|(knob, _)| knob.id).collect();
            (choice.place, choice.theme, choice.hide) = (Place::Beat(1), 2, vec!["tape"]);
            assert_eq!(
                choice.query(None, &first),
                "theme=dark&beat=2&hide=tape&lock=all"
            );
            (choice.part, choice.hide) = ((1, 2), Vec::new());
            (choice.lock, choice.theme) = (Vec::new(), 0);
            for (at, query) in [
                (1, "from=b&to=c"),
                (2, "beat=2&from=b&to=c"),
                (3, "from=b&to=c"),
            ] {
                choice.place = Place::Beat(at);
                assert_eq!(choice.query(None, &first), query);
            }
            (choice.part, choice.place) = ((0, 3), Place::Now);
            (choice.theme, choice.hide) = (2, vec!["tape"]);
            choice.lock = first.iter().map(|(knob, _)| knob.id).collect();
            let now = contract::parse("at=3");
            assert_eq!(
                choice.query(Some(&now), &first),
                "theme=dark&at=3&hide=tape&lock=all"
            );
        }
    }
}
