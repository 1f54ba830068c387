//! What the whole-project tests share.
