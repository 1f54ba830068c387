//! Inside a database: how one machine stores, finds and protects data.

pub mod bitmaps;

kit::lessons![bitmaps::Bitmaps,];
