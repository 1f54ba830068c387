//! The system: logins that set bits, days that pass, and a machine that asks the rows a question again and again.

use super::people::{FAR, HASHED, LISTED, People, REGISTERED, Row};
use super::probe;
use super::settings::{Ids, PEOPLE, Platform, Question, Settings, Store};
use algorithms::bitmap::{Bitmap, Operation};
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use rand::Rng;
use std::collections::VecDeque;
use std::rc::Rc;

pub(super) const LOGINS: PartId = PartId::one("logins");
pub(super) const STRIP: PartId = PartId::one("strip");
pub(super) const REGISTER: PartId = PartId::one("register");
pub(super) const PLATFORM: PartId = PartId::one("platform");
pub(super) const RESULT: PartId = PartId::one("result");
pub(super) const MEMORY: PartId = PartId::one("memory");
/// Whole days that are kept; the row of an earlier one expires.
pub(super) const DAYS: usize = 10;
/// Logins are written at least so often.
const TICK: Time = Time::ms(50);
/// A question first goes through the word under the glass, column by column, and then through all others.
pub(super) const GLASS: Time = Time::ms(1_200);
pub(super) const SWEEP: Time = Time::ms(1_300);
/// An answer stands for so long before the question is asked again.
const REST: Time = Time::ms(3_000);
/// What three rows of seven bits show stands longer.
const SHOWN: Time = Time::s(6);
/// A word of a bitmap is read in so many ns: 128 million bits in 2.7 ms, a billion in 21 ms.
const WORD_NS: f64 = 1.35;
/// So many logins a second are a busy hour.
const BUSY: f64 = 300.0;
/// Words of a billion bits.
const BILLION_WORDS: u64 = 1_000_000_000 / 64;
/// What it takes to make a string so many MB longer, ms (Redis' manual on SETBIT); linear between.
const GROWTH_MS: [(f64, f64); 5] = [
    (0.0, 0.0),
    (8.0, 8.0),
    (32.0, 30.0),
    (128.0, 80.0),
    (512.0, 300.0),
];
/// Three rows of seven bits, the first square as the highest.
const SEVEN: [u8; 3] = [0b001_0010, 0b010_1010, 0b111_1011];

const HABIT: Stream = Stream::named("habit");

/// The row of a day: today's is 0.
pub(super) const fn row(day: usize) -> PartId {
    PartId::nth("row", day as u16 + 1)
}

/// How long a string takes to become so many bytes long from nothing, ms.
pub(super) fn growth_ms(bytes: u64) -> f64 {
    let mb = bytes as f64 / f64::from(1 << 20);
    let beyond = GROWTH_MS.iter().position(|(to, _)| mb < *to);
    let (from, to) = match beyond {
        Some(at) => (GROWTH_MS[at - 1], GROWTH_MS[at]),
        None => (GROWTH_MS[3], GROWTH_MS[4]),
    };
    from.1 + (mb - from.0) * (to.1 - from.1) / (to.0 - from.0)
}

/// How long so many words are read.
pub(super) fn reading(words: u64) -> Time {
    Time::from_s(words as f64 * WORD_NS / 1e9)
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Logins that are due are written.
    Tick,
    /// The day of this number is over, if its length has not been turned since.
    Midnight(u32),
    /// The machine asks again, or has its answer.
    Ask(u32),
    Answer(u32),
    /// A piece of what keeps the thread is done.
    Piece(u32),
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) days: usize,
    pub(super) platform: Platform,
}

/// A row that takes part in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Day(usize),
    Registered,
    Platform(Platform),
}

/// A question on its way through the rows, or answered.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) asked: Asked,
    pub(super) operands: Vec<Operand>,
    pub(super) result: Rc<Bitmap>,
    pub(super) count: u32,
    /// What somebody might take for the answer: the sum of the days, or the zeros.
    pub(super) mistaken: Option<u32>,
    /// Words that are read, and ids if days are kept as lists.
    pub(super) words: u64,
    pub(super) listed: u64,
    pub(super) since: Time,
    pub(super) done: bool,
    /// Midnights since it was asked: its rows are so many days older.
    aged: usize,
    turn: u32,
}

impl Query {
    /// Where its rows stand now; those that have expired stand nowhere.
    pub(super) fn rows(&self) -> impl Iterator<Item = Operand> {
        let rows = self.operands.iter().map(|operand| match operand {
            Operand::Day(day) => Operand::Day(day + self.aged),
            other => *other,
        });
        rows.filter(|row| !matches!(row, Operand::Day(day) if *day > DAYS))
    }
}

/// What keeps the one thread from taking logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// A billion bits are counted.
    Count,
    /// A string becomes much longer.
    Grow,
}

/// The thread is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stall {
    pub(super) work: Work,
    pub(super) span: Time,
    pub(super) since: Time,
    piece: Time,
    left: u32,
    /// The most that have waited in it.
    longest: u32,
    turn: u32,
    cause: NoteId,
}

/// What a stall was like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waited {
    pub(super) work: Work,
    pub(super) span: Time,
    pub(super) longest: u32,
    pub(super) until: Time,
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Visits {
    pub(super) people: Rc<People>,
    pub(super) today: Row,
    /// Whole days, yesterday first.
    pub(super) days: VecDeque<Row>,
    /// Today's logins in their order, and how many of them are written.
    pub(super) logins: Rc<Vec<u32>>,
    pub(super) written: usize,
    /// How much of today had gone at which moment, and how long a day is.
    gone: Time,
    begun: Time,
    length: Time,
    day: u32,
    /// Logins beside the usual ones.
    pub(super) extra: u32,
    /// Who of those under the glass came last for the first time today, and when.
    pub(super) fresh: VecDeque<(u32, Time)>,
    pub(super) query: Query,
    /// The last answer to each question.
    pub(super) answers: [Option<u32>; 5],
    pub(super) stall: Option<Stall>,
    pub(super) waited: Option<Waited>,
    pub(super) growths: u32,
    /// The fewest that have waited at a busy hour while a billion bits were counted.
    pub(super) least: Option<u32>,
    turns: u32,
    pub(super) knobs: Settings,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

impl Visits {
    /// How much of today has gone.
    fn elapsed(&self, at: Time) -> Time {
        self.gone + at.since(self.begun)
    }

    /// How many of today's logins have come by now, written or not.
    pub(super) fn due(&self, at: Time) -> usize {
        let all = self.logins.len();
        let come = self.elapsed(at).0.min(self.length.0) * all as u64 / self.length.0;
        come as usize
    }

    /// When a login comes.
    pub(super) fn comes(&self, login: usize) -> Time {
        let all = self.logins.len().max(1) as u64;
        let into_day = Time((self.length.0 * (login as u64 + 1)).div_ceil(all));
        self.begun + into_day.since(self.gone)
    }

    /// How many wait for the thread.
    pub(super) fn waiting(&self, at: Time) -> u32 {
        match self.stall {
            Some(_) => self.due(at).saturating_sub(self.written) as u32,
            None => 0,
        }
    }

    /// Logins a second.
    pub(super) fn rate(&self) -> f64 {
        self.logins.len() as f64 / self.length.as_s()
    }

    /// How far the day is, from 0 to 1.
    pub(super) fn hour(&self, at: Time) -> f32 {
        self.elapsed(at).progress(Time::ZERO, self.length)
    }

    /// Logins that have been written today.
    pub(super) fn came(&self) -> u32 {
        self.written as u32 + self.extra
    }

    /// What today takes as a bitmap, as a list of ids, and as a hash set.
    pub(super) fn memory(&self) -> [u64; 3] {
        let ids = u64::from(self.today.count);
        [self.today.bytes(self.knobs.ids), LISTED * ids, HASHED * ids]
    }

    /// Whether the answer to what the knobs ask is there.
    pub(super) fn answered(&self, question: Question) -> bool {
        let asks = self.query.asked.question == question && self.query.done;
        asks && self.query.aged == 0 && self.query.asked == self.wanted()
    }

    pub(super) fn wanted(&self) -> Asked {
        Asked {
            question: self.knobs.question,
            days: self.knobs.days as usize,
            platform: self.knobs.platform,
        }
    }

    /// The bits of a row that takes part.
    pub(super) fn bits(&self, operand: Operand) -> &Rc<Bitmap> {
        match operand {
            Operand::Day(0) => &self.today.bits,
            Operand::Day(day) => self.days.get(day - 1).map_or(&self.today.bits, |d| &d.bits),
            Operand::Registered => &self.people.registered,
            Operand::Platform(platform) => self.people.on(platform).unwrap_or(&self.today.bits),
        }
    }

    fn row(&self, operand: Operand) -> Option<&Row> {
        match operand {
            Operand::Day(0) => Some(&self.today),
            Operand::Day(day) => self.days.get(day - 1),
            _ => None,
        }
    }

    /// Words of a row.
    fn words(&self, operand: Operand) -> u64 {
        let ids = self.knobs.ids;
        let bytes = match self.row(operand) {
            Some(row) => row.bytes(ids),
            None => super::people::length(self.bits(operand), ids),
        };
        bytes.div_ceil(8)
    }

    /// Runs a question through the rows as they are.
    fn run(&self, asked: Asked) -> Query {
        let days = 1..=asked.days.min(self.days.len());
        let (operation, mut operands) = match asked.question {
            Question::Today => (Operation::Or, vec![Operand::Day(0)]),
            Question::Any => (Operation::Or, days.map(Operand::Day).collect()),
            Question::Every => (Operation::And, days.map(Operand::Day).collect()),
            Question::Fresh => (Operation::Diff, vec![Operand::Day(0), Operand::Day(1)]),
            Question::Inactive => (Operation::Diff, vec![Operand::Registered, Operand::Day(0)]),
        };
        let bits: Vec<&Bitmap> = operands.iter().map(|one| &**self.bits(*one)).collect();
        let mut result = Bitmap::combine(operation, &bits);
        let far = |one: &Operand| self.row(*one).is_some_and(|row| row.far);
        let mut far = match operation {
            Operation::Or => operands.iter().any(far),
            Operation::And => operands.iter().all(far),
            _ => far(&operands[0]) && !far(&operands[1]),
        };
        let days = operands.iter().filter_map(|one| self.row(*one));
        let sum = days.map(|row| row.count).sum();
        if let Some(on) = self.people.on(asked.platform) {
            result = Bitmap::combine(Operation::And, &[&result, on]);
            operands.push(Operand::Platform(asked.platform));
            far = false;
        }
        Query {
            asked,
            count: result.count() as u32 + u32::from(far),
            mistaken: match asked.question {
                Question::Any => Some(sum),
                Question::Inactive => Some(PEOPLE - self.today.bits.count() as u32),
                _ => None,
            },
            words: operands.iter().map(|one| self.words(*one)).sum(),
            listed: sum.into(),
            operands,
            result: Rc::new(result),
            since: self.now,
            done: false,
            aged: 0,
            turn: 0,
        }
    }

    /// The question as it stands: while it is under way, today's row goes on.
    pub(super) fn standing(&self) -> Query {
        let query = &self.query;
        let moves = query.operands.contains(&Operand::Day(0));
        if query.done || query.aged > 0 || !moves {
            return query.clone();
        }
        Query {
            since: query.since,
            turn: query.turn,
            ..self.run(query.asked)
        }
    }

    /// Asks; the way through the rows is shown word by word.
    fn put(&mut self, asked: Asked, cx: Cx<'_, '_>) {
        let turn = self.turn();
        self.query = Query {
            turn,
            ..self.run(asked)
        };
        cx.because(NoteId::NONE);
        let rows = count(self.query.operands.len() as i64);
        let word = Arg::Word(asks(asked.question));
        let note = Note::new("asks").with(word).with(rows).about(RESULT);
        cx.say(note);
        cx.schedule(GLASS + SWEEP, Event::Answer(turn));
    }

    fn turn(&mut self) -> u32 {
        self.turns += 1;
        self.turns
    }

    fn answer(&mut self, cx: Cx<'_, '_>) {
        self.query = self.standing();
        self.query.done = true;
        let asked = self.query.asked;
        self.answers[asked.question as usize] = Some(self.query.count);
        let word = match asked.question {
            Question::Today => "counted",
            Question::Any => "any",
            Question::Every => "every",
            Question::Fresh => "fresh",
            Question::Inactive => "inactive",
        };
        let about = count(self.query.operands.len() as i64);
        let note = Note::new(word).with(count(self.query.count)).with(about);
        let mistaken = self.query.mistaken.unwrap_or(0);
        cx.say(note.with(count(mistaken)).about(RESULT));
        match asked.question {
            Question::Any => cx.sample(probe::ANY, self.query.count.into()),
            Question::Every => cx.sample(probe::EVERY, self.query.count.into()),
            _ => {}
        }
        let turn = self.turn();
        self.query.turn = turn;
        let rest = if asked == self.wanted() { REST } else { SHOWN };
        cx.schedule(rest, Event::Ask(turn));
    }

    /// Writes the logins that are due, unless the thread is kept.
    fn write(&mut self, cx: Cx<'_, '_>) {
        if self.stall.is_none() {
            let before = self.today.bytes(self.knobs.ids);
            self.write_to(self.due(cx.now()), cx);
            self.grow(before, NoteId::NONE, cx);
        }
        let [bitmap, list, set] = self.memory();
        cx.sample(probe::TODAY, self.today.count.into());
        cx.sample(probe::BITMAP, bitmap as f64);
        cx.sample(probe::LIST, list as f64);
        cx.sample(probe::SET, set as f64);
        cx.sample(probe::WAITING, self.waiting(cx.now()).into());
    }

    fn write_to(&mut self, due: usize, cx: Cx<'_, '_>) {
        let logins = Rc::clone(&self.logins);
        let (start, ids) = (self.knobs.start(), self.knobs.ids);
        for login in self.written..due {
            let person = logins[login];
            let again = self.today.set(person);
            let id = ids.of(person);
            if id & !63 != start {
                continue;
            }
            // Only who is seen under the glass is told of: hundreds come a second.
            cx.because(NoteId::NONE);
            let note = Note::new(if again { "again" } else { "sets" });
            cx.say(note.with(count(id as i64)).about(row(0)).dot(person + 1));
            if !again {
                self.fresh.push_front((person, self.comes(login)));
                self.fresh.truncate(8);
            }
        }
        self.written = self.written.max(due);
    }

    /// A row of today has become longer than `before`: where that takes long, all others wait.
    fn grow(&mut self, before: u64, cause: NoteId, cx: Cx<'_, '_>) {
        let after = self.today.bytes(self.knobs.ids);
        let ms = growth_ms(after) - growth_ms(before.min(after));
        if ms < 1.0 || self.knobs.store == Store::List {
            return;
        }
        cx.because(cause);
        let note = Note::new("grows").with(Arg::Tenths((after / 100_000) as u32));
        let span = Time::from_ms(ms);
        let cause = cx.say(note.with(Arg::Span(span)).about(row(0)));
        self.begin(Work::Grow, span, 1, cause, cx);
    }

    fn begin(&mut self, work: Work, span: Time, pieces: u32, cause: NoteId, cx: Cx<'_, '_>) {
        let turn = self.turn();
        let piece = Time(span.0 / u64::from(pieces.max(1)));
        self.stall = Some(Stall {
            work,
            span,
            since: cx.now(),
            piece,
            left: pieces.max(1),
            longest: 0,
            turn,
            cause,
        });
        cx.schedule(piece, Event::Piece(turn));
    }

    /// A piece of what keeps the thread is over: logins get in between.
    fn piece(&mut self, cx: Cx<'_, '_>) {
        let waiting = self.waiting(cx.now());
        let Some(stall) = &mut self.stall else {
            return;
        };
        stall.longest = stall.longest.max(waiting);
        stall.left -= 1;
        let stall = *stall;
        cx.sample(probe::WAITING, waiting.into());
        self.write_to(self.due(cx.now()), cx);
        cx.because(stall.cause);
        if stall.left > 0 {
            cx.schedule(stall.piece, Event::Piece(stall.turn));
            return;
        }
        self.stall = None;
        self.waited = Some(Waited {
            work: stall.work,
            span: stall.span,
            longest: stall.longest,
            until: cx.now(),
        });
        let word = match stall.work {
            Work::Count => "billion-counted",
            Work::Grow => "grown",
        };
        if stall.work == Work::Grow {
            self.growths += 1;
        } else if self.rate() >= BUSY {
            let before = self.least.unwrap_or(u32::MAX);
            self.least = Some(before.min(stall.longest));
        }
        let note = Note::new(word).with(count(stall.longest));
        let note = note.with(Arg::Span(stall.span)).about(LOGINS);
        cx.say(if stall.longest > 3 {
            note.mark(Tone::Bad)
        } else {
            note
        });
    }

    /// Today is over: its row is the first of the whole days, the last one expires, and a new one begins.
    fn midnight(&mut self, whole: bool, cause: NoteId, cx: Cx<'_, '_>) {
        if whole {
            self.write_to(self.logins.len(), cx);
        }
        // A question that is under way is about the rows as they were.
        self.query = self.standing();
        let today = Row::new(cx.random(HABIT).next_u64());
        let mut over = std::mem::replace(&mut self.today, today);
        over.whole = whole;
        self.days.push_front(over);
        self.days.truncate(DAYS);
        self.waited = None;
        self.query.aged += 1;
        self.begin_day(cx);
        cx.because(cause);
        let expires = cx.say(Note::new("midnight").about(row(0)));
        for day in 1..=self.days.len() {
            cx.because(expires);
            let came = count(self.days[day - 1].count);
            let word = match day {
                1 => "was-today",
                DAYS => "next-to-expire",
                _ => "moves-down",
            };
            cx.say(Note::new(word).with(came).about(row(day)));
        }
    }

    fn begin_day(&mut self, cx: Cx<'_, '_>) {
        self.logins = Rc::new(self.people.logins(self.today.seed, self.knobs.share));
        (self.written, self.extra) = (0, 0);
        self.fresh.clear();
        (self.gone, self.begun) = (Time::ZERO, cx.now());
        self.expect_midnight(cx);
    }

    fn expect_midnight(&mut self, cx: Cx<'_, '_>) {
        self.day = self.turn();
        let left = self.length.since(self.elapsed(cx.now()));
        cx.schedule(left, Event::Midnight(self.day));
    }

    /// Another share comes: all rows are as if it had always been so.
    fn replay(&mut self, share: u32, cx: Cx<'_, '_>) {
        let people = Rc::clone(&self.people);
        for day in &mut self.days {
            *day = Row::over(&people, day.seed, share);
        }
        self.today = Row::new(self.today.seed);
        self.logins = Rc::new(people.logins(self.today.seed, share));
        (self.written, self.extra) = (0, 0);
        for person in &self.logins[..self.due(cx.now())] {
            self.today.set(*person);
            self.written += 1;
        }
        self.fresh.clear();
        cx.because(NoteId::NONE);
        let kept = Note::new("share").with(Arg::Share(f64::from(share) / 100.0));
        let cause = cx.say(kept.about(row(0)));
        for day in 1..=self.days.len() {
            cx.because(cause);
            let came = count(self.days[day - 1].count);
            cx.say(Note::new("came").with(came).about(row(day)));
        }
    }

    /// The three rows of seven bits stand under the glass, in the three last whole days.
    fn seven(&mut self) {
        let start = self.knobs.start();
        for (day, pattern) in self.days.iter_mut().zip(SEVEN) {
            for place in 0..7_u64 {
                if let Some(person) = self.knobs.ids.whose(start + place) {
                    let bit = pattern >> (6 - place) & 1 == 1;
                    Rc::make_mut(&mut day.bits).set(person.into(), bit);
                }
            }
            day.count = day.bits.count() as u32 + u32::from(day.far);
        }
    }
}

/// The word for what is asked.
pub(super) const fn asks(question: Question) -> &'static str {
    match question {
        Question::Today => "knob.question.today",
        Question::Any => "knob.question.any",
        Question::Every => "knob.question.every",
        Question::Fresh => "knob.question.fresh",
        Question::Inactive => "knob.question.inactive",
    }
}

impl Model for Visits {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Visits {
        let people = Rc::new(People::new(cx.random(Stream::named("people")).next_u64()));
        let mut seed = || cx.random(HABIT).next_u64();
        let days = (0..DAYS).map(|_| Row::over(&people, seed(), knobs.share));
        let days = days.collect();
        let today = Row::new(seed());
        let mut visits = Visits {
            people,
            today,
            days,
            logins: Rc::default(),
            written: 0,
            gone: Time::ZERO,
            begun: cx.now(),
            length: knobs.length(),
            day: 0,
            extra: 0,
            fresh: VecDeque::new(),
            query: Query {
                asked: Asked {
                    question: Question::Today,
                    days: 0,
                    platform: Platform::All,
                },
                operands: Vec::new(),
                result: Rc::default(),
                count: 0,
                mistaken: None,
                words: 0,
                listed: 0,
                since: cx.now(),
                done: false,
                aged: 0,
                turn: 0,
            },
            answers: [None; 5],
            stall: None,
            waited: None,
            growths: 0,
            least: None,
            turns: 0,
            knobs: knobs.clone(),
            now: cx.now(),
        };
        visits.begin_day(cx);
        cx.schedule(TICK, Event::Tick);
        visits
    }

    fn on_start(&mut self, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.write(cx);
        for (word, about) in [
            ("logins-come", LOGINS),
            ("registered", REGISTER),
            ("platforms", PLATFORM),
            ("today-began", row(0)),
        ] {
            cx.because(NoteId::NONE);
            cx.say(Note::new(word).with(count(REGISTERED)).about(about));
        }
        for day in 1..=self.days.len() {
            cx.because(NoteId::NONE);
            let came = count(self.days[day - 1].count);
            cx.say(Note::new("came").with(came).about(row(day)));
        }
        self.put(self.wanted(), cx);
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Tick => {
                self.write(cx);
                cx.schedule(TICK, Event::Tick);
            }
            Event::Midnight(day) if day == self.day => self.midnight(true, NoteId::NONE, cx),
            Event::Ask(turn) if turn == self.query.turn => self.put(self.wanted(), cx),
            Event::Answer(turn) if turn == self.query.turn => {
                let cause = cx.cause();
                self.write(cx);
                cx.because(cause);
                self.answer(cx);
            }
            Event::Piece(turn) if self.stall.is_some_and(|stall| stall.turn == turn) => {
                self.piece(cx);
            }
            _ => {}
        }
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.write(cx);
        let old = std::mem::replace(&mut self.knobs, knobs.clone());
        if old.day != knobs.day {
            // The same hour of a longer or shorter day.
            let gone = self.elapsed(self.now).0 * u64::from(knobs.day);
            self.gone = Time(gone.div_ceil(u64::from(old.day)));
            (self.begun, self.length) = (self.now, knobs.length());
            self.expect_midnight(cx);
        }
        if old.share != knobs.share {
            self.replay(knobs.share, cx);
        }
        if old.first != knobs.first || old.ids != knobs.ids {
            self.fresh.clear();
        }
        let unasked = Settings {
            day: old.day,
            pieces: old.pieces,
            first: old.first,
            ..knobs.clone()
        };
        if unasked != old && self.query.turn > 0 {
            self.put(self.wanted(), cx);
        }
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.write(cx);
        cx.because(NoteId::NONE);
        match act.spec {
            0 => {
                let span = reading(BILLION_WORDS);
                let pieces = self.knobs.pieces;
                let note = Note::new("billion").with(Arg::Span(span));
                let note = note.with(count(pieces)).about(LOGINS);
                let cause = cx.say(note.mark(Tone::Learner));
                self.begin(Work::Count, span, pieces, cause, cx);
            }
            1 => {
                let before = self.today.bytes(self.knobs.ids);
                self.today.far = true;
                self.today.count += 1;
                self.extra += 1;
                let note = Note::new("far").with(count(FAR as i64)).about(row(0));
                let cause = cx.say(note.mark(Tone::Learner));
                self.grow(before, cause, cx);
            }
            2 => {
                let all = [&*self.today.bits, &*self.people.registered];
                self.today.bits = Rc::new(Bitmap::combine(Operation::Or, &all));
                self.today.count = self.today.bits.count() as u32 + u32::from(self.today.far);
                self.extra += REGISTERED;
                let note = Note::new("everyone").with(count(REGISTERED));
                cx.say(note.about(row(0)).mark(Tone::Learner));
                self.put(self.wanted(), cx);
            }
            3 => {
                self.seven();
                let cause = cx.say(Note::new("seven").about(row(1)).mark(Tone::Learner));
                for day in 2..=3 {
                    cx.because(cause);
                    cx.say(Note::new("seven-too").about(row(day)));
                }
                let asked = Asked {
                    question: Question::Any,
                    days: 3,
                    platform: Platform::All,
                };
                self.put(asked, cx);
            }
            _ => {
                let cause = cx.say(Note::new("cut-short").about(row(0)).mark(Tone::Learner));
                self.midnight(false, cause, cx);
            }
        }
    }

    fn can(&self, act: Act) -> bool {
        match act.spec {
            0 => self.stall.is_none(),
            1 => self.stall.is_none() && !self.today.far,
            2 => self.today.count < REGISTERED,
            3 => self.knobs.ids == Ids::Counted,
            _ => true,
        }
    }

    fn bytes(&self) -> usize {
        let rows = self.days.iter().chain([&self.today]);
        let rows: usize = rows.map(|row| row.bits.bytes().len()).sum();
        rows + self.query.result.bytes().len() + 4 * self.logins.len()
    }

    fn audit(&self) -> Result<(), String> {
        let today = &self.today;
        let ones = today.bits.count() as u32 + u32::from(today.far);
        if ones != today.count {
            return Err(format!("{ones} ones of {} who came", today.count));
        }
        let (came, waits) = (self.due(self.now), self.waiting(self.now) as usize);
        if self.written > came || (self.stall.is_some() && self.written + waits != came) {
            return Err(format!(
                "{} written, {waits} wait, {came} came",
                self.written
            ));
        }
        let Some(yesterday) = self.days.front() else {
            return Err("no yesterday".to_owned());
        };
        let both = [&*today.bits, &*yesterday.bits];
        let of = |operation| Bitmap::combine(operation, &both).count();
        let (any, every) = (of(Operation::Or), of(Operation::And));
        if any + every != both[0].count() + both[1].count() {
            return Err(format!("{any} on any day, {every} on both"));
        }
        let query = &self.query;
        if query.done && u64::from(query.count) < query.result.count() {
            return Err(format!("{} answered", query.count));
        }
        Ok(())
    }
}
