//! Read replicas: you saved it; why is it not there?

mod copies;
mod figure;
mod readers;
mod ruler;
mod story;

#[cfg(test)]
mod tests;

use algorithms::balancer::Policy;
use algorithms::hash::mix64;
use copies::{Copies, READS, Reads, Rules, WRITES};
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, Plot, Probe, Sheet,
    Time, Tone,
};
use kit::flow::{Holds, Key};
use kit::system::{
    Call, Crowd, Cx, Deed, Dial, Draw, Frame, Gate, Gear, Kind, Node, NodeId, Own, Parcel, Plan,
    STORES, Script, Service, Spread, Step, System, Values, Wire, WireId, probe,
};
use readers::{Readers, Told};

/// The lesson.
pub struct ReadReplicas;

/// Who reads and writes.
pub const USERS: NodeId = NodeId(0);
/// Who knows which machine to ask.
pub const ROUTER: NodeId = NodeId(1);
/// The machines: one is the primary, the others follow it.
pub const DB: NodeId = NodeId(2);
const DOOR: WireId = WireId(0);
const LINK: WireId = WireId(1);

/// One way from users to the router, and on to a machine. Stretched, so that they can be seen.
const WAYS: [Time; 2] = [Time::ms(40), Time::ms(60)];
/// What one machine does at a time, and what may wait there.
const WORKERS: u32 = 4;
const PLACES: u32 = 400;
/// A read takes a worker so long.
const READ: Time = Time::ms(80);
/// A long transaction takes so long to replay.
const LONG_REPLAY: Time = Time::s(5);
/// How slow reads are is told over this span.
const PACE: Time = Time::s(5);
/// Classes of what is asked for beside writes, which are 0; then of jobs.
const READ_CLASS: u8 = 1;
const REPLAY: u8 = 2;
const LONG: u8 = 3;

const DIALS: &[Dial] = &[
    Dial::slider("load", [5.0, 150.0, 1.0], "/s", 60.0),
    Dial::slider("writes", [0.0, 50.0, 1.0], "%", 10.0),
    Dial::whole("replicas", [0, 6], 2),
    Dial::choice("reads", &["primary", "any", "same", "timer", "token"], 1),
    Dial::choice(
        "answered",
        &["primary", "one-received", "all-received", "all-replayed"],
        0,
    ),
    Dial::whole("appliers", [1, 8], 1),
    Dial::slider("work", [5.0, 200.0, 5.0], "ms", 80.0),
    Dial::slider("feed", [10.0, 2_000.0, 10.0], "ms", 100.0),
    Dial::choice("feeds", &["fixed", "exponential"], 0),
    Dial::slider("last", [1.0, 20.0, 1.0], "×", 1.0),
    Dial::slider("sticky", [0.5, 10.0, 0.5], "s", 2.0),
    Dial::slider("skip", [0.0, 10.0, 0.5], "s", 0.0),
    Dial::slider("give-up", [0.0, 10.0, 0.5], "s", 0.0),
    Dial::slider("manager", [0.5, 30.0, 0.5], "s", 2.0),
    Dial::choice("arrivals", &["random", "even"], 0),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("long"),
    ActionSpec::whole("cut"),
    ActionSpec::whole("heal"),
    ActionSpec::whole("crash-primary"),
    ActionSpec::aimed("crash", "db"),
    ActionSpec::aimed("recover", "db"),
    ActionSpec::turning("slow-feed", "last", 9.0),
    ActionSpec::whole("twice"),
];

const DEEDS: &[Deed] = &[
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Crash(DB),
    Deed::Recover(DB),
    Deed::Turn,
    Deed::Surge(USERS, 2.0, Time::s(10)),
];
const ACT_LONG: usize = 0;
const ACT_CUT: usize = 1;
const ACT_HEAL: usize = 2;

/// Probes of the lesson's own.
const MISSING: usize = probe::OWN;
const STALE: usize = probe::OWN + 1;
const ALL_READS: usize = probe::OWN + 2;
const LAG_MOST: usize = probe::OWN + 3;
const LAG_LEAST: usize = probe::OWN + 4;
const WRITE_TIME: usize = probe::OWN + 5;
const READ_TIME: usize = probe::OWN + 6;

const PROBES: [Probe; probe::OWN + 7] = [
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Spread,
    Probe::Level,
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Level,
    Probe::Level,
    Probe::Spread,
    Probe::Spread,
];

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
struct Seen {
    rules: Rules,
    /// Of which turn of a knob the rules are; none before the first.
    turned: Option<Time>,
    renewed: bool,
    copies: Copies,
    readers: Readers,
    /// Since when things hold that challenges ask for.
    quick: Holds,
    slow: Holds,
    stopped: Holds,
}

/// Whether a call is a read.
fn is_read(draw: &Draw) -> bool {
    draw.class == READ_CLASS
}

/// Why a machine is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Write,
    PrimaryOnly,
    NoReplica,
    OwnWrite,
    NoneFresh,
    AllLate,
    Fewest,
    FreshEnough,
    Same,
}

impl Why {
    const fn word(self) -> &'static str {
        match self {
            Why::Write => "because.write",
            Why::PrimaryOnly => "because.primary-only",
            Why::NoReplica => "because.no-replica",
            Why::OwnWrite => "because.own-write",
            Why::NoneFresh => "because.none-fresh",
            Why::AllLate => "because.all-late",
            Why::Fewest => "because.fewest",
            Why::FreshEnough => "because.fresh-enough",
            Why::Same => "because.same",
        }
    }
}

// region: route
/// The machines that the router may ask for a request, and why.
fn candidates(draw: &Draw, system: &System) -> (Vec<usize>, Why) {
    let seen = system.own::<Seen>();
    let (copies, rules, now) = (&seen.copies, &seen.rules, system.now);
    let primary = vec![copies.primary()];
    if !is_read(draw) {
        return (primary, Why::Write);
    }
    if rules.reads == Reads::Primary {
        return (primary, Why::PrimaryOnly);
    }
    let mut replicas: Vec<usize> = replicas(system).collect();
    replicas.retain(|it| copies::hears(system, *it));
    if replicas.is_empty() {
        return (primary, Why::NoReplica);
    }
    if let Some(skip) = rules.skip {
        replicas.retain(|it| copies.age(*it, now) <= skip);
        if replicas.is_empty() {
            return (primary, Why::AllLate);
        }
    }
    let reader = seen.readers.reader(draw.person);
    match rules.reads {
        Reads::Same => {
            let mine = usize::from(draw.person) % replicas.len();
            (vec![replicas[mine]], Why::Same)
        }
        Reads::Timer if reader.wrote_within(rules.sticky, now) => (primary, Why::OwnWrite),
        Reads::Primary | Reads::Any | Reads::Timer => (replicas, Why::Fewest),
        Reads::Token => {
            let token = reader.session.token();
            replicas.retain(|it| copies.shown(*it) >= token);
            match replicas.is_empty() {
                true => (primary, Why::NoneFresh),
                false => (replicas, Why::FreshEnough),
            }
        }
    }
}
// endregion

impl Script for ReadReplicas {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        use kit::system::Arrivals;
        let (load, share) = (knobs.get("load"), knobs.get("writes") / 100.0);
        // Each write leads to a reload, which is one of the reads.
        let per_s = load * (1.0 - share);
        let mut users = Crowd::poisson(per_s, Call::over(DOOR));
        if knobs.whole("arrivals") == 1 {
            users.arrivals = Arrivals::Even { per_s };
        }
        users.classes = vec![share, 1.0 - 2.0 * share];
        users.people = readers::PEOPLE as u16;
        let work = knobs.ms("work");
        let mut machine = Service::new(WORKERS, PLACES, work, Spread::Fixed);
        machine.programs = vec![
            vec![Step::Work(work), Step::Park],
            vec![Step::Work(READ)],
            vec![Step::Work(work)],
            vec![Step::Work(LONG_REPLAY)],
        ];
        let router = Gate {
            routes: vec![LINK],
            filters: true,
            ..Gate::default()
        };
        let machines = 1 + knobs.whole("replicas") as usize;
        Plan {
            nodes: vec![
                Node::one(USERS, "users", Kind::Crowd(users)),
                Node::one(ROUTER, "router", Kind::Gate(router)),
                Node::many(DB, "db", Kind::Service(machine), machines),
            ],
            wires: vec![
                Wire::new(DOOR, USERS, ROUTER, "door", WAYS[0]),
                Wire {
                    policy: Policy::LeastConnections,
                    ..Wire::new(LINK, ROUTER, DB, "link", WAYS[1])
                },
            ],
            ..Plan::default()
        }
    }

    fn gear(&self) -> Gear {
        Gear {
            stores: Some(&STORES),
            ..Gear::NONE
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen {
            rules: Rules::of(&Values::first(&ReadReplicas)),
            turned: None,
            renewed: false,
            copies: Copies::new(),
            readers: Readers::new(),
            quick: Holds::default(),
            slow: Holds::default(),
            stopped: Holds::default(),
        })
    }

    /// The log is older than time zero, and so is what everybody knows of it.
    fn start(&self, _system: &mut System) {}

    fn can(&self, act: Act, system: &System) -> bool {
        let copies = &system.own::<Seen>().copies;
        let primary = system
            .node(DB)
            .and_then(|live| live.members.get(copies.primary()));
        match act.spec {
            ACT_LONG => copies.long_next.is_none(),
            ACT_CUT => primary.is_some_and(|it| it.down.is_none() && !it.own.isolated),
            ACT_HEAL => isolated(system).is_some(),
            _ => primary.is_some_and(|it| it.down.is_none()),
        }
    }

    fn act(&self, act: Act, system: &mut System, _knobs: &Values, cx: Cx<'_, '_>) {
        let now = cx.now();
        let primary = system.own::<Seen>().copies.primary();
        match act.spec {
            ACT_LONG => {
                system.own_mut::<Seen>().readers.count_from(now);
                let part = copies::part(primary);
                let note = Note::new("long").with(Arg::Span(LONG_REPLAY)).about(part);
                let note = system.say(note.mark(Tone::Learner), cx);
                system.own_mut::<Seen>().copies.long_next = Some(note);
            }
            ACT_CUT => {
                system.own_mut::<Seen>().copies.cut = Some(now);
                system.deed(Deed::Isolate(DB), primary, cx);
            }
            ACT_HEAL => {
                if let Some(member) = isolated(system) {
                    system.deed(Deed::Rejoin(DB), member, cx);
                }
            }
            _ => system.deed(Deed::Crash(DB), primary, cx),
        }
    }

    fn because(&self, _wire: &Wire, draw: &Draw, system: &System) -> &'static str {
        candidates(draw, system).1.word()
    }

    fn allowed(&self, _over: WireId, draw: &Draw, member: usize, system: &System) -> bool {
        let down = |it: usize| {
            let live = system.node(DB).and_then(|live| live.members.get(it));
            live.is_none_or(|it| it.down.is_some())
        };
        !down(member) && candidates(draw, system).0.contains(&member)
    }

    fn sent(&self, call: Key, system: &mut System, now: Time) {
        let Some(frame) = system.frame(call) else {
            return;
        };
        let (number, draw, at) = (frame.number, frame.draw, frame.at().0);
        if at != ROUTER {
            let why = candidates(&draw, system).1;
            let readers = &mut system.own_mut::<Seen>().readers;
            if matches!(why, Why::NoReplica | Why::NoneFresh | Why::AllLate) {
                let why = why.word();
                readers.told.push(Told::FallsBack { number, why });
            }
            return;
        }
        let readers = &mut system.own_mut::<Seen>().readers;
        readers.asks(number, &draw, is_read(&draw), now);
    }

    fn taken(&self, what: Key, system: &mut System, now: Time) {
        let Some(frame) = system.frame(what) else {
            return;
        };
        let (number, member) = (frame.number, frame.at().1);
        let reads = !frame.is_job() && is_read(&frame.draw);
        let seen = system.own_mut::<Seen>();
        if let Some(machine) = seen.copies.machines.get_mut(member) {
            machine.took.add(if reads { READS } else { WRITES }, now);
        }
        if reads {
            let has = (
                seen.copies.group().received(member),
                seen.copies.shown(member),
            );
            seen.readers.sees(number, member, has, now);
        }
    }

    fn parked(&self, call: Key, system: &mut System, cx: Cx<'_, '_>) {
        copies::written(call, system, cx);
    }

    fn job_done(&self, job: &Frame, system: &mut System, cx: Cx<'_, '_>) {
        copies::replayed(job, system, cx);
    }

    fn delivered(&self, parcel: &Parcel, system: &mut System, cx: Cx<'_, '_>) {
        copies::arrived(parcel, system, cx);
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let (who, read) = ((request.number, &request.draw), is_read(&request.draw));
        let seen = system.own_mut::<Seen>();
        let well = request.failed.is_none();
        seen.readers.over(who, read, well, &seen.copies, now);
    }

    fn timer(&self, number: u32, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        copies::timer(number, system, cx);
    }

    fn heard(&self, note: &Note, system: &mut System) {
        if note.word == "crashed"
            && let Some(part) = note.part
        {
            copies::crashed(usize::from(part.number.saturating_sub(1)), system);
        }
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let turned = system.turned;
        let seen = system.own_mut::<Seen>();
        // Several knobs may turn at one moment.
        if seen.turned != Some(turned) || turned == now {
            seen.turned = Some(turned);
            seen.rules = Rules::of(knobs);
            seen.renewed = true;
            seen.readers.count_from(now);
        }
    }

    fn report(&self, system: &mut System, _knobs: &Values, cx: Cx<'_, '_>) {
        copies::follow(system, cx);
        if std::mem::take(&mut system.own_mut::<Seen>().renewed) {
            copies::renew(system, cx);
        }
        let told = std::mem::take(&mut system.own_mut::<Seen>().readers.told);
        for one in told {
            tell(one, system, cx);
        }
        measure(system, cx);
    }
}

/// A machine that is cut off.
fn isolated(system: &System) -> Option<usize> {
    let mut members = system.node(DB)?.members.iter();
    members.position(|it| it.own.isolated)
}

/// Says and measures what became of a read or write; whoever wrote reloads.
fn tell(told: Told, system: &mut System, cx: Cx<'_, '_>) {
    match told {
        Told::Read {
            asked,
            took,
            missing,
            stale,
        } => {
            cx.sample(ALL_READS, 1.0);
            cx.sample_asked(READ_TIME, took.0 as f64, asked);
            if missing {
                cx.sample(MISSING, 1.0);
            }
            if stale {
                cx.sample(STALE, 1.0);
            }
        }
        Told::FallsBack { number, why } => {
            let router = figure::ROUTER_PART;
            let note = Note::new("falls-back").with(Arg::Count(i64::from(number)));
            let note = note.with(Arg::Word(why)).about(router);
            system.say(note.dot(number), cx);
        }
        Told::Write { asked, took } => {
            cx.sample_asked(WRITE_TIME, took.0 as f64, asked);
        }
        Told::Missing {
            number,
            person,
            position,
            shown,
            member,
            arrived,
        } => {
            // Why it was not there, and what that comes from, are older than the answer.
            let before = cx.cause();
            cx.because(system.own::<Seen>().copies.cause(shown));
            let (count, part) = (|n: u64| Arg::Count(n as i64), copies::part(member));
            let note = match arrived {
                true => Note::new("waits-replay").with(count(position - shown)),
                false => Note::new("on-its-way").with(count(position)),
            };
            let note = note.with(Arg::Part(part)).with(count(position));
            let why = system.say(note.about(part).dot(number), cx);
            cx.because(why);
            let user = Arg::Count(i64::from(person) + 1);
            let note = Note::new("misses-own").with(user).with(count(position));
            let note = note.with(Arg::Part(part)).about(figure::RELOADS);
            system.say(note.dot(number), cx);
            cx.because(before);
        }
        Told::Reload {
            person,
            position,
            dice,
        } => {
            let draw = Draw {
                dice: mix64(dice),
                key: position as u32,
                person,
                class: READ_CLASS,
                region: 0,
            };
            system.request(USERS.0, draw, 0, cx);
        }
    }
}

/// Machines that follow the primary, as far as they are to stay.
fn replicas(system: &System) -> impl Iterator<Item = usize> {
    let primary = system.own::<Seen>().copies.primary();
    let live = system.node(DB).into_iter();
    let members = live.flat_map(|live| live.members.iter().enumerate());
    let there = members.filter(move |(member, it)| *member != primary && !it.leaving);
    there.map(|(member, _)| member)
}

/// The age of what the replica shows that is most behind, and least.
fn lags(system: &System, at: Time) -> Option<(Time, Time)> {
    let copies = &system.own::<Seen>().copies;
    let ages = || replicas(system).map(|member| copies.age(member, at));
    ages().max().zip(ages().min())
}

/// Samples lags, and looks for how long things hold that challenges ask for.
fn measure(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let lags = lags(system, now);
    let (most, least) = lags.unwrap_or_default();
    cx.sample(LAG_MOST, most.as_s());
    cx.sample(LAG_LEAST, least.as_s());
    let up = |member: usize| {
        let live = system.node(DB).and_then(|live| live.members.get(member));
        live.is_some_and(|it| it.down.is_none())
    };
    let seen = system.own::<Seen>();
    let (copies, readers, rules) = (&seen.copies, &seen.readers, &seen.rules);
    let tenth = rules.load >= 150.0 && (0.1..=0.9).contains(&rules.share);
    let slow = readers.pace.share(1, PACE, now).unwrap_or(1.0);
    let quick = tenth && lags.is_some() && most < Time::s(1) && slow <= 0.01;
    let three = (0..copies.machines.len()).filter(|it| up(*it)).count() >= 3;
    let stampede = three && rules.load <= 60.0 && readers.read_s > 1.5;
    let stopped = up(copies.primary()) && copies.group().waiting().len() >= 5;
    let stopped = stopped && now.since(readers.written) >= Time::s(1);
    let seen = system.own_mut::<Seen>();
    seen.quick.set(quick, now);
    seen.slow.set(stampede, now);
    seen.stopped.set(stopped, now);
}

/// The shares of a machine's workers that read, and that wrote or replayed, lately.
fn busy(member: usize, system: &System, at: Time) -> [f64; 2] {
    let seen = system.own::<Seen>();
    let work = [READ, seen.rules.write];
    seen.copies.busy(member, work, WORKERS as usize, at)
}

/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(8);

const PLOTS: &[Plot] = &[
    Plot::of(
        "lag",
        &[
            Line::mean("most", LAG_MOST, Ink::Warn).filled(),
            Line::mean("least", LAG_LEAST, Ink::Hit),
        ],
        1.0,
    ),
    Plot::of(
        "reads",
        &[
            Line::mean("all", ALL_READS, Ink::Accent),
            Line::mean("stale", STALE, Ink::Warn).filled(),
            Line::mean("missing", MISSING, Ink::Bad),
        ],
        60.0,
    ),
    Plot::ms(
        "times",
        &[
            Line::quantile("write", WRITE_TIME, 0.5, Ink::Warn),
            Line::quantile("write-slow", WRITE_TIME, 0.99, Ink::Hit),
            Line::quantile("read", READ_TIME, 0.5, Ink::Accent),
            Line::quantile("read-slow", READ_TIME, 0.99, Ink::Ok),
        ],
        500.0,
    ),
];

impl Lesson for ReadReplicas {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Warn),
            (Glyph::Replica, Ink::Warn),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Heartbeat, Ink::Secondary),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        scales: story::SCALES,
        stands_for: figure::STANDS_FOR,
        speed: 0.5,
        twin: ("reads", 4.0),
        still: Time::s(4),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "read-replicas",
                chapter: "data",
                tables: &["replication_lag"],
            },
            || Values::first(&ReadReplicas),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "lessons/data/read_replicas/mod.rs",
            region: "route",
            marks: &[("picked", "(replicas, Why::FreshEnough)")],
        },
        Code {
            file: "algorithms/replication.rs",
            region: "replay",
            marks: &[("replayed", "self.shown += 1")],
        },
        Code {
            file: "algorithms/replication.rs",
            region: "commit",
            marks: &[("answered", "enough.max()")],
        },
        Code {
            file: "algorithms/replica_group.rs",
            region: "promote",
            marks: &[("promoted", "self.log.truncate(head)")],
        },
        Code {
            file: "algorithms/replication.rs",
            region: "token",
            marks: &[("misses-own", "self.written.max(self.read)")],
        },
    ];
}
