//! The story strip: step, caption, question, outcome, Back and Next.

use crate::desk::Desk;
use crate::icons;
use crate::live::{live, memo, part};
use crate::place;
use crate::texts::{t, tf, tx};
use crate::views::{StoryView, Verdict};
use engine::{Arg, Player};
use leptos::ev;
use leptos::prelude::*;

/// A text in which `**bold**` stands out.
fn rich(text: &str) -> Vec<AnyView> {
    let pieces = text
        .split("**")
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty());
    pieces
        .map(|(at, piece)| {
            let piece = piece.to_owned();
            if at % 2 == 1 {
                view! { <strong>{piece}</strong> }.into_any()
            } else {
                piece.into_any()
            }
        })
        .collect()
}

/// The strip under the stage.
#[component]
pub(crate) fn Story(desk: Desk) -> impl IntoView {
    let story = desk.story;
    let flag = move |look: fn(&StoryView) -> bool| memo(move || story.with(look));
    let waits = flag(|story| story.waiting.is_some());
    let stuck = flag(|story| story.stuck);
    let asks = flag(|story| story.ask.is_some());
    let first = flag(|story| story.beat == 0 && story.waiting.is_none());
    let last = flag(|story| story.beat + 1 >= story.count && story.waiting.is_none());
    let state = move || match (waits.get(), asks.get()) {
        (true, _) => "wait",
        (_, true) => "predict",
        _ if story.with(|story| story.result.is_some()) => "result",
        _ => "say",
    };
    let step = move || {
        let (beat, count) = story.with(|story| (story.beat + 1, story.count));
        tf(
            "story.step",
            &[Arg::Count(beat as i64), Arg::Count(count as i64)],
        )
    };
    let caption = memo(move || {
        story.with(|story| match (&story.waiting, story.stuck) {
            (Some(waiting), _) => waiting.clone(),
            (None, true) => t("story.stuck"),
            _ => story.caption.clone(),
        })
    });
    let class = move || {
        if waits.get() {
            "story-caption story-wait"
        } else {
            "story-caption"
        }
    };
    // A button that is of no use now keeps the focus, which would otherwise fall back to the top of the page.
    let back = move |_| {
        if !first.get_untracked() {
            desk.happen(Player::back);
        }
    };
    let next = move |_| {
        if !last.get_untracked() {
            desk.happen(Player::next);
        }
    };
    let way_back = move |_| {
        place::focus(&["next"]);
        desk.happen(Player::back_to_story);
    };
    let chosen = RwSignal::new(None::<usize>);
    let ask = memo(move || story.with(|story| story.ask.clone()));
    let locked = memo(move || story.with(|story| story.locked.clone()));
    let result = memo(move || story.with(|story| story.result.clone()));
    view! {
        <section class="story" data-state=live(state) aria-label=t("story.label")>
            <p class="story-step">{live(step)}</p>
            <div class="story-text">
                <p class=live(class)>{part(move || rich(&caption.get()))}</p>
                {part(move || ask.get().map(|(question, answers)| view! { <Question desk chosen question answers/> }))}
                {part(move || locked.get().filter(|_| !waits.get()).map(|answer| view! {
                    <p class="predict"><small>{tx("story.locked", &answer)}</small></p>
                }))}
                {part(move || result.get().map(outcome))}
            </div>
            <div class="story-nav">
                <button class="btn" type="button" aria-disabled=live(move || first.get().to_string())
                    on:click=back>{t("ui.back")}</button>
                <Show when=move || stuck.get()>
                    <button class="btn btn-primary" type="button"
                        on:click=way_back>{t("story.way-back")}</button>
                </Show>
                <button class="btn" class:btn-primary=live(move || !(waits.get() || asks.get() || stuck.get())) type="button"
                    id="next" aria-disabled=live(move || last.get().to_string()) on:click=next>{t("ui.next")}</button>
                <Show when=move || asks.get()>
                    <button class="btn btn-primary" type="submit" form="prediction"
                        disabled=live(move || chosen.get().is_none())>{t("story.lock")}</button>
                </Show>
            </div>
        </section>
    }
}

#[component]
fn Question(
    desk: Desk,
    chosen: RwSignal<Option<usize>>,
    question: String,
    answers: Vec<String>,
) -> impl IntoView {
    let lock = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Some(choice) = chosen.get_untracked() {
            chosen.set(None);
            place::focus(&["next"]);
            desk.guess(choice);
        }
    };
    let answers = answers.into_iter().enumerate().map(|(index, answer)| {
        view! {
            <label class="answer">
                <input type="radio" name="answer" on:change=move |_| chosen.set(Some(index))/>
                <span>{answer}</span>
            </label>
        }
    });
    view! {
        <form id="prediction" on:submit=lock>
            <fieldset class="predict">
                <legend>{question}</legend>
                <div class="answers">
                    {answers.collect_view()}
                </div>
            </fieldset>
        </form>
    }
}

fn outcome(verdict: Verdict) -> impl IntoView {
    let Verdict {
        guess,
        truth,
        right,
        text,
    } = verdict;
    let missed = (!right).then(|| {
        view! {
            <span class="answer" data-mark="wrong"><span>{icons::cross()}{tx("story.your-guess", &guess)}</span></span>
        }
    });
    let what = t(if right {
        "story.guessed"
    } else {
        "story.happened"
    })
    .replace("{0}", &truth);
    view! {
        <div class="predict">
            <p>{text}</p>
            <div class="answers">
                {missed}
                <span class="answer" data-mark="right"><span>{icons::check()}{what}</span></span>
            </div>
        </div>
    }
}
