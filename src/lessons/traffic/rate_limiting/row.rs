//! The five limiters under one rule, and what each has decided lately.

use super::{COUNTER, FIXED, LEAKY, LOG, ROWS, TOKEN};
use algorithms::fixed_window::FixedWindow;
use algorithms::leaky_bucket::{Excess, LeakyBucket};
use algorithms::limiter::{Limiter, Rate, Verdict};
use algorithms::sliding_log::SlidingLog;
use algorithms::sliding_window_counter::SlidingWindowCounter;
use algorithms::token_bucket::{Bandwidth, TokenBucket};
use engine::Time;
use kit::system::Values;
use std::collections::VecDeque;

/// What all five are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// So many requests …
    pub(super) limit: u64,
    /// … in so long a window.
    pub(super) window: Time,
    /// What both buckets hold.
    pub(super) burst: u64,
    /// The leaky bucket refuses what would have to wait.
    pub(super) meter: bool,
    /// The log remembers refusals, too.
    pub(super) logs_refused: bool,
}

impl Rule {
    /// As the lesson opens.
    pub(super) const FIRST: Rule = Rule {
        limit: 5,
        window: Time::s(1),
        burst: 5,
        meter: false,
        logs_refused: false,
    };

    pub(super) fn of(knobs: &Values) -> Rule {
        Rule {
            limit: u64::from(knobs.whole("limit")),
            window: knobs.s("window"),
            burst: u64::from(knobs.whole("burst")),
            meter: knobs.whole("leaky") == 1,
            logs_refused: knobs.on("logs-refused"),
        }
    }

    fn rate(self) -> Rate {
        Rate::new(self.limit, self.window.0)
    }

    fn excess(self) -> Excess {
        if self.meter {
            Excess::Passes
        } else {
            Excess::Waits
        }
    }
}

/// The five, in ticks of a microsecond.
#[derive(Clone, Debug)]
pub(super) struct Limiters {
    pub(super) rule: Rule,
    pub(super) fixed: FixedWindow,
    pub(super) log: SlidingLog,
    pub(super) counter: SlidingWindowCounter,
    pub(super) token: TokenBucket,
    pub(super) leaky: LeakyBucket,
}

impl Limiters {
    pub(super) fn new(rule: Rule) -> Limiters {
        let rate = rule.rate();
        Limiters {
            rule,
            fixed: FixedWindow::new(rate),
            log: SlidingLog::new(rate, rule.logs_refused),
            counter: SlidingWindowCounter::new(rate),
            token: TokenBucket::new(0, &[Bandwidth::greedy(rule.burst, rate)]),
            // One request is served, the others of a burst stand behind it.
            leaky: LeakyBucket::new(rate, rule.burst - 1, rule.excess()),
        }
    }

    /// Follows another rule from now on; what each knows stays, clamped to what it may hold.
    pub(super) fn follow(&mut self, rule: Rule, now: Time) {
        if rule == self.rule {
            return;
        }
        let (rate, us) = (rule.rate(), now.0);
        self.fixed.set_rate(us, rate);
        self.log.set_rate(us, rate);
        self.log.set_logs_refused(rule.logs_refused);
        self.counter.set_rate(us, rate);
        self.token.set_rate(us, rule.burst, rate);
        self.leaky.set_rate(us, rate, rule.burst - 1);
        self.leaky.set_excess(rule.excess());
        self.rule = rule;
    }

    pub(super) fn ask(&mut self, row: usize, now: Time) -> Verdict {
        self.inner(row).ask(now.0, 1)
    }

    /// Bytes to remember for one client.
    pub(super) fn bytes(&mut self, row: usize) -> u64 {
        self.inner(row).memory_bytes() as u64
    }

    fn inner(&mut self, row: usize) -> &mut dyn Limiter {
        debug_assert!(row < ROWS);
        match row {
            FIXED => &mut self.fixed,
            LOG => &mut self.log,
            COUNTER => &mut self.counter,
            TOKEN => &mut self.token,
            _ => {
                debug_assert_eq!(row, LEAKY);
                &mut self.leaky
            }
        }
    }
}

/// One decision of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decision {
    /// When the request came.
    pub(super) at: Time,
    /// When it goes on; none if it was refused.
    pub(super) release: Option<Time>,
    /// It is not its first try.
    pub(super) again: bool,
}

/// What a row has decided lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// Oldest first.
    pub(super) past: VecDeque<Decision>,
    /// When tries after the first came last, and how many at that very moment.
    pub(super) herd: Option<(Time, u32)>,
}

impl Row {
    /// Remembers a decision, and forgets those older than `keep`.
    pub(super) fn add(&mut self, decision: Decision, keep: Time) {
        let old = |first: &Decision| decision.at.since(first.at) > keep;
        while self.past.front().is_some_and(old) {
            self.past.pop_front();
        }
        if decision.again {
            let before = self.herd.filter(|(at, _)| *at == decision.at);
            self.herd = Some((decision.at, before.map_or(1, |(_, count)| count + 1)));
        }
        self.past.push_back(decision);
    }

    /// What it has decided from one moment up to another.
    pub(super) fn within(&self, since: Time, at: Time) -> impl Iterator<Item = &Decision> {
        let counts = move |one: &&Decision| one.at >= since && one.at <= at;
        self.past.iter().filter(counts)
    }

    /// Passed and refused since a moment.
    pub(super) fn tally(&self, since: Time, at: Time) -> (u32, u32) {
        let mut tally = (0, 0);
        for one in self.within(since, at) {
            match one.release {
                Some(_) => tally.0 += 1,
                None => tally.1 += 1,
            }
        }
        tally
    }

    /// How many wait for their turn.
    pub(super) fn waiting(&self, at: Time) -> usize {
        let waits = |one: &&Decision| one.release.is_some_and(|release| release > at);
        self.past.iter().filter(waits).count()
    }

    /// The window, open at its beginning, in which most went on, by its end; and how many those were. Of equal ones the last.
    pub(super) fn fullest(&self, since: Time, at: Time, window: Time) -> (Time, u32) {
        let releases: Vec<Time> = self
            .within(since, at)
            .filter_map(|one| one.release)
            .filter(|release| *release <= at)
            .collect();
        let mut most = (at, 0);
        let mut first = 0;
        for (i, end) in releases.iter().enumerate() {
            while end.since(releases[first]) >= window {
                first += 1;
            }
            let count = (i + 1 - first) as u32;
            if count >= most.1 {
                most = (*end, count);
            }
        }
        most
    }

    /// The most tries after the first that have come back at one moment within the last `span`; 0 for fewer than two.
    pub(super) fn together(&self, span: Time, at: Time) -> u32 {
        self.herd
            .filter(|(came, count)| *count > 1 && at.since(*came) < span)
            .map_or(0, |(_, count)| count)
    }
}
