//! Inside a database: how one machine stores, finds and protects data.

pub mod inverted_index;

kit::lessons![
    inverted_index::InvertedIndex,
];
