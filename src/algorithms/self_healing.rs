//! How Kubernetes keeps pods running: restart back-off, probes, ReplicaSets and lost nodes.
//!
//! Source: Kubernetes documentation (pod lifecycle, probes, ReplicaSet, node heartbeats) and
//! kubernetes/kubernetes (controller_utils.go for the order of deletion). Times are microseconds.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// One second in the unit of this file.
pub const SECOND_US: u64 = 1_000_000;

/// Waits longer before each restart of a thing that keeps failing (shown as `CrashLoopBackOff`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartBackoff {
    /// Delay after the first failure.
    pub first_us: u64,
    /// By how much each delay exceeds the one before.
    pub factor: u32,
    /// Longest delay.
    pub cap_us: u64,
    /// A run this long without failure makes the next failure count as the first.
    pub reset_after_us: Option<u64>,
    failures: u32,
}

impl RestartBackoff {
    /// No failures yet.
    pub fn new(first_us: u64, factor: u32, cap_us: u64, reset_after_us: Option<u64>) -> Self {
        Self {
            first_us,
            factor,
            cap_us,
            reset_after_us,
            failures: 0,
        }
    }

    /// A container restarted by the kubelet: 10 s doubling to 300 s, anew after 10 good minutes.
    pub fn container() -> Self {
        Self::new(10 * SECOND_US, 2, 300 * SECOND_US, Some(600 * SECOND_US))
    }

    /// Failed pods of a Job: 10 s doubling to six minutes.
    pub fn job() -> Self {
        Self::new(10 * SECOND_US, 2, 360 * SECOND_US, None)
    }

    /// Failures that count.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// It failed after running for `ran_us`; returns how long to wait before it starts again.
    pub fn failed(&mut self, ran_us: u64) -> u64 {
        if self
            .reset_after_us
            .is_some_and(|reset_us| ran_us >= reset_us)
        {
            self.failures = 0;
        }
        let growth = u64::from(self.factor).saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.first_us.saturating_mul(growth).min(self.cap_us)
    }
}

/// How often and how patiently a container is asked whether it is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeSettings {
    /// Quiet time after the container starts.
    pub initial_delay_us: u64,
    /// Time from one probe to the next.
    pub period_us: u64,
    /// A probe unanswered for so long has failed.
    pub timeout_us: u64,
    /// Failures in a row that make it unwell.
    pub failure_threshold: u32,
    /// Successes in a row that make it well again.
    pub success_threshold: u32,
}

impl Default for ProbeSettings {
    fn default() -> Self {
        Self {
            initial_delay_us: 0,
            period_us: 10 * SECOND_US,
            timeout_us: SECOND_US,
            failure_threshold: 3,
            success_threshold: 1,
        }
    }
}

impl ProbeSettings {
    /// When the `index`-th probe (from 0) is sent to a container started at `started_at_us`.
    pub fn sent_at_us(&self, started_at_us: u64, index: u64) -> u64 {
        started_at_us
            .saturating_add(self.initial_delay_us)
            .saturating_add(self.period_us.saturating_mul(index))
    }

    /// Shortest and longest time from a failure to its detection: the failure may come just before
    /// a probe or just after one, and the last probe may fail at once or time out.
    pub fn detection_us(&self) -> (u64, u64) {
        let failures = u64::from(self.failure_threshold.max(1));
        let shortest_us = self.period_us.saturating_mul(failures - 1);
        let longest_us = self
            .period_us
            .saturating_mul(failures)
            .saturating_add(self.timeout_us);
        (shortest_us, longest_us)
    }
}

/// What the probes so far say of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// How it is asked.
    pub settings: ProbeSettings,
    well: bool,
    /// Results in a row that speak against the present verdict.
    against: u32,
}

impl Probe {
    /// A liveness probe starts out well, a readiness probe unwell.
    pub fn new(settings: ProbeSettings, well: bool) -> Self {
        Self {
            settings,
            well,
            against: 0,
        }
    }

    /// The present verdict.
    pub fn is_well(&self) -> bool {
        self.well
    }

    /// Results in a row that speak against the present verdict.
    pub fn against(&self) -> u32 {
        self.against
    }

    /// Takes in one result; returns the new verdict if it changed.
    pub fn record(&mut self, succeeded: bool) -> Option<bool> {
        if succeeded == self.well {
            self.against = 0;
            return None;
        }
        self.against += 1;
        let needed = match self.well {
            true => self.settings.failure_threshold,
            false => self.settings.success_threshold,
        };
        if self.against < needed {
            return None;
        }
        self.well = succeeded;
        self.against = 0;
        Some(succeeded)
    }
}

/// Where a pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Accepted, its containers not started: no node yet, or images being fetched.
    Pending,
    /// Started, its readiness probe not passed.
    Starting,
    /// Passing its readiness probe; it gets traffic.
    Ready {
        /// Since when without a break.
        since_us: u64,
    },
    /// Crashed and waiting to be started again.
    CrashLoopBackOff {
        /// When it is started again.
        restart_at_us: u64,
    },
    /// Shutting down: no new traffic, finishing what it has.
    Terminating {
        /// When it is killed if it has not ended by itself.
        kill_at_us: u64,
    },
    /// Ended for good.
    Ended,
}

/// One pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub id: u32,
    /// When it was created.
    pub created_at_us: u64,
    /// The node it runs on, once scheduled.
    pub node: Option<u32>,
    /// Where it is in its life.
    pub phase: Phase,
    /// How often its container was started again.
    pub restarts: u32,
}

impl Pod {
    /// Whether it counts towards the wanted number.
    pub fn is_active(&self) -> bool {
        !matches!(self.phase, Phase::Terminating { .. } | Phase::Ended)
    }

    /// Whether it gets traffic.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    /// Whether it has been ready for at least `min_ready_us`.
    pub fn is_available(&self, now_us: u64, min_ready_us: u64) -> bool {
        match self.phase {
            Phase::Ready { since_us } => since_us.saturating_add(min_ready_us) <= now_us,
            _ => false,
        }
    }
}

/// How many pods there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PodCounts {
    /// Active pods.
    pub active: u32,
    /// Of these, the ready ones.
    pub ready: u32,
    /// Of these, the available ones.
    pub available: u32,
    /// Pods shutting down.
    pub terminating: u32,
}

/// Counts pods.
pub fn count(pods: &[Pod], now_us: u64, min_ready_us: u64) -> PodCounts {
    let mut counts = PodCounts::default();
    for pod in pods {
        counts.active += u32::from(pod.is_active());
        counts.ready += u32::from(pod.is_ready());
        counts.available += u32::from(pod.is_available(now_us, min_ready_us));
        counts.terminating += u32::from(matches!(pod.phase, Phase::Terminating { .. }));
    }
    counts
}

/// What a ReplicaSet does to get from the pods it has to the number it wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Pods to create.
    pub create: u32,
    /// Pods to delete, by id, in this order.
    pub delete: Vec<u32>,
}

/// Compares the wanted number with the active pods. Too many: those go first whose loss costs
/// least, that is without a node, not started, not ready, sharing a node with most others of the
/// set, ready for the shortest time, restarted most often, newest.
pub fn reconcile(desired: u32, pods: &[Pod]) -> Plan {
    let mut active: Vec<&Pod> = pods.iter().filter(|pod| pod.is_active()).collect();
    let have = u32::try_from(active.len()).unwrap_or(u32::MAX);
    if have <= desired {
        return Plan {
            create: desired - have,
            delete: Vec::new(),
        };
    }
    let mut on_node: BTreeMap<Option<u32>, u32> = BTreeMap::new();
    for pod in &active {
        *on_node.entry(pod.node).or_default() += 1;
    }
    active.sort_by_key(|pod| {
        let ready_since_us = match pod.phase {
            Phase::Ready { since_us } => since_us,
            _ => 0,
        };
        (
            pod.node.is_some(),
            pod.phase != Phase::Pending,
            pod.is_ready(),
            Reverse(on_node.get(&pod.node).copied().unwrap_or(0)),
            Reverse(ready_since_us),
            Reverse(pod.restarts),
            Reverse(pod.created_at_us),
            Reverse(pod.id),
        )
    });
    let delete = active
        .iter()
        .take((have - desired) as usize)
        .map(|pod| pod.id)
        .collect();
    Plan { create: 0, delete }
}

/// How long a silent node is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeMonitor {
    /// Silence after which the node counts as unreachable and its pods as not ready.
    pub grace_us: u64,
    /// How long pods tolerate that before they are evicted and replaced elsewhere.
    pub toleration_us: u64,
}

impl Default for NodeMonitor {
    /// The long-standing defaults: 40 s of grace and 300 s of toleration.
    fn default() -> Self {
        Self {
            grace_us: 40 * SECOND_US,
            toleration_us: 300 * SECOND_US,
        }
    }
}

/// What is known of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// It reports.
    Ready,
    /// It is silent; its pods get no traffic but are not replaced yet.
    Unreachable,
    /// Its pods are given up and replaced.
    Evicting,
}

impl NodeMonitor {
    /// When a node last heard of at `heartbeat_us` counts as unreachable.
    pub fn unreachable_at_us(&self, heartbeat_us: u64) -> u64 {
        heartbeat_us.saturating_add(self.grace_us)
    }

    /// When its pods are evicted.
    pub fn evict_at_us(&self, heartbeat_us: u64) -> u64 {
        self.unreachable_at_us(heartbeat_us)
            .saturating_add(self.toleration_us)
    }

    /// What is known of a node last heard of at `heartbeat_us`.
    pub fn state(&self, now_us: u64, heartbeat_us: u64) -> NodeState {
        if now_us >= self.evict_at_us(heartbeat_us) {
            NodeState::Evicting
        } else if now_us >= self.unreachable_at_us(heartbeat_us) {
            NodeState::Unreachable
        } else {
            NodeState::Ready
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(id: u32, phase: Phase) -> Pod {
        Pod {
            id,
            created_at_us: u64::from(id),
            node: Some(id),
            phase,
            restarts: 0,
        }
    }

    #[test]
    fn backoff_starts_anew_only_after_a_long_good_run() {
        let mut backoff = RestartBackoff::container();
        let delays: Vec<u64> = (0..3).map(|_| backoff.failed(0) / SECOND_US).collect();
        assert_eq!(delays, [10, 20, 40]);
        assert_eq!(backoff.failed(599 * SECOND_US), 80 * SECOND_US);
        assert_eq!(backoff.failed(600 * SECOND_US), 10 * SECOND_US);
        assert_eq!(backoff.failures(), 1);
    }

    #[test]
    fn backoff_never_overflows() {
        let mut backoff = RestartBackoff::new(u64::MAX / 2, 3, u64::MAX, None);
        for _ in 0..200 {
            backoff.failed(0);
        }
        assert_eq!(backoff.failed(0), u64::MAX);
    }

    #[test]
    fn one_success_forgives_earlier_failures() {
        let mut probe = Probe::new(ProbeSettings::default(), true);
        let verdicts = [false, false, true, false, false, false].map(|ok| probe.record(ok));
        assert_eq!(verdicts, [None, None, None, None, None, Some(false)]);
        assert_eq!(probe.record(true), Some(true));
    }

    #[test]
    fn the_least_useful_pods_are_deleted_first() {
        let ready = |since_us| Phase::Ready { since_us };
        let unscheduled = Pod {
            node: None,
            ..pod(1, Phase::Pending)
        };
        let crashed = pod(3, Phase::CrashLoopBackOff { restart_at_us: 9 });
        let pods = [
            pod(5, ready(10)),
            pod(4, ready(20)),
            crashed,
            pod(2, Phase::Pending),
            unscheduled,
            pod(9, Phase::Terminating { kill_at_us: 99 }),
        ];
        assert_eq!(reconcile(0, &pods).delete, [1, 2, 3, 4, 5]);
        assert_eq!(
            reconcile(7, &pods),
            Plan {
                create: 2,
                delete: Vec::new()
            }
        );
    }

    #[test]
    fn crowded_nodes_give_up_pods_before_others() {
        let ready = Phase::Ready { since_us: 0 };
        let on = |id, node| Pod {
            node: Some(node),
            ..pod(id, ready)
        };
        assert_eq!(reconcile(2, &[on(1, 1), on(2, 1), on(3, 2)]).delete, [2]);
    }

    #[test]
    fn availability_waits_for_min_ready() {
        let pods = [
            pod(1, Phase::Ready { since_us: 100 }),
            pod(2, Phase::Starting),
        ];
        assert_eq!(count(&pods, 109, 10).available, 0);
        let expected = PodCounts {
            active: 2,
            ready: 1,
            available: 1,
            terminating: 0,
        };
        assert_eq!(count(&pods, 110, 10), expected);
    }

    #[test]
    fn a_silent_node_is_waited_for_then_given_up() {
        let monitor = NodeMonitor::default();
        let states = [39, 40, 339, 340].map(|s| monitor.state(s * SECOND_US, 0));
        use NodeState::{Evicting, Ready, Unreachable};
        assert_eq!(states, [Ready, Unreachable, Unreachable, Evicting]);
    }
}
