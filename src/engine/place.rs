//! Places in a run, and what was put there by the learner or the story.

use crate::action::Act;
use crate::time::Time;
use crate::typed::Typed;
use serde::{Deserialize, Serialize};

/// An exact place in a run: a time, and how many events and inputs had happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The time.
    pub at: Time,
    /// Agenda events that had happened.
    pub events: u64,
    /// Inputs that had been applied.
    pub inputs: u32,
}

/// Something the learner or the story did, with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Input {
    /// When.
    pub at: Time,
    /// After how many agenda events; none means after all events up to `at`.
    pub events: Option<u64>,
    /// What.
    pub kind: InputKind,
}

/// The kinds of inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InputKind {
    /// The learner turned a knob to a value.
    Knob(&'static str, f64),
    /// The story turned a knob to a value.
    Told(&'static str, f64),
    /// An action was done.
    Act(Act),
    /// An action was done with a text.
    Typed(Act, Typed),
}

impl InputKind {
    /// The knob that is turned, if that is what it is.
    pub fn knob(self) -> Option<&'static str> {
        match self {
            InputKind::Knob(id, _) | InputKind::Told(id, _) => Some(id),
            InputKind::Act(_) | InputKind::Typed(..) => None,
        }
    }
}
