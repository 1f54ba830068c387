//! Services: programs that call each other, and what failures do to them.

pub mod api_gateway;
pub mod circuit_breaker;
pub mod monolith_microservices;
pub mod retry_storm;
pub mod service_discovery;
pub mod service_mesh;
pub mod sync_async;

kit::lessons![
    circuit_breaker::Breaking,
    monolith_microservices::MonolithMicroservices,
    api_gateway::Gateway,
    service_discovery::ServiceDiscovery,
    sync_async::SyncAsync,
    retry_storm::Storm,
    service_mesh::ServiceMesh,
];
