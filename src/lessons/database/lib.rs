//! Inside a database: how one machine stores, finds and protects data.

pub mod isolation_levels;

kit::lessons![isolation_levels::IsolationLevels,];
