//! Crowds that send by a plan: connections that wait for each answer, whatever the plan says.

use super::{Event, System, count};
use crate::system::frame::{Draw, Frame};
use crate::system::plan::{Arrivals, Kind};
use crate::system::script::Cx;
use crate::system::state::Connection;
use algorithms::hash::mix64;
use engine::tape::NoteId;
use engine::{Arg, Note, Time, Tone};

impl System {
    /// What a crowd plans now: requests a second, connections, and whether what is missed is left out.
    fn pace_of(&self, node: u16) -> Option<(f64, u16, bool)> {
        let live = self.live(node)?;
        let Kind::Crowd(crowd) = &live.node.kind else {
            return None;
        };
        match crowd.arrivals {
            Arrivals::Paced { .. } if live.gone => Some((0.0, 0, true)),
            Arrivals::Paced {
                per_s,
                connections,
                skips,
            } => Some((per_s * live.times(), connections, skips)),
            _ => None,
        }
    }

    /// From one planned moment of a connection to the next.
    fn period(per_s: f64, connections: u16) -> Time {
        if per_s > 0.0 {
            Time::from_s(f64::from(connections) / per_s).max(Time::us(1))
        } else {
            Time::NEVER
        }
    }

    /// Begins a crowd's plan, or a new one if it has changed: the moments of its connections lie side by side.
    pub(in crate::system) fn start_paced(&mut self, node: u16, cx: Cx<'_, '_>) {
        let Some((per_s, connections, _)) = self.pace_of(node) else {
            return;
        };
        let now = cx.now();
        let period = System::period(per_s, connections);
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let pace = &mut live.pace;
        if (pace.per_s, pace.connections.len()) == (per_s, usize::from(connections)) {
            return;
        }
        pace.per_s = per_s;
        let none = Connection::default();
        pace.connections.resize(usize::from(connections), none);
        let mut due = Vec::new();
        for (user, connection) in pace.connections.iter_mut().enumerate() {
            let offset = period.0 as f64 * (user + 1) as f64 / f64::from(connections);
            connection.due = now + Time(offset as u64);
            if !connection.busy && per_s > 0.0 {
                pace.turns = pace.turns.wrapping_add(1);
                connection.turn = pace.turns;
                due.push((connection.due, user as u16, connection.turn));
            }
        }
        cx.because(NoteId::NONE);
        for (at, user, turn) in due {
            cx.schedule(at.since(now), Event::Planned { node, user, turn });
        }
    }

    /// A planned moment has come, or a connection is free to make one good.
    pub(in crate::system) fn planned(&mut self, node: u16, user: u16, turn: u32, cx: Cx<'_, '_>) {
        let (now, salt) = (cx.now(), self.salt);
        let Some((per_s, connections, skips)) = self.pace_of(node) else {
            return;
        };
        let period = System::period(per_s, connections);
        let Some(pace) = self.live_mut(node).map(|live| &mut live.pace) else {
            return;
        };
        let Some(connection) = pace.connections.get_mut(usize::from(user)) else {
            return;
        };
        if connection.busy || connection.turn != turn {
            return;
        }
        let asked = if skips { now } else { connection.due };
        let nth = connection.nth;
        pace.turns = pace.turns.wrapping_add(1);
        *connection = Connection {
            due: connection.due + period,
            nth: nth.wrapping_add(1),
            turn: pace.turns,
            busy: true,
        };
        let of = (u64::from(node) << 48) | (u64::from(user) << 32) | u64::from(nth);
        let mut draw = Draw {
            // By the planned moment, so that twins meet the same work whatever they make of moments missed.
            dice: mix64(salt ^ mix64(of)),
            person: user,
            key: connection.turn,
            class: 0,
            region: 0,
        };
        draw.region = self.region_of(node, user);
        cx.because(NoteId::NONE);
        self.classify(node, &mut draw);
        self.request_of(node, draw, (0, asked), cx);
    }

    // region: paced
    /// A connection has its answer: it goes on with the next moment of its plan. Says `missed`.
    pub(in crate::system) fn free_connection(&mut self, request: &Frame, cx: Cx<'_, '_>) {
        let (node, user, now) = (request.node, request.draw.person, cx.now());
        let Some((per_s, connections, skips)) = self.pace_of(node) else {
            return;
        };
        let period = System::period(per_s, connections);
        let Some(pace) = self.live_mut(node).map(|live| &mut live.pace) else {
            return;
        };
        let Some(connection) = pace.connections.get_mut(usize::from(user)) else {
            return;
        };
        if !connection.busy || connection.turn != request.draw.key {
            return;
        }
        connection.busy = false;
        let mut missed = 0;
        if skips && connection.due < now {
            missed = now.since(connection.due).0.div_ceil(period.0);
            connection.nth = connection.nth.wrapping_add(missed as u32);
            connection.due += Time(period.0.saturating_mul(missed));
        }
        let (wait, turn) = (connection.due.since(now), connection.turn);
        if missed > 0 {
            let part = self.part_of(node, 0);
            let note = Note::new("missed")
                .with(count(request.number))
                .with(Arg::Count(missed as i64))
                .about(part)
                .dot(request.number);
            self.say(note.mark(Tone::Warn), cx);
        }
        if per_s > 0.0 {
            cx.schedule(wait, Event::Planned { node, user, turn });
        }
    }
    // endregion
}
