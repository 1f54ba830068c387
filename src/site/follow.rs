//! Following one request, message, key or part: the rest fades, the stage keeps it in sight, and its story so far is listed.

use crate::desk::{Desk, put};
use crate::icons::{self, icon};
use crate::inspector::Link;
use crate::live::{live, memo, rarely};
use crate::machine::{Core, Surface};
use crate::place;
use crate::sight;
use crate::texts::{t, tf, tx};
use crate::views::Inspection;
use engine::run::find_part;
use engine::scene::{PartId, Particle, Rect, Role};
use engine::show::Picked;
use engine::tape::Note;
use engine::{Arg, Player, Scene, Show};
use leptos::prelude::*;
use std::rc::Rc;

/// So many events of its story are listed: the first, and the last ones.
const STORY_MAX: usize = 12;
/// It is kept at least so far from the edges of a stage that is seen through a window, in CSS pixels.
const EDGE: f64 = 48.0;
/// The width of a stage that is drawn for the names of its parts alone.
const NAMED_WIDTH: f32 = 800.0;
/// Stands for no part at all, so that all parts fade.
const NOWHERE: PartId = PartId::one("nowhere");

impl Desk {
    /// Follows something, or lets it go, and says so.
    pub(crate) fn pin(self, pinned: Option<(usize, Picked)>) {
        if self.with(|core| core.pinned) != Some(pinned) {
            self.later(move || self.pin_now(pinned));
        }
    }

    fn pin_now(self, pinned: Option<(usize, Picked)>) {
        self.with(|core| core.pinned = pinned);
        if pinned.is_some() {
            self.pick(None);
        }
        self.repaint();
        self.refresh();
        let title = self.followed.with_untracked(|found| {
            found
                .as_ref()
                .map(|found| (found.title.clone(), found.value.clone()))
        });
        match title {
            Some((title, value)) => {
                self.speak(&format!("{}. {}: {value}.", t("follow.begun"), title));
                // The button that was pressed went with its panel.
                request_animation_frame(|| {
                    if place::focus_is_lost() {
                        place::focus(&["follow-title"]);
                    }
                });
            }
            None => {
                self.speak(&t("follow.ended"));
                if place::focus_is_lost() {
                    place::focus(&["play"]);
                }
            }
        }
    }

    /// Shows how it is now with what is followed; that it has left the stage is said once.
    pub(crate) fn follow_on(self, found: Option<Inspection>) {
        let left = self.followed.with_untracked(|before| {
            let (before, found) = (before.as_ref()?, found.as_ref()?);
            let other = before.title == found.title && before.value != found.value;
            let on_stage = self.with(|core| core.is_seen())?;
            (other && !on_stage).then(|| format!("{}: {}", found.title, found.value))
        });
        put(self.followed, found);
        if let Some(left) = left {
            self.speak(&left);
        }
    }

    /// Follows what is picked or, if nothing is, what the last event is about; lets go of what is followed.
    pub(crate) fn pin_by_key(self) {
        let found = self.with(|core| {
            let picked = core.picked.or_else(|| core.latest_about());
            picked.filter(|_| core.pinned.is_none() || core.picked.is_some())
        });
        match found {
            Some(None) if self.followed.with_untracked(Option::is_none) => {
                self.later(move || {
                    self.speak(&t("follow.nothing"));
                    self.flash(t("follow.nothing"));
                });
            }
            found => self.pin(found.flatten()),
        }
    }
}

impl Desk {
    /// Follows from the start what the address names.
    #[cold]
    #[inline(never)]
    pub(crate) fn follow_from(self, name: &str) {
        let found = self.ask(|player| named(player, name)).flatten();
        // What tells of it says words that no page opens with.
        self.later(move || {
            self.with(|core| core.pinned = found);
            self.repaint();
        });
    }
}

/// What a name in an address means: a part as the stage has it now, or what moves, by its number; on the stage of what is
/// compared with `b:` before it.
pub(crate) fn named(player: &Player, name: &str) -> Option<(usize, Picked)> {
    let (side, name) = match name.strip_prefix("b:") {
        Some(name) => (1, name),
        None => (0, name),
    };
    let run = match side {
        0 => player.main(),
        _ => &*player.twin()?.run,
    };
    let picked = match name.parse() {
        Ok(0) => return None,
        Ok(dot) => Picked::Dot(dot),
        Err(_) => {
            let mut scene = Scene::new(NAMED_WIDTH, Rc::default());
            run.draw(&mut scene);
            Picked::Part(find_part(&scene, name)?)
        }
    };
    Some((side, picked))
}

/// How an address names what is followed.
pub(crate) fn name(player: &Player, (side, picked): (usize, Picked)) -> String {
    let side = if side == 1 && player.twin().is_some() {
        "b:"
    } else {
        ""
    };
    match picked {
        Picked::Part(part) => format!("{side}{part}"),
        Picked::Dot(dot) => format!("{side}{dot}"),
    }
}

impl Core {
    /// What is followed as an address names it, if it can be found by that.
    pub(crate) fn follows(&self) -> Option<String> {
        let name = name(&self.player, self.pinned?);
        named(&self.player, &name).map(|_| name)
    }

    /// What the last event at this place is about.
    fn latest_about(&self) -> Option<(usize, Picked)> {
        let here = self.player.main().position();
        let mut past = self.player.main().tape().notes().rev();
        let last = past.find(|note| (note.at, note.events) <= (here.at, here.events))?;
        let picked = match last.dot {
            0 => last.part.map(Picked::Part)?,
            dot => Picked::Dot(dot),
        };
        Some((0, picked))
    }

    /// What is followed, as it is now, and its story up to here.
    pub(crate) fn follow(&self) -> Option<Inspection> {
        let (side, picked) = self.pinned?;
        let twin = self.player.twin().filter(|_| side == 1);
        let run = twin.map_or(self.player.main(), |twin| &*twin.run);
        let notes = story(run, picked);
        let scene = &self.stages[side]
            .as_ref()
            .or(self.stages[0].as_ref())?
            .scene;
        let last = notes.last().map(|note| note.at.at_speed(run.speed()));
        let gone = || match last {
            Some(at) => tx("follow.gone", &at),
            None => t("follow.not-yet"),
        };
        let (part, title, value) = match picked {
            Picked::Part(id) => {
                let part = scene.parts().iter().find(|part| part.id == id);
                let value = part.map_or_else(gone, |part| part.value.clone());
                (Some(id), self.words.write(&Arg::Part(id)), value)
            }
            Picked::Dot(dot) => {
                let kind = particle(scene, dot)
                    .map(|seen| self.words.glyph(seen.glyph, seen.ink).to_owned());
                let title = tf("why.dot", &[Arg::Count(i64::from(dot))]);
                (None, title, kind.unwrap_or_else(gone))
            }
        };
        let knobs = run.knobs();
        let cut = notes.len().saturating_sub(STORY_MAX - 1);
        let kept = notes
            .iter()
            .enumerate()
            .filter(|(at, _)| *at == 0 || *at >= cut);
        let chain = kept.map(|(at, note)| {
            let gap = at > 1 && at == cut;
            sight::cause(note, &self.words, &knobs, gap)
        });
        Some(Inspection {
            part,
            title,
            value,
            chain: chain.collect(),
        })
    }

    /// What is followed on a stage, and the parts that stand out with it in the place of those that the story points at.
    pub(crate) fn single_out(&self, side: usize) -> Option<(Picked, Vec<PartId>)> {
        // Once the comparison has ended, what was followed in B is followed in what is left.
        let alone = side == 0 && self.player.twin().is_none();
        let (_, picked) = self.pinned.filter(|(at, _)| *at == side || alone)?;
        let points = match picked {
            Picked::Part(part) => part,
            // It stands out by itself; the part that it is at does with it.
            Picked::Dot(dot) => self.at(side, dot).unwrap_or(NOWHERE),
        };
        Some((picked, vec![points]))
    }

    /// Whether what is followed is on its stage.
    fn is_seen(&self) -> bool {
        let Some((side, picked)) = self.pinned else {
            return false;
        };
        self.stages[side]
            .as_ref()
            .is_some_and(|surface| match picked {
                Picked::Dot(dot) => particle(&surface.scene, dot).is_some(),
                Picked::Part(id) => surface.scene.parts().iter().any(|part| part.id == id),
            })
    }

    /// The part at which a moving thing is.
    fn at(&self, side: usize, dot: u32) -> Option<PartId> {
        let scene = &self.stages[side].as_ref()?.scene;
        let seen = particle(scene, dot)?;
        let place = Rect::new(seen.x, seen.y, 0.0, 0.0);
        let things = scene.parts().iter().filter(|part| part.role == Role::Thing);
        let mut holding = things.filter(|part| part.frame.holds(&place));
        holding.next_back().map(|part| part.id)
    }
}

/// Takes the motion out of a picture, but not what is followed: it stays where it is.
pub(crate) fn rest(scene: &mut Scene, followed: Option<Picked>) {
    let kept = match followed {
        Some(Picked::Dot(dot)) => particle(scene, dot),
        _ => None,
    };
    scene.rest();
    if let Some(kept) = kept
        && particle(scene, kept.dot).is_none()
    {
        let at = engine::scene::pt(kept.x, kept.y);
        scene.particle(at, kept.r, kept.glyph, kept.ink, kept.dot);
    }
}

/// A moving thing on the stage, by its number.
pub(crate) fn particle(scene: &Scene, dot: u32) -> Option<Particle> {
    let mut particles = scene.particles().iter();
    particles.find(|particle| particle.dot == dot).copied()
}

/// All that is known of something up to here, oldest first.
fn story(run: &dyn Show, picked: Picked) -> Vec<Note> {
    let here = run.position();
    let about = |note: &&Note| match picked {
        Picked::Part(part) => note.part == Some(part),
        Picked::Dot(dot) => note.is_about(dot),
    };
    let past = |note: &&Note| (note.at, note.events) <= (here.at, here.events);
    let tape = run.tape();
    let first = tape.notes().next().map(|note| note.id);
    // Marks outlive the notes around them.
    let marks = tape
        .marks()
        .iter()
        .filter(|mark| first.is_none_or(|first| mark.id < first));
    let notes = marks.chain(tape.notes()).filter(past).filter(about);
    notes.copied().collect()
}

/// Keeps a followed dot within the window through which a stage is seen.
pub(crate) fn keep_in_sight(surface: &Surface, dot: u32) {
    let Some(seen) = particle(&surface.scene, dot) else {
        return;
    };
    let room = f64::from(surface.view.room().1);
    let scale = surface.fitted.scale_of(&surface.scene);
    let y = f64::from(seen.y * scale);
    let top = f64::from(surface.frame.scroll_top());
    let edge = EDGE.min(room / 3.0);
    if y < top + edge || y > top + room - edge {
        let to = (y - room / 2.0).max(0.0);
        surface.frame.scroll_to_with_x_and_y(0.0, to);
    }
}

/// A button over the stage that tells what is followed and lets it go, where the panel stands far below.
pub(crate) fn chip(desk: Desk) -> impl IntoView {
    let name = memo(move || {
        desk.followed
            .with(|found| found.as_ref().map(|found| found.title.clone()))
    });
    let build = move |name: String| {
        let value = move || {
            desk.followed
                .with(|found| found.as_ref().map(|found| found.value.clone()))
        };
        let label = format!("{}: {name}", t("follow.let-go"));
        view! {
            <button class="btn follow-chip" type="button" aria-label=label on:click=move |_| desk.pin(None)>
                <strong>{name}</strong><span>{live(value)}</span>{icon(icons::CLOSE)}
            </button>
        }
        .into_any()
    };
    rarely(move || name.get(), build)
}

/// The panel, shown while something is followed.
pub(crate) fn panel(desk: Desk) -> impl IntoView {
    let pinned = memo(move || desk.followed.with(Option::is_some));
    rarely(move || pinned.get().then_some(()), move |()| build(desk))
}

fn build(desk: Desk) -> AnyView {
    let told = move |tell: fn(&Inspection) -> String| {
        live(move || {
            desk.followed
                .with(|found| found.as_ref().map(tell).unwrap_or_default())
        })
    };
    let chain = move || {
        desk.followed.with(|found| {
            found
                .as_ref()
                .map(|found| found.chain.clone())
                .unwrap_or_default()
        })
    };
    view! {
        <section class="panel inspector follow" aria-labelledby="follow-title">
            <div class="inspector-head">
                <div>
                    <small>{t("follow.label")}</small>
                    <h2 id="follow-title" tabindex="-1">{told(|found| found.title.clone())}</h2>
                    <p>{told(|found| found.value.clone())}</p>
                </div>
                <button class="icon-btn btn-quiet" type="button" aria-label=t("follow.let-go") title=t("follow.let-go")
                    on:click=move |_| desk.pin(None)>{icon(icons::CLOSE)}</button>
            </div>
            <h3>{t("follow.story")}</h3>
            <ol class="chain">
                <For each=chain key=|cause| (cause.note.0, cause.text.clone()) let(cause)>
                    <Link desk id=format!("followed-{}", cause.note.0) cause/>
                </For>
            </ol>
        </section>
    }
    .into_any()
}
