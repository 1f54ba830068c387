//! A message queue that lends messages instead of handing them over, with the semantics of Amazon SQS.
//!
//! A received message stays in the queue, hidden for its visibility time-out. Deleting it with the
//! receipt of that receive is the acknowledgement; without one it becomes visible again, so every
//! message is delivered at least once. A message received too often is put aside as a dead letter.
//!
//! Source: Amazon SQS Developer Guide (visibility time-out, polling, delay queues, dead-letter
//! queues, FIFO deduplication). Times are microseconds; the queue has no clock, callers pass `now_us`
//! and never let it run backwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;

/// One second in the unit of this file.
pub const SECOND_US: u64 = 1_000_000;
/// Visibility time-out of a queue that sets none.
pub const VISIBILITY_DEFAULT_US: u64 = 30 * SECOND_US;
/// Longest visibility time-out, and longest time one receive may hide a message however often extended.
pub const VISIBILITY_MAX_US: u64 = 43_200 * SECOND_US;
/// Longest delay of a queue or of one message's timer; the default is none.
pub const DELAY_MAX_US: u64 = 900 * SECOND_US;
/// Shortest time a queue may keep undeleted messages.
pub const RETENTION_MIN_US: u64 = 60 * SECOND_US;
/// Retention of a queue that sets none: 4 days.
pub const RETENTION_DEFAULT_US: u64 = 4 * 86_400 * SECOND_US;
/// Longest retention: 14 days.
pub const RETENTION_MAX_US: u64 = 14 * 86_400 * SECOND_US;
/// Longest wait of one long poll.
pub const WAIT_MAX_US: u64 = 20 * SECOND_US;
/// How long a FIFO queue remembers a deduplication id.
pub const DEDUPLICATION_INTERVAL_US: u64 = 300 * SECOND_US;
/// Most messages one receive (or one batch of sends) may carry.
pub const BATCH_MAX: usize = 10;
/// Largest message, body and attributes together, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 262_144;
/// Most messages a standard queue lets be in flight before it refuses to lend more.
pub const IN_FLIGHT_MAX_STANDARD: usize = 120_000;
/// Most messages a FIFO queue lets be in flight before it answers with nothing.
pub const IN_FLIGHT_MAX_FIFO: usize = 20_000;

/// What the queue promises about order and duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// At least once, best-effort order.
    Standard,
    /// In order within a message group; a group waits for its message in flight.
    Fifo,
}

/// The attributes of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Order and deduplication.
    pub kind: Kind,
    /// How long a receive hides a message, 0 to [`VISIBILITY_MAX_US`].
    pub visibility_timeout_us: u64,
    /// How long a new message stays hidden, 0 to [`DELAY_MAX_US`].
    pub delay_us: u64,
    /// How long an undeleted message is kept, counted from its enqueue time.
    pub retention_us: u64,
    /// After this many receives the next one makes the message a dead letter (at least 1).
    pub max_receive_count: Option<u32>,
}

impl Settings {
    /// A queue of this kind with every default of the service and no dead letters.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            visibility_timeout_us: VISIBILITY_DEFAULT_US,
            delay_us: 0,
            retention_us: RETENTION_DEFAULT_US,
            max_receive_count: None,
        }
    }
}

/// Why the queue refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueError {
    /// A setting or an argument lies outside its documented range.
    OutOfRange,
    /// A FIFO queue delays all its messages alike; a timer on one would break their order.
    TimerOnFifo,
    /// A FIFO message needs a message group and a deduplication id.
    FifoIdsMissing,
    /// The message is larger than [`MESSAGE_BYTES_MAX`].
    TooLarge,
    /// Too many messages are in flight.
    OverLimit,
    /// The message was received again since: only its latest receipt counts.
    StaleReceipt,
    /// The message is not in flight, so there is no visibility time-out to change.
    NotInFlight,
    /// A FIFO receipt cannot delete after its visibility time-out has passed.
    ExpiredReceipt,
    /// The receive would hide the message for more than 12 hours in all.
    VisibilityTooLong,
    /// A queue and its dead-letter queue must be of one kind.
    OtherKind,
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "value out of range",
            Self::TimerOnFifo => "message timers are not for FIFO queues",
            Self::FifoIdsMissing => "a FIFO message needs a group and a deduplication id",
            Self::TooLarge => "the message is too large",
            Self::OverLimit => "too many messages in flight",
            Self::StaleReceipt => "the message was received again since",
            Self::NotInFlight => "the message is not in flight",
            Self::ExpiredReceipt => "the receipt has expired",
            Self::VisibilityTooLong => "more than 12 hours since the receive",
            Self::OtherKind => "a queue and its dead-letter queue must be of one kind",
        })
    }
}

impl std::error::Error for QueueError {}

/// Names a message within its queue; later messages have larger ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageId(pub u64);

/// Proof of one particular receive of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The message received.
    pub message: MessageId,
    /// Which receive of this queue it was, counted from 1.
    pub serial: u64,
}

/// A message in the queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<T> {
    /// Its name in this queue.
    pub id: MessageId,
    /// What it carries.
    pub body: T,
    /// Its message group (FIFO only).
    pub group: Option<String>,
    /// When retention started to count.
    pub enqueued_at_us: u64,
    /// From when it may be received.
    pub visible_at_us: u64,
    /// How often this queue has lent it out.
    pub receive_count: u32,
    /// The latest receive, if any: its serial and its time.
    latest_receive: Option<(u64, u64)>,
}

/// Where a message stands at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent with a delay that has not passed.
    Delayed,
    /// Waiting for a consumer.
    Visible,
    /// Lent to a consumer and hidden from the others.
    InFlight,
}

impl<T> Message<T> {
    /// Where the message stands.
    pub fn state(&self, now_us: u64) -> State {
        if self.visible_at_us <= now_us {
            State::Visible
        } else if self.latest_receive.is_some() {
            State::InFlight
        } else {
            State::Delayed
        }
    }

    /// The kind of queue that holds it: only FIFO messages have a group.
    pub fn kind(&self) -> Kind {
        if self.group.is_some() {
            Kind::Fifo
        } else {
            Kind::Standard
        }
    }

    /// The only receipt that can still delete this message, if it was ever received.
    pub fn latest_receipt(&self) -> Option<Receipt> {
        self.latest_receive.map(|(serial, _)| Receipt {
            message: self.id,
            serial,
        })
    }
}

/// What a producer may say about one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Message timer, overriding the queue's delay; standard queues only.
    pub timer_us: Option<u64>,
    /// Message group; FIFO queues only.
    pub group: Option<String>,
    /// Deduplication id; FIFO queues only.
    pub deduplication_id: Option<String>,
    /// Body and attributes together, in bytes.
    pub bytes: usize,
}

/// The answer to an accepted send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The message's id; for a duplicate, that of the first one.
    pub id: MessageId,
    /// Accepted but not delivered: its deduplication id was seen less than five minutes ago.
    pub duplicate: bool,
}

/// What a consumer gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Received<T> {
    /// Deletes the message, or changes how long it stays hidden.
    pub receipt: Receipt,
    /// A copy of what the message carries.
    pub body: T,
    /// How often this queue has lent it out, this time included.
    pub receive_count: u32,
    /// When retention started to count.
    pub enqueued_at_us: u64,
}

/// Totals since the queue was made; `arrived = deleted + expired + dead_lettered + purged + still held`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages put in: sent, moved in as dead letters, redriven.
    pub arrived: u64,
    /// Sends swallowed as duplicates.
    pub duplicates: u64,
    /// Deliveries to consumers, repeats included.
    pub received: u64,
    /// Receives that found nothing.
    pub empty_receives: u64,
    /// Acknowledged messages.
    pub deleted: u64,
    /// Messages dropped at the end of their retention.
    pub expired: u64,
    /// Messages put aside after too many receives.
    pub dead_lettered: u64,
    /// Messages dropped because somebody purged the queue.
    pub purged: u64,
}

/// The queue.
#[derive(Clone, Debug)]
pub struct MessageQueue<T> {
    settings: Settings,
    messages: BTreeMap<MessageId, Message<T>>,
    dead_letters: Vec<Message<T>>,
    /// Deduplication id to the moment it was first accepted and the message it named.
    seen: BTreeMap<String, (u64, MessageId)>,
    next_id: u64,
    next_serial: u64,
    /// The messages by age: a dead letter that moves in may be older than what stands before it.
    ages: BTreeSet<(u64, MessageId)>,
    totals: Totals,
}

impl<T: Clone> MessageQueue<T> {
    /// An empty queue.
    ///
    /// # Errors
    /// [`QueueError::OutOfRange`] if a setting lies outside its documented range.
    pub fn new(settings: Settings) -> Result<Self, QueueError> {
        let in_range = settings.visibility_timeout_us <= VISIBILITY_MAX_US
            && settings.delay_us <= DELAY_MAX_US
            && (RETENTION_MIN_US..=RETENTION_MAX_US).contains(&settings.retention_us)
            && settings.max_receive_count != Some(0);
        if !in_range {
            return Err(QueueError::OutOfRange);
        }
        Ok(Self {
            settings,
            messages: BTreeMap::new(),
            dead_letters: Vec::new(),
            seen: BTreeMap::new(),
            next_id: 1,
            next_serial: 1,
            ages: BTreeSet::new(),
            totals: Totals::default(),
        })
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Totals since the queue was made.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Every message held, oldest first, whatever its state.
    pub fn messages(&self) -> impl Iterator<Item = &Message<T>> {
        self.messages.values()
    }

    /// How many messages are held, in whatever state.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether no message is held.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// How many messages are in this state.
    pub fn count(&self, state: State, now_us: u64) -> usize {
        self.messages
            .values()
            .filter(|m| m.state(now_us) == state)
            .count()
    }

    /// The first moment after `now_us` at which a hidden message becomes visible by itself.
    pub fn next_visible_at_us(&self, now_us: u64) -> Option<u64> {
        self.messages
            .values()
            .map(|m| m.visible_at_us)
            .filter(|&at| at > now_us)
            .min()
    }

    /// Sets the visibility time-out of later receives.
    ///
    /// # Errors
    /// [`QueueError::OutOfRange`] above [`VISIBILITY_MAX_US`].
    pub fn set_visibility_timeout(&mut self, timeout_us: u64) -> Result<(), QueueError> {
        if timeout_us > VISIBILITY_MAX_US {
            return Err(QueueError::OutOfRange);
        }
        self.settings.visibility_timeout_us = timeout_us;
        Ok(())
    }

    /// Sets after how many receives the next one makes a message a dead letter; counts so far stay.
    ///
    /// # Errors
    /// [`QueueError::OutOfRange`] for 0.
    pub fn set_max_receive_count(&mut self, count_max: Option<u32>) -> Result<(), QueueError> {
        if count_max == Some(0) {
            return Err(QueueError::OutOfRange);
        }
        self.settings.max_receive_count = count_max;
        Ok(())
    }

    /// Sets the delay of later messages; on a FIFO queue also of those never received yet.
    ///
    /// # Errors
    /// [`QueueError::OutOfRange`] above [`DELAY_MAX_US`].
    pub fn set_delay(&mut self, delay_us: u64) -> Result<(), QueueError> {
        if delay_us > DELAY_MAX_US {
            return Err(QueueError::OutOfRange);
        }
        self.settings.delay_us = delay_us;
        if self.settings.kind == Kind::Fifo {
            for message in self
                .messages
                .values_mut()
                .filter(|m| m.latest_receive.is_none())
            {
                message.visible_at_us = message.enqueued_at_us.saturating_add(delay_us);
            }
        }
        Ok(())
    }

    /// Sets how long undeleted messages are kept, those that are here included.
    ///
    /// # Errors
    /// [`QueueError::OutOfRange`] outside [`RETENTION_MIN_US`] to [`RETENTION_MAX_US`].
    pub fn set_retention(&mut self, retention_us: u64) -> Result<(), QueueError> {
        if !(RETENTION_MIN_US..=RETENTION_MAX_US).contains(&retention_us) {
            return Err(QueueError::OutOfRange);
        }
        self.settings.retention_us = retention_us;
        Ok(())
    }

    /// Drops every message, lent or not (`PurgeQueue`). Returns how many.
    pub fn purge(&mut self) -> usize {
        let dropped = self.messages.len();
        self.messages.clear();
        self.ages.clear();
        self.totals.purged += dropped as u64;
        dropped
    }

    /// Puts a message in.
    ///
    /// # Errors
    /// [`QueueError::OutOfRange`] for a timer above [`DELAY_MAX_US`], [`QueueError::TooLarge`],
    /// [`QueueError::TimerOnFifo`], [`QueueError::FifoIdsMissing`].
    pub fn send(&mut self, now_us: u64, body: T, options: SendOptions) -> Result<Sent, QueueError> {
        self.expire(now_us);
        if options.timer_us.is_some_and(|timer| timer > DELAY_MAX_US) {
            return Err(QueueError::OutOfRange);
        }
        if options.bytes > MESSAGE_BYTES_MAX {
            return Err(QueueError::TooLarge);
        }
        let delay_us = options.timer_us.unwrap_or(self.settings.delay_us);
        if self.settings.kind == Kind::Standard {
            let id = self.insert(body, None, now_us, now_us.saturating_add(delay_us));
            return Ok(Sent {
                id,
                duplicate: false,
            });
        }
        if options.timer_us.is_some() {
            return Err(QueueError::TimerOnFifo);
        }
        let (Some(group), Some(deduplication_id)) = (options.group, options.deduplication_id)
        else {
            return Err(QueueError::FifoIdsMissing);
        };
        self.seen
            .retain(|_, (at, _)| now_us.saturating_sub(*at) < DEDUPLICATION_INTERVAL_US);
        if let Some(&(_, id)) = self.seen.get(&deduplication_id) {
            self.totals.duplicates += 1;
            return Ok(Sent {
                id,
                duplicate: true,
            });
        }
        let id = self.insert(body, Some(group), now_us, now_us.saturating_add(delay_us));
        self.seen.insert(deduplication_id, (now_us, id));
        Ok(Sent {
            id,
            duplicate: false,
        })
    }

    /// Lends up to `max_messages` visible messages, hiding each for `visibility_timeout_us` (default:
    /// the queue's). Returns at once, perhaps with nothing: this is a short poll; see [`LongPoll`].
    ///
    /// # Errors
    /// [`QueueError::OutOfRange`] unless `max_messages` is 1 to [`BATCH_MAX`] and the time-out is in
    /// range; [`QueueError::OverLimit`] on a standard queue with too many messages in flight.
    pub fn receive(
        &mut self,
        now_us: u64,
        max_messages: usize,
        visibility_timeout_us: Option<u64>,
    ) -> Result<Vec<Received<T>>, QueueError> {
        let timeout_us = visibility_timeout_us.unwrap_or(self.settings.visibility_timeout_us);
        if !(1..=BATCH_MAX).contains(&max_messages) || timeout_us > VISIBILITY_MAX_US {
            return Err(QueueError::OutOfRange);
        }
        self.expire(now_us);
        // A queue that holds fewer cannot have too many in flight, and counting them looks at every message.
        let in_flight = if self.messages.len() < IN_FLIGHT_MAX_FIFO {
            0
        } else {
            self.count(State::InFlight, now_us)
        };
        let room = match self.settings.kind {
            Kind::Standard if in_flight >= IN_FLIGHT_MAX_STANDARD => {
                return Err(QueueError::OverLimit);
            }
            Kind::Standard => IN_FLIGHT_MAX_STANDARD - in_flight,
            Kind::Fifo => IN_FLIGHT_MAX_FIFO.saturating_sub(in_flight),
        };
        // region: receive
        let blocked = self.blocked_groups(now_us);
        let mut batch = Vec::new();
        let mut from = Bound::Unbounded;
        while batch.len() < max_messages.min(room) {
            let Some(id) = self.next_receivable(now_us, from, &blocked) else {
                break;
            };
            from = Bound::Excluded(id);
            let Some(message) = self.messages.get_mut(&id) else {
                continue;
            };
            // The count is looked at on the way out: the receive that would exceed it moves the message.
            if self
                .settings
                .max_receive_count
                .is_some_and(|max| message.receive_count >= max)
            {
                self.totals.dead_lettered += 1;
                let letter = self.remove(id);
                self.dead_letters.extend(letter);
                continue;
            }
            message.receive_count += 1;
            message.latest_receive = Some((self.next_serial, now_us));
            message.visible_at_us = now_us.saturating_add(timeout_us);
            batch.push(Received {
                receipt: Receipt {
                    message: id,
                    serial: self.next_serial,
                },
                body: message.body.clone(),
                receive_count: message.receive_count,
                enqueued_at_us: message.enqueued_at_us,
            });
            self.next_serial += 1;
        }
        self.totals.received += batch.len() as u64;
        self.totals.empty_receives += u64::from(batch.is_empty());
        Ok(batch)
        // endregion
    }

    // region: delete
    /// Acknowledges: the message is gone. Deleting what is already gone succeeds.
    ///
    /// # Errors
    /// [`QueueError::StaleReceipt`] if the message was received again since;
    /// [`QueueError::ExpiredReceipt`] on a FIFO queue after the visibility time-out.
    pub fn delete(&mut self, now_us: u64, receipt: Receipt) -> Result<(), QueueError> {
        self.expire(now_us);
        let Some(message) = self.messages.get(&receipt.message) else {
            return Ok(());
        };
        if message.latest_receipt() != Some(receipt) {
            return Err(QueueError::StaleReceipt);
        }
        if self.settings.kind == Kind::Fifo && message.visible_at_us <= now_us {
            return Err(QueueError::ExpiredReceipt);
        }
        self.remove(receipt.message);
        self.totals.deleted += 1;
        Ok(())
    }
    // endregion

    /// Restarts the visibility time-out of this receive, counting from now; 0 gives the message back.
    ///
    /// # Errors
    /// [`QueueError::OutOfRange`], [`QueueError::NotInFlight`], [`QueueError::StaleReceipt`], and
    /// [`QueueError::VisibilityTooLong`] if the receive would last more than 12 hours in all.
    pub fn change_visibility(
        &mut self,
        now_us: u64,
        receipt: Receipt,
        timeout_us: u64,
    ) -> Result<(), QueueError> {
        if timeout_us > VISIBILITY_MAX_US {
            return Err(QueueError::OutOfRange);
        }
        self.expire(now_us);
        let message = self
            .messages
            .get_mut(&receipt.message)
            .ok_or(QueueError::NotInFlight)?;
        let (serial, received_at_us) = message.latest_receive.ok_or(QueueError::NotInFlight)?;
        if serial != receipt.serial {
            return Err(QueueError::StaleReceipt);
        }
        if message.visible_at_us <= now_us {
            return Err(QueueError::NotInFlight);
        }
        let visible_at_us = now_us.saturating_add(timeout_us);
        if visible_at_us.saturating_sub(received_at_us) > VISIBILITY_MAX_US {
            return Err(QueueError::VisibilityTooLong);
        }
        message.visible_at_us = visible_at_us;
        Ok(())
    }

    /// Takes the messages put aside since the last call, to be handed to the dead-letter queue.
    pub fn take_dead_letters(&mut self) -> Vec<Message<T>> {
        std::mem::take(&mut self.dead_letters)
    }

    /// Accepts a message moved here from another queue because it could not be processed.
    ///
    /// A standard queue keeps its enqueue time, so time spent in the source counts against the
    /// retention here; a FIFO queue starts it anew.
    ///
    /// # Errors
    /// [`QueueError::OtherKind`] if it comes from a queue of the other kind, with the message.
    pub fn accept_dead_letter(
        &mut self,
        now_us: u64,
        letter: Message<T>,
    ) -> Result<MessageId, (QueueError, Box<Message<T>>)> {
        if letter.kind() != self.settings.kind {
            return Err((QueueError::OtherKind, Box::new(letter)));
        }
        let enqueued_at_us = match self.settings.kind {
            Kind::Standard => letter.enqueued_at_us,
            Kind::Fifo => now_us,
        };
        let id = self.insert(letter.body, letter.group, enqueued_at_us, now_us);
        self.expire(now_us);
        Ok(id)
    }

    /// Moves up to `max_messages` visible messages of a dead-letter queue back here as new messages:
    /// new ids, new enqueue times, no receives. Returns how many moved.
    ///
    /// # Errors
    /// [`QueueError::OtherKind`] if the queues are not of one kind.
    pub fn redrive_from(
        &mut self,
        now_us: u64,
        dead_letter_queue: &mut Self,
        max_messages: usize,
    ) -> Result<usize, QueueError> {
        if dead_letter_queue.settings.kind != self.settings.kind {
            return Err(QueueError::OtherKind);
        }
        dead_letter_queue.expire(now_us);
        let ids: Vec<_> = dead_letter_queue
            .receivable(now_us)
            .into_iter()
            .take(max_messages)
            .collect();
        let mut moved = 0;
        for id in ids {
            if let Some(message) = dead_letter_queue.remove(id) {
                dead_letter_queue.totals.deleted += 1;
                self.insert(message.body, message.group, now_us, now_us);
                moved += 1;
            }
        }
        Ok(moved)
    }

    /// When the oldest message will have outlived its retention, if there is one.
    pub fn next_expiry_at_us(&self) -> Option<u64> {
        let (enqueued_at_us, _) = self.ages.first()?;
        Some(enqueued_at_us.saturating_add(self.settings.retention_us))
    }

    /// Drops what has outlived its retention; every other call does this first. Returns how many.
    pub fn expire(&mut self, now_us: u64) -> usize {
        self.take_expired(now_us).len()
    }

    /// As [`MessageQueue::expire`], to see what was dropped: the oldest first.
    pub fn take_expired(&mut self, now_us: u64) -> Vec<Message<T>> {
        let mut dropped = Vec::new();
        // A long queue drops one message at a time, so what stays must not be looked at each time.
        while let Some(&(enqueued_at_us, id)) = self.ages.first() {
            if now_us.saturating_sub(enqueued_at_us) < self.settings.retention_us {
                break;
            }
            dropped.extend(self.remove(id));
        }
        self.totals.expired += dropped.len() as u64;
        dropped
    }

    fn remove(&mut self, id: MessageId) -> Option<Message<T>> {
        let message = self.messages.remove(&id)?;
        self.ages.remove(&(message.enqueued_at_us, id));
        Some(message)
    }

    fn insert(
        &mut self,
        body: T,
        group: Option<String>,
        enqueued_at_us: u64,
        visible_at_us: u64,
    ) -> MessageId {
        let id = MessageId(self.next_id);
        self.next_id += 1;
        self.totals.arrived += 1;
        self.ages.insert((enqueued_at_us, id));
        let message = Message {
            id,
            body,
            group,
            enqueued_at_us,
            visible_at_us,
            receive_count: 0,
            latest_receive: None,
        };
        self.messages.insert(id, message);
        id
    }

    /// The message groups of a FIFO queue that give nothing: a later message must not overtake one in flight.
    fn blocked_groups(&self, now_us: u64) -> BTreeSet<Option<String>> {
        if self.settings.kind == Kind::Standard {
            return BTreeSet::new();
        }
        let hidden = self.messages.values().filter(|m| m.visible_at_us > now_us);
        hidden
            .filter(|m| m.latest_receive.is_some())
            .map(|m| m.group.clone())
            .collect()
    }

    /// The first message beyond `from` that a receive may take.
    fn next_receivable(
        &self,
        now_us: u64,
        from: Bound<MessageId>,
        blocked: &BTreeSet<Option<String>>,
    ) -> Option<MessageId> {
        self.messages
            .range((from, Bound::Unbounded))
            .find(|(_, m)| m.visible_at_us <= now_us && !blocked.contains(&m.group))
            .map(|(id, _)| *id)
    }

    /// What a receive may take, in order.
    fn receivable(&self, now_us: u64) -> Vec<MessageId> {
        let blocked = self.blocked_groups(now_us);
        let visible = self.messages.values().filter(|m| m.visible_at_us <= now_us);
        visible
            .filter(|m| !blocked.contains(&m.group))
            .map(|m| m.id)
            .collect()
    }
}

/// A receive that waits for a message instead of answering with nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongPoll {
    begun_us: u64,
    deadline_us: u64,
}

/// What a look at the queue during a long poll found.
#[derive(Clone, Debug, PartialEq)]
pub enum PollOutcome<T> {
    /// The poll is over: with messages, or with none at its deadline.
    Done(Vec<Received<T>>),
    /// Nothing yet. Look again at this moment, or sooner if a message is sent or deleted.
    Waiting {
        /// When waiting on makes a difference by itself.
        until_us: u64,
    },
}

impl LongPoll {
    /// Starts waiting; `wait_us` 0 is a short poll.
    ///
    /// # Errors
    /// [`QueueError::OutOfRange`] above [`WAIT_MAX_US`].
    pub fn new(now_us: u64, wait_us: u64) -> Result<Self, QueueError> {
        if wait_us > WAIT_MAX_US {
            return Err(QueueError::OutOfRange);
        }
        Ok(Self {
            begun_us: now_us,
            deadline_us: now_us.saturating_add(wait_us),
        })
    }

    /// When the wait ends empty-handed.
    pub fn deadline_us(&self) -> u64 {
        self.deadline_us
    }

    /// Looks: answers as soon as there is a message, or with nothing once the wait is over. A queue
    /// that has too many in flight is waited for like an empty one.
    ///
    /// # Errors
    /// Those of [`MessageQueue::receive`]; [`QueueError::OverLimit`] only of a short poll, as a long one
    /// ends empty-handed instead.
    pub fn look<T: Clone>(
        &self,
        now_us: u64,
        queue: &mut MessageQueue<T>,
        max_messages: usize,
    ) -> Result<PollOutcome<T>, QueueError> {
        // Looking while waiting is not a request of its own, so it must not count as an empty receive.
        let empty_before = queue.totals.empty_receives;
        let batch = match queue.receive(now_us, max_messages, None) {
            Err(QueueError::OverLimit) if !self.is_short() => {
                queue.totals.empty_receives += 1;
                Vec::new()
            }
            answer => answer?,
        };
        if batch.is_empty() && now_us < self.deadline_us {
            queue.totals.empty_receives = empty_before;
            let next = queue.next_visible_at_us(now_us).unwrap_or(u64::MAX);
            return Ok(PollOutcome::Waiting {
                until_us: next.min(self.deadline_us),
            });
        }
        Ok(PollOutcome::Done(batch))
    }

    /// Whether it never waits.
    pub fn is_short(&self) -> bool {
        self.deadline_us == self.begun_us
    }
}

/// Share of receives that come back empty when messages arrive as a Poisson stream and each receive
/// takes all that came in the `window_s` before it: the polling interval of short polls, the wait of
/// a long poll.
pub fn empty_receive_share(arrivals_per_s: f64, window_s: f64) -> f64 {
    libm::exp(-arrivals_per_s * window_s)
}

/// Mean duration of a long poll on an empty queue with Poisson arrivals: it ends at the first
/// arrival or after `wait_s`.
pub fn long_poll_mean_s(arrivals_per_s: f64, wait_s: f64) -> f64 {
    if arrivals_per_s <= 0.0 {
        return wait_s;
    }
    -libm::expm1(-arrivals_per_s * wait_s) / arrivals_per_s
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> u64 {
        seconds * SECOND_US
    }

    fn standard(change: impl FnOnce(&mut Settings)) -> MessageQueue<u32> {
        let mut settings = Settings::new(Kind::Standard);
        change(&mut settings);
        MessageQueue::new(settings).expect("settings in range")
    }

    fn send_fifo(queue: &mut MessageQueue<u32>, now_us: u64, body: u32, group: &str) -> Sent {
        let options = SendOptions {
            group: Some(group.into()),
            deduplication_id: Some(body.to_string()),
            ..SendOptions::default()
        };
        queue
            .send(now_us, body, options)
            .expect("complete FIFO message")
    }

    fn bodies(batch: &[Received<u32>]) -> Vec<u32> {
        batch.iter().map(|r| r.body).collect()
    }

    #[test]
    fn a_late_acknowledgement_after_redelivery_is_refused() {
        let mut queue = standard(|_| ());
        queue.send(0, 7, SendOptions::default()).unwrap();
        let first = queue.receive(0, 1, None).unwrap().remove(0);
        assert!(queue.receive(s(29), 1, None).unwrap().is_empty());
        let second = queue.receive(s(30), 1, None).unwrap().remove(0);
        assert_eq!(
            queue.delete(s(31), first.receipt),
            Err(QueueError::StaleReceipt)
        );
        assert_eq!(queue.delete(s(31), second.receipt), Ok(()));
        assert_eq!(
            queue.delete(s(31), second.receipt),
            Ok(()),
            "deleting twice is harmless"
        );
        assert_eq!(queue.totals().deleted, 1);
    }

    #[test]
    fn a_standard_receipt_deletes_after_its_timeout_a_fifo_one_does_not() {
        let mut queue = standard(|_| ());
        queue.send(0, 1, SendOptions::default()).unwrap();
        let lent = queue.receive(0, 1, None).unwrap().remove(0);
        assert_eq!(queue.delete(s(60), lent.receipt), Ok(()));
        let mut fifo = MessageQueue::new(Settings::new(Kind::Fifo)).unwrap();
        send_fifo(&mut fifo, 0, 1, "a");
        let lent = fifo.receive(0, 1, None).unwrap().remove(0);
        assert_eq!(
            fifo.delete(s(60), lent.receipt),
            Err(QueueError::ExpiredReceipt)
        );
    }

    #[test]
    fn a_fifo_group_waits_for_its_message_in_flight() {
        let mut queue = MessageQueue::new(Settings::new(Kind::Fifo)).unwrap();
        for (body, group) in [(1, "a"), (2, "a"), (3, "b")] {
            send_fifo(&mut queue, 0, body, group);
        }
        let first = queue.receive(0, 1, None).unwrap();
        assert_eq!(bodies(&first), [1]);
        assert_eq!(
            bodies(&queue.receive(0, 10, None).unwrap()),
            [3],
            "group a is blocked"
        );
        queue.delete(s(1), first[0].receipt).unwrap();
        assert_eq!(bodies(&queue.receive(s(1), 10, None).unwrap()), [2]);
    }

    #[test]
    fn a_fifo_batch_given_back_in_part_keeps_its_order() {
        let mut queue = MessageQueue::new(Settings::new(Kind::Fifo)).unwrap();
        send_fifo(&mut queue, 0, 1, "a");
        send_fifo(&mut queue, 0, 2, "a");
        let batch = queue.receive(0, 10, None).unwrap();
        queue.change_visibility(s(1), batch[0].receipt, 0).unwrap();
        assert!(
            queue.receive(s(1), 10, None).unwrap().is_empty(),
            "2 is still in flight"
        );
        assert_eq!(bodies(&queue.receive(s(30), 10, None).unwrap()), [1, 2]);
    }

    #[test]
    fn delay_changes_reach_back_on_fifo_only() {
        let mut fifo = MessageQueue::new(Settings::new(Kind::Fifo)).unwrap();
        send_fifo(&mut fifo, 0, 1, "a");
        fifo.set_delay(s(60)).unwrap();
        assert_eq!(fifo.messages().next().unwrap().visible_at_us, s(60));
        let mut plain = standard(|_| ());
        plain.send(0, 1, SendOptions::default()).unwrap();
        plain.set_delay(s(60)).unwrap();
        assert_eq!(plain.messages().next().unwrap().visible_at_us, 0);
    }

    #[test]
    fn nothing_is_lost_between_source_and_dead_letter_queue() {
        let mut source = standard(|s| s.max_receive_count = Some(2));
        let mut graveyard = standard(|_| ());
        for body in 0..25 {
            source.send(0, body, SendOptions::default()).unwrap();
        }
        for round in 0..6 {
            let now_us = s(30 * round);
            for lent in source.receive(now_us, BATCH_MAX, None).unwrap() {
                if lent.body % 3 == 0 {
                    source.delete(now_us, lent.receipt).unwrap();
                }
            }
            for letter in source.take_dead_letters() {
                assert_eq!(letter.receive_count, 2);
                graveyard.accept_dead_letter(now_us, letter).unwrap();
            }
        }
        let totals = source.totals();
        assert!(totals.dead_lettered > 0 && totals.deleted > 0);
        assert_eq!(
            totals.arrived,
            totals.deleted + totals.expired + totals.dead_lettered + source.len() as u64
        );
        assert_eq!(graveyard.totals().arrived, totals.dead_lettered);
        let held = graveyard.len();
        assert_eq!(
            source.redrive_from(s(300), &mut graveyard, usize::MAX),
            Ok(held)
        );
        assert!(graveyard.is_empty());
    }

    #[test]
    fn a_lower_receive_count_reaches_back() {
        let mut queue = standard(|s| s.visibility_timeout_us = 0);
        queue.send(0, 1, SendOptions::default()).unwrap();
        queue.receive(0, 1, None).unwrap();
        assert_eq!(
            queue.set_max_receive_count(Some(0)),
            Err(QueueError::OutOfRange)
        );
        queue.set_max_receive_count(Some(1)).unwrap();
        assert!(queue.receive(1, 1, None).unwrap().is_empty());
        assert_eq!(queue.take_dead_letters().len(), 1);
    }

    #[test]
    fn retention_drops_even_what_is_in_flight() {
        let mut queue = standard(|s| s.retention_us = RETENTION_MIN_US);
        queue.send(0, 1, SendOptions::default()).unwrap();
        queue.receive(s(50), 1, None).unwrap();
        assert_eq!(queue.expire(s(59)), 0);
        assert_eq!(queue.expire(s(60)), 1);
        assert_eq!(queue.totals().expired, 1);
    }

    #[test]
    fn retention_drops_by_age_and_not_by_place() {
        let mut source = standard(|s| s.max_receive_count = Some(1));
        source.send(0, 1, SendOptions::default()).unwrap();
        source.receive(0, 1, Some(0)).unwrap();
        source.receive(s(1), 1, None).unwrap();
        let mut dead = standard(|s| s.retention_us = RETENTION_MIN_US);
        dead.send(s(30), 2, SendOptions::default()).unwrap();
        for letter in source.take_dead_letters() {
            dead.accept_dead_letter(s(40), letter).unwrap();
        }
        dead.send(s(50), 3, SendOptions::default()).unwrap();
        let left = |dead: &MessageQueue<u32>| dead.messages().map(|m| m.body).collect::<Vec<_>>();
        assert_eq!(left(&dead), [2, 1, 3]);
        assert_eq!(dead.expire(s(59)), 0);
        assert_eq!(dead.expire(s(60)), 1);
        assert_eq!(left(&dead), [2, 3]);
        let first = dead.receive(s(70), 1, None).unwrap().remove(0);
        dead.delete(s(70), first.receipt).unwrap();
        assert_eq!((dead.expire(s(109)), dead.expire(s(110))), (0, 1));
        assert!(dead.is_empty());
    }

    #[test]
    fn what_is_purged_or_outlived_is_counted_and_told() {
        let mut queue = standard(|s| s.retention_us = 2 * RETENTION_MIN_US);
        for body in 1..=3 {
            queue
                .send(s(u64::from(body)), body, SendOptions::default())
                .unwrap();
        }
        assert_eq!(queue.next_expiry_at_us(), Some(s(121)));
        queue.set_retention(RETENTION_MIN_US).unwrap();
        assert_eq!(queue.next_expiry_at_us(), Some(s(61)));
        assert!(queue.set_retention(RETENTION_MIN_US - 1).is_err());
        let told: Vec<u32> = queue.take_expired(s(62)).iter().map(|m| m.body).collect();
        assert_eq!(told, [1, 2]);
        queue.receive(s(62), 1, None).unwrap();
        assert_eq!(queue.purge(), 1);
        let totals = queue.totals();
        assert_eq!((totals.arrived, totals.expired, totals.purged), (3, 2, 1));
        assert!(queue.is_empty() && queue.next_expiry_at_us().is_none());
    }

    #[test]
    fn arguments_out_of_range_are_errors() {
        let mut queue = standard(|_| ());
        assert_eq!(queue.receive(0, 0, None), Err(QueueError::OutOfRange));
        assert_eq!(queue.receive(0, 11, None), Err(QueueError::OutOfRange));
        let timer = SendOptions {
            timer_us: Some(DELAY_MAX_US + 1),
            ..SendOptions::default()
        };
        assert_eq!(queue.send(0, 1, timer), Err(QueueError::OutOfRange));
        assert!(LongPoll::new(0, WAIT_MAX_US + 1).is_err());
        let settings = Settings {
            max_receive_count: Some(0),
            ..Settings::new(Kind::Standard)
        };
        assert!(MessageQueue::<u32>::new(settings).is_err());
    }

    #[test]
    fn a_long_poll_over_the_limit_ends_empty_handed_and_a_short_one_errs() {
        let mut queue = standard(|_| ());
        for body in 0..=IN_FLIGHT_MAX_STANDARD as u32 {
            queue.send(0, body, SendOptions::default()).unwrap();
        }
        // All but one are lent, without the time that so many receives would take.
        let lent = queue.messages.values_mut().take(IN_FLIGHT_MAX_STANDARD);
        for (serial, message) in (1..).zip(lent) {
            message.latest_receive = Some((serial, 0));
            message.visible_at_us = s(30);
        }
        assert_eq!(queue.count(State::InFlight, 0), IN_FLIGHT_MAX_STANDARD);
        assert_eq!(queue.receive(0, 1, None), Err(QueueError::OverLimit));
        let short = LongPoll::new(1, 0).unwrap();
        assert_eq!(short.look(1, &mut queue, 1), Err(QueueError::OverLimit));
        let long = LongPoll::new(1, s(5)).unwrap();
        let until_us = long.deadline_us();
        assert_eq!(
            long.look(1, &mut queue, 1),
            Ok(PollOutcome::Waiting { until_us })
        );
        assert_eq!(queue.totals().empty_receives, 0);
        assert_eq!(
            long.look(until_us, &mut queue, 1),
            Ok(PollOutcome::Done(Vec::new()))
        );
        assert_eq!(queue.totals().empty_receives, 1);
        let patient = LongPoll::new(s(12), WAIT_MAX_US).unwrap();
        assert_eq!(
            patient.look(s(12), &mut queue, 1),
            Ok(PollOutcome::Waiting { until_us: s(30) })
        );
        let Ok(PollOutcome::Done(batch)) = patient.look(s(30), &mut queue, 1) else {
            panic!("there is room again")
        };
        assert_eq!(batch.len(), 1);
    }

    #[test]
    fn dead_letters_go_only_to_a_queue_of_their_kind() {
        let mut settings = Settings::new(Kind::Fifo);
        settings.max_receive_count = Some(1);
        settings.visibility_timeout_us = 0;
        let mut fifo = MessageQueue::new(settings).unwrap();
        send_fifo(&mut fifo, 0, 1, "a");
        fifo.receive(0, 1, None).unwrap();
        fifo.receive(0, 1, None).unwrap();
        let letter = fifo.take_dead_letters().remove(0);
        let mut plain = standard(|_| ());
        let (error, letter) = plain.accept_dead_letter(0, letter).unwrap_err();
        assert_eq!(error, QueueError::OtherKind);
        assert!(plain.is_empty());
        let mut dead = MessageQueue::new(Settings::new(Kind::Fifo)).unwrap();
        dead.accept_dead_letter(0, *letter).unwrap();
        assert_eq!(
            plain.redrive_from(0, &mut dead, 1),
            Err(QueueError::OtherKind)
        );
        assert_eq!(fifo.redrive_from(0, &mut dead, 1), Ok(1));
        let mut source = standard(|s| {
            s.max_receive_count = Some(1);
            s.visibility_timeout_us = 0;
        });
        source.send(0, 2, SendOptions::default()).unwrap();
        source.receive(0, 1, None).unwrap();
        source.receive(0, 1, None).unwrap();
        let letter = source.take_dead_letters().remove(0);
        assert!(dead.accept_dead_letter(0, letter).is_err());
    }

    #[test]
    fn a_message_may_be_as_large_as_the_limit() {
        let mut queue = standard(|_| ());
        let sized = |bytes| SendOptions {
            bytes,
            ..SendOptions::default()
        };
        assert!(queue.send(0, 1, sized(MESSAGE_BYTES_MAX)).is_ok());
        assert_eq!(
            queue.send(0, 1, sized(MESSAGE_BYTES_MAX + 1)),
            Err(QueueError::TooLarge)
        );
    }

    #[test]
    fn a_long_poll_wakes_when_a_delay_ends() {
        let mut queue = standard(|s| s.delay_us = 5 * SECOND_US);
        queue.send(0, 9, SendOptions::default()).unwrap();
        let poll = LongPoll::new(0, WAIT_MAX_US).unwrap();
        assert_eq!(
            poll.look(0, &mut queue, 1).unwrap(),
            PollOutcome::Waiting { until_us: s(5) }
        );
        let PollOutcome::Done(batch) = poll.look(s(5), &mut queue, 1).unwrap() else {
            panic!("the delay is over")
        };
        assert_eq!(bodies(&batch), [9]);
        assert_eq!(queue.totals().empty_receives, 0);
    }
}
