//! The tape: everything that a run has said and measured, against simulated time.

pub use crate::arg::Arg;
use crate::ids::PartId;
use crate::probe::Statistic;
use crate::time::Time;
use std::collections::VecDeque;

/// Plain notes kept; older ones are said again by a replay when somebody asks why.
const NOTES_MAX: usize = 1 << 15;
/// Older notes kept of those that the latest replay said again.
const AGAIN_MAX: usize = 1 << 12;
/// Marked notes kept.
const MARKS_MAX: usize = 1 << 12;
/// Runs end after two hours, which bounds the samples.
pub const END: Time = Time::s(7_200);

/// The number of a note: notes count from 0 in the order said, the same in every replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoteId(pub u32);

impl NoteId {
    /// No note: the start of every chain of causes.
    pub const NONE: NoteId = NoteId(u32::MAX);
}

/// How a note is coloured on the tape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Just so.
    #[default]
    Plain,
    /// Something got well.
    Ok,
    /// Something broke.
    Bad,
    /// Something is about to break.
    Warn,
    /// The learner did it.
    Learner,
}

/// Whether a note begins or ends an epoch, drawn as a band over the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epoch {
    /// From here on.
    Begins(&'static str, u16),
    /// Up to here.
    Ends(&'static str, u16),
}

/// One thing said: a sentence by id, its values, what it is about and what led to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// Its number.
    pub id: NoteId,
    /// The note that led to it, or [`NoteId::NONE`].
    pub cause: NoteId,
    /// When it was said.
    pub at: Time,
    /// How many agenda events had happened by then: the exact place to return to.
    pub events: u64,
    /// The sentence: word `say.<word>`.
    pub word: &'static str,
    /// Values for its placeholders `{0}`, `{1}`, `{2}`.
    pub args: [Option<Arg>; 3],
    /// The part it is about.
    pub part: Option<PartId>,
    /// The request, message or key it is about; 0 for none.
    pub dot: u32,
    /// So many more of the dots that follow it are meant too.
    pub dots_more: u8,
    /// Its colour.
    pub tone: Tone,
    /// Whether it stands on the events lane of the tape.
    pub marked: bool,
    /// The epoch that it begins or ends.
    pub epoch: Option<Epoch>,
}

impl Note {
    /// The sentence `say.<word>`; numbers, time and cause are filled in when it is said.
    pub const fn new(word: &'static str) -> Note {
        Note {
            id: NoteId::NONE,
            cause: NoteId::NONE,
            at: Time::ZERO,
            events: 0,
            word,
            args: [None; 3],
            part: None,
            dot: 0,
            dots_more: 0,
            tone: Tone::Plain,
            marked: false,
            epoch: None,
        }
    }

    /// Adds a value for the next placeholder; a fourth is dropped.
    // Inlined, the note is filled where it lies instead of being moved with every value.
    #[inline(always)]
    #[must_use]
    pub fn with(mut self, arg: Arg) -> Note {
        self.add(arg);
        self
    }

    #[inline(never)]
    fn add(&mut self, arg: Arg) {
        if let Some(free) = self.args.iter_mut().find(|arg| arg.is_none()) {
            *free = Some(arg);
        }
    }

    /// Says which part it is about.
    #[inline(always)]
    #[must_use]
    pub const fn about(mut self, part: PartId) -> Note {
        self.part = Some(part);
        self
    }

    /// Says which request, message or key it is about (numbers from 1).
    #[inline(always)]
    #[must_use]
    pub const fn dot(mut self, dot: u32) -> Note {
        self.dot = dot;
        self
    }

    /// Says which messages it is about that were sent together: so many from this one on.
    #[inline(always)]
    #[must_use]
    pub const fn dots(mut self, first: u32, count: usize) -> Note {
        if count > 0 {
            self.dot = first;
            self.dots_more = if count < 256 { count as u8 - 1 } else { 255 };
        }
        self
    }

    /// Whether it is about this dot.
    pub const fn is_about(&self, dot: u32) -> bool {
        self.dot > 0 && dot >= self.dot && dot - self.dot <= self.dots_more as u32
    }

    /// Puts it on the events lane in this colour.
    #[inline(always)]
    #[must_use]
    pub const fn mark(mut self, tone: Tone) -> Note {
        self.tone = tone;
        self.marked = true;
        self
    }

    /// Begins an epoch of this name and number, coloured like the note.
    #[inline(always)]
    #[must_use]
    pub const fn begins(mut self, epoch: &'static str, number: u16) -> Note {
        self.epoch = Some(Epoch::Begins(epoch, number));
        self
    }

    /// Ends the epoch of this name and number.
    #[inline(always)]
    #[must_use]
    pub const fn ends(mut self, epoch: &'static str, number: u16) -> Note {
        self.epoch = Some(Epoch::Ends(epoch, number));
        self
    }
}

/// An epoch as drawn: from, until (none while it lasts), its name and colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Word `epoch.<word>`.
    pub word: &'static str,
    /// Tells apart epochs of one name, such as outages of several servers.
    pub number: u16,
    /// Its beginning.
    pub from: Time,
    /// Its end, if it has ended on the tape.
    pub until: Option<Time>,
    /// Its colour.
    pub tone: Tone,
}

/// The future that a fork left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Ghost {
    /// Where the fork happened.
    pub from: Time,
    /// Index of the first lost sample.
    pub first: usize,
    /// The lost samples of each line.
    pub lines: Vec<Vec<f32>>,
    /// The lost marks.
    pub marks: Vec<Note>,
}

/// The recorded past of a run. Recording the same moment again changes nothing, so replays need no mute.
#[derive(Clone, Debug)]
pub struct Tape {
    every: Time,
    reads: Vec<(usize, Statistic)>,
    lines: Vec<Vec<f32>>,
    notes: VecDeque<Note>,
    /// What a replay said last of what was no longer among the notes: that is where the run stands, so it is what
    /// somebody asks about.
    again: VecDeque<Note>,
    marks: Vec<Note>,
    next: u32,
    ghost: Option<Ghost>,
}

impl Tape {
    /// An empty tape with one line of samples for each (probe, statistic), so far apart.
    pub fn new(reads: Vec<(usize, Statistic)>, every: Time) -> Tape {
        let lines = vec![Vec::new(); reads.len()];
        Tape {
            every,
            reads,
            lines,
            notes: VecDeque::new(),
            again: VecDeque::new(),
            marks: Vec::new(),
            next: 0,
            ghost: None,
        }
    }

    /// How far apart its samples are.
    pub fn every(&self) -> Time {
        self.every
    }

    /// How many samples are over at a moment.
    pub fn samples_at(&self, at: Time) -> usize {
        (at.0 / self.every.0.max(1)) as usize
    }

    /// What each line reads.
    pub fn reads(&self) -> &[(usize, Statistic)] {
        &self.reads
    }

    /// Records a note unless it is already here.
    pub fn record(&mut self, note: &Note) {
        if note.id.0 < self.next {
            self.say_again(note);
            return;
        }
        self.next = note.id.0 + 1;
        if note.marked {
            if self.marks.len() == MARKS_MAX {
                // A lane this full is a solid bar; every second mark draws the same bar.
                let mut keep = false;
                self.marks.retain(|mark| {
                    keep = !keep;
                    keep || mark.epoch.is_some()
                });
                self.marks.truncate(MARKS_MAX - 1);
            }
            self.marks.push(*note);
        }
        if self.notes.len() == NOTES_MAX {
            self.notes.pop_front();
        }
        self.notes.push_back(*note);
    }

    fn say_again(&mut self, note: &Note) {
        if self.keeps_from(note.id) {
            return;
        }
        // They stay in order and without a gap; a replay of another stretch begins anew.
        if self
            .again
            .back()
            .is_some_and(|last| last.id.0 + 1 != note.id.0)
        {
            self.again.clear();
        }
        if self.again.len() == AGAIN_MAX {
            self.again.pop_front();
        }
        self.again.push_back(*note);
    }

    /// Whether sample number `sample` is already here.
    pub fn has_sample(&self, sample: u64) -> bool {
        self.lines
            .first()
            .is_some_and(|line| (line.len() as u64) > sample)
    }

    /// Appends one sample to each line.
    pub fn push_samples(&mut self, values: &[f32]) {
        for (line, value) in self.lines.iter_mut().zip(values) {
            line.push(*value);
        }
    }

    /// The samples of a line, [`Tape::every`] apart, the first for the span that ends after one such step.
    pub fn line(&self, line: usize) -> &[f32] {
        self.lines.get(line).map_or(&[], Vec::as_slice)
    }

    /// The notes on the events lane, oldest first.
    pub fn marks(&self) -> &[Note] {
        &self.marks
    }

    /// The most recent notes, oldest first, and before them those that the latest replay said again.
    pub fn notes(&self) -> impl DoubleEndedIterator<Item = &Note> {
        self.again.iter().chain(&self.notes)
    }

    /// The note with this number, if it is still kept.
    pub fn note(&self, id: NoteId) -> Option<&Note> {
        let kept = [&self.notes, &self.again].into_iter().find_map(|notes| {
            let index = notes.binary_search_by_key(&id, |note| note.id).ok()?;
            notes.get(index)
        });
        kept.or_else(|| {
            self.marks
                .binary_search_by_key(&id, |note| note.id)
                .ok()
                .map(|index| &self.marks[index])
        })
    }

    /// Whether every note from `id` on is kept.
    pub fn keeps_from(&self, id: NoteId) -> bool {
        self.notes.front().is_none_or(|first| first.id <= id)
    }

    /// The epochs, in order of their beginnings.
    pub fn bands(&self) -> Vec<Band> {
        let mut bands: Vec<Band> = Vec::new();
        for note in &self.marks {
            match note.epoch {
                Some(Epoch::Begins(word, number)) => {
                    bands.push(Band {
                        word,
                        number,
                        from: note.at,
                        until: None,
                        tone: note.tone,
                    });
                }
                Some(Epoch::Ends(word, number)) => {
                    let open = bands
                        .iter_mut()
                        .rev()
                        .find(|b| (b.word, b.number, b.until) == (word, number, None));
                    if let Some(band) = open {
                        band.until = Some(note.at);
                    }
                }
                None => {}
            }
        }
        bands
    }

    /// The future that the last fork left behind.
    pub fn ghost(&self) -> Option<&Ghost> {
        self.ghost.as_ref()
    }

    /// Cuts the tape after `notes` notes and `samples` samples; what is lost becomes the ghost.
    pub fn fork(&mut self, at: Time, notes: u32, samples: u64) {
        let first = samples as usize;
        let cut = |line: &mut Vec<f32>| {
            if line.len() > first {
                line.split_off(first)
            } else {
                Vec::new()
            }
        };
        let lines = self.lines.iter_mut().map(cut).collect();
        let from = self.marks.partition_point(|note| note.id.0 < notes);
        let marks = self.marks.split_off(from);
        for kept in [&mut self.notes, &mut self.again] {
            while kept.back().is_some_and(|note| note.id.0 >= notes) {
                kept.pop_back();
            }
        }
        self.next = self.next.min(notes);
        self.ghost = Some(Ghost {
            from: at,
            first,
            lines,
            marks,
        });
    }

    /// A 64-bit FNV-1a hash of everything on the tape: equal runs have equal fingerprints on every target.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut eat = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for note in &self.notes {
            eat(&note.id.0.to_le_bytes());
            eat(&note.cause.0.to_le_bytes());
            eat(&note.at.0.to_le_bytes());
            eat(&note.events.to_le_bytes());
            eat(note.word.as_bytes());
            eat(&note.dot.to_le_bytes());
            for arg in note.args.iter().flatten() {
                match arg {
                    Arg::Count(n) => eat(&n.to_le_bytes()),
                    Arg::Number(x) | Arg::Share(x) => eat(&x.to_bits().to_le_bytes()),
                    Arg::Span(t) => eat(&t.0.to_le_bytes()),
                    Arg::Tenths(n) => eat(&n.to_le_bytes()),
                    Arg::Word(word) => eat(word.as_bytes()),
                    Arg::Part(part) => eat(part.to_string().as_bytes()),
                    Arg::Typed(typed) => eat(typed.text().as_bytes()),
                }
            }
        }
        for value in self.lines.iter().flatten() {
            // All not-a-numbers count as one: their bits may differ between targets.
            let bits = if value.is_nan() {
                u32::MAX
            } else {
                value.to_bits()
            };
            eat(&bits.to_le_bytes());
        }
        hash
    }

    /// How long the recorded samples reach.
    pub fn sampled_until(&self) -> Time {
        Time(self.lines.first().map_or(0, Vec::len) as u64 * self.every.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::SAMPLE_EVERY;

    fn note(id: u32, at: u64) -> Note {
        Note {
            id: NoteId(id),
            at: Time(at),
            ..Note::new("x").mark(Tone::Bad)
        }
    }

    fn plain(id: u32) -> Note {
        Note {
            id: NoteId(id),
            ..Note::new("x")
        }
    }

    #[test]
    fn recording_the_past_again_changes_nothing() {
        let mut tape = Tape::new(vec![(0, Statistic::Mean)], SAMPLE_EVERY);
        tape.record(&note(0, 1));
        tape.record(&note(1, 2));
        let before = tape.fingerprint();
        tape.record(&note(0, 1));
        assert_eq!(tape.fingerprint(), before);
        assert_eq!(tape.marks().len(), 2);
    }

    #[test]
    fn a_replay_tells_again_what_the_tape_has_forgotten() {
        let mut tape = Tape::new(Vec::new(), SAMPLE_EVERY);
        let far = NOTES_MAX as u32 + 50_000;
        (0..far).for_each(|i| tape.record(&plain(i)));
        let before = tape.fingerprint();
        for range in [5..9, 100..400] {
            range.for_each(|i| tape.record(&plain(i)));
        }
        assert_eq!(tape.fingerprint(), before);
        assert!(tape.note(NoteId(7)).is_none() && tape.note(NoteId(150)).is_some());
        (400..AGAIN_MAX as u32 + 200).for_each(|i| tape.record(&plain(i)));
        assert_eq!(tape.again.len(), AGAIN_MAX);
        assert!(tape.notes().is_sorted_by_key(|note| note.id));
        tape.fork(Time(1), 300, 0);
        assert_eq!(tape.notes().last().map(|note| note.id), Some(NoteId(299)));
    }

    #[test]
    fn a_fork_keeps_the_lost_future_as_a_ghost() {
        let mut tape = Tape::new(vec![(0, Statistic::Mean)], SAMPLE_EVERY);
        for i in 0..4 {
            tape.record(&note(i, u64::from(i)));
            tape.push_samples(&[i as f32]);
        }
        tape.fork(Time(2), 2, 3);
        assert_eq!(tape.line(0), [0.0, 1.0, 2.0]);
        assert_eq!(tape.marks().len(), 2);
        let ghost = tape.ghost().unwrap();
        assert_eq!(
            (ghost.marks.len(), ghost.lines[0].as_slice()),
            (2, [3.0].as_slice())
        );
        tape.record(&note(2, 9));
        assert_eq!(tape.note(NoteId(2)).unwrap().at, Time(9));
    }

    #[test]
    fn bands_open_and_close_by_name_and_number() {
        let mut tape = Tape::new(Vec::new(), SAMPLE_EVERY);
        tape.record(&note(0, 1).begins("outage", 1));
        tape.record(&note(1, 2).begins("outage", 2));
        tape.record(&note(2, 5).ends("outage", 1));
        let bands = tape.bands();
        assert_eq!(bands[0].until, Some(Time(5)));
        assert_eq!(bands[1].until, None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut tape = Tape::new(Vec::new(), SAMPLE_EVERY);
        for i in 0..200_000 {
            tape.record(&note(i, u64::from(i)));
        }
        assert!(tape.notes.len() <= NOTES_MAX && tape.marks.len() <= MARKS_MAX);
        assert!(tape.note(NoteId(199_999)).is_some());
        assert!(!tape.keeps_from(NoteId(5)));
    }
}
