//! The inspector: what was picked, how it is, and why.

use crate::desk::Desk;
use crate::icons::{self, icon};
use crate::knobs::LessonKnob;
use crate::live::{live, memo, part as view_part};
use crate::place;
use crate::texts::t;
use crate::views::{Cause, Inspection};
use engine::Arg;
use engine::time::SLOW_MOTION;
use leptos::prelude::*;

/// Shown while something is picked.
#[component]
pub(crate) fn Inspector(desk: Desk) -> impl IntoView {
    let found = desk.inspection;
    let shown = memo(move || found.with(Option::is_some));
    let title = memo(move || {
        found.with(|found| {
            found
                .as_ref()
                .map(|found| found.title.clone())
                .unwrap_or_default()
        })
    });
    let value = memo(move || {
        found.with(|found| {
            found
                .as_ref()
                .map(|found| found.value.clone())
                .unwrap_or_default()
        })
    });
    let chain = memo(move || {
        found.with(|found| {
            found
                .as_ref()
                .map(|found| found.chain.clone())
                .unwrap_or_default()
        })
    });
    let part = memo(move || found.with(|found| found.as_ref().and_then(|found| found.part)));
    let knobs = move || {
        let part = part.get();
        let knobs = desk.knobs.get_untracked();
        let own = knobs
            .into_iter()
            .filter(|(knob, _)| knob.part.is_some() && knob.part == part && desk.shows("knobs"));
        own.map(|(knob, _)| view! { <LessonKnob desk knob/> })
            .collect_view()
    };
    let fitting = memo(move || {
        let picked = desk.offers.get();
        picked
            .into_iter()
            .filter(|offer| offer.picked && desk.shows("actions"))
            .collect::<Vec<_>>()
    });
    let action = move |(spec, id): (usize, &'static str)| {
        let offer = memo(move || {
            fitting.with(|offers| offers.iter().find(|offer| offer.spec == spec).copied())
        });
        let text = move || {
            let name = part.get().map(|part| [Arg::Part(part)]);
            let name = name.as_ref().map_or(&[][..], |name| &name[..]);
            desk.fill(&format!("action.{id}.part"), name)
        };
        let act = move |_| {
            if let Some(offer) = offer.get_untracked().filter(|offer| offer.can) {
                desk.offer(offer);
            }
        };
        view! {
            <button class="btn" type="button" aria-disabled=live(move || (!offer.get().is_some_and(|offer| offer.can)).to_string())
                on:click=act>{live(text)}</button>
        }
    };
    let offered = move || {
        let offers = fitting.get().into_iter();
        offers
            .map(|offer| (offer.spec, offer.id))
            .collect::<Vec<_>>()
    };
    view! {
        <Show when=move || shown.get()>
            // By its question too: a part may be called what a group of settings is.
            <section class="panel inspector" aria-labelledby="inspector-title inspector-why">
                <div class="inspector-head">
                    <div>
                        <h2 id="inspector-title" tabindex="-1">{live(move || title.get())}</h2>
                        <p>{live(move || value.get())}</p>
                    </div>
                    <button class="icon-btn btn-quiet" type="button" aria-label=t("ui.close") title=t("ui.close")
                        on:click=move |_| desk.unpick()>{icon(icons::CLOSE)}</button>
                </div>
                <div class="inspector-tabs">
                    <h3 id="inspector-why">{t("why.title")}</h3>
                    <button class="btn btn-quiet" type="button" on:click=move |_| desk.pin_by_key()>{t("why.follow")}</button>
                    {desk.has_code().then(|| view! {
                        <button class="btn btn-quiet" type="button" aria-pressed=live(move || desk.code.with(Option::is_some).to_string())
                            on:click=move |_| desk.show_code(desk.code.with_untracked(Option::is_none))>{t("code.tab")}</button>
                    })}
                </div>
                <Show when=move || !chain.with(Vec::is_empty) fallback=|| view! { <p><small>{t("why.nothing")}</small></p> }>
                    <ol class="chain">
                        <For each=move || chain.get() key=|cause| (cause.note.0, cause.text.clone()) let(cause)>
                            <Link desk id=button_id(&cause) cause/>
                        </For>
                    </ol>
                </Show>
                <div class="actions"><For each=offered key=|offered| *offered let(offered)>{action(offered)}</For></div>
                {view_part(knobs)}
            </section>
        </Show>
    }
}

/// The name in the document of the button that leads to a cause.
fn button_id(cause: &Cause) -> String {
    format!("cause-{}", cause.note.0)
}

/// Keeps the focus in the inspector when the cause that has it is about to go: what led to something at one moment
/// may be another thing at the next.
pub(crate) fn keep_focus(before: &Inspection, after: Option<&Inspection>) {
    let stays = |cause: &Cause| {
        let mut chain = after.into_iter().flat_map(|found| &found.chain);
        chain.any(|kept| (kept.note, &kept.text) == (cause.note, &cause.text))
    };
    let mut chain = before.chain.iter();
    if chain.any(|cause| place::has_focus(&button_id(cause)) && !stays(cause)) {
        place::focus(&["inspector-title", "play"]);
    }
}

/// An event as a button that leads to its moment.
#[component]
pub(crate) fn Link(desk: Desk, cause: Cause, id: String) -> impl IntoView {
    let Cause {
        text,
        tone,
        at,
        gap,
        ..
    } = cause;
    let gap = gap.then(|| view! { <small class="gap">{t("why.more")}</small> });
    let here = memo(move || desk.now.get() == at);
    let opens_at = desk.ask(|player| player.main().speed()).unwrap_or(1.0);
    // In slow motion a hundredth of a second is long.
    let time = if opens_at < SLOW_MOTION {
        at.at_speed(opens_at)
    } else {
        // As the clock of the transport tells it.
        let hundredths = at.0 / 10_000;
        format!("{}.{:02} s", hundredths / 100, hundredths % 100)
    };
    let go = move |_| {
        desk.happen(|player| {
            player.set_playing(false);
            player.seek(at)
        });
    };
    view! {
        <li>
            {gap}
            <button type="button" id=id aria-current=live(move || here.get().then_some("step")) on:click=go>
                {icons::tone(tone)}
                <span>{text}</span>
                <time>{time}</time>
            </button>
        </li>
    }
}

/// The events of the tape, for those who would rather read than point.
#[component]
pub(crate) fn Events(desk: Desk) -> impl IntoView {
    let shown = memo(move || desk.events.with(Option::is_some));
    let close = move |_| {
        place::focus(&["events", "play"]);
        desk.list_events();
    };
    view! {
        <Show when=move || shown.get()>
            <section class="panel inspector" aria-labelledby="events-title">
                <div class="inspector-head">
                    <h2 id="events-title">{t("tape.events")}</h2>
                    <button class="icon-btn btn-quiet" type="button" aria-label=t("ui.close") title=t("ui.close")
                        on:click=close>{icon(icons::CLOSE)}</button>
                </div>
                <ol class="chain">
                    <For each=move || desk.events.get().unwrap_or_default() key=|event| (event.note.0, event.text.clone()) let(event)>
                        <Link desk id=format!("event-{}", event.note.0) cause=event/>
                    </For>
                </ol>
            </section>
        </Show>
    }
}
