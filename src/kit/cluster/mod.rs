//! Nodes that exchange messages: a shell in which a protocol runs, and the pictures that go with it.
//!
//! A protocol ([`algorithms::protocol::Protocol`]) knows neither time nor network nor screen. A [`Cluster`] gives it all three:
//! a [`Net`] that delays, loses, repeats and parts messages, clocks that end, disks that outlive a crash, nodes that pause. What
//! a lesson adds is a [`Face`]: how long a word travels, how it looks, and what of a node changes so that it is worth a note.
//!
//! # How an event goes
//!
//! ```text
//! let Some(turn) = self.cluster.on_event(event, cx) else { return };   // a node has heard, or one of its clocks has ended
//! self.tell(&turn, cx);                                                // the lesson says what changed
//! self.cluster.carry(turn, cx);                                        // what the node wants sent is sent, in that chain
//! ```
//!
//! A lesson's model holds a cluster beside whatever is its own (servers, a ledger, a judge), and its events contain
//! [`Event`]. [`Cluster::boot`], [`Cluster::ask`] and [`Cluster::force`] give a turn too; [`Cluster::crash`], [`Cluster::pause`],
//! [`Cluster::part`] and [`Cluster::by_hand`] are what a learner breaks.
//!
//! # Twins
//!
//! Every message draws its fate from the stream of its link by its number there, whatever the protocol then does with it, and
//! every clock from the stream of its node. So two groups with other settings meet the same network for as long as they send
//! the same messages.
//!
//! # Pictures
//!
//! [`Mesh`] places cards on a ring and knows the ways between them; [`messages`] draws what is under way. [`chart()`] is the
//! sequence chart: who told whom, a lane a node, the last stretch of time, every message to be clicked.

mod chart;
mod crew;
mod net;
mod view;

#[cfg(test)]
mod tests;

pub use chart::{Chart, chart};
pub use crew::{Clock, Cluster, Face, Flight, Member, Past, Spur, Turn};
pub use net::{Dice, Event, Fate, Net, aimed_at};
pub use view::{Mesh, dial, messages, ring};
