//! The system: an app, a cache with few slots, and a database with few connections.

use super::probe;
use algorithms::cache::Lookup;
use algorithms::cache_write::{CachedStore, Step, WritePolicy};
use algorithms::eviction::Policy;
use algorithms::single_flight::{Join, SingleFlight};
use algorithms::zipf::{self, Zipf};
use engine::random::{chance, exponential, unit};
use engine::tape::NoteId;
use engine::{
    Act, Action, ActionSpec, Arg, Context, Knobs, Model, Note, PartId, Stream, Time, Tone, Visit,
    choices,
};
use kit::flow::Recently;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One way between app and cache. Stretched, so that it can be seen; latency leaves travel out.
pub(super) const NEAR: Time = Time::ms(60);
/// One way between app and database, on average, and how much quicker or slower the extremes are.
pub(super) const FAR: Time = Time::ms(140);
const UNEVEN: f64 = 0.3;
/// One way between cache and database, for late writes.
pub(super) const LATE: Time = Time::ms(80);
/// What asking the cache takes.
pub(super) const CACHE: Time = Time::ms(1);
/// Keys that users ask for; number 1 is the most popular.
pub(super) const KEYS: u16 = 48;
/// Numbers that celebrities take in turn, after the keys.
const CELEBRITIES: u16 = 8;
/// The number before the first key that only a scan asks for, and how many of these there are.
pub(super) const COLD: u16 = 100;
const COLD_KEYS: u16 = 240;
/// The most slots there can be.
pub(super) const SLOTS_MAX: u32 = 24;
/// How long a celebrity lasts, and the share of reads that it draws.
const CELEBRITY: (Time, f64) = (Time::s(6), 0.5);
/// A scan reads this many cold keys, one after the other at this distance.
pub(super) const SCAN: (u32, Time) = (64, Time::ms(64));
/// What it did is looked at when it has read this many.
const SCAN_SHOWN: u32 = 56;
/// Reads that the hit ratio is measured over.
const WINDOW: u32 = 100;
/// Queries for one key at once that are called a stampede.
pub(super) const STAMPEDE: u32 = 6;
/// The cache worked before the learner came: this long, with this many reads.
const PAST: (u64, u32) = (20_000_000, 600);
/// The rate on the database's card is counted over this span.
const RATE: Time = Time::s(2);
/// Failures, or stale reads, closer than this share one mark on the tape.
const MARKS: Time = Time::s(1);
/// What was begun under another way of writing is over after this.
const SETTLED: Time = Time::s(3);
/// Refresh-ahead fetches an entry anew after this share of its time to live.
const REFRESH: f64 = 0.7;

const ARRIVALS: Stream = Stream::named("arrivals");
const POPULARITY: Stream = Stream::named("popularity");
const CELEBRITY_READS: Stream = Stream::named("celebrity");
const WRITES: Stream = Stream::named("writes");
const WORK: Stream = Stream::named("work");
const TRAVEL: Stream = Stream::named("travel");
const SCAN_WORK: Stream = Stream::named("scan work");
const EVICTION: Stream = Stream::named("eviction");

/// The eviction policies in the order of their buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen(pub(super) Policy);
choices!(Chosen {
    "lru" => Chosen(Policy::Lru),
    "lfu" => Chosen(Policy::Lfu),
    "fifo" => Chosen(Policy::Fifo),
    "random" => Chosen(Policy::Random),
    "clock" => Chosen(Policy::Clock),
    "sieve" => Chosen(Policy::Sieve),
});

/// How writes reach cache and database, in the order of the buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written(pub(super) WritePolicy);
choices!(Written {
    "aside" => Written(WritePolicy::Aside),
    "around" => Written(WritePolicy::Around),
    "through" => Written(WritePolicy::Through),
    "back" => Written(WritePolicy::Back),
    "ahead" => Written(WritePolicy::Ahead),
    "delete-first" => Written(WritePolicy::AsideDeleteFirst),
});

/// Time to live in seconds; none is for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ttl(pub(super) Option<u64>);
choices!(Ttl {
    "never" => Ttl(None),
    "30" => Ttl(Some(30)),
    "10" => Ttl(Some(10)),
    "5" => Ttl(Some(5)),
    "2" => Ttl(Some(2)),
    "1" => Ttl(Some(1)),
});

/// The knobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(super) policy: Chosen,
    pub(super) capacity: u32,
    pub(super) skew: f64,
    pub(super) ttl: Ttl,
    pub(super) writes_percent: f64,
    pub(super) coalesce: bool,
    pub(super) writing: Written,
    pub(super) load_per_s: f64,
    pub(super) flush_s: f64,
    pub(super) query_ms: f64,
    pub(super) connections: f64,
    pub(super) queue: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            policy: Chosen(Policy::Lru),
            capacity: 12,
            skew: 1.0,
            ttl: Ttl(None),
            writes_percent: 0.0,
            coalesce: false,
            writing: Written(WritePolicy::Aside),
            load_per_s: 30.0,
            flush_s: 2.0,
            query_ms: 80.0,
            connections: 2.0,
            queue: 40.0,
        }
    }
}

impl Knobs for Settings {
    fn visit(&mut self, v: &mut dyn Visit) {
        v.choice("policy", &mut self.policy);
        v.whole("capacity", [0, SLOTS_MAX], "", &mut self.capacity);
        v.slider("skew", [0.0, 2.0, 0.1], "", &mut self.skew);
        v.choice("ttl", &mut self.ttl);
        v.slider("writes", [0.0, 60.0, 5.0], "%", &mut self.writes_percent);
        v.switch("coalesce", &mut self.coalesce);
        v.choice("writing", &mut self.writing);
        v.slider("load", [2.0, 120.0, 1.0], "req/s", &mut self.load_per_s);
        v.slider("flush", [0.5, 10.0, 0.5], "s", &mut self.flush_s);
        let query = [5.0, 300.0, 5.0];
        v.part_slider("query", DATABASE, query, "ms", &mut self.query_ms);
        let connections = [1.0, 8.0, 1.0];
        v.part_slider(
            "connections",
            DATABASE,
            connections,
            "",
            &mut self.connections,
        );
        v.part_slider("queue", DATABASE, [0.0, 60.0, 1.0], "", &mut self.queue);
    }
}

impl Settings {
    pub(super) fn connections(&self) -> usize {
        self.connections as usize
    }

    fn ttl_us(&self) -> Option<u64> {
        self.ttl.0.map(|s| s * 1_000_000)
    }

    /// Pushing ahead also fetches entries anew before they expire.
    fn refresh_us(&self) -> Option<u64> {
        let ttl_us = self.ttl_us()?;
        (self.writing.0 == WritePolicy::Ahead).then_some((ttl_us as f64 * REFRESH) as u64)
    }

    /// The hit ratio that theory expects in the long run, where there is a theory: nothing written, nothing expires.
    pub(super) fn expected_hit_ratio(&self) -> Option<f64> {
        if self.ttl.0.is_some() || self.writes_percent > 0.0 {
            return None;
        }
        let popularity = Zipf::new(usize::from(KEYS), self.skew).probabilities();
        let slots = self.capacity as usize;
        let miss = Time(2 * NEAR.0 + 2 * FAR.0) + Time::from_ms(self.query_ms);
        let fetch = self.load_per_s * miss.as_s();
        match self.policy.0 {
            Policy::Lru => Some(zipf::lru_hit_ratio_delayed(&popularity, slots, fetch)),
            Policy::Fifo | Policy::Random => {
                Some(zipf::fifo_hit_ratio_delayed(&popularity, slots, fetch))
            }
            Policy::Lfu => Some(zipf::static_hit_ratio(&popularity, slots)),
            Policy::Clock | Policy::Sieve => None,
        }
    }
}

/// What a learner can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Every slot is emptied.
    Flush,
    /// A new key draws half of all reads for a while.
    Celebrity,
    /// A report reads many cold keys, each once.
    Scan,
    /// The cache node dies; what it held is forgotten.
    Crash,
    /// The cache node is started again, empty.
    Restart,
    /// The time of one cached key is up now (index of the key).
    Expire(u16),
}

impl Break {
    /// What a learner can do, in the order of the buttons.
    pub(super) const SPECS: &'static [ActionSpec] = &[
        ActionSpec::whole("scan"),
        ActionSpec::whole("celebrity"),
        ActionSpec::whole("flush"),
        ActionSpec::whole("crash"),
        ActionSpec::whole("restart"),
        ActionSpec::aimed("expire", "key"),
    ];
}

impl Action for Break {
    fn from_act(act: Act) -> Option<Break> {
        match act.spec {
            0 => Some(Break::Scan),
            1 => Some(Break::Celebrity),
            2 => Some(Break::Flush),
            3 => Some(Break::Crash),
            4 => Some(Break::Restart),
            5 if act.target < usize::from(KEYS + CELEBRITIES) => {
                Some(Break::Expire(act.target as u16 + 1))
            }
            _ => None,
        }
    }
}

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A user reads.
    Read,
    /// A user writes.
    Write,
    /// The report reads.
    Scan,
    /// An entry is fetched anew before it expires; nobody waits.
    Refresh,
    /// A late write travels from the cache to the database; nobody waits.
    Late,
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    ToCache,
    FromCache,
    ToDatabase,
    FromDatabase,
    /// From the cache to the database.
    Late,
    /// Answered; its value travels to the cache.
    Fill,
    /// In the queue of the database.
    Queued,
    /// With a connection of the database.
    InService,
    /// At the app, waiting for somebody else's query.
    Joined,
}

/// What came of the last trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    None,
    Hit,
    Miss,
    /// The cache is down.
    Down,
    /// The database turned it away.
    Refused,
    Done,
}

/// One request, or one job that the system does for itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    /// From 1; 0 marks a free place.
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) key: u16,
    pub(super) leg: Leg,
    pub(super) outcome: Outcome,
    /// When it reaches the end of the link that it travels on.
    pub(super) arrives: Time,
    /// What it carries: the version read, or the one to be written.
    version: u32,
    /// The newest version acknowledged when it began: reading an older one is a stale read.
    seen: u32,
    /// Whether others wait for its answer.
    leads: bool,
    /// Whether it will fail, once it has cleaned up.
    doomed: bool,
    steps: &'static [Step],
    step: usize,
    /// Mean queries' worth of work; drawn on arrival, so that twins do the same work.
    work: f64,
    /// How long it travels to the database, and back: networks are not equally quick for all.
    pub(super) far: Time,
    /// Since when it waits where it waits.
    since: Time,
    /// What it has waited for stores so far.
    spent: Time,
    note: NoteId,
}

impl Job {
    /// The step of a write that it is at.
    pub(super) fn at_step(&self) -> Option<Step> {
        self.steps.get(self.step).copied()
    }
}

/// What is due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next request of a user begins.
    Arrive,
    /// The report reads its next key, if it is still this one.
    Scan(u32),
    /// A job reaches the cache.
    AtCache(u32),
    /// A job is back at the app.
    AtApp(u32),
    /// A job reaches the database.
    AtDatabase(u32),
    /// A connection is done with a job.
    Finish(u32),
    /// A value reaches the cache.
    Fill(u32),
    /// The app learns that a value is stored.
    Stored(u16),
    /// Late writes are due.
    Flush,
    /// The celebrity of this number is forgotten.
    CelebrityEnd(u32),
}

/// Where a cached key's card stands in the grid, and where it came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spot {
    pub(super) key: u16,
    /// Its place, counted from the one that is safest.
    pub(super) to: u8,
    /// The place before, and when it left it.
    pub(super) from: u8,
    pub(super) since: Time,
}

/// The users' last reads, newest first, and how many of them hit; begins anew when the cache does, so that what it
/// says is about the cache that is seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recent {
    bits: u128,
    pub(super) reads: u32,
}

impl Recent {
    fn push(&mut self, hit: bool) {
        self.bits = ((self.bits << 1) | u128::from(hit)) & ((1 << WINDOW) - 1);
        self.reads = (self.reads + 1).min(WINDOW);
    }

    /// How many of them hit.
    pub(super) fn hits(&self) -> u32 {
        self.bits.count_ones()
    }

    /// Hits over reads; 0 before the first.
    pub(super) fn ratio(&self) -> f64 {
        f64::from(self.hits()) / f64::from(self.reads.max(1))
    }
}

/// A report that reads cold keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    pub(super) sent: u32,
    /// Users' hits and reads since it began.
    pub(super) hits: u32,
    pub(super) reads: u32,
    /// How many of its keys the cache held when nearly all were read.
    pub(super) kept: Option<usize>,
    pub(super) capacity: u32,
    pub(super) skew: f64,
    pub(super) over: bool,
}

/// A key that everybody wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Celebrity {
    pub(super) key: u16,
    pub(super) active: bool,
    /// Queries sent for it until the cache had it.
    pub(super) queries: u32,
    /// Requests that waited for somebody else's query.
    pub(super) joined: u32,
    pub(super) filled: bool,
}

/// A crash of the cache.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) at: Time,
    /// Whether it lasts.
    pub(super) open: bool,
    pub(super) failed: u32,
    pub(super) load_per_s: f64,
}

/// What the story and the challenges look at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watch {
    /// The last key that had to leave, for whom, and when.
    pub(super) evicted: Option<(u16, u16, Time)>,
    /// How long nobody had to leave before that.
    pub(super) quiet: Time,
    pub(super) scan: Option<Scan>,
    pub(super) celebrity: Option<Celebrity>,
    pub(super) outage: Option<Outage>,
    pub(super) stale: u32,
    /// The last of them.
    pub(super) stale_at: Time,
    /// Stale reads of copies that lost a race: read before a write, stored after its drop.
    pub(super) stale_raced: u32,
    pub(super) lost_writes: u32,
    /// Users' reads and hits in a row with at most eight slots and a skew of at most 1.
    pub(super) lean: (u32, u32),
    /// The last flush or restart, until the cache is full again.
    pub(super) cold: bool,
}

/// The app.
pub(super) const APP: PartId = PartId::one("app");
/// The cache.
pub(super) const CACHE_PART: PartId = PartId::one("cache");
/// The database.
pub(super) const DATABASE: PartId = PartId::one("database");
/// The link between app and cache.
pub(super) const NEAR_LINK: PartId = PartId::one("near");
/// The link between app and database.
pub(super) const FAR_LINK: PartId = PartId::one("far");
/// The link between cache and database.
pub(super) const LATE_LINK: PartId = PartId::one("late");
/// Who leaves the cache next.
pub(super) const VICTIM: PartId = PartId::one("victim");
/// The cache's whole card: what the story frames when it speaks of the keys in it.
pub(super) const GRID: PartId = PartId::one("grid");
/// The strip of all keys.
pub(super) const STRIP: PartId = PartId::one("strip");

/// The part of a key.
pub(super) const fn key_part(key: u16) -> PartId {
    if key > COLD {
        PartId::nth("cold", key - COLD)
    } else {
        PartId::nth("key", key)
    }
}

/// The simulated system.
#[derive(Clone)]
pub struct Caching {
    pub(super) store: CachedStore<u16, u32>,
    flights: SingleFlight<u16, u32, u32>,
    popularity: Zipf,
    jobs: Vec<Job>,
    free: Vec<u32>,
    /// When the cache crashed, while it is down.
    pub(super) down: Option<Time>,
    /// What was said of the last crash.
    crash_note: NoteId,
    pub(super) queue: VecDeque<u32>,
    pub(super) serving: Vec<u32>,
    /// Queries of the last seconds, for the rate on the card.
    queries: Recently<1>,
    /// Queries under way for each key that has any.
    pub(super) asking: BTreeMap<u16, u32>,
    stampede: Option<u16>,
    pub(super) spots: Vec<Spot>,
    /// When each key was last used and loaded, on the clock of the cache.
    touched_us: Vec<u64>,
    loaded_us: Vec<u64>,
    acknowledged: Vec<u32>,
    /// Keys whose cached copy was read before a write under cache-aside and stored after its drop.
    raced: BTreeSet<u16>,
    /// What made the cached copy of a key old, for the chain of causes.
    outdated: BTreeMap<u16, NoteId>,
    /// Since when writes go as they do; what began under another policy does not count as a race.
    writing_since: Time,
    versions: u32,
    numbers: u32,
    scans: u32,
    cold_next: u16,
    celebrities: u32,
    pub(super) recent: Recent,
    pub(super) expected: Option<f64>,
    pub(super) now: Time,
    born: [u64; 5],
    served: [u64; 5],
    failed: [u64; 5],
    marked: [Option<Time>; 2],
    pub(super) watch: Watch,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

/// The cache's clock begins before the run does, so that entries can be older than it.
pub(super) const fn clock_us(now: Time) -> u64 {
    now.0 + PAST.0
}

impl Model for Caching {
    type Knobs = Settings;
    type Event = Event;
    type Action = Break;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Caching {
        let everything = (1..=KEYS + CELEBRITIES).chain(COLD + 1..=COLD + COLD_KEYS);
        let keys = usize::from(COLD + COLD_KEYS) + 1;
        let store = CachedStore::new(
            knobs.writing.0,
            knobs.policy.0,
            knobs.capacity as usize,
            knobs.ttl_us(),
            everything.map(|key| (key, 0)).collect(),
        );
        let mut model = Caching {
            store,
            flights: SingleFlight::default(),
            popularity: Zipf::new(usize::from(KEYS), knobs.skew),
            jobs: Vec::new(),
            free: Vec::new(),
            down: None,
            crash_note: NoteId::NONE,
            queue: VecDeque::new(),
            serving: Vec::new(),
            queries: Recently::new(Time::ZERO),
            asking: BTreeMap::new(),
            stampede: None,
            spots: Vec::new(),
            touched_us: vec![0; keys],
            loaded_us: vec![0; keys],
            acknowledged: vec![0; keys],
            raced: BTreeSet::new(),
            outdated: BTreeMap::new(),
            writing_since: Time::ZERO,
            versions: 0,
            numbers: 0,
            scans: 0,
            cold_next: 0,
            celebrities: 0,
            recent: Recent::default(),
            expected: knobs.expected_hit_ratio(),
            now: Time::ZERO,
            born: [0; 5],
            served: [0; 5],
            failed: [0; 5],
            marked: [None; 2],
            watch: Watch::default(),
        };
        model.remember(cx);
        model.arrange(Time::ZERO);
        model.set_off(knobs, cx);
        cx.schedule(Time::from_s(knobs.flush_s), Event::Flush);
        model.measure(cx);
        model
    }

    fn on_start(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.watch.lean = (0, 0);
        // What the parts are there for, until something happens to them.
        let load = Arg::Number(knobs.load_per_s);
        let connections = Arg::Number(knobs.connections);
        let slots = count(knobs.capacity);
        for note in [
            Note::new("asks-first").with(load).about(APP),
            Note::new("comes-back").about(NEAR_LINK),
            Note::new("long-way").about(FAR_LINK),
            Note::new("slots").with(slots).about(GRID),
            Note::new("works-on").with(connections).about(DATABASE),
            Note::new("popular")
                .with(Arg::Number(knobs.skew))
                .about(STRIP),
        ] {
            cx.because(NoteId::NONE);
            cx.say(note);
        }
        cx.sample(probe::HIT_RATIO, self.recent.ratio() * 100.0);
        self.measure(cx);
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Arrive => {
                let gap = exponential(cx.random(ARRIVALS), Time::from_s(1.0 / knobs.load_per_s));
                cx.schedule(gap, Event::Arrive);
                self.arrive(Time::ZERO, knobs, cx);
            }
            Event::Scan(scan) => self.scan(scan, cx),
            Event::AtCache(slot) => self.at_cache(slot, Time::ZERO, knobs, cx),
            Event::AtApp(slot) => self.at_app(slot, knobs, cx),
            Event::AtDatabase(slot) => self.at_database(slot, knobs, cx),
            Event::Finish(slot) => self.finish(slot, knobs, cx),
            Event::Fill(slot) => self.fill(slot, cx),
            Event::Stored(key) => self.flights.close(&key),
            Event::Flush => {
                cx.schedule(Time::from_s(knobs.flush_s), Event::Flush);
                self.flush_late(cx);
            }
            Event::CelebrityEnd(number) => {
                if number == self.celebrities {
                    self.forget_celebrity(cx);
                }
            }
        }
        self.measure(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let popularity = Zipf::new(usize::from(KEYS), knobs.skew);
        if popularity.probabilities() != self.popularity.probabilities() {
            let note = Note::new("popular").with(Arg::Number(knobs.skew));
            cx.say(note.about(STRIP));
        }
        self.popularity = popularity;
        self.store.ttl_us = knobs.ttl_us();
        self.store.refresh_after_us = knobs.refresh_us();
        if self.store.write_policy != knobs.writing.0 {
            self.store.write_policy = knobs.writing.0;
            self.writing_since = cx.now();
            // Old answers under another way of writing say nothing about this one.
            self.watch.stale = 0;
            if knobs.writing.0 == WritePolicy::Back {
                cx.say(Note::new("late-way").about(LATE_LINK));
            }
            if knobs.writing.0 != WritePolicy::Back {
                self.flush_late(cx);
            }
        }
        if self.store.cache().policy() != knobs.policy.0 {
            self.store.cache_mut().set_policy(knobs.policy.0);
        }
        if self.store.cache().capacity() != knobs.capacity as usize {
            self.resize(knobs, cx);
            self.recent = Recent::default();
        }
        self.expected = knobs.expected_hit_ratio();
        self.watch.lean = (0, 0);
        if let Some(outage) = &mut self.watch.outage {
            outage.load_per_s = outage.load_per_s.min(knobs.load_per_s);
        }
        self.arrange(cx.now());
        self.put_to_work(knobs, cx);
        self.measure(cx);
    }

    fn can(&self, action: Break) -> bool {
        let up = self.down.is_none();
        match action {
            Break::Flush => up && !self.store.cache().is_empty(),
            Break::Celebrity => true,
            Break::Scan => self.watch.scan.is_none_or(|scan| scan.over),
            Break::Crash => up,
            Break::Restart => !up,
            Break::Expire(key) => up && self.store.cache().peek(&key).is_some(),
        }
    }

    fn aim(&self, spec: usize) -> usize {
        // The most popular cached key: its absence is felt at once.
        let celebrity = self.watch.celebrity.filter(|celebrity| celebrity.active);
        celebrity
            .map(|celebrity| celebrity.key)
            .into_iter()
            .chain(1..=KEYS + CELEBRITIES)
            .map(|key| usize::from(key) - 1)
            .find(|target| {
                let act = Act {
                    spec,
                    target: *target,
                };
                Break::from_act(act).is_some_and(|action| self.can(action))
            })
            .unwrap_or(0)
    }

    fn on_action(&mut self, action: Break, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match action {
            Break::Flush => {
                let keys: Vec<u16> = self.cached().collect();
                let note = Note::new("emptied").with(Arg::Count(keys.len() as i64));
                let note = note.about(CACHE_PART).mark(Tone::Warn);
                let said = cx.say(if self.watch.cold {
                    note
                } else {
                    note.begins("cold", 0)
                });
                self.recent = Recent::default();
                for key in keys {
                    cx.because(said);
                    self.forget(key, cx);
                }
                self.watch.cold = true;
                cx.because(said);
                self.say_empty(cx);
                self.arrange(cx.now());
            }
            Break::Celebrity => {
                let key = KEYS + 1 + (self.celebrities % u32::from(CELEBRITIES)) as u16;
                self.celebrities += 1;
                self.forget_celebrity(cx);
                self.watch.celebrity = Some(Celebrity {
                    key,
                    active: true,
                    queries: 0,
                    joined: 0,
                    filled: self.store.cache().peek(&key).is_some(),
                });
                cx.say(
                    Note::new("celebrity")
                        .with(name(key))
                        .about(APP)
                        .mark(Tone::Warn)
                        .begins("celebrity", 0),
                );
                cx.say(Note::new("wanted").with(name(key)).about(STRIP));
                cx.schedule(CELEBRITY.0, Event::CelebrityEnd(self.celebrities));
            }
            Break::Scan => {
                self.scans += 1;
                self.watch.scan = Some(Scan {
                    sent: 0,
                    hits: 0,
                    reads: 0,
                    kept: None,
                    capacity: knobs.capacity,
                    skew: knobs.skew,
                    over: false,
                });
                cx.say(
                    Note::new("scan")
                        .with(count(SCAN.0))
                        .about(APP)
                        .mark(Tone::Warn)
                        .begins("scan", 0),
                );
                cx.schedule(Time::ZERO, Event::Scan(self.scans));
            }
            Break::Crash => self.crash(knobs, cx),
            Break::Restart => {
                self.down = None;
                self.recent = Recent::default();
                self.watch.cold = true;
                if let Some(outage) = &mut self.watch.outage {
                    outage.open = false;
                }
                cx.say(
                    Note::new("restarted")
                        .about(CACHE_PART)
                        .mark(Tone::Ok)
                        .ends("down", 0),
                );
                cx.say(
                    Note::new("cold")
                        .about(CACHE_PART)
                        .begins("cold", 0)
                        .mark(Tone::Warn),
                );
            }
            Break::Expire(key) => {
                let said = cx.say(
                    Note::new("you-expire")
                        .with(name(key))
                        .about(CACHE_PART)
                        .mark(Tone::Warn),
                );
                cx.because(said);
                self.forget(key, cx);
                self.arrange(cx.now());
            }
        }
        self.measure(cx);
    }

    fn audit(&self) -> Result<(), String> {
        let mut open = [0_u64; 5];
        let (mut queued, mut serving, mut joined) = (0, 0, 0);
        let mut asking = BTreeMap::new();
        for (slot, job) in self.jobs.iter().enumerate() {
            if job.number == 0 {
                continue;
            }
            let slot = slot as u32;
            if job.leg != Leg::Fill {
                open[job.kind as usize] += 1;
            }
            match job.leg {
                Leg::Queued => queued += usize::from(self.queue.contains(&slot)),
                Leg::InService => serving += usize::from(self.serving.contains(&slot)),
                Leg::Joined => {
                    joined += usize::from(self.flights.waiting(&job.key).contains(&slot));
                }
                _ => {}
            }
            if reads_database(job) {
                *asking.entry(job.key).or_insert(0) += 1;
            }
        }
        if (queued, serving) != (self.queue.len(), self.serving.len()) {
            return Err(format!(
                "the database holds {} and {}, jobs say {queued} and {serving}",
                self.queue.len(),
                self.serving.len()
            ));
        }
        let waiting: usize = self.flights.flights().map(|(_, who)| who.len()).sum();
        if waiting != joined {
            return Err(format!("flights hold {waiting}, jobs say {joined}"));
        }
        for (key, _) in self.joined() {
            if !self.jobs().any(|job| job.leads && job.key == key) {
                return Err(format!(
                    "requests wait for key {key}, but nobody fetches it"
                ));
            }
        }
        if asking != self.asking {
            return Err(format!("asking is {:?}, jobs say {asking:?}", self.asking));
        }
        for (kind, open) in open.into_iter().enumerate() {
            let accounted = self.served[kind] + self.failed[kind] + open;
            if self.born[kind] != accounted {
                return Err(format!(
                    "kind {kind}: {} came in, {accounted} are accounted for",
                    self.born[kind]
                ));
            }
        }
        let mut cached: Vec<u16> = self.cached().collect();
        let mut drawn: Vec<u16> = self.spots.iter().map(|spot| spot.key).collect();
        cached.sort_unstable();
        drawn.sort_unstable();
        if cached != drawn {
            return Err(format!("the cache holds {cached:?}, the grid {drawn:?}"));
        }
        if cached.len() > self.store.cache().capacity() {
            return Err(format!("{} keys do not fit", cached.len()));
        }
        Ok(())
    }
}

/// Whether a job is a question to the database that has not been answered yet.
fn reads_database(job: &Job) -> bool {
    matches!(job.kind, Kind::Read | Kind::Scan | Kind::Refresh)
        && matches!(job.leg, Leg::ToDatabase | Leg::Queued | Leg::InService)
}

fn name(key: u16) -> Arg {
    Arg::Part(key_part(key))
}

fn count(n: u32) -> Arg {
    Arg::Count(i64::from(n))
}

impl Caching {
    /// Jobs that are somewhere.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.number > 0)
    }

    /// The job in a place that a queue or a connection holds.
    pub(super) fn job(&self, slot: u32) -> &Job {
        &self.jobs[slot as usize]
    }

    /// Requests at the app that wait for somebody else's query, by key.
    pub(super) fn joined(&self) -> impl Iterator<Item = (u16, &[u32])> {
        self.flights
            .flights()
            .filter(|(_, who)| !who.is_empty())
            .map(|(key, who)| (*key, who))
    }

    /// Queries a second that reached the database in the last two seconds.
    pub(super) fn queries_per_s(&self, at: Time) -> f64 {
        self.queries.per_s(0, RATE, at)
    }

    /// Requests on their way that tell the cache to drop a key.
    pub(super) fn drops(&self) -> usize {
        let drops = |job: &&Job| job.leg == Leg::ToCache && job.at_step() == Some(Step::Invalidate);
        self.jobs().filter(drops).count()
    }

    /// How long ago a cached key was used.
    pub(super) fn unused(&self, key: u16, at: Time) -> Time {
        Time(clock_us(at).saturating_sub(self.touched_us[usize::from(key)]))
    }

    /// How long ago a cached key was loaded.
    pub(super) fn age(&self, key: u16, at: Time) -> Time {
        Time(clock_us(at).saturating_sub(self.loaded_us[usize::from(key)]))
    }

    /// The cached keys, in slot order.
    pub(super) fn cached(&self) -> impl Iterator<Item = u16> + '_ {
        self.store
            .cache()
            .slots()
            .iter()
            .flatten()
            .map(|entry| entry.key)
    }

    /// Whether a cached key still answers with what the database no longer says.
    pub(super) fn is_stale(&self, key: u16, at: Time) -> bool {
        let entry = self.store.cache().peek(&key);
        entry.is_some_and(|entry| !entry.is_expired(clock_us(at))) && self.store.is_stale(&key)
    }

    /// The share of the users' requests that want a key now.
    pub(super) fn share_now(&self, key: u16) -> f64 {
        let usual = if key <= KEYS {
            self.popularity.probability(usize::from(key) - 1)
        } else {
            0.0
        };
        match self.watch.celebrity.filter(|celebrity| celebrity.active) {
            Some(celebrity) if celebrity.key == key => CELEBRITY.1,
            Some(_) => usual * (1.0 - CELEBRITY.1),
            None => usual,
        }
    }

    /// The key that leaves next, if a newcomer would find no free slot.
    pub(super) fn next_to_leave(&self) -> Option<u16> {
        let cache = self.store.cache();
        if cache.len() < cache.capacity() {
            return None;
        }
        let entry = cache.slots().get(cache.next_victim()?)?.as_ref()?;
        Some(entry.key)
    }

    #[cfg(test)]
    pub(super) fn totals(&self) -> ([u64; 5], [u64; 5], [u64; 5]) {
        (self.born, self.served, self.failed)
    }

    /// Reads that happened before the run, all at their own moments, without travel.
    fn remember(&mut self, cx: Cx<'_, '_>) {
        for read in 0..PAST.1 {
            let now_us = u64::from(read) * PAST.0 / u64::from(PAST.1);
            let key = 1 + self.popularity.rank_at(1.0 - unit(cx.random(POPULARITY))) as u16;
            let hit = matches!(self.store.look_up(&key, now_us), Lookup::Hit(_));
            self.recent.push(hit);
            if !hit {
                self.loaded_us[usize::from(key)] = now_us;
                self.store.fill(key, 0, now_us, cx.random(EVICTION));
            }
            self.touched_us[usize::from(key)] = now_us;
        }
        for key in self.cached().collect::<Vec<u16>>() {
            cx.because(NoteId::NONE);
            cx.say(Note::new("before").with(name(key)).about(key_part(key)));
        }
    }

    /// Fills the link to the cache as if requests had been sent before.
    fn set_off(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let mut ago = Time(2 * NEAR.0);
        loop {
            let gap = exponential(cx.random(ARRIVALS), Time::from_s(1.0 / knobs.load_per_s));
            if gap >= ago {
                // Nothing that was said so far led to the requests that follow.
                cx.because(NoteId::NONE);
                cx.schedule(gap - ago, Event::Arrive);
                return;
            }
            ago = ago - gap;
            self.arrive(ago, knobs, cx);
        }
    }

    fn spawn(&mut self, kind: Kind, key: u16, work: f64, cx: Cx<'_, '_>) -> u32 {
        self.numbers += 1;
        self.born[kind as usize] += 1;
        let hurry = match kind {
            Kind::Read | Kind::Write => unit(cx.random(TRAVEL)),
            // What a policy sends by itself must not change what users' requests draw.
            Kind::Scan | Kind::Refresh | Kind::Late => 0.5,
        };
        let job = Job {
            number: self.numbers,
            kind,
            key,
            leg: Leg::ToCache,
            outcome: Outcome::None,
            arrives: cx.now(),
            version: 0,
            seen: self.acknowledged[usize::from(key)],
            leads: false,
            doomed: false,
            steps: &[],
            step: 0,
            work,
            far: Time((FAR.0 as f64 * (1.0 + UNEVEN * (2.0 * hurry - 1.0))) as u64),
            since: cx.now(),
            spent: Time::ZERO,
            note: NoteId::NONE,
        };
        if let Some(slot) = self.free.pop() {
            self.jobs[slot as usize] = job;
            slot
        } else {
            self.jobs.push(job);
            self.jobs.len() as u32 - 1
        }
    }

    #[inline]
    fn at(&mut self, slot: u32) -> &mut Job {
        &mut self.jobs[slot as usize]
    }

    /// Sends a job along a link, of which it has already come so far.
    fn travel(&mut self, slot: u32, leg: Leg, gone: Time, cx: Cx<'_, '_>) {
        let far = self.job(slot).far;
        let (span, event) = match leg {
            Leg::ToCache => (NEAR, Event::AtCache(slot)),
            Leg::FromCache => (NEAR, Event::AtApp(slot)),
            Leg::ToDatabase => (far, Event::AtDatabase(slot)),
            Leg::FromDatabase => (far, Event::AtApp(slot)),
            Leg::Late => (LATE, Event::AtDatabase(slot)),
            Leg::Fill => (NEAR, Event::Fill(slot)),
            Leg::Queued | Leg::InService | Leg::Joined => return,
        };
        let left = span.since(gone);
        let job = self.at(slot);
        (job.leg, job.arrives) = (leg, cx.now() + left);
        if leg == Leg::ToDatabase && reads_database(self.job(slot)) {
            self.ask(slot, cx);
        }
        cx.schedule(left, event);
    }

    /// Counts a question to the database, and notices a stampede.
    fn ask(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let key = self.job(slot).key;
        let asking = self.asking.entry(key).or_insert(0);
        *asking += 1;
        let now = *asking;
        if let Some(celebrity) = &mut self.watch.celebrity
            && celebrity.key == key
            && !celebrity.filled
        {
            celebrity.queries += 1;
        }
        if now >= STAMPEDE && self.stampede.is_none() {
            self.stampede = Some(key);
            let note = Note::new("stampede").with(count(now)).with(name(key));
            cx.say(note.about(DATABASE).mark(Tone::Bad).begins("stampede", 0));
        }
    }

    fn answered_by_database(&mut self, key: u16, cx: Cx<'_, '_>) {
        let left = self.asking.get_mut(&key).map_or(0, |asking| {
            *asking -= 1;
            *asking
        });
        if left == 0 {
            self.asking.remove(&key);
        }
        if left <= 1 && self.stampede == Some(key) {
            self.stampede = None;
            let note = Note::new("stampede-over").with(name(key));
            cx.say(note.about(DATABASE).mark(Tone::Ok).ends("stampede", 0));
        }
    }

    /// A user's request begins, `gone` ago.
    fn arrive(&mut self, gone: Time, knobs: &Settings, cx: Cx<'_, '_>) {
        // Everything is drawn for every request, so that no knob changes what the others draw.
        let rank = self.popularity.rank_at(1.0 - unit(cx.random(POPULARITY)));
        let famous = chance(cx.random(CELEBRITY_READS), CELEBRITY.1);
        let writes = unit(cx.random(WRITES)) < knobs.writes_percent / 100.0;
        let work = 0.5 + unit(cx.random(WORK));
        let celebrity = self.watch.celebrity.filter(|c| c.active && famous);
        let key = celebrity.map_or(rank as u16 + 1, |celebrity| celebrity.key);
        if writes {
            let slot = self.spawn(Kind::Write, key, work, cx);
            let steps = self.store.write_policy.steps();
            self.at(slot).steps = steps;
            let note = Note::new("writes")
                .with(count(self.job(slot).number))
                .with(name(key));
            self.at(slot).note = cx.say(note.about(APP).dot(self.job(slot).number));
            self.write_on(slot, cx);
            return;
        }
        let slot = self.spawn(Kind::Read, key, work, cx);
        if gone < NEAR {
            self.travel(slot, Leg::ToCache, gone, cx);
        } else {
            self.at_cache(slot, gone - NEAR, knobs, cx);
        }
    }

    /// The celebrity's hour is over, if there is one.
    fn forget_celebrity(&mut self, cx: Cx<'_, '_>) {
        if let Some(celebrity) = self.watch.celebrity.as_mut().filter(|c| c.active) {
            celebrity.active = false;
            let note = Note::new("forgotten").with(name(celebrity.key));
            cx.say(note.about(STRIP).mark(Tone::Ok).ends("celebrity", 0));
        }
    }

    /// The report reads its next cold key.
    fn scan(&mut self, number: u32, cx: Cx<'_, '_>) {
        let Some(scan) = self.watch.scan.as_mut().filter(|_| number == self.scans) else {
            return;
        };
        if scan.sent == SCAN.0 {
            scan.over = true;
            let note = Note::new("scan-over").with(Arg::Share(self.recent.ratio()));
            cx.say(note.about(APP).mark(Tone::Ok).ends("scan", 0));
            return;
        }
        scan.sent += 1;
        if scan.sent == SCAN_SHOWN {
            let slots = self.store.cache().slots();
            scan.kept = Some(slots.iter().flatten().filter(|e| e.key > COLD).count());
        }
        self.cold_next = self.cold_next % COLD_KEYS + 1;
        let work = 0.5 + unit(cx.random(SCAN_WORK));
        let slot = self.spawn(Kind::Scan, COLD + self.cold_next, work, cx);
        self.travel(slot, Leg::ToCache, Time::ZERO, cx);
        cx.schedule(SCAN.1, Event::Scan(number));
    }

    /// A write goes to where its step leads, or is done.
    fn write_on(&mut self, slot: u32, cx: Cx<'_, '_>) {
        match self.job(slot).at_step() {
            Some(step) if step.is_database() => self.travel(slot, Leg::ToDatabase, Time::ZERO, cx),
            Some(_) => self.travel(slot, Leg::ToCache, Time::ZERO, cx),
            None => {
                let job = *self.job(slot);
                if job.doomed {
                    self.settle(slot, false, cx);
                } else {
                    let key = usize::from(job.key);
                    self.acknowledged[key] = self.acknowledged[key].max(job.version);
                    cx.sample(probe::WRITE_LATENCY, job.spent.0 as f64);
                    let note = Note::new("written")
                        .with(count(job.number))
                        .with(name(job.key))
                        .with(Arg::Span(job.spent));
                    cx.say(note.about(APP).dot(job.number));
                    self.settle(slot, true, cx);
                }
                self.release(slot);
            }
        }
    }

    /// The version that a write carries, given when it first changes something.
    fn version(&mut self, slot: u32) -> u32 {
        if self.job(slot).version == 0 {
            self.versions += 1;
            self.at(slot).version = self.versions;
        }
        self.job(slot).version
    }

    /// A request reaches the cache (`gone` ago).
    fn at_cache(&mut self, slot: u32, gone: Time, knobs: &Settings, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        self.at(slot).spent += CACHE;
        let outcome = if self.down.is_some() {
            cx.because(self.crash_note);
            let note = Note::new("unreachable").with(count(job.number));
            self.at(slot).note = cx.say(note.about(NEAR_LINK).dot(job.number));
            Outcome::Down
        } else if job.kind == Kind::Write {
            self.write_cache(slot, cx);
            Outcome::Done
        } else {
            self.look_up(slot, cx)
        };
        self.at(slot).outcome = outcome;
        if job.kind == Kind::Read {
            let hit = outcome == Outcome::Hit;
            self.count_read(hit, knobs, cx);
            if hit {
                cx.sample(probe::LATENCY, CACHE.0 as f64);
            }
        }
        self.travel(slot, Leg::FromCache, gone, cx);
    }

    fn look_up(&mut self, slot: u32, cx: Cx<'_, '_>) -> Outcome {
        let (key, number) = (self.job(slot).key, self.job(slot).number);
        let now_us = clock_us(cx.now());
        let old = self.is_stale(key, cx.now());
        let (word, outcome) = match self.store.look_up(&key, now_us) {
            Lookup::Hit(version) => {
                self.touched_us[usize::from(key)] = now_us;
                self.at(slot).version = version;
                if let Some(outdated) = self.outdated.get(&key).filter(|_| old) {
                    cx.because(*outdated);
                }
                (if old { "hit-old" } else { "hit" }, Outcome::Hit)
            }
            Lookup::Miss => ("miss", Outcome::Miss),
            Lookup::Expired => ("expired", Outcome::Miss),
        };
        let note = Note::new(word).with(count(number)).with(name(key));
        let about = if outcome == Outcome::Hit {
            key_part(key)
        } else {
            CACHE_PART
        };
        self.at(slot).note = cx.say(note.about(about).dot(number));
        if outcome == Outcome::Hit
            && self.store.is_refresh_due(&key, now_us)
            && !self.asking.contains_key(&key)
        {
            let work = self.job(slot).work;
            let fetch = self.spawn(Kind::Refresh, key, work, cx);
            let note = Note::new("refresh").with(name(key));
            self.at(fetch).note = cx.say(note.about(CACHE_PART).dot(self.job(fetch).number));
            self.travel(fetch, Leg::ToDatabase, Time::ZERO, cx);
        }
        self.arrange(cx.now());
        outcome
    }

    /// Keeps account of a user's read.
    fn count_read(&mut self, hit: bool, knobs: &Settings, cx: Cx<'_, '_>) {
        self.recent.push(hit);
        cx.sample(probe::HIT_RATIO, self.recent.ratio() * 100.0);
        if let Some(scan) = self.watch.scan.as_mut().filter(|scan| !scan.over) {
            scan.reads += 1;
            scan.hits += u32::from(hit);
            scan.capacity = scan.capacity.max(knobs.capacity);
            scan.skew = scan.skew.max(knobs.skew);
        }
        let calm = self
            .watch
            .celebrity
            .is_none_or(|celebrity| !celebrity.active);
        if knobs.capacity <= 8 && knobs.skew <= 1.0 && knobs.load_per_s >= 30.0 && calm {
            self.watch.lean.0 += 1;
            self.watch.lean.1 += u32::from(hit);
            if self.watch.lean.0 > 240 {
                self.watch.lean = (self.watch.lean.0 / 2, self.watch.lean.1 / 2);
            }
        }
    }

    /// A write's step at the cache.
    fn write_cache(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        let Some(step) = job.at_step() else { return };
        if step == Step::Invalidate {
            let known = self.store.cache().peek(&job.key).is_some();
            if known {
                let note = Note::new("dropped")
                    .with(name(job.key))
                    .with(count(job.number));
                self.at(slot).note = cx.say(note.about(CACHE_PART).dot(job.number));
            }
            self.forget(job.key, cx);
            self.arrange(cx.now());
            return;
        }
        let version = self.version(slot);
        let dirty = step == Step::WriteCacheDirty;
        let word = if dirty { "wrote-late" } else { "wrote-cache" };
        let note = Note::new(word).with(name(job.key)).with(count(job.number));
        self.at(slot).note = cx.say(note.about(CACHE_PART).dot(job.number));
        self.keep(step, job.key, version, cx);
    }

    /// Puts a value into the cache by the store's own step, and says who had to leave.
    fn keep(&mut self, step: Step, key: u16, version: u32, cx: Cx<'_, '_>) {
        let now_us = clock_us(cx.now());
        let known = self.store.cache().peek(&key).is_some();
        let victim = self.next_to_leave().filter(|_| !known);
        let dirty = victim.is_some_and(|victim| self.is_dirty(victim));
        if step == Step::Fill {
            self.store.fill(key, version, now_us, cx.random(EVICTION));
        } else {
            self.store
                .write_step(step, &key, &version, now_us, cx.random(EVICTION));
        }
        if self.store.cache().capacity() == 0 {
            // The store wrote a late write at once, for it had no slot to wait in; the trip is still to be made.
            if step == Step::WriteCacheDirty {
                self.send_late(key, cx);
            }
            return;
        }
        self.touched_us[usize::from(key)] = now_us;
        if !known {
            self.loaded_us[usize::from(key)] = now_us;
        }
        if let Some(celebrity) = self.watch.celebrity.as_mut().filter(|c| c.key == key) {
            celebrity.filled = true;
        }
        let before = cx.cause();
        match victim {
            Some(victim) => {
                let note = Note::new("evicted")
                    .with(name(victim))
                    .with(name(key))
                    .with(Arg::Word(reason(self.store.cache().policy())));
                cx.say(note.about(VICTIM));
                let note = Note::new("placed").with(name(key)).with(name(victim));
                cx.say(note.about(key_part(key)));
                let last = self.watch.evicted.map_or(Time::ZERO, |(_, _, at)| at);
                self.watch.quiet = cx.now().since(last);
                self.watch.evicted = Some((victim, key, cx.now()));
                if dirty {
                    self.send_late(victim, cx);
                }
            }
            None if !known => {
                cx.say(Note::new("kept").with(name(key)).about(key_part(key)));
            }
            None => {
                cx.say(Note::new("renewed").with(name(key)).about(key_part(key)));
            }
        }
        cx.because(before);
        self.arrange(cx.now());
        if self.watch.cold && self.store.cache().len() == self.store.cache().capacity() {
            self.watch.cold = false;
            cx.say(
                Note::new("full-again")
                    .about(CACHE_PART)
                    .mark(Tone::Ok)
                    .ends("cold", 0),
            );
            cx.because(before);
        }
    }

    pub(super) fn is_dirty(&self, key: u16) -> bool {
        self.store
            .cache()
            .peek(&key)
            .is_some_and(|entry| entry.value.dirty)
    }

    /// Drops a key from the cache; the store writes what the database lacks, and that trip is made.
    fn forget(&mut self, key: u16, cx: Cx<'_, '_>) {
        let dirty = self.is_dirty(key);
        self.store.invalidate(&key);
        if dirty {
            self.send_late(key, cx);
        }
    }

    /// A late write leaves the cache for the database.
    fn send_late(&mut self, key: u16, cx: Cx<'_, '_>) {
        let before = cx.cause();
        let slot = self.spawn(Kind::Late, key, 1.0, cx);
        let number = self.job(slot).number;
        let note = Note::new("late").with(name(key)).about(LATE_LINK);
        self.at(slot).note = cx.say(note.dot(number));
        self.travel(slot, Leg::Late, Time::ZERO, cx);
        cx.because(before);
    }

    /// All late writes leave for the database.
    fn flush_late(&mut self, cx: Cx<'_, '_>) {
        if self.down.is_none() {
            for key in self.store.flush(usize::MAX) {
                self.send_late(key, cx);
            }
        }
    }

    /// A job is back at the app.
    fn at_app(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        match job.kind {
            Kind::Write => self.write_back_at_app(slot, cx),
            _ if job.leg == Leg::FromCache && job.outcome != Outcome::Hit => {
                self.missed(slot, knobs, cx);
            }
            _ if job.leg == Leg::FromCache => {
                self.settle(slot, true, cx);
                self.release(slot);
            }
            _ if job.outcome == Outcome::Refused => {
                self.settle(slot, false, cx);
                if job.leads {
                    for follower in self.flights.fail(&job.key) {
                        cx.because(job.note);
                        self.settle(follower, false, cx);
                        self.release(follower);
                    }
                }
                self.release(slot);
            }
            _ => self.fetched(slot, cx),
        }
    }

    /// A read has its value from the database: it is answered, and so are all who waited for it.
    fn fetched(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        if job.kind == Kind::Read {
            cx.sample(probe::LATENCY, job.spent.0 as f64);
        }
        self.settle(slot, true, cx);
        if job.leads {
            for follower in self.flights.land(&job.key, job.version) {
                cx.because(job.note);
                self.shared(follower, job.version, cx);
            }
            cx.because(job.note);
        }
        self.travel(slot, Leg::Fill, Time::ZERO, cx);
    }

    /// A request gets the value that somebody else fetched.
    fn shared(&mut self, slot: u32, version: u32, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        self.at(slot).version = version;
        let waited = job.spent + cx.now().since(job.since);
        if job.kind == Kind::Read {
            cx.sample(probe::LATENCY, waited.0 as f64);
        }
        let note = Note::new("shared")
            .with(count(job.number))
            .with(name(job.key))
            .with(Arg::Span(waited));
        cx.say(note.about(APP).dot(job.number));
        self.settle(slot, true, cx);
        self.release(slot);
    }

    /// The cache did not have it: the app asks the database, or waits for somebody who does.
    fn missed(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        self.at(slot).since = cx.now();
        if !knobs.coalesce {
            self.travel(slot, Leg::ToDatabase, Time::ZERO, cx);
            return;
        }
        match self.flights.join(job.key, slot) {
            Join::Lead => {
                self.at(slot).leads = true;
                self.travel(slot, Leg::ToDatabase, Time::ZERO, cx);
            }
            Join::Wait => {
                self.at(slot).leg = Leg::Joined;
                let waiting = self.flights.waiting(&job.key).len();
                let note = Note::new("joined")
                    .with(count(job.number))
                    .with(name(job.key))
                    .with(Arg::Count(waiting as i64));
                self.at(slot).note = cx.say(note.about(APP).dot(job.number));
                if let Some(celebrity) = self.watch.celebrity.as_mut().filter(|c| c.key == job.key)
                {
                    celebrity.joined += 1;
                }
            }
            Join::Ready(version) => self.shared(slot, version, cx),
        }
    }

    /// A write is back at the app: its next step, or the way around a failure.
    fn write_back_at_app(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        if job.outcome == Outcome::Refused {
            self.at(slot).doomed = true;
            let wrote_cache = job.steps[..job.step].contains(&Step::WriteCache);
            // The cache must not keep what the database never took.
            self.at(slot).steps = if wrote_cache {
                &[Step::Invalidate]
            } else {
                &[]
            };
            self.at(slot).step = 0;
        } else if job.outcome == Outcome::Down && job.at_step() == Some(Step::WriteCacheDirty) {
            self.at(slot).steps = &[Step::WriteDatabase];
            self.at(slot).step = 0;
        } else {
            self.at(slot).step += 1;
        }
        self.write_on(slot, cx);
    }

    fn at_database(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        self.queries.add(0, cx.now());
        cx.sample(probe::QUERIES, 1.0);
        self.at(slot).since = cx.now();
        let full =
            self.serving.len() >= knobs.connections() && self.queue.len() >= knobs.queue as usize;
        // A late write has nobody to tell: it waits however long the queue is.
        if full && job.kind != Kind::Late {
            let note = Note::new("refused").with(count(job.number)).about(DATABASE);
            self.at(slot).note = cx.say(note.dot(job.number));
            if reads_database(&job) {
                self.answered_by_database(job.key, cx);
            }
            self.at(slot).outcome = Outcome::Refused;
            self.travel(slot, Leg::FromDatabase, Time::ZERO, cx);
            return;
        }
        self.at(slot).leg = Leg::Queued;
        self.queue.push_back(slot);
        self.put_to_work(knobs, cx);
        if self.job(slot).leg == Leg::Queued {
            let note = Note::new("queued")
                .with(count(job.number))
                .with(Arg::Count(self.queue.len() as i64));
            self.at(slot).note = cx.say(note.about(DATABASE).dot(job.number));
        }
    }

    /// Gives waiting queries to free connections.
    fn put_to_work(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        while self.serving.len() < knobs.connections() {
            let Some(slot) = self.queue.pop_front() else {
                break;
            };
            self.serving.push(slot);
            let job = self.at(slot);
            job.leg = Leg::InService;
            let (work, note) = (job.work, job.note);
            let before = cx.cause();
            cx.because(note);
            cx.schedule(Time::from_ms(knobs.query_ms * work), Event::Finish(slot));
            cx.because(before);
        }
    }

    /// A connection is done with a query.
    fn finish(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        self.serving.retain(|held| *held != slot);
        let job = *self.job(slot);
        let took = cx.now().since(job.since);
        self.at(slot).spent += took;
        match job.kind {
            Kind::Late => {
                let note = Note::new("caught-up").with(name(job.key)).about(DATABASE);
                cx.say(note.dot(job.number));
                self.settle(slot, true, cx);
                self.release(slot);
            }
            Kind::Write => {
                let version = self.version(slot);
                let now_us = clock_us(cx.now());
                let step = Step::WriteDatabase;
                let rng = cx.random(EVICTION);
                self.store.write_step(step, &job.key, &version, now_us, rng);
                let note = Note::new("wrote-database")
                    .with(name(job.key))
                    .with(count(job.number));
                let wrote = cx.say(note.about(DATABASE).dot(job.number));
                self.at(slot).note = wrote;
                if self.is_stale(job.key, cx.now()) {
                    let note = Note::new("outdated").with(name(job.key));
                    let note = note.with(count(job.number)).about(key_part(job.key));
                    self.outdated.insert(job.key, cx.say(note));
                    cx.because(wrote);
                }
                self.at(slot).outcome = Outcome::Done;
                self.travel(slot, Leg::FromDatabase, Time::ZERO, cx);
            }
            Kind::Read | Kind::Scan | Kind::Refresh => {
                let version = self.store.read_database(&job.key).unwrap_or(0);
                let note = Note::new("fetched")
                    .with(name(job.key))
                    .with(count(job.number))
                    .with(Arg::Span(took));
                let note = cx.say(note.about(DATABASE).dot(job.number));
                self.answered_by_database(job.key, cx);
                cx.because(note);
                let job = self.at(slot);
                (job.version, job.note, job.outcome) = (version, note, Outcome::Done);
                self.travel(slot, Leg::FromDatabase, Time::ZERO, cx);
            }
        }
        self.put_to_work(knobs, cx);
    }

    /// A value that was read reaches the cache.
    fn fill(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        // A value that waits to be written is newer than anything the database said.
        if self.down.is_none() && !self.is_dirty(job.key) {
            self.raced.remove(&job.key);
            let now = self.store.database().get(&job.key).copied().unwrap_or(0);
            let settled = cx.now().since(self.writing_since) >= SETTLED;
            if job.version < now && settled && self.store.write_policy == WritePolicy::Aside {
                self.raced.insert(job.key);
                let note = Note::new("raced")
                    .with(name(job.key))
                    .with(count(job.number));
                let raced = cx.say(note.about(CACHE_PART).dot(job.number));
                self.outdated.insert(job.key, raced);
            }
            self.keep(Step::Fill, job.key, job.version, cx);
        }
        if job.leads {
            cx.schedule(NEAR, Event::Stored(job.key));
        }
        self.release(slot);
    }

    /// A request is answered or has failed: counts it once, and notices an old answer.
    fn settle(&mut self, slot: u32, served: bool, cx: Cx<'_, '_>) {
        let job = *self.job(slot);
        if !served {
            self.failed[job.kind as usize] += 1;
            cx.sample(probe::FAILED, 1.0);
            if let Some(outage) = &mut self.watch.outage {
                outage.failed += 1;
            }
            if self.may_mark(0, cx.now()) {
                let note = Note::new("failing").with(count(job.number)).about(APP);
                cx.say(note.dot(job.number).mark(Tone::Bad));
            }
            return;
        }
        self.served[job.kind as usize] += 1;
        if job.kind == Kind::Read && job.version < job.seen {
            self.watch.stale += 1;
            self.watch.stale_at = cx.now();
            let raced = job.outcome == Outcome::Hit && self.raced.contains(&job.key);
            self.watch.stale_raced += u32::from(raced);
            cx.sample(probe::STALE, 1.0);
            let note = Note::new("stale")
                .with(count(job.number))
                .with(name(job.key));
            let note = note.about(APP).dot(job.number);
            let marked = self.may_mark(1, cx.now());
            cx.say(if marked { note.mark(Tone::Warn) } else { note });
        }
    }

    /// Whether enough time has passed since the last mark of this sort.
    fn may_mark(&mut self, sort: usize, now: Time) -> bool {
        let may = self.marked[sort].is_none_or(|marked| now.since(marked) >= MARKS);
        if may {
            self.marked[sort] = Some(now);
        }
        may
    }

    fn release(&mut self, slot: u32) {
        self.at(slot).number = 0;
        self.free.push(slot);
    }

    /// The cache node dies.
    fn crash(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let held = self.store.cache().len();
        let lost = self.store.crash();
        self.down = Some(cx.now());
        self.recent = Recent::default();
        let note = Note::new("crashed").with(Arg::Count(held as i64));
        let crash = cx.say(note.about(CACHE_PART).mark(Tone::Bad).begins("down", 0));
        self.crash_note = crash;
        self.say_empty(cx);
        cx.because(crash);
        if self.watch.cold {
            self.watch.cold = false;
            cx.say(
                Note::new("down")
                    .about(CACHE_PART)
                    .mark(Tone::Bad)
                    .ends("cold", 0),
            );
        }
        if !lost.is_empty() {
            self.watch.lost_writes += lost.len() as u32;
            cx.because(crash);
            let note = Note::new("lost-writes").with(Arg::Count(lost.len() as i64));
            cx.say(note.about(CACHE_PART).mark(Tone::Bad));
            for key in lost {
                // What nobody has any more cannot be missed by later reads: they are judged by what is left.
                let left = self.store.database().get(&key).copied().unwrap_or(0);
                self.acknowledged[usize::from(key)] = left;
            }
        }
        self.watch.outage = Some(Outage {
            at: cx.now(),
            open: true,
            failed: 0,
            load_per_s: knobs.load_per_s,
        });
        self.arrange(cx.now());
    }

    /// The slots hold nothing any more, so nothing has to leave them.
    fn say_empty(&mut self, cx: Cx<'_, '_>) {
        let before = cx.cause();
        cx.say(Note::new("slots-gone").about(GRID));
        cx.say(Note::new("nobody-next").about(VICTIM));
        cx.because(before);
    }

    /// Gives the cache another number of slots.
    fn resize(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let capacity = knobs.capacity as usize;
        let rng = cx.random(EVICTION);
        let evicted = self.store.cache_mut().resize(capacity, rng);
        cx.say(Note::new("slots").with(count(knobs.capacity)).about(GRID));
        if capacity == 0 {
            cx.say(Note::new("nobody-next").about(VICTIM));
        }
        for entry in evicted {
            let note = Note::new("no-room").with(name(entry.key));
            cx.say(note.about(key_part(entry.key)));
            if entry.value.dirty {
                self.store.write_database(entry.key, entry.value.value);
                self.send_late(entry.key, cx);
            }
        }
    }

    /// Lets every card stand, or glide to, where the order of eviction puts it: the safest first.
    fn arrange(&mut self, now: Time) {
        let cache = self.store.cache();
        let slots = cache.slots();
        let order: Vec<u16> = cache
            .eviction_order()
            .into_iter()
            .rev()
            .filter_map(|slot| slots[slot].as_ref().map(|entry| entry.key))
            .collect();
        self.spots.retain(|spot| order.contains(&spot.key));
        for (place, key) in order.into_iter().enumerate() {
            let place = place as u8;
            match self.spots.iter_mut().find(|spot| spot.key == key) {
                Some(spot) if spot.to == place => {}
                Some(spot) => (spot.from, spot.to, spot.since) = (spot.to, place, now),
                None => self.spots.push(Spot {
                    key,
                    to: place,
                    from: place,
                    since: now,
                }),
            }
        }
    }

    /// Levels that hold until they change.
    #[inline]
    fn measure(&mut self, cx: Cx<'_, '_>) {
        let odd = self.down.is_some()
            || self
                .watch
                .celebrity
                .is_some_and(|celebrity| celebrity.active)
            || self.watch.scan.is_some_and(|scan| !scan.over);
        let expected = self.expected.filter(|_| !odd);
        cx.sample(
            probe::EXPECTED,
            expected.map_or(f64::NAN, |ratio| ratio * 100.0),
        );
        if self.recent.reads == 0 {
            cx.sample(probe::HIT_RATIO, self.recent.ratio() * 100.0);
        }
    }
}

/// Why a policy lets go of just this key.
const fn reason(policy: Policy) -> &'static str {
    match policy {
        Policy::Lru => "because.lru",
        Policy::Lfu => "because.lfu",
        Policy::Fifo => "because.fifo",
        Policy::Random => "because.random",
        Policy::Clock => "because.clock",
        Policy::Sieve => "because.sieve",
    }
}
