//! The keyboard: every key has a button that does the same.

use crate::desk::{Desk, Dialog};
use crate::{line, place, present, route};
use engine::Player;
use leptos::prelude::{GetUntracked, WithUntracked};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// Who has a use for a key.
#[derive(PartialEq)]
enum Use {
    /// The lesson had.
    Lesson,
    /// The browser has, for the element with the focus or for the page.
    Browser,
    Nobody,
}

/// Reacts to a key, or hands it to the page around where that asked for keys of which there is no use here.
pub(crate) fn press(desk: Desk, event: &KeyboardEvent) {
    if event.default_prevented() || event.alt_key() {
        return;
    }
    if event.ctrl_key() || event.meta_key() {
        take_back(desk, event);
        return;
    }
    let used = react(desk, event);
    if used == Use::Lesson || (used == Use::Nobody && line::pass_key(event)) {
        event.prevent_default();
    }
}

fn react(desk: Desk, event: &KeyboardEvent) -> Use {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let tag = target.as_ref().map(Element::tag_name).unwrap_or_default();
    let inside = |what: &str| {
        target
            .as_ref()
            .is_some_and(|target| matches!(target.closest(what), Ok(Some(_))))
    };
    let (fine, key) = (event.shift_key(), event.key());
    if inside("input, textarea, select, dialog, [contenteditable]") {
        // Sliders and choices go by keys with a name, not by letters.
        let letters = inside("[type=range], [type=radio], [type=checkbox]");
        let passes =
            letters && !inside("dialog") && key != " " && (key.len() == 1 || key == "Escape");
        return if passes { Use::Nobody } else { Use::Browser };
    }
    if desk.lecture.on.get_untracked() && present::press(desk, &key) {
        return Use::Lesson;
    }
    match key.as_str() {
        // These press what has the focus, or lead on from it.
        " " if matches!(tag.as_str(), "BUTTON" | "SUMMARY" | "A") => return Use::Browser,
        "Enter" | "Tab" => return Use::Browser,
        "ArrowUp" | "ArrowDown" if place::scrolls() => return Use::Browser,
        " " => desk.toggle(),
        "ArrowRight" => desk.step(true, fine),
        "ArrowLeft" => desk.step(false, fine),
        "Home" => desk.happen(Player::restart),
        "p" if !route::is_embed() => present::turn(desk, true, true),
        "?" => desk.open_dialog(Dialog::Help),
        "f" => desk.pin_by_key(),
        "n" => desk.jot(),
        "Escape" if desk.followed.with_untracked(Option::is_some) => desk.pin(None),
        key => match key.parse::<usize>() {
            // As on a keyboard, 0 comes after 9.
            Ok(beat) if beat <= 9 => desk.tell_story(|player| player.jump((beat + 9) % 10)),
            _ => return Use::Nobody,
        },
    }
    Use::Lesson
}

/// Takes back what was done last, or does it anew, unless that is the business of a field that is written in.
fn take_back(desk: Desk, event: &KeyboardEvent) {
    let back = match event.key().as_str() {
        "z" | "Z" => !event.shift_key(),
        "y" if !event.shift_key() => false,
        _ => return,
    };
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let own = "dialog, textarea, [contenteditable], input:not([type=range], [type=radio], [type=checkbox])";
    if target.is_some_and(|target| matches!(target.closest(own), Ok(Some(_)))) {
        return;
    }
    event.prevent_default();
    desk.take_back(back);
}
