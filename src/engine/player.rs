//! The player: what a page does with a run — play, step, scrub, tell the story, ask, compare.
//!
//! It is plain Rust without a screen, so that everything a learner can do is tested natively.
//!
//! What takes long is a way of several legs. A player without [`Player::set_patience`] goes it at once; one whose
//! patience ends goes on in later frames.

use crate::action::{Act, ActionSpec};
use crate::difference::{Difference, Stored};
use crate::journey::Journey;
use crate::knobs::{Knob, KnobError};
use crate::place::Position;
use crate::show::{Ran, Show, Watch};
use crate::state::{Link, LinkError};
use crate::story::{BeatView, Setup};
use crate::time::Time;
use crate::typed::Refusal;
pub use crate::undo::Guess;
use crate::undo::{Deed, Moment, Step, Steps, parting};
use std::collections::VecDeque;

/// Bounds of the speed, in simulated seconds a second.
pub const SPEEDS: (f64, f64) = (0.000_01, 40.0);
/// Frames longer than this (a tab that slept) count as this long.
const FRAME_MAX_S: f64 = 0.1;
/// Challenges and predictions are looked at this often.
const CHECK_EVERY: Time = Time::ms(20);
/// Events in one frame at most; a heavier one runs slower instead of freezing the page.
const FRAME_EVENTS: u64 = 40_000;
/// Events between two looks at the clock.
const SLICE_EVENTS: u64 = 500;
/// A beat that does not come up within this span, after what it waits for anyway, is given up.
const PATIENCE: Time = Time::s(90);

/// Something the page should react to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Happening {
    /// The story reached a beat (from 0).
    Beat(usize),
    /// The state of a beat did not come up; the learner's settings prevent it.
    Stuck(usize),
    /// A guess was settled.
    Settled {
        /// The beat that asked.
        beat: usize,
        /// The answer that proved right, from 0.
        truth: usize,
    },
    /// A challenge was reached.
    Challenge(usize),
    /// The tape is full.
    End,
}

/// The run compared with.
pub struct Twin {
    /// Its run.
    pub run: Box<dyn Show>,
    /// The knob that differs.
    pub knob: &'static str,
    /// Its value.
    pub value: f64,
    /// What differs besides, if a second thing does.
    pub also: Option<Difference>,
}

/// Where Next is heading.
#[derive(Clone, Copy, Debug)]
struct Goal {
    beat: usize,
    /// Set if the beat was reached before on this timeline: the story returns to that very place.
    place: Option<Position>,
    /// Before this the state of the beat does not count.
    not_before: Time,
    give_up: Time,
}

/// One leg of the way to where the run is wanted.
#[derive(Clone, Copy, Debug)]
enum Leg {
    /// To another place of the run.
    Run(Journey),
    /// To a beat that was not reached yet, arranging and running through all between.
    Story(usize),
    /// To the beat and the twin of a link, once the run stands where it stood.
    Link(u8, Option<(u8, u32)>, Option<Stored>),
    /// Puts the wanted inputs in the place of those from here on.
    Rewrite,
    /// All else as it was wanted, once the run stands where it stood.
    Restore,
    /// The twin, to how far it has been.
    Twin(Time),
}

/// One lesson being played.
pub struct Player {
    main: Box<dyn Show>,
    twin: Option<Twin>,
    /// Whether it was the story that opened or closed the comparison last: then it follows the story back, too.
    story_compares: bool,
    beats: Vec<BeatView>,
    /// The first beat that is told; those before it only arrange what it shows. From outside beats are counted from here.
    first: usize,
    playing: bool,
    speed: f64,
    beat: usize,
    reached: Vec<Option<Position>>,
    goal: Option<Goal>,
    stuck: Option<usize>,
    guesses: Vec<Guess>,
    done: Vec<bool>,
    /// Which challenges take what the learner is not given.
    withheld: Vec<bool>,
    way: VecDeque<Leg>,
    /// The clock's time where the way began and, if it leads to a known time, where it ends.
    span: (Time, Option<Time>),
    /// What happened on a way that had to be gone to its end at once; told in the next frame.
    untold: Vec<Happening>,
    /// What the learner changed.
    steps: Steps,
    /// Where a step that is taken back leads, until the run is there.
    wanted: Option<Moment>,
    patience: Box<dyn Fn() -> bool>,
}

impl Player {
    /// A player for a run at any place.
    pub fn new(main: Box<dyn Show>) -> Player {
        let beats = main.beats();
        let mut reached = vec![None; beats.len()];
        if let Some(first) = reached.first_mut() {
            *first = Some(Position::default());
        }
        let done = vec![false; main.challenges().len()];
        let withheld = done.clone();
        let speed = main.speed();
        Player {
            main,
            twin: None,
            story_compares: false,
            beats,
            first: 0,
            playing: false,
            speed,
            beat: 0,
            reached,
            goal: None,
            stuck: None,
            guesses: Vec::new(),
            done,
            withheld,
            way: VecDeque::new(),
            span: (Time::ZERO, None),
            untold: Vec::new(),
            steps: Steps::default(),
            wanted: None,
            patience: Box::new(|| true),
        }
    }

    /// Tells only the beats from `first` to `last` (from 0, of the whole story); [`Player::jump`] to beat 0 then goes where
    /// that part begins. For a player that has done nothing yet. What the last one asks is left out where the answer would
    /// come with a beat that is not told.
    pub fn tell_only(&mut self, first: usize, last: usize) {
        let whole = self.beats.len();
        self.beats.truncate(last.saturating_add(1));
        self.reached.truncate(self.beats.len());
        self.first = first.min(self.beats.len().saturating_sub(1));
        self.guesses.clear();
        if let Some(end) = self.beats.last_mut().filter(|_| last + 1 < whole) {
            (end.predict, end.hides) = (None, &[]);
        }
    }

    /// Where the part that is told begins, if that is not where the run begins.
    pub fn start(&self) -> Option<Position> {
        self.reached[self.first..]
            .first()
            .copied()
            .flatten()
            .filter(|_| self.first > 0)
    }

    /// A beat as it is counted from outside.
    fn told(&self, beat: usize) -> usize {
        beat.saturating_sub(self.first)
    }

    /// Sets what is asked, again and again, whether there is time to go on; what is left then is for later frames.
    pub fn set_patience(&mut self, patience: impl Fn() -> bool + 'static) {
        self.patience = Box::new(patience);
    }

    /// Whether the run is on its way to another place.
    pub fn under_way(&self) -> bool {
        !self.way.is_empty()
    }

    /// What is catching up, the run (0) or its twin (1), and which share of the way it has behind it, where that can
    /// be told.
    pub fn progress(&self) -> Option<(usize, Option<f64>)> {
        let now = self.main.position().at.as_s();
        if self.under_way() {
            let (from, to) = (self.span.0.as_s(), self.span.1.map(Time::as_s));
            let share = to
                .filter(|to| *to > from)
                .map(|to| (now - from) / (to - from));
            return Some((0, share.map(|share| share.clamp(0.0, 1.0))));
        }
        let twin = self.twin.as_ref().filter(|_| self.twin_behind())?;
        Some((1, Some(twin.run.position().at.as_s() / now)))
    }

    /// The run.
    pub fn main(&self) -> &dyn Show {
        &*self.main
    }

    /// The run, to ask it why.
    pub fn main_mut(&mut self) -> &mut dyn Show {
        &mut *self.main
    }

    /// The run compared with.
    pub fn twin(&self) -> Option<&Twin> {
        self.twin.as_ref()
    }

    /// The run compared with, to ask it why.
    pub fn twin_mut(&mut self) -> Option<&mut Twin> {
        self.twin.as_mut()
    }

    /// Whether time runs.
    pub fn playing(&self) -> bool {
        self.playing
    }

    /// Simulated seconds a second.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Sets the speed; clamped, and ignored if it is no finite number.
    pub fn set_speed(&mut self, speed: f64) {
        if speed.is_finite() {
            self.speed = speed.clamp(SPEEDS.0, SPEEDS.1);
        }
    }

    /// The beats that are told.
    pub fn beats(&self) -> &[BeatView] {
        &self.beats[self.first..]
    }

    /// The beat shown (from 0).
    pub fn beat(&self) -> usize {
        self.told(self.beat)
    }

    /// Whether the run stands at the very place where the beat shown was reached.
    pub fn at_beat(&self) -> bool {
        self.beat >= self.first && self.reached(self.beat()) == Some(self.main.position())
    }

    /// Where a beat was reached on this timeline, if it was.
    pub fn reached(&self, beat: usize) -> Option<Position> {
        self.reached.get(self.first + beat).copied().flatten()
    }

    /// The beat that Next is heading for.
    pub fn heading_for(&self) -> Option<usize> {
        self.goal.map(|goal| self.told(goal.beat))
    }

    /// The beat that was given up.
    pub fn stuck(&self) -> Option<usize> {
        self.stuck.map(|beat| self.told(beat))
    }

    /// The guesses.
    pub fn guesses(&self) -> &[Guess] {
        &self.guesses
    }

    /// How many guesses proved right, of how many questions the story asks.
    pub fn tally(&self) -> (usize, usize) {
        let right = |guess: &&Guess| {
            let truth = guess.settled.map(|(_, truth)| truth);
            truth == Some(guess.choice)
        };
        let asked = self.beats().iter().filter(|beat| beat.predict.is_some());
        (self.guesses.iter().filter(right).count(), asked.count())
    }

    /// The guess for a beat's question.
    pub fn guess_of(&self, beat: usize) -> Option<&Guess> {
        self.guesses.iter().find(|guess| guess.beat == beat)
    }

    /// Which challenges are reached.
    pub fn done(&self) -> &[bool] {
        &self.done
    }

    /// Withholds the challenges that cannot be reached without turning a knob that is not `given`, from where it stands now,
    /// or, unless the learner `acts`, without an action: their solutions say so.
    pub fn withhold(&mut self, given: &dyn Fn(&Knob) -> bool, acts: bool) {
        let knobs = self.main.knobs();
        let takes = |step: &Setup| match *step {
            Setup::Set(id, value) => {
                (knobs.iter()).any(|(knob, now)| knob.id == id && *now != value && !given(knob))
            }
            Setup::Act(..) => !acts,
            _ => false,
        };
        for (challenge, withheld) in self.withheld.iter_mut().enumerate() {
            *withheld = self.main.solution(challenge).iter().any(takes);
        }
    }

    /// Whether a challenge is there to be tried.
    pub fn offers(&self, challenge: usize) -> bool {
        self.withheld.get(challenge) == Some(&false)
    }

    /// Marks challenges that were reached on an earlier visit.
    pub fn recall_done(&mut self, challenge: usize) {
        if let Some(done) = self.done.get_mut(challenge) {
            *done = true;
        }
    }

    /// Recalls an answer that was given on an earlier visit; it is settled again when its moment comes.
    pub fn recall_guess(&mut self, beat: usize, choice: usize) {
        let options = self.beats().get(beat).and_then(|beat| beat.predict);
        if options.is_some_and(|(_, options)| choice < options.len())
            && self.guess_of(beat).is_none()
        {
            self.guesses.push(Guess {
                beat,
                choice,
                at: Time::ZERO,
                settled: None,
            });
        }
    }

    /// Starts or stops time.
    pub fn set_playing(&mut self, playing: bool) {
        self.playing = playing;
    }

    /// Lets `real_s` seconds of real time pass.
    pub fn frame(&mut self, real_s: f64) -> Vec<Happening> {
        let mut happened = std::mem::take(&mut self.untold);
        self.travel(&mut happened);
        if self.playing && !self.under_way() {
            let span = Time::from_s(real_s.clamp(0.0, FRAME_MAX_S) * self.speed);
            self.advance(span, FRAME_EVENTS, &mut happened);
        }
        self.sync_twin();
        happened
    }

    /// Sets out on a way, as far as patience lasts.
    fn set_out(&mut self, legs: impl Into<VecDeque<Leg>>) -> Vec<Happening> {
        self.way = legs.into();
        let end = self.way.iter().rev().find_map(|leg| match leg {
            Leg::Run(Journey::Moment(at)) => Some(*at),
            Leg::Run(Journey::Place(place)) => Some(place.at),
            _ => None,
        });
        self.span = (self.main.position().at, end);
        let mut happened = Vec::new();
        self.travel(&mut happened);
        self.sync_twin();
        happened
    }

    /// Goes on while patience lasts.
    fn travel(&mut self, happened: &mut Vec<Happening>) {
        while self.under_way() {
            self.walk(happened);
            if !(self.patience)() {
                return;
            }
        }
    }

    /// Goes one slice of the way.
    fn walk(&mut self, happened: &mut Vec<Happening>) {
        let Some(leg) = self.way.front_mut() else {
            return;
        };
        match leg {
            Leg::Run(journey) => match journey.go(&mut *self.main, SLICE_EVENTS) {
                Some(rest) => {
                    *journey = rest;
                    // A run that goes back sets out anew from a keyframe.
                    self.span.0 = self.span.0.min(self.main.position().at);
                }
                None => {
                    self.way.pop_front();
                    if matches!(self.way.front(), None | Some(Leg::Story(_))) {
                        self.settle_down(happened);
                    }
                }
            },
            Leg::Story(beat) => {
                let beat = *beat;
                let before = happened.len();
                if self.beat < beat && self.stuck.is_none() {
                    if self.goal.is_none() {
                        self.head_for(self.beat + 1);
                    }
                    self.advance(PATIENCE, u64::MAX, happened);
                }
                let ended = happened[before..].contains(&Happening::End);
                if ended {
                    self.goal = None;
                }
                if self.beat >= beat || self.stuck.is_some() || ended {
                    self.playing = false;
                    self.way.pop_front();
                }
            }
            Leg::Rewrite => {
                self.way.pop_front();
                if let Some(wanted) = &self.wanted {
                    let inputs = wanted.inputs(&*self.main);
                    self.main.rewrite(&inputs);
                }
            }
            Leg::Restore => {
                self.way.pop_front();
                if let Some(wanted) = self.wanted.take() {
                    self.restore_rest(wanted);
                }
            }
            Leg::Twin(at) => {
                let at = *at;
                let twin = self.twin.as_mut();
                let ran = twin.map(|twin| twin.run.run(at, Watch::Nothing, SLICE_EVENTS));
                if ran != Some(Ran::OutOfBudget) {
                    self.way.pop_front();
                }
            }
            Leg::Link(beat, twin, also) => {
                let (beat, twin, also) = (*beat, *twin, *also);
                self.way.pop_front();
                let last = self.beats.len().saturating_sub(1);
                self.beat = usize::from(beat).clamp(self.first.min(last), last);
                if self.beat > 0 {
                    self.reached[self.beat] = Some(self.main.position());
                }
                self.compare_stored(twin, also);
            }
        }
    }

    /// Stops on the way: what the learner does next happens here. A way that makes no sense half gone is gone to its
    /// end.
    fn halt(&mut self) {
        let whole = |leg: &Leg| matches!(leg, Leg::Link(..) | Leg::Restore | Leg::Twin(_));
        let binds = |leg: &Leg| whole(leg) || matches!(leg, Leg::Run(Journey::Before(_)));
        self.steps.pending = None;
        let mut happened = Vec::new();
        if self.way.iter().any(binds) {
            while self.under_way() {
                self.walk(&mut happened);
            }
        } else if self.under_way() {
            self.way.clear();
            self.settle_down(&mut happened);
            while self.under_way() {
                self.walk(&mut happened);
            }
        }
        self.untold.append(&mut happened);
    }

    /// Runs `span` further, towards the goal if there is one, looking at challenges and guesses on the way.
    fn advance(&mut self, span: Time, budget: u64, happened: &mut Vec<Happening>) {
        let until = self.main.position().at + span;
        let mut left = budget;
        while self.main.position().at < until && left > 0 {
            let events = self.main.position().events;
            let check =
                Time((self.main.position().at.0 / CHECK_EVERY.0 + 1) * CHECK_EVERY.0).min(until);
            let ran = match self.goal {
                Some(Goal {
                    place: Some(place), ..
                }) => self.main.run(check.min(place.at), Watch::Nothing, left),
                Some(goal) if self.main.position().at < goal.not_before => {
                    self.main
                        .run(check.min(goal.not_before), Watch::Nothing, left)
                }
                Some(goal) => self.main.run(check, Watch::Beat(goal.beat), left),
                None => self.main.run(check, Watch::Nothing, left),
            };
            left = left.saturating_sub((self.main.position().events - events).max(1));
            if !(self.patience)() {
                left = 0;
            }
            self.look(happened);
            if let Some(goal) = self.goal {
                let here = self.main.position();
                let arrived = match goal.place {
                    Some(place) => here.at >= place.at,
                    None => ran == Ran::Stopped,
                };
                if arrived {
                    self.arrive(goal, happened);
                    return;
                }
                if here.at >= goal.give_up {
                    self.goal = None;
                    self.stuck = Some(goal.beat);
                    self.playing = false;
                    happened.push(Happening::Stuck(self.told(goal.beat)));
                    return;
                }
            }
            if ran == Ran::AtEnd {
                self.playing = false;
                happened.push(Happening::End);
                return;
            }
        }
    }

    fn arrive(&mut self, goal: Goal, happened: &mut Vec<Happening>) {
        if let Some(place) = goal.place {
            self.main.seek_to(place);
        }
        self.goal = None;
        self.playing = false;
        self.beat = goal.beat;
        self.reached[goal.beat] = Some(self.main.position());
        if goal.beat >= self.first {
            happened.push(Happening::Beat(self.told(goal.beat)));
        }
    }

    /// Ticks challenges and settles guesses.
    fn look(&mut self, happened: &mut Vec<Happening>) {
        for challenge in 0..self.done.len() {
            let open = !self.done[challenge] && !self.withheld[challenge];
            if open && self.main.challenge_done(challenge) {
                self.done[challenge] = true;
                happened.push(Happening::Challenge(challenge));
            }
        }
        let now = self.main.position().at;
        for guess in self
            .guesses
            .iter_mut()
            .filter(|guess| guess.settled.is_none())
        {
            if let Some(truth) = self.main.truth(self.first + guess.beat) {
                guess.settled = Some((now, truth));
                happened.push(Happening::Settled {
                    beat: guess.beat,
                    truth,
                });
            }
        }
    }

    /// Whether the twin still has to catch up.
    pub fn twin_behind(&self) -> bool {
        self.twin
            .as_ref()
            .is_some_and(|twin| twin.run.position().at < self.main.position().at)
    }

    /// Takes the twin to the present while patience lasts.
    fn sync_twin(&mut self) {
        while !self.under_way() && self.sync_some() && (self.patience)() {}
    }

    /// Takes the twin nearer to the present; true if it is not there yet.
    fn sync_some(&mut self) -> bool {
        let now = self.main.position().at;
        self.twin.as_mut().is_some_and(|twin| {
            if twin.run.position().at > now {
                !twin.run.seek_some(now, SLICE_EVENTS)
            } else {
                twin.run.run(now, Watch::Nothing, SLICE_EVENTS) == Ran::OutOfBudget
            }
        })
    }

    /// Goes to a moment; the caption becomes that of the last beat reached by then.
    pub fn seek(&mut self, at: Time) -> Vec<Happening> {
        self.go_to(Journey::Moment(at))
    }

    /// Goes to an exact place on the tape, such as that of a note.
    pub fn seek_to(&mut self, place: Position) -> Vec<Happening> {
        self.go_to(Journey::Place(place))
    }

    fn go_to(&mut self, journey: Journey) -> Vec<Happening> {
        self.halt();
        self.steps.let_go();
        self.goal = None;
        self.stuck = None;
        self.set_out([Leg::Run(journey)])
    }

    fn settle_down(&mut self, happened: &mut Vec<Happening>) {
        let here = self.main.position();
        if let Some(start) = self
            .start()
            .filter(|start| here < *start && !self.under_way())
        {
            // No way leads to before the part that is told.
            self.way.push_back(Leg::Run(Journey::Place(start)));
            return;
        }
        self.beat = self
            .reached
            .iter()
            .rposition(|place| place.is_some_and(|place| place <= here))
            .unwrap_or(0);
        self.follow_story();
        if here >= self.main.horizon() {
            self.look(happened);
        }
    }

    /// Goes back to the start of what is told; inputs stay on the tape.
    pub fn restart(&mut self) -> Vec<Happening> {
        self.halt();
        self.playing = false;
        let (deed, moment) = (Deed::Restart, self.moment());
        let moved = self.main.position() > self.reached[self.first].unwrap_or_default();
        let happened = match self.first {
            0 => self.seek_to(Position::default()),
            _ => self.jump(0),
        };
        if moved {
            self.steps.pending = None;
            self.steps.put(Step { deed, moment });
        }
        happened
    }

    /// Begins anew: another seed or the same, first knobs, nothing done.
    pub fn reset(&mut self, seed: u32) {
        self.halt();
        let (deed, moment) = (Deed::Seed(seed), self.moment());
        self.steps.put(Step { deed, moment });
        self.begin_anew(seed);
    }

    fn begin_anew(&mut self, seed: u32) {
        self.way.clear();
        self.main = self.main.fresh(seed);
        self.reached
            .iter_mut()
            .skip(1)
            .for_each(|place| *place = None);
        (self.goal, self.stuck, self.beat, self.playing) = (None, None, 0, false);
        self.guesses.clear();
        if let Some(twin) = self.twin.take() {
            // The knob existed a moment ago, so this only fails if a lesson's knobs changed under our feet.
            let _ = self.compare_here(twin.knob, twin.value, twin.also);
        }
        if self.first > 0 {
            let happened = self.set_out([Leg::Story(self.first)]);
            self.untold.extend(happened);
        }
    }

    /// Steps to the next thing said, or the next event if `fine`.
    pub fn step_forward(&mut self, fine: bool) -> Vec<Happening> {
        self.halt();
        self.playing = false;
        let until = self.main.position().at + Time::s(30);
        let watch = if fine { Watch::Any } else { Watch::Say };
        let mut happened = Vec::new();
        let heading = self.goal.take();
        if self.main.run(until, watch, FRAME_EVENTS) == Ran::AtEnd {
            happened.push(Happening::End);
        }
        self.look(&mut happened);
        match heading {
            // Stepping may be how the learner walks to the beat; arriving that way counts too.
            Some(goal)
                if goal.place.is_none()
                    && self.main.position().at >= goal.not_before
                    && self.main.beat_holds(goal.beat) =>
            {
                self.arrive(goal, &mut happened)
            }
            _ => self.goal = heading,
        }
        self.sync_twin();
        happened
    }

    /// Steps to the last thing said before here, or the last event if `fine`.
    pub fn step_back(&mut self, fine: bool) -> Vec<Happening> {
        self.playing = false;
        self.halt();
        match Journey::before(&*self.main, fine) {
            Some(journey) => self.go_to(journey),
            None => Vec::new(),
        }
    }

    /// Turns a knob of both runs.
    ///
    /// # Errors
    /// The knob does not exist or the value is no finite number.
    pub fn set_knob(&mut self, id: &str, value: f64) -> Result<f64, KnobError> {
        self.halt();
        let mut knobs = self.main.knobs().into_iter();
        let was = knobs.find(|(knob, _)| knob.id == id);
        let moment = self.moment();
        let to = self.put_knob(|run| run.set_knob(id, value))?;
        if let Some((knob, from)) = was.filter(|(_, from)| *from != to) {
            let knob = knob.id;
            let deed = Deed::Turn { knob, from, to };
            self.steps.put(Step { deed, moment });
        }
        Ok(to)
    }

    /// Turns a knob by way of `turn`: the learner's or the story's.
    fn put_knob(
        &mut self,
        turn: impl FnOnce(&mut dyn Show) -> Result<f64, KnobError>,
    ) -> Result<f64, KnobError> {
        let before = self.main.inputs().len();
        let here = self.main.position();
        let value = turn(&mut *self.main)?;
        let put = self.main.inputs().len() != before || self.main.position() != here;
        if put {
            self.forked(here);
        }
        Ok(value)
    }

    /// Does an action in both runs. False if it makes no sense now.
    pub fn act(&mut self, act: Act) -> bool {
        self.halt();
        let moment = self.moment();
        let acted = self.put_act(act);
        if acted {
            let deed = Deed::Act(act);
            self.steps.put(Step { deed, moment });
        }
        acted
    }

    /// Does an action with a text in both runs.
    ///
    /// # Errors
    /// Why the text is not taken; nothing has changed then.
    pub fn type_in(&mut self, act: Act, text: &str) -> Result<(), Refusal> {
        self.halt();
        let (here, moment) = (self.main.position(), self.moment());
        self.main.type_in(act, text)?;
        self.forked(here);
        let deed = Deed::Act(act);
        self.steps.put(Step { deed, moment });
        Ok(())
    }

    fn put_act(&mut self, act: Act) -> bool {
        let here = self.main.position();
        let acted = self.main.act(act);
        if acted {
            self.forked(here);
        }
        acted
    }

    /// The run just had an input at `here`, and what lay ahead of it is lost.
    fn forked(&mut self, here: Position) {
        if let Some(step) = self.steps.pending.take() {
            self.steps.put(step);
        }
        self.forget_after(here);
        self.tell_twin(here);
        // The way to a goal that was reached before leads nowhere now, and what was arranged for it went with it.
        let lost = |goal: &mut Goal| goal.place.is_some_and(|place| place > here);
        if let Some(goal) = self.goal.take_if(lost) {
            self.head_for(goal.beat);
        }
    }

    /// Lets the twin have the inputs of the run, which just had one at `here`. A twin that is still on its way there
    /// takes note of them; any other lives through them now.
    fn tell_twin(&mut self, here: Position) {
        let horizon = self.twin.as_ref().map(|twin| twin.run.horizon().at);
        if horizon.is_some_and(|at| at >= here.at) {
            while self.sync_some() {}
        }
        if let Some(twin) = &mut self.twin {
            twin.run.echo(self.main.inputs());
        }
    }

    /// Does the action of this id; `target` counts from 0, none means the model's own choice.
    pub fn act_by_id(&mut self, id: &str, target: Option<usize>) -> bool {
        let Some(spec) = self.main.actions().iter().position(|spec| spec.id == id) else {
            return false;
        };
        let target = target.unwrap_or_else(|| self.main.aim(spec));
        self.act(Act { spec, target })
    }

    /// After a fork, what was reached and settled in the lost future no longer is.
    fn forget_after(&mut self, here: Position) {
        for place in &mut self.reached {
            if place.is_some_and(|place| place > here) {
                *place = None;
            }
        }
        for guess in &mut self.guesses {
            if guess.settled.is_some_and(|(at, _)| at > here.at) {
                guess.settled = None;
            }
        }
    }

    /// Compares with a twin whose `knob` holds `value`. A second difference stays, unless it is of this knob or the first
    /// was of another.
    ///
    /// # Errors
    /// The knob does not exist or the value is no finite number.
    pub fn compare(&mut self, knob: &str, value: f64) -> Result<(), KnobError> {
        self.halt();
        let kept = self.twin.as_ref().filter(|twin| twin.knob == knob);
        let also = kept.and_then(|twin| twin.also);
        self.compare_as_learner(knob, value, also)
    }

    /// Lets the twin differ in a second thing, or in one alone again; false where nothing is compared, where it is the
    /// knob that differs anyway, or where it makes no sense.
    pub fn compare_also(&mut self, also: Option<Difference>) -> bool {
        self.halt();
        let Some(twin) = &self.twin else {
            return false;
        };
        let (knob, value) = (twin.knob, twin.value);
        let fits = match also {
            Some(Difference::Knob(id, _)) => id != knob,
            Some(Difference::Act(act, _)) => {
                let mut specs = self.main.actions().iter().skip(act.spec);
                // What turns a knob is a knob's difference, and what takes a text is not done without it.
                let whole = |spec: &ActionSpec| spec.turn.is_none() && spec.field.is_none();
                specs.next().is_some_and(whole)
            }
            None => true,
        };
        fits && self.compare_as_learner(knob, value, also).is_ok()
    }

    fn compare_as_learner(
        &mut self,
        knob: &str,
        value: f64,
        also: Option<Difference>,
    ) -> Result<(), KnobError> {
        let moment = self.moment();
        self.compare_here(knob, value, also)?;
        self.story_compares = false;
        let deed = Deed::Compare(self.twin.as_ref().map(|twin| twin.knob));
        self.steps.put(Step { deed, moment });
        Ok(())
    }

    fn compare_here(
        &mut self,
        knob: &str,
        value: f64,
        also: Option<Difference>,
    ) -> Result<(), KnobError> {
        let run = self.main.twin_with(knob, value, also)?;
        let knobs = run.knobs();
        let named = |id: &str| knobs.iter().find(|(knob, _)| knob.id == id);
        let (knob, value) = named(knob)
            .map(|(knob, value)| (knob.id, *value))
            .ok_or(KnobError::Unknown)?;
        let also = match also {
            Some(Difference::Knob(id, _)) => {
                named(id).map(|(knob, value)| Difference::Knob(knob.id, *value))
            }
            also => also,
        };
        self.twin = Some(Twin {
            run,
            knob,
            value,
            also,
        });
        self.sync_twin();
        Ok(())
    }

    /// Compares as a link has it; what the lesson does not know is left out.
    fn compare_stored(&mut self, twin: Option<(u8, u32)>, also: Option<Stored>) {
        let knobs = self.main.knobs();
        let knob = twin.and_then(|(index, steps)| {
            let (knob, _) = knobs.get(usize::from(index))?;
            Some((knob.id, knob.from_steps(steps)))
        });
        let Some((id, value)) = knob else {
            return;
        };
        let actions = self.main.actions().len();
        let also = also.and_then(|also| Difference::read(also, &knobs, actions));
        // The knob is from the lesson's own list; a second turn of it is no second difference.
        let also = also.filter(|also| also.knob() != Some(id));
        let _ = self.compare_here(id, value, also);
    }

    /// Ends the comparison.
    pub fn alone(&mut self) {
        // On the way somewhere there is no place to come back to.
        if self.twin.is_some() && !self.under_way() {
            let (deed, moment) = (Deed::Compare(None), self.moment());
            self.steps.put(Step { deed, moment });
        }
        self.twin = None;
        self.story_compares = false;
    }

    /// A player of its own with the same timeline and story, which stands where the last beat was reached. Where it goes
    /// then changes nothing here.
    pub fn scout(&self) -> Player {
        let reached = self.reached.iter().flatten().max();
        let last = reached.map_or(Time::ZERO, |place| place.at);
        let mut scout = Player::new(self.main.branch(last));
        scout.beats.clone_from(&self.beats);
        scout.reached.clone_from(&self.reached);
        scout.guesses.clone_from(&self.guesses);
        (scout.first, scout.beat) = (self.first, self.beat);
        (scout.story_compares, scout.speed) = (self.story_compares, self.speed);
        scout.twin = self.twin.as_ref().map(|twin| Twin {
            run: twin.run.branch(last),
            ..*twin
        });
        scout
    }

    /// What the story compares at a beat: the knob and value that its last word on it names.
    fn told_twin(&self, beat: usize) -> Option<(&'static str, f64)> {
        let told = self.beats.iter().take(beat + 1).rev();
        let mut setups = told.flat_map(|beat| beat.setup.iter().rev());
        setups.find_map(|setup| match *setup {
            Setup::Twin(knob, value) => Some(Some((knob, value))),
            Setup::Alone => Some(None),
            _ => None,
        })?
    }

    /// What is compared at a beat (from 0): what the story says, where it has the say, else what the learner compares.
    pub fn compared(&self, beat: usize) -> Option<(&'static str, f64)> {
        match self.story_compares {
            true => self.told_twin(beat),
            false => self.twin.as_ref().map(|twin| (twin.knob, twin.value)),
        }
    }

    /// Opens or closes the comparison as it was when this place was the present.
    fn follow_story(&mut self) {
        if !self.story_compares {
            return;
        }
        match self.told_twin(self.beat) {
            None => self.twin = None,
            Some((knob, value)) if self.twin.is_none() => {
                let mut knobs = self.main.knobs().into_iter();
                // Two sides that differ in nothing compare nothing.
                if knobs.any(|(known, now)| known.id == knob && now != value) {
                    let _ = self.compare_here(knob, value, None);
                }
            }
            Some(_) => {}
        }
    }

    /// Moves on to the next beat: arranges it and plays until its state comes up. A second call on the way jumps there.
    #[allow(
        clippy::should_implement_trait,
        reason = "it is what the button Next does; a player is no iterator"
    )]
    pub fn next(&mut self) -> Vec<Happening> {
        if let Some(goal) = self.goal {
            return self.set_out([Leg::Story(goal.beat)]);
        }
        self.halt();
        if self.beat < self.first {
            return self.jump(0);
        }
        let beat = self.beat + 1;
        if beat < self.beats.len() {
            self.expect(beat);
            self.head_for(beat);
            self.playing = true;
        }
        Vec::new()
    }

    /// Returns to the moment of the beat before.
    pub fn back(&mut self) -> Vec<Happening> {
        self.playing = false;
        self.halt();
        let to = if self.goal.is_some() {
            self.beat
        } else {
            self.beat.saturating_sub(1)
        };
        match self.reached[to.max(self.first)] {
            Some(place) => self.seek_to(place),
            None => Vec::new(),
        }
    }

    /// Keeps how it is before the story arranges something on the way to a beat, if it does: that is a step too.
    fn expect(&mut self, beat: usize) {
        let (deed, moment) = (Deed::Story(self.told(beat)), self.moment());
        self.steps.pending = Some(Step { deed, moment });
    }

    /// Sets the goal and arranges the beat.
    fn head_for(&mut self, beat: usize) {
        self.stuck = None;
        let here = self.main.position();
        let place = self.reached[beat].filter(|place| *place > here);
        let mut not_before = here.at;
        for setup in self.beats[beat].setup {
            match *setup {
                // What was arranged before lies ahead on the tape already.
                Setup::Set(..) | Setup::Act(..) if place.is_some() => {}
                Setup::Set(knob, value) => self.arrange(knob, value),
                Setup::Act(action, target) => {
                    let mut specs = self.main.actions().iter();
                    if let Some(spec) = specs.position(|spec| spec.id == action) {
                        self.put_act(Act { spec, target });
                    }
                }
                Setup::Twin(knob, value) => {
                    self.story_compares = true;
                    let _ = self.compare_here(knob, value, None);
                }
                Setup::Alone => {
                    self.twin = None;
                    self.story_compares = true;
                }
                Setup::Speed(speed) => self.set_speed(speed),
                Setup::Wait(span) => not_before = here.at + span,
            }
        }
        self.goal = Some(Goal {
            beat,
            place,
            not_before,
            give_up: not_before + PATIENCE,
        });
    }

    /// Turns a knob as the story wants it. A twin that would differ in nothing then shows what was before.
    fn arrange(&mut self, id: &str, value: f64) {
        let now = |player: &Player| {
            let mut knobs = player.main.knobs().into_iter();
            knobs
                .find(|(knob, _)| knob.id == id)
                .map(|(_, value)| value)
        };
        let before = now(self);
        // Stories only name knobs that exist: tests walk through every story.
        let _ = self.put_knob(|run| run.tell_knob(id, value));
        let (after, twin) = (now(self), self.twin.as_ref());
        let same = twin.is_some_and(|twin| twin.knob == id && Some(twin.value) == after);
        if let Some(before) = before.filter(|before| same && Some(*before) != after) {
            let _ = self.compare_here(id, before, None);
        }
    }

    /// Goes straight to a beat (from 0), arranging and running through all between.
    pub fn jump(&mut self, beat: usize) -> Vec<Happening> {
        self.halt();
        let last = self.beats.len().saturating_sub(1);
        let beat = beat.saturating_add(self.first).min(last);
        self.playing = false;
        if let Some(place) = self.reached[beat] {
            return self.seek_to(place);
        }
        // Not reached yet: go on from the last beat that was, so that every state in between is real.
        let before = self.reached[..beat].iter().rev();
        let last = before.flatten().next().copied();
        (self.goal, self.stuck) = (None, None);
        self.expect(beat);
        match last {
            Some(place) => self.set_out([Leg::Run(Journey::Place(place)), Leg::Story(beat)]),
            None => self.set_out([Leg::Story(beat)]),
        }
    }

    /// Begins anew and goes straight to the beat that was given up: the way out of settings that prevent it.
    pub fn back_to_story(&mut self) -> Vec<Happening> {
        let beat = self.stuck.unwrap_or(self.beat);
        self.reset(self.main.seed());
        let happened = self.jump(self.told(beat));
        // It is one press, and one step.
        self.steps.pending = None;
        happened
    }

    /// Locks in an answer to the question of the beat shown; later answers do not count.
    pub fn guess(&mut self, choice: usize) -> bool {
        let beat = self.beat();
        let Some((_, options)) = self.beats()[beat].predict else {
            return false;
        };
        if choice >= options.len() || self.guess_of(beat).is_some() {
            return false;
        }
        self.guesses.push(Guess {
            beat,
            choice,
            at: self.main.position().at,
            settled: None,
        });
        true
    }

    /// Everything on screen as a link.
    pub fn link(&self) -> Link {
        let knobs = self.main.knobs();
        let twin = self.twin.as_ref().and_then(|twin| {
            let index = knobs.iter().position(|(knob, _)| knob.id == twin.knob)?;
            Some((index as u8, knobs[index].0.to_steps(twin.value)))
        });
        let also = self.twin.as_ref().and_then(|twin| twin.also?.store(&knobs));
        Link {
            run: self.main.state(),
            twin,
            beat: self.beat as u8,
            also,
        }
    }

    /// Restores what a link describes; the story stands at its beat.
    pub fn restore(&mut self, link: &Link) {
        self.halt();
        let (deed, moment) = (Deed::Link, self.moment());
        self.steps.put(Step { deed, moment });
        self.main = self.main.restore(&link.run);
        (self.goal, self.stuck, self.playing, self.twin) = (None, None, false, None);
        self.story_compares = false;
        self.reached
            .iter_mut()
            .skip(1)
            .for_each(|place| *place = None);
        self.guesses.clear();
        self.beat = 0;
        let [last, place] = link.run.way(self.main.inputs().len());
        let happened = self.set_out([
            Leg::Run(Journey::Place(last)),
            Leg::Run(Journey::Place(place)),
            Leg::Link(link.beat, link.twin, link.also),
        ]);
        self.untold.extend(happened);
    }

    /// Restores the text of a link.
    ///
    /// # Errors
    /// See [`LinkError`]; the player is unchanged then.
    pub fn restore_text(&mut self, text: &str) -> Result<(), LinkError> {
        self.restore(&Link::decode(text)?);
        Ok(())
    }

    // Taking back

    /// How it is now, as data.
    fn moment(&self) -> Moment {
        Moment {
            link: self.link(),
            horizon: self.main.horizon(),
            twin_horizon: self.twin.as_ref().map(|twin| twin.run.horizon().at),
            reached: self.reached.clone(),
            guesses: self.guesses.clone(),
            story_compares: self.story_compares,
        }
    }

    /// A new press begins: what it changes is a step of its own, and not more of the one before.
    pub fn let_go(&mut self) {
        self.steps.let_go();
    }

    /// Nothing that was done so far can be taken back: it is where the lesson opens.
    pub fn forget_steps(&mut self) {
        self.steps = Steps::default();
    }

    /// What [`Player::undo`] would take back, and what [`Player::redo`] would do anew.
    pub fn steps(&self) -> [Option<&Deed>; 2] {
        self.steps.next()
    }

    /// How many steps can be taken back, and how many inputs are kept for them, for tests of bounded memory.
    pub fn steps_weight(&self) -> (usize, usize) {
        self.steps.weight()
    }

    /// Takes back what the learner changed last: the run, its twin and its story are as they were, and time stands still.
    /// Says what is taken back.
    pub fn undo(&mut self) -> (Option<Deed>, Vec<Happening>) {
        self.halt();
        let now = self.moment();
        let step = self.steps.back(|| now);
        self.go_back_to(step)
    }

    /// Does anew what was taken back last.
    pub fn redo(&mut self) -> (Option<Deed>, Vec<Happening>) {
        self.halt();
        let now = self.moment();
        let step = self.steps.forth(|| now);
        self.go_back_to(step)
    }

    fn go_back_to(&mut self, step: Option<Step>) -> (Option<Deed>, Vec<Happening>) {
        let Some(Step { deed, moment }) = step else {
            return (None, Vec::new());
        };
        (self.goal, self.stuck, self.playing) = (None, None, false);
        let there = moment.link.run.place();
        let horizon = moment.horizon;
        let to = |place| Leg::Run(Journey::Place(place));
        let mut legs = VecDeque::new();
        if self.main.state().begins_as(&moment.link.run) {
            if let Some(parting) = parting(self.main.inputs(), &moment.inputs(&*self.main)) {
                self.unsettle(parting.at);
                legs.extend([to(parting), Leg::Rewrite]);
            }
        } else {
            self.unsettle(Time::ZERO);
            self.main = self.main.restore(&moment.link.run);
            // Its tape is another one: it follows once the run is there.
            self.twin = None;
        }
        if self.main.horizon() < horizon || !legs.is_empty() {
            legs.push_back(to(horizon));
        }
        legs.extend([to(there), Leg::Restore]);
        legs.extend(moment.twin_horizon.map(Leg::Twin));
        self.wanted = Some(moment);
        (Some(deed), self.set_out(legs))
    }

    /// What was settled from a moment on was so in a future that is left.
    fn unsettle(&mut self, from: Time) {
        for guess in &mut self.guesses {
            guess.settled = guess.settled.filter(|(at, _)| *at < from);
        }
    }

    /// Puts back all that is not the run.
    fn restore_rest(&mut self, wanted: Moment) {
        let Moment {
            link,
            reached,
            guesses,
            story_compares,
            ..
        } = wanted;
        (self.reached, self.beat) = (reached, usize::from(link.beat));
        // What was answered since stays answered.
        for guess in guesses {
            match self
                .guesses
                .iter_mut()
                .find(|known| known.beat == guess.beat)
            {
                Some(known) => known.settled = known.settled.or(guess.settled),
                None => self.guesses.push(guess),
            }
        }
        self.twin = None;
        self.compare_stored(link.twin, link.also);
        self.story_compares = story_compares;
    }
}
