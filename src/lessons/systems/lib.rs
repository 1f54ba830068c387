//! Whole systems: what the other chapters teach, together.

kit::lessons![];
