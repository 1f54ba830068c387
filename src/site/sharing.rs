//! The Share dialog: the address of what is on screen, and the frame and its numbers as files.

use crate::desk::Desk;
use crate::export::Outcome;
use crate::live::{live, rarely};
use crate::story::step;
use crate::texts::{t, tx};
use crate::views::Dot;
use crate::{export, film, lent, opening, place};
use contract::snippet;
use js_sys::{Function, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// How long "Copied" stands there, in milliseconds.
const SAID_MS: u32 = 4_000;

/// A button that copies a text, and the line that says so for a while.
pub(crate) fn copy(text: impl Fn() -> String + 'static) -> (impl IntoView, impl IntoView) {
    let copied = RwSignal::new("");
    let click = move |_| {
        let text = text();
        leptos::task::spawn_local(async move {
            let done = write(&text).await.is_some();
            let said = if done {
                "share.copied"
            } else {
                "share.not-copied"
            };
            copied.try_set(said);
            place::soon(SAID_MS, move || {
                // The dialog may be closed by then.
                copied.try_set("");
            });
        });
    };
    let button = view! { <button class="btn btn-primary" type="button" on:click=click>{t("ui.copy")}</button> };
    let said = view! {
        <p class="copied" role="status">{live(move || Some(copied.get()).filter(|id| !id.is_empty()).map(t))}</p>
    };
    (button, said)
}

/// Calls a method of an object that may lack it: browsers leave some away where a page is not secure or is framed.
async fn call(object: JsValue, method: &str, argument: &JsValue) -> Option<()> {
    let method = Reflect::get(&object, &JsValue::from_str(method)).ok()?;
    let promise = method
        .dyn_ref::<Function>()?
        .call1(&object, argument)
        .ok()?;
    JsFuture::from(promise.dyn_into::<Promise>().ok()?)
        .await
        .ok()?;
    Some(())
}

async fn write(text: &str) -> Option<()> {
    let navigator = web_sys::window()?.navigator();
    let clipboard = Reflect::get(&navigator, &JsValue::from_str("clipboard")).ok()?;
    call(clipboard, "writeText", &JsValue::from_str(text)).await
}

/// Whether the system has a share sheet for pages.
fn can_share() -> bool {
    let navigator = web_sys::window().map(|window| window.navigator());
    navigator.is_some_and(|navigator| {
        Reflect::get(&navigator, &JsValue::from_str("share")).is_ok_and(|share| share.is_function())
    })
}

/// The dialog's content.
#[component]
pub(crate) fn Share(desk: Desk) -> impl IntoView {
    desk.settle();
    let at = desk.now.get_untracked().to_string();
    // What the author locked or left out stays so for whoever opens the address.
    let author = desk.asked(Clone::clone).unwrap_or_default();
    let asked = desk
        .ask(|player| opening::shortest(player, &author))
        .flatten();
    let follow = desk.with(|core| core.follows()).flatten();
    let asked = asked.map(|asked| contract::Address {
        lock: author.lock,
        hide: author.hide,
        follow,
        ..asked
    });
    let url = asked.map(|asked| snippet::page(&place::root(), "l", desk.slug, &asked.query()));
    let own_page = url.clone().filter(|_| desk.links());
    let address = match url {
        Some(url) => {
            let shown = RwSignal::new(url.clone());
            let notes = lent::choice(desk, url, shown);
            let (button, said) = copy(move || shown.get_untracked());
            let sheet = can_share().then(|| {
                let click = move |_| {
                    let fields = [
                        ("title", JsValue::from_str(&desk.word("title"))),
                        ("url", JsValue::from_str(&shown.get_untracked())),
                    ];
                    let what = crate::line::object(&fields);
                    leptos::task::spawn_local(async move {
                        if let Some(window) = web_sys::window() {
                            // The reader may close the sheet again, which is no fault.
                            let _ = call(window.navigator().into(), "share", &what).await;
                        }
                    });
                };
                view! { <button class="btn" type="button" on:click=click>{t("share.sheet")}</button> }
            });
            view! {
                <p>{tx("share.what", &at)}</p>
                <div class="field">
                    <label for="share-url">{t("share.address")}</label>
                    <div class="copy-row"><input class="input" id="share-url" readonly prop:value=live(move || shown.get())/>{button}</div>
                </div>
                {notes}
                {said}
                {sheet}
            }
            .into_any()
        }
        None => view! { <p>{t("share.too-long")}</p> }.into_any(),
    };
    let outcome = RwSignal::new(None);
    let file = move |id: &'static str, save: fn(Desk, export::Said)| {
        view! { <button class="btn" type="button" on:click=move |_| save(desk, outcome)>{t(id)}</button> }
    };
    let told = move |what: Outcome| instead(what, own_page.clone());
    // A page of its own, in a tab of its own: the run here goes on. A lesson that is a file by itself has none.
    let handout = (desk.links() && place::alone().is_none()).then(|| {
        let href = place::href(&format!("l/{}/handout/", desk.slug));
        view! { <a class="btn" href=href target="_blank" rel="noopener">{t("share.handout")}</a> }
    });
    // A lesson that is a file by itself has no script to fetch.
    let (open_film, lost) = (StoredValue::new_local(None), RwSignal::new(false));
    let film = place::alone().is_none().then(|| {
        let click = move |_| open_film.set_value(film::open(desk, lost));
        view! { <button class="btn" type="button" on:click=click>{t("share.film")}</button> }
    });
    view! {
        <div class="dialog-body">
            {address}
            {desk.links().then(|| steps(desk))}
            <fieldset class="field">
                <legend>{t("share.files")}</legend>
                <div class="actions">
                    {file("share.png", export::png)}
                    {file("share.svg", export::svg)}
                    {file("share.csv", export::csv)}
                    {film}
                    {handout}
                </div>
                <div role="status">{rarely(move || outcome.get(), told)}</div>
                <p role="status">{live(move || lost.get().then(|| t("boot.unreachable")))}</p>
            </fieldset>
        </div>
    }
}

/// What can be had instead of a file that may not have come: its text or picture here, or a page that may save it.
fn instead(what: Outcome, own_page: Option<String>) -> AnyView {
    let (word, given) = match what {
        Outcome::Failed => return view! { <p>{t("share.no-file")}</p> }.into_any(),
        Outcome::Text(text) => {
            let (button, said) = copy(move || text.clone());
            let given = view! { <div class="actions">{button}</div>{said} };
            ("share.framed", given.into_any())
        }
        Outcome::Picture(url) => {
            let given = view! { <img class="saved" src=url alt=t("share.picture")/> };
            ("share.framed-picture", given.into_any())
        }
    };
    let link = own_page.map(|href| {
        view! { <p><a href=href target="_blank" rel="noopener">{t("share.own-page")}</a></p> }
    });
    view! { <p>{t(word)}</p>{given}{link} }.into_any()
}

/// A link to each step of the story, with what it says where the reader has seen it.
fn steps(desk: Desk) -> AnyView {
    let dots = desk.story.with_untracked(|story| story.dots.clone());
    let count = dots.len();
    let author = desk.asked(Clone::clone).unwrap_or_default();
    let step = |(at, dot): (usize, Dot)| {
        let asked = contract::Address {
            beat: Some(at + 1),
            from: author.from.clone(),
            to: author.to.clone(),
            ..contract::Address::default()
        };
        let page = snippet::page(&place::root(), "l", desk.slug, &asked.query());
        let step = step(at, count);
        let text = dot
            .said
            .map_or(step.clone(), |said| format!("{step}: {said}"));
        view! { <li><a href=page target="_blank" rel="noopener">{text}</a></li> }
    };
    let steps = dots.into_iter().enumerate().map(step);
    let steps = steps.collect_view();
    view! { <details class="steps"><summary>{t("share.steps")}</summary><ol>{steps}</ol></details> }
        .into_any()
}
