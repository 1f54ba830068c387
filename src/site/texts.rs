//! The words that a page shows: those of the site, read once before the app starts, and those of a lesson.

use crate::place;
use crate::views::Region;
use engine::{Arg, Words};
use serde::Deserialize;
use std::cell::OnceCell;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// One lesson in the catalogue, built or still to come.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Item {
    /// Its address.
    pub(crate) slug: String,
    /// Its name.
    pub(crate) title: String,
    /// Its driving question.
    pub(crate) question: String,
    /// Whether it can be opened.
    pub(crate) ready: bool,
    /// What it asks of a learner and how long it takes, as a few words.
    #[serde(default)]
    pub(crate) about: String,
    /// What a search finds it by beside title and question.
    #[serde(default)]
    pub(crate) find: String,
}

/// A way through some lessons, in an order that has a reason.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Path {
    /// Its name.
    pub(crate) title: String,
    /// Why these, and why in this order.
    pub(crate) why: String,
    /// The addresses of its lessons, in order.
    pub(crate) lessons: Vec<String>,
}

/// A chapter of the catalogue.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Chapter {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) title: String,
    /// Its lessons in order.
    pub(crate) lessons: Vec<Item>,
}

/// `words/site.<language>.json`.
#[derive(Clone, Debug, Default, Deserialize)]
struct Site {
    words: Words,
}

/// `words/catalogue.<language>.json`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Plan {
    /// The chapters in order.
    pub(crate) chapters: Vec<Chapter>,
    /// Ways through them.
    #[serde(default)]
    pub(crate) paths: Vec<Path>,
}

/// `words/<slug>.<language>.json`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Pack {
    /// Short texts by id.
    pub(crate) words: Words,
    /// The name of its chapter.
    pub(crate) chapter: String,
    /// The lessons to go on with.
    pub(crate) next: Vec<Item>,
}

/// `words/<slug>.notes.<language>.json`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Prose {
    /// The explanation, as HTML.
    pub(crate) notes: String,
    /// What the model leaves out, as HTML.
    pub(crate) left_out: String,
}

impl Prose {
    /// That of a lesson, where the page itself carries it.
    fn written(slug: &str) -> Option<Prose> {
        if place::language() != "en" || place::told("slug").as_deref() != Some(slug) {
            return None;
        }
        let document = place::document()?;
        let part = |id| Some(document.get_element_by_id(id)?.inner_html());
        Some(Prose {
            notes: part("page-notes")?,
            left_out: part("page-left-out")?,
        })
    }
}

thread_local! {
    static SITE: OnceCell<Site> = const { OnceCell::new() };
    /// The words that no page opens with.
    static MORE: OnceCell<Site> = const { OnceCell::new() };
}

/// Reads the words of the site; later calls of [`t`] find them.
///
/// # Errors
/// What went wrong, for the failure panel.
pub(crate) async fn load_site() -> Result<(), String> {
    let site: Site = fetch_json(&words("site")).await?;
    SITE.with(|cell| {
        // Set once: a second call would bring the same words.
        let _ = cell.set(site);
    });
    Ok(())
}

/// Does something that says words with which no page opens, once they are here too.
pub(crate) fn with_more(act: Box<dyn FnOnce()>) {
    if has_more() {
        act();
        return;
    }
    wasm_bindgen_futures::spawn_local(async move {
        // Without an answer words show as their names, which says more than nothing.
        if let Ok(words) = fetch_json(&words("more")).await {
            let _ = MORE.with(|more| more.set(words));
        }
        act();
    });
}

/// Whether the words with which no page opens are here.
pub(crate) fn has_more() -> bool {
    MORE.with(|more| more.get().is_some())
}

/// Reads the catalogue.
///
/// # Errors
/// What went wrong, for the failure panel.
pub(crate) async fn load_catalogue() -> Result<Plan, String> {
    fetch_json(&words("catalogue")).await
}

/// Reads the words of a lesson, and meanwhile its code.
///
/// # Errors
/// What went wrong, for the failure panel.
pub(crate) async fn load_lesson(slug: &str) -> Result<Pack, String> {
    let code = place::code(slug);
    let pack = fetch_json(&words(slug)).await?;
    code.await?;
    Ok(pack)
}

/// Reads what stands below a lesson.
///
/// # Errors
/// What went wrong, for the failure panel.
pub(crate) async fn load_prose(slug: &str) -> Result<Prose, String> {
    match Prose::written(slug) {
        Some(prose) => Ok(prose),
        None => fetch_json(&words(&format!("{slug}.notes"))).await,
    }
}

/// Reads the code that a lesson shows.
///
/// # Errors
/// What went wrong, for its panel.
pub(crate) async fn load_code(slug: &str) -> Result<Vec<Region>, String> {
    fetch_json(&format!("words/{slug}.code.json")).await
}

/// The words of the site or of a lesson in the language of the page.
pub(crate) fn words(of: &str) -> String {
    format!("words/{of}.{}.json", place::language())
}

/// The word of the site with this id.
pub(crate) fn t(id: &str) -> String {
    with_words(id, |words| words.get(id).to_owned()).unwrap_or_else(|| id.to_owned())
}

/// The word of the site with this id, its placeholders filled.
pub(crate) fn tf(id: &str, args: &[Arg]) -> String {
    with_words(id, |words| words.fill(id, args)).unwrap_or_else(|| id.to_owned())
}

/// The word of the site with this id, `{0}` replaced by a text.
pub(crate) fn tx(id: &str, text: &str) -> String {
    t(id).replace("{0}", text)
}

/// Looks at those of the site's words among which this one is.
fn with_words<T>(id: &str, look: impl FnOnce(&Words) -> T) -> Option<T> {
    MORE.with(|more| {
        SITE.with(|site| {
            let more = more.get().filter(|more| more.words.has(id));
            more.or(site.get()).map(|site| look(&site.words))
        })
    })
}

/// A file of the site as text.
///
/// # Errors
/// What went wrong.
pub(crate) async fn fetch_text(path: &str) -> Result<String, String> {
    // A page that is one file carries its words.
    if let Some(carried) = place::document().and_then(|document| document.get_element_by_id(path)) {
        return carried
            .text_content()
            .ok_or_else(|| format!("{path}: no text"));
    }
    if let Some(early) = place::words(path).await {
        return Ok(early);
    }
    let url = format!("{}{path}{}", place::root(), place::version());
    let window = web_sys::window().ok_or("no window")?;
    let fault = |_| format!("{path}: no answer");
    let response: web_sys::Response = JsFuture::from(window.fetch_with_str(&url))
        .await
        .map_err(fault)?
        .unchecked_into();
    if !response.ok() {
        return Err(format!("{path}: {}", response.status()));
    }
    let text = JsFuture::from(response.text().map_err(fault)?)
        .await
        .map_err(fault)?;
    text.as_string().ok_or_else(|| format!("{path}: no text"))
}

async fn fetch_json<T: for<'a> Deserialize<'a>>(path: &str) -> Result<T, String> {
    let text = fetch_text(path).await?;
    serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))
}
