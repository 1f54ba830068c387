//! The real algorithms that the lessons animate: one file each, no clock, no screen, no lesson.

pub mod balancer;
pub mod cache;
pub mod cache_optimal;
pub mod cache_write;
pub mod circuit_breaker;
pub mod crdt;
pub mod eviction;
pub mod hash;
pub mod hash_ring;
pub mod hash_slots;
pub mod health;
pub mod jump;
pub mod maglev;
pub mod message_queue;
pub mod mod_n;
pub mod queueing;
pub mod quorum;
pub mod retry;
pub mod rollout;
pub mod self_healing;
pub mod single_flight;
pub mod staleness;
pub mod topic;
pub mod version_vector;
pub mod weighted_round_robin;
pub mod zipf;
