//! The catalogue: where one left, paths, chapters and lessons, search, progress.

use crate::header::Header;
use crate::live::{follow, live, part};
use crate::texts::{self, Chapter, Item, Path, Plan, t, tf};
use crate::{icons, place, store};
use engine::Arg;
use gloo_timers::callback::Timeout;
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
        let plan = texts::load_catalogue().await?;
        let page: Page = Box::new(|| view! { <Catalogue plan/> }.into_any());
        Ok(page)
    })
}

/// What the learner looks for: words, and the path that is chosen.
#[derive(Clone, Copy)]
struct Wish {
    words: RwSignal<String>,
    path: RwSignal<Option<usize>>,
}

impl Wish {
    /// Whether a text is looked for: it holds every word that was written.
    fn wants(self, text: &str) -> bool {
        let words = self.words.get().to_ascii_lowercase();
        words.split_whitespace().all(|word| text.contains(word))
    }

    /// Whether words are looked for at all.
    fn searches(self) -> bool {
        self.words.with(|words| !words.trim().is_empty())
    }
}

/// The page that lists every lesson.
#[component]
fn Catalogue(plan: Plan) -> impl IntoView {
    place::set_title(&t("title"));
    let Plan { chapters, paths } = plan;
    let wish = Wish {
        words: RwSignal::new(String::new()),
        path: RwSignal::new(None),
    };
    let items = chapters.iter().flat_map(|chapter| &chapter.lessons);
    let ready: Vec<Item> = items.clone().filter(|item| item.ready).cloned().collect();
    let known: Vec<String> = items.map(text).collect();
    let none = move || {
        let found = known.iter().any(|text| wish.wants(text));
        (!found).then(|| view! { <p class="none">{t("catalogue.none")}</p> })
    };
    let (seen, of) = ready
        .iter()
        .map(|item| store::progress(&item.slug))
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
    // What was begun last and not ended.
    let last = store::get(store::LAST).unwrap_or_default();
    let begun = ready.iter().find(|item| item.slug == last);
    let begun = begun.cloned().map(|item| view! { <Begun item/> });
    let routes: Vec<_> = paths
        .iter()
        .enumerate()
        .map(|(number, path)| view! { <Route path=path.clone() number wish/> })
        .collect();
    let routes = (!routes.is_empty()).then(|| {
        view! {
            <section class="routes" aria-labelledby="routes">
                <h2 id="routes">{t("catalogue.paths")}</h2>
                <ul>{routes}</ul>
            </section>
        }
    });
    let chosen = move || {
        let number = wish.path.get()?;
        let path = paths.get(number)?;
        let find = |slug: &String| ready.iter().find(|item| item.slug == *slug).cloned();
        let cards = path.lessons.iter().filter_map(find);
        let cards: Vec<_> = cards.map(|item| view! { <Card item wish/> }).collect();
        let (title, why) = (path.title.clone(), path.why.clone());
        Some(view! {
            <section class="chapter" aria-labelledby="chosen">
                <div class="chapter-head"><h2 id="chosen">{title}</h2><small>{why}</small></div>
                <ol class="cards">{cards}</ol>
            </section>
        })
    };
    let chapters: Vec<_> = chapters
        .into_iter()
        .map(|chapter| view! { <ChapterView chapter wish/> })
        .collect();
    let title = NodeRef::<html::H1>::new();
    let page = view! {
        <Header desk=None crumbs=None/>
        <main class="catalogue" id="main" tabindex="-1">
            <div class="catalogue-head">
                <div><h1 id="title" tabindex="-1" node_ref=title>{t("question")}</h1><p class="question">{t("summary")}</p></div>
                <div class="field">
                    <label class="visually-hidden" for="search">{t("catalogue.search")}</label>
                    <input class="input" id="search" type="search" placeholder=t("catalogue.search")
                        on:input=move |event| wish.words.set(event_target_value(&event))/>
                </div>
                {overall}
            </div>
            {begun}
            {routes}
            {part(chosen)}
            {chapters}
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
    format!("{} {} {}", item.title, item.question, item.find).to_ascii_lowercase()
}

/// Steps seen, and how many there are.
fn steps(slug: &str) -> (usize, usize) {
    let store::Progress { beats, of, .. } = store::progress(slug);
    (beats.len().min(of), of)
}

/// The lesson that was begun last: large, and it leads to where the learner left.
#[component]
fn Begun(item: Item) -> impl IntoView {
    let (seen, of) = steps(&item.slug);
    // Who has only looked in has not begun.
    if seen < 2 || seen == of {
        return None;
    }
    let href = place::href(&format!("l/{}/?beat={seen}", item.slug));
    let at = tf(
        "catalogue.at-step",
        &[Arg::Count(seen as i64), Arg::Count(of as i64)],
    );
    Some(view! {
        <section class="begun" aria-label=t("catalogue.continue")>
            <Still slug=item.slug/>
            <div class="card-body">
                <small>{t("catalogue.continue")}</small>
                <h2 class="card-title"><a href=href>{item.title}</a></h2>
                <p class="card-question">{item.question}</p>
                <p class="card-progress"><span class="bar" style=("--fill", format!("{}%", 100 * seen / of)) aria-hidden="true"></span><span>{at}</span></p>
            </div>
        </section>
    })
}

/// A path: pressed, its lessons stand before the chapters.
#[component]
fn Route(path: Path, number: usize, wish: Wish) -> impl IntoView {
    let count = path.lessons.len();
    let (seen, of) = path
        .lessons
        .iter()
        .map(|slug| steps(slug))
        .fold((0, 0), |(seen, of), one| (seen + one.0, of + one.1));
    let told = [count, seen, of].map(|n| Arg::Count(n as i64));
    let far = if of > 0 {
        tf("catalogue.path", &told)
    } else {
        tf("catalogue.path-new", &told)
    };
    let fill = format!("{}%", 100 * seen / of.max(1));
    let pressed = move || (wish.path.get() == Some(number)).to_string();
    let press = move |_| {
        let known = wish.path.get_untracked() == Some(number);
        wish.path.set((!known).then_some(number));
    };
    view! {
        <li><button type="button" class="route" aria-pressed=live(pressed) on:click=press>
            <b>{path.title}</b><small>{far}</small><span class="bar" style=("--fill", fill) aria-hidden="true"></span>
        </button></li>
    }
}

#[component]
fn ChapterView(chapter: Chapter, wish: Wish) -> impl IntoView {
    let Chapter { id, title, lessons } = chapter;
    let all: Vec<String> = lessons.iter().map(text).collect();
    let hidden = move || {
        let chosen = wish.path.get().is_some() && !wish.searches();
        chosen || !all.iter().any(|text| wish.wants(text))
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
        let cards: Vec<_> = ready
            .into_iter()
            .map(|item| view! { <Card item wish/> })
            .collect();
        view! { <ul class="cards">{cards}</ul> }
    });
    // No card leads nowhere: what is to come is one line.
    let rest = move || {
        let wanted = coming.iter().filter(|item| wish.wants(&text(item)));
        let titles: Vec<String> = wanted.map(|item| item.title.clone()).collect();
        let line = t("page.to-come").replace("{0}", &titles.join(", "));
        (!titles.is_empty()).then(|| view! { <p class="to-come">{line}</p> })
    };
    let heading = format!("chapter-{id}");
    let labelled = heading.clone();
    view! {
        <section class="chapter" aria-labelledby=labelled hidden=live(hidden)>
            <div class="chapter-head"><h2 id=heading>{title}</h2><small>{count}</small></div>
            {cards}
            {part(rest)}
        </section>
    }
}

/// The picture of a lesson.
#[component]
fn Still(slug: String) -> impl IntoView {
    let still = RwSignal::new(String::new());
    wasm_bindgen_futures::spawn_local(async move {
        if let Ok(svg) = texts::fetch_text(&format!("stills/{slug}.svg")).await {
            // Each in a task of its own: many that come together would keep the page from answering. The reader may be on
            // another page by now.
            Timeout::new(0, move || drop(still.try_set(themed(&svg)))).forget();
        }
    });
    view! { <div class="card-still" aria-hidden="true" inner_html=live(move || still.get())></div> }
}

#[component]
fn Card(item: Item, wish: Wish) -> impl IntoView {
    let known = text(&item);
    let Item {
        slug,
        title,
        question,
        about,
        ..
    } = item;
    let hidden = move || !wish.wants(&known);
    let href = place::href(&format!("l/{slug}/"));
    let done = store::progress(&slug).done.len();
    let (seen, of) = steps(&slug);
    let steps = tf(
        "catalogue.steps",
        &[Arg::Count(seen as i64), Arg::Count(of as i64)],
    );
    let progress = match (seen, of) {
        (0, _) | (_, 0) => view! { <span>{about}</span> }.into_any(),
        _ if seen == of => view! {
            <span class="card-done">{icons::check()}{t("catalogue.done")}</span><span>{steps}</span>
        }
        .into_any(),
        _ => view! {
            <span class="bar" style=("--fill", format!("{}%", 100 * seen / of)) aria-hidden="true"></span><span>{steps}</span>
        }
        .into_any(),
    };
    let challenges = (done > 0).then(|| tf("catalogue.challenges", &[Arg::Count(done as i64)]));
    view! {
        <li class="card" hidden=live(hidden)>
            <Still slug/>
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
