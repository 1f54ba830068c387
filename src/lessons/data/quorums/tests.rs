//! The run against the computed values of the paper's model.
