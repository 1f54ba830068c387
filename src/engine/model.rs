//! Models: simulated systems as plain data that react to events.

use crate::action::Action;
use crate::agenda::Agenda;
use crate::knobs::Knobs;
use crate::probe::Meters;
use crate::random::{Stream, Streams};
use crate::tape::{Note, NoteId, Tape};
use crate::time::Time;
use crate::typed::Typed;
use rand_pcg::Pcg32;

/// A simulated system: deterministic, cloneable, ignorant of pictures.
///
/// Whatever it needs to know reaches it through [`Context`]; two models given the same seed, knobs and
/// inputs are equal at every moment.
pub trait Model: Clone + 'static {
    /// Its parameters.
    type Knobs: Knobs;
    /// What can be due on its agenda.
    type Event: Clone;
    /// What a learner can do to it.
    type Action: Action;

    /// The system at time zero, with its first events scheduled.
    fn new(knobs: &Self::Knobs, cx: &mut Context<'_, Self::Event>) -> Self;

    /// The unseen warm-up is over (see [`crate::Sheet::warm_up`]): what counts from time zero counts from here.
    fn on_start(&mut self, _knobs: &Self::Knobs, _cx: &mut Context<'_, Self::Event>) {}

    /// An event that is due.
    fn on_event(
        &mut self,
        event: Self::Event,
        knobs: &Self::Knobs,
        cx: &mut Context<'_, Self::Event>,
    );

    /// A knob was turned; `knobs` holds the new values.
    fn on_knobs(&mut self, knobs: &Self::Knobs, cx: &mut Context<'_, Self::Event>);

    /// The learner did something; called only for actions that [`Model::can`] allows.
    fn on_action(
        &mut self,
        action: Self::Action,
        knobs: &Self::Knobs,
        cx: &mut Context<'_, Self::Event>,
    );

    /// The learner did something with a text; called only for actions with a field, for what [`Model::refuses`] lets pass.
    fn on_typed(
        &mut self,
        _action: Self::Action,
        _text: Typed,
        _knobs: &Self::Knobs,
        _cx: &mut Context<'_, Self::Event>,
    ) {
    }

    /// Why this text makes no sense for `action` now, the word `refused.<id>`; none if it does.
    fn refuses(&self, _action: Self::Action, _text: &str) -> Option<&'static str> {
        None
    }

    /// Whether `action` makes sense now: a crashed server cannot crash again.
    fn can(&self, _action: Self::Action) -> bool {
        true
    }

    /// Which part (from 0) the action number `spec` is aimed at when the learner has picked none.
    fn aim(&self, _spec: usize) -> usize {
        0
    }

    /// About how many bytes a clone takes on the heap. Only a model whose queues can grow long needs to say: the run keeps
    /// fewer keyframes of it then.
    fn bytes(&self) -> usize {
        0
    }
    /// Checks that nothing was lost or made up: what came in = served + failed + waiting + in flight.
    ///
    /// # Errors
    /// A sentence that says which balance is off, for tests.
    fn audit(&self) -> Result<(), String>;
}

/// All that reaches a model from outside: time, agenda, random streams, tape and meters.
pub struct Context<'a, E> {
    pub(crate) now: Time,
    /// The model's time when the shown time is zero.
    pub(crate) start: Time,
    pub(crate) events: u64,
    pub(crate) agenda: &'a mut Agenda<E>,
    pub(crate) streams: &'a mut Streams,
    pub(crate) meters: &'a mut Meters,
    pub(crate) said: &'a mut u32,
    pub(crate) tape: &'a mut Tape,
    pub(crate) cause: NoteId,
}

impl<E> Context<'_, E> {
    /// The current time by the model's clock, which is ahead of the shown one by the warm-up.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Makes `event` due after a span; it remembers the last note said as its cause.
    #[inline]
    pub fn schedule(&mut self, after: Time, event: E) {
        self.agenda.schedule(self.now + after, self.cause, event);
    }

    /// The random stream of this name.
    #[inline]
    pub fn random(&mut self, stream: Stream) -> &mut Pcg32 {
        self.streams.get(stream)
    }

    /// Says something for the tape and for "Why?"; returns its number. A step stops at it.
    #[inline]
    pub fn say(&mut self, mut note: Note) -> NoteId {
        let id = NoteId(*self.said);
        *self.said += 1;
        // Before time zero there is no lane to stand on.
        let warm = self.now >= self.start;
        note.id = id;
        note.cause = self.cause;
        note.at = self.now.since(self.start);
        note.events = self.events;
        note.marked &= warm;
        note.epoch = note.epoch.filter(|_| warm);
        self.tape.record(&note);
        self.cause = id;
        id
    }

    /// Continues a chain that the model remembered: what is said and scheduled next was caused by `cause`.
    #[inline]
    pub fn because(&mut self, cause: NoteId) {
        self.cause = cause;
    }

    /// The note that what happens now goes back to.
    #[inline]
    pub fn cause(&self) -> NoteId {
        self.cause
    }

    /// Measures: adds to a count, sets a level, or records one value of a spread (in µs for latencies).
    #[inline]
    pub fn sample(&mut self, probe: usize, value: f64) {
        self.meters.sample(probe, value, self.now);
    }

    /// Records one value of a spread for something that began at `asked`: it counts only if that was after the window was
    /// last emptied, so that what began under other rules says nothing about these.
    #[inline]
    pub fn sample_asked(&mut self, probe: usize, value: f64, asked: Time) {
        if asked >= self.meters.emptied(probe) {
            self.meters.sample(probe, value, self.now);
        }
    }

    /// Empties the windows of all rates and spreads: a rule has changed, and averages over two rules are true of neither.
    pub fn empty_windows(&mut self) {
        self.meters.empty(self.now);
    }
}
