//! Routes: which page the address means, and the way from page to page without loading the program anew.

use crate::place;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlAnchorElement, MouseEvent, Url};

/// A page of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// The list of all lessons.
    Catalogue,
    /// One lesson; `embed` where it stands in a frame of somebody else's page.
    Lesson {
        /// Its name in addresses.
        slug: String,
        embed: bool,
    },
}

/// The page that a path means, `base` being the path of the top of the site; none if it is no page of the app.
fn read(path: &str, base: &str) -> Option<Page> {
    let path = path.strip_prefix(base)?.strip_prefix('/')?;
    let path = path.strip_suffix("index.html").unwrap_or(path);
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [] => Some(Page::Catalogue),
        [kind @ ("l" | "embed"), slug] => Some(Page::Lesson {
            slug: slug.to_owned(),
            embed: kind == "embed",
        }),
        _ => None,
    }
}

/// The page that the address means; whatever else it may be, there is always the catalogue.
pub(crate) fn here() -> Page {
    if let Some(slug) = place::alone() {
        return Page::Lesson { slug, embed: false };
    }
    let window = web_sys::window();
    let path = window.and_then(|window| window.location().pathname().ok());
    path.and_then(|path| read(&path, &place::base()))
        .unwrap_or(Page::Catalogue)
}

/// Whether the lesson stands in a frame of somebody else's page.
pub(crate) fn is_embed() -> bool {
    matches!(here(), Page::Lesson { embed: true, .. })
}

/// Calls `go` whenever the reader goes to another page of the app, for as long as the program runs; what it is told
/// is whether that page is to be shown from its top.
pub(crate) fn follow(go: impl Fn(bool) + Clone + 'static) {
    if place::alone().is_some() {
        return;
    }
    let back = go.clone();
    // The browser itself goes back to where the reader was on that page.
    std::mem::forget(place::listen("popstate", move |_| back(false)));
    let bubbling = move |event: Event| {
        if let Some(address) = event.dyn_ref().and_then(wanted) {
            event.prevent_default();
            let history = web_sys::window().and_then(|window| window.history().ok());
            let Some(history) = history else { return };
            // A second click on the same link leads nowhere else, so it is no place to come back from.
            let there = place::address();
            let pushed = there == address
                || history
                    .push_state_with_url(&JsValue::NULL, "", Some(&address))
                    .is_ok();
            if pushed {
                go(true);
            }
        }
    };
    place::listen_last("click", bubbling);
}

/// Where a click leads, if that is a page of the app and the reader wants it in this window.
fn wanted(event: &MouseEvent) -> Option<String> {
    let elsewhere = event.default_prevented()
        || event.button() != 0
        || event.meta_key()
        || event.ctrl_key()
        || event.shift_key()
        || event.alt_key();
    if elsewhere {
        return None;
    }
    let target: Element = event.target()?.dyn_into().ok()?;
    let link: HtmlAnchorElement = target.closest("a[href]").ok()??.dyn_into().ok()?;
    let apart = !matches!(link.target().as_str(), "" | "_self") || link.has_attribute("download");
    if apart || link.rel().split_whitespace().any(|rel| rel == "external") {
        return None;
    }
    let url = Url::new(&link.href()).ok()?;
    let location = web_sys::window()?.location();
    if Some(url.origin()) != location.origin().ok() {
        return None;
    }
    let path = url.pathname();
    // Within a page the browser knows the way.
    if !url.hash().is_empty() && Some(&path) == location.pathname().ok().as_ref() {
        return None;
    }
    read(&path, &place::base())?;
    Some(format!("{path}{}{}", url.search(), url.hash()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson(slug: &str, embed: bool) -> Option<Page> {
        let slug = slug.to_owned();
        Some(Page::Lesson { slug, embed })
    }

    #[test]
    fn paths_mean_pages_at_any_depth() {
        for base in ["", "/repo", "/a/b/c"] {
            let read = |path: &str| read(&format!("{base}{path}"), base);
            assert_eq!(read("/"), Some(Page::Catalogue));
            assert_eq!(read("/index.html"), Some(Page::Catalogue));
            assert_eq!(read("/l/some-lesson/"), lesson("some-lesson", false));
            assert_eq!(read("/l/some-lesson"), lesson("some-lesson", false));
            assert_eq!(
                read("/l/some-lesson/index.html"),
                lesson("some-lesson", false)
            );
            assert_eq!(read("/embed/other/"), lesson("other", true));
            assert_eq!(read("/authors/"), None);
            assert_eq!(read("/l/a/b/"), None);
        }
        assert_eq!(read("/other/l/some-lesson/", "/repo"), None);
        assert_eq!(read("/repository/", "/repo"), None);
    }
}
