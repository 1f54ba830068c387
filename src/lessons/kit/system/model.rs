//! The composed model: requests that are sent, passed on, held, called on for, answered, lost.

use super::frame::{Dice, Draw, Frame, HOPS_MAX, Place, Reason};
use super::guard::Breaker;
use super::ledger::{Count, Page, Pages, Row, Since};
use super::plan::{self, Arrivals, Call, Kind, NodeId, Otherwise, Plan, Step, WireId};
use super::probe;
use super::script::{Cx, Deed, Own, Script, Values};
use super::state::{Live, LiveWire};
use crate::kit::flow::{Balance, Key, Leg, Marks, Offer, Slab, Source, aim, middle};
use algorithms::balancer::Policy;
use algorithms::circuit_breaker::State;
use algorithms::hash::mix64;
use algorithms::retry;
use engine::tape::NoteId;
use engine::{Act, Arg, Model, Note, PartId, Stream, Time, Tone};
use rand::Rng;
use std::any::Any;

// By this name the first seconds of seed 1 are average ones.
const ARRIVALS: Stream = Stream::named("requests");
const DICE: Stream = Stream::named("dice");
const ADDRESSES: Stream = Stream::named("addresses");

/// A call that its caller's breaker refuses, or that has nobody to go to, needs so long back; really it takes no time at all.
pub const BOUNCE: Time = Time::ms(80);
/// How often the rate of a crowd that follows a curve is looked at.
const CURVE: Time = Time::ms(250);

/// Purposes of draws; a step of a node has its own.
mod purpose {
    pub(super) const CLASS: u64 = 1;
    pub(super) const PERSON: u64 = 2;
    pub(super) const THINK: u64 = 3;
    pub(super) const RETRY: u64 = 4;
    pub(super) const CHOICE: u64 = 5;
    pub(super) const FATE: u64 = 6;
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
    /// A user has waited long enough.
    Patience(Key),
    /// A user comes again.
    Reload {
        /// The crowd.
        node: u16,
        /// What was drawn for the request.
        draw: Draw,
        /// How often the user has come again.
        reloads: u8,
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
    /// The surge of this number is over.
    SurgeEnd {
        /// The crowd.
        node: u16,
        /// Which surge.
        number: u32,
    },
    /// A timer of the script rings.
    Timer(u32),
}

/// The running system.
pub struct System {
    pub(super) script: &'static dyn Script,
    pub(super) plan: Plan,
    pub(super) nodes: Vec<Option<Live>>,
    pub(super) wires: Vec<Option<LiveWire>>,
    pub(super) frames: Slab<Frame>,
    pub(super) guards: Vec<Breaker>,
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
    own: Box<dyn Own>,
    /// When a knob was last turned.
    pub turned: Time,
    /// The time of the last event, by the model's clock.
    pub now: Time,
}

impl Clone for System {
    fn clone(&self) -> Self {
        System {
            script: self.script,
            plan: self.plan.clone(),
            nodes: self.nodes.clone(),
            wires: self.wires.clone(),
            frames: self.frames.clone(),
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
            own: (*self.own).copy(),
            turned: self.turned,
            now: self.now,
        }
    }
}

impl Model for System {
    type Knobs = Values;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Values, cx: Cx<'_, '_>) -> System {
        let mut system = System {
            script: knobs.script,
            plan: Plan::default(),
            nodes: Vec::new(),
            wires: Vec::new(),
            frames: Slab::default(),
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
            own: knobs.script.own(),
            turned: Time::ZERO,
            now: Time::ZERO,
        };
        system.follow(knobs.script.plan(knobs), cx);
        system.begun = true;
        system
    }

    fn on_start(&mut self, knobs: &Values, _cx: Cx<'_, '_>) {
        self.all = Row::nothing();
        for live in self.nodes.iter_mut().flatten() {
            live.row = Row::nothing();
            for member in live.members.iter_mut() {
                member.own.row = Row::nothing();
            }
        }
        for wire in self.wires.iter_mut().flatten() {
            wire.sent.fill(0);
        }
        self.own = knobs.script.own();
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
            Event::TimeOut(key) => self.time_out(key, cx),
            Event::Expire { node, member } => self.expire(node, member, cx),
            Event::Again(key) => self.again(key, cx),
            Event::Patience(key) => self.lose_patience(key, cx),
            Event::Thought { node, user, nth } => self.thought(node, user, nth, cx),
            Event::Curve(node) => self.curve(node, cx),
            Event::Reload {
                node,
                draw,
                reloads,
            } => {
                cx.because(NoteId::NONE);
                self.request(node, draw, reloads, cx);
            }
            Event::Check { wire, member } => self.check(wire, member, cx),
            Event::Checked { wire, member } => self.checked(wire, member, cx),
            Event::Judged { wire, member } => self.judged(wire, member, cx),
            Event::SurgeEnd { node, number } => self.surge_end(node, number, cx),
            Event::Timer(number) => self.script.timer(number, self, knobs, cx),
        }
        self.script.look(self, knobs, cx.now());
    }

    fn on_knobs(&mut self, knobs: &Values, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.turned = cx.now();
        self.keep("you-set");
        self.follow(knobs.script.plan(knobs), cx);
        self.script.look(self, knobs, cx.now());
    }

    fn can(&self, act: Act) -> bool {
        let member = |node: NodeId| {
            let member = self.node(node)?.members.get(act.target)?;
            (!member.leaving).then_some(member)
        };
        match self.script.deeds().get(act.spec) {
            Some(Deed::Crash(node)) => member(*node).is_some_and(|it| it.down.is_none()),
            Some(Deed::Slow(node, _)) => {
                member(*node).is_some_and(|it| it.down.is_none() && it.own.rate == 1.0)
            }
            Some(Deed::Recover(node)) => {
                member(*node).is_some_and(|it| it.down.is_some() || it.own.rate < 1.0)
            }
            Some(Deed::Flush(node)) => member(*node).is_some_and(|it| it.down.is_none()),
            Some(Deed::Surge(node, ..)) => self.node(*node).is_some_and(|it| !it.surge.is_on()),
            Some(Deed::Cut(wire) | Deed::Heal(wire)) => {
                let heals = matches!(self.script.deeds()[act.spec], Deed::Heal(_));
                let live = self.wire(*wire);
                live.is_some_and(|it| it.cut.get(act.target) == Some(&heals))
            }
            Some(Deed::Turn) => true,
            Some(Deed::Own) => self.script.can(act, self),
            None => false,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let node = match self.script.deeds().get(spec) {
            Some(
                Deed::Crash(node) | Deed::Slow(node, _) | Deed::Recover(node) | Deed::Flush(node),
            ) => *node,
            Some(Deed::Cut(wire) | Deed::Heal(wire)) => match self.wire(*wire) {
                Some(live) => live.wire.to,
                None => return 0,
            },
            _ => return 0,
        };
        let count = self.members(usize::from(node.0));
        aim(middle(count), count, |target| {
            self.can(Act { spec, target })
        })
    }

    fn on_action(&mut self, act: Act, knobs: &Values, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match self.script.deeds().get(act.spec) {
            Some(Deed::Own) => self.script.act(act, self, knobs, cx),
            Some(deed) => self.deed(*deed, act.target, cx),
            None => {}
        }
        self.script.look(self, knobs, cx.now());
    }

    fn bytes(&self) -> usize {
        self.frames.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        let mut balance = Balance::default();
        let mut open: Vec<Vec<u32>> = self.wires.iter().map(|_| Vec::new()).collect();
        let (mut queued, mut under_way) = (0, 0);
        for live in self.nodes.iter().flatten() {
            for member in live.members.iter() {
                let part = &member.own;
                balance.claim("worker", part.pool.held.iter().copied());
                balance.claim("queue", part.pool.queue.iter().copied());
                queued += part.pool.queue.len();
                under_way += part.under_way;
            }
        }
        balance.check(&self.frames, self.gone, |_, frame| match frame.place {
            Place::Waits => Some("queue"),
            Place::Held
                if self
                    .live(frame.node)
                    .is_some_and(|it| it.service().is_some()) =>
            {
                Some("worker")
            }
            _ => None,
        })?;
        for (key, frame) in self.frames.iter() {
            for (wire, member) in &frame.hops[..usize::from(frame.depth)] {
                let list = &mut open[usize::from(*wire)];
                list.resize(list.len().max(usize::from(*member) + 1), 0);
                list[usize::from(*member)] += 1;
                under_way = under_way.wrapping_sub(1);
            }
            let due = matches!(frame.place, Place::Travels | Place::Pauses | Place::Bounces);
            if due && frame.leg.to < self.now {
                return Err(format!("call {} should have arrived", key.serial()));
            }
        }
        for (id, live) in self.wires.iter().enumerate() {
            let Some(live) = live else { continue };
            for (member, peer) in live.balancer.peers().iter().enumerate() {
                let really = open[id].get(member).copied().unwrap_or(0);
                if peer.active != really {
                    return Err(format!(
                        "wire {id} believes in {} calls to member {member}, there are {really}",
                        peer.active
                    ));
                }
            }
        }
        if under_way != 0 {
            return Err(format!("members believe in {under_way} calls too many"));
        }
        if queued != self.waiting as usize {
            return Err(format!(
                "queues hold {queued}, {} are counted",
                self.waiting
            ));
        }
        Ok(())
    }
}

/// What a story, a view or a test reads.
impl System {
    /// What became of users' requests since time zero.
    pub fn total(&self) -> Row {
        self.all
    }

    /// What came to a node since time zero.
    pub fn row(&self, node: NodeId) -> Row {
        self.node(node).map(|live| live.row).unwrap_or_default()
    }

    /// What came to one member since it joined, or since time zero.
    pub fn member_row(&self, node: NodeId, member: usize) -> Row {
        let live = self.node(node);
        live.and_then(|live| live.members.get(member))
            .map(|member| member.own.row)
            .unwrap_or_default()
    }

    /// What has come since a marked note of this word was last said; `start` is time zero, `you-set` the last turn of a knob.
    pub fn since(&self, word: &str) -> Option<Since<'_>> {
        let page = self.pages.find(word)?;
        Some(Since { page, now: self })
    }

    /// How many requests users have sent in all, the warm-up included: the number of the last one.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Requests and calls that wait in queues.
    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Requests and calls that wait at one member.
    pub fn waiting_at(&self, node: NodeId, member: usize) -> usize {
        let live = self.node(node);
        live.and_then(|live| live.members.get(member))
            .map_or(0, |member| member.own.pool.queue.len())
    }

    /// Everything that is somewhere, by key.
    pub fn frames(&self) -> impl Iterator<Item = (Key, &Frame)> {
        self.frames.iter()
    }

    /// The breakers of the plan, in its order.
    pub fn guards(&self) -> &[Breaker] {
        &self.guards
    }

    /// The retries that a budget of the plan has saved up.
    pub fn saved(&self, budget: usize) -> f64 {
        self.budgets
            .get(budget)
            .map_or(0.0, |(_, budget)| budget.balance())
    }

    /// Requests a second that a crowd sends now, a surge included.
    pub fn load_per_s(&self, crowd: NodeId) -> f64 {
        self.node(crowd).map_or(0.0, |live| match &live.node.kind {
            Kind::Crowd(crowd) => crowd.arrivals.per_s(self.now) * live.factor,
            Kind::Gate(_) | Kind::Service(_) => 0.0,
        })
    }

    /// Whether a call's caller waits for it no longer.
    pub fn is_for_nobody(&self, frame: &Frame) -> bool {
        frame.left || (!frame.is_request() && !self.frames.has(frame.parent))
    }

    /// What the lesson keeps, of the type that [`Script::own`] gives.
    ///
    /// # Panics
    /// If that is another type.
    pub fn own<T: 'static>(&self) -> &T {
        let own: &dyn Any = &*self.own;
        own.downcast_ref()
            .expect("the type that the script's `own` gives")
    }

    /// As [`System::own`], to change it.
    ///
    /// # Panics
    /// If that is another type.
    pub fn own_mut<T: 'static>(&mut self) -> &mut T {
        let own: &mut dyn Any = &mut *self.own;
        own.downcast_mut()
            .expect("the type that the script's `own` gives")
    }
}

impl System {
    /// Says a note; the script hears it, and a marked one opens a page of the ledger.
    #[inline]
    pub fn say(&mut self, note: Note, cx: Cx<'_, '_>) -> NoteId {
        if note.marked && note.word != "failing" {
            self.keep(note.word);
        }
        self.script.heard(&note, self);
        cx.say(note)
    }

    fn keep(&mut self, word: &'static str) {
        let rows = |live: &Option<Live>| match live {
            Some(live) => (live.row, live.members.iter().map(|it| it.own.row).collect()),
            None => (Row::nothing(), Vec::new()),
        };
        self.pages.keep(Page {
            word,
            at: self.now,
            all: self.all,
            nodes: self.nodes.iter().map(rows).collect(),
        });
    }

    fn insert(&mut self, frame: Frame) -> Key {
        self.frames.insert(frame)
    }

    fn remove(&mut self, key: Key) -> Option<Frame> {
        let frame = self.frames.remove(key);
        self.gone += u64::from(frame.is_some());
        frame
    }

    fn forget(&mut self, key: Key) {
        self.gone += u64::from(self.frames.forget(key));
    }

    fn part_of(&self, node: u16, member: u16) -> PartId {
        self.live(node).map_or(PartId::one("node"), |live| {
            live.node.part_of(usize::from(member))
        })
    }

    // ---- Crowds ----

    /// Begins a crowd's arrivals, or turns their rate.
    pub(super) fn start_crowd(&mut self, node: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.nodes.get_mut(node).and_then(Option::as_mut) else {
            return;
        };
        let Kind::Crowd(crowd) = &live.node.kind else {
            return;
        };
        if let Arrivals::Closed { users, .. } = crowd.arrivals {
            let first = live.users;
            if !live.gone && users > first {
                live.users = users;
                for user in first..users {
                    // Users begin within their first pause, each at a time of their own.
                    let pause = self.pause(node as u16, user, 0);
                    let node = node as u16;
                    cx.schedule(pause, Event::Thought { node, user, nth: 0 });
                }
            }
            return;
        }
        let per_s = if live.gone {
            0.0
        } else {
            crowd.arrivals.per_s(now) * live.factor
        };
        let is_curve = matches!(crowd.arrivals, Arrivals::Day { .. });
        if let Some((after, turn)) = live.source.turn(per_s, now) {
            let node = node as u16;
            let first = !self.begun;
            let after = if first {
                self.gap(node, per_s, cx)
            } else {
                after
            };
            cx.because(NoteId::NONE);
            cx.schedule(after, Event::Arrive { node, turn });
            if is_curve && first {
                cx.schedule(CURVE, Event::Curve(node));
            }
        }
    }

    fn curve(&mut self, node: u16, cx: Cx<'_, '_>) {
        cx.because(NoteId::NONE);
        cx.schedule(CURVE, Event::Curve(node));
        self.start_crowd(usize::from(node), cx);
    }

    fn gap(&self, node: u16, per_s: f64, cx: Cx<'_, '_>) -> Time {
        match self.live(node).map(|live| &live.node.kind) {
            Some(Kind::Crowd(crowd)) if matches!(crowd.arrivals, Arrivals::Even { .. }) => {
                Time::from_s(1.0 / per_s)
            }
            _ => Source::poisson(per_s, cx.random(ARRIVALS.nth(u64::from(node)))),
        }
    }

    fn arrive(&mut self, node: u16, turn: u32, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.live(node) else { return };
        if !live.source.is_due(turn) {
            return;
        }
        let Kind::Crowd(crowd) = &live.node.kind else {
            return;
        };
        let per_s = crowd.arrivals.per_s(now) * live.factor;
        let (people, skew) = (crowd.people, crowd.skew);
        // Nothing in the system causes an arrival.
        cx.because(NoteId::NONE);
        let gap = self.gap(node, per_s, cx);
        let dice = cx.random(DICE.nth(u64::from(node))).next_u64();
        if let Some(live) = self.live_mut(node) {
            let turn = live.source.next(per_s, gap, now);
            cx.schedule(gap, Event::Arrive { node, turn });
        }
        let mut draw = Draw {
            dice,
            ..Draw::default()
        };
        let unit = draw.unit(purpose::PERSON);
        let share = match skew {
            1.0 => unit,
            2.0 => unit * unit,
            _ => libm::pow(unit, skew),
        };
        draw.person = ((share * f64::from(people)) as u16).min(people.saturating_sub(1));
        self.request(node, draw, 0, cx);
    }

    fn thought(&mut self, node: u16, user: u16, nth: u32, cx: Cx<'_, '_>) {
        cx.because(NoteId::NONE);
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let wanted = match &live.node.kind {
            Kind::Crowd(crowd) if !live.gone => match crowd.arrivals {
                Arrivals::Closed { users, .. } => users,
                _ => 0,
            },
            _ => 0,
        };
        if user >= wanted {
            live.users = live.users.min(user);
            return;
        }
        let dice = mix64(
            self.salt ^ mix64((u64::from(node) << 48) | (u64::from(user) << 32) | u64::from(nth)),
        );
        let draw = Draw {
            dice,
            person: user,
            // Kept to know which of the user's requests it is.
            key: nth,
            class: 0,
        };
        self.request(node, draw, 0, cx);
    }

    /// The pause of a closed crowd's user before a request.
    fn pause(&self, node: u16, user: u16, nth: u32) -> Time {
        let Some(Kind::Crowd(crowd)) = self.live(node).map(|live| &live.node.kind) else {
            return Time::NEVER;
        };
        let Arrivals::Closed { think, .. } = crowd.arrivals else {
            return Time::NEVER;
        };
        let dice = mix64(
            self.salt ^ mix64((u64::from(node) << 48) | (u64::from(user) << 32) | u64::from(nth)),
        );
        let draw = Draw {
            dice,
            ..Draw::default()
        };
        Time((-libm::log(draw.unit(purpose::THINK)) * think.0 as f64) as u64)
    }

    /// A user's request begins.
    pub fn request(&mut self, node: u16, mut draw: Draw, reloads: u8, cx: Cx<'_, '_>) {
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let Kind::Crowd(crowd) = &live.node.kind else {
            return;
        };
        let patience = crowd.patience;
        if crowd.classes.len() > 1 {
            let all: f64 = crowd.classes.iter().sum();
            let mut ticket = draw.unit(purpose::CLASS) * all;
            for (class, share) in crowd.classes.iter().enumerate() {
                if *share > 0.0 {
                    draw.class = class as u8;
                }
                ticket -= share;
                if ticket <= 0.0 {
                    break;
                }
            }
        }
        live.row.add(Count::Came);
        self.all.add(Count::Came);
        self.requests += 1;
        let key = self.insert(Frame {
            number: self.requests,
            draw,
            reloads,
            ..Frame::at_rest(node, cx.now())
        });
        cx.sample(probe::CAME, 1.0);
        if let Some(patience) = patience {
            cx.schedule(patience, Event::Patience(key));
        }
        self.run(key, cx);
    }

    fn lose_patience(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.failed = Some(Reason::Left);
        let (number, node) = (frame.number, frame.node);
        cx.because(frame.note);
        let part = self.part_of(node, 0);
        let note = Note::new("leaves")
            .with(count(number))
            .with(Arg::Part(part));
        self.say(note.about(part).dot(number), cx);
        self.failing(number, cx);
        self.home(key, cx);
    }

    /// A request is over: its user has the answer, or has left.
    fn home(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.remove(key) else {
            return;
        };
        let now = cx.now();
        self.script.over(&frame, self, now);
        let took = now.since(frame.asked);
        let waited = took - frame.travelled;
        let what = match frame.failed {
            None => Count::Done,
            Some(_) => Count::Failed,
        };
        let Some(live) = self
            .nodes
            .get_mut(usize::from(frame.node))
            .and_then(Option::as_mut)
        else {
            return;
        };
        for row in [&mut live.row, &mut self.all] {
            row.add(what);
            if frame.partial && frame.failed.is_none() {
                row.add(Count::Partial);
            }
            match frame.failed {
                None => row.time += waited,
                Some(Reason::TimedOut | Reason::Left) => row.add(Count::TimedOut),
                Some(reason) if reason.is_refusal() => row.add(Count::Refused),
                Some(_) => {}
            }
        }
        match frame.failed {
            None => {
                cx.sample(probe::DONE, 1.0);
                cx.sample_asked(probe::LATENCY, waited.0 as f64, frame.asked);
            }
            Some(reason) => {
                cx.sample(probe::FAILED, 1.0);
                // Who waited in vain waited, too: without them the slowest would be missing.
                if matches!(reason, Reason::TimedOut | Reason::Left) {
                    cx.sample_asked(probe::LATENCY, waited.0 as f64, frame.asked);
                }
            }
        }
        let Kind::Crowd(crowd) = &live.node.kind else {
            return;
        };
        let (again, after) = crowd.reloads;
        let node = frame.node;
        if frame.failed.is_some() && frame.reloads < again {
            let reload = Event::Reload {
                node,
                draw: frame.draw,
                reloads: frame.reloads + 1,
            };
            cx.schedule(after, reload);
        } else if matches!(crowd.arrivals, Arrivals::Closed { .. }) {
            let (user, nth) = (frame.draw.person, frame.draw.key + 1);
            let pause = self.pause(node, user, nth);
            cx.schedule(pause, Event::Thought { node, user, nth });
        }
    }

    // ---- Programs ----

    /// Goes on with what is done for a request or call, until it must wait for something.
    fn run(&mut self, key: Key, cx: Cx<'_, '_>) {
        loop {
            let Some(frame) = self.frames.get(key) else {
                return;
            };
            let (node, member, class, step) =
                (frame.node, frame.member, frame.draw.class, frame.step);
            let Some(live) = self.live(node) else { return };
            match live.node.kind.program(class).get(usize::from(step)) {
                None => return self.answer(key, cx),
                Some(Step::Work(mean)) => {
                    let purpose = purpose::WORK + (u64::from(node) << 8) + u64::from(step);
                    let factor = match &live.node.kind {
                        Kind::Service(service) => match service.spread {
                            plan::Spread::Fixed => 1.0,
                            spread => spread.factor(frame.draw.unit(purpose)),
                        },
                        Kind::Crowd(_) | Kind::Gate(_) => 1.0,
                    };
                    let amount = (mean.0 as f64 * factor) as u64;
                    let speed = live.speed(usize::from(member));
                    return self.work(key, amount, speed, cx);
                }
                Some(Step::Call(call)) => {
                    let call = *call;
                    if let Some(frame) = self.frames.get_mut(key) {
                        frame.pending = 1;
                    }
                    return self.send(key, (step, 0), call, (0, Time::ZERO), cx);
                }
                Some(Step::All(calls)) => {
                    let many = calls.len().min(usize::from(u8::MAX)) as u8;
                    if let Some(frame) = self.frames.get_mut(key) {
                        frame.pending = many;
                        if many == 0 {
                            frame.step += 1;
                            continue;
                        }
                    }
                    for call in 0..many {
                        if let Some(spec) = self.call_of(node, class, (step, call)) {
                            self.send(key, (step, call), spec, (0, Time::ZERO), cx);
                        }
                    }
                    return;
                }
                Some(Step::Answer) => {
                    let Some(rest) = self.part_ways(key, cx) else {
                        return;
                    };
                    return self.run(rest, cx);
                }
            }
        }
    }

    fn call_of(&self, node: u16, class: u8, of: (u8, u8)) -> Option<Call> {
        let program = self.live(node)?.node.kind.program(class);
        program
            .get(usize::from(of.0))?
            .calls()
            .get(usize::from(of.1))
            .copied()
    }

    fn work(&mut self, key: Key, amount: u64, speed: f64, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.turn = frame.turn.wrapping_add(1);
        frame.work = (amount, cx.now());
        if speed > 0.0 {
            cx.schedule(
                Time((amount as f64 / speed) as u64),
                Event::Done(key, frame.turn),
            );
        }
    }

    /// A worker answers and goes on for nobody: the answer is what it was, the rest is new.
    fn part_ways(&mut self, key: Key, cx: Cx<'_, '_>) -> Option<Key> {
        let now = cx.now();
        let frame = *self.frames.get(key)?;
        if frame.is_request() {
            return None;
        }
        let rest = self.insert(Frame {
            parent: key,
            depth: 0,
            step: frame.step + 1,
            permit: None,
            ..frame
        });
        let part = self.part_mut(frame.node, frame.member)?;
        part.pool.release(key, now);
        part.pool.hold(rest, now);
        self.well(key, cx);
        self.give_back(key, cx);
        Some(rest)
    }

    fn done(&mut self, key: Key, turn: u8, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        if frame.turn != turn || frame.place != Place::Held {
            return;
        }
        frame.step += 1;
        frame.work.0 = 0;
        self.run(key, cx);
    }

    /// The program is over: the answer goes back.
    fn answer(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        if frame.is_request() {
            return self.home(key, cx);
        }
        let (number, node, member) = (frame.number, frame.node, frame.member);
        let now = cx.now();
        let took = now.since(frame.reached);
        let part = self.part_of(node, member);
        let Some(service) = self.live(node).and_then(Live::service) else {
            return;
        };
        let unlucky = service.fails > 0.0
            && frame
                .draw
                .unit(purpose::FATE + (u64::from(node) << 8) + (u64::from(frame.nth) << 32))
                <= service.fails;
        if service.patience.is_some_and(|patience| took > patience) {
            let note = Note::new("too-late")
                .with(count(number))
                .with(Arg::Part(part))
                .with(Arg::Span(took));
            self.say(note.about(part).dot(number), cx);
            self.fail(key, Reason::TimedOut, cx);
        } else if unlucky {
            let note = Note::new("fails-it")
                .with(count(number))
                .with(Arg::Part(part));
            self.say(note.about(part).dot(number), cx);
            self.fail(key, Reason::Chance, cx);
        } else {
            if frame.depth == 0 {
                self.forget(key);
            } else {
                self.well(key, cx);
                self.give_back(key, cx);
            }
            if let Some(part) = self.part_mut(node, member) {
                part.pool.release(key, now);
            }
            self.put_to_work(usize::from(node), usize::from(member), cx);
        }
        self.measure_waiting(cx);
        self.leave_if_done(node);
    }

    /// Counts and says a good answer.
    fn well(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, node, member) = (frame.number, frame.node, frame.member);
        let took = cx.now().since(frame.reached);
        let nobody = self.is_for_nobody(frame);
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let part = live.node.part_of(usize::from(member));
        let member = live.members.get_mut(usize::from(member));
        for row in [&mut live.row]
            .into_iter()
            .chain(member.map(|it| &mut it.own.row))
        {
            row.add(Count::Done);
            row.time += took;
            if nobody {
                row.add(Count::ForNobody);
            }
        }
        let note = Note::new("answered")
            .with(Arg::Part(part))
            .with(count(number))
            .with(Arg::Span(took));
        let note = self.say(note.about(part).dot(number), cx);
        if let Some(frame) = self.frames.get_mut(key) {
            frame.note = note;
        }
    }

    /// A request or call fails where it is; what said why was said just before.
    fn fail(&mut self, key: Key, reason: Reason, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        let (number, node, member, place) = (frame.number, frame.node, frame.member, frame.place);
        let (request, depth) = (frame.is_request(), frame.depth);
        frame.failed = Some(reason);
        if request {
            self.failing(number, cx);
            return self.home(key, cx);
        }
        if let Some(live) = self.live_mut(node) {
            let part = live.members.get_mut(usize::from(member));
            if let Some(part) = part {
                let own = &mut part.own;
                match place {
                    Place::Held => _ = own.pool.release(key, now),
                    Place::Waits => _ = own.pool.leave(key),
                    _ => {}
                }
                own.deaths.add(reason, now);
                count_failure(&mut own.row, reason);
            }
            count_failure(&mut live.row, reason);
        }
        self.waiting -= u32::from(place == Place::Waits);
        self.failing(number, cx);
        if depth == 0 {
            self.forget(key);
        } else {
            self.give_back(key, cx);
        }
        if place == Place::Held {
            self.put_to_work(usize::from(node), usize::from(member), cx);
        }
    }

    /// Marks a failure on the tape, once a second.
    fn failing(&mut self, number: u32, cx: Cx<'_, '_>) {
        if self.marks.due(cx.now()) {
            // About no part: what befell a member is its crash, not each request that it costs.
            let note = Note::new("failing").with(count(number)).dot(number);
            self.say(note.mark(Tone::Bad), cx);
        }
    }

    // ---- Calls ----

    /// A caller makes a call, or tries it again.
    fn send(
        &mut self,
        parent: Key,
        of: (u8, u8),
        call: Call,
        (nth, waited): (u8, Time),
        cx: Cx<'_, '_>,
    ) {
        let Some(caller) = self.frames.get(parent) else {
            return;
        };
        let frame = Frame {
            number: caller.number,
            draw: caller.draw,
            parent,
            of,
            nth,
            waited,
            note: caller.note,
            ..Frame::at_rest(caller.node, cx.now())
        };
        let node = caller.node;
        if nth == 0
            && let Some(retry) = call.retry
            && let Some(budget) = retry.budget
            && let Some((_, budget)) = self.budgets.get_mut(usize::from(budget))
        {
            budget.on_request(cx.now().0);
        }
        if nth > 0 {
            self.all.add(Count::Retried);
            if let Some(live) = self.live_mut(node) {
                live.row.add(Count::Retried);
            }
            cx.sample(probe::RETRIES, 1.0);
        }
        let key = self.insert(frame);
        if let Some(guard) = call.guard {
            let permit = self
                .guards
                .get_mut(usize::from(guard))
                .map(|it| it.ask(cx.now()));
            self.look_at_guard(guard, cx);
            match permit {
                Some(None) => return self.bounce(key, call.over, Reason::Open, cx),
                Some(permit) => {
                    if let Some(frame) = self.frames.get_mut(key) {
                        frame.permit = permit;
                    }
                }
                None => {}
            }
        }
        cx.sample(probe::CALLS, 1.0);
        if let Some(timeout) = call.timeout {
            cx.schedule(timeout, Event::TimeOut(key));
        }
        self.go(key, call.over, cx);
    }

    /// A call is turned away before it sets out.
    fn bounce(&mut self, key: Key, over: WireId, reason: Reason, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.failed = Some(reason);
        frame.place = Place::Bounces;
        frame.leg = Leg::new(over, cx.now(), BOUNCE, false);
        frame.travelled = BOUNCE;
        let (number, node) = (frame.number, frame.node);
        let part = self.part_of(node, 0);
        if reason == Reason::Open {
            let note = Note::new("breaker-refuses")
                .with(count(number))
                .with(Arg::Part(part));
            self.say(note.about(part).dot(number), cx);
        }
        cx.schedule(BOUNCE, Event::Back(key));
    }

    /// A call sets out over a wire, from its caller or from a gate.
    fn go(&mut self, key: Key, over: WireId, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, draw, depth, nth) = (
            frame.number,
            frame.draw,
            usize::from(frame.depth),
            frame.nth,
        );
        let from = (frame.node, frame.member);
        let gone = self.live_wire(over.0).is_none_or(|live| live.gone);
        let picked = if gone || depth >= HOPS_MAX {
            None
        } else {
            self.pick(over, &draw, nth)
        };
        let Some(member) = picked else {
            let part = self.part_of(from.0, from.1);
            self.say(
                Note::new("nobody")
                    .with(count(number))
                    .about(part)
                    .dot(number),
                cx,
            );
            if depth == 0 {
                self.failing(number, cx);
                return self.bounce(key, over, Reason::Nobody, cx);
            }
            return self.fail(key, Reason::Nobody, cx);
        };
        let Some(live) = self.live_wire_mut(over.0) else {
            return;
        };
        live.balancer.opened(member);
        live.last = Some(member);
        if let Some(sent) = live.sent.get_mut(member) {
            *sent += 1;
        }
        let (to, travel) = (live.wire.to.0, live.wire.travel);
        let script = self.script;
        let Some(live) = self.live_wire(over.0) else {
            return;
        };
        let Some(target) = self.live(to) else { return };
        let part = target.node.part_of(member);
        let note = if target.node.counted {
            let because = script.because(&live.wire);
            Some(
                Note::new("picked")
                    .with(count(number))
                    .with(Arg::Part(part))
                    .with(Arg::Word(because)),
            )
        } else if self
            .live(from.0)
            .is_some_and(|live| live.service().is_some())
        {
            Some(
                Note::new("calls")
                    .with(count(number))
                    .with(Arg::Part(self.part_of(from.0, from.1)))
                    .with(Arg::Part(part)),
            )
        } else {
            None
        };
        let note = note.map(|note| self.say(note.about(part).dot(number), cx));
        if let Some(part) = self.part_mut(to, member as u16) {
            part.under_way += 1;
        }
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        if let Some(note) = note {
            frame.note = note;
        }
        frame.hops[depth] = (over.0, member as u16);
        frame.depth += 1;
        frame.node = to;
        frame.member = member as u16;
        frame.place = Place::Travels;
        frame.leg = Leg::new(over, cx.now(), travel, false);
        frame.travelled += travel;
        let call = *frame;
        cx.schedule(travel, Event::Reach(key));
        script.sent(&call, self, cx.now());
    }

    /// A call reaches a node.
    fn reach(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.reached = cx.now();
        let (number, draw, node, member) = (frame.number, frame.draw, frame.node, frame.member);
        let (wire, _) = frame.hop();
        let cut = self
            .live_wire(wire)
            .is_some_and(|live| live.is_cut(usize::from(member)));
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let part = live.node.part_of(usize::from(member));
        live.row.add(Count::Came);
        let gone = live.gone;
        let down = match live.members.get_mut(usize::from(member)) {
            Some(member) => {
                member.own.row.add(Count::Came);
                member.down.is_some()
            }
            None => true,
        };
        let refused = match (cut, down || gone) {
            (true, _) => Some(("cut-off", Reason::Cut)),
            (_, true) => Some(("refused", Reason::Down)),
            _ => None,
        };
        if let Some((word, reason)) = refused {
            let note = Note::new(word).with(count(number)).with(Arg::Part(part));
            self.say(note.about(part).dot(number), cx);
            return self.fail(key, reason, cx);
        }
        match &live.node.kind {
            Kind::Gate(gate) => {
                let route = gate
                    .routes
                    .get(usize::from(draw.class))
                    .or(gate.routes.last());
                let route = route.copied();
                let limits = gate.limits;
                let script = self.script;
                if limits && !script.admits(NodeId(node), &draw, self, cx.now()) {
                    let note = Note::new("limited")
                        .with(count(number))
                        .with(Arg::Part(part));
                    self.say(note.about(part).dot(number), cx);
                    return self.fail(key, Reason::Limited, cx);
                }
                match route {
                    Some(wire) => self.go(key, wire, cx),
                    None => self.fail(key, Reason::Nobody, cx),
                }
            }
            Kind::Service(service) => {
                let (workers, places) = (service.workers as usize, service.places as usize);
                let patience = service.patience;
                let now = cx.now();
                let Some(own) = self.part_mut(node, member) else {
                    return;
                };
                match own.pool.offer(key, workers, places, now) {
                    Offer::AtOnce => self.start(key, cx),
                    Offer::Waits(place) => {
                        let note = Note::new("waits")
                            .with(count(number))
                            .with(Arg::Part(part))
                            .with(Arg::Count(place as i64));
                        let note = self.say(note.about(part).dot(number), cx);
                        self.waiting += 1;
                        if let Some(frame) = self.frames.get_mut(key) {
                            frame.place = Place::Waits;
                            frame.note = note;
                        }
                        if let Some(patience) = patience
                            && let Some(part) = self.part_mut(node, member)
                            && !std::mem::replace(&mut part.expiring, true)
                        {
                            cx.schedule(patience, Event::Expire { node, member });
                        }
                    }
                    Offer::Full => {
                        let note = Note::new("overflow")
                            .with(count(number))
                            .with(Arg::Part(part));
                        self.say(note.about(part).dot(number), cx);
                        self.fail(key, Reason::Full, cx);
                    }
                }
                self.measure_waiting(cx);
            }
            Kind::Crowd(_) => self.fail(key, Reason::Nobody, cx),
        }
    }

    /// A worker begins with a call.
    fn start(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.place = Place::Held;
        frame.step = 0;
        let (node, class) = (frame.node, frame.draw.class);
        let first = self
            .live(node)
            .and_then(|live| live.node.kind.program(class).first());
        match first {
            Some(Step::Work(_) | Step::Call(_)) => self.run(key, cx),
            // What is over at once is over with an event of its own, or one worker's queue would be one endless call.
            _ => cx.schedule(Time::ZERO, Event::Begin(key)),
        }
    }

    fn begin(&mut self, key: Key, cx: Cx<'_, '_>) {
        let held = self.frames.get(key).map(|frame| frame.place);
        if held == Some(Place::Held) {
            self.run(key, cx);
        }
    }

    /// Gives calls that wait to free workers.
    pub(super) fn put_to_work(&mut self, node: usize, member: usize, cx: Cx<'_, '_>) {
        loop {
            let Some(live) = self.nodes.get_mut(node).and_then(Option::as_mut) else {
                return;
            };
            let Kind::Service(service) = &live.node.kind else {
                return;
            };
            let (workers, newest) = (service.workers as usize, service.newest_first);
            let skips = service.skips_left;
            let Some(part) = live.members.get_mut(member) else {
                return;
            };
            if part.down.is_some() {
                return;
            }
            let Some(key) = part.own.pool.next(workers, newest, cx.now()) else {
                return;
            };
            self.waiting -= 1;
            let Some(frame) = self.frames.get_mut(key) else {
                continue;
            };
            frame.place = Place::Held;
            let (number, note) = (frame.number, frame.note);
            let before = cx.cause();
            cx.because(note);
            let nobody = |frame: &Frame| self.is_for_nobody(frame);
            if skips && self.frames.get(key).is_some_and(nobody) {
                let part = self.part_of(node as u16, member as u16);
                let note = Note::new("skipped")
                    .with(count(number))
                    .with(Arg::Part(part));
                self.say(note.about(part).dot(number), cx);
                self.skip(key, cx);
            } else {
                self.start(key, cx);
            }
            cx.because(before);
        }
    }

    /// A call that nobody waits for is not worked on.
    fn skip(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.failed = Some(Reason::TimedOut);
        let (node, member) = (frame.node, frame.member);
        if let Some(part) = self.part_mut(node, member) {
            part.pool.release(key, now);
            count_failure(&mut part.row, Reason::TimedOut);
        }
        if let Some(live) = self.live_mut(node) {
            count_failure(&mut live.row, Reason::TimedOut);
        }
        self.give_back(key, cx);
    }

    /// Those that have waited too long at a member give up; somebody looks again when the next one may have.
    fn expire(&mut self, node: u16, member: u16, cx: Cx<'_, '_>) {
        let patience = self
            .live(node)
            .and_then(Live::service)
            .and_then(|it| it.patience);
        if let Some(part) = self.part_mut(node, member) {
            part.expiring = false;
        }
        let Some(patience) = patience else { return };
        loop {
            // The oldest stands first, whichever one is taken first.
            let first = self
                .part_mut(node, member)
                .and_then(|part| part.pool.queue.front().copied());
            let Some(key) = first else { break };
            let Some(frame) = self.frames.get(key) else {
                break;
            };
            let waited = cx.now().since(frame.reached);
            if waited < patience {
                cx.schedule(patience - waited, Event::Expire { node, member });
                if let Some(part) = self.part_mut(node, member) {
                    part.expiring = true;
                }
                break;
            }
            let number = frame.number;
            cx.because(frame.note);
            let part = self.part_of(node, member);
            let note = Note::new("gave-up")
                .with(count(number))
                .with(Arg::Part(part))
                .with(Arg::Span(waited));
            self.say(note.about(part).dot(number), cx);
            self.fail(key, Reason::TimedOut, cx);
        }
        self.measure_waiting(cx);
        self.leave_if_done(node);
    }

    /// A call goes back over the last wire that it came by, answered or failed.
    fn give_back(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (wire, _) = frame.hop();
        let travel = self
            .live_wire(wire)
            .map_or(Time::ZERO, |live| live.wire.travel);
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.place = Place::Travels;
        frame.leg = Leg::new(WireId(wire), cx.now(), travel, true);
        frame.travelled += travel;
        cx.schedule(travel, Event::Back(key));
    }

    /// An answer has come back over one wire.
    fn back(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        if frame.depth > 0 {
            let (wire, member) = frame.hop();
            let node = frame.node;
            frame.depth -= 1;
            let depth = frame.depth;
            // It is now where that wire begins: at a gate, or with its caller.
            let (_, before) = frame.hop();
            if let Some(from) = self.live_wire(wire).map(|live| live.wire.from.0)
                && let Some(frame) = self.frames.get_mut(key)
            {
                frame.node = from;
                frame.member = if depth > 0 { before } else { 0 };
            }
            if let Some(live) = self.live_wire_mut(wire) {
                live.balancer.closed(usize::from(member));
            }
            if let Some(part) = self.part_mut(node, member) {
                part.under_way -= 1;
            }
            self.leave_if_done(node);
            if depth > 0 {
                return self.give_back(key, cx);
            }
        }
        self.result(key, cx);
    }

    /// A caller has the answer to a call, or knows that it failed.
    fn result(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        if frame.left {
            return self.forget(key);
        }
        if frame.failed.is_none() && frame.permit.is_none() {
            let (parent, of) = (frame.parent, frame.of);
            let (travelled, partial) = (frame.travelled, frame.partial);
            self.forget(key);
            if self.awaits(parent, of) {
                self.go_on(parent, travelled, partial, cx);
            }
            return;
        }
        let Some(frame) = self.remove(key) else {
            return;
        };
        let took = cx.now().since(frame.asked);
        self.tell_guard(&frame, frame.failed.is_none(), took, cx);
        self.settle(&frame, frame.failed, cx);
    }

    /// Whether a caller still waits for a call.
    #[inline]
    fn awaits(&self, parent: Key, of: (u8, u8)) -> bool {
        self.frames.get(parent).is_some_and(|parent| {
            parent.place == Place::Held && parent.step == of.0 && parent.pending > 0
        })
    }

    /// What a caller does with the outcome of a try.
    fn settle(&mut self, call: &Frame, failed: Option<Reason>, cx: Cx<'_, '_>) {
        if !self.awaits(call.parent, call.of) {
            return;
        }
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        let (node, class) = (parent.node, parent.draw.class);
        let spec = self.call_of(node, class, call.of);
        let Some(reason) = failed else {
            return self.go_on(call.parent, call.travelled, call.partial, cx);
        };
        if let Some(spec) = spec
            && !call.spare
        {
            if let Some(wait) = self.next_try(call, &spec, cx) {
                let pausing = self.insert(Frame {
                    place: Place::Pauses,
                    leg: Leg::new(spec.over, cx.now(), wait, false),
                    waited: wait,
                    nth: call.nth + 1,
                    note: cx.cause(),
                    failed: None,
                    permit: None,
                    depth: 0,
                    left: false,
                    ..*call
                });
                cx.schedule(wait, Event::Again(pausing));
                return;
            }
            match spec.otherwise {
                Otherwise::Fail => {}
                Otherwise::Without => return self.go_on(call.parent, call.travelled, true, cx),
                Otherwise::Call(spare) => {
                    let key = self.insert(Frame {
                        spare: true,
                        nth: 0,
                        ..self.fresh(call, cx.now())
                    });
                    if let Some(timeout) = spec.timeout {
                        cx.schedule(timeout, Event::TimeOut(key));
                    }
                    return self.go(key, spare, cx);
                }
            }
        }
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        if !parent.is_request() {
            let part = self.part_of(parent.node, parent.member);
            let number = call.number;
            let note = Note::new("fails-too")
                .with(count(number))
                .with(Arg::Part(part));
            self.say(note.about(part).dot(number), cx);
        }
        self.fail(call.parent, reason, cx);
    }

    /// A call of the same caller for the same purpose, not yet under way.
    fn fresh(&self, call: &Frame, now: Time) -> Frame {
        Frame {
            number: call.number,
            draw: call.draw,
            parent: call.parent,
            of: call.of,
            note: call.note,
            ..Frame::at_rest(
                self.frames.get(call.parent).map_or(0, |parent| parent.node),
                now,
            )
        }
    }

    /// The pause before the next try; none if there is none.
    fn next_try(&mut self, call: &Frame, spec: &Call, cx: Cx<'_, '_>) -> Option<Time> {
        let retry = spec.retry.filter(|retry| call.nth < retry.retries)?;
        if let Some(budget) = retry.budget
            && let Some((_, budget)) = self.budgets.get_mut(usize::from(budget))
            && !budget.try_retry(cx.now().0)
        {
            let node = self.frames.get(call.parent)?.node;
            let part = self.part_of(node, 0);
            let note = Note::new("no-budget")
                .with(count(call.number))
                .with(Arg::Part(part));
            self.say(note.about(part).dot(call.number), cx);
            return None;
        }
        let mut dice = Dice::new(
            call.draw,
            purpose::RETRY + (u64::from(call.nth) << 8) + (u64::from(call.of.1) << 16),
        );
        let before = if call.nth == 0 {
            retry.backoff.base_us
        } else {
            call.waited.0
        };
        let wait = retry
            .backoff
            .wait_us(u32::from(call.nth) + 1, before, &mut dice);
        Some(Time(wait))
    }

    /// The pause is over: the call is tried again, if its caller still waits.
    fn again(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(call) = self.remove(key) else { return };
        if !self.awaits(call.parent, call.of) {
            return;
        }
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        let (number, node, class) = (call.number, parent.node, parent.draw.class);
        let Some(spec) = self.call_of(node, class, call.of) else {
            return self.fail(call.parent, Reason::Nobody, cx);
        };
        let part = self.part_of(node, 0);
        let note = Note::new("tries-again")
            .with(count(number))
            .with(Arg::Part(part))
            .with(Arg::Count(i64::from(call.nth) + 1));
        self.say(note.about(part).dot(number), cx);
        self.send(call.parent, call.of, spec, (call.nth, call.waited), cx);
    }

    /// A caller has one answer more.
    fn go_on(&mut self, key: Key, travelled: Time, partial: bool, cx: Cx<'_, '_>) {
        let Some(parent) = self.frames.get_mut(key) else {
            return;
        };
        parent.partial |= partial;
        parent.pending -= 1;
        parent.travelled = parent.travelled.max(parent.settled + travelled);
        if parent.pending > 0 {
            return;
        }
        parent.settled = parent.travelled;
        parent.step += 1;
        self.run(key, cx);
    }

    fn time_out(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        // An answer that comes at this very moment comes in time.
        let comes = frame.depth == 1
            && frame.place == Place::Travels
            && frame.leg.back
            && frame.leg.to == now;
        if frame.left || comes || frame.place == Place::Bounces {
            return;
        }
        frame.left = true;
        let call = *frame;
        if !self.awaits(call.parent, call.of) {
            return;
        }
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        let node = parent.node;
        let part = self.part_of(node, 0);
        cx.because(call.note);
        let note = Note::new("timed-out")
            .with(count(call.number))
            .with(Arg::Part(part))
            .with(Arg::Span(now.since(call.asked)));
        self.say(note.about(part).dot(call.number), cx);
        if let Some(live) = self.live_mut(node) {
            live.row.add(Count::TimedOut);
        }
        self.tell_guard(&call, false, now.since(call.asked), cx);
        // It travels no further for its caller: all that it waited counts as waiting.
        let call = Frame {
            travelled: Time::ZERO,
            ..call
        };
        self.settle(&call, Some(Reason::TimedOut), cx);
    }

    fn tell_guard(&mut self, call: &Frame, well: bool, took: Time, cx: Cx<'_, '_>) {
        let Some(permit) = call.permit else { return };
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        let spec = self.call_of(parent.node, parent.draw.class, call.of);
        if let Some(guard) = spec.and_then(|spec| spec.guard)
            && let Some(breaker) = self.guards.get_mut(usize::from(guard))
        {
            breaker.tell(permit, well, took, cx.now());
            self.look_at_guard(guard, cx);
        }
    }

    /// Says that a breaker has changed its state.
    fn look_at_guard(&mut self, guard: u8, cx: Cx<'_, '_>) {
        let breaker = self.guards.get_mut(usize::from(guard));
        let Some(state) = breaker.and_then(|breaker| breaker.look(cx.now())) else {
            return;
        };
        let number = u16::from(guard) + 1;
        let note = match state {
            State::Open => Note::new("breaker-opens")
                .mark(Tone::Warn)
                .begins("open", number),
            State::HalfOpen => Note::new("breaker-tries").mark(Tone::Warn),
            State::Closed => Note::new("breaker-closes")
                .mark(Tone::Ok)
                .ends("open", number),
        };
        self.say(note.with(Arg::Count(i64::from(number))), cx);
    }

    // ---- Choosing, and health checks ----

    fn pick(&mut self, over: WireId, draw: &Draw, nth: u8) -> Option<usize> {
        let script = self.script;
        let mut barred = Vec::new();
        let live = self.live_wire(over.0)?;
        let (policy, filters) = (live.wire.policy, live.filters);
        if filters {
            for (member, peer) in live.balancer.peers().iter().enumerate() {
                if peer.eligible && !script.allowed(over, draw, member, self) {
                    barred.push(member);
                }
            }
        }
        let address = match policy {
            Policy::IpHash => self.address(draw.person),
            _ => [0; 4],
        };
        let mut dice = Dice::new(
            *draw,
            purpose::CHOICE + (u64::from(over.0) << 8) + (u64::from(nth) << 24),
        );
        let live = self.live_wire_mut(over.0)?;
        for member in &barred {
            live.balancer.set_eligible(*member, false);
        }
        let picked = if policy == Policy::PowerOfTwoChoices {
            live.looked_at = live.balancer.draw_two(&mut dice);
            live.looked_at
                .map(|(one, other)| live.balancer.lighter(one, other))
        } else {
            live.balancer.pick(policy, address, &mut dice)
        };
        for member in &barred {
            live.balancer.set_eligible(*member, true);
        }
        picked
    }

    /// The IPv4 address of a person. Documentation networks would share their first octets, which is all that IP hash reads.
    pub fn address(&self, person: u16) -> [u8; 4] {
        let bits = mix64(self.salt ^ u64::from(person));
        [0, 16, 32, 48].map(|shift| 1 + ((bits >> shift) % 254) as u8)
    }

    fn check(&mut self, wire: u16, member: u16, cx: Cx<'_, '_>) {
        let Some(live) = self.live_wire_mut(wire) else {
            return;
        };
        let (travel, rule, gone) = (live.wire.travel, live.wire.health, live.gone);
        // A member that has left takes its checks with it.
        let Some(dog) = live.dogs.get_mut(usize::from(member)) else {
            return;
        };
        let Some(rule) = rule.filter(|_| !gone) else {
            dog.check_at = Time::NEVER;
            return;
        };
        dog.check_at = cx.now() + rule.every;
        dog.check = Some((cx.now(), None));
        cx.schedule(rule.every, Event::Check { wire, member });
        cx.schedule(travel, Event::Checked { wire, member });
    }

    fn checked(&mut self, wire: u16, member: u16, cx: Cx<'_, '_>) {
        let Some(live) = self.live_wire(wire) else {
            return;
        };
        let (to, travel, cut) = (
            live.wire.to.0,
            live.wire.travel,
            live.is_cut(usize::from(member)),
        );
        let up = self
            .live(to)
            .and_then(|live| live.members.get(usize::from(member)))
            .is_some_and(|member| member.down.is_none());
        let Some(live) = self.live_wire_mut(wire) else {
            return;
        };
        let Some(dog) = live.dogs.get_mut(usize::from(member)) else {
            return;
        };
        if let Some((_, found)) = &mut dog.check {
            *found = Some(up && !cut);
            cx.schedule(travel, Event::Judged { wire, member });
        }
    }

    fn judged(&mut self, wire: u16, member: u16, cx: Cx<'_, '_>) {
        use algorithms::health::Transition;
        let at = usize::from(member);
        let Some(live) = self.live_wire_mut(wire) else {
            return;
        };
        let to = live.wire.to.0;
        let Some(dog) = live.dogs.get_mut(at) else {
            return;
        };
        let Some((_, Some(passed))) = dog.check.take() else {
            return;
        };
        let verdict = dog.health.observe(passed);
        let Some((down, leaving)) = self
            .live(to)
            .and_then(|live| live.members.get(at))
            .map(|member| (member.down, member.leaving))
        else {
            return;
        };
        let part = self.part_of(to, member);
        if !passed {
            self.say(
                Note::new("check-failed").with(Arg::Part(part)).about(part),
                cx,
            );
        }
        let up = match verdict {
            Some(Transition::Down) => false,
            Some(Transition::Up) => true,
            None => return,
        };
        if let Some(live) = self.live_wire_mut(wire) {
            live.balancer.set_eligible(at, up && !leaving);
            if up {
                // What a member did not get while it was out says nothing about the policy.
                live.sent.fill(0);
            }
        }
        let note = if up {
            Note::new("returned").with(Arg::Part(part)).mark(Tone::Ok)
        } else {
            let since = down.map_or(Time::ZERO, |at| cx.now().since(at));
            Note::new("ejected")
                .with(Arg::Part(part))
                .with(Arg::Span(since))
                .mark(Tone::Warn)
                .ends("unnoticed", member)
        };
        self.say(note.about(part), cx);
    }

    // ---- Deeds ----

    /// Does something to the system: what an action, a script or a test wants.
    pub fn deed(&mut self, deed: Deed, target: usize, cx: Cx<'_, '_>) {
        match deed {
            Deed::Crash(node) => self.crash(node, target, cx),
            Deed::Recover(node) => {
                let recovered = self.live_mut(node.0).and_then(|live| {
                    let was_down = live.members.recover(target).is_some();
                    let member = live.members.get_mut(target)?;
                    member.own.rate = 1.0;
                    Some((was_down, live.node.part_of(target)))
                });
                let Some((was_down, part)) = recovered else {
                    return;
                };
                let word = if was_down { "restarted" } else { "mended" };
                self.say(
                    Note::new(word)
                        .with(Arg::Part(part))
                        .about(part)
                        .mark(Tone::Ok),
                    cx,
                );
                self.reckon_all(usize::from(node.0), cx);
                self.put_to_work(usize::from(node.0), target, cx);
            }
            Deed::Slow(node, rate) => {
                let slowed = self.live_mut(node.0).and_then(|live| {
                    live.members.get_mut(target)?.own.rate = rate.max(0.0);
                    Some(live.node.part_of(target))
                });
                let Some(part) = slowed else { return };
                let note = Note::new("slowed").with(Arg::Part(part)).about(part);
                self.say(note.mark(Tone::Warn), cx);
                self.reckon_all(usize::from(node.0), cx);
            }
            Deed::Surge(node, factor, span) => {
                let until = cx.now() + span;
                let Some(live) = self.live_mut(node.0) else {
                    return;
                };
                let part = live.node.part_of(0);
                live.factor = factor;
                let number = live.surge.begin(until);
                let note = Note::new("spike").with(Arg::Number(factor)).about(part);
                self.say(note.mark(Tone::Warn).begins("spike", node.0), cx);
                let node = node.0;
                cx.schedule(span, Event::SurgeEnd { node, number });
                self.start_crowd(usize::from(node), cx);
            }
            Deed::Cut(wire) | Deed::Heal(wire) => {
                let cut = matches!(deed, Deed::Cut(_));
                let Some(live) = self.live_wire_mut(wire.0) else {
                    return;
                };
                let to = live.wire.to.0;
                match live.cut.get_mut(target) {
                    Some(state) => *state = cut,
                    None => return,
                }
                let part = self.part_of(to, target as u16);
                let note = if cut {
                    Note::new("cut").mark(Tone::Bad)
                } else {
                    Note::new("healed").mark(Tone::Ok)
                };
                self.say(note.with(Arg::Part(part)).about(part), cx);
            }
            Deed::Flush(node) => {
                let part = self.part_of(node.0, target as u16);
                let note = Note::new("flushed").with(Arg::Part(part)).about(part);
                self.say(note.mark(Tone::Warn), cx);
                self.lose_all(node.0, target as u16, cx);
            }
            Deed::Turn | Deed::Own => {}
        }
    }

    fn crash(&mut self, node: NodeId, target: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.live_mut(node.0) else {
            return;
        };
        if !live.members.crash(target, now) {
            return;
        }
        let part = live.node.part_of(target);
        let held = live.members.get(target).map_or(0, |member| {
            member.own.pool.held.len() + member.own.pool.queue.len()
        });
        let checked = |wire: &u16| {
            let live = self.live_wire(*wire);
            live.is_some_and(|live| live.wire.health.is_some() && !live.out(target))
        };
        let unnoticed = self
            .live(node.0)
            .is_some_and(|live| live.inward.iter().any(checked));
        let note = Note::new("crashed")
            .with(Arg::Part(part))
            .with(Arg::Count(held as i64))
            .about(part)
            .mark(Tone::Bad);
        let note = if unnoticed {
            note.begins("unnoticed", target as u16)
        } else {
            note
        };
        let crash = self.say(note, cx);
        cx.because(crash);
        self.lose_all(node.0, target as u16, cx);
    }

    /// A member loses everything that it holds and that waits there.
    fn lose_all(&mut self, node: u16, member: u16, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let now = cx.now();
        let part = self.part_of(node, member);
        let Some(own) = self.part_mut(node, member) else {
            return;
        };
        let lost = own.pool.drop_all(now);
        for key in lost {
            let Some(frame) = self.frames.get_mut(key) else {
                continue;
            };
            self.waiting -= u32::from(frame.place == Place::Waits);
            // Nobody holds it any longer, so that failing takes it from nobody.
            frame.place = Place::Travels;
            frame.leg.to = now;
            let number = frame.number;
            cx.because(cause);
            let note = Note::new("lost").with(count(number)).with(Arg::Part(part));
            self.say(note.about(part).dot(number), cx);
            self.fail(key, Reason::Lost, cx);
        }
        self.measure_waiting(cx);
        self.leave_if_done(node);
    }

    fn surge_end(&mut self, node: u16, number: u32, cx: Cx<'_, '_>) {
        let Some(live) = self.live_mut(node) else {
            return;
        };
        if !live.surge.end(number) {
            return;
        }
        live.factor = 1.0;
        let part = live.node.part_of(0);
        let note = Note::new("spike-over").about(part).mark(Tone::Ok);
        self.say(note.ends("spike", node), cx);
        self.start_crowd(usize::from(node), cx);
    }

    /// Work under way is reckoned up at the old speed and goes on at the new one.
    pub(super) fn reckon_all(&mut self, node: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.nodes.get_mut(node).and_then(Option::as_mut) else {
            return;
        };
        if live.service().is_none() {
            return;
        }
        let mut changed = Vec::new();
        for (i, member) in live.members.iter_mut().enumerate() {
            let speed = live.node.size(i) * member.own.rate;
            let old = std::mem::replace(&mut member.own.speed, speed);
            if old != speed {
                changed.extend(member.own.pool.held.iter().map(|key| (*key, old, speed)));
            }
        }
        for (key, old, speed) in changed {
            let Some(frame) = self.frames.get(key) else {
                continue;
            };
            let (amount, since) = frame.work;
            if frame.pending > 0 || amount == 0 {
                continue;
            }
            let done = (now.since(since).0 as f64 * old) as u64;
            self.work(key, amount.saturating_sub(done).max(1), speed, cx);
        }
    }

    #[inline]
    fn leave_if_done(&mut self, node: u16) {
        let last = self.live(node).and_then(|live| live.members.iter().last());
        if last.is_some_and(|last| last.leaving) {
            self.let_go(usize::from(node));
        }
    }

    #[inline]
    fn measure_waiting(&mut self, cx: Cx<'_, '_>) {
        cx.sample(probe::WAITING, f64::from(self.waiting));
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
