//! The line to the page around the lesson: greets it, takes its commands, tells it what happens.
//!
//! Whoever may send us messages may send us anything and any amount of it, so a message is looked at only after its
//! sender, is read field by field, and waits in a queue that neither grows nor is worked off for long at a time.

use crate::desk::Desk;
use crate::live::{follow, memo};
use crate::place;
use contract::message::{CHANGE_EVERY_MS, HELLO_EVERY_MS, HELLO_TIMES, Put, Queue};
use contract::{Address, Command, Fields, NAMESPACE, VERSION};
use engine::Player;
use js_sys::{Array, JsString, Object, Reflect};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use std::cell::RefCell;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{KeyboardEvent, MessageEvent, MessagePort, Window};

/// Commands are worked off for so long at a time, in milliseconds.
const TURN_MS: f64 = 8.0;
/// Longer texts are not read; the longest that means something is a state.
const TEXT_MAX: u32 = 4_096;

/// Something to tell.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The story shows a step: which, from 1, of how many.
    Step(usize, usize),
    /// A guess was settled: the step that asked, from 1, the answer and the right one, from 0.
    Predict(usize, usize, usize),
    /// A challenge was reached.
    Challenge(&'static str),
    /// The last step was reached: right guesses, questions.
    Complete(usize, usize),
    /// The lesson cannot go on.
    Panic(String),
    /// The lesson wants this height.
    Resize(f64),
}

struct Line {
    desk: Desk,
    asked: Address,
    parent: Window,
    port: Option<MessagePort>,
    /// Whether the parent wants the keys that the lesson has no use for.
    keys: bool,
    heard: Option<Closure<dyn Fn(MessageEvent)>>,
    queue: Queue<JsValue>,
    working: bool,
    /// A command that was obeyed but whose way is not at its end yet.
    begun: Option<(JsValue, Result<Option<String>, &'static str>)>,
    hellos: u32,
    introduced: bool,
    opened_ms: f64,
    complete: bool,
    /// What went wrong when the lesson was opened; told with the introduction.
    fault: Option<String>,
    known: Vec<(&'static str, f64)>,
    changed: Vec<&'static str>,
    told_ms: f64,
    telling: bool,
}

thread_local! {
    static LINE: RefCell<Option<Line>> = const { RefCell::new(None) };
}

fn with<T>(look: impl FnOnce(&mut Line) -> T) -> Option<T> {
    LINE.with(|line| Some(look(line.try_borrow_mut().ok()?.as_mut()?)))
}

/// The window around this one, if there is one.
pub(crate) fn parent() -> Option<Window> {
    let window = web_sys::window()?;
    let parent = window.parent().ok().flatten()?;
    (!Object::is(&parent, &window)).then_some(parent)
}

/// A message as plain data.
fn message(kind: &str, fields: &[(&str, JsValue)]) -> Object {
    let own = [
        ("ns", JsValue::from_str(NAMESPACE)),
        ("v", JsValue::from_f64(f64::from(VERSION))),
        ("type", JsValue::from_str(kind)),
    ];
    object(own.iter().chain(fields))
}

/// An object with these fields.
pub(crate) fn object<'a>(fields: impl IntoIterator<Item = &'a (&'a str, JsValue)>) -> Object {
    let made = Object::new();
    for (name, value) in fields {
        // A fresh object takes any field.
        let _ = Reflect::set(&made, &JsValue::from_str(name), value);
    }
    made
}

struct Received(JsValue);

impl Received {
    fn field(&self, name: &str) -> Option<JsValue> {
        Reflect::get(&self.0, &JsValue::from_str(name)).ok()
    }
}

impl Fields for Received {
    fn text(&self, name: &str) -> Option<String> {
        text(&self.field(name)?)
    }
    fn number(&self, name: &str) -> Option<f64> {
        self.field(name)?.as_f64()
    }
    fn flag(&self, name: &str) -> Option<bool> {
        self.field(name)?.as_bool()
    }
}

fn text(value: &JsValue) -> Option<String> {
    let text = value.dyn_ref::<JsString>()?;
    (text.length() <= TEXT_MAX).then(|| String::from(text))
}

/// Opens the line for as long as the lesson is shown.
pub(crate) fn open(desk: Desk, asked: Address, fault: Option<String>) {
    let Some(parent) = parent() else { return };
    let known = desk.knobs.get_untracked();
    LINE.with(|line| {
        *line.borrow_mut() = Some(Line {
            desk,
            asked,
            parent,
            port: None,
            keys: false,
            heard: None,
            queue: Queue::default(),
            working: false,
            begun: None,
            hellos: 0,
            introduced: false,
            opened_ms: place::now_ms(),
            complete: false,
            fault,
            known: known
                .iter()
                .map(|(knob, value)| (knob.id, *value))
                .collect(),
            changed: Vec::new(),
            told_ms: f64::MIN,
            telling: false,
        });
    });
    let listeners = SendWrapper::new([
        place::listen("message", |event| {
            if let Ok(event) = event.dyn_into() {
                hear(&event);
            }
        }),
        place::listen("loadlab-ready", |_| introduce()),
        // After a return from the browser's cache the parent may be a new one.
        place::listen("pageshow", |_| {
            with(|line| line.hellos = 0);
            hello();
        }),
    ]);
    let beat = memo(move || desk.story.with(|story| (story.beat, story.dots.len())));
    let mut before = None;
    follow(move || {
        let now = beat.get();
        if before.replace(now).is_some_and(|before| before != now) {
            tell(&Event::Step(now.0 + 1, now.1));
        }
    });
    follow(move || desk.knobs.with(|knobs| changes(knobs)));
    hello();
    on_cleanup(move || {
        drop(listeners);
        LINE.with(|line| {
            if let Some(port) = line.borrow_mut().take().and_then(|line| line.port) {
                port.close();
            }
        });
    });
}

fn hello() {
    let again = with(|line| {
        if line.port.is_some() || line.hellos >= HELLO_TIMES {
            return false;
        }
        line.hellos += 1;
        let fields = [
            ("lesson", JsValue::from_str(line.desk.slug)),
            ("version", JsValue::from_str(env!("CARGO_PKG_VERSION"))),
        ];
        // A parent that is gone hears nothing, which is all right.
        let _ = line.parent.post_message(&message("hello", &fields), "*");
        line.hellos < HELLO_TIMES
    });
    if again == Some(true) {
        place::soon(HELLO_EVERY_MS, hello);
    }
}

/// A message to the window: only the parent is listened to, and before there is a port only for two commands.
fn hear(event: &MessageEvent) {
    let ours = with(|line| {
        let from_parent = event
            .source()
            .is_some_and(|source| Object::is(&source, &line.parent));
        from_parent && line.asked.origin.admits(&event.origin())
    });
    if ours != Some(true) {
        return;
    }
    let data = event.data();
    // A deck of reveal.js says these bare words to the slide that comes or goes.
    match text(&data).as_deref() {
        Some("slide:start") => return play(true),
        Some("slide:stop") => return play(false),
        Some(_) => return,
        None => {}
    }
    let data = Received(data);
    if !contract::message::ours(&data) {
        return;
    }
    match data.text("type").as_deref() {
        Some("connect") => {
            if let Ok(port) = event.ports().get(0).dyn_into() {
                connect(port, data.flag("keys") == Some(true));
            }
        }
        Some("play") if with(|line| line.port.is_none()) == Some(true) => play(true),
        Some("pause") if with(|line| line.port.is_none()) == Some(true) => play(false),
        _ => {}
    }
}

fn play(playing: bool) {
    if let Some(desk) = with(|line| line.desk) {
        // What starts by itself does not start for those who want less motion.
        let playing = playing && !desk.look.reduced.get_untracked();
        desk.act(|player| player.set_playing(playing));
    }
}

fn connect(port: MessagePort, keys: bool) {
    let heard = Closure::<dyn Fn(MessageEvent)>::new(|event: MessageEvent| command(event.data()));
    port.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    with(|line| {
        if let Some(old) = line.port.replace(port) {
            old.set_onmessage(None);
            old.close();
        }
        line.heard = Some(heard);
        line.keys = keys;
        line.queue.clear();
        line.begun = None;
        line.introduced = false;
    });
    if place::is_ready() {
        introduce();
    }
}

/// Tells the parent what the lesson is, once it is there.
fn introduce() {
    let Some((desk, asked)) = with(|line| (line.desk, line.asked.clone())) else {
        return;
    };
    let Some((params, beats)) = desk.ask(|player| {
        let now = in_force(&asked, desk, player);
        let params = Object::new();
        for (name, value) in now.pairs() {
            // A fresh object takes any field.
            let _ = Reflect::set(&params, &name.into(), &value.into());
        }
        let beats: Array = player
            .beats()
            .iter()
            .map(|beat| JsValue::from_str(beat.id))
            .collect();
        (params, beats)
    }) else {
        return;
    };
    let warnings: Array = asked
        .warnings
        .iter()
        .map(|text| JsValue::from_str(text))
        .collect();
    with(|line| {
        if line.port.is_some() && !line.introduced {
            line.introduced = true;
            let fields = [
                ("params", params.into()),
                ("warnings", warnings.into()),
                ("beats", beats.into()),
            ];
            line.post("ready", &fields);
            if let Some(fault) = line.fault.take() {
                line.error("state", &fault);
            }
        }
    });
    crate::frame::tell_again();
}

/// The parameters as they are in force now.
fn in_force(asked: &Address, desk: Desk, player: &Player) -> Address {
    let knobs = player.main().knobs().into_iter();
    Address {
        theme: Some(desk.look.theme.get_untracked()),
        lang: Some(place::language()),
        seed: Some(player.main().seed()),
        knobs: knobs
            .map(|(knob, value)| (knob.id.to_owned(), knob.write(value)))
            .collect(),
        beat: Some(player.beat() + 1),
        at: Some(player.main().position().at.as_s()),
        speed: Some(player.speed()),
        state: None,
        reduce: desk.look.reduced.get_untracked(),
        ..asked.clone()
    }
}

impl Line {
    fn post(&self, kind: &str, fields: &[(&str, JsValue)]) {
        if let Some(port) = &self.port {
            // All fields are plain data, which can always be copied.
            let _ = port.post_message(&message(kind, fields));
        }
    }

    fn error(&self, code: &str, text: &str) {
        let fields = [
            ("code", JsValue::from_str(code)),
            ("message", JsValue::from_str(text)),
        ];
        self.post("error", &fields);
    }

    fn ack(&self, id: JsValue, result: Result<Option<String>, &str>) {
        let mut fields = vec![("id", id), ("ok", JsValue::from_bool(result.is_ok()))];
        match result {
            Ok(Some(state)) => fields.push(("state", JsValue::from_str(&state))),
            Ok(None) => {}
            Err(error) => fields.push(("error", JsValue::from_str(error))),
        }
        self.post("ack", &fields);
    }
}

/// Takes a command from the port.
fn command(data: JsValue) {
    let data = Received(data);
    if !contract::message::ours(&data) {
        return;
    }
    let id = data.field("id").unwrap_or(JsValue::UNDEFINED);
    // An id is sent back, so it has to be small.
    let small = id.as_f64().is_some() || text(&id).is_some_and(|text| text.len() <= 100);
    let id = if small { id } else { JsValue::NULL };
    let read = Command::read(&data);
    let start = with(|line| {
        let put = match read {
            Ok(command) => line.queue.put(id, command),
            Err(error) => {
                line.ack(id, Err(error));
                return false;
            }
        };
        match put {
            Put::Waits => {}
            Put::Replaced(old) => line.ack(old, Ok(None)),
            Put::Full(id) => line.ack(id, Err("too many commands wait")),
        }
        !std::mem::replace(&mut line.working, true)
    });
    if start == Some(true) {
        place::soon(0, work);
    }
}

/// Works off commands for a moment; a later turn does the rest.
fn work() {
    let until = place::now_ms() + TURN_MS;
    loop {
        // What a command began has to be done before it is acknowledged and the next one is looked at.
        let begun = with(|line| line.begun.is_some().then_some(line.desk)).flatten();
        if begun.is_some_and(Desk::work) {
            place::soon(0, work);
            return;
        }
        with(|line| {
            if let Some((id, result)) = line.begun.take() {
                line.ack(id, result);
            }
        });
        if place::now_ms() >= until {
            place::soon(0, work);
            return;
        }
        let Some(Some((desk, id, command))) = with(|line| {
            let next = line.queue.take();
            line.working = next.is_some();
            next.map(|(id, command)| (line.desk, id, command))
        }) else {
            return;
        };
        // The line is free meanwhile: what the command brings about is told on it.
        let result = obey(desk, command);
        with(|line| line.begun = Some((id, result)));
    }
}

fn obey(desk: Desk, command: Command) -> Result<Option<String>, &'static str> {
    match command {
        Command::Play => {
            desk.act(|player| player.set_playing(true));
        }
        Command::Pause => {
            desk.act(|player| player.set_playing(false));
        }
        Command::Restart => desk.happen(Player::restart),
        Command::Seek(at) => {
            let at = engine::Time::from_s(at.min(engine::tape::END.as_s()));
            desk.happen(|player| player.seek(at));
        }
        Command::Beat(beat) => desk.happen(|player| player.jump(beat.saturating_sub(1))),
        Command::Set(name, value) => {
            let knobs = desk.ask(|player| player.main().knobs()).unwrap_or_default();
            let (knob, _) = knobs
                .into_iter()
                .find(|(knob, _)| knob.id == name)
                .ok_or("no such knob")?;
            let value = knob.parse(&value).ok_or("value is not valid")?;
            let set = desk.act(|player| player.set_knob(knob.id, value));
            set.and_then(Result::ok).ok_or("value is not valid")?;
        }
        Command::Act(name, target, text) => {
            let known = desk
                .ask(|player| player.main().actions())
                .unwrap_or_default();
            let spec = known.iter().position(|action| action.id == name);
            let spec = spec.ok_or("no such action")?;
            let target = target.map(|target| target - 1);
            if known[spec].field.is_some() {
                let text = text.ok_or("text is missing or far too long")?;
                let done = desk.act(|player| {
                    let target = target.unwrap_or_else(|| player.main().aim(spec));
                    player.type_in(engine::Act { spec, target }, &text)
                });
                let done = done.unwrap_or(Err(engine::Refusal::Now));
                return done.map(|()| None).map_err(engine::Refusal::name);
            }
            if desk.act(|player| player.act_by_id(&name, target)) != Some(true) {
                return Err("it makes no sense now");
            }
        }
        Command::GetState => {
            desk.settle();
            let state = desk.ask(|player| player.link().encode().ok()).flatten();
            return state.map(Some).ok_or("the run is too long for a state");
        }
        Command::SetState(state) => {
            let done = desk.act(|player| player.restore_text(&state));
            done.and_then(Result::ok).ok_or("state is damaged")?;
        }
        Command::Theme(theme) => desk.look.set(theme),
        Command::Motion(reduce) => desk.look.set_reduce(reduce),
        Command::Lang(lang) => {
            if !place::speaks(&lang) {
                return Err("the language changes with the address only");
            }
        }
        Command::Size => crate::frame::tell_again(),
    }
    Ok(None)
}

/// Tells the parent something. Before there is a port, only heights are told.
pub(crate) fn tell(event: &Event) {
    with(|line| match event {
        Event::Step(beat, count) => line.post(
            "step",
            &[
                ("beat", (*beat as f64).into()),
                ("count", (*count as f64).into()),
            ],
        ),
        Event::Predict(beat, choice, truth) => line.post(
            "predict",
            &[
                ("beat", (*beat as f64).into()),
                ("choice", (*choice as f64).into()),
                ("correct", (choice == truth).into()),
                ("truth", (*truth as f64).into()),
            ],
        ),
        Event::Challenge(id) => line.post("challenge", &[("id", JsValue::from_str(id))]),
        Event::Complete(right, questions) => {
            if !std::mem::replace(&mut line.complete, true) {
                let ms = (place::now_ms() - line.opened_ms).round();
                let score = contract::message::score(*right, *questions);
                let fields = [
                    ("score", score.into()),
                    ("right", (*right as f64).into()),
                    ("questions", (*questions as f64).into()),
                    ("ms", ms.into()),
                ];
                line.post("complete", &fields);
            }
        }
        Event::Panic(text) => line.error("panic", text),
        Event::Resize(height) => {
            let fields = [("height", JsValue::from_f64(*height))];
            if line.port.is_some() {
                line.post("resize", &fields);
            } else {
                // A parent that is gone hears nothing, which is all right.
                let _ = line.parent.post_message(&message("resize", &fields), "*");
            }
        }
    });
}

/// Passes a key on to a parent that asked for those that the lesson has no use for; true if it did.
pub(crate) fn pass_key(event: &KeyboardEvent) -> bool {
    let passed = with(|line| {
        if line.keys {
            let fields = [
                ("key", event.key().into()),
                ("code", event.code().into()),
                ("keyCode", event.key_code().into()),
                ("shiftKey", event.shift_key().into()),
            ];
            line.post("key", &fields);
        }
        line.keys
    });
    passed == Some(true)
}

/// Notes which knobs changed, to be told one by one.
fn changes(knobs: &[(engine::Knob, f64)]) {
    let start = with(|line| {
        for (knob, value) in knobs {
            match line.known.iter_mut().find(|(id, _)| *id == knob.id) {
                Some((_, known)) if known == value => continue,
                Some((_, known)) => *known = *value,
                None => line.known.push((knob.id, *value)),
            }
            if !line.changed.contains(&knob.id) {
                line.changed.push(knob.id);
            }
        }
        let start = !line.changed.is_empty() && !line.telling;
        line.telling |= start;
        start.then(|| line.told_ms + f64::from(CHANGE_EVERY_MS) - place::now_ms())
    });
    if let Some(Some(wait)) = start {
        place::soon(wait.max(0.0) as u32, tell_change);
    }
}

fn tell_change() {
    let more = with(|line| {
        line.told_ms = place::now_ms();
        if !line.changed.is_empty() {
            let id = line.changed.remove(0);
            let now = line.desk.knobs.get_untracked();
            if let Some((knob, value)) = now.iter().find(|(knob, _)| knob.id == id) {
                let value = match knob.kind {
                    engine::knobs::Kind::Choice(_) => JsValue::from_str(&knob.write(*value)),
                    engine::knobs::Kind::Switch => JsValue::from_bool(*value != 0.0),
                    engine::knobs::Kind::Slider { .. } => JsValue::from_f64(*value),
                };
                line.post(
                    "change",
                    &[("name", JsValue::from_str(id)), ("value", value)],
                );
            }
        }
        line.telling = !line.changed.is_empty();
        line.telling
    });
    if more == Some(true) {
        place::soon(CHANGE_EVERY_MS, tell_change);
    }
}
