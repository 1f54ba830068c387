//! What lessons share: how things flow, where they stand, and what is drawn of them.

pub mod figures;
pub mod flow;
pub mod layout;
pub mod system;
