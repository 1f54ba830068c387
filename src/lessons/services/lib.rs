//! Services: programs that call each other, and what failures do to them.

pub mod api_gateway;
pub mod circuit_breaker;
pub mod retry_storm;

kit::lessons![
    circuit_breaker::Breaking,
    api_gateway::Gateway,
    retry_storm::Storm,
];
