//! What `make bench` measures in the browser: events a second, the time of a seek, the stage under stress.

mod crowd;
#[path = "../../src/site/stage.rs"]
#[allow(dead_code, reason = "the bench draws; it neither points nor resizes")]
mod stage;

use engine::growth::Survey;
use engine::show::Watch;
use engine::{Show, Time};
use wasm_bindgen::prelude::wasm_bindgen;

/// A lesson under test, with captions and samples on as always.
#[wasm_bindgen]
pub struct Bench {
    run: Box<dyn Show>,
}

#[wasm_bindgen]
impl Bench {
    /// Opens a lesson; none if there is no such slug.
    pub fn open(slug: &str, seed: u32) -> Option<Bench> {
        lessons::find(slug).map(|entry| Bench {
            run: (entry.open)(seed),
        })
    }

    /// Turns a knob; unknown knobs are ignored.
    pub fn set(&mut self, knob: &str, value: f64) {
        let _ = self.run.set_knob(knob, value);
    }

    /// Runs to a simulated second and returns how many agenda events have happened in all.
    pub fn run_to(&mut self, s: f64) -> f64 {
        self.run.run(Time::from_s(s), Watch::Nothing, u64::MAX);
        self.run.position().events as f64
    }

    /// Seeks to a simulated second.
    pub fn seek(&mut self, s: f64) {
        self.run.seek(Time::from_s(s));
    }

    /// Keyframes kept, to see that memory is bounded.
    pub fn keyframes(&self) -> usize {
        self.run.weight().1
    }
}

/// What a lesson measures as its structures grow, slice by slice.
#[wasm_bindgen]
pub struct Growing {
    survey: Survey,
}

#[wasm_bindgen]
impl Growing {
    /// Begins; none where there is nothing to measure.
    pub fn open(slug: &str) -> Option<Growing> {
        let run = (lessons::find(slug)?.open)(1);
        let survey = Survey::new(run.growth()?);
        Some(Growing { survey })
    }

    /// Goes on for the least that is done at a time; true at the end.
    pub fn slice(&mut self) -> bool {
        self.survey.work(|| false)
    }
}
