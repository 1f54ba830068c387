//! The subject held against theory.

use super::{IsolationLevels, Meeting, Settings};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Run, Show, Time};

fn run(seed: u32, first: Settings) -> Run<Meeting> {
    Run::with_knobs(sheet::<IsolationLevels>(), seed, first)
}
