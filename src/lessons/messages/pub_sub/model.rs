//! The system: a publisher, a topic that copies each price to every subscriber, and a buffer for each of these.

use super::probe;
use super::settings::{Full, Push, Settings, Sorted};
use super::subscriber::{
    ALERTS, Fate, LATECOMER, Lost, PHONE, Price, SCREEN, SLOW, SUBSCRIBERS, Subscriber,
};
use algorithms::output_buffer::{Limits, Pushed};
use algorithms::topic::{Attributes, DeliveryId, Scalar, Topic};
use engine::random::unit;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use kit::flow::{Balance, Holds, Key, Leg, Recently, Slab, Source};
use std::collections::VecDeque;

pub(super) const PUBLISHER: PartId = PartId::one("publisher");
pub(super) const TOPIC: PartId = PartId::one("topic");
pub(super) const DOOR: PartId = PartId::one("door");
pub(super) const ROWS: PartId = PartId::one("rows");

/// One way along one link, stretched so that it can be seen.
pub(super) const HOP: Time = Time::ms(120);
/// Symbols that prices are of: fewer than any buffer has places.
const SYMBOLS: [&str; 4] = ["AAA", "BBB", "XYZ", "ZED"];
/// How many prices a burst brings, and the time between two of them.
pub(super) const BURST: u32 = 100;
const BURST_GAP: Time = Time::ms(5);
/// How long somebody who is taken away stays away, and how long somebody who is slowed down stays slow.
pub(super) const AWAY: Time = Time::s(3);
const SLOWED: Time = Time::s(6);
/// So many of the last prices are remembered with what became of them.
const PRICES: usize = 300;
/// Rates on cards are of so long.
pub(super) const LATELY: Time = Time::s(3);

const JITTER: Stream = Stream::named("jitter");
const CONTENT: Stream = Stream::named("content");

/// Where a copy is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// In the buffer of its subscriber.
    Waits,
    /// On its way to the subscriber, or what that answers on its way back.
    Travels(Leg<()>),
    /// With the subscriber, whose turn with it lasts this long.
    Handled { from: Time, to: Time },
}

/// A copy of a price for one subscriber, or an answer to one.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) price: u32,
    pub(super) to: usize,
    pub(super) place: Place,
    /// Pushed to an address, of which the topic keeps an account.
    pub(super) delivery: Option<DeliveryId>,
    pub(super) failed: bool,
    pub(super) cause: NoteId,
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next price, if the source's turn is still this one.
    Next(u32),
    /// So many prices of a burst are left.
    Burst(u32),
    /// A price reaches the topic.
    Reaches,
    /// A copy is at the end of its way or of its work.
    Due(Key),
    /// A subscriber's connection takes the next copy.
    Drain(usize),
    /// The soft limit's time may be over.
    Soft(usize),
    /// A subscriber is back, if it has not come and gone since.
    Back(usize, u32),
    /// A subscriber is as fast as before.
    Well(usize, u32),
    /// The topic may push again.
    Push,
    /// A push has had no answer.
    NoAnswer(usize, DeliveryId),
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Market {
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) copies: Slab<Copy>,
    gone: u64,
    /// The last prices that reached the topic, numbered in a row.
    pub(super) prices: VecDeque<Price>,
    /// On their way to the topic, with when each was sent.
    pub(super) coming: VecDeque<(u32, Leg<()>)>,
    /// Drawn with a price; what belongs to those that are coming.
    drafts: VecDeque<Price>,
    /// At the topic, which may not copy them as long as a buffer is full.
    pub(super) held: VecDeque<Price>,
    pub(super) topic: Topic<u32>,
    /// When the topic is to be asked again for pushes.
    pub(super) push_at: Option<Time>,
    source: Source,
    published: u32,
    /// Subscribers to whom the last price was written.
    pub(super) answered: u32,
    /// The publisher has a price that it may not send yet.
    owed: bool,
    pub(super) blocked: Holds,
    /// How often the publisher had to wait since a knob was turned.
    pub(super) stopped: u32,
    pub(super) sent: Recently<1>,
    /// The next answer of this subscriber is lost.
    pub(super) lose_answer: Option<usize>,
    pub(super) load: f64,
    pub(super) full: Full,
    pub(super) push: Push,
    pub(super) filter: Sorted,
    pub(super) limits: Limits,
    /// Shares and counts are of the time since this moment: the start, the last turn of a knob, the last restart.
    pub(super) since: Time,
    /// The first price that counts in them.
    from: u32,
    pub(super) burst_at: Option<Time>,
    pub(super) now: Time,
}

pub(super) type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) const fn subscriber(i: usize) -> PartId {
    PartId::nth("subscriber", i as u16 + 1)
}

pub(super) const fn buffer(i: usize) -> PartId {
    PartId::nth("buffer", i as u16 + 1)
}

pub(super) fn link(i: usize) -> PartId {
    PartId::nth("link", i as u16 + 1)
}

pub(super) fn name(i: usize) -> Arg {
    Arg::Part(subscriber(i))
}

pub(super) fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

impl Market {
    fn gap(knobs: &Settings, cx: Cx<'_, '_>) -> Time {
        let jitter = 0.9 + 0.2 * unit(cx.random(JITTER));
        Time::from_s(jitter / f64::from(knobs.load))
    }

    /// The next price is due after a gap.
    fn next(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let gap = Self::gap(knobs, cx);
        let turn = self.source.next(self.load, gap, cx.now());
        cx.schedule(gap, Event::Next(turn));
    }

    fn publish(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.published += 1;
        let number = self.published;
        let content = cx.random(CONTENT);
        let symbol = (unit(content) * SYMBOLS.len() as f64) as usize % SYMBOLS.len();
        let alert = unit(content) * 100.0 < f64::from(knobs.share);
        let cents = 5_000 + (unit(content) * 15_000.0) as u32;
        let word = if alert {
            "publishes-alert"
        } else {
            "publishes"
        };
        let note = Note::new(word).with(count(number));
        let cause = cx.say(note.about(PUBLISHER).dot(number));
        self.sent.add(0, cx.now());
        self.drafts.push_back(Price {
            number,
            symbol,
            alert,
            cents,
            at: cx.now(),
            cause,
            fates: [Fate::Absent; SUBSCRIBERS],
        });
        self.coming
            .push_back((number, Leg::new((), cx.now(), HOP, false)));
        cx.schedule(HOP, Event::Reaches);
    }

    /// A price is at the topic: it is copied at once, unless the publisher must wait for room.
    fn reaches(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.coming.pop_front();
        let Some(price) = self.drafts.pop_front() else {
            return;
        };
        self.held.push_back(price);
        self.copy(knobs, cx);
    }

    /// Who has no room for another copy.
    fn no_room(&self) -> Option<usize> {
        let full = |one: &Subscriber| one.connected && one.buffer.len() >= self.limits.hard;
        self.subscribers.iter().position(full)
    }

    // region: copy
    /// Copies what the topic holds to everybody who is there.
    fn copy(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        while !self.held.is_empty() {
            if self.full == Full::Wait
                && self.push == Push::Connection
                && let Some(slowest) = self.no_room()
            {
                return self.block(slowest, cx);
            }
            let Some(price) = self.held.pop_front() else {
                return;
            };
            self.hand_out(price, knobs, cx);
        }
        if self.blocked.since().is_some() {
            self.blocked.set(false, cx.now());
            cx.say(Note::new("goes-on").about(PUBLISHER));
        }
        if std::mem::take(&mut self.owed) {
            self.publish(knobs, cx);
            self.next(knobs, cx);
        }
    }
    // endregion

    fn block(&mut self, slowest: usize, cx: Cx<'_, '_>) {
        if self.blocked.since().is_some() {
            return;
        }
        self.blocked.set(true, cx.now());
        self.stopped += 1;
        cx.because(self.subscribers[slowest].cause);
        let note = Note::new("must-wait").with(name(slowest)).about(PUBLISHER);
        cx.say(if self.stopped == 1 {
            note.mark(Tone::Warn)
        } else {
            note
        });
    }

    fn attributes(price: &Price) -> Attributes {
        let text = |text: &str| vec![Scalar::Text(text.to_owned())];
        let kind = if price.alert { "alert" } else { "tick" };
        [
            ("symbol".to_owned(), text(SYMBOLS[price.symbol])),
            ("kind".to_owned(), text(kind)),
            (
                "price".to_owned(),
                vec![Scalar::Number(f64::from(price.cents) / 100.0)],
            ),
        ]
        .into_iter()
        .collect()
    }

    fn hand_out(&mut self, price: Price, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        let (number, symbol) = (price.number, price.symbol);
        let filters = self.filter != Sorted::Nowhere;
        // Nobody reads the attributes of a price unless somebody sorts by them or they go out with it.
        let attributes = match filters || self.push != Push::Connection {
            true => Self::attributes(&price),
            false => Attributes::new(),
        };
        let wanted = !filters || knobs.policy().accepts(&attributes);
        cx.because(price.cause);
        self.prices.push_back(price);
        if self.prices.len() > PRICES {
            self.prices.pop_front();
        }
        let connected = |one: &&Subscriber| one.joined && one.connected;
        self.answered = self.subscribers.iter().filter(connected).count() as u32;
        let told = Note::new("copies").with(count(number));
        let told = cx.say(told.with(count(self.answered)).about(TOPIC).dot(number));
        if self.push != Push::Connection {
            let copies = self.topic.publish(now.0, &number, &attributes);
            self.answered = copies.len() as u32;
            for i in 0..SUBSCRIBERS {
                let Some(id) = self.subscribers[i].subscription else {
                    continue;
                };
                if copies.iter().any(|(subscription, _)| *subscription == id) {
                    self.meant(i, number, wanted);
                    self.fate(number, i, Fate::Waits);
                } else {
                    self.turned_back(i, number, cx);
                }
            }
            return self.pump(cx);
        }
        for i in 0..SUBSCRIBERS {
            cx.because(told);
            let one = &self.subscribers[i];
            if !one.joined {
                continue;
            }
            if i == ALERTS && self.filter == Sorted::Here && !wanted {
                self.turned_back(i, number, cx);
                continue;
            }
            self.meant(i, number, wanted);
            if !self.subscribers[i].connected {
                let why = self.subscribers[i].gone;
                cx.because(self.subscribers[i].cause);
                self.lose(i, number, why, cx);
                let note = Note::new("missed").with(count(number)).with(name(i));
                cx.say(note.about(subscriber(i)).dot(number));
                continue;
            }
            self.enqueue(i, number, symbol, told, cx);
        }
    }

    /// A copy is made for somebody.
    fn meant(&mut self, i: usize, number: u32, wanted: bool) {
        let one = &mut self.subscribers[i];
        one.meant += 1;
        if i == ALERTS && self.filter == Sorted::There && !wanted {
            one.unwanted.push_back(number);
        }
    }

    fn turned_back(&mut self, i: usize, number: u32, cx: Cx<'_, '_>) {
        self.fate(number, i, Fate::Aside);
        self.subscribers[i].turned_back = Some((number, cx.now()));
        let note = Note::new("turned-back").with(count(number)).with(name(i));
        cx.say(note.about(buffer(i)).dot(number));
    }

    fn enqueue(&mut self, i: usize, number: u32, symbol: usize, cause: NoteId, cx: Cx<'_, '_>) {
        let now = cx.now();
        let key = self.copies.insert(Copy {
            price: number,
            to: i,
            place: Place::Waits,
            delivery: None,
            failed: false,
            cause,
        });
        self.fate(number, i, Fate::Waits);
        let before = self.subscribers[i].buffer.len();
        let was_over = self.subscribers[i].buffer.over_since_us().is_some();
        let (rule, limits) = (self.full.rule(), self.limits);
        let pushed = self.subscribers[i]
            .buffer
            .push(now.0, symbol as u32, key, rule, limits);
        if before > 0 && !matches!(pushed, Pushed::Cut(_) | Pushed::Refused(_)) {
            let note = Note::new("waits").with(count(number)).with(name(i));
            let note = cx.say(note.with(count(before)).about(buffer(i)).dot(number));
            self.subscribers[i].cause = note;
        }
        match pushed {
            Pushed::Kept => {}
            Pushed::Replaced(older) | Pushed::Displaced(older) => {
                self.drop(older, "replaced", cx);
            }
            Pushed::Refused(newest) => self.drop(newest, "dropped", cx),
            Pushed::Cut(all) => self.cut(i, all, cx),
        }
        self.clock(i, was_over, cx);
        self.drain(i, cx);
    }

    /// The stopwatch of the soft limit has started or stopped.
    fn clock(&mut self, i: usize, was_over: bool, cx: Cx<'_, '_>) {
        let over = self.subscribers[i].buffer.cut_due_us(self.limits);
        if self.full != Full::CutOff {
            return;
        }
        match (was_over, over) {
            (false, Some(due)) => {
                let left = Time(due).since(cx.now());
                cx.because(self.subscribers[i].cause);
                let note = Note::new("soft").with(name(i)).with(Arg::Span(left));
                let note = cx.say(note.about(buffer(i)).mark(Tone::Warn));
                self.subscribers[i].cause = note;
                cx.schedule(left, Event::Soft(i));
            }
            (true, None) => {
                cx.say(Note::new("soft-over").with(name(i)).about(buffer(i)));
            }
            _ => {}
        }
    }

    fn soft(&mut self, i: usize, cx: Cx<'_, '_>) {
        let buffer = &mut self.subscribers[i].buffer;
        if self.full == Full::CutOff && buffer.is_too_long(cx.now().0, self.limits) {
            let all = buffer.cut();
            self.cut(i, all, cx);
        }
    }

    /// A subscriber loses its connection and all that waited for it.
    fn cut(&mut self, i: usize, all: Vec<Key>, cx: Cx<'_, '_>) {
        let lost = all.len();
        for key in all {
            let Some(copy) = self.take(key) else { continue };
            self.lose(i, copy.price, Lost::Cut, cx);
        }
        let one = &mut self.subscribers[i];
        one.cuts += 1;
        one.first_cut.get_or_insert(cx.now().since(self.since));
        cx.because(one.cause);
        let note = Note::new("cut").with(name(i)).with(count(lost));
        let cut = cx.say(note.about(subscriber(i)).mark(Tone::Bad));
        self.leave(i, Lost::Cut, cut, self.subscribers[i].reconnect, cx);
        cx.because(cut);
        cx.say(Note::new("emptied").with(name(i)).about(buffer(i)));
    }

    /// A subscriber has no connection for so long.
    fn leave(&mut self, i: usize, why: Lost, cause: NoteId, span: Time, cx: Cx<'_, '_>) {
        let one = &mut self.subscribers[i];
        one.connected = false;
        (one.gone, one.cause) = (why, cause);
        one.life += 1;
        one.back_at = Some(cx.now() + span);
        cx.because(cause);
        cx.say(Note::new("link-down").with(name(i)).about(link(i)));
        cx.because(cause);
        cx.schedule(span, Event::Back(i, one.life));
    }

    fn back(&mut self, i: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let one = &mut self.subscribers[i];
        one.connected = true;
        one.back_at = None;
        one.since_back = 0;
        let word = match self.push {
            Push::Connection => "back",
            Push::Address | Push::DeadLetters => "back-address",
        };
        one.cause = cx.say(Note::new(word).with(name(i)).about(subscriber(i)));
        let cause = one.cause;
        cx.say(Note::new("link-up").with(name(i)).about(link(i)));
        cx.because(cause);
        self.copy(knobs, cx);
    }

    pub(super) fn take(&mut self, key: Key) -> Option<Copy> {
        let copy = self.copies.remove(key)?;
        self.gone += 1;
        Some(copy)
    }

    /// A copy that waited is given up for another.
    fn drop(&mut self, key: Key, word: &'static str, cx: Cx<'_, '_>) {
        let Some(copy) = self.take(key) else { return };
        cx.because(self.subscribers[copy.to].cause);
        let note = Note::new(word).with(count(copy.price)).with(name(copy.to));
        cx.say(note.about(buffer(copy.to)).dot(copy.price));
        self.lose(copy.to, copy.price, Lost::Dropped, cx);
    }

    pub(super) fn lose(&mut self, i: usize, number: u32, why: Lost, cx: Cx<'_, '_>) {
        // It was handled, and only the answer never came.
        if self.fate_of(number, i) == Some(Fate::Handled) {
            return;
        }
        self.subscribers[i].lost[why as usize] += 1;
        self.subscribers[i].lost_since += u32::from(number >= self.from);
        self.subscribers[i].unwanted.retain(|one| *one != number);
        self.fate(number, i, Fate::Lost);
        cx.sample(probe::LOST, 1.0);
    }

    /// Where a price stands among the last ones.
    fn place_of(&self, number: u32) -> Option<usize> {
        let first = self.prices.front()?.number;
        Some(number.checked_sub(first)? as usize)
    }

    fn fate(&mut self, number: u32, i: usize, fate: Fate) {
        let place = self.place_of(number);
        if let Some(price) = place.and_then(|place| self.prices.get_mut(place)) {
            price.fates[i] = fate;
        }
    }

    fn fate_of(&self, number: u32, i: usize) -> Option<Fate> {
        Some(self.prices.get(self.place_of(number)?)?.fates[i])
    }

    // region: drain
    /// Writes to a connection as fast as the subscriber reads.
    fn drain(&mut self, i: usize, cx: Cx<'_, '_>) {
        let one = &mut self.subscribers[i];
        if one.draining || !one.connected {
            return;
        }
        let was_over = one.buffer.over_since_us().is_some();
        let Some(key) = one.buffer.pop(cx.now().0, self.limits) else {
            return;
        };
        one.draining = true;
        cx.schedule(one.pace(), Event::Drain(i));
        self.send(key, cx);
        self.clock(i, was_over, cx);
    }
    // endregion

    /// A copy goes on its way.
    pub(super) fn send(&mut self, key: Key, cx: Cx<'_, '_>) {
        if let Some(copy) = self.copies.get_mut(key) {
            copy.place = Place::Travels(Leg::new((), cx.now(), HOP, false));
            cx.schedule(HOP, Event::Due(key));
        }
    }

    fn due(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(copy) = self.copies.get(key).cloned() else {
            return;
        };
        cx.because(copy.cause);
        match copy.place {
            Place::Waits => {}
            Place::Travels(leg) if leg.back => self.told(key, &copy, cx),
            Place::Travels(_) => self.arrives(key, &copy, cx),
            Place::Handled { .. } => self.handled(key, &copy, cx),
        }
    }

    fn arrives(&mut self, key: Key, copy: &Copy, cx: Cx<'_, '_>) {
        let (i, now) = (copy.to, cx.now());
        if !self.subscribers[i].connected && copy.delivery.is_none() {
            let why = self.subscribers[i].gone;
            self.take(key);
            return self.lose(i, copy.price, why, cx);
        }
        if !self.subscribers[i].connected {
            cx.because(self.subscribers[i].cause);
            let note = Note::new("no-answer").with(count(copy.price)).with(name(i));
            let cause = cx.say(note.about(subscriber(i)).dot(copy.price));
            if let Some(copy) = self.copies.get_mut(key) {
                (copy.failed, copy.cause) = (true, cause);
                copy.place = Place::Travels(Leg::new((), now, HOP, true));
                cx.schedule(HOP, Event::Due(key));
            }
            return;
        }
        if let Some(delivery) = copy.delivery {
            self.say_yes(i, copy, delivery, cx);
        }
        let one = &mut self.subscribers[i];
        let from = one.free_at.max(now);
        let to = from + one.pace();
        one.free_at = to;
        if let Some(copy) = self.copies.get_mut(key) {
            copy.place = Place::Handled { from, to };
            cx.schedule(to.since(now), Event::Due(key));
        }
    }

    fn handled(&mut self, key: Key, copy: &Copy, cx: Cx<'_, '_>) {
        self.take(key);
        let (i, number, now) = (copy.to, copy.price, cx.now());
        let published = self
            .place_of(number)
            .and_then(|place| self.prices.get(place));
        let age = published.map_or(Time::ZERO, |price| now.since(price.at));
        let before = published.map(|price| price.fates[i]);
        let one = &mut self.subscribers[i];
        (one.last, one.age) = (number, age);
        let unwanted = one.unwanted.iter().position(|one| *one == number);
        if let Some(place) = unwanted {
            one.unwanted.remove(place);
            one.thrown += 1;
            one.thrown_since += u32::from(number >= self.from);
            let note = Note::new("thrown-away").with(count(number)).with(name(i));
            cx.say(note.about(subscriber(i)).dot(number));
            return self.fate(number, i, Fate::Aside);
        }
        if before == Some(Fate::Handled) {
            one.twice += 1;
            let note = Note::new("twice").with(count(number)).with(name(i));
            cx.say(note.about(subscriber(i)).dot(number).mark(Tone::Bad));
            return;
        }
        one.handled += 1;
        one.handled_since += u32::from(number >= self.from);
        one.since_back += 1;
        one.done.add(0, now);
        let note = Note::new("handles").with(count(number)).with(name(i));
        cx.say(note.with(Arg::Span(age)).about(subscriber(i)).dot(number));
        self.fate(number, i, Fate::Handled);
        cx.sample(probe::HANDLED, 1.0);
        let probe = match i {
            SCREEN => Some(probe::AGE_SCREEN),
            ALERTS => Some(probe::AGE_ALERTS),
            _ => None,
        };
        if let Some(probe) = probe {
            cx.sample_asked(probe, age.0 as f64, Time(now.since(Time::ZERO).0 - age.0));
        }
    }

    fn follow(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        (self.load, self.full, self.push, self.filter) =
            (f64::from(knobs.load), knobs.full, knobs.push, knobs.filter);
        self.limits = knobs.limits();
        for (i, one) in self.subscribers.iter_mut().enumerate() {
            one.rate = knobs.rate(i);
            one.reconnect = Time::from_s(knobs.reconnect);
            one.buffer.turned(cx.now().0, self.limits);
        }
        self.subscribe(knobs, cx);
    }

    /// From here on it is counted anew.
    fn restart_counts(&mut self, now: Time) {
        (self.since, self.stopped) = (now, 0);
        self.from = self.published + 1;
        for one in &mut self.subscribers {
            (one.thrown_since, one.handled_since, one.lost_since) = (0, 0, 0);
            (one.cuts, one.first_cut) = (0, None);
        }
    }

    /// The topic starts anew: connections and buffers are gone, and who is connected now begins from here.
    fn restart(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let restart = cx.say(Note::new("restarts").about(TOPIC).mark(Tone::Learner));
        for i in 0..SUBSCRIBERS {
            let all = self.subscribers[i].buffer.cut();
            for key in all {
                if let Some(copy) = self.take(key) {
                    self.lose(i, copy.price, Lost::Cut, cx);
                }
            }
            if self.subscribers[i].joined {
                self.subscribers[i].life += 1;
                self.subscribers[i].cause = restart;
                cx.because(restart);
                cx.say(Note::new("emptied").with(name(i)).about(buffer(i)));
                cx.because(restart);
                self.back(i, knobs, cx);
            }
        }
        self.restart_counts(cx.now());
        cx.empty_windows();
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        cx.sample(probe::WAITING_ALERTS, self.waiting(ALERTS) as f64);
        cx.sample(probe::WAITING_PHONE, self.waiting(PHONE) as f64);
    }

    /// For how long the publisher has had to wait now and then.
    pub(super) fn blocked_for(&self, now: Time) -> Time {
        if self.stopped > 0 {
            now.since(self.since)
        } else {
            Time::ZERO
        }
    }

    /// What waits for a subscriber: in its buffer, or to be pushed again.
    pub(super) fn waiting(&self, i: usize) -> usize {
        let one = &self.subscribers[i];
        let pending = one.subscription.and_then(|id| self.topic.subscription(id));
        let due = pending.map_or(0, |one| {
            one.pending().filter(|it| it.due_at_us.is_some()).count()
        });
        one.buffer.len() + due
    }
}

impl Model for Market {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Market {
        let subscribers = (0..SUBSCRIBERS).map(|i| Subscriber::new(i != LATECOMER, cx.now()));
        let mut market = Market {
            subscribers: subscribers.collect(),
            copies: Slab::default(),
            gone: 0,
            prices: VecDeque::new(),
            coming: VecDeque::new(),
            drafts: VecDeque::new(),
            held: VecDeque::new(),
            topic: Topic::new(),
            push_at: None,
            source: Source::default(),
            published: 0,
            answered: 0,
            owed: false,
            blocked: Holds::default(),
            stopped: 0,
            sent: Recently::new(cx.now()),
            lose_answer: None,
            load: 0.0,
            full: Full::CutOff,
            push: Push::Connection,
            filter: Sorted::Nowhere,
            limits: knobs.limits(),
            since: cx.now(),
            from: 1,
            burst_at: None,
            now: cx.now(),
        };
        market.follow(knobs, cx);
        for (word, part) in [("door-leads", DOOR), ("rows-tell", ROWS)] {
            cx.because(NoteId::NONE);
            cx.say(Note::new(word).about(part));
        }
        for i in 0..SUBSCRIBERS {
            let (up, takes) = match i {
                LATECOMER => ("link-none", "not-there"),
                _ => ("link-up", "buffer-takes"),
            };
            cx.because(NoteId::NONE);
            let up = cx.say(Note::new(up).with(name(i)).about(link(i)));
            market.subscribers[i].cause = up;
            cx.say(Note::new(takes).with(name(i)).about(buffer(i)));
            if i == LATECOMER {
                cx.because(up);
                cx.say(Note::new("not-there").with(name(i)).about(subscriber(i)));
            }
        }
        cx.because(NoteId::NONE);
        market.next(knobs, cx);
        market
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Next(turn) if !self.source.is_due(turn) => {}
            Event::Next(_) if !self.held.is_empty() => self.owed = true,
            Event::Next(_) => {
                self.publish(knobs, cx);
                self.next(knobs, cx);
            }
            Event::Burst(left) => {
                self.publish(knobs, cx);
                if left > 1 {
                    cx.schedule(BURST_GAP, Event::Burst(left - 1));
                }
            }
            Event::Reaches => self.reaches(knobs, cx),
            Event::Due(key) => self.due(key, cx),
            Event::Drain(i) => {
                self.subscribers[i].draining = false;
                self.drain(i, cx);
                self.copy(knobs, cx);
            }
            Event::Soft(i) => self.soft(i, cx),
            Event::Back(i, life) if self.subscribers[i].life == life => self.back(i, knobs, cx),
            Event::Back(..) => {}
            Event::Well(i, spell) => {
                if self.subscribers[i].spell == spell && self.subscribers[i].slow {
                    self.subscribers[i].slow = false;
                    cx.say(Note::new("well").with(name(i)).about(subscriber(i)));
                }
            }
            Event::Push => {
                self.push_at = None;
                self.pump(cx);
            }
            Event::NoAnswer(i, delivery) => {
                let pending = self.subscribers[i].subscription;
                let pending = pending.and_then(|id| self.topic.subscription(id));
                let number = pending.and_then(|it| it.pending().find(|it| it.id == delivery));
                if let Some(number) = number.map(|delivery| delivery.body) {
                    self.push_failed(i, delivery, number, cx);
                    self.pump(cx);
                }
            }
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.follow(knobs, cx);
        self.restart_counts(cx.now());
        cx.empty_windows();
        if let Some((gap, turn)) = self.source.turn(self.load, cx.now()) {
            cx.schedule(gap, Event::Next(turn));
        }
        for i in 0..SUBSCRIBERS {
            self.drain(i, cx);
            if let Some(due) = self.subscribers[i].buffer.cut_due_us(self.limits) {
                cx.schedule(Time(due).since(cx.now()), Event::Soft(i));
            }
        }
        self.copy(knobs, cx);
        self.pump(cx);
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        let one = self.subscribers.get(act.target);
        match act.spec {
            0 => one.is_some_and(|one| one.joined && one.connected),
            1 => one.is_some_and(|one| one.joined && !one.slow),
            3 => !self.subscribers[LATECOMER].joined,
            5 => {
                self.push != Push::Connection
                    && self.lose_answer.is_none()
                    && one.is_some_and(|one| one.joined && one.connected)
            }
            _ => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        if spec == 1 { ALERTS } else { PHONE }
    }

    fn on_action(&mut self, act: Act, knobs: &Settings, cx: Cx<'_, '_>) {
        let i = act.target.min(SUBSCRIBERS - 1);
        match act.spec {
            0 => {
                let all = self.subscribers[i].buffer.cut();
                let note = Note::new("away").with(name(i)).with(Arg::Span(AWAY));
                let away = cx.say(note.about(subscriber(i)).mark(Tone::Learner));
                for key in all {
                    if let Some(copy) = self.take(key) {
                        self.lose(i, copy.price, Lost::Away, cx);
                    }
                }
                self.subscribers[i].lost_away_before =
                    self.subscribers[i].lost[Lost::Away as usize];
                self.leave(i, Lost::Away, away, AWAY, cx);
            }
            1 => {
                let one = &mut self.subscribers[i];
                one.slow = true;
                one.spell += 1;
                let note = Note::new("slowed").with(name(i)).with(Arg::Share(SLOW));
                one.cause = cx.say(note.about(subscriber(i)).mark(Tone::Learner));
                cx.schedule(SLOWED, Event::Well(i, one.spell));
            }
            2 => {
                let note = Note::new("burst").with(count(BURST));
                cx.say(note.about(PUBLISHER).mark(Tone::Learner));
                self.burst_at = Some(cx.now());
                self.restart_counts(cx.now());
                cx.schedule(Time::ZERO, Event::Burst(BURST));
            }
            3 => {
                self.subscribers[LATECOMER].joined = true;
                self.subscribers[LATECOMER].connected = true;
                let note = Note::new("joins").with(name(LATECOMER));
                let joins = cx.say(note.about(subscriber(LATECOMER)).mark(Tone::Learner));
                self.subscribers[LATECOMER].cause = joins;
                cx.say(
                    Note::new("link-up")
                        .with(name(LATECOMER))
                        .about(link(LATECOMER)),
                );
                cx.because(joins);
                let takes = Note::new("buffer-takes").with(name(LATECOMER));
                cx.say(takes.about(buffer(LATECOMER)));
                self.subscribe(knobs, cx);
            }
            4 => self.restart(knobs, cx),
            5 => {
                self.lose_answer = Some(i);
                cx.say(
                    Note::new("will-lose")
                        .with(name(i))
                        .about(link(i))
                        .mark(Tone::Learner),
                );
            }
            _ => {}
        }
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        self.copies.bytes() + self.prices.len() * size_of::<Price>()
    }

    fn audit(&self) -> Result<(), String> {
        let mut balance = Balance::default();
        for one in &self.subscribers {
            balance.claim("a buffer", one.buffer.iter().copied());
        }
        balance.check(&self.copies, self.gone, |_, copy| match copy.place {
            Place::Waits => Some("a buffer"),
            Place::Travels(_) | Place::Handled { .. } => None,
        })?;
        for (i, one) in self.subscribers.iter().enumerate() {
            let open = self
                .copies
                .iter()
                .filter(|(_, copy)| copy.to == i && copy.delivery.is_none());
            let topic = one.subscription.and_then(|id| self.topic.subscription(id));
            // What was pushed to an address is accounted for once it is handled or given up.
            let pushed = self.copies.iter().filter(|(_, copy)| {
                let answer = matches!(copy.place, Place::Travels(leg) if leg.back && !copy.failed);
                copy.to == i && copy.delivery.is_some() && !answer
            });
            let lost: u64 = one.lost.iter().sum();
            let done = one.handled + one.thrown + lost + open.count() as u64;
            let (least, most) = match topic {
                Some(topic) => {
                    let pending = topic.pending().len() as u64;
                    (done, done + pending + pushed.count() as u64)
                }
                None => (done, done),
            };
            if !(least..=most).contains(&one.meant) {
                return Err(format!(
                    "subscriber {i}: {} copies were made, {least} to {most} are accounted for",
                    one.meant
                ));
            }
            if let Some(topic) = topic {
                let totals = topic.totals();
                let told = totals.delivered + totals.dead_lettered + totals.discarded;
                if totals.accepted != told + topic.pending().len() as u64 {
                    return Err(format!("subscriber {i}: the topic's totals differ"));
                }
            }
        }
        Ok(())
    }
}
