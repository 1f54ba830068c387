//! SWIM: who suspects whom of being dead, how the word gets round, and how many are asked.
//!
//! After Das, Gupta and Motivala, "SWIM: scalable weakly-consistent infection-style process group membership protocol", DSN
//! 2002, with the incarnations of its section 4.2 and, as HashiCorp's memberlist has them, time-outs that grow with the
//! logarithm of the group, and shrink with every other member that suspects the same one (Lifeguard, Dadgar, Phillips and
//! Currey, 2018).

use rand::{Rng, RngExt};
use std::collections::BTreeSet;

/// What somebody believes of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It answers.
    Alive,
    /// It did not answer, and may still say that it lives.
    Suspect,
    /// It is taken for gone.
    Dead,
}

/// What is said of a member: its health, and the incarnation of which it is said. Only the member itself counts that up, to
/// contradict what is said of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belief {
    /// Its health.
    pub health: Health,
    /// Its incarnation.
    pub incarnation: u64,
}

impl Belief {
    /// Whether this, newly heard, takes the place of what was believed: that it lives, of a later incarnation only; that it is
    /// suspected, also of the same one if it was thought alive; that it is dead, of the same or a later one (section 4.2).
    pub fn overrides(&self, old: &Belief) -> bool {
        match self.health {
            Health::Alive => self.incarnation > old.incarnation,
            Health::Suspect if old.health == Health::Alive => self.incarnation >= old.incarnation,
            Health::Suspect => self.incarnation > old.incarnation && old.health != Health::Dead,
            Health::Dead => self.incarnation >= old.incarnation && old.health != Health::Dead,
        }
    }

    /// What a member says that hears this of itself, if it has to contradict.
    pub fn refuted_by(&self, own: u64) -> Option<Belief> {
        let accused = self.health != Health::Alive && self.incarnation >= own;
        accused.then_some(Belief {
            health: Health::Alive,
            incarnation: self.incarnation + 1,
        })
    }
}

/// How long a member of a group of `n` stays suspected, in ms: `multiplier · max(1, log10 n) · interval`.
pub fn suspicion_ms(multiplier: u32, n: u32, interval_ms: u64) -> u64 {
    let scale = libm::log10(f64::from(n.max(1))).max(1.0);
    // In whole thousandths before it is multiplied, as memberlist does it.
    u64::from(multiplier) * ((scale * 1_000.0) as u64 * interval_ms / 1_000)
}

/// How often a word is passed on in a group of `n`: `multiplier · ⌈log10(n + 1)⌉`.
pub fn retransmissions(multiplier: u32, n: u32) -> u32 {
    multiplier * libm::ceil(libm::log10(f64::from(n) + 1.0)) as u32
}

/// So many members meet each other at the shortest interval.
const PUSH_PULL_AT_ONCE: u32 = 32;

/// How often two members exchange all they know, in a group of `n`: beyond 32 the less often the larger it is.
pub fn push_pull_interval(n: u32, interval: u64) -> u64 {
    if n <= PUSH_PULL_AT_ONCE {
        return interval;
    }
    let ratio = libm::log2(f64::from(n)) - libm::log2(f64::from(PUSH_PULL_AT_ONCE));
    interval * (libm::ceil(ratio) as u64 + 1)
}

/// How long a suspicion still lasts once `confirmations` of `k` others share it, in ms; below 0 it has ended.
pub fn suspicion_left_ms(
    confirmations: u32,
    k: u32,
    elapsed_ms: u64,
    min_ms: u64,
    max_ms: u64,
) -> i64 {
    let share = match k {
        0 => 1.0,
        _ => libm::log(f64::from(confirmations) + 1.0) / libm::log(f64::from(k) + 1.0),
    };
    let span = max_ms as f64 - share * (max_ms.saturating_sub(min_ms)) as f64;
    (libm::floor(span) as i64).max(min_ms as i64) - elapsed_ms as i64
}

/// A suspicion: who shares it, and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    from: u32,
    confirmed: BTreeSet<u32>,
    k: u32,
    min_ms: u64,
    max_ms: u64,
}

impl Suspicion {
    /// Member `from` suspects somebody; `k` others would be enough to make it short.
    pub fn new(from: u32, k: u32, min_ms: u64, max_ms: u64) -> Suspicion {
        Suspicion {
            from,
            confirmed: BTreeSet::new(),
            k,
            min_ms,
            max_ms,
        }
    }

    /// Another suspects the same; tells whether that counts: each does once, the first not again, and no more than `k`.
    pub fn confirm(&mut self, from: u32) -> bool {
        let counts = from != self.from && self.confirmed.len() < self.k as usize;
        counts && self.confirmed.insert(from)
    }

    /// How many share it.
    pub fn confirmations(&self) -> u32 {
        self.confirmed.len() as u32
    }

    /// When it ends, in ms after it began.
    pub fn ends_ms(&self) -> u64 {
        let left = suspicion_left_ms(self.confirmations(), self.k, 0, self.min_ms, self.max_ms);
        left.max(0) as u64
    }
}

/// Up to `k` different members out of those that may be asked; all of them if there are no more.
pub fn peers<T: Copy>(eligible: &[T], k: usize, rng: &mut impl Rng) -> Vec<T> {
    let mut left = eligible.to_vec();
    let mut chosen = Vec::with_capacity(k.min(left.len()));
    while chosen.len() < k && !left.is_empty() {
        chosen.push(left.swap_remove(rng.random_range(0..left.len())));
    }
    chosen
}

/// The mean number of periods until somebody of a group of `n` asks a member that has died, where each asks one other at random in
/// each period: `1 / (1 − (1 − 1/(n−1))^(n−1))`; of an endless group e/(e−1). From two members on.
pub fn periods_until_asked(n: Option<u32>) -> f64 {
    let missed = match n {
        Some(n) => {
            let others = f64::from(n.max(2) - 1);
            libm::pow(1.0 - 1.0 / others, others)
        }
        None => libm::exp(-1.0),
    };
    1.0 / (1.0 - missed)
}

/// How a rumour goes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Who knows it tells it.
    Push,
    /// Who calls tells it, or hears it.
    PushPull,
}

/// In how many rounds a rumour that one of `n` knows has reached all, where each calls `fanout` others at random in each
/// round, and all at once.
pub fn rounds(n: u32, fanout: u32, mode: Mode, rng: &mut impl Rng) -> u32 {
    let n = n.max(1) as usize;
    let mut knows = vec![false; n];
    knows[0] = true;
    let mut rounds = 0;
    while knows.contains(&false) {
        rounds += 1;
        let before = knows.clone();
        for me in 0..n {
            if mode == Mode::Push && !before[me] {
                continue;
            }
            for _ in 0..fanout {
                let other = rng.random_range(0..n - 1);
                let other = other + usize::from(other >= me);
                if before[me] || before[other] {
                    (knows[me], knows[other]) = (true, true);
                }
            }
        }
    }
    rounds
}

/// About how many rounds pushing to one takes in a large group: `log2 n + ln n` (Pittel 1987).
pub fn rounds_about(n: u32) -> f64 {
    libm::log2(f64::from(n)) + libm::log(f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn belief(health: Health, incarnation: u64) -> Belief {
        Belief {
            health,
            incarnation,
        }
    }

    #[test]
    fn only_a_later_incarnation_brings_back_who_is_suspected() {
        use Health::{Alive, Dead, Suspect};
        for (new, old, wins) in [
            ((Alive, 1), (Alive, 1), false),
            ((Alive, 2), (Alive, 1), true),
            ((Alive, 1), (Suspect, 1), false),
            ((Alive, 2), (Suspect, 1), true),
            ((Suspect, 1), (Alive, 1), true),
            ((Suspect, 0), (Alive, 1), false),
            ((Suspect, 1), (Suspect, 1), false),
            ((Suspect, 2), (Suspect, 1), true),
            ((Suspect, 5), (Dead, 1), false),
            ((Dead, 1), (Suspect, 1), true),
            ((Dead, 1), (Alive, 1), true),
            ((Dead, 0), (Alive, 1), false),
            ((Dead, 1), (Dead, 1), false),
            ((Alive, 2), (Dead, 1), true),
        ] {
            let (new, old) = (belief(new.0, new.1), belief(old.0, old.1));
            assert_eq!(new.overrides(&old), wins, "{new:?} over {old:?}");
        }
    }

    #[test]
    fn who_is_accused_contradicts_with_a_later_incarnation() {
        let accused = belief(Health::Suspect, 3);
        let answer = accused.refuted_by(3).unwrap();
        assert!(answer.overrides(&accused) && answer == belief(Health::Alive, 4));
        assert_eq!(accused.refuted_by(4), None, "that was of an earlier one");
        assert_eq!(belief(Health::Alive, 3).refuted_by(3), None);
    }
}
