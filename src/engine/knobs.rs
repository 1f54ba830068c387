//! Knobs: typed parameters that one visit binds to sliders, addresses and links.

use crate::ids::PartId;

/// What a knob looks like and which values it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number from `min` to `max` in whole multiples of `step` above `min`.
    Slider {
        /// Lowest value.
        min: f64,
        /// Highest value.
        max: f64,
        /// Distance between neighbouring values; above zero.
        step: f64,
    },
    /// One of several; the value is the index of the option, whose words are `knob.<id>.<option>`.
    Choice(&'static [&'static str]),
    /// Off (0) or on (1).
    Switch,
}

/// The description of a knob; its label is the word `knob.<id>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knob {
    /// Names it in words, addresses (`p.<id>`) and messages.
    pub id: &'static str,
    /// Values and control.
    pub kind: Kind,
    /// Unit shown after the value, such as `req/s`; may be empty.
    pub unit: &'static str,
    /// The part it belongs to, if it is a knob of one part; such knobs live in that part's panel.
    pub part: Option<PartId>,
}

impl Knob {
    /// The value nearest to `value` that this knob can take; none for NaN and infinities.
    pub fn snap(&self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        Some(match self.kind {
            Kind::Slider { min, max, step } => {
                let steps = ((value.clamp(min, max) - min) / step + 0.5).floor();
                // Rounded, because sums of tenths are not tenths: 0.7 must be written as 0.7.
                ((min + steps * step).min(max) * 1e6).round() / 1e6
            }
            Kind::Choice(options) => value.clamp(0.0, options.len() as f64 - 1.0).round(),
            Kind::Switch => f64::from(u8::from(value != 0.0)),
        })
    }

    /// The value as a whole number of steps, for compact links.
    pub fn to_steps(&self, value: f64) -> u32 {
        match self.kind {
            Kind::Slider { min, step, .. } => ((value - min) / step).round() as u32,
            Kind::Choice(_) | Kind::Switch => value as u32,
        }
    }

    /// The value of a number of steps; snapped, so that any number gives a value that exists.
    pub fn from_steps(&self, steps: u32) -> f64 {
        let value = match self.kind {
            Kind::Slider { min, step, .. } => min + f64::from(steps) * step,
            Kind::Choice(_) | Kind::Switch => f64::from(steps),
        };
        self.snap(value).unwrap_or(0.0)
    }

    /// Reads a value as an address or message writes it: a number, an option's name, `true` or `false`.
    pub fn parse(&self, text: &str) -> Option<f64> {
        if let Kind::Choice(options) = self.kind
            && let Some(index) = options
                .iter()
                .position(|option| option.eq_ignore_ascii_case(text))
        {
            return Some(index as f64);
        }
        match (self.kind, text) {
            (Kind::Switch, "true" | "") => Some(1.0),
            (Kind::Switch, "false") => Some(0.0),
            _ => self.snap(crate::text::number(text.trim())?),
        }
    }

    /// Writes a value as [`Knob::parse`] reads it, choices by name.
    pub fn write(&self, value: f64) -> String {
        match self.kind {
            Kind::Choice(options) => options
                .get(value as usize)
                .copied()
                .unwrap_or_default()
                .to_owned(),
            _ => crate::text::trim_number(value),
        }
    }
}

/// An enum that a choice knob can hold.
pub trait Choice: Copy + PartialEq + 'static {
    /// The options in the order shown; their ids name their words.
    const OPTIONS: &'static [(&'static str, Self)];
    /// The ids alone, in the same order.
    const IDS: &'static [&'static str];
}

/// The knobs of one lesson: a struct whose visit binds each field to its knob.
pub trait Knobs: Clone + 'static {
    /// Calls `visit` once for each field, always in the same order.
    fn visit(&mut self, visit: &mut dyn Visit);
}

/// Something that walks over knobs: lists them, reads them, changes one.
pub trait Visit {
    /// Sees one knob and may change its value (always a value that the knob can take).
    fn knob(&mut self, knob: &Knob, value: &mut f64);
}

impl dyn Visit + '_ {
    /// Binds a number with a unit.
    pub fn slider(
        &mut self,
        id: &'static str,
        [min, max, step]: [f64; 3],
        unit: &'static str,
        value: &mut f64,
    ) {
        self.knob(
            &Knob {
                id,
                kind: Kind::Slider { min, max, step },
                unit,
                part: None,
            },
            value,
        );
    }

    /// Binds a number that belongs to one part.
    pub fn part_slider(
        &mut self,
        id: &'static str,
        part: PartId,
        [min, max, step]: [f64; 3],
        unit: &'static str,
        value: &mut f64,
    ) {
        self.knob(
            &Knob {
                id,
                kind: Kind::Slider { min, max, step },
                unit,
                part: Some(part),
            },
            value,
        );
    }

    /// Binds a whole number.
    pub fn whole(
        &mut self,
        id: &'static str,
        [min, max]: [u32; 2],
        unit: &'static str,
        value: &mut u32,
    ) {
        let mut number = f64::from(*value);
        let kind = Kind::Slider {
            min: f64::from(min),
            max: f64::from(max),
            step: 1.0,
        };
        self.knob(
            &Knob {
                id,
                kind,
                unit,
                part: None,
            },
            &mut number,
        );
        *value = number as u32;
    }

    /// Binds one of several.
    pub fn choice<T: Choice>(&mut self, id: &'static str, value: &mut T) {
        let index = T::OPTIONS
            .iter()
            .position(|(_, option)| option == value)
            .unwrap_or(0);
        let mut number = index as f64;
        self.knob(
            &Knob {
                id,
                kind: Kind::Choice(T::IDS),
                unit: "",
                part: None,
            },
            &mut number,
        );
        if let Some((_, option)) = T::OPTIONS.get(number as usize) {
            *value = *option;
        }
    }

    /// Binds on or off.
    pub fn switch(&mut self, id: &'static str, value: &mut bool) {
        let mut number = f64::from(u8::from(*value));
        self.knob(
            &Knob {
                id,
                kind: Kind::Switch,
                unit: "",
                part: None,
            },
            &mut number,
        );
        *value = number != 0.0;
    }
}

/// Why a knob could not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnobError {
    /// No knob has this id.
    Unknown,
    /// The value is not a finite number.
    NotANumber,
}

struct List(Vec<(Knob, f64)>);
impl Visit for List {
    fn knob(&mut self, knob: &Knob, value: &mut f64) {
        self.0.push((*knob, *value));
    }
}

/// All knobs with their values.
pub fn list(knobs: &impl Knobs) -> Vec<(Knob, f64)> {
    let mut list = List(Vec::new());
    knobs.clone().visit(&mut list);
    list.0
}

struct Set<'a> {
    id: &'a str,
    value: f64,
    result: Result<f64, KnobError>,
}
impl Visit for Set<'_> {
    fn knob(&mut self, knob: &Knob, value: &mut f64) {
        if knob.id == self.id {
            self.result = knob.snap(self.value).ok_or(KnobError::NotANumber);
            if let Ok(snapped) = self.result {
                *value = snapped;
            }
        }
    }
}

/// Sets one knob to the nearest value it can take and returns that value.
pub fn set(knobs: &mut impl Knobs, id: &str, value: f64) -> Result<f64, KnobError> {
    let mut set = Set {
        id,
        value,
        result: Err(KnobError::Unknown),
    };
    knobs.visit(&mut set);
    set.result
}

/// Implements [`Choice`] for an enum: `choices!(Policy { "random" => Policy::Random, … })`.
#[macro_export]
macro_rules! choices {
    ($name:ty { $($id:literal => $value:expr),+ $(,)? }) => {
        impl $crate::Choice for $name {
            const OPTIONS: &'static [(&'static str, Self)] = &[$(($id, $value)),+];
            const IDS: &'static [&'static str] = &[$($id),+];
        }
    };
}

/// Declares a lesson's knobs: the struct, the values it opens with, and the visit that binds them.
///
/// ```
/// # use loadlab_engine as engine;
/// engine::knobs! {
///     /// How a café is run.
///     pub struct Cafe {
///         /// Guests an hour.
///         guests: slider "guests" [1.0, 200.0, 1.0] "/h" = 30.0,
///         /// Tables.
///         tables: whole "tables" [1, 12] "" = 4,
///         /// Whether there is music.
///         music: switch "music" = false,
///     }
/// }
/// assert_eq!(Cafe::default().tables, 4);
/// ```
///
/// `field: choice Type "id" = Type::One` binds an enum that has [`choices!`].
#[macro_export]
macro_rules! knobs {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ident $($type:ident)? $id:literal $([$($range:expr),+] $unit:literal)? = $first:expr),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name { $($(#[$doc])* pub $field: $crate::knobs!(@type $kind $($type)?)),+ }
        impl Default for $name {
            fn default() -> Self {
                $name { $($field: $first),+ }
            }
        }
        impl $crate::Knobs for $name {
            fn visit(&mut self, visit: &mut dyn $crate::Visit) {
                $(visit.$kind($id, $([$($range),+], $unit,)? &mut self.$field);)+
            }
        }
    };
    (@type slider) => { f64 };
    (@type whole) => { u32 };
    (@type switch) => { bool };
    (@type choice $type:ident) => { $type };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Drink {
        Tea,
        Coffee,
    }
    choices!(Drink { "tea" => Drink::Tea, "coffee" => Drink::Coffee });

    knobs! {
        /// What somebody orders.
        struct Cafe {
            drink: choice Drink "drink" = Drink::Coffee,
            sugar: whole "sugar" [0, 5] "" = 2,
            litres: slider "litres" [0.1, 1.0, 0.1] "l" = 0.3,
            lid: switch "lid" = false,
        }
    }

    #[test]
    fn values_are_clamped_and_snapped() {
        let mut cafe = Cafe::default();
        assert_eq!(
            set(&mut cafe, "litres", 0.44).map(|v| (v * 10.0).round()),
            Ok(4.0)
        );
        assert_eq!(set(&mut cafe, "sugar", 99.0), Ok(5.0));
        assert_eq!(set(&mut cafe, "drink", -3.0), Ok(0.0));
        assert_eq!((cafe.sugar, cafe.drink), (5, Drink::Tea));
    }

    #[test]
    fn odd_values_change_nothing() {
        let mut cafe = Cafe::default();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(set(&mut cafe, "sugar", value), Err(KnobError::NotANumber));
        }
        assert_eq!(set(&mut cafe, "milk", 1.0), Err(KnobError::Unknown));
        assert_eq!(cafe.sugar, 2);
    }

    #[test]
    fn what_is_written_reads_back() {
        let cafe = Cafe {
            litres: 0.7,
            lid: true,
            ..Cafe::default()
        };
        for (knob, value) in list(&cafe) {
            assert_eq!(knob.parse(&knob.write(value)), Some(value), "{}", knob.id);
            assert!(
                (knob.from_steps(knob.to_steps(value)) - value).abs() < 1e-9,
                "{}",
                knob.id
            );
        }
        let (drink, _) = list(&cafe)[0];
        assert_eq!(drink.parse("COFFEE"), Some(1.0));
        assert_eq!(drink.parse("wine"), None);
    }
}
