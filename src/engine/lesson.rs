//! A lesson: a model, its view, its plots and its story.

use crate::model::Model;
use crate::plot::Plot;
use crate::probe::Probe;
use crate::scene::Scene;
use crate::story::{Beat, Challenge};
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

/// One topic: everything that a lesson's folder provides, apart from its words.
pub trait Lesson: 'static {
    /// The simulated system.
    type Model: Model;
    /// Name and place.
    const CARD: Card;
    /// What the model measures, in the order of its `sample` calls.
    const PROBES: &'static [Probe];
    /// What is plotted on the tape.
    const PLOTS: &'static [Plot];
    /// The beats, of which the first holds at time zero.
    const STORY: &'static [Beat<Self::Model>];
    /// Things to try.
    const CHALLENGES: &'static [Challenge<Self::Model>];
    /// The speed at which it opens: simulated seconds a second.
    const SPEED: f64 = 0.25;
    /// The knob and value that Compare starts from.
    const TWIN: (&'static str, f64);
    /// A moment worth a picture: the still of the catalogue is drawn there.
    const STILL: Time = Time::ms(1_500);

    /// Draws the system as it is at `at`. Pure: positions are functions of the model and `at`, so that any
    /// moment can be drawn without having drawn another.
    fn draw(
        model: &Self::Model,
        knobs: &<Self::Model as Model>::Knobs,
        at: Time,
        scene: &mut Scene,
    );
}
