//! Programs: what is done for a request or call step by step, and how it ends.

use super::{Event, System, count, count_failure, purpose};
use crate::flow::Key;
use crate::system::frame::{Frame, Place, Reason};
use crate::system::ledger::Count;
use crate::system::plan;
use crate::system::plan::{Call, Step};
use crate::system::script::Cx;
use crate::system::shelf::Worker;
use crate::system::state::Live;
use engine::{Arg, Note, Time, Tone};

impl System {
    /// Goes on with what is done for a request or call, until it must wait for something.
    pub(super) fn run(&mut self, key: Key, cx: Cx<'_, '_>) {
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
                    let mut mean = *mean;
                    if live.service().is_some_and(|service| service.weighs) {
                        let script = self.script;
                        if let Some(cause) = script.throws(key, self) {
                            cx.because(cause);
                            return self.throw(key, cx);
                        }
                        mean = script.weighs(key, mean, self, cx.now());
                    }
                    let (Some(live), Some(frame)) = (self.live(node), self.frames.get(key)) else {
                        return;
                    };
                    let amount = drawn(live, frame, step, mean);
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
                Some(Step::Each(call)) => {
                    let call = *call;
                    return self.spread(key, call, cx);
                }
                Some(Step::Publish(call)) => {
                    let call = *call;
                    if let Some(frame) = self.frames.get_mut(key) {
                        frame.step += 1;
                    }
                    self.send(key, (step, 0), call, (0, Time::ZERO), cx);
                }
                Some(Step::Read) => {
                    (self.caching().read)(self, key, cx);
                    self.step_over(key);
                }
                Some(Step::Write) => {
                    (self.caching().write)(self, key, cx);
                    self.step_over(key);
                }
                Some(Step::Fail) => return self.throw(key, cx),
                // Nobody waits for a job, and users hold what they wait for themselves.
                Some(Step::Answer) if frame.job => self.step_over(key),
                Some(Step::Park) if frame.job || frame.message || frame.is_request() => {
                    self.step_over(key);
                }
                Some(Step::Park) => return (self.stores().park)(self, key, cx),
                Some(Step::Answer) if frame.message => {
                    (self.queues().delete_early)(self, key, cx);
                    if let Some(frame) = self.frames.get_mut(key) {
                        frame.step += 1;
                    }
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

    /// Makes a call as often as the script says. What goes to nobody is over with an event of its own.
    fn spread(&mut self, key: Key, call: Call, cx: Cx<'_, '_>) {
        let many = self.script.spreads(key, self, cx);
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        let step = frame.step;
        frame.pending = many;
        if many == 0 {
            frame.step += 1;
            return cx.schedule(Time::ZERO, Event::Begin(key));
        }
        for branch in 0..many {
            self.send(key, (step, branch), call, (0, Time::ZERO), cx);
        }
    }

    /// A step comes to nothing.
    fn throw(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let number = frame.number;
        let part = self.part_of(frame.node, frame.member);
        let args = [count(number), Arg::Part(part), Arg::Count(0)];
        self.tell("fails-it", args, (part, number), cx);
        self.fail(key, Reason::Chance, cx);
    }

    fn step_over(&mut self, key: Key) {
        if let Some(frame) = self.frames.get_mut(key) {
            frame.step += 1;
        }
    }

    pub(super) fn call_of(&self, node: u16, class: u8, of: (u8, u8)) -> Option<Call> {
        let step = self
            .live(node)?
            .node
            .kind
            .program(class)
            .get(usize::from(of.0))?;
        match step {
            Step::Each(call) => Some(*call),
            step => step.calls().get(usize::from(of.1)).copied(),
        }
    }

    pub(super) fn work(&mut self, key: Key, amount: u64, speed: f64, cx: Cx<'_, '_>) {
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
    pub(super) fn part_ways(&mut self, key: Key, cx: Cx<'_, '_>) -> Option<Key> {
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
            copy: false,
            ..frame
        });
        let part = self.part_mut(frame.node, frame.member)?;
        part.pool.release(key, now);
        part.pool.hold(rest, now);
        if let Some(functions) = self.gear.functions {
            (functions.renamed)(self, frame.node, [key, rest]);
        }
        self.well(key, cx);
        self.give_back(key, cx);
        Some(rest)
    }

    pub(super) fn begin(&mut self, key: Key, cx: Cx<'_, '_>) {
        let held = self.frames.get(key).map(|frame| frame.place);
        if held == Some(Place::Held) {
            self.run(key, cx);
        }
    }

    pub(super) fn done(&mut self, key: Key, turn: u8, cx: Cx<'_, '_>) {
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
    pub(super) fn answer(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        if frame.is_request() {
            return self.home(key, cx);
        }
        if frame.job {
            return (self.stores().end_job)(self, key, true, cx);
        }
        let (number, node, member) = (frame.number, frame.node, frame.member);
        let now = cx.now();
        let took = now.since(frame.reached);
        let part = self.part_of(node, member);
        let Some(service) = self.live(node).and_then(Live::service) else {
            return (self.caching().brought)(self, key, cx);
        };
        let unlucky = !service.fails_fast && service.is_unlucky(frame.draw, node, frame.path);
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
            let message = frame.message.then(|| frame.hops[0].1);
            if message.is_some() {
                self.well(key, cx);
                self.forget(key);
            } else if frame.depth == 0 {
                self.forget(key);
            } else {
                self.well(key, cx);
                self.give_back(key, cx);
            }
            if let Some(part) = self.part_mut(node, member) {
                part.pool.release(key, now);
            }
            if let Some(nth) = message {
                let it = Worker { node, member, nth };
                (self.queues().handled)(self, it, true, cx);
            }
            self.put_to_work(usize::from(node), usize::from(member), cx);
        }
        self.measure_waiting(cx);
        self.leave_if_done(node);
    }

    /// Counts and says a good answer.
    pub(super) fn well(&mut self, key: Key, cx: Cx<'_, '_>) {
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
        let args = [Arg::Part(part), count(number), Arg::Span(took)];
        let note = self.tell("answered", args, (part, number), cx);
        if let Some(frame) = self.frames.get_mut(key) {
            frame.note = note;
        }
    }

    /// A request or call fails where it is; what said why was said just before.
    pub(super) fn fail(&mut self, key: Key, reason: Reason, cx: Cx<'_, '_>) {
        self.fails(key, (reason, true), cx);
    }

    /// As [`System::fail`], told where it is only if it died `here`, and not of what was told where that was.
    pub(super) fn fails(&mut self, key: Key, (reason, here): (Reason, bool), cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        let (number, node, member, place) = (frame.number, frame.node, frame.member, frame.place);
        let (request, depth) = (frame.is_request(), frame.depth);
        let message = frame.message.then(|| frame.hops[0].1);
        frame.failed = Some(reason);
        if frame.job {
            return (self.stores().end_job)(self, key, false, cx);
        }
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
                if here {
                    own.deaths.add(reason, now);
                }
                count_failure(&mut own.row, reason);
            }
            count_failure(&mut live.row, reason);
        }
        self.waiting -= u32::from(place == Place::Waits);
        if let Some(nth) = message {
            // No user waits for it, and the queue hears nothing: its clock runs on.
            self.forget(key);
            let it = Worker { node, member, nth };
            (self.queues().handled)(self, it, false, cx);
            return self.put_to_work(usize::from(node), usize::from(member), cx);
        }
        if depth == 0 {
            self.forget(key);
        } else {
            self.give_back(key, cx);
        }
        if place == Place::Held {
            self.put_to_work(usize::from(node), usize::from(member), cx);
        }
    }

    /// Marks on the tape, once a second, that a user is told of a failure: what a retry saves is none.
    pub(super) fn failing(&mut self, number: u32, cx: Cx<'_, '_>) {
        if self.marks.due(cx.now()) {
            // About no part: what befell a member is its crash, not each request that it costs.
            let note = Note::new("failing").with(count(number)).dot(number);
            self.say(note.mark(Tone::Bad), cx);
        }
    }
}

/// What a step of work takes at full speed, as drawn when the request came.
pub(super) fn drawn(live: &Live, frame: &Frame, step: u8, mean: Time) -> u64 {
    let Some(service) = live.service() else {
        return mean.0;
    };
    let node = live.node.id.0;
    if service.drags(frame.draw, node) {
        return service.drags.1.0;
    }
    let factor = match service.spread {
        plan::Spread::Fixed => 1.0,
        spread => {
            let purpose = purpose::WORK + (u64::from(node) << 8) + u64::from(step);
            spread.factor(frame.draw.unit(purpose))
        }
    };
    (mean.0 as f64 * factor) as u64
}
