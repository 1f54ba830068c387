//! The judge: it sees what no machine sees, who believes to hold what and what the lock service says of it, on one clock.

use super::face::{BLOCKS, FILES, WORKERS};
use algorithms::lease_lock::{Held, Value};
use engine::Time;
use engine::tape::NoteId;
use kit::flow::Holds;
use std::collections::VecDeque;

/// Lanes look back so far.
pub(super) const SPAN: Time = Time::s(15);
/// A rate is measured over at least so long.
const ENOUGH: Time = Time::s(8);
/// So many locks of the past are known by their order.
const PASSES: usize = 64;

/// A stretch of time in which somebody held a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) file: u8,
    pub(super) value: Value,
    pub(super) from: Time,
    pub(super) to: Option<Time>,
}

impl Bar {
    /// Whether some of it is seen from a moment on.
    fn is_seen(&self, from: Time) -> bool {
        self.to.is_none_or(|to| to >= from)
    }
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Wrote,
    /// Over one of a later holder.
    Late,
    Refused,
}

/// A worker's past.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    /// What it believed, and what the lock service said of it.
    pub(super) belief: VecDeque<Bar>,
    pub(super) lease: VecDeque<Bar>,
    /// When it was frozen.
    pub(super) frozen: VecDeque<(Time, Option<Time>)>,
    pub(super) blocks: VecDeque<(Time, Block)>,
    /// When it was given more time for a file.
    pub(super) renewed: VecDeque<Time>,
}

impl Lane {
    /// What it believes to hold now.
    pub(super) fn believes(&self) -> Option<Bar> {
        self.belief.back().copied().filter(|bar| bar.to.is_none())
    }

    fn forget(&mut self, from: Time) {
        for bars in [&mut self.belief, &mut self.lease] {
            while bars.front().is_some_and(|bar| !bar.is_seen(from)) {
                bars.pop_front();
            }
        }
        while self.renewed.front().is_some_and(|at| *at < from) {
            self.renewed.pop_front();
        }
        while self.blocks.front().is_some_and(|(at, _)| *at < from) {
            self.blocks.pop_front();
        }
        while self
            .frozen
            .front()
            .is_some_and(|(_, to)| to.is_some_and(|to| to < from))
        {
            self.frozen.pop_front();
        }
    }
}

/// Moves the end of a lane to what holds now.
fn follow(bars: &mut VecDeque<Bar>, now: Time, held: Option<(u8, Value)>) -> bool {
    let open = bars.back_mut().filter(|bar| bar.to.is_none());
    let same = open.as_ref().map(|bar| (bar.file, bar.value)) == held;
    if same {
        return false;
    }
    if let Some(open) = open {
        open.to = Some(now);
    }
    if let Some((file, value)) = held {
        bars.push_back(Bar {
            file,
            value,
            from: now,
            to: None,
        });
    }
    true
}

/// What is known of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Who holds it, as the lock service says.
    pub(super) says: Option<Held>,
    /// The note of the last grant, and of the last lease that ended while its holder went on or was dead.
    pub(super) grant: NoteId,
    pub(super) ended: NoteId,
    /// When it was finished last, and when by a pass that counts.
    pub(super) finished: Time,
    counted: Time,
    /// The latest pass that has written to it, in the order in which they began.
    newest: u32,
}

/// Counts since the rules that hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// When these rules began, and when a file was finished last.
    pub(super) since: Time,
    last: Time,
    /// Passes that count, and that were in vain, because another finished the file meanwhile.
    pub(super) counted: u32,
    pub(super) vain: u32,
    /// Blocks over a later holder's; passes that ended in a file of several; blocks that were refused.
    pub(super) late: u32,
    pub(super) mixed: u32,
    pub(super) refused: u32,
    /// Times that a second worker got a file; those when nobody was frozen and no work longer than its lease.
    pub(super) overlaps: u32,
    pub(super) awake: u32,
    pub(super) renewed: u32,
    /// Locks that were deleted and another's; and files that somebody got after that beside another.
    pub(super) foreign: u32,
    pub(super) walked_in: Option<Time>,
    /// When the first block was late, and when the first was refused.
    pub(super) first_late: Option<Time>,
    pub(super) first_refused: Option<Time>,
    /// Who stopped because its own clock said so.
    pub(super) stopped: u32,
    /// Holders that slept past their lease and woke to no harm: refused by the store, or before anybody else came.
    pub(super) fenced: u32,
    pub(super) delayed: u32,
}

impl Tally {
    /// So many a minute of these, measured to the last pass that ended; none before that says something.
    pub(super) fn a_minute(&self, passes: u32) -> Option<f64> {
        let span = self.last.since(self.since);
        (span >= ENOUGH).then(|| f64::from(passes) * 60.0 / span.as_s())
    }
}

#[derive(Clone, Debug)]
pub(super) struct Judge {
    pub(super) lanes: [Lane; WORKERS],
    pub(super) places: [Place; FILES],
    pub(super) tally: Tally,
    /// Passes in the order in which they began, and how many there were.
    passes: VecDeque<(Value, u32)>,
    begun: u32,
    /// File-seconds that were locked by nobody alive; how many are so now, and since when that is counted.
    pub(super) vacant: f64,
    pub(super) vacant_now: u32,
    counted: Time,
    /// How many believed to hold the file that most did, when it was last asked.
    pub(super) most: usize,
    /// Since when two or more have believed to hold one.
    pub(super) two: Holds,
}

impl Judge {
    pub(super) fn new(now: Time) -> Judge {
        let place = Place {
            says: None,
            grant: NoteId::NONE,
            ended: NoteId::NONE,
            finished: Time::ZERO,
            counted: Time::ZERO,
            newest: 0,
        };
        let mut judge = Judge {
            lanes: Default::default(),
            places: [place; FILES],
            tally: Tally::default(),
            passes: VecDeque::new(),
            begun: 0,
            vacant: 0.0,
            vacant_now: 0,
            counted: now,
            most: 0,
            two: Holds::default(),
        };
        judge.turned(now);
        judge
    }

    /// Other rules hold from now on.
    pub(super) fn turned(&mut self, now: Time) {
        self.tally = Tally {
            since: now,
            last: now,
            ..Tally::default()
        };
        self.vacant = 0.0;
    }

    /// Who believes to hold a file, as nodes are counted among workers.
    pub(super) fn believers(&self, file: u8) -> impl Iterator<Item = usize> + '_ {
        let lanes = self.lanes.iter().enumerate();
        lanes.filter_map(move |(at, lane)| {
            let bar = lane.believes()?;
            (bar.file == file).then_some(at)
        })
    }

    /// What a worker believes now.
    pub(super) fn believes(&mut self, at: usize, held: Option<(u8, Value)>, now: Time) {
        let lane = &mut self.lanes[at];
        lane.forget(now.since(SPAN + Time::s(1)));
        follow(&mut lane.belief, now, held);
    }

    /// What the lock service says of all files; `whose` gives a value's worker.
    pub(super) fn says(
        &mut self,
        says: [Option<Held>; FILES],
        whose: impl Fn(Value) -> usize,
        now: Time,
    ) {
        for (place, says) in self.places.iter_mut().zip(says) {
            place.says = says;
        }
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            // A worker that has lost a file may already have another.
            let files = (0..).zip(says).filter_map(|(file, says)| {
                let value = says?.value;
                (whose(value) == at).then_some((file, value))
            });
            follow(&mut lane.lease, now, files.max_by_key(|(_, value)| *value));
        }
    }

    /// Time has passed while so many files were locked by nobody alive.
    pub(super) fn passes_time(&mut self, vacant: u32, now: Time) {
        self.vacant += f64::from(self.vacant_now) * now.since(self.counted).as_s();
        (self.vacant_now, self.counted) = (vacant, now);
    }

    /// A worker has a file: its pass begins.
    pub(super) fn begins(&mut self, value: Value) {
        if self.passes.len() == PASSES {
            self.passes.pop_front();
        }
        self.begun += 1;
        self.passes.push_back((value, self.begun));
    }

    /// The lock under which the first pass of all began, while it is remembered.
    pub(super) fn passes_first(&self) -> Option<Value> {
        self.passes.front().map(|(value, _)| *value)
    }

    /// A block has been written; tells whether that was over a later pass. Tokens say it where there are some.
    pub(super) fn wrote(&mut self, file: u8, value: Value, by_token: Option<bool>) -> bool {
        let mut passes = self.passes.iter();
        let order = passes
            .find(|(of, _)| *of == value)
            .map_or(0, |(_, order)| *order);
        let place = &mut self.places[usize::from(file)];
        let late = by_token.unwrap_or(order < place.newest);
        place.newest = place.newest.max(order);
        self.tally.late += u32::from(late);
        late
    }

    /// A worker has finished a file that it began then; tells whether that counts.
    pub(super) fn done(&mut self, file: u8, began: Time, now: Time) -> bool {
        let place = &mut self.places[usize::from(file)];
        // Who began on what another has finished meanwhile has done it once more.
        let counts = began >= place.counted;
        place.finished = now;
        self.tally.last = now;
        if counts {
            place.counted = now;
            self.tally.counted += 1;
        } else {
            self.tally.vain += 1;
        }
        counts
    }

    /// The files, first the one that was finished longest ago.
    pub(super) fn order(&self) -> [u8; FILES] {
        let mut order = [0, 1, 2];
        let finished = |file: u8| self.places[usize::from(file)].finished;
        for last in 1..FILES {
            let mut at = last;
            while at > 0 && finished(order[at - 1]) > finished(order[at]) {
                order.swap(at - 1, at);
                at -= 1;
            }
        }
        order
    }

    /// How long two believed to hold one file, in a lane's past: stretches from and to.
    pub(super) fn overlaps(&self, at: usize, bar: &Bar, now: Time) -> Vec<(Time, Time)> {
        let mut found = Vec::new();
        let end = |bar: &Bar| bar.to.unwrap_or(now);
        for (_, lane) in self
            .lanes
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
        {
            for one in lane.belief.iter().filter(|one| one.file == bar.file) {
                let (mut from, mut to) = (one.from.max(bar.from), end(one).min(end(bar)));
                if from >= to {
                    continue;
                }
                // Several others at a time are one stretch.
                found.retain(|(began, ended)| {
                    let apart = *began > to || *ended < from;
                    if !apart {
                        (from, to) = (from.min(*began), to.max(*ended));
                    }
                    apart
                });
                found.push((from, to));
            }
        }
        found
    }

    /// Laws of the judge's own books.
    pub(super) fn audit(&self) -> Result<(), String> {
        for (at, lane) in self.lanes.iter().enumerate() {
            for bars in [&lane.belief, &lane.lease] {
                let mut pairs = bars.iter().zip(bars.iter().skip(1));
                if !pairs.all(|(one, next)| one.to.is_some_and(|to| to <= next.from)) {
                    return Err(format!("worker {} holds two files in one lane", at + 1));
                }
            }
            if lane.blocks.len() > 40 * usize::from(BLOCKS) {
                return Err(format!("worker {} remembers too many blocks", at + 1));
            }
        }
        Ok(())
    }
}
