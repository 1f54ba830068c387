//! The lesson page: reads the lesson's words, opens its run as the address asks, and lays out the panels.

use crate::actions::Actions;
use crate::challenges::Challenges;
use crate::compare::ComparePanel;
use crate::desk::Desk;
use crate::dialogs::Dialogs;
use crate::header::Header;
use crate::inspector::Inspector;
use crate::knobs::KnobPanel;
use crate::notes::Notes;
use crate::stages::Stages;
use crate::story::Story;
use crate::tape::Tape;
use crate::texts::{self, Pack, t};
use crate::theme::Look;
use crate::{address, keys, place};
use engine::player::SPEEDS;
use engine::{Player, Time};
use leptos::ev;
use leptos::html;
use leptos::leptos_dom::helpers::window_event_listener;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{IntersectionObserver, IntersectionObserverEntry, ResizeObserver};

/// The page of the lesson that the address names.
#[component]
pub(crate) fn LessonPage(embed: bool) -> impl IntoView {
    let params = use_params_map();
    let slug = Memo::new(move |_| {
        let asked = params.with(|params| params.get("slug"));
        asked.or_else(place::alone).unwrap_or_default()
    });
    let pack = LocalResource::new(move || {
        let slug = slug.get();
        async move { texts::load_lesson(&slug).await }
    });
    move || {
        pack.get().map(|pack| match pack {
            Ok(pack) => match lessons::find(&slug.get_untracked()) {
                Some(entry) => lesson(entry, pack, embed).into_any(),
                None => missing(&slug.get_untracked()).into_any(),
            },
            Err(fault) => missing(&fault).into_any(),
        })
    }
}

/// What stands where a lesson should be.
fn missing(what: &str) -> impl IntoView {
    place::ready();
    let what = what.to_owned();
    view! {
        <Header desk=None crumbs=None/>
        <main class="catalogue" id="main">
            <div class="notice" role="alert">
                <h2>{t("lesson.missing")}</h2>
                <p>{what}</p>
                <div class="actions"><a class="btn" href=place::href("")>{t("boot.all")}</a></div>
            </div>
        </main>
    }
}

/// Opens a lesson's run as the address asks.
fn open(desk: Desk, asked: &mut address::Address) {
    let knobs = desk.ask(|player| player.main().knobs()).unwrap_or_default();
    let set = address::knobs(asked, &knobs);
    let reduced = desk.look.reduced.get_untracked();
    let state = asked.state.take();
    let fault = desk.act(|player: &mut Player| {
        for (id, value) in set {
            // The knob came from the lesson's own list, and its value is snapped.
            let _ = player.set_knob(id, value);
        }
        if let Some(beat) = asked.beat {
            player.jump(beat.saturating_sub(1));
        }
        if let Some(at) = asked.at {
            player.seek(Time::from_s(at.min(engine::tape::END.as_s())));
        }
        let fault = state.and_then(|state| player.restore_text(&state).err());
        if let Some(speed) = asked.speed {
            player.set_speed(speed.clamp(SPEEDS.0, SPEEDS.1));
        }
        player.set_playing(asked.autoplay && !reduced);
        fault
    });
    if let Some(Some(fault)) = fault {
        asked
            .warnings
            .push(format!("state is not valid: {fault:?}"));
    }
    if !asked.warnings.is_empty() {
        place::warn(&asked.warnings.join("; "));
    }
}

fn lesson(entry: &lessons::Entry, pack: Pack, embed: bool) -> impl IntoView {
    let look = expect_context::<Look>();
    let mut asked = address::parse(&place::query());
    let chapter = texts::with_site(|site| {
        let chapters = site.chapters.iter();
        let mut found = chapters.filter(|chapter| chapter.id == entry.card.chapter);
        found.next().map(|chapter| chapter.title.clone())
    });
    let chapter = chapter.flatten().unwrap_or_default();
    let Pack {
        words,
        notes,
        left_out,
        next,
    } = pack;
    let (title, question) = (
        words.get("title").to_owned(),
        words.get("question").to_owned(),
    );
    let site = t("title");
    place::set_title(&format!("{title} · {site}"));

    let run = (entry.open)(asked.seed.unwrap_or(1));
    let desk = Desk::new(run, words, look);
    open(desk, &mut asked);
    desk.remember();
    let lab = NodeRef::<html::Section>::new();
    watch(desk, lab);
    on_cleanup(move || desk.sleep());

    let tables = entry.card.tables;
    let (main, head) = if embed {
        ("lesson embed", "visually-hidden")
    } else {
        ("lesson", "lesson-head")
    };
    let header =
        (!embed).then(|| view! { <Header desk=Some(desk) crumbs=Some((chapter, title.clone()))/> });
    let foot = embed.then(|| {
        let href = place::href(&format!("l/{}/", desk.slug));
        view! { <p class="embed-foot"><a href=href target="_blank" rel="noopener">{t("page.open-full")}</a></p> }
    });
    let notes = (!embed).then(|| view! { <Notes desk notes left_out tables next/> });
    view! {
        {header}
        <main class=main id="main">
            <div class=head>
                <h1>{title}</h1>
                <p class="question">{question}</p>
            </div>
            <section class="lab" aria-label=t("lesson.lab") node_ref=lab>
                <Stages desk/>
                <Story desk/>
                <Tape desk/>
            </section>
            <aside class="side" aria-label=t("lesson.controls")>
                <Inspector desk/>
                <ComparePanel desk/>
                <KnobPanel desk/>
                <Actions desk/>
                <Challenges desk/>
                {foot}
            </aside>
            {notes}
        </main>
        <div class="visually-hidden" role="status" aria-live="polite">{move || desk.said.get()}</div>
        <Dialogs desk/>
    }
}

/// Follows keys, sizes, visibility, theme and motion for as long as the lesson is shown.
fn watch(desk: Desk, lab: NodeRef<html::Section>) {
    let keys = window_event_listener(ev::keydown, move |event| keys::press(desk, &event));
    let shown = window_event_listener(ev::visibilitychange, move |_| desk.wake());
    on_cleanup(move || {
        keys.remove();
        shown.remove();
    });
    // Drawing is not a signal, so an effect may ask for it.
    Effect::new(move |_| {
        desk.look.epoch.track();
        desk.look.reduced.track();
        desk.repaint();
    });
    let observers = StoredValue::new_local(None);
    lab.on_load(move |lab| {
        let resized = Closure::<dyn Fn()>::new(move || desk.resized());
        let seen = Closure::<dyn Fn(js_sys::Array)>::new(move |entries: js_sys::Array| {
            let last = entries.iter().last();
            if let Some(entry) =
                last.and_then(|last| last.dyn_into::<IntersectionObserverEntry>().ok())
            {
                desk.seen(entry.is_intersecting());
            }
        });
        let size = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
        let sight = IntersectionObserver::new(seen.as_ref().unchecked_ref()).ok();
        if let Some(size) = &size {
            size.observe(&lab);
        }
        if let Some(sight) = &sight {
            sight.observe(&lab);
        }
        observers.set_value(Some(SendWrapper::new((size, sight, resized, seen))));
    });
    on_cleanup(move || {
        let taken = observers.try_update_value(Option::take).flatten();
        if let Some((size, sight, ..)) = taken.map(SendWrapper::take) {
            if let Some(size) = size {
                size.disconnect();
            }
            if let Some(sight) = sight {
                sight.disconnect();
            }
        }
    });
}
