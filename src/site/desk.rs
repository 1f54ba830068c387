//! The desk: one lesson being played in the page. The player and the drawings live outside of signals; signals
//! hold only what the document shows, and change only when that changes.

use crate::fit::Fitted;
use crate::machine::{Chores, Core, SLOW_MS, Surface};
use crate::plots::Sheet;
use crate::present::{Lectern, Lecture};
use crate::pull::Pull;
use crate::speech::Speech;
use crate::stage::StageView;
use crate::store::{self, Progress};
use crate::texts::{t, tf};
use crate::theme::Look;
use crate::views::{Cause, Found, Goal, Happened, Inspection, Offer, PartView, Saying, StoryView};
use crate::{inspector, jottings, line, place, route, sight, texts};
use contract::Address;
use engine::player::Happening;
use engine::scene::{Glyph, PartId};
use engine::show::Picked;
use engine::{Act, Arg, Ink, Knob, Player, Scene, Show, Time, Words};
use leptos::prelude::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, HtmlCanvasElement, HtmlElement};

/// Without motion the stage shows a new state this often while time runs, in milliseconds.
const REDUCED_MS: f64 = 500.0;
/// Each frame has until so many milliseconds after its beginning for what is done more seldom than every frame.
const CHORES_MS: f64 = 6.0;
/// A slider that is dragged turns its knob at most this often: each turn is an input that a link carries.
const TURN_MS: f64 = 120.0;
/// The player works for so long after a press or in a frame, in milliseconds; drawing takes the rest of the frame.
const WORK_MS: f64 = 6.0;
/// How near a click must be to a moving thing, in scene units.
const REACH: f32 = 11.0;

/// The dialogs of a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialog {
    Help,
    Share,
    Embed,
    Growth,
}

/// A handle on the desk; copied freely.
#[derive(Clone, Copy)]
pub(crate) struct Desk {
    core: StoredValue<Rc<RefCell<Core>>, LocalStorage>,
    words: StoredValue<Rc<Words>, LocalStorage>,
    asked: StoredValue<Rc<Address>, LocalStorage>,
    /// The look of the page.
    pub(crate) look: Look,
    /// The lesson's address.
    pub(crate) slug: &'static str,
    pub(crate) playing: RwSignal<bool>,
    pub(crate) speed: RwSignal<f64>,
    pub(crate) now: RwSignal<Time>,
    pub(crate) lane: RwSignal<sight::Lane>,
    pub(crate) story: RwSignal<StoryView>,
    pub(crate) knobs: RwSignal<Vec<(Knob, f64)>>,
    pub(crate) offers: RwSignal<Vec<Offer>>,
    pub(crate) done: RwSignal<Vec<bool>>,
    pub(crate) twin: RwSignal<Option<(&'static str, f64)>>,
    /// What each side shows of a second difference, if there is one.
    pub(crate) also: RwSignal<Vec<String>>,
    pub(crate) parts: [RwSignal<Vec<PartView>>; 2],
    /// What moves on the stage, each kind once.
    pub(crate) key: &'static [(Glyph, Ink)],
    pub(crate) inspection: RwSignal<Option<Inspection>>,
    /// What is followed.
    pub(crate) followed: RwSignal<Option<Inspection>>,
    /// What can be taken back and done anew, in words.
    pub(crate) steps: RwSignal<Vec<String>>,
    /// A word that is shown for a moment.
    pub(crate) flashed: RwSignal<Option<String>>,
    /// Whether the learner's own notes are shown.
    pub(crate) jotting: RwSignal<bool>,
    pub(crate) said: RwSignal<String>,
    pub(crate) dialog: RwSignal<Option<Dialog>>,
    pub(crate) seed: RwSignal<u32>,
    /// What the page has to say about the address.
    pub(crate) notice: RwSignal<Option<String>>,
    /// How far the vertical axis of each plot reaches.
    pub(crate) tops: RwSignal<Vec<f64>>,
    /// What was said at the place where the run stands.
    pub(crate) latest: RwSignal<String>,
    /// The event whose lines of code are marked: the last of what is picked, or else the last at this place.
    pub(crate) happened: RwSignal<Happened>,
    /// The code of the lesson, while it is shown.
    pub(crate) code: RwSignal<Option<Found>>,
    /// What the lines of each plot stand at.
    pub(crate) readings: RwSignal<Vec<String>>,
    /// What the lines of each plot are called.
    pub(crate) line_names: RwSignal<Vec<Vec<String>>>,
    /// The chosen challenge.
    pub(crate) goal: RwSignal<Option<Goal>>,
    /// The events of the tape in words, while they are listed.
    pub(crate) events: RwSignal<Option<Vec<Cause>>>,
    /// The knobs that the story turned.
    pub(crate) told: RwSignal<Vec<&'static str>>,
    /// Which stage is catching up, and how far it has come in per cent where that can be told.
    pub(crate) busy: RwSignal<Option<(usize, Option<u8>)>>,
    /// Lecture mode.
    pub(crate) lecture: Lecture,
}

pub(crate) fn put<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

impl Desk {
    /// A desk for a run.
    pub(crate) fn new(run: Box<dyn Show>, words: Words, look: Look) -> Desk {
        let (slug, key) = (run.card().slug, run.key());
        let words = Rc::new(words);
        let plots = run.plots().len();
        let mut player = Player::new(run);
        let until_ms = Rc::new(Cell::new(f64::INFINITY));
        let until = until_ms.clone();
        player.set_patience(move || place::now_ms() < until.get());
        let said = RwSignal::new(String::new());
        let core = Core {
            words: words.clone(),
            stages: [None, None],
            tops: player
                .main()
                .plots()
                .iter()
                .map(|plot| plot.top_min)
                .collect(),
            plots: std::iter::repeat_with(|| None).take(plots).collect(),
            frame: None,
            on_frame: None,
            last_ms: None,
            drawn_ms: f64::MIN,
            slow_ms: f64::MIN,
            why_ms: f64::MIN,
            turned_ms: f64::MIN,
            seek: None,
            turn: None,
            on_screen: true,
            stale: true,
            story_stale: true,
            slow_stale: true,
            pressed: false,
            waited: false,
            chores: Chores::default(),
            next_plot: 0,
            picked: None,
            pinned: None,
            jotted: Vec::new(),
            lent: Vec::new(),
            focused: None,
            seen: Vec::new(),
            listing: false,
            chosen: None,
            reached: Vec::new(),
            speech: Speech::new(said),
            until_ms,
            busy_ms: None,
            zoom: 1.0,
            pull: None,
            lectern: Lectern::default(),
            player,
        };
        let desk = Desk {
            core: StoredValue::new_local(Rc::new(RefCell::new(core))),
            words: StoredValue::new_local(words),
            asked: StoredValue::new_local(Rc::default()),
            look,
            slug,
            playing: RwSignal::new(false),
            speed: RwSignal::new(1.0),
            now: RwSignal::new(Time::ZERO),
            lane: RwSignal::default(),
            story: RwSignal::default(),
            knobs: RwSignal::default(),
            offers: RwSignal::default(),
            done: RwSignal::default(),
            twin: RwSignal::new(None),
            also: RwSignal::default(),
            parts: [RwSignal::default(), RwSignal::default()],
            key,
            inspection: RwSignal::new(None),
            followed: RwSignal::new(None),
            steps: RwSignal::default(),
            flashed: RwSignal::new(None),
            jotting: RwSignal::new(false),
            said,
            dialog: RwSignal::new(None),
            seed: RwSignal::new(1),
            notice: RwSignal::new(None),
            tops: RwSignal::default(),
            latest: RwSignal::default(),
            happened: RwSignal::default(),
            code: RwSignal::new(None),
            readings: RwSignal::default(),
            line_names: RwSignal::default(),
            goal: RwSignal::new(None),
            events: RwSignal::new(None),
            told: RwSignal::default(),
            busy: RwSignal::new(None),
            lecture: Lecture::new(),
        };
        desk.with(|core| core.on_frame = Some(Closure::new(move || desk.frame())));
        desk.recall();
        desk
    }

    pub(crate) fn with<T>(self, look: impl FnOnce(&mut Core) -> T) -> Option<T> {
        let core = self.core.try_get_value()?;
        let mut core = core.try_borrow_mut().ok()?;
        Some(look(&mut core))
    }

    /// Takes note of what the address asks for, before anything is shown.
    pub(crate) fn heed(self, asked: Address) {
        self.asked.set_value(Rc::new(asked));
    }

    /// Asks what the address asked for.
    pub(crate) fn asked<T>(self, look: impl FnOnce(&Address) -> T) -> Option<T> {
        self.asked.try_with_value(|asked| look(asked))
    }

    /// Whether this part of the page is shown.
    pub(crate) fn shows(self, part: &str) -> bool {
        self.asked(|asked| !asked.hides(part)).unwrap_or(true)
    }

    /// Whether the learner cannot turn this knob.
    pub(crate) fn locks(self, knob: &str) -> bool {
        self.asked(|asked| asked.locks(knob)).unwrap_or(false)
    }

    /// Whether links may lead away from the lesson.
    pub(crate) fn links(self) -> bool {
        self.asked(|asked| asked.links).unwrap_or(true)
    }

    /// The lesson's word with this id.
    pub(crate) fn word(self, id: &str) -> String {
        self.words
            .try_with_value(|words| words.get(id).to_owned())
            .unwrap_or_default()
    }

    /// What the lesson calls a moving thing of this shape and colour.
    pub(crate) fn glyph(self, (glyph, ink): (Glyph, Ink)) -> String {
        self.words
            .try_with_value(|words| words.glyph(glyph, ink).to_owned())
            .unwrap_or_default()
    }

    /// The lesson's word with this id, its placeholders filled.
    pub(crate) fn fill(self, id: &str, args: &[Arg]) -> String {
        self.words
            .try_with_value(|words| words.fill(id, args))
            .unwrap_or_default()
    }

    /// All words of the lesson.
    pub(crate) fn all_words(self) -> Rc<Words> {
        self.words.try_get_value().unwrap_or_default()
    }

    /// Looks at the lesson's words.
    pub(crate) fn with_words<T: Default>(self, look: impl FnOnce(&Words) -> T) -> T {
        self.words
            .try_with_value(|words| look(words))
            .unwrap_or_default()
    }

    /// Does something that says words with which no page opens, once they are here, unless the lesson was left meanwhile.
    pub(crate) fn later(self, act: impl FnOnce() + 'static) {
        texts::with_more(Box::new(move || {
            if self.with(|_| ()).is_some() {
                act();
            }
        }));
    }

    /// Opens a dialog. Where its words do not come, that is said instead: nobody can choose among their names. They are
    /// fetched again when it is asked for again.
    pub(crate) fn open_dialog(self, dialog: Dialog) {
        self.later(move || match texts::has_more() {
            true => self.dialog.set(Some(dialog)),
            false => self.notice.set(Some(t("boot.unreachable"))),
        });
    }

    /// Asks the player something.
    pub(crate) fn ask<T>(self, ask: impl FnOnce(&Player) -> T) -> Option<T> {
        self.with(|core| ask(&core.player))
    }

    /// Lets the learner do something, and shows what came of it; the rest of what takes long comes in later frames.
    pub(crate) fn act<T>(self, act: impl FnOnce(&mut Player) -> T) -> Option<T> {
        self.act_within(WORK_MS, act)
    }

    /// Brings the run to where it opens, however long that takes: nothing is shown before.
    pub(crate) fn open<T>(self, open: impl FnOnce(&mut Player) -> T) -> Option<T> {
        let opened = self.act_within(f64::INFINITY, open);
        self.with(|core| core.player.forget_steps());
        opened
    }

    /// How the page looks now: the number of its theme, and whether nothing may move.
    fn looks(self) -> (u32, bool) {
        let Look { epoch, reduced, .. } = self.look;
        (epoch.get_untracked(), reduced.get_untracked())
    }

    fn act_within<T>(self, ms: f64, act: impl FnOnce(&mut Player) -> T) -> Option<T> {
        let was = self.playing.get_untracked();
        let look = self.looks();
        self.settle();
        let result = self.with(|core| {
            core.stale = true;
            core.story_stale = true;
            core.give(ms);
            let result = act(&mut core.player);
            core.draw_unseen(look);
            result
        });
        self.refresh();
        if was && !self.playing.get_untracked() {
            self.speak_state();
        }
        self.wake();
        result
    }

    /// Does at once what waits for the next frame, so that it comes before what the learner does now, and is part of
    /// what is asked now.
    pub(crate) fn settle(self) {
        let happened = self.with(Core::settle);
        self.react(&happened.unwrap_or_default());
    }

    /// Like [`Desk::act`], for what makes things happen.
    pub(crate) fn happen(self, act: impl FnOnce(&mut Player) -> Vec<Happening>) {
        if let Some(happened) = self.act(act) {
            self.react(&happened);
        }
    }

    /// Goes on with the story, back, or to one of its steps: brings stage and story into view and says where that leads.
    pub(crate) fn tell_story(self, act: impl FnOnce(&mut Player) -> Vec<Happening>) {
        // A challenge that was reached has been celebrated; who goes on with the story reads on.
        self.with(|core| {
            let done = |at: &usize| core.player.done().get(*at) == Some(&true);
            core.chosen = core.chosen.filter(|at| !done(at));
        });
        let happened = self.act(act).unwrap_or_default();
        self.react(&happened);
        place::bring_room();
        let way = self.ask(|player| player.under_way());
        if way != Some(true)
            && !happened
                .iter()
                .any(|what| matches!(what, Happening::Beat(_)))
        {
            self.speak(&self.story.get_untracked().spoken());
        }
    }

    /// Keeps the dot that a pointer holds, and gives the one that it held.
    pub(crate) fn pull(self, pull: Option<Pull>) -> Option<Pull> {
        self.with(|core| std::mem::replace(&mut core.pull, pull))
            .flatten()
    }

    /// Looks at what lecture mode keeps.
    pub(crate) fn lectern<T>(self, look: impl FnOnce(&mut Lectern) -> T) -> Option<T> {
        self.with(|core| look(&mut core.lectern))
    }

    /// Draws stages so much larger.
    pub(crate) fn zoom(self, zoom: f32) {
        self.with(|core| core.zoom = zoom);
        self.repaint();
    }

    /// Chooses a challenge to watch, or none.
    pub(crate) fn choose(self, challenge: usize) {
        self.with(|core| {
            let other = core.chosen != Some(challenge);
            core.chosen = other.then_some(challenge);
        });
        self.refresh();
    }

    /// Lists the events of the tape in words, or no longer.
    pub(crate) fn list_events(self) {
        self.with(|core| core.listing = !core.listing);
        self.refresh();
    }

    /// Whether the lesson has code to show, and the address lets it: an embed shows it where it is asked for.
    pub(crate) fn has_code(self) -> bool {
        let asked = self.asked(|asked| asked.code).unwrap_or_default();
        (asked || !route::is_embed())
            && self.with_words(|words| words.ids().any(|id| id.starts_with("code.")))
    }

    /// Shows the code that runs, which is fetched when it is first asked for, or shows it no longer.
    pub(crate) fn show_code(self, show: bool) {
        put(self.code, show.then_some(None));
        if !show {
            return;
        }
        wasm_bindgen_futures::spawn_local(async move {
            let found = texts::load_code(self.slug).await;
            // It may have been closed meanwhile, or the lesson left.
            if self.code.try_get_untracked().flatten().is_some() {
                self.code.set(Some(Some(found)));
            }
        });
    }

    /// Steps to the event before or after, and says what it is unless something graver happened.
    pub(crate) fn step(self, forward: bool, fine: bool) {
        let happened = self.act(|player| match forward {
            true => player.step_forward(fine),
            false => player.step_back(fine),
        });
        match happened {
            Some(happened) if !happened.is_empty() => self.react(&happened),
            // A step that is still on its way has nothing to say yet.
            _ if self.ask(|player| player.under_way()).unwrap_or_default() => {}
            _ => self.speak(&self.latest.get_untracked()),
        }
    }

    /// Works for a moment at what a command began; false once it is done.
    pub(crate) fn work(self) -> bool {
        let look = self.looks();
        let worked = self.with(|core| {
            if !core.player.under_way() {
                return None;
            }
            core.give(WORK_MS);
            let happened = core.player.frame(0.0);
            core.stale = true;
            core.story_stale = true;
            let more = core.player.under_way();
            if !more {
                core.draw_unseen(look);
            }
            Some((happened, more))
        });
        let Some(Some((happened, more))) = worked else {
            return false;
        };
        if !more {
            self.refresh();
        }
        self.react(&happened);
        self.wake();
        more
    }

    /// Recalls what the learner did on earlier visits, of the steps that are told.
    pub(crate) fn recall(self) {
        let progress = store::progress(self.slug);
        if let Some(kept) = store::get(&jottings::key(self.slug)) {
            self.recall_jottings(&kept);
        }
        self.with(|core| {
            for (index, id) in core.player.main().challenges().into_iter().enumerate() {
                if progress.done.iter().any(|done| done == id) {
                    core.player.recall_done(index);
                }
            }
            let seen =
                |beat: &engine::story::BeatView| progress.beats.iter().any(|id| id == beat.id);
            core.seen = core.player.beats().iter().map(seen).collect();
            let asked: Vec<_> = core
                .player
                .beats()
                .iter()
                .map(|beat| beat.predict)
                .collect();
            for (beat, predict) in asked.into_iter().enumerate() {
                if let Some(choice) = predict.and_then(|(id, _)| progress.guesses.get(id)) {
                    core.player.recall_guess(beat, *choice);
                }
            }
        });
    }

    /// Keeps how far the learner has come.
    pub(crate) fn remember(self) {
        let Some((beat, of, done)) = self.ask(|player| {
            let challenges = player.main().challenges();
            let done: Vec<_> = challenges
                .iter()
                .zip(player.done())
                .filter_map(|(id, done)| done.then_some(*id))
                .collect();
            let beat = player.beats().get(player.beat()).map(|beat| beat.id);
            // Of a part of the story the whole is what the catalogue counts.
            (beat, player.main().beats().len(), done)
        }) else {
            return;
        };
        store::set(store::LAST, self.slug);
        store::update(self.slug, |progress| {
            progress.of = of;
            if let Some(beat) = beat {
                Progress::add(&mut progress.beats, beat);
            }
            for id in done {
                Progress::add(&mut progress.done, id);
            }
        });
    }

    pub(crate) fn react(self, happened: &[Happening]) {
        let mut keep = false;
        for happening in happened {
            match *happening {
                Happening::Beat(beat) => {
                    keep = true;
                    self.complete(beat);
                    place::bring_room();
                    self.speak(&self.story.get_untracked().spoken());
                }
                Happening::Stuck(_) => self.speak(&t("story.stuck")),
                Happening::Settled { beat, truth } => {
                    let choice = self.ask(|player| player.guess_of(beat).map(|guess| guess.choice));
                    let choice = choice.flatten().unwrap_or(0);
                    line::tell(&line::Event::Predict(beat + 1, choice, truth));
                    // On the way to a beat its caption is told together with it.
                    let story = self.story.get_untracked();
                    if story.says != Saying::Wait && story.result.is_some() {
                        self.speak(&story.spoken());
                    }
                }
                Happening::Challenge(challenge) => {
                    keep = true;
                    let ids = self
                        .ask(|player| player.main().challenges())
                        .unwrap_or_default();
                    self.with(|core| {
                        core.chosen = Some(challenge);
                        core.reached
                            .push((core.player.main().position().at, challenge));
                    });
                    if let Some(id) = ids.get(challenge) {
                        line::tell(&line::Event::Challenge(id));
                        let goal = self.word(&format!("challenge.{id}"));
                        self.speak(&crate::texts::tx("challenge.reached", &goal));
                    }
                }
                Happening::End => self.speak(&t("tape.end")),
            }
        }
        if keep {
            self.remember();
        }
    }

    /// Tells the page around when the last beat is reached.
    fn complete(self, beat: usize) {
        let told = self.ask(|player| (beat + 1 == player.beats().len()).then(|| player.tally()));
        if let Some(Some((right, questions))) = told {
            line::tell(&line::Event::Complete(right, questions));
        }
    }

    /// Says something to those who listen.
    pub(crate) fn speak(self, text: &str) {
        self.with(|core| core.speech.speak(text));
    }

    /// Now, in seconds, as the clock tells it: no hundredth before it is over.
    pub(crate) fn told_s(self) -> f64 {
        let span = self.lane.with_untracked(|lane| lane.span);
        sight::told(self.now.get_untracked(), span).as_s()
    }

    fn speak_state(self) {
        let parts = self.parts[0].get_untracked();
        let state: Vec<_> = parts
            .iter()
            .take(10)
            .map(|part| part.text.clone())
            .collect();
        let at = tf("tape.paused", &[Arg::Number(self.told_s())]);
        self.speak(&format!("{at} {}", state.join(". ")));
    }

    // Playing

    /// Starts or stops time.
    pub(crate) fn toggle(self) {
        self.act(|player| player.set_playing(!player.playing()));
    }

    /// Goes to a moment in the next frame; of several calls before it the last counts.
    pub(crate) fn scrub(self, at: Time) {
        self.with(|core| {
            core.seek = Some(at);
            core.stale = true;
        });
        self.wake();
    }

    /// Turns a knob soon; of several turns before that the last counts. The document shows the value at once.
    pub(crate) fn turn(self, knob: Knob, value: f64) {
        let Some(value) = knob.snap(value) else {
            return;
        };
        self.knobs.update(|knobs| {
            if let Some(entry) = knobs.iter_mut().find(|(known, _)| known.id == knob.id) {
                entry.1 = value;
            }
        });
        let other = self.with(|core| core.turn.replace((knob.id, value)));
        if let Some(Some((id, value))) = other
            && id != knob.id
        {
            self.with(|core| core.player.set_knob(id, value));
        }
        self.wake();
    }

    /// Does an action.
    pub(crate) fn offer(self, offer: Offer) {
        let Offer { spec, target, .. } = offer;
        self.act(|player| player.act(Act { spec, target }));
    }

    /// Locks in an answer.
    pub(crate) fn guess(self, choice: usize) {
        let asked = self.act(|player| {
            let predict = player.beats().get(player.beat())?.predict;
            player.guess(choice).then_some(predict?.0)
        });
        if let Some(Some(id)) = asked {
            store::update(self.slug, |progress| {
                progress.guesses.insert(id.to_owned(), choice);
            });
        }
    }

    /// Opens or closes the comparison.
    pub(crate) fn compare(self) {
        self.act(|player| {
            if player.twin().is_some() {
                player.alone();
                return;
            }
            let (id, value) = player.main().twin_default();
            let now = player
                .main()
                .knobs()
                .into_iter()
                .find(|(knob, _)| knob.id == id);
            let value = match now {
                // A twin that differs in nothing shows nothing: take a neighbouring value.
                Some((knob, now)) if now == value => other_value(&knob, now),
                _ => value,
            };
            // The lesson names a knob of its own: tests walk over every lesson.
            let _ = player.compare(id, value);
        });
    }

    /// Chooses what the twin differs in.
    pub(crate) fn compare_with(self, id: &'static str, value: f64) {
        self.act(|player| player.compare(id, value));
    }

    /// Begins anew with another seed.
    pub(crate) fn new_seed(self) {
        let mut bytes = [0; 4];
        if getrandom::fill(&mut bytes).is_ok() {
            self.pick(None);
            self.act(|player| player.reset(u32::from_le_bytes(bytes) % 1_000_000));
        }
    }

    /// The knob's value that the twin should start from.
    pub(crate) fn other(self, id: &str) -> f64 {
        let knobs = self.knobs.get_untracked();
        knobs
            .iter()
            .find(|(knob, _)| knob.id == id)
            .map_or(0.0, |(knob, now)| other_value(knob, *now))
    }

    // Asking why

    /// Picks something to ask about, on one of the stages; none closes the inspector.
    pub(crate) fn pick(self, picked: Option<(usize, Picked)>) {
        self.with(|core| {
            core.picked = picked;
            core.stale = true;
        });
        self.refresh();
        self.ask_why();
        if picked.is_some()
            && let Some(found) = self.inspection.get_untracked()
        {
            let why = found
                .chain
                .last()
                .map_or_else(|| t("why.nothing"), |cause| cause.text.clone());
            self.speak(&format!("{}: {}. {why}", found.title, found.value));
        }
        self.wake();
    }

    /// Closes the inspector; the focus goes back to the button of what was asked about.
    pub(crate) fn unpick(self) {
        let picked = self.with(|core| core.picked).flatten();
        let button = match picked {
            Some((side, Picked::Part(part))) => part_button(side, part),
            _ => String::new(),
        };
        place::focus(&[&button, "play"]);
        self.pick(None);
    }

    /// The moving thing under a pointer.
    pub(crate) fn dot_at(self, side: usize, event: &web_sys::MouseEvent) -> Option<Picked> {
        let found = self.with(|core| {
            let surface = core.stages[side].as_ref()?;
            let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
            let point = surface.view.scene_point(x, y);
            let particle = surface.scene.particle_at(point, REACH)?;
            (particle.dot > 0).then_some(Picked::Dot(particle.dot))
        });
        found.flatten()
    }

    /// Picks what lies under a click.
    pub(crate) fn pick_at(self, side: usize, event: &web_sys::MouseEvent) {
        let dot = self.dot_at(side, event);
        let found = self.with(|core| {
            if dot.is_some() {
                return dot;
            }
            let surface = core.stages[side].as_ref()?;
            let written = surface.view.part_at(event.target())?;
            let mut parts = surface.scene.parts().iter();
            parts
                .find(|part| part.id.is(&written))
                .map(|part| Picked::Part(part.id))
        });
        let picked = found.flatten().map(|picked| (side, picked));
        if picked.is_some() || self.inspection.with_untracked(Option::is_some) {
            self.pick(picked);
        }
    }

    /// The button of a part has the focus.
    pub(crate) fn focus(self, part: Option<(usize, PartId)>) {
        self.with(|core| {
            core.focused = part;
            core.stale = true;
        });
        self.wake();
    }

    // Drawings

    /// Looks at what the stage shows.
    pub(crate) fn drawn<T>(self, look: impl FnOnce(&Scene) -> T) -> Option<T> {
        self.with(|core| core.stages[0].as_ref().map(|surface| look(&surface.scene)))?
    }

    /// Takes over the elements of a stage.
    pub(crate) fn mount_stage(
        self,
        side: usize,
        svg: Element,
        canvas: HtmlCanvasElement,
        frame: HtmlElement,
    ) {
        self.with(|core| {
            // Drawing may change the shape of the stage and with it the size of what was drawn on.
            let room = frame.clone().into();
            let mut view = StageView::new(svg, canvas, room, move || self.repaint());
            if let Some(other) = &core.stages[1 - side] {
                view.dress_like(&other.view);
            }
            core.stages[side] = Some(Surface {
                view,
                scene: Scene::new(0.0, core.words.clone()),
                frame,
                fitted: Fitted::default(),
            });
            core.stale = true;
        });
        self.wake();
    }

    /// Forgets the elements of a stage.
    pub(crate) fn unmount_stage(self, side: usize) {
        self.with(|core| core.stages[side] = None);
    }

    /// Takes over the canvas of a plot.
    pub(crate) fn mount_plot(self, index: usize, canvas: HtmlCanvasElement) {
        self.with(|core| {
            if let Some(slot) = core.plots.get_mut(index) {
                *slot = Some(Sheet::new(canvas));
            }
            core.slow_ms = f64::MIN;
        });
        self.wake();
    }

    /// The page was laid out anew: its sizes can be read.
    pub(crate) fn resized(self) {
        self.with(Core::measure);
        self.repaint();
    }

    /// Sizes or colours changed, or whether things may travel.
    pub(crate) fn repaint(self) {
        self.with(|core| {
            core.stale = true;
            core.slow_ms = f64::MIN;
        });
        self.wake();
    }

    /// Something was pressed or let go, which the next frame is to show.
    pub(crate) fn pressed(self, event: &web_sys::Event) {
        let down = event.type_() != "pointerup";
        // A key that is held goes on with what it began.
        let held = event.dyn_ref::<web_sys::KeyboardEvent>();
        let held = held.is_some_and(web_sys::KeyboardEvent::repeat);
        self.with(|core| {
            core.pressed = true;
            if down && !held {
                core.player.let_go();
            }
        });
    }

    /// The lesson came into view or left it.
    pub(crate) fn seen(self, on_screen: bool) {
        self.with(|core| core.on_screen = on_screen);
        self.wake();
    }

    /// Asks for a frame unless one is coming. Out of sight time stands still, but what is on its way arrives.
    pub(crate) fn wake(self) {
        self.with(|core| {
            let arrives = core.player.under_way() && !core.player.playing();
            if core.on_screen || arrives {
                core.ask_frame();
            }
        });
    }

    /// No more frames.
    pub(crate) fn sleep(self) {
        self.with(|core| {
            core.drop_frame();
            core.speech.hush();
        });
    }

    fn frame(self) {
        let now_ms = place::now_ms();
        let (epoch, reduced) = self.looks();
        let was = self.playing.get_untracked();
        let (mut again, mut waits) = (false, false);
        let happened = self.with(|core| {
            core.frame = None;
            // In a frame that also draws plots there is less time.
            let chores = !core.chores.done() || now_ms - core.slow_ms >= SLOW_MS;
            core.give(if chores { WORK_MS / 2.0 } else { WORK_MS });
            // The side compared with, too, is drawn anew while it catches up and once it is there.
            let on_the_way =
                core.player.under_way() || core.player.twin_behind() || core.seek.is_some();
            let real_s = core.last_ms.map_or(0.0, |last| (now_ms - last) / 1e3);
            // A frame that shows a press does only what the press itself asked for, so that it is seen sooner; the
            // turn of a knob and what time changes follow in the next.
            let pressed = std::mem::take(&mut core.pressed) && !core.waited;
            core.waited = pressed;
            if core.turn.is_some() && !pressed && now_ms - core.turned_ms >= TURN_MS {
                core.turned_ms = now_ms;
                core.settle_turn();
            }
            let mut happened = core.settle_seek();
            happened.extend(core.player.frame(real_s));
            // What is seen on the way shows that the run is going there.
            core.stale |= on_the_way;
            core.story_stale |= on_the_way || !happened.is_empty();
            let playing = core.player.playing();
            core.last_ms = playing.then_some(now_ms);
            let moved = core.stale
                || core
                    .stages
                    .iter()
                    .flatten()
                    .any(|surface| surface.view.stale())
                || was != playing;
            let due = playing && !pressed && (!reduced || now_ms - core.drawn_ms >= REDUCED_MS);
            // On the way somewhere a frame either draws or does a chore: both beside the work would be too much.
            let busy = core.player.under_way() || core.player.twin_behind();
            let draws = (moved || due) && (!busy || core.chores.done() || core.blank());
            core.stale |= moved;
            if draws {
                core.stale = false;
                core.drawn_ms = now_ms;
                core.slow_stale = true;
                core.draw(epoch, reduced);
                // What is told of a picked part is read off this picture; while time rests nothing else asks again.
                if !playing {
                    core.why_ms = f64::MIN;
                }
            }
            again = playing || core.turn.is_some() || core.stale;
            again |= core.player.under_way() || core.player.twin_behind();
            again |= core
                .stages
                .iter()
                .flatten()
                .any(|surface| surface.view.stale());
            core.begin_chores(now_ms);
            waits = pressed || busy && draws;
            happened
        });
        self.tell();
        if !waits {
            self.do_chores(now_ms + CHORES_MS);
        }
        if let Some(happened) = happened {
            self.react(&happened);
        }
        if was && !self.playing.get_untracked() {
            self.refresh();
            if !self
                .story
                .with_untracked(|story| story.says == Saying::Wait)
            {
                self.with(|core| core.speech.low());
                self.speak_state();
            }
        }
        // What is looked at more seldom than every frame has to be looked at once more after the last one.
        let left = self.with(|core| core.slow_stale || !core.chores.done()) == Some(true);
        if again || left {
            self.wake();
        }
        // Out of sight that frame never comes.
        if left && self.with(|core| core.on_screen) == Some(false) {
            self.refresh();
        }
        if self.with(|core| core.laid_out()) == Some(true) {
            place::ready();
        }
    }

    /// Does what waits to be done, one piece at least and more until the page's clock stands at `until_ms`.
    fn do_chores(self, until_ms: f64) {
        loop {
            let Some(chores) = self.with(|core| core.chores) else {
                return;
            };
            if chores.lists {
                self.list();
            } else if chores.why {
                self.ask_why();
            } else if chores.plots > 0 {
                let tops = self.with(|core| {
                    core.plot();
                    core.tops.clone()
                });
                put(self.tops, tops.unwrap_or_default());
            } else {
                return;
            }
            if place::now_ms() >= until_ms {
                return;
            }
        }
    }

    /// Brings the signals up to date; plots, and why something is as it is, follow in the next frames. Out of sight,
    /// where none come, only the plots wait.
    pub(crate) fn refresh(self) {
        let seen = self.with(|core| {
            core.all_chores(place::now_ms());
            core.on_screen
        });
        self.tell();
        self.list();
        if seen == Some(false) {
            self.ask_why();
        }
    }

    /// Brings those signals up to date that may change in every frame.
    fn tell(self) {
        let now_ms = place::now_ms();
        let fresh = self.with(|core| {
            let beat = core.player.beat();
            if let Some(seen) = core.seen.get_mut(beat).filter(|seen| !**seen) {
                *seen = true;
                core.story_stale = true;
            }
            let story = std::mem::take(&mut core.story_stale).then(|| core.story());
            let busy = core.busy(now_ms);
            let player = &core.player;
            (
                player.playing(),
                player.speed(),
                player.main().position().at,
                story,
                busy,
            )
        });
        let Some((playing, speed, at, story, busy)) = fresh else {
            return;
        };
        put(self.busy, busy);
        put(self.playing, playing);
        put(self.speed, speed);
        put(self.now, at);
        if let Some(story) = story {
            put(self.story, story);
        }
    }

    /// Brings up to date what the document lists.
    fn list(self) {
        let fresh = self.with(|core| {
            core.chores.lists = false;
            (core.slow(), core.turn.is_some())
        });
        let Some((slow, turning)) = fresh else {
            return;
        };
        put(self.lane, slow.lane);
        if !turning {
            put(self.knobs, slow.knobs);
        }
        put(self.offers, slow.offers);
        put(self.done, slow.done);
        put(self.twin, slow.twin);
        put(self.also, slow.also);
        if self.followed.with_untracked(Option::is_some) || slow.followed.is_some() {
            self.follow_on(slow.followed);
        }
        let steps = self.ask(|player| player.steps() != [None; 2]);
        let steps = (steps == Some(true)).then(|| self.next_steps());
        put(self.steps, steps.unwrap_or_default());
        put(self.seed, slow.seed);
        put(self.latest, slow.latest.text.clone());
        if self.inspection.with_untracked(Option::is_none) {
            put(self.happened, slow.latest);
        }
        put(self.readings, slow.readings);
        put(self.line_names, slow.line_names);
        put(self.goal, slow.goal);
        put(self.told, slow.told);
        let listing = self.with(|core| core.listing).unwrap_or_default();
        put(self.events, listing.then_some(slow.events));
        let [a, b] = slow.parts;
        put(self.parts[0], a);
        put(self.parts[1], b);
    }

    /// Asks why what was picked is as it is.
    fn ask_why(self) {
        let found = self.with(|core| {
            core.chores.why = false;
            core.why_ms = place::now_ms();
            core.inspect()
        });
        let found = found.flatten();
        self.inspection.with_untracked(|before| {
            if let Some(before) = before {
                inspector::keep_focus(before, found.as_ref());
            }
        });
        // While something is picked, its last event is the one that is looked at.
        if let Some(last) = found.as_ref().and_then(|found| found.chain.last()) {
            let happened = Happened {
                text: last.text.clone(),
                events: vec![last.event.clone()],
            };
            put(self.happened, happened);
        }
        put(self.inspection, found);
    }
}

/// The name in the document of the button that stands for a part.
pub(crate) fn part_button(side: usize, part: PartId) -> String {
    format!("part-{side}-{part}")
}

/// A value of the knob that differs from `now`, near it.
pub(crate) fn other_value(knob: &Knob, now: f64) -> f64 {
    use engine::knobs::Kind;
    match knob.kind {
        Kind::Slider { min, max, .. } => {
            let twice = if now > 0.0 && now * 2.0 <= max {
                now * 2.0
            } else {
                now / 2.0
            };
            knob.snap(twice.clamp(min, max)).unwrap_or(min)
        }
        Kind::Choice(options) => (now + 1.0) % options.len().max(1) as f64,
        Kind::Switch => 1.0 - now,
    }
}
