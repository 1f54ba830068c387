//! Breakers: what they are told, and what they say.

use super::{System, count};
use crate::flow::Key;
use crate::system::frame::Frame;
use crate::system::guard::{Replaced, breaker_part};
use crate::system::plan::WireId;
use crate::system::script::Cx;
use algorithms::circuit_breaker::State;
use engine::{Arg, Note, Time, Tone};

impl System {
    /// Tells a breaker how a call that it let through ended.
    pub(super) fn tell_guard(&mut self, call: &Frame, well: bool, took: Time, cx: Cx<'_, '_>) {
        let Some(permit) = call.permit else { return };
        let Some(parent) = self.frames.get(call.parent) else {
            return;
        };
        let spec = self.call_of(parent.node, parent.draw.class, call.of);
        if let Some(guard) = spec.and_then(|spec| spec.guard)
            && let Some(Some(breaker)) = self.guards.get_mut(usize::from(guard))
        {
            breaker.tell(permit, well, took, cx.now());
            self.look_at_guard(guard, cx);
        }
    }

    /// A note about a breaker, its caller and its callee.
    fn about_guard(&self, word: &'static str, guard: u8) -> Note {
        let over = self.plan.guarded().find(|(place, _)| *place == guard);
        let live = over.and_then(|(_, over)| self.wire(over));
        let (from, to) = live.map_or((0, 0), |live| (live.wire.from.0, live.wire.to.0));
        let breaker = breaker_part(guard);
        Note::new(word)
            .with(Arg::Part(breaker))
            .with(Arg::Part(self.part_of(from, 0)))
            .with(Arg::Part(self.part_of(to, 0)))
            .about(breaker)
    }

    /// Says what a breaker does with a call: number, breaker and callee.
    pub(super) fn of_guard(
        &mut self,
        word: &'static str,
        guard: u8,
        key: Key,
        over: WireId,
        cx: Cx<'_, '_>,
    ) {
        let to = self.wire(over).map_or(0, |live| live.wire.to.0);
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, breaker) = (frame.number, breaker_part(guard));
        let note = Note::new(word)
            .with(count(number))
            .with(Arg::Part(breaker))
            .with(Arg::Part(self.part_of(to, 0)));
        let note = self.say(note.about(breaker).dot(number), cx);
        if let Some(frame) = self.frames.get_mut(key) {
            frame.note = note;
        }
    }

    /// Says that a breaker has changed its state.
    pub(super) fn look_at_guard(&mut self, guard: u8, cx: Cx<'_, '_>) {
        let Some(Some(breaker)) = self.guards.get_mut(usize::from(guard)) else {
            return;
        };
        let Some(state) = breaker.news(cx.now()) else {
            return;
        };
        let again = breaker.before.is_some_and(|it| it.state == State::HalfOpen);
        let number = u16::from(guard) + 1;
        let (word, tone) = match state {
            State::Open if again => ("breaker-reopens", Tone::Bad),
            State::Open => ("breaker-opens", Tone::Bad),
            State::HalfOpen => ("breaker-tries", Tone::Warn),
            State::Closed => ("breaker-closes", Tone::Ok),
        };
        let note = self.about_guard(word, guard);
        let note = match state {
            State::Open if !again => note.begins("open", number),
            State::Closed => note.ends("open", number),
            _ => note,
        };
        self.say(note.mark(tone), cx);
    }

    /// Says that a breaker is new, and closed, or that there is none any more.
    pub(super) fn tell_replaced(&mut self, change: Replaced, cx: Cx<'_, '_>) {
        let word = if change.is_there {
            "breaker-new"
        } else {
            "breaker-gone"
        };
        let note = self.about_guard(word, change.place);
        let note = if change.was_open {
            note.mark(Tone::Plain)
                .ends("open", u16::from(change.place) + 1)
        } else {
            note
        };
        self.say(note, cx);
    }
}
