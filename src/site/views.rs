//! What the document shows of a run, as plain data: signals hold these and change when they do.

use crate::texts::tx;
use engine::scene::PartId;
use engine::tape::NoteId;
use engine::text::trim_number;
use engine::{Scale, Time, Tone};
use serde::Deserialize;

/// What the story shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StoryView {
    /// The beat shown, from 0.
    pub(crate) beat: usize,
    /// All of them.
    pub(crate) dots: Vec<Dot>,
    /// What is said now.
    pub(crate) line: String,
    /// What kind of line that is.
    pub(crate) says: Saying,
    /// Whether the awaited state did not come up.
    pub(crate) stuck: bool,
    /// The question that the beat asks, while it is unanswered, with the answers.
    pub(crate) ask: Option<Ask>,
    /// The answer that is locked in but not settled yet.
    pub(crate) locked: Option<String>,
    /// How a guess turned out.
    pub(crate) result: Option<Verdict>,
}

/// A question of the story.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    /// What is asked.
    pub(crate) question: String,
    /// What may be answered.
    pub(crate) answers: Vec<String>,
    /// Where the answer is a number, the numbers and which answer each means.
    pub(crate) scale: Option<Scale>,
}

/// What the story's line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Saying {
    /// The caption of the beat at which the run stands.
    #[default]
    Caption,
    /// What is awaited, while Next plays.
    Wait,
    /// Where the run stands between two beats.
    Past,
}

/// A beat among all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dot {
    /// Its caption, once it has been seen.
    pub(crate) said: Option<String>,
    /// Whether it asks something that is not answered.
    pub(crate) asks: bool,
}

/// A challenge that the learner is at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Goal {
    /// Its number.
    pub(crate) challenge: usize,
    /// What is to be reached.
    pub(crate) text: String,
    /// How much of it there is.
    pub(crate) now: f64,
    /// How much is wanted.
    pub(crate) of: f64,
    /// Whether it was reached, be it on an earlier visit.
    pub(crate) done: bool,
}

impl StoryView {
    /// All of it as one text to be heard.
    pub(crate) fn spoken(&self) -> String {
        let mut said = Vec::new();
        if let Some(result) = &self.result {
            if !result.right {
                said.push(tx("story.your-guess", &result.guess) + ".");
            }
            said.push(result.happened() + ".");
            said.push(result.text.clone());
        }
        said.push(self.line.replace("**", ""));
        if let Some(ask) = &self.ask {
            said.push(ask.question.clone());
            said.push(match &ask.scale {
                Some(Scale {
                    range: [min, max, _],
                    unit,
                    ..
                }) => {
                    let [min, max] = [min, max].map(|end| trim_number(*end));
                    tx("story.from-to", &format!("{min}–{max} {unit}"))
                        .trim_end()
                        .to_owned()
                }
                None => ask.answers.join("; "),
            });
        }
        said.join(" ")
    }
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

impl Verdict {
    /// What happened, and whether that was guessed.
    pub(crate) fn happened(&self) -> String {
        let word = if self.right {
            "story.guessed"
        } else {
            "story.happened"
        };
        tx(word, &self.truth)
    }
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
    /// Whether more led to it than the link before it.
    pub(crate) gap: bool,
    /// Its word, and the words that it is told with: what marks lines of code.
    pub(crate) event: String,
}

/// What happened last at the place that is looked at, or to what is picked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Happened {
    /// In a sentence.
    pub(crate) text: String,
    /// As words that mark lines of code.
    pub(crate) events: Vec<String>,
}

/// A region of the sources, as press cuts it out (`press::code`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Region {
    /// Its name among the lesson's words, after `code.`.
    pub(crate) name: String,
    /// The file, from the project's top.
    pub(crate) file: String,
    /// The number of the first line.
    pub(crate) from: usize,
    /// The lines.
    pub(crate) lines: Vec<String>,
    /// Which lines, from 0, make which events happen.
    pub(crate) marks: Vec<(String, Vec<usize>)>,
}

/// The code of a lesson: on its way, here, or what kept it away.
pub(crate) type Found = Option<Result<Vec<Region>, String>>;

impl Region {
    /// Which lines made one of these events happen. An event is the word of its note and those that it is told with, such
    /// as `picked round-robin`; a mark names one or several of them.
    pub(crate) fn marked(&self, events: &[String]) -> Vec<usize> {
        let says = |event: &String, mark: &str| {
            mark.split(' ')
                .all(|word| event.split(' ').any(|said| said == word))
        };
        let marks = self.marks.iter();
        let hit = marks.filter(|(mark, _)| events.iter().any(|event| says(event, mark)));
        hit.flat_map(|(_, lines)| lines).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_marks_its_lines() {
        let region = Region {
            name: "turn".to_owned(),
            file: String::new(),
            from: 1,
            lines: Vec::new(),
            marks: vec![
                ("picked".to_owned(), vec![1]),
                ("picked round-robin".to_owned(), vec![3, 4]),
            ],
        };
        let marked = |events: &[&str]| {
            let events: Vec<String> = events.iter().map(|&event| event.to_owned()).collect();
            region.marked(&events)
        };
        assert_eq!(marked(&["picked random"]), [1]);
        assert_eq!(marked(&["crashed", "picked round-robin"]), [1, 3, 4]);
        assert_eq!(marked(&["unpicked"]), [0; 0]);
    }
}
