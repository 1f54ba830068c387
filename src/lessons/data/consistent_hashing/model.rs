//! The system: keys placed on nodes by a scheme, copied between them when it changes its mind, and read all the while.

use super::probe;
use algorithms::hash::ketama;
use algorithms::hash_ring::{HashRing, Moved, ketama_points};
use algorithms::jump::jump_hash;
use algorithms::mod_n::{mod_n, moved_share_least};
use algorithms::zipf::Zipf;
use engine::random::{below, exponential, unit};
use engine::tape::NoteId;
use engine::{
    Act, Action, ActionSpec, Arg, Context, Knobs, Model, Note, PartId, Stream, Time, Tone, Visit,
    choices,
};
use std::collections::VecDeque;

/// The most nodes there can be.
pub(super) const NODES_MAX: usize = 8;
/// Legs of a request, stretched so that they can be seen: to its key's place, clockwise to a point, to the node,
/// back to the client, and from a node to the database or back.
pub(super) const TO_KEY: Time = Time::ms(250);
/// See [`TO_KEY`].
pub(super) const WALK: Time = Time::ms(450);
/// See [`TO_KEY`].
pub(super) const TO_NODE: Time = Time::ms(300);
/// See [`TO_KEY`].
pub(super) const BACK: Time = Time::ms(350);
/// See [`TO_KEY`].
pub(super) const DATABASE: Time = Time::ms(300);
/// How long a copied key travels.
pub(super) const FLIGHT: Time = Time::ms(1_300);
/// How long a client waits for a dead node before it tries another.
const PATIENCE: Time = Time::ms(400);
/// How long a crash goes unnoticed.
const NOTICE: Time = Time::ms(1_500);
/// How long a hot key stays hot, and its extra traffic as a multiple of the load.
const HOT: (Time, f64) = (Time::s(10), 1.5);
/// Requests that may wait at one node.
const PLACES: usize = 14;
/// Requests a node got are counted in buckets of this length; as many make the rates shown.
const BUCKET: Time = Time::ms(250);
const BUCKETS: usize = 12;
/// Request numbers begin above all key numbers, because both are asked about as dots.
const FIRST_REQUEST: u32 = 1_001;
/// How often names are drawn at most until they are typical.
const DRAWS: u32 = 400;
/// So many waiting requests are worth a note.
const STRAIN: usize = 5;
/// Failures closer than this share one mark on the tape.
const FAILURE_MARKS: Time = Time::s(1);

const ARRIVALS: Stream = Stream::named("arrivals");
const CHOSEN_KEYS: Stream = Stream::named("keys");
const CHOSEN_COPIES: Stream = Stream::named("copies");
const HOT_ARRIVALS: Stream = Stream::named("hot");
const NAMES: Stream = Stream::named("names");

/// How a key finds its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Ring,
    ModN,
    Jump,
}
choices!(Scheme {
    "ring" => Scheme::Ring,
    "mod-n" => Scheme::ModN,
    "jump" => Scheme::Jump,
});

/// All schemes, in the order of their buttons; every change is worked out for each of them.
pub(super) const SCHEMES: [Scheme; 3] = [Scheme::Ring, Scheme::ModN, Scheme::Jump];

/// Which copy a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// The first node clockwise.
    Owner,
    /// Any node that should hold a copy, drawn at random.
    AnyCopy,
}
choices!(Reads {
    "owner" => Reads::Owner,
    "any" => Reads::AnyCopy,
});

/// The knobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(super) scheme: Scheme,
    pub(super) nodes: u32,
    pub(super) points: u32,
    pub(super) keys: u32,
    pub(super) copies: u32,
    pub(super) load_per_s: f64,
    pub(super) reads: Reads,
    pub(super) copy_per_s: u32,
    pub(super) capacity_per_s: f64,
    pub(super) skew: f64,
    pub(super) weights: [f64; NODES_MAX],
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            scheme: Scheme::Ring,
            nodes: 3,
            points: 8,
            keys: 48,
            copies: 1,
            load_per_s: 20.0,
            reads: Reads::Owner,
            copy_per_s: 6,
            capacity_per_s: 24.0,
            skew: 0.0,
            weights: [1.0; NODES_MAX],
        }
    }
}

impl Knobs for Settings {
    fn visit(&mut self, v: &mut dyn Visit) {
        v.choice("scheme", &mut self.scheme);
        v.whole("nodes", [1, NODES_MAX as u32], "", &mut self.nodes);
        v.whole("points", [1, 160], "", &mut self.points);
        let mut keys = f64::from(self.keys);
        v.slider("keys", [12.0, 240.0, 12.0], "", &mut keys);
        self.keys = keys as u32;
        v.whole("copies", [1, 4], "", &mut self.copies);
        v.slider("load", [2.0, 100.0, 1.0], "req/s", &mut self.load_per_s);
        v.choice("reads", &mut self.reads);
        v.whole("copy", [0, 40], "keys/s", &mut self.copy_per_s);
        v.slider(
            "capacity",
            [4.0, 100.0, 1.0],
            "req/s",
            &mut self.capacity_per_s,
        );
        v.slider("skew", [0.0, 1.5, 0.1], "", &mut self.skew);
        const WEIGHTS: [&str; NODES_MAX] = [
            "weight-1", "weight-2", "weight-3", "weight-4", "weight-5", "weight-6", "weight-7",
            "weight-8",
        ];
        for (i, (id, weight)) in WEIGHTS.iter().zip(&mut self.weights).enumerate() {
            v.part_slider(id, node_part(i), [0.5, 4.0, 0.5], "×", weight);
        }
    }
}

/// What a learner can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// A node dies with all it holds.
    Crash(usize),
    /// A dead node comes back, empty.
    Recover(usize),
    /// Everybody wants one key for a while.
    HotKey,
    /// One node more or fewer: turns the knob.
    Turn,
}

impl Break {
    /// What a learner can do, in the order of the buttons.
    pub(super) const SPECS: &'static [ActionSpec] = &[
        ActionSpec::turning("add", "nodes", 1.0),
        ActionSpec::turning("remove", "nodes", -1.0),
        ActionSpec::aimed("crash", "node"),
        ActionSpec::aimed("recover", "node"),
        ActionSpec::whole("hot"),
    ];
}

impl Action for Break {
    fn from_act(act: Act) -> Option<Break> {
        match act.spec {
            0 | 1 => Some(Break::Turn),
            2 => Some(Break::Crash(act.target)),
            3 => Some(Break::Recover(act.target)),
            4 => Some(Break::HotKey),
            _ => None,
        }
    }
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Not part of the system.
    #[default]
    Absent,
    /// Serving.
    Up,
    /// Off the ring, handing over what it holds.
    Leaving,
    /// Dead since then, with all it held.
    Crashed(Time),
}

/// One place on a node's shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Empty,
    /// A key on its way here.
    Coming(u16),
    Held(u16),
}

/// One node.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) state: State,
    /// Whether the clients still believe in it.
    pub(super) member: bool,
    pub(super) shelf: Vec<Place>,
    /// Keys that it has to copy to others.
    pub(super) outbox: VecDeque<(u16, u8)>,
    sending: bool,
    pub(super) queue: VecDeque<u32>,
    pub(super) serving: Option<u32>,
    /// Told apart from earlier lives, so that work of a crashed life does not finish.
    life: u32,
    /// Keys held when the last change began.
    pub(super) before: u32,
    /// Requests that reached it, by age: this bucket and those before.
    recent: [u16; BUCKETS],
    /// The name that is hashed for its points.
    name: String,
}

impl Node {
    /// Whether it can hold keys and answer.
    pub(super) fn works(&self) -> bool {
        matches!(self.state, State::Up | State::Leaving)
    }

    /// Requests a second of late.
    pub(super) fn rate_per_s(&self) -> f64 {
        let sum: u32 = self.recent.iter().map(|n| u32::from(*n)).sum();
        f64::from(sum) / (BUCKETS as f64 * BUCKET.as_s())
    }

    /// How many keys it holds.
    pub(super) fn held(&self) -> u32 {
        let held = |place: &&Place| matches!(place, Place::Held(_));
        self.shelf.iter().filter(held).count() as u32
    }

    fn find(&self, place: Place) -> Option<usize> {
        self.shelf.iter().position(|other| *other == place)
    }

    /// Puts something into the first empty place.
    fn put(&mut self, place: Place) -> usize {
        let free = self.find(Place::Empty).unwrap_or(self.shelf.len());
        match self.shelf.get_mut(free) {
            Some(empty) => *empty = place,
            None => self.shelf.push(place),
        }
        free
    }

    fn clear(&mut self, place: Place) {
        if let Some(i) = self.find(place) {
            self.shelf[i] = Place::Empty;
        }
    }

    /// Closes the gaps on its shelf.
    fn compact(&mut self) {
        self.shelf.retain(|place| *place != Place::Empty);
    }
}

/// One key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Its place on the ring, and what the other schemes compute with.
    pub(super) hash: u32,
    /// The nodes that should hold it, the owner first.
    pub(super) owners: Vec<u8>,
    /// Its owner by each of [`SCHEMES`].
    by: [Option<u8>; 3],
    /// The nodes that hold it, one bit each.
    pub(super) held: u8,
    note: NoteId,
}

impl Key {
    /// Whether a node holds it.
    pub(super) fn is_at(&self, node: u8) -> bool {
        self.held >> node & 1 == 1
    }

    /// Whether its owner holds it.
    pub(super) fn in_place(&self) -> bool {
        self.owners.first().is_some_and(|owner| self.is_at(*owner))
    }
}

/// A key on its way from one node to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    id: u32,
    pub(super) key: u16,
    pub(super) from: (u8, usize),
    pub(super) to: (u8, usize),
    /// The point where it stops on its way clockwise, if there is a ring.
    pub(super) stop: Option<u32>,
    pub(super) replica: bool,
    pub(super) left: Time,
    note: NoteId,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    /// From its client to its key's place.
    ToKey,
    /// Clockwise to the point of this position, or straight on without a ring.
    Walking(Option<u32>),
    /// To its node: from that point, or from the node that did not answer.
    ToNode(From),
    /// In its node's queue.
    Waiting,
    /// At work in its node.
    InService,
    /// At a dead node, until the client gives up.
    Hanging,
    /// To the database and back to the node.
    Reading,
    /// From its node back to the client.
    Back,
}

/// Where a request comes from on its way to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Point(u32),
    Place,
    Node(u8),
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// 0 for a free slot.
    pub(super) number: u32,
    pub(super) key: u16,
    pub(super) hash: u32,
    pub(super) leg: Leg,
    /// When this leg ends, and how long it is in all.
    pub(super) until: Time,
    pub(super) span: Time,
    /// None until it has been routed, and if there is nobody.
    pub(super) node: Option<u8>,
    pub(super) failed: bool,
    /// Drawn on arrival: which copy it would read.
    draw: u32,
    tried: u8,
    /// The last note about it.
    note: NoteId,
}

/// What happened to the system last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Joined,
    Left,
    /// A crash was noticed.
    Out,
    Returned,
    Points,
    Scheme,
    Copies,
}

/// The last change and what it did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) what: What,
    pub(super) node: u8,
    /// How many nodes came or went.
    pub(super) nodes: u32,
    pub(super) at: Time,
    pub(super) scheme: Scheme,
    /// Keys with a new owner, by each of [`SCHEMES`].
    pub(super) moved: [u32; 3],
    /// Keys there were.
    pub(super) keys: u32,
    /// The fewest that any scheme could move, where that is known.
    pub(super) least: Option<f64>,
    /// When all copies were where they belong.
    pub(super) settled: Option<Time>,
    /// Requests that missed since.
    pub(super) misses: u32,
    note: NoteId,
}

impl Change {
    /// Keys that moved under the scheme in use.
    pub(super) fn moved_now(&self) -> u32 {
        self.moved[index_of(self.scheme)]
    }
}

/// What a crash did to requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    pub(super) node: u8,
    pub(super) at: Time,
    pub(super) noticed: bool,
    /// Keys of which no copy was left.
    pub(super) lost: u32,
    /// Requests for keys that the node owned: failed, and read from the database.
    pub(super) failed: u32,
    pub(super) missed: u32,
    pub(super) answered: u32,
    /// The keys that it owned.
    owned: [u64; 4],
}

impl Crash {
    /// Whether the node owned a key.
    pub(super) fn owned(&self, key: usize) -> bool {
        self.owned[key / 64 % 4] >> (key % 64) & 1 == 1
    }
}

/// What is due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next request leaves its client.
    Arrive,
    /// The next request for the hot key of this number.
    ArriveHot(u32),
    /// A request has its key's hash and is routed.
    Routed(u32),
    /// A request has reached the point of its node.
    AtPoint(u32),
    /// A request reaches its node.
    AtNode(u32),
    /// A node is done with a request, if its life is still this one.
    Done(u8, u32),
    /// The client of a request stops waiting for a dead node.
    GaveUp(u32),
    /// The database has answered.
    Read(u32),
    /// An answer reaches its client.
    Home(u32),
    /// A node may copy its next key, if its life is still this one.
    Send(u8, u32),
    /// A copied key arrives.
    Landed(u32),
    /// A crash is noticed, if the node's life is still this one.
    Noticed(u8, u32),
    /// The hot key of this number cools down.
    Cooled(u32),
    /// Rates move on by one bucket.
    Tick,
}

/// The simulated system.
#[derive(Clone)]
pub struct ConsistentHashing {
    pub(super) nodes: [Node; NODES_MAX],
    pub(super) keys: Vec<Key>,
    pub(super) ring: HashRing,
    /// The stretches of the ring that changed hands last.
    pub(super) gained: Vec<Moved>,
    pub(super) flights: Vec<Flight>,
    flights_begun: u32,
    requests: Vec<Request>,
    free: Vec<u32>,
    popularity: Zipf,
    salt: u32,
    /// The knobs as they were when keys were placed last.
    placed: Settings,
    pub(super) change: Option<Change>,
    pub(super) hot: Option<(u16, Time)>,
    hots: u32,
    born: u64,
    pub(super) served: u64,
    pub(super) failed: u64,
    pub(super) misses: u64,
    pub(super) reading: u32,
    failure_marked: Option<Time>,
    pub(super) now: Time,
    pub(super) watch: Watch,
}

/// What the story and the challenges look at.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// Since when a key has been hot at 20 req/s or more without a failure.
    pub(super) cool_since: Option<Time>,
    /// The note that a key is hot.
    hot_note: NoteId,
    /// When the warm-up was over.
    pub(super) started: Time,
    /// The last crash.
    pub(super) crash: Option<Crash>,
    /// When the one before happened and what it lost.
    pub(super) crash_before: Option<(Time, u32)>,
    /// Since when requests fail because a key is hot.
    pub(super) hot_failures: u32,
    /// The busiest node's rate over the average.
    pub(super) uneven_load: f64,
    /// The weights of the nodes.
    pub(super) weights: [f64; NODES_MAX],
}

/// The part of a node by its index.
pub(super) const fn node_part(index: usize) -> PartId {
    PartId::nth("node", index as u16 + 1)
}

/// The keys by their hash, and the ring round them.
pub(super) const DIAL: PartId = PartId::one("dial");
/// Where keys are read from that no node holds.
pub(super) const DATABASE_PART: PartId = PartId::one("database");
/// The sum of the last change.
pub(super) const TALLY: PartId = PartId::one("tally");

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

/// The number of a scheme in [`SCHEMES`].
pub(super) fn index_of(scheme: Scheme) -> usize {
    match scheme {
        Scheme::Ring => 0,
        Scheme::ModN => 1,
        Scheme::Jump => 2,
    }
}

fn name(node: u8) -> Arg {
    Arg::Part(node_part(usize::from(node)))
}

fn count(n: u32) -> Arg {
    Arg::Count(i64::from(n))
}

/// The number that a key is called by, from 1.
fn key_number(key: u16) -> u32 {
    u32::from(key) + 1
}

fn note(word: &'static str, node: u8) -> Note {
    Note::new(word).about(node_part(usize::from(node)))
}

impl Model for ConsistentHashing {
    type Knobs = Settings;
    type Event = Event;
    type Action = Break;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> ConsistentHashing {
        let mut nodes: [Node; NODES_MAX] = Default::default();
        let mut salt = 0;
        for _ in 0..DRAWS {
            for node in &mut nodes {
                // Points are hashed from a name like those in memcached's server lists.
                let [a, b, c] = [0; 3].map(|_| below(cx.random(NAMES), 256));
                node.name = format!("10.{a}.{b}.{c}:11211");
            }
            salt = below(cx.random(NAMES), 1 << 30) as u32;
            if is_typical(&nodes, salt) {
                break;
            }
        }
        let mut model = ConsistentHashing {
            nodes,
            keys: Vec::new(),
            ring: HashRing::new(),
            gained: Vec::new(),
            flights: Vec::new(),
            flights_begun: 0,
            requests: Vec::new(),
            free: Vec::new(),
            popularity: Zipf::new(knobs.keys as usize, knobs.skew),
            salt,
            placed: knobs.clone(),
            change: None,
            hot: None,
            hots: 0,
            born: 0,
            served: 0,
            failed: 0,
            misses: 0,
            reading: 0,
            failure_marked: None,
            now: Time::ZERO,
            watch: Watch {
                cool_since: None,
                hot_note: NoteId::NONE,
                started: Time::ZERO,
                crash: None,
                crash_before: None,
                hot_failures: 0,
                uneven_load: 1.0,
                weights: knobs.weights,
            },
        };
        for node in model.nodes.iter_mut().take(knobs.nodes as usize) {
            (node.state, node.member) = (State::Up, true);
        }
        model.fit_ring(knobs);
        model.gained.clear();
        model.resize_keys(knobs);
        cx.schedule(Time::ZERO, Event::Arrive);
        model.measure(cx);
        cx.schedule(BUCKET, Event::Tick);
        model
    }

    fn on_start(&mut self, _: &Settings, cx: Cx<'_, '_>) {
        (self.now, self.watch.started) = (cx.now(), cx.now());
        self.count_anew();
        let keys = self.keys.len() as u32;
        for node in self.members() {
            cx.because(NoteId::NONE);
            let owns = note("owns", node).with(name(node));
            cx.say(owns.with(count(self.owned(node))).with(count(keys)));
        }
        for (word, part) in [
            ("placed-all", DIAL),
            ("no-change", TALLY),
            ("all-held", DATABASE_PART),
        ] {
            cx.because(NoteId::NONE);
            cx.say(Note::new(word).with(count(keys)).about(part));
        }
        cx.because(NoteId::NONE);
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Arrive => {
                let gap = gap(knobs.load_per_s, cx);
                cx.schedule(gap, Event::Arrive);
                self.arrive(None, cx);
            }
            Event::ArriveHot(hot) if hot == self.hots => {
                if let Some((key, _)) = self.hot {
                    self.schedule_hot(knobs, cx);
                    self.arrive(Some(key), cx);
                }
            }
            Event::ArriveHot(_) => {}
            Event::Routed(slot) => self.route(slot, knobs, cx),
            Event::AtPoint(slot) => {
                let from = match self.requests[slot as usize].leg {
                    Leg::Walking(Some(stop)) => From::Point(stop),
                    _ => From::Place,
                };
                self.travel(slot, Leg::ToNode(from), TO_NODE, Event::AtNode(slot), cx);
            }
            Event::AtNode(slot) => self.at_node(slot, knobs, cx),
            Event::Done(node, life) => self.done(node, life, knobs, cx),
            Event::GaveUp(slot) => self.try_next(slot, knobs, cx),
            Event::Read(slot) => self.read(slot, knobs, cx),
            Event::Home(slot) => self.home(slot, cx),
            Event::Send(node, life) => self.send(node, life, knobs, cx),
            Event::Landed(flight) => self.landed(flight, knobs, cx),
            Event::Noticed(node, life) => self.noticed(node, life, knobs, cx),
            Event::Cooled(hot) => self.cooled(hot, cx),
            Event::Tick => {
                cx.schedule(BUCKET, Event::Tick);
                self.measure(cx);
                for node in &mut self.nodes {
                    node.recent.rotate_right(1);
                    node.recent[0] = 0;
                }
                if knobs.load_per_s < 20.0 {
                    self.watch.cool_since = None;
                }
            }
        }
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.watch.weights = knobs.weights;
        let old = std::mem::replace(&mut self.placed, knobs.clone());
        if (old.keys, old.skew) != (knobs.keys, knobs.skew) {
            self.popularity = Zipf::new(knobs.keys as usize, knobs.skew);
            self.resize_keys(knobs);
            self.settle(knobs, cx);
            self.measure(cx);
        }
        let what = if old.nodes != knobs.nodes {
            if knobs.nodes > old.nodes {
                What::Joined
            } else {
                What::Left
            }
        } else if old.scheme != knobs.scheme {
            What::Scheme
        } else if old.points != knobs.points || old.weights != knobs.weights {
            What::Points
        } else if old.copies != knobs.copies || (old.copy_per_s == 0) != (knobs.copy_per_s == 0) {
            What::Copies
        } else {
            return;
        };
        let members = self.members().len();
        let node = old.nodes.max(knobs.nodes) as u8 - 1;
        self.hire(knobs, cx);
        let changed = self.members().len().abs_diff(members) as u32;
        self.replace(what, node, changed, members as u32, knobs, cx);
    }

    fn can(&self, action: Break) -> bool {
        let state = |i: usize| self.nodes.get(i).map_or(State::Absent, |node| node.state);
        match action {
            Break::Crash(i) => state(i) == State::Up,
            Break::Recover(i) => matches!(state(i), State::Crashed(_)),
            Break::HotKey => self.hot.is_none(),
            Break::Turn => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let fits = |i: &usize| {
            Break::from_act(Act { spec, target: *i }).is_some_and(|action| self.can(action))
        };
        std::iter::once(1)
            .chain(0..NODES_MAX)
            .find(fits)
            .unwrap_or(0)
    }

    fn on_action(&mut self, action: Break, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match action {
            Break::Crash(node) => self.crash(node as u8, knobs, cx),
            Break::Recover(node) => self.recover(node as u8, knobs, cx),
            Break::HotKey => {
                self.hots += 1;
                let key = below(cx.random(HOT_ARRIVALS), self.keys.len()) as u16;
                self.hot = Some((key, cx.now() + HOT.0));
                self.watch.hot_failures = 0;
                self.count_anew();
                self.watch.cool_since = (knobs.load_per_s >= 20.0).then_some(cx.now());
                let said = Note::new("hot")
                    .with(count(key_number(key)))
                    .with(Arg::Number(knobs.load_per_s * HOT.1));
                let said = said.about(DIAL).dot(key_number(key));
                let begun = cx.say(said.mark(Tone::Warn).begins("hot", 0));
                self.keys[usize::from(key)].note = begun;
                self.watch.hot_note = begun;
                cx.schedule(HOT.0, Event::Cooled(self.hots));
                self.schedule_hot(knobs, cx);
            }
            Break::Turn => {}
        }
    }

    fn audit(&self) -> Result<(), String> {
        let (mut waiting, mut serving, mut moving, mut reading) = (0, 0, 0_u64, 0);
        for (slot, request) in self.requests.iter().enumerate() {
            if request.number == 0 {
                continue;
            }
            let slot = slot as u32;
            let node = request.node.map(|node| &self.nodes[usize::from(node)]);
            match request.leg {
                Leg::Waiting if node.is_some_and(|n| n.queue.contains(&slot)) => waiting += 1,
                Leg::InService if node.is_some_and(|n| n.serving == Some(slot)) => serving += 1,
                Leg::Waiting | Leg::InService => {
                    return Err(format!("nobody holds request {}", request.number));
                }
                Leg::Reading => reading += 1,
                _ => moving += 1,
            }
        }
        let queued: usize = self.nodes.iter().map(|node| node.queue.len()).sum();
        let busy = self.nodes.iter().filter(|n| n.serving.is_some()).count();
        if (queued, busy, self.reading) != (waiting, serving, reading) {
            return Err(format!(
                "{queued} wait, {busy} are served and {} are read; requests say {waiting}, {serving} and {reading}",
                self.reading
            ));
        }
        let inside = waiting as u64 + serving as u64 + u64::from(reading) + moving;
        let accounted = self.served + self.failed + inside;
        if self.born != accounted {
            return Err(format!("{} came in, {accounted} accounted for", self.born));
        }
        self.audit_keys()
    }
}

/// The hash of the key of this number.
fn hash_of(salt: u32, key: usize) -> u32 {
    ketama(format!("doc:{salt}:{}", key + 1).as_bytes())
}

/// Whether the fourth node does what it does on average: it takes about a quarter of 48 keys, and a share from each of the
/// three. Always asked of eight points each, so that no knob changes the names.
fn is_typical(nodes: &[Node], salt: u32) -> bool {
    let mut ring = HashRing::new();
    let mut owners = [[0_u32; 48]; 2];
    for (i, node) in nodes.iter().take(4).enumerate() {
        ring.add_node(i as u32, ketama_points(&node.name, 2));
        // After the third node and after the fourth.
        if i >= 2 {
            for (key, owner) in owners[i - 2].iter_mut().enumerate() {
                *owner = ring.owner(hash_of(salt, key)).unwrap_or(0);
            }
        }
    }
    let mut given = [0; 3];
    let mut kept = [0; 3];
    for (was, is) in owners[0].iter().zip(&owners[1]) {
        let of = if *is == 3 { &mut given } else { &mut kept };
        of[*was as usize % 3] += 1;
    }
    (10..=14).contains(&given.iter().sum())
        && given.iter().all(|n| *n >= 2)
        && kept.iter().all(|n| *n >= 8)
        && evens_out(nodes, salt)
}

/// Whether five nodes of 160 points each share 48 keys about as evenly as they share the ring.
fn evens_out(nodes: &[Node], salt: u32) -> bool {
    let mut ring = HashRing::new();
    for (i, node) in nodes.iter().take(5).enumerate() {
        ring.add_node(i as u32, ketama_points(&node.name, 40));
    }
    let mut shelves = [0; 5];
    for key in 0..48 {
        shelves[ring.owner(hash_of(salt, key)).unwrap_or(0) as usize % 5] += 1;
    }
    // 1.5 times the average of 9.6.
    shelves.iter().all(|keys| *keys <= 14)
}

fn gap(load_per_s: f64, cx: Cx<'_, '_>) -> Time {
    exponential(cx.random(ARRIVALS), Time::from_s(1.0 / load_per_s))
}

impl ConsistentHashing {
    /// Shelves and keys must tell the same story, and every flight must have its place.
    fn audit_keys(&self) -> Result<(), String> {
        for (i, node) in self.nodes.iter().enumerate() {
            let bits = self.keys.iter().filter(|key| key.is_at(i as u8)).count();
            if bits != node.held() as usize {
                return Err(format!("node {i} holds {}, keys say {bits}", node.held()));
            }
            if !node.works() && (!node.shelf.is_empty() || !node.queue.is_empty()) {
                return Err(format!("node {i} is gone but not empty"));
            }
            for (at, place) in node.shelf.iter().enumerate() {
                let fits = match place {
                    Place::Empty => true,
                    Place::Held(key) => self.keys[usize::from(*key)].is_at(i as u8),
                    Place::Coming(key) => self
                        .flights
                        .iter()
                        .any(|f| (f.key, f.to) == (*key, (i as u8, at))),
                };
                if !fits {
                    return Err(format!("place {at} of node {i} is wrong: {place:?}"));
                }
            }
        }
        Ok(())
    }

    /// Something happens to the nodes: what misses and how much each node holds is counted from here.
    fn count_anew(&mut self) {
        self.misses = 0;
        for node in &mut self.nodes {
            node.before = node.held();
        }
    }

    /// Requests that are somewhere.
    pub(super) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.number > 0)
    }

    /// The number of the request in a slot.
    pub(super) fn number(&self, slot: u32) -> u32 {
        self.requests[slot as usize].number
    }

    /// Requests that came in, were answered, failed.
    #[cfg(test)]
    pub(super) fn totals(&self) -> (u64, u64, u64) {
        (self.born, self.served, self.failed)
    }

    /// The nodes that the clients believe in, in order: what the schemes without a ring count.
    pub(super) fn members(&self) -> Vec<u8> {
        (0..NODES_MAX as u8)
            .filter(|node| self.nodes[usize::from(*node)].member)
            .collect()
    }

    /// Whether all that had to be copied has been.
    pub(super) fn is_settled(&self) -> bool {
        self.flights.is_empty() && self.nodes.iter().all(|node| node.outbox.is_empty())
    }

    /// Keys that their owner does not hold.
    pub(super) fn out_of_place(&self) -> u32 {
        self.keys.iter().filter(|key| !key.in_place()).count() as u32
    }

    /// How many nodes own the keys now that the last crashed node owned.
    pub(super) fn heirs(&self) -> u32 {
        let Some(crash) = self.watch.crash else {
            return 0;
        };
        let was = self
            .keys
            .iter()
            .enumerate()
            .filter(|(i, _)| crash.owned(*i));
        let bits = was.fold(0_u8, |bits, (_, key)| {
            bits | key.owners.first().map_or(0, |owner| 1 << owner)
        });
        bits.count_ones()
    }

    /// Keys that a node owns.
    pub(super) fn owned(&self, node: u8) -> u32 {
        let own = |key: &&Key| key.owners.first() == Some(&node);
        self.keys.iter().filter(own).count() as u32
    }

    /// The fullest node's keys over the average, by ownership; 1 is even.
    pub(super) fn uneven_keys(&self) -> f64 {
        let members = self.members();
        let most = members.iter().map(|node| self.owned(*node)).max();
        f64::from(most.unwrap_or(0)) * members.len() as f64 / self.keys.len().max(1) as f64
    }

    /// The busiest node's rate over the average.
    fn uneven_load(&self) -> f64 {
        let rates: Vec<f64> = (self.nodes.iter())
            .filter(|node| node.member)
            .map(Node::rate_per_s)
            .collect();
        let sum: f64 = rates.iter().sum();
        let most = rates.iter().copied().fold(0.0, f64::max);
        if sum > 0.0 {
            most * rates.len() as f64 / sum
        } else {
            1.0
        }
    }

    /// The share of the ring that a node owns.
    pub(super) fn ring_share(&self, node: u8) -> f64 {
        let lengths = self.ring.lengths();
        lengths.get(&u32::from(node)).copied().unwrap_or(0) as f64
            / algorithms::hash_ring::RING as f64
    }

    /// A node's first point clockwise of a position.
    pub(super) fn stop_of(&self, position: u32, node: u8) -> Option<u32> {
        let points = self.ring.points();
        let start = points.partition_point(|point| point.position < position);
        (points[start..].iter().chain(&points[..start]))
            .find(|point| point.node == u32::from(node))
            .map(|point| point.position)
    }

    /// The nodes that should hold a hash: the owner, then those next to it without repeats.
    fn owners_of(&self, hash: u32, members: &[u8], scheme: Scheme, copies: u32) -> Vec<u8> {
        let n = members.len() as u32;
        let first = match scheme {
            Scheme::Ring => {
                let list = self.ring.preference_list(hash, copies as usize, |_| true);
                return list.into_iter().map(|node| node as u8).collect();
            }
            Scheme::ModN => mod_n(u64::from(hash), n),
            Scheme::Jump => jump_hash(u64::from(hash), n),
        };
        let Some(first) = first else {
            return Vec::new();
        };
        // Without a ring the next node in the list is the next node.
        (0..copies.min(n))
            .map(|i| members[((first + i) % n) as usize])
            .collect()
    }

    /// Brings the ring's points in line with members, virtual nodes and weights.
    fn fit_ring(&mut self, knobs: &Settings) {
        let before = self.ring.clone();
        for (i, node) in self.nodes.iter().enumerate() {
            let points = if node.member {
                (f64::from(knobs.points) * knobs.weights[i] + 0.5).max(1.0) as u32
            } else {
                0
            };
            let here = |point: &&algorithms::hash_ring::Point| point.node == i as u32;
            if self.ring.points().iter().filter(here).count() as u32 != points {
                self.ring.remove_node(i as u32);
                // A ketama digest gives four points; a node takes as many of them as it has virtual nodes.
                let positions = ketama_points(&node.name, points.div_ceil(4)).take(points as usize);
                self.ring.add_node(i as u32, positions);
            }
        }
        self.gained = self.ring.moved_since(&before);
    }

    /// Adds or takes away keys; new ones are where they belong at once.
    fn resize_keys(&mut self, knobs: &Settings) {
        let wanted = knobs.keys as usize;
        if self.hot.is_some_and(|(key, _)| usize::from(key) >= wanted) {
            self.hot = self.hot.map(|(_, until)| (0, until));
        }
        self.keys.truncate(wanted);
        let exists = |key: u16| usize::from(key) < wanted;
        self.flights.retain(|flight| exists(flight.key));
        for node in &mut self.nodes {
            node.outbox.retain(|(key, _)| exists(*key));
            for place in &mut node.shelf {
                match place {
                    Place::Held(key) | Place::Coming(key) if !exists(*key) => *place = Place::Empty,
                    _ => {}
                }
            }
        }
        let members = self.members();
        for key in self.keys.len()..wanted {
            let hash = hash_of(self.salt, key);
            let owners = self.owners_of(hash, &members, knobs.scheme, knobs.copies);
            let by =
                SCHEMES.map(|scheme| self.owners_of(hash, &members, scheme, 1).first().copied());
            let mut held = 0;
            for owner in &owners {
                let node = &mut self.nodes[usize::from(*owner)];
                if node.works() {
                    node.put(Place::Held(key as u16));
                    held |= 1 << owner;
                }
            }
            self.keys.push(Key {
                hash,
                owners,
                by,
                held,
                note: NoteId::NONE,
            });
        }
    }

    /// Makes the number of nodes follow its knob.
    fn hire(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        for i in 0..NODES_MAX {
            let wanted = i < knobs.nodes as usize;
            let node = &mut self.nodes[i];
            node.member = match node.state {
                State::Absent | State::Leaving if wanted => {
                    node.state = State::Up;
                    true
                }
                State::Up if !wanted => {
                    node.state = State::Leaving;
                    false
                }
                State::Crashed(_) if !wanted => {
                    if node.member {
                        let gone = note("gone", i as u8).with(name(i as u8));
                        cx.say(gone.mark(Tone::Plain).ends("unnoticed", i as u16));
                    }
                    node.state = State::Absent;
                    node.life += 1;
                    false
                }
                _ => node.member,
            };
        }
    }

    /// Works out where every key belongs now, counts what moves, and has the copies made.
    fn replace(
        &mut self,
        what: What,
        node: u8,
        nodes: u32,
        members_before: u32,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        self.fit_ring(knobs);
        let members = self.members();
        self.count_anew();
        let mut moved = [0; 3];
        let mut movers = Vec::new();
        for i in 0..self.keys.len() {
            let hash = self.keys[i].hash;
            let by =
                SCHEMES.map(|scheme| self.owners_of(hash, &members, scheme, 1).first().copied());
            let owners = self.owners_of(hash, &members, knobs.scheme, knobs.copies);
            let key = &mut self.keys[i];
            for (n, (was, is)) in moved.iter_mut().zip(key.by.iter().zip(&by)) {
                *n += u32::from(was != is);
            }
            let was = std::mem::replace(&mut key.owners, owners);
            key.by = by;
            if was.first() != key.owners.first() {
                movers.push((i as u16, was.first().copied()));
            }
        }
        // A new scheme is compared with nothing: what moved is what moved from the old one to it.
        if what == What::Scheme {
            moved = [0; 3];
            moved[index_of(knobs.scheme)] = movers.len() as u32;
        }
        let word = match what {
            What::Joined if nodes > 1 => "several-join",
            What::Joined => "joined",
            What::Left if nodes > 1 => "several-leave",
            What::Left => "left",
            What::Out => "noticed",
            What::Returned => "returned",
            What::Points => "points",
            What::Scheme => "scheme",
            What::Copies => "copies",
        };
        let tone = match what {
            What::Joined | What::Returned => Tone::Ok,
            What::Out => Tone::Warn,
            _ => Tone::Plain,
        };
        let who = if nodes > 1 { count(nodes) } else { name(node) };
        let said = Note::new(word)
            .with(who)
            .with(count(movers.len() as u32))
            .with(count(self.keys.len() as u32))
            .mark(tone);
        let said = match what {
            What::Joined | What::Left | What::Returned => said.about(node_part(usize::from(node))),
            What::Out => said
                .about(node_part(usize::from(node)))
                .ends("unnoticed", u16::from(node)),
            _ => said.about(DIAL),
        };
        let begun = cx.say(said);
        let now_elsewhere = movers.len() as u32;
        for (key, was) in movers {
            let now = self.keys[usize::from(key)].owners.first().copied();
            cx.because(begun);
            if let Some(now) = now {
                let word = if was.is_some() { "moves" } else { "placed" };
                let moves = note(word, now)
                    .with(count(key_number(key)))
                    .with(name(now))
                    .with(name(was.unwrap_or(now)));
                self.keys[usize::from(key)].note = cx.say(moves.dot(key_number(key)));
            }
        }
        cx.because(begun);
        let all = count(self.keys.len() as u32);
        cx.say(
            Note::new("changed-hands")
                .with(count(now_elsewhere))
                .with(all)
                .about(DIAL),
        );
        cx.because(begun);
        let least = match what {
            What::Joined | What::Left | What::Out | What::Returned => {
                moved_share_least(members_before, members.len() as u32)
            }
            _ => None,
        };
        let unsettled = self.change.is_some_and(|change| change.settled.is_none());
        self.change = Some(Change {
            what,
            node,
            nodes,
            at: cx.now(),
            scheme: knobs.scheme,
            moved,
            keys: self.keys.len() as u32,
            least: least.map(|share| share * self.keys.len() as f64),
            settled: None,
            misses: 0,
            note: begun,
        });
        self.order_copies(knobs, cx);
        if !unsettled && !self.is_settled() {
            let copies: usize = self.nodes.iter().map(|node| node.outbox.len()).sum();
            let said = Note::new("copying").with(count(copies as u32)).about(TALLY);
            cx.say(said.mark(Tone::Plain).begins("moving", 0));
        }
        self.settle(knobs, cx);
        self.measure(cx);
    }

    /// Fills the outboxes: every copy that is missing is ordered from a node that has one.
    fn order_copies(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        for node in &mut self.nodes {
            node.outbox.clear();
        }
        if knobs.copy_per_s == 0 {
            for key in 0..self.keys.len() as u16 {
                self.drop_strays(key, true);
            }
            return;
        }
        for i in 0..self.keys.len() {
            let key = i as u16;
            for to in self.keys[i].owners.clone() {
                if self.keys[i].is_at(to) || !self.nodes[usize::from(to)].works() {
                    continue;
                }
                if self.on_its_way(key, to) {
                    continue;
                }
                let holders = (0..NODES_MAX as u8).filter(|node| self.keys[i].is_at(*node));
                // Whoever gives the key away anyway sends it; otherwise its first holder.
                let from = holders.min_by_key(|node| self.keys[i].owners.contains(node));
                if let Some(from) = from {
                    self.nodes[usize::from(from)].outbox.push_back((key, to));
                }
            }
            self.drop_strays(key, false);
        }
        for i in 0..NODES_MAX {
            let node = &mut self.nodes[i];
            if !node.outbox.is_empty() && !node.sending {
                node.sending = true;
                cx.schedule(Time::ZERO, Event::Send(i as u8, node.life));
            }
        }
    }

    fn on_its_way(&self, key: u16, to: u8) -> bool {
        self.flights.iter().any(|f| (f.key, f.to.0) == (key, to))
            || (self.nodes.iter()).any(|node| node.outbox.contains(&(key, to)))
    }

    /// Nodes that no longer should hold a key delete it: once every owner has it, or `at_once`.
    fn drop_strays(&mut self, key: u16, at_once: bool) {
        let Some(entry) = self.keys.get_mut(usize::from(key)) else {
            return;
        };
        let works = |node: &&u8| self.nodes[usize::from(**node)].works();
        let kept = entry.owners.iter().any(|owner| entry.is_at(*owner));
        let complete = kept && entry.owners.iter().filter(works).all(|o| entry.is_at(*o));
        if !(complete || at_once) || entry.owners.is_empty() {
            return;
        }
        for node in 0..NODES_MAX as u8 {
            if entry.is_at(node) && !entry.owners.contains(&node) {
                entry.held &= !(1 << node);
                self.nodes[usize::from(node)].clear(Place::Held(key));
            }
        }
    }

    fn send(&mut self, from: u8, life: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let index = usize::from(from);
        if self.nodes[index].life != life {
            return;
        }
        self.nodes[index].sending = false;
        while let Some((key, to)) = self.nodes[index].outbox.pop_front() {
            let entry = &self.keys[usize::from(key)];
            let place = self.nodes[index].find(Place::Held(key));
            let wanted = entry.owners.contains(&to) && !entry.is_at(to);
            let (Some(place), true) = (place, wanted && self.nodes[usize::from(to)].works()) else {
                continue;
            };
            let replica = entry.owners.first() != Some(&to);
            let stop = match knobs.scheme {
                Scheme::Ring => self.stop_of(entry.hash, to),
                Scheme::ModN | Scheme::Jump => None,
            };
            cx.because(entry.note);
            let said = note("sends", from)
                .with(name(from))
                .with(count(key_number(key)))
                .with(name(to));
            let said = cx.say(said.dot(key_number(key)));
            self.keys[usize::from(key)].note = said;
            self.flights_begun += 1;
            let id = self.flights_begun;
            let at = self.nodes[usize::from(to)].put(Place::Coming(key));
            self.flights.push(Flight {
                id,
                key,
                from: (from, place),
                to: (to, at),
                stop,
                replica,
                left: cx.now(),
                note: said,
            });
            cx.schedule(FLIGHT, Event::Landed(id));
            break;
        }
        let node = &mut self.nodes[index];
        if !node.outbox.is_empty() && knobs.copy_per_s > 0 {
            node.sending = true;
            let pause = Time::from_s(1.0 / f64::from(knobs.copy_per_s));
            cx.schedule(pause, Event::Send(from, life));
        }
        self.settle(knobs, cx);
    }

    fn landed(&mut self, id: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(i) = self.flights.iter().position(|flight| flight.id == id) else {
            return;
        };
        let flight = self.flights.remove(i);
        let (to, at) = flight.to;
        let node = &mut self.nodes[usize::from(to)];
        // A crash on the way has emptied the shelf; a second copy may have come from the database.
        if node.works() && node.shelf.get(at) == Some(&Place::Coming(flight.key)) {
            let key = &mut self.keys[usize::from(flight.key)];
            cx.because(flight.note);
            if key.is_at(to) || !key.owners.contains(&to) {
                node.shelf[at] = Place::Empty;
            } else {
                node.shelf[at] = Place::Held(flight.key);
                key.held |= 1 << to;
                let said = note("landed", to)
                    .with(name(to))
                    .with(count(key_number(flight.key)));
                key.note = cx.say(said.dot(key_number(flight.key)));
            }
            self.drop_strays(flight.key, false);
        }
        self.settle(knobs, cx);
        self.measure(cx);
    }

    /// Ends the last change once nothing is left to copy.
    fn settle(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        if !self.is_settled() {
            return;
        }
        for node in &mut self.nodes {
            node.compact();
            if node.state == State::Leaving
                && node.shelf.is_empty()
                && node.queue.is_empty()
                && node.serving.is_none()
            {
                node.state = State::Absent;
            }
        }
        let Some(change) = &mut self.change else {
            return;
        };
        if change.settled.is_some() {
            return;
        }
        change.settled = Some(cx.now());
        let cause = change.note;
        for (i, node) in self.nodes.iter().enumerate() {
            let (held, before) = (node.held(), node.before);
            if held != before && node.state == State::Up {
                cx.because(cause);
                let word = if held > before { "gained" } else { "gave" };
                let said = note(word, i as u8).with(name(i as u8));
                cx.say(said.with(count(held.abs_diff(before))));
            }
        }
        cx.because(cause);
        let took = cx.now().since(change.at);
        let (misses, moved) = (change.misses, change.moved[index_of(knobs.scheme)]);
        let lost = self.out_of_place();
        let said = if lost == 0 {
            Note::new("settled")
                .with(Arg::Span(took))
                .with(count(moved))
                .with(count(misses))
                .mark(Tone::Ok)
        } else {
            // Nobody had a copy to send, or nobody copies: what is missing comes back request by request.
            Note::new("gaps").with(count(lost)).mark(Tone::Warn)
        };
        cx.say(said.about(TALLY).ends("moving", 0));
    }

    fn crash(&mut self, index: u8, knobs: &Settings, cx: Cx<'_, '_>) {
        let mut owned = [0_u64; 4];
        let mut lost = 0;
        for (i, key) in self.keys.iter_mut().enumerate() {
            if key.owners.first() == Some(&index) {
                owned[i / 64 % 4] |= 1 << (i % 64);
            }
            if key.is_at(index) {
                key.held &= !(1 << index);
                lost += u32::from(key.held == 0);
            }
        }
        self.count_anew();
        let node = &mut self.nodes[usize::from(index)];
        let held = node.held();
        node.state = State::Crashed(cx.now());
        node.life += 1;
        node.sending = false;
        node.shelf.clear();
        node.outbox.clear();
        let hit: Vec<u32> = node.serving.take().into_iter().collect();
        let hit: Vec<u32> = hit.into_iter().chain(node.queue.drain(..)).collect();
        let life = node.life;
        let said = note("crashed", index)
            .with(name(index))
            .with(count(held))
            .with(count(lost));
        let said = said.mark(Tone::Bad).begins("unnoticed", u16::from(index));
        let crashed = cx.say(said);
        self.flights.retain(|flight| flight.to.0 != index);
        if let Some(last) = &self.watch.crash {
            self.watch.crash_before = Some((last.at, last.lost));
        }
        self.watch.crash = Some(Crash {
            node: index,
            at: cx.now(),
            noticed: false,
            lost,
            failed: 0,
            missed: 0,
            answered: 0,
            owned,
        });
        for slot in hit {
            cx.because(crashed);
            self.travel(slot, Leg::Hanging, PATIENCE, Event::GaveUp(slot), cx);
        }
        cx.because(crashed);
        cx.schedule(NOTICE, Event::Noticed(index, life));
        self.settle(knobs, cx);
        self.measure(cx);
    }

    fn noticed(&mut self, index: u8, life: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let node = &mut self.nodes[usize::from(index)];
        if node.life != life || !matches!(node.state, State::Crashed(_)) {
            return;
        }
        let members = self.members().len() as u32;
        self.nodes[usize::from(index)].member = false;
        if let Some(crash) = self.watch.crash.as_mut().filter(|c| c.node == index) {
            crash.noticed = true;
        }
        self.replace(What::Out, index, 1, members, knobs, cx);
    }

    fn recover(&mut self, index: u8, knobs: &Settings, cx: Cx<'_, '_>) {
        let members = self.members().len() as u32;
        let node = &mut self.nodes[usize::from(index)];
        if node.member {
            let said = note("restarted", index).with(name(index));
            cx.say(said.mark(Tone::Ok).ends("unnoticed", u16::from(index)));
        }
        (node.state, node.member) = (State::Up, true);
        node.life += 1;
        self.replace(What::Returned, index, 1, members, knobs, cx);
    }

    fn schedule_hot(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let mean = Time::from_s(1.0 / (knobs.load_per_s * HOT.1));
        let gap = exponential(cx.random(HOT_ARRIVALS), mean);
        cx.schedule(gap, Event::ArriveHot(self.hots));
    }

    fn cooled(&mut self, hot: u32, cx: Cx<'_, '_>) {
        if hot != self.hots {
            return;
        }
        if let Some((key, _)) = self.hot.take() {
            self.watch.cool_since = None;
            let said = Note::new("cooled").with(count(key_number(key))).about(DIAL);
            let said = said.dot(key_number(key)).mark(Tone::Ok);
            cx.say(said.ends("hot", 0));
        }
    }

    /// A request begins; everything random about it is drawn here, so that twins see the same traffic.
    fn spawn(&mut self, key: Option<u16>, cx: Cx<'_, '_>) -> u32 {
        let chosen = unit(cx.random(CHOSEN_KEYS));
        let draw = below(cx.random(CHOSEN_COPIES), 1 << 24) as u32;
        let key = key.unwrap_or_else(|| self.popularity.rank_at(chosen) as u16);
        let hash = self.keys[usize::from(key)].hash;
        let request = Request {
            number: self.born as u32 + FIRST_REQUEST,
            key,
            hash,
            leg: Leg::ToKey,
            until: cx.now(),
            span: Time::ZERO,
            node: None,
            failed: false,
            draw,
            tried: 0,
            note: NoteId::NONE,
        };
        self.born += 1;
        match self.free.pop() {
            Some(slot) => {
                self.requests[slot as usize] = request;
                slot
            }
            None => {
                self.requests.push(request);
                self.requests.len() as u32 - 1
            }
        }
    }

    fn arrive(&mut self, key: Option<u16>, cx: Cx<'_, '_>) {
        let slot = self.spawn(key, cx);
        self.travel(slot, Leg::ToKey, TO_KEY, Event::Routed(slot), cx);
    }

    fn travel(&mut self, slot: u32, leg: Leg, span: Time, event: Event, cx: Cx<'_, '_>) {
        let request = &mut self.requests[slot as usize];
        request.leg = leg;
        (request.until, request.span) = (cx.now() + span, span);
        cx.schedule(span, event);
    }

    /// The nodes to ask for a request, in order.
    fn candidates(&self, slot: u32, knobs: &Settings) -> Vec<u8> {
        let request = &self.requests[slot as usize];
        let members = self.members();
        let mut owners = self.owners_of(request.hash, &members, knobs.scheme, knobs.copies);
        if knobs.reads == Reads::AnyCopy && !owners.is_empty() {
            let first = request.draw as usize % owners.len();
            owners.rotate_left(first);
        }
        owners
    }

    /// The client looks up who has the key.
    fn route(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let owners = self.candidates(slot, knobs);
        let request = self.requests[slot as usize];
        let (number, key) = (count(request.number), count(key_number(request.key)));
        let Some(&node) = owners.first() else {
            let said = Note::new("nobody").with(number).with(key).about(DIAL);
            cx.say(said.dot(request.number));
            self.fail(slot, cx);
            return;
        };
        let (stop, word) = match knobs.scheme {
            Scheme::Ring => (self.stop_of(request.hash, node), "walks"),
            Scheme::ModN => (None, "mod-n"),
            Scheme::Jump => (None, "jumps"),
        };
        let said = Note::new(word).with(number).with(key).with(name(node));
        let said = cx.say(said.dot(request.number));
        let request = &mut self.requests[slot as usize];
        request.node = Some(node);
        request.note = said;
        self.travel(slot, Leg::Walking(stop), WALK, Event::AtPoint(slot), cx);
    }

    fn at_node(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let request = self.requests[slot as usize];
        let Some(node) = request.node else {
            return;
        };
        let index = usize::from(node);
        self.nodes[index].recent[0] += 1;
        match self.nodes[index].state {
            State::Crashed(_) => {
                let said = Note::new("silent")
                    .with(name(node))
                    .with(count(request.number));
                self.requests[slot as usize].note = cx.say(said.dot(request.number));
                self.travel(slot, Leg::Hanging, PATIENCE, Event::GaveUp(slot), cx);
            }
            State::Absent => self.try_next(slot, knobs, cx),
            State::Up | State::Leaving if self.nodes[index].queue.len() >= PLACES => {
                if self.hot.is_some_and(|(hot, _)| hot == request.key) {
                    cx.because(self.watch.hot_note);
                }
                let said = note("overflow", node)
                    .with(name(node))
                    .with(count(request.number))
                    .with(count(key_number(request.key)));
                cx.say(said.dot(request.number));
                self.fail(slot, cx);
            }
            State::Up | State::Leaving => {
                self.requests[slot as usize].leg = Leg::Waiting;
                self.nodes[index].queue.push_back(slot);
                if self.nodes[index].queue.len() == STRAIN {
                    let hot = self.hot.is_some_and(|(hot, _)| hot == request.key);
                    cx.because(if hot {
                        self.watch.hot_note
                    } else {
                        request.note
                    });
                    let said = note("strained", node).with(name(node));
                    cx.say(said.with(count(STRAIN as u32)));
                }
                self.put_to_work(node, knobs, cx);
            }
        }
    }

    fn put_to_work(&mut self, node: u8, knobs: &Settings, cx: Cx<'_, '_>) {
        let entry = &mut self.nodes[usize::from(node)];
        if entry.serving.is_some() || !entry.works() {
            return;
        }
        if let Some(slot) = entry.queue.pop_front() {
            entry.serving = Some(slot);
            let life = entry.life;
            self.requests[slot as usize].leg = Leg::InService;
            cx.because(self.requests[slot as usize].note);
            let span = Time::from_s(1.0 / knobs.capacity_per_s);
            cx.schedule(span, Event::Done(node, life));
        }
    }

    fn done(&mut self, node: u8, life: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let entry = &mut self.nodes[usize::from(node)];
        if entry.life != life {
            return;
        }
        let Some(slot) = entry.serving.take() else {
            return;
        };
        let request = self.requests[slot as usize];
        let (number, key) = (count(request.number), count(key_number(request.key)));
        let held = self.keys.get(usize::from(request.key));
        let history = held.map_or(request.note, |key| key.note);
        if held.is_some_and(|key| key.is_at(node)) {
            let said = Note::new("answers").with(name(node)).with(number).with(key);
            cx.because(request.note);
            self.requests[slot as usize].note = cx.say(said.dot(request.number));
            self.go_back(slot, cx);
        } else {
            self.misses += 1;
            cx.sample(probe::MISSES, 1.0);
            if let Some(change) = &mut self.change {
                change.misses += 1;
            }
            self.blame(request.key, |crash| crash.missed += 1);
            // Why it missed is the history of the key, not that of the request.
            cx.because(history);
            let said = Note::new("misses").with(number).with(name(node)).with(key);
            let said = said.about(DATABASE_PART);
            self.requests[slot as usize].note = cx.say(said.dot(request.number));
            self.reading += 1;
            let both_ways = DATABASE + DATABASE;
            self.travel(slot, Leg::Reading, both_ways, Event::Read(slot), cx);
        }
        self.put_to_work(node, knobs, cx);
        if self.nodes[usize::from(node)].state == State::Leaving {
            self.settle(knobs, cx);
        }
    }

    /// Counts what became of a request for a key that the crashed node owned.
    fn blame(&mut self, key: u16, count: impl Fn(&mut Crash)) {
        if let Some(crash) = &mut self.watch.crash
            && crash.owned(usize::from(key))
        {
            count(crash);
        }
    }

    /// A node has read a key from the database; it keeps it if it should and nobody is sending it.
    fn read(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        self.reading -= 1;
        let request = self.requests[slot as usize];
        if let Some(node) = request.node
            && self.nodes[usize::from(node)].works()
            && let Some(key) = self.keys.get(usize::from(request.key))
            && key.owners.contains(&node)
            && !key.is_at(node)
            && !self.on_its_way(request.key, node)
        {
            self.nodes[usize::from(node)].put(Place::Held(request.key));
            let said = note("filled", node)
                .with(name(node))
                .with(count(key_number(request.key)));
            let said = cx.say(said.dot(key_number(request.key)));
            let key = &mut self.keys[usize::from(request.key)];
            key.held |= 1 << node;
            key.note = said;
            self.drop_strays(request.key, false);
            self.settle(knobs, cx);
            self.measure(cx);
        }
        self.go_back(slot, cx);
    }

    /// The client turns to the next copy, or gives up.
    fn try_next(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let candidates = self.candidates(slot, knobs);
        let request = &mut self.requests[slot as usize];
        let Some(last) = request.node else {
            return;
        };
        request.tried |= 1 << last;
        let (number, tried) = (request.number, request.tried);
        cx.because(request.note);
        let next = candidates.into_iter().find(|node| tried >> node & 1 == 0);
        match next {
            Some(next) => {
                let said = Note::new("retries")
                    .with(count(number))
                    .with(name(last))
                    .with(name(next));
                let said = cx.say(said.dot(number));
                let request = &mut self.requests[slot as usize];
                (request.node, request.note) = (Some(next), said);
                let leg = Leg::ToNode(From::Node(last));
                self.travel(slot, leg, TO_NODE, Event::AtNode(slot), cx);
            }
            None => {
                let said = Note::new("no-copy").with(count(number)).with(name(last));
                cx.say(said.dot(number));
                self.fail(slot, cx);
            }
        }
    }

    fn fail(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let request = &mut self.requests[slot as usize];
        request.failed = true;
        let (number, key, node) = (request.number, request.key, request.node);
        self.blame(key, |crash| crash.failed += 1);
        if let Some((hot, _)) = self.hot {
            self.watch.hot_failures += u32::from(hot == key);
            self.watch.cool_since = self.watch.cool_since.map(|_| cx.now());
        }
        let marked = self.failure_marked;
        if marked.is_none_or(|marked| cx.now().since(marked) >= FAILURE_MARKS) {
            self.failure_marked = Some(cx.now());
            let part = node.map_or(DIAL, |node| node_part(usize::from(node)));
            let said = Note::new("failing").with(count(number)).about(part);
            cx.say(said.dot(number).mark(Tone::Bad));
        }
        self.go_back(slot, cx);
    }

    fn go_back(&mut self, slot: u32, cx: Cx<'_, '_>) {
        self.travel(slot, Leg::Back, BACK, Event::Home(slot), cx);
    }

    fn home(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let request = &mut self.requests[slot as usize];
        let (failed, key) = (request.failed, request.key);
        request.number = 0;
        self.free.push(slot);
        if failed {
            self.failed += 1;
            cx.sample(probe::FAILED, 1.0);
        } else {
            self.served += 1;
            self.blame(key, |crash| crash.answered += 1);
        }
    }

    #[inline]
    fn measure(&mut self, cx: Cx<'_, '_>) {
        self.watch.uneven_load = self.uneven_load();
        cx.sample(probe::OUT_OF_PLACE, f64::from(self.out_of_place()));
        cx.sample(probe::UNEVEN_KEYS, self.uneven_keys());
        cx.sample(probe::UNEVEN_LOAD, self.watch.uneven_load);
    }
}
