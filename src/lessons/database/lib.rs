//! Inside a database: how one machine stores, finds and protects data.

pub mod merkle_tree;

kit::lessons![merkle_tree::MerkleTree,];
