//! Where the page is: the root of the site, and what the document and the boot script are told.

use std::cell::OnceCell;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CustomEvent, CustomEventInit, Document, Element, Event, HtmlElement};

#[wasm_bindgen]
extern "C" {
    /// The boot script's function that brings what no start runs. Nothing here calls it: press cuts the program so
    /// that whatever is missing does.
    #[wasm_bindgen(js_name = loadlabRest)]
    fn bring_rest(piece: u32);
}

/// Keeps the way to the rest of the program among its imports, where press looks for it.
pub(crate) fn keep_rest() {
    std::hint::black_box(bring_rest as fn(u32));
}

thread_local! {
    static ROOT: OnceCell<String> = const { OnceCell::new() };
}

/// The document.
pub(crate) fn document() -> Option<Document> {
    web_sys::window()?.document()
}

/// The `<html>` element.
pub(crate) fn html() -> Option<HtmlElement> {
    document()?.document_element()?.dyn_into().ok()
}

/// The address of the top of the site, ending in a slash. Found once: client-side navigation changes the
/// address of the page, but not what its `data-root` meant when it was loaded.
pub(crate) fn root() -> String {
    ROOT.with(|cell| {
        cell.get_or_init(|| {
            let find = || {
                // Not the address, which may lack the slash that makes it a folder.
                let here = document()?.base_uri().ok()??;
                let relative = html()?.dataset().get("root")?;
                let url = web_sys::Url::new_with_base(&relative, &here).ok()?;
                Some(format!("{}{}", origin(&url), url.pathname()))
            };
            find().unwrap_or_else(|| "/".to_owned())
        })
        .clone()
    })
}

/// What the page says about itself in its `data-` attribute of this name.
pub(crate) fn told(name: &str) -> Option<String> {
    html()?.dataset().get(name)
}

/// The query that makes an address one of the page's own version of the site; empty where none is known.
pub(crate) fn version() -> String {
    told("version").map_or_else(String::new, |version| format!("?v={version}"))
}

/// The lesson of a page that is one file and has no site around it.
pub(crate) fn alone() -> Option<String> {
    told("alone").and_then(|_| told("slug"))
}

fn origin(url: &web_sys::Url) -> String {
    match url.origin() {
        origin if origin == "null" => format!("{}//{}", url.protocol(), url.host()),
        origin => origin,
    }
}

/// Makes the relative addresses in the head absolute: client-side navigation changes what they are relative to.
pub(crate) fn pin_links() {
    let links = document().and_then(|document| document.query_selector_all("link[rel~=icon]").ok());
    let Some(links) = links else { return };
    for link in (0..links.length()).filter_map(|at| links.get(at)) {
        let Some(link) = link.dyn_ref::<Element>() else {
            continue;
        };
        let here = link.base_uri().ok().flatten().unwrap_or_default();
        let url = link.get_attribute("href").unwrap_or_default();
        if let Ok(url) = web_sys::Url::new_with_base(&url, &here) {
            let _ = link.set_attribute("href", &url.href());
        }
    }
}

/// The path of the top of the site without its last slash.
pub(crate) fn base() -> String {
    // A page without a site is its own top, whatever its file is called.
    if alone().is_some() {
        let window = web_sys::window();
        return window
            .and_then(|window| window.location().pathname().ok())
            .unwrap_or_default();
    }
    let root = root();
    let path = web_sys::Url::new(&root).map_or_else(|_| root.clone(), |url| url.pathname());
    path.trim_end_matches('/').to_owned()
}

/// The address of a page below the top of the site.
pub(crate) fn href(path: &str) -> String {
    format!("{}/{path}", base())
}

/// The query of the address, without its question mark.
pub(crate) fn query() -> String {
    let search = web_sys::window().and_then(|window| window.location().search().ok());
    let search = search.unwrap_or_default();
    let query = search.trim_start_matches('?');
    match alone() {
        // There is nothing that a link could lead to; of two values the first counts.
        Some(_) => format!("links=0&{query}"),
        None => query.to_owned(),
    }
}

/// Asks the boot script for something of this name; none where it has no answer coming.
fn ask_boot(what: &str, name: &str) -> Option<js_sys::Promise> {
    let ask = js_sys::Reflect::get(&web_sys::window()?.into(), &what.into()).ok()?;
    let ask: js_sys::Function = ask.dyn_into().ok()?;
    let promise = ask.call1(&JsValue::UNDEFINED, &name.into()).ok()?;
    promise.dyn_into::<js_sys::Promise>().ok()
}

/// The words that the boot script fetched beside the program, if it did.
pub(crate) async fn words(path: &str) -> Option<String> {
    let text = JsFuture::from(ask_boot("loadlabWords", path)?).await;
    text.ok()?.as_string()
}

/// Asks the boot script for the code of a lesson, which a release build keeps in a file of its own. The asking
/// begins at once; what is returned waits for the answer. Without that script the code is at hand.
pub(crate) fn code(slug: &str) -> impl Future<Output = Result<(), String>> + use<> {
    let asked = ask_boot("loadlabCode", slug);
    async move {
        let Some(asked) = asked else { return Ok(()) };
        let answer = JsFuture::from(asked).await;
        answer.map(|_| ()).map_err(|fault| {
            let message = fault.dyn_ref::<js_sys::Error>().map(js_sys::Error::message);
            message.map_or_else(|| format!("{fault:?}"), String::from)
        })
    }
}

/// Names the page in its tab.
pub(crate) fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

/// Tells the boot script that the page is drawn. Later calls do nothing.
pub(crate) fn ready() {
    let Some(html) = html() else { return };
    if html.dataset().get("ready").is_none() {
        let _ = html.dataset().set("ready", "1");
        dispatch("loadlab-ready", "");
        // The static page has done its work; left in the document, its ids would stand there twice.
        if let Some(still) = document().and_then(|document| document.get_element_by_id("static")) {
            still.remove();
        }
    }
}

/// Puts `data-<name>` on the document, or takes it away.
pub(crate) fn mark(name: &str, on: bool) {
    let Some(html) = html() else { return };
    if on {
        // The name is this program's own.
        let _ = html.dataset().set(name, "");
    } else {
        html.dataset().delete(name);
    }
}

/// A new element of this class that lies over the page.
pub(crate) fn lay(class: &str) -> Option<HtmlElement> {
    let document = document()?;
    let thing = document.create_element("div").ok()?;
    thing.set_class_name(class);
    // It tells nothing that is not spoken too.
    let _ = thing.set_attribute("aria-hidden", "true");
    document.body()?.append_child(&thing).ok()?;
    thing.dyn_into().ok()
}

/// Puts it at a place of the window, in CSS pixels.
pub(crate) fn put(thing: &HtmlElement, (x, y): (i32, i32)) {
    for (side, at) in [("left", x), ("top", y)] {
        let _ = thing.style().set_property(side, &format!("{at}px"));
    }
}

/// Whether the page is drawn.
pub(crate) fn is_ready() -> bool {
    html().is_some_and(|html| html.dataset().get("ready").is_some())
}

/// Tells the boot script, and the page around this one, that the app cannot go on.
pub(crate) fn failed(message: &str) {
    crate::line::tell(&crate::line::Event::Panic(message.to_owned()));
    dispatch("loadlab-failed", message);
}

fn dispatch(name: &str, detail: &str) {
    let init = CustomEventInit::new();
    init.set_detail(&JsValue::from_str(detail));
    if let (Some(window), Ok(event)) = (
        web_sys::window(),
        CustomEvent::new_with_event_init_dict(name, &init),
    ) {
        let _ = window.dispatch_event(&event);
    }
}

/// A listener at the window that is removed when it is dropped.
pub(crate) struct Listener {
    name: &'static str,
    react: Closure<dyn Fn(Event)>,
}

/// Listens at the window for as long as the result is kept.
pub(crate) fn listen(name: &'static str, react: impl Fn(Event) + 'static) -> Listener {
    let react = Closure::<dyn Fn(Event)>::new(react);
    if let Some(window) = web_sys::window() {
        // A window takes any listener. On the way down it hears also what does not bubble.
        let _ = window.add_event_listener_with_callback_and_bool(
            name,
            react.as_ref().unchecked_ref(),
            true,
        );
    }
    Listener { name, react }
}

/// Listens at the window for as long as the program runs, after all who hear the same event on its way up.
pub(crate) fn listen_last(name: &str, react: impl Fn(Event) + 'static) {
    let react = Closure::<dyn Fn(Event)>::new(react);
    if let Some(window) = web_sys::window() {
        // A window takes any listener.
        let _ = window.add_event_listener_with_callback(name, react.as_ref().unchecked_ref());
    }
    react.forget();
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            let react = self.react.as_ref().unchecked_ref();
            let _ = window.remove_event_listener_with_callback_and_bool(self.name, react, true);
        }
    }
}

/// The part of the address after `#`, with it.
pub(crate) fn hash() -> String {
    let hash = web_sys::window().and_then(|window| window.location().hash().ok());
    hash.unwrap_or_default()
}

/// The language of the page.
pub(crate) fn language() -> String {
    html().map_or_else(|| "en".to_owned(), |html| html.lang())
}

/// Sets the language of the page: what was asked for or, failing that, what the browser prefers, as far as there
/// are words for it.
pub(crate) fn speak(asked: Option<&str>) {
    let mut wanted: Vec<String> = asked.map(str::to_owned).into_iter().collect();
    if let Some(window) = web_sys::window() {
        let known = window.navigator().languages();
        wanted.extend(known.iter().filter_map(|tag| tag.as_string()));
    }
    let known = told("languages").unwrap_or_default();
    let known: Vec<&str> = known.split_whitespace().collect();
    if let Some(html) = html() {
        html.set_lang(contract::language::pick(&wanted, &known));
    }
}

/// Whether the page is in the language that suits this tag best.
pub(crate) fn speaks(tag: &str) -> bool {
    let known = told("languages").unwrap_or_default();
    let known: Vec<&str> = known.split_whitespace().collect();
    contract::language::pick(&[tag.to_owned()], &known) == language()
}

/// The height of the window, in CSS pixels.
pub(crate) fn height() -> f64 {
    let height = web_sys::window().and_then(|window| window.inner_height().ok());
    height.and_then(|height| height.as_f64()).unwrap_or(0.0)
}

/// The page's own address below its host.
pub(crate) fn address() -> String {
    let location = web_sys::window().map(|window| window.location());
    let told =
        location.and_then(|location| Some(location.pathname().ok()? + &location.search().ok()?));
    told.unwrap_or_default() + &hash()
}

/// Scrolls to the top of the page.
pub(crate) fn scroll_to_top() {
    if let Some(window) = web_sys::window() {
        window.scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// Brings stage and tape back into view, where the learner has scrolled away from them; the page around this one stays
/// where it is.
pub(crate) fn bring_room() {
    let find = |what| document()?.query_selector(what).ok()?;
    let (Some(stages), Some(tape)) = (find(".stages"), find(".tape")) else {
        return;
    };
    let (top, bottom) = (
        stages.get_bounding_client_rect().top(),
        tape.get_bounding_client_rect().bottom(),
    );
    // As little as shows both, and the top of what is higher than the window.
    let below = (bottom - height() + 4.0).max(0.0);
    let by = below.min(top - 4.0);
    if (top < 0.0 || below > 4.0)
        && let Some(window) = web_sys::window()
    {
        window.scroll_by_with_x_and_y(0.0, by);
    }
}

/// Scrolls a row sideways so that one thing in it stands in its middle.
pub(crate) fn center(row: &str, thing: &str) {
    let find = |what: &str| -> Option<HtmlElement> {
        document()?.query_selector(what).ok()??.dyn_into().ok()
    };
    if let (Some(row), Some(thing)) = (find(row), find(thing)) {
        row.set_scroll_left(
            thing.offset_left() - row.offset_left() - row.client_width() / 2
                + thing.offset_width() / 2,
        );
    }
}

/// Whether the page is higher than its window.
pub(crate) fn scrolls() -> bool {
    let page = document().and_then(|document| document.scrolling_element());
    page.is_some_and(|page| page.scroll_height() > page.client_height())
}

/// Scrolls to the end of the page; the page around this one stays where it is.
pub(crate) fn scroll_to_end() {
    if let Some(page) = document().and_then(|document| document.scrolling_element()) {
        page.set_scroll_top(page.scroll_height());
    }
}

/// Moves the focus to the first of these elements, by id, that takes it. For controls that vanish when they are
/// used: without this the focus would fall back to the top of the page.
pub(crate) fn focus(ids: &[&str]) {
    let Some(document) = document() else { return };
    for id in ids {
        let found = document.get_element_by_id(id);
        let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) else {
            continue;
        };
        // An element that is not displayed takes no focus.
        let _ = element.focus();
        if document.active_element().as_ref() == Some(&element) {
            return;
        }
    }
}

/// Moves what a box holds so that the first element within it that matches is in its middle; nothing around it moves.
pub(crate) fn reveal_within(id: &str, selector: &str) {
    let body = document().and_then(|document| document.get_element_by_id(id));
    let found = body.and_then(|body| {
        let line = body.query_selector(selector).ok()??;
        Some((body, line))
    });
    if let Some((body, line)) = found {
        let (room, line) = (
            body.get_bounding_client_rect(),
            line.get_bounding_client_rect(),
        );
        let by = line.top() - room.top() - (room.height() - line.height()) / 2.0;
        body.set_scroll_top(body.scroll_top() + by as i32);
    }
}

/// Whether the element with this id has the focus.
pub(crate) fn has_focus(id: &str) -> bool {
    let active = document().and_then(|document| document.active_element());
    active.is_some_and(|active| active.id() == id)
}

/// Whether no element has the focus.
pub(crate) fn focus_is_lost() -> bool {
    let active = document().and_then(|document| document.active_element());
    active.is_none_or(|active| active.tag_name() == "BODY")
}

/// The clock of the page, in milliseconds.
pub(crate) fn now_ms() -> f64 {
    web_sys::window()
        .and_then(|window| window.performance())
        .map_or(0.0, |clock| clock.now())
}

/// Calls this once, in so many milliseconds. What it is made of goes when it has been called; a timer of the library
/// that is forgotten keeps it for ever.
pub(crate) fn soon(ms: u32, call: impl FnOnce() + 'static) {
    if let Some(window) = web_sys::window() {
        let call = Closure::once_into_js(call);
        let ms = i32::try_from(ms).unwrap_or(i32::MAX);
        // A window takes any timer.
        let _ =
            window.set_timeout_with_callback_and_timeout_and_arguments_0(call.unchecked_ref(), ms);
    }
}

/// Fetches a script of the site that is a module; one that is here already is not run again.
pub(crate) fn fetch_script(name: &str, failed: impl FnOnce() + 'static) {
    let script = document().and_then(|document| {
        let script = document.create_element("script").ok()?;
        document.head()?.append_child(&script).ok()?;
        Some(script)
    });
    let Some(script) = script else { return };
    let failed = Closure::once_into_js(failed);
    // An element takes any attribute and any listener.
    let _ = script.add_event_listener_with_callback("error", failed.unchecked_ref());
    let _ = script.set_attribute("type", "module");
    let _ = script.set_attribute("src", &format!("{}{name}", root()));
}

/// Writes one warning for whoever wrote the address.
pub(crate) fn warn(message: &str) {
    web_sys::console::warn_1(&JsValue::from_str(message));
}
