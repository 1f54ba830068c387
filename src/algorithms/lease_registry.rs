//! A service registry that grants leases: whoever registers and renews is listed, whoever falls silent is struck out by a sweep.
//!
//! The rules are those of Netflix' Eureka (`AbstractInstanceRegistry`, `Lease`, `MeasuredRate`): a lease is over when now is
//! *later* than its last renewal plus its length; ended leases go at the next sweep, not by themselves; and with
//! **self-preservation** nothing goes while fewer renewals came in the last full window than most of those expected, because so many
//! do not die at once: it is rather the network. Then, too, one sweep takes only so many. Eureka's own `Lease` adds the length
//! twice, a mistake that is kept for compatibility (Netflix/eureka#531); here it is added once.
//!
//! Instances are numbers, times are in µs and never go backwards. Nothing is drawn by chance: which of several ended leases go
//! first when not all may is for the caller to say.

/// An instance that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose it is.
    pub instance: u32,
    /// When it was granted.
    pub since_us: u64,
    /// When it was last renewed, or granted.
    pub renewed_us: u64,
}

impl Lease {
    // region: ended
    /// Whether it is over: a renewal in the last microsecond still counts.
    pub const fn is_over(&self, now_us: u64, length_us: u64) -> bool {
        now_us > self.renewed_us.saturating_add(length_us)
    }
    // endregion
}

/// When a registry would rather keep the dead than lose the living.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preservation {
    /// How often an instance is expected to renew, in µs; not 0.
    pub renew_us: u64,
    /// Renewals are counted over windows of this length, in µs; not 0. Eureka: a minute.
    pub window_us: u64,
    /// The share of them below which nothing goes, and of instances that one sweep leaves; 0 to 1. Eureka: 0.85.
    pub share: f64,
}

impl Preservation {
    /// Renewals that so many instances send in a window.
    pub fn expected(&self, instances: usize) -> f64 {
        instances as f64 * self.window_us as f64 / self.renew_us.max(1) as f64
    }

    // region: threshold
    /// With so many renewals, or fewer, nothing goes.
    pub fn threshold(&self, instances: usize) -> u32 {
        (self.expected(instances) * self.share) as u32
    }

    /// The most that one sweep takes of so many.
    pub fn most(&self, instances: usize) -> usize {
        instances - ((instances as f64 * self.share) as usize).min(instances)
    }
    // endregion
}

/// Why a sweep took nothing although leases had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Renewals expected in a window.
    pub expected: u32,
    /// Renewals that came in the last full one.
    pub came: u32,
    /// More would have been needed than this.
    pub threshold: u32,
}

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// The leases that it took out.
    pub struck: Vec<Lease>,
    /// Why it left others.
    pub kept: Option<Kept>,
}

/// Renewals by windows: of the running one, and of the last full one, as Eureka's `MeasuredRate` has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Renewals {
    began_us: u64,
    now: u32,
    last: u32,
}

impl Renewals {
    fn roll(&mut self, now_us: u64, window_us: u64) {
        let windows = now_us.saturating_sub(self.began_us) / window_us.max(1);
        match windows {
            0 => return,
            1 => self.last = self.now,
            _ => self.last = 0,
        }
        self.now = 0;
        self.began_us += windows * window_us;
    }
}

/// The registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    /// By instance.
    leases: Vec<Lease>,
    version: u64,
    renewals: Renewals,
}

impl Registry {
    /// Knows nobody; its windows of renewals begin now.
    pub fn new(now_us: u64) -> Registry {
        Registry {
            renewals: Renewals {
                began_us: now_us,
                ..Renewals::default()
            },
            ..Registry::default()
        }
    }

    /// Knows these by number, as if it had long run: as many renewals came in the window before as are expected, and so many
    /// since this one began. Its list is newer than any before.
    #[must_use]
    pub fn settled(
        &self,
        (began_us, came): (u64, u32),
        leases: Vec<Lease>,
        rule: &Preservation,
    ) -> Registry {
        let mut registry = self.restarted(began_us);
        registry.renewals.last = rule.expected(leases.len()) as u32;
        registry.renewals.now = came;
        registry.leases = leases;
        registry.version += 1;
        registry
    }

    fn place(&self, instance: u32) -> Result<usize, usize> {
        self.leases
            .binary_search_by_key(&instance, |it| it.instance)
    }

    /// The lease of an instance, if it is listed.
    pub fn lease(&self, instance: u32) -> Option<&Lease> {
        self.leases.get(self.place(instance).ok()?)
    }

    /// The list, by instance.
    pub fn leases(&self) -> &[Lease] {
        &self.leases
    }

    /// How often the list has changed. It never falls, so that a caller can tell the newer of two lists.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// An empty registry takes the place of this one: a restart. Its list is newer than any before.
    #[must_use]
    pub fn restarted(&self, now_us: u64) -> Registry {
        Registry {
            version: self.version + 1,
            ..Registry::new(now_us)
        }
    }

    // region: register
    /// An instance says that it is there. Whether it was not listed.
    pub fn register(&mut self, instance: u32, now_us: u64) -> bool {
        match self.place(instance) {
            Ok(place) => {
                self.leases[place].renewed_us = now_us;
                false
            }
            Err(place) => {
                let lease = Lease {
                    instance,
                    since_us: now_us,
                    renewed_us: now_us,
                };
                self.leases.insert(place, lease);
                self.version += 1;
                true
            }
        }
    }

    /// A heartbeat. False if the instance is not listed: then it must register anew, for the registry knows no address.
    pub fn renew(&mut self, instance: u32, now_us: u64, window_us: u64) -> bool {
        let Ok(place) = self.place(instance) else {
            return false;
        };
        self.leases[place].renewed_us = now_us;
        self.renewals.roll(now_us, window_us);
        self.renewals.now += 1;
        true
    }
    // endregion

    /// An instance signs off, or somebody strikes it out. Whether it was listed.
    pub fn cancel(&mut self, instance: u32) -> bool {
        let Ok(place) = self.place(instance) else {
            return false;
        };
        self.leases.remove(place);
        self.version += 1;
        true
    }

    // region: sweep
    /// Takes out the leases of which `is_over` says so; of more than may go, those that `first` gives the smallest numbers.
    pub fn sweep(
        &mut self,
        now_us: u64,
        rule: Option<&Preservation>,
        is_over: impl Fn(&Lease) -> bool,
        first: impl Fn(&Lease) -> u64,
    ) -> Sweep {
        let mut over: Vec<Lease> = self
            .leases
            .iter()
            .copied()
            .filter(|it| is_over(it))
            .collect();
        if let Some(rule) = rule {
            self.renewals.roll(now_us, rule.window_us);
            let (all, came) = (self.leases.len(), self.renewals.last);
            let threshold = rule.threshold(all);
            if !over.is_empty() && came <= threshold {
                let expected = rule.expected(all) as u32;
                let kept = Some(Kept {
                    expected,
                    came,
                    threshold,
                });
                return Sweep {
                    struck: Vec::new(),
                    kept,
                };
            }
            over = least(over, rule.most(all), first);
        }
        for lease in &over {
            self.cancel(lease.instance);
        }
        Sweep {
            struck: over,
            kept: None,
        }
    }
    // endregion
}

/// Of these, at most so many: those to which `first` gives the smallest numbers.
fn least(mut leases: Vec<Lease>, most: usize, first: impl Fn(&Lease) -> u64) -> Vec<Lease> {
    let mut taken = Vec::new();
    while taken.len() < most {
        let next = (0..leases.len()).min_by_key(|i| (first(&leases[*i]), *i));
        let Some(next) = next else { break };
        taken.push(leases.remove(next));
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000;
    const RULE: Preservation = Preservation {
        renew_us: 3 * S,
        window_us: 6 * S,
        share: 0.85,
    };

    fn full(n: u32) -> Registry {
        let mut registry = Registry::new(0);
        for instance in 0..n {
            assert!(registry.register(instance, 0));
        }
        registry
    }

    fn sweep(registry: &mut Registry, now_us: u64, rule: Option<&Preservation>) -> Sweep {
        registry.sweep(now_us, rule, |it| it.is_over(now_us, 9 * S), |_| 0)
    }

    #[test]
    fn a_beat_in_the_microsecond_in_which_the_lease_ends_keeps_it() {
        let lease = *full(1).lease(0).unwrap();
        assert!(!lease.is_over(9 * S, 9 * S) && lease.is_over(9 * S + 1, 9 * S));
        let mut registry = full(1);
        assert!(registry.renew(0, 9 * S, 6 * S));
        assert_eq!(sweep(&mut registry, 9 * S, None), Sweep::default());
    }

    #[test]
    fn who_is_struck_out_must_register_anew() {
        let mut registry = full(2);
        assert!(registry.renew(1, 5 * S, 6 * S));
        let struck = sweep(&mut registry, 10 * S, None).struck;
        assert_eq!(struck.len(), 1);
        let version = registry.version();
        assert!(
            !registry.renew(0, 11 * S, 6 * S),
            "its late beat is unknown"
        );
        assert!(registry.register(0, 11 * S) && !registry.register(0, 12 * S));
        assert_eq!(
            (registry.version(), registry.leases().len()),
            (version + 1, 2)
        );
    }

    #[test]
    fn one_death_of_six_is_kept_for_ever_and_one_of_seven_is_not() {
        for n in 1..=20_u32 {
            let mut registry = full(n);
            let mut struck = false;
            for second in (3..=60).step_by(3) {
                for instance in 1..n {
                    registry.renew(instance, second * S - 1, 6 * S);
                }
                if second % 6 == 0 {
                    struck |= !sweep(&mut registry, second * S, Some(&RULE))
                        .struck
                        .is_empty();
                }
            }
            assert_eq!(struck, n >= 7, "{n} instances");
        }
    }

    #[test]
    fn a_sweep_says_why_it_kept_what_had_ended() {
        let mut registry = full(6);
        for second in [6, 9] {
            (1..6).for_each(|instance| _ = registry.renew(instance, second * S, 6 * S));
        }
        let kept = Kept {
            expected: 12,
            came: 10,
            threshold: 10,
        };
        assert_eq!(sweep(&mut registry, 12 * S, Some(&RULE)).kept, Some(kept));
        assert!(sweep(&mut registry, 12 * S, None).struck.len() == 1);
    }

    #[test]
    fn of_two_deaths_one_sweep_takes_as_many_as_it_may() {
        // Fourteen: at most 3 a sweep; two beats of 28 are missing a window for each death: 24 is above 23.
        let mut registry = full(14);
        for second in [6, 9] {
            (2..14).for_each(|instance| _ = registry.renew(instance, second * S, 6 * S));
        }
        assert_eq!(sweep(&mut registry, 12 * S, Some(&RULE)).struck.len(), 2);
        // Seven: at most 2 a sweep, and the first in the order that the caller gives.
        let mut registry = full(7);
        let all = registry.sweep(S, None, |_| false, |_| 0);
        assert_eq!(all, Sweep::default());
        for second in [6, 9] {
            for instance in 1..7 {
                registry.renew(instance, second * S, 6 * S);
            }
        }
        let order = |it: &Lease| u64::from(10 - it.instance);
        let two = registry.sweep(12 * S, Some(&RULE), |it| it.instance < 3, order);
        let who: Vec<u32> = two.struck.iter().map(|it| it.instance).collect();
        assert_eq!(who, [2, 1]);
    }

    #[test]
    fn a_settled_registry_expects_what_it_has_heard() {
        let lease = |instance| Lease {
            instance,
            since_us: 0,
            renewed_us: 5 * S,
        };
        let registry = full(2).settled((6 * S, 0), (0..6).map(lease).collect(), &RULE);
        assert_eq!((registry.leases().len(), registry.renewals.last), (6, 12));
        let later = registry.restarted(7 * S);
        assert!(later.leases().is_empty() && later.version() > registry.version());
    }

    /// Runs a random schedule of deaths, returns, beats that get lost and sweeps; says which law was broken.
    fn laws(seed: u64, is_over: impl Fn(&Lease, u64) -> bool) -> Result<(), &'static str> {
        let mut registry = Registry::new(0);
        let mut heard = [None; 8];
        let (mut now, mut state, mut version) = (0, seed, 0);
        let mut draw = |n: u64| {
            state = crate::hash::mix64(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
            state % n
        };
        for _ in 0..400 {
            now += draw(S);
            let who = draw(8) as u32;
            match draw(4) {
                0 => _ = registry.register(who, now),
                1 => {
                    if !registry.renew(who, now, 6 * S) {
                        continue;
                    }
                }
                2 => {
                    if registry.cancel(who) {
                        heard[who as usize] = None;
                    }
                    continue;
                }
                _ => {
                    let swept = registry.sweep(now, None, |it| is_over(it, now), |_| 0);
                    for lease in swept.struck {
                        let last = heard[lease.instance as usize].take();
                        let last: u64 = last.ok_or("struck out who was not there")?;
                        if now <= last + 2 * S {
                            return Err("struck out before its lease ended");
                        }
                    }
                    let late = registry
                        .leases()
                        .iter()
                        .any(|it| now > it.renewed_us + 2 * S);
                    if late {
                        return Err("kept although its lease had ended");
                    }
                    continue;
                }
            }
            heard[who as usize] = Some(now);
            if registry.version() < version {
                return Err("the version fell");
            }
            version = registry.version();
            if !registry.leases().is_sorted_by_key(|it| it.instance) {
                return Err("twice in the list, or out of order");
            }
        }
        Ok(())
    }

    #[test]
    fn whatever_comes_nobody_goes_early_and_nobody_stays_late() {
        for seed in 0..crate::schedules(200) {
            assert_eq!(
                laws(seed, |it, now| it.is_over(now, 2 * S)),
                Ok(()),
                "seed {seed}"
            );
        }
        // A rule that is wrong is caught.
        let caught =
            |rule: &dyn Fn(&Lease, u64) -> bool| (0..200).any(|seed| laws(seed, rule).is_err());
        assert!(caught(&|it, now| it.is_over(now, S)) && caught(&|it, now| it.is_over(now, 4 * S)));
        assert!(caught(&|it, now| now > it.since_us + 2 * S));
    }
}
