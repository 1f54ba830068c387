//! What a story, a view, a script or a test reads of the running system.

use super::System;
use super::program::drawn;
use crate::flow::Key;
use crate::system::frame::Frame;
use crate::system::guard::Breaker;
use crate::system::ledger::{Row, Since};
use crate::system::plan::{Kind, NodeId, Step, WireId};
use crate::system::shelf::{Errand, Shelf};
use crate::system::state::{Live, LiveWire, Part};
use algorithms::hash::mix64;
use engine::{PartId, Time};
use std::any::Any;

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

    /// The breaker at a place of the plan, if there is one now.
    pub fn guard(&self, place: u8) -> Option<&Breaker> {
        self.guards.get(usize::from(place))?.as_ref()
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
            Kind::Crowd(crowd) => crowd.arrivals.per_s(self.now.since(live.dawn)) * live.times(),
            _ => 0.0,
        })
    }

    /// How long the first work on a call takes at full speed where it is or is bound for, if its program begins with work: it is
    /// drawn when the request comes, and so known before anybody begins. What [`super::super::Script::weighs`] makes of it is not.
    pub fn work_of(&self, call: &Frame) -> Option<Time> {
        let live = self.live(call.node)?;
        match live.node.kind.program(call.draw.class).first() {
            Some(Step::Work(mean)) => Some(Time(drawn(live, call, 0, *mean))),
            _ => None,
        }
    }

    /// Whether a call's caller waits for it no longer.
    pub fn is_for_nobody(&self, frame: &Frame) -> bool {
        if frame.message {
            return !self.is_lent(frame);
        }
        if frame.copy {
            return frame.left;
        }
        frame.left || (!frame.is_request() && !self.frames.has(frame.parent))
    }

    /// Whether a call is made for load from elsewhere.
    pub(in crate::system) fn is_flood(&self, frame: &Frame) -> bool {
        let parent = self.frames.get(frame.parent);
        parent.is_some_and(|parent| self.live(parent.node).is_some_and(Live::floods))
    }

    /// Whether the clock of a message that is worked on still runs.
    fn is_lent(&self, frame: &Frame) -> bool {
        let (queue, worker) = frame.hops[0];
        let shelf = self.live(queue).and_then(|live| live.shelf.as_ref());
        let member = self.live(frame.node).map(|live| &live.members);
        let member = member.and_then(|members| members.get(usize::from(frame.member)));
        let puller = member.and_then(|it| it.own.pullers.get(usize::from(worker)));
        let loan = puller.and_then(|puller| puller.at);
        shelf
            .zip(loan)
            .is_some_and(|(shelf, loan)| shelf.lends(loan.receipt))
    }

    /// What a queue keeps; none for what is no queue.
    pub fn shelf(&self, queue: NodeId) -> Option<&Shelf> {
        self.node(queue)?.shelf.as_deref()
    }

    /// What workers tell queues, on its way.
    pub fn errands(&self) -> impl Iterator<Item = &Errand> {
        self.errands.iter().map(|(_, errand)| errand)
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

    /// What the lesson keeps is as it was at the beginning.
    pub fn renew_own(&mut self) {
        self.own = self.script.own();
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

    /// A node by its id; none if no plan has named it.
    pub fn node(&self, node: NodeId) -> Option<&Live> {
        self.live(node.0)
    }

    /// A wire by its id.
    pub fn wire(&self, wire: WireId) -> Option<&LiveWire> {
        self.live_wire(wire.0)
    }

    /// A request or call by its key.
    pub fn frame(&self, key: Key) -> Option<&Frame> {
        self.frames.get(key)
    }

    /// Who made a call: the request or call that waits for it.
    pub fn caller(&self, call: Key) -> Option<&Frame> {
        self.frames.get(self.frames.get(call)?.parent)
    }

    /// The node and member that wait for a try, whether it has set out or not.
    pub fn caller_of(&self, call: &Frame) -> Option<(NodeId, usize)> {
        self.frames.get(call.parent).map(Frame::at)
    }

    /// The IPv4 address of a person. Documentation networks would share their first octets, which is all that IP hash reads.
    pub fn address(&self, person: u16) -> [u8; 4] {
        let bits = mix64(self.salt ^ u64::from(person));
        [0, 16, 32, 48].map(|shift| 1 + ((bits >> shift) % 254) as u8)
    }

    /// How many members a node has.
    #[inline]
    pub(in crate::system) fn members(&self, node: usize) -> usize {
        self.nodes
            .get(node)
            .and_then(Option::as_ref)
            .map_or(0, |live| live.members.len())
    }

    #[inline(always)]
    pub(in crate::system) fn live(&self, node: u16) -> Option<&Live> {
        self.nodes.get(usize::from(node))?.as_ref()
    }

    #[inline(always)]
    pub(in crate::system) fn live_mut(&mut self, node: u16) -> Option<&mut Live> {
        self.nodes.get_mut(usize::from(node))?.as_mut()
    }

    #[inline(always)]
    pub(in crate::system) fn live_wire(&self, wire: u16) -> Option<&LiveWire> {
        self.wires.get(usize::from(wire))?.as_ref()
    }

    #[inline(always)]
    pub(in crate::system) fn live_wire_mut(&mut self, wire: u16) -> Option<&mut LiveWire> {
        self.wires.get_mut(usize::from(wire))?.as_mut()
    }

    /// A member of a node.
    #[inline]
    pub(in crate::system) fn part_mut(&mut self, node: u16, member: u16) -> Option<&mut Part> {
        let live = self.live_mut(node)?;
        live.members
            .get_mut(usize::from(member))
            .map(|member| &mut member.own)
    }

    pub(super) fn part_of(&self, node: u16, member: u16) -> PartId {
        self.live(node).map_or(PartId::one("node"), |live| {
            live.node.part_of(usize::from(member))
        })
    }
}
