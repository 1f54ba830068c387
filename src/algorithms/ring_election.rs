//! An election on a ring: each number goes round until it meets a larger one; who gets its own back leads.
//!
//! After Chang and Roberts, "An improved algorithm for decentralized extrema-finding in circular configurations of processes",
//! Communications of the ACM 22(5), 1979. A node passes on to the next that it can reach: it is told who cannot be, as a
//! refused connection tells it.

use crate::protocol::{Id, OutOf, Protocol, Wind};
use std::collections::BTreeSet;

/// What nodes tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The largest number so far.
    Candidate(Id),
    /// Who leads.
    Elected(Id),
    /// The leader lives.
    Heartbeat,
}

/// The clocks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// So long without the leader, and it sends its number round.
    Silence,
    /// A leader speaks again.
    Heartbeat,
}

/// What a node is told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether another can be reached.
    Reaches(Id, bool),
    /// To begin an election.
    Elect,
}

/// The settings of a group.
#[derive(Clone, Debug)]
pub struct RingElection {
    /// The nodes in the order of the ring.
    pub order: Vec<Id>,
    /// So long without the leader is too long.
    pub silence: u64,
    /// A leader speaks so often.
    pub heartbeat: u64,
}

/// A node that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which.
    pub me: Id,
    /// Whom it obeys; itself where it leads.
    pub leader: Option<Id>,
    /// Whether its number, or a larger one that it passed on, is on its way.
    pub takes_part: bool,
    /// Who cannot be reached.
    away: BTreeSet<Id>,
}

impl RingElection {
    /// The next on the ring that can be reached; the node itself where there is none.
    fn next(&self, node: &Node) -> Id {
        let at = self.order.iter().position(|id| *id == node.me);
        let (before, after) = self.order.split_at(at.unwrap_or(0));
        let mut others = after.iter().skip(1).chain(before);
        *others
            .find(|id| !node.away.contains(id))
            .unwrap_or(&node.me)
    }

    fn pass_on(&self, node: &mut Node, word: Word, out: &mut OutOf<Self>) {
        match (self.next(node), word) {
            // Alone it is the largest.
            (next, _) if next == node.me => self.lead(node, out),
            (next, word) => out.send(next, word),
        }
    }

    fn elect(&self, node: &mut Node, out: &mut OutOf<Self>) {
        (node.takes_part, node.leader) = (true, None);
        out.wind(Timer::Heartbeat, Wind::Off);
        // Who is not heard of again was lost on the way.
        out.wind(Timer::Silence, Wind::After(self.silence));
        self.pass_on(node, Word::Candidate(node.me), out);
    }

    fn lead(&self, node: &mut Node, out: &mut OutOf<Self>) {
        (node.takes_part, node.leader) = (false, Some(node.me));
        out.wind(Timer::Silence, Wind::Off);
        out.wind(Timer::Heartbeat, Wind::After(self.heartbeat));
    }

    fn obey(&self, node: &mut Node, leader: Id, out: &mut OutOf<Self>) {
        (node.takes_part, node.leader) = (false, Some(leader));
        out.wind(Timer::Heartbeat, Wind::Off);
        out.wind(Timer::Silence, Wind::After(self.silence));
    }
}

impl Protocol for RingElection {
    type Node = Node;
    type Disk = ();
    type Word = Word;
    type Timer = Timer;
    type Ask = Ask;

    fn boot(&self, me: Id, _: Option<()>, out: &mut OutOf<Self>) -> Node {
        out.wind(Timer::Silence, Wind::After(self.silence));
        Node {
            me,
            leader: None,
            takes_part: false,
            away: BTreeSet::new(),
        }
    }

    fn hear(&self, node: &mut Node, from: Id, word: Word, out: &mut OutOf<Self>) {
        match word {
            Word::Candidate(id) if id == node.me => {
                self.lead(node, out);
                self.pass_on(node, Word::Elected(node.me), out);
            }
            Word::Candidate(id) if id > node.me => {
                node.takes_part = true;
                self.pass_on(node, word, out);
            }
            // A smaller one ends here; who had not begun yet begins.
            Word::Candidate(_) if !node.takes_part => self.elect(node, out),
            Word::Candidate(_) => {}
            Word::Elected(id) if id == node.me => {}
            Word::Elected(id) => {
                self.obey(node, id, out);
                self.pass_on(node, word, out);
            }
            Word::Heartbeat if from < node.me => self.elect(node, out),
            Word::Heartbeat => self.obey(node, from, out),
        }
    }

    fn ring(&self, node: &mut Node, timer: Timer, out: &mut OutOf<Self>) {
        match timer {
            Timer::Silence => self.elect(node, out),
            Timer::Heartbeat => {
                for &to in self.order.iter().filter(|to| **to != node.me) {
                    out.send(to, Word::Heartbeat);
                }
                out.wind(Timer::Heartbeat, Wind::After(self.heartbeat));
            }
        }
    }

    fn ask(&self, node: &mut Node, what: Ask, out: &mut OutOf<Self>) -> bool {
        match what {
            Ask::Reaches(id, true) => node.away.remove(&id),
            Ask::Reaches(id, false) => node.away.insert(id),
            Ask::Elect => {
                self.elect(node, out);
                true
            }
        }
    }

    fn disk(&self, _: &Node) {}

    /// Nothing: each part of a ring that is cut has a leader of its own.
    fn sound(&self, _: &[Option<&Node>]) -> Result<(), String> {
        Ok(())
    }
}
