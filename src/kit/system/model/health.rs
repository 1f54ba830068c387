//! Health checks: what wires learn of their members.

use super::{Event, System};
use crate::system::script::Cx;
use engine::{Arg, Note, Time, Tone};

impl System {
    pub(super) fn check(&mut self, wire: u16, member: u16, cx: Cx<'_, '_>) {
        // Nobody asks who starts for the first time.
        let to = self
            .live_wire(wire)
            .and_then(|wire| self.live(wire.wire.to.0));
        let starts = to
            .and_then(|to| to.members.get(usize::from(member))?.own.starting)
            .is_some_and(|starting| starting.first);
        let Some(live) = self.live_wire_mut(wire) else {
            return;
        };
        let (travel, rule, gone) = (live.wire.travel, live.wire.health, live.gone);
        // A member that has left takes its checks with it.
        let Some(dog) = live.dogs.get_mut(usize::from(member)) else {
            return;
        };
        let Some(rule) = rule.filter(|_| !gone) else {
            dog.check_at = Time::NEVER;
            return;
        };
        dog.check_at = cx.now() + rule.every;
        cx.schedule(rule.every, Event::Check { wire, member });
        if starts {
            return;
        }
        if let Some(dog) = live.dogs.get_mut(usize::from(member)) {
            dog.check = Some((cx.now(), None));
        }
        cx.schedule(travel, Event::Checked { wire, member });
    }

    pub(super) fn checked(&mut self, wire: u16, member: u16, cx: Cx<'_, '_>) {
        let Some(live) = self.live_wire(wire) else {
            return;
        };
        let left = live.dogs.get(usize::from(member)).and_then(|it| it.check);
        let strays = live.loss > 0.0
            && left.is_some_and(|(left, _)| (self.losses().check_strays)(self, wire, member, left));
        let (to, travel, cut) = (
            live.wire.to.0,
            live.wire.travel,
            strays || live.is_cut(usize::from(member)),
        );
        let up = self
            .live(to)
            .and_then(|live| live.members.get(usize::from(member)))
            .is_some_and(|member| member.down.is_none());
        let Some(live) = self.live_wire_mut(wire) else {
            return;
        };
        let Some(dog) = live.dogs.get_mut(usize::from(member)) else {
            return;
        };
        if let Some((_, found)) = &mut dog.check {
            *found = Some(up && !cut);
            cx.schedule(travel, Event::Judged { wire, member });
        }
    }

    pub(super) fn judged(&mut self, wire: u16, member: u16, cx: Cx<'_, '_>) {
        use algorithms::health::Transition;
        let at = usize::from(member);
        let Some(live) = self.live_wire_mut(wire) else {
            return;
        };
        let to = live.wire.to.0;
        let Some(dog) = live.dogs.get_mut(at) else {
            return;
        };
        let Some((_, Some(passed))) = dog.check.take() else {
            return;
        };
        let verdict = dog.health.observe(passed);
        let Some((down, leaving)) = self
            .live(to)
            .and_then(|live| live.members.get(at))
            .map(|member| (member.down, member.leaving))
        else {
            return;
        };
        let part = self.part_of(to, member);
        if !passed {
            self.say(
                Note::new("check-failed").with(Arg::Part(part)).about(part),
                cx,
            );
        }
        let up = match verdict {
            Some(Transition::Down) => false,
            Some(Transition::Up) => true,
            None => return,
        };
        if let Some(live) = self.live_wire_mut(wire) {
            live.balancer.set_eligible(at, up && !leaving);
            if up {
                // What a member did not get while it was out says nothing about the policy.
                live.sent.fill(0);
            }
        }
        let note = if up {
            Note::new("returned").with(Arg::Part(part)).mark(Tone::Ok)
        } else {
            let since = down.map_or(Time::ZERO, |at| cx.now().since(at));
            Note::new("ejected")
                .with(Arg::Part(part))
                .with(Arg::Span(since))
                .mark(Tone::Warn)
                .ends("unnoticed", member)
        };
        self.say(note.about(part), cx);
    }
}
