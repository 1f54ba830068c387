//! Money, in whole picodollars (10⁻¹² of a US dollar), and the prices that a plan states.
//!
//! A millisecond of a small function costs less than a millionth of a cent, so nothing larger than this is the smallest unit of all
//! prices; sums are exact, whenever they are asked for.

use engine::Time;

/// Hours of a month, as clouds reckon.
pub const MONTH_HOURS: u64 = 730;
/// µs of a month.
const MONTH_US: u128 = MONTH_HOURS as u128 * 3_600 * 1_000_000;
/// A GB-second in MB-microseconds.
const GB_S: u128 = 1_024 * 1_000_000;

/// An amount, in picodollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub u64);

impl Money {
    /// None.
    pub const ZERO: Money = Money(0);

    /// Whole cents.
    pub const fn cents(cents: u64) -> Money {
        Money(cents * 10_000_000_000)
    }

    /// So many dollars an hour, for a month.
    pub fn a_month_at(dollars_an_hour: f64) -> Money {
        Money((dollars_an_hour * MONTH_HOURS as f64 * 1e12 + 0.5) as u64)
    }

    /// In dollars.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e12
    }

    /// Of a price a month, the share of one hour.
    pub fn an_hour(self) -> Money {
        Money(self.0 / MONTH_HOURS)
    }

    /// What has come since.
    #[must_use]
    pub fn since(self, earlier: Money) -> Money {
        Money(self.0.saturating_sub(earlier.0))
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Money>>(all: I) -> Money {
        Money(all.fold(0, |sum, it| sum.saturating_add(it.0)))
    }
}

/// What a node costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Each member, a month: from when it is bought until it is gone, busy or not.
    pub month: Money,
    /// Each request that it takes; of a queue what workers ask and what they delete, too.
    pub request: Money,
    /// A GB-second of instances of a function that have work, or are built for it.
    pub gb_s: Money,
    /// A GB-second of provisioned instances that have work.
    pub kept_busy_gb_s: Money,
    /// A GB-second of provisioned instances, whatever they do.
    pub kept_gb_s: Money,
}

impl Price {
    /// Nothing.
    pub const NONE: Price = Price::a_month(Money::ZERO);

    /// AWS Lambda in us-east-1 on x86, as of 2025: $0.20 a million requests, $0.0000166667 a GB-second; with provisioned concurrency
    /// $0.0000041667 a GB-second kept and $0.0000097222 used.
    pub const LAMBDA: Price = Price {
        month: Money::ZERO,
        request: Money(200_000),
        gb_s: Money(16_666_700),
        kept_busy_gb_s: Money(9_722_200),
        kept_gb_s: Money(4_166_700),
    };

    /// So much for each member a month, and nothing else.
    pub const fn a_month(month: Money) -> Price {
        Price {
            month,
            request: Money::ZERO,
            gb_s: Money::ZERO,
            kept_busy_gb_s: Money::ZERO,
            kept_gb_s: Money::ZERO,
        }
    }
}

/// What is charged for by use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// Requests.
    pub(super) requests: i64,
    /// Memory times span of instances of a function, in MB-microseconds: ordinary ones with work, provisioned ones with work,
    /// provisioned ones whatever they do.
    pub(super) spans: [u64; 3],
}

/// The account of a node. It is brought up to date when members come or go and when a price changes, never for a request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    /// Charged up to `since`: picodollars a month times µs, picodollars, and picodollars a GB-second times MB-microseconds.
    rent: u128,
    uses: i128,
    spans: u128,
    since: Time,
    members: usize,
    price: Price,
    used: Used,
}

impl Account {
    /// Charges what has come until now, and goes on with other prices and members.
    pub(super) fn settle(&mut self, price: Price, members: usize, used: Used, now: Time) {
        *self = Account {
            since: now,
            price,
            members,
            used,
            ..self.charged(used, now)
        };
    }

    /// As it will be at a later moment if nothing changes.
    fn charged(&self, used: Used, now: Time) -> Account {
        let price = &self.price;
        let rent = u128::from(price.month.0) * self.members as u128;
        let uses = i128::from(used.requests - self.used.requests);
        let rates = [price.gb_s, price.kept_busy_gb_s, price.kept_gb_s];
        let spans = used.spans.iter().zip(self.used.spans).zip(rates);
        let spans = spans
            .map(|((now, then), rate)| u128::from(now.saturating_sub(then)) * u128::from(rate.0));
        Account {
            rent: self.rent + rent * u128::from(now.since(self.since).0),
            uses: self.uses + uses * i128::from(price.request.0),
            spans: self.spans + spans.sum::<u128>(),
            ..*self
        }
    }

    /// What all comes to.
    pub(super) fn cost(&self, used: Used, now: Time) -> Money {
        let all = self.charged(used, now);
        let whole = all.rent / MONTH_US + all.spans / GB_S + all.uses.max(0) as u128;
        Money(u64::try_from(whole).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_months_rent_is_the_price_however_often_it_is_settled() {
        let month = Time((MONTH_US) as u64);
        let price = Price::a_month(Money::cents(3_650));
        let mut account = Account::default();
        account.settle(price, 2, Used::default(), Time::ZERO);
        for day in 1..30 {
            account.settle(price, 2, Used::default(), Time(month.0 / 30 * day));
        }
        let cost = account.cost(Used::default(), month);
        assert_eq!((cost, cost.dollars()), (Money::cents(7_300), 73.0));
        assert_eq!(Money::a_month_at(0.05), Money::cents(3_650));
        assert_eq!(Money::cents(3_650).an_hour(), Money::cents(5));
    }

    #[test]
    fn a_price_holds_for_what_is_used_while_it_holds() {
        let used = |requests, mb_us| Used {
            requests,
            spans: [mb_us, 0, 0],
        };
        let mut account = Account::default();
        account.settle(Price::LAMBDA, 1, used(5, 7), Time::ZERO);
        let gb_s = GB_S as u64;
        account.settle(Price::NONE, 1, used(6, 7 + gb_s), Time::s(1));
        let cost = account.cost(used(9, 7 + 9 * gb_s), Time::s(9));
        assert_eq!(cost, Money(200_000 + 16_666_700));
    }
}
