//! Plans: which parts a system has, how they are wired, and what each does with a request; plain data, compared when a knob turns.

use super::money::Price;
use algorithms::balancer::Policy;
use algorithms::circuit_breaker::{counting, rates};
use algorithms::functions::Allowance;
use algorithms::retry::Backoff;
use algorithms::topic::RetryPolicy;
use algorithms::zipf::Zipf;
use engine::{PartId, Time};

/// A node of a plan. A lesson's constants: an id means the same node for as long as the lesson runs, and is not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub u16);

/// A wire of a plan; see [`NodeId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WireId(pub u16);

/// Ids above this are refused: states are kept by id.
pub const IDS_MAX: u16 = 256;

/// A system as its designer draws it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The parts.
    pub nodes: Vec<Node>,
    /// What leads from one to another.
    pub wires: Vec<Wire>,
    /// Places for circuit breakers, named by [`Call::guard`], so that a breaker keeps its number while another is taken
    /// out. At an empty place every call passes.
    pub guards: Vec<Option<Guard>>,
    /// Retry budgets, named by [`Retry::budget`].
    pub budgets: Vec<Budget>,
}

impl Plan {
    /// What makes it no plan: ids that are used twice or too high, wires and calls that lead nowhere.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let has = |id: NodeId| self.nodes.iter().any(|node| node.id == id);
        for (i, node) in self.nodes.iter().enumerate() {
            if node.id.0 > IDS_MAX || self.nodes[..i].iter().any(|other| other.id == node.id) {
                faults.push(format!(
                    "node {} is there twice or above {IDS_MAX}",
                    node.id.0
                ));
            }
        }
        for wire in &self.wires {
            if !(0.0..=1.0).contains(&wire.loss) {
                faults.push(format!("wire {} loses no share", wire.id.0));
            }
        }
        for (i, wire) in self.wires.iter().enumerate() {
            if wire.id.0 > IDS_MAX || self.wires[..i].iter().any(|other| other.id == wire.id) {
                faults.push(format!(
                    "wire {} is there twice or above {IDS_MAX}",
                    wire.id.0
                ));
            }
            if !has(wire.from) || !has(wire.to) {
                faults.push(format!("wire {} leads from or to no node", wire.id.0));
            }
        }
        for node in &self.nodes {
            let mut over = |wire: WireId| {
                let found = self.wires.iter().find(|known| known.id == wire);
                if found.is_none_or(|found| found.from != node.id) {
                    faults.push(format!("node {} has no wire {}", node.id.0, wire.0));
                }
            };
            if let Kind::Gate(gate) = &node.kind {
                gate.routes.iter().for_each(|wire| over(*wire));
            }
            if let Kind::Topic(topic) = &node.kind {
                topic.subscriptions.iter().for_each(|it| over(it.over));
            }
            if let Kind::Service(Service {
                pulls: Some(pull), ..
            }) = &node.kind
            {
                over(pull.over);
            }
            for step in node.kind.programs().iter().flatten() {
                for call in step.calls() {
                    over(call.over);
                    if let Otherwise::Call(spare) = call.otherwise {
                        over(spare);
                    }
                }
            }
        }
        for node in &self.nodes {
            let is_queue = |id: NodeId| {
                let found = self.nodes.iter().find(|node| node.id == id);
                found.is_some_and(|found| matches!(found.kind, Kind::Queue(_)))
            };
            match &node.kind {
                Kind::Cache(cache)
                    if cache
                        .programs
                        .iter()
                        .flatten()
                        .any(|step| *step == Step::Answer) =>
                {
                    faults.push(format!("cache {} answers before it has asked", node.id.0));
                }
                Kind::Queue(_) if node.members > 1 => {
                    faults.push(format!("queue {} has members", node.id.0));
                }
                Kind::Topic(_) | Kind::Function(_) if node.members > 1 => {
                    faults.push(format!("node {} has members", node.id.0));
                }
                Kind::Topic(topic) => {
                    let rules = || topic.subscriptions.iter();
                    if rules().any(|it| it.retry.validate().is_err() || it.per_s == Some(0)) {
                        faults.push(format!("topic {} pushes by no rule", node.id.0));
                    }
                    if (1..rules().count()).any(|i| {
                        let over = topic.subscriptions[i].over;
                        rules().take(i).any(|it| it.over == over)
                    }) {
                        faults.push(format!("topic {} pushes twice over a wire", node.id.0));
                    }
                }
                Kind::Function(function) if function.each.pulls.is_some() => {
                    faults.push(format!("function {} pulls", node.id.0));
                }
                Kind::Service(Service {
                    pulls: Some(pull), ..
                }) => {
                    let wire = self.wires.iter().find(|wire| wire.id == pull.over);
                    if !wire.is_some_and(|wire| is_queue(wire.to)) {
                        faults.push(format!("node {} pulls from no queue", node.id.0));
                    }
                }
                _ => {}
            }
        }
        faults
    }

    /// Whether requests are served by other rules than before, so that averages over both would be true of neither. More or
    /// fewer users are no other rule, nor is another price.
    pub(super) fn serves_otherwise(&self, other: &Plan) -> bool {
        let served = |node: &&Node| !matches!(node.kind, Kind::Crowd(_));
        let nodes = |plan: &Plan| {
            plan.nodes
                .iter()
                .filter(served)
                .map(|node| Node {
                    price: Price::NONE,
                    ..node.clone()
                })
                .collect::<Vec<_>>()
        };
        self.wires != other.wires || self.guards != other.guards || nodes(self) != nodes(other)
    }

    /// The places for breakers that calls name, in the order of nodes: the place, and the wire that it stands on.
    pub(super) fn guarded(&self) -> impl Iterator<Item = (u8, WireId)> {
        let programs = self.nodes.iter().flat_map(|node| node.kind.programs());
        let calls = programs.flatten().flat_map(Step::calls);
        calls.filter_map(|call| Some((call.guard?, call.over)))
    }

    /// Whether a wire is one that calls go over only when another could not be had.
    pub(super) fn is_spare(&self, wire: WireId) -> bool {
        let programs = self.nodes.iter().flat_map(|node| node.kind.programs());
        let mut calls = programs.flatten().flat_map(Step::calls);
        calls.any(|call| call.otherwise == Otherwise::Call(wire))
    }
}

/// One part of a plan, or several alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Which it is.
    pub id: NodeId,
    /// The kind of its parts on the stage: `server` for *Server 1*, *Server 2*.
    pub part: &'static str,
    /// What it is.
    pub kind: Kind,
    /// How many of it there are now.
    pub members: usize,
    /// Whether its members are counted on the stage, even if there is one.
    pub counted: bool,
    /// Its number among nodes of the same part, if it is the only member; 0 for none.
    pub number: u16,
    /// Whether its card shows each worker and each place of its queue, where these matter.
    pub cells: bool,
    /// Whether its members' cards are slim: a line for each worker, however many members there are.
    pub slim: bool,
    /// The places of the grid in which its members stand as tiles; 0 where each has a card.
    pub tiles: u16,
    /// How its members come up.
    pub life: Life,
    /// The size of each member in machines: its speed, and what balancers believe of it. Missing ones are 1.
    pub sizes: Vec<f64>,
    /// What it costs; see [`super::PRICES`].
    pub price: Price,
}

impl Node {
    /// The only part of its kind.
    pub fn one(id: NodeId, part: &'static str, kind: Kind) -> Node {
        Node {
            id,
            part,
            kind,
            members: 1,
            counted: false,
            number: 0,
            cells: false,
            slim: false,
            tiles: 0,
            life: Life::default(),
            sizes: Vec::new(),
            price: Price::NONE,
        }
    }

    /// One of several nodes that share a part and differ by their number: `service` 1 calls `service` 2.
    pub fn nth(id: NodeId, part: &'static str, number: u16, kind: Kind) -> Node {
        Node {
            number,
            ..Node::one(id, part, kind)
        }
    }

    /// Several alike, counted from 1.
    pub fn many(id: NodeId, part: &'static str, kind: Kind, members: usize) -> Node {
        Node {
            members,
            counted: true,
            ..Node::one(id, part, kind)
        }
    }

    /// The part of a member.
    #[inline]
    pub fn part_of(&self, member: usize) -> PartId {
        self.numbered(self.part, member)
    }

    /// A part that goes with a member, such as a wire that leads to it.
    #[inline]
    pub(super) fn numbered(&self, part: &'static str, member: usize) -> PartId {
        match (self.counted, self.number) {
            (true, _) => PartId::nth(part, member as u16 + 1),
            (false, number) => PartId { kind: part, number },
        }
    }

    /// The size of a member.
    #[inline]
    pub fn size(&self, member: usize) -> f64 {
        self.sizes.get(member).copied().unwrap_or(1.0)
    }
}

/// How members of a node come up. What is there from the beginning is up at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// How long a new member starts before anything is sent to it.
    pub boot: Time,
    /// New members come one at a time, each so long after the one before; zero for all at once.
    pub stagger: Time,
    /// A member whose number of workers changes restarts: it loses what it has and is down for so long. None if it can
    /// change while it works.
    pub restart: Option<Time>,
}

/// A way from one node to another, with what chooses among the members at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// Which it is.
    pub id: WireId,
    /// Where calls come from.
    pub from: NodeId,
    /// Where they go.
    pub to: NodeId,
    /// The kind of its parts on the stage; counted as the members at its end are.
    pub part: &'static str,
    /// How long one way takes. Mostly stretched, so that it can be seen.
    pub travel: Time,
    /// How long it takes instead for a request of each region ([`Crowd::regions`]); of a region beyond the last, `travel`.
    pub by_region: Vec<Time>,
    /// Who of several members gets a call.
    pub policy: Policy,
    /// Whether members are asked how they are; without it, a member is believed in for ever.
    pub health: Option<Health>,
    /// Whether it is known at once which members are down, as by connections that break.
    pub told: bool,
    /// Whether the script says whom each call goes to ([`super::Script::picks`]), be that member up or not, whatever the policy.
    pub mapped: bool,
    /// The share of calls, answers, receipts and checks that get lost on it, 0 to 1; [`super::Deed::Lose`] sets another. See
    /// [`super::LOSSES`].
    pub loss: f64,
}

impl Wire {
    /// A wire that gives the members at its end turns and believes in them.
    pub fn new(id: WireId, from: NodeId, to: NodeId, part: &'static str, travel: Time) -> Wire {
        Wire {
            id,
            from,
            to,
            part,
            travel,
            by_region: Vec::new(),
            policy: Policy::RoundRobin,
            health: None,
            told: false,
            mapped: false,
            loss: 0.0,
        }
    }

    /// How long one way takes for a request of this region.
    #[inline]
    pub fn way(&self, region: u8) -> Time {
        let own = self.by_region.get(usize::from(region));
        own.copied().unwrap_or(self.travel)
    }
}

/// Why a policy chose whom it chose, as a word for `picked`.
pub(super) const fn because(policy: Policy) -> &'static str {
    match policy {
        Policy::Random => "because.random",
        Policy::RoundRobin => "because.round-robin",
        Policy::WeightedRoundRobin => "because.weighted",
        Policy::LeastConnections => "because.least-connections",
        Policy::PowerOfTwoChoices => "because.two-choices",
        Policy::IpHash => "because.ip-hash",
    }
}

/// Health checks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Health {
    /// The time between two checks of one member.
    pub every: Time,
    /// Failed checks in a row that take a member out of rotation.
    pub fall: u32,
    /// Good checks in a row that bring it back.
    pub rise: u32,
}

/// What a node is. Closed, so that audit and view know all of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Users, or others who ask and want nothing but answers.
    Crowd(Crowd),
    /// Passes each request on over one of its wires and holds none: balancer, router, limiter.
    Gate(Gate),
    /// Works on requests, calls others, answers.
    Service(Service),
    /// Keeps messages until somebody who pulls has done them.
    Queue(Queue),
    /// Keeps copies of answers and asks on for what it has no fresh copy of.
    Cache(Cache),
    /// Copies what is published to each who subscribes, and pushes it there.
    Topic(Topic),
    /// Works on requests in instances that are built for them and thrown away.
    Function(Function),
}

impl Kind {
    /// What is done for a request, by its class; empty for what has no program.
    pub fn programs(&self) -> &[Vec<Step>] {
        match self {
            Kind::Crowd(crowd) => &crowd.programs,
            Kind::Service(service) => &service.programs,
            Kind::Cache(cache) => &cache.programs,
            Kind::Function(function) => &function.each.programs,
            Kind::Gate(_) | Kind::Queue(_) | Kind::Topic(_) => &[],
        }
    }

    /// Whether it is a crowd that follows the sun.
    pub(super) fn has_days(&self) -> bool {
        matches!(self, Kind::Crowd(crowd) if matches!(crowd.arrivals, Arrivals::Day { .. }))
    }

    /// What is done for a request of this class: of a class beyond the last program, the last one.
    #[inline]
    pub(super) fn program(&self, class: u8) -> &[Step] {
        let programs = self.programs();
        match programs.get(usize::from(class)).or(programs.last()) {
            Some(program) => program,
            None => &[],
        }
    }
}

/// Who sends requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Crowd {
    /// When they come.
    pub arrivals: Arrivals,
    /// Shares of the classes of requests, by class; need not sum to 1. Empty for one class.
    pub classes: Vec<f64>,
    /// Shares of the regions that requests come from, by region; need not sum to 1. Empty for one. Who comes again does so from the
    /// same region; users who wait for answers, and connections, stay where they are. See [`Wire::by_region`], [`Gate::regional`].
    pub regions: Vec<f64>,
    /// What a user does for a request of each class.
    pub programs: Vec<Vec<Step>>,
    /// How many people they are; a person has one address.
    pub people: u16,
    /// How much busier the first people are: a person's place is an even draw to this power; 1 for all the same.
    pub skew: f64,
    /// What they ask for, by popularity; a script may give it another name ([`super::Script::name_of`]). None if it makes no difference.
    pub keys: Option<Zipf>,
    /// After so long a user leaves.
    pub patience: Option<Time>,
    /// How often a user whose request failed, or who lost patience, comes again, and after how long.
    pub reloads: (u8, Time),
    /// They are no users but load from elsewhere: they send in a surge alone, and what becomes of it counts in their own row,
    /// not in the total or the probes of users.
    pub floods: bool,
}

impl Crowd {
    /// Random arrivals of patient people who make this one call.
    pub fn poisson(per_s: f64, call: Call) -> Crowd {
        Crowd {
            arrivals: Arrivals::Poisson { per_s },
            classes: Vec::new(),
            regions: Vec::new(),
            programs: vec![vec![Step::Call(call)]],
            people: 24,
            skew: 1.0,
            keys: None,
            patience: None,
            reloads: (0, Time::ZERO),
            floods: false,
        }
    }
}

/// When requests come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// Each independent of all others, at a mean rate.
    Poisson {
        /// Requests a second.
        per_s: f64,
    },
    /// At equal distances.
    Even {
        /// Requests a second.
        per_s: f64,
    },
    /// The same users, each of whom asks again some time after the answer.
    Closed {
        /// How many.
        users: u16,
        /// Their mean pause, exponential.
        think: Time,
    },
    /// By a plan: each connection has its moments, at equal distances, and waits for an answer before it sends again. See
    /// [`super::PACED`].
    Paced {
        /// Planned requests a second, of all connections together.
        per_s: f64,
        /// How many connections.
        connections: u16,
        /// A connection that is late leaves out the moments that it missed and counts from sending. Else it makes each good
        /// as soon as it is free, and counts from the planned moment.
        skips: bool,
    },
    /// As the sun goes: between `low` and `high` requests a second, and back within `period`, from night on when the plan first
    /// says so.
    Day {
        /// At night.
        low: f64,
        /// At noon.
        high: f64,
        /// From one night to the next.
        period: Time,
        /// At equal distances, as far as the rate rests; else each independent of all others.
        even: bool,
    },
}

impl Arrivals {
    /// Whether they come at equal distances.
    pub(super) fn is_even(&self) -> bool {
        matches!(
            self,
            Arrivals::Even { .. } | Arrivals::Day { even: true, .. }
        )
    }

    /// Requests a second so long after the first night; 0 for closed crowds, which wait for answers.
    pub fn per_s(&self, at: Time) -> f64 {
        match *self {
            Arrivals::Poisson { per_s }
            | Arrivals::Even { per_s }
            | Arrivals::Paced { per_s, .. } => per_s,
            Arrivals::Closed { .. } => 0.0,
            Arrivals::Day {
                low, high, period, ..
            } => {
                let into = (at.0 % period.0.max(1)) as f64 / period.0.max(1) as f64;
                let height = 0.5 - 0.5 * libm::cos(into * std::f64::consts::TAU);
                low + (high - low) * height
            }
        }
    }
}

/// Passes requests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gate {
    /// The wire for each class of request; of a class beyond the last, the last one. Without any, the gate itself answers
    /// what it lets through: what stands behind it does not matter.
    pub routes: Vec<WireId>,
    /// Whether its routes are those of regions instead, as of a name service that answers by where one asks from.
    pub regional: bool,
    /// Whether [`super::Script::admits`] is asked about each call.
    pub limits: bool,
    /// Whether [`super::Script::allowed`] is asked about each member before the policy chooses.
    pub filters: bool,
}

/// Works on requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Requests that one member works on at a time.
    pub workers: u32,
    /// Requests that may wait at one member.
    pub places: u32,
    /// A request that was not done so long after it came is given up: in the queue at once, at work when it is done.
    pub patience: Option<Time>,
    /// Skips requests whose caller has left when a worker gets free.
    pub skips_left: bool,
    /// The newest request that waits is taken first.
    pub newest_first: bool,
    /// How work differs from one request to the next.
    pub spread: Spread,
    /// The share of requests each of whose steps of work takes so long instead, whatever the spread.
    pub drags: (f64, Time),
    /// The share of requests that fail by chance when their work is done.
    pub fails: f64,
    /// Those that fail by chance fail as they come, before a worker takes them.
    pub fails_fast: bool,
    /// Whether [`super::Script::weighs`] is asked how long each piece of work is.
    pub weighs: bool,
    /// What is done for a request or message of each class.
    pub programs: Vec<Vec<Step>>,
    /// Where its workers get messages from, if they do.
    pub pulls: Option<Pull>,
}

impl Service {
    /// Workers and places, and so much work for each request.
    pub fn new(workers: u32, places: u32, work: Time, spread: Spread) -> Service {
        Service {
            workers,
            places,
            patience: None,
            skips_left: false,
            newest_first: false,
            spread,
            drags: (0.0, Time::ZERO),
            fails: 0.0,
            fails_fast: false,
            weighs: false,
            programs: vec![vec![Step::Work(work)]],
            pulls: None,
        }
    }
}

/// How users behave in a [`super::Deed::Refresh`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hurry {
    /// How long it lasts.
    pub span: Time,
    /// How long a user waits.
    pub patience: Time,
    /// How often a user comes again, and after which pause.
    pub reloads: (u8, Time),
}

/// Keeps messages, with the semantics of [`algorithms::message_queue`]: whoever takes one has it lent until a clock ends, and
/// deletes it when it is done. It has one member, answers whoever sends as soon as it has the message, and goes on with what it
/// holds when it is up again after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// First in, first out within a group, which is a person; and each request once within five minutes.
    pub ordered: bool,
    /// How long a message is lent.
    pub visibility: Time,
    /// How long a new message is hidden.
    pub delay: Time,
    /// How long a message is kept that nobody deletes; at least a minute.
    pub retention: Time,
    /// After so many deliveries the next one makes a message a dead letter.
    pub deliveries: Option<u32>,
    /// It keeps at most so many messages and turns away what comes then.
    pub places: Option<u32>,
}

/// Keeps copies of answers by their key, as RFC 9111 has it ([`algorithms::copies`]): one that is fresh answers; for what has none it
/// asks on, whatever number of requests that are, and keeps what comes back. See [`super::CACHES`].
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    /// How long it uses a copy. Zero keeps nothing: it is switched off.
    pub life: Time,
    /// Whether the age that an answer brings counts; else its life begins here.
    pub reads_age: bool,
    /// Whether its answers say how old they are; else they look new.
    pub tells_age: bool,
    /// Whether each person has copies of their own, as in a browser.
    pub private: bool,
    /// It has room for so many copies; the one that was used longest ago gives way.
    pub room: Option<u32>,
    /// What it does for a request of each class that no copy answers. No [`Step::Answer`]: what it answers comes of asking.
    pub programs: Vec<Vec<Step>>,
}

impl Cache {
    /// One that asks on by this call.
    pub fn over(call: Call, life: Time) -> Cache {
        Cache {
            life,
            reads_age: true,
            tells_age: true,
            private: false,
            room: None,
            programs: vec![vec![Step::Call(call)]],
        }
    }
}

/// Copies what is published to each subscription whose filter accepts it, and pushes each copy there, with the semantics of
/// [`algorithms::topic`]. It has one member, answers whoever publishes as soon as it has the message, and goes on with what it holds
/// when it is up again after a crash. See [`super::TOPICS`]. No lesson stands on it today: `pub-sub` and `fan-out` have models of
/// their own, which show prices by attribute and timelines; `template-events` shows the kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topic {
    /// Who gets copies, one for each wire.
    pub subscriptions: Vec<Subscription>,
}

/// Who gets copies of what is published. A push is a call: a queue answers it as soon as the copy is stored, a service or function
/// when its work is done; what fails, or is not answered in time, is tried again and may so come twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// The wire from the topic to the subscriber.
    pub over: WireId,
    /// The classes of what it wants; empty for all.
    pub classes: Vec<u8>,
    /// The topic waits so long for each push.
    pub timeout: Time,
    /// How failed pushes are tried again. [`RetryPolicy::none`] for a direct push without acknowledgement: what the subscriber
    /// misses is gone.
    pub retry: RetryPolicy,
    /// The most pushes a second, those that are tried again included.
    pub per_s: Option<u32>,
    /// Whether what cannot be delivered is kept.
    pub dead_letters: bool,
}

impl Subscription {
    /// All that is published, by the rules of SNS for HTTP: 15 s for each push, three more tries 20 s apart, then it is gone.
    pub fn to(over: WireId) -> Subscription {
        Subscription {
            over,
            classes: Vec::new(),
            timeout: Time::s(15),
            retry: RetryPolicy::default(),
            per_s: None,
            dead_letters: false,
        }
    }
}

/// Works on requests in instances, with the semantics of [`algorithms::functions`]: a request takes the most recently used instance
/// that is free; without one, another is built for it, as far as limit and allowance permit; else it is turned away. Who is idle too
/// long ends. It has one member, the platform; a crash of it costs all instances. See [`super::FUNCTIONS`]. No lesson stands on it
/// today: `serverless` has a model of its own, which shows what an instance does as it is built; `template-events` shows the kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// What an instance does for a request, and how that differs and fails. Its workers, places, patience and pulls do not matter.
    pub each: Service,
    /// The most instances with a request at once.
    pub limit: u32,
    /// How long an idle instance is kept.
    pub kept: Time,
    /// Requests that one instance works on at once.
    pub at_once: u32,
    /// How fast instances may be added.
    pub allowance: Allowance,
    /// Instances that are built ahead and stay.
    pub provisioned: u32,
    /// How long it takes to build one.
    pub build: Time,
    /// The memory of one, which is what is paid for.
    pub memory_mb: u32,
}

impl Function {
    /// By the rules of AWS Lambda, with so much work for each request: instances take one at a time and are kept for five minutes.
    pub fn new(work: Time, spread: Spread) -> Function {
        Function {
            each: Service::new(u32::MAX, u32::MAX, work, spread),
            limit: 1_000,
            kept: Time::s(300),
            at_once: 1,
            allowance: Allowance::PER_FUNCTION,
            provisioned: 0,
            build: Time::ms(500),
            memory_mb: 512,
        }
    }
}

/// How the workers of a service get messages: each asks a queue, works on what it gets, one after another, and deletes each when
/// it is done. A message whose work fails is not given back: its clock runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The wire from this service to the queue.
    pub over: WireId,
    /// The queue holds a request so long until there is a message: long polling. Zero for short polling.
    pub wait: Time,
    /// The pause after a short poll that found nothing; at least 10 ms.
    pub every: Time,
    /// How many messages one request asks for, 1 to 10. All their clocks run while a worker is at the first.
    pub batch: u8,
    /// Whether a worker restarts the clocks of what it has each time that half of them is over.
    pub heartbeat: bool,
}

impl Pull {
    /// One message at a time, asked for with the longest patience.
    pub const fn over(over: WireId) -> Pull {
        Pull {
            over,
            wait: Time::s(20),
            every: Time::s(1),
            batch: 1,
            heartbeat: false,
        }
    }
}

/// How the work of one request differs from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spread {
    /// Not at all.
    Fixed,
    /// Exponential: most are short, some long.
    Exponential,
    /// Evenly between half the mean and one and a half.
    Uniform,
    /// Pareto of shape 1.5, at most 50 times the mean: a few are very long.
    HeavyTailed,
}
engine::choices!(Spread {
    "fixed" => Spread::Fixed,
    "exponential" => Spread::Exponential,
    "uniform" => Spread::Uniform,
    "heavy" => Spread::HeavyTailed,
});

impl Spread {
    /// The work of one request in means, from an even draw above 0 and up to 1.
    #[inline]
    pub fn factor(self, unit: f64) -> f64 {
        match self {
            Spread::Fixed => 1.0,
            Spread::Exponential => -libm::log(unit),
            Spread::Uniform => 0.5 + unit,
            Spread::HeavyTailed => (libm::pow(unit, -1.0 / 1.5) / 3.0).min(50.0),
        }
    }
}

/// What whoever holds a request does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Works, on average so long at full speed.
    Work(Time),
    /// Calls somebody and waits for the answer.
    Call(Call),
    /// Makes all calls at once and waits for the last answer.
    All(Vec<Call>),
    /// Makes the call at once as often as the script says ([`super::Script::spreads`]) and waits for the last answer.
    Each(Call),
    /// Sends and goes on without waiting. Nobody learns whether it arrives.
    Publish(Call),
    /// Answers now and goes on for nobody. Of a message: deletes it before the rest is done.
    Answer,
    /// Reads the version that this store has of what is asked for, now; see [`super::CACHES`].
    Read,
    /// Writes it: the version is the next one.
    Write,
    /// Fails, whoever tries it.
    Fail,
    /// Lets go of its worker and waits until the script has it answered ([`super::System::unpark`]); the last step of a
    /// service's program. For users, messages and jobs it is nothing.
    Park,
}

impl Step {
    /// Its calls.
    #[inline]
    pub fn calls(&self) -> &[Call] {
        match self {
            Step::Call(call) | Step::Publish(call) | Step::Each(call) => std::slice::from_ref(call),
            Step::All(calls) => calls,
            Step::Work(_) | Step::Answer | Step::Fail | Step::Park | Step::Read | Step::Write => {
                &[]
            }
        }
    }
}

/// One call, with all that its caller does about failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    /// The wire.
    pub over: WireId,
    /// The caller waits so long for each try.
    pub timeout: Option<Time>,
    /// Whether it tries again.
    pub retry: Option<Retry>,
    /// The breaker that it asks first: an index into [`Plan::guards`]. What that refuses is not tried again.
    pub guard: Option<u8>,
    /// What it does without an answer.
    pub otherwise: Otherwise,
    /// When it does that.
    pub upon: Upon,
}

impl Call {
    /// A call that waits for ever, once, and fails with its callee.
    pub const fn over(over: WireId) -> Call {
        Call {
            over,
            timeout: None,
            retry: None,
            guard: None,
            otherwise: Otherwise::Fail,
            upon: Upon::Failure,
        }
    }
}

/// Trying again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// Tries after the first.
    pub retries: u8,
    /// The pause before each.
    pub backoff: Backoff,
    /// The budget that each retry is paid from: an index into [`Plan::budgets`].
    pub budget: Option<u8>,
    /// Whether a caller that is told when to come back waits so long instead, and up to this share of it longer, at random.
    pub heeds: Option<f64>,
}

/// When a caller does [`Call::otherwise`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upon {
    /// After its last try.
    #[default]
    Failure,
    /// When its own breaker refuses, and then only.
    Refusal,
}

/// What a caller does without an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Otherwise {
    /// Fails, too.
    #[default]
    Fail,
    /// Goes on without it: its own answer is *partial*.
    Without,
    /// Goes on with a copy of the last answer that it had over the wire, which has a place for a breaker: *partial*, too. Fails if
    /// it never had one.
    Copy,
    /// Asks over another wire, once: its answer is *partial*, too.
    Call(WireId),
}

/// A circuit breaker of a plan. Another rule makes another breaker, closed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Guard {
    /// Opens at a share of failures, as resilience4j.
    Rates(rates::Settings),
    /// Opens at failures counted, as gobreaker.
    Counting(counting::Settings),
}

/// A retry budget of a plan; see [`algorithms::retry::Budget`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Retries that can be saved up.
    pub saved_max: u32,
    /// Retries that one request earns.
    pub ratio: f64,
    /// Retries that come with time.
    pub per_s: u32,
}
