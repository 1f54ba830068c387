//! What is known of a subscriber and of a price, apart from what happens to them.

use algorithms::output_buffer::OutputBuffer;
use algorithms::topic::SubscriptionId;
use engine::Time;
use engine::tape::NoteId;
use kit::flow::{Key, Recently};
use std::collections::VecDeque;

pub(super) const SUBSCRIBERS: usize = 5;
pub(super) const SCREEN: usize = 0;
pub(super) const PHONE: usize = 1;
pub(super) const AUDIT: usize = 2;
pub(super) const ALERTS: usize = 3;
pub(super) const LATECOMER: usize = 4;
/// What is left of the speed of somebody who is slowed down.
pub(super) const SLOW: f64 = 0.3;

/// Why somebody does not get a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lost {
    /// It was not connected, or its connection broke.
    #[default]
    Away,
    /// It was cut off, or is not yet back from that.
    Cut,
    /// Its buffer was full, or a newer one took its place.
    Dropped,
    /// All tries have failed.
    GivenUp,
    /// All tries have failed, and it is kept among the dead letters.
    Dead,
}

/// What became of the copy of one price for one subscriber, as far as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// There is none: nobody had subscribed.
    Absent,
    /// It waits, travels or is being handled.
    Waits,
    Handled,
    Lost,
    /// It was not meant for it.
    Aside,
}

/// A price, and what became of its copies.
#[derive(Clone, Debug)]
pub(super) struct Price {
    pub(super) number: u32,
    pub(super) symbol: usize,
    pub(super) alert: bool,
    pub(super) cents: u32,
    /// When it was published.
    pub(super) at: Time,
    pub(super) cause: NoteId,
    pub(super) fates: [Fate; SUBSCRIBERS],
}

/// One subscriber.
#[derive(Clone, Debug)]
pub(super) struct Subscriber {
    /// Whether it has ever subscribed.
    pub(super) joined: bool,
    pub(super) connected: bool,
    /// Why it is not connected.
    pub(super) gone: Lost,
    pub(super) back_at: Option<Time>,
    /// Counts its absences, so that the end of an earlier one does not end a later one.
    pub(super) life: u32,
    /// What it can do, a second.
    pub(super) rate: f64,
    pub(super) slow: bool,
    /// Counts the times that it was slowed down.
    pub(super) spell: u32,
    pub(super) reconnect: Time,
    /// What waits for it at the topic.
    pub(super) buffer: OutputBuffer<Key>,
    /// Its connection has just taken a copy and takes the next one in its time.
    pub(super) draining: bool,
    /// When it has handled all that it has.
    pub(super) free_at: Time,
    pub(super) subscription: Option<SubscriptionId>,
    /// Prices that were sent to it, and that it will throw away.
    pub(super) unwanted: VecDeque<u32>,
    /// The last price that the topic's filter turned back, and when.
    pub(super) turned_back: Option<(u32, Time)>,
    /// The number and the age of the price that it handled last.
    pub(super) last: u32,
    pub(super) age: Time,
    /// Handled lately.
    pub(super) done: Recently<1>,
    pub(super) meant: u64,
    pub(super) handled: u64,
    pub(super) thrown: u64,
    pub(super) twice: u64,
    /// By [`Lost`].
    pub(super) lost: [u64; 5],
    /// Since the counts began anew.
    pub(super) thrown_since: u32,
    pub(super) handled_since: u32,
    pub(super) lost_since: u32,
    pub(super) cuts: u32,
    /// How long after the counts began it was cut off for the first time.
    pub(super) first_cut: Option<Time>,
    /// Lost to absences when the last one began.
    pub(super) lost_away_before: u64,
    /// Handled since it came back.
    pub(super) since_back: u32,
    /// What its present state goes back to.
    pub(super) cause: NoteId,
}

impl Subscriber {
    pub(super) fn new(joined: bool, now: Time) -> Subscriber {
        Subscriber {
            joined,
            connected: joined,
            gone: Lost::default(),
            back_at: None,
            life: 0,
            rate: 1.0,
            slow: false,
            spell: 0,
            reconnect: Time::ZERO,
            buffer: OutputBuffer::default(),
            draining: false,
            free_at: now,
            subscription: None,
            unwanted: VecDeque::new(),
            turned_back: None,
            last: 0,
            age: Time::ZERO,
            done: Recently::new(now),
            meant: 0,
            handled: 0,
            thrown: 0,
            twice: 0,
            lost: [0; 5],
            thrown_since: 0,
            handled_since: 0,
            lost_since: 0,
            cuts: 0,
            first_cut: None,
            lost_away_before: 0,
            since_back: 0,
            cause: NoteId::NONE,
        }
    }

    /// What it can do now, a second.
    pub(super) fn speed(&self) -> f64 {
        if self.slow {
            self.rate * SLOW
        } else {
            self.rate
        }
    }

    /// How long it takes for one price.
    pub(super) fn pace(&self) -> Time {
        Time::from_s(1.0 / self.speed())
    }

    /// The share that it has handled of what it has handled or lost since the counts began; all of nothing.
    pub(super) fn share(&self) -> f64 {
        let settled = self.handled_since + self.lost_since;
        if settled == 0 {
            return 1.0;
        }
        f64::from(self.handled_since) / f64::from(settled)
    }
}
