//! What the learner sets.

use super::subscriber::ALERTS;
use algorithms::output_buffer::{Limits, WhenFull};
use algorithms::topic::{
    Backoff, Comparison, FilterPolicy, RetryPolicy, Rule, Scalar, SubscriptionSettings,
};
use engine::{Time, choices};

/// What is done when a buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    CutOff,
    DropNewest,
    DropOldest,
    Latest,
    Wait,
}
choices!(Full {
    "cut" => Full::CutOff,
    "newest" => Full::DropNewest,
    "oldest" => Full::DropOldest,
    "latest" => Full::Latest,
    "wait" => Full::Wait,
});

impl Full {
    pub(super) fn rule(self) -> WhenFull {
        match self {
            Full::CutOff => WhenFull::CutOff,
            Full::DropNewest => WhenFull::DropNewest,
            Full::DropOldest => WhenFull::DropOldest,
            Full::Latest => WhenFull::KeepLatest,
            Full::Wait => WhenFull::Wait,
        }
    }
}

/// Where prices for Alerts are sorted out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sorted {
    Nowhere,
    There,
    Here,
}
choices!(Sorted { "none" => Sorted::Nowhere, "there" => Sorted::There, "here" => Sorted::Here });

/// What Alerts wants: filter policies of the kinds that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// The kind is one of a list.
    Alerts,
    /// The symbol starts so.
    Prefix,
    /// The price is at least so high.
    Dear,
    /// Two keys at once, of which one must not be there.
    NotXyz,
}
choices!(Wants {
    "alerts" => Wants::Alerts,
    "prefix" => Wants::Prefix,
    "dear" => Wants::Dear,
    "not-xyz" => Wants::NotXyz,
});

/// How prices reach subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Push {
    /// Over a connection that the subscriber holds open.
    Connection,
    /// To an address that must say yes, with retries.
    Address,
    /// The same; what is given up is kept.
    DeadLetters,
}
choices!(Push {
    "connection" => Push::Connection,
    "address" => Push::Address,
    "dead-letters" => Push::DeadLetters,
});

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// Prices a second.
        load: whole "load" [1, 40] "/s" = 10,
        /// When a buffer is full.
        full: choice Full "full" = Full::CutOff,
        /// What Alerts can do, a second.
        alerts: whole "alerts" [2, 30] "/s" = 8,
        /// The hard limit of a buffer; the soft one is a quarter of it.
        hard: whole "hard" [8, 256] "" = 64,
        /// Where prices for Alerts are sorted out.
        filter: choice Sorted "filter" = Sorted::Nowhere,
        /// How prices reach subscribers.
        push: choice Push "push" = Push::Connection,
        /// How long a buffer may be above the soft limit, s.
        soft: whole "soft" [1, 30] "s" = 6,
        /// After so long a subscriber that was cut off is back, s.
        reconnect: slider "reconnect" [0.2, 10.0, 0.2] "s" = 1.0,
        /// What Screen can do, a second.
        screen: whole "screen" [2, 60] "/s" = 50,
        /// What Phone can do, a second.
        phone: whole "phone" [2, 60] "/s" = 20,
        /// What Audit can do, a second.
        audit: whole "audit" [2, 60] "/s" = 12,
        /// What share of the prices is an alert, %.
        share: whole "share" [5, 100] "%" = 20,
        /// What Alerts wants.
        wants: choice Wants "wants" = Wants::Alerts,
        /// A push that failed is tried again after so long, s.
        retry: whole "retry" [1, 10] "s" = 2,
        /// The most pushes a second to an address; 0 for no limit.
        throttle: whole "throttle" [0, 30] "/s" = 0,
    }
}

impl Settings {
    pub(super) fn limits(&self) -> Limits {
        let hard = self.hard as usize;
        Limits {
            hard,
            soft: hard / 4,
            soft_for_us: Time::s(u64::from(self.soft)).0,
        }
    }

    pub(super) fn rate(&self, subscriber: usize) -> f64 {
        let rates = [self.screen, self.phone, self.audit, self.alerts, 20];
        f64::from(rates[subscriber])
    }

    /// What Alerts wants.
    pub(super) fn policy(&self) -> FilterPolicy {
        let (key, rule) = match self.wants {
            Wants::Alerts => ("kind", Rule::Exactly(Scalar::Text("alert".to_owned()))),
            Wants::Prefix => ("symbol", Rule::Prefix("A".to_owned())),
            Wants::Dear => ("price", Rule::Numeric(vec![(Comparison::AtLeast, 150.0)])),
            Wants::NotXyz => (
                "symbol",
                Rule::AnythingBut(vec![Scalar::Text("XYZ".to_owned())]),
            ),
        };
        let rules = [(key.to_owned(), vec![rule])].into_iter().collect();
        // One key with one rule keeps to every limit.
        FilterPolicy::new(rules).expect("a policy of one rule is legal")
    }

    /// What a subscription to the topic asks for.
    pub(super) fn subscription(&self, subscriber: usize) -> SubscriptionSettings {
        let retry_s = f64::from(self.retry);
        SubscriptionSettings {
            filter: (subscriber == ALERTS && self.filter == Sorted::Here).then(|| self.policy()),
            retry: RetryPolicy {
                delay_min_s: retry_s,
                delay_max_s: retry_s,
                backoff: Backoff::Linear,
                ..RetryPolicy::default()
            },
            receives_per_s_max: (self.throttle > 0).then_some(self.throttle),
            dead_letters: self.push == Push::DeadLetters,
        }
    }
}
