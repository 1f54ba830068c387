//! Whole systems: what the other chapters teach, together.

pub mod url_shortener;

kit::lessons![url_shortener::UrlShortener,];
