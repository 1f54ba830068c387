//! Simulated time: agenda, runs, tape, knobs, scenes, plots and stories.
