//! The running state of nodes and wires, and how it follows a plan.

use super::frame::Frame;
use super::ledger::Row;
use super::plan::{Kind, Node, NodeId, Plan, Service, Wire, WireId};
use super::script::Cx;
use super::{Event, System, guard};
use crate::kit::flow::{Change, Episode, Key, Pool, Roster, Source};
use algorithms::balancer::Balancer;
use algorithms::health::HealthCheck;
use engine::{Arg, Note, Time, Tone};

/// A node of the running system.
#[derive(Clone, Debug)]
pub struct Live {
    /// What the plan says of it.
    pub node: Node,
    /// Its members.
    pub members: Roster<Part>,
    /// What came to it.
    pub row: Row,
    /// A surge of a crowd, and how many times as much it brings.
    pub surge: Episode,
    pub(super) factor: f64,
    pub(super) source: Source,
    /// Closed users that are somewhere: with a request or in their pause.
    pub(super) users: u16,
    /// The plan names it no longer.
    pub(super) gone: bool,
    /// Wires that lead to it, for what its members' coming and going means to balancers.
    pub(super) inward: Vec<u16>,
}

/// A member of a node.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its workers and its queue.
    pub pool: Pool,
    /// The share of its speed that is left; 1 when it is well.
    pub rate: f64,
    /// What came to it.
    pub row: Row,
    /// Its speed as work under way was last reckoned up by.
    pub(super) speed: f64,
    /// Calls that have set out for it and are not back.
    pub(super) under_way: u32,
    /// Somebody looks when the first in the queue has waited too long.
    pub(super) expiring: bool,
    pub(super) deaths: Deaths,
}

/// A wire of the running system.
#[derive(Clone, Debug)]
pub struct LiveWire {
    /// What the plan says of it.
    pub wire: Wire,
    /// Who gets what goes over it.
    pub balancer: Balancer,
    /// What health checks have found, by member.
    pub dogs: Vec<Dog>,
    /// Whom the last call went to.
    pub last: Option<usize>,
    /// The two members that the last pick of two looked at.
    pub looked_at: Option<(usize, usize)>,
    /// Members that nothing reaches over it.
    pub cut: Vec<bool>,
    /// Calls sent to each member since the rule or the members changed.
    pub sent: Vec<u32>,
    /// It leads from a gate that filters.
    pub(super) filters: bool,
    pub(super) gone: bool,
}

/// What one wire's health checks know of one member.
#[derive(Clone, Debug)]
pub struct Dog {
    /// The verdict.
    pub health: HealthCheck,
    /// When the next check leaves.
    pub check_at: Time,
    /// The check on its way: when it left, and what it found out.
    pub check: Option<(Time, Option<bool>)>,
}

impl Live {
    fn new(node: Node) -> Live {
        Live {
            node,
            members: Roster::default(),
            row: Row::nothing(),
            surge: Episode::default(),
            factor: 1.0,
            source: Source::default(),
            users: 0,
            gone: false,
            inward: Vec::new(),
        }
    }

    /// Its pools' rules; none for what has no pool.
    #[inline]
    pub fn service(&self) -> Option<&Service> {
        match &self.node.kind {
            Kind::Service(service) => Some(service),
            Kind::Crowd(_) | Kind::Gate(_) => None,
        }
    }

    /// How fast a member works: its size, less what it suffers from.
    #[inline]
    pub(super) fn speed(&self, member: usize) -> f64 {
        self.members
            .get(member)
            .map_or(1.0, |it| it.own.rate * self.node.size(member))
    }

    /// Workers of one member.
    pub fn workers(&self) -> usize {
        self.service().map_or(0, |service| service.workers as usize)
    }
}

impl Part {
    fn new() -> Part {
        Part {
            pool: Pool::default(),
            rate: 1.0,
            speed: 1.0,
            row: Row::nothing(),
            under_way: 0,
            expiring: false,
            deaths: Deaths::default(),
        }
    }

    /// What requests died of here within the last second or so: the reason and how many.
    pub fn dying(&self, at: Time) -> Option<(super::Reason, u32)> {
        self.deaths.told(at)
    }
}

/// Deaths at one member, told by the second, so that the number rests in between.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deaths {
    reason: Option<super::Reason>,
    /// Since this second began, and in the one before.
    counts: [u32; 2],
    began: Time,
    last: Time,
}

impl Deaths {
    pub(super) fn add(&mut self, reason: super::Reason, now: Time) {
        let second = Time::s(1);
        if self.reason != Some(reason) || now.since(self.last) >= second {
            *self = Deaths {
                reason: Some(reason),
                began: now,
                ..Deaths::default()
            };
        } else if now.since(self.began) >= second {
            (self.counts, self.began) = ([0, self.counts[0]], now);
        }
        self.counts[0] += 1;
        self.last = now;
    }

    fn told(&self, at: Time) -> Option<(super::Reason, u32)> {
        let count = if self.counts[1] > 0 {
            self.counts[1]
        } else {
            self.counts[0]
        };
        self.reason
            .filter(|_| at.since(self.last) < Time::s(1))
            .map(|reason| (reason, count))
    }
}

impl LiveWire {
    fn new(wire: Wire) -> LiveWire {
        LiveWire {
            wire,
            balancer: Balancer::new(),
            dogs: Vec::new(),
            last: None,
            looked_at: None,
            cut: Vec::new(),
            sent: Vec::new(),
            filters: false,
            gone: false,
        }
    }

    /// Whether health checks have taken a member out of rotation.
    #[inline]
    pub fn out(&self, member: usize) -> bool {
        self.wire.health.is_some() && self.dogs.get(member).is_some_and(|dog| !dog.health.is_up())
    }

    /// Whether it is cut to a member.
    #[inline]
    pub fn is_cut(&self, member: usize) -> bool {
        self.cut.get(member).copied().unwrap_or(false)
    }
}

/// The weight of a member: what its operator believes it can do, in half machines.
fn weight(size: f64) -> u32 {
    (size * 2.0) as u32
}

/// The entry of this id, made if need be: a gap stands for parts that the plan has not named yet.
fn entry<T>(list: &mut Vec<Option<T>>, id: u16) -> &mut Option<T> {
    let place = usize::from(id);
    if list.len() <= place {
        list.resize_with(place + 1, || None);
    }
    &mut list[place]
}

impl System {
    /// Makes the running system follow a plan: parts that are new begin, parts that are named no longer finish what they hold.
    pub(super) fn follow(&mut self, plan: Plan, cx: Cx<'_, '_>) {
        if plan == self.plan {
            return;
        }
        debug_assert!(plan.faults().is_empty(), "{:?}", plan.faults());
        if self.begun && self.plan.serves_otherwise(&plan) {
            cx.empty_windows();
        }
        for node in &plan.nodes {
            match entry(&mut self.nodes, node.id.0) {
                Some(live) => {
                    if live.node != *node {
                        live.node.clone_from(node);
                    }
                    live.gone = false;
                }
                free => *free = Some(Live::new(node.clone())),
            }
        }
        for wire in &plan.wires {
            match entry(&mut self.wires, wire.id.0) {
                Some(live) => {
                    if live.wire.policy != wire.policy || live.gone {
                        live.sent.fill(0);
                        live.looked_at = None;
                    }
                    live.wire.clone_from(wire);
                    live.gone = false;
                }
                free => *free = Some(LiveWire::new(wire.clone())),
            }
        }
        for live in self.nodes.iter_mut().flatten() {
            live.gone = !plan.nodes.iter().any(|node| node.id == live.node.id);
            live.inward.clear();
        }
        for live in self.wires.iter_mut().flatten() {
            live.gone = !plan.wires.iter().any(|wire| wire.id == live.wire.id);
            let from = self
                .nodes
                .get(usize::from(live.wire.from.0))
                .and_then(Option::as_ref);
            live.filters = from
                .is_some_and(|from| matches!(&from.node.kind, Kind::Gate(gate) if gate.filters));
            if let Some(Some(to)) = self.nodes.get_mut(usize::from(live.wire.to.0)) {
                to.inward.push(live.wire.id.0);
            }
        }
        guard::follow(
            &mut self.guards,
            &plan.guards,
            &mut self.guard_lives,
            cx.now(),
        );
        guard::save(&mut self.budgets, &plan.budgets, cx.now());
        self.plan = plan;
        for node in 0..self.nodes.len() {
            self.hire(node, cx);
        }
        for wire in 0..self.wires.len() {
            self.introduce(wire, cx);
        }
        for node in 0..self.nodes.len() {
            self.let_go(node);
            self.start_crowd(node, cx);
            self.reckon_all(node, cx);
            let count = self.members(node);
            for member in 0..count {
                self.put_to_work(node, member, cx);
            }
        }
    }

    /// Members join and leave.
    fn hire(&mut self, node: usize, cx: Cx<'_, '_>) {
        let begun = self.begun;
        let Some(live) = self.nodes[node].as_mut() else {
            return;
        };
        let wanted = if live.gone { 0 } else { live.node.members };
        let changes = live.members.follow(wanted, cx.now(), |_| Part::new());
        for change in changes {
            let (word, tone, member) = match change {
                Change::Joined(member) => ("joined", Tone::Ok, member),
                Change::Stays(member) => ("joined", Tone::Ok, member),
                Change::Leaves(member) => ("leaving", Tone::Warn, member),
            };
            let Some(live) = self.nodes[node].as_ref() else {
                return;
            };
            let part = live.node.part_of(member);
            if begun && live.node.counted {
                self.say(
                    Note::new(word).with(Arg::Part(part)).about(part).mark(tone),
                    cx,
                );
            }
        }
    }

    /// Wires learn of members that have come, and of what they believe of them.
    fn introduce(&mut self, wire: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.wires[wire].as_mut() else {
            return;
        };
        let Some(Some(to)) = self.nodes.get(usize::from(live.wire.to.0)) else {
            return;
        };
        if live.balancer.len() != to.members.len() {
            live.sent.fill(0);
        }
        live.cut.resize(to.members.len(), false);
        live.sent.resize(to.members.len(), 0);
        while live.balancer.len() < to.members.len() {
            let member = live.balancer.len();
            live.balancer.add_peer(weight(to.node.size(member)));
            let (fall, rise) = live
                .wire
                .health
                .map_or((1, 1), |rule| (rule.fall, rule.rise));
            live.dogs.push(Dog {
                health: HealthCheck::new(fall, rise),
                check_at: Time::NEVER,
                check: None,
            });
        }
        let mut first_checks = Vec::new();
        for (member, dog) in live.dogs.iter_mut().enumerate() {
            match live.wire.health {
                Some(rule) => {
                    dog.health.set_thresholds(rule.fall, rule.rise);
                    if dog.check_at == Time::NEVER {
                        // Checks of different members are spread over the interval, as balancers do.
                        let share = member as f64 * 0.37 + 0.3;
                        let first =
                            Time((rule.every.0 as f64 * (share - libm::floor(share))) as u64);
                        dog.check_at = now + first;
                        first_checks.push((first, member));
                    }
                }
                None => dog.check_at = Time::NEVER,
            }
        }
        for (member, part) in to.members.iter().enumerate() {
            live.balancer
                .set_weight(member, weight(to.node.size(member)));
            let out = live.wire.health.is_some() && !live.dogs[member].health.is_up();
            live.balancer.set_eligible(member, !part.leaving && !out);
        }
        for (first, member) in first_checks {
            cx.schedule(
                first,
                Event::Check {
                    wire: wire as u16,
                    member: member as u16,
                },
            );
        }
    }

    /// Removes members that have left: the last ones, once nothing is with them or on its way.
    pub(super) fn let_go(&mut self, node: usize) {
        while let Some(live) = self.nodes.get_mut(node).and_then(Option::as_mut) {
            let is_crowd = matches!(live.node.kind, Kind::Crowd(_));
            let empty =
                |_: usize, part: &Part| part.pool.is_empty() && part.under_way == 0 && !is_crowd;
            let Some(gone) = live.members.let_go(empty) else {
                return;
            };
            for i in 0..live.inward.len() {
                let wire = usize::from(live.inward[i]);
                if let Some(Some(wire)) = self.wires.get_mut(wire) {
                    wire.balancer.remove_peer(gone);
                    wire.dogs.truncate(gone);
                    wire.cut.truncate(gone);
                    wire.sent.truncate(gone);
                }
            }
        }
    }

    /// How many members a node has.
    #[inline]
    pub(super) fn members(&self, node: usize) -> usize {
        self.nodes
            .get(node)
            .and_then(Option::as_ref)
            .map_or(0, |live| live.members.len())
    }

    #[inline]
    pub(super) fn live(&self, node: u16) -> Option<&Live> {
        self.nodes.get(usize::from(node))?.as_ref()
    }

    #[inline]
    pub(super) fn live_mut(&mut self, node: u16) -> Option<&mut Live> {
        self.nodes.get_mut(usize::from(node))?.as_mut()
    }

    #[inline]
    pub(super) fn live_wire(&self, wire: u16) -> Option<&LiveWire> {
        self.wires.get(usize::from(wire))?.as_ref()
    }

    #[inline]
    pub(super) fn live_wire_mut(&mut self, wire: u16) -> Option<&mut LiveWire> {
        self.wires.get_mut(usize::from(wire))?.as_mut()
    }

    /// A member of a node.
    #[inline]
    pub(super) fn part_mut(&mut self, node: u16, member: u16) -> Option<&mut Part> {
        let live = self.live_mut(node)?;
        live.members
            .get_mut(usize::from(member))
            .map(|member| &mut member.own)
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
}
