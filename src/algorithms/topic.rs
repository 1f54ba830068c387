//! A topic that copies each published message to every subscription whose filter accepts it, and
//! pushes it there with retries, with the semantics of Amazon SNS.
//!
//! Source: Amazon SNS Developer Guide (subscription filter policies, message delivery retries).
//! Times are microseconds; the topic has no clock, callers pass `now_us`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

/// One second in the unit of this file.
pub const SECOND_US: u64 = 1_000_000;
/// Most combinations of values a filter policy may have.
pub const FILTER_COMBINATIONS_MAX: usize = 150;
/// Most attribute names a filter policy may have.
pub const FILTER_KEYS_MAX: usize = 5;
/// Largest magnitude of a number in a filter policy.
pub const FILTER_NUMBER_MAX: f64 = 1e9;
/// Longest delay before a retry, and longest sum of all delays of a delivery, in seconds.
pub const RETRY_TOTAL_MAX_S: f64 = 3600.0;
/// Most retries of a delivery.
pub const RETRIES_MAX: u32 = 100;

/// One value of a message attribute or of a filter policy.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; compared with five digits after the decimal point.
    Number(f64),
    /// A string; compared case-sensitively.
    Text(String),
}

impl Scalar {
    fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => steps(*a) == steps(*b),
            _ => self == other,
        }
    }
}

/// Numbers are compared at five digits after the decimal point.
fn steps(number: f64) -> f64 {
    libm::round(number * 1e5)
}

/// The attributes of a message: each name with its values (one, or those of an array).
pub type Attributes = BTreeMap<String, Vec<Scalar>>;

/// A comparison in a numeric rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        let (left, right) = (steps(left), steps(right));
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// A network of IP addresses, as in `10.0.0.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix_bits: u32,
}

impl Cidr {
    /// A network in CIDR notation; without a slash it is one address. `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let (network, prefix_bits) = match text.split_once('/') {
            Some((network, bits)) => (network, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let network: IpAddr = network.parse().ok()?;
        let all = if network.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix_bits.unwrap_or(all);
        (prefix_bits <= all).then_some(Self {
            network,
            prefix_bits,
        })
    }

    /// Whether the address belongs to it; one of the other protocol version never does.
    pub fn contains(&self, address: IpAddr) -> bool {
        // The bits beyond the prefix are shifted out; a shift by all bits leaves none.
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(32 - self.prefix_bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(128 - self.prefix_bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// One entry in the list a filter policy gives for an attribute; one match is enough.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// The attribute has this value.
    Exactly(Scalar),
    /// The attribute has a value that is none of these.
    AnythingBut(Vec<Scalar>),
    /// The attribute has a string value that does not start so.
    AnythingButPrefix(String),
    /// The attribute has a string value that does not end so.
    AnythingButSuffix(String),
    /// The attribute has a string value that starts so.
    Prefix(String),
    /// The attribute has a string value that ends so.
    Suffix(String),
    /// The attribute has this string value, upper and lower case alike.
    EqualsIgnoreCase(String),
    /// The attribute has a string value that is an address of this network.
    Cidr(Cidr),
    /// The attribute has a number for which all of these hold.
    Numeric(Vec<(Comparison, f64)>),
    /// The attribute is there (true) or not there (false).
    Exists(bool),
}

impl Rule {
    /// Whether a message accepts this rule; `values` is `None` if it lacks the attribute.
    pub fn accepts(&self, values: Option<&[Scalar]>) -> bool {
        if let Self::Exists(wanted) = self {
            return values.is_some() == *wanted;
        }
        values.is_some_and(|values| values.iter().any(|value| self.accepts_value(value)))
    }

    fn accepts_value(&self, value: &Scalar) -> bool {
        let text = match value {
            Scalar::Text(text) => Some(text.as_str()),
            _ => None,
        };
        match self {
            Self::Exactly(wanted) => wanted.same_as(value),
            Self::AnythingBut(listed) => !listed.iter().any(|l| l.same_as(value)),
            Self::AnythingButPrefix(prefix) => text.is_some_and(|t| !t.starts_with(prefix)),
            Self::AnythingButSuffix(suffix) => text.is_some_and(|t| !t.ends_with(suffix)),
            Self::Cidr(cidr) => text
                .and_then(|t| t.parse().ok())
                .is_some_and(|address| cidr.contains(address)),
            Self::Prefix(prefix) => text.is_some_and(|t| t.starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|t| t.ends_with(suffix)),
            Self::EqualsIgnoreCase(wanted) => {
                text.is_some_and(|t| t.to_lowercase() == wanted.to_lowercase())
            }
            Self::Numeric(comparisons) => match value {
                Scalar::Number(n) => comparisons.iter().all(|(c, bound)| c.holds(*n, *bound)),
                _ => false,
            },
            Self::Exists(wanted) => *wanted,
        }
    }
}

/// Why a policy is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// More than [`FILTER_KEYS_MAX`] attribute names.
    TooManyKeys,
    /// More than [`FILTER_COMBINATIONS_MAX`] combinations of values.
    TooManyCombinations,
    /// An attribute name with no rule can never match.
    NoRules,
    /// A number is not finite or beyond [`FILTER_NUMBER_MAX`].
    NumberOutOfRange,
    /// A delay, a number of retries or a rate lies outside its documented range.
    RetryOutOfRange,
    /// All delays of a delivery together exceed [`RETRY_TOTAL_MAX_S`].
    RetryTooLong,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyKeys => "too many attribute names",
            Self::TooManyCombinations => "too many combinations of values",
            Self::NoRules => "an attribute name without a rule",
            Self::NumberOutOfRange => "number out of range",
            Self::RetryOutOfRange => "retry policy out of range",
            Self::RetryTooLong => "retries take more than an hour in all",
        })
    }
}

impl std::error::Error for PolicyError {}

/// Which messages a subscription wants: every named attribute must match (AND) at least one of its
/// rules (OR); attributes not named are ignored. With `$or`, one of several policies must match as well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilterPolicy {
    rules: BTreeMap<String, Vec<Rule>>,
    /// Of each of these lists one policy must match.
    alternatives: Vec<Vec<Self>>,
}

impl FilterPolicy {
    /// A policy from its rules by attribute name; no rules at all accept everything.
    ///
    /// # Errors
    /// [`PolicyError`] if it exceeds the documented limits.
    pub fn new(rules: BTreeMap<String, Vec<Rule>>) -> Result<Self, PolicyError> {
        if rules.values().any(Vec::is_empty) {
            return Err(PolicyError::NoRules);
        }
        let number_ok = |n: f64| n.is_finite() && n.abs() <= FILTER_NUMBER_MAX;
        let scalar_ok = |s: &Scalar| !matches!(s, Scalar::Number(n) if !number_ok(*n));
        let in_range = rules.values().flatten().all(|rule| match rule {
            Rule::Exactly(value) => scalar_ok(value),
            Rule::AnythingBut(values) => values.iter().all(scalar_ok),
            Rule::Numeric(comparisons) => comparisons.iter().all(|(_, bound)| number_ok(*bound)),
            _ => true,
        });
        if !in_range {
            return Err(PolicyError::NumberOutOfRange);
        }
        Self {
            rules,
            alternatives: Vec::new(),
        }
        .within_limits()
    }

    /// The same policy with the keyword `$or`: one of these must match, too.
    ///
    /// # Errors
    /// [`PolicyError`] if there is none or all together exceed the documented limits.
    pub fn or(mut self, alternatives: Vec<Self>) -> Result<Self, PolicyError> {
        if alternatives.is_empty() {
            return Err(PolicyError::NoRules);
        }
        self.alternatives.push(alternatives);
        self.within_limits()
    }

    fn within_limits(self) -> Result<Self, PolicyError> {
        let mut keys = BTreeSet::new();
        self.keys(&mut keys);
        if keys.len() > FILTER_KEYS_MAX {
            Err(PolicyError::TooManyKeys)
        } else if self.combinations() > FILTER_COMBINATIONS_MAX {
            Err(PolicyError::TooManyCombinations)
        } else {
            Ok(self)
        }
    }

    fn keys<'a>(&'a self, keys: &mut BTreeSet<&'a str>) {
        keys.extend(self.rules.keys().map(String::as_str));
        for policy in self.alternatives.iter().flatten() {
            policy.keys(keys);
        }
    }

    /// The product of the numbers of rules per attribute name; the alternatives of a `$or` add up.
    pub fn combinations(&self) -> usize {
        let sum = |policies: &Vec<Self>| {
            let each = policies.iter().map(Self::combinations);
            each.fold(0, usize::saturating_add)
        };
        let rules = self.rules.values().map(Vec::len);
        rules
            .chain(self.alternatives.iter().map(sum))
            .fold(1, usize::saturating_mul)
    }

    /// Whether a message with these attributes passes.
    pub fn accepts(&self, attributes: &Attributes) -> bool {
        self.rules.iter().all(|(name, rules)| {
            let values = attributes.get(name).map(Vec::as_slice);
            rules.iter().any(|rule| rule.accepts(values))
        }) && self
            .alternatives
            .iter()
            .all(|policies| policies.iter().any(|policy| policy.accepts(attributes)))
    }
}

/// How the delay grows from the least to the most during the backoff phase.
///
/// The service names the four curves and fixes their ends but publishes no formula; these are the
/// plain meanings of the names. At each retry between the ends, linear waits longest, then
/// arithmetic, then the two that multiply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// Equal steps.
    Linear,
    /// Steps that grow by the same amount each time.
    Arithmetic,
    /// Each delay is the one before times the same factor.
    Geometric,
    /// Steps that double each time.
    Exponential,
}

/// How a failed push is tried again: four phases, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Delay of the pre-backoff phase and of the first retry of the backoff phase, in seconds.
    pub delay_min_s: f64,
    /// Delay of the last retry of the backoff phase and of the post-backoff phase, in seconds.
    pub delay_max_s: f64,
    /// All retries of the four phases together.
    pub retries: u32,
    /// Retries of the immediate phase, without delay.
    pub retries_no_delay: u32,
    /// Retries of the pre-backoff phase.
    pub retries_delay_min: u32,
    /// Retries of the post-backoff phase.
    pub retries_delay_max: u32,
    /// The curve of the backoff phase.
    pub backoff: Backoff,
}

impl Default for RetryPolicy {
    /// The HTTP/S default: three retries, 20 seconds apart.
    fn default() -> Self {
        Self {
            delay_min_s: 20.0,
            delay_max_s: 20.0,
            retries: 3,
            retries_no_delay: 0,
            retries_delay_min: 0,
            retries_delay_max: 0,
            backoff: Backoff::Linear,
        }
    }
}

/// A phase of the retry policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// At once.
    Immediate,
    /// At the least delay.
    PreBackoff,
    /// From the least delay to the most.
    Backoff,
    /// At the most delay.
    PostBackoff,
}

impl RetryPolicy {
    /// One attempt and no retry: what a subscriber misses is gone.
    pub fn none() -> Self {
        Self {
            retries: 0,
            ..Self::default()
        }
    }

    /// Whether the policy keeps to the documented ranges.
    ///
    /// # Errors
    /// [`PolicyError::RetryOutOfRange`] or [`PolicyError::RetryTooLong`].
    pub fn validate(&self) -> Result<(), PolicyError> {
        let delays_ok = self.delay_min_s >= 1.0
            && self.delay_min_s <= self.delay_max_s
            && self.delay_max_s <= RETRY_TOTAL_MAX_S;
        let named = u64::from(self.retries_no_delay)
            + u64::from(self.retries_delay_min)
            + u64::from(self.retries_delay_max);
        if !delays_ok || self.retries > RETRIES_MAX || named > u64::from(self.retries) {
            return Err(PolicyError::RetryOutOfRange);
        }
        let total_s: f64 = (1..=self.retries).filter_map(|n| self.delay_s(n)).sum();
        if total_s > RETRY_TOTAL_MAX_S {
            return Err(PolicyError::RetryTooLong);
        }
        Ok(())
    }

    /// How many retries the backoff phase has: what the other phases leave.
    pub fn retries_backoff(&self) -> u32 {
        self.retries
            .saturating_sub(self.retries_no_delay)
            .saturating_sub(self.retries_delay_min)
            .saturating_sub(self.retries_delay_max)
    }

    /// The phase of the `retry`-th retry (from 1), or `None` once the policy is exhausted.
    pub fn phase(&self, retry: u32) -> Option<Phase> {
        if retry == 0 || retry > self.retries {
            return None;
        }
        let pre_ends = self.retries_no_delay.saturating_add(self.retries_delay_min);
        Some(if retry <= self.retries_no_delay {
            Phase::Immediate
        } else if retry <= pre_ends {
            Phase::PreBackoff
        } else if retry <= pre_ends.saturating_add(self.retries_backoff()) {
            Phase::Backoff
        } else {
            Phase::PostBackoff
        })
    }

    /// The delay before the `retry`-th retry (from 1), or `None` once the policy is exhausted.
    pub fn delay_s(&self, retry: u32) -> Option<f64> {
        Some(match self.phase(retry)? {
            Phase::Immediate => 0.0,
            Phase::PreBackoff => self.delay_min_s,
            Phase::PostBackoff => self.delay_max_s,
            Phase::Backoff => {
                let index = retry - self.retries_no_delay - self.retries_delay_min - 1;
                self.backoff_delay_s(index)
            }
        })
    }

    fn backoff_delay_s(&self, index: u32) -> f64 {
        let last = f64::from(self.retries_backoff().saturating_sub(1));
        if last == 0.0 {
            return self.delay_min_s;
        }
        let i = f64::from(index);
        let span_s = self.delay_max_s - self.delay_min_s;
        match self.backoff {
            Backoff::Linear => self.delay_min_s + span_s * i / last,
            Backoff::Arithmetic => {
                self.delay_min_s + span_s * (i * (i + 1.0)) / (last * (last + 1.0))
            }
            Backoff::Geometric => {
                self.delay_min_s * libm::pow(self.delay_max_s / self.delay_min_s, i / last)
            }
            Backoff::Exponential => {
                self.delay_min_s + span_s * (libm::exp2(i) - 1.0) / (libm::exp2(last) - 1.0)
            }
        }
    }
}

/// Names a subscription of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriptionId(pub u32);

/// Names one message on its way to one subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryId(pub u64);

/// What a subscription asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscriptionSettings {
    /// Which messages it wants; `None` wants all.
    pub filter: Option<FilterPolicy>,
    /// How failed pushes are retried.
    pub retry: RetryPolicy,
    /// Most pushes per second, retries included; `None` is no throttling.
    pub receives_per_s_max: Option<u32>,
    /// Whether undeliverable messages are kept as dead letters instead of discarded.
    pub dead_letters: bool,
}

/// One message on its way to one subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery<T> {
    /// Its name.
    pub id: DeliveryId,
    /// The message.
    pub body: T,
    /// Attempts begun so far.
    pub attempts: u32,
    /// When the next attempt may begin; `None` while one is under way.
    pub due_at_us: Option<u64>,
}

/// Totals of a subscription; `accepted = delivered + dead_lettered + discarded + pending`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages its filter let in.
    pub accepted: u64,
    /// Messages its filter kept out.
    pub filtered: u64,
    /// Messages delivered.
    pub delivered: u64,
    /// Messages given up and kept.
    pub dead_lettered: u64,
    /// Messages given up and lost.
    pub discarded: u64,
}

/// A subscription: its settings and the messages on their way to it.
#[derive(Clone, Debug)]
pub struct Subscription<T> {
    settings: SubscriptionSettings,
    pending: BTreeMap<DeliveryId, Delivery<T>>,
    dead_letters: Vec<T>,
    /// The earliest next push under throttling, in millionths of a microsecond so that rates that
    /// do not divide a second do not drift.
    next_slot_pus: u128,
    totals: Totals,
}

impl<T> Subscription<T> {
    /// What it asks for.
    pub fn settings(&self) -> &SubscriptionSettings {
        &self.settings
    }

    /// The messages on their way to it, oldest first: its backlog.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &Delivery<T>> {
        self.pending.values()
    }

    /// Totals since it subscribed.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Takes the messages given up since the last call.
    pub fn take_dead_letters(&mut self) -> Vec<T> {
        std::mem::take(&mut self.dead_letters)
    }

    /// When the next push may begin, if one is waiting.
    pub fn next_due_at_us(&self) -> Option<u64> {
        let due_at_us = self.pending.values().filter_map(|d| d.due_at_us).min()?;
        Some(match self.settings.receives_per_s_max {
            Some(_) => due_at_us.max(slot_to_us(self.next_slot_pus)),
            None => due_at_us,
        })
    }
}

/// The first whole microsecond at or after a slot.
fn slot_to_us(slot_pus: u128) -> u64 {
    u64::try_from(slot_pus.div_ceil(u128::from(SECOND_US))).unwrap_or(u64::MAX)
}

/// What became of a failed push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// It will be tried again.
    RetryAt {
        /// When.
        due_at_us: u64,
    },
    /// Retries are exhausted; the message is kept as a dead letter.
    DeadLettered,
    /// Retries are exhausted; the message is lost.
    Discarded,
}

/// The topic.
#[derive(Clone, Debug)]
pub struct Topic<T> {
    subscriptions: BTreeMap<SubscriptionId, Subscription<T>>,
    next_subscription: u32,
    next_delivery: u64,
}

impl<T> Default for Topic<T> {
    fn default() -> Self {
        Self {
            subscriptions: BTreeMap::new(),
            next_subscription: 1,
            next_delivery: 1,
        }
    }
}

impl<T: Clone> Topic<T> {
    /// A topic nobody subscribes to.
    pub fn new() -> Self {
        Self::default()
    }

    /// Subscribes; later messages are copied here.
    ///
    /// # Errors
    /// [`PolicyError`] if the retry policy or the rate (at least 1 per second) is out of range.
    pub fn subscribe(
        &mut self,
        settings: SubscriptionSettings,
    ) -> Result<SubscriptionId, PolicyError> {
        settings.retry.validate()?;
        if settings.receives_per_s_max == Some(0) {
            return Err(PolicyError::RetryOutOfRange);
        }
        let id = SubscriptionId(self.next_subscription);
        self.next_subscription += 1;
        let subscription = Subscription {
            settings,
            pending: BTreeMap::new(),
            dead_letters: Vec::new(),
            next_slot_pus: 0,
            totals: Totals::default(),
        };
        self.subscriptions.insert(id, subscription);
        Ok(id)
    }

    /// A subscription asks for something else: what comes from now on is filtered by that, what is on its way is pushed by it.
    /// Returns false if there is no such subscription.
    ///
    /// # Errors
    /// As of [`Topic::subscribe`]; it then stays as it is.
    pub fn set(
        &mut self,
        id: SubscriptionId,
        settings: SubscriptionSettings,
    ) -> Result<bool, PolicyError> {
        settings.retry.validate()?;
        if settings.receives_per_s_max == Some(0) {
            return Err(PolicyError::RetryOutOfRange);
        }
        let subscription = self.subscriptions.get_mut(&id);
        Ok(subscription.map(|it| it.settings = settings).is_some())
    }

    /// Ends a subscription and hands it back with what was still on its way.
    pub fn unsubscribe(&mut self, id: SubscriptionId) -> Option<Subscription<T>> {
        self.subscriptions.remove(&id)
    }

    /// A subscription.
    pub fn subscription(&self, id: SubscriptionId) -> Option<&Subscription<T>> {
        self.subscriptions.get(&id)
    }

    /// A subscription, to take its dead letters.
    pub fn subscription_mut(&mut self, id: SubscriptionId) -> Option<&mut Subscription<T>> {
        self.subscriptions.get_mut(&id)
    }

    /// Every subscription in the order they subscribed.
    pub fn subscriptions(&self) -> impl Iterator<Item = (SubscriptionId, &Subscription<T>)> {
        self.subscriptions
            .iter()
            .map(|(id, subscription)| (*id, subscription))
    }

    // region: publish
    /// Copies a message to every subscription whose filter accepts it; the publisher waits for none
    /// of them. Returns the copies made.
    pub fn publish(
        &mut self,
        now_us: u64,
        body: &T,
        attributes: &Attributes,
    ) -> Vec<(SubscriptionId, DeliveryId)> {
        let mut copies = Vec::new();
        for (&subscription_id, subscription) in &mut self.subscriptions {
            let filter = subscription.settings.filter.as_ref();
            if filter.is_some_and(|filter| !filter.accepts(attributes)) {
                subscription.totals.filtered += 1;
                continue;
            }
            let id = DeliveryId(self.next_delivery);
            self.next_delivery += 1;
            subscription.totals.accepted += 1;
            let delivery = Delivery {
                id,
                body: body.clone(),
                attempts: 0,
                due_at_us: Some(now_us),
            };
            subscription.pending.insert(id, delivery);
            copies.push((subscription_id, id));
        }
        copies
    }
    // endregion

    /// When the next push to any subscription may begin.
    pub fn next_due_at_us(&self) -> Option<u64> {
        self.subscriptions
            .values()
            .filter_map(Subscription::next_due_at_us)
            .min()
    }

    /// Begins the next push to this subscription that is due, the longest due first, if any.
    /// Answer it with [`Topic::succeeded`] or [`Topic::failed`].
    pub fn begin_push(&mut self, now_us: u64, id: SubscriptionId) -> Option<Delivery<T>> {
        let subscription = self.subscriptions.get_mut(&id)?;
        if subscription.next_due_at_us()? > now_us {
            return None;
        }
        let delivery = subscription
            .pending
            .values_mut()
            .filter(|d| d.due_at_us.is_some_and(|due| due <= now_us))
            .min_by_key(|d| (d.due_at_us, d.id))?;
        if let Some(rate) = subscription.settings.receives_per_s_max {
            let second_pus = u128::from(SECOND_US) * u128::from(SECOND_US);
            let now_pus = u128::from(now_us) * u128::from(SECOND_US);
            // A slot not more than a microsecond past keeps its fraction; an idle subscription saves nothing up.
            let slot_pus = if slot_to_us(subscription.next_slot_pus) == now_us {
                subscription.next_slot_pus
            } else {
                now_pus
            };
            subscription.next_slot_pus = slot_pus + second_pus / u128::from(rate.max(1));
        }
        delivery.attempts += 1;
        delivery.due_at_us = None;
        Some(delivery.clone())
    }

    /// The push arrived. Returns false if no such push is under way.
    pub fn succeeded(&mut self, subscription: SubscriptionId, delivery: DeliveryId) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(&subscription) else {
            return false;
        };
        if subscription
            .pending
            .get(&delivery)
            .is_none_or(|d| d.due_at_us.is_some())
        {
            return false;
        }
        subscription.pending.remove(&delivery);
        subscription.totals.delivered += 1;
        true
    }

    /// The push failed: it is retried by the policy, and given up once that is exhausted. `None` if
    /// no such push is under way.
    pub fn failed(
        &mut self,
        now_us: u64,
        subscription: SubscriptionId,
        delivery: DeliveryId,
    ) -> Option<AfterFailure> {
        let subscription = self.subscriptions.get_mut(&subscription)?;
        let waiting = subscription.pending.get_mut(&delivery)?;
        if waiting.due_at_us.is_some() {
            return None;
        }
        if let Some(delay_s) = subscription.settings.retry.delay_s(waiting.attempts) {
            let delay_us = libm::round(delay_s * SECOND_US as f64) as u64;
            let due_at_us = now_us.saturating_add(delay_us);
            waiting.due_at_us = Some(due_at_us);
            return Some(AfterFailure::RetryAt { due_at_us });
        }
        let given_up = subscription.pending.remove(&delivery)?;
        if subscription.settings.dead_letters {
            subscription.dead_letters.push(given_up.body);
            subscription.totals.dead_lettered += 1;
            return Some(AfterFailure::DeadLettered);
        }
        subscription.totals.discarded += 1;
        Some(AfterFailure::Discarded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Scalar {
        Scalar::Text(value.into())
    }

    fn policy(rules: &[(&str, Vec<Rule>)]) -> Result<FilterPolicy, PolicyError> {
        FilterPolicy::new(
            rules
                .iter()
                .map(|(k, r)| ((*k).to_string(), r.clone()))
                .collect(),
        )
    }

    /// The guide's sample: 3 at once, 2 a second apart, 10 backing off, 35 a minute apart.
    fn sample() -> RetryPolicy {
        RetryPolicy {
            delay_min_s: 1.0,
            delay_max_s: 60.0,
            retries: 50,
            retries_no_delay: 3,
            retries_delay_min: 2,
            retries_delay_max: 35,
            backoff: Backoff::Exponential,
        }
    }

    #[test]
    fn networks_and_alternatives_match() {
        let cidr = |text| Rule::Cidr(Cidr::parse(text).unwrap());
        let address = |text: &str| Some(vec![Scalar::Text(text.into())]);
        for (network, text, matches) in [
            ("10.0.0.0/24", "10.0.0.255", true),
            ("10.0.0.0/24", "10.0.1.0", false),
            ("10.0.0.7", "10.0.0.7", true),
            ("0.0.0.0/0", "255.1.2.3", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::", true),
            ("::/0", "ffff::", true),
            ("10.0.0.0/24", "ten", false),
        ] {
            let accepted = cidr(network).accepts(address(text).as_deref());
            assert_eq!(accepted, matches, "{network} {text}");
        }
        assert_eq!(Cidr::parse("10.0.0.0/33"), None);
        assert_eq!(Cidr::parse("10.0.0/8"), None);
        let suffix = Rule::AnythingButSuffix("ball".into());
        assert!(suffix.accepts(address("rugby").as_deref()));
        assert!(!suffix.accepts(address("football").as_deref()));
        let one = |key: &str, rules: usize| {
            let rules = vec![Rule::Exists(true); rules];
            FilterPolicy::new([(key.to_owned(), rules)].into()).unwrap()
        };
        let policy = one("a", 2).or(vec![one("b", 3), one("c", 1)]).unwrap();
        assert_eq!(policy.combinations(), 8);
        let with = |keys: &[&str]| -> Attributes {
            keys.iter()
                .map(|key| ((*key).to_owned(), vec![Scalar::Null]))
                .collect()
        };
        assert!(policy.accepts(&with(&["a", "c"])));
        assert!(!policy.accepts(&with(&["a"])));
        assert!(!policy.accepts(&with(&["b", "c"])));
        assert_eq!(one("a", 1).or(Vec::new()), Err(PolicyError::NoRules));
        let wide = ["b", "c", "d", "e", "f"].map(|key| one(key, 1)).to_vec();
        assert_eq!(one("a", 1).or(wide), Err(PolicyError::TooManyKeys));
        let many = one("b", 100).or(vec![one("c", 1), one("d", 1)]);
        assert_eq!(many, Err(PolicyError::TooManyCombinations));
    }

    #[test]
    fn anything_but_accepts_an_array_with_one_other_value() {
        let rule = Rule::AnythingBut(vec![text("rugby"), text("tennis")]);
        assert!(rule.accepts(Some(&[text("rugby"), text("baseball")])));
        assert!(!rule.accepts(Some(&[text("rugby")])));
        assert!(!rule.accepts(None), "a missing attribute does not match");
    }

    #[test]
    fn exists_false_accepts_only_the_absence() {
        assert!(Rule::Exists(false).accepts(None));
        assert!(!Rule::Exists(false).accepts(Some(&[text("x")])));
    }

    #[test]
    fn numbers_compare_at_five_digits_and_strings_by_case() {
        let rule = Rule::Exactly(Scalar::Number(301.5));
        assert!(rule.accepts(Some(&[Scalar::Number(301.500_001)])));
        assert!(!rule.accepts(Some(&[Scalar::Number(301.500_1)])));
        assert!(!Rule::Exactly(text("Rugby")).accepts(Some(&[text("rugby")])));
        assert!(Rule::EqualsIgnoreCase("Rugby".into()).accepts(Some(&[text("rugby")])));
    }

    #[test]
    fn policies_beyond_the_limits_are_refused() {
        let rules = |n: usize| vec![Rule::Exists(true); n];
        assert_eq!(
            policy(&[("a", rules(15)), ("b", rules(10))]).map(|p| p.combinations()),
            Ok(150)
        );
        assert_eq!(
            policy(&[("a", rules(151))]).map(|p| p.combinations()),
            Err(PolicyError::TooManyCombinations)
        );
        let six = ["a", "b", "c", "d", "e", "f"].map(|k| (k, rules(1)));
        assert_eq!(
            policy(&six).map(|p| p.combinations()),
            Err(PolicyError::TooManyKeys)
        );
        let far = vec![Rule::Numeric(vec![(Comparison::Less, f64::NAN)])];
        assert_eq!(
            policy(&[("a", far)]).map(|p| p.combinations()),
            Err(PolicyError::NumberOutOfRange)
        );
    }

    #[test]
    fn phases_of_the_guides_sample_policy() {
        let policy = sample();
        assert_eq!(policy.validate(), Ok(()));
        assert_eq!(policy.retries_backoff(), 10);
        let count = |phase| (1..=50).filter(|&n| policy.phase(n) == Some(phase)).count();
        assert_eq!(
            [
                Phase::Immediate,
                Phase::PreBackoff,
                Phase::Backoff,
                Phase::PostBackoff
            ]
            .map(count),
            [3, 2, 10, 35]
        );
        assert_eq!(
            (policy.delay_s(6), policy.delay_s(15)),
            (Some(1.0), Some(60.0))
        );
        assert_eq!(policy.delay_s(51), None);
    }

    #[test]
    fn every_backoff_curve_rises_from_least_to_most() {
        for backoff in [
            Backoff::Linear,
            Backoff::Arithmetic,
            Backoff::Geometric,
            Backoff::Exponential,
        ] {
            let policy = RetryPolicy {
                delay_min_s: 5.0,
                delay_max_s: 260.0,
                retries: 10,
                backoff,
                ..RetryPolicy::default()
            };
            let delays: Vec<f64> = (1..=10).filter_map(|n| policy.delay_s(n)).collect();
            assert_eq!(delays.len(), 10);
            assert!((delays[0] - 5.0).abs() < 1e-9 && (delays[9] - 260.0).abs() < 1e-9);
            assert!(
                delays.windows(2).all(|pair| pair[0] < pair[1]),
                "{backoff:?}: {delays:?}"
            );
        }
    }

    #[test]
    fn retries_longer_than_an_hour_are_refused() {
        let hour = RetryPolicy {
            delay_min_s: 60.0,
            delay_max_s: 60.0,
            ..RetryPolicy::default()
        };
        assert_eq!(
            RetryPolicy {
                retries: 60,
                ..hour.clone()
            }
            .validate(),
            Ok(())
        );
        let policy = RetryPolicy {
            retries: 61,
            ..hour
        };
        assert_eq!(policy.validate(), Err(PolicyError::RetryTooLong));
        let policy = RetryPolicy {
            retries: 39,
            ..sample()
        };
        assert_eq!(policy.validate(), Err(PolicyError::RetryOutOfRange));
    }

    #[test]
    fn a_down_subscriber_loses_messages_unless_they_are_kept() {
        for (dead_letters, last) in [
            (false, AfterFailure::Discarded),
            (true, AfterFailure::DeadLettered),
        ] {
            let mut topic = Topic::new();
            let settings = SubscriptionSettings {
                dead_letters,
                ..SubscriptionSettings::default()
            };
            let id = topic.subscribe(settings).unwrap();
            topic.publish(0, &"order", &Attributes::new());
            let mut outcomes = Vec::new();
            while let Some(now_us) = topic.next_due_at_us() {
                let push = topic.begin_push(now_us, id).expect("due");
                outcomes.push(topic.failed(now_us, id, push.id).expect("under way"));
            }
            let retry = |s: u64| AfterFailure::RetryAt {
                due_at_us: s * SECOND_US,
            };
            assert_eq!(outcomes, [retry(20), retry(40), retry(60), last]);
            let totals = topic.subscription(id).unwrap().totals();
            assert_eq!(totals.accepted, totals.dead_lettered + totals.discarded);
            let kept = topic.subscription_mut(id).unwrap().take_dead_letters();
            assert_eq!(kept.len(), usize::from(dead_letters));
        }
    }

    #[test]
    fn throttling_spaces_pushes_without_drift_and_saves_nothing_up() {
        let mut topic = Topic::new();
        let settings = SubscriptionSettings {
            receives_per_s_max: Some(3),
            ..SubscriptionSettings::default()
        };
        let id = topic.subscribe(settings).unwrap();
        for body in 0..9 {
            topic.publish(10 * SECOND_US, &body, &Attributes::new());
        }
        let mut at_us = Vec::new();
        while let Some(now_us) = topic.next_due_at_us() {
            let push = topic.begin_push(now_us, id).expect("due");
            assert!(topic.begin_push(now_us, id).is_none(), "one push per slot");
            assert!(topic.succeeded(id, push.id));
            at_us.push(now_us - 10 * SECOND_US);
        }
        assert_eq!(at_us[..4], [0, 333_334, 666_667, 1_000_000]);
        assert_eq!(at_us[6], 2_000_000);
    }

    #[test]
    fn answers_to_pushes_not_under_way_are_ignored() {
        let mut topic = Topic::new();
        let id = topic.subscribe(SubscriptionSettings::default()).unwrap();
        let (_, delivery) = topic.publish(0, &1, &Attributes::new())[0];
        assert!(!topic.succeeded(id, delivery));
        assert_eq!(topic.failed(0, id, delivery), None);
        assert_eq!(topic.subscription(id).unwrap().pending().len(), 1);
    }
}
