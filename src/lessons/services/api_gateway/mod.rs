//! API gateway: one door for a page that needs seven services.

mod figure;
mod story;

#[cfg(test)]
mod tests;

use algorithms::connections::{FIRST_WINDOW, slow_start_round_trips};
use algorithms::hash::mix64;
use algorithms::limiter::{Limiter, Rate, Verdict};
use algorithms::routing::{PathMatch, Request, Rule, Wildcard, route};
use algorithms::token_bucket::{Bandwidth, TokenBucket};
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Sheet, Time, Tone,
};
use kit::flow::{Holds, Key, Recently};
use kit::system::{
    Admission, Call, Count, Crowd, Cx, Deed, Dial, Draw, Frame, Gate, Health, Kind, Node, NodeId,
    Otherwise, Own, Plan, Script, Service, Spread, Step, System, Values, Wire, WireId, probe,
};
use std::collections::VecDeque;

/// The lesson.
pub struct Gateway;

/// People with the shop's program on a phone, far away: they ask for product pages.
pub const PHONE: NodeId = NodeId(0);
/// People at a browser, who log in.
pub const WEB: NodeId = NodeId(1);
/// Another company, which asks for product pages by its key.
pub const PARTNER: NodeId = NodeId(2);
/// Where the partner's requests are counted: the gateway's own limiter.
pub const KEY: NodeId = NodeId(3);
/// The door.
pub const GATEWAY: NodeId = NodeId(4);
/// The seven parts of a page.
pub const PAGE: usize = 7;
/// Who answers: the parts of a page, the ratings once they are a service of their own, and the login.
pub const SERVICES: [NodeId; PAGE + 2] = [
    NodeId(5),
    NodeId(6),
    NodeId(7),
    NodeId(8),
    NodeId(9),
    NodeId(10),
    NodeId(11),
    NodeId(12),
    NodeId(13),
];
/// Their parts on the stage.
const PARTS: [&str; PAGE + 2] = [
    "product", "price", "stock", "reviews", "merchant", "shipping", "similar", "ratings", "login",
];
/// Copies of each.
const COPIES: [u32; PAGE + 2] = [3, 1, 2, 1, 1, 1, 1, 1, 1];
const PRODUCT: usize = 0;
const STOCK: usize = 2;
const REVIEWS: usize = 3;
const SHIPPING: usize = 5;
const RATINGS: usize = 7;
const LOGIN: usize = 8;

/// From clients to the door.
const IN: [WireId; 4] = [WireId(0), WireId(1), WireId(2), WireId(3)];
/// From the gateway to a service.
const fn inside(service: usize) -> WireId {
    WireId(10 + service as u16)
}
/// From the phone to a service, past the gateway.
const fn direct(service: usize) -> WireId {
    WireId(20 + service as u16)
}

/// Workers of one copy, and places in the queue of a service.
const WORKERS: u32 = 4;
const QUEUE: u32 = 200;
/// The check of a token.
const TOKEN_CHECK: Time = Time::ms(1);
/// One way within the data centre.
const SHORT: Time = Time::us(500);
/// One way between a browser, or the partner, and the data centre.
const NEAR: Time = Time::ms(20);
/// Logins and the partner's pages a second.
const LOGINS: f64 = 3.0;
const PARTNER_PAGES: f64 = 1.0;
/// A slow call to the reviews takes about so long.
const HANGS: Time = Time::s(2);
/// The share of calls that drag takes so long.
const DRAGS: Time = Time::s(1);
/// From here on a page is slow.
pub const SLOW_PAGE: Time = Time::ms(900);
/// Trips before the first byte of a request on a cold connection: TCP, then TLS 1.3.
const HANDSHAKE_TRIPS: u64 = 2;
/// An answer for everybody, and one cut for the phone.
const ANSWER_BYTES: [u64; 2] = [60_000, 12_000];
/// How much more a flood of the partner brings, and for how long.
const FLOOD: (f64, Time) = (160.0, Time::s(8));
/// A gateway that is down is found out within two of these.
const CHECK: Time = Time::s(1);
/// Medians are taken over so many pages.
pub const MEDIAN_OF: usize = 30;
/// What is told of users lately looks so far back.
pub const LATELY: Time = Time::s(3);

/// Who makes the calls of the phone's pages.
const TURN: u32 = 0;
const ONCE: u32 = 1;
const DOOR: u32 = 2;

/// Classes of requests, by the rule that their path meets.
const CLASS_PAGE: u8 = 0;
const CLASS_LOGIN: u8 = 1;
const CLASS_NOTHING: u8 = 2;

/// Paths that people have typed, in the order in which the action sends them.
pub const ODD: [(&str, &str); 8] = [
    ("m.shop.com", "/products"),
    ("m.shop.com", "/product/"),
    ("m.shop.com", "/Product"),
    ("m.shop.com", "/login/"),
    ("m.shop.com", "/product/7"),
    ("m.shop.com", "/login"),
    ("a.m.shop.com", "/product/7"),
    ("shop.com", "/login"),
];
/// They as words, so that they can be said.
const PATHS: [&str; ODD.len()] = [
    "path.products",
    "path.slash",
    "path.case",
    "path.login-slash",
    "path.product",
    "path.login",
    "path.labels",
    "path.bare",
];

const DIALS: &[Dial] = &[
    Dial::choice("who", &["turn", "once", "gateway"], 0),
    Dial::slider("rtt", [5.0, 300.0, 5.0], "ms", 100.0),
    Dial::whole("steps", [1, 3], 1),
    Dial::slider("deadline", [0.1, 60.0, 0.1], "s", 15.0),
    Dial::whole("gateways", [1, 3], 1),
    Dial::slider("load", [1.0, 40.0, 1.0], "pages/s", 6.0),
    Dial::choice("parts", &["optional", "all"], 0),
    Dial::whole("limit", [0, 20], 0),
    Dial::slider("work", [5.0, 200.0, 5.0], "ms", 30.0),
    Dial::slider("slow", [0.0, 5.0, 0.5], "%", 0.0),
    Dial::slider("places", [5.0, 200.0, 5.0], "", 20.0),
    Dial::choice("connections", &["warm", "cold"], 0),
    Dial::choice("answers", &["one", "each"], 0),
    Dial::switch("split", false),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("hang"),
    ActionSpec::whole("mend"),
    ActionSpec::turning("split", "split", 1.0),
    ActionSpec::whole("stock"),
    ActionSpec::whole("stock-up"),
    ActionSpec::whole("flood"),
    ActionSpec::aimed("crash", "gateway"),
    ActionSpec::aimed("restart", "gateway"),
    ActionSpec::whole("odd"),
];

const DEEDS: &[Deed] = &[
    Deed::Own,
    Deed::Recover(SERVICES[REVIEWS]),
    Deed::Turn,
    Deed::Crash(SERVICES[STOCK]),
    Deed::Recover(SERVICES[STOCK]),
    Deed::Surge(PARTNER, FLOOD.0, FLOOD.1),
    Deed::Crash(GATEWAY),
    Deed::Recover(GATEWAY),
    Deed::Own,
];

/// The rules of the door, in the order of the classes that they lead to. The star stands for one label.
fn rules() -> [Rule; 2] {
    let at_shop = |path| Rule {
        host: Some("*.shop.com".to_owned()),
        ..Rule::path(path)
    };
    [
        at_shop(PathMatch::Prefix("/product".to_owned())),
        at_shop(PathMatch::Exact("/login".to_owned())),
    ]
}

/// The class of a request: the place of the rule that it meets.
fn class_of((host, path): (&str, &str)) -> u8 {
    let request = Request {
        host: host.to_owned(),
        ..Request::new("GET", path)
    };
    let found = route(&rules(), &request, Wildcard::OneLabel);
    found.map_or(CLASS_NOTHING, |rule| rule as u8)
}

/// What the rule of a class leads to, as a word.
const fn rule_word(class: u8) -> &'static str {
    match class {
        CLASS_PAGE => "rule.product",
        CLASS_LOGIN => "rule.login",
        _ => "rule.none",
    }
}

/// When the parts of one page were asked for and answered, by the caller's clock since it was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    number: u32,
    began: Time,
    /// When each call left its caller, and when its answer was back.
    pub(crate) calls: [(Option<Time>, Option<Time>); PAGE + 1],
    /// How long the page took.
    pub(crate) took: Time,
    pub(crate) failed: bool,
}

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Whole,
    Partial,
    Failed,
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
struct Seen {
    /// Pages of the phone under way.
    open: Vec<Timing>,
    /// The latest that is over.
    last: Option<Timing>,
    /// How long the latest pages took that came well, since the design changed.
    times: VecDeque<Time>,
    /// Pages that were slow, of all that came well, since the design changed.
    slow: (u32, u32),
    /// What is still to be sampled.
    unsaid: Vec<Time>,
    turned: Time,
    /// Medians as they were with all calls at once, and through the gateway, for a page of one step.
    medians: [Option<Time>; 3],
    pages: Recently<3>,
    /// Logins answered, and refused.
    logins: Recently<2>,
    bucket: Option<(u32, TokenBucket)>,
    /// The last of the odd paths that was sent.
    odd: Option<usize>,
    /// The phone goes through the gateway.
    door: bool,
    /// Over connections that must be opened first.
    cold: bool,
    /// The ratings are a service of their own.
    split: bool,
    /// Some calls drag.
    drags: bool,
    /// Places of one gateway, and how many gateways.
    places: usize,
    doors: u32,
    steps: u32,
    rtt: Time,
    load: f64,
    /// How long one way of the phone's calls takes.
    way: Time,
    /// No login was refused and no page took more than 600 ms while the reviews hang and many come.
    calm: Holds,
    /// No login has been refused for so long.
    open_door: Holds,
    /// A gateway crashed: when, how many requests had come and failed by then.
    crashed: Option<(Time, u32, u32)>,
    /// The partner floods, and nobody else was refused since.
    flood: Option<(Time, bool)>,
}

impl Seen {
    fn new(now: Time) -> Seen {
        Seen {
            open: Vec::new(),
            last: None,
            times: VecDeque::new(),
            slow: (0, 0),
            unsaid: Vec::new(),
            turned: Time::ZERO,
            medians: [None; 3],
            pages: Recently::new(now),
            logins: Recently::new(now),
            bucket: None,
            odd: None,
            door: false,
            cold: false,
            split: false,
            drags: false,
            places: 0,
            doors: 1,
            steps: 1,
            rtt: Time::ZERO,
            load: 0.0,
            way: Time::ZERO,
            calm: Holds::default(),
            open_door: Holds::default(),
            crashed: None,
            flood: None,
        }
    }

    /// The median of the latest pages, and of how many.
    fn median(&self) -> Option<(Time, usize)> {
        let mut times: Vec<u64> = self.times.iter().map(|time| time.0).collect();
        let count = times.len();
        let (_, median, _) = (count > 0).then(|| times.select_nth_unstable(count / 2))?;
        Some((Time(*median), count))
    }

    /// The share of logins refused lately; none if there were none.
    fn refused(&self, at: Time) -> Option<f64> {
        self.logins.share(1, LATELY, at)
    }

    fn timing(&mut self, number: u32) -> Option<&mut Timing> {
        self.open.iter_mut().find(|open| open.number == number)
    }
}

/// The calls of a page of so many parts in their order: all of a step at once.
fn page(steps: u32, parts: usize, call: &dyn Fn(usize) -> Call) -> Vec<Step> {
    let all = |services: &mut dyn Iterator<Item = usize>| Step::All(services.map(call).collect());
    match steps {
        1 => vec![all(&mut (0..parts))],
        2 => vec![
            Step::Call(call(PRODUCT)),
            all(&mut (0..parts).filter(|part| *part != PRODUCT)),
        ],
        _ => vec![
            Step::Call(call(PRODUCT)),
            all(&mut (0..parts).filter(|part| ![PRODUCT, SHIPPING].contains(part))),
            Step::Call(call(SHIPPING)),
        ],
    }
}

impl Script for Gateway {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let who = knobs.whole("who");
        let steps = knobs.whole("steps");
        let otherwise = if knobs.whole("parts") == 0 {
            Otherwise::Without
        } else {
            Otherwise::Fail
        };
        let far = Time(knobs.ms("rtt").0 / 2);
        let mut phone = Crowd::poisson(knobs.get("load"), Call::over(IN[0]));
        let through = vec![Step::Call(Call::over(IN[0]))];
        let by_itself = |service: usize| Call {
            otherwise,
            ..Call::over(direct(service))
        };
        // A host that has not been spoken to must be greeted first, and a cold window holds little.
        let cold = knobs.whole("connections") == 1;
        let trips = |trips: u64| Step::Work(Time(knobs.ms("rtt").0 * trips));
        let greet = |steps: Vec<Step>| -> Vec<Step> {
            let greet = |step| [trips(HANDSHAKE_TRIPS), step];
            if cold {
                steps.into_iter().flat_map(greet).collect()
            } else {
                steps
            }
        };
        let bytes = ANSWER_BYTES[knobs.whole("answers").min(1) as usize];
        let more = slow_start_round_trips(bytes, FIRST_WINDOW);
        let asks = match who {
            // No phone knows of the ratings: it would have to be updated.
            TURN => greet((0..PAGE).map(|part| Step::Call(by_itself(part))).collect()),
            ONCE => greet(page(steps, PAGE, &by_itself)),
            _ => {
                let rest = (cold && more > 0).then(|| trips(more));
                greet(through.clone()).into_iter().chain(rest).collect()
            }
        };
        // Odd paths are typed by hand: they go to the door whoever makes the calls.
        phone.programs = vec![asks, through.clone(), through];
        let mut web = Crowd::poisson(LOGINS, Call::over(IN[1]));
        web.classes = vec![0.0, 1.0];
        let partner = Crowd::poisson(PARTNER_PAGES, Call::over(IN[2]));
        let key = Gate {
            routes: vec![IN[3]],
            limits: true,
            ..Gate::default()
        };
        let split = knobs.on("split");
        let places = knobs.whole("places");
        let mut gateway = Service::new(places, 0, TOKEN_CHECK, Spread::Fixed);
        let part = |service: usize| Call {
            timeout: Some(knobs.s("deadline")),
            otherwise,
            ..Call::over(inside(service))
        };
        let check = Step::Work(TOKEN_CHECK);
        let with_check = |rest: Vec<Step>| std::iter::once(check.clone()).chain(rest).collect();
        gateway.programs = vec![
            with_check(page(steps, PAGE + usize::from(split), &part)),
            with_check(vec![Step::Call(Call {
                otherwise: Otherwise::Fail,
                ..part(LOGIN)
            })]),
            vec![check.clone()],
        ];
        let gateways = knobs.whole("gateways") as usize;
        let mut nodes = vec![
            Node::one(PHONE, "phone", Kind::Crowd(phone)),
            Node::one(WEB, "web", Kind::Crowd(web)),
            Node::one(PARTNER, "partner", Kind::Crowd(partner)),
            Node::one(KEY, "key", Kind::Gate(key)),
            Node::many(GATEWAY, "gateway", Kind::Service(gateway), gateways),
        ];
        let is_there = |service: usize| service != RATINGS || split;
        for service in (0..SERVICES.len()).filter(|it| is_there(*it)) {
            let workers = WORKERS * COPIES[service];
            let mut kind = Service::new(workers, QUEUE, knobs.ms("work"), Spread::Exponential);
            kind.drags = (knobs.get("slow") / 100.0, DRAGS);
            nodes.push(Node::one(
                SERVICES[service],
                PARTS[service],
                Kind::Service(kind),
            ));
        }
        let door = |id: WireId, from: NodeId, way: Time| Wire {
            health: Some(Health {
                every: CHECK,
                fall: 2,
                rise: 1,
            }),
            ..Wire::new(id, from, GATEWAY, "door", way)
        };
        let mut wires = vec![
            door(IN[0], PHONE, far),
            door(IN[1], WEB, NEAR),
            Wire::new(IN[2], PARTNER, KEY, "partner-link", NEAR),
            door(IN[3], KEY, SHORT),
        ];
        for (service, to) in SERVICES.into_iter().enumerate().filter(|it| is_there(it.0)) {
            wires.push(Wire::new(inside(service), GATEWAY, to, "inside", SHORT));
        }
        if who != DOOR {
            for (service, to) in SERVICES.into_iter().enumerate().take(PAGE) {
                wires.push(Wire::new(direct(service), PHONE, to, "direct", far));
            }
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

    fn start(&self, _: &mut System) {
        // The last pages are those of the warm-up.
    }

    fn can(&self, act: Act, system: &System) -> bool {
        act.spec != 0 || !hangs(system)
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        if act.spec == 0 {
            let rate = knobs.ms("work").0 as f64 / HANGS.0 as f64;
            return system.deed(Deed::Slow(SERVICES[REVIEWS], rate), 0, cx);
        }
        let number = system
            .own::<Seen>()
            .odd
            .map_or(0, |odd| (odd + 1) % ODD.len());
        system.own_mut::<Seen>().odd = Some(number);
        let class = class_of(ODD[number]);
        let word = rule_word(class);
        let note = Note::new("path")
            .with(Arg::Word(PATHS[number]))
            .with(Arg::Word(word));
        let note = system.say(note.about(PartId::one("phone")).mark(Tone::Learner), cx);
        cx.because(note);
        let draw = Draw {
            dice: mix64(number as u64),
            class,
            ..Draw::default()
        };
        system.request(PHONE.0, draw, 0, cx);
    }

    fn admits(&self, _: NodeId, _: &Frame, system: &mut System, cx: Cx<'_, '_>) -> Admission {
        let now = cx.now();
        let seen = system.own_mut::<Seen>();
        let Some((_, bucket)) = &mut seen.bucket else {
            return Admission::Passes;
        };
        match bucket.ask(now.0, 1) {
            Verdict::Refused { retry_after } => Admission::Refused {
                why: "why.limit",
                after: retry_after.map(Time),
            },
            _ => Admission::Passes,
        }
    }

    fn heard(&self, note: &Note, system: &mut System) {
        let now = system.now;
        match note.word {
            "answered" => {
                let Some(part) = note.part else { return };
                let Some(service) = PARTS[..LOGIN].iter().position(|name| *name == part.kind)
                else {
                    return;
                };
                let seen = system.own_mut::<Seen>();
                let way = seen.way;
                if let Some(open) = seen.timing(note.dot) {
                    open.calls[service].1 = Some(now + way);
                }
            }
            "spike" => system.own_mut::<Seen>().flood = Some((now, true)),
            "crashed" if note.part.is_some_and(|part| part.kind == "gateway") => {
                let all = system.total();
                let (came, failed) = (all.of(Count::Came), all.of(Count::Failed));
                system.own_mut::<Seen>().crashed = Some((now, came, failed));
            }
            _ => {}
        }
    }

    fn sent(&self, key: Key, system: &mut System, _: Time) {
        let Some(call) = system.frame(key).copied() else {
            return;
        };
        let (to, over) = (call.at().0, call.leg.on);
        let by_phone = over == IN[0] || over.0 >= direct(0).0;
        let seen = system.own_mut::<Seen>();
        if by_phone && call.draw.class == CLASS_PAGE && seen.timing(call.number).is_none() {
            seen.open.push(Timing {
                number: call.number,
                began: call.asked,
                ..Timing::default()
            });
        }
        let service = SERVICES[..LOGIN].iter().position(|id| *id == to);
        if let (Some(service), Some(open)) = (service, seen.timing(call.number)) {
            open.calls[service].0 = Some(call.asked);
        }
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let (from, _) = request.at();
        let took = now.since(request.asked);
        let seen = system.own_mut::<Seen>();
        let failed = request.failed.is_some();
        if from == WEB {
            seen.logins.add(usize::from(failed), now);
        }
        if from != PARTNER && failed {
            seen.flood = seen.flood.map(|(began, _)| (began, false));
        }
        if from != PHONE || request.draw.class != CLASS_PAGE {
            return;
        }
        // Who calls by itself has no stars to show once they are elsewhere.
        let partial = request.partial || (seen.split && !seen.door);
        let fate = match (failed, partial) {
            (true, _) => Fate::Failed,
            (_, true) => Fate::Partial,
            _ => Fate::Whole,
        };
        seen.pages.add(fate as usize, now);
        if took > Time::ms(600) {
            seen.calm.restart(now);
        }
        let open = seen
            .open
            .iter()
            .position(|open| open.number == request.number);
        let Some(mut timing) = open.map(|open| seen.open.remove(open)) else {
            return;
        };
        (timing.took, timing.failed) = (took, failed);
        // A page that had been asked for under another design tells nothing about this one.
        if timing.began < seen.turned || failed {
            return;
        }
        seen.last = Some(timing);
        seen.slow.0 += u32::from(took > SLOW_PAGE);
        seen.slow.1 += 1;
        seen.unsaid.push(took);
        seen.times.push_back(took);
        if seen.times.len() > MEDIAN_OF {
            seen.times.pop_front();
        }
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let (turned, hangs) = (system.turned, hangs(system));
        let who = knobs.whole("who");
        let limit = knobs.whole("limit");
        let seen = system.own_mut::<Seen>();
        if seen.turned != turned {
            seen.turned = turned;
            seen.times.clear();
            seen.slow = (0, 0);
            seen.last = None;
            seen.pages.restart(now);
            seen.logins.restart(now);
        }
        seen.door = who == DOOR;
        seen.cold = knobs.whole("connections") == 1;
        seen.split = knobs.on("split");
        seen.drags = knobs.get("slow") > 0.0;
        seen.doors = knobs.whole("gateways");
        seen.places = knobs.whole("places") as usize;
        seen.steps = knobs.whole("steps");
        seen.rtt = knobs.ms("rtt");
        seen.load = knobs.get("load");
        seen.way = if seen.door {
            SHORT
        } else {
            Time(seen.rtt.0 / 2)
        };
        if seen.bucket.as_ref().map_or(0, |(limit, _)| *limit) != limit {
            let rate = Rate::new(u64::from(limit), Time::s(1).0);
            let bucket = TokenBucket::new(now.0, &[Bandwidth::greedy(u64::from(limit), rate)]);
            seen.bucket = (limit > 0).then_some((limit, bucket));
        }
        if seen.times.len() == MEDIAN_OF && seen.steps == 1 && !seen.cold {
            seen.medians[who.min(DOOR) as usize] = seen.median().map(|(median, _)| median);
        }
        let refused = seen.refused(now).unwrap_or(0.0) > 0.0;
        seen.open_door.set(!refused, now);
        seen.calm
            .set(hangs && !refused && seen.load >= 10.0 && seen.door, now);
    }

    fn report(&self, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        let held = held(system);
        for took in std::mem::take(&mut system.own_mut::<Seen>().unsaid) {
            cx.sample(PAGE_TIME, took.0 as f64);
        }
        cx.sample(HELD, held as f64);
    }
}

/// Whether the reviews hang.
fn hangs(system: &System) -> bool {
    let live = system.node(SERVICES[REVIEWS]);
    live.and_then(|live| live.members.get(0))
        .is_some_and(|member| member.own.rate < 1.0)
}

/// Places of all gateways that are taken.
fn held(system: &System) -> usize {
    let live = system.node(GATEWAY).into_iter();
    live.flat_map(|live| live.members.iter())
        .map(|member| member.own.pool.held.len())
        .sum()
}

/// How long pages took.
const PAGE_TIME: usize = probe::OWN;
/// Places taken.
const HELD: usize = probe::OWN + 1;

const PROBES: &[Probe] = &{
    let mut probes = [Probe::Spread; probe::OWN + 2];
    let mut i = 0;
    while i < probe::OWN {
        probes[i] = probe::ALL[i];
        i += 1;
    }
    probes[HELD] = Probe::Level;
    probes
};

/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(8);

const PLOTS: &[Plot] = &[
    Plot::ms(
        "page",
        &[
            Line::quantile("median", PAGE_TIME, 0.5, Ink::Accent),
            Line::quantile("p99", PAGE_TIME, 0.99, Ink::Warn),
        ],
        400.0,
    ),
    Plot::of(
        "places",
        &[Line::mean("places", HELD, Ink::Hit).filled()],
        20.0,
    ),
    Plot::of(
        "got",
        &[
            Line::mean("done", probe::DONE, Ink::Ok).filled(),
            Line::mean("failed", probe::FAILED, Ink::Bad),
        ],
        12.0,
    ),
];

impl Lesson for Gateway {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.25,
        twin: ("who", 2.0),
        stands_for: figure::STANDS_FOR,
        still: Time::s(3),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "api-gateway",
                chapter: "services",
                tables: &[
                    "gateway_path_routing",
                    "scaling_tail_availability",
                    "queueing_latency",
                ],
            },
            || Values::first(&Gateway),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/routing.rs",
            region: "route",
            marks: &[("path", "max_by_key")],
        },
        Code {
            file: "algorithms/token_bucket.rs",
            region: "token",
            marks: &[("limited", "let enough")],
        },
    ];
}
