//! Speech: one polite live region that says at most one thing every two seconds.

use crate::place;
use gloo_timers::callback::Timeout;
use leptos::prelude::*;

/// Distance between two utterances, in milliseconds.
const GAP_MS: f64 = 2_000.0;

/// What is said and what waits to be said.
pub(crate) struct Speech {
    region: RwSignal<String>,
    /// When the last utterance was made, or the one that waits will be.
    said_ms: f64,
    waiting: Option<Timeout>,
    low: bool,
}

impl Speech {
    /// Speech through the text of a live region.
    pub(crate) fn new(region: RwSignal<String>) -> Speech {
        Speech {
            region,
            said_ms: f64::MIN,
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
        let now = place::now_ms();
        if std::mem::take(&mut self.low) && now - self.said_ms < GAP_MS {
            return;
        }
        // One that waits is replaced but not put off: who keeps stepping would otherwise never hear anything.
        let (due, waits) = due(self.said_ms, now);
        let (region, text) = (self.region, text.to_owned());
        self.said_ms = due;
        self.waiting = None;
        if waits {
            self.waiting = Some(Timeout::new((due - now).ceil() as u32, move || {
                // The page may be gone by then.
                region.try_set(text);
            }));
        } else {
            region.set(text);
        }
    }

    /// Says nothing more.
    pub(crate) fn hush(&mut self) {
        self.waiting = None;
    }
}

/// When to say something, and whether that is later than now. `said_ms` lies ahead while something waits.
fn due(said_ms: f64, now_ms: f64) -> (f64, bool) {
    if said_ms > now_ms {
        return (said_ms, true);
    }
    let due = (said_ms + GAP_MS).max(now_ms);
    (due, due > now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_keeps_talking_is_heard_every_two_seconds() {
        assert_eq!(due(f64::MIN, 0.0), (0.0, false));
        let mut said = 0.0;
        for tenth in 1..20 {
            let (at, waits) = due(said, f64::from(tenth) * 100.0);
            assert_eq!(
                (at, waits),
                (GAP_MS, true),
                "put off by the word at {tenth}"
            );
            said = at;
        }
        assert_eq!(due(said, 2_000.0), (4_000.0, true));
        assert_eq!(due(said, 9_000.0), (9_000.0, false));
    }
}
