//! A field among the actions: what a learner types goes through the lesson's own algorithm, or is answered with why not.
//!
//! It is opened by the action's button, so no start carries its code. There is no form: frames without `allow-forms` would not
//! submit one.

use crate::desk::Desk;
use crate::live::live;
use crate::place;
use engine::text::trim_number;
use engine::{Act, Refusal, Tone};
use leptos::html;
use leptos::prelude::*;

/// What a keyboard says of a key that an input method still works on.
const COMPOSING: u32 = 229;

/// The field of an action, under the buttons; `open` names the action whose field is shown.
pub(crate) fn field(desk: Desk, open: RwSignal<Option<&'static str>>, id: &'static str) -> AnyView {
    let specs = desk
        .ask(|player| player.main().actions())
        .unwrap_or_default();
    let found = specs.iter().enumerate().find(|(_, spec)| spec.id == id);
    let Some((spec, field)) = found.and_then(|(at, spec)| Some((at, spec.field?))) else {
        return ().into_any();
    };
    let input = NodeRef::<html::Input>::new();
    input.on_load(|input| {
        // Without a frame between, the press that opened it would take the focus back.
        request_animation_frame(move || drop(input.focus()));
    });
    let (said, refused) = (RwSignal::new(String::new()), RwSignal::new(false));
    let most = trim_number(field.most as f64);
    let hint = desk.word("typing.hint").replace("{0}", &most);
    let send = move || {
        let Some(input) = input.get_untracked() else {
            return;
        };
        let done = desk.type_in(spec, &input.value());
        refused.set(done.is_err());
        said.set(match done {
            Ok(()) => answer(desk),
            Err(why) => refusal(desk, why),
        });
        // What comes next takes the place of what was typed.
        let _ = input.focus();
        input.select();
    };
    let close = move || {
        open.set(None);
        place::focus(&[&button(id), "play"]);
    };
    let key = move |event: web_sys::KeyboardEvent| {
        if event.is_composing() || event.key_code() == COMPOSING {
            return;
        }
        match event.key().as_str() {
            "Enter" => send(),
            "Escape" => close(),
            _ => return,
        }
        event.prevent_default();
    };
    // An emoji counts twice here; what is still too long is answered, not cut.
    let longest = (2 * field.most + 1).to_string();
    let view = view! {
        <div class="typing">
            <label for="typing">{desk.word(&format!("action.{id}.field"))}</label>
            <div class="typing-row">
                <input class="input" id="typing" type="text" dir="auto" autocomplete="off" autocapitalize="off" spellcheck="false"
                    enterkeyhint="go" maxlength=longest placeholder=field.samples.first().copied() node_ref=input
                    aria-describedby="typing-hint" aria-invalid=live(move || refused.get().then_some("true"))
                    on:keydown=key/>
                <button class="btn" type="button" on:click=move |_| send()>{desk.word("typing.send")}</button>
            </div>
            <p class="typing-said" role="status" data-bad=live(move || refused.get().then_some(""))>{live(move || said.get())}</p>
            <p id="typing-hint"><small>{hint}</small></p>
        </div>
    };
    view.into_any()
}

/// The id of an action's button.
pub(crate) fn button(id: &str) -> String {
    format!("action-{id}")
}

/// What the run says to a text that it took, and whether it still fits into a link.
fn answer(desk: Desk) -> String {
    let note = desk.ask(|player| {
        let mut notes = player.main().tape().notes().rev();
        notes.find(|note| note.tone == Tone::Learner).copied()
    });
    let mut said = desk.with_words(|words| {
        let note = note.flatten();
        note.map_or_else(String::new, |note| words.note(&note))
    });
    if desk.ask(|player| player.link().encode().is_err()) == Some(true) {
        said.push(' ');
        said += &desk.word("typing.no-link");
    }
    said
}

fn refusal(desk: Desk, why: Refusal) -> String {
    match why {
        Refusal::Because(id) => desk.word(&format!("refused.{id}")),
        Refusal::Long(most) => {
            let most = trim_number(most as f64);
            desk.word("typing.long").replace("{0}", &most)
        }
        other => desk.word(&format!("typing.{}", other.name())),
    }
}

impl Desk {
    /// Does an action with a text.
    fn type_in(self, spec: usize, text: &str) -> Result<(), Refusal> {
        let offer = self.offers.get_untracked().get(spec).copied();
        let target = offer.map_or(0, |offer| offer.target);
        let done = self.act(|player| player.type_in(Act { spec, target }, text));
        done.unwrap_or(Err(Refusal::Now))
    }
}
