//! Inside a database: how one machine stores, finds and protects data.

pub mod indexes;

kit::lessons![indexes::Indexes,];
