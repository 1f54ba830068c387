//! The keyboard: every key has a button that does the same.

use crate::desk::{Desk, Dialog};
use crate::{present, route};
use engine::Player;
use leptos::prelude::{GetUntracked, WithUntracked};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// Reacts to a key, unless it belongs to the element that has the focus.
pub(crate) fn press(desk: Desk, event: &KeyboardEvent) {
    if event.default_prevented() || event.alt_key() {
        return;
    }
    if event.ctrl_key() || event.meta_key() {
        take_back(desk, event);
        return;
    }
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let tag = target.as_ref().map(Element::tag_name).unwrap_or_default();
    let inside = |what: &str| {
        target
            .as_ref()
            .is_some_and(|target| matches!(target.closest(what), Ok(Some(_))))
    };
    if inside("input, textarea, select, dialog, [contenteditable]") {
        return;
    }
    let fine = event.shift_key();
    if desk.lecture.on.get_untracked() && present::press(desk, &event.key()) {
        event.prevent_default();
        return;
    }
    match event.key().as_str() {
        // These press what has the focus.
        " " if matches!(tag.as_str(), "BUTTON" | "SUMMARY" | "A") => return,
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
            _ => return,
        },
    }
    event.prevent_default();
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
