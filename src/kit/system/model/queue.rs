//! Queues: messages are stored, lent to who asks, deleted, come back, outlive their time, are put aside.

use super::{Event, System, count};
use crate::flow::Key;
use crate::system::frame::Reason;
use crate::system::ledger::Count;
use crate::system::plan::{Kind, Queue};
use crate::system::probe;
use crate::system::script::Cx;
use crate::system::shelf::{Letter, Loan, Shelf, Shelved, Tells, Worker};
use algorithms::message_queue::{PollOutcome, Received, SendOptions, State};
use engine::{Arg, Note, Time, Tone};

impl System {
    pub(super) fn shelf_mut(&mut self, queue: u16) -> Option<&mut Shelf> {
        self.live_mut(queue)?.shelf.as_deref_mut()
    }

    pub(super) fn queue_rule(&self, queue: u16) -> Option<Queue> {
        match self.live(queue)?.node.kind {
            Kind::Queue(rule) => Some(rule),
            _ => None,
        }
    }

    /// Makes a queue follow the plan. One that is to keep order otherwise is another one: what the old one kept is lost.
    pub(in crate::system) fn set_up_shelf(&mut self, node: u16, cx: Cx<'_, '_>) {
        let Some(rule) = self.queue_rule(node) else {
            return;
        };
        let fits = match self.shelf_mut(node) {
            Some(shelf) => shelf.follow(&rule),
            None => false,
        };
        if !fits {
            self.purge(node, cx);
            let shelf = Shelf::new(&rule).map(Shelved::new);
            if let Some(live) = self.live_mut(node) {
                let asks = live
                    .shelf
                    .take()
                    .map(|old| old.asks.clone())
                    .unwrap_or_default();
                live.shelf = shelf;
                if let Some(shelf) = &mut live.shelf {
                    shelf.asks = asks;
                }
            }
        }
        self.serve(node, cx);
    }

    /// A call has reached a queue: its message is stored, and the caller knows that.
    pub(in crate::system) fn store(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, node, draw) = (frame.number, frame.node, frame.draw);
        let took = Arg::Span(now.since(frame.asked));
        self.drop_expired(node, cx);
        let part = self.part_of(node, 0);
        let kept = self.shelf_mut(node).map_or(0, |shelf| shelf.queue.len());
        let places = self.queue_rule(node).and_then(|rule| rule.places);
        if places.is_some_and(|places| kept >= places as usize) {
            let note = Note::new("overflow")
                .with(count(number))
                .with(Arg::Part(part));
            self.say(note.about(part).dot(number), cx);
            return self.fail(key, Reason::Full, cx);
        }
        let args = [count(number), Arg::Part(part), took];
        let note = self.tell("stored", args, (part, number), cx);
        let letter = Letter {
            number,
            draw,
            stored: now,
            note,
        };
        let Some(shelf) = self.shelf_mut(node) else {
            return self.fail(key, Reason::Nobody, cx);
        };
        let options = match shelf.queue.settings().kind {
            algorithms::message_queue::Kind::Standard => SendOptions::default(),
            algorithms::message_queue::Kind::Fifo => SendOptions {
                group: Some(draw.person.to_string()),
                deduplication_id: Some(number.to_string()),
                ..SendOptions::default()
            },
        };
        if shelf.queue.send(now.0, letter, options).is_err() {
            return self.fail(key, Reason::Full, cx);
        }
        if let Some(live) = self.live_mut(node) {
            live.row.add(Count::Done);
            if let Some(member) = live.members.get_mut(0) {
                member.own.row.add(Count::Done);
            }
        }
        if let Some(frame) = self.frames.get_mut(key) {
            frame.note = note;
        }
        self.give_back(key, cx);
        self.serve(node, cx);
    }

    /// Serves the requests that a queue holds, the longest waiting first, as far as there are messages.
    pub(super) fn serve(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        self.drop_expired(node, cx);
        self.end_loans(node, cx);
        let mut next = 0;
        while let Some(ask) = self
            .live(node)
            .and_then(|live| live.shelf.as_ref()?.asks.get(next))
            .copied()
        {
            let waits = self.waits_for(ask.to, ask.turn);
            let Some(shelf) = self.shelf_mut(node) else {
                return;
            };
            if !waits {
                shelf.asks.remove(next);
                continue;
            }
            let batch = usize::from(ask.batch.clamp(1, 10));
            match ask.poll.look(now.0, &mut shelf.queue, batch) {
                Ok(PollOutcome::Waiting { .. }) => {
                    next += 1;
                    self.bury(node, cx);
                }
                outcome => {
                    shelf.asks.remove(next);
                    let batch = match outcome {
                        Ok(PollOutcome::Done(batch)) => batch,
                        _ => Vec::new(),
                    };
                    self.bury(node, cx);
                    let loans = self.lend(node, ask.to, batch, cx);
                    self.hand_over(ask.to, loans, cx);
                }
            }
        }
        self.plan_look(node, cx);
    }

    fn lend(
        &mut self,
        node: u16,
        to: Worker,
        batch: Vec<Received<Letter>>,
        cx: Cx<'_, '_>,
    ) -> Vec<Loan> {
        let now = cx.now();
        let part = self.part_of(to.node, to.member);
        if batch.is_empty()
            && let Some(live) = self.live_mut(node)
        {
            live.row.add(Count::Empty);
        }
        let mut loans = Vec::new();
        for received in batch {
            let Some(shelf) = self.shelf_mut(node) else {
                break;
            };
            let visibility = Time(shelf.queue.settings().visibility_timeout_us);
            let mut loan = Loan {
                receipt: received.receipt,
                letter: received.body,
                deliveries: received.receive_count,
                since: now,
                until: now + visibility,
                to,
            };
            let number = loan.letter.number;
            cx.because(loan.letter.note);
            let times = Arg::Count(i64::from(loan.deliveries));
            let args = [count(number), Arg::Part(part), times];
            loan.letter.note = self.tell("lent", args, (part, number), cx);
            if let Some(live) = self.live_mut(node) {
                live.row.add(Count::Lent);
                if loan.deliveries > 1 {
                    live.row.add(Count::Again);
                }
                if let Some(shelf) = &mut live.shelf {
                    shelf.loans.push(loan);
                }
            }
            loans.push(loan);
        }
        loans
    }

    /// Clocks that have ended: their messages can be had again.
    fn end_loans(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        loop {
            let Some(shelf) = self.shelf_mut(node) else {
                return;
            };
            let Some(place) = shelf.loans.iter().position(|loan| loan.until <= now) else {
                return;
            };
            let loan = shelf.loans.remove(place);
            let part = self.part_of(loan.to.node, loan.to.member);
            let number = loan.letter.number;
            cx.because(loan.letter.note);
            let args = [
                count(number),
                Arg::Part(part),
                Arg::Span(now.since(loan.since)),
            ];
            self.tell("clock-ended", args, (part, number), cx);
        }
    }

    /// Messages that nobody has deleted within their retention are gone.
    fn drop_expired(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        let part = self.part_of(node, 0);
        let Some(shelf) = self.shelf_mut(node) else {
            return;
        };
        for message in shelf.queue.take_expired(now.0) {
            let Some(live) = self.live_mut(node) else {
                return;
            };
            live.row.add(Count::Expired);
            if let Some(shelf) = &mut live.shelf {
                shelf
                    .loans
                    .retain(|loan| loan.receipt.message != message.id);
            }
            let letter = message.body;
            cx.because(letter.note);
            let note = Note::new("expired")
                .with(count(letter.number))
                .with(Arg::Part(part))
                .with(Arg::Span(now.since(letter.stored)));
            let note = note.about(part).dot(letter.number).mark(Tone::Bad);
            self.say(note, cx);
        }
    }

    /// Messages that were lent too often are put aside.
    fn bury(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        let part = self.part_of(node, 0);
        let Some(shelf) = self.shelf_mut(node) else {
            return;
        };
        for message in shelf.queue.take_dead_letters() {
            let (letter, times) = (message.body, message.receive_count);
            let Some(live) = self.live_mut(node) else {
                return;
            };
            live.row.add(Count::Buried);
            if let Some(shelf) = &mut live.shelf {
                // Both are of one kind, so it is taken.
                let _ = shelf.dead.accept_dead_letter(now.0, message);
            }
            cx.because(letter.note);
            let note = Note::new("buried")
                .with(count(letter.number))
                .with(Arg::Part(part))
                .with(Arg::Count(i64::from(times)));
            let note = note.about(part).dot(letter.number).mark(Tone::Bad);
            self.say(note, cx);
        }
    }

    /// What a worker told about a message has reached the queue.
    pub(in crate::system) fn told(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(errand) = self.errands.remove(key) else {
            return;
        };
        let wire = errand.leg.on.0;
        let Some((node, cut)) = self
            .live_wire(wire)
            .map(|live| (live.wire.to.0, live.is_cut(0)))
        else {
            return;
        };
        let (loan, number) = (errand.loan, errand.loan.letter.number);
        let part = self.part_of(loan.to.node, loan.to.member);
        let args = [
            count(number),
            Arg::Part(part),
            Arg::Count(i64::from(loan.deliveries)),
        ];
        let down = self.is_down(node);
        let Some(shelf) = self.shelf_mut(node) else {
            return;
        };
        let deletes = errand.tells == Tells::Delete;
        let unlucky = deletes && shelf.loses > 0;
        shelf.loses -= u32::from(unlucky);
        let loss = self.live_wire(wire).map_or(0.0, |live| live.loss);
        let unlucky =
            unlucky || (loss > 0.0 && (self.losses().receipt_strays)(self, &loan, wire, true));
        if cut || down || unlucky {
            let note = Note::new("receipt-lost").with(args[0]).with(args[1]);
            self.say(note.about(part).dot(number).mark(Tone::Bad), cx);
            return;
        }
        self.drop_expired(node, cx);
        self.end_loans(node, cx);
        let Some(shelf) = self.shelf_mut(node) else {
            return;
        };
        if deletes {
            let before = shelf.queue.totals().deleted;
            let answer = shelf.queue.delete(now.0, loan.receipt);
            let word = match answer {
                Ok(()) if shelf.queue.totals().deleted > before => "deleted",
                Ok(()) => "gone-already",
                Err(_) => "stale",
            };
            if word == "deleted" {
                shelf.loans.retain(|it| it.receipt != loan.receipt);
                if let Some(live) = self.live_mut(node) {
                    live.row.add(Count::Deleted);
                }
            }
            self.tell(word, args, (part, number), cx);
        } else {
            let visibility = shelf.queue.settings().visibility_timeout_us;
            let extended = shelf
                .queue
                .change_visibility(now.0, loan.receipt, visibility);
            if extended.is_ok()
                && let Some(known) = shelf.loans.iter_mut().find(|it| it.receipt == loan.receipt)
            {
                (known.since, known.until) = (now, now + Time(visibility));
            }
        }
        self.serve(node, cx);
    }

    /// Something may happen to a queue by itself.
    pub(in crate::system) fn look_at_shelf(&mut self, node: u16, turn: u32, cx: Cx<'_, '_>) {
        let Some(shelf) = self.shelf_mut(node).filter(|shelf| shelf.turn == turn) else {
            return;
        };
        shelf.look_at = Time::NEVER;
        self.serve(node, cx);
    }

    /// Sees to it that a queue is looked at when something happens to it by itself; and measures it.
    fn plan_look(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(shelf) = self.shelf_mut(node) else {
            return;
        };
        let next = shelf.next(now);
        if next != shelf.look_at {
            shelf.look_at = next;
            shelf.turn += 1;
            let turn = shelf.turn;
            if next != Time::NEVER {
                cx.schedule(next.since(now), Event::Shelf { node, turn });
            }
        }
        self.measure_shelves(cx);
    }

    fn measure_shelves(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        let mut sums = [0; 3];
        for shelf in self
            .nodes
            .iter()
            .flatten()
            .filter_map(|live| live.shelf.as_ref())
        {
            sums[0] += shelf.visible(now);
            sums[1] += shelf.queue.count(State::InFlight, now.0);
            sums[2] += shelf.dead.len();
        }
        for (probe, sum) in [probe::VISIBLE, probe::LENT, probe::DEAD]
            .into_iter()
            .zip(sums)
        {
            cx.sample(probe, sum as f64);
        }
    }

    /// A queue forgets its messages. Dead letters stay.
    pub(in crate::system) fn purge(&mut self, node: u16, cx: Cx<'_, '_>) {
        let part = self.part_of(node, 0);
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let Some(shelf) = &mut live.shelf else {
            return;
        };
        let lost = shelf.queue.purge();
        shelf.loans.clear();
        for _ in 0..lost {
            live.row.add(Count::Lost);
        }
        if lost > 0 {
            let note = Note::new("purged")
                .with(Arg::Count(lost as i64))
                .with(Arg::Part(part));
            self.say(note.about(part).mark(Tone::Bad), cx);
        }
        self.plan_look(node, cx);
    }

    /// Dead letters go back to their queue, as new messages.
    pub(in crate::system) fn redrive(&mut self, node: u16, cx: Cx<'_, '_>) {
        let now = cx.now();
        let part = self.part_of(node, 0);
        let Some(shelf) = self.shelf_mut(node) else {
            return;
        };
        let moved = shelf.queue.redrive_from(now.0, &mut shelf.dead, usize::MAX);
        let note = Note::new("redriven")
            .with(Arg::Count(moved.unwrap_or(0) as i64))
            .with(Arg::Part(part));
        self.say(note.about(part).mark(Tone::Ok), cx);
        self.serve(node, cx);
    }

    /// Whether the only member of a node is down, or not there.
    pub(super) fn is_down(&self, node: u16) -> bool {
        let member = self.live(node).and_then(|live| live.members.get(0));
        member.is_none_or(|member| member.down.is_some())
    }
}
