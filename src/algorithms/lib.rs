//! The real algorithms that the lessons animate: one file each, no clock, no screen, no lesson.

pub mod any_limiter;
pub mod assignor;
pub mod autoscaler;
pub mod avl;
pub mod balancer;
pub mod batch_means;
pub mod bitmap;
pub mod bloom_filter;
pub mod btree;
pub mod bully;
pub mod cache;
pub mod cache_optimal;
pub mod cache_write;
pub mod circuit_breaker;
pub mod color_marker;
pub mod connections;
pub mod crdt;
pub mod dns_cache;
pub mod eviction;
pub mod fencing;
pub mod fixed_window;
pub mod functions;
pub mod gcra;
pub mod hash;
pub mod hash_index;
pub mod hash_ring;
pub mod hash_slots;
pub mod health;
pub mod histogram;
pub mod hpack;
pub mod http_exchange;
pub mod http_freshness;
pub mod jump;
pub mod leaky_bucket;
pub mod lease_lock;
pub mod lease_registry;
pub mod limit_req;
pub mod limiter;
pub mod log;
pub mod maglev;
pub mod membership;
pub mod merkle_tree;
pub mod message_queue;
pub mod mod_n;
pub mod output_buffer;
pub mod partitioner;
pub mod phi_accrual;
pub mod protocol;
pub mod queueing;
pub mod quorum;
pub mod raft;
pub mod replica_group;
pub mod replica_placement;
pub mod replicated;
pub mod replication;
pub mod reservation_bucket;
pub mod retry;
pub mod ring_election;
pub mod rollout;
pub mod routing;
pub mod scaling;
pub mod self_healing;
pub mod shard_map;
pub mod single_flight;
pub mod sliding_log;
pub mod sliding_window_counter;
pub mod smooth_limiter;
pub mod staleness;
pub mod swim;
pub mod token_bucket;
pub mod topic;
pub mod trace;
pub mod version_vector;
pub mod websocket;
pub mod weighted_round_robin;
pub mod zipf;

/// How many random schedules a law is tried on: as many as usual, or as `SCHEDULES` asks for.
#[cfg(test)]
fn schedules(usual: u64) -> u64 {
    let asked = std::env::var("SCHEDULES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(usual)
}
