//! A crowd beside the two: many withdraw at once from many accounts. How often is money lost without anybody noticing?

use super::settings::{Refused, Settings};
use algorithms::isolation::Id;
use algorithms::isolation::programs::{Phase, Setting};
use algorithms::isolation::scenarios::{BALANCE, withdraw};
use engine::random::below;
use rand_pcg::Pcg32;

/// What has come of it since the last turn of a knob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Crowd {
    /// Withdrawals that were committed, and those of them that left no trace.
    pub(super) done: u32,
    pub(super) lost: u32,
    /// Withdrawals that were refused.
    pub(super) refused: u32,
}

impl Crowd {
    /// One round: all withdraw 1 at once, in a random order of their steps.
    pub(super) fn round(&mut self, knobs: &Settings, rng: &mut Pcg32) {
        let accounts = knobs.accounts as usize;
        let program = |rng: &mut Pcg32| withdraw(below(rng, accounts) as Id, knobs.fix.fix(), 1);
        let setting = Setting {
            rows: (0..knobs.accounts).map(|id| (id, BALANCE)).collect(),
            programs: (0..knobs.crowd).map(|_| program(rng)).collect(),
            again: knobs.refused == Refused::Again,
        };
        let mut order: Vec<usize> = Vec::new();
        for (who, program) in setting.programs.iter().enumerate() {
            for _ in program {
                let at = below(rng, order.len() + 1);
                order.insert(at, who);
            }
        }
        let (database, level) = (knobs.database.database(), knobs.level.level());
        let play = setting.run(database, level, &order);
        let mut done = 0;
        for session in &play.sessions {
            match session.phase {
                Phase::Committed => done += 1,
                _ => self.refused += 1,
            }
        }
        let left: i64 = play.db.values().iter().map(|(_, value)| value).sum();
        let gone = BALANCE * i64::from(knobs.accounts) - left;
        self.done += done;
        self.lost += done.saturating_sub(gone.max(0) as u32);
    }
}
