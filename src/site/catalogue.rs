//! The catalogue: chapters and lessons, search, progress.

use crate::header::Header;
use crate::live::{follow, live, part};
use crate::texts::{self, Chapter, Item, t, tf};
use crate::{icons, place, store};
use engine::Arg;
use leptos::html;
use leptos::prelude::*;
use std::pin::Pin;

/// The way to the page that lists every lesson. Nothing else names it, so that press can keep its code apart from what
/// lessons need.
pub(crate) static DOOR: fn() -> Loading = open;

/// Brings what the page needs; then it can be made at once.
pub(crate) type Loading = Pin<Box<dyn Future<Output = Result<Page, String>>>>;
/// Makes the page.
pub(crate) type Page = Box<dyn FnOnce() -> AnyView>;

fn open() -> Loading {
    Box::pin(async {
        let chapters = texts::load_catalogue().await?;
        let page: Page = Box::new(|| view! { <Catalogue chapters/> }.into_any());
        Ok(page)
    })
}

/// The page that lists every lesson.
#[component]
fn Catalogue(chapters: Vec<Chapter>) -> impl IntoView {
    place::set_title(&t("title"));
    let search = RwSignal::new(String::new());
    let slugs: Vec<_> = chapters
        .iter()
        .flat_map(|chapter| &chapter.lessons)
        .map(|item| item.slug.clone())
        .collect();
    let known: Vec<String> = chapters
        .iter()
        .flat_map(|chapter| &chapter.lessons)
        .map(text)
        .collect();
    let none = move || {
        let wanted = search.get().to_ascii_lowercase();
        (!known.iter().any(|text| text.contains(&wanted)))
            .then(|| view! { <p class="none">{t("catalogue.none")}</p> })
    };
    let (seen, of) = slugs
        .iter()
        .map(|slug| store::progress(slug))
        .fold((0, 0), |(seen, of), progress| {
            (seen + progress.beats.len(), of + progress.of)
        });
    let overall = (of > 0).then(|| {
        let text = tf("catalogue.seen", &[Arg::Count(seen as i64), Arg::Count(of as i64)]);
        view! {
            <p class="overall"><span>{text}</span>
                <span class="bar" style=("--fill", format!("{}%", 100 * seen / of)) aria-hidden="true"></span></p>
        }
    });
    let chapters = chapters
        .into_iter()
        .map(|chapter| view! { <ChapterView chapter search/> });
    let title = NodeRef::<html::H1>::new();
    let page = view! {
        <Header desk=None crumbs=None/>
        <main class="catalogue" id="main" tabindex="-1">
            <div class="catalogue-head">
                <div><h1 id="title" tabindex="-1" node_ref=title>{t("question")}</h1><p class="question">{t("summary")}</p></div>
                <div class="field">
                    <label class="visually-hidden" for="search">{t("catalogue.search")}</label>
                    <input class="input" id="search" type="search" placeholder=t("catalogue.search")
                        on:input=move |event| search.set(event_target_value(&event))/>
                </div>
                {overall}
            </div>
            {chapters.collect_view()}
            {part(none)}
        </main>
        <footer class="foot">{t("catalogue.foot")}</footer>
    };
    // Who comes from a lesson begins at the title: the link that led here is gone.
    if place::is_ready() {
        title.on_load(|_| place::focus(&["title"]));
    }
    follow(place::ready);
    page
}

/// What the search looks at.
fn text(item: &Item) -> String {
    format!("{} {}", item.title, item.question).to_ascii_lowercase()
}

#[component]
fn ChapterView(chapter: Chapter, search: RwSignal<String>) -> impl IntoView {
    let Chapter { id, title, lessons } = chapter;
    let all: Vec<String> = lessons.iter().map(text).collect();
    let hidden = move || {
        let wanted = search.get().to_ascii_lowercase();
        !all.iter().any(|text| text.contains(&wanted))
    };
    let (ready, coming): (Vec<_>, Vec<_>) = lessons.into_iter().partition(|item| item.ready);
    let count = tf(
        "page.ready",
        &[
            Arg::Count(ready.len() as i64),
            Arg::Count(coming.len() as i64),
        ],
    );
    let cards = (!ready.is_empty()).then(|| {
        let cards = ready.into_iter().map(|item| view! { <Card item search/> });
        view! { <ul class="cards">{cards.collect_view()}</ul> }
    });
    let rest = (!coming.is_empty()).then(|| {
        let cards = coming.into_iter().map(|item| {
            let known = text(&item);
            let hidden = move || !known.contains(&search.get().to_ascii_lowercase());
            view! {
                <li class="card card-coming" hidden=live(hidden)>
                    <div class="card-body">
                        <h3 class="card-title">{item.title}<small>{t("page.coming")}</small></h3>
                        <p class="card-question">{item.question}</p>
                    </div>
                </li>
            }
        });
        view! { <ul class="cards" aria-label=t("page.coming")>{cards.collect_view()}</ul> }
    });
    let heading = format!("chapter-{id}");
    let labelled = heading.clone();
    view! {
        <section class="chapter" aria-labelledby=labelled hidden=live(hidden)>
            <div class="chapter-head"><h2 id=heading>{title}</h2><small>{count}</small></div>
            {cards}
            {rest}
        </section>
    }
}

#[component]
fn Card(item: Item, search: RwSignal<String>) -> impl IntoView {
    let known = text(&item);
    let Item {
        slug,
        title,
        question,
        ..
    } = item;
    let hidden = move || !known.contains(&search.get().to_ascii_lowercase());
    let href = place::href(&format!("l/{slug}/"));
    let store::Progress {
        beats, of, done, ..
    } = store::progress(&slug);
    let (seen, of) = (beats.len().min(of), of);
    let steps = tf(
        "catalogue.steps",
        &[Arg::Count(seen as i64), Arg::Count(of as i64)],
    );
    let progress = match (seen, of) {
        (0, _) | (_, 0) => view! { <span>{t("catalogue.new")}</span> }.into_any(),
        _ if seen == of => view! {
            <span class="card-done">{icons::check()}{t("catalogue.done")}</span><span>{steps}</span>
        }
        .into_any(),
        _ => view! {
            <span class="bar" style=("--fill", format!("{}%", 100 * seen / of)) aria-hidden="true"></span><span>{steps}</span>
        }
        .into_any(),
    };
    let challenges =
        (!done.is_empty()).then(|| tf("catalogue.challenges", &[Arg::Count(done.len() as i64)]));
    let still = RwSignal::new(String::new());
    wasm_bindgen_futures::spawn_local(async move {
        if let Ok(svg) = texts::fetch_text(&format!("stills/{slug}.svg")).await {
            // The reader may be on another page by now.
            still.try_set(themed(&svg));
        }
    });
    view! {
        <li class="card" hidden=live(hidden)>
            <div class="card-still" aria-hidden="true" inner_html=live(move || still.get())></div>
            <div class="card-body">
                <h3 class="card-title"><a href=href>{title}</a></h3>
                <p class="card-question">{question}</p>
                <p class="card-progress">{progress}{challenges}</p>
            </div>
        </li>
    }
}

/// A still without the sheet that it carries for use outside of the site: here the page's theme colours it.
fn themed(svg: &str) -> String {
    let svg = svg.replacen("<svg ", "<svg preserveAspectRatio=\"xMidYMid slice\" ", 1);
    match (svg.find("<style>"), svg.find("</style>")) {
        (Some(from), Some(to)) if from < to => {
            format!("{}{}", &svg[..from], &svg[to + "</style>".len()..])
        }
        _ => svg,
    }
}
