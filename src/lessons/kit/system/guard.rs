//! Breakers and retry budgets of a running system.

use super::plan::{self, Guard};
use algorithms::circuit_breaker::{State, counting, rates};
use algorithms::retry::Budget;
use engine::Time;

/// The permission of a breaker for one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permit {
    /// Which breaker gave it: one that has been replaced wants to hear nothing.
    life: u32,
    ticket: Option<counting::Ticket>,
}

#[derive(Clone, Debug)]
enum Machine {
    Rates(rates::Breaker),
    Counting(counting::Breaker),
}

/// A circuit breaker in its place.
#[derive(Clone, Debug)]
pub struct Breaker {
    rule: Guard,
    machine: Machine,
    life: u32,
    /// As of the last call: an open breaker notices that its time is over when somebody calls.
    pub state: State,
    /// Since when it is in that state.
    pub since: Time,
    /// Calls that it has turned away.
    pub refused: u32,
}

impl Breaker {
    pub(super) fn new(rule: Guard, life: u32, now: Time) -> Breaker {
        let machine = match rule {
            Guard::Rates(settings) => Machine::Rates(rates::Breaker::new(settings, now.0)),
            Guard::Counting(settings) => Machine::Counting(counting::Breaker::new(settings, now.0)),
        };
        Breaker {
            rule,
            machine,
            life,
            state: State::Closed,
            since: now,
            refused: 0,
        }
    }

    /// The rule that it follows.
    pub fn rule(&self) -> &Guard {
        &self.rule
    }

    /// When it lets a probe through, if it is open.
    pub fn open_until(&self) -> Option<Time> {
        match &self.machine {
            Machine::Rates(breaker) => breaker.open_until_us().map(Time),
            Machine::Counting(breaker) => breaker.expiry_us().map(Time),
        }
    }

    pub(super) fn ask(&mut self, now: Time) -> Option<Permit> {
        let life = self.life;
        let permit = match &mut self.machine {
            Machine::Rates(breaker) => breaker
                .try_acquire(now.0)
                .then_some(Permit { life, ticket: None }),
            Machine::Counting(breaker) => breaker.allow(now.0).ok().map(|ticket| Permit {
                life,
                ticket: Some(ticket),
            }),
        };
        self.refused += u32::from(permit.is_none());
        permit
    }

    pub(super) fn tell(&mut self, permit: Permit, well: bool, took: Time, now: Time) {
        if permit.life != self.life {
            return;
        }
        match (&mut self.machine, permit.ticket) {
            (Machine::Rates(breaker), _) => {
                let outcome = if well {
                    rates::Outcome::Success
                } else {
                    rates::Outcome::Failure
                };
                breaker.record(outcome, took.0, now.0);
            }
            (Machine::Counting(breaker), Some(ticket)) => {
                let outcome = if well {
                    counting::Outcome::Success
                } else {
                    counting::Outcome::Failure
                };
                breaker.done(ticket, outcome, now.0);
            }
            (Machine::Counting(_), None) => {}
        }
    }

    /// Its new state, if it has changed since it was last looked at.
    pub(super) fn look(&mut self, now: Time) -> Option<State> {
        let state = match &mut self.machine {
            Machine::Rates(breaker) => breaker.state(now.0),
            Machine::Counting(breaker) => breaker.state(now.0),
        };
        (state != self.state).then(|| {
            self.state = state;
            self.since = now;
            state
        })
    }
}

/// Makes breakers follow a plan: those whose rule is the same stay as they are.
pub(super) fn follow(breakers: &mut Vec<Breaker>, rules: &[Guard], lives: &mut u32, now: Time) {
    breakers.truncate(rules.len());
    for (i, rule) in rules.iter().enumerate() {
        if breakers.get(i).is_some_and(|breaker| breaker.rule == *rule) {
            continue;
        }
        *lives += 1;
        let breaker = Breaker::new(*rule, *lives, now);
        match breakers.get_mut(i) {
            Some(old) => *old = breaker,
            None => breakers.push(breaker),
        }
    }
}

/// Makes retry budgets follow a plan, likewise.
pub(super) fn save(budgets: &mut Vec<(plan::Budget, Budget)>, rules: &[plan::Budget], now: Time) {
    budgets.truncate(rules.len());
    for (i, rule) in rules.iter().enumerate() {
        if budgets.get(i).is_some_and(|(old, _)| old == rule) {
            continue;
        }
        let budget = Budget::new(rule.saved_max, rule.ratio, rule.per_s, now.0);
        match budgets.get_mut(i) {
            Some(old) => *old = (*rule, budget),
            None => budgets.push((*rule, budget)),
        }
    }
}
