//! Words: sentences by id with values put in their places.

use crate::arg::Arg;
use crate::ids::{Glyph, Ink};
use crate::tape::Note;
use crate::text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All short texts of one lesson in one language; prose travels apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words {
    texts: BTreeMap<String, String>,
}

impl Words {
    /// Words from (id, text) pairs; of equal ids the last wins.
    pub fn new(texts: impl IntoIterator<Item = (String, String)>) -> Words {
        Words {
            texts: texts.into_iter().collect(),
        }
    }

    /// The text of `id`, or the id itself: a missing word shows as its name instead of as nothing.
    pub fn get<'a>(&'a self, id: &'a str) -> &'a str {
        self.texts.get(id).map_or(id, String::as_str)
    }

    /// Whether there is a text of this id.
    pub fn has(&self, id: &str) -> bool {
        self.texts.contains_key(id)
    }

    /// All ids in alphabetical order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// The text of `id` with `{0}`, `{1}`, … replaced by the values.
    pub fn fill(&self, id: &str, args: &[Arg]) -> String {
        let text = self.get(id);
        let mut filled = String::with_capacity(text.len() + 16);
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            filled.push_str(&rest[..open]);
            let close = rest[open..].find('}').map(|offset| open + offset);
            let index = close.and_then(|close| rest[open + 1..close].parse::<usize>().ok());
            match (close, index.and_then(|index| args.get(index))) {
                (Some(close), Some(arg)) => {
                    filled.push_str(&self.write(arg));
                    rest = &rest[close + 1..];
                }
                _ => {
                    filled.push('{');
                    rest = &rest[open + 1..];
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    /// The sentence of a note.
    pub fn note(&self, note: &Note) -> String {
        let args: Vec<Arg> = note.args.iter().flatten().copied().collect();
        self.fill(&format!("say.{}", note.word), &args)
    }

    /// What a moving thing is: `glyph.<glyph>.<ink>` where the lesson tells its colours apart, `glyph.<glyph>` else.
    pub fn glyph(&self, glyph: Glyph, ink: Ink) -> &str {
        let plain = format!("glyph.{}", glyph.name());
        let tinted = format!("{plain}.{}", ink.name());
        self.texts
            .get(&tinted)
            .or_else(|| self.texts.get(&plain))
            .map_or(glyph.name(), String::as_str)
    }

    /// One value as text. The name of a part is `part.<kind>`, where `{0}` is its number and `{1}` the word
    /// `nth.<number>`.
    pub fn write(&self, arg: &Arg) -> String {
        match arg {
            Arg::Count(n) => n.to_string(),
            Arg::Number(x) => text::trim_number(*x),
            Arg::Span(time) => text::span(*time),
            Arg::Tenths(n) => format!("{}.{}", n / 10, n % 10),
            Arg::Share(share) => {
                let decimals = u8::from(*share > 0.0 && *share < 0.01);
                format!("{} %", text::fixed(share * 100.0, decimals))
            }
            Arg::Word(id) => self.get(id).to_owned(),
            Arg::Typed(typed) => typed.quoted(),
            // Several kinds of parts may share the names of what they belong to: `{1} queue`, `{1} worker`.
            Arg::Part(part) => self
                .fill(
                    &format!("part.{}", part.kind),
                    &[Arg::Count(i64::from(part.number))],
                )
                .replace("{1}", self.get(&format!("nth.{}", part.number))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::PartId;
    use crate::time::Time;

    #[test]
    fn values_stand_in_their_places() {
        let words = Words::new(
            [
                ("say.crash", "{0} fell after {1}: {2} lost {9} {x"),
                ("part.server", "Server {0}"),
            ]
            .map(|(id, text)| (id.to_owned(), text.to_owned())),
        );
        let note = Note::new("crash")
            .with(Arg::Part(PartId::nth("server", 2)))
            .with(Arg::Span(Time::ms(900)))
            .with(Arg::Share(0.005));
        assert_eq!(
            words.note(&note),
            "Server 2 fell after 900 ms: 0.5 % lost {9} {x"
        );
        assert_eq!(words.get("nothing"), "nothing");
    }

    #[test]
    fn a_glyph_may_be_named_by_its_colour() {
        let words = Words::new(
            [("glyph.response", "answer"), ("glyph.response.hit", "hit")]
                .map(|(id, text)| (id.to_owned(), text.to_owned())),
        );
        assert_eq!(words.glyph(Glyph::Response, Ink::Hit), "hit");
        assert_eq!(words.glyph(Glyph::Response, Ink::Ok), "answer");
        assert_eq!(words.glyph(Glyph::Failure, Ink::Bad), "failure");
    }

    #[test]
    fn parts_of_several_kinds_share_the_names_of_their_owners() {
        let words = Words::new(
            [
                ("nth.2", "SMS"),
                ("part.queue", "{1} queue"),
                ("part.worker", "{1} worker {0}"),
            ]
            .map(|(id, text)| (id.to_owned(), text.to_owned())),
        );
        let name = |kind| words.write(&Arg::Part(PartId::nth(kind, 2)));
        assert_eq!(
            (name("queue"), name("worker")),
            ("SMS queue".to_owned(), "SMS worker 2".to_owned())
        );
    }
}
