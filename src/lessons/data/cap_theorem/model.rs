//! The system: two cities with replicas, a cable between them, and a client in each.

use super::probe;
use super::replica::{
    Ballot, Copy, Held, Merged, Node, Reconcile, Rule, Seen, THINGS, Thing, Version, total,
};
use algorithms::protocol::Id;
use algorithms::quorum::{self, Outcome as Count, Tally, WriteAnswer};
use algorithms::staleness::{Latency, Tail};
use engine::random::{below, chance, exponential};
use engine::tape::NoteId;
use engine::{
    Act, Action, ActionSpec, Arg, Context, Model, Note, PartId, Stream, Time, Tone, choices, knobs,
};
use kit::cluster::Net;
use kit::flow::{Marks, aim};
use std::collections::BTreeMap;

/// One way between a client and a replica, or two replicas, of one city. Stretched, so that it can be seen.
pub(super) const LOCAL: Time = Time::ms(80);
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

knobs! {
    /// The knobs.
    pub struct Settings {
        /// What is given up during a cut.
        choice: choice Chosen "choice" = Chosen::Consistent,
        /// How two answers given apart become one.
        reconcile: choice Reconcile "reconcile" = Reconcile::Last,
        /// One way across the cable, in ms.
        delay_ms: slider "delay" [20.0, 1000.0, 20.0] "ms" = 200.0,
        /// Writes a second in each city.
        writes_per_s: slider "writes" [0.0, 4.0, 0.2] "/s" = 0.6,
        /// Replicas in Mumbai.
        mumbai: whole "mumbai" [1, 4] "" = 3,
        /// Replicas in Virginia.
        virginia: whole "virginia" [1, 4] "" = 2,
        /// Reads a second in each city.
        reads_per_s: slider "reads" [0.0, 4.0, 0.2] "/s" = 0.6,
        /// How long a vote may take, in seconds.
        timeout_s: slider "timeout" [0.5, 6.0, 0.5] "s" = 2.0,
    }
}

impl Settings {
    /// How many replicas each city has.
    fn replicas(&self) -> [u32; 2] {
        [self.mumbai, self.virginia]
    }

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

/// The address of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mail {
    pub(super) from: usize,
    pub(super) to: usize,
    thing: usize,
    ballot: Ballot,
    /// The request that it serves; 0 for none.
    pub(super) request: u32,
}

impl Mail {
    const fn new(from: usize, to: usize, thing: usize, ballot: Ballot, request: u32) -> Mail {
        Mail {
            from,
            to,
            thing,
            ballot,
            request,
        }
    }

    /// The address of the answer.
    const fn back(self) -> Mail {
        Mail {
            from: self.to,
            to: self.from,
            ..self
        }
    }
}

/// A message between two replicas.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) mail: Mail,
    pub(super) leaves: Time,
    pub(super) arrives: Time,
    /// When it reached the cut.
    pub(super) lost: Option<Time>,
    pub(super) word: Word,
    /// Whether it tells its receiver anything new.
    pub(super) news: bool,
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
    /// When it is given up.
    until: Time,
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
    /// A vote that ends at this moment has waited for a majority long enough.
    GiveUp(Node, usize, Time),
    /// A message is half way across the cable.
    Half(u32),
    /// A message arrives.
    Land(u32),
    /// What was lost at the cut fades.
    Fade(u32),
    /// A promise has been open too long.
    Overtake(Node, usize, Time, Node),
    /// A call for votes that somebody refused still has no majority.
    Recall(Node, usize, Time, Node),
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
    /// Since when the cable is cut.
    pub(super) cut: Option<Time>,
    /// Who reaches whom.
    net: Net,
    /// What all acknowledged changes of each thing add up to.
    pub(super) receipts: [i64; 2],
    acknowledged: [Seen; 2],
    knobs: Settings,
    rules: [Rule; 2],
    born: u64,
    done: u64,
    failed: u64,
    sent: u32,
    nodes: Node,
    failures: Marks,
    /// What was last said about the receipts: writes lost, several values, a debt.
    told: (u64, bool, bool),
    /// When the warm-up was over.
    pub(super) start: Time,
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
    /// The least balance of any replica that is up.
    pub(super) least: i64,
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

/// The values of the account with their version vectors.
pub(super) const VERSIONS: PartId = PartId::one("versions");

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

/// The node of the network that a replica is, by its place.
fn node(index: usize) -> Id {
    index as Id + 1
}

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
            net: Net::new(0),
            receipts: THINGS.map(Thing::first),
            acknowledged: [Seen::new(), Seen::new()],
            knobs: knobs.clone(),
            rules: THINGS.map(|thing| knobs.rule(thing)),
            born: 0,
            done: 0,
            failed: 0,
            sent: 0,
            nodes: 0,
            failures: Marks::default(),
            told: (0, false, false),
            start: Time::ZERO,
            now: Time::ZERO,
            watch: Watch::default(),
        };
        model.staff(cx);
        for site in 0..2 {
            let gap = gap(knobs.writes_per_s, WRITES.nth(site as u64), cx);
            cx.schedule(gap.unwrap_or(Time::s(1)), Event::Write(site));
            let gap = self::gap(knobs.reads_per_s, READS.nth(site as u64), cx);
            cx.schedule(gap.unwrap_or(Time::s(1)), Event::Read(site));
        }
        model
    }

    fn on_start(&mut self, _: &Settings, cx: Cx<'_, '_>) {
        (self.now, self.start) = (cx.now(), cx.now());
        (self.clients, self.watch) = (Default::default(), Watch::default());
        cx.because(NoteId::NONE);
        self.say_cable(cx);
        self.say_reach(cx);
        for index in 0..self.replicas.len() {
            let copies = &self.replicas[index].copies;
            let note = Note::new("keeps").with(name(index));
            let note = copies
                .iter()
                .fold(note, |note, copy| note.with(Arg::Count(copy.value())));
            cx.because(NoteId::NONE);
            cx.say(note.about(replica_part(index)));
        }
        cx.because(NoteId::NONE);
        self.say_receipts(cx);
        // Something is under way when the learner first looks.
        for (site, thing, want) in [
            (0, Thing::Account, Want::Change(20)),
            (1, Thing::Photo, Want::Read),
        ] {
            cx.because(NoteId::NONE);
            self.ask(site, thing, want, false, cx);
        }
        self.measure(cx);
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Write(site) => self.write(site, cx),
            Event::Read(site) => self.read(site, cx),
            Event::Like(site, left) => {
                self.ask(site, Thing::Photo, Want::Change(1), true, cx);
                if left > 1 {
                    cx.schedule(VIRAL.1, Event::Like(site, left - 1));
                }
            }
            Event::There(number) => self.there(number, cx),
            Event::Home(number) => self.home(number, cx),
            Event::GiveUp(node, thing, until) => self.give_up(node, thing, until, cx),
            Event::Half(serial) => self.half(serial, cx),
            Event::Land(serial) => self.land(serial, cx),
            Event::Fade(serial) => {
                self.flights.remove(&serial);
            }
            Event::Overtake(node, thing, at, by) => {
                if let Some(index) = self.index(node)
                    && let Some(voter) = self.replicas[index].copies[thing].voter()
                    && voter.open == Some((at, by))
                {
                    voter.open = None;
                    self.release(index, thing, cx);
                }
            }
            Event::Recall(node, thing, at, by) => {
                if let Some(index) = self.index(node)
                    && let Some(round) = self.replicas[index].rounds[thing]
                        .take_if(|round| round.ballot == (at, by) && !round.writing())
                {
                    let phase = Phase::Prepare;
                    self.call(index, thing, Round { phase, ..round }, cx);
                }
            }
            Event::Compare(node) => self.compare(node, cx),
        }
        self.measure(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let rules = THINGS.map(|thing| knobs.rule(thing));
        let counts = [0, 1].map(|site| self.of_site(site).count() as u32);
        let delay = std::mem::replace(&mut self.knobs, knobs.clone()).delay_ms;
        if delay != knobs.delay_ms {
            self.say_cable(cx);
        }
        if rules != self.rules || counts != knobs.replicas() {
            let cause = cx.cause();
            let waiting = self.interrupt(cx);
            cx.because(cause);
            for (i, rule) in rules.into_iter().enumerate() {
                if rule != self.rules[i] {
                    self.follow(i, rule, cx);
                }
            }
            self.staff(cx);
            for client in &mut self.clients {
                (client.answered, client.old, client.failed) = (0, 0, 0);
            }
            self.say_reach(cx);
            for number in waiting {
                self.there(number, cx);
            }
            cx.because(cause);
            // Rates and waits under two rules are true of neither.
            cx.empty_windows();
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
        let fits = |target| Break::from_act(Act { spec, target }).is_some_and(|act| self.can(act));
        // The first of Mumbai: its majority hangs on it in the first setting.
        aim(0, self.replicas.len(), fits)
    }

    fn on_action(&mut self, action: Break, _: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match action {
            Break::Cut => {
                self.cut = Some(cx.now());
                self.wire();
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
                self.say_reach(cx);
            }
            Break::Heal => {
                let cut = self.cut.take().unwrap_or(cx.now());
                self.wire();
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
                self.say_reach(cx);
                self.meet_again(cx);
                self.resume(cx);
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
                self.say_reach(cx);
                for other in 0..self.replicas.len() {
                    if other != index && self.reaches(index, other) {
                        self.send_copies(index, other, true, cx);
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
    /// Where the replica of this number stands; none if it has left.
    pub(super) fn index(&self, node: Node) -> Option<usize> {
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
        self.up(to) && self.net.reaches(node(from), node(to))
    }

    /// How many replicas a city reaches, itself included.
    pub(super) fn reachable(&self, site: usize) -> u32 {
        let door = self.door(site);
        let near = |to: &usize| self.reaches(door, *to);
        (0..self.replicas.len()).filter(near).count() as u32
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
        known.unwrap_or(0)
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
    fn staff(&mut self, cx: Cx<'_, '_>) {
        let opening = self.nodes == 0;
        for site in 0..2 {
            loop {
                let here: Vec<usize> = self.of_site(site).collect();
                let wanted = self.knobs.replicas()[site] as usize;
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
        self.wire();
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

    /// The network follows replicas and cable: one that is cut parts the cities.
    fn wire(&mut self) {
        self.net = Net::new(self.replicas.len());
        if self.cut.is_some() {
            let west: Vec<Id> = self.of_site(0).map(node).collect();
            self.net.part(&west);
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

    /// Messages between replicas are dropped: the rules change under them. What a majority can still write is finished;
    /// what only waits is returned, to be asked again under the new rules.
    fn interrupt(&mut self, cx: Cx<'_, '_>) -> Vec<u32> {
        for thing in 0..2 {
            // The latest proposal first: an earlier one may not have known of it.
            let writing = |replica: &Replica| {
                let round = replica.rounds[thing].as_ref();
                round
                    .filter(|round| round.writing())
                    .map(|round| round.ballot)
            };
            while let Some((_, index)) = (0..self.replicas.len())
                .filter_map(|index| Some((writing(&self.replicas[index])?, index)))
                .max()
            {
                if let Some(round) = self.replicas[index].rounds[thing].take() {
                    self.finish_or_fail(index, thing, round, cx);
                }
            }
        }
        let all = (0..self.replicas.len()).flat_map(|index| self.drop_work(index).0);
        let all = all.collect::<Vec<_>>();
        self.flights.clear();
        for request in self.requests.values_mut() {
            request.known = Seen::new();
        }
        all
    }

    /// Has a value written at once wherever its messages would get and be accepted.
    fn finish_or_fail(&mut self, index: usize, thing: usize, round: Round, cx: Cx<'_, '_>) {
        let Phase::Accept(version) = round.phase else {
            return;
        };
        let mut written = 0;
        for to in 0..self.replicas.len() {
            // Promises to votes that end here bind nobody; what was accepted later does.
            let gets_there = to == index || self.reaches(index, to);
            let copy = &mut self.replicas[to].copies[thing];
            if gets_there
                && copy
                    .voter()
                    .is_some_and(|voter| voter.accepted <= round.ballot)
            {
                copy.accept(round.ballot, &version);
                written += 1;
            }
        }
        if written >= quorum::majority(self.replicas.len() as u32) {
            self.finish(round.endings, &version, cx);
        } else {
            for number in round.requests {
                self.end(number, Ending::Unknown, cx);
            }
        }
    }

    /// A thing is kept by another rule from now on. What the old one lost is booked as lost, and receipts begin anew.
    fn follow(&mut self, thing: usize, rule: Rule, cx: Cx<'_, '_>) {
        let lost = self.lost(thing);
        for replica in &mut self.replicas {
            if !replica.copies[thing].follows(rule) {
                replica.copies[thing].convert(rule);
            }
        }
        self.rules[thing] = rule;
        self.acknowledged[thing] = Seen::new();
        if rule == Rule::Alone(Reconcile::Both) {
            let cause = cx.cause();
            cx.say(Note::new("vectors").about(VERSIONS));
            cx.because(cause);
        }
        let copies = self.replicas.iter().map(|r| &r.copies[thing]);
        if lost > 0
            && let Some(copy) = copies.max_by_key(|copy| total(&copy.seen))
        {
            self.receipts[thing] = copy.value();
            let note = Note::new("written-off").with(count(lost));
            cx.say(note.about(RECEIPTS).mark(Tone::Warn));
        }
    }

    /// Forgets what a replica was working on; returns the requests that waited and those whose change was sent out.
    fn drop_work(&mut self, index: usize) -> (Vec<u32>, Vec<u32>) {
        let replica = &mut self.replicas[index];
        let (mut waiting, mut writing) = (Vec::new(), Vec::new());
        for thing in 0..2 {
            waiting.append(&mut replica.queues[thing]);
            if let Some(round) = replica.rounds[thing].take() {
                let list = if round.writing() {
                    &mut writing
                } else {
                    &mut waiting
                };
                list.extend(round.requests);
            }
            if let Some(voter) = replica.copies[thing].voter() {
                voter.open = None;
                voter.held.clear();
            }
        }
        (waiting, writing)
    }

    fn write(&mut self, site: usize, cx: Cx<'_, '_>) {
        let next = gap(self.knobs.writes_per_s, WRITES.nth(site as u64), cx);
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

    fn read(&mut self, site: usize, cx: Cx<'_, '_>) {
        let next = gap(self.knobs.reads_per_s, READS.nth(site as u64), cx);
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
    fn there(&mut self, number: u32, cx: Cx<'_, '_>) {
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
            self.start_round(index, thing, cx);
        } else {
            self.answer_alone(number, cx);
        }
    }

    /// AP: the replica answers from its own copy and tells the others later.
    fn answer_alone(&mut self, number: u32, cx: Cx<'_, '_>) {
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
        let value = value + change;
        let word = ["alone-account", "alone-photo"][thing];
        let note = Note::new(word).with(name(index)).with(Arg::Count(value));
        let said = cx.say(note.about(replica_part(index)).dot(number));
        copy.write_alone(node, change, cx.now(), said);
        let written: Seen = [(node, copy.seen.get(&node))].into_iter().collect();
        let copy = copy.clone();
        self.replicas[index].changed = cx.now();
        self.acknowledge(number, change, &written, cx);
        self.watch.alone += 1;
        let mail = Mail::new(index, index, thing, Ballot::default(), number);
        self.tell_others(mail, &Word::Copies(vec![copy], false), cx);
        self.end(number, Ending::Done(value), cx);
    }

    fn acknowledge(&mut self, number: u32, change: i64, written: &Seen, cx: Cx<'_, '_>) {
        let request = &self.requests[&number];
        let thing = request.thing as usize;
        self.receipts[thing] += change;
        self.acknowledged[thing].merge(written);
        if let Some(cut) = self.watch.cut.as_mut().filter(|cut| cut.healed.is_none()) {
            cut.wrote[thing][request.site] += 1;
        }
        self.say_receipts(cx);
    }

    fn say_receipts(&self, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let note = Note::new("receipts").with(Arg::Count(self.receipts[0]));
        cx.say(note.with(Arg::Count(self.receipts[1])).about(RECEIPTS));
        cx.because(cause);
    }

    fn say_cable(&self, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let note = Note::new("cable").with(Arg::Number(self.knobs.delay_ms));
        cx.say(note.about(CABLE_PART));
        cx.because(cause);
    }

    /// Says what each city can do from now on.
    fn say_reach(&self, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let nodes = self.replicas.len() as u32;
        for (site, part) in SITES.into_iter().enumerate() {
            let reached = self.reachable(site);
            let word = match (self.rules[0], reached >= quorum::majority(nodes)) {
                _ if reached == 0 => "reach-none",
                (Rule::Alone(_), _) => "reach-alone",
                (_, true) => "reach-majority",
                (_, false) => "reach-minority",
            };
            let note = Note::new(word).with(Arg::Part(part));
            let note = note
                .with(count(u64::from(reached)))
                .with(count(u64::from(nodes)));
            cx.because(cause);
            cx.say(note.about(part));
        }
        cx.because(cause);
    }

    /// CP: calls for votes on all that waits here for this thing, unless a round is under way.
    fn start_round(&mut self, index: usize, thing: usize, cx: Cx<'_, '_>) {
        let replica = &mut self.replicas[index];
        if replica.rounds[thing].is_some() || replica.queues[thing].is_empty() {
            return;
        }
        let requests = std::mem::take(&mut replica.queues[thing]);
        let reads = requests.iter().all(|n| self.requests[n].want == Want::Read);
        let phase = if reads { Phase::Ask } else { Phase::Prepare };
        self.open_round(index, thing, phase, requests, cx);
    }

    /// A round with a time-out of its own: standing in line before it does not count.
    fn open_round(
        &mut self,
        index: usize,
        thing: usize,
        phase: Phase,
        requests: Vec<u32>,
        cx: Cx<'_, '_>,
    ) {
        let nodes = self.replicas.len() as u32;
        let Ok(tally) = Tally::new(nodes, quorum::majority(nodes)) else {
            return;
        };
        let until = self.patience(index, thing, cx);
        let round = Round {
            phase,
            ballot: Ballot::default(),
            until,
            tally,
            requests,
            best: None,
            same: true,
            overtaken_by: Ballot::default(),
            endings: Vec::new(),
        };
        self.call(index, thing, round, cx);
    }

    /// When a round that is called now is given up.
    fn patience(&self, index: usize, thing: usize, cx: Cx<'_, '_>) -> Time {
        let patience = Time::from_s(self.knobs.timeout_s);
        let until = cx.now() + patience;
        cx.schedule(
            patience,
            Event::GiveUp(self.replicas[index].node, thing, until),
        );
        until
    }

    /// Sends a call for votes, or a question, to all replicas, later than whatever has overtaken it.
    fn call(&mut self, index: usize, thing: usize, round: Round, cx: Cx<'_, '_>) {
        let nodes = self.replicas.len() as u32;
        let Ok(tally) = Tally::new(nodes, quorum::majority(nodes)) else {
            return;
        };
        let site = self.replicas[index].site;
        let near = self.of_site(site).filter(|i| self.up(*i)).count() as u32;
        // Dated at its arrival where it has to cross, or the near side's later calls would always come first.
        let ahead = if near < quorum::majority(nodes) {
            Time::from_ms(self.knobs.delay_ms)
        } else {
            Time::ZERO
        };
        let node = self.replicas[index].node;
        let promised = self.replicas[index].copies[thing]
            .voter()
            .map_or(Ballot::default(), |voter| voter.promised);
        let at = (cx.now() + ahead).max(round.overtaken_by.0.max(promised.0) + Time::us(1));
        let ballot = (at, node);
        let request = round.requests.first().copied().unwrap_or(0);
        let (said, word) = match round.phase {
            Phase::Ask => ("asks-all", Word::Ask),
            _ if request == 0 => ("catches-up", Word::Prepare),
            _ => ("calls", Word::Prepare),
        };
        self.replicas[index].rounds[thing] = Some(Round {
            ballot,
            tally,
            best: None,
            same: true,
            overtaken_by: Ballot::default(),
            endings: Vec::new(),
            ..round
        });
        let note = Note::new(said)
            .with(name(index))
            .with(count(u64::from(nodes)))
            .with(count(u64::from(request)));
        cx.say(note.about(replica_part(index)).dot(request));
        let mail = Mail::new(index, index, thing, ballot, request);
        self.broadcast(mail, word, cx);
    }

    /// The cable is whole again: votes under way are called anew and get all their time, and a side that could not decide
    /// asks what it missed.
    fn resume(&mut self, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        for index in 0..self.replicas.len() {
            for thing in 0..2 {
                cx.because(cause);
                let queue = std::mem::take(&mut self.replicas[index].queues[thing]);
                match self.replicas[index].rounds[thing].take() {
                    Some(mut round) if round.writing() => {
                        round.until = self.patience(index, thing, cx);
                        self.replicas[index].queues[thing] = queue;
                        self.send_again(index, thing, round, cx);
                    }
                    Some(round) => {
                        let requests = round.requests.into_iter().chain(queue).collect();
                        self.open_round(index, thing, Phase::Prepare, requests, cx);
                    }
                    None => self.replicas[index].queues[thing] = queue,
                }
            }
        }
        for site in 0..2 {
            let index = self.door(site);
            let near = self.of_site(site).filter(|i| self.up(*i)).count() as u32;
            let minority = near < quorum::majority(self.replicas.len() as u32);
            for thing in 0..2 {
                let idle = self.replicas[index].rounds[thing].is_none();
                if minority && idle && self.up(index) && self.rules[thing] == Rule::Majority {
                    cx.because(cause);
                    self.open_round(index, thing, Phase::Prepare, Vec::new(), cx);
                }
            }
        }
        cx.because(cause);
    }

    /// Sends what is to be written to those who have not answered.
    fn send_again(&mut self, index: usize, thing: usize, round: Round, cx: Cx<'_, '_>) {
        let Phase::Accept(version) = &round.phase else {
            return;
        };
        let word = Word::Accept(version.clone());
        let request = round.requests.first().copied().unwrap_or(0);
        let (ballot, tally) = (round.ballot, round.tally.clone());
        self.replicas[index].rounds[thing] = Some(round);
        for to in 0..self.replicas.len() {
            if tally.nodes_answered().all(|node| node != to as u32) {
                let mail = Mail::new(index, to, thing, ballot, request);
                self.send(mail, word.clone(), cx);
            }
        }
    }

    fn broadcast(&mut self, mail: Mail, word: Word, cx: Cx<'_, '_>) {
        self.tell_others(mail, &word, cx);
        // Its own vote needs no message.
        self.hear(mail, word, cx);
    }

    /// Sends a word to all other replicas.
    fn tell_others(&mut self, mail: Mail, word: &Word, cx: Cx<'_, '_>) {
        for to in (0..self.replicas.len()).filter(|to| *to != mail.from) {
            self.send(Mail { to, ..mail }, word.clone(), cx);
        }
    }

    fn send(&mut self, mail: Mail, word: Word, cx: Cx<'_, '_>) {
        let (from, to) = (mail.from, mail.to);
        if from == to {
            self.hear(mail, word, cx);
            return;
        }
        let far = self.replicas[from].site != self.replicas[to].site;
        let way = if far {
            let delay = self.knobs.delay_ms;
            let tail = Tail::Pareto {
                scale_ms: delay,
                shape: JITTER_SHAPE,
            };
            let latency = Latency {
                body_share: 1.0,
                body: tail,
                tail,
            };
            let drawn = latency.draw_ms(cx.random(CABLE));
            Time::from_ms(drawn.min(JITTER_MAX * delay))
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
        let flight = Flight {
            mail,
            leaves: cx.now(),
            arrives: cx.now() + way,
            lost: None,
            word,
            news,
        };
        self.flights.insert(self.sent, flight);
        if far {
            cx.schedule(Time(way.0 / 2), Event::Half(self.sent));
        }
        cx.schedule(way, Event::Land(self.sent));
    }

    /// A message is at the middle of the cable: there it is cut.
    fn half(&mut self, serial: u32, cx: Cx<'_, '_>) {
        if !self.net.is_parted() {
            return;
        }
        let Some(flight) = self.flights.get_mut(&serial) else {
            return;
        };
        flight.lost = Some(cx.now());
        let (news, mail) = (flight.news, flight.mail);
        cx.schedule(LOSS_SHOWN, Event::Fade(serial));
        if news && mail.request > 0 {
            let note = Note::new("lost-message")
                .with(name(mail.from))
                .with(name(mail.to));
            cx.say(note.about(CABLE_PART).dot(mail.request));
        }
    }

    fn land(&mut self, serial: u32, cx: Cx<'_, '_>) {
        if self.flights.get(&serial).is_none_or(|f| f.lost.is_some()) {
            return;
        }
        if let Some(Flight { mail, word, .. }) = self.flights.remove(&serial)
            && self.up(mail.to)
        {
            self.hear(mail, word, cx);
        }
    }

    fn hear(&mut self, mail: Mail, word: Word, cx: Cx<'_, '_>) {
        match word {
            Word::Ask => {
                if let Some(voter) = self.replicas[mail.to].copies[mail.thing].voter() {
                    let vote = Word::Vote(voter.accepted, Box::new(voter.version.clone()));
                    self.send(mail.back(), vote, cx);
                }
            }
            Word::Prepare => self.prepare(mail, cx),
            Word::Accept(version) => self.accept(mail, &version, cx),
            Word::Vote(accepted, version) => self.voted(mail, accepted, version, cx),
            Word::Accepted => self.written(mail, cx),
            Word::No(promised) => self.overtaken(mail, promised, cx),
            Word::Copies(copies, back) => self.take_in(mail, &copies, back, cx),
        }
    }

    /// A replica is asked for its vote.
    fn prepare(&mut self, mail: Mail, cx: Cx<'_, '_>) {
        let replica = &mut self.replicas[mail.to];
        let Some(voter) = replica.copies[mail.thing].voter() else {
            return;
        };
        let ballot = mail.ballot;
        if voter.open.is_some_and(|open| open != ballot) {
            // Waiting is always safe, and lets the one who came first finish.
            let from = mail.from;
            voter.held.push(Held { from, ballot });
            return;
        }
        let word = if ballot > voter.promised {
            voter.promised = ballot;
            voter.open = Some(ballot);
            let vote = Word::Vote(voter.accepted, Box::new(voter.version.clone()));
            let patience = Time::from_ms(3.0 * self.knobs.delay_ms) + LOCAL + LOCAL;
            let overtake = Event::Overtake(replica.node, mail.thing, ballot.0, ballot.1);
            cx.schedule(patience, overtake);
            vote
        } else {
            Word::No(voter.promised)
        };
        self.send(mail.back(), word, cx);
    }

    /// A replica is told what to write.
    fn accept(&mut self, mail: Mail, version: &Version, cx: Cx<'_, '_>) {
        let copy = &mut self.replicas[mail.to].copies[mail.thing];
        let Some(voter) = copy.voter() else { return };
        if mail.ballot < voter.promised {
            let no = Word::No(voter.promised);
            self.send(mail.back(), no, cx);
            return;
        }
        let changed = voter.version != *version;
        copy.accept(mail.ballot, version);
        if changed {
            self.replicas[mail.to].changed = cx.now();
            if mail.to != mail.from {
                let word = ["accepts-account", "accepts-photo"][mail.thing];
                let value = Arg::Count(version.value(THINGS[mail.thing]));
                let note = Note::new(word).with(name(mail.to)).with(value);
                let note = note.with(name(mail.from)).about(replica_part(mail.to));
                cx.say(note.dot(mail.request));
            }
        }
        self.send(mail.back(), Word::Accepted, cx);
        self.release(mail.to, mail.thing, cx);
    }

    /// Lets those ask again who waited for an open promise, the earliest first.
    fn release(&mut self, index: usize, thing: usize, cx: Cx<'_, '_>) {
        loop {
            let Some(voter) = self.replicas[index].copies[thing].voter() else {
                return;
            };
            if voter.open.is_some() {
                return;
            }
            let earliest = (0..voter.held.len()).min_by_key(|i| voter.held[*i].ballot);
            let Some(earliest) = earliest else { return };
            let Held { from, ballot } = voter.held.remove(earliest);
            if from < self.replicas.len() {
                let mail = Mail::new(from, index, thing, ballot, 0);
                self.prepare(mail, cx);
            }
        }
    }

    /// The round of this ballot, if it is still under way.
    fn round(&mut self, index: usize, thing: usize, ballot: Ballot) -> Option<&mut Round> {
        let round = self.replicas.get_mut(index)?.rounds[thing].as_mut();
        round.filter(|round| round.ballot == ballot)
    }

    /// A vote comes in.
    fn voted(&mut self, mail: Mail, accepted: Ballot, version: Box<Version>, cx: Cx<'_, '_>) {
        let (index, thing) = (mail.to, mail.thing);
        let Some(round) = self.round(index, thing, mail.ballot) else {
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
        if round.tally.answered(mail.from as u32) != Count::Reached {
            return;
        }
        if !matches!(round.phase, Phase::Ask) {
            self.settle(mail.back(), cx);
        } else if let Some(mut round) = self.replicas[index].rounds[thing].take() {
            if round.same {
                // All of a majority agree, so this is what the last acknowledged write left.
                if let Some((_, version)) = round.best {
                    for number in round.requests {
                        self.answer_read(number, &version, cx);
                    }
                }
                self.start_round(index, thing, cx);
            } else {
                // Some lack a write that others have: make sure of it before anybody is told.
                round.phase = Phase::Prepare;
                round.overtaken_by = mail.ballot;
                self.call(index, thing, round, cx);
            }
        }
    }

    fn answer_read(&mut self, number: u32, version: &Version, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get(&number) else {
            return;
        };
        let value = version.value(request.thing);
        let old = !version.seen.dominates(&request.known);
        let ending = if old { Ending::Old } else { Ending::Done };
        self.end(number, ending(value), cx);
    }

    /// A majority has voted: apply what waited to the newest value among the votes, and have it written.
    fn settle(&mut self, mail: Mail, cx: Cx<'_, '_>) {
        let (index, thing) = (mail.from, mail.thing);
        let node = self.replicas[index].node;
        let Some(round) = self.round(index, thing, mail.ballot) else {
            return;
        };
        let Some((_, mut version)) = round.best.take() else {
            return;
        };
        let requests = round.requests.clone();
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
                    *version = version.changed(node, change, cx.now(), cx.cause());
                    Ending::Done(value + change)
                }
            };
            endings.push((*number, ending));
        }
        let nodes = self.replicas.len() as u32;
        let value = version.value(THINGS[thing]);
        let request = requests.first().copied().unwrap_or(0);
        let Some(round) = self.round(index, thing, mail.ballot) else {
            return;
        };
        let votes = round.tally.nodes_answered().count() as u64;
        if let Ok(tally) = Tally::new(nodes, quorum::majority(nodes)) {
            round.tally = tally;
        }
        round.endings = endings;
        round.phase = Phase::Accept(version.clone());
        let word = ["writes-account", "writes-photo"][thing];
        let note = Note::new(word).with(name(index)).with(count(votes));
        let note = note.with(Arg::Count(value)).about(replica_part(index));
        cx.say(note.dot(request));
        let mail = Mail {
            to: index,
            request,
            ..mail
        };
        self.broadcast(mail, Word::Accept(version), cx);
    }

    /// A replica has written what it was told.
    fn written(&mut self, mail: Mail, cx: Cx<'_, '_>) {
        let (index, thing) = (mail.to, mail.thing);
        let Some(round) = self.round(index, thing, mail.ballot) else {
            return;
        };
        if round.tally.answered(mail.from as u32) != Count::Reached {
            return;
        }
        let Some(Round {
            phase: Phase::Accept(version),
            endings,
            ..
        }) = self.replicas[index].rounds[thing].take()
        else {
            return;
        };
        self.finish(endings, &version, cx);
        self.start_round(index, thing, cx);
    }

    /// A majority has written: all who waited for it hear so.
    fn finish(&mut self, endings: Vec<(u32, Ending)>, version: &Version, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        for (number, ending) in endings {
            cx.because(cause);
            let want = self.requests[&number].want;
            match (want, ending) {
                (Want::Change(change), Ending::Done(_)) => {
                    self.acknowledge(number, change, &version.seen, cx);
                    self.end(number, ending, cx);
                }
                (Want::Read, Ending::Done(_)) => self.answer_read(number, version, cx),
                _ => self.end(number, ending, cx),
            }
        }
    }

    /// A replica will not vote: it knows of a later proposal.
    fn overtaken(&mut self, mail: Mail, promised: Ballot, cx: Cx<'_, '_>) {
        let (index, thing) = (mail.to, mail.thing);
        let Some(round) = self.round(index, thing, mail.ballot) else {
            return;
        };
        round.overtaken_by = round.overtaken_by.max(promised);
        let before = round.tally.outcome();
        if before != Count::Waiting || round.tally.lost(mail.from as u32) != Count::Impossible {
            // Those who are silent may be cut off, so that the others must all be won.
            let (at, by) = mail.ballot;
            let node = self.replicas[index].node;
            let patience = Time::from_ms(self.knobs.delay_ms);
            cx.schedule(patience, Event::Recall(node, thing, at, by));
            return;
        }
        let Some(round) = self.replicas[index].rounds[thing].take() else {
            return;
        };
        if round.writing() {
            for number in round.requests {
                self.end(number, Ending::Unknown, cx);
            }
            self.start_round(index, thing, cx);
        } else {
            let phase = Phase::Prepare;
            self.call(index, thing, Round { phase, ..round }, cx);
        }
    }

    /// A vote has waited for a majority as long as it may. Who stood in line behind it is refused with it.
    fn give_up(&mut self, node: Node, thing: usize, until: Time, cx: Cx<'_, '_>) {
        let Some(index) = self.index(node) else {
            return;
        };
        let replica = &mut self.replicas[index];
        let due = |round: &Round| round.until == until;
        if !replica.rounds[thing].as_ref().is_some_and(due) {
            return;
        }
        let Some(round) = replica.rounds[thing].take() else {
            return;
        };
        let queue = std::mem::take(&mut replica.queues[thing]);
        let answered = round.tally.nodes_answered().count() as u64;
        let whole = self.cut.is_none() && self.replicas.iter().all(|r| r.crashed.is_none());
        let sent = if round.writing() {
            Ending::Unknown
        } else {
            Ending::Refused
        };
        let endings = round.requests.into_iter().map(|number| (number, sent));
        let refused = queue.into_iter().map(|number| (number, Ending::Refused));
        for (number, ending) in endings.chain(refused) {
            let Some(request) = self.requests.get(&number) else {
                continue;
            };
            cx.because(request.note);
            if ending == Ending::Refused {
                self.watch.refused_whole += u32::from(request.whole && whole);
                let note = Note::new("no-majority")
                    .with(name(index))
                    .with(count(answered))
                    .with(count(self.replicas.len() as u64));
                cx.say(note.about(replica_part(index)).dot(number));
            }
            self.end(number, ending, cx);
        }
    }

    /// Another replica's copies arrive.
    fn take_in(&mut self, mail: Mail, copies: &[Copy], back: bool, cx: Cx<'_, '_>) {
        let mut ahead = false;
        for copy in copies {
            let thing = copy.thing as usize;
            let own = &mut self.replicas[mail.to].copies[thing];
            ahead |= !copy.seen.dominates(&own.seen);
            let (before, writer) = (own.values(), own.writer());
            let merged = own.merge(copy);
            let values = own.values();
            if merged.news && values != before {
                self.replicas[mail.to].changed = cx.now();
            }
            if merged.news {
                self.tell(
                    Mail { thing, ..mail },
                    merged,
                    &values,
                    (before[0], writer),
                    cx,
                );
            }
            if self.rules[thing] == Rule::Majority {
                self.release(mail.to, thing, cx);
            }
        }
        if back && ahead {
            self.send_copies(mail.to, mail.from, false, cx);
        }
    }

    /// Says what another replica's copy brought; `had` is the value before, and who wrote it.
    fn tell(&self, mail: Mail, merged: Merged, values: &[i64], had: (i64, Node), cx: Cx<'_, '_>) {
        let part = replica_part(mail.to);
        let named = |words: [&'static str; 2]| Note::new(words[mail.thing]).with(name(mail.to));
        let cause = cx.cause();
        if let Some((kept, thrown, written)) = merged.thrown {
            // What is thrown away goes back to its own writer.
            cx.because(written);
            let note = named(["throws-account", "throws-photo"]).with(Arg::Count(kept));
            let note = note.with(Arg::Count(thrown)).mark(Tone::Warn);
            cx.say(note.about(part).dot(mail.request));
        } else if let (true, [one, other, ..]) = (merged.conflict, values) {
            if let Some(writer) = self.index(had.1) {
                let note = named(["had-account", "had-photo"]).with(Arg::Count(had.0));
                cx.say(note.with(name(writer)).about(part));
            }
            let note = named(["both-account", "both-photo"]).with(Arg::Count(*one));
            let note = note.with(Arg::Count(*other)).mark(Tone::Warn);
            cx.say(note.about(part).dot(mail.request));
        } else {
            let value = values.first().copied().unwrap_or_default();
            let note = named(["copies-account", "copies-photo"]).with(Arg::Count(value));
            cx.say(note.with(name(mail.from)).about(part).dot(mail.request));
            cx.because(cause);
        }
    }

    /// A replica compares its copies with the next in turn.
    fn compare(&mut self, node: Node, cx: Cx<'_, '_>) {
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
        self.send_copies(index, other, true, cx);
    }

    fn send_copies(&mut self, from: usize, to: usize, back: bool, cx: Cx<'_, '_>) {
        let word = Word::Copies(self.replicas[from].copies.to_vec(), back);
        let mail = Mail::new(from, to, 0, Ballot::default(), 0);
        self.send(mail, word, cx);
    }

    /// After a cut, replicas of both cities compare their copies, each with at least one of the other side.
    fn meet_again(&mut self, cx: Cx<'_, '_>) {
        let sides = [0, 1]
            .map(|site| -> Vec<usize> { self.of_site(site).filter(|i| self.up(*i)).collect() });
        let pairs = sides[0].len().max(sides[1].len());
        if sides.iter().any(Vec::is_empty) {
            return;
        }
        for k in 0..pairs {
            let pair = [sides[0][k % sides[0].len()], sides[1][k % sides[1].len()]];
            self.send_copies(pair[0], pair[1], false, cx);
            self.send_copies(pair[1], pair[0], false, cx);
        }
    }

    fn crash(&mut self, index: usize, cx: Cx<'_, '_>) {
        let (waiting, writing) = self.drop_work(index);
        self.replicas[index].crashed = Some(cx.now());
        self.watch.quick = 0;
        let crash = cx.say(
            Note::new("crashed")
                .with(name(index))
                .about(replica_part(index))
                .mark(Tone::Bad),
        );
        self.say_reach(cx);
        let waiting = waiting.into_iter().map(|number| (number, Ending::Down));
        for (number, ending) in waiting.chain(writing.into_iter().map(|n| (n, Ending::Unknown))) {
            cx.because(crash);
            self.end(number, ending, cx);
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
            let mark = self.failures.due(now);
            let said = cx.say(if mark { note.mark(Tone::Bad) } else { note });
            if let Some(request) = self.requests.get_mut(&number) {
                request.note = said;
            }
        }
        cx.schedule(LOCAL, Event::Home(number));
    }

    /// An answer reaches its client.
    fn home(&mut self, number: u32, cx: Cx<'_, '_>) {
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
        // A refusal took as long as it took: left out, only the lucky would be counted.
        cx.sample_asked(
            [probe::ANA, probe::BEN][site],
            took.0 as f64,
            request.issued,
        );
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
                && self.knobs.delay_ms >= 200.0;
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
        let (lost, several) = (
            self.lost(0) + self.lost(1),
            self.in_conflict(0) || self.in_conflict(1),
        );
        let cause = cx.cause();
        if lost > self.told.0 {
            let note = Note::new("lost").with(count(lost)).about(RECEIPTS);
            cx.say(note.mark(Tone::Bad));
        }
        if several && !self.told.1 {
            cx.say(Note::new("unsettled").about(RECEIPTS).mark(Tone::Warn));
        }
        if several != self.told.1 && self.rules[0] == Rule::Alone(Reconcile::Both) {
            let word = if several { "contrary" } else { "settled" };
            cx.because(cause);
            cx.say(Note::new(word).about(VERSIONS));
        }
        if overdrawn && !self.told.2 {
            let debt = Arg::Count(least.unwrap_or_default().abs());
            cx.say(
                Note::new("overdrawn")
                    .with(debt)
                    .about(RECEIPTS)
                    .mark(Tone::Bad),
            );
        }
        cx.because(cause);
        self.told = (lost, several, overdrawn);
        self.watch.least = least.unwrap_or_default();
        self.watch.overdrawn |= overdrawn;
    }
}
