//! Since when what challenges ask for is so.

use super::group::Group;
use super::settings::Settings;
use engine::Time;
use kit::flow::Holds;

/// Each lane's lag is below the first for one challenge, all of them together below the second for another.
pub(super) const LEVEL: u64 = 15;
pub(super) const FEW: u64 = 40;

/// What is remembered for challenges.
#[derive(Clone, Debug, Default)]
pub(super) struct Trials {
    /// Users of very different popularity, and no lane is behind.
    pub(super) level: Holds,
    /// Slow work, nothing again, and not behind.
    pub(super) sure: Holds,
    /// What Search had done and done again when that began.
    pub(super) sure_from: (u64, u64),
    /// Search has slept; since when it is awake again.
    pub(super) awake: Option<Time>,
    /// Two brokers are down, Shop can write to every lane, and nothing answered is gone.
    pub(super) down: Holds,
}

impl Trials {
    pub(super) fn look(&mut self, knobs: &Settings, lags: &[u64], search: &Group, now: Time) {
        let uneven = knobs.skew >= 1.0 && knobs.clicks >= 15 && knobs.work >= 200.0;
        let level = uneven && lags.iter().all(|lag| *lag < LEVEL);
        self.level.set(level, now);
        let few = lags.iter().sum::<u64>() < FEW;
        let same = search.again == self.sure_from.1;
        self.sure.set(knobs.work >= 1_000.0 && few && same, now);
        if self.sure.since().is_none_or(|since| since == now) {
            self.sure_from = (search.done, search.again);
        }
    }

    /// A knob was turned: what holds must hold from now on.
    pub(super) fn turned(&mut self, now: Time) {
        self.level.restart(now);
        self.sure.restart(now);
    }
}
