//! Tests of undo, and of two differences between a run and its twin.

use crate::action::ActionSpec;
use crate::difference::Difference;
use crate::player::Player;
use crate::state::Link;
use crate::toy::{bounce, face};
use crate::undo::{Deed, INPUTS_MAX, STEPS_MAX};
use crate::*;

fn player() -> Player {
    let mut player = Player::new(Box::new(bounce(3)));
    player.set_speed(1.0);
    player
}

/// What can be told of a player: its run, what the run shows and has recorded, and its twin.
type Whole = (Link, String, u64, Option<u64>);

fn whole(player: &Player) -> Whole {
    let twin = player.twin().map(|twin| twin.run.tape().fingerprint());
    let tape = player.main().tape().fingerprint();
    (
        player.link(),
        format!("{:?}", face(player.main())),
        tape,
        twin,
    )
}

#[test]
fn an_act_in_the_past_is_taken_back_with_the_future_that_it_cut() {
    let mut player = player();
    player.seek(Time::s(4));
    player.set_knob("pace", 50.0).unwrap();
    player.seek(Time::s(9));
    player.compare("double", 1.0).unwrap();
    player.seek(Time::s(2));
    let (before, horizon) = (whole(&player), player.main().horizon());
    assert!(player.act_by_id("kick", None));
    assert_eq!(player.main().inputs().len(), 1, "the turn at 4 s is lost");
    player.seek(Time::s(3));
    let after = whole(&player);
    let (deed, _) = player.undo();
    assert_eq!(deed, Some(Deed::Act(Act { spec: 0, target: 0 })));
    assert_eq!(whole(&player), before);
    assert_eq!(player.main().horizon(), horizon);
    assert!(
        player.main().tape().ghost().is_some(),
        "what was taken back is the ghost"
    );
    player.redo();
    assert_eq!(whole(&player), after);
    assert_eq!(player.redo().0, None);
}

#[test]
fn a_drag_is_one_step_and_a_new_press_another() {
    let mut player = player();
    for pace in [20.0, 30.0, 40.0] {
        player.set_knob("pace", pace).unwrap();
        player.set_playing(true);
        player.frame(0.05);
    }
    player.let_go();
    player.set_knob("pace", 50.0).unwrap();
    assert_eq!(player.steps_weight().0, 2);
    let turn = |from, to| {
        let knob = "pace";
        Some(Deed::Turn { knob, from, to })
    };
    assert_eq!(player.undo().0, turn(40.0, 50.0));
    assert!(!player.playing());
    assert_eq!(player.undo().0, turn(10.0, 40.0));
    assert_eq!(whole(&player), whole(&self::player()));
    assert_eq!(player.undo().0, None);
    assert_eq!(player.steps(), [None, player.steps()[1]]);
    // Another knob in between, or another thing done, ends a drag.
    player.set_knob("pace", 20.0).unwrap();
    player.set_knob("double", 1.0).unwrap();
    player.set_knob("pace", 30.0).unwrap();
    assert_eq!(player.steps_weight().0, 3);
    assert_eq!(player.steps()[1], None, "what was taken back is gone");
}

#[test]
fn a_seed_a_restart_and_a_comparison_are_taken_back() {
    let mut player = player();
    player.seek(Time::s(5));
    player.set_knob("pace", 50.0).unwrap();
    player.seek(Time::s(7));
    let first = whole(&player);
    player.restart();
    let second = whole(&player);
    player.reset(9);
    player.seek(Time::s(1));
    player.compare("double", 1.0).unwrap();
    let third = whole(&player);
    player.alone();
    assert_eq!(player.undo().0, Some(Deed::Compare(None)));
    assert_eq!(whole(&player), third);
    assert_eq!(player.undo().0, Some(Deed::Compare(Some("double"))));
    assert!(player.twin().is_none());
    assert_eq!(player.undo().0, Some(Deed::Seed(9)));
    assert_eq!(whole(&player), second);
    assert_eq!(player.undo().0, Some(Deed::Restart));
    assert_eq!(whole(&player), first);
    for _ in 0..4 {
        assert!(player.redo().0.is_some());
    }
    assert!(player.twin().is_none() && player.main().seed() == 9);
}

#[test]
fn what_the_story_arranges_is_one_step_of_the_learner() {
    let mut player = player();
    player.set_knob("pace", 50.0).unwrap();
    player.jump(1);
    let before = whole(&player);
    player.jump(2);
    assert_eq!(player.beat(), 2);
    assert_eq!(player.undo().0, Some(Deed::Story(2)));
    assert_eq!(whole(&player), before);
    assert_eq!((player.beat(), player.at_beat()), (1, true));
    player.jump(2);
    assert_eq!(player.beat(), 2, "the story goes on from there");
    player.undo();
    let (deed, _) = player.undo();
    assert!(matches!(deed, Some(Deed::Turn { knob: "pace", .. })));
    assert_eq!(player.beat(), 0);
}

#[test]
fn a_link_can_be_gone_back_from_and_its_own_run_changed() {
    let mut other = player();
    other.seek(Time::s(3));
    other.act_by_id("kick", None);
    other.seek(Time::s(6));
    let text = other.link().encode().unwrap();
    let mut player = player();
    player.set_knob("pace", 20.0).unwrap();
    let before = whole(&player);
    player.restore_text(&text).unwrap();
    let opened = whole(&player);
    player.act_by_id("kick", None);
    player.undo();
    assert_eq!(whole(&player), opened);
    assert_eq!(player.undo().0, Some(Deed::Link));
    assert_eq!(whole(&player), before);
    player.forget_steps();
    assert_eq!(player.steps(), [None, None]);
}

#[test]
fn a_guess_stays_given_and_is_settled_as_it_was() {
    let mut player = player();
    player.jump(1);
    player.guess(1);
    player.jump(2);
    let settled = player.guess_of(1).unwrap().settled;
    assert!(settled.is_some());
    player.undo();
    assert_eq!(player.guess_of(1).unwrap().settled, None);
    player.redo();
    assert_eq!(player.guess_of(1).unwrap().settled, settled);
}

#[test]
fn steps_are_bounded() {
    let mut player = player();
    for n in 0..STEPS_MAX * 3 {
        player.let_go();
        player
            .set_knob("pace", if n % 2 == 0 { 20.0 } else { 30.0 })
            .unwrap();
    }
    assert_eq!(player.steps_weight().0, STEPS_MAX);
    for _ in 0..1_000 {
        player.act_by_id("kick", None);
    }
    let (steps, inputs) = player.steps_weight();
    assert!(
        steps > 5 && steps < STEPS_MAX && inputs <= INPUTS_MAX,
        "{steps} steps, {inputs} inputs"
    );
}

#[test]
fn a_way_in_slices_leads_back_to_the_same_place() {
    let (mut at_once, mut sliced) = (player(), player());
    sliced.set_patience(|| false);
    for player in [&mut at_once, &mut sliced] {
        player.set_patience(|| true);
        player.seek(Time::s(900));
        player.set_knob("pace", 50.0).unwrap();
        player.seek(Time::s(1_500));
        player.seek(Time::s(300));
        player.act_by_id("kick", None);
        player.compare("double", 1.0).unwrap();
    }
    sliced.set_patience(|| false);
    let arrive = |player: &mut Player| {
        let mut frames = 0;
        while player.under_way() || player.twin_behind() {
            player.frame(0.0);
            frames += 1;
        }
        frames
    };
    for step in 0..4 {
        let [a, b] = [&mut at_once, &mut sliced].map(|player| match step {
            0 | 1 => player.undo().0,
            _ => player.redo().0,
        });
        assert_eq!(a, b);
        if step != 1 {
            arrive(&mut sliced);
            assert_eq!(whole(&sliced), whole(&at_once), "{step}");
        } else {
            // What is done before it has arrived waits for it.
            assert!(sliced.under_way());
        }
    }
}

#[test]
fn two_differences_are_in_the_twin_and_in_the_link() {
    let mut player = player();
    player.seek(Time::s(3));
    let kick = Act { spec: 0, target: 0 };
    let act = Some(Difference::Act(kick, Time::s(1)));
    assert!(!player.compare_also(act), "nothing is compared");
    player.compare("double", 1.0).unwrap();
    assert!(!player.compare_also(Some(Difference::Knob("double", 0.0))));
    let turning = ActionSpec::turning("faster", "pace", 10.0);
    assert_eq!(player.main().actions()[1], turning);
    let faster = Act { spec: 1, target: 0 };
    assert!(!player.compare_also(Some(Difference::Act(faster, Time::s(1)))));
    for also in [act, Some(Difference::Knob("pace", 40.0))] {
        assert!(player.compare_also(also));
        let twin = player.twin().unwrap();
        assert_eq!((twin.knob, twin.value, twin.also), ("double", 1.0, also));
        let text = player.link().encode().unwrap();
        let mut other = self::player();
        other.restore_text(&text).unwrap();
        assert_eq!(whole(&other), whole(&player));
        assert_eq!(other.twin().unwrap().also, also);
    }
    // The run's own turns of a knob that the twin holds do not reach it; others do.
    player.set_knob("pace", 80.0).unwrap();
    player.act_by_id("kick", None);
    player.seek(Time::s(5));
    let twin = player.twin().unwrap();
    let now = twin.run.knobs().into_iter().map(|(_, value)| value);
    assert_eq!(now.collect::<Vec<_>>(), [40.0, 1.0]);
    assert_eq!(twin.run.inputs().len(), 1);
    // The first may be set anew with the second in place; another first stands alone.
    player.compare("double", 1.0).unwrap();
    assert!(player.twin().unwrap().also.is_some());
    player.compare("pace", 20.0).unwrap();
    assert_eq!(player.twin().unwrap().also, None);
    player.undo();
    assert_eq!(
        player.twin().unwrap().also,
        Some(Difference::Knob("pace", 40.0))
    );
}

#[test]
fn an_act_of_the_twin_alone_stays_at_its_moment_whatever_the_run_does() {
    let mut player = player();
    player.seek(Time::s(5));
    player.act_by_id("kick", None);
    player.compare("double", 0.0).unwrap();
    let kick = Act { spec: 0, target: 0 };
    assert!(player.compare_also(Some(Difference::Act(kick, Time::s(2)))));
    let times = |player: &Player| {
        let inputs = player.twin().unwrap().run.inputs();
        inputs.iter().map(|input| input.at).collect::<Vec<_>>()
    };
    assert_eq!(times(&player), [Time::s(2), Time::s(5)]);
    player.seek(Time::s(1));
    player.act_by_id("kick", None);
    assert_eq!(times(&player), [Time::s(1), Time::s(2)]);
    player.seek(Time::s(3));
    let fresh = player
        .main()
        .twin_with("double", 0.0, Some(Difference::Act(kick, Time::s(2))));
    let mut fresh = fresh.unwrap();
    fresh.seek(Time::s(3));
    let twin = &*player.twin().unwrap().run;
    assert_eq!(face(&*fresh), face(twin));
}
