//! The subject held against what follows from its rules.

use super::DistributedLocks;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time};

#[test]
fn a_death_is_known_after_the_patience_and_a_heartbeat_at_most() {
    for seed in 1..=30 {
        let mut run = Run::new(sheet::<DistributedLocks>(), seed);
        run.run(Time::s(3), Watch::Nothing, u64::MAX);
        run.act(Act { spec: 0, target: 1 });
        run.run(Time::s(10), Watch::Nothing, u64::MAX);
        run.audit().unwrap();
        let after = run.model().known_after.unwrap().as_ms();
        // The last heartbeat left up to 500 ms before, or was under way for up to 330 ms more.
        assert!(
            (700.0..=1_531.0).contains(&after),
            "seed {seed}: {after} ms"
        );
        assert_eq!(run.model().mistakes, 0);
    }
}
