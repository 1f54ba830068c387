//! A proxy beside a caller: its orders, what it has found out by itself, and whom it calls next.

use super::{HOSTS_MAX, ZONES};
use algorithms::outlier::{Detector, Settings, SuccessRate};
use algorithms::priority_load::{Level, Share, shares};
use engine::Time;
use kit::system::Values;

/// Two zones of hosts, each with places for as many as there can be.
pub(super) const PLACES: usize = ZONES * HOSTS_MAX;
/// A host never stays out for longer.
const ASIDE_MAX: Time = Time::s(300);

/// By what a host is put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Off,
    InARow,
    SuccessRate,
}

/// What the control plane orders: plain data, the same for every proxy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Order {
    /// The hosts of each zone that it names.
    pub(super) hosts: [usize; ZONES],
    /// For each try; none for no end.
    pub(super) timeout: Option<Time>,
    pub(super) retries: u8,
    pub(super) least: bool,
    pub(super) rule: Rule,
    pub(super) in_a_row: u32,
    pub(super) sweep: Time,
    pub(super) panic_below: u32,
    success_rate: SuccessRate,
    base: Time,
    most: u32,
}

impl Order {
    pub(super) fn of(knobs: &Values) -> Order {
        let timeout = knobs.s("timeout");
        Order {
            hosts: hosts(knobs),
            timeout: (timeout > Time::ZERO).then_some(timeout),
            retries: knobs.whole("retries") as u8,
            least: knobs.whole("balance") == 1,
            rule: match knobs.whole("aside") {
                0 => Rule::Off,
                1 => Rule::InARow,
                _ => Rule::SuccessRate,
            },
            in_a_row: knobs.whole("row"),
            sweep: knobs.s("sweep"),
            panic_below: knobs.whole("panic"),
            success_rate: SuccessRate {
                requests_min: knobs.whole("volume"),
                deviations: knobs.get("deviations"),
                ..SuccessRate::default()
            },
            base: knobs.s("for"),
            most: knobs.whole("most"),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            in_a_row: (self.rule == Rule::InARow).then_some(self.in_a_row),
            success_rate: (self.rule == Rule::SuccessRate).then_some(self.success_rate),
            base_us: self.base.0,
            max_us: ASIDE_MAX.0,
            max_percent: self.most,
        }
    }
}

/// How many hosts each zone is to have.
pub(super) fn hosts(knobs: &Values) -> [usize; ZONES] {
    let each = knobs.whole("hosts") as usize;
    [each, if knobs.whole("zone") == 1 { each } else { 0 }]
}

/// An order on its way to a proxy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coming {
    pub(super) number: u32,
    pub(super) order: Order,
    pub(super) left: Time,
    pub(super) arrives: Time,
}

/// One caller's proxy, or the caller itself while there is no mesh.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxy {
    /// What it does; none while it is not there, or knows nothing yet.
    pub(super) order: Option<Order>,
    /// Orders on their way.
    pub(super) coming: Vec<Coming>,
    pub(super) detector: Detector,
    /// Success rates as deviations from the mean, as of the last sweep that compared them; by place.
    pub(super) distances: Vec<Option<f64>>,
    /// When it sweeps next.
    pub(super) sweeps_at: Time,
    /// Whose turn it is in each zone.
    pub(super) turns: [usize; ZONES],
    /// What each zone gets, as was last told.
    pub(super) shares: Vec<Share>,
}

/// The place of a host.
pub(super) const fn place(zone: usize, host: usize) -> usize {
    zone * HOSTS_MAX + host
}

impl Proxy {
    /// Nothing is remembered: it is another one.
    pub(super) fn new(turn: usize) -> Proxy {
        Proxy {
            turns: [turn; ZONES],
            ..Proxy::default()
        }
    }

    /// The hosts that it knows of, as far as they are there.
    pub(super) fn known(&self, there: [usize; ZONES]) -> [usize; ZONES] {
        let named = self.order.map_or(there, |order| order.hosts);
        std::array::from_fn(|zone| named[zone].min(there[zone]))
    }

    /// Knows the hosts of its orders that are there.
    pub(super) fn follow(&mut self, there: [usize; ZONES]) {
        let known = self.known(there);
        let is_there = (0..PLACES).map(|it| it % HOSTS_MAX < known[it / HOSTS_MAX]);
        self.detector.follow(is_there);
    }

    /// Whether it has put a host aside.
    pub(super) fn has_aside(&self, place: usize) -> bool {
        let host = self.detector.host(place);
        host.is_some_and(|host| host.aside_since.is_some())
    }

    /// What each zone gets of its calls.
    pub(super) fn shares(&self, there: [usize; ZONES]) -> Vec<Share> {
        let known = self.known(there);
        let Some(order) = self.order else {
            // Without a mesh nobody knows of zones.
            let all = (known[0] + known[1]).max(1);
            let load = (100 * known[1] / all) as u32;
            return [100 - load, load]
                .map(|load| Share {
                    load,
                    panics: false,
                })
                .to_vec();
        };
        let zones = if known[1] > 0 { ZONES } else { 1 };
        let levels: Vec<Level> = (0..zones)
            .map(|zone| {
                let well = |host: &usize| !self.has_aside(place(zone, *host));
                Level {
                    healthy: (0..known[zone]).filter(well).count() as u32,
                    hosts: known[zone] as u32,
                }
            })
            .collect();
        shares(&levels, order.panic_below)
    }

    /// Whom a call goes to in a zone: of those that are believed in, or of all in panic, one that was not tried yet. `draw` is even
    /// from 0 to 1, `open` tells how many calls to a host are under way.
    pub(super) fn choose(
        &self,
        zone: usize,
        there: [usize; ZONES],
        tried: u64,
        draws: [f64; 2],
        open: &dyn Fn(usize) -> usize,
    ) -> Option<usize> {
        let known = self.known(there)[zone];
        let panics = self.shares(there).get(zone).is_some_and(|it| it.panics);
        let believed = |host: &usize| panics || !self.has_aside(place(zone, *host));
        let fresh = |host: &usize| tried & (1 << place(zone, *host)) == 0;
        let all = (0..known).filter(believed);
        let mut hosts: Vec<usize> = all.clone().filter(fresh).collect();
        if hosts.is_empty() {
            hosts = all.collect();
        }
        let count = hosts.len();
        if count == 0 {
            return None;
        }
        if self.order.is_some_and(|order| order.least) {
            let first = ((draws[0] * count as f64) as usize).min(count - 1);
            let other = (draws[1] * (count - 1) as f64) as usize;
            let other = (first + 1 + other.min(count.saturating_sub(2))) % count;
            let [first, other] = [hosts[first], hosts[other]];
            let fewer = open(other) < open(first);
            return Some(if fewer { other } else { first });
        }
        let turn = self.turns[zone] % known;
        hosts
            .iter()
            .copied()
            .min_by_key(|host| (host + known - turn) % known)
    }
}
