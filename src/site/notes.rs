//! Below the lab: the explanation, what the model leaves out, what it was checked against, where to go next.

use crate::desk::Desk;
use crate::icons;
use crate::place;
use crate::texts::{Item, Prose, t};
use leptos::prelude::*;

/// The lesson's prose. Its HTML was written by the press from the lesson's own words.
#[component]
pub(crate) fn Notes(
    desk: Desk,
    prose: Prose,
    tables: &'static [&'static str],
    next: Vec<Item>,
) -> impl IntoView {
    let tables = tables.iter().map(|table| {
        let name = desk.word(&format!("table.{table}"));
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
    let (notes, left_out) = (still(prose.notes), still(prose.left_out));
    let next = next.into_iter().map(card).collect_view();
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
        ..
    } = item;
    let href = place::href(&format!("l/{slug}/"));
    view! { <a class="next-card" href=href><strong>{title}</strong><span>{question}</span></a> }
        .into_any()
}
