//! The system: viewers in four regions, edges next door, an origin far away, and what travels between them.

use super::edge::{Copy, Found, Store, Url, expected};
use super::probe;
use super::settings::{
    EDGES, EUROPE, Expired, INDIA, Protection, Purge, REGIONS, Settings, VIDEOS, hops,
};
use algorithms::single_flight::{Join, SingleFlight};
use algorithms::zipf::{Zipf, lru_hit_ratio};
use engine::random::{below, unit};
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use kit::flow::{Balance, Key, Leg, Offer, Pool, Recently, Slab, Source};
use std::collections::VecDeque;

/// What the origin needs for one answer, and how many may wait for it.
pub(super) const WORK: Time = Time::ms(100);
pub(super) const PLACES: usize = 90;
/// When so many wait, the origin is flooded; a purge is behind it if it was no longer ago than this.
const FLOOD: usize = 30;
const BLAMED: Time = Time::s(10);
/// So long a viewer waits.
pub(super) const PATIENCE: Time = Time::s(3);
/// One way between the shield and the origin beside it.
const BESIDE: Time = Time::ms(1);
/// An edge that has waited so long for a fetch lets the next one through (nginx's `proxy_cache_lock_age`).
pub(super) const LOCK: Time = Time::s(5);
/// A purge needs so long to be passed on, beside its way (Fastly: 150 ms).
const SPREAD: Time = Time::ms(150);
/// So long after its death the routes to an edge are taken back, and so long after that it is there again.
const WITHDRAW: Time = Time::s(1);
const REPAIR: Time = Time::s(14);
/// So long India is routed to Frankfurt, and a campaign lasts.
const ASTRAY: Time = Time::s(20);
pub(super) const CAMPAIGN: Time = Time::s(20);
/// Fill ahead: how many videos, and a new one each.
const AHEAD: u16 = 40;
const AHEAD_EVERY: Time = Time::ms(100);
/// Until the many come, a few viewers ask for the same video at set moments, so that one can be followed alone: when the
/// first of each region wants it, when the second, and how long after that each other, ms.
const FIRST_MS: [u64; REGIONS] = [780, 560, 60, 640];
const SECOND_MS: u64 = 370;
const NEXT_MS: u64 = 70;
pub(super) const MANY: Time = Time::ms(2_200);
/// Viewers whose waits a strip shows.
pub(super) const SHOWN: usize = 40;
/// The rate at the origin is told over so long.
pub(super) const RATE_OVER: Time = Time::s(2);
/// What the question about eight edges compares: a minute before, and a minute from 25 s after.
const BEFORE_S: u64 = 60;
const SETTLE: Time = Time::s(25);

const WANTS: [Stream; REGIONS] = [
    Stream::named("viewers-us"),
    Stream::named("viewers-europe"),
    Stream::named("viewers-india"),
    Stream::named("viewers-australia"),
];
/// The cache asks for chance, and does not use it.
const NO_CHANCE: Stream = Stream::named("cache");

/// What became of a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Hit,
    Stale,
    Miss,
    Failed,
}

/// Where a viewer's request is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// Keys are settled, then the request goes: so many trips there and back, and one way.
    Asks(Leg<()>),
    /// The edge or the origin has it.
    Waits,
    /// The answer is on its way.
    Hears(Leg<()>),
    /// They have given up, and nobody has told the one who answers.
    Left,
}

/// A viewer who wants a video.
#[derive(Clone, Debug)]
pub(super) struct Viewer {
    pub(super) of: usize,
    /// Which edge they were led to, and which life it was in; none where they ask the origin themselves.
    pub(super) edge: Option<(usize, u32)>,
    pub(super) url: Url,
    pub(super) place: Place,
    pub(super) told: Told,
    /// They wait for what another one has asked for.
    joined: bool,
    /// What was fetched for them found the origin idle.
    idle: bool,
    /// What they are given is no longer what the origin has.
    pub(super) old: bool,
    version: u16,
    pub(super) asked: Time,
    /// Trips before the request can leave.
    pub(super) shakes: u64,
    cause: NoteId,
}

impl Viewer {
    /// The edge, or the origin, has their request.
    pub(super) fn is_there(&self) -> bool {
        matches!(self.place, Place::Waits | Place::Left)
    }
}

/// Who asks the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A viewer of this region, without any edge.
    Viewer(usize),
    /// An edge, in this life.
    Edge(usize, u32),
    Shield,
    /// The origin itself, which sends what it has read to all edges.
    Ahead,
}

/// Where what was asked of the origin is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    There(Leg<()>),
    /// The shield has it.
    Shield,
    /// The origin has it.
    Origin,
    Back(Leg<()>),
}

/// Something that is asked of the origin.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) by: By,
    key: u32,
    video: u16,
    /// Who asked for it, and who waited when a purge took their flight away: viewers of an edge, fetches of edges at the shield.
    lead: Option<Key>,
    rest: Vec<Key>,
    /// It owns the flight of its key.
    flight: bool,
    /// What it brings may be stored.
    store: bool,
    pub(super) way: Way,
    copy: Copy,
    pub(super) failed: bool,
    /// The origin began at once: nobody waited there.
    idle: bool,
    cause: NoteId,
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// One of those who come first.
    Early(usize, u64),
    /// From now on viewers come by chance.
    Many,
    /// A viewer of this region, if their source's turn is still this one.
    Want(usize, u32),
    /// A viewer's request or answer is at the end of its way.
    Due(Key),
    /// Their patience is at its end.
    GivesUp(Key),
    /// A fetch is at the end of its way.
    Fetched(Key),
    /// The origin has done its work.
    Done(Key),
    /// A purge reaches an edge, or the shield behind the last of them.
    Purge(usize, bool),
    /// The next video that is filled ahead.
    Ahead(u16),
    Withdraw(usize, u32),
    Repaired(usize, u32),
    /// India's networks reach Mumbai again.
    Mended(u32),
    Over(u32),
}

/// The origin's rates before and after the number of edges changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    at: Time,
    pub(super) before: f64,
    half: Option<u32>,
    pub(super) after: Option<f64>,
}

impl Change {
    /// When both have been counted.
    pub(super) fn counted(&self) -> Time {
        self.at + SETTLE + Time::s(BEFORE_S)
    }
}

/// A purge, and what has come of it so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purged {
    pub(super) at: Time,
    note: NoteId,
    hard: bool,
    /// Since when, with twenty viewers a second or more, nobody has failed or waited long; none once somebody did.
    pub(super) calm: Option<Time>,
    /// The origin has been asked too often since.
    pub(super) over: bool,
    /// Since when ten viewers a second or more come from each region.
    pub(super) doors: Option<Time>,
}

/// What a strip keeps of a viewer.
pub(super) type Bar = (Told, Time);

/// The running system.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub(super) edges: Vec<Store>,
    pub(super) shield: Store,
    pub(super) viewers: Slab<Viewer>,
    pub(super) fetches: Slab<Fetch>,
    gone: [u64; 2],
    sources: [Source; REGIONS],
    many: bool,
    zipf: Zipf,
    pub(super) pool: Pool,
    pub(super) version: u16,
    /// The last viewers of each region.
    pub(super) strips: [VecDeque<Bar>; REGIONS],
    /// What was asked of the origin, and refused there.
    pub(super) origin: Recently<2>,
    pub(super) asked: u32,
    pub(super) refused: u32,
    /// More wait there than it can soon answer, and the note that says so.
    flooded: bool,
    flood: NoteId,
    /// What was asked of the origin in each of the last 64 seconds.
    seconds: [u16; 64],
    second: u64,
    /// Purges on their way to an edge.
    pub(super) purges: Vec<(usize, Leg<()>)>,
    pub(super) purged: Option<Purged>,
    pub(super) astray: Option<Time>,
    pub(super) campaign: Option<Time>,
    /// Since when the campaign's viewers have had most from copies.
    pub(super) lucky: Option<Time>,
    turns: [u32; 2],
    pub(super) change: Option<Change>,
    /// Since the edges changed: how long the first viewer in India waited whose fetch found the origin idle, the first hit.
    pub(super) first: Option<Time>,
    pub(super) hit: Option<Time>,
    /// Answers in India since it is routed elsewhere.
    pub(super) detours: u32,
    /// When somebody was last given an old version, and the present one, since it was published.
    pub(super) published: Option<Time>,
    pub(super) given: [Option<Time>; 2],
    /// Viewers who have failed, by region, and the last cause of it.
    pub(super) failed: [u32; REGIONS],
    /// Since when, with few slots, most answers came from copies; with one edge, viewers waited little.
    pub(super) small: Option<Time>,
    pub(super) near: Option<Time>,
    /// The oldest copy that was given as fresh, in relation to its life.
    pub(super) oldest: f64,
    /// Since when these knobs hold.
    pub(super) since: Time,
    pub(super) knobs: Settings,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) const ORIGIN: PartId = PartId::one("origin");
pub(super) const SHIELD: PartId = PartId::one("shield");

pub(super) const fn viewers(i: usize) -> PartId {
    PartId::nth("viewers", (EDGES + i) as u16 + 1)
}

pub(super) const fn edge(i: usize) -> PartId {
    PartId::nth("edge", i as u16 + 1)
}

/// A note about a part.
fn note(word: &'static str, part: PartId, args: &[Arg]) -> Note {
    let whole = args
        .iter()
        .fold(Note::new(word), |note, arg| note.with(*arg));
    whole.about(part)
}

/// The region of an edge.
pub(super) const fn region(edge: usize) -> usize {
    edge % REGIONS
}

fn half(span: Time) -> Time {
    Time(span.0 / 2)
}

fn video(number: u16) -> Arg {
    Arg::Count(i64::from(number) + 1)
}

impl Delivery {
    /// Edges that there are.
    pub(super) fn count(&self) -> usize {
        self.knobs.count()
    }

    /// Which edge the network leads viewers of a region to: of those that it has a route to the one with the fewest hops. Two in one
    /// region share its networks.
    pub(super) fn route(&self, from: usize, second: bool) -> Option<usize> {
        let (mut best, mut cost) = (None, u8::MAX);
        for to in 0..REGIONS {
            let sites = [
                to + REGIONS * usize::from(second),
                to + REGIONS * usize::from(!second),
            ];
            let open = |site: &usize| *site < self.count() && !self.edges[*site].withdrawn;
            let site = sites.into_iter().find(open);
            let hops = hops(from, to, self.astray.is_some());
            if site.is_some() && hops < cost {
                (best, cost) = (site, hops);
            }
        }
        best
    }

    /// The span of a round trip that a viewer makes.
    pub(super) fn trip(&self, viewer: &Viewer) -> Time {
        match viewer.edge {
            Some((edge, _)) => self.knobs.to_edge(viewer.of, region(edge)),
            None => self.knobs.to_origin(viewer.of),
        }
    }

    /// What is asked of the origin, per second.
    pub(super) fn origin_per_s(&self, at: Time) -> f64 {
        self.origin.per_s(0, RATE_OVER, at)
    }

    /// The median wait of the last viewers of a region who got their video.
    pub(super) fn median(&self, of: usize) -> Option<Time> {
        let got = self.strips[of].iter().filter(|bar| bar.0 != Told::Failed);
        let waits: Vec<Time> = got.map(|bar| bar.1).collect();
        // The one that fewer than half are below, and half or more are not above.
        let below = |wait: Time| waits.iter().filter(|other| **other < wait).count();
        let upto = |wait: Time| waits.iter().filter(|other| **other <= wait).count();
        let middle = waits.len() / 2;
        let is_it = |wait: &Time| below(*wait) <= middle && middle < upto(*wait);
        waits.iter().copied().find(is_it)
    }

    /// The share of the last ten seconds' viewers who were answered from a copy.
    pub(super) fn hit_share(&self, at: Time) -> f64 {
        let (mut hits, mut all) = (0, 0);
        for one in &self.edges[..self.count()] {
            hits += one.lately.sum(0, Time::s(10), at);
            all += one.lately.sum(1, Time::s(10), at);
        }
        f64::from(hits) / f64::from((hits + all).max(1))
    }

    fn next(&mut self, i: usize, cx: Cx<'_, '_>) {
        let rate = f64::from(self.knobs.rate);
        let gap = Source::poisson(rate, cx.random(WANTS[i]));
        let turn = self.sources[i].next(rate, gap, cx.now());
        cx.schedule(gap, Event::Want(i, turn));
    }

    /// A viewer wants a video. What they want is drawn whatever the knobs say.
    fn want(&mut self, i: usize, cx: Cx<'_, '_>) {
        let video = self.zipf.rank_at(1.0 - unit(cx.random(WANTS[i]))) as u16;
        let second = below(cx.random(WANTS[i]), 2) == 1;
        let id = self.viewers.born();
        let query = self.campaign.map(|_| (id, id.is_multiple_of(3)));
        self.comes(i, Url { video, query }, second, cx);
    }

    fn comes(&mut self, i: usize, url: Url, second: bool, cx: Cx<'_, '_>) {
        let to = self.route(i, second);
        let viewer = Viewer {
            of: i,
            edge: to.map(|edge| (edge, self.edges[edge].life)),
            url,
            place: Place::Waits,
            told: Told::Miss,
            joined: false,
            idle: false,
            old: false,
            version: 0,
            asked: cx.now(),
            shakes: self.knobs.shakes(),
            cause: NoteId::NONE,
        };
        let trip = self.trip(&viewer);
        let span = Time(trip.0 * viewer.shakes) + half(trip);
        let key = self.viewers.insert(viewer);
        let whom = Arg::Part(to.map_or(ORIGIN, edge));
        cx.because(NoteId::NONE);
        let wants = note("wants", viewers(i), &[video_of(url), whom, Arg::Span(trip)]);
        let cause = cx.say(wants.dot(key.serial()));
        if let Some(viewer) = self.viewers.get_mut(key) {
            viewer.cause = cause;
            viewer.place = Place::Asks(Leg::new((), cx.now(), span, false));
        }
        cx.schedule(span, Event::Due(key));
    }

    fn due(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(viewer) = self.viewers.get(key) else {
            return;
        };
        cx.because(viewer.cause);
        match viewer.place {
            Place::Asks(_) => self.reaches(key, cx),
            Place::Hears(_) => self.hears(key, cx),
            Place::Waits | Place::Left => {}
        }
    }

    /// A request reaches its edge, or the origin.
    fn reaches(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(viewer) = self.viewers.get_mut(key) else {
            return;
        };
        viewer.place = Place::Waits;
        let (url, of, cause) = (viewer.url, viewer.of, viewer.cause);
        let patience = (viewer.asked + PATIENCE).since(now);
        let Some((at, life)) = viewer.edge else {
            cx.schedule(patience, Event::GivesUp(key));
            let fetch = self.fetch(By::Viewer(of), url.video, 0, Some(key), cause, now);
            self.arrives(fetch, cx);
            return;
        };
        self.edges[at].counts.requests += 1;
        if self.edges[at].down.is_some() || self.edges[at].life != life {
            cx.because(self.edges[at].cause);
            self.reply(key, Told::Failed, "dead", None, cx);
            return;
        }
        let asked = url.key(self.knobs.key);
        match self.edges[at].consult(asked, self.knobs.expired, now) {
            Found::Fresh(copy) => {
                let age = now.since(copy.made).as_s();
                self.oldest = self.oldest.max(age / f64::from(copy.life_s.max(1)));
                self.reply(key, Told::Hit, "hit", Some(copy), cx);
            }
            Found::Stale(copy) => {
                self.reply(key, Told::Stale, "stale", Some(copy), cx);
                if !self.edges[at].flights.is_open(&asked) {
                    self.edges[at].flights.join(asked, key);
                    self.asks(at, url, None, true, cx);
                }
            }
            Found::Nothing => {
                cx.schedule(patience, Event::GivesUp(key));
                let collapse = self.knobs.protection != Protection::Off;
                if !collapse || self.edges[at].flights.join(asked, key) == Join::Lead {
                    self.say(key, "misses", edge(at), cx);
                    self.asks(at, url, Some(key), collapse, cx);
                } else {
                    if let Some(viewer) = self.viewers.get_mut(key) {
                        viewer.joined = true;
                    }
                    self.say(key, "joins", edge(at), cx);
                    let held = |fetch: &Fetch| fetch.key == asked && fetch.by == By::Edge(at, life);
                    let held = self.fetches.iter().filter(|(_, fetch)| held(fetch));
                    let last = held.map(|(_, fetch)| fetch.copy.asked).max();
                    if last.is_some_and(|last| now.since(last) >= LOCK) {
                        self.say(key, "lock", edge(at), cx);
                        self.asks(at, url, None, true, cx);
                    }
                }
            }
        }
    }

    /// A note about a viewer's request, in the chain of those that were said of it.
    fn say(&mut self, key: Key, word: &'static str, part: PartId, cx: Cx<'_, '_>) {
        if let Some(viewer) = self.viewers.get_mut(key) {
            cx.because(viewer.cause);
            let told = [Arg::Part(part), video_of(viewer.url)];
            viewer.cause = cx.say(note(word, part, &told).dot(key.serial()));
        }
    }

    fn fetch(
        &mut self,
        by: By,
        video: u16,
        key: u32,
        lead: Option<Key>,
        cause: NoteId,
        now: Time,
    ) -> Key {
        self.fetches.insert(Fetch {
            by,
            key,
            video,
            lead,
            rest: Vec::new(),
            flight: false,
            store: true,
            way: Way::Origin,
            copy: Copy {
                made: now,
                asked: now,
                came: now,
                age_s: 0,
                life_s: 0,
                version: 0,
                purged: false,
            },
            failed: false,
            idle: false,
            cause,
        })
    }

    /// An edge asks for what it lacks: the shield, or the origin, over a connection that is open.
    fn asks(&mut self, at: usize, url: Url, lead: Option<Key>, flight: bool, cx: Cx<'_, '_>) {
        let (key, by) = (url.key(self.knobs.key), By::Edge(at, self.edges[at].life));
        let cause = cx.cause();
        let fetch = self.fetch(by, url.video, key, lead, cause, cx.now());
        self.go(fetch, false, cx);
        if let Some(fetch) = self.fetches.get_mut(fetch) {
            fetch.flight = flight;
        }
    }

    /// A fetch sets out, there or back.
    fn go(&mut self, key: Key, back: bool, cx: Cx<'_, '_>) {
        let Some(fetch) = self.fetches.get_mut(key) else {
            return;
        };
        let span = match fetch.by {
            By::Edge(at, _) => half(self.knobs.to_origin(region(at))),
            By::Shield => BESIDE,
            By::Viewer(_) | By::Ahead => Time::ZERO,
        };
        let leg = Leg::new((), cx.now(), span, back);
        fetch.way = if back {
            Way::Back(leg)
        } else {
            Way::There(leg)
        };
        cx.schedule(span, Event::Fetched(key));
    }

    fn fetched(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(fetch) = self.fetches.get(key) else {
            return;
        };
        cx.because(fetch.cause);
        match (fetch.way, fetch.by) {
            (Way::There(_), By::Edge(..)) if self.knobs.protection == Protection::Shield => {
                self.at_shield(key, cx);
            }
            (Way::There(_), _) => self.arrives(key, cx),
            (Way::Back(_), _) => self.lands(key, cx),
            (Way::Shield | Way::Origin, _) => {}
        }
    }

    /// An edge's fetch reaches the shield. It gives nothing stale: what edges keep must not be staler than it says.
    fn at_shield(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(fetch) = self.fetches.get_mut(key) else {
            return;
        };
        fetch.way = Way::Shield;
        let (asked, number) = (fetch.key, fetch.video);
        let found = self.shield.consult(asked, Expired::Fetch, now);
        let told = [Arg::Part(SHIELD), video(number)];
        self.shield.counts.requests += 1;
        if let Found::Fresh(copy) = found {
            self.shield.counts.hits += 1;
            self.shield.lately.add(0, now);
            let age_s = copy.age_s(now);
            fetch.copy = Copy {
                age_s,
                ..passed_on(fetch.copy, copy)
            };
            fetch.cause = cx.say(note("shields", SHIELD, &told));
            self.go(key, true, cx);
            return;
        }
        self.shield.lately.add(1, now);
        if self.shield.flights.join(asked, key) == Join::Lead {
            let cause = cx.say(note("shield-asks", SHIELD, &told));
            let asks = self.fetch(By::Shield, number, asked, Some(key), cause, now);
            if let Some(asks) = self.fetches.get_mut(asks) {
                asks.flight = true;
            }
            self.go(asks, false, cx);
        } else {
            cx.say(note("shield-joins", SHIELD, &told));
        }
    }

    /// A request reaches the origin.
    fn arrives(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        self.count_at_origin(now);
        cx.sample(probe::ORIGIN, 1.0);
        if !self.flooded && self.pool.queue.len() >= FLOOD {
            let cause = cx.cause();
            let lately = self.purged.filter(|purged| now.since(purged.at) < BLAMED);
            cx.because(lately.map_or(NoteId::NONE, |purged| purged.note));
            let told = [self.origin_per_s(now), capacity(&self.knobs)];
            let told = told.map(|rate| Arg::Count((rate + 0.5) as i64));
            self.flood = cx.say(note("floods", ORIGIN, &told).mark(Tone::Bad));
            self.flooded = true;
            cx.because(cause);
        }
        let offer = self
            .pool
            .offer(key, self.knobs.workers as usize, PLACES, now);
        let Some(fetch) = self.fetches.get_mut(key) else {
            return;
        };
        fetch.way = Way::Origin;
        fetch.idle = offer == Offer::AtOnce;
        match offer {
            Offer::AtOnce => cx.schedule(WORK, Event::Done(key)),
            Offer::Waits(_) => {}
            Offer::Full => {
                fetch.failed = true;
                self.refused += 1;
                self.origin.add(1, now);
                let told = [Arg::Count(PLACES as i64)];
                let full = cx.say(note("refuses", ORIGIN, &told));
                if let Some(fetch) = self.fetches.get_mut(key) {
                    fetch.cause = full;
                }
                self.sends(key, cx);
            }
        }
    }

    fn count_at_origin(&mut self, now: Time) {
        self.asked += 1;
        self.origin.add(0, now);
        let second = now.0 / 1_000_000;
        for between in self.second + 1..=second {
            self.seconds[between as usize % 64] = 0;
        }
        self.second = second;
        self.seconds[second as usize % 64] += 1;
        if let Some(purged) = self.purged.as_mut() {
            purged.over |= self.origin.per_s(0, RATE_OVER, now) > 20.0;
        }
    }

    /// The origin has made an answer.
    fn made(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let workers = self.knobs.workers as usize;
        if !self.pool.release(key, now) {
            return;
        }
        self.takes(workers, cx);
        let (version, life_s) = (self.version, self.knobs.life);
        let Some(fetch) = self.fetches.get_mut(key) else {
            return;
        };
        fetch.copy = Copy {
            made: now,
            life_s,
            version,
            ..fetch.copy
        };
        cx.because(fetch.cause);
        fetch.cause = cx.say(note("serves", ORIGIN, &[video(fetch.video)]));
        self.sends(key, cx);
    }

    fn takes(&mut self, workers: usize, cx: Cx<'_, '_>) {
        while let Some(next) = self.pool.next(workers, false, cx.now()) {
            if let Some(fetch) = self.fetches.get(next) {
                cx.because(fetch.cause);
            }
            cx.schedule(WORK, Event::Done(next));
        }
        self.flooded &= !self.pool.queue.is_empty();
    }

    /// An answer of the origin, or its refusal, leaves for who asked.
    fn sends(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(fetch) = self.fetches.get(key) else {
            return;
        };
        let (copy, number, failed, lead) = (fetch.copy, fetch.video, fetch.failed, fetch.lead);
        match fetch.by {
            By::Edge(..) | By::Shield => self.go(key, true, cx),
            By::Viewer(_) => {
                self.forget(key);
                if let Some(viewer) = lead {
                    let (told, word) = answer(failed);
                    self.reply(viewer, told, word, (!failed).then_some(copy), cx);
                }
            }
            By::Ahead => {
                self.forget(key);
                if failed {
                    return;
                }
                let cause = cx.cause();
                if self.knobs.protection == Protection::Shield {
                    self.store_at_shield(u32::from(number), copy, cx);
                }
                for at in 0..self.count() {
                    let by = By::Edge(at, self.edges[at].life);
                    let sent = self.fetch(by, number, u32::from(number), None, cause, cx.now());
                    if let Some(sent) = self.fetches.get_mut(sent) {
                        sent.copy = copy;
                        sent.copy.asked = cx.now();
                    }
                    self.go(sent, true, cx);
                }
            }
        }
    }

    fn store_at_shield(&mut self, key: u32, copy: Copy, cx: Cx<'_, '_>) {
        let now = cx.now();
        let copy = Copy { came: now, ..copy };
        let rng = cx.random(NO_CHANCE);
        self.shield.cache.put(key, copy, now.0, None, rng);
    }

    /// An answer is back where it was asked for: it is stored, and given to all who wait for it.
    fn lands(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(mut fetch) = self.fetches.remove(key) else {
            return;
        };
        self.gone[1] += 1;
        fetch.copy.came = now;
        let (asked, copy, failed, idle) = (fetch.key, fetch.copy, fetch.failed, fetch.idle);
        let mut waiting: Vec<Key> = fetch.lead.into_iter().chain(fetch.rest).collect();
        let By::Edge(at, life) = fetch.by else {
            if fetch.flight {
                waiting.extend(self.shield.flights.fail(&asked));
            }
            if fetch.store && !failed {
                self.store_at_shield(asked, copy, cx);
            }
            let age_s = copy.age_s(now);
            for edge in waiting {
                if let Some(fetch) = self.fetches.get_mut(edge) {
                    fetch.failed = failed;
                    fetch.cause = cx.cause();
                    fetch.idle = idle;
                    let own = fetch.copy;
                    fetch.copy = Copy {
                        age_s,
                        ..passed_on(own, copy)
                    };
                }
                self.go(edge, true, cx);
            }
            return;
        };
        let one = &mut self.edges[at];
        if one.life != life {
            // It has died since, and with it all who waited there.
            return;
        }
        if fetch.flight {
            waiting.extend(one.flights.fail(&asked));
        }
        if fetch.store && !failed {
            let rng = cx.random(NO_CHANCE);
            one.cache.put(asked, copy, now.0, None, rng);
            let told = [
                Arg::Part(edge(at)),
                video(fetch.video),
                seconds(copy.life_s),
            ];
            one.cause = cx.say(note("stores", edge(at), &told));
        } else if !failed {
            let told = [Arg::Part(edge(at)), video(fetch.video)];
            cx.say(note("stores-not", edge(at), &told));
        }
        let (told, word) = answer(failed);
        for viewer in waiting {
            if let Some(viewer) = self.viewers.get_mut(viewer) {
                viewer.idle = idle;
            }
            self.reply(viewer, told, word, (!failed).then_some(copy), cx);
        }
    }

    /// A viewer is answered by who has their request.
    fn reply(
        &mut self,
        key: Key,
        told: Told,
        word: &'static str,
        copy: Option<Copy>,
        cx: Cx<'_, '_>,
    ) {
        let (now, version) = (cx.now(), self.version);
        let Some(viewer) = self.viewers.get_mut(key) else {
            return;
        };
        let hit = matches!(told, Told::Hit | Told::Stale);
        if let Some((at, _)) = viewer.edge {
            let one = &mut self.edges[at];
            let counts = &mut one.counts;
            *match told {
                _ if viewer.place == Place::Left => &mut counts.failed,
                Told::Hit => &mut counts.hits,
                Told::Stale => &mut counts.stale,
                Told::Failed => &mut counts.failed,
                Told::Miss if viewer.joined => &mut counts.joined,
                Told::Miss => &mut counts.misses,
            } += 1;
            one.lately.add(usize::from(!hit), now);
            let share = if hit { 100.0 } else { 0.0 };
            cx.sample(probe::HITS + viewer.of, share);
        }
        if viewer.place == Place::Left {
            self.leave(key);
            return;
        }
        let trip = match viewer.edge {
            Some((edge, _)) => self.knobs.to_edge(viewer.of, region(edge)),
            None => self.knobs.to_origin(viewer.of),
        };
        viewer.told = told;
        viewer.version = copy.map_or(version, |copy| copy.version);
        viewer.old = told == Told::Stale || viewer.version != version;
        viewer.place = Place::Hears(Leg::new((), now, half(trip), true));
        let from = viewer.edge.map_or(ORIGIN, |(at, _)| edge(at));
        let age = copy.map_or(Time::ZERO, |copy| now.since(copy.made));
        let age = Time(age.0 / 100_000 * 100_000);
        let args = [Arg::Part(from), video_of(viewer.url), Arg::Span(age)];
        viewer.cause = cx.say(note(word, from, &args).dot(key.serial()));
        cx.schedule(half(trip), Event::Due(key));
    }

    /// A viewer has their answer, or hears that there is none.
    fn hears(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(viewer) = self.viewers.get(key) else {
            return;
        };
        let (of, told, version) = (viewer.of, viewer.told, viewer.version);
        let wait = now.since(viewer.asked);
        if told == Told::Failed {
            self.fails(key, "failed", cx);
            self.leave(key);
            return;
        }
        if of == INDIA && viewer.edge.is_some() {
            if viewer.idle {
                self.first.get_or_insert(wait);
            }
            if told == Told::Hit {
                self.hit.get_or_insert(wait);
            }
            let abroad = viewer.edge.is_some_and(|(at, _)| region(at) == EUROPE);
            self.detours += u32::from(self.astray.is_some() && abroad);
        }
        if self.published.is_some() {
            self.given[usize::from(version == self.version)] = Some(now);
        }
        let rounded = Time(wait.0 / 1_000 * 1_000);
        cx.say(
            note(
                "has",
                viewers(of),
                &[video_of(viewer.url), Arg::Span(rounded)],
            )
            .dot(key.serial()),
        );
        cx.sample_asked(probe::WAIT, wait.0 as f64, viewer.asked);
        let long = wait > Time::s(1);
        self.remember(of, told, wait, viewer.asked, long);
        self.leave(key);
    }

    fn remember(&mut self, of: usize, told: Told, wait: Time, asked: Time, harm: bool) {
        if self.strips[of].len() == SHOWN {
            self.strips[of].pop_front();
        }
        self.strips[of].push_back((told, wait));
        if let Some(purged) = self.purged.as_mut().filter(|purged| asked >= purged.at)
            && harm
        {
            purged.calm = None;
        }
    }

    fn fails(&mut self, key: Key, word: &'static str, cx: Cx<'_, '_>) {
        let Some(viewer) = self.viewers.get(key) else {
            return;
        };
        let (of, asked) = (viewer.of, viewer.asked);
        let wait = cx.now().since(asked);
        let fails = note(word, viewers(of), &[video_of(viewer.url)]).dot(key.serial());
        cx.because(viewer.cause);
        self.failed[of] += 1;
        let cause = cx.say(fails);
        // The first of them, and one of each twenty, has a mark, which goes back to what is behind it.
        let dead = viewer
            .edge
            .filter(|(at, life)| self.edges[*at].life != *life || self.edges[*at].down.is_some());
        if self.failed[of] % 20 == 1 {
            cx.because(dead.map_or(self.flood, |(at, _)| self.edges[at].death));
            let told = [Arg::Part(viewers(of)), Arg::Count(self.failed[of].into())];
            cx.say(note("fail", viewers(of), &told).mark(Tone::Bad));
            cx.because(cause);
        }
        if let Some(viewer) = self.viewers.get_mut(key) {
            viewer.cause = cause;
        }
        cx.sample_asked(probe::WAIT, wait.0 as f64, asked);
        self.remember(of, Told::Failed, wait, asked, true);
    }

    fn gives_up(&mut self, key: Key, cx: Cx<'_, '_>) {
        let waits = |viewer: &&mut Viewer| viewer.place == Place::Waits;
        if let Some(viewer) = self.viewers.get_mut(key).filter(waits) {
            viewer.place = Place::Left;
            self.fails(key, "gives-up", cx);
        }
    }

    fn leave(&mut self, key: Key) {
        self.gone[0] += u64::from(self.viewers.forget(key));
    }

    fn forget(&mut self, key: Key) {
        self.gone[1] += u64::from(self.fetches.forget(key));
    }

    fn fetches_by(&self, by: By) -> Vec<Key> {
        let mine = self.fetches.iter().filter(|(_, fetch)| fetch.by == by);
        mine.map(|(key, _)| key).collect()
    }

    /// A purge reaches an edge, or the shield. What was asked for before it, and is under way, is given to who waits and not stored.
    fn purge(&mut self, at: usize, hard: bool, cx: Cx<'_, '_>) {
        self.purges.retain(|(to, _)| *to != at);
        let part = if at < EDGES { edge(at) } else { SHIELD };
        let word = if hard { "purged" } else { "marked" };
        let cause = cx.say(note(word, part, &[Arg::Part(part)]));
        let by = (self.edges.get(at)).map_or(By::Shield, |one| By::Edge(at, one.life));
        let under_way = self.fetches_by(by);
        let one = self.edges.get_mut(at).unwrap_or(&mut self.shield);
        one.purge(hard);
        one.cause = cause;
        for key in under_way {
            let Some(fetch) = self.fetches.get_mut(key) else {
                continue;
            };
            fetch.store = false;
            if std::mem::take(&mut fetch.flight) {
                fetch.rest.extend(one.flights.fail(&fetch.key));
            }
        }
    }

    /// An edge dies: who waits there fails with it.
    fn dies(&mut self, at: usize, cx: Cx<'_, '_>) {
        let dead = note("dies", edge(at), &[Arg::Part(edge(at))]);
        let cause = cx.say(dead.mark(Tone::Bad));
        let life = self.edges[at].life;
        let mut of_it = Vec::new();
        for (key, viewer) in self.viewers.iter() {
            if viewer.edge == Some((at, life)) && viewer.is_there() {
                of_it.push((key, viewer.place == Place::Waits));
            }
        }
        self.edges[at].restart(cx.now());
        self.edges[at].down = Some(cx.now());
        (self.edges[at].cause, self.edges[at].death) = (cause, cause);
        for key in self.fetches_by(By::Edge(at, life)) {
            if let Some(fetch) = self.fetches.get_mut(key) {
                (fetch.lead, fetch.rest) = (None, Vec::new());
            }
        }
        for (key, waits) in of_it {
            self.edges[at].counts.failed += 1;
            cx.because(cause);
            if waits {
                if let Some(viewer) = self.viewers.get_mut(key) {
                    viewer.cause = cause;
                }
                self.fails(key, "cut-off", cx);
            }
            self.leave(key);
        }
        let now_life = self.edges[at].life;
        cx.because(cause);
        cx.schedule(WITHDRAW, Event::Withdraw(at, now_life));
        cx.schedule(WITHDRAW + REPAIR, Event::Repaired(at, now_life));
    }

    /// The network is built anew: whoever is under way is let go, and what is new is empty.
    fn rebuild(&mut self, was: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let viewers: Vec<Key> = self.viewers.iter().map(|(key, _)| key).collect();
        for key in viewers {
            let there = self.viewers.get(key).filter(|viewer| viewer.is_there());
            if let Some((at, _)) = there.and_then(|viewer| viewer.edge) {
                self.edges[at].counts.requests -= 1;
            }
            self.leave(key);
        }
        let fetches: Vec<Key> = self.fetches.iter().map(|(key, _)| key).collect();
        fetches.into_iter().for_each(|key| self.forget(key));
        self.pool.drop_all(now);
        self.purges.clear();
        self.origin.restart(now);
        self.shield.flights = SingleFlight::default();
        for at in 0..EDGES {
            self.edges[at].flights = SingleFlight::default();
            if at >= was.min(self.count()) {
                self.edges[at].restart(now);
            }
        }
        cx.because(NoteId::NONE);
        let told = [Arg::Count(self.count() as i64)];
        let cause = cx.say(note("rebuilt", ORIGIN, &told));
        for at in 0..self.count() {
            if at >= was {
                cx.because(cause);
                self.edges[at].cause = cx.say(note("empty", edge(at), &[Arg::Part(edge(at))]));
            }
        }
        (self.first, self.hit) = (None, None);
        let begun = now.since(self.since).0 / 1_000_000;
        let back = BEFORE_S.min(self.second).min(begun).min(63);
        let sum =
            (self.second - back..self.second).map(|second| self.seconds[second as usize % 64]);
        let before = sum.map(f64::from).sum::<f64>() / back.max(1) as f64;
        self.change = Some(Change {
            at: now,
            before,
            half: None,
            after: None,
        });
    }

    /// What is watched all the time.
    fn look(&mut self, now: Time) {
        self.now = now;
        if let Some(change) = self.change.as_mut() {
            let span = now.since(change.at);
            match change.half {
                None if span >= SETTLE => change.half = Some(self.asked),
                Some(then) if change.after.is_none() && span >= SETTLE + Time::s(BEFORE_S) => {
                    change.after = Some(f64::from(self.asked - then) / BEFORE_S as f64);
                }
                _ => {}
            }
        }
    }

    /// What is looked at when somebody has an answer: the states that challenges wait for.
    fn judge(&mut self, now: Time) {
        let keep = |since: &mut Option<Time>, holds: bool| {
            if holds {
                since.get_or_insert(now);
            } else {
                *since = None;
            }
        };
        let small = self.knobs.slots <= 40 && self.count() > 0 && self.hit_share(now) >= 0.6;
        keep(&mut self.small, small);
        let quick = |i: usize| {
            let bars = &self.strips[i];
            let full = bars.len() == SHOWN && bars.iter().all(|bar| bar.0 != Told::Failed);
            full && self.median(i).is_some_and(|wait| wait < Time::ms(400))
        };
        let near = self.count() == 1 && self.knobs.rate >= 20 && (0..REGIONS).all(quick);
        keep(&mut self.near, near);
        let lucky = self.campaign.is_some() && self.hit_share(now) >= 0.7;
        keep(&mut self.lucky, lucky);
        let (busy, doors) = (self.knobs.rate >= 20, self.knobs.rate >= 10);
        let many = self.count() >= REGIONS;
        if let Some(purged) = self.purged.as_mut() {
            if !busy || !many {
                purged.calm = None;
            }
            keep(&mut purged.doors, doors && purged.hard && many);
        }
    }

    /// Theory for an edge: expiry and too few places, whichever costs more.
    fn expected(&self) -> f64 {
        if self.count() == 0 {
            return 0.0;
        }
        let chances = self.zipf.probabilities();
        let rate = f64::from(self.knobs.rate) * REGIONS as f64 / self.count() as f64;
        let by_life = expected(&chances, &self.knobs, rate);
        by_life.min(lru_hit_ratio(&chances, self.knobs.slots as usize))
    }
}

/// What a cache passes on of a copy to a fetch, which knows itself when it was sent.
fn passed_on(own: Copy, copy: Copy) -> Copy {
    Copy {
        asked: own.asked,
        came: own.came,
        ..copy
    }
}

fn video_of(url: Url) -> Arg {
    video(url.video)
}

fn seconds(s: u32) -> Arg {
    Arg::Span(Time::s(s.into()))
}

fn answer(failed: bool) -> (Told, &'static str) {
    if failed {
        (Told::Failed, "refused")
    } else {
        (Told::Miss, "passes-on")
    }
}

impl Model for Delivery {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Delivery {
        let now = cx.now();
        let store = || Store::new(knobs.slots, now);
        let mut delivery = Delivery {
            edges: (0..EDGES).map(|_| store()).collect(),
            shield: store(),
            viewers: Slab::default(),
            fetches: Slab::default(),
            gone: [0; 2],
            sources: [Source::default(); REGIONS],
            many: false,
            zipf: Zipf::new(VIDEOS, knobs.skew),
            pool: Pool::default(),
            version: 0,
            strips: Default::default(),
            origin: Recently::new(now),
            asked: 0,
            refused: 0,
            flooded: false,
            flood: NoteId::NONE,
            seconds: [0; 64],
            second: 0,
            purges: Vec::new(),
            purged: None,
            astray: None,
            campaign: None,
            lucky: None,
            turns: [0; 2],
            change: None,
            first: None,
            hit: None,
            detours: 0,
            published: None,
            given: [None; 2],
            failed: [0; REGIONS],
            small: None,
            near: None,
            oldest: 0.0,
            since: now,
            knobs: knobs.clone(),
            now,
        };
        cx.sample(probe::CAPACITY, capacity(knobs));
        cx.sample(probe::EXPECTED, 100.0 * delivery.expected());
        let parts = (0..REGIONS).map(|i| (viewers(i), "live"));
        let caches = (0..EDGES).map(|at| (edge(at), "empty"));
        let others = [(SHIELD, "empty"), (ORIGIN, "has-all")];
        for (part, word) in parts.chain(caches).chain(others) {
            cx.because(NoteId::NONE);
            cx.say(note(word, part, &[Arg::Part(part)]));
        }
        cx.because(NoteId::NONE);
        for (i, ms) in FIRST_MS.into_iter().enumerate() {
            cx.schedule(Time::ms(ms), Event::Early(i, 0));
        }
        cx.schedule(MANY, Event::Many);
        delivery.now = now;
        delivery
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Early(i, n) => {
                let gap = Time::ms(if n == 0 { SECOND_MS } else { NEXT_MS });
                self.comes(
                    i,
                    Url {
                        video: 0,
                        query: None,
                    },
                    false,
                    cx,
                );
                if cx.now() + gap < MANY {
                    cx.because(NoteId::NONE);
                    cx.schedule(gap, Event::Early(i, n + 1));
                }
            }
            Event::Many => {
                self.many = true;
                for i in 0..REGIONS {
                    self.next(i, cx);
                }
            }
            Event::Want(i, turn) if self.sources[i].is_due(turn) => {
                self.want(i, cx);
                cx.because(NoteId::NONE);
                self.next(i, cx);
            }
            Event::Want(..) => {}
            Event::Due(key) => {
                self.due(key, cx);
                self.judge(cx.now());
            }
            Event::GivesUp(key) => self.gives_up(key, cx),
            Event::Fetched(key) => self.fetched(key, cx),
            Event::Done(key) => self.made(key, cx),
            Event::Purge(at, hard) => self.purge(at, hard, cx),
            Event::Ahead(number) => {
                let cause = cx.cause();
                let fetch = self.fetch(By::Ahead, number, u32::from(number), None, cause, cx.now());
                self.arrives(fetch, cx);
                if number + 1 < AHEAD {
                    cx.because(cause);
                    cx.schedule(AHEAD_EVERY, Event::Ahead(number + 1));
                }
            }
            Event::Withdraw(at, life) => {
                if self.edges[at].life == life && self.edges[at].down.is_some() {
                    self.edges[at].withdrawn = true;
                    let told = [Arg::Part(edge(at))];
                    self.edges[at].cause = cx.say(note("withdrawn", edge(at), &told));
                }
            }
            Event::Repaired(at, life) => {
                if self.edges[at].life == life && self.edges[at].down.is_some() {
                    self.edges[at].restart(cx.now());
                    let back = note("back", edge(at), &[Arg::Part(edge(at))]);
                    self.edges[at].cause = cx.say(back.mark(Tone::Ok));
                }
            }
            Event::Mended(turn) => {
                if self.turns[0] == turn && self.astray.take().is_some() {
                    cx.say(note("mended", viewers(INDIA), &[]).mark(Tone::Ok));
                }
            }
            Event::Over(turn) => {
                if self.turns[1] == turn && self.campaign.take().is_some() {
                    self.lucky = None;
                    cx.say(note("over", viewers(0), &[]).mark(Tone::Ok));
                }
            }
        }
        self.look(cx.now());
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        let (old, rate) = (
            std::mem::replace(&mut self.knobs, knobs.clone()),
            knobs.rate,
        );
        for i in 0..REGIONS {
            let turned = self
                .many
                .then(|| self.sources[i].turn(f64::from(rate), now));
            if let Some((gap, turn)) = turned.flatten() {
                cx.schedule(gap, Event::Want(i, turn));
            }
        }
        if old.skew != knobs.skew {
            self.zipf = Zipf::new(VIDEOS, knobs.skew);
        }
        if old.slots != knobs.slots {
            for one in self.edges.iter_mut().chain([&mut self.shield]) {
                one.cache.resize(knobs.slots as usize, cx.random(NO_CHANCE));
            }
        }
        if old.protection != knobs.protection && knobs.protection == Protection::Shield {
            self.shield.cache.clear();
            cx.because(NoteId::NONE);
            cx.say(note("empty", SHIELD, &[Arg::Part(SHIELD)]));
        }
        if old.edges != knobs.edges || old.home != knobs.home {
            self.rebuild(old.count(), cx);
        }
        self.takes(knobs.workers as usize, cx);
        self.since = now;
        (self.small, self.near, self.lucky) = (None, None, None);
        cx.sample(probe::CAPACITY, capacity(knobs));
        cx.sample(probe::EXPECTED, 100.0 * self.expected());
        cx.empty_windows();
        self.look(now);
        self.judge(now);
    }

    fn can(&self, act: Act) -> bool {
        let edges = self.count() > 0;
        match act.spec {
            0 => edges && self.purges.is_empty(),
            2 => edges,
            3 => act.target < self.count() && self.edges[act.target].down.is_none(),
            4 => self.count() >= REGIONS && self.astray.is_none(),
            5 => edges && self.campaign.is_none(),
            _ => true,
        }
    }

    fn aim(&self, _: usize) -> usize {
        let can = |at: usize| self.edges.get(at).is_some_and(|one| one.down.is_none());
        kit::flow::aim(INDIA, self.count(), can)
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        match act.spec {
            0 => {
                let hard = self.knobs.purge == Purge::Hard;
                let word = if hard { "purge" } else { "mark" };
                let ordered = cx.say(note(word, ORIGIN, &[]).mark(Tone::Learner));
                let shield = (self.knobs.protection == Protection::Shield).then_some(EDGES);
                for at in (0..self.count()).chain(shield) {
                    let way = if at < EDGES {
                        half(self.knobs.to_origin(region(at)))
                    } else {
                        BESIDE
                    };
                    self.purges
                        .push((at, Leg::new((), now + SPREAD, way, false)));
                    cx.schedule(SPREAD + way, Event::Purge(at, hard));
                }
                self.purged = Some(Purged {
                    at: now,
                    note: ordered,
                    hard,
                    calm: Some(now),
                    over: false,
                    doors: None,
                });
            }
            1 => {
                self.version += 1;
                self.published = Some(now);
                self.given = [None; 2];
                cx.say(note("publishes", ORIGIN, &[]).mark(Tone::Learner));
            }
            2 => {
                cx.say(note("ahead", ORIGIN, &[Arg::Count(AHEAD.into())]).mark(Tone::Learner));
                cx.schedule(Time::ZERO, Event::Ahead(0));
            }
            3 => self.dies(act.target, cx),
            4 => {
                self.astray = Some(now);
                self.detours = 0;
                self.turns[0] += 1;
                cx.say(note("astray", viewers(INDIA), &[]).mark(Tone::Learner));
                cx.schedule(ASTRAY, Event::Mended(self.turns[0]));
            }
            _ => {
                self.campaign = Some(now);
                self.turns[1] += 1;
                cx.say(note("campaign", viewers(0), &[]).mark(Tone::Learner));
                cx.schedule(CAMPAIGN, Event::Over(self.turns[1]));
            }
        }
        self.look(now);
    }

    fn bytes(&self) -> usize {
        // A copy with its key, its place in the order of use and its place by key.
        let caches = self.edges.iter().chain([&self.shield]);
        let slots: usize = caches
            .map(|one| 96 * one.cache.capacity() + 64 * one.cache.len())
            .sum();
        slots + self.viewers.bytes() + self.fetches.bytes()
    }

    /// Every viewer who waits is known to one fetch or flight, every fetch at the origin to its pool, and each edge's books are even.
    fn audit(&self) -> Result<(), String> {
        let mut waiting = Balance::default();
        let mut asked = Balance::default();
        asked.claim("the origin", self.pool.held.iter().copied());
        asked.claim("the origin", self.pool.queue.iter().copied());
        let joined = self
            .shield
            .flights
            .flights()
            .flat_map(|(_, waiting)| waiting);
        asked.claim("the shield", joined.copied());
        for (_, fetch) in self.fetches.iter() {
            let (balance, holder) = match fetch.by {
                By::Shield => (&mut asked, "the shield"),
                _ => (&mut waiting, "a fetch"),
            };
            balance.claim(
                holder,
                fetch.lead.into_iter().chain(fetch.rest.iter().copied()),
            );
        }
        for (at, one) in self.edges.iter().enumerate() {
            let joined = one.flights.flights().flat_map(|(_, waiting)| waiting);
            waiting.claim("a fetch", joined.copied());
            let here = |viewer: &Viewer| {
                viewer.edge.is_some_and(|(edge, _)| edge == at) && viewer.is_there()
            };
            let here = self
                .viewers
                .iter()
                .filter(|(_, viewer)| here(viewer))
                .count();
            let counts = one.counts;
            let done = counts.hits + counts.misses + counts.stale + counts.joined + counts.failed;
            if counts.requests != done + here as u32 {
                return Err(format!("edge {at}: {counts:?}, {here} wait"));
            }
        }
        waiting.check(&self.viewers, self.gone[0], |_, viewer| {
            viewer.is_there().then_some("a fetch")
        })?;
        asked.check(&self.fetches, self.gone[1], |_, fetch| match fetch.way {
            Way::Origin => Some("the origin"),
            Way::Shield => Some("the shield"),
            _ => None,
        })
    }
}

/// What the origin can do, per second.
pub(super) fn capacity(knobs: &Settings) -> f64 {
    f64::from(knobs.workers) / WORK.as_s()
}

impl Fetch {
    /// The dot that it is drawn for: the first viewer who waits for it.
    pub(super) fn dot(&self) -> u32 {
        self.lead.map_or(0, Key::serial)
    }

    /// What it asks for, and since when.
    #[cfg(test)]
    pub(super) fn asks(&self) -> (u32, Time) {
        (self.key, self.copy.asked)
    }
}
