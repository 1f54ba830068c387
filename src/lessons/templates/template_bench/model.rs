//! The system: a hand that looks for numbers in a row of them.

use super::probe;
use engine::random::below;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone, choices};
use kit::bench::{Bench, Craft, Turn, Verdict};

pub(super) const HAND: PartId = PartId::one("hand");
pub(super) const ROW: PartId = PartId::one("row");
/// A look at a number, and the pause between two questions.
const LOOK: Time = Time::ms(100);
const GAP: Time = Time::ms(400);

const ASK: Stream = Stream::named("ask");

/// How it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One after the other.
    Each,
    /// Always the middle of what is left.
    Halves,
}
choices!(Way { "each" => Way::Each, "halves" => Way::Halves });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// How it is looked for.
        way: choice Way "way" = Way::Each,
        /// How many numbers there are.
        numbers: whole "numbers" [16, 256] "" = 64,
    }
}

/// The number at this place is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step(pub(super) u32);

/// The numbers 1 to so many, in order.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    pub(super) way: Way,
    pub(super) count: u32,
}

impl Craft for Numbers {
    /// The place of the number that is looked for.
    type Op = u32;
    type Step = Step;

    // region: search
    fn run(&mut self, _: usize, op: &u32, trace: &mut dyn FnMut(Step)) -> Verdict {
        let (mut from, mut to) = (0, self.count);
        while from < to {
            let at = match self.way {
                Way::Each => from,
                Way::Halves => from + (to - from - 1) / 2,
            };
            trace(Step(at));
            match at.cmp(op) {
                std::cmp::Ordering::Less => from = at + 1,
                std::cmp::Ordering::Greater => to = at,
                std::cmp::Ordering::Equal => break,
            }
        }
        Verdict::Done
    }
    // endregion

    fn begin(&mut self, _: usize, _: Step) -> Time {
        LOOK
    }
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A look is over.
    Hand(Turn),
    /// The next question is asked, if this number is still the last.
    Next(u32),
}

impl From<Turn> for Event {
    fn from(turn: Turn) -> Event {
        Event::Hand(turn)
    }
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Desk {
    pub(super) craft: Numbers,
    pub(super) bench: Bench<Numbers>,
    pub(super) asked: u32,
    next: u32,
    cause: NoteId,
    /// The place that was asked for last, and how many looks the last answer took since a knob was turned.
    pub(super) wanted: Option<u32>,
    pub(super) last: Option<u32>,
    /// Answers since then, and those in a row that took at most five looks.
    pub(super) answers: u32,
    pub(super) quick: u32,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

impl Desk {
    fn rest(&mut self, cx: Cx<'_, '_>) {
        self.next = self.next.wrapping_add(1);
        cx.schedule(GAP, Event::Next(self.next));
    }

    fn ask(&mut self, cx: Cx<'_, '_>) {
        let drawn = below(cx.random(ASK), self.craft.count as usize) as u32;
        let op = self.bench.queue.pop_front().unwrap_or(drawn);
        self.asked += 1;
        self.wanted = Some(op);
        let note = Note::new("asks").with(Arg::Count(i64::from(op) + 1));
        self.cause = cx.say(note.about(HAND).dot(self.asked));
        self.bench.start(0, op, &mut self.craft, cx);
    }

    fn played(&mut self, turn: Turn, cx: Cx<'_, '_>) {
        let Some(played) = self.bench.on_event(turn) else {
            return;
        };
        cx.because(self.cause);
        if let Some(Step(at)) = played.step {
            let note = Note::new("looks").with(Arg::Count(i64::from(at) + 1));
            self.cause = cx.say(note.about(ROW).dot(self.asked));
        }
        if self.bench.go_on(0, &mut self.craft, cx).is_none() {
            return;
        }
        let looks = self.bench.hand(0).over as u32;
        cx.sample(probe::LOOKS, f64::from(looks));
        (self.last, self.answers) = (Some(looks), self.answers + 1);
        self.quick = if looks <= 5 { self.quick + 1 } else { 0 };
        let note = Note::new("found").with(Arg::Count(i64::from(looks)));
        cx.say(note.about(HAND).dot(self.asked));
        self.rest(cx);
    }

    fn anew(&mut self, cx: Cx<'_, '_>) {
        self.bench.give_up(0, cx.now());
        (self.wanted, self.last, self.answers, self.quick) = (None, None, 0, 0);
        self.rest(cx);
    }
}

impl Model for Desk {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Desk {
        let mut desk = Desk {
            craft: Numbers {
                way: knobs.way,
                count: knobs.numbers,
            },
            bench: Bench::new(1, cx.now()),
            asked: 0,
            next: 0,
            cause: NoteId::NONE,
            wanted: None,
            last: None,
            answers: 0,
            quick: 0,
        };
        cx.say(Note::new("row").about(ROW));
        cx.say(Note::new("hand").about(HAND));
        desk.rest(cx);
        desk
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Hand(turn) => self.played(turn, cx),
            Event::Next(number) if number == self.next => self.ask(cx),
            Event::Next(_) => {}
        }
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        (self.craft.way, self.craft.count) = (knobs.way, knobs.numbers);
        self.bench.queue.clear();
        self.anew(cx);
    }

    fn on_action(&mut self, _: Act, _: &Settings, cx: Cx<'_, '_>) {
        cx.say(Note::new("last").about(HAND).mark(Tone::Learner));
        self.bench.queue.push_back(self.craft.count - 1);
        self.anew(cx);
    }

    fn bytes(&self) -> usize {
        self.bench.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        let out = |step: &&Step| step.0 >= self.craft.count;
        match self.bench.hand(0).begun().iter().find(out) {
            Some(Step(at)) => Err(format!("{at} of {} numbers", self.craft.count)),
            None => Ok(()),
        }
    }
}
