//! What an address asks for: read without trust, written as short as possible.

use crate::language;
use crate::parameter::{DIALECTS, MOTIONS, PARTS, QUERY_MAX, SPEEDS, STATE_MAX, THEMES};
use std::fmt::Write;

/// Of each faulty value so many characters are repeated in its warning.
const QUOTE_MAX: usize = 60;
/// So many warnings are kept.
const WARNINGS_MAX: usize = 20;

/// Who may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Any parent.
    #[default]
    Any,
    /// Exactly this one.
    Only(String),
}

impl Origin {
    /// Whether a message from `origin` is listened to.
    pub fn admits(&self, origin: &str) -> bool {
        match self {
            Origin::Any => true,
            Origin::Only(only) => only == origin,
        }
    }
}

/// What the address asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// Index into [`THEMES`].
    pub theme: Option<usize>,
    /// Whether nothing may travel.
    pub reduce: bool,
    /// The language, tidied.
    pub lang: Option<String>,
    /// The seed of the run.
    pub seed: Option<u32>,
    /// The beat to open at, from 1.
    pub beat: Option<usize>,
    /// The beat that the story begins with, by name.
    pub from: Option<String>,
    /// The beat that the story ends with, by name.
    pub to: Option<String>,
    /// The moment to open at, in seconds.
    pub at: Option<f64>,
    /// Knobs as written, by id.
    pub knobs: Vec<(String, String)>,
    /// The speed.
    pub speed: Option<f64>,
    /// Whether to play at once.
    pub autoplay: bool,
    /// Whether the code that runs is shown.
    pub code: bool,
    /// Whether the lesson opens in lecture mode.
    pub present: bool,
    /// The text of a whole run.
    pub state: Option<String>,
    /// What is followed, as the lesson writes it.
    pub follow: Option<String>,
    /// What is not shown, of [`PARTS`].
    pub hide: Vec<&'static str>,
    /// Ids of knobs that the learner cannot turn; `all` stands for every one.
    pub lock: Vec<String>,
    /// Whether links may lead away.
    pub links: bool,
    /// How the host is told the height, of [`DIALECTS`].
    pub resize: &'static str,
    /// Who may connect.
    pub origin: Origin,
    /// What was wrong, in words for the author of the address.
    pub warnings: Vec<String>,
}

impl Default for Address {
    fn default() -> Address {
        Address {
            theme: None,
            reduce: false,
            lang: None,
            seed: None,
            beat: None,
            from: None,
            to: None,
            at: None,
            knobs: Vec::new(),
            speed: None,
            autoplay: false,
            code: false,
            present: false,
            state: None,
            follow: None,
            hide: Vec::new(),
            lock: Vec::new(),
            links: true,
            resize: DIALECTS[0],
            origin: Origin::Any,
            warnings: Vec::new(),
        }
    }
}

impl Address {
    /// Whether this part is not shown.
    pub fn hides(&self, part: &str) -> bool {
        self.hide.contains(&part)
    }

    /// Whether the learner cannot turn this knob.
    pub fn locks(&self, knob: &str) -> bool {
        self.lock.iter().any(|id| id == "all" || id == knob)
    }

    /// Notes that a value was not valid.
    pub fn refuse(&mut self, name: &str, value: &str) {
        let quote: String = value.chars().take(QUOTE_MAX).collect();
        let more = if quote.len() < value.len() { "…" } else { "" };
        let name: String = name.chars().take(QUOTE_MAX).collect();
        self.warn(format!("{name}={quote}{more} is not valid"));
    }

    /// Notes something for the author of the address.
    pub fn warn(&mut self, warning: String) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(warning);
        }
    }

    /// The query that asks for the same, without its question mark; empty if there is nothing to ask for.
    pub fn query(&self) -> String {
        let pairs = self.pairs();
        let written = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        written.collect::<Vec<_>>().join("&")
    }

    /// What is asked for, as names and values.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                pairs.push((name.to_owned(), value));
            }
        };
        let list = |list: &[String]| (!list.is_empty()).then(|| list.join(","));
        put(
            "theme",
            self.theme
                .and_then(|at| Some((*THEMES.get(at)?).to_owned())),
        );
        put("motion", self.reduce.then(|| MOTIONS[1].to_owned()));
        put("lang", self.lang.clone());
        put("seed", self.seed.map(|seed| seed.to_string()));
        for (id, value) in &self.knobs {
            put(&format!("p.{id}"), Some(value.clone()));
        }
        put("beat", self.beat.map(|beat| beat.to_string()));
        put("from", self.from.clone());
        put("to", self.to.clone());
        put("at", self.at.map(|at| at.to_string()));
        put("state", self.state.clone());
        put("follow", self.follow.clone());
        put("autoplay", self.autoplay.then(|| "1".to_owned()));
        put("present", self.present.then(|| "1".to_owned()));
        put("code", self.code.then(|| "1".to_owned()));
        put("speed", self.speed.map(|speed| speed.to_string()));
        put("hide", (!self.hide.is_empty()).then(|| self.hide.join(",")));
        put("lock", list(&self.lock));
        put("links", (!self.links).then(|| "0".to_owned()));
        put(
            "resize",
            (self.resize != DIALECTS[0]).then(|| self.resize.to_owned()),
        );
        if let Origin::Only(origin) = &self.origin {
            put("origin", Some(origin.clone()));
        }
        pairs
    }
}

/// Reads a query such as `theme=dark&p.load=80`. Of a repeated parameter the first counts; nothing makes it panic.
pub fn parse(query: &str) -> Address {
    let mut address = Address::default();
    if query.len() > QUERY_MAX {
        address.warn(format!("query longer than {QUERY_MAX} characters ignored"));
        return address;
    }
    let mut seen: Vec<String> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (plain(name), plain(value));
        if seen.contains(&name) {
            continue;
        }
        if !read(&mut address, &name, &value) {
            address.refuse(&name, &value);
        }
        seen.push(name);
    }
    address
}

/// Takes one parameter; false if its value is not valid. Unknown names are ignored.
fn read(address: &mut Address, name: &str, value: &str) -> bool {
    match name {
        "theme" => {
            address.theme = THEMES.iter().position(|theme| *theme == value);
            address.theme.is_some()
        }
        "motion" => {
            address.reduce = value == MOTIONS[1];
            MOTIONS.contains(&value)
        }
        "lang" => {
            address.lang = language::tidy(value);
            address.lang.is_some()
        }
        "seed" => {
            address.seed = value.trim().parse().ok();
            address.seed.is_some()
        }
        "beat" => {
            address.beat = whole(value);
            address.beat.is_some()
        }
        "from" | "to" => {
            // Only the lesson knows the names of its beats.
            let end = if name == "to" {
                &mut address.to
            } else {
                &mut address.from
            };
            *end = Some(value.to_owned());
            true
        }
        "at" => {
            address.at = number(value).map(|at| at.max(0.0));
            address.at.is_some()
        }
        "speed" => {
            address.speed = number(value).map(|speed| speed.clamp(SPEEDS.0, SPEEDS.1));
            address.speed.is_some()
        }
        "autoplay" => {
            let read = boolean(value);
            address.autoplay = read == Some(true);
            read.is_some()
        }
        "present" => {
            let read = boolean(value);
            address.present = read == Some(true);
            read.is_some()
        }
        "code" => {
            let read = boolean(value);
            address.code = read == Some(true);
            read.is_some()
        }
        "links" => {
            let read = boolean(value);
            address.links = read != Some(false);
            read.is_some()
        }
        "state" => {
            let fine = !value.is_empty() && value.len() <= STATE_MAX;
            // A text that is too long is kept damaged, so that the page says that it could not be opened.
            address.state = Some(if fine {
                value.to_owned()
            } else {
                String::new()
            });
            true
        }
        "follow" => {
            // Only the run knows what there is to follow.
            address.follow = Some(value.to_owned());
            true
        }
        "hide" => {
            // What is known is hidden even beside what is not: less surprising than showing all.
            let words: Vec<_> = items(value).collect();
            address.hide = PARTS
                .into_iter()
                .filter(|part| words.contains(part))
                .collect();
            words.iter().all(|word| PARTS.contains(word))
        }
        "lock" => {
            address.lock = items(value).map(str::to_owned).collect();
            true
        }
        "resize" => {
            let found = DIALECTS.into_iter().find(|dialect| *dialect == value);
            address.resize = found.unwrap_or(DIALECTS[0]);
            found.is_some()
        }
        "origin" => {
            let origin = origin(value);
            let valid = origin.is_some();
            // A slip opens no door: who may frame the lesson may leave the parameter out as well.
            address.origin = origin.map_or(Origin::Any, Origin::Only);
            valid
        }
        _ => {
            if let Some(knob) = name.strip_prefix("p.") {
                address.knobs.push((knob.to_owned(), value.to_owned()));
            }
            true
        }
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn number(text: &str) -> Option<f64> {
    engine::text::number(text.trim())
}

/// A whole number from 1; numbers below or beyond are clamped.
fn whole(text: &str) -> Option<usize> {
    let text = text.trim();
    let (below, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if below {
        return Some(1);
    }
    // Only too many digits can fail now.
    Some(digits.parse().unwrap_or(usize::MAX).max(1))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "true" | "" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// An origin as browsers write it; https, or http on the author's own machine.
fn origin(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_suffix('/').unwrap_or(&text);
    let (scheme, host) = text.split_once("://")?;
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let port = match port {
        Some(port) => Some(port.parse::<u16>().ok()?),
        None => None,
    };
    let known = match scheme {
        "https" => 443,
        "http" if matches!(name, "localhost" | "127.0.0.1" | "[::1]") => 80,
        _ => return None,
    };
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[:]".contains(&byte);
    if name.is_empty() || !name.bytes().all(letters) {
        return None;
    }
    Some(match port.filter(|port| *port != known) {
        Some(port) => format!("{scheme}://{name}:{port}"),
        None => format!("{scheme}://{name}"),
    })
}

/// Percent-decoding; what is no valid code or no UTF-8 stays readable instead of failing.
pub(crate) fn plain(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let digit = |byte: Option<&u8>| Some(char::from(*byte?).to_digit(16)? as u8);
    while at < bytes.len() {
        match (
            bytes[at],
            digit(bytes.get(at + 1)),
            digit(bytes.get(at + 2)),
        ) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
                continue;
            }
            (b'+', ..) => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encoding of all but what may stand in a query and needs no escaping in HTML either.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,:/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PARAMETERS;

    #[test]
    fn valid_values_are_taken() {
        let address = parse(
            "theme=dark&motion=reduce&lang=EN_us&seed=7&beat=3&at=4.5&speed=99&autoplay&p.load=80\
             &hide=story,tape&lock=load,%20servers&links=0&resize=lti&origin=https://Course.example:443/",
        );
        assert_eq!(address.warnings, [""; 0]);
        assert_eq!(address.theme, Some(2));
        assert!(address.reduce && address.autoplay && !address.links);
        assert_eq!(
            (address.seed, address.beat, address.at),
            (Some(7), Some(3), Some(4.5))
        );
        assert_eq!(address.speed, Some(SPEEDS.1));
        assert_eq!(address.knobs, [("load".to_owned(), "80".to_owned())]);
        assert_eq!(address.lang.as_deref(), Some("en-us"));
        assert!(address.hides("tape") && !address.hides("title"));
        assert!(address.locks("servers") && !address.locks("speed"));
        assert_eq!(address.resize, "lti");
        assert!(address.origin.admits("https://course.example"));
        assert!(!address.origin.admits("https://course.example.evil"));
    }

    #[test]
    fn invalid_values_leave_the_default_and_a_warning() {
        let address = parse(
            "theme=pink&seed=-1&beat=x&at=NaN&speed=inf&autoplay=maybe&motion=fast&lang=?&hide=pause\
             &links=2&code=maybe&resize=tall&origin=javascript:alert(1)",
        );
        assert_eq!(address.warnings.len(), 13);
        let rest = Address {
            warnings: Vec::new(),
            ..address
        };
        assert_eq!(rest, Address::default());
    }

    #[test]
    fn numbers_are_clamped() {
        for (text, beat) in [
            ("0", 1),
            ("-9", 1),
            ("7", 7),
            ("99999999999999999999999", usize::MAX),
        ] {
            assert_eq!(parse(&format!("beat={text}")).beat, Some(beat), "{text}");
        }
        assert_eq!(parse("at=-3").at, Some(0.0));
        assert_eq!(parse("speed=0").speed, Some(0.01));
    }

    #[test]
    fn the_first_wins_and_strangers_are_ignored() {
        let address = parse("seed=1&seed=2&utm_source=x&&=&%zz=%e4%b8%ad+%");
        assert_eq!(address.seed, Some(1));
        assert!(address.warnings.is_empty());
        assert_eq!(plain("%e4%b8%ad+%zz%%+1"), "中 %zz%% 1");
    }

    #[test]
    fn long_queries_are_not_looked_at() {
        let address = parse(&format!("seed=3&x={}", "y".repeat(5_000)));
        assert_eq!((address.seed, address.warnings.len()), (None, 1));
        assert_eq!(
            parse(&format!("state={}", "A".repeat(3_000)))
                .state
                .as_deref(),
            Some("")
        );
    }

    #[test]
    fn garbage_never_panics() {
        let odd = [
            "",
            "%",
            "%0",
            "%00",
            "%ff%fe",
            "NaN",
            "-0",
            "1e999",
            "-1e999",
            "0x10",
            "null",
            "undefined",
            "[]",
            "{}",
            "'\"<script>",
            "../..",
            "💥",
            "99999999999999999999",
            ",,,",
            "all,all",
            "https://",
            "https://[",
            "://",
            "http://a:99999",
            "1,2",
            "+",
            "%2B",
            "\u{0}",
            "__proto__",
        ];
        for parameter in PARAMETERS {
            for value in odd {
                let address = parse(&format!("{}={value}", parameter.name));
                assert!(address.warnings.len() <= 1, "{}={value}", parameter.name);
                parse(&address.query());
            }
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let query = "theme=dark&motion=reduce&lang=en&seed=7&p.policy=round-robin&beat=3&from=queue&to=end&at=4.5&state=AQ\
                     &autoplay=1&code=1&speed=0.5&hide=story,tape&lock=all&links=0&resize=h5p&origin=https://a.example";
        let address = parse(query);
        assert_eq!(address.warnings, [""; 0]);
        assert_eq!(address.query(), query);
        let odd = Address {
            knobs: vec![("a&b".into(), "1 + 1 = 2%".into())],
            ..Address::default()
        };
        assert_eq!(parse(&odd.query()), odd);
    }

    #[test]
    fn every_example_of_the_schema_is_valid() {
        for parameter in PARAMETERS {
            let name = parameter.name.replace("<knob>", "load");
            let address = parse(&format!("{name}={}", parameter.example));
            assert_eq!(address.warnings, [""; 0], "{name}");
            assert_ne!(
                address,
                Address::default(),
                "{name}: its example changes nothing"
            );
        }
    }
}
