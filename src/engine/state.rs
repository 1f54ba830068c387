//! The state of a run as a short text: versioned, checksummed, safe to read from anywhere.

use crate::action::{Act, ActionSpec};
use crate::difference::Stored;
use crate::knobs::Knob;
use crate::place::{Input, InputKind, Position};
use crate::time::Time;
use crate::typed::Typed;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use serde::{Deserialize, Serialize};

/// The checksum. Bit by bit: a state is short, and tables would weigh 16 KB in every page.
const CHECK: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);
/// The version written: the first that says all that is in the state, so that programs of that time can open it.
const VERSION: u8 = 1;
/// The version in which texts came.
const TYPED: u8 = 2;
/// Longer texts are not looked at.
pub const TEXT_MAX: usize = 2_048;

/// A run as data. Knobs are numbers in the order of their visit, values whole steps above the least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// The seed.
    pub seed: u32,
    knobs: Vec<(u8, u32)>,
    inputs: Vec<StoredInput>,
    at: u64,
    events: u64,
    inputs_done: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredInput {
    /// Microseconds since the input before.
    after: u64,
    /// Agenda events since the input before.
    events: u64,
    kind: StoredKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum StoredKind {
    Knob(u8, u32),
    Act(u8, u32),
    Told(u8, u32),
    Typed(u8, u32, String),
}

impl RunState {
    /// Takes down a run whose first knobs are `first` (a link holds them all: defaults may change some day).
    pub fn take(seed: u32, first: &[(Knob, f64)], inputs: &[Input], place: Position) -> RunState {
        let knobs = first
            .iter()
            .enumerate()
            .map(|(i, (knob, value))| (i as u8, knob.to_steps(*value)));
        let mut last = (0, 0);
        let stored = inputs.iter().map(|input| {
            let here = (input.at.0, input.events.unwrap_or(last.1));
            let kind = match input.kind {
                InputKind::Knob(id, value) => {
                    let (index, steps) = stored_knob(first, id, value);
                    StoredKind::Knob(index, steps)
                }
                InputKind::Told(id, value) => {
                    let (index, steps) = stored_knob(first, id, value);
                    StoredKind::Told(index, steps)
                }
                InputKind::Act(act) => StoredKind::Act(act.spec as u8, act.target as u32),
                InputKind::Typed(act, text) => {
                    StoredKind::Typed(act.spec as u8, act.target as u32, text.text().to_owned())
                }
            };
            let stored = StoredInput {
                after: here.0.saturating_sub(last.0),
                events: here.1.saturating_sub(last.1),
                kind,
            };
            last = here;
            stored
        });
        RunState {
            seed,
            knobs: knobs.collect(),
            inputs: stored.collect(),
            at: place.at.0,
            events: place.events,
            inputs_done: place.inputs,
        }
    }

    /// The first knobs, by the lesson's list; numbers that do not exist are left out.
    pub fn first_knobs(&self, list: &[(Knob, f64)]) -> Vec<(&'static str, f64)> {
        let known = self.knobs.iter().filter_map(|(index, steps)| {
            let (knob, _) = list.get(usize::from(*index))?;
            Some((knob.id, knob.from_steps(*steps)))
        });
        known.collect()
    }

    /// The inputs, by the lesson's lists of knobs and actions; those that do not exist are left out.
    pub fn inputs(&self, list: &[(Knob, f64)], actions: &[ActionSpec]) -> Vec<Input> {
        let action = |spec: u8, target: u32| {
            let found = actions.get(usize::from(spec))?;
            let act = Act {
                spec: spec.into(),
                target: target as usize,
            };
            Some((found.field, act))
        };
        let mut here = (0_u64, 0_u64);
        let mut inputs = Vec::new();
        for stored in &self.inputs {
            here = (
                here.0.saturating_add(stored.after),
                here.1.saturating_add(stored.events),
            );
            let kind = match stored.kind {
                StoredKind::Knob(index, steps) => list
                    .get(usize::from(index))
                    .map(|(knob, _)| InputKind::Knob(knob.id, knob.from_steps(steps))),
                StoredKind::Told(index, steps) => list
                    .get(usize::from(index))
                    .map(|(knob, _)| InputKind::Told(knob.id, knob.from_steps(steps))),
                StoredKind::Act(spec, target) => match action(spec, target) {
                    Some((None, act)) => Some(InputKind::Act(act)),
                    _ => None,
                },
                StoredKind::Typed(spec, target, ref text) => match action(spec, target) {
                    Some((Some(field), act)) => {
                        let text = Typed::new(text, field.most).ok();
                        text.map(|text| InputKind::Typed(act, text))
                    }
                    _ => None,
                },
            };
            if let Some(kind) = kind
                && here.0 <= crate::tape::END.0
            {
                // The exact place is checked by the replay: an input whose place never comes falls back to its time.
                inputs.push(Input {
                    at: Time(here.0),
                    events: Some(here.1),
                    kind,
                });
            }
        }
        inputs
    }

    /// Whether a run begins as another does: with the same seed and knobs.
    pub(crate) fn begins_as(&self, other: &RunState) -> bool {
        (self.seed, &self.knobs) == (other.seed, &other.knobs)
    }

    /// How many inputs it holds.
    pub(crate) fn len(&self) -> usize {
        self.inputs.len()
    }

    /// The playhead.
    pub fn place(&self) -> Position {
        Position {
            at: Time(self.at.min(crate::tape::END.0)),
            events: self.events,
            inputs: self.inputs_done,
        }
    }

    /// Where a run restored from this, with so many inputs, is to be taken: to its last input, then to its playhead.
    pub fn way(&self, inputs: usize) -> [Position; 2] {
        let last = Position {
            inputs: inputs as u32,
            ..self.furthest()
        };
        [last, self.place()]
    }

    /// The place of the last input.
    fn furthest(&self) -> Position {
        let at = self
            .inputs
            .iter()
            .fold(0_u64, |at, input| at.saturating_add(input.after));
        let events = self
            .inputs
            .iter()
            .fold(0_u64, |events, input| events.saturating_add(input.events));
        Position {
            at: Time(at.min(crate::tape::END.0)),
            events,
            inputs: self.inputs.len() as u32,
        }
    }
}

/// A knob as its number, and a value as steps.
fn stored_knob(list: &[(Knob, f64)], id: &str, value: f64) -> (u8, u32) {
    let index = list.iter().position(|(knob, _)| knob.id == id).unwrap_or(0);
    (index as u8, list[index].0.to_steps(value))
}

/// Everything on screen: the run, what it is compared with, and the beat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The run.
    pub run: RunState,
    /// The twin's knob (by number) and value (in steps).
    pub twin: Option<(u8, u32)>,
    /// The beat shown, from 0.
    pub beat: u8,
    /// What the twin has otherwise besides; written behind all else, where readers of earlier versions do not look.
    #[serde(skip)]
    pub(crate) also: Option<Stored>,
}

/// Why a text is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// Longer than [`TEXT_MAX`]; when writing, the run has too many inputs to fit.
    TooLong,
    /// Not base64url, cut short, or the checksum is wrong.
    Damaged,
    /// Written by a later version.
    Version,
}

impl Link {
    /// Writes the link as base64url.
    ///
    /// # Errors
    /// [`LinkError::TooLong`] if the run has too many inputs to fit.
    pub fn encode(&self) -> Result<String, LinkError> {
        let typed = |input: &StoredInput| matches!(input.kind, StoredKind::Typed(..));
        let version = match self.run.inputs.iter().any(typed) {
            true => TYPED,
            false => VERSION,
        };
        let mut bytes = vec![version];
        bytes.extend(postcard::to_allocvec(self).map_err(|_| LinkError::Damaged)?);
        if let Some(also) = &self.also {
            bytes.extend(postcard::to_allocvec(also).map_err(|_| LinkError::Damaged)?);
        }
        bytes.extend(CHECK.checksum(&bytes).to_le_bytes());
        let text = URL_SAFE_NO_PAD.encode(bytes);
        if text.len() > TEXT_MAX {
            Err(LinkError::TooLong)
        } else {
            Ok(text)
        }
    }

    /// Reads a link.
    ///
    /// # Errors
    /// See [`LinkError`]; nothing in a text can make this panic.
    pub fn decode(text: &str) -> Result<Link, LinkError> {
        if text.len() > TEXT_MAX {
            return Err(LinkError::TooLong);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| LinkError::Damaged)?;
        let (body, sum) = bytes.split_last_chunk::<4>().ok_or(LinkError::Damaged)?;
        if CHECK.checksum(body) != u32::from_le_bytes(*sum) {
            return Err(LinkError::Damaged);
        }
        let (version, body) = body.split_first().ok_or(LinkError::Damaged)?;
        if !(VERSION..=TYPED).contains(version) {
            return Err(LinkError::Version);
        }
        let (mut link, more) =
            postcard::take_from_bytes::<Link>(body).map_err(|_| LinkError::Damaged)?;
        if !more.is_empty() {
            link.also = Some(postcard::from_bytes(more).map_err(|_| LinkError::Damaged)?);
        }
        Ok(link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knobs::Kind;
    use crate::typed::Field;

    const LOAD: Knob = Knob {
        id: "load",
        kind: Kind::Slider {
            min: 5.0,
            max: 200.0,
            step: 0.5,
        },
        unit: "req/s",
        part: None,
    };

    const FIELD: Field = Field {
        most: 12,
        refusals: &[],
        samples: &["fox"],
    };
    const ACTIONS: [ActionSpec; 2] = [ActionSpec::whole("kick"), ActionSpec::typed("say", &FIELD)];

    fn link() -> Link {
        let inputs = [
            Input {
                at: Time::ms(1_500),
                events: Some(70),
                kind: InputKind::Knob("load", 80.0),
            },
            Input {
                at: Time::ms(1_500),
                events: Some(70),
                kind: InputKind::Act(Act { spec: 0, target: 1 }),
            },
            Input {
                at: Time::s(9),
                events: Some(900),
                kind: InputKind::Act(Act { spec: 7, target: 0 }),
            },
        ];
        let place = Position {
            at: Time::s(4),
            events: 300,
            inputs: 2,
        };
        Link {
            run: RunState::take(7, &[(LOAD, 48.0)], &inputs, place),
            twin: Some((0, 3)),
            beat: 4,
            also: Some(Stored::Act(0, 2, 1_500_000)),
        }
    }

    #[test]
    fn a_link_reads_back() {
        let text = link().encode().unwrap();
        assert!(text.len() < 80, "{} characters", text.len());
        let read = Link::decode(&text).unwrap();
        assert_eq!(read, link());
        let inputs = read.run.inputs(&[(LOAD, 0.0)], &ACTIONS);
        assert_eq!(
            inputs.len(),
            2,
            "the action that does not exist is left out"
        );
        assert_eq!(inputs[0].kind, InputKind::Knob("load", 80.0));
        assert_eq!(inputs[1].events, Some(70));
        assert_eq!(read.run.first_knobs(&[(LOAD, 0.0)]), [("load", 48.0)]);
    }

    /// A link of a run in which these texts were typed one after the other.
    fn typed(spec: usize, texts: &[&str]) -> Link {
        let act = Act { spec, target: 0 };
        let inputs = texts.iter().zip(1..).map(|(text, ms)| Input {
            at: Time::ms(ms),
            events: Some(ms),
            kind: InputKind::Typed(act, Typed::new(text, 200).unwrap()),
        });
        let inputs: Vec<_> = inputs.collect();
        Link {
            run: RunState::take(7, &[(LOAD, 48.0)], &inputs, Position::default()),
            twin: None,
            beat: 0,
            also: None,
        }
    }

    #[test]
    fn what_was_typed_reads_back_where_the_lesson_still_takes_it() {
        let texts = ["fox", "naïve", "שלום", "👩‍👩‍👧", "a text that is too long"];
        let text = typed(1, &texts).encode().unwrap();
        let read = Link::decode(&text).unwrap();
        let inputs = read.run.inputs(&[(LOAD, 0.0)], &ACTIONS);
        let text = |input: &Input| match input.kind {
            InputKind::Typed(Act { spec: 1, target: 0 }, text) => text.text(),
            other => panic!("{other:?}"),
        };
        let read: Vec<&str> = inputs.iter().map(text).collect();
        assert_eq!(read, texts[..4], "what a field refuses is left out");
        let other = typed(0, &["fox"]).run.inputs(&[(LOAD, 0.0)], &ACTIONS);
        assert_eq!(other, [], "an action that takes no text");
    }

    #[test]
    fn links_without_texts_are_as_they_were() {
        // Such links are in the world: what is written and read must stay as it is.
        let text = "AQcBAFYD4MZbRgAAlgEAAAEAAeDhyQO-BgEHAICS9AGsAgIBAAMEyIR8yg";
        let one = Link {
            also: None,
            ..link()
        };
        assert_eq!(one.encode().unwrap(), text);
        assert_eq!(Link::decode(text), Ok(one));
        assert_eq!(typed(1, &["fox"]).encode().unwrap().get(..2), Some("Ag"));
    }

    #[test]
    fn a_run_with_too_many_texts_says_that_it_fits_no_link() {
        let many: Vec<String> = (0..40).map(|n| format!("{n} {}", "x".repeat(60))).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(typed(1, &many).encode(), Err(LinkError::TooLong));
        assert!(typed(1, &many[..20]).encode().is_ok());
    }

    #[test]
    fn a_second_difference_reads_back_and_earlier_links_have_none() {
        let two = link().encode().unwrap();
        assert_eq!(Link::decode(&two).unwrap(), link());
        let one = Link {
            also: None,
            ..link()
        };
        let text = one.encode().unwrap();
        assert!(text.len() < two.len());
        assert_eq!(Link::decode(&text).unwrap(), one);
    }

    #[test]
    fn damage_is_noticed() {
        let text = link().encode().unwrap();
        for cut in 0..text.len() {
            assert!(Link::decode(&text[..cut]).is_err());
        }
        for i in 0..text.len() {
            let mut broken = text.clone().into_bytes();
            broken[i] = if broken[i] == b'A' { b'B' } else { b'A' };
            assert!(
                Link::decode(std::str::from_utf8(&broken).unwrap()).is_err(),
                "character {i}"
            );
        }
        assert_eq!(Link::decode(&"A".repeat(3_000)), Err(LinkError::TooLong));
        assert_eq!(Link::decode("ÄÖ"), Err(LinkError::Damaged));
    }
}
