//! The subject held against theory.
