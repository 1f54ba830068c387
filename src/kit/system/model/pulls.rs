//! Workers that pull: they ask a queue, work on what they get, and say when it is done.

use super::{Event, System};
use crate::flow::{Key, Leg};
use crate::system::frame::Frame;
use crate::system::ledger::Count;
use crate::system::plan::Pull;
use crate::system::probe;
use crate::system::script::Cx;
use crate::system::shelf::{Ask, Errand, Loan, Puller, Pulling, Tells, Worker};
use algorithms::message_queue::{LongPoll, WAIT_MAX_US};
use engine::Time;
use engine::tape::NoteId;

/// No worker asks again sooner than after so long, if it found nothing.
const PAUSE_MIN: Time = Time::ms(10);

impl System {
    fn puller(&mut self, it: Worker) -> Option<&mut Puller> {
        let part = self.part_mut(it.node, it.member)?;
        part.pullers.get_mut(usize::from(it.nth))
    }

    /// How a worker pulls, if it may: its member is up and stays, and has so many workers.
    fn may_pull(&self, it: Worker) -> Option<Pull> {
        let live = self.live(it.node).filter(|live| !live.gone)?;
        let member = live.members.get(usize::from(it.member))?;
        let well = member.down.is_none() && !member.leaving;
        let there = usize::from(it.nth) < live.workers();
        live.pulls().filter(|_| well && there).copied()
    }

    /// Workers that rest begin to ask, if they may.
    pub(in crate::system) fn wake(&mut self, node: u16, member: u16, cx: Cx<'_, '_>) {
        let Some(live) = self.live(node).filter(|live| live.pulls().is_some()) else {
            return;
        };
        for nth in 0..live.workers() as u16 {
            let it = Worker { node, member, nth };
            if self.may_pull(it).is_none() {
                return;
            }
            let Some(part) = self.part_mut(node, member) else {
                return;
            };
            if part.pullers.len() <= usize::from(nth) {
                part.pullers.push(Puller::resting(cx.now()));
            }
            if part.pullers[usize::from(nth)].doing == Pulling::Rests {
                let before = cx.cause();
                self.ask(it, cx);
                cx.because(before);
            }
        }
    }

    /// A worker turns to something else; what was due for it before is not any more.
    fn turn_to(&mut self, it: Worker, doing: Pulling) -> u32 {
        self.turns += 1;
        let turn = self.turns;
        if let Some(puller) = self.puller(it) {
            puller.doing = doing;
            puller.turn = turn;
        }
        turn
    }

    /// Whether a worker still waits for the answer to a request.
    pub(super) fn waits_for(&mut self, it: Worker, turn: u32) -> bool {
        self.puller(it)
            .is_some_and(|puller| puller.turn == turn && puller.doing == Pulling::Waits)
    }

    /// A worker asks for messages, or rests.
    fn ask(&mut self, it: Worker, cx: Cx<'_, '_>) {
        // Nothing in the system causes it: a worker asks because it is free.
        cx.because(NoteId::NONE);
        let way = self.may_pull(it).and_then(|pull| {
            let live = self.live_wire(pull.over.0).filter(|live| !live.gone)?;
            Some((pull.over, live.wire.travel))
        });
        let Some((over, travel)) = way else {
            self.turn_to(it, Pulling::Rests);
            return self.leave_if_done(it.node);
        };
        let turn = self.turn_to(it, Pulling::Asks);
        let leg = Leg::new(over, cx.now(), travel, false);
        if let Some(puller) = self.puller(it) {
            puller.leg = leg;
        }
        cx.schedule(travel, Event::Pull(it, turn));
    }

    /// A worker goes on with what it does.
    pub(in crate::system) fn pull(&mut self, it: Worker, turn: u32, cx: Cx<'_, '_>) {
        let Some(puller) = self.puller(it).filter(|puller| puller.turn == turn) else {
            return;
        };
        match puller.doing {
            Pulling::Pauses => self.ask(it, cx),
            Pulling::Asks => self.ask_arrives(it, cx),
            Pulling::Gets => self.gets(it, cx),
            Pulling::Rests | Pulling::Waits | Pulling::Works => {}
        }
    }

    /// A request for messages has reached the queue.
    fn ask_arrives(&mut self, it: Worker, cx: Cx<'_, '_>) {
        let pull = self.may_pull(it);
        let Some(puller) = self.puller(it) else {
            return;
        };
        let over = puller.leg.on;
        let way = self
            .live_wire(over.0)
            .map(|live| (live.wire.to.0, live.is_cut(0)));
        let turn = self.turn_to(it, Pulling::Waits);
        let (Some(pull), Some((node, false))) = (pull, way) else {
            return self.hand_over(it, Vec::new(), cx);
        };
        let down = self.is_down(node);
        let Some(live) = self.live_mut(node) else {
            return self.hand_over(it, Vec::new(), cx);
        };
        live.row.add(Count::Asked);
        if down {
            live.row.add(Count::Empty);
            return self.hand_over(it, Vec::new(), cx);
        }
        let poll = LongPoll::new(cx.now().0, pull.wait.0.min(WAIT_MAX_US)).ok();
        if let Some((poll, shelf)) = poll.zip(live.shelf.as_mut()) {
            shelf.asks.push(Ask {
                poll,
                to: it,
                turn,
                batch: pull.batch,
            });
        }
        self.serve(node, cx);
    }

    /// The answer to a worker's request leaves the queue, with messages or without.
    pub(super) fn hand_over(&mut self, it: Worker, loans: Vec<Loan>, cx: Cx<'_, '_>) {
        let Some(puller) = self.puller(it) else {
            return;
        };
        let over = puller.leg.on;
        let live = self.live_wire(over.0);
        let travel = live.map_or(Time::ZERO, |live| live.wire.travel);
        let turn = self.turn_to(it, Pulling::Gets);
        let leg = Leg::new(over, cx.now(), travel, true);
        if let Some(puller) = self.puller(it) {
            // The request came when the last leg ended.
            puller.held = puller.leg.to < leg.from;
            puller.batch = loans.into();
            puller.leg = leg;
        }
        cx.schedule(travel, Event::Pull(it, turn));
    }

    /// A worker has the answer to its request.
    fn gets(&mut self, it: Worker, cx: Cx<'_, '_>) {
        let pull = self.may_pull(it);
        let Some(puller) = self.puller(it) else {
            return;
        };
        let over = puller.leg.on.0;
        if self.live_wire(over).is_some_and(|live| live.loss > 0.0) {
            self.batch_strays(it, over, cx);
        }
        let Some(puller) = self.puller(it) else {
            return;
        };
        if puller.batch.is_empty() {
            // Who waited at the queue has paused there.
            let Some(pull) = pull.filter(|_| !puller.held) else {
                return self.ask(it, cx);
            };
            let turn = self.turn_to(it, Pulling::Pauses);
            return cx.schedule(pull.every.max(PAUSE_MIN), Event::Pull(it, turn));
        }
        let turn = self.turn_to(it, Pulling::Works);
        if pull.is_some_and(|pull| pull.heartbeat) {
            self.next_beat(it, turn, cx);
        }
        self.next_message(it, cx);
    }

    /// Part of what a worker gets has been lost on a wire that loses.
    fn batch_strays(&mut self, it: Worker, over: u16, cx: Cx<'_, '_>) {
        let Some(puller) = self.puller(it) else {
            return;
        };
        let mut batch = std::mem::take(&mut puller.batch);
        (self.losses().loans_stray)(self, (over, 0), &mut batch, cx);
        if let Some(puller) = self.puller(it) {
            puller.batch = batch;
        }
    }

    /// A worker begins with the next message that it has, or asks for more.
    fn next_message(&mut self, it: Worker, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(puller) = self.puller(it) else {
            return;
        };
        let over = puller.leg.on;
        let Some(loan) = puller.batch.pop_front() else {
            return self.ask(it, cx);
        };
        let queue = self.live_wire(over.0).map_or(0, |live| live.wire.to.0);
        let mut frame = Frame {
            number: loan.letter.number,
            draw: loan.letter.draw,
            message: true,
            member: it.member,
            note: loan.letter.note,
            ..Frame::at_rest(it.node, now)
        };
        frame.hops[0] = (queue, it.nth);
        let key = self.frames.insert(frame);
        if let Some(puller) = self.puller(it) {
            (puller.at, puller.work, puller.early) = (Some(loan), key, false);
        }
        if let Some(live) = self.live_mut(it.node) {
            live.row.add(Count::Came);
            if let Some(member) = live.members.get_mut(usize::from(it.member)) {
                member.own.row.add(Count::Came);
                member.own.pool.hold(key, now);
            }
        }
        cx.because(loan.letter.note);
        self.start(key, cx);
    }

    /// The work on a message is over, done or failed. Who lost it with all else has forgotten it.
    pub(in crate::system) fn handled(&mut self, it: Worker, well: bool, cx: Cx<'_, '_>) {
        let Some(puller) = self.puller(it) else {
            return;
        };
        let early = puller.early;
        let Some(loan) = puller.at.take() else { return };
        puller.work = Key::NONE;
        if well {
            cx.sample(probe::HANDLED, 1.0);
            if loan.deliveries > 1 {
                cx.sample(probe::HANDLED_AGAIN, 1.0);
            }
            if !early {
                self.tell_queue(it, Tells::Delete, loan, cx);
            }
        }
        self.next_message(it, cx);
    }

    /// A worker deletes a message before the work on it is done.
    pub(in crate::system) fn delete_early(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (node, member, nth) = (frame.node, frame.member, frame.hops[0].1);
        let it = Worker { node, member, nth };
        let Some(puller) = self.puller(it) else {
            return;
        };
        if std::mem::replace(&mut puller.early, true) {
            return;
        }
        if let Some(loan) = puller.at {
            self.tell_queue(it, Tells::Delete, loan, cx);
        }
    }

    fn tell_queue(&mut self, it: Worker, tells: Tells, loan: Loan, cx: Cx<'_, '_>) {
        let Some(puller) = self.puller(it) else {
            return;
        };
        let over = puller.leg.on;
        let live = self.live_wire(over.0);
        let travel = live.map_or(Time::ZERO, |live| live.wire.travel);
        let key = self.errands.insert(Errand {
            tells,
            loan,
            leg: Leg::new(over, cx.now(), travel, false),
        });
        cx.schedule(travel, Event::Told(key));
    }

    fn next_beat(&mut self, it: Worker, turn: u32, cx: Cx<'_, '_>) {
        let Some(puller) = self.puller(it) else {
            return;
        };
        let over = puller.leg.on;
        let queue = self.live_wire(over.0).map(|live| live.wire.to.0);
        if let Some(rule) = queue.and_then(|queue| self.queue_rule(queue)) {
            let half = Time(rule.visibility.0 / 2).max(PAUSE_MIN);
            cx.schedule(half, Event::Beat(it, turn));
        }
    }

    /// A worker restarts the clocks of all that it has and has not deleted.
    pub(in crate::system) fn beat(&mut self, it: Worker, turn: u32, cx: Cx<'_, '_>) {
        let beats = self.may_pull(it).is_some_and(|pull| pull.heartbeat);
        let Some(puller) = self.puller(it).filter(|puller| puller.turn == turn) else {
            return;
        };
        if !beats {
            return;
        }
        let early = puller.early;
        let at = puller.at.filter(|_| !early);
        let has: Vec<Loan> = at.into_iter().chain(puller.batch.iter().copied()).collect();
        for loan in has {
            self.tell_queue(it, Tells::Extend, loan, cx);
        }
        self.next_beat(it, turn, cx);
    }
}
