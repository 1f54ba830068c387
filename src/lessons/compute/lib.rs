//! Compute: how programs are started, replaced and multiplied.

pub mod autoscaling;
pub mod rolling_update;

kit::lessons![rolling_update::Rolling, autoscaling::Autoscaling,];
