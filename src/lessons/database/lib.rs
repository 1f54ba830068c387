//! Inside a database: how one machine stores, finds and protects data.

pub mod indexes;
pub mod write_ahead_log;

kit::lessons![indexes::Indexes, write_ahead_log::WriteAheadLog,];
