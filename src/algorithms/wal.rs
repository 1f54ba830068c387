//! A write-ahead log: records with checksums, a file that knows what a crash leaves of it, and recovery that stops at the
//! first byte that it cannot trust.
//!
//! * Records lie in blocks as in LevelDB's `log_format.md`: 32 kB, a header of 7 bytes (masked CRC-32C, length, type), a record
//!   that does not fit goes on in the next block, and the last bytes of a block are unused if no header fits.
//! * A file has up to four ends ([`File`]): what the process has written, what the system's cache has, what the disk says it has, and
//!   what it has. A dead process loses what lies beyond the second, a power cut what lies beyond the fourth.
//! * [`Policy`] says when to sync and when to answer: Redis' `appendfsync`, and the group commit of Hagmann 1987 that PostgreSQL
//!   and InnoDB do.
//! * A failed sync ([`File::sync_failed`]) leaves a hole, for the system forgets that the bytes were never written (Rebello et
//!   al. 2020, "fsyncgate").
//! * A snapshot is a rewrite ([`Wal::rewrite`]): the newest values go to a new file, with whatever is appended meanwhile, and a rename
//!   makes it the log. Before the rename a crash leaves the old file (Redis' AOF rewrite).
//!
//! Offsets and lengths are bytes, sequence numbers count from 1. There is no clock.

use crate::hash::crc32c;
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes of a block.
pub const BLOCK: usize = 32_768;
/// Bytes of a fragment's header.
pub const HEADER: usize = 7;

/// Which part of a record lies here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// All of it.
    Full = 1,
    /// Its beginning; the rest lies in the next blocks.
    First = 2,
    /// Neither its beginning nor its end.
    Middle = 3,
    /// Its end.
    Last = 4,
}

impl Fragment {
    fn of(first: bool, last: bool) -> Fragment {
        match (first, last) {
            (true, true) => Fragment::Full,
            (true, false) => Fragment::First,
            (false, false) => Fragment::Middle,
            (false, true) => Fragment::Last,
        }
    }
}

/// The checksum that a header holds: turned and shifted, because a log that contains logs should not contain checksums of
/// checksums.
fn checksum(kind: u8, payload: &[u8]) -> u32 {
    let crc = crc32c(crc32c(0, &[kind]), payload);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

// region: frame
/// Appends a record's bytes to a file that so far is `file`, each piece with its checksum.
pub fn frame(file: &mut Vec<u8>, record: &[u8]) {
    let (mut left, mut first) = (record, true);
    loop {
        let room = BLOCK - file.len() % BLOCK;
        if room < HEADER {
            file.resize(file.len() + room, 0);
            continue;
        }
        let (piece, rest) = left.split_at(left.len().min(room - HEADER));
        let kind = Fragment::of(first, rest.is_empty()) as u8;
        file.extend(checksum(kind, piece).to_le_bytes());
        file.extend((piece.len() as u16).to_le_bytes());
        file.push(kind);
        file.extend(piece);
        (left, first) = (rest, false);
        if left.is_empty() {
            return;
        }
    }
}
// endregion

/// Why a reader went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The file ends with a whole record.
    End,
    /// The file ends within a record.
    Torn,
    /// A checksum, or a length that no block has room for, is wrong.
    Checksum,
    /// Whole pieces that do not follow each other: a part without its record, a record without its predecessor.
    Order,
}

// region: check
/// The fragment at an offset: its kind, its payload, and where it ends.
///
/// # Errors
/// Why there is none that can be trusted.
pub fn fragment(file: &[u8], at: usize) -> Result<(Fragment, &[u8], usize), Stop> {
    let room = BLOCK - at % BLOCK;
    let at = if room < HEADER { at + room } else { at };
    let left = file.get(at..).unwrap_or(&[]);
    let Some((header, body)) = left.split_at_checked(HEADER) else {
        return Err(if left.is_empty() {
            Stop::End
        } else {
            Stop::Torn
        });
    };
    let stored = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
    if at % BLOCK + HEADER + length > BLOCK {
        return Err(Stop::Checksum);
    }
    let payload = body.get(..length).ok_or(Stop::Torn)?;
    let kind = match header[6] {
        1 => Fragment::Full,
        2 => Fragment::First,
        3 => Fragment::Middle,
        4 => Fragment::Last,
        _ => return Err(Stop::Checksum),
    };
    if checksum(header[6], payload) != stored {
        return Err(Stop::Checksum);
    }
    Ok((kind, payload, at + HEADER + length))
}
// endregion

/// What a record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Part of a snapshot: the key had this value when the record of this sequence number had been done.
    Base,
    /// Sets the key to the value.
    Put,
    /// Removes the key.
    Delete,
    /// What was asked for, to be done again: its effect is not written.
    Statement,
    /// The transaction's records are to be done.
    Commit,
}

const KINDS: [Kind; 5] = [
    Kind::Base,
    Kind::Put,
    Kind::Delete,
    Kind::Statement,
    Kind::Commit,
];

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number; records follow each other without a gap.
    pub sequence: u64,
    /// The transaction that it belongs to; 0 for none, which is as good as committed.
    pub transaction: u32,
    /// What it does.
    pub kind: Kind,
    /// To which key; at most 65,535 bytes.
    pub key: Vec<u8>,
    /// With which value.
    pub value: Vec<u8>,
}

impl Record {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.kind as u8];
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.transaction.to_le_bytes());
        bytes.extend((self.key.len() as u16).to_le_bytes());
        bytes.extend(&self.key);
        bytes.extend(&self.value);
        bytes
    }

    /// Reads it back; none for bytes that are no record.
    pub fn decode(bytes: &[u8]) -> Option<Record> {
        let (kind, rest) = bytes.split_first()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let (transaction, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (key, value) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        Some(Record {
            sequence: u64::from_le_bytes(*sequence),
            transaction: u32::from_le_bytes(*transaction),
            kind: *KINDS.get(usize::from(*kind))?,
            key: key.to_vec(),
            value: value.to_vec(),
        })
    }
}

/// Reads the records of a file, with where each lies, until one cannot be trusted.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    file: &'a [u8],
    /// So far all is whole: here a file is cut.
    pub at: usize,
    /// Why there is no more; [`Stop::End`] until then.
    pub stop: Stop,
    /// The sequence number that comes next; none before the first record.
    next: Option<u64>,
}

impl Reader<'_> {
    /// From the beginning.
    pub fn new(file: &[u8]) -> Reader<'_> {
        Reader {
            file,
            at: 0,
            stop: Stop::End,
            next: None,
        }
    }

    /// The next record; what stops the reader otherwise. A record whose end is missing is not the last one, it is none.
    fn read(&mut self) -> Result<(Record, Range<usize>), Stop> {
        let (mut bytes, mut end) = (Vec::new(), self.at);
        loop {
            let (kind, payload, next) = fragment(self.file, end).map_err(|stop| match stop {
                Stop::End if !bytes.is_empty() => Stop::Torn,
                stop => stop,
            })?;
            let begins = matches!(kind, Fragment::Full | Fragment::First);
            // A first piece without payload fills a block whose last 7 bytes were free.
            if begins != (end == self.at) {
                return Err(Stop::Order);
            }
            bytes.extend(payload);
            end = next;
            if matches!(kind, Fragment::Full | Fragment::Last) {
                break;
            }
        }
        let record = Record::decode(&bytes).ok_or(Stop::Checksum)?;
        if record.kind != Kind::Base && self.next.is_some_and(|next| next != record.sequence) {
            return Err(Stop::Order);
        }
        self.next = Some(record.sequence + 1);
        Ok((record, self.at..end))
    }
}

impl Iterator for Reader<'_> {
    type Item = (Record, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.stop != Stop::End {
            return None;
        }
        match self.read() {
            Ok((record, range)) => {
                self.at = range.end;
                Some((record, range))
            }
            Err(stop) => {
                self.stop = stop;
                None
            }
        }
    }
}

/// The records that are to be done again: those of no transaction, and those of transactions whose commit is in the log.
pub fn redo(records: &[Record]) -> impl Iterator<Item = &Record> {
    let commits = |transaction| {
        let commit = |other: &Record| other.kind == Kind::Commit;
        let mut commits = records.iter().filter(move |other| commit(other));
        commits.any(|other| other.transaction == transaction)
    };
    records.iter().filter(move |record| {
        record.kind != Kind::Commit && (record.transaction == 0 || commits(record.transaction))
    })
}

/// Merges segments, oldest first, as Bitcask does: the newest record of each key, by key. Tombstones go where no older segment
/// is left that they must hide something in.
pub fn merge(segments: &[&[Record]], oldest: bool) -> Vec<Record> {
    let mut newest: BTreeMap<&[u8], &Record> = BTreeMap::new();
    for record in segments.iter().copied().flatten() {
        newest.insert(&record.key, record);
    }
    let kept = |record: &&Record| !(oldest && record.kind == Kind::Delete);
    newest.into_values().filter(kept).cloned().collect()
}

/// A stretch of a file of which the disk has something else than the system believes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Damage {
    bytes: Range<usize>,
    /// Never written, so zeros; else one bit of each byte has turned.
    hole: bool,
}

/// A file that is appended to, and how far each of those who keep it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    bytes: Vec<u8>,
    written: usize,
    synced: usize,
    kept: usize,
    damage: Vec<Damage>,
}

impl File {
    /// All its bytes, as the process knows them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Up to here the system's cache has it: what a dead process leaves.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Up to here the disk has said that it has it.
    pub fn synced(&self) -> usize {
        self.synced
    }

    /// Up to here it can be read after a power cut.
    pub fn trusted(&self) -> usize {
        let damage = self.damage.iter().map(|one| one.bytes.start);
        damage.fold(self.kept, usize::min)
    }

    /// Where the disk has something else than it should, in the order found out.
    pub fn damage(&self) -> impl Iterator<Item = Range<usize>> {
        self.damage.iter().map(|one| one.bytes.clone())
    }

    /// The process appends a record; nobody else knows of it yet.
    pub fn append(&mut self, record: &[u8]) -> Range<usize> {
        let from = self.bytes.len();
        frame(&mut self.bytes, record);
        from..self.bytes.len()
    }

    /// `write()`: the system's cache takes what the process has.
    pub fn write(&mut self) {
        self.written = self.bytes.len();
    }

    /// A sync that began when `upto` was written is over: the disk says that it has it.
    pub fn sync(&mut self, upto: usize) {
        self.synced = self.synced.max(upto.min(self.written));
    }

    /// The disk has really written up to here; of an honest one that is so when it says so.
    pub fn keep(&mut self, upto: usize) {
        self.kept = self.kept.max(upto.min(self.synced));
    }

    // region: hole
    /// A sync has failed. The system takes what it could not write for clean, so that the next sync has nothing to do there and
    /// succeeds: a hole that nobody is told of.
    pub fn sync_failed(&mut self, upto: usize) {
        let hole = self.synced..upto.min(self.written);
        if !hole.is_empty() {
            self.damage.push(Damage {
                bytes: hole,
                hole: true,
            });
        }
    }
    // endregion

    /// A bit of this byte turns on the disk; nothing if the disk does not have it.
    pub fn rot(&mut self, at: usize) {
        if at < self.kept {
            self.damage.push(Damage {
                bytes: at..at + 1,
                hole: false,
            });
        }
    }

    /// The process dies: what it had not written is gone, the cache stays.
    pub fn kill(&mut self) {
        self.bytes.truncate(self.written);
    }

    // region: power-cut
    /// The power goes: what the disk has stays, and `torn` bytes of what it was just writing.
    pub fn power_cut(&mut self, torn: usize) {
        let end = (self.kept + torn).min(self.written);
        self.bytes.truncate(end);
        for damage in std::mem::take(&mut self.damage) {
            let range = damage.bytes.start.min(end)..damage.bytes.end.min(end);
            for byte in &mut self.bytes[range] {
                *byte = if damage.hole { 0 } else { *byte ^ 1 };
            }
        }
        // What is read after the restart is all there is.
        (self.written, self.synced, self.kept) = (end, end, end);
    }
    // endregion

    /// What lies beyond is cut off.
    fn cut(&mut self, end: usize) {
        self.bytes.truncate(end);
        for end_of in [&mut self.written, &mut self.synced, &mut self.kept] {
            *end_of = end.min(*end_of);
        }
        self.damage.retain(|damage| damage.bytes.end <= end);
    }

    /// How many records have their end where the disk has not said that it has it.
    fn unsynced(&self) -> usize {
        let (mut at, mut count) = (self.synced, 0);
        while let Ok((kind, _, end)) = fragment(&self.bytes, at) {
            count += usize::from(matches!(kind, Fragment::Full | Fragment::Last));
            at = end;
        }
        count
    }
}

/// What a recovery found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The records that can be trusted, with where they lie.
    pub records: Vec<(Record, Range<usize>)>,
    /// Why there are no more.
    pub stop: Stop,
    /// So many bytes were cut off.
    pub cut: usize,
}

/// The log: a file, and while it is rewritten the one that is to take its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wal {
    /// The log.
    pub file: File,
    fresh: Option<File>,
}

impl Wal {
    /// Appends a record, and hands it to the system; while a rewrite is under way also to the new file.
    pub fn append(&mut self, record: &Record) -> Range<usize> {
        let bytes = record.encode();
        if let Some(fresh) = &mut self.fresh {
            fresh.append(&bytes);
            fresh.write();
        }
        let range = self.file.append(&bytes);
        self.file.write();
        range
    }

    /// The new file, while there is one.
    pub fn fresh(&mut self) -> Option<&mut File> {
        self.fresh.as_mut()
    }

    // region: rewrite
    /// Begins a new file with the newest values. Nothing of it counts before [`Wal::rename`].
    pub fn rewrite(&mut self, newest: impl Iterator<Item = Record>) {
        let mut fresh = File::default();
        for record in newest {
            fresh.append(&record.encode());
        }
        fresh.write();
        self.fresh = Some(fresh);
    }

    /// The new file takes the place of the log; false if there is none, or if the disk lacks more of it than of the old one: what
    /// somebody was promised must be in the new file too.
    pub fn rename(&mut self) -> bool {
        let ready = |fresh: &File| fresh.unsynced() <= self.file.unsynced();
        if !self.fresh.as_ref().is_some_and(ready) {
            return false;
        }
        self.file = self.fresh.take().unwrap_or_default();
        true
    }
    // endregion

    /// The process dies.
    pub fn kill(&mut self) {
        self.fresh = None;
        self.file.kill();
    }

    /// The power goes while the disk had `torn` bytes more of the log than it keeps.
    pub fn power_cut(&mut self, torn: usize) {
        self.fresh = None;
        self.file.power_cut(torn);
    }

    // region: recover
    /// Reads the log from its beginning, stops at the first record that is not whole, and cuts the file there.
    pub fn recover(&mut self) -> Recovery {
        let mut reader = Reader::new(&self.file.bytes);
        let records = reader.by_ref().collect();
        let (stop, end) = (reader.stop, reader.at);
        let cut = self.file.bytes.len() - end;
        self.file.cut(end);
        Recovery { records, stop, cut }
    }
    // endregion
}

/// When the log is synced, and with it when a write is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// By the system, when it likes: Redis' `no`.
    Never,
    /// In the background, once a second: Redis' `everysec`.
    EachSecond,
    /// Whoever arrives during a sync shares the next: group commit.
    Group,
    /// One after another.
    EachWrite,
}

// region: policy
impl Policy {
    /// Whether a write is answered without waiting for the disk.
    pub fn answers_first(self) -> bool {
        matches!(self, Policy::Never | Policy::EachSecond)
    }

    /// Whether the next write may be appended while a sync is under way.
    pub fn admits(self, syncing: bool) -> bool {
        !(syncing && self == Policy::EachWrite)
    }

    /// Whether a sync of what was appended is to begin; `due` says that the second, or the system's patience, is over.
    pub fn syncs(self, due: bool) -> bool {
        due || !self.answers_first()
    }
}
// endregion

#[cfg(test)]
mod tests;
