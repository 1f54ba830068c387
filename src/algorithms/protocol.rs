//! Protocols between machines, without machines: what a node does when it starts, hears something, or one of its clocks ends.
//!
//! A protocol has no time, no network and no chance of its own (*sans-IO*). It says into an [`Out`] what it sends and which
//! clocks it winds; whoever runs it carries messages, lets clocks end, and keeps what a node has written to its disk.

/// A node, counted from 1.
pub type Id = u8;

/// How long a clock runs, in whatever unit the protocol's settings have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wind {
    /// It stops, and ends never.
    Off,
    /// It ends after exactly so long.
    After(u64),
    /// It ends after `least` and up to `spread` more, drawn anew: both ends are possible.
    Within {
        /// At least so long.
        least: u64,
        /// At most so much longer.
        spread: u64,
    },
}

/// What a node wants done, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Out<W, T> {
    /// Messages, and to whom.
    pub sent: Vec<(Id, W)>,
    /// Clocks that were wound; one that runs already begins anew.
    pub wound: Vec<(T, Wind)>,
}

impl<W, T> Default for Out<W, T> {
    fn default() -> Self {
        Out {
            sent: Vec::new(),
            wound: Vec::new(),
        }
    }
}

impl<W, T> Out<W, T> {
    /// Sends a message.
    pub fn send(&mut self, to: Id, word: W) {
        self.sent.push((to, word));
    }

    /// Winds a clock.
    pub fn wind(&mut self, timer: T, wind: Wind) {
        self.wound.push((timer, wind));
    }
}

/// What [`Protocol`] `P` puts its wishes into.
pub type OutOf<P> = Out<<P as Protocol>::Word, <P as Protocol>::Timer>;

/// A protocol: settings that all nodes share, and what each of them does.
pub trait Protocol: Clone {
    /// A node that runs.
    type Node: Clone;
    /// What is left of it when it crashes.
    type Disk: Clone;
    /// What nodes tell each other.
    type Word: Clone;
    /// The clocks of a node.
    type Timer: Copy + Ord;
    /// What clients ask of a node.
    type Ask;

    /// A node starts: for the first time, or with what it wrote to its disk.
    fn boot(&self, me: Id, disk: Option<Self::Disk>, out: &mut OutOf<Self>) -> Self::Node;

    /// A message has arrived.
    fn hear(&self, node: &mut Self::Node, from: Id, word: Self::Word, out: &mut OutOf<Self>);

    /// A clock has ended.
    fn ring(&self, node: &mut Self::Node, timer: Self::Timer, out: &mut OutOf<Self>);

    /// A client asks for something; tells whether this node took it on.
    fn ask(&self, node: &mut Self::Node, what: Self::Ask, out: &mut OutOf<Self>) -> bool;

    /// What would be left of a node if it crashed now.
    fn disk(&self, node: &Self::Node) -> Self::Disk;

    /// What must hold of all nodes at every moment; those that are down are none.
    ///
    /// # Errors
    /// What does not hold, in one sentence.
    fn sound(&self, nodes: &[Option<&Self::Node>]) -> Result<(), String>;
}
