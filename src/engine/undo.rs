//! Undo: what the learner changed, step by step, as data: seeds, inputs and places, never worlds.

use crate::action::Act;
use crate::place::{Input, Position};
use crate::show::Show;
use crate::state::Link;
use crate::time::Time;
use std::collections::VecDeque;

/// So many steps can be taken back.
pub const STEPS_MAX: usize = 100;
/// And so many inputs are kept for them in all, which take 2 MB: a run in which somebody kept dragging has thousands.
pub const INPUTS_MAX: usize = 50_000;

/// What the learner answered to the question of a beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    /// The beat that asked.
    pub beat: usize,
    /// The answer, from 0.
    pub choice: usize,
    /// When it was given.
    pub at: Time,
    /// When it was settled, and which answer was right.
    pub settled: Option<(Time, usize)>,
}

/// What a step did, so that a page can say what it takes back.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// A knob was turned.
    Turn {
        /// Which.
        knob: &'static str,
        /// From this value.
        from: f64,
        /// To this one.
        to: f64,
    },
    /// An action was done.
    Act(Act),
    /// The run began anew with this seed.
    Seed(u32),
    /// The run went back to its start.
    Restart,
    /// The story arranged this beat (from 0).
    Story(usize),
    /// A comparison was opened or changed, with what differs first, or ended.
    Compare(Option<&'static str>),
    /// Another run took the place of this one.
    Link,
}

/// All that it takes to bring a player back to where it was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    /// The run, its twin and the beat.
    pub(crate) link: Link,
    /// How far the run had been.
    pub(crate) horizon: Position,
    /// How far its twin had been.
    pub(crate) twin_horizon: Option<Time>,
    /// Where each beat was reached.
    pub(crate) reached: Vec<Option<Position>>,
    /// Which answer to each question was given, and when it was settled.
    pub(crate) guesses: Vec<Guess>,
    /// Whether the comparison was the story's.
    pub(crate) story_compares: bool,
}

/// A step: what was done, and where to go to take it back.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    pub(crate) moment: Moment,
}

/// The steps behind and, once some were taken back, those ahead.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    past: VecDeque<Step>,
    future: Vec<Step>,
    /// Whether more of the same belongs to the last step: its slider has not been let go.
    held: bool,
    /// What the story is about to arrange, if it does.
    pub(crate) pending: Option<Step>,
}

impl Steps {
    /// The learner did something that was not done before: what was taken back before it is gone.
    pub(crate) fn put(&mut self, step: Step) {
        self.future.clear();
        let goes_on = self.held && self.past.back().is_some_and(|last| last.goes_on(&step));
        self.held = true;
        match (self.past.back_mut().filter(|_| goes_on), step.deed) {
            (Some(last), Deed::Turn { to, .. }) => last.turn_on(to),
            (Some(_), _) => {}
            (None, deed) => {
                let moment = step.moment;
                self.past.push_back(Step { deed, moment });
                self.trim();
            }
        }
    }

    /// What comes next is a step of its own.
    pub(crate) fn let_go(&mut self) {
        self.held = false;
    }

    /// Takes a step back: gives it, and keeps how it was with it.
    pub(crate) fn back(&mut self, now: impl FnOnce() -> Moment) -> Option<Step> {
        let step = self.past.pop_back()?;
        self.held = false;
        let deed = step.deed.clone();
        self.future.push(Step {
            deed,
            moment: now(),
        });
        Some(step)
    }

    /// Takes the last step that was taken back anew.
    pub(crate) fn forth(&mut self, now: impl FnOnce() -> Moment) -> Option<Step> {
        let step = self.future.pop()?;
        self.held = false;
        let deed = step.deed.clone();
        self.past.push_back(Step {
            deed,
            moment: now(),
        });
        Some(step)
    }

    /// What would be taken back, and what would be done anew.
    pub(crate) fn next(&self) -> [Option<&Deed>; 2] {
        [self.past.back(), self.future.last()].map(|step| step.map(|step| &step.deed))
    }

    fn trim(&mut self) {
        let mut inputs: usize = self.past.iter().map(Step::inputs).sum();
        while self.past.len() > STEPS_MAX || (inputs > INPUTS_MAX && self.past.len() > 1) {
            let gone = self.past.pop_front();
            inputs -= gone.map_or(0, |step| step.inputs());
        }
    }

    /// How many steps can be taken back, and how many inputs are kept for them.
    pub(crate) fn weight(&self) -> (usize, usize) {
        (self.past.len(), self.past.iter().map(Step::inputs).sum())
    }
}

impl Step {
    /// Whether another step is more of the same: turns of one knob, or of one setting of the twin.
    fn goes_on(&self, next: &Step) -> bool {
        match (&self.deed, &next.deed) {
            (Deed::Turn { knob: last, .. }, Deed::Turn { knob, .. }) => last == knob,
            (Deed::Compare(Some(last)), Deed::Compare(Some(knob))) => last == knob,
            _ => false,
        }
    }

    fn turn_on(&mut self, now: f64) {
        if let Deed::Turn { to, .. } = &mut self.deed {
            *to = now;
        }
    }

    fn inputs(&self) -> usize {
        self.moment.link.run.len()
    }
}

impl Moment {
    /// The inputs of its run, by the lists of a run of the same lesson.
    pub(crate) fn inputs(&self, run: &dyn Show) -> Vec<Input> {
        self.link.run.inputs(&run.knobs(), run.actions())
    }
}

/// The place of the first input in which two timelines of one run differ; none if they have the same inputs.
pub(crate) fn parting(ours: &[Input], theirs: &[Input]) -> Option<Position> {
    let same = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    let firsts = [ours.get(same), theirs.get(same)].into_iter().flatten();
    let places = firsts.map(|input| Position {
        at: input.at,
        events: input.events.unwrap_or(u64::MAX),
        inputs: same as u32,
    });
    places.min()
}
