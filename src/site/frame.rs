//! How high the lesson wants to be, told to the page around it in the dialects that hosts understand.
//!
//! What is measured is the content, whose height does not depend on that of the frame, so that a host that follows
//! cannot set off a loop.

use crate::line::{self, Event, object};
use crate::place;
use contract::message::{HEIGHTS, RESIZE_EVERY_MS, WORDPRESS_MAX};
use js_sys::{Object, Reflect};
use leptos::prelude::on_cleanup;
use send_wrapper::SendWrapper;
use std::cell::RefCell;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, MessageEvent, ResizeObserver, Window};

/// A height that goes back to where it was within this time, in another width, is not told: a scroll bar that comes and
/// goes with the host's own layout would otherwise do so for ever. In milliseconds.
const FLICKER_MS: f64 = 1_000.0;

struct Frame {
    parent: Window,
    content: Element,
    dialect: &'static str,
    /// What WordPress wants to hear with each height.
    secret: Option<String>,
    /// Whether the parent speaks H5P's dialect.
    h5p: bool,
    /// The height told last, and the one before.
    told: [f64; 2],
    told_ms: f64,
    /// How wide it was then.
    width: f64,
    waits: bool,
}

thread_local! {
    static FRAME: RefCell<Option<Frame>> = const { RefCell::new(None) };
}

fn with<T>(look: impl FnOnce(&mut Frame) -> T) -> Option<T> {
    FRAME.with(|frame| Some(look(frame.try_borrow_mut().ok()?.as_mut()?)))
}

/// Tells heights for as long as the lesson is shown.
pub(crate) fn open(dialect: &'static str) {
    let content = place::document().and_then(|document| document.get_element_by_id("app"));
    let (Some(parent), Some(content)) = (line::parent(), content) else {
        return;
    };
    if dialect == "off" {
        return;
    }
    FRAME.with(|frame| {
        *frame.borrow_mut() = Some(Frame {
            parent,
            content: content.clone(),
            dialect,
            secret: secret(&place::hash()),
            h5p: dialect == "h5p",
            told: [0.0; 2],
            told_ms: f64::MIN,
            width: 0.0,
            waits: false,
        });
    });
    with(|frame| {
        if frame.h5p {
            frame.say_h5p("hello", 0.0);
        }
    });
    let resized = Closure::<dyn Fn()>::new(measure);
    let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
    if let Some(observer) = &observer {
        observer.observe(&content);
    }
    let heard = place::listen("message", |event| {
        if let Ok(event) = event.dyn_into() {
            hear(&event);
        }
    });
    // Where the frame is higher than the lesson wishes, another wish shows in the stages alone, which have the rest.
    let also = observer.clone();
    let drawn = place::listen("loadlab-ready", move |_| {
        let find = || place::document()?.query_selector(".stages").ok()?;
        if let (Some(observer), Some(stages)) = (&also, find()) {
            observer.observe(&stages);
        }
        measure();
    });
    let kept = SendWrapper::new((observer, resized, heard, drawn));
    on_cleanup(move || {
        if let (Some(observer), ..) = kept.take() {
            observer.disconnect();
        }
        FRAME.with(|frame| frame.borrow_mut().take());
    });
}

/// The secret in `#?secret=…`, as WordPress gives it to frames that it embeds.
fn secret(hash: &str) -> Option<String> {
    let (_, rest) = hash.split_once("secret=")?;
    let secret: String = rest
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    (!secret.is_empty() && secret.len() <= 100).then_some(secret)
}

/// H5P's resizer greets its frames and asks for their heights.
fn hear(event: &MessageEvent) {
    let ask = with(|frame| {
        let from_parent = event
            .source()
            .is_some_and(|source| Object::is(&source, &frame.parent));
        if !from_parent || !matches!(frame.dialect, "auto" | "h5p") {
            return false;
        }
        let data = event.data();
        let is = |name: &str, value: &str| {
            let field = Reflect::get(&data, &JsValue::from_str(name)).ok();
            field.is_some_and(|field| field == value)
        };
        if !is("context", "h5p") {
            return false;
        }
        if is("action", "ready") {
            frame.h5p = true;
            frame.say_h5p("hello", 0.0);
        }
        frame.h5p && (is("action", "hello") || is("action", "resize"))
    });
    if ask == Some(true) {
        tell_again();
    }
}

/// Tells the height although it may not have changed: someone new listens.
pub(crate) fn tell_again() {
    with(|frame| frame.told = [0.0; 2]);
    measure();
}

/// Tells the height if it is another.
pub(crate) fn measure() {
    // Until it is drawn, what the page shows is not the lesson.
    if !place::is_ready() {
        return;
    }
    let wait = with(|frame| {
        let now = place::now_ms();
        let due = frame.told_ms + f64::from(RESIZE_EVERY_MS);
        if now < due {
            return (!std::mem::replace(&mut frame.waits, true)).then_some(due - now);
        }
        // What it wishes is not what it makes of a frame that is higher.
        place::mark("measures", true);
        let content = frame.content.get_bounding_client_rect();
        let (width, height) = (content.width(), content.height() + lacking(&frame.content));
        place::mark("measures", false);
        // What is not displayed has no height.
        if height <= 0.0 {
            return None;
        }
        let height = height.ceil().clamp(HEIGHTS.0, HEIGHTS.1);
        let [last, before] = frame.told;
        let flickers = height == before && height < last && width != frame.width;
        let flickers = flickers && now - frame.told_ms < FLICKER_MS;
        if (height - last).abs() >= 1.0 && !flickers {
            frame.told = [height, last];
            (frame.told_ms, frame.width) = (now, width);
            frame.tell(height);
        }
        None
    });
    if let Some(Some(wait)) = wait {
        place::soon(wait.ceil() as u32, || {
            with(|frame| frame.waits = false);
            measure();
        });
    }
}

/// How much higher the content would be if the frame had all the room that the stages wish for.
fn lacking(content: &Element) -> f64 {
    let Ok(stages) = content.query_selector_all(".stage-view") else {
        return 0.0;
    };
    // Stages that stand beside each other share what they lack.
    let mut rows: Vec<(i32, f64)> = Vec::new();
    for at in 0..stages.length() {
        let stage = stages
            .get(at)
            .and_then(|stage| stage.dyn_into::<HtmlElement>().ok());
        let Some(stage) = stage else {
            continue;
        };
        let wish = stage.style().get_property_value("--natural").ok();
        let wish = wish.and_then(|wish| engine::text::number(wish.strip_suffix("px")?));
        let lacks = wish.map_or(0.0, |wish| {
            (wish - f64::from(stage.client_height())).max(0.0)
        });
        match rows.last_mut() {
            Some((top, most)) if *top == stage.offset_top() => *most = most.max(lacks),
            _ => rows.push((stage.offset_top(), lacks)),
        }
    }
    rows.iter().map(|(_, lacks)| lacks).sum()
}

impl Frame {
    fn tell(&self, height: f64) {
        line::tell(&Event::Resize(height));
        if let Some(secret) = &self.secret {
            self.say(&[
                ("message", "height".into()),
                ("value", height.min(WORDPRESS_MAX).into()),
                ("secret", JsValue::from_str(secret)),
            ]);
        }
        if self.h5p {
            self.say_h5p("resize", height);
        }
        match self.dialect {
            "lti" => self.say(&[
                ("subject", "lti.frameResize".into()),
                ("height", height.into()),
            ]),
            "embedly" => {
                let src = web_sys::window().and_then(|window| window.location().href().ok());
                let message = [
                    ("src", JsValue::from_str(&src.unwrap_or_default())),
                    ("context", "iframe.resize".into()),
                    ("height", height.into()),
                ];
                // Embedly reads text.
                if let Ok(text) = js_sys::JSON::stringify(&object(&message)) {
                    self.post(&text);
                }
            }
            _ => {}
        }
    }

    fn say_h5p(&self, action: &str, height: f64) {
        self.say(&[
            ("context", "h5p".into()),
            ("action", JsValue::from_str(action)),
            ("scrollHeight", height.into()),
            ("clientHeight", height.into()),
        ]);
    }

    fn say(&self, fields: &[(&str, JsValue)]) {
        self.post(&object(fields));
    }

    fn post(&self, message: &JsValue) {
        // A height is no secret, and the host's origin is not known. One that is gone hears nothing.
        let _ = self.parent.post_message(message, "*");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_found() {
        assert_eq!(secret("#?secret=aB3xYz09").as_deref(), Some("aB3xYz09"));
        assert_eq!(secret("#?secret=ab<script>").as_deref(), Some("ab"));
        assert_eq!(secret("#?secret="), None);
        assert_eq!(secret("#main"), None);
    }
}
