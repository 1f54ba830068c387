//! Scripts: what a lesson says about its system, and the knobs that it gives the learner.

use super::frame::{Draw, Frame, Reason};
use super::gear::Gear;
use super::plan::{Call, Hurry, NodeId, Plan, WireId};
use super::{Event, System};
use crate::flow::Key;
use engine::knobs::Kind;
use engine::scene::Rect;
use engine::tape::NoteId;
use engine::{Act, Context, Knob, Knobs, Note, PartId, Scene, Time, Visit};
use std::any::Any;

/// What reaches a script from outside.
pub type Cx<'a, 'b> = &'a mut Context<'b, Event>;

/// A lesson on [`System`]. All that it must say is its knobs and its plan.
pub trait Script: Sync + 'static {
    /// The knobs in the order of the page.
    fn dials(&self) -> &'static [Dial];

    /// Nodes and wires for these knobs. Pure: the system asks whenever a knob turns, and compares.
    fn plan(&self, knobs: &Values) -> Plan;

    /// What its plans use of what few systems need.
    fn gear(&self) -> Gear {
        Gear::NONE
    }

    /// What each action of the sheet does, in its order.
    fn deeds(&self) -> &'static [Deed] {
        &[]
    }

    /// Does an action that is the lesson's own ([`Deed::Own`]).
    fn act(&self, _act: Act, _system: &mut System, _knobs: &Values, _cx: Cx<'_, '_>) {}

    /// Whether such an action makes sense now.
    fn can(&self, _act: Act, _system: &System) -> bool {
        true
    }

    /// What the lesson itself must remember, as it is at the beginning; see [`System::own`].
    fn own(&self) -> Box<dyn Own> {
        Box::new(())
    }

    /// Time zero: the warm-up is over, and what the lesson remembers of it is forgotten, unless it wants to keep its windows.
    fn start(&self, system: &mut System) {
        system.renew_own();
    }

    /// Something was said.
    fn heard(&self, _note: &Note, _system: &mut System) {}

    /// How a caller makes a call, where callers of one node differ: the plan's call, changed. `of` is the try, its first or a
    /// later one; see [`System::caller_of`]. Asked before each try, and again when it has failed.
    fn tune(&self, _call: &mut Call, _of: &Frame, _system: &System) {}

    /// A caller has learnt what became of a try: it has the answer or an error, or has waited long enough. What comes later
    /// tells it nothing.
    fn learnt(&self, _call: Key, _failed: Option<Reason>, _system: &mut System, _cx: Cx<'_, '_>) {}

    /// A call has set out for the member that it was given to.
    fn sent(&self, _call: Key, _system: &mut System, _now: Time) {}

    /// A worker takes a call, a message or a job.
    fn taken(&self, _what: Key, _system: &mut System, _now: Time) {}

    /// A call is done and waits for [`System::unpark`]; see [`super::Step::Park`].
    fn parked(&self, _call: Key, _system: &mut System, _cx: Cx<'_, '_>) {}

    /// A job of a member's own is done; see [`System::begin_job`].
    fn job_done(&self, _job: &Frame, _system: &mut System, _cx: Cx<'_, '_>) {}

    /// What a member posted has arrived; see [`System::post`].
    fn delivered(&self, _parcel: &super::Parcel, _system: &mut System, _cx: Cx<'_, '_>) {}

    /// How long a piece of work is on average, for a service that weighs it: what follows from the state of the system and so
    /// cannot stand in a plan. A worker begins with it now.
    fn weighs(&self, _call: Key, work: Time, _system: &mut System, _now: Time) -> Time {
        work
    }

    /// What makes a piece of work fail as it begins, for a service that weighs it: the note that told of it. Says `fails-it`.
    fn throws(&self, _call: Key, _system: &System) -> Option<NoteId> {
        None
    }

    /// How long a new member takes until it is up, of a node whose members boot for so long.
    fn boots(&self, _node: NodeId, _member: usize, boot: Time, _system: &System) -> Time {
        boot
    }

    /// A user's request is over: answered, failed or left.
    fn over(&self, _request: &Frame, _system: &mut System, _now: Time) {}

    /// After each knob, each action, and each event in which something was said or a request was over.
    fn look(&self, _system: &mut System, _knobs: &Values, _now: Time) {}

    /// Whenever [`Script::look`] has looked: says and measures what is the lesson's own.
    fn report(&self, _system: &mut System, _knobs: &Values, _cx: Cx<'_, '_>) {}

    /// A timer that the script set by [`super::Event::Timer`] has rung.
    fn timer(&self, _number: u32, _system: &mut System, _knobs: &Values, _cx: Cx<'_, '_>) {}

    /// What a gate that limits does with a call.
    fn admits(
        &self,
        _gate: NodeId,
        _call: &Frame,
        _system: &mut System,
        _cx: Cx<'_, '_>,
    ) -> Admission {
        Admission::Passes
    }

    /// Whether a gate that filters may choose a member for a request.
    fn allowed(&self, _over: WireId, _draw: &Draw, _member: usize, _system: &System) -> bool {
        true
    }

    /// How many calls a [`super::Step::Each`] makes for a request or call, now; [`Script::picks`] is asked about each right after.
    fn spreads(&self, _key: Key, _system: &mut System, _cx: Cx<'_, '_>) -> u8 {
        1
    }

    /// The name by which a thing is asked for, when a user begins: the thing itself, or with another number in its upper half
    /// ([`super::thing`]) a new name, which no cache knows yet.
    fn name_of(&self, thing: u32, _system: &System) -> u32 {
        thing
    }

    /// The version that a store has of everything at the beginning.
    fn first_version(&self) -> u32 {
        0
    }

    /// Whom a call over a wire that is [`super::Wire::mapped`] goes to.
    fn picks(&self, _over: WireId, _call: &Frame, _system: &System) -> Option<usize> {
        None
    }

    /// The word that says why a member was chosen, for `picked`.
    fn because(&self, wire: &super::Wire, _draw: &Draw, _system: &System) -> &'static str {
        super::plan::because(wire.policy)
    }

    /// Lines that a member's card shows under its status.
    fn line(
        &self,
        _node: NodeId,
        _member: usize,
        _system: &System,
        _scene: &Scene,
    ) -> Option<String> {
        None
    }

    /// Short lines that stand at a wire: that its time is stretched, what its rule is.
    fn remark(&self, _wire: WireId, _scene: &Scene) -> Vec<String> {
        Vec::new()
    }

    /// Draws the lesson's own figure and returns how high it is. `area` is as wide as the stage and begins under the parts.
    fn aside(
        &self,
        _system: &System,
        _knobs: &Values,
        _at: Time,
        _area: Rect,
        _scene: &mut Scene,
    ) -> f32 {
        0.0
    }
}

/// What a gate that limits does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Lets it go on.
    Passes,
    /// Holds it back for so long, then lets it go on. Says `delayed`.
    Waits(Time),
    /// Turns it away. Says `limited`.
    Refused {
        /// The word that says why.
        why: &'static str,
        /// After how long it would pass, as in the header Retry-After; none if never, or if the gate does not tell. A
        /// [`super::Retry`] may heed it.
        after: Option<Time>,
    },
}

/// What an action does to the system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// A member goes down and loses what it holds. Says `crashed`.
    Crash(NodeId),
    /// A member is well again: up, and at full speed. Says `restarted` or `mended`.
    Recover(NodeId),
    /// A member works at this share of its speed; 0 stalls it. Says `slowed`.
    Slow(NodeId, f64),
    /// A crowd sends so many times as much for a while. Says `spike` and `spike-over`.
    Surge(NodeId, f64, Time),
    /// For a while, users of a crowd wait only so long and come again, so often and after such a pause, when they leave or
    /// get an error. Says `refresh` and `refresh-over`.
    Refresh(NodeId, Hurry),
    /// Nothing passes a wire to a member. Says `cut`.
    Cut(WireId),
    /// It does again. Says `healed`.
    Heal(WireId),
    /// A wire loses this share of what goes over it, whatever the plan says; 0 for nothing. Says `lossy` or `lossless`.
    Lose(WireId, f64),
    /// A function has a new version: old instances get no more requests. Says `deployed`.
    Deploy(NodeId),
    /// A member restarts, as its node's [`super::Life`] says. Says `restarts` and `restarted`.
    Restart(NodeId),
    /// A member forgets what it holds and waits for, and goes on; a queue forgets its messages, a cache its copies and nothing
    /// else. Says `flushed`.
    Flush(NodeId),
    /// Nothing passes between a member and others any more, but calls reach it. Says `isolated`.
    Isolate(NodeId),
    /// A member that is isolated is so no longer. Says `rejoined`.
    Rejoin(NodeId),
    /// Dead letters go back to their queue. Says `redriven`.
    Redrive(NodeId),
    /// The next receipt that reaches a queue is lost. Says `receipt-lost` when it is.
    LoseReceipt(NodeId),
    /// All that the action does is to turn a knob.
    Turn,
    /// What the lesson does: [`Script::act`].
    Own,
}

/// What a lesson keeps in the system beside the ledger: any plain type.
pub trait Own: Any {
    /// A copy of it, for keyframes.
    fn copy(&self) -> Box<dyn Own>;
}

impl<T: Clone + 'static> Own for T {
    fn copy(&self) -> Box<dyn Own> {
        Box::new(self.clone())
    }
}

/// A knob of a script, and its first value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dial {
    /// What it looks like.
    pub knob: Knob,
    /// Where it stands when the lesson opens.
    pub first: f64,
}

impl Dial {
    const fn new(id: &'static str, kind: Kind, unit: &'static str, first: f64) -> Dial {
        let part = None;
        Dial {
            knob: Knob {
                id,
                kind,
                unit,
                part,
            },
            first,
        }
    }

    /// A number with a unit.
    pub const fn slider(
        id: &'static str,
        [min, max, step]: [f64; 3],
        unit: &'static str,
        first: f64,
    ) -> Dial {
        Dial::new(id, Kind::Slider { min, max, step }, unit, first)
    }

    /// A whole number.
    pub const fn whole(id: &'static str, [min, max]: [u32; 2], first: u32) -> Dial {
        Dial::slider(id, [min as f64, max as f64, 1.0], "", first as f64)
    }

    /// One of several, by its place in the list.
    pub const fn choice(id: &'static str, options: &'static [&'static str], first: usize) -> Dial {
        Dial::new(id, Kind::Choice(options), "", first as f64)
    }

    /// On or off.
    pub const fn switch(id: &'static str, first: bool) -> Dial {
        Dial::new(id, Kind::Switch, "", first as u8 as f64)
    }

    /// Makes it a knob of one part.
    #[must_use]
    pub const fn of(mut self, part: PartId) -> Dial {
        self.knob.part = Some(part);
        self
    }
}

/// The knobs of a lesson on [`System`]: values in the order of its dials, and the script that reads them.
#[derive(Clone)]
pub struct Values {
    /// The lesson.
    pub script: &'static dyn Script,
    values: Vec<f64>,
}

impl Values {
    /// As the lesson opens.
    pub fn first(script: &'static dyn Script) -> Values {
        Values {
            script,
            values: script.dials().iter().map(|dial| dial.first).collect(),
        }
    }

    /// The value of a knob; 0 for one that there is not, which a test of each lesson would find.
    pub fn get(&self, id: &str) -> f64 {
        let place = self
            .script
            .dials()
            .iter()
            .position(|dial| dial.knob.id == id);
        debug_assert!(place.is_some(), "there is no knob {id}");
        place
            .and_then(|place| self.values.get(place))
            .copied()
            .unwrap_or(0.0)
    }

    /// The values of all knobs in the order of the page: to tell cheaply whether any has turned.
    pub fn all(&self) -> &[f64] {
        &self.values
    }

    /// A whole number, or the place of a choice.
    pub fn whole(&self, id: &str) -> u32 {
        self.get(id) as u32
    }

    /// Whether a switch is on.
    pub fn on(&self, id: &str) -> bool {
        self.get(id) != 0.0
    }

    /// A span given in seconds.
    pub fn s(&self, id: &str) -> Time {
        Time::from_s(self.get(id))
    }

    /// A span given in milliseconds.
    pub fn ms(&self, id: &str) -> Time {
        Time::from_ms(self.get(id))
    }
}

impl Knobs for Values {
    fn visit(&mut self, visit: &mut dyn Visit) {
        for (dial, value) in self.script.dials().iter().zip(&mut self.values) {
            visit.knob(&dial.knob, value);
        }
    }
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Values").field(&self.values).finish()
    }
}
