//! Synchronous and asynchronous: who holds a thread, who waits, and what survives a restart.

mod figure;
mod story;
mod uploads;

#[cfg(test)]
mod tests;

use algorithms::hash::mix64;
use algorithms::queueing;
use algorithms::retry::{Backoff, Jitter};
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Sheet, Time, Tone,
};
use kit::flow::Key;
use kit::system::{
    Call, Crowd, Cx, Deed, Dial, Draw, Event, Frame, Gear, Kind, Life, Node, NodeId, Own, Plan,
    Pull, QUEUES, Queue, Reason, Retry, STORES, Script, Service, Spread, Step, System, Values,
    Wire, WireId, probe,
};
use uploads::{Due, Seen, State, Todo, User, alive, watch};

/// The lesson.
pub struct SyncAsync;

/// Who wants pages.
pub const READERS: NodeId = NodeId(0);
/// Who brings videos.
pub const UPLOADERS: NodeId = NodeId(1);
/// Who serves both, by threads.
pub const APP: NodeId = NodeId(2);
/// What the web app keeps of uploads in its memory, with as many tasks as there are encoders.
pub const LIST: NodeId = NodeId(3);
/// What keeps uploads outside of it.
pub const QUEUE: NodeId = NodeId(4);
/// Who encodes.
pub const ENCODER: NodeId = NodeId(5);
/// What keeps videos that want captions, if encoders do not wait for them.
pub const TRAY: NodeId = NodeId(6);
/// Who writes captions.
pub const CAPTIONS: NodeId = NodeId(7);

const PAGE_DOOR: WireId = WireId(0);
const UPLOAD_DOOR: WireId = WireId(1);
const ENCODE: WireId = WireId(2);
const KEEP: WireId = WireId(3);
const RUN: WireId = WireId(4);
const PUT: WireId = WireId(5);
const PULL: WireId = WireId(6);
const CAPTION: WireId = WireId(7);
const PASS: WireId = WireId(8);
const TAKE: WireId = WireId(9);

/// The knob `way`: the thread waits.
pub const WAIT: u8 = 0;
/// The connection waits, no thread does.
pub const FREE: u8 = 1;
/// Handed off to a list in the web app's memory.
pub const MEMORY: u8 = 2;
/// Handed off to a durable queue.
pub const DURABLE: u8 = 3;

/// Classes of requests: pages, uploads by their way from here on, questions about the state of an upload.
const PAGE: u8 = 0;
const UPLOAD: u8 = 1;
const STATUS: u8 = 5;

/// One way from users to the web app: stretched, really about 1 ms within a data centre.
const HOP: Time = Time::ms(100);
/// One way between services.
const WAY: Time = Time::ms(20);
/// Work of a thread on a page, and on an upload before it depends on the way.
const WORK: Time = Time::ms(40);
const STATUS_WORK: Time = Time::ms(5);
/// Who writes captions.
const WRITERS: u32 = 3;
/// A message that is taken is hidden for so long, unless its worker says that it lives.
const VISIBILITY: Time = Time::s(15);
/// A list in memory tries again after so long.
const AGAIN: Time = Time::s(2);
/// How long the web app restarts, and after how long notice.
const RESTARTS: Time = Time::s(2);
const NOTICE: Time = Time::s(2);
/// How long a service is down that a learner takes down.
const DOWN: Time = Time::s(8);
/// Nobody closes a tab sooner.
const STAYS: Time = Time::s(3);
/// Who comes at once, and when they first do if nobody does anything.
pub const CROWD: u32 = 10;
const OPENING: Time = Time::ms(1_500);

const DIALS: &[Dial] = &[
    Dial::choice("way", &["wait", "free", "memory", "queue"], 0),
    Dial::slider("uploads", [0.0, 60.0, 1.0], "/min", 6.0),
    Dial::whole("threads", [2, 12], 6),
    Dial::whole("encoders", [1, 6], 3),
    Dial::slider("encoding", [1.0, 15.0, 0.5], "s", 6.0),
    Dial::choice("learns", &["asking", "told"], 0),
    Dial::slider("every", [1.0, 10.0, 1.0], "s", 3.0),
    Dial::whole("places", [5, 200], 50),
    Dial::slider("pages", [0.0, 20.0, 1.0], "/s", 6.0),
    Dial::slider("gateway", [5.0, 60.0, 1.0], "s", 10.0),
    Dial::choice("spread", &["fixed", "exponential"], 0),
    Dial::switch("again", false),
    Dial::slider("captions", [0.0, 5.0, 0.5], "s", 1.0),
    Dial::whole("door", [0, 200], 200),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("crowd"),
    ActionSpec::whole("close"),
    ActionSpec::whole("restart"),
    ActionSpec::whole("encoder"),
    ActionSpec::whole("captions"),
    ActionSpec::whole("die"),
    ActionSpec::whole("fresh"),
];
/// The places of actions.
mod act {
    pub(super) const CROWD: usize = 0;
    pub(super) const CLOSE: usize = 1;
    pub(super) const RESTART: usize = 2;
    pub(super) const ENCODER: usize = 3;
    pub(super) const CAPTIONS: usize = 4;
    pub(super) const DIE: usize = 5;
}
const DEEDS: &[Deed] = &[Deed::Own; 7];

/// A service whose workers do nothing before the plan says what.
fn service(workers: u32, places: u32) -> Service {
    Service::new(workers, places, Time::ZERO, Spread::Fixed)
}

// region: ways
/// What a thread does for a request of each class.
fn thread() -> Vec<Vec<Step>> {
    let call = |over: WireId| Step::Call(Call::over(over));
    let send = |over: WireId| Step::Publish(Call::over(over));
    vec![
        // A page.
        vec![Step::Work(WORK)],
        // Wait: the thread is held until the video is there.
        vec![Step::Work(WORK), call(ENCODE)],
        // Wait, thread free: the connection is parked until the encoder answers.
        vec![Step::Work(WORK), send(ENCODE), Step::Park],
        // Hand off in memory: noted in a list, and answered.
        vec![Step::Work(WORK), send(KEEP)],
        // Hand off to a queue: answered once the queue has it.
        vec![Step::Work(WORK), call(PUT)],
        // How far is my upload?
        vec![Step::Work(STATUS_WORK)],
    ]
}

/// What an encoder does for an upload of each class.
fn encoder(work: Time) -> Vec<Vec<Step>> {
    let call = |over: WireId| Step::Call(Call::over(over));
    let waits = vec![Step::Work(work), call(CAPTION)];
    let hands_off = vec![Step::Work(work), call(PASS)];
    let mut programs = vec![waits; 4];
    programs.push(hands_off);
    programs
}
// endregion

impl Script for SyncAsync {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn gear(&self) -> Gear {
        Gear {
            queues: Some(&QUEUES),
            stores: Some(&STORES),
            ..Gear::NONE
        }
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let way = knobs.whole("way") as u8;
        // The gateway stands at the users' end: it gives up, and nobody tells the web app.
        let ask = |over: WireId| Call {
            timeout: Some(knobs.s("gateway")),
            ..Call::over(over)
        };
        let readers = Crowd::poisson(knobs.get("pages"), ask(PAGE_DOOR));
        let mut uploaders = Crowd::poisson(knobs.get("uploads") / 60.0, ask(UPLOAD_DOOR));
        uploaders.classes = vec![0.0; usize::from(UPLOAD + way)];
        uploaders.classes.push(1.0);
        let mut app = service(knobs.whole("threads"), knobs.whole("door"));
        app.skips_left = true;
        app.programs = thread();
        let encoders = knobs.whole("encoders");
        let mut list = service(encoders, 5_000);
        list.programs = vec![vec![Step::Call(Call {
            retry: Some(Retry {
                retries: u8::MAX,
                backoff: Backoff {
                    base_us: AGAIN.0,
                    cap_us: AGAIN.0,
                    multiplier: 1.0,
                    jitter: Jitter::None,
                },
                budget: None,
                heeds: None,
            }),
            ..Call::over(RUN)
        })]];
        let mut encoder = service(encoders, 300);
        encoder.programs = self::encoder(knobs.s("encoding"));
        encoder.weighs = true;
        encoder.spread = [Spread::Fixed, Spread::Exponential][knobs.whole("spread") as usize];
        let mut captions = service(WRITERS, 300);
        captions.programs = vec![vec![Step::Work(knobs.s("captions"))]];
        captions.weighs = true;
        if way == DURABLE {
            let pull = |over: WireId| Pull {
                heartbeat: true,
                ..Pull::over(over)
            };
            (encoder.pulls, captions.pulls) = (Some(pull(PULL)), Some(pull(TAKE)));
        }
        let queue = |places: Option<u32>| {
            Kind::Queue(Queue {
                ordered: false,
                visibility: VISIBILITY,
                delay: Time::ZERO,
                retention: Time::s(14 * 24 * 3_600),
                deliveries: None,
                places,
            })
        };
        let boots = Node {
            life: Life {
                boot: RESTARTS,
                ..Life::default()
            },
            ..Node::one(APP, "app", Kind::Service(app))
        };
        let between = |id, from, to, part| Wire::new(id, from, to, part, WAY);
        Plan {
            nodes: vec![
                Node::one(READERS, "readers", Kind::Crowd(readers)),
                Node::one(UPLOADERS, "uploaders", Kind::Crowd(uploaders)),
                boots,
                Node::one(LIST, "list", Kind::Service(list)),
                Node::one(QUEUE, "queue", queue(Some(knobs.whole("places")))),
                Node::one(ENCODER, "encoder", Kind::Service(encoder)),
                Node::one(TRAY, "tray", queue(None)),
                Node::one(CAPTIONS, "captions", Kind::Service(captions)),
            ],
            wires: vec![
                Wire::new(PAGE_DOOR, READERS, APP, "door", HOP),
                Wire::new(UPLOAD_DOOR, UPLOADERS, APP, "door", HOP),
                between(ENCODE, APP, ENCODER, "way"),
                Wire::new(KEEP, APP, LIST, "way", Time::ZERO),
                between(RUN, LIST, ENCODER, "way"),
                between(PUT, APP, QUEUE, "way"),
                between(PULL, ENCODER, QUEUE, "way"),
                between(CAPTION, ENCODER, CAPTIONS, "way"),
                between(PASS, ENCODER, TRAY, "way"),
                between(TAKE, CAPTIONS, TRAY, "way"),
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

    /// What is under way stays, and the last seconds of each thread.
    fn start(&self, system: &mut System) {
        let seen = system.own_mut::<Seen>();
        let (jobs, pages) = (std::mem::take(&mut seen.jobs), seen.pages);
        seen.renew(0, WARM_UP);
        (seen.jobs, seen.pages) = (jobs, pages);
        seen.settle();
        seen.opens = true;
    }

    fn can(&self, act: Act, system: &System) -> bool {
        let seen = system.own::<Seen>();
        match act.spec {
            act::CLOSE => seen.open_tab().is_some(),
            act::RESTART => is_up(APP, system) && seen.restart.is_none(),
            act::ENCODER => is_up(ENCODER, system),
            act::CAPTIONS => is_up(CAPTIONS, system),
            act::DIE => busy_encoder(system).is_some(),
            _ => true,
        }
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let now = cx.now();
        system.own_mut::<Seen>().opens = false;
        match act.spec {
            act::CROWD => crowd(system, knobs, cx),
            act::CLOSE => {
                let seen = system.own_mut::<Seen>();
                let Some(number) = seen.open_tab() else {
                    return;
                };
                let asked = seen.job(number).map_or(now, |job| job.asked);
                cx.schedule((asked + STAYS).since(now), Due::Close.timer(number));
            }
            act::RESTART => {
                let note = Note::new("deploys").with(Arg::Span(NOTICE));
                let note = note.about(PartId::one("app")).mark(Tone::Learner);
                let note = system.say(note, cx);
                cx.because(note);
                system.own_mut::<Seen>().restart = Some(now + NOTICE);
                cx.schedule(NOTICE, Due::Restart.timer(0));
            }
            act::ENCODER | act::CAPTIONS => {
                let node = [ENCODER, CAPTIONS][act.spec - act::ENCODER];
                system.deed(Deed::Crash(node), 0, cx);
                system.own_mut::<Seen>().up[act.spec - act::ENCODER] = now + DOWN;
                cx.schedule(DOWN, Due::Up.timer(u32::from(node.0)));
            }
            act::DIE => {
                if let Some(key) = busy_encoder(system) {
                    let note = Note::new("dies").about(PartId::one("encoder"));
                    let note = system.say(note.mark(Tone::Bad), cx);
                    cx.because(note);
                    let seen = system.own_mut::<Seen>();
                    seen.deaths += u32::from(seen.restarts > 0);
                    system.lose(key, cx);
                }
            }
            _ => fresh(system, knobs, cx),
        }
    }

    fn timer(&self, number: u32, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let (due, number) = Due::of(number);
        let now = cx.now();
        let way = knobs.whole("way") as u8;
        match due {
            Due::Opening => {
                if std::mem::replace(&mut system.own_mut::<Seen>().opens, false) {
                    crowd(system, knobs, cx);
                }
            }
            Due::Restart => {
                let seen = system.own_mut::<Seen>();
                if seen.restart != Some(now) {
                    return;
                }
                seen.restart = None;
                seen.restarts += 1;
                // What the list says of videos that are there is gone with it.
                let mine = seen.jobs.iter_mut().filter(|job| job.way == MEMORY);
                mine.for_each(|job| job.forgotten = true);
                let cause = cx.cause();
                system.deed(Deed::Restart(APP), 0, cx);
                cx.because(cause);
                system.deed(Deed::Flush(LIST), 0, cx);
            }
            Due::Up => {
                let node = NodeId(number as u16);
                let up = system.own::<Seen>().up[usize::from(node == CAPTIONS)];
                if up == now && !is_up(node, system) {
                    system.deed(Deed::Recover(node), 0, cx);
                }
            }
            Due::Close => close(number, system, cx),
            Due::Ask => {
                let seen = system.own::<Seen>();
                if seen
                    .job(number)
                    .is_some_and(|job| job.user == User::Accepted)
                {
                    let draw = Draw {
                        dice: mix64(u64::from(number) << 20 ^ now.0),
                        key: number,
                        class: STATUS,
                        ..Draw::default()
                    };
                    system.request(UPLOADERS.0, draw, 0, cx);
                }
            }
            Due::Tell => system.own_mut::<Seen>().learns(number, now),
            Due::Wake | Due::Fail => {
                let failed = (due == Due::Fail).then_some(Reason::Down);
                if let Some(key) = parked(number, system) {
                    system.unpark(key, failed, cx);
                }
            }
            Due::Again => {
                let draw = Draw {
                    dice: mix64(u64::from(number)),
                    class: UPLOAD + way,
                    ..Draw::default()
                };
                system.request(UPLOADERS.0, draw, 0, cx);
            }
        }
    }

    fn sent(&self, call: Key, system: &mut System, now: Time) {
        let Some(call) = system.frame(call).filter(|call| call.at().0 == APP) else {
            return;
        };
        let (number, class) = (call.number, call.draw.class);
        if (UPLOAD..STATUS).contains(&class) {
            system.own_mut::<Seen>().begin(number, class - UPLOAD, now);
        }
    }

    fn taken(&self, _: Key, system: &mut System, now: Time) {
        watch(system, now);
    }

    /// What was begun before everything started afresh keeps nobody.
    fn weighs(&self, call: Key, work: Time, system: &mut System, _: Time) -> Time {
        let first = system.own::<Seen>().first;
        let old = system.frame(call).is_some_and(|call| call.number < first);
        if old { Time::us(1) } else { work }
    }

    fn heard(&self, note: &Note, system: &mut System) {
        let (now, part) = (system.now, note.part.map_or("", |part| part.kind));
        let seen = system.own_mut::<Seen>();
        match (note.word, part) {
            ("overflow", "queue") => seen.full += 1,
            ("overflow", "app") => seen.refused += 1,
            _ => {}
        }
        let Some(way) = seen.job(note.dot).map(|job| job.way) else {
            return;
        };
        let last = if way == DURABLE {
            "captions"
        } else {
            "encoder"
        };
        match note.word {
            "answered" if part == last => {
                seen.made(note.dot, now);
                if way == FREE {
                    seen.todo.push(Todo::of(Due::Wake, note.dot, now + WAY));
                }
            }
            "lost" | "fails-too" | "refused" | "overflow" if part == "encoder" && way == FREE => {
                seen.todo.push(Todo::of(Due::Fail, note.dot, now + WAY));
            }
            "lost" | "fails-too" if part == "list" => {
                if let Some(job) = seen.job_mut(note.dot) {
                    job.forgotten = true;
                }
                seen.orphans.push(note.dot);
            }
            _ => {}
        }
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let took = now.since(request.asked) - request.travelled();
        let (number, failed) = (request.number, request.failed);
        let seen = system.own_mut::<Seen>();
        match request.draw.class {
            PAGE => seen.page(took, request.asked, failed.is_some()),
            STATUS => seen.status(request.draw.key, request.asked, failed.is_some(), now),
            _ => seen.upload_over(number, failed.is_some(), now),
        }
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        watch(system, now);
        let orphans = std::mem::take(&mut system.own_mut::<Seen>().orphans);
        let (live, dead): (Vec<u32>, Vec<u32>) = orphans
            .into_iter()
            .partition(|number| alive(*number, system));
        let seen = system.own_mut::<Seen>();
        seen.orphans = live;
        seen.bury(&dead);
        // Knobs turn seldom: only then are they read again.
        let seen = system.own::<Seen>();
        if system.turned != seen.turned || system.turned == now || !seen.set {
            let turned = system.turned;
            let seen = system.own_mut::<Seen>();
            seen.turn(knobs, now);
            (seen.turned, seen.set) = (turned, true);
        }
    }

    fn report(&self, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let now = cx.now();
        let seen = system.own_mut::<Seen>();
        if seen.opens && !std::mem::replace(&mut seen.opening, true) {
            cx.schedule((WARM_UP + OPENING).since(now), Due::Opening.timer(0));
        }
        if std::mem::take(&mut seen.another_way) {
            fresh(system, knobs, cx);
        }
        let seen = system.own_mut::<Seen>();
        let todo = std::mem::take(&mut seen.todo);
        for (took, asked) in seen.times.drain(..) {
            cx.sample_asked(PAGE_TIME, took.0 as f64, asked);
        }
        let states = [State::Works, State::Waits].map(|state| seen.lanes.count(0, state));
        for todo in todo {
            cx.schedule(todo.at.since(now), todo.due.timer(todo.number));
        }
        let (tasks, listed) = pool(LIST, system);
        let visible = [QUEUE, TRAY].map(|node| messages(node, system));
        cx.sample(WORKING, states[0] as f64);
        cx.sample(WAITING, states[1] as f64);
        cx.sample(AT_DOOR, pool(APP, system).1 as f64);
        cx.sample(IN_TRAY, (tasks + listed + visible[0] + visible[1]) as f64);
    }
}

/// Held and waiting at the only member of a service.
fn pool(node: NodeId, system: &System) -> (usize, usize) {
    let live = system.node(node).and_then(|live| live.members.get(0));
    live.map_or((0, 0), |it| {
        (it.own.pool.held.len(), it.own.pool.queue.len())
    })
}

/// Messages that a queue keeps, lent ones included.
fn messages(node: NodeId, system: &System) -> usize {
    system.shelf(node).map_or(0, |shelf| shelf.queue().len())
}

fn is_up(node: NodeId, system: &System) -> bool {
    let live = system.node(node).and_then(|live| live.members.get(0));
    live.is_some_and(|member| member.down.is_none())
}

/// What the encoder has been at the longest and works on.
fn busy_encoder(system: &System) -> Option<Key> {
    let live = system.node(ENCODER)?.members.get(0)?;
    let held = live.own.pool.held.iter().copied();
    held.min_by_key(|key| {
        system
            .frame(*key)
            .map(|frame| (frame.reached, frame.number))
    })
}

/// The connection of an upload that waits without a thread.
fn parked(number: u32, system: &System) -> Option<Key> {
    let live = system.node(APP)?.members.get(0)?;
    let is = |key: &&Key| system.frame(**key).is_some_and(|it| it.number == number);
    live.own.parked.iter().find(is).copied()
}

/// Ten upload at once.
fn crowd(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let class = UPLOAD + knobs.whole("way") as u8;
    let note = Note::new("crowd").with(Arg::Count(i64::from(CROWD)));
    let note = note.about(PartId::one("uploaders")).mark(Tone::Learner);
    let note = system.say(note, cx);
    let (now, first) = (cx.now(), system.requests() + 1);
    system.own_mut::<Seen>().crowd(first, now);
    for _ in 0..CROWD {
        let seen = system.own_mut::<Seen>();
        seen.dealt += 1;
        let draw = Draw {
            dice: mix64(mix64(0x10ad) ^ u64::from(seen.dealt)),
            class,
            ..Draw::default()
        };
        cx.because(note);
        system.request(UPLOADERS.0, draw, 0, cx);
    }
}

/// Somebody closes the tab of an upload that has not come back.
fn close(number: u32, system: &mut System, cx: Cx<'_, '_>) {
    let seen = system.own_mut::<Seen>();
    let Some(job) = seen.job_mut(number).filter(|job| job.is_open()) else {
        return;
    };
    let waits = job.user == User::Waits;
    job.user = User::Closed;
    let note = Note::new("closes").with(Arg::Count(i64::from(number)));
    let note = note.about(PartId::one("uploaders")).dot(number);
    let note = system.say(note.mark(Tone::Learner), cx);
    cx.because(note);
    let mine = |frame: &Frame| frame.is_request() && frame.number == number;
    let request = system.frames().find(|(_, frame)| mine(frame));
    if let Some((key, _)) = request.filter(|_| waits) {
        cx.schedule(Time::ZERO, Event::Patience(key));
    }
}

/// Nothing is under way any more, and everything is counted from here.
fn fresh(system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let note = Note::new("fresh").about(PartId::one("app"));
    let note = system.say(note.mark(Tone::Plain), cx);
    let (now, first) = (cx.now(), system.requests() + 1);
    system.own_mut::<Seen>().renew(first, now);
    for node in [APP, LIST, ENCODER, CAPTIONS, QUEUE, TRAY] {
        cx.because(note);
        if !is_up(node, system) {
            system.deed(Deed::Recover(node), 0, cx);
        }
        if pool(node, system) != (0, 0) || messages(node, system) > 0 || node == APP {
            cx.because(note);
            system.deed(Deed::Flush(node), 0, cx);
        }
    }
    cx.empty_windows();
    let seen = system.own_mut::<Seen>();
    seen.lanes.clear();
    seen.turn(knobs, now);
    watch(system, now);
}

/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(12);

/// Probes of the lesson's own.
const WORKING: usize = probe::OWN_WITH_QUEUES;
const WAITING: usize = WORKING + 1;
const PAGE_TIME: usize = WORKING + 2;
const AT_DOOR: usize = WORKING + 3;
const IN_TRAY: usize = WORKING + 4;
const PROBES: [Probe; WORKING + 5] = {
    let mut all = [Probe::Level; WORKING + 5];
    let mut i = 0;
    while i < WORKING {
        all[i] = probe::WITH_QUEUES[i];
        i += 1;
    }
    all[PAGE_TIME] = Probe::Spread;
    all
};

const PLOTS: &[Plot] = &[
    Plot::of(
        "threads",
        &[
            Line::mean("waiting", WAITING, Ink::Warn).filled(),
            Line::mean("working", WORKING, Ink::Accent),
        ],
        6.0,
    ),
    Plot::ms(
        "page",
        &[
            Line::quantile("slowest", PAGE_TIME, 0.99, Ink::Warn),
            Line::quantile("p50", PAGE_TIME, 0.5, Ink::Accent),
        ],
        200.0,
    ),
    Plot::of(
        "uploads",
        &[
            Line::mean("tray", IN_TRAY, Ink::Hit).filled(),
            Line::mean("door", AT_DOOR, Ink::Warn),
        ],
        10.0,
    ),
];

impl Lesson for SyncAsync {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Request, Ink::Hit),
            (Glyph::Heartbeat, Ink::Secondary),
            (Glyph::Replica, Ink::Hit),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        stands_for: figure::STANDS_FOR,
        speed: 1.0,
        twin: ("way", DURABLE as f64),
        still: Time::ms(5_800),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "sync-async",
                chapter: "services",
                tables: &["message_queue_sqs", "queueing_latency"],
            },
            || Values::first(&SyncAsync),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "lessons/services/sync_async/mod.rs",
            region: "ways",
            marks: &[
                ("calls", "vec![Step::Work(WORK), call(ENCODE)]"),
                ("stored", "vec![Step::Work(WORK), call(PUT)]"),
            ],
        },
        Code {
            file: "kit/flow/pool.rs",
            region: "offer",
            marks: &[("waits", "Offer::Waits("), ("overflow", "Offer::Full")],
        },
        Code {
            file: "algorithms/message_queue.rs",
            region: "receive",
            marks: &[("lent", "message.visible_at_us = now_us")],
        },
    ];
}
