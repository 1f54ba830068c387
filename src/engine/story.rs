//! Stories: beats that wait for a state, predictions that it settles, challenges that tick themselves.

use crate::claim::Claim;
use crate::ids::PartId;
use crate::time::Time;

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
    /// Lets at least this span pass before the state that is waited for counts: until a window is full of what was set.
    Wait(Time),
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
    /// What the stage and the plots show at this moment, as far as the caption leans on it. Their values fill the
    /// caption's placeholders `{0}`, `{1}`, … in this order, so that both say the same.
    pub shows: &'static [Claim],
}

impl<M> Beat<M> {
    /// A beat that holds at once, arranges nothing and asks nothing, for `..Beat::at_once()`.
    pub const fn at_once() -> Beat<M> {
        Beat {
            id: "",
            setup: &[],
            when: |_| true,
            points: &[],
            predict: None,
            shows: &[],
        }
    }
}

/// A question about what will happen; its words are `predict.<id>` and `predict.<id>.<option>`.
pub struct Prediction<M> {
    /// Its words.
    pub id: &'static str,
    /// The answers, two to four, by id.
    pub options: &'static [&'static str],
    /// The right answer once it is settled.
    pub truth: fn(&M) -> Option<usize>,
    /// Parts that would give the answer away; they are not shown while the question is open.
    pub hides: &'static [PartId],
}

/// A question whose answer is a number: it is asked with a slider, and where the slider stands says which of the answers
/// of its [`Prediction`] is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The [`Prediction`]'s id.
    pub question: &'static str,
    /// The smallest and the largest number, and the step.
    pub range: [f64; 3],
    /// Unit shown after the number; may be empty.
    pub unit: &'static str,
    /// From this number on, this answer: ascending, the first from the smallest number on.
    pub answers: &'static [(f64, usize)],
}

impl Scale {
    /// The answer that a number means.
    pub fn answer(&self, number: f64) -> usize {
        let met = self.answers.iter().take_while(|(from, _)| *from <= number);
        met.last().map_or(0, |(_, answer)| *answer)
    }
}

/// A goal that ticks itself; its words are `challenge.<id>` and `challenge.<id>.hint`.
pub struct Challenge<M> {
    /// Its words.
    pub id: &'static str,
    /// How far it is, and how far it has to go. Must not be reached at time zero with the first knobs.
    pub progress: fn(&M, Time) -> Progress,
    /// What reaches it from time zero, in order: how a test proves that it can be done.
    pub solution: &'static [Setup],
}

/// How far a learner is with a challenge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// How much there is of what is wanted, in the unit of `goal`.
    pub now: f64,
    /// How much is wanted; above zero.
    pub goal: f64,
}

impl Progress {
    /// So much of so much.
    pub const fn of(now: f64, goal: f64) -> Progress {
        Progress { now, goal }
    }

    /// All or nothing.
    pub const fn all(done: bool) -> Progress {
        Progress::of(done as u8 as f64, 1.0)
    }

    /// How long something has held, of the seconds that it must; `since` is none while it does not.
    pub fn held(since: Option<Time>, now: Time, goal_s: f64) -> Progress {
        Progress::of(since.map_or(0.0, |since| now.since(since).as_s()), goal_s)
    }

    /// Whether the challenge is reached.
    pub fn reached(self) -> bool {
        self.now >= self.goal
    }

    /// The share of the way, from 0 to 1.
    pub fn share(self) -> f64 {
        (self.now / self.goal).clamp(0.0, 1.0)
    }
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
    /// The parts that are not shown while the question is open.
    pub hides: &'static [PartId],
    /// What must be seen at its moment.
    pub shows: &'static [Claim],
}
