//! The real algorithms that the lessons animate: one file each, no clock, no screen, no lesson.

