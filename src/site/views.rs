//! What the document shows of a run, as plain data: signals hold these and change when they do.

use engine::scene::PartId;
use engine::tape::NoteId;
use engine::{Time, Tone};

/// What the story strip shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StoryView {
    /// The beat shown, from 0.
    pub(crate) beat: usize,
    /// How many there are.
    pub(crate) count: usize,
    /// Its caption.
    pub(crate) caption: String,
    /// What is awaited, while Next plays.
    pub(crate) waiting: Option<String>,
    /// Whether the awaited state did not come up.
    pub(crate) stuck: bool,
    /// The question that the beat asks, while it is unanswered, with the answers.
    pub(crate) ask: Option<(String, Vec<String>)>,
    /// The answer that is locked in but not settled yet.
    pub(crate) locked: Option<String>,
    /// How a guess turned out.
    pub(crate) result: Option<Verdict>,
}

/// How a guess turned out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// The answer given.
    pub(crate) guess: String,
    /// The answer that proved right.
    pub(crate) truth: String,
    /// Whether they are the same.
    pub(crate) right: bool,
    /// What the story says to it.
    pub(crate) text: String,
}

/// An action as a button.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Offer {
    /// Its number.
    pub(crate) spec: usize,
    /// Its id.
    pub(crate) id: &'static str,
    /// The part it is aimed at, from 0.
    pub(crate) target: usize,
    /// Whether it is aimed at the picked part.
    pub(crate) picked: bool,
    /// Whether it makes sense now.
    pub(crate) can: bool,
}

/// A part as the hidden list names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PartView {
    /// Its id.
    pub(crate) id: PartId,
    /// Its name and its state.
    pub(crate) text: String,
}

/// The inspector: what was picked and why it is as it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Inspection {
    /// The part, if it is one.
    pub(crate) part: Option<PartId>,
    /// Its name.
    pub(crate) title: String,
    /// Its state in words.
    pub(crate) value: String,
    /// What led to it, oldest first.
    pub(crate) chain: Vec<Cause>,
}

/// One link of a chain of causes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cause {
    /// What happened.
    pub(crate) text: String,
    /// Its colour.
    pub(crate) tone: Tone,
    /// When: where to go to see it.
    pub(crate) at: Time,
    /// The note that says it.
    pub(crate) note: NoteId,
}
