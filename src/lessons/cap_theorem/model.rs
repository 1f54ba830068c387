//! The system: two cities with replicas, a cable between them, and a client in each.

use super::probe;
use super::replica::{
    Ballot, Copy, Held, Merged, Node, Reconcile, Rule, Seen, THINGS, Thing, Version, total,
};
use algorithms::quorum::{self, Outcome as Count, Tally, WriteAnswer};
use algorithms::staleness::{Latency, Tail};
use engine::random::{below, chance, exponential};
use engine::tape::NoteId;
use engine::{
    Act, Action, ActionSpec, Arg, Context, Knobs, Model, Note, PartId, Stream, Time, Tone, Visit,
    choices,
};
use std::collections::BTreeMap;

/// One way between a client and a replica, or two replicas, of one city. Stretched, so that it can be seen.
pub(super) const LOCAL: Time = Time::ms(80);
/// The most replicas in one city.
pub(super) const PER_SITE_MAX: u32 = 4;
/// How often each replica compares its copies with another's, in turn.
const COMPARE: Time = Time::ms(1_200);
/// How long what was lost at the cut stays visible there.
pub(super) const LOSS_SHOWN: Time = Time::ms(400);
/// How much later than the knob says a message may come: a steep power law, so mostly hardly.
const JITTER_SHAPE: f64 = 12.0;
/// No message takes longer than this many times its delay.
const JITTER_MAX: f64 = 3.0;
/// What the buttons take out, in dollars, by client.
const BY_HAND: [i64; 2] = [100, 40];
/// Failures closer than this share one mark on the tape.
const FAILURE_MARKS: Time = Time::s(1);
/// How many likes one press brings in each city, and how far apart.
const VIRAL: (u32, Time) = (5, Time::ms(120));

/// A write that crossed the cable cannot be answered so soon at the delay that the challenge asks for.
const QUICK: Time = Time::ms(500);

const WRITES: Stream = Stream::named("writes");
const READS: Stream = Stream::named("reads");
const CHANGES: Stream = Stream::named("changes");
const QUESTIONS: Stream = Stream::named("questions");
const CABLE: Stream = Stream::named("cable");

/// What the learner chooses for the time of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    Consistent,
    Available,
    /// Each thing its own: the account consistent, the likes available.
    Each,
}
choices!(Chosen {
    "cp" => Chosen::Consistent,
    "ap" => Chosen::Available,
    "each" => Chosen::Each,
});

/// The knobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(super) choice: Chosen,
    pub(super) reconcile: Reconcile,
    pub(super) replicas: [u32; 2],
    pub(super) delay_ms: f64,
    pub(super) writes_per_s: f64,
    pub(super) reads_per_s: f64,
    pub(super) timeout_s: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            choice: Chosen::Consistent,
            reconcile: Reconcile::Last,
            replicas: [3, 2],
            delay_ms: 200.0,
            writes_per_s: 0.6,
            reads_per_s: 0.6,
            timeout_s: 2.0,
        }
    }
}

impl Knobs for Settings {
    fn visit(&mut self, v: &mut dyn Visit) {
        v.choice("choice", &mut self.choice);
        v.choice("reconcile", &mut self.reconcile);
        v.slider("delay", [20.0, 1000.0, 20.0], "ms", &mut self.delay_ms);
        v.slider("writes", [0.0, 4.0, 0.2], "/s", &mut self.writes_per_s);
        v.whole("mumbai", [1, PER_SITE_MAX], "", &mut self.replicas[0]);
        v.whole("virginia", [1, PER_SITE_MAX], "", &mut self.replicas[1]);
        v.slider("reads", [0.0, 4.0, 0.2], "/s", &mut self.reads_per_s);
        v.slider("timeout", [0.5, 6.0, 0.5], "s", &mut self.timeout_s);
    }
}

impl Settings {
    /// How the copies of a thing are kept in step.
    pub(super) fn rule(&self, thing: Thing) -> Rule {
        match (self.choice, thing) {
            (Chosen::Consistent, _) | (Chosen::Each, Thing::Account) => Rule::Majority,
            _ => Rule::Alone(self.reconcile),
        }
    }
}

/// What a learner can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Nothing crosses the cable any more.
    Cut,
    /// The cable is whole again.
    Heal,
    /// A replica stops; its disk keeps what it stored.
    Crash(usize),
    /// A replica starts again with what its disk kept.
    Restart(usize),
    /// The client of a city takes money out.
    Withdraw(usize),
    /// Likes in both cities.
    Viral,
}

impl Break {
    /// What a learner can do, in the order of the buttons.
    pub(super) const SPECS: &'static [ActionSpec] = &[
        ActionSpec::whole("cut"),
        ActionSpec::whole("heal"),
        ActionSpec::whole("ana"),
        ActionSpec::whole("ben"),
        ActionSpec::whole("likes"),
        ActionSpec::aimed("crash", "replica"),
        ActionSpec::aimed("restart", "replica"),
    ];
}

impl Action for Break {
    fn from_act(act: Act) -> Option<Break> {
        match act.spec {
            0 => Some(Break::Cut),
            1 => Some(Break::Heal),
            2 => Some(Break::Withdraw(0)),
            3 => Some(Break::Withdraw(1)),
            4 => Some(Break::Viral),
            5 => Some(Break::Crash(act.target)),
            6 => Some(Break::Restart(act.target)),
            _ => None,
        }
    }
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Read,
    Change(i64),
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    Out,
    /// At its replica, which asks the others.
    There,
    Back,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Answered with this value.
    Done(i64),
    /// Answered, though a newer write had been acknowledged before the question was asked.
    Old(i64),
    /// Answered: the balance does not allow it.
    Declined(i64),
    /// No majority answered in time; nothing was changed.
    Refused,
    /// The change was sent out but no majority confirmed it: nobody can say whether it counts.
    Unknown,
    /// The replica was down.
    Down,
}

impl Ending {
    /// Whether the client got no answer.
    pub(super) const fn failed(self) -> bool {
        matches!(self, Ending::Refused | Ending::Unknown | Ending::Down)
    }
}

/// One request of a client.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) number: u32,
    pub(super) site: usize,
    pub(super) thing: Thing,
    pub(super) want: Want,
    pub(super) hand: bool,
    pub(super) leg: Leg,
    /// When it reaches the end of its way.
    pub(super) arrives: Time,
    pub(super) replica: usize,
    pub(super) issued: Time,
    pub(super) ending: Option<Ending>,
    /// All that had been acknowledged when it was asked.
    known: Seen,
    /// Whether the cable has been whole since it was asked, to tell a cut from a slow cable.
    whole: bool,
    note: NoteId,
}

/// What replicas say to each other.
#[derive(Clone, Debug)]
pub(super) enum Word {
    /// What do you have? Binds nobody.
    Ask,
    /// Vote for me, and for nobody before me.
    Prepare,
    /// The answer to both: the last vote, and its value.
    Vote(Ballot, Box<Version>),
    /// Write this.
    Accept(Box<Version>),
    /// Written.
    Accepted,
    /// No: a later proposal is known here.
    No(Ballot),
    /// A copy of one thing, or of both, taken along; whether to send back what is missing.
    Copies(Vec<Copy>, bool),
}

/// A message between two replicas.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) leaves: Time,
    pub(super) arrives: Time,
    /// When it reached the cut.
    pub(super) lost: Option<Time>,
    pub(super) thing: Thing,
    pub(super) ballot: Ballot,
    pub(super) word: Word,
    /// Whether it tells its receiver anything new.
    pub(super) news: bool,
    /// The request that it serves; 0 for none.
    pub(super) request: u32,
}

/// What a round of votes is at.
#[derive(Clone, Debug)]
enum Phase {
    /// Reading without binding anybody.
    Ask,
    /// Calling for votes.
    Prepare,
    /// Writing.
    Accept(Box<Version>),
}

/// One round of votes for one thing: all requests that waited for it share it.
#[derive(Clone, Debug)]
pub(super) struct Round {
    phase: Phase,
    ballot: Ballot,
    pub(super) tally: Tally,
    pub(super) requests: Vec<u32>,
    best: Option<(Ballot, Box<Version>)>,
    same: bool,
    overtaken_by: Ballot,
    endings: Vec<(u32, Ending)>,
}

impl Round {
    /// Whether it is past calling for votes.
    pub(super) fn writing(&self) -> bool {
        matches!(self.phase, Phase::Accept(_))
    }
}

/// One replica.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub(super) node: Node,
    pub(super) site: usize,
    pub(super) crashed: Option<Time>,
    pub(super) copies: [Copy; 2],
    /// When its values last changed.
    pub(super) changed: Time,
    pub(super) rounds: [Option<Round>; 2],
    queues: [Vec<u32>; 2],
    turn: usize,
}

/// What a client has been told.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) answered: u32,
    pub(super) old: u32,
    pub(super) failed: u32,
    /// The last answer: to what, when it came, and how long it took.
    pub(super) last: Option<(Thing, Want, Ending, Time, Time)>,
}

/// What is due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The client of a city writes.
    Write(usize),
    /// The client of a city reads.
    Read(usize),
    /// A like of many.
    Like(usize, u32),
    /// A request reaches its replica.
    There(u32),
    /// Its answer reaches the client.
    Home(u32),
    /// A request has waited for a majority long enough.
    GiveUp(u32),
    /// A message is half way across the cable.
    Half(u32),
    /// A message arrives.
    Land(u32),
    /// What was lost at the cut fades.
    Fade(u32),
    /// A promise has been open too long.
    Overtake(Node, usize, Time, Node),
    /// A replica compares its copies with another's.
    Compare(Node),
}

/// The simulated system.
#[derive(Clone)]
pub struct Partition {
    pub(super) replicas: Vec<Replica>,
    pub(super) requests: BTreeMap<u32, Request>,
    pub(super) flights: BTreeMap<u32, Flight>,
    pub(super) clients: [Client; 2],
    pub(super) cut: Option<Time>,
    /// What all acknowledged changes of each thing add up to.
    pub(super) receipts: [i64; 2],
    acknowledged: [Seen; 2],
    lost_before: [u64; 2],
    rules: [Rule; 2],
    born: u64,
    done: u64,
    failed: u64,
    sent: u32,
    nodes: Node,
    failure_marked: Option<Time>,
    lost_marked: [u64; 2],
    overdrawn: bool,
    pub(super) now: Time,
    pub(super) watch: Watch,
}

/// What the story and the challenges look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// Withdrawals by hand of which the client has heard that they count.
    pub(super) by_hand: [u32; 2],
    /// The last cut.
    pub(super) cut: Option<Cut>,
    /// Writes taken without a vote since a knob was turned.
    pub(super) alone: u32,
    /// Quick writes of Ben's in a row under CP with a whole cable.
    pub(super) quick: u32,
    /// Requests refused though the cable was whole and every replica up.
    pub(super) refused_whole: u32,
    /// Whether a balance was ever below zero.
    pub(super) overdrawn: bool,
}

/// What became of requests since a cut.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut {
    pub(super) at: Time,
    pub(super) healed: Option<Time>,
    /// Whether the account was answered without a majority.
    pub(super) alone: bool,
    /// Acknowledged changes while it lasted: by thing, by city.
    pub(super) wrote: [[u32; 2]; 2],
    /// Requests without an answer while it lasted: by thing, by city.
    pub(super) refused: [[u32; 2]; 2],
    /// Writes lost before.
    pub(super) lost: [u64; 2],
}

/// The part of a replica by its index.
pub(super) const fn replica_part(index: usize) -> PartId {
    PartId::nth("replica", index as u16 + 1)
}
/// The clients.
pub(super) const CLIENTS: [PartId; 2] = [PartId::one("ana"), PartId::one("ben")];
/// The cities.
pub(super) const SITES: [PartId; 2] = [PartId::one("mumbai"), PartId::one("virginia")];
/// The cable between them.
pub(super) const CABLE_PART: PartId = PartId::one("cable");
/// What all acknowledged changes add up to.
pub(super) const RECEIPTS: PartId = PartId::one("receipts");

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

impl Model for Partition {
    type Knobs = Settings;
    type Event = Event;
    type Action = Break;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Partition {
        let mut model = Partition {
            replicas: Vec::new(),
            requests: BTreeMap::new(),
            flights: BTreeMap::new(),
            clients: [Client::default(), Client::default()],
            cut: None,
            receipts: THINGS.map(Thing::first),
            acknowledged: [Seen::new(), Seen::new()],
            lost_before: [0; 2],
            rules: THINGS.map(|thing| knobs.rule(thing)),
            born: 0,
            done: 0,
            failed: 0,
            sent: 0,
            nodes: 0,
            failure_marked: None,
            lost_marked: [0; 2],
            overdrawn: false,
            now: Time::ZERO,
            watch: Watch::default(),
        };
        model.staff(knobs, cx);
        // The first frame is a moment of work: two requests half way to their replicas.
        model.spawn(0, Thing::Photo, Want::Change(1), false, LOCAL, cx);
        model.spawn(1, Thing::Account, Want::Read, false, Time::ms(40), cx);
        for request in model.requests.values_mut() {
            request.arrives = Time(request.arrives.0 / 2 + u64::from(request.number) * 5_000);
        }
        let due: Vec<(u32, Time)> = model
            .requests
            .values()
            .map(|r| (r.number, r.arrives))
            .collect();
        for (number, at) in due {
            cx.schedule(at, Event::There(number));
        }
        for site in 0..2 {
            let gap = gap(knobs.writes_per_s, WRITES.nth(site as u64), cx);
            cx.schedule(gap.unwrap_or(Time::s(1)), Event::Write(site));
            let gap = self::gap(knobs.reads_per_s, READS.nth(site as u64), cx);
            cx.schedule(gap.unwrap_or(Time::s(1)), Event::Read(site));
        }
        model
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Write(site) => self.write(site, knobs, cx),
            Event::Read(site) => self.read(site, knobs, cx),
            Event::Like(site, left) => {
                self.ask(site, Thing::Photo, Want::Change(1), true, cx);
                if left > 1 {
                    cx.schedule(VIRAL.1, Event::Like(site, left - 1));
                }
            }
            Event::There(number) => self.there(number, knobs, cx),
            Event::Home(number) => self.home(number, knobs, cx),
            Event::GiveUp(number) => self.give_up(number, knobs, cx),
            Event::Half(serial) => self.half(serial, cx),
            Event::Land(serial) => self.land(serial, knobs, cx),
            Event::Fade(serial) => {
                self.flights.remove(&serial);
            }
            Event::Overtake(node, thing, at, by) => {
                if let Some(index) = self.index(node)
                    && let Some(voter) = self.replicas[index].copies[thing].voter()
                    && voter.open == Some((at, by))
                {
                    voter.open = None;
                    self.release(index, thing, knobs, cx);
                }
            }
            Event::Compare(node) => self.compare(node, knobs, cx),
        }
        self.measure(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let rules = THINGS.map(|thing| knobs.rule(thing));
        let counts = [0, 1].map(|site| self.of_site(site).count() as u32);
        if rules != self.rules || counts != knobs.replicas {
            self.interrupt(cx);
            for (i, rule) in rules.into_iter().enumerate() {
                if rule == self.rules[i] {
                    continue;
                }
                let lost = self.lost(i);
                for replica in &mut self.replicas {
                    if !replica.copies[i].follows(rule) {
                        replica.copies[i].convert(rule);
                    }
                }
                self.rules[i] = rule;
                self.lost_before[i] = 0;
                self.lost_before[i] = lost.saturating_sub(self.lost(i));
                self.acknowledged[i] = Seen::new();
                self.lost_marked[i] = 0;
            }
            self.staff(knobs, cx);
        }
        self.watch.quick = 0;
        self.watch.alone = 0;
        self.measure(cx);
    }

    fn can(&self, action: Break) -> bool {
        match action {
            Break::Cut => self.cut.is_none(),
            Break::Heal => self.cut.is_some(),
            Break::Crash(i) => self.replicas.get(i).is_some_and(|r| r.crashed.is_none()),
            Break::Restart(i) => self.replicas.get(i).is_some_and(|r| r.crashed.is_some()),
            Break::Withdraw(_) | Break::Viral => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let fits = |i: &usize| {
            Break::from_act(Act { spec, target: *i }).is_some_and(|action| self.can(action))
        };
        // The first of Mumbai: its majority hangs on it in the first setting.
        (0..self.replicas.len()).find(fits).unwrap_or(0)
    }

    fn on_action(&mut self, action: Break, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match action {
            Break::Cut => {
                self.cut = Some(cx.now());
                self.watch.quick = 0;
                for request in self.requests.values_mut() {
                    request.whole = false;
                }
                self.watch.cut = Some(Cut {
                    at: cx.now(),
                    alone: self.rules[0] != Rule::Majority,
                    lost: [self.lost(0), self.lost(1)],
                    ..Cut::default()
                });
                cx.say(
                    Note::new("cut")
                        .about(CABLE_PART)
                        .mark(Tone::Bad)
                        .begins("partition", 0),
                );
            }
            Break::Heal => {
                let cut = self.cut.take().unwrap_or(cx.now());
                if let Some(watch) = &mut self.watch.cut {
                    watch.healed = Some(cx.now());
                }
                cx.say(
                    Note::new("healed")
                        .with(Arg::Span(cx.now().since(cut)))
                        .about(CABLE_PART)
                        .mark(Tone::Ok)
                        .ends("partition", 0),
                );
                self.meet_again(knobs, cx);
            }
            Break::Crash(index) => self.crash(index, cx),
            Break::Restart(index) => {
                self.replicas[index].crashed = None;
                cx.say(
                    Note::new("restarted")
                        .with(name(index))
                        .about(replica_part(index))
                        .mark(Tone::Ok),
                );
                for other in 0..self.replicas.len() {
                    if other != index && self.reaches(index, other) {
                        self.send_copies(index, other, true, knobs, cx);
                    }
                }
            }
            Break::Withdraw(site) => {
                // Ben's hand is a moment slower, so that two presses at once have an earlier and a later one.
                let way = LOCAL + Time::ms(60 * site as u64);
                let want = Want::Change(-BY_HAND[site]);
                let number = self.spawn(site, Thing::Account, want, true, way, cx);
                cx.schedule(way, Event::There(number));
            }
            Break::Viral => {
                cx.say(
                    Note::new("viral")
                        .with(Arg::Count(i64::from(VIRAL.0)))
                        .mark(Tone::Plain),
                );
                for site in 0..2 {
                    cx.schedule(Time::ZERO, Event::Like(site, VIRAL.0));
                }
            }
        }
        self.measure(cx);
    }

    fn audit(&self) -> Result<(), String> {
        let flying = self.requests.len() as u64;
        if self.born != self.done + self.failed + flying {
            return Err(format!(
                "{} came in, {} were answered, {} failed, {flying} are under way",
                self.born, self.done, self.failed
            ));
        }
        for (number, request) in &self.requests {
            let held: usize = self
                .replicas
                .iter()
                .flat_map(|r| {
                    r.queues
                        .iter()
                        .chain(r.rounds.iter().flatten().map(|r| &r.requests))
                })
                .map(|list| list.iter().filter(|held| *held == number).count())
                .sum();
            if held != usize::from(request.leg == Leg::There) {
                return Err(format!(
                    "request {number} is {:?} but held {held} times",
                    request.leg
                ));
            }
        }
        for (i, thing) in THINGS.into_iter().enumerate() {
            let has = |replica: &&Replica| match &replica.copies[i].store {
                super::replica::Store::Voter(voter) => {
                    voter.version.seen.dominates(&self.acknowledged[i])
                }
                _ => true,
            };
            let have = self.replicas.iter().filter(has).count() as u32;
            if have < quorum::majority(self.replicas.len() as u32) {
                return Err(format!(
                    "acknowledged writes of {thing:?} are on {have} replicas only"
                ));
            }
            if !self.union(i).dominates(&self.acknowledged[i]) {
                return Err(format!(
                    "nobody has heard of an acknowledged write of {thing:?}"
                ));
            }
        }
        Ok(())
    }
}

/// The time to the next of a Poisson stream; none if nothing comes.
fn gap(per_s: f64, stream: Stream, cx: Cx<'_, '_>) -> Option<Time> {
    let mean = Time::from_s(1.0 / per_s.max(0.2));
    let gap = exponential(cx.random(stream), mean);
    (per_s > 0.0).then_some(gap)
}

fn name(index: usize) -> Arg {
    Arg::Part(replica_part(index))
}

fn count(n: u64) -> Arg {
    Arg::Count(n as i64)
}

impl Partition {
    fn index(&self, node: Node) -> Option<usize> {
        self.replicas
            .iter()
            .position(|replica| replica.node == node)
    }

    /// The replicas of a city, by index.
    pub(super) fn of_site(&self, site: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.replicas.len()).filter(move |i| self.replicas[*i].site == site)
    }

    fn up(&self, index: usize) -> bool {
        self.replicas[index].crashed.is_none()
    }

    /// The replica that the client of a city talks to: the first that is up.
    pub(super) fn door(&self, site: usize) -> usize {
        self.of_site(site)
            .find(|i| self.up(*i))
            .or_else(|| self.of_site(site).next())
            .unwrap_or(0)
    }

    /// Whether messages get from one replica to the other.
    fn reaches(&self, from: usize, to: usize) -> bool {
        self.up(to) && (self.cut.is_none() || self.replicas[from].site == self.replicas[to].site)
    }

    /// How many replicas a city reaches, itself included.
    pub(super) fn reachable(&self, site: usize) -> u32 {
        let near = |r: &&Replica| r.crashed.is_none() && (self.cut.is_none() || r.site == site);
        self.replicas.iter().filter(near).count() as u32
    }

    /// What `quorum` says a city may answer about a thing; none if no replica there is up.
    pub(super) fn may(&self, site: usize, thing: usize) -> Option<WriteAnswer> {
        let nodes = self.replicas.len() as u32;
        let answer = quorum::answer(self.rules[thing].choice(), nodes, self.reachable(site));
        answer.ok().map(|(write, _)| write)
    }

    /// All writes that any replica has heard of.
    pub(super) fn union(&self, thing: usize) -> Seen {
        let mut union = Seen::new();
        for replica in &self.replicas {
            union.merge(&replica.copies[thing].seen);
        }
        union
    }

    /// How many writes of a thing any replica has heard of. Mostly all have heard of the same.
    fn heard_of(&self, thing: usize) -> u64 {
        let mut seen = self.replicas.iter().map(|r| &r.copies[thing].seen);
        match seen.next() {
            Some(first) if seen.all(|seen| seen == first) => total(first),
            _ => total(&self.union(thing)),
        }
    }

    /// How many writes this replica has not heard of.
    pub(super) fn behind(&self, index: usize, thing: usize) -> u64 {
        self.heard_of(thing) - total(&self.replicas[index].copies[thing].seen)
    }

    /// How many writes the replica that knows least has not heard of.
    pub(super) fn apart(&self) -> u64 {
        let all = [0, 1].map(|thing| self.heard_of(thing));
        let up = self.replicas.iter().filter(|r| r.crashed.is_none());
        let missing = |r: &Replica| -> u64 {
            let lacks = |thing: usize| all[thing] - total(&r.copies[thing].seen);
            lacks(0) + lacks(1)
        };
        up.map(missing).max().unwrap_or(0)
    }

    /// Acknowledged writes of a thing that are in no reader's answer any more, as far as any replica knows.
    pub(super) fn lost(&self, thing: usize) -> u64 {
        let known = self.replicas.iter().map(|r| r.copies[thing].lost()).max();
        self.lost_before[thing] + known.unwrap_or(0)
    }

    /// Whether all replicas that are up have the same, one value of each thing.
    pub(super) fn in_step(&self) -> bool {
        let mut up = self.replicas.iter().filter(|r| r.crashed.is_none());
        let Some(first) = up.next() else { return true };
        let values = |r: &Replica| [r.copies[0].values(), r.copies[1].values()];
        let one = values(first).iter().all(|values| values.len() == 1);
        one && self.apart() == 0 && up.all(|r| values(r) == values(first))
    }

    /// Whether any replica keeps several values of one thing.
    pub(super) fn in_conflict(&self, thing: usize) -> bool {
        self.replicas
            .iter()
            .any(|r| r.copies[thing].values().len() > 1)
    }

    /// Whether this replica keeps several values of one thing.
    pub(super) fn keeps_both(&self, replica: usize, thing: usize) -> bool {
        let replica = self.replicas.get(replica);
        replica.is_some_and(|r| r.copies[thing].values().len() > 1)
    }

    /// The rules in force.
    pub(super) fn rule(&self, thing: usize) -> Rule {
        self.rules[thing]
    }

    #[cfg(test)]
    pub(super) fn totals(&self) -> (u64, u64, u64) {
        (self.born, self.done, self.failed)
    }

    /// Makes the replicas follow their knobs.
    fn staff(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let opening = self.nodes == 0;
        for site in 0..2 {
            loop {
                let here: Vec<usize> = self.of_site(site).collect();
                let wanted = knobs.replicas[site] as usize;
                if here.len() < wanted {
                    let at = here.last().map_or(self.replicas.len(), |last| last + 1);
                    self.join(site, at, opening, cx);
                } else if here.len() > wanted {
                    self.leave(site, here[here.len() - 1], cx);
                } else {
                    break;
                }
            }
        }
        if !opening {
            // A changed number of replicas changes what a majority is, so all begin from the newest votes.
            for thing in 0..2 {
                let newest = self
                    .replicas
                    .iter()
                    .filter_map(|r| match &r.copies[thing].store {
                        super::replica::Store::Voter(voter) => {
                            Some((voter.accepted, &r.copies[thing]))
                        }
                        _ => None,
                    });
                if let Some((_, newest)) = newest.max_by_key(|(ballot, _)| *ballot) {
                    let newest = newest.clone();
                    for replica in &mut self.replicas {
                        if let Some(voter) = replica.copies[thing].voter() {
                            voter.held.clear();
                            voter.open = None;
                            voter.promised = voter.accepted;
                        }
                        replica.copies[thing].merge(&newest);
                    }
                }
            }
        }
    }

    fn join(&mut self, site: usize, at: usize, opening: bool, cx: Cx<'_, '_>) {
        self.nodes += 1;
        // A newcomer copies from the replica of its city that knows most.
        let knows = |i: &usize| {
            total(&self.replicas[*i].copies[0].seen) + total(&self.replicas[*i].copies[1].seen)
        };
        let source = self.of_site(site).max_by_key(knows);
        let copies = match source {
            Some(i) => self.replicas[i].copies.clone(),
            None => [0, 1].map(|i| Copy::new(THINGS[i], self.rules[i])),
        };
        self.replicas.insert(
            at,
            Replica {
                node: self.nodes,
                site,
                crashed: None,
                copies,
                changed: Time::ZERO,
                rounds: [None, None],
                queues: [Vec::new(), Vec::new()],
                turn: at,
            },
        );
        // Comparisons of different replicas are spread over the interval.
        let first = Time(COMPARE.0 * (u64::from(self.nodes) * 37 % 100 + 10) / 110);
        cx.schedule(first, Event::Compare(self.nodes));
        if !opening {
            cx.say(
                Note::new("joined")
                    .with(name(at))
                    .about(replica_part(at))
                    .mark(Tone::Ok),
            );
        }
    }

    /// A replica hands what it has to a neighbour and leaves.
    fn leave(&mut self, site: usize, index: usize, cx: Cx<'_, '_>) {
        let gone = self.replicas.remove(index);
        let heir = self.of_site(site).next();
        if let Some(heir) = heir {
            for (i, copy) in gone.copies.iter().enumerate() {
                self.replicas[heir].copies[i].merge(copy);
            }
        }
        cx.say(Note::new("left").with(name(index)).mark(Tone::Warn));
    }

    /// Requests that wait for votes fail, and messages between replicas are dropped: the rules change under them.
    fn interrupt(&mut self, cx: Cx<'_, '_>) {
        for index in 0..self.replicas.len() {
            for number in self.drop_work(index) {
                self.end(number, Ending::Unknown, cx);
            }
        }
        self.flights.clear();
        for request in self.requests.values_mut() {
            request.known = Seen::new();
        }
    }

    /// Forgets what a replica was working on; returns the requests.
    fn drop_work(&mut self, index: usize) -> Vec<u32> {
        let replica = &mut self.replicas[index];
        let mut dropped = Vec::new();
        for thing in 0..2 {
            dropped.append(&mut replica.queues[thing]);
            if let Some(round) = replica.rounds[thing].take() {
                dropped.extend(round.requests);
            }
            if let Some(voter) = replica.copies[thing].voter() {
                voter.open = None;
                voter.held.clear();
            }
        }
        dropped
    }

    fn write(&mut self, site: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let next = gap(knobs.writes_per_s, WRITES.nth(site as u64), cx);
        cx.schedule(next.unwrap_or(Time::s(1)), Event::Write(site));
        if next.is_none() {
            return;
        }
        let rng = cx.random(CHANGES.nth(site as u64));
        let (money, deposit) = (chance(rng, 0.4), chance(rng, 0.6));
        let amount = 10 + 10 * below(rng, 2) as i64;
        let (thing, change) = match (money, deposit) {
            (true, true) => (Thing::Account, amount),
            (true, false) => (Thing::Account, -amount),
            (false, _) => (Thing::Photo, 1),
        };
        self.ask(site, thing, Want::Change(change), false, cx);
    }

    fn read(&mut self, site: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let next = gap(knobs.reads_per_s, READS.nth(site as u64), cx);
        cx.schedule(next.unwrap_or(Time::s(1)), Event::Read(site));
        if next.is_some() {
            let thing = THINGS[below(cx.random(QUESTIONS.nth(site as u64)), 2)];
            self.ask(site, thing, Want::Read, false, cx);
        }
    }

    fn ask(&mut self, site: usize, thing: Thing, want: Want, hand: bool, cx: Cx<'_, '_>) {
        let number = self.spawn(site, thing, want, hand, LOCAL, cx);
        cx.schedule(LOCAL, Event::There(number));
    }

    fn spawn(
        &mut self,
        site: usize,
        thing: Thing,
        want: Want,
        hand: bool,
        way: Time,
        cx: Cx<'_, '_>,
    ) -> u32 {
        self.born += 1;
        let number = self.born as u32;
        let replica = self.door(site);
        let word = match (thing, want) {
            (Thing::Account, Want::Read) => "asks-balance",
            (Thing::Photo, Want::Read) => "asks-likes",
            (Thing::Account, Want::Change(change)) if change < 0 => "withdraws",
            (Thing::Account, Want::Change(_)) => "deposits",
            (Thing::Photo, Want::Change(_)) => "likes",
        };
        let note = Note::new(word)
            .with(Arg::Part(CLIENTS[site]))
            .with(name(replica));
        let note = match want {
            Want::Change(change) if thing == Thing::Account => note.with(Arg::Count(change.abs())),
            _ => note,
        };
        let note = note.about(CLIENTS[site]).dot(number);
        let note = cx.say(if hand && thing == Thing::Account {
            note.mark(Tone::Learner)
        } else {
            note
        });
        let request = Request {
            number,
            site,
            thing,
            want,
            hand,
            leg: Leg::Out,
            arrives: cx.now() + way,
            replica,
            issued: cx.now(),
            ending: None,
            known: self.acknowledged[thing as usize].clone(),
            whole: self.cut.is_none(),
            note,
        };
        self.requests.insert(number, request);
        number
    }

    /// A request reaches its replica.
    fn there(&mut self, number: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get_mut(&number) else {
            return;
        };
        let (thing, index) = (request.thing as usize, request.replica);
        cx.because(request.note);
        if self
            .replicas
            .get(index)
            .is_none_or(|r| r.crashed.is_some() || r.site != request.site)
        {
            self.end(number, Ending::Down, cx);
        } else if self.rules[thing] == Rule::Majority {
            request.leg = Leg::There;
            self.replicas[index].queues[thing].push(number);
            cx.schedule(Time::from_s(knobs.timeout_s), Event::GiveUp(number));
            self.start_round(index, thing, knobs, cx);
        } else {
            self.answer_alone(number, knobs, cx);
        }
    }

    /// AP: the replica answers from its own copy and tells the others later.
    fn answer_alone(&mut self, number: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let request = &self.requests[&number];
        let (thing, index, want) = (request.thing as usize, request.replica, request.want);
        let node = self.replicas[index].node;
        let copy = &mut self.replicas[index].copies[thing];
        let value = copy.value();
        let Want::Change(change) = want else {
            let old = !copy.seen.dominates(&request.known);
            self.end(
                number,
                if old {
                    Ending::Old(value)
                } else {
                    Ending::Done(value)
                },
                cx,
            );
            return;
        };
        if request.thing == Thing::Account && value + change < 0 && change < 0 {
            self.end(number, Ending::Declined(value), cx);
            return;
        }
        copy.write_alone(node, change, cx.now());
        let value = copy.value();
        let mut written = Seen::new();
        written.merge(&[(node, copy.seen.get(&node))].into_iter().collect());
        let copy = copy.clone();
        self.replicas[index].changed = cx.now();
        let word = ["alone-account", "alone-photo"][thing];
        let note = Note::new(word).with(name(index)).with(Arg::Count(value));
        cx.say(note.about(replica_part(index)).dot(number));
        self.acknowledge(number, change, &written);
        self.watch.alone += 1;
        for other in 0..self.replicas.len() {
            if other != index {
                let word = Word::Copies(vec![copy.clone()], false);
                self.send(
                    index,
                    other,
                    thing,
                    Ballot::default(),
                    word,
                    number,
                    knobs,
                    cx,
                );
            }
        }
        self.end(number, Ending::Done(value), cx);
    }

    fn acknowledge(&mut self, number: u32, change: i64, written: &Seen) {
        let request = &self.requests[&number];
        let thing = request.thing as usize;
        self.receipts[thing] += change;
        self.acknowledged[thing].merge(written);
        if let Some(cut) = self.watch.cut.as_mut().filter(|cut| cut.healed.is_none()) {
            cut.wrote[thing][request.site] += 1;
        }
    }

    /// CP: calls for votes on all that waits here for this thing, unless a round is under way.
    fn start_round(&mut self, index: usize, thing: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let replica = &mut self.replicas[index];
        if replica.rounds[thing].is_some() || replica.queues[thing].is_empty() {
            return;
        }
        let requests = std::mem::take(&mut replica.queues[thing]);
        let reads = requests.iter().all(|n| self.requests[n].want == Want::Read);
        let phase = if reads { Phase::Ask } else { Phase::Prepare };
        self.call(index, thing, phase, requests, Ballot::default(), knobs, cx);
    }

    /// Sends a call for votes, or a question, to all replicas.
    #[expect(
        clippy::too_many_arguments,
        reason = "a round is made of exactly these"
    )]
    fn call(
        &mut self,
        index: usize,
        thing: usize,
        phase: Phase,
        requests: Vec<u32>,
        after: Ballot,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let nodes = self.replicas.len() as u32;
        let Ok(tally) = Tally::new(nodes, quorum::majority(nodes)) else {
            return;
        };
        let site = self.replicas[index].site;
        let near = self.of_site(site).filter(|i| self.up(*i)).count() as u32;
        // Dated at its arrival where it has to cross, or the near side's later calls would always come first.
        let ahead = if near < quorum::majority(nodes) {
            Time::from_ms(knobs.delay_ms)
        } else {
            Time::ZERO
        };
        let node = self.replicas[index].node;
        let promised = self.replicas[index].copies[thing]
            .voter()
            .map_or(Ballot::default(), |voter| voter.promised);
        let at = (cx.now() + ahead).max(after.0.max(promised.0) + Time::us(1));
        let ballot = (at, node);
        let number = requests.first().copied().unwrap_or(0);
        let word = match phase {
            Phase::Ask => Word::Ask,
            _ => Word::Prepare,
        };
        let said = if matches!(phase, Phase::Ask) {
            "asks-all"
        } else {
            "calls"
        };
        self.replicas[index].rounds[thing] = Some(Round {
            phase,
            ballot,
            tally,
            requests,
            best: None,
            same: true,
            overtaken_by: Ballot::default(),
            endings: Vec::new(),
        });
        let note = Note::new(said)
            .with(name(index))
            .with(count(u64::from(nodes)))
            .with(count(u64::from(number)));
        cx.say(note.about(replica_part(index)).dot(number));
        self.broadcast(index, thing, ballot, &word, number, knobs, cx);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what is sent, by whom, and for whom"
    )]
    fn broadcast(
        &mut self,
        index: usize,
        thing: usize,
        ballot: Ballot,
        word: &Word,
        number: u32,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        for other in 0..self.replicas.len() {
            if other != index {
                self.send(index, other, thing, ballot, word.clone(), number, knobs, cx);
            }
        }
        // Its own vote needs no message.
        self.hear(index, index, thing, ballot, word.clone(), number, knobs, cx);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what is sent, from where to where, and for whom"
    )]
    fn send(
        &mut self,
        from: usize,
        to: usize,
        thing: usize,
        ballot: Ballot,
        word: Word,
        request: u32,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        if from == to {
            self.hear(from, to, thing, ballot, word, request, knobs, cx);
            return;
        }
        let far = self.replicas[from].site != self.replicas[to].site;
        let way = if far {
            let tail = Tail::Pareto {
                scale_ms: knobs.delay_ms,
                shape: JITTER_SHAPE,
            };
            let latency = Latency {
                body_share: 1.0,
                body: tail,
                tail,
            };
            Time::from_ms(
                latency
                    .draw_ms(cx.random(CABLE))
                    .min(JITTER_MAX * knobs.delay_ms),
            )
        } else {
            LOCAL
        };
        let news = match &word {
            Word::Copies(copies, _) => copies.iter().any(|copy| {
                let theirs = &self.replicas[to].copies[copy.thing as usize];
                !theirs.seen.dominates(&copy.seen)
                    || (theirs.values() != copy.values() && copy.seen == theirs.seen)
            }),
            _ => true,
        };
        self.sent += 1;
        self.flights.insert(
            self.sent,
            Flight {
                from,
                to,
                leaves: cx.now(),
                arrives: cx.now() + way,
                lost: None,
                thing: THINGS[thing],
                ballot,
                word,
                news,
                request,
            },
        );
        if far {
            cx.schedule(Time(way.0 / 2), Event::Half(self.sent));
        }
        cx.schedule(way, Event::Land(self.sent));
    }

    /// A message is at the middle of the cable: there it is cut.
    fn half(&mut self, serial: u32, cx: Cx<'_, '_>) {
        if self.cut.is_none() {
            return;
        }
        let Some(flight) = self.flights.get_mut(&serial) else {
            return;
        };
        flight.lost = Some(cx.now());
        let (news, request) = (flight.news, flight.request);
        cx.schedule(LOSS_SHOWN, Event::Fade(serial));
        if news && request > 0 {
            cx.say(
                Note::new("lost-message")
                    .with(name(flight.from))
                    .with(name(flight.to))
                    .about(CABLE_PART)
                    .dot(request),
            );
        }
    }

    fn land(&mut self, serial: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        if self.flights.get(&serial).is_none_or(|f| f.lost.is_some()) {
            return;
        }
        let Some(flight) = self.flights.remove(&serial) else {
            return;
        };
        if self.up(flight.to) {
            let Flight {
                from,
                to,
                thing,
                ballot,
                word,
                request,
                ..
            } = flight;
            self.hear(from, to, thing as usize, ballot, word, request, knobs, cx);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what is heard, from whom, and for whom"
    )]
    fn hear(
        &mut self,
        from: usize,
        to: usize,
        thing: usize,
        ballot: Ballot,
        word: Word,
        request: u32,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        match word {
            Word::Ask => {
                if let Some(voter) = self.replicas[to].copies[thing].voter() {
                    let vote = Word::Vote(voter.accepted, Box::new(voter.version.clone()));
                    self.send(to, from, thing, ballot, vote, request, knobs, cx);
                }
            }
            Word::Prepare => self.prepare(from, to, thing, ballot, request, knobs, cx),
            Word::Accept(version) => {
                self.accept(from, to, thing, ballot, &version, request, knobs, cx)
            }
            Word::Vote(accepted, version) => {
                self.voted(to, from, thing, ballot, accepted, version, knobs, cx);
            }
            Word::Accepted => self.written(to, from, thing, ballot, knobs, cx),
            Word::No(promised) => self.overtaken(to, from, thing, ballot, promised, knobs, cx),
            Word::Copies(copies, back) => self.take_in(from, to, &copies, back, request, knobs, cx),
        }
    }

    /// A replica is asked for its vote.
    #[expect(clippy::too_many_arguments, reason = "who asks whom for what")]
    fn prepare(
        &mut self,
        from: usize,
        to: usize,
        thing: usize,
        ballot: Ballot,
        request: u32,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let node = self.replicas[to].node;
        let Some(voter) = self.replicas[to].copies[thing].voter() else {
            return;
        };
        if voter.open.is_some_and(|open| open != ballot) {
            // Waiting is always safe, and lets the one who came first finish.
            voter.held.push(Held { from, ballot });
            return;
        }
        let word = if ballot > voter.promised {
            voter.promised = ballot;
            voter.open = Some(ballot);
            let patience = Time::from_ms(3.0 * knobs.delay_ms) + LOCAL + LOCAL;
            cx.schedule(patience, Event::Overtake(node, thing, ballot.0, ballot.1));
            Word::Vote(voter.accepted, Box::new(voter.version.clone()))
        } else {
            Word::No(voter.promised)
        };
        self.send(to, from, thing, ballot, word, request, knobs, cx);
    }

    /// A replica is told what to write.
    #[expect(clippy::too_many_arguments, reason = "who writes what for whom")]
    fn accept(
        &mut self,
        from: usize,
        to: usize,
        thing: usize,
        ballot: Ballot,
        version: &Version,
        request: u32,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let copy = &mut self.replicas[to].copies[thing];
        let Some(voter) = copy.voter() else { return };
        if ballot < voter.promised {
            let no = Word::No(voter.promised);
            self.send(to, from, thing, ballot, no, request, knobs, cx);
            return;
        }
        let changed = voter.version != *version;
        copy.accept(ballot, version);
        if changed {
            self.replicas[to].changed = cx.now();
        }
        self.send(to, from, thing, ballot, Word::Accepted, request, knobs, cx);
        self.release(to, thing, knobs, cx);
    }

    /// Lets those ask again who waited for an open promise, the earliest first.
    fn release(&mut self, index: usize, thing: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        loop {
            let Some(voter) = self.replicas[index].copies[thing].voter() else {
                return;
            };
            if voter.open.is_some() {
                return;
            }
            let earliest = (0..voter.held.len()).min_by_key(|i| voter.held[*i].ballot);
            let Some(earliest) = earliest else { return };
            let held = voter.held.remove(earliest);
            if held.from < self.replicas.len() {
                self.prepare(held.from, index, thing, held.ballot, 0, knobs, cx);
            }
        }
    }

    /// The round of this ballot, if it is still under way.
    fn round(&mut self, index: usize, thing: usize, ballot: Ballot) -> Option<&mut Round> {
        let round = self.replicas.get_mut(index)?.rounds[thing].as_mut();
        round.filter(|round| round.ballot == ballot)
    }

    /// A vote comes in.
    #[expect(clippy::too_many_arguments, reason = "a vote is made of exactly these")]
    fn voted(
        &mut self,
        index: usize,
        from: usize,
        thing: usize,
        ballot: Ballot,
        accepted: Ballot,
        version: Box<Version>,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let Some(round) = self.round(index, thing, ballot) else {
            return;
        };
        if round.writing() || round.tally.outcome() != Count::Waiting {
            return;
        }
        if let Some((best, _)) = &round.best {
            round.same &= *best == accepted;
        }
        if round.best.as_ref().is_none_or(|(best, _)| accepted > *best) {
            round.best = Some((accepted, version));
        }
        if round.tally.answered(from as u32) != Count::Reached {
            return;
        }
        match (&round.phase, round.same) {
            (Phase::Ask, true) => {
                // All of a majority agree, so this is what the last acknowledged write left.
                let Some((_, version)) = round.best.take() else {
                    return;
                };
                let requests = std::mem::take(&mut round.requests);
                self.replicas[index].rounds[thing] = None;
                for number in requests {
                    self.answer_read(number, &version, cx);
                }
                self.start_round(index, thing, knobs, cx);
            }
            (Phase::Ask, false) => {
                // Some lack a write that others have: make sure of it before anybody is told.
                let requests = std::mem::take(&mut round.requests);
                self.call(index, thing, Phase::Prepare, requests, ballot, knobs, cx);
            }
            _ => self.settle(index, thing, ballot, knobs, cx),
        }
    }

    fn answer_read(&mut self, number: u32, version: &Version, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get(&number) else {
            return;
        };
        let value = version.value(request.thing);
        let old = !version.seen.dominates(&request.known);
        self.end(
            number,
            if old {
                Ending::Old(value)
            } else {
                Ending::Done(value)
            },
            cx,
        );
    }

    /// A majority has voted: apply what waited to the newest value among the votes, and have it written.
    fn settle(
        &mut self,
        index: usize,
        thing: usize,
        ballot: Ballot,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let node = self.replicas[index].node;
        let requests = match self.round(index, thing, ballot) {
            Some(round) => round.requests.clone(),
            None => return,
        };
        let Some((_, mut version)) = self.round(index, thing, ballot).and_then(|r| r.best.take())
        else {
            return;
        };
        let mut endings = Vec::new();
        for number in &requests {
            let Some(request) = self.requests.get(number) else {
                continue;
            };
            let value = version.value(request.thing);
            let ending = match request.want {
                Want::Read => Ending::Done(value),
                Want::Change(change)
                    if request.thing == Thing::Account && change < 0 && value + change < 0 =>
                {
                    Ending::Declined(value)
                }
                Want::Change(change) => {
                    version = Box::new(version.changed(node, change, cx.now()));
                    Ending::Done(value + change)
                }
            };
            endings.push((*number, ending));
        }
        let nodes = self.replicas.len() as u32;
        let value = version.value(THINGS[thing]);
        let number = requests.first().copied().unwrap_or(0);
        let Some(round) = self.round(index, thing, ballot) else {
            return;
        };
        let votes = round.tally.nodes_answered().count() as u64;
        if let Ok(tally) = Tally::new(nodes, quorum::majority(nodes)) {
            round.tally = tally;
        }
        round.endings = endings;
        round.phase = Phase::Accept(version.clone());
        let word = ["writes-account", "writes-photo"][thing];
        let note = Note::new(word)
            .with(name(index))
            .with(count(votes))
            .with(Arg::Count(value));
        cx.say(note.about(replica_part(index)).dot(number));
        self.broadcast(
            index,
            thing,
            ballot,
            &Word::Accept(version),
            number,
            knobs,
            cx,
        );
    }

    /// A replica has written what it was told.
    fn written(
        &mut self,
        index: usize,
        from: usize,
        thing: usize,
        ballot: Ballot,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let Some(round) = self.round(index, thing, ballot) else {
            return;
        };
        if round.tally.answered(from as u32) != Count::Reached {
            return;
        }
        let Some(Round {
            phase: Phase::Accept(version),
            requests,
            endings,
            ..
        }) = self.replicas[index].rounds[thing].take()
        else {
            return;
        };
        for (number, ending) in endings {
            if !requests.contains(&number) {
                continue;
            }
            let want = self.requests[&number].want;
            match (want, ending) {
                (Want::Change(change), Ending::Done(_)) => {
                    self.acknowledge(number, change, &version.seen);
                    self.end(number, ending, cx);
                }
                (Want::Read, Ending::Done(_)) => self.answer_read(number, &version, cx),
                _ => self.end(number, ending, cx),
            }
        }
        // A round that gave all its requests up still ends here; what it wrote counts.
        self.start_round(index, thing, knobs, cx);
    }

    /// A replica will not vote: it knows of a later proposal.
    #[expect(
        clippy::too_many_arguments,
        reason = "who was overtaken where, and by whom"
    )]
    fn overtaken(
        &mut self,
        index: usize,
        from: usize,
        thing: usize,
        ballot: Ballot,
        promised: Ballot,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let Some(round) = self.round(index, thing, ballot) else {
            return;
        };
        round.overtaken_by = round.overtaken_by.max(promised);
        let before = round.tally.outcome();
        if before != Count::Waiting || round.tally.lost(from as u32) != Count::Impossible {
            return;
        }
        let (writing, after) = (round.writing(), round.overtaken_by);
        let requests = std::mem::take(&mut round.requests);
        self.replicas[index].rounds[thing] = None;
        if writing {
            for number in requests {
                self.end(number, Ending::Unknown, cx);
            }
            self.start_round(index, thing, knobs, cx);
        } else {
            self.call(index, thing, Phase::Prepare, requests, after, knobs, cx);
        }
    }

    /// A request has waited for a majority as long as it may.
    fn give_up(&mut self, number: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get(&number).filter(|r| r.leg == Leg::There) else {
            return;
        };
        let (index, thing) = (request.replica, request.thing as usize);
        let nodes = self.replicas.len() as u32;
        let replica = &mut self.replicas[index];
        replica.queues[thing].retain(|held| *held != number);
        let mut ending = Ending::Refused;
        let mut answered = 1;
        if let Some(round) = &mut replica.rounds[thing]
            && round.requests.contains(&number)
        {
            round.requests.retain(|held| *held != number);
            answered = round.tally.nodes_answered().count() as u64;
            let mut count = round.tally.clone();
            for silent in 0..nodes {
                count.lost(silent);
            }
            debug_assert_eq!(count.outcome(), Count::Impossible);
            if round.writing() {
                ending = Ending::Unknown;
            }
            if round.requests.is_empty() {
                replica.rounds[thing] = None;
            }
        }
        let whole = request.whole
            && self.cut.is_none()
            && self.replicas.iter().all(|r| r.crashed.is_none());
        if ending == Ending::Refused {
            let note = Note::new("no-majority")
                .with(name(index))
                .with(count(answered))
                .with(count(u64::from(nodes)));
            cx.because(request.note);
            cx.say(note.about(replica_part(index)).dot(number));
            self.watch.refused_whole += u32::from(whole);
        }
        self.end(number, ending, cx);
        self.start_round(index, thing, knobs, cx);
    }

    /// Another replica's copies arrive.
    #[expect(
        clippy::too_many_arguments,
        reason = "whose copies reach whom, and for whom"
    )]
    fn take_in(
        &mut self,
        from: usize,
        to: usize,
        copies: &[Copy],
        back: bool,
        request: u32,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let mut ahead = false;
        for copy in copies {
            let thing = copy.thing as usize;
            let own = &mut self.replicas[to].copies[thing];
            ahead |= !copy.seen.dominates(&own.seen);
            let before = own.values();
            let merged = own.merge(copy);
            let values = own.values();
            if merged.news && values != before {
                self.replicas[to].changed = cx.now();
            }
            if merged.news {
                self.tell(from, to, copy.thing, merged, &values, request, cx);
            }
            if self.rules[thing] == Rule::Majority {
                self.release(to, thing, knobs, cx);
            }
        }
        if back && ahead {
            self.send_copies(to, from, false, knobs, cx);
        }
    }

    /// Says what another replica's copy brought.
    #[expect(clippy::too_many_arguments, reason = "all that the sentences speak of")]
    fn tell(
        &mut self,
        from: usize,
        to: usize,
        thing: Thing,
        merged: Merged,
        values: &[i64],
        request: u32,
        cx: Cx<'_, '_>,
    ) {
        let part = replica_part(to);
        let photo = usize::from(thing == Thing::Photo);
        if let Some((kept, thrown)) = merged.thrown {
            let word = ["throws-account", "throws-photo"][photo];
            let note = Note::new(word)
                .with(name(to))
                .with(Arg::Count(kept))
                .with(Arg::Count(thrown));
            let first = self.lost(photo) > self.lost_marked[photo];
            self.lost_marked[photo] = self.lost(photo);
            let note = note.about(part).dot(request);
            cx.say(if first { note.mark(Tone::Bad) } else { note });
        } else if merged.conflict {
            let word = ["both-account", "both-photo"][photo];
            let note = Note::new(word)
                .with(name(to))
                .with(count(values.len() as u64));
            cx.say(note.about(part).dot(request).mark(Tone::Warn));
        } else {
            let word = ["copies-account", "copies-photo"][photo];
            let value = values.first().copied().unwrap_or_default();
            let note = Note::new(word)
                .with(name(to))
                .with(Arg::Count(value))
                .with(name(from));
            cx.say(note.about(part).dot(request));
        }
    }

    /// A replica compares its copies with the next in turn.
    fn compare(&mut self, node: Node, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(index) = self.index(node) else {
            return;
        };
        cx.because(NoteId::NONE);
        cx.schedule(COMPARE, Event::Compare(node));
        let others = self.replicas.len() - 1;
        if !self.up(index) || others == 0 {
            return;
        }
        let turn = self.replicas[index].turn % others;
        self.replicas[index].turn = turn + 1;
        let other = if turn < index { turn } else { turn + 1 };
        self.send_copies(index, other, true, knobs, cx);
    }

    fn send_copies(
        &mut self,
        from: usize,
        to: usize,
        back: bool,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let word = Word::Copies(self.replicas[from].copies.to_vec(), back);
        self.send(from, to, 0, Ballot::default(), word, 0, knobs, cx);
    }

    /// After a cut, replicas of both cities compare their copies, each with at least one of the other side.
    fn meet_again(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let sides = [0, 1]
            .map(|site| -> Vec<usize> { self.of_site(site).filter(|i| self.up(*i)).collect() });
        let pairs = sides[0].len().max(sides[1].len());
        if sides.iter().any(Vec::is_empty) {
            return;
        }
        for k in 0..pairs {
            let pair = [sides[0][k % sides[0].len()], sides[1][k % sides[1].len()]];
            self.send_copies(pair[0], pair[1], false, knobs, cx);
            self.send_copies(pair[1], pair[0], false, knobs, cx);
        }
    }

    fn crash(&mut self, index: usize, cx: Cx<'_, '_>) {
        let dropped = self.drop_work(index);
        self.replicas[index].crashed = Some(cx.now());
        self.watch.quick = 0;
        let crash = cx.say(
            Note::new("crashed")
                .with(name(index))
                .about(replica_part(index))
                .mark(Tone::Bad),
        );
        for number in dropped {
            cx.because(crash);
            self.end(number, Ending::Unknown, cx);
        }
    }

    /// The answer to a request leaves its replica.
    fn end(&mut self, number: u32, ending: Ending, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(request) = self.requests.get_mut(&number) else {
            return;
        };
        request.leg = Leg::Back;
        request.arrives = now + LOCAL;
        request.ending = Some(ending);
        let (site, thing) = (request.site, request.thing as usize);
        let word = match (ending, request.thing) {
            (Ending::Refused, _) => "refused",
            (Ending::Unknown, _) => "unknown",
            (Ending::Down, _) => "down",
            _ => "",
        };
        if ending.failed() {
            if let Some(cut) = self.watch.cut.as_mut().filter(|cut| cut.healed.is_none()) {
                cut.refused[thing][site] += 1;
            }
            let note = Note::new(word)
                .with(Arg::Part(CLIENTS[site]))
                .with(count(u64::from(number)));
            let note = note.about(CLIENTS[site]).dot(number);
            let mark = self
                .failure_marked
                .is_none_or(|marked| now.since(marked) >= FAILURE_MARKS);
            if mark {
                self.failure_marked = Some(now);
            }
            let said = cx.say(if mark { note.mark(Tone::Bad) } else { note });
            if let Some(request) = self.requests.get_mut(&number) {
                request.note = said;
            }
        }
        cx.schedule(LOCAL, Event::Home(number));
    }

    /// An answer reaches its client.
    fn home(&mut self, number: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.remove(&number) else {
            return;
        };
        let Some(ending) = request.ending else {
            return;
        };
        let site = request.site;
        let client = &mut self.clients[site];
        let took = cx.now().since(request.issued);
        client.last = Some((request.thing, request.want, ending, cx.now(), took));
        if ending.failed() {
            self.failed += 1;
            client.failed += 1;
            cx.sample(probe::REFUSED, 1.0);
            return;
        }
        self.done += 1;
        client.answered += 1;
        let withdrew = request.hand && request.thing == Thing::Account;
        if withdrew && matches!(ending, Ending::Done(_)) {
            self.watch.by_hand[site] += 1;
        }
        cx.sample(probe::ANSWERED, 1.0);
        cx.sample([probe::ANA, probe::BEN][site], took.0 as f64);
        let word = match (ending, request.thing) {
            (Ending::Declined(_), _) => "declined",
            (Ending::Old(_), Thing::Account) => "old-account",
            (Ending::Old(_), Thing::Photo) => "old-photo",
            (_, Thing::Account) => "done-account",
            (_, Thing::Photo) => "done-photo",
        };
        let (Ending::Done(value) | Ending::Old(value) | Ending::Declined(value)) = ending else {
            return;
        };
        let mut note = Note::new(word)
            .with(Arg::Part(CLIENTS[site]))
            .with(Arg::Count(value))
            .with(Arg::Span(took))
            .about(CLIENTS[site])
            .dot(number);
        if matches!(ending, Ending::Old(_)) {
            client.old += 1;
            cx.sample(probe::OLD, 1.0);
            note = note.mark(Tone::Warn);
        }
        if matches!(request.want, Want::Change(_)) && site == 1 {
            let quick = self.rules[request.thing as usize] == Rule::Majority
                && self.cut.is_none()
                && took < QUICK
                && knobs.delay_ms >= 200.0;
            self.watch.quick = if quick { self.watch.quick + 1 } else { 0 };
        }
        cx.say(note);
    }

    /// Keeps plots and watches up to date.
    fn measure(&mut self, cx: Cx<'_, '_>) {
        cx.sample(probe::APART, self.apart() as f64);
        cx.sample(probe::LOST, (self.lost(0) + self.lost(1)) as f64);
        let least = self
            .replicas
            .iter()
            .filter(|r| r.crashed.is_none())
            .map(|r| r.copies[0].value())
            .min();
        let overdrawn = least.is_some_and(|least| least < 0);
        if overdrawn && !self.overdrawn {
            cx.say(
                Note::new("overdrawn")
                    .with(Arg::Count(least.unwrap_or_default().abs()))
                    .about(RECEIPTS)
                    .mark(Tone::Bad),
            );
        }
        self.overdrawn = overdrawn;
        self.watch.overdrawn |= overdrawn;
    }
}
