//! The real algorithms that the lessons animate: one file each, no clock, no screen, no lesson.

pub mod cache;
pub mod cache_optimal;
pub mod cache_write;
pub mod circuit_breaker;
pub mod eviction;
pub mod retry;
pub mod zipf;
