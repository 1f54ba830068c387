//! The running state of nodes and wires.

use super::deaths::Deaths;
use super::facts::Fact;
use super::kept::Kept;
use super::ledger::Row;
use super::money::Account;
use super::plan::{Hurry, Kind, Node, Pull, Service, Wire};
use super::shelf::{Puller, Shelved};
use crate::flow::{Episode, Key, Pool, Recently, Roster, Source};
use algorithms::balancer::Balancer;
use algorithms::copies::Copies;
use algorithms::health::HealthCheck;
use engine::Time;

/// What calls a second are told over.
const RATE: Time = Time::ms(1_500);

/// A node of the running system.
#[derive(Clone, Debug)]
pub struct Live {
    /// What the plan says of it.
    pub node: Node,
    /// Its members.
    pub members: Roster<Part>,
    /// What came to it.
    pub row: Row,
    /// Requests of a crowd that were under way at time zero, when its row began anew.
    pub(super) carried: u32,
    /// A surge of a crowd, and how many times as much it brings.
    pub surge: Episode,
    pub(super) factor: f64,
    /// A time in which a crowd's users are in a hurry, and how they are.
    pub refresh: Episode,
    pub(super) hurry: Option<Hurry>,
    pub(super) source: Source,
    /// When the first night of a crowd's days was.
    pub(super) dawn: Time,
    /// Closed users that are somewhere: with a request or in their pause.
    pub(super) users: u16,
    /// Its connections, if it is a crowd that sends by a plan.
    pub(super) pace: Pace,
    /// When the next member may come, if they come one at a time.
    pub(super) next_comes: Time,
    /// How many members a script wants, whatever the plan says.
    pub(super) scaled: Option<usize>,
    /// The plan names it no longer.
    pub(super) gone: bool,
    /// What it keeps, if it is a queue.
    pub shelf: Option<Shelved>,
    /// What it keeps, if it is a topic or a function.
    pub kept: Option<Kept>,
    /// What it has cost.
    pub(super) account: Account,
    /// Wires that lead to it, for what its members' coming and going means to balancers.
    pub(super) inward: Vec<u16>,
}

/// The connections of a crowd that sends by a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    /// Requests a second that are planned now; of all together.
    pub(super) per_s: f64,
    pub(super) connections: Vec<Connection>,
    /// Requests and events so far, so that old ones are told from valid ones.
    pub(super) turns: u32,
}

/// A connection of a crowd that sends by a plan.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connection {
    /// Its next planned moment.
    pub(super) due: Time,
    /// Which of its planned moments that is.
    pub(super) nth: u32,
    /// The event that is valid, or the request that it waits for.
    pub(super) turn: u32,
    pub(super) busy: bool,
}

/// A member of a node.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its workers and its queue.
    pub pool: Pool,
    /// The share of its speed that is left; 1 when it is well.
    pub rate: f64,
    /// What came to it.
    pub row: Row,
    /// Its speed as work under way was last reckoned up by.
    pub(super) speed: f64,
    /// Calls that have set out for it and are not back.
    pub(super) under_way: u32,
    /// Somebody looks when the first in the queue has waited too long.
    pub(super) expiring: bool,
    /// It is down because it comes up, for the first time or again.
    pub starting: Option<Starting>,
    pub(super) deaths: Deaths,
    /// Its workers, if they pull.
    pub pullers: Vec<Puller>,
    /// Calls that are done but for the script's word.
    pub parked: Vec<Key>,
    /// Nothing that it posts to others arrives, nor what they post to it.
    pub isolated: bool,
    /// How it meets those who call it.
    pub door: Door,
    /// What it remembers, if it is a cache and has kept anything.
    pub copies: Option<Box<Copies<Fact>>>,
}

/// How a member meets those who call it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// It takes calls, or refuses them while it is down.
    #[default]
    Open,
    /// It refuses what comes and finishes what it has, as a process that was told to end.
    Shut,
    /// Nothing comes back from it, not even that it is down, as from a machine without power: who calls it waits for his own
    /// time-out, or for [`HUSH`].
    Dark,
}

/// After so long a network gives up on a call that nobody answers; longer than any time-out should be.
pub const HUSH: Time = Time::s(10);

/// How a member comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starting {
    /// When it is up.
    pub until: Time,
    /// Whether it is for the first time, so that nobody sends to it yet.
    pub first: bool,
}

/// A wire of the running system.
#[derive(Clone, Debug)]
pub struct LiveWire {
    /// What the plan says of it.
    pub wire: Wire,
    /// Who gets what goes over it.
    pub balancer: Balancer,
    /// What health checks have found, by member.
    pub dogs: Vec<Dog>,
    /// Whom the last call went to.
    pub last: Option<usize>,
    /// The two members that the last pick of two looked at.
    pub looked_at: Option<(usize, usize)>,
    /// Members that nothing reaches over it.
    pub cut: Vec<bool>,
    /// Calls sent to each member since the rule or the members changed.
    pub sent: Vec<u32>,
    /// The share of what goes over it that gets lost.
    pub loss: f64,
    /// What died on the way to each member, or back, if anything ever did.
    pub(super) lost: Vec<Deaths>,
    /// It leads from a gate that filters.
    pub(super) filters: bool,
    /// What a place for a breaker on it shows, whether there is one or not.
    pub(super) watched: Option<Watched>,
    pub(super) gone: bool,
}

/// What is kept of a wire that has a place for a breaker.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// Calls that set out lately.
    pub(super) sent: Recently<1>,
    /// When a caller last got an answer that nothing stood in for.
    pub(super) fresh: Option<Time>,
}

/// What one wire's health checks know of one member.
#[derive(Clone, Debug)]
pub struct Dog {
    /// The verdict.
    pub health: HealthCheck,
    /// When the next check leaves.
    pub check_at: Time,
    /// The check on its way: when it left, and what it found out.
    pub check: Option<(Time, Option<bool>)>,
}

impl Live {
    pub(super) fn new(node: Node) -> Live {
        Live {
            node,
            members: Roster::default(),
            row: Row::nothing(),
            carried: 0,
            surge: Episode::default(),
            factor: 1.0,
            refresh: Episode::default(),
            hurry: None,
            source: Source::default(),
            dawn: Time::ZERO,
            users: 0,
            pace: Pace::default(),
            next_comes: Time::ZERO,
            scaled: None,
            gone: false,
            shelf: None,
            kept: None,
            account: Account::default(),
            inward: Vec::new(),
        }
    }

    /// How long a user of a crowd waits now, and how often and after which pause one comes again.
    pub(super) fn manners(&self) -> (Option<Time>, (u8, Time)) {
        match (&self.node.kind, self.hurry) {
            (Kind::Crowd(crowd), None) => (crowd.patience, crowd.reloads),
            (Kind::Crowd(crowd), Some(hurry)) => {
                let patience = crowd.patience.unwrap_or(Time::NEVER).min(hurry.patience);
                (Some(patience), hurry.reloads)
            }
            _ => (None, (0, Time::ZERO)),
        }
    }

    /// Whether it is load from elsewhere, which counts for no user.
    #[inline]
    pub(super) fn floods(&self) -> bool {
        matches!(&self.node.kind, Kind::Crowd(crowd) if crowd.floods)
    }

    /// How many times its plan's rate a crowd sends now.
    #[inline]
    pub(super) fn times(&self) -> f64 {
        if self.floods() && !self.surge.is_on() {
            0.0
        } else {
            self.factor
        }
    }

    /// Of each connection of a crowd that sends by a plan, whether it waits for an answer.
    pub fn connections(&self) -> impl Iterator<Item = bool> + '_ {
        self.pace
            .connections
            .iter()
            .map(|connection| connection.busy)
    }

    /// Its pools' rules; none for what has no pool.
    #[inline]
    pub fn service(&self) -> Option<&Service> {
        match &self.node.kind {
            Kind::Service(service) => Some(service),
            Kind::Function(function) => Some(&function.each),
            Kind::Crowd(_) | Kind::Gate(_) | Kind::Queue(_) | Kind::Topic(_) | Kind::Cache(_) => {
                None
            }
        }
    }

    /// Whether its members hold calls: services and functions do, and caches what they have asked on for.
    #[inline]
    pub(super) fn holds(&self) -> bool {
        self.service().is_some() || matches!(self.node.kind, Kind::Cache(_))
    }

    /// How its workers get messages, if they do.
    #[inline]
    pub fn pulls(&self) -> Option<&Pull> {
        self.service()?.pulls.as_ref()
    }

    /// How fast a member works: its size, less what it suffers from.
    #[inline]
    pub(super) fn speed(&self, member: usize) -> f64 {
        self.members
            .get(member)
            .map_or(1.0, |it| it.own.rate * self.node.size(member))
    }

    /// Workers of one member.
    pub fn workers(&self) -> usize {
        self.service().map_or(0, |service| service.workers as usize)
    }
}

impl Part {
    pub(super) fn new() -> Part {
        Part {
            pool: Pool::default(),
            rate: 1.0,
            speed: 1.0,
            row: Row::nothing(),
            under_way: 0,
            expiring: false,
            starting: None,
            deaths: Deaths::default(),
            pullers: Vec::new(),
            parked: Vec::new(),
            isolated: false,
            door: Door::Open,
            copies: None,
        }
    }

    /// What requests died of here within the last second or so: the reason and how many.
    pub fn dying(&self, at: Time) -> Option<(super::Reason, u32)> {
        self.deaths.told(at)
    }
}

impl LiveWire {
    pub(super) fn new(wire: Wire) -> LiveWire {
        LiveWire {
            loss: wire.loss,
            lost: Vec::new(),
            wire,
            balancer: Balancer::new(),
            dogs: Vec::new(),
            last: None,
            looked_at: None,
            cut: Vec::new(),
            sent: Vec::new(),
            filters: false,
            watched: None,
            gone: false,
        }
    }

    /// Whether health checks have taken a member out of rotation.
    #[inline]
    pub fn out(&self, member: usize) -> bool {
        self.wire.health.is_some() && self.dogs.get(member).is_some_and(|dog| !dog.health.is_up())
    }

    /// Chooses from now on among those members at its end that it believes in.
    pub(super) fn believe(&mut self, to: &Live) {
        for (member, part) in to.members.iter().enumerate() {
            let known = !self.wire.told || part.down.is_none();
            let listed = part.own.starting.is_none_or(|starting| !starting.first);
            let eligible = !part.leaving && !self.out(member) && known && listed;
            self.balancer.set_eligible(member, eligible);
        }
    }

    /// Calls a second over the last second and a half; none if no call over it has a place for a breaker.
    pub fn calls_per_s(&self, at: Time) -> Option<f64> {
        let watched = self.watched.as_ref()?;
        Some(watched.sent.per_s(0, RATE, at))
    }

    /// When a caller last got an answer over it that nothing stood in for; none, too, if no call has a place for a breaker.
    pub fn fresh(&self) -> Option<Time> {
        self.watched.as_ref()?.fresh
    }

    /// Whether it is cut to a member.
    #[inline]
    pub fn is_cut(&self, member: usize) -> bool {
        self.cut.get(member).copied().unwrap_or(false)
    }
}

/// The weight of a member: what its operator believes it can do, in half machines.
pub(super) fn weight(size: f64) -> u32 {
    (size * 2.0) as u32
}

/// The entry of this id, made if need be: a gap stands for parts that the plan has not named yet.
pub(super) fn entry<T>(list: &mut Vec<Option<T>>, id: u16) -> &mut Option<T> {
    let place = usize::from(id);
    if list.len() <= place {
        list.resize_with(place + 1, || None);
    }
    &mut list[place]
}
