//! The system: a world that runs the program over and over, and a strip on which each place of the run is tried.

use super::probe;
use super::settings::{Design, Settings};
use super::world::{At, Happened, Told, Verdict, Word, World};
use algorithms::aries::Restart;
use algorithms::constraints::Broken;
use algorithms::two_phase_commit::Say;
use engine::random::below;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};

pub(super) const SCRIPT: PartId = PartId::one("script");
pub(super) const BEAM: PartId = PartId::one("beam");
pub(super) const STRIP: PartId = PartId::one("strip");
pub(super) const COORDINATOR: PartId = PartId::one("coordinator");
/// So many places a strip can have: no run has more.
pub(super) const MOST: usize = 192;
/// Until the first run begins, between two runs, and after a power cut.
const OPENING: Time = Time::ms(1_000);
const REST: Time = Time::ms(2_500);
const LONG: Time = Time::s(4);
/// For each place that is tried; so many are tried unseen at a time.
const TRY: Time = Time::ms(120);
const FILL: (usize, Time) = (3, Time::ms(40));

const WRITER: Stream = Stream::named("writer");

/// Memory of a bank, and its disk.
pub(super) const fn memory(bank: usize) -> PartId {
    PartId::nth("memory", bank as u16 + 1)
}
pub(super) const fn disk(bank: usize) -> PartId {
    PartId::nth("disk", bank as u16 + 1)
}
pub(super) const fn place(number: usize) -> PartId {
    PartId::nth("place", number as u16 + 1)
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The world's next event, if this number is still the last.
    World(u32),
    /// The next run.
    Run(u32),
    /// The next place is tried, for all to see.
    Try(u32),
    /// Some more places are tried unseen.
    Fill(u32),
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Bank {
    pub(super) world: World,
    pub(super) knobs: Settings,
    /// What the world's clock showed at a moment of ours.
    began: (Time, Time),
    turn: u32,
    next: u32,
    fill: u32,
    seed: u32,
    /// Whether B is closed in this run.
    pub(super) closed: bool,
    /// Before which event the power is to fail.
    pub(super) armed: Option<usize>,
    /// Whether the strip is of runs in which B is closed, and what came of each place that has been tried.
    strip_closed: bool,
    pub(super) strip: Vec<Option<Verdict>>,
    /// The events of a run: at which line, and of which kind.
    pub(super) places: Vec<(usize, At)>,
    /// The place that is being tried.
    pub(super) trying: Option<usize>,
    /// Runs that are over, and what the last one left.
    pub(super) runs: u32,
    pub(super) left: Option<Verdict>,
    over: bool,
    cause: NoteId,
    /// Since when a row is locked.
    locked: Option<Time>,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

fn number(n: usize) -> Arg {
    Arg::Count(n as i64 + 1)
}

/// Which rule is broken.
pub(super) fn rule(broken: Broken) -> &'static str {
    match broken {
        Broken::Check(_) => "stage.broken.check",
        Broken::Null(_) => "stage.broken.null",
        Broken::Double(_) => "stage.broken.double",
        Broken::Parent(_) => "stage.broken.parent",
    }
}

impl Bank {
    /// The world's moment that is ours at `at`.
    pub(super) fn world_at(&self, at: Time) -> Time {
        self.began.1 + at.since(self.began.0)
    }

    /// How many places leave something in part, and how many were tried.
    pub(super) fn torn(&self) -> (usize, usize) {
        let tried = self.strip.iter().flatten();
        let torn = tried.clone().filter(|one| one.done.is_none());
        (torn.count(), tried.count())
    }

    /// Whether a run is over and has been judged.
    pub(super) fn judged(&self) -> Option<Verdict> {
        let over = self.over && self.trying.is_none() && self.runs > 0;
        self.left.filter(|_| over)
    }

    /// What the restarts of this run repeated and took back.
    pub(super) fn redone(&self) -> u32 {
        self.world.redone.iter().sum()
    }

    pub(super) fn undone(&self) -> u32 {
        self.world.undone.iter().sum()
    }

    pub(super) fn running(&self) -> bool {
        !self.over && self.trying.is_none()
    }

    /// The next thing that happens is due when the world says.
    fn drive(&mut self, cx: Cx<'_, '_>) {
        self.turn = self.turn.wrapping_add(1);
        let Some(at) = self.world.next_at() else {
            return;
        };
        let span = at.since(self.world_at(cx.now()));
        cx.schedule(span, Event::World(self.turn));
    }

    /// A run begins with the bank as it was at first.
    fn begin(&mut self, cx: Cx<'_, '_>) {
        self.world = World::new(&self.knobs, self.seed, self.closed);
        (self.began, self.over, self.trying) = ((cx.now(), Time::ZERO), false, None);
        self.next = self.next.wrapping_add(1);
        if self.strip_closed != self.closed {
            self.wipe(cx);
        }
        let word = if self.closed { "runs-closed" } else { "runs" };
        let note = Note::new(word).with(count(self.runs + 1));
        self.cause = cx.say(note.about(SCRIPT));
        self.drive(cx);
    }

    /// A run that the learner asks for.
    fn anew(&mut self, closed: bool, armed: Option<usize>, cx: Cx<'_, '_>) {
        (self.closed, self.armed) = (closed, armed);
        self.begin(cx);
    }

    /// Nothing of the strip holds any longer: its places are tried anew.
    fn wipe(&mut self, cx: Cx<'_, '_>) {
        self.fill = self.fill.wrapping_add(1);
        cx.schedule(FILL.1, Event::Fill(self.fill));
        let mut dry = World::new(&self.knobs, self.seed, self.closed);
        dry.run(usize::MAX);
        self.strip_closed = self.closed;
        self.places = dry.seen;
        self.places.push((dry.script.len(), At::End));
        self.places.truncate(MOST);
        self.strip = vec![None; self.places.len()];
        self.trying = None;
    }

    /// What stands there, for whoever asks why.
    fn opens(&mut self, cx: Cx<'_, '_>) {
        self.cause = NoteId::NONE;
        cx.because(NoteId::NONE);
        let design = Arg::Word(match self.knobs.design {
            Design::Each => "stage.design.each",
            Design::One => "stage.design.one",
            Design::TwoBanks => "stage.design.two",
            Design::TwoPhase => "stage.design.agree",
        });
        for (word, part) in [("strip", STRIP), ("program", SCRIPT), ("balance", BEAM)] {
            cx.because(NoteId::NONE);
            cx.say(Note::new(word).with(design).about(part));
        }
        for bank in 0..self.world.banks.len() {
            cx.because(NoteId::NONE);
            cx.say(Note::new("memory").about(memory(bank)));
            cx.because(NoteId::NONE);
            cx.say(Note::new("disk").about(disk(bank)));
        }
        if self.knobs.design == Design::TwoPhase {
            cx.because(NoteId::NONE);
            cx.say(Note::new("coordinator").about(COORDINATOR));
        }
    }

    /// Places that have not been tried are, a few at a time.
    fn fill_on(&mut self, cx: Cx<'_, '_>) {
        for _ in 0..FILL.0 {
            let Some(at) = self.strip.iter().position(Option::is_none) else {
                return;
            };
            let (_, verdict) = World::crash_at(&self.knobs, self.seed, self.strip_closed, at);
            self.strip[at] = Some(verdict);
        }
        cx.schedule(FILL.1, Event::Fill(self.fill));
    }

    fn try_next(&mut self, cx: Cx<'_, '_>) {
        let at = self.trying.unwrap_or(0);
        if at >= self.strip.len() {
            self.trying = None;
            let (torn, tried) = self.torn();
            let note = Note::new(if torn > 0 { "tried-torn" } else { "tried" });
            let note = note.with(count(tried as i64)).with(count(torn as i64));
            cx.because(self.cause);
            cx.say(
                note.about(STRIP)
                    .mark(if torn > 0 { Tone::Bad } else { Tone::Ok }),
            );
            self.rest(LONG, cx);
            return;
        }
        let (world, verdict) = World::crash_at(&self.knobs, self.seed, self.closed, at);
        (self.world, self.over) = (world, true);
        self.strip[at] = Some(verdict);
        let word = match verdict.done {
            None => "place-torn",
            Some(0) => "place-before",
            Some(_) => "place-after",
        };
        cx.because(self.cause);
        cx.say(Note::new(word).with(number(at)).about(place(at)));
        self.trying = Some(at + 1);
        self.turn = self.turn.wrapping_add(1);
        cx.schedule(TRY, Event::Try(self.turn));
    }

    /// The next run begins after so long.
    fn rest(&mut self, span: Time, cx: Cx<'_, '_>) {
        self.next = self.next.wrapping_add(1);
        cx.schedule(span, Event::Run(self.next));
    }

    /// The world goes on by an event, unless the power fails before it.
    fn step(&mut self, cx: Cx<'_, '_>) {
        if self.armed.is_some_and(|armed| self.world.places >= armed) && !self.world.crashed {
            self.armed = None;
            self.pull(cx);
            return;
        }
        let undoubted = self.world.doubt_since.is_none();
        let happened = self.world.step();
        self.began = (cx.now(), self.world.now);
        self.tell(happened, cx);
        if undoubted && self.world.doubt_since.is_some() {
            cx.because(self.cause);
            cx.say(Note::new("in-doubt").about(COORDINATOR).mark(Tone::Warn));
        }
        let was = std::mem::replace(&mut self.over, self.world.over());
        if self.over && !was {
            self.finish(cx);
        }
        self.drive(cx);
    }

    /// A run is over: what it left.
    fn finish(&mut self, cx: Cx<'_, '_>) {
        // Before the event that never came the power fails now.
        if self.armed.is_some() && !self.world.crashed {
            self.armed = None;
            self.pull(cx);
            return;
        }
        self.runs += 1;
        let verdict = Verdict {
            done: self.world.judge(),
            doubt: self.world.doubted,
        };
        self.left = Some(verdict);
        cx.because(self.cause);
        let (there, ought) = self.world.balance();
        let note = match verdict.done {
            None => Note::new("left-torn").mark(Tone::Bad),
            Some(0) => Note::new("left-before"),
            Some(_) => Note::new("left-after").mark(Tone::Ok),
        };
        cx.say(note.with(count(there)).with(count(ought)).about(BEAM));
        let span = if self.world.crashed { LONG } else { REST };
        self.closed = false;
        self.rest(span, cx);
    }

    /// The power fails.
    fn pull(&mut self, cx: Cx<'_, '_>) {
        self.world.plug();
        self.over = false;
        cx.because(self.cause);
        let note = Note::new("power-fails").with(count(self.world.places as i64));
        self.cause = cx.say(note.about(SCRIPT).mark(Tone::Bad));
        for bank in 0..self.world.banks.len() {
            cx.because(self.cause);
            cx.say(Note::new("memory-gone").about(memory(bank)));
        }
        self.drive(cx);
    }

    /// What is worth a word, of whom.
    fn tell(&mut self, happened: Happened, cx: Cx<'_, '_>) {
        cx.because(self.cause);
        let name = |bank: usize| number(bank);
        let note = match happened {
            Happened::Nothing => return,
            Happened::Arrived(line) => Note::new("arrives").with(number(line)).about(SCRIPT),
            Happened::Logged(bank) => {
                let lsn = self.world.banks[bank].log.len();
                Note::new("logs")
                    .with(count(lsn as i64))
                    .about(memory(bank))
            }
            Happened::CommitLogged(bank) => Note::new("commit-logged")
                .with(name(bank))
                .about(memory(bank)),
            Happened::Flushed(bank) => {
                let lsn = self.world.banks[bank].flushed;
                Note::new("flushes")
                    .with(count(lsn as i64))
                    .about(disk(bank))
            }
            Happened::Wrote(bank, page) => Note::new("writes-page")
                .with(number(page))
                .about(disk(bank)),
            Happened::Undone(bank, lsn) => Note::new("takes-back")
                .with(count(lsn as i64))
                .about(memory(bank)),
            Happened::Aborted(bank) => Note::new("aborted").with(name(bank)).about(memory(bank)),
            Happened::Answered(line, told) => self.answered(line, told),
            Happened::Mailed => Note::new("mailed").about(SCRIPT).mark(Tone::Warn),
            Happened::Heard(word) => hears(word),
            Happened::Lost(word) => Note::new("lost")
                .with(name(word.bank))
                .about(COORDINATOR)
                .mark(Tone::Warn),
            Happened::Ready(bank) => Note::new("ready").with(name(bank)).about(disk(bank)),
            Happened::Voted(bank, _) => Note::new("counted").with(name(bank)).about(COORDINATOR),
            Happened::Decided(true) => Note::new("decides-commit")
                .about(COORDINATOR)
                .mark(Tone::Ok),
            Happened::Decided(false) => Note::new("decides-abort")
                .about(COORDINATOR)
                .mark(Tone::Warn),
            Happened::GaveUp => Note::new("gives-up")
                .with(count(self.knobs.patience))
                .about(COORDINATOR)
                .mark(Tone::Warn),
            Happened::Did(bank, true) => Note::new("did-commit").with(name(bank)).about(disk(bank)),
            Happened::Did(bank, false) => Note::new("did-abort").with(name(bank)).about(disk(bank)),
            Happened::Power => Note::new("power-back").about(SCRIPT),
            Happened::Back(bank, step) => match step {
                Restart::Analysed(losers) => Note::new("reads-log")
                    .with(count(losers as i64))
                    .about(disk(bank)),
                Restart::Redone(lsn, true) => Note::new("repeats")
                    .with(count(lsn as i64))
                    .about(memory(bank)),
                Restart::Redone(lsn, false) => Note::new("has-it")
                    .with(count(lsn as i64))
                    .about(disk(bank)),
                Restart::Undone(lsn) => Note::new("takes-back")
                    .with(count(lsn as i64))
                    .about(memory(bank))
                    .mark(Tone::Warn),
                Restart::Ended(tx) => Note::new("loser-ends").with(count(tx)).about(memory(bank)),
            },
            Happened::Up => Note::new("up")
                .with(count(self.redone()))
                .with(count(self.undone()))
                .about(SCRIPT)
                .mark(Tone::Ok),
            Happened::Killed => Note::new("killed").about(COORDINATOR).mark(Tone::Bad),
        };
        self.cause = cx.say(note);
    }

    fn answered(&self, line: usize, told: Told) -> Note {
        let note = match told {
            Told::Broken(broken) => {
                let note = Note::new("refused")
                    .with(number(line))
                    .with(Arg::Word(rule(broken)));
                return note.about(SCRIPT).mark(Tone::Bad);
            }
            Told::Ignored => Note::new("ignored").mark(Tone::Warn),
            Told::RolledBack => Note::new("rolled-back").mark(Tone::Warn),
            Told::Nobody => Note::new("nobody").mark(Tone::Warn),
            Told::Skipped => Note::new("skipped"),
            Told::Open | Told::Done => Note::new("answers"),
        };
        note.with(number(line)).about(SCRIPT)
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let (there, ought) = self.world.balance();
        cx.sample(probe::THERE, there as f64);
        cx.sample(probe::OUGHT, ought as f64);
        let (mut dirty, mut unsafe_records, mut locked) = (0, 0, false);
        for bank in &self.world.banks {
            dirty += (0..super::program::PAGES)
                .filter(|page| bank.is_dirty(*page))
                .count();
            unsafe_records += bank.log.len() - bank.flushed;
            locked |= bank.open.iter().any(|open| open.last > 0);
        }
        self.locked = locked.then(|| self.locked.unwrap_or(cx.now()));
        cx.sample(probe::DIRTY, dirty as f64);
        cx.sample(probe::RECORDS, unsafe_records as f64);
        let span = self
            .locked
            .map_or(0.0, |since| cx.now().since(since).as_s());
        cx.sample(probe::LOCKED, span);
    }
}

/// A message of the protocol arrives.
fn hears(word: Word) -> Note {
    let bank = number(word.bank);
    match word.say {
        Say::Prepare => Note::new("hears-prepare")
            .with(bank)
            .about(memory(word.bank)),
        Say::Vote(true) => Note::new("hears-yes").with(bank).about(COORDINATOR),
        Say::Vote(false) => Note::new("hears-no").with(bank).about(COORDINATOR),
        Say::Decision(_) => Note::new("hears-decision")
            .with(bank)
            .about(memory(word.bank)),
        Say::Ack => Note::new("hears-ack").with(bank).about(COORDINATOR),
        Say::Ask => Note::new("hears-ask").with(bank).about(COORDINATOR),
    }
}

impl Model for Bank {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    /// The program has run once, and every place has been tried.
    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Bank {
        let seed = below(cx.random(WRITER), 1 << 31) as u32;
        let mut bank = Bank {
            world: World::new(knobs, seed, false),
            knobs: knobs.clone(),
            began: (cx.now(), Time::ZERO),
            turn: 0,
            next: 0,
            fill: 0,
            seed,
            closed: false,
            armed: None,
            strip_closed: false,
            strip: Vec::new(),
            places: Vec::new(),
            trying: None,
            runs: 0,
            left: None,
            over: true,
            cause: NoteId::NONE,
            locked: None,
            now: cx.now(),
        };
        bank.wipe(cx);
        bank.fill += 1;
        let all = 0..bank.strip.len();
        bank.strip = all
            .map(|at| Some(World::crash_at(knobs, seed, false, at).1))
            .collect();
        bank.opens(cx);
        bank.world.run(usize::MAX);
        bank.began = (cx.now(), bank.world.now);
        cx.because(NoteId::NONE);
        bank.rest(OPENING, cx);
        bank.look(cx);
        bank
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::World(turn) if turn == self.turn && self.trying.is_none() => self.step(cx),
            Event::Try(turn) if turn == self.turn => self.try_next(cx),
            Event::Fill(fill) if fill == self.fill => self.fill_on(cx),
            Event::Run(next) if next == self.next && self.over => self.begin(cx),
            _ => {}
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let was = std::mem::replace(&mut self.knobs, knobs.clone());
        // When pages are written may change while the program runs.
        let quiet = Settings {
            writer: was.writer,
            ..knobs.clone()
        };
        self.world.turn(knobs.writer);
        (self.closed, self.armed) = (quiet == was && self.closed, None);
        let tried = self.trying.is_some();
        self.wipe(cx);
        if quiet != was || tried {
            self.left = None;
            self.world = World::new(&self.knobs, self.seed, false);
            self.opens(cx);
            self.begin(cx);
        }
        self.look(cx);
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        self.world.now = self.world_at(cx.now());
        self.began = (cx.now(), self.world.now);
        let says = |word, part| Note::new(word).about(part).mark(Tone::Learner);
        cx.because(NoteId::NONE);
        match act.spec {
            0 => {
                self.cause = cx.say(says("you-pull", SCRIPT));
                self.trying = None;
                self.pull(cx);
            }
            1 => {
                self.cause = cx.say(says("you-try", STRIP));
                self.closed = false;
                self.wipe(cx);
                self.fill = self.fill.wrapping_add(1);
                self.trying = Some(0);
                self.try_next(cx);
            }
            2 => {
                self.cause = cx.say(says("you-close", SCRIPT));
                self.anew(true, None, cx);
            }
            3 => {
                self.cause = cx.say(says("you-kill", COORDINATOR));
                if self.world.over() || self.trying.is_some() {
                    self.anew(false, None, cx);
                }
                let undecided = self
                    .world
                    .coordinator
                    .as_ref()
                    .is_none_or(|one| one.decided.is_none());
                if undecided {
                    self.world.doomed = true;
                } else {
                    let killed = self.world.kill();
                    self.tell(killed, cx);
                }
            }
            4 => {
                self.cause = cx.say(says("you-cut", COORDINATOR));
                if self.world.over() || self.trying.is_some() {
                    self.anew(false, None, cx);
                }
                self.world.cut = true;
            }
            5 => {
                self.cause = cx.say(says("you-mend", COORDINATOR));
                self.world.mend();
                self.drive(cx);
            }
            6 => {
                self.cause = cx.say(says("you-roll-back", SCRIPT));
                self.world.roll_back();
                self.drive(cx);
            }
            7 => {
                self.cause = cx.say(says("you-run", SCRIPT));
                self.anew(false, None, cx);
            }
            _ => {
                let at = act.target.min(self.places.len() - 1);
                let note = Note::new("you-place").with(number(at)).about(STRIP);
                self.cause = cx.say(note.mark(Tone::Learner));
                self.anew(false, Some(at), cx);
            }
        }
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        let two = self.world.banks.len() == 2;
        let broken = self.world.cut || !self.world.coordinator_up || self.world.doomed;
        match act.spec {
            2 => self.knobs.program == super::settings::Program::Transfer,
            3 => self.knobs.design == Design::TwoPhase && self.world.coordinator_up,
            4 => two && !self.world.cut,
            5 => broken,
            6 => self.running() && self.world.can_roll_back(),
            _ => true,
        }
    }

    fn bytes(&self) -> usize {
        4_096
    }

    fn audit(&self) -> Result<(), String> {
        self.world.sound()
    }
}
