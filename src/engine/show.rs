//! The one object-safe face of a running lesson.

use crate::action::{Act, ActionSpec};
use crate::difference::Difference;
use crate::growth::Growth;
use crate::ids::{Glyph, Ink, PartId};
use crate::knobs::{Knob, KnobError};
use crate::lesson::Card;
use crate::place::{Input, Position};
use crate::plot::Plot;
use crate::scene::Scene;
use crate::state::RunState;
use crate::story::{BeatView, Progress, Scale, Setup};
use crate::tape::{Note, Tape};
use crate::time::Time;
use crate::typed::Refusal;

/// What [`Show::run`] stops at before its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Nothing.
    Nothing,
    /// The next event or input that says something.
    Say,
    /// The next event or input.
    Any,
    /// The state of this beat.
    Beat(usize),
}

/// How a call of [`Show::run`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It reached its time.
    ToTime,
    /// What it watched for came up.
    Stopped,
    /// It used up its events; call again to go on.
    OutOfBudget,
    /// The tape is full: see [`crate::tape::END`].
    AtEnd,
}

/// What the learner asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked {
    /// A part of the stage.
    Part(PartId),
    /// A moving thing by its number.
    Dot(u32),
}

/// A lesson that runs. Implemented once, by [`crate::Run`]; the page knows lessons only through it.
pub trait Show {
    /// Name and place.
    fn card(&self) -> &'static Card;
    /// The seed of all randomness.
    fn seed(&self) -> u32;
    /// The lesson's opening speed: simulated seconds a second.
    fn speed(&self) -> f64;
    /// What moves on the stage, each kind once.
    fn key(&self) -> &'static [(Glyph, Ink)];
    /// The knob and value that a comparison starts from.
    fn twin_default(&self) -> (&'static str, f64);
    /// What is plotted.
    fn plots(&self) -> &'static [Plot];
    /// What can be measured of its structure as that grows.
    fn growth(&self) -> Option<&'static Growth>;
    /// The moment of the catalogue's still.
    fn still(&self) -> Time;

    /// Where the run is.
    fn position(&self) -> Position;
    /// The furthest that it has been on this timeline.
    fn horizon(&self) -> Position;
    /// Goes on to `until` or to what `watch` names, in at most `budget` events and inputs.
    fn run(&mut self, until: Time, watch: Watch, budget: u64) -> Ran;
    /// Goes towards a moment, past or future, for at most `budget` events and inputs; true once it is there and all
    /// events up to it have happened.
    fn seek_some(&mut self, at: Time, budget: u64) -> bool;
    /// Goes towards an exact place on the tape for at most `budget` events and inputs; true once it is there.
    fn seek_to_some(&mut self, place: Position, budget: u64) -> bool;
    /// Goes to a moment, past or future; all events up to it have happened.
    fn seek(&mut self, at: Time) {
        self.seek_some(at, u64::MAX);
    }
    /// Goes to an exact place on the tape.
    fn seek_to(&mut self, place: Position) {
        self.seek_to_some(place, u64::MAX);
    }
    /// Goes back to the last keyframe before a place and says where that is; none if there is no earlier one.
    fn rewind_before(&mut self, place: Position) -> Option<Position>;

    /// The knobs with their values now.
    fn knobs(&self) -> Vec<(Knob, f64)>;
    /// Turns a knob; in the past this forks.
    ///
    /// # Errors
    /// The knob does not exist or the value is no finite number; nothing has changed then.
    fn set_knob(&mut self, id: &str, value: f64) -> Result<f64, KnobError>;
    /// Turns a knob as the story wants it; as [`Show::set_knob`], but the tape says who did it.
    ///
    /// # Errors
    /// As [`Show::set_knob`].
    fn tell_knob(&mut self, id: &str, value: f64) -> Result<f64, KnobError>;
    /// The actions that exist.
    fn actions(&self) -> &'static [ActionSpec];
    /// Whether an action makes sense now.
    fn can(&self, act: Act) -> bool;
    /// The part (from 0) that an action is aimed at when none is picked.
    fn aim(&self, spec: usize) -> usize;
    /// Does an action; in the past this forks. False if it makes no sense now.
    fn act(&mut self, act: Act) -> bool;
    /// Puts other inputs in the place of those from here on; the first ones, which have been applied, are the same. What
    /// lay ahead on the tape becomes the ghost.
    fn rewrite(&mut self, inputs: &[Input]);
    /// Does an action with a text; in the past this forks.
    ///
    /// # Errors
    /// Why the text is not taken; nothing has changed then.
    fn type_in(&mut self, act: Act, text: &str) -> Result<(), Refusal>;
    /// Everything the learner did, in order.
    fn inputs(&self) -> &[Input];

    /// Draws the present.
    fn draw(&self, scene: &mut Scene);
    /// The recorded past.
    fn tape(&self) -> &Tape;
    /// The chain of notes that led to the present state of something, latest first, at most `limit`.
    fn why(&mut self, picked: Picked, limit: usize) -> Vec<Note>;

    /// The story.
    fn beats(&self) -> Vec<BeatView>;
    /// Whether the state of a beat holds now.
    fn beat_holds(&self, beat: usize) -> bool;
    /// The questions that are answered with a number.
    fn scales(&self) -> &'static [Scale];
    /// The right answer of a beat's question, once settled.
    fn truth(&self, beat: usize) -> Option<usize>;
    /// The ids of the challenges.
    fn challenges(&self) -> Vec<&'static str>;
    /// How far a challenge is now.
    fn challenge_progress(&self, challenge: usize) -> Progress;
    /// Whether a challenge is reached now.
    fn challenge_done(&self, challenge: usize) -> bool {
        self.challenge_progress(challenge).reached()
    }
    /// What reaches a challenge from time zero.
    fn solution(&self, challenge: usize) -> &'static [Setup];

    /// A fresh run at time zero with another seed and the knobs a lesson opens with.
    fn fresh(&self, seed: u32) -> Box<dyn Show>;
    /// A run at time zero with the same seed and inputs, but one knob held at a value all the way, and one thing more
    /// otherwise, if it is given: an action that turns a knob is none.
    ///
    /// # Errors
    /// The knob does not exist or the value is no finite number.
    fn twin_with(
        &self,
        knob: &str,
        value: f64,
        also: Option<Difference>,
    ) -> Result<Box<dyn Show>, KnobError>;
    /// A run at time zero with the same seed and inputs, but one knob held at a value all the way.
    ///
    /// # Errors
    /// The knob does not exist or the value is no finite number.
    fn twin(&self, knob: &str, value: f64) -> Result<Box<dyn Show>, KnobError> {
        self.twin_with(knob, value, None)
    }
    /// A run of its own on the same timeline, which stands as near before a moment as can be without a replay. What it does
    /// then changes nothing here.
    fn branch(&self, at: Time) -> Box<dyn Show>;
    /// Takes over the inputs of the run that this one is the twin of, from the first that differs.
    fn echo(&mut self, inputs: &[Input]);
    /// The run as data: seed, first knobs, inputs, place.
    fn state(&self) -> RunState;
    /// A run restored from data, at time zero with its inputs ahead: it is to be taken to the place of the last input
    /// and then to where it stood, see [`RunState::way`]. Unknown knobs and actions are left out.
    fn restore(&self, state: &RunState) -> Box<dyn Show>;
    /// The balance of the model; see [`crate::Model::audit`].
    ///
    /// # Errors
    /// What is off.
    fn audit(&self) -> Result<(), String>;
    /// How many events are pending, how many keyframes are kept, and about how many bytes their models take, for tests
    /// of bounded memory.
    fn weight(&self) -> (usize, usize, usize);
}
