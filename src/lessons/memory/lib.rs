//! Memory: what is kept near, and when it is no longer true.

pub mod caching;

kit::lessons![caching::Remembering,];
