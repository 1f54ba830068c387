//! Monolith and microservices: the same modules in one process or in four.

mod figure;
mod shop;
mod story;

#[cfg(test)]
mod tests;

use algorithms::balancer::Policy;
use algorithms::hash::mix64;
use engine::tape::NoteId;
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Sheet, Statistic, Time, Tone,
};
use kit::flow::Key;
use kit::system::{
    Call, Crowd, Cx, Deed, Dial, Draw, Event, Frame, Gate, Kind, Life, Node, NodeId, Otherwise,
    Own, Plan, Script, Service, Spread, Step, System, Values, Wire, WireId, probe,
};
use shop::{
    History, LATELY, Outage, Phase, Seen, at_payment, committed, holder, module, processes,
};

/// The lesson.
pub struct MonolithMicroservices;

/// Who looks for products.
pub const BROWSERS: NodeId = NodeId(0);
/// Who buys.
pub const BUYERS: NodeId = NodeId(1);
/// Who shares requests out.
pub const BALANCER: NodeId = NodeId(2);
/// Processes with all four modules.
pub const BOXES: NodeId = NodeId(3);
/// Processes of one module each.
pub const SEARCH: NodeId = NodeId(4);
/// See [`SEARCH`].
pub const PRODUCT: NodeId = NodeId(5);
/// See [`SEARCH`].
pub const ORDER: NodeId = NodeId(6);
/// See [`SEARCH`].
pub const PAYMENT: NodeId = NodeId(7);
/// The one database, with a single writer.
pub const SHARED: NodeId = NodeId(8);
/// Order's own database.
pub const ORDER_DB: NodeId = NodeId(9);
/// Payment's own database.
pub const PAYMENT_DB: NodeId = NodeId(10);
/// Modules in the order of the grid's rows: services that have one each.
pub const MODULES: [NodeId; 4] = [SEARCH, PRODUCT, ORDER, PAYMENT];
const PARTS: [&str; 4] = ["search", "product", "order", "payment"];

const IN: [WireId; 2] = [WireId(0), WireId(1)];
const TO_BOX: WireId = WireId(2);
const TO_SEARCH: WireId = WireId(3);
const TO_ORDER: WireId = WireId(4);
/// Past a Search that is not needed.
const PAST: WireId = WireId(5);
const SEARCH_PRODUCT: WireId = WireId(6);
const ORDER_PRODUCT: WireId = WireId(7);
const ORDER_PAYMENT: WireId = WireId(8);
const BOX_DB: WireId = WireId(9);
const SHARED_DB: WireId = WireId(10);
const ORDERS: WireId = WireId(11);
const PAYMENTS: WireId = WireId(12);

/// Classes of requests.
const BROWSE: u8 = 0;
const BUY: u8 = 1;
const HISTORY: u8 = 2;

/// The knob `design`.
pub const MONOLITH: u32 = 0;
/// See [`MONOLITH`].
pub const OWN_DATA: u32 = 1;
/// See [`MONOLITH`].
pub const ONE_DATABASE: u32 = 2;

/// Columns of the grid there is room for.
pub const MOST: usize = 8;
/// One way from users to the balancer, and from there to a process: stretched so that it can be seen. Waits leave it out.
const ENTRY: Time = Time::ms(60);
/// What a module works on a request, on average.
const WORK: [Time; 4] = [Time::ms(400), Time::ms(100), Time::ms(200), Time::ms(200)];
/// Requests differ from that by up to this share, drawn by module.
const DIFFERS: f64 = 0.25;
const DRAW: u64 = 300;
/// Requests that may wait at a process, and at a database.
const PLACES: u32 = 6;
const WRITES: u32 = 1_000;
/// Orders in a history. One database joins them with their products in a moment; so does Order read its own rows.
const ROWS: usize = 20;
const JOIN: Time = Time::ms(50);
/// What Product works on one row, and on twenty at once.
const ROW: Time = Time::ms(5);
const BATCH: Time = Time::ms(20);
/// Memory of a process, and of each module in it, in MB.
const BASE_MB: u32 = 300;
const MODULE_MB: u32 = 200;
/// Product is down for so long.
const OUTAGE: Time = Time::s(5);
/// A new version is tested for so long before it is deployed: all modules together, or one service.
const TESTS: [Time; 2] = [Time::s(20), Time::s(5)];
const WARM_UP: Time = Time::s(12);

const DIALS: &[Dial] = &[
    Dial::choice("design", &["monolith", "own", "one"], 0),
    Dial::whole("copies", [1, 5], 3),
    Dial::slider("browse", [0.0, 20.0, 1.0], "req/s", 5.0),
    Dial::slider("buy", [0.0, 20.0, 1.0], "req/s", 2.0),
    Dial::slider("hop", [1.0, 100.0, 1.0], "ms", 30.0),
    Dial::choice("rows", &["each", "batch"], 0),
    Dial::slider("leak", [0.0, 20.0, 1.0], "%", 8.0),
    Dial::whole("more", [0, 3], 0),
    Dial::slider("write", [10.0, 300.0, 10.0], "ms", 150.0),
    Dial::whole("workers", [1, 8], 2),
    Dial::slider("timeout", [0.5, 10.0, 0.5], "s", 2.0),
    Dial::slider("restart-box", [1.0, 30.0, 1.0], "s", 6.0),
    Dial::slider("restart-service", [0.5, 10.0, 0.5], "s", 2.0),
    Dial::choice("search", &["needed", "optional"], 0),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::turning("leak", "leak", 8.0),
    ActionSpec::turning("mend", "leak", -20.0),
    ActionSpec::whole("kill-product"),
    ActionSpec::whole("deploy"),
    ActionSpec::whole("history"),
    ActionSpec::whole("crash-payment"),
    ActionSpec::whole("rename"),
    ActionSpec::whole("deploy-payment"),
    ActionSpec::whole("fresh"),
];
const DEEDS: &[Deed] = &{
    let mut all = [Deed::Own; 9];
    (all[0], all[1]) = (Deed::Turn, Deed::Turn);
    all
};
/// The places of the lesson's own deeds.
const KILL: usize = 2;
const DEPLOY: usize = 3;
const ASK_HISTORY: usize = 4;
const CRASH: usize = 5;
const RENAME: usize = 6;
const DEPLOY_PAYMENT: usize = 7;

/// Timers.
const PRODUCT_BACK: u32 = 1;
const TESTED: u32 = 2;

// region: programs
/// What each process does for a browse, a purchase and an order history: boxes first, then the four services.
fn programs(knobs: &Values) -> [Vec<Vec<Step>>; 5] {
    let [search, product, order, payment] = WORK.map(Step::Work);
    let ask = |over: WireId| {
        let timeout = Some(knobs.s("timeout"));
        Step::Call(Call {
            timeout,
            ..Call::over(over)
        })
    };
    let write = |over: WireId| Step::Call(Call::over(over));
    let list = vec![Step::Work(JOIN)];
    let a_box = vec![
        vec![search.clone(), product.clone()],
        vec![
            order.clone(),
            product.clone(),
            payment.clone(),
            write(BOX_DB),
        ],
        list.clone(),
    ];
    let own = knobs.whole("design") == OWN_DATA;
    let (calls, rows) = match knobs.whole("rows") {
        0 => (ROWS, ROW),
        _ => (1, BATCH),
    };
    let mut buy = vec![order, ask(ORDER_PRODUCT)];
    let mut history = list;
    let pay = if own {
        buy.push(write(ORDERS));
        history.extend((0..calls).map(|_| ask(ORDER_PRODUCT)));
        vec![payment, write(PAYMENTS)]
    } else {
        vec![payment, write(SHARED_DB)]
    };
    buy.push(ask(ORDER_PAYMENT));
    let searches = vec![search, ask(SEARCH_PRODUCT)];
    let shows = vec![vec![product.clone()], vec![product], vec![Step::Work(rows)]];
    let orders = vec![Vec::new(), buy, history];
    [a_box, vec![searches], shows, orders, vec![pay]]
}
// endregion

impl Script for MonolithMicroservices {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let design = knobs.whole("design");
        let boxed = design == MONOLITH;
        let mut users = [
            Crowd::poisson(knobs.get("browse"), Call::over(IN[0])),
            Crowd::poisson(knobs.get("buy"), Call::over(IN[1])),
        ];
        users[1].classes = vec![0.0, 1.0];
        if knobs.whole("search") == 1 && !boxed {
            users[0].programs = vec![vec![Step::Call(Call {
                otherwise: Otherwise::Call(PAST),
                ..Call::over(IN[0])
            })]];
        }
        let gate = Gate {
            routes: match boxed {
                true => vec![TO_BOX],
                false => vec![TO_SEARCH, TO_ORDER],
            },
            filters: true,
            ..Gate::default()
        };
        let [browsers, buyers] = users.map(Kind::Crowd);
        let mut nodes = vec![
            Node::one(BROWSERS, "users", browsers),
            Node::one(BUYERS, "users", buyers),
            Node::one(BALANCER, "balancer", Kind::Gate(gate)),
        ];
        // All processes are always there, so that requests inside finish under the borders that they came in by. Those of
        // another design are not counted: nobody is told of them.
        let of_process = [BOXES].into_iter().chain(MODULES).zip(programs(knobs));
        for ((id, program), part) in of_process.zip(["box"].into_iter().chain(PARTS)) {
            let copies = knobs.whole("copies") as usize;
            let more = knobs.whole("more") as usize;
            let grows = id == BOXES || id == SEARCH;
            let counted = (id == BOXES) == boxed;
            let restart = match id {
                BOXES => knobs.s("restart-box"),
                _ => knobs.s("restart-service"),
            };
            let kind = Service {
                weighs: true,
                programs: program,
                ..Service::new(knobs.whole("workers"), PLACES, Time::ZERO, Spread::Fixed)
            };
            let life = match counted {
                true => Life {
                    boot: restart,
                    restart: Some(restart),
                    ..Life::default()
                },
                false => Life::default(),
            };
            nodes.push(Node {
                counted,
                life,
                members: copies + if grows { more } else { 0 },
                ..Node::one(id, part, Kind::Service(kind))
            });
        }
        let write = knobs.ms("write");
        for (id, part, takes) in [
            (SHARED, "database", write),
            (ORDER_DB, "order-db", Time(write.0 / 2)),
            (PAYMENT_DB, "payment-db", Time(write.0 / 2)),
        ] {
            let kind = Service {
                skips_left: true,
                ..Service::new(1, WRITES, takes, Spread::Fixed)
            };
            nodes.push(Node::one(id, part, Kind::Service(kind)));
        }
        let hop = knobs.ms("hop");
        let wire = |id: WireId, from: NodeId, to: NodeId, part, travel| Wire {
            policy: Policy::LeastConnections,
            told: true,
            ..Wire::new(id, from, to, part, travel)
        };
        Plan {
            nodes,
            wires: vec![
                wire(IN[0], BROWSERS, BALANCER, "door", ENTRY),
                wire(IN[1], BUYERS, BALANCER, "door", ENTRY),
                wire(TO_BOX, BALANCER, BOXES, "way", ENTRY),
                wire(TO_SEARCH, BALANCER, SEARCH, "way", ENTRY),
                wire(TO_ORDER, BALANCER, ORDER, "way", ENTRY),
                wire(PAST, BROWSERS, PRODUCT, "way", Time(2 * ENTRY.0)),
                wire(SEARCH_PRODUCT, SEARCH, PRODUCT, "links", hop),
                wire(ORDER_PRODUCT, ORDER, PRODUCT, "links", hop),
                wire(ORDER_PAYMENT, ORDER, PAYMENT, "links", hop),
                wire(BOX_DB, BOXES, SHARED, "way", Time::ZERO),
                wire(SHARED_DB, PAYMENT, SHARED, "way", Time::ZERO),
                wire(ORDERS, ORDER, ORDER_DB, "way", Time::ZERO),
                wire(PAYMENTS, PAYMENT, PAYMENT_DB, "way", Time::ZERO),
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
        // Windows stay full; what leaks begins to leak now.
        system.own_mut::<Seen>().begin();
    }

    fn can(&self, act: Act, system: &System) -> bool {
        let seen = system.own::<Seen>();
        match act.spec {
            KILL => seen.outage.is_none_or(|outage| outage.over),
            DEPLOY => seen.deploy.is_none(),
            CRASH => !seen.armed,
            RENAME => !seen.is_renamed(),
            DEPLOY_PAYMENT => seen.is_renamed() && seen.design == ONE_DATABASE,
            _ => true,
        }
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let design = knobs.whole("design");
        let tell = |word: &'static str, part: &'static str, tone: Tone| {
            Note::new(word).about(PartId::one(part)).mark(tone)
        };
        match act.spec {
            KILL => kill_product(system, design, cx),
            DEPLOY => {
                let tests = TESTS[usize::from(design != MONOLITH)];
                let until = cx.now() + tests;
                system.own_mut::<Seen>().deploy = Some(Phase::Tests(until));
                let note = tell("tests", "balancer", Tone::Plain).with(Arg::Span(tests));
                system.say(note.begins("deploy", 0), cx);
                cx.schedule(tests, Event::Timer(TESTED));
            }
            ASK_HISTORY => {
                let number = system.requests() + 1;
                system.own_mut::<Seen>().history = Some(History {
                    number,
                    calls: 0,
                    took: None,
                    own_data: design == OWN_DATA,
                });
                let note = tell("asks-history", "users", Tone::Learner);
                let note = system.say(note.with(Arg::Count(ROWS as i64)), cx);
                cx.because(note);
                let draw = Draw {
                    dice: mix64(u64::from(number)),
                    class: HISTORY,
                    ..Draw::default()
                };
                system.request(BUYERS.0, draw, 0, cx);
            }
            CRASH => system.own_mut::<Seen>().armed = true,
            RENAME => {
                let word = ["renamed-box", "renamed-own", "renamed-one"][design.min(2) as usize];
                let part = match design {
                    OWN_DATA => "order-db",
                    _ => "database",
                };
                let tone = match design {
                    ONE_DATABASE => Tone::Bad,
                    _ => Tone::Ok,
                };
                let note = system.say(tell(word, part, tone), cx);
                let seen = system.own_mut::<Seen>();
                (seen.renamed, seen.misread) = (Some((design, note)), 0);
            }
            DEPLOY_PAYMENT => {
                system.own_mut::<Seen>().renamed = None;
                system.say(tell("payment-follows", "database", Tone::Ok), cx);
            }
            _ => {
                // What was under way is over with it.
                let seen = system.own::<Seen>();
                let (out, deploys) = (seen.outage, seen.deploy.is_some());
                if out.is_some_and(|outage| !outage.over) {
                    let note = tell("product-back", "balancer", Tone::Ok);
                    system.say(note.ends("product", 0), cx);
                }
                let note = tell("fresh", "balancer", Tone::Learner);
                let note = match deploys {
                    true => note.ends("deploy", 0),
                    false => note,
                };
                let note = system.say(note, cx);
                let all = [BOXES].into_iter().chain(MODULES);
                for node in all.chain([SHARED, ORDER_DB, PAYMENT_DB]) {
                    for member in 0..members(system, node) {
                        cx.because(note);
                        if is_down(system, node, member) {
                            system.deed(Deed::Recover(node), member, cx);
                        } else if holds(system, node, member) {
                            system.deed(Deed::Flush(node), member, cx);
                        }
                    }
                }
                system.own_mut::<Seen>().fresh(cx.now());
            }
        }
    }

    fn timer(&self, number: u32, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        let now = cx.now();
        let seen = system.own_mut::<Seen>();
        match (number, seen.outage, seen.deploy) {
            (TESTED, _, Some(Phase::Tests(until))) if until == now => {
                seen.deploy = Some(Phase::Drains(0));
                let part = PartId::one("balancer");
                system.say(Note::new("tested").about(part), cx);
            }
            (PRODUCT_BACK, Some(outage), _) if now == outage.began + OUTAGE => {
                seen.outage = Some(Outage {
                    over: true,
                    ..outage
                });
                let note = Note::new("product-back").about(PartId::one("balancer"));
                let note = system.say(note.mark(Tone::Ok).ends("product", 0), cx);
                for member in 0..members(system, PRODUCT) {
                    if is_down(system, PRODUCT, member) {
                        cx.because(note);
                        system.deed(Deed::Recover(PRODUCT), member, cx);
                    }
                }
            }
            _ => {}
        }
    }

    fn allowed(&self, over: WireId, _: &Draw, member: usize, system: &System) -> bool {
        let drains = system.own::<Seen>().deploy == Some(Phase::Drains(member));
        !drains || (over != TO_BOX && over != TO_SEARCH)
    }

    fn sent(&self, call: Key, system: &mut System, _: Time) {
        let Some(&Frame { number, leg, .. }) = system.frame(call) else {
            return;
        };
        if ![SEARCH_PRODUCT, ORDER_PRODUCT, ORDER_PAYMENT].contains(&leg.on) {
            return;
        }
        let seen = system.own_mut::<Seen>();
        seen.links(number, leg.to.since(leg.from));
        if let Some(history) = seen.history.as_mut().filter(|it| it.number == number) {
            history.calls += 1;
        }
    }

    fn taken(&self, what: Key, system: &mut System, now: Time) {
        let Some(frame) = system.frame(what).filter(|_| now >= WARM_UP) else {
            return;
        };
        let ((node, member), class) = (frame.at(), frame.draw.class);
        if (node == BOXES || node == SEARCH) && class == BROWSE {
            system.own_mut::<Seen>().searches(member);
        }
    }

    fn weighs(&self, call: Key, work: Time, system: &mut System, _: Time) -> Time {
        let Some((frame, module)) = system.frame(call).and_then(|it| Some((it, module(it)?)))
        else {
            return work;
        };
        if frame.draw.class == HISTORY {
            return work;
        }
        // Drawn by module and not by process, so that twins work alike.
        let unit = frame.draw.unit(DRAW + module as u64);
        Time((work.0 as f64 * (1.0 + DIFFERS * (2.0 * unit - 1.0))) as u64)
    }

    fn throws(&self, call: Key, system: &System) -> Option<NoteId> {
        let seen = system.own::<Seen>();
        let broken = seen.outage.filter(|outage| !outage.over);
        let misreads = seen
            .renamed
            .filter(|it| it.0 == ONE_DATABASE && seen.is_renamed());
        if broken.is_none() && misreads.is_none() {
            return None;
        }
        let frame = system.frame(call)?;
        let broken = broken.filter(|_| module(frame) == Some(1));
        let misreads = misreads.filter(|_| frame.at().0 == PAYMENT);
        broken.map(|it| it.note).or(misreads.map(|it| it.1))
    }

    fn heard(&self, note: &Note, system: &mut System) {
        let now = system.now;
        match note.word {
            "answered" => {
                if let Some((database, number)) = committed(note, system) {
                    system.own_mut::<Seen>().commits(database, number, now);
                }
            }
            "fails-it" if note.part.is_some_and(|part| part.kind == "payment") => {
                system.own_mut::<Seen>().misread += 1;
            }
            _ => {}
        }
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        system.own_mut::<Seen>().over(request, now);
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let turned = system.turned;
        let seen = system.own_mut::<Seen>();
        if seen.turned != Some(turned) || turned == now {
            seen.turned = Some(turned);
            seen.heed(Rules::of(knobs), now);
        }
        let rules = seen.rules;
        seen.sells.set(rules.sells, now);
        let counted = seen.counted(now) >= LATELY;
        let quick = |seen: &Seen| seen.median(0).is_some_and(|it| it <= Time::ms(560));
        let quick = rules.light && counted && quick(seen);
        seen.quick.set(quick, now);
        seen.ten.set(counted && seen.pays_per_s(now) >= 9.5, now);
        let well = |seen: &Seen| seen.ended(0, now) >= 110 && seen.share(0, 2, now) <= 0.01;
        let only_search = rules.lean && counted && well(seen);
        seen.only_search.set(only_search, now);
    }

    fn report(&self, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        for (kind, took) in std::mem::take(&mut system.own_mut::<Seen>().news) {
            if let Some(took) = took {
                cx.sample(OK[kind], 1.0);
                cx.sample(TOOK[kind], took.0 as f64);
            }
        }
        let writes = [SHARED, ORDER_DB, PAYMENT_DB].map(|db| system.waiting_at(db, 0));
        cx.sample(WAITS, writes.iter().sum::<usize>() as f64);
        let mb = system.own::<Seen>().rules.mb;
        cx.sample(GB, f64::from(mb) / 1_000.0);
        run_out(system, cx);
        if system.own::<Seen>().armed
            && let Some((node, member)) = at_payment(system)
        {
            system.own_mut::<Seen>().armed = false;
            let part = part_of(system, node, member);
            let note = Note::new("payment-dies").with(Arg::Part(part)).about(part);
            let note = system.say(note.mark(Tone::Bad), cx);
            cx.because(note);
            restart(system, node, member, cx);
        }
        deploy(system, cx);
    }
}

fn part_of(system: &System, node: NodeId, member: usize) -> PartId {
    let live = system.node(node);
    live.map_or(PartId::one("box"), |live| live.node.part_of(member))
}

fn members(system: &System, node: NodeId) -> usize {
    system.node(node).map_or(0, |live| live.members.len())
}

/// Whether a process has anything inside.
fn holds(system: &System, node: NodeId, member: usize) -> bool {
    let it = system.node(node).and_then(|live| live.members.get(member));
    it.is_some_and(|it| !it.own.pool.is_empty())
}

fn is_down(system: &System, node: NodeId, member: usize) -> bool {
    let it = system.node(node).and_then(|live| live.members.get(member));
    it.is_none_or(|it| it.down.is_some())
}

/// A process loses what it holds and starts again, with empty memory.
fn restart(system: &mut System, node: NodeId, member: usize, cx: Cx<'_, '_>) {
    let seen = system.own_mut::<Seen>();
    if holder(seen.design) == node
        && let Some(memory) = seen.memory.get_mut(member)
    {
        *memory = 0.0;
    }
    system.deed(Deed::Restart(node), member, cx);
}

// region: memory
/// Processes whose memory is full are killed, with all that is in them.
fn run_out(system: &mut System, cx: Cx<'_, '_>) {
    let node = holder(system.own::<Seen>().design);
    for column in 0..MOST {
        if !system.own::<Seen>().is_full(column) || is_down(system, node, column) {
            continue;
        }
        system.own_mut::<Seen>().killed += 1;
        let part = part_of(system, node, column);
        let note = Note::new("out-of-memory").with(Arg::Part(part));
        let note = system.say(note.about(part).mark(Tone::Bad), cx);
        cx.because(note);
        restart(system, node, column, cx);
    }
}
// endregion

/// A deploy goes on: each process is drained, then starts with the new version.
fn deploy(system: &mut System, cx: Cx<'_, '_>) {
    let seen = system.own::<Seen>();
    let node = holder(seen.design);
    let count = members(system, node);
    let next = match seen.deploy {
        Some(Phase::Drains(column)) if column >= count => {
            let note = Note::new("deployed").about(PartId::one("balancer"));
            system.say(note.mark(Tone::Ok).ends("deploy", 0), cx);
            None
        }
        Some(Phase::Drains(column)) => {
            let down = is_down(system, node, column);
            let at = (node, column);
            if !down && system.frames().any(|(_, frame)| frame.at() == at) {
                return;
            }
            if !down {
                restart(system, node, column, cx);
            }
            if let Some(fixed) = system.own_mut::<Seen>().fixed.get_mut(column) {
                *fixed = true;
            }
            Some(Phase::Starts(column))
        }
        Some(Phase::Starts(column)) if !is_down(system, node, column) => {
            Some(Phase::Drains(column + 1))
        }
        _ => return,
    };
    system.own_mut::<Seen>().deploy = next;
}

fn kill_product(system: &mut System, design: u32, cx: Cx<'_, '_>) {
    let word = match design {
        MONOLITH => "product-throws",
        _ => "product-down",
    };
    let note = Note::new(word).with(Arg::Span(OUTAGE));
    let note = note.about(PartId::one("balancer")).mark(Tone::Bad);
    let note = system.say(note.begins("product", 0), cx);
    system.own_mut::<Seen>().outage = Some(Outage {
        began: cx.now(),
        over: false,
        note,
        ended: [0; 2],
        failed: [0; 2],
    });
    cx.schedule(OUTAGE, Event::Timer(PRODUCT_BACK));
    for member in (0..members(system, PRODUCT)).filter(|_| design != MONOLITH) {
        cx.because(note);
        system.deed(Deed::Crash(PRODUCT), member, cx);
    }
}

/// Processes of a design, by its knobs, and their memory.
fn size(knobs: &Values, more: u32) -> (u32, u32) {
    let copies = knobs.whole("copies");
    let (processes, modules) = match knobs.whole("design") {
        MONOLITH => (copies + more, 4),
        _ => (4 * copies + more, 1),
    };
    (processes, processes * (BASE_MB + modules * MODULE_MB))
}

/// What knobs mean for what is remembered; reckoned up when one is turned.
#[derive(Clone, Copy, Debug, Default)]
struct Rules {
    design: u32,
    /// Memory that a search leaks, in percent.
    leak: f64,
    /// Memory of all processes.
    mb: u32,
    /// There is a leak, and enough is bought.
    sells: bool,
    /// The usual load and no leak, with little memory.
    light: bool,
    /// Many browse, and not much has been added for it.
    lean: bool,
}

impl Rules {
    fn of(knobs: &Values) -> Rules {
        let (browse, buy, leak) = (knobs.get("browse"), knobs.get("buy"), knobs.get("leak"));
        let mb = size(knobs, knobs.whole("more")).1;
        let more = mb - size(knobs, 0).1;
        let usual = knobs.whole("copies") == 3 && knobs.whole("workers") == 2;
        Rules {
            design: knobs.whole("design"),
            leak,
            mb,
            sells: leak >= 8.0 && buy >= 2.0 && browse >= 5.0,
            light: browse == 5.0 && buy == 2.0 && mb <= 3_500 && leak == 0.0,
            lean: browse >= 13.0 && usual && more <= 1_200,
        }
    }
}

/// Probes of the lesson's own, by kind: answers a second, and how long they took; writes that wait; memory.
const OK: [usize; 2] = [probe::OWN, probe::OWN + 1];
const TOOK: [usize; 2] = [probe::OWN + 2, probe::OWN + 3];
const WAITS: usize = probe::OWN + 4;
const GB: usize = probe::OWN + 5;
const PROBES: [Probe; probe::OWN + 6] = {
    let mut all = [Probe::Level; probe::OWN + 6];
    let mut i = 0;
    while i < probe::OWN {
        all[i] = probe::ALL[i];
        i += 1;
    }
    all[OK[0]] = Probe::Count;
    all[OK[1]] = Probe::Count;
    all[TOOK[0]] = Probe::Spread;
    all[TOOK[1]] = Probe::Spread;
    all
};

const fn median(id: &'static str, probe: usize, ink: Ink) -> Line {
    Line {
        id,
        probe,
        statistic: Statistic::Quantile(0.5),
        ink,
        area: false,
    }
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "answers",
        &[
            Line::mean("browse", OK[0], Ink::Accent).filled(),
            Line::mean("buy", OK[1], Ink::Hit),
        ],
        8.0,
    ),
    Plot::ms(
        "time",
        &[
            median("browse", TOOK[0], Ink::Accent),
            median("buy", TOOK[1], Ink::Hit),
        ],
        1_000.0,
    ),
    Plot::of(
        "writes",
        &[Line::mean("writes", WAITS, Ink::Hit).filled()],
        5.0,
    ),
    Plot::of(
        "memory",
        &[Line::mean("gb", GB, Ink::Secondary).filled()],
        8.0,
    ),
];

impl Lesson for MonolithMicroservices {
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
            (Glyph::Message, Ink::Hit),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("design", OWN_DATA as f64),
        stands_for: figure::STANDS_FOR,
        still: Time::ms(2_600),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "monolith-microservices",
                chapter: "services",
                tables: &["scaling_tail_availability", "queueing_latency"],
            },
            || Values::first(&MonolithMicroservices),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "lessons/services/monolith_microservices/mod.rs",
            region: "programs",
            marks: &[("calls", "Step::Call(Call {")],
        },
        Code {
            file: "lessons/services/monolith_microservices/mod.rs",
            region: "memory",
            marks: &[("out-of-memory", "is_full(column)")],
        },
        Code {
            file: "algorithms/balancer.rs",
            region: "least",
            marks: &[("picked", "best = Some(index)")],
        },
    ];
}
