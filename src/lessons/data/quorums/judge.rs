//! The judge: it stands outside the protocol, knows what was answered when, and says of each read what it is worth.

use algorithms::protocol::Id;
use algorithms::replicated::{KEYS, REPLICAS_MAX};
use engine::Time;
use std::collections::VecDeque;

/// Plots look at so many reads, and at no fewer than the second; waits at so many requests.
const LAST: usize = 50;
const LAST_MIN: usize = 10;
const WAITS: usize = 1_000;

/// What a read is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It heard of the newest version that was answered before it began.
    Fresh,
    /// It heard of one that was not answered yet, which is allowed.
    Early,
    /// It is so many versions old.
    Old(u32),
    /// It was not answered in time.
    Failed,
}

/// Counts of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) asked: u32,
    pub(super) fresh: u32,
    pub(super) early: u32,
    pub(super) old: u32,
    pub(super) failed: u32,
    /// Of these: older than a read that had ended before.
    pub(super) back: u32,
    /// Of these: right after an answered write, all at the present rules; and how many of them were old.
    pub(super) paired: u32,
    pub(super) paired_old: u32,
    /// Writes that were answered, and that failed.
    pub(super) written: u32,
    pub(super) unwritten: u32,
    /// Reads that waited for a repair.
    pub(super) mended: u32,
}

impl Tally {
    /// Reads that were answered.
    pub(super) fn reads(&self) -> u32 {
        self.fresh + self.early + self.old
    }

    /// The share of them that were old.
    pub(super) fn old_share(&self) -> f64 {
        f64::from(self.old) / f64::from(self.reads().max(1))
    }
}

/// A read under way.
#[derive(Clone, Copy, Debug)]
struct Open {
    reader: Id,
    number: u32,
    key: u8,
    /// What it must hear of at least, and what other reads have heard of.
    must: u32,
    seen: u32,
    /// It follows a write, and the rules that held when it began.
    paired: bool,
    rule: u32,
}

/// What it knows.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    /// The newest version of each key that was answered, and the rules by which it was.
    pub(super) answered: [u32; KEYS],
    under: [u32; KEYS],
    seen: [u32; KEYS],
    open: Vec<Open>,
    rule: u32,
    /// Since when its rules hold.
    since: Time,
    /// Since the last turn of a knob or action.
    pub(super) tally: Tally,
    /// Reads that have begun and ended, ever.
    begun: u64,
    ended: u64,
    /// Of the last reads: old, and went back.
    last: VecDeque<(bool, bool)>,
    /// Reads right after a write by R and W: how many, and how many of them not old.
    pub(super) matrix: [[(u32, u32); REPLICAS_MAX]; REPLICAS_MAX],
    /// How long reads and writes took, µs, at the present rules.
    waits: [VecDeque<u32>; 2],
    /// Old although R + W > N, the write was answered and the read begun at the present rules.
    pub(super) in_spite: u32,
}

impl Default for Judge {
    fn default() -> Judge {
        Judge {
            answered: [0; KEYS],
            under: [0; KEYS],
            seen: [0; KEYS],
            open: Vec::new(),
            rule: 1,
            since: Time::ZERO,
            tally: Tally::default(),
            begun: 0,
            ended: 0,
            last: VecDeque::new(),
            matrix: Default::default(),
            waits: Default::default(),
            in_spite: 0,
        }
    }
}

impl Judge {
    /// A read begins.
    pub(super) fn begins(&mut self, reader: Id, number: u32, key: u8, paired: bool) {
        let at = usize::from(key);
        self.tally.asked += 1;
        self.begun += 1;
        self.open.push(Open {
            reader,
            number,
            key,
            must: self.answered[at],
            seen: self.seen[at],
            paired,
            rule: self.rule,
        });
    }

    /// A write was answered that was asked at a moment.
    pub(super) fn written(&mut self, key: u8, version: u32, asked: Time) {
        let at = usize::from(key);
        if version > self.answered[at] {
            let rule = if asked <= self.since { 0 } else { self.rule };
            (self.answered[at], self.under[at]) = (version, rule);
        }
    }

    /// A read has ended with a version, or failed, under this R and W, with or without overlap: says what it is worth, and from
    /// which version it went back.
    pub(super) fn ends(
        &mut self,
        reader: Id,
        number: u32,
        version: Option<u32>,
        (r, w): (usize, usize),
        strict: bool,
    ) -> Option<(Verdict, Option<u32>)> {
        let mine = |open: &Open| open.reader == reader && open.number == number;
        let open = self.open.iter().position(mine)?;
        let open = self.open.remove(open);
        self.ended += 1;
        let at = usize::from(open.key);
        let Some(version) = version else {
            self.tally.failed += u32::from(open.rule == self.rule);
            return Some((Verdict::Failed, None));
        };
        let early = version > self.answered[at];
        let verdict = match open.must.saturating_sub(version) {
            0 if early => Verdict::Early,
            0 => Verdict::Fresh,
            behind => Verdict::Old(behind),
        };
        let back = version < open.seen;
        self.seen[at] = self.seen[at].max(version);
        let old = open.must > version;
        let same = open.rule == self.rule && self.under[at] == self.rule;
        if open.rule == self.rule {
            let tally = &mut self.tally;
            match verdict {
                Verdict::Fresh => tally.fresh += 1,
                Verdict::Early => tally.early += 1,
                _ => tally.old += 1,
            }
            tally.back += u32::from(back);
            tally.paired += u32::from(open.paired && same);
            tally.paired_old += u32::from(open.paired && same && old);
        }
        if same {
            self.in_spite += u32::from(old && strict);
            if open.paired
                && let Some(of) = self
                    .matrix
                    .get_mut(r - 1)
                    .and_then(|row| row.get_mut(w - 1))
            {
                (of.0, of.1) = (of.0 + 1, of.1 + u32::from(!old));
            }
        }
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back((old, back));
        Some((verdict, back.then_some(open.seen)))
    }

    /// Shares of the last reads at the present rules that were old and that went back, in per cent, once there are enough.
    pub(super) fn lately(&self) -> Option<[f64; 2]> {
        let all = self.last.len();
        let [mut old, mut back] = [0.0; 2];
        for (is_old, is_back) in &self.last {
            old += f64::from(u8::from(*is_old));
            back += f64::from(u8::from(*is_back));
        }
        let share = |n: f64| 100.0 * n / all as f64;
        (all >= LAST_MIN).then(|| [share(old), share(back)])
    }

    /// How long a read (0) or a write (1) took.
    pub(super) fn took(&mut self, kind: usize, span: Time) {
        let waits = &mut self.waits[kind];
        if waits.len() == WAITS {
            waits.pop_front();
        }
        waits.push_back(span.0 as u32);
    }

    /// How many reads (0) or writes (1) are remembered.
    pub(super) fn waited(&self, kind: usize) -> usize {
        self.waits[kind].len()
    }

    /// How many reads or writes are remembered, and their median and 99th percentile in ms.
    pub(super) fn waits(&self, kind: usize) -> (usize, [f64; 2]) {
        let mut all: Vec<u32> = self.waits[kind].iter().copied().collect();
        all.sort_unstable();
        let n = all.len();
        let at = |percent: usize| {
            let rank = (n * percent).div_ceil(100).max(1) - 1;
            f64::from(all.get(rank).copied().unwrap_or(0)) / 1e3
        };
        (n, [at(50), at(99)])
    }

    /// What is counted from now on is counted under other circumstances.
    pub(super) fn anew(&mut self) {
        self.tally = Tally::default();
        self.in_spite = 0;
    }

    /// Other rules hold from now on; only R and W are told apart by the matrix.
    pub(super) fn turned(&mut self, matrix: bool, now: Time) {
        self.anew();
        self.since = now;
        self.rule += 1;
        self.waits = Default::default();
        self.last.clear();
        if matrix {
            self.matrix = Default::default();
        }
    }

    /// Asked = fresh + early + old + failed + under way.
    pub(super) fn audit(&self) -> Result<(), String> {
        let open = self.open.len() as u64;
        if self.begun == self.ended + open {
            return Ok(());
        }
        let (begun, ended) = (self.begun, self.ended);
        Err(format!("{begun} reads, {ended} ended, {open} under way"))
    }
}
