//! Replication by a log: a primary appends, replicas receive and replay in order, reads may be behind.
//!
//! A replica's lag has two faces, which are often confused: how old its data is, and how long it would
//! need to catch up if nothing new came. Sources: PostgreSQL (`synchronous_commit`: received is not yet
//! replayed), MySQL (appliers side by side, shown in order), Terry et al. 1994 (session guarantees),
//! order statistics for the wait for acknowledgements ([`crate::scaling::order_mean`]). Times are ticks
//! of any unit and do not run back.

use std::collections::BTreeSet;

/// A place in the log, counted from 1; 0 is before everything.
pub type Position = u64;

/// The primary's log: when each position was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Written times of the positions after `cut`.
    written: std::collections::VecDeque<u64>,
    /// Positions whose time is forgotten.
    cut: Position,
}

impl Log {
    /// Appends a record and returns its position.
    pub fn append(&mut self, now: u64) -> Position {
        self.written.push_back(now);
        self.head()
    }

    /// The newest position.
    pub fn head(&self) -> Position {
        self.cut + self.written.len() as u64
    }

    /// When a position was written; `None` if it is not, or not any more, in the log.
    pub fn written_at(&self, position: Position) -> Option<u64> {
        let i = position.checked_sub(self.cut + 1)?;
        self.written.get(usize::try_from(i).ok()?).copied()
    }

    /// Forgets the times of positions up to this one, which every replica has replayed.
    pub fn forget(&mut self, up_to: Position) {
        while self.cut < up_to && self.written.pop_front().is_some() {
            self.cut += 1;
        }
    }

    /// Cuts off everything after this position, as a primary must that comes back after a failover.
    /// Returns how many records are lost.
    pub fn truncate(&mut self, head: Position) -> u64 {
        let lost = self.head().saturating_sub(head.max(self.cut));
        for _ in 0..lost {
            self.written.pop_back();
        }
        lost
    }

    /// How old the data of a replica is that shows this position: the time since the first record that
    /// it does not show was written. 0 if it shows all.
    pub fn age(&self, now: u64, shown: Position) -> u64 {
        self.written_at(shown + 1)
            .map_or(0, |at| now.saturating_sub(at))
    }
}

/// What one replica has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replica {
    received: Position,
    shown: Position,
    /// Replayed beyond `shown`, but something before them is not.
    ahead: BTreeSet<Position>,
}

impl Replica {
    /// A replica as its acknowledgements describe it, or as it is copied from another. What is shown has been received.
    pub fn known(received: Position, shown: Position) -> Replica {
        Replica {
            received: received.max(shown),
            shown,
            ahead: BTreeSet::new(),
        }
    }

    /// The longest prefix of the log that has arrived here.
    pub fn received(&self) -> Position {
        self.received
    }

    /// The longest prefix that has been replayed: what a read sees.
    pub fn shown(&self) -> Position {
        self.shown
    }

    /// Records that have arrived and are not shown yet.
    pub fn backlog(&self) -> u64 {
        self.received - self.shown
    }

    /// A record arrives. The feed keeps their order: one that does not come next is refused.
    pub fn receive(&mut self, position: Position) -> bool {
        let next = position == self.received + 1;
        if next {
            self.received = position;
        }
        next
    }

    /// All records up to this one arrive together, as a stream sends what has piled up. Returns how many are new.
    pub fn receive_up_to(&mut self, position: Position) -> u64 {
        let new = position.saturating_sub(self.received);
        self.received += new;
        new
    }

    // region: replay
    /// A record has been replayed. Appliers may finish out of order; what is shown stays a prefix.
    /// Returns whether it is shown now. A record that has not arrived changes nothing.
    pub fn replay(&mut self, position: Position) -> bool {
        if position > self.received || position <= self.shown {
            return position <= self.shown && position > 0;
        }
        self.ahead.insert(position);
        while self.ahead.remove(&(self.shown + 1)) {
            self.shown += 1;
        }
        position <= self.shown
    }
    // endregion

    /// Throws away everything after this position, as after a failover to someone who had less.
    pub fn truncate(&mut self, head: Position) {
        self.received = self.received.min(head);
        self.shown = self.shown.min(head);
        self.ahead.retain(|&position| position <= head);
    }
}

/// Whose word the primary waits for before it answers a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitRule {
    /// Nobody's: asynchronous.
    Primary,
    /// So many replicas have received it: what is commonly called synchronous. More than there are
    /// means that no write is answered.
    Received(usize),
    /// So many replicas show it.
    Shown(usize),
}

impl CommitRule {
    /// Whether a write at this position may be answered.
    pub fn holds(self, position: Position, replicas: &[Replica]) -> bool {
        self.answered(replicas).is_none_or(|all| position <= all)
    }

    // region: commit
    /// The last position that may be answered; `None` for all that are written.
    pub fn answered(self, replicas: &[Replica]) -> Option<Position> {
        let (wanted, position): (_, fn(&Replica) -> Position) = match self {
            CommitRule::Primary | CommitRule::Received(0) | CommitRule::Shown(0) => return None,
            CommitRule::Received(wanted) => (wanted, Replica::received),
            CommitRule::Shown(wanted) => (wanted, Replica::shown),
        };
        // The furthest that so many of them have come to.
        let reached = |by: Position| replicas.iter().filter(|it| position(it) >= by).count();
        let positions = replicas.iter().map(position);
        let enough = positions.filter(|by| reached(*by) >= wanted);
        Some(enough.max().unwrap_or(0))
    }
    // endregion
}

/// What one session has seen: it must be shown at least that, or its reads go back in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The last position it wrote.
    pub written: Position,
    /// The newest position it has read.
    pub read: Position,
}

impl Session {
    // region: token
    /// The token to send with a read: read-your-writes and monotonic reads at once.
    pub fn token(self) -> Position {
        self.written.max(self.read)
    }
    // endregion

    /// Whether an answer from data at this position lacks a write of the session's own.
    pub fn misses_own(self, shown: Position) -> bool {
        shown < self.written
    }

    /// Whether it is older than what the session has read before.
    pub fn goes_back(self, shown: Position) -> bool {
        shown < self.read
    }

    /// Remembers a write that was answered.
    pub fn wrote(&mut self, position: Position) {
        self.written = self.written.max(position);
    }

    /// Remembers a read.
    pub fn saw(&mut self, shown: Position) {
        self.read = self.read.max(shown);
    }
}

/// The replicas that may answer a read which carries this token.
pub fn fresh_enough(replicas: &[Replica], token: Position) -> impl Iterator<Item = usize> {
    (replicas.iter().enumerate())
        .filter(move |(_, replica)| replica.shown() >= token)
        .map(|(i, _)| i)
}

impl Session {
    /// After a failover nothing beyond this position is to be seen any more, whoever has seen it.
    pub fn truncate(&mut self, head: Position) {
        self.written = self.written.min(head);
        self.read = self.read.min(head);
    }
}

/// Whom a failover promotes: who has received most, of equals the lowest number. What it has received
/// it replays before it takes writes.
pub fn promote(received: &[Position]) -> Option<usize> {
    (0..received.len()).max_by_key(|&i| (received[i], std::cmp::Reverse(i)))
}

/// How many records a failover loses.
pub fn lost(primary: Position, promoted: Position) -> u64 {
    primary.saturating_sub(promoted)
}

/// How many times the work of one machine a primary and its replicas do together, `machines` in all, if this share of it (0 to 1)
/// is writes, which each of them repeats: Amdahl's law with writes as the part that cannot be shared out.
pub fn capacity(machines: u32, writes: f64) -> f64 {
    let machines = f64::from(machines);
    machines / (1.0 - writes + writes * machines)
}

/// The newest write that a replica shows at `now` if each is shown exactly `lag` after it was written,
/// at that moment included. `writes` are times in order; the answer is an index.
pub fn shown_write(writes: &[u64], lag: u64, now: u64) -> Option<usize> {
    let is_shown = |&at: &u64| at.checked_add(lag).is_some_and(|shown_at| shown_at <= now);
    writes.partition_point(is_shown).checked_sub(1)
}

/// A replica that replays `apply_rate` records in a unit of time while `write_rate` are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lag {
    /// Records written and not replayed.
    pub entries: f64,
    /// How long they would take to replay if nothing were written from now on. Infinite for a replica
    /// that replays nothing.
    pub catch_up: f64,
    /// How old the replica's data is: the time since the first record that it lacks was written.
    pub age: f64,
}

/// The lag after writing at a steady rate for so long, from no lag at all. `None` for inputs that are
/// negative or not finite.
pub fn steady_lag(write_rate: f64, apply_rate: f64, duration: f64) -> Option<Lag> {
    let in_range = |value: f64| value.is_finite() && value >= 0.0;
    if ![write_rate, apply_rate, duration].into_iter().all(in_range) {
        return None;
    }
    let entries = (write_rate - apply_rate).max(0.0) * duration;
    let ratio = |divisor: f64| {
        if entries > 0.0 {
            entries / divisor
        } else {
            0.0
        }
    };
    Some(Lag {
        entries,
        catch_up: ratio(apply_rate),
        age: ratio(write_rate),
    })
}

/// The mean time to commit if it waits for the `acks` fastest of `replicas` answers, each of which takes
/// an exponential time of mean `mean`. 0 acknowledgements take no time; `None` for more than there are.
pub fn commit_mean(acks: u32, replicas: u32, mean: f64) -> Option<f64> {
    if acks == 0 {
        return Some(0.0);
    }
    Some(crate::scaling::order_mean(acks, replicas)? * mean)
}

/// Replays of a log on one replica: `appliers` workers take records in order, each for its own time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appliers {
    working: BTreeSet<Position>,
    taken: Position,
}

impl Appliers {
    /// A free one of `appliers` workers takes the next record that has been received. `None` if all work or nothing waits.
    pub fn take(&mut self, replica: &Replica, appliers: usize) -> Option<Position> {
        self.taken = self.taken.max(replica.shown());
        let can = self.working.len() < appliers && self.taken < replica.received();
        can.then(|| {
            self.taken += 1;
            self.working.insert(self.taken);
            self.taken
        })
    }

    /// Starts as many records as there are received ones and free workers. `takes` says how long each
    /// takes. Returns what was started, and when each will be done.
    pub fn start(
        &mut self,
        now: u64,
        replica: &Replica,
        appliers: usize,
        mut takes: impl FnMut(Position) -> u64,
    ) -> Vec<(Position, u64)> {
        let mut started = Vec::new();
        while let Some(position) = self.take(replica, appliers) {
            started.push((position, now.saturating_add(takes(position))));
        }
        started
    }

    /// A record is done: it leaves its worker and is replayed. Returns whether it is shown now.
    pub fn finish(&mut self, position: Position, replica: &mut Replica) -> bool {
        self.working.remove(&position) && replica.replay(position)
    }

    /// Records in work.
    pub fn busy(&self) -> usize {
        self.working.len()
    }

    /// Stops all work, as when the replica crashes or its log is cut off; records begin again.
    pub fn stop(&mut self, replica: &Replica) {
        self.working.clear();
        self.taken = replica.shown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(received: Position, shown: Position) -> Replica {
        Replica::known(received, shown)
    }

    #[test]
    fn what_is_shown_is_a_prefix_whoever_finishes_first() {
        let mut replica = Replica::default();
        for position in 1..=4 {
            assert!(replica.receive(position));
        }
        assert!(!replica.receive(4) && !replica.receive(6));
        let mut appliers = Appliers::default();
        let started = appliers.start(10, &replica, 3, |position| 100 / position);
        assert_eq!(started, [(1, 110), (2, 60), (3, 43)]);
        assert!(!appliers.finish(3, &mut replica));
        assert!(!appliers.finish(2, &mut replica));
        assert_eq!((replica.shown(), replica.backlog()), (0, 4));
        assert_eq!(appliers.start(60, &replica, 3, |_| 1), [(4, 61)]);
        assert!(appliers.finish(1, &mut replica));
        assert_eq!(replica.shown(), 3);
        assert!(!appliers.finish(9, &mut replica));
        assert!(appliers.finish(4, &mut replica));
        assert!(!replica.replay(5), "it has not arrived");
    }

    #[test]
    fn a_commit_waits_for_as_many_as_it_says() {
        let replicas = [replica(7, 3), replica(5, 5), replica(2, 1)];
        assert!(CommitRule::Primary.holds(99, &replicas));
        assert_eq!(CommitRule::Received(1).answered(&replicas), Some(7));
        assert_eq!(CommitRule::Received(2).answered(&replicas), Some(5));
        assert_eq!(CommitRule::Received(3).answered(&replicas), Some(2));
        assert_eq!(CommitRule::Shown(1).answered(&replicas), Some(5));
        assert!(!CommitRule::Received(4).holds(1, &replicas));
        assert!(CommitRule::Shown(0).holds(1, &[]));
    }

    #[test]
    fn a_token_holds_for_own_writes_and_for_what_was_read() {
        let replicas = [replica(9, 4), replica(9, 8)];
        let mut session = Session::default();
        session.wrote(5);
        assert!(session.misses_own(4) && !session.misses_own(5));
        session.saw(7);
        session.saw(6);
        assert!(session.goes_back(6) && !session.goes_back(7));
        let fresh: Vec<usize> = fresh_enough(&replicas, session.token()).collect();
        assert_eq!(fresh, [1]);
        assert_eq!(fresh_enough(&replicas, 9).count(), 0);
    }

    #[test]
    fn a_failover_keeps_what_the_best_replica_received() {
        assert_eq!(promote(&[110, 117]), Some(1));
        assert_eq!(promote(&[117, 117]), Some(0));
        assert_eq!(promote(&[]), None);
        assert_eq!((lost(120, 117), lost(117, 120)), (3, 0));
        let mut log = Log::default();
        for at in 0..5 {
            log.append(10 * at);
        }
        assert_eq!(log.truncate(3), 2);
        assert_eq!((log.head(), log.truncate(9)), (3, 0));
        log.forget(2);
        assert_eq!((log.written_at(2), log.written_at(3)), (None, Some(20)));
        assert_eq!((log.truncate(0), log.head()), (1, 2));
        let mut ahead = replica(5, 2);
        ahead.replay(4);
        ahead.truncate(3);
        assert_eq!((ahead.received(), ahead.shown()), (3, 2));
        assert!(ahead.receive(4) && ahead.replay(3) && !ahead.replay(5));
        assert_eq!(ahead.shown(), 3);
    }

    #[test]
    fn age_and_time_to_catch_up_are_two_things() {
        let mut log = Log::default();
        // 120 are written and 100 replayed a second, for a minute, in whole microseconds.
        for i in 0..7_200_u64 {
            log.append(i * 1_000_000 / 120);
        }
        let shown = 6_000;
        assert_eq!(log.age(60_000_000, shown), 10_000_000);
        let lag = steady_lag(120.0, 100.0, 60.0).unwrap();
        assert_eq!((lag.entries, lag.catch_up, lag.age), (1_200.0, 12.0, 10.0));
        let none = steady_lag(0.0, 0.0, 9.0).unwrap();
        assert_eq!((none.entries, none.catch_up, none.age), (0.0, 0.0, 0.0));
        let stopped = steady_lag(5.0, 0.0, 2.0).unwrap();
        assert_eq!((stopped.catch_up, stopped.age), (f64::INFINITY, 2.0));
        assert_eq!(steady_lag(-1.0, 1.0, 1.0), None);
    }

    #[test]
    fn a_stream_brings_what_has_piled_up_and_a_failover_takes_tokens_back() {
        let mut late = replica(3, 1);
        assert_eq!((late.receive_up_to(9), late.receive_up_to(7)), (6, 0));
        assert_eq!((late.received(), late.backlog()), (9, 8));
        let mut session = Session {
            written: 9,
            read: 5,
        };
        session.truncate(7);
        assert_eq!((session.written, session.read), (7, 5));
    }

    #[test]
    fn copies_repeat_every_write() {
        assert_eq!(capacity(1, 0.5), 1.0);
        assert!((capacity(10, 0.1) - 10.0 / 1.9).abs() < 1e-12);
        assert!((capacity(10, 0.5) - 10.0 / 5.5).abs() < 1e-12);
        assert_eq!(capacity(7, 0.0), 7.0);
    }

    #[test]
    fn a_write_is_shown_at_the_end_of_its_lag() {
        let writes = [0, 100];
        let shown = [79, 80, 179, 180].map(|now| shown_write(&writes, 80, now));
        assert_eq!(shown, [None, Some(0), Some(0), Some(1)]);
        assert_eq!(shown_write(&[5], u64::MAX, u64::MAX), None);
        assert_eq!(commit_mean(0, 3, 2.0), Some(0.0));
        assert_eq!(commit_mean(4, 3, 2.0), None);
    }
}
