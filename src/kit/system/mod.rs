//! Requests that flow through parts: one composed model for lessons about traffic, and the view that goes with it.
//!
//! A lesson on this layer is a [`Script`]: its knobs ([`Dial`]s) and a [`Plan`], a pure function of them. [`System`] runs the
//! plan. When a knob turns it asks for the plan again, compares, and lets parts come and go; nothing is lost without a note
//! that says so. All lessons share one `Run<System>`, so a lesson costs its words, its story and a few hundred lines.
//!
//! # The smallest lesson
//!
//! ```
//! use engine::{ActionSpec, Card, Lesson, Scene, Sheet, Time};
//! # use loadlab_kit::system::*;
//! struct OneServer;
//! const USERS: NodeId = NodeId(0);
//! const SERVER: NodeId = NodeId(1);
//! const LINK: WireId = WireId(0);
//!
//! impl Script for OneServer {
//!     fn dials(&self) -> &'static [Dial] {
//!         const DIALS: &[Dial] = &[Dial::slider("load", [1.0, 50.0, 1.0], "req/s", 8.0)];
//!         DIALS
//!     }
//!     fn plan(&self, knobs: &Values) -> Plan {
//!         let call = Call { timeout: Some(Time::s(1)), ..Call::over(LINK) };
//!         let service = Service::new(2, 10, Time::ms(100), Spread::Exponential);
//!         Plan {
//!             nodes: vec![
//!                 Node::one(USERS, "users", Kind::Crowd(Crowd::poisson(knobs.get("load"), call))),
//!                 Node::one(SERVER, "server", Kind::Service(service)),
//!             ],
//!             wires: vec![Wire::new(LINK, USERS, SERVER, "link", Time::ms(80))],
//!             ..Plan::default()
//!         }
//!     }
//!     fn deeds(&self) -> &'static [Deed] {
//!         const DEEDS: &[Deed] = &[Deed::Crash(SERVER), Deed::Recover(SERVER)];
//!         DEEDS
//!     }
//! }
//!
//! impl Lesson for OneServer {
//!     type Model = System;
//!     const LEVEL: engine::Level = engine::Level::Basics;
//!     const SHEET: Sheet<System> = Sheet {
//!         // One for each deed, in the same order.
//!         actions: &[ActionSpec::whole("crash"), ActionSpec::whole("recover")],
//!         probes: &probe::ALL,
//!         warm_up: Time::s(5),
//!         ..Sheet::usual(
//!             Card { slug: "one-server", chapter: "traffic", tables: &[] },
//!             || Values::first(&OneServer),
//!             draw,
//!         )
//!     };
//! }
//! # use engine::{Run, Show, lesson::sheet, show::Watch};
//! # let mut run = Run::new(sheet::<OneServer>(), 1);
//! # run.run(Time::s(10), Watch::Nothing, u64::MAX);
//! # assert!(run.model().row(SERVER).of(Count::Done) > 40);
//! ```
//!
//! # What happens to a request
//!
//! A [`Crowd`] draws a request's [`Draw`] when it comes: dice, person, class, region. Everything random that befalls it later (work,
//! fate, choice, jitter) follows from its dice, so twins meet the same requests whatever the design. The request is a
//! [`Frame`] that stays with its user and runs the crowd's program for its class; each [`Step::Call`] is a frame of its own, one
//! for each try. A call goes over a [`Wire`], which chooses a member at its end by its policy, among those that health checks
//! believe in. A [`Gate`] passes it on over another wire; a [`Service`] gives it a worker, or a place in its queue, and runs its
//! own program. The answer comes back by the same wires. A caller whose time-out ends leaves the call to itself
//! ([`Frame::left`]): it is still worked on, *for nobody*. Who fails says why ([`Reason`]), at the part where it died.
//!
//! # Regions
//!
//! A crowd with [`Crowd::regions`] is in several places at once: the region of a request is drawn on arrival like all else, and of a user
//! who waits for answers once. A wire may take another time for each ([`Wire::by_region`]), and a gate may have a route for each
//! ([`Gate::regional`]), so that a plan says who is near to what. Services and stores know nothing of it.
//!
//! # Messages
//!
//! A call that reaches a [`Queue`] is answered as soon as its message is stored; [`Step::Publish`] does not even wait for that.
//! The workers of a [`Service`] that pulls ([`Pull`]) ask the queue over a wire that leads *to* it, work on what they get by the
//! program of its class, and delete it. A message is lent for the queue's visibility time-out; who fails, crashes or is late
//! says nothing, and the clock brings the message back. [`System::shelf`] tells what a queue keeps, the ledger's row of its node
//! what became of messages ([`Count::Lent`] and those after it). A sheet with queues has [`probe::WITH_QUEUES`].
//!
//! # Stores
//!
//! A member may do a job for no request ([`System::begin_job`]): it takes the next worker before all that waits. A call whose
//! program ends with [`Step::Park`] gives its worker back and waits until the script has it answered ([`System::unpark`]).
//! Members post to each other ([`System::post`]): what is posted from one to another arrives in its order, and dies with either
//! of them, or with a cut ([`Deed::Isolate`]). Scripts that do so name [`STORES`].
//!
//! # Caches
//!
//! A crowd with [`Crowd::keys`] asks for things, some more often than others. A [`Service`] whose program has [`Step::Read`] and
//! [`Step::Write`] is a store: it keeps a version of each thing, and answers say which one was read, where and when
//! ([`Answer`]). A [`Cache`] on the way keeps what comes back by its key, answers with it while it is fresh, and asks on by its own
//! program else; so caches stack as deep as a plan likes. [`System::purge_key`] makes one forget a key, [`Deed::Flush`] everything;
//! what it has asked for already it keeps all the same. The ledger counts hits, and stale ones among them ([`Count::Hit`],
//! [`Count::Stale`]); [`System::was_told`] is what a request was told that is just over, [`System::copy_of`] what lies where.
//!
//! # Topics and functions
//!
//! A call that reaches a [`Topic`] is answered as soon as its message is there; a copy goes to each [`Subscription`] whose filter
//! accepts it, as a call of its own for no caller, and again where that fails ([`Live::fan`]). A call that reaches a [`Function`] takes the
//! most recently used instance that is free, waits for one to be built, or is turned away ([`Live::fleet`]).
//!
//! # Loss and money
//!
//! A [`Wire`] may lose a share of what goes over it ([`Wire::loss`], [`Deed::Lose`]): it dies half-way with a label, and its caller
//! learns by a time-out. A [`Node`] may have a [`Price`]; [`System::cost`] and [`Since::cost`] tell what came of it.
//!
//! # Where a lesson hooks in
//!
//! * [`Script::heard`]: each note as it is said; [`Script::look`]: after each event that says something. Keep what the story must remember in a type
//!   of the lesson's own ([`Script::own`], [`System::own`]); for counts ask the ledger first: [`System::total`],
//!   [`System::row`], [`System::member_row`], and [`System::since`] a marked note (`"crashed"`, `"you-set"`, `"start"`).
//! * [`Deed::Own`] with [`Script::act`]; [`System::deed`] for the layer's own deeds, [`System::lose`] for the death of one worker;
//!   [`Event::Timer`] with [`Script::timer`].
//! * [`Service::weighs`] with [`Script::weighs`]: work whose length depends on the state of the system, and with
//!   [`Script::throws`] work that fails by it.
//! * [`Script::taken`], [`Script::parked`], [`Script::job_done`], [`Script::delivered`]: what workers, jobs and feeds do.
//! * [`System::set_door`]: members that refuse what comes and finish what they have, or that nothing comes back from.
//! * [`Gate::limits`] with [`Script::admits`]: limiters, which pass, hold back or refuse ([`Admission`]).
//!   [`Gate::filters`] with [`Script::allowed`]: candidates.
//! * [`Step::Each`] with [`Script::spreads`], [`Wire::mapped`] with [`Script::picks`]: who is asked follows from a map that the script keeps.
//! * [`Script::tune`]: callers of one node that make a call each in its own way; [`Script::learnt`]: what they learn of each try.
//! * [`Script::name_of`]: new names for things, which no cache knows; [`Script::first_version`]: what versions begin with.
//! * [`System::scale`]: a controller's number of members in place of the plan's; [`Script::boots`]: how long a new one boots.
//! * [`Script::report`]: after each look, to say notes and to sample probes of the lesson's own.
//! * [`Script::gear`]: names what only some plans use, [`QUEUES`], [`BREAKERS`], [`STORES`], [`PACED`],
//!   [`CELLS`], [`SLIM`], [`TILES`], [`LOSSES`], [`PRICES`], [`TOPICS`], [`FUNCTIONS`] and [`CACHES`], so that other lessons do not carry it.
//! * [`Script::line`]: the third line of a card. [`Script::aside`]: the lesson's own figure under the parts.
//!
//! # Words
//!
//! The layer says `picked` (number, member, because), `calls` (number, from, to), `waits` (number, member, place), `answered`
//! (member, number, span), `refused`, `unheard` (number, member), `overflow`, `cut-off`, `fails-it`, `fails-too`, `skipped`, `lost` (number, member), `limited`
//! (number, member, why), `delayed` (number, member, span), `gave-up`, `too-late`, `timed-out` (number, part, span), `nobody`, `failing` (number), `tries-again` (number, part,
//! try), `no-budget`, `without` (number, part, callee), `asks-spare` (number, part, spare), `breaker-refuses`, `breaker-probes`
//! (number, breaker, callee), `leaves` (number, part), `reloads` (number, times), `breaker-opens`, `breaker-reopens`,
//! `breaker-tries`, `breaker-closes`, `breaker-new`, `breaker-gone` (breaker, caller, callee), `refresh` (span), `refresh-over`,
//! `check-failed`, `returned`, `joined`, `leaving`, `restarted`, `mended`, `slowed`, `cut`, `healed`, `flushed`,
//! `missed` (number, moments), `isolated`, `rejoined` (member), `crashed` (member, held), `boots`, `restarts` (member, span), `ejected` (member, span),
//! `spike` (times), `spike-over`; with a queue `stored` (number,
//! queue, span), `lent` (number, member, deliveries), `deleted`, `stale`, `gone-already` (number, member, deliveries),
//! `clock-ended` (number, member, span), `expired` (number, queue, span), `buried` (number, queue, deliveries), `receipt-lost`
//! (number, member), `purged`, `redriven` (count, queue); with wires that lose `strays`, `answer-strays` (number, member),
//! `lossy` (share, member), `lossless` (member); with a topic `published` (number, topic, copies), `pushes`, `pushes-again` (number,
//! member, tries), `push-failed` (number, member, span), `push-buried`, `push-dropped` (number, member), `unsubscribed` (copies,
//! topic); with a function `warm` (number, function, instance), `cold` (number, function, span), `throttled` (number, function, why:
//! `because.instances` or `because.allowance`), `retired` (function, instances), `deployed` (function, version); with caches `answers`, `answers-old`,
//! `keeps` (member, version, age), `writes` (store, version, number). A lesson's `en.md` has those
//! that its plan can say, the labels `loss.*` of its reasons, and on the stage `load`, `callers`, `busy`, `waiting`, `slow`, `crashed`,
//! `leaving`, `died`, `link.*`; with health checks `still-in`, `out`, `check-in`, `not-trusted`; with a gate that shows whose
//! turn it is `next`, `fewest`, `last`, `of-two`, `nobody` and `policy.*`; with a place for a breaker `calls-per-s`, `per-s`,
//! `state.*`, `link.refused`; with [`Node::cells`] `full`; with a [`Life`] `starting`; with a spare wire `link.spare`; with a queue `visible`, `delayed`,
//! `lent`, `dead`, `asking`, `more`, `pulling.*`, `clock-over`, `lent-on`; with wires that lose `link.lossy`; with a topic
//! `copies`, `subscription`, `filter`; with a function `instances`, `version`, `more`; with a cache `kept`, `cache-off`. `load-balancing` is the model to copy.

mod cache;
mod cells;
mod deaths;
mod died;
mod facts;
mod frame;
mod function;
mod functions;
mod gear;
mod gears;
mod guard;
mod kept;
mod ledger;
mod losses;
mod model;
mod money;
mod parcel;
mod plan;
mod script;
mod shelf;
mod shelves;
mod slim;
mod state;
mod switch;
mod tiles;
mod topic;
mod topics;
pub mod trial;
mod view;

#[cfg(test)]
mod kinds;
#[cfg(test)]
mod tests;

pub use died::died;
pub use facts::{Answer, Fact, thing};
pub use frame::{Draw, Frame, Place, Reason};
pub use function::{Fleet, Sandbox};
pub use gear::{
    Breakers, Caches, Cells, Functions, Gear, Losses, Paced, Prices, Queues, Slim, Stores, Tiles,
    Topics,
};
pub use gears::{
    BREAKERS, CACHES, CELLS, FUNCTIONS, LOSSES, PACED, PRICES, QUEUES, SLIM, STORES, TILES, TOPICS,
};
pub use guard::{Breaker, Tally, breaker_part};
pub use kept::Kept;
pub use ledger::{Count, Row, Since};
pub use model::{BOUNCE, Event, System};
pub use money::{MONTH_HOURS, Money, Price};
pub use parcel::{Parcel, Seat};
pub use plan::{
    Arrivals, Budget, Cache, Call, Crowd, Function, Gate, Guard, Health, Hurry, IDS_MAX, Kind,
    Life, Node, NodeId, Otherwise, Plan, Pull, Queue, Retry, Service, Spread, Step, Subscription,
    Topic, Upon, Wire, WireId,
};
pub use script::{Admission, Cx, Deed, Dial, Own, Script, Values};
pub use shelf::{Errand, Letter, Loan, Puller, Pulling, Shelf, Shelved, Tells, Worker};
pub use state::{Dog, Door, HUSH, Live, LiveWire, Part, Starting};
pub use switch::{state_inks, state_word};
pub use topic::{Fan, Subscriber};
pub use view::{draw, face, policy_word};

/// Opens a run of a system. The code of such runs is made here, once for all: who makes them elsewhere finds it.
pub fn open(sheet: &'static engine::Sheet<System>, seed: u32) -> Box<dyn engine::Show> {
    Box::new(engine::Run::new(sheet, seed))
}

/// What every system measures: [`probe::ALL`] are a sheet's probes, to which a lesson may add its own.
pub mod probe {
    use engine::Probe;

    /// Requests that users sent, a second.
    pub const CAME: usize = 0;
    /// Requests answered well, a second.
    pub const DONE: usize = 1;
    /// Requests that failed or whose user left, a second.
    pub const FAILED: usize = 2;
    /// From asking to the answer less the time on wires, in µs; of users who waited in vain, how long.
    pub const LATENCY: usize = 3;
    /// Calls that wait in queues.
    pub const WAITING: usize = 4;
    /// Calls sent, each try of its own, a second.
    pub const CALLS: usize = 5;
    /// Of these, tries after the first.
    pub const RETRIES: usize = 6;
    /// The first number that is free for a lesson's own probes.
    pub const OWN: usize = 7;

    /// Messages that wait in queues.
    pub const VISIBLE: usize = 7;
    /// Messages that are lent.
    pub const LENT: usize = 8;
    /// Dead letters.
    pub const DEAD: usize = 9;
    /// Messages that workers have done, a second.
    pub const HANDLED: usize = 10;
    /// Of these, messages that had been lent before.
    pub const HANDLED_AGAIN: usize = 11;
    /// As [`OWN`], of a lesson with queues.
    pub const OWN_WITH_QUEUES: usize = 12;

    /// The probes of a lesson with queues, in their order.
    pub const WITH_QUEUES: [Probe; OWN_WITH_QUEUES] = [
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
        Probe::Count,
        Probe::Count,
    ];

    /// The probes of a lesson without queues, in their order.
    pub const ALL: [Probe; OWN] = [
        Probe::Count,
        Probe::Count,
        Probe::Count,
        Probe::Spread,
        Probe::Level,
        Probe::Count,
        Probe::Count,
    ];
}
