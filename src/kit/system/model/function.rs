//! Functions: requests find an instance that is free, have one built, or are turned away.

use super::{Event, System, count};
use crate::flow::{Key, Pool};
use crate::system::frame::{Place, Reason};
use crate::system::function::{Fleet, settings};
use crate::system::kept::Kept;
use crate::system::ledger::Count;
use crate::system::plan::{Function, Kind};
use crate::system::script::Cx;
use crate::system::state::Live;
use algorithms::functions::{InstanceId, Placement};
use engine::{Arg, Note, Time, Tone};

impl Live {
    /// What it keeps, if it is a function.
    pub fn fleet(&self) -> Option<&Fleet> {
        self.kept.as_ref()?.of()
    }

    fn function(&self) -> Option<&Function> {
        match &self.node.kind {
            Kind::Function(function) => Some(function),
            _ => None,
        }
    }
}

impl System {
    fn fleet_mut(&mut self, node: u16) -> Option<&mut Fleet> {
        self.live_mut(node)?.kept.as_mut()?.of_mut()
    }

    /// Makes a function follow the plan.
    pub(in crate::system) fn set_up_function(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let Some(rule) = live.function().cloned() else {
            return;
        };
        if live.fleet().is_none() {
            live.kept = Some(Kept::new(Fleet::new(&rule, now)));
        }
        if let Some(fleet) = self.fleet_mut(node) {
            fleet.resize(rule.memory_mb, now);
        }
        self.look_at_function(node, None, cx);
    }

    // region: take
    /// A request has reached a function: it begins, waits for an instance to be built, or is turned away.
    pub(in crate::system) fn take_in_function(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, node) = (frame.number, frame.node);
        let part = self.part_of(node, 0);
        let build = self.live(node).and_then(Live::function);
        let build = build.map_or(Time::ZERO, |function| function.build);
        let Some(fleet) = self.fleet_mut(node) else {
            return self.fail(key, Reason::Nobody, cx);
        };
        let placement = fleet.functions.place(now.0);
        if let Placement::Warm(id) | Placement::Joined(id) | Placement::Cold(id) = placement {
            fleet.placed.push((key, id));
        }
        fleet.follow(build, now);
        match placement {
            Placement::Warm(id) => {
                let args = [count(number), Arg::Part(part), nth(id)];
                let note = self.tell("warm", args, (part, number), cx);
                if let Some(frame) = self.frames.get_mut(key) {
                    frame.note = note;
                }
                if let Some(part) = self.part_mut(node, 0) {
                    part.pool.hold(key, now);
                }
                self.start(key, cx);
            }
            Placement::Joined(id) | Placement::Cold(id) => {
                let boxes = &mut fleet.boxes.iter();
                let until = boxes.find(|it| it.id == id).map_or(now, |it| it.until);
                let args = [count(number), Arg::Part(part), Arg::Span(until.since(now))];
                let note = self.tell("cold", args, (part, number), cx);
                self.waiting += 1;
                if let Some(frame) = self.frames.get_mut(key) {
                    frame.place = Place::Waits;
                    frame.note = note;
                }
                if let Some(live) = self.live_mut(node) {
                    live.row.add(Count::Cold);
                    if let Some(member) = live.members.get_mut(0) {
                        member.own.row.add(Count::Cold);
                        member.own.pool.offer(key, 0, usize::MAX, now);
                    }
                }
            }
            Placement::Limit | Placement::Allowance => {
                let why = match placement {
                    Placement::Limit => "because.instances",
                    _ => "because.allowance",
                };
                let note = Note::new("throttled")
                    .with(count(number))
                    .with(Arg::Part(part))
                    .with(Arg::Word(why));
                self.say(note.about(part).dot(number), cx);
                self.fail(key, Reason::Limited, cx);
            }
        }
        self.plan_look_at_function(node, cx);
        self.measure_waiting(cx);
    }
    // endregion

    /// Somebody may have left an instance, by whatever way: those who are there no longer are taken from it.
    fn freed(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let build = live.function().map_or(Time::ZERO, |rule| rule.build);
        let member = live.members.get(0);
        let pool = member.map(|member| &member.own.pool);
        let up = member.is_some_and(|member| member.down.is_none());
        let Some(fleet) = live.kept.as_mut().and_then(Kept::of_mut::<Fleet>) else {
            return;
        };
        let Fleet {
            functions, placed, ..
        } = fleet;
        placed.retain(|(key, id)| {
            let has = |pool: &Pool| pool.held.contains(key) || pool.queue.contains(key);
            let there = pool.is_some_and(has);
            if !there {
                functions.finished(now.0, *id);
            }
            there
        });
        if !up {
            let all: Vec<InstanceId> = functions.instances().map(|(id, _)| id).collect();
            for id in all {
                functions.lose(id);
            }
        }
        fleet.follow(build, now);
    }

    /// A request goes on as another frame, after it has answered.
    pub(in crate::system) fn renamed(&mut self, node: u16, [was, is]: [Key; 2]) {
        if let Some(fleet) = self.fleet_mut(node) {
            for (key, _) in &mut fleet.placed {
                if *key == was {
                    *key = is;
                }
            }
        }
    }

    /// Instances that are built begin, those that were idle too long end, and those that are to be there are built.
    pub(in crate::system) fn look_at_function(
        &mut self,
        node: u16,
        turn: Option<u32>,
        cx: Cx<'_, '_>,
    ) {
        let now = cx.now();
        let Some(fleet) = self.fleet_mut(node) else {
            return;
        };
        if turn.is_some_and(|turn| turn != fleet.turn) {
            return;
        }
        if turn.is_some() {
            fleet.look_at = Time::NEVER;
        }
        self.freed(node, cx);
        let Some(live) = self.live(node) else { return };
        let there = |member: &crate::flow::Member<_>| member.down.is_none();
        let up = live.members.get(0).is_some_and(there);
        let Some(rule) = live.function().cloned().filter(|_| up) else {
            return self.leave_if_done(node);
        };
        let gone = live.gone;
        let Some(fleet) = self.fleet_mut(node) else {
            return;
        };
        let mut settings = settings(&rule);
        if gone {
            settings.provisioned = 0;
        }
        fleet.functions.set(now.0, settings);
        let ended = fleet.functions.expire(now.0).len();
        fleet.follow(rule.build, now);
        let built = fleet.instances().filter(|(_, it)| !it.started);
        let built: Vec<InstanceId> = built
            .filter(|(it, _)| it.until <= now)
            .map(|(it, _)| it.id)
            .collect();
        let part = self.part_of(node, 0);
        if ended > 0 {
            cx.because(engine::tape::NoteId::NONE);
            let args = [Arg::Part(part), Arg::Count(ended as i64)];
            let note = Note::new("retired").with(args[0]).with(args[1]);
            self.say(note.about(part), cx);
        }
        for id in built {
            self.built(node, id, cx);
        }
        self.plan_look_at_function(node, cx);
        self.leave_if_done(node);
    }

    /// An instance is built: those who waited for it begin.
    fn built(&mut self, node: u16, id: InstanceId, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(fleet) = self.fleet_mut(node) else {
            return;
        };
        fleet.functions.started(now.0, id);
        let its = fleet.placed.iter().filter(|(_, its)| *its == id);
        let waits: Vec<Key> = its.map(|(key, _)| *key).collect();
        for key in waits {
            let left = self.part_mut(node, 0).map(|part| {
                let left = part.pool.leave(key);
                part.pool.hold(key, now);
                left
            });
            self.waiting -= u32::from(left == Some(true));
            let note = self.frames.get(key).map(|frame| frame.note);
            cx.because(note.unwrap_or(engine::tape::NoteId::NONE));
            self.start(key, cx);
        }
        self.measure_waiting(cx);
    }

    fn plan_look_at_function(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(fleet) = self.fleet_mut(node) else {
            return;
        };
        let next = fleet.next().max(now);
        if next != fleet.look_at {
            fleet.look_at = next;
            fleet.turn += 1;
            let turn = fleet.turn;
            if next != Time::NEVER {
                cx.schedule(next.since(now), Event::Kept { node, turn });
            }
        }
    }

    /// A function has a new version.
    pub(in crate::system) fn deploy(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(fleet) = self.fleet_mut(node) else {
            return;
        };
        fleet.functions.deploy(now.0);
        let version = Arg::Count(fleet.version() as i64);
        let part = self.part_of(node, 0);
        let note = Note::new("deployed").with(Arg::Part(part)).with(version);
        self.say(note.about(part).mark(Tone::Ok), cx);
        self.look_at_function(node, None, cx);
    }

    /// Whether functions' books are right.
    pub(in crate::system) fn functions_are_right(&self) -> Result<(), String> {
        for live in self.nodes.iter().flatten() {
            let (Some(fleet), Some(member)) = (live.fleet(), live.members.get(0)) else {
                continue;
            };
            let pool = &member.own.pool;
            let id = live.node.id.0;
            fleet
                .audit(&pool.held, pool.queue.iter().copied())
                .map_err(|fault| format!("function {id}: {fault}"))?;
        }
        Ok(())
    }
}

fn nth(id: InstanceId) -> Arg {
    Arg::Count(id.0 as i64)
}
