//! The system: creators whose links get codes at servers, where the codes come from, and the database that keeps them.

use super::probe;
use super::settings::{Rule, Settings, Way};
use super::visits::Visits;
use super::web;
use algorithms::base62::{DIGITS_LOWER_UPPER, encode, scatter};
use algorithms::counters::{Range, ReplicatedCounter, Stride, TokenService};
use algorithms::short_code::{self, Insert, Table, Written};
use algorithms::snowflake::{Snowflake, TWITTER_EPOCH_MS};
use engine::random::{below, unit};
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone, Typed};
use kit::flow::{Balance, Change, Key, Leg, Marks, Recently, Roster, Slab, Source};
use std::collections::VecDeque;

pub(super) const CREATORS: PartId = PartId::one("creators");
pub(super) const VISITORS: PartId = PartId::one("visitors");
pub(super) const SOURCE: PartId = PartId::one("source");
pub(super) const DATABASE: PartId = PartId::one("database");
pub(super) const MAP: PartId = PartId::one("map");
pub(super) const CODES: PartId = PartId::one("codes");
pub(super) const CAPACITY: PartId = PartId::one("capacity");

pub(super) const fn server(i: usize) -> PartId {
    PartId::nth("server", i as u16 + 1)
}

/// One way along one link: 10 ms, drawn twenty times as long.
pub(super) const HOP: Time = Time::ms(200);
/// How long a server that crashed is away, and how long nobody counts before the replica takes over.
const AWAY: Time = Time::s(4);
const TAKES_OVER: Time = Time::s(2);
/// So much a clock is set back.
const SET_BACK: Time = Time::s(5);
/// After so many codes that are taken a server gives up.
const ATTEMPTS: u32 = 12;
/// The table keeps so many links; then the oldest expire.
const ROWS: usize = 20_000;
/// So many codes are looked up around one, half of them below it.
pub(super) const GUESSES: u64 = 20;
const GUESS_GAP: Time = Time::ms(60);
/// Somebody who got a code that was overwritten tries it after so long.
const TRIES_AFTER: Time = Time::ms(600);
/// Simulated time zero, ms since 1970: the first of January 2026.
const EPOCH_MS: u64 = 1_767_225_600_000;
/// Ratios are of so long.
pub(super) const LATELY: Time = Time::s(5);
/// Links from here on are of another site: pairs that are known to meet.
const PAIRS: u32 = 1 << 30;
/// The first two links `https://example.net/{i}` whose codes of 2, 3, … 8 characters are the same.
const MEET_HEX: [(u32, u32); 7] = [
    (22, 23),
    (64, 87),
    (292, 338),
    (427, 611),
    (2_958, 5_798),
    (3_490, 22_711),
    (17_754, 47_890),
];
const MEET_62: [(u32, u32); 7] = [
    (23, 40),
    (0, 144),
    (4_438, 4_616),
    (10_288, 29_088),
    (208_118, 290_110),
    (260_307, 2_721_445),
    (7_180_240, 7_984_041),
];

/// The action that chooses a code, as a number of the sheet.
const ALIAS: usize = 8;
/// Links that a learner typed are numbered from here on, and there are at most so many.
const OWN_FROM: u32 = 1 << 29;
const OWN_MAX: usize = 64;

const ARRIVALS: Stream = Stream::named("arrivals");
const LINKS: Stream = Stream::named("links");
const DRAWN: Stream = Stream::named("codes");

/// What is on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    /// A link that is to get a code.
    Link,
    /// A server asks for a range, or gets it.
    Range(Option<Range>),
    /// A visitor follows a code.
    Visit,
    /// Somebody tries a code at random.
    Guess,
}

/// Where it stands in its course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    ToServer,
    Ask,
    Told,
    Look,
    Looked,
    Write,
    Written,
    Home,
    /// Waits for the source, or at its server for a number.
    Queued,
}

/// A link between two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    Door,
    Source,
    Store,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) what: What,
    pub(super) link: u32,
    pub(super) server: usize,
    /// Which of the server's lives began it.
    life: u32,
    attempt: u32,
    pub(super) code: u64,
    pub(super) step: Step,
    pub(super) leg: Leg<Hop>,
    /// Counted as stored or refused.
    settled: bool,
    /// Its code was chosen by who sent it, who will have no other.
    chosen: bool,
    pub(super) failed: bool,
    /// What stood under the code that it looked at.
    found: Option<u32>,
    cause: NoteId,
}

/// One server, apart from whether it is up.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) range: Range,
    asked: bool,
    /// Links that wait for a number.
    pub(super) waiting: VecDeque<Key>,
    snowflake: Snowflake,
    /// How far its clock is behind, ms, and until when it waits.
    behind_ms: u64,
    pub(super) waits_until: Option<Time>,
    pub(super) back_at: Option<Time>,
    /// It has looked for the code of one of the pair, and found it free.
    pub(super) saw_free: bool,
    cause: NoteId,
}

/// A square of the map: all codes with the same last two characters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Square {
    pub(super) codes: u32,
    pub(super) owner: u8,
    pub(super) bad: bool,
    pub(super) fresh: Time,
}

/// Two links that got the same code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clash {
    pub(super) code: u64,
    pub(super) first: u32,
    pub(super) second: u32,
}

/// A line of the list of last codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) code: u64,
    pub(super) link: u32,
    pub(super) server: usize,
}

/// What was counted since the table was empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) asked: u32,
    pub(super) stored: u32,
    /// The same link under its own code once more.
    pub(super) same: u32,
    pub(super) overwritten: u32,
    pub(super) refused: u32,
    pub(super) retries: u32,
    pub(super) questions: u32,
    pub(super) expired: u32,
    /// Clashes, and the number of links stored when the first was found.
    pub(super) clashes: u32,
    pub(super) first_clash: u32,
    /// Numbers used, wasted, and given out although they had been before.
    pub(super) used: u64,
    pub(super) wasted: u64,
    pub(super) again: u32,
    /// What the replica had not heard of, and numbers given out since it took over.
    pub(super) forgotten: u64,
    pub(super) since_failover: u32,
    pub(super) failovers: u32,
    /// Visitors who asked for an overwritten link by its own code.
    pub(super) misled: u32,
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next link, if the source's turn is still this one.
    Next(u32),
    /// A job is at the end of its way.
    Due(Key),
    /// A server is back.
    Back(usize, u32, u32),
    /// The replica takes over, if nothing began anew since.
    Promote(u32),
    /// A server's clock may be where it was.
    Clock(usize),
    /// So many guesses are left around this code.
    Guess(u64, u64, u32),
    /// Somebody follows a code that was overwritten.
    Try(u32, u64, u32),
    /// Visitors come.
    Visits,
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Shortener {
    pub(super) jobs: Slab<Job>,
    /// What a learner typed to be shortened, and the link that was typed last.
    own: Vec<Typed>,
    latest: Option<u32>,
    gone: u64,
    pub(super) servers: Roster<Worker>,
    turn: usize,
    source: Source,
    pub(super) table: Table<u32>,
    /// Codes by age, the oldest first.
    order: VecDeque<u64>,
    pub(super) squares: Box<[Square]>,
    pub(super) counter: ReplicatedCounter,
    /// Nobody counts until the replica takes over.
    pub(super) down_until: Option<Time>,
    /// Who waits for the counter.
    pub(super) queue: VecDeque<Key>,
    pub(super) strides: Vec<Stride>,
    pub(super) tokens: TokenService,
    /// Which numbers of counters have been given out, a bit each.
    given: Vec<u64>,
    pub(super) wasted: Vec<Range>,
    pub(super) clashes: VecDeque<Clash>,
    pub(super) last: VecDeque<Entry>,
    pub(super) count: Tally,
    pub(super) lately: Recently<3>,
    /// The two links of the same code: what became of them, by the options of the story's question.
    pair: Option<[u32; 2]>,
    pub(super) pair_ended: Option<usize>,
    forced: Option<u64>,
    /// Whose visitor came to which other link.
    pub(super) misled: Option<(u32, u32)>,
    /// The code around which was guessed, guesses answered, and hits.
    pub(super) scan: Option<(u64, u32, u32)>,
    pub(super) visits: Visits,
    /// Counts how often all began anew.
    life: u32,
    marks: Marks,
    pub(super) knobs: Settings,
    source_cause: NoteId,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

/// The address that a link of nobody's stands for.
fn address(link: u32) -> String {
    match link.checked_sub(PAIRS) {
        Some(i) => format!("example.net/{i}"),
        None => format!("example.com/{link}"),
    }
}

impl Shortener {
    /// What a learner typed for a link.
    fn own(&self, link: u32) -> Option<Typed> {
        let at = link.checked_sub(OWN_FROM)? as usize;
        self.own.get(at).copied().filter(|_| link < PAIRS)
    }

    /// The address that a link stands for, without its scheme.
    pub(super) fn address(&self, link: u32) -> String {
        match self.own(link) {
            Some(own) => {
                let text = own.text();
                text.split_once("://")
                    .map_or(text, |(_, rest)| rest)
                    .to_owned()
            }
            None => address(link),
        }
    }

    /// All of it, as it is hashed.
    fn url(&self, link: u32) -> String {
        let own = self.own(link).and_then(|own| web::address(own.text()));
        own.unwrap_or_else(|| format!("https://{}", address(link)))
    }

    /// By what notes speak of a link: its number, or what was typed.
    fn named(&self, link: u32) -> Arg {
        self.own(link).map_or(count(link % PAIRS), Arg::Typed)
    }

    /// Characters of a code.
    fn length(&self) -> usize {
        match self.knobs.way {
            Way::Snowflake => 1,
            _ => self.knobs.length as usize,
        }
    }

    /// How a code is written.
    pub(super) fn text(&self, code: u64) -> String {
        encode(
            code,
            self.knobs.way.base(),
            self.length(),
            &DIGITS_LOWER_UPPER,
        )
    }

    /// Squares along a side of the map.
    pub(super) fn side(&self) -> u64 {
        self.knobs.way.base()
    }

    /// How many codes a square stands for.
    pub(super) fn codes_a_square(&self) -> u64 {
        self.knobs.space() / (self.side() * self.side())
    }

    fn square(&mut self, code: u64) -> Option<&mut Square> {
        let all = self.side() * self.side();
        self.squares.get_mut((code % all) as usize)
    }

    /// Links that came in and have no outcome yet.
    pub(super) fn open(&self) -> usize {
        let open = |(_, job): &(Key, &Job)| job.what == What::Link && !job.settled;
        self.jobs.iter().filter(open).count()
    }

    fn next(&mut self, cx: Cx<'_, '_>) {
        let load = f64::from(self.knobs.load);
        let gap = Source::poisson(load, cx.random(ARRIVALS));
        let turn = self.source.next(load, gap, cx.now());
        cx.schedule(gap, Event::Next(turn));
    }

    /// The next server that is up, in turn.
    fn pick(&mut self) -> Option<usize> {
        let all = self.servers.len();
        let up = |i: &usize| self.servers.get(*i).is_some_and(|one| one.takes());
        let next = (self.turn..self.turn + all)
            .map(|i| i % all.max(1))
            .find(up)?;
        self.turn = next + 1;
        Some(next)
    }

    /// The server that a visitor comes to, if need be the next that is up. Visitors do not take turns with creators, so that twins'
    /// links meet the same servers.
    fn door(&self, visitor: usize) -> Option<usize> {
        let all = self.servers.len().max(1);
        let mut doors = (visitor..visitor + all).map(|i| i % all);
        doors.find(|i| self.life_of(*i).is_some())
    }

    pub(super) fn life_of(&self, i: usize) -> Option<u32> {
        let one = self.servers.get(i)?;
        one.down.is_none().then(|| one.life())
    }

    /// Something sets out.
    fn send(&mut self, what: What, link: u32, code: u64, i: usize, cx: Cx<'_, '_>) -> Key {
        let key = self.jobs.insert(Job {
            what,
            link,
            server: i,
            life: self.life_of(i).unwrap_or(0),
            attempt: 0,
            code,
            step: Step::ToServer,
            leg: Leg::new(Hop::Door, cx.now(), HOP, false),
            settled: what != What::Link,
            chosen: false,
            failed: false,
            found: None,
            cause: cx.cause(),
        });
        if let What::Range(_) = what {
            self.go(key, Step::Ask, cx);
        } else {
            cx.schedule(HOP, Event::Due(key));
        }
        key
    }

    fn create(&mut self, link: u32, cx: Cx<'_, '_>) {
        let note = Note::new("comes").with(self.named(link));
        self.create_as(link, None, note, cx);
    }

    /// A link comes that is to get this code, or any.
    fn create_as(&mut self, link: u32, code: Option<u64>, note: Note, cx: Cx<'_, '_>) {
        self.count.asked += 1;
        self.lately.add(0, cx.now());
        cx.say(note.about(CREATORS).dot(self.jobs.born() + 1));
        match self.pick() {
            Some(i) => {
                let key = self.send(What::Link, link, code.unwrap_or(0), i, cx);
                if let Some(job) = self.jobs.get_mut(key) {
                    job.chosen = code.is_some();
                }
            }
            None => {
                self.count.refused += 1;
                cx.say(
                    Note::new("no-server")
                        .with(self.named(link))
                        .about(CREATORS),
                );
            }
        }
    }

    /// The next leg of a job's course begins.
    fn go(&mut self, key: Key, step: Step, cx: Cx<'_, '_>) {
        let (hop, back) = match step {
            Step::ToServer => (Hop::Door, false),
            Step::Home => (Hop::Door, true),
            Step::Ask => (Hop::Source, false),
            Step::Told => (Hop::Source, true),
            Step::Look | Step::Write => (Hop::Store, false),
            Step::Looked | Step::Written => (Hop::Store, true),
            Step::Queued => return,
        };
        if let Some(job) = self.jobs.get_mut(key) {
            job.step = step;
            job.leg = Leg::new(hop, cx.now(), HOP, back);
            cx.schedule(HOP, Event::Due(key));
        }
    }

    /// A note about a job, in the chain of those that were said of it.
    fn say(&mut self, key: Key, note: Note, cx: Cx<'_, '_>) {
        if let Some(job) = self.jobs.get_mut(key) {
            cx.because(job.cause);
            job.cause = cx.say(note.dot(key.serial()));
        }
    }

    /// A note of something bad, marked on the tape once a second.
    fn bad(&mut self, note: Note, now: Time) -> Note {
        if self.marks.due(now) {
            note.mark(Tone::Bad)
        } else {
            note
        }
    }

    fn fail(&mut self, key: Key, note: Note, cx: Cx<'_, '_>) {
        self.say(key, note, cx);
        self.turn_away(key, cx);
    }

    /// A link goes home without a code.
    fn turn_away(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        job.failed = true;
        if !job.settled {
            job.settled = true;
            self.count.refused += 1;
        }
        self.go(key, Step::Home, cx);
    }

    /// A job is at the end of its way.
    fn due(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        cx.because(job.cause);
        let (what, i, step) = (job.what, job.server, job.step);
        let at_server = matches!(
            step,
            Step::ToServer | Step::Told | Step::Looked | Step::Written
        );
        if at_server && self.life_of(i) != Some(job.life) {
            if let What::Range(range) = what {
                self.waste(i, range.unwrap_or_default(), cx);
                return self.let_go(key);
            }
            let note = Note::new("died-with").with(self.named(job.link));
            return self.fail(key, note.with(Arg::Part(server(i))).about(server(i)), cx);
        }
        match (step, what) {
            (Step::ToServer, What::Link) => self.get_code(key, cx),
            (Step::ToServer, _) => {
                let code = job.code;
                let cached = what == What::Visit && self.visits.has(code);
                if cached && let Some(job) = self.jobs.get_mut(key) {
                    job.found = self.table.get(code);
                }
                self.go(key, if cached { Step::Home } else { Step::Look }, cx);
            }
            (Step::Ask, _) => self.asked(key, cx),
            (Step::Told, What::Range(range)) => {
                if let Some(worker) = self.servers.get_mut(i) {
                    worker.own.range = range.unwrap_or_default();
                    worker.own.asked = false;
                    worker.own.cause = cx.cause();
                }
                self.let_go(key);
                self.serve(i, cx);
            }
            (Step::Told, _) => self.put(key, cx),
            (Step::Look, _) => {
                let found = self.table.get(self.jobs.get(key).map_or(0, |job| job.code));
                if let Some(job) = self.jobs.get_mut(key) {
                    job.found = found;
                    job.failed = what == What::Guess && found.is_none();
                }
                self.go(key, Step::Looked, cx);
            }
            (Step::Looked, What::Link) => self.looked(key, cx),
            (Step::Looked, _) => self.go(key, Step::Home, cx),
            (Step::Write, _) => self.write(key, cx),
            (Step::Written, _) => {
                if self.jobs.get(key).is_some_and(|job| job.failed) {
                    self.retry(key, cx);
                } else {
                    self.go(key, Step::Home, cx);
                }
            }
            (Step::Home, _) => self.home(key, cx),
            (Step::Queued, _) => {}
        }
    }

    fn let_go(&mut self, key: Key) {
        self.gone += u64::from(self.jobs.forget(key));
    }

    /// A link at its server gets a code, or asks for one.
    fn get_code(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        let (i, link, attempt) = (job.server, job.link, job.attempt);
        if job.chosen {
            return self.put(key, cx);
        }
        let code = match self.knobs.way {
            Way::Random => {
                let space = self.knobs.space();
                let drawn = (unit(cx.random(DRAWN)) * space as f64) as u64 % space;
                match self.pair {
                    // Both of the pair draw the same, which chance would do once in a long while.
                    Some(pair) if pair.contains(&link) && attempt == 0 => {
                        self.forced.take().unwrap_or_else(|| {
                            self.forced = Some(drawn);
                            drawn
                        })
                    }
                    _ => drawn,
                }
            }
            Way::Hex | Way::Base62 => {
                let text = short_code::attempt(&self.url(link), attempt);
                match self.knobs.way {
                    Way::Hex => short_code::hex_digits(&text, self.knobs.length),
                    _ => short_code::modulo_62(&text, self.knobs.length),
                }
            }
            Way::Counter | Way::Stride => {
                self.question(cx);
                return self.go(key, Step::Ask, cx);
            }
            Way::Ranges | Way::Snowflake => {
                if let (Some(worker), Some(job)) = (self.servers.get_mut(i), self.jobs.get_mut(key))
                {
                    job.step = Step::Queued;
                    worker.own.waiting.push_back(key);
                }
                return self.serve(i, cx);
            }
        };
        if let Some(job) = self.jobs.get_mut(key) {
            job.code = code;
        }
        let note = Note::new("gets-code").with(self.named(link));
        self.say(key, note.about(server(i)), cx);
        self.put(key, cx);
    }

    fn question(&mut self, cx: Cx<'_, '_>) {
        self.count.questions += 1;
        self.lately.add(1, cx.now());
    }

    /// A server gives numbers of its own to links that wait for them.
    fn serve(&mut self, i: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        while let Some(worker) = self.servers.get_mut(i) {
            let own = &mut worker.own;
            let Some(key) = own.waiting.front().copied() else {
                return;
            };
            let number = match self.knobs.way {
                Way::Snowflake => {
                    let clock_ms = EPOCH_MS + now.0 / 1_000 - own.behind_ms;
                    match own.snowflake.next(clock_ms) {
                        Ok(number) => {
                            own.waits_until = None;
                            number
                        }
                        Err(until_ms) => {
                            let wait = Time::ms(until_ms - clock_ms);
                            if own.waits_until.is_none() {
                                own.waits_until = Some(now + wait);
                                cx.because(own.cause);
                                cx.schedule(wait, Event::Clock(i));
                                let note = Note::new("clock-waits").with(Arg::Part(server(i)));
                                cx.say(note.with(Arg::Span(wait)).about(server(i)));
                            }
                            return;
                        }
                    }
                }
                _ => match own.range.take() {
                    Some(number) => number,
                    None => {
                        if !std::mem::replace(&mut own.asked, true) {
                            self.question(cx);
                            let note = Note::new("asks-range").with(Arg::Part(server(i)));
                            cx.say(note.about(server(i)));
                            self.send(What::Range(None), 0, 0, i, cx);
                        }
                        return;
                    }
                },
            };
            own.waiting.pop_front();
            self.numbered(key, number, cx);
            let note = Note::new("counts").with(Arg::Part(server(i)));
            let note = note.with(self.named(self.jobs.get(key).map_or(0, |job| job.link)));
            self.say(key, note.about(server(i)), cx);
            self.put(key, cx);
        }
    }

    /// A link has this number, which makes its code.
    fn numbered(&mut self, key: Key, number: u64, cx: Cx<'_, '_>) {
        self.count.used += 1;
        let again = match self.knobs.way {
            Way::Counter | Way::Stride => {
                let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
                if self.given.len() <= word {
                    self.given.resize(word + 1, 0);
                }
                let again = self.given[word] & bit > 0;
                self.given[word] |= bit;
                again
            }
            _ => false,
        };
        let space = self.knobs.space();
        if let Some(job) = self.jobs.get_mut(key) {
            job.code = match self.knobs.way {
                Way::Snowflake => number,
                _ if self.knobs.scatter && number < space => scatter(number, space),
                _ => number,
            };
            let link = job.link;
            if again {
                self.count.again += 1;
                let link = self.named(link);
                cx.because(self.source_cause);
                let note = Note::new("again").with(link).about(SOURCE);
                let note = self.bad(note, cx.now());
                self.source_cause = cx.say(note.dot(key.serial()));
            }
        }
    }

    // region: source
    /// A question reaches the source.
    fn asked(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        let now_us = cx.now().0;
        let (link, i) = (job.link, job.server);
        match self.knobs.way {
            Way::Counter if self.down_until.is_some() => {
                job.step = Step::Queued;
                self.queue.push_back(key);
                let note = Note::new("waits-source").with(self.named(link));
                return self.say(key, note.about(SOURCE), cx);
            }
            Way::Counter => {
                let lag_us = Time::from_ms(self.knobs.lag).0;
                let number = self.counter.increment(now_us, lag_us);
                self.count.since_failover += 1;
                self.numbered(key, number, cx);
                self.say(
                    key,
                    Note::new("increments").with(self.named(link)).about(SOURCE),
                    cx,
                );
            }
            Way::Stride => {
                let turn = self.turn_of(link);
                let number = self.strides[turn].take();
                self.numbered(key, number, cx);
                let note = Note::new("takes-turn").with(count(turn + 1));
                self.say(key, note.with(self.named(link)).about(SOURCE), cx);
            }
            _ => {
                let range = self.tokens.hand_out(self.knobs.size as u64);
                job.what = What::Range(Some(range));
                let note = Note::new("hands-out").with(Arg::Part(server(i)));
                let note = note.with(count(range.left())).about(SOURCE);
                self.say(key, note, cx);
                self.source_cause = cx.cause();
            }
        }
        self.go(key, Step::Told, cx);
    }
    // endregion

    fn turn_of(&self, link: u32) -> usize {
        link as usize % self.strides.len().max(1)
    }

    /// A link has a code: it is looked for, or written at once.
    fn put(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        if job.code >= self.knobs.space() {
            let note = Note::new("used-up")
                .with(self.named(job.link))
                .about(SOURCE);
            return self.fail(key, note, cx);
        }
        if self.knobs.insert == Rule::CheckFirst {
            self.lately.add(2, cx.now());
            return self.go(key, Step::Look, cx);
        }
        self.go(key, Step::Write, cx);
    }

    // region: check
    /// A server has looked whether its code is free. What happens before it writes it does not see.
    fn looked(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        match job.found {
            Some(there) if there != job.link => self.taken(key, there, "sees-taken", cx),
            _ => {
                let (link, i) = (job.link, job.server);
                if self.pair.is_some_and(|pair| pair.contains(&link))
                    && let Some(one) = self.servers.get_mut(i)
                {
                    one.own.saw_free = true;
                }
                let note = Note::new("sees-free").with(self.named(link));
                self.say(key, note.about(server(i)), cx);
                self.go(key, Step::Write, cx);
            }
        }
    }
    // endregion

    /// A code turns out to be another link's.
    fn taken(&mut self, key: Key, there: u32, word: &'static str, cx: Cx<'_, '_>) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        let (link, code, step, i) = (job.link, job.code, job.step, job.server);
        if job.chosen {
            let part = if step == Step::Looked {
                server(i)
            } else {
                DATABASE
            };
            let note = Note::new("alias-taken").with(self.named(link));
            let note = note.with(self.named(there)).about(part).mark(Tone::Bad);
            if step == Step::Looked {
                return self.fail(key, note, cx);
            }
            self.say(key, note, cx);
            if let Some(job) = self.jobs.get_mut(key) {
                job.failed = true;
            }
            return self.go(key, Step::Written, cx);
        }
        self.clash(code, there, link);
        if self.pair.is_some_and(|pair| pair.contains(&link)) {
            self.pair_ended = Some(if step == Step::Looked { 0 } else { 2 });
        }
        let part = if step == Step::Looked {
            server(i)
        } else {
            DATABASE
        };
        let note = Note::new(word)
            .with(self.named(link))
            .with(self.named(there));
        self.say(key, note.about(part), cx);
        if step == Step::Looked {
            self.retry(key, cx);
        } else if let Some(job) = self.jobs.get_mut(key) {
            job.failed = true;
            self.go(key, Step::Written, cx);
        }
    }

    /// A link whose code is taken tries another.
    fn retry(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        if job.chosen {
            return self.turn_away(key, cx);
        }
        job.failed = false;
        job.attempt += 1;
        if job.attempt >= ATTEMPTS {
            let (link, attempt, i) = (job.link, job.attempt, job.server);
            let note = Note::new("gives-up").with(self.named(link));
            return self.fail(key, note.with(count(attempt)).about(server(i)), cx);
        }
        self.count.retries += 1;
        self.lately.add(2, cx.now());
        self.get_code(key, cx);
    }

    fn clash(&mut self, code: u64, first: u32, second: u32) {
        self.count.clashes += 1;
        if self.count.clashes == 1 {
            self.count.first_clash = self.count.stored + 1;
        }
        self.clashes.push_back(Clash {
            code,
            first,
            second,
        });
        if self.clashes.len() > 8 {
            self.clashes.pop_front();
        }
    }

    /// The database writes a link under its code.
    fn write(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        let (link, code, i, chosen) = (job.link, job.code, job.server, job.chosen);
        let rule = match self.knobs.insert {
            Rule::Unique => Insert::Unique,
            _ => Insert::Overwrite,
        };
        let written = self.table.write(code, link, rule);
        let note = match written {
            Written::Refused(there) => return self.taken(key, there, "refused", cx),
            Written::New => {
                self.order.push_back(code);
                Note::new("stored").with(self.named(link))
            }
            Written::Same => Note::new("same").with(self.named(link)),
            Written::Over(there) => {
                self.count.overwritten += 1;
                if !chosen {
                    self.clash(code, there, link);
                }
                if self.pair.is_some_and(|pair| pair.contains(&link)) {
                    self.pair_ended = Some(1);
                }
                let note = Note::new("overwrites")
                    .with(self.named(link))
                    .with(self.named(there));
                self.bad(note, cx.now())
            }
        };
        let over = matches!(written, Written::Over(_));
        self.say(key, note.about(DATABASE), cx);
        if let Written::Over(there) = written
            && self.count.overwritten <= 20
        {
            cx.schedule(TRIES_AFTER, Event::Try(there, code, self.life));
        }
        self.settle(key, written == Written::Same);
        let now = cx.now();
        if let Some(square) = self.square(code) {
            square.codes += u32::from(written == Written::New);
            (square.owner, square.fresh) = (i as u8, now);
            square.bad |= over;
        }
        self.last.push_back(Entry {
            code,
            link,
            server: i,
        });
        if self.last.len() > 8 {
            self.last.pop_front();
        }
        self.visits.share(link, code);
        if self.order.len() > ROWS
            && let Some(old) = self.order.pop_front()
        {
            self.count.expired += u32::from(self.table.remove(old).is_some());
            if let Some(square) = self.square(old) {
                square.codes = square.codes.saturating_sub(1);
            }
        }
        self.go(key, Step::Written, cx);
    }

    fn settle(&mut self, key: Key, same: bool) {
        if let Some(job) = self.jobs.get_mut(key)
            && !job.settled
        {
            job.settled = true;
            self.count.same += u32::from(same);
            self.count.stored += u32::from(!same);
        }
    }

    /// Somebody has an answer.
    fn home(&mut self, key: Key, cx: Cx<'_, '_>) {
        if let Some(job) = self.jobs.get(key) {
            match (job.what, job.found) {
                (What::Guess, found) => {
                    let hit = found.is_some();
                    if let Some((_, guesses, hits)) = &mut self.scan {
                        *guesses += 1;
                        *hits += u32::from(hit);
                    }
                    if let Some(link) = found {
                        let note = Note::new("guessed").with(self.named(link));
                        cx.say(note.about(VISITORS).dot(key.serial()));
                    }
                }
                (What::Visit, Some(found)) if found != job.link => {
                    self.count.misled += 1;
                    self.misled = Some((job.link, found));
                    let note = Note::new("misled").with(self.named(job.link));
                    let note = note.with(self.named(found)).about(VISITORS);
                    let note = if self.count.misled == 1 {
                        note.mark(Tone::Bad)
                    } else {
                        note
                    };
                    cx.say(note.dot(key.serial()));
                }
                _ => {}
            }
        }
        self.let_go(key);
    }

    fn waste(&mut self, i: usize, range: Range, cx: Cx<'_, '_>) {
        if range.left() == 0 {
            return;
        }
        self.count.wasted += range.left();
        self.wasted.push(range);
        if self.wasted.len() > 64 {
            self.wasted.remove(0);
        }
        let note = Note::new("wasted").with(Arg::Part(server(i)));
        cx.say(
            note.with(count(range.left()))
                .about(server(i))
                .mark(Tone::Warn),
        );
    }

    fn crash(&mut self, i: usize, cx: Cx<'_, '_>) {
        let note = Note::new("crashes").with(Arg::Part(server(i)));
        let cause = cx.say(note.about(server(i)).mark(Tone::Learner));
        if !self.servers.crash(i, cx.now()) {
            return;
        }
        let Some(one) = self.servers.get_mut(i) else {
            return;
        };
        one.own.back_at = Some(cx.now() + AWAY);
        (one.own.asked, one.own.waits_until, one.own.cause) = (false, None, cause);
        let (life, range) = (one.life(), std::mem::take(&mut one.own.range));
        let waiting = std::mem::take(&mut one.own.waiting);
        cx.schedule(AWAY, Event::Back(i, life, self.life));
        self.waste(i, range, cx);
        for key in waiting {
            let link = self.jobs.get(key).map_or(0, |job| job.link);
            let note = Note::new("died-with").with(self.named(link));
            self.fail(key, note.with(Arg::Part(server(i))).about(server(i)), cx);
        }
    }

    /// Servers as many as wanted; who leaves drops the rest of its range.
    fn follow(&mut self, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let now = cx.now();
        let changes = self
            .servers
            .follow(self.knobs.servers as usize, now, |i| Worker {
                range: Range::default(),
                asked: false,
                waiting: VecDeque::new(),
                snowflake: Snowflake::new(TWITTER_EPOCH_MS, i as u16),
                behind_ms: 0,
                waits_until: None,
                back_at: None,
                saw_free: false,
                cause,
            });
        for change in changes {
            match change {
                Change::Joined(i) => {
                    cx.because(NoteId::NONE);
                    cx.say(
                        Note::new("joins")
                            .with(Arg::Part(server(i)))
                            .about(server(i)),
                    );
                }
                Change::Leaves(i) => {
                    if self.life_of(i).is_some() {
                        self.crash(i, cx);
                    }
                }
                Change::Stays(_) => {}
            }
        }
        while self
            .servers
            .let_go(|_, worker| worker.waiting.is_empty())
            .is_some()
        {}
    }

    /// An empty table, no numbers given, and nothing on its way.
    fn begin(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        self.life += 1;
        self.gone += self.jobs.len() as u64;
        let born: Vec<Key> = self.jobs.iter().map(|(key, _)| key).collect();
        for key in born {
            self.jobs.forget(key);
        }
        self.servers = Roster::default();
        (self.table, self.order) = (Table::new(), VecDeque::new());
        self.squares = vec![Square::default(); (self.side() * self.side()) as usize].into();
        (self.counter, self.tokens) = (ReplicatedCounter::default(), TokenService::default());
        self.strides = vec![Stride::new(1, 2), Stride::new(2, 2)];
        (self.down_until, self.pair, self.pair_ended) = (None, None, None);
        (self.forced, self.misled, self.scan) = (None, None, None);
        self.queue.clear();
        self.given.clear();
        self.wasted.clear();
        self.clashes.clear();
        self.last.clear();
        (self.count, self.turn) = (Tally::default(), 0);
        self.lately.restart(now);
        self.visits.begin();
        let first = match self.knobs.way {
            Way::Random | Way::Hex | Way::Base62 => "no-source",
            Way::Counter => "counter-counts",
            Way::Stride => "strides-count",
            Way::Ranges => "tokens-wait",
            Way::Snowflake => "clocks-count",
        };
        let cause = cx.cause();
        self.source_cause = cx.say(Note::new(first).about(SOURCE));
        for (word, part) in [
            ("empty", DATABASE),
            ("visitors-follow", VISITORS),
            ("card-counts", CAPACITY),
        ] {
            cx.because(cause);
            cx.say(Note::new(word).about(part));
        }
        cx.because(cause);
        self.follow(cx);
    }

    /// Two links that get the same code, to two servers at once.
    fn both(&mut self, cx: Cx<'_, '_>) {
        let place = (self.knobs.length as usize).saturating_sub(2).min(6);
        let (a, b) = match self.knobs.way {
            Way::Hex => MEET_HEX[place],
            _ => MEET_62[place],
        };
        self.pair = Some([PAIRS + a, PAIRS + b]);
        (self.pair_ended, self.forced) = (None, None);
        // To the first two that are up.
        self.turn = 0;
        let word = if self.knobs.way.is_scattered() {
            "both"
        } else {
            "both-counted"
        };
        let note = Note::new(word).with(count(a)).with(count(b));
        let cause = cx.say(note.about(CREATORS).mark(Tone::Learner));
        for link in [a, b] {
            cx.because(cause);
            self.create(PAIRS + link, cx);
        }
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let stored = f64::from(self.count.stored);
        cx.sample(probe::CLASHES, f64::from(self.count.clashes));
        let space = self.knobs.space() as f64;
        cx.sample(probe::THEORY, short_code::pairs(stored.max(1.0), space));
        let links = self.lately.sum(0, LATELY, self.now);
        if links > 0 {
            let ratio =
                |kind| f64::from(self.lately.sum(kind, LATELY, cx.now())) / f64::from(links);
            let (questions, looks) = (ratio(1), ratio(2));
            cx.sample(probe::QUESTIONS, questions);
            cx.sample(probe::LOOKS, looks);
        }
    }
}

impl Model for Shortener {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Shortener {
        let mut shortener = Shortener {
            jobs: Slab::default(),
            own: Vec::new(),
            latest: None,
            gone: 0,
            servers: Roster::default(),
            turn: 0,
            source: Source::default(),
            table: Table::new(),
            order: VecDeque::new(),
            squares: Box::default(),
            counter: ReplicatedCounter::default(),
            down_until: None,
            queue: VecDeque::new(),
            strides: Vec::new(),
            tokens: TokenService::default(),
            given: Vec::new(),
            wasted: Vec::new(),
            clashes: VecDeque::new(),
            last: VecDeque::new(),
            count: Tally::default(),
            lately: Recently::new(cx.now()),
            pair: None,
            pair_ended: None,
            forced: None,
            misled: None,
            scan: None,
            visits: Visits::new(),
            life: 0,
            marks: Marks::default(),
            knobs: knobs.clone(),
            source_cause: NoteId::NONE,
            now: cx.now(),
        };
        shortener.begin(cx);
        cx.because(NoteId::NONE);
        shortener.next(cx);
        cx.schedule(super::visits::TICK, Event::Visits);
        shortener
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Next(turn) if self.source.is_due(turn) => {
                let again = unit(cx.random(LINKS)) * 100.0 <= f64::from(self.knobs.repeats);
                let old = below(cx.random(LINKS), self.visits.links as usize);
                let link = match again && self.visits.links > 0 {
                    true => old as u32,
                    false => {
                        self.visits.links += 1;
                        self.visits.links - 1
                    }
                };
                self.create(link, cx);
                cx.because(NoteId::NONE);
                self.next(cx);
            }
            Event::Next(_) => {}
            Event::Due(key) => self.due(key, cx),
            Event::Back(i, life, begun) => {
                if let Some(one) = self.servers.get(i)
                    && (one.life(), self.life) == (life, begun)
                    && !one.leaving
                    && self.servers.recover(i).is_some()
                {
                    if let Some(one) = self.servers.get_mut(i) {
                        one.own.back_at = None;
                    }
                    cx.say(
                        Note::new("back")
                            .with(Arg::Part(server(i)))
                            .about(server(i)),
                    );
                }
            }
            Event::Promote(life) if life == self.life => {
                self.down_until = None;
                cx.because(self.source_cause);
                let note = Note::new("takes-over").with(count(self.count.forgotten));
                self.source_cause = cx.say(note.about(SOURCE).mark(Tone::Warn));
                for key in std::mem::take(&mut self.queue) {
                    self.asked(key, cx);
                }
            }
            Event::Promote(_) => {}
            Event::Clock(i) => {
                if let Some(one) = self.servers.get_mut(i) {
                    one.own.waits_until = None;
                }
                self.serve(i, cx);
            }
            Event::Guess(code, left, life) if life == self.life => {
                let (done, half) = (GUESSES - 1 - left, GUESSES / 2);
                let guess = code - half + done + u64::from(done >= half);
                if let Some(i) = self.door(done as usize) {
                    self.send(What::Guess, 0, guess % self.knobs.space(), i, cx);
                }
                if left > 0 {
                    cx.schedule(GUESS_GAP, Event::Guess(code, left - 1, life));
                }
            }
            Event::Try(link, code, life) if life == self.life => {
                if let Some(i) = self.door(link as usize) {
                    let note = Note::new("tries").with(self.named(link)).about(VISITORS);
                    cx.say(note.dot(self.jobs.born() + 1));
                    self.send(What::Visit, link, code, i, cx);
                }
            }
            Event::Guess(..) | Event::Try(..) => {}
            Event::Visits => {
                cx.because(NoteId::NONE);
                cx.schedule(super::visits::TICK, Event::Visits);
                let drawn = self.visits.tick(&self.knobs, cx);
                if let (Some((link, code)), Some(i)) = (drawn, self.door(self.visits.drawn())) {
                    self.send(What::Visit, link, code, i, cx);
                }
            }
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let old = std::mem::replace(&mut self.knobs, knobs.clone());
        let codes = |knobs: &Settings| (knobs.way, knobs.length, knobs.scatter);
        if codes(&old) != codes(knobs) {
            // Other codes: nothing that was counted is true of them.
            self.begin(cx);
        } else if old.servers != knobs.servers {
            self.follow(cx);
        }
        if (old.redirect, old.visits, old.cache) != (knobs.redirect, knobs.visits, knobs.cache) {
            self.visits.forget();
        }
        cx.empty_windows();
        if let Some((gap, turn)) = self.source.turn(f64::from(knobs.load), cx.now()) {
            cx.schedule(gap, Event::Next(turn));
        }
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        let way = self.knobs.way;
        let up = self.life_of(act.target).is_some();
        match act.spec {
            0 => self.pair.is_none(),
            1 => up,
            2 => way == Way::Counter && self.down_until.is_none(),
            3 => way == Way::Stride && self.strides.len() == 2,
            4 => {
                let one = self.servers.get(0);
                way == Way::Snowflake
                    && one.is_some_and(|one| one.down.is_none() && one.own.waits_until.is_none())
            }
            5 => !self.order.is_empty(),
            _ => true,
        }
    }

    fn refuses(&self, act: Act, text: &str) -> Option<&'static str> {
        if act.spec == ALIAS {
            let code = web::code(text, self.knobs.way.base(), self.length());
            let code = code.filter(|code| *code < self.knobs.space());
            if self.latest.is_none() {
                return Some("no-link");
            }
            let there = code.and_then(|code| self.table.get(code));
            return match code {
                None => Some("no-code"),
                Some(_) if there.is_some() && there == self.latest => Some("same"),
                Some(_) => None,
            };
        }
        let known = self.own.iter().any(|own| own.text() == text);
        if web::address(text).is_none() {
            Some("no-address")
        } else if !known && self.own.len() >= OWN_MAX {
            Some("enough")
        } else {
            None
        }
    }

    fn on_typed(&mut self, act: Act, text: Typed, _: &Settings, cx: Cx<'_, '_>) {
        if act.spec == ALIAS {
            let code = web::code(text.text(), self.knobs.way.base(), self.length());
            let Some(link) = self.latest else { return };
            let note = Note::new("alias")
                .with(self.named(link))
                .with(Arg::Typed(text));
            self.create_as(link, code, note.mark(Tone::Learner), cx);
        } else {
            let known = self.own.iter().position(|own| *own == text);
            if known.is_none() {
                self.own.push(text);
            }
            let at = known.unwrap_or(self.own.len() - 1);
            let link = OWN_FROM + at as u32;
            self.latest = Some(link);
            let note = Note::new("shorten").with(self.named(link));
            self.create_as(link, None, note.mark(Tone::Learner), cx);
        }
        self.look(cx);
    }

    fn aim(&self, spec: usize) -> usize {
        let can = |target: usize| self.can(Act { spec, target });
        kit::flow::aim(1, self.servers.len(), can)
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        match act.spec {
            0 => self.both(cx),
            1 => self.crash(act.target, cx),
            2 => {
                let lag = Time::from_ms(self.knobs.lag);
                self.count.forgotten = self.counter.fail_over(cx.now().0, lag.0);
                (self.count.since_failover, self.count.failovers) = (0, self.count.failovers + 1);
                self.down_until = Some(cx.now() + TAKES_OVER);
                let note = Note::new("counter-dies").with(Arg::Span(TAKES_OVER));
                self.source_cause = cx.say(note.about(SOURCE).mark(Tone::Learner));
                cx.schedule(TAKES_OVER, Event::Promote(self.life));
            }
            3 => {
                for (i, one) in self.strides.iter_mut().enumerate() {
                    one.turn(i as u64 + 1, 3);
                }
                self.strides.push(Stride::new(3, 3));
                let note = Note::new("third").about(SOURCE).mark(Tone::Learner);
                self.source_cause = cx.say(note);
            }
            4 => {
                if let Some(one) = self.servers.get_mut(0) {
                    one.own.behind_ms += SET_BACK.0 / 1_000;
                    let note = Note::new("set-back").with(Arg::Part(server(0)));
                    let note = note.with(Arg::Span(SET_BACK)).about(server(0));
                    one.own.cause = cx.say(note.mark(Tone::Learner));
                }
            }
            5 => {
                let code = self.order.get(self.order.len() / 2).copied().unwrap_or(0);
                let code = code.max(GUESSES / 2);
                self.scan = Some((code, 0, 0));
                cx.say(
                    Note::new("scans")
                        .with(count(GUESSES))
                        .about(VISITORS)
                        .mark(Tone::Learner),
                );
                cx.schedule(Time::ZERO, Event::Guess(code, GUESSES - 1, self.life));
            }
            6 => {
                cx.say(Note::new("restarts").about(DATABASE).mark(Tone::Learner));
                self.begin(cx);
                cx.empty_windows();
            }
            _ => {}
        }
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        self.jobs.bytes()
            + self.table.len() * 40
            + self.squares.len() * size_of::<Square>()
            + self.given.len() * 8
            + self.visits.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        let mut balance = Balance::default();
        balance.claim("the source", self.queue.iter().copied());
        for one in self.servers.iter() {
            balance.claim("a server", one.own.waiting.iter().copied());
        }
        balance.check(&self.jobs, self.gone, |_, job| match job.step {
            Step::Queued if self.knobs.way == Way::Counter => Some("the source"),
            Step::Queued => Some("a server"),
            _ => None,
        })?;
        let count = &self.count;
        let done = count.stored + count.same + count.refused;
        if count.asked as usize != done as usize + self.open() {
            return Err(format!("{} links came, {done} are done", count.asked));
        }
        let rows = count.stored - count.overwritten - count.expired;
        if self.table.len() != rows as usize {
            return Err(format!("{} rows, not {rows}", self.table.len()));
        }
        if self.knobs.way == Way::Ranges {
            let left: u64 = self.servers.iter().map(|one| one.own.range.left()).sum();
            let coming = self.jobs.iter().map(|(_, job)| match job.what {
                What::Range(Some(range)) => range.left(),
                _ => 0,
            });
            let all = count.used + left + count.wasted + coming.sum::<u64>();
            if self.tokens.next() != all {
                return Err(format!("{} handed out, {all} found", self.tokens.next()));
            }
        }
        if count.overwritten > 0 && self.knobs.way == Way::Ranges {
            return Err("two links got one number of a range".to_owned());
        }
        Ok(())
    }
}
