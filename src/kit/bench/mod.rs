//! A bench: operations on a real structure, each run at once and played step by step.
//!
//! What a [`Craft`] works on is the real thing: a tree that splits, a store that locks. It runs a whole operation at once and tells
//! its steps to whoever listens; a [`Bench`] then plays them in simulated time, so that a learner can stop between any two. Those
//! who work are its **hands**: one that asks question after question, or several whose statements interleave. A hand whose
//! operation must wait for another's is asked again when the craft has reason to; one that is refused lets go.
//!
//! # How an event goes
//!
//! ```text
//! let Some(played) = self.bench.on_event(turn) else { return };      // a step of some hand is over
//! self.tell(played, cx);                                             // the lesson counts it and says what came of it
//! if let Some(op) = self.bench.go_on(played.hand, &mut self.craft, cx) { … }   // the next step begins, or the operation is over
//! ```
//!
//! A lesson's model holds a bench beside its craft, and its events contain [`Turn`]. [`Bench::start`] gives the verdict at once,
//! [`Bench::ask_again`] that of a hand that waits; [`Bench::give_up`] is what a crash or a refusal does.
//!
//! # The moment between two steps
//!
//! The structure is as the operation left it from the moment on that the craft chooses in [`Craft::begin`]: it may run the operation
//! on a copy, and put the copy in place when the first step begins that changes something. So a picture shows either the structure
//! before or the one after, with the hand on the page that it has reached, and never one that did not exist.

mod hands;

#[cfg(test)]
mod tests;

pub use hands::{Bench, Craft, Hand, Played, State, Turn, Verdict};
