//! The real algorithms that the lessons animate: one file each, no clock, no screen, no lesson.

pub mod balancer;
pub mod hash;
pub mod hash_ring;
pub mod hash_slots;
pub mod health;
pub mod jump;
pub mod maglev;
pub mod mod_n;
pub mod queueing;
pub mod weighted_round_robin;
