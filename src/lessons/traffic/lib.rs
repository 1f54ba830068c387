//! Traffic: how requests find a server, and what happens when there are many of them.

pub mod cdn;
pub mod client_server;
pub mod dns;
pub mod latency_under_load;
pub mod load_balancing;
pub mod rate_limiting;
pub mod scaling;

kit::lessons![
    load_balancing::Balancing,
    client_server::ClientServer,
    dns::Dns,
    scaling::Scaling,
    latency_under_load::LatencyUnderLoad,
    rate_limiting::Limiting,
    cdn::Cdn,
];
