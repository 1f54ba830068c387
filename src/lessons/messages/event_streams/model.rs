//! The system: Shop writes clicks to a log of several lanes on three brokers, and two groups read it.

use super::group::{Bookmark, CONSUMERS, COUNTER, Fate, GROUPS, Group, SEARCH, There, USERS};
use super::group::{account, reader};
use super::lane::{BROKERS, Broker, Click, Lane, broker, lane};
use super::probe;
use super::settings::{CleanUp, KeyOf, Settings};
use super::trials::Trials;
use algorithms::log::Reset;
use algorithms::partitioner::{Sticky, by_key, frequencies};
use algorithms::zipf::Zipf;
use engine::random::unit;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use kit::flow::{Leg, Marks, Source, aim};
use std::collections::VecDeque;

pub(super) const SHOP: PartId = PartId::one("shop");

/// One way, stretched so that it can be seen.
pub(super) const HOP: Time = Time::ms(100);
/// The keeper of the brokers knows after so long that one is dead.
const NOTICE: Time = Time::s(1);
/// A copy that is so far behind is not in sync.
const OUT_OF_SYNC: Time = Time::s(3);
/// Shop tries again after so long.
const RETRY: Time = Time::ms(200);
/// A broker that is to die in the middle of its work does so after so long at the latest, a consumer after so long.
const DOOM: Time = Time::ms(2_500);
pub(super) const DOOM_READER: Time = Time::s(4);
/// Answered records that are nowhere else make a good moment.
const AT_RISK: u64 = 3;
/// How long a consumer takes to start, stays away after a crash, hangs, and Search sleeps.
pub(super) const BOOT: Time = Time::s(3);
pub(super) const AWAY: Time = Time::s(8);
pub(super) const HANG: Time = Time::s(12);
pub(super) const SLEEP: Time = Time::s(30);
/// How often compaction runs by itself, and how long tombstones are kept.
const CLEAN_EVERY: Time = Time::s(20);
const TOMBSTONES: Time = Time::s(10);
/// A celebrity's clicks, and the time between two of them.
const CELEBRITY: (u8, u32, Time) = (5, 60, Time::ms(50));
/// Whose data is deleted.
pub(super) const FORGOTTEN: u8 = 7;
/// So many records without a key go to one lane in a row.
const STICKS: u32 = 4;

const ARRIVALS: Stream = Stream::named("arrivals");
const WHO: Stream = Stream::named("who");
const STICKY: Stream = Stream::named("sticky");

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next click, if the source's turn is still this one.
    Next(u32),
    /// Compaction's turn.
    Clean,
    /// Something of this age of the log; a new log knows nothing of what was due in an older one.
    Of(u32, Due),
}

/// What can be due in a log.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// So many clicks of a celebrity are left.
    Burst(u32),
    /// A click reaches its lane.
    Arrives,
    /// Shop tries a lane again.
    Retry(usize),
    /// A replica of a lane has copied up to before an offset, if the lane has had no other leader since.
    Copied(usize, usize, u64, u32),
    /// A broker dies at last.
    Dies(usize),
    /// A broker has been dead for a second, in this life.
    Noticed(usize, u32),
    /// A broker has been dead for three.
    Behind(usize, u32),
    /// A consumer polls.
    Poll(usize, usize, u32),
    /// The record in hand is worked.
    Worked(usize, usize, u32),
    /// A consumer may have been away from polling for too long.
    Late(usize, usize),
    /// A consumer that was to crash does at last.
    Crash(usize),
    /// A silent consumer is no longer waited for.
    Silent(usize, u32),
    /// Consumers of a group that are due are back.
    Wake(usize),
    /// A group waits no longer for members to join.
    Timeout(usize, u32),
    /// A group's lanes are assigned.
    Assigned(usize, u32),
}

pub(super) type Cx<'a, 'b> = &'a mut Context<'b, Event>;

/// The running system.
#[derive(Clone, Debug)]
pub struct Streams {
    pub(super) lanes: Vec<Lane>,
    pub(super) brokers: [Broker; BROKERS],
    pub(super) groups: Vec<Group>,
    /// On their way to their lanes.
    pub(super) coming: VecDeque<(Click, usize, Leg<()>)>,
    /// Clicks so far, those of them that Shop has been told are written, and those of these that were cut off since.
    pub(super) written: u32,
    pub(super) answered: u64,
    pub(super) gone: u64,
    /// Users whose lane has changed since lanes were added.
    pub(super) moved: usize,
    /// How often all began anew.
    pub(super) age: u32,
    source: Source,
    sticky: Sticky,
    zipf: Zipf,
    /// When Shop last said that it must wait.
    refusals: Marks,
    pub(super) knobs: Settings,
    /// When a commit of Search was first refused, and how far it had committed by then.
    pub(super) stuck: Option<(Time, u64)>,
    /// The longest lag of Search since the last beginning.
    pub(super) deepest: u64,
    pub(super) trials: Trials,
    pub(super) now: Time,
}

pub(super) fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

pub(super) fn name(group: usize, consumer: usize) -> Arg {
    Arg::Part(reader(group, consumer))
}

fn number(l: usize) -> Arg {
    count(l + 1)
}

/// The lane of a user.
fn home(user: u8, lanes: usize) -> usize {
    by_key(format!("u{user}").as_bytes(), lanes)
}

impl Streams {
    pub(super) fn due(&self, after: Time, due: Due, cx: Cx<'_, '_>) {
        cx.schedule(after, Event::Of(self.age, due));
    }

    fn next(&mut self, cx: Cx<'_, '_>) {
        let rate = f64::from(self.knobs.clicks);
        let gap = Source::poisson(rate, cx.random(ARRIVALS));
        let turn = self.source.next(rate, gap, cx.now());
        if gap < Time::NEVER {
            cx.schedule(gap, Event::Next(turn));
        }
    }

    /// Somebody clicks; Shop sends it to its lane.
    fn click(&mut self, user: u8, tombstone: bool, cx: Cx<'_, '_>) {
        self.written += 1;
        let number = self.written;
        let word = if tombstone { "forgets" } else { "clicks" };
        let note = Note::new(word).with(count(number)).with(count(user));
        let cause = cx.say(note.about(SHOP).dot(number));
        let to = match self.knobs.key {
            KeyOf::User => home(user, self.lanes.len()),
            KeyOf::Nothing => {
                // The shorter a lane's queue at Shop, the more often; a closed one never while another is open.
                let queues: Vec<u32> = self.lanes.iter().map(|l| l.pending.len() as u32).collect();
                let mut weights = frequencies(&queues);
                for (weight, lane) in weights.iter_mut().zip(&self.lanes) {
                    *weight *= u32::from(self.is_open(lane));
                }
                self.sticky.next(STICKS, &weights, cx.random(STICKY))
            }
        };
        let click = Click {
            number,
            user,
            tombstone,
            cause,
        };
        let leg = Leg::new((), cx.now(), HOP, false);
        self.coming.push_back((click, to, leg));
        self.due(HOP, Due::Arrives, cx);
    }

    fn is_open(&self, lane: &Lane) -> bool {
        let led = lane.led_by().is_some_and(|b| self.brokers[b].up);
        let in_sync_min = self.knobs.in_sync as usize;
        led && lane
            .replicas
            .admits(self.knobs.acks.rule(), in_sync_min)
            .is_ok()
    }

    /// Writes what waits for a lane, oldest first, or tries again later.
    fn write(&mut self, l: usize, cx: Cx<'_, '_>) {
        while !self.lanes[l].pending.is_empty() {
            if !self.is_open(&self.lanes[l]) {
                if !self.lanes[l].trying {
                    self.lanes[l].trying = true;
                    self.refused(l, cx);
                    self.due(RETRY, Due::Retry(l), cx);
                }
                return;
            }
            if let Some(click) = self.lanes[l].pending.pop_front() {
                self.append(l, click, cx);
            }
        }
    }

    fn refused(&mut self, l: usize, cx: Cx<'_, '_>) {
        if !self.refusals.due(cx.now()) {
            return;
        }
        let led = self.lanes[l].led_by().is_some_and(|b| self.brokers[b].up);
        let word = if led { "not-enough" } else { "no-leader" };
        cx.because(self.lanes[l].cause);
        let waits = count(self.lanes[l].pending.len());
        let note = Note::new(word).with(number(l)).with(waits);
        cx.say(note.about(SHOP).mark(Tone::Warn));
    }

    // region: append
    /// A record is added at the end of its lane; the followers copy it a little later.
    fn append(&mut self, l: usize, click: Click, cx: Cx<'_, '_>) {
        let key = (self.knobs.key == KeyOf::User).then_some(click.user);
        let value = (!click.tombstone).then_some(click.number);
        let offset = self.lanes[l].log.append(cx.now().0, key, value);
        for group in &mut self.groups {
            group.appended(l, click.number, click.user);
        }
        cx.because(click.cause);
        let note = Note::new("appended").with(number(l)).with(count(offset));
        cx.say(
            note.with(count(click.user))
                .about(lane(l))
                .dot(click.number),
        );
        cx.sample(probe::WRITTEN, 1.0);
        let lane = &mut self.lanes[l];
        lane.grown_at = cx.now();
        let leader = lane.replicas.leader.unwrap_or(0);
        lane.replicas.reached(leader, offset + 1);
        self.replicate(l, offset + 1, cx);
        self.advance(l, cx);
    }
    // endregion

    /// What follows when more of a lane is copied: answers, and readers who waited for records.
    pub(super) fn advance(&mut self, l: usize, cx: Cx<'_, '_>) {
        self.answered += self.lanes[l].answer(self.knobs.acks.rule());
        let watermark = self.lanes[l].watermark();
        for g in 0..GROUPS {
            let bookmark = &self.groups[g].bookmarks[l];
            if let Some(c) = bookmark.owner.filter(|_| bookmark.position < watermark) {
                self.ask(g, c, HOP, cx);
            }
        }
    }

    fn copied(&mut self, l: usize, replica: usize, upto: u64, cx: Cx<'_, '_>) {
        let lane = &mut self.lanes[l];
        let led = lane.led_by().is_some_and(|b| self.brokers[b].up);
        if !led || !self.brokers[lane.broker_of(replica)].up {
            return;
        }
        lane.replicas.reached(replica, upto);
        if !lane.replicas.in_sync[replica] {
            lane.replicas.joins(replica);
            if lane.replicas.in_sync[replica] {
                let b = lane.broker_of(replica);
                cx.because(self.brokers[b].cause);
                let note = Note::new("in-sync").with(Arg::Part(broker(b)));
                cx.say(note.with(number(l)).about(broker(b)));
            }
        }
        self.advance(l, cx);
        self.write(l, cx);
    }

    /// The followers of a lane copy up to before an offset, a little later.
    fn replicate(&self, l: usize, upto: u64, cx: Cx<'_, '_>) {
        let (reign, leader) = (self.lanes[l].reign, self.lanes[l].replicas.leader);
        let behind = Time::from_s(self.knobs.behind);
        for replica in (0..BROKERS).filter(|replica| Some(*replica) != leader) {
            self.due(behind, Due::Copied(l, replica, upto, reign), cx);
        }
    }

    /// A lane whose leader is dead gets another, if anybody may lead.
    fn elect(&mut self, l: usize, cause: NoteId, cx: Cx<'_, '_>) {
        let up = self.brokers.map(|one| one.up);
        let one = &mut self.lanes[l];
        let (answered, before) = (one.answered, one.led_by());
        let at: [usize; BROKERS] = std::array::from_fn(|replica| one.broker_of(replica));
        let end = one.replicas.elect(|replica| up[at[replica]]);
        one.reign += 1;
        cx.because(cause);
        let Some(end) = end else {
            let note = Note::new("closed").with(number(l)).about(lane(l));
            one.cause = cx.say(note.mark(Tone::Bad));
            return;
        };
        let leader = one.led_by().unwrap_or(0);
        if before != Some(leader) {
            let who = Arg::Part(broker(leader));
            let note = Note::new("leads").with(who).with(number(l));
            one.cause = cx.say(note.about(broker(leader)));
            let note = Note::new("led-by").with(number(l)).with(who);
            cx.say(note.about(lane(l)));
        }
        self.cut_off(l, end, answered, cx);
        self.replicate(l, end, cx);
        self.advance(l, cx);
        self.write(l, cx);
    }

    // region: cut-off
    /// What only the dead leader had is cut off: answered records are gone, the others Shop still has.
    fn cut_off(&mut self, l: usize, end: u64, answered: u64, cx: Cx<'_, '_>) {
        let cut = self.lanes[l].log.truncate(end);
        let gone = answered.saturating_sub(end);
        self.lanes[l].answered = answered.min(end);
        self.gone += gone;
        self.lanes[l].gone += gone;
        self.answered -= gone;
        for record in cut.iter().rev().filter(|one| one.offset >= answered) {
            if let Some(entry) = self.groups[SEARCH].bookmarks[l].entry(record.offset) {
                self.lanes[l].pending.push_front(Click {
                    number: entry.number,
                    user: entry.user,
                    tombstone: record.value.is_none(),
                    cause: cx.cause(),
                });
            }
        }
        for group in &mut self.groups {
            group.truncated(l, end);
        }
        if gone > 0 {
            let note = Note::new("gone").with(number(l)).with(count(gone));
            let gone = cx.say(note.about(lane(l)).mark(Tone::Bad));
            self.lanes[l].cause = gone;
        }
    }
    // endregion

    fn kill_broker(&mut self, b: usize, cx: Cx<'_, '_>) {
        let one = &mut self.brokers[b];
        if !one.up {
            return;
        }
        (one.up, one.doomed) = (false, None);
        one.life += 1;
        cx.because(one.cause);
        let note = Note::new("broker-dies").with(Arg::Part(broker(b)));
        one.cause = cx.say(note.about(broker(b)).mark(Tone::Bad));
        let life = one.life;
        self.due(NOTICE, Due::Noticed(b, life), cx);
        self.due(OUT_OF_SYNC, Due::Behind(b, life), cx);
    }

    /// Whether a broker that is to die has a good moment for it.
    fn doom(&mut self, cx: Cx<'_, '_>) {
        for b in 0..BROKERS {
            let led = self.lanes.iter().filter(|lane| lane.led_by() == Some(b));
            let risk = led.map(Lane::at_risk).max().unwrap_or(0);
            if self.brokers[b].doomed.is_some() && risk >= AT_RISK {
                self.kill_broker(b, cx);
            }
        }
    }

    fn noticed(&mut self, b: usize, cx: Cx<'_, '_>) {
        let cause = self.brokers[b].cause;
        for l in 0..self.lanes.len() {
            if self.lanes[l].led_by() == Some(b) {
                self.elect(l, cause, cx);
            }
        }
    }

    fn falls_out(&mut self, b: usize, cx: Cx<'_, '_>) {
        for l in 0..self.lanes.len() {
            let replica = self.lanes[l].replica_on(b);
            self.lanes[l].replicas.falls_out(replica);
            self.advance(l, cx);
        }
    }

    fn revive(&mut self, b: usize, cx: Cx<'_, '_>) {
        let one = &mut self.brokers[b];
        one.up = true;
        one.life += 1;
        let note = Note::new("broker-back").with(Arg::Part(broker(b)));
        one.cause = cx.say(note.about(broker(b)).mark(Tone::Learner));
        let cause = one.cause;
        for l in 0..self.lanes.len() {
            if self.lanes[l].replicas.leader.is_none() {
                self.elect(l, cause, cx);
                continue;
            }
            self.replicate(l, self.lanes[l].log.end(), cx);
        }
    }

    /// Old records leave at the left.
    fn expire(&mut self, cx: Cx<'_, '_>) {
        if self.knobs.clean_up == CleanUp::Compact {
            return;
        }
        let since = cx.now().since(self.knobs.kept_for());
        for l in 0..self.lanes.len() {
            let below = self.lanes[l].watermark();
            self.lanes[l].log.expire(since.0, below);
            let start = self.lanes[l].log.start();
            for g in 0..GROUPS {
                let lost = self.groups[g].expired(l, start);
                if lost > 0 && self.groups[g].marks[0].due(cx.now()) {
                    cx.because(self.groups[g].cause);
                    let note = Note::new("expired").with(number(l));
                    cx.say(note.about(account(g)).mark(Tone::Bad));
                }
            }
        }
    }

    fn compact(&mut self, cx: Cx<'_, '_>) {
        let tombstones = cx.now().since(TOMBSTONES).0;
        let mut all = 0;
        for l in 0..self.lanes.len() {
            let (from, below) = (self.lanes[l].log.start(), self.lanes[l].watermark());
            all += self.lanes[l].log.compact(below, tombstones);
            for offset in from..below {
                if self.lanes[l].log.get(offset).is_some() {
                    continue;
                }
                for group in &mut self.groups {
                    group.lose(l, offset, Fate::Superseded);
                }
            }
            // What is left begins later: nobody has to walk through the hole again.
            let first = self.lanes[l].log.read(0, below).next();
            let start = first.map_or(below, |one| one.offset);
            for group in &mut self.groups {
                group.expired(l, start.min(below));
            }
        }
        let note = Note::new("compacted").with(count(all));
        for l in 0..self.lanes.len() {
            cx.say(note.about(lane(l)));
        }
    }

    /// Records that a group has not committed.
    pub(super) fn lag(&self, g: usize) -> u64 {
        (0..self.lanes.len()).map(|l| self.lag_of(g, l)).sum()
    }

    pub(super) fn lag_of(&self, g: usize, l: usize) -> u64 {
        let lane = &self.lanes[l];
        lane.watermark().saturating_sub(self.next_of(g, l))
    }

    /// The next record that a group has to read in a lane, be it there or not.
    fn next_of(&self, g: usize, l: usize) -> u64 {
        let lane = &self.lanes[l];
        let fresh = match self.knobs.reset.rule() {
            Reset::Latest => lane.watermark(),
            Reset::Earliest => lane.log.start(),
        };
        let next = self.groups[g].bookmarks[l].committed.unwrap_or(fresh);
        next.max(lane.log.start())
    }

    /// How old the oldest record is that a group has not committed.
    pub(super) fn lag_time(&self, g: usize, now: Time) -> Time {
        let oldest = (0..self.lanes.len()).filter_map(|l| {
            let lane = &self.lanes[l];
            let first = lane.log.read(self.next_of(g, l), lane.watermark()).next();
            first.map(|record| record.at_us)
        });
        oldest.min().map_or(Time::ZERO, |at| now.since(Time(at)))
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.doom(cx);
        let lags = [SEARCH, COUNTER].map(|g| self.lag(g));
        for (g, [records, seconds]) in [
            [probe::LAG_SEARCH, probe::AGE_SEARCH],
            [probe::LAG_COUNTER, probe::AGE_COUNTER],
        ]
        .into_iter()
        .enumerate()
        {
            cx.sample(records, lags[g] as f64);
            cx.sample(seconds, self.lag_time(g, cx.now()).as_s());
        }
        cx.sample(probe::KEPT, f64::from(self.knobs.retention));
        self.deepest = self.deepest.max(lags[SEARCH]);
        let two_down = self.brokers.iter().filter(|one| !one.up).count() >= 2;
        let writes = self.lanes.iter().all(|lane| self.is_open(lane));
        let holds = two_down && writes && self.gone == 0;
        self.trials.down.set(holds, cx.now());
        let lags: Vec<u64> = (0..self.lanes.len())
            .map(|l| self.lag_of(SEARCH, l))
            .collect();
        self.trials
            .look(&self.knobs, &lags, &self.groups[SEARCH], cx.now());
    }

    /// Lanes, groups and brokers as they are at the beginning: all there, all empty, all assigned.
    fn begin(&mut self, cx: Cx<'_, '_>) {
        self.age += 1;
        let now = cx.now();
        let cause = cx.cause();
        self.coming.clear();
        (self.written, self.answered, self.gone, self.moved) = (0, 0, 0, 0);
        (self.stuck, self.deepest) = (None, 0);
        self.trials = Trials::default();
        for (b, one) in self.brokers.iter_mut().enumerate() {
            (one.up, one.doomed) = (true, None);
            one.life += 1;
            cx.because(cause);
            let note = Note::new("keeps").with(Arg::Part(broker(b)));
            one.cause = cx.say(note.about(broker(b)));
        }
        self.lanes.clear();
        cx.because(cause);
        self.groups = vec![
            Group::new(CONSUMERS, self.knobs.consumers as usize, now, cause),
            Group::new(1, 1, now, cause),
        ];
        for g in 0..GROUPS {
            cx.because(cause);
            cx.say(Note::new("account-tells").about(account(g)));
            for c in 0..self.groups[g].consumers.len() {
                cx.because(cause);
                let there = self.groups[g].consumers[c].is_up();
                let word = if there { "there" } else { "not-there" };
                let note = Note::new(word).with(name(g, c));
                self.groups[g].consumers[c].cause = cx.say(note.about(reader(g, c)));
            }
        }
        self.grow(self.knobs.lanes as usize, cause, cx);
        for g in 0..GROUPS {
            cx.because(cause);
            self.assign(g, cx);
        }
    }

    /// There are more lanes; never fewer.
    fn grow(&mut self, lanes: usize, cause: NoteId, cx: Cx<'_, '_>) {
        for l in self.lanes.len()..lanes {
            cx.because(cause);
            let mut one = Lane::new(l, cause);
            let at = Arg::Part(broker(one.broker_of(0)));
            let note = Note::new("lane-new").with(number(l)).with(at);
            let said = cx.say(note.about(lane(l)));
            (one.cause, one.grown_at) = (said, cx.now());
            self.lanes.push(one);
            for b in (0..BROKERS).filter(|b| !self.brokers[*b].up) {
                let replica = self.lanes[l].replica_on(b);
                self.lanes[l].replicas.falls_out(replica);
            }
            let up = self.lanes[l].led_by().is_some_and(|b| self.brokers[b].up);
            for group in &mut self.groups {
                group.bookmarks.push(Bookmark::default());
            }
            if !up {
                self.elect(l, said, cx);
            }
        }
    }
}

impl Model for Streams {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Streams {
        let broker = Broker {
            up: true,
            doomed: None,
            life: 0,
            cause: NoteId::NONE,
        };
        let mut streams = Streams {
            lanes: Vec::new(),
            brokers: [broker; BROKERS],
            groups: Vec::new(),
            coming: VecDeque::new(),
            written: 0,
            answered: 0,
            gone: 0,
            moved: 0,
            age: 0,
            source: Source::default(),
            sticky: Sticky::default(),
            zipf: Zipf::new(USERS, knobs.skew),
            refusals: Marks::default(),
            knobs: knobs.clone(),
            stuck: None,
            deepest: 0,
            trials: Trials::default(),
            now: cx.now(),
        };
        streams.begin(cx);
        cx.because(NoteId::NONE);
        streams.next(cx);
        cx.schedule(CLEAN_EVERY, Event::Clean);
        streams
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        self.expire(cx);
        match event {
            Event::Next(turn) if self.source.is_due(turn) => {
                let user = self.zipf.rank_at(unit(cx.random(WHO))) as u8 + 1;
                cx.because(NoteId::NONE);
                self.click(user.min(USERS as u8), false, cx);
                cx.because(NoteId::NONE);
                self.next(cx);
            }
            Event::Clean => {
                cx.schedule(CLEAN_EVERY, Event::Clean);
                if self.knobs.clean_up == CleanUp::Compact {
                    cx.because(NoteId::NONE);
                    self.compact(cx);
                }
            }
            Event::Of(age, due) if age == self.age => self.on_due(due, cx),
            Event::Next(_) | Event::Of(..) => {}
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let old = std::mem::replace(&mut self.knobs, knobs.clone());
        let now = cx.now();
        let turned = cx.cause();
        if old.skew != knobs.skew {
            self.zipf = Zipf::new(USERS, knobs.skew);
        }
        if let Some((gap, turn)) = self.source.turn(f64::from(knobs.clicks), now) {
            cx.schedule(gap, Event::Next(turn));
        }
        if old.lanes != knobs.lanes {
            self.lanes_turned(knobs.lanes as usize, turned, cx);
        }
        if old.consumers != knobs.consumers {
            self.consumers_turned(knobs.consumers as usize, cx);
        }
        if old.assignor != knobs.assignor {
            cx.because(turned);
            self.rebalance(SEARCH, cx);
        }
        for g in 0..GROUPS {
            self.groups[g].rate.restart(now);
            for c in 0..self.groups[g].consumers.len() {
                self.due(Time::ZERO, Due::Late(g, c), cx);
            }
        }
        self.trials.turned(now);
        cx.empty_windows();
        for l in 0..self.lanes.len() {
            self.advance(l, cx);
            self.write(l, cx);
        }
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        let search = &self.groups[SEARCH].consumers;
        let fit = |c: usize| {
            let one = search.get(c);
            one.is_some_and(|one| one.is_up() && one.hung.is_none() && one.doomed.is_none())
        };
        let broker = self.brokers.get(act.target);
        match act.spec {
            0 | 1 => fit(act.target),
            2 => search.iter().any(|one| one.is_up()),
            4 => broker.is_some_and(|one| one.up && one.doomed.is_none()),
            5 => broker.is_some_and(|one| !one.up),
            _ => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let can = |target: usize| self.can(Act { spec, target });
        match spec {
            0 | 1 => aim(1, CONSUMERS, can),
            4 => aim(self.lanes[0].led_by().unwrap_or(0), BROKERS, can),
            5 => aim(0, BROKERS, can),
            _ => 0,
        }
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        let c = act.target.min(CONSUMERS - 1);
        match act.spec {
            0 => {
                let note = Note::new("will-crash").with(name(SEARCH, c));
                let said = cx.say(note.about(reader(SEARCH, c)).mark(Tone::Learner));
                let one = &mut self.groups[SEARCH].consumers[c];
                one.doomed = Some(cx.now() + DOOM_READER);
                one.cause = said;
                self.due(DOOM_READER, Due::Crash(c), cx);
            }
            1 => self.hang(c, cx),
            2 => self.sleep(cx),
            3 => self.rewind(cx),
            4 => {
                let b = act.target.min(BROKERS - 1);
                let note = Note::new("will-die").with(Arg::Part(broker(b)));
                self.brokers[b].cause = cx.say(note.about(broker(b)).mark(Tone::Learner));
                self.brokers[b].doomed = Some(cx.now() + DOOM);
                self.due(DOOM, Due::Dies(b), cx);
            }
            5 => self.revive(act.target.min(BROKERS - 1), cx),
            6 => {
                let note = Note::new("celebrity").with(count(CELEBRITY.0));
                cx.say(
                    note.with(count(CELEBRITY.1))
                        .about(SHOP)
                        .mark(Tone::Learner),
                );
                self.due(Time::ZERO, Due::Burst(CELEBRITY.1), cx);
            }
            7 => {
                cx.say(Note::new("you-compact").mark(Tone::Learner));
                self.compact(cx);
            }
            8 => {
                let note = Note::new("you-forget").with(count(FORGOTTEN));
                cx.say(note.about(SHOP).mark(Tone::Learner));
                self.click(FORGOTTEN, true, cx);
            }
            9 => {
                cx.say(Note::new("begins").about(SHOP).mark(Tone::Learner));
                self.begin(cx);
                cx.empty_windows();
            }
            _ => {}
        }
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        let records: usize = self.lanes.iter().map(|lane| lane.log.len() * 32).sum();
        records + self.groups.iter().map(Group::bytes).sum::<usize>()
    }

    fn audit(&self) -> Result<(), String> {
        let ends: Vec<u64> = self.lanes.iter().map(|lane| lane.log.end()).collect();
        let marks: Vec<u64> = self.lanes.iter().map(Lane::watermark).collect();
        for group in &self.groups {
            group.audit(&ends, &marks)?;
        }
        for (l, lane) in self.lanes.iter().enumerate() {
            let replicas = &lane.replicas;
            let in_sync = (0..BROKERS).filter(|replica| replicas.in_sync[*replica]);
            let least = in_sync.map(|replica| replicas.ends[replica]).min();
            if least.is_none_or(|least| least < marks[l]) {
                return Err(format!("lane {l}: the watermark is above an end in sync"));
            }
            let all = || lane.log.read(0, u64::MAX);
            if all()
                .zip(all().skip(1))
                .any(|(one, next)| next.offset <= one.offset)
            {
                return Err(format!("lane {l}: offsets are out of order"));
            }
        }
        let pending: usize = self.lanes.iter().map(|lane| lane.pending.len()).sum();
        let told = ends.iter().sum::<u64>() + self.gone + (pending + self.coming.len()) as u64;
        if u64::from(self.written) != told {
            return Err(format!("{} clicks, {told} accounted for", self.written));
        }
        Ok(())
    }
}

impl Streams {
    fn on_due(&mut self, due: Due, cx: Cx<'_, '_>) {
        match due {
            Due::Burst(left) => {
                self.click(CELEBRITY.0, false, cx);
                if left > 1 {
                    self.due(CELEBRITY.2, Due::Burst(left - 1), cx);
                }
            }
            Due::Arrives => {
                if let Some((click, l, _)) = self.coming.pop_front() {
                    self.lanes[l].pending.push_back(click);
                    self.write(l, cx);
                }
            }
            Due::Retry(l) => {
                self.lanes[l].trying = false;
                self.write(l, cx);
            }
            Due::Copied(l, replica, upto, reign) => {
                if self.lanes[l].reign == reign {
                    self.copied(l, replica, upto, cx);
                }
            }
            Due::Dies(b) => {
                if self.brokers[b].doomed.is_some_and(|at| at <= cx.now()) {
                    self.kill_broker(b, cx);
                }
            }
            Due::Noticed(b, life) if self.brokers[b].life == life => self.noticed(b, cx),
            Due::Behind(b, life) if self.brokers[b].life == life => self.falls_out(b, cx),
            Due::Noticed(..) | Due::Behind(..) => {}
            Due::Poll(g, c, turn) => {
                if self.groups[g].consumers[c].turn == turn {
                    self.groups[g].consumers[c].asked = false;
                    self.poll(g, c, cx);
                }
            }
            Due::Worked(g, c, turn) => {
                if self.groups[g].consumers[c].turn == turn {
                    self.worked(g, c, cx);
                }
            }
            Due::Late(g, c) => self.late(g, c, cx),
            Due::Crash(c) => {
                let one = &self.groups[SEARCH].consumers[c];
                if one.doomed.is_some_and(|at| at <= cx.now()) {
                    self.crash(c, cx);
                }
            }
            Due::Silent(c, turn) => self.silent(c, turn, cx),
            Due::Wake(g) => self.wake(g, cx),
            Due::Timeout(g, turn) => self.timeout(g, turn, cx),
            Due::Assigned(g, turn) => {
                if self.groups[g].turn == turn {
                    self.assign(g, cx);
                }
            }
        }
    }

    fn lanes_turned(&mut self, lanes: usize, turned: NoteId, cx: Cx<'_, '_>) {
        let before = self.lanes.len();
        if lanes < before {
            cx.because(turned);
            let note = Note::new("never-fewer").with(count(before));
            cx.say(note.about(SHOP).mark(Tone::Warn));
            return;
        }
        self.grow(lanes, turned, cx);
        if lanes > before {
            let moves = |user: &u8| home(*user, before) != home(*user, lanes);
            self.moved = (1..=USERS as u8).filter(moves).count();
            cx.because(turned);
            for g in 0..GROUPS {
                cx.because(turned);
                self.rebalance(g, cx);
            }
        }
    }

    fn consumers_turned(&mut self, consumers: usize, cx: Cx<'_, '_>) {
        let turned = cx.cause();
        for c in 0..CONSUMERS {
            let there = self.groups[SEARCH].consumers[c].there;
            cx.because(turned);
            if c < consumers && there == There::Not {
                let note = Note::new("starts").with(name(SEARCH, c));
                let said = cx.say(note.with(Arg::Span(BOOT)).about(reader(SEARCH, c)));
                let one = &mut self.groups[SEARCH].consumers[c];
                one.there = There::Starting(cx.now() + BOOT);
                one.cause = said;
                self.due(BOOT, Due::Wake(SEARCH), cx);
            } else if c >= consumers && there != There::Not {
                self.leave(SEARCH, c, There::Not, "leaves", cx);
            }
        }
    }
}
