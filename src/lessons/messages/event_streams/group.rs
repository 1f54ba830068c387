//! A group of consumers: its bookmarks in every lane, what it has done with each record, who is in it.

use algorithms::assignor::{Assignor, Member, Partition};
use engine::tape::NoteId;
use engine::{PartId, Time};
use kit::flow::{Marks, Recently};
use std::collections::VecDeque;

pub(super) const SEARCH: usize = 0;
pub(super) const COUNTER: usize = 1;
pub(super) const GROUPS: usize = 2;
/// As many consumers as Search can have.
pub(super) const CONSUMERS: usize = 8;
/// Users who click, u1 to u24.
pub(super) const USERS: usize = 24;

/// What Search as a whole does.
pub(super) const SEARCH_CARD: PartId = PartId::one("search");

/// A reader's card: consumers of Search have a number each, Counter is one.
pub(super) const fn reader(group: usize, consumer: usize) -> PartId {
    if group == SEARCH {
        PartId::nth("consumer", consumer as u16 + 1)
    } else {
        PartId::one("counter")
    }
}

/// What became of a group's records.
pub(super) const fn account(group: usize) -> PartId {
    PartId::nth("account", group as u16 + 1)
}

/// What has become of a record in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Not worked yet.
    Open,
    Done,
    /// The bookmark has passed it, or it is past retention, and nobody has worked it.
    Lost,
    /// Compaction has kept a newer one of its key.
    Superseded,
}

/// A record as a group sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) number: u32,
    pub(super) user: u8,
    pub(super) fate: Fate,
    /// So many consumers have it in a batch and have not worked it yet.
    held: u8,
}

/// What a piece of work was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worked {
    First,
    /// An older click of the same user is still waiting.
    Overtaking,
    Again,
}

/// A group's place in a lane.
#[derive(Clone, Debug, Default)]
pub(super) struct Bookmark {
    /// The next record to read, as the log's keeper knows it; none before the first assignment.
    pub(super) committed: Option<u64>,
    /// The next record that its reader will fetch.
    pub(super) position: u64,
    pub(super) owner: Option<usize>,
    /// Since when nobody reads it who did.
    pub(super) stopped: Option<Time>,
    /// So many of its records nobody of the group will work.
    pub(super) lost: u64,
    entries: VecDeque<Entry>,
    /// The offset of the first entry.
    base: u64,
}

impl Bookmark {
    pub(super) fn entry(&self, offset: u64) -> Option<&Entry> {
        self.entries.get(offset.checked_sub(self.base)? as usize)
    }

    fn entry_mut(&mut self, offset: u64) -> Option<&mut Entry> {
        self.entries
            .get_mut(offset.checked_sub(self.base)? as usize)
    }

    /// The offset after the last entry.
    fn end(&self) -> u64 {
        self.base + self.entries.len() as u64
    }
}

/// Where a consumer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum There {
    /// There is no such consumer.
    Not,
    Up,
    /// Starts, until then.
    Starting(Time),
    /// Crashed, back then.
    Dead(Time),
    /// Switched off, back then.
    Asleep(Time),
}

/// One of a group.
#[derive(Clone, Debug)]
pub(super) struct Consumer {
    pub(super) there: There,
    /// It beats but does not poll, until then.
    pub(super) hung: Option<Time>,
    /// It is to crash in the middle of a batch, at the latest then.
    pub(super) doomed: Option<Time>,
    /// The group counts it in.
    pub(super) member: bool,
    /// It waits for the group to assign anew.
    pub(super) joined: bool,
    pub(super) lanes: Vec<usize>,
    /// What it had before it gave all up.
    pub(super) had: Vec<usize>,
    /// What it is to give back at its next poll.
    pub(super) revoked: Vec<usize>,
    /// The records of its last poll, and how many of them are worked.
    pub(super) batch: Vec<(usize, u64)>,
    pub(super) worked: usize,
    pub(super) polled_at: Time,
    /// From when to when the record in hand is worked.
    pub(super) work: Option<(Time, Time)>,
    /// What was due before something interrupted it no longer counts.
    pub(super) turn: u32,
    /// It is about to poll.
    pub(super) asked: bool,
    /// The lane that its next poll begins with.
    pub(super) first: usize,
    pub(super) cause: NoteId,
}

impl Consumer {
    fn new(there: bool, cause: NoteId) -> Consumer {
        Consumer {
            there: if there { There::Up } else { There::Not },
            hung: None,
            doomed: None,
            member: there,
            joined: false,
            lanes: Vec::new(),
            had: Vec::new(),
            revoked: Vec::new(),
            batch: Vec::new(),
            worked: 0,
            polled_at: Time::ZERO,
            work: None,
            turn: 0,
            asked: false,
            first: 0,
            cause,
        }
    }

    /// It has records in hand.
    pub(super) fn busy(&self) -> bool {
        self.worked < self.batch.len()
    }

    pub(super) fn is_up(&self) -> bool {
        self.there == There::Up
    }

    /// The first offset of a lane after what it has worked of its batch; none if its batch has nothing of that lane.
    fn reached(&self, lane: usize, worked: usize) -> Option<u64> {
        let done = self.batch[..worked].iter().rev();
        done.clone().find(|one| one.0 == lane).map(|one| one.1 + 1)
    }
}

/// What a group is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Stable,
    /// Waits until all members have joined.
    Gathering {
        cooperative: bool,
    },
    /// All have joined; lanes are being assigned.
    Assigning {
        cooperative: bool,
    },
}

/// What a rebalance cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stop {
    /// So many lanes had no reader for a while.
    pub(super) lanes: usize,
    /// The longest while.
    pub(super) longest: Time,
}

/// The group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) bookmarks: Vec<Bookmark>,
    pub(super) consumers: Vec<Consumer>,
    pub(super) phase: Phase,
    pub(super) generation: u32,
    /// Which rebalance it is.
    pub(super) turn: u32,
    pub(super) stop: Stop,
    pub(super) assigned_at: Time,
    pub(super) done: u64,
    pub(super) again: u64,
    pub(super) lost: u64,
    pub(super) overtaken: u64,
    pub(super) superseded: u64,
    /// Who was overtaken last; 0 for nobody.
    pub(super) overtaken_user: u8,
    /// Clicks that wait, by user.
    waiting: Vec<VecDeque<u32>>,
    pub(super) rate: Recently<1>,
    pub(super) marks: [Marks; 3],
    /// Why the group assigns anew.
    pub(super) cause: NoteId,
}

impl Group {
    /// A group in which this many consumers of so many are there, before lanes are assigned.
    pub(super) fn new(count: usize, there: usize, now: Time, cause: NoteId) -> Group {
        Group {
            bookmarks: Vec::new(),
            consumers: (0..count)
                .map(|c| Consumer::new(c < there, cause))
                .collect(),
            phase: Phase::Stable,
            generation: 0,
            turn: 0,
            stop: Stop::default(),
            assigned_at: now,
            done: 0,
            again: 0,
            lost: 0,
            overtaken: 0,
            superseded: 0,
            overtaken_user: 0,
            waiting: vec![VecDeque::new(); USERS + 1],
            rate: Recently::new(now),
            marks: [Marks::default(); 3],
            cause,
        }
    }

    /// A record was appended.
    pub(super) fn appended(&mut self, lane: usize, number: u32, user: u8) {
        self.bookmarks[lane].entries.push_back(Entry {
            number,
            user,
            fate: Fate::Open,
            held: 0,
        });
        self.waiting[usize::from(user)].push_back(number);
    }

    /// Records from an offset on were cut off before anybody could read them.
    pub(super) fn truncated(&mut self, lane: usize, end: u64) {
        while self.bookmarks[lane].end() > end
            && let Some(entry) = self.bookmarks[lane].entries.pop_back()
        {
            self.settle(entry);
        }
    }

    /// A record no longer waits; returns whether an older one of its user still does.
    fn settle(&mut self, entry: Entry) -> bool {
        let waiting = &mut self.waiting[usize::from(entry.user)];
        waiting.retain(|number| *number != entry.number);
        waiting.iter().any(|other| *other < entry.number)
    }

    /// A consumer takes a record in hand, or lets go of it.
    pub(super) fn hold(&mut self, (lane, offset): (usize, u64), by: i8) {
        if let Some(entry) = self.bookmarks[lane].entry_mut(offset) {
            entry.held = entry.held.saturating_add_signed(by);
        }
    }

    /// A record in hand was worked.
    pub(super) fn work(&mut self, (lane, offset): (usize, u64)) -> Worked {
        self.hold((lane, offset), -1);
        let Some(entry) = self.bookmarks[lane].entry_mut(offset) else {
            return Worked::Again;
        };
        let before = std::mem::replace(&mut entry.fate, Fate::Done);
        let entry = *entry;
        match before {
            Fate::Done => {
                self.again += 1;
                return Worked::Again;
            }
            Fate::Lost => {
                self.lost -= 1;
                self.bookmarks[lane].lost -= 1;
            }
            Fate::Superseded => self.superseded -= 1,
            Fate::Open => {}
        }
        self.done += 1;
        if self.settle(entry) {
            self.overtaken += 1;
            self.overtaken_user = entry.user;
            return Worked::Overtaking;
        }
        Worked::First
    }

    /// A record that nobody will work any more; false if it has been worked, or still may be by whoever holds it.
    pub(super) fn lose(&mut self, lane: usize, offset: u64, fate: Fate) -> bool {
        let Some(entry) = self.bookmarks[lane].entry_mut(offset) else {
            return false;
        };
        if entry.fate != Fate::Open || entry.held > 0 {
            return false;
        }
        entry.fate = fate;
        let entry = *entry;
        self.settle(entry);
        match fate {
            Fate::Superseded => self.superseded += 1,
            _ => {
                self.lost += 1;
                self.bookmarks[lane].lost += 1;
            }
        }
        true
    }

    /// Records below `start` are gone from the log: what nobody has worked is lost. Returns how many that are.
    pub(super) fn expired(&mut self, lane: usize, start: u64) -> u32 {
        let mut lost = 0;
        let base = self.bookmarks[lane].base;
        for offset in base..start {
            lost += u32::from(self.lose(lane, offset, Fate::Lost));
        }
        let bookmark = &mut self.bookmarks[lane];
        while bookmark.base < start
            && bookmark
                .entries
                .front()
                .is_some_and(|entry| entry.held == 0)
        {
            bookmark.entries.pop_front();
            bookmark.base += 1;
        }
        lost
    }

    /// A consumer's work is interrupted: it lets go of what it has not worked.
    pub(super) fn drop_batch(&mut self, c: usize) -> Vec<(usize, u64)> {
        let one = &mut self.consumers[c];
        let batch = std::mem::take(&mut one.batch);
        let rest = batch[one.worked..].to_vec();
        (one.worked, one.work) = (0, None);
        one.turn += 1;
        one.asked = false;
        for record in &rest {
            self.hold(*record, -1);
        }
        rest
    }

    /// Commits how far a consumer has got with so many records of its batch.
    pub(super) fn commit(&mut self, c: usize, worked: usize) {
        for lane in 0..self.bookmarks.len() {
            if let Some(next) = self.consumers[c].reached(lane, worked) {
                let committed = &mut self.bookmarks[lane].committed;
                *committed = Some(committed.unwrap_or(0).max(next));
            }
        }
    }

    /// The offset of the record that is worked next in a lane.
    pub(super) fn reading(&self, lane: usize) -> u64 {
        let bookmark = &self.bookmarks[lane];
        let hand = bookmark.owner.and_then(|c| {
            let one = &self.consumers[c];
            let mut rest = one.batch[one.worked..].iter();
            rest.find(|record| record.0 == lane)
        });
        hand.map_or(bookmark.position, |record| record.1)
    }

    /// A lane is nobody's from now on.
    pub(super) fn release(&mut self, lane: usize, now: Time) {
        let bookmark = &mut self.bookmarks[lane];
        if let Some(owner) = bookmark.owner.take() {
            bookmark.stopped = Some(now);
            // Whoever comes next begins there.
            bookmark.position = bookmark.committed.unwrap_or(bookmark.position);
            self.consumers[owner].lanes.retain(|one| *one != lane);
        }
    }

    /// All that a consumer reads is nobody's from now on.
    pub(super) fn release_all(&mut self, c: usize, now: Time) {
        let lanes = self.consumers[c].lanes.clone();
        for lane in &lanes {
            self.release(*lane, now);
        }
        self.consumers[c].had = lanes;
        self.consumers[c].revoked.clear();
    }

    /// The group no longer counts a consumer in.
    pub(super) fn remove(&mut self, c: usize, now: Time) {
        self.release_all(c, now);
        let one = &mut self.consumers[c];
        (one.member, one.joined) = (false, false);
        one.had.clear();
    }

    /// Whether all members have joined.
    pub(super) fn all_joined(&self) -> bool {
        let mut members = self.consumers.iter().filter(|one| one.member);
        members.all(|one| one.joined)
    }

    /// What each consumer is to read; nothing for those who are no members.
    pub(super) fn assign(&self, rule: Assignor) -> Vec<Vec<usize>> {
        let partition = |number: &usize| Partition {
            topic: 0,
            number: *number,
        };
        let members: Vec<usize> = (0..self.consumers.len())
            .filter(|c| self.consumers[*c].member)
            .collect();
        let named = members.iter().map(|c| {
            let one = &self.consumers[*c];
            let owned = if one.lanes.is_empty() {
                &one.had
            } else {
                &one.lanes
            };
            Member {
                instance: None,
                // Single digits, so that names are in the order of numbers.
                id: c.to_string(),
                topics: vec![0],
                owned: owned.iter().map(partition).collect(),
            }
        });
        let given = rule.assign(&[self.bookmarks.len()], &named.collect::<Vec<_>>());
        let mut all = vec![Vec::new(); self.consumers.len()];
        for (c, given) in members.into_iter().zip(given) {
            all[c] = given.into_iter().map(|one| one.number).collect();
        }
        all
    }

    /// How many consumers are there and have a lane.
    pub(super) fn readers(&self) -> usize {
        let there = self.consumers.iter().filter(|one| one.is_up());
        there.filter(|one| !one.lanes.is_empty()).count()
    }

    /// Records that wait to be worked, be they read or not.
    pub(super) fn open(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        let entries = self.bookmarks.iter().map(|one| one.entries.len());
        entries.sum::<usize>() * size_of::<Entry>()
    }

    /// Every lane has one reader at most, bookmarks stand where there are records, and each record has one fate.
    pub(super) fn audit(&self, ends: &[u64], watermarks: &[u64]) -> Result<(), String> {
        let mut open = 0;
        for (l, bookmark) in self.bookmarks.iter().enumerate() {
            let readers = self.consumers.iter().filter(|one| one.lanes.contains(&l));
            let owners = readers.count();
            if owners != usize::from(bookmark.owner.is_some()) {
                return Err(format!("lane {l}: {owners} readers in one group"));
            }
            if bookmark.owner.is_some_and(|c| !self.consumers[c].member) {
                return Err(format!("lane {l} is read by somebody who is no member"));
            }
            if bookmark.end() != ends[l] {
                return Err(format!(
                    "lane {l}: {} entries, end {}",
                    bookmark.end(),
                    ends[l]
                ));
            }
            let furthest = bookmark.committed.unwrap_or(0).max(bookmark.position);
            if furthest > watermarks[l] {
                return Err(format!("lane {l}: read beyond the watermark, {furthest}"));
            }
            open += bookmark
                .entries
                .iter()
                .filter(|one| one.fate == Fate::Open)
                .count();
        }
        if open != self.open() {
            return Err(format!("{open} open, {} wait by user", self.open()));
        }
        let all: u64 = ends.iter().sum();
        let told = self.done + self.lost + self.superseded + open as u64;
        if all != told {
            return Err(format!("{all} records, {told} accounted for"));
        }
        Ok(())
    }
}
