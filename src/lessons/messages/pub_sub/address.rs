//! Push to an address: the topic keeps an account of each copy until it is answered, and tries again.

use super::model::{Copy, Cx, Event, HOP, Market, Place, buffer, count, link, name};
use super::settings::{Push, Settings};
use super::subscriber::{Lost, SUBSCRIBERS};
use algorithms::topic::{AfterFailure, Delivery, DeliveryId};
use engine::{Arg, Note, Time, Tone};
use kit::flow::{Key, Leg};

/// An address that gives no answer for so long has failed; a tenth of the 15 s of the service.
const NO_ANSWER: Time = Time::ms(1_500);

impl Market {
    /// An address answers that it has a copy.
    pub(super) fn say_yes(&mut self, i: usize, copy: &Copy, delivery: DeliveryId, cx: Cx<'_, '_>) {
        if self.lose_answer == Some(i) {
            self.lose_answer = None;
            let note = Note::new("answer-lost")
                .with(count(copy.price))
                .with(name(i));
            cx.say(note.about(link(i)).dot(copy.price).mark(Tone::Bad));
            cx.schedule(NO_ANSWER, Event::NoAnswer(i, delivery));
            return;
        }
        let answer = self.copies.insert(Copy {
            place: Place::Travels(Leg::new((), cx.now(), HOP, true)),
            ..copy.clone()
        });
        cx.schedule(HOP, Event::Due(answer));
    }

    /// The topic hears what became of a push.
    pub(super) fn told(&mut self, key: Key, copy: &Copy, cx: Cx<'_, '_>) {
        self.take(key);
        let (Some(delivery), Some(subscription)) =
            (copy.delivery, self.subscribers[copy.to].subscription)
        else {
            return;
        };
        if copy.failed {
            self.push_failed(copy.to, delivery, copy.price, cx);
        } else {
            self.topic.succeeded(subscription, delivery);
        }
        self.pump(cx);
    }

    pub(super) fn push_failed(
        &mut self,
        i: usize,
        delivery: DeliveryId,
        number: u32,
        cx: Cx<'_, '_>,
    ) {
        let Some(subscription) = self.subscribers[i].subscription else {
            return;
        };
        let after = self.topic.failed(cx.now().0, subscription, delivery);
        let note = |word| Note::new(word).with(count(number)).with(name(i));
        match after {
            // Of a subscription that has ended.
            None => self.lose(i, number, Lost::GivenUp, cx),
            Some(AfterFailure::RetryAt { due_at_us }) => {
                let left = Time(due_at_us).since(cx.now());
                let note = note("tries-again").with(Arg::Span(left)).about(buffer(i));
                self.subscribers[i].cause = cx.say(note.dot(number));
            }
            Some(AfterFailure::DeadLettered) => {
                cx.say(
                    note("dead-letter")
                        .about(buffer(i))
                        .dot(number)
                        .mark(Tone::Warn),
                );
                self.lose(i, number, Lost::Dead, cx);
            }
            Some(AfterFailure::Discarded) => {
                cx.say(
                    note("given-up")
                        .about(buffer(i))
                        .dot(number)
                        .mark(Tone::Bad),
                );
                self.lose(i, number, Lost::GivenUp, cx);
            }
        }
    }

    /// Begins every push that is due, and comes back for the next.
    pub(super) fn pump(&mut self, cx: Cx<'_, '_>) {
        let (now, cause) = (cx.now(), cx.cause());
        for i in 0..SUBSCRIBERS {
            let Some(subscription) = self.subscribers[i].subscription else {
                continue;
            };
            while let Some(delivery) = self.topic.begin_push(now.0, subscription) {
                let key = self.copies.insert(Copy {
                    price: delivery.body,
                    to: i,
                    place: Place::Waits,
                    delivery: Some(delivery.id),
                    failed: false,
                    cause,
                });
                self.send(key, cx);
            }
        }
        if let Some(due) = self.topic.next_due_at_us().map(Time)
            && self.push_at.is_none_or(|at| due < at || at <= now)
        {
            self.push_at = Some(due);
            cx.schedule(due.since(now), Event::Push);
        }
    }

    /// What each subscriber asks of the topic has changed.
    pub(super) fn subscribe(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        for i in 0..SUBSCRIBERS {
            let wants = knobs.subscription(i);
            let known = self.subscribers[i].subscription;
            let same = known.and_then(|id| self.topic.subscription(id));
            // Over connections nobody is asked for terms; what an address was promised before still holds.
            let asked = self.subscribers[i].joined && self.push != Push::Connection;
            if !asked || same.is_some_and(|one| *one.settings() == wants) {
                continue;
            }
            // What was on its way under the old terms is given up.
            let old = known.and_then(|id| self.topic.unsubscribe(id));
            // What is under way will arrive, or fail and not be tried again.
            let rests = |delivery: &&Delivery<u32>| delivery.due_at_us.is_some();
            for delivery in old.iter().flat_map(|old| old.pending()).filter(rests) {
                self.lose(i, delivery.body, Lost::GivenUp, cx);
            }
            self.subscribers[i].subscription = self.topic.subscribe(wants).ok();
        }
    }
}
