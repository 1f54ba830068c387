//! A second difference between A and B, for those who ask for it: one at a time is how causes are found.

use crate::desk::{Desk, other_value};
use crate::knobs::{Control, Turn};
use crate::live::{Live, live, memo, rarely};
use crate::machine::Core;
use crate::place;
use crate::sight::knob_value;
use crate::texts::{t, tx};
use engine::{Act, ActionSpec, Arg, Difference, Knob, PartId};
use leptos::prelude::*;
use std::sync::Arc;

impl Core {
    /// What each side shows of the second difference; nothing where there is none.
    pub(crate) fn also(&self) -> Vec<String> {
        let also = self.player.twin().and_then(|twin| twin.also);
        also.map_or_else(Vec::new, |also| self.tell(also))
    }

    #[inline(never)]
    fn tell(&self, also: Difference) -> Vec<String> {
        let main = self.player.main();
        match also {
            Difference::Knob(id, other) => {
                let knobs = main.knobs();
                let found = knobs.iter().find(|(knob, _)| knob.id == id);
                let name = self.words.get(&format!("knob.{id}")).to_owned();
                let value = |value: Option<f64>| {
                    found.map_or_else(String::new, |(knob, now)| {
                        knob_value(knob, value.unwrap_or(*now), &self.words)
                    })
                };
                [None, Some(other)]
                    .map(|side| format!("{name}: {}", value(side)))
                    .to_vec()
            }
            Difference::Act(act, at) => {
                let spec = main.actions().get(act.spec);
                let name =
                    |spec: &ActionSpec| self.words.get(&format!("action.{}", spec.id)).to_owned();
                let part = spec
                    .and_then(|spec| spec.aim)
                    .filter(|aim| *aim != engine::action::DOT);
                let text = match (part, spec) {
                    (Some(kind), Some(spec)) => {
                        let part = PartId::nth(kind, act.target as u16 + 1);
                        self.words
                            .fill(&format!("action.{}.part", spec.id), &[Arg::Part(part)])
                    }
                    _ => spec.map_or_else(String::new, name),
                };
                let at = at.at_speed(main.speed());
                let text = t("compare.at").replace("{1}", &at).replace("{0}", &text);
                vec![String::new(), text]
            }
        }
    }
}

impl Desk {
    /// Lets B differ in a second thing, or in one again, and says in what it differs now.
    fn differ(self, also: Option<Difference>) {
        self.act(|player| player.compare_also(also));
        let sides = self.also.get_untracked();
        self.speak(&match sides.get(1) {
            Some(second) => tx("second.both", second),
            None => t("second.one-again"),
        });
    }

    fn second(self) -> Option<Difference> {
        self.ask(|player| player.twin().and_then(|twin| twin.also))
            .flatten()
    }
}

/// A choice of the list: a knob, or an action that is done now.
fn name_of(also: Difference) -> String {
    match also {
        Difference::Knob(id, _) => format!("k.{id}"),
        Difference::Act(act, _) => format!("a.{}", act.spec),
    }
}

/// What can differ besides the first: knobs at another value, and actions, aimed as their buttons are.
fn choices(desk: Desk) -> Vec<(Difference, String)> {
    let knobs = desk.knobs.get_untracked();
    let first = desk.twin.get_untracked().map(|(id, _)| id);
    let free = |id: &'static str| Some(id) != first && !desk.locks(id);
    let knobs = knobs.iter().filter(|(knob, _)| free(knob.id));
    let knobs = knobs.map(|(knob, now)| {
        let also = Difference::Knob(knob.id, other_value(knob, *now));
        (also, desk.word(&format!("knob.{}", knob.id)))
    });
    let now = desk.now.get_untracked();
    let specs = desk
        .ask(|player| player.main().actions())
        .unwrap_or_default();
    let dot = |aim: Option<&str>| aim == Some(engine::action::DOT);
    let acts = specs.iter().enumerate();
    let acts =
        acts.filter(|(_, spec)| spec.turn.is_none() && spec.field.is_none() && !dot(spec.aim));
    // What an author leaves out is not offered by another way.
    let acts = acts.filter(|_| desk.shows("actions"));
    let acts = acts.map(|(spec, action)| {
        let target = desk
            .ask(|player| player.main().aim(spec))
            .unwrap_or_default();
        let also = Difference::Act(Act { spec, target }, now);
        (also, desk.word(&format!("action.{}", action.id)))
    });
    knobs.chain(acts).collect()
}

/// The part of the comparison's panel for it.
pub(crate) fn panel(desk: Desk) -> Live<AnyView> {
    let kind = memo(move || {
        desk.also.track();
        desk.second().map_or_else(String::new, name_of)
    });
    // Its words come with it.
    let told = RwSignal::new(false);
    desk.later(move || {
        told.try_set(true);
    });
    rarely(
        move || {
            desk.twin
                .get()
                .filter(|_| told.get())
                .map(|(first, _)| (first, kind.get()))
        },
        move |(_, kind)| build(desk, kind),
    )
}

fn build(desk: Desk, kind: String) -> AnyView {
    let all = choices(desk);
    if kind.is_empty() {
        let begin = move |_| {
            let first = choices(desk).into_iter().next();
            desk.differ(first.map(|(also, _)| also));
            request_animation_frame(|| place::focus(&["compare-second"]));
        };
        return (!all.is_empty())
            .then(|| view! { <button class="btn btn-quiet" id="compare-more" type="button" on:click=begin>{t("second.begin")}</button> })
            .into_any();
    }
    let options = all.iter().map(|(also, text)| {
        let name = name_of(*also);
        let on = name == kind;
        view! { <option value=name prop:selected=on>{text.clone()}</option> }
    });
    let options = options.collect_view();
    let choose = move |event| {
        let wanted = event_target_value(&event);
        let found = choices(desk)
            .into_iter()
            .find(|(also, _)| name_of(*also) == wanted);
        desk.differ(found.map(|(also, _)| also));
        request_animation_frame(|| place::focus(&["compare-second"]));
    };
    let end = move |_| {
        desk.differ(None);
        request_animation_frame(|| place::focus(&["compare-more", "compare-knob"]));
    };
    let control = match desk.second() {
        Some(Difference::Knob(id, _)) => {
            let knobs = desk.knobs.get_untracked();
            let knob: Option<Knob> = knobs
                .iter()
                .find(|(knob, _)| knob.id == id)
                .map(|(knob, _)| *knob);
            knob.map(|knob| {
                let value = memo(move || {
                    desk.also.track();
                    match desk.second() {
                        Some(Difference::Knob(_, value)) => value,
                        _ => 0.0,
                    }
                });
                let turn: Turn = Arc::new(move |value| {
                    desk.act(|player| player.compare_also(Some(Difference::Knob(knob.id, value))));
                });
                let name = format!("second-{}", knob.id);
                view! { <Control desk knob name label=t("compare.in-b") value turn/> }
            })
            .into_any()
        }
        _ => {
            let text = move || {
                desk.also
                    .with(|sides| sides.get(1).cloned().unwrap_or_default())
            };
            view! { <p><small>{t("compare.in-b")}": "{live(text)}</small></p> }.into_any()
        }
    };
    view! {
        <div class="field second">
            <label class="visually-hidden" for="compare-second">{t("second.what")}</label>
            <select class="input" id="compare-second" on:change=choose>{options}</select>
        </div>
        {control}
        <p class="second"><small>{t("second.two")}</small></p>
        <button class="btn btn-quiet" type="button" on:click=end>{t("second.one")}</button>
    }
    .into_any()
}
