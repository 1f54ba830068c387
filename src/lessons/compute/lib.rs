//! Compute: how programs are started, replaced and multiplied.

pub mod autoscaling;
pub mod rolling_update;
pub mod serverless;

kit::lessons![
    rolling_update::Rolling,
    autoscaling::Autoscaling,
    serverless::Serverless,
];
