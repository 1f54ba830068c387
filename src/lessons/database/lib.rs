//! Inside a database: how one machine stores, finds and protects data.

pub mod transactions;

kit::lessons![transactions::Transactions,];
