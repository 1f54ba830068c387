//! A run of the program: client, databases, coordinator and page writer, with a clock and an agenda of their own. So the same run can
//! be played for a learner, and be repeated unseen with a power cut before each of its events.

use super::program::{
    A, B, C, COUNT, CUSTOMERS, FEES, Line, MONEY, OUTBOX, PAGES, bank_of, page_of, rows, script,
    tables,
};
use super::settings::{AfterError, Design, Mail, Program, Settings, Writer};
use algorithms::aries::{Engine, Key, Lsn, Restart, Row, Tx};
use algorithms::constraints::{Broken, Statement, changes};
use algorithms::two_phase_commit::{Coordinator, Participant, Say};
use engine::Time;
use std::collections::VecDeque;

/// The name of the savepoint.
const NAME: u8 = 1;

/// A statement reaches the database; it is answered.
pub(super) const ASK: Time = Time::ms(100);
/// A record is logged and its page changed in memory.
const WORK: Time = Time::ms(200);
/// The log reaches the disk.
pub(super) const FLUSH: Time = Time::ms(200);
/// A page reaches the disk.
pub(super) const PAGE: Time = Time::ms(100);
/// A message between databases.
pub(super) const LINK: Time = Time::ms(200);
/// The page writer looks for a page.
const TICK: Time = Time::ms(300);
/// Nobody at the other end.
pub(super) const GIVE_UP: Time = Time::s(1);
/// Until the power is back, and for each step of a restart.
const DARK: Time = Time::ms(600);
const RECOVER: Time = Time::ms(150);

/// What came of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Told {
    /// It was not its turn yet.
    #[default]
    Open,
    Done,
    /// A rule was broken.
    Broken(Broken),
    /// The transaction had failed before: not even looked at.
    Ignored,
    /// COMMIT, or ROLLBACK, took all back.
    RolledBack,
    /// It did not apply.
    Skipped,
    /// Nobody answered.
    Nobody,
}

/// What the hand is at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    Arrive,
    Put(Key, Option<Row>),
    Commit(usize),
    Flush(usize),
    Write(usize, usize),
    Undo(usize, Lsn),
    Abort(usize),
    Answer(Told),
}

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Due {
    Hand,
    Tick(u32),
    Write(usize, usize),
    Word(Word),
    /// A bank has forced that it can commit.
    Ready(usize),
    /// The coordinator counts a vote.
    Count(usize, bool),
    /// A bank does what was decided.
    Do(usize, bool),
    Patience,
    /// Who is in doubt asks, who decided tells again.
    Again,
    Power,
    Recover,
}

/// A message between the coordinator and a bank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) bank: usize,
    /// From the coordinator.
    pub(super) down: bool,
    pub(super) say: Say,
    pub(super) sent: Time,
    pub(super) number: u32,
}

/// What happened in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Happened {
    Nothing,
    Arrived(usize),
    Logged(usize),
    CommitLogged(usize),
    Flushed(usize),
    Wrote(usize, usize),
    Undone(usize, Lsn),
    Aborted(usize),
    Answered(usize, Told),
    Mailed,
    Heard(Word),
    Lost(Word),
    Ready(usize),
    Voted(usize, bool),
    Decided(bool),
    GaveUp,
    Did(usize, bool),
    Power,
    Back(usize, Restart),
    Up,
    Killed,
}

/// Kinds of places where the power can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Message,
    Log,
    Flush,
    Page,
    Answer,
    End,
}

/// What a restart after a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// How many transactions are there, whole; none if one is there in part.
    pub(super) done: Option<u8>,
    /// Whether a bank had to ask what was decided.
    pub(super) doubt: bool,
}

/// The run.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) knobs: Settings,
    seed: u32,
    pub(super) now: Time,
    pub(super) due: Vec<(Time, u32, Due)>,
    order: u32,
    pub(super) banks: Vec<Engine>,
    pub(super) tx: [Option<Tx>; 2],
    failed: [bool; 2],
    pub(super) script: Vec<Line>,
    pub(super) told: Vec<Told>,
    /// The line that the client is at.
    pub(super) at: usize,
    pub(super) hand: VecDeque<Step>,
    pub(super) coordinator: Option<Coordinator>,
    pub(super) parts: [Participant; 2],
    pub(super) coordinator_up: bool,
    /// It dies as soon as the votes are in.
    pub(super) doomed: bool,
    pub(super) cut: bool,
    pub(super) dark: bool,
    /// The power has failed in this run, or the program was given up.
    pub(super) crashed: bool,
    /// Since when a bank is in doubt.
    pub(super) doubt_since: Option<Time>,
    pub(super) doubted: bool,
    /// Commits that the client was told of.
    pub(super) answered: u8,
    pub(super) mails: u8,
    /// Messages of the protocol, and records that it forced.
    pub(super) messages: u32,
    pub(super) forced: u32,
    /// Events so far that a power cut could have come before.
    pub(super) places: usize,
    pub(super) seen: Vec<(usize, At)>,
    /// What this run's restarts did: pages mended, changes taken back.
    pub(super) redone: [u32; 2],
    pub(super) undone: [u32; 2],
    /// What the restart looks at.
    pub(super) reader: [Option<Restart>; 2],
}

impl World {
    pub(super) fn new(knobs: &Settings, seed: u32, closed: bool) -> World {
        let script = script(knobs);
        let all = rows(knobs, closed);
        let banks = knobs.design.banks();
        let of_bank = |bank| {
            let own = all.iter().filter(|(key, _)| bank_of(knobs, *key) == bank);
            Engine::new(&own.copied().collect::<Vec<_>>(), PAGES, page_of)
        };
        let mut world = World {
            knobs: knobs.clone(),
            seed,
            now: Time::ZERO,
            due: Vec::new(),
            order: 0,
            banks: (0..banks).map(of_bank).collect(),
            tx: [None; 2],
            failed: [false; 2],
            told: vec![Told::Open; script.len()],
            script,
            at: 0,
            hand: VecDeque::from([Step::Arrive]),
            coordinator: None,
            parts: Default::default(),
            coordinator_up: true,
            doomed: false,
            cut: false,
            dark: false,
            crashed: false,
            doubt_since: None,
            doubted: false,
            answered: 0,
            mails: 0,
            messages: 0,
            forced: 0,
            places: 0,
            seen: Vec::new(),
            redone: [0; 2],
            undone: [0; 2],
            reader: [None; 2],
        };
        world.after(ASK, Due::Hand);
        world.after(TICK, Due::Tick(1));
        world
    }

    pub(super) fn after(&mut self, span: Time, due: Due) {
        self.order += 1;
        self.due.push((self.now + span, self.order, due));
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.due.iter().map(|(at, ..)| *at).min()
    }

    /// Messages that are on their way.
    pub(super) fn words(&self) -> impl Iterator<Item = Word> + '_ {
        self.due.iter().filter_map(|(_, _, due)| match due {
            Due::Word(word) => Some(*word),
            _ => None,
        })
    }

    /// Whether the page writer may write, or when pages are written at once.
    pub(super) fn turn(&mut self, writer: Writer) {
        self.knobs.writer = writer;
    }

    pub(super) fn bank_of(&self, key: Key) -> usize {
        bank_of(&self.knobs, key)
    }

    /// A row as others may see it.
    pub(super) fn seen_row(&self, key: Key) -> Option<Row> {
        self.banks[self.bank_of(key)].seen(key)
    }

    /// Whether everything is done that a run does by itself.
    pub(super) fn over(&self) -> bool {
        let told = self.coordinator.as_ref().is_none_or(|one| {
            self.coordinator_up && one.decided.is_some() && one.untold().next().is_none()
        });
        !self.dark
            && self.up()
            && told
            && self.hand.is_empty()
            && (self.crashed || self.at >= self.script.len())
    }

    /// Whether all databases are at work.
    pub(super) fn up(&self) -> bool {
        self.banks.iter().all(Engine::is_up)
    }

    /// An event that a power cut could have come before.
    pub(super) fn place(&mut self, at: At) {
        self.places += 1;
        self.seen.push((self.at.min(self.script.len()), at));
    }

    /// The next event.
    pub(super) fn step(&mut self) -> Happened {
        let next = self.due.iter().enumerate();
        let Some((place, _)) = next.min_by_key(|(_, (at, order, _))| (*at, *order)) else {
            return Happened::Nothing;
        };
        let (at, _, due) = self.due.swap_remove(place);
        self.now = at;
        let happened = match due {
            Due::Hand => self.work(),
            Due::Tick(number) => self.tick(number),
            Due::Write(bank, page) => {
                self.place(At::Page);
                self.banks[bank].write_page(page);
                Happened::Wrote(bank, page)
            }
            Due::Word(word) => self.hear(word),
            Due::Ready(bank) => self.ready(bank),
            Due::Count(bank, yes) => self.count(bank, yes),
            Due::Do(bank, commit) => self.obey(bank, commit),
            Due::Patience => self.patience(),
            Due::Again => self.again(),
            Due::Power => {
                self.dark = false;
                self.after(RECOVER, Due::Recover);
                Happened::Power
            }
            Due::Recover => self.recover(),
        };
        // After a crash what is committed in the outbox is sent without the client.
        let sends = self.crashed && !self.dark && self.up() && self.knobs.mail == Mail::Outbox;
        if sends {
            self.mails = self.mails.max(self.outbox());
        }
        let doubt = (0..self.banks.len()).any(|bank| self.in_doubt(bank));
        self.doubt_since = doubt.then(|| self.doubt_since.unwrap_or(self.now));
        happened
    }

    /// Until everything is done, or so many places are past.
    pub(super) fn run(&mut self, places: usize) {
        while !self.over()
            && self.places < places
            && self.next_at().is_some_and(|at| at < Time::s(60))
        {
            self.step();
        }
    }

    // region: hand
    /// The client's line goes on by a step.
    fn work(&mut self) -> Happened {
        let Some(step) = self.hand.pop_front() else {
            return Happened::Nothing;
        };
        let happened = match step {
            Step::Arrive if self.waits() => {
                self.hand.push_front(step);
                Happened::Nothing
            }
            Step::Arrive => {
                self.place(At::Message);
                self.arrive();
                Happened::Arrived(self.at)
            }
            Step::Put(key, after) => {
                self.place(At::Log);
                let bank = self.bank_of(key);
                let tx = self.tx_of(bank);
                self.banks[bank].put(tx, key, after);
                if self.knobs.writer == Writer::AtOnce {
                    self.hand.push_front(Step::Write(bank, page_of(key)));
                    self.hand.push_front(Step::Flush(bank));
                }
                Happened::Logged(bank)
            }
            Step::Commit(bank) => {
                let tx = self.tx_of(bank);
                if self.banks[bank].commit(tx) {
                    self.place(At::Log);
                    self.hand.push_front(Step::Flush(bank));
                }
                self.tx[bank] = None;
                Happened::CommitLogged(bank)
            }
            Step::Flush(bank) => {
                self.place(At::Flush);
                self.banks[bank].flush();
                Happened::Flushed(bank)
            }
            Step::Write(bank, page) => {
                self.place(At::Page);
                self.banks[bank].write_page(page);
                Happened::Wrote(bank, page)
            }
            Step::Undo(bank, until) => {
                let tx = self.tx_of(bank);
                let Some(lsn) = self.banks[bank].undo(tx, until) else {
                    return self.work();
                };
                self.place(At::Log);
                self.hand.push_front(Step::Undo(bank, until));
                Happened::Undone(bank, lsn)
            }
            Step::Abort(bank) => {
                self.place(At::Log);
                let tx = self.tx_of(bank);
                self.banks[bank].abort(tx);
                (self.tx[bank], self.failed[bank]) = (None, false);
                Happened::Aborted(bank)
            }
            Step::Answer(told) => {
                self.place(At::Answer);
                self.answer(told)
            }
        };
        if let Some(next) = self.hand.front() {
            let span = match next {
                Step::Arrive | Step::Answer(_) => ASK,
                Step::Put(..) | Step::Undo(..) => WORK,
                Step::Commit(_) | Step::Abort(_) => PAGE,
                Step::Flush(_) => FLUSH,
                Step::Write(..) => PAGE,
            };
            self.after(span, Due::Hand);
        }
        happened
    }
    // endregion

    /// The next transaction begins once all banks have done what was decided on the one before.
    fn waits(&self) -> bool {
        let begins = self.script.get(self.at) == Some(&Line::Begin);
        let before = self.coordinator.as_ref().filter(|_| begins);
        before.is_some_and(|one| one.untold().next().is_some())
    }

    /// The transaction of a bank; a statement by itself begins one.
    fn tx_of(&mut self, bank: usize) -> Tx {
        match self.tx[bank] {
            Some(tx) => tx,
            None => {
                let tx = self.banks[bank].begin();
                self.tx[bank] = Some(tx);
                tx
            }
        }
    }

    pub(super) fn answer(&mut self, told: Told) -> Happened {
        let line = self.at;
        if let Some(slot) = self.told.get_mut(line) {
            *slot = told;
        }
        let commits = match self.script.get(line) {
            Some(Line::Commit(bank)) => *bank + 1 == self.banks.len(),
            Some(Line::Agree) => true,
            _ => false,
        };
        self.answered += u8::from(commits && told == Told::Done);
        if matches!(self.script.get(line), Some(Line::Mail | Line::Send)) && told == Told::Done {
            self.mails += 1;
        }
        self.at += 1;
        if self.at < self.script.len() {
            self.hand.push_back(Step::Arrive);
        }
        match self.script.get(line) {
            Some(Line::Mail | Line::Send) if told == Told::Done => Happened::Mailed,
            _ => Happened::Answered(line, told),
        }
    }

    // region: statement
    /// A line is with the database: what it takes to do it.
    fn arrive(&mut self) {
        let Some(line) = self.script.get(self.at).copied() else {
            return;
        };
        let each = self.knobs.design == Design::Each;
        let count = self.banks.len();
        // What the line before last came to decides whether there is something to fall back from.
        let failed = self.failed.contains(&true)
            || self.at > 0 && matches!(self.told[self.at - 1], Told::Broken(_) | Told::Nobody);
        match line {
            Line::Begin => {
                for bank in 0..count {
                    self.tx[bank] = Some(self.banks[bank].begin());
                }
                (self.failed, self.parts, self.coordinator) =
                    ([false; 2], Default::default(), None);
                self.hand.push_back(Step::Answer(Told::Done));
            }
            Line::Run(statement) => self.statement(statement, each),
            Line::Savepoint => {
                for bank in 0..if failed { 0 } else { count } {
                    if let Some(tx) = self.tx[bank] {
                        self.banks[bank].savepoint(tx, NAME);
                    }
                }
                let told = if failed { Told::Ignored } else { Told::Done };
                self.hand.push_back(Step::Answer(told));
            }
            Line::FallBack if failed => {
                let mut told = Told::Ignored;
                for bank in 0..count {
                    let until = self.tx[bank].and_then(|tx| self.banks[bank].fall_back(tx, NAME));
                    if let Some(until) = until {
                        self.hand.push_back(Step::Undo(bank, until));
                        self.failed[bank] = false;
                        told = Told::Done;
                    }
                }
                self.hand.push_back(Step::Answer(told));
            }
            Line::Instead(statement) if self.at > 0 && self.told[self.at - 1] == Told::Done => {
                self.statement(statement, each);
            }
            Line::FallBack | Line::Instead(_) => self.hand.push_back(Step::Answer(Told::Skipped)),
            Line::Commit(bank) if bank == 1 && self.cut => {
                self.banks[1].roll_back(self.tx[1].unwrap_or(0));
                self.tx[1] = None;
                self.hand.push_back(Step::Answer(Told::Nobody));
            }
            Line::Commit(bank) if self.failed[bank] => self.take_back(bank..bank + 1),
            Line::Commit(bank) => self
                .hand
                .extend([Step::Commit(bank), Step::Answer(Told::Done)]),
            Line::Agree if self.failed.contains(&true) || !self.coordinator_up => {
                self.take_back(0..count)
            }
            Line::Agree => {
                self.coordinator = Some(Coordinator::new(count));
                for bank in 0..count {
                    self.send(bank, true, Say::Prepare);
                }
                self.after(Time::s(u64::from(self.knobs.patience)), Due::Patience);
            }
            Line::Mail => self.hand.push_back(Step::Answer(Told::Done)),
            Line::Send => {
                let ordered = self.outbox() > self.mails;
                let told = if ordered { Told::Done } else { Told::Skipped };
                self.hand.push_back(Step::Answer(told));
            }
            Line::Rollback => self.take_back(0..count),
        }
    }

    /// A statement: all rules are looked at before anything changes.
    fn statement(&mut self, statement: Statement, each: bool) {
        let (Statement::Add(key, _) | Statement::Insert(key, _) | Statement::Delete(key)) =
            statement;
        let bank = self.bank_of(key);
        if self.failed[bank] {
            self.hand.push_back(Step::Answer(Told::Ignored));
            return;
        }
        if bank == 1 && self.cut {
            self.failed[bank] = self.knobs.error == AfterError::Fails;
            self.hand.push_back(Step::Answer(Told::Nobody));
            return;
        }
        let rows: Vec<(Key, Row)> = self.banks[bank].rows().collect();
        match changes(
            statement,
            &tables(&self.knobs),
            self.knobs.children.rule(),
            &rows,
        ) {
            Ok(changes) => {
                let puts = changes
                    .into_iter()
                    .map(|(key, after)| Step::Put(key, after));
                self.hand.extend(puts);
                if each {
                    self.hand.push_back(Step::Commit(bank));
                }
                self.hand.push_back(Step::Answer(Told::Done));
            }
            Err(broken) => {
                // A statement by itself has no transaction that could fail.
                self.failed[bank] = !each && self.knobs.error == AfterError::Fails;
                self.hand.push_back(Step::Answer(Told::Broken(broken)));
            }
        }
    }
    // endregion

    fn take_back(&mut self, banks: std::ops::Range<usize>) {
        for bank in banks {
            self.hand.extend([Step::Undo(bank, 0), Step::Abort(bank)]);
        }
        self.hand.push_back(Step::Answer(Told::RolledBack));
    }

    /// E-mails that committed rows of the outbox ask for.
    fn outbox(&self) -> u8 {
        let mails =
            (0..self.knobs.transfers as u8).filter(|n| self.seen_row((OUTBOX.0, *n)).is_some());
        mails.count() as u8
    }

    /// The page writer writes one of the pages that differ from the disk, after the log, or none.
    fn tick(&mut self, number: u32) -> Happened {
        self.after(TICK, Due::Tick(number.wrapping_add(1)));
        if self.knobs.writer != Writer::Random || self.dark || !self.up() {
            return Happened::Nothing;
        }
        let all = (0..self.banks.len()).flat_map(|bank| (0..PAGES).map(move |page| (bank, page)));
        let dirty: Vec<(usize, usize)> = all
            .filter(|(bank, page)| self.banks[*bank].is_dirty(*page))
            .collect();
        let mixed = (self.seed ^ number.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
        let Some((bank, page)) = dirty
            .get((mixed >> 16) as usize % (dirty.len() + 1))
            .copied()
        else {
            return Happened::Nothing;
        };
        self.after(PAGE, Due::Write(bank, page));
        if self.banks[bank].memory[page].lsn <= self.banks[bank].flushed {
            return Happened::Nothing;
        }
        self.place(At::Flush);
        self.banks[bank].flush();
        Happened::Flushed(bank)
    }

    pub(super) fn give_up(&mut self) {
        self.crashed = true;
        // A line that has not left the client is not waited for.
        let asked = self.hand.front() != Some(&Step::Arrive);
        self.hand.clear();
        self.due.retain(|(.., due)| *due != Due::Hand);
        if let Some(told) = self.told.get_mut(self.at).filter(|_| asked) {
            *told = Told::Nobody;
        }
    }

    /// The power fails everywhere.
    pub(super) fn plug(&mut self) {
        self.give_up();
        self.due.retain(|(.., due)| matches!(due, Due::Tick(_)));
        for bank in &mut self.banks {
            bank.crash();
        }
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.crash();
        }
        self.tx = [None; 2];
        self.reader = [None; 2];
        (self.dark, self.coordinator_up) = (true, true);
        self.after(DARK, Due::Power);
    }

    /// The restart goes on by a step in each database.
    fn recover(&mut self) -> Happened {
        for bank in 0..self.banks.len() {
            let Some(step) = self.banks[bank].restart() else {
                continue;
            };
            self.reader[bank] = Some(step);
            match step {
                Restart::Redone(_, true) => self.redone[bank] += 1,
                Restart::Undone(_) => self.undone[bank] += 1,
                _ => {}
            }
            self.after(RECOVER, Due::Recover);
            return Happened::Back(bank, step);
        }
        self.reader = [None; 2];
        if self.knobs.design == Design::TwoPhase {
            for bank in 0..self.banks.len() {
                let prepared = self.banks[bank].open.iter().find(|open| open.prepared);
                self.tx[bank] = prepared.map(|open| open.tx);
                if let Some(ask) = self.parts[bank].restart() {
                    self.doubted = true;
                    self.send(bank, false, ask);
                }
            }
            self.back();
        }
        Happened::Up
    }

    /// The learner's ROLLBACK.
    pub(super) fn roll_back(&mut self) {
        self.hand.clear();
        self.due.retain(|(.., due)| *due != Due::Hand);
        self.script.truncate(self.at);
        self.told.truncate(self.at);
        self.script.push(Line::Rollback);
        self.told.push(Told::Open);
        self.hand.push_back(Step::Arrive);
        self.after(ASK, Due::Hand);
    }

    /// Whether there is a transaction that a ROLLBACK could take back.
    pub(super) fn can_roll_back(&self) -> bool {
        let open = self.tx.iter().any(Option::is_some);
        open && !self.crashed
            && self.coordinator.is_none()
            && self.script.last() != Some(&Line::Rollback)
    }

    /// What is on the balance, as others may see it: what is there, and what ought to be.
    pub(super) fn balance(&self) -> (i64, i64) {
        let value = |key| self.seen_row(key).map_or(0, |row| row.value);
        let there = |table: u8| {
            (0..CUSTOMERS)
                .filter(|id| self.seen_row((table, *id)).is_some())
                .count() as i64
        };
        match self.knobs.program {
            Program::Transfer => ([A, B, FEES, C].map(value).iter().sum(), MONEY),
            Program::Post | Program::Close => (value(COUNT), there(1)),
        }
    }

    // region: judge
    /// How many transactions are there, whole; none if one is there in part.
    pub(super) fn judge(&self) -> Option<u8> {
        let value = |key| self.seen_row(key).map_or(0, |row| row.value);
        let amount = i64::from(self.knobs.amount);
        let (there, ought) = self.balance();
        let done = match self.knobs.program {
            Program::Transfer => {
                let done = value(FEES);
                let whole =
                    value(A) == MONEY - done * amount && value(B) + value(C) == done * (amount - 1);
                whole.then_some(done)
            }
            Program::Post => (there == ought).then_some(there),
            Program::Close => (there == ought).then_some(i64::from(CUSTOMERS) - there),
        };
        let mailed = self.knobs.mail == Mail::None || done == Some(i64::from(self.mails));
        done.filter(|_| mailed).map(|done| done as u8)
    }

    /// The same run once more, with a power cut before event number `place`; everything restarts and settles.
    pub(super) fn crash_at(
        knobs: &Settings,
        seed: u32,
        closed: bool,
        place: usize,
    ) -> (World, Verdict) {
        let mut world = World::new(knobs, seed, closed);
        world.run(place);
        world.plug();
        world.run(usize::MAX);
        let (done, doubt) = (world.judge(), world.doubted);
        (world, Verdict { done, doubt })
    }
    // endregion

    /// Whether the rules hold that no failure may break.
    pub(super) fn sound(&self) -> Result<(), String> {
        for bank in &self.banks {
            bank.sound()?;
        }
        let told = |commit| self.parts.iter().any(|part| part.decided() == Some(commit));
        if self.coordinator.is_some() && told(true) && told(false) {
            return Err("one bank commits, the other aborts".into());
        }
        Ok(())
    }
}
