//! Inside a database: how one machine stores, finds and protects data.

pub mod bitmaps;
pub mod indexes;

kit::lessons![bitmaps::Bitmaps, indexes::Indexes,];
