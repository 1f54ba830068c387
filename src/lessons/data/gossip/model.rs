//! The system: nodes that gossip, and what a learner does to them.

use super::settings::Settings;
use super::state::{
    ACCUSED, CALLS, Cx, Event, JOINS, LISTS, LOAD, News, Ordeal, PLACES, Talk, Village, deed, node,
    note, pings,
};
use super::{probe, tell};
use algorithms::membership::{Ask, Membership, RUMOUR, Timer};
use algorithms::protocol::{Id, Wind};
use engine::random::unit;
use engine::tape::NoteId;
use engine::{Act, Arg, Model, PartId, Stream, Time, Tone};
use kit::cluster::{Cluster, Turn, aimed_at};
use kit::flow::{Episode, Recently, aim};

/// A node sleeps for so long.
const SLEEPS: Time = Time::s(4);
/// A slow node's messages take so much longer, each way.
const SLOW: Time = Time::ms(700);
/// A cut lasts so long.
const CUT: Time = Time::s(20);
/// A message that a learner holds up arrives so much later.
const HELD_UP: Time = Time::ms(500);
/// A node joins just before time zero, so that two know of it then.
const JOINS_AT: Time = Time::ms(930);
/// In a run that nobody touches a node dies after so long, when nearly always all know of the newcomer: the first look is at
/// both. The same moment for all settings, so that twins see the same.
const DIES: Time = Time::ms(2_900);
/// The node that something befalls where the learner has picked none.
const NINTH: Id = 9;
/// Whom a newcomer asks.
const SEED: Id = 4;
const PEER: Stream = Stream::named("peer");

fn talk(knobs: &Settings, seed: u64, places: Id) -> Talk {
    let us = |ms: f64| (ms * 1_000.0) as u64;
    Talk {
        rules: Membership {
            seed,
            places,
            telling: knobs.telling.telling(),
            fan_out: knobs.fan_out,
            told: if knobs.for_ever { 0 } else { knobs.told },
            suspicion: knobs.suspicion,
            helpers: knobs.helpers,
            period: us(knobs.period),
            timeout: us(knobs.timeout.min(knobs.period)),
            in_turn: knobs.in_turn,
            exchange: us(1_000.0 * knobs.exchange),
            call_dead: knobs.call_dead,
            forgets: knobs.forgets,
        },
        delay: 1_000.0 * knobs.delay,
    }
}

impl Village {
    /// All begin anew, and know each other.
    fn begin(&mut self, cx: Cx<'_, '_>) {
        self.cluster.clear(cx.now());
        self.cluster.net.heal();
        self.quicken();
        self.size = self.knobs.nodes as Id;
        self.room = self.size + JOINS;
        let seed = (4_294_967_296.0 * unit(cx.random(PEER))) as u64;
        self.cluster.protocol = talk(&self.knobs, seed, self.room);
        let room = usize::from(self.room) + 1;
        self.why = vec![(NoteId::NONE, 0); room * room];
        self.woes = vec![NoteId::NONE; room];
        self.asked = vec![NoteId::NONE; room];
        self.accusers = vec![0; room];
        (self.news, self.ordeal, self.half) = (None, None, 0);
        self.sleeps.clear();
        (self.cuts, self.healed) = (Episode::default(), None);
        self.rounds = 0;
        self.begun += 1;
        let size = self.size;
        for part in [LISTS, LOAD, CALLS, ACCUSED] {
            cx.because(NoteId::NONE);
            self.say("all-know", part, &[Arg::Count(size.into())], cx);
        }
        for id in self.ids() {
            cx.because(NoteId::NONE);
            cx.say(pings(id));
            cx.because(NoteId::NONE);
            let said = self.say("knows-all", node(id), &[Arg::Part(node(id))], cx);
            let turn = self.cluster.boot(id);
            self.take(turn, cx);
            let asked = self.cluster.ask(id, Ask::Know(size));
            self.take(asked.map(|(_, turn)| turn), cx);
            for of in self.ids() {
                self.because_of(id, of, said, 0);
            }
        }
        self.reset(cx.now());
        cx.because(NoteId::NONE);
        // Half a round, so that no round falls together with time zero.
        cx.schedule(
            Time::from_ms(self.knobs.round / 2.0),
            Event::Round(self.begun),
        );
    }

    /// Accusations are counted from now on.
    fn reset(&mut self, now: Time) {
        (self.accused, self.falsely, self.since) = (0, 0, now);
        self.accusers.fill(0);
    }

    fn quicken(&mut self) {
        if let Some(slow) = self.slow.take() {
            self.cluster.net.slow_down(slow, Time::ZERO);
            if let Some(woe) = self.woes.get_mut(usize::from(slow)) {
                *woe = NoteId::NONE;
            }
        }
    }

    fn say(&self, word: &'static str, part: PartId, args: &[Arg], cx: Cx<'_, '_>) -> NoteId {
        cx.say(note(word, part, args))
    }

    /// A node has done something: it is told, then carried out.
    fn take(&mut self, turn: Option<Turn<Talk>>, cx: Cx<'_, '_>) {
        let Some(turn) = turn else { return };
        let changed = self
            .cluster
            .node(turn.at)
            .is_some_and(|node| !node.changes.is_empty());
        tell::turn(self, &turn, cx);
        cx.because(NoteId::NONE);
        self.cluster.carry(turn, cx);
        if changed {
            tell::watch(self, cx);
        }
    }

    fn round(&mut self, cx: Cx<'_, '_>) {
        self.rounds += 1;
        for id in self.ids() {
            let asked = self.cluster.ask(id, Ask::Round);
            self.take(asked.map(|(_, turn)| turn), cx);
        }
    }

    /// Something new begins to go round.
    fn begins(&mut self, about: Id, note: NoteId, now: Time) {
        self.news = Some(News {
            about,
            began: now,
            note,
            before: self.rounds,
            half: None,
            all: None,
            calls: 0,
            fresh: 0,
        });
    }

    fn join(&mut self, cx: Cx<'_, '_>) {
        let Some(seed) = self.first_that_runs(SEED) else {
            return;
        };
        self.size += 1;
        let me = self.size;
        let told = [Arg::Part(node(me)), Arg::Part(node(seed))];
        let cause = cx.cause();
        cx.say(pings(me));
        cx.because(cause);
        let said = cx.say(note("joins", node(me), &told).mark(Tone::Ok));
        self.begins(me, said, cx.now());
        self.because_of(me, me, said, 0);
        let turn = self.cluster.boot(me);
        self.take(turn, cx);
        let asked = self.cluster.ask(me, Ask::Join(seed));
        self.take(asked.map(|(_, turn)| turn), cx);
    }

    fn tell_rumour(&mut self, cx: Cx<'_, '_>) {
        let Some(id) = self.first_that_runs(1) else {
            return;
        };
        self.rumours += 1;
        let said = cx.say(note("tells", node(id), &[Arg::Part(node(id))]).mark(Tone::Learner));
        self.begins(RUMOUR, said, cx.now());
        self.because_of(id, RUMOUR, said, 0);
        let asked = self.cluster.ask(id, Ask::Rumour(self.rumours));
        self.take(asked.map(|(_, turn)| turn), cx);
    }

    /// Something befalls a member.
    fn befalls(&mut self, word: &'static str, id: Id, tone: Tone, cx: Cx<'_, '_>) {
        let said = cx.say(note(word, node(id), &[Arg::Part(node(id))]).mark(tone));
        self.woes[usize::from(id)] = said;
        self.ordeal = Some(Ordeal {
            of: id,
            since: cx.now(),
            first: None,
            dead: None,
            back: None,
            called_dead: false,
            slept: Time::ZERO,
        });
        self.reset(cx.now());
        tell::watch(self, cx);
    }

    fn crash(&mut self, id: Id, cx: Cx<'_, '_>) {
        if self.cluster.crash(id, cx.now()) {
            self.sleeps.retain(|(sleeper, _)| *sleeper != id);
            self.befalls("dies", id, Tone::Bad, cx);
        }
    }

    fn sleep(&mut self, id: Id, cx: Cx<'_, '_>) {
        let now = cx.now();
        let asleep = self.sleeps.iter().position(|(sleeper, _)| *sleeper == id);
        let until = match asleep {
            Some(at) => self.sleeps.remove(at).1 + SLEEPS,
            None => now + SLEEPS,
        };
        self.sleeps.push((id, until));
        self.cluster.pause(id, now);
        match self
            .ordeal
            .filter(|ordeal| ordeal.of == id && asleep.is_some())
        {
            Some(_) => {
                cx.say(note("sleeps-on", node(id), &[Arg::Part(node(id))]).mark(Tone::Warn));
            }
            None => self.befalls("sleeps", id, Tone::Warn, cx),
        }
        if let Some(ordeal) = &mut self.ordeal {
            ordeal.slept = until.since(ordeal.since);
        }
        cx.schedule(until.since(now), Event::Wake(id));
    }

    fn wake(&mut self, id: Id, cx: Cx<'_, '_>) {
        self.sleeps.retain(|(sleeper, _)| *sleeper != id);
        if !self.cluster.resume(id) {
            return;
        }
        cx.because(self.woes[usize::from(id)]);
        cx.say(note("wakes", node(id), &[Arg::Part(node(id))]).mark(Tone::Ok));
        self.woes[usize::from(id)] = NoteId::NONE;
        while let Some(turn) = self.cluster.next_held(id, cx) {
            self.take(Some(turn), cx);
        }
        tell::watch(self, cx);
    }

    fn restart(&mut self, id: Id, cx: Cx<'_, '_>) {
        let seed = self.first_that_runs(SEED).unwrap_or(SEED);
        let told = [Arg::Part(node(id)), Arg::Part(node(seed))];
        let said = cx.say(note("restarts", node(id), &told).mark(Tone::Ok));
        self.woes[usize::from(id)] = NoteId::NONE;
        for of in 0..=self.room {
            self.because_of(id, of, said, 0);
        }
        let turn = self.cluster.boot(id);
        self.take(turn, cx);
        let asked = self.cluster.ask(id, Ask::Join(seed));
        self.take(asked.map(|(_, turn)| turn), cx);
    }

    fn cut(&mut self, cx: Cx<'_, '_>) {
        self.half = self.size / 2;
        let side: Vec<Id> = (1..=self.half).collect();
        self.cluster.part(&side, cx.now());
        self.healed = None;
        let number = self.cuts.begin(cx.now() + CUT);
        self.cutting = cx.say(note("cut", LISTS, &[Arg::Count(self.half.into())]).mark(Tone::Bad));
        (self.news, self.ordeal) = (None, None);
        cx.schedule(CUT, Event::Healed(number));
        tell::watch(self, cx);
    }

    fn mend(&mut self, cx: Cx<'_, '_>) {
        self.cluster.net.heal();
        self.healed = Some(cx.now());
        cx.say(note("healed", LISTS, &[]).mark(Tone::Ok));
    }

    fn is_broken(&self) -> bool {
        let down = self.ids().any(|id| !self.cluster.is_up(id));
        down || self.cuts.is_on() || !self.sleeps.is_empty() || self.slow.is_some()
    }
}

impl Model for Village {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Village {
        let mut model = Village {
            cluster: Cluster::new(talk(knobs, 0, PLACES), usize::from(PLACES)),
            size: 0,
            room: 0,
            why: Vec::new(),
            woes: Vec::new(),
            asked: Vec::new(),
            losing: NoteId::NONE,
            cutting: NoteId::NONE,
            news: None,
            rumours: 0,
            ordeal: None,
            rounds: 0,
            begun: 0,
            accused: 0,
            falsely: 0,
            accusers: Vec::new(),
            since: Time::ZERO,
            sleeps: Vec::new(),
            slow: None,
            half: 0,
            cuts: Episode::default(),
            healed: None,
            recent: Recently::new(Time::ZERO),
            touched: false,
            knobs: knobs.clone(),
            now: Time::ZERO,
            shares: [0; 3],
        };
        model.cluster.net.loss = knobs.loss / 100.0;
        model.begin(cx);
        cx.because(NoteId::NONE);
        cx.schedule(JOINS_AT, Event::Joins);
        model
    }

    fn on_start(&mut self, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.reset(cx.now());
        for probe in [probe::KNOW, probe::SUSPECT, probe::DEAD] {
            cx.sample(probe, 0.0);
        }
        cx.because(NoteId::NONE);
        cx.schedule(DIES, Event::Dies);
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Net(event) => {
                let turn = self.cluster.on_event(event, cx);
                self.take(turn, cx);
            }
            Event::Round(number) if number == self.begun => {
                self.round(cx);
                cx.because(NoteId::NONE);
                cx.schedule(Time::from_ms(self.knobs.round), Event::Round(number));
            }
            Event::Round(_) => {}
            Event::Wake(id) => {
                let due = |(sleeper, until): &(Id, Time)| *sleeper == id && *until <= cx.now();
                if self.sleeps.iter().any(due) {
                    self.wake(id, cx);
                }
            }
            Event::Healed(number) => {
                if self.cuts.end(number) {
                    self.mend(cx);
                }
            }
            Event::Joins => {
                if self.begun == 1 && !self.touched {
                    self.join(cx);
                }
            }
            Event::Dies => {
                if !self.touched {
                    cx.because(NoteId::NONE);
                    self.crash(self.aimed(), cx);
                }
            }
        }
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        (self.now, self.touched) = (cx.now(), true);
        let before = std::mem::replace(&mut self.knobs, knobs.clone());
        let cause = cx.cause();
        if before.nodes != knobs.nodes {
            return self.begin(cx);
        }
        if before.loss != knobs.loss {
            self.losing = cause;
            self.cluster.net.loss = knobs.loss / 100.0;
        }
        self.cluster.protocol = talk(knobs, self.cluster.protocol.rules.seed, self.room);
        if before.exchange != knobs.exchange {
            for id in self.ids() {
                if !self.cluster.is_up(id) {
                    continue;
                }
                // Spread over the span, as they were.
                let wind = match (1_000_000.0 * knobs.exchange) as u64 {
                    0 => Wind::Off,
                    spread => Wind::Within { least: 0, spread },
                };
                self.cluster.wind(id, Timer::Exchange, wind, cx);
            }
        }
        // What is over is not looked at any more.
        self.news = self.news.filter(|news| news.all.is_none());
        self.ordeal = self.ordeal.filter(|ordeal| ordeal.back.is_none());
        self.reset(cx.now());
        tell::watch(self, cx);
    }

    fn can(&self, act: Act) -> bool {
        let id = aimed_at(act.target);
        let known = act.target < usize::from(self.size);
        match act.spec {
            deed::JOIN => self.size < self.room && self.first_that_runs(SEED).is_some(),
            deed::CRASH | deed::SLEEP => known && self.cluster.is_up(id),
            deed::SLOW => known && self.cluster.is_up(id) && self.slow != Some(id),
            deed::CUT => self.size > 1 && !self.cuts.is_on(),
            deed::HEAL => self.is_broken(),
            deed::TELL => self.first_that_runs(1).is_some(),
            deed::LOSE | deed::HOLD => self.cluster.has_dot(act.target as u32),
            _ => false,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        if spec == deed::LOSE || spec == deed::HOLD {
            return self.cluster.newest_dot().unwrap_or_default() as usize;
        }
        let can = |target| self.can(Act { spec, target });
        aim(usize::from(self.aimed()) - 1, usize::from(self.size), can)
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        (self.now, self.touched) = (cx.now(), true);
        let id = aimed_at(act.target);
        match act.spec {
            deed::JOIN => self.join(cx),
            deed::CRASH => self.crash(id, cx),
            deed::SLEEP => self.sleep(id, cx),
            deed::SLOW => {
                self.quicken();
                self.slow = Some(id);
                self.cluster.net.slow_down(id, SLOW);
                self.befalls("slow", id, Tone::Warn, cx);
            }
            deed::CUT => self.cut(cx),
            deed::HEAL => {
                let cause = cx.cause();
                if self.cuts.end(self.cuts.count()) {
                    self.mend(cx);
                }
                self.quicken();
                for id in self.ids() {
                    cx.because(cause);
                    if !self.cluster.is_up(id) {
                        self.restart(id, cx);
                    } else if !self.cluster.runs(id) {
                        self.wake(id, cx);
                    }
                }
                self.ordeal = None;
                tell::watch(self, cx);
            }
            deed::TELL => self.tell_rumour(cx),
            deed::LOSE | deed::HOLD => {
                let (dot, hold) = (act.target as u32, act.spec == deed::HOLD);
                let hold = hold.then_some(HELD_UP);
                if let Some((_, from, to)) = self.cluster.by_hand(dot, hold, cx) {
                    let word = if hold.is_some() {
                        "held-up"
                    } else {
                        "lost-by-hand"
                    };
                    let told = [
                        Arg::Part(node(from)),
                        Arg::Part(node(to)),
                        Arg::Span(HELD_UP),
                    ];
                    cx.say(note(word, node(to), &told).dot(dot).mark(Tone::Learner));
                }
            }
            _ => {}
        }
    }

    fn bytes(&self) -> usize {
        let lists: usize = self.cluster.nodes().map(|(_, node)| node.bytes()).sum();
        self.cluster.bytes() + lists + size_of_val(self.why.as_slice())
    }

    fn audit(&self) -> Result<(), String> {
        self.cluster.audit()
    }
}

impl Village {
    /// The node that something befalls where the learner has picked none.
    fn aimed(&self) -> Id {
        NINTH.min(self.size).max(1)
    }
}
