//! A lesson: a model, its view, its plots and its story, as one value.

use crate::action::ActionSpec;
use crate::growth::Growth;
use crate::ids::{Glyph, Ink, PartId};
use crate::model::Model;
use crate::plot::Plot;
use crate::probe::{Probe, SAMPLE_EVERY};
use crate::scene::Scene;
use crate::story::{Beat, Challenge, Scale};
use crate::time::Time;

/// What the catalogue needs to know about a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its address: lower case words and hyphens.
    pub slug: &'static str,
    /// The chapter it stands in.
    pub chapter: &'static str,
    /// The outside tables that its algorithms pass.
    pub tables: &'static [&'static str],
}

/// Everything that a lesson's folder provides, apart from its words.
///
/// A value, so that lessons which share a model share one [`crate::Run`] of it: only what opens a lesson is generic.
pub struct Sheet<M: Model> {
    /// Name and place.
    pub card: Card,
    /// The knobs as the lesson opens.
    pub first: fn() -> M::Knobs,
    /// What a learner can do to the system, in the order of its buttons.
    pub actions: &'static [ActionSpec],
    /// What the model measures, in the order of its `sample` calls.
    pub probes: &'static [Probe],
    /// What is plotted on the tape.
    pub plots: &'static [Plot],
    /// The beats, of which the first holds at time zero.
    pub story: &'static [Beat<M>],
    /// The story's questions that are answered with a number.
    pub scales: &'static [Scale],
    /// Things to try.
    pub challenges: &'static [Challenge<M>],
    /// Draws the system as it is at a moment of the model's own clock. Pure: positions are functions of model, knobs and
    /// moment, so that any moment can be drawn without having drawn another.
    pub draw: fn(&M, &M::Knobs, Time, &mut Scene),
    /// What moves on the stage, each kind once, in the shape and colour that it usually has: the stage's key.
    pub key: &'static [(Glyph, Ink)],
    /// The speed at which it opens: simulated seconds a second.
    pub speed: f64,
    /// The knob and value that Compare starts from.
    pub twin: (&'static str, f64),
    /// A moment worth a picture: the still of the catalogue is drawn there.
    pub still: Time,
    /// Parts that show the state of another, such as a diagram of it or what leads to it: asked why, they answer as that
    /// one, or as the next that is named for them while it has nothing to tell.
    pub stands_for: &'static [(PartId, PartId)],
    /// For how long the model runs unseen before time zero, so that links, averages and windows are full when a learner
    /// first looks; whole samples. The model's clock is ahead of the shown one by this span.
    pub warm_up: Time,
    /// How far apart the samples of plots are; 200 ms unless the lesson plays in slow motion. A rate is that of five samples.
    pub sample: Time,
    /// What can be measured of its structure as that grows to a million keys.
    pub growth: Option<&'static Growth>,
}

impl<M: Model> Sheet<M> {
    /// Speed, still and warm-up of most lessons, for `..Sheet::usual(card, first, draw)`; there is nothing to measure, to
    /// tell or to do yet.
    pub const fn usual(
        card: Card,
        first: fn() -> M::Knobs,
        draw: fn(&M, &M::Knobs, Time, &mut Scene),
    ) -> Sheet<M> {
        Sheet {
            card,
            first,
            actions: &[],
            probes: &[],
            plots: &[],
            story: &[],
            scales: &[],
            challenges: &[],
            draw,
            key: &[],
            speed: 0.25,
            twin: ("", 0.0),
            stands_for: &[],
            still: Time::ms(1_500),
            warm_up: Time::ZERO,
            sample: SAMPLE_EVERY,
            growth: None,
        }
    }
}

/// A stretch of the program that a lesson shows: what lies between the lines `// region: name` and `// endregion` of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The file, from the project's `src`.
    pub file: &'static str,
    /// The name of the region; the page shows it under `code.<name>` of the lesson's words.
    pub region: &'static str,
    /// Words of events, each with a text that the lines hold which make them happen.
    pub marks: &'static [(&'static str, &'static str)],
}

/// What a lesson asks of a learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing but curiosity.
    Basics,
    /// The lessons that it builds on.
    Core,
    /// Some practice with systems of several machines.
    Advanced,
}

impl Level {
    /// The word that names it.
    pub fn id(self) -> &'static str {
        match self {
            Level::Basics => "basics",
            Level::Core => "core",
            Level::Advanced => "advanced",
        }
    }
}

/// One topic. Only what opens it knows its type; everything else knows its [`Sheet`].
pub trait Lesson: 'static {
    /// The simulated system.
    type Model: Model;
    /// The lesson as a value.
    const SHEET: Sheet<Self::Model>;
    /// What it asks of a learner.
    const LEVEL: Level;
    /// The code that runs, as far as the lesson shows it. Beside the sheet, because no page carries it: press cuts it out of
    /// the sources, and who asks for it fetches it.
    const CODE: &'static [Code] = &[];
}

/// A lesson's sheet as one constant of the program.
pub const fn sheet<L: Lesson>() -> &'static Sheet<L::Model> {
    const { &L::SHEET }
}
