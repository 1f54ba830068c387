//! Taking back what the learner changed, and doing it anew: keys, buttons, and a word on what it was.

use crate::desk::Desk;
use crate::icons::{self, icon};
use crate::live::rarely;
use crate::place;
use crate::story::step;
use crate::texts::{t, tf, tx};
use engine::Arg;
use engine::undo::Deed;
use leptos::prelude::*;

/// How long the word on what was taken back stands there, in milliseconds.
const SHOWN_MS: u32 = 4_000;

impl Desk {
    /// Takes the last step back, or does it anew, and says which it was.
    pub(crate) fn take_back(self, back: bool) {
        self.later(move || self.take_back_now(back));
    }

    fn take_back_now(self, back: bool) {
        let done = self.act(|player| match back {
            true => player.undo(),
            false => player.redo(),
        });
        let Some((deed, happened)) = done else {
            return;
        };
        let said = match deed {
            Some(deed) => {
                let word = if back { "undo.undone" } else { "undo.redone" };
                tx(word, &self.deed(&deed))
            }
            None => t(if back { "undo.nothing" } else { "undo.no-more" }),
        };
        self.react(&happened);
        self.speak(&said);
        self.flash(said);
    }

    /// Shows a word for a while.
    pub(crate) fn flash(self, said: String) {
        self.flashed.set(Some(said.clone()));
        place::soon(SHOWN_MS, move || {
            // Another word may stand there by then, or the lesson may be gone.
            if self.flashed.try_get_untracked().flatten() == Some(said) {
                self.flashed.set(None);
            }
        });
    }

    /// What a step did, in words.
    fn deed(self, deed: &Deed) -> String {
        match deed {
            Deed::Turn { knob, from, to } => {
                let name = self.word(&format!("knob.{knob}"));
                let knobs = self.knobs.get_untracked();
                let known = knobs.iter().find(|(known, _)| known.id == *knob);
                let value =
                    |value| known.map_or_else(String::new, |(knob, _)| self.value(knob, value));
                format!("{name}: {} → {}", value(*from), value(*to))
            }
            Deed::Act(act) => {
                let specs = self.ask(|player| player.main().actions());
                let spec = specs.and_then(|specs| specs.get(act.spec));
                spec.map_or_else(String::new, |spec| {
                    self.word(&format!("action.{}", spec.id))
                })
            }
            Deed::Seed(seed) => tf("knob.seed", &[Arg::Count(i64::from(*seed))]),
            Deed::Restart => t("ui.restart"),
            Deed::Story(beat) => {
                let count = self.story.with_untracked(|story| story.dots.len());
                step(*beat, count)
            }
            Deed::Compare(Some(knob)) => {
                format!(
                    "{}: {}",
                    t("ui.compare"),
                    self.word(&format!("knob.{knob}"))
                )
            }
            Deed::Compare(None) => t("compare.end"),
            Deed::Link => t("undo.link"),
        }
    }

    /// What the buttons would do, in words; empty for one that could do nothing.
    pub(crate) fn next_steps(self) -> Vec<String> {
        let deeds = self.ask(|player| player.steps().map(|deed| deed.cloned()));
        let words = [("ui.undo", "Ctrl+Z"), ("ui.redo", "Shift+Ctrl+Z")].into_iter();
        let told = words
            .zip(deeds.into_iter().flatten())
            .map(|((word, keys), deed)| {
                let told = |deed| format!("{}: {} ({keys})", t(word), self.deed(&deed));
                deed.map_or_else(String::new, told)
            });
        told.collect()
    }
}

/// The buttons, once there is something to take back or to do anew.
pub(crate) fn buttons(desk: Desk) -> impl IntoView {
    rarely(
        move || Some(desk.steps.get()).filter(|steps| !steps.is_empty()),
        move |steps| both(desk, steps),
    )
}

fn both(desk: Desk, steps: Vec<String>) -> AnyView {
    let kinds = [
        (true, "undo", "ui.undo", icons::UNDO),
        (false, "redo", "ui.redo", icons::REDO),
    ];
    let buttons = kinds.into_iter().zip(steps);
    let buttons = buttons.filter(|(_, title)| !title.is_empty());
    let buttons = buttons.map(|((back, id, label, path), title)| {
        let click = move |_| {
            desk.take_back(back);
            // The buttons are made anew with what they would do; one that can do no more is gone.
            request_animation_frame(move || place::focus(&[id, "undo", "redo", "play"]));
        };
        view! {
            <button id=id class="icon-btn btn-quiet" type="button" aria-label=t(label) title=title on:click=click>{icon(path)}</button>
        }
    });
    buttons.collect_view().into_any()
}

/// A word that stands over the tape for a while; it is spoken too.
pub(crate) fn flashed(desk: Desk) -> impl IntoView {
    rarely(
        move || desk.flashed.get(),
        |said| view! { <p class="flash" aria-hidden="true">{said}</p> }.into_any(),
    )
}
