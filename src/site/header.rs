//! The header: sign, breadcrumb, tools, theme.

use crate::desk::{Desk, Dialog};
use crate::icons::{self, icon};
use crate::live::live;
use crate::texts::{t, tx};
use crate::theme::{Look, THEMES};
use crate::{place, present};
use leptos::prelude::*;

/// The header of every page but embeds. `crumbs` are the chapter and the lesson.
#[component]
pub(crate) fn Header(desk: Option<Desk>, crumbs: Option<(String, String)>) -> impl IntoView {
    let look = expect_context::<Look>();
    let open = RwSignal::new(false);
    let theme = move || {
        let name = THEMES[look.theme.get() % THEMES.len()];
        tx("theme.label", &t(&format!("theme.{name}")))
    };
    let skip = t(if desk.is_some() {
        "page.skip"
    } else {
        "page.skip-catalogue"
    });
    let links = desk.is_none_or(Desk::links);
    let home = links.then(|| place::href(""));
    let chapter_home = home.clone();
    let crumbs = match crumbs {
        Some((chapter, lesson)) => view! {
            <nav class="crumbs" aria-label=t("page.breadcrumb")>
                <a href=chapter_home>{chapter}</a>
                <span aria-hidden="true">"/"</span>
                <span aria-current="page">{lesson}</span>
            </nav>
        }
        .into_any(),
        None => view! { <div class="crumbs"></div> }.into_any(),
    };
    let tools = desk.map(|desk| {
        // The menu hides what it holds when it closes, so its own button takes the focus first.
        let close = move || {
            place::focus(&["menu"]);
            open.set(false);
        };
        let dialog = move |which| move |_| {
            close();
            desk.open_dialog(which);
        };
        view! {
            <div class="tools" id="tools" data-open=live(move || open.get().then_some(""))>
                <button class="btn" type="button" id="compare" aria-pressed=live(move || desk.twin.get().is_some().to_string())
                    on:click=move |_| { close(); desk.compare(); }>{t("ui.compare")}</button>
                {desk.has_code().then(|| view! {
                    <button class="btn" type="button" id="code" aria-pressed=live(move || desk.code.with(Option::is_some).to_string())
                        on:click=move |_| {
                            close();
                            let show = desk.code.with_untracked(Option::is_none);
                            desk.show_code(show);
                            if show {
                                request_animation_frame(|| place::focus(&["code-title"]));
                            }
                        }>{t("code.tab")}</button>
                })}
                {desk.shows("share").then(|| view! {
                    <button class="btn" type="button" on:click=dialog(Dialog::Share)>{t("ui.share")}</button>
                    <button class="btn" type="button" on:click=dialog(Dialog::Embed)>{t("ui.embed")}</button>
                })}
                <button class="btn" type="button" on:click=move |_| { close(); present::turn(desk, true, true); }>{t("present.button")}</button>
                <button class="btn" type="button" on:click=dialog(Dialog::Help)>{t("ui.help")}</button>
            </div>
        }
    });
    let menu = desk.map(|_| {
        view! {
            <button class="icon-btn menu-btn" type="button" id="menu" aria-label=t("ui.menu") aria-controls="tools"
                aria-expanded=live(move || open.get().to_string()) on:click=move |_| open.update(|open| *open = !*open)>
                {icon(icons::MENU)}
            </button>
        }
    });
    view! {
        <a class="skip" href="#main" rel="external">{skip}</a>
        <header class="top">
            <a class="brand" href=home>{icons::sign()}{t("title")}</a>
            {crumbs}
            {tools}
            <button class="icon-btn" type="button" aria-label=live(theme) title=live(theme) on:click=move |_| look.turn()>
                {icon(icons::THEME)}
            </button>
            {menu}
        </header>
    }
}
