//! Gates: what passes calls on.

use super::{Event, System, count};
use crate::flow::{Key, Leg};
use crate::system::frame::{Place, Reason};
use crate::system::ledger::Count;
use crate::system::plan::{Kind, NodeId};
use crate::system::script::{Admission, Cx};
use engine::{Arg, Note, Time};

impl System {
    /// A call has reached a gate: it is let through, held back or turned away.
    pub(super) fn pass_on(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, node, member) = (frame.number, frame.node, frame.member);
        let part = self.part_of(node, member);
        let Some(Kind::Gate(gate)) = self.live(node).map(|live| &live.node.kind) else {
            return;
        };
        if !gate.limits {
            return self.let_through(key, cx);
        }
        let (script, call) = (self.script, *frame);
        match script.admits(NodeId(node), &call, self, cx) {
            Admission::Passes => self.let_through(key, cx),
            Admission::Waits(span) => {
                let note = Note::new("delayed")
                    .with(count(number))
                    .with(Arg::Part(part))
                    .with(Arg::Span(span));
                let note = self.say(note.about(part).dot(number), cx);
                if let Some(frame) = self.frames.get_mut(key) {
                    frame.place = Place::HeldBack;
                    frame.leg = Leg::new(frame.leg.on, cx.now(), span, false);
                    frame.note = note;
                }
                cx.schedule(span, Event::Release(key));
            }
            Admission::Refused { why, after } => {
                let note = Note::new("limited")
                    .with(count(number))
                    .with(Arg::Part(part))
                    .with(Arg::Word(why));
                self.say(note.about(part).dot(number), cx);
                if let Some(frame) = self.frames.get_mut(key) {
                    frame.told = after.unwrap_or(Time::ZERO);
                }
                self.fail(key, Reason::Limited, cx);
            }
        }
    }

    /// A gate lets a call go on that it held back.
    pub(super) fn release(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, node, member) = (frame.number, frame.node, frame.member);
        let down = self
            .live(node)
            .and_then(|live| live.members.get(usize::from(member)))
            .is_none_or(|member| member.down.is_some());
        if down {
            let part = self.part_of(node, member);
            let note = Note::new("lost").with(count(number)).with(Arg::Part(part));
            self.say(note.about(part).dot(number), cx);
            return self.fail(key, Reason::Lost, cx);
        }
        self.let_through(key, cx);
    }

    /// A call goes on over the wire of its class or region, or back, if there is none.
    fn let_through(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (node, member, draw) = (frame.node, frame.member, frame.draw);
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let Kind::Gate(gate) = &live.node.kind else {
            return;
        };
        let nth = match gate.regional {
            true => draw.region,
            false => draw.class,
        };
        let route = gate.routes.get(usize::from(nth));
        let route = route.or(gate.routes.last()).copied();
        if let Some(wire) = route {
            return self.go(key, wire, cx);
        }
        let member = live.members.get_mut(usize::from(member));
        for row in [&mut live.row]
            .into_iter()
            .chain(member.map(|it| &mut it.own.row))
        {
            row.add(Count::Done);
        }
        self.give_back(key, cx);
    }
}
