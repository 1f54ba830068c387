//! The Embed dialog: an author chooses what the lesson opens with and shows, sees it, and copies what to paste.

use crate::desk::Desk;
use crate::knobs::{Control, Turn};
use crate::live::{follow, live, memo};
use crate::sharing::copy;
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
                Address {
                    beat: (beat > 1).then_some(beat),
                    knobs: knobs.collect(),
                    ..Address::default()
                }
            }
            _ => Address::default(),
        };
        let all = !self.lock.is_empty() && self.lock.len() == self.knobs.len();
        let lock = if all { vec!["all"] } else { self.lock.clone() };
        let asked = Address {
            theme: (self.theme > 0).then_some(self.theme),
            lock: lock.into_iter().map(str::to_owned).collect(),
            hide: self.hide.clone(),
            ..opens
        };
        asked.query()
    }
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
    let now = desk.ask(opening::shortest).flatten();
    let first = desk
        .ask(|player| player.main().fresh(1).knobs())
        .unwrap_or_default();
    let own = |knobs: Vec<(Knob, f64)>| -> Vec<(Knob, f64)> {
        let own = knobs.into_iter().filter(|(knob, _)| knob.part.is_none());
        own.collect()
    };
    let first = own(first);
    let choice = RwSignal::new(Choice {
        place: Place::Beat(1),
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
            </div>
        </div>
    }
}

#[component]
fn Opening(desk: Desk, choice: RwSignal<Choice>, able: bool) -> impl IntoView {
    let beats = desk.ask(|player| player.beats().len()).unwrap_or(1);
    let now = tf("embed.now", &[Arg::Number(desk.now.get_untracked().as_s())]);
    let step = |beat: usize| {
        let text = if beat == 1 {
            t("embed.start")
        } else {
            let args = [Arg::Count(beat as i64), Arg::Count(beats as i64)];
            tf("story.step", &args)
        };
        view! { <option value=beat.to_string()>{text}</option> }
    };
    let options = (1..=beats).map(step).collect_view();
    let change = move |event| {
        let value = event_target_value(&event);
        choice.update(|choice| choice.place = value.parse().map_or(Place::Now, Place::Beat));
    };
    view! {
        <div class="field">
            <label for="embed-at">{t("embed.open-at")}</label>
            <select class="input" id="embed-at" on:change=change>
                {options}
                {able.then(|| view! { <option value="now">{now}</option> })}
            </select>
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_holds_what_differs() {
        for entry in lessons::CATALOGUE {
            let first = (entry.open)(1).knobs();
            let mut choice = Choice {
                place: Place::Beat(1),
                theme: 0,
                knobs: first.clone(),
                lock: Vec::new(),
                hide: Vec::new(),
                size: SIZE,
                paste: Paste::Iframe,
            };
            assert_eq!(choice.query(None, &first), "");
            choice.lock = first.iter().map(|(knob, _)| knob.id).collect();
            (choice.place, choice.theme, choice.hide) = (Place::Beat(2), 2, vec!["tape"]);
            assert_eq!(
                choice.query(None, &first),
                "theme=dark&beat=2&hide=tape&lock=all"
            );
            choice.place = Place::Now;
            let now = contract::parse("at=3");
            assert_eq!(
                choice.query(Some(&now), &first),
                "theme=dark&at=3&hide=tape&lock=all"
            );
        }
    }
}
