//! Kubernetes' HorizontalPodAutoscaler: how many replicas a metric asks for, and how fast they may change.
//!
//! The calculator: `desired = ⌈current · metric ÷ target⌉`, left alone within a tolerance, with cautious
//! guesses for pods that are not ready or send no metric. The behaviour: recommendations are stabilised
//! over a window, changes limited per period. Sources: kubernetes/kubernetes
//! `pkg/controller/podautoscaler/{replica_calculator,horizontal}.go` and the page "Horizontal Pod
//! Autoscaling". Everything is whole numbers, so a ratio of exactly 1.1 is within a tolerance of 0.1.
//! Times are microseconds.

use std::collections::VecDeque;

const SECOND_US: u64 = 1_000_000;
/// Time between two checks.
pub const SYNC_PERIOD_US: u64 = 15 * SECOND_US;
/// How far a ratio may be from 1 without a change, in thousandths.
pub const TOLERANCE_MILLI: u64 = 100;
/// Over how long the highest recommendation holds before replicas are taken away.
pub const DOWN_STABILIZATION_US: u64 = 300 * SECOND_US;
/// How long after its start a pod that was never ready is not counted.
pub const INITIAL_READINESS_DELAY_US: u64 = 30 * SECOND_US;
/// How long after its start a pod's CPU is looked at with suspicion.
pub const CPU_INITIALIZATION_US: u64 = 300 * SECOND_US;

/// How far a ratio may be from 1 without a change, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// Above 1.
    pub up_milli: u64,
    /// Below 1.
    pub down_milli: u64,
}

impl Default for Tolerance {
    fn default() -> Tolerance {
        Tolerance::both(TOLERANCE_MILLI)
    }
}

impl Tolerance {
    /// The same in both directions.
    pub const fn both(milli: u64) -> Tolerance {
        Tolerance {
            up_milli: milli,
            down_milli: milli,
        }
    }

    fn holds(self, ratio: Ratio) -> bool {
        let (metric, target) = (ratio.metric * 1_000, ratio.target);
        metric <= target * (1_000 + u128::from(self.up_milli))
            && metric >= target * 1_000_u128.saturating_sub(u128::from(self.down_milli))
    }
}

/// A metric over its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ratio {
    metric: u128,
    target: u128,
}

impl Ratio {
    fn new(metric: u64, target: u64) -> Option<Ratio> {
        (target > 0).then(|| Ratio {
            metric: metric.into(),
            target: target.into(),
        })
    }

    fn above_one(self) -> bool {
        self.metric > self.target
    }

    fn below_one(self) -> bool {
        self.metric < self.target
    }

    /// So many times the ratio, rounded up.
    fn of(self, pods: usize) -> u32 {
        let replicas = (self.metric.saturating_mul(pods as u128)).div_ceil(self.target);
        u32::try_from(replicas).unwrap_or(u32::MAX)
    }
}

/// How far a pod has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Not yet placed or not yet started.
    Pending,
    /// Its containers run.
    #[default]
    Running,
    /// It has ended with an error.
    Failed,
}

/// What the calculator knows of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// How far it has come.
    pub phase: Phase,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether it may get traffic.
    pub ready: bool,
    /// Its latest sample; `None` if there is none.
    pub usage: Option<u64>,
    /// Whether that sample may count for CPU: see [`cpu_counts`].
    pub cpu_counts: bool,
    /// What it asked for, in the unit of the usage.
    pub request: u64,
}

/// Whether a pod's CPU sample may count: not while it starts, when CPU is high for reasons of its own.
///
/// A pod younger than `initialization_us` counts if it is ready and the sample's window lies wholly after
/// it became so. An older one counts unless it is not ready and never was, which shows in that its state
/// has not changed since `delay_us` after its start.
pub fn cpu_counts(
    now_us: u64,
    started_us: u64,
    (ready, since_us): (bool, u64),
    (sample_us, window_us): (u64, u64),
    (initialization_us, delay_us): (u64, u64),
) -> bool {
    if started_us.saturating_add(initialization_us) > now_us {
        ready && sample_us >= since_us.saturating_add(window_us)
    } else {
        ready || started_us.saturating_add(delay_us) <= since_us
    }
}

/// What the calculator recommends, and the metric as it would be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// Replicas wanted.
    pub replicas: u32,
    /// Of CPU and other resources: the percentage used of what was requested. Else the metric: its mean
    /// over the pods, or its value.
    pub metric: u64,
}

/// The pods by what their samples are worth.
struct Groups {
    counted: Vec<Pod>,
    unready: Vec<Pod>,
    missing: Vec<Pod>,
}

fn group(pods: &[Pod], is_cpu: bool) -> Groups {
    let mut groups = Groups {
        counted: Vec::new(),
        unready: Vec::new(),
        missing: Vec::new(),
    };
    for &pod in pods {
        if pod.deleting || pod.phase == Phase::Failed {
            continue;
        }
        let group = if pod.phase == Phase::Pending {
            &mut groups.unready
        } else if pod.usage.is_none() {
            &mut groups.missing
        } else if is_cpu && !pod.cpu_counts {
            &mut groups.unready
        } else {
            &mut groups.counted
        };
        group.push(pod);
    }
    groups
}

// region: replicas
/// The common rule of all metrics that are measured pod by pod: `ratio` of some pods, and the usage that
/// a pod without a sample is given on the way down.
fn by_pod(
    groups: &Groups,
    current: u32,
    tolerance: Tolerance,
    ratio: impl Fn(&[Pod]) -> Option<Ratio>,
    guess_down: impl Fn(&Pod) -> u64,
) -> Option<u32> {
    let first = ratio(&groups.counted)?;
    let unready_matter = !groups.unready.is_empty() && first.above_one();
    if !unready_matter && groups.missing.is_empty() {
        return Some(if tolerance.holds(first) {
            current
        } else {
            first.of(groups.counted.len())
        });
    }
    // Guesses err to the side of no change: nothing used on the way up, all of it on the way down.
    let mut pods = groups.counted.clone();
    let with = |pod: &Pod, usage| Pod {
        usage: Some(usage),
        ..*pod
    };
    if first.below_one() {
        pods.extend(groups.missing.iter().map(|pod| with(pod, guess_down(pod))));
    } else if first.above_one() {
        pods.extend(groups.missing.iter().map(|pod| with(pod, 0)));
    }
    if unready_matter {
        pods.extend(groups.unready.iter().map(|pod| with(pod, 0)));
    }
    let second = ratio(&pods)?;
    let turned = first.below_one() && second.above_one() || first.above_one() && second.below_one();
    if tolerance.holds(second) || turned {
        return Some(current);
    }
    let replicas = second.of(pods.len());
    let wrong_way =
        second.below_one() && replicas > current || second.above_one() && replicas < current;
    Some(if wrong_way { current } else { replicas })
}
// endregion

/// Replicas for a resource such as CPU, whose target is a percentage of what the pods request. `None`:
/// no pod has a sample that counts, or none requests anything, and nothing is changed.
pub fn by_utilization(
    pods: &[Pod],
    current: u32,
    target_percent: u64,
    tolerance: Tolerance,
    is_cpu: bool,
) -> Option<Recommendation> {
    // The percentage is cut to a whole number before it is compared, as it is shown.
    let percent = |pods: &[Pod]| {
        let used: u128 = pods.iter().map(|p| u128::from(p.usage.unwrap_or(0))).sum();
        let asked: u128 = pods.iter().map(|p| u128::from(p.request)).sum();
        let percent = (used * 100).checked_div(asked)?;
        u64::try_from(percent).ok()
    };
    let groups = group(pods, is_cpu);
    if groups.counted.is_empty() {
        return None;
    }
    let replicas = by_pod(
        &groups,
        current,
        tolerance,
        |pods| Ratio::new(percent(pods)?, target_percent),
        // Beyond 100 % the target itself, or a pod without samples would speak for fewer replicas.
        |pod| {
            let guess = u128::from(pod.request) * u128::from(target_percent.max(100)) / 100;
            u64::try_from(guess).unwrap_or(u64::MAX)
        },
    )?;
    Some(Recommendation {
        replicas,
        metric: percent(&groups.counted)?,
    })
}

/// Replicas for a metric of each pod whose mean should be `target`. `is_cpu` heeds readiness, as for a
/// CPU target in absolute numbers; other metrics count from any pod that sends them.
pub fn by_pod_mean(
    pods: &[Pod],
    current: u32,
    target: u64,
    tolerance: Tolerance,
    is_cpu: bool,
) -> Option<Recommendation> {
    let mean = |pods: &[Pod]| {
        let total: u128 = pods.iter().map(|p| u128::from(p.usage.unwrap_or(0))).sum();
        u64::try_from(total.checked_div(pods.len() as u128)?).ok()
    };
    let groups = group(pods, is_cpu);
    if groups.counted.is_empty() {
        return None;
    }
    let replicas = by_pod(
        &groups,
        current,
        tolerance,
        |pods| Ratio::new(mean(pods)?, target),
        |_| target,
    )?;
    Some(Recommendation {
        replicas,
        metric: mean(&groups.counted)?,
    })
}

/// Replicas for one number about something else, an object of the cluster or an outside service, which
/// should be `target` whatever the number of pods. It is set in proportion to the ready pods; from 0
/// replicas to as many as the ratio says.
pub fn by_value(
    value: u64,
    pods_ready: usize,
    current: u32,
    target: u64,
    tolerance: Tolerance,
) -> Option<Recommendation> {
    let ratio = Ratio::new(value, target)?;
    let replicas = if current == 0 {
        ratio.of(1)
    } else if tolerance.holds(ratio) {
        current
    } else {
        ratio.of(pods_ready)
    };
    Some(Recommendation {
        replicas,
        metric: value,
    })
}

/// Replicas for such a number of which each pod should have `target`, as of a queue's length.
pub fn by_value_per_pod(
    value: u64,
    current: u32,
    target: u64,
    tolerance: Tolerance,
) -> Option<Recommendation> {
    let share = Ratio {
        metric: value.into(),
        target: u128::from(target) * u128::from(current),
    };
    let each = Ratio::new(value, target)?;
    let replicas = if current > 0 && tolerance.holds(share) {
        current
    } else {
        each.of(1)
    };
    Some(Recommendation {
        replicas,
        metric: value.div_ceil(u64::from(current.max(1))),
    })
}

/// Ready pods, as [`by_value`] counts them.
pub fn pods_ready(pods: &[Pod]) -> usize {
    let ready = |pod: &&Pod| pod.phase == Phase::Running && pod.ready;
    pods.iter().filter(ready).count()
}

/// The plain formula: `⌈current · metric ÷ target⌉`, or `current` within the tolerance. `None` for a
/// target of 0.
pub fn formula(current: u32, metric: u64, target: u64, tolerance: Tolerance) -> Option<u32> {
    let ratio = Ratio::new(metric, target)?;
    Some(if tolerance.holds(ratio) {
        current
    } else {
        ratio.of(current as usize)
    })
}

/// One limit of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many pods.
    Pods(u32),
    /// So much of what there was at the beginning of the period.
    Percent(u32),
}

/// A limit and the period that it holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How much.
    pub limit: Limit,
    /// In how long; changes exactly this long ago do not count any more.
    pub period_us: u64,
}

/// Which of several policies holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// The one that lets change most.
    Max,
    /// The one that lets change least.
    Min,
    /// None: no change in this direction.
    Disabled,
}

/// The rules for one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Over how long recommendations are looked back at. Upwards the lowest of them holds, downwards the
    /// highest.
    pub stabilization_us: u64,
    /// The limits; without any nothing changes.
    pub policies: Vec<Policy>,
    /// Which of them holds.
    pub select: Select,
}

impl Rules {
    /// Upwards, unless told otherwise: 100 % or 4 pods in 15 s, whichever is more, at once.
    pub fn up() -> Rules {
        let policy = |limit| Policy {
            limit,
            period_us: 15 * SECOND_US,
        };
        Rules {
            stabilization_us: 0,
            policies: vec![policy(Limit::Pods(4)), policy(Limit::Percent(100))],
            select: Select::Max,
        }
    }

    /// Downwards, unless told otherwise: all in 15 s, after five minutes without need.
    pub fn down() -> Rules {
        Rules {
            stabilization_us: DOWN_STABILIZATION_US,
            policies: vec![Policy {
                limit: Limit::Percent(100),
                period_us: 15 * SECOND_US,
            }],
            select: Select::Max,
        }
    }
}

/// Bounds and behaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behavior {
    /// Fewest replicas.
    pub min: u32,
    /// Most; it wins over the fewest.
    pub max: u32,
    /// Upwards.
    pub up: Rules,
    /// Downwards.
    pub down: Rules,
}

impl Behavior {
    /// The default behaviour between these bounds.
    pub fn new(min: u32, max: u32) -> Behavior {
        Behavior {
            min,
            max,
            up: Rules::up(),
            down: Rules::down(),
        }
    }
}

/// Remembers recommendations and changes, and says how many replicas there should be now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Autoscaler {
    /// None before the first check.
    recommendations: Option<VecDeque<(u64, u32)>>,
    /// Changes, positive or negative.
    changes: VecDeque<(u64, i64)>,
}

/// What a check decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What the metrics ask for.
    pub wanted: u32,
    /// What is left of it after stabilisation.
    pub stabilized: u32,
    /// What is set, after limits and bounds.
    pub replicas: u32,
}

impl Autoscaler {
    /// One check with what the metrics ask for, of several the highest; `None` if none has a say. 0
    /// replicas with a fewest above 0 mean that autoscaling is switched off. A decision is taken to be
    /// carried out.
    pub fn check(
        &mut self,
        now_us: u64,
        current: u32,
        wanted: Option<u32>,
        behavior: &Behavior,
    ) -> Decision {
        // What it finds at its first check counts as recommended then, so that it neither takes nor adds at once.
        self.recommendations
            .get_or_insert_with(|| [(now_us, current)].into());
        let known = wanted;
        let wanted = wanted.unwrap_or(current);
        let mut decision = Decision {
            wanted,
            stabilized: wanted,
            replicas: current,
        };
        if current == 0 && behavior.min > 0 {
            return decision;
        }
        if current > behavior.max {
            decision.replicas = behavior.max;
        } else if current < behavior.min {
            decision.replicas = behavior.min.min(behavior.max);
        } else if known.is_some() {
            // Without a say nothing is recommended either: an outage of the metrics lengthens no window.
            decision.stabilized = self.stabilize(now_us, current, wanted, behavior);
            decision.replicas = self.limit(now_us, current, decision.stabilized, behavior);
        }
        if decision.replicas != current {
            let change = i64::from(decision.replicas) - i64::from(current);
            self.changes.push_back((now_us, change));
        }
        decision
    }

    // region: stabilize
    fn stabilize(&mut self, now_us: u64, current: u32, wanted: u32, behavior: &Behavior) -> u32 {
        let (up_us, down_us) = (behavior.up.stabilization_us, behavior.down.stabilization_us);
        let longest_us = up_us.max(down_us);
        let recommendations = self.recommendations.get_or_insert_default();
        recommendations.retain(|(at_us, _)| now_us.saturating_sub(*at_us) < longest_us);
        let within = |window_us: u64| {
            let recent = recommendations.iter();
            let recent = recent.filter(move |(at, _)| now_us.saturating_sub(*at) < window_us);
            recent.map(|(_, replicas)| *replicas)
        };
        let lowest = within(up_us).fold(wanted, u32::min);
        let highest = within(down_us).fold(wanted, u32::max);
        recommendations.push_back((now_us, wanted));
        // Up only as far as all of one window asked for, down only as far as any of the other.
        current.max(lowest).min(highest)
    }
    // endregion

    // region: limit
    fn limit(&mut self, now_us: u64, current: u32, wanted: u32, behavior: &Behavior) -> u32 {
        let periods = behavior.up.policies.iter().chain(&behavior.down.policies);
        let longest_us = periods.map(|policy| policy.period_us).max().unwrap_or(0);
        (self.changes).retain(|(at_us, _)| now_us.saturating_sub(*at_us) < longest_us);
        if wanted > current {
            let most = self.bound(now_us, current, &behavior.up, true);
            wanted.min(most.max(current)).min(behavior.max)
        } else if wanted < current {
            let least = self.bound(now_us, current, &behavior.down, false);
            wanted.max(least.min(current)).max(behavior.min)
        } else {
            current
        }
    }
    // endregion

    /// The number of replicas that the rules of one direction let be reached.
    fn bound(&self, now_us: u64, current: u32, rules: &Rules, up: bool) -> u32 {
        let proposed = rules.policies.iter().map(|policy| {
            let recent = self.changes.iter();
            let recent =
                recent.filter(|(at_us, _)| now_us.saturating_sub(*at_us) < policy.period_us);
            let changed: i64 = recent.map(|(_, change)| *change).sum();
            // What there was when the period began.
            let start = (i64::from(current) - changed).max(0);
            let proposed = match (policy.limit, up) {
                (Limit::Pods(pods), true) => start + i64::from(pods),
                (Limit::Pods(pods), false) => start - i64::from(pods),
                // Rounded up, or one replica could never become more; down it is cut.
                (Limit::Percent(percent), true) => {
                    start + (start * i64::from(percent) + 99).div_euclid(100)
                }
                (Limit::Percent(percent), false) => start * (100 - i64::from(percent)).max(0) / 100,
            };
            u32::try_from(proposed.max(0)).unwrap_or(u32::MAX)
        });
        match (rules.select, up) {
            (Select::Disabled, _) => None,
            (Select::Max, true) | (Select::Min, false) => proposed.max(),
            (Select::Min, true) | (Select::Max, false) => proposed.min(),
        }
        .unwrap_or(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = SECOND_US;

    fn check(scaler: &mut Autoscaler, at_s: u64, current: u32, wanted: u32) -> u32 {
        let behavior = Behavior::new(1, 100);
        let decision = scaler.check(at_s * S, current, Some(wanted), &behavior);
        decision.replicas
    }

    #[test]
    fn up_at_most_double_or_four_more_in_a_period() {
        let mut scaler = Autoscaler::default();
        assert_eq!(check(&mut scaler, 0, 2, 50), 6);
        assert_eq!(
            check(&mut scaler, 14, 6, 50),
            6,
            "of the 2 that the period began with"
        );
        assert_eq!(check(&mut scaler, 15, 6, 50), 12);
        assert_eq!(check(&mut scaler, 30, 12, 50), 24);
        assert_eq!(check(&mut scaler, 45, 24, 500), 48);
        assert_eq!(check(&mut scaler, 60, 48, 500), 96);
        assert_eq!(check(&mut scaler, 75, 96, 500), 100);
    }

    #[test]
    fn down_to_the_highest_of_five_minutes() {
        let mut scaler = Autoscaler::default();
        assert_eq!(check(&mut scaler, 0, 20, 20), 20);
        assert_eq!(check(&mut scaler, 15, 20, 12), 20);
        assert_eq!(check(&mut scaler, 30, 20, 3), 20);
        assert_eq!(check(&mut scaler, 299, 20, 3), 20);
        assert_eq!(check(&mut scaler, 300, 20, 3), 12);
        assert_eq!(check(&mut scaler, 315, 12, 3), 3);
    }

    /// `recordInitialRecommendation` of `horizontal.go`: a controller that has just begun knows no better than what it finds.
    #[test]
    fn what_the_first_check_finds_counts_as_recommended() {
        let mut scaler = Autoscaler::default();
        assert_eq!(check(&mut scaler, 100, 20, 3), 20);
        assert_eq!(check(&mut scaler, 399, 20, 3), 20);
        assert_eq!(check(&mut scaler, 400, 20, 3), 3);
        let mut behavior = Behavior::new(1, 100);
        behavior.up.stabilization_us = 60 * S;
        let mut scaler = Autoscaler::default();
        let mut at = |s: u64, wanted| scaler.check(s * S, 5, Some(wanted), &behavior).replicas;
        assert_eq!((at(0, 9), at(59, 9), at(60, 9)), (5, 5, 9));
        // Later there is nothing to begin anew with, however long nobody asked.
        assert_eq!(at(1_000, 8), 8);
    }

    /// `reconcileAutoscaler` returns before it records anything if no metric could be had.
    #[test]
    fn metrics_that_are_silent_recommend_nothing() {
        let mut scaler = Autoscaler::default();
        let behavior = Behavior::new(1, 100);
        assert_eq!(check(&mut scaler, 0, 20, 3), 20);
        let silent = scaler.check(200 * S, 20, None, &behavior);
        assert_eq!((silent.wanted, silent.replicas), (20, 20));
        assert_eq!(check(&mut scaler, 300, 20, 3), 3);
    }

    #[test]
    fn policies_count_what_was_added_and_taken() {
        let slow = |limit, select| Rules {
            stabilization_us: 0,
            policies: vec![
                Policy {
                    limit,
                    period_us: 60 * S,
                },
                Policy {
                    limit: Limit::Percent(10),
                    period_us: 60 * S,
                },
            ],
            select,
        };
        let mut behavior = Behavior::new(0, 1_000);
        behavior.down = slow(Limit::Pods(4), Select::Max);
        let mut scaler = Autoscaler::default();
        let mut at = |s: u64, current, wanted, behavior: &Behavior| {
            scaler
                .check(s * S, current, Some(wanted), behavior)
                .replicas
        };
        assert_eq!(at(0, 80, 0, &behavior), 72);
        assert_eq!(at(30, 72, 0, &behavior), 72);
        assert_eq!(at(60, 72, 0, &behavior), 64, "64.8 cut");
        assert_eq!(at(120, 20, 0, &behavior), 16);
        behavior.down.select = Select::Min;
        assert_eq!(at(300, 20, 0, &behavior), 18);
        behavior.down.select = Select::Disabled;
        assert_eq!(at(600, 20, 0, &behavior), 20);
        behavior.up = slow(Limit::Pods(1), Select::Min);
        assert_eq!(at(900, 5, 9, &behavior), 6);
        behavior.up.policies.clear();
        assert_eq!(at(1_200, 5, 9, &behavior), 5);
    }

    #[test]
    fn bounds_come_first() {
        let mut scaler = Autoscaler::default();
        let behavior = Behavior::new(5, 3);
        assert_eq!(scaler.check(0, 4, Some(9), &behavior).replicas, 3);
        assert_eq!(scaler.check(0, 1, Some(9), &behavior).replicas, 3);
        assert_eq!(
            scaler.check(0, 0, Some(9), &behavior).replicas,
            0,
            "switched off"
        );
        let behavior = Behavior::new(2, 9);
        assert_eq!(scaler.check(0, 4, None, &behavior).replicas, 4);
    }

    #[test]
    fn upwards_a_window_takes_the_lowest() {
        let mut behavior = Behavior::new(1, 100);
        behavior.up.stabilization_us = 60 * S;
        let mut scaler = Autoscaler::default();
        let mut at = |s: u64, wanted| scaler.check(s * S, 5, Some(wanted), &behavior).replicas;
        assert_eq!(at(0, 5), 5);
        assert_eq!(at(30, 9), 5);
        assert_eq!(at(60, 8), 8);
    }

    #[test]
    fn a_target_near_all_of_the_machine_is_never_exceeded_by_enough() {
        let busy = |percent| Pod {
            ready: true,
            cpu_counts: true,
            usage: Some(percent),
            request: 100,
            ..Pod::default()
        };
        let at = |target, used| {
            let tolerance = Tolerance::default();
            by_utilization(&[busy(used); 5], 5, target, tolerance, true)
                .unwrap()
                .replicas
        };
        assert_eq!([at(90, 100), at(91, 100), at(95, 100)], [6, 5, 5]);
        assert_eq!(at(50, 55), 5, "exactly 1.1");
        assert_eq!(at(50, 56), 6);
        assert_eq!(by_utilization(&[], 5, 50, Tolerance::default(), true), None);
        assert_eq!(
            by_utilization(&[busy(9)], 5, 0, Tolerance::default(), true),
            None
        );
        assert_eq!(
            by_pod_mean(&[busy(u64::MAX); 3], 3, 1, Tolerance::default(), false)
                .unwrap()
                .replicas,
            u32::MAX
        );
        assert_eq!(
            by_value(7, 0, 0, 2, Tolerance::default()).unwrap().replicas,
            4
        );
        assert_eq!(
            by_value_per_pod(7, 0, 2, Tolerance::default())
                .unwrap()
                .replicas,
            4
        );
    }

    #[test]
    fn a_sample_counts_once_its_window_lies_after_readiness() {
        let counts = |now, ready, since, sample| {
            let settings = (CPU_INITIALIZATION_US, INITIAL_READINESS_DELAY_US);
            cpu_counts(
                now * S,
                0,
                (ready, since * S),
                (sample * S, 15 * S),
                settings,
            )
        };
        assert!(!counts(60, true, 30, 44));
        assert!(counts(60, true, 30, 45));
        assert!(!counts(60, false, 30, 60));
        assert!(counts(300, true, 299, 300), "no longer young");
        assert!(!counts(400, false, 20, 400), "never ready");
        assert!(counts(400, false, 350, 400), "it was ready before");
    }
}
