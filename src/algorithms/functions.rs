//! Functions as a service: instances that are built for requests, kept warm a while, and thrown away.
//!
//! A request takes the most recently used free instance, so that a surplus can end; if there is none, a
//! new one is built for it, as far as the limit of instances and the allowance for new ones permit; else
//! it is refused with 429. Source: AWS Lambda Developer Guide (concurrency, scaling, quotas), before and
//! after November 2023; Shahrad et al. 2020 for how long instances are kept. Times are microseconds.

use crate::limiter::Rate;
use crate::token_bucket::{Bandwidth, Refill, TokenBucket};
use std::collections::BTreeMap;

const SECOND_US: u64 = 1_000_000;

/// How fast instances may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// So many at once, and never more saved up.
    pub burst: u64,
    /// So many again.
    pub step: u64,
    /// In each time of this length.
    pub every_us: u64,
    /// Whether they come one by one over that time instead of all at its end.
    pub evenly: bool,
}

impl Allowance {
    /// Lambda since November 2023: 1,000 for each function in 10 s.
    pub const PER_FUNCTION: Allowance = Allowance {
        burst: 1_000,
        step: 1_000,
        every_us: 10 * SECOND_US,
        evenly: true,
    };

    /// Lambda before November 2023: an initial burst that depends on the region, then 500 a minute.
    pub const fn per_region(burst: u64) -> Allowance {
        Allowance {
            burst,
            step: 500,
            every_us: 60 * SECOND_US,
            evenly: false,
        }
    }

    /// The most that can run after so long if all that is allowed is used, up to a quota.
    pub fn concurrency_max(&self, elapsed_us: u64, quota: u64) -> u64 {
        let every_us = u128::from(self.every_us.max(1));
        let (step, elapsed) = (u128::from(self.step), u128::from(elapsed_us));
        let added = if self.evenly {
            elapsed * step / every_us
        } else {
            elapsed / every_us * step
        };
        let most = u128::from(self.burst) + added;
        u64::try_from(most).unwrap_or(u64::MAX).min(quota)
    }

    fn bucket(&self, now_us: u64) -> TokenBucket {
        let limit = Bandwidth {
            capacity: self.burst.max(if self.evenly { 0 } else { self.step }),
            rate: Rate::new(self.step, self.every_us),
            refill: if self.evenly {
                Refill::Greedy
            } else {
                Refill::Intervally
            },
            initial: self.burst,
        };
        TokenBucket::new(now_us, &[limit])
    }
}

/// The initial burst of a region before November 2023.
pub fn burst_of_region(region: &str) -> u64 {
    match region {
        "us-west-2" | "us-east-1" | "eu-west-1" => 3_000,
        "ap-northeast-1" | "eu-central-1" | "us-east-2" => 1_000,
        _ => 500,
    }
}

/// Requests in work at once: how many arrive in the time that one takes (Little's law).
pub fn concurrency(requests_per_s: f64, duration_s: f64) -> f64 {
    requests_per_s * duration_s
}

/// The chance that a request finds its only instance gone: Poisson arrivals, work that takes no time,
/// and an instance that is kept so long after the last of them.
pub fn cold_chance(requests_per_s: f64, kept_s: f64) -> f64 {
    libm::exp(-(requests_per_s.max(0.0) * kept_s.max(0.0)))
}

/// How many of so many requests at once are refused.
pub fn throttled(demand: u64, available: u64) -> u64 {
    demand.saturating_sub(available)
}

/// The status of a refused request.
pub const THROTTLED_STATUS: u16 = 429;

/// The rules of one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Most instances with a request at once: what lies idle does not count.
    pub limit: usize,
    /// How long an idle instance is kept; one that is asked for at this very moment still serves.
    pub kept_us: u64,
    /// Requests that one instance works on at once: 1 on Lambda, up to 80 and more on Cloud Run.
    pub at_once: usize,
    /// How fast instances may be added.
    pub allowance: Allowance,
    /// Instances that are built ahead and never end; no more than the limit.
    pub provisioned: usize,
}

/// Names an instance; later ones have larger numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceId(pub u64);

/// What an instance is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Being built.
    Starting,
    /// Has work.
    Busy,
    /// Waits for work, since then.
    Idle {
        /// When its last work ended.
        since_us: u64,
    },
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Whether it is ready.
    pub started: bool,
    /// Requests that it has.
    pub requests: usize,
    /// The version of the code that it runs.
    pub version: u64,
    /// Whether it stays however long it is idle.
    pub provisioned: bool,
    used_us: u64,
}

impl Instance {
    /// What it is doing.
    pub fn state(&self) -> State {
        match (self.started, self.requests) {
            (false, _) => State::Starting,
            (true, 0) => State::Idle {
                since_us: self.used_us,
            },
            (true, _) => State::Busy,
        }
    }
}

/// Where a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// To an instance that is ready.
    Warm(InstanceId),
    /// To one that is starting already.
    Joined(InstanceId),
    /// To a new one that must be built: a cold start.
    Cold(InstanceId),
    /// Nowhere: as many instances are in use as may be.
    Limit,
    /// Nowhere: no new instance may be added yet.
    Allowance,
}

/// The instances of one function.
#[derive(Clone, Debug)]
pub struct Functions {
    settings: Settings,
    allowance: TokenBucket,
    instances: BTreeMap<InstanceId, Instance>,
    version: u64,
    next: u64,
}

impl Functions {
    /// A function without instances, but for those provisioned: these are starting.
    pub fn new(now_us: u64, settings: Settings) -> Functions {
        let mut functions = Functions {
            settings,
            allowance: settings.allowance.bucket(now_us),
            instances: BTreeMap::new(),
            version: 1,
            next: 1,
        };
        functions.provision(now_us);
        functions
    }

    /// The instances, oldest first.
    pub fn instances(&self) -> impl Iterator<Item = (InstanceId, &Instance)> {
        self.instances.iter().map(|(id, instance)| (*id, instance))
    }

    /// The version that new requests meet.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Changes the rules. A lower limit ends no instance; it only lets no new one be built.
    pub fn set(&mut self, now_us: u64, settings: Settings) {
        if settings.allowance != self.settings.allowance {
            self.allowance = settings.allowance.bucket(now_us);
        }
        self.settings = settings;
        self.provision(now_us);
    }

    /// One instance, while it lives.
    pub fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.instances.get(&id)
    }

    // region: place
    /// Finds a place for a request.
    pub fn place(&mut self, now_us: u64) -> Placement {
        self.expire(now_us);
        let (version, at_once) = (self.version, self.settings.at_once.max(1));
        let takes =
            |instance: &&Instance| instance.version == version && instance.requests < at_once;
        // A ready one before one that is starting; of the ready the most recently used.
        let chosen = (self.instances.iter())
            .filter(|(_, instance)| takes(instance))
            .max_by_key(|(id, instance)| (instance.started, instance.used_us, **id))
            .map(|(id, _)| *id);
        if let Some(id) = chosen {
            let warm = self.take(now_us, id);
            return if warm {
                Placement::Warm(id)
            } else {
                Placement::Joined(id)
            };
        }
        let in_use = self.instances.values().filter(|one| one.requests > 0);
        if in_use.count() >= self.settings.limit {
            return Placement::Limit;
        }
        if !self.allowance.consume(now_us, 1) {
            return Placement::Allowance;
        }
        let id = self.build(now_us, false);
        self.take(now_us, id);
        Placement::Cold(id)
    }
    // endregion

    /// An instance is ready. Returns how many requests it begins to work on.
    pub fn started(&mut self, now_us: u64, id: InstanceId) -> usize {
        let Some(instance) = self.instances.get_mut(&id) else {
            return 0;
        };
        instance.started = true;
        instance.used_us = now_us;
        instance.requests
    }

    /// A request has been answered. An instance of an old version that has no other is frozen: it gets
    /// no more, and ends when its time is up.
    pub fn finished(&mut self, now_us: u64, id: InstanceId) {
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.requests = instance.requests.saturating_sub(1);
            instance.used_us = now_us;
        }
    }

    /// An instance has failed or is taken away. Returns how many requests it had.
    pub fn lose(&mut self, id: InstanceId) -> usize {
        self.instances.remove(&id).map_or(0, |lost| lost.requests)
    }

    // region: deploy
    /// A new version of the code: old instances are chosen no more. Provisioned ones are built anew.
    pub fn deploy(&mut self, now_us: u64) {
        self.version += 1;
        for instance in self.instances.values_mut() {
            instance.provisioned = false;
        }
        self.provision(now_us);
    }
    // endregion

    // region: expire
    /// Ends what has been idle for longer than it is kept. Returns who.
    pub fn expire(&mut self, now_us: u64) -> Vec<InstanceId> {
        let kept_us = self.settings.kept_us;
        let over = |instance: &Instance| match instance.state() {
            State::Idle { since_us } => {
                !instance.provisioned && now_us.saturating_sub(since_us) > kept_us
            }
            _ => false,
        };
        let ended: Vec<InstanceId> = (self.instances.iter())
            .filter(|(_, instance)| over(instance))
            .map(|(id, _)| *id)
            .collect();
        for id in &ended {
            self.instances.remove(id);
        }
        ended
    }
    // endregion

    /// When the next idle instance is over, the moment after it was kept to; `None` if none will be.
    pub fn next_expiry_us(&self) -> Option<u64> {
        let over = |instance: &Instance| match instance.state() {
            State::Idle { since_us } if !instance.provisioned => Some(
                since_us
                    .saturating_add(self.settings.kept_us)
                    .saturating_add(1),
            ),
            _ => None,
        };
        self.instances.values().filter_map(over).min()
    }

    fn take(&mut self, now_us: u64, id: InstanceId) -> bool {
        self.instances.get_mut(&id).is_some_and(|instance| {
            instance.requests += 1;
            instance.used_us = now_us;
            instance.started
        })
    }

    fn build(&mut self, now_us: u64, provisioned: bool) -> InstanceId {
        let id = InstanceId(self.next);
        self.next += 1;
        let instance = Instance {
            started: false,
            requests: 0,
            version: self.version,
            provisioned,
            used_us: now_us,
        };
        self.instances.insert(id, instance);
        id
    }

    /// Brings the number of provisioned instances to what is wanted; fewer are wanted: the newest become
    /// ordinary ones.
    fn provision(&mut self, now_us: u64) {
        let wanted = self.settings.provisioned.min(self.settings.limit);
        let provisioned = self.instances.values_mut().filter(|i| i.provisioned);
        let mut held = 0;
        for instance in provisioned {
            held += 1;
            instance.provisioned = held <= wanted;
            if held > wanted {
                instance.used_us = now_us;
            }
        }
        for _ in held..wanted {
            self.build(now_us, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = SECOND_US;

    fn settings() -> Settings {
        Settings {
            limit: 50,
            kept_us: 30 * S,
            at_once: 1,
            allowance: Allowance {
                burst: 50,
                step: 50,
                every_us: 10 * S,
                evenly: true,
            },
            provisioned: 0,
        }
    }

    fn cold(placement: Placement) -> InstanceId {
        let Placement::Cold(id) = placement else {
            panic!("{placement:?}")
        };
        id
    }

    #[test]
    fn the_request_wins_at_the_moment_at_which_the_instance_would_end() {
        let mut functions = Functions::new(0, settings());
        let id = cold(functions.place(0));
        assert_eq!(functions.started(S, id), 1);
        functions.finished(2 * S, id);
        assert_eq!(functions.next_expiry_us(), Some(32 * S + 1));
        assert_eq!(functions.place(32 * S), Placement::Warm(id));
        functions.finished(33 * S, id);
        assert_eq!(functions.expire(63 * S), []);
        assert_eq!(functions.expire(63 * S + 1), [id]);
    }

    #[test]
    fn the_most_recently_used_serves_so_that_a_surplus_ends() {
        let mut functions = Functions::new(0, settings());
        let (a, b) = (cold(functions.place(0)), cold(functions.place(0)));
        for id in [a, b] {
            functions.started(S, id);
        }
        functions.finished(2 * S, b);
        functions.finished(3 * S, a);
        for second in 4..40 {
            assert_eq!(functions.place(second * S), Placement::Warm(a));
            functions.finished(second * S, a);
        }
        assert_eq!(functions.instances().count(), 1);
    }

    #[test]
    fn limit_and_allowance_refuse() {
        let mut functions = Functions::new(0, settings());
        let placed: Vec<_> = (0..60).map(|_| functions.place(0)).collect();
        assert_eq!(
            placed.iter().filter(|p| **p == Placement::Limit).count(),
            10
        );
        let roomy = Settings {
            limit: 1_000,
            ..settings()
        };
        let mut functions = Functions::new(0, roomy);
        let mut built = 0;
        for tenth in 0..=100 {
            while let Placement::Cold(_) = functions.place(tenth * S / 10) {
                built += 1;
            }
        }
        assert_eq!(built, 100);
        assert_eq!(functions.place(10 * S), Placement::Allowance);
        functions.set(
            10 * S,
            Settings {
                limit: 20,
                ..settings()
            },
        );
        assert_eq!(functions.place(11 * S), Placement::Limit);
        assert_eq!(functions.instances().count(), 100, "none is ended");
    }

    #[test]
    fn what_lies_frozen_is_not_in_use() {
        let few = Settings {
            limit: 2,
            ..settings()
        };
        let mut functions = Functions::new(0, few);
        let ids = [0, 0].map(|now_us| cold(functions.place(now_us)));
        assert_eq!(functions.place(0), Placement::Limit);
        for id in ids {
            functions.started(S, id);
            functions.finished(S, id);
        }
        functions.deploy(S);
        cold(functions.place(S));
        cold(functions.place(S));
        assert_eq!(functions.place(S), Placement::Limit);
        assert_eq!(functions.instances().count(), 4);
    }

    #[test]
    fn several_requests_share_an_instance_even_while_it_starts() {
        let mut functions = Functions::new(
            0,
            Settings {
                at_once: 2,
                ..settings()
            },
        );
        let id = cold(functions.place(0));
        assert_eq!(functions.place(1), Placement::Joined(id));
        let other = cold(functions.place(2));
        assert_eq!(functions.started(S, id), 2);
        functions.finished(2 * S, id);
        assert_eq!(
            functions.place(2 * S),
            Placement::Warm(id),
            "ready before starting"
        );
        assert_eq!(functions.lose(other), 1);
        assert_eq!(functions.lose(other), 0);
    }

    #[test]
    fn a_new_version_leaves_old_instances_frozen() {
        let mut functions = Functions::new(
            0,
            Settings {
                provisioned: 60,
                ..settings()
            },
        );
        assert_eq!(functions.instances().count(), 50, "no more than the limit");
        let ids: Vec<_> = functions.instances().map(|(id, _)| id).collect();
        for &id in &ids {
            functions.started(S, id);
        }
        assert!(functions.expire(1_000 * S).is_empty());
        assert!(matches!(functions.place(1_000 * S), Placement::Warm(_)));
        functions.deploy(1_000 * S);
        let of = |functions: &Functions, version| {
            functions
                .instances()
                .filter(|(_, i)| i.version == version)
                .count()
        };
        assert_eq!((of(&functions, 1), of(&functions, 2)), (50, 50));
        functions.expire(1_000 * S);
        assert_eq!((of(&functions, 1), of(&functions, 2)), (1, 50));
        functions.set(
            1_000 * S,
            Settings {
                provisioned: 2,
                ..settings()
            },
        );
        let kept = functions.instances().filter(|(_, i)| i.provisioned).count();
        assert_eq!(kept, 2);
    }

    #[test]
    fn rules_of_two_ages() {
        let old = Allowance::per_region(burst_of_region("eu-north-1"));
        let after_s = |s: u64| old.concurrency_max(s * S, 3_000);
        assert_eq!(
            [0, 59, 60, 300, 600].map(after_s),
            [500, 500, 1_000, 3_000, 3_000]
        );
        let new = Allowance::PER_FUNCTION;
        assert_eq!(new.concurrency_max(5 * S, 10_000), 1_500);
        let most = new.concurrency_max(u64::MAX, u64::MAX);
        assert_eq!(most, 1_000 + u64::MAX / 10_000);
        assert_eq!(throttled(3, 5), 0);
    }
}
