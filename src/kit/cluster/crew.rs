//! The shell: nodes with clocks, disks and pauses, and the messages that are under way between them.

use super::net::{Dice, Event, Fate, Net};
use crate::flow::{Key, Slab};
use algorithms::protocol::{Id, Out, OutOf, Protocol, Wind};
use engine::tape::NoteId;
use engine::{Context, Glyph, Ink, Time};
use rand::Rng;
use std::collections::VecDeque;

/// So many messages that have ended are remembered, for the sequence chart.
const PAST_MAX: usize = 160;

/// What a lesson adds to a protocol, so that it can run in a network and be seen.
pub trait Face: Protocol {
    /// What of a node is compared before and after an event, to tell what has changed: a small summary.
    type Brief: Copy + PartialEq;

    /// The summary of a node.
    fn brief(&self, node: &Self::Node) -> Self::Brief;

    /// So many microseconds are one unit of the protocol's times.
    const UNIT: u64 = 1;

    /// Whether each link has a stream of random numbers of its own. Among many nodes, where links are thousands, each node has
    /// one for all that it sends.
    const OWN_LINKS: bool = true;

    /// How long a word is under way; `dice` are that message's own.
    fn travel(&self, word: &Self::Word, dice: &mut Dice) -> Time;

    /// How a word looks; none if it is sent and not drawn.
    fn look(word: &Self::Word) -> Option<(Glyph, Ink)>;

    /// The number by which a message is asked about: its own, or that of a request which several messages belong to. Actions on
    /// messages know them by their own.
    fn dot(_between: (Id, Id), _word: &Self::Word, own: u32) -> u32 {
        own
    }
}

/// A clock of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// When it was wound.
    pub wound: Time,
    /// When it ends; [`Time::NEVER`] if it stands still.
    pub ends: Time,
    turn: u32,
}

impl Clock {
    /// How much of it is left, 1 to 0; none if it stands still.
    pub fn left(&self, at: Time) -> Option<f32> {
        (self.ends < Time::NEVER).then(|| 1.0 - at.progress(self.wound, self.ends))
    }
}

/// What waits for a node that is paused.
#[derive(Clone, Debug)]
enum Held<W> {
    Heard(Id, W, NoteId),
    Rang { clock: u8, turn: u32 },
}

/// A place for a node, and what is in it.
#[derive(Clone, Debug)]
pub struct Member<P: Protocol> {
    /// The node; none while it is down.
    pub node: Option<P::Node>,
    /// Since when it is down.
    pub down: Option<Time>,
    /// Since when it is paused: it does nothing, and what reaches it waits.
    pub paused: Option<Time>,
    disk: Option<P::Disk>,
    clocks: Vec<(P::Timer, Clock)>,
    held: VecDeque<Held<P::Word>>,
}

/// A message under way.
#[derive(Clone, Debug)]
pub struct Flight<W> {
    /// Who sent it.
    pub from: Id,
    /// To whom.
    pub to: Id,
    /// What it says.
    pub word: W,
    /// When it left.
    pub leaves: Time,
    /// When it arrives, or would.
    pub arrives: Time,
    /// The share of its way at which it is lost.
    pub lost: Option<f32>,
}

impl<W> Flight<W> {
    /// How far it has come at a moment, 0 to 1; no further than where it is lost.
    pub fn share(&self, at: Time) -> f32 {
        let share = at.progress(self.leaves, self.arrives);
        self.lost.map_or(share, |lost| share.min(lost))
    }

    /// Whether it is lost by a moment.
    pub fn is_lost(&self, at: Time) -> bool {
        let share = at.progress(self.leaves, self.arrives);
        self.lost.is_some_and(|lost| share >= lost)
    }
}

/// A message that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Past {
    /// Who sent it.
    pub from: Id,
    /// To whom.
    pub to: Id,
    /// When it left.
    pub leaves: Time,
    /// When it arrived, or would have.
    pub arrives: Time,
    /// The share of its way at which it was lost; all of it if nobody was there to hear it.
    pub lost: Option<f32>,
    /// How it looked.
    pub look: Option<(Glyph, Ink)>,
    /// Its dot.
    pub dot: u32,
}

/// Why a node did something.
#[derive(Clone, Debug, PartialEq)]
pub enum Spur<W, T> {
    /// It started.
    Booted,
    /// It heard a word from another.
    Heard(Id, W),
    /// A clock of its own ended.
    Rang(T),
    /// A client asked it.
    Asked,
}

/// A node has done something: what made it, what it was before, and what it wants sent.
#[derive(Clone, Debug)]
pub struct Turn<P: Face> {
    /// Which node.
    pub at: Id,
    /// Why.
    pub spur: Spur<P::Word, P::Timer>,
    /// What it was before; none if it has just started.
    pub was: Option<P::Brief>,
    /// What it wants done.
    pub out: OutOf<P>,
}

/// Nodes, network, and what is under way.
#[derive(Clone)]
pub struct Cluster<P: Face> {
    /// The rules, with their settings; they may change while the cluster runs.
    pub protocol: P,
    /// The network.
    pub net: Net,
    members: Vec<Member<P>>,
    flights: Slab<Flight<P::Word>>,
    past: VecDeque<Past>,
    turns: u32,
    /// Messages that reached a node, that were lost, and that found nobody.
    heard: u64,
    lost: u64,
    missed: u64,
}

type Cx<'a, 'b, E> = &'a mut Context<'b, E>;

/// The place of a node in lists.
fn place(id: Id) -> usize {
    usize::from(id).saturating_sub(1)
}

impl<P: Face> Cluster<P> {
    /// Places for so many nodes, all of them down.
    pub fn new(protocol: P, size: usize) -> Cluster<P> {
        let empty = || Member {
            node: None,
            down: Some(Time::ZERO),
            paused: None,
            disk: None,
            clocks: Vec::new(),
            held: VecDeque::new(),
        };
        Cluster {
            protocol,
            net: Net::new(size),
            members: (0..size).map(|_| empty()).collect(),
            flights: Slab::default(),
            past: VecDeque::new(),
            turns: 0,
            heard: 0,
            lost: 0,
            missed: 0,
        }
    }

    /// How many places there are.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// A place; nodes count from 1.
    pub fn member(&self, id: Id) -> Option<&Member<P>> {
        self.members.get(place(id))
    }

    /// A node, if it is up.
    pub fn node(&self, id: Id) -> Option<&P::Node> {
        self.member(id)?.node.as_ref()
    }

    /// All nodes that are up, by number.
    pub fn nodes(&self) -> impl Iterator<Item = (Id, &P::Node)> {
        let up = |(at, member)| Some((at, Member::node_of(member)?));
        (1..).zip(&self.members).filter_map(up)
    }

    /// Whether a node is up.
    pub fn is_up(&self, id: Id) -> bool {
        self.node(id).is_some()
    }

    /// Whether a node runs: up, and not paused.
    pub fn runs(&self, id: Id) -> bool {
        let runs = |member: &Member<P>| member.node.is_some() && member.paused.is_none();
        self.member(id).is_some_and(runs)
    }

    /// What is written on a node's disk, whether it is up or down.
    pub fn disk(&self, id: Id) -> Option<P::Disk> {
        let member = self.member(id)?;
        match &member.node {
            Some(node) => Some(self.protocol.disk(node)),
            None => member.disk.clone(),
        }
    }

    /// A clock of a node, if it was ever wound.
    pub fn clock(&self, id: Id, timer: P::Timer) -> Option<Clock> {
        let clocks = &self.member(id)?.clocks;
        let found = clocks.iter().find(|(of, _)| *of == timer);
        found.map(|(_, clock)| *clock)
    }

    /// What is under way.
    pub fn flights(&self) -> impl Iterator<Item = (Key, &Flight<P::Word>)> {
        self.flights.iter()
    }

    /// The dot that the next message will have.
    pub fn next_dot(&self) -> u32 {
        self.flights.born() + 1
    }

    /// What has arrived or was lost, oldest first, as far as it is remembered.
    pub fn past(&self) -> impl Iterator<Item = &Past> {
        self.past.iter()
    }

    /// About how many bytes it takes on the heap beside what nodes have.
    pub fn bytes(&self) -> usize {
        self.flights.bytes() + self.past.len() * size_of::<Past>()
    }

    /// A node starts, for the first time or with what is on its disk. None if it runs already or there is no such place.
    pub fn boot(&mut self, id: Id) -> Option<Turn<P>> {
        let member = self.members.get_mut(place(id))?;
        if member.node.is_some() {
            return None;
        }
        let mut out = Out::default();
        let node = self.protocol.boot(id, member.disk.take(), &mut out);
        (member.node, member.down, member.paused) = (Some(node), None, None);
        Some(Turn {
            at: id,
            spur: Spur::Booted,
            was: None,
            out,
        })
    }

    /// A node stops. Its disk keeps what it has written; what waits for it is lost. False if it is down already.
    pub fn crash(&mut self, id: Id, now: Time) -> bool {
        let Some(member) = self.members.get_mut(place(id)) else {
            return false;
        };
        let Some(node) = member.node.take() else {
            return false;
        };
        member.disk = Some(self.protocol.disk(&node));
        (member.down, member.paused) = (Some(now), None);
        member.clocks.clear();
        self.missed += member.waiting();
        member.held.clear();
        true
    }

    /// The disk of a node that is down is gone. False if there was none to lose.
    pub fn lose_disk(&mut self, id: Id) -> bool {
        let member = self.members.get_mut(place(id));
        member.is_some_and(|member| member.disk.take().is_some())
    }

    /// A node stands still: it neither hears nor rings until it goes on. False if it does not run.
    pub fn pause(&mut self, id: Id, now: Time) -> bool {
        let runs = self.runs(id);
        if let Some(member) = self.members.get_mut(place(id)).filter(|_| runs) {
            member.paused = Some(now);
        }
        runs
    }

    /// A node goes on; the turns are what it now does about all that has waited for it, to be told and carried in order, each
    /// before the next is taken ([`Cluster::next_held`]). False if it was not paused.
    pub fn resume(&mut self, id: Id) -> bool {
        let member = self.members.get_mut(place(id));
        member.is_some_and(|member| member.paused.take().is_some())
    }

    /// The next of what has waited for a node that was paused; none once there is no more.
    pub fn next_held<E>(&mut self, id: Id, cx: Cx<'_, '_, E>) -> Option<Turn<P>> {
        loop {
            let member = self.members.get_mut(place(id))?;
            if member.paused.is_some() {
                return None;
            }
            match member.held.pop_front()? {
                Held::Heard(from, word, cause) => {
                    cx.because(cause);
                    self.heard += 1;
                    return self.hear(id, from, word);
                }
                Held::Rang { clock, turn } => {
                    let turn = self.rang(id, clock, turn);
                    if turn.is_some() {
                        return turn;
                    }
                }
            }
        }
    }

    /// Cuts these nodes off from all others: messages that are not yet half way are lost.
    pub fn part(&mut self, side: &[Id], now: Time) {
        self.net.part(side);
        self.cut_flights(now);
    }

    /// Cuts a link in both directions, or mends it.
    pub fn cut_link(&mut self, a: Id, b: Id, cut: bool, now: Time) {
        self.net.block(a, b, cut);
        self.net.block(b, a, cut);
        self.cut_flights(now);
    }

    fn cut_flights(&mut self, now: Time) {
        let keys: Vec<Key> = self.flights.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(flight) = self.flights.get_mut(key)
                && !self.net.reaches(flight.from, flight.to)
                && flight.share(now) < 0.5
            {
                flight.lost = Some(0.5);
            }
        }
    }

    /// Messages under way that are asked about by this dot: one, or all that belong to a request.
    fn of_dot(&self, dot: u32) -> impl Iterator<Item = (Key, &Flight<P::Word>)> {
        let dot_of = |key: Key, flight: &Flight<P::Word>| {
            P::dot((flight.from, flight.to), &flight.word, key.serial())
        };
        let under_way = self
            .flights
            .iter()
            .filter(|(_, flight)| flight.lost.is_none());
        under_way.filter(move |(key, flight)| dot_of(*key, flight) == dot)
    }

    /// The dot of what was sent last and is under way.
    pub fn newest_dot(&self) -> Option<u32> {
        let seen = |(_, flight): &(Key, &Flight<P::Word>)| {
            flight.lost.is_none() && P::look(&flight.word).is_some()
        };
        let drawn = self.flights.iter().filter(seen);
        let (key, flight) = drawn.max_by_key(|(key, _)| key.serial())?;
        Some(P::dot((flight.from, flight.to), &flight.word, key.serial()))
    }

    /// Whether anything of this dot is under way.
    pub fn has_dot(&self, dot: u32) -> bool {
        self.of_dot(dot).next().is_some()
    }

    /// A learner loses what is under way of a dot, or holds it up: it stands still for so long. How many messages, and the first
    /// one's sender and receiver; none if there are none.
    pub fn by_hand<E: From<Event>>(
        &mut self,
        dot: u32,
        hold: Option<Time>,
        cx: Cx<'_, '_, E>,
    ) -> Option<(usize, Id, Id)> {
        let keys: Vec<Key> = self.of_dot(dot).map(|(key, _)| key).collect();
        let first = self.flights.get(*keys.first()?)?;
        let told = (keys.len(), first.from, first.to);
        for key in keys {
            match hold {
                Some(by) => self.delay(key, by, cx),
                None => self.lose(key, cx.now()),
            }
        }
        Some(told)
    }

    /// A message under way is lost where it is.
    pub fn lose(&mut self, key: Key, now: Time) {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.lost = Some(flight.share(now));
        }
    }

    /// A message arrives so much later: it stands still for so long.
    pub fn delay<E: From<Event>>(&mut self, key: Key, by: Time, cx: Cx<'_, '_, E>) {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.arrives += by;
            cx.schedule(flight.arrives.since(cx.now()), Event::Land(key).into());
        }
    }

    /// What is due: a node hears, or one of its clocks ends. None if nothing comes of it: the message is lost, the node is down
    /// or paused, or the clock was wound anew.
    pub fn on_event<E>(&mut self, event: Event, cx: Cx<'_, '_, E>) -> Option<Turn<P>> {
        match event {
            Event::Land(key) => self.land(key, cx),
            Event::Ring { node, clock, turn } => {
                let member = self.members.get_mut(place(node))?;
                if member.paused.is_some() {
                    member.held.push_back(Held::Rang { clock, turn });
                    return None;
                }
                self.rang(node, clock, turn)
            }
        }
    }

    fn land<E>(&mut self, key: Key, cx: Cx<'_, '_, E>) -> Option<Turn<P>> {
        // Held up, it arrives later than it was to.
        if self.flights.get(key)?.arrives > cx.now() {
            return None;
        }
        let flight = self.flights.remove(key)?;
        let member = self.members.get_mut(place(flight.to));
        let there = member.filter(|member| member.node.is_some());
        let lost = flight.lost.or(there.is_none().then_some(1.0));
        if self.past.len() == PAST_MAX {
            self.past.pop_front();
        }
        self.past.push_back(Past {
            from: flight.from,
            to: flight.to,
            leaves: flight.leaves,
            arrives: flight.arrives,
            lost,
            look: P::look(&flight.word),
            dot: P::dot((flight.from, flight.to), &flight.word, key.serial()),
        });
        if flight.lost.is_some() {
            self.lost += 1;
            return None;
        }
        let Some(member) = there else {
            self.missed += 1;
            return None;
        };
        if member.paused.is_some() {
            let held = Held::Heard(flight.from, flight.word, cx.cause());
            member.held.push_back(held);
            return None;
        }
        self.heard += 1;
        self.hear(flight.to, flight.from, flight.word)
    }

    fn hear(&mut self, id: Id, from: Id, word: P::Word) -> Option<Turn<P>> {
        let node = self.members.get_mut(place(id))?.node.as_mut()?;
        let was = self.protocol.brief(node);
        let mut out = Out::default();
        self.protocol.hear(node, from, word.clone(), &mut out);
        Some(Turn {
            at: id,
            spur: Spur::Heard(from, word),
            was: Some(was),
            out,
        })
    }

    fn rang(&mut self, id: Id, clock: u8, turn: u32) -> Option<Turn<P>> {
        let member = self.members.get_mut(place(id))?;
        let (timer, clock) = member.clocks.get_mut(usize::from(clock))?;
        if clock.turn != turn || member.node.is_none() {
            return None;
        }
        clock.ends = Time::NEVER;
        let timer = *timer;
        self.ring(id, timer)
    }

    /// A clock of a node ends now, by hand. None if the node does not run.
    pub fn force(&mut self, id: Id, timer: P::Timer) -> Option<Turn<P>> {
        self.runs(id).then(|| self.ring(id, timer)).flatten()
    }

    fn ring(&mut self, id: Id, timer: P::Timer) -> Option<Turn<P>> {
        let node = self.members.get_mut(place(id))?.node.as_mut()?;
        let was = self.protocol.brief(node);
        let mut out = Out::default();
        self.protocol.ring(node, timer, &mut out);
        Some(Turn {
            at: id,
            spur: Spur::Rang(timer),
            was: Some(was),
            out,
        })
    }

    /// A client asks a node; whether it took it on, and what it does. None if the node does not run.
    pub fn ask(&mut self, id: Id, what: P::Ask) -> Option<(bool, Turn<P>)> {
        if !self.runs(id) {
            return None;
        }
        let node = self.members.get_mut(place(id))?.node.as_mut()?;
        let was = self.protocol.brief(node);
        let mut out = Out::default();
        let taken = self.protocol.ask(node, what, &mut out);
        let turn = Turn {
            at: id,
            spur: Spur::Asked,
            was: Some(was),
            out,
        };
        Some((taken, turn))
    }

    /// Does what a node wants done: winds its clocks and sends its messages, in the chain of what was said last. Returns the
    /// dots of the messages, in their order.
    pub fn carry<E: From<Event>>(&mut self, turn: Turn<P>, cx: Cx<'_, '_, E>) -> Vec<u32> {
        let from = turn.at;
        for (timer, wind) in turn.out.wound {
            self.wind(from, timer, wind, cx);
        }
        let mut dots = Vec::with_capacity(turn.out.sent.len());
        for (to, word) in turn.out.sent {
            // Its own dice, of which it may draw as many as it likes without moving those of the next.
            let stream = match P::OWN_LINKS {
                true => Net::link(from, to),
                false => Net::sender(from),
            };
            let drawn = cx.random(stream).next_u64();
            let mut dice = Dice::new(drawn, u64::from(from) * 64 + u64::from(to));
            let fate = self.net.fate(from, to, &mut dice);
            let repeats = self.net.repeats(&mut dice);
            if repeats {
                self.send(from, to, word.clone(), fate, &mut dice, cx);
            }
            dots.push(self.send(from, to, word, fate, &mut dice, cx));
        }
        dots
    }

    fn send<E: From<Event>>(
        &mut self,
        from: Id,
        to: Id,
        word: P::Word,
        fate: Fate,
        dice: &mut Dice,
        cx: Cx<'_, '_, E>,
    ) -> u32 {
        let travel = self.protocol.travel(&word, dice) + self.net.extra(from, to);
        let key = self.flights.insert(Flight {
            from,
            to,
            word,
            leaves: cx.now(),
            arrives: cx.now() + travel,
            lost: (fate == Fate::Lost).then_some(0.5),
        });
        cx.schedule(travel, Event::Land(key).into());
        key.serial()
    }

    /// Winds a clock of a node from outside, as its protocol would.
    pub fn wind<E: From<Event>>(&mut self, id: Id, timer: P::Timer, wind: Wind, cx: Cx<'_, '_, E>) {
        self.turns = self.turns.wrapping_add(1);
        let span = match wind {
            Wind::Off => Time::NEVER,
            Wind::After(span) => Time(span * P::UNIT),
            Wind::Within { least, spread } => {
                let drawn = cx.random(Net::clock(id)).next_u32();
                Time((least + ((u64::from(drawn) * (spread + 1)) >> 32)) * P::UNIT)
            }
        };
        let clock = Clock {
            wound: cx.now(),
            ends: cx.now() + span,
            turn: self.turns,
        };
        let Some(member) = self.members.get_mut(place(id)) else {
            return;
        };
        let found = member.clocks.iter().position(|(of, _)| *of == timer);
        let at = found.unwrap_or(member.clocks.len());
        match member.clocks.get_mut(at) {
            Some((_, known)) => *known = clock,
            None => member.clocks.push((timer, clock)),
        }
        if span < Time::NEVER {
            let (clock, turn) = (at as u8, self.turns);
            let ring = Event::Ring {
                node: id,
                clock,
                turn,
            };
            cx.schedule(span, ring.into());
        }
    }

    /// Forgets clocks and messages of everybody and takes all nodes down with their disks, as before the first start.
    pub fn clear(&mut self, now: Time) {
        for member in &mut self.members {
            (member.node, member.disk, member.down) = (None, None, Some(now));
            member.paused = None;
            member.clocks.clear();
            self.missed += member.waiting();
            member.held.clear();
        }
        let keys: Vec<Key> = self.flights.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.lost += u64::from(self.flights.remove(key).is_some());
        }
    }

    /// What must hold of a cluster at every moment: messages are neither made up nor forgotten, and the protocol's own safety.
    ///
    /// # Errors
    /// What does not hold, in one sentence.
    pub fn audit(&self) -> Result<(), String> {
        let born = u64::from(self.flights.born());
        let held: u64 = self.members.iter().map(Member::waiting).sum();
        let (flying, gone) = (
            self.flights.len() as u64,
            self.heard + self.lost + self.missed,
        );
        if born != flying + held + gone {
            return Err(format!(
                "{born} messages were sent; {flying} are under way, {held} wait, {gone} have ended"
            ));
        }
        let nodes: Vec<Option<&P::Node>> = self.members.iter().map(Member::node_of).collect();
        self.protocol.sound(&nodes)
    }
}

impl<P: Protocol> Member<P> {
    /// How many messages wait for it; clocks that have ended meanwhile are none.
    fn waiting(&self) -> u64 {
        let words = self.held.iter();
        words.filter(|held| matches!(held, Held::Heard(..))).count() as u64
    }

    fn node_of(member: &Member<P>) -> Option<&P::Node> {
        member.node.as_ref()
    }
}
