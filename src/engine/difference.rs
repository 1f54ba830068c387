//! What a twin has otherwise than the run that it is compared with.

use crate::action::Act;
use crate::knobs::Knob;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// One thing in which a twin differs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Difference {
    /// A knob that it holds at a value all the way.
    Knob(&'static str, f64),
    /// An action that is done in it alone, at a moment.
    Act(Act, Time),
}

/// A difference as links hold it: knobs and actions by number, values in steps, microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stored {
    Knob(u8, u32),
    Act(u8, u32, u64),
}

impl Difference {
    /// The knob that differs, if it is one.
    pub fn knob(self) -> Option<&'static str> {
        match self {
            Difference::Knob(id, _) => Some(id),
            Difference::Act(..) => None,
        }
    }

    /// For a link; none for a knob that the lesson does not have.
    pub(crate) fn store(self, list: &[(Knob, f64)]) -> Option<Stored> {
        match self {
            Difference::Knob(id, value) => {
                let index = list.iter().position(|(knob, _)| knob.id == id)?;
                Some(Stored::Knob(index as u8, list[index].0.to_steps(value)))
            }
            Difference::Act(act, at) => Some(Stored::Act(act.spec as u8, act.target as u32, at.0)),
        }
    }

    /// From a link; none for what the lesson does not have.
    pub(crate) fn read(stored: Stored, list: &[(Knob, f64)], actions: usize) -> Option<Self> {
        match stored {
            Stored::Knob(index, steps) => {
                let (knob, _) = list.get(usize::from(index))?;
                Some(Difference::Knob(knob.id, knob.from_steps(steps)))
            }
            Stored::Act(spec, target, at) => {
                let spec = usize::from(spec);
                let target = target as usize;
                let known = spec < actions && at <= crate::tape::END.0;
                known.then_some(Difference::Act(Act { spec, target }, Time(at)))
            }
        }
    }
}
