//! The run against what the specification computes.
