//! The story: steps as dots, Back and Next, caption, question and outcome.

use crate::desk::Desk;
use crate::icons;
use crate::knobs::{Control, Turn};
use crate::live::{follow, live, memo, part, rarely};
use crate::texts::{t, tf, tx};
use crate::views::{Ask, Dot, Goal, Saying, StoryView, Verdict};
use crate::{place, present};
use engine::knobs::Kind;
use engine::{Arg, Knob, Player, Scale};
use leptos::prelude::*;
use std::sync::Arc;

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

/// A step's number among all, in words.
pub(crate) fn step(beat: usize, count: usize) -> String {
    tf(
        "story.step",
        &[Arg::Count(beat as i64 + 1), Arg::Count(count as i64)],
    )
}

/// The story beside the stage, or below it.
#[component]
pub(crate) fn Story(desk: Desk) -> impl IntoView {
    let story = desk.story;
    let flag = move |look: fn(&StoryView) -> bool| memo(move || story.with(look));
    let waits = flag(|story| story.says == Saying::Wait);
    let stuck = flag(|story| story.stuck);
    let asks = flag(|story| story.ask.is_some());
    let first = flag(|story| story.beat == 0 && story.says != Saying::Wait);
    let last = flag(|story| story.beat + 1 >= story.dots.len() && story.says != Saying::Wait);
    let state = move || match (waits.get(), asks.get()) {
        (true, _) => "wait",
        (_, true) => "predict",
        _ if story.with(|story| story.result.is_some()) => "result",
        _ => "say",
    };
    let caption = memo(move || story.with(|story| story.line.clone()));
    let class = move || match story.with(|story| story.says) {
        Saying::Wait => "story-caption story-wait",
        Saying::Past => "story-caption story-past",
        Saying::Caption => "story-caption",
    };
    // A button that is of no use now keeps the focus, which would otherwise fall back to the top of the page.
    let back = move |_| {
        if !first.get_untracked() {
            desk.tell_story(Player::back);
        }
    };
    let next = move |_| {
        if !last.get_untracked() {
            present::next(desk);
        }
    };
    let way_back = move |_| {
        place::focus(&["next"]);
        desk.tell_story(Player::back_to_story);
    };
    let dots = memo(move || story.with(|story| (story.beat, story.dots.clone())));
    let count = memo(move || dots.with(|(_, dots)| dots.len()));
    let dots_view = move || {
        let dot = move |at: usize| {
            let look = memo(move || {
                dots.with(|(beat, dots)| (*beat == at, dots.get(at).cloned().unwrap_or_default()))
            });
            let flag = move |look: bool| look.then_some("");
            let tip = move || {
                let (_, Dot { said, .. }) = look.get();
                let step = step(at, count.get_untracked());
                said.map_or(step.clone(), |said| format!("{step}: {said}"))
            };
            view! {
                <button class="dot" type="button" aria-label=live(tip) data-tip=live(tip)
                    aria-current=live(move || look.get().0.then_some("step")) data-asks=live(move || flag(look.get().1.asks))
                    data-seen=live(move || flag(look.get().1.said.is_some()))
                    on:click=move |_| desk.tell_story(move |player| player.jump(at))></button>
            }
        };
        (0..count.get()).map(dot).collect_view()
    };
    // Where the dots have no room for all, the one that is shown stays in view.
    follow(move || {
        dots.with(|(beat, _)| *beat);
        place::soon(0, || place::center(".dots", ".dot[aria-current]"));
    });
    let ask = memo(move || story.with(|story| story.ask.clone()));
    let locked = memo(move || story.with(|story| story.locked.clone()));
    let result = memo(move || story.with(|story| story.result.clone()));
    view! {
        <section class="story" data-state=live(state) aria-label=t("story.label")>
            <p class="story-step visually-hidden">{live(move || step(story.with(|story| story.beat), count.get()))}</p>
            <div class="story-head">
                <button class="btn" type="button" id="back" aria-disabled=live(move || first.get().to_string())
                    on:click=back>{t("ui.back")}</button>
                <div class="dots" role="group" aria-label=t("story.steps")>{part(dots_view)}</div>
                <button class="btn" class:btn-primary=live(move || !(waits.get() || asks.get() || stuck.get())) type="button"
                    id="next" aria-disabled=live(move || last.get().to_string()) on:click=next>{t("ui.next")}</button>
            </div>
            <div class="story-text">
                <p class=live(class)>{part(move || rich(&caption.get()))}</p>
                <Show when=move || stuck.get()>
                    <div><button class="btn btn-primary" type="button" on:click=way_back>{t("story.way-back")}</button></div>
                </Show>
                {rarely(move || ask.get(), move |ask| view! { <Question desk ask/> }.into_any())}
                {rarely(move || locked.get().filter(|_| !waits.get()), |answer| view! {
                    <p class="predict"><small>{tx("story.locked", &answer)}</small></p>
                }.into_any())}
                {rarely(move || result.get(), |verdict| outcome(verdict).into_any())}
                {present::vote(desk)}
                {rarely(move || desk.goal.get(), |way| goal(way).into_any())}
            </div>
        </section>
    }
}

/// Choosing is locking: who is not sure goes on with Next.
#[component]
fn Question(desk: Desk, ask: Ask) -> impl IntoView {
    let Ask {
        question,
        answers,
        scale,
    } = ask;
    let choices = match scale {
        Some(scale) => view! { <Number desk scale/> }.into_any(),
        None => view! { <Answers desk answers/> }.into_any(),
    };
    view! {
        <fieldset class="predict">
            <legend>{question}</legend>
            {choices}
        </fieldset>
    }
}

/// A number is set first, and locked by a button of its own.
#[component]
fn Number(desk: Desk, scale: Scale) -> impl IntoView {
    let [min, max, step] = scale.range;
    let knob = Knob {
        id: "guess",
        kind: Kind::Slider { min, max, step },
        unit: scale.unit,
        part: None,
    };
    // Whoever guesses moves it: no number in the middle suggests itself.
    let number = RwSignal::new(min);
    let value = Memo::new(move |_| number.get());
    let turn: Turn = Arc::new(move |value| number.set(value));
    let lock = move |_| {
        place::focus(&["next"]);
        desk.guess(scale.answer(number.get_untracked()));
    };
    view! {
        <Control desk knob name="story-guess".to_owned() label=t("story.number") value turn/>
        <button class="answer" type="button" on:click=lock>{live(move || tx("story.lock", &desk.value(&knob, value.get())))}</button>
    }
}

#[component]
fn Answers(desk: Desk, answers: Vec<String>) -> impl IntoView {
    let answers = answers.into_iter().enumerate().map(|(index, answer)| {
        let choose = move |_| {
            place::focus(&["next"]);
            desk.guess(index);
        };
        view! { <button class="answer" type="button" on:click=choose>{answer}</button> }
    });
    view! { <div class="answers">{answers.collect_view()}</div> }
}

fn outcome(verdict: Verdict) -> impl IntoView {
    let missed = (!verdict.right).then(|| {
        let guess = tx("story.your-guess", &verdict.guess);
        view! { <span class="answer" data-mark="wrong">{icons::cross()}{guess}</span> }
    });
    let what = verdict.happened();
    view! {
        <div class="predict">
            <p>{verdict.text}</p>
            <div class="answers">
                {missed}
                <span class="answer" data-mark="right">{icons::check()}{what}</span>
            </div>
        </div>
    }
}

/// How far the challenge under way has come.
fn goal(goal: Goal) -> impl IntoView {
    let Goal {
        text,
        now,
        of,
        done,
        ..
    } = goal;
    let far = (!done).then(|| {
        // What is reached all at once has nothing to count.
        let count = (of != 1.0).then(|| {
            let [now, of] = [now, of].map(|value| {
                Arg::Number(engine::text::number(&engine::text::fixed(value, 1)).unwrap_or(value))
            });
            view! { <span class="num">{tf("challenge.count", &[now, of])}</span> }
        });
        let fill = format!("{}%", engine::text::fixed(now / of * 100.0, 0));
        view! { {count}<div class="bar" style=("--fill", fill)></div> }
    });
    view! {
        <div class="goal" data-done=done.then_some("")>
            <span>{text}</span>{done.then(icons::check)}{far}
        </div>
    }
}
