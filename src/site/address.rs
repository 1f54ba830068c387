//! What an address asks for: read without trust, written as short as possible. Knows no browser.

use crate::theme::THEMES;
use engine::Knob;
use engine::player::SPEEDS;

/// Longer queries are not looked at.
const QUERY_MAX: usize = 4_096;

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Address {
    /// Index into [`THEMES`].
    pub(crate) theme: Option<usize>,
    /// Whether nothing may travel.
    pub(crate) reduce: bool,
    /// The seed of the run.
    pub(crate) seed: Option<u32>,
    /// The beat to open at, from 1.
    pub(crate) beat: Option<usize>,
    /// The moment to open at, in seconds.
    pub(crate) at: Option<f64>,
    /// Knobs as written, by id.
    pub(crate) knobs: Vec<(String, String)>,
    /// The speed.
    pub(crate) speed: Option<f64>,
    /// Whether to play at once.
    pub(crate) autoplay: bool,
    /// The text of a whole run.
    pub(crate) state: Option<String>,
    /// What was wrong, in words for the author of the address.
    pub(crate) warnings: Vec<String>,
}

/// Reads a query such as `theme=dark&p.load=80`.
pub(crate) fn parse(query: &str) -> Address {
    let mut address = Address::default();
    if query.len() > QUERY_MAX {
        address
            .warnings
            .push(format!("query longer than {QUERY_MAX} characters ignored"));
        return address;
    }
    let mut seen: Vec<String> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        // Of a repeated parameter the first wins.
        if seen.contains(&name) {
            continue;
        }
        if !read(&mut address, &name, &value) {
            address
                .warnings
                .push(format!("{name}={value} is not valid"));
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
            address.reduce = value == "reduce";
            matches!(value, "reduce" | "auto")
        }
        "seed" => {
            address.seed = value.parse().ok();
            address.seed.is_some()
        }
        "beat" => {
            address.beat = value.parse().ok();
            address.beat.is_some()
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
        "state" => {
            address.state = Some(value.to_owned());
            true
        }
        _ => {
            if let Some(knob) = name.strip_prefix("p.") {
                address.knobs.push((knob.to_owned(), value.to_owned()));
            }
            true
        }
    }
}

/// The knobs that an address sets, with their values; what cannot be read becomes a warning.
pub(crate) fn knobs(address: &mut Address, known: &[(Knob, f64)]) -> Vec<(&'static str, f64)> {
    let mut set = Vec::new();
    for (id, text) in std::mem::take(&mut address.knobs) {
        let Some((knob, _)) = known.iter().find(|(knob, _)| knob.id == id) else {
            continue;
        };
        match knob.parse(&text) {
            Some(value) => set.push((knob.id, value)),
            None => address.warnings.push(format!("p.{id}={text} is not valid")),
        }
    }
    set
}

fn number(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "true" | "" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// Percent-decoding; what is no valid code or no UTF-8 stays readable instead of failing.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3);
        let byte = code
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match (bytes[at], byte) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::knobs::Kind;

    #[test]
    fn valid_values_are_taken() {
        let address =
            parse("theme=dark&motion=reduce&seed=7&beat=3&at=4.5&speed=99&autoplay&p.load=80");
        assert_eq!(address.theme, Some(2));
        assert!(address.reduce && address.autoplay);
        assert_eq!(
            (address.seed, address.beat, address.at),
            (Some(7), Some(3), Some(4.5))
        );
        assert_eq!(address.speed, Some(16.0));
        assert_eq!(address.knobs, [("load".to_owned(), "80".to_owned())]);
        assert!(address.warnings.is_empty());
    }

    #[test]
    fn invalid_values_leave_the_default_and_a_warning() {
        let address =
            parse("theme=pink&seed=-1&beat=x&at=NaN&speed=inf&autoplay=maybe&motion=fast");
        assert_eq!(address.warnings.len(), 7);
        assert_eq!(
            Address {
                warnings: Vec::new(),
                ..address
            },
            Address::default()
        );
    }

    #[test]
    fn the_first_wins_and_strangers_are_ignored() {
        let address = parse("seed=1&seed=2&utm_source=x&&=&%zz=%e4%b8%ad+%");
        assert_eq!(address.seed, Some(1));
        assert!(address.warnings.is_empty());
        assert_eq!(decode("%e4%b8%ad+%zz%"), "中 %zz%");
    }

    #[test]
    fn long_queries_are_not_looked_at() {
        let address = parse(&format!("seed=3&x={}", "y".repeat(5_000)));
        assert_eq!((address.seed, address.warnings.len()), (None, 1));
    }

    #[test]
    fn knobs_are_read_by_the_lesson_and_never_out_of_range() {
        let kind = Kind::Slider {
            min: 1.0,
            max: 8.0,
            step: 1.0,
        };
        let known = [(
            Knob {
                id: "servers",
                kind,
                unit: "",
                part: None,
            },
            3.0,
        )];
        let mut address = parse("p.servers=99&p.none=1");
        assert_eq!(knobs(&mut address, &known), [("servers", 8.0)]);
        let mut address = parse("p.servers=many");
        assert_eq!(knobs(&mut address, &known), []);
        assert_eq!(address.warnings.len(), 1);
    }
}
