//! Scaling: a bigger machine, or more of them?

mod figure;
mod story;

#[cfg(test)]
mod tests;

use algorithms::balancer::Policy;
use engine::scene::Rect;
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Scene, Sheet, Statistic, Time, Tone,
};
use kit::flow::{Holds, Key, Recently};
use kit::system::{
    Call, Count, Crowd, Cx, Deed, Dial, Draw, Event, Frame, Gate, Gear, Kind, Life, Money, Node,
    NodeId, Own, Plan, Price, Reason, SLIM, Script, Service, Spread, Step, System, Values, Wire,
    WireId, draw, probe,
};
use std::collections::VecDeque;

/// The lesson.
pub struct Scaling;

/// Who asks.
pub const USERS: NodeId = NodeId(0);
/// Who shares the requests out, where there is more than one machine.
pub const BALANCER: NodeId = NodeId(1);
/// Who computes: several machines of one core, or one of several.
pub const MACHINES: NodeId = NodeId(2);
/// What all of them need, one at a time.
pub const STOCK: NodeId = NodeId(3);
const TO_BALANCER: WireId = WireId(0);
const TO_MACHINE: WireId = WireId(1);
const TO_ONE: WireId = WireId(2);
const TO_STOCK: WireId = WireId(3);

/// One way along a wire to a machine, stretched so that it can be seen. Waits leave it out.
const HOP: Time = Time::ms(80);
/// The most cores there are to buy.
pub const MOST: usize = 8;
/// The knob `way`.
pub const UP: f64 = 0.0;
/// See [`UP`].
pub const OUT: f64 = 1.0;
/// What a session in a shared store costs each request.
const STORE: Time = Time::ms(1);
/// Time between two machines that are bought one at a time.
const GROWS: Time = Time::ms(2_500);
/// From a change until a measurement begins, and from there until it counts.
const SETTLES: Time = Time::ms(500);
const MEASURES: Time = Time::s(1);
/// What users got lately looks so far back.
pub const LATELY: Time = Time::s(2);
/// A message to another machine is seen for so long, however short it is.
pub const FLIGHT: Time = Time::ms(160);
/// People, each of whom has a session.
const PEOPLE: u16 = 200;
/// The price of a core, and of a balancer, in dollars an hour.
const CORE: f64 = 0.05;
const GATE: f64 = 0.03;
/// How many times as much a machine of twice the size costs where prices are steep.
const STEEP: f64 = 2.6;
/// From one machine's restart to the next, when all are resized, beyond the restart itself.
const BETWEEN: Time = Time::ms(500);

const DIALS: &[Dial] = &[
    Dial::choice("way", &["up", "out"], 1),
    Dial::whole("cores", [1, MOST as u32], MOST as u32),
    Dial::switch("grow", true),
    Dial::slider("load", [5.0, 250.0, 1.0], "req/s", 200.0),
    Dial::slider("shared", [0.0, 10.0, 0.5], "ms", 4.0),
    Dial::slider("telling", [0.0, 3.0, 0.1], "ms", 1.5),
    Dial::choice("sessions", &["machine", "store"], 1),
    Dial::slider("computing", [10.0, 100.0, 1.0], "ms", 40.0),
    Dial::choice("law", &["even", "constant", "exponential"], 0),
    Dial::choice("price", &["linear", "steep"], 0),
    Dial::slider("boot", [0.5, 30.0, 0.5], "s", 0.5),
    Dial::slider("restart", [1.0, 60.0, 1.0], "s", 6.0),
    Dial::slider("patience", [1.0, 10.0, 0.5], "s", 3.0),
    Dial::whole("places", [0, 200], 20),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::aimed("crash", "machine"),
    ActionSpec::whole("half"),
    ActionSpec::whole("mend"),
    ActionSpec::whole("double"),
    ActionSpec::whole("resize"),
    ActionSpec::turning("fewer", "cores", -2.0),
    ActionSpec::turning("grow", "grow", 1.0),
];

const DEEDS: &[Deed] = &[
    Deed::Crash(MACHINES),
    Deed::Own,
    Deed::Own,
    Deed::Surge(USERS, 2.0, Time::s(5)),
    Deed::Own,
    Deed::Turn,
    Deed::Turn,
];
/// The places of the lesson's own deeds.
const HALF: usize = 1;
const MEND: usize = 2;

/// What became of a user's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    InTime,
    Late,
    Refused,
    Lost,
    LoggedOut,
}

/// One machine's turn at the stock: when it began, who had it, who had to be told.
#[derive(Clone, Copy, Debug)]
struct Hold {
    began: Time,
    by: usize,
    /// Machines that were up, one bit each.
    up: u32,
    shared: Time,
    each: Time,
}

/// Requests a second that were measured, by way and cores.
type Points = [[Option<f64>; MOST + 1]; 2];
/// Of so many other rules points are kept.
const KEPT: usize = 6;

/// What is bought and up now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shop {
    /// More than one machine is the way.
    out: bool,
    /// Cores of machines that take requests.
    cores: usize,
    /// Machines that finish what they have, and then go.
    leaving: usize,
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
struct Seen {
    /// What all rates depend on; a turn of these makes another chart.
    rules: [u64; 5],
    /// What a turn at the stock takes, and beyond that for each other machine, by the knobs.
    shared: Time,
    telling: Time,
    pinned: bool,
    shop: Shop,
    /// When that changed.
    changed: Time,
    /// Since when, and from which count on, requests are measured.
    from: Option<(Time, u32)>,
    /// Requests a second, by way and cores.
    points: Points,
    /// Points that were measured by other rules, and come back with them.
    kept: Vec<([u64; 5], Points)>,
    /// The rate now, once it is measured.
    rate: Option<f64>,
    /// Since when the one big machine restarts, and how long it was dark the last time.
    dark: (Option<Time>, Time),
    /// What was measured with all machines up, when one crashed.
    before: Option<(usize, f64)>,
    fates: Recently<5>,
    holds: VecDeque<Hold>,
    /// By person: the machine that has the session, and its life; 0 for none.
    homes: Vec<(u16, u32)>,
    /// Requests whose user must log in again.
    strangers: Vec<u32>,
    logged_out: u32,
    /// The next machine that a round of restarts comes to.
    round: Option<usize>,
    hundred: Holds,
    survives: Holds,
    /// Two cores, enough for what comes, and how many requests had failed then.
    two: Option<(u32, Time)>,
    grown: Holds,
    /// Six machines with their sessions, and how many users had been logged out then.
    six: Option<u32>,
    shrunk: Holds,
    cheap: Holds,
    /// Cheap enough at linear prices, and at steep ones.
    thrift: [bool; 2],
    bill: f64,
    steep: bool,
}

impl Seen {
    fn new(now: Time) -> Seen {
        Seen {
            rules: [0; 5],
            shared: Time::ZERO,
            telling: Time::ZERO,
            pinned: false,
            shop: Shop::default(),
            changed: now,
            from: None,
            points: [[None; MOST + 1]; 2],
            kept: Vec::new(),
            rate: None,
            dark: (None, Time::ZERO),
            before: None,
            fates: Recently::new(now),
            holds: VecDeque::new(),
            homes: vec![(0, 0); usize::from(PEOPLE)],
            strangers: Vec::new(),
            logged_out: 0,
            round: None,
            hundred: Holds::default(),
            survives: Holds::default(),
            two: None,
            grown: Holds::default(),
            six: None,
            shrunk: Holds::default(),
            cheap: Holds::default(),
            thrift: [false; 2],
            bill: 0.0,
            steep: false,
        }
    }

    /// Requests a second that so many cores served; none if that has not been measured.
    fn point(&self, out: bool, cores: usize) -> Option<f64> {
        *self.points[usize::from(out)].get(cores)?
    }

    fn in_time(&self, at: Time) -> f64 {
        self.fates.per_s(Fate::InTime as usize, LATELY, at)
    }

    fn share(&self, fate: Fate, at: Time) -> f64 {
        self.fates.share(fate as usize, LATELY, at).unwrap_or(0.0)
    }
}

fn is_out(knobs: &Values) -> bool {
    knobs.get("way") == OUT
}

/// What a request computes on average.
fn computing(knobs: &Values) -> Time {
    let store = knobs.whole("sessions") == 1;
    knobs.ms("computing") + if store { STORE } else { Time::ZERO }
}

/// What a machine of so many cores costs.
fn machine_price(cores: u32, steep: bool) -> Price {
    let cores = f64::from(cores.max(1));
    let times = match steep {
        true => libm::pow(STEEP, libm::log2(cores)),
        false => cores,
    };
    Price::a_month(Money::a_month_at(CORE * times))
}

/// What one hour costs, in dollars, as things stand.
fn bill(system: &System) -> f64 {
    system.a_month_of_all().an_hour().dollars()
}

impl Script for Scaling {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn gear(&self) -> Gear {
        Gear {
            slim: Some(&SLIM),
            ..Gear::NONE
        }
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let out = is_out(knobs);
        let cores = knobs.whole("cores");
        let (spread, shared_spread) = match knobs.whole("law") {
            0 => (Spread::Uniform, Spread::Fixed),
            1 => (Spread::Fixed, Spread::Fixed),
            _ => (Spread::Exponential, Spread::Exponential),
        };
        let first = if out { TO_BALANCER } else { TO_ONE };
        let mut users = Crowd::poisson(knobs.get("load"), Call::over(first));
        users.people = PEOPLE;
        users.patience = Some(knobs.s("patience"));
        let each = if out { 1 } else { cores };
        let mut machine = Service::new(each, knobs.whole("places"), Time::ZERO, spread);
        machine.skips_left = true;
        machine.programs = vec![vec![
            Step::Work(computing(knobs)),
            Step::Call(Call::over(TO_STOCK)),
        ]];
        let mut stock = Service::new(1, u32::MAX, knobs.ms("shared"), shared_spread);
        stock.weighs = true;
        let machines = if out { cores as usize } else { 1 };
        let machines = Node {
            slim: true,
            life: Life {
                boot: knobs.s("boot"),
                stagger: if out && knobs.on("grow") {
                    GROWS
                } else {
                    Time::ZERO
                },
                restart: Some(knobs.s("restart")),
            },
            price: machine_price(each, knobs.whole("price") == 1),
            ..Node::many(MACHINES, "machine", Kind::Service(machine), machines)
        };
        let mut nodes = vec![
            Node::one(USERS, "users", Kind::Crowd(users)),
            machines,
            Node::one(STOCK, "stock", Kind::Service(stock)),
        ];
        let mut wires = vec![Wire::new(TO_STOCK, MACHINES, STOCK, "to-stock", Time::ZERO)];
        if out {
            let gate = Gate {
                routes: vec![TO_MACHINE],
                filters: knobs.whole("sessions") == 0,
                ..Gate::default()
            };
            nodes.push(Node {
                price: Price::a_month(Money::a_month_at(GATE)),
                ..Node::one(BALANCER, "balancer", Kind::Gate(gate))
            });
            wires.push(Wire::new(TO_BALANCER, USERS, BALANCER, "to-balancer", HOP));
            wires.push(Wire {
                policy: Policy::LeastConnections,
                told: true,
                ..Wire::new(TO_MACHINE, BALANCER, MACHINES, "link", HOP)
            });
        } else {
            wires.push(Wire::new(TO_ONE, USERS, MACHINES, "link", HOP));
        }
        Plan {
            nodes,
            wires,
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
        // What was measured stays; the counts that it goes on from begin anew.
        let now = system.now;
        let seen = system.own_mut::<Seen>();
        seen.from = seen.from.map(|_| (now, 0));
        seen.logged_out = 0;
    }

    fn can(&self, act: Act, system: &System) -> bool {
        let crashed = machines(system).any(|it| it.down.is_some() && it.own.starting.is_none());
        let well = machines(system).filter(|it| it.takes()).count();
        match act.spec {
            HALF => well > 1,
            MEND => crashed,
            _ => system.own::<Seen>().round.is_none() && well > 0,
        }
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let well: Vec<usize> = (0..MOST).filter(|i| takes(system, *i)).collect();
        let cause = cx.cause();
        match act.spec {
            HALF => {
                for member in well.iter().rev().take(well.len() / 2) {
                    cx.because(cause);
                    system.deed(Deed::Crash(MACHINES), *member, cx);
                }
            }
            MEND => {
                for member in 0..MOST {
                    let is_down = |it: &Machine| it.down.is_some() && it.own.starting.is_none();
                    if machine(system, member).is_some_and(is_down) {
                        cx.because(cause);
                        system.deed(Deed::Recover(MACHINES), member, cx);
                    }
                }
            }
            _ => {
                let part = PartId::one("balancer");
                let note = Note::new("round").with(Arg::Count(well.len() as i64));
                system.say(note.about(part).mark(Tone::Learner), cx);
                system.own_mut::<Seen>().round = Some(0);
                self.timer(0, system, knobs, cx);
            }
        }
    }

    /// The next machine of a round restarts.
    fn timer(&self, _: u32, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let Some(first) = system.own::<Seen>().round else {
            return;
        };
        let next = (first..MOST).find(|i| takes(system, *i));
        system.own_mut::<Seen>().round = next.map(|next| next + 1);
        if let Some(next) = next {
            system.deed(Deed::Restart(MACHINES), next, cx);
            cx.schedule(knobs.s("restart") + BETWEEN, Event::Timer(0));
        }
    }

    fn heard(&self, note: &Note, system: &mut System) {
        let now = system.now;
        let seen = system.own_mut::<Seen>();
        match note.word {
            "crashed" => {
                if let Some(rate) = seen.rate {
                    seen.before = Some((seen.shop.cores, rate));
                }
                seen.survives = Holds::default();
                seen.survives.set(true, now);
            }
            "restarts" => seen.dark.0 = seen.dark.0.or(Some(now)),
            "restarted" => {
                seen.survives = Holds::default();
                if let Some(since) = seen.dark.0.take() {
                    seen.dark.1 = now.since(since);
                }
            }
            _ => {}
        }
    }

    fn sent(&self, call: Key, system: &mut System, _: Time) {
        let Some(call) = system.frame(call).filter(|call| call.at().0 == MACHINES) else {
            return;
        };
        let (number, person) = (call.number, usize::from(call.draw.person));
        let member = call.at().1;
        let Some(life) = machine(system, member).map(Machine::life) else {
            return;
        };
        let seen = system.own_mut::<Seen>();
        let here = (member as u16, life);
        let Some(home) = seen.homes.get_mut(person) else {
            return;
        };
        let was = std::mem::replace(home, here);
        if seen.pinned && was.1 > 0 && was != here {
            seen.logged_out += 1;
            seen.strangers.push(number);
        }
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let seen = system.own_mut::<Seen>();
        let number = request.number;
        let stranger = seen.strangers.iter().position(|other| *other == number);
        if let Some(place) = stranger {
            seen.strangers.swap_remove(place);
        }
        let fate = match request.failed {
            None if stranger.is_some() => Fate::LoggedOut,
            None => Fate::InTime,
            Some(Reason::Left | Reason::TimedOut) => Fate::Late,
            Some(Reason::Lost) => Fate::Lost,
            Some(_) => Fate::Refused,
        };
        seen.fates.add(fate as usize, now);
    }

    // region: tell
    /// Whoever holds the stock does its work there, and tells each other machine that is up before it lets go.
    fn weighs(&self, call: Key, work: Time, system: &mut System, now: Time) -> Time {
        let up: u32 = machines(system)
            .enumerate()
            .map(|(i, machine)| u32::from(machine.down.is_none()) << i)
            .sum();
        let others = u64::from(up.count_ones().saturating_sub(1));
        let by = system.caller(call).map_or(0, |caller| caller.at().1);
        let seen = system.own_mut::<Seen>();
        let each = seen.telling;
        seen.remember(Hold {
            began: now,
            by,
            up,
            shared: work,
            each,
        });
        work + Time(others * each.0)
    }
    // endregion

    fn allowed(&self, _: WireId, draw: &Draw, member: usize, system: &System) -> bool {
        let homes = &system.own::<Seen>().homes;
        let Some((home, life)) = homes.get(usize::from(draw.person)).copied() else {
            return true;
        };
        let keeps = |it: &Machine| it.takes() && it.life() == life;
        let there = machine(system, usize::from(home)).is_some_and(keeps);
        !there || member == usize::from(home)
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let out = is_out(knobs);
        let up = || machines(system).filter(|it| it.down.is_none());
        let each = system.node(MACHINES).map_or(1, |live| live.workers());
        let shop = Shop {
            out,
            cores: up().filter(|it| !it.leaving).count() * each,
            leaving: machines(system).filter(|it| it.leaving).count(),
        };
        let idle = up().any(|it| !it.leaving && it.own.pool.held.len() < each);
        let bill = bill(system);
        let machines = up().count();
        let (done, failed) = (
            system.row(MACHINES).of(Count::Done),
            system.total().of(Count::Failed),
        );
        let (load, steep) = (system.load_per_s(USERS), knobs.whole("price") == 1);
        let since = system.since("crashed").map(|since| since.all());
        let ids = ["shared", "telling", "computing", "law", "sessions"];
        let rules = ids.map(|id| knobs.get(id).to_bits());
        let seen = system.own_mut::<Seen>();
        (seen.shared, seen.telling) = (knobs.ms("shared"), knobs.ms("telling"));
        seen.pinned = knobs.whole("sessions") == 0;
        if seen.rules != rules {
            seen.turn_to(rules);
            seen.changed = now;
            seen.before = None;
            seen.from = None;
        }
        if seen.shop != shop {
            seen.shop = shop;
            seen.changed = now;
            seen.from = None;
        }
        seen.measure(idle, done, now);
        if out {
            seen.dark = (None, Time::ZERO);
        }
        (seen.bill, seen.steep) = (bill, steep);
        let rate = seen.in_time(now);
        seen.hundred.set(rate >= 100.0 && out && machines >= 2, now);
        // At most 2 % of those who come within the 20 s.
        let survives = since.is_some_and(|row| f64::from(row.of(Count::Failed)) <= 0.4 * load);
        let holds = seen.survives.since().is_some() && load >= 70.0 && survives;
        seen.survives.set(holds, now);
        seen.grows(load, failed, now);
        seen.shrinks(machines, now);
        let limit = if steep { 0.24 } else { 0.21 };
        seen.cheap.set(rate >= 66.0 && seen.bill <= limit, now);
        if seen.cheap.lasts(Time::s(10), now) {
            seen.thrift[usize::from(steep)] = true;
        }
    }

    fn report(&self, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        let stock = system.waiting_at(STOCK, 0) as f64;
        cx.sample(FOR_STOCK, stock);
        cx.sample(FOR_CORE, f64::from(system.waiting()) - stock);
    }

    fn line(&self, node: NodeId, member: usize, system: &System, scene: &Scene) -> Option<String> {
        if node == MACHINES {
            let (_, dark) = system.own::<Seen>().dark;
            let well = machine(system, member).is_some_and(Machine::takes);
            let say = || scene.say("was-dark", &[Arg::Number(dark.as_s())]);
            return (dark > Time::ZERO && well).then(say);
        }
        if node != STOCK {
            return None;
        }
        let up = machines(system).filter(|it| it.down.is_none()).count();
        let others = up.saturating_sub(1) as i64;
        let seen = system.own::<Seen>();
        let ms = |span: Time| Arg::Number(span.as_s() * 1e3);
        let args = [ms(seen.shared), Arg::Count(others), ms(seen.telling)];
        Some(scene.say(if others == 0 { "alone" } else { "tells" }, &args))
    }

    fn aside(
        &self,
        system: &System,
        knobs: &Values,
        at: Time,
        area: Rect,
        scene: &mut Scene,
    ) -> f32 {
        figure::draw(system, knobs, at, area, scene)
    }
}

impl Seen {
    /// Other rules are another chart; one that was there before comes back.
    fn turn_to(&mut self, rules: [u64; 5]) {
        self.kept.retain(|(known, _)| *known != self.rules);
        self.kept.push((self.rules, self.points));
        if self.kept.len() > KEPT {
            self.kept.remove(0);
        }
        let known = self.kept.iter().find(|(known, _)| *known == rules);
        self.points = known.map_or([[None; MOST + 1]; 2], |(_, points)| *points);
        self.rules = rules;
    }

    /// Keeps what can still be seen of who told whom.
    fn remember(&mut self, hold: Hold) {
        let old = |it: &Hold| hold.began.since(it.began) > Time(FLIGHT.0 * 2);
        while self.holds.front().is_some_and(old) {
            self.holds.pop_front();
        }
        self.holds.push_back(hold);
    }

    /// Counts what is served, while no core waits for requests and nothing changes.
    fn measure(&mut self, idle: bool, done: u32, now: Time) {
        self.rate = None;
        if idle || self.shop.cores == 0 || self.shop.leaving > 0 {
            self.from = None;
            return;
        }
        let Some((from, first)) = self.from else {
            if now.since(self.changed) >= SETTLES {
                self.from = Some((now, done));
            }
            return;
        };
        let over = now.since(from);
        if over >= MEASURES {
            let rate = f64::from(done.saturating_sub(first)) / over.as_s();
            self.rate = Some(rate);
            if let Some(point) = self.points[usize::from(self.shop.out)].get_mut(self.shop.cores) {
                *point = Some(rate);
            }
        }
    }

    /// From two cores to four without a failure.
    fn grows(&mut self, load: f64, failed: u32, now: Time) {
        if load < 35.0 || self.two.is_some_and(|(then, _)| then != failed) {
            self.two = None;
        }
        if self.shop.cores == 2 && load >= 35.0 && self.two.is_none() {
            self.two = Some((failed, now));
        }
        let calm = self
            .two
            .is_some_and(|(_, since)| now.since(since) >= Time::s(2));
        if self.shop.cores < 2 || (self.shop.cores > 2 && !calm && self.grown.since().is_none()) {
            self.two = None;
        }
        self.grown
            .set(self.two.is_some() && self.shop.cores >= 4, now);
    }

    /// From six machines or more to four, with nobody logged out.
    fn shrinks(&mut self, machines: usize, now: Time) {
        if machines >= 6 && self.shop.leaving == 0 {
            self.six = Some(self.logged_out);
        }
        if self.six.is_some_and(|then| then != self.logged_out) || !self.shop.out {
            self.six = None;
        }
        let fewer = self.six.is_some() && machines <= 4 && self.shop.leaving == 0;
        self.shrunk.set(fewer, now);
    }
}

type Machine = kit::flow::Member<kit::system::Part>;

fn machines(system: &System) -> impl Iterator<Item = &Machine> {
    system
        .node(MACHINES)
        .into_iter()
        .flat_map(|live| live.members.iter())
}

fn machine(system: &System, member: usize) -> Option<&Machine> {
    system.node(MACHINES)?.members.get(member)
}

fn takes(system: &System, member: usize) -> bool {
    machine(system, member).is_some_and(Machine::takes)
}

/// For how long the system runs before anybody looks: one machine is measured then, and two, and the third is bought.
const WARM_UP: Time = Time(2 * GROWS.0);

/// Probes of the lesson's own: requests that wait for the stock, and for a core.
const FOR_STOCK: usize = probe::OWN;
const FOR_CORE: usize = probe::OWN + 1;
const PROBES: [Probe; probe::OWN + 2] = {
    let mut all = [Probe::Level; probe::OWN + 2];
    let mut i = 0;
    while i < probe::OWN {
        all[i] = probe::ALL[i];
        i += 1;
    }
    all
};

const fn quantile(id: &'static str, share: f64, ink: Ink) -> Line {
    Line {
        id,
        probe: probe::LATENCY,
        statistic: Statistic::Quantile(share),
        ink,
        area: false,
    }
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "answers",
        &[
            Line::mean("answered", probe::DONE, Ink::Ok).filled(),
            Line::mean("asked", probe::CAME, Ink::Accent),
        ],
        200.0,
    ),
    Plot::of(
        "waiting",
        &[
            Line::mean("for-core", FOR_CORE, Ink::Hit).filled(),
            Line::mean("for-stock", FOR_STOCK, Ink::Warn),
        ],
        50.0,
    ),
    Plot::ms(
        "time",
        &[
            quantile("p99", 0.99, Ink::Warn),
            quantile("p50", 0.5, Ink::Secondary),
        ],
        1_000.0,
    ),
];

impl Lesson for Scaling {
    type Model = System;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Warn),
            (Glyph::Message, Ink::Warn),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        stands_for: figure::STANDS_FOR,
        speed: 2.0,
        twin: ("way", UP),
        still: Time::s(19),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "scaling",
                chapter: "traffic",
                tables: &["scaling_tail_availability"],
            },
            || Values::first(&Scaling),
            draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "lessons/traffic/scaling/mod.rs",
            region: "tell",
            marks: &[("calls", "others * each")],
        },
        Code {
            file: "algorithms/scaling.rs",
            region: "usl",
            marks: &[],
        },
        Code {
            file: "algorithms/balancer.rs",
            region: "least",
            marks: &[("picked", "best = Some(index)")],
        },
    ];
}
