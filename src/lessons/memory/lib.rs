//! Memory: what is kept near, and when it is no longer true.

pub mod bloom_filter;
pub mod cache_layers;
pub mod caching;

kit::lessons![
    caching::Remembering,
    cache_layers::CacheLayers,
    bloom_filter::BloomFilter
];
