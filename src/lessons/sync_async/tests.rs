//! Threads, hand-offs and losses, held against arithmetic.
