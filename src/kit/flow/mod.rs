//! What every model of flowing things is made of: stores with keys, pools, sources, members, watches, audits.
//!
//! | piece | in place of |
//! |---|---|
//! | [`Slab`], [`Key`] | a list of requests with a free list, and numbers that tell a tenant from the next one |
//! | [`Pool`] | workers that hold things, and the queue in front of them |
//! | [`Leg`] | "reaches the end of its link at", computed again in each view |
//! | [`Source`] | gaps between arrivals, and links that are full at time zero |
//! | [`Roster`] | servers that follow a count, drain, crash and come back in another life |
//! | [`Episode`], [`Marks`], [`Holds`], [`Recently`] | spikes, marks once a second, "since when", counts of the last seconds |
//! | [`Balance`] | an audit: what was born is gone or present, and whoever holds something holds it alone |
//!
//! Nothing here says or draws anything, knows a lesson, or reads a clock: time comes in with each call.

mod balance;
mod pool;
mod roster;
mod slab;
mod source;
mod watch;

pub use balance::Balance;
pub use pool::{Busy, Offer, Pool};
pub use roster::{Change, Member, Roster};
pub use slab::{Key, Slab};
pub use source::{Leg, Source};
pub use watch::{Episode, Holds, Marks, Recently};

/// The part that an action is aimed at when the learner has picked none: `favourite` if it can take it, else the first that
/// can, else `favourite`.
pub fn aim(favourite: usize, count: usize, can: impl Fn(usize) -> bool) -> usize {
    std::iter::once(favourite)
        .chain(0..count)
        .find(|part| can(*part))
        .unwrap_or(favourite)
}

/// The middle of `count` parts, of two the second: what happens to it is seen best.
pub fn middle(count: usize) -> usize {
    (count.max(1) - 1) / 2 + usize::from(count == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_aimed_at_the_middle_if_that_can_take_it() {
        assert_eq!([1, 2, 3, 4].map(middle), [0, 1, 1, 1]);
        assert_eq!(aim(middle(3), 3, |_| true), 1);
        assert_eq!(aim(middle(3), 3, |part| part == 2), 2);
        assert_eq!(aim(middle(3), 3, |_| false), 1);
    }
}
