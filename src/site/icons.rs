//! Icons and glyphs, drawn as SVG because the subset of the font holds none.

use engine::scene::{Glyph, pt};
use engine::svg::glyph_path;
use engine::{Ink, Tone};
use leptos::prelude::*;

pub(crate) use contract::page::icons::*;

pub(crate) const UNDO: &str =
    "M6.4 2.2 2 6.4l4.4 4.2V7.7h3a2.6 2.6 0 0 1 0 5.2H5v1.7h4.4a4.3 4.3 0 0 0 0-8.6h-3z";
pub(crate) const REDO: &str =
    "M9.6 2.2 14 6.4l-4.4 4.2V7.7h-3a2.6 2.6 0 0 0 0 5.2H11v1.7H6.6a4.3 4.3 0 0 1 0-8.6h3z";

const CHECK: &str = "M1 5.5 4 8.5 9 1.5";
const CROSS: &str = "M1.5 1.5l7 7m0-7l-7 7";
const PLUS: &str = "M5 0v10M0 5h10";
const TICK: &str = "M5 0v10";

/// An icon of a button.
pub(crate) fn icon(path: &'static str) -> impl IntoView {
    view! { <svg viewBox="0 0 16 16" aria-hidden="true"><path d=path fill-rule="evenodd"/></svg> }
}

/// The sign of the site: one door, three ways.
pub(crate) fn sign() -> impl IntoView {
    view! {
        <svg viewBox="0 0 22 22" aria-hidden="true">
            <path class="f-none s-ink" stroke-width="1.8" d="M4 11h14M11 11l7-7M11 11l7 7"/>
            <circle class="f-accent" cx="4" cy="11" r="3"/>
            <circle class="f-ink" cx="18" cy="4" r="2.6"/>
            <circle class="f-ink" cx="18" cy="11" r="2.6"/>
            <circle class="f-ink" cx="18" cy="18" r="2.6"/>
        </svg>
    }
}

fn stroked(class: &'static str, path: &'static str) -> AnyView {
    view! {
        <svg class="glyph" viewBox="0 0 10 10" aria-hidden="true">
            <path class=class stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d=path/>
        </svg>
    }
    .into_any()
}

/// A tick: right, done, passed.
pub(crate) fn check() -> AnyView {
    stroked("f-none s-ok", CHECK)
}

/// A cross: not what happened.
pub(crate) fn cross() -> AnyView {
    stroked("f-none s-secondary", CROSS)
}

/// A moving thing as the key shows it.
pub(crate) fn moving(glyph: Glyph, ink: Ink) -> impl IntoView {
    let class = if glyph == Glyph::Response {
        format!("f-none s-{}", ink.name())
    } else {
        format!("f-{}", ink.name())
    };
    let path = glyph_path(glyph, pt(5.0, 5.0), 4.6);
    view! {
        <svg class="glyph" viewBox="0 0 10 10" aria-hidden="true"><path class=class stroke-width="2" d=path/></svg>
    }
}

/// The glyph of a note in a chain of causes.
pub(crate) fn tone(tone: Tone) -> AnyView {
    match tone {
        Tone::Plain => stroked("f-none s-secondary", TICK),
        Tone::Ok => stroked("f-none s-ok", CHECK),
        Tone::Learner => stroked("f-none s-accent", PLUS),
        Tone::Bad => moving(Glyph::Failure, Ink::Bad).into_any(),
        Tone::Warn => moving(Glyph::Replica, Ink::Warn).into_any(),
    }
}

/// The path and classes of a mark on the events lane.
pub(crate) fn mark(tone: Tone) -> (String, &'static str) {
    match tone {
        Tone::Plain => (TICK.to_owned(), "f-none s-secondary"),
        Tone::Ok => (CHECK.to_owned(), "f-none s-ok"),
        Tone::Learner => (PLUS.to_owned(), "f-none s-accent"),
        Tone::Bad => (glyph_path(Glyph::Failure, pt(5.0, 5.0), 5.0), "f-bad"),
        Tone::Warn => (glyph_path(Glyph::Replica, pt(5.0, 5.0), 4.4), "f-warn"),
    }
}
