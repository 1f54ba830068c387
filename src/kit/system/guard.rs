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

/// What decides, by one kind of rule or another: made by the gear of breakers alone, so that systems without them do not carry
/// it.
pub(super) trait Machine: std::fmt::Debug {
    fn copy(&self) -> Box<dyn Machine>;
    fn ask(&mut self, now: Time) -> Option<Option<counting::Ticket>>;
    fn tell(&mut self, ticket: Option<counting::Ticket>, well: bool, took: Time, now: Time);
    fn state(&mut self, now: Time) -> State;
    fn open_until(&self) -> Option<Time>;
    fn window(&self) -> Option<&rates::Window>;
    fn in_a_row(&self) -> u32;
}

impl Clone for Box<dyn Machine> {
    fn clone(&self) -> Self {
        (**self).copy()
    }
}

/// Makes the machine of a rule.
pub(super) type Make = fn(Guard, Time) -> Box<dyn Machine>;

/// The machine of a rule.
pub(super) fn machine(rule: Guard, now: Time) -> Box<dyn Machine> {
    match rule {
        Guard::Rates(settings) => Box::new(rates::Breaker::new(settings, now.0)),
        Guard::Counting(settings) => Box::new(counting::Breaker::new(settings, now.0)),
    }
}

impl Machine for rates::Breaker {
    fn copy(&self) -> Box<dyn Machine> {
        Box::new(self.clone())
    }

    fn ask(&mut self, now: Time) -> Option<Option<counting::Ticket>> {
        self.try_acquire(now.0).then_some(None)
    }

    fn tell(&mut self, _: Option<counting::Ticket>, well: bool, took: Time, now: Time) {
        let outcome = if well {
            rates::Outcome::Success
        } else {
            rates::Outcome::Failure
        };
        self.record(outcome, took.0, now.0);
    }

    fn state(&mut self, now: Time) -> State {
        rates::Breaker::state(self, now.0)
    }

    fn open_until(&self) -> Option<Time> {
        self.open_until_us().map(Time)
    }

    fn window(&self) -> Option<&rates::Window> {
        Some(rates::Breaker::window(self))
    }

    fn in_a_row(&self) -> u32 {
        0
    }
}

impl Machine for counting::Breaker {
    fn copy(&self) -> Box<dyn Machine> {
        Box::new(self.clone())
    }

    fn ask(&mut self, now: Time) -> Option<Option<counting::Ticket>> {
        self.allow(now.0).ok().map(Some)
    }

    fn tell(&mut self, ticket: Option<counting::Ticket>, well: bool, _: Time, now: Time) {
        let outcome = if well {
            counting::Outcome::Success
        } else {
            counting::Outcome::Failure
        };
        if let Some(ticket) = ticket {
            self.done(ticket, outcome, now.0);
        }
    }

    fn state(&mut self, now: Time) -> State {
        counting::Breaker::state(self, now.0)
    }

    fn open_until(&self) -> Option<Time> {
        self.expiry_us().map(Time)
    }

    fn window(&self) -> Option<&rates::Window> {
        None
    }

    fn in_a_row(&self) -> u32 {
        self.counts().consecutive_failures
    }
}

/// A circuit breaker in its place.
#[derive(Clone, Debug)]
pub struct Breaker {
    rule: Guard,
    machine: Box<dyn Machine>,
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
    pub(super) fn new(rule: Guard, machine: Box<dyn Machine>, life: u32, now: Time) -> Breaker {
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
        self.machine.open_until()
    }

    /// The calls that it judges by; none if it counts failures in a row.
    pub fn window(&self) -> Option<&rates::Window> {
        self.machine.window()
    }

    /// Failures in a row, as far as it counts them.
    pub fn in_a_row(&self) -> u32 {
        self.machine.in_a_row()
    }

    pub(super) fn ask(&mut self, now: Time) -> Option<Permit> {
        let life = self.life;
        let asked = self.machine.ask(now);
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
        self.machine.tell(permit.ticket, well, took, now);
    }

    /// Notices that it has changed its state.
    fn look(&mut self, now: Time) {
        let state = self.machine.state(now);
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
///
/// # Panics
/// If a plan has breakers and the script names no gear for them.
pub(super) fn follow(
    breakers: &mut Vec<Option<Breaker>>,
    rules: &[Option<Guard>],
    (make, lives): (Option<Make>, &mut u32),
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
        *breaker = rule.map(|rule| {
            let make = make.expect("gear for the breakers of the plan");
            Breaker::new(rule, make(rule, now), *lives, now)
        });
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
