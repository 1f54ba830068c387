//! The protocol in the lesson's network: what its messages take, how they look, and which request they belong to.

use algorithms::protocol::{Id, OutOf, Protocol};
use algorithms::replicated::{Ask, Disk, Node, Replicated, Timer, Why, Word};
use algorithms::staleness::Wars;
use engine::{Glyph, Ink, Time};
use kit::cluster::{Dice, Face};

/// Who writes, and who reads: nodes that store nothing.
pub(super) const WRITER: Id = 6;
pub(super) const READERS: [Id; 2] = [7, 8];

/// Copies with the delays of a real store.
#[derive(Clone)]
pub(super) struct Store {
    pub(super) rules: Replicated,
    pub(super) wars: Wars,
    /// Copies of this key and version take a millisecond: the learner sent them.
    pub(super) hurry: (u8, u32),
}

impl Protocol for Store {
    type Node = Node;
    type Disk = Disk;
    type Word = Word;
    type Timer = Timer;
    type Ask = Ask;

    fn boot(&self, me: Id, disk: Option<Disk>, out: &mut OutOf<Self>) -> Node {
        self.rules.boot(me, disk, out)
    }

    fn hear(&self, node: &mut Node, from: Id, word: Word, out: &mut OutOf<Self>) {
        self.rules.hear(node, from, word, out);
    }

    fn ring(&self, node: &mut Node, timer: Timer, out: &mut OutOf<Self>) {
        self.rules.ring(node, timer, out);
    }

    fn ask(&self, node: &mut Node, what: Ask, out: &mut OutOf<Self>) -> bool {
        self.rules.ask(node, what, out)
    }

    fn disk(&self, node: &Node) -> Disk {
        self.rules.disk(node)
    }

    fn sound(&self, nodes: &[Option<&Node>]) -> Result<(), String> {
        self.rules.sound(nodes)
    }
}

/// The dot of a request, by its coordinator and number there.
pub(super) fn dot(at: Id, number: u32) -> u32 {
    (number << 3) + u32::from(at)
}

/// The dot of a hint.
pub(super) fn hint_dot(key: u8, version: u32) -> u32 {
    ((version << 4) + u32::from(key) + 1) << 3
}

impl Face for Store {
    /// Hints ever kept.
    type Brief = u32;

    fn brief(&self, node: &Node) -> u32 {
        node.disk.kept
    }

    fn travel(&self, word: &Word, dice: &mut Dice) -> Time {
        let wars = &self.wars;
        let latency = match word {
            Word::Store(key, cell, Why::Write(..)) if self.hurry == (*key, cell.version) => {
                return Time::ms(1);
            }
            Word::Store(..) => wars.write,
            Word::Stored(..) => wars.ack,
            Word::Get(..) => wars.read,
            Word::Got(..) => wars.response,
        };
        Time::from_ms(latency.draw_ms(dice))
    }

    fn look(word: &Word) -> Option<(Glyph, Ink)> {
        Some(match word {
            Word::Store(_, _, Why::Write(..)) => (Glyph::Replica, Ink::Accent),
            Word::Store(_, _, Why::Repair(_)) => (Glyph::Replica, Ink::Hit),
            Word::Store(_, _, Why::Hint) => (Glyph::Replica, Ink::Warn),
            Word::Stored(..) => (Glyph::Response, Ink::Accent),
            Word::Get(..) => (Glyph::Request, Ink::Hit),
            Word::Got(..) => (Glyph::Response, Ink::Hit),
        })
    }

    fn dot(between: (Id, Id), word: &Word, _: u32) -> u32 {
        let at = between.0.max(between.1);
        match *word {
            Word::Store(key, cell, Why::Hint) => hint_dot(key, cell.version),
            Word::Stored(key, version, Why::Hint) => hint_dot(key, version),
            Word::Store(_, _, Why::Write(number, _) | Why::Repair(number))
            | Word::Stored(_, _, Why::Write(number, _) | Why::Repair(number))
            | Word::Get(_, number)
            | Word::Got(_, _, number) => dot(at, number),
        }
    }
}
