//! Whole systems: what the other chapters teach, together.

pub mod social_feed;
pub mod url_shortener;

kit::lessons![social_feed::SocialFeed, url_shortener::UrlShortener,];
