//! Bully: the highest number that is alive leads. Who misses the leader asks all higher ones, and leads if none answers.
//!
//! After Garcia-Molina, "Elections in a distributed computing system", IEEE Transactions on Computers C-31(1), 1982. Nobody
//! votes, so nothing keeps two halves of a network that is cut from having a leader each, and who comes back with a high
//! number takes over.

use crate::protocol::{Id, OutOf, Protocol, Wind};

/// What nodes tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// I would lead: does anybody higher live?
    Election,
    /// I do.
    Answer,
    /// I lead.
    Coordinator,
    /// I still do.
    Heartbeat,
}

/// The clocks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// So long without the leader, and it holds an election.
    Silence,
    /// So long it waits for an answer, and then leads.
    Answers,
    /// So long it waits for who answered to lead, and then asks again.
    Coordinator,
    /// A leader speaks again.
    Heartbeat,
}

/// The settings of a group.
#[derive(Clone, Debug)]
pub struct Bully {
    /// Nodes 1 to this.
    pub members: Id,
    /// So long without the leader is too long.
    pub silence: u64,
    /// So long who asks waits for an answer: there and back, at least.
    pub waits: u64,
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
    /// Whether it holds an election.
    pub electing: bool,
}

impl Bully {
    // region: bully
    fn elect(&self, node: &mut Node, out: &mut OutOf<Self>) {
        if node.electing {
            return; // Once is enough.
        }
        (node.electing, node.leader) = (true, None);
        out.wind(Timer::Silence, Wind::Off);
        out.wind(Timer::Heartbeat, Wind::Off);
        if node.me == self.members {
            return self.lead(node, out);
        }
        for to in node.me + 1..=self.members {
            out.send(to, Word::Election);
        }
        out.wind(Timer::Answers, Wind::After(self.waits));
    }

    fn lead(&self, node: &mut Node, out: &mut OutOf<Self>) {
        (node.electing, node.leader) = (false, Some(node.me));
        for to in 1..node.me {
            out.send(to, Word::Coordinator);
        }
        out.wind(Timer::Heartbeat, Wind::After(self.heartbeat));
    }

    // endregion

    fn obey(&self, node: &mut Node, leader: Id, out: &mut OutOf<Self>) {
        (node.electing, node.leader) = (false, Some(leader));
        out.wind(Timer::Answers, Wind::Off);
        out.wind(Timer::Coordinator, Wind::Off);
        out.wind(Timer::Heartbeat, Wind::Off);
        out.wind(Timer::Silence, Wind::After(self.silence));
    }
}

impl Protocol for Bully {
    type Node = Node;
    type Disk = ();
    type Word = Word;
    type Timer = Timer;
    type Ask = ();

    /// Who starts holds an election: the highest announces itself at once.
    fn boot(&self, me: Id, _: Option<()>, out: &mut OutOf<Self>) -> Node {
        let mut node = Node {
            me,
            leader: None,
            electing: false,
        };
        self.elect(&mut node, out);
        node
    }

    fn hear(&self, node: &mut Node, from: Id, word: Word, out: &mut OutOf<Self>) {
        match word {
            Word::Election if from < node.me => {
                out.send(from, Word::Answer);
                self.elect(node, out);
            }
            Word::Answer if node.electing => {
                out.wind(Timer::Answers, Wind::Off);
                let waits = self.waits * u64::from(self.members);
                out.wind(Timer::Coordinator, Wind::After(waits));
            }
            // A lower one leads: that will not do.
            Word::Coordinator | Word::Heartbeat if from < node.me => self.elect(node, out),
            Word::Coordinator | Word::Heartbeat => self.obey(node, from, out),
            Word::Election | Word::Answer => {}
        }
    }

    fn ring(&self, node: &mut Node, timer: Timer, out: &mut OutOf<Self>) {
        match timer {
            Timer::Silence => self.elect(node, out),
            Timer::Answers => self.lead(node, out),
            Timer::Coordinator => {
                node.electing = false;
                self.elect(node, out);
            }
            Timer::Heartbeat => {
                for to in (1..=self.members).filter(|to| *to != node.me) {
                    out.send(to, Word::Heartbeat);
                }
                out.wind(Timer::Heartbeat, Wind::After(self.heartbeat));
            }
        }
    }

    fn ask(&self, node: &mut Node, (): (), _: &mut OutOf<Self>) -> bool {
        node.leader == Some(node.me)
    }

    fn disk(&self, _: &Node) {}

    /// Nothing: two of them may lead for as long as they do not hear each other.
    fn sound(&self, _: &[Option<&Node>]) -> Result<(), String> {
        Ok(())
    }
}
