//! Jobs that a member does for no request, before all that waits; and calls that wait for the script's word.

use super::System;
use crate::flow::{Key, Leg};
use crate::system::frame::{Draw, Frame, Place, Reason};
use crate::system::parcel::Seat;
use crate::system::script::Cx;
use engine::Time;

impl System {
    /// A member of a service begins a job: the program of `draw`'s class, with the next free worker, before all that waits.
    /// The script hears when it is done ([`super::super::Script::job_done`]); with a crash it is lost. `number` is the request
    /// that it has to do with, 0 for none. None if the member is not there or down.
    pub fn begin_job(
        &mut self,
        seat: Seat,
        draw: Draw,
        number: u32,
        cx: Cx<'_, '_>,
    ) -> Option<Key> {
        let live = self.node(seat.node)?;
        // An instance of a function does nothing but what it is asked.
        let service = live.service().filter(|_| live.kept.is_none())?;
        let workers = service.workers as usize;
        let up = live.members.get(seat.member)?.down.is_none();
        let (node, member) = (seat.node.0, seat.member as u16);
        let now = cx.now();
        if !up {
            return None;
        }
        self.tallies.jobs += 1;
        let key = self.insert(Frame {
            number,
            draw,
            job: true,
            place: Place::Waits,
            member,
            ..Frame::at_rest(node, now)
        });
        if self
            .part_mut(node, member)?
            .pool
            .offer_urgent(key, workers, now)
        {
            self.start(key, cx);
        } else {
            self.waiting += 1;
            self.measure_waiting(cx);
        }
        Some(key)
    }

    /// A job is done, or fails.
    pub(in crate::system) fn end_job(&mut self, key: Key, well: bool, cx: Cx<'_, '_>) {
        let Some(job) = self.remove(key) else { return };
        let now = cx.now();
        if let Some(part) = self.part_mut(job.node, job.member) {
            match job.place {
                Place::Waits => _ = part.pool.leave(key),
                _ => _ = part.pool.release(key, now),
            }
        }
        self.waiting -= u32::from(job.place == Place::Waits);
        if well {
            self.tallies.jobs_done += 1;
            self.stirred = true;
            self.script.job_done(&job, self, cx);
        } else {
            self.tallies.jobs_lost += 1;
        }
        self.put_to_work(usize::from(job.node), usize::from(job.member), cx);
        self.measure_waiting(cx);
        self.leave_if_done(job.node);
    }

    /// A call lets go of its worker and waits for the script's word.
    pub(in crate::system) fn park(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.place = Place::HeldBack;
        frame.leg = Leg::new(frame.leg.on, now, Time::ZERO, false);
        frame.leg.to = Time::NEVER;
        let (node, member) = (frame.node, frame.member);
        if let Some(part) = self.part_mut(node, member) {
            part.pool.release(key, now);
            part.parked.push(key);
        }
        self.stirred = true;
        self.script.parked(key, self, cx);
        self.put_to_work(usize::from(node), usize::from(member), cx);
        self.measure_waiting(cx);
    }

    /// A call that is parked is answered, or fails for this reason. What is not parked stays as it is.
    pub fn unpark(&mut self, key: Key, failed: Option<Reason>, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (node, member, depth) = (frame.node, frame.member, frame.depth);
        let Some(part) = self.part_mut(node, member) else {
            return;
        };
        let Some(place) = part.parked.iter().position(|parked| *parked == key) else {
            return;
        };
        part.parked.remove(place);
        match failed {
            Some(reason) => self.fail(key, reason, cx),
            None => {
                self.well(key, cx);
                if depth > 0 {
                    self.give_back(key, cx);
                } else {
                    self.forget(key);
                }
            }
        }
        self.leave_if_done(node);
    }

    /// What was begun is done, lost or somewhere.
    pub(super) fn jobs_are_right(&self) -> Result<(), String> {
        let all = self.tallies;
        let there = self.frames.iter().filter(|(_, frame)| frame.job).count() as u64;
        if all.jobs == all.jobs_done + all.jobs_lost + there {
            Ok(())
        } else {
            Err(format!("{there} jobs are somewhere: {all:?}"))
        }
    }
}
