//! What a crash takes, and how the store comes back from what is left.

use super::model::{
    CACHE, CLIENTS, Crash, Cx, DISK, Entry, Event, FAULTS, How, MEMORY, Op, PROMISES, Phase, Store,
    another, count,
};
use super::settings::{KEYS, Sync};
use algorithms::wal::{Kind, Stop};
use engine::random::below;
use engine::tape::NoteId;
use engine::{Arg, Note, Time, Tone};

/// The power is off for so long; a process is started again after so long.
const POWER_OFF: Time = Time::ms(800);
const STARTS: Time = Time::ms(300);
/// For so long the store looks at what it cannot trust.
const CUTS: Time = Time::ms(500);

impl Store {
    /// The record in the middle of what the disk has.
    pub(super) fn middle(&self) -> Option<usize> {
        let kept = self.wal.file.trusted();
        let on_disk = self.entries.iter().take_while(|one| one.bytes.end <= kept);
        let on_disk = on_disk.count();
        let base = self.entries.iter().filter(|one| one.kind == Kind::Base);
        let first = base.count().min(on_disk.saturating_sub(1));
        (on_disk > 0).then(|| first + (on_disk - first) / 2)
    }

    pub(super) fn rot(&mut self, cause: NoteId, cx: Cx<'_, '_>) {
        let Some(middle) = self.middle() else { return };
        let entry = &self.entries[middle];
        let (sequence, last) = (entry.sequence, entry.bytes.end - 1);
        self.wal.file.rot(last);
        self.rotten = Some(sequence);
        for entry in self.entries.iter_mut().skip(middle) {
            entry.kept = false;
        }
        cx.because(cause);
        let note = Note::new("rots").with(count(sequence)).about(DISK);
        cx.say(note.mark(Tone::Bad));
    }

    /// How much of what it is just writing the disk gets to when the power goes.
    pub(super) fn half_written(&mut self, cx: Cx<'_, '_>) -> usize {
        let file = &self.wal.file;
        match self.syncing {
            Some(sync) if !sync.fresh && file.trusted() == file.synced() => {
                let under_way = sync.upto.saturating_sub(file.synced());
                below(cx.random(FAULTS), under_way.max(1))
            }
            _ => 0,
        }
    }

    /// The power goes when the first half of the last record that is synced is on the disk.
    pub(super) fn tear(&mut self, cx: Cx<'_, '_>) {
        let Some((_, cause)) = self.tears.take() else {
            return;
        };
        let upto = self.syncing.map_or(0, |sync| sync.upto);
        let mut entries = self.entries.iter().rev();
        let last = entries.find(|entry| entry.bytes.end <= upto);
        let middle = last.map_or(0, |one| one.bytes.start + one.bytes.len() / 2);
        let torn = middle.saturating_sub(self.wal.file.trusted());
        cx.because(cause);
        let plug = cx.say(Note::new("tears").about(DISK).mark(Tone::Bad));
        self.crash(How::Plug, torn, plug, cx);
    }

    /// Somebody pulls the plug.
    pub(super) fn pull(&mut self, cause: NoteId, cx: Cx<'_, '_>) {
        if matches!(self.phase, Phase::Dark { power: true, .. }) {
            return;
        }
        let torn = self.half_written(cx);
        self.crash(How::Plug, torn, cause, cx);
    }

    /// The process is gone, and with the power all that the disk does not have, but for `torn` bytes.
    pub(super) fn crash(&mut self, how: How, torn: usize, cause: NoteId, cx: Cx<'_, '_>) {
        let answered = self.answered - self.lost;
        self.lost += self.drop_tail();
        let (expected, before) = (self.at_risk(), self.lost);
        if how == How::Kill {
            // The system keeps its cache, and goes on with the sync that it has begun.
            self.wal.kill();
            self.life += 1;
        } else {
            self.wal.power_cut(torn);
            self.cancel_sync();
        }
        let left = self.wal.file.bytes().len();
        let on_disk = self.entries.iter().take_while(|one| one.bytes.start < left);
        let on_disk = on_disk.count();
        self.ghosts = self.entries.split_off(on_disk).into();
        self.torn = self.entries.back().is_some_and(|one| one.bytes.end > left);
        let gone = self.ghosts.iter().filter(|one| one.answered).count() as u32;
        self.lost += gone + std::mem::take(&mut self.unlogged);
        if self.ghosts.iter().any(|one| one.kept) {
            self.fault = Some("what an honest disk had is gone");
        }
        if self.lost - before > expected {
            self.fault = Some("more is lost than was at risk");
        }
        self.table = [None; KEYS];
        self.rewriting = None;
        // Whatever was to happen to it has happened.
        self.tears = None;
        self.plugs += 1;
        let power = how == How::Plug;
        let fast = self.fast.lasts(Time::s(3), cx.now());
        let crash = Crash {
            power,
            answered,
            lost: self.lost - before,
            ..Crash::default()
        };
        self.betrays(&crash);
        self.set_crash(crash);
        self.fast_and_safe |= fast && power && crash.lost == 0 && expected == 0;
        self.phase = Phase::Dark {
            since: cx.now(),
            power,
        };
        cx.because(cause);
        let word = match how {
            How::Plug => "power-gone",
            How::Kill => "process-gone",
            How::Stop => "stopped",
        };
        let note = Note::new(word).with(count(crash.lost)).about(PROMISES);
        let tone = if crash.lost > 0 {
            Tone::Bad
        } else {
            Tone::Warn
        };
        let gone = cx.say(note.mark(tone).begins("down", 0));
        self.why = gone;
        for (part, word) in [(MEMORY, "memory-gone"), (CLIENTS, "no-store")] {
            cx.because(gone);
            cx.say(Note::new(word).about(part));
        }
        cx.because(gone);
        let stays = how == How::Kill;
        let word = if stays { "cache-stays" } else { "cache-gone" };
        let records = self.ghosts.len();
        cx.say(Note::new(word).with(count(records)).about(CACHE));
        let waiting = std::mem::take(&mut self.waiting);
        let queue = std::mem::take(&mut self.queue);
        for key in waiting.into_iter().map(|(_, key)| key).chain(queue) {
            self.fail(key, "no-answer", cx);
        }
        cx.because(gone);
        let off = if power { POWER_OFF } else { STARTS };
        cx.schedule(off, Event::Boots(self.life));
    }

    /// What a plug took although each write was synced before it was answered.
    fn betrays(&mut self, crash: &Crash) {
        let synced = matches!(self.knobs.sync, Sync::Group | Sync::EachWrite);
        self.betrayed = if crash.power && synced { crash.lost } else { 0 };
    }

    fn set_crash(&mut self, crash: Crash) {
        self.crash = Some(crash);
        let of = if crash.power {
            &mut self.plugged
        } else {
            &mut self.killed
        };
        *of = Some(crash);
    }

    /// Reads the log: what can be trusted is its beginning, the rest is cut off.
    pub(super) fn boots(&mut self, cx: Cx<'_, '_>) {
        let recovery = self.wal.recover();
        let whole = recovery.records.len();
        let untrusted = self.entries.len().saturating_sub(whole);
        let note = Note::new("reads").with(count(whole)).about(DISK);
        let reads = cx.say(note);
        let known = self.entries.iter().map(|one| (one.sequence, one.kind));
        let found = recovery
            .records
            .iter()
            .map(|(one, _)| (one.sequence, one.kind));
        if !found.eq(known.take(whole)) {
            self.fault = Some("what came back is no beginning of what was written");
        }
        self.tail = self.entries.split_off(whole.min(self.entries.len())).into();
        let mut crash = self.crash.unwrap_or_default();
        (crash.stop, crash.untrusted) = (Some(recovery.stop), untrusted);
        self.set_crash(crash);
        self.sequence = recovery.records.last().map_or(0, |(one, _)| one.sequence);
        self.truth = [None; KEYS];
        self.table = [None; KEYS];
        self.phase = Phase::Reads {
            since: cx.now(),
            read: 0,
        };
        cx.because(reads);
        cx.schedule(self.knobs.reading(), Event::Reads(self.life));
    }

    // region: replay
    /// Does the next record again, as it would have been done.
    fn redo(&mut self, entry: &Entry, cx: Cx<'_, '_>) {
        let (key, now) = (entry.key.min(KEYS - 1), cx.now());
        let again = match entry.kind {
            // A statement is asked anew, and random() gives another answer.
            Kind::Statement if entry.op != Op::Add => Op::Set(another(cx)),
            Kind::Statement => Op::Add,
            _ => entry.value.map_or(Op::Delete, Op::Set),
        };
        self.table[key] = again.on(self.table[key]);
        self.truth[key] = entry.value;
        self.changed[key] = now;
    }
    // endregion

    pub(super) fn reads(&mut self, cx: Cx<'_, '_>) {
        let Phase::Reads { since, read } = self.phase else {
            return;
        };
        let reading = cx.cause();
        if let Some(entry) = self.entries.get(read).cloned() {
            self.redo(&entry, cx);
            let note = Note::new("redone").with(count(entry.sequence));
            let note = note.with(count(entry.key + 1)).about(MEMORY);
            cx.say(note.dot(entry.number));
            self.phase = Phase::Reads {
                since,
                read: read + 1,
            };
        }
        cx.because(reading);
        if read + 1 < self.entries.len() {
            return cx.schedule(self.knobs.reading(), Event::Reads(self.life));
        }
        self.all_read(since, cx);
        if self.tail.is_empty() {
            self.is_up(cx);
        } else {
            self.cuts(cx);
        }
    }

    /// Answered writes in what is not trusted; from here on they count as lost.
    fn drop_tail(&mut self) -> u32 {
        let mut gone = 0;
        let mut base = false;
        for one in &mut self.tail {
            gone += u32::from(std::mem::take(&mut one.answered));
            base |= one.kind == Kind::Base;
        }
        gone + if base {
            std::mem::take(&mut self.folded)
        } else {
            0
        }
    }

    /// What a restart has brought back, and what is gone for good.
    fn all_read(&mut self, since: Time, cx: Cx<'_, '_>) {
        let mut crash = self.crash.unwrap_or_default();
        let gone = self.drop_tail();
        self.lost += gone;
        crash.lost += gone;
        crash.read = self.entries.len();
        crash.took = Some(cx.now().since(since));
        self.came_back = crash.answered.saturating_sub(crash.lost);
        let soon = self.done >= 200 && crash.lost == 0;
        self.soon |= soon && crash.took.is_some_and(|took| took <= Time::s(1));
        self.betrays(&crash);
        self.compare();
        self.set_crash(crash);
    }

    /// How many keys have a value that nobody wrote.
    pub(super) fn compare(&mut self) {
        let keys = self.table.iter().zip(&self.truth);
        self.wrong = keys.filter(|(one, other)| one != other).count();
    }

    fn cuts(&mut self, cx: Cx<'_, '_>) {
        let crash = self.crash.unwrap_or_default();
        let first = self.tail.first().map_or(0, |one| one.sequence);
        let word = match crash.stop {
            Some(Stop::Torn) => "finds-torn",
            _ => "finds-bad",
        };
        let note = Note::new(word).with(count(first));
        let note = note.with(count(crash.untrusted - 1));
        let cut = cx.say(note.about(DISK).mark(Tone::Bad));
        cx.because(cut);
        if crash.lost > 0 {
            let note = Note::new("lost-in-all").with(count(crash.lost));
            cx.say(note.about(PROMISES));
        }
        cx.because(cut);
        self.phase = Phase::Cuts { since: cx.now() };
        cx.schedule(CUTS, Event::Opens(self.life));
    }

    pub(super) fn is_up(&mut self, cx: Cx<'_, '_>) {
        self.ghosts.clear();
        self.tail.clear();
        self.torn = false;
        // A dead process does not mend the disk: what is wrong there stays until somebody has read it from there.
        if self.wal.file.damage().next().is_none() {
            (self.holes, self.rotten) = (0, None);
        }
        let crash = self.crash.unwrap_or_default();
        let took = Arg::Span(crash.took.unwrap_or(Time::ZERO));
        let note = Note::new("up").with(count(crash.read)).with(took);
        let up = cx.say(note.about(MEMORY).mark(Tone::Ok).ends("down", 0));
        self.why = up;
        if self.wrong > 0 {
            let note = Note::new("other-values").with(count(self.wrong));
            cx.say(note.about(MEMORY).mark(Tone::Bad));
        }
        self.opens(cx);
    }
}
