//! The system: clients, a balancer with health checks, and servers with queues.

use super::probe;
use algorithms::balancer::{Balancer, Policy};
use algorithms::health::{HealthCheck, Transition};
use engine::random::{below, exponential, pareto, unit};
use engine::tape::NoteId;
use engine::{
    Act, Action, ActionSpec, Arg, Context, Knobs, Model, Note, PartId, Stream, Time, Tone, Visit,
    choices,
};
use std::collections::VecDeque;

/// One way along one link. Stretched, so that requests can be seen travelling; latency leaves it out.
pub(super) const HOP: Time = Time::ms(80);
/// The most servers there can be.
pub(super) const SERVERS_MAX: usize = 8;
/// How much a slowed server keeps of its speed.
pub(super) const SLOWED: f64 = 0.2;
/// How long a traffic spike lasts, and how much more it brings.
const SPIKE: (Time, f64) = (Time::s(5), 3.0);
/// Addresses that requests come from; the first ones are busier, like offices behind one router.
const CLIENTS: usize = 24;
/// Smoothing of the meters, so that they can be read.
const SMOOTHING: Time = Time::ms(2_500);
/// Failures closer than this share one mark on the tape.
const FAILURE_MARKS: Time = Time::s(1);

const ARRIVALS: Stream = Stream::named("arrivals");
const WORK: Stream = Stream::named("work");
const ADDRESSES: Stream = Stream::named("addresses");
const CHOICE: Stream = Stream::named("choice");

/// How the work of one request differs from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    Fixed,
    Exponential,
    HeavyTailed,
}
choices!(Spread {
    "fixed" => Spread::Fixed,
    "exponential" => Spread::Exponential,
    "heavy" => Spread::HeavyTailed,
});

/// The policies in the order of their buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen(pub(super) Policy);
choices!(Chosen {
    "random" => Chosen(Policy::Random),
    "round-robin" => Chosen(Policy::RoundRobin),
    "weighted" => Chosen(Policy::WeightedRoundRobin),
    "least-connections" => Chosen(Policy::LeastConnections),
    "two-choices" => Chosen(Policy::PowerOfTwoChoices),
    "ip-hash" => Chosen(Policy::IpHash),
});

/// The knobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(super) policy: Chosen,
    pub(super) load_per_s: f64,
    pub(super) servers: u32,
    pub(super) service_ms: f64,
    pub(super) spread: Spread,
    pub(super) check_s: f64,
    pub(super) workers: u32,
    pub(super) queue: u32,
    pub(super) timeout_s: f64,
    pub(super) fall: u32,
    pub(super) rise: u32,
    pub(super) speeds: [f64; SERVERS_MAX],
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            policy: Chosen(Policy::RoundRobin),
            load_per_s: 30.0,
            servers: 3,
            service_ms: 100.0,
            spread: Spread::Exponential,
            check_s: 1.0,
            workers: 2,
            queue: 24,
            timeout_s: 3.0,
            fall: 2,
            rise: 2,
            speeds: [1.0; SERVERS_MAX],
        }
    }
}

impl Knobs for Settings {
    fn visit(&mut self, v: &mut dyn Visit) {
        v.choice("policy", &mut self.policy);
        v.slider("load", [2.0, 200.0, 1.0], "req/s", &mut self.load_per_s);
        v.whole("servers", [1, SERVERS_MAX as u32], "", &mut self.servers);
        v.slider("service", [10.0, 400.0, 5.0], "ms", &mut self.service_ms);
        v.choice("spread", &mut self.spread);
        v.slider("check", [0.5, 10.0, 0.5], "s", &mut self.check_s);
        v.whole("workers", [1, 8], "", &mut self.workers);
        v.whole("queue", [0, 60], "", &mut self.queue);
        v.slider("timeout", [0.5, 10.0, 0.5], "s", &mut self.timeout_s);
        v.whole("fall", [1, 5], "", &mut self.fall);
        v.whole("rise", [1, 5], "", &mut self.rise);
        const SPEEDS: [&str; SERVERS_MAX] = [
            "speed-1", "speed-2", "speed-3", "speed-4", "speed-5", "speed-6", "speed-7", "speed-8",
        ];
        for (i, (id, speed)) in SPEEDS.iter().zip(&mut self.speeds).enumerate() {
            v.part_slider(id, server_part(i), [0.5, 4.0, 0.5], "×", speed);
        }
    }
}

impl Settings {
    /// The weight of a server: what its operator believes it can do, in half machines.
    fn weight(&self, server: usize) -> u32 {
        (self.speeds[server] * 2.0) as u32
    }
}

/// What a learner can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// A server stops answering; what it held is lost.
    Crash(usize),
    /// A server's machine falls ill: a fifth of its speed, though it still answers health checks.
    Slow(usize),
    /// A server is mended.
    Recover(usize),
    /// Three times the load for five seconds.
    Spike,
    /// One server more or fewer: turns the knob.
    Turn,
}

impl Break {
    /// What a learner can do, in the order of the buttons.
    pub(super) const SPECS: &'static [ActionSpec] = &[
        ActionSpec::aimed("crash", "server"),
        ActionSpec::aimed("slow", "server"),
        ActionSpec::aimed("recover", "server"),
        ActionSpec::whole("spike"),
        ActionSpec::turning("add", "servers", 1.0),
        ActionSpec::turning("remove", "servers", -1.0),
    ];
}

impl Action for Break {
    fn from_act(act: Act) -> Option<Break> {
        let server = act.target;
        match act.spec {
            0 => Some(Break::Crash(server)),
            1 => Some(Break::Slow(server)),
            2 => Some(Break::Recover(server)),
            3 => Some(Break::Spike),
            4 | 5 => Some(Break::Turn),
            _ => None,
        }
    }
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    /// From its client to the balancer.
    ToBalancer,
    /// From the balancer to its server.
    ToServer,
    /// In its server's queue.
    Waiting,
    /// With a worker of its server.
    InService,
    /// From its server back to the balancer.
    FromServer,
    /// From the balancer back to its client.
    ToClient,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) number: u32,
    pub(super) leg: Leg,
    /// When it reaches the end of the link that it travels on.
    pub(super) arrives: Time,
    pub(super) server: u8,
    pub(super) failed: bool,
    client: u8,
    /// Service time on a machine of speed 1; drawn on arrival, so that twins serve the same requests.
    work: Time,
    reached_server: Time,
    /// The last note about it, for the chain of causes.
    note: NoteId,
}

/// One server.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) crashed: Option<Time>,
    pub(super) slow: bool,
    pub(super) leaving: bool,
    pub(super) queue: VecDeque<u32>,
    pub(super) serving: Vec<u32>,
    pub(super) health: HealthCheck,
    /// When the next health check leaves the balancer.
    pub(super) check_at: Time,
    /// The health check on its way: when it left, and what it found out.
    pub(super) check: Option<(Time, Option<bool>)>,
    /// Told apart from earlier lives, so that work of a crashed life does not finish.
    life: u32,
    expiring: bool,
    meter: (f32, Time),
    pub(super) served: u64,
    pub(super) picked: u64,
}

impl Server {
    fn new(knobs: &Settings) -> Server {
        Server {
            crashed: None,
            slow: false,
            leaving: false,
            queue: VecDeque::new(),
            serving: Vec::new(),
            health: HealthCheck::new(knobs.fall, knobs.rise),
            check_at: Time::ZERO,
            check: None,
            life: 0,
            expiring: false,
            meter: (0.0, Time::ZERO),
            served: 0,
            picked: 0,
        }
    }

    /// The share of busy workers, averaged over about 2.5 s.
    pub(super) fn busy_share(&self, workers: u32, at: Time) -> f32 {
        let (old, since) = self.meter;
        let now = self.serving.len() as f32 / workers as f32;
        let dt = at.since(since).0 as f32;
        // A rational filter instead of an exponential one: the same on every target and cheaper.
        old + (now - old) * dt / (dt + SMOOTHING.0 as f32)
    }

    fn meter_until(&mut self, workers: u32, at: Time) {
        self.meter = (self.busy_share(workers, at), at);
    }

    /// Whether health checks have taken it out of rotation.
    pub(super) fn out(&self) -> bool {
        !self.health.is_up()
    }

    fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.serving.is_empty()
    }
}

/// What is due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next request leaves its client.
    Arrive,
    /// A request reaches the balancer.
    AtBalancer(u32),
    /// A request reaches its server.
    AtServer(u32),
    /// A worker is done with a request, if the server's life is still this one.
    Finish(u32, u32),
    /// An answer passes the balancer.
    Answered(u32),
    /// An answer reaches the client.
    Home(u32),
    /// The first in a server's queue may have waited too long.
    Expire(u8),
    /// A health check leaves the balancer.
    Check(u8),
    /// A health check reaches its server.
    Checked(u8),
    /// Its answer is back.
    Judged(u8),
    /// The traffic spike of this number is over.
    SpikeEnd(u32),
}

/// The simulated system.
#[derive(Clone)]
pub struct LoadBalancing {
    pub(super) servers: Vec<Server>,
    pub(super) balancer: Balancer,
    requests: Vec<Request>,
    free: Vec<u32>,
    clients: [[u8; 4]; CLIENTS],
    pub(super) last_pick: Option<usize>,
    pub(super) spike: Option<Time>,
    spikes: u32,
    pub(super) now: Time,
    born: u64,
    served: u64,
    failed: u64,
    /// Waiting and service of all answered requests together, for the mean.
    latency_sum: Time,
    waiting: u32,
    failure_marked: Option<Time>,
    pub(super) watch: Watch,
}

/// Sums over a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Requests that left their clients.
    pub born: u64,
    /// Requests answered, with the answer back at the client.
    pub served: u64,
    /// Requests failed, with the bad news back at the client.
    pub failed: u64,
    /// Mean of waiting plus service.
    pub latency_mean: Time,
}

/// What the story and the challenges look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// Since when nothing failed at this load.
    pub(super) clean_since: Time,
    /// Since when a server is slow and every queue has at most three waiting.
    pub(super) calm_since: Option<Time>,
    /// The last crash: its server, time, and requests answered and failed since.
    pub(super) crash: Option<Crash>,
    /// Picks of each server since the policy or the servers changed.
    pub(super) picks: [u32; SERVERS_MAX],
    /// The last crash that was noticed and mended.
    pub(super) healed: u32,
}

/// What became of requests after a crash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    pub(super) server: usize,
    pub(super) at: Time,
    pub(super) alone: bool,
    pub(super) noticed: Option<Time>,
    pub(super) picked: u32,
    pub(super) picked_dead: u32,
    pub(super) served: u32,
    pub(super) failed: u32,
    pub(super) load_per_s: f64,
}

/// The part of a server by its index.
pub(super) const fn server_part(index: usize) -> PartId {
    PartId::nth("server", index as u16 + 1)
}

/// The balancer.
pub(super) const BALANCER: PartId = PartId::one("balancer");
/// The clients.
pub(super) const CLIENTS_PART: PartId = PartId::one("clients");

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

impl Model for LoadBalancing {
    type Knobs = Settings;
    type Event = Event;
    type Action = Break;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> LoadBalancing {
        let mut clients = [[0; 4]; CLIENTS];
        for client in &mut clients {
            // Documentation networks would share their first octets, which is all that IP hash reads.
            *client = [0; 4].map(|_| 1 + below(cx.random(ADDRESSES), 254) as u8);
        }
        let mut model = LoadBalancing {
            servers: Vec::new(),
            balancer: Balancer::new(),
            requests: Vec::new(),
            free: Vec::new(),
            clients,
            last_pick: None,
            spike: None,
            spikes: 0,
            now: Time::ZERO,
            born: 0,
            served: 0,
            failed: 0,
            latency_sum: Time::ZERO,
            waiting: 0,
            failure_marked: None,
            watch: Watch::default(),
        };
        model.hire(knobs, cx);
        // Traffic was flowing before the learner came: fill the links as if it had run for four hops.
        let mut ago = Time(4 * HOP.0);
        loop {
            let gap = model.gap(knobs, cx);
            cx.because(NoteId::NONE);
            if gap >= ago {
                cx.schedule(gap - ago, Event::Arrive);
                break;
            }
            ago = ago - gap;
            let slot = model.spawn(knobs, cx);
            if ago < HOP {
                model.travel(slot, Leg::ToBalancer, HOP - ago, cx);
                cx.schedule(HOP - ago, Event::AtBalancer(slot));
            } else {
                model.dispatch(slot, Time(2 * HOP.0).since(ago), knobs, cx);
            }
        }
        model
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Arrive => {
                // Nothing in the system causes an arrival.
                cx.because(NoteId::NONE);
                let gap = self.gap(knobs, cx);
                cx.schedule(gap, Event::Arrive);
                let slot = self.spawn(knobs, cx);
                self.travel(slot, Leg::ToBalancer, HOP, cx);
                cx.schedule(HOP, Event::AtBalancer(slot));
            }
            Event::AtBalancer(slot) => self.dispatch(slot, HOP, knobs, cx),
            Event::AtServer(slot) => self.at_server(slot, knobs, cx),
            Event::Finish(slot, life) => self.finish(slot, life, knobs, cx),
            Event::Answered(slot) => {
                self.balancer
                    .closed(usize::from(self.requests[slot as usize].server));
                self.go_home(slot, cx);
            }
            Event::Home(slot) => self.home(slot, cx),
            Event::Expire(server) => self.expire(usize::from(server), knobs, cx),
            Event::Check(server) => self.check(usize::from(server), knobs, cx),
            Event::Checked(server) => self.checked(usize::from(server), cx),
            Event::Judged(server) => self.judged(usize::from(server), cx),
            Event::SpikeEnd(spike) => {
                if spike == self.spikes && self.spike.is_some() {
                    self.spike = None;
                    cx.say(
                        Note::new("spike-over")
                            .about(CLIENTS_PART)
                            .mark(Tone::Ok)
                            .ends("spike", 0),
                    );
                }
            }
        }
        self.look(knobs, cx.now());
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        self.hire(knobs, cx);
        for (i, server) in self.servers.iter_mut().enumerate() {
            server.health.set_thresholds(knobs.fall, knobs.rise);
            self.balancer.set_weight(i, knobs.weight(i));
        }
        for server in 0..self.servers.len() {
            self.put_to_work(server, knobs, cx);
        }
        self.watch.clean_since = cx.now();
        self.watch.calm_since = None;
        self.watch.picks = [0; SERVERS_MAX];
    }

    fn can(&self, action: Break) -> bool {
        let server = |i: usize| self.servers.get(i).filter(|server| !server.leaving);
        match action {
            Break::Crash(i) => server(i).is_some_and(|server| server.crashed.is_none()),
            Break::Slow(i) => {
                server(i).is_some_and(|server| server.crashed.is_none() && !server.slow)
            }
            Break::Recover(i) => {
                server(i).is_some_and(|server| server.crashed.is_some() || server.slow)
            }
            Break::Spike => self.spike.is_none(),
            Break::Turn => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let fits = |i: &usize| {
            Break::from_act(Act { spec, target: *i }).is_some_and(|action| self.can(action))
        };
        // The middle one first: what happens to it is seen best.
        let middle = (self.servers.len().max(1) - 1) / 2 + usize::from(self.servers.len() == 2);
        std::iter::once(middle)
            .chain(0..self.servers.len())
            .find(fits)
            .unwrap_or(middle)
    }

    fn on_action(&mut self, action: Break, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match action {
            Break::Crash(server) => self.crash(server, knobs, cx),
            Break::Slow(server) => {
                self.servers[server].slow = true;
                cx.say(
                    Note::new("slowed")
                        .with(name(server))
                        .about(server_part(server))
                        .mark(Tone::Warn),
                );
            }
            Break::Recover(i) => {
                let server = &mut self.servers[i];
                server.slow = false;
                let note = if server.crashed.take().is_some() {
                    "restarted"
                } else {
                    "mended"
                };
                cx.say(
                    Note::new(note)
                        .with(name(i))
                        .about(server_part(i))
                        .mark(Tone::Ok),
                );
            }
            Break::Spike => {
                self.spikes += 1;
                self.spike = Some(cx.now() + SPIKE.0);
                cx.say(
                    Note::new("spike")
                        .with(Arg::Number(SPIKE.1))
                        .about(CLIENTS_PART)
                        .mark(Tone::Warn)
                        .begins("spike", 0),
                );
                cx.schedule(SPIKE.0, Event::SpikeEnd(self.spikes));
            }
            Break::Turn => {}
        }
    }

    fn audit(&self) -> Result<(), String> {
        let (mut waiting, mut serving, mut moving) = (0_u64, 0_u64, 0_u64);
        for (slot, request) in self.requests.iter().enumerate() {
            if self.free.contains(&(slot as u32)) {
                continue;
            }
            let server = self.servers.get(usize::from(request.server));
            let held = |list: &dyn Fn(&Server) -> bool| server.is_some_and(list);
            match request.leg {
                Leg::Waiting if held(&|s| s.queue.contains(&(slot as u32))) => waiting += 1,
                Leg::InService if held(&|s| s.serving.contains(&(slot as u32))) => serving += 1,
                Leg::Waiting | Leg::InService => {
                    return Err(format!(
                        "request {} is {:?} but its server does not hold it",
                        request.number, request.leg
                    ));
                }
                _ => moving += 1,
            }
        }
        let queued: usize = self.servers.iter().map(|server| server.queue.len()).sum();
        let busy: usize = self.servers.iter().map(|server| server.serving.len()).sum();
        if (queued as u64, busy as u64, u64::from(self.waiting)) != (waiting, serving, waiting) {
            return Err(format!(
                "queues hold {queued} and {busy}, requests say {waiting} and {serving}"
            ));
        }
        let accounted = self.served + self.failed + waiting + serving + moving;
        if self.born != accounted {
            return Err(format!(
                "{} came in, {accounted} are accounted for",
                self.born
            ));
        }
        Ok(())
    }
}

fn name(server: usize) -> Arg {
    Arg::Part(server_part(server))
}

impl LoadBalancing {
    /// Requests that are somewhere: their slots are given back when they are home.
    pub(super) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.number > 0)
    }

    /// The request in a slot that a queue or a worker holds.
    pub(super) fn request(&self, slot: u32) -> &Request {
        &self.requests[slot as usize]
    }

    /// All waiting requests.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Requests that came, were answered and failed so far, and the mean latency of the answered ones.
    pub fn totals(&self) -> Totals {
        let answered: u64 = self.servers.iter().map(|server| server.served).sum();
        Totals {
            born: self.born,
            served: self.served,
            failed: self.failed,
            latency_mean: Time(self.latency_sum.0 / answered.max(1)),
        }
    }

    /// Requests a second that the clients send now.
    pub(super) fn load_per_s(&self, knobs: &Settings) -> f64 {
        if self.spike.is_some() {
            knobs.load_per_s * SPIKE.1
        } else {
            knobs.load_per_s
        }
    }

    fn gap(&self, knobs: &Settings, cx: Cx<'_, '_>) -> Time {
        exponential(
            cx.random(ARRIVALS),
            Time::from_s(1.0 / self.load_per_s(knobs)),
        )
    }

    /// Makes the number of servers follow its knob: new ones join, surplus ones finish what they hold and leave.
    fn hire(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let wanted = knobs.servers as usize;
        for i in 0..wanted.min(self.servers.len()) {
            if self.servers[i].leaving {
                self.servers[i].leaving = false;
                self.balancer.set_eligible(i, !self.servers[i].out());
                cx.say(
                    Note::new("joined")
                        .with(name(i))
                        .about(server_part(i))
                        .mark(Tone::Ok),
                );
            }
        }
        while self.servers.len() < wanted {
            let i = self.servers.len();
            let mut server = Server::new(knobs);
            server.meter.1 = cx.now();
            // Checks of different servers are spread over the interval, as balancers do.
            let first = Time::from_s(knobs.check_s * (i as f64 * 0.37 + 0.3) % knobs.check_s);
            server.check_at = cx.now() + first;
            self.servers.push(server);
            self.balancer.add_peer(knobs.weight(i));
            if cx.now() > Time::ZERO {
                cx.say(
                    Note::new("joined")
                        .with(name(i))
                        .about(server_part(i))
                        .mark(Tone::Ok),
                );
            }
            cx.schedule(first, Event::Check(i as u8));
        }
        for i in wanted..self.servers.len() {
            if !self.servers[i].leaving {
                self.servers[i].leaving = true;
                self.balancer.set_eligible(i, false);
                cx.say(
                    Note::new("leaving")
                        .with(name(i))
                        .about(server_part(i))
                        .mark(Tone::Warn),
                );
            }
        }
        self.let_go();
    }

    /// Removes servers that have left: the last ones, once nothing is with them or on its way.
    fn let_go(&mut self) {
        while let Some(last) = self.servers.last() {
            let index = self.servers.len() - 1;
            let bound = |request: &Request| {
                usize::from(request.server) == index
                    && matches!(request.leg, Leg::ToServer | Leg::FromServer)
            };
            if !last.leaving || !last.is_empty() || self.requests().any(bound) {
                return;
            }
            self.servers.pop();
            self.balancer.remove_peer(index);
        }
    }

    /// A new request, not yet on its way.
    fn spawn(&mut self, knobs: &Settings, cx: Cx<'_, '_>) -> u32 {
        let mean = Time::from_ms(knobs.service_ms);
        let work = match knobs.spread {
            Spread::Fixed => {
                // Draws all the same, so that the spread can be changed without changing who comes.
                let _ = unit(cx.random(WORK));
                mean
            }
            Spread::Exponential => exponential(cx.random(WORK), mean),
            Spread::HeavyTailed => pareto(cx.random(WORK), mean, 1.5, 50.0),
        };
        let share = unit(cx.random(ADDRESSES));
        let client = ((share * share * CLIENTS as f64) as usize).min(CLIENTS - 1) as u8;
        self.born += 1;
        let request = Request {
            number: self.born as u32,
            leg: Leg::ToBalancer,
            arrives: Time::ZERO,
            server: 0,
            failed: false,
            client,
            work,
            reached_server: Time::ZERO,
            note: NoteId::NONE,
        };
        if let Some(slot) = self.free.pop() {
            self.requests[slot as usize] = request;
            slot
        } else {
            self.requests.push(request);
            self.requests.len() as u32 - 1
        }
    }

    #[inline]
    fn travel(&mut self, slot: u32, leg: Leg, after: Time, cx: Cx<'_, '_>) {
        let request = &mut self.requests[slot as usize];
        request.leg = leg;
        request.arrives = cx.now() + after;
    }

    /// The balancer chooses a server for a request and sends it on.
    fn dispatch(&mut self, slot: u32, hop: Time, knobs: &Settings, cx: Cx<'_, '_>) {
        let policy = knobs.policy.0;
        let client = usize::from(self.requests[slot as usize].client);
        let picked = self
            .balancer
            .pick(policy, self.clients[client], cx.random(CHOICE));
        let number = self.requests[slot as usize].number;
        let Some(server) = picked else {
            cx.say(
                Note::new("nobody")
                    .with(count(number))
                    .about(BALANCER)
                    .dot(number),
            );
            self.fail(slot, cx);
            self.go_home(slot, cx);
            return;
        };
        self.last_pick = Some(server);
        self.balancer.opened(server);
        let chosen = &mut self.servers[server];
        chosen.picked += 1;
        self.watch.picks[server] += 1;
        if let Some(crash) = self
            .watch
            .crash
            .as_mut()
            .filter(|crash| crash.noticed.is_none())
        {
            crash.picked += 1;
            crash.picked_dead += u32::from(crash.server == server);
        }
        let reason = match policy {
            Policy::Random => "because.random",
            Policy::RoundRobin => "because.round-robin",
            Policy::WeightedRoundRobin => "because.weighted",
            Policy::LeastConnections => "because.least-connections",
            Policy::PowerOfTwoChoices => "because.two-choices",
            Policy::IpHash => "because.ip-hash",
        };
        let note = Note::new("picked")
            .with(count(number))
            .with(name(server))
            .with(Arg::Word(reason));
        self.requests[slot as usize].note = cx.say(note.about(server_part(server)).dot(number));
        self.requests[slot as usize].server = server as u8;
        self.travel(slot, Leg::ToServer, hop, cx);
        cx.schedule(hop, Event::AtServer(slot));
    }

    fn at_server(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let index = usize::from(self.requests[slot as usize].server);
        self.requests[slot as usize].reached_server = cx.now();
        let number = self.requests[slot as usize].number;
        let server = &self.servers[index];
        let refused = if server.crashed.is_some() {
            Some("refused")
        } else if server.serving.len() >= knobs.workers as usize
            && server.queue.len() >= knobs.queue as usize
        {
            Some("overflow")
        } else {
            None
        };
        if let Some(word) = refused {
            cx.say(
                Note::new(word)
                    .with(count(number))
                    .with(name(index))
                    .about(server_part(index))
                    .dot(number),
            );
            self.fail(slot, cx);
            self.send_back(slot, cx);
            return;
        }
        self.requests[slot as usize].leg = Leg::Waiting;
        self.servers[index].queue.push_back(slot);
        self.waiting += 1;
        self.put_to_work(index, knobs, cx);
        if self.requests[slot as usize].leg == Leg::Waiting {
            let place = self.servers[index].queue.len();
            let note = Note::new("waits")
                .with(count(number))
                .with(name(index))
                .with(Arg::Count(place as i64));
            self.requests[slot as usize].note = cx.say(note.about(server_part(index)).dot(number));
            self.expect_expiry(index, knobs, cx);
        }
        self.measure_waiting(cx);
    }

    /// Gives waiting requests to free workers.
    fn put_to_work(&mut self, index: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let speed = knobs.speeds[index]
            * if self.servers[index].slow {
                SLOWED
            } else {
                1.0
            };
        let server = &mut self.servers[index];
        if server.crashed.is_some() {
            return;
        }
        server.meter_until(knobs.workers, cx.now());
        while server.serving.len() < knobs.workers as usize {
            let Some(slot) = server.queue.pop_front() else {
                break;
            };
            self.waiting -= 1;
            server.serving.push(slot);
            let request = &mut self.requests[slot as usize];
            request.leg = Leg::InService;
            let before = cx.cause();
            cx.because(request.note);
            cx.schedule(
                Time((request.work.0 as f64 / speed) as u64),
                Event::Finish(slot, server.life),
            );
            cx.because(before);
        }
    }

    fn finish(&mut self, slot: u32, life: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let index = usize::from(self.requests[slot as usize].server);
        let Some(server) = self
            .servers
            .get_mut(index)
            .filter(|server| server.life == life)
        else {
            return;
        };
        server.meter_until(knobs.workers, cx.now());
        let Some(place) = server.serving.iter().position(|held| *held == slot) else {
            return;
        };
        server.serving.swap_remove(place);
        let request = &mut self.requests[slot as usize];
        let took = cx.now().since(request.reached_server);
        let number = request.number;
        if took > Time::from_s(knobs.timeout_s) {
            let note = Note::new("too-late")
                .with(count(number))
                .with(name(index))
                .with(Arg::Span(took));
            cx.say(note.about(server_part(index)).dot(number));
            self.fail(slot, cx);
        } else {
            server.served += 1;
            self.latency_sum += took;
            cx.sample(probe::LATENCY, took.0 as f64);
            let note = Note::new("answered")
                .with(name(index))
                .with(count(number))
                .with(Arg::Span(took));
            request.note = cx.say(note.about(server_part(index)).dot(number));
        }
        self.send_back(slot, cx);
        self.put_to_work(index, knobs, cx);
        self.measure_waiting(cx);
        if self.servers[index].leaving {
            self.let_go();
        }
    }

    /// A request goes back to the balancer, answered or failed.
    fn send_back(&mut self, slot: u32, cx: Cx<'_, '_>) {
        self.travel(slot, Leg::FromServer, HOP, cx);
        cx.schedule(HOP, Event::Answered(slot));
    }

    fn go_home(&mut self, slot: u32, cx: Cx<'_, '_>) {
        self.travel(slot, Leg::ToClient, HOP, cx);
        cx.schedule(HOP, Event::Home(slot));
        if self.servers.last().is_some_and(|server| server.leaving) {
            self.let_go();
        }
    }

    fn home(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let request = &mut self.requests[slot as usize];
        if request.failed {
            self.failed += 1;
            cx.sample(probe::FAILED, 1.0);
        } else {
            self.served += 1;
            cx.sample(probe::SERVED, 1.0);
        }
        if let Some(crash) = &mut self.watch.crash {
            if request.failed {
                crash.failed += 1;
            } else {
                crash.served += 1;
            }
        }
        // Number 0 tells a free slot from a live one.
        request.number = 0;
        self.free.push(slot);
    }

    /// Marks a request as failed; the note that says why was said just before.
    fn fail(&mut self, slot: u32, cx: Cx<'_, '_>) {
        self.requests[slot as usize].failed = true;
        self.watch.clean_since = cx.now();
        if self
            .failure_marked
            .is_none_or(|marked| cx.now().since(marked) >= FAILURE_MARKS)
        {
            self.failure_marked = Some(cx.now());
            let number = self.requests[slot as usize].number;
            // About no part: what befell the server is its crash, not each request that it costs.
            cx.say(
                Note::new("failing")
                    .with(count(number))
                    .dot(number)
                    .mark(Tone::Bad),
            );
        }
    }

    /// Makes sure that somebody looks when the first in a queue has waited too long.
    fn expect_expiry(&mut self, index: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let server = &mut self.servers[index];
        if server.expiring {
            return;
        }
        if let Some(first) = server.queue.front() {
            server.expiring = true;
            let deadline =
                self.requests[*first as usize].reached_server + Time::from_s(knobs.timeout_s);
            cx.schedule(deadline.since(cx.now()), Event::Expire(index as u8));
        }
    }

    fn expire(&mut self, index: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(server) = self.servers.get_mut(index) else {
            return;
        };
        server.expiring = false;
        let timeout = Time::from_s(knobs.timeout_s);
        while let Some(first) = self.servers[index].queue.front().copied() {
            if cx.now().since(self.requests[first as usize].reached_server) < timeout {
                break;
            }
            self.servers[index].queue.pop_front();
            self.waiting -= 1;
            let number = self.requests[first as usize].number;
            cx.because(self.requests[first as usize].note);
            let note = Note::new("gave-up")
                .with(count(number))
                .with(name(index))
                .with(Arg::Span(timeout));
            cx.say(note.about(server_part(index)).dot(number));
            self.fail(first, cx);
            self.send_back(first, cx);
        }
        self.expect_expiry(index, knobs, cx);
        self.measure_waiting(cx);
    }

    fn check(&mut self, index: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        // A server that has left takes its checks with it.
        let Some(server) = self.servers.get_mut(index) else {
            return;
        };
        let every = Time::from_s(knobs.check_s);
        server.check_at = cx.now() + every;
        server.check = Some((cx.now(), None));
        cx.schedule(every, Event::Check(index as u8));
        cx.schedule(HOP, Event::Checked(index as u8));
    }

    fn checked(&mut self, index: usize, cx: Cx<'_, '_>) {
        let Some(server) = self.servers.get_mut(index) else {
            return;
        };
        if let Some((_, found)) = &mut server.check {
            *found = Some(server.crashed.is_none());
            cx.schedule(HOP, Event::Judged(index as u8));
        }
    }

    fn judged(&mut self, index: usize, cx: Cx<'_, '_>) {
        let Some(server) = self.servers.get_mut(index) else {
            return;
        };
        let Some((_, Some(passed))) = server.check.take() else {
            return;
        };
        let part = server_part(index);
        if !passed {
            cx.say(Note::new("check-failed").with(name(index)).about(part));
        }
        match server.health.observe(passed) {
            Some(Transition::Down) => {
                self.balancer.set_eligible(index, false);
                let since = server.crashed.map_or(Time::ZERO, |at| cx.now().since(at));
                let note = Note::new("ejected")
                    .with(name(index))
                    .with(Arg::Span(since));
                cx.say(
                    note.about(part)
                        .mark(Tone::Warn)
                        .ends("unnoticed", index as u16),
                );
                if let Some(crash) = self
                    .watch
                    .crash
                    .as_mut()
                    .filter(|crash| crash.server == index)
                {
                    crash.noticed = Some(cx.now());
                }
            }
            Some(Transition::Up) => {
                self.balancer.set_eligible(index, !server.leaving);
                self.watch.healed += 1;
                // What a server did not get while it was out says nothing about the policy.
                self.watch.picks = [0; SERVERS_MAX];
                cx.say(
                    Note::new("returned")
                        .with(name(index))
                        .about(part)
                        .mark(Tone::Ok),
                );
            }
            None => {}
        }
    }

    fn crash(&mut self, index: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let alone = self
            .servers
            .iter()
            .enumerate()
            .all(|(i, s)| i == index || (s.crashed.is_none() && !s.slow));
        let server = &mut self.servers[index];
        server.meter_until(knobs.workers, cx.now());
        server.crashed = Some(cx.now());
        server.life += 1;
        let lost: Vec<u32> = server
            .queue
            .drain(..)
            .chain(server.serving.drain(..))
            .collect();
        let noticed = server.out().then(|| cx.now());
        let note = Note::new("crashed")
            .with(name(index))
            .with(Arg::Count(lost.len() as i64));
        let note = note.about(server_part(index)).mark(Tone::Bad);
        let crash = cx.say(if noticed.is_none() {
            note.begins("unnoticed", index as u16)
        } else {
            note
        });
        for slot in lost {
            if self.requests[slot as usize].leg == Leg::Waiting {
                self.waiting -= 1;
            }
            cx.because(crash);
            let number = self.requests[slot as usize].number;
            cx.say(
                Note::new("lost")
                    .with(count(number))
                    .with(name(index))
                    .about(server_part(index))
                    .dot(number),
            );
            self.fail(slot, cx);
            self.send_back(slot, cx);
        }
        self.watch.crash = Some(Crash {
            server: index,
            at: cx.now(),
            alone,
            noticed,
            picked: 0,
            picked_dead: 0,
            served: 0,
            failed: 0,
            load_per_s: knobs.load_per_s,
        });
        self.measure_waiting(cx);
    }

    #[inline]
    fn measure_waiting(&mut self, cx: Cx<'_, '_>) {
        cx.sample(probe::WAITING, f64::from(self.waiting));
    }

    /// Keeps what the challenges look at up to date.
    #[inline]
    fn look(&mut self, knobs: &Settings, now: Time) {
        if knobs.load_per_s < 100.0 {
            self.watch.clean_since = now;
        }
        if self.servers.iter().any(|server| server.slow) && knobs.load_per_s >= 40.0 {
            let calm = self.servers.iter().all(|server| server.queue.len() <= 3);
            match (calm, self.watch.calm_since) {
                (true, None) => self.watch.calm_since = Some(now),
                (false, Some(_)) => self.watch.calm_since = None,
                _ => {}
            }
        } else {
            self.watch.calm_since = None;
        }
    }
}

fn count(n: u32) -> Arg {
    Arg::Count(i64::from(n))
}
