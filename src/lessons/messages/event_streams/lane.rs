//! A lane of the log with its copies, and the brokers that keep them.

use algorithms::log::{Acks, Log, Replicas};
use algorithms::replica_placement;
use engine::tape::NoteId;
use engine::{PartId, Time};
use std::collections::VecDeque;

/// Brokers, each of which has a copy of every lane.
pub(super) const BROKERS: usize = 3;

pub(super) const fn lane(l: usize) -> PartId {
    PartId::nth("lane", l as u16 + 1)
}

pub(super) const fn broker(b: usize) -> PartId {
    PartId::nth("broker", b as u16 + 1)
}

/// What Shop writes: somebody clicked, or all of a user is to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Click {
    pub(super) number: u32,
    /// From 1.
    pub(super) user: u8,
    /// It deletes what is known of the user.
    pub(super) tombstone: bool,
    pub(super) cause: NoteId,
}

/// A machine that keeps copies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broker {
    pub(super) up: bool,
    /// It is to die in the middle of its work, at the latest then.
    pub(super) doomed: Option<Time>,
    /// Which of its lives it is in.
    pub(super) life: u32,
    pub(super) cause: NoteId,
}

/// Where a lane's copies are: leaders go round, broker 1 for lane 1, 2 for lane 2 and so on.
fn brokers_of(number: usize) -> [usize; BROKERS] {
    let brokers = std::array::from_fn::<_, BROKERS, _>(|id| replica_placement::Broker {
        id: id as u32,
        ..replica_placement::Broker::default()
    });
    let placed = replica_placement::place(&brokers, BROKERS, number);
    let placed = placed.expect("as many brokers as copies");
    std::array::from_fn(|replica| placed[replica] as usize)
}

/// One partition.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// The brokers that have it, the leader by preference first.
    brokers: [usize; BROKERS],
    /// A record is about a user, and its value is the click's number.
    pub(super) log: Log<u8, u32>,
    pub(super) replicas: Replicas,
    /// Up to before this offset Shop has been answered.
    pub(super) answered: u64,
    /// Answered, and cut off since.
    pub(super) gone: u64,
    /// What Shop could not write yet, oldest first.
    pub(super) pending: VecDeque<Click>,
    pub(super) trying: bool,
    /// When the last record came.
    pub(super) grown_at: Time,
    /// Copies on their way belong to this reign.
    pub(super) reign: u32,
    /// Why it has the leader that it has.
    pub(super) cause: NoteId,
}

impl Lane {
    pub(super) fn new(number: usize, cause: NoteId) -> Lane {
        Lane {
            brokers: brokers_of(number),
            log: Log::default(),
            replicas: Replicas::new(BROKERS),
            answered: 0,
            gone: 0,
            pending: VecDeque::new(),
            trying: false,
            grown_at: Time::ZERO,
            reign: 0,
            cause,
        }
    }

    /// The broker that has this replica of it.
    pub(super) fn broker_of(&self, replica: usize) -> usize {
        self.brokers[replica]
    }

    pub(super) fn replica_on(&self, broker: usize) -> usize {
        self.brokers
            .iter()
            .position(|one| *one == broker)
            .unwrap_or(0)
    }

    /// The broker that leads it, dead or alive.
    pub(super) fn led_by(&self) -> Option<usize> {
        self.replicas.leader.map(|replica| self.broker_of(replica))
    }

    /// Readers see what is below.
    pub(super) fn watermark(&self) -> u64 {
        self.replicas.high_watermark()
    }

    /// Answers what can be answered; returns how many records that are.
    pub(super) fn answer(&mut self, acks: Acks) -> u64 {
        let upto = match acks {
            Acks::Leader => self.log.end(),
            Acks::All => self.watermark(),
        };
        let more = upto.saturating_sub(self.answered);
        self.answered += more;
        more
    }

    /// Answered, and only on its leader.
    pub(super) fn at_risk(&self) -> u64 {
        self.answered.saturating_sub(self.watermark())
    }
}
