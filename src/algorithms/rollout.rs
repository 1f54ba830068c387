//! The Kubernetes Deployment controller: how many old and new pods a rolling update runs at each step.
//!
//! A Deployment owns one ReplicaSet per pod template. Each call of [`Rollout::sync`] looks at what
//! the pods report and changes the wanted sizes of the ReplicaSets by one safe step; it never waits
//! and keeps no plan, so it can be interrupted, rolled back or rescaled at any moment.
//!
//! Source: kubernetes/kubernetes, pkg/controller/deployment (rolling.go, recreate.go, sync.go,
//! util/deployment_util.go). Times are microseconds.

use std::fmt;
use std::str::FromStr;

/// One second in the unit of this file.
pub const SECOND_US: u64 = 1_000_000;
/// Progress deadline of a Deployment that sets none.
pub const PROGRESS_DEADLINE_DEFAULT_S: u32 = 600;
/// The API's way of saying that there is no progress deadline.
pub const PROGRESS_DEADLINE_NONE_S: u32 = i32::MAX as u32;
/// How many ReplicaSets without pods are kept to roll back to.
pub const REVISION_HISTORY_DEFAULT: usize = 10;

/// A number of pods, or a share of the wanted ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntOrPercent {
    /// So many pods.
    Int(u32),
    /// So many percent of the wanted pods.
    Percent(u32),
}

/// Neither a number nor a percentage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidIntOrPercent(pub String);

impl fmt::Display for InvalidIntOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid value {:?}: neither a number nor a percentage",
            self.0
        )
    }
}

impl std::error::Error for InvalidIntOrPercent {}

impl FromStr for IntOrPercent {
    type Err = InvalidIntOrPercent;

    /// Reads `3` or `25%`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidIntOrPercent(text.to_string());
        let number = |digits: &str| match digits.bytes().all(|b| b.is_ascii_digit()) {
            true => digits.parse::<u32>().map_err(|_| invalid()),
            false => Err(invalid()),
        };
        match text.strip_suffix('%') {
            Some(digits) => number(digits).map(Self::Percent),
            None => number(text).map(Self::Int),
        }
    }
}

impl IntOrPercent {
    fn of(self, total: u32, round_up: bool) -> u32 {
        match self {
            Self::Int(count) => count,
            Self::Percent(percent) => {
                let hundredths = u64::from(percent) * u64::from(total);
                let whole = if round_up {
                    hundredths.div_ceil(100)
                } else {
                    hundredths / 100
                };
                u32::try_from(whole).unwrap_or(u32::MAX)
            }
        }
    }
}

/// The bounds of a rolling update in pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fenceposts {
    /// How many pods may exist above the wanted number.
    pub surge: u32,
    /// How many of the wanted pods may be unavailable.
    pub unavailable: u32,
}

/// Turns the two settings into pods. Surge rounds up and unavailable rounds down, and both zero
/// would leave no room to move, so that becomes one unavailable. An absent setting is zero.
pub fn resolve_fenceposts(
    max_surge: Option<IntOrPercent>,
    max_unavailable: Option<IntOrPercent>,
    desired: u32,
) -> Fenceposts {
    let surge = max_surge.map_or(0, |value| value.of(desired, true));
    let unavailable = max_unavailable.map_or(0, |value| value.of(desired, false));
    let stuck = surge == 0 && unavailable == 0;
    Fenceposts {
        surge,
        unavailable: if stuck { 1 } else { unavailable },
    }
}

/// How new pods replace old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Stop every old pod, then start the new ones.
    Recreate,
    /// Step by step within the fenceposts.
    RollingUpdate {
        /// Pods allowed above the wanted number.
        max_surge: Option<IntOrPercent>,
        /// Wanted pods allowed to be missing.
        max_unavailable: Option<IntOrPercent>,
    },
}

/// What the user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Wanted pods.
    pub replicas: u32,
    /// How an update proceeds.
    pub strategy: Strategy,
    /// Seconds without progress after which the rollout counts as failed; `None` never.
    pub progress_deadline_s: Option<u32>,
}

impl Deployment {
    /// Pods allowed above the wanted number.
    pub fn max_surge(&self) -> u32 {
        self.fenceposts().map_or(0, |posts| posts.surge)
    }

    /// Wanted pods allowed to be missing, at most all of them.
    pub fn max_unavailable(&self) -> u32 {
        self.fenceposts()
            .map_or(0, |posts| posts.unavailable.min(self.replicas))
    }

    /// Most pods, old and new, at any moment of an update.
    pub fn max_total(&self) -> u32 {
        self.replicas.saturating_add(self.max_surge())
    }

    /// Least available pods, old and new, the controller will knowingly go down to.
    pub fn min_available(&self) -> u32 {
        self.replicas - self.max_unavailable()
    }

    fn fenceposts(&self) -> Option<Fenceposts> {
        match self.strategy {
            Strategy::Recreate => None,
            Strategy::RollingUpdate {
                max_surge,
                max_unavailable,
            } => Some(resolve_fenceposts(
                max_surge,
                max_unavailable,
                self.replicas,
            )),
        }
    }
}

/// What the pods of one ReplicaSet report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Pods that exist and are not terminating.
    pub replicas: u32,
    /// Of these, those that pass their readiness probe.
    pub ready: u32,
    /// Of these, those ready for at least minReadySeconds.
    pub available: u32,
    /// Pods still shutting down; they count for nothing but must be gone before Recreate goes on.
    pub terminating: u32,
}

/// The pods of one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaSet {
    /// Which pod template (version of the app) it runs.
    pub template: u32,
    /// Order of creation; larger is newer.
    pub created: u64,
    /// Order of last use as the new one; rolling back gives an old set the next revision.
    pub revision: u64,
    /// Wanted pods.
    pub replicas: u32,
    /// What its pods report.
    pub observed: Observed,
    /// Size of the Deployment when this set was last sized.
    pub desired_replicas: Option<u32>,
    /// Most pods of the Deployment, surge included, when this set was last sized.
    pub max_replicas: Option<u32>,
}

impl ReplicaSet {
    /// A set without pods.
    pub fn new(template: u32, created: u64, revision: u64) -> Self {
        Self {
            template,
            created,
            revision,
            replicas: 0,
            observed: Observed::default(),
            desired_replicas: None,
            max_replicas: None,
        }
    }

    fn resize(&mut self, replicas: u32, deployment: &Deployment) -> bool {
        let changed = self.replicas != replicas;
        self.replicas = replicas;
        self.desired_replicas = Some(deployment.replicas);
        self.max_replicas = Some(deployment.max_total());
        changed
    }
}

/// Wanted pods of some sets together.
fn total<'a>(sets: impl IntoIterator<Item = &'a ReplicaSet>) -> u32 {
    sets.into_iter()
        .map(|set| set.replicas)
        .fold(0, u32::saturating_add)
}

/// Available pods of some sets together.
fn available<'a>(sets: impl IntoIterator<Item = &'a ReplicaSet>) -> u32 {
    sets.into_iter()
        .map(|set| set.observed.available)
        .fold(0, u32::saturating_add)
}

// region: surge
/// How large the new set may be now, given the wanted pods of all sets together.
pub fn new_replica_set_size(deployment: &Deployment, all_replicas: u32, new_replicas: u32) -> u32 {
    if deployment.strategy == Strategy::Recreate {
        return deployment.replicas;
    }
    let room = deployment.max_total().saturating_sub(all_replicas);
    // A set already above the wanted size is shrunk elsewhere, never here.
    let missing = deployment.replicas.saturating_sub(new_replicas);
    new_replicas + room.min(missing)
}

/// Grows the new set as far as the surge allows, or shrinks it to the wanted size. Returns whether
/// its size changed.
pub fn reconcile_new(deployment: &Deployment, new: &mut ReplicaSet, old: &[ReplicaSet]) -> bool {
    if new.replicas == deployment.replicas {
        return false;
    }
    let size = if new.replicas > deployment.replicas {
        deployment.replicas
    } else {
        let all_replicas = total(old).saturating_add(new.replicas);
        new_replica_set_size(deployment, all_replicas, new.replicas)
    };
    new.resize(size, deployment)
}
// endregion

/// Indexes of the sets that want pods, oldest first.
fn oldest_first(sets: &[ReplicaSet]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sets.len()).filter(|&i| sets[i].replicas > 0).collect();
    order.sort_by_key(|&i| sets[i].created);
    order
}

/// Takes up to `count_max` pods that are not available from the old sets, oldest set first: they
/// serve nobody, so removing them costs nothing. Returns how many.
pub fn cleanup_unhealthy(deployment: &Deployment, old: &mut [ReplicaSet], count_max: u32) -> u32 {
    let mut cleaned = 0;
    for i in oldest_first(old) {
        let set = &mut old[i];
        let unhealthy = set.replicas.saturating_sub(set.observed.available);
        let take = unhealthy.min(count_max - cleaned);
        if take > 0 {
            set.resize(set.replicas - take, deployment);
            cleaned += take;
        }
    }
    cleaned
}

// region: scale-down
/// Takes as many pods from the old sets, oldest set first, as there are available pods above the
/// minimum. Returns how many.
pub fn scale_down_old(
    deployment: &Deployment,
    new: Option<&ReplicaSet>,
    old: &mut [ReplicaSet],
) -> u32 {
    let available = available(old.iter().chain(new));
    let count_max = available.saturating_sub(deployment.min_available());
    let mut taken = 0;
    for i in oldest_first(old) {
        let set = &mut old[i];
        let take = set.replicas.min(count_max - taken);
        if take > 0 {
            set.resize(set.replicas - take, deployment);
            taken += take;
        }
    }
    taken
}
// endregion

// region: reconcile-old
/// Shrinks the old sets as far as the minimum of available pods allows. Returns whether it did.
pub fn reconcile_old(deployment: &Deployment, new: &ReplicaSet, old: &mut [ReplicaSet]) -> bool {
    let old_replicas = total(&*old);
    if old_replicas == 0 {
        return false;
    }
    // New pods that are not available yet may never be: they must not stand in for old ones.
    let new_unavailable = i64::from(new.replicas) - i64::from(new.observed.available);
    let scale_down_max = i64::from(old_replicas) + i64::from(new.replicas)
        - i64::from(deployment.min_available())
        - new_unavailable;
    let Ok(scale_down_max) = u32::try_from(scale_down_max) else {
        return false;
    };
    if scale_down_max == 0 {
        return false;
    }
    let cleaned = cleanup_unhealthy(deployment, old, scale_down_max);
    let taken = scale_down_old(deployment, Some(new), old);
    cleaned + taken > 0
}
// endregion

/// By how much one set changes when the Deployment is rescaled in the middle of a rollout: its share
/// of the change, within what is left of it.
fn proportion(deployment: &Deployment, set: &ReplicaSet, to_add: i64, added: i64) -> i64 {
    if set.replicas == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let size = i64::from(set.replicas);
    let share = if deployment.replicas == 0 {
        -size
    } else {
        match set.max_replicas.filter(|&max| max > 0) {
            None => 0,
            Some(before) => {
                let before = i64::from(before);
                let scaled = size * i64::from(deployment.max_total());
                // Rounds half up; the sizes are not negative.
                (2 * scaled + before) / (2 * before) - size
            }
        }
    };
    let left = to_add - added;
    if to_add > 0 {
        share.min(left)
    } else {
        share.max(left)
    }
}

/// Follows a change of the wanted number of pods. A single active set takes all of it; in the middle
/// of a rollout the sets share it in proportion to their sizes, so that a rescale neither speeds the
/// rollout up nor undoes it.
pub fn rescale(deployment: &Deployment, new: Option<&mut ReplicaSet>, old: &mut [ReplicaSet]) {
    let new_is_saturated = new.as_deref().is_some_and(|set| {
        set.replicas == deployment.replicas
            && set.desired_replicas == Some(deployment.replicas)
            && set.observed.available == deployment.replicas
    });
    let has_new = new.is_some();
    let mut sets: Vec<&mut ReplicaSet> = new.into_iter().chain(old).collect();
    let active = sets.iter().filter(|set| set.replicas > 0).count();
    if active <= 1 {
        let target = if active == 1 {
            sets.iter().position(|set| set.replicas > 0)
        } else if has_new {
            Some(0)
        } else {
            (0..sets.len()).max_by_key(|&i| sets[i].created)
        };
        if let Some(i) = target {
            sets[i].resize(deployment.replicas, deployment);
        }
        return;
    }
    if new_is_saturated {
        for set in sets.iter_mut().skip(1) {
            set.resize(0, deployment);
        }
        return;
    }
    if deployment.strategy == Strategy::Recreate {
        // Recreate sizes the sets itself; what matters here is that the new size has been seen.
        for set in sets {
            set.resize(set.replicas, deployment);
        }
        return;
    }
    sets.retain(|set| set.replicas > 0);
    let allowed = if deployment.replicas > 0 {
        deployment.max_total()
    } else {
        0
    };
    let to_add = i64::from(allowed) - i64::from(total(sets.iter().map(|set| &**set)));
    // Larger sets first; among equals newer ones grow first and older ones shrink first.
    match to_add.signum() {
        1 => sets.sort_by_key(|set| std::cmp::Reverse((set.replicas, set.created))),
        -1 => sets.sort_by_key(|set| (std::cmp::Reverse(set.replicas), set.created)),
        _ => {}
    }
    let mut added = 0;
    let sizes: Vec<i64> = sets
        .iter()
        .map(|set| {
            let change = proportion(deployment, set, to_add, added);
            added += change;
            i64::from(set.replicas) + change
        })
        .collect();
    for (i, (set, size)) in sets.into_iter().zip(sizes).enumerate() {
        // Rounding leaves something over or short; the largest set takes it.
        let leftover = if i == 0 { to_add - added } else { 0 };
        set.resize(
            u32::try_from((size + leftover).max(0)).unwrap_or(u32::MAX),
            deployment,
        );
    }
}

/// What all pods of a Deployment report together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// Pods, old and new.
    pub replicas: u32,
    /// Pods of the new template.
    pub updated: u32,
    /// Ready pods, old and new.
    pub ready: u32,
    /// Available pods, old and new.
    pub available: u32,
}

impl DeploymentStatus {
    /// Whether only new pods are left, all of them available.
    pub fn complete(&self, desired: u32) -> bool {
        self.updated == desired && self.replicas == desired && self.available == desired
    }

    /// Whether anything moved in the right direction since `before`.
    pub fn progressed_since(&self, before: &Self) -> bool {
        let old = |status: &Self| i64::from(status.replicas) - i64::from(status.updated);
        self.updated > before.updated
            || old(self) < old(before)
            || self.ready > before.ready
            || self.available > before.available
    }
}

/// Whether a rollout without progress for so long has missed its deadline.
pub fn deadline_missed(progress_deadline_s: Option<u32>, idle_us: u64) -> bool {
    match progress_deadline_s {
        None | Some(PROGRESS_DEADLINE_NONE_S) => false,
        Some(deadline_s) => idle_us > u64::from(deadline_s) * SECOND_US,
    }
}

/// How the rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// On its way; this is when it last moved.
    Progressing {
        /// Last progress.
        since_us: u64,
    },
    /// All pods are new and available.
    Complete,
    /// No progress within the deadline. The controller reports this and stops nothing.
    DeadlineExceeded {
        /// Last progress.
        since_us: u64,
    },
}

/// One change of a wanted size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaled {
    /// Whose pods.
    pub template: u32,
    /// Wanted before.
    pub from: u32,
    /// Wanted now.
    pub to: u32,
}

/// A Deployment and its ReplicaSets under the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// What the user asks for; change it at any time.
    pub deployment: Deployment,
    /// How many empty old sets are kept.
    pub revision_history_max: usize,
    template: u32,
    sets: Vec<ReplicaSet>,
    progress: Progress,
    status: DeploymentStatus,
}

impl Rollout {
    /// A Deployment that has just been created; the first [`Rollout::sync`] starts its pods.
    pub fn new(now_us: u64, deployment: Deployment, template: u32) -> Self {
        Self {
            deployment,
            revision_history_max: REVISION_HISTORY_DEFAULT,
            template,
            sets: Vec::new(),
            progress: Progress::Progressing { since_us: now_us },
            status: DeploymentStatus::default(),
        }
    }

    /// Asks for another pod template: a new version, or an old one to roll back to.
    pub fn set_template(&mut self, now_us: u64, template: u32) {
        if self.template != template {
            self.template = template;
            self.progress = Progress::Progressing { since_us: now_us };
        }
    }

    /// The template asked for.
    pub fn template(&self) -> u32 {
        self.template
    }

    /// All sets, in order of creation.
    pub fn replica_sets(&self) -> &[ReplicaSet] {
        &self.sets
    }

    /// Wanted pods of a template.
    pub fn replicas(&self, template: u32) -> u32 {
        self.sets
            .iter()
            .find(|set| set.template == template)
            .map_or(0, |set| set.replicas)
    }

    /// How the rollout stood at the last sync.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// What all pods reported at the last sync.
    pub fn status(&self) -> DeploymentStatus {
        self.status
    }

    /// Tells what the pods of a template report now.
    pub fn observe(&mut self, template: u32, observed: Observed) {
        if let Some(set) = self.sets.iter_mut().find(|set| set.template == template) {
            set.observed = observed;
        }
    }

    /// One step of the controller. Returns the sizes it changed.
    pub fn sync(&mut self, now_us: u64) -> Vec<Scaled> {
        let before: Vec<(u32, u32)> = self.sets.iter().map(|s| (s.template, s.replicas)).collect();
        let rescaled = self.sets.iter().any(|set| {
            set.replicas > 0
                && set
                    .desired_replicas
                    .is_some_and(|desired| desired != self.deployment.replicas)
        });
        match self.deployment.strategy {
            _ if rescaled => self.sync_rescale(),
            Strategy::Recreate => self.sync_recreate(),
            Strategy::RollingUpdate { .. } => self.sync_rolling(),
        }
        self.sync_progress(now_us);
        self.forget_history();
        let size_before = |template| {
            before
                .iter()
                .find(|(t, _)| *t == template)
                .map_or(0, |(_, replicas)| *replicas)
        };
        self.sets
            .iter()
            .map(|set| Scaled {
                template: set.template,
                from: size_before(set.template),
                to: set.replicas,
            })
            .filter(|scaled| scaled.from != scaled.to)
            .collect()
    }

    fn split(&mut self) -> (Option<ReplicaSet>, Vec<ReplicaSet>) {
        let template = self.template;
        let (new, old): (Vec<_>, Vec<_>) = self
            .sets
            .iter()
            .copied()
            .partition(|set| set.template == template);
        (new.into_iter().next(), old)
    }

    fn join(&mut self, new: Option<ReplicaSet>, old: Vec<ReplicaSet>) {
        self.sets = old;
        self.sets.extend(new);
        self.sets.sort_by_key(|set| set.created);
    }

    /// The set of the wanted template, found again or made, with the latest revision.
    fn new_set(&self, existing: Option<ReplicaSet>, old: &[ReplicaSet]) -> ReplicaSet {
        let revision = old.iter().map(|set| set.revision).max().unwrap_or(0) + 1;
        match existing {
            Some(set) => ReplicaSet {
                revision: set.revision.max(revision),
                ..set
            },
            None => {
                let created = old.iter().map(|set| set.created).max().unwrap_or(0) + 1;
                ReplicaSet::new(self.template, created, revision)
            }
        }
    }

    fn sync_rescale(&mut self) {
        let (mut new, mut old) = self.split();
        rescale(&self.deployment, new.as_mut(), &mut old);
        self.join(new, old);
    }

    fn sync_rolling(&mut self) {
        let (existing, mut old) = self.split();
        let mut new = self.new_set(existing, &old);
        // Grow first and stop there: shrinking is decided on what the pods report next time.
        if !reconcile_new(&self.deployment, &mut new, &old) {
            reconcile_old(&self.deployment, &new, &mut old);
        }
        self.join(Some(new), old);
    }

    fn sync_recreate(&mut self) {
        let (existing, mut old) = self.split();
        if total(&old) > 0 {
            for set in old.iter_mut().filter(|set| set.replicas > 0) {
                set.resize(0, &self.deployment);
            }
            self.join(existing, old);
            return;
        }
        let old_pods = old
            .iter()
            .any(|s| s.observed.replicas > 0 || s.observed.terminating > 0);
        if old_pods {
            return;
        }
        let mut new = self.new_set(existing, &old);
        new.resize(self.deployment.replicas, &self.deployment);
        self.join(Some(new), old);
    }

    fn sync_progress(&mut self, now_us: u64) {
        let mut status = DeploymentStatus::default();
        for set in &self.sets {
            status.replicas += set.observed.replicas;
            status.ready += set.observed.ready;
            status.available += set.observed.available;
            if set.template == self.template {
                status.updated = set.observed.replicas;
            }
        }
        let progressed = status.progressed_since(&self.status);
        self.status = status;
        // Once complete it stays so until another template is asked for: a crash later is no rollout.
        if let Progress::Progressing { since_us } | Progress::DeadlineExceeded { since_us } =
            self.progress
        {
            self.progress = if status.complete(self.deployment.replicas) {
                Progress::Complete
            } else if progressed {
                Progress::Progressing { since_us: now_us }
            } else if deadline_missed(
                self.deployment.progress_deadline_s,
                now_us.saturating_sub(since_us),
            ) {
                Progress::DeadlineExceeded { since_us }
            } else {
                self.progress
            };
        }
    }

    /// Once complete, drops the oldest empty sets beyond the history limit.
    fn forget_history(&mut self) {
        if !self.status.complete(self.deployment.replicas) {
            return;
        }
        let old = self.sets.iter().filter(|set| set.template != self.template);
        let mut revisions: Vec<u64> = old.map(|set| set.revision).collect();
        revisions.sort_unstable();
        let excess = revisions.len().saturating_sub(self.revision_history_max);
        let forget = &revisions[..excess];
        let template = self.template;
        self.sets.retain(|set| {
            let empty = set.replicas == 0 && set.observed.replicas == 0;
            set.template == template || !empty || !forget.contains(&set.revision)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolling(replicas: u32, surge: u32, unavailable: u32) -> Deployment {
        Deployment {
            replicas,
            strategy: Strategy::RollingUpdate {
                max_surge: Some(IntOrPercent::Int(surge)),
                max_unavailable: Some(IntOrPercent::Int(unavailable)),
            },
            progress_deadline_s: Some(10),
        }
    }

    /// Pods that follow the wanted size at once and are available at once, if the template works.
    fn pods_follow(rollout: &mut Rollout, broken: Option<u32>) {
        for set in rollout.replica_sets().to_vec() {
            let up = if Some(set.template) == broken {
                0
            } else {
                set.replicas
            };
            let observed = Observed {
                replicas: set.replicas,
                ready: up,
                available: up,
                terminating: 0,
            };
            rollout.observe(set.template, observed);
        }
    }

    fn run(rollout: &mut Rollout, broken: Option<u32>) -> usize {
        for step in 0..1000 {
            let least = rollout.deployment.min_available();
            let changed = rollout.sync(step * SECOND_US);
            let total = total(rollout.replica_sets());
            assert!(total <= rollout.deployment.max_total(), "too many pods");
            pods_follow(rollout, broken);
            let up = available(rollout.replica_sets());
            let started = rollout.replica_sets().len() > 1;
            assert!(!started || up >= least, "only {up} of {least} available");
            if changed.is_empty() {
                return step as usize;
            }
        }
        panic!("the rollout never settles");
    }

    #[test]
    fn percentages_and_numbers_parse_and_nothing_else_does() {
        assert_eq!("25%".parse(), Ok(IntOrPercent::Percent(25)));
        assert_eq!("3".parse(), Ok(IntOrPercent::Int(3)));
        for bad in ["", "%", "oops", "-1", "+1", "2.5%", "99999999999", "5%%"] {
            assert!(bad.parse::<IntOrPercent>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_rolling_update_ends_within_its_fenceposts() {
        for replicas in 1..=12 {
            for (surge, unavailable) in [(0, 0), (1, 0), (0, 1), (2, 1), (3, 3), (20, 20)] {
                let mut rollout = Rollout::new(0, rolling(replicas, surge, unavailable), 1);
                run(&mut rollout, None);
                rollout.set_template(0, 2);
                run(&mut rollout, None);
                assert_eq!((rollout.replicas(1), rollout.replicas(2)), (0, replicas));
                assert_eq!(rollout.progress(), Progress::Complete);
            }
        }
    }

    #[test]
    fn a_broken_version_stalls_misses_its_deadline_and_rolls_back() {
        let mut rollout = Rollout::new(0, rolling(10, 3, 2), 1);
        run(&mut rollout, None);
        rollout.set_template(0, 2);
        run(&mut rollout, Some(2));
        assert_eq!((rollout.replicas(1), rollout.replicas(2)), (8, 5));
        rollout.sync(60 * SECOND_US);
        assert!(matches!(
            rollout.progress(),
            Progress::DeadlineExceeded { .. }
        ));
        rollout.set_template(60 * SECOND_US, 1);
        run(&mut rollout, Some(2));
        assert_eq!((rollout.replicas(1), rollout.replicas(2)), (10, 0));
        let revisions: Vec<u64> = rollout
            .replica_sets()
            .iter()
            .map(|set| set.revision)
            .collect();
        assert_eq!(
            revisions,
            [3, 2],
            "rolling back makes the old set the latest revision"
        );
    }

    #[test]
    fn recreate_waits_until_the_last_old_pod_is_gone() {
        let deployment = Deployment {
            strategy: Strategy::Recreate,
            ..rolling(3, 0, 0)
        };
        let mut rollout = Rollout::new(0, deployment, 1);
        rollout.sync(0);
        pods_follow(&mut rollout, None);
        rollout.set_template(0, 2);
        assert_eq!(
            rollout.sync(0),
            [Scaled {
                template: 1,
                from: 3,
                to: 0
            }]
        );
        rollout.observe(
            1,
            Observed {
                terminating: 1,
                ..Observed::default()
            },
        );
        assert!(rollout.sync(0).is_empty());
        rollout.observe(1, Observed::default());
        assert_eq!(
            rollout.sync(0),
            [Scaled {
                template: 2,
                from: 0,
                to: 3
            }]
        );
    }

    #[test]
    fn rescaling_in_the_middle_keeps_the_proportions() {
        let mut rollout = Rollout::new(0, rolling(10, 2, 0), 1);
        run(&mut rollout, None);
        rollout.set_template(0, 2);
        for _ in 0..5 {
            rollout.sync(0);
            pods_follow(&mut rollout, None);
        }
        let (old, new) = (rollout.replicas(1), rollout.replicas(2));
        assert!(old > 0 && new > 0);
        rollout.deployment.replicas = 22;
        rollout.sync(0);
        assert_eq!(
            (rollout.replicas(1), rollout.replicas(2)),
            (old * 2, new * 2)
        );
    }

    #[test]
    fn switching_to_recreate_and_rescaling_in_the_middle_still_ends() {
        let mut rollout = Rollout::new(0, rolling(6, 2, 1), 1);
        run(&mut rollout, None);
        rollout.set_template(0, 2);
        for _ in 0..2 {
            rollout.sync(0);
            pods_follow(&mut rollout, Some(2));
        }
        rollout.deployment = Deployment {
            replicas: 4,
            strategy: Strategy::Recreate,
            ..rollout.deployment
        };
        for _ in 0..6 {
            rollout.sync(0);
            pods_follow(&mut rollout, None);
        }
        assert_eq!((rollout.replicas(1), rollout.replicas(2)), (0, 4));
    }

    #[test]
    fn unavailable_new_pods_do_not_stand_in_for_old_ones() {
        let deployment = rolling(10, 3, 2);
        let observed = |available| Observed {
            available,
            ..Observed::default()
        };
        let sized = |template, replicas, available| ReplicaSet {
            replicas,
            observed: observed(available),
            ..ReplicaSet::new(template, u64::from(template), 1)
        };
        let mut old = [sized(1, 10, 5)];
        // 13 pods less the 8 that must stay less 3 new ones that may never come up.
        assert!(reconcile_old(&deployment, &sized(2, 3, 0), &mut old));
        assert_eq!(old[0].replicas, 8);
    }

    #[test]
    fn only_the_latest_empty_sets_are_kept() {
        let mut rollout = Rollout::new(0, rolling(2, 1, 0), 1);
        rollout.revision_history_max = 2;
        for template in 1..=6 {
            rollout.set_template(0, template);
            run(&mut rollout, None);
        }
        run(&mut rollout, None);
        let kept: Vec<u32> = rollout
            .replica_sets()
            .iter()
            .map(|set| set.template)
            .collect();
        assert_eq!(kept, [4, 5, 6]);
    }
}
