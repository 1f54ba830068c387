//! Frames: one for each request and each call that it leads to, from when it is sent until its answer is back.

use super::plan::WireId;
use crate::flow::{Key, Leg};
use algorithms::hash::mix64;
use engine::Time;
use engine::tape::NoteId;

/// What is drawn for a request when it comes. Everything random that it meets later follows from its dice, so that twins agree
/// whatever the design.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Draw {
    /// The source of all else.
    pub dice: u64,
    /// What it asks for.
    pub key: u32,
    /// Whose it is.
    pub person: u16,
    /// What kind of request it is.
    pub class: u8,
    /// Where it comes from.
    pub region: u8,
}

impl Draw {
    /// An even draw above 0 and up to 1 for a purpose: the same for the same request and purpose.
    #[inline]
    pub fn unit(&self, purpose: u64) -> f64 {
        let bits = mix64(self.dice ^ mix64(purpose));
        ((bits >> 11) + 1) as f64 * (1.0 / (1_u64 << 53) as f64)
    }
}

/// Draws for one purpose of one request, for what wants a generator.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(draw: Draw, purpose: u64) -> Dice {
        Dice(draw.dice ^ mix64(purpose))
    }
}

impl rand::TryRng for Dice {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }
    // SplitMix64, as `engine::random` spreads its seeds.
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        Ok(mix64(self.0))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
        Ok(())
    }
}

/// Why a request has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Over its limit.
    Limited,
    /// No place in the queue.
    Full,
    /// Waited too long.
    TimedOut,
    /// The breaker is open.
    Open,
    /// No healthy member to send it to.
    Nobody,
    /// The member is down, and said so.
    Down,
    /// Held by a member that went down.
    Lost,
    /// The wire is cut.
    Cut,
    /// Failed by chance.
    Chance,
    /// The user has left.
    Left,
    /// Lost on a wire that loses.
    Strayed,
}

impl Reason {
    /// All of them.
    pub const ALL: [Reason; 11] = [
        Reason::Limited,
        Reason::Full,
        Reason::TimedOut,
        Reason::Open,
        Reason::Nobody,
        Reason::Down,
        Reason::Lost,
        Reason::Cut,
        Reason::Chance,
        Reason::Left,
        Reason::Strayed,
    ];

    /// Its short label where the request died: the word `loss.<…>`.
    pub const fn label(self) -> &'static str {
        match self {
            Reason::Limited => "loss.limited",
            Reason::Full => "loss.full",
            Reason::TimedOut => "loss.timed-out",
            Reason::Open => "loss.open",
            Reason::Nobody => "loss.nobody",
            Reason::Down => "loss.down",
            Reason::Lost => "loss.lost",
            Reason::Cut => "loss.cut",
            Reason::Chance => "loss.chance",
            Reason::Left => "loss.left",
            Reason::Strayed => "loss.strayed",
        }
    }

    /// Whether the request was turned away at once.
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Reason::Limited
                | Reason::Full
                | Reason::Open
                | Reason::Nobody
                | Reason::Down
                | Reason::Cut
        )
    }
}

/// Where a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a wire, see [`Frame::leg`]: on its way to the callee, or back.
    Travels,
    /// In the queue of a member.
    Waits,
    /// With a worker, or with the user whose request it is.
    Held,
    /// With its caller, until the pause before the next try is over.
    Pauses,
    /// Turned away by its caller's breaker.
    Bounces,
    /// Lost on a wire. Nobody knows: its caller waits until it has waited long enough.
    Astray,
    /// At a gate, until that lets it go on; or at a service, done but for the script's word ([`super::Step::Park`]).
    HeldBack,
}

/// Wires that a call has gone over and must come back by: its caller's, and one for each gate.
pub(super) const HOPS_MAX: usize = 4;

/// A request, or a call that it led to.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The number of the user's request, shown as a dot.
    pub number: u32,
    /// What was drawn when the request came.
    pub draw: Draw,
    /// Where it is.
    pub place: Place,
    /// The way that it is on, if it travels; else the last one.
    pub leg: Leg<WireId>,
    /// Whether it failed, and why.
    pub failed: Option<Reason>,
    /// Some part of its answer could not be had, or something stands in for it.
    pub partial: bool,
    /// Its caller waits no longer.
    pub left: bool,
    /// It is the work on a message, for no caller. Its first hop then tells the queue and the worker.
    pub(super) message: bool,
    /// It is a job of a member's own, for no caller.
    pub(super) job: bool,
    /// It is a copy that a topic pushes to one who subscribes, for no caller.
    pub(super) copy: bool,
    /// Which try it is, from 0.
    pub nth: u8,
    /// When its caller sent it; of a request, when it came.
    pub asked: Time,
    /// When it came to where it is.
    pub reached: Time,
    /// The node that it is at or bound for.
    pub(super) node: u16,
    /// The member of that node.
    pub(super) member: u16,
    pub(super) hops: [(u16, u16); HOPS_MAX],
    pub(super) depth: u8,
    /// The frame that waits for it; [`Key::NONE`] for a request.
    pub(super) parent: Key,
    /// Which step of its parent's program it is for, and which call of that.
    pub(super) of: (u8, u8),
    /// The step of its own program that it is in.
    pub(super) step: u8,
    /// Calls of that step without an answer.
    pub(super) pending: u8,
    /// Time that it was on wires, and its calls with it, on the longest way.
    pub(super) travelled: Time,
    /// As of the end of its last step.
    pub(super) settled: Time,
    /// The pause before this try.
    pub(super) waited: Time,
    /// After how long whoever refused it would have let it pass; zero if nobody said.
    pub(super) told: Time,
    /// Told apart from earlier ends of its work, when the speed changes.
    pub(super) turn: u8,
    /// Work left, at full speed, when it was last reckoned up; and when that was.
    pub(super) work: (u64, Time),
    /// Which try it is, of which try of its caller, and so on: what chance decides for a try is drawn by it.
    pub(super) path: u32,
    /// Given by a breaker.
    pub(super) permit: Option<super::guard::Permit>,
    /// Over the wire of [`super::Otherwise::Call`].
    pub(super) spare: bool,
    pub(super) reloads: u8,
    pub(super) note: NoteId,
}

impl Frame {
    /// With the user, or the caller, at a node.
    #[inline(always)]
    pub(super) fn at_rest(node: u16, now: Time) -> Frame {
        Frame {
            number: 0,
            draw: Draw::default(),
            place: Place::Held,
            leg: Leg::new(WireId(0), now, Time::ZERO, false),
            failed: None,
            partial: false,
            left: false,
            message: false,
            job: false,
            copy: false,
            nth: 0,
            asked: now,
            reached: now,
            node,
            member: 0,
            hops: [(0, 0); HOPS_MAX],
            depth: 0,
            parent: Key::NONE,
            of: (0, 0),
            step: 0,
            pending: 0,
            travelled: Time::ZERO,
            settled: Time::ZERO,
            waited: Time::ZERO,
            told: Time::ZERO,
            turn: 0,
            work: (0, now),
            path: 0,
            permit: None,
            spare: false,
            reloads: 0,
            note: NoteId::NONE,
        }
    }

    /// The node that it is at or bound for, and the member.
    #[inline]
    pub fn at(&self) -> (super::NodeId, usize) {
        (super::NodeId(self.node), usize::from(self.member))
    }

    /// Whether its worker, or its user, waits for somebody else's answer.
    #[inline]
    pub fn waits(&self) -> bool {
        self.pending > 0
    }

    /// Time that it was on wires, and its calls with it, on the longest way.
    #[inline]
    pub fn travelled(&self) -> Time {
        self.travelled
    }

    /// Which of the calls of its caller's step it is, from 0.
    #[inline]
    pub fn branch(&self) -> usize {
        usize::from(self.of.1)
    }

    /// The step of its program that it is in, from 0.
    #[inline]
    pub fn step(&self) -> usize {
        usize::from(self.step)
    }

    /// Since when a worker works on that step; none while it waits for the answer to a call.
    #[inline]
    pub fn works_since(&self) -> Option<Time> {
        (self.pending == 0 && self.work.0 > 0).then_some(self.work.1)
    }

    /// Whether a breaker that was half-open let it through, to see how the callee fares.
    #[inline]
    pub fn is_probe(&self) -> bool {
        self.permit.is_some_and(|permit| permit.probe)
    }

    /// Whether it is a user's request, not a call made for one, the work on a message, a copy or a job.
    #[inline]
    pub fn is_request(&self) -> bool {
        self.parent == Key::NONE && !self.message && !self.job && !self.copy
    }

    /// Whether it is a copy that a topic pushes to one who subscribes.
    #[inline]
    pub fn is_copy(&self) -> bool {
        self.copy
    }

    /// Whether it is a job of a member's own.
    #[inline]
    pub fn is_job(&self) -> bool {
        self.job
    }

    /// Whether it is the work on a message.
    #[inline]
    pub fn is_message(&self) -> bool {
        self.message
    }

    /// The member at the far end of the wire that it is on.
    #[inline]
    pub(super) fn hop(&self) -> (u16, u16) {
        self.hops[usize::from(self.depth).saturating_sub(1).min(HOPS_MAX - 1)]
    }
}
