//! Inside a database: how one machine stores, finds and protects data.

pub mod bitmaps;
pub mod indexes;
pub mod inverted_index;
pub mod isolation_levels;
pub mod locking;
pub mod merkle_tree;
pub mod transactions;
pub mod write_ahead_log;

kit::lessons![
    bitmaps::Bitmaps,
    indexes::Indexes,
    inverted_index::InvertedIndex,
    isolation_levels::IsolationLevels,
    locking::Locking,
    merkle_tree::MerkleTree,
    transactions::Transactions,
    write_ahead_log::WriteAheadLog,
];
