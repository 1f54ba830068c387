//! Things to try: goals that tick themselves, each with a hint.

use crate::desk::{Desk, Dialog};
use crate::live::{live, memo};
use crate::texts::t;
use leptos::prelude::*;

/// The challenges that can be reached with what the author of the address leaves to the learner, with their places among all.
pub(crate) fn offered(desk: Desk) -> Vec<(usize, &'static str)> {
    let offered = desk.ask(|player| {
        let all = player.main().challenges().into_iter().enumerate();
        all.filter(|(at, _)| player.offers(*at)).collect()
    });
    offered.unwrap_or_default()
}

/// The panel of challenges.
#[component]
pub(crate) fn Challenges(desk: Desk) -> impl IntoView {
    let ids = offered(desk);
    let items = ids.iter().map(|&(index, id)| {
        let done = memo(move || desk.done.with(|done| done.get(index) == Some(&true)));
        let goal = desk.word(&format!("challenge.{id}"));
        let chosen = memo(move || desk.goal.with(|goal| goal.as_ref().is_some_and(|goal| goal.challenge == index)));
        let hint = desk.word(&format!("challenge.{id}.hint"));
        view! {
            <li class="challenge" data-done=live(move || done.get().then_some(""))>
                <span class="tick" aria-hidden="true"><svg viewBox="0 0 10 10"><path d="M1.5 5.5 4 8 8.5 2"/></svg></span>
                <p><button class="link" type="button" aria-pressed=live(move || chosen.get().to_string())
                    on:click=move |_| desk.choose(index)>{goal}</button><Show when=move || done.get()><span class="visually-hidden">{t("challenge.done")}</span></Show></p>
                <details class="hint"><summary>{t("challenge.hint")}</summary><p>{hint}</p></details>
            </li>
        }
    });
    let grows = desk.ask(|player| player.main().growth().is_some());
    let measure = (grows == Some(true)).then(|| {
        let open = move |_| desk.dialog.set(Some(Dialog::Growth));
        view! { <button class="btn measure" type="button" on:click=open>{desk.word("measure.open")}</button> }
    });
    (!ids.is_empty()).then(|| {
        view! {
            <section class="panel" data-panel="challenges" aria-labelledby="challenges-title">
                <h2 class="panel-title" id="challenges-title">{t("panel.challenges")}</h2>
                <ol class="challenges">{items.collect_view()}</ol>
                {measure}
            </section>
        }
    })
}
