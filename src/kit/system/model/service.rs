//! Services: queues, workers, and what members lose.

use super::{Event, System, count, count_failure, purpose};
use crate::flow::{Key, Offer};
use crate::system::frame::{Draw, Frame, Place, Reason};
use crate::system::plan::{Kind, Service, Step};
use crate::system::probe;
use crate::system::script::Cx;
use crate::system::state::Live;
use engine::{Arg, Note, Time};

impl System {
    /// A call has reached a service: it gets a worker, or a place in the queue, or is turned away.
    pub(super) fn take_in(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, node, member) = (frame.number, frame.node, frame.member);
        let part = self.part_of(node, member);
        let Some(service) = self.live(node).and_then(Live::service) else {
            return;
        };
        let (workers, places) = (service.workers as usize, service.places as usize);
        let patience = service.patience;
        let now = cx.now();
        let Some(own) = self.part_mut(node, member) else {
            return;
        };
        match own.pool.offer(key, workers, places, now) {
            Offer::AtOnce => self.start(key, cx),
            Offer::Waits(place) => {
                let args = [count(number), Arg::Part(part), Arg::Count(place as i64)];
                let note = self.tell("waits", args, (part, number), cx);
                self.waiting += 1;
                if let Some(frame) = self.frames.get_mut(key) {
                    frame.place = Place::Waits;
                    frame.note = note;
                }
                if let Some(patience) = patience
                    && let Some(part) = self.part_mut(node, member)
                    && !std::mem::replace(&mut part.expiring, true)
                {
                    cx.schedule(patience, Event::Expire { node, member });
                }
            }
            Offer::Full => {
                let note = Note::new("overflow")
                    .with(count(number))
                    .with(Arg::Part(part));
                self.say(note.about(part).dot(number), cx);
                self.fail(key, Reason::Full, cx);
            }
        }
        self.measure_waiting(cx);
    }

    /// A worker begins with a call.
    pub(super) fn start(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.place = Place::Held;
        frame.step = 0;
        let (node, class) = (frame.node, frame.draw.class);
        self.script.taken(key, self, cx.now());
        let first = self
            .live(node)
            .and_then(|live| live.node.kind.program(class).first());
        match first {
            Some(Step::Work(_) | Step::Call(_)) => self.run(key, cx),
            // What is over at once is over with an event of its own, or one worker's queue would be one endless call.
            _ => cx.schedule(Time::ZERO, Event::Begin(key)),
        }
    }

    /// Gives calls that wait to free workers.
    pub(in crate::system) fn put_to_work(&mut self, node: usize, member: usize, cx: Cx<'_, '_>) {
        if let Some(queues) = self.gear.queues {
            (queues.wake)(self, node as u16, member as u16, cx);
        }
        loop {
            let Some(live) = self.nodes.get_mut(node).and_then(Option::as_mut) else {
                return;
            };
            let Kind::Service(service) = &live.node.kind else {
                if live.kept.is_some() {
                    self.look_at_kept(node as u16, None, cx);
                }
                return;
            };
            let (workers, newest) = (service.workers as usize, service.newest_first);
            let skips = service.skips_left;
            let Some(part) = live.members.get_mut(member) else {
                return;
            };
            if part.down.is_some() {
                return;
            }
            let Some(key) = part.own.pool.next(workers, newest, cx.now()) else {
                return;
            };
            self.waiting -= 1;
            let Some(frame) = self.frames.get_mut(key) else {
                continue;
            };
            frame.place = Place::Held;
            let (number, note) = (frame.number, frame.note);
            let before = cx.cause();
            cx.because(note);
            let nobody = |frame: &Frame| !frame.job && self.is_for_nobody(frame);
            if skips && self.frames.get(key).is_some_and(nobody) {
                let part = self.part_of(node as u16, member as u16);
                let note = Note::new("skipped")
                    .with(count(number))
                    .with(Arg::Part(part));
                self.say(note.about(part).dot(number), cx);
                self.skip(key, cx);
            } else {
                self.start(key, cx);
            }
            cx.because(before);
        }
    }

    /// A call that nobody waits for is not worked on.
    pub(super) fn skip(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.failed = Some(Reason::TimedOut);
        let (node, member) = (frame.node, frame.member);
        if let Some(part) = self.part_mut(node, member) {
            part.pool.release(key, now);
            count_failure(&mut part.row, Reason::TimedOut);
        }
        if let Some(live) = self.live_mut(node) {
            count_failure(&mut live.row, Reason::TimedOut);
        }
        self.give_back(key, cx);
    }

    /// Those that have waited too long at a member give up; somebody looks again when the next one may have.
    pub(super) fn expire(&mut self, node: u16, member: u16, cx: Cx<'_, '_>) {
        let patience = self
            .live(node)
            .and_then(Live::service)
            .and_then(|it| it.patience);
        if let Some(part) = self.part_mut(node, member) {
            part.expiring = false;
        }
        let Some(patience) = patience else { return };
        loop {
            // The oldest stands first, whichever one is taken first.
            let first = self
                .part_mut(node, member)
                .and_then(|part| part.pool.oldest());
            let Some(key) = first else { break };
            let Some(frame) = self.frames.get(key) else {
                break;
            };
            let waited = cx.now().since(frame.reached);
            if waited < patience {
                cx.schedule(patience - waited, Event::Expire { node, member });
                if let Some(part) = self.part_mut(node, member) {
                    part.expiring = true;
                }
                break;
            }
            let number = frame.number;
            cx.because(frame.note);
            let part = self.part_of(node, member);
            let note = Note::new("gave-up")
                .with(count(number))
                .with(Arg::Part(part))
                .with(Arg::Span(waited));
            self.say(note.about(part).dot(number), cx);
            self.fail(key, Reason::TimedOut, cx);
        }
        self.measure_waiting(cx);
        self.leave_if_done(node);
    }

    /// A member loses everything that it holds and that waits there.
    pub(super) fn lose_all(&mut self, node: u16, member: u16, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let now = cx.now();
        let part = self.part_of(node, member);
        let Some(own) = self.part_mut(node, member) else {
            return;
        };
        // What a worker had is lost with it; the queue knows nothing of that.
        own.pullers.clear();
        own.copies = None;
        let mut lost = std::mem::take(&mut own.parked);
        lost.extend(own.pool.drop_all(now));
        for key in lost {
            let Some(frame) = self.frames.get_mut(key) else {
                continue;
            };
            self.waiting -= u32::from(frame.place == Place::Waits);
            // Nobody holds it any longer, so that failing takes it from nobody.
            frame.place = Place::Travels;
            frame.leg.to = now;
            let number = frame.number;
            cx.because(cause);
            if frame.job {
                (self.stores().end_job)(self, key, false, cx);
                continue;
            }
            let note = Note::new("lost").with(count(number)).with(Arg::Part(part));
            self.say(note.about(part).dot(number), cx);
            self.fail(key, Reason::Lost, cx);
        }
        self.put_to_work(usize::from(node), usize::from(member), cx);
        self.measure_waiting(cx);
        self.leave_if_done(node);
    }

    /// The worker of a service that has this dies, and another takes its place at once: what it had is lost. Says `lost`. Of a
    /// message the queue hears nothing: its clock runs on.
    pub fn lose(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        if frame.place != Place::Held || frame.is_request() {
            return;
        }
        let (number, (node, member)) = (frame.number, (frame.node, frame.member));
        let part = self.part_of(node, member);
        let note = Note::new("lost").with(count(number)).with(Arg::Part(part));
        self.say(note.about(part).dot(number), cx);
        self.fail(key, Reason::Lost, cx);
    }

    /// Work under way is reckoned up at the old speed and goes on at the new one.
    pub(in crate::system) fn reckon_all(&mut self, node: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.nodes.get_mut(node).and_then(Option::as_mut) else {
            return;
        };
        if !live.holds() {
            return;
        }
        let mut changed = Vec::new();
        for (i, member) in live.members.iter_mut().enumerate() {
            let speed = live.node.size(i) * member.own.rate;
            let old = std::mem::replace(&mut member.own.speed, speed);
            if old != speed {
                changed.extend(member.own.pool.held.iter().map(|key| (*key, old, speed)));
            }
        }
        for (key, old, speed) in changed {
            let Some(frame) = self.frames.get(key) else {
                continue;
            };
            let (amount, since) = frame.work;
            if frame.pending > 0 || amount == 0 {
                continue;
            }
            let done = (now.since(since).0 as f64 * old) as u64;
            self.work(key, amount.saturating_sub(done).max(1), speed, cx);
        }
    }

    #[inline]
    pub(super) fn leave_if_done(&mut self, node: u16) {
        let last = self.live(node).and_then(|live| live.members.iter().last());
        if last.is_some_and(|last| last.leaving) {
            self.let_go(usize::from(node));
        }
    }

    #[inline]
    pub(super) fn measure_waiting(&mut self, cx: Cx<'_, '_>) {
        cx.sample(probe::WAITING, f64::from(self.waiting));
    }
}

impl Service {
    /// Whether work on a request takes [`Service::drags`] there.
    pub(super) fn drags(&self, draw: Draw, node: u16) -> bool {
        let purpose = purpose::DRAGS + (u64::from(node) << 8);
        self.drags.0 > 0.0 && draw.unit(purpose) <= self.drags.0
    }

    /// Whether chance lets a try of a request fail there.
    pub(super) fn is_unlucky(&self, draw: Draw, node: u16, path: u32) -> bool {
        let purpose = purpose::FATE + (u64::from(node) << 8) + (u64::from(path) << 32);
        self.fails > 0.0 && draw.unit(purpose) <= self.fails
    }
}
