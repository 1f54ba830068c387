//! What queues and those who pull from them keep: messages, loans, requests that wait, errands under way.

use super::frame::Draw;
use super::plan::{Queue, WireId};
use crate::flow::{Key, Leg};
use algorithms::message_queue::{
    DELAY_MAX_US, Kind, LongPoll, MessageQueue, RETENTION_MAX_US, RETENTION_MIN_US, Receipt,
    Settings, State, VISIBILITY_MAX_US,
};
use engine::Time;
use engine::tape::NoteId;
use std::collections::VecDeque;

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letter {
    /// The number of the user's request that it came from, shown as a dot.
    pub number: u32,
    /// What was drawn for that request.
    pub draw: Draw,
    /// When the queue stored it first.
    pub stored: Time,
    pub(super) note: NoteId,
}

/// One worker of one member of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// The service.
    pub node: u16,
    /// Which member of it.
    pub member: u16,
    /// Which of the member's workers.
    pub nth: u16,
}

/// A message that is lent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loan {
    /// What deletes it.
    pub receipt: Receipt,
    /// What it is.
    pub letter: Letter,
    /// How often it has been lent, this time included.
    pub deliveries: u32,
    /// When its clock began, at first or anew.
    pub since: Time,
    /// When its clock ends, as far as its holder knows.
    pub until: Time,
    /// To whom.
    pub to: Worker,
}

/// A request for messages that a queue holds until there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) poll: LongPoll,
    pub(super) to: Worker,
    pub(super) turn: u32,
    pub(super) batch: u8,
}

/// The state of a queue.
#[derive(Clone, Debug)]
pub struct Shelf {
    pub(super) queue: MessageQueue<Letter>,
    pub(super) dead: MessageQueue<Letter>,
    /// Loans whose clock runs, in the order in which they began.
    pub(super) loans: Vec<Loan>,
    /// The longest waiting first.
    pub(super) asks: Vec<Ask>,
    /// So many receipts that come next get lost.
    pub(super) loses: u32,
    /// When something will happen to it by itself, and which look that is.
    pub(super) look_at: Time,
    pub(super) turn: u32,
}

/// A plan's rule in the algorithm's ranges.
fn settings(rule: &Queue) -> Settings {
    let kind = if rule.ordered {
        Kind::Fifo
    } else {
        Kind::Standard
    };
    Settings {
        visibility_timeout_us: rule.visibility.0.min(VISIBILITY_MAX_US),
        delay_us: rule.delay.0.min(DELAY_MAX_US),
        retention_us: rule.retention.0.clamp(RETENTION_MIN_US, RETENTION_MAX_US),
        max_receive_count: rule.deliveries.map(|most| most.max(1)),
        ..Settings::new(kind)
    }
}

impl Shelf {
    /// An empty one.
    pub(super) fn new(rule: &Queue) -> Option<Shelf> {
        let settings = settings(rule);
        let mut dead = Settings::new(settings.kind);
        dead.retention_us = RETENTION_MAX_US;
        Some(Shelf {
            queue: MessageQueue::new(settings).ok()?,
            dead: MessageQueue::new(dead).ok()?,
            loans: Vec::new(),
            asks: Vec::new(),
            loses: 0,
            look_at: Time::NEVER,
            turn: 0,
        })
    }

    /// Takes over a rule. Clocks that run keep their ends. False if it keeps order otherwise, which is another queue.
    pub(super) fn follow(&mut self, rule: &Queue) -> bool {
        let new = settings(rule);
        let queue = &mut self.queue;
        let fits = new.kind == queue.settings().kind;
        fits && queue
            .set_visibility_timeout(new.visibility_timeout_us)
            .and_then(|()| queue.set_delay(new.delay_us))
            .and_then(|()| queue.set_retention(new.retention_us))
            .and_then(|()| queue.set_max_receive_count(new.max_receive_count))
            .is_ok()
    }

    /// Whether it keeps no message that is not dead.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The message queue itself.
    pub fn queue(&self) -> &MessageQueue<Letter> {
        &self.queue
    }

    /// The dead letters.
    pub fn dead(&self) -> &MessageQueue<Letter> {
        &self.dead
    }

    /// Loans whose clock runs, in the order in which they began.
    pub fn loans(&self) -> &[Loan] {
        &self.loans
    }

    /// Workers whose request it holds, the longest waiting first.
    pub fn asking(&self) -> impl Iterator<Item = Worker> {
        self.asks.iter().map(|ask| ask.to)
    }

    /// Messages that wait for a worker.
    pub fn visible(&self, now: Time) -> usize {
        self.queue.count(State::Visible, now.0)
    }

    /// The longest that a message has waited that can be had now, since it was stored.
    pub fn oldest(&self, now: Time) -> Option<Time> {
        let visible = |message: &&algorithms::message_queue::Message<Letter>| {
            message.state(now.0) == State::Visible
        };
        let oldest = self.queue.messages().find(visible)?;
        Some(now.since(Time(oldest.enqueued_at_us)))
    }

    /// Whether a loan is the latest of its message, and its clock runs.
    pub(super) fn lends(&self, receipt: Receipt) -> bool {
        self.loans.iter().any(|loan| loan.receipt == receipt)
    }

    /// The next moment at which something happens by itself.
    pub(super) fn next(&self, now: Time) -> Time {
        let ends = self.loans.iter().map(|loan| loan.until.0);
        let gives_up = self.asks.iter().map(|ask| ask.poll.deadline_us());
        // What a delay hides comes up only for who waits for it.
        let comes = (!self.asks.is_empty())
            .then(|| self.queue.next_visible_at_us(now.0))
            .flatten();
        let next = ends.chain(gives_up).chain(comes);
        let next = next.chain(self.queue.next_expiry_at_us()).min();
        next.map_or(Time::NEVER, |at| Time(at.max(now.0)))
    }
}

/// What keeps a shelf: it is copied and dropped by way of a pointer that only queues' own gear makes, so that systems without
/// queues do not carry how.
trait Keeps: std::fmt::Debug {
    fn copy(&self) -> Box<dyn Keeps>;
    fn shelf(&self) -> &Shelf;
    fn shelf_mut(&mut self) -> &mut Shelf;
}

impl Keeps for Shelf {
    fn copy(&self) -> Box<dyn Keeps> {
        Box::new(self.clone())
    }

    fn shelf(&self) -> &Shelf {
        self
    }

    fn shelf_mut(&mut self) -> &mut Shelf {
        self
    }
}

/// A shelf in its place.
#[derive(Debug)]
pub struct Shelved(Box<dyn Keeps>);

impl Shelved {
    pub(super) fn new(shelf: Shelf) -> Shelved {
        Shelved(Box::new(shelf))
    }
}

impl Clone for Shelved {
    fn clone(&self) -> Shelved {
        Shelved(self.0.copy())
    }
}

impl std::ops::Deref for Shelved {
    type Target = Shelf;

    fn deref(&self) -> &Shelf {
        self.0.shelf()
    }
}

impl std::ops::DerefMut for Shelved {
    fn deref_mut(&mut self) -> &mut Shelf {
        self.0.shelf_mut()
    }
}

/// What a worker that pulls does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pulling {
    /// It does not ask.
    #[default]
    Rests,
    /// It found nothing and asks again after a while.
    Pauses,
    /// Its request is on its way.
    Asks,
    /// The queue holds its request.
    Waits,
    /// The answer is on its way, with messages or without.
    Gets,
    /// It works on a message.
    Works,
}

/// A worker that pulls.
#[derive(Clone, Debug)]
pub struct Puller {
    /// What it does.
    pub doing: Pulling,
    /// The way of its request or of the answer.
    pub leg: Leg<WireId>,
    /// What it has received and not begun, the next one first.
    pub batch: VecDeque<Loan>,
    /// What it works on.
    pub at: Option<Loan>,
    /// The work on it.
    pub(super) work: Key,
    /// It has deleted that before it was done.
    pub(super) early: bool,
    /// Told apart from what it did before.
    pub(super) turn: u32,
    /// Its last request was held for a while.
    pub(super) held: bool,
}

impl Puller {
    pub(super) fn resting(now: Time) -> Puller {
        Puller {
            doing: Pulling::Rests,
            leg: Leg::new(WireId(0), now, Time::ZERO, false),
            batch: VecDeque::new(),
            at: None,
            work: Key::NONE,
            early: false,
            turn: 0,
            held: false,
        }
    }
}

/// What a worker tells a queue about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// It is done.
    Delete,
    /// Its clock begins anew.
    Extend,
}

/// Something told on its way to a queue.
#[derive(Clone, Copy, Debug)]
pub struct Errand {
    /// What.
    pub tells: Tells,
    /// The message.
    pub loan: Loan,
    /// Its way, against the wire's direction of answers: from the worker to the queue.
    pub leg: Leg<WireId>,
}
