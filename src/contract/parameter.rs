//! The parameters of an address: names, types, defaults and rules.

/// Longer queries are not looked at.
pub const QUERY_MAX: usize = 4_096;
/// Longer states are not looked at.
pub const STATE_MAX: usize = 2_048;
/// Bounds of the speed, in simulated seconds a second.
pub const SPEEDS: (f64, f64) = (0.01, 40.0);
/// The themes in the order of the button.
pub const THEMES: [&str; 4] = ["auto", "light", "dark", "contrast"];
/// What `motion` takes.
pub const MOTIONS: [&str; 2] = ["auto", "reduce"];
/// What can be hidden. Pause, restart and the text alternative are not among it.
pub const PARTS: [&str; 8] = [
    "title",
    "story",
    "knobs",
    "tape",
    "actions",
    "challenges",
    "share",
    "prose",
];
/// The ways of telling a host how high the lesson is.
pub const DIALECTS: [&str; 5] = ["auto", "off", "lti", "h5p", "embedly"];

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Takes {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A language tag as in RFC 5646 (BCP 47).
    Language,
    /// A whole number of 32 bits.
    Seed,
    /// What the knob takes: a number, or the name of an option.
    Knob,
    /// A whole number from 1.
    Beat,
    /// The name of a step.
    Step,
    /// Seconds, from zero.
    Seconds,
    /// The text that Share writes.
    State,
    /// What may be followed: a part by its name, or what moves by its number.
    Followed,
    /// `1`, `0`, `true`, `false`, or nothing for true.
    Flag,
    /// A number between two bounds.
    Number(f64, f64),
    /// Any of these words, separated by commas.
    AnyOf(&'static [&'static str]),
    /// Ids of knobs separated by commas, or `all`.
    Knobs,
    /// An origin, such as `https://course.example`.
    Origin,
    /// What these words say.
    Text(&'static str),
}

impl Takes {
    /// The type as the author's reference names it.
    pub fn describe(self) -> String {
        match self {
            Takes::OneOf(words) => format!("one of {}", words.join(", ")),
            Takes::AnyOf(words) => format!("list of {}", words.join(", ")),
            Takes::Language => "language tag (BCP 47)".to_owned(),
            Takes::Seed => "whole number from 0 to 4294967295".to_owned(),
            Takes::Knob => "number or option of the knob".to_owned(),
            Takes::Beat => "whole number from 1".to_owned(),
            Takes::Step => "name of a step".to_owned(),
            Takes::Seconds => "seconds of simulated time".to_owned(),
            Takes::State => format!("text, at most {STATE_MAX} characters"),
            Takes::Followed => "name of a part, or number of what moves".to_owned(),
            Takes::Flag => "1, 0, true, false; empty is true".to_owned(),
            Takes::Number(min, max) => format!("number from {min} to {max}"),
            Takes::Knobs => "list of knob ids, or all".to_owned(),
            Takes::Origin => "https origin".to_owned(),
            Takes::Text(what) => what.to_owned(),
        }
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in the query; `p.<knob>` stands for one parameter for each knob of the lesson.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What holds without it, in words.
    pub default: &'static str,
    /// How it is read, in a sentence.
    pub rule: &'static str,
    /// A value that shows it.
    pub example: &'static str,
}

/// All parameters, in the order in which the reference lists them.
pub const PARAMETERS: [Parameter; 20] = [
    Parameter {
        name: "theme",
        takes: Takes::OneOf(&THEMES),
        default: "auto",
        rule: "The colours; auto follows what the reader's system prefers, in the element the page around it.",
        example: "dark",
    },
    Parameter {
        name: "motion",
        takes: Takes::OneOf(&MOTIONS),
        default: "auto",
        rule: "With reduce nothing travels; auto follows the reader's system, whose wish for less motion always holds.",
        example: "reduce",
    },
    Parameter {
        name: "lang",
        takes: Takes::Language,
        default: "the browser's, then en",
        rule: "Case does not matter and _ counts as -; a language that is missing falls back by prefix, then to English.",
        example: "en",
    },
    Parameter {
        name: "seed",
        takes: Takes::Seed,
        default: "1",
        rule: "The same seed and the same inputs give the same frames.",
        example: "7",
    },
    Parameter {
        name: "p.<knob>",
        takes: Takes::Knob,
        default: "the lesson's own",
        rule: "Numbers are clamped to the knob's range and snapped to its step.",
        example: "80",
    },
    Parameter {
        name: "beat",
        takes: Takes::Beat,
        default: "1",
        rule: "The story opens at this step; clamped to the steps there are. Within from and to steps are counted anew from 1.",
        example: "3",
    },
    Parameter {
        name: "from",
        takes: Takes::Step,
        default: "the first step",
        rule: "The story begins with this step, in the state that the steps before it lead to. A name that the lesson lacks counts as none.",
        example: "queue",
    },
    Parameter {
        name: "to",
        takes: Takes::Step,
        default: "the last step",
        rule: "The story ends with this step; what it asks is left out, since the answer comes with the next. A step before from counts as none.",
        example: "balance",
    },
    Parameter {
        name: "at",
        takes: Takes::Seconds,
        default: "0",
        rule: "The lesson opens paused at this moment.",
        example: "4.5",
    },
    Parameter {
        name: "state",
        takes: Takes::State,
        default: "none",
        rule: "A whole run as Share writes it: knobs, seed, inputs, moment, comparison. It wins over seed, knobs, beat and at; a damaged one opens the lesson at its default and says so.",
        example: "AQ",
    },
    Parameter {
        name: "follow",
        takes: Takes::Followed,
        default: "nothing",
        rule: "What is followed as the lesson opens: a part of the stage, such as server-2, or what moves, by its number; with b: before it on the stage of what is compared. A part that the stage does not show then counts as none.",
        example: "server-2",
    },
    Parameter {
        name: "autoplay",
        takes: Takes::Flag,
        default: "0",
        rule: "The lesson plays at once, unless the reader wants less motion.",
        example: "1",
    },
    Parameter {
        name: "speed",
        takes: Takes::Number(SPEEDS.0, SPEEDS.1),
        default: "the lesson's own",
        rule: "Simulated seconds a second; clamped.",
        example: "0.5",
    },
    Parameter {
        name: "present",
        takes: Takes::Flag,
        default: "0",
        rule: "The lesson opens in lecture mode: large, its panels away.",
        example: "1",
    },
    Parameter {
        name: "code",
        takes: Takes::Flag,
        default: "0",
        rule: "The code that runs is shown from the start; without it an embed does not offer it.",
        example: "1",
    },
    Parameter {
        name: "hide",
        takes: Takes::AnyOf(&PARTS),
        default: "nothing",
        rule: "Pause, restart and the text alternative always stay. What is hidden cannot be done on the stage either, and challenges that need it are not offered.",
        example: "story,challenges",
    },
    Parameter {
        name: "lock",
        takes: Takes::Knobs,
        default: "nothing",
        rule: "These knobs are shown but cannot be turned by the learner; messages of the parent still turn them. Challenges that need another value of them are not offered.",
        example: "all",
    },
    Parameter {
        name: "links",
        takes: Takes::Flag,
        default: "1",
        rule: "With 0 no link leads away from the lesson.",
        example: "0",
    },
    Parameter {
        name: "resize",
        takes: Takes::OneOf(&DIALECTS),
        default: "auto",
        rule: "How the host is told the height: auto speaks this site's messages and what the host is known to understand, off is silent, lti is Canvas's, h5p is H5P's, embedly is Embedly's.",
        example: "lti",
    },
    Parameter {
        name: "origin",
        takes: Takes::Origin,
        default: "any parent",
        rule: "Commands are taken from exactly this parent; http is accepted for localhost and 127.0.0.1 only. One that is not valid counts as none.",
        example: "https://course.example",
    },
];

/// What the address of an embed says of a record store (xAPI). `assets/xapi.js` reads it in the page around the lesson, so the
/// lesson itself never sees it.
pub const RECORD: [Parameter; 6] = [
    Parameter {
        name: "endpoint",
        takes: Takes::Text("http or https address"),
        default: "none: nothing is sent",
        rule: "The address of the learning record store, below which its statements stand.",
        example: "https://lrs.example/xapi/",
    },
    Parameter {
        name: "auth",
        takes: Takes::Text("text"),
        default: "none: nothing is sent",
        rule: "The value of the Authorization header. It is a secret: let the course's system write the address.",
        example: "Basic YTpi",
    },
    Parameter {
        name: "actor",
        takes: Takes::Text("agent of xAPI, as JSON"),
        default: "none: nothing is sent",
        rule: "Who learns: an account, mbox, mbox_sha1sum or openid names them.",
        example: "{\"mbox\":\"mailto:ada@school.example\"}",
    },
    Parameter {
        name: "registration",
        takes: Takes::Text("UUID"),
        default: "none",
        rule: "Joins the visits of one enrolment: what was told of it is not told again.",
        example: "7d3a8f5e-1c2b-4d5e-8f90-112233445566",
    },
    Parameter {
        name: "activity_id",
        takes: Takes::Text("IRI"),
        default: "the lesson's address",
        rule: "What the statements are about.",
        example: "https://school.example/course/3",
    },
    Parameter {
        name: "pass",
        takes: Takes::Number(0.0, 100.0),
        default: "none",
        rule: "The pass mark, in per cent of the questions; with it passed or failed is told.",
        example: "60",
    },
];
