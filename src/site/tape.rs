//! The tape: transport and speed above, events lane and plots on one time axis below, one playhead over all.

use crate::desk::Desk;
use crate::icons::{self, icon};
use crate::live::{live, memo, part};
use crate::sight::told;
use crate::taking_back;
use crate::texts::{t, tf};
use engine::text::{fixed, trim_number};
use engine::{Arg, Ink, Player, Plot, Time, Tone, plot, speed};
use leptos::prelude::*;
use leptos::{ev, html};
use std::sync::Arc;
use wasm_bindgen::JsCast;

/// A mark of the lane catches the pointer so many CSS pixels around.
const SNAP_PX: f64 = 8.0;

fn button(
    id: &'static str,
    label: impl Fn() -> String + Send + Sync + 'static,
    class: &'static str,
    path: impl Fn() -> &'static str + Send + 'static,
    click: impl Fn() + 'static,
) -> impl IntoView {
    let label: Arc<dyn Fn() -> String + Send + Sync> = Arc::new(label);
    let title = label.clone();
    view! {
        <button id=id class=format!("icon-btn {class}") type="button" aria-label=live(move || label()) title=live(move || title())
            on:click=move |_| click()>{part(move || icon(path()))}</button>
    }
}

/// The tape of a lesson.
#[component]
pub(crate) fn Tape(desk: Desk) -> impl IntoView {
    let playing = desk.playing;
    let open = RwSignal::new(false);
    // The lesson's own speed has a button too.
    let own = desk.ask(|player| player.main().speed()).unwrap_or(1.0);
    let speeds = speed::offered(own);
    let offered = speeds.clone();
    let known = move |speed: f64| offered.iter().any(|known| (known - speed).abs() < 1e-9);
    let speeds = speeds.into_iter().map(|speed| {
        let on = move || (desk.speed.get() - speed).abs() < 1e-9;
        view! {
            <label>
                <input type="radio" name="speed" prop:checked=live(on)
                    on:change=move |_| { desk.act(|player| player.set_speed(speed)); }/>
                <span>{speed::factor(speed)}</span>
            </label>
        }
    });
    let speeds = speeds.collect_view();
    // Said only where no button says it.
    let odd = move || {
        let speed = desk.speed.get();
        (!known(speed)).then(|| view! { <small class="num">{speed::factor(speed)}</small> })
    };
    view! {
        <section class="tape" aria-label=t("tape.label") data-plots=live(move || open.get().then_some(""))>
            <div class="transport">
                {button("play", move || t(if playing.get() { "ui.pause" } else { "ui.play" }), "",
                    move || if playing.get() { icons::PAUSE } else { icons::PLAY }, move || desk.toggle())}
                {button("step-back", || t("ui.step-back"), "", || icons::BACK, move || desk.step(false, false))}
                {button("step-forward", || t("ui.step-forward"), "", || icons::FORWARD, move || desk.step(true, false))}
                {button("restart", || t("ui.restart"), "", || icons::RESTART, move || desk.happen(Player::restart))}
                // An output speaks of itself by default, but speech is the live region's business alone.
                <output class="clock" aria-live="off">{live(move || desk.now.get().at_speed(own))}</output>
                {part(odd)}
                <p class="latest" title=live(move || desk.latest.get())>{live(move || desk.latest.get())}</p>
                {taking_back::buttons(desk)}
                <button class="btn plots-btn" type="button" aria-expanded=live(move || open.get().to_string())
                    on:click=move |_| open.update(|open| *open = !*open)>{t("drawer.plots")}</button>
                <fieldset class="segmented segmented-row" aria-label=t("tape.speed")>{speeds}</fieldset>
            </div>
            {desk.shows("tape").then(|| view! { <Tracks desk/> })}
        </section>
    }
}

#[component]
fn Tracks(desk: Desk) -> impl IntoView {
    let own = desk.ask(|player| player.main().speed()).unwrap_or(1.0);
    let span = memo(move || desk.lane.with(|lane| lane.span).max(Time::ms(1)));
    // Seconds, to a hundredth of a millisecond where there is less than one.
    let seconds = move |at: Time| {
        fixed(
            told(at, span.get()).as_s(),
            if span.get() < Time::s(1) { 5 } else { 2 },
        )
    };
    let share = move || (desk.now.get().as_s() / span.get().as_s()).min(1.0);
    let plots = desk.ask(|player| player.main().plots()).unwrap_or_default();
    let plots = plots
        .iter()
        .enumerate()
        .map(|(index, plot)| view! { <PlotTrack desk index plot/> });
    let axis = move || {
        let span = span.get();
        let label = |(at, text)| view! { <span style=("--at", place(at))>{text}</span> };
        plot::ticks(span).into_iter().map(label).collect_view()
    };
    let spoken = move || {
        if span.get() < Time::s(1) {
            return desk.now.get().at_speed(own);
        }
        let s = told(desk.now.get(), span.get()).as_s();
        // While time runs, whole seconds are enough; a text that changes sixty times a second helps nobody.
        let s = if desk.playing.get() { s.floor() } else { s };
        tf("tape.seconds", &[Arg::Number(s)])
    };
    // What lies under the pointer, while it is over the lane.
    let tip = RwSignal::new(None::<(f64, Option<Time>, String)>);
    let hover = move |event: ev::PointerEvent| {
        let found = lane_share(&event)
            .and_then(|(share, reach)| desk.lane.with(|lane| lane.near(share, reach)));
        if tip.with_untracked(|old| *old != found) {
            tip.set(found);
        }
    };
    let scrub = move |event: ev::Event| {
        if let Some(s) = engine::text::number(&event_target_value(&event)) {
            // On a mark that is under the pointer it goes to the very moment.
            let mark = tip.with_untracked(|tip| tip.as_ref().and_then(|(_, time, _)| *time));
            let at = mark.unwrap_or(Time::from_s(s));
            // No way leads before the part of the story that is told, so the handle does not go there either.
            let least = desk
                .ask(|player| player.start().map(|start| start.at))
                .flatten();
            match least.filter(|least| at < *least) {
                Some(least) => {
                    event_target::<web_sys::HtmlInputElement>(&event).set_value(&seconds(least));
                    desk.scrub(least);
                }
                None => desk.scrub(at),
            }
        }
    };
    let nudge = move |event: ev::KeyboardEvent| {
        let step = match (event.shift_key(), span.get_untracked()) {
            (true, span) if span < Time::s(1) => Time(span.0 / 10),
            (false, span) if span < Time::s(1) => Time(span.0 / 100),
            (true, _) => Time::s(1),
            (false, _) => Time::ms(100),
        };
        let now = desk.now.get_untracked();
        let marks = |ahead: bool| {
            desk.lane.with_untracked(|lane| {
                let times = lane.marks.iter().map(|mark| mark.time);
                match ahead {
                    true => times.filter(|at| *at > now).min(),
                    false => times.filter(|at| *at < now).max(),
                }
            })
        };
        let to = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => now - step,
            "ArrowRight" | "ArrowUp" => now + step,
            "PageUp" => marks(true).unwrap_or(now),
            "PageDown" => marks(false).unwrap_or(now),
            _ => return,
        };
        event.prevent_default();
        desk.scrub(to);
        // Who goes by keys reads what is there as under a pointer.
        let at = to.as_s() / span.get_untracked().as_s();
        tip.set(desk.lane.with_untracked(|lane| lane.near(at, 0.002)));
    };
    let label = move || {
        tip.get().map(|(at, _, text)| {
            view! { <span class="tape-tip" data-end=(at > 0.5).then_some("") style=("--at", place(at))>{text}</span> }
        })
    };
    let listed = memo(move || desk.events.with(Option::is_some));
    let sides = move || {
        desk.twin.get().is_some().then(|| {
            view! { <small class="track-lines">
                <span class="legend"><span class="swatch"></span>"A"</span>
                <span class="legend"><span class="swatch swatch-dashed"></span>"B"</span>
            </small> }
        })
    };
    view! {
        <div class="tracks" style=("--at", live(move || place(share())))>
            <div class="track">
                <div class="track-label lane-lists">
                    <button class="link" type="button" id="events" aria-expanded=live(move || listed.get().to_string())
                        on:click=move |_| desk.list_events()>{t("tape.events")}</button>
                    <button class="link" type="button" id="jottings" aria-expanded=live(move || desk.jotting.get().to_string())
                        on:click=move |_| desk.jot()>{t("tape.notes")}</button>
                </div>
                {part(sides)}
                <Lane desk/>
            </div>
            {plots.collect_view()}
            <div class="axis" aria-hidden="true">{part(axis)}</div>
            <div class="playhead"></div>
            <input class="scrub" type="range" min="0" step="any" aria-label=t("tape.time")
                max=live(move || seconds(span.get())) prop:value=live(move || seconds(desk.now.get()))
                aria-valuetext=live(spoken) on:input=scrub on:keydown=nudge
                on:pointermove=hover on:pointerdown=hover on:pointerleave=move |_| tip.set(None) on:blur=move |_| tip.set(None)/>
            {part(label)}
        </div>
    }
}

/// Where a pointer is over the lane, as a share of it, and how much of it a mark reaches.
fn lane_share(event: &ev::PointerEvent) -> Option<(f64, f64)> {
    let scrub: web_sys::Element = event.target()?.dyn_into().ok()?;
    let lane = scrub.parent_element()?.query_selector(".lane").ok()??;
    let frame = lane.get_bounding_client_rect();
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    let over = (frame.top() - 4.0..=frame.bottom() + 2.0).contains(&y) && frame.width() > 0.0;
    over.then(|| ((x - frame.left()) / frame.width(), SNAP_PX / frame.width()))
}

/// A place on the time axis as the style sheet takes it.
fn place(share: f64) -> String {
    fixed(share, 5)
}

#[component]
fn Lane(desk: Desk) -> impl IntoView {
    let lane = desk.lane;
    let marks = memo(move || lane.with(|lane| lane.marks.clone()));
    let bands = memo(move || lane.with(|lane| (lane.bands.clone(), lane.ghost)));
    let guesses = memo(move || lane.with(|lane| lane.guesses.clone()));
    let bands = move || {
        let (bands, ghost) = bands.get();
        let names = bands.clone().into_iter().filter_map(|band| {
            let (from, to) = band.name?;
            let class = match band.tone {
                Tone::Bad => "band-name t-bad",
                Tone::Warn => "band-name t-warn",
                _ => "band-name",
            };
            Some(view! {
                <span class=class style=("--row", band.row.to_string()) style=("--from", place(from)) style=("--to", place(to))>{band.title}</span>
            })
        });
        let names = names.collect_view();
        let bands = bands.into_iter().map(|band| {
            let class = match band.tone {
                Tone::Bad => "band band-bad",
                Tone::Warn => "band band-warn",
                _ => "band",
            };
            // Where nothing shows its name it is said nevertheless.
            let said = band.name.is_none().then(|| band.title.clone());
            view! {
                <span class=class role=said.is_some().then_some("img") aria-label=said title=band.title style=("--row", band.row.to_string())
                    style=("--from", place(band.from)) style=("--to", place(band.to))></span>
            }
        });
        let ghost = ghost.map(|(from, to)| {
            view! {
                <span class="band band-ghost" title=t("tape.ghost") style=("--from", place(from))
                    style=("--to", place(to))></span>
            }
        });
        (bands.collect_view(), ghost, names)
    };
    let marks = move || {
        marks
            .get()
            .into_iter()
            .map(|mark| {
                let at = ("--at", place(mark.at));
                let faint = mark.ghost.then_some("0.35");
                if mark.own {
                    return view! { <i class="mark-own" role="img" aria-label=mark.title style=at></i> }.into_any();
                }
                if mark.tone == Tone::Plain {
                    return view! { <i class="tick-mark" role="img" aria-label=mark.title style=at style:opacity=faint></i> }
                        .into_any();
                }
                let (path, class) = icons::mark(mark.tone);
                view! {
                    <svg class="mark" viewBox="0 0 10 10" role="img" aria-label=mark.title style=at style:opacity=faint>
                        <path class=class stroke-width="2" d=path/>
                    </svg>
                }
                .into_any()
            })
            .collect_view()
    };
    let guesses = move || {
        guesses
            .get()
            .into_iter()
            .map(|guess| {
                let glyph = if guess.right { icons::check() } else { icons::cross() };
                view! {
                    <span class="mark mark-guess" data-right=guess.right.then_some("") role="img" aria-label=guess.title.clone() title=guess.title style=("--at", place(guess.at))>{glyph}</span>
                }
            })
            .collect_view()
    };
    let rows = memo(move || lane.with(|lane| lane.bands.iter().any(|band| band.row > 0)));
    view! { <div class="lane" data-rows=live(move || rows.get().then_some("2"))>{part(bands)}{part(marks)}{part(guesses)}</div> }
}

#[component]
fn PlotTrack(desk: Desk, index: usize, plot: &'static Plot) -> impl IntoView {
    let canvas = NodeRef::<html::Canvas>::new();
    canvas.on_load(move |canvas| desk.mount_plot(index, canvas));
    let several = plot.lines.len() > 1;
    let lines = several.then(|| {
        let line = |(number, line): (usize, &engine::Line)| {
            let swatch = match line.ink {
                Ink::Accent => "swatch swatch-accent",
                Ink::Ok => "swatch swatch-ok",
                Ink::Bad => "swatch swatch-bad",
                Ink::Warn => "swatch swatch-warn",
                Ink::Hit => "swatch swatch-line-hit",
                Ink::MemberA => "swatch swatch-member-a",
                Ink::MemberB => "swatch swatch-member-b",
                Ink::MemberC => "swatch swatch-member-c",
                Ink::MemberD => "swatch swatch-member-d",
                _ => "swatch swatch-line-secondary",
            };
            let swatch = match plot::weight(number) {
                1 => swatch.to_owned(),
                _ => format!("{swatch} swatch-broad"),
            };
            let own = desk.word(&format!("line.{}", line.id));
            let name = move || {
                let now = desk
                    .line_names
                    .with(|names| names.get(index)?.get(number).cloned());
                now.unwrap_or_else(|| own.clone())
            };
            view! { <span class="legend"><span class=swatch></span>{live(name)}</span> }
        };
        let lines = plot.lines.iter().enumerate().map(line);
        view! { <small class="track-lines">{lines.collect_view()}</small> }
    });
    let unit = desk.word(&format!("plot.{}.unit", plot.id));
    // The axis begins at zero; how far it reaches is said with the unit.
    let reach = move || {
        let top = desk
            .tops
            .with(|tops| tops.get(index).copied().unwrap_or(plot.top_min));
        format!("0–{} {unit}", trim_number(top))
    };
    let name = desk.word(&format!("plot.{}", plot.id));
    let reading = move || {
        let reading = desk
            .readings
            .with(|readings| readings.get(index).cloned().unwrap_or_default());
        format!("{name}{reading}")
    };
    view! {
        <div class="track">
            <div class="track-label">
                {desk.word(&format!("plot.{}", plot.id))}
                <small>{live(reach)}</small>
            </div>
            {lines}
            <canvas class="plot" role="img" aria-label=live(reading) node_ref=canvas></canvas>
        </div>
    }
}
