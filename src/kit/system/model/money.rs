//! What parts cost: the accounts of nodes.

use super::System;
use crate::system::ledger::Count;
use crate::system::money::{Account, Money, Used};
use crate::system::plan::NodeId;
use crate::system::state::Live;
use engine::Time;

impl System {
    /// What a node has cost since time zero, its members that are gone included. [`Since::cost`](super::super::Since::cost) tells it since a word.
    pub fn cost(&self, node: NodeId, at: Time) -> Money {
        self.node(node)
            .map_or(Money::ZERO, |live| self.cost_of(live, at))
    }

    /// What all of it has cost since time zero.
    pub fn cost_of_all(&self, at: Time) -> Money {
        let all = self.nodes.iter().flatten();
        all.map(|live| self.cost_of(live, at)).sum()
    }

    /// What the members that a node has now cost a month; what is paid by use comes to that.
    pub fn a_month(&self, node: NodeId) -> Money {
        self.node(node).map_or(Money::ZERO, rent)
    }

    /// What all members that there are now cost a month.
    pub fn a_month_of_all(&self) -> Money {
        self.nodes.iter().flatten().map(rent).sum()
    }

    fn cost_of(&self, live: &Live, at: Time) -> Money {
        live.account.cost(self.used(live, at), at)
    }

    fn used(&self, live: &Live, at: Time) -> Used {
        let of = |count| i64::from(live.row.of(count));
        let requests = of(Count::Came) - of(Count::Refused) + of(Count::Asked) + of(Count::Deleted);
        let spans = match (&live.kept, self.gear.functions) {
            (Some(_), Some(functions)) => (functions.metered)(live, at),
            _ => [0; 3],
        };
        Used { requests, spans }
    }

    /// Members of a node came or went, or its price is another.
    pub(in crate::system) fn settle_account(&mut self, node: u16, now: Time) {
        let Some(used) = self.live(node).map(|live| self.used(live, now)) else {
            return;
        };
        if let Some(live) = self.live_mut(node) {
            let members = live.members.len();
            live.account.settle(live.node.price, members, used, now);
        }
    }

    /// Time zero: what the warm-up cost is forgotten.
    pub(in crate::system) fn open_accounts(&mut self, now: Time) {
        for node in 0..self.nodes.len() as u16 {
            if let Some(live) = self.live_mut(node) {
                live.account = Account::default();
            }
            self.settle_account(node, now);
        }
    }

    /// What each node has cost, for a page of the ledger.
    pub(in crate::system) fn costs(&self) -> Vec<Money> {
        let cost = |live: &Option<Live>| {
            let live = live.as_ref();
            live.map_or(Money::ZERO, |live| self.cost_of(live, self.now))
        };
        self.nodes.iter().map(cost).collect()
    }
}

fn rent(live: &Live) -> Money {
    let members = live.members.len() as u64;
    Money(live.node.price.month.0.saturating_mul(members))
}
