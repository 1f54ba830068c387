//! Films: the way between `assets/film.js`, which asks, encodes and saves, and the engine, which makes the frames.
//!
//! The script is fetched when the reader asks for a film, and asks through events at the window: the answers are written
//! into what it sent. So no start of a page carries any of it.

use crate::desk::Desk;
use crate::place::{self, Listener};
use crate::sight::knob_value;
use crate::texts::t;
use crate::{export, texts};
use engine::film::{self, FRAMES_MAX, Film, Look, Saying, Subject, Teller};
use engine::{Player, Time, Words};
use js_sys::Reflect;
use leptos::prelude::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

/// The event through which the script asks.
const ASK: &str = "loadlab-film";
/// The run works for so long at a time, in milliseconds, and looks at the clock after so many events.
const WORK_MS: f64 = 12.0;
const EVENTS: u64 = 500;
/// The sides of a frame, in units.
const SIDES: (f64, f64) = (320.0, 1_920.0);

/// What the script sent, and what it is answered.
struct Asked(JsValue);

impl Asked {
    fn field(&self, name: &str) -> JsValue {
        Reflect::get(&self.0, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
    }

    fn text(&self, name: &str) -> String {
        self.field(name).as_string().unwrap_or_default()
    }

    fn number(&self, name: &str) -> f64 {
        self.field(name).as_f64().unwrap_or_default()
    }

    fn holds(&self, name: &str) -> bool {
        self.field(name).as_bool().unwrap_or_default()
    }

    fn answer(&self, name: &str, value: impl Into<JsValue>) {
        // An object of the script's takes any field.
        let _ = Reflect::set(&self.0, &JsValue::from_str(name), &value.into());
    }

    /// What the film is of.
    fn subject(&self) -> Subject {
        match self.field("beat").as_f64() {
            Some(beat) => Subject::Beat(beat as usize),
            None => Subject::Range(
                Time::from_s(self.number("from")),
                Time::from_s(self.number("to")),
            ),
        }
    }

    /// Simulated seconds and frames a second.
    fn pace(&self) -> (f64, u32) {
        (self.number("speed"), self.number("rate") as u32)
    }
}

struct Voice {
    words: Rc<Words>,
    beats: Vec<&'static str>,
    knobs: Vec<engine::Knob>,
}

impl Voice {
    fn of(desk: Desk, player: &Player) -> Voice {
        let knobs = player.main().knobs().into_iter();
        Voice {
            words: desk.all_words(),
            beats: player.beats().iter().map(|beat| beat.id).collect(),
            knobs: knobs.map(|(knob, _)| knob).collect(),
        }
    }
}

impl Teller for Voice {
    fn say(&self, saying: Saying) -> String {
        let (kind, beat) = match saying {
            Saying::Way(beat) => ("wait", beat),
            Saying::Beat(beat) => ("beat", beat),
        };
        let id = format!("{kind}.{}", self.beats.get(beat).unwrap_or(&""));
        match self.words.has(&id) {
            true => self.words.get(&id).to_owned(),
            false => t("story.wait"),
        }
    }

    fn heading(&self, knob: &str, value: f64) -> String {
        let id = format!("knob.{knob}");
        let name = self.words.get(&id);
        let known = self.knobs.iter().find(|known| known.id == knob);
        let value = known.map_or_else(String::new, |known| knob_value(known, value, &self.words));
        format!("{name}: {value}")
    }

    fn words(&self) -> Rc<Words> {
        self.words.clone()
    }
}

/// What is under way for the script.
#[derive(Default)]
struct Making {
    film: Option<Film>,
    /// A player that has gone, or is going, to steps that the reader's own has not reached.
    scout: Option<Player>,
}

impl Making {
    /// Looks at the player that has reached what is to be filmed: the reader's own or the scout; none while none has.
    fn with<T>(&self, desk: Desk, subject: Subject, look: impl Fn(&Player) -> T) -> Option<T> {
        let knows = |player: &Player| match subject {
            Subject::Beat(beat) => player.reached(beat).is_some(),
            Subject::Range(..) => true,
        };
        let own = desk.ask(|player| knows(player).then(|| look(player)));
        let scout = self.scout.as_ref().filter(|scout| knows(scout));
        own.flatten().or_else(|| scout.map(look))
    }

    /// Takes the scout nearer to a step; which share of the way it has behind it, none once it is as near as it gets.
    fn search(&mut self, desk: Desk, beat: usize) -> Option<f64> {
        if self.scout.is_none() {
            self.scout = desk.ask(Player::scout);
        }
        let scout = self.scout.as_mut()?;
        let until = place::now_ms() + WORK_MS;
        scout.set_patience(move || place::now_ms() < until);
        if scout.under_way() {
            scout.frame(0.0);
        } else if scout.stuck().is_none() {
            scout.jump(beat);
        }
        // How long the way of a story is, nobody knows; how many of its steps are left is known.
        let there = beat.max(1) as f64;
        scout.under_way().then(|| scout.beat() as f64 / there)
    }
}

/// Fetches the script, which opens its dialog and asks what follows. What is returned answers for as long as it is kept.
pub(crate) fn open(desk: Desk, lost: RwSignal<bool>) -> Option<Listener> {
    let making = RefCell::new(Making::default());
    let heard = Rc::new(Cell::new(false));
    let hears = heard.clone();
    let listener = place::listen(ASK, move |event| {
        hears.set(true);
        let detail = Reflect::get(&event, &JsValue::from_str("detail"));
        if let Ok(detail) = detail {
            answer(desk, &Asked(detail), &mut making.borrow_mut());
        }
    });
    let script = place::document()?.create_element("script").ok()?;
    let source = format!("{}film.js{}", place::root(), place::version());
    // A script at hand runs once it stands in the document, and has done its work then.
    let _ = script.set_attribute("src", &source);
    // Where a host has a page in its place, something is loaded that asks nothing. One that asks may fail at once all the same.
    for (event, sure) in [("onerror", true), ("onload", false)] {
        let heard = heard.clone();
        let missed = Closure::once_into_js(move || {
            if sure || !heard.get() {
                // The dialog may be closed by then.
                lost.try_set(true);
            }
        });
        let _ = Reflect::set(&script, &JsValue::from_str(event), &missed);
    }
    place::document()?.body()?.append_child(&script).ok()?;
    lost.set(false);
    Some(listener)
}

fn answer(desk: Desk, asked: &Asked, making: &mut Making) {
    match asked.text("ask").as_str() {
        "about" => about(desk, asked),
        "plan" => {
            let subject = asked.subject();
            let plan = making.with(desk, subject, |player| {
                let voice = Voice::of(desk, player);
                film::plan(player, subject, asked.pace(), &voice)
            });
            asked.answer("ahead", plan.is_none());
            if let Some(plan) = plan.flatten() {
                let frames = plan.frames();
                asked.answer("frames", frames as f64);
                asked.answer("seconds", plan.shown(frames).as_s());
                asked.answer("fits", frames <= FRAMES_MAX);
            }
        }
        "search" => {
            if let Some(way) = making.search(desk, asked.number("beat") as usize) {
                asked.answer("way", way);
            }
            if let Some(scout) = &making.scout {
                asked.answer("speed", scout.speed());
            }
        }
        "make" => {
            let side = |name| asked.number(name).clamp(SIDES.0, SIDES.1) as f32;
            let look = Look {
                title: desk.word("title"),
                dark: asked.holds("dark"),
                size: (side("across"), side("high")),
                captions: asked.holds("burnt"),
            };
            let subject = asked.subject();
            let made = making.with(desk, subject, |player| {
                let voice = Box::new(Voice::of(desk, player));
                Film::new(player, subject, asked.pace(), look.clone(), voice)
            });
            making.film = made.flatten();
            if let Some(film) = &making.film {
                asked.answer("frames", film.plan().frames() as f64);
                asked.answer("still", film.plan().still() as f64);
                asked.answer("captions", film::vtt(film.plan(), film.cues()));
            }
        }
        "draw" => {
            let Some(film) = &mut making.film else {
                return;
            };
            let frame = asked.number("frame") as usize;
            let until = place::now_ms() + WORK_MS;
            let there = loop {
                if film.go(frame, EVENTS) {
                    break true;
                }
                if place::now_ms() >= until {
                    break false;
                }
            };
            asked.answer("known", true);
            if !there {
                asked.answer("way", film.way(frame));
            }
            if there {
                asked.answer("picture", film.draw(frame));
                asked.answer("print", film.print());
            }
        }
        "end" => making.film = None,
        "leave" => *making = Making::default(),
        _ => {}
    }
}

/// What the dialog has to offer.
fn about(desk: Desk, asked: &Asked) {
    let known = desk.ask(|player| {
        let reached = |(at, beat): (usize, &engine::story::BeatView)| {
            player.reached(at).is_some().then_some(beat.id)
        };
        let ids: Vec<_> = player.beats().iter().enumerate().map(reached).collect();
        (
            ids,
            player.beat(),
            player.speed(),
            player.main().horizon().at,
        )
    });
    let Some((ids, beat, speed, horizon)) = known else {
        return;
    };
    // What a step says that was not reached is not told before.
    let beats = ids.into_iter().map(|id| {
        id.map_or_else(String::new, |id| {
            desk.word(&format!("beat.{id}")).replace("**", "")
        })
    });
    let beats: Vec<_> = beats.collect();
    // Numbers and texts are always JSON.
    asked.answer("beats", serde_json::to_string(&beats).unwrap_or_default());
    asked.answer("beat", beat as f64);
    asked.answer("speed", speed);
    asked.answer("end", horizon.as_s());
    asked.answer("dark", export::dark());
    asked.answer("still", desk.look.reduced.get_untracked());
    asked.answer("slug", desk.slug);
    asked.answer("title", desk.word("title"));
    asked.answer("root", place::root());
    asked.answer("version", place::version());
    asked.answer("words", texts::words("film"));
    asked.answer("most", FRAMES_MAX as f64);
}
