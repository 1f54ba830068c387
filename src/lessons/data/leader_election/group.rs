//! A group that elects its leader: three protocols behind one face.

use super::settings::{Method, Settings};
use algorithms::bully::{self, Bully};
use algorithms::protocol::{Id, Out, OutOf, Protocol};
use algorithms::raft::{self, Raft};
use algorithms::ring_election::{self, RingElection};
use engine::random::unit;
use engine::{Glyph, Ink, Time};
use kit::cluster::{Dice, Face};

/// What the leader orders: another server in the place of this one, which died for this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) server: u8,
    pub(super) death: u16,
}

/// The rules, all three with the settings that hold.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) method: Method,
    pub(super) raft: Raft<Order>,
    bully: Bully,
    ring: RingElection,
    /// One way of a message, µs.
    delay: f64,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Raft(raft::Node<Order>),
    Bully(bully::Node),
    Ring(ring_election::Node),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Raft(raft::Word<Order>),
    Bully(bully::Word),
    Ring(ring_election::Word),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Raft(raft::Timer),
    Bully(bully::Timer),
    Ring(ring_election::Timer),
}

/// What a client may ask: an order, or, on a ring, whether another can be reached.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    Order(Order),
    Reaches(Id, bool),
}

/// What a node is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Follows,
    /// It asks whether it would win; on a ring or under bully, it holds an election.
    Asks,
    Candidate,
    Leads,
}

/// A node in short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Brief {
    pub(super) role: Role,
    pub(super) term: u64,
    pub(super) leader: Option<Id>,
    pub(super) voted: Option<Id>,
    pub(super) commit: u64,
    pub(super) last: u64,
}

impl Group {
    pub(super) fn of(knobs: &Settings) -> Group {
        let ms = |ms: f64| ms as u64;
        let members = knobs.nodes as Id;
        let (silence, heartbeat) = (ms(knobs.least), ms(knobs.heartbeat));
        Group {
            method: knobs.method,
            raft: Raft {
                least: silence,
                spread: ms(knobs.spread),
                heartbeat,
                pre_vote: knobs.pre_vote,
                check_quorum: knobs.check_quorum,
                ..Raft::of(members)
            },
            bully: Bully {
                members,
                silence,
                waits: ms(knobs.waits),
                heartbeat,
            },
            ring: RingElection {
                order: (1..=members).collect(),
                silence,
                heartbeat,
            },
            delay: knobs.delay * 1e3,
        }
    }

    /// The clock of a node that, once it ends, begins an election.
    pub(super) fn patience(&self) -> Timer {
        match self.method {
            Method::Raft => Timer::Raft(raft::Timer::Election),
            Method::Bully => Timer::Bully(bully::Timer::Silence),
            Method::Ring => Timer::Ring(ring_election::Timer::Silence),
        }
    }

    /// The clock of a leader that, once it ends, speaks again.
    pub(super) fn beat(&self) -> Timer {
        match self.method {
            Method::Raft => Timer::Raft(raft::Timer::Heartbeat),
            Method::Bully => Timer::Bully(bully::Timer::Heartbeat),
            Method::Ring => Timer::Ring(ring_election::Timer::Heartbeat),
        }
    }
}

impl Node {
    /// Its log, under Raft.
    pub(super) fn log(&self) -> &[raft::Entry<Order>] {
        match self {
            Node::Raft(node) => node.disk.log.entries(),
            _ => &[],
        }
    }
}

impl Word {
    /// Whether it belongs to an election, and not to what a leader does.
    pub(super) fn elects(&self) -> bool {
        match self {
            Word::Raft(word) => matches!(word, raft::Word::Ask { .. } | raft::Word::Vote { .. }),
            Word::Bully(word) => *word != bully::Word::Heartbeat,
            Word::Ring(word) => *word != ring_election::Word::Heartbeat,
        }
    }
}

/// Lets one of the protocols act, and passes on what it wants in the words of all three.
fn via<W, T, R>(
    out: &mut OutOf<Group>,
    word: fn(W) -> Word,
    timer: fn(T) -> Timer,
    act: impl FnOnce(&mut Out<W, T>) -> R,
) -> R {
    let mut own = Out::default();
    let done = act(&mut own);
    out.sent
        .extend(own.sent.into_iter().map(|(to, said)| (to, word(said))));
    out.wound
        .extend(own.wound.into_iter().map(|(of, wind)| (timer(of), wind)));
    done
}

impl Protocol for Group {
    type Node = Node;
    type Disk = raft::Disk<Order>;
    type Word = Word;
    type Timer = Timer;
    type Ask = Ask;

    fn boot(&self, me: Id, disk: Option<raft::Disk<Order>>, out: &mut OutOf<Self>) -> Node {
        match self.method {
            Method::Raft => Node::Raft(via(out, Word::Raft, Timer::Raft, |own| {
                self.raft.boot(me, disk, own)
            })),
            Method::Bully => Node::Bully(via(out, Word::Bully, Timer::Bully, |own| {
                self.bully.boot(me, None, own)
            })),
            Method::Ring => Node::Ring(via(out, Word::Ring, Timer::Ring, |own| {
                self.ring.boot(me, None, own)
            })),
        }
    }

    fn hear(&self, node: &mut Node, from: Id, word: Word, out: &mut OutOf<Self>) {
        match (node, word) {
            (Node::Raft(node), Word::Raft(word)) => via(out, Word::Raft, Timer::Raft, |own| {
                self.raft.hear(node, from, word, own);
            }),
            (Node::Bully(node), Word::Bully(word)) => via(out, Word::Bully, Timer::Bully, |own| {
                self.bully.hear(node, from, word, own);
            }),
            (Node::Ring(node), Word::Ring(word)) => via(out, Word::Ring, Timer::Ring, |own| {
                self.ring.hear(node, from, word, own);
            }),
            // A word of another method, sent before the learner chose this one.
            _ => {}
        }
    }

    fn ring(&self, node: &mut Node, timer: Timer, out: &mut OutOf<Self>) {
        match (node, timer) {
            (Node::Raft(node), Timer::Raft(timer)) => via(out, Word::Raft, Timer::Raft, |own| {
                self.raft.ring(node, timer, own);
            }),
            (Node::Bully(node), Timer::Bully(timer)) => {
                via(out, Word::Bully, Timer::Bully, |own| {
                    self.bully.ring(node, timer, own);
                });
            }
            (Node::Ring(node), Timer::Ring(timer)) => via(out, Word::Ring, Timer::Ring, |own| {
                self.ring.ring(node, timer, own);
            }),
            _ => {}
        }
    }

    fn ask(&self, node: &mut Node, what: Ask, out: &mut OutOf<Self>) -> bool {
        match (node, what) {
            (Node::Raft(node), Ask::Order(order)) => via(out, Word::Raft, Timer::Raft, |own| {
                self.raft.ask(node, order, own)
            }),
            // Both act without asking anybody.
            (Node::Bully(node), Ask::Order(_)) => node.leader == Some(node.me),
            (Node::Ring(node), Ask::Order(_)) => node.leader == Some(node.me),
            (Node::Ring(node), Ask::Reaches(other, reaches)) => {
                let told = ring_election::Ask::Reaches(other, reaches);
                via(out, Word::Ring, Timer::Ring, |own| {
                    self.ring.ask(node, told, own)
                })
            }
            (_, Ask::Reaches(..)) => false,
        }
    }

    fn disk(&self, node: &Node) -> raft::Disk<Order> {
        match node {
            Node::Raft(node) => self.raft.disk(node),
            _ => raft::Disk::default(),
        }
    }

    /// Raft's log matching; the other two promise nothing while somebody is cut off.
    fn sound(&self, nodes: &[Option<&Node>]) -> Result<(), String> {
        let raft = |node: &Option<&Node>| match node {
            Some(Node::Raft(node)) => Some(node.clone()),
            _ => None,
        };
        let nodes: Vec<Option<raft::Node<Order>>> = nodes.iter().map(raft).collect();
        let nodes: Vec<Option<&raft::Node<Order>>> = nodes.iter().map(Option::as_ref).collect();
        self.raft.sound(&nodes)
    }
}

impl Face for Group {
    type Brief = Brief;
    /// Settings are in milliseconds, and clocks are whole ones, as etcd draws them.
    const UNIT: u64 = 1_000;

    fn brief(&self, node: &Node) -> Brief {
        let plain = |leads: bool, electing: bool, leader: Option<Id>| Brief {
            role: match (leads, electing) {
                (true, _) => Role::Leads,
                (false, true) => Role::Asks,
                (false, false) => Role::Follows,
            },
            term: 0,
            leader,
            voted: None,
            commit: 0,
            last: 0,
        };
        match node {
            Node::Raft(node) => Brief {
                role: match node.role {
                    raft::Role::Follower => Role::Follows,
                    raft::Role::Asking => Role::Asks,
                    raft::Role::Candidate => Role::Candidate,
                    raft::Role::Leader => Role::Leads,
                },
                term: node.disk.term,
                leader: node.leader,
                voted: node.disk.voted_for,
                commit: node.commit,
                last: node.disk.log.last().index,
            },
            Node::Bully(node) => plain(node.leader == Some(node.me), node.electing, node.leader),
            Node::Ring(node) => plain(node.leader == Some(node.me), node.takes_part, node.leader),
        }
    }

    /// A quarter more or less, evenly.
    fn travel(&self, _: &Word, dice: &mut Dice) -> Time {
        Time((self.delay * (0.75 + 0.5 * unit(dice))) as u64)
    }

    fn look(word: &Word) -> Option<(Glyph, Ink)> {
        let tick = Some((Glyph::Heartbeat, Ink::Accent));
        let (yes, no) = ((Glyph::Response, Ink::Ok), (Glyph::Failure, Ink::Warn));
        let (asks, leads) = ((Glyph::Message, Ink::Warn), (Glyph::Replica, Ink::Ok));
        match word {
            Word::Raft(raft::Word::Ask { .. }) => Some(asks),
            Word::Raft(raft::Word::Vote { granted, .. }) => Some(if *granted { yes } else { no }),
            Word::Raft(raft::Word::Append { entries, .. }) if entries.is_empty() => tick,
            Word::Raft(raft::Word::Append { .. }) => Some((Glyph::Replica, Ink::Accent)),
            // Each heartbeat and order is answered; what elects nobody is not drawn.
            Word::Raft(raft::Word::Appended { .. }) => None,
            Word::Bully(bully::Word::Election) => Some(asks),
            Word::Bully(bully::Word::Answer) => Some(no),
            Word::Bully(bully::Word::Coordinator) => Some(leads),
            Word::Bully(bully::Word::Heartbeat) | Word::Ring(ring_election::Word::Heartbeat) => {
                tick
            }
            Word::Ring(ring_election::Word::Candidate(_)) => Some(asks),
            Word::Ring(ring_election::Word::Elected(_)) => Some(leads),
        }
    }
}
