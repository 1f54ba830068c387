//! The dialogs of a lesson: keys and help, share, embed.

use crate::desk::{Desk, Dialog};
use crate::icons::{self, icon};
use crate::place;
use crate::texts::{t, tf};
use engine::Arg;
use gloo_timers::callback::Timeout;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The dialog that is open, if one is.
#[component]
pub(crate) fn Dialogs(desk: Desk) -> impl IntoView {
    move || {
        desk.dialog.get().map(|dialog| {
            let (title, wide) = match dialog {
                Dialog::Help => (t("help.title"), false),
                Dialog::Share => (t("share.title"), false),
                Dialog::Embed => (t("embed.title"), true),
            };
            let body = match dialog {
                Dialog::Help => help().into_any(),
                Dialog::Share => share(desk).into_any(),
                Dialog::Embed => embed(desk).into_any(),
            };
            frame(desk, title, wide, body)
        })
    }
}

fn frame(desk: Desk, title: String, wide: bool, body: AnyView) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    dialog.on_load(|dialog| {
        if dialog.show_modal().is_err() {
            dialog.set_open(true);
        }
    });
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let class = if wide { "dialog dialog-wide" } else { "dialog" };
    view! {
        <dialog class=class aria-labelledby="dialog-title" node_ref=dialog on:close=move |_| desk.dialog.set(None)>
            <div class="dialog-head">
                <h2 id="dialog-title">{title}</h2>
                <button class="icon-btn btn-quiet" type="button" aria-label=t("ui.close") on:click=close>
                    {icon(icons::CLOSE)}
                </button>
            </div>
            {body}
        </dialog>
    }
}

fn help() -> impl IntoView {
    let key = |text: &'static str, name: &'static str| {
        let label = (!name.is_empty()).then(|| t(name));
        view! { <kbd aria-label=label>{text}</kbd>" " }
    };
    let row =
        |what: &'static str, keys: AnyView| view! { <div><dt>{t(what)}</dt><dd>{keys}</dd></div> };
    let arrows = move || (key("‹", "help.left"), key("›", "help.right"));
    view! {
        <div class="dialog-body">
            <dl class="keys">
                {row("help.play", view! { <kbd>{t("help.space")}</kbd> }.into_any())}
                {row("help.step", arrows().into_any())}
                {row("help.fine", (view! { <kbd>{t("help.shift")}</kbd>" + " }, arrows()).into_any())}
                {row("help.restart", view! { <kbd>{t("help.home")}</kbd> }.into_any())}
                {row("help.beat", (key("1", ""), "– ", key("9", "")).into_any())}
                {row("help.help", key("?", "").into_any())}
            </dl>
            <p>{t("help.rest")}</p>
        </div>
    }
}

/// A button that copies a text and says so for a while.
fn copy(text: String) -> (impl IntoView, impl IntoView) {
    let copied = RwSignal::new("");
    let click = move |_| {
        let text = text.clone();
        leptos::task::spawn_local(async move {
            let clipboard = web_sys::window().map(|window| window.navigator().clipboard());
            let done = match clipboard {
                Some(clipboard) => JsFuture::from(clipboard.write_text(&text)).await.is_ok(),
                None => false,
            };
            copied.try_set(if done {
                "share.copied"
            } else {
                "share.not-copied"
            });
            Timeout::new(4_000, move || {
                // The dialog may be closed by then.
                copied.try_set("");
            })
            .forget();
        });
    };
    let button = view! { <button class="btn btn-primary" type="button" on:click=click>{t("ui.copy")}</button> };
    let said = view! {
        <p class="copied" role="status">{move || Some(copied.get()).filter(|id| !id.is_empty()).map(t)}</p>
    };
    (button, said)
}

/// The address that restores what is on screen, or none if the run has too many inputs for one.
fn address(desk: Desk, folder: &str) -> Option<String> {
    let asked = desk.ask(crate::opening::shortest).flatten()?;
    Some(contract::snippet::page(
        &place::root(),
        folder,
        desk.slug,
        &asked.query(),
    ))
}

fn share(desk: Desk) -> impl IntoView {
    let at = desk.now.get_untracked().to_string();
    match address(desk, "l") {
        Some(url) => {
            let (button, said) = copy(url.clone());
            view! {
                <div class="dialog-body">
                    <p>{crate::texts::tx("share.what", &at)}</p>
                    <div class="field">
                        <label for="share-url">{t("share.address")}</label>
                        <div class="copy-row"><input class="input" id="share-url" readonly value=url/>{button}</div>
                    </div>
                    {said}
                </div>
            }
            .into_any()
        }
        None => view! { <div class="dialog-body"><p>{t("share.too-long")}</p></div> }.into_any(),
    }
}

fn embed(desk: Desk) -> impl IntoView {
    let plain = format!("{}embed/{}/", place::root(), desk.slug);
    let now = address(desk, "embed");
    let here = RwSignal::new(false);
    let title = desk.word("title");
    let make = move |src: &str| {
        let title = tf("embed.frame-title", &[])
            .replace("{0}", &title)
            .replace('"', "&quot;");
        format!(
            "<iframe src=\"{src}\" title=\"{title}\"\n width=\"800\" height=\"560\" style=\"border:0;width:100%;max-width:960px\" \
             loading=\"lazy\"\n allow=\"fullscreen; clipboard-write\" allowfullscreen></iframe>"
        )
    };
    let able = now.is_some();
    let codes = [make(&plain), make(now.as_deref().unwrap_or(&plain))];
    let addresses = [plain.clone(), now.unwrap_or(plain)];
    let pane = move || {
        let which = usize::from(here.get());
        let code = codes[which].clone();
        let (button, said) = copy(code.clone());
        view! {
            <div>
                <div class="field">
                    <label for="embed-code">{t("embed.paste")}</label>
                    <textarea class="input" id="embed-code" rows="6" readonly prop:value=code></textarea>
                    <div class="actions">{button}</div>
                    {said}
                </div>
                <div class="field">
                    <span>{t("embed.preview")}</span>
                    <iframe class="preview" src=addresses[which].clone() title=t("embed.preview")></iframe>
                </div>
            </div>
        }
    };
    view! {
        <div class="dialog-body dialog-cols">
            <div>
                <fieldset class="field">
                    <legend>{t("embed.open-at")}</legend>
                    <div class="segmented">
                        <label><input type="radio" name="embed-at" checked on:change=move |_| here.set(false)/><span>{t("embed.start")}</span></label>
                        <label><input type="radio" name="embed-at" disabled=!able on:change=move |_| here.set(true)/><span>{tf("embed.now", &[Arg::Number(desk.now.get_untracked().as_s())])}</span></label>
                    </div>
                </fieldset>
                <p>{t("embed.what")}</p>
            </div>
            {pane}
        </div>
    }
}
