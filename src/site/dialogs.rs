//! The dialogs of a lesson: keys and help, share, embed.

use crate::desk::{Desk, Dialog};
use crate::embedding::EmbedForm;
use crate::icons::{self, icon};
use crate::live::rarely;
use crate::measure;
use crate::place;
use crate::sharing::Share;
use crate::texts::t;
use leptos::html;
use leptos::prelude::*;

/// The dialog that is open, if one is.
#[component]
pub(crate) fn Dialogs(desk: Desk) -> impl IntoView {
    let build = move |dialog| {
        let (title, wide) = match dialog {
            Dialog::Help => (t("help.title"), false),
            Dialog::Share => (t("share.title"), false),
            Dialog::Embed => (t("embed.title"), true),
            Dialog::Growth => (desk.word("growth.title"), true),
        };
        let body = match dialog {
            Dialog::Help => help().into_any(),
            Dialog::Share => view! { <Share desk/> }.into_any(),
            Dialog::Embed => view! { <EmbedForm desk/> }.into_any(),
            Dialog::Growth => measure::survey(desk),
        };
        frame(desk, title, wide, body).into_any()
    };
    rarely(move || desk.dialog.get(), build)
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
    let closed = move |_| {
        desk.dialog.set(None);
        // What opened it may have been a menu that is closed by now.
        if place::focus_is_lost() {
            place::focus(&["menu", "play"]);
        }
    };
    let class = if wide { "dialog dialog-wide" } else { "dialog" };
    view! {
        <dialog class=class aria-labelledby="dialog-title" node_ref=dialog on:close=closed>
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
                {row("help.undo", (view! { <kbd aria-label=t("help.control")>"Ctrl"</kbd>" + " }, key("Z", ""), ", ", key("Y", "")).into_any())}
                {row("help.follow", key("F", "").into_any())}
                {row("help.let-go", view! { <kbd>{t("help.escape")}</kbd> }.into_any())}
                {row("help.note", key("N", "").into_any())}
                {row("help.beat", (key("1", ""), "– ", key("9", ""), ", ", key("0", "")).into_any())}
                {row("help.help", key("?", "").into_any())}
                {row("help.present", key("P", "").into_any())}
                {row("help.clicker", (key("Page Down", ""), ", ", key("Page Up", "")).into_any())}
                {row("help.count", (key("1", ""), "– ", key("9", "")).into_any())}
                {row("help.blank", key("B", "").into_any())}
                {row("help.light", key("L", "").into_any())}
                {row("help.panels", key("K", "").into_any())}
            </dl>
            <p>{t("help.rest")}</p>
        </div>
    }
}
