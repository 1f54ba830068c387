//! Runs: a world that goes forward, keeps keyframes, seeks, forks and twins.

use crate::action::{Act, Action, ActionSpec};
use crate::agenda::Agenda;
use crate::difference::Difference;
use crate::growth::Growth;
use crate::ids::{Glyph, Ink};
use crate::knobs::{self, Knob, KnobError};
use crate::lesson::{Card, Sheet};
use crate::model::{Context, Model};
pub use crate::place::{Input, InputKind, Position};
use crate::plot::Plot;
use crate::probe::{Meters, Statistic};
use crate::random::Streams;
use crate::scene::{PartId, Scene};
use crate::show::{Picked, Ran, Show, Watch};
use crate::state::RunState;
use crate::story::{BeatView, Progress, Scale, Setup};
use crate::tape::{Arg, END, Note, NoteId, Tape, Tone};
use crate::time::Time;
use crate::typed::{Field, Refusal, Typed};

/// Keyframes kept at most; when there are more, every second one goes and the spacing doubles.
const KEYFRAMES_MAX: usize = 64;
/// Keyframes of models that say how heavy they are take about so many bytes together, unless there are too few to seek by.
const KEYFRAME_BYTES_MAX: usize = 32 << 20;
/// So many keyframes are kept however heavy they are.
const KEYFRAMES_MIN: usize = 8;
/// The first spacing of keyframes.
const SPACING: Time = Time::ms(500);
/// Chains of causes are looked for at most this many keyframes back.
const RECALL_MAX: usize = 6;
/// And only through so many events in all: an answer that misses the first causes is better than a page that halts.
const RECALL_EVENTS: u64 = 40_000;

/// The whole simulated state at one moment; clones of it are the keyframes.
struct World<M: Model> {
    place: Position,
    /// The model's time when the shown time is zero: its warm-up.
    start: Time,
    said: u32,
    knobs: M::Knobs,
    model: M,
    agenda: Agenda<M::Event>,
    streams: Streams,
    meters: Meters,
}

impl<M: Model> Clone for World<M> {
    fn clone(&self) -> Self {
        World {
            place: self.place,
            start: self.start,
            said: self.said,
            knobs: self.knobs.clone(),
            model: self.model.clone(),
            agenda: self.agenda.clone(),
            streams: self.streams.clone(),
            meters: self.meters.clone(),
        }
    }
}

/// Borrows the parts of a world that a model may reach.
macro_rules! context {
    ($world:expr, $tape:expr, $cause:expr) => {
        &mut Context {
            now: $world.place.at + $world.start,
            start: $world.start,
            events: $world.place.events,
            agenda: &mut $world.agenda,
            streams: &mut $world.streams,
            meters: &mut $world.meters,
            said: &mut $world.said,
            tape: $tape,
            cause: $cause,
        }
    };
}

impl<M: Model> World<M> {
    fn new(seed: u32, knobs: M::Knobs, sheet: &Sheet<M>, tape: &mut Tape) -> World<M> {
        let (mut agenda, mut streams, mut said) = (Agenda::default(), Streams::new(seed), 0);
        let mut meters = Meters::new(sheet.probes, sheet.sample);
        let model = M::new(
            &knobs,
            &mut Context {
                now: Time::ZERO,
                start: sheet.warm_up,
                events: 0,
                agenda: &mut agenda,
                streams: &mut streams,
                meters: &mut meters,
                said: &mut said,
                tape,
                cause: NoteId::NONE,
            },
        );
        let mut world = World {
            place: Position::default(),
            start: sheet.warm_up,
            said,
            knobs,
            model,
            agenda,
            streams,
            meters,
        };
        if sheet.warm_up > Time::ZERO {
            world.warm_up(tape);
        }
        world
    }

    /// Lets everything before time zero happen. What is said then stays as the causes of what is under way.
    #[cold]
    fn warm_up(&mut self, tape: &mut Tape) {
        let mut now = Time::ZERO;
        while let Some(due) = self.agenda.next_until(Time(self.start.0 - 1)) {
            while self.meters.ends_at() <= due.at {
                self.meters.close(&[], &mut Vec::new());
            }
            now = due.at;
            let cx = context!(self, tape, due.cause);
            cx.now = now;
            self.model.on_event(due.event, &self.knobs, cx);
        }
        debug_assert!(now < self.start);
        while self.meters.ends_at() <= self.start {
            self.meters.close(&[], &mut Vec::new());
        }
        self.model
            .on_start(&self.knobs, context!(self, tape, NoteId::NONE));
    }

    /// Ends every sample that is over by `at`.
    #[inline]
    fn measure_until(&mut self, at: Time, tape: &mut Tape) {
        while self.meters.ends_at() <= at + self.start {
            close_sample(&mut self.meters, self.start, tape);
        }
    }

    /// How many samples of the tape are over.
    fn samples(&self) -> u64 {
        self.meters.closed - before_zero(self.start, self.meters.every())
    }

    /// Lets the next event happen if it is due by `until`.
    #[inline]
    fn event(&mut self, until: Time, tape: &mut Tape) -> bool {
        let Some(due) = self.agenda.next_until(until + self.start) else {
            return false;
        };
        let at = due.at.since(self.start);
        self.measure_until(at, tape);
        self.place.at = at;
        self.place.events += 1;
        self.model
            .on_event(due.event, &self.knobs, context!(self, tape, due.cause));
        true
    }

    /// Applies an input that is due.
    fn input(&mut self, input: &Input, tape: &mut Tape) {
        self.measure_until(input.at, tape);
        self.place.at = input.at;
        self.place.inputs += 1;
        let cx = context!(self, tape, NoteId::NONE);
        match input.kind {
            InputKind::Knob(id, value) | InputKind::Told(id, value) => {
                if let Ok(value) = knobs::set(&mut self.knobs, id, value) {
                    let told = matches!(input.kind, InputKind::Told(..));
                    cx.say(
                        Note::new(if told { "story-set" } else { "you-set" })
                            .with(Arg::Word(id))
                            .with(Arg::Number(value))
                            .mark(Tone::Learner),
                    );
                    self.model.on_knobs(&self.knobs, cx);
                }
            }
            InputKind::Act(act) => {
                if let Some(action) = M::Action::from_act(act)
                    && self.model.can(action)
                {
                    self.model.on_action(action, &self.knobs, cx);
                }
            }
            InputKind::Typed(act, text) => {
                if let Some(action) = M::Action::from_act(act)
                    && self.model.can(action)
                    && self.model.refuses(action, text.text()).is_none()
                {
                    self.model.on_typed(action, text, &self.knobs, cx);
                }
            }
        }
    }
}

/// What is typed for an action, if it is done with a text.
fn field_of(actions: &[ActionSpec], act: Act) -> Option<&'static Field> {
    actions.get(act.spec)?.field
}

/// Kept out of the generic code, and out of the hot loop, because it is the same for all lessons.
#[cold]
fn close_sample(meters: &mut Meters, start: Time, tape: &mut Tape) {
    let mut values = Vec::new();
    let known = tape.has_sample(meters.closed - before_zero(start, meters.every()));
    meters.close(if known { &[] } else { tape.reads() }, &mut values);
    if !known {
        tape.push_samples(&values);
    }
}

/// How many samples are over before time zero.
fn before_zero(start: Time, every: Time) -> u64 {
    start.0 / every.0
}

/// A running lesson.
pub struct Run<M: Model> {
    sheet: &'static Sheet<M>,
    seed: u32,
    first: M::Knobs,
    world: World<M>,
    inputs: Vec<Input>,
    keyframes: Vec<World<M>>,
    spacing: Time,
    horizon: Position,
    tape: Tape,
    /// The knobs that this run holds at values, if it is a twin.
    held: [Option<&'static str>; 2],
    /// What is done in it alone, if it is a twin.
    own: Option<Input>,
}

impl<M: Model> Run<M> {
    /// The lesson at time zero, with the knobs it opens with.
    pub fn new(sheet: &'static Sheet<M>, seed: u32) -> Run<M> {
        Run::with_knobs(sheet, seed, (sheet.first)())
    }

    /// The lesson at time zero, with these knobs.
    pub fn with_knobs(sheet: &'static Sheet<M>, seed: u32, first: M::Knobs) -> Run<M> {
        let lines = sheet.plots.iter().flat_map(|plot| plot.lines);
        let mut reads: Vec<(usize, Statistic)> = lines
            .clone()
            .map(|line| (line.probe, line.statistic))
            .collect();
        // Whether a 99th percentile may be called so depends on how many values it is of.
        let tails =
            lines.filter(|line| matches!(line.statistic, Statistic::Quantile(q) if q >= 0.99));
        reads.extend(tails.map(|line| (line.probe, Statistic::Number)));
        let mut tape = Tape::new(reads, sheet.sample);
        let world = World::new(seed, first.clone(), sheet, &mut tape);
        Run {
            sheet,
            seed,
            first,
            keyframes: vec![world.clone()],
            world,
            inputs: Vec::new(),
            spacing: SPACING,
            horizon: Position::default(),
            tape,
            held: [None; 2],
            own: None,
        }
    }

    /// The model as it is now.
    pub fn model(&self) -> &M {
        &self.world.model
    }

    /// The knobs as they are now.
    pub fn knobs_now(&self) -> &M::Knobs {
        &self.world.knobs
    }

    /// Now by the model's clock.
    fn model_time(&self) -> Time {
        self.world.place.at + self.world.start
    }

    /// Keeps a clone of the world if the last one is far enough back.
    #[inline]
    fn keep(&mut self) {
        let last = self
            .keyframes
            .last()
            .map_or(Time::ZERO, |world| world.place.at);
        if self.world.place.at >= last + self.spacing {
            self.keep_now();
        }
    }

    /// About how many bytes the models of the keyframes take.
    fn bytes(&self) -> usize {
        self.keyframes.iter().map(|world| world.model.bytes()).sum()
    }

    #[cold]
    fn keep_now(&mut self) {
        self.keyframes.push(self.world.clone());
        let kept = self.keyframes.len();
        if kept > KEYFRAMES_MAX || (kept > KEYFRAMES_MIN && self.bytes() > KEYFRAME_BYTES_MAX) {
            let mut keep = false;
            self.keyframes.retain(|_| {
                keep = !keep;
                keep
            });
            self.spacing = Time(self.spacing.0 * 2);
        }
    }

    /// Goes forward. Stops when `stop` says so, at `until`, or after `budget` steps.
    fn forward(
        &mut self,
        until: Time,
        budget: u64,
        mut stop: impl FnMut(&World<M>, bool) -> bool,
    ) -> Ran {
        let until = until.min(END);
        let mut left = budget;
        loop {
            if left == 0 {
                return Ran::OutOfBudget;
            }
            left -= 1;
            let said = self.world.said;
            let next = self.inputs.get(self.world.place.inputs as usize);
            let due = next.filter(|input| {
                input.at <= until
                    && match input.events {
                        Some(events) => events == self.world.place.events,
                        None => self.world.agenda.next_at() > input.at + self.world.start,
                    }
            });
            if let Some(input) = due {
                let input = *input;
                let index = self.world.place.inputs as usize;
                self.inputs[index].events = Some(self.world.place.events);
                self.world.input(&input, &mut self.tape);
            } else if !self.world.event(until, &mut self.tape) {
                break;
            }
            self.keep();
            if stop(&self.world, self.world.said != said) {
                self.reached();
                return Ran::Stopped;
            }
        }
        self.world.measure_until(until, &mut self.tape);
        self.world.place.at = self.world.place.at.max(until);
        self.reached();
        if until == END {
            Ran::AtEnd
        } else {
            Ran::ToTime
        }
    }

    #[inline]
    fn reached(&mut self) {
        self.horizon = self.horizon.max(self.world.place);
    }

    /// Restores the last keyframe that fits, unless the world as it is fits and is nearer.
    fn rewind(&mut self, fits: impl Fn(Position) -> bool) {
        let index = self
            .keyframes
            .partition_point(|world| fits(world.place))
            .max(1)
            - 1;
        let keyframe = &self.keyframes[index];
        if !fits(self.world.place) || keyframe.place > self.world.place {
            self.world = keyframe.clone();
        }
    }

    /// Ends the timeline here; what lay ahead on the tape becomes the ghost.
    fn cut(&mut self) {
        let here = self.world.place;
        if here < self.horizon {
            self.tape
                .fork(here.at, self.world.said, self.world.samples());
            self.keyframes.retain(|world| world.place <= here);
            self.inputs.truncate(here.inputs as usize);
            self.horizon = here;
        }
    }

    /// Adds an input here; what lay ahead on the tape becomes the ghost.
    fn put(&mut self, kind: InputKind) {
        self.cut();
        let here = self.world.place;
        let input = Input {
            at: here.at,
            events: Some(here.events),
            kind,
        };
        self.inputs.push(input);
        self.world.input(&input, &mut self.tape);
        self.reached();
    }

    /// Turns a knob, if that changes anything.
    fn turn(
        &mut self,
        id: &str,
        value: f64,
        kind: fn(&'static str, f64) -> InputKind,
    ) -> Result<f64, KnobError> {
        let (knob, old) = *self
            .knobs()
            .iter()
            .find(|(knob, _)| knob.id == id)
            .ok_or(KnobError::Unknown)?;
        let value = knob.snap(value).ok_or(KnobError::NotANumber)?;
        if value == old || self.held.contains(&Some(knob.id)) {
            return Ok(old);
        }
        self.put(kind(knob.id, value));
        Ok(value)
    }

    /// Those of another run's inputs that a twin shares, all but turns of the knobs it holds, with its own among them. They
    /// count as done after all events of their moments, since the twin has events of its own.
    fn shared(&self, inputs: &[Input]) -> Vec<Input> {
        let shared = inputs.iter().filter(|input| {
            input
                .kind
                .knob()
                .is_none_or(|id| !self.held.contains(&Some(id)))
        });
        let later = |input: &Input| Input {
            events: None,
            ..*input
        };
        let mut shared: Vec<Input> = shared.map(later).collect();
        if let Some(own) = self.own {
            let place = shared.partition_point(|input| input.at <= own.at);
            shared.insert(place, own);
        }
        shared
    }

    /// The knob that an action turns, and the value it gives it.
    fn turned(&self, act: Act) -> Option<(&'static str, f64)> {
        let (id, by) = self.actions().get(act.spec)?.turn?;
        let now = self.knobs().into_iter().find(|(knob, _)| knob.id == id)?.1;
        Some((id, now + by))
    }

    /// What led to what was picked, latest first. The tape answers if it still has the notes; a replay of the recent past
    /// answers otherwise.
    fn chain(&self, picked: Picked, limit: usize) -> Vec<Note> {
        let (mut chain, mut whole) = chain_of(&self.tape, picked, self.world.said, limit);
        whole |= self.tape.keeps_from(NoteId(0));
        let mut left = RECALL_EVENTS;
        let known = self.tape.notes().next().map(|note| note.at);
        for back in 1..=RECALL_MAX {
            if whole {
                break;
            }
            let from = self.before(back * back);
            // What the tape still has need not be said again.
            if back < RECALL_MAX && known.is_some_and(|known| from.place.at > known) {
                continue;
            }
            let Some(tape) = self.recall(from, &mut left) else {
                break;
            };
            let recalled = chain_of(&tape, picked, self.world.said, limit);
            // A short replay may know less than the tape does.
            if recalled.0.len() >= chain.len() {
                (chain, whole) = recalled;
            }
        }
        chain
    }

    /// The keyframe so many before the latest that is not after this moment; the first where there are not so many.
    fn before(&self, back: usize) -> &World<M> {
        let past = |world: &World<M>| world.place <= self.world.place;
        let index = self.keyframes.partition_point(past).max(1) - 1;
        &self.keyframes[index.saturating_sub(back)]
    }

    /// Says the notes since a keyframe again, for places whose notes are no longer on the tape; none where that takes more
    /// events than are `left`.
    fn recall(&self, keyframe: &World<M>, left: &mut u64) -> Option<Tape> {
        let here = self.world.place;
        *left = left.checked_sub(here.events - keyframe.place.events)?;
        let mut scout = keyframe.clone();
        let mut tape = Tape::new(Vec::new(), self.sheet.sample);
        while scout.place < here {
            match self.inputs.get(scout.place.inputs as usize) {
                Some(input) if input.events == Some(scout.place.events) => {
                    scout.input(input, &mut tape)
                }
                _ if scout.event(here.at, &mut tape) => {}
                _ => break,
            }
        }
        Some(tape)
    }
}

impl<M: Model> Show for Run<M> {
    fn card(&self) -> &'static Card {
        &self.sheet.card
    }
    fn seed(&self) -> u32 {
        self.seed
    }
    fn speed(&self) -> f64 {
        self.sheet.speed
    }
    fn key(&self) -> &'static [(Glyph, Ink)] {
        self.sheet.key
    }
    fn twin_default(&self) -> (&'static str, f64) {
        self.sheet.twin
    }
    fn plots(&self) -> &'static [Plot] {
        self.sheet.plots
    }
    fn growth(&self) -> Option<&'static Growth> {
        self.sheet.growth
    }
    fn still(&self) -> Time {
        self.sheet.still
    }
    fn position(&self) -> Position {
        self.world.place
    }
    fn horizon(&self) -> Position {
        self.horizon
    }

    fn run(&mut self, until: Time, watch: Watch, budget: u64) -> Ran {
        match watch {
            Watch::Nothing => self.forward(until, budget, |_, _| false),
            Watch::Say => self.forward(until, budget, |_, said| said),
            Watch::Any => self.forward(until, budget, |_, _| true),
            Watch::Beat(beat) => match self.sheet.story.get(beat) {
                Some(beat) if (beat.when)(&self.world.model) => Ran::Stopped,
                Some(beat) => self.forward(until, budget, |world, _| (beat.when)(&world.model)),
                None => Ran::Stopped,
            },
        }
    }

    fn seek_some(&mut self, at: Time, budget: u64) -> bool {
        self.rewind(|place| place.at <= at);
        self.forward(at, budget, |_, _| false) != Ran::OutOfBudget
    }

    fn seek_to_some(&mut self, place: Position, budget: u64) -> bool {
        self.rewind(|kept| kept <= place);
        let there = |world: &World<M>, _| {
            (world.place.events, world.place.inputs) >= (place.events, place.inputs)
        };
        if self.world.place < place
            && !there(&self.world, false)
            && self.forward(place.at, budget, there) == Ran::OutOfBudget
        {
            return false;
        }
        self.world.measure_until(place.at, &mut self.tape);
        self.world.place.at = self.world.place.at.max(place.at);
        self.reached();
        true
    }

    fn rewind_before(&mut self, place: Position) -> Option<Position> {
        let index = self.keyframes.partition_point(|world| world.place < place);
        let keyframe = &self.keyframes[index.checked_sub(1)?];
        self.world = keyframe.clone();
        Some(self.world.place)
    }

    fn knobs(&self) -> Vec<(Knob, f64)> {
        knobs::list(&self.world.knobs)
    }

    fn set_knob(&mut self, id: &str, value: f64) -> Result<f64, KnobError> {
        self.turn(id, value, InputKind::Knob)
    }

    fn tell_knob(&mut self, id: &str, value: f64) -> Result<f64, KnobError> {
        self.turn(id, value, InputKind::Told)
    }

    fn actions(&self) -> &'static [ActionSpec] {
        self.sheet.actions
    }

    fn can(&self, act: Act) -> bool {
        if let Some((knob, value)) = self.turned(act) {
            let now = self.knobs().into_iter().find(|(k, _)| k.id == knob);
            return now.is_some_and(|(k, now)| k.snap(value).is_some_and(|value| value != now));
        }
        M::Action::from_act(act).is_some_and(|action| self.world.model.can(action))
    }

    fn aim(&self, spec: usize) -> usize {
        self.world.model.aim(spec)
    }

    fn act(&mut self, act: Act) -> bool {
        let can = self.can(act) && field_of(self.sheet.actions, act).is_none();
        match self.turned(act) {
            Some((knob, value)) => can && self.set_knob(knob, value).is_ok(),
            None => {
                if can {
                    self.put(InputKind::Act(act));
                }
                can
            }
        }
    }

    fn rewrite(&mut self, inputs: &[Input]) {
        self.cut();
        let done = self.world.place.inputs as usize;
        self.inputs.truncate(done);
        self.inputs
            .extend_from_slice(inputs.get(done..).unwrap_or_default());
    }

    fn type_in(&mut self, act: Act, text: &str) -> Result<(), Refusal> {
        let field = field_of(self.sheet.actions, act).ok_or(Refusal::Now)?;
        let text = Typed::new(text, field.most)?;
        let action = M::Action::from_act(act).filter(|action| self.world.model.can(*action));
        let action = action.ok_or(Refusal::Now)?;
        if let Some(why) = self.world.model.refuses(action, text.text()) {
            return Err(Refusal::Because(why));
        }
        self.put(InputKind::Typed(act, text));
        Ok(())
    }

    fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    fn draw(&self, scene: &mut Scene) {
        (self.sheet.draw)(
            &self.world.model,
            &self.world.knobs,
            self.model_time(),
            scene,
        );
    }

    fn tape(&self) -> &Tape {
        &self.tape
    }

    fn why(&mut self, picked: Picked, limit: usize) -> Vec<Note> {
        let mine = |(part, _): &&(PartId, PartId)| picked == Picked::Part(*part);
        let others = self.sheet.stands_for.iter().filter(mine);
        let others = others.map(|(_, other)| Picked::Part(*other));
        let chains = others
            .chain([picked])
            .map(|picked| self.chain(picked, limit));
        chains
            .into_iter()
            .find(|chain| !chain.is_empty())
            .unwrap_or_default()
    }

    fn scales(&self) -> &'static [Scale] {
        self.sheet.scales
    }

    fn beats(&self) -> Vec<BeatView> {
        let view = |beat: &crate::story::Beat<M>| BeatView {
            id: beat.id,
            points: beat.points,
            setup: beat.setup,
            predict: beat
                .predict
                .as_ref()
                .map(|predict| (predict.id, predict.options)),
            hides: beat.predict.as_ref().map_or(&[], |predict| predict.hides),
            shows: beat.shows,
        };
        self.sheet.story.iter().map(view).collect()
    }

    fn beat_holds(&self, beat: usize) -> bool {
        self.sheet
            .story
            .get(beat)
            .is_some_and(|beat| (beat.when)(&self.world.model))
    }

    fn truth(&self, beat: usize) -> Option<usize> {
        (self.sheet.story.get(beat)?.predict.as_ref()?.truth)(&self.world.model)
    }

    fn challenges(&self) -> Vec<&'static str> {
        self.sheet.challenges.iter().map(|one| one.id).collect()
    }

    fn challenge_progress(&self, challenge: usize) -> Progress {
        match self.sheet.challenges.get(challenge) {
            Some(challenge) => (challenge.progress)(&self.world.model, self.model_time()),
            None => Progress::all(false),
        }
    }

    fn solution(&self, challenge: usize) -> &'static [Setup] {
        let challenge = self.sheet.challenges.get(challenge);
        challenge.map_or(&[], |challenge| challenge.solution)
    }

    fn fresh(&self, seed: u32) -> Box<dyn Show> {
        Box::new(Run::new(self.sheet, seed))
    }

    fn twin_with(
        &self,
        knob: &str,
        value: f64,
        also: Option<Difference>,
    ) -> Result<Box<dyn Show>, KnobError> {
        let mut first = self.first.clone();
        knobs::set(&mut first, knob, value)?;
        let held = knobs::list(&first)
            .iter()
            .find(|(k, _)| k.id == knob)
            .map(|(k, _)| k.id);
        let also_held = also.and_then(Difference::knob);
        if let Some(Difference::Knob(id, value)) = also {
            knobs::set(&mut first, id, value)?;
        }
        let mut twin = Run::with_knobs(self.sheet, self.seed, first);
        twin.held = [held, also_held];
        twin.own = match also {
            Some(Difference::Act(act, at)) if self.turned(act).is_none() => Some(Input {
                at,
                events: None,
                kind: InputKind::Act(act),
            }),
            _ => None,
        };
        twin.inputs = twin.shared(&self.inputs);
        Ok(Box::new(twin))
    }

    fn branch(&self, at: Time) -> Box<dyn Show> {
        let first = &self.keyframes[0];
        let worlds = self.keyframes.iter().chain([&self.world]);
        let past = worlds.filter(|world| world.place.at <= at);
        let nearest = past.max_by_key(|world| world.place).unwrap_or(first);
        Box::new(Run {
            sheet: self.sheet,
            seed: self.seed,
            first: self.first.clone(),
            world: nearest.clone(),
            inputs: self.inputs.clone(),
            // With these two it can go anywhere; all of them may be megabytes.
            keyframes: vec![first.clone(), nearest.clone()],
            spacing: self.spacing,
            horizon: self.horizon,
            tape: self.tape.clone(),
            held: self.held,
            own: self.own,
        })
    }

    fn echo(&mut self, inputs: &[Input]) {
        let theirs = self.shared(inputs);
        let pairs = self.inputs.iter().zip(&theirs);
        let same = pairs
            .take_while(|(ours, theirs)| (ours.at, ours.kind) == (theirs.at, theirs.kind))
            .count();
        let firsts = [self.inputs.get(same), theirs.get(same)];
        let Some(at) = firsts.into_iter().flatten().map(|input| input.at).min() else {
            return;
        };
        if self.horizon.at < at {
            // Still on its way there: only what lies ahead changes.
            self.inputs.truncate(same);
            self.inputs.extend_from_slice(&theirs[same..]);
            return;
        }
        let now = self.world.place.at;
        self.inputs.truncate(same);
        self.rewind(|place| place.at <= at && place.inputs as usize <= same);
        self.forward(at, u64::MAX, |_, _| false);
        self.cut();
        self.inputs.extend_from_slice(&theirs[same..]);
        self.forward(now.max(at), u64::MAX, |_, _| false);
    }

    fn state(&self) -> RunState {
        RunState::take(
            self.seed,
            &knobs::list(&self.first),
            &self.inputs,
            self.world.place,
        )
    }

    fn restore(&self, state: &RunState) -> Box<dyn Show> {
        let mut first = (self.sheet.first)();
        let list = knobs::list(&first);
        for (id, value) in state.first_knobs(&list) {
            // Only ids from the list arrive here and their values are snapped, so this cannot fail.
            let _ = knobs::set(&mut first, id, value);
        }
        let mut run = Run::with_knobs(self.sheet, state.seed, first);
        run.inputs = state.inputs(&list, self.sheet.actions);
        Box::new(run)
    }

    fn audit(&self) -> Result<(), String> {
        self.world.model.audit()
    }

    fn weight(&self) -> (usize, usize, usize) {
        (self.world.agenda.len(), self.keyframes.len(), self.bytes())
    }
}

/// The latest note about something before number `said` and what led to it, latest first, and whether that is all
/// there is to tell.
fn chain_of(tape: &Tape, picked: Picked, said: u32, limit: usize) -> (Vec<Note>, bool) {
    let about = |note: &&Note| match picked {
        Picked::Part(part) => note.part == Some(part),
        Picked::Dot(dot) => note.is_about(dot),
    };
    let past = |note: &&Note| note.id.0 < said;
    let latest = tape.notes().rev().filter(past).find(about);
    let latest = latest.or_else(|| tape.marks().iter().rev().filter(past).find(about));
    let led = |note: Option<&Note>| -> Vec<Note> {
        let causes = std::iter::successors(note, |note| tape.note(note.cause));
        causes.copied().collect()
    };
    let mut chain = led(latest);
    let root = |chain: &[Note]| chain.last().is_some_and(|note| note.cause == NoteId::NONE);
    let whole = root(&chain);
    ends(&mut chain, limit);
    // What last befell a part matters more than the many small things since, with what led to it: its crash explains its
    // refusals, and who ordered the crash explains that.
    if let (Picked::Part(_), Some(befell)) =
        (picked, tape.marks().iter().rev().filter(past).find(about))
        && chain.iter().all(|note| note.id != befell.id)
    {
        let mut befell = led(Some(befell));
        befell.retain(|note| chain.iter().all(|other| other.id != note.id));
        ends(&mut befell, limit / 2);
        ends(&mut chain, limit - befell.len());
        chain.extend(befell);
        chain.sort_by_key(|note| std::cmp::Reverse(note.id));
    }
    (chain, whole)
}

/// Of a chain that is too long, what happened last and what it began with.
fn ends(chain: &mut Vec<Note>, limit: usize) {
    let first = chain.len().saturating_sub(limit.div_ceil(4));
    if let Some(last) = limit
        .checked_sub(limit.div_ceil(4))
        .filter(|last| *last < first)
    {
        chain.drain(last..first);
    }
}

/// Names a part for [`Picked::Part`] by its written id.
pub fn find_part(scene: &Scene, id: &str) -> Option<PartId> {
    scene
        .parts()
        .iter()
        .map(|part| part.id)
        .find(|part| part.is(id))
}
