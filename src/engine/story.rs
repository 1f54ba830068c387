//! Stories: beats that wait for a state, predictions that it settles, challenges that tick themselves.

use crate::scene::PartId;

/// Something that a beat arranges when the learner moves on to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setup {
    /// Turns a knob.
    Set(&'static str, f64),
    /// Does an action, aimed at the part of this number (from 0).
    Act(&'static str, usize),
    /// Opens the comparison with this knob changed.
    Twin(&'static str, f64),
    /// Closes the comparison.
    Alone,
    /// Sets the speed.
    Speed(f64),
}

/// One step of the story: waits for a state, says one sentence, points at parts.
pub struct Beat<M> {
    /// Its words: `beat.<id>`.
    pub id: &'static str,
    /// What is arranged when the learner moves on to it.
    pub setup: &'static [Setup],
    /// The state that it waits for.
    pub when: fn(&M) -> bool,
    /// The parts that it speaks of.
    pub points: &'static [PartId],
    /// A question that it asks.
    pub predict: Option<Prediction<M>>,
}

/// A question about what will happen; its words are `predict.<id>` and `predict.<id>.<option>`.
pub struct Prediction<M> {
    /// Its words.
    pub id: &'static str,
    /// The answers, two to four, by id.
    pub options: &'static [&'static str],
    /// The right answer once it is settled.
    pub truth: fn(&M) -> Option<usize>,
}

/// A goal that ticks itself; its words are `challenge.<id>` and `challenge.<id>.hint`.
pub struct Challenge<M> {
    /// Its words.
    pub id: &'static str,
    /// Whether it is reached. Must be false at time zero with the first knobs.
    pub done: fn(&M) -> bool,
}

/// A beat as the player and the page see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeatView {
    /// Its words.
    pub id: &'static str,
    /// The parts that it speaks of.
    pub points: &'static [PartId],
    /// What it arranges.
    pub setup: &'static [Setup],
    /// Its question and the ids of the answers.
    pub predict: Option<(&'static str, &'static [&'static str])>,
}
