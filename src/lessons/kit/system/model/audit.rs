//! The audit: what came in is somewhere, and everybody believes what is so.

use super::System;
use crate::kit::flow::Balance;
use crate::kit::system::frame::Place;

impl System {
    /// Whether the books are right; see [`engine::Model::audit`].
    pub(super) fn books(&self) -> Result<(), String> {
        let mut balance = Balance::default();
        let mut open: Vec<Vec<u32>> = self.wires.iter().map(|_| Vec::new()).collect();
        let (mut queued, mut under_way) = (0, 0);
        for live in self.nodes.iter().flatten() {
            for member in live.members.iter() {
                let part = &member.own;
                balance.claim("worker", part.pool.held.iter().copied());
                balance.claim("queue", part.pool.queue.iter().copied());
                queued += part.pool.queue.len();
                under_way += part.under_way;
            }
        }
        balance.check(&self.frames, self.gone, |_, frame| match frame.place {
            Place::Waits => Some("queue"),
            Place::Held
                if self
                    .live(frame.node)
                    .is_some_and(|it| it.service().is_some()) =>
            {
                Some("worker")
            }
            _ => None,
        })?;
        for (key, frame) in self.frames.iter() {
            for (wire, member) in &frame.hops[..usize::from(frame.depth)] {
                let list = &mut open[usize::from(*wire)];
                list.resize(list.len().max(usize::from(*member) + 1), 0);
                list[usize::from(*member)] += 1;
                under_way = under_way.wrapping_sub(1);
            }
            let due = matches!(
                frame.place,
                Place::Travels | Place::Pauses | Place::Bounces | Place::HeldBack
            );
            if due && frame.leg.to < self.now {
                return Err(format!("call {} should have arrived", key.serial()));
            }
        }
        for (id, live) in self.wires.iter().enumerate() {
            let Some(live) = live else { continue };
            for (member, peer) in live.balancer.peers().iter().enumerate() {
                let really = open[id].get(member).copied().unwrap_or(0);
                if peer.active != really {
                    return Err(format!(
                        "wire {id} believes in {} calls to member {member}, there are {really}",
                        peer.active
                    ));
                }
            }
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
}
