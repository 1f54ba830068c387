//! The running system follows its plan: parts come, change and go.

use super::{Event, System};
use crate::flow::{Change, Recently};
use crate::system::guard;
use crate::system::plan::{Kind, Plan};
use crate::system::script::Cx;
use crate::system::shelf::Pulling;
use crate::system::state::{Dog, Live, LiveWire, Part, Watched, entry, weight};
use algorithms::health::HealthCheck;
use engine::{Arg, Note, Time, Tone};

impl System {
    /// Makes the running system follow a plan: parts that are new begin, parts that are named no longer finish what they hold.
    pub(in crate::system) fn follow(&mut self, plan: Plan, cx: Cx<'_, '_>) {
        if plan == self.plan {
            return;
        }
        debug_assert!(plan.faults().is_empty(), "{:?}", plan.faults());
        if self.begun && self.plan.serves_otherwise(&plan) {
            cx.empty_windows();
        }
        let mut resized = Vec::new();
        for node in &plan.nodes {
            match entry(&mut self.nodes, node.id.0) {
                Some(live) => {
                    if live.node != *node {
                        let workers = live.workers();
                        if !live.node.kind.has_days() && node.kind.has_days() {
                            live.dawn = cx.now();
                        }
                        live.node.clone_from(node);
                        if self.begun && live.workers() != workers {
                            resized.push(node.id.0);
                        }
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
                    if live.wire.loss != wire.loss {
                        live.loss = wire.loss;
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
        let lives = &mut self.guard_lives;
        let make = self.gear.breakers.map(|gear| gear.make);
        let replaced = guard::follow(&mut self.guards, &plan.guards, (make, lives), cx.now());
        for live in self.wires.iter_mut().flatten() {
            let watched = plan.guarded().any(|(_, wire)| wire == live.wire.id);
            if watched && live.watched.is_none() {
                live.watched = Some(Watched {
                    sent: Recently::new(cx.now()),
                    fresh: None,
                });
            }
        }
        guard::save(&mut self.budgets, &plan.budgets, cx.now());
        self.plan = plan;
        let cause = cx.cause();
        for change in replaced {
            cx.because(cause);
            self.tell_replaced(change, cx);
        }
        cx.because(cause);
        for node in 0..self.nodes.len() {
            self.hire(node, cx);
        }
        for node in resized {
            cx.because(cause);
            self.restart_all(node, cx);
        }
        for wire in 0..self.wires.len() {
            self.introduce(wire, cx);
        }
        for node in 0..self.nodes.len() {
            self.let_go(node);
            self.start_crowd(node, cx);
            if self.queue_rule(node as u16).is_some() {
                (self.queues().set_up)(self, node as u16, cx);
            }
            self.set_up_kept(node as u16, cx);
            self.reckon_all(node, cx);
            let count = self.members(node);
            for member in 0..count {
                self.put_to_work(node, member, cx);
            }
        }
    }

    /// Members join and leave.
    pub(super) fn hire(&mut self, node: usize, cx: Cx<'_, '_>) {
        let begun = self.begun;
        let Some(live) = self.nodes[node].as_mut() else {
            return;
        };
        let life = live.node.life;
        let wanted = if live.gone { 0 } else { live.wanted(cx.now()) };
        let changes = live.members.follow(wanted, cx.now(), |_| Part::new());
        let joins = |change: &Change| !matches!(change, Change::Leaves(_));
        if life.stagger > Time::ZERO && changes.iter().any(joins) {
            live.next_comes = cx.now() + life.stagger;
            cx.schedule(life.stagger, Event::Hire(node as u16));
        }
        if let Some(prices) = self.gear.prices {
            (prices.settle)(self, node as u16, cx.now());
        }
        for change in changes {
            if let (true, Change::Joined(member)) = (begun && life.boot > Time::ZERO, change) {
                self.boot(node as u16, member as u16, cx);
                continue;
            }
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
    pub(super) fn introduce(&mut self, wire: usize, cx: Cx<'_, '_>) {
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
        for member in 0..to.members.len() {
            live.balancer
                .set_weight(member, weight(to.node.size(member)));
        }
        live.believe(to);
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
    pub(in crate::system) fn let_go(&mut self, node: usize) {
        while let Some(live) = self.nodes.get_mut(node).and_then(Option::as_mut) {
            let is_crowd = matches!(live.node.kind, Kind::Crowd(_));
            let holds = live.shelf.as_ref().is_some_and(|it| !it.is_empty())
                || live.kept.as_ref().is_some_and(|it| !it.rests());
            let empty = |_: usize, part: &Part| {
                let rests = part.pullers.iter().all(|it| it.doing == Pulling::Rests);
                part.pool.is_empty()
                    && part.parked.is_empty()
                    && part.under_way == 0
                    && rests
                    && !is_crowd
                    && !holds
            };
            let Some(gone) = live.members.let_go(empty) else {
                return;
            };
            if let Some(prices) = self.gear.prices {
                (prices.settle)(self, node as u16, self.now);
            }
            let Some(Some(live)) = self.nodes.get(node) else {
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
}
