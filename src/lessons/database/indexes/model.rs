//! The system: one hand that asks a store question after question.

use super::probe;
use super::settings::{Ids, Kind, Question, Settings};
use super::store::{Cost, IDS, Index, Of, Op, Plan, Step, Store};
use engine::random::below;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone, Typed};
use kit::bench::{Bench, Played, Turn};

pub(super) const QUESTION: PartId = PartId::one("question");
pub(super) const INDEX: PartId = PartId::one("index");
pub(super) const TABLE: PartId = PartId::one("table");
pub(super) const LADDER: PartId = PartId::one("ladder");
/// Between two operations.
const GAP: Time = Time::us(300);
/// Between two new rows of a pile.
const PILE_GAP: Time = Time::us(1);
/// New rows by hand.
pub(super) const PILE: u32 = 100;
/// The first row that is asked for lies on the last page, so that the first scan shows all of them.
const FIRST: u32 = 506;

/// The action that brings a row of a learner's id, as a number of the sheet.
const INSERT_ID: usize = 7;

const ASK: Stream = Stream::named("ask");
const ACTS: Stream = Stream::named("acts");

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A step of the hand is over.
    Hand(Turn),
    /// The next operation begins, if this number is still the last.
    Next(u32),
}

impl From<Turn> for Event {
    fn from(turn: Turn) -> Event {
        Event::Hand(turn)
    }
}

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) op: Op,
    pub(super) cost: Cost,
    pub(super) plan: Plan,
    pub(super) took: Time,
    /// How many pages the table had.
    pub(super) pages: u32,
}

/// New rows since the last press of the button: how many, and how many pages of the index on ids split for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pile {
    pub(super) rows: u32,
    pub(super) splits: u32,
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Library {
    pub(super) store: Store,
    pub(super) bench: Bench<Store>,
    knobs: Settings,
    /// Operations so far: the number of the present one.
    pub(super) ops: u32,
    next: u32,
    began: Time,
    latest: Option<Op>,
    cause: NoteId,
    /// The last answer since a knob was turned.
    pub(super) last: Option<Answer>,
    /// Questions answered since.
    pub(super) answered: u32,
    /// Answers in a row to questions for one row that took at most one page from disk.
    pub(super) quick: u32,
    /// Since the index or the table is another: new rows, and splits of the index on ids.
    pub(super) grown: Pile,
    pub(super) pile: Pile,
    asked: bool,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

/// The number of a page, from 1.
fn page(n: u32) -> Arg {
    count(n + 1)
}

/// The id that a text is, if it is one: a whole number of at most nine digits, not 0.
fn id_of(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 9;
    text.parse().ok().filter(|id| digits && *id > 0)
}

fn kind_word(kind: Kind) -> Arg {
    Arg::Word(match kind {
        Kind::None => "stage.kind.none",
        Kind::Hash => "stage.kind.hash",
        Kind::Avl => "stage.kind.avl",
        Kind::Tree => "stage.kind.tree",
    })
}

impl Library {
    /// What the hand is at, or was at last since a knob was turned.
    pub(super) fn op(&self) -> Option<Op> {
        self.latest
    }

    pub(super) fn ids(&self) -> Ids {
        self.knobs.ids
    }

    /// Which index serves what the hand is at.
    pub(super) fn of(&self) -> Of {
        match self.op() {
            Some(Op::Open) => Of::Status,
            _ => Of::Id,
        }
    }

    /// How full the leaves of the tree on ids are; none for another index.
    pub(super) fn fill(&self) -> Option<f64> {
        match &self.store.by_id {
            Index::Tree(tree) => Some(tree.fill()),
            _ => None,
        }
    }

    /// The next operation begins after so long.
    fn rest(&mut self, span: Time, cx: Cx<'_, '_>) {
        self.next = self.next.wrapping_add(1);
        cx.schedule(span, Event::Next(self.next));
    }

    /// The next question: the same for twins, whatever they make of it.
    fn question(&mut self, cx: Cx<'_, '_>) -> Op {
        let random = cx.random(ASK);
        let (row, kind) = (
            below(random, self.store.rows.len()) as u32,
            below(random, 3),
        );
        let first = !std::mem::replace(&mut self.asked, true);
        let row = match first {
            true => FIRST.min(self.store.rows.len() as u32 - 1),
            false => row,
        };
        self.of_kind(self.knobs.question, row, kind)
    }

    /// A question of this kind about this row, or the next one that is still there.
    fn of_kind(&self, question: Question, row: u32, kind: usize) -> Op {
        let rows = &self.store.rows;
        let live = (row..rows.len() as u32).find(|row| rows[*row as usize].live);
        let row = live.unwrap_or(0);
        match (question, kind) {
            (Question::Row, _) | (Question::Mixed, 0) => Op::Row(row),
            (Question::Range, _) | (Question::Mixed, 1) => {
                // The whole of it lies in the table.
                let most = (rows.len() as u32).saturating_sub(self.knobs.width + 1);
                Op::Range(row.min(most))
            }
            _ => Op::Open,
        }
    }

    fn begin(&mut self, cx: Cx<'_, '_>) {
        let op = match self.bench.queue.pop_front() {
            Some(op) => op,
            None => self.question(cx),
        };
        self.ops += 1;
        (self.began, self.latest) = (cx.now(), Some(op));
        let note = self.asks(op).dot(self.ops);
        self.cause = cx.say(note);
        self.bench.start(0, op, &mut self.store, cx);
        if !op.inserts() {
            let note = self.chooses(op).dot(self.ops);
            self.cause = cx.say(note);
        }
    }

    fn asks(&self, op: Op) -> Note {
        let (from, to) = self.store.ids(op);
        let note = match op {
            Op::Row(_) | Op::Id(_) => Note::new("asks-row").with(count(from as i64)),
            Op::Range(_) => {
                let note = Note::new("asks-range").with(count(from as i64));
                note.with(count(to as i64))
            }
            Op::Open => Note::new("asks-open"),
            Op::InsertId(id) => Note::new("inserts-id").with(count(id as i64)),
            Op::Insert => Note::new("inserts").with(count(self.store.rows.len() as i64 + 1)),
        };
        note.about(QUESTION)
    }

    /// What the planner made of a question.
    fn chooses(&self, _: Op) -> Note {
        let plan = self.store.plan;
        let note = match (plan.index, plan.by_index) {
            (None, _) => Note::new("no-index").about(TABLE),
            (Some(_), true) => Note::new("by-index").about(INDEX),
            (Some(_), false) => Note::new("by-scan").about(TABLE),
        };
        let index = plan.index.unwrap_or(0.0);
        note.with(count(index as i64)).with(count(plan.scan as i64))
    }

    /// A step is over: what of it is worth a word.
    fn tell(&mut self, played: Played<Step>, cx: Cx<'_, '_>) {
        cx.because(self.cause);
        let hand = self.bench.hand(played.hand);
        // Of a long way only the first pages are told: the rest is more of the same.
        let told = hand.over <= 12 && self.store.plan.by_index;
        let note = match played.step {
            Some(Step::Split((Of::Id, at), (_, new))) => {
                self.grown.splits += 1;
                self.pile.splits += 1;
                let note = Note::new("splits").with(page(at)).with(page(new));
                note.about(INDEX).mark(Tone::Warn)
            }
            Some(Step::Read((Of::Id | Of::Status, at)))
                if told && !hand.op.is_some_and(Op::inserts) =>
            {
                Note::new("reads-index").with(page(at)).about(INDEX)
            }
            Some(Step::Read((Of::Table, at))) if told && !hand.op.is_some_and(Op::inserts) => {
                Note::new("reads-table").with(page(at)).about(TABLE)
            }
            _ => return,
        };
        self.cause = cx.say(note.dot(self.ops));
    }

    fn over(&mut self, op: Op, cx: Cx<'_, '_>) {
        cx.because(self.cause);
        let cost = self.store.cost;
        if op.inserts() {
            self.store.finish();
            self.grown.rows += 1;
            self.pile.rows += 1;
            cx.sample(probe::WROTE, f64::from(cost.wrote));
            let note = Note::new("inserted").with(count(cost.wrote));
            cx.say(note.about(TABLE).dot(self.ops));
        } else {
            let plan = self.store.plan;
            self.last = Some(Answer {
                op,
                cost,
                plan,
                took: cx.now().since(self.began),
                pages: self.store.pages(),
            });
            self.answered += 1;
            let quick = matches!(op, Op::Row(_)) && cost.disk <= 1;
            self.quick = if quick { self.quick + 1 } else { 0 };
            cx.sample(probe::READ, f64::from(cost.read()));
            cx.sample(probe::SCAN, plan.scan);
            let note = Note::new("answered").with(count(plan.rows));
            let note = note.with(count(cost.read())).with(count(cost.disk));
            cx.say(note.about(QUESTION).dot(self.ops));
            for _ in 0..self.knobs.inserts {
                self.bench.queue.push_back(Op::Insert);
            }
        }
        let pile = op.inserts() && self.bench.queue.front() == Some(&Op::Insert);
        self.rest(if pile { PILE_GAP } else { GAP }, cx);
    }

    /// What the hand is at is dropped; it begins something else soon.
    fn anew(&mut self, cx: Cx<'_, '_>) {
        self.bench.give_up(0, cx.now());
        self.store.finish();
        (self.last, self.latest, self.answered, self.quick) = (None, None, 0, 0);
        self.rest(GAP, cx);
    }

    /// What stands there, for whoever asks why.
    fn opens(&self, cx: Cx<'_, '_>) {
        let rows = self.store.rows.len() as i64;
        let note = Note::new("table").with(count(rows));
        cx.say(note.with(count(self.store.pages())).about(TABLE));
        let note = Note::new(match self.store.kind {
            Kind::None => "index-none",
            _ => "index",
        });
        cx.say(note.with(kind_word(self.store.kind)).about(INDEX));
        cx.say(Note::new("question").about(QUESTION));
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        if let Some(fill) = self.fill() {
            cx.sample(probe::FILL, fill * 100.0);
        }
    }
}

impl Model for Library {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Library {
        let mut library = Library {
            store: Store::new(knobs),
            bench: Bench::new(1, cx.now()),
            knobs: knobs.clone(),
            ops: 0,
            next: 0,
            began: cx.now(),
            latest: None,
            cause: NoteId::NONE,
            last: None,
            answered: 0,
            quick: 0,
            grown: Pile::default(),
            pile: Pile::default(),
            asked: false,
            now: cx.now(),
        };
        library.opens(cx);
        library.rest(GAP, cx);
        library
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Next(number) if number == self.next => self.begin(cx),
            Event::Next(_) => {}
            Event::Hand(turn) => {
                if let Some(played) = self.bench.on_event(turn) {
                    self.tell(played, cx);
                    if let Some(op) = self.bench.go_on(played.hand, &mut self.store, cx) {
                        self.over(op, cx);
                    }
                }
            }
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let was = std::mem::replace(&mut self.knobs, knobs.clone());
        let another = self.store.turn(knobs, &was);
        let built = (was.index, was.keys) != (knobs.index, knobs.keys) || another;
        if built {
            (self.grown, self.pile) = (Pile::default(), Pile::default());
            self.opens(cx);
        }
        // More room in RAM, or more rows to come, disturb nobody.
        let quiet = Settings {
            ram: was.ram,
            inserts: was.inserts,
            further: was.further,
            ..knobs.clone()
        };
        if quiet != was {
            self.bench.queue.clear();
            self.anew(cx);
        }
        self.look(cx);
    }

    fn on_action(&mut self, act: Act, knobs: &Settings, cx: Cx<'_, '_>) {
        let kinds = [Question::Row, Question::Range, Question::Open];
        match act.spec {
            at @ 0..=2 => {
                let row = below(cx.random(ACTS), self.store.rows.len()) as u32;
                let op = self.of_kind(kinds[at], row, 0);
                cx.say(Note::new("ask").about(QUESTION).mark(Tone::Learner));
                self.bench.queue.push_front(op);
                self.anew(cx);
            }
            3 => {
                let note = Note::new("pile").with(count(PILE));
                cx.say(note.about(TABLE).mark(Tone::Learner));
                if self.pile.rows.is_multiple_of(PILE) {
                    self.pile = Pile::default();
                }
                let room = 4 * PILE as usize - self.bench.queue.len().min(4 * PILE as usize);
                let rows = (PILE as usize).min(room);
                self.bench
                    .queue
                    .extend(std::iter::repeat_n(Op::Insert, rows));
                self.anew(cx);
            }
            4 => {
                self.bench.give_up(0, cx.now());
                let gone = self.store.delete();
                let note = Note::new("deleted").with(count(gone));
                cx.say(note.about(TABLE).mark(Tone::Learner));
                self.anew(cx);
            }
            5 => {
                self.store.ram.clear();
                let note = Note::new("emptied").with(count(knobs.ram));
                cx.say(note.about(TABLE).mark(Tone::Learner));
                self.anew(cx);
            }
            _ => {}
        }
        self.look(cx);
    }

    fn refuses(&self, act: Act, text: &str) -> Option<&'static str> {
        let Some(id) = id_of(text) else {
            return Some("no-id");
        };
        let waits = self.bench.queue.contains(&Op::InsertId(id));
        match act.spec {
            INSERT_ID if id < IDS => Some("small"),
            INSERT_ID if waits || self.store.has(id) => Some("taken"),
            _ => None,
        }
    }

    fn on_typed(&mut self, act: Act, text: Typed, _: &Settings, cx: Cx<'_, '_>) {
        let Some(id) = id_of(text.text()) else { return };
        let (op, word, part) = match act.spec {
            INSERT_ID => (Op::InsertId(id), "put-id", TABLE),
            _ => (Op::Id(id), "ask-id", QUESTION),
        };
        let note = Note::new(word).with(count(id as i64)).about(part);
        cx.say(note.mark(Tone::Learner));
        self.bench.queue.push_front(op);
        self.bench.queue.truncate(4 * PILE as usize);
        self.anew(cx);
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        self.store.bytes() + self.bench.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        self.store.sound()
    }
}
