//! The system: users and a front door, instances that are built for requests, a database with connections, and one server instead.

use super::bill::{Meter, SERVER_MONTH, dollars};
use super::probe;
use super::settings::{Connections, Runs, Settings, Spread};
use algorithms::functions::{Functions, Instance, InstanceId, Placement, State};
use engine::random::exponential;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use kit::flow::{Balance, Episode, Key, Leg, Marks, Offer, Pool, Slab, Source};
use std::collections::VecDeque;

pub(super) const USERS: PartId = PartId::one("users");
pub(super) const DOOR: PartId = PartId::one("door");
pub(super) const FUNCTION: PartId = PartId::one("function");
pub(super) const SERVER: PartId = PartId::one("server");
pub(super) const DATABASE: PartId = PartId::one("database");

/// One way along a link, stretched so that it can be seen; it does not count in times of answers.
pub(super) const HOP: Time = Time::ms(100);
/// How long a query takes of the work; what a slow database adds is added to it.
const QUERY: Time = Time::ms(50);
/// A function that runs longer is ended; 15 minutes where it is real.
pub(super) const RUN_MAX: Time = Time::s(60);
/// So many connections a pooler has.
pub(super) const POOL: usize = 20;
/// Requests that the server works on at once, and places in its queue.
pub(super) const SERVER_WORKERS: usize = 10;
pub(super) const SERVER_QUEUE: usize = 100;
/// So many times as long work takes while the database is slow; what a bot sends, a second; who comes at once after silence.
const SLOW: f64 = 15.0;
const BOT: f64 = 200.0;
const AFTER_SILENCE: u32 = 5;
/// What a learner can begin for a while: its words, where it happens, and how long it lasts. Silence is longer than idle
/// instances are kept by default.
const EPISODES: [([&str; 2], PartId, Time); 3] = [
    (["slow", "slow-over"], DATABASE, Time::s(20)),
    (["bot", "bot-over"], USERS, Time::s(10)),
    (["silence", "silence-over"], USERS, Time::s(40)),
];
const SLOWED: usize = 0;
const BOTS: usize = 1;
const SILENT: usize = 2;
/// The first of their actions.
const FIRST_EPISODE: usize = 4;
/// The first visits, alone and then at once, so that the first seconds show one cell and then a peak.
const OPENING: [(Time, u32); 3] = [
    (Time::ms(400), 1),
    (Time::ms(2_200), 1),
    (Time::ms(6_400), 20),
];
/// Users who come by themselves come from here on.
const ALONE: Time = Time::s(3);
/// What is charged in a month is told from so many seconds.
const PACE_S: usize = 10;
/// Answers of this span that took alike are one entry of the figure, which has so many.
pub(super) const GROUP: Time = Time::ms(150);
const ANSWERS: usize = 300;
/// Slower than this is too slow for a challenge.
const QUICK: Time = Time::ms(500);

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    User,
    /// One of those who come at the same moment: the number of that moment.
    Burst(u32),
    Bot,
    Ping,
}

impl Who {
    const ARRIVALS: [Stream; 2] = [Stream::named("arrivals"), Stream::named("bots")];
    const WORK: [Stream; 4] = [
        Stream::named("work-user"),
        Stream::named("work-burst"),
        Stream::named("work-bot"),
        Stream::named("work-ping"),
    ];

    fn work(self) -> Stream {
        Self::WORK[match self {
            Who::User => 0,
            Who::Burst(_) => 1,
            Who::Bot => 2,
            Who::Ping => 3,
        }]
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Warm,
    /// For a new instance, or in the server's queue.
    Waited,
    /// 429, or no place in the server's queue.
    Refused,
    /// 500: no connection, or ended by the clock.
    Failed,
}

/// Who works on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The instance, and its cell.
    Cell(InstanceId, usize),
    Server,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Comes(Leg<()>),
    /// For the instance that is being built.
    Builds(By),
    /// In the server's queue.
    Queued,
    /// For a connection of the pooler.
    Pools(By),
    Works(By),
    /// The answer, from a cell or from the door.
    Leaves(Leg<()>, Option<By>),
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) who: Who,
    pub(super) place: Place,
    pub(super) fate: Fate,
    /// When it was at the door, and when it was given to somebody.
    pub(super) asked: Time,
    pub(super) given: Time,
    /// Its work as a multiple of the mean, if work is random.
    factor: f64,
    /// What is left to do after its query, while it has a connection of the pooler.
    rest: Option<Time>,
    cause: NoteId,
}

/// An instance on the stage; what it does, the function knows.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) id: InstanceId,
    pub(super) built: Time,
    pub(super) ready: Time,
    /// Its connection.
    pub(super) slot: Option<usize>,
    busy_since: Time,
}

/// Answers that came alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) asked: Time,
    pub(super) took: Time,
    pub(super) fate: Fate,
    /// They were asked for at the same moment.
    pub(super) burst: bool,
    pub(super) count: u32,
}

/// Those who came at the same moment, and what became of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Burst {
    pub(super) number: u32,
    pub(super) size: u32,
    pub(super) at: Time,
    /// Since the burst before, or since the beginning.
    pub(super) after: Time,
    pub(super) tally: Tally,
    /// Who found no free instance.
    pub(super) unmet: u32,
    pub(super) pinged: bool,
}

impl Burst {
    pub(super) fn settled(&self, size: u32) -> bool {
        self.size == size && self.tally.all() == size
    }
}

/// Requests by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) warm: u32,
    pub(super) waited: u32,
    pub(super) refused: u32,
    pub(super) failed: u32,
}

impl Tally {
    fn add(&mut self, fate: Fate) {
        *match fate {
            Fate::Warm => &mut self.warm,
            Fate::Waited => &mut self.waited,
            Fate::Refused => &mut self.refused,
            Fate::Failed => &mut self.failed,
        } += 1;
    }

    pub(super) fn all(&self) -> u32 {
        self.warm + self.waited + self.refused + self.failed
    }
}

/// How many instances there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) building: u32,
    pub(super) busy: u32,
    pub(super) frozen: u32,
    /// With a request, being built or busy.
    pub(super) in_use: u32,
    /// Of an older version.
    pub(super) old: u32,
    pub(super) provisioned: u64,
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next user comes, or the next request of the bot, if the source's turn is still this one.
    Arrive(u32),
    Bot(u32),
    Ping(u32),
    /// A request is at the end of its way, its query or its work.
    Due(Key),
    Ready(InstanceId),
    /// Some instance may have been idle for long enough.
    Expire,
    Opening(usize),
    /// What a learner has begun for a while is over.
    Over(usize, u32),
    /// Users begin to come by themselves.
    Begin,
    Tick,
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Cloud {
    pub(super) functions: Functions,
    pub(super) cells: Vec<Option<Cell>>,
    /// Instances up to this one have a cell.
    known: u64,
    /// When the next look at idle instances is due.
    expiry: Time,
    pub(super) requests: Slab<Request>,
    gone: u64,
    users: Source,
    bots: Source,
    pings: u32,
    pub(super) server: Pool,
    pub(super) pooler: Pool,
    episodes: [Episode; 3],
    opening: bool,
    begun: bool,
    pub(super) burst: Burst,
    /// Since somebody last did something.
    pub(super) since: Time,
    pub(super) tally: Tally,
    pub(super) answers: VecDeque<Answer>,
    pub(super) meter: Meter,
    at_since: Meter,
    accrued: Time,
    paces: VecDeque<(Time, Meter)>,
    pub(super) counts: Counts,
    /// When all was last taken back, and what has been slow or gone wrong since.
    pub(super) emptied: Time,
    pub(super) slow_since: u32,
    /// When more than five instances were last in use, and who found no connection well after that.
    over_five: Time,
    pub(super) starved: u32,
    /// Why the last one was refused.
    pub(super) refusal: &'static str,
    refusals: Marks,
    failures: Marks,
    pub(super) knobs: Settings,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

/// The part of a cell.
pub(super) const fn part(place: usize) -> PartId {
    PartId::nth("instance", place as u16 + 1)
}

/// A note about a part.
fn tell(word: &'static str, about: PartId, args: &[Arg]) -> Note {
    let whole = (args.iter()).fold(Note::new(word), |note, arg| note.with(*arg));
    whole.about(about)
}

/// A whole number in a sentence.
pub(super) fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

impl Cloud {
    /// Whether the work takes longer than it should.
    pub(super) fn work_mean(&self) -> Time {
        let times = if self.is_slow() { SLOW } else { 1.0 };
        Time::from_ms(self.knobs.work * times)
    }

    /// Requests a second, as they are meant to come now.
    pub(super) fn rate(&self) -> f64 {
        let users = if self.is_silent() || !self.begun {
            0.0
        } else {
            self.knobs.rate
        };
        users + if self.is_attacked() { BOT } else { 0.0 }
    }

    pub(super) fn is_server(&self) -> bool {
        self.knobs.runs == Runs::Server
    }

    pub(super) fn is_slow(&self) -> bool {
        self.episodes[SLOWED].is_on()
    }

    pub(super) fn is_attacked(&self) -> bool {
        self.episodes[BOTS].is_on()
    }

    pub(super) fn is_silent(&self) -> bool {
        self.episodes[SILENT].is_on()
    }

    /// Connections that the pooler may use.
    pub(super) fn pool(&self) -> usize {
        POOL.min(self.knobs.slots as usize)
    }

    /// Connections of the instances' own.
    pub(super) fn slots_taken(&self) -> Vec<usize> {
        let cells = self.cells.iter().flatten();
        cells.filter_map(|cell| cell.slot).collect()
    }

    /// What has been charged for until now.
    pub(super) fn meter_at(&self, at: Time) -> Meter {
        let kept = self.counts.provisioned * self.knobs.memory_mb() * at.since(self.accrued).0;
        Meter {
            kept: self.meter.kept + kept,
            ..self.meter
        }
    }

    fn accrue(&mut self, now: Time) {
        self.meter = self.meter_at(now);
        self.accrued = now;
    }

    /// What a month costs if all goes on as in the last seconds; none while there are too few.
    pub(super) fn month(&self, at: Time) -> Option<u64> {
        let (from, before) = self.paces.front()?;
        let span = at.since(*from);
        let meter = self.meter_at(at);
        (span >= Time::s(2)).then(|| meter.month(before, span, self.knobs.free))
    }

    /// How far back the pace of the bill looks.
    pub(super) fn pace(&self, at: Time) -> Time {
        self.paces
            .front()
            .map_or(Time::ZERO, |(from, _)| at.since(*from))
    }

    /// The same since somebody last did something.
    pub(super) fn month_since(&self, at: Time) -> u64 {
        let span = at.since(self.since);
        self.meter_at(at)
            .month(&self.at_since, span, self.knobs.free)
    }

    /// So many seconds are known for the pace of the bill.
    pub(super) fn paced(&self, s: u64) -> bool {
        self.pace(self.now) >= Time::s(s)
    }

    fn restart(&mut self, now: Time) {
        self.accrue(now);
        self.since = now;
        self.at_since = self.meter;
        self.tally = Tally::default();
    }

    /// What is charged a month is told from here on.
    fn pace_anew(&mut self, now: Time) {
        self.accrue(now);
        self.paces.clear();
        self.paces.push_back((now, self.meter));
    }

    /// The next of these comes after a gap.
    fn next(&mut self, cx: Cx<'_, '_>) {
        let gap = Source::poisson(self.knobs.rate, cx.random(Who::ARRIVALS[0]));
        let turn = self.users.next(self.knobs.rate, gap, cx.now());
        cx.schedule(gap, Event::Arrive(turn));
    }

    fn next_bot(&mut self, cx: Cx<'_, '_>) {
        let gap = Source::poisson(BOT, cx.random(Who::ARRIVALS[1]));
        let turn = self.bots.next(BOT, gap, cx.now());
        cx.schedule(gap, Event::Bot(turn));
    }

    fn arrive(&mut self, who: Who, cx: Cx<'_, '_>) {
        let factor = exponential(cx.random(who.work()), Time::s(1)).as_s();
        let cause = cx.cause();
        let key = self.requests.insert(Request {
            who,
            place: Place::Comes(Leg::new((), cx.now(), HOP, false)),
            fate: Fate::Warm,
            asked: cx.now(),
            given: cx.now(),
            factor,
            rest: None,
            cause,
        });
        let word = match who {
            Who::User | Who::Burst(_) => "asks",
            Who::Bot => "bot-asks",
            Who::Ping => "pings",
        };
        self.say(key, word, USERS, &[], cx);
        cx.schedule(HOP, Event::Due(key));
    }

    /// So many come at the same moment.
    fn come_at_once(&mut self, size: u32, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        self.burst = Burst {
            number: self.burst.number + 1,
            size,
            at: cx.now(),
            after: self.burst.at,
            tally: Tally::default(),
            unmet: 0,
            pinged: self.knobs.ping > 0,
        };
        for _ in 0..size {
            cx.because(cause);
            self.arrive(Who::Burst(self.burst.number), cx);
        }
    }

    /// A note about a request, in the chain of those that were said of it: its number comes first.
    fn say(&mut self, key: Key, word: &'static str, about: PartId, args: &[Arg], cx: Cx<'_, '_>) {
        let mark = match word {
            "limit" | "growth" | "full" => self.refusals.due(cx.now()),
            "no-slot" | "timed-out" => self.failures.due(cx.now()),
            _ => false,
        };
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        cx.because(request.cause);
        let args = [&[count(key.serial())], args].concat();
        let note = tell(word, about, &args).dot(key.serial());
        request.cause = cx.say(if mark { note.mark(Tone::Bad) } else { note });
    }

    fn put(&mut self, key: Key, place: Place) {
        if let Some(request) = self.requests.get_mut(key) {
            request.place = place;
        }
    }

    fn is(&self, id: InstanceId, what: impl Fn(&Instance) -> bool) -> bool {
        self.functions.instance(id).is_some_and(what)
    }

    /// The cell of an instance.
    fn place_of(&self, id: InstanceId) -> Option<usize> {
        let is = |cell: &Option<Cell>| cell.as_ref().is_some_and(|cell| cell.id == id);
        self.cells.iter().position(is)
    }

    /// Gives cells to instances that have none yet: they are being built.
    fn adopt(&mut self, cx: Cx<'_, '_>) {
        let cold = Time::from_ms(self.knobs.cold);
        let new = self
            .functions
            .instances()
            .filter(|(id, _)| id.0 > self.known);
        for id in new.map(|(id, _)| id).collect::<Vec<_>>() {
            // What is built ahead has been there for a while when the knob says so.
            let ahead = self.is(id, |one| one.provisioned);
            let cold = if ahead { Time::ZERO } else { cold };
            let place = self.cells.iter().position(Option::is_none);
            let place = place.unwrap_or(self.cells.len());
            if place == self.cells.len() {
                self.cells.push(None);
            }
            self.cells[place] = Some(Cell {
                id,
                built: cx.now(),
                ready: cx.now() + cold,
                slot: None,
                busy_since: cx.now(),
            });
            self.known = id.0;
            if ahead {
                let part = part(place);
                cx.say(tell("provisions", part, &[Arg::Part(part)]));
            }
            cx.schedule(cold, Event::Ready(id));
        }
    }

    /// The rules have changed, or something provisioned is missing.
    fn set_rules(&mut self, cx: Cx<'_, '_>) {
        self.accrue(cx.now());
        self.functions.set(cx.now().0, self.knobs.rules());
        self.adopt(cx);
        self.watch_idle(cx);
    }

    /// Ends what has been idle for too long.
    fn sweep(&mut self, cx: Cx<'_, '_>) {
        let (cause, kept) = (cx.cause(), Arg::Span(self.knobs.kept()));
        for id in self.functions.expire(cx.now().0) {
            if let Some(place) = self.place_of(id) {
                self.cells[place] = None;
                cx.because(cause);
                cx.say(tell("gone", part(place), &[Arg::Part(part(place)), kept]));
            }
        }
        while let Some(None) = self.cells.last() {
            self.cells.pop();
        }
        cx.because(cause);
    }

    /// Sees to it that somebody looks when the next idle instance is over.
    fn watch_idle(&mut self, cx: Cx<'_, '_>) {
        let next = self.functions.next_expiry_us().map_or(Time::NEVER, Time);
        if next < self.expiry {
            self.expiry = next;
            cx.schedule(next.since(cx.now()), Event::Expire);
        }
    }

    fn due(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        cx.because(request.cause);
        match request.place {
            Place::Comes(_) => self.reaches(key, cx),
            Place::Works(by) => match request.rest.take() {
                Some(rest) => {
                    self.pooler.release(key, cx.now());
                    cx.schedule(rest, Event::Due(key));
                    self.put(key, Place::Works(by));
                    self.lend(cx);
                }
                None => self.finish(key, by, cx),
            },
            Place::Leaves(..) => {
                self.requests.remove(key);
                self.gone += 1;
            }
            Place::Builds(_) | Place::Queued | Place::Pools(_) => {}
        }
    }

    /// A request is at the door.
    fn reaches(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        if let Some(request) = self.requests.get_mut(key) {
            (request.asked, request.given) = (now, now);
        }
        if self.is_server() {
            match self.server.offer(key, SERVER_WORKERS, SERVER_QUEUE, now) {
                Offer::AtOnce => self.serve(key, cx),
                Offer::Waits(_) => {
                    self.say(key, "queued", SERVER, &[], cx);
                    self.put(key, Place::Queued);
                    if let Some(request) = self.requests.get_mut(key) {
                        request.fate = Fate::Waited;
                    }
                }
                Offer::Full => self.refuse(key, "full", cx),
            }
            return;
        }
        self.sweep(cx);
        let busy = self.counts.in_use;
        match self.functions.place(now.0) {
            Placement::Warm(id) => {
                let Some(place) = self.place_of(id) else {
                    return;
                };
                self.meter.requests += 1;
                let alone = self.is(id, |one| one.requests == 1);
                if let (true, Some(cell)) = (alone, &mut self.cells[place]) {
                    cell.busy_since = now;
                }
                self.say(key, "warm", part(place), &[Arg::Part(part(place))], cx);
                self.work(key, By::Cell(id, place), cx);
            }
            placed @ (Placement::Joined(id) | Placement::Cold(id)) => {
                self.meter.requests += 1;
                self.adopt(cx);
                let Some(place) = self.place_of(id) else {
                    return;
                };
                let joined = matches!(placed, Placement::Joined(_));
                let word = if joined { "joins" } else { "cold" };
                let told = [Arg::Part(part(place)), count(busy)];
                self.say(key, word, part(place), &told, cx);
                if let Some(request) = self.requests.get_mut(key) {
                    request.fate = Fate::Waited;
                    request.place = Place::Builds(By::Cell(id, place));
                    self.burst.unmet += u32::from(request.who == Who::Burst(self.burst.number));
                }
            }
            Placement::Limit => self.refuse(key, "limit", cx),
            Placement::Allowance => self.refuse(key, "growth", cx),
        }
    }

    fn refuse(&mut self, key: Key, word: &'static str, cx: Cx<'_, '_>) {
        let told = match word {
            "full" => count(SERVER_QUEUE),
            _ => count(self.counts.in_use),
        };
        self.refusal = word;
        let about = if word == "full" { SERVER } else { DOOR };
        self.say(key, word, about, &[told, count(self.knobs.limit)], cx);
        self.leave(key, Fate::Refused, None, cx);
    }

    /// The server begins to work on a request.
    fn serve(&mut self, key: Key, cx: Cx<'_, '_>) {
        self.meter.requests += 1;
        self.say(key, "served", SERVER, &[], cx);
        self.work(key, By::Server, cx);
    }

    /// Work on a request begins, with a query if the pooler lends connections.
    fn work(&mut self, key: Key, by: By, cx: Cx<'_, '_>) {
        let (now, mean, all) = (cx.now(), Time::from_ms(self.knobs.work), self.work_mean());
        let pooled = self.knobs.connections == Connections::Pooler && by != By::Server;
        let random = self.knobs.spread == Spread::Exponential;
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        let factor = if random { request.factor } else { 1.0 };
        let times = |span: Time| Time::from_s(span.as_s() * factor);
        let (own, all) = (times(mean), times(all).min(RUN_MAX));
        request.given = now;
        if by == By::Server {
            // What functions would charge for it.
            self.meter.used += self.knobs.memory_mb() * all.0;
        }
        if !pooled {
            request.place = Place::Works(by);
            cx.schedule(all, Event::Due(key));
            return;
        }
        let rest = own.since(QUERY).min(all);
        request.rest = Some(rest);
        request.place = Place::Pools(by);
        if self.pooler.offer(key, self.pool(), usize::MAX, now) == Offer::AtOnce {
            self.query(key, cx);
        } else {
            self.say(key, "pools", DATABASE, &[count(self.pool())], cx);
        }
    }

    /// A request has a connection of the pooler.
    fn query(&mut self, key: Key, cx: Cx<'_, '_>) {
        let all = self.work_mean();
        let mean = Time::from_ms(self.knobs.work);
        if let Some(request) = self.requests.get_mut(key)
            && let Place::Pools(by) = request.place
        {
            request.place = Place::Works(by);
            let span = (all - mean.since(QUERY)).min(RUN_MAX);
            cx.schedule(span, Event::Due(key));
        }
    }

    /// Free connections of the pooler go to who waits for one.
    fn lend(&mut self, cx: Cx<'_, '_>) {
        while let Some(key) = self.pooler.next(self.pool(), false, cx.now()) {
            self.query(key, cx);
        }
    }

    /// The instance's time of work is over: it is charged for.
    fn charge(&mut self, id: InstanceId, from: Time, now: Time) {
        let memory = self.knobs.memory_mb() * now.since(from).0;
        if self.is(id, |one| one.provisioned) {
            self.meter.used_provisioned += memory;
        } else {
            self.meter.used += memory;
        }
    }

    /// A request has been worked on.
    fn finish(&mut self, key: Key, by: By, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(request) = self.requests.get(key) else {
            return;
        };
        let (fate, took) = (request.fate, now.since(request.asked));
        let late = now.since(request.given) >= RUN_MAX;
        let By::Cell(id, place) = by else {
            self.server.release(key, now);
            self.say(key, "server-answers", SERVER, &[Arg::Span(took)], cx);
            self.leave(key, fate, Some(by), cx);
            while let Some(next) = self.server.next(SERVER_WORKERS, false, now) {
                self.serve(next, cx);
            }
            return;
        };
        let told = [Arg::Part(part(place)), Arg::Span(took)];
        let (word, fate) = match fate {
            _ if late => ("timed-out", Fate::Failed),
            Fate::Waited => ("answers-cold", fate),
            _ => ("answers", fate),
        };
        self.say(key, word, part(place), &told, cx);
        self.leave(key, fate, Some(by), cx);
        self.functions.finished(now.0, id);
        let idle = self.is(id, |one| one.requests == 0);
        let from = self.cells.get(place).and_then(Option::as_ref);
        let from = from.map_or(now, |cell| cell.busy_since);
        if idle {
            self.charge(id, from, now);
            self.watch_idle(cx);
        }
    }

    /// An answer, or what there is instead of one, leaves for the user.
    fn leave(&mut self, key: Key, fate: Fate, by: Option<By>, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        let way = if by.is_some() { HOP + HOP } else { HOP };
        request.fate = fate;
        request.place = Place::Leaves(Leg::new((), now, way, false), by);
        cx.schedule(way, Event::Due(key));
        let (who, asked) = (request.who, request.asked);
        if who == Who::Ping {
            return;
        }
        let took = now.since(asked);
        let bad = took > QUICK || matches!(fate, Fate::Refused | Fate::Failed);
        self.slow_since += u32::from(bad && asked >= self.emptied);
        let plotted = match fate {
            Fate::Warm => probe::WARM,
            Fate::Waited => probe::WAITED,
            Fate::Refused => probe::REFUSED,
            Fate::Failed => probe::FAILED,
        };
        cx.sample(plotted, 1.0);
        if asked >= self.since {
            self.tally.add(fate);
        }
        if who == Who::Burst(self.burst.number) {
            self.burst.tally.add(fate);
        }
        let burst = matches!(who, Who::Burst(_));
        let alike = |one: &&mut Answer| {
            let same = (one.fate, one.burst) == (fate, burst);
            same && one.asked.0 / GROUP.0 == asked.0 / GROUP.0 && {
                let apart = one.took.max(took).since(one.took.min(took));
                apart.0 <= took.0 / 16
            }
        };
        if let Some(group) = self.answers.iter_mut().rev().take(8).find(alike) {
            group.count += 1;
            return;
        }
        if self.answers.len() >= ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back(Answer {
            asked,
            took,
            fate,
            burst,
            count: 1,
        });
    }

    /// An instance has been built; without a connection it fails.
    fn ready(&mut self, id: InstanceId, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(place) = self.place_of(id) else {
            return;
        };
        let used = self.slots_taken();
        let slots = self.knobs.slots as usize;
        let slot = (0..slots).find(|slot| !used.contains(slot));
        let own = self.knobs.connections == Connections::Own;
        let provisioned = self.is(id, |one| one.provisioned);
        if let Some(cell) = &mut self.cells[place] {
            let built = cell.built;
            cell.slot = slot.filter(|_| own);
            cell.busy_since = now;
            if !provisioned {
                self.charge(id, built, now);
            }
        }
        let waiting = |request: &Request| request.place == Place::Builds(By::Cell(id, place));
        let waiting = self.requests.iter().filter(|(_, request)| waiting(request));
        let waiting: Vec<Key> = waiting.map(|(key, _)| key).collect();
        if own && slot.is_none() {
            let in_use = self.counts.in_use;
            self.accrue(now);
            self.functions.lose(id);
            self.cells[place] = None;
            if in_use > 5 {
                self.over_five = now;
            }
            let told = [Arg::Part(part(place)), count(slots)];
            cx.say(tell("fails", DATABASE, &told));
            for key in waiting {
                self.say(key, "no-slot", part(place), &told, cx);
                self.starved += u32::from(now.since(self.over_five) >= Time::s(1));
                self.leave(key, Fate::Failed, None, cx);
            }
            return;
        }
        self.functions.started(now.0, id);
        let name = Arg::Part(part(place));
        let cold = Arg::Span(Time::from_ms(self.knobs.cold));
        cx.say(tell("ready", part(place), &[name, cold]));
        if own {
            let told = [name, count(used.len() + 1), count(slots)];
            cx.say(tell("connects", DATABASE, &told));
        }
        for key in waiting {
            self.work(key, By::Cell(id, place), cx);
        }
        self.watch_idle(cx);
    }

    fn deploy(&mut self, cx: Cx<'_, '_>) {
        self.accrue(cx.now());
        self.functions.deploy(cx.now().0);
        let old = self.counts.frozen;
        let told = [count(self.functions.version()), count(old)];
        let said = cx.say(tell("deploy", FUNCTION, &told).mark(Tone::Learner));
        self.adopt(cx);
        cx.because(said);
        self.watch_idle(cx);
    }

    /// All is as at the beginning: whoever is inside goes home, and every instance is taken back.
    fn calm(&mut self, cx: Cx<'_, '_>) {
        let calm = cx.say(tell("calm", FUNCTION, &[]).mark(Tone::Learner));
        for (episode, (word, about, _)) in self.episodes.iter_mut().zip(EPISODES) {
            let number = episode.count();
            if episode.end(number) {
                cx.say(tell("cut-short", about, &[]).ends(word[0], number as u16));
                cx.because(calm);
            }
        }
        self.accrue(cx.now());
        for cell in self.cells.drain(..).flatten() {
            self.functions.lose(cell.id);
        }
        self.server.drop_all(cx.now());
        self.pooler.drop_all(cx.now());
        let all: Vec<Key> = self.requests.iter().map(|(key, _)| key).collect();
        for key in all {
            self.requests.remove(key);
            self.gone += 1;
        }
        self.counts = Counts::default();
        // Another allowance and this one again: it begins anew.
        let mut other = self.knobs.rules();
        (other.allowance.burst, other.provisioned) = (0, 0);
        self.functions.set(cx.now().0, other);
        self.set_rules(cx);
        self.pace_anew(cx.now());
        cx.because(calm);
        self.answers.clear();
        self.burst = Burst {
            number: self.burst.number + 1,
            ..Burst::default()
        };
        (self.emptied, self.slow_since, self.starved) = (cx.now(), 0, 0);
    }

    fn ping(&mut self, cx: Cx<'_, '_>) {
        for _ in 0..self.knobs.pings {
            cx.because(NoteId::NONE);
            self.arrive(Who::Ping, cx);
        }
        cx.because(NoteId::NONE);
        let every = Time::s(u64::from(self.knobs.ping));
        cx.schedule(every, Event::Ping(self.pings));
    }

    /// What is measured after whatever happens.
    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let version = self.functions.version();
        let mut counts = Counts::default();
        for (_, one) in self.functions.instances() {
            *match one.state() {
                State::Starting => &mut counts.building,
                State::Busy => &mut counts.busy,
                State::Idle { .. } => &mut counts.frozen,
            } += 1;
            counts.in_use += u32::from(one.requests > 0);
            counts.old += u32::from(one.version != version);
            counts.provisioned += u64::from(one.provisioned);
        }
        if counts.in_use > 5 {
            self.over_five = self.now;
        }
        let busy = counts.busy + self.server.held.len() as u32;
        cx.sample(probe::BUILDING, f64::from(counts.building));
        cx.sample(probe::BUSY, f64::from(busy));
        cx.sample(probe::FROZEN, f64::from(counts.frozen));
        self.counts = counts;
    }
}

impl Model for Cloud {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Cloud {
        let now = cx.now();
        let mut cloud = Cloud {
            functions: Functions::new(now.0, knobs.rules()),
            cells: Vec::new(),
            known: 0,
            expiry: Time::NEVER,
            requests: Slab::default(),
            gone: 0,
            users: Source::default(),
            bots: Source::default(),
            pings: 0,
            server: Pool::default(),
            pooler: Pool::default(),
            episodes: Default::default(),
            opening: true,
            begun: false,
            burst: Burst::default(),
            since: now,
            tally: Tally::default(),
            answers: VecDeque::new(),
            meter: Meter::default(),
            at_since: Meter::default(),
            accrued: now,
            paces: VecDeque::from([(now, Meter::default())]),
            counts: Counts::default(),
            emptied: now,
            slow_since: 0,
            over_five: now,
            starved: 0,
            refusal: "",
            refusals: Marks::default(),
            failures: Marks::default(),
            knobs: knobs.clone(),
            now,
        };
        for (part, word) in [
            (USERS, "want"),
            (DOOR, "guards"),
            (DATABASE, "holds"),
            (SERVER, "stands"),
            (FUNCTION, "sleeps"),
        ] {
            cx.because(NoteId::NONE);
            cx.say(Note::new(word).about(part));
        }
        cx.because(NoteId::NONE);
        cloud.adopt(cx);
        cx.because(NoteId::NONE);
        for (i, (at, _)) in OPENING.into_iter().enumerate() {
            cx.schedule(at, Event::Opening(i));
        }
        cx.schedule(ALONE, Event::Begin);
        if knobs.ping > 0 {
            cx.schedule(Time::ms(u64::from(knobs.ping) * 500), Event::Ping(0));
        }
        cx.schedule(Time::s(1), Event::Tick);
        cx.sample(probe::LIMIT, f64::from(knobs.limit));
        cx.sample(probe::SERVER, dollars(SERVER_MONTH));
        cloud.look(cx);
        cloud
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Arrive(turn) if self.users.is_due(turn) => {
                cx.because(NoteId::NONE);
                if !self.episodes[SILENT].is_on() {
                    self.arrive(Who::User, cx);
                }
                cx.because(NoteId::NONE);
                self.next(cx);
            }
            Event::Bot(turn) if self.bots.is_due(turn) && self.episodes[BOTS].is_on() => {
                let cause = cx.cause();
                self.arrive(Who::Bot, cx);
                cx.because(cause);
                self.next_bot(cx);
            }
            Event::Ping(turn) if turn == self.pings && self.knobs.ping > 0 => self.ping(cx),
            Event::Arrive(_) | Event::Bot(_) | Event::Ping(_) => {}
            Event::Due(key) => self.due(key, cx),
            Event::Ready(id) => self.ready(id, cx),
            Event::Expire => {
                self.expiry = Time::NEVER;
                cx.because(NoteId::NONE);
                self.sweep(cx);
                cx.because(NoteId::NONE);
                self.watch_idle(cx);
            }
            Event::Opening(i) => {
                if self.opening {
                    cx.because(NoteId::NONE);
                    let size = OPENING[i].1;
                    let word = if size == 1 { "one-comes" } else { "some-come" };
                    cx.say(tell(word, USERS, &[count(size)]).mark(Tone::Plain));
                    self.come_at_once(size, cx);
                }
            }
            Event::Over(which, number) => {
                if self.episodes[which].end(number) {
                    let (word, about, _) = EPISODES[which];
                    let note = tell(word[1], about, &[count(AFTER_SILENCE)]);
                    cx.say(note.mark(Tone::Ok).ends(word[0], number as u16));
                    if which == SILENT {
                        self.come_at_once(AFTER_SILENCE, cx);
                    }
                }
            }
            Event::Begin => {
                self.begun = true;
                self.next(cx);
            }
            Event::Tick => {
                self.accrue(cx.now());
                cx.because(NoteId::NONE);
                // Provisioned instances that found no connection are built again.
                if self.counts.provisioned < self.knobs.rules().provisioned as u64 {
                    self.set_rules(cx);
                    cx.because(NoteId::NONE);
                }
                if let Some(month) = self.month(cx.now()) {
                    cx.sample(probe::MONTH, dollars(month));
                }
                self.paces.push_back((cx.now(), self.meter));
                if self.paces.len() > PACE_S + 1 {
                    self.paces.pop_front();
                }
                cx.schedule(Time::s(1), Event::Tick);
            }
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.accrue(cx.now());
        let cause = cx.cause();
        let old = std::mem::replace(&mut self.knobs, knobs.clone());
        if old.rate != knobs.rate {
            self.opening = false;
        }
        if self.begun
            && let Some((gap, turn)) = self.users.turn(knobs.rate, cx.now())
        {
            cx.schedule(gap, Event::Arrive(turn));
        }
        if (old.ping, old.pings) != (knobs.ping, knobs.pings) {
            self.pings += 1;
            // Half a period ahead, so that no ping falls on the moment of an action.
            let first = Time::ms(u64::from(knobs.ping) * 500);
            cx.schedule(first, Event::Ping(self.pings));
        }
        if old.connections != knobs.connections {
            self.deploy(cx);
            cx.because(cause);
        }
        self.set_rules(cx);
        self.lend(cx);
        self.restart(cx.now());
        self.pace_anew(cx.now());
        // What has been quick was so under other rules.
        self.slow_since += 1;
        cx.sample(probe::LIMIT, f64::from(knobs.limit));
        cx.empty_windows();
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        let begun = act.spec.checked_sub(FIRST_EPISODE);
        let begun = begun.and_then(|which| self.episodes.get(which));
        begun.is_none_or(|episode| !episode.is_on())
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        self.opening = false;
        match act.spec {
            0..=2 => {
                let (word, size) = [("click", 1), ("at-once", 20), ("at-once", 60)][act.spec];
                let note = tell(word, USERS, &[count(size)]);
                cx.say(note.mark(Tone::Learner));
                self.come_at_once(size, cx);
            }
            3 => self.deploy(cx),
            4..=6 => {
                let which = act.spec - FIRST_EPISODE;
                let (word, about, span) = EPISODES[which];
                let number = self.episodes[which].begin(cx.now() + span);
                let note = tell(word[0], about, &[Arg::Span(span)]);
                cx.say(note.mark(Tone::Learner).begins(word[0], number as u16));
                cx.schedule(span, Event::Over(which, number));
                if which == BOTS {
                    self.next_bot(cx);
                }
            }
            _ => self.calm(cx),
        }
        self.restart(cx.now());
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        self.requests.bytes()
    }

    /// Every request is with whom it says; instances and cells are the same; no more connections than there are.
    fn audit(&self) -> Result<(), String> {
        let mut balance = Balance::default();
        let by_server = self.server.held.iter().chain(&self.server.queue);
        balance.claim("the server", by_server.copied());
        let pooled = self.pooler.held.iter().chain(&self.pooler.queue);
        balance.claim("the pooler", pooled.copied());
        balance.check(&self.requests, self.gone, |_, request| {
            match request.place {
                Place::Queued | Place::Works(By::Server) => Some("the server"),
                Place::Pools(_) => Some("the pooler"),
                Place::Works(_) if request.rest.is_some() => Some("the pooler"),
                _ => None,
            }
        })?;
        let mut held = vec![0; self.cells.len()];
        for (_, request) in self.requests.iter() {
            if let Place::Builds(By::Cell(_, place))
            | Place::Pools(By::Cell(_, place))
            | Place::Works(By::Cell(_, place)) = request.place
            {
                held[place] += 1;
            }
        }
        let mut known = 0;
        for (place, cell) in self.cells.iter().enumerate() {
            let one = cell.as_ref().map(|cell| self.functions.instance(cell.id));
            match one {
                None if held[place] == 0 => {}
                Some(Some(one)) if one.requests == held[place] => {
                    known += 1;
                    let built = cell.as_ref().is_some_and(|cell| cell.ready > cell.built);
                    if built && !one.started && one.requests == 0 {
                        return Err(format!("cell {place} is built for nobody"));
                    }
                }
                _ => return Err(format!("cell {place} has {}: {cell:?}", held[place])),
            }
        }
        if known != self.functions.instances().count() {
            return Err(format!("{known} cells"));
        }
        let mut slots = self.slots_taken();
        slots.sort_unstable();
        if slots.windows(2).any(|two| two[0] == two[1]) {
            return Err("two instances share a connection".to_owned());
        }
        Ok(())
    }
}
