//! What the tape's events lane shows, worked out from the tape; plain data without a browser.

use crate::texts::t;
use engine::knobs::Kind;
use engine::tape::Note;
use engine::{Arg, Knob, Player, Time, Tone, Words, plot, text};

/// Marks nearer than this share of the lane would lie over each other.
const NEAR: f64 = 0.006;

/// The events lane.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lane {
    /// The end of the time axis.
    pub(crate) span: Time,
    /// How far the run has been.
    pub(crate) horizon: Time,
    /// Single events.
    pub(crate) marks: Vec<Mark>,
    /// Epochs.
    pub(crate) bands: Vec<BandView>,
    /// Guesses that were settled.
    pub(crate) guesses: Vec<Settled>,
    /// The lost future: from and until.
    pub(crate) ghost: Option<(f64, f64)>,
}

/// A mark, placed as a share of the lane.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) at: f64,
    pub(crate) tone: Tone,
    pub(crate) title: String,
    /// Whether it lies in the lost future.
    pub(crate) ghost: bool,
}

/// An epoch, placed as shares of the lane.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BandView {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) tone: Tone,
    pub(crate) title: String,
}

/// A settled guess.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    pub(crate) at: f64,
    pub(crate) right: bool,
    pub(crate) title: String,
}

fn weight(tone: Tone) -> u8 {
    match tone {
        Tone::Plain => 0,
        Tone::Ok => 1,
        Tone::Learner => 2,
        Tone::Warn => 3,
        Tone::Bad => 4,
    }
}

impl Lane {
    /// The lane of a player's tape.
    pub(crate) fn of(player: &Player, words: &Words) -> Lane {
        let main = player.main();
        let tape = main.tape();
        let horizon = main.horizon().at;
        let span = plot::span(horizon);
        let share = |at: Time| (at.as_s() / span.as_s()).min(1.0);
        let knobs = main.knobs();
        let mut marks: Vec<Mark> = Vec::new();
        let mut add = |note: &Note, ghost: bool| {
            let at = share(note.at);
            if let Some(last) = marks.last_mut()
                && last.ghost == ghost
                && at - last.at < NEAR
            {
                // The gravest of those that share a place is the one worth seeing.
                if weight(note.tone) <= weight(last.tone) {
                    return;
                }
                marks.pop();
            }
            let title = note_text(note, words, &knobs);
            marks.push(Mark {
                at,
                tone: note.tone,
                title,
                ghost,
            });
        };
        tape.marks().iter().for_each(|note| add(note, false));
        let ghost = tape.ghost().and_then(|ghost| {
            let lost = ghost.lines.first().map_or(0, Vec::len);
            let until = Time((ghost.first + lost) as u64 * engine::probe::SAMPLE_EVERY.0);
            ghost.marks.iter().for_each(|note| add(note, true));
            (until > ghost.from).then(|| (share(ghost.from), share(until)))
        });
        let bands = tape.bands().into_iter().map(|band| BandView {
            from: share(band.from),
            to: share(band.until.unwrap_or(horizon)),
            tone: band.tone,
            title: words.get(&format!("epoch.{}", band.word)).to_owned(),
        });
        let guesses = player.guesses().iter().filter_map(|guess| {
            let (at, truth) = guess.settled?;
            let right = truth == guess.choice;
            let title = t(if right { "guess.right" } else { "guess.wrong" });
            Some(Settled {
                at: share(at),
                right,
                title,
            })
        });
        Lane {
            span,
            horizon,
            bands: bands.collect(),
            guesses: guesses.collect(),
            marks,
            ghost,
        }
    }
}

/// The sentence of a note; turned knobs are named by their labels, and choices by theirs.
pub(crate) fn note_text(note: &Note, words: &Words, knobs: &[(Knob, f64)]) -> String {
    if let ("you-set", Some(Arg::Word(id)), Some(Arg::Number(value))) =
        (note.word, note.args[0], note.args[1])
        && let Some((knob, _)) = knobs.iter().find(|(knob, _)| knob.id == id)
    {
        let label = words.get(&format!("knob.{id}")).to_owned();
        let value = knob_value(knob, value, words);
        return words
            .get("say.you-set")
            .replace("{0}", &label)
            .replace("{1}", &value);
    }
    words.note(note)
}

/// A knob's value as the learner reads it: `48 req/s`, `Round robin`, `on`.
pub(crate) fn knob_value(knob: &Knob, value: f64, words: &Words) -> String {
    match knob.kind {
        Kind::Choice(options) => {
            let option = options.get(value as usize).copied().unwrap_or_default();
            words.get(&format!("knob.{}.{option}", knob.id)).to_owned()
        }
        Kind::Switch => t(if value > 0.0 { "knob.on" } else { "knob.off" }),
        Kind::Slider { .. } if knob.unit.is_empty() => text::trim_number(value),
        Kind::Slider { .. } => format!("{} {}", text::trim_number(value), knob.unit),
    }
}
