//! Memory: what is kept near, and when it is no longer true.

pub mod bloom_filter;
pub mod caching;

kit::lessons![caching::Remembering, bloom_filter::BloomFilter];
