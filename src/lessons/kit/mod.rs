//! What lessons share: how things flow, where they stand, what is drawn of them, and systems of them.

pub mod figures;
pub mod flow;
pub mod layout;
pub mod system;
