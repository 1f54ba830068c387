//! Social feed: who builds your page, and when? Copies for each follower when somebody writes, or questions to each author when
//! somebody looks.

mod feeds;
mod figure;
mod story;

#[cfg(test)]
mod tests;

use algorithms::hash::mix64;
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Sheet, Time, Tone,
};
use feeds::{Feeds, READ, STAR, Told, USERS, Written};
use kit::flow::Key;
use kit::system::{
    Call, Crowd, Cx, Deed, Dial, Draw, Event, Frame, Gear, Kind, Node, NodeId, Own, Plan, STORES,
    Script, Seat, Service, Spread, Step, System, Values, Wire, WireId, probe,
};

/// The lesson.
pub struct SocialFeed;

/// Who writes.
pub const AUTHORS: NodeId = NodeId(0);
/// Who looks.
pub const READERS: NodeId = NodeId(1);
/// Takes posts and serves pages.
pub const WEB: NodeId = NodeId(2);
/// Carries numbers of posts to inboxes.
pub const GENERATOR: NodeId = NodeId(3);
/// Makes pages.
pub const AGGREGATOR: NodeId = NodeId(4);

const POSTS: WireId = WireId(0);
const LOOKS: WireId = WireId(1);
const ASK: WireId = WireId(2);

/// Classes of what crowds want: to write; as the star; as a fan who answers her; to look; to look again after long.
const POST: u8 = 0;
const BY_STAR: u8 = 1;
const ANSWER: u8 = 2;
const LOOK: u8 = 3;
const RETURN: u8 = 4;
/// Classes of jobs of the generator: to make a copy; to be dead.
const COPY: u8 = 0;
const DEAD: u8 = 1;

/// One way between users and the web servers: stretched, really about 1 ms within a data centre.
const HOP: Time = Time::ms(100);
/// Work of the web servers on a post.
const WRITE_WORK: Time = Time::ms(1);
/// Work of the aggregator on a look, before it fetches.
const LOOK_WORK: Time = Time::ms(5);
const AGGREGATORS: u32 = 4;
/// Looks that may wait at the aggregator.
const PLACES: u32 = 160;
/// Readers of the fan who follow the star, too.
const FANS_COMMON: usize = 17;
/// When the star first writes if nobody does anything.
const OPENING: Time = Time::s(1);
/// A fan answers the star after so long.
const ANSWERS: Time = Time::s(1);
/// Everybody looks: so often a second, for so long.
const RUSH: f64 = 200.0;
const RUSH_SPAN: Time = Time::s(10);
/// Generator workers die together, for so long.
const DIE: usize = 2;
const DEAD_FOR: Time = Time::s(10);
/// The knob `lossy` at its end: nothing is left out.
const LOSSY_OFF: u32 = 500;

const DIALS: &[Dial] = &[
    Dial::choice("design", &["write", "read", "mixed", "pair"], 0),
    Dial::slider("looks", [1.0, 200.0, 1.0], "/s", 40.0),
    Dial::slider("posts", [0.2, 5.0, 0.1], "/s", 2.0),
    Dial::choice("order", &["first", "turns"], 0),
    Dial::slider("above", [20.0, 1_000.0, 10.0], "followers", 100.0),
    Dial::choice("sleepers", &["copied", "skipped"], 0),
    Dial::slider("every", [0.0, 600.0, 10.0], "s", 0.0),
    Dial::slider("followers", [100.0, 950.0, 10.0], "", 600.0),
    Dial::whole("workers", [1, 20], 3),
    Dial::slider("copy", [1.0, 50.0, 1.0], "ms", 20.0),
    Dial::slider("fetch", [1.0, 20.0, 1.0], "ms", 3.0),
    Dial::slider("asleep", [0.0, 90.0, 10.0], "%", 60.0),
    Dial::choice("return", &["rebuilt", "empty"], 0),
    Dial::slider("reshares", [0.0, 50.0, 5.0], "%", 10.0),
    Dial::slider("lossy", [20.0, 500.0, 10.0], "", LOSSY_OFF as f64),
    Dial::choice("early", &["shown", "held"], 0),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("star"),
    ActionSpec::whole("answer"),
    ActionSpec::whole("rush"),
    ActionSpec::whole("sleeper"),
    ActionSpec::whole("collect"),
    ActionSpec::whole("delete"),
    ActionSpec::whole("die"),
    ActionSpec::whole("fresh"),
];
/// The places of actions.
mod act {
    pub(super) const STAR: usize = 0;
    pub(super) const ANSWER: usize = 1;
    pub(super) const RUSH: usize = 2;
    pub(super) const SLEEPER: usize = 3;
    pub(super) const COLLECT: usize = 4;
    pub(super) const DELETE: usize = 5;
    pub(super) const DIE: usize = 6;
}
const DEEDS: &[Deed] = &[Deed::Own; 8];

/// What timers are for, in the upper half of their number.
const DUE_STAR: u32 = 0;
const DUE_ANSWER: u32 = 1;
const DUE_OPENING: u32 = 2;
const DUE: u32 = 1 << 24;

impl Script for SocialFeed {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn gear(&self) -> Gear {
        Gear {
            stores: Some(&STORES),
            ..Gear::NONE
        }
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let mut authors = Crowd::poisson(knobs.get("posts"), Call::over(POSTS));
        authors.classes = vec![1.0];
        let mut readers = Crowd::poisson(knobs.get("looks"), Call::over(LOOKS));
        readers.classes = vec![0.0; usize::from(LOOK)];
        readers.classes.push(1.0);
        let service = |workers, places| Service::new(workers, places, Time::ZERO, Spread::Fixed);
        let mut web = service(1_000, 1_000);
        let write = vec![Step::Work(WRITE_WORK)];
        let look = vec![Step::Call(Call::over(ASK))];
        web.programs = vec![write.clone(), write.clone(), write, look];
        let mut generator = service(knobs.whole("workers"), 1_000);
        generator.programs = vec![
            vec![Step::Work(knobs.ms("copy"))],
            vec![Step::Work(DEAD_FOR)],
        ];
        let mut aggregator = service(AGGREGATORS, PLACES);
        aggregator.programs = vec![vec![Step::Work(LOOK_WORK)]];
        aggregator.weighs = true;
        Plan {
            nodes: vec![
                Node::one(AUTHORS, "authors", Kind::Crowd(authors)),
                Node::one(READERS, "field", Kind::Crowd(readers)),
                Node::one(WEB, "web", Kind::Service(web)),
                Node::one(GENERATOR, "generator", Kind::Service(generator)),
                Node::one(AGGREGATOR, "aggregator", Kind::Service(aggregator)),
            ],
            wires: vec![
                Wire::new(POSTS, AUTHORS, WEB, "door", HOP),
                Wire::new(LOOKS, READERS, WEB, "door", HOP),
                Wire::new(ASK, WEB, AGGREGATOR, "way", Time::ZERO),
            ],
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Feeds::new())
    }

    /// What was done before anybody looked stays in the windows.
    fn start(&self, system: &mut System) {
        let feeds = system.own_mut::<Feeds>();
        (feeds.thrown, feeds.opens) = (feeds::Thrown::default(), true);
    }

    fn can(&self, act: Act, system: &System) -> bool {
        let feeds = system.own::<Feeds>();
        match act.spec {
            act::SLEEPER => feeds.sleeper().is_some(),
            act::DELETE => feeds
                .star_post()
                .is_some_and(|(_, post)| post.deleted.is_none()),
            act::DIE => alive(system) > 0,
            _ => true,
        }
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let now = cx.now();
        system.own_mut::<Feeds>().opens = false;
        match act.spec {
            act::STAR => star_posts(system, cx),
            act::ANSWER => {
                star_posts(system, cx);
                cx.schedule(HOP + ANSWERS, Event::Timer(DUE_ANSWER * DUE));
            }
            act::RUSH => {
                system.own_mut::<Feeds>().surge = Some((now, 0, Time::ZERO));
                let factor = (RUSH / knobs.get("looks")).max(2.0);
                system.deed(Deed::Surge(READERS, factor, RUSH_SPAN), 0, cx);
            }
            act::SLEEPER => {
                if let Some(user) = system.own::<Feeds>().sleeper() {
                    look(user, RETURN, system, cx);
                }
            }
            act::COLLECT => {
                let feeds = system.own_mut::<Feeds>();
                let (all, user) = (feeds.collect(), feeds.collector);
                let word = if all { "collects" } else { "leaves-them" };
                let note = Note::new(word).with(Arg::Count(i64::from(user)));
                let note = note.about(PartId::one("aggregator"));
                let note = system.say(note.mark(Tone::Learner), cx);
                cx.because(note);
                look(user, LOOK, system, cx);
            }
            act::DELETE => {
                let feeds = system.own_mut::<Feeds>();
                let Some(number) = feeds.star_post().map(|(number, _)| number) else {
                    return;
                };
                let held = (0..USERS as u16).filter(|it| feeds.inboxes.has(*it, number));
                let held = held.count();
                feeds.thrown = feeds::Thrown::default();
                let dot = feeds.post(number).map_or(0, |post| post.dot);
                if let Some(post) = feeds.post_mut(number) {
                    post.deleted = Some(now);
                }
                let note = Note::new("deletes").with(post_arg(number));
                let note = note.with(Arg::Count(held as i64)).dot(dot);
                let note = note.about(PartId::one("aggregator"));
                system.say(note.mark(Tone::Learner), cx);
            }
            act::DIE => die(system, cx),
            _ => {
                let note = Note::new("fresh").about(PartId::one("generator"));
                system.say(note.mark(Tone::Learner), cx);
                system.own_mut::<Feeds>().settle(now);
                system.deed(Deed::Flush(AGGREGATOR), 0, cx);
            }
        }
        self.report(system, knobs, cx);
    }

    fn timer(&self, number: u32, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        match number / DUE {
            DUE_OPENING => {
                if std::mem::take(&mut system.own_mut::<Feeds>().opens) {
                    star_posts(system, cx);
                }
            }
            DUE_ANSWER => {
                let draw = Draw {
                    dice: mix64(u64::from(system.own::<Feeds>().by_star) << 8 | 1),
                    class: ANSWER,
                    ..Draw::default()
                };
                system.request(AUTHORS.0, draw, 0, cx);
            }
            _ => {
                let feeds = system.own::<Feeds>();
                if feeds.star_turn == number % DUE
                    && let Some(every) = feeds.rule.every
                {
                    star_posts(system, cx);
                    cx.schedule(Time::from_s(every), Event::Timer(number));
                }
            }
        }
        self.report(system, knobs, cx);
    }

    /// The web servers take a post: from now on it is in its author's outbox.
    fn taken(&self, what: Key, system: &mut System, now: Time) {
        let Some(frame) = system.frame(what).filter(|frame| frame.at().0 == WEB) else {
            return;
        };
        let (draw, number) = (frame.draw, frame.number);
        let feeds = system.own_mut::<Feeds>();
        let plain = |author| Written {
            author,
            shares: None,
            answers: None,
        };
        let written = match draw.class {
            POST => feeds.written(draw.dice, draw.unit(SHARES)),
            BY_STAR => plain(STAR),
            ANSWER => Written {
                answers: feeds.star_post().map(|(number, _)| number),
                ..plain(feeds.fan)
            },
            _ => return,
        };
        feeds.publish(written, number, now);
    }

    fn weighs(&self, call: Key, _: Time, system: &mut System, now: Time) -> Time {
        let Some(frame) = system.frame(call) else {
            return LOOK_WORK;
        };
        let (draw, number) = (frame.draw, frame.number);
        let feeds = system.own_mut::<Feeds>();
        let reader = reader(&draw, feeds);
        feeds.begins_look(reader, draw.class == RETURN, draw.dice, number, now)
    }

    fn over(&self, request: &Frame, system: &mut System, now: Time) {
        let draw = request.draw;
        if draw.class < LOOK {
            return;
        }
        let took = now.since(request.asked) - request.travelled();
        let feeds = system.own_mut::<Feeds>();
        match request.failed {
            Some(_) => feeds.refused(request.asked),
            None => {
                let look = feeds::Look {
                    reader: reader(&draw, feeds),
                    asked: request.asked,
                    took,
                    dice: draw.dice,
                    dot: request.number,
                };
                feeds.looked(look, now);
            }
        }
    }

    fn job_done(&self, job: &Frame, system: &mut System, cx: Cx<'_, '_>) {
        let now = cx.now();
        if job.draw.class == DEAD {
            let note = Note::new("revived").about(PartId::one("generator"));
            system.say(note.mark(Tone::Ok), cx);
            return work(system, cx);
        }
        let (number, user) = (job.draw.key, job.draw.person);
        let feeds = system.own_mut::<Feeds>();
        let early = feeds.early;
        let last = feeds.copy_made(number, user, now);
        let is_early = feeds.early > early && feeds.early_marks.due(now);
        if let Some(post) = feeds.post(number).copied() {
            cx.because(post.note);
            if is_early {
                let note = Note::new("early").with(Arg::Count(i64::from(user)));
                let note = note.with(post_arg(number));
                let note = note.with(post_arg(post.answers.unwrap_or(0)));
                let note = note.about(PartId::one("field")).dot(job.number);
                system.say(note.mark(Tone::Warn), cx);
            }
            if last {
                let star = post.author == STAR;
                let note = Note::new(if star { "star-done" } else { "delivered" });
                let note = note.with(post_arg(number));
                let note = note.with(Arg::Count(i64::from(post.made)));
                let note = note.with(Arg::Span(post.age(now)));
                let note = note.about(PartId::one("generator")).dot(post.dot);
                let note = match star {
                    true => note.mark(Tone::Ok).ends("star", number as u16),
                    false => note,
                };
                system.say(note, cx);
            }
        }
        work(system, cx);
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        // Knobs turn seldom: only then are they read again.
        let (feeds, turned) = (system.own::<Feeds>(), system.turned);
        if turned != feeds.turned || turned == now || !feeds.set {
            let feeds = system.own_mut::<Feeds>();
            feeds.turn(knobs, now);
            feeds.turned = turned;
        }
    }

    fn report(&self, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        let feeds = system.own_mut::<Feeds>();
        if std::mem::take(&mut feeds.renewed) {
            cx.empty_windows();
        }
        if feeds.opens && !std::mem::replace(&mut feeds.opening, true) {
            let due = (WARM_UP + OPENING).since(cx.now());
            cx.schedule(due, Event::Timer(DUE_OPENING * DUE));
        }
        if let Some(every) = feeds.new_clock() {
            let turn = feeds.star_turn % DUE;
            cx.schedule(Time::from_s(every), Event::Timer(DUE_STAR * DUE + turn));
        }
        for (star, late, at) in feeds.delays.drain(..) {
            let probe = if star { STAR_DELAY } else { DELAY };
            cx.sample_asked(probe, late.0 as f64, at);
        }
        for (took, asked) in feeds.times.drain(..) {
            cx.sample_asked(LOOK_TIME, took.0 as f64, asked);
        }
        let [write, read] = std::mem::take(&mut feeds.worked);
        cx.sample(ON_WRITE, write);
        cx.sample(ON_READ, read);
        for told in std::mem::take(&mut feeds.told) {
            tell(told, system, cx);
        }
        work(system, cx);
    }
}

/// A draw of a post: whether it shares another.
const SHARES: u64 = 41;
/// A draw of a look: whose it is.
const WHO: u64 = 42;

/// Whose look it is.
fn reader(draw: &Draw, feeds: &Feeds) -> u16 {
    match draw.key {
        0 => feeds.looker(draw.unit(WHO)),
        key => (key - 1) as u16,
    }
}

fn post_arg(number: u32) -> Arg {
    Arg::Count(i64::from(number))
}

fn star_posts(system: &mut System, cx: Cx<'_, '_>) {
    let draw = Draw {
        dice: mix64(u64::from(system.own::<Feeds>().by_star) << 8),
        class: BY_STAR,
        ..Draw::default()
    };
    system.request(AUTHORS.0, draw, 0, cx);
}

/// This user looks.
fn look(user: u16, class: u8, system: &mut System, cx: Cx<'_, '_>) {
    let draw = Draw {
        dice: mix64(u64::from(user) << 40 ^ u64::from(system.requests())),
        key: u32::from(user) + 1,
        class,
        ..Draw::default()
    };
    system.request(READERS.0, draw, 0, cx);
}

/// Workers of the generator that are dead, and that make copies.
fn workers(system: &System) -> (usize, usize) {
    let live = system.node(GENERATOR).and_then(|live| live.members.get(0));
    let held = live.map_or(&[][..], |it| &it.own.pool.held);
    let dead = held.iter().filter_map(|key| system.frame(*key));
    let dead = dead.filter(|frame| frame.draw.class == DEAD).count();
    (dead, held.len() - dead)
}

/// Workers of the generator that are not dead.
fn alive(system: &System) -> usize {
    let all = system.node(GENERATOR).map_or(0, |live| live.workers());
    all.saturating_sub(workers(system).0)
}

const GENERATOR_SEAT: Seat = Seat {
    node: GENERATOR,
    member: 0,
};

/// Free workers of the generator make the copies that are next.
fn work(system: &mut System, cx: Cx<'_, '_>) {
    let cause = cx.cause();
    loop {
        let all = system.node(GENERATOR).map_or(0, |live| live.workers());
        let (dead, busy) = workers(system);
        if dead + busy >= all {
            break;
        }
        let feeds = system.own_mut::<Feeds>();
        let Some((number, user)) = feeds.next_copy() else {
            break;
        };
        let Some((note, dot)) = feeds.post(number).map(|post| (post.note, post.dot)) else {
            continue;
        };
        let draw = Draw {
            key: number,
            person: user,
            class: COPY,
            ..Draw::default()
        };
        cx.because(note);
        if system.begin_job(GENERATOR_SEAT, draw, dot, cx).is_none() {
            system.own_mut::<Feeds>().copy_lost(number, user);
            break;
        }
    }
    cx.because(cause);
}

/// Workers of the generator die in the middle of a copy, which another makes once more.
fn die(system: &mut System, cx: Cx<'_, '_>) {
    let many = alive(system).min(DIE);
    let note = Note::new("dies").with(Arg::Count(many as i64));
    let note = note.with(Arg::Span(DEAD_FOR));
    let note = note.about(PartId::one("generator")).mark(Tone::Learner);
    let note = system.say(note, cx);
    for _ in 0..many {
        let live = system.node(GENERATOR).and_then(|live| live.members.get(0));
        let held = live.map_or(&[][..], |it| &it.own.pool.held);
        let copies = held.iter().copied().find(|key| {
            let frame = system.frame(*key);
            frame.is_some_and(|frame| frame.draw.class == COPY)
        });
        let draw = Draw {
            class: DEAD,
            ..Draw::default()
        };
        cx.because(note);
        if let Some(key) = copies {
            let draw = system.frame(key).map(|frame| frame.draw);
            if let Some(draw) = draw {
                system.own_mut::<Feeds>().copy_lost(draw.key, draw.person);
            }
            system.lose(key, cx);
        }
        cx.because(note);
        system.begin_job(GENERATOR_SEAT, draw, 0, cx);
    }
}

/// Says what was noted while nobody could speak.
fn tell(told: Told, system: &mut System, cx: Cx<'_, '_>) {
    let count = |user: u16| Arg::Count(i64::from(user));
    let feeds = system.own::<Feeds>();
    match told {
        Told::Posted(number) => {
            let Some(post) = feeds.post(number).copied() else {
                return;
            };
            let copies = Arg::Count(i64::from(post.copies));
            let ahead = feeds.beside.map_or(0, |it| it.ahead);
            let star = post.author == STAR;
            let note = match (post.copies, post.answers) {
                (0, _) => Note::new("kept").with(post_arg(number)),
                (_, Some(to)) => {
                    let note = Note::new("answers").with(post_arg(to));
                    note.with(post_arg(number)).with(copies)
                }
                _ if star => {
                    let note = Note::new("star-posts").with(post_arg(number));
                    note.with(copies).with(Arg::Count(i64::from(ahead)))
                }
                _ => Note::new("posted").with(post_arg(number)).with(copies),
            };
            let note = note.about(PartId::one("web")).dot(post.dot);
            let note = match star {
                true if post.copies > 0 => note.mark(Tone::Warn).begins("star", number as u16),
                true => note.mark(Tone::Plain),
                false => note,
            };
            let id = system.say(note, cx);
            if let Some(post) = system.own_mut::<Feeds>().post_mut(number) {
                post.note = id;
            }
        }
        Told::Cut(number) => {
            let note = Note::new("all-there").with(post_arg(number));
            let note = note.about(PartId::one("generator"));
            system.say(note.ends("star", number as u16), cx);
        }
        Told::Asked(reader, outboxes, took, dot) => {
            let note = Note::new("asks-many").with(count(reader));
            let note = note.with(Arg::Count(i64::from(outboxes)));
            let note = note.with(Arg::Span(took)).dot(dot);
            let note = note.about(PartId::one("aggregator"));
            system.say(note.mark(Tone::Warn), cx);
        }
        Told::Back(word, reader, took, dot) => {
            let note = Note::new(word).with(count(reader)).with(Arg::Span(took));
            let note = note.about(PartId::one("aggregator")).dot(dot);
            let tone = if word == "empty" { Tone::Bad } else { Tone::Ok };
            system.say(note.mark(tone), cx);
        }
        Told::Out(word, reader, number, dot) => {
            let note = Note::new(word).with(count(reader));
            let note = note.with(post_arg(number)).dot(dot);
            system.say(note.about(PartId::one("aggregator")), cx);
        }
    }
}

/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(12);

/// Probes of the lesson's own.
const DELAY: usize = probe::OWN;
const STAR_DELAY: usize = DELAY + 1;
const LOOK_TIME: usize = DELAY + 2;
const ON_WRITE: usize = DELAY + 3;
const ON_READ: usize = DELAY + 4;
const PROBES: [Probe; DELAY + 5] = {
    let mut all = [Probe::Count; DELAY + 5];
    let mut i = 0;
    while i < DELAY {
        all[i] = probe::ALL[i];
        i += 1;
    }
    all[DELAY] = Probe::Spread;
    all[STAR_DELAY] = Probe::Spread;
    all[LOOK_TIME] = Probe::Spread;
    all
};

const PLOTS: &[Plot] = &[
    Plot {
        scale: 1e-6,
        ..Plot::of(
            "delay",
            &[
                Line::quantile("half", DELAY, 0.5, Ink::Ink),
                Line::quantile("slowest", DELAY, 0.99, Ink::Warn),
                Line::quantile("star", STAR_DELAY, 0.5, Ink::Accent),
            ],
            2.0,
        )
    },
    Plot::ms(
        "look",
        &[
            Line::quantile("half", LOOK_TIME, 0.5, Ink::Ink),
            Line::quantile("slowest", LOOK_TIME, 0.99, Ink::Warn),
        ],
        20.0,
    ),
    Plot::of(
        "work",
        &[
            Line::mean("write", ON_WRITE, Ink::Accent).filled(),
            Line::mean("read", ON_READ, Ink::Hit),
        ],
        4.0,
    ),
];

impl Lesson for SocialFeed {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &PROBES,
        plots: PLOTS,
        key: &[
            (Glyph::Message, Ink::Accent),
            (Glyph::Message, Ink::Ink),
            (Glyph::Replica, Ink::Accent),
            (Glyph::Message, Ink::Hit),
            (Glyph::Request, Ink::Hit),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        stands_for: figure::STANDS_FOR,
        speed: 0.5,
        twin: ("design", READ as f64),
        still: Time::s(3),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "social-feed",
                chapter: "systems",
                tables: &["pubsub_sns", "queueing_latency"],
            },
            || Values::first(&SocialFeed),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "lessons/systems/social_feed/feeds.rs",
            region: "turns",
            marks: &[
                ("delivered", "task.to[task.next - 1]"),
                ("star-done", "task.to[task.next - 1]"),
            ],
        },
        Code {
            file: "lessons/systems/social_feed/feeds.rs",
            region: "designs",
            marks: &[("kept", "READ => false")],
        },
        Code {
            file: "algorithms/feed.rs",
            region: "pair",
            marks: &[],
        },
        Code {
            file: "lessons/systems/social_feed/feeds.rs",
            region: "page",
            marks: &[
                ("out-deleted", "page.thrown.deleted"),
                ("out-left", "page.thrown.left"),
                ("out-double", "page.thrown.double"),
                ("out-held", "page.thrown.held"),
            ],
        },
        Code {
            file: "algorithms/feed.rs",
            region: "merge",
            marks: &[],
        },
    ];
}
