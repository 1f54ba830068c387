//! What several lessons have in common.

pub mod figures;
pub mod layout;
