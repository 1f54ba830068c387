//! Crowds: users who come, wait, lose patience, come again.

use super::{ARRIVALS, CURVE, DICE, Event, System, count, purpose};
use crate::flow::{Key, Source};
use crate::system::frame::{Draw, Frame, Reason};
use crate::system::ledger::Count;
use crate::system::plan::{Arrivals, Kind};
use crate::system::probe;
use crate::system::script::Cx;
use algorithms::hash::mix64;
use engine::tape::NoteId;
use engine::{Arg, Note, Time, Tone};
use rand::Rng;

impl System {
    /// Begins a crowd's arrivals, or turns their rate.
    pub(in crate::system) fn start_crowd(&mut self, node: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.nodes.get_mut(node).and_then(Option::as_mut) else {
            return;
        };
        let Kind::Crowd(crowd) = &live.node.kind else {
            return;
        };
        if matches!(crowd.arrivals, Arrivals::Paced { .. }) {
            return (self.paced().start)(self, node as u16, cx);
        }
        if let Arrivals::Closed { users, .. } = crowd.arrivals {
            let first = live.users;
            if !live.gone && users > first {
                live.users = users;
                for user in first..users {
                    // Users begin within their first pause, each at a time of their own.
                    let pause = self.pause(node as u16, user, 0);
                    let node = node as u16;
                    cx.schedule(pause, Event::Thought { node, user, nth: 0 });
                }
            }
            return;
        }
        let per_s = if live.gone {
            0.0
        } else {
            crowd.arrivals.per_s(now.since(live.dawn)) * live.times()
        };
        let is_curve = live.node.kind.has_days();
        if let Some((after, turn)) = live.source.turn(per_s, now) {
            let node = node as u16;
            let first = !self.begun;
            let after = if first {
                self.gap(node, per_s, cx)
            } else {
                after
            };
            cx.because(NoteId::NONE);
            cx.schedule(after, Event::Arrive { node, turn });
            if is_curve && first {
                cx.schedule(CURVE, Event::Curve(node));
            }
        }
    }

    pub(super) fn curve(&mut self, node: u16, cx: Cx<'_, '_>) {
        cx.because(NoteId::NONE);
        cx.schedule(CURVE, Event::Curve(node));
        self.start_crowd(usize::from(node), cx);
    }

    pub(super) fn gap(&self, node: u16, per_s: f64, cx: Cx<'_, '_>) -> Time {
        match self.live(node).map(|live| &live.node.kind) {
            Some(Kind::Crowd(crowd)) if crowd.arrivals.is_even() => match per_s > 0.0 {
                true => Time::from_s(1.0 / per_s),
                false => Time::NEVER,
            },
            _ => Source::poisson(per_s, cx.random(ARRIVALS.nth(u64::from(node)))),
        }
    }

    pub(super) fn arrive(&mut self, node: u16, turn: u32, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(live) = self.live(node) else { return };
        if !live.source.is_due(turn) {
            return;
        }
        let Kind::Crowd(crowd) = &live.node.kind else {
            return;
        };
        let per_s = crowd.arrivals.per_s(now.since(live.dawn)) * live.times();
        let (people, skew) = (crowd.people, crowd.skew);
        // Nothing in the system causes an arrival.
        cx.because(NoteId::NONE);
        let gap = self.gap(node, per_s, cx);
        let dice = cx.random(DICE.nth(u64::from(node))).next_u64();
        if let Some(live) = self.live_mut(node) {
            let turn = live.source.next(per_s, gap, now);
            cx.schedule(gap, Event::Arrive { node, turn });
        }
        let mut draw = Draw {
            dice,
            ..Draw::default()
        };
        let unit = draw.unit(purpose::PERSON);
        let share = match skew {
            1.0 => unit,
            2.0 => unit * unit,
            _ => libm::pow(unit, skew),
        };
        draw.person = ((share * f64::from(people)) as u16).min(people.saturating_sub(1));
        if let Some(Kind::Crowd(crowd)) = self.live(node).map(|live| &live.node.kind)
            && let Some(keys) = &crowd.keys
        {
            let thing = keys.rank_at(draw.unit(purpose::KEY)) as u32;
            draw.key = self.script.name_of(thing, self);
        }
        draw.region = self.region_at(node, draw.unit(purpose::REGION));
        self.classify(node, &mut draw);
        self.request(node, draw, 0, cx);
    }

    pub(super) fn thought(&mut self, node: u16, user: u16, nth: u32, cx: Cx<'_, '_>) {
        cx.because(NoteId::NONE);
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let wanted = match &live.node.kind {
            Kind::Crowd(crowd) if !live.gone => match crowd.arrivals {
                Arrivals::Closed { users, .. } => users,
                _ => 0,
            },
            _ => 0,
        };
        if user >= wanted {
            live.users = live.users.min(user);
            return;
        }
        let dice = mix64(
            self.salt ^ mix64((u64::from(node) << 48) | (u64::from(user) << 32) | u64::from(nth)),
        );
        let mut draw = Draw {
            dice,
            person: user,
            // Kept to know which of the user's requests it is.
            key: nth,
            class: 0,
            region: self.region_of(node, user),
        };
        self.classify(node, &mut draw);
        self.request(node, draw, 0, cx);
    }

    /// The pause of a closed crowd's user before a request.
    pub(super) fn pause(&self, node: u16, user: u16, nth: u32) -> Time {
        let Some(Kind::Crowd(crowd)) = self.live(node).map(|live| &live.node.kind) else {
            return Time::NEVER;
        };
        let Arrivals::Closed { think, .. } = crowd.arrivals else {
            return Time::NEVER;
        };
        let dice = mix64(
            self.salt ^ mix64((u64::from(node) << 48) | (u64::from(user) << 32) | u64::from(nth)),
        );
        let draw = Draw {
            dice,
            ..Draw::default()
        };
        Time((-libm::log(draw.unit(purpose::THINK)) * think.0 as f64) as u64)
    }

    /// Draws what kind of request one of a crowd is.
    pub(super) fn classify(&self, node: u16, draw: &mut Draw) {
        if let Some(Kind::Crowd(crowd)) = self.live(node).map(|live| &live.node.kind)
            && let Some(class) = nth_of(&crowd.classes, draw.unit(purpose::CLASS))
        {
            draw.class = class;
        }
    }

    /// The region of one of a crowd, from an even draw.
    fn region_at(&self, node: u16, unit: f64) -> u8 {
        match self.live(node).map(|live| &live.node.kind) {
            Some(Kind::Crowd(crowd)) => nth_of(&crowd.regions, unit).unwrap_or(0),
            _ => 0,
        }
    }

    /// The region of a user or connection, the same for all that it asks.
    pub(super) fn region_of(&self, node: u16, user: u16) -> u8 {
        let dice = mix64(self.salt ^ mix64((u64::from(node) << 16) | u64::from(user)));
        let home = Draw {
            dice,
            ..Draw::default()
        };
        self.region_at(node, home.unit(purpose::REGION))
    }

    /// A user's request begins, of the class that `draw` says.
    pub fn request(&mut self, node: u16, draw: Draw, reloads: u8, cx: Cx<'_, '_>) {
        self.request_of(node, draw, (reloads, cx.now()), cx);
    }

    /// As [`System::request`], of one who counts from an earlier moment.
    pub(super) fn request_of(
        &mut self,
        node: u16,
        draw: Draw,
        (reloads, asked): (u8, Time),
        cx: Cx<'_, '_>,
    ) {
        let Some(live) = self.live_mut(node) else {
            return;
        };
        if !matches!(live.node.kind, Kind::Crowd(_)) {
            return;
        }
        live.row.add(Count::Came);
        let (patience, floods) = (live.manners().0, live.floods());
        if !floods {
            self.all.add(Count::Came);
        }
        self.requests += 1;
        let key = self.insert(Frame {
            number: self.requests,
            draw,
            reloads,
            asked,
            ..Frame::at_rest(node, cx.now())
        });
        if !floods {
            cx.sample(probe::CAME, 1.0);
        }
        if let Some(patience) = patience {
            cx.schedule(patience, Event::Patience(key));
        }
        self.run(key, cx);
    }

    /// What a request waits for: the last word on the call of a call that its user's call led to.
    fn last_word(&self, mut key: Key) -> Option<NoteId> {
        let mut note = None;
        let child = |key: Key| {
            let all = self.frames.iter();
            let mut mine = all.filter(|(_, frame)| frame.parent == key && !frame.left);
            mine.next()
        };
        while let Some((below, frame)) = child(key) {
            note = Some(frame.note)
                .filter(|note| *note != NoteId::NONE)
                .or(note);
            key = below;
        }
        note
    }

    /// A user comes again, with a request of its own.
    pub(super) fn reload(&mut self, node: u16, draw: Draw, reloads: u8, cx: Cx<'_, '_>) {
        let part = self.part_of(node, 0);
        let note = Note::new("reloads")
            .with(count(self.requests + 1))
            .with(Arg::Count(i64::from(reloads)));
        cx.because(NoteId::NONE);
        let note = self.say(note.about(part).dot(self.requests + 1), cx);
        cx.because(note);
        // What befell the one before does not decide about this one.
        let dice = mix64(draw.dice);
        let mut draw = Draw { dice, ..draw };
        self.classify(node, &mut draw);
        self.request(node, draw, reloads, cx);
    }

    pub(super) fn lose_patience(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.failed = Some(Reason::Left);
        let (number, node, note) = (frame.number, frame.node, frame.note);
        cx.because(self.last_word(key).unwrap_or(note));
        let part = self.part_of(node, 0);
        let note = Note::new("leaves")
            .with(count(number))
            .with(Arg::Part(part));
        self.say(note.about(part).dot(number), cx);
        self.dies_at(node, 0, Reason::Left, cx.now());
        self.failing(number, cx);
        self.home(key, cx);
    }

    /// A request is over: its user has the answer, or has left.
    pub(super) fn home(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.remove(key) else {
            return;
        };
        let now = cx.now();
        self.stirred = true;
        if let Some(caches) = self.gear.caches {
            (caches.tell_home)(self, key);
        }
        self.script.over(&frame, self, now);
        let took = now.since(frame.asked);
        let waited = took - frame.travelled;
        let what = match frame.failed {
            None => Count::Done,
            Some(_) => Count::Failed,
        };
        let Some(live) = self
            .nodes
            .get_mut(usize::from(frame.node))
            .and_then(Option::as_mut)
        else {
            return;
        };
        let floods = live.floods();
        let rows = [Some(&mut live.row), (!floods).then_some(&mut self.all)];
        for row in rows.into_iter().flatten() {
            row.add(what);
            if frame.partial && frame.failed.is_none() {
                row.add(Count::Partial);
            }
            match frame.failed {
                None => row.time += waited,
                Some(Reason::TimedOut | Reason::Left) => row.add(Count::TimedOut),
                Some(reason) if reason.is_refusal() => row.add(Count::Refused),
                Some(_) => {}
            }
        }
        match frame.failed {
            _ if floods => {}
            None => {
                cx.sample(probe::DONE, 1.0);
                cx.sample_asked(probe::LATENCY, waited.0 as f64, frame.asked);
            }
            Some(reason) => {
                cx.sample(probe::FAILED, 1.0);
                // Who waited in vain waited, too: without them the slowest would be missing.
                if matches!(reason, Reason::TimedOut | Reason::Left) {
                    cx.sample_asked(probe::LATENCY, waited.0 as f64, frame.asked);
                }
            }
        }
        let Kind::Crowd(crowd) = &live.node.kind else {
            return;
        };
        let (again, after) = live.manners().1;
        let node = frame.node;
        if frame.failed.is_some() && frame.reloads < again {
            let who = self.reloading.insert((frame.draw, frame.reloads + 1));
            cx.schedule(after, Event::Reload { node, who });
        } else {
            match crowd.arrivals {
                Arrivals::Closed { .. } => {
                    let (user, nth) = (frame.draw.person, frame.draw.key + 1);
                    let pause = self.pause(node, user, nth);
                    cx.schedule(pause, Event::Thought { node, user, nth });
                }
                Arrivals::Paced { .. } => (self.paced().free)(self, &frame, cx),
                _ => {}
            }
        }
    }

    pub(super) fn surge_end(&mut self, node: u16, number: u32, cx: Cx<'_, '_>) {
        let Some(live) = self.live_mut(node) else {
            return;
        };
        if !live.surge.end(number) {
            return;
        }
        live.factor = 1.0;
        let part = live.node.part_of(0);
        let note = Note::new("spike-over").about(part).mark(Tone::Ok);
        self.say(note.ends("spike", node), cx);
        self.start_crowd(usize::from(node), cx);
    }
}

/// Which of several shares an even draw falls into; none if there are fewer than two.
fn nth_of(shares: &[f64], unit: f64) -> Option<u8> {
    if shares.len() < 2 {
        return None;
    }
    let mut ticket = unit * shares.iter().sum::<f64>();
    let mut nth = 0;
    for (place, share) in shares.iter().enumerate() {
        if *share > 0.0 {
            nth = place as u8;
        }
        ticket -= share;
        if ticket <= 0.0 {
            break;
        }
    }
    Some(nth)
}
