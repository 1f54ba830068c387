//! The audit: what came in is somewhere, and everybody believes what is so.

use super::System;
use crate::flow::Balance;
use crate::system::frame::{Frame, Place};
use crate::system::ledger::Count;
use crate::system::plan::Kind;
use crate::system::shelf::{Loan, Pulling};
use crate::system::state::{Live, LiveWire};
use algorithms::message_queue::State;

impl System {
    /// Whether the books are right; see [`engine::Model::audit`].
    pub(super) fn books(&self) -> Result<(), String> {
        let mut balance = Balance::default();
        let (mut queued, mut under_way) = (0, 0);
        for live in self.nodes.iter().flatten() {
            for member in live.members.iter() {
                let part = &member.own;
                balance.claim("worker", part.pool.held.iter().copied());
                balance.claim("queue", part.pool.queue.iter().copied());
                balance.claim("parking", part.parked.iter().copied());
                queued += part.pool.queue.len();
                under_way += part.under_way;
            }
        }
        balance.check(&self.frames, self.gone, |_, frame| match frame.place {
            Place::Waits => Some("queue"),
            Place::HeldBack if self.live(frame.node).is_some_and(Live::holds) => Some("parking"),
            Place::Held if self.live(frame.node).is_some_and(Live::holds) => Some("worker"),
            _ => None,
        })?;
        // By wire and member; as wide as the widest wire, since this is made anew after every event.
        let peers = |live: &LiveWire| live.balancer.peers().len();
        let widest = self.wires.iter().flatten().map(peers).max().unwrap_or(0);
        let mut open = vec![0; self.wires.len() * widest];
        let mut awaited = vec![0; self.frames.places()];
        for (key, frame) in self.frames.iter() {
            for (wire, member) in &frame.hops[..usize::from(frame.depth)] {
                if usize::from(*member) < widest {
                    open[usize::from(*wire) * widest + usize::from(*member)] += 1;
                }
                under_way = under_way.wrapping_sub(1);
            }
            let due = matches!(
                frame.place,
                Place::Travels | Place::Astray | Place::Pauses | Place::Bounces | Place::HeldBack
            );
            if due && frame.leg.to < self.now {
                return Err(format!(
                    "call {} should have arrived: {:?} at node {}, {:?}",
                    key.serial(),
                    frame.place,
                    frame.node,
                    frame.leg
                ));
            }
            if !frame.left && self.awaits(frame.parent, frame.of) {
                awaited[frame.parent.place()] += 1;
                self.is_not_late(frame)?;
            }
        }
        self.callers_are_right(&awaited)?;
        for (id, live) in self.wires.iter().enumerate() {
            let Some(live) = live else { continue };
            for (member, peer) in live.balancer.peers().iter().enumerate() {
                let really = open[id * widest + member];
                if peer.active != really {
                    return Err(format!(
                        "wire {id} believes in {} calls to member {member}, there are {really}",
                        peer.active
                    ));
                }
            }
        }
        if let Some(caches) = self.gear.caches {
            (caches.audit)(self)?;
        }
        self.crowds_are_right()?;
        self.shelves_are_right()?;
        self.jobs_are_right()?;
        self.feeds_are_right()?;
        if let Some(topics) = self.gear.topics {
            (topics.audit)(self)?;
        }
        if let Some(functions) = self.gear.functions {
            (functions.audit)(self)?;
        }
        if under_way != 0 {
            return Err(format!("members believe in {under_way} calls too many"));
        }
        if queued != self.waiting as usize {
            return Err(format!(
                "queues hold {queued}, {} are counted",
                self.waiting
            ));
        }
        Ok(())
    }

    /// Requests that are under way, by the node of their crowd.
    pub(super) fn requests_under_way(&self) -> Vec<u32> {
        let mut all = vec![0; self.nodes.len()];
        for (_, request) in self.frames.iter().filter(|(_, it)| it.is_request()) {
            all[usize::from(request.node)] += 1;
        }
        all
    }

    /// Each request that came is done, has failed or is under way, and was counted once.
    fn crowds_are_right(&self) -> Result<(), String> {
        for (live, here) in self.nodes.iter().zip(self.requests_under_way()) {
            let Some(live) = live else { continue };
            if !matches!(live.node.kind, Kind::Crowd(_)) {
                continue;
            }
            let of = |count| live.row.of(count);
            let (came, over) = (of(Count::Came), of(Count::Done) + of(Count::Failed));
            if came + live.carried != over + here {
                return Err(format!(
                    "to crowd {} came {came} and {}, {over} are over, {here} under way",
                    live.node.id.0, live.carried
                ));
            }
        }
        Ok(())
    }

    /// Nobody waits for a call for longer than it wanted to.
    fn is_not_late(&self, call: &Frame) -> Result<(), String> {
        let counts = !matches!(call.place, Place::Bounces | Place::Pauses);
        // What holds for a call that was made by another plan is not known any more.
        if !counts || call.asked <= self.turned {
            return Ok(());
        }
        let Some(caller) = self.frames.get(call.parent) else {
            return Ok(());
        };
        let spec = self.call_of(caller.node, caller.draw.class, call.of);
        match spec.and_then(|spec| spec.timeout) {
            Some(timeout) if self.now.since(call.asked) > timeout => Err(format!(
                "node {} waits for call {} for longer than {timeout:?}",
                caller.node, call.number
            )),
            _ => Ok(()),
        }
    }

    /// Who waits for calls waits for as many as there are; `awaited` says how many, by the caller's place.
    fn callers_are_right(&self, awaited: &[u32]) -> Result<(), String> {
        for (key, caller) in self.frames.iter() {
            let there = awaited[key.place()];
            if caller.place == Place::Held && u32::from(caller.pending) != there {
                return Err(format!(
                    "request {} at node {} waits for {} calls, there are {there}",
                    caller.number, caller.node, caller.pending
                ));
            }
        }
        Ok(())
    }

    /// What was sent to a queue was deleted, has expired, was put aside or purged, or is there, lent or not; and who works on a
    /// message knows which.
    fn shelves_are_right(&self) -> Result<(), String> {
        for live in self.nodes.iter().flatten() {
            let Some(shelf) = &live.shelf else { continue };
            let id = live.node.id.0;
            let (queue, dead) = (shelf.queue(), shelf.dead());
            let totals = queue.totals();
            let gone = totals.deleted + totals.expired + totals.dead_lettered + totals.purged;
            if totals.arrived != gone + queue.len() as u64 {
                return Err(format!("queue {id} has lost messages: {totals:?}"));
            }
            if dead.totals().arrived != totals.dead_lettered {
                return Err(format!("queue {id} has lost dead letters: {totals:?}"));
            }
            let runs = |loan: &&Loan| loan.until > self.now;
            let running = shelf.loans().iter().filter(runs).count();
            let lent = queue.count(State::InFlight, self.now.0);
            if running != lent {
                return Err(format!(
                    "queue {id} knows of {running} loans, {lent} are lent"
                ));
            }
            let latest = |loan: &Loan| {
                let message = queue.messages().find(|it| it.id == loan.receipt.message);
                message.and_then(|it| it.latest_receipt()) == Some(loan.receipt)
            };
            if !shelf.loans().iter().all(latest) {
                return Err(format!("queue {id} keeps a loan that is over"));
            }
        }
        let members = self
            .nodes
            .iter()
            .flatten()
            .flat_map(|live| live.members.iter());
        let pullers = members.flat_map(|member| &member.own.pullers);
        let mut working = 0;
        for puller in pullers.filter(|puller| puller.at.is_some()) {
            working += 1;
            let frame = self.frames.get(puller.work);
            if !frame.is_some_and(|frame| frame.message && puller.doing == Pulling::Works) {
                return Err("a worker works on no message".to_owned());
            }
        }
        let messages = self
            .frames
            .iter()
            .filter(|(_, frame)| frame.message)
            .count();
        if messages != working {
            return Err(format!(
                "{messages} messages are worked on by {working} workers"
            ));
        }
        Ok(())
    }
}
