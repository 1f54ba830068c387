//! How a record sinks from the cache to the disk: syncs, syncs that fail, and snapshots.

use super::model::{
    Cx, DISK, Entry, Event, How, MEMORY, Op, Phase, Rewriting, Store, Syncing, count,
};
use super::settings::{Disk, Failed, KEYS};
use algorithms::wal::{Kind, Reader, Record};
use engine::tape::NoteId;
use engine::{Note, Time, Tone};
use std::ops::Range;

/// Writing a snapshot takes so long, and renaming it; the first is stretched.
pub(super) const WRITES: Time = Time::ms(150);
const RENAMES: Time = Time::ms(1);
/// A disk with a cache of its own has written what it said it had after so long.
const DRAINS: Time = Time::s(1);

impl Store {
    /// A sync begins if there is something to sync, the disk is free, and the rule says so.
    pub(super) fn sync(&mut self, due: bool, cx: Cx<'_, '_>) {
        // The system writes by itself what is due; all else needs a process that asks for it.
        if self.syncing.is_some() || (self.phase != Phase::Up && !due) {
            return;
        }
        let file = &self.wal.file;
        let dirty = file.written() > file.synced();
        if let Some(rewriting) = self.rewriting.filter(|one| one.ready) {
            let upto = self.wal.fresh().map_or(0, |fresh| fresh.written());
            cx.because(rewriting.cause);
            return self.begin_sync(true, upto, cx);
        }
        let policy = self.knobs.sync.policy();
        let wants = due || !self.waiting.is_empty() || policy.is_some_and(|one| one.syncs(due));
        if dirty && wants {
            let upto = file.written();
            self.begin_sync(false, upto, cx);
        }
    }

    fn begin_sync(&mut self, fresh: bool, upto: usize, cx: Cx<'_, '_>) {
        let (now, span) = (cx.now(), self.knobs.sync_takes());
        self.syncs += 1;
        self.syncing = Some(Syncing {
            fresh,
            upto,
            from: now,
            to: now + span,
        });
        cx.schedule(span, Event::Synced(self.syncs));
        if !fresh && self.tears.is_some_and(|(from, _)| from <= now) {
            cx.schedule(Time(span.0 / 2), Event::Tear(self.syncs));
        }
    }

    pub(super) fn synced(&mut self, cx: Cx<'_, '_>) {
        let Some(sync) = self.syncing else { return };
        if let Some(cause) = self.fails.take() {
            self.syncing = None;
            return self.sync_failed(sync, cause, cx);
        }
        if sync.fresh {
            let honest = self.is_honest();
            if let Some(fresh) = self.wal.fresh() {
                fresh.sync(sync.upto);
                if honest {
                    fresh.keep(sync.upto);
                }
            }
            cx.schedule(RENAMES, Event::Renamed(self.syncs));
            return;
        }
        self.syncing = None;
        self.disk_has(sync.upto, cx);
        self.go_on(cx);
    }

    /// The disk says that it has the log up to here; who waited for it is told.
    fn disk_has(&mut self, upto: usize, cx: Cx<'_, '_>) {
        let before = self.wal.file.synced();
        self.wal.file.sync(upto);
        let honest = self.is_honest();
        self.drains(upto, cx);
        let mut records = 0;
        for entry in self.entries.iter_mut().rev() {
            if entry.bytes.end <= before {
                break;
            }
            if entry.bytes.end <= upto {
                entry.kept = honest && entry.bytes.end <= self.wal.file.trusted();
                records += 1;
                if records == 1 {
                    cx.because(entry.cause);
                }
            }
        }
        let note = Note::new("synced").with(count(records));
        cx.say(note.about(DISK));
        self.answer_upto(upto, cx);
    }

    pub(super) fn is_honest(&self) -> bool {
        self.knobs.disk == Disk::Honest
    }

    /// What the disk says that it has it has now, or once its own cache is written.
    pub(super) fn drains(&mut self, upto: usize, cx: Cx<'_, '_>) {
        if self.is_honest() {
            self.wal.file.keep(upto);
        } else {
            cx.schedule(DRAINS, Event::Drained(self.file, upto));
        }
    }

    pub(super) fn answer_upto(&mut self, upto: usize, cx: Cx<'_, '_>) {
        let mut ends = self.entries.iter().rev();
        let last = ends.find(|entry| entry.bytes.end <= upto);
        let last = last.map_or(0, |entry| entry.sequence);
        let told = cx.cause();
        while let Some((sequence, key)) = self.waiting.front().copied() {
            if sequence > last {
                break;
            }
            self.waiting.pop_front();
            cx.because(told);
            self.answer(key, Some(sequence), cx);
        }
    }

    /// What a failed sync should have written is lost to the disk. To try again looks as if it helped.
    fn sync_failed(&mut self, sync: Syncing, cause: NoteId, cx: Cx<'_, '_>) {
        cx.because(cause);
        let failed = cx.say(Note::new("sync-failed").about(DISK).mark(Tone::Bad));
        if sync.fresh {
            self.rewriting = None;
            return self.go_on(cx);
        }
        match self.knobs.failed {
            Failed::Stop => {
                cx.because(failed);
                let note = Note::new("stops").about(MEMORY);
                let stops = cx.say(note.mark(Tone::Warn));
                // What the cache says of these pages is worth nothing any more.
                self.crash(How::Stop, 0, stops, cx);
            }
            Failed::Retry => {
                self.wal.file.sync_failed(sync.upto);
                self.holes += 1;
                let note = Note::new("retries").about(DISK);
                cx.say(note.mark(Tone::Warn));
                self.disk_has(sync.upto, cx);
                self.go_on(cx);
            }
        }
    }

    /// The disk is free again.
    pub(super) fn go_on(&mut self, cx: Cx<'_, '_>) {
        self.admit(cx);
        self.sync(false, cx);
    }

    /// Begins a new file with the newest value of each key.
    pub(super) fn snapshot(&mut self, cx: Cx<'_, '_>) {
        if self.rewriting.is_some() || self.phase != Phase::Up {
            return;
        }
        self.wants_snapshot = false;
        self.wal.rewrite(base(&self.table, self.sequence));
        let note = Note::new("snapshot").with(count(self.entries.len()));
        let cause = cx.say(note.about(DISK));
        self.rewriting = Some(Rewriting {
            sequence: self.sequence,
            unlogged: self.unlogged,
            since: cx.now(),
            ready: false,
            cause,
        });
        cx.schedule(WRITES, Event::Written(self.life));
    }

    /// The new file takes the log's place.
    pub(super) fn renamed(&mut self, cx: Cx<'_, '_>) {
        self.syncing = None;
        let Some(rewriting) = self.rewriting.take() else {
            return self.go_on(cx);
        };
        if !self.wal.rename() {
            self.fault = Some("a snapshot lacked what the log had");
            return self.go_on(cx);
        }
        self.unlogged -= rewriting.unlogged.min(self.unlogged);
        self.folded += rewriting.unlogged;
        let before = self.entries.len();
        let old = std::mem::take(&mut self.entries);
        let past = old
            .iter()
            .take_while(|one| one.sequence <= rewriting.sequence);
        let (count_past, told) = past.fold((0, 0), |(all, told), one| {
            (all + 1, told + u32::from(one.answered))
        });
        self.folded += told;
        let mut kept = old.into_iter().skip(count_past);
        let found = Reader::new(self.wal.file.bytes());
        self.entries = found
            .filter_map(|(record, bytes)| match record.kind {
                Kind::Base => Some(base_entry(&record, bytes, rewriting.cause)),
                _ => kept.next().map(|entry| Entry { bytes, ..entry }),
            })
            .collect();
        (self.base, self.holes, self.rotten) = (self.entries.len(), 0, None);
        self.rewrites += 1;
        self.shrunk = Some((cx.now(), before, self.entries.len()));
        cx.because(rewriting.cause);
        let note = Note::new("renamed").with(count(before));
        let note = note.with(count(self.entries.len())).about(DISK);
        cx.say(note.mark(Tone::Ok));
        self.file += 1;
        let upto = self.wal.file.synced();
        self.drains(upto, cx);
        let honest = self.is_honest();
        for entry in &mut self.entries {
            entry.kept = honest && entry.bytes.end <= upto;
        }
        self.answer_upto(upto, cx);
        self.go_on(cx);
    }

    /// A log begins with a snapshot: what memory has is not in it yet.
    pub(super) fn log_begins(&mut self, cause: NoteId, now: Time) {
        self.wal.rewrite(base(&self.table, self.sequence));
        if let Some(fresh) = self.wal.fresh() {
            fresh.sync(usize::MAX);
            fresh.keep(usize::MAX);
        }
        self.wal.rename();
        let answered = self.entries.iter().filter(|entry| entry.answered);
        self.folded += answered.count() as u32 + std::mem::take(&mut self.unlogged);
        let found = Reader::new(self.wal.file.bytes());
        self.entries = found
            .map(|(record, bytes)| base_entry(&record, bytes, cause))
            .collect();
        for entry in &mut self.entries {
            entry.at = now;
        }
        (self.rewriting, self.base) = (None, self.entries.len());
        (self.holes, self.rotten) = (0, None);
        self.cancel_sync();
    }

    /// What was under way between cache and disk is not any more.
    pub(super) fn cancel_sync(&mut self) {
        self.syncing = None;
        self.syncs += 1;
        self.file += 1;
        self.life += 1;
    }

    /// Answered writes that would be gone if the power went now.
    pub(super) fn at_risk(&self) -> u32 {
        let trusted = self.wal.file.trusted();
        let entries = self.entries.iter().rev();
        let above = entries.take_while(|entry| entry.bytes.end > trusted);
        let (mut risk, mut base) = (self.unlogged, false);
        for entry in above {
            risk += u32::from(entry.answered);
            base |= entry.kind == Kind::Base;
        }
        risk + if base { self.folded } else { 0 }
    }
}

/// A snapshot's records.
fn base(table: &[Option<i64>; KEYS], sequence: u64) -> impl Iterator<Item = Record> {
    let keys = table.iter().enumerate();
    keys.filter_map(move |(key, value)| {
        Some(Record {
            sequence,
            transaction: 0,
            kind: Kind::Base,
            key: vec![key as u8],
            value: (*value)?.to_string().into_bytes(),
        })
    })
}

fn base_entry(record: &Record, bytes: Range<usize>, cause: NoteId) -> Entry {
    Entry {
        sequence: record.sequence,
        number: 0,
        key: usize::from(record.key.first().copied().unwrap_or(0)),
        kind: Kind::Base,
        op: Op::Delete,
        value: number(&record.value),
        answered: false,
        kept: true,
        bytes,
        at: Time::ZERO,
        cause,
    }
}

/// A number as records hold it.
fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
