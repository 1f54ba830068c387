//! What lessons share: how things flow, where they stand, what is drawn of them, systems of them, and how they are listed.

pub mod bench;
pub mod cluster;
pub mod figures;
pub mod flow;
pub mod layout;
pub mod listing;
pub mod system;
