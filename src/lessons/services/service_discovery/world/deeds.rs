//! What befalls copies and the registry: by the learner, by a deployment, by itself.

use super::{Copy, Deploy, REGISTRY, STEP, STORM, STORM_FOR, State, Word, World};
use crate::service_discovery::{ROOM, stock_part};
use engine::tape::NoteId;
use engine::{Arg, Note, Time, Tone};
use kit::system::Cx;

impl World {
    pub(super) fn free(&self) -> Option<usize> {
        let absent = |copy: &Copy| copy.state == State::Absent;
        self.copies.iter().position(absent)
    }

    pub(super) fn set(&mut self, copy: usize, state: State, note: NoteId, now: Time) {
        let it = &mut self.copies[copy];
        (it.state, it.since, it.note) = (state, now, note);
        it.end_at = Time::NEVER;
        self.doors.push((copy, state));
    }

    /// A copy starts, or starts again: it registers at once.
    pub(super) fn start(&mut self, copy: usize, cx: Cx<'_, '_>) {
        let part = stock_part(copy);
        let note = Note::new("starts").with(Arg::Part(part)).about(part);
        let note = cx.say(note.mark(Tone::Ok));
        self.set(copy, State::Up, note, cx.now());
        cx.because(note);
        self.introduce(copy, cx);
    }

    /// A copy signs off and ends after a while. One that is not well just ends.
    pub(super) fn sign_off(&mut self, copy: usize, cx: Cx<'_, '_>) {
        if self.copies[copy].state != State::Up {
            return self.end(copy, cx);
        }
        let (part, stays) = (stock_part(copy), self.rules.stays);
        let note = Note::new("signs-off").with(Arg::Part(part));
        let note = note.with(Arg::Span(stays)).about(part);
        let note = cx.say(note.mark(Tone::Warn));
        self.set(copy, State::Leaves, note, cx.now());
        cx.because(note);
        self.send(Word::SignOff, copy, Time::ZERO, false, cx);
        self.copies[copy].end_at = cx.now() + stays;
        self.wake(self.copies[copy].end_at, cx);
    }

    /// A copy that has signed off ends.
    pub(super) fn end(&mut self, copy: usize, cx: Cx<'_, '_>) {
        let part = stock_part(copy);
        let note = cx.say(Note::new("ends").with(Arg::Part(part)).about(part));
        self.set(copy, State::Absent, note, cx.now());
    }

    /// What the learner does to one copy.
    pub(in super::super) fn kill(&mut self, copy: usize, state: State, cx: Cx<'_, '_>) {
        let part = stock_part(copy);
        let word = match state {
            State::Gone => "loses-power",
            State::Killed => "dies",
            _ => "hangs",
        };
        let note = Note::new(word).with(Arg::Part(part)).about(part);
        let note = cx.say(note.mark(Tone::Bad));
        cx.because(note);
        self.set(copy, state, note, cx.now());
        self.count(word, Some(copy), cx.now());
    }

    /// A copy comes back: it starts again and registers.
    pub(in super::super) fn revive(&mut self, copy: usize, cx: Cx<'_, '_>) {
        self.start(copy, cx);
        self.count("start", Some(copy), cx.now());
    }

    pub(in super::super) fn cut(&mut self, cx: Cx<'_, '_>) {
        let there: Vec<usize> = (0..ROOM)
            .filter(|i| self.copies[*i].state != State::Absent)
            .collect();
        let half = &there[..there.len() / 2];
        for copy in half {
            self.copies[*copy].cut = true;
        }
        let count = Arg::Count(half.len() as i64);
        let note = cx.say(
            Note::new("line-cut")
                .with(count)
                .about(REGISTRY)
                .mark(Tone::Bad),
        );
        for copy in half {
            self.copies[*copy].note = note;
            let part = stock_part(*copy);
            cx.because(note);
            let note = cx.say(Note::new("cut-off-copy").with(Arg::Part(part)).about(part));
            self.copies[*copy].note = note;
        }
        self.count("cut", None, cx.now());
    }

    pub(in super::super) fn mend(&mut self, cx: Cx<'_, '_>) {
        for copy in &mut self.copies {
            copy.cut = false;
        }
        cx.say(Note::new("line-mended").about(REGISTRY).mark(Tone::Ok));
        self.count("mend", None, cx.now());
    }

    pub(in super::super) fn is_cut(&self) -> bool {
        self.copies.iter().any(|it| it.cut)
    }

    pub(in super::super) fn stop(&mut self, cx: Cx<'_, '_>) {
        (self.running, self.registry_since) = (false, cx.now());
        cx.say(Note::new("registry-stops").about(REGISTRY).mark(Tone::Bad));
        self.count("stop", None, cx.now());
    }

    /// The registry comes back and knows nobody.
    pub(in super::super) fn restart(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        (self.running, self.registry_since) = (true, now);
        self.registry = self.registry.restarted(now.0);
        self.kept = None;
        let note = Note::new("registry-restarts").with(Arg::Span(self.rules.silent));
        let note = cx.say(note.about(REGISTRY).mark(Tone::Warn));
        cx.because(note);
        self.registry_notes = [note; ROOM];
        for copy in 0..ROOM {
            // Who asks has the addresses from elsewhere, but must hear from each before it is listed.
            self.copies[copy].known = self.rules.asks && self.copies[copy].state != State::Absent;
            self.doubt(copy);
        }
        self.silent_until = now + self.rules.silent;
        self.wake(self.silent_until, cx);
        self.count("restart", None, now);
    }

    pub(in super::super) fn storm(&mut self, cx: Cx<'_, '_>) {
        self.storm_until = cx.now() + STORM_FOR;
        let note = Note::new("storm")
            .with(Arg::Span(STORM))
            .with(Arg::Span(STORM_FOR));
        cx.say(note.about(REGISTRY).mark(Tone::Warn));
        self.count("storm", None, cx.now());
    }

    pub(in super::super) fn deploy(&mut self, cx: Cx<'_, '_>) {
        let note = cx.say(Note::new("deploy").about(REGISTRY).mark(Tone::Learner));
        cx.because(note);
        let up = |i: &usize| {
            self.copies[*i].state != State::Absent && self.copies[*i].state != State::Leaves
        };
        let olds: Vec<usize> = (0..ROOM).filter(up).collect();
        for old in &olds {
            self.copies[*old].note = note;
        }
        self.deploy = Deploy {
            olds,
            relieved: false,
            step_at: cx.now(),
        };
        self.count("deploy", None, cx.now());
        self.deploy_on(cx);
        self.judge(cx.now());
    }

    pub(in super::super) fn deploys(&self) -> bool {
        !self.deploy.olds.is_empty()
    }

    pub(super) fn deploy_on(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(old) = self.deploy.olds.first().copied() else {
            return;
        };
        if self.deploy.step_at > now {
            return;
        }
        self.deploy.step_at = now + STEP;
        self.wake(now + STEP, cx);
        cx.because(self.copies[old].note);
        match (self.deploy.relieved, self.free()) {
            (false, Some(free)) => {
                self.start(free, cx);
                self.deploy.relieved = true;
            }
            _ => {
                self.sign_off(old, cx);
                self.deploy.relieved = false;
                self.deploy.olds.remove(0);
                if self.deploy.olds.is_empty() {
                    self.tally.replaced = Some(now);
                }
            }
        }
    }

    /// All is well again.
    pub(in super::super) fn calm(&mut self, cx: Cx<'_, '_>) {
        let note = cx.say(Note::new("calm").about(REGISTRY).mark(Tone::Learner));
        cx.because(note);
        self.settle(cx);
        self.count("calm", None, cx.now());
    }
}
