//! Recovery proved by exhaustion: every cut of a log at every byte, every crash between two steps of every policy.

use super::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn put(sequence: u64, key: u8, value: &str) -> Record {
    Record {
        sequence,
        transaction: 0,
        kind: Kind::Put,
        key: vec![b'k', key],
        value: value.as_bytes().to_vec(),
    }
}

/// A block but for its last 4,000 bytes, then so many records of many lengths; the block ends among them.
fn many(count: u64, rng: &mut impl Rng) -> (File, usize, Vec<(Record, Range<usize>)>) {
    let mut file = File::default();
    let filler = file.append(&vec![0; BLOCK - 4_000]).end;
    let records = (1..=count).map(|sequence| {
        let value = "x".repeat(rng.random_range(0..20));
        let record = put(sequence, b'a' + (sequence % 7) as u8, &value);
        let range = file.append(&record.encode());
        (record, range)
    });
    let records = records.collect();
    file.write();
    (file, filler, records)
}

/// What a reader of these bytes gets.
fn read(bytes: &[u8]) -> (Vec<Record>, Stop, usize) {
    let mut reader = Reader::new(bytes);
    let records = reader.by_ref().map(|(record, _)| record).collect();
    (records, reader.stop, reader.at)
}

#[test]
fn a_log_cut_at_any_byte_recovers_to_the_records_before_the_cut() {
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let (file, from, records) = many(300, &mut rng);
    assert!(from < BLOCK && file.bytes().len() > BLOCK);
    let mut whole = 0;
    for cut in from..=file.bytes().len() {
        whole += usize::from(records.get(whole).is_some_and(|(_, at)| at.end == cut));
        let mut reader = Reader {
            at: from,
            ..Reader::new(&file.bytes()[..cut])
        };
        let found = reader.by_ref().map(|(record, _)| record);
        let before = records[..whole].iter().map(|(record, _)| record.clone());
        assert!(found.eq(before), "cut at {cut}");
        let end = whole
            .checked_sub(1)
            .map_or(from, |last| records[last].1.end);
        assert_eq!(reader.at, end, "cut at {cut}");
        let stop = if cut == end { Stop::End } else { Stop::Torn };
        // Of the unused end of a block nothing is missed.
        assert!(reader.stop == stop || cut - end < HEADER, "cut at {cut}");
    }
    assert_eq!(whole, records.len());
}

/// Whatever byte turns, what comes back is what lay before it, and never something else.
#[test]
fn a_turned_byte_anywhere_ends_the_log_before_its_record() {
    let mut rng = Pcg64Mcg::seed_from_u64(2);
    let (file, from, records) = many(150, &mut rng);
    let mut bytes = file.bytes().to_vec();
    let mut hit = 0;
    for at in from..bytes.len() {
        hit += usize::from(records[hit].1.end <= at);
        let flip = 1 << rng.random_range(0..8);
        bytes[at] ^= flip;
        let mut reader = Reader {
            at: from,
            ..Reader::new(&bytes)
        };
        let found: Vec<Record> = reader.by_ref().map(|(record, _)| record).collect();
        let stop = reader.stop;
        bytes[at] ^= flip;
        let before = records.iter().map(|(record, _)| record);
        assert!(found.iter().eq(before.take(found.len())), "{at}");
        // Unused bytes at the end of a block may hold anything.
        let unused = found.len() == records.len() && BLOCK - at <= HEADER;
        assert!(unused || (found.len() == hit && stop != Stop::End), "{at}");
    }
}

#[test]
fn without_its_checksum_a_rotten_value_would_pass() {
    let mut bytes = Vec::new();
    frame(&mut bytes, &put(1, b'a', "482").encode());
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(read(&bytes).1, Stop::Checksum);
    let decoded = Record::decode(&bytes[HEADER..]).unwrap();
    assert_eq!(decoded.value, b"483", "only the checksum tells");
}

#[test]
fn records_are_as_long_as_leveldb_makes_them() {
    let mut bytes = Vec::new();
    for length in [1_000, 97_270, 8_000] {
        frame(&mut bytes, &vec![7; length]);
    }
    let (mut at, mut pieces) = (0, Vec::new());
    while let Ok((kind, payload, end)) = fragment(&bytes, at) {
        pieces.push((kind, payload.len()));
        at = end;
    }
    let leveldb = [
        (Fragment::Full, 1_000),
        (Fragment::First, 31_754),
        (Fragment::Middle, 32_761),
        (Fragment::Last, 32_755),
        (Fragment::Full, 8_000),
    ];
    assert_eq!(pieces, leveldb);
    assert_eq!(bytes[3 * BLOCK - 6..3 * BLOCK], [0; 6], "six are unused");
}

/// Records that end 0 to 8 bytes before a block does.
#[test]
fn every_end_of_a_block_is_read_back() {
    for free in 0..=8 {
        let mut bytes = Vec::new();
        let header = put(1, b'a', "").encode().len() + HEADER;
        let value = "x".repeat(BLOCK - header - free);
        for record in [put(1, b'a', &value), put(2, b'b', "after")] {
            frame(&mut bytes, &record.encode());
        }
        let (found, stop, _) = read(&bytes);
        assert_eq!((found.len(), stop), (2, Stop::End), "{free} free");
        let pieces = if free == HEADER {
            Fragment::First
        } else {
            Fragment::Full
        };
        let next = fragment(&bytes, BLOCK - free).unwrap();
        assert_eq!(next.0, if free == 8 { Fragment::First } else { pieces });
    }
}

#[test]
fn lengths_and_numbers_that_lie_stop_the_reader() {
    assert_eq!(read(&[]), (vec![], Stop::End, 0));
    let mut bytes = Vec::new();
    frame(&mut bytes, &put(1, b'a', "1").encode());
    let end = bytes.len();
    frame(&mut bytes, &put(2, b'a', "2").encode());
    for torn in [0_u16, 1, 3, 900, u16::MAX] {
        let mut torn_length = bytes.clone();
        torn_length[end + 4..end + 6].copy_from_slice(&torn.to_le_bytes());
        let (found, stop, at) = read(&torn_length);
        assert_eq!((found.len(), at), (1, end), "{torn}");
        assert_ne!(stop, Stop::End);
    }
    // A record is missing, and all that is left is whole.
    frame(&mut bytes, &put(4, b'a', "4").encode());
    assert_eq!((read(&bytes).0.len(), read(&bytes).1), (2, Stop::Order));
    // The end of a record whose beginning is not there.
    let mut long = Vec::new();
    frame(&mut long, &put(1, b'a', &"x".repeat(BLOCK)).encode());
    assert_eq!(read(&long[BLOCK..]).1, Stop::Order);
}

/// A store as small as can be: a log, who waits, and who has been answered.
#[derive(Clone, Default)]
struct Store {
    wal: Wal,
    written: u64,
    answered: u64,
    /// Sequence number and end of each record.
    ends: Vec<(u64, usize)>,
    /// What the sync under way covers.
    sync: Option<usize>,
    synced: u64,
}

impl Store {
    fn write(&mut self, policy: Policy, rng: &mut impl Rng) {
        if !policy.admits(self.sync.is_some()) {
            return;
        }
        self.written += 1;
        let value = "v".repeat(rng.random_range(0..9));
        let range = self.wal.append(&put(self.written, b'a', &value));
        self.ends.push((self.written, range.end));
        if policy.answers_first() {
            self.answered = self.written;
        }
    }

    fn begin_sync(&mut self, policy: Policy, due: bool) {
        let file = &self.wal.file;
        if self.sync.is_none() && file.written() > file.synced() && policy.syncs(due) {
            self.sync = Some(file.written());
        }
    }

    fn end_sync(&mut self, policy: Policy) {
        let Some(upto) = self.sync.take() else { return };
        self.wal.file.sync(upto);
        self.wal.file.keep(upto);
        let upto = self.ends.iter().rev().find(|(_, end)| *end <= upto);
        self.synced = upto.map_or(0, |(sequence, _)| *sequence);
        if !policy.answers_first() {
            self.answered = self.synced;
        }
    }
}

/// After each step of a random history, the power goes at each byte that the disk was just writing, and the process dies.
#[test]
fn no_crash_between_two_steps_loses_what_was_synced() {
    let policies = [
        Policy::Never,
        Policy::EachSecond,
        Policy::Group,
        Policy::EachWrite,
    ];
    let (mut crashes, mut broken) = (0, [0; 4]);
    for seed in 0..crate::schedules(12) {
        for (number, policy) in policies.into_iter().enumerate() {
            let mut rng = Pcg64Mcg::seed_from_u64(seed);
            let mut store = Store::default();
            for _ in 0..80 {
                match rng.random_range(0..8) {
                    0..=4 => store.write(policy, &mut rng),
                    5 => store.end_sync(policy),
                    _ => store.begin_sync(policy, rng.random_range(0..4) == 0),
                }
                let under_way = store.sync.map_or(0, |upto| upto - store.wal.file.synced());
                for torn in 0..=under_way {
                    let mut wal = store.wal.clone();
                    wal.power_cut(torn);
                    let found = wal.recover().records.len() as u64;
                    crashes += 1;
                    assert!(found >= store.synced, "seed {seed}, {policy:?}, {torn}");
                    let kept = found >= store.answered;
                    broken[number] += u32::from(!kept);
                    assert!(kept || policy.answers_first(), "seed {seed}, {policy:?}");
                    assert_eq!(wal.recover().records.len() as u64, found, "read twice");
                }
                let mut wal = store.wal.clone();
                wal.kill();
                let found = wal.recover().records.len() as u64;
                assert_eq!(found, store.written, "the cache outlives the process");
            }
        }
    }
    assert!(crashes >= 10_000, "{crashes}");
    // The check can fail: where the answer comes first, it does.
    assert!(broken[0] > 0 && broken[1] > 0 && broken[2..] == [0, 0]);
}

/// Before the rename the old file counts, after it the new one; at each byte and each step all that was synced is there.
#[test]
fn a_crash_while_the_log_is_rewritten_finds_one_of_both() {
    let mut wal = Wal::default();
    for sequence in 1..=20 {
        wal.append(&put(
            sequence,
            b'a' + (sequence % 3) as u8,
            &sequence.to_string(),
        ));
    }
    wal.file.sync(usize::MAX);
    wal.file.keep(usize::MAX);
    let state = |wal: &Wal| {
        let mut wal = wal.clone();
        wal.power_cut(0);
        let records = wal.recover().records;
        let records: Vec<Record> = records.into_iter().map(|(record, _)| record).collect();
        let last = records.last().map_or(0, |record| record.sequence);
        (values(&merge(&[&records], true)), last)
    };
    let before = state(&wal);
    assert_eq!(before.1, 20);
    assert!(!wal.rename(), "there is no new file");
    let newest = [(20, b'c'), (19, b'b'), (18, b'a')].map(|(value, key)| Record {
        kind: Kind::Base,
        ..put(20, key, &value.to_string())
    });
    wal.rewrite(newest.into_iter());
    assert_eq!(state(&wal), before);
    assert!(!wal.rename(), "nothing of it is synced");
    wal.append(&put(21, b'z', "meanwhile"));
    let upto = wal.fresh().unwrap().written();
    wal.append(&put(22, b'z', "later"));
    // The old file is synced further than the new one: no rename yet.
    let mut early = wal.clone();
    early.file.sync(usize::MAX);
    early.fresh().unwrap().sync(upto);
    assert!(!early.rename());
    let fresh = wal.fresh().unwrap();
    fresh.sync(upto);
    fresh.keep(upto);
    assert_eq!(state(&wal), before, "between sync and rename");
    assert!(wal.rename() && !wal.rename());
    let after = state(&wal);
    assert_eq!(after.1, 21);
    assert!(after.0.starts_with(&before.0[..]), "no value has changed");
    wal.kill();
    assert_eq!(wal.recover().records.len(), 5);
}

fn values(records: &[Record]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pair = |record: &Record| (record.key.clone(), record.value.clone());
    records.iter().map(pair).collect()
}

#[test]
fn a_failed_sync_leaves_a_hole_that_only_a_power_cut_shows() {
    let mut wal = Wal::default();
    let mut ends = Vec::new();
    for sequence in 1..=6 {
        ends.push(wal.append(&put(sequence, b'a', "v")).end);
        let upto = wal.file.written();
        if sequence == 4 {
            wal.file.sync_failed(upto);
        }
        // The second call has nothing to do and succeeds.
        wal.file.sync(upto);
        wal.file.keep(upto);
    }
    assert_eq!(wal.file.trusted(), ends[2]);
    let mut killed = wal.clone();
    killed.kill();
    assert_eq!(killed.recover().records.len(), 6);
    wal.power_cut(0);
    let recovery = wal.recover();
    assert_eq!((recovery.records.len(), recovery.stop), (3, Stop::Checksum));
    assert_eq!(recovery.cut, ends[5] - ends[2]);
    wal.append(&put(4, b'a', "again"));
    assert_eq!(wal.recover().records.len(), 4, "it goes on after the cut");
}

#[test]
fn a_disk_that_says_done_too_early_loses_what_it_said_it_had() {
    let mut file = File::default();
    let first = file.append(b"first").end;
    file.append(b"second");
    file.write();
    file.sync(usize::MAX);
    file.keep(first);
    file.rot(first + 1);
    assert_eq!(file.trusted(), first, "what is not there cannot rot");
    file.power_cut(0);
    assert_eq!(file.bytes().len(), first);
}

#[test]
fn only_committed_transactions_are_done_again() {
    let of = |sequence, transaction, kind| Record {
        transaction,
        kind,
        ..put(sequence, b'x', "1")
    };
    let log = [
        of(1, 1, Kind::Put),
        of(2, 2, Kind::Put),
        of(3, 0, Kind::Put),
        of(4, 1, Kind::Commit),
        of(5, 2, Kind::Delete),
    ];
    let done: Vec<u64> = redo(&log).map(|record| record.sequence).collect();
    assert_eq!(done, [1, 3]);
}

#[test]
fn a_tombstone_stays_while_something_older_may_lie_elsewhere() {
    let dead = Record {
        kind: Kind::Delete,
        ..put(2, b'a', "")
    };
    let segment = [put(1, b'a', "1"), dead];
    assert!(merge(&[&segment], true).is_empty());
    assert_eq!(merge(&[&segment], false).len(), 1);
}
