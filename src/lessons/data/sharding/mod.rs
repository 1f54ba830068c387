//! Sharding: one table, many machines; which column decides who works?

mod figure;
mod moves;
mod space;
mod story;

#[cfg(test)]
mod tests;

use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Sheet, Time, Tone,
};
use kit::flow::{Holds, Key, Recently};
use kit::system::{
    Arrivals, Call, Crowd, Cx, Deed, Dial, Draw, Frame, Gear, Kind, Node, NodeId, Otherwise, Own,
    Plan, STORES, Script, Service, Spread, Step, System, Values, Wire, WireId, probe,
};
use moves::{Crash, Moves, SHARDS_MAX};
use space::{By, CELEBRITY, Rules, Space};

/// The lesson.
pub struct Sharding;

/// Who orders and asks.
pub const SHOP: NodeId = NodeId(0);
/// Who knows the map.
pub const ROUTER: NodeId = NodeId(1);
/// The machines.
pub const SHARD: NodeId = NodeId(2);
/// Who brings the orders of last year, when somebody lets them.
const IMPORTER: NodeId = NodeId(3);
const DOOR: WireId = WireId(0);
const LINK: WireId = WireId(1);
const SIDE_DOOR: WireId = WireId(2);

const ROUTER_PART: PartId = PartId::one("router");
/// The strip of the key space.
const SPACE: PartId = PartId::one("space");

/// One way to the router, and on through the key space to a shard. Stretched, so that they can be seen.
const WAYS: [Time; 2] = [Time::ms(60), Time::ms(260)];
/// What the router may hold.
const HELD: u32 = 5_000;
const CUSTOMERS: u16 = 200;
/// Classes of requests.
const WRITE: u8 = 0;
const READ: u8 = 1;
const TODAY: u8 = 2;
const IMPORT: u8 = 3;
/// Purposes of draws.
const FAME: u64 = 1 << 32;
const SLOW: u64 = 1 << 33;
/// A slow operation takes so long.
const DRAGS: Time = Time::s(1);
/// What users got is told over this span.
const GOT: Time = Time::s(10);

const DIALS: &[Dial] = &[
    Dial::whole("shards", [1, SHARDS_MAX as u32], 4),
    Dial::choice("by", &["date", "customer", "order", "salt"], 0),
    Dial::slider("load", [0.0, 150.0, 1.0], "/s", 30.0),
    Dial::slider("today", [0.0, 50.0, 1.0], "%", 10.0),
    Dial::slider("celebrity", [0.0, 60.0, 1.0], "%", 0.0),
    Dial::switch("split", false),
    Dial::slider("reads", [0.0, 90.0, 1.0], "%", 30.0),
    Dial::whole("salts", [2, 16], 4),
    Dial::whole("copies", [0, 2], 0),
    Dial::slider("operation", [10.0, 200.0, 5.0], "ms", 50.0),
    Dial::whole("places", [5, 200], 40),
    Dial::slider("timeout", [0.5, 5.0, 0.5], "s", 3.0),
    Dial::slider("slow", [0.0, 5.0, 0.5], "%", 0.0),
    Dial::switch("partial", false),
    Dial::slider("rows-max", [20.0, 200.0, 10.0], "", 60.0),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::aimed("crash", "shard"),
    ActionSpec::aimed("recover", "shard"),
    ActionSpec::whole("add"),
    ActionSpec::whole("remove"),
    ActionSpec::turning("famous", "celebrity", 30.0),
    ActionSpec::aimed("slow", "shard"),
    ActionSpec::whole("import"),
    ActionSpec::whole("friday"),
];

const DEEDS: &[Deed] = &[
    Deed::Crash(SHARD),
    Deed::Recover(SHARD),
    Deed::Own,
    Deed::Own,
    Deed::Turn,
    Deed::Slow(SHARD, 0.3),
    Deed::Own,
    Deed::Surge(SHOP, 2.0, Time::s(15)),
];
const ACT_ADD: usize = 2;
const ACT_REMOVE: usize = 3;

/// Probes of the lesson's own.
const BUSIEST: usize = probe::OWN;
const MEAN: usize = probe::OWN + 1;
const LEAST: usize = probe::OWN + 2;
const CAN: usize = probe::OWN + 3;
const ONE_TIME: usize = probe::OWN + 4;
const TODAY_TIME: usize = probe::OWN + 5;

const PROBES: [Probe; probe::OWN + 6] = [
    Probe::Count,
    Probe::Count,
    Probe::Count,
    Probe::Spread,
    Probe::Level,
    Probe::Count,
    Probe::Count,
    Probe::Level,
    Probe::Level,
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
    /// The table is to be laid out anew.
    anew: bool,
    space: Space,
    moves: Moves,
    /// Shards that have gone down and are to be seen to.
    down: Vec<usize>,
    crash: Option<Crash>,
    /// What users got lately, by class: answers, and failures.
    got: Recently<8>,
    told: Vec<Told>,
    /// The busiest shard's greatest share of the writes of a second, since the third cut.
    hottest: f64,
    /// When a request of a user last failed.
    failed: Time,
    /// Questions for today in a row that one shard answered.
    streak: u32,
    /// A shard that was added: when, and how many there were.
    grew: Option<(Time, usize)>,
    seventy: Holds,
    famous: Holds,
}

/// What is to be said or measured.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// Somebody had the answer of one shard.
    One { asked: Time, took: Time },
    /// Somebody knows all orders of today.
    Today {
        number: u32,
        asked: Time,
        took: Time,
        shards: usize,
        last: usize,
        wait: Time,
    },
}

/// The part of a shard.
const fn shard_part(shard: usize) -> PartId {
    PartId::nth("shard", shard as u16 + 1)
}

/// Whose request this is. A celebrity has a share of all writes and looks.
fn customer(draw: &Draw, rules: &Rules) -> u16 {
    let famous = draw.class <= READ && rules.celebrity > 0.0;
    match famous && draw.unit(FAME) <= rules.celebrity {
        true => CELEBRITY,
        false => draw.person,
    }
}

impl Script for Sharding {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        // The ways are stretched for the eye: nobody waits for that.
        let ways = WAYS.iter().fold(Time::ZERO, |sum, way| sum + *way + *way);
        let call = |over| Call {
            timeout: Some(knobs.s("timeout") + ways),
            ..Call::over(over)
        };
        let rules = Rules::of(knobs);
        let mut shop = Crowd::poisson(rules.load, call(DOOR));
        shop.classes = vec![1.0 - rules.reads - rules.today, rules.reads, rules.today];
        shop.people = CUSTOMERS;
        let mut importer = Crowd::poisson(0.0, call(SIDE_DOOR));
        importer.arrivals = Arrivals::Even { per_s: 20.0 };
        importer.classes = vec![0.0, 0.0, 0.0, 1.0];
        importer.people = CUSTOMERS;
        importer.floods = true;
        let asks = |otherwise| {
            vec![Step::Each(Call {
                otherwise,
                ..Call::over(LINK)
            })]
        };
        let today = match knobs.on("partial") {
            true => Otherwise::Without,
            false => Otherwise::Fail,
        };
        let mut router = Service::new(HELD, 0, Time::ZERO, Spread::Fixed);
        router.programs = [Otherwise::Fail, Otherwise::Fail, today, Otherwise::Fail]
            .map(asks)
            .into();
        let mut shard = Service::new(1, knobs.whole("places"), rules.operation, Spread::Fixed);
        shard.weighs = true;
        Plan {
            nodes: vec![
                Node::one(SHOP, "shop", Kind::Crowd(shop)),
                Node::one(ROUTER, "router", Kind::Service(router)),
                Node::many(SHARD, "shard", Kind::Service(shard), rules.shards),
                Node::one(IMPORTER, "importer", Kind::Crowd(importer)),
            ],
            wires: vec![
                Wire::new(DOOR, SHOP, ROUTER, "door", WAYS[0]),
                Wire {
                    mapped: true,
                    ..Wire::new(LINK, ROUTER, SHARD, "link", WAYS[1])
                },
                Wire::new(SIDE_DOOR, IMPORTER, ROUTER, "door", WAYS[0]),
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
        let rules = Rules::of(&Values::first(&Sharding));
        Box::new(Seen {
            rules,
            turned: None,
            anew: false,
            space: Space::new(&rules),
            moves: Moves::default(),
            down: Vec::new(),
            crash: None,
            got: Recently::new(Time::ZERO),
            told: Vec::new(),
            hottest: 0.0,
            failed: Time::ZERO,
            streak: 0,
            grew: None,
            seventy: Holds::default(),
            famous: Holds::default(),
        })
    }

    /// The table is older than time zero, and so is what is known of it.
    fn start(&self, _system: &mut System) {}

    fn can(&self, act: Act, system: &System) -> bool {
        let there = moves::shards(system);
        let leaves = system
            .own::<Seen>()
            .moves
            .wanted
            .is_some_and(|it| it < there);
        match act.spec {
            ACT_ADD => there < SHARDS_MAX && !leaves,
            ACT_REMOVE => there > 1 && !leaves,
            _ => system.node(IMPORTER).is_some_and(|it| !it.surge.is_on()),
        }
    }

    fn act(&self, act: Act, system: &mut System, _knobs: &Values, cx: Cx<'_, '_>) {
        let there = moves::shards(system);
        match act.spec {
            ACT_ADD => {
                let seen = system.own_mut::<Seen>();
                seen.grew = Some((cx.now(), there));
                seen.moves.moved = 0;
                seen.space.begin_count(&seen.rules, cx.now());
                moves::deal(there + 1, system, cx);
            }
            ACT_REMOVE => moves::deal(there - 1, system, cx),
            _ => {
                let note = Note::new("import").about(SPACE).mark(Tone::Warn);
                let note = system.say(note, cx);
                cx.because(note);
                system.deed(Deed::Surge(IMPORTER, 2.0, Time::s(10)), 0, cx);
            }
        }
    }

    fn spreads(&self, key: Key, system: &mut System, cx: Cx<'_, '_>) -> u8 {
        let Some(frame) = system.frame(key) else {
            return 0;
        };
        let (number, draw) = (frame.number, frame.draw);
        let Seen { rules, space, .. } = system.own_mut();
        let asked = space.ask(number, draw.class, customer(&draw, rules), rules, cx.now());
        let (many, row) = (asked.targets.len(), asked.row);
        let customer = Arg::Count(i64::from(row.customer) + 1);
        let note = Note::new(match (many, rules.by) {
            (2.., _) => "many",
            (_, By::Date) => "range",
            _ => "slot",
        });
        let note = note.with(Arg::Count(i64::from(number)));
        let note = if many > 1 {
            note.with(Arg::Count(many as i64))
        } else if rules.by == By::Date {
            let piece = space.map.pieces()[space.map.place_of(row.key)].id;
            note.with(customer).with(Arg::Count(i64::from(piece)))
        } else {
            note.with(customer).with(Arg::Count(row.key as i64))
        };
        let note = system.say(note.about(ROUTER_PART).dot(number), cx);
        cx.because(note);
        many as u8
    }

    fn picks(&self, _over: WireId, call: &Frame, system: &System) -> Option<usize> {
        let asked = system.own::<Seen>().space.asked(call.number)?;
        Some(asked.targets.get(call.branch())?.shard)
    }

    fn because(&self, _wire: &Wire, draw: &Draw, system: &System) -> &'static str {
        let by = system.own::<Seen>().rules.by;
        match (draw.class, by) {
            (TODAY, By::Date) => "because.today",
            (TODAY, _) | (READ, By::Order) => "because.part",
            _ => "because.owns",
        }
    }

    fn weighs(&self, call: Key, work: Time, system: &mut System, _now: Time) -> Time {
        let Some(frame) = system.frame(call) else {
            return work;
        };
        let slow = system.own::<Seen>().rules.slow;
        let shard = frame.at().1 as u64;
        let drags = !frame.is_job() && slow > 0.0 && frame.draw.unit(SLOW + shard) <= slow;
        if drags { DRAGS } else { work }
    }

    fn job_done(&self, job: &Frame, system: &mut System, cx: Cx<'_, '_>) {
        moves::job_done(job, system, cx);
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let seen = system.own_mut::<Seen>();
        let asked = seen.space.over(request.number);
        let (class, failed) = (request.draw.class, request.failed.is_some());
        // What was asked before all was laid out anew says nothing of how it is now.
        if request.asked >= seen.space.laid {
            let kind = usize::from(class % 4) * 2 + usize::from(failed);
            seen.got.add(kind, now);
        }
        if failed {
            seen.failed = now;
        }
        if let Some(crash) = &mut seen.crash
            && request.asked >= crash.at
        {
            let after = request.asked.since(crash.at);
            for (count, span) in [(&mut crash.soon, moves::DOWN), (&mut crash.later, GOT)] {
                if after <= span {
                    count.0 += 1;
                    count.1 += u32::from(failed);
                }
            }
        }
        let took = now.since(request.asked).since(request.travelled());
        let today = class == TODAY;
        let alone = asked.as_ref().is_some_and(|it| it.targets.len() == 1);
        if today || failed {
            seen.streak = if alone && !failed { seen.streak + 1 } else { 0 };
        }
        let Some(asked) = asked.filter(|_| !failed) else {
            return;
        };
        seen.told.push(match (today, asked.last) {
            (true, Some((last, at))) => Told::Today {
                number: request.number,
                asked: request.asked,
                took,
                shards: asked.targets.len(),
                last,
                wait: at.since(asked.since).since(WAYS[1]),
            },
            _ => Told::One {
                asked: request.asked,
                took,
            },
        });
    }

    fn timer(&self, number: u32, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        moves::comes_back(number as usize, system, cx);
    }

    fn heard(&self, note: &Note, system: &mut System) {
        let Some(part) = note.part.filter(|part| part.kind == "shard") else {
            return;
        };
        let shard = usize::from(part.number.saturating_sub(1));
        let now = system.now;
        let seen = system.own_mut::<Seen>();
        match note.word {
            "answered" => seen.space.done(note.dot, shard, true, now),
            "overflow" | "refused" | "lost" => seen.space.done(note.dot, shard, false, now),
            "crashed" => seen.down.push(shard),
            _ => {}
        }
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let turned = system.turned;
        let seen = system.own_mut::<Seen>();
        // Several knobs may turn at one moment.
        if seen.turned == Some(turned) && turned != now {
            return;
        }
        let (old, new) = (seen.rules, Rules::of(knobs));
        seen.turned = Some(turned);
        if old == new {
            return;
        }
        seen.rules = new;
        let laid = |rules: &Rules| (rules.by, rules.shards, rules.salts);
        // Ranges that are no longer cut begin anew as well.
        seen.anew |= laid(&old) != laid(&new) || (old.splits && !new.splits);
        seen.moves.cuts = 0;
        seen.hottest = 0.0;
        seen.streak = 0;
        seen.space.begin_count(&new, now);
    }

    fn report(&self, system: &mut System, _knobs: &Values, cx: Cx<'_, '_>) {
        if std::mem::take(&mut system.own_mut::<Seen>().anew) {
            lay_out(system, cx);
        }
        for shard in std::mem::take(&mut system.own_mut::<Seen>().down) {
            moves::crashed(shard, system, cx);
        }
        moves::follow(system, cx);
        for one in std::mem::take(&mut system.own_mut::<Seen>().told) {
            tell(one, system, cx);
        }
        measure(system, cx);
    }
}

/// Another key or another number of shards: all rows are laid out anew at once.
fn lay_out(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let seen = system.own_mut::<Seen>();
    let rules = seen.rules;
    seen.space.lay_out(&rules, now);
    seen.got.restart(now);
    seen.moves = Moves::default();
    seen.grew = None;
    system.scale(SHARD, rules.shards, cx);
    let note = Note::new("laid-out").with(Arg::Count(rules.shards as i64));
    system.say(note.about(SPACE), cx);
}

/// Says and measures what became of a request.
fn tell(told: Told, system: &mut System, cx: Cx<'_, '_>) {
    match told {
        Told::One { asked, took } => cx.sample_asked(ONE_TIME, took.0 as f64, asked),
        Told::Today {
            number,
            asked,
            took,
            shards,
            last,
            wait,
        } => {
            cx.sample_asked(TODAY_TIME, took.0 as f64, asked);
            let part = shard_part(last);
            let note = Note::new("today").with(Arg::Count(shards as i64));
            let note = note.with(Arg::Span(wait)).with(Arg::Part(part));
            system.say(note.about(figure::ASKED).dot(number), cx);
        }
    }
}

/// Samples what shards were asked, and looks for how long things hold that challenges ask for.
fn measure(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let there = moves::shards(system);
    let Seen { rules, space, .. } = system.own();
    let (mut most, mut least, mut sum) = (0.0_f64, f64::MAX, 0.0);
    for shard in 0..there {
        let rate = space.rate(shard, now);
        (most, least, sum) = (most.max(rate), least.min(rate), sum + rate);
    }
    cx.sample(BUSIEST, most);
    cx.sample(LEAST, least.min(most));
    cx.sample(MEAN, sum / there.max(1) as f64);
    cx.sample(CAN, rules.each());
    let seen = system.own_mut::<Seen>();
    if seen.moves.cuts >= 3
        && let Some(share) = seen.space.writes_of_busiest(now)
    {
        seen.hottest = seen.hottest.max(share);
    }
    let calm = seen.failed < now;
    let rules = seen.rules;
    let seventy = rules.load >= 70.0 && there <= 8 && rules.today >= 0.1;
    seen.seventy.set(calm && seventy, now);
    let famous = rules.load >= 60.0 && rules.celebrity >= 0.3;
    seen.famous.set(calm && famous, now);
}

/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(15);

const PLOTS: &[Plot] = &[
    Plot::of(
        "work",
        &[
            Line::mean("busiest", BUSIEST, Ink::Warn).filled(),
            Line::mean("mean", MEAN, Ink::Accent),
            Line::mean("least", LEAST, Ink::Hit),
            Line::mean("can", CAN, Ink::Secondary),
        ],
        35.0,
    ),
    Plot::ms(
        "times",
        &[
            Line::quantile("one", ONE_TIME, 0.99, Ink::Accent),
            Line::quantile("all-today", TODAY_TIME, 0.99, Ink::Warn),
        ],
        500.0,
    ),
    Plot::of(
        "fails",
        &[Line::mean("failed", probe::FAILED, Ink::Bad).filled()],
        15.0,
    ),
];

impl Lesson for Sharding {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Hit),
            (Glyph::Request, Ink::Warn),
            (Glyph::Message, Ink::Secondary),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        stands_for: figure::STANDS_FOR,
        speed: 0.5,
        twin: ("by", 1.0),
        still: Time::s(4),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "sharding",
                chapter: "data",
                tables: &["sharding_hotspots", "hash_slots_redis_cluster"],
            },
            || Values::first(&Sharding),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "lessons/data/sharding/space.rs",
            region: "ask",
            marks: &[
                ("many", "(TODAY, _) | (READ, By::Order)"),
                ("picked", "_ => vec![one(row.key)]"),
            ],
        },
        Code {
            file: "algorithms/shard_map.rs",
            region: "place",
            marks: &[("slot", "partition_point"), ("range", "partition_point")],
        },
        Code {
            file: "lessons/data/sharding/space.rs",
            region: "cut",
            marks: &[("cut-in-two", "self.map.split(place, at)")],
        },
        Code {
            file: "algorithms/shard_map.rs",
            region: "move",
            marks: &[("moves", "(counts[most] > counts[least] + 1)")],
        },
        Code {
            file: "lessons/data/sharding/moves.rs",
            region: "moved",
            marks: &[("moved", "seen.space.map.give(place, it.to)")],
        },
    ];
}
