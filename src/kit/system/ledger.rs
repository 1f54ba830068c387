//! The ledger: what came and what became of it, per member, per node and in all, and since anything was said.

use super::money::Money;
use engine::Time;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Requests or calls that came.
    Came,
    /// Answered well.
    Done,
    /// Answered badly, for whatever reason.
    Failed,
    /// Of these, turned away at once: no place, nobody there, a limit, a breaker.
    Refused,
    /// Calls that their caller gave up on.
    TimedOut,
    /// Tries after the first that were sent.
    Retried,
    /// Were held by somebody who went down.
    Lost,
    /// Answered without a part that could not be had, or with a stand-in for it.
    Partial,
    /// Done, but nobody waited any longer.
    ForNobody,
    /// Requests for messages that reached a queue.
    Asked,
    /// Of these, answered with nothing.
    Empty,
    /// Messages lent.
    Lent,
    /// Of these, not for the first time.
    Again,
    /// Messages deleted by who had done them.
    Deleted,
    /// Messages put aside as dead letters.
    Buried,
    /// Messages that nobody deleted within their retention.
    Expired,
    /// Requests that a copy answered.
    Hit,
    /// Of these, with an older version than the store had.
    Stale,
    /// Calls and answers that got lost on wires which begin at the node.
    Strayed,
    /// Copies that a topic made.
    Copied,
    /// Copies that filters of subscriptions spared.
    Filtered,
    /// Copies that who subscribes has taken.
    Delivered,
    /// Copies that were given up and are gone.
    Dropped,
    /// Requests for which an instance of a function was built, or was being built.
    Cold,
}

const COUNTS: usize = 24;

/// One row of the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    counts: [u32; COUNTS],
    /// All times between coming and a good answer together, for the mean.
    pub time: Time,
}

impl Row {
    /// Nothing counted.
    pub const fn nothing() -> Row {
        Row {
            counts: [0; COUNTS],
            time: Time::ZERO,
        }
    }

    /// How many.
    #[inline]
    pub fn of(&self, count: Count) -> u32 {
        self.counts[count as usize]
    }

    #[inline]
    pub(super) fn add(&mut self, count: Count) {
        self.counts[count as usize] += 1;
    }

    /// The mean time of a good answer; zero if there was none.
    pub fn mean(&self) -> Time {
        Time(self.time.0 / u64::from(self.of(Count::Done)).max(1))
    }

    /// What has come since an earlier state of the row. A row that began anew since has nothing to take away.
    #[must_use]
    pub fn since(&self, earlier: &Row) -> Row {
        let mut row = *self;
        for (now, then) in row.counts.iter_mut().zip(earlier.counts) {
            *now = now.saturating_sub(then);
        }
        row.time = self.time.since(earlier.time);
        row
    }
}

/// All rows at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) word: &'static str,
    pub(super) at: Time,
    pub(super) all: Row,
    /// By node, then by member.
    pub(super) nodes: Vec<(Row, Vec<Row>)>,
    /// By node, if anything costs anything.
    pub(super) costs: Vec<Money>,
}

/// Pages that were kept, one for each word; the last moment that it was said.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages(pub(super) Vec<Page>);

impl Pages {
    pub(super) fn keep(&mut self, page: Page) {
        match self.0.iter_mut().find(|kept| kept.word == page.word) {
            Some(kept) => *kept = page,
            None => self.0.push(page),
        }
    }

    pub(super) fn find(&self, word: &str) -> Option<&Page> {
        self.0.iter().find(|page| page.word == word)
    }
}

/// What has come since a word was last said.
pub struct Since<'a> {
    pub(super) page: &'a Page,
    pub(super) now: &'a super::System,
}

impl Since<'_> {
    /// When that was, by the model's clock.
    pub fn at(&self) -> Time {
        self.page.at
    }

    /// What became of users' requests since.
    pub fn all(&self) -> Row {
        self.now.all.since(&self.page.all)
    }

    /// What came to a node since.
    pub fn node(&self, node: super::NodeId) -> Row {
        let then = self.page.nodes.get(usize::from(node.0));
        self.now
            .row(node)
            .since(&then.map(|then| then.0).unwrap_or_default())
    }

    /// What a node has cost since.
    pub fn cost(&self, node: super::NodeId, at: Time) -> Money {
        let then = self.page.costs.get(usize::from(node.0)).copied();
        self.now.cost(node, at).since(then.unwrap_or_default())
    }

    /// What all of it has cost since.
    pub fn cost_of_all(&self, at: Time) -> Money {
        let then = self.page.costs.iter().copied().sum();
        self.now.cost_of_all(at).since(then)
    }

    /// What came to one member of a node since.
    pub fn member(&self, node: super::NodeId, member: usize) -> Row {
        let then = self.page.nodes.get(usize::from(node.0));
        let then = then.and_then(|then| then.1.get(member)).copied();
        self.now
            .member_row(node, member)
            .since(&then.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_knows_what_came_since() {
        let mut row = Row::default();
        row.add(Count::Came);
        let then = row;
        row.add(Count::Came);
        row.add(Count::Done);
        row.time += Time::ms(80);
        let since = row.since(&then);
        assert_eq!((since.of(Count::Came), since.of(Count::Done)), (1, 1));
        assert_eq!(
            (since.mean(), then.since(&row).of(Count::Came)),
            (Time::ms(80), 0)
        );
    }
}
