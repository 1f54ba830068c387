//! Message queue: who does the slow work, and what if that worker dies?

mod figure;
mod story;

#[cfg(test)]
mod tests;

use algorithms::hash::mix64;
use engine::scene::Rect;
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Scene,
    Sheet, Time, Tone,
};
use kit::system::{
    Call, Count, Crowd, Cx, Deed, Dial, Draw, Event, Gear, Kind, Loan, Node, NodeId, Own, Plan,
    Pull, Puller, QUEUES, Queue, Script, Service, Shelf, Spread, Step, System, Values, Wire,
    WireId, draw, probe,
};
use std::cmp::Reverse;
use std::collections::VecDeque;

/// The lesson.
pub struct Lending;

/// Who orders.
pub const USERS: NodeId = NodeId(0);
/// Who answers them, and leaves the e-mail to others.
pub const APP: NodeId = NodeId(1);
/// What keeps the orders until their e-mail is out.
pub const QUEUE: NodeId = NodeId(2);
/// Who sends e-mails.
pub const WORKERS: NodeId = NodeId(3);
const DOOR: WireId = WireId(0);
const PUT: WireId = WireId(1);
const PULL: WireId = WireId(2);

/// One way from users to the web app: stretched, so that it can be seen.
const HOP: Time = Time::ms(80);
/// One way from or to the queue, really about 5 ms. There and back it is part of what an order costs a worker.
const WAY: Time = Time::ms(50);
/// What the web app can have open: more than there ever is.
const OPEN: u32 = 2_000;
/// The class of an order on which every worker fails.
const POISON: u8 = 1;
/// Orders that come at once.
pub const BURST: u32 = 1_000;
/// A killed worker is gone for so long.
const GONE: Time = Time::s(3);
/// Orders that the lesson remembers what went out for.
const KEPT: usize = 400;
/// Requests are counted over this span.
const MINUTE: Time = Time::s(60);
/// Fewer wait than this: what came at once is done.
const DRAINED: usize = 10;

const SPREADS: [Spread; 2] = [Spread::Fixed, Spread::Exponential];

const DIALS: &[Dial] = &[
    Dial::slider("clock", [1.0, 60.0, 1.0], "s", 4.0),
    Dial::slider("work", [0.1, 10.0, 0.1], "s", 0.4),
    Dial::whole("workers", [1, 5], 5),
    Dial::slider("orders", [0.0, 12.0, 0.1], "/s", 4.0),
    Dial::choice("polling", &["short", "long"], 1),
    Dial::switch("heartbeat", false),
    Dial::whole("deliveries", [1, 10], 3),
    Dial::whole("batch", [1, 10], 1),
    Dial::slider("wait", [1.0, 20.0, 1.0], "s", 20.0),
    Dial::slider("every", [0.2, 5.0, 0.1], "s", 1.0),
    Dial::switch("key", false),
    Dial::slider("retention", [60.0, 600.0, 30.0], "s", 120.0),
    Dial::slider("delay", [0.0, 15.0, 1.0], "s", 0.0),
    Dial::choice("spread", &["fixed", "exponential"], 0),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("kill"),
    ActionSpec::whole("lose"),
    ActionSpec::whole("poison"),
    ActionSpec::whole("burst"),
    ActionSpec::turning("slower", "work", 4.6),
    ActionSpec::whole("redrive"),
];

const DEEDS: &[Deed] = &[
    Deed::Own,
    Deed::LoseReceipt(QUEUE),
    Deed::Own,
    Deed::Own,
    Deed::Turn,
    Deed::Redrive(QUEUE),
];

/// What became of an order's e-mail.
#[derive(Clone, Copy, Debug)]
struct Order {
    number: u32,
    /// Workers that have done it.
    done: u32,
    /// E-mails that went out.
    sent: u32,
    /// When the first of them did.
    first: Time,
}

/// What had come to the queue at a moment.
#[derive(Clone, Copy, Debug)]
struct Book {
    at: Time,
    asked: u32,
    empty: u32,
}

/// The worker that was killed last.
#[derive(Clone, Copy, Debug)]
struct Killed {
    at: Time,
    /// The order that it had; 0 for none.
    number: u32,
    /// When the queue lent that order again.
    again: Option<Time>,
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// The one that was worked on last comes last.
    orders: VecDeque<Order>,
    killed: Option<Killed>,
    /// The queue's books, one for about each second of the last minute and what was before.
    books: VecDeque<Book>,
    /// Of the last receipt that was lost: the order.
    lost: u32,
    /// The order that was put aside last, and when.
    buried: Option<(u32, Time)>,
    /// The last poison order, and whether it was put aside.
    poison: Option<(u32, bool)>,
    /// When many orders came at once, and when they were done.
    burst: Option<(Time, Option<Time>)>,
    /// E-mails that went out, and those of them that went out before.
    sent: [u32; 2],
    /// The e-mail provider refuses an order that it has seen.
    key: bool,
    /// The knobs, as far as challenges ask for them.
    work: Time,
    clock: Time,
    short: bool,
    heartbeat: bool,
}

impl Seen {
    fn order(&self, number: u32) -> Option<&Order> {
        self.orders.iter().rev().find(|it| it.number == number)
    }

    /// A worker has done an order: its e-mail goes out, unless the provider knows it.
    fn done(&mut self, number: u32, now: Time) {
        let place = self.orders.iter().position(|it| it.number == number);
        let mut order = place
            .and_then(|place| self.orders.remove(place))
            .unwrap_or(Order {
                number,
                done: 0,
                sent: 0,
                first: now,
            });
        order.done += 1;
        if !(self.key && order.sent > 0) {
            self.sent[0] += 1;
            self.sent[1] += u32::from(order.sent > 0);
            order.sent += 1;
        }
        self.orders.push_back(order);
        if self.orders.len() > KEPT {
            self.orders.pop_front();
        }
    }

    /// Orders whose first e-mail went out in a span before now and that have had more than one.
    fn twice_lately(&self, span: Time, now: Time) -> usize {
        let lately = |it: &&Order| now.since(it.first) <= span && it.sent > 1;
        self.orders.iter().filter(lately).count()
    }
}

impl Script for Lending {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let users = Crowd::poisson(knobs.get("orders"), Call::over(DOOR));
        let mut app = Service::new(OPEN, 0, Time::ZERO, Spread::Fixed);
        app.programs = vec![vec![Step::Call(Call::over(PUT))]];
        let queue = Queue {
            ordered: false,
            visibility: knobs.s("clock"),
            delay: knobs.s("delay"),
            retention: knobs.s("retention"),
            deliveries: Some(knobs.whole("deliveries")),
            places: None,
        };
        let work = knobs.s("work");
        let spread = SPREADS[knobs.whole("spread") as usize];
        let mut worker = Service::new(1, 0, work, spread);
        // Whoever tries a poison order fails at half of it.
        worker
            .programs
            .push(vec![Step::Work(Time(work.0 / 2)), Step::Fail]);
        let long = knobs.whole("polling") == 1;
        worker.pulls = Some(Pull {
            wait: if long { knobs.s("wait") } else { Time::ZERO },
            every: knobs.s("every"),
            batch: knobs.whole("batch") as u8,
            heartbeat: knobs.on("heartbeat"),
            ..Pull::over(PULL)
        });
        let workers = knobs.whole("workers") as usize;
        Plan {
            nodes: vec![
                Node::one(USERS, "users", Kind::Crowd(users)),
                Node::one(APP, "app", Kind::Service(app)),
                Node::one(QUEUE, "queue", Kind::Queue(queue)),
                Node::many(WORKERS, "worker", Kind::Service(worker), workers),
            ],
            wires: vec![
                Wire::new(DOOR, USERS, APP, "door", HOP),
                Wire::new(PUT, APP, QUEUE, "put", WAY),
                Wire::new(PULL, WORKERS, QUEUE, "pull", WAY),
            ],
            ..Plan::default()
        }
    }

    fn gear(&self) -> Gear {
        Gear {
            queues: Some(&QUEUES),
            ..Gear::NONE
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen::default())
    }

    fn can(&self, act: Act, system: &System) -> bool {
        act.spec != 0 || victim(system).is_some()
    }

    fn act(&self, act: Act, system: &mut System, _knobs: &Values, cx: Cx<'_, '_>) {
        match act.spec {
            0 => {
                let Some((member, number)) = victim(system) else {
                    return;
                };
                let now = cx.now();
                system.own_mut::<Seen>().killed = Some(Killed {
                    at: now,
                    number,
                    again: None,
                });
                system.deed(Deed::Crash(WORKERS), member, cx);
                cx.schedule(GONE, Event::Timer(member as u32));
            }
            2 => {
                let number = system.requests() + 1;
                system.own_mut::<Seen>().poison = Some((number, false));
                let note = Note::new("poison").with(Arg::Count(i64::from(number)));
                let users = PartId::one("users");
                system.say(note.about(users).dot(number).mark(Tone::Learner), cx);
                system.request(USERS.0, order(number, 0, POISON), 0, cx);
            }
            _ => {
                let note = Note::new("burst").with(Arg::Count(i64::from(BURST)));
                let users = PartId::one("users");
                let burst = system.say(note.about(users).mark(Tone::Learner), cx);
                let now = cx.now();
                system.own_mut::<Seen>().burst = Some((now, None));
                let first = system.requests() + 1;
                for i in 0..BURST {
                    cx.because(burst);
                    system.request(USERS.0, order(first, i, 0), 0, cx);
                }
            }
        }
    }

    fn timer(&self, member: u32, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        let live = system.node(WORKERS);
        let it = live.and_then(|live| live.members.get(member as usize));
        if it.is_some_and(|it| it.down.is_some()) {
            system.deed(Deed::Recover(WORKERS), member as usize, cx);
        }
    }

    fn heard(&self, note: &Note, system: &mut System) {
        let now = system.now;
        let of_worker = note.part.is_some_and(|part| part.kind == "worker");
        let seen = system.own_mut::<Seen>();
        match note.word {
            "answered" if of_worker => seen.done(note.dot, now),
            "lent" => {
                if let Some(killed) = &mut seen.killed
                    && killed.number == note.dot
                    && killed.again.is_none()
                {
                    killed.again = Some(now);
                }
            }
            "receipt-lost" => seen.lost = note.dot,
            "buried" => {
                seen.buried = Some((note.dot, now));
                if let Some((number, buried)) = &mut seen.poison {
                    *buried |= *number == note.dot;
                }
            }
            _ => {}
        }
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let waiting = system.shelf(QUEUE).map_or(0, |shelf| shelf.visible(now));
        let stored = system.node(APP).map_or(0, |live| {
            let member = live.members.get(0);
            member.map_or(0, |member| member.own.pool.held.len())
        });
        let row = system.row(QUEUE);
        let seen = system.own_mut::<Seen>();
        if seen
            .books
            .back()
            .is_none_or(|book| now.since(book.at) >= Time::s(1))
        {
            let (asked, empty) = (row.of(Count::Asked), row.of(Count::Empty));
            seen.books.push_back(Book {
                at: now,
                asked,
                empty,
            });
        }
        while seen
            .books
            .get(1)
            .is_some_and(|book| now.since(book.at) >= MINUTE)
        {
            seen.books.pop_front();
        }
        seen.key = knobs.on("key");
        (seen.work, seen.clock) = (knobs.s("work"), knobs.s("clock"));
        seen.short = knobs.whole("polling") == 0;
        seen.heartbeat = knobs.on("heartbeat");
        if let Some((at, done)) = &mut seen.burst
            && done.is_none()
            && now.since(*at) > Time::s(1)
            && waiting + stored < DRAINED
        {
            *done = Some(now);
        }
    }

    fn remark(&self, wire: WireId, scene: &Scene) -> Vec<String> {
        if wire == DOOR {
            vec![scene.say("stretched", &[])]
        } else {
            Vec::new()
        }
    }

    fn aside(
        &self,
        system: &System,
        knobs: &Values,
        at: Time,
        area: Rect,
        scene: &mut Scene,
    ) -> f32 {
        figure::draw(system, knobs, at, area, scene)
    }
}

/// What is drawn for an order that the learner sends.
fn order(first: u32, nth: u32, class: u8) -> Draw {
    Draw {
        dice: mix64(u64::from(first) << 16 | u64::from(nth)),
        class,
        ..Draw::default()
    }
}

/// Whom a kill meets, and the order that it has, 0 for none: best a worker whose clock runs, for the first time; at worst any
/// that is up.
fn victim(system: &System) -> Option<(usize, u32)> {
    let live = system.node(WORKERS)?;
    let up = live.members.iter().enumerate();
    let up = up.filter(|(_, member)| member.down.is_none() && !member.leaving);
    let has = |puller: &Puller| puller.at.or(puller.batch.front().copied());
    let best = up.max_by_key(|(member, it)| {
        let loan = it.own.pullers.first().and_then(has);
        (rank(loan.as_ref(), system), Reverse(*member))
    });
    best.map(|(member, it)| {
        let loan = it.own.pullers.first().and_then(has);
        (member, loan.map_or(0, |loan| loan.letter.number))
    })
}

/// How much the story learns from the death of who has this.
fn rank(loan: Option<&Loan>, system: &System) -> u8 {
    let runs = |loan: &Loan| {
        let loans = system.shelf(QUEUE).into_iter().flat_map(Shelf::loans);
        loans.into_iter().any(|it| it.receipt == loan.receipt)
    };
    match loan {
        None => 0,
        Some(loan) if !runs(loan) => 1,
        Some(loan) if loan.deliveries > 1 => 2,
        Some(_) => 3,
    }
}

/// Whether a worker has an order for the first time, and its clock runs.
fn is_fresh(system: &System) -> bool {
    let live = system.node(WORKERS).into_iter();
    let mut pullers = live
        .flat_map(|live| live.members.iter())
        .filter(|member| member.down.is_none() && !member.leaving)
        .flat_map(|member| &member.own.pullers);
    pullers.any(|puller| rank(puller.at.as_ref(), system) == 3)
}

/// Of what was lent since the last turn of a knob: first deliveries, and again.
fn deliveries(system: &System) -> (u32, u32) {
    let row = system.since("you-set").map(|since| since.node(QUEUE));
    let row = row.unwrap_or_default();
    let again = row.of(Count::Again);
    (row.of(Count::Lent) - again, again)
}

/// Requests to the queue within the last minute, or since time zero: how many a minute, and the share that found nothing.
fn asked(system: &System, at: Time) -> Option<(f64, f64)> {
    let books = &system.own::<Seen>().books;
    let old = books.iter().rev().find(|book| at.since(book.at) >= MINUTE);
    let then = old.or(books.front())?;
    let row = system.row(QUEUE);
    let asked = f64::from(row.of(Count::Asked).saturating_sub(then.asked));
    let empty = f64::from(row.of(Count::Empty).saturating_sub(then.empty));
    let span = at.since(then.at);
    (asked > 0.0 && span >= Time::s(2)).then(|| {
        let per_minute = asked * MINUTE.as_s() / span.as_s();
        (per_minute, (empty / asked).min(1.0))
    })
}

/// For how long the system runs before anybody looks.
const WARM_UP: Time = Time::s(6);

const PLOTS: &[Plot] = &[
    Plot::of(
        "messages",
        &[
            Line::mean("visible", probe::VISIBLE, Ink::Accent).filled(),
            Line::mean("lent", probe::LENT, Ink::Warn),
            Line::mean("dead", probe::DEAD, Ink::Bad),
        ],
        20.0,
    ),
    Plot::of(
        "mails",
        &[
            Line::mean("done", probe::HANDLED, Ink::Ok).filled(),
            Line::mean("again", probe::HANDLED_AGAIN, Ink::Bad),
        ],
        10.0,
    ),
];

impl Lesson for Lending {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &probe::WITH_QUEUES,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Message, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Heartbeat, Ink::Secondary),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("clock", 20.0),
        stands_for: figure::STANDS_FOR,
        still: Time::s(16),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "message-queue",
                chapter: "messages",
                tables: &["message_queue_sqs"],
            },
            || Values::first(&Lending),
            draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/message_queue.rs",
            region: "receive",
            marks: &[
                ("lent", "message.visible_at_us = now_us"),
                ("lent", "message.receive_count += 1"),
                ("buried", "self.dead_letters.extend(letter)"),
            ],
        },
        Code {
            file: "algorithms/message_queue.rs",
            region: "delete",
            marks: &[
                ("deleted", "self.remove(receipt.message)"),
                ("stale", "QueueError::StaleReceipt"),
                ("gone-already", "return Ok(())"),
            ],
        },
    ];
}
