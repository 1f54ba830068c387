//! Below the lab: the explanation, what the model leaves out, what it was checked against, where to go next.

use crate::desk::Desk;
use crate::icons;
use crate::place;
use crate::texts::{self, Item, t};
use leptos::prelude::*;

/// The lesson's prose. Its HTML was written by the press from the lesson's own words.
#[component]
pub(crate) fn Notes(
    desk: Desk,
    notes: String,
    left_out: String,
    tables: &'static [&'static str],
    next: Vec<String>,
) -> impl IntoView {
    let tables = tables.iter().map(|table| {
        let id = format!("table.{table}");
        // A table without a name of its own is named by its file.
        let name = Some(desk.word(&id)).filter(|name| *name != id);
        let name = name.unwrap_or_else(|| table.replace('_', " "));
        view! { <li>{icons::check()}<span>{name}</span></li> }
    });
    let tables = tables.collect_view();
    let links = desk.links();
    let still = move |html: String| {
        if links {
            html
        } else {
            html.replace(" href=", " data-href=")
        }
    };
    let (notes, left_out) = (still(notes), still(left_out));
    let next = next.into_iter().filter_map(|slug| {
        let item = texts::with_site(|site| {
            let mut items = site.chapters.iter().flat_map(|chapter| &chapter.lessons);
            items.find(|item| item.slug == slug).cloned()
        });
        item.flatten().map(card)
    });
    let next = next.collect::<Vec<_>>();
    view! {
        <article class="notes">
            <div class="prose" inner_html=notes></div>
            <section class="leaves-out">
                <h2>{t("page.left-out")}</h2>
                <div inner_html=left_out></div>
            </section>
            <section>
                <h2>{t("page.checked")}</h2>
                <ul class="tables">{tables}</ul>
            </section>
            {links.then(|| view! {
                <section aria-labelledby="next-title">
                    <h2 id="next-title">{t("page.next")}</h2>
                    <div class="next-cards">{next}</div>
                </section>
            })}
        </article>
    }
}

fn card(item: Item) -> AnyView {
    let Item {
        slug,
        title,
        question,
        ready,
    } = item;
    if ready {
        let href = place::href(&format!("l/{slug}/"));
        return view! { <a class="next-card" href=href><strong>{title}</strong><span>{question}</span></a> }.into_any();
    }
    view! {
        <div class="next-card card-coming"><small>{t("page.coming")}</small><b>{title}</b><span>{question}</span></div>
    }
    .into_any()
}
