//! Files to keep: the frame as SVG and PNG, the tape's series as CSV.

use crate::desk::Desk;
use crate::{line, place};
use engine::text::trim_number;
use engine::{Plot, Tape, Time, svg};
use js_sys::{Array, encode_uri_component};
use leptos::prelude::*;
use std::fmt::Write;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{
    Blob, BlobPropertyBag, HtmlAnchorElement, HtmlCanvasElement, HtmlElement, HtmlImageElement, Url,
};

/// A PNG has so many pixels for each unit of the scene, enough for print in a handout.
const PNG_SCALE: f64 = 2.0;

/// What is to be said once a file was saved, or should have been.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// There is no file.
    Failed,
    /// In a frame nobody can tell: its host may forbid downloads, and the browser does not say so. The text of the file.
    Text(String),
    /// The same for a picture, as an address that holds it.
    Picture(String),
}

/// Where the outcome of the last file stands; nothing where there is nothing to say.
pub(crate) type Said = RwSignal<Option<Outcome>>;

/// What to say of a file that was given to the browser, or was not.
fn outcome(saved: Option<Outcome>) -> Option<Outcome> {
    match saved {
        Some(saved) => line::parent().map(|_| saved),
        None => Some(Outcome::Failed),
    }
}

fn save_text(desk: Desk, kind: &str, mime: &str, text: Option<String>) -> Option<Outcome> {
    outcome(text.and_then(|text| {
        save(&name(desk, kind), mime, &text)?;
        Some(Outcome::Text(text))
    }))
}

/// Saves the frame as SVG.
pub(crate) fn svg(desk: Desk, said: Said) {
    let text = picture(desk).map(|(text, ..)| text);
    said.set(save_text(desk, "svg", "image/svg+xml", text));
}

/// Saves the tape's series as CSV.
pub(crate) fn csv(desk: Desk, said: Said) {
    let text = desk.ask(|player| {
        let main = player.main();
        let twin = player.twin().map(|twin| twin.run.tape());
        series(main.plots(), main.tape(), twin, |id| desk.word(id))
    });
    said.set(save_text(desk, "csv", "text/csv", text));
}

/// Saves the frame as PNG: the browser draws the SVG.
pub(crate) fn png(desk: Desk, said: Said) {
    let begun = start_png(desk, said);
    said.set(begun.is_none().then_some(Outcome::Failed));
}

fn start_png(desk: Desk, said: Said) -> Option<()> {
    let (text, width, height) = picture(desk)?;
    let image = HtmlImageElement::new().ok()?;
    let name = name(desk, "png");
    let drawn = image.clone();
    let draw = move || {
        let canvas: HtmlCanvasElement = place::document()?
            .create_element("canvas")
            .ok()?
            .dyn_into()
            .ok()?;
        let (w, h) = (f64::from(width) * PNG_SCALE, f64::from(height) * PNG_SCALE);
        canvas.set_width(w as u32);
        canvas.set_height(h as u32);
        let context: web_sys::CanvasRenderingContext2d =
            canvas.get_context("2d").ok()??.dyn_into().ok()?;
        context
            .draw_image_with_html_image_element_and_dw_and_dh(&drawn, 0.0, 0.0, w, h)
            .ok()?;
        let url = canvas.to_data_url_with_type("image/png").ok()?;
        click(&name, &url)?;
        Some(Outcome::Picture(url))
    };
    let loaded = Closure::once_into_js(move || {
        // The dialog may be closed by then.
        said.try_set(outcome(draw()));
    });
    image.set_onload(Some(loaded.unchecked_ref()));
    image.set_src(&format!(
        "data:image/svg+xml,{}",
        encode_uri_component(&text)
    ));
    Some(())
}

/// The frame as a picture of its own in the colours on screen, with its size.
fn picture(desk: Desk) -> Option<(String, f32, f32)> {
    let title = desk.word("title");
    let (text, width, height) =
        desk.drawn(|scene| (svg::document(scene, &title), scene.width, scene.height))?;
    let dark = dark();
    // The picture keeps the colours that the learner sees, whatever the system of its next reader prefers.
    let text = text.replacen(
        "@media(prefers-color-scheme:dark)",
        if dark { "@media all" } else { "@media not all" },
        1,
    );
    let sized = format!("<svg width=\"{width}\" height=\"{height}\" ");
    Some((text.replacen("<svg ", &sized, 1), width, height))
}

/// Whether the page has a dark ground.
pub(crate) fn dark() -> bool {
    let scheme = || {
        let window = web_sys::window()?;
        let theme = place::html()?.dataset().get("theme")?;
        let system = window
            .match_media("(prefers-color-scheme: dark)")
            .ok()??
            .matches();
        Some(theme == "dark" || (theme != "light" && theme != "contrast" && system))
    };
    scheme().unwrap_or(false)
}

fn name(desk: Desk, kind: &str) -> String {
    let at = trim_number(desk.told_s());
    format!("{}-{at}s.{kind}", desk.slug)
}

/// Saves a text that is not of this module's making.
pub(crate) fn save_own(desk: Desk, ending: &str, kind: &str, text: &str) -> Option<()> {
    save(&name(desk, ending), kind, text)
}

fn save(name: &str, kind: &str, text: &str) -> Option<()> {
    let parts = Array::of1(&text.into());
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options).ok()?;
    let url = Url::create_object_url_with_blob(&blob).ok()?;
    let done = click(name, &url);
    // The download has begun by then, or never will.
    crate::place::soon(10_000, move || {
        let _ = Url::revoke_object_url(&url);
    });
    done
}

fn click(name: &str, url: &str) -> Option<()> {
    let link: HtmlAnchorElement = place::document()?
        .create_element("a")
        .ok()?
        .dyn_into()
        .ok()?;
    link.set_href(url);
    link.set_download(name);
    link.unchecked_ref::<HtmlElement>().click();
    Some(())
}

/// The lines of all plots as a table: time in seconds, then one column for each line, of the twin too if there is one.
fn series(
    plots: &[Plot],
    main: &Tape,
    twin: Option<&Tape>,
    word: impl Fn(&str) -> String,
) -> String {
    let mut heads = vec!["time (s)".to_owned()];
    let mut columns: Vec<(&[f32], f64)> = Vec::new();
    for (tape, side) in [(Some(main), ""), (twin, " B")] {
        let Some(tape) = tape else { continue };
        for plot in plots {
            for line in plot.lines {
                let reads = tape.reads();
                let Some(at) = reads
                    .iter()
                    .position(|read| *read == (line.probe, line.statistic))
                else {
                    continue;
                };
                columns.push((tape.line(at), plot.scale));
                let name = if plot.lines.len() > 1 {
                    format!(
                        "{} {}",
                        word(&format!("plot.{}", plot.id)),
                        word(&format!("line.{}", line.id))
                    )
                } else {
                    word(&format!("plot.{}", plot.id))
                };
                heads.push(format!(
                    "{name}{side} ({})",
                    word(&format!("plot.{}.unit", plot.id))
                ));
            }
        }
    }
    let heads: Vec<_> = heads.iter().map(|head| cell(head)).collect();
    let mut text = heads.join(",") + "\r\n";
    let rows = columns
        .iter()
        .map(|(line, _)| line.len())
        .max()
        .unwrap_or(0);
    for row in 0..rows {
        let at = Time((row as u64 + 1) * main.every().0).as_s();
        text += &trim_number(at);
        for (line, scale) in &columns {
            text.push(',');
            if let Some(value) = line.get(row).filter(|value| value.is_finite()) {
                // Writing to a string cannot fail.
                let _ = write!(text, "{}", trim_number(f64::from(*value) * scale));
            }
        }
        text += "\r\n";
    }
    text
}

/// A cell as RFC 4180 wants it. A formula would be run by the program that opens the table, so none may begin one.
fn cell(text: &str) -> String {
    let text = text.trim_start_matches(['=', '+', '-', '@']);
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell("p99, worst"), "\"p99, worst\"");
        assert_eq!(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(cell("=1+1"), "1+1");
    }

    #[test]
    fn every_lesson_writes_all_its_lines() {
        for entry in lessons::CATALOGUE {
            let mut player = engine::Player::new((entry.open)(1));
            player.seek(Time::s(5));
            let main = player.main();
            let text = series(main.plots(), main.tape(), None, str::to_owned);
            let lines: usize = main.plots().iter().map(|plot| plot.lines.len()).sum();
            let mut rows = text.lines();
            let head = rows.next().expect("a head");
            assert_eq!(head.split(',').count(), lines + 1, "{head}");
            let first = format!("{},", trim_number(main.tape().every().as_s()));
            assert!(
                rows.next().is_some_and(|row| row.starts_with(&first)),
                "{text}"
            );
            assert!(rows.count() >= 20);
        }
    }
}
