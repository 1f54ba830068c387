//! The system: users, a checkout, a topic, and subscribers with queues and workers.

use super::probe;
use algorithms::message_queue::{Kind, Message, MessageQueue, Receipt, SendOptions};
use algorithms::message_queue::{QueueError, Settings as QueueSettings};
use algorithms::topic::{
    Attributes, DeliveryId, RetryPolicy, SubscriptionId, SubscriptionSettings, Topic,
};
use engine::random::{exponential, unit};
use engine::tape::NoteId;
use engine::{
    Act, Action, ActionSpec, Arg, Context, Knobs, Model, Note, PartId, Stream, Time, Tone, Visit,
    choices,
};
use kit::flow::{Marks, aim};
use std::collections::{BTreeSet, VecDeque};

/// One way along one link. Stretched, so that messages can be seen travelling; the user's wait leaves it out.
pub(super) const HOP: Time = Time::ms(60);
/// The most subscribers there can be.
pub(super) const SERVICES_MAX: usize = 5;
/// What the topic takes to store an event before it says yes.
pub(super) const PUBLISH: Time = Time::ms(5);
/// How long a queue keeps a message that nobody deletes.
pub(super) const RETENTION: Time = Time::s(300);
/// Orders of a burst, and the time between two of them.
pub(super) const BURST: u32 = 1_000;
const BURST_GAP: Time = Time::ms(1);
/// How long a lost message is seen falling.
pub(super) const FALL: Time = Time::ms(700);
/// So many of the last answers are remembered.
const ANSWERS: usize = 12;
/// A wait counts as steady when all answers over this span agree: longer than two samples of a plot.
const STEADY: Time = Time::ms(450);

const ARRIVALS: Stream = Stream::named("arrivals");
const WORK: Stream = Stream::named("work");

/// The words that name the subscribers.
pub(super) const NAMES: [&str; SERVICES_MAX] = ["nth.1", "nth.2", "nth.3", "nth.4", "nth.5"];

/// Who waits for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Design {
    /// Checkout calls one subscriber after another.
    InTurn,
    /// Checkout calls all of them at once.
    Parallel,
    /// A topic pushes straight to the subscribers, once.
    Push,
    /// A topic copies into one queue for each subscriber, from which its workers fetch.
    Queue,
}
choices!(Design {
    "in-turn" => Design::InTurn,
    "parallel" => Design::Parallel,
    "push" => Design::Push,
    "queue" => Design::Queue,
});

impl Design {
    /// Whether Checkout calls the subscribers itself.
    pub(super) fn calls(self) -> bool {
        matches!(self, Design::InTurn | Design::Parallel)
    }
}

/// How the work of one order differs from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    Fixed,
    Exponential,
}
choices!(Spread { "fixed" => Spread::Fixed, "exponential" => Spread::Exponential });

/// The knobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(super) design: Design,
    pub(super) load_per_s: f64,
    pub(super) services: u32,
    pub(super) workers: u32,
    pub(super) visibility_s: f64,
    pub(super) receives: u32,
    pub(super) spread: Spread,
    pub(super) places: u32,
    pub(super) service_ms: [f64; SERVICES_MAX],
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            design: Design::Queue,
            load_per_s: 6.0,
            services: 3,
            workers: 4,
            visibility_s: 2.0,
            receives: 3,
            spread: Spread::Fixed,
            places: 32,
            service_ms: [150.0, 250.0, 100.0, 200.0, 120.0],
        }
    }
}

impl Knobs for Settings {
    fn visit(&mut self, v: &mut dyn Visit) {
        v.choice("design", &mut self.design);
        v.slider("load", [1.0, 40.0, 1.0], "orders/s", &mut self.load_per_s);
        v.whole("services", [1, SERVICES_MAX as u32], "", &mut self.services);
        v.whole("workers", [1, 6], "", &mut self.workers);
        v.slider("visibility", [0.5, 10.0, 0.5], "s", &mut self.visibility_s);
        v.whole("receives", [1, 10], "", &mut self.receives);
        v.choice("spread", &mut self.spread);
        v.whole("places", [0, 40], "", &mut self.places);
        const TIMES: [&str; SERVICES_MAX] = [
            "service-1",
            "service-2",
            "service-3",
            "service-4",
            "service-5",
        ];
        for (i, (id, time)) in TIMES.iter().zip(&mut self.service_ms).enumerate() {
            v.part_slider(id, service_part(i), [60.0, 2_000.0, 10.0], "ms", time);
        }
    }
}

impl Settings {
    fn queue(&self) -> QueueSettings {
        QueueSettings {
            visibility_timeout_us: Time::from_s(self.visibility_s).0,
            retention_us: RETENTION.0,
            max_receive_count: Some(self.receives),
            ..QueueSettings::new(Kind::Standard)
        }
    }

    fn dead_letter_queue() -> QueueSettings {
        QueueSettings {
            retention_us: RETENTION.0,
            ..QueueSettings::new(Kind::Standard)
        }
    }
}

/// What a learner can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// A subscriber stops; what it held in memory is lost.
    Down(usize),
    /// It starts again.
    Up(usize),
    /// The next order is one that this subscriber cannot process.
    Poison(usize),
    /// Its next acknowledgement gets lost on the way.
    Miss(usize),
    /// A thousand orders within a second.
    Burst,
    /// The bug is mended, and the dead letters go back to their queue.
    Redrive(usize),
}

impl Break {
    /// What a learner can do, in the order of the buttons.
    pub(super) const SPECS: &'static [ActionSpec] = &[
        ActionSpec::aimed("down", "service"),
        ActionSpec::aimed("up", "service"),
        ActionSpec::aimed("poison", "service"),
        ActionSpec::aimed("miss", "service"),
        ActionSpec::whole("burst"),
        ActionSpec::aimed("redrive", "dead"),
    ];
}

impl Action for Break {
    fn from_act(act: Act) -> Option<Break> {
        let service = act.target;
        match act.spec {
            0 => Some(Break::Down(service)),
            1 => Some(Break::Up(service)),
            2 => Some(Break::Poison(service)),
            3 => Some(Break::Miss(service)),
            4 => Some(Break::Burst),
            5 => Some(Break::Redrive(service)),
            _ => None,
        }
    }
}

/// Where the user of an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// The order is on its way to Checkout and arrives then.
    Asking(Time),
    /// Waits for the answer.
    Waiting,
    /// The answer is on its way and arrives then.
    Answered(Time),
    /// Has the answer.
    Gone,
}

/// Where the event of an order is, if Checkout publishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publishing {
    No,
    /// On its way to the topic, which it reaches then.
    Out(Time),
    /// Stored; the topic's yes reaches Checkout then.
    Back(Time),
}

/// What became of one order at one subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// The call failed, or was never made because one before it failed.
    Missed,
    /// Pushed and lost.
    Lost,
    /// Put aside as a dead letter.
    Dead,
    /// Dropped at the end of its retention.
    Expired,
}

/// Where the share of one subscriber in one order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not meant for this subscriber, or not sent yet.
    Nowhere,
    /// Its turn has not come.
    NotCalled,
    /// A call or a push on its way, arriving then.
    ToService(Time),
    /// In the subscriber's memory.
    Memory,
    /// With a worker of a subscriber that was called or pushed to.
    Working,
    /// On its way into the queue, arriving then.
    ToQueue(Time),
    /// Held by the queue, lent or not.
    InQueue,
    /// Held by the dead-letter queue.
    InDead,
    /// The answer of a call, arriving then.
    Returning(Time),
    /// Over.
    Over,
}

/// The share of one subscriber in one order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) place: Place,
    pub(super) poison: bool,
    pub(super) failed: bool,
    /// Service time as a multiple of the subscriber's; drawn on arrival, so that twins do the same work.
    factor: f32,
    done: u8,
    delivery: DeliveryId,
    /// Its latest id in the queue.
    message: u64,
    reached: Time,
    note: NoteId,
}

impl Share {
    const NONE: Share = Share {
        place: Place::Nowhere,
        poison: false,
        failed: false,
        factor: 1.0,
        done: 0,
        delivery: DeliveryId(0),
        message: 0,
        reached: Time::ZERO,
        note: NoteId::NONE,
    };
}

/// One order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// From 1; 0 marks a free slot.
    pub(super) number: u32,
    /// When the user ordered: an answer counts for the rules that held then.
    asked: Time,
    pub(super) design: Design,
    pub(super) user: User,
    pub(super) publishing: Publishing,
    pub(super) failed: bool,
    pub(super) shares: [Share; SERVICES_MAX],
    /// How many subscribers are called.
    fan: u8,
    /// Calls that have not returned.
    calls: u8,
    waited: Time,
    /// Who still needs the slot: the user, open shares, deliveries, dead letters.
    refs: u16,
    note: NoteId,
}

impl Order {
    /// The number by which a learner asks about the share of a subscriber.
    pub(super) fn dot(&self, service: usize) -> u32 {
        self.number * 10 + service as u32 + 1
    }

    /// How long its user has waited, travel left out as in the answer, and whether that grows now.
    pub(super) fn waited(&self, at: Time) -> (Time, bool) {
        if let Publishing::Back(until) = self.publishing {
            let stored = until.since(at) <= HOP;
            return (PUBLISH, !stored);
        }
        let held = |share: &&Share| matches!(share.place, Place::Memory | Place::Working);
        let held = self.shares.iter().filter(held);
        let longest = held.map(|share| at.since(share.reached)).max();
        let calls = self.design.calls() && longest.is_some();
        let now = longest.unwrap_or_default();
        match self.design {
            Design::InTurn => (self.waited + now, calls),
            Design::Parallel => (self.waited.max(now), calls),
            Design::Push | Design::Queue => (self.waited, false),
        }
    }

    /// The number by which a learner asks about the order itself.
    pub(super) fn dot_whole(&self) -> u32 {
        self.number * 10
    }
}

/// How far one delivery from a queue has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// On its way to a worker, arriving then.
    Coming(Time),
    /// Fetched ahead; its worker is about to be free.
    Ready,
    /// With a worker.
    Working,
    /// The acknowledgement is on its way, arriving then.
    Acknowledging(Time),
    /// The acknowledgement will get lost on its way.
    Missing(Time),
}

/// One delivery of a message from a queue to a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery {
    pub(super) order: u32,
    pub(super) stage: Stage,
    pub(super) receipt: Receipt,
    /// Its worker has asked for the next message.
    released: bool,
    /// The queue had lent this message before.
    pub(super) again: bool,
}

/// A message that its queue hides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lent {
    pub(super) receipt: Receipt,
    pub(super) until: Time,
}

/// What became of all orders at one subscriber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) due: u64,
    pub(super) done: u64,
    pub(super) missed: u64,
    pub(super) lost: u64,
    pub(super) dead: u64,
    pub(super) expired: u64,
    /// Orders done again.
    pub(super) again: u64,
}

impl Counts {
    fn settled(self) -> u64 {
        self.done + self.missed + self.lost + self.dead + self.expired
    }

    /// What nobody has settled yet.
    fn open(self) -> u64 {
        self.due - self.settled()
    }
}

/// One subscriber: a service with its workers and its queue.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) down: Option<Time>,
    pub(super) leaving: bool,
    pub(super) memory: VecDeque<u32>,
    /// Orders with workers that were called or pushed to, with their serial numbers.
    pub(super) working: Vec<(u32, u32)>,
    pub(super) deliveries: Vec<(u32, Delivery)>,
    pub(super) queue: MessageQueue<u32>,
    pub(super) dead: MessageQueue<u32>,
    pub(super) lent: Vec<Lent>,
    /// Messages put into the queue in order: id, slot and number of the order.
    held: VecDeque<(u64, u32, u32)>,
    expired: (u64, u64),
    push: SubscriptionId,
    copy: SubscriptionId,
    pub(super) poison_next: bool,
    pub(super) miss_next: bool,
    serial: u32,
    pub(super) counts: Counts,
    /// Lost since it went down last.
    pub(super) lost_in_outage: u32,
}

impl Service {
    pub(super) fn busy(&self) -> usize {
        let fetched = self.deliveries.iter();
        self.working.len() + fetched.filter(|(_, d)| d.stage == Stage::Working).count()
    }

    /// Messages that wait in the queue, those lent out left aside.
    pub(super) fn backlog(&self) -> usize {
        self.queue.len().saturating_sub(self.lent.len())
    }

    fn delivery(&mut self, serial: u32) -> Option<&mut Delivery> {
        self.deliveries
            .iter_mut()
            .find_map(|(number, delivery)| (*number == serial).then_some(delivery))
    }

    fn drop_delivery(&mut self, serial: u32) -> Option<Delivery> {
        let place = self
            .deliveries
            .iter()
            .position(|(number, _)| *number == serial)?;
        Some(self.deliveries.remove(place).1)
    }

    fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// Whether nothing more will come of it.
    fn idle(&self) -> bool {
        self.deliveries.is_empty() && self.counts.open() == 0
    }
}

/// What is due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next user orders.
    Arrive,
    /// The next order of a burst; so many are left.
    Burst(u32),
    /// An order reaches Checkout.
    AtCheckout(u32),
    /// An event reaches the topic.
    AtTopic(u32),
    /// The topic's yes reaches Checkout.
    Stored(u32),
    /// The answer reaches the user.
    Home(u32),
    /// A call, a push or a copy reaches the subscriber or its queue.
    AtEnd(u32, u8),
    /// A worker is done with a call or a push of this serial number.
    Worked(u8, u32),
    /// The answer of a call reaches Checkout.
    Returned(u32, u8),
    /// A message reaches its worker.
    Fetched(u8, u32),
    /// A worker asks for its next message.
    Release(u8, u32),
    /// A worker is done with a message.
    Finish(u8, u32),
    /// An acknowledgement reaches the queue.
    Acknowledged(u8, u32),
    /// A visibility time-out is over.
    Visible(u8, u64, u64),
}

/// A message that was lost a moment ago.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fallen {
    pub(super) service: usize,
    pub(super) at: Time,
    pub(super) dot: u32,
}

/// What a user got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    at: Time,
    /// How long it took, travel left out.
    pub(super) wait: Time,
    pub(super) failed: bool,
}

/// What the story and the challenges look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// When a knob was turned last.
    since: Time,
    /// The last answers to orders placed since then, latest last.
    pub(super) answers: VecDeque<Answer>,
    /// How many such answers there were.
    pub(super) answered: u32,
    /// Since when a subscriber takes a second or more and no user waits, fails or loses a reaction.
    pub(super) quick_since: Option<Time>,
    /// Since when two subscribers are down at once; whether that took 5 s; whether anything was lost since.
    pub(super) pair: Option<(Time, bool, bool)>,
    pub(super) pair_survived: bool,
    /// When the last burst began, and whether it went through whole.
    pub(super) burst: Option<(Time, bool)>,
    pub(super) burst_drained: bool,
    /// Messages that a push lost while every subscriber was up.
    pub(super) overrun: u32,
    /// Messages delivered again.
    pub(super) redelivered: u32,
}

/// The simulated system.
#[derive(Clone)]
pub struct Shop {
    pub(super) services: Vec<Service>,
    orders: Vec<Order>,
    free: Vec<u32>,
    pushing: Topic<u32>,
    copying: Topic<u32>,
    pub(super) design: Design,
    pub(super) means: [Time; SERVICES_MAX],
    pub(super) burst_left: u32,
    pub(super) fallen: VecDeque<Fallen>,
    pub(super) now: Time,
    born: u32,
    losses: Marks,
    pub(super) watch: Watch,
}

/// The part of a subscriber by its index.
pub(super) const fn service_part(index: usize) -> PartId {
    PartId::nth("service", index as u16 + 1)
}

/// The part of its queue.
pub(super) const fn queue_part(index: usize) -> PartId {
    PartId::nth("queue", index as u16 + 1)
}

/// The part of its dead-letter queue.
pub(super) const fn dead_part(index: usize) -> PartId {
    PartId::nth("dead", index as u16 + 1)
}

/// Those of them who wait.
pub(super) const PILE: PartId = PartId::one("pile");
/// The users.
pub(super) const USERS: PartId = PartId::one("users");
/// The service that takes orders.
pub(super) const CHECKOUT: PartId = PartId::one("checkout");
/// The topic.
pub(super) const TOPIC: PartId = PartId::one("topic");

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn name(service: usize) -> Arg {
    Arg::Word(NAMES[service])
}

fn count(n: u32) -> Arg {
    Arg::Count(i64::from(n))
}

impl Model for Shop {
    type Knobs = Settings;
    type Event = Event;
    type Action = Break;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Shop {
        let mut shop = Shop {
            services: Vec::new(),
            orders: Vec::new(),
            free: Vec::new(),
            pushing: Topic::new(),
            copying: Topic::new(),
            design: knobs.design,
            means: [Time::ZERO; SERVICES_MAX],
            burst_left: 0,
            fallen: VecDeque::new(),
            now: Time::ZERO,
            born: 0,
            losses: Marks::default(),
            watch: Watch::default(),
        };
        shop.follow(knobs, cx);
        let gap = shop.gap(knobs, cx);
        cx.schedule(gap, Event::Arrive);
        shop
    }

    fn on_start(&mut self, _knobs: &Settings, _cx: Cx<'_, '_>) {
        for service in &mut self.services {
            let due = service.counts.open();
            service.counts = Counts {
                due,
                ..Counts::default()
            };
        }
        self.watch.answered = 0;
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Arrive => {
                let gap = self.gap(knobs, cx);
                cx.schedule(gap, Event::Arrive);
                self.place_order(knobs, cx);
                self.expire(cx);
            }
            Event::Burst(left) => {
                self.burst_left = left;
                self.place_order(knobs, cx);
                if left > 0 {
                    cx.schedule(BURST_GAP, Event::Burst(left - 1));
                } else {
                    cx.say(
                        Note::new("burst-over")
                            .with(count(BURST))
                            .about(USERS)
                            .mark(Tone::Plain)
                            .ends("burst", 0),
                    );
                }
            }
            Event::AtCheckout(order) => self.at_checkout(order, cx),
            Event::AtTopic(order) => self.at_topic(order, cx),
            Event::Stored(order) => {
                self.orders[order as usize].publishing = Publishing::No;
                self.orders[order as usize].waited = PUBLISH;
                self.answer(order, cx);
            }
            Event::Home(order) => {
                self.orders[order as usize].user = User::Gone;
                self.unref(order);
            }
            Event::AtEnd(order, service) => {
                self.at_end(order, usize::from(service), knobs, cx);
            }
            Event::Worked(service, serial) => {
                self.worked(usize::from(service), serial, knobs, cx);
            }
            Event::Returned(order, service) => self.returned(order, usize::from(service), cx),
            Event::Fetched(service, serial) => {
                let service = usize::from(service);
                let fetched = self
                    .services
                    .get_mut(service)
                    .and_then(|s| s.delivery(serial));
                if let Some(delivery) = fetched.filter(|d| matches!(d.stage, Stage::Coming(_))) {
                    delivery.stage = Stage::Ready;
                    self.put_to_work(service, knobs, cx);
                }
            }
            Event::Release(service, serial) => {
                let service = usize::from(service);
                let worker = self
                    .services
                    .get_mut(service)
                    .and_then(|s| s.delivery(serial));
                if let Some(delivery) = worker {
                    delivery.released = true;
                    self.fetch(service, knobs, cx);
                }
            }
            Event::Finish(service, serial) => {
                self.finish(usize::from(service), serial, knobs, cx);
            }
            Event::Acknowledged(service, serial) => {
                self.acknowledged(usize::from(service), serial, cx);
            }
            Event::Visible(service, message, serial) => {
                self.visible(usize::from(service), message, serial, knobs, cx);
            }
        }
        self.let_go();
        self.look(cx.now());
        self.measure(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let (redesigned, design) = (self.design != knobs.design, knobs.design);
        self.follow(knobs, cx);
        if redesigned {
            cx.empty_windows();
            let word = match design {
                Design::InTurn => "now-in-turn",
                Design::Parallel => "now-parallel",
                Design::Push => "now-push",
                Design::Queue => "now-queue",
            };
            cx.say(Note::new(word).about(CHECKOUT));
        }
        for service in 0..self.services.len() {
            self.put_to_work(service, knobs, cx);
            self.fetch(service, knobs, cx);
        }
        self.watch.since = cx.now();
        self.watch.answers.clear();
        self.watch.answered = 0;
        self.watch.quick_since = None;
        self.measure(cx);
    }

    fn can(&self, action: Break) -> bool {
        let service = |i: usize| self.services.get(i).filter(|service| !service.leaving);
        match action {
            Break::Down(i) => service(i).is_some_and(|service| service.down.is_none()),
            Break::Up(i) => service(i).is_some_and(|service| service.down.is_some()),
            Break::Poison(i) => service(i).is_some_and(|service| !service.poison_next),
            Break::Miss(i) => {
                self.design == Design::Queue && service(i).is_some_and(|service| !service.miss_next)
            }
            Break::Burst => self.burst_left == 0,
            Break::Redrive(i) => self
                .services
                .get(i)
                .is_some_and(|service| !service.dead.is_empty()),
        }
    }

    fn aim(&self, spec: usize) -> usize {
        // Poison goes to Inventory first, the rest to E-mail: what happens to them is seen best.
        let count = self.services.len();
        let favourite = if spec == 2 { 2.min(count - 1) } else { 0 };
        let fits =
            |target| Break::from_act(Act { spec, target }).is_some_and(|action| self.can(action));
        aim(favourite, count, fits)
    }

    fn on_action(&mut self, action: Break, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match action {
            Break::Down(service) => self.take_down(service, cx),
            Break::Up(service) => self.bring_up(service, knobs, cx),
            Break::Poison(i) => {
                self.services[i].poison_next = true;
                let note = Note::new("poison").with(name(i)).about(CHECKOUT);
                cx.say(note.mark(Tone::Warn));
            }
            Break::Miss(i) => {
                self.services[i].miss_next = true;
                let note = Note::new("will-miss").with(name(i)).about(service_part(i));
                cx.say(note.mark(Tone::Warn));
            }
            Break::Burst => {
                self.burst_left = BURST;
                self.watch.burst = Some((cx.now(), true));
                cx.say(
                    Note::new("burst")
                        .with(count(BURST))
                        .about(USERS)
                        .mark(Tone::Warn)
                        .begins("burst", 0),
                );
                cx.schedule(Time::ZERO, Event::Burst(BURST - 1));
            }
            Break::Redrive(service) => self.redrive(service, knobs, cx),
        }
        self.look(cx.now());
        self.measure(cx);
    }

    fn bytes(&self) -> usize {
        // A message stands in its queue, in the order of age and in the list of what is held.
        const MESSAGE: usize = 144;
        let queues = self
            .services
            .iter()
            .map(|service| service.queue.len() + service.dead.len());
        queues.sum::<usize>() * MESSAGE + size_of_val(self.orders.as_slice())
    }

    fn audit(&self) -> Result<(), String> {
        let mut refs = vec![0_u16; self.orders.len()];
        for (slot, order) in self.live() {
            refs[slot as usize] += u16::from(order.user != User::Gone);
        }
        for (i, service) in self.services.iter().enumerate() {
            let c = service.counts;
            let mut open = 0;
            let (mut memory, mut working, mut queued, mut dead) = (0, 0, 0, 0);
            for (slot, order) in self.live() {
                let place = order.shares[i].place;
                let over = matches!(place, Place::Nowhere | Place::Over | Place::Returning(_));
                if !over && place != Place::InDead {
                    open += 1;
                    refs[slot as usize] += 1;
                }
                memory += usize::from(place == Place::Memory);
                working += usize::from(place == Place::Working);
                queued += usize::from(place == Place::InQueue);
                dead += usize::from(place == Place::InDead);
            }
            for (_, delivery) in &service.deliveries {
                refs[delivery.order as usize] += 1;
            }
            for message in service.dead.messages() {
                refs[message.body as usize] += 1;
            }
            let settled = c.settled();
            if c.due != settled + open {
                return Err(format!(
                    "subscriber {i} was due {}, settled {settled}, open {open}",
                    c.due
                ));
            }
            let held = (
                service.memory.len(),
                service.working.len(),
                service.queue.len(),
                service.dead.len(),
            );
            if held != (memory, working, queued, dead) {
                return Err(format!(
                    "subscriber {i} holds {held:?}, orders say {:?}",
                    (memory, working, queued, dead)
                ));
            }
            let t = service.queue.totals();
            if t.arrived != t.deleted + t.expired + t.dead_lettered + service.queue.len() as u64 {
                return Err(format!(
                    "the queue of subscriber {i} does not add up: {t:?}"
                ));
            }
            for topic in [&self.pushing, &self.copying] {
                for (_, subscription) in topic.subscriptions() {
                    let t = subscription.totals();
                    let pending = subscription.pending().len() as u64;
                    if t.accepted != t.delivered + t.dead_lettered + t.discarded + pending {
                        return Err(format!("a subscription does not add up: {t:?}"));
                    }
                }
            }
        }
        for (slot, order) in self.orders.iter().enumerate() {
            if order.refs != refs[slot] {
                return Err(format!(
                    "order {} is needed {} times, it says {}",
                    order.number, refs[slot], order.refs
                ));
            }
        }
        let used = self.orders.len() - self.free.len();
        if used != self.live().count() {
            return Err(format!("{used} slots in use"));
        }
        Ok(())
    }
}

impl Shop {
    fn live(&self) -> impl Iterator<Item = (u32, &Order)> {
        let all = self.orders.iter().enumerate();
        all.filter(|(_, order)| order.number > 0)
            .map(|(slot, order)| (slot as u32, order))
    }

    /// Orders that somebody still has to do with.
    pub(super) fn orders(&self) -> impl Iterator<Item = &Order> {
        self.live().map(|(_, order)| order)
    }

    /// The order in a slot that a queue, a memory or a worker holds.
    pub(super) fn order(&self, slot: u32) -> &Order {
        &self.orders[slot as usize]
    }

    /// How many users wait for nothing but stretched travel.
    pub(super) fn travelling(&self) -> usize {
        let open = |order: &&Order| order.user == User::Waiting && !order.waited(self.now).1;
        self.orders().filter(open).count()
    }

    /// What the last user answered got; none before the first answer under these rules.
    pub(super) fn latest(&self) -> Option<Answer> {
        self.watch.answers.back().copied()
    }

    /// Whether the last answers have all taken from `least` to `most`, long enough for the plots to show it.
    pub(super) fn steady(&self, least: Time, most: Time) -> bool {
        let fits = |answer: &Answer| answer.wait >= least && answer.wait <= most;
        for answer in self.watch.answers.iter().rev() {
            if !fits(answer) {
                return false;
            }
            if self.now.since(answer.at) >= STEADY {
                return true;
            }
        }
        false
    }

    /// Whether every user who waits meets this design.
    pub(super) fn only(&self, design: Design) -> bool {
        let mut open = self.orders().filter(|order| order.user != User::Gone);
        self.design == design && open.all(|order| order.design == design)
    }

    /// Orders and messages that wait somewhere.
    pub(super) fn backlog(&self) -> usize {
        let held = |service: &Service| service.backlog() + service.memory.len();
        self.services.iter().map(held).sum()
    }

    fn gap(&self, knobs: &Settings, cx: Cx<'_, '_>) -> Time {
        exponential(cx.random(ARRIVALS), Time::from_s(1.0 / knobs.load_per_s))
    }

    fn measure(&self, cx: Cx<'_, '_>) {
        cx.sample(probe::BACKLOG, self.backlog() as f64);
    }

    /// A user orders.
    fn place_order(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let mut shares = [Share::NONE; SERVICES_MAX];
        for (i, share) in shares.iter_mut().enumerate() {
            // Draws all the same, so that the spread can be changed without changing who orders what.
            let drawn = -libm::log(unit(cx.random(WORK.nth(i as u64))));
            share.factor = match knobs.spread {
                Spread::Fixed => 1.0,
                Spread::Exponential => drawn as f32,
            };
        }
        for (share, service) in shares.iter_mut().zip(&mut self.services) {
            share.poison = std::mem::take(&mut service.poison_next);
        }
        self.born += 1;
        let order = Order {
            number: self.born,
            asked: cx.now(),
            design: knobs.design,
            user: User::Asking(cx.now() + HOP),
            publishing: Publishing::No,
            failed: false,
            shares,
            fan: 0,
            calls: 0,
            waited: Time::ZERO,
            refs: 1,
            note: NoteId::NONE,
        };
        let slot = if let Some(slot) = self.free.pop() {
            self.orders[slot as usize] = order;
            slot
        } else {
            self.orders.push(order);
            self.orders.len() as u32 - 1
        };
        cx.schedule(HOP, Event::AtCheckout(slot));
    }

    fn unref(&mut self, slot: u32) {
        let order = &mut self.orders[slot as usize];
        order.refs -= 1;
        if order.refs == 0 {
            order.number = 0;
            self.free.push(slot);
        }
    }

    /// Makes subscribers, queues and subscriptions follow the knobs.
    fn follow(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.design = knobs.design;
        self.means = knobs.service_ms.map(Time::from_ms);
        let wanted = knobs.services as usize;
        for service in &mut self.services {
            // Both are within the ranges of the service, which are wider than those of the knobs.
            let _ = service
                .queue
                .set_visibility_timeout(Time::from_s(knobs.visibility_s).0);
            let _ = service.queue.set_max_receive_count(Some(knobs.receives));
        }
        for i in 0..wanted.min(self.services.len()) {
            if self.services[i].leaving {
                let (push, copy) = self.subscribe();
                let service = &mut self.services[i];
                (service.leaving, service.push, service.copy) = (false, push, copy);
                let note = Note::new("joined").with(name(i)).about(service_part(i));
                cx.say(note.mark(Tone::Ok));
            }
        }
        while self.services.len() < wanted {
            let i = self.services.len();
            let (push, copy) = self.subscribe();
            let queue = |settings| {
                MessageQueue::new(settings).expect("the knobs lie within the ranges of the service")
            };
            self.services.push(Service {
                down: None,
                leaving: false,
                memory: VecDeque::new(),
                working: Vec::new(),
                deliveries: Vec::new(),
                queue: queue(knobs.queue()),
                dead: queue(Settings::dead_letter_queue()),
                lent: Vec::new(),
                held: VecDeque::new(),
                expired: (0, 0),
                push,
                copy,
                poison_next: false,
                miss_next: false,
                serial: 0,
                counts: Counts::default(),
                lost_in_outage: 0,
            });
            if cx.now() > Time::ZERO {
                let note = Note::new("joined").with(name(i)).about(service_part(i));
                cx.say(note.mark(Tone::Ok));
            }
        }
        for i in wanted..self.services.len() {
            if !self.services[i].leaving {
                let service = &mut self.services[i];
                service.leaving = true;
                (service.poison_next, service.miss_next) = (false, false);
                self.pushing.unsubscribe(service.push);
                self.copying.unsubscribe(service.copy);
                let note = Note::new("leaving").with(name(i)).about(service_part(i));
                cx.say(note.mark(Tone::Warn));
                if self.services[i].down.is_some() {
                    // Nobody could finish what it holds otherwise.
                    self.bring_up(i, knobs, cx);
                }
            }
        }
        self.let_go();
    }

    /// A subscription to either topic: one attempt each, because a queue never refuses and a push has only one.
    fn subscribe(&mut self) -> (SubscriptionId, SubscriptionId) {
        let settings = || SubscriptionSettings {
            retry: RetryPolicy::none(),
            ..SubscriptionSettings::default()
        };
        let valid = "a policy without retries is valid";
        (
            self.pushing.subscribe(settings()).expect(valid),
            self.copying.subscribe(settings()).expect(valid),
        )
    }

    /// Removes subscribers that have left: the last ones, once nothing is open.
    fn let_go(&mut self) {
        while self
            .services
            .last()
            .is_some_and(|last| last.leaving && last.idle())
        {
            let Some(gone) = self.services.pop() else {
                return;
            };
            let place = self.services.len();
            for message in gone.dead.messages() {
                self.orders[message.body as usize].shares[place].place = Place::Over;
                self.unref(message.body);
            }
        }
    }

    fn at_checkout(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let active = self.services.iter().filter(|s| !s.leaving).count();
        let order = &mut self.orders[slot as usize];
        order.user = User::Waiting;
        let (number, dot) = (order.number, order.dot_whole());
        cx.say(
            Note::new("arrives")
                .with(count(number))
                .about(PILE)
                .dot(dot),
        );
        let say = |word| {
            let note = Note::new(word).with(count(number));
            note.with(Arg::Count(active as i64))
                .about(CHECKOUT)
                .dot(dot)
        };
        match order.design {
            Design::Push | Design::Queue => {
                order.publishing = Publishing::Out(cx.now() + HOP);
                order.note = cx.say(say("publishes"));
                cx.schedule(HOP, Event::AtTopic(slot));
            }
            Design::InTurn => {
                order.fan = active as u8;
                order.note = cx.say(say("calls-in-turn"));
                self.begin_calls(slot, cx);
                self.call(slot, 0, cx);
            }
            Design::Parallel => {
                order.fan = active as u8;
                order.note = cx.say(say("calls-all"));
                self.begin_calls(slot, cx);
                for service in 0..active {
                    self.call(slot, service, cx);
                }
            }
        }
    }

    fn begin_calls(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let order = &mut self.orders[slot as usize];
        let fan = usize::from(order.fan);
        order.refs += u16::from(order.fan);
        for (share, service) in order.shares.iter_mut().zip(&mut self.services).take(fan) {
            share.place = Place::NotCalled;
            share.note = cx.cause();
            service.counts.due += 1;
        }
    }

    fn call(&mut self, slot: u32, service: usize, cx: Cx<'_, '_>) {
        let order = &mut self.orders[slot as usize];
        order.calls += 1;
        order.shares[service].place = Place::ToService(cx.now() + HOP);
        cx.schedule(HOP, Event::AtEnd(slot, service as u8));
    }

    /// The topic stores an event, says yes, and sends a copy towards every subscriber.
    fn at_topic(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let design = self.orders[slot as usize].design;
        let topic = match design {
            Design::Push => &mut self.pushing,
            _ => &mut self.copying,
        };
        let copies = topic.publish(cx.now().0, &slot, &Attributes::new());
        let order = &mut self.orders[slot as usize];
        let word = match design {
            Design::Push => "topic-pushes",
            _ => "topic-copies",
        };
        let note = Note::new(word)
            .with(count(order.number))
            .with(Arg::Count(copies.len() as i64));
        order.note = cx.say(note.about(TOPIC).dot(order.dot_whole()));
        for (subscription, delivery) in copies {
            let found = self.services.iter_mut().enumerate().find(|(_, service)| {
                subscription == service.push && design == Design::Push
                    || subscription == service.copy && design != Design::Push
            });
            let Some((i, service)) = found else { continue };
            service.counts.due += 1;
            // Nothing throttles it, so the push that begins is the one just published.
            topic.begin_push(cx.now().0, subscription);
            let share = &mut order.shares[i];
            share.delivery = delivery;
            share.note = order.note;
            share.place = match design {
                Design::Push => Place::ToService(cx.now() + HOP),
                _ => Place::ToQueue(cx.now() + HOP),
            };
            order.refs += 1;
            cx.schedule(HOP, Event::AtEnd(slot, i as u8));
        }
        order.publishing = Publishing::Back(cx.now() + PUBLISH + HOP);
        cx.schedule(PUBLISH + HOP, Event::Stored(slot));
    }

    /// Checkout answers the user.
    fn answer(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let order = &mut self.orders[slot as usize];
        order.user = User::Answered(cx.now() + HOP);
        cx.schedule(HOP, Event::Home(slot));
        cx.because(order.note);
        let word = if order.failed {
            "user-fails"
        } else {
            "user-ok"
        };
        let note = Note::new(word)
            .with(count(order.number))
            .with(Arg::Span(order.waited));
        order.note = cx.say(note.about(USERS).dot(order.dot_whole()));
        let (waited, failed) = (order.waited, order.failed);
        if order.asked < self.watch.since {
            // It was asked under other rules and says nothing about these.
            return;
        }
        cx.sample(probe::WAIT, waited.0 as f64);
        self.watch.answered += 1;
        if self.watch.answers.len() == ANSWERS {
            self.watch.answers.pop_front();
        }
        self.watch.answers.push_back(Answer {
            at: cx.now(),
            wait: waited,
            failed,
        });
        if failed || waited > Time::ms(50) {
            self.watch.quick_since = None;
        }
    }

    /// A call, a push or a copy arrives.
    fn at_end(&mut self, slot: u32, i: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let order = &mut self.orders[slot as usize];
        let (number, dot) = (order.number, order.dot(i));
        let share = &mut order.shares[i];
        share.reached = cx.now();
        cx.because(share.note);
        if let Place::ToQueue(_) = share.place {
            let service = &mut self.services[i];
            self.copying.succeeded(service.copy, share.delivery);
            let sent = service
                .queue
                .send(cx.now().0, slot, SendOptions::default())
                .expect("a standard queue takes a plain message");
            share.message = sent.id.0;
            share.place = Place::InQueue;
            service.held.push_back((sent.id.0, slot, number));
            let note = Note::new("queued").with(count(number)).with(name(i));
            let note = note.with(Arg::Count(service.backlog() as i64));
            share.note = cx.say(note.about(queue_part(i)).dot(dot));
            self.fetch(i, knobs, cx);
            return;
        }
        let service = &mut self.services[i];
        let full = service.busy() >= knobs.workers as usize
            && service.memory.len() >= knobs.places as usize;
        let refused = match (service.down.is_some(), full) {
            (true, _) => Some(("refused-down", "lost-down")),
            (false, true) => Some(("refused-full", "lost-full")),
            (false, false) => None,
        };
        let pushed = order.design == Design::Push;
        if let Some((call, push)) = refused {
            let note = Note::new(if pushed { push } else { call });
            let note = note.with(count(number)).with(name(i));
            if pushed {
                self.pushing
                    .failed(cx.now().0, service.push, share.delivery);
                self.lose(slot, i, note, cx);
            } else {
                share.note = cx.say(note.about(service_part(i)).dot(dot));
                self.fail_call(slot, i, cx);
            }
            return;
        }
        if pushed {
            self.pushing.succeeded(service.push, share.delivery);
        }
        share.place = Place::Memory;
        service.memory.push_back(slot);
        self.put_to_work(i, knobs, cx);
        let share = &mut self.orders[slot as usize].shares[i];
        if share.place == Place::Memory {
            let ahead = self.services[i].memory.len();
            let note = Note::new("in-memory").with(count(number)).with(name(i));
            let note = note.with(Arg::Count(ahead as i64));
            // A call's user waits with it.
            let part = if pushed { service_part(i) } else { PILE };
            share.note = cx.say(note.about(part).dot(dot));
        }
    }

    /// Ends the share of a subscriber in an order.
    fn settle(&mut self, slot: u32, i: usize, outcome: Outcome, cx: Cx<'_, '_>) {
        self.orders[slot as usize].shares[i].place = Place::Over;
        let counts = &mut self.services[i].counts;
        match outcome {
            Outcome::Done => counts.done += 1,
            Outcome::Missed => counts.missed += 1,
            Outcome::Lost => counts.lost += 1,
            Outcome::Dead => counts.dead += 1,
            Outcome::Expired => counts.expired += 1,
        }
        if matches!(outcome, Outcome::Missed | Outcome::Lost | Outcome::Expired) {
            cx.sample(probe::GONE, 1.0);
            self.watch.quick_since = None;
            if let Some((_, _, lost)) = &mut self.watch.pair {
                *lost = true;
            }
            if let Some((_, whole)) = &mut self.watch.burst {
                *whole = false;
            }
        }
        self.unref(slot);
    }

    /// What was pushed to a subscriber is gone.
    fn lose(&mut self, slot: u32, i: usize, note: Note, cx: Cx<'_, '_>) {
        let dot = self.orders[slot as usize].dot(i);
        let mut note = note.about(service_part(i)).dot(dot);
        if self.losses.due(cx.now()) {
            note = note.mark(Tone::Bad);
        }
        cx.say(note);
        while self
            .fallen
            .front()
            .is_some_and(|fallen| fallen.at + FALL <= cx.now())
        {
            self.fallen.pop_front();
        }
        self.fallen.push_back(Fallen {
            service: i,
            at: cx.now(),
            dot,
        });
        if self.services[i].down.is_some() {
            self.services[i].lost_in_outage += 1;
        } else if self.services.iter().all(|s| s.down.is_none()) {
            self.watch.overrun += 1;
        }
        self.settle(slot, i, Outcome::Lost, cx);
    }

    /// A call comes back with an error.
    fn fail_call(&mut self, slot: u32, i: usize, cx: Cx<'_, '_>) {
        self.orders[slot as usize].shares[i].failed = true;
        self.spent(slot, i, cx.now());
        self.settle(slot, i, Outcome::Missed, cx);
        self.call_back(slot, i, cx);
    }

    fn call_back(&mut self, slot: u32, i: usize, cx: Cx<'_, '_>) {
        self.orders[slot as usize].shares[i].place = Place::Returning(cx.now() + HOP);
        cx.schedule(HOP, Event::Returned(slot, i as u8));
    }

    /// Adds what a call took to the user's wait.
    fn spent(&mut self, slot: u32, i: usize, now: Time) {
        let order = &mut self.orders[slot as usize];
        let took = now.since(order.shares[i].reached);
        order.waited = match order.design {
            Design::InTurn => order.waited + took,
            _ => order.waited.max(took),
        };
    }

    /// The answer of a call is back at Checkout.
    fn returned(&mut self, slot: u32, i: usize, cx: Cx<'_, '_>) {
        let order = &mut self.orders[slot as usize];
        let share = &mut order.shares[i];
        share.place = Place::Over;
        order.note = share.note;
        order.failed |= share.failed;
        order.calls -= 1;
        let next = i + 1;
        let fan = usize::from(order.fan);
        if order.design == Design::InTurn && !order.failed && next < fan {
            cx.because(order.note);
            self.call(slot, next, cx);
            return;
        }
        if order.design == Design::InTurn && next < fan {
            cx.because(order.note);
            let note = Note::new("never-called")
                .with(count(order.number))
                .with(name(i))
                .with(Arg::Count((fan - next) as i64));
            order.note = cx.say(note.about(CHECKOUT).dot(order.dot_whole()));
            for service in next..fan {
                self.settle(slot, service, Outcome::Missed, cx);
            }
        }
        if self.orders[slot as usize].calls == 0 {
            self.answer(slot, cx);
        }
    }

    fn work(&self, slot: u32, i: usize) -> Time {
        let factor = f64::from(self.orders[slot as usize].shares[i].factor);
        Time((self.means[i].0 as f64 * factor) as u64)
    }

    /// Gives free workers what is in memory and what they have fetched.
    fn put_to_work(&mut self, i: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let service = &mut self.services[i];
        if service.down.is_some() {
            return;
        }
        let before = cx.cause();
        while self.services[i].busy() < knobs.workers as usize {
            if let Some(slot) = self.services[i].memory.pop_front() {
                let work = self.work(slot, i);
                let service = &mut self.services[i];
                let serial = service.serial();
                service.working.push((serial, slot));
                let share = &mut self.orders[slot as usize].shares[i];
                share.place = Place::Working;
                cx.because(share.note);
                cx.schedule(work, Event::Worked(i as u8, serial));
                continue;
            }
            let ready = self.services[i]
                .deliveries
                .iter()
                .find(|(_, delivery)| delivery.stage == Stage::Ready)
                .map(|(serial, delivery)| (*serial, delivery.order));
            let Some((serial, slot)) = ready else { break };
            let work = self.work(slot, i);
            if let Some(delivery) = self.services[i].delivery(serial) {
                delivery.stage = Stage::Working;
            }
            cx.because(self.orders[slot as usize].shares[i].note);
            // A worker asks for its next message just early enough to have it when this one is done.
            cx.schedule(work - HOP, Event::Release(i as u8, serial));
            cx.schedule(work, Event::Finish(i as u8, serial));
        }
        cx.because(before);
    }

    /// A worker is done with what it was called with, or what was pushed to it.
    fn worked(&mut self, i: usize, serial: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(service) = self.services.get_mut(i) else {
            return;
        };
        let Some(place) = service.working.iter().position(|(s, _)| *s == serial) else {
            return;
        };
        let (_, slot) = service.working.remove(place);
        let order = &mut self.orders[slot as usize];
        let (number, dot, pushed) = (order.number, order.dot(i), order.design == Design::Push);
        let share = &mut order.shares[i];
        cx.because(share.note);
        match (share.poison, pushed) {
            (true, true) => {
                let note = Note::new("choked-push").with(count(number)).with(name(i));
                self.lose(slot, i, note, cx);
            }
            (true, false) => {
                let note = Note::new("choked-call").with(count(number)).with(name(i));
                share.note = cx.say(note.about(service_part(i)).dot(dot).mark(Tone::Bad));
                self.fail_call(slot, i, cx);
            }
            (false, _) => {
                let took = cx.now().since(share.reached);
                let note = Note::new("did").with(count(number)).with(name(i));
                share.note = cx.say(note.with(Arg::Span(took)).about(service_part(i)).dot(dot));
                cx.sample(probe::DONE, 1.0);
                self.settle_done(slot, i, pushed, cx);
            }
        }
        self.put_to_work(i, knobs, cx);
        self.fetch(i, knobs, cx);
    }

    fn settle_done(&mut self, slot: u32, i: usize, pushed: bool, cx: Cx<'_, '_>) {
        if !pushed {
            self.spent(slot, i, cx.now());
        }
        self.settle(slot, i, Outcome::Done, cx);
        if !pushed {
            self.call_back(slot, i, cx);
        }
    }

    /// Free workers ask the queue for messages.
    fn fetch(&mut self, i: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let before = cx.cause();
        loop {
            let service = &mut self.services[i];
            let taken = service.deliveries.iter().filter(|(_, d)| {
                !d.released && matches!(d.stage, Stage::Coming(_) | Stage::Ready | Stage::Working)
            });
            let taken = taken.count() + service.working.len() + service.memory.len();
            if service.down.is_some() || taken >= knobs.workers as usize {
                break;
            }
            let batch = service
                .queue
                .receive(cx.now().0, 1, None)
                .expect("one message is a batch, and few are in flight");
            let letters = service.queue.take_dead_letters();
            for letter in letters {
                self.bury(i, letter, cx);
            }
            self.expired(i, cx);
            let Some(received) = batch.into_iter().next() else {
                break;
            };
            let service = &mut self.services[i];
            let serial = service.serial();
            let until = Time(cx.now().0 + service.queue.settings().visibility_timeout_us);
            let receipt = received.receipt;
            service.lent.push(Lent { receipt, until });
            service.deliveries.push((
                serial,
                Delivery {
                    order: received.body,
                    stage: Stage::Coming(cx.now() + HOP),
                    receipt,
                    released: false,
                    again: received.receive_count > 1,
                },
            ));
            let order = &mut self.orders[received.body as usize];
            order.refs += 1;
            let (number, dot) = (order.number, order.dot(i));
            let share = &mut order.shares[i];
            cx.because(share.note);
            let again = received.receive_count > 1;
            let mut note = Note::new(if again { "lent-again" } else { "lent" })
                .with(name(i))
                .with(count(number))
                .with(if again {
                    count(received.receive_count)
                } else {
                    Arg::Span(until.since(cx.now()))
                });
            if again {
                self.watch.redelivered += 1;
                note = note.mark(Tone::Warn);
            }
            share.note = cx.say(note.about(queue_part(i)).dot(dot));
            cx.schedule(HOP, Event::Fetched(i as u8, serial));
            cx.schedule(
                until.since(cx.now()),
                Event::Visible(i as u8, receipt.message.0, receipt.serial),
            );
        }
        cx.because(before);
    }

    /// A message that was received too often is put aside.
    fn bury(&mut self, i: usize, letter: Message<u32>, cx: Cx<'_, '_>) {
        let slot = letter.body;
        let tries = letter.receive_count;
        let service = &mut self.services[i];
        service
            .lent
            .retain(|lent| lent.receipt.message != letter.id);
        (service.dead)
            .accept_dead_letter(cx.now().0, letter)
            .expect("both queues are standard");
        let order = &mut self.orders[slot as usize];
        order.refs += 1;
        cx.because(order.shares[i].note);
        let note = Note::new("buried")
            .with(count(order.number))
            .with(name(i))
            .with(count(tries));
        let note = note.about(dead_part(i)).dot(order.dot(i));
        order.shares[i].note = cx.say(note.mark(Tone::Bad));
        self.settle(slot, i, Outcome::Dead, cx);
        self.orders[slot as usize].shares[i].place = Place::InDead;
    }

    /// A worker is done with a message, or chokes on it.
    fn finish(&mut self, i: usize, serial: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(service) = self.services.get_mut(i) else {
            return;
        };
        let Some(delivery) = service.delivery(serial).copied() else {
            return;
        };
        let order = &mut self.orders[delivery.order as usize];
        let (number, dot) = (order.number, order.dot(i));
        let share = &mut order.shares[i];
        cx.because(share.note);
        let about = |note: Note| {
            note.with(count(number))
                .with(name(i))
                .about(service_part(i))
                .dot(dot)
        };
        if share.poison {
            share.note = cx.say(about(Note::new("choked")));
            service.drop_delivery(serial);
            self.unref(delivery.order);
        } else {
            share.done = share.done.saturating_add(1);
            let word = if share.done > 1 { "did-again" } else { "did" };
            let took = Arg::Span(cx.now().since(share.reached));
            let note = about(Note::new(word)).with(took);
            share.note = cx.say(if share.done > 1 {
                note.mark(Tone::Warn)
            } else {
                note
            });
            if share.done > 1 {
                service.counts.again += 1;
            } else {
                cx.sample(probe::DONE, 1.0);
            }
            let missing = std::mem::take(&mut service.miss_next);
            if let Some(delivery) = service.delivery(serial) {
                let home = cx.now() + HOP;
                delivery.stage = if missing {
                    Stage::Missing(home)
                } else {
                    Stage::Acknowledging(home)
                };
            }
            cx.schedule(HOP, Event::Acknowledged(i as u8, serial));
        }
        self.put_to_work(i, knobs, cx);
        self.fetch(i, knobs, cx);
    }

    /// An acknowledgement reaches the queue, or does not.
    fn acknowledged(&mut self, i: usize, serial: u32, cx: Cx<'_, '_>) {
        let Some(service) = self.services.get_mut(i) else {
            return;
        };
        let Some(delivery) = service.drop_delivery(serial) else {
            return;
        };
        let slot = delivery.order;
        let order = &mut self.orders[slot as usize];
        let (number, dot) = (order.number, order.dot(i));
        let share = &mut order.shares[i];
        cx.because(share.note);
        let about = |note: Note| {
            note.with(count(number))
                .with(name(i))
                .about(queue_part(i))
                .dot(dot)
        };
        if matches!(delivery.stage, Stage::Missing(_)) {
            share.note = cx.say(about(Note::new("ack-lost")).mark(Tone::Bad));
        } else {
            let before = service.queue.totals().deleted;
            match service.queue.delete(cx.now().0, delivery.receipt) {
                Ok(()) if service.queue.totals().deleted > before => {
                    service
                        .lent
                        .retain(|lent| lent.receipt.message != delivery.receipt.message);
                    share.note = cx.say(about(Note::new("acknowledged")));
                    self.settle(slot, i, Outcome::Done, cx);
                    self.trim(i);
                }
                Ok(()) => {
                    share.note = cx.say(about(Note::new("ack-needless")));
                }
                Err(QueueError::StaleReceipt) => {
                    share.note = cx.say(about(Note::new("ack-stale")).mark(Tone::Warn));
                }
                Err(error) => unreachable!("a standard queue does not answer so: {error}"),
            }
        }
        self.unref(slot);
        self.expired(i, cx);
    }

    /// Forgets the first messages of a queue that are settled.
    fn trim(&mut self, i: usize) {
        let Some(service) = self.services.get_mut(i) else {
            return;
        };
        while let Some((id, slot, number)) = service.held.front().copied() {
            let order = &self.orders[slot as usize];
            let share = &order.shares[i];
            if order.number == number && share.place == Place::InQueue && share.message == id {
                break;
            }
            service.held.pop_front();
        }
    }

    /// A visibility time-out is over: if the message is still there, anybody may receive it again.
    fn visible(&mut self, i: usize, message: u64, serial: u64, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(service) = self.services.get_mut(i) else {
            return;
        };
        let place = service
            .lent
            .iter()
            .position(|l| l.receipt.message.0 == message && l.receipt.serial == serial);
        let Some(place) = place else { return };
        let receipt = service.lent.remove(place).receipt;
        let found = service
            .held
            .iter()
            .find(|(id, ..)| *id == receipt.message.0);
        if let Some((_, slot, _)) = found {
            let order = &mut self.orders[*slot as usize];
            cx.because(order.shares[i].note);
            let note = Note::new("visible-again")
                .with(count(order.number))
                .with(name(i));
            let note = note.about(queue_part(i)).dot(order.dot(i));
            order.shares[i].note = cx.say(note);
        }
        self.fetch(i, knobs, cx);
    }

    /// Lets every queue drop what has outlived its retention.
    fn expire(&mut self, cx: Cx<'_, '_>) {
        for i in 0..self.services.len() {
            let service = &mut self.services[i];
            service.queue.expire(cx.now().0);
            service.dead.expire(cx.now().0);
            self.expired(i, cx);
        }
    }

    /// Settles what a queue or its dead-letter queue has dropped.
    fn expired(&mut self, i: usize, cx: Cx<'_, '_>) {
        let service = &mut self.services[i];
        let now = (
            service.queue.totals().expired,
            service.dead.totals().expired,
        );
        if now == service.expired {
            return;
        }
        let before = std::mem::replace(&mut service.expired, now);
        // Ids rise with the time of sending, so what expired was the oldest.
        let first = service.queue.messages().next().map_or(u64::MAX, |m| m.id.0);
        let kept: BTreeSet<u32> = service.dead.messages().map(|m| m.body).collect();
        service.lent.retain(|l| l.receipt.message.0 >= first);
        let mut gone = Vec::new();
        while let Some((id, slot, number)) = service.held.front().copied() {
            if id >= first {
                break;
            }
            service.held.pop_front();
            let order = &self.orders[slot as usize];
            let share = &order.shares[i];
            if order.number == number && share.place == Place::InQueue && share.message == id {
                gone.push(slot);
            }
        }
        if now.1 != before.1 {
            let dead: Vec<u32> = self
                .live()
                .filter(|(slot, order)| {
                    order.shares[i].place == Place::InDead && !kept.contains(slot)
                })
                .map(|(slot, _)| slot)
                .collect();
            for slot in dead {
                self.orders[slot as usize].shares[i].place = Place::Over;
                self.unref(slot);
            }
        }
        let before = cx.cause();
        for slot in gone {
            let order = &self.orders[slot as usize];
            cx.because(order.shares[i].note);
            let note = Note::new("expired")
                .with(count(order.number))
                .with(name(i))
                .with(Arg::Span(RETENTION));
            cx.say(note.about(queue_part(i)).dot(order.dot(i)));
            self.settle(slot, i, Outcome::Expired, cx);
        }
        cx.because(before);
    }

    /// A subscriber stops; what it held in memory is gone.
    fn take_down(&mut self, i: usize, cx: Cx<'_, '_>) {
        let service = &mut self.services[i];
        service.down = Some(cx.now());
        service.lost_in_outage = 0;
        let held: Vec<u32> = service
            .working
            .drain(..)
            .map(|(_, slot)| slot)
            .chain(service.memory.drain(..))
            .collect();
        let sent = |d: &Delivery| matches!(d.stage, Stage::Acknowledging(_) | Stage::Missing(_));
        let broken: Vec<u32> = service
            .deliveries
            .iter()
            .filter(|(_, delivery)| !sent(delivery))
            .map(|(_, delivery)| delivery.order)
            .collect();
        service.deliveries.retain(|(_, delivery)| sent(delivery));
        let note = Note::new("down")
            .with(name(i))
            .with(Arg::Count((held.len() + broken.len()) as i64));
        let note = note.about(service_part(i)).mark(Tone::Bad);
        let down = cx.say(note.begins("outage", i as u16));
        for slot in broken {
            cx.because(down);
            let order = &mut self.orders[slot as usize];
            let note = Note::new("let-fall")
                .with(count(order.number))
                .with(name(i));
            order.shares[i].note = cx.say(note.about(service_part(i)).dot(order.dot(i)));
            self.unref(slot);
        }
        for slot in held {
            cx.because(down);
            let order = &mut self.orders[slot as usize];
            let (number, dot) = (order.number, order.dot(i));
            if order.design == Design::Push {
                let note = Note::new("lost-memory").with(count(number)).with(name(i));
                self.lose(slot, i, note, cx);
            } else {
                let note = Note::new("call-broken").with(count(number)).with(name(i));
                order.shares[i].note = cx.say(note.about(service_part(i)).dot(dot));
                self.fail_call(slot, i, cx);
            }
        }
    }

    fn bring_up(&mut self, i: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let service = &mut self.services[i];
        let since = service
            .down
            .take()
            .map_or(Time::ZERO, |at| cx.now().since(at));
        let note = Note::new("up")
            .with(name(i))
            .with(Arg::Span(since))
            .with(Arg::Count(service.backlog() as i64));
        let note = note.about(service_part(i)).mark(Tone::Ok);
        cx.say(note.ends("outage", i as u16));
        self.fetch(i, knobs, cx);
    }

    /// The bug is mended: dead letters go back to their queue and can be processed now.
    fn redrive(&mut self, i: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        self.services[i].dead.expire(cx.now().0);
        self.expired(i, cx);
        let service = &mut self.services[i];
        let Service { queue, dead, .. } = service;
        let letters: Vec<u32> = dead.messages().map(|m| m.body).collect();
        let before = queue.len();
        let moved =
            (queue.redrive_from(cx.now().0, dead, usize::MAX)).expect("both queues are standard");
        let ids: Vec<u64> = queue.messages().skip(before).map(|m| m.id.0).collect();
        let note = Note::new("redriven")
            .with(name(i))
            .with(Arg::Count(moved as i64));
        let said = cx.say(note.about(queue_part(i)).mark(Tone::Ok));
        for (slot, id) in letters.into_iter().zip(ids) {
            let order = &mut self.orders[slot as usize];
            let share = &mut order.shares[i];
            (share.place, share.message, share.poison) = (Place::InQueue, id, false);
            share.note = said;
            service.held.push_back((id, slot, order.number));
            // The dead letter needed the slot; now the open share does.
            service.counts.dead -= 1;
        }
        self.fetch(i, knobs, cx);
    }

    /// Keeps what the challenges look at up to date.
    fn look(&mut self, now: Time) {
        let active = || self.services.iter().filter(|service| !service.leaving);
        let slow = active()
            .zip(&self.means)
            .any(|(_, mean)| *mean >= Time::s(1));
        if !slow {
            self.watch.quick_since = None;
        } else if self.watch.quick_since.is_none() && self.watch.answered > 0 {
            let well = self.latest().is_some_and(|last| last.wait <= Time::ms(50));
            self.watch.quick_since = well.then_some(now);
        }
        let down = active().filter(|service| service.down.is_some()).count();
        let backlog = self.backlog();
        self.watch.pair = match (self.watch.pair, down) {
            (None, 2..) => Some((now, false, false)),
            (Some((since, long, lost)), 2..) => {
                Some((since, long || now.since(since) >= Time::s(5), lost))
            }
            (Some((_, long, lost)), 0) if !long || lost => None,
            (Some(_), 0) if backlog <= 3 => {
                self.watch.pair_survived = true;
                None
            }
            (pair, _) => pair,
        };
        if let Some((since, whole)) = self.watch.burst
            && whole
            && self.burst_left == 0
            && self.design == Design::Queue
            && now.since(since) > Time::s(2)
            && now.since(since) <= Time::s(60)
            && backlog < 10
        {
            self.watch.burst_drained = true;
        }
    }
}
