//! What an author hides or locks, and the challenges that go with it.
#![cfg(not(target_arch = "wasm32"))]

use engine::{Player, Setup};

/// What an author hides or locks takes the challenges with it that cannot be reached any more, and no others.
#[test]
fn locks_withhold_what_they_put_out_of_reach() {
    for entry in lessons::CATALOGUE {
        let slug = entry.card.slug;
        let mut player = Player::new((entry.open)(1));
        let knobs = player.main().knobs();
        let ids = player.main().challenges();
        let offered =
            |player: &Player| -> Vec<bool> { (0..ids.len()).map(|at| player.offers(at)).collect() };
        let solutions: Vec<_> = (0..ids.len())
            .map(|at| player.main().solution(at))
            .collect();
        assert!(offered(&player).iter().all(|offered| *offered), "{slug}");
        // With everything taken away nothing is left that takes doing.
        player.withhold(&|_| false, false);
        for (at, offered) in offered(&player).into_iter().enumerate() {
            let done = |step: &Setup| matches!(step, Setup::Set(..) | Setup::Act(..));
            assert_eq!(
                offered,
                !solutions[at].iter().any(done),
                "{slug}: {}",
                ids[at]
            );
        }
        // Each knob by itself, where it stands and where a solution wants it.
        for (knob, opens) in &knobs {
            player.withhold(&|other| other.id != knob.id, true);
            for (at, offered) in offered(&player).into_iter().enumerate() {
                let turns = |step: &Setup| matches!(step, Setup::Set(id, value) if *id == knob.id && value != opens);
                assert_eq!(
                    offered,
                    !solutions[at].iter().any(turns),
                    "{slug}: {} without {}",
                    ids[at],
                    knob.id
                );
            }
        }
        player.withhold(&|_| true, true);
        assert!(offered(&player).iter().all(|offered| *offered), "{slug}");
    }
}

/// A knob that is locked where a solution wants it is no hindrance; what is not offered is not counted either.
#[test]
fn a_challenge_that_is_withheld_is_not_reached() {
    let entry = lessons::find("load-balancing").expect("a lesson");
    let mut player = Player::new((entry.open)(1));
    let at = player
        .main()
        .challenges()
        .iter()
        .position(|id| *id == "steady")
        .expect("a challenge");
    let solution = player.main().solution(at);
    player.withhold(&|knob| knob.id != "load", true);
    assert!(!player.offers(at));
    for step in solution {
        match *step {
            Setup::Set(knob, value) => drop(player.set_knob(knob, value)),
            Setup::Act(action, target) => drop(player.act_by_id(action, Some(target))),
            Setup::Wait(span) => {
                let until = player.main().position().at + span;
                while player.main().position().at < until {
                    player.set_playing(true);
                    player.frame(0.05);
                }
            }
            _ => {}
        }
    }
    assert!(
        !player.done()[at],
        "the run got there, but nobody was asked to"
    );
    player.withhold(&|knob| knob.id != "load", true);
    assert!(player.offers(at), "the load stands where it has to");
}
