//! Inside a database: how one machine stores, finds and protects data.

pub mod bitmaps;
pub mod indexes;
pub mod isolation_levels;
pub mod merkle_tree;
pub mod write_ahead_log;

kit::lessons![
    bitmaps::Bitmaps,
    indexes::Indexes,
    isolation_levels::IsolationLevels,
    merkle_tree::MerkleTree,
    write_ahead_log::WriteAheadLog,
];
