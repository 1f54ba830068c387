//! Actions: what a learner does to the system at a moment.

use crate::ids::PartId;
use crate::typed::Field;

/// What an action is aimed at that takes a thing that moves.
pub const DOT: &str = "dot";

/// How an action is offered to the learner; its words are looked up by `id`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActionSpec {
    /// Names its words (`action.<id>`) and its message (`act {name}`).
    pub id: &'static str,
    /// The kind of part it is aimed at, such as `server`; [`DOT`] for things that move; none if it acts on the whole system.
    pub aim: Option<&'static str>,
    /// Whether pulling the dot does it too, the more often the further it is pulled.
    pub pull: bool,
    /// The knob that it turns by so much, if that is all it does: so the knob never lies.
    pub turn: Option<(&'static str, f64)>,
    /// What is typed, if it is done with a text; the field's label is the word `action.<id>.field`.
    pub field: Option<&'static Field>,
}

impl ActionSpec {
    /// An action on the whole system.
    pub const fn whole(id: &'static str) -> ActionSpec {
        ActionSpec {
            id,
            aim: None,
            turn: None,
            pull: false,
            field: None,
        }
    }

    /// An action on one part of a kind.
    pub const fn aimed(id: &'static str, aim: &'static str) -> ActionSpec {
        ActionSpec {
            id,
            aim: Some(aim),
            turn: None,
            pull: false,
            field: None,
        }
    }

    /// An action that turns a knob by `by`.
    pub const fn turning(id: &'static str, knob: &'static str, by: f64) -> ActionSpec {
        ActionSpec {
            id,
            aim: None,
            turn: Some((knob, by)),
            pull: false,
            field: None,
        }
    }

    /// An action on the whole system with a text that the learner types.
    pub const fn typed(id: &'static str, field: &'static Field) -> ActionSpec {
        ActionSpec {
            field: Some(field),
            ..ActionSpec::whole(id)
        }
    }

    /// An action on a thing that moves: its target is the number of the dot.
    pub const fn on_dot(id: &'static str) -> ActionSpec {
        ActionSpec::aimed(id, DOT)
    }

    /// Done by pulling the dot too.
    pub const fn pulled(mut self) -> ActionSpec {
        self.pull = true;
        self
    }

    /// Whether a learner may aim this action at `part`.
    pub fn fits(&self, part: PartId) -> bool {
        self.aim == Some(part.kind)
    }
}

/// An action as data: which one of the lesson's list, and the number of the part it is aimed at (from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// Index into the sheet's list of actions.
    pub spec: usize,
    /// Number of the part aimed at, from 0, or of the dot; 0 for actions on the whole system.
    pub target: usize,
}

/// The actions of a model.
pub trait Action: Copy + 'static {
    /// The action number `act.spec` of the sheet's list aimed at `act.target`; none for a number that does not exist.
    fn from_act(act: Act) -> Option<Self>;
}

/// A model that takes actions as they come, by their numbers.
impl Action for Act {
    fn from_act(act: Act) -> Option<Act> {
        Some(act)
    }
}
