//! The core of the desk: the player and the drawings, and what can be read from them.

use crate::speech::Speech;
use crate::stage::{Emphasis, StageView};
use crate::texts::{t, tf};
use crate::views::{Cause, Inspection, Offer, PartView, StoryView, Verdict};
use crate::{place, plots, sight};
use engine::probe::SAMPLE_EVERY;
use engine::scene::{Glyph, PartId, Role};
use engine::show::Picked;
use engine::text::trim_number;
use engine::{Act, Arg, Ink, Knob, Player, Plot, Scene, Time, Words, plot};
use leptos::leptos_dom::helpers::AnimationFrameRequestHandle;
use std::cell::Cell;
use std::rc::Rc;
use web_sys::{HtmlCanvasElement, HtmlElement};

/// So many sentences of one event are shown where there is room for one line.
const SENTENCES_MAX: usize = 2;
/// Catching up for longer than this is said, in milliseconds.
const BUSY_MS: f64 = 300.0;

/// One stage: the live drawing and what it shows.
pub(crate) struct Surface {
    pub(crate) view: StageView,
    pub(crate) frame: HtmlElement,
    pub(crate) width: f32,
    pub(crate) scene: Scene,
}

/// The player, the drawings, and what waits for the next frame.
pub(crate) struct Core {
    pub(crate) player: Player,
    pub(crate) words: Rc<Words>,
    pub(crate) stages: [Option<Surface>; 2],
    pub(crate) plots: Vec<Option<HtmlCanvasElement>>,
    pub(crate) frame: Option<AnimationFrameRequestHandle>,
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
    pub(crate) picked: Option<(usize, Picked)>,
    pub(crate) focused: Option<(usize, PartId)>,
    pub(crate) speech: Speech,
    /// Until when the player may work, by the page's clock.
    pub(crate) until_ms: Rc<Cell<f64>>,
    /// Since when the run or its twin has been catching up.
    pub(crate) busy_ms: Option<f64>,
}

/// What is looked at a few times a second.
pub(crate) struct Slow {
    pub(crate) lane: sight::Lane,
    pub(crate) knobs: Vec<(Knob, f64)>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) done: Vec<bool>,
    pub(crate) twin: Option<(&'static str, f64)>,
    pub(crate) seed: u32,
    pub(crate) parts: [Vec<PartView>; 2],
    pub(crate) glyphs: Vec<(Glyph, Ink)>,
    pub(crate) tops: Vec<f64>,
    pub(crate) latest: String,
    pub(crate) readings: Vec<String>,
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

    pub(crate) fn draw(&mut self, epoch: u32, reduced: bool) {
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
            if reduced {
                scene.rest();
            }
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
                focused: self
                    .focused
                    .filter(|(at, _)| *at == side)
                    .map(|(_, part)| part),
                still: reduced,
                ghost: false,
                theme_epoch: epoch,
            };
            surface.view.render(&scene, &emphasis);
            surface.scene = scene;
        }
    }

    /// Draws the plots and tells how far the vertical axis of each reaches.
    pub(crate) fn plot(&self) -> Vec<f64> {
        let Some(surface) = &self.stages[0] else {
            return Vec::new();
        };
        let palette = surface.view.palette();
        let span = plot::span(self.player.main().horizon().at);
        let main = self.player.main().tape();
        let twin = self.player.twin().map(|twin| twin.run.tape());
        let plots = self.plots.iter().zip(self.player.main().plots());
        let draw = |(canvas, plot): (&Option<HtmlCanvasElement>, &Plot)| {
            let traces = plots::traces(plot, main, twin, palette);
            let top = plot.top(&traces);
            if let Some(canvas) = canvas {
                plots::draw(canvas, &traces, span, plot.to_samples(top), palette, 1.5);
            }
            top
        };
        plots.map(draw).collect()
    }

    pub(crate) fn slow(&self) -> Slow {
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
            tops: Vec::new(),
            latest: self.latest(),
            readings: self.readings(),
        }
    }

    /// What the lines of each plot stand at now: what the drawing is for those who do not see it.
    pub(crate) fn readings(&self) -> Vec<String> {
        let main = self.player.main();
        let tape = main.tape();
        let samples = (main.position().at.0 / SAMPLE_EVERY.0) as usize;
        let read = |plot: &Plot| {
            let several = plot.lines.len() > 1;
            let lines = plot.lines.iter().filter_map(|line| {
                let read = (line.probe, line.statistic);
                let at = tape.reads().iter().position(|other| *other == read)?;
                let value = tape.line(at).get(samples.checked_sub(1)?)?;
                let value = f64::from(*value) * plot.scale;
                let value = value.is_finite().then(|| trim_number(value))?;
                let name = several.then(|| self.words.get(&format!("line.{}", line.id)).to_owned());
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
    pub(crate) fn latest(&self) -> String {
        if self.player.playing() {
            return String::new();
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
            .map(|note| sight::note_text(note, &self.words, &knobs))
            .collect();
        said.reverse();
        said.join(" ")
    }

    pub(crate) fn story(&self) -> StoryView {
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
            .filter(|_| guess.is_none() && waiting.is_none() && player.stuck().is_none())
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
            note: note.id,
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
    // An embed never measures the window, whose height its host may set from ours.
    let embedded = matches!(frame.closest(".embed"), Ok(Some(_)));
    // Scenes write no smaller than 12 units, and nothing may be smaller than 11 pixels.
    let least = h * 0.92;
    let highest = if embedded {
        format!("{least}px")
    } else {
        format!("max({least}px, 100vh - 30.625rem)")
    };
    for (name, value) in [
        ("aspect-ratio", format!("{w} / {h}")),
        ("max-height", highest),
    ] {
        let _ = style.set_property(name, &value);
    }
    let shape = if scene.narrow() { "narrow" } else { "wide" };
    let _ = frame.dataset().set("shape", shape);
}
