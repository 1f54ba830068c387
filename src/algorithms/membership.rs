//! Who is there, by gossip: SWIM and rounds of rumours as a [`Protocol`], without time, network or chance of its own.
//!
//! Each node keeps a list of all members that it knows of and what it believes of each ([`swim::Belief`]). It learns in three
//! ways, after Das, Gupta and Motivala, "SWIM", DSN 2002, as HashiCorp's memberlist has them: from items of news that ride on
//! pings, answers and the rounds of rumours (Demers and others, 1987); from whole lists that two nodes compare; and by pinging
//! itself. Somebody who does not answer, to the node or to helpers that it asks, is suspected; a suspicion to which nobody
//! objects in time becomes a verdict. Only the member itself may object, by a higher incarnation.
//!
//! A rumour is an item about member 0, its number in the place of the incarnation. News of rumours and of members that join goes
//! in rounds alone, so that its rounds can be counted.

use crate::protocol::{Id, OutOf, Protocol, Wind};
use crate::swim::{self, Belief, Health};

/// So many items of news ride on a message.
pub const ITEMS: usize = 6;
/// The member that stands for a rumour.
pub const RUMOUR: Id = 0;
/// A death that each notices alone is forgotten after so long, µs.
pub const FORGETS_US: u64 = 5_000_000;
/// Who gets no answer from its seed asks the next after so long, µs.
const JOIN_US: u64 = 1_000_000;

/// How rumours go round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Who knows something tells it.
    Push,
    /// Each asks what is new.
    Pull,
    /// Each tells and asks in one call.
    PushPull,
}

/// The rules; times in µs.
#[derive(Clone, Debug)]
pub struct Membership {
    /// From which nodes draw their peers.
    pub seed: u64,
    /// Places for members.
    pub places: Id,
    /// How rumours go round.
    pub telling: Telling,
    /// So many others are called in each round.
    pub fan_out: u32,
    /// An item is told `told · ⌈log10(n + 1)⌉` times by each node; 0 for ever.
    pub told: u32,
    /// A suspicion lasts `suspicion · max(1, log10 n)` periods.
    pub suspicion: u32,
    /// So many are asked to ping for one who got no answer.
    pub helpers: u32,
    /// One member is pinged in each period.
    pub period: u64,
    /// A ping that is not answered for so long makes helpers try.
    pub timeout: u64,
    /// Members are pinged in turn, in an order that is shuffled each time, in place of by chance.
    pub in_turn: bool,
    /// Two lists are compared so often by each node; 0 for never.
    pub exchange: u64,
    /// Whether now and then somebody calls a member that it holds for dead: with chance dead / (alive + 1) a period, as
    /// Cassandra does.
    pub call_dead: bool,
    /// Deaths are noticed by each alone, not told, and forgotten after [`FORGETS_US`].
    pub forgets: bool,
}

/// News of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// About whom; [`RUMOUR`] for a rumour.
    pub about: Id,
    /// What is believed.
    pub belief: Belief,
}

impl Item {
    /// Whether it goes in rounds alone.
    pub fn is_rumour(&self) -> bool {
        self.about == RUMOUR || self.belief == ALIVE
    }
}

/// Somebody of whom nobody has said anything yet.
pub const ALIVE: Belief = Belief {
    health: Health::Alive,
    incarnation: 0,
};

/// What nodes tell each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// Are you there?
    Ping {
        /// Comes back with the answer.
        number: u16,
        /// Whether it is for another, who got no answer.
        helps: bool,
        /// What the sender knows.
        news: Vec<Item>,
    },
    /// Yes.
    Ack {
        /// Of the ping.
        number: u16,
        /// Whether it is passed on to the one who got no answer.
        helps: bool,
        /// What the sender knows.
        news: Vec<Item>,
    },
    /// Please ping this one for me.
    Help {
        /// Whom.
        of: Id,
        /// Comes back with the answer.
        number: u16,
    },
    /// What is new? Under push-pull with what the caller knows.
    Call {
        /// That.
        news: Vec<Item>,
    },
    /// This is new.
    Tell {
        /// What.
        news: Vec<Item>,
    },
    /// All that the sender knows.
    List {
        /// What it believes of members 0 and on.
        list: Vec<Option<Belief>>,
        /// Whether it wants the other's.
        asks: bool,
    },
}

impl Word {
    /// The news on it.
    pub fn news(&self) -> &[Item] {
        match self {
            Word::Ping { news, .. }
            | Word::Ack { news, .. }
            | Word::Call { news }
            | Word::Tell { news } => news,
            Word::Help { .. } | Word::List { .. } => &[],
        }
    }
}

/// The clocks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The period of pings.
    Period,
    /// The ping under way should have been answered.
    Timeout,
    /// A suspicion ends.
    Verdict(Id),
    /// A death is forgotten.
    Forget(Id),
    /// A whole list is compared.
    Exchange,
    /// The seed has not answered.
    Join,
}

/// What is asked of a node.
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    /// It is told that members 1 to this one are there.
    Know(Id),
    /// It asks this one for its list.
    Join(Id),
    /// It is time for a round.
    Round,
    /// It learns a rumour of this number.
    Rumour(u64),
}

/// What has changed in a node with its last turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It believes something else of a member; of itself it says so.
    Believes(Id, Option<Belief>),
    /// Neither the member nor a helper has answered: it is accused.
    Accuses(Id),
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    item: Item,
    told: u32,
    /// The round in which it was learned.
    learned: u32,
}

/// A ping that is not answered yet.
#[derive(Clone, Copy, Debug)]
struct Probe {
    of: Id,
    number: u16,
}

/// A ping for another.
#[derive(Clone, Copy, Debug)]
struct Helping {
    number: u16,
    whom: Id,
    theirs: u16,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    me: Id,
    dice: u64,
    list: Vec<Option<Belief>>,
    queue: Vec<Queued>,
    probe: Option<Probe>,
    helping: Vec<Helping>,
    /// Whom it pings next, if in turn; the last is next.
    order: Vec<Id>,
    number: u16,
    round: u32,
    seed: Id,
    /// What its last turn has changed.
    pub changes: Vec<Change>,
}

impl Node {
    /// What it believes of a member, or says of itself; none if it does not know of it.
    pub fn belief(&self, of: Id) -> Option<Belief> {
        self.list.get(usize::from(of)).copied().flatten()
    }

    /// Whether it still tells news of a member.
    pub fn tells(&self, of: Id) -> bool {
        self.queue.iter().any(|queued| queued.item.about == of)
    }

    /// Whom it has pinged that has not answered yet.
    pub fn pings(&self) -> Option<Id> {
        self.probe.map(|probe| probe.of)
    }

    /// About how many bytes it takes on the heap.
    pub fn bytes(&self) -> usize {
        size_of_val(self.list.as_slice()) + size_of_val(self.queue.as_slice())
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    fn draw(&mut self, below: usize) -> usize {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (((z >> 32) * below as u64) >> 32) as usize
    }

    /// The others that it holds for dead, or all that it does not.
    fn others(&self, dead: bool) -> Vec<Id> {
        let mut others = Vec::new();
        for (id, belief) in (0..).zip(&self.list) {
            let Some(belief) = belief else { continue };
            if id != RUMOUR && id != self.me && (belief.health == Health::Dead) == dead {
                others.push(id);
            }
        }
        others
    }

    fn own(&self) -> Belief {
        self.belief(self.me).unwrap_or(ALIVE)
    }
}

impl Membership {
    /// How often each node tells an item, in a group of so many.
    fn limit(&self, node: &Node) -> u32 {
        match self.told {
            0 => u32::MAX,
            told => swim::retransmissions(told, node.others(false).len() as u32 + 1),
        }
    }

    /// The items that were told least often, at most [`ITEMS`]; in rounds also rumours, but only those that it knew when the
    /// round began, as rounds are in step. Whom it is for has told `heard` itself.
    fn news(&self, node: &mut Node, rounds: bool, heard: &[Item]) -> Vec<Item> {
        let mut news: Vec<Item> = Vec::new();
        let limit = self.limit(node);
        while news.len() < ITEMS {
            let mut best: Option<usize> = None;
            for (at, queued) in node.queue.iter().enumerate() {
                let taken = news.contains(&queued.item) || heard.contains(&queued.item);
                let new = queued.learned >= node.round && queued.item.is_rumour();
                let fits = !taken
                    && if rounds {
                        !new
                    } else {
                        !queued.item.is_rumour()
                    };
                if fits && best.is_none_or(|best| queued.told < node.queue[best].told) {
                    best = Some(at);
                }
            }
            let Some(best) = best else { break };
            node.queue[best].told = node.queue[best].told.saturating_add(1);
            news.push(node.queue[best].item);
            if node.queue[best].told >= limit {
                node.queue.remove(best);
            }
        }
        news
    }

    /// News for a ping or its answer: whoever is suspected hears that first.
    fn piggyback(&self, node: &mut Node, to: Id) -> Vec<Item> {
        let mut news = self.news(node, false, &[]);
        if let Some(belief) = node.belief(to).filter(|it| it.health != Health::Alive) {
            news.retain(|item| item.about != to);
            news.insert(0, Item { about: to, belief });
            news.truncate(ITEMS);
        }
        news
    }

    fn tell_later(&self, node: &mut Node, item: Item) {
        node.queue.retain(|queued| queued.item.about != item.about);
        node.queue.push(Queued {
            item,
            told: 0,
            learned: node.round,
        });
    }

    // region: learn
    /// A node hears something of a member, or finds it out itself.
    fn learn(&self, node: &mut Node, item: Item, out: &mut OutOf<Self>) {
        let Item { about, belief } = item;
        if about == node.me {
            return self.object(node, belief);
        }
        let Some(slot) = node.list.get_mut(usize::from(about)) else {
            return;
        };
        let old = *slot;
        let news = match old {
            Some(old) => belief.overrides(&old),
            // Of a stranger only that it lives: whoever forgot a death learns of the dead as of somebody new.
            None => belief.health == Health::Alive,
        };
        if !news {
            return;
        }
        *slot = Some(belief);
        node.changes.push(Change::Believes(about, old));
        let alone = self.forgets && belief.health != Health::Alive;
        if !alone {
            self.tell_later(node, item);
        }
        if about == RUMOUR {
            return;
        }
        let wait = match belief.health {
            Health::Suspect => Wind::After(self.patience(node)),
            _ => Wind::Off,
        };
        out.wind(Timer::Verdict(about), wait);
        if self.forgets && belief.health == Health::Dead {
            out.wind(Timer::Forget(about), Wind::After(FORGETS_US));
        }
    }
    // endregion

    // region: object
    /// A node hears of itself: accused, it says that it lives, by a number that is higher.
    fn object(&self, node: &mut Node, heard: Belief) {
        let own = node.own();
        let ahead = heard.health == Health::Alive && heard.incarnation > own.incarnation;
        let later = Belief {
            health: Health::Alive,
            incarnation: heard.incarnation + 1,
        };
        // What it said in an earlier life may be ahead of what it says now.
        let earlier = ahead.then_some(later);
        let Some(belief) = heard.refuted_by(own.incarnation).or(earlier) else {
            return;
        };
        node.list[usize::from(node.me)] = Some(belief);
        node.changes.push(Change::Believes(node.me, Some(own)));
        let about = node.me;
        self.tell_later(node, Item { about, belief });
    }
    // endregion

    /// How long a suspicion lasts, µs.
    fn patience(&self, node: &Node) -> u64 {
        let n = node.others(false).len() as u32 + 1;
        swim::suspicion_ms(self.suspicion, n, self.period / 1_000) * 1_000
    }

    fn next_number(node: &mut Node) -> u16 {
        node.number = node.number.wrapping_add(1);
        node.number
    }

    // region: ping
    /// A period has ended: who has not answered is suspected, and another is pinged.
    fn period(&self, node: &mut Node, out: &mut OutOf<Self>) {
        out.wind(Timer::Period, Wind::After(self.period));
        if let Some(missed) = node.probe.take() {
            let about = missed.of;
            let held = node.belief(about);
            if let Some(held) = held.filter(|held| held.health != Health::Dead) {
                node.changes.push(Change::Accuses(about));
                let belief = Belief {
                    health: Health::Suspect,
                    ..held
                };
                self.learn(node, Item { about, belief }, out);
            }
        }
        let Some(of) = self.next(node) else { return };
        let number = Self::next_number(node);
        node.probe = Some(Probe { of, number });
        let news = self.piggyback(node, of);
        let helps = false;
        out.send(
            of,
            Word::Ping {
                number,
                helps,
                news,
            },
        );
        out.wind(Timer::Timeout, Wind::After(self.timeout));
    }
    // endregion

    // region: help
    /// A ping has not been answered in time: others try.
    fn ask_helpers(&self, node: &mut Node, out: &mut OutOf<Self>) {
        let Some(Probe { of, number }) = node.probe else {
            return;
        };
        let mut others = node.others(false);
        others.retain(|id| {
            *id != of
                && node
                    .belief(*id)
                    .is_some_and(|it| it.health == Health::Alive)
        });
        for _ in 0..self.helpers.min(others.len() as u32) {
            let chosen = node.draw(others.len());
            out.send(others.swap_remove(chosen), Word::Help { of, number });
        }
    }
    // endregion

    /// Whom a node pings next.
    fn next(&self, node: &mut Node) -> Option<Id> {
        let others = node.others(false);
        if others.is_empty() {
            return None;
        }
        if !self.in_turn {
            return Some(others[node.draw(others.len())]);
        }
        loop {
            if node.order.is_empty() {
                let mut left = others.clone();
                while !left.is_empty() {
                    let chosen = node.draw(left.len());
                    node.order.push(left.swap_remove(chosen));
                }
            }
            let next = node.order.pop()?;
            if others.contains(&next) {
                return Some(next);
            }
        }
    }

    // region: round
    /// A round: calls as many others as the fan-out is, by chance.
    fn round(&self, node: &mut Node, out: &mut OutOf<Self>) {
        let others = node.others(false);
        if others.is_empty() {
            return;
        }
        for _ in 0..self.fan_out {
            let other = others[node.draw(others.len())];
            let news = match self.telling {
                Telling::Pull => Vec::new(),
                _ => self.news(node, true, &[]),
            };
            if self.telling != Telling::Push {
                out.send(other, Word::Call { news });
            } else if !news.is_empty() {
                out.send(other, Word::Tell { news });
            }
        }
    }
    // endregion

    fn send_list(&self, node: &Node, to: Id, asks: bool, out: &mut OutOf<Self>) {
        let list = node.list.clone();
        out.send(to, Word::List { list, asks });
    }

    /// Winds the clock of the next exchange, unless there is to be none.
    fn wind_exchange(&self, node: &Node, out: &mut OutOf<Self>) {
        let n = node.others(false).len() as u32 + 1;
        if self.exchange > 0 {
            let span = swim::push_pull_interval(n, self.exchange);
            out.wind(Timer::Exchange, Wind::After(span));
        }
    }

    fn merge(&self, node: &mut Node, list: &[Option<Belief>], out: &mut OutOf<Self>) {
        for (about, belief) in (0..).zip(list) {
            let Some(mut belief) = *belief else { continue };
            if belief.health != Health::Alive {
                if self.forgets && about != node.me {
                    continue;
                }
                // Another's verdict is no more than a suspicion here: the accused may still object.
                belief.health = Health::Suspect;
            }
            self.learn(node, Item { about, belief }, out);
        }
    }

    fn learn_all(&self, node: &mut Node, news: &[Item], out: &mut OutOf<Self>) {
        for item in news {
            let alone = self.forgets && item.belief.health != Health::Alive;
            if !alone || item.about == node.me {
                self.learn(node, *item, out);
            }
        }
    }
}

impl Protocol for Membership {
    type Node = Node;
    type Disk = ();
    type Word = Word;
    type Timer = Timer;
    type Ask = Ask;

    fn boot(&self, me: Id, _: Option<()>, out: &mut OutOf<Self>) -> Node {
        let mut node = Node {
            me,
            dice: self.seed ^ (u64::from(me) << 32),
            list: vec![None; usize::from(self.places) + 1],
            queue: Vec::new(),
            probe: None,
            helping: Vec::new(),
            order: Vec::new(),
            number: 0,
            round: 0,
            seed: 0,
            changes: Vec::new(),
        };
        node.list[usize::from(me)] = Some(ALIVE);
        let phase = node.draw(self.period as usize) as u64;
        out.wind(Timer::Period, Wind::After(phase));
        if self.exchange > 0 {
            let phase = node.draw(self.exchange as usize) as u64;
            out.wind(Timer::Exchange, Wind::After(phase));
        }
        node
    }

    fn hear(&self, node: &mut Node, from: Id, word: Word, out: &mut OutOf<Self>) {
        node.changes.clear();
        match word {
            Word::Ping {
                number,
                helps,
                news,
            } => {
                self.learn_all(node, &news, out);
                let news = self.piggyback(node, from);
                out.send(
                    from,
                    Word::Ack {
                        number,
                        helps,
                        news,
                    },
                );
            }
            Word::Ack { number, news, .. } => {
                self.learn_all(node, &news, out);
                if node.probe.is_some_and(|probe| probe.number == number) {
                    node.probe = None;
                    out.wind(Timer::Timeout, Wind::Off);
                } else if let Some(at) = node.helping.iter().position(|it| it.number == number) {
                    let Helping {
                        whom,
                        theirs: number,
                        ..
                    } = node.helping.remove(at);
                    let (helps, news) = (true, Vec::new());
                    out.send(
                        whom,
                        Word::Ack {
                            number,
                            helps,
                            news,
                        },
                    );
                }
            }
            Word::Help { of, number: theirs } => {
                let number = Self::next_number(node);
                // Who never answers must not be remembered for ever.
                if node.helping.len() >= 8 {
                    node.helping.remove(0);
                }
                node.helping.push(Helping {
                    number,
                    whom: from,
                    theirs,
                });
                let news = self.piggyback(node, of);
                let helps = true;
                out.send(
                    of,
                    Word::Ping {
                        number,
                        helps,
                        news,
                    },
                );
            }
            Word::Call { news: heard } => {
                self.learn_all(node, &heard, out);
                let news = self.news(node, true, &heard);
                out.send(from, Word::Tell { news });
            }
            Word::Tell { news } => self.learn_all(node, &news, out),
            Word::List { list, asks } => {
                self.merge(node, &list, out);
                if asks {
                    self.send_list(node, from, false, out);
                }
            }
        }
    }

    fn ring(&self, node: &mut Node, timer: Timer, out: &mut OutOf<Self>) {
        node.changes.clear();
        match timer {
            Timer::Period => {
                self.period(node, out);
                // With chance dead / (alive + 1).
                let dead = node.others(true);
                if self.call_dead && !dead.is_empty() {
                    let alive = node.others(false).len() + 1;
                    if node.draw(alive + 1) < dead.len() {
                        let to = dead[node.draw(dead.len())];
                        self.send_list(node, to, true, out);
                    }
                }
            }
            Timer::Timeout => self.ask_helpers(node, out),
            Timer::Verdict(about) => {
                let Some(old) = node.belief(about).filter(|it| it.health == Health::Suspect) else {
                    return;
                };
                let belief = Belief {
                    health: Health::Dead,
                    ..old
                };
                self.learn(node, Item { about, belief }, out);
            }
            Timer::Forget(about) => {
                let old = node.belief(about);
                if old.is_some_and(|old| old.health == Health::Dead) {
                    node.list[usize::from(about)] = None;
                    node.changes.push(Change::Believes(about, old));
                }
            }
            Timer::Exchange => {
                let others = node.others(false);
                if !others.is_empty() && self.exchange > 0 {
                    let other = others[node.draw(others.len())];
                    self.send_list(node, other, true, out);
                }
                self.wind_exchange(node, out);
            }
            Timer::Join => {
                if node.others(false).is_empty() {
                    let next = node.seed % self.places + 1;
                    let next = if next == node.me {
                        next % self.places + 1
                    } else {
                        next
                    };
                    self.join(node, next, out);
                }
            }
        }
    }

    fn ask(&self, node: &mut Node, what: Ask, out: &mut OutOf<Self>) -> bool {
        node.changes.clear();
        match what {
            Ask::Know(n) => {
                for id in 1..=n.min(self.places) {
                    node.list[usize::from(id)] = Some(ALIVE);
                }
            }
            Ask::Join(seed) => self.join(node, seed, out),
            Ask::Round => {
                node.round += 1;
                self.round(node, out);
            }
            Ask::Rumour(number) => {
                let belief = Belief {
                    health: Health::Alive,
                    incarnation: number,
                };
                let about = RUMOUR;
                self.learn(node, Item { about, belief }, out);
            }
        }
        true
    }

    fn disk(&self, _: &Node) {}

    fn sound(&self, nodes: &[Option<&Node>]) -> Result<(), String> {
        for node in nodes.iter().copied().flatten() {
            if node.own().health != Health::Alive {
                return Err(format!("{} holds itself for {:?}", node.me, node.own()));
            }
        }
        Ok(())
    }
}

impl Membership {
    /// Asks a seed for its list, by sending its own; if it is silent, the next one is asked.
    fn join(&self, node: &mut Node, seed: Id, out: &mut OutOf<Self>) {
        node.seed = seed;
        self.send_list(node, seed, true, out);
        let about = node.me;
        let belief = node.own();
        self.tell_later(node, Item { about, belief });
        out.wind(Timer::Join, Wind::After(JOIN_US));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Out;

    fn rules(forgets: bool) -> Membership {
        Membership {
            seed: 1,
            places: 4,
            telling: Telling::Push,
            fan_out: 1,
            told: 4,
            suspicion: 4,
            helpers: 1,
            period: 1_000_000,
            timeout: 500_000,
            in_turn: true,
            exchange: 0,
            call_dead: false,
            forgets,
        }
    }

    fn node(rules: &Membership, me: Id) -> Node {
        let mut out = Out::default();
        let mut node = rules.boot(me, None, &mut out);
        rules.ask(&mut node, Ask::Know(rules.places), &mut out);
        node
    }

    /// Pings, waits in vain, and accuses; gives whom.
    fn accuse(rules: &Membership, node: &mut Node) -> Id {
        let mut out = Out::default();
        rules.ring(node, Timer::Period, &mut out);
        let of = out.sent[0].0;
        rules.ring(node, Timer::Timeout, &mut out);
        assert!(matches!(out.sent[1].1, Word::Help { of: asked, .. } if asked == of));
        rules.ring(node, Timer::Period, &mut out);
        assert!(node.changes.contains(&Change::Accuses(of)));
        of
    }

    #[test]
    fn silence_is_a_suspicion_and_then_a_verdict_unless_the_accused_objects() {
        let rules = rules(false);
        let mut node = node(&rules, 1);
        let of = accuse(&rules, &mut node);
        assert_eq!(node.belief(of).map(|it| it.health), Some(Health::Suspect));
        let (mut other, mut out) = (super::tests::node(&rules, of), Out::default());
        let news = vec![Item {
            about: of,
            belief: node.belief(of).unwrap(),
        }];
        rules.hear(&mut other, 1, Word::Tell { news }, &mut out);
        let own = other.belief(of).unwrap();
        assert_eq!((own.health, own.incarnation), (Health::Alive, 1));
        // Objection and verdict cross: the higher number wins over the verdict, too.
        rules.ring(&mut node, Timer::Verdict(of), &mut out);
        assert_eq!(node.belief(of).map(|it| it.health), Some(Health::Dead));
        let news = vec![Item {
            about: of,
            belief: own,
        }];
        rules.hear(&mut node, of, Word::Tell { news }, &mut out);
        assert_eq!(node.belief(of), Some(own));
    }

    #[test]
    fn an_answer_after_the_accusation_changes_nothing() {
        let rules = rules(false);
        let mut node = node(&rules, 1);
        let of = accuse(&rules, &mut node);
        let word = Word::Ack {
            number: 1,
            helps: false,
            news: Vec::new(),
        };
        rules.hear(&mut node, of, word, &mut Out::default());
        assert_eq!(node.belief(of).map(|it| it.health), Some(Health::Suspect));
    }

    #[test]
    fn who_forgets_a_death_learns_of_the_dead_as_of_somebody_new() {
        let rules = rules(true);
        let mut node = node(&rules, 1);
        let of = accuse(&rules, &mut node);
        let mut out = Out::default();
        rules.ring(&mut node, Timer::Verdict(of), &mut out);
        let list = vec![None, None, Some(ALIVE), Some(ALIVE), Some(ALIVE)];
        let word = Word::List { list, asks: false };
        rules.hear(&mut node, 2, word.clone(), &mut out);
        assert_eq!(node.belief(of).map(|it| it.health), Some(Health::Dead));
        rules.ring(&mut node, Timer::Forget(of), &mut out);
        assert_eq!(node.belief(of), None);
        rules.hear(&mut node, 2, word, &mut out);
        assert_eq!(node.belief(of), Some(ALIVE));
    }
}
