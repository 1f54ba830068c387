//! The composed model: requests that are sent, passed on, held, called on for, answered, lost.

mod audit;
mod breakers;
mod caches;
mod call;
mod crowd;
mod deeds;
mod feeds;
mod function;
mod gate;
mod health;
mod jobs;
mod life;
mod loss;
mod money;
mod pace;
mod program;
mod pulls;
mod queue;
mod read;
mod roster;
mod service;
mod topic;
mod wires;

use super::facts::Book;
use super::frame::{Draw, Frame, Reason};
use super::gear::{Caches, Functions, Gear, Losses, Paced, Queues, Stores, Topics};
use super::guard::Breaker;
use super::ledger::{Count, Page, Pages, Row};
use super::parcel::{Feed, Parcel, Tallies};
use super::plan::{self, Kind, Plan};
use super::script::{Cx, Deed, Own, Script, Values};
use super::shelf::{Errand, Worker};
use super::state::{Live, LiveWire};
use crate::flow::{Key, Marks, Slab};
use algorithms::retry;
use engine::tape::NoteId;
use engine::{Act, Arg, Model, Note, PartId, Stream, Time, Tone};
use rand::Rng;

// By this name the first seconds of seed 1 are average ones.
const ARRIVALS: Stream = Stream::named("requests");
const DICE: Stream = Stream::named("dice");
const ADDRESSES: Stream = Stream::named("addresses");

/// A call that its caller's breaker refuses, or that has nobody to go to, needs so long back; really it takes no time at all.
pub const BOUNCE: Time = Time::ms(80);
/// How often the rate of a crowd that follows a curve is looked at.
const CURVE: Time = Time::ms(250);

/// About what a message takes in a queue.
const MESSAGE_BYTES: usize = 160;

/// Purposes of draws; a step of a node has its own.
mod purpose {
    pub(super) const CLASS: u64 = 1;
    pub(super) const PERSON: u64 = 2;
    pub(super) const THINK: u64 = 3;
    pub(super) const RETRY: u64 = 4;
    pub(super) const CHOICE: u64 = 5;
    pub(super) const FATE: u64 = 6;
    pub(super) const DRAGS: u64 = 7;
    pub(super) const KEY: u64 = 9;
    pub(super) const LOSS: u64 = 8;
    pub(super) const REGION: u64 = 10;
    pub(super) const WORK: u64 = 1 << 16;
}

/// What is due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next request of an open crowd leaves, if it is this turn's.
    Arrive {
        /// The crowd.
        node: u16,
        /// Of its source.
        turn: u32,
    },
    /// A user of a closed crowd has paused long enough.
    Thought {
        /// The crowd.
        node: u16,
        /// Which user.
        user: u16,
        /// Which of the user's requests comes next.
        nth: u32,
    },
    /// A connection of a crowd that sends by a plan has a planned moment, if it is this turn's.
    Planned {
        /// The crowd.
        node: u16,
        /// The connection.
        user: u16,
        /// Of its crowd.
        turn: u32,
    },
    /// The rate of a crowd that follows a curve is looked at.
    Curve(u16),
    /// A call reaches the end of its wire.
    Reach(Key),
    /// A worker is done with a step of its work, if its speed has not changed since.
    Done(Key, u8),
    /// A worker begins with something that takes no time.
    Begin(Key),
    /// An answer reaches the beginning of its wire.
    Back(Key),
    /// A call or its answer gets lost on a wire.
    Stray(Key),
    /// A caller has waited long enough for a try.
    TimeOut(Key),
    /// The first in a member's queue may have waited too long.
    Expire {
        /// The node.
        node: u16,
        /// The member.
        member: u16,
    },
    /// The pause before the next try is over.
    Again(Key),
    /// A gate lets a call go on that it held back.
    Release(Key),
    /// A user has waited long enough.
    Patience(Key),
    /// A user comes again.
    Reload {
        /// The crowd.
        node: u16,
        /// What was drawn for the request, and how often the user has come again.
        who: Key,
    },
    /// A health check leaves for a member.
    Check {
        /// Over this wire.
        wire: u16,
        /// The member.
        member: u16,
    },
    /// It reaches the member.
    Checked {
        /// Over this wire.
        wire: u16,
        /// The member.
        member: u16,
    },
    /// Its answer is back.
    Judged {
        /// Over this wire.
        wire: u16,
        /// The member.
        member: u16,
    },
    /// The next of a node's new members may come.
    Hire(u16),
    /// A member is up, if it has not begun to start again.
    Up {
        /// The node.
        node: u16,
        /// The member.
        member: u16,
    },
    /// The surge of this number is over.
    SurgeEnd {
        /// The crowd.
        node: u16,
        /// Which surge.
        number: u32,
    },
    /// The hurry of this number is over.
    RefreshEnd {
        /// The crowd.
        node: u16,
        /// Which time.
        number: u32,
    },
    /// A worker that pulls goes on with what it does, if it still does so.
    Pull(Worker, u32),
    /// A worker that pulls restarts the clocks of what it has.
    Beat(Worker, u32),
    /// What a worker tells about a message reaches the queue.
    Told(Key),
    /// Something may happen to a queue by itself, if this is its latest turn.
    Shelf {
        /// The queue.
        node: u16,
        /// Which look.
        turn: u32,
    },
    /// A topic or a function has something to do by itself, if this is its latest turn.
    Kept {
        /// The topic or function.
        node: u16,
        /// Which look.
        turn: u32,
    },
    /// What a member posted reaches another.
    Parcel(Key),
    /// A timer of the script rings.
    Timer(u32),
}

/// The running system.
pub struct System {
    pub(super) script: &'static dyn Script,
    pub(super) gear: Gear,
    pub(super) plan: Plan,
    pub(super) nodes: Vec<Option<Live>>,
    pub(super) wires: Vec<Option<LiveWire>>,
    pub(super) frames: Slab<Frame>,
    /// Users who come again after a while. Not in the event: that would make every event as big.
    reloading: Slab<(Draw, u8)>,
    /// What workers tell queues, on its way.
    errands: Slab<Errand>,
    /// What members post to each other, on its way.
    parcels: Slab<Parcel>,
    feeds: Vec<Feed>,
    tallies: Tallies,
    /// Turns of workers that pull, so far.
    turns: u32,
    pub(super) guards: Vec<Option<Breaker>>,
    pub(super) guard_lives: u32,
    pub(super) budgets: Vec<(plan::Budget, retry::Budget)>,
    /// Addresses are drawn once a run: of a person, by this number.
    salt: u64,
    requests: u32,
    gone: u64,
    pub(super) all: Row,
    pages: Pages,
    waiting: u32,
    marks: Marks,
    pub(super) begun: bool,
    /// Something was said, or a request was over, since the script last looked.
    stirred: bool,
    own: Box<dyn Own>,
    /// Versions and what answers say of them, with the gear of caches.
    pub(super) book: Option<Box<Book>>,
    /// When a knob was last turned.
    pub turned: Time,
    /// The time of the last event, by the model's clock.
    pub now: Time,
}

impl Clone for System {
    fn clone(&self) -> Self {
        System {
            script: self.script,
            gear: self.gear,
            plan: self.plan.clone(),
            nodes: self.nodes.clone(),
            wires: self.wires.clone(),
            frames: self.frames.clone(),
            reloading: self.reloading.clone(),
            errands: self.errands.clone(),
            parcels: self.parcels.clone(),
            feeds: self.feeds.clone(),
            tallies: self.tallies,
            turns: self.turns,
            guards: self.guards.clone(),
            guard_lives: self.guard_lives,
            budgets: self.budgets.clone(),
            salt: self.salt,
            requests: self.requests,
            gone: self.gone,
            all: self.all,
            pages: self.pages.clone(),
            waiting: self.waiting,
            marks: self.marks,
            begun: self.begun,
            stirred: self.stirred,
            own: (*self.own).copy(),
            book: self.book.clone(),
            turned: self.turned,
            now: self.now,
        }
    }
}

impl System {
    /// The gear of queues.
    ///
    /// # Panics
    /// If the plan has queues and the script names no gear for them.
    pub(super) fn queues(&self) -> &'static Queues {
        self.gear.queues.expect("gear for the queues of the plan")
    }

    /// The gear of crowds that send by a plan.
    ///
    /// # Panics
    /// If the plan has such crowds and the script names no gear for them.
    pub(super) fn paced(&self) -> &'static Paced {
        self.gear
            .paced
            .expect("gear for the paced crowds of the plan")
    }

    /// The gear of caches.
    ///
    /// # Panics
    /// If the plan has caches, or stores that keep versions, and the script names no gear for them.
    pub(super) fn caching(&self) -> &'static Caches {
        self.gear.caches.expect("gear for the caches of the plan")
    }

    /// The gear of wires that lose.
    ///
    /// # Panics
    /// If the plan has such wires, or a deed makes one, and the script names no gear for them.
    pub(super) fn losses(&self) -> &'static Losses {
        self.gear
            .losses
            .expect("gear for the wires of the plan that lose")
    }

    /// The gear of topics.
    ///
    /// # Panics
    /// If the plan has topics and the script names no gear for them.
    pub(super) fn topics(&self) -> &'static Topics {
        self.gear.topics.expect("gear for the topics of the plan")
    }

    /// The gear of functions.
    ///
    /// # Panics
    /// If the plan has functions and the script names no gear for them.
    pub(super) fn functions(&self) -> &'static Functions {
        self.gear
            .functions
            .expect("gear for the functions of the plan")
    }

    /// Makes a topic or a function follow the plan.
    fn set_up_kept(&mut self, node: u16, cx: Cx<'_, '_>) {
        match self.live(node).map(|live| &live.node.kind) {
            Some(Kind::Topic(_)) => (self.topics().set_up)(self, node, cx),
            Some(Kind::Function(_)) => (self.functions().set_up)(self, node, cx),
            _ => {}
        }
    }

    /// A topic or a function has something to do, by itself or because something befell its member.
    fn look_at_kept(&mut self, node: u16, turn: Option<u32>, cx: Cx<'_, '_>) {
        match self.live(node).map(|live| &live.node.kind) {
            Some(Kind::Topic(_)) => (self.topics().look)(self, node, turn, cx),
            Some(Kind::Function(_)) => (self.functions().look)(self, node, turn, cx),
            _ => {}
        }
    }

    /// The gear of stores.
    ///
    /// # Panics
    /// If a script begins jobs, parks calls or posts, and names no gear for that.
    pub(super) fn stores(&self) -> &'static Stores {
        self.gear
            .stores
            .expect("gear for what stores do by themselves")
    }
}

impl Model for System {
    type Knobs = Values;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Values, cx: Cx<'_, '_>) -> System {
        let mut system = System {
            script: knobs.script,
            gear: knobs.script.gear(),
            plan: Plan::default(),
            nodes: Vec::new(),
            wires: Vec::new(),
            frames: Slab::default(),
            reloading: Slab::default(),
            errands: Slab::default(),
            parcels: Slab::default(),
            feeds: Vec::new(),
            tallies: Tallies::default(),
            turns: 0,
            guards: Vec::new(),
            guard_lives: 0,
            budgets: Vec::new(),
            salt: cx.random(ADDRESSES).next_u64(),
            requests: 0,
            gone: 0,
            all: Row::nothing(),
            pages: Pages::default(),
            waiting: 0,
            marks: Marks::default(),
            begun: false,
            stirred: false,
            own: knobs.script.own(),
            book: knobs.script.gear().caches.map(|_| Box::default()),
            turned: Time::ZERO,
            now: Time::ZERO,
        };
        system.follow(knobs.script.plan(knobs), cx);
        system.begun = true;
        system
    }

    fn on_start(&mut self, knobs: &Values, cx: Cx<'_, '_>) {
        self.all = Row::nothing();
        let under_way = self.requests_under_way();
        for (live, carried) in self.nodes.iter_mut().zip(under_way) {
            let Some(live) = live else { continue };
            (live.row, live.carried) = (Row::nothing(), carried);
            for member in live.members.iter_mut() {
                member.own.row = Row::nothing();
            }
        }
        for wire in self.wires.iter_mut().flatten() {
            wire.sent.fill(0);
        }
        if let Some(caches) = self.gear.caches {
            (caches.carry)(self);
        }
        if let Some(prices) = self.gear.prices {
            (prices.open)(self, cx.now());
        }
        knobs.script.start(self);
        self.keep("start");
    }

    fn on_event(&mut self, event: Event, knobs: &Values, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Arrive { node, turn } => self.arrive(node, turn, cx),
            Event::Reach(key) => self.reach(key, cx),
            Event::Done(key, turn) => self.done(key, turn, cx),
            Event::Begin(key) => self.begin(key, cx),
            Event::Back(key) => self.back(key, cx),
            Event::Stray(key) => (self.losses().stray)(self, key, cx),
            Event::TimeOut(key) => self.time_out(key, cx),
            Event::Expire { node, member } => self.expire(node, member, cx),
            Event::Again(key) => self.again(key, cx),
            Event::Release(key) => self.release(key, cx),
            Event::Patience(key) => self.lose_patience(key, cx),
            Event::Thought { node, user, nth } => self.thought(node, user, nth, cx),
            Event::Planned { node, user, turn } => {
                (self.paced().planned)(self, node, user, turn, cx);
            }
            Event::Curve(node) => self.curve(node, cx),
            Event::Reload { node, who } => {
                if let Some((draw, reloads)) = self.reloading.remove(who) {
                    self.reload(node, draw, reloads, cx);
                }
            }
            Event::Check { wire, member } => self.check(wire, member, cx),
            Event::Checked { wire, member } => self.checked(wire, member, cx),
            Event::Judged { wire, member } => self.judged(wire, member, cx),
            Event::Hire(node) => self.hire_next(node, cx),
            Event::Up { node, member } => self.up(node, member, cx),
            Event::SurgeEnd { node, number } => self.surge_end(node, number, cx),
            Event::RefreshEnd { node, number } => self.refresh_end(node, number, cx),
            Event::Pull(worker, turn) => (self.queues().pull)(self, worker, turn, cx),
            Event::Beat(worker, turn) => (self.queues().beat)(self, worker, turn, cx),
            Event::Told(key) => (self.queues().told)(self, key, cx),
            Event::Shelf { node, turn } => (self.queues().look)(self, node, turn, cx),
            Event::Kept { node, turn } => self.look_at_kept(node, Some(turn), cx),
            Event::Parcel(key) => (self.stores().deliver)(self, key, cx),
            Event::Timer(number) => self.script.timer(number, self, knobs, cx),
        }
        if std::mem::take(&mut self.stirred) {
            self.script.look(self, knobs, cx.now());
            self.script.report(self, knobs, cx);
        }
    }

    fn on_knobs(&mut self, knobs: &Values, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.turned = cx.now();
        self.keep("you-set");
        self.follow(knobs.script.plan(knobs), cx);
        self.script.look(self, knobs, cx.now());
        self.script.report(self, knobs, cx);
    }

    fn can(&self, act: Act) -> bool {
        self.can_do(act)
    }

    fn aim(&self, spec: usize) -> usize {
        self.aim_at(spec)
    }

    fn on_action(&mut self, act: Act, knobs: &Values, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match self.script.deeds().get(act.spec) {
            Some(Deed::Own) => self.script.act(act, self, knobs, cx),
            Some(deed) => self.deed(*deed, act.target, cx),
            None => {}
        }
        self.script.look(self, knobs, cx.now());
        self.script.report(self, knobs, cx);
    }

    fn bytes(&self) -> usize {
        let copies = self.gear.caches.map_or(0, |caches| (caches.bytes)(self));
        let Some(queues) = self.gear.queues else {
            return self.frames.bytes() + self.parcels.bytes() + copies;
        };
        let shelves = self.nodes.iter().flatten().map(|live| &live.shelf);
        let messages = shelves.flatten().map(|shelf| (queues.messages)(shelf));
        self.frames.bytes() + messages.sum::<usize>() * MESSAGE_BYTES + copies
    }

    fn audit(&self) -> Result<(), String> {
        self.books()
    }
}

/// The tape, the ledger's pages, and what is somewhere.
impl System {
    /// Says a note; the script hears it, and a marked one opens a page of the ledger.
    #[inline]
    pub fn say(&mut self, note: Note, cx: Cx<'_, '_>) -> NoteId {
        if note.marked && note.word != "failing" {
            self.keep(note.word);
        }
        self.stirred = true;
        self.script.heard(&note, self);
        cx.say(note)
    }

    /// Has [`Script::look`] and [`Script::report`] look after this event, though nothing was said in it.
    pub fn stir(&mut self) {
        self.stirred = true;
    }

    /// Says a plain note about a request at a part. What is said for every request is put together here, once.
    #[inline(never)]
    pub(super) fn tell(
        &mut self,
        word: &'static str,
        [one, two, three]: [Arg; 3],
        (part, number): (PartId, u32),
        cx: Cx<'_, '_>,
    ) -> NoteId {
        let note = Note {
            id: NoteId::NONE,
            cause: NoteId::NONE,
            at: Time::ZERO,
            events: 0,
            word,
            args: [Some(one), Some(two), Some(three)],
            part: Some(part),
            dot: number,
            dots_more: 0,
            tone: Tone::Plain,
            marked: false,
            epoch: None,
        };
        self.say(note, cx)
    }

    pub(super) fn keep(&mut self, word: &'static str) {
        let rows = |live: &Option<Live>| match live {
            Some(live) => (live.row, live.members.iter().map(|it| it.own.row).collect()),
            None => (Row::nothing(), Vec::new()),
        };
        self.pages.keep(Page {
            word,
            at: self.now,
            all: self.all,
            nodes: self.nodes.iter().map(rows).collect(),
            costs: self.gear.prices.map_or(Vec::new(), |it| (it.costs)(self)),
        });
    }

    pub(super) fn insert(&mut self, frame: Frame) -> Key {
        self.frames.insert(frame)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Frame> {
        let frame = self.frames.remove(key);
        self.gone += u64::from(frame.is_some());
        frame
    }

    pub(super) fn forget(&mut self, key: Key) {
        self.gone += u64::from(self.frames.forget(key));
    }
}

fn count_failure(row: &mut Row, reason: Reason) {
    row.add(Count::Failed);
    match reason {
        Reason::TimedOut | Reason::Left => row.add(Count::TimedOut),
        Reason::Lost => row.add(Count::Lost),
        _ if reason.is_refusal() => row.add(Count::Refused),
        _ => {}
    }
}

fn count(n: u32) -> Arg {
    Arg::Count(i64::from(n))
}
