//! Visitors: what they follow, what their browsers remember, and what the cache saves the database.

use super::probe;
use super::settings::{Redirect, Settings};
use algorithms::zipf::Zipf;
use engine::random::below;
use engine::{Context, Stream, Time};
use std::collections::VecDeque;

/// Visitors are counted so often.
pub(super) const TICK: Time = Time::ms(100);
/// Of each tick at most so many are followed through one by one; each stands for as many others.
const FOLLOWED: u32 = 150;
/// Popularity is told apart for so many links.
const RANKS: usize = 1_000;
/// Browsers.
const BROWSERS: usize = 50;
/// A visitor is drawn every so many ticks.
const DRAWN_EVERY: u32 = 4;
const VISITORS: Stream = Stream::named("visitors");

/// What is known of visitors.
#[derive(Clone, Debug)]
pub(super) struct Visits {
    /// Links that have come so far.
    pub(super) links: u32,
    zipf: Zipf,
    /// Links that have a code, the most popular first: the first ever told is told most.
    shared: Vec<(u32, u64)>,
    /// Which browsers remember a link, a bit each.
    remembered: Vec<u64>,
    /// Places of `shared` that the cache holds, the one used last at the end.
    cache: VecDeque<u16>,
    owed: f64,
    ticks: u32,
    /// Since the last turn of a knob that matters here.
    pub(super) all: f64,
    pub(super) counted: f64,
    hits: f64,
}

impl Visits {
    pub(super) fn new() -> Visits {
        Visits {
            links: 0,
            zipf: Zipf::new(RANKS, 0.9),
            shared: Vec::new(),
            remembered: Vec::new(),
            cache: VecDeque::new(),
            owed: 0.0,
            ticks: 0,
            all: 0.0,
            counted: 0.0,
            hits: 0.0,
        }
    }

    /// There are no links.
    pub(super) fn begin(&mut self) {
        self.links = 0;
        self.shared.clear();
        self.forget();
    }

    /// Counts begin anew; browsers and the cache are empty.
    pub(super) fn forget(&mut self) {
        self.remembered = vec![0; self.shared.len()];
        self.cache.clear();
        (self.owed, self.all, self.counted, self.hits) = (0.0, 0.0, 0.0, 0.0);
    }

    /// A link has a code that its creator passes on.
    pub(super) fn share(&mut self, link: u32, code: u64) {
        if self.shared.len() < RANKS {
            self.shared.push((link, code));
            self.remembered.push(0);
        }
    }

    /// Whether the cache holds a code.
    pub(super) fn has(&self, code: u64) -> bool {
        let mut held = self
            .cache
            .iter()
            .filter_map(|place| self.shared.get(usize::from(*place)));
        held.any(|shared| shared.1 == code)
    }

    /// Uses a place of the cache, least recently used first out; says whether it was there.
    fn cached(&mut self, place: usize, room: usize) -> bool {
        let at = self
            .cache
            .iter()
            .rposition(|held| usize::from(*held) == place);
        if let Some(at) = at {
            self.cache.remove(at);
        }
        self.cache.push_back(place as u16);
        while self.cache.len() > room {
            self.cache.pop_front();
        }
        at.is_some()
    }

    /// The share of visits that the cache answered, of those that reached a server.
    pub(super) fn hit_share(&self) -> f64 {
        if self.counted > 0.0 {
            self.hits / self.counted
        } else {
            0.0
        }
    }

    /// The share of visits that reached a server.
    pub(super) fn counted_share(&self) -> f64 {
        if self.all > 0.0 {
            self.counted / self.all
        } else {
            1.0
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.shared.len() * 24 + self.cache.len() * 2
    }

    /// The visitors of a tick: each follows a link, by its popularity. Now and then the last that reached a server is told, to be drawn.
    pub(super) fn tick<E>(
        &mut self,
        knobs: &Settings,
        cx: &mut Context<'_, E>,
    ) -> Option<(u32, u64)> {
        self.owed += f64::from(knobs.load * knobs.visits) * TICK.as_s();
        let due = self.owed as u32;
        self.owed -= f64::from(due);
        let known = self.shared.len();
        let followed = due.min(FOLLOWED);
        let weight = f64::from(due) / f64::from(followed.max(1));
        let (mut counted, mut last) = (0.0, None);
        for _ in 0..followed {
            // Drawn whether or not there is a link yet, so that twins meet the same visitors.
            let place = self.zipf.sample(cx.random(VISITORS)) % known.max(1);
            let browser = 1 << below(cx.random(VISITORS), BROWSERS);
            if known == 0 {
                continue;
            }
            self.all += weight;
            // A permanent redirect is remembered: this visit never comes here.
            if self.remembered[place] & browser > 0 {
                continue;
            }
            if knobs.redirect == Redirect::Permanent {
                self.remembered[place] |= browser;
            }
            counted += weight;
            let hit = self.cached(place, knobs.cache as usize);
            self.hits += if hit { weight } else { 0.0 };
            last = Some(self.shared[place]);
        }
        self.counted += counted;
        self.ticks += 1;
        let visits = if known > 0 { f64::from(due) } else { 0.0 };
        cx.sample(probe::VISITS, visits);
        cx.sample(probe::COUNTED, counted);
        last.filter(|_| self.ticks.is_multiple_of(DRAWN_EVERY))
    }

    /// How many visitors have been drawn.
    pub(super) fn drawn(&self) -> usize {
        (self.ticks / DRAWN_EVERY) as usize
    }
}
