//! Values that stand in a sentence.

use crate::ids::PartId;
use crate::time::Time;
use crate::typed::Typed;

/// One value in a sentence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arg {
    /// A whole number.
    Count(i64),
    /// A number with up to two decimals.
    Number(f64),
    /// A span of time, written in ms or s.
    Span(Time),
    /// A number of tenths, always written with one decimal so that a running count keeps its width.
    Tenths(u32),
    /// Another word by its id.
    Word(&'static str),
    /// What a learner typed, in quotation marks.
    Typed(Typed),
    /// The name of a part, the word `part.<kind>`.
    Part(PartId),
    /// A share from 0 to 1, written in per cent.
    Share(f64),
}
