//! Journeys: the way to another place of a run, gone a few events at a time, so that a page stays alive meanwhile.

use crate::place::Position;
use crate::show::{Ran, Show, Watch};
use crate::time::Time;

/// Where a run is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Journey {
    /// At a moment; all events up to it have happened.
    Moment(Time),
    /// At an exact place of the tape.
    Place(Position),
    /// At the last thing said before a place.
    Before(Search),
}

/// A search for the last thing said before a place. Only a replay knows where things were said, so stretches from
/// one keyframe to the next are replayed, latest first, until one has something to tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    here: Position,
    fine: bool,
    /// The stretch being replayed; none before the first.
    stretch: Option<(Position, Position)>,
    found: Option<Position>,
}

impl Journey {
    /// To the last thing said before the present place, or to the last event if `fine`; none at the start.
    pub fn before(run: &dyn Show, fine: bool) -> Option<Journey> {
        let here = run.position();
        let search = Search {
            here,
            fine,
            stretch: None,
            found: None,
        };
        (here > Position::default()).then_some(Journey::Before(search))
    }

    /// Goes on for about `budget` events; returns what is left of the way, none once there.
    pub fn go(self, run: &mut dyn Show, budget: u64) -> Option<Journey> {
        match self {
            Journey::Moment(at) => (!run.seek_some(at, budget)).then_some(self),
            Journey::Place(place) => (!run.seek_to_some(place, budget)).then_some(self),
            Journey::Before(search) => Some(search.go(run, budget)),
        }
    }
}

impl Search {
    fn go(mut self, run: &mut dyn Show, budget: u64) -> Journey {
        let watch = if self.fine { Watch::Any } else { Watch::Say };
        let mut left = budget;
        while left > 0 {
            let Some((from, until)) = self.stretch else {
                let before = self.here;
                self.stretch = run.rewind_before(before).map(|from| (from, before));
                if self.stretch.is_none() {
                    return Journey::Place(Position::default());
                }
                continue;
            };
            let events = run.position().events;
            let ran = run.run(until.at, watch, left);
            let place = run.position();
            left = left.saturating_sub(place.events - events).saturating_sub(1);
            match ran {
                Ran::OutOfBudget => break,
                // What a keyframe stands right behind belongs to the stretch before it.
                Ran::Stopped if place < self.here && place <= until => self.found = Some(place),
                _ => {
                    if let Some(found) = self.found {
                        return Journey::Place(found);
                    }
                    self.stretch = run.rewind_before(from).map(|earlier| (earlier, from));
                    if self.stretch.is_none() {
                        return Journey::Place(Position::default());
                    }
                }
            }
        }
        Journey::Before(self)
    }
}
