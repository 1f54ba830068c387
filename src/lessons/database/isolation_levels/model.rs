//! The system: two programs on one database, whose steps come in an order; every order tried; a crowd beside them.

use super::crowd::Crowd;
use super::probe;
use super::settings::{Pair, Settings};
use algorithms::isolation::programs::{Deed, Did, Phase, Play, Setting, Step, Verdict};
use algorithms::isolation::{Id, Level, Reason, Statement, Where};
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};

/// From one step to the next.
const SLOT: Time = Time::s(1);
/// From a turn of a knob to the first step, from one order to the next when all are played, from the end of an order to the sweep, and
/// to its next beginning.
const FIRST_SLOT: Time = Time::ms(600);
const EACH: Time = Time::ms(200);
const SOON: Time = Time::s(1);
/// The third reader's turns lie between those of the others.
const BETWEEN: Time = Time::ms(500);
const REST: Time = Time::ms(2_400);
/// Plays begin at whole multiples of this, unless a learner begins one: so the two sides of a comparison keep step.
const CYCLE: Time = Time::s(8);
/// What is read or written travels so long.
pub(super) const FLIGHT: Time = Time::ms(550);

pub(super) const MATRIX: PartId = PartId::one("matrix");
pub(super) const CROWD: PartId = PartId::one("crowd");
/// The reader that a learner starts.
pub(super) const THIRD: usize = 2;

const PROGRAMS: Stream = Stream::named("programs");

/// Withdrawals that the crowd loses are told by so many.
const TOLD: u32 = 10;

/// The places of actions in the sheet's list.
const ALL: usize = 0;
const NEXT: [usize; 2] = [1, 2];
const ROLL_BACK: usize = 3;
const READER: usize = 4;
const AGAIN: usize = 5;
const PLAY: usize = 6;

pub(super) const fn lane(who: usize) -> PartId {
    PartId::nth("lane", who as u16 + 1)
}

pub(super) const fn row(id: Id) -> PartId {
    PartId::nth("row", id as u16)
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next step of the order, if it is still the turn of this play.
    Slot(u32),
    /// The next order of all.
    Reveal(u32),
    /// The third reader's turn.
    Reader(u32),
    /// The crowd's.
    Round,
}

/// Who says whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The order.
    Order,
    /// All orders, one after the other.
    Sweep,
    /// The learner.
    Hand,
}

/// A value on its way between a program and a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) who: usize,
    pub(super) row: Id,
    pub(super) writes: bool,
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Meeting {
    pub(super) knobs: Settings,
    pub(super) setting: Setting,
    pub(super) orders: Vec<Vec<usize>>,
    /// What becomes of each order at each level; computed when a knob turns.
    pub(super) verdicts: Vec<Vec<Verdict>>,
    /// What is in all rows together once one has come after the other.
    pub(super) serial: i64,
    /// So many orders are shown.
    pub(super) shown: usize,
    /// All were played since the last turn of a knob because the learner or the story asked.
    pub(super) swept: bool,
    pub(super) play: Play,
    /// Which order is played, from 0, and how many of its turns are over.
    pub(super) order: usize,
    pub(super) slot: usize,
    pub(super) mode: Mode,
    /// Once all are over.
    pub(super) verdict: Option<Verdict>,
    /// Somebody was refused because of a circle of waiting, in a play that was watched.
    pub(super) deadlock: bool,
    /// Turns that passed while somebody waited.
    pub(super) waited: u32,
    /// Whose turns have come, by hand or by the order.
    pub(super) taken: Vec<usize>,
    pub(super) flights: Vec<Flight>,
    /// When they set out.
    pub(super) flown_at: Time,
    pub(super) crowd: Crowd,
    turn: u32,
    asked: bool,
    /// Somebody has asked for all orders; until then they are shown by themselves, and hidden when the order begins again: a
    /// question about them comes first.
    ever: bool,
    /// The order that was chosen by its dot, from 0, until a knob turns.
    picked: Option<usize>,
    /// The last note of each program.
    notes: Vec<NoteId>,
    begun: NoteId,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

/// What is committed in all rows together.
pub(super) fn sum(play: &Play) -> i64 {
    play.db.values().iter().map(|(_, value)| value).sum()
}

/// The word for a verdict, and its tone.
fn word(verdict: Verdict) -> (&'static str, Tone) {
    match verdict {
        Verdict::Right => ("right", Tone::Ok),
        Verdict::Refused => ("one-refused", Tone::Warn),
        Verdict::Wrong => ("wrong", Tone::Bad),
    }
}

impl Meeting {
    /// How many orders came out so at a level, of those that are shown.
    pub(super) fn count(&self, level: Level, verdict: Verdict) -> usize {
        let shown = self.verdicts[level as usize].iter().take(self.shown);
        shown.filter(|one| **one == verdict).count()
    }

    /// The same at the level that is set.
    pub(super) fn here(&self, verdict: Verdict) -> usize {
        self.count(self.knobs.level.level(), verdict)
    }

    /// Whether every order is shown.
    pub(super) fn all_shown(&self) -> bool {
        self.shown == self.orders.len()
    }

    /// The turns of the order that is played; by hand those that were taken.
    pub(super) fn turns(&self) -> &[usize] {
        match self.mode {
            Mode::Hand => &self.taken,
            _ => &self.orders[self.order],
        }
    }

    /// Which order it is; by hand once it is over, if it is one of them.
    pub(super) fn known(&self) -> Option<usize> {
        if self.mode != Mode::Hand {
            return Some(self.order);
        }
        self.verdict?;
        let mut orders = self.orders.iter();
        orders.position(|order| order.starts_with(&self.taken))
    }

    /// The committed value of a row.
    pub(super) fn value(&self, id: Id) -> Option<i64> {
        let values = self.play.db.values();
        values
            .iter()
            .find(|(row, _)| *row == id)
            .map(|(_, value)| *value)
    }

    /// All have ended, by turns that were watched.
    pub(super) fn is_played(&self) -> bool {
        self.verdict.is_some() && self.mode != Mode::Sweep
    }

    fn somebody_waits(&self) -> bool {
        let mut sessions = self.play.sessions.iter();
        sessions.any(|session| session.phase == Phase::Waits)
    }

    fn chosen(&self) -> usize {
        let knob = (self.knobs.order as usize).clamp(1, self.orders.len()) - 1;
        self.picked.unwrap_or(knob)
    }

    fn open(knobs: &Settings) -> (Setting, Play) {
        let setting = knobs.setting();
        let play = setting.open(knobs.database.database(), knobs.level.level());
        (setting, play)
    }

    /// A play from its beginning; the first turn comes by itself unless the learner says whose it is.
    fn begin(&mut self, mode: Mode, cx: Cx<'_, '_>) {
        (self.setting, self.play) = Meeting::open(&self.knobs);
        self.order = self.chosen();
        (self.slot, self.waited, self.mode, self.verdict) = (0, 0, mode, None);
        self.deadlock = false;
        self.taken.clear();
        self.flights.clear();
        self.turn += 1;
        let note = match mode {
            Mode::Hand => Note::new("by-hand"),
            _ => Note::new("begins").with(count(self.order + 1)),
        };
        self.begun = cx.say(note.about(MATRIX));
        for who in 0..2 {
            cx.because(self.begun);
            let first = Note::new("stands").with(Arg::Part(lane(who)));
            self.notes[who] = cx.say(first.about(lane(who)));
        }
        for (id, value) in self.setting.rows.clone() {
            cx.because(self.begun);
            let holds = Note::new("holds")
                .with(Arg::Part(row(id)))
                .with(count(value));
            cx.say(holds.about(row(id)));
        }
        if mode == Mode::Order {
            cx.schedule(FIRST_SLOT, Event::Slot(self.turn));
        }
    }

    fn slot(&mut self, cx: Cx<'_, '_>) {
        // Turns of who is over fall out.
        while let Some(who) = self.turns().get(self.slot)
            && self.play.sessions[*who].is_over()
        {
            self.slot += 1;
        }
        let who = self.turns().get(self.slot).copied();
        self.slot += usize::from(who.is_some());
        // After the last turn whoever is not over goes on.
        let ready = self.play.sessions.iter().take(THIRD);
        let ready = ready.map(|session| session.phase == Phase::Ready);
        if let Some(who) = who.or_else(|| ready.into_iter().position(|ready| ready)) {
            self.take_turn(who, cx);
        }
        if self.verdict.is_none() {
            cx.schedule(SLOT, Event::Slot(self.turn));
        }
    }

    /// A program's turn, and what follows from it.
    fn take_turn(&mut self, who: usize, cx: Cx<'_, '_>) {
        let mut deeds = Vec::new();
        self.play.turn(who, &mut deeds);
        if who != THIRD {
            self.taken.push(who);
        }
        self.waited += u32::from(self.somebody_waits());
        self.tell(&deeds, cx);
    }

    fn tell(&mut self, deeds: &[Deed], cx: Cx<'_, '_>) {
        if !deeds.is_empty() {
            self.flights.clear();
            self.flown_at = cx.now();
        }
        for (n, deed) in deeds.iter().enumerate() {
            // What follows in the same moment follows from the one before.
            if n == 0 {
                let blocker = match &deed.did {
                    Did::Waits(whom) => whom.first().copied(),
                    _ => None,
                };
                cx.because(self.notes[blocker.unwrap_or(deed.who)]);
            }
            self.tell_one(deed, cx);
        }
        if self.verdict.is_none() && self.play.is_over() {
            self.over(cx);
        }
    }

    fn tell_one(&mut self, deed: &Deed, cx: Cx<'_, '_>) {
        let who = deed.who;
        let name = Arg::Part(lane(who));
        let about = |word| Note::new(word).with(name).about(lane(who));
        let last = match &deed.did {
            Did::Read(rows) => {
                for (id, _) in rows {
                    self.flights.push(Flight {
                        who,
                        row: *id,
                        writes: false,
                    });
                }
                let note = match rows[..] {
                    [(id, data)] if self.knobs.scenario != Pair::Doctors => about("reads")
                        .with(count(data.value))
                        .with(Arg::Part(row(id))),
                    _ => about("counts").with(count(rows.len())),
                };
                cx.say(note)
            }
            Did::Wrote(rows) => {
                let mut last = match rows[..] {
                    [] => cx.say(about("writes-nothing")),
                    _ => NoteId::NONE,
                };
                for (id, data) in rows {
                    self.flights.push(Flight {
                        who,
                        row: *id,
                        writes: true,
                    });
                    let value = count(data.value);
                    last = cx.say(about("writes").with(value).with(Arg::Part(row(*id))));
                    let version = Note::new("version").with(Arg::Part(row(*id)));
                    cx.say(version.with(value).with(name).about(row(*id)));
                }
                last
            }
            Did::Waits(whom) => {
                let whom = Arg::Part(lane(whom.first().copied().unwrap_or(0)));
                cx.say(about("waits").with(whom).mark(Tone::Warn))
            }
            Did::Commits => cx.say(about("commits").mark(Tone::Ok)),
            Did::RollsBack => {
                let last = cx.say(about("rolls-back").mark(Tone::Warn));
                self.gone(who, cx);
                last
            }
            Did::Refused(reason) => {
                let word = match reason {
                    Some(Reason::Changed) => "refused-changed",
                    Some(Reason::Deadlock) => "refused-deadlock",
                    None => "refused-version",
                    Some(_) => "refused-circle",
                };
                self.deadlock |= *reason == Some(Reason::Deadlock);
                let last = cx.say(about(word).mark(Tone::Bad));
                self.gone(who, cx);
                last
            }
        };
        self.notes[who] = last;
    }

    /// Rows that somebody may have written are as they were before.
    fn gone(&mut self, who: usize, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let ids: Vec<Id> = self.play.db.rows().iter().map(|row| row.id).collect();
        for id in ids {
            let note = Note::new("without")
                .with(Arg::Part(row(id)))
                .with(Arg::Part(lane(who)));
            cx.say(note.about(row(id)));
            cx.because(cause);
        }
    }

    fn over(&mut self, cx: Cx<'_, '_>) {
        let verdict = self.setting.judge(&self.play);
        self.verdict = Some(verdict);
        let (word, tone) = word(verdict);
        let note = Note::new(word).about(MATRIX);
        let dot = self.known().map_or(0, |order| order as u32 + 1);
        cx.say(note.dot(dot).mark(tone));
        self.turn += 1;
        if self.mode == Mode::Hand {
            return;
        }
        if self.shown == 0 {
            cx.schedule(SOON, Event::Reveal(self.turn));
        } else {
            self.rest(cx);
        }
    }

    /// The order is played again in a while.
    fn rest(&mut self, cx: Cx<'_, '_>) {
        let ready = cx.now() + REST;
        let next = Time(ready.0.div_ceil(CYCLE.0) * CYCLE.0);
        cx.schedule(next.since(cx.now()), Event::Slot(self.turn));
    }

    /// One order more is shown: how it ends is on the stage.
    fn reveal(&mut self, cx: Cx<'_, '_>) {
        self.mode = Mode::Sweep;
        let (database, level) = (self.knobs.database.database(), self.knobs.level.level());
        self.flights.clear();
        self.waited = 0;
        self.slot = self.orders[0].len();
        if !self.all_shown() {
            self.order = self.shown;
            self.shown += 1;
            self.play = self.setting.run(database, level, self.turns());
            self.verdict = self.verdicts[level as usize].get(self.order).copied();
            let word = match self.verdict {
                Some(Verdict::Right) => "tried-right",
                Some(Verdict::Refused) => "tried-refused",
                _ => "tried-wrong",
            };
            cx.because(self.begun);
            let note = Note::new(word).with(count(self.shown)).about(MATRIX);
            cx.say(note.dot(self.shown as u32));
            cx.schedule(EACH, Event::Reveal(self.turn));
            return;
        }
        self.mode = Mode::Order;
        self.order = self.chosen();
        self.play = self.setting.run(database, level, self.turns());
        self.verdict = self.verdicts[level as usize].get(self.order).copied();
        self.swept |= self.asked;
        self.asked = false;
        let [right, wrong, refused] =
            [Verdict::Right, Verdict::Wrong, Verdict::Refused].map(|one| count(self.here(one)));
        cx.because(self.begun);
        let note = Note::new("swept").with(right).with(wrong).with(refused);
        cx.say(note.about(MATRIX).mark(Tone::Plain));
        self.rest(cx);
    }

    fn reader(&mut self, cx: Cx<'_, '_>) {
        if self
            .play
            .sessions
            .get(THIRD)
            .is_some_and(|reader| !reader.is_over())
        {
            self.take_turn(THIRD, cx);
            cx.schedule(SLOT, Event::Reader(self.turn));
        }
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        cx.sample(probe::RIGHT, self.here(Verdict::Right) as f64);
        cx.sample(probe::WRONG, self.here(Verdict::Wrong) as f64);
        cx.sample(probe::REFUSED, self.here(Verdict::Refused) as f64);
        cx.sample(probe::WAITED, f64::from(self.waited));
        let versions = self.play.db.rows().iter().map(|row| row.versions.len());
        cx.sample(probe::VERSIONS, versions.sum::<usize>() as f64);
    }
}

impl Model for Meeting {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Meeting {
        let (setting, play) = Meeting::open(knobs);
        let mut meeting = Meeting {
            knobs: knobs.clone(),
            orders: setting.orders(),
            verdicts: Vec::new(),
            serial: 0,
            setting,
            shown: 0,
            swept: false,
            play,
            order: 0,
            slot: 0,
            mode: Mode::Order,
            verdict: None,
            deadlock: false,
            waited: 0,
            taken: Vec::new(),
            flights: Vec::new(),
            flown_at: cx.now(),
            crowd: Crowd::default(),
            turn: 0,
            asked: false,
            ever: false,
            picked: None,
            notes: vec![NoteId::NONE; THIRD + 1],
            begun: NoteId::NONE,
        };
        meeting.sweep();
        cx.say(Note::new("gathers").about(CROWD));
        cx.schedule(SLOT, Event::Round);
        meeting.begin(Mode::Order, cx);
        meeting.look(cx);
        meeting
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Slot(turn) if turn == self.turn => match self.verdict {
                // It has rested.
                Some(_) => self.begin(Mode::Order, cx),
                None => self.slot(cx),
            },
            Event::Reveal(turn) if turn == self.turn => self.reveal(cx),
            Event::Reader(turn) if turn == self.turn => self.reader(cx),
            Event::Round => {
                let before = self.crowd.lost;
                let knobs = self.knobs.clone();
                self.crowd.round(&knobs, cx.random(PROGRAMS));
                let Crowd { done, lost, .. } = self.crowd;
                cx.sample(probe::LOST, f64::from(lost - before));
                // The first, and then every tenth: who steps through the two is not to stop here all the time.
                if before == 0 && lost > 0 || before / TOLD < lost / TOLD {
                    cx.because(NoteId::NONE);
                    let note = Note::new("crowd").with(count(lost)).with(count(done));
                    cx.say(note.about(CROWD));
                }
                cx.schedule(SLOT, Event::Round);
            }
            _ => {}
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.knobs = knobs.clone();
        let whole = self.all_shown();
        let (setting, _) = Meeting::open(knobs);
        self.orders = setting.orders();
        self.setting = setting;
        self.sweep();
        self.shown = if whole { self.orders.len() } else { 0 };
        (self.swept, self.asked, self.picked) = (false, false, None);
        self.crowd = Crowd::default();
        cx.empty_windows();
        self.begin(Mode::Order, cx);
        self.look(cx);
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        match act.spec {
            ALL => {
                self.turn += 1;
                self.shown = 0;
                (self.asked, self.ever) = (true, true);
                (self.setting, _) = Meeting::open(&self.knobs);
                let note = Note::new("all").with(count(self.orders.len()));
                self.begun = cx.say(note.about(MATRIX).mark(Tone::Learner));
                self.reveal(cx);
            }
            spec if NEXT.contains(&spec) => {
                let who = spec - NEXT[0];
                if self.verdict.is_some() || self.mode == Mode::Sweep {
                    self.begin(Mode::Hand, cx);
                } else if self.mode == Mode::Order {
                    // From here on the learner says whose turn it is.
                    self.turn += 1;
                    self.mode = Mode::Hand;
                    self.keep_reading(cx);
                }
                self.take_turn(who, cx);
            }
            ROLL_BACK => {
                let mut deeds = Vec::new();
                self.play.roll_back(0, &mut deeds);
                self.tell(&deeds, cx);
            }
            READER => {
                let read = Step::Run(Statement::Read(Where::All));
                let program = vec![read, read, Step::Commit];
                self.setting.programs.push(program.clone());
                self.play.join(program);
                let note = Note::new("joins").with(Arg::Part(lane(THIRD)));
                self.notes[THIRD] = cx.say(note.about(lane(THIRD)).mark(Tone::Learner));
                self.keep_reading(cx);
            }
            AGAIN => {
                if !self.ever {
                    self.shown = 0;
                }
                self.begin(Mode::Order, cx);
            }
            PLAY => {
                self.picked = act.target.checked_sub(1);
                self.begin(Mode::Order, cx);
            }
            _ => {}
        }
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        let open = self.verdict.is_none() && self.mode != Mode::Sweep;
        match act.spec {
            NEXT_1 | NEXT_2 => !open || !self.play.sessions[act.spec - NEXT[0]].is_over(),
            ROLL_BACK => open && !self.play.sessions[0].is_over(),
            READER => open && self.play.sessions.len() == THIRD,
            PLAY => (1..=self.orders.len()).contains(&act.target),
            _ => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        // The next order; dots are numbered from 1.
        match spec {
            PLAY => (self.order + 1) % self.orders.len() + 1,
            _ => 0,
        }
    }

    fn bytes(&self) -> usize {
        8_192
    }

    fn audit(&self) -> Result<(), String> {
        if self.verdicts[Level::Serializable as usize].contains(&Verdict::Wrong) {
            return Err("an order is wrong at serializable".to_owned());
        }
        for row in self.play.db.rows() {
            let refused = row.versions.iter().filter_map(|version| version.by);
            for tx in refused {
                let session = &self.play.sessions[self.play.owner(tx)];
                let gone = matches!(session.phase, Phase::Refused(_) | Phase::RolledBack);
                if gone && session.tx == tx {
                    return Err("a refused transaction has left a version".to_owned());
                }
            }
        }
        if self.crowd.lost > 0 && self.knobs.level.level() == Level::Serializable {
            return Err("the crowd lost money at serializable".to_owned());
        }
        let stands = self.verdict.is_some() != self.play.is_over() && self.mode != Mode::Sweep;
        if stands {
            return Err("a play is over and not judged".to_owned());
        }
        Ok(())
    }
}

const NEXT_1: usize = NEXT[0];
const NEXT_2: usize = NEXT[1];

impl Meeting {
    fn sweep(&mut self) {
        let database = self.knobs.database.database();
        let levels = Level::ALL.iter();
        // The first of all orders has no overlap.
        let first = &self.orders[0];
        self.serial = sum(&self.setting.run(database, Level::ReadCommitted, first));
        self.verdicts = levels
            .map(|level| self.setting.sweep(database, *level))
            .collect();
    }

    /// The third reader goes on by itself.
    fn keep_reading(&mut self, cx: Cx<'_, '_>) {
        if self.play.sessions.len() > THIRD {
            cx.schedule(BETWEEN, Event::Reader(self.turn));
        }
    }
}
