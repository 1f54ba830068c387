//! The core of the desk: the player and the drawings, and what can be read from them.

use crate::fit::Fitted;
use crate::jottings::Jotting;
use crate::plots::{self, Sheet};
use crate::present::Lectern;
use crate::pull::Pull;
use crate::speech::Speech;
use crate::stage::{Emphasis, StageView};
use crate::texts::{t, tf};
use crate::views::{
    Ask, Cause, Dot, Goal, Happened, Inspection, Offer, PartView, Saying, StoryView, Verdict,
};
use crate::{follow, place, sight};
use engine::action::DOT;
use engine::player::Happening;
use engine::probe::{SAMPLES_MIN, Statistic};
use engine::scene::{PartId, Role};
use engine::show::Picked;
use engine::story::BeatView;
use engine::tape::{Note, NoteId};
use engine::text::trim_number;
use engine::{Act, ActionSpec, Arg, Knob, Line, Player, Plot, Scene, Time, Tone, Words, plot};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::HtmlElement;

/// So many sentences of one event are shown where there is room for one line.
const SENTENCES_MAX: usize = 2;
/// So many events are listed, the last ones.
const EVENTS_MAX: usize = 60;
/// Plots are drawn, and lists that change with the run are compared, at most this often.
pub(crate) const SLOW_MS: f64 = 100.0;
/// The inspector asks why at most this often while time runs.
const WHY_MS: f64 = 500.0;
/// Catching up for longer than this is said, in milliseconds.
const BUSY_MS: f64 = 300.0;

/// One stage: the live drawing and what it shows.
pub(crate) struct Surface {
    pub(crate) view: StageView,
    pub(crate) frame: HtmlElement,
    pub(crate) scene: Scene,
    pub(crate) fitted: Fitted,
}

/// The player, the drawings, and what waits for the next frame.
pub(crate) struct Core {
    pub(crate) player: Player,
    pub(crate) words: Rc<Words>,
    pub(crate) stages: [Option<Surface>; 2],
    pub(crate) plots: Vec<Option<Sheet>>,
    /// The plot that is drawn next.
    pub(crate) next_plot: usize,
    /// How far the vertical axis of each plot reaches, as last drawn.
    pub(crate) tops: Vec<f64>,
    /// The frame that was asked for, and what it calls: made once, because one that never comes would stay for ever.
    pub(crate) frame: Option<i32>,
    pub(crate) on_frame: Option<Closure<dyn Fn()>>,
    pub(crate) last_ms: Option<f64>,
    pub(crate) drawn_ms: f64,
    pub(crate) slow_ms: f64,
    pub(crate) why_ms: f64,
    pub(crate) turned_ms: f64,
    pub(crate) seek: Option<Time>,
    pub(crate) turn: Option<(&'static str, f64)>,
    pub(crate) on_screen: bool,
    pub(crate) stale: bool,
    pub(crate) story_stale: bool,
    pub(crate) slow_stale: bool,
    /// Whether the browser has a press to answer in the next frame, and whether the frame before waited for one: a key
    /// that is held must not keep everything else waiting.
    pub(crate) pressed: bool,
    pub(crate) waited: bool,
    pub(crate) chores: Chores,
    pub(crate) picked: Option<(usize, Picked)>,
    /// What is followed, on which stage.
    pub(crate) pinned: Option<(usize, Picked)>,
    /// The learner's own notes: when, and what they say.
    pub(crate) jotted: Vec<(Time, String)>,
    /// Notes that came with the address.
    pub(crate) lent: Vec<Jotting>,
    pub(crate) focused: Option<(usize, PartId)>,
    /// Which beats the learner has seen, on earlier visits too.
    pub(crate) seen: Vec<bool>,
    /// Whether the events of the tape are listed.
    pub(crate) listing: bool,
    /// The challenge that the learner chose, and those that were reached here, with when.
    pub(crate) chosen: Option<usize>,
    pub(crate) reached: Vec<(Time, usize)>,
    pub(crate) speech: Speech,
    /// Until when the player may work, by the page's clock.
    pub(crate) until_ms: Rc<Cell<f64>>,
    /// Since when the run or its twin has been catching up.
    pub(crate) busy_ms: Option<f64>,
    /// How many times larger than usual stages are drawn.
    pub(crate) zoom: f32,
    /// The dot that a pointer holds.
    pub(crate) pull: Option<Pull>,
    pub(crate) lectern: Lectern,
}

/// What of the work that is done a few times a second is still to be done. It is spread over frames, one piece at
/// least in each, so that none takes long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chores {
    /// Bringing what the document lists up to date.
    pub(crate) lists: bool,
    /// Drawing so many plots, in turn.
    pub(crate) plots: usize,
    /// Asking why what was picked is as it is.
    pub(crate) why: bool,
}

impl Chores {
    /// Whether nothing is to be done.
    pub(crate) fn done(self) -> bool {
        self == Chores::default()
    }
}

/// What is looked at a few times a second.
pub(crate) struct Slow {
    pub(crate) lane: sight::Lane,
    pub(crate) knobs: Vec<(Knob, f64)>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) done: Vec<bool>,
    pub(crate) twin: Option<(&'static str, f64)>,
    pub(crate) also: Vec<String>,
    pub(crate) followed: Option<Inspection>,
    pub(crate) seed: u32,
    pub(crate) parts: [Vec<PartView>; 2],
    pub(crate) latest: Happened,
    pub(crate) readings: Vec<String>,
    /// The names of the lines of each plot.
    pub(crate) line_names: Vec<Vec<String>>,
    pub(crate) goal: Option<Goal>,
    pub(crate) events: Vec<Cause>,
    pub(crate) told: Vec<&'static str>,
}

impl Core {
    /// Gives the player so long to work from now on; what is left then waits for the next frame.
    pub(crate) fn give(&self, ms: f64) {
        self.until_ms.set(place::now_ms() + ms);
    }

    /// What is catching up and how far it has come in per cent, once that takes long enough to be worth saying.
    pub(crate) fn busy(&mut self, now_ms: f64) -> Option<(usize, Option<u8>)> {
        let progress = self.player.progress();
        let since = progress.map(|_| self.busy_ms.unwrap_or(now_ms));
        self.busy_ms = since;
        let (side, share) = progress.filter(|_| since.is_some_and(|ms| now_ms - ms >= BUSY_MS))?;
        Some((side, share.map(|share| (share * 100.0) as u8)))
    }

    /// Begins what is done a few times a second, once it is time again and something has changed.
    pub(crate) fn begin_chores(&mut self, now_ms: f64) {
        // Sizes or colours that are new do not wait.
        let at_once = self.slow_ms == f64::MIN;
        let due = self.chores.done() && now_ms - self.slow_ms >= SLOW_MS;
        if self.slow_stale && (due || at_once) {
            self.all_chores(now_ms);
            self.chores.why = now_ms - self.why_ms >= WHY_MS;
        }
    }

    /// Everything that is done a few times a second is to be done.
    pub(crate) fn all_chores(&mut self, now_ms: f64) {
        self.slow_stale = false;
        self.slow_ms = now_ms;
        self.chores = Chores {
            lists: true,
            plots: self.plots.len(),
            why: true,
        };
    }

    /// Asks for a frame unless one is coming.
    pub(crate) fn ask_frame(&mut self) {
        if let (None, Some(call), Some(window)) = (self.frame, &self.on_frame, web_sys::window()) {
            let call = call.as_ref().unchecked_ref();
            self.frame = window.request_animation_frame(call).ok();
        }
    }

    /// Takes the wish for a frame back.
    pub(crate) fn drop_frame(&mut self) {
        if let (Some(frame), Some(window)) = (self.frame.take(), web_sys::window()) {
            // A frame that has come already cannot be taken back, which is as good.
            let _ = window.cancel_animation_frame(frame);
        }
    }

    /// Turns the knob that waits to be turned.
    pub(crate) fn settle_turn(&mut self) {
        if let Some((id, value)) = self.turn.take() {
            // The knob came from the lesson's own list, and its value is snapped.
            let _ = self.player.set_knob(id, value);
            self.stale = true;
            self.story_stale = true;
        }
    }

    /// Goes to the moment that waits to be gone to.
    pub(crate) fn settle_seek(&mut self) -> Vec<Happening> {
        let Some(at) = self.seek.take() else {
            return Vec::new();
        };
        self.stale = true;
        self.story_stale = true;
        self.player.seek(at)
    }

    /// Both, in the order in which a frame does them.
    pub(crate) fn settle(&mut self) -> Vec<Happening> {
        self.settle_turn();
        self.settle_seek()
    }

    /// Draws what is out of sight: no frame comes to draw it, but the list of parts is read there too.
    pub(crate) fn draw_unseen(&mut self, (epoch, reduced): (u32, bool)) {
        if self.on_screen {
            return;
        }
        if !self.laid_out() {
            self.measure();
        }
        self.draw(epoch, reduced);
    }

    pub(crate) fn draw(&mut self, epoch: u32, reduced: bool) {
        let at_beat = self.player.at_beat() && !self.player.playing();
        let beat = self.player.beats().get(self.player.beat());
        let beat = beat.filter(|_| at_beat);
        let points = beat.map_or_else(Vec::new, |beat| beat.points.to_vec());
        let hides = self.hides().to_vec();
        let place = beat.map(|_| self.player.beat());
        let singled = [0, 1].map(|side| self.single_out(side));
        let main = self.player.main();
        let twin = self.player.twin().map(|twin| &*twin.run);
        for (side, run) in [Some(main), twin].into_iter().enumerate() {
            let (Some(surface), Some(run)) = (self.stages[side].as_mut(), run) else {
                continue;
            };
            // A stage that is not laid out yet, or not displayed, has no width.
            let room = surface.view.room();
            if room.0 <= 0.0 {
                continue;
            }
            let picked = match self.picked {
                Some((at, Picked::Part(part))) if at == side => Some(part),
                _ => None,
            };
            let focused = self.focused.filter(|(at, _)| *at == side);
            let mut emphasis = Emphasis {
                follows: None,
                points: points.clone(),
                hides: hides.clone(),
                picked,
                focused: focused.map(|(_, part)| part),
                still: reduced,
                ghost: false,
                theme_epoch: epoch,
            };
            if let Some((follows, points)) = singled[side].clone() {
                (emphasis.follows, emphasis.points) = (Some(follows), points);
            }
            let words = &self.words;
            let scene = surface.fitted.draw(
                &surface.frame,
                (room, self.zoom),
                place,
                &emphasis,
                |width| {
                    let mut scene = Scene::new(width, words.clone());
                    run.draw(&mut scene);
                    if reduced {
                        follow::rest(&mut scene, emphasis.follows);
                    }
                    scene
                },
            );
            surface.view.render(&scene, &emphasis);
            surface.scene = scene;
            if let Some(Picked::Dot(dot)) = emphasis.follows {
                follow::keep_in_sight(surface, dot);
            }
        }
    }

    /// Whether every stage is laid out, so that it can be drawn.
    pub(crate) fn laid_out(&self) -> bool {
        let mut stages = self.stages.iter().flatten();
        stages.all(|surface| surface.view.room().0 > 0.0)
    }

    /// Whether a stage has never been drawn.
    pub(crate) fn blank(&self) -> bool {
        let mut stages = self.stages.iter().flatten();
        stages.any(|surface| surface.scene.parts().is_empty())
    }

    /// Reads all sizes now, where no browser will tell them.
    pub(crate) fn measure(&mut self) {
        for surface in self.stages.iter().flatten() {
            surface.view.measure();
        }
        for sheet in self.plots.iter_mut().flatten() {
            sheet.measure();
        }
    }

    /// Draws the plot whose turn it is and keeps how far its vertical axis reaches.
    pub(crate) fn plot(&mut self) {
        self.chores.plots -= 1;
        let index = self.next_plot % self.plots.len().max(1);
        self.next_plot = index + 1;
        let (Some(surface), Some(plot)) = (&self.stages[0], self.player.main().plots().get(index))
        else {
            return;
        };
        let palette = surface.view.palette();
        let span = plot::span(self.player.main().horizon().at, self.player.main().speed());
        let main = self.player.main().tape();
        let twin = self.player.twin().map(|twin| twin.run.tape());
        let traces = plots::traces(plot, main, twin, span, palette);
        let top = plot.top(&traces);
        if let Some(Some(sheet)) = self.plots.get(index) {
            plots::draw(sheet, &traces, span, plot.to_samples(top), palette, 1.5);
        }
        if let Some(kept) = self.tops.get_mut(index) {
            *kept = top;
        }
    }

    pub(crate) fn slow(&self) -> Slow {
        let main = self.player.main();
        // What an action hits if it is aimed at what is picked.
        let aimed = |action: &ActionSpec| match self.picked? {
            (_, Picked::Part(part)) => {
                let place = usize::from(part.number.max(1)) - 1;
                action.fits(part).then_some(place)
            }
            (_, Picked::Dot(dot)) => (action.aim == Some(DOT)).then_some(dot as usize),
        };
        let offers = main.actions().iter().enumerate().map(|(spec, action)| {
            let fitting = aimed(action);
            let target = fitting.unwrap_or_else(|| main.aim(spec));
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
        Slow {
            lane: sight::Lane::of(&self.player, &self.words, &self.reached, &self.jotted),
            events: self.events(),
            told: self.told(),
            knobs: main.knobs(),
            offers: offers.collect(),
            done: self.player.done().to_vec(),
            twin: self.player.twin().map(|twin| (twin.knob, twin.value)),
            also: self.also(),
            followed: self.follow(),
            seed: main.seed(),
            parts: [parts(0), parts(1)],
            latest: self.latest(),
            readings: self.readings(),
            line_names: self.line_names(),
            goal: self.goal(),
        }
    }

    /// What the events lane marks, oldest first, while it is listed in words.
    fn events(&self) -> Vec<Cause> {
        if !self.listing {
            return Vec::new();
        }
        let main = self.player.main();
        let (marks, knobs) = (main.tape().marks(), main.knobs());
        let last = marks.iter().rev().take(EVENTS_MAX).rev();
        last.map(|note| sight::cause(note, &self.words, &knobs, false))
            .collect()
    }

    /// The knobs that the story turned last, not the learner.
    fn told(&self) -> Vec<&'static str> {
        let main = self.player.main();
        let here = main.position().at;
        let mut told: Vec<(&'static str, bool)> = Vec::new();
        for note in main.tape().marks().iter().rev() {
            if let (true, Some(Arg::Word(id))) = (note.at <= here, note.args[0])
                && matches!(note.word, "you-set" | "story-set")
                && !told.iter().any(|(known, _)| *known == id)
            {
                told.push((id, note.word == "story-set"));
            }
        }
        told.retain(|(_, story)| *story);
        told.into_iter().map(|(id, _)| id).collect()
    }

    /// The parts that would give the answer to the open question away.
    fn hides(&self) -> &'static [PartId] {
        let beat = self.player.beat();
        let open = self.player.heading_for().is_none() && self.player.guess_of(beat).is_none();
        let beat = self
            .player
            .beats()
            .get(beat)
            .filter(|_| open && self.player.at_beat());
        beat.map_or(&[], |beat| beat.hides)
    }

    /// The chosen challenge.
    fn goal(&self) -> Option<Goal> {
        let at = self.chosen?;
        let id = *self.player.main().challenges().get(at)?;
        let progress = self.player.main().challenge_progress(at);
        Some(Goal {
            challenge: at,
            text: self.words.get(&format!("challenge.{id}")).to_owned(),
            now: progress.now.clamp(0.0, progress.goal),
            of: progress.goal,
            done: self.player.done().get(at) == Some(&true),
        })
    }

    /// What a line of a plot is called now: a 99th percentile of a few values is the slowest, which is all that so few tell. What its
    /// name says beside "p99" stays.
    pub(crate) fn line_name(&self, line: &Line) -> String {
        let main = self.player.main();
        let samples = main.tape().samples_at(main.position().at);
        let number = (line.probe, Statistic::Number);
        let at = main.tape().reads().iter().position(|read| *read == number);
        let count = at.zip(samples.checked_sub(1));
        let count = count.and_then(|(at, sample)| main.tape().line(at).get(sample));
        let id = format!("line.{}", line.id);
        let name = self.words.get(&id);
        match (line.statistic, count) {
            (Statistic::Quantile(q), Some(count)) if q >= 0.99 && *count < SAMPLES_MIN as f32 => {
                let (before, after) = name.split_once("p99").unwrap_or_default();
                [before, &t("plot.slowest"), after].concat()
            }
            _ => name.to_owned(),
        }
    }

    fn line_names(&self) -> Vec<Vec<String>> {
        let plots = self.player.main().plots().iter();
        let names = plots.map(|plot| plot.lines.iter().map(|line| self.line_name(line)).collect());
        names.collect()
    }

    /// What the lines of each plot stand at now: what the drawing is for those who do not see it.
    pub(crate) fn readings(&self) -> Vec<String> {
        let main = self.player.main();
        let tape = main.tape();
        let samples = main.tape().samples_at(main.position().at);
        let read = |plot: &Plot| {
            let several = plot.lines.len() > 1;
            let lines = plot.lines.iter().filter_map(|line| {
                let read = (line.probe, line.statistic);
                let at = tape.reads().iter().position(|other| *other == read)?;
                let value = tape.line(at).get(samples.checked_sub(1)?)?;
                let value = f64::from(*value) * plot.scale;
                let value = value.is_finite().then(|| trim_number(value))?;
                let name = several.then(|| self.line_name(line));
                Some(name.map_or(value.clone(), |name| format!("{name} {value}")))
            });
            let lines: Vec<_> = lines.collect();
            if lines.is_empty() {
                return String::new();
            }
            let unit = self.words.get(&format!("plot.{}.unit", plot.id)).to_owned();
            format!(": {} {unit}", lines.join(", "))
                .trim_end()
                .to_owned()
        };
        main.plots().iter().map(read).collect()
    }

    /// What was said at this place of the run, or last before it; nothing while time runs, for nobody could read it.
    fn latest(&self) -> Happened {
        if self.player.playing() {
            return Happened::default();
        }
        let main = self.player.main();
        let (here, knobs) = (main.position(), main.knobs());
        let past = main
            .tape()
            .notes()
            .rev()
            .skip_while(|note| (note.at, note.events) > (here.at, here.events));
        let mut event = None;
        let mut said: Vec<_> = past
            .take_while(|note| *event.get_or_insert(note.events) == note.events)
            .take(SENTENCES_MAX)
            .collect();
        said.reverse();
        let text = |note: &&Note| sight::note_text(note, &self.words, &knobs);
        Happened {
            text: said.iter().map(text).collect::<Vec<_>>().join(" "),
            events: said.into_iter().map(sight::event).collect(),
        }
    }

    pub(crate) fn story(&self) -> StoryView {
        let (player, words) = (&self.player, &self.words);
        let beat = player.beat();
        let Some(view) = player.beats().get(beat) else {
            return StoryView::default();
        };
        let caption = |beat: &BeatView| words.get(&format!("beat.{}", beat.id)).to_owned();
        let answer =
            |id: &str, option: &str| words.get(&format!("predict.{id}.{option}")).to_owned();
        let heading = player.heading_for();
        let awaited = |beat: usize| {
            let beat = player.beats().get(beat)?;
            let id = format!("wait.{}", beat.id);
            Some(if words.has(&id) {
                words.get(&id).to_owned()
            } else {
                t("story.wait")
            })
        };
        let stuck = player.stuck().is_some();
        let (line, says) = match heading.and_then(awaited) {
            Some(line) => (line, Saying::Wait),
            None if stuck => (t("story.stuck"), Saying::Caption),
            None if player.at_beat() => (caption(view), Saying::Caption),
            None => (
                self.between(beat, awaited).unwrap_or_else(|| caption(view)),
                Saying::Past,
            ),
        };
        let guess = player.guess_of(beat);
        let ask = view
            .predict
            .filter(|_| guess.is_none() && says == Saying::Caption && !stuck)
            .map(|(id, options)| {
                let answers = options.iter().map(|option| answer(id, option)).collect();
                let mut scales = player.main().scales().iter();
                Ask {
                    question: words.get(&format!("predict.{id}")).to_owned(),
                    answers,
                    scale: scales.find(|scale| scale.question == id).copied(),
                }
            });
        let locked = guess
            .filter(|guess| guess.settled.is_none())
            .and_then(|guess| {
                let (id, options) = view.predict?;
                Some(answer(id, options.get(guess.choice)?))
            });
        // A guess is settled on the way to the next beat, so that is where its outcome is told too.
        let told = [Some(beat), beat.checked_sub(1)];
        let result = told.into_iter().flatten().find_map(|beat| {
            let guess = player.guess_of(beat)?;
            let (settled, truth) = guess.settled?;
            if settled > player.main().position().at || says == Saying::Wait {
                return None;
            }
            let (id, options) = player.beats().get(beat)?.predict?;
            let (right, chosen) = (truth == guess.choice, *options.get(guess.choice)?);
            // A wrong answer has its own, if the lesson gives it one.
            let why = format!("predict.{id}.{chosen}.why");
            let verdict = format!("predict.{id}.{}", if right { "right" } else { "wrong" });
            let text = if !right && words.has(&why) {
                why
            } else {
                verdict
            };
            Some(Verdict {
                guess: answer(id, chosen),
                truth: answer(id, options.get(truth)?),
                right,
                text: words.get(&text).to_owned(),
            })
        });
        let dots = player.beats().iter().enumerate().map(|(at, beat)| Dot {
            said: self
                .seen
                .get(at)
                .copied()
                .unwrap_or(false)
                .then(|| caption(beat).replace("**", "")),
            asks: beat.predict.is_some() && player.guess_of(at).is_none(),
        });
        StoryView {
            beat,
            dots: dots.collect(),
            line,
            says,
            stuck,
            ask,
            locked,
            result,
        }
    }

    /// What to say between `beat` and the next: what the learner did since, or what the story was waiting for here.
    fn between(&self, beat: usize, awaited: impl Fn(usize) -> Option<String>) -> Option<String> {
        let player = &self.player;
        let (main, since) = (player.main(), player.reached(beat)?);
        let here = main.position();
        // The step that is next, as it is counted.
        let say = |word: &str, text: &str| {
            let next = (beat + 2).to_string();
            t(word).replace("{1}", &next).replace("{0}", text)
        };
        let notes = main.tape().notes().rev();
        let own = notes
            .skip_while(|note| (note.at, note.events) > (here.at, here.events))
            .take_while(|note| (note.at, note.events) >= (since.at, since.events))
            .find(|note| note.tone == Tone::Learner && !note.word.starts_with("story"));
        if let Some(note) = own {
            let did = sight::note_text(note, &self.words, &main.knobs());
            return Some(match beat + 1 < player.beats().len() {
                true => say("story.own", &did),
                false => did,
            });
        }
        player.reached(beat + 1)?;
        Some(say("story.on-the-way", &awaited(beat + 1)?))
    }

    pub(crate) fn inspect(&mut self) -> Option<Inspection> {
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
                let kind =
                    seen.map(|particle| self.words.glyph(particle.glyph, particle.ink).to_owned());
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
        let leads = |place: usize, note: &Note| {
            let before = place.checked_sub(1).and_then(|place| notes.get(place));
            before.is_none_or(|before| note.cause == before.id || note.cause == NoteId::NONE)
        };
        let chain = notes.iter().enumerate().map(|(place, note)| {
            let gap = !leads(place, note);
            sight::cause(note, &self.words, &knobs, gap)
        });
        Some(Inspection {
            part,
            title,
            value,
            chain: chain.collect(),
        })
    }
}
