//! What there is: nodes, servers, elections so far, and what the story and the challenges look at.

use super::group::{Brief, Group, Role, Timer, Word};
use super::settings::{Method, Settings};
use algorithms::protocol::Id;
use algorithms::{bully, raft, ring_election};
use engine::tape::NoteId;
use engine::{Arg, Context, Note, PartId, Time};
use kit::cluster::{self, Cluster, Turn};
use kit::flow::Episode;
use std::collections::VecDeque;

/// There are never more nodes.
pub(super) const NODES_MAX: usize = 7;
pub(super) const SERVERS: usize = 3;
/// So many elections are remembered.
pub(super) const RUNGS: usize = 6;

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A message arrives, or a clock ends.
    Net(cluster::Event),
    /// A node looks after a server that died in this death.
    Look(Id, u8, u16),
    /// A server that was started for this death runs; whether it is one too many.
    Up(u8, u16, bool),
    /// A node that was alone is back.
    Back(u32),
    /// The leaders are counted after a cut.
    Count(u32),
    /// Who is in charge dies, in a run that nobody has touched.
    Dies,
}

impl From<cluster::Event> for Event {
    fn from(event: cluster::Event) -> Event {
        Event::Net(event)
    }
}

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Runs,
    Dead,
    Starts(Time),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    pub(super) state: State,
    /// Its deaths so far; orders name them, so that each is answered once.
    pub(super) deaths: u16,
    pub(super) since: Time,
    /// How many have been started for its last death, and by whom the first was ordered.
    pub(super) started: u8,
    pub(super) by: Id,
    pub(super) note: NoteId,
}

/// A server that was started for a death that another had answered already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Twice {
    pub(super) server: u8,
    pub(super) runs: bool,
}

/// One election: a term of Raft, or one round of the other two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rung {
    /// Its term, or its number.
    pub(super) term: u64,
    pub(super) began: Time,
    /// Who asked first.
    pub(super) first: Id,
    pub(super) leader: Option<(Id, Time)>,
    /// Whom each node voted for, by number less 1; 0 for nobody yet.
    pub(super) votes: [Id; NODES_MAX],
    /// Messages: asking, yes, no, and announcing.
    pub(super) messages: [u16; 4],
}

impl Rung {
    /// How many votes a node has.
    pub(super) fn votes_of(&self, id: Id) -> usize {
        self.votes.iter().filter(|vote| **vote == id).count()
    }

    pub(super) fn sent(&self) -> u16 {
        self.messages.iter().sum()
    }
}

/// A node that is cut off alone, or was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alone {
    pub(super) node: Id,
    /// Its term when it was cut off.
    pub(super) term: u64,
    pub(super) back: Option<Time>,
    /// A leader fell after it was back.
    pub(super) fell: bool,
}

/// A node that misses three orders, and asks first once the leader is dead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Misses {
    /// Which; none until all is well, so that there is somebody to give orders.
    pub(super) node: Option<Id>,
    /// When it was back and the leader died.
    pub(super) back: Option<Time>,
    pub(super) yes: u8,
    pub(super) no: u8,
}

/// The running system.
#[derive(Clone)]
pub struct Orchestra {
    pub(super) cluster: Cluster<Group>,
    pub(super) servers: [Server; SERVERS],
    pub(super) twice: Option<Twice>,
    pub(super) replaced_twice: u32,
    /// Orders up to this place of the log have been carried out.
    pub(super) executed: u64,
    pub(super) rungs: VecDeque<Rung>,
    /// Elections so far, for methods without terms.
    pub(super) elections: u64,
    /// Who is in charge: leads, and reaches a majority.
    pub(super) charge: Option<Id>,
    /// Since when nobody is.
    pub(super) vacant: Option<Time>,
    /// How long the last time without anybody in charge was, and, since a knob was turned, the last ones that a death began.
    pub(super) gap: Time,
    pub(super) quick: VecDeque<Time>,
    /// When leaders fell that were alive and well.
    pub(super) fallen: u32,
    pub(super) last_fall: Time,
    /// Elections that nobody has won, one after another, and whether somebody was cut off meanwhile.
    pub(super) in_vain: u32,
    pub(super) cut: bool,
    pub(super) cuts: Episode,
    /// Leaders half a second after the last cut.
    pub(super) counted: Option<usize>,
    pub(super) alone: Option<Alone>,
    pub(super) lonely: Episode,
    pub(super) misses: Option<Misses>,
    /// The last time that a leader was killed by hand, and terms or elections since.
    pub(super) killed: Option<Time>,
    /// Whoever is in charge next dies at once: the learner wanted the leader dead while there was none.
    pub(super) doomed: bool,
    pub(super) touched: bool,
    pub(super) since_kill: u32,
    /// Who was elected after that.
    pub(super) successor: Option<(Id, bool)>,
    /// When a knob was last turned, and leaders that have fallen since.
    pub(super) set: Time,
    pub(super) fallen_since: u32,
    pub(super) knobs: Settings,
    pub(super) now: Time,
    pub(super) counts: [usize; 3],
}

pub(super) type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) const fn node(id: Id) -> PartId {
    PartId::nth("node", id as u16)
}

pub(super) const fn server(i: usize) -> PartId {
    PartId::nth("server", i as u16 + 1)
}

/// The link between two nodes: pairs are counted so that those of few nodes come first.
pub(super) fn link(a: Id, b: Id) -> PartId {
    let (low, high) = (u16::from(a.min(b)), u16::from(a.max(b)));
    PartId::nth("link", (high - 1) * (high.saturating_sub(2)) / 2 + low)
}

/// The nodes that a link joins.
pub(super) fn ends(number: usize) -> (Id, Id) {
    for high in 2..=NODES_MAX as Id {
        for low in 1..high {
            if usize::from(link(low, high).number) == number + 1 {
                return (low, high);
            }
        }
    }
    (1, 2)
}

pub(super) const LADDER: PartId = PartId::one("ladder");
pub(super) const COUNTS: PartId = PartId::one("counts");
pub(super) const CHART: PartId = PartId::one("chart");

/// The actions, in the order of the buttons.
pub(super) mod deed {
    pub(crate) const KILL_LEADER: usize = 0;
    pub(crate) const KILL: usize = 1;
    pub(crate) const RESTART: usize = 2;
    pub(crate) const CUT: usize = 3;
    pub(crate) const HEAL: usize = 4;
    pub(crate) const ALONE: usize = 5;
    pub(crate) const EXPIRE: usize = 6;
    pub(crate) const KILL_SERVER: usize = 7;
    pub(crate) const MISS: usize = 8;
    pub(crate) const PAUSE: usize = 9;
    pub(crate) const RESUME: usize = 10;
    pub(crate) const CUT_LINK: usize = 11;
    pub(crate) const LOSE: usize = 12;
    pub(crate) const HOLD: usize = 13;
    pub(crate) const REVIVE: usize = 14;
}

impl Orchestra {
    pub(super) fn method(&self) -> Method {
        self.cluster.protocol.method
    }

    /// How many nodes the group has.
    pub(super) fn size(&self) -> Id {
        self.knobs.nodes as Id
    }

    pub(super) fn ids(&self) -> std::ops::RangeInclusive<Id> {
        1..=self.size()
    }

    /// A node in short, if it is up.
    pub(super) fn brief(&self, id: Id) -> Option<Brief> {
        let node = self.cluster.node(id)?;
        Some(cluster::Face::brief(&self.cluster.protocol, node))
    }

    /// Nodes that run and believe that they lead, those of later terms first.
    pub(super) fn leaders(&self) -> Vec<(Id, u64)> {
        let mut leaders: Vec<(Id, u64)> = Vec::new();
        for id in self.ids() {
            if let Some(brief) = self.brief(id).filter(|brief| brief.role == Role::Leads) {
                let at = leaders.iter().position(|(_, term)| *term < brief.term);
                leaders.insert(at.unwrap_or(leaders.len()), (id, brief.term));
            }
        }
        leaders
    }

    /// Whether two nodes hear each other.
    pub(super) fn hear_each_other(&self, a: Id, b: Id) -> bool {
        self.cluster.net.reaches(a, b) && self.cluster.net.reaches(b, a)
    }

    /// Who is in charge: the leader of the latest term that reaches a majority; without votes, anybody who leads.
    pub(super) fn who_is_in_charge(&self) -> Option<Id> {
        let majority = usize::from(self.size()) / 2 + 1;
        let reached = |id: Id| {
            let hears = |other: &Id| self.cluster.runs(*other) && self.hear_each_other(id, *other);
            self.ids().filter(hears).count()
        };
        let obeyed = |(id, _): &(Id, u64)| {
            self.cluster.runs(*id) && (self.method() != Method::Raft || reached(*id) >= majority)
        };
        self.leaders().into_iter().find(obeyed).map(|(id, _)| id)
    }

    /// An election begins, unless it is known: `term` counts under Raft only.
    pub(super) fn election(&mut self, term: u64, first: Id, now: Time) -> &mut Rung {
        let raft = self.method() == Method::Raft;
        let open = |rung: &Rung| {
            if raft {
                rung.term == term
            } else {
                rung.leader.is_none()
            }
        };
        let found = self.rungs.iter().rposition(open);
        let at = found.unwrap_or_else(|| {
            if self.rungs.len() == RUNGS {
                self.rungs.pop_front();
            }
            self.in_vain += u32::from(self.rungs.back().is_some_and(|last| last.leader.is_none()));
            self.elections += 1;
            self.since_kill += 1;
            self.rungs.push_back(Rung {
                term: if raft { term } else { self.elections },
                began: now,
                first,
                leader: None,
                votes: [0; NODES_MAX],
                messages: [0; 4],
            });
            self.rungs.len() - 1
        });
        &mut self.rungs[at]
    }

    /// A node has won an election.
    pub(super) fn elected(&mut self, term: u64, id: Id, now: Time) {
        let rung = self.election(term, id, now);
        rung.leader = Some((id, now));
        let first = rung.first == id;
        self.in_vain = 0;
        if self.killed.is_some() {
            self.successor.get_or_insert((id, first));
        }
    }

    /// The highest follower that runs.
    pub(super) fn highest_follower(&self) -> Option<Id> {
        let follows = |id: &Id| self.charge != Some(*id) && self.cluster.runs(*id);
        self.ids().rev().find(follows)
    }

    /// Leader and one more; of few nodes, the leader alone.
    pub(super) fn side(&self) -> Vec<Id> {
        let leader = self.charge.unwrap_or(1);
        let other = self
            .ids()
            .find(|id| *id != leader && self.cluster.runs(*id));
        let mut side = vec![leader];
        side.extend(other.filter(|_| self.size() >= 4));
        side
    }

    /// The votes of the newest election in which `id` asked: yes and no, as far as they have been given.
    pub(super) fn vote(&mut self, term: u64, voter: Id, candidate: Id, granted: bool, now: Time) {
        if let Some(misses) = &mut self.misses
            && misses.node == Some(candidate)
            && misses.back.is_some()
            && voter != candidate
        {
            misses.yes += u8::from(granted);
            misses.no += u8::from(!granted);
        }
        if granted
            && let Some(slot) = self
                .election(term, candidate, now)
                .votes
                .get_mut(usize::from(voter) - 1)
        {
            *slot = candidate;
        }
    }

    /// Counts the messages of the election that they belong to.
    pub(super) fn count(&mut self, turn: &Turn<Group>) {
        let raft = self.method() == Method::Raft;
        for (_, word) in &turn.out.sent {
            let kind = match word {
                _ if !word.elects() => continue,
                Word::Raft(raft::Word::Vote { granted: true, .. }) => 1,
                Word::Raft(raft::Word::Vote { .. }) | Word::Bully(bully::Word::Answer) => 2,
                Word::Bully(bully::Word::Coordinator)
                | Word::Ring(ring_election::Word::Elected(_)) => 3,
                _ => 0,
            };
            let of = match word {
                Word::Raft(raft::Word::Ask { term, .. } | raft::Word::Vote { term, .. }) => *term,
                _ => 0,
            };
            let mut rungs = self.rungs.iter_mut().rev();
            if let Some(rung) = rungs.find(|rung| !raft || rung.term == of) {
                rung.messages[kind] = rung.messages[kind].saturating_add(1);
            }
        }
    }
}

/// A note about a part.
pub(super) fn note(word: &'static str, part: PartId, args: &[Arg]) -> Note {
    let whole = args
        .iter()
        .fold(Note::new(word), |note, arg| note.with(*arg));
    whole.about(part)
}

/// The clocks that a card shows: a follower's patience, or, on a leader, when it speaks again.
pub(super) fn clock_of(model: &Orchestra, id: Id) -> Option<(cluster::Clock, bool)> {
    let leads = model.brief(id)?.role == Role::Leads;
    let protocol = &model.cluster.protocol;
    let timer = if leads {
        protocol.beat()
    } else {
        protocol.patience()
    };
    let waits: Option<Timer> = match (model.method(), leads) {
        (Method::Bully, false) => Some(Timer::Bully(bully::Timer::Answers)),
        _ => None,
    };
    let runs = |timer: Timer| {
        model
            .cluster
            .clock(id, timer)
            .filter(|clock| clock.ends < Time::NEVER)
    };
    let clock = runs(timer).or_else(|| waits.and_then(runs))?;
    Some((clock, leads))
}
