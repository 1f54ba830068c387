//! Simulated time: agenda, runs, tape, knobs, scenes, plots and stories.
//!
//! The engine knows no lesson and no browser. A lesson gives it a [`Model`] (plain data that reacts to
//! events) and a way to draw it; the engine gives back time travel, a tape, twins and links.

pub mod action;
pub mod agenda;
pub mod arg;
pub mod claim;
pub mod difference;
pub mod film;
pub mod growth;
pub mod ids;
pub mod journey;
pub mod knobs;
pub mod lesson;
pub mod model;
pub mod place;
pub mod player;
pub mod plot;
pub mod probe;
pub mod random;
pub mod raster;
pub mod run;
pub mod scene;
pub mod show;
pub mod speed;
pub mod state;
pub mod story;
pub mod svg;
pub mod tape;
pub mod text;
pub mod time;
pub mod typed;
pub mod undo;
pub mod words;

#[cfg(test)]
mod player_tests;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod toy;
#[cfg(test)]
mod undo_tests;

pub use action::{Act, Action, ActionSpec};
pub use arg::Arg;
pub use claim::{Claim, Figure};
pub use difference::Difference;
pub use ids::{Glyph, Ink, PartId};
pub use knobs::{Choice, Knob, Knobs, Visit};
pub use lesson::{Card, Code, Lesson, Level, Sheet};
pub use model::{Context, Model};
pub use player::Player;
pub use plot::{Line, Plot};
pub use probe::{Probe, Statistic};
pub use random::Stream;
pub use run::Run;
pub use scene::Scene;
pub use show::Show;
pub use story::{Beat, Challenge, Prediction, Progress, Scale, Setup};
pub use tape::{Note, Tape, Tone};
pub use time::Time;
pub use typed::{Field, Refusal, Typed};
pub use words::Words;
