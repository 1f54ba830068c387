//! Speech: one polite live region that says at most one thing every two seconds.

use crate::place;
use gloo_timers::callback::Timeout;
use leptos::prelude::*;

/// Distance between two utterances, in milliseconds.
const GAP_MS: f64 = 2_000.0;

/// What is said and what waits to be said.
pub(crate) struct Speech {
    region: RwSignal<String>,
    last_ms: f64,
    waiting: Option<Timeout>,
    low: bool,
}

impl Speech {
    /// Speech through the text of a live region.
    pub(crate) fn new(region: RwSignal<String>) -> Speech {
        Speech {
            region,
            last_ms: f64::MIN,
            waiting: None,
            low: false,
        }
    }

    /// Makes the next utterance one that gives way to another that waits.
    pub(crate) fn low(&mut self) {
        self.low = true;
    }

    /// Says `text` now or as soon as the gap is over; of several that wait the last is said.
    pub(crate) fn speak(&mut self, text: &str) {
        if std::mem::take(&mut self.low)
            && (self.waiting.is_some() || place::now_ms() - self.last_ms < GAP_MS)
        {
            return;
        }
        let now = place::now_ms();
        let due = (self.last_ms + GAP_MS - now).max(0.0);
        let (region, text) = (self.region, text.to_owned());
        self.waiting = None;
        self.last_ms = now + due;
        if due <= 0.0 {
            region.set(text);
        } else {
            self.waiting = Some(Timeout::new(due as u32, move || {
                // The page may be gone by then.
                region.try_set(text);
            }));
        }
    }

    /// Says nothing more.
    pub(crate) fn hush(&mut self) {
        self.waiting = None;
    }
}
