//! Inside a database: how one machine stores, finds and protects data.

pub mod write_ahead_log;

kit::lessons![write_ahead_log::WriteAheadLog,];
