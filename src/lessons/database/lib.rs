//! Inside a database: how one machine stores, finds and protects data.

pub mod indexes;
pub mod inverted_index;

kit::lessons![indexes::Indexes, inverted_index::InvertedIndex,];
