//! Gates: what passes calls on.

use super::{System, count};
use crate::kit::flow::Key;
use crate::kit::system::frame::Reason;
use crate::kit::system::plan::{Kind, NodeId};
use crate::kit::system::script::Cx;
use engine::{Arg, Note};

impl System {
    /// A call has reached a gate: it is let through over the wire of its class, or turned away.
    pub(super) fn pass_on(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, draw, node, member) = (frame.number, frame.draw, frame.node, frame.member);
        let part = self.part_of(node, member);
        let Some(Kind::Gate(gate)) = self.live(node).map(|live| &live.node.kind) else {
            return;
        };
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
}
