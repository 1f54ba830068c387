//! Outside tables: inputs and outputs that others published, run through our algorithms.

mod caching;
mod circuit_breaker;
mod retry;
