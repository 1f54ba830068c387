//! Schedules: what a learner does to a lesson and when, as data. One that breaks what must hold is cut down to what it takes, and
//! told as a link that replays it in the browser.

use engine::place::{Input, InputKind, Position};
use engine::random::{Streams, below, unit};
use engine::show::Watch;
use engine::state::RunState;
use engine::{Act, Player, Show, Stream, Time, Typed};
use lessons::Entry;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What must hold after every event.
pub type Law<'a> = &'a dyn Fn(&dyn Show) -> Result<(), String>;

/// A learner's deeds, each with the time that passes before it.
#[derive(Clone, Debug)]
pub struct Schedule {
    seed: u32,
    deeds: Vec<(Time, Deed)>,
    /// How long it is watched after the last deed.
    rest: Time,
}

#[derive(Clone, Debug)]
enum Deed {
    Act(Act),
    Type(Act, String),
    /// The knob of this number, to so many steps above its least.
    Turn(usize, u32),
}

/// A schedule that breaks a law.
#[derive(Debug)]
pub struct Finding {
    /// What does not hold.
    pub fault: String,
    /// The lesson.
    pub slug: &'static str,
    /// Its state at that moment, as a link carries it.
    pub state: String,
    /// How many deeds it takes.
    pub deeds: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            fault,
            slug,
            state,
            deeds,
        } = self;
        write!(
            f,
            "{slug}: {fault}\nafter {deeds} deeds; to see it: l/{slug}/?state={state}"
        )
    }
}

const WHIM: Stream = Stream::named("schedule");
/// At most so many deeds a schedule.
const DEEDS: usize = 12;
/// So long a learner watches between two deeds, at most, seconds of his own time.
const PAUSE_S: f64 = 1.5;

impl Schedule {
    /// The schedule of this seed. Deeds are aimed at any part, also at some that are not there.
    pub fn random(entry: &Entry, seed: u32) -> Schedule {
        let run = (entry.open)(seed);
        let mut streams = Streams::new(seed);
        let rng = streams.get(WHIM);
        let wait = |rng: &mut _| Time::from_s(unit(rng) * PAUSE_S * run.speed());
        let deeds = (0..1 + below(rng, DEEDS)).map(|_| {
            let knob = below(rng, 4) == 0;
            let deed = if knob || run.actions().is_empty() {
                Deed::Turn(below(rng, run.knobs().len()), below(rng, 40) as u32)
            } else {
                let act = Act {
                    spec: below(rng, run.actions().len()),
                    target: below(rng, 8),
                };
                match run.actions()[act.spec].field {
                    Some(field) => Deed::Type(act, crate::typed(field, below(rng, 1 << 20))),
                    None => Deed::Act(act),
                }
            };
            (wait(rng), deed)
        });
        let deeds = deeds.collect();
        let rest = wait(rng) + wait(rng);
        Schedule { seed, deeds, rest }
    }

    /// Plays it and asks the law after every event and deed. None if it holds to the end; a panic breaks it too.
    pub fn play(&self, entry: &Entry, law: Law<'_>) -> Option<Finding> {
        let first = (entry.open)(self.seed).knobs();
        // Kept outside, because a panic takes the run with it.
        let (mut done, mut place) = (Vec::new(), Position::default());
        let played = catch_unwind(AssertUnwindSafe(|| {
            let mut run = (entry.open)(self.seed);
            let mut at = Time::ZERO;
            for (wait, deed) in &self.deeds {
                at += *wait;
                go(&mut *run, at, law, &mut place)?;
                let kind = match *deed {
                    Deed::Act(act) => run.can(act).then_some(InputKind::Act(act)),
                    Deed::Type(act, ref text) => {
                        let field = run.actions()[act.spec].field;
                        let text = field.and_then(|field| Typed::new(text, field.most).ok());
                        text.map(|text| InputKind::Typed(act, text))
                    }
                    Deed::Turn(number, steps) => {
                        let (knob, _) = run.knobs()[number];
                        Some(InputKind::Knob(knob.id, knob.from_steps(steps)))
                    }
                };
                let Some(kind) = kind else { continue };
                done.push(Input {
                    at: place.at,
                    events: Some(place.events),
                    kind,
                });
                // What a lesson refuses is part of the schedule too.
                let _ = match kind {
                    InputKind::Act(act) => run.act(act),
                    InputKind::Typed(act, text) => run.type_in(act, text.text()).is_ok(),
                    InputKind::Knob(id, value) | InputKind::Told(id, value) => {
                        run.set_knob(id, value).is_ok()
                    }
                };
                place = run.position();
                law(&*run)?;
            }
            go(&mut *run, at + self.rest, law, &mut place)
        }));
        let fault = match played {
            Ok(Ok(())) => return None,
            Ok(Err(fault)) => fault,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                text.unwrap_or_else(|| "it panics".to_owned())
            }
        };
        let mut link = Player::new((entry.open)(self.seed)).link();
        link.run = RunState::take(self.seed, &first, &done, place);
        Some(Finding {
            fault,
            slug: entry.card.slug,
            state: link.encode().unwrap_or_else(|error| format!("{error:?}")),
            deeds: done.len(),
        })
    }

    /// The same with fewer deeds, as long as it breaks the law: first halves are left out, then ever shorter stretches. What a
    /// deed waited, the next one waits too.
    pub fn shrink(mut self, entry: &Entry, law: Law<'_>) -> Schedule {
        let mut stretch = self.deeds.len().div_ceil(2);
        while stretch > 0 {
            let mut from = 0;
            while from < self.deeds.len() {
                let mut fewer = self.clone();
                let to = self.deeds.len().min(from + stretch);
                let waits = fewer.deeds.drain(from..to).map(|(wait, _)| wait);
                let waited = waits.fold(Time::ZERO, |sum, wait| sum + wait);
                match fewer.deeds.get_mut(from) {
                    Some((wait, _)) => *wait += waited,
                    None => fewer.rest += waited,
                }
                if fewer.play(entry, law).is_some() {
                    self = fewer;
                } else {
                    from = to;
                }
            }
            stretch /= 2;
        }
        self
    }
}

/// Goes on to a moment event by event.
fn go(run: &mut dyn Show, until: Time, law: Law<'_>, place: &mut Position) -> Result<(), String> {
    loop {
        let before = run.position().events;
        run.run(until, Watch::Nothing, 1);
        *place = run.position();
        law(run)?;
        if run.position().at >= until && run.position().events == before {
            return Ok(());
        }
    }
}

/// Tries so many schedules of a lesson, and cuts the first that breaks the law down to what it takes.
pub fn search(
    entry: &Entry,
    seeds: impl IntoIterator<Item = u32>,
    law: Law<'_>,
) -> Option<Finding> {
    let broken = seeds.into_iter().find_map(|seed| {
        let schedule = Schedule::random(entry, seed);
        schedule.play(entry, law).is_some().then_some(schedule)
    })?;
    broken.shrink(entry, law).play(entry, law)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A law that no group of voters keeps, so that something is found: nobody ever asks for votes twice.
    fn never_asks_again(run: &dyn Show) -> Result<(), String> {
        let again = run.tape().notes().any(|note| note.word == "asks-again");
        if again {
            Err("a vote was split".to_owned())
        } else {
            Ok(())
        }
    }

    #[test]
    fn what_breaks_a_law_is_found_cut_down_and_seen_again_by_its_link() {
        let entry = lessons::find("leader-election").unwrap();
        let found = search(entry, 0..200, &never_asks_again).unwrap();
        assert!(found.deeds <= 3, "{found}");
        let mut player = Player::new((entry.open)(1));
        player.restore_text(&found.state).unwrap();
        assert!(never_asks_again(player.main()).is_err(), "{found}");
    }

    #[test]
    fn a_panic_is_a_finding() {
        let entry = lessons::find("leader-election").unwrap();
        let found = search(entry, 0..1, &|run| {
            assert!(run.position().events < 20, "twenty events");
            Ok(())
        });
        let found = found.unwrap();
        assert!(
            found.fault.contains("twenty") && found.deeds == 0,
            "{found}"
        );
    }
}
