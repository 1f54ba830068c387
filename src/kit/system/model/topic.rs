//! Topics: what is published is copied to each who subscribes and pushed there, again and again where it fails.

use super::{Event, System, count};
use crate::flow::Key;
use crate::system::frame::{Frame, Reason};
use crate::system::kept::Kept;
use crate::system::ledger::Count;
use crate::system::plan::{Kind, Subscription};
use crate::system::script::Cx;
use crate::system::shelf::Letter;
use crate::system::state::Live;
use crate::system::topic::{CLASS, Fan, Flight, Subscriber, settings};
use algorithms::topic::{AfterFailure, Attributes, Scalar};
use engine::{Arg, Note, Time, Tone};

impl Live {
    /// What it keeps, if it is a topic.
    pub fn fan(&self) -> Option<&Fan> {
        self.kept.as_ref()?.of()
    }
}

impl System {
    fn fan_mut(&mut self, node: u16) -> Option<&mut Fan> {
        self.live_mut(node)?.kept.as_mut()?.of_mut()
    }

    /// Makes a topic follow the plan: who subscribes no longer gets nothing more, and what was on its way there is lost.
    pub(in crate::system) fn set_up_topic(&mut self, node: u16, cx: Cx<'_, '_>) {
        let Some(live) = self.live_mut(node) else {
            return;
        };
        let Kind::Topic(topic) = &live.node.kind else {
            return;
        };
        let rules: Vec<Subscription> = topic.subscriptions.clone();
        if live.fan().is_none() {
            live.kept = Some(Kept::new(Fan::new()));
        }
        let Some(fan) = self.fan_mut(node) else {
            return;
        };
        let mut before = std::mem::take(&mut fan.subscribers);
        for rule in rules {
            let place = before.iter().position(|it| it.rule.over == rule.over);
            let known = place.map(|place| before.swap_remove(place));
            let subscriber = match known {
                Some(mut known) => {
                    if known.rule != rule {
                        // A plan without faults has rules that are taken.
                        let _ = fan.topic.set(known.id, settings(&rule));
                        known.rule = rule;
                    }
                    Some(known)
                }
                None => fan.topic.subscribe(settings(&rule)).ok().map(|id| {
                    let dead = Vec::new();
                    Subscriber { rule, dead, id }
                }),
            };
            fan.subscribers.extend(subscriber);
        }
        for gone in before {
            self.unsubscribe(node, &gone, cx);
        }
        self.look_at_topic(node, None, cx);
    }

    /// What is on its way to one who subscribes no longer is lost.
    fn unsubscribe(&mut self, node: u16, gone: &Subscriber, cx: Cx<'_, '_>) {
        let Some(fan) = self.fan_mut(node) else {
            return;
        };
        let lost = fan.topic.unsubscribe(gone.id);
        let lost = lost.map_or(0, |it| it.pending().len());
        let ours = |flight: &Flight| flight.to == gone.id;
        let flights: Vec<Flight> = fan.flights.iter().copied().filter(ours).collect();
        fan.flights.retain(|flight| !ours(flight));
        for flight in flights {
            if let Some(frame) = self.frames.get_mut(flight.key) {
                frame.left = true;
            }
        }
        if lost == 0 {
            return;
        }
        let part = self.part_of(node, 0);
        if let Some(live) = self.live_mut(node) {
            (0..lost).for_each(|_| live.row.add(Count::Lost));
        }
        let note = Note::new("unsubscribed")
            .with(Arg::Count(lost as i64))
            .with(Arg::Part(part));
        self.say(note.about(part).mark(Tone::Bad), cx);
    }

    /// A topic forgets what is on its way.
    pub(in crate::system) fn purge_topic(&mut self, node: u16, cx: Cx<'_, '_>) {
        let Some(fan) = self.fan_mut(node) else {
            return;
        };
        let before = std::mem::take(&mut fan.subscribers);
        for gone in &before {
            self.unsubscribe(node, gone, cx);
        }
        self.set_up_topic(node, cx);
    }

    // region: publish
    /// A call has reached a topic: its message is copied to who wants it, and the caller knows that.
    pub(in crate::system) fn publish(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, node, draw) = (frame.number, frame.node, frame.draw);
        let mut letter = Letter {
            number,
            draw,
            stored: now,
            note: frame.note,
        };
        let all = self
            .fan_mut(node)
            .map_or(0, |fan| fan.topic.subscriptions().count());
        let class = vec![Scalar::Number(f64::from(draw.class))];
        let attributes: Attributes = [(CLASS.to_owned(), class)].into();
        let part = self.part_of(node, 0);
        let wanted = |subscriber: &Subscriber| {
            let filter = settings(&subscriber.rule).filter;
            filter.is_none_or(|filter| filter.accepts(&attributes))
        };
        let copies = self.live(node).and_then(Live::fan).map_or(0, |fan| {
            fan.subscribers().iter().filter(|it| wanted(it)).count()
        });
        let args = [count(number), Arg::Part(part), Arg::Count(copies as i64)];
        letter.note = self.tell("published", args, (part, number), cx);
        if let Some(fan) = self.fan_mut(node) {
            fan.topic.publish(now.0, &letter, &attributes);
        }
        if let Some(live) = self.live_mut(node) {
            live.row.add(Count::Done);
            (0..copies).for_each(|_| live.row.add(Count::Copied));
            (copies..all).for_each(|_| live.row.add(Count::Filtered));
            if let Some(member) = live.members.get_mut(0) {
                member.own.row.add(Count::Done);
            }
        }
        if let Some(frame) = self.frames.get_mut(key) {
            frame.note = letter.note;
        }
        self.give_back(key, cx);
        self.look_at_topic(node, None, cx);
    }
    // endregion

    /// Begins the pushes that are due, and sees to it that somebody looks when the next one is.
    pub(in crate::system) fn look_at_topic(
        &mut self,
        node: u16,
        turn: Option<u32>,
        cx: Cx<'_, '_>,
    ) {
        let Some(fan) = self.fan_mut(node) else {
            return;
        };
        if turn.is_some_and(|turn| turn != fan.turn) {
            return;
        }
        if turn.is_some() {
            fan.look_at = Time::NEVER;
        }
        if !self.is_away(node) {
            let cause = cx.cause();
            while self.push_next(node, cx) {}
            cx.because(cause);
        }
        let down = self.is_away(node);
        let Some(fan) = self.fan_mut(node) else {
            return;
        };
        let next = fan.topic.next_due_at_us().filter(|_| !down);
        let next = next.map_or(Time::NEVER, |at| Time(at.max(cx.now().0)));
        if next != fan.look_at {
            fan.look_at = next;
            fan.turn += 1;
            let turn = fan.turn;
            if next != Time::NEVER {
                cx.schedule(next.since(cx.now()), Event::Kept { node, turn });
            }
        }
    }

    /// Whether a topic pushes nothing and hears nothing: it is down. One that the plan names no longer pushes what it has.
    fn is_away(&self, node: u16) -> bool {
        let member = self.live(node).and_then(|live| live.members.get(0));
        member.is_none_or(|member| member.down.is_some())
    }

    /// Begins one push that is due; false if there is none.
    fn push_next(&mut self, node: u16, cx: Cx<'_, '_>) -> bool {
        let now = cx.now();
        let Some(fan) = self.fan_mut(node) else {
            return false;
        };
        let Fan {
            topic, subscribers, ..
        } = fan;
        let mut all = subscribers.iter();
        let Some((id, over, timeout, delivery)) = all.find_map(|it| {
            let delivery = topic.begin_push(now.0, it.id)?;
            Some((it.id, it.rule.over, it.rule.timeout, delivery))
        }) else {
            return false;
        };
        let letter = delivery.body;
        let again = delivery.attempts.saturating_sub(1);
        let key = self.insert(Frame {
            number: letter.number,
            draw: letter.draw,
            copy: true,
            // Each try meets its own chance.
            path: delivery.attempts,
            nth: again.min(255) as u8,
            note: letter.note,
            ..Frame::at_rest(node, now)
        });
        if let Some(fan) = self.fan_mut(node) {
            fan.flights.push(Flight {
                key,
                to: id,
                delivery: delivery.id,
                letter,
            });
        }
        cx.because(letter.note);
        let to = self.live_wire(over.0).map_or(0, |live| live.wire.to.0);
        let part = self.part_of(to, 0);
        let word = if again > 0 { "pushes-again" } else { "pushes" };
        let args = [
            count(letter.number),
            Arg::Part(part),
            Arg::Count(i64::from(delivery.attempts)),
        ];
        let note = self.tell(word, args, (self.part_of(node, 0), letter.number), cx);
        if let Some(frame) = self.frames.get_mut(key) {
            frame.note = note;
        }
        if again > 0
            && let Some(live) = self.live_mut(node)
        {
            live.row.add(Count::Retried);
        }
        cx.schedule(timeout, Event::TimeOut(key));
        self.go(key, over, cx);
        true
    }

    /// A push has come back: taken, or failed.
    pub(in crate::system) fn pushed(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.remove(key) else {
            return;
        };
        self.after_push(key, &frame, frame.failed.is_none(), cx);
    }

    /// A topic waits for a push no longer; who has it may still take it.
    pub(in crate::system) fn push_is_late(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key).copied() else {
            return;
        };
        if let Some(live) = self.topic_of(key).and_then(|node| self.live_mut(node)) {
            live.row.add(Count::TimedOut);
        }
        self.after_push(key, &frame, false, cx);
    }

    /// The topic that pushes a copy.
    fn topic_of(&self, key: Key) -> Option<u16> {
        let pushes = |live: &&Live| {
            let fan = live.fan();
            fan.is_some_and(|fan| fan.flights.iter().any(|it| it.key == key))
        };
        let topic = self.nodes.iter().flatten().find(pushes)?;
        Some(topic.node.id.0)
    }

    fn after_push(&mut self, key: Key, frame: &Frame, well: bool, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(node) = self.topic_of(key) else {
            return;
        };
        // Who is down hears no answer.
        let well = well && !self.is_away(node);
        let Some(fan) = self.fan_mut(node) else {
            return;
        };
        let Some(place) = fan.flights.iter().position(|it| it.key == key) else {
            return;
        };
        let flight = fan.flights.swap_remove(place);
        let number = flight.letter.number;
        let outcome = match well {
            true => {
                fan.topic.succeeded(flight.to, flight.delivery);
                None
            }
            false => fan.topic.failed(now.0, flight.to, flight.delivery),
        };
        let subscriber = fan.subscribers.iter_mut().find(|it| it.id == flight.to);
        let over = subscriber.as_ref().map(|it| it.rule.over);
        if outcome == Some(AfterFailure::DeadLettered)
            && let Some(subscriber) = subscriber
        {
            // The letter itself: what the algorithm hands out is the same.
            subscriber.dead.push(flight.letter);
            if let Some(it) = fan.topic.subscription_mut(flight.to) {
                it.take_dead_letters();
            }
        }
        let to = over
            .and_then(|over| self.live_wire(over.0))
            .map_or(0, |live| live.wire.to.0);
        let (part, end) = (self.part_of(node, 0), Arg::Part(self.part_of(to, 0)));
        cx.because(frame.note);
        let note = |word, last: Option<Arg>| {
            let note = Note::new(word).with(count(number)).with(end);
            let note = last.map_or(note, |last| note.with(last));
            note.about(part).dot(number)
        };
        let (counted, note) = match outcome {
            None => (Some(Count::Delivered), None),
            Some(AfterFailure::RetryAt { due_at_us }) => {
                let wait = Arg::Span(Time(due_at_us).since(now));
                (None, Some(note("push-failed", Some(wait))))
            }
            Some(AfterFailure::DeadLettered) => {
                let note = note("push-buried", None).mark(Tone::Bad);
                (Some(Count::Buried), Some(note))
            }
            Some(AfterFailure::Discarded) => {
                let note = note("push-dropped", None).mark(Tone::Bad);
                (Some(Count::Dropped), Some(note))
            }
        };
        if let (Some(counted), Some(live)) = (counted, self.live_mut(node)) {
            live.row.add(counted);
        }
        if matches!(counted, Some(Count::Buried | Count::Dropped)) {
            self.dies_at(node, 0, frame.failed.unwrap_or(Reason::TimedOut), now);
        }
        if let Some(note) = note {
            self.say(note, cx);
        }
        self.look_at_topic(node, None, cx);
        self.leave_if_done(node);
    }

    /// Whether topics' books are right, and each copy that somebody waits for is known to its topic.
    pub(in crate::system) fn topics_are_right(&self) -> Result<(), String> {
        let mut flights = 0;
        for fan in self.nodes.iter().flatten().filter_map(Live::fan) {
            fan.audit()?;
            flights += fan.flights.len();
            let known = |key| {
                let frame = self.frames.get(key);
                frame.is_some_and(|frame| frame.copy && !frame.left)
            };
            if !fan.flights.iter().all(|flight| known(flight.key)) {
                return Err("a topic waits for a push that is nowhere".to_owned());
            }
        }
        let copies = self.frames.iter().filter(|(_, it)| it.copy && !it.left);
        let copies = copies.count();
        if copies == flights {
            return Ok(());
        }
        Err(format!(
            "{copies} copies are under way, {flights} are known"
        ))
    }
}
