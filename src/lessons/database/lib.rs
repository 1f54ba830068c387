//! Inside a database: how one machine stores, finds and protects data.

pub mod indexes;
pub mod merkle_tree;

kit::lessons![indexes::Indexes, merkle_tree::MerkleTree,];
