//! A log: numbered records that are only added at the end, and never taken out by reading.
//!
//! [`Log`] is one partition: appending, reading from any offset, retention, compaction. [`Replicas`] are its copies: who is
//! in sync, up to where all of them are (the high watermark), who may lead. [`resume`] says where a reader goes on. A committed
//! offset is that of the *next* record to read. Source: Kreps, Narkhede, Rao, "Kafka: a Distributed Messaging System for Log
//! Processing" (2011); Apache Kafka's documentation on design, retention, compaction and replication. Times are microseconds.

use std::collections::VecDeque;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<K, V> {
    /// Its number in the partition, given when it is appended and never changed.
    pub offset: u64,
    /// When it was appended.
    pub at_us: u64,
    /// What it is about; records without a key are never compacted.
    pub key: Option<K>,
    /// None for a tombstone, which deletes its key.
    pub value: Option<V>,
}

/// A partition. Offsets are dense where records are appended; only compaction leaves holes.
#[derive(Clone, Debug)]
pub struct Log<K, V> {
    records: VecDeque<Record<K, V>>,
    start: u64,
    end: u64,
}

impl<K, V> Default for Log<K, V> {
    fn default() -> Self {
        Log {
            records: VecDeque::new(),
            start: 0,
            end: 0,
        }
    }
}

impl<K: PartialEq + Copy, V> Log<K, V> {
    // region: append
    /// Adds a record at the end; returns its offset.
    pub fn append(&mut self, at_us: u64, key: Option<K>, value: Option<V>) -> u64 {
        let offset = self.end;
        self.end += 1;
        self.records.push_back(Record {
            offset,
            at_us,
            key,
            value,
        });
        offset
    }

    /// The records from an offset on, up to before another. Whoever reads takes nothing out.
    pub fn read(&self, from: u64, below: u64) -> impl Iterator<Item = &Record<K, V>> {
        let first = self.records.partition_point(|one| one.offset < from);
        let rest = self.records.range(first..);
        rest.take_while(move |one| one.offset < below)
    }
    // endregion

    /// The first offset that can still be read.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The offset that the next record will have.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// How many records are there.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether none is there.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The record of an offset; none if it is past retention, compacted, or not there yet.
    pub fn get(&self, offset: u64) -> Option<&Record<K, V>> {
        self.read(offset, offset + 1).next()
    }

    /// Retention: records below `below` that were appended before `since_us` are gone. Kafka drops whole files of records
    /// once their last is old enough; here it is exact.
    pub fn expire(&mut self, since_us: u64, below: u64) {
        while let Some(oldest) = self.records.front()
            && oldest.at_us < since_us
            && oldest.offset < below
        {
            self.start = oldest.offset + 1;
            self.records.pop_front();
        }
    }

    /// Retention by number: only the last so many are kept.
    pub fn keep_last(&mut self, count: usize) {
        while self.records.len() > count
            && let Some(oldest) = self.records.pop_front()
        {
            self.start = oldest.offset + 1;
        }
    }

    /// Cuts off all from an offset on, as a replica does that has more than its new leader. Returns what was cut off.
    pub fn truncate(&mut self, end: u64) -> VecDeque<Record<K, V>> {
        if end >= self.end {
            return VecDeque::new();
        }
        self.end = end.max(self.start);
        let first = self.records.partition_point(|one| one.offset < self.end);
        self.records.split_off(first)
    }

    // region: compact
    /// Keeps, below `below`, the last record of each key. Offsets stay. Tombstones from before `tombstones_us` go as well: by
    /// then all who read along have seen them. Returns how many records went.
    pub fn compact(&mut self, below: u64, tombstones_us: u64) -> usize {
        let before = self.records.len();
        let mut seen: Vec<K> = Vec::new();
        let mut kept = VecDeque::with_capacity(before);
        while let Some(record) = self.records.pop_back() {
            let newer = record.key.is_some_and(|key| seen.contains(&key));
            let over = record.value.is_none() && record.at_us < tombstones_us;
            if record.offset < below && (newer || over) {
                continue;
            }
            if let Some(key) = record.key.filter(|_| !newer) {
                seen.push(key);
            }
            kept.push_front(record);
        }
        self.records = kept;
        before - self.records.len()
    }
    // endregion
}

/// Where a group goes on that has committed nothing, or something that is no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// At the end: what came before is not read. The default.
    Latest,
    /// At the first record that is left.
    Earliest,
}

/// Where a reader goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Where it had got to.
    At(u64),
    /// Here for want of anything better: nothing was committed, or what was is out of range.
    Reset(u64),
}

// region: resume
/// Where a group goes on in a log that has the records from `start` to before `end`.
pub fn resume(committed: Option<u64>, start: u64, end: u64, reset: Reset) -> Resume {
    match committed {
        Some(next) if (start..=end).contains(&next) => Resume::At(next),
        _ => Resume::Reset(match reset {
            Reset::Latest => end,
            Reset::Earliest => start,
        }),
    }
}
// endregion

/// When a write is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// As soon as the leader has it.
    Leader,
    /// When all who are in sync have it.
    All,
}

/// The write is refused: with [`Acks::All`], so few are in sync that it would be no safer than with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotEnoughReplicas;

/// The copies of one partition, the first of which leads by preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replicas {
    /// Up to before which offset each has the log.
    pub ends: Vec<u64>,
    /// Who may lead: those who have had all that the leader had a short while ago.
    pub in_sync: Vec<bool>,
    /// Who leads; none while the partition is closed.
    pub leader: Option<usize>,
    watermark: u64,
}

impl Replicas {
    /// So many empty ones, all in sync, led by the first.
    pub fn new(count: usize) -> Replicas {
        Replicas {
            ends: vec![0; count],
            in_sync: vec![true; count],
            leader: (count > 0).then_some(0),
            watermark: 0,
        }
    }

    /// How many are in sync.
    pub fn in_sync_count(&self) -> usize {
        self.in_sync.iter().filter(|one| **one).count()
    }

    /// Readers see what is below it: it is on all replicas that could lead next.
    pub fn high_watermark(&self) -> u64 {
        self.watermark
    }

    // region: watermark
    /// The watermark goes up to the least end of those in sync. It never goes back.
    fn raise(&mut self) {
        let in_sync = self.ends.iter().zip(&self.in_sync).filter(|one| *one.1);
        let least = in_sync.map(|(end, _)| *end).min();
        self.watermark = self.watermark.max(least.unwrap_or(0));
    }
    // endregion

    /// Whether a write may be taken.
    ///
    /// # Errors
    /// Fewer are in sync than must be.
    pub fn admits(&self, acks: Acks, in_sync_min: usize) -> Result<(), NotEnoughReplicas> {
        match acks {
            Acks::All if self.in_sync_count() < in_sync_min => Err(NotEnoughReplicas),
            _ => Ok(()),
        }
    }

    /// A replica has the log up to before `end`; never less than before.
    pub fn reached(&mut self, replica: usize, end: u64) {
        self.ends[replica] = self.ends[replica].max(end);
        self.raise();
    }

    /// A replica is no longer in sync. The last one stays: without it nobody could ever lead again.
    pub fn falls_out(&mut self, replica: usize) {
        if self.in_sync[replica] && self.in_sync_count() > 1 {
            self.in_sync[replica] = false;
            self.raise();
        }
    }

    /// A replica that has all that the leader has is in sync again.
    pub fn joins(&mut self, replica: usize) {
        let caught_up = self
            .leader
            .is_some_and(|leader| self.ends[replica] >= self.ends[leader]);
        self.in_sync[replica] |= caught_up;
    }

    // region: elect
    /// Chooses a leader among those who are in sync and alive, in the order of preference; nobody else (no *unclean*
    /// election). What the others have beyond its end is cut off. Returns the end of the log.
    pub fn elect(&mut self, alive: impl Fn(usize) -> bool) -> Option<u64> {
        let fit = |replica: &usize| self.in_sync[*replica] && alive(*replica);
        self.leader = (0..self.ends.len()).find(fit);
        let end = self.ends[self.leader?];
        for (replica, other) in self.ends.iter_mut().enumerate() {
            *other = (*other).min(end);
            self.in_sync[replica] &= alive(replica);
        }
        self.raise();
        Some(end)
    }
    // endregion
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg32;

    #[test]
    fn reading_takes_nothing_out_and_retention_takes_the_oldest() {
        let mut log: Log<u8, u32> = Log::default();
        for n in 0..10 {
            assert_eq!(log.append(n * 10, Some(1), Some(n as u32)), n);
        }
        for _ in 0..2 {
            assert_eq!(log.read(3, 6).count(), 3);
        }
        log.expire(35, 3);
        assert_eq!((log.start(), log.end(), log.len()), (3, 10, 7));
        log.expire(35, 10);
        assert_eq!(log.start(), 4);
        log.keep_last(2);
        assert_eq!(log.start(), 8);
        assert_eq!((log.truncate(9).len(), log.end(), log.len()), (1, 9, 1));
        assert_eq!(log.truncate(3).len(), 1);
        assert_eq!((log.start(), log.end(), log.is_empty()), (8, 8, true));
        assert_eq!(log.append(200, None, None), 8);
    }

    #[test]
    fn a_tombstone_of_a_key_never_seen_goes_in_time() {
        let mut log: Log<u8, u32> = Log::default();
        log.append(0, Some(9), None);
        log.append(1, None, Some(1));
        assert_eq!(log.compact(2, 0), 0);
        assert_eq!(log.compact(2, 1), 1);
        assert_eq!(
            (log.get(0), log.get(1).is_some(), log.end()),
            (None, true, 2)
        );
    }

    /// Writes, copies, crashes and elections in any order: the watermark never goes back, lies below every end that is in
    /// sync, and what was answered under *all* is never cut off.
    #[test]
    fn nothing_below_the_watermark_is_ever_cut_off() {
        for seed in 0..crate::schedules(300) {
            let mut rng = Pcg32::seed_from_u64(seed);
            let mut replicas = Replicas::new(3);
            let mut alive = [true; 3];
            let (mut end, mut answered) = (0, 0);
            for _ in 0..200 {
                let one = rng.random_range(0..3);
                match rng.random_range(0..10) {
                    0 => {
                        alive[one] = false;
                        if replicas.leader == Some(one) {
                            replicas.leader = None;
                        }
                    }
                    1 => alive[one] = true,
                    2 if replicas.leader.is_none() => {
                        end = replicas.elect(|at| alive[at]).unwrap_or(end);
                    }
                    3 if !alive[one] => replicas.falls_out(one),
                    4 if alive[one] => replicas.joins(one),
                    5..8 if alive[one] && replicas.leader.is_some() => replicas.reached(one, end),
                    _ => {
                        if let Some(leader) = replicas.leader {
                            end += 1;
                            replicas.reached(leader, end);
                        }
                    }
                }
                let watermark = replicas.high_watermark();
                assert!(watermark >= answered, "{seed}");
                answered = watermark;
                for at in (0..3).filter(|at| replicas.in_sync[*at]) {
                    assert!(replicas.ends[at] >= watermark, "{seed}: {replicas:?}");
                }
                assert!(end >= watermark && replicas.in_sync_count() > 0);
            }
        }
    }

    #[test]
    fn a_watermark_rises_when_the_slow_one_falls_out() {
        let mut replicas = Replicas::new(2);
        replicas.reached(0, 5);
        assert_eq!(replicas.high_watermark(), 0);
        replicas.falls_out(1);
        assert_eq!(replicas.high_watermark(), 5);
        assert_eq!(replicas.admits(Acks::All, 2), Err(NotEnoughReplicas));
        assert_eq!(replicas.admits(Acks::Leader, 2), Ok(()));
        replicas.falls_out(0);
        assert_eq!(replicas.in_sync_count(), 1, "the last one stays");
        // Who has less than the leader is not in sync, and does not lead.
        replicas.joins(1);
        assert_eq!(replicas.elect(|at| at == 1), None);
        replicas.leader = Some(0);
        replicas.reached(1, 5);
        replicas.joins(1);
        assert_eq!(replicas.elect(|at| at == 1), Some(5));
    }
}
