//! The network: who reaches whom, and what becomes of a message.

use crate::flow::Key;
use algorithms::protocol::Id;
use engine::random::chance;
use engine::{Stream, Time};
use rand_pcg::Pcg32;

/// The random numbers of one message.
pub type Dice = Pcg32;

/// The node that an action is aimed at: parts count from 1, targets from 0. One that no cluster has where the target is the dot of
/// a message, or comes from a link that somebody wrote.
pub fn aimed_at(target: usize) -> Id {
    Id::try_from(target.saturating_add(1)).unwrap_or(Id::MAX)
}

/// What can be due in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message is at the end of its way.
    Land(Key),
    /// A clock of a node ends, if it has not been wound again since.
    Ring {
        /// Whose.
        node: Id,
        /// Which of its clocks, by place.
        clock: u8,
        /// The turn it was wound in.
        turn: u32,
    },
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives,
    /// It is lost half way.
    Lost,
}

/// Which nodes can reach which others, and how reliable their links are. Nodes count from 1, at most 127 of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// Bit `to` of the word of a node: it cannot send there.
    blocked: Vec<u128>,
    /// What each node's messages take longer, both those that it sends and those that it gets.
    slow: Vec<Time>,
    /// The share of messages that is lost, 0 to 1.
    pub loss: f64,
    /// The share of messages that arrives twice, 0 to 1.
    pub twice: f64,
}

const LINK: Stream = Stream::named("link");
const SENDER: Stream = Stream::named("sender");
const CLOCK: Stream = Stream::named("clock");

impl Net {
    /// A network of so many nodes that loses nothing.
    pub fn new(size: usize) -> Net {
        Net {
            blocked: vec![0; size + 1],
            slow: vec![Time::ZERO; size + 1],
            loss: 0.0,
            twice: 0.0,
        }
    }

    /// How many nodes it has room for.
    pub fn size(&self) -> usize {
        self.blocked.len().saturating_sub(1)
    }

    /// The stream from which messages of a link draw.
    pub fn link(from: Id, to: Id) -> Stream {
        LINK.nth(u64::from(from) * 64 + u64::from(to))
    }

    /// The stream from which all that a node sends draws, where links have none of their own.
    pub fn sender(node: Id) -> Stream {
        SENDER.nth(u64::from(node))
    }

    /// The stream from which clocks of a node draw.
    pub fn clock(node: Id) -> Stream {
        CLOCK.nth(u64::from(node))
    }

    /// Whether a message from one to the other gets through.
    pub fn reaches(&self, from: Id, to: Id) -> bool {
        let blocked = self.blocked.get(usize::from(from)).copied().unwrap_or(0);
        blocked & bit(to) == 0
    }

    /// Blocks one direction of a link, or opens it again.
    pub fn block(&mut self, from: Id, to: Id, blocked: bool) {
        if let Some(word) = self.blocked.get_mut(usize::from(from)) {
            *word = if blocked {
                *word | bit(to)
            } else {
                *word & !bit(to)
            };
        }
    }

    /// From now on a node's messages take so much longer, each way.
    pub fn slow_down(&mut self, node: Id, by: Time) {
        if let Some(slow) = self.slow.get_mut(usize::from(node)) {
            *slow = by;
        }
    }

    /// How much longer a message takes than its word does.
    pub(super) fn extra(&self, from: Id, to: Id) -> Time {
        let of = |node: Id| self.slow.get(usize::from(node)).copied();
        of(from).unwrap_or_default() + of(to).unwrap_or_default()
    }

    /// Cuts these nodes off from all others, in both directions.
    pub fn part(&mut self, side: &[Id]) {
        for one in 1..=self.size() as Id {
            for other in 1..=self.size() as Id {
                if side.contains(&one) != side.contains(&other) {
                    self.block(one, other, true);
                }
            }
        }
    }

    /// Everybody reaches everybody again.
    pub fn heal(&mut self) {
        self.blocked.fill(0);
    }

    /// Whether any link is cut.
    pub fn is_parted(&self) -> bool {
        self.blocked.iter().any(|word| *word != 0)
    }

    /// The fate of a message by its own dice: the same draws whatever the settings, so that twins meet the same network.
    pub(super) fn fate(&self, from: Id, to: Id, dice: &mut Dice) -> Fate {
        let lost = chance(dice, self.loss) && self.loss > 0.0;
        if lost || !self.reaches(from, to) {
            Fate::Lost
        } else {
            Fate::Arrives
        }
    }

    /// Whether a message arrives twice.
    pub(super) fn repeats(&self, dice: &mut Dice) -> bool {
        chance(dice, self.twice) && self.twice > 0.0
    }
}

fn bit(node: Id) -> u128 {
    1 << (u32::from(node) & 127)
}
