//! Calls as their callers see them: tries, time-outs, breakers, budgets, what is done without an answer.

use super::{BOUNCE, Event, System, count, purpose};
use crate::flow::{Key, Leg};
use crate::system::frame::{Dice, Frame, Place, Reason};
use crate::system::ledger::Count;
use crate::system::plan::{Call, Otherwise, Upon, WireId};
use crate::system::probe;
use crate::system::script::Cx;
use crate::system::state::LiveWire;
use engine::tape::NoteId;
use engine::{Arg, Note, Time};
use rand::RngExt;

impl System {
    /// A caller makes a call, or tries it again.
    pub(super) fn send(
        &mut self,
        parent: Key,
        of: (u8, u8),
        mut call: Call,
        (nth, waited): (u8, Time),
        cx: Cx<'_, '_>,
    ) {
        let Some(caller) = self.frames.get(parent) else {
            return;
        };
        let frame = Frame {
            number: caller.number,
            draw: caller.draw,
            parent,
            of,
            nth,
            path: caller.path.wrapping_mul(31).wrapping_add(u32::from(nth)),
            waited,
            note: caller.note,
            ..Frame::at_rest(caller.node, cx.now())
        };
        let node = caller.node;
        self.script.tune(&mut call, &frame, self);
        if nth == 0
            && let Some(retry) = call.retry
            && let Some(budget) = retry.budget
            && let Some((_, budget)) = self.budgets.get_mut(usize::from(budget))
        {
            budget.on_request(cx.now().0);
        }
        if nth > 0 {
            self.all.add(Count::Retried);
            if let Some(live) = self.live_mut(node) {
                live.row.add(Count::Retried);
            }
            cx.sample(probe::RETRIES, 1.0);
        }
        let key = self.insert(frame);
        if let Some(guard) = call.guard
            && let Some(Some(breaker)) = self.guards.get_mut(usize::from(guard))
        {
            let permit = breaker.ask(cx.now());
            self.look_at_guard(guard, cx);
            let Some(permit) = permit else {
                return self.bounce(key, &call, Reason::Open, cx);
            };
            if let Some(frame) = self.frames.get_mut(key) {
                frame.permit = Some(permit);
            }
            if permit.probe {
                self.of_guard("breaker-probes", guard, key, call.over, cx);
            }
        }
        cx.sample(probe::CALLS, 1.0);
        if let Some(timeout) = call.timeout {
            cx.schedule(timeout, Event::TimeOut(key));
        }
        self.go(key, call.over, cx);
    }

    /// A call is turned away before it sets out.
    pub(super) fn bounce(&mut self, key: Key, call: &Call, reason: Reason, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.failed = Some(reason);
        frame.place = Place::Bounces;
        frame.leg = Leg::new(call.over, cx.now(), BOUNCE, false);
        frame.travelled = BOUNCE;
        if let (Reason::Open, Some(guard)) = (reason, call.guard) {
            self.of_guard("breaker-refuses", guard, key, call.over, cx);
        }
        cx.schedule(BOUNCE, Event::Back(key));
    }

    /// A caller has the answer to a call, or knows that it failed.
    pub(super) fn result(&mut self, key: Key, cx: Cx<'_, '_>) {
        if let Some(caches) = self.gear.caches {
            (caches.hand_on)(self, key);
        }
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        if frame.left {
            return self.forget(key);
        }
        let failed = frame.failed;
        self.script.learnt(key, failed, self, cx);
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        if frame.failed.is_none()
            && !frame.partial
            && let Some(Some(live)) = self.wires.get_mut(usize::from(frame.leg.on.0))
            && let Some(watched) = &mut live.watched
        {
            watched.fresh = Some(cx.now());
        }
        if frame.failed.is_none() && frame.permit.is_none() && !frame.copy {
            let (parent, of) = (frame.parent, frame.of);
            let (travelled, partial) = (frame.travelled, frame.partial || frame.spare);
            self.forget(key);
            if self.awaits(parent, of) {
                self.go_on(parent, travelled, partial, cx);
            }
            return;
        }
        if frame.copy {
            return (self.topics().pushed)(self, key, cx);
        }
        let Some(frame) = self.remove(key) else {
            return;
        };
        let took = cx.now().since(frame.asked);
        self.tell_guard(&frame, frame.failed.is_none(), took, cx);
        self.settle(&frame, frame.failed, cx);
    }

    /// Whether a caller still waits for a call.
    #[inline]
    pub(super) fn awaits(&self, parent: Key, of: (u8, u8)) -> bool {
        self.frames.get(parent).is_some_and(|parent| {
            parent.place == Place::Held && parent.step == of.0 && parent.pending > 0
        })
    }

    /// What a caller does with the outcome of a try.
    pub(super) fn settle(&mut self, call: &Frame, failed: Option<Reason>, cx: Cx<'_, '_>) {
        if !self.awaits(call.parent, call.of) {
            return;
        }
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        let (node, class) = (parent.node, parent.draw.class);
        let mut spec = self.call_of(node, class, call.of);
        if let Some(spec) = &mut spec {
            self.script.tune(spec, call, self);
        }
        let Some(reason) = failed else {
            return self.go_on(call.parent, call.travelled, call.partial || call.spare, cx);
        };
        // Its own breaker's refusal, not one from further down.
        let refused = call.place == Place::Bounces && reason == Reason::Open;
        if let Some(spec) = spec
            && !call.spare
        {
            if !refused && let Some(wait) = self.next_try(call, &spec, cx) {
                let pausing = self.insert(Frame {
                    place: Place::Pauses,
                    leg: Leg::new(spec.over, cx.now(), wait, false),
                    waited: wait,
                    nth: call.nth + 1,
                    note: cx.cause(),
                    failed: None,
                    permit: None,
                    depth: 0,
                    left: false,
                    ..*call
                });
                cx.schedule(wait, Event::Again(pausing));
                return;
            }
            let otherwise = match spec.upon {
                Upon::Refusal if !refused => Otherwise::Fail,
                _ => spec.otherwise,
            };
            match otherwise {
                Otherwise::Fail => {}
                Otherwise::Copy if self.wire(spec.over).and_then(LiveWire::fresh).is_none() => {}
                Otherwise::Without | Otherwise::Copy => {
                    self.without("without", call, spec.over, cx);
                    return self.go_on(call.parent, call.travelled, true, cx);
                }
                Otherwise::Call(spare) => {
                    let note = self.without("asks-spare", call, spare, cx);
                    let key = self.insert(Frame {
                        spare: true,
                        nth: 0,
                        note,
                        ..self.fresh(call, cx.now())
                    });
                    if let Some(timeout) = spec.timeout {
                        cx.schedule(timeout, Event::TimeOut(key));
                    }
                    return self.go(key, spare, cx);
                }
            }
        }
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        // It dies with its caller, who waits no longer or cannot even send; whatever else it dies of is told where that was.
        let here = call.left || call.place == Place::Bounces;
        if !parent.is_request() {
            let part = self.part_of(parent.node, parent.member);
            let number = call.number;
            let note = Note::new("fails-too")
                .with(count(number))
                .with(Arg::Part(part));
            self.say(note.about(part).dot(number), cx);
        } else if here {
            let (node, member) = parent.at();
            self.dies_at(node.0, member as u16, reason, cx.now());
        }
        self.fails(call.parent, (reason, here), cx);
    }

    /// Something has died at a part, which shows it for a while.
    pub(super) fn dies_at(&mut self, node: u16, member: u16, reason: Reason, now: Time) {
        if let Some(part) = self.part_mut(node, member) {
            part.deaths.add(reason, now);
        }
    }

    /// Says that a caller does without the callee at the end of a wire, or asks that one instead of another.
    fn without(
        &mut self,
        word: &'static str,
        call: &Frame,
        over: WireId,
        cx: Cx<'_, '_>,
    ) -> NoteId {
        let Some(parent) = self.frames.get(call.parent) else {
            return NoteId::NONE;
        };
        let part = self.part_of(parent.node, parent.member);
        let to = self.wire(over).map_or(0, |live| live.wire.to.0);
        let note = Note::new(word)
            .with(count(call.number))
            .with(Arg::Part(part))
            .with(Arg::Part(self.part_of(to, 0)));
        cx.because(call.note);
        self.say(note.about(part).dot(call.number), cx)
    }

    /// A call of the same caller for the same purpose, not yet under way.
    pub(super) fn fresh(&self, call: &Frame, now: Time) -> Frame {
        Frame {
            number: call.number,
            draw: call.draw,
            parent: call.parent,
            of: call.of,
            note: call.note,
            ..Frame::at_rest(
                self.frames.get(call.parent).map_or(0, |parent| parent.node),
                now,
            )
        }
    }

    /// The pause before the next try; none if there is none.
    pub(super) fn next_try(&mut self, call: &Frame, spec: &Call, cx: Cx<'_, '_>) -> Option<Time> {
        let retry = spec.retry.filter(|retry| call.nth < retry.retries)?;
        if let Some(budget) = retry.budget
            && let Some((_, budget)) = self.budgets.get_mut(usize::from(budget))
            && !budget.try_retry(cx.now().0)
        {
            let node = self.frames.get(call.parent)?.node;
            let part = self.part_of(node, 0);
            let note = Note::new("no-budget")
                .with(count(call.number))
                .with(Arg::Part(part));
            self.say(note.about(part).dot(call.number), cx);
            return None;
        }
        let mut dice = Dice::new(
            call.draw,
            purpose::RETRY + (u64::from(call.nth) << 8) + (u64::from(call.of.1) << 16),
        );
        let before = if call.nth == 0 {
            retry.backoff.base_us
        } else {
            call.waited.0
        };
        if let Some(jitter) = retry.heeds
            && call.told > Time::ZERO
        {
            let longer = 1.0 + jitter * dice.random::<f64>();
            return Some(Time((call.told.0 as f64 * longer) as u64));
        }
        let wait = retry
            .backoff
            .wait_us(u32::from(call.nth) + 1, before, &mut dice);
        Some(Time(wait))
    }

    /// The pause is over: the call is tried again, if its caller still waits.
    pub(super) fn again(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(call) = self.remove(key) else { return };
        if !self.awaits(call.parent, call.of) {
            return;
        }
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        let (number, node, class) = (call.number, parent.node, parent.draw.class);
        let Some(spec) = self.call_of(node, class, call.of) else {
            return self.fail(call.parent, Reason::Nobody, cx);
        };
        let part = self.part_of(node, 0);
        let note = Note::new("tries-again")
            .with(count(number))
            .with(Arg::Part(part))
            .with(Arg::Count(i64::from(call.nth) + 1));
        self.say(note.about(part).dot(number), cx);
        self.send(call.parent, call.of, spec, (call.nth, call.waited), cx);
    }

    /// A caller has one answer more.
    pub(super) fn go_on(&mut self, key: Key, travelled: Time, partial: bool, cx: Cx<'_, '_>) {
        let Some(parent) = self.frames.get_mut(key) else {
            return;
        };
        parent.partial |= partial;
        parent.pending -= 1;
        parent.travelled = parent.travelled.max(parent.settled + travelled);
        if parent.pending > 0 {
            return;
        }
        parent.settled = parent.travelled;
        parent.step += 1;
        self.run(key, cx);
    }

    pub(super) fn time_out(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        // An answer that comes at this very moment comes in time.
        let comes = frame.depth == 1
            && frame.place == Place::Travels
            && frame.leg.back
            && frame.leg.to == now;
        if frame.left || comes || frame.place == Place::Bounces {
            return;
        }
        frame.left = true;
        let call = *frame;
        if call.copy {
            return (self.topics().late)(self, key, cx);
        }
        if !self.awaits(call.parent, call.of) {
            return;
        }
        self.script.learnt(key, Some(Reason::TimedOut), self, cx);
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        let node = parent.node;
        let part = self.part_of(node, 0);
        cx.because(call.note);
        let note = Note::new("timed-out")
            .with(count(call.number))
            .with(Arg::Part(part))
            .with(Arg::Span(now.since(call.asked)));
        self.say(note.about(part).dot(call.number), cx);
        if let Some(live) = self.live_mut(node) {
            live.row.add(Count::TimedOut);
        }
        self.tell_guard(&call, false, now.since(call.asked), cx);
        // It travels no further for its caller: all that it waited counts as waiting.
        let call = Frame {
            travelled: Time::ZERO,
            ..call
        };
        self.settle(&call, Some(Reason::TimedOut), cx);
    }
}
