//! Wires: whom a call goes to, its way there and back.

use super::{Event, System, count, purpose};
use crate::flow::{Key, Leg};
use crate::system::frame::{Dice, Draw, HOPS_MAX, Place, Reason};
use crate::system::ledger::Count;
use crate::system::plan::{Call, Function, Kind, WireId};
use crate::system::script::Cx;
use crate::system::state::{Door, HUSH};
use algorithms::balancer::Policy;
use engine::{Arg, Note, Time};

impl System {
    /// A call sets out over a wire, from its caller or from a gate.
    pub(super) fn go(&mut self, key: Key, over: WireId, cx: Cx<'_, '_>) {
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
        let live = self.live_wire(over.0);
        let gone = live.is_none_or(|live| live.gone);
        let picked = if gone || depth >= HOPS_MAX {
            None
        } else if live.is_some_and(|live| live.wire.mapped) {
            self.mapped(key, over)
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
                return self.bounce(key, &Call::over(over), Reason::Nobody, cx);
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
        if let Some(watched) = &mut live.watched {
            watched.sent.add(0, cx.now());
        }
        let (to, travel, loss) = (live.wire.to.0, live.wire.way(draw.region), live.loss);
        let script = self.script;
        let Some(target) = self.live(to) else { return };
        let (part, counted) = (target.node.part_of(member), target.node.counted);
        let note = if counted {
            let Some(live) = self.live_wire(over.0) else {
                return;
            };
            let because = Arg::Word(script.because(&live.wire, &draw, self));
            Some(("picked", Arg::Part(part), because))
        } else if self
            .live(from.0)
            .is_some_and(|live| live.service().is_some())
        {
            let caller = Arg::Part(self.part_of(from.0, from.1));
            Some(("calls", caller, Arg::Part(part)))
        } else {
            None
        };
        let note = note.map(|(word, one, other)| {
            let args = [count(number), one, other];
            self.tell(word, args, (part, number), cx)
        });
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
        if loss > 0.0 && self.strays(key, over.0, false) {
            cx.schedule(Time(travel.0 / 2), Event::Stray(key));
        } else {
            cx.schedule(travel, Event::Reach(key));
        }
        script.sent(key, self, cx.now());
    }

    /// Whether a call gets lost on a wire that loses, or its answer.
    #[inline(never)]
    fn strays(&self, key: Key, wire: u16, back: bool) -> bool {
        let frame = self.frames.get(key);
        frame.is_some_and(|frame| (self.losses().strays)(self, frame, wire, back))
    }

    /// Whom the script's map names for a call, if there is such a member.
    fn mapped(&self, key: Key, over: WireId) -> Option<usize> {
        let member = self.script.picks(over, self.frames.get(key)?, self)?;
        let to = self.live_wire(over.0)?.wire.to.0;
        (member < self.members(usize::from(to))).then_some(member)
    }

    pub(super) fn pick(&mut self, over: WireId, draw: &Draw, nth: u8) -> Option<usize> {
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

    /// A call reaches a node.
    pub(super) fn reach(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.reached = cx.now();
        let (draw, path) = (frame.draw, frame.path);
        let (number, node, member) = (frame.number, frame.node, frame.member);
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
        let (down, door) = match live.members.get_mut(usize::from(member)) {
            Some(member) => {
                member.own.row.add(Count::Came);
                (member.down.is_some(), member.own.door)
            }
            None => (true, Door::Open),
        };
        let refused = match (cut, down || gone, door) {
            (true, ..) => Some(("cut-off", Reason::Cut)),
            (_, true, Door::Dark) => Some(("unheard", Reason::Lost)),
            (_, true, _) | (.., Door::Shut) => Some(("refused", Reason::Down)),
            _ => None,
        };
        if let Some((word, reason)) = refused {
            let note = Note::new(word).with(count(number)).with(Arg::Part(part));
            let note = self.say(note.about(part).dot(number), cx);
            if let (Door::Dark, Some(frame)) = (door, self.frames.get_mut(key)) {
                // Its caller hears nothing, and gives up because of that.
                frame.note = note;
            }
            return self.fail(key, reason, cx);
        }
        match &live.node.kind {
            Kind::Service(service) | Kind::Function(Function { each: service, .. })
                if service.fails_fast && service.is_unlucky(draw, node, path) =>
            {
                let note = Note::new("fails-it")
                    .with(count(number))
                    .with(Arg::Part(part));
                self.say(note.about(part).dot(number), cx);
                self.fail(key, Reason::Chance, cx);
            }
            Kind::Gate(_) => self.pass_on(key, cx),
            Kind::Service(_) => self.take_in(key, cx),
            Kind::Queue(_) => (self.queues().store)(self, key, cx),
            Kind::Cache(_) => (self.caching().look_up)(self, key, cx),
            Kind::Topic(_) => (self.topics().publish)(self, key, cx),
            Kind::Function(_) => (self.functions().take_in)(self, key, cx),
            Kind::Crowd(_) => self.fail(key, Reason::Nobody, cx),
        }
    }

    /// A call goes back over the last wire that it came by, answered or failed.
    pub(super) fn give_back(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (wire, _) = frame.hop();
        let (dark, region) = (
            self.door(frame.node, frame.member) == Door::Dark,
            frame.draw.region,
        );
        let travel = self
            .live_wire(wire)
            .map_or(Time::ZERO, |live| live.wire.way(region));
        let back = if dark { HUSH } else { travel };
        let loss = self.live_wire(wire).map_or(0.0, |live| live.loss);
        let strays = loss > 0.0 && !dark && self.strays(key, wire, true);
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.place = Place::Travels;
        frame.leg = Leg::new(WireId(wire), cx.now(), back, true);
        frame.travelled += travel;
        if strays {
            return cx.schedule(Time(back.0 / 2), Event::Stray(key));
        }
        cx.schedule(back, Event::Back(key));
    }

    /// An answer has come back over one wire.
    pub(super) fn back(&mut self, key: Key, cx: Cx<'_, '_>) {
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
}
