//! The system: workers that move money between accounts, what becomes of those who meet, and what all of it costs.

mod deeds;

use super::probe;
use super::settings::{Settings, Way};
use super::store::{Job, Op, Store};
use algorithms::lock_table::{LockTable, Row, Rule};
use algorithms::versioned::Table;
use engine::random::{below, chance, unit};
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use kit::bench::{Bench, State, Turn, Verdict};
use kit::flow::{Marks, Recently};
use std::collections::VecDeque;

pub(super) const RATE: PartId = PartId::one("rate");
/// Most workers; the long job has the hand after them.
pub(super) const LONG: usize = 16;
const HANDS: usize = LONG + 1;
/// A long job should be done in this time, and others with it.
pub(super) const LONG_TIME: Time = Time::ms(1_500);
/// So long everyone wants account 1.
const RUSH: Time = Time::s(3);
/// The account that two are sent to.
pub(super) const PAIR: Row = 2;
/// The timeline goes back so far.
pub(super) const SHOWN: Time = Time::s(2);
/// Rates are over so long.
const LATELY: Time = Time::s(10);

const ROWS: Stream = Stream::named("rows");
const COMPUTE: Stream = Stream::named("compute");
const PAUSE: Stream = Stream::named("pause");
const ACTS: Stream = Stream::named("acts");

/// The places of actions in the sheet's list.
const CIRCLE: usize = 0;
const COFFEE: usize = 1;
const SEND_LONG: usize = 2;
const EVERYONE: usize = 3;
const ONE_ACCOUNT: usize = 4;
const STEP: usize = 5;
const GO: usize = 6;

pub(super) const fn worker(hand: usize) -> PartId {
    match hand {
        LONG => PartId::one("long"),
        hand => PartId::nth("worker", hand as u16 + 1),
    }
}

pub(super) const fn account(row: Row) -> PartId {
    PartId::nth("account", row as u16 + 1)
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A step of a hand is over.
    Hand(Turn),
    /// A hand has waited for as long as the rule says, if it is still that wait.
    Look(usize, u32),
    /// A hand tries again, if it still rests.
    Again(usize, u32),
    /// Everyone has wanted account 1 for long enough.
    RushOver(u32),
    /// Those who rested for the two go on.
    AllGoOn(u32),
}

impl From<Turn> for Event {
    fn from(turn: Turn) -> Event {
        Event::Hand(turn)
    }
}

/// What a stretch of the timeline was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Works,
    Waits,
    Thrown,
    Coffee,
}

/// A stretch of the timeline, open as long as it lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) from: Time,
    pub(super) to: Option<Time>,
}

/// What the model keeps of each hand beside what the bench does.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) pieces: VecDeque<Piece>,
    pub(super) coffee: bool,
    /// Who rests until it tries again.
    pub(super) rests: bool,
    /// Waits and rests are numbered.
    turn: u32,
    note: NoteId,
}

/// Who waits in a circle, and since when; until when, if it was broken.
#[derive(Clone, Debug)]
pub(super) struct Circle {
    pub(super) members: Vec<usize>,
    pub(super) since: Time,
    pub(super) until: Option<Time>,
}

/// What came of the work since the last turn of a knob.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ledger {
    pub(super) done: u32,
    pub(super) undone: u32,
    /// Jobs that wrote over a change.
    pub(super) lost: u32,
    /// Time of workers, by what it was good for.
    pub(super) useful: Time,
    pub(super) thrown: Time,
    pub(super) waited: Time,
}

impl Ledger {
    /// The share of the work that was for nothing.
    pub(super) fn thrown_share(&self) -> f64 {
        let all = self.useful + self.thrown;
        self.thrown.as_s() / all.as_s().max(1e-9)
    }
}

/// A long job that was sent: when, how often it was tried, how long it took, and how many others were done in its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    at: Time,
    pub(super) tries: u32,
    pub(super) took: Option<Time>,
    pub(super) others: u32,
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Bank {
    pub(super) store: Store,
    pub(super) bench: Bench<Store>,
    pub(super) knobs: Settings,
    pub(super) workers: Vec<Worker>,
    pub(super) circles: Vec<Circle>,
    pub(super) ledger: Ledger,
    recent: Recently<1>,
    /// When a knob was turned last.
    pub(super) since: Time,
    pub(super) last_commit: Time,
    pub(super) now: Time,
    /// Nobody goes on by itself.
    pub(super) by_hand: bool,
    rush: Option<u32>,
    aside: u32,
    /// Of the two who were sent to one account, so many are done; the others rest.
    pub(super) pair: Option<u32>,
    /// How many of those in no circle still worked when somebody looked for one.
    pub(super) worked_on: Option<usize>,
    /// A coffee has been drunk for so long, and since it began so many jobs were done.
    pub(super) coffee: Option<(Time, u32)>,
    pub(super) long: Option<Sent>,
    marks: Marks,
    numbers: u32,
    turns: u32,
    /// Tries that were begun, and those that ended, in whatever way.
    begun: u64,
    ended: u64,
    team: NoteId,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

fn who(hand: usize) -> Arg {
    Arg::Part(worker(hand))
}

fn says(word: &'static str, args: &[Arg]) -> Note {
    args.iter()
        .fold(Note::new(word), |note, arg| note.with(*arg))
}

fn which(row: Row) -> Arg {
    Arg::Part(account(row))
}

impl Bank {
    /// The hands that take part: the workers, and the long job while it is under way.
    pub(super) fn team(&self) -> impl Iterator<Item = usize> + use<> {
        let long = self.store.jobs[LONG].is_some();
        (0..self.knobs.workers as usize).chain(long.then_some(LONG))
    }

    pub(super) fn waits(&self, hand: usize) -> bool {
        self.bench.hand(hand).state == State::Waits
    }

    /// Who has the account that somebody stands in line for.
    pub(super) fn waits_for(&self, hand: usize) -> Option<(Row, usize)> {
        let wish = self.store.locks.wish(hand)?;
        Some((wish.row, self.store.locks.holder(wish.row)?))
    }

    /// The circles that stand.
    pub(super) fn standing(&self) -> impl Iterator<Item = &Circle> {
        self.circles.iter().filter(|circle| circle.until.is_none())
    }

    pub(super) fn in_circle(&self, hand: usize) -> bool {
        self.standing().any(|circle| circle.members.contains(&hand))
    }

    /// Whether somebody waits, at however many removes, for who waits in a circle.
    pub(super) fn behind_circle(&self, hand: usize) -> bool {
        let mut at = hand;
        for _ in 0..HANDS {
            let Some((_, next)) = self.waits_for(at) else {
                return false;
            };
            if self.in_circle(next) {
                return true;
            }
            at = next;
        }
        false
    }

    /// The account that the two are sent to, where there are three.
    pub(super) fn pair_row(&self) -> Row {
        PAIR.min(self.knobs.accounts - 1)
    }

    /// Jobs done a second, over the last ten or since a knob was turned; none before a second has passed.
    pub(super) fn per_s(&self, at: Time) -> Option<f64> {
        let from = self.since.max(Time(at.since(LATELY).0 / 250_000 * 250_000));
        let span = at.since(from);
        let done = self.recent.sum(0, LATELY, at);
        (span >= Time::s(1)).then(|| f64::from(done) / span.as_s())
    }

    /// Whether the rate is one of the last ten seconds under what is set.
    pub(super) fn is_settled(&self, at: Time) -> bool {
        at.since(self.since) >= LATELY
    }

    // What is told.

    fn tell(&mut self, hand: usize, note: Note, cx: Cx<'_, '_>) {
        let dot = self.store.jobs[hand].as_ref().map_or(0, |job| job.number);
        self.workers[hand].note = cx.say(note.about(worker(hand)).dot(dot));
    }

    /// A stretch of this kind begins; one of the same kind goes on.
    fn draws(&mut self, hand: usize, kind: Kind, now: Time) {
        let pieces = &mut self.workers[hand].pieces;
        let open = pieces.back().filter(|piece| piece.to.is_none());
        if open.is_none_or(|piece| piece.kind != kind) {
            self.closes(hand, now);
            let to = None;
            let piece = Piece {
                kind,
                from: now,
                to,
            };
            self.workers[hand].pieces.push_back(piece);
        }
    }

    fn closes(&mut self, hand: usize, now: Time) {
        let pieces = &mut self.workers[hand].pieces;
        if let Some(piece) = pieces.back_mut().filter(|piece| piece.to.is_none()) {
            piece.to = Some(now);
        }
        let old = |piece: &Piece| piece.to.is_some_and(|to| now.since(to) > SHOWN);
        while pieces.front().is_some_and(old) {
            pieces.pop_front();
        }
    }

    // What a worker does next.

    /// A new job: the same for twins, whatever became of the ones before.
    fn draw(&mut self, hand: usize, cx: Cx<'_, '_>) -> Job {
        let accounts = self.knobs.accounts as usize;
        let rng = cx.random(ROWS.nth(hand as u64));
        let mut all: Vec<Row> = (0..self.knobs.accounts).collect();
        let rows = (self.knobs.rows as usize).min(accounts);
        for place in 0..rows {
            all.swap(place, place + below(rng, accounts - place));
        }
        if chance(rng, self.knobs.hot / 100.0) || self.rush.is_some() {
            let place = all.iter().position(|row| *row == 0).unwrap_or(0);
            all.swap(0, place);
        }
        all.truncate(rows);
        let share = 0.6 + 0.8 * unit(cx.random(COMPUTE.nth(hand as u64)));
        self.job(&all, Time::from_ms(self.knobs.compute * share), cx.now())
    }

    /// A job that takes one from its first account for each other, or adds one where there is no other.
    fn job(&mut self, rows: &[Row], compute: Time, now: Time) -> Job {
        let first = match rows.len() {
            1 => 1,
            others => 1 - others as i64,
        };
        let more = std::iter::once(first).chain(std::iter::repeat(1));
        let mut changes: Vec<(Row, i64)> = rows.iter().copied().zip(more).collect();
        if self.knobs.order {
            changes.sort_unstable();
        }
        self.numbers += 1;
        Job {
            number: self.numbers,
            changes,
            compute,
            at: 0,
            tries: 1,
            seen: Vec::new(),
            spent: Time::ZERO,
            since: now,
            open: false,
            overwrote: None,
        }
    }

    fn takes(&mut self, hand: usize, job: Job, cx: Cx<'_, '_>) {
        let places: Vec<Row> = job.changes.iter().map(|(row, _)| *row).collect();
        self.store.jobs[hand] = Some(job);
        let note = match places[..] {
            [only] => says("begins-one", &[who(hand), which(only)]),
            [one, other] => says("begins", &[who(hand), which(one), which(other)]),
            _ => says("begins-many", &[who(hand), count(places.len())]),
        };
        self.tell(hand, note, cx);
        self.go_on(hand, cx);
    }

    /// A hand that is free begins its next operation, and a new job if it has none.
    fn go_on(&mut self, hand: usize, cx: Cx<'_, '_>) {
        let Some(job) = &mut self.store.jobs[hand] else {
            if self.pair.is_none() && hand != LONG {
                cx.because(NoteId::NONE);
                let job = self.draw(hand, cx);
                self.takes(hand, job, cx);
            }
            return;
        };
        if !job.open {
            (job.open, job.since) = (true, cx.now());
            self.begun += 1;
        }
        let op = match job.next() {
            Op::Compute if self.workers[hand].coffee => Op::Coffee,
            op => op,
        };
        match self.bench.start(hand, op, &mut self.store, cx) {
            Verdict::Done => self.plays(hand, op, cx),
            Verdict::Waits => self.stands(hand, cx),
            Verdict::Refused => self.refused(hand, cx),
        }
    }

    fn plays(&mut self, hand: usize, op: Op, cx: Cx<'_, '_>) {
        self.draws(
            hand,
            if op == Op::Coffee {
                Kind::Coffee
            } else {
                Kind::Works
            },
            cx.now(),
        );
        match op {
            Op::Read(place) if self.knobs.way == Way::Ask => {
                let row = self.store.jobs[hand]
                    .as_ref()
                    .map_or(0, |job| job.changes[place].0);
                cx.because(self.workers[hand].note);
                self.tell(hand, says("locks", &[who(hand), which(row)]), cx);
                cx.say(says("locked", &[which(row), who(hand)]).about(account(row)));
            }
            Op::Coffee => {
                self.coffee = Some((cx.now(), self.ledger.done));
                cx.because(self.workers[hand].note);
                let note = says("coffee-begins", &[who(hand)]);
                self.tell(hand, note.begins("coffee", hand as u16), cx);
            }
            _ => {}
        }
    }

    // Those who meet.

    /// A hand has begun to wait, for an account or for a processor.
    fn stands(&mut self, hand: usize, cx: Cx<'_, '_>) {
        self.draws(hand, Kind::Waits, cx.now());
        self.turns += 1;
        self.workers[hand].turn = self.turns;
        let Some((row, holder)) = self.waits_for(hand) else {
            return;
        };
        cx.because(self.workers[holder].note);
        self.tell(
            hand,
            says("waits", &[who(hand), which(row), who(holder)]),
            cx,
        );
        self.judges(hand, cx);
        let rule = self.knobs.deadlocks.rule();
        if matches!(rule, Rule::AfterWait | Rule::GiveUp) && self.waits(hand) {
            cx.schedule(
                Time::from_ms(self.knobs.wait),
                Event::Look(hand, self.turns),
            );
        }
    }

    /// What the rule makes of it that this one waits; what it leaves standing is told.
    fn judges(&mut self, hand: usize, cx: Cx<'_, '_>) {
        let rule = self.knobs.deadlocks.rule();
        for _ in 0..HANDS {
            let store = &self.store;
            let writes = |one: usize| store.jobs[one].as_ref().is_some_and(Job::writes);
            let Some(victim) = store.locks.victim(rule, hand, |one| store.age(one), writes) else {
                break;
            };
            let word = match rule {
                Rule::WaitDie => "dies",
                Rule::WoundWait => "wounded",
                _ => "found",
            };
            cx.because(self.workers[hand].note);
            self.undo(victim, says(word, &[who(victim)]), cx);
        }
        let Some(mut members) = self.store.locks.circle(hand) else {
            return;
        };
        members.sort_unstable();
        if self.standing().any(|circle| circle.members == members) {
            return;
        }
        let first = self.standing().next().is_none();
        let note = match members[..] {
            [one, other] => says("circle", &[who(one), who(other)]),
            _ => says("circle-of", &[count(members.len())]),
        };
        let note = note.mark(Tone::Bad);
        cx.because(self.workers[hand].note);
        self.tell(
            hand,
            if first {
                note.begins("circle", 0)
            } else {
                note
            },
            cx,
        );
        let (since, until) = (cx.now(), None);
        self.circles.push(Circle {
            members,
            since,
            until,
        });
    }

    /// A hand has waited for as long as the rule says.
    fn looks(&mut self, hand: usize, cx: Cx<'_, '_>) {
        let rule = self.knobs.deadlocks.rule();
        if !self.store.locks.gives_up(rule, hand) {
            return;
        }
        let waited = cx.now().since(self.bench.hand(hand).since);
        let word = match rule {
            Rule::GiveUp => "gives-up",
            _ => "looked",
        };
        let others = self
            .team()
            .filter(|one| *one != LONG && !self.in_circle(*one));
        self.worked_on = Some(others.filter(|one| !self.waits(*one)).count());
        cx.because(self.workers[hand].note);
        let note = says(word, &[who(hand), Arg::Span(waited)]);
        self.undo(hand, note.mark(Tone::Warn), cx);
    }

    /// A commit that found a newer version.
    fn refused(&mut self, hand: usize, cx: Cx<'_, '_>) {
        let Some(newer) = self.store.newer else {
            return;
        };
        let note = says(
            "refused",
            &[who(hand), which(newer.row), count(newer.data.version)],
        );
        cx.because(self.workers[hand].note);
        let note = match self.marks.due(cx.now()) {
            true => note.mark(Tone::Warn),
            false => note,
        };
        self.undo(hand, note, cx);
    }

    /// A hand is undone: its work is thrown away, what it had is free, and it tries again with the same accounts.
    fn undo(&mut self, hand: usize, note: Note, cx: Cx<'_, '_>) {
        let now = cx.now();
        let opens = self.breaks(hand, now);
        self.tell(hand, if opens { note.ends("circle", 0) } else { note }, cx);
        self.ledger.undone += 1;
        cx.sample(probe::UNDONE, 1.0);
        let partial = self.stops(hand, now);
        let Some(job) = &mut self.store.jobs[hand] else {
            return;
        };
        self.ledger.thrown += job.spent + partial;
        let since = job.since;
        (job.at, job.tries, job.spent) = (0, job.tries + 1, Time::ZERO);
        job.seen.clear();
        if hand == LONG
            && let Some(long) = &mut self.long
        {
            long.tries = job.tries;
        }
        for piece in self.workers[hand].pieces.iter_mut().rev() {
            if piece.from < since {
                break;
            }
            if piece.kind == Kind::Works {
                piece.kind = Kind::Thrown;
            }
        }
        let most = self.knobs.pause();
        let pause = match most {
            Time::ZERO => most,
            // Never in the same moment.
            most => Time(1 + below(cx.random(PAUSE.nth(hand as u64)), most.0 as usize) as u64),
        };
        self.turns += 1;
        (self.workers[hand].turn, self.workers[hand].rests) = (self.turns, true);
        cx.schedule(pause, Event::Again(hand, self.turns));
        self.frees(hand, cx);
    }

    /// Circles that a hand was in are broken. Says whether none is left of those that stood.
    fn breaks(&mut self, hand: usize, now: Time) -> bool {
        let stood = self.standing().next().is_some();
        for circle in &mut self.circles {
            if circle.until.is_none() && circle.members.contains(&hand) {
                circle.until = Some(now);
            }
        }
        self.circles
            .retain(|circle| circle.until.is_none_or(|until| now.since(until) < SHOWN));
        stood && self.standing().next().is_none()
    }

    /// A hand stops where it is. Returns what it has worked since its last step ended.
    fn stops(&mut self, hand: usize, now: Time) -> Time {
        let one = self.bench.hand(hand);
        let span = now.since(one.since);
        let partial = match (one.state, one.op) {
            (State::Waits, _) => {
                self.ledger.waited += span;
                Time::ZERO
            }
            (State::Plays, Some(op)) if op != Op::Coffee => span,
            _ => Time::ZERO,
        };
        self.bench.give_up(hand, now);
        self.closes(hand, now);
        if let Some(job) = &mut self.store.jobs[hand] {
            self.ended += u64::from(std::mem::take(&mut job.open));
        }
        partial
    }

    /// What a hand had is free: who waited for it goes on.
    fn frees(&mut self, hand: usize, cx: Cx<'_, '_>) {
        let cause = self.workers[hand].note;
        for woken in self.store.let_go(hand) {
            cx.because(cause);
            self.wakes(woken, cx);
        }
        self.computes_next(cx);
    }

    fn computes_next(&mut self, cx: Cx<'_, '_>) {
        for next in self.store.computes.clone() {
            self.wakes(next, cx);
        }
    }

    fn wakes(&mut self, hand: usize, cx: Cx<'_, '_>) {
        let waited = cx.now().since(self.bench.hand(hand).since);
        let op = self.bench.hand(hand).op;
        let woken = self.bench.ask_again(hand, &mut self.store, cx);
        if let (Some(Verdict::Done), Some(op)) = (woken, op) {
            self.ledger.waited += waited;
            self.plays(hand, op, cx);
        }
    }

    // What is over.

    fn played(&mut self, turn: Turn, cx: Cx<'_, '_>) {
        let Some(played) = self.bench.on_event(turn) else {
            return;
        };
        let hand = played.hand;
        let one = self.bench.hand(hand);
        let span = one.until.since(one.since);
        match played.step {
            Some(Op::Read(place)) => self.store.read(hand, place),
            Some(Op::Compute) => {
                self.store.computes.retain(|other| *other != hand);
                self.computes_next(cx);
            }
            _ => {}
        }
        let Some(op) = self.bench.go_on(hand, &mut self.store, cx) else {
            return;
        };
        if let Some(job) = &mut self.store.jobs[hand]
            && op != Op::Coffee
        {
            (job.at, job.spent) = (job.at + 1, job.spent + span);
        }
        match op {
            Op::Commit => self.committed(hand, cx),
            Op::Coffee => {
                self.workers[hand].coffee = false;
                cx.because(self.workers[hand].note);
                let note = says("coffee-ends", &[who(hand)]);
                self.tell(hand, note.ends("coffee", hand as u16), cx);
            }
            _ => {}
        }
        // What is written is to hold: nobody is asked for that.
        if !self.by_hand || op == Op::Write {
            self.go_on(hand, cx);
        }
    }

    fn committed(&mut self, hand: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        cx.because(self.workers[hand].note);
        self.tell(hand, says("commits", &[who(hand)]), cx);
        let Some(job) = self.store.jobs[hand].take() else {
            return;
        };
        let cause = cx.cause();
        for (row, _) in &job.changes {
            let data = self.store.table.rows()[*row as usize];
            cx.because(cause);
            let note = says(
                "changed",
                &[which(*row), count(data.value), count(data.version)],
            );
            cx.say(note.about(account(*row)));
        }
        self.ended += 1;
        self.ledger.done += 1;
        self.ledger.useful += job.spent;
        self.last_commit = now;
        self.recent.add(0, now);
        cx.sample(probe::DONE, 1.0);
        self.closes(hand, now);
        if let Some(row) = job.overwrote {
            self.ledger.lost += 1;
            cx.because(cause);
            let note = says("overwrites", &[who(hand), which(row)]);
            let due = self.marks.due(now);
            self.tell(hand, if due { note.mark(Tone::Bad) } else { note }, cx);
        }
        self.frees(hand, cx);
        if hand == LONG
            && let Some(long) = &mut self.long
        {
            long.took = Some(now.since(long.at));
            cx.because(cause);
            let note = says("long-done", &[count(job.tries)]).about(RATE);
            cx.say(note.mark(Tone::Ok).ends("long", 0));
        }
        if let Some(long) = self.long.as_mut().filter(|_| hand != LONG) {
            long.others += u32::from(now.since(long.at) <= LONG_TIME);
        }
        if let Some(pair) = &mut self.pair
            && hand < 2
        {
            *pair += 1;
        }
    }
}

impl Model for Bank {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Bank {
        let worker = Worker {
            pieces: VecDeque::new(),
            coffee: false,
            rests: false,
            turn: 0,
            note: NoteId::NONE,
        };
        let store = Store {
            way: knobs.way,
            table: Table::default(),
            locks: LockTable::default(),
            jobs: vec![None; HANDS],
            processors: knobs.processors as usize,
            statement: Time::from_ms(knobs.statement),
            computes: Vec::new(),
            newer: None,
            books: 0,
        };
        let mut bank = Bank {
            store,
            bench: Bench::new(HANDS, cx.now()),
            knobs: knobs.clone(),
            workers: vec![worker; HANDS],
            circles: Vec::new(),
            ledger: Ledger::default(),
            recent: Recently::new(cx.now()),
            since: cx.now(),
            last_commit: cx.now(),
            now: cx.now(),
            by_hand: false,
            rush: None,
            aside: 0,
            pair: None,
            worked_on: None,
            coffee: None,
            long: None,
            marks: Marks::default(),
            numbers: 0,
            turns: 0,
            begun: 0,
            ended: 0,
            team: NoteId::NONE,
        };
        bank.anew(cx);
        bank.all_go_on(cx);
        bank
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Hand(turn) => self.played(turn, cx),
            Event::Look(hand, turn) if self.workers[hand].turn == turn => self.looks(hand, cx),
            Event::Again(hand, turn) if self.workers[hand].turn == turn => {
                self.workers[hand].rests = false;
                if !self.by_hand {
                    cx.because(self.workers[hand].note);
                    let tries = self.store.jobs[hand].as_ref().map_or(0, |job| job.tries);
                    self.tell(hand, says("again", &[who(hand), count(tries)]), cx);
                    self.go_on(hand, cx);
                }
            }
            Event::RushOver(turn) if self.rush == Some(turn) => {
                self.rush = None;
                cx.say(says("rush-over", &[]).about(RATE).ends("rush", 0));
            }
            Event::AllGoOn(turn) if self.aside == turn && self.pair.take().is_some() => {
                self.all_go_on(cx);
            }
            _ => {}
        }
        self.measures(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let before = std::mem::replace(&mut self.knobs, knobs.clone());
        self.store.processors = knobs.processors as usize;
        self.store.statement = Time::from_ms(knobs.statement);
        if knobs.begins_anew(&before) {
            self.anew(cx);
            self.counts_anew(cx);
            self.all_go_on(cx);
        } else {
            self.counts_anew(cx);
            self.computes_next(cx);
            // Who waits already is judged by the rule that holds now.
            for hand in self.team() {
                if let (true, Some(_)) = (self.waits(hand), self.waits_for(hand)) {
                    self.judges(hand, cx);
                    let over = self.bench.hand(hand).since + Time::from_ms(knobs.wait);
                    let look = Event::Look(hand, self.workers[hand].turn);
                    cx.schedule(over.since(cx.now()), look);
                }
            }
        }
        self.measures(cx);
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        let hand = act.target;
        match act.spec {
            CIRCLE => self.close_circle(cx),
            COFFEE => self.sends_for_coffee(hand, cx),
            SEND_LONG => self.sends_long(cx),
            EVERYONE => {
                self.turns += 1;
                self.rush = Some(self.turns);
                let note = says("rush", &[which(0)]).about(RATE);
                cx.say(note.mark(Tone::Learner).begins("rush", 0));
                cx.schedule(RUSH, Event::RushOver(self.turns));
            }
            ONE_ACCOUNT => self.send_pair(cx),
            STEP => {
                let free = self.bench.hand(hand).state == State::Free;
                if !std::mem::replace(&mut self.by_hand, true) {
                    cx.say(says("by-hand", &[]).about(RATE).mark(Tone::Learner));
                }
                if free && !self.workers[hand].rests {
                    self.go_on(hand, cx);
                }
            }
            GO => {
                self.by_hand = false;
                cx.say(says("all-go", &[]).about(RATE).mark(Tone::Learner));
                self.all_go_on(cx);
            }
            _ => {}
        }
        self.measures(cx);
    }

    fn can(&self, act: Act) -> bool {
        let free = |hand: usize| self.bench.hand(hand).state == State::Free;
        let is = act.target < self.knobs.workers as usize;
        match act.spec {
            COFFEE => is && !self.workers[act.target].coffee,
            SEND_LONG => self.store.jobs[LONG].is_none(),
            EVERYONE => self.rush.is_none(),
            STEP => is && (!self.by_hand || free(act.target)),
            GO => self.by_hand,
            _ => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let able = |target: &usize| {
            self.can(Act {
                spec,
                target: *target,
            })
        };
        (0..self.knobs.workers as usize).find(able).unwrap_or(0)
    }

    fn bytes(&self) -> usize {
        let pieces: usize = self.workers.iter().map(|one| one.pieces.len()).sum();
        self.bench.bytes() + pieces * size_of::<Piece>() + HANDS * 256 + 4_096
    }

    fn audit(&self) -> Result<(), String> {
        self.store.locks.audit()?;
        let (knobs, locks) = (&self.knobs, &self.store.locks);
        if knobs.way != Way::Ask && !(locks.held().is_empty() && locks.line().is_empty()) {
            return Err("somebody has a lock and did not ask".to_owned());
        }
        let jobs = self.store.jobs.iter().flatten();
        let open = jobs.filter(|job| job.open).count() as u64;
        if self.begun != self.ended + open {
            return Err(format!(
                "{} begun, {} ended, {open} open",
                self.begun, self.ended
            ));
        }
        let never = matches!(
            knobs.deadlocks.rule(),
            Rule::AtOnce | Rule::WaitDie | Rule::WoundWait
        );
        for hand in 0..HANDS {
            let (waits, wish) = (self.waits(hand), locks.wish(hand));
            let computes = self.store.computes.contains(&hand);
            if waits != (wish.is_some() || computes && self.bench.hand(hand).step().is_none()) {
                return Err(format!("hand {hand}: {wish:?}, but it waits: {waits}"));
            }
            if (never || knobs.order) && locks.circle(hand).is_some() {
                return Err(format!("{:?} is in a circle", worker(hand)));
            }
            if locks.circle(hand).is_some() != self.in_circle(hand) {
                return Err(format!("hand {hand}: a circle is not told of"));
            }
        }
        let sum: i64 = self.store.table.rows().iter().map(|row| row.value).sum();
        match sum == self.store.books {
            true => Ok(()),
            false => Err(format!(
                "{sum} on all accounts, {} in the books",
                self.store.books
            )),
        }
    }
}

impl Bank {
    /// What was counted under another rule is forgotten.
    fn counts_anew(&mut self, cx: Cx<'_, '_>) {
        self.ledger = Ledger::default();
        self.recent.restart(cx.now());
        (self.since, self.last_commit, self.worked_on) = (cx.now(), cx.now(), None);
        cx.empty_windows();
    }

    fn measures(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let waiting = self.team().filter(|hand| self.waits(*hand)).count();
        cx.sample(probe::WAITING, waiting as f64);
        cx.sample(probe::THROWN, 100.0 * self.ledger.thrown_share());
    }
}
