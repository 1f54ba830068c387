//! Inside a database: how one machine stores, finds and protects data.

kit::lessons![];
