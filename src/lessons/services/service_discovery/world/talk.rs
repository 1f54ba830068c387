//! What copies, registry and callers say to each other, and what the registry makes of silence.

use super::{
    ANSWER, GATEWAY, LOOK, Letter, REGISTRY, RISE, STORM, State, TRIP, WINDOW, Word, World, draws,
};
use crate::service_discovery::{ROOM, caller_part, stock_part};
use algorithms::health::{HealthCheck, Transition};
use algorithms::lease_registry::Lease;
use engine::tape::NoteId;
use engine::{Arg, Note, Time, Tone};
use kit::system::{Cx, Event};

impl World {
    /// Something sets out, with the cause that holds now.
    pub(super) fn send(&mut self, word: Word, who: usize, delay: Time, lost: bool, cx: Cx<'_, '_>) {
        let (left, cause) = (cx.now(), cx.cause());
        self.letters.push(Letter {
            word,
            who,
            left,
            comes: left + TRIP + delay,
            lost,
            cause,
        });
        cx.schedule(TRIP + delay, Event::Timer(0));
    }

    /// Something has reached the registry, or left it.
    fn talks(&mut self, now: Time) {
        self.talk.add(0, now);
        self.talked += 1;
    }

    /// Something is due then.
    pub(super) fn wake(&self, at: Time, cx: Cx<'_, '_>) {
        if at < Time::NEVER {
            cx.schedule(at.since(cx.now()), Event::Timer(0));
        }
    }

    /// A copy says that it is there, and beats from now on.
    pub(super) fn introduce(&mut self, copy: usize, cx: Cx<'_, '_>) {
        let beat = self.rules.beat;
        self.copies[copy].beat_at = cx.now() + beat;
        self.wake(cx.now() + beat, cx);
        self.send(Word::Register, copy, Time::ZERO, false, cx);
    }

    /// From now on the registry asks a copy, or no longer does.
    pub(super) fn acquaint(&mut self, copy: usize, cx: Cx<'_, '_>) {
        let (rules, now) = (self.rules, cx.now());
        let phase = self.within(rules.ask, draws::ASK, copy, 0);
        let listed = self.registry.lease(copy as u32).is_some();
        let it = &mut self.copies[copy];
        it.asked = None;
        it.health.set_thresholds(rules.misses, RISE);
        it.known |= listed;
        it.ask_at = if rules.asks { now + phase } else { Time::NEVER };
        self.wake(self.copies[copy].ask_at, cx);
    }

    /// A caller fetches its list from now on by the rules that hold, at a phase of its own.
    pub(super) fn next_fetch(&mut self, caller: usize, cx: Cx<'_, '_>) {
        let every = self.rules.lists;
        let looks = self.lookers().contains(&caller) && every > Time::ZERO;
        let phase = self.within(every, draws::FETCH, caller, 0);
        self.callers[caller].fetch_at = if looks { cx.now() + phase } else { Time::NEVER };
        self.wake(self.callers[caller].fetch_at, cx);
    }

    /// A call of a caller failed, and it wants a newer list.
    pub(in super::super) fn hurry(&mut self, caller: usize) {
        let caller = if self.rules.gateway { GATEWAY } else { caller };
        if self.rules.fails == 2 {
            self.callers[caller].hurries = true;
        }
    }

    /// Sends for the lists that are asked for out of turn.
    pub(in super::super) fn fetch_now(&mut self, cx: Cx<'_, '_>) {
        for caller in self.lookers() {
            let fetching = |it: &Letter| {
                it.who == caller && matches!(it.word, Word::Fetch | Word::List { .. })
            };
            let hurries = std::mem::take(&mut self.callers[caller].hurries);
            if hurries && !self.letters.iter().any(fetching) {
                self.send(Word::Fetch, caller, Time::ZERO, false, cx);
            }
        }
    }

    /// The registry sends a caller its list, unless it is silent.
    pub(super) fn push(&mut self, caller: usize, cx: Cx<'_, '_>) {
        if !self.running || cx.now() < self.silent_until {
            return;
        }
        self.talks(cx.now());
        let word = Word::List {
            list: self.listed(),
            version: self.registry.version(),
            made: cx.now(),
        };
        self.send(word, caller, Time::ZERO, false, cx);
    }

    /// The registry's list has changed, by this note.
    fn changed(&mut self, copy: usize, note: NoteId, cx: Cx<'_, '_>) {
        self.registry_notes[copy] = note;
        cx.because(note);
        if self.rules.lists == Time::ZERO {
            for caller in self.lookers() {
                self.push(caller, cx);
            }
        }
    }

    /// Does all that is due.
    pub(in super::super) fn ring(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        // What is done in one moment is done in this order: what was under way arrives, then clocks strike.
        while let Some(i) = self.letters.iter().position(|it| it.comes <= now) {
            let letter = self.letters.remove(i);
            cx.because(letter.cause);
            self.arrive(letter, cx);
        }
        for i in 0..ROOM {
            cx.because(self.copies[i].note);
            if self.copies[i].end_at <= now {
                self.end(i, cx);
            }
            if self.copies[i].beat_at <= now {
                self.beat(i, cx);
            }
            if self.copies[i].asked.is_some_and(|(_, until)| until <= now) {
                self.copies[i].asked = None;
                self.observe(i, false, cx);
            }
            if self.copies[i].ask_at <= now {
                self.ask(i, cx);
            }
        }
        if self.sweep_at <= now {
            cx.because(NoteId::NONE);
            self.sweep(cx);
        }
        for caller in self.lookers() {
            if self.callers[caller].fetch_at <= now {
                cx.because(self.callers[caller].note);
                self.callers[caller].fetch_at = now + self.rules.lists;
                self.wake(now + self.rules.lists, cx);
                self.send(Word::Fetch, caller, Time::ZERO, false, cx);
            }
        }
        if self.silent_until > Time::ZERO && self.silent_until <= now {
            self.silent_until = Time::ZERO;
            cx.because(NoteId::NONE);
            if self.rules.lists == Time::ZERO {
                for caller in self.lookers() {
                    self.push(caller, cx);
                }
            }
        }
        self.deploy_on(cx);
        if self.by_itself <= now {
            cx.because(NoteId::NONE);
            self.kill(2, State::Gone, cx);
        }
        self.judge(now);
    }

    fn arrive(&mut self, letter: Letter, cx: Cx<'_, '_>) {
        let Letter { word, who, .. } = letter;
        match word {
            Word::Fetch => {
                if self.running {
                    let cause = self.registry_notes.iter().max().copied();
                    cx.because(cause.unwrap_or(NoteId::NONE));
                    self.push(who, cx);
                }
            }
            Word::List {
                list,
                version,
                made,
            } => self.learn(who, list, version, made, cx),
            Word::Unknown => {
                if self.copies[who].beats() {
                    self.introduce(who, cx);
                }
            }
            Word::Ask(nth) => {
                // Who is asked to work and cannot, or is not there, does not answer.
                if self.copies[who].state == State::Up && !self.copies[who].cut {
                    self.send(Word::Answer(nth), who, Time::ZERO, false, cx);
                }
            }
            _ if !self.running || self.copies[who].cut || letter.lost => {}
            Word::Answer(nth) => {
                if self.copies[who].asked.is_some_and(|(it, _)| it == nth) {
                    self.copies[who].asked = None;
                    self.observe(who, true, cx);
                }
            }
            Word::Beat => self.heard(who, cx),
            Word::Register => self.register(who, cx),
            Word::SignOff => self.signed_off(who, cx),
        }
    }

    /// A beat reaches the registry.
    fn heard(&mut self, copy: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        self.talks(now);
        self.copies[copy].detector.hear(now.0 / 1_000);
        if !self.rules.asks && !self.registry.renew(copy as u32, now.0, WINDOW.0) {
            let part = stock_part(copy);
            let note = Note::new("unknown").with(Arg::Part(part)).about(part);
            let note = cx.say(note);
            cx.because(note);
            self.send(Word::Unknown, copy, Time::ZERO, false, cx);
        }
    }

    fn register(&mut self, copy: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        self.talks(now);
        self.copies[copy].known = true;
        self.copies[copy].detector.hear(now.0 / 1_000);
        if self.rules.asks {
            // Its address is known; it is listed when it has answered.
            return self.doubt(copy);
        }
        if self.registry.register(copy as u32, now.0) {
            self.list(copy, cx);
        }
    }

    /// A copy that is not listed must answer before it is.
    pub(super) fn doubt(&mut self, copy: usize) {
        if self.registry.lease(copy as u32).is_some() {
            return;
        }
        let misses = self.rules.misses;
        let health = &mut self.copies[copy].health;
        *health = HealthCheck::new(misses, RISE);
        (0..misses).for_each(|_| _ = health.observe(false));
    }

    fn list(&mut self, copy: usize, cx: Cx<'_, '_>) {
        let part = stock_part(copy);
        let note = Note::new("registers").with(Arg::Part(part)).about(part);
        let note = cx.say(note.mark(Tone::Ok));
        self.changed(copy, note, cx);
    }

    fn signed_off(&mut self, copy: usize, cx: Cx<'_, '_>) {
        self.talks(cx.now());
        self.copies[copy].known = false;
        if self.registry.cancel(copy as u32) {
            let part = stock_part(copy);
            let note = cx.say(Note::new("taken-out").with(Arg::Part(part)).about(part));
            self.changed(copy, note, cx);
        }
    }

    /// A caller gets a list. One that is empty it does not believe.
    fn learn(&mut self, caller: usize, list: u16, version: u64, made: Time, cx: Cx<'_, '_>) {
        let it = &mut self.callers[caller];
        if version < it.version || list == 0 {
            return;
        }
        let before = std::mem::replace(&mut it.list, list);
        (it.version, it.made) = (version, made);
        if before == list {
            return;
        }
        let part = caller_part(caller);
        let (less, more) = (before & !list, list & !before);
        let one = |bits: u16| bits.trailing_zeros() as usize;
        let note = match (less.count_ones(), more.count_ones()) {
            (1, 0) => Note::new("list-less")
                .with(Arg::Part(part))
                .with(Arg::Part(stock_part(one(less)))),
            (0, 1) => Note::new("list-more")
                .with(Arg::Part(part))
                .with(Arg::Part(stock_part(one(more)))),
            (less, more) => {
                let count = |n: u32| Arg::Count(i64::from(n));
                Note::new("list")
                    .with(Arg::Part(part))
                    .with(count(less))
                    .with(count(more))
            }
        };
        let tone = if less > 0 { Tone::Warn } else { Tone::Ok };
        let note = cx.say(note.about(part).mark(tone));
        self.callers[caller].note = note;
    }

    fn beat(&mut self, copy: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        if !self.copies[copy].beats() {
            self.copies[copy].beat_at = Time::NEVER;
            return;
        }
        self.copies[copy].beats += 1;
        let nth = self.copies[copy].beats;
        self.copies[copy].beat_at = now + self.rules.beat;
        self.wake(now + self.rules.beat, cx);
        if self.rules.asks {
            return;
        }
        let spread = if now < self.storm_until {
            STORM
        } else {
            self.rules.spread
        };
        let delay = self.within(spread, draws::DELAY, copy, nth);
        let lost = self.unit(draws::LOST, copy, nth) < self.rules.lost;
        self.send(Word::Beat, copy, delay, lost, cx);
    }

    /// The registry asks a copy for work.
    fn ask(&mut self, copy: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        if !self.rules.asks {
            self.copies[copy].ask_at = Time::NEVER;
            return;
        }
        self.copies[copy].ask_at = now + self.rules.ask;
        self.wake(now + self.rules.ask, cx);
        if !self.running || !self.copies[copy].known {
            return;
        }
        self.talks(now);
        self.copies[copy].asks += 1;
        let nth = self.copies[copy].asks;
        self.copies[copy].asked = Some((nth, now + ANSWER));
        self.wake(now + ANSWER, cx);
        self.send(Word::Ask(nth), copy, Time::ZERO, false, cx);
    }

    /// A copy has answered, or not.
    fn observe(&mut self, copy: usize, answered: bool, cx: Cx<'_, '_>) {
        if !self.running || !self.rules.asks {
            return;
        }
        let part = stock_part(copy);
        let verdict = self.copies[copy].health.observe(answered);
        let number = copy as u32;
        match verdict {
            Some(Transition::Up) if self.registry.register(number, cx.now().0) => {
                self.list(copy, cx);
            }
            Some(Transition::Down) if self.registry.cancel(number) => {
                let misses = Arg::Count(i64::from(self.rules.misses));
                let note = Note::new("no-answer").with(Arg::Part(part));
                let note = note.with(misses).about(part).mark(Tone::Warn);
                let note = cx.say(note);
                self.struck(copy, note, cx);
            }
            _ => {}
        }
    }

    fn struck(&mut self, copy: usize, note: NoteId, cx: Cx<'_, '_>) {
        self.tally.struck += 1;
        if self.copies[copy].state == State::Up {
            self.tally.wrongly += 1;
            cx.because(note);
            let part = stock_part(copy);
            cx.say(
                Note::new("wrongly")
                    .with(Arg::Part(part))
                    .about(part)
                    .mark(Tone::Bad),
            );
        }
        self.changed(copy, note, cx);
    }

    /// The registry looks at its leases.
    fn sweep(&mut self, cx: Cx<'_, '_>) {
        let (now, rules) = (cx.now(), self.rules);
        let every = match rules.sweep {
            Time::ZERO => LOOK,
            every => every,
        };
        self.sweep_at = now + every;
        self.wake(self.sweep_at, cx);
        self.kept = self.kept.filter(|_| self.running && !rules.asks);
        if !self.running || rules.asks {
            return;
        }
        let rule = rules.preservation();
        let (copies, this) = (&self.copies, &*self);
        let over = |lease: &Lease| match rules.phi {
            true => !copies[lease.instance as usize]
                .detector
                .is_available(now.0 / 1_000),
            false => lease.is_over(now.0, rules.lease.0),
        };
        let order = |lease: &Lease| {
            let unit = this.unit(draws::ORDER, lease.instance as usize, (now.0 >> 16) as u32);
            (unit * 1e9) as u64
        };
        let mut registry = self.registry.clone();
        let swept = registry.sweep(now.0, rules.preserves.then_some(&rule), over, order);
        let before: Vec<(usize, f64)> = swept
            .struck
            .iter()
            .map(|it| {
                (
                    it.instance as usize,
                    self.copies[it.instance as usize].phi(now),
                )
            })
            .collect();
        self.registry = registry;
        let new = swept.kept.is_some() && self.kept.is_none();
        self.kept = swept.kept;
        if let Some(kept) = swept.kept.filter(|_| new) {
            let count = |n: u32| Arg::Count(i64::from(n));
            let note = Note::new("keeps").with(count(kept.expected));
            let note = note.with(count(kept.threshold)).with(count(kept.came));
            cx.say(note.about(REGISTRY).mark(Tone::Warn));
        }
        for (lease, (copy, phi)) in swept.struck.iter().zip(before) {
            let part = stock_part(copy);
            cx.because(self.copies[copy].note);
            let note = match rules.phi {
                true => Note::new("suspected")
                    .with(Arg::Part(part))
                    .with(Arg::Number(libm::round(phi.min(99.0) * 10.0) / 10.0)),
                false => {
                    let over = now.since(Time(lease.renewed_us) + rules.lease);
                    Note::new("struck-out")
                        .with(Arg::Part(part))
                        .with(Arg::Span(over))
                }
            };
            let note = cx.say(note.about(part).mark(Tone::Warn));
            self.struck(copy, note, cx);
        }
    }
}
