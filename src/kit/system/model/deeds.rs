//! Deeds: what actions, scripts and tests do to the system.

use super::{Event, System};
use crate::flow::{Member, aim, middle};
use crate::system::plan::{Hurry, Kind, NodeId};
use crate::system::script::{Cx, Deed};
use crate::system::state::{Door, Part};
use engine::{Act, Arg, Note, Tone};

impl System {
    /// Whether an action makes sense now.
    pub(super) fn can_do(&self, act: Act) -> bool {
        let member = |node: NodeId| {
            let member = self.node(node)?.members.get(act.target)?;
            (!member.leaving).then_some(member)
        };
        match self.script.deeds().get(act.spec) {
            Some(Deed::Crash(node)) => member(*node).is_some_and(|it| it.down.is_none()),
            Some(Deed::Restart(node)) => member(*node).is_some_and(|it| it.down.is_none()),
            Some(Deed::Slow(node, _)) => {
                member(*node).is_some_and(|it| it.down.is_none() && it.own.rate == 1.0)
            }
            Some(Deed::Recover(node)) => {
                let crashed = |it: &Member<Part>| it.down.is_some() && it.own.starting.is_none();
                member(*node).is_some_and(|it| crashed(it) || it.own.rate < 1.0)
            }
            Some(Deed::Flush(node)) => member(*node).is_some_and(|it| it.down.is_none()),
            Some(Deed::Isolate(node)) => member(*node).is_some_and(|it| !it.own.isolated),
            Some(Deed::Rejoin(node)) => member(*node).is_some_and(|it| it.own.isolated),
            Some(Deed::Redrive(node)) => self.shelf(*node).is_some_and(|it| !it.dead.is_empty()),
            Some(Deed::LoseReceipt(node)) => self.shelf(*node).is_some_and(|it| it.loses == 0),
            Some(Deed::Surge(node, ..)) => self.node(*node).is_some_and(|it| !it.surge.is_on()),
            Some(Deed::Refresh(node, _)) => self.node(*node).is_some_and(|it| !it.refresh.is_on()),
            Some(Deed::Cut(wire) | Deed::Heal(wire)) => {
                let heals = matches!(self.script.deeds()[act.spec], Deed::Heal(_));
                let live = self.wire(*wire);
                live.is_some_and(|it| it.cut.get(act.target) == Some(&heals))
            }
            Some(Deed::Lose(wire, share)) => {
                let live = self.wire(*wire);
                live.is_some_and(|it| !it.gone && it.loss != *share)
            }
            Some(Deed::Deploy(node)) => self.node(*node).is_some_and(|it| !it.gone),
            Some(Deed::Turn) => true,
            Some(Deed::Own) => self.script.can(act, self),
            None => false,
        }
    }

    /// Whom an action means if nobody says.
    pub(super) fn aim_at(&self, spec: usize) -> usize {
        let node = match self.script.deeds().get(spec) {
            Some(
                Deed::Crash(node)
                | Deed::Slow(node, _)
                | Deed::Recover(node)
                | Deed::Restart(node)
                | Deed::Flush(node)
                | Deed::Isolate(node)
                | Deed::Rejoin(node),
            ) => *node,
            Some(Deed::Cut(wire) | Deed::Heal(wire)) => match self.wire(*wire) {
                Some(live) => live.wire.to,
                None => return 0,
            },
            _ => return 0,
        };
        let count = self.members(usize::from(node.0));
        aim(middle(count), count, |target| {
            self.can_do(Act { spec, target })
        })
    }

    /// Does something to the system: what an action, a script or a test wants.
    pub fn deed(&mut self, deed: Deed, target: usize, cx: Cx<'_, '_>) {
        match deed {
            Deed::Crash(node) => self.crash(node, target, cx),
            Deed::Restart(node) => self.restart(node.0, target as u16, cx),
            Deed::Recover(node) => {
                let recovered = self.live_mut(node.0).and_then(|live| {
                    let was_down = live.members.recover(target).is_some();
                    let member = live.members.get_mut(target)?;
                    member.own.rate = 1.0;
                    member.own.starting = None;
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
                self.tell_of(node.0);
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
            Deed::Refresh(node, hurry) => self.refresh(node.0, hurry, cx),
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
                if self.cache_rule(node.0).is_some() {
                    if let Some(part) = self.part_mut(node.0, target as u16) {
                        part.copies = None;
                    }
                    return;
                }
                self.lose_all(node.0, target as u16, cx);
                if self.shelf(node).is_some() {
                    (self.queues().purge)(self, node.0, cx);
                }
                if let Some(Kind::Topic(_)) = self.live(node.0).map(|live| &live.node.kind) {
                    (self.topics().purge)(self, node.0, cx);
                }
            }
            Deed::Isolate(node) | Deed::Rejoin(node) => {
                let isolated = matches!(deed, Deed::Isolate(_));
                let Some(part) = self.part_mut(node.0, target as u16) else {
                    return;
                };
                part.isolated = isolated;
                let part = self.part_of(node.0, target as u16);
                let note = if isolated {
                    Note::new("isolated").mark(Tone::Bad)
                } else {
                    Note::new("rejoined").mark(Tone::Ok)
                };
                let note = self.say(note.with(Arg::Part(part)).about(part), cx);
                cx.because(note);
            }
            Deed::Lose(wire, share) => (self.losses().set)(self, wire, share, cx),
            Deed::Deploy(node) => (self.functions().deploy)(self, node.0, cx),
            Deed::Redrive(node) => (self.queues().redrive)(self, node.0, cx),
            Deed::LoseReceipt(node) => {
                if let Some(shelf) = self.shelf_mut(node.0) {
                    shelf.loses += 1;
                }
            }
            Deed::Turn | Deed::Own => {}
        }
    }

    /// Users are in a hurry: those who come, and those who wait already.
    pub(super) fn refresh(&mut self, node: u16, hurry: Hurry, cx: Cx<'_, '_>) {
        let until = cx.now() + hurry.span;
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let part = live.node.part_of(0);
        live.hurry = Some(hurry);
        let number = live.refresh.begin(until);
        let note = Note::new("refresh")
            .with(Arg::Span(hurry.patience))
            .about(part);
        self.say(note.mark(Tone::Warn).begins("refresh", node), cx);
        cx.schedule(hurry.span, Event::RefreshEnd { node, number });
        let waiting = self
            .frames
            .iter()
            .filter(|(_, it)| it.is_request() && it.node == node);
        for (key, frame) in waiting {
            let waited = cx.now().since(frame.asked);
            cx.schedule(hurry.patience.since(waited), Event::Patience(key));
        }
    }

    pub(super) fn refresh_end(&mut self, node: u16, number: u32, cx: Cx<'_, '_>) {
        let Some(live) = self.live_mut(node) else {
            return;
        };
        if !live.refresh.end(number) {
            return;
        }
        live.hurry = None;
        let part = live.node.part_of(0);
        let note = Note::new("refresh-over").about(part).mark(Tone::Ok);
        self.say(note.ends("refresh", node), cx);
    }

    pub(super) fn crash(&mut self, node: NodeId, target: usize, cx: Cx<'_, '_>) {
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
        self.tell_of(node.0);
        self.lose_all(node.0, target as u16, cx);
    }

    /// From now on a member meets calls so. Says nothing.
    pub fn set_door(&mut self, node: NodeId, member: usize, door: Door) {
        if let Some(part) = self.part_mut(node.0, member as u16) {
            part.door = door;
        }
    }

    pub(super) fn door(&self, node: u16, member: u16) -> Door {
        let live = self.live(node);
        live.and_then(|live| live.members.get(usize::from(member)))
            .map_or(Door::Open, |member| member.own.door)
    }
}
