//! Tests of the player: stories, guesses, challenges, comparisons, links.

use crate::player::{Happening, Player, SPEEDS};
use crate::show::Watch;
use crate::toy::{bounce, face};
use crate::*;

fn player() -> Player {
    let mut player = Player::new(Box::new(bounce(3)));
    player.set_speed(1.0);
    player
}

fn play(player: &mut Player, frames: usize) -> Vec<Happening> {
    (0..frames).flat_map(|_| player.frame(0.016)).collect()
}

#[test]
fn next_plays_until_the_state_and_stops_there() {
    let mut player = player();
    player.next();
    assert_eq!(player.heading_for(), Some(1));
    let happened = play(&mut player, 400);
    assert_eq!(happened, [Happening::Beat(1)]);
    assert!(!player.playing() && player.beat() == 1);
    let place = player.main().position();
    player.back();
    assert_eq!(
        (player.beat(), player.main().position().at),
        (0, Time::ZERO)
    );
    player.next();
    assert_eq!(play(&mut player, 400), [Happening::Beat(1)]);
    assert_eq!(
        player.main().position(),
        place,
        "returning goes to the very same place"
    );
}

#[test]
fn a_second_next_jumps_and_scrubbing_changes_the_caption() {
    let mut player = player();
    player.next();
    assert_eq!(player.next(), [Happening::Beat(1)]);
    player.jump(2);
    assert_eq!(player.beat(), 2);
    player.seek(Time::ms(1));
    assert_eq!(player.beat(), 0);
    player.seek(Time::s(30));
    assert_eq!(player.beat(), 2);
}

#[test]
fn a_state_that_never_comes_is_given_up_with_a_way_back() {
    let mut player = player();
    player.jump(2);
    player.next();
    assert_eq!(
        player.next(),
        [Happening::Challenge(0), Happening::Stuck(3)]
    );
    assert_eq!(player.stuck(), Some(3));
    player.seek(Time::s(1));
    assert_eq!(player.stuck(), None);
}

#[test]
fn a_guess_is_settled_once_and_a_fork_unsettles_it() {
    let mut player = player();
    assert!(!player.guess(0), "the first beat asks nothing");
    player.jump(1);
    assert!(!player.guess(7));
    assert!(player.guess(0));
    assert!(!player.guess(1), "locked in");
    player.next();
    let happened = player.next();
    assert!(
        happened.contains(&Happening::Settled { beat: 1, truth: 1 }),
        "{happened:?}"
    );
    assert_eq!(player.guess_of(1).unwrap().settled.unwrap().1, 1);
    player.seek(Time::ms(200));
    player.set_knob("pace", 60.0).unwrap();
    assert_eq!(player.guess_of(1).unwrap().settled, None);
}

#[test]
fn a_challenge_ticks_once() {
    let mut player = player();
    player.set_playing(true);
    player.set_speed(16.0);
    let happened = play(&mut player, 200);
    assert_eq!(
        happened
            .iter()
            .filter(|h| **h == Happening::Challenge(0))
            .count(),
        1
    );
    assert_eq!(player.done(), [true]);
}

#[test]
fn the_twin_follows_everything() {
    let mut player = player();
    player.seek(Time::s(4));
    player.compare("double", 1.0).unwrap();
    player.act_by_id("kick", None);
    player.set_knob("pace", 50.0).unwrap();
    player.set_playing(true);
    play(&mut player, 100);
    player.seek(Time::s(2));
    player.seek(Time::s(5));
    let twin = &player.twin().unwrap().run;
    assert_eq!(twin.position().at, player.main().position().at);
    assert_eq!(twin.position().events, player.main().position().events);
    assert_eq!(twin.inputs().len(), 2);
    player.alone();
    assert!(player.twin().is_none());
}

#[test]
fn a_fork_takes_the_twin_along_even_within_one_moment() {
    let mut player = player();
    player.compare("double", 1.0).unwrap();
    player.set_knob("pace", 50.0).unwrap();
    player.act_by_id("kick", None);
    player.seek(Time::s(2));
    // Back to the start, before both inputs although at the same time.
    player.restart();
    player.act_by_id("kick", None);
    player.seek(Time::s(3));
    let kinds = |run: &dyn Show| run.inputs().iter().map(|i| i.kind).collect::<Vec<_>>();
    let twin = &*player.twin().unwrap().run;
    assert_eq!(kinds(twin), kinds(player.main()));
    assert_eq!(kinds(twin).len(), 1);
    let fresh = player.main().twin("double", 1.0).map(|mut run| {
        run.seek(Time::s(3));
        face(&*run)
    });
    assert_eq!(fresh.unwrap(), face(twin));
}

#[test]
fn a_link_restores_the_frame_the_twin_and_the_beat() {
    let mut player = player();
    player.jump(2);
    player.compare("double", 1.0).unwrap();
    player.set_knob("pace", 33.0).unwrap();
    player.step_forward(false);
    let text = player.link().encode().unwrap();
    let mut other = Player::new(Box::new(bounce(1)));
    other.restore_text(&text).unwrap();
    assert_eq!(face(other.main()).0, face(player.main()).0);
    assert_eq!(face(other.main()).1, face(player.main()).1);
    assert_eq!(
        face(&*other.twin().unwrap().run).1,
        face(&*player.twin().unwrap().run).1
    );
    assert_eq!(other.beat(), 2);
    assert!(other.restore_text("nonsense").is_err());
    assert_eq!(other.beat(), 2, "a damaged link changes nothing");
}

#[test]
fn odd_frames_and_speeds_are_harmless() {
    let mut player = player();
    player.set_playing(true);
    for dt in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e9] {
        player.frame(dt);
    }
    player.set_speed(f64::NAN);
    assert_eq!(player.speed(), 1.0);
    player.set_speed(1e9);
    assert_eq!(player.speed(), SPEEDS.1);
    assert!(player.main().position().at <= Time::from_s(0.2));
}

#[test]
fn the_story_knows_whether_the_run_stands_at_its_beat() {
    let mut player = player();
    assert!(player.at_beat());
    player.set_playing(true);
    player.frame(0.016);
    assert!(!player.at_beat());
    player.jump(1);
    assert!(player.at_beat());
    player.step_forward(false);
    assert!(!player.at_beat());
}

#[test]
fn an_answer_of_an_earlier_visit_counts_once_and_only_if_it_exists() {
    let mut player = player();
    let asks = |player: &Player| {
        let beats = player.beats().iter();
        beats.clone().position(|beat| beat.predict.is_some())
    };
    let Some(beat) = asks(&player) else {
        panic!("the toy asks a question");
    };
    player.recall_guess(beat, 99);
    player.recall_guess(beats_without_question(&player), 0);
    assert!(player.guesses().is_empty());
    player.recall_guess(beat, 1);
    player.recall_guess(beat, 0);
    assert_eq!(player.guess_of(beat).map(|guess| guess.choice), Some(1));
    player.jump(beat);
    assert!(!player.guess(0), "it was answered before");
}

fn beats_without_question(player: &Player) -> usize {
    let mut beats = player.beats().iter();
    beats
        .position(|beat| beat.predict.is_none())
        .unwrap_or(usize::MAX)
}

/// A player that never has time for more than one slice at once.
fn hasty(run: impl Show + 'static) -> Player {
    let mut player = Player::new(Box::new(run));
    player.set_patience(|| false);
    player
}

/// Frames without time until everything has arrived; how many it took.
fn arrive(player: &mut Player) -> usize {
    for frames in 0..100_000 {
        if !player.under_way() && !player.twin_behind() {
            return frames;
        }
        player.frame(0.0);
    }
    panic!("it never arrives");
}

#[test]
fn a_way_in_slices_leads_to_the_same_place() {
    let (mut at_once, mut sliced) = (player(), hasty(bounce(3)));
    type Walk = fn(&mut Player);
    let walks: [(&str, Walk); 8] = [
        ("forward", |player| drop(player.seek(Time::s(900)))),
        ("back", |player| drop(player.seek(Time::s(451)))),
        ("a step back", |player| drop(player.step_back(false))),
        ("a fine step back", |player| drop(player.step_back(true))),
        ("compare", |player| player.compare("double", 1.0).unwrap()),
        ("turn", |player| {
            player.set_knob("pace", 50.0).unwrap();
        }),
        ("act", |player| {
            player.act_by_id("kick", None);
        }),
        ("tell", |player| drop(player.jump(2))),
    ];
    let mut longest = 0;
    for (what, walk) in walks {
        walk(&mut at_once);
        walk(&mut sliced);
        longest = longest.max(arrive(&mut sliced));
        assert_eq!(face(sliced.main()), face(at_once.main()), "{what}");
        assert_eq!(sliced.beat(), at_once.beat(), "{what}");
        assert_eq!(sliced.link(), at_once.link(), "{what}");
    }
    assert!(longest > 5, "{longest} frames are no way at all");
    let text = at_once.link().encode().unwrap();
    let mut other = hasty(bounce(1));
    other.restore_text(&text).unwrap();
    assert!(other.under_way());
    arrive(&mut other);
    assert_eq!(other.link(), at_once.link());
    assert_eq!(face(other.main()).1, face(at_once.main()).1);
}

#[test]
fn what_is_done_while_the_twin_catches_up_happens_to_it_too() {
    let (mut at_once, mut sliced) = (player(), hasty(bounce(3)));
    for player in [&mut at_once, &mut sliced] {
        player.set_patience(|| true);
        player.seek(Time::s(900));
        player.act_by_id("kick", None);
        player.seek(Time::s(1_000));
    }
    sliced.set_patience(|| false);
    for player in [&mut at_once, &mut sliced] {
        player.compare("double", 1.0).unwrap();
        // Here the run forks, and the kick at 900 s is no more.
        player.seek(Time::s(800));
    }
    while sliced.under_way() {
        sliced.frame(0.0);
    }
    assert!(sliced.twin_behind());
    for player in [&mut at_once, &mut sliced] {
        player.set_knob("pace", 50.0).unwrap();
        player.act_by_id("kick", None);
        player.set_knob("double", 0.0).unwrap();
    }
    arrive(&mut sliced);
    let twin = |player: &Player| face(&*player.twin().unwrap().run);
    assert_eq!(twin(&sliced), twin(&at_once));
    assert_eq!(face(sliced.main()).1, face(at_once.main()).1);
}

#[test]
fn what_the_learner_does_on_the_way_happens_where_the_run_is() {
    let mut player = hasty(bounce(3));
    player.seek(Time::s(900));
    let here = player.main().position();
    assert!(here.at < Time::s(900) && player.under_way());
    let share = player.progress().unwrap().1.unwrap();
    assert!(share > 0.0 && share < 1.0, "{share}");
    player.set_knob("pace", 50.0).unwrap();
    assert!(!player.under_way());
    assert_eq!(player.main().inputs()[0].at, here.at);
}

#[test]
fn a_link_is_opened_to_its_end_before_anything_else_happens() {
    let mut first = player();
    first.seek(Time::s(400));
    first.set_knob("pace", 50.0).unwrap();
    first.seek(Time::s(300));
    let text = first.link().encode().unwrap();
    let mut player = hasty(bounce(1));
    player.restore_text(&text).unwrap();
    assert!(player.under_way());
    player.act_by_id("kick", None);
    first.act_by_id("kick", None);
    assert_eq!(player.link(), first.link());
}

#[test]
fn a_beat_that_the_end_of_the_tape_cuts_off_is_no_trap() {
    let mut player = player();
    player.seek(crate::tape::END);
    player.next();
    player.next();
    assert!(!player.under_way());
    player.jump(3);
    assert!(!player.under_way());
}

#[test]
fn the_storys_comparison_goes_back_with_the_story() {
    let mut player = Player::new(Box::new(toy::comparing()));
    player.jump(1);
    assert!(player.twin().is_some());
    player.jump(2);
    assert!(player.twin().is_none());
    player.back();
    assert!(player.twin().is_some(), "back at the beat that compares");
    player.seek(Time::ms(500));
    assert!(player.twin().is_none(), "before it nothing is compared");
    player.seek(Time::s(3));
    assert!(player.twin().is_some());
    // What the learner compares is the learner's.
    player.alone();
    player.jump(1);
    assert!(player.twin().is_none());
    player.compare("pace", 20.0).unwrap();
    player.seek(Time::ms(500));
    assert_eq!(player.twin().unwrap().knob, "pace");
}

#[test]
fn a_knob_on_the_way_back_to_a_beat_makes_the_way_there_a_new_one() {
    let mut player = player();
    player.jump(2);
    let before = player.main().position();
    player.back();
    player.next();
    player.set_knob("pace", 60.0).unwrap();
    assert_eq!(player.heading_for(), Some(2));
    player.next();
    // It is there because the state has come, not because it had come then in a tape that is lost.
    assert_eq!(player.beat(), 2);
    assert!(player.main().beat_holds(2));
    assert_ne!(player.main().position(), before);
    let mut straight = bounce(3).restore(&player.main().state());
    straight.run(player.main().position().at, Watch::Nothing, u64::MAX);
    assert_eq!(straight.position().at, player.main().position().at);
    assert_eq!(face(&*straight), face(player.main()));
}

/// A player of the toy's beats from 1 on, at their start.
fn part(last: usize) -> Player {
    let mut player = player();
    player.tell_only(1, last);
    assert_eq!(player.jump(0), [Happening::Beat(0)]);
    player
}

#[test]
fn a_part_of_the_story_begins_where_the_whole_comes_to_it_and_no_way_leads_before() {
    let mut whole = player();
    whole.jump(1);
    let start = whole.main().position();
    let mut part = part(2);
    assert_eq!((part.main().position(), part.beat()), (start, 0));
    assert_eq!(part.beats(), &whole.beats()[1..=2]);
    for back in [Player::restart, Player::back] {
        part.next();
        assert_eq!(part.next(), [Happening::Beat(1)]);
        assert_eq!(part.next(), [], "nothing comes after the last");
        back(&mut part);
        assert_eq!((part.main().position(), part.beat()), (start, 0));
    }
    part.seek(Time::ZERO);
    assert_eq!((part.main().position(), part.beat()), (start, 0));
    for fine in [true, false] {
        part.step_back(fine);
        assert_eq!(part.main().position(), start);
    }
    part.reset(9);
    play(&mut part, 1);
    assert_eq!((part.beat(), part.main().seed()), (0, 9));
    assert!(part.at_beat());
}

#[test]
fn a_link_of_a_part_opens_in_the_whole_story_too() {
    let mut part = part(2);
    part.jump(1);
    let link = part.link();
    let mut whole = player();
    whole.restore(&link);
    assert_eq!(whole.beat(), 2);
    let mut again = player();
    again.tell_only(1, 2);
    again.restore(&link);
    assert_eq!((again.beat(), again.at_beat()), (1, true));
    again.restart();
    assert_eq!(again.beat(), 0);
}
