//! What visits were told: by whom, how old, and whether they went back in time.

use super::author::Author;
use super::parts::WHO;
use super::{BALANCER, BROWSER, BY, DB, EDGE, HOT, OLD_ALL, OLD_HOT, PEOPLE, QUERIES, REDIS};
use engine::{Arg, Note, Time};
use kit::flow::Holds;
use kit::system::{Answer, Cx, Frame, NodeId, System, Values, thing};
use std::collections::VecDeque;

/// Who may answer: the caches on the way and the table.
pub(super) const LAYERS: [NodeId; 5] = [BROWSER, EDGE, BALANCER, REDIS, DB];
/// Visits to the hot page that are shown.
pub(super) const SHOWN: usize = 60;
/// Visits that are drawn on their way for so long, slower than they were.
pub(super) const FLIGHT: Time = Time::ms(600);
/// Shares are told over so many seconds.
pub(super) const WINDOW_S: usize = 60;
/// The share of old answers is told over this many seconds, and what somebody reads "in the same second" over one.
const LATELY_S: usize = 5;

/// A visit that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) number: u32,
    /// Who answered, by its place in [`LAYERS`], and the edge on the way.
    pub(super) layer: usize,
    pub(super) edge: usize,
    pub(super) version: u32,
    /// There was a newer one.
    pub(super) old: bool,
    /// Its visitor had seen a newer one.
    pub(super) back: bool,
    pub(super) at: Time,
}

/// What came to be in one second.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    by: [u32; 5],
    old: u32,
    hot: [u32; 2],
    /// The oldest answer, and all waiting together.
    oldest: Time,
    waited: Time,
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) turned: Option<Time>,
    pub(super) roaming: f64,
    /// The limit of age that follows from the lives: their sum, or the longest beside that of Redis.
    pub(super) limit: Time,
    pub(super) author: Author,
    /// The last visits to the hot page, and the last of all.
    pub(super) hot: VecDeque<Visit>,
    pub(super) flights: VecDeque<Visit>,
    seconds: VecDeque<(u64, Second)>,
    /// Since when seconds are counted.
    since: Time,
    /// What each visitor has seen of the hot page.
    last: Vec<u32>,
    /// The oldest answer since a knob was turned, and the oldest of those that were read in the table since: only these obey
    /// lives that have changed.
    pub(super) oldest: Time,
    pub(super) oldest_here: Time,
    told: Vec<Told>,
    pub(super) frugal: Holds,
    pub(super) turns: u32,
}

/// What is to be said and sampled of a visit.
#[derive(Clone, Copy, Debug)]
struct Told {
    layer: usize,
    back: Option<(u32, u16, u32, u32)>,
}

/// What the last seconds came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lately {
    /// Visits answered by each layer.
    pub(super) by: [u32; 5],
    /// Their mean wait.
    pub(super) wait: Time,
    /// The oldest answer.
    pub(super) oldest: Time,
    /// Seconds that this is told over.
    pub(super) seconds: f64,
}

impl Lately {
    /// The share that a layer answered of all.
    pub(super) fn share(&self, layer: usize) -> f64 {
        let all: u32 = self.by.iter().sum();
        f64::from(self.by[layer]) / f64::from(all.max(1))
    }

    /// The share that a layer answered of what came to it.
    pub(super) fn hits(&self, layer: usize) -> f64 {
        let came: u32 = self.by[layer..].iter().sum();
        f64::from(self.by[layer]) / f64::from(came.max(1))
    }

    /// Visits answered by a layer, a second.
    pub(super) fn per_s(&self, layer: usize) -> f64 {
        f64::from(self.by[layer]) / self.seconds.max(1.0)
    }
}

/// Waiting and coming are told in whole milliseconds at most.
pub(super) fn note(word: &'static str, count: u32) -> Note {
    Note::new(word).with(Arg::Count(i64::from(count)))
}

impl Seen {
    pub(super) fn new(knobs: &Values) -> Seen {
        let mut seen = Seen {
            turned: None,
            roaming: 0.0,
            limit: Time::ZERO,
            author: Author::default(),
            hot: VecDeque::new(),
            flights: VecDeque::new(),
            seconds: VecDeque::new(),
            since: Time::ZERO,
            last: vec![0; usize::from(PEOPLE) + 8],
            oldest: Time::ZERO,
            oldest_here: Time::ZERO,
            told: Vec::new(),
            frugal: Holds::default(),
            turns: 0,
        };
        seen.turns(knobs, Time::ZERO);
        seen
    }

    /// A knob was turned: what was told before says nothing about what holds now.
    pub(super) fn turns(&mut self, knobs: &Values, now: Time) {
        let lives = ["browser", "cdn", "balancer", "redis"].map(|id| knobs.s(id));
        let [browser, cdn, balancer, redis] = lives;
        self.limit = match knobs.whole("age") {
            0 => browser.max(cdn).max(balancer) + redis,
            _ => browser + cdn + balancer + redis,
        };
        self.roaming = knobs.get("roaming");
        self.author.turns(knobs);
        self.seconds.clear();
        self.since = now;
        (self.oldest, self.oldest_here) = (Time::ZERO, Time::ZERO);
        self.frugal = Holds::default();
        self.turns += 1;
    }

    fn second(&mut self, now: Time) -> &mut Second {
        let second = now.0 / 1_000_000;
        if self.seconds.back().is_none_or(|(last, _)| *last != second) {
            self.seconds.push_back((second, Second::default()));
        }
        while self
            .seconds
            .front()
            .is_some_and(|(first, _)| first + (WINDOW_S as u64) < second)
        {
            self.seconds.pop_front();
        }
        let last = self.seconds.len() - 1;
        &mut self.seconds[last].1
    }

    fn recent(&self, seconds: usize, now: Time) -> impl Iterator<Item = &Second> {
        let first = (now.0 / 1_000_000).saturating_sub(seconds as u64);
        let all = self.seconds.iter().filter(move |(at, _)| *at >= first);
        all.map(|(_, second)| second)
    }

    /// What the last minute came to, or the time since a knob was turned.
    pub(super) fn lately(&self, now: Time) -> Lately {
        let mut lately = Lately::default();
        let mut waited = Time::ZERO;
        for second in self.recent(WINDOW_S, now) {
            for (sum, count) in lately.by.iter_mut().zip(second.by) {
                *sum += count;
            }
            waited += second.waited;
            lately.oldest = lately.oldest.max(second.oldest);
        }
        let all: u32 = lately.by.iter().sum();
        lately.wait = Time(waited.0 / u64::from(all.max(1)));
        lately.seconds = now.since(self.since).as_s().min(WINDOW_S as f64 + 0.5);
        lately
    }

    /// The share of answers of the last seconds that were old: about the hot page, and about all.
    pub(super) fn old(&self, now: Time) -> [f64; 2] {
        let [mut hot, mut all] = [[0; 2]; 2];
        for second in self.recent(LATELY_S, now) {
            hot = [hot[0] + second.hot[0], hot[1] + second.hot[1]];
            all = [all[0] + second.by.iter().sum::<u32>(), all[1] + second.old];
        }
        [hot, all].map(|[all, old]| f64::from(old) / f64::from(all.max(1)))
    }

    /// How many different numbers visitors to the hot page read within a second.
    pub(super) fn numbers(&self, now: Time) -> usize {
        let fresh = self.hot.iter().filter(|it| now.since(it.at) <= Time::s(1));
        let mut numbers: Vec<u32> = fresh.map(|it| it.version).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len()
    }
}

/// A visit is over, and was told this.
pub(super) fn visited(request: &Frame, answer: Answer, system: &mut System, now: Time) {
    let (draw, number) = (request.draw, request.number);
    let page = thing(draw.key);
    let old = answer.version < system.version(DB, page);
    let Some(layer) = LAYERS.iter().position(|node| *node == answer.by.node) else {
        return;
    };
    let edge = if answer.by.node == EDGE {
        answer.by.member
    } else {
        let roaming = system.own::<Seen>().roaming;
        super::edge_of(draw.person, draw.unit(90), roaming)
    };
    let seen = system.own_mut::<Seen>();
    let age = now.since(answer.read);
    seen.oldest = seen.oldest.max(age);
    if answer.read >= seen.since {
        seen.oldest_here = seen.oldest_here.max(age);
    }
    let second = seen.second(now);
    second.by[layer] += 1;
    second.old += u32::from(old);
    second.oldest = second.oldest.max(age);
    second.waited += now.since(request.asked);
    let mut visit = Visit {
        number,
        layer,
        edge,
        version: answer.version,
        old,
        back: false,
        at: now,
    };
    let mut back = None;
    if page == HOT {
        second.hot[0] += 1;
        second.hot[1] += u32::from(old);
        if let Some(last) = seen.last.get_mut(usize::from(draw.person)) {
            visit.back = answer.version < *last;
            if visit.back {
                back = Some((number, draw.person, answer.version, *last));
            }
            *last = answer.version.max(*last);
        }
        seen.hot.push_back(visit);
        while seen.hot.len() > SHOWN {
            seen.hot.pop_front();
        }
    }
    seen.author.hears(page, answer.version, now);
    seen.flights.push_back(visit);
    while seen
        .flights
        .front()
        .is_some_and(|it| now.since(it.at) > FLIGHT)
    {
        seen.flights.pop_front();
    }
    seen.told.push(Told { layer, back });
}

/// Samples and says what became of visits.
pub(super) fn report(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    for told in std::mem::take(&mut system.own_mut::<Seen>().told) {
        cx.sample(BY + told.layer, 1.0);
        if told.layer == LAYERS.len() - 1 {
            cx.sample(QUERIES, 1.0);
        }
        if let Some((number, person, read, last)) = told.back {
            let said = note("back", u32::from(person) + 1);
            let counts = [read, last].map(|n| Arg::Count(i64::from(n)));
            let said = said.with(counts[0]).with(counts[1]);
            system.say(said.about(WHO).dot(number), cx);
        }
    }
    let seen = system.own_mut::<Seen>();
    let [hot, all] = seen.old(now).map(|share| share * 100.0);
    cx.sample(OLD_HOT, hot);
    cx.sample(OLD_ALL, all);
    let full = now.since(seen.since) >= Time::s(WINDOW_S as u64);
    let lately = seen.lately(now);
    let frugal = full
        && lately.wait <= Time::ms(45)
        && lately.per_s(4) <= 6.0
        && lately.oldest <= Time::ms(60_300);
    seen.frugal.set(frugal, now);
}
