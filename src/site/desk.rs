//! The desk: one lesson being played in the page. The player and the drawings live outside of signals; signals
//! hold only what the document shows, and change only when that changes.

use crate::speech::Speech;
use crate::stage::{Emphasis, Palette, StageView};
use crate::store::{self, Progress};
use crate::texts::{t, tf};
use crate::theme::Look;
use crate::{place, plots, sight};
use engine::player::Happening;
use engine::scene::{Glyph, PartId, Role};
use engine::show::Picked;
use engine::{Act, Arg, Ink, Knob, Player, Scene, Show, Time, Words, plot};
use leptos::leptos_dom::helpers::{
    AnimationFrameRequestHandle, request_animation_frame_with_handle,
};
use leptos::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use web_sys::{Element, HtmlCanvasElement, HtmlElement};

/// Without motion the stage shows a new state this often while time runs, in milliseconds.
const REDUCED_MS: f64 = 500.0;
/// Plots are drawn, and lists that change with the run are compared, at most this often.
const SLOW_MS: f64 = 100.0;
/// The inspector asks why at most this often while time runs.
const WHY_MS: f64 = 500.0;
/// A slider that is dragged turns its knob at most this often: each turn is an input that a link carries.
const TURN_MS: f64 = 120.0;
/// How near a click must be to a moving thing, in scene units.
const REACH: f32 = 11.0;

/// What the story strip shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StoryView {
    /// The beat shown, from 0.
    pub(crate) beat: usize,
    /// How many there are.
    pub(crate) count: usize,
    /// Its caption.
    pub(crate) caption: String,
    /// What is awaited, while Next plays.
    pub(crate) waiting: Option<String>,
    /// Whether the awaited state did not come up.
    pub(crate) stuck: bool,
    /// The question that the beat asks, while it is unanswered, with the answers.
    pub(crate) ask: Option<(String, Vec<String>)>,
    /// The answer that is locked in but not settled yet.
    pub(crate) locked: Option<String>,
    /// How a guess turned out.
    pub(crate) result: Option<Verdict>,
}

/// How a guess turned out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// The answer given.
    pub(crate) guess: String,
    /// The answer that proved right.
    pub(crate) truth: String,
    /// Whether they are the same.
    pub(crate) right: bool,
    /// What the story says to it.
    pub(crate) text: String,
}

/// An action as a button.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Offer {
    /// Its number.
    pub(crate) spec: usize,
    /// Its id.
    pub(crate) id: &'static str,
    /// The part it is aimed at, from 0.
    pub(crate) target: usize,
    /// Whether it is aimed at the picked part.
    pub(crate) picked: bool,
    /// Whether it makes sense now.
    pub(crate) can: bool,
}

/// A part as the hidden list names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PartView {
    /// Its id.
    pub(crate) id: PartId,
    /// Its name and its state.
    pub(crate) text: String,
}

/// The inspector: what was picked and why it is as it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Inspection {
    /// The part, if it is one.
    pub(crate) part: Option<PartId>,
    /// Its name.
    pub(crate) title: String,
    /// Its state in words.
    pub(crate) value: String,
    /// What led to it, oldest first.
    pub(crate) chain: Vec<Cause>,
}

/// One link of a chain of causes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cause {
    /// What happened.
    pub(crate) text: String,
    /// Its colour.
    pub(crate) tone: engine::Tone,
    /// When: where to go to see it.
    pub(crate) at: Time,
}

/// The dialogs of a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialog {
    Help,
    Share,
    Embed,
}

/// One stage: the live drawing and what it shows.
struct Surface {
    view: StageView,
    frame: HtmlElement,
    width: f32,
    scene: Scene,
}

struct Core {
    player: Player,
    words: Rc<Words>,
    stages: [Option<Surface>; 2],
    plots: Vec<Option<HtmlCanvasElement>>,
    palette: (u32, Palette),
    frame: Option<AnimationFrameRequestHandle>,
    last_ms: Option<f64>,
    drawn_ms: f64,
    slow_ms: f64,
    why_ms: f64,
    turned_ms: f64,
    seek: Option<Time>,
    turn: Option<(&'static str, f64)>,
    on_screen: bool,
    stale: bool,
    story_stale: bool,
    picked: Option<(usize, Picked)>,
    focused: Option<PartId>,
    speech: Speech,
}

/// A handle on the desk; copied freely.
#[derive(Clone, Copy)]
pub(crate) struct Desk {
    core: StoredValue<Rc<RefCell<Core>>, LocalStorage>,
    words: StoredValue<Rc<Words>, LocalStorage>,
    /// The look of the page.
    pub(crate) look: Look,
    /// The lesson's address.
    pub(crate) slug: &'static str,
    /// Whether it stands in another page.
    pub(crate) embed: bool,
    pub(crate) playing: RwSignal<bool>,
    pub(crate) speed: RwSignal<f64>,
    pub(crate) now: RwSignal<Time>,
    pub(crate) lane: RwSignal<sight::Lane>,
    pub(crate) story: RwSignal<StoryView>,
    pub(crate) knobs: RwSignal<Vec<(Knob, f64)>>,
    pub(crate) offers: RwSignal<Vec<Offer>>,
    pub(crate) done: RwSignal<Vec<bool>>,
    pub(crate) twin: RwSignal<Option<(&'static str, f64)>>,
    pub(crate) parts: [RwSignal<Vec<PartView>>; 2],
    pub(crate) key: RwSignal<Vec<(Glyph, Ink)>>,
    pub(crate) inspection: RwSignal<Option<Inspection>>,
    pub(crate) said: RwSignal<String>,
    pub(crate) dialog: RwSignal<Option<Dialog>>,
    pub(crate) seed: RwSignal<u32>,
}

fn put<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

impl Desk {
    /// A desk for a run.
    pub(crate) fn new(run: Box<dyn Show>, words: Words, look: Look, embed: bool) -> Desk {
        let slug = run.card().slug;
        let words = Rc::new(words);
        let plots = run.plots().len();
        let player = Player::new(run);
        let said = RwSignal::new(String::new());
        let core = Core {
            words: words.clone(),
            stages: [None, None],
            plots: vec![None; plots],
            palette: (0, Palette::read()),
            frame: None,
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
            picked: None,
            focused: None,
            speech: Speech::new(said),
            player,
        };
        let desk = Desk {
            core: StoredValue::new_local(Rc::new(RefCell::new(core))),
            words: StoredValue::new_local(words),
            look,
            slug,
            embed,
            playing: RwSignal::new(false),
            speed: RwSignal::new(1.0),
            now: RwSignal::new(Time::ZERO),
            lane: RwSignal::default(),
            story: RwSignal::default(),
            knobs: RwSignal::default(),
            offers: RwSignal::default(),
            done: RwSignal::default(),
            twin: RwSignal::new(None),
            parts: [RwSignal::default(), RwSignal::default()],
            key: RwSignal::default(),
            inspection: RwSignal::new(None),
            said,
            dialog: RwSignal::new(None),
            seed: RwSignal::new(1),
        };
        desk.recall();
        desk
    }

    fn with<T>(self, look: impl FnOnce(&mut Core) -> T) -> Option<T> {
        let core = self.core.try_get_value()?;
        let mut core = core.try_borrow_mut().ok()?;
        Some(look(&mut core))
    }

    /// The lesson's word with this id.
    pub(crate) fn word(self, id: &str) -> String {
        self.words
            .try_with_value(|words| words.get(id).to_owned())
            .unwrap_or_default()
    }

    /// The lesson's word with this id, its placeholders filled.
    pub(crate) fn fill(self, id: &str, args: &[Arg]) -> String {
        self.words
            .try_with_value(|words| words.fill(id, args))
            .unwrap_or_default()
    }

    /// Looks at the lesson's words.
    pub(crate) fn with_words<T: Default>(self, look: impl FnOnce(&Words) -> T) -> T {
        self.words
            .try_with_value(|words| look(words))
            .unwrap_or_default()
    }

    /// Whether the lesson has a word with this id.
    pub(crate) fn has_word(self, id: &str) -> bool {
        self.words.try_with_value(|words| words.has(id)) == Some(true)
    }

    /// Asks the player something.
    pub(crate) fn ask<T>(self, ask: impl FnOnce(&Player) -> T) -> Option<T> {
        self.with(|core| ask(&core.player))
    }

    /// Lets the learner do something, and shows what came of it.
    pub(crate) fn act<T>(self, act: impl FnOnce(&mut Player) -> T) -> Option<T> {
        let was = self.playing.get_untracked();
        let result = self.with(|core| {
            core.stale = true;
            core.story_stale = true;
            act(&mut core.player)
        });
        self.refresh(true);
        if was && !self.playing.get_untracked() {
            self.speak_state();
        }
        self.wake();
        result
    }

    /// Like [`Desk::act`], for what makes things happen.
    pub(crate) fn happen(self, act: impl FnOnce(&mut Player) -> Vec<Happening>) {
        if let Some(happened) = self.act(act) {
            self.react(&happened);
        }
    }

    fn recall(self) {
        let progress = store::progress(self.slug);
        self.with(|core| {
            for (index, id) in core.player.main().challenges().into_iter().enumerate() {
                if progress.done.iter().any(|done| done == id) {
                    core.player.recall_done(index);
                }
            }
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

    fn remember(self) {
        let Some((beat, of, done)) = self.ask(|player| {
            let challenges = player.main().challenges();
            let done: Vec<_> = challenges
                .iter()
                .zip(player.done())
                .filter_map(|(id, done)| done.then_some(*id))
                .collect();
            let beat = player.beats().get(player.beat()).map(|beat| beat.id);
            (beat, player.beats().len(), done)
        }) else {
            return;
        };
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

    fn react(self, happened: &[Happening]) {
        let mut keep = false;
        for happening in happened {
            match *happening {
                Happening::Beat(_) => {
                    keep = true;
                    self.speak(&self.story.get_untracked().caption.replace("**", ""));
                }
                Happening::Stuck(_) => self.speak(&t("story.stuck")),
                Happening::Settled { .. } => {
                    if let Some(result) = self.story.get_untracked().result {
                        self.speak(&result.text);
                    }
                }
                Happening::Challenge(challenge) => {
                    keep = true;
                    let ids = self
                        .ask(|player| player.main().challenges())
                        .unwrap_or_default();
                    if let Some(id) = ids.get(challenge) {
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

    /// Says something to those who listen.
    pub(crate) fn speak(self, text: &str) {
        self.with(|core| core.speech.speak(text));
    }

    fn speak_state(self) {
        let parts = self.parts[0].get_untracked();
        let state: Vec<_> = parts
            .iter()
            .take(10)
            .map(|part| part.text.clone())
            .collect();
        let at = tf(
            "tape.paused",
            &[Arg::Number(self.now.get_untracked().as_s())],
        );
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
            core.why_ms = f64::MIN;
            core.stale = true;
        });
        self.refresh(true);
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

    /// Picks what lies under a click.
    pub(crate) fn pick_at(self, side: usize, event: &web_sys::MouseEvent) {
        let found = self.with(|core| {
            let surface = core.stages[side].as_ref()?;
            let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
            let dot = surface
                .scene
                .particle_at(surface.view.scene_point(x, y), REACH)
                .filter(|particle| particle.dot > 0);
            if let Some(particle) = dot {
                return Some(Picked::Dot(particle.dot));
            }
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
    pub(crate) fn focus(self, part: Option<PartId>) {
        self.with(|core| {
            core.focused = part;
            core.stale = true;
        });
        self.wake();
    }

    // Drawings

    /// Takes over the elements of a stage.
    pub(crate) fn mount_stage(
        self,
        side: usize,
        svg: Element,
        canvas: HtmlCanvasElement,
        frame: HtmlElement,
    ) {
        self.with(|core| {
            let width = frame.client_width() as f32;
            core.stages[side] = Some(Surface {
                view: StageView::new(svg, canvas),
                scene: Scene::new(width, core.words.clone()),
                frame,
                width,
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
                *slot = Some(canvas);
            }
            core.slow_ms = f64::MIN;
        });
        self.wake();
    }

    /// The page was laid out anew.
    pub(crate) fn resized(self) {
        self.with(|core| {
            for surface in core.stages.iter_mut().flatten() {
                surface.width = surface.frame.client_width() as f32;
            }
            core.stale = true;
            core.slow_ms = f64::MIN;
        });
        self.wake();
    }

    /// The colours changed, or whether things may travel.
    pub(crate) fn repaint(self) {
        self.with(|core| {
            core.stale = true;
            core.slow_ms = f64::MIN;
        });
        self.wake();
    }

    /// The lesson came into view or left it.
    pub(crate) fn seen(self, on_screen: bool) {
        self.with(|core| core.on_screen = on_screen);
        self.wake();
    }

    /// Asks for a frame unless one is coming or the lesson is out of sight.
    pub(crate) fn wake(self) {
        self.with(|core| {
            if core.frame.is_none() && core.on_screen {
                core.frame = request_animation_frame_with_handle(move || self.frame()).ok();
            }
        });
    }

    /// No more frames.
    pub(crate) fn sleep(self) {
        self.with(|core| {
            if let Some(frame) = core.frame.take() {
                frame.cancel();
            }
            core.speech.hush();
        });
    }

    fn frame(self) {
        let now_ms = place::now_ms();
        let epoch = self.look.epoch.get_untracked();
        let reduced = self.look.reduced.get_untracked();
        let was = self.playing.get_untracked();
        let mut again = false;
        let happened = self.with(|core| {
            core.frame = None;
            let real_s = core.last_ms.map_or(0.0, |last| (now_ms - last) / 1e3);
            let mut happened = Vec::new();
            if core.turn.is_some() && now_ms - core.turned_ms >= TURN_MS {
                core.turned_ms = now_ms;
                if let Some((id, value)) = core.turn.take() {
                    // The knob came from the lesson's own list, and its value is snapped.
                    let _ = core.player.set_knob(id, value);
                    core.stale = true;
                    core.story_stale = true;
                }
            }
            if let Some(at) = core.seek.take() {
                happened.extend(core.player.seek(at));
                core.stale = true;
                core.story_stale = true;
            }
            happened.extend(core.player.frame(real_s));
            if !happened.is_empty() {
                core.story_stale = true;
            }
            let playing = core.player.playing();
            core.last_ms = playing.then_some(now_ms);
            let moved = core.stale
                || core
                    .stages
                    .iter()
                    .flatten()
                    .any(|surface| surface.view.stale())
                || was != playing;
            let due = playing && (!reduced || now_ms - core.drawn_ms >= REDUCED_MS);
            if moved || due {
                core.stale = false;
                core.drawn_ms = now_ms;
                core.draw(epoch);
            }
            again = playing || core.player.twin_behind() || core.turn.is_some();
            again |= core
                .stages
                .iter()
                .flatten()
                .any(|surface| surface.view.stale());
            happened
        });
        self.refresh(false);
        if let Some(happened) = happened {
            self.react(&happened);
        }
        if was && !self.playing.get_untracked() {
            self.refresh(true);
            if !self.story.with_untracked(|story| story.waiting.is_some()) {
                self.with(|core| core.speech.low());
                self.speak_state();
            }
        }
        // What is looked at more seldom than every frame has to be looked at once more after the last one.
        if again || self.slow_due() {
            self.wake();
        }
        place::ready();
    }

    fn slow_due(self) -> bool {
        self.with(|core| core.slow_ms == f64::MIN) == Some(true)
    }

    /// Brings the signals up to date; `now` includes those that are looked at seldom.
    fn refresh(self, now: bool) {
        let now_ms = place::now_ms();
        let epoch = self.look.epoch.get_untracked();
        let fresh = self.with(|core| {
            let story = std::mem::take(&mut core.story_stale).then(|| core.story());
            let slow = now || now_ms - core.slow_ms >= SLOW_MS;
            if slow {
                core.slow_ms = now_ms;
                core.plot(epoch);
            }
            let slow = slow.then(|| core.slow());
            let turning = core.turn.is_some();
            let player = &core.player;
            (
                player.playing(),
                player.speed(),
                player.main().position().at,
                story,
                slow,
                turning,
            )
        });
        let Some((playing, speed, at, story, slow, turning)) = fresh else {
            return;
        };
        put(self.playing, playing);
        put(self.speed, speed);
        put(self.now, at);
        if let Some(story) = story {
            put(self.story, story);
        }
        if let Some(slow) = slow {
            put(self.lane, slow.lane);
            if !turning {
                put(self.knobs, slow.knobs);
            }
            put(self.offers, slow.offers);
            put(self.done, slow.done);
            put(self.twin, slow.twin);
            put(self.seed, slow.seed);
            let [a, b] = slow.parts;
            put(self.parts[0], a);
            put(self.parts[1], b);
            let mut key = self.key.get_untracked();
            for glyph in slow.glyphs {
                if !key.contains(&glyph) {
                    key.push(glyph);
                }
            }
            key.sort_by_key(|(glyph, _)| *glyph);
            put(self.key, key);
            let due = now || self.with(|core| now_ms - core.why_ms >= WHY_MS) == Some(true);
            if due {
                let found = self.with(|core| {
                    core.why_ms = now_ms;
                    core.inspect()
                });
                put(self.inspection, found.flatten());
            }
        }
    }
}

/// A value of the knob that differs from `now`, near it.
fn other_value(knob: &Knob, now: f64) -> f64 {
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

/// What is looked at a few times a second.
struct Slow {
    lane: sight::Lane,
    knobs: Vec<(Knob, f64)>,
    offers: Vec<Offer>,
    done: Vec<bool>,
    twin: Option<(&'static str, f64)>,
    seed: u32,
    parts: [Vec<PartView>; 2],
    glyphs: Vec<(Glyph, Ink)>,
}

impl Core {
    fn draw(&mut self, epoch: u32) {
        let at_beat = self.player.at_beat() && !self.player.playing();
        let points = match self.player.beats().get(self.player.beat()) {
            Some(beat) if at_beat => beat.points.to_vec(),
            _ => Vec::new(),
        };
        let main = self.player.main();
        let twin = self.player.twin().map(|twin| &*twin.run);
        for (side, run) in [Some(main), twin].into_iter().enumerate() {
            let (Some(surface), Some(run)) = (self.stages[side].as_mut(), run) else {
                continue;
            };
            // A stage that is not laid out yet, or not displayed, has no width.
            if surface.width <= 0.0 {
                continue;
            }
            let mut scene = Scene::new(surface.width, self.words.clone());
            run.draw(&mut scene);
            let before = (surface.scene.width, surface.scene.height);
            if before != (scene.width, scene.height) || surface.scene.parts().is_empty() {
                shape(&surface.frame, &scene);
            }
            let picked = match self.picked {
                Some((at, Picked::Part(part))) if at == side => Some(part),
                _ => None,
            };
            let emphasis = Emphasis {
                points: points.clone(),
                picked,
                focused: self.focused,
                ghost: false,
                theme_epoch: epoch,
            };
            surface.view.render(&scene, &emphasis);
            surface.scene = scene;
        }
    }

    fn plot(&mut self, epoch: u32) {
        if self.palette.0 != epoch {
            self.palette = (epoch, Palette::read());
        }
        let palette = &self.palette.1;
        let span = plot::span(self.player.main().horizon().at);
        let main = self.player.main().tape();
        let twin = self.player.twin().map(|twin| twin.run.tape());
        for (canvas, plot) in self.plots.iter().zip(self.player.main().plots()) {
            if let Some(canvas) = canvas {
                let traces = plots::traces(plot, main, twin, palette);
                let top = plot.to_samples(plot.top(&traces));
                plots::draw(canvas, &traces, span, top, palette, 1.5);
            }
        }
    }

    fn slow(&self) -> Slow {
        let main = self.player.main();
        let picked = match self.picked {
            Some((_, Picked::Part(part))) => Some(part),
            _ => None,
        };
        let offers = main.actions().iter().enumerate().map(|(spec, action)| {
            let fitting = picked.filter(|part| action.fits(*part));
            let target = match fitting {
                Some(part) => usize::from(part.number.max(1)) - 1,
                None => main.aim(spec),
            };
            let can = main.can(Act { spec, target });
            Offer {
                spec,
                id: action.id,
                target,
                picked: fitting.is_some(),
                can,
            }
        });
        let parts = |side: usize| -> Vec<PartView> {
            let Some(surface) = &self.stages[side] else {
                return Vec::new();
            };
            let things = surface
                .scene
                .parts()
                .iter()
                .filter(|part| part.role == Role::Thing);
            things
                .map(|part| PartView {
                    id: part.id,
                    text: format!("{}, {}", part.name, part.value),
                })
                .collect()
        };
        let mut glyphs = Vec::new();
        for particle in self
            .stages
            .iter()
            .flatten()
            .flat_map(|surface| surface.scene.particles())
        {
            if !glyphs.iter().any(|(glyph, _)| *glyph == particle.glyph) {
                glyphs.push((particle.glyph, particle.ink));
            }
        }
        Slow {
            lane: sight::Lane::of(&self.player, &self.words),
            knobs: main.knobs(),
            offers: offers.collect(),
            done: self.player.done().to_vec(),
            twin: self.player.twin().map(|twin| (twin.knob, twin.value)),
            seed: main.seed(),
            parts: [parts(0), parts(1)],
            glyphs,
        }
    }

    fn story(&self) -> StoryView {
        let (player, words) = (&self.player, &self.words);
        let beat = player.beat();
        let Some(view) = player.beats().get(beat) else {
            return StoryView::default();
        };
        let answer =
            |id: &str, option: &str| words.get(&format!("predict.{id}.{option}")).to_owned();
        let heading = player
            .heading_for()
            .and_then(|beat| player.beats().get(beat));
        let waiting = heading.map(|beat| {
            let id = format!("wait.{}", beat.id);
            if words.has(&id) {
                words.get(&id).to_owned()
            } else {
                t("story.wait")
            }
        });
        let guess = player.guess_of(beat);
        let ask = view
            .predict
            .filter(|_| guess.is_none() && waiting.is_none())
            .map(|(id, options)| {
                let answers = options.iter().map(|option| answer(id, option)).collect();
                (words.get(&format!("predict.{id}")).to_owned(), answers)
            });
        let locked = guess
            .filter(|guess| guess.settled.is_none())
            .and_then(|guess| {
                let (id, options) = view.predict?;
                Some(answer(id, options.get(guess.choice)?))
            });
        // A guess is settled on the way to the next beat, so that is where its outcome is told too.
        let result = [Some(beat), beat.checked_sub(1)]
            .into_iter()
            .flatten()
            .find_map(|beat| {
                let guess = player.guess_of(beat)?;
                let (settled, truth) = guess.settled?;
                if settled > player.main().position().at {
                    return None;
                }
                let (id, options) = player.beats().get(beat)?.predict?;
                let right = truth == guess.choice;
                let verdict = if right { "right" } else { "wrong" };
                Some(Verdict {
                    guess: answer(id, options.get(guess.choice)?),
                    truth: answer(id, options.get(truth)?),
                    right,
                    text: words.get(&format!("predict.{id}.{verdict}")).to_owned(),
                })
            });
        StoryView {
            beat,
            count: player.beats().len(),
            caption: words.get(&format!("beat.{}", view.id)).to_owned(),
            waiting,
            stuck: player.stuck().is_some(),
            ask,
            locked,
            result,
        }
    }

    fn inspect(&mut self) -> Option<Inspection> {
        let (side, picked) = self.picked?;
        let surface = self.stages[side].as_ref().or(self.stages[0].as_ref())?;
        let (part, title, value) = match picked {
            Picked::Part(id) => {
                let part = surface.scene.parts().iter().find(|part| part.id == id);
                let name = self.words.write(&Arg::Part(id));
                let value = part.map_or_else(|| t("why.gone"), |part| part.value.clone());
                (Some(id), name, value)
            }
            Picked::Dot(dot) => {
                let number = Arg::Count(i64::from(dot));
                let seen = surface
                    .scene
                    .particles()
                    .iter()
                    .find(|particle| particle.dot == dot);
                let kind = seen.map(|particle| {
                    self.words
                        .get(&format!("glyph.{}", particle.glyph.name()))
                        .to_owned()
                });
                let value = kind.unwrap_or_else(|| t("why.gone"));
                (None, tf("why.dot", &[number]), value)
            }
        };
        let (mut notes, knobs) = match self.player.twin_mut() {
            Some(twin) if side == 1 => (twin.run.why(picked, 8), twin.run.knobs()),
            _ => {
                let run = self.player.main_mut();
                (run.why(picked, 8), run.knobs())
            }
        };
        notes.reverse();
        let chain = notes.iter().map(|note| Cause {
            text: sight::note_text(note, &self.words, &knobs),
            tone: note.tone,
            at: note.at,
        });
        Some(Inspection {
            part,
            title,
            value,
            chain: chain.collect(),
        })
    }
}

/// Gives the frame of a stage the shape of its scene, low enough for one screen but never so low that small text
/// would become illegible.
fn shape(frame: &HtmlElement, scene: &Scene) {
    let (w, h) = (scene.width, scene.height);
    let style = frame.style();
    let least = h * 0.92;
    for (name, value) in [
        ("aspect-ratio", format!("{w} / {h}")),
        ("max-height", format!("max({least}px, 100vh - 30.625rem)")),
    ] {
        let _ = style.set_property(name, &value);
    }
    let shape = if scene.narrow() { "narrow" } else { "wide" };
    let _ = frame.dataset().set("shape", shape);
}
