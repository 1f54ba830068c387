//! The messages between a lesson and the page around it: one table, and how commands are read without trust.

use crate::parameter::STATE_MAX;

/// The `ns` of every message.
pub const NAMESPACE: &str = "loadlab";
/// The `v` of every message; a change that breaks readers counts it up.
pub const VERSION: u32 = 1;
/// A lesson says hello this often, in milliseconds.
pub const HELLO_EVERY_MS: u32 = 500;
/// A lesson says hello so many times at most.
pub const HELLO_TIMES: u32 = 20;
/// Changes of knobs are told at most this often, in milliseconds.
pub const CHANGE_EVERY_MS: u32 = 250;
/// Heights are told at most this often, in milliseconds.
pub const RESIZE_EVERY_MS: u32 = 100;
/// Bounds of a height, in CSS pixels.
pub const HEIGHTS: (f64, f64) = (200.0, 4_000.0);
/// WordPress takes no more than this, in CSS pixels.
pub const WORDPRESS_MAX: f64 = 1_000.0;
/// So many commands wait at most; more are refused.
pub const QUEUE_MAX: usize = 64;
/// Names and short texts are no longer than this.
const NAME_MAX: usize = 100;

/// Who sends a message, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The lesson to its parent window, before there is a port.
    Greeting,
    /// The parent to the lesson's window, transferring a port.
    Opening,
    /// The lesson on the port.
    Event,
    /// The parent on the port; answered by `ack`.
    Command,
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type and meaning in words.
    pub what: &'static str,
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its `type`.
    pub name: &'static str,
    /// Who sends it.
    pub way: Way,
    /// What it says beside `ns`, `v` and `type` (and the `id` of a command).
    pub fields: &'static [Field],
    /// When it is sent, or what it does.
    pub what: &'static str,
}

const fn field(name: &'static str, what: &'static str) -> Field {
    Field { name, what }
}

const fn message(
    name: &'static str,
    way: Way,
    fields: &'static [Field],
    what: &'static str,
) -> Message {
    Message {
        name,
        way,
        fields,
        what,
    }
}

/// All messages, in the order in which the reference lists them.
pub const MESSAGES: [Message; 25] = [
    message(
        "hello",
        Way::Greeting,
        &[
            field("lesson", "text: the lesson's slug"),
            field("version", "text: the version of the site"),
        ],
        "Sent to any parent every 500 ms, at most 20 times, until it connects. It says nothing about the learner.",
    ),
    message(
        "connect",
        Way::Opening,
        &[field(
            "keys",
            "boolean: whether to tell keys that the lesson has no use for; left out, it does not",
        )],
        "Transfers one MessagePort, on which all else is said. Only the parent window can connect; a later connect replaces the port.",
    ),
    message(
        "ready",
        Way::Event,
        &[
            field("params", "object: the parameters in force, as text by name"),
            field(
                "warnings",
                "list of text: what in the address was not valid",
            ),
            field("beats", "list of text: the ids of the story's steps"),
        ],
        "Sent once the port is there and the first frame is drawn.",
    ),
    message(
        "resize",
        Way::Event,
        &[field("height", "number: CSS pixels, 200 to 4000")],
        "Sent when the lesson wants another height, at most ten times a second; without a port it goes to the parent window.",
    ),
    message(
        "step",
        Way::Event,
        &[
            field("beat", "number: the step of the story, from 1"),
            field("count", "number: how many there are"),
        ],
        "Sent when the story shows another step.",
    ),
    message(
        "change",
        Way::Event,
        &[
            field("name", "text: the knob's id"),
            field("value", "number, or text for a choice"),
        ],
        "Sent when a knob has another value, at most four times a second.",
    ),
    message(
        "predict",
        Way::Event,
        &[
            field("beat", "number: the step that asked, from 1"),
            field("choice", "number: the answer given, from 0"),
            field("correct", "boolean"),
            field("truth", "number: the answer that proved right, from 0"),
        ],
        "Sent when a guess is settled.",
    ),
    message(
        "challenge",
        Way::Event,
        &[field("id", "text")],
        "Sent when a challenge is reached.",
    ),
    message(
        "complete",
        Way::Event,
        &[
            field(
                "score",
                "number from 0 to 1: right divided by questions; 1 if the story asks nothing",
            ),
            field("right", "number: guesses that proved right in this visit"),
            field("questions", "number: how many questions the story asks"),
            field(
                "ms",
                "number: real milliseconds since the lesson was opened",
            ),
        ],
        "Sent once a visit, when the last step of the story is reached, by Next or by a beat command. A question left out counts as not right. Challenges are optional and not part of the score; each is told by challenge.",
    ),
    message(
        "key",
        Way::Event,
        &[
            field(
                "key",
                "text: as of the browser's KeyboardEvent, as the others are",
            ),
            field("code", "text"),
            field("keyCode", "number"),
            field("shiftKey", "boolean"),
        ],
        "Sent to a parent that connected with keys, when a key is pressed in the lesson of which it has no use, such as Page Down, Escape or F.",
    ),
    message(
        "error",
        Way::Event,
        &[
            field("code", "text: state or panic"),
            field("message", "text"),
        ],
        "Sent when a shared state cannot be opened, and when the lesson cannot go on.",
    ),
    message(
        "ack",
        Way::Event,
        &[
            field("id", "the id of the command"),
            field("ok", "boolean"),
            field("error", "text: why not; only if not ok"),
            field("state", "text: only in answer to getState"),
        ],
        "Answers each command.",
    ),
    message("play", Way::Command, &[], "Starts time."),
    message("pause", Way::Command, &[], "Stops time."),
    message(
        "restart",
        Way::Command,
        &[],
        "Goes back to the start; inputs stay on the tape.",
    ),
    message(
        "seek",
        Way::Command,
        &[field("at", "number: seconds of simulated time")],
        "Goes to a moment.",
    ),
    message(
        "beat",
        Way::Command,
        &[field("n", "number: a step of the story, from 1")],
        "Goes to a step of the story.",
    ),
    message(
        "set",
        Way::Command,
        &[
            field("name", "text: a knob's id"),
            field("value", "number, boolean, or the name of an option"),
        ],
        "Turns a knob, locked or not.",
    ),
    message(
        "act",
        Way::Command,
        &[
            field("name", "text: an action's id"),
            field(
                "target",
                "number: the part it is aimed at, counted from 1 as parts are named: 2 is Server 2; left out, the lesson picks one",
            ),
            field(
                "text",
                "text: what is typed; needed by actions that take one, and ignored by others. A text that is not taken is acknowledged with ok false and error empty, long, unreadable, full, now, or the lesson's own reason",
            ),
        ],
        "Does an action.",
    ),
    message(
        "getState",
        Way::Command,
        &[],
        "Asks for the whole run as the state parameter takes it.",
    ),
    message(
        "setState",
        Way::Command,
        &[field("state", "text")],
        "Opens a run.",
    ),
    message(
        "theme",
        Way::Command,
        &[field("value", "text: auto, light, dark or contrast")],
        "Changes the colours.",
    ),
    message(
        "motion",
        Way::Command,
        &[field("value", "text: auto or reduce")],
        "Changes whether things may travel; the reader's own wish for less motion still holds.",
    ),
    message(
        "lang",
        Way::Command,
        &[field("value", "text: a language tag")],
        "Asks for a language. The lesson's words are read as it opens, so one that it would change to is refused; put lang into the address.",
    ),
    message("size", Way::Command, &[], "Asks for a resize event now."),
];

/// The score of a story: right guesses among its questions.
pub fn score(right: usize, questions: usize) -> f64 {
    match questions {
        0 => 1.0,
        questions => right as f64 / questions as f64,
    }
}

/// A message as it came: fields by name, of any type or none.
pub trait Fields {
    /// The field as text, if it is text.
    fn text(&self, name: &str) -> Option<String>;
    /// The field as a number, if it is one.
    fn number(&self, name: &str) -> Option<f64>;
    /// The field as a boolean, if it is one.
    fn flag(&self, name: &str) -> Option<bool>;
}

/// What the parent asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start time.
    Play,
    /// Stop time.
    Pause,
    /// Go back to the start.
    Restart,
    /// Go to a moment, in seconds.
    Seek(f64),
    /// Go to a beat, from 1.
    Beat(usize),
    /// Turn a knob to a value as addresses write it.
    Set(String, String),
    /// Do an action, aimed at a part from 1, with a text.
    Act(String, Option<usize>, Option<String>),
    /// Tell the whole run.
    GetState,
    /// Open a run.
    SetState(String),
    /// Change the theme, an index into [`crate::parameter::THEMES`].
    Theme(usize),
    /// Change whether things may travel.
    Motion(bool),
    /// Change the language.
    Lang(String),
    /// Tell the height.
    Size,
}

/// Whether a message is one of ours at all; what is not gets no answer.
pub fn ours(fields: &dyn Fields) -> bool {
    fields.text("ns").as_deref() == Some(NAMESPACE)
        && fields.number("v") == Some(f64::from(VERSION))
}

impl Command {
    /// Reads a command.
    ///
    /// # Errors
    /// What is wrong with it, for the `ack`.
    pub fn read(fields: &dyn Fields) -> Result<Command, &'static str> {
        let name = |field: &str| fields.text(field).filter(|text| text.len() <= NAME_MAX);
        let number = |field: &str| fields.number(field).filter(|value| value.is_finite());
        let kind = name("type").ok_or("type is missing")?;
        Ok(match kind.as_str() {
            "play" => Command::Play,
            "pause" => Command::Pause,
            "restart" => Command::Restart,
            "seek" => Command::Seek(number("at").ok_or("at is no number")?.max(0.0)),
            // Casting saturates, so any finite number gives a step that can be clamped.
            "beat" => Command::Beat((number("n").ok_or("n is no number")? as usize).max(1)),
            "set" => {
                let knob = name("name").ok_or("name is missing")?;
                let value = name("value")
                    .or_else(|| number("value").map(|value| value.to_string()))
                    .or_else(|| fields.flag("value").map(|value| value.to_string()));
                Command::Set(knob, value.ok_or("value is not valid")?)
            }
            "act" => {
                let target = match fields.number("target") {
                    Some(at) if at >= 1.0 && at.is_finite() => Some(at as usize),
                    Some(_) => return Err("target is not valid"),
                    None => None,
                };
                let name = name("name").ok_or("name is missing")?;
                Command::Act(name, target, fields.text("text"))
            }
            "getState" => Command::GetState,
            "setState" => {
                let state = fields.text("state").ok_or("state is missing")?;
                if state.len() > STATE_MAX {
                    return Err("state is too long");
                }
                Command::SetState(state)
            }
            "theme" => {
                let value = name("value").unwrap_or_default();
                let themes = crate::parameter::THEMES;
                let found = themes.iter().position(|theme| *theme == value);
                Command::Theme(found.ok_or("value is no theme")?)
            }
            "motion" => match name("value").as_deref() {
                Some("auto") => Command::Motion(false),
                Some("reduce") => Command::Motion(true),
                _ => return Err("value is neither auto nor reduce"),
            },
            "lang" => {
                let value = name("value").unwrap_or_default();
                Command::Lang(crate::language::tidy(&value).ok_or("value is no language")?)
            }
            "size" => Command::Size,
            _ => return Err("unknown type"),
        })
    }

    /// Whether a later command makes this one needless, so that a flood of them costs no more than one.
    pub fn superseded_by(&self, later: &Command) -> bool {
        use Command::{Beat, GetState, Lang, Motion, Pause, Play, Restart, Seek, Set, Size, Theme};
        match (self, later) {
            (Set(knob, _), Set(other, _)) => knob == other,
            (Play | Pause, Play | Pause)
            | (Seek(_) | Beat(_) | Restart, Seek(_) | Beat(_) | Restart)
            | (Theme(_), Theme(_))
            | (Motion(_), Motion(_))
            | (Lang(_), Lang(_))
            | (Size, Size) => true,
            // Each of these wants an answer of its own.
            (GetState, _) => false,
            _ => false,
        }
    }
}

/// Commands that wait for their turn: bounded, and the last of a kind counts.
#[derive(Debug, Default)]
pub struct Queue<Id> {
    waiting: Vec<(Id, Command)>,
}

/// What became of a command that was put into the queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Put<Id> {
    /// It waits.
    Waits,
    /// It waits in the place of an earlier one, which is as good as done.
    Replaced(Id),
    /// There is no room.
    Full(Id),
}

impl<Id> Queue<Id> {
    /// Puts a command into the queue. Only the last waiting command may be replaced, or their order would change.
    pub fn put(&mut self, id: Id, command: Command) -> Put<Id> {
        if let Some((_, last)) = self.waiting.last_mut()
            && last.superseded_by(&command)
            && let Some((old, _)) = self.waiting.pop()
        {
            self.waiting.push((id, command));
            return Put::Replaced(old);
        }
        if self.waiting.len() >= QUEUE_MAX {
            return Put::Full(id);
        }
        self.waiting.push((id, command));
        Put::Waits
    }

    /// Takes the command that waits longest.
    pub fn take(&mut self) -> Option<(Id, Command)> {
        (!self.waiting.is_empty()).then(|| self.waiting.remove(0))
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Clone)]
    enum Value {
        Text(&'static str),
        Number(f64),
        Flag(bool),
    }
    struct Sent(BTreeMap<&'static str, Value>);
    impl Fields for Sent {
        fn text(&self, name: &str) -> Option<String> {
            match self.0.get(name) {
                Some(Value::Text(text)) => Some((*text).to_owned()),
                _ => None,
            }
        }
        fn number(&self, name: &str) -> Option<f64> {
            match self.0.get(name) {
                Some(Value::Number(number)) => Some(*number),
                _ => None,
            }
        }
        fn flag(&self, name: &str) -> Option<bool> {
            match self.0.get(name) {
                Some(Value::Flag(flag)) => Some(*flag),
                _ => None,
            }
        }
    }
    fn read(kind: &'static str, fields: &[(&'static str, Value)]) -> Result<Command, &'static str> {
        let mut sent: BTreeMap<_, _> = fields.iter().cloned().collect();
        sent.insert("type", Value::Text(kind));
        Command::read(&Sent(sent))
    }

    #[test]
    fn every_command_of_the_table_is_read() {
        for message in MESSAGES
            .iter()
            .filter(|message| message.way == Way::Command)
        {
            let fields: Vec<_> = message
                .fields
                .iter()
                .map(|field| {
                    let value = match (message.name, field.name) {
                        ("theme", _) => Value::Text("dark"),
                        ("motion", _) => Value::Text("reduce"),
                        ("lang", _) => Value::Text("en-GB"),
                        (_, "at" | "n" | "target") => Value::Number(2.0),
                        _ => Value::Text("load"),
                    };
                    (field.name, value)
                })
                .collect();
            assert!(read(message.name, &fields).is_ok(), "{}", message.name);
        }
        assert_eq!(
            read(
                "set",
                &[("name", Value::Text("lid")), ("value", Value::Flag(true))]
            ),
            Ok(Command::Set("lid".to_owned(), "true".to_owned()))
        );
    }

    #[test]
    fn junk_is_refused() {
        for (kind, fields) in [
            ("", &[][..]),
            ("nonsense", &[]),
            ("__proto__", &[]),
            ("seek", &[("at", Value::Number(f64::NAN))]),
            ("seek", &[("at", Value::Text("1"))]),
            ("beat", &[("n", Value::Number(f64::INFINITY))]),
            ("set", &[("name", Value::Number(1.0))]),
            ("set", &[("name", Value::Text("load"))]),
            (
                "act",
                &[
                    ("name", Value::Text("crash")),
                    ("target", Value::Number(-1.0)),
                ],
            ),
            ("setState", &[("state", Value::Flag(true))]),
            ("theme", &[("value", Value::Text("pink"))]),
            ("motion", &[]),
            ("lang", &[("value", Value::Text("?"))]),
        ] {
            assert!(read(kind, fields).is_err(), "{kind}");
        }
        assert_eq!(
            read("beat", &[("n", Value::Number(-5.0))]),
            Ok(Command::Beat(1))
        );
    }

    #[test]
    fn only_our_version_is_ours() {
        let sent = |ns, v| {
            Sent(
                [("ns", Value::Text(ns)), ("v", Value::Number(v))]
                    .into_iter()
                    .collect(),
            )
        };
        assert!(ours(&sent("loadlab", 1.0)));
        assert!(!ours(&sent("loadlab", 2.0)));
        assert!(!ours(&sent("other", 1.0)));
        assert!(!ours(&Sent(BTreeMap::new())));
    }

    #[test]
    fn a_flood_waits_in_a_bounded_queue() {
        let mut queue = Queue::default();
        for id in 0..10_000 {
            let put = queue.put(id, Command::Set("load".to_owned(), id.to_string()));
            assert_eq!(
                put,
                if id == 0 {
                    Put::Waits
                } else {
                    Put::Replaced(id - 1)
                }
            );
        }
        assert_eq!(
            queue.take(),
            Some((9_999, Command::Set("load".to_owned(), "9999".to_owned())))
        );
        assert!(queue.is_empty());
        let refused = (0..10_000).filter(|&id| queue.put(id, Command::GetState) == Put::Full(id));
        assert_eq!(refused.count(), 10_000 - QUEUE_MAX);
        assert_eq!(queue.take(), Some((0, Command::GetState)));
    }

    #[test]
    fn order_is_kept_between_kinds() {
        let mut queue = Queue::default();
        let knob = |value: &str| Command::Set("load".to_owned(), value.to_owned());
        queue.put(1, knob("1"));
        queue.put(2, Command::Seek(4.0));
        assert_eq!(queue.put(3, knob("2")), Put::Waits);
        assert_eq!(queue.take(), Some((1, knob("1"))));
    }
}
