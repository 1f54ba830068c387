//! One cache: an edge, or the shield beside the origin. What it holds, what may be given of it, and who waits for what.

use super::settings::{Expired, KeyRule, Settings, VIDEOS};
use algorithms::cache::{Cache, Lookup};
use algorithms::eviction::Policy;
use algorithms::http_freshness::{Directives, Response, Use};
use algorithms::single_flight::SingleFlight;
use engine::Time;
use engine::tape::NoteId;
use kit::flow::{Key, Recently};

/// For so long after its end a copy may be given while a fresh one is fetched (`stale-while-revalidate`), s: a day.
const STALE_S: u64 = 86_400;

/// What a viewer asks for: a video and, in a campaign, a query of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) video: u16,
    /// The number in `?id=…`, and whether a mail program has turned the order of the parameters; none without a query.
    pub(super) query: Option<(u32, bool)>,
}

impl Url {
    /// What tells its copies from others. By the whole address the same parameters in another order are another key.
    pub(super) fn key(self, rule: KeyRule) -> u32 {
        let asked = match (rule, self.query) {
            (KeyRule::Url, Some((id, turned))) => 2 * id + 1 + u32::from(turned),
            _ => 0,
        };
        asked * VIDEOS as u32 + u32::from(self.video)
    }
}

/// An answer of the origin, as a cache keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Copy {
    /// When the origin made it: its Date.
    pub(super) made: Time,
    /// When it was asked for, and when it arrived here.
    pub(super) asked: Time,
    pub(super) came: Time,
    /// Its Age on arrival, and the `s-maxage` that it came with, s.
    pub(super) age_s: u32,
    pub(super) life_s: u32,
    /// Which version of the site it is of.
    pub(super) version: u16,
    /// A purge has marked it stale.
    pub(super) purged: bool,
}

impl Copy {
    fn response(&self, stale: bool) -> Response {
        Response {
            status: 200,
            directives: Directives {
                s_maxage_s: Some(self.life_s.into()),
                stale_while_revalidate_s: stale.then_some(STALE_S),
                ..Directives::default()
            },
            age_s: self.age_s.into(),
            date_us: Some(self.made.0),
            requested_us: self.asked.0,
            received_us: self.came.0,
            ..Response::default()
        }
    }

    /// Its Age, to be sent along.
    pub(super) fn age_s(&self, now: Time) -> u32 {
        self.response(false).age_s(now.0) as u32
    }

    /// What may be done with it.
    pub(super) fn use_at(&self, now: Time, stale: bool) -> Use {
        self.response(stale).use_at(now.0, true, self.purged)
    }

    /// Whether it may be given without asking.
    pub(super) fn is_fresh(&self, now: Time) -> bool {
        self.use_at(now, false) == Use::Fresh
    }
}

/// What an edge counts: what was asked of it, and what became of that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) requests: u32,
    pub(super) hits: u32,
    pub(super) stale: u32,
    /// Answered by a fetch of their own, or by one that somebody else had begun.
    pub(super) misses: u32,
    pub(super) joined: u32,
    pub(super) failed: u32,
}

/// What a cache has for who asks.
pub(super) enum Found {
    Fresh(Copy),
    /// It may be given, and a fresh one is to be fetched behind.
    Stale(Copy),
    Nothing,
}

/// One cache.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) cache: Cache<u32, Copy>,
    /// Who waits for what somebody else fetches: viewers at an edge, fetches of edges at the shield.
    pub(super) flights: SingleFlight<u32, Key, ()>,
    /// Which life it is in: what was begun in an earlier one does not reach it.
    pub(super) life: u32,
    /// Since when it is dead, and whether the network has taken its routes back.
    pub(super) down: Option<Time>,
    pub(super) withdrawn: bool,
    pub(super) counts: Counts,
    /// Answers from a copy, and others.
    pub(super) lately: Recently<2>,
    /// What its state goes back to.
    pub(super) cause: NoteId,
    /// The note of its last death.
    pub(super) death: NoteId,
}

impl Store {
    pub(super) fn new(slots: u32, now: Time) -> Store {
        Store {
            cache: Cache::new(Policy::Lru, slots as usize),
            flights: SingleFlight::default(),
            life: 0,
            down: None,
            withdrawn: false,
            counts: Counts::default(),
            lately: Recently::new(now),
            cause: NoteId::NONE,
            death: NoteId::NONE,
        }
    }

    /// It begins anew, empty.
    pub(super) fn restart(&mut self, now: Time) {
        self.cache.clear();
        self.flights = SingleFlight::default();
        self.life += 1;
        (self.down, self.withdrawn) = (None, false);
        self.lately.restart(now);
    }

    // region: consult
    /// What it has for a key. At the very end of its life a copy is no longer fresh.
    pub(super) fn consult(&mut self, key: u32, expired: Expired, now: Time) -> Found {
        let Lookup::Hit(copy) = self.cache.get(&key, now.0) else {
            return Found::Nothing;
        };
        match copy.use_at(now, expired == Expired::Stale) {
            Use::Fresh => Found::Fresh(copy),
            Use::WhileRevalidate => Found::Stale(copy),
            Use::UnlessError | Use::Validate => Found::Nothing,
        }
    }
    // endregion

    /// A purge: removes all copies, or marks them stale.
    pub(super) fn purge(&mut self, hard: bool) {
        if hard {
            self.cache.clear();
            return;
        }
        let keys = self.cache.slots().iter().flatten().map(|entry| entry.key);
        for key in keys.collect::<Vec<_>>() {
            self.cache.update(&key, |copy| copy.purged = true);
        }
    }

    /// How many of its copies are good, of an old version though they may be given, and over.
    pub(super) fn kinds(&self, version: u16, now: Time) -> [usize; 3] {
        let mut kinds = [0; 3];
        for entry in self.cache.slots().iter().flatten() {
            let kind = match (entry.value.is_fresh(now), entry.value.version == version) {
                (true, true) => 0,
                (true, false) => 1,
                (false, _) => 2,
            };
            kinds[kind] += 1;
        }
        kinds
    }

    /// The share of the last ten seconds' answers that came from a copy; none if there were few.
    pub(super) fn hit_share(&self, at: Time) -> Option<f64> {
        let window = Time::s(10);
        let all = self.lately.sum(0, window, at) + self.lately.sum(1, window, at);
        (all > 0).then(|| f64::from(self.lately.sum(0, window, at)) / f64::from(all))
    }
}

/// What theory says of the default knobs is checked in the lesson's tests; this is what the page shows of it: the share of hits of an edge
/// with room for all, at `rate` viewers a second, Σ p · pλT ÷ (1 + pλT).
pub(super) fn expected(probabilities: &[f64], knobs: &Settings, rate: f64) -> f64 {
    let hit = |p: &f64| {
        let asked = p * rate * f64::from(knobs.life);
        p * asked / (1.0 + asked)
    };
    probabilities.iter().map(hit).sum()
}
