//! Latency under load: why everything gets slow at 80 %, and why a tester may not see it.

mod figure;
mod measure;
mod story;

#[cfg(test)]
mod tests;

use algorithms::balancer::Policy;
use algorithms::hash::mix64;
use algorithms::queueing;
use engine::tape::NoteId;
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Sheet, Time, Tone,
};
use kit::flow::Key;
use kit::system::{
    Arrivals, Call, Crowd, Cx, Deed, Dial, Draw, Event, Frame, Gear, Kind, Node, NodeId, Own,
    PACED, Plan, Reason, Script, Service, Spread, Step, System, Values, Wire, WireId, probe,
};
use measure::{Curve, Lately, MINUTE, MINUTES, Measure, Minutes, Rules, SETTLES};
use std::collections::VecDeque;

/// The lesson.
pub struct LatencyUnderLoad;

/// Users, none of whom knows of another.
pub const USERS: NodeId = NodeId(0);
/// A tester whose connections send when they have their answer.
pub const LOOP: NodeId = NodeId(1);
/// A tester whose connections send by a plan.
pub const PLANNED: NodeId = NodeId(2);
/// Who answers.
pub const WORKERS: NodeId = NodeId(3);

/// The knob `sends`.
pub const FROM_USERS: f64 = 0.0;
/// See [`FROM_USERS`].
pub const NO_PAUSE: f64 = 1.0;
/// See [`FROM_USERS`].
pub const PACES: f64 = 2.0;
/// See [`FROM_USERS`].
pub const ON_SCHEDULE: f64 = 3.0;

/// The knob `law`.
pub const CONSTANT: f64 = 0.0;
/// See [`CONSTANT`].
pub const EXPONENTIAL: f64 = 1.0;
/// See [`CONSTANT`].
pub const UNEVEN: f64 = 2.0;

/// Without a bound so many may wait all the same: what is kept must end somewhere.
const LINE_MAX: u32 = 20_000;
/// The work of a giant.
const GIANT: Time = Time::s(2);
/// So many come at once.
const BURST: u64 = 50;
/// A climb asks for so much more each time, in percent, up to the last.
const CLIMB: f64 = 10.0;
const CLIMB_LAST: f64 = 110.0;
/// Up to here the load climbs before anybody looks.
const OPENING_LAST: f64 = 40.0;
const CLIMB_EVERY: Time = Time::s(30);
/// A minute with a standstill has it so long after its beginning.
const TRIAL: Time = Time::s(20);
/// Before time zero the load is climbed to, and stays there so long.
const FIRST: Time = Time::s(60);
/// What has left is seen for so long.
const LEAVES: Time = Time::ms(60);
/// So many that leave are seen.
const LEAVE_MAX: usize = 12;

const DIALS: &[Dial] = &[
    Dial::slider("busy", [5.0, 120.0, 1.0], "%", 50.0),
    Dial::choice("law", &["constant", "exponential", "uneven"], 1),
    Dial::whole("workers", [1, 100], 1),
    Dial::choice("sends", &["users", "no-pause", "paced", "schedule"], 0),
    Dial::whole("connections", [1, 100], 1),
    Dial::switch("bound", false),
    Dial::whole("places", [1, 200], 5),
    Dial::slider("work", [5.0, 200.0, 5.0], "ms", 10.0),
    Dial::slider("uneven", [1.0, 10.0, 0.5], "", 4.0),
    Dial::choice("arrivals", &["random", "even"], 0),
    Dial::choice("lines", &["one", "each"], 0),
    Dial::slider("pause", [0.0, 5.0, 0.1], "s", 0.0),
    Dial::switch("corrected", false),
    Dial::slider("stall", [0.5, 10.0, 0.5], "s", 2.0),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("climb"),
    ActionSpec::whole("stall"),
    ActionSpec::whole("trial"),
    ActionSpec::whole("fifty"),
    ActionSpec::whole("giant"),
    ActionSpec::whole("minute"),
    ActionSpec::turning("worker", "workers", 1.0),
];
/// The places of actions.
mod act {
    pub(super) const CLIMB: usize = 0;
    pub(super) const STALL: usize = 1;
    pub(super) const TRIAL: usize = 2;
    pub(super) const FIFTY: usize = 3;
    pub(super) const GIANT: usize = 4;
    pub(super) const MINUTE: usize = 5;
}
const DEEDS: &[Deed] = &[
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Turn,
];

/// What timers are for; the rest of a timer's number tells a valid one from one that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rings {
    Climbs,
    Minute,
    Stalls,
    GoesOn,
}

impl Rings {
    const ALL: [Rings; 4] = [Rings::Climbs, Rings::Minute, Rings::Stalls, Rings::GoesOn];

    fn event(self, serial: u32) -> Event {
        Event::Timer(serial * 4 + self as u32)
    }
}

/// A standstill of the workers.
#[derive(Clone, Copy, Debug)]
struct Stall {
    began: Time,
    /// When the workers go on.
    until: Time,
    /// When somebody was served at once again.
    over: Option<Time>,
    /// Its note.
    note: NoteId,
}

/// So often a measurement that goes on is made a point anew.
const KEEPS: Time = Time::ms(250);

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
struct Seen {
    /// Everything that is set, and the load, which may climb by itself.
    settings: (Vec<f64>, f64),
    curve: Curve,
    /// When what is measured was last made a point of it.
    kept: Time,
    measure: Measure,
    minutes: Option<Minutes>,
    /// The load that a climb asks for next, and its last one.
    climb: Option<(f64, f64)>,
    /// Of each kind of timer, the valid one.
    serials: [u32; 4],
    /// The last standstill, and the one within the measurement that a trial is.
    stall: Option<Stall>,
    trial: Option<Time>,
    /// Requests with so much work.
    giants: Vec<u32>,
    bursts: u64,
    lately: Lately,
    /// What has just left: when, which, and whether it was turned away.
    left: VecDeque<(Time, u32, bool)>,
    opened: bool,
    /// Whose answers are measured, and what corrects them.
    sender: NodeId,
    interval: Option<Time>,
    corrects: bool,
}

impl Seen {
    fn new() -> Seen {
        Seen {
            settings: (Vec::new(), 0.0),
            curve: Curve::default(),
            kept: Time::ZERO,
            measure: Measure::new(Time::ZERO, Time::NEVER),
            minutes: None,
            climb: None,
            serials: [0; 4],
            stall: None,
            trial: None,
            giants: Vec::new(),
            bursts: 0,
            lately: Lately::default(),
            left: VecDeque::new(),
            opened: false,
            sender: USERS,
            interval: None,
            corrects: false,
        }
    }

    /// A new timer of this kind; the one before is over.
    fn rings(&mut self, what: Rings) -> Event {
        let serial = &mut self.serials[what as usize];
        *serial += 1;
        what.event(*serial)
    }

    /// Whether the minute with a standstill is over, and the standstill's length.
    fn tried(&self, now: Time) -> Option<Time> {
        let whole = self.trial? == self.measure.from && now >= self.measure.until;
        let stall = self.stall.filter(|_| whole)?;
        let within = self.measure.holds(stall.began);
        within.then(|| stall.until.since(stall.began))
    }
}

/// Who sends.
fn sender(knobs: &Values) -> NodeId {
    match knobs.get("sends") {
        NO_PAUSE => LOOP,
        PACES | ON_SCHEDULE => PLANNED,
        _ => USERS,
    }
}

/// Requests a second that make each worker so busy, in percent.
fn per_s(busy: f64, knobs: &Values) -> f64 {
    busy / 100.0 * knobs.get("workers") / knobs.ms("work").as_s()
}

/// The two phases of uneven work with balanced means: the share of the first, and the means of both in means of all.
fn phases(squared_variation: f64) -> (f64, [f64; 2]) {
    let c = squared_variation.max(1.0);
    let first = 0.5 * (1.0 + ((c - 1.0) / (c + 1.0)).sqrt());
    (first, [0.5 / first, 0.5 / (1.0 - first)])
}

/// The squared variation of work.
fn variation(knobs: &Values) -> f64 {
    match knobs.get("law") {
        CONSTANT => 0.0,
        EXPONENTIAL => 1.0,
        _ => knobs.get("uneven"),
    }
}

/// What theory says of the mean time at so much load, in seconds; none where it has no closed form, or no answer.
fn theory(busy: f64, knobs: &Values) -> Option<f64> {
    let (work, workers) = (knobs.ms("work").as_s(), knobs.whole("workers"));
    let (rate, each) = (per_s(busy, knobs), knobs.whole("lines") == 1);
    let (law, even) = (knobs.get("law"), knobs.whole("arrivals") == 1);
    if sender(knobs) != USERS {
        return None;
    }
    if even {
        let plain = law == CONSTANT && busy <= 100.0 && !each && !knobs.on("bound");
        return plain.then_some(work);
    }
    if knobs.on("bound") {
        let places = knobs.whole("places").max(workers);
        return match (workers, places) {
            _ if each && workers > 1 => None,
            (1, places) if law == EXPONENTIAL => {
                let means = queueing::mm1k(rate, 1.0 / work, places)?.means;
                Some(means.time_in_system)
            }
            // Who gets in does not wait, whatever the work.
            (workers, places) if workers == places => Some(work),
            _ => None,
        };
    }
    let means = match workers {
        1 => queueing::mg1(rate, work, variation(knobs))?,
        _ if each => queueing::mg1(rate / f64::from(workers), work, variation(knobs))?,
        _ if law == EXPONENTIAL => queueing::mmc(rate, 1.0 / work, workers)?.means,
        _ => return None,
    };
    Some(means.time_in_system)
}

/// What theory says of the 99th percentile, in seconds, where the time is exponential.
fn theory_p99(busy: f64, knobs: &Values) -> Option<f64> {
    let alone = knobs.whole("workers") == 1 || knobs.whole("lines") == 1;
    let random = knobs.whole("arrivals") == 0 && knobs.get("law") == EXPONENTIAL;
    let plain = alone && random && !knobs.on("bound") && sender(knobs) == USERS;
    let work = knobs.ms("work").as_s();
    queueing::mm1_sojourn_quantile(busy / 100.0 / work, 1.0 / work, 0.99).filter(|_| plain)
}

impl Script for LatencyUnderLoad {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn gear(&self) -> Gear {
        Gear {
            paced: Some(&PACED),
            ..Gear::NONE
        }
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let (from, workers) = (sender(knobs), knobs.whole("workers"));
        let (rate, work) = (per_s(knobs.get("busy"), knobs), knobs.ms("work"));
        let connections = knobs.whole("connections") as u16;
        let crowd = |node: NodeId, arrivals: Arrivals| {
            let mut crowd = Crowd::poisson(0.0, Call::over(WireId(node.0)));
            crowd.arrivals = arrivals;
            if knobs.get("law") == UNEVEN {
                let (first, _) = phases(knobs.get("uneven"));
                crowd.classes = vec![first, 1.0 - first];
            }
            let part = if node == USERS { "users" } else { "tester" };
            Node::one(node, part, Kind::Crowd(crowd))
        };
        let per_s = if from == USERS { rate } else { 0.0 };
        // Users are always there: who comes at once, and the giant, is one of them.
        let mut nodes = vec![crowd(
            USERS,
            match knobs.whole("arrivals") {
                0 => Arrivals::Poisson { per_s },
                _ => Arrivals::Even { per_s },
            },
        )];
        if from == LOOP {
            let think = knobs.s("pause");
            let users = connections;
            nodes.push(crowd(LOOP, Arrivals::Closed { users, think }));
        } else if from == PLANNED {
            let arrivals = Arrivals::Paced {
                per_s: rate,
                connections,
                skips: knobs.get("sends") == PACES,
            };
            nodes.push(crowd(PLANNED, arrivals));
        }
        let each = knobs.whole("lines") == 1;
        let (members, at_each) = if each { (workers, 1) } else { (1, workers) };
        let spread = match knobs.get("law") {
            CONSTANT => Spread::Fixed,
            _ => Spread::Exponential,
        };
        let places = match knobs.on("bound") {
            true => knobs.whole("places").saturating_sub(at_each),
            false => LINE_MAX,
        };
        let mut service = Service::new(at_each, places, work, spread);
        service.weighs = true;
        if knobs.get("law") == UNEVEN {
            let (_, means) = phases(knobs.get("uneven"));
            let phase = |mean: f64| vec![Step::Work(Time::from_s(work.as_s() * mean))];
            service.programs = means.map(phase).into();
        }
        let wires = nodes.iter().map(|node| Wire {
            policy: Policy::Random,
            ..Wire::new(WireId(node.id.0), node.id, WORKERS, "way", Time::ZERO)
        });
        let wires = wires.collect();
        nodes.push(Node {
            members: members as usize,
            ..Node::one(WORKERS, "workers", Kind::Service(service))
        });
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
        Box::new(Seen::new())
    }

    /// What was measured in the warm-up stays.
    fn start(&self, _: &mut System) {}

    fn can(&self, act: Act, system: &System) -> bool {
        let seen = system.own::<Seen>();
        match act.spec {
            act::CLIMB => seen.sender == USERS && seen.climb.is_none(),
            act::STALL => !stands(system),
            act::TRIAL => seen.trial != Some(seen.measure.from) || seen.tried(system.now).is_some(),
            act::MINUTE => {
                let done = |it: &Minutes| it.points.len() == MINUTES;
                seen.minutes.as_ref().is_none_or(done)
            }
            _ => true,
        }
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let part = PartId::one("workers");
        let now = cx.now();
        match act.spec {
            act::CLIMB => {
                let note = Note::new("climbs").about(PartId::one("users"));
                system.say(note.mark(Tone::Learner), cx);
                system.own_mut::<Seen>().climb = Some((CLIMB, CLIMB_LAST));
                climb(system, knobs, cx);
            }
            act::STALL => stall(system, knobs, cx),
            act::TRIAL => {
                let note = Note::new("trial").with(Arg::Span(knobs.s("stall")));
                system.say(note.about(part).mark(Tone::Learner), cx);
                let seen = system.own_mut::<Seen>();
                let from = seen.measure.from.max(now);
                seen.measure = Measure::new(from, from + MINUTE);
                seen.trial = Some(from);
                seen.minutes = None;
                let event = seen.rings(Rings::Stalls);
                cx.schedule((from + TRIAL).since(now), event);
            }
            act::FIFTY => {
                let note = Note::new("fifty").with(Arg::Count(BURST as i64));
                let note = system.say(note.about(PartId::one("users")).mark(Tone::Warn), cx);
                for _ in 0..BURST {
                    cx.because(note);
                    one_more(system, cx);
                }
            }
            act::GIANT => {
                let number = system.requests() + 1;
                let note = Note::new("giant")
                    .with(Arg::Count(i64::from(number)))
                    .with(Arg::Span(GIANT));
                let note = note.about(PartId::one("users")).dot(number);
                system.say(note.mark(Tone::Warn), cx);
                system.own_mut::<Seen>().giants.push(number);
                one_more(system, cx);
            }
            _ => {
                let note = Note::new("minutes").about(part);
                system.say(note.mark(Tone::Learner), cx);
                let seen = system.own_mut::<Seen>();
                let from = seen.measure.from.max(now);
                seen.minutes = Some(Minutes::from(from));
                seen.measure = Measure::new(from, from + MINUTE);
                let event = seen.rings(Rings::Minute);
                cx.schedule((from + MINUTE).since(now), event);
            }
        }
    }

    fn timer(&self, number: u32, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let rings = Rings::ALL[number as usize % 4];
        let now = cx.now();
        let seen = system.own_mut::<Seen>();
        if seen.serials[rings as usize] != number / 4 {
            return;
        }
        match rings {
            Rings::Climbs => climb(system, knobs, cx),
            Rings::Stalls => stall(system, knobs, cx),
            Rings::GoesOn => {
                let cause = seen.stall.map_or(NoteId::NONE, |stall| stall.note);
                for member in 0..members(system) {
                    cx.because(cause);
                    system.deed(Deed::Recover(WORKERS), member, cx);
                }
            }
            Rings::Minute => {
                let point = seen.measure.point(knobs.get("busy"));
                let Some(minutes) = &mut seen.minutes else {
                    return;
                };
                let before = minutes.points.last().map(|point| point.mean);
                minutes.points.extend(point);
                let nth = minutes.points.len();
                if nth == MINUTES
                    && let Some(all) = minutes.all.point(knobs.get("busy"))
                {
                    seen.curve.keep(all);
                }
                if nth < MINUTES {
                    seen.measure = Measure::new(now, now + MINUTE);
                    let event = seen.rings(Rings::Minute);
                    cx.schedule(MINUTE, event);
                }
                let mean = Time::from_s(point.map_or(0.0, |point| point.mean));
                let note = Note::new("minute").with(Arg::Count(nth as i64));
                let note = note.with(Arg::Span(mean)).about(PartId::one("workers"));
                let note = note.with(Arg::Span(Time::from_s(before.unwrap_or(mean.as_s()))));
                cx.because(NoteId::NONE);
                system.say(note.mark(Tone::Plain), cx);
            }
        }
    }

    fn heard(&self, note: &Note, system: &mut System) {
        if note.word == "missed"
            && let [_, Some(Arg::Count(moments)), _] = note.args
        {
            system.own_mut::<Seen>().measure.missed += moments.max(0) as u32;
        }
    }

    fn taken(&self, what: Key, system: &mut System, now: Time) {
        let busy = at_work(system);
        let seen = system.own_mut::<Seen>();
        seen.lately.set(busy, now);
        if !seen.opened {
            // The climb begins with the first request, whatever its work: who comes then comes at the same moments in twins.
            system.stir();
        }
        // Counted from when it was to be asked, which for a tester on schedule may be long ago.
        let at_once = system
            .caller(what)
            .is_some_and(|request| request.asked == now);
        if let Some(stall) = &mut system.own_mut::<Seen>().stall
            && at_once
            && now > stall.until
        {
            stall.over = stall.over.or(Some(now));
        }
    }

    /// A giant takes as long as it takes, whatever was drawn for it.
    fn weighs(&self, call: Key, work: Time, system: &mut System, _: Time) -> Time {
        let Some(call) = system.frame(call) else {
            return work;
        };
        let giants = &system.own::<Seen>().giants;
        match system.work_of(call) {
            Some(drawn) if giants.contains(&call.number) => {
                Time::from_s(GIANT.as_s() * work.as_s() / drawn.as_s().max(1e-6))
            }
            _ => work,
        }
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let (crowd, _) = request.at();
        let refused = request.failed == Some(Reason::Full);
        let took = now.since(request.asked);
        let seen = system.own_mut::<Seen>();
        seen.giants.retain(|number| *number != request.number);
        if seen.left.len() == LEAVE_MAX {
            seen.left.pop_front();
        }
        seen.left.push_back((now, request.number, refused));
        if crowd != seen.sender || !seen.measure.holds(request.asked) {
            return;
        }
        match refused {
            true => seen.measure.refused += 1,
            false => {
                let corrects = seen.interval.filter(|_| seen.corrects);
                seen.measure.record(took, corrects);
                if let Some(minutes) = &mut seen.minutes {
                    minutes.all.record(took, corrects);
                }
            }
        }
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let busy = at_work(system);
        let sender = sender(knobs);
        let asked = system.load_per_s(sender);
        let load = 100.0 * asked / per_s(100.0, knobs);
        let seen = system.own_mut::<Seen>();
        seen.lately.set(busy, now);
        let turned = seen.settings.0 != knobs.all();
        if !turned && load == seen.settings.1 {
            return seen.point(load, now);
        }
        // What was measured until now is a point as it is.
        seen.kept = Time::ZERO;
        seen.point(seen.settings.1, now);
        seen.settings.1 = load;
        if turned {
            seen.settings.0 = knobs.all().to_vec();
            // A knob ends what runs by itself.
            (seen.climb, seen.minutes, seen.trial) = (None, None, None);
            seen.stall = seen.stall.filter(|stall| stall.over.is_none());
            for what in [Rings::Climbs, Rings::Minute, Rings::Stalls] {
                seen.serials[what as usize] += 1;
            }
        }
        let connection = f64::from(knobs.whole("connections")) / asked.max(1e-9);
        seen.interval = (knobs.get("sends") == PACES).then(|| Time::from_s(connection));
        (seen.sender, seen.corrects) = (sender, knobs.on("corrected"));
        let ids = [
            "law",
            "workers",
            "sends",
            "connections",
            "work",
            "arrivals",
            "lines",
            "corrected",
        ];
        let mut rules: Rules = [0; 9];
        for (rule, id) in rules.iter_mut().zip(ids) {
            *rule = knobs.get(id).to_bits();
        }
        rules[8] = (knobs.get("uneven") * 100.0) as u64
            + 10_000 * u64::from(knobs.whole("places") * u32::from(knobs.on("bound")))
            + 10_000_000 * (knobs.get("pause") * 10.0) as u64;
        seen.curve.turn_to(rules);
        seen.measure = Measure::new(now + SETTLES, Time::NEVER);
    }

    fn report(&self, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let now = cx.now();
        cx.sample(BUSY, system.own::<Seen>().lately.mean(now));
        let seen = system.own_mut::<Seen>();
        if !std::mem::replace(&mut seen.opened, true) && seen.sender == USERS {
            // The points of lower loads are there when the lesson opens.
            let last = OPENING_LAST.min(knobs.get("busy") - 1.0);
            seen.climb = Some((CLIMB, last));
            climb(system, knobs, cx);
            return;
        }
        if let Some(stall) = &mut seen.stall
            && let Some(over) = stall.over
            && stall.note != NoteId::NONE
        {
            let cause = std::mem::replace(&mut stall.note, NoteId::NONE);
            let took = over.since(stall.began);
            cx.because(cause);
            let note = Note::new("forgotten").with(Arg::Span(took));
            let note = note.about(PartId::one("workers")).mark(Tone::Ok);
            system.say(note.ends("stall", 0), cx);
        }
    }
}

impl Seen {
    /// What is measured now is a point of the curve; its percentile is counted out anew, so not after every event.
    fn point(&mut self, load: f64, now: Time) {
        if self.minutes.is_some() || self.trial.is_some() || now.since(self.kept) < KEEPS {
            return;
        }
        self.kept = now;
        // Who asks again at once keeps the workers busy, whatever they were asked to be.
        let load = if self.sender == LOOP { 100.0 } else { load };
        if let Some(point) = self.measure.point(load.round()) {
            self.curve.keep(point);
        }
    }
}

fn members(system: &System) -> usize {
    system.node(WORKERS).map_or(0, |live| live.members.len())
}

/// How many workers are busy.
fn at_work(system: &System) -> usize {
    let live = system.node(WORKERS).into_iter();
    let members = live.flat_map(|live| live.members.iter());
    members.map(|member| member.own.pool.held.len()).sum()
}

/// Whether the workers stand still.
fn stands(system: &System) -> bool {
    let live = system.node(WORKERS);
    let member = live.and_then(|live| live.members.get(0));
    member.is_some_and(|it| it.own.rate == 0.0)
}

/// The workers stand still for a while; if they do already, for longer.
fn stall(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let (now, span) = (cx.now(), knobs.s("stall"));
    let cause = cx.cause();
    let note = Note::new("stalls").with(Arg::Span(span));
    let note = note.about(PartId::one("workers")).mark(Tone::Bad);
    let note = system.say(note.begins("stall", 0), cx);
    let seen = system.own_mut::<Seen>();
    let began = seen.stall.filter(|it| it.until > now).map(|it| it.began);
    seen.stall = Some(Stall {
        began: began.unwrap_or(now),
        until: now + span,
        over: None,
        note,
    });
    let event = seen.rings(Rings::GoesOn);
    for member in 0..members(system) {
        cx.because(note);
        system.deed(Deed::Slow(WORKERS, 0.0), member, cx);
    }
    cx.because(note);
    cx.schedule(span, event);
    cx.because(cause);
}

/// The next step of a climb: the load that it asks for, until the step after.
fn climb(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let seen = system.own_mut::<Seen>();
    let Some((asked, last)) = seen.climb else {
        return;
    };
    seen.climb = (asked <= last).then_some((asked + CLIMB, last));
    if asked > last {
        return;
    }
    let event = seen.rings(Rings::Climbs);
    cx.because(NoteId::NONE);
    // A little longer than the step, so that it goes over into the next one.
    let span = CLIMB_EVERY + Time::us(1);
    let times = asked / knobs.get("busy");
    system.deed(Deed::Surge(USERS, times, span), 0, cx);
    cx.because(NoteId::NONE);
    cx.schedule(CLIMB_EVERY, event);
}

/// One more user than would have come.
fn one_more(system: &mut System, cx: Cx<'_, '_>) {
    let seen = system.own_mut::<Seen>();
    seen.bursts += 1;
    let dice = mix64(mix64(0x0b57) ^ seen.bursts);
    let draw = Draw {
        dice,
        ..Draw::default()
    };
    system.request(USERS.0, draw, 0, cx);
}

/// For how long the system runs before anybody looks: four loads are measured, and then the one that it opens with.
const WARM_UP: Time = Time(4 * CLIMB_EVERY.0 + FIRST.0);

/// Probes of the lesson's own: workers that are busy.
const BUSY: usize = probe::OWN;
const PROBES: [Probe; probe::OWN + 1] = {
    let mut all = [Probe::Level; probe::OWN + 1];
    let mut i = 0;
    while i < probe::OWN {
        all[i] = probe::ALL[i];
        i += 1;
    }
    all
};

const PLOTS: &[Plot] = &[
    Plot::ms(
        "time",
        &[
            Line::quantile("p99", probe::LATENCY, 0.99, Ink::Warn),
            Line::mean("mean", probe::LATENCY, Ink::Accent),
            Line::quantile("p50", probe::LATENCY, 0.5, Ink::Secondary),
        ],
        100.0,
    ),
    Plot::of(
        "line",
        &[
            Line::mean("in-line", probe::WAITING, Ink::Hit).filled(),
            Line::mean("busy", BUSY, Ink::Accent),
        ],
        10.0,
    ),
    Plot::of(
        "rates",
        &[
            Line::mean("answered", probe::DONE, Ink::Ok).filled(),
            Line::mean("asked", probe::CAME, Ink::Accent),
            Line::mean("refused", probe::FAILED, Ink::Bad),
        ],
        100.0,
    ),
];

impl Lesson for LatencyUnderLoad {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        stands_for: figure::STANDS_FOR,
        speed: 0.2,
        twin: ("sends", PACES),
        still: Time::s(12),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "latency-under-load",
                chapter: "traffic",
                tables: &["queueing_latency", "scaling_tail_availability"],
            },
            || Values::first(&LatencyUnderLoad),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "kit/flow/pool.rs",
            region: "offer",
            marks: &[("waits", "Offer::Waits("), ("overflow", "Offer::Full")],
        },
        Code {
            file: "kit/system/model/pace.rs",
            region: "paced",
            marks: &[("missed", "missed = now.since")],
        },
        Code {
            file: "algorithms/histogram.rs",
            region: "record",
            marks: &[],
        },
        Code {
            file: "algorithms/histogram.rs",
            region: "rank",
            marks: &[],
        },
    ];
}
