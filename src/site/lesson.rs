//! The lesson page: reads the lesson's words, opens its run as the address asks, and lays out the panels.

use crate::actions::Actions;
use crate::challenges::Challenges;
use crate::code::CodePanel;
use crate::compare::ComparePanel;
use crate::desk::Desk;
use crate::dialogs::Dialogs;
use crate::drawers::{self, Drawers};
use crate::header::Header;
use crate::inspector::{Events, Inspector};
use crate::knobs::KnobPanel;
use crate::live::{self, live, rarely};
use crate::notes::Notes;
use crate::stages::Stages;
use crate::story::Story;
use crate::tape::Tape;
use crate::texts::{self, Pack, Prose, t};
use crate::theme::Look;
use crate::{follow, frame, jottings, keys, lent, line, opening, place, present, pull};
use contract::Address;
use engine::state::LinkError;
use engine::{Knob, Player};
use leptos::ev;
use leptos::html;
use leptos::leptos_dom::helpers::window_event_listener;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{IntersectionObserver, IntersectionObserverEntry, ResizeObserver};

/// After this time, in milliseconds, a lesson counts as ready even if the browser drew no frame of it.
const READY_MS: u32 = 1_000;

/// A lesson whose words and code are here, or what kept them away.
pub(crate) struct Ready {
    found: Result<(&'static lessons::Entry, Pack, Option<Prose>), String>,
    embed: bool,
}

impl Ready {
    /// Fetches what the lesson needs.
    pub(crate) async fn load(slug: String, embed: bool) -> Ready {
        let found = Self::find(slug, embed).await;
        Ready { found, embed }
    }

    async fn find(
        slug: String,
        embed: bool,
    ) -> Result<(&'static lessons::Entry, Pack, Option<Prose>), String> {
        let pack = texts::load_lesson(&slug).await?;
        // Nothing stands below an embed.
        let prose = match embed {
            true => None,
            false => Some(texts::load_prose(&slug).await?),
        };
        let entry = lessons::find(&slug).ok_or(slug)?;
        Ok((entry, pack, prose))
    }

    /// Its page.
    pub(crate) fn view(self) -> AnyView {
        match self.found {
            Ok((entry, pack, prose)) => lesson(entry, pack, prose, self.embed).into_any(),
            Err(fault) => missing(fault).into_any(),
        }
    }
}

/// What stands where a lesson should be.
fn missing(what: String) -> impl IntoView {
    place::ready();
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

/// Opens a lesson's run as the address asks; tells what is wrong with a state that cannot be opened.
fn open(player: &mut Player, asked: &mut Address, reduced: bool) -> Option<&'static str> {
    let fault = opening::open(player, asked).err();
    if let Some(speed) = asked.speed {
        player.set_speed(speed);
    }
    player.set_playing(asked.autoplay && !reduced);
    if !(asked.lock.is_empty() && asked.hide.is_empty()) {
        let given = |knob: &Knob| !asked.locks(knob.id) && !asked.hides("knobs");
        player.withhold(&given, !asked.hides("actions"));
    }
    if let Some(name) = asked.follow.take() {
        match follow::named(player, &name) {
            Some(_) => asked.follow = Some(name),
            None => asked.refuse("follow", &name),
        }
    }
    let fault = fault.map(|fault| match fault {
        LinkError::Version => "state was written by a later version",
        LinkError::Damaged | LinkError::TooLong => "state is damaged",
    });
    if let Some(fault) = fault {
        asked.warn(fault.to_owned());
    }
    if !asked.warnings.is_empty() {
        place::warn(&asked.warnings.join("; "));
    }
    fault
}

fn lesson(entry: &lessons::Entry, pack: Pack, prose: Option<Prose>, embed: bool) -> impl IntoView {
    let look = expect_context::<Look>();
    let mut asked = contract::parse(&place::query());
    let Pack {
        words,
        chapter,
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
    let reduced = look.reduced.get_untracked();
    let fault = desk
        .open(|player| open(player, &mut asked, reduced))
        .flatten();
    if asked.from.is_some() || asked.to.is_some() {
        desk.recall();
    }
    desk.heed(asked.clone());
    if fault.is_some() {
        desk.notice.set(Some(t("notice.state")));
    }
    desk.remember();
    line::open(desk, asked.clone(), fault.map(str::to_owned));
    if let Some(name) = &asked.follow {
        desk.follow_from(name);
    }
    if !place::hash().is_empty() {
        lent::take_up(desk);
    }
    if asked.code && desk.has_code() {
        desk.show_code(true);
    }
    if embed {
        frame::open(asked.resize);
    }
    place::mark("present", false);
    if asked.present {
        present::turn(desk, true, false);
    }
    let lab = NodeRef::<html::Div>::new();
    watch(desk, lab);
    // Who comes from another page of the app begins at the title: the link that led here is gone.
    if place::is_ready() {
        lab.on_load(|_| place::focus(&["title"]));
    }
    on_cleanup(move || desk.sleep());

    let tables = entry.card.tables;
    let main = if embed { "lesson embed" } else { "lesson" };
    let head = if embed || !desk.shows("title") {
        "visually-hidden"
    } else {
        "lesson-head"
    };
    let header =
        (!embed).then(|| view! { <Header desk=Some(desk) crumbs=Some((chapter, title.clone()))/> });
    let drawer = RwSignal::new(drawers::first());
    let row = embed.then(|| view! { <Drawers desk open=drawer/> });
    let notes = prose
        .filter(|_| desk.shows("prose"))
        .map(|prose| view! { <Notes desk prose tables next/> });
    let story = desk.shows("story").then(|| view! { <Story desk/> });
    let knobs = desk.shows("knobs").then(|| view! { <KnobPanel desk/> });
    let actions = desk.shows("actions").then(|| view! { <Actions desk/> });
    let challenges = desk
        .shows("challenges")
        .then(|| view! { <Challenges desk/> });
    let notice = move |text: String| {
        let close = move |_| {
            place::focus(&["play"]);
            desk.notice.set(None);
        };
        let toast = view! {
            <div class="toast" role="alert">
                <span>{text}</span>
                <button class="btn" type="button" on:click=close>{t("ui.close")}</button>
            </div>
        };
        toast.into_any()
    };
    view! {
        {header}
        {rarely(move || desk.notice.get(), notice)}
        <main class=main id="main" tabindex="-1" data-drawer=live(move || embed.then(|| drawer.get()).flatten())>
            <div class=head>
                <h1 id="title" tabindex="-1">{title}</h1>
                <p class="question">{question}</p>
            </div>
            <div class="room" id="room" node_ref=lab>
                <section class="lab" aria-label=t("lesson.lab")>
                    <Stages desk/>
                    {story}
                    <Tape desk/>
                    {row}
                </section>
                <aside class="side" aria-label=t("lesson.controls")>
                    {follow::panel(desk)}
                    <Inspector desk/>
                    {jottings::panel(desk)}
                    <CodePanel desk/>
                    <Events desk/>
                    <ComparePanel desk/>
                    {knobs}
                    {actions}
                    {challenges}
                </aside>
            </div>
            {notes}
        </main>
        <div class="visually-hidden" role="status" aria-live="polite">{live(move || desk.said.get())}</div>
        <Dialogs desk/>
        {present::end(desk)}
    }
}

/// Follows keys, sizes, visibility, theme and motion for as long as the lesson is shown.
fn watch(desk: Desk, lab: NodeRef<html::Div>) {
    let keys = window_event_listener(ev::keydown, move |event| keys::press(desk, &event));
    let shown = window_event_listener(ev::visibilitychange, move |_| desk.wake());
    let redraw = ["resize", "pageshow", "contextrestored"]
        .map(|name| place::listen(name, move |_| desk.repaint()));
    let pressed = ["pointerdown", "pointerup", "keydown"]
        .map(|name| place::listen(name, move |event| desk.pressed(&event)));
    let listeners = SendWrapper::new((redraw, pressed, present::watch(desk), pull::watch(desk)));
    on_cleanup(move || {
        keys.remove();
        shown.remove();
        drop(listeners);
    });
    // Where the page is not displayed no frame ever comes; those who talk to the lesson need not wait for one.
    place::soon(READY_MS, move || {
        if !place::is_ready() {
            desk.resized();
            place::ready();
        }
    });
    // Drawing is not a signal, so an effect may ask for it.
    live::follow(move || {
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
