//! A cache in front of a database, and the ways in which writes reach the two.
//!
//! Two levels: [`CachedStore::read`] and [`CachedStore::write`] run a whole operation at one moment; the single
//! steps they are made of ([`Step`], [`CachedStore::look_up`] …) are public, because the famous races lie
//! *between* the steps of two clients.

use crate::cache::{Cache, Lookup, Put};
use crate::eviction::Policy;
use rand::Rng;
use std::collections::BTreeMap;

/// How a write reaches cache and database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WritePolicy {
    /// Cache-aside (lazy): write the database, then drop the cached copy; the next read fills it again.
    Aside,
    /// Drop the cached copy first, then write the database: a reader in between brings the old value back.
    AsideDeleteFirst,
    /// Write the database alone; a cached copy lives on, stale, until it expires or is evicted.
    Around,
    /// Write the cache and the database before answering.
    Through,
    /// Write the cache, answer, and write the database later, at a flush or an eviction.
    Back,
    /// Write the database, then push the new value into the cache before anyone asks for it.
    Ahead,
}

/// One trip of an operation to the cache or to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Look the key up in the cache.
    LookUp,
    /// Read the key from the database.
    ReadDatabase,
    /// Put the value that was read into the cache.
    Fill,
    /// Write the new value to the database.
    WriteDatabase,
    /// Write the new value to the cache; the database has it too, or gets it in this operation.
    WriteCache,
    /// Write the new value to the cache alone and remember that the database lacks it.
    WriteCacheDirty,
    /// Drop the key from the cache.
    Invalidate,
}

impl Step {
    /// The steps of a read that hits.
    pub const HIT: &[Step] = &[Step::LookUp];
    /// The steps of a read that misses.
    pub const MISS: &[Step] = &[Step::LookUp, Step::ReadDatabase, Step::Fill];

    /// Whether the step goes to the database rather than to the cache.
    pub fn is_database(self) -> bool {
        matches!(self, Step::ReadDatabase | Step::WriteDatabase)
    }
}

impl WritePolicy {
    /// Every policy, in the order in which a choice would list them.
    pub const ALL: [WritePolicy; 6] = [
        WritePolicy::Aside,
        WritePolicy::AsideDeleteFirst,
        WritePolicy::Around,
        WritePolicy::Through,
        WritePolicy::Back,
        WritePolicy::Ahead,
    ];

    /// The steps a writer waits for before it is answered.
    pub fn steps(self) -> &'static [Step] {
        match self {
            WritePolicy::Aside => &[Step::WriteDatabase, Step::Invalidate],
            WritePolicy::AsideDeleteFirst => &[Step::Invalidate, Step::WriteDatabase],
            WritePolicy::Around => &[Step::WriteDatabase],
            WritePolicy::Through => &[Step::WriteCache, Step::WriteDatabase],
            WritePolicy::Back => &[Step::WriteCacheDirty],
            WritePolicy::Ahead => &[Step::WriteDatabase, Step::WriteCache],
        }
    }

    /// How long those steps take, one after the other, in whatever unit the two times share.
    pub fn write_time(self, cache_time: u64, database_time: u64) -> u64 {
        self.steps()
            .iter()
            .map(|step| {
                if step.is_database() {
                    database_time
                } else {
                    cache_time
                }
            })
            .sum()
    }
}

/// Mean time of a read that always asks the cache and asks the database on a miss alone, in the unit of its inputs.
pub fn mean_read_time(hit_ratio: f64, cache_time: f64, database_time: f64) -> f64 {
    cache_time + database_load(hit_ratio) * database_time
}

/// Share of reads that reach the database.
pub fn database_load(hit_ratio: f64) -> f64 {
    1.0 - hit_ratio
}

/// A cached value and whether the database has it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<V> {
    /// The value.
    pub value: V,
    /// The database lacks this value: losing the line loses the write.
    pub dirty: bool,
}

/// Where a read got its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The cache had it.
    Cache,
    /// The cache did not, the database was asked.
    Database,
}

/// The answer to a [`CachedStore::read`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<V> {
    /// The value, or `None` if the database has none either.
    pub value: Option<V>,
    /// Who answered.
    pub source: Source,
    /// Whether the entry is old enough to be fetched anew in the background (see [`CachedStore::refresh_after_us`]).
    pub refresh_due: bool,
}

/// Trips to the two stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trips {
    /// Values read from the database.
    pub database_reads: u64,
    /// Values written to the database.
    pub database_writes: u64,
    /// Writes to the cache, fills included.
    pub cache_writes: u64,
    /// Acknowledged writes that are gone from both.
    pub lost_writes: u64,
}

/// A cache and the database behind it, both inspectable.
#[derive(Clone, Debug)]
pub struct CachedStore<K, V> {
    /// The policy of [`CachedStore::write`]; may be changed at any time.
    pub write_policy: WritePolicy,
    /// Time to live of what is put into the cache; `None` is for good. A dirty line never expires.
    pub ttl_us: Option<u64>,
    /// Refresh-ahead: a hit on an entry at least this old asks for a background [`CachedStore::refresh`].
    pub refresh_after_us: Option<u64>,
    cache: Cache<K, Line<V>>,
    database: BTreeMap<K, V>,
    trips: Trips,
}

impl<K: Ord + Clone, V: Clone> CachedStore<K, V> {
    /// An empty cache in front of `database`.
    pub fn new(
        write_policy: WritePolicy,
        eviction: Policy,
        capacity: usize,
        ttl_us: Option<u64>,
        database: BTreeMap<K, V>,
    ) -> Self {
        Self {
            write_policy,
            ttl_us,
            refresh_after_us: None,
            cache: Cache::new(eviction, capacity),
            database,
            trips: Trips::default(),
        }
    }

    /// Reads through the cache; a miss fills it.
    pub fn read(&mut self, key: &K, now_us: u64, rng: &mut impl Rng) -> Read<V> {
        if let Lookup::Hit(value) = self.look_up(key, now_us) {
            let refresh_due = self.is_refresh_due(key, now_us);
            return Read {
                value: Some(value),
                source: Source::Cache,
                refresh_due,
            };
        }
        let value = self.read_database(key);
        if let Some(value) = &value {
            self.fill(key.clone(), value.clone(), now_us, rng);
        }
        Read {
            value,
            source: Source::Database,
            refresh_due: false,
        }
    }

    /// Whether the entry of `key` is old enough to be fetched anew in the background; a dirty one never is.
    pub fn is_refresh_due(&self, key: &K, now_us: u64) -> bool {
        match (self.refresh_after_us, self.cache.peek(key)) {
            (Some(after_us), Some(entry)) => {
                !entry.value.dirty && now_us >= entry.stored_us.saturating_add(after_us)
            }
            _ => false,
        }
    }

    /// Writes by the policy in force, all steps at this moment.
    pub fn write(&mut self, key: &K, value: V, now_us: u64, rng: &mut impl Rng) {
        for step in self.write_policy.steps() {
            self.write_step(*step, key, &value, now_us, rng);
        }
    }

    /// Takes one step of a write; the reading steps do nothing here.
    pub fn write_step(&mut self, step: Step, key: &K, value: &V, now_us: u64, rng: &mut impl Rng) {
        match step {
            Step::WriteDatabase => self.write_database(key.clone(), value.clone()),
            Step::WriteCache => self.fill(key.clone(), value.clone(), now_us, rng),
            Step::WriteCacheDirty => self.put(key.clone(), value.clone(), true, now_us, rng),
            Step::Invalidate => self.invalidate(key),
            Step::LookUp | Step::ReadDatabase | Step::Fill => {}
        }
    }

    /// Asks the cache alone.
    pub fn look_up(&mut self, key: &K, now_us: u64) -> Lookup<V> {
        match self.cache.get(key, now_us) {
            Lookup::Hit(line) => Lookup::Hit(line.value),
            Lookup::Miss => Lookup::Miss,
            Lookup::Expired => Lookup::Expired,
        }
    }

    /// Asks the database alone.
    pub fn read_database(&mut self, key: &K) -> Option<V> {
        self.trips.database_reads += 1;
        self.database.get(key).cloned()
    }

    /// Puts a value that the database is believed to have into the cache, whatever is there.
    pub fn fill(&mut self, key: K, value: V, now_us: u64, rng: &mut impl Rng) {
        self.put(key, value, false, now_us, rng);
    }

    /// Writes the database alone.
    pub fn write_database(&mut self, key: K, value: V) {
        self.trips.database_writes += 1;
        self.database.insert(key, value);
    }

    /// Drops the cached copy; a dirty one is written to the database first.
    pub fn invalidate(&mut self, key: &K) {
        if let Some(entry) = self.cache.remove(key)
            && entry.value.dirty
        {
            self.write_database(entry.key, entry.value.value);
        }
    }

    /// Fetches `key` anew from the database, or pushes it into the cache before anyone asked.
    ///
    /// A dirty line is newer than the database and is left alone. Says whether anything was pushed.
    pub fn refresh(&mut self, key: &K, now_us: u64, rng: &mut impl Rng) -> bool {
        if self.cache.peek(key).is_some_and(|entry| entry.value.dirty) {
            return false;
        }
        let Some(value) = self.read_database(key) else {
            return false;
        };
        self.fill(key.clone(), value, now_us, rng);
        true
    }

    /// Writes up to `count_max` dirty lines to the database, in slot order, and says which.
    pub fn flush(&mut self, count_max: usize) -> Vec<K> {
        let dirty: Vec<K> = self.dirty_keys().take(count_max).cloned().collect();
        for key in &dirty {
            if let Some(entry) = self.cache.peek(key) {
                let value = entry.value.value.clone();
                self.write_database(key.clone(), value);
            }
            self.cache.update(key, |line| line.dirty = false);
        }
        dirty
    }

    /// The cache loses its memory; returns the keys whose acknowledged writes died with it.
    pub fn crash(&mut self) -> Vec<K> {
        let lost: Vec<K> = self.dirty_keys().cloned().collect();
        self.trips.lost_writes += lost.len() as u64;
        self.cache.clear();
        lost
    }

    /// Whether the cached copy of `key` differs from the database without being the newer of the two.
    pub fn is_stale(&self, key: &K) -> bool
    where
        V: PartialEq,
    {
        self.cache.peek(key).is_some_and(|entry| {
            !entry.value.dirty && self.database.get(key) != Some(&entry.value.value)
        })
    }

    /// Keys the database lacks the newest value of, in slot order.
    pub fn dirty_keys(&self) -> impl Iterator<Item = &K> {
        self.cache
            .slots()
            .iter()
            .flatten()
            .filter(|entry| entry.value.dirty)
            .map(|entry| &entry.key)
    }

    /// The cache, to be looked at.
    pub fn cache(&self) -> &Cache<K, Line<V>> {
        &self.cache
    }

    /// The cache, to change its policy or size; removing a dirty line here loses the write.
    pub fn cache_mut(&mut self) -> &mut Cache<K, Line<V>> {
        &mut self.cache
    }

    /// The database, to be looked at.
    pub fn database(&self) -> &BTreeMap<K, V> {
        &self.database
    }

    /// Trips so far.
    pub fn trips(&self) -> Trips {
        self.trips
    }

    fn put(&mut self, key: K, value: V, dirty: bool, now_us: u64, rng: &mut impl Rng) {
        self.trips.cache_writes += 1;
        // A dirty line must not expire: its value is nowhere else.
        let ttl_us = if dirty { None } else { self.ttl_us };
        let written = self
            .cache
            .put(key.clone(), Line { value, dirty }, now_us, ttl_us, rng);
        match written {
            Put::Evicted { victim, .. } if victim.value.dirty => {
                self.write_database(victim.key, victim.value.value)
            }
            // Without a slot to wait in, a late write has to go through at once.
            Put::Refused(line) if line.dirty => self.write_database(key, line.value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg32;

    fn store(policy: WritePolicy, capacity: usize) -> (CachedStore<u32, u32>, Pcg32) {
        (
            CachedStore::new(policy, Policy::Lru, capacity, None, BTreeMap::new()),
            Pcg32::seed_from_u64(5),
        )
    }

    #[test]
    fn one_client_reads_its_own_writes_under_every_policy_but_around() {
        for policy in WritePolicy::ALL {
            let (mut store, mut rng) = store(policy, 3);
            let mut truth = BTreeMap::new();
            let mut stale = 0;
            for version in 0..2_000u32 {
                let key = rng.random_range(0..8u32);
                if rng.random_bool(0.4) {
                    store.write(&key, version, 0, &mut rng);
                    truth.insert(key, version);
                }
                let read = store.read(&key, 0, &mut rng).value;
                stale += u32::from(read != truth.get(&key).copied());
            }
            assert_eq!(
                stale > 0,
                policy == WritePolicy::Around,
                "{policy:?}: {stale} stale reads"
            );
            store.flush(usize::MAX);
            assert_eq!(store.database(), &truth, "{policy:?}");
        }
    }

    #[test]
    fn write_back_saves_trips_and_risks_writes() {
        let (mut back, mut rng) = store(WritePolicy::Back, 4);
        for version in 0..10 {
            back.write(&1, version, 0, &mut rng);
        }
        assert_eq!(back.trips().database_writes, 0);
        assert_eq!(back.flush(1), [1]);
        assert_eq!(back.trips().database_writes, 1, "ten writes became one");
        back.write(&1, 99, 0, &mut rng);
        assert_eq!(back.crash(), [1]);
        assert_eq!(back.read(&1, 0, &mut rng).value, Some(9));
        assert_eq!(back.trips().lost_writes, 1);
    }

    #[test]
    fn no_room_turns_write_back_into_write_around() {
        let (mut back, mut rng) = store(WritePolicy::Back, 0);
        back.write(&1, 7, 0, &mut rng);
        assert_eq!(back.database().get(&1), Some(&7));
    }

    #[test]
    fn refresh_ahead_asks_before_the_entry_expires() {
        let (mut store, mut rng) = store(WritePolicy::Ahead, 4);
        store.ttl_us = Some(100);
        store.refresh_after_us = Some(80);
        store.write(&1, 1, 0, &mut rng);
        assert!(!store.read(&1, 79, &mut rng).refresh_due);
        let late = store.read(&1, 80, &mut rng);
        assert_eq!((late.source, late.refresh_due), (Source::Cache, true));
        assert!(store.refresh(&1, 80, &mut rng));
        assert_eq!(
            store.read(&1, 150, &mut rng).source,
            Source::Cache,
            "nobody waited for the database"
        );
    }
}
