//! How members come up: they boot, restart, and come one at a time.

use super::{Event, System};
use crate::system::plan::NodeId;
use crate::system::script::Cx;
use crate::system::state::{Live, Starting};
use engine::{Arg, Note, Time, Tone};

impl Live {
    /// How many members there are to be now: as many as the plan or the script says, or one more than there are where they come one at a time.
    pub(super) fn wanted(&self, now: Time) -> usize {
        let wanted = self.scaled.unwrap_or(self.node.members);
        if self.node.life.stagger == Time::ZERO {
            return wanted;
        }
        let stay = self.members.iter().filter(|it| !it.leaving).count();
        wanted.min(stay + usize::from(now >= self.next_comes))
    }
}

impl System {
    /// From now on a node has so many members, whatever its plan says: as a controller wants it. Those beyond finish and leave.
    pub fn scale(&mut self, node: NodeId, members: usize, cx: Cx<'_, '_>) {
        let Some(live) = self.live_mut(node.0) else {
            return;
        };
        if live.scaled.replace(members) == Some(members) {
            return;
        }
        self.hire(usize::from(node.0), cx);
        let inward = self.live(node.0).map(|live| live.inward.clone());
        for wire in inward.unwrap_or_default() {
            self.introduce(usize::from(wire), cx);
        }
        self.let_go(usize::from(node.0));
    }

    /// The next member may come.
    pub(super) fn hire_next(&mut self, node: u16, cx: Cx<'_, '_>) {
        let due = self
            .live(node)
            .is_some_and(|live| live.next_comes == cx.now());
        if due {
            self.hire(usize::from(node), cx);
            let inward = self.live(node).map(|live| live.inward.clone());
            for wire in inward.unwrap_or_default() {
                self.introduce(usize::from(wire), cx);
            }
        }
    }

    /// A new member begins to start.
    pub(super) fn boot(&mut self, node: u16, member: u16, cx: Cx<'_, '_>) {
        let Some(life) = self.live(node).map(|live| live.node.life) else {
            return;
        };
        let script = self.script;
        let span = script.boots(NodeId(node), usize::from(member), life.boot, self);
        self.start_up(node, member, (span, true), cx);
        let part = self.part_of(node, member);
        let note = Note::new("boots")
            .with(Arg::Part(part))
            .with(Arg::Span(span));
        self.say(note.about(part).mark(Tone::Plain), cx);
    }

    fn start_up(&mut self, node: u16, member: u16, (span, first): (Time, bool), cx: Cx<'_, '_>) {
        let until = cx.now() + span;
        let Some(live) = self.live_mut(node) else {
            return;
        };
        live.members.crash(usize::from(member), cx.now());
        if let Some(it) = live.members.get_mut(usize::from(member)) {
            it.own.starting = Some(Starting { until, first });
            cx.schedule(span, Event::Up { node, member });
        }
    }

    /// The size of a node's members has changed: those that cannot change while they work restart.
    pub(super) fn restart_all(&mut self, node: u16, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let Some(live) = self.live(node) else { return };
        if live.node.life.restart.is_none() {
            return;
        }
        for member in 0..live.members.len() {
            let Some(it) = self.live(node).and_then(|live| live.members.get(member)) else {
                return;
            };
            let starts = it.own.starting;
            let fresh = starts.is_some_and(|starting| starting.first);
            let crashed = it.down.is_some() && starts.is_none();
            if !it.leaving && !fresh && !crashed {
                cx.because(cause);
                self.restart(node, member as u16, cx);
            }
        }
    }

    /// A member loses what it has and comes up again after a while.
    pub(super) fn restart(&mut self, node: u16, member: u16, cx: Cx<'_, '_>) {
        let Some(life) = self.live(node).map(|live| live.node.life) else {
            return;
        };
        let span = life.restart.unwrap_or(life.boot);
        self.start_up(node, member, (span, false), cx);
        let part = self.part_of(node, member);
        let note = Note::new("restarts")
            .with(Arg::Part(part))
            .with(Arg::Span(span));
        let note = self.say(note.about(part).mark(Tone::Bad), cx);
        cx.because(note);
        self.tell_of(node);
        self.lose_all(node, member, cx);
    }

    /// A member is up.
    pub(super) fn up(&mut self, node: u16, member: u16, cx: Cx<'_, '_>) {
        let at = usize::from(member);
        let now = cx.now();
        let Some(it) = self
            .live_mut(node)
            .and_then(|live| live.members.get_mut(at))
        else {
            return;
        };
        let Some(starting) = it.own.starting.filter(|starting| starting.until == now) else {
            return;
        };
        it.own.starting = None;
        it.down = None;
        let part = self.part_of(node, member);
        let word = if starting.first {
            "joined"
        } else {
            "restarted"
        };
        let note = Note::new(word).with(Arg::Part(part)).about(part);
        self.say(note.mark(Tone::Ok), cx);
        self.tell_of(node);
        self.reckon_all(usize::from(node), cx);
        self.put_to_work(usize::from(node), at, cx);
    }

    /// The wires that lead to a node learn what is known at once of its members.
    pub(super) fn tell_of(&mut self, node: u16) {
        let System { nodes, wires, .. } = self;
        let Some(Some(live)) = nodes.get(usize::from(node)) else {
            return;
        };
        for wire in &live.inward {
            if let Some(Some(wire)) = wires.get_mut(usize::from(*wire)) {
                wire.believe(live);
            }
        }
    }
}
