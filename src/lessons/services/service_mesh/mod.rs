//! Service mesh: a proxy beside every caller, each of which learns for itself which hosts are sick.

mod figure;
mod proxy;
mod story;

#[cfg(test)]
mod tests;

use algorithms::hash::mix64;
use algorithms::outlier::Finding;
use algorithms::priority_load::choose;
use algorithms::retry::{Backoff, Jitter};
use engine::tape::NoteId;
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Sheet, Time, Tone,
};
use kit::flow::{Holds, Key, Recently};
use kit::system::{
    Call, Crowd, Cx, Deed, Dial, Draw, Event, Frame, Kind, Node, NodeId, Own, Plan, Reason, Retry,
    Script, Service, Spread, Step, System, Values, Wire, WireId, probe,
};
use proxy::{Coming, Order, PLACES, Proxy, Rule, hosts, place};
use std::collections::VecDeque;

/// The lesson.
pub struct ServiceMesh;

const USERS: NodeId = NodeId(0);
const WEB: NodeId = NodeId(1);
/// The hosts of Orders, by zone.
const ORDERS: [NodeId; ZONES] = [NodeId(2), NodeId(3)];
const ASK: WireId = WireId(0);
/// From Web to the hosts of each zone.
const LINKS: [WireId; ZONES] = [WireId(1), WireId(2)];
const ZONES: usize = 2;
/// So many hosts a zone can have, and so many callers there can be.
const HOSTS_MAX: usize = 10;
const CALLERS_MAX: usize = 12;

/// Threads of a Web pod, and callers that may wait for one.
const THREADS: (u32, u32) = (20, 50);
/// Workers of a host, how long an answer takes on average, and calls that may wait there.
const WORKERS: u32 = 4;
const WORK: Time = Time::ms(50);
const BACKLOG: u32 = 1_000;
/// How soon a host answers that fails.
const FAST: Time = Time::ms(5);
/// The share of calls that a half sick host fails.
const FIFTH: f64 = 0.2;
/// How long users wait.
const PATIENCE: Time = Time::s(5);
/// One way between pods, and through the two proxies on it.
const HOP: Time = Time::ms(1);
const PROXIES: Time = Time::us(1_200);
/// The time-out that every other team has set by itself.
const TEAMS: Time = Time::s(1);
/// An order takes from 0.1 s to 2 s.
const ORDER_TAKES: (Time, Time) = (Time::ms(100), Time::ms(1_900));
/// What users got is told over this span.
const LATELY: Time = Time::s(10);
/// The host that falls ill first.
const THIRD: usize = 2;
/// The order in which hosts fall ill.
const ILL: [usize; HOSTS_MAX] = [2, 4, 0, 1, 3, 5, 6, 7, 8, 9];
/// How long a dot is seen on its way, which takes but a millisecond.
const SEEN_FOR: Time = Time::ms(300);
/// The split is told over so many calls.
const CALLS: usize = 300;
const WARM_UP: Time = Time::s(10);

/// Purposes of draws.
const ZONE: u64 = 0x20_0000;
const FIRST: u64 = 0x20_0100;
const OTHER: u64 = 0x20_0200;
const FATE: u64 = 0x20_0300;

/// Timers: what is due, and of which proxy.
const SWEEP: u32 = 0;
const ARRIVES: u32 = 100;

const DIALS: &[Dial] = &[
    Dial::choice("who", &["each", "mesh"], 0),
    Dial::slider("timeout", [0.0, 15.0, 0.1], "s", 15.0),
    Dial::choice("aside", &["off", "row", "rate"], 0),
    Dial::slider("most", [10.0, 100.0, 10.0], "%", 10.0),
    Dial::whole("callers", [1, CALLERS_MAX as u32], 4),
    Dial::choice("zone", &["none", "many"], 0),
    Dial::whole("retries", [0, 5], 0),
    Dial::whole("row", [1, 20], 5),
    Dial::slider("for", [5.0, 60.0, 5.0], "s", 30.0),
    Dial::slider("sweep", [2.0, 30.0, 1.0], "s", 10.0),
    Dial::slider("volume", [10.0, 200.0, 10.0], "requests", 100.0),
    Dial::slider("deviations", [1.0, 3.0, 0.1], "", 1.9),
    Dial::slider("panic", [0.0, 100.0, 10.0], "%", 50.0),
    Dial::whole("hosts", [3, HOSTS_MAX as u32], 5),
    Dial::choice("balance", &["turns", "least"], 0),
    Dial::slider("load", [10.0, 300.0, 10.0], "req/s", 60.0),
    Dial::slider("errors", [0.0, 5.0, 0.5], "%", 0.0),
];

const FAIL: usize = 0;
const HANG: usize = 1;
const HALF: usize = 2;
const MORE: usize = 3;
const HEAL: usize = 4;
const KILL: usize = 5;
const RESTART: usize = 6;

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("fail"),
    ActionSpec::whole("hang"),
    ActionSpec::whole("fifth"),
    ActionSpec::whole("more"),
    ActionSpec::whole("heal"),
    ActionSpec::whole("kill"),
    ActionSpec::whole("restart"),
    ActionSpec::turning("add", "hosts", 1.0),
];

const DEEDS: &[Deed] = &[
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Turn,
];

/// The lesson's own probes, after those of every system.
mod own_probe {
    use super::probe::OWN;
    pub(super) const FAILED: usize = OWN;
    pub(super) const REFUSED: usize = OWN + 1;
    /// Calls to the hosts of zone A; those to zone B are the next.
    pub(super) const ZONES: usize = OWN + 2;
    /// Threads held in pods whose team set a time-out; those of the others are the next.
    pub(super) const THREADS: usize = OWN + 4;
}

/// What ails a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ill {
    /// It fails each call after a moment.
    Fails(NoteId),
    /// It takes calls and answers none.
    Hangs(NoteId),
    /// It fails a fifth of calls, when their work is done.
    Fifth(NoteId),
}

impl Ill {
    /// What told of it.
    const fn note(self) -> NoteId {
        match self {
            Ill::Fails(note) | Ill::Hangs(note) | Ill::Fifth(note) => note,
        }
    }
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Well,
    Failed,
    /// Its caller waits no longer.
    Late,
}

/// A try of a caller at a host, and for a moment after it has ended.
#[derive(Clone, Copy, Debug)]
struct Try {
    key: Key,
    number: u32,
    web: usize,
    place: usize,
    again: bool,
    sent: Time,
    ended: Option<(Time, End)>,
}

/// An illness of a host, and what it cost until every proxy had put it aside.
#[derive(Clone, Copy, Debug)]
struct Illness {
    /// Errors that callers got who believed in the host.
    errors: u32,
    /// When the last caller had put it aside.
    known: Option<Time>,
    since: Time,
    callers: u32,
}

/// What users got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Answer,
    Error,
    Refusal,
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
struct Seen {
    proxies: Vec<Proxy>,
    tries: Vec<Try>,
    /// Hosts that a request has been tried at in vain, by its number.
    tried: VecDeque<(u32, u64)>,
    /// What ails the hosts of zone A.
    ills: [Option<Ill>; HOSTS_MAX],
    lesson: Option<Illness>,
    got: Recently<3>,
    /// The zones of the latest calls, since any proxy's shares changed.
    split: VecDeque<bool>,
    /// The control plane is down.
    down: bool,
    /// What it has ordered last, and how many orders there were.
    ordered: Option<Order>,
    orders: u32,
    /// The note that told of the last one.
    told: NoteId,
    /// Callers and hosts that are there.
    callers: usize,
    there: [usize; ZONES],
    mesh: bool,
    /// A proxy would have put a host aside, and was not allowed to, since all were healed.
    spared: u32,
    /// A healthy host has been put aside though it fails at most three calls in two hundred.
    outcast: bool,
    /// Every proxy ignores its list.
    panics: Holds,
    /// A host fails each call, and no user has noticed.
    unnoticed: Holds,
    errors: f64,
    measured: Vec<usize>,
    threads: [usize; 2],
    full: [bool; CALLERS_MAX],
    turned: Time,
}

impl Seen {
    fn new(now: Time) -> Seen {
        Seen {
            proxies: (0..CALLERS_MAX).map(Proxy::new).collect(),
            tries: Vec::new(),
            tried: VecDeque::new(),
            ills: [None; HOSTS_MAX],
            lesson: None,
            got: Recently::new(now),
            split: VecDeque::new(),
            down: false,
            ordered: None,
            orders: 0,
            told: NoteId::NONE,
            callers: 0,
            there: [0; ZONES],
            mesh: false,
            spared: 0,
            outcast: false,
            panics: Holds::default(),
            unnoticed: Holds::default(),
            errors: 0.0,
            measured: Vec::new(),
            threads: [0; 2],
            full: [false; CALLERS_MAX],
            turned: now,
        }
    }

    /// The proxies of callers that are there.
    fn live(&self) -> &[Proxy] {
        &self.proxies[..self.callers.min(CALLERS_MAX)]
    }

    /// How many callers have put a host aside.
    fn aside(&self, place: usize) -> usize {
        let live = self.live().iter();
        live.filter(|proxy| proxy.has_aside(place)).count()
    }

    /// Calls of a caller that are under way to a host.
    fn open(&self, web: usize, place: usize) -> usize {
        let mine = |it: &&Try| it.ended.is_none() && (it.web, it.place) == (web, place);
        self.tries.iter().filter(mine).count()
    }

    /// The share of users who got this lately.
    fn share(&self, got: Got, at: Time) -> f64 {
        self.got.share(got as usize, LATELY, at).unwrap_or(0.0)
    }

    /// The share of the latest calls that went to the second zone, and of how many.
    fn second(&self) -> (f64, usize) {
        let second = self.split.iter().filter(|second| **second).count();
        (
            second as f64 / self.split.len().max(1) as f64,
            self.split.len(),
        )
    }

    fn is_ill(&self, place: usize) -> bool {
        self.ills.get(place).is_some_and(Option::is_some)
    }

    /// The hosts of zone A that are ill.
    fn ill(&self) -> impl Iterator<Item = usize> + '_ {
        (0..HOSTS_MAX).filter(|host| self.is_ill(*host))
    }
}

/// The part of a caller, and of a host by its place.
const fn web_part(web: usize) -> PartId {
    PartId::nth("web", web as u16 + 1)
}

const fn host_part(place: usize) -> PartId {
    let kind = ["host", "other"][place / HOSTS_MAX];
    PartId::nth(kind, (place % HOSTS_MAX) as u16 + 1)
}

impl Script for ServiceMesh {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let mut users = Crowd::poisson(knobs.get("load"), Call::over(ASK));
        users.patience = Some(PATIENCE);
        let mut web = Service::new(THREADS.0, THREADS.1, Time::ZERO, Spread::Fixed);
        web.programs = vec![vec![Step::Call(Call::over(LINKS[0]))]];
        let mut orders = Service::new(WORKERS, BACKLOG, WORK, Spread::Exponential);
        // What is thrown is thrown when the work is done.
        orders.programs = vec![vec![Step::Work(WORK), Step::Work(Time::ZERO)]];
        (orders.weighs, orders.skips_left) = (true, true);
        orders.fails = knobs.get("errors") / 100.0;
        let hosts = hosts(knobs);
        let pods = knobs.whole("callers") as usize;
        let travel = match knobs.whole("who") {
            0 => HOP,
            _ => HOP + PROXIES,
        };
        let link = |zone: usize, part| Wire {
            mapped: true,
            ..Wire::new(LINKS[zone], WEB, ORDERS[zone], part, travel)
        };
        Plan {
            nodes: vec![
                Node::one(USERS, "users", Kind::Crowd(users)),
                Node::many(WEB, "web", Kind::Service(web), pods),
                Node::many(ORDERS[0], "host", Kind::Service(orders.clone()), hosts[0]),
                Node::many(ORDERS[1], "other", Kind::Service(orders), hosts[1]),
            ],
            wires: vec![
                Wire::new(ASK, USERS, WEB, "ask", HOP),
                link(0, "link"),
                link(1, "far"),
            ],
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen::new(Time::ZERO))
    }

    fn start(&self, system: &mut System) {
        // Proxies, calls and windows stay as the warm-up left them.
        let seen = system.own_mut::<Seen>();
        (seen.lesson, seen.spared, seen.outcast) = (None, 0, false);
    }

    fn can(&self, act: Act, system: &System) -> bool {
        let seen = system.own::<Seen>();
        let third = seen.ills[THIRD];
        match act.spec {
            FAIL => !matches!(third, Some(Ill::Fails(_))),
            HANG => !matches!(third, Some(Ill::Hangs(_))),
            HALF => !matches!(third, Some(Ill::Fifth(_))),
            MORE => seen.ill().next().is_some() && next_ill(seen).is_some(),
            HEAL => seen.ill().next().is_some(),
            KILL => !seen.down,
            _ => seen.down,
        }
    }

    fn act(&self, act: Act, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        match act.spec {
            FAIL | HANG | HALF => fall_ill(THIRD, act.spec, system, cx),
            MORE => {
                let seen = system.own::<Seen>();
                let like =
                    match seen.ills[THIRD].or_else(|| seen.ill().find_map(|it| seen.ills[it])) {
                        Some(Ill::Hangs(_)) => HANG,
                        Some(Ill::Fifth(_)) => HALF,
                        _ => FAIL,
                    };
                if let Some(host) = next_ill(seen) {
                    fall_ill(host, like, system, cx);
                }
            }
            HEAL => {
                let part = PartId::nth("host", THIRD as u16 + 1);
                let note = system.say(Note::new("heals").about(part).mark(Tone::Ok), cx);
                for host in 0..HOSTS_MAX {
                    cx.because(note);
                    get_well(host, system, cx);
                }
                let seen = system.own_mut::<Seen>();
                (seen.lesson, seen.spared) = (None, 0);
                let there = seen.there;
                for proxy in &mut seen.proxies {
                    proxy.detector = Default::default();
                    proxy.distances.clear();
                    proxy.follow(there);
                }
            }
            KILL | RESTART => {
                let down = act.spec == KILL;
                system.own_mut::<Seen>().down = down;
                let (word, tone) = if down {
                    ("plane-down", Tone::Bad)
                } else {
                    ("plane-up", Tone::Ok)
                };
                let note = Note::new(word).about(figure::PLANE).mark(tone);
                system.say(note, cx);
            }
            _ => {}
        }
    }

    fn tune(&self, call: &mut Call, of: &Frame, system: &System) {
        if call.over != LINKS[0] {
            return;
        }
        let Some((_, web)) = system.caller_of(of) else {
            return;
        };
        let seen = system.own::<Seen>();
        let Some(proxy) = seen.proxies.get(web) else {
            return;
        };
        match proxy.order {
            Some(order) => {
                call.timeout = order.timeout;
                call.retry = (order.retries > 0).then_some(Retry {
                    retries: order.retries,
                    backoff: Backoff {
                        base_us: 25_000,
                        cap_us: 250_000,
                        multiplier: 2.0,
                        jitter: Jitter::Full,
                    },
                    budget: None,
                    heeds: None,
                });
            }
            // The team of every other pod forgot.
            None => call.timeout = (web % 2 == 0).then_some(TEAMS),
        }
        let draw = (of.draw.unit(ZONE + u64::from(of.nth)) * 100.0) as u32;
        let shares = proxy.shares(seen.there);
        call.over = LINKS[choose(&shares, draw.min(99)).unwrap_or(0)];
    }

    fn picks(&self, over: WireId, call: &Frame, system: &System) -> Option<usize> {
        let zone = LINKS.iter().position(|link| *link == over)?;
        let (_, web) = system.caller_of(call)?;
        let seen = system.own::<Seen>();
        let proxy = seen.proxies.get(web)?;
        if seen.down && seen.ordered.is_some() && proxy.order.is_none() {
            // A proxy that has heard of nothing knows of no host.
            return None;
        }
        let tried = seen.tried.iter().find(|it| it.0 == call.number);
        let tried = tried.map_or(0, |it| it.1);
        let draws = [FIRST, OTHER].map(|it| call.draw.unit(it + u64::from(call.nth)));
        let open = |host| seen.open(web, place(zone, host));
        proxy.choose(zone, seen.there, tried, draws, &open)
    }

    fn because(&self, wire: &Wire, _: &Draw, system: &System) -> &'static str {
        match (wire.id == ASK, system.own::<Seen>().mesh) {
            (true, _) => "because.round-robin",
            (_, false) => "because.team",
            (_, true) => "because.proxy",
        }
    }

    fn weighs(&self, call: Key, work: Time, system: &mut System, _: Time) -> Time {
        let Some(frame) = system.frame(call) else {
            return work;
        };
        match ill_of(frame, system) {
            Some(Ill::Fails(_)) if frame.step() == 0 => FAST,
            _ => work,
        }
    }

    fn throws(&self, call: Key, system: &System) -> Option<NoteId> {
        let frame = system.frame(call).filter(|frame| frame.step() == 1)?;
        match ill_of(frame, system)? {
            Ill::Fails(note) => Some(note),
            Ill::Fifth(note) => {
                let unlucky = frame.draw.unit(FATE + u64::from(frame.nth)) <= FIFTH;
                unlucky.then_some(note)
            }
            Ill::Hangs(_) => None,
        }
    }

    fn sent(&self, key: Key, system: &mut System, now: Time) {
        let Some(call) = system.frame(key).copied() else {
            return;
        };
        let (node, host) = call.at();
        let zone = ORDERS.iter().position(|id| *id == node);
        let (Some(zone), Some((_, web))) = (zone, system.caller_of(&call)) else {
            return;
        };
        let seen = system.own_mut::<Seen>();
        seen.measured.push(own_probe::ZONES + zone);
        seen.split.push_back(zone == 1);
        if seen.split.len() > CALLS {
            seen.split.pop_front();
        }
        let Some(proxy) = seen.proxies.get_mut(web) else {
            return;
        };
        proxy.turns[zone] = host + 1;
        let gone = |it: &Try| it.ended.is_none_or(|(at, _)| now.since(at) < SEEN_FOR);
        seen.tries.retain(gone);
        seen.tries.push(Try {
            key,
            number: call.number,
            web,
            place: place(zone, host),
            again: call.nth > 0,
            sent: now,
            ended: None,
        });
    }

    fn learnt(&self, key: Key, failed: Option<Reason>, system: &mut System, cx: Cx<'_, '_>) {
        let now = cx.now();
        let seen = system.own_mut::<Seen>();
        let mut open = seen.tries.iter_mut();
        let Some(it) = open.find(|it| it.key == key && it.ended.is_none()) else {
            return;
        };
        let end = match failed {
            None => End::Well,
            Some(Reason::TimedOut) => End::Late,
            Some(_) => End::Failed,
        };
        it.ended = Some((now, end));
        let Try {
            number, web, place, ..
        } = *it;
        let Some(order) = seen.proxies[web].order else {
            return;
        };
        if order.retries > 0 {
            let known = seen.tried.iter().position(|it| it.0 == number);
            match (known, end) {
                (Some(known), End::Well) => _ = seen.tried.remove(known),
                (_, End::Well) => {}
                (Some(known), _) => seen.tried[known].1 |= 1 << place,
                (None, _) => {
                    if seen.tried.len() == 256 {
                        seen.tried.pop_front();
                    }
                    seen.tried.push_back((number, 1 << place));
                }
            }
        }
        if order.rule == Rule::Off {
            return;
        }
        let proxy = &mut seen.proxies[web];
        let believed = proxy.detector.is_well(place);
        let well = end == End::Well;
        let found = proxy.detector.report(place, well, &order.settings(), now.0);
        if let Some(lesson) = &mut seen.lesson
            && lesson.known.is_none()
            && believed
            && !well
            && seen.ills.get(place).is_some_and(Option::is_some)
        {
            lesson.errors += 1;
        }
        if let Some(found) = found {
            tell(web, found, number, system, cx);
        }
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        if request.at().0 != USERS {
            return;
        }
        let seen = system.own_mut::<Seen>();
        let got = match request.failed {
            None => Got::Answer,
            Some(Reason::Full) => Got::Refusal,
            Some(_) => Got::Error,
        };
        seen.got.add(got as usize, now);
        match got {
            Got::Answer => return,
            Got::Error => seen.measured.push(own_probe::FAILED),
            Got::Refusal => seen.measured.push(own_probe::REFUSED),
        }
        seen.unnoticed.restart(now);
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let turned = system.turned;
        let count = |node: NodeId| {
            let live = system.node(node);
            let stays =
                |live: &kit::system::Live| live.members.iter().filter(|it| !it.leaving).count();
            live.map_or(0, stays)
        };
        let (callers, there) = (count(WEB), ORDERS.map(count));
        let seen = system.own_mut::<Seen>();
        seen.mesh = knobs.whole("who") == 1;
        seen.errors = knobs.get("errors");
        if seen.turned != turned {
            seen.turned = turned;
            seen.split.clear();
        }
        let before = std::mem::replace(&mut seen.callers, callers);
        for web in callers..before.max(callers) {
            seen.proxies[web] = Proxy::new(web);
        }
        let ordered = seen.ordered.filter(|_| !seen.down);
        for web in before..callers {
            // A pod is up once its proxy has its orders; from a control plane that is down it gets none.
            seen.proxies[web].order = ordered;
        }
        if seen.there != there || before != callers {
            seen.there = there;
            seen.proxies
                .iter_mut()
                .for_each(|proxy| proxy.follow(there));
        }
        let fails = seen
            .ills
            .iter()
            .any(|ill| matches!(ill, Some(Ill::Fails(_))));
        seen.unnoticed.set(seen.mesh && fails, now);
    }

    fn report(&self, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        for probe in std::mem::take(&mut system.own_mut::<Seen>().measured) {
            cx.sample(probe, 1.0);
        }
        measure_threads(system, cx);
        // Who goes gets well: nobody would wait for it else.
        let ill: Vec<usize> = system.own::<Seen>().ill().collect();
        let there = system.own::<Seen>().there[0];
        for host in ill.into_iter().filter(|host| *host >= there) {
            get_well(host, system, cx);
        }
        order(system, knobs, cx);
        watch_shares(system, cx);
        for web in 0..system.own::<Seen>().callers {
            let proxy = &mut system.own_mut::<Seen>().proxies[web];
            if proxy.order.is_some() && proxy.sweeps_at < cx.now() {
                set_sweep(web, system, cx);
            }
        }
    }

    fn timer(&self, number: u32, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        let web = (number % ARRIVES) as usize;
        if number >= ARRIVES {
            return arrive(web, system, cx);
        }
        let now = cx.now();
        let seen = system.own_mut::<Seen>();
        let Some(proxy) = seen.proxies.get_mut(web).filter(|it| it.sweeps_at == now) else {
            return;
        };
        let Some(order) = proxy.order else { return };
        let settings = order.settings();
        compare(proxy, &settings);
        let findings = proxy.detector.sweep(&settings, now.0);
        for found in findings {
            cx.because(NoteId::NONE);
            tell(web, found, 0, system, cx);
        }
        set_sweep(web, system, cx);
        watch_shares(system, cx);
    }
}

/// What ails the host that a call is at.
fn ill_of(call: &Frame, system: &System) -> Option<Ill> {
    let (node, host) = call.at();
    let ills = &system.own::<Seen>().ills;
    (node == ORDERS[0]).then(|| ills.get(host).copied().flatten())?
}

/// The next host that would fall ill.
fn next_ill(seen: &Seen) -> Option<usize> {
    let mut next = ILL.iter().copied();
    next.find(|host| *host < seen.there[0] && !seen.is_ill(*host))
}

fn fall_ill(host: usize, how: usize, system: &mut System, cx: Cx<'_, '_>) {
    let part = host_part(host);
    if system.own::<Seen>().is_ill(host) {
        get_well(host, system, cx);
    }
    let now = cx.now();
    let ill = if how == HANG {
        system.deed(Deed::Slow(ORDERS[0], 0.0), host, cx);
        Ill::Hangs(cx.cause())
    } else {
        let (word, ill): (_, fn(NoteId) -> Ill) = match how {
            HALF => ("fails-fifth", Ill::Fifth),
            _ => ("fails-all", Ill::Fails),
        };
        let note = Note::new(word).with(Arg::Part(part)).about(part);
        ill(system.say(note.mark(Tone::Bad), cx))
    };
    let seen = system.own_mut::<Seen>();
    seen.ills[host] = Some(ill);
    seen.split.clear();
    seen.lesson = Some(Illness {
        errors: 0,
        known: None,
        since: now,
        callers: seen.callers as u32,
    });
}

fn get_well(host: usize, system: &mut System, cx: Cx<'_, '_>) {
    let ill = system.own_mut::<Seen>().ills[host].take();
    system.own_mut::<Seen>().split.clear();
    if matches!(ill, Some(Ill::Hangs(_))) {
        system.deed(Deed::Recover(ORDERS[0]), host, cx);
    }
}

/// Says what a proxy has found out about a host.
fn tell(web: usize, found: Finding, dot: u32, system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let proxy = Arg::Part(web_part(web));
    match found {
        Finding::Aside {
            host: place,
            span_us,
            times,
        } => {
            let part = host_part(place);
            // The last failure leads to it, and that host's illness to all of them; that is remembered for longer.
            let ill = system.own::<Seen>().ills.get(place).copied().flatten();
            cx.because(ill.map_or(NoteId::NONE, Ill::note));
            let note = Note::new("aside").with(proxy).with(Arg::Part(part));
            let note = note.with(Arg::Span(Time(span_us))).about(part).dot(dot);
            system.say(
                note.mark(if times > 1 { Tone::Plain } else { Tone::Warn }),
                cx,
            );
            let seen = system.own_mut::<Seen>();
            let rate = seen.proxies[web]
                .order
                .is_some_and(|it| it.rule == Rule::SuccessRate);
            seen.outcast |= rate && !seen.is_ill(place) && seen.errors <= 1.5;
            let all = seen.callers;
            let ill: Vec<usize> = seen.ill().collect();
            let known = ill.iter().all(|host| seen.aside(*host) == all);
            if let Some(lesson) = seen
                .lesson
                .as_mut()
                .filter(|it| known && it.known.is_none())
            {
                (lesson.known, lesson.callers) = (Some(now), all as u32);
            }
        }
        Finding::Spared {
            host: place,
            would_be,
        } => {
            let part = host_part(place);
            system.own_mut::<Seen>().spared += 1;
            let note = Note::new("spared").with(proxy).with(Arg::Part(part));
            let note = note.with(Arg::Count(i64::from(would_be))).about(part);
            system.say(note.dot(dot), cx);
        }
        Finding::Odd {
            host: place,
            rate,
            line,
        } => {
            let part = host_part(place);
            let tenths = |per_cent: f64| Arg::Tenths((per_cent * 10.0).max(0.0) as u32);
            let note = Note::new("odd").with(Arg::Part(part)).with(tenths(rate));
            let note = system.say(note.with(tenths(line)).about(part), cx);
            cx.because(note);
        }
        Finding::Returns { host: place } => {
            let part = host_part(place);
            let note = Note::new("tries").with(proxy).with(Arg::Part(part));
            system.say(note.about(part), cx);
        }
    }
}

/// How far each host stands from the mean, in deviations, of those with enough requests since the last sweep.
fn compare(proxy: &mut Proxy, settings: &algorithms::outlier::Settings) {
    proxy.distances.clear();
    let Some(rule) = settings.success_rate else {
        return;
    };
    let detector = &proxy.detector;
    let rate = |place: usize| {
        let host = detector
            .host(place)
            .filter(|host| host.aside_since.is_none())?;
        let enough = host.requests >= rule.requests_min;
        enough.then(|| 100.0 * f64::from(host.well) / f64::from(host.requests))
    };
    let rates: Vec<Option<f64>> = (0..PLACES).map(rate).collect();
    let judged = || rates.iter().flatten().copied();
    if judged().count() < rule.hosts_min {
        return;
    }
    let mean = algorithms::outlier::line(judged(), 0.0);
    let deviation = mean - algorithms::outlier::line(judged(), 1.0);
    let distance = |rate: f64| {
        if deviation > 0.0 {
            (mean - rate) / deviation
        } else {
            0.0
        }
    };
    proxy.distances = rates.iter().map(|rate| rate.map(distance)).collect();
}

/// The control plane sends what the knobs say, one proxy after another.
fn order(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let now = cx.now();
    let seen = system.own_mut::<Seen>();
    if !seen.mesh {
        if seen.ordered.take().is_some() {
            for web in 0..seen.callers {
                seen.proxies[web] = Proxy::new(web);
            }
            for web in 0..system.own::<Seen>().callers {
                restart(web, system, cx);
            }
        }
        return;
    }
    let wanted = Order::of(knobs);
    if seen.down || seen.ordered == Some(wanted) {
        return;
    }
    seen.ordered = Some(wanted);
    seen.orders += 1;
    let number = seen.orders;
    let note = Note::new("orders").with(Arg::Count(i64::from(number)));
    let note = system.say(note.about(figure::PLANE).mark(Tone::Plain), cx);
    system.own_mut::<Seen>().told = note;
    for web in 0..system.own::<Seen>().callers {
        let dice = mix64(u64::from(number) << 8 | web as u64);
        let takes = ORDER_TAKES.0 + Time(dice % ORDER_TAKES.1.0);
        let proxy = &mut system.own_mut::<Seen>().proxies[web];
        proxy.coming.push(Coming {
            number,
            order: wanted,
            left: now,
            arrives: now + takes,
        });
        cx.because(note);
        cx.schedule(takes, Event::Timer(ARRIVES + web as u32));
    }
}

/// An order is there: the proxy obeys, and keeps what it has found out.
fn arrive(web: usize, system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let seen = system.own_mut::<Seen>();
    let there = seen.there;
    let Some(proxy) = seen.proxies.get_mut(web) else {
        return;
    };
    let due = proxy.coming.iter().filter(|it| it.arrives <= now);
    let Some(newest) = due.max_by_key(|it| it.number).copied() else {
        return;
    };
    // What was sent earlier and comes later is old.
    proxy.coming.retain(|it| it.number > newest.number);
    let order = newest.order;
    let before = proxy.order.replace(order);
    if order.rule == Rule::Off {
        proxy.detector = Default::default();
    }
    if before.is_none_or(|before| before.sweep != order.sweep) {
        // Proxies started at different moments, so they sweep at different ones.
        let share = mix64(web as u64) % 1_000;
        proxy.sweeps_at = now + Time(order.sweep.0 * share / 1_000);
        let gap = proxy.sweeps_at.since(now);
        cx.schedule(gap, Event::Timer(SWEEP + web as u32));
    }
    proxy.distances.clear();
    proxy.follow(there);
    let part = web_part(web);
    let note = Note::new("obeys").with(Arg::Part(part)).about(part);
    system.say(note, cx);
    if before.is_none() {
        restart(web, system, cx);
    }
    watch_shares(system, cx);
}

/// A pod starts again, with a proxy beside it or without: its threads are free.
fn restart(web: usize, system: &mut System, cx: Cx<'_, '_>) {
    let seen = system.own_mut::<Seen>();
    seen.tries.retain(|it| it.web != web);
    // Orders stand on the tape, and are remembered for as long as that.
    cx.because(seen.told);
    system.deed(Deed::Flush(WEB), web, cx);
}

fn set_sweep(web: usize, system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let proxy = &mut system.own_mut::<Seen>().proxies[web];
    let Some(order) = proxy.order else { return };
    proxy.sweeps_at = now + order.sweep;
    cx.schedule(order.sweep, Event::Timer(SWEEP + web as u32));
}

/// Says it when a proxy sends otherwise than before.
fn watch_shares(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    for web in 0..system.own::<Seen>().callers {
        let seen = system.own_mut::<Seen>();
        let there = seen.there;
        let proxy = &mut seen.proxies[web];
        let shares = proxy.shares(there);
        if proxy.shares == shares {
            continue;
        }
        let panicked = proxy.shares.iter().any(|share| share.panics);
        let before = std::mem::replace(&mut proxy.shares, shares.clone());
        seen.split.clear();
        let part = web_part(web);
        let panics = shares.iter().any(|share| share.panics);
        let note = match (panics, panicked) {
            (true, false) => Note::new("panics"),
            (false, true) => Note::new("calm"),
            _ if before.len() == shares.len() && shares.len() == 2 => {
                let load = |zone: usize| Arg::Share(f64::from(shares[zone].load) / 100.0);
                Note::new("splits").with(load(0)).with(load(1))
            }
            _ => continue,
        };
        let note = note.with(Arg::Part(part));
        system.say(note.about(part), cx);
    }
    let seen = system.own_mut::<Seen>();
    let panics = |proxy: &Proxy| proxy.shares.iter().any(|share| share.panics);
    let all = !seen.live().is_empty() && seen.live().iter().all(panics);
    seen.panics.set(all, now);
}

/// Threads that are held, by team, and pods that have none left.
fn measure_threads(system: &mut System, cx: Cx<'_, '_>) {
    let mut held = [0; 2];
    let mut full = [false; CALLERS_MAX];
    if let Some(live) = system.node(WEB) {
        for (web, member) in live.members.iter().enumerate().take(CALLERS_MAX) {
            let busy = member.own.pool.held.len();
            held[web % 2] += busy;
            full[web] = busy >= THREADS.0 as usize;
        }
    }
    let seen = system.own_mut::<Seen>();
    for (team, held) in held.into_iter().enumerate() {
        if std::mem::replace(&mut seen.threads[team], held) != held {
            cx.sample(own_probe::THREADS + team, held as f64);
        }
    }
    let before = std::mem::replace(&mut seen.full, full);
    for web in (0..CALLERS_MAX).filter(|web| full[*web] && !before[*web]) {
        let part = web_part(web);
        let note = Note::new("full").with(Arg::Part(part)).about(part);
        system.say(note, cx);
    }
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "users",
        &[
            Line::mean("answered", probe::DONE, Ink::Ok).filled(),
            Line::mean("failed", own_probe::FAILED, Ink::Bad),
            Line::mean("refused", own_probe::REFUSED, Ink::Warn),
        ],
        80.0,
    ),
    Plot::of(
        "zones",
        &[
            Line::mean("a", own_probe::ZONES, Ink::Accent).filled(),
            Line::mean("b", own_probe::ZONES + 1, Ink::Hit),
        ],
        80.0,
    ),
    Plot::of(
        "threads",
        &[
            Line::mean("set", own_probe::THREADS, Ink::Accent),
            Line::mean("forgot", own_probe::THREADS + 1, Ink::Warn),
        ],
        40.0,
    ),
];

const PROBES: [Probe; probe::OWN + 6] = {
    let mut probes = [Probe::Count; probe::OWN + 6];
    let mut i = 0;
    while i < probe::OWN {
        probes[i] = probe::ALL[i];
        i += 1;
    }
    probes[own_probe::THREADS] = Probe::Level;
    probes[own_probe::THREADS + 1] = Probe::Level;
    probes
};

impl Lesson for ServiceMesh {
    type Model = System;
    const LEVEL: Level = Level::Advanced;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Message, Ink::Hit),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("who", 1.0),
        stands_for: figure::STANDS_FOR,
        still: Time::s(1),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "service-mesh",
                chapter: "services",
                tables: &["service_mesh_failover_outlier"],
            },
            || Values::first(&ServiceMesh),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/outlier.rs",
            region: "report",
            marks: &[("fails-it", "it.in_a_row += 1")],
        },
        Code {
            file: "algorithms/outlier.rs",
            region: "eject",
            marks: &[
                ("aside", "it.aside_since = Some(now)"),
                ("spared", "Finding::Spared"),
            ],
        },
        Code {
            file: "algorithms/outlier.rs",
            region: "sweep",
            marks: &[("tries", "Finding::Returns"), ("odd", "Finding::Odd")],
        },
        Code {
            file: "algorithms/priority_load.rs",
            region: "shares",
            marks: &[("panics", "let panics ="), ("splits", "let load = wanted")],
        },
    ];
}
