//! Breakers and retry budgets of a running system.

use super::plan::{self, Guard};
use algorithms::circuit_breaker::{State, counting, rates};
use algorithms::retry::Budget;
use engine::{PartId, Time};

/// The part of the breaker at a place of [`super::Plan::guards`]: counted from 1.
pub const fn breaker_part(place: u8) -> PartId {
    PartId::nth("breaker", place as u16 + 1)
}

/// The permission of a breaker for one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permit {
    /// Which breaker gave it: one that has been replaced wants to hear nothing.
    life: u32,
    ticket: Option<counting::Ticket>,
    /// The breaker was half-open: the call shows how the callee fares.
    pub(super) probe: bool,
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
    /// Of the calls since then: those that it let through.
    pub passed: u32,
    /// Those that it turned away.
    pub refused: u32,
    /// Those that it let through since then and that came back well.
    pub well: u32,
    /// What it did in the state before.
    pub before: Option<Tally>,
    /// Nobody has been told of its state yet.
    news: bool,
}

/// What a breaker did in a state that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The state.
    pub state: State,
    /// Calls that it let through.
    pub passed: u32,
    /// Calls that it turned away.
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
            passed: 0,
            refused: 0,
            well: 0,
            before: None,
            news: false,
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

    /// The calls that it judges by; none if it counts failures in a row.
    pub fn window(&self) -> Option<&rates::Window> {
        match &self.machine {
            Machine::Rates(breaker) => Some(breaker.window()),
            Machine::Counting(_) => None,
        }
    }

    /// Failures in a row, as far as it counts them.
    pub fn in_a_row(&self) -> u32 {
        match &self.machine {
            Machine::Rates(_) => 0,
            Machine::Counting(breaker) => breaker.counts().consecutive_failures,
        }
    }

    pub(super) fn ask(&mut self, now: Time) -> Option<Permit> {
        let life = self.life;
        let asked = match &mut self.machine {
            Machine::Rates(breaker) => breaker.try_acquire(now.0).then_some(None),
            Machine::Counting(breaker) => breaker.allow(now.0).ok().map(Some),
        };
        self.look(now);
        match asked {
            Some(_) => self.passed += 1,
            None => self.refused += 1,
        }
        asked.map(|ticket| Permit {
            life,
            ticket,
            probe: self.state == State::HalfOpen,
        })
    }

    pub(super) fn tell(&mut self, permit: Permit, well: bool, took: Time, now: Time) {
        if permit.life != self.life {
            return;
        }
        // A late outcome of a call that another state let through says nothing about this one.
        self.well += u32::from(well && permit.probe == (self.state == State::HalfOpen));
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

    /// Notices that it has changed its state.
    fn look(&mut self, now: Time) {
        let state = match &mut self.machine {
            Machine::Rates(breaker) => breaker.state(now.0),
            Machine::Counting(breaker) => breaker.state(now.0),
        };
        if state == self.state {
            return;
        }
        self.before = Some(Tally {
            state: self.state,
            passed: self.passed,
            refused: self.refused,
        });
        self.news = true;
        (self.state, self.since) = (state, now);
        (self.passed, self.refused, self.well) = (0, 0, 0);
    }

    /// Its new state, once.
    pub(super) fn news(&mut self, now: Time) -> Option<State> {
        self.look(now);
        std::mem::take(&mut self.news).then_some(self.state)
    }
}

/// A breaker that came or went because a plan says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replaced {
    pub(super) place: u8,
    /// It was open or half-open.
    pub(super) was_open: bool,
    /// There is one at its place now.
    pub(super) is_there: bool,
}

/// Makes breakers follow a plan: those whose rule is the same stay as they are.
pub(super) fn follow(
    breakers: &mut Vec<Option<Breaker>>,
    rules: &[Option<Guard>],
    lives: &mut u32,
    now: Time,
) -> Vec<Replaced> {
    let mut replaced = Vec::new();
    breakers.resize_with(rules.len().max(breakers.len()), || None);
    for (place, breaker) in breakers.iter_mut().enumerate() {
        let rule = rules.get(place).copied().flatten();
        if breaker.as_ref().map(|breaker| breaker.rule) == rule {
            continue;
        }
        replaced.push(Replaced {
            place: place as u8,
            was_open: breaker.as_ref().is_some_and(|it| it.state != State::Closed),
            is_there: rule.is_some(),
        });
        *lives += 1;
        *breaker = rule.map(|rule| Breaker::new(rule, *lives, now));
    }
    replaced
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
