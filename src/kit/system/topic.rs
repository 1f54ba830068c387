//! What a topic keeps: its subscriptions, the copies on their way to each, and what could not be delivered.

use super::kept::Keeps;
use super::plan::{Subscription, WireId};
use super::shelf::Letter;
use crate::flow::Key;
use algorithms::topic::{
    DeliveryId, FilterPolicy, Rule, Scalar, SubscriptionId, SubscriptionSettings, Topic,
};
use engine::Time;

/// The attribute of a message that filters look at: its class.
pub(super) const CLASS: &str = "class";

/// One who subscribes.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// What the plan says of it.
    pub rule: Subscription,
    /// What could not be delivered, if that is kept.
    pub dead: Vec<Letter>,
    pub(super) id: SubscriptionId,
}

/// A copy on its way to who subscribes, or back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    /// The call that it is.
    pub(super) key: Key,
    pub(super) to: SubscriptionId,
    pub(super) delivery: DeliveryId,
    pub(super) letter: Letter,
}

/// The state of a topic.
#[derive(Clone, Debug)]
pub struct Fan {
    pub(super) topic: Topic<Letter>,
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) flights: Vec<Flight>,
    /// When something happens to it by itself, and which look that is.
    pub(super) look_at: Time,
    pub(super) turn: u32,
}

impl Keeps for Fan {
    fn copy(&self) -> Box<dyn Keeps> {
        Box::new(self.clone())
    }

    fn rests(&self) -> bool {
        let mut all = self.topic.subscriptions();
        all.all(|(_, it)| it.pending().len() == 0)
    }
}

/// A plan's rule as the algorithm has it. A filter that the algorithm refuses, of more than 150 classes, filters nothing.
pub(super) fn settings(rule: &Subscription) -> SubscriptionSettings {
    let class = |class: &u8| Rule::Exactly(Scalar::Number(f64::from(*class)));
    let rules: Vec<Rule> = rule.classes.iter().map(class).collect();
    let named = [(CLASS.to_owned(), rules)].into();
    SubscriptionSettings {
        filter: FilterPolicy::new(named).ok(),
        retry: rule.retry.clone(),
        receives_per_s_max: rule.per_s,
        dead_letters: rule.dead_letters,
    }
}

impl Fan {
    pub(super) fn new() -> Fan {
        Fan {
            topic: Topic::new(),
            subscribers: Vec::new(),
            flights: Vec::new(),
            look_at: Time::NEVER,
            turn: 0,
        }
    }

    /// Who subscribes, in the order of the plan.
    pub fn subscribers(&self) -> &[Subscriber] {
        &self.subscribers
    }

    /// Copies that who subscribes over a wire has not taken yet.
    pub fn pending(&self, over: WireId) -> usize {
        let subscriber = self.subscribers.iter().find(|it| it.rule.over == over);
        let subscription = subscriber.and_then(|it| self.topic.subscription(it.id));
        subscription.map_or(0, |it| it.pending().len())
    }

    /// Of these, those that wait for another try.
    pub fn waiting(&self, over: WireId) -> usize {
        let subscriber = self.subscribers.iter().find(|it| it.rule.over == over);
        let subscription = subscriber.and_then(|it| self.topic.subscription(it.id));
        subscription.map_or(0, |it| {
            it.pending().filter(|one| one.due_at_us.is_some()).count()
        })
    }

    /// The numbers of the requests whose copies wait for another try, the oldest first.
    pub(super) fn letters<'a>(
        &'a self,
        subscriber: &Subscriber,
    ) -> impl Iterator<Item = u32> + use<'a> {
        let subscription = self.topic.subscription(subscriber.id);
        let pending = subscription.into_iter().flat_map(|it| it.pending());
        let waits = pending.filter(|one| one.due_at_us.is_some());
        waits.map(|one| one.body.number)
    }

    /// Whether the books of each subscription are right: what was accepted was delivered or given up, or is there; and what is
    /// under way is known to be.
    pub(super) fn audit(&self) -> Result<(), String> {
        for subscriber in &self.subscribers {
            let Some(it) = self.topic.subscription(subscriber.id) else {
                return Err(format!("nobody subscribes over {:?}", subscriber.rule.over));
            };
            let (all, pending) = (it.totals(), it.pending().len() as u64);
            let gone = all.delivered + all.dead_lettered + all.discarded;
            if all.accepted != gone + pending {
                return Err(format!("copies are lost: {pending} pend of {all:?}"));
            }
            if all.dead_lettered != subscriber.dead.len() as u64 {
                return Err(format!("dead letters are lost: {all:?}"));
            }
            let under_way = it.pending().filter(|one| one.due_at_us.is_none()).count();
            let flights = self.flights.iter().filter(|one| one.to == subscriber.id);
            if under_way != flights.count() {
                return Err(format!("{under_way} pushes are believed to be under way"));
            }
        }
        let all = self.topic.subscriptions().count();
        if all == self.subscribers.len() {
            return Ok(());
        }
        Err(format!("{all} subscribe who are not in the plan"))
    }
}
