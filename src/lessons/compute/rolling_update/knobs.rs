//! The knobs and the actions.

use algorithms::rollout::{Deployment, IntOrPercent, Strategy};
use engine::{Act, Action, ActionSpec, Knobs, Time, Visit, choices};

/// How a new version replaces the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Recreate,
    Rolling,
    BlueGreen,
    Canary,
}
choices!(How {
    "recreate" => How::Recreate,
    "rolling" => How::Rolling,
    "blue-green" => How::BlueGreen,
    "canary" => How::Canary,
});

/// What maxSurge and maxUnavailable count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Pods,
    Tenths,
}
choices!(Unit {
    "pods" => Unit::Pods,
    "tenths" => Unit::Tenths,
});

/// The knobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(super) how: How,
    pub(super) replicas: u32,
    pub(super) surge: u32,
    pub(super) unavailable: u32,
    pub(super) ready_s: f64,
    pub(super) load_per_s: f64,
    pub(super) unit: Unit,
    pub(super) min_ready_s: f64,
    pub(super) deadline_s: u32,
    pub(super) faulty: f64,
    pub(super) service_ms: f64,
    pub(super) workers: u32,
    pub(super) queue: u32,
    pub(super) timeout_s: f64,
    pub(super) pre_stop_s: f64,
    pub(super) lag_ms: f64,
    pub(super) grace_s: f64,
    pub(super) canary: f64,
    pub(super) bake_s: f64,
    pub(super) limit: f64,
    pub(super) keep_s: f64,
    pub(super) node_grace_s: f64,
    pub(super) toleration_s: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            how: How::Rolling,
            replicas: 6,
            surge: 2,
            unavailable: 1,
            ready_s: 2.0,
            load_per_s: 30.0,
            unit: Unit::Pods,
            min_ready_s: 0.0,
            deadline_s: 6,
            faulty: 50.0,
            service_ms: 250.0,
            workers: 2,
            queue: 10,
            timeout_s: 3.0,
            pre_stop_s: 0.5,
            lag_ms: 100.0,
            grace_s: 5.0,
            canary: 20.0,
            bake_s: 4.0,
            limit: 5.0,
            keep_s: 5.0,
            node_grace_s: 2.0,
            toleration_s: 3.0,
        }
    }
}

impl Knobs for Settings {
    fn visit(&mut self, v: &mut dyn Visit) {
        v.choice("strategy", &mut self.how);
        v.whole("replicas", [1, 8], "", &mut self.replicas);
        v.whole("surge", [0, 6], "", &mut self.surge);
        v.whole("unavailable", [0, 8], "", &mut self.unavailable);
        v.slider("ready", [0.5, 8.0, 0.5], "s", &mut self.ready_s);
        v.slider("load", [2.0, 100.0, 1.0], "req/s", &mut self.load_per_s);
        v.choice("unit", &mut self.unit);
        v.slider("min-ready", [0.0, 5.0, 0.5], "s", &mut self.min_ready_s);
        v.whole("deadline", [2, 30], "s", &mut self.deadline_s);
        v.slider("faulty", [5.0, 100.0, 5.0], "%", &mut self.faulty);
        v.slider("service", [50.0, 600.0, 10.0], "ms", &mut self.service_ms);
        v.whole("workers", [1, 4], "", &mut self.workers);
        v.whole("queue", [0, 20], "", &mut self.queue);
        v.slider("timeout", [0.5, 6.0, 0.5], "s", &mut self.timeout_s);
        v.slider("pre-stop", [0.0, 3.0, 0.1], "s", &mut self.pre_stop_s);
        v.slider("lag", [0.0, 1_000.0, 50.0], "ms", &mut self.lag_ms);
        v.slider("grace", [0.5, 10.0, 0.5], "s", &mut self.grace_s);
        v.slider("canary", [10.0, 50.0, 5.0], "%", &mut self.canary);
        v.slider("bake", [1.0, 10.0, 0.5], "s", &mut self.bake_s);
        v.slider("limit", [1.0, 50.0, 1.0], "%", &mut self.limit);
        v.slider("keep", [0.0, 20.0, 1.0], "s", &mut self.keep_s);
        v.slider("node-grace", [1.0, 10.0, 0.5], "s", &mut self.node_grace_s);
        v.slider("toleration", [0.5, 20.0, 0.5], "s", &mut self.toleration_s);
    }
}

impl Settings {
    /// Requests a second that one ready pod can answer.
    pub(super) fn per_pod(&self) -> f64 {
        f64::from(self.workers) * 1_000.0 / self.service_ms
    }

    /// Pods of a canary: its share of the replicas, rounded up.
    pub(super) fn canary_pods(&self) -> u32 {
        (self.replicas * self.canary as u32).div_ceil(100)
    }

    fn setting(&self, value: u32) -> Option<IntOrPercent> {
        Some(match self.unit {
            Unit::Pods => IntOrPercent::Int(value),
            Unit::Tenths => IntOrPercent::Percent(10 * value),
        })
    }

    /// What a Deployment of so many pods asks of its controller.
    pub(super) fn deployment(&self, replicas: u32) -> Deployment {
        Deployment {
            replicas,
            strategy: match self.how {
                How::Recreate => Strategy::Recreate,
                // Blue-green and canary drive Deployments that roll.
                _ => Strategy::RollingUpdate {
                    max_surge: self.setting(self.surge),
                    max_unavailable: self.setting(self.unavailable),
                },
            },
            progress_deadline_s: Some(self.deadline_s),
        }
    }

    pub(super) fn min_ready_us(&self) -> u64 {
        Time::from_s(self.min_ready_s).0
    }
}

/// What a learner can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Ships a new version that works.
    Ship,
    /// Ships one that never becomes ready.
    ShipDead,
    /// Ships one that becomes ready and fails a share of its requests.
    ShipFaulty,
    /// Asks for the version before.
    RollBack,
    /// A machine goes dark with all its pods.
    Kill(usize),
    /// It is switched on again.
    Revive(usize),
}

impl Break {
    /// What a learner can do, in the order of the buttons.
    pub(super) const SPECS: &'static [ActionSpec] = &[
        ActionSpec::whole("ship"),
        ActionSpec::whole("ship-dead"),
        ActionSpec::whole("ship-faulty"),
        ActionSpec::whole("roll-back"),
        ActionSpec::aimed("kill", "node"),
        ActionSpec::aimed("revive", "node"),
    ];
}

impl Action for Break {
    fn from_act(act: Act) -> Option<Break> {
        match act.spec {
            0 => Some(Break::Ship),
            1 => Some(Break::ShipDead),
            2 => Some(Break::ShipFaulty),
            3 => Some(Break::RollBack),
            4 => Some(Break::Kill(act.target)),
            5 => Some(Break::Revive(act.target)),
            _ => None,
        }
    }
}
